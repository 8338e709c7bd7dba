/**
 * OpenSSH's known_hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), read as `ssh` reads it. Certificate authorities cannot be honoured, since
 * ssh2 speaks no host certificates; they are reported, so that an unknown host can be explained.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fail } from '../errors.mts';

export interface KnownHostLine {
  readonly file: string;
  readonly line: number;
  readonly marker: 'key' | 'revoked' | 'authority';
  readonly hosts: string;
  readonly type: string;
  /** The key as on the wire. */
  readonly key: Buffer;
}

export type HostKeyVerdict =
  | { readonly kind: 'known' }
  | { readonly kind: 'unknown'; readonly authority: boolean }
  | { readonly kind: 'changed'; readonly known: readonly KnownHostLine[] }
  | { readonly kind: 'revoked'; readonly by: KnownHostLine };

/** How `ssh` names a server in known_hosts: the port only when it is not 22. */
export const knownHostsName = (address: string, port: number): string => (port === 22 ? address.toLowerCase() : `[${address.toLowerCase()}]:${port}`);

/** The place under which a server's key is kept; an alias has no port, which is how ssh keeps those of port 22. */
export const keyPlace = ({ address, port, hostKeyAlias }: KeyOwner): readonly [address: string, port: number] =>
  hostKeyAlias === undefined ? [address, port] : [hostKeyAlias, 22];

export interface KeyOwner {
  readonly address: string;
  readonly port: number;
  readonly hostKeyAlias?: string;
}

