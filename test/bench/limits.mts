/** The smallest playbook there is: one role everywhere. */
import { play } from '../../lib/play.mts';

await play(async () => {
  const { osLimits, roles } = await import('../../roles/index.mts');
  return { name: 'limits', summary: 'Limits of every host.', stages: [{ hosts: 'all', roles: [osLimits] }], catalogue: roles };
});
