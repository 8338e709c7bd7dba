import { play } from '../lib/play.mts';

await play(async () => {
  const [{ stages }, { catalogue }] = await Promise.all([import('./stages.mts'), import('../roles/index.mts')]);
  return {
    name: 'site',
    summary: 'Brings up the monitoring of Kafka as the inventory says, and proves that it works: check, apply, verify.',
    stages,
    catalogue,
  };
});
