import { playbook } from '../lib/index.mts';
import { catalogue } from '../roles/index.mts';
import { labCommand } from '../roles/lab-hosts/cli.mts';
import { lab } from './stages.mts';

await labCommand(playbook({ name: 'lab', summary: 'Makes the hosts of the lab on this machine.', stages: lab, catalogue }));
