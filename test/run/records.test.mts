/** What runs leave behind for those that come after them, on disks that are full, torn or somebody else's. */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { toRunError } from '../../lib/errors.mts';
import { hostName, resourceId, roleName } from '../../lib/names.mts';
import { Journal, Leftover } from '../../lib/run/journal.mts';
import { lockInventory } from '../../lib/run/lock.mts';
import { RunRecords, type RunRecord } from '../../lib/run/records.mts';
import type { LockHolder } from '../../lib/transport/session.mts';
import { failureOf, withDirectory } from '../transport/support.mts';

const INVENTORY = ['/work/hosts.yaml'];
/** On another machine: that it runs or not cannot be asked here. */
const holder = (run: string, more: Partial<LockHolder> = {}): LockHolder => ({
  run,
  user: 'ann',
  host: 'elsewhere',
  pid: 1,
  since: '2026-01-01T00:00:00Z',
  ...more,
});
const never = (reason: string): void => {
  throw new Error(reason);
};
const [one, two, role] = [hostName('one'), hostName('two'), roleName('java')];
const [first, second] = [resourceId('first'), resourceId('second')];

describe('the journal of a run', () => {
  it('remembers the step a host was at, and nothing of hosts that were done', () =>
    withDirectory(async (directory) => {
      {
        using journal = new Journal(directory, INVENTORY, holder('r1'), never);
        const left = await journal.intend(one, role, [first, second]);
        left.ended(first);
        (await journal.intend(two, role, [first])).over();
      }
      const { runs } = new Leftover(directory, INVENTORY, true);
      expect(runs).to.deep.equal([{ holder: holder('r1'), steps: [{ host: one, role, resource: second }] }]);
      expect(new Leftover(directory, ['/work/others.yaml'], true).runs).to.deep.equal([]);
    }));

  it('is gone with a run that left nothing half done', () =>
    withDirectory(async (directory) => {
      {
        using journal = new Journal(directory, INVENTORY, holder('r1'), never);
        (await journal.intend(one, role, [first])).over();
      }
      expect(readdirSync(directory)).to.deep.equal([]);
    }));

  it('that cannot be written is told once, and keeps no run from going on', () =>
    withDirectory(async (directory) => {
      const told: string[] = [];
      const file = join(directory, 'file');
      writeFileSync(file, '');
      {
        using journal = new Journal(file, INVENTORY, holder('r1'), (reason) => told.push(reason));
        const intent = await journal.intend(one, role, [first]);
        intent.ended(first);
        intent.over();
      }
      expect(told).to.have.length(1);
      expect(told[0]).to.match(/EEXIST|ENOTDIR/);
    }));

  it('forgets what is in order now, what nobody wants any more and what was on hosts that are gone', () =>
    withDirectory(async (directory) => {
      const three = hostName('three');
      {
        using journal = new Journal(directory, INVENTORY, holder('r1'), never);
        for (const host of [one, two, three]) await journal.intend(host, role, [first]);
      }
      const hosts = new Map([one, two].map((host) => [host, undefined]));
      const left = (): readonly string[] => new Leftover(directory, INVENTORY, true).runs.flatMap(({ steps }) => steps.map(({ host }) => host));
      const leftover = new Leftover(directory, INVENTORY, true);
      const verdict = { kind: 'resource.verdict', host: one, role, resource: first, verdict: { kind: 'converged' } } as const;
      expect(leftover.settle(verdict)).to.deep.equal({ host: one, role, resource: first });
      expect(leftover.settle(verdict), 'said once').to.equal(undefined);
      expect(leftover.settle({ ...verdict, host: two, verdict: { kind: 'unknown', because: second } })).to.equal(undefined);
      leftover.forget(false, hosts);
      expect(left()).to.have.members([two]);

      const later = new Leftover(directory, INVENTORY, true);
      later.settle({ kind: 'role.end', host: two, role, verdict: 'converged', ms: 0 });
      later.forget(false, hosts);
      expect(left(), 'of a run that did not end well').to.deep.equal([two]);
      later.forget(true, hosts);
      expect(left()).to.deep.equal([]);
      expect(readdirSync(directory)).to.deep.equal([]);
    }));

  it('of a run that goes on just now on this machine is none, unless this run is alone', () =>
    withDirectory(async (directory) => {
      const { hostname } = await import('node:os');
      {
        using journal = new Journal(directory, INVENTORY, holder('r1', { host: hostname(), pid: process.pid }), never);
        await journal.intend(one, role, [first]);
      }
      expect(new Leftover(directory, INVENTORY, false).runs).to.deep.equal([]);
      expect(new Leftover(directory, INVENTORY, true).runs).to.have.length(1);
    }));
});

