/** Faults of limits that a service meets when it starts. That real Elasticsearch refuses them, on a kernel of its own, is seen by `npm run test:kernel`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../cli/program.mts';
import { diagnose } from '../../roles/elasticsearch/diagnose.mts';
import { row } from './table.mts';

describe('faults of limits', () => {
  row(
    52,
    {
      fault: 'a bootstrap check of Elasticsearch fails',
      done: 'what a real node printed with vm.max_map_count 65530',
      expected: 'the value, what is wanted, and the role that sets it',
    },
    () => {
      const read = (kind: string): string => readFileSync(join(ROOT, `test/cases/elasticsearch/logs/max-map-count-and-fd-enforced.${kind}`), 'utf8');
      const found = diagnose({
        journal: read('journal'),
        log: read('log'),
        sockets: [],
        candidates: [],
        memoryBytes: 24 * 1024 ** 3,
        nofile: 70_000,
        nofileVariable: undefined,
        grantedFiles: 1_048_576,
        nearest: () => undefined,
      });
      const about = found.find(({ cause }) => cause.includes('max_map_count'));
      expect(about?.cause).to.match(/vm\.max_map_count is 65530, Elasticsearch wants 262144/);
      expect(about?.fix).to.match(/--role os-limits/);
      return `${about?.cause ?? ''} — ${about?.fix ?? ''}`;
    },
  );
});
