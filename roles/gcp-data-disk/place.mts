/** Where a data disk is mounted, and which services wait for it. */
import type { Host, Inventory } from '../../lib/index.mts';
import { dataPlaces as elasticsearchPlaces } from '../elasticsearch/contract.mts';
import { gcp } from '../gcp-instances/contract.mts';
import { dataPlaces as kafkaPlaces } from '../kafka/contract.mts';

/** Said, or where what the host runs keeps its data; `undefined` where it runs nothing of that sort, or too much. */
export function mountPoint(host: Host, inventory: Inventory): string | undefined {
  const said = host.vars(gcp).data_disk_mount;
  if (said !== undefined) return said;
  const [elasticsearch] = elasticsearchPlaces(inventory, host);
  // Beside a broker ZooKeeper has little to keep.
  const [kafka] = kafkaPlaces(host);
  return elasticsearch === undefined || kafka === undefined ? (elasticsearch ?? kafka)?.path : undefined;
}

/** Services that keep data on the disk, sorted: without it they would begin anew on the boot disk. */
export function unitsOn(mount: string, host: Host, inventory: Inventory): readonly string[] {
  const places = [...elasticsearchPlaces(inventory, host), ...kafkaPlaces(host)];
  return [...new Set(places.filter(({ path }) => path === mount || path.startsWith(`${mount}/`)).map(({ unit }) => unit))].sort();
}
