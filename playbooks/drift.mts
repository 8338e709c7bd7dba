import { playbook, run } from '../lib/index.mts';
import { catalogue } from '../roles/index.mts';
import { stages } from './stages.mts';

await run(
  playbook({
    name: 'drift',
    summary: 'Says what differs from the inventory and what does not work. It can only read.',
    stages,
    catalogue,
  }),
  { readOnly: true },
);
