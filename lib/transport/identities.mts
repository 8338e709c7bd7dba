/** What this program logs in with: the inventory's key, the agent's, the default identities. Encrypted keys are the agent's business. */
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { BaseAgent, ParsedKey } from 'ssh2';
import { fail } from '../errors.mts';
import type { SshConnection } from '../inventory/model.mts';
import { fingerprint } from './known-hosts.mts';

export interface KeyIdentity {
  readonly kind: 'key';
  readonly path: string;
  readonly key: ParsedKey;
}
/** `chosen` shows only some of the agent's keys, or some of them first. */
export type Identity = KeyIdentity | { readonly kind: 'agent'; readonly socket: string; readonly chosen?: BaseAgent };

const DEFAULTS = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

export class Identities {
  readonly #parsed = new Map<string, ParsedKey>();
  readonly #usable = new Map<string, Promise<readonly KeyIdentity[]>>();

  /**
   * In the order in which they are tried; rejects with `usage` when the key that the inventory names cannot be used. What ssh's configuration
   * names stands for the defaults and comes before the agent, which may hold more keys than a server lets one try.
   */
  async of(keyFile: string | undefined, config: Pick<SshConnection, 'identityFiles' | 'identitiesOnly'> = {}): Promise<readonly Identity[]> {
    const own: readonly KeyIdentity[] = keyFile === undefined ? [] : [{ kind: 'key', path: keyFile, key: await this.#load(keyFile) }];
    const files = config.identityFiles ?? DEFAULTS.map((name) => join(homedir(), '.ssh', name));
    const others = (await this.#usableOf(files)).filter((identity) => !own.some((first) => sameKey(first, identity)));
    const socket = process.env['SSH_AUTH_SOCK'];
    if (socket === undefined || socket === '') return [...own, ...others];
    if (config.identityFiles === undefined && config.identitiesOnly !== true) return [...own, { kind: 'agent', socket }, ...others];
    const tried = [...own, ...others].map(({ key }) => key.getPublicSSH());
    const chosen = await chosenAgent(socket, { named: await publicKeys(files), tried, only: config.identitiesOnly === true });
    return [...own, ...others, { kind: 'agent', socket, chosen }];
  }

  /** Whether a key that the inventory names is to all appearance a private key without a passphrase; rejects with `usage` where it is none. */
  async looksUsable(keyFile: string | undefined): Promise<boolean> {
    if (keyFile === undefined) return false;
    if (isPlainPrivateKey(readKey(keyFile))) return true;
    await this.#load(keyFile);
    return true;
  }

  async #load(path: string): Promise<ParsedKey> {
    const known = this.#parsed.get(path);
    if (known !== undefined) return known;
    const text = readKey(path);
    const { utils } = (await import('ssh2')).default;
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
    if (!parsed.isPrivateKey()) refusePublicKey(path);
    this.#parsed.set(path, parsed);
    return parsed;
  }

  #usableOf(files: readonly string[]): Promise<readonly KeyIdentity[]> {
    const name = files.join('\0');
    const known = this.#usable.get(name) ?? this.#loadUsable(files);
    this.#usable.set(name, known);
    return known;
  }

  async #loadUsable(files: readonly string[]): Promise<readonly KeyIdentity[]> {
    const found: KeyIdentity[] = [];
    for (const path of files) {
      // One that cannot be used is left out, as ssh does: nobody asked for it by name.
      const key = await this.#load(path).catch(() => undefined);
      if (key !== undefined) found.push({ kind: 'key', path, key });
    }
    return found;
  }
}

/** Public keys of identities whose private part may be the agent's alone: the file itself or its `.pub`. */
async function publicKeys(files: readonly string[]): Promise<readonly Buffer[]> {
  const { utils } = (await import('ssh2')).default;
  return files
    .flatMap((file) => [file, `${file}.pub`])
    .flatMap((file) => {
      try {
        const key = utils.parseKey(readFileSync(file));
        return key instanceof Error ? [] : [key.getPublicSSH()];
      } catch {
        return [];
      }
    });
}

