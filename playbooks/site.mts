import { playbook, run } from '../lib/index.mts';
import { catalogue } from '../roles/index.mts';
import { stages } from './stages.mts';

await run(
  playbook({
    name: 'site',
    summary: 'Brings up the monitoring of Kafka as the inventory says, and proves that it works: check, apply, verify.',
    stages,
    catalogue,
  }),
);
