/** Who logs in to an instance, and with which key. */
import { readFileSync } from 'node:fs';
import type { Host } from '../../lib/index.mts';

/** A line of the metadata `ssh-keys`. */
export interface LoginKey {
  readonly user: string;
  readonly type: string;
  readonly key: string;
}
export interface NoKey {
  readonly problem: string;
  readonly hint: string;
}

const PUBLIC_KEY = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) ([A-Za-z0-9+/]+=*)(?:\s.*)?$/;

/** The public key beside the private one that the inventory names for a host. */
export function loginKey({ name, connection }: Host): LoginKey | NoKey {
  if (connection.kind === 'local')
    return { problem: `${name} is reached by ansible_connection: local`, hint: 'instances are reached by ssh: leave ansible_connection out' };
  const { keyFile, user } = connection;
  if (keyFile === undefined)
    return {
      problem: `${name} has no ansible_ssh_private_key_file, whose public half would be put into the instance`,
      hint: 'set it, such as ~/.ssh/google_compute_engine, or use gcp_login: os-login',
    };
  const line = firstLine(`${keyFile}.pub`);
  if (line === undefined)
    return {
      problem: `${keyFile}.pub, the public key that would let ${user} in, is no file that can be read`,
      hint: `make the pair: ssh-keygen -t ed25519 -f ${keyFile}; or, where the private key is there: ssh-keygen -y -f ${keyFile} > ${keyFile}.pub`,
    };
  const [, type, key] = PUBLIC_KEY.exec(line) ?? [];
  if (type === undefined || key === undefined)
    return { problem: `${keyFile}.pub is no public key of ssh (ed25519, RSA or ECDSA)`, hint: `write it anew: ssh-keygen -y -f ${keyFile} > ${keyFile}.pub` };
  return { user, type, key };
}

function firstLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim().split('\n', 1)[0]?.trim();
  } catch {
    return undefined;
  }
}

/** `ssh-keys` with our key in it: lines of others are kept, an older line of the same key goes. */
export function withKey(sshKeys: string | undefined, { user, type, key }: LoginKey): string {
  const ours = `${user}:${type} ${key}`;
  const lines = (sshKeys ?? '').split('\n').filter((line) => line.trim() !== '');
  const isOurs = (line: string): boolean => line.trim() === ours || line.trim().startsWith(`${ours} `);
  if (lines.some(isOurs)) return sshKeys ?? '';
  return [...lines, `${ours} ${user}`].join('\n');
}
