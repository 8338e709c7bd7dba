/** Disks of a zone. */
import { bodies, read, type Body } from './bodies.mts';
import { checkScope, diskType, image } from './catalogue.mts';
import { birth, type Cloud } from './cloud.mts';
import { conditionNotMet, inUse, invalidField } from './errors.mts';
import { aggregated, list } from './lists.mts';
import type { Disk } from './resources.mts';
import { route, type Call, type Route } from './route.mts';
import { LINKS, checkName, labelled, lastPart, pathOf, present } from './values.mts';

const pathFor = ({ cloud, project, scope, name }: Call): string => cloud.disks.path(project.name, scope, name);

/** Makes the disk that a body describes, or that of an instance's new disk. @throws the API's error for what no disk may be. */
export function addDisk(cloud: Cloud, project: string, scope: string, body: Body<'disk'>): Disk {
  const path = cloud.disks.path(project, scope, checkName(body.name));
  cloud.disks.free(path);
  const source = body.sourceImage === undefined ? undefined : image(body.sourceImage);
  const type = diskType(project, lastPart(scope), body.type ?? 'pd-standard');
  const sizeGb = body.sizeGb ?? source?.diskSizeGb ?? (type.endsWith('pd-standard') ? '500' : '100');
  if (source !== undefined && Number(sizeGb) < Number(source.diskSizeGb)) {
    throw invalidField('sizeGb', sizeGb, `Requested disk size cannot be smaller than the image size (${source.diskSizeGb} GB)`);
  }
  if (Number(sizeGb) < 10 && body.sizeGb !== undefined) throw invalidField('sizeGb', sizeGb, 'Disk size cannot be smaller than 10 GB.');
  const { description, guestOsFeatures, licenses, resourcePolicies, provisionedIops, provisionedThroughput } = body;
  return cloud.disks.put({
    ...birth('disk', path),
    ...present({ description, guestOsFeatures, licenses, resourcePolicies, provisionedIops, provisionedThroughput, sourceImage: source?.selfLink }),
    zone: `${LINKS}projects/${project}/${scope}`,
    sizeGb,
    type,
    status: 'READY',
    physicalBlockSizeBytes: '4096',
    ...labelled(body.labels),
  });
}

/** Without the instance among its users. */
export function released(disk: Disk, instance: string): Disk {
  const { users = [], ...rest } = disk;
  return { ...rest, ...present({ users: users.filter((user) => user !== instance) }) };
}

export const diskRoutes: readonly Route[] = [
  route('GET', 'aggregated/disks', (call) => aggregated(call, 'disk', 'disks', 'zones', call.cloud.disks.all(call.project.name))),
  route('GET', 'zones/disks', (call) =>
    list(
      call,
      'disk',
      call.cloud.disks.all(call.project.name).filter(({ selfLink }) => selfLink.includes(`/${call.scope}/`)),
    ),
  ),
  route('GET', 'zones/disks/NAME', (call) => call.cloud.disks.require(pathFor(call))),
  route('POST', 'zones/disks', ({ cloud, project, scope, body }) => {
    checkScope(project.name, scope);
    const target = addDisk(cloud, project.name, scope, read(bodies.disk, body));
    const undo = () => {
      cloud.disks.delete(pathOf(target.selfLink));
    };
    return cloud.operations.start({ project: project.name, scope, type: 'insert', target, undo });
  }),
  route('POST', 'zones/disks/NAME/resize', (call) => {
    const { cloud, project, scope } = call;
    const target = cloud.disks.require(pathFor(call));
    const { sizeGb = '0' } = read(bodies.diskSize, call.body);
    if (Number(sizeGb) <= Number(target.sizeGb))
      throw invalidField('sizeGb', sizeGb, `New disk size must be larger than the current size of ${target.sizeGb} GB.`);
    const finish = () => {
      cloud.disks.put({ ...cloud.disks.require(pathFor(call)), sizeGb });
    };
    return cloud.operations.start({ project: project.name, scope, type: 'resizeDisk', target, finish });
  }),
  route('POST', 'zones/disks/NAME/setLabels', (call) => {
    const { cloud, project, scope } = call;
    const target = cloud.disks.require(pathFor(call));
    const { labels, labelFingerprint } = read(bodies.labels, call.body);
    if (labelFingerprint !== target.labelFingerprint) throw conditionNotMet('Labels fingerprint either invalid or resource labels have changed');
    const { labels: _old, ...rest } = target;
    const next = { ...rest, ...labelled(labels) };
    const finish = () => {
      cloud.disks.put(next);
    };
    return cloud.operations.start({ project: project.name, scope, type: 'setLabels', target, finish });
  }),
  route('DELETE', 'zones/disks/NAME', (call) => {
    const { cloud, project, scope } = call;
    const path = pathFor(call);
    const target = cloud.disks.require(path);
    cloud.idle(path);
    const user = target.users?.[0];
    if (user !== undefined) throw inUse(path, pathOf(user));
    const finish = () => {
      cloud.disks.delete(path);
    };
    return cloud.operations.start({ project: project.name, scope, type: 'delete', target, finish });
  }),
];
