import { play } from '../lib/play.mts';

await play(
  async () => {
    const [{ stages }, { catalogue }] = await Promise.all([import('./stages.mts'), import('../roles/index.mts')]);
    return { name: 'drift', summary: 'Says what differs from the inventory and what does not work. It can only read.', stages, catalogue };
  },
  { readOnly: true },
);
