import type { Change, Resource } from '../plan/model.mts';
import { all, known, refine, text, unavailable, unitState, type UnitState } from '../plan/questions.mts';
import { inputsDigest, type Input } from '../shell/digest.mts';
import { absentShown, change, has, resource, type Common } from './resource.mts';
import { recordPath, startRecord } from './start-record.mts';

export interface ServiceOptions extends Common {
  /** `true` unless said. */
  readonly running?: boolean;
  /** `true` unless said. */
  readonly enabled?: boolean;
  /** What needs a restart when it changes: needs `startRecord(unit, inputs)` beside it. */
  readonly inputs?: readonly Input[];
  /** `false`: never restarted because of its inputs. */
  readonly restart?: boolean;
}

/** Enough of a digest to tell two apart. */
const short = (digest: string): string => digest.slice(0, 12);

/** States in which systemd cannot enable or need not. */
const ENABLED: readonly string[] = ['enabled', 'static', 'alias', 'generated', 'transient'];
const DISABLED: readonly string[] = ['', 'disabled', 'static', 'masked', 'indirect', 'enabled-runtime', 'linked', 'bad'];

/** `auto-restart`, and since systemd 254 also `auto-restart-queued`. */
const isCrashLoop = (now: UnitState): boolean => now.subState.startsWith('auto-restart');

/** A crash loop is `activating` too, but nothing runs. */
const isRunning = (now: UnitState): boolean =>
  ['active', 'reloading', 'refreshing'].includes(now.activeState) || (now.activeState === 'activating' && !isCrashLoop(now));

function startedWith(now: UnitState, record: string | undefined, wanted: string): readonly Change[] {
  const [invocation, digest = ''] = record?.trim().split(' ') ?? [];
  if (invocation === now.invocationId && digest === wanted) return [];
  const from = digest === '' ? absentShown : invocation === now.invocationId ? short(digest) : 'unknown: it was started without being recorded';
  return [change('started-with', from, short(wanted), { disrupts: true })];
}

/** A systemd service that runs, is enabled, and was started with what is wanted now. */
export function service(unit: string, options: ServiceOptions = {}): Resource {
  const { running = true, enabled = true, restart = true, inputs = [] } = options;
  const wanted = inputs.length > 0 && restart && running ? inputsDigest(inputs) : undefined;
  const enabling = (now: UnitState): readonly Change[] => {
    const right = (enabled ? ENABLED : DISABLED).includes(now.unitFileState);
    return right ? [] : [change('enabled', now.unitFileState === '' ? absentShown : now.unitFileState, enabled ? 'enabled' : 'disabled')];
  };
  const state = all({ now: unitState(unit), record: text(recordPath(unit)) });
  return resource(`service ${unit}`, options, {
    wanted: [running, enabled, wanted],
    differs: refine(state, ({ now, record }) => {
      if (now.loadState !== 'loaded' && now.loadState !== 'not-found' && now.loadState !== 'masked')
        return unavailable(`${unit} is not valid: LoadState=${now.loadState}`);
      // What does not exist is neither enabled nor running, and need not be stopped.
      const up = isRunning(now);
      const activity =
        up === running
          ? []
          : [
              change(
                'active',
                isCrashLoop(now) ? 'failing, restarted again and again' : now.activeState,
                running ? 'active' : 'inactive',
                up ? { disrupts: true } : {},
              ),
            ];
      return known([...enabling(now), ...activity, ...(up && wanted !== undefined ? startedWith(now, record, wanted) : [])]);
    }),
    apply(changes, steps) {
      if (has(changes, 'enabled')) steps.sh`systemctl ${enabled ? 'enable' : 'disable'} --quiet -- ${unit}`;
      if (!has(changes, 'active') && !has(changes, 'started-with')) return;
      if (!running) {
        steps.within(STOP_SECONDS, (bounded) => {
          bounded.sh`systemctl stop -- ${unit}`;
        });
        return;
      }
      // A crash loop is ended by restart only; reset-failed clears a start limit that earlier failures used up.
      const verb =
        has(changes, 'started-with') || changes.some(({ field, from }) => field === 'active' && from.kind === 'text' && from.text.startsWith('failing'))
          ? 'restart'
          : 'start';
      steps.within(START_SECONDS, (bounded) => {
        bounded.sh`unit=${unit}
if [ "$(systemctl show --property=NeedDaemonReload --value -- "$unit")" = yes ]; then systemctl daemon-reload; fi
systemctl reset-failed -- "$unit" 2>/dev/null || :
failed=
systemctl ${verb} -- "$unit" || failed=1
# A simple service counts as started before it has read its configuration: one that fails at once is seen here.
if [ -z "$failed" ]; then
  sleep 1
  case $(systemctl show --property=ActiveState,SubState --value -- "$unit") in *failed*|*auto-restart*) failed=1 ;; esac
fi
if [ -n "$failed" ]; then
  journalctl --unit="$unit" --lines=15 --no-pager --output=cat 2>/dev/null || :
  say "$unit did not stay up: $(systemctl show --property=Result --value -- "$unit"), exit status $(systemctl show --property=ExecMainStatus --value -- "$unit")"
  exit 1
fi`;
      });
    },
  });
}

/** A service may take this long to say that it is up; TimeoutStartSec of the unit usually ends it sooner. */
const START_SECONDS = 300;
const STOP_SECONDS = 300;

/** A service with the resources that record its starts, in order. */
export const recordedService = (unit: string, options: ServiceOptions & { readonly inputs: readonly Input[] }): readonly Resource[] => [
  ...startRecord(unit, options.inputs, options),
  service(unit, options),
];
