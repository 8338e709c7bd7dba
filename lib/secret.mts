import { inspect } from 'node:util';

/**
 * A value that may be written to a file, a stdin or an HTTP header, and nowhere else.
 * It has no getter: `reveal` below is the one exit, and the import rules let only lib/transport and lib/shell use it.
 */
export class Secret {
  readonly #value: string;
  /** Where the value came from (`env:X`, `file:P`, `generate:N`, `gcloud:S`, `prompt`), safe to show. */
  readonly label: string;
  constructor(value: string, label: string) {
    this.#value = value;
    this.label = label;
    if (value.length >= SHORTEST_REDACTED) known.add(value);
  }
  /** The value as a JSON string with its quotes, a secret like itself. */
  inJson(): Secret {
    return new Secret(JSON.stringify(this.#value), this.label);
  }
  /** The value percent-encoded, a secret like itself. */
  inUrl(): Secret {
    return new Secret(encodeURIComponent(this.#value), this.label);
  }
  static reveal(secret: Secret): string {
    return secret.#value;
  }
  toString(): string {
    return `[secret ${this.label}]`;
  }
  toJSON(): string {
    return this.toString();
  }
  [inspect.custom](): string {
    return this.toString();
  }
}

/** Shorter values would turn innocent text into asterisks. */
const SHORTEST_REDACTED = 6;
const known = new Set<string>();

export const reveal = (secret: Secret): string => Secret.reveal(secret);

/** Text for a file or a stdin; `confidential` parts are joined without a separator. */
export type Content = string | Uint8Array | { readonly confidential: readonly (string | Secret)[] };

export const isConfidential = (content: Content): content is { readonly confidential: readonly (string | Secret)[] } =>
  typeof content === 'object' && 'confidential' in content;

/** The bytes of a content, secrets opened: only for lib/transport and lib/shell. */
export function bytesOf(content: Content): Uint8Array {
  if (typeof content === 'string') return Buffer.from(content, 'utf8');
  if (!isConfidential(content)) return content;
  return Buffer.from(content.confidential.map((part) => (typeof part === 'string' ? part : reveal(part))).join(''), 'utf8');
}

/** The second net: every form in which a known secret could slip into text becomes `[secret]`. */
export function redact(text: string): string {
  let clean = text;
  for (const form of allForms()) if (clean.includes(form)) clean = clean.replaceAll(form, '[secret]');
  return clean;
}

/** The beginning of what a host printed. Redacted before it is cut: half a secret would not be known for one. */
export function excerpt(text: string, most = 300): string {
  const clean = redact(text).trim();
  return clean.length <= most ? clean : `${clean.slice(0, most - 1)}…`;
}

let forms: { readonly of: number; readonly all: readonly string[] } = { of: 0, all: [] };

/** The longest first: a secret that begins with another one must not leave its rest behind. */
function allForms(): readonly string[] {
  if (forms.of !== known.size) forms = { of: known.size, all: [...new Set([...known].flatMap(formsOf))].sort((one, other) => other.length - one.length) };
  return forms.all;
}

/** Also each line of its own, since a diff or a log shows a key line by line. */
const formsOf = (value: string): readonly string[] =>
  [value, ...value.split(/[\r\n]+/)].filter((part) => part.length >= SHORTEST_REDACTED).flatMap(writtenForms);

function writtenForms(value: string): readonly string[] {
  const bytes = Buffer.from(value, 'utf8');
  const base64 = bytes.toString('base64');
  const literal = inString(value);
  return [
    value,
    literal,
    inString(literal),
    encodeURIComponent(value),
    new URLSearchParams([['', value]]).toString().slice(1),
    base64,
    base64.replace(/=+$/, ''),
    bytes.toString('base64url'),
    value.replaceAll("'", `'\\''`),
  ];
}

/** Between the quotes of a JSON string. */
const inString = (value: string): string => JSON.stringify(value).slice(1, -1);
