import { enableCompileCache } from '../lib/play.mts';

enableCompileCache();
const [{ labCommand }, { lab }, { catalogue }] = await Promise.all([
  import('../roles/lab-hosts/cli.mts'),
  import('./stages.mts'),
  import('../roles/index.mts'),
]);
await labCommand({ name: 'lab', summary: 'Makes the hosts of the lab on this machine.', stages: lab, catalogue });
