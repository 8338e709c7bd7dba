/** Makes what the host is made from, with the programs of the lab: base image, archive and key. They stay for the next run. */
import { borrow, must, play, writeInventory } from '../lab/support.mts';
import { LAB, VARS } from './support.mts';

await borrow(LAB);
const inventory = writeInventory('ingredients.yaml', [{ name: 'es-01', address: '127.83.0.11', groups: ['es_masters'] }], VARS, LAB);
await must(play('lab', ['up', '-i', inventory, '--role', 'lab-image'], { env: { LAB_DIR: LAB }, timeoutMs: 1_800_000 }));
