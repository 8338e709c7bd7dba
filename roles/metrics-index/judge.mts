/** Judgements about the indices of metrics: pure, so that each is tested without a cluster. */
import { pass, wrong, type Judgement, type UnitState } from '../../lib/index.mts';
import type { Capabilities, Disks, IndexHealth, Names, Simulation, Thresholds } from './cluster.mts';
import type { MetricsIndexVars } from './contract.mts';
import { SERVICE, STALE_SECONDS, TIMER, type LastRun } from './retention.mts';
import { FIELD_TYPES } from './template.mts';

const count = (number: number, what: string, plural = `${what}s`): string => `${String(number)} ${number === 1 ? what : plural}`;
const some = (names: readonly string[]): string => names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${String(names.length - 5)} more` : '');

/** What a new index would get, whichever template wins: the one of the highest priority, alone. */
export function template({ wins, all }: Simulation, name: string): Judgement {
  const types = new Map(Object.entries(wins.template?.mappings?.properties ?? {}).map(([field, { type }]) => [field, type]));
  const off = [...FIELD_TYPES].filter(([field, type]) => types.get(field) !== type).map(([field]) => `${field} ${types.get(field) ?? 'unknown'}`);
  if (off.length === 0) return pass(`metric_value_number would be ${types.get('metric_value_number') ?? ''}`);
  const ours = all.find((each) => each.name === name);
  const above = all.filter(({ priority }) => priority > (ours?.priority ?? 0)).map((each) => `${each.name} (${String(each.priority)})`);
  const hint =
    ours === undefined || above.length === 0
      ? 'run the role again: --role metrics-index'
      : `another index template of a higher priority than ${String(ours.priority)} matches these names, and the highest alone counts: narrow the patterns of ${above.join(', ')}, or lower its priority`;
  return wrong(`new indices get the types of the index template ${name}`, some(off), hint);
}

/** An index keeps the types that it was made with. */
export function types({ fields }: Capabilities): Judgement {
  const off = [...FIELD_TYPES].flatMap(([field, wanted]) =>
    Object.values(fields[field] ?? {})
      .filter(({ type }) => type !== wanted && type !== 'unmapped')
      .map(({ type, indices }) => ({ field, type, indices: indices ?? ['all of them'] })),
  );
  if (off.length === 0) return pass(Object.keys(fields).length === 0 ? 'no document yet' : `${count(FIELD_TYPES.size, 'field')} as in the template`);
  const [first] = off;
  const index = first?.indices[0] ?? '';
  return wrong(
    'the types of the template',
    off.map(({ field, type, indices }) => `${field} is ${type} in ${some(indices)}`).join('; '),
    `an index keeps the types that it was made with. With logstash-jmx stopped: POST _reindex {"source":{"index":"${index}"},"dest":{"index":"${index}-typed"}}, DELETE ${index}, then back the same way; or DELETE it where its data is not needed`,
  );
}

/** The name that Logstash writes to must be free for an index of its own. */
export function names({ aliases }: Names, { name, rotation }: Pick<MetricsIndexVars, 'name' | 'rotation'>): Judgement {
  const ours = rotation === 'none' ? (each: string): boolean => each === name : (each: string): boolean => isDaily(name, each);
  const taken = aliases.filter((alias) => ours(alias.name));
  if (taken.length === 0) return pass('no alias is in the way');
  return wrong(
    'no alias where Logstash makes its index',
    taken.map((alias) => `${alias.name} is an alias of ${some(alias.indices)}`).join('; '),
    'documents would go there, past the template: remove the alias (POST _aliases), or set metrics_index_name to another name',
  );
}

const isDaily = (name: string, index: string): boolean => index.startsWith(`${name}-`) && /^\d{4}\.\d{2}\.\d{2}$/.test(index.slice(name.length + 1));

/** Yellow for good is an index that wants more copies than there are other data nodes. */
export function health({ indices, number_of_data_nodes: nodes }: IndexHealth, expectedNodes: number): Judgement {
  const open = Object.entries(indices).filter(([, { status }]) => status !== 'green');
  const [first] = open;
  if (first === undefined) return pass(`${count(Object.keys(indices).length, 'index', 'indices')}, green`);
  const [, worst] = open.find(([, { status }]) => status === 'red') ?? first;
  const found = `${worst.status}: ${some(open.map(([name]) => name).sort())}`;
  const greedy = open.every(([, index]) => index.status === 'yellow' && index.number_of_replicas >= nodes);
  if (nodes < expectedNodes)
    return wrong(
      'green',
      `${found}; ${count(nodes, 'data node')} of ${String(expectedNodes)}`,
      'start the missing data nodes: --role elasticsearch names them',
    );
  if (greedy)
    return wrong(
      'green',
      `${found}; ${count(first[1].number_of_replicas, 'replica')} wanted, and ${count(nodes, 'data node')} to hold them beside the primary`,
      '--role metrics-index sets what metrics_index_replicas says: auto fits the data nodes; or add a data node',
    );
  return wrong('green', found, 'GET _cluster/allocation/explain says why a shard has no place');
}

const UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4, pb: 1024 ** 5 };

/** Least free bytes that a watermark asks for: `90%` and `0.9` are of what is used, `10gb` of what is free. */
export function leastFree(watermark: string, total: number): number | undefined {
  const [, number = '', unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*(%|[kmgtp]?b)?\s*$/i.exec(watermark) ?? [];
  if (number === '') return undefined;
  const factor = UNITS[unit.toLowerCase()];
  if (factor !== undefined) return Number(number) * factor;
  return unit === '%' ? (total * (100 - Number(number))) / 100 : total * (1 - Number(number));
}

const PREFIX = 'cluster.routing.allocation.disk';
const percent = (part: number, whole: number): string => `${(100 * (1 - part / whole)).toFixed(0)} %`;

/** Above the high watermark Elasticsearch moves shards away; above the flood stage it stops all writing. */
export function disk({ nodes }: Disks, settings: Thresholds): Judgement {
  const set = { ...settings.defaults, ...settings.persistent, ...settings.transient };
  const high = set[`${PREFIX}.watermark.high`] ?? '90%';
  const data = Object.values(nodes).filter(({ roles }) => roles.some((role) => role === 'data' || role.startsWith('data_')));
  const shown = data.map(
    ({
      name,
      fs: {
        total: { available_in_bytes: free, total_in_bytes: all },
      },
    }) => ({ name, free, all, text: `${name} ${percent(free, all)}` }),
  );
  const full = shown.filter(({ free, all }) => free < (leastFree(high, all) ?? Infinity));
  const expected = `every data node below the high watermark of ${high}`;
  if (full.length > 0)
    return wrong(
      expected,
      full.map(({ text }) => text).join(', '),
      'free space or enlarge the disk; metrics_index_retention_days and metrics_index_retention_size decide how much of the metrics is kept',
    );
  const off = set[`${PREFIX}.threshold_enabled`] === 'false' ? '; Elasticsearch itself does not look (threshold_enabled is false)' : '';
  return pass(`${shown.map(({ text }) => text).join(', ')} used, high watermark ${high}${off}`);
}

export function blocks(indices: readonly string[]): Judgement {
  if (indices.length === 0) return pass('none');
  return wrong(
    'no index that Elasticsearch made read-only for want of disk',
    some(indices),
    'free space: below the high watermark Elasticsearch takes the block away by itself; what was set by hand goes with PUT INDEX/_settings {"index.blocks.read_only_allow_delete":null}',
  );
}

const hours = (seconds: number): string =>
  seconds < 3600 ? `${String(Math.max(0, Math.round(seconds / 60)))} minutes` : `${(seconds / 3600).toFixed(0)} hours`;

/** `units` is `undefined` where systemd is absent. */
export function retention(
  { age, said }: LastRun,
  units: { readonly timer: Pick<UnitState, 'activeState' | 'unitFileState'>; readonly service: Pick<UnitState, 'result' | 'execMainStatus'> } | undefined,
): Judgement {
  const expected = `a success in the last ${String(STALE_SECONDS / 3600)} hours`;
  const log = units === undefined ? 'start it every night, by cron for instance' : `journalctl -u ${SERVICE} says what happened`;
  const again = '--role metrics-index runs it now';
  const last = age === undefined ? 'it has never succeeded' : `last success ${hours(age)} ago`;
  if (units !== undefined && units.timer.activeState !== 'active')
    return wrong(`an active ${TIMER}`, `${TIMER} is ${units.timer.activeState}; ${last}`, `${again}, and starts the timer`);
  if (age === undefined || age > STALE_SECONDS) {
    const result =
      units === undefined || units.service.result === 'success' || units.service.result === ''
        ? ''
        : `; the last run failed: ${units.service.result}, exit status ${String(units.service.execMainStatus)}`;
    return wrong(expected, `${last}${result}`, `${log}; ${again}`);
  }
  return pass(`${last}: ${said}`);
}

/** A single index for ever has nothing that could be deleted by age. */
export const unbounded = (asked: readonly string[]): Judgement =>
  asked.length === 0
    ? pass('a single index, kept for ever')
    : wrong(
        'indices that can be deleted one by one',
        `metrics_index_rotation: none, and ${asked.join(' and ')}: the index grows without bounds`,
        'set metrics_index_rotation: daily, or metrics_index_retention_days: forever and metrics_index_retention_size: unlimited',
      );

/** `undefined`: none of them answers and sees a master. */
export const answers = (node: string | undefined, urls: readonly string[], first: string): Judgement =>
  node === undefined ? wrong('a node of Elasticsearch that answers and sees an elected master', `none of ${some(urls)}`, first) : pass(node);
