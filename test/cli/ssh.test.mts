import { userInfo } from 'node:os';
import { expect } from 'chai';
import { startSshd, type Sshd } from '../transport/sshd.mts';
import { Program, said, SITE, type Ended } from './program.mts';

interface Host {
  readonly outcome: string;
  readonly roundTrips: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly error?: { readonly kind: string; readonly message: string };
}
const hostsIn = ({ stdout }: Ended): Readonly<Record<string, Host>> => (JSON.parse(stdout) as { readonly hosts: Readonly<Record<string, Host>> }).hosts;

describe('command line: a check over ssh', function () {
  this.timeout(30_000);
  let sshd: Sshd;
  before(async () => {
    sshd = await startSshd();
  });
  after(async () => {
    await sshd[Symbol.asyncDispose]();
  });

  const inventory = (program: Program, hosts: string, knownHosts = sshd.knownHosts): string =>
    program.write(
      'inventory.yaml',
      `all:
  vars:
    ansible_user: ${userInfo().username}
    ansible_port: ${sshd.port.toString()}
    ansible_ssh_private_key_file: ${sshd.keyFile}
    connection_known_hosts_file: ${knownHosts}
  children:
    es_masters:
      hosts:
${hosts}`,
    );
  const CHECK = ['--role', 'os-limits', '--check', '--json'];

  it('costs two round trips beside the connection, and less than 2 kB each way', async () => {
    using program = new Program();
    const ended = await program.run(SITE, ['-i', inventory(program, `        one: {ansible_host: ${sshd.address}}\n`), ...CHECK]);
    expect(ended.code, said(ended)).to.be.oneOf([0, 2]);
    const { one } = hostsIn(ended);
    expect(one?.roundTrips).to.equal(2);
    expect(one?.bytesSent).to.be.within(1, 2048);
    expect(one?.bytesReceived).to.be.within(1, 2048);
  });

  it('a host that is down ends with 3, soon, and the others are looked at', async () => {
    using program = new Program();
    const ended = await program.run(SITE, [
      '-i',
      inventory(program, `        one: {ansible_host: ${sshd.address}}\n        down: {ansible_host: ${sshd.address}, ansible_port: 9}\n`),
      ...CHECK,
    ]);
    expect(ended.code, said(ended)).to.equal(3);
    expect(ended.ms).to.be.below(10_000);
    expect(hostsIn(ended)['down']).to.include({ outcome: 'unreachable' });
    expect(hostsIn(ended)['one']?.roundTrips).to.equal(2);
  });

  it('an unknown host key ends with 5, its fingerprint, and one attempt', async () => {
    using program = new Program();
    const before = sshd
      .log()
      .split('\n')
      .filter((line) => line.startsWith('Connection from')).length;
    const ended = await program.run(SITE, [
      '-i',
      inventory(program, `        one: {ansible_host: ${sshd.address}}\n`, program.write('known_hosts', '')),
      ...CHECK,
    ]);
    expect(ended.code, said(ended)).to.equal(5);
    expect(hostsIn(ended)['one']?.error).to.include({ kind: 'refused' });
    expect(said(ended)).to.match(/ssh-ed25519 SHA256:/);
    const after = sshd
      .log()
      .split('\n')
      .filter((line) => line.startsWith('Connection from')).length;
    expect(after - before).to.equal(1);
  });
});
