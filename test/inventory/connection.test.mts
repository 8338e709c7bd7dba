import { join } from 'node:path';
import { expect } from 'chai';
import { isPrivateAddress } from '../../lib/inventory/connection.mts';
import type { Connection } from '../../lib/inventory/model.mts';
import { parseSshArguments } from '../../lib/inventory/ssh-arguments.mts';
import { hostName } from '../../lib/names.mts';
import { Secret, reveal } from '../../lib/secret.mts';
import { InventoryFiles, inventoryOf } from '../support/inventory-files.mts';
import type { InventoryOptions } from '../../lib/inventory/load.mts';

const connection = (variables: string, options: Partial<InventoryOptions> = {}): Connection =>
  inventoryOf(`all: {hosts: {es-01: {${variables}}}}`, options).hosts.get(hostName('es-01'))!.connection;

describe('how a host is reached', () => {
  it('by its name, as the user who runs this, with strict host keys', () => {
    expect(connection('')).to.deep.equal({ kind: 'ssh', address: 'es-01', port: 22, user: 'me', hostKeyChecking: 'strict' });
  });

  it('as Ansible is told', () => {
    expect(connection('ansible_host: "2001:db8::1", ansible_port: 2222, ansible_user: ops, ansible_become: yes, ansible_become_user: elastic')).to.deep.equal({
      kind: 'ssh',
      address: '2001:db8::1',
      port: 2222,
      user: 'ops',
      hostKeyChecking: 'strict',
      become: { user: 'elastic' },
    });
    expect(connection('ansible_connection: local, ansible_become: true')).to.deep.equal({ kind: 'local', become: { user: 'root' } });
  });

  it('by arguments of ssh that mean the same', () => {
    const args = connection(`ansible_ssh_common_args: '-J ops@bastion:2222 -o StrictHostKeyChecking=accept-new -o "UserKnownHostsFile /etc/kh"'`);
    expect(args).to.include({ jump: 'ops@bastion:2222', hostKeyChecking: 'accept-new', knownHostsFile: '/etc/kh' });
    expect(
      connection(
        `connection_jump: own, connection_host_key_checking: strict, ansible_ssh_common_args: '-oProxyJump=theirs -oStrictHostKeyChecking=accept-new'`,
      ),
    ).to.include({ jump: 'own', hostKeyChecking: 'strict' });
    for (const bad of [
      '-o ProxyCommand=x',
      '-A',
      '-J',
      '-o StrictHostKeyChecking=no',
      '-o UserKnownHostsFile=/dev/null',
      '-o "unclosed',
      '-F /x',
      'host',
      '-o IdentityFile=/x',
    ])
      expect(parseSshArguments(bad), bad).to.be.a('string');
    expect(parseSshArguments('')).to.deep.equal({});
  });

  it('paths are about the inventory, ~ is home, the command line about where it was typed', () => {
    using files = new InventoryFiles({
      'inventory/x.yaml': 'all: {hosts: {es-01: }}',
      'inventory/group_vars/all/login.yml': 'ansible_ssh_private_key_file: keys/id\nconnection_known_hosts_file: ~/kh\n',
    });
    const of = (options: Partial<InventoryOptions>): Connection =>
      files.load({ files: ['inventory/x.yaml'], ...options }).hosts.get(hostName('es-01'))!.connection;
    expect(of({})).to.include({ keyFile: join(files.directory, 'inventory/keys/id'), knownHostsFile: '/home/me/kh' });
    expect(of({ overrides: { privateKeyFile: '/tmp/k', user: 'root' } })).to.include({ keyFile: '/tmp/k', user: 'root' });
  });

  it('the password for sudo is a secret', () => {
    const inventory = connection('ansible_become: true, ansible_become_password: {secret: env:SUDO}', { environment: { SUDO: 'open-sesame' } });
    expect(reveal(inventory.become!.password!)).to.equal('open-sesame');
    expect(JSON.stringify(inventory)).not.to.contain('open-sesame');
    const typed = new Secret('typed-in', 'prompt');
    expect(
      connection('ansible_become: true, ansible_become_password: {secret: env:NOT_SET}', { overrides: { becomePassword: typed } }).become?.password,
    ).to.equal(typed);
  });
});

describe('the address that services bind', () => {
  const address = (variables: string): string | undefined => inventoryOf(`all: {hosts: {es-01: {${variables}}}}`).hosts.get(hostName('es-01'))!.privateAddress;
  it('is what is said, else a private ansible_host, else unknown', () => {
    expect(address('ansible_host: 8.8.8.8, private_address: 10.1.2.3')).to.equal('10.1.2.3');
    expect(address('ansible_host: 127.77.0.11')).to.equal('127.77.0.11');
    expect(address('ansible_host: 8.8.8.8')).to.equal(undefined);
    expect(address('ansible_host: es.example.org')).to.equal(undefined);
    expect(address('')).to.equal(undefined);
  });
  it('is told from a public one by the registries of private networks', () => {
    for (const text of ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '127.0.0.1', '100.64.0.1', 'fd00::1', '::1'])
      expect(isPrivateAddress(text), text).to.equal(true);
    for (const text of ['11.0.0.1', '172.32.0.1', '192.169.0.1', '100.128.0.1', '2001:db8::1', '0.0.0.0', 'localhost', '10.0.0'])
      expect(isPrivateAddress(text), text).to.equal(false);
  });
});
