/** Disks of a zone. */
import { bodies, read, type Body } from './bodies.mts';
import { diskType, image } from './catalogue.mts';
import { changed, deleted, inserted, operation, pathIn } from './changes.mts';
import { birth } from './cloud.mts';
import { conditionNotMet, invalidField } from './errors.mts';
import { aggregated, here, list } from './lists.mts';
import { checkScope } from './places.mts';
import type { Disk } from './resources.mts';
import { route, type Call, type Route } from './route.mts';
import { LINKS, checkName, labelled, lastPart, present } from './values.mts';

/** The disk that a body describes, or that of an instance's new disk. @throws the API's error for what no disk may be. */
export function newDisk({ cloud, project: { name: project }, scope }: Call, body: Body<'disk'>): Disk {
  const path = cloud.disks.path(project, scope, checkName(body.name));
  cloud.disks.free(path);
  const source = body.sourceImage === undefined ? undefined : image(body.sourceImage);
  const type = diskType(project, lastPart(scope), body.type ?? 'pd-standard');
  const sizeGb = body.sizeGb ?? source?.diskSizeGb ?? (type.endsWith('pd-standard') ? '500' : '100');
  if (source !== undefined && Number(sizeGb) < Number(source.diskSizeGb)) {
    throw invalidField('sizeGb', sizeGb, `Requested disk size cannot be smaller than the image size (${source.diskSizeGb} GB)`);
  }
  if (Number(sizeGb) < 10) throw invalidField('sizeGb', sizeGb, 'Disk size cannot be smaller than 10 GB.');
  const { description, guestOsFeatures, licenses, resourcePolicies, provisionedIops, provisionedThroughput } = body;
  return {
    ...birth('disk', path),
    ...present({ description, guestOsFeatures, licenses, resourcePolicies, provisionedIops, provisionedThroughput, sourceImage: source?.selfLink }),
    zone: `${LINKS}projects/${project}/${scope}`,
    sizeGb,
    type,
    status: 'READY',
    physicalBlockSizeBytes: '4096',
    ...labelled(body.labels),
  };
}

/** Without the instance among its users. */
export function released(disk: Disk, instance: string): Disk {
  const { users = [], ...rest } = disk;
  return { ...rest, ...present({ users: users.filter((user) => user !== instance) }) };
}

/** Instances show the size that their disks have now. */
function showSize({ cloud, project }: Call, source: string, diskSizeGb: string): void {
  for (const instance of cloud.instances.all(project.name)) {
    if (!instance.disks.some((disk) => disk.source === source)) continue;
    cloud.instances.put({ ...instance, disks: instance.disks.map((disk) => (disk.source === source ? { ...disk, diskSizeGb } : disk)) });
  }
}

export const diskRoutes: readonly Route[] = [
  route('GET', 'aggregated/disks', (call) => aggregated(call, 'disk', 'disks', 'zones', call.cloud.disks.all(call.project.name))),
  route('GET', 'zones/disks', (call) => list(call, 'disk', here(call, call.cloud.disks.all(call.project.name)))),
  route('GET', 'zones/disks/NAME', (call) => call.cloud.disks.require(pathIn(call.cloud.disks, call))),
  route('POST', 'zones/disks', (call) => {
    checkScope(call.project.name, call.scope);
    return inserted(call, call.cloud.disks, newDisk(call, read(bodies.disk, call.body)));
  }),
  route('POST', 'zones/disks/NAME/resize', (call) => {
    const target = call.cloud.disks.require(pathIn(call.cloud.disks, call));
    const { sizeGb = '0' } = read(bodies.diskSize, call.body);
    if (Number(sizeGb) <= Number(target.sizeGb))
      throw invalidField('sizeGb', sizeGb, `New disk size must be larger than the current size of ${target.sizeGb} GB.`);
    const finish = () => {
      call.cloud.disks.put({ ...call.cloud.disks.require(pathIn(call.cloud.disks, call)), sizeGb });
      showSize(call, target.selfLink, sizeGb);
    };
    return operation(call, 'resizeDisk', target, { finish });
  }),
  route('POST', 'zones/disks/NAME/setLabels', (call) => {
    const target = call.cloud.disks.require(pathIn(call.cloud.disks, call));
    const { labels, labelFingerprint } = read(bodies.labels, call.body);
    if (labelFingerprint !== target.labelFingerprint) throw conditionNotMet('Labels fingerprint either invalid or resource labels have changed');
    return changed(call, 'setLabels', call.cloud.disks, target, { labels: {}, ...labelled(labels) });
  }),
  route('DELETE', 'zones/disks/NAME', (call) => {
    const { users = [] } = call.cloud.disks.require(pathIn(call.cloud.disks, call));
    return deleted(
      call,
      call.cloud.disks,
      users.map((selfLink) => ({ selfLink })),
    );
  }),
];
