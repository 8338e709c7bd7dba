import { expect } from 'chai';
import { z } from 'zod';
import type { RunFailure } from '../../lib/errors.mts';
import type { Host, Inventory, SshConnection } from '../../lib/inventory/model.mts';
import { hostName } from '../../lib/names.mts';
import type { AnyControllerRole, Location, Question } from '../../lib/plan/model.mts';
import { constant, controllerOutput, unavailable } from '../../lib/plan/questions.mts';
import { contract, defineControllerRole } from '../../lib/plan/role.mts';
import { Controller } from '../../lib/run/controller.mts';
import { Places } from '../../lib/run/places.mts';
import { fakeInventory } from '../support/fake-hosts.mts';
import { withDirectory } from '../transport/support.mts';

const ssh = (address: string, more: Partial<SshConnection> = {}): SshConnection => ({
  kind: 'ssh',
  address,
  port: 22,
  user: 'me',
  hostKeyChecking: 'strict',
  ...more,
});

interface Given {
  readonly connections: Readonly<Record<string, SshConnection>>;
  readonly locations: Readonly<Record<string, Location | undefined>>;
  /** Variables that the inventory sets. */
  readonly says?: readonly string[];
  readonly providers?: Readonly<Record<string, string>>;
  /** Made by this run. */
  readonly isNew?: readonly string[];
}

function places({ connections, locations, says = [], providers, isNew = [] }: Given): { readonly places: Places; readonly host: (name: string) => Host } {
  const names = Object.keys(connections);
  const plain = fakeInventory(Object.fromEntries(names.map((name) => [name, []])), providers ?? Object.fromEntries(names.map((name) => [name, 'cloud'])));
  const hosts = new Map([...plain.hosts].map(([name, host]) => [name, { ...host, connection: connections[name] ?? host.connection }]));
  const inventory: Inventory = {
    ...plain,
    hosts,
    explain: (_host, variable) => ({ variable, value: 'x', level: says.includes(variable) ? 'group' : 'role default' }),
  };
  const provider: AnyControllerRole = defineControllerRole({
    contract: contract('cloud', z.strictObject({})),
    summary: '',
    runs: 'controller',
    per: 'host',
    provides: 'cloud',
    resources: () => [],
    locates: ({ host }): Question<Location | undefined> => constant(locations[host.name]),
  });
  const controller = new Controller(new AbortController().signal);
  const contextOf = (role: AnyControllerRole, host: Host): Parameters<NonNullable<AnyControllerRole['locates']>>[0] => ({
    host,
    vars: host.vars(role.contract) as unknown,
    inventory,
    within: new Set(),
  });
  return {
    places: new Places({ inventory, providers: [provider], controller, contextOf, isNew: ({ name }) => isNew.includes(name) }),
    host: (name) => hosts.get(hostName(name)) ?? expect.fail(`no host ${name}`),
  };
}

const connectionOf = async (given: Given, name: string): Promise<SshConnection> => {
  const { places: all, host } = places(given);
  const { connection } = await all.placed(host(name));
  return connection.kind === 'ssh' ? connection : expect.fail('not by ssh');
};

