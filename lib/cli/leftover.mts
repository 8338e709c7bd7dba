import type { CutRun, Leftover, Unfinished } from '../run/journal.mts';
import type { EventBody } from '../report/events.mts';

const shown = ({ host, role, resource }: Unfinished): string => `${resource} on ${host} (${role})`;

/** Says what earlier runs left in the middle, and gives the way for events by which this run's findings about it are said. */
export function tellLeftover(leftover: Leftover, hosts: ReadonlySet<string>, emit: (event: EventBody) => void): (event: EventBody) => void {
  for (const run of leftover.runs) {
    const [within, without] = [run.steps.filter(({ host }) => hosts.has(host)), run.steps.filter(({ host }) => !hosts.has(host))];
    if (within.length > 0) emit({ kind: 'notice', text: `${ended(run)} ${within.map(shown).join(', ')}: this run asks anew` });
    if (without.length > 0) emit({ kind: 'notice', text: `${ended(run)} ${without.map(shown).join(', ')}, which this run leaves out: run it there too` });
  }
  return (event) => {
    emit(event);
    const step = leftover.settle(event);
    if (step !== undefined) emit({ kind: 'notice', text: `${shown(step)}, which an earlier run left in the middle, is in order` });
  };
}

const ended = ({ holder: { run, user, host, since } }: CutRun): string => `run ${run} of ${user}@${host}, begun ${since}, ended in the middle of`;
