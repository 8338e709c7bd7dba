/** What the rows share: inventories of one line a host, and the line of an output that tells. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { said, type Ended } from '../cli/program.mts';
import { me } from '../transport/support.mts';
import { startSshd, type Sshd } from '../transport/sshd.mts';
import { CannotTry } from './table.mts';

/** Variables of a host behind a server of the tests, in YAML's flow style. */
export const at = (
  { address, port, keyFile, knownHosts }: Pick<Sshd, 'address' | 'port' | 'keyFile' | 'knownHosts'>,
  more: Readonly<Record<string, unknown>> = {},
): string =>
  JSON.stringify({
    ansible_host: address,
    ansible_port: port,
    ansible_user: me,
    ansible_ssh_private_key_file: keyFile,
    connection_known_hosts_file: knownHosts,
    ...more,
  });

/** An inventory of hosts by name, with their variables as `at` writes them. */
export const hostsOf = (hosts: Readonly<Record<string, string>>, group = 'ungrouped'): string =>
  `all:\n  children:\n    ${group}:\n      hosts:\n${Object.entries(hosts)
    .map(([name, vars]) => `        ${name}: ${vars}\n`)
    .join('')}`;

/** The first line of an output that matches; the row fails without one. */
export function lineOf(ended: Ended, pattern: RegExp): string {
  const line = said(ended)
    .split('\n')
    .find((one) => pattern.test(one));
  expect(line, `a line like ${String(pattern)} in:\n${said(ended)}`).to.be.a('string');
  return (line ?? '').trim();
}

/** What a run ended with, and the line that tells: what the table shows as seen. */
export const seen = (ended: Ended, pattern: RegExp): string => `exit ${String(ended.code)}: ${lineOf(ended, pattern)}`;

/** The same with its exit code asserted, and how long it took. */
export function ending(ended: Ended, code: number, pattern: RegExp): string {
  expect(ended.code, said(ended)).to.equal(code);
  return `exit ${String(ended.code)} after ${(ended.ms / 1000).toFixed(1)} s: ${lineOf(ended, pattern)}`;
}
export const WORK = join(import.meta.dirname, 'playbooks/work.mts');

/** A server whose every login finds / mounted read-only, but for /run: nothing of this machine can be changed through it. */
export function readOnly(): Promise<Sshd> {
  if (process.getuid?.() !== 0) throw new CannotTry('mounts of its own need root');
  const inside = 'mount --rbind / /mnt && mount -o remount,bind,ro /mnt && exec chroot /mnt /bin/sh -c "$SSH_ORIGINAL_COMMAND"';
  return startSshd((directory) => {
    writeFileSync(join(directory, 'login'), `#!/bin/sh\nexec unshare --mount sh -c '${inside}'\n`, { mode: 0o755 });
    return `ForceCommand ${join(directory, 'login')}`;
  }, true);
}
