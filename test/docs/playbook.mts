/** Runs the example role of the README. */
import { play } from '../../lib/play.mts';

await play(async () => {
  const { default: swap } = await import('./role.mts');
  return { name: 'playbook', summary: 'Keeps memory in memory.', stages: [{ hosts: 'all', roles: [swap] }], catalogue: [swap] };
});
