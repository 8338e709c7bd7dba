/** Ten questions about files that every tool here can ask: the same as in `ansible.yaml` and `pyinfra.py`. */
import { z } from 'zod';
import { play } from '../../../lib/play.mts';

await play(async () => {
  const { absent, contract, defineRole, directory, file, line } = await import('../../../lib/index.mts');
  const ten = contract('ten', z.strictObject({ directory: z.string(), owner: z.string() }));
  const role = defineRole({
    contract: ten,
    summary: 'three directories, four files, two lines, and one file that must not be there',
    runs: 'host',
    per: 'host',
    resources: ({ vars }) => {
      const at = (name: string): string => `${vars.directory}/${name}`;
      const owned = { owner: vars.owner, group: 'nogroup' };
      return [
        ...['etc', 'etc/conf.d', 'data'].map((name) => directory(at(name), { ...owned, mode: 0o755 })),
        ...['one', 'two', 'three', 'four'].map((name) => file(at(`etc/conf.d/${name}.conf`), { ...owned, mode: 0o644, content: `name = ${name}\n` })),
        line(at('etc/main.conf'), { line: 'listen = 127.0.0.1' }),
        line(at('etc/main.conf'), { line: 'workers = 4' }),
        absent(at('etc/old.conf')),
      ];
    },
  });
  return {
    name: 'ten',
    summary: 'Ten questions about files.',
    stages: [{ hosts: 'all', roles: [role] }],
    catalogue: [role],
  };
});
