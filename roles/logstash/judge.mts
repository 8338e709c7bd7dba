/** Judgements about a running instance: pure, so that each is tested without one. */
import { pass, wrong, type HttpAnswer, type Judgement, type UnitState } from '../../lib/index.mts';
import { z } from 'zod';

/** What an instance says of itself. */
export type Said<T> = { readonly kind: 'said'; readonly value: T } | { readonly kind: 'silent'; readonly why: string };

export function said<S extends z.ZodType>(answer: HttpAnswer, schema: S): Said<z.output<S>> {
  if (answer.kind === 'refused') return { kind: 'silent', why: answer.reason };
  try {
    const parsed = schema.safeParse(JSON.parse(answer.body));
    if (answer.status === 200 && parsed.success) return { kind: 'said', value: parsed.data };
  } catch {
    // Not JSON: somebody else's answer, said below.
  }
  return { kind: 'silent', why: `${String(answer.status)} with something that is not Logstash's` };
}

export const rootSchema = z.object({ version: z.string(), http_address: z.string() });
export type Root = z.output<typeof rootSchema>;
export const statsSchema = z.object({ pipelines: z.record(z.string(), z.object({ events: z.object({ in: z.int(), out: z.int() }).nullish() })) });
export type Stats = z.output<typeof statsSchema>;

type Unit = Pick<UnitState, 'activeState' | 'subState' | 'result' | 'execMainStatus' | 'nRestarts' | 'mainPid'>;

/** Started anew while it was watched: it may look alive for half a minute of each turn. */
export function alive(unit: string, now: Unit, first: Unit): Judgement {
  const expected = `${unit} runs`;
  const hint = `journalctl -u ${unit} shows its last words`;
  if (now.activeState === 'failed' || now.subState.startsWith('auto-restart'))
    return wrong(expected, `it ended: ${now.result}, exit status ${String(now.execMainStatus)}`, hint, true);
  if (now.nRestarts > first.nRestarts) return wrong(expected, `it was started again ${String(now.nRestarts - first.nRestarts)} times meanwhile`, hint, true);
  if (now.activeState !== 'active') return wrong(expected, now.activeState, `systemctl start ${unit}, or run the role`);
  return pass(`pid ${String(now.mainPid)}`);
}

export function version(root: Said<Root>, wanted: string): Judgement {
  if (root.kind === 'silent') return wrong(`Logstash ${wanted}`, root.why, 'it starts for up to a minute; the diagnosis reads its log');
  if (root.value.version === wanted) return pass(`Logstash ${wanted} at ${root.value.http_address}`);
  return wrong(`Logstash ${wanted}`, root.value.version, 'another Logstash answers here, or this one was not restarted since its version was changed');
}

const PIPELINE = 'main';
const eventsOf = (stats: Said<Stats>): { readonly in: number; readonly out: number } | undefined =>
  stats.kind === 'said' ? (stats.value.pipelines[PIPELINE]?.events ?? undefined) : undefined;

export function pipeline(stats: Said<Stats>): Judgement {
  const expected = `the pipeline ${PIPELINE}`;
  if (stats.kind === 'silent') return wrong(expected, stats.why, 'the diagnosis reads its log');
  const { pipelines } = stats.value;
  if (PIPELINE in pipelines) return pass(PIPELINE);
  return wrong(expected, Object.keys(pipelines).join(', ') || 'none', 'the pipeline ended: its log says why');
}

/** `idle`: why none may come, and none is no fault. */
export function growing(now: Said<Stats>, first: Said<Stats>, idle?: string): Judgement {
  const [after, before] = [eventsOf(now), eventsOf(first)];
  const expected = 'more events out than a moment ago';
  if (after === undefined) return wrong(expected, now.kind === 'silent' ? now.why : 'no events counted', 'the diagnosis reads its log');
  // A start in between begins again at nothing.
  const since = before === undefined || before.out > after.out ? 0 : before.out;
  if (after.out > since) return pass(`${String(after.in)} in, ${String(after.out)} out`);
  if (idle !== undefined) return pass(`${String(after.out)} out: ${idle}`);
  return wrong(
    expected,
    `still ${String(after.out)} out, ${String(after.in)} in`,
    'nothing comes in, or where it goes to does not take it: its log says which',
  );
}
