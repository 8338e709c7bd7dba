import { artifacts, controllerCommand, controllerOutput, question, type Answer, type Change, type Inventory, type Resource } from '../../lib/index.mts';
import { elasticsearch } from '../elasticsearch/contract.mts';
import { labHosts, program } from '../lab-hosts/contract.mts';

/** The archives that hosts of the lab take from this machine where the vendor cannot be reached, one resource each. */
export function archives(inventory: Inventory, seconds: number): readonly Resource[] {
  const wishes = new Map<string, 'auto' | 'assembled'>();
  const members = new Set([...inventory.group('es_masters'), ...inventory.group('es_data')]);
  for (const host of labHosts(inventory).filter((one) => members.has(one))) {
    const { version, source, managed } = host.vars(elasticsearch);
    if (managed && source !== 'official') wishes.set(version, wishes.get(version) === 'assembled' ? 'assembled' : source);
  }
  return [...wishes].flatMap(([version, source]) => {
    const build = artifacts()['elasticsearch']?.[version];
    const part = build?.assembled?.parts[0];
    if (build?.assembled === undefined || part === undefined) return [];
    const { file } = build.assembled;
    return [
      controllerCommand(`lab archive elasticsearch ${version}`, {
        because: ['elasticsearch_source', 'elasticsearch_version'],
        differs: archiveState(file).map((found) => differing(source, found)),
        run: (steps) => {
          steps.within(seconds, (longer) => {
            longer.controller(program('lab-archive', 'make', file, source, build.official.url, part.url, part.bytes.toString(), part.sha256));
          });
        },
      }),
    ];
  });
}

const STATES = ['official', 'assembled', 'missing'] as const;
export type ArchiveState = (typeof STATES)[number];

/** What was found once stays: a vendor that is away today is no reason to exchange what runs on the hosts. */
export function differing(source: 'auto' | 'assembled', found: ArchiveState): readonly Change[] {
  if (found === 'assembled' || (found === 'official' && source === 'auto')) return [];
  const to = source === 'auto' ? "the vendor's where it can be reached, else assembled" : 'assembled';
  return [{ field: 'archive', from: found === 'missing' ? { kind: 'absent' } : { kind: 'text', text: found }, to: { kind: 'text', text: to } }];
}

function archiveState(file: string) {
  const asked = controllerOutput(program('lab-archive', 'status', file));
  return question(asked.asks, (answers): Answer<ArchiveState> => {
    const answer = asked.read(answers);
    if (answer.kind === 'unavailable') return answer;
    const state = STATES.find((one) => one === answer.value.stdout.trim());
    return state === undefined ? { kind: 'unavailable', reason: answer.value.stderr.trim() || 'lab-archive.sh said nothing' } : { kind: 'known', value: state };
  });
}
