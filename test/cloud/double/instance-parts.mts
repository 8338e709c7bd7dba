/** What an instance is made of, read from bodies and completed as the API completes it. */
import { address, contains, dotted, range, usable } from './addresses.mts';
import type { Body } from './bodies.mts';
import type { Cloud, Project } from './cloud.mts';
import { newDisk } from './disks.mts';
import { OperationError, inUse, invalid, invalidField } from './errors.mts';
import { regionOf } from './places.mts';
import type { AccessConfig, AttachedDisk, Disk, Instance, Metadata, Network, NetworkInterface, Subnetwork } from './resources.mts';
import type { Call } from './route.mts';
import { checkTags, fingerprintOf, lastPart, pathOf, present, required } from './values.mts';

export function metadata(given: Body<'metadata'> | undefined): Metadata {
  const items = (given?.items ?? []).map(({ key, value = '' }, index) => {
    const field = `metadata.items[${String(index)}].key`;
    const name = required(key, field);
    if (!/^[\w-]{1,128}$/.test(name)) throw invalidField(field, name, "Must be a match of regex '[a-zA-Z0-9-_]{1,128}'");
    if (value.length > 262_144) throw invalidField(field, name, 'Value is too large.');
    return { key: name, value };
  });
  const twice = items.find(({ key }, index) => items.findIndex((item) => item.key === key) < index);
  if (twice !== undefined) throw invalid(`Metadata has duplicate key: '${twice.key}'`);
  return { kind: 'compute#metadata', fingerprint: fingerprintOf(items), ...present({ items }) };
}

export function tags(given: readonly string[] = []): Instance['tags'] {
  checkTags('tags.items', given);
  return { fingerprint: fingerprintOf(given), ...present({ items: given }) };
}

export function serviceAccounts(project: Project, given: Body<'instance'>['serviceAccounts'] = []): Pick<Instance, 'serviceAccounts'> {
  if (given.length > 1) throw invalidField('serviceAccounts', '', 'At most one service account can be attached.');
  const accounts = given.map(({ email, scopes = [] }) => {
    const account = required(email, 'serviceAccounts[0].email');
    if (account !== 'default' && !/^[\w.-]+@[\w.-]+$/.test(account)) throw invalidField('serviceAccounts[0].email', account, 'The account does not exist.');
    for (const scope of scopes)
      if (!scope.startsWith('https://www.googleapis.com/auth/')) throw invalidField('serviceAccounts[0].scopes', scope, 'Unknown scope.');
    return { email: account === 'default' ? `${project.number}-compute@developer.gserviceaccount.com` : account, scopes };
  });
  return present({ serviceAccounts: accounts });
}

/** Where the interface is, by the names of its network and subnetwork. */
function place(
  { cloud, project, scope }: Call,
  field: string,
  body: { network?: string | undefined; subnetwork?: string | undefined },
): readonly [Network, Subnetwork] {
  const region = `regions/${regionOf(lastPart(scope))}`;
  const subnetwork = body.subnetwork === undefined ? undefined : cloud.linked(cloud.subnetworks, `${field}.subnetwork`, body.subnetwork);
  if (subnetwork !== undefined && !subnetwork.selfLink.includes(`/${region}/`)) {
    throw invalidField(`${field}.subnetwork`, subnetwork.selfLink, `The subnetwork is not in region '${regionOf(lastPart(scope))}'.`);
  }
  const network = cloud.linked(
    cloud.networks,
    `${field}.network`,
    body.network ?? subnetwork?.network ?? cloud.networks.path(project.name, 'global', 'default'),
  );
  if (subnetwork !== undefined && subnetwork.network !== network.selfLink)
    throw invalidField(`${field}.subnetwork`, subnetwork.selfLink, 'The subnetwork is not in the given network.');
  if (subnetwork === undefined && !network.autoCreateSubnetworks) {
    throw invalidField(`${field}.network`, network.selfLink, 'Network interface must specify a subnet if the network resource is in custom subnet mode.');
  }
  return [network, subnetwork ?? cloud.linked(cloud.subnetworks, `${field}.network`, cloud.subnetworks.path(project.name, region, network.name))];
}

