import { expect } from 'chai';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { RunFailure } from '../../lib/errors.mts';
import { hostName, type HostName } from '../../lib/names.mts';
import type { AnyControllerRole, AnyRole, Check, Question, Refusal, Resource } from '../../lib/plan/model.mts';
import { constant, controllerOutput } from '../../lib/plan/questions.mts';
import { contract, defineControllerRole, defineRole } from '../../lib/plan/role.mts';
import type { Mode, Reporter, RunEvent } from '../../lib/report/events.mts';
import { exitCodeFor, newRunState, type RunState } from '../../lib/report/index.mts';
import { Controller } from '../../lib/run/controller.mts';
import { Emitter } from '../../lib/run/emitter.mts';
import { execute } from '../../lib/run/engine.mts';
import { controllerCommand } from '../../lib/resources/command.mts';
import { change } from '../../lib/resources/resource.mts';
import { fakeInventory, FakeTransport, newHost, setting, want, type FakeHost } from '../support/fake-hosts.mts';

interface Outcome {
  readonly state: RunState;
  readonly exitCode: number;
  readonly events: readonly RunEvent[];
  readonly notAttempted: readonly HostName[];
  readonly cut: readonly HostName[];
}

interface Given {
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly hosts: Readonly<Record<string, FakeHost>>;
  readonly stages: readonly { readonly hosts: string; readonly roles: readonly AnyRole[] }[];
  readonly providers?: Readonly<Record<string, string>>;
  readonly roles?: readonly string[];
  readonly mode?: Mode;
  readonly limit?: readonly string[];
  readonly noRestart?: boolean;
  readonly yes?: boolean;
  readonly serial?: number;
  readonly forks?: number;
  readonly maxFailures?: number;
  readonly stopping?: () => boolean;
  readonly signal?: AbortSignal;
}

async function play(given: Given): Promise<Outcome> {
  const events: RunEvent[] = [];
  const reporter: Reporter = {
    accept: (event) => events.push(event),
    close: () => Promise.resolve(),
  };
  const state = newRunState();
  const { emit } = new Emitter(reporter, state);
  const inventory = fakeInventory(given.groups, given.providers);
  const within = new Set((given.limit ?? Object.keys(given.groups)).map(hostName));
  const mode = given.mode ?? 'apply';
  const { signal } = given.signal === undefined ? new AbortController() : { signal: given.signal };
  emit({ kind: 'run.start', run: 'test', playbook: 'test', mode, inventory: inventory.files, hosts: [...within], roles: [] });
  const left = await execute({
    playbook: { name: 'test', summary: '', stages: given.stages, catalogue: [] },
    inventory,
    mode,
    within,
    roles: given.roles === undefined ? undefined : new Set(given.roles),
    holder: { run: 'test', user: 'me', host: 'here', pid: 1, since: '' },
    transport: new FakeTransport(given.hosts),
    controller: new Controller(signal),
    emit,
    signal,
    stopping: given.stopping ?? (() => false),
    forks: given.forks ?? 8,
    maxFailures: given.maxFailures ?? Number.POSITIVE_INFINITY,
    noRestart: given.noRestart ?? false,
    yes: given.yes ?? false,
    ...(given.serial === undefined ? {} : { serial: given.serial }),
  });
  return { state, exitCode: exitCodeFor(state), events, ...left };
}

const variables = z.strictObject({});
const role = (name: string, resources: Parameters<typeof defineRole>[0]['resources'], more: Partial<Parameters<typeof defineRole>[0]> = {}): AnyRole =>
  defineRole({ contract: contract(name, variables), summary: name, runs: 'host', per: 'host', resources, ...more });

const check = (
  id: string,
  ask: Question<string | undefined>,
  passes: (now: string | undefined, first: string | undefined) => boolean,
): Check<string | undefined> => ({
  id,
  ask,
  judge: (now, first) =>
    passes(now, first) ? { kind: 'pass', found: now ?? 'nothing' } : { kind: 'fail', expected: 'otherwise', found: now ?? 'nothing', hint: 'look at it' },
  retry: { everyMs: 5, deadlineMs: 100 },
});

const changesOf = (events: readonly RunEvent[], kind: 'changed' | 'pending'): readonly string[] =>
  events.flatMap((event) => (event.kind === 'resource.verdict' && event.verdict.kind === kind ? [`${event.host} ${event.resource}`] : []));
const writes = (host: FakeHost): readonly string[] => host.log.filter((line) => line.startsWith('set '));

