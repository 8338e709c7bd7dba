/** Inventories whose hosts are instances of a cloud: what there is is asked first, once a project, and the run goes on from the same answers. */
import { z } from 'zod';
import { fail } from '../errors.mts';
import { instanceSchema, type Instance } from '../inventory/instance.mts';
import { checkInventory, loadInventory, type InventoryOptions } from '../inventory/load.mts';
import type { Inventory } from '../inventory/model.mts';
import { InventoryFailure } from '../inventory/problems.mts';
import { gcloud, gcloudJson } from '../plan/gcloud.mts';
import { askHere } from '../run/ask.mts';
import type { Controller } from '../run/controller.mts';

/** As `loadInventory`; nothing is asked while the files by themselves are wrong. Rejects with gcloud's own troubles (usage) or `unreadable`. */
export async function discoverInventory(options: InventoryOptions, controller: Controller): Promise<Inventory> {
  const { inventory, problems, projects } = checkInventory(options);
  if (inventory === undefined) throw new InventoryFailure(problems);
  if (projects.length === 0) return inventory;
  const instances = await Promise.all(projects.map(async (project) => [project, await instancesOf(project, controller)] as const));
  return loadInventory({ ...options, instances: new Map(instances) });
}

/** The whole list, without filters: the same answer serves every question of the run. */
async function instancesOf(project: string, controller: Controller): Promise<readonly Instance[]> {
  const question = gcloudJson(z.array(instanceSchema), gcloud(['compute', 'instances', 'list'], { project }));
  const answer = await askHere(question, controller);
  if (answer.kind === 'known') return answer.value;
  return fail('unreadable', `the instances of project ${project} could not be listed`, {
    message: `the instances of project ${project} could not be listed: ${answer.reason}`,
    hint: `try it by hand: gcloud compute instances list --project=${project}`,
  });
}