describe('records of runs', () => {
  const record = (run: string, more: Partial<RunRecord> = {}): RunRecord => ({
    schema: '1',
    run,
    playbook: 'site.mts',
    inventory: [...INVENTORY],
    exitCode: 2,
    unfinished: ['one'],
    ...more,
  });

  it('are the newest of a playbook with these files; torn and foreign ones are none', () =>
    withDirectory((directory) => {
      const records = new RunRecords(join(directory, 'runs'));
      expect(records.last('site.mts', INVENTORY)).to.equal(undefined);
      records.write(record('2026-01'));
      records.write(record('2026-02', { exitCode: 0 }));
      records.write(record('2026-03', { playbook: 'drift.mts' }));
      records.write(record('2026-04', { inventory: ['/work/others.yaml'] }));
      writeFileSync(join(directory, 'runs', '2026-05.json'), '{"schema": "1", "ru');
      writeFileSync(join(directory, 'runs', '2026-06.json'), '{"schema": "1"}');
      writeFileSync(join(directory, 'runs', '2026-07.json'), '[]');
      expect(records.last('site.mts', INVENTORY)).to.deep.equal(record('2026-02', { exitCode: 0 }));
    }));

  it('of a newer program are refused, with what to do', () =>
    withDirectory((directory) => {
      const records = new RunRecords(directory);
      writeFileSync(join(directory, '2026-01.json'), '{"schema": "2", "hosts": []}');
      try {
        records.last('site.mts', INVENTORY);
      } catch (thrown) {
        expect(toRunError(thrown)).to.deep.include({ kind: 'usage', hint: 'use that version, or remove the file' });
        return;
      }
      throw new Error('it was read');
    }));

  it('are fifty at most', () =>
    withDirectory((directory) => {
      const records = new RunRecords(directory);
      for (let index = 100; index < 155; index++) records.write(record(`run-${String(index)}`));
      const names = readdirSync(directory).sort();
      expect([names.length, names[0], names.at(-1)]).to.deep.equal([50, 'run-105.json', 'run-154.json']);
    }));
});

describe('the lock of an inventory', () => {
  it('is held by one, and says by whom', () =>
    withDirectory(async (directory) => {
      {
        await using _lock = await lockInventory(directory, INVENTORY, holder('r1'));
        const error = await failureOf(lockInventory(directory, INVENTORY, holder('r2')), 'locked');
        expect(error.short).to.include('run r1 of ann@elsewhere, process 1, since 2026');
        for (const name of readdirSync(directory)) writeFileSync(join(directory, name), '');
        expect((await failureOf(lockInventory(directory, INVENTORY, holder('r2')), 'locked')).short).to.include('has not said its name yet');
        await using _other = await lockInventory(directory, ['/work/others.yaml'], holder('r2'));
      }
      await using _again = await lockInventory(directory, INVENTORY, holder('r3'));
      expect(
        readdirSync(directory)
          .map((name) => readFileSync(join(directory, name), 'utf8'))
          .join(''),
      ).to.include('"run":"r3"');
    }));

  it('that cannot be kept is refused, with what to do', () =>
    withDirectory(async (directory) => {
      writeFileSync(join(directory, 'file'), '');
      const error = await failureOf(lockInventory(join(directory, 'file', 'runs'), INVENTORY, holder('r1')), 'usage');
      expect(error.hint).to.include('RUNS_DIR');
      expect(existsSync(join(directory, 'file', 'runs'))).to.equal(false);
    }));
});
