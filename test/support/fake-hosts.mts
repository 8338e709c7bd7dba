/** Hosts that are a map of settings: enough to prove what the engine asks, writes, waits for and in which order. */
import type { RunFailure } from '../../lib/errors.mts';
import type { Contract, Explained, Host, Inventory } from '../../lib/inventory/model.mts';
import { groupName, hostName, resourceId, type GroupName, type HostName } from '../../lib/names.mts';
import type { Ask, Change, CompiledStep, Facts, Question, Raw, Resource } from '../../lib/plan/model.mts';
import { known, question } from '../../lib/plan/questions.mts';
import type { Frame, OpenOptions, Reader, Session, StepEnd, Transport } from '../../lib/transport/session.mts';

/** What a setting is now; `undefined` when it is not set. */
export const setting = (key: string): Question<string | undefined> => {
  const ask: Ask = { at: 'host', kind: 'shell', key: `get ${key}` };
  return question([ask], (answers) => {
    const raw = answers(ask);
    if (raw.kind === 'unavailable') return { kind: 'unavailable', reason: raw.reason };
    return known(raw.kind === 'absent' ? undefined : Buffer.from(raw.bytes).toString());
  });
};

/** A resource that wants `key` to be `value`. */
export function want(
  key: string,
  value: string,
  more: { readonly needs?: readonly string[]; readonly disrupts?: boolean } & Pick<Change, 'consent' | 'refused'> = {},
): Resource {
  return {
    id: resourceId(key),
    ...(more.needs === undefined ? {} : { needs: more.needs.map(resourceId) }),
    differs: setting(key).map((now): readonly Change[] =>
      now === value
        ? []
        : [
            {
              field: 'value',
              from: now === undefined ? { kind: 'absent' } : { kind: 'text', text: now },
              to: { kind: 'text', text: value },
              ...(more.disrupts === true && now !== undefined ? { disrupts: true as const } : {}),
              ...(more.consent === undefined ? {} : { consent: more.consent }),
              ...(more.refused === undefined ? {} : { refused: more.refused }),
            },
          ],
    ),
    apply: (_changes, steps) => {
      steps.sh`set ${key} ${value}`;
    },
  };
}

export interface FakeHost {
  readonly settings: Map<string, string>;
  /** Every line in the order it happened: `open`, `ask 3`, `set k v`, `close`. */
  readonly log: string[];
  /** Throws instead of connecting. */
  refuse?: RunFailure;
  /** A write this host does not keep. */
  forgets?: string;
  /** A write that fails here. */
  breaksOn?: string;
  /** The connection ends when this setting is asked for. */
  losesOn?: string;
  /** How often it ends then; always when nothing is said. */
  losses?: number;
  /** The connection ends around this write: the steps before it were done. */
  cutOn?: { readonly key: string; readonly when: 'before' | 'after'; times: number };
  /** What happens to the world when it is opened again. */
  onReopen?(): void;
  /** What happens to the world when something is written. */
  onSet?(key: string, value: string): void;
  facts?: Partial<Facts>;
}

export const newHost = (settings: Readonly<Record<string, string>> = {}): FakeHost => ({ settings: new Map(Object.entries(settings)), log: [] });

const FACTS: Facts = {
  os: 'debian',
  version: '12',
  arch: 'x86_64',
  cpus: 2,
  memoryBytes: 4 * 2 ** 30,
  init: 'systemd',
  bootId: 'boot',
  uid: 0,
  tools: new Set(),
  limits: { nofile: { soft: 1024, hard: 524_288 }, nproc: { soft: 4096, hard: 4096 }, memlock: { soft: 65_536, hard: 65_536 } },
  mayRaiseLimits: true,
  nrOpen: 1_048_576,
  aheadMs: 0,
};

