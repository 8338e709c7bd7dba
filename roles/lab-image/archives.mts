import { createHash } from 'node:crypto';
import { globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  artifacts,
  controllerCommand,
  controllerOutput,
  projectPath,
  question,
  type Answer,
  type Assembly,
  type Change,
  type Inventory,
  type Resource,
} from '../../lib/index.mts';
import { archiveWishes, program, type ArchiveWish } from '../lab-hosts/contract.mts';

/** The archives that hosts of the lab take from this machine where the vendor cannot be reached, one resource each. */
export function archives(inventory: Inventory, seconds: number): readonly Resource[] {
  return archiveWishes(inventory).flatMap((wish) => {
    const build = artifacts()[wish.product]?.[wish.version];
    return build?.assembled === undefined ? [] : [archive(wish, build.official.url, build.assembled, seconds)];
  });
}

function archive({ product, version, source }: ArchiveWish, officialUrl: string, assembly: Assembly, seconds: number): Resource {
  const { file, parts, build } = assembly;
  const inputs = inputsOf(assembly);
  const words = parts.flatMap(({ url, bytes, sha256, into }) => [url, bytes.toString(), sha256, into ?? '.']);
  return controllerCommand(`lab archive ${product} ${version}`, {
    because: [`${product}_source`, `${product}_version`],
    differs: archiveState(file, inputs).map((found) => differing(source, found)),
    run: (steps) => {
      steps.within(seconds, (longer) => {
        longer.controller(program('lab-archive', 'make', file, inputs, source, officialUrl, build === undefined ? '-' : projectPath(build), ...words));
      });
    },
  });
}

/** Digest of all that an assembled archive is made from: with it an archive of an older recipe is told from a current one. */
export function inputsOf({ parts, build }: Assembly): string {
  const hash = createHash('sha256').update(JSON.stringify(parts));
  const folder = build === undefined ? undefined : dirname(projectPath(build));
  const files =
    folder === undefined
      ? []
      : globSync('**', { cwd: folder })
          .sort()
          .map((name) => join(folder, name));
  for (const file of files) if (statSync(file).isFile()) hash.update(`\0${file}\0`).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

const STATES = ['official', 'assembled', 'outdated', 'missing'] as const;
export type ArchiveState = (typeof STATES)[number];

/** What was found once stays: a vendor that is away today is no reason to exchange what runs on the hosts. */
export function differing(source: 'auto' | 'assembled', found: ArchiveState): readonly Change[] {
  if (found === 'assembled' || (found === 'official' && source === 'auto')) return [];
  const to = source === 'auto' ? "the vendor's where it can be reached, else assembled" : 'assembled';
  return [{ field: 'archive', from: found === 'missing' ? { kind: 'absent' } : { kind: 'text', text: found }, to: { kind: 'text', text: to } }];
}

function archiveState(file: string, inputs: string) {
  const asked = controllerOutput(program('lab-archive', 'status', file, inputs));
  return question(asked.asks, (answers): Answer<ArchiveState> => {
    const answer = asked.read(answers);
    if (answer.kind === 'unavailable') return answer;
    const state = STATES.find((one) => one === answer.value.stdout.trim());
    return state === undefined ? { kind: 'unavailable', reason: answer.value.stderr.trim() || 'lab-archive.sh said nothing' } : { kind: 'known', value: state };
  });
}
