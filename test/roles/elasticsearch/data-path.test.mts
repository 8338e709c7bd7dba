import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { dataProbe } from '../../../roles/elasticsearch/data-path.mts';

// The last commit of a real node's state: one refused at its first start, one that was in a cluster.
const CASES = resolve(import.meta.dirname, '../../cases/elasticsearch/data-path');
const SHELLS: readonly (readonly [string, ...string[]])[] = [['dash'], ['bash', '--posix'], ['busybox', 'sh']];

describe('a data path', () => {
  let data: string;
  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), 'data-'));
  });
  afterEach(() => {
    rmSync(data, { recursive: true, force: true });
  });

  const folder = (path: string): string => {
    mkdirSync(join(data, path), { recursive: true });
    return join(data, path);
  };
  const commit = (from: string, as = 'segments_1'): void => {
    copyFileSync(join(CASES, from), join(folder('nodes/0/_state'), as));
  };
  const worlds: readonly (readonly [what: string, make: () => void, says: 'fresh' | 'used'])[] = [
    [
      'absent',
      () => {
        rmSync(data, { recursive: true });
      },
      'fresh',
    ],
    ['empty', () => undefined, 'fresh'],
    [
      'with a folder of the node and no state',
      () => {
        folder('nodes/0');
      },
      'fresh',
    ],
    [
      'of a node refused at its first start',
      () => {
        commit('never-joined.segments');
        writeFileSync(join(folder('nodes/0'), 'node.lock'), '');
      },
      'fresh',
    ],
    [
      'of a member',
      () => {
        commit('joined.segments');
      },
      'used',
    ],
    [
      'of both, one after the other',
      () => {
        commit('never-joined.segments');
        commit('joined.segments', 'segments_2');
      },
      'used',
    ],
    [
      'with an index',
      () => {
        commit('never-joined.segments');
        folder('nodes/0/indices/abc');
      },
      'used',
    ],
    [
      'with the folder for indices only',
      () => {
        commit('never-joined.segments');
        folder('nodes/0/indices');
      },
      'fresh',
    ],
    [
      'with a state that cannot be read',
      () => {
        writeFileSync(join(folder('nodes/0/_state'), 'segments_1'), 'current_term');
      },
      'used',
    ],
    [
      'with a state and no commit',
      () => {
        writeFileSync(join(folder('nodes/0/_state'), 'manifest-0.st'), 'x');
      },
      'used',
    ],
    [
      'of two nodes',
      () => {
        commit('never-joined.segments');
        folder('nodes/1');
      },
      'used',
    ],
    [
      'of something else',
      () => {
        writeFileSync(join(data, 'important'), '');
      },
      'used',
    ],
    [
      'that is a file',
      () => {
        rmSync(data, { recursive: true });
        writeFileSync(data, '');
      },
      'used',
    ],
  ];
  for (const [shell, ...rest] of SHELLS) {
    for (const [what, make, says] of worlds) {
      it(`${what} is ${says} in ${shell}`, () => {
        make();
        expect(execFileSync(shell, [...rest, '-c', dataProbe(data)], { encoding: 'utf8' })).to.equal(`${says}\n`);
      });
    }
  }
});
