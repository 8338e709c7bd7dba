/** Instances of a zone: made, started and stopped, and changed field by field. */
import { bodies, read, type Body } from './bodies.mts';
import { machineType } from './catalogue.mts';
import { changed, operation, pathIn } from './changes.mts';
import { birth } from './cloud.mts';
import { released } from './disks.mts';
import { ApiError, OperationError, conditionNotMet, invalid, invalidField } from './errors.mts';
import { accessConfig, attachment, metadata, networkInterface, serviceAccounts, tags, type Attachment } from './instance-parts.mts';
import { aggregated, here, list } from './lists.mts';
import { checkScope } from './places.mts';
import { switchOff, switchOn } from './power.mts';
import type { Instance } from './resources.mts';
import { route, type Call, type Route } from './route.mts';
import { LINKS, checkName, fingerprintOf, labelled, lastPart, pathOf, present, required } from './values.mts';

const pathFor = (call: Call): string => pathIn(call.cloud.instances, call);

/** The instance that a body describes, before its disks. @throws the API's error for what no instance may be. */
function newInstance(call: Call, body: Body<'instance'>): Instance {
  const { cloud, project, scope } = call;
  const path = cloud.instances.path(project.name, scope, checkName(body.name));
  cloud.instances.free(path);
  const born = birth('instance', path);
  const networkInterfaces = required(body.networkInterfaces, 'networkInterfaces').map((entry, index) => networkInterface(call, index, entry));
  if (networkInterfaces.length === 0) throw invalidField('networkInterfaces', '', 'At least one network interface is required.');
  const { description, hostname, displayDevice, scheduling, shieldedInstanceConfig } = body;
  return {
    ...born,
    ...present({ description, hostname, displayDevice }),
    ...serviceAccounts(project, body.serviceAccounts),
    ...labelled(body.labels),
    status: 'PROVISIONING',
    zone: `${LINKS}projects/${project.name}/${scope}`,
    machineType: machineType(project.name, lastPart(scope), required(body.machineType, 'machineType')),
    cpuPlatform: 'Intel Broadwell',
    canIpForward: body.canIpForward ?? false,
    deletionProtection: body.deletionProtection ?? false,
    metadata: metadata(body.metadata),
    tags: tags(body.tags?.items),
    fingerprint: fingerprintOf(born.id),
    networkInterfaces,
    disks: [],
    scheduling: { automaticRestart: true, onHostMaintenance: 'MIGRATE', preemptible: false, provisioningModel: 'STANDARD', ...scheduling },
    shieldedInstanceConfig: { enableIntegrityMonitoring: true, enableSecureBoot: false, enableVtpm: true, ...shieldedInstanceConfig },
  };
}

function insert(call: Call): object {
  const { cloud, project, scope } = call;
  checkScope(project.name, scope);
  const body = read(bodies.instance, call.body);
  const described = newInstance(call, body);
  const wanted = required(body.disks, 'disks');
  if (wanted.filter(({ boot }) => boot).length !== 1) throw invalidField('disks', '', 'Exactly one boot disk is required.');
  const attached: Attachment[] = [];
  const undo = () => {
    for (const { disk, made } of attached) {
      if (made) cloud.disks.delete(pathOf(disk.selfLink));
      else cloud.disks.put(released(disk, described.selfLink));
    }
    cloud.instances.delete(pathOf(described.selfLink));
  };
  try {
    wanted.forEach((entry, index) => {
      const next = attachment(call, described, index, entry);
      cloud.disks.put(next.disk);
      attached.push(next);
    });
  } catch (error) {
    undo();
    throw error;
  }
  const target = cloud.instances.put<Instance>({ ...described, disks: attached.map(({ shown }) => shown) });
  const finish = async () => {
    checkAddresses(call, target);
    await switchOn(cloud, pathOf(target.selfLink), 'created');
  };
  return operation(call, 'insert', target, { finish, undo });
}

/** That an address is taken turns out only while the instance is made. */
function checkAddresses({ cloud, project }: Call, { id, networkInterfaces }: Instance): void {
  const all = cloud.instances.all(project.name);
  const older = all.slice(
    0,
    all.findIndex((instance) => instance.id === id),
  );
  for (const { networkIP, network } of networkInterfaces) {
    const taken = older.some((other) => other.networkInterfaces.some((entry) => entry.networkIP === networkIP && entry.network === network));
    if (taken) throw new OperationError('IP_IN_USE_BY_ANOTHER_RESOURCE', 400, `IP '${networkIP}' is already being used by another resource.`);
  }
}

/** A change that takes effect when its operation is done; what is wrong with it is said at once. */
function change(call: Call, type: string, next: (instance: Instance) => Partial<Instance>): object {
  const target = call.cloud.instances.require(pathFor(call));
  call.cloud.idle(pathFor(call));
  return changed(call, type, call.cloud.instances, target, next(target));
}