/** The private address: the wanted one if it is in the range, or the first that nobody has. Whether a wanted one is taken turns out in the operation. */
function privateAddress({ cloud, project }: Call, field: string, subnetwork: Subnetwork, wanted: string | undefined): string {
  const available = range('ipCidrRange', subnetwork.ipCidrRange);
  if (wanted !== undefined) {
    const value = address(wanted);
    if (value === undefined) throw invalidField(`${field}.networkIP`, wanted, 'Must be a valid IPv4 address.');
    if (!contains(available, value)) throw invalidField(`${field}.networkIP`, wanted, 'Requested internal IP address is outside the network/subnetwork range.');
    if (!usable(available, value)) throw invalidField(`${field}.networkIP`, wanted, 'Requested internal IP address is reserved.');
    return wanted;
  }
  const taken = new Set(cloud.instances.all(project.name).flatMap(({ networkInterfaces }) => networkInterfaces.map(({ networkIP }) => networkIP)));
  for (let value = available.first + 2; value < available.last - 1; value++) if (!taken.has(dotted(value))) return dotted(value);
  throw new OperationError('IP_SPACE_EXHAUSTED', 400, `IP space of '${pathOf(subnetwork.selfLink)}' is exhausted.`);
}

/** @throws the API's error for an external address that nobody reserved. */
export function accessConfig(cloud: Cloud, field: string, { name = 'external-nat', natIP, networkTier = 'PREMIUM' }: Body<'accessConfig'>): AccessConfig {
  if (natIP !== undefined && !cloud.reserved(natIP)) throw invalidField(`${field}.natIP`, natIP, `The specified external IP address '${natIP}' was not found.`);
  return { kind: 'compute#accessConfig', type: 'ONE_TO_ONE_NAT', name, networkTier, ...present({ natIP }) };
}

export function networkInterface(call: Call, index: number, body: NonNullable<Body<'instance'>['networkInterfaces']>[number]): NetworkInterface {
  const field = `networkInterfaces[${String(index)}]`;
  const [network, subnetwork] = place(call, field, body);
  const { accessConfigs = [], stackType = 'IPV4_ONLY' } = body;
  if (accessConfigs.length > 1) throw invalidField(`${field}.accessConfigs`, '', 'At most one access config currently supported.');
  const networkIP = privateAddress(call, field, subnetwork, body.networkIP);
  return {
    kind: 'compute#networkInterface',
    name: `nic${String(index)}`,
    network: network.selfLink,
    subnetwork: subnetwork.selfLink,
    networkIP,
    fingerprint: fingerprintOf([networkIP, accessConfigs]),
    stackType,
    ...present({ accessConfigs: accessConfigs.map((config) => accessConfig(call.cloud, `${field}.accessConfigs[0]`, config)) }),
  };
}

export interface Attachment {
  readonly shown: AttachedDisk;
  /** With the instance among its users. */
  readonly disk: Disk;
  /** It is a new one. */
  readonly made: boolean;
}

/** Attaches an existing disk or a new one, and gives both as they are afterwards. */
export function attachment(call: Call, instance: { readonly name: string; readonly selfLink: string }, index: number, body: Body<'attachedDisk'>): Attachment {
  const { cloud, scope } = call;
  const { source, initializeParams: params, boot = false, autoDelete = false, mode = 'READ_WRITE', deviceName = `persistent-disk-${String(index)}` } = body;
  const field = `disks[${String(index)}]`;
  if ((source === undefined) === (params === undefined)) throw invalidField(field, '', 'Must specify either source or initializeParams.');
  const fresh = ({ diskName, diskSizeGb, diskType, sourceImage, labels, description }: NonNullable<typeof params>) =>
    newDisk(call, {
      name: diskName ?? (boot ? instance.name : `${instance.name}-${String(index)}`),
      sizeGb: diskSizeGb,
      type: diskType,
      sourceImage,
      labels,
      description,
    });
  const disk = params === undefined ? cloud.linked(cloud.disks, `${field}.source`, source ?? '') : fresh(params);
  if (!disk.selfLink.includes(`/${scope}/`)) throw invalidField(`${field}.source`, disk.selfLink, 'Disk must be in the same zone as the instance.');
  const user = disk.users?.[0];
  if (user !== undefined && mode === 'READ_WRITE') throw inUse(pathOf(disk.selfLink), pathOf(user));
  return {
    shown: {
      kind: 'compute#attachedDisk',
      type: 'PERSISTENT',
      mode,
      source: disk.selfLink,
      deviceName,
      index,
      boot,
      autoDelete,
      interface: body.interface ?? 'SCSI',
      diskSizeGb: disk.sizeGb,
    },
    disk: { ...disk, users: [...(disk.users ?? []), instance.selfLink] },
    made: params !== undefined,
  };
}
