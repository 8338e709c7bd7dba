import { inventoryCommand } from '../lib/index.mts';
import { catalogue } from '../roles/index.mts';

await inventoryCommand(catalogue);
