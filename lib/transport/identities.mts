/** What this program logs in with: the inventory's key, the agent's, the default identities. Encrypted keys are the agent's business. */
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ParsedKey } from 'ssh2';
import { fail } from '../errors.mts';
import { fingerprint } from './known-hosts.mts';

export type Identity = { readonly kind: 'key'; readonly path: string; readonly key: ParsedKey } | { readonly kind: 'agent'; readonly socket: string };

const DEFAULTS = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

export class Identities {
  readonly #parsed = new Map<string, ParsedKey>();
  #defaults: readonly Identity[] | undefined;

  /** In the order in which they are tried; rejects with `usage` when the key that the inventory names cannot be used. */
  async of(keyFile: string | undefined): Promise<readonly Identity[]> {
    const own: readonly Identity[] = keyFile === undefined ? [] : [{ kind: 'key', path: keyFile, key: await this.#load(keyFile) }];
    const socket = process.env['SSH_AUTH_SOCK'];
    const agent: readonly Identity[] = socket === undefined || socket === '' ? [] : [{ kind: 'agent', socket }];
    const others = (await this.#usableDefaults()).filter((identity) => !own.some((first) => sameKey(first, identity)));
    return [...own, ...agent, ...others];
  }

  async #load(path: string): Promise<ParsedKey> {
    const known = this.#parsed.get(path);
    if (known !== undefined) return known;
    const { utils } = (await import('ssh2')).default;
    const hint = (text: string): { hint: string } => ({ hint: text });
    let text: Buffer;
    try {
      const { mode, uid } = statSync(path);
      // As ssh does: a key of another owner is that owner's business.
      if (uid === process.getuid?.() && (mode & 0o077) !== 0) {
        fail('usage', 'private key unprotected', {
          message: `the private key ${path} is readable by others (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`,
          ...hint(`chmod 600 ${path}`),
        });
      }
      text = readFileSync(path);
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause)
        fail('usage', 'private key unreadable', {
          message: `the private key ${path} cannot be read: ${cause.message}`,
          ...hint('name an existing key with ansible_ssh_private_key_file or --private-key'),
          cause,
        });
      throw cause;
    }
    const parsed = utils.parseKey(text);
    if (parsed instanceof Error) {
      if (/passphrase|encrypted/i.test(parsed.message))
        fail('usage', 'private key encrypted', {
          message: `the private key ${path} is encrypted`,
          ...hint(`load it into ssh-agent (ssh-add ${path}) and leave ansible_ssh_private_key_file out`),
        });
      fail('usage', 'not a private key', {
        message: `${path} is no private key that can be used here: ${parsed.message}`,
        ...hint('make one with: ssh-keygen -t ed25519'),
      });
    }
    if (!parsed.isPrivateKey())
      fail('usage', 'public key', {
        message: `${path} is a public key; the private one is needed`,
        ...hint(`the private key is usually ${path.replace(/\.pub$/, '')}`),
      });
    this.#parsed.set(path, parsed);
    return parsed;
  }

  async #usableDefaults(): Promise<readonly Identity[]> {
    if (this.#defaults !== undefined) return this.#defaults;
    const found: Identity[] = [];
    for (const name of DEFAULTS) {
      const path = join(homedir(), '.ssh', name);
      // One that cannot be used is left out, as ssh does: nobody asked for it by name.
      const key = await this.#load(path).catch(() => undefined);
      if (key !== undefined) found.push({ kind: 'key', path, key });
    }
    return (this.#defaults = found);
  }
}

const sameKey = (one: Identity, other: Identity): boolean =>
  one.kind === 'key' && other.kind === 'key' && one.key.getPublicSSH().equals(other.key.getPublicSSH());

export const describe = (identity: Identity): string =>
  identity.kind === 'agent' ? `ssh-agent (${identity.socket})` : `${identity.path} (${fingerprint(identity.key.getPublicSSH())})`;
