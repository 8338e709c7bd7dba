import { userInfo } from 'node:os';
import { expect } from 'chai';
import { Program, said, SITE } from '../cli/program.mts';
import { startSshd, type Sshd } from '../transport/sshd.mts';
import { row } from './table.mts';

describe('faults of hosts and of the way to them', () => {
  let sshd: Sshd;
  before(async () => {
    sshd = await startSshd();
  });
  after(async () => {
    await sshd[Symbol.asyncDispose]();
  });

  row(
    21,
    { fault: 'a host that is down', done: 'one of two hosts has a port that nobody serves', expected: 'exit 3 within 10 s, the other host is looked at' },
    async () => {
      using program = new Program();
      const inventory = program.write(
        'inventory.yaml',
        `all:
  vars: {ansible_user: ${userInfo().username}, ansible_port: ${sshd.port.toString()}, ansible_ssh_private_key_file: ${sshd.keyFile}, connection_known_hosts_file: ${sshd.knownHosts}}
  children:
    es_masters:
      hosts:
        one: {ansible_host: ${sshd.address}}
        down: {ansible_host: ${sshd.address}, ansible_port: 9}
`,
      );
      const ended = await program.run(SITE, ['-i', inventory, '--role', 'os-limits', '--check']);
      const telling = ended.stdout.split('\n').find((line) => line.includes('down') && line.includes('unreachable'));
      expect(ended.code, said(ended)).to.equal(3);
      expect(ended.ms).to.be.below(10_000);
      expect(telling, said(ended)).to.be.a('string');
      return `exit ${String(ended.code)} after ${(ended.ms / 1000).toFixed(1)} s: ${telling ?? ''}`;
    },
  );
});