describe('engine', () => {
  describe('one host', () => {
    const color = role('color', () => [want('color', 'blue'), want('size', 'big')]);

    it('asks everything of all roles in one frame and writes nothing when nothing differs', async () => {
      const es = newHost({ color: 'blue', size: 'big', shape: 'round' });
      const shape = role('shape', () => [want('shape', 'round')], { verify: () => [check('is-round', setting('shape'), (now) => now === 'round')] });
      const { exitCode, events } = await play({
        groups: { es: [] },
        hosts: { es },
        stages: [
          { hosts: 'all', roles: [color] },
          { hosts: 'all', roles: [shape] },
        ],
      });
      expect(exitCode).to.equal(0);
      expect(es.log).to.deep.equal(['open', 'ask 3', 'close']);
      expect(changesOf(events, 'changed')).to.deep.equal([]);
      expect(events.some((event) => event.kind === 'check.result' && event.outcome.kind === 'pass')).to.equal(true);
    });

    it('applies what differs, in one frame, and asks again', async () => {
      const es = newHost({ color: 'red' });
      const { exitCode, events } = await play({ groups: { es: [] }, hosts: { es }, stages: [{ hosts: 'all', roles: [color] }] });
      expect(exitCode).to.equal(0);
      expect(es.log).to.deep.equal(['open', 'ask 2', 'set color blue', 'set size big', 'close']);
      expect(changesOf(events, 'changed')).to.deep.equal(['es color', 'es size']);
    });

    it('lists in check mode exactly what a run then changes, and writes nothing', async () => {
      const es = newHost({ color: 'red', size: 'big' });
      const given = { groups: { es: [] }, hosts: { es }, stages: [{ hosts: 'all', roles: [color] }] };
      const checked = await play({ ...given, mode: 'check' });
      expect(checked.exitCode).to.equal(2);
      expect(writes(es)).to.deep.equal([]);
      const applied = await play(given);
      expect(changesOf(applied.events, 'changed')).to.deep.equal(changesOf(checked.events, 'pending'));
      expect((await play({ ...given, mode: 'check' })).exitCode).to.equal(0);
    });

    it('fails when the host does not keep what was written', async () => {
      const es = newHost();
      es.forgets = 'color';
      const { exitCode, events } = await play({ groups: { es: [] }, hosts: { es }, stages: [{ hosts: 'all', roles: [color] }] });
      expect(exitCode).to.equal(1);
      const failed = events.find((event) => event.kind === 'role.failed');
      expect(failed?.kind === 'role.failed' && failed.error.kind).to.equal('not-converged');
    });

    it('stops at a failing step, keeps its last lines, and leaves later roles alone', async () => {
      const es = newHost();
      es.breaksOn = 'color';
      const later = role('later', () => [want('later', 'yes')]);
      const { exitCode, events } = await play({ groups: { es: [] }, hosts: { es }, stages: [{ hosts: 'all', roles: [color, later] }] });
      expect(exitCode).to.equal(1);
      expect(writes(es)).to.deep.equal(['set color blue']);
      const failed = events.find((event) => event.kind === 'role.failed');
      expect(failed?.kind === 'role.failed' && [failed.error.short, failed.tail]).to.deep.equal(['color: exit code 7', 'cannot set color']);
    });

    it('takes what cannot be read for unknown, never for absent', async () => {
      const es = newHost({ color: '<unreadable>', size: 'big' });
      for (const mode of ['check', 'apply', 'drift'] as const) {
        const { exitCode } = await play({ groups: { es: [] }, hosts: { es }, stages: [{ hosts: 'all', roles: [color] }], mode });
        expect(exitCode, mode).to.equal(3);
      }
      expect(writes(es)).to.deep.equal([]);
    });

    it('knows a resource only when what it needs is converged', async () => {
      const es = newHost();
      const chain = role('chain', () => [want('first', '1'), want('second', '2', { needs: ['first'] })]);
      const given = { groups: { es: [] }, hosts: { es }, stages: [{ hosts: 'all', roles: [chain] }] };
      const checked = await play({ ...given, mode: 'check' });
      const unknown = checked.events.find((event) => event.kind === 'resource.verdict' && event.verdict.kind === 'unknown');
      expect(unknown?.kind === 'resource.verdict' && unknown.verdict).to.deep.equal({ kind: 'unknown', because: 'first' });
      expect(checked.exitCode).to.equal(2);
      expect((await play(given)).exitCode).to.equal(0);
      expect(writes(es)).to.deep.equal(['set first 1', 'set second 2']);
    });

    it('gives up on what never stops changing', async () => {
      const es = newHost({ n: '0' });
      let round = 0;
      const restless = role('restless', () => [want('n', (round += 1).toString())]);
      const { exitCode } = await play({ groups: { es: [] }, hosts: { es }, stages: [{ hosts: 'all', roles: [restless] }] });
      expect(exitCode).to.equal(1);
      expect(writes(es).length).to.be.lessThan(10);
    });

    it('asks nothing of a host that refused the login, or whose key was refused', async () => {
      for (const kind of ['auth', 'refused', 'unreachable'] as const) {
        const es = newHost();
        es.refuse = new RunFailure({ kind, short: kind, message: kind });
        for (const mode of ['check', 'drift', 'verify', 'apply'] as const) {
          const { exitCode } = await play({ groups: { es: [] }, hosts: { es }, stages: [{ hosts: 'all', roles: [color] }], mode });
          expect(exitCode, `${kind} ${mode}`).to.equal(kind === 'refused' ? 5 : 3);
        }
      }
    });

    it('looks at later roles too when a verification failed', async () => {
      const es = newHost({ color: 'red' });
      const broken = role('broken', () => [], { verify: () => [check('works', setting('works'), () => false)] });
      const { exitCode, events } = await play({ groups: { es: [] }, hosts: { es }, stages: [{ hosts: 'all', roles: [broken, color] }], mode: 'drift' });
      expect(exitCode).to.equal(1);
      expect(changesOf(events, 'pending')).to.deep.equal(['es color', 'es size']);
    });

    it('refuses for a later role before an earlier one writes anything', async () => {
      const es = newHost({});
      const careful = role('careful', () => [], { refuses: () => [{ kind: 'refused', reason: 'not today', hint: 'tomorrow' }] });
      const { exitCode } = await play({ groups: { es: [] }, hosts: { es }, stages: [{ hosts: 'all', roles: [color, careful] }] });
      expect(exitCode).to.equal(5);
      expect(writes(es)).to.deep.equal([]);
    });

    it('refuses before it writes anything', async () => {
      const es = newHost();
      const careful = role('careful', () => [want('x', '1')], { refuses: () => [{ kind: 'refused', reason: 'not today', hint: 'tomorrow' }] });
      for (const mode of ['apply', 'check'] as const) {
        expect((await play({ groups: { es: [] }, hosts: { es }, stages: [{ hosts: 'all', roles: [careful] }], mode })).exitCode, mode).to.equal(5);
      }
      expect(writes(es)).to.deep.equal([]);
    });

    it('refuses for what the host itself says, which costs no round trip of its own', async () => {
      const stranger = setting('stranger').map((now): readonly Refusal[] =>
        now === undefined ? [] : [{ kind: 'refused', reason: `${now} is here`, hint: 'go' }],
      );
      const careful = role('careful', () => [want('x', '1')], { objects: () => stranger });
      const es = newHost({ stranger: 'somebody' });
      for (const mode of ['apply', 'check'] as const)
        expect((await play({ groups: { es: [] }, hosts: { es }, stages: [{ hosts: 'all', roles: [color, careful] }], mode })).exitCode, mode).to.equal(5);
      expect(writes(es)).to.deep.equal([]);
      const empty = newHost({ x: '1' });
      expect((await play({ groups: { es: [] }, hosts: { es: empty }, stages: [{ hosts: 'all', roles: [careful] }] })).exitCode).to.equal(0);
      expect(empty.log).to.deep.equal(['open', 'ask 2', 'close']);
    });

    it('changes a version only with a yes', async () => {
      const es = newHost({ version: '1' });
      const versioned = role('versioned', () => [want('version', '2', { consent: 'another version' })]);
      const given = { groups: { es: [] }, hosts: { es }, stages: [{ hosts: 'all', roles: [versioned] }] };
      expect((await play({ ...given, mode: 'check' })).exitCode).to.equal(2);
      expect((await play(given)).exitCode).to.equal(5);
      expect(writes(es)).to.deep.equal([]);
      expect((await play({ ...given, yes: true })).exitCode).to.equal(0);
      expect(writes(es)).to.deep.equal(['set version 2']);
    });

    it('shows what it will not change, and changes nothing else of that host then', async () => {
      const es = newHost({ zone: 'a' });
      const refused = { reason: 'nothing moves to another zone', hint: 'make it anew' };
      const placed = role('placed', () => [want('color', 'blue'), want('zone', 'b', { refused })]);
      const given = { groups: { es: [] }, hosts: { es }, stages: [{ hosts: 'all', roles: [placed] }], yes: true };
      expect((await play({ ...given, mode: 'check' })).exitCode).to.equal(2);
      const { exitCode, events } = await play(given);
      expect(exitCode).to.equal(5);
      const failed = events.find((event) => event.kind === 'role.failed');
      expect(failed?.kind === 'role.failed' && failed.error).to.deep.include({ short: refused.reason, hint: refused.hint });
      expect(writes(es)).to.deep.equal([]);
    });

    it('asks for fresh answers in a second login, with the first still open', async () => {
      const es = newHost();
      const limits = role('limits', () => [want('file', '1')], {
        verify: () => [check('effective', freshSetting('effective'), (now) => now === 'yes')],
      });
      es.onSet = () => es.settings.set('effective', 'yes');
      const { exitCode } = await play({ groups: { es: [] }, hosts: { es }, stages: [{ hosts: 'all', roles: [limits] }] });
      expect(exitCode).to.equal(0);
      expect(es.log).to.deep.equal(['open', 'ask 2', 'set file 1', 'open', 'ask 1', 'close', 'close']);
    });
  });

  describe('a session that is lost', () => {
    const groups = { one: ['all'] };
    const [a, b] = [role('a', () => [want('x', '1'), want('y', '1')]), role('b', () => [want('z', '1')])];
    const stages = [{ hosts: 'all', roles: [a, b] }];
    const notices = (events: readonly RunEvent[]): readonly string[] => events.flatMap((event) => (event.kind === 'notice' ? [event.text] : []));
    const lost = (more: Partial<FakeHost>): FakeHost => Object.assign(newHost({ x: '0' }), more);

    for (const [when, writes] of [
      ['before', ['set x 1', 'set y 1', 'set z 1']],
      ['after', ['set x 1', 'set y 1', 'set z 1']],
    ] as const)
      it(`${when} a step is opened again, and what is there then decides whether the step is done once more`, async () => {
        const one = lost({ cutOn: { key: 'y', when, times: 1 } });
        const { exitCode, events } = await play({ groups, hosts: { one }, stages });
        expect(exitCode).to.equal(0);
        expect(one.log.filter((line) => line.startsWith('set'))).to.deep.equal(writes);
        expect(
          one.log.filter((line) => line === 'open' || line === 'close'),
          'the first is left before the second',
        ).to.deep.equal(['open', 'close', 'open', 'close']);
        expect(changesOf(events, 'changed')).to.deep.equal(['one x', 'one y', 'one z']);
        expect(notices(events)).to.deep.equal([
          'lost; it is opened again, and what was under way is asked',
          'one: the session is back, and what was under way is asked again',
        ]);
      });

    it('is not waited on for what its step was to start, before that is done', async () => {
      const one = lost({ cutOn: { key: 'x', when: 'before', times: 1 } });
      const started = role('started', () => [want('x', '1')], { ready: () => [check('up', setting('x'), (value) => value === '1')] });
      const { exitCode, events } = await play({ groups, hosts: { one }, stages: [{ hosts: 'all', roles: [started] }] });
      expect(exitCode).to.equal(0);
      expect(events.filter(({ kind }) => kind === 'waiting')).to.deep.equal([]);
    });

    it('a second time ends the host, and a step whose end nobody saw is not done', async () => {
      const one = lost({ cutOn: { key: 'y', when: 'after', times: 2 }, forgets: 'y' });
      const { exitCode, events } = await play({ groups, hosts: { one }, stages });
      expect(exitCode).to.equal(3);
      expect(changesOf(events, 'changed')).to.deep.equal(['one x']);
      expect(one.settings.get('z')).to.equal(undefined);
    });

    it('under a question is asked the same again', async () => {
      const one = lost({ losesOn: 'x', losses: 1 });
      const { exitCode } = await play({ groups, hosts: { one }, stages, mode: 'check' });
      expect(exitCode).to.equal(2);
      expect(one.log).to.deep.equal(['open', 'ask 3', 'close', 'open', 'ask 3', 'close']);
    });

    it('to a host that has started anew: what it said before counts no more', async () => {
      const one = lost({
        losesOn: 'z',
        losses: 1,
        facts: { bootId: 'first' },
        onReopen: () => {
          one.facts = { bootId: 'second' };
          one.settings.set('x', '0');
        },
      });
      one.settings.set('x', '1').set('y', '1').set('z', '1');
      const later = role('later', () => [want('z', '1')], { rollout: { serial: 1, gate: () => [] } });
      const { exitCode, events } = await play({ groups, hosts: { one }, stages: [{ hosts: 'all', roles: [a, later] }], mode: 'check' });
      expect(exitCode).to.equal(2);
      expect(changesOf(events, 'pending')).to.deep.equal(['one x']);
      expect(notices(events).at(-1)).to.equal('one: it has started anew meanwhile, and everything is asked again');
    });

    it('and cannot be had again says both; a refusal keeps its own exit code', async () => {
      for (const [kind, code] of [
        ['unreachable', 3],
        ['auth', 3],
        ['refused', 5],
        ['locked', 6],
      ] as const) {
        const one = lost({ cutOn: { key: 'x', when: 'after', times: 1 } });
        one.onReopen = () => undefined;
        const refusal = new RunFailure({ kind, short: 'no', message: 'no way back' });
        one.onSet = () => (one.refuse = refusal);
        const { exitCode, events } = await play({ groups, hosts: { one }, stages });
        expect(exitCode, kind).to.equal(code);
        const failed = events.find((event) => event.kind === 'role.failed');
        expect(failed?.kind === 'role.failed' && failed.error.message).to.equal('lost\nand it could not be opened again: no way back');
      }
    });

    it('is not opened again in a run that is being stopped', async () => {
      let stopping = false;
      const one = lost({ cutOn: { key: 'x', when: 'after', times: 1 }, onSet: () => (stopping = true) });
      await play({ groups, hosts: { one }, stages, stopping: () => stopping });
      expect(one.log.filter((line) => line === 'open')).to.have.length(1);
    });
  });

  describe('what was asked before a change', () => {
    /** `asker` looks at `color` in the first stage and in the last; what `painter` changes in between shows there. */
    const stagesFor = (seen: (string | undefined)[]): Given['stages'] => [
      { hosts: 'asker', roles: [role('early', () => [want('ready', 'yes')])] },
      { hosts: 'painter', roles: [role('paints', () => [want('paint', 'blue')])] },
      {
        hosts: 'asker',
        roles: [
          role('late', () => [], {
            verify: () => [
              check('color', setting('color'), (now) => {
                seen.push(now);
                return true;
              }),
            ],
          }),
        ],
      },
    ];

    it('elsewhere is asked again in the next stage, and only then', async () => {
      const [asker, painter] = [newHost({ ready: 'yes' }), newHost()];
      painter.onSet = () => asker.settings.set('color', 'blue');
      const given = { groups: { asker: [], painter: [] }, hosts: { asker, painter } };
      const seen: (string | undefined)[] = [];
      expect((await play({ ...given, stages: stagesFor(seen) })).exitCode).to.equal(0);
      expect(seen).to.deep.equal(['blue']);
      expect(asker.log).to.deep.equal(['open', 'ask 2', 'ask 1', 'close']);
      asker.log.length = 0;
      expect((await play({ ...given, stages: stagesFor(seen) })).exitCode).to.equal(0);
      expect(asker.log, 'nothing was changed').to.deep.equal(['open', 'ask 2', 'close']);
    });

    it('on the host itself is asked again with that change', async () => {
      const [asker, painter] = [newHost(), newHost({ paint: 'blue' })];
      asker.onSet = () => asker.settings.set('color', 'green');
      const seen: (string | undefined)[] = [];
      const { exitCode } = await play({ groups: { asker: [], painter: [] }, hosts: { asker, painter }, stages: stagesFor(seen) });
      expect(exitCode).to.equal(0);
      expect(seen).to.deep.equal(['green']);
      expect(asker.log).to.deep.equal(['open', 'ask 2', 'set ready yes', 'close']);
    });
  });

  it('opens the peers of every role of a host before it asks it for the first time', async () => {
    const [a, b] = [newHost({ color: 'blue', size: 'big' }), newHost({ color: 'red' })];
    const found: unknown[] = [];
    const early = role('early', () => [want('color', 'blue')]);
    const late = role('late', ({ peers }) => {
      found.push(peers.get(hostName('b')));
      return [want('size', 'big')];
    }, { peers: { group: 'others', ask: () => setting('color') } }); // prettier-ignore
    const stages = [
      { hosts: 'a', roles: [early] },
      { hosts: 'a', roles: [late] },
    ];
    await play({ groups: { a: [], b: ['others'] }, hosts: { a, b }, stages, limit: ['a'], mode: 'check' });
    expect(found.length).to.be.above(0);
    for (const answer of found) expect(answer).to.deep.equal({ kind: 'known', value: 'red' });
    expect(a.log).to.deep.equal(['open', 'ask 2', 'close']);
  });

  describe('a role that looks ahead', () => {
    const upcoming: string[] = [];
    const ahead = role('ahead', () => [], {
      looksAhead: true,
      objects: (context) => {
        upcoming.push(
          `${context.host.name}: ${context
            .upcoming()
            .map(({ id }) => id)
            .join(' ')}`,
        );
        return setting('way-out').map((now): readonly Refusal[] => (now === 'yes' ? [] : [{ kind: 'refused', reason: 'no way out', hint: 'make one' }]));
      },
    });
    const works = role('works', () => [want('color', 'blue')]);
    const unready = role('unready', () => {
      throw new RunFailure({ kind: 'usage', short: 'not yet', message: 'not yet' });
    });
    const later = role('later', () => [want('size', 'big')]);
    const observing = role('observing', () => [], { manages: () => false });

    beforeEach(() => {
      upcoming.length = 0;
    });

    it('sees what the roles after it want, as far as they can say it, and keeps them from beginning', async () => {
      const [a, b] = [newHost(), newHost({ 'way-out': 'yes' })];
      const { exitCode } = await play({
        groups: { a: [], b: [] },
        hosts: { a, b },
        stages: [
          { hosts: 'all', roles: [ahead] },
          { hosts: 'all', roles: [works] },
          { hosts: 'all', roles: [later] },
        ],
      });
      expect(exitCode).to.equal(5);
      expect(new Set(upcoming)).to.deep.equal(new Set(['a: color size', 'b: color size']));
      expect(writes(a)).to.deep.equal([]);
      expect(writes(b)).to.deep.equal(['set color blue', 'set size big']);
      const stuck = await play({ groups: { b: [] }, hosts: { b: newHost({ 'way-out': 'yes' }) }, stages: [{ hosts: 'all', roles: [ahead, unready] }] });
      expect(stuck.exitCode).to.equal(4);
      expect(upcoming).to.include('b: ');
    });

    it('has nothing to do with hosts that are only observed, or that no other role works on', async () => {
      const [seen, bare] = [newHost(), newHost()];
      const { exitCode, notAttempted, cut, events } = await play({
        groups: { seen: [], bare: [] },
        hosts: { seen, bare },
        stages: [
          { hosts: 'all', roles: [ahead] },
          { hosts: 'seen', roles: [observing] },
        ],
      });
      expect(exitCode).to.equal(0);
      expect(upcoming).to.deep.equal([]);
      expect(bare.log).to.deep.equal([]);
      expect([notAttempted, cut]).to.deep.equal([[], []]);
      expect(events.flatMap((event) => (event.kind === 'stage.start' ? [event.hosts] : []))).to.deep.equal([['seen']]);
      const gone = newHost();
      gone.refuse = new RunFailure({ kind: 'unreachable', short: 'away', message: 'away' });
      const stages = [
        { hosts: 'all', roles: [ahead] },
        { hosts: 'all', roles: [observing] },
      ];
      expect((await play({ groups: { gone: [] }, hosts: { gone }, stages })).exitCode, 'an observed host may be away').to.equal(0);
    });
  });

  describe('a host that is observed only', () => {
    const observing = role('observing', () => [], {
      manages: () => false,
      verify: () => [check('is-blue', setting('color'), (now) => now === 'blue')],
    });
    const other = role('other', () => [want('color', 'green')]);
    const given = (host: FakeHost): Given => ({ groups: { es: [] }, hosts: { es: host }, stages: [{ hosts: 'all', roles: [other, observing] }] });

    it('is left alone by the other roles of the stage, and judged', async () => {
      const es = newHost({ color: 'blue' });
      const { exitCode, events } = await play(given(es));
      expect(exitCode).to.equal(0);
      expect(writes(es)).to.deep.equal([]);
      expect(events.some((event) => event.kind === 'check.result' && event.outcome.kind === 'pass')).to.equal(true);
    });

    it('may let nobody in: that is said and is no failure', async () => {
      const es = newHost();
      es.refuse = new RunFailure({ kind: 'unreachable', short: 'connection refused', message: 'connection refused' });
      const { exitCode, events, notAttempted, cut } = await play(given(es));
      expect([exitCode, notAttempted, cut]).to.deep.equal([0, [], []]);
      expect(events.flatMap((event) => (event.kind === 'host.skipped' ? [event.because] : []))).to.deep.equal([
        'observed only, and could not be asked: connection refused',
      ]);
    });

    it('still fails on what it is judged by', async () => {
      expect((await play(given(newHost({ color: 'red' })))).exitCode).to.equal(1);
    });

    it('is a failure where another stage manages it', async () => {
      const es = newHost();
      es.refuse = new RunFailure({ kind: 'unreachable', short: 'connection refused', message: 'connection refused' });
      const { stages, ...rest } = given(es);
      expect((await play({ ...rest, stages: [...stages, { hosts: 'all', roles: [other] }] })).exitCode).to.equal(3);
    });
  });

  it('names what stands in for a product, once a host', async () => {
    const standing = role('standing', () => [], { standIns: () => [{ product: 'kibana', what: 'a page' }] });
    const { state } = await play({ groups: { es: [] }, hosts: { es: newHost() }, stages: [{ hosts: 'all', roles: [standing] }] });
    expect(state.standIns).to.deep.equal([{ host: 'es', product: 'kibana', what: 'a page' }]);
  });

  describe('several hosts', () => {
    const simple = role('simple', () => [want('x', '1')]);

    it('goes on with the others when one cannot be reached', async () => {
      const bad = newHost();
      bad.refuse = new RunFailure({ kind: 'unreachable', short: 'no route', message: 'no route' });
      const good = newHost();
      const { exitCode } = await play({ groups: { good: [], bad: [] }, hosts: { good, bad }, stages: [{ hosts: 'all', roles: [simple] }] });
      expect(exitCode).to.equal(3);
      expect(writes(good)).to.deep.equal(['set x 1']);
    });

    it('begins no further stage when more hosts failed than allowed, and says which were not attempted', async () => {
      const bad = newHost();
      bad.breaksOn = 'x';
      const second = newHost();
      const { notAttempted, exitCode } = await play({
        groups: { bad: ['a'], second: ['b'] },
        hosts: { bad, second },
        stages: [
          { hosts: 'a', roles: [simple] },
          { hosts: 'b', roles: [simple] },
        ],
        maxFailures: 0,
      });
      expect(exitCode).to.equal(1);
      expect(notAttempted).to.deep.equal(['second']);
      expect(second.log).to.deep.equal([]);
    });

    it('runs a role of a group on one host only', async () => {
      const hosts = { a: newHost(), b: newHost() };
      const once = role('once', () => [want('x', '1')], { per: 'group' });
      await play({ groups: { a: [], b: [] }, hosts, stages: [{ hosts: 'all', roles: [once] }] });
      expect([writes(hosts.a).length, writes(hosts.b).length]).to.deep.equal([1, 0]);
    });

    it('runs a role of a group on the next host when the first cannot be reached', async () => {
      const a = newHost();
      a.refuse = new RunFailure({ kind: 'unreachable', short: 'no route', message: 'no route' });
      const b = newHost();
      const once = role('once', () => [want('x', '1')], { per: 'group' });
      const { exitCode } = await play({ groups: { a: [], b: [] }, hosts: { a, b }, stages: [{ hosts: 'all', roles: [once] }] });
      expect(exitCode).to.equal(3);
      expect(writes(b)).to.deep.equal(['set x 1']);
    });

    it('takes the hosts of a stage in groups with --serial', async () => {
      const order: string[] = [];
      const hosts = Object.fromEntries(
        ['a', 'b', 'c'].map((name) => {
          const host = newHost();
          host.onSet = () => order.push(name);
          return [name, host];
        }),
      );
      const slow = role('slow', () => [want('x', '1')], { verify: ({ host }) => [check('seen', setting('x'), () => order.push(`verified ${host.name}`) > 0)] });
      await play({ groups: { a: [], b: [], c: [] }, hosts, stages: [{ hosts: 'all', roles: [slow] }], serial: 1 });
      expect(order).to.deep.equal(['a', 'verified a', 'b', 'verified b', 'c', 'verified c']);
    });
  });

  describe('a run that is stopped early', () => {
    it('did not attempt the groups of --serial that it never came to', async () => {
      const a = newHost();
      a.breaksOn = 'x';
      const hosts = { a, b: newHost(), c: newHost() };
      const simple = role('simple', () => [want('x', '1')]);
      const { notAttempted, cut } = await play({
        groups: { a: [], b: [], c: [] },
        hosts,
        stages: [{ hosts: 'all', roles: [simple] }],
        serial: 1,
        maxFailures: 0,
      });
      expect([notAttempted, cut]).to.deep.equal([['b', 'c'], []]);
    });

    it('names the hosts whose later roles had no turn', async () => {
      const a = newHost();
      let stopped = false;
      a.onSet = () => (stopped = true);
      const roles = [role('first', () => [want('x', '1')]), role('second', () => [want('y', '1')])];
      const { notAttempted, cut } = await play({ groups: { a: [] }, hosts: { a }, stages: [{ hosts: 'all', roles }], stopping: () => stopped });
      expect(writes(a)).to.deep.equal(['set x 1']);
      expect([notAttempted, cut]).to.deep.equal([[], ['a']]);
    });
  });

  describe('a cluster', () => {
    /** Every member is in the cluster, with this configuration and this version of its service. */
    const runningAs = (hosts: Readonly<Record<string, FakeHost>>, config: string, service: string): void => {
      for (const { settings } of Object.values(hosts)) settings.set('config', config).set('service', service).set('uuid', 'U').set('allocation-want', 'all');
    };

    /** Formed once all members run; the first configuration names the founders, the next no longer does. */
    const cluster = (order: string[] = []): { role: AnyRole; hosts: Record<string, FakeHost>; groups: Record<string, readonly string[]> } => {
      const hosts: Record<string, FakeHost> = { a: newHost(), b: newHost(), c: newHost() };
      for (const [name, host] of Object.entries(hosts)) {
        host.onSet = (key, value) => {
          order.push(`${name} ${key} ${value}`);
          if (Object.values(hosts).every(({ settings }) => settings.has('service'))) for (const { settings } of Object.values(hosts)) settings.set('uuid', 'U');
          for (const { settings } of Object.values(hosts)) settings.set('allocation', hosts['a']!.settings.get('allocation-want') ?? 'all');
        };
      }
      const made = defineRole<object, string | undefined>({
        contract: contract('cluster', variables),
        summary: '',
        runs: 'host',
        per: 'host',
        peers: { group: 'members', ask: () => setting('uuid') },
        resources: ({ peers, host }) => {
          const formed = [...peers.values()].some((answer) => answer.kind === 'known' && answer.value !== undefined);
          return [
            want('config', formed ? 'joined' : 'founders', {}),
            want('service', 'v1', { disrupts: true }),
            ...(host.name === 'a' ? [want('allocation-want', 'all', { needs: ['service'] })] : []),
          ];
        },
        ready: () => [check('formed', setting('uuid'), (now) => now === 'U')],
        rollout: {
          serial: 1,
          order: (members) => members.toReversed(),
          gate: () => [check('uuid-kept', setting('uuid'), (now, first) => now === first)],
        },
      });
      return { role: made, hosts, groups: { a: ['members'], b: ['members'], c: ['members'] } };
    };

    it('starts all members before it waits for any, also with one fork, and finishes the second round', async () => {
      const { role: made, hosts, groups } = cluster();
      const { exitCode } = await play({ groups, hosts, stages: [{ hosts: 'members', roles: [made] }], forks: 1 });
      expect(exitCode).to.equal(0);
      for (const host of Object.values(hosts)) expect(host.settings.get('config')).to.equal('joined');
      const again = await play({ groups, hosts, stages: [{ hosts: 'members', roles: [made] }] });
      expect(again.exitCode).to.equal(0);
      expect(changesOf(again.events, 'changed')).to.deep.equal([]);
    });

    it('restarts running members one by one in the role’s order, each behind the gate', async () => {
      const order: string[] = [];
      const { role: made, hosts, groups } = cluster(order);
      runningAs(hosts, 'joined', 'v0');
      const { exitCode } = await play({ groups, hosts, stages: [{ hosts: 'members', roles: [made] }] });
      expect(exitCode).to.equal(0);
      expect(order).to.deep.equal(['c service v1', 'b service v1', 'a service v1']);
    });

    it('takes no batch out that another member objects to, asked just before', async () => {
      const { hosts, groups } = cluster();
      for (const { settings } of Object.values(hosts)) settings.set('service', 'v0').set('copies', '3');
      hosts['a']!.onSet = () => hosts['a']!.settings.set('copies', '2');
      const rolled = role('rolled', () => [want('service', 'v1', { disrupts: true })], {
        peers: { group: ['nobody', 'members'], ask: () => setting('service') },
        rollout: {
          serial: 1,
          objects: ({ host }, batch) =>
            setting('copies').map((copies) =>
              copies === '3' ? [] : [{ kind: 'refused', reason: `${host.name} needs ${batch.map(({ name }) => name).join()}`, hint: 'wait' }],
            ),
          gate: () => [],
        },
      });
      const { exitCode, events } = await play({ groups, hosts, stages: [{ hosts: 'members', roles: [rolled] }] });
      expect(exitCode).to.equal(5);
      expect(Object.values(hosts).map(({ settings }) => settings.get('service'))).to.deep.equal(['v1', 'v0', 'v0']);
      expect(JSON.stringify(events)).to.include('a needs b');
    });

    it('stops a rollout at the first gate that does not pass', async () => {
      const order: string[] = [];
      const { role: made, hosts, groups } = cluster(order);
      runningAs(hosts, 'joined', 'v0');
      hosts['c']!.onSet = (key, value) => {
        order.push(`c ${key} ${value}`);
        hosts['a']!.settings.set('uuid', 'other');
        hosts['b']!.settings.set('uuid', 'other');
      };
      const { exitCode, events } = await play({ groups, hosts, stages: [{ hosts: 'members', roles: [made] }] });
      expect(exitCode).to.equal(1);
      expect(order).to.deep.equal(['c service v1']);
      expect(hosts['a']!.settings.get('service')).to.equal('v0');
      expect(changesOf(events, 'pending').toSorted(), 'members that were not come to').to.deep.equal(['a service', 'b service']);
    });

    it('judges a gate on what is so after the batch, also where the peers were asked something else', async () => {
      const { hosts, groups } = cluster();
      for (const { settings } of Object.values(hosts)) settings.set('service', 'v0').set('nodes', '3');
      hosts['a']!.onSet = () => {
        for (const { settings } of Object.values(hosts)) settings.set('nodes', '2');
      };
      const rolled = role('rolled', () => [want('service', 'v1', { disrupts: true })], {
        peers: { group: 'members', ask: () => setting('service') },
        rollout: { serial: 1, gate: () => [check('as-before', setting('nodes'), (now, first) => now === first)] },
      });
      const { exitCode, events } = await play({ groups, hosts, stages: [{ hosts: 'members', roles: [rolled] }] });
      expect(exitCode).to.equal(1);
      expect(Object.values(hosts).map(({ settings }) => settings.get('service'))).to.deep.equal(['v1', 'v0', 'v0']);
      expect(changesOf(events, 'pending').toSorted()).to.deep.equal(['b service', 'c service']);
    });

    it('puts back what a failed member was drained with, though the others wait for their own restart', async () => {
      const { hosts, groups } = cluster();
      for (const { settings } of Object.values(hosts)) settings.set('service', 'v0').set('drained', 'no');
      for (const host of Object.values(hosts)) {
        // One setting of the whole cluster, seen from everywhere.
        host.onSet = (key, value) => {
          if (key === 'drained') for (const { settings } of Object.values(hosts)) settings.set(key, value);
        };
        host.breaksOn = 'service';
      }
      const drained = role('drained', () => [want('service', 'v1', { disrupts: true }), want('drained', 'no', { needs: ['service'] })], {
        rollout: { serial: 1, during: () => [want('drained', 'yes')], gate: () => [] },
      });
      const { exitCode } = await play({ groups, hosts, stages: [{ hosts: 'members', roles: [drained] }] });
      expect(exitCode).to.equal(1);
      expect(writes(hosts['a']!)).to.deep.equal(['set drained yes', 'set service v1']);
      expect(hosts['c']!.settings.get('drained')).to.equal('no');
      expect([...writes(hosts['b']!), ...writes(hosts['c']!)]).to.deep.equal(['set drained no']);
    });

    for (const limit of [['a', 'b', 'c'], ['a']])
      it(`puts back what a member was drained with when the run is aborted within its restart, with ${limit.join(', ')} in it`, async () => {
        const { hosts, groups } = cluster();
        const interrupt = new AbortController();
        for (const { settings } of Object.values(hosts)) settings.set('service', 'v0').set('drained', 'no');
        for (const host of Object.values(hosts))
          host.onSet = (key, value) => {
            if (key === 'drained') for (const { settings } of Object.values(hosts)) settings.set(key, value);
            else interrupt.abort();
          };
        const drained = role('drained', () => [want('service', 'v1', { disrupts: true }), want('drained', 'no', { needs: ['service'] })], {
          peers: { group: 'members', ask: () => setting('service') },
          rollout: { serial: 1, during: () => [want('drained', 'yes')], gate: () => [] },
        });
        const { exitCode, events } = await play({
          groups,
          hosts,
          limit,
          stages: [{ hosts: 'members', roles: [drained] }],
          signal: interrupt.signal,
          stopping: () => interrupt.signal.aborted,
        });
        expect(exitCode).to.equal(130);
        expect(hosts['a']!.settings.get('drained')).to.equal('no');
        expect(
          Object.values(hosts)
            .flatMap(writes)
            .filter((write) => write.startsWith('set drained')),
        ).to.deep.equal(['set drained yes', 'set drained no']);
        // Those that it did not come to still need what they needed.
        expect(changesOf(events, 'pending').filter((change) => change.endsWith('service'))).to.deep.equal(limit.slice(1).map((name) => `${name} service`));
      });

    it('restarts no member whose drain was lost with its session before the drain is there', async () => {
      const { hosts, groups } = cluster();
      for (const { settings } of Object.values(hosts)) settings.set('service', 'v0').set('drained', 'no');
      const a = hosts['a']!;
      a.cutOn = { key: 'drained', when: 'before', times: 1 };
      a.onSet = (key) => {
        if (key === 'service') expect(a.settings.get('drained')).to.equal('yes');
      };
      const drained = role('drained', () => [want('service', 'v1', { disrupts: true }), want('drained', 'no', { needs: ['service'] })], {
        rollout: { serial: 1, during: () => [want('drained', 'yes')], gate: () => [] },
      });
      const { exitCode } = await play({ groups, hosts, stages: [{ hosts: 'members', roles: [drained] }] });
      expect(exitCode).to.equal(0);
      expect(writes(a)).to.deep.equal(['set drained yes', 'set service v1', 'set drained no']);
    });

    it('ends the rollout, not the run, when the member that judges the gate is lost', async () => {
      const { hosts, groups } = cluster();
      for (const { settings } of Object.values(hosts)) settings.set('service', 'v0');
      const rolled = role('rolled', () => [want('service', 'v1', { disrupts: true })], {
        peers: { group: 'members', ask: () => setting('service') },
        rollout: { serial: 1, gate: () => [check('gate', setting('gate'), () => true)] },
      });
      hosts['b']!.losesOn = 'gate';
      const { exitCode, events } = await play({
        groups,
        hosts,
        stages: [
          { hosts: 'members', roles: [rolled] },
          { hosts: 'members', roles: [role('next', () => [want('x', '1')])] },
        ],
      });
      expect(exitCode).to.equal(3);
      expect(Object.values(hosts).map(({ settings }) => settings.get('service'))).to.deep.equal(['v0', 'v0', 'v0']);
      expect(hosts['c']!.settings.get('x'), 'the other hosts go on').to.equal('1');
      expect(changesOf(events, 'pending').toSorted()).to.deep.equal(['a service', 'c service']);
    });

    it('takes no batch out that the role refuses on what the peers say now', async () => {
      const { hosts, groups } = cluster();
      for (const { settings } of Object.values(hosts)) settings.set('service', 'v0').set('up', 'yes');
      hosts['a']!.onSet = () => hosts['c']!.settings.delete('up');
      const rolled = role('rolled', () => [want('service', 'v1', { disrupts: true })], {
        peers: { group: 'members', ask: () => setting('up') },
        rollout: {
          serial: 1,
          refuses: ({ peers }) =>
            [...peers.values()].every((answer) => answer.kind === 'known' && answer.value !== undefined)
              ? []
              : [{ kind: 'refused', reason: 'too few are up', hint: 'wait' }],
          gate: () => [],
        },
      });
      const { exitCode, events } = await play({ groups, hosts, stages: [{ hosts: 'members', roles: [rolled] }] });
      expect(exitCode).to.equal(5);
      expect(Object.values(hosts).map(({ settings }) => settings.get('service'))).to.deep.equal(['v1', 'v0', 'v0']);
      expect(changesOf(events, 'pending')).to.deep.equal(['c service']);
    });

    it('stops a rollout at the first gate that does not pass, also when --serial takes one host after the other', async () => {
      const order: string[] = [];
      const { role: made, hosts, groups } = cluster(order);
      for (const { settings } of Object.values(hosts)) settings.set('config', 'joined').set('service', 'v0').set('uuid', 'U').set('allocation-want', 'all');
      hosts['a']!.onSet = (key, value) => {
        order.push(`a ${key} ${value}`);
        hosts['a']!.settings.set('uuid', 'other');
      };
      const { exitCode, events } = await play({ groups, hosts, stages: [{ hosts: 'members', roles: [made] }], serial: 1 });
      expect(exitCode).to.equal(1);
      expect(order).to.deep.equal(['a service v1']);
      expect(changesOf(events, 'pending').toSorted()).to.deep.equal(['b service', 'c service']);
    });

    it('restarts no running member with what just kept a stopped one from starting', async () => {
      const { hosts, groups } = cluster();
      for (const name of ['b', 'c']) hosts[name]!.settings.set('service', 'v0');
      hosts['a']!.breaksOn = 'service';
      const rolled = role('rolled', () => [want('service', 'v1', { disrupts: true })], { rollout: { serial: 1, gate: () => [] } });
      const { exitCode, events } = await play({ groups, hosts, stages: [{ hosts: 'members', roles: [rolled] }] });
      expect(exitCode).to.equal(1);
      expect([...writes(hosts['b']!), ...writes(hosts['c']!)]).to.deep.equal([]);
      expect(changesOf(events, 'pending').toSorted()).to.deep.equal(['b service', 'c service']);
    });

    it('counts no peer outside the limit as a failed host', async () => {
      const { hosts, groups } = cluster();
      hosts['b']!.refuse = new RunFailure({ kind: 'unreachable', short: 'no route', message: 'no route' });
      const peered = role('peered', () => [want('x', '1')], { peers: { group: 'members', ask: () => setting('x') } });
      const later = role('later', () => [want('y', '1')]);
      const stages = [
        { hosts: 'members', roles: [peered] },
        { hosts: 'members', roles: [later] },
      ];
      const { exitCode } = await play({ groups, hosts, stages, limit: ['a'], maxFailures: 0 });
      expect(exitCode).to.equal(0);
      expect(writes(hosts['a']!)).to.deep.equal(['set x 1', 'set y 1']);
    });

    it('leaves restarts pending with --no-restart and writes the rest', async () => {
      const order: string[] = [];
      const { role: made, hosts, groups } = cluster(order);
      runningAs(hosts, 'old', 'v0');
      const { events } = await play({ groups, hosts, stages: [{ hosts: 'members', roles: [made] }], noRestart: true });
      expect(order.toSorted()).to.deep.equal(['a config joined', 'b config joined', 'c config joined']);
      expect(changesOf(events, 'pending').toSorted()).to.deep.equal(['a service', 'b service', 'c service']);
    });

    it('looks at peers outside the limit and writes nothing there', async () => {
      const { role: made, hosts, groups } = cluster();
      runningAs(hosts, 'joined', 'v1');
      hosts['b']!.settings.set('config', 'edited');
      const { exitCode } = await play({ groups, hosts, stages: [{ hosts: 'members', roles: [made] }], limit: ['b'] });
      expect(exitCode).to.equal(0);
      expect(hosts['a']!.log).to.include('open');
      expect(writes(hosts['a']!)).to.deep.equal([]);
      expect(writes(hosts['b']!)).to.deep.equal(['set config joined']);
    });
  });

  describe('roles of a provider', () => {
    const log: string[] = [];
    beforeEach(() => log.splice(0));
    const provider = (name: string, more: Partial<Parameters<typeof defineControllerRole>[0]> = {}): AnyControllerRole =>
      defineControllerRole({
        contract: contract('cloud', variables),
        name,
        summary: name,
        runs: 'controller',
        per: 'group',
        concerns: 'cloud',
        resources: ({ host }) => {
          log.push(`${name} ${host.name}`);
          return [];
        },
        ...more,
      });
    const given = { groups: { a: [], b: [] }, hosts: { a: newHost(), b: newHost() }, providers: { a: 'other', b: 'cloud' } };

    it('are about its hosts only', async () => {
      expect((await play({ ...given, stages: [{ hosts: 'all', roles: [provider('network')] }] })).exitCode).to.equal(0);
      expect(new Set(log)).to.deep.equal(new Set(['network b']));
    });

    it('are about the hosts that they say themselves', async () => {
      await play({ ...given, stages: [{ hosts: 'all', roles: [provider('disks', { concerns: ({ name }) => name === 'a' })] }] });
      expect(new Set(log)).to.deep.equal(new Set(['disks a']));
    });

    it('bring those they depend on with them, in the order of the playbook', async () => {
      const network = provider('network');
      const stages = [{ hosts: 'all', roles: [provider('unasked'), network, provider('machines', { dependencies: [network.name] })] }];
      await play({ ...given, stages, roles: ['machines'] });
      expect([...new Set(log)]).to.deep.equal(['network b', 'machines b']);
    });

    it('refuse from the inventory alone before anything is asked, each reason once', async () => {
      const no = constant([{ kind: 'refused' as const, reason: 'open to the world', hint: 'close it' }]);
      const late = provider('firewall', { refuses: () => no });
      const { exitCode, state } = await play({ ...given, mode: 'check', stages: [{ hosts: 'all', roles: [provider('network'), late] }] }).catch(
        (error: unknown) => ({ exitCode: (error as RunFailure).error.kind, state: (error as RunFailure).error.message }),
      );
      expect([exitCode, state]).to.deep.equal(['refused', 'open to the world']);
      expect(log).to.deep.equal([]);
    });

    const differing = controllerCommand('machine', { differs: constant([change('tag', 'old', 'new')]), argv: ['false'] });
    const inside = role('inside', () => [want('x', '1')]);

    for (const [name, location, found] of [
      ['one that is yet to be made is not asked', undefined, 'unknown'],
      ['one that runs is asked, whatever else differs', { address: '10.0.0.1' }, 'pending'],
    ] as const)
      it(`of hosts to come: ${name}`, async () => {
        const machines = provider('machines', { provides: 'cloud', resources: () => [differing], locates: () => constant(location) });
        const stages = [
          { hosts: 'all', roles: [machines] },
          { hosts: 'b', roles: [inside] },
        ];
        const { exitCode, state } = await play({ ...given, hosts: { a: newHost(), b: newHost() }, mode: 'check', stages });
        expect(exitCode).to.equal(2);
        expect(state.hosts.get(hostName('b'))?.roles.get(inside.name)?.verdict).to.equal(found);
      });

    /** Wants a file to be there, made by `make`, whatever it is made of. */
    const file = (path: string, make: string, consent?: string): Resource =>
      controllerCommand(path, {
        apart: true,
        differs: controllerOutput(['test', '-e', path]).map(({ code }) =>
          code === 0 ? [] : [change('file', { kind: 'absent' }, 'there', consent === undefined ? {} : { consent })],
        ),
        argv: ['sh', '-c', make],
      });

    it('do for their group what needs no yes; the hosts go on, and the run ends as refused', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'kem-engine-'));
      const [free, asking] = [join(directory, 'free'), join(directory, 'asking')];
      const network = provider('network', { resources: () => [file(asking, `touch ${asking}`, 'deletion of a rule'), file(free, `touch ${free}`)] });
      const b = newHost();
      const all = { ...given, hosts: { a: newHost(), b }, stages: [network, inside].map((one) => ({ hosts: 'all', roles: [one] })) };
      const { exitCode, events } = await play(all);
      expect(exitCode).to.equal(5);
      expect([existsSync(free), existsSync(asking)]).to.deep.equal([true, false]);
      expect(writes(b)).to.deep.equal(['set x 1']);
      expect(changesOf(events, 'pending')).to.deep.equal([`b ${asking}`]);
      const failed = events.find((event) => event.kind === 'role.failed');
      expect(failed?.kind === 'role.failed' && failed.error.short).to.equal(`needs a yes: ${asking}: deletion of a rule`);
      expect((await play({ ...all, yes: true })).exitCode).to.equal(0);
      expect(existsSync(asking)).to.equal(true);
      rmSync(directory, { recursive: true });
    });

    it('wait for nothing to become right that waits for a yes itself', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'kem-engine-'));
      const asking = join(directory, 'asking');
      const seen = controllerOutput(['test', '-e', asking]).map(({ code }) => String(code));
      const there = { ...check('there', seen, (now) => now === '0'), retry: { everyMs: 5, deadlineMs: 600_000, steadyMs: 1 } };
      const network = provider('network', { resources: () => [file(asking, `touch ${asking}`, 'deletion of a rule')], verify: () => [there] });
      const { exitCode, events } = await play({ ...given, stages: [{ hosts: 'all', roles: [network] }] });
      expect(exitCode).to.equal(5);
      expect(events.flatMap((event) => (event.kind === 'check.result' ? [event.outcome.kind] : []))).to.deep.equal(['fail']);
      rmSync(directory, { recursive: true });
    });

    it('take steps that stand apart at the same time', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'kem-engine-'));
      const [one, other] = [join(directory, 'one'), join(directory, 'other')];
      /** Each is made only once the other has begun. */
      const meeting = (mine: string, theirs: string): Resource =>
        file(mine, `touch ${mine}-begun; n=0; until [ -e ${theirs}-begun ]; do n=$((n + 1)); [ $n -lt 50 ] || exit 1; sleep 0.1; done; touch ${mine}`);
      const network = provider('network', { resources: () => [meeting(one, other), meeting(other, one)] });
      const { exitCode } = await play({ ...given, hosts: { a: newHost(), b: newHost() }, stages: [{ hosts: 'all', roles: [network] }] });
      expect(exitCode).to.equal(0);
      rmSync(directory, { recursive: true });
    });

    it('that fail for their group leave all hosts alone', async () => {
      const network = provider('network', { resources: () => [differing] });
      const b = newHost();
      const stages = [
        { hosts: 'all', roles: [network] },
        { hosts: 'all', roles: [inside] },
      ];
      const { exitCode, notAttempted } = await play({ ...given, hosts: { a: newHost(), b }, stages });
      expect(exitCode).to.equal(1);
      expect(notAttempted).to.deep.equal([hostName('a')]);
      expect(b.log).to.deep.equal([]);
    });
  });
});

function freshSetting(key: string): Question<string | undefined> {
  const plain = setting(key);
  const asks = plain.asks.map((ask) => (ask.at === 'host' ? { ...ask, fresh: true as const } : ask));
  const renewed = new Map(plain.asks.map((ask, index) => [ask, asks[index] ?? ask]));
  return { asks, read: (answers) => plain.read((ask) => answers(renewed.get(ask) ?? ask)), map: () => plain as never };
}