export class FakeTransport implements Transport {
  readonly hosts: ReadonlyMap<string, FakeHost>;
  constructor(hosts: Readonly<Record<string, FakeHost>>) {
    this.hosts = new Map(Object.entries(hosts));
  }
  read(host: Host, options: OpenOptions): Promise<Reader> {
    return this.#open(host, options);
  }
  write(host: Host, options: OpenOptions): Promise<Session> {
    return this.#open(host, options);
  }
  #open(host: Host, { asks }: OpenOptions): Promise<Session> {
    const fake = this.hosts.get(host.name);
    if (fake === undefined) throw new Error(`no fake host ${host.name}`);
    if (fake.refuse !== undefined) return Promise.reject(fake.refuse);
    if (fake.log.includes('open')) fake.onReopen?.();
    fake.log.push('open');
    let roundTrips = 1;
    const session: Session = {
      facts: { ...FACTS, ...fake.facts },
      first: answer(fake, asks),
      get counters() {
        return { connectMs: 1, roundTrips, bytesSent: 0, bytesReceived: 0 };
      },
      ask(questions, { signal }) {
        if (signal.aborted) return Promise.resolve(ABORTED);
        roundTrips += 1;
        fake.log.push(`ask ${questions.length.toString()}`);
        if (questions.some((ask) => ask.at === 'host' && ask.key === `get ${fake.losesOn ?? ''}`) && fake.losses !== 0) {
          if (fake.losses !== undefined) fake.losses -= 1;
          return Promise.resolve(LOST);
        }
        return Promise.resolve<Frame>({ kind: 'complete', steps: [], answers: answer(fake, questions) });
      },
      apply(steps, reask, limits) {
        if (limits.signal.aborted) return Promise.resolve(ABORTED);
        roundTrips += 1;
        const ends = run(fake, steps);
        if (ends === 'cut') return Promise.resolve(LOST);
        for (const { id, end } of ends) {
          limits.onStep?.({ id });
          limits.onStep?.({ id, ok: end.kind === 'exited' && end.code === 0 });
        }
        return Promise.resolve<Frame>({ kind: 'complete', steps: ends, answers: answer(fake, reask) });
      },
      [Symbol.asyncDispose]() {
        fake.log.push('close');
        return Promise.resolve();
      },
    };
    return Promise.resolve(session);
  }
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

function answer(fake: FakeHost, asks: readonly Ask[]): ReadonlyMap<Ask, Raw> {
  return new Map(
    asks.map((ask): [Ask, Raw] => {
      if (ask.at !== 'host') throw new Error('a controller ask reached a host');
      const value = fake.settings.get(ask.key.replace(/^get /, ''));
      if (value === '<unreadable>') return [ask, { kind: 'unavailable', reason: 'permission denied' }];
      return [ask, value === undefined ? { kind: 'absent' } : { kind: 'value', bytes: Buffer.from(value) }];
    }),
  );
}

const ABORTED: Frame = { kind: 'aborted', steps: [], error: { kind: 'interrupted', short: 'stopped on request', message: 'stopped on request' } };
const LOST: Frame = { kind: 'lost', steps: [], error: { kind: 'lost', short: 'lost', message: 'lost' } };

function run(fake: FakeHost, steps: readonly CompiledStep[]): readonly StepEnd[] | 'cut' {
  const ends: StepEnd[] = [];
  for (const step of steps) {
    if (step.at !== 'host') throw new Error('only scripts here');
    for (const [, key, value] of step.script.matchAll(/set '([^']*)' '([^']*)'/g)) {
      if (key === undefined || value === undefined) continue;
      const cut = fake.cutOn?.key === key && fake.cutOn.times > 0 ? fake.cutOn : undefined;
      if (cut !== undefined) cut.times -= 1;
      if (cut?.when === 'before') return 'cut';
      fake.log.push(`set ${key} ${value}`);
      if (fake.breaksOn === key) {
        ends.push({ id: step.id, end: { kind: 'exited', code: 7 }, tail: `cannot set ${key}` });
        return ends;
      }
      if (fake.forgets !== key) fake.settings.set(key, value);
      fake.onSet?.(key, value);
      if (cut !== undefined) return 'cut';
    }
    ends.push({ id: step.id, end: { kind: 'exited', code: 0 }, tail: '' });
  }
  return ends;
}

const SOURCE = { file: 'inventory/test.yaml', line: 1, column: 1 };

/** `{ name: [groups…] }`; every host has the empty variables that the schemas fill in. */
export function fakeInventory(members: Readonly<Record<string, readonly string[]>>, providers: Readonly<Record<string, string>> = {}): Inventory {
  const hosts = new Map<HostName, Host>();
  for (const [name, groups] of Object.entries(members)) {
    hosts.set(hostName(name), {
      name: hostName(name),
      connection: { kind: 'local' },
      privateAddress: '127.0.0.1',
      provider: providers[name],
      groups: new Set<GroupName>(groups.map(groupName)),
      source: SOURCE,
      vars<V>(of: Contract<V>): V {
        return of.schema.parse({}) as V;
      },
    });
  }
  const all = [...hosts.values()];
  return {
    hosts,
    files: [SOURCE.file],
    notices: [],
    group: (name) => all.filter(({ groups }) => groups.has(name as GroupName)),
    select: (pattern) => (pattern === 'all' ? all : all.filter(({ name, groups }) => name === pattern || groups.has(pattern as GroupName))),
    explain: (_host, variable): Explained => ({ variable, value: 'x', level: 'group', source: { ...SOURCE, line: 7 } }),
    explainAll: () => [],
  };
}