interface Choice {
  readonly named: readonly Buffer[];
  readonly tried: readonly Buffer[];
  readonly only: boolean;
}

async function chosenAgent(socket: string, { named, tried, only }: Choice): Promise<BaseAgent> {
  const { OpenSSHAgent } = (await import('ssh2')).default;
  type Key = NonNullable<Parameters<Parameters<BaseAgent['getIdentities']>[0]>[1]>[number];
  const among = (key: Key, keys: readonly Buffer[]): boolean =>
    typeof key === 'object' && 'getPublicSSH' in key && keys.some((each) => each.equals(key.getPublicSSH()));
  return new (class extends OpenSSHAgent {
    override getIdentities(callback: Parameters<InstanceType<typeof OpenSSHAgent>['getIdentities']>[0]): void {
      super.getIdentities((error, keys = []) => {
        const left = keys.filter((key) => !among(key, tried));
        callback(error, [...left.filter((key) => among(key, named)), ...(only ? [] : left.filter((key) => !among(key, named)))]);
      });
    }
  })(socket);
}

const sameKey = (one: KeyIdentity, other: KeyIdentity): boolean => one.key.getPublicSSH().equals(other.key.getPublicSSH());

export const describe = (identity: Identity): string =>
  identity.kind === 'agent' ? `ssh-agent (${identity.socket})` : `${identity.path} (${fingerprint(identity.key.getPublicSSH())})`;

const hint = (text: string): { readonly hint: string } => ({ hint: text });

function refusePublicKey(path: string): never {
  fail('usage', 'public key', {
    message: `${path} is a public key; the private one is needed`,
    ...hint(path.endsWith('.pub') ? `the private key is usually ${path.replace(/\.pub$/, '')}` : 'name the file of its private key'),
  });
}

function readKey(path: string): Buffer {
  try {
    const text = readFileSync(path);
    const { mode, uid } = statSync(path);
    // Anybody may read it, so its mode is not what is wrong with it.
    if (/^(?:ssh-|ecdsa-|sk-)\S+ AAAA/.test(text.toString('latin1', 0, 100))) refusePublicKey(path);
    // As ssh does: a key of another owner is that owner's business.
    if (uid === process.getuid?.() && (mode & 0o077) !== 0) {
      fail('usage', 'private key unprotected', {
        message: `the private key ${path} is readable by others (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`,
        ...hint(`chmod 600 ${path}`),
      });
    }
    return text;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause)
      fail('usage', 'private key unreadable', {
        message: `the private key ${path} cannot be read: ${cause.message}`,
        ...hint('name an existing key with ansible_ssh_private_key_file or --private-key'),
        cause,
      });
    throw cause;
  }
}

/** A whole key of a kind that ssh2 knows, without a cipher, in OpenSSH's own format (PROTOCOL.key) or in RSA's: told without loading a parser. */
function isPlainPrivateKey(text: Buffer): boolean {
  const [, kind, body = ''] = /^-----BEGIN ((?:[A-Z]+ )?PRIVATE KEY)-----\s+([\s\S]*)-----END/m.exec(text.toString('latin1')) ?? [];
  if (kind === 'RSA PRIVATE KEY') return !body.includes('ENCRYPTED');
  if (kind !== 'OPENSSH PRIVATE KEY') return false;
  const bytes = Buffer.from(body, 'base64');
  let at = MAGIC.length;
  const next = (): Buffer => {
    const length = at + 4 <= bytes.length ? bytes.readUInt32BE(at) : 0;
    at += 4 + length;
    return bytes.subarray(at - length, at);
  };
  const [cipher] = [next().toString('latin1'), next(), next()];
  at += 4; // How many keys: always one.
  const [publicKey] = [next(), next()];
  const type = publicKey.toString('latin1', 4, 4 + (publicKey.length < 4 ? 0 : publicKey.readUInt32BE(0)));
  return bytes.toString('latin1', 0, MAGIC.length) === MAGIC && cipher === 'none' && TYPES.test(type) && at === bytes.length;
}

const MAGIC = 'openssh-key-v1\0';
const TYPES = /^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521))$/;
