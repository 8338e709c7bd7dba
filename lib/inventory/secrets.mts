import { closeSync, existsSync, fstatSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { Secret } from '../secret.mts';
import { expandHome } from './paths.mts';
import type { YamlNode } from './yaml.mts';

const FORMS = '{secret: env:NAME}, {secret: file:PATH}, {secret: generate:NAME} or {secret: gcloud:NAME}';

/** A variable that takes a secret: in an inventory it is written as a reference, a role gets a `Secret`. The value is never shown. */
export const secretSchema = z
  .custom<Secret>((value) => value instanceof Secret, { error: `must be a reference, never the secret itself — write ${FORMS}` })
  .meta({ 'x-secret': true });

/** `{secret: SCHEME:NAME}` as written. */
export interface SecretReference {
  readonly scheme: 'env' | 'file' | 'generate' | 'gcloud';
  readonly name: string;
  /** `env:NAME`: safe to show, and what a `Secret` is labelled with. */
  readonly label: string;
}

export interface SecretProblem {
  readonly problem: string;
  readonly hint: string;
}

const NAMES: Readonly<Record<SecretReference['scheme'], RegExp>> = {
  env: /^[A-Za-z_]\w{0,127}$/,

  file: /^[^\u0000-\u001f]{1,1024}$/,
  generate: /^[a-z][a-z0-9_-]{0,63}$/,
  gcloud: /^(?:[a-z0-9.:-]{1,100}\/)?[\w-]{1,255}$/,
};

/** The `secret` of `{secret: …}`; `undefined` for any other value. */
export function referenceText(node: YamlNode): string | undefined {
  if (node.kind !== 'map' || node.entries.length !== 1) return undefined;
  const only = node.entries[0];
  return only?.key === 'secret' && only.value.kind === 'scalar' ? only.value.text : undefined;
}

/** What is wrong is said without the text: somebody may have put the secret itself there. */
export function parseReference(text: string): SecretReference | SecretProblem {
  const [, scheme, name = ''] = /^(env|file|generate|gcloud):(.*)$/s.exec(text) ?? [];
  if (scheme !== 'env' && scheme !== 'file' && scheme !== 'generate' && scheme !== 'gcloud')
    return { problem: 'a secret reference begins with env:, file:, generate: or gcloud:', hint: `write ${FORMS}` };
  if (!NAMES[scheme].test(name))
    return { problem: `the name after "${scheme}:" is not valid`, hint: scheme === 'generate' ? 'lower-case letters, digits, _ and -' : `write ${FORMS}` };
  return { scheme, name, label: `${scheme}:${name}` };
}

/** Reads the latest version of a secret from Secret Manager. */
export type SecretReader = (which: { readonly project: string; readonly name: string }) => string | SecretProblem;

export interface SecretSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where `generate:` keeps what it made. */
  readonly directory: string;
  /** For `gcloud:`; nothing is read from there unless given. */
  readonly gcloud?: SecretReader;
}

/** What a reference may leave open. */
export interface SecretPlace {
  /** The directory that a relative `file:` is about. */
  readonly base: string;
  /** The project whose secrets `gcloud:` means, where it names none. */
  readonly project: string | undefined;
}

/** Reads, or makes, the secrets of one inventory; each once. */
export class SecretStore {
  readonly #sources: SecretSources;
  readonly #known = new Map<string, Secret | SecretProblem>();

  constructor(sources: SecretSources) {
    this.#sources = sources;
  }

  resolve(reference: SecretReference, place: SecretPlace): Secret | SecretProblem {
    const within = reference.scheme === 'file' ? place.base : reference.scheme === 'gcloud' ? (place.project ?? '') : '';
    const key = `${reference.label}\n${within}`;
    const known = this.#known.get(key) ?? this.#read(reference, place);
    this.#known.set(key, known);
    return known;
  }

  #read(reference: SecretReference, { base, project }: SecretPlace): Secret | SecretProblem {
    switch (reference.scheme) {
      case 'env': {
        const value = this.#sources.environment[reference.name];
        if (value === undefined || value === '')
          return {
            problem: `environment variable ${reference.name} is ${value === undefined ? 'not set' : 'empty'}`,
            hint: `export ${reference.name}=… before the run`,
          };
        return new Secret(value, reference.label);
      }
      case 'file':
        return readPrivate(path.resolve(base, expandHome(reference.name, this.#sources.environment)), reference);
      case 'generate':
        return this.#generated(reference);
      case 'gcloud':
        return this.#fromGoogle(reference, project);
    }
  }

  #fromGoogle({ name, label }: SecretReference, project: string | undefined): Secret | SecretProblem {
    const [own, named] = name.includes('/') ? [name.slice(0, name.lastIndexOf('/')), name.slice(name.lastIndexOf('/') + 1)] : [project, name];
    if (own === undefined) return { problem: `${label} names no project`, hint: `write gcloud:PROJECT/${name}, or set gcp_project` };
    const value = this.#sources.gcloud?.({ project: own, name: named }) ?? { problem: `${label} cannot be read here`, hint: `write ${FORMS}` };
    return typeof value === 'string' ? new Secret(value, label) : value;
  }

  /** Made in full beside its place and then linked to it, so that two runs that begin together agree on one value. */
  #generated(reference: SecretReference): Secret | SecretProblem {
    const { directory } = this.#sources;
    const file = path.join(directory, reference.name);
    if (!existsSync(file)) {
      try {
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        const ignore = path.join(directory, '.gitignore');
        if (!existsSync(ignore)) writeFileSync(ignore, '*\n', { mode: 0o600 });
        const made = `${file}.${String(process.pid)}.${randomBytes(4).toString('hex')}`;
        writeFileSync(made, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
        try {
          linkSync(made, file);
        } catch (thrown) {
          if (!existsSync(file)) throw thrown;
        } finally {
          rmSync(made, { force: true });
        }
      } catch (thrown) {
        return { problem: `secret ${reference.label} cannot be kept in ${directory}: ${codeOf(thrown)}`, hint: 'make the directory writable' };
      }
    }
    return readPrivate(file, reference);
  }
}

const MAX_BYTES = 64 * 1024;

function readPrivate(file: string, reference: SecretReference): Secret | SecretProblem {
  try {
    if (!statSync(file).isFile()) return { problem: `secret file ${file} is not a regular file`, hint: 'name a file' };
    const descriptor = openSync(file, 'r');
    try {
      const found = fstatSync(descriptor);
      if ((found.mode & 0o077) !== 0)
        return { problem: `secret file ${file} can be read by others (mode 0${(found.mode & 0o777).toString(8)})`, hint: `chmod 600 ${file}` };
      if (found.size > MAX_BYTES) return { problem: `secret file ${file} is larger than 64 KiB`, hint: 'is it the right file?' };
      const value = readFileSync(descriptor, 'utf8').replace(/\r?\n$/, '');
      return value === '' ? { problem: `secret file ${file} is empty`, hint: 'write the secret into it' } : new Secret(value, reference.label);
    } finally {
      closeSync(descriptor);
    }
  } catch (thrown) {
    const code = codeOf(thrown);
    return { problem: `secret file ${file} cannot be read: ${code === 'ENOENT' ? 'no such file' : code}`, hint: 'check its path and owner' };
  }
}

const codeOf = (thrown: unknown): string => (thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown));
