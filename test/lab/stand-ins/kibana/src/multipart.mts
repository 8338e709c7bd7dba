/** Forms with files. */

export interface Part {
  /** Nothing for a field that is no file. */
  readonly fileName: string | undefined;
  readonly text: string;
}

/** By the names of the fields; nothing when it is no such form. */
export function parseMultipart(body: Buffer, contentType: string): ReadonlyMap<string, Part> | undefined {
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? bare;
  if (boundary === undefined) return undefined;
  // One character a byte, so that positions are those of the bytes.
  const sections = `\r\n${body.toString('latin1')}`.split(`\r\n--${boundary}`);
  if (sections.length < 3 || !sections.at(-1)?.startsWith('--')) return undefined;
  const parts = new Map<string, Part>();
  for (const section of sections.slice(1, -1)) {
    const end = section.indexOf('\r\n\r\n');
    const head = utf8(section.slice(0, end));
    const name = /;\s*name="([^"]*)"/i.exec(head)?.[1];
    if (end === -1 || name === undefined) return undefined;
    parts.set(name, { fileName: /;\s*filename="([^"]*)"/i.exec(head)?.[1], text: utf8(section.slice(end + 4)) });
  }
  return parts;
}

const utf8 = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');