describe('where hosts are', () => {
  it('is what their provider says, with the name of their keys', async () => {
    const found = await connectionOf(
      { connections: { a: ssh('a') }, locations: { a: { address: '34.64.0.1', user: 'sa_1', hostKeyAlias: 'compute.7', knownHostsFile: '/k' } } },
      'a',
    );
    expect(found).to.include({ address: '34.64.0.1', user: 'sa_1', hostKeyAlias: 'compute.7', knownHostsFile: '/k' });
  });

  it('is what the inventory says, where it does', async () => {
    const found = await connectionOf(
      {
        connections: { a: ssh('10.0.0.9', { knownHostsFile: '/own' }) },
        locations: { a: { address: '34.64.0.1', user: 'sa_1', knownHostsFile: '/k', proxyCommand: ['tunnel'] } },
        says: ['ansible_host', 'ansible_user'],
      },
      'a',
    );
    expect(found).to.include({ address: '10.0.0.9', user: 'me', knownHostsFile: '/own' });
    expect(found.proxyCommand).to.equal(undefined);
  });

  it('is asked of the jump host, too', async () => {
    const found = await connectionOf(
      {
        connections: { a: ssh('a', { jump: 'door' }), door: ssh('door') },
        locations: { a: { address: '10.0.0.9' }, door: { address: '34.64.0.2', hostKeyAlias: 'compute.8' } },
      },
      'a',
    );
    expect(found.address).to.equal('10.0.0.9');
    expect(found.bastion).to.include({ address: '34.64.0.2', hostKeyAlias: 'compute.8' });
  });

  it('is asked of every jump host on the way, whoever names it', async () => {
    const connections = { a: ssh('a', { jump: 'gate', bastion: ssh('gate', { jump: 'inner' }) }), inner: ssh('inner', { jump: 'door' }), door: ssh('door') };
    const found = await connectionOf(
      { connections, locations: { door: { address: '34.64.0.2' } }, providers: { a: 'other', inner: 'other', door: 'cloud' } },
      'a',
    );
    expect(found).to.deep.equal(
      ssh('a', { jump: 'gate', bastion: ssh('gate', { jump: 'inner', bastion: ssh('inner', { jump: 'door', bastion: ssh('34.64.0.2') }) }) }),
    );
  });

  it('is left alone for hosts that no provider makes', async () => {
    const given = { connections: { a: ssh('a') }, locations: { a: { address: '34.64.0.1' } }, providers: { a: 'other' } };
    expect((await connectionOf(given, 'a')).address).to.equal('a');
  });

  it('brings keys that somebody vouches for, asked only when they are needed', async () => {
    const keys = ['ssh-ed25519 AAAA'];
    const found = await connectionOf({ connections: { a: ssh('a') }, locations: { a: { address: '1.2.3.4', hostKeys: constant(keys) } } }, 'a');
    expect(await found.hostKeys?.()).to.deep.equal(keys);
  });

  it('of a host that was made or started just now allows for what it takes to settle', async () => {
    const connections = { a: ssh('a', { jump: 'door' }), door: ssh('door') };
    const address = '34.64.0.1';
    const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();
    const settling = async (startedAt: string | undefined, isNew: readonly string[] = []): Promise<readonly (number | undefined)[]> => {
      const location = { address, ...(startedAt === undefined ? {} : { startedAt }) };
      const { settlingMs, bastion } = await connectionOf({ connections, locations: { a: location, door: { address } }, isNew }, 'a');
      return [settlingMs, bastion?.settlingMs];
    };
    expect(await settling(undefined)).to.deep.equal([undefined, undefined]);
    expect(await settling(ago(1000), ['a'])).to.deep.equal([180_000, undefined]);
    expect(await settling(undefined, ['door'])).to.deep.equal([undefined, 180_000]);
    expect((await settling(ago(60)))[0]).to.be.within(110_000, 120_000);
    expect(await settling(ago(-3600)), 'a clock that is wrong').to.deep.equal([180_000, undefined]);
    expect(await settling(ago(181))).to.deep.equal([undefined, undefined]);
    expect(await settling('no time')).to.deep.equal([undefined, undefined]);
  });

  it('asks for keys anew, since they may have come', () =>
    withDirectory(async (directory) => {
      const count: Question<readonly string[]> = controllerOutput(['sh', '-c', `echo >>${directory}/asked; wc -l <${directory}/asked`]).map(({ stdout }) => [
        stdout.trim(),
      ]);
      const found = await connectionOf({ connections: { a: ssh('a') }, locations: { a: { address: '1.2.3.4', hostKeys: count } } }, 'a');
      expect(await found.hostKeys?.()).to.deep.equal(['1']);
      expect(await found.hostKeys?.()).to.deep.equal(['2']);
    }));

  it('is a failure for a host that does not exist, and for keys that cannot be had', async () => {
    const given: Given = { connections: { a: ssh('a') }, locations: { a: undefined } };
    const missing = await connectionOf(given, 'a').then(undefined, (error: unknown) => (error as RunFailure).error);
    expect(missing).to.include({ kind: 'unreachable', short: 'does not run' });
    const silent: Question<readonly string[]> = { ...constant([]), read: () => unavailable('the console is empty') };
    const found = await connectionOf({ connections: { a: ssh('a') }, locations: { a: { address: '1.2.3.4', hostKeys: silent } } }, 'a');
    const thrown = await found.hostKeys?.().then(undefined, (error: unknown) => error);
    expect(thrown).to.have.property('message').that.contains('the console is empty');
  });
});