export const fingerprint = (key: Uint8Array): string => `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;

/** The type that a key names in its first field; empty when it is no key. */
export function keyType(key: Uint8Array): string {
  const bytes = Buffer.from(key);
  if (bytes.length < 4) return '';
  const length = bytes.readUInt32BE(0);
  return length <= 64 && bytes.length >= 4 + length ? bytes.toString('latin1', 4, 4 + length) : '';
}

const MARKERS: ReadonlyMap<string, KnownHostLine['marker']> = new Map([
  ['', 'key'],
  ['@revoked', 'revoked'],
  ['@cert-authority', 'authority'],
]);

export function parseKnownHosts(text: string, file: string): readonly KnownHostLine[] {
  const lines: KnownHostLine[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const words = raw.trim().split(/[ \t]+/);
    const mark = words[0]?.startsWith('@') === true ? words.shift() : '';
    const marker = MARKERS.get(mark ?? '');
    const [hosts = '', type = '', base64 = ''] = words;
    if (marker === undefined || hosts.startsWith('#')) continue;
    const key = Buffer.from(base64, 'base64');
    // A line whose key does not say what the line says is skipped by ssh too; an empty line has no key.
    if (type === '' || keyType(key) !== type) continue;
    lines.push({ file, line: index + 1, marker, hosts, type, key });
  }
  return lines;
}

/** The keys in `TYPE BASE64` each, as on the wire; fails with `unreachable` when there is none. */
export function parseHostKeys(lines: readonly string[]): readonly Buffer[] {
  const keys = lines.flatMap((line) => {
    const [type, base64 = ''] = line.trim().split(/[ \t]+/);
    const key = Buffer.from(base64, 'base64');
    return type !== '' && keyType(key) === type ? [key] : [];
  });
  return keys.length > 0 ? keys : fail('unreachable', 'no host keys', { message: 'it gave no host key' });
}

/** Whether the host field of a line names `name`; a `!pattern` that fits wins over all others. */
export function matchesHosts(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return matchesHashed(hosts, name);
  let fits = false;
  for (const pattern of hosts.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!');
    if (!wildcard(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false;
    fits = true;
  }
  return fits;
}

function matchesHashed(hosts: string, name: string): boolean {
  const [, version, salt, hash] = hosts.split('|');
  if (version !== '1' || salt === undefined || hash === undefined) return false;
  const wanted = Buffer.from(hash, 'base64');
  const got = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return wanted.length === got.length && timingSafeEqual(wanted, got);
}

/** `*` and `?` only; brackets are ordinary characters, since `[host]:port` is written with them. */
function wildcard(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === name;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(name);
}

/** The host keys that one run trusts; files are read once. */
export class KnownHosts {
  readonly #lines: KnownHostLine[];
  readonly #writeTo: string;

  constructor(lines: readonly KnownHostLine[], writeTo: string) {
    this.#lines = [...lines];
    this.#writeTo = writeTo;
  }

  /**
   * `file` alone, or those of the system after `userFiles`, which are ssh's own unless given. A file that is missing is empty; one that cannot
   * be read fails with `refused`, since it might have named the key.
   */
  static load(file: string | undefined, userFiles: readonly string[] = []): KnownHosts {
    const usual = join(homedir(), '.ssh', 'known_hosts');
    const users = userFiles.length === 0 ? [usual, `${usual}2`] : userFiles;
    const files = file === undefined ? [...users, '/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'] : [file];
    return new KnownHosts(
      files.flatMap((path) => parseKnownHosts(readFile(path), path)),
      files[0] ?? usual,
    );
  }

  /** A key that is known without the port is known on every port, as for ssh, unless a line with the port says otherwise. */
  judge(address: string, port: number, key: Uint8Array): HostKeyVerdict {
    const verdict = this.#judgeAt(address, port, key);
    const withoutPort = verdict.kind === 'unknown' && port !== 22 ? this.#judgeAt(address, 22, key) : verdict;
    return withoutPort.kind === 'known' ? withoutPort : verdict;
  }

  #judgeAt(address: string, port: number, key: Uint8Array): HostKeyVerdict {
    const lines = this.#of(address, port);
    const same = lines.filter((line) => line.key.equals(key));
    const revoked = same.find((line) => line.marker === 'revoked');
    if (revoked !== undefined) return { kind: 'revoked', by: revoked };
    if (same.some((line) => line.marker === 'key')) return { kind: 'known' };
    const known = lines.filter((line) => line.marker === 'key');
    if (known.length > 0) return { kind: 'changed', known };
    return { kind: 'unknown', authority: lines.some((line) => line.marker === 'authority') };
  }

  /** Types of the keys known for a server: these are negotiated first, or another type would look like a change. */
  types(address: string, port: number): readonly string[] {
    return [
      ...new Set(
        this.#of(address, port)
          .filter((line) => line.marker === 'key')
          .map((line) => line.type),
      ),
    ];
  }

  /** What tells one sshd from another: addresses with the same key are the same server under several names. Undefined when no key is known. */
  serverAt(address: string, port: number): string | undefined {
    return this.#of(address, port)
      .find((line) => line.marker === 'key')
      ?.key.toString('base64');
  }

  /** Records a key that was seen for the first time; one short append, so that concurrent writers cannot mix lines. */
  add(address: string, port: number, key: Uint8Array): void {
    const hosts = knownHostsName(address, port);
    const type = keyType(key);
    const text = `${hosts} ${type} ${Buffer.from(key).toString('base64')}\n`;
    this.#lines.push({ file: this.#writeTo, line: 0, marker: 'key', hosts, type, key: Buffer.from(key) });
    try {
      mkdirSync(dirname(this.#writeTo), { recursive: true, mode: 0o700 });
      const descriptor = openSync(this.#writeTo, 'a+', 0o600);
      try {
        writeSync(descriptor, endsInNewline(descriptor) ? text : `\n${text}`);
      } finally {
        closeSync(descriptor);
      }
    } catch (cause) {
      fail('refused', 'host key not recorded', { message: `the new host key of ${hosts} could not be written to ${this.#writeTo}: ${String(cause)}`, cause });
    }
  }

  #of(address: string, port: number): readonly KnownHostLine[] {
    const name = knownHostsName(address, port);
    return this.#lines.filter((line) => matchesHosts(line.hosts, name));
  }
}

function endsInNewline(descriptor: number): boolean {
  const { size } = fstatSync(descriptor);
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  readSync(descriptor, last, 0, 1, size - 1);
  return last[0] === 10;
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')) return '';
    fail('refused', 'known hosts unreadable', {
      message: `cannot read ${path}, and without it no host key can be trusted: ${String(cause)}`,
      hint: `make ${path} readable`,
      cause,
    });
  }
}