function stopped(instance: Instance, what: string): void {
  if (instance.status !== 'TERMINATED') throw invalid(`Invalid resource usage: 'The instance must be stopped before ${what} can be changed.'.`);
}

function interfaceOf(instance: Instance, name: string | null): Instance['networkInterfaces'][number] {
  const found = instance.networkInterfaces.find((entry) => entry.name === name);
  if (found === undefined) throw invalid(`Invalid value for field 'networkInterface': '${String(name)}'. The network interface does not exist.`);
  return found;
}

function remove(call: Call): object {
  const { cloud } = call;
  const path = pathFor(call);
  const target = cloud.instances.require(path);
  cloud.idle(path);
  if (target.deletionProtection) {
    throw new ApiError(400, 'invalidResourceUsage', "Invalid resource usage: 'Resource cannot be deleted if it's protected against deletion.'.");
  }
  cloud.instances.put({ ...target, status: 'STOPPING' });
  const finish = async () => {
    await switchOff(cloud, path, 'deleted');
    for (const { source, autoDelete } of target.disks) {
      const disk = cloud.disks.get(pathOf(source));
      if (disk === undefined) continue;
      if (autoDelete) cloud.disks.delete(pathOf(source));
      else cloud.disks.put(released(disk, target.selfLink));
    }
    cloud.instances.delete(path);
  };
  return operation(call, 'delete', target, { finish, undo: () => cloud.instances.put(target) });
}

function power(call: Call, type: 'start' | 'stop' | 'reset'): object {
  const { cloud } = call;
  const path = pathFor(call);
  const target = cloud.instances.require(path);
  cloud.idle(path);
  const finish = async () => {
    if (type !== 'start' && target.status === 'RUNNING') await switchOff(cloud, path, 'stopped');
    if (type !== 'stop' && cloud.instances.require(path).status !== 'RUNNING') await switchOn(cloud, path, 'started');
  };
  if (type === 'stop' && target.status === 'RUNNING') cloud.instances.put({ ...target, status: 'STOPPING' });
  return operation(call, type, target, { finish, undo: () => cloud.instances.put(target) });
}

