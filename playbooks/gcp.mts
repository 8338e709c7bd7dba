import { enableCompileCache } from '../lib/play.mts';

enableCompileCache();
const [{ cloudCommand }, { cloud }, { catalogue }] = await Promise.all([
  import('../roles/gcp-instances/cli.mts'),
  import('./stages.mts'),
  import('../roles/index.mts'),
]);
await cloudCommand({ stages: cloud, catalogue });
