/** A run that makes a host and then logs in to it, which a real machine does not allow at once. */
import { readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { startSshd, type Sshd } from '../transport/sshd.mts';
import { eventually } from '../transport/support.mts';
import { Program, ROOT, said } from './program.mts';

const CLOUD = join(ROOT, 'test/cli/playbooks/cloud.mts');

describe('command line: a host that the run itself makes', function () {
  this.timeout(60_000);
  let sshd: Sshd;
  let login: string;
  before(async () => {
    sshd = await startSshd();
    login = readFileSync(join(sshd.directory, 'authorized_keys'), 'utf8');
  });
  after(async () => {
    await sshd[Symbol.asyncDispose]();
  });

  const inventory = (program: Program): string =>
    program.write(
      'inventory.yaml',
      `all:
  vars:
    host_provider: cloud
    ansible_user: ${userInfo().username}
    ansible_port: ${sshd.port.toString()}
    ansible_ssh_private_key_file: ${sshd.keyFile}
    cloud_machine: ${program.path('machine')}
    cloud_address: ${sshd.address}
    cloud_host_key: ${sshd.hostKey}
    cloud_known_hosts: ${program.path('known_hosts')}
  hosts:
    one:
`,
    );

  it('is waited for until its account is there, visibly; its key is the one that its provider vouches for', async () => {
    using program = new Program();
    writeFileSync(join(sshd.directory, 'authorized_keys'), '');
    const { child, ended } = program.start(CLOUD, ['-i', inventory(program)]);
    let seen = '';
    child.stdout?.on('data', (bytes: Buffer) => (seen += bytes.toString('utf8')));
    await eventually('it waits', () => seen.includes('waiting for ssh'), 20_000);
    writeFileSync(join(sshd.directory, 'authorized_keys'), login);
    const made = await ended;
    expect(made.code, said(made)).to.equal(0);
    expect(made.stdout).to.match(/one +new, waiting for ssh: login refused\n/);
    expect(readFileSync(program.path('known_hosts'), 'utf8')).to.equal(`compute.1 ${sshd.hostKey}\n`);
  });

  it('is told at once when an old one refuses the login', async () => {
    using program = new Program();
    program.write('machine', '');
    writeFileSync(join(sshd.directory, 'authorized_keys'), '');
    const refused = await program.run(CLOUD, ['-i', inventory(program)]);
    expect(refused.code, said(refused)).to.equal(3);
    expect(refused.ms).to.be.below(8_000);
    expect(refused.stdout)
      .to.match(/login refused/)
      .and.not.match(/waiting for ssh/);
  });

  it('ends with 5 when the key under its name has changed', async () => {
    using program = new Program();
    writeFileSync(join(sshd.directory, 'authorized_keys'), login);
    const other = readFileSync(join(sshd.directory, 'user.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
    program.write('known_hosts', `compute.1 ${other}\n`);
    const refused = await program.run(CLOUD, ['-i', inventory(program)]);
    expect(refused.code, said(refused)).to.equal(5);
    expect(said(refused)).to.include('HOST KEY CHANGED');
  });
});