export const instanceRoutes: readonly Route[] = [
  route('GET', 'aggregated/instances', (call) => aggregated(call, 'instance', 'instances', 'zones', call.cloud.instances.all(call.project.name))),
  route('GET', 'zones/instances', (call) => list(call, 'instance', here(call, call.cloud.instances.all(call.project.name)))),
  route('GET', 'zones/instances/NAME', (call) => call.cloud.instances.require(pathFor(call))),
  route('POST', 'zones/instances', insert),
  route('DELETE', 'zones/instances/NAME', remove),
  ...(['start', 'stop', 'reset'] as const).map((type) => route('POST', `zones/instances/NAME/${type}`, (call) => power(call, type))),
  route('POST', 'zones/instances/NAME/setMachineType', (call) =>
    change(call, 'setMachineType', (instance) => {
      stopped(instance, 'its machine type');
      return { machineType: machineType(call.project.name, lastPart(call.scope), required(read(bodies.machineType, call.body).machineType, 'machineType')) };
    }),
  ),
  route('POST', 'zones/instances/NAME/setServiceAccount', (call) =>
    change(call, 'setServiceAccount', (instance) => {
      stopped(instance, 'its service account');
      const account = read(bodies.serviceAccount, call.body);
      return { serviceAccounts: [], ...serviceAccounts(call.project, account.email === undefined ? [] : [account]) };
    }),
  ),
  route('POST', 'zones/instances/NAME/setTags', (call) =>
    change(call, 'setTags', (instance) => {
      const { items, fingerprint } = read(bodies.tags, call.body);
      if (fingerprint !== instance.tags.fingerprint) throw conditionNotMet('Supplied fingerprint does not match current tags fingerprint.');
      return { tags: tags(items) };
    }),
  ),
  route('POST', 'zones/instances/NAME/setMetadata', (call) =>
    change(call, 'setMetadata', (instance) => {
      const body = read(bodies.metadata, call.body);
      if (body.fingerprint !== instance.metadata.fingerprint) throw conditionNotMet('Supplied fingerprint does not match current metadata fingerprint.');
      return { metadata: metadata(body) };
    }),
  ),
  route('POST', 'zones/instances/NAME/setLabels', (call) =>
    change(call, 'setLabels', (instance) => {
      const { labels, labelFingerprint } = read(bodies.labels, call.body);
      if (labelFingerprint !== instance.labelFingerprint) throw conditionNotMet('Labels fingerprint either invalid or resource labels have changed');
      return { labels: {}, ...labelled(labels) };
    }),
  ),
  route('POST', 'zones/instances/NAME/setDeletionProtection', (call) =>
    change(call, 'setDeletionProtection', () => ({ deletionProtection: call.query.get('deletionProtection')?.toLowerCase() !== 'false' })),
  ),
  route('POST', 'zones/instances/NAME/setDiskAutoDelete', (call) =>
    change(call, 'setDiskAutoDelete', ({ disks }) => {
      const device = call.query.get('deviceName');
      if (!disks.some(({ deviceName }) => deviceName === device)) throw invalidField('deviceName', String(device), 'No attached disk found with device name.');
      const autoDelete = call.query.get('autoDelete')?.toLowerCase() === 'true';
      return { disks: disks.map((disk) => (disk.deviceName === device ? { ...disk, autoDelete } : disk)) };
    }),
  ),
  route('POST', 'zones/instances/NAME/attachDisk', (call) =>
    change(call, 'attachDisk', (instance) => {
      const body = read(bodies.attachedDisk, call.body);
      if (body.deviceName !== undefined && instance.disks.some(({ deviceName }) => deviceName === body.deviceName)) {
        throw invalidField('deviceName', body.deviceName, 'A disk with this device name is attached already.');
      }
      const { shown, disk } = attachment(call, instance, instance.disks.length, body);
      call.cloud.disks.put(disk);
      return { disks: [...instance.disks, shown] };
    }),
  ),
  route('POST', 'zones/instances/NAME/detachDisk', (call) =>
    change(call, 'detachDisk', (instance) => {
      const device = call.query.get('deviceName');
      const found = instance.disks.find(({ deviceName }) => deviceName === device);
      if (found === undefined) throw invalidField('deviceName', String(device), 'No attached disk found with device name.');
      call.cloud.disks.put(released(call.cloud.disks.require(pathOf(found.source)), instance.selfLink));
      return { disks: instance.disks.filter((disk) => disk !== found) };
    }),
  ),
  route('POST', 'zones/instances/NAME/addAccessConfig', (call) =>
    change(call, 'addAccessConfig', (instance) => {
      const nic = interfaceOf(instance, call.query.get('networkInterface'));
      if (nic.accessConfigs !== undefined) throw invalid('At most one access config currently supported.');
      const config = accessConfig(call.cloud, 'accessConfig', read(bodies.accessConfig, call.body));
      const natIP = config.natIP ?? (instance.status === 'RUNNING' ? call.cloud.ephemeral() : undefined);
      const next = { ...nic, accessConfigs: [{ ...config, ...present({ natIP }) }] };
      return { networkInterfaces: instance.networkInterfaces.map((entry) => (entry === nic ? next : entry)) };
    }),
  ),
  route('POST', 'zones/instances/NAME/deleteAccessConfig', (call) =>
    change(call, 'deleteAccessConfig', (instance) => {
      const nic = interfaceOf(instance, call.query.get('networkInterface'));
      const wanted = call.query.get('accessConfig');
      if (!nic.accessConfigs?.some(({ name }) => name === wanted))
        throw invalid(`Invalid value for field 'accessConfig': '${String(wanted)}'. The access config does not exist.`);
      const { accessConfigs: _gone, ...rest } = nic;
      return { networkInterfaces: instance.networkInterfaces.map((entry) => (entry === nic ? rest : entry)) };
    }),
  ),
  route('GET', 'zones/instances/NAME/getGuestAttributes', (call) => {
    const { cloud, query } = call;
    const {
      metadata: { items = [] },
      selfLink,
    } = cloud.instances.require(pathFor(call));
    if (!items.some(({ key, value }) => key === 'enable-guest-attributes' && /^(true|1|y|yes)$/i.test(value))) {
      throw new ApiError(403, 'forbidden', 'Guest attributes endpoint access is disabled.');
    }
    const queryPath = query.get('queryPath') ?? query.get('variableKey') ?? '';
    const hostKeys = 'hostkeys/'.startsWith(queryPath) ? (cloud.guests.get(pathFor(call))?.hostKeys ?? []) : [];
    if (hostKeys.length === 0) throw new ApiError(404, 'notFound', `The resource '${queryPath}' of type 'Guest Attribute' was not found.`);
    const attributes = hostKeys.map((line) => line.split(' ')).map(([key, value]) => ({ namespace: 'hostkeys', key, value }));
    return { kind: 'compute#guestAttributes', selfLink: `${selfLink}/getGuestAttributes`, queryPath, queryValue: { items: attributes } };
  }),
  route('GET', 'zones/instances/NAME/serialPort', (call) => {
    const { selfLink } = call.cloud.instances.require(pathFor(call));
    const output = call.query.get('port') === '1' || call.query.get('port') === null ? (call.cloud.guests.get(pathFor(call))?.console ?? '') : '';
    const start = Number(call.query.get('start') ?? 0);
    return {
      kind: 'compute#serialPortOutput',
      selfLink: `${selfLink}/serialPort`,
      contents: output.slice(start),
      start: String(start),
      next: String(output.length),
    };
  }),
];
