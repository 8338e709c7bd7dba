/** Networks, subnetworks, routers and reserved external addresses. */
import { address, dotted, overlap, range } from './addresses.mts';
import { bodies, read, type Body } from './bodies.mts';
import { deleted, inserted, operation, pathIn } from './changes.mts';
import { birth, type Cloud } from './cloud.mts';
import { invalid, invalidField } from './errors.mts';
import { firewall } from './firewalls.mts';
import { aggregated, here, list } from './lists.mts';
import { automaticRanges, checkScope } from './places.mts';
import type { Address, Network, Resource, Router, Subnetwork } from './resources.mts';
import { route, type Call, type Route } from './route.mts';
import { LINKS, checkName, fingerprintOf, lastPart, pathOf, present, required } from './values.mts';

/** The network `default` as a new project has it: a subnetwork per region, and the rules that let its machines talk and the world log in. */
export function addDefaultNetwork(cloud: Cloud, project: string): void {
  const network = newNetwork(cloud, project, { name: 'default', autoCreateSubnetworks: true, description: 'Default network for the project' });
  cloud.networks.put(network);
  for (const subnetwork of automatic(cloud, project, network)) cloud.subnetworks.put(subnetwork);
  for (const [name, sourceRange, protocols] of [
    ['icmp', '0.0.0.0/0', ['icmp']],
    ['internal', '10.128.0.0/9', ['tcp:0-65535', 'udp:0-65535', 'icmp']],
    ['rdp', '0.0.0.0/0', ['tcp:3389']],
    ['ssh', '0.0.0.0/0', ['tcp:22']],
  ] as const) {
    const allowed = protocols.map((protocol) => {
      const [IPProtocol = '', ports] = protocol.split(':');
      return { IPProtocol, ...(ports !== undefined && { ports: [ports] }) };
    });
    const path = cloud.firewalls.path(project, 'global', `default-allow-${name}`);
    cloud.firewalls.put(firewall(cloud, birth('firewall', path), { network: network.selfLink, priority: 65534, sourceRanges: [sourceRange], allowed }));
  }
}

function newNetwork(cloud: Cloud, project: string, { name, autoCreateSubnetworks, description, mtu = 1460, routingConfig }: Body<'network'>): Network {
  const path = cloud.networks.path(project, 'global', checkName(name));
  if (mtu < 1300 || mtu > 8896) throw invalidField('mtu', String(mtu), 'Must be between 1300 and 8896.');
  return {
    ...birth('network', path),
    ...present({ description }),
    autoCreateSubnetworks: required(autoCreateSubnetworks, 'autoCreateSubnetworks'),
    mtu,
    networkFirewallPolicyEnforcementOrder: 'AFTER_CLASSIC_FIREWALL',
    routingConfig: { routingMode: 'REGIONAL', ...routingConfig },
  };
}

/** The subnetworks that a network in automatic mode has from its start. */
const automatic = (cloud: Cloud, project: string, network: Network): Subnetwork[] =>
  network.autoCreateSubnetworks
    ? automaticRanges.map(([region, ipCidrRange]) => newSubnetwork(cloud, project, `regions/${region}`, network, { name: network.name, ipCidrRange }))
    : [];

/** No network has these; loopback addresses only where hosts of this machine stand for the instances. */
const LOOPBACK = '127.0.0.0/8';
const RESERVED = ['0.0.0.0/8', LOOPBACK, '169.254.0.0/16', '224.0.0.0/4', '199.36.153.4/30', '199.36.153.8/30'];

function newSubnetwork(cloud: Cloud, project: string, scope: string, network: Network, body: Body<'subnetwork'>): Subnetwork {
  const path = cloud.subnetworks.path(project, scope, checkName(body.name));
  cloud.subnetworks.free(path);
  const text = required(body.ipCidrRange, 'ipCidrRange');
  const given = range('ipCidrRange', text);
  if (given.last - given.first < 7) throw invalidField('ipCidrRange', text, 'The smallest range of a subnetwork is a /29.');
  const odd = RESERVED.find((reserved) => overlap(range('ipCidrRange', reserved), given));
  if (odd !== undefined && !(odd === LOOPBACK && cloud.options.mapped))
    throw invalidField('ipCidrRange', text, 'The range is not one that a subnetwork may have.');
  const other = ownSubnetworks(cloud, project, network).find(({ ipCidrRange }) => overlap(range('ipCidrRange', ipCidrRange), given));
  if (other !== undefined) {
    throw invalid(`Invalid IPCidrRange: ${text} conflicts with existing subnetwork '${other.name}' in region '${lastPart(other.region)}'.`);
  }
  return {
    ...birth('subnetwork', path),
    ...present({ description: body.description, enableFlowLogs: body.enableFlowLogs }),
    network: network.selfLink,
    region: `${LINKS}projects/${project}/${scope}`,
    ipCidrRange: text,
    gatewayAddress: dotted(given.first + 1),
    fingerprint: fingerprintOf([path, text]),
    privateIpGoogleAccess: body.privateIpGoogleAccess ?? false,
    privateIpv6GoogleAccess: 'DISABLE_GOOGLE_ACCESS',
    purpose: 'PRIVATE',
    stackType: 'IPV4_ONLY',
  };
}

const ownSubnetworks = (cloud: Cloud, project: string, { selfLink }: Resource): Subnetwork[] =>
  cloud.subnetworks.all(project).filter(({ network }) => network === selfLink);

/** A network lists its subnetworks, which are kept on their own. */
function shown({ cloud, project }: Call, network: Network): Network {
  return { ...network, ...present({ subnetworks: ownSubnetworks(cloud, project.name, network).map(({ selfLink }) => selfLink) }) };
}

function insertNetwork(call: Call): object {
  const { cloud, project } = call;
  const network = newNetwork(cloud, project.name, read(bodies.network, call.body));
  const answer = inserted(call, cloud.networks, network);
  for (const subnetwork of automatic(cloud, project.name, network)) cloud.subnetworks.put(subnetwork);
  return answer;
}

function deleteNetwork(call: Call): object {
  const { cloud, project } = call;
  const target = cloud.networks.require(pathIn(cloud.networks, call));
  const inIt = ({ network }: { readonly network: string }) => network === target.selfLink;
  const subnetworks = ownSubnetworks(cloud, project.name, target);
  const users = [
    ...cloud.firewalls.all(project.name).filter(inIt),
    ...cloud.routers.all(project.name).filter(inIt),
    ...cloud.instances.all(project.name).filter(({ networkInterfaces }) => networkInterfaces.some(inIt)),
    ...(target.autoCreateSubnetworks ? [] : subnetworks),
  ];
  return deleted(call, cloud.networks, users, () => {
    for (const { selfLink } of subnetworks) cloud.subnetworks.delete(pathOf(selfLink));
  });
}

/** The router that a body describes. @throws the API's error for what no router may be. */
function router({ cloud, project, scope }: Call, born: Resource, { nats = [], description, bgp, network }: Body<'router'>): Router {
  nats.forEach((nat, index) => {
    const field = `nats[${String(index)}]`;
    checkName(nat.name, `${field}.name`);
    if (required(nat.natIpAllocateOption, `${field}.natIpAllocateOption`) === 'MANUAL_ONLY' && (nat.natIps ?? []).length === 0) {
      throw invalidField(`${field}.natIps`, '', 'Must be given with MANUAL_ONLY.');
    }
    const sources = required(nat.sourceSubnetworkIpRangesToNat, `${field}.sourceSubnetworkIpRangesToNat`);
    const chosen = nat.subnetworks ?? [];
    if ((sources === 'LIST_OF_SUBNETWORKS') !== chosen.length > 0)
      throw invalidField(`${field}.subnetworks`, '', 'Must be given with LIST_OF_SUBNETWORKS, and only then.');
    for (const { name } of chosen) cloud.linked(cloud.subnetworks, `${field}.subnetworks`, required(name, `${field}.subnetworks.name`));
  });
  const names = nats.map(({ name }) => name);
  if (new Set(names).size < names.length) throw invalidField('nats', names.join(','), 'Names of NATs have to be different.');
  return {
    ...born,
    ...present({ description, bgp, nats: nats.map((nat) => ({ endpointTypes: ['ENDPOINT_TYPE_VM'], type: 'PUBLIC', ...nat })) }),
    network: cloud.linked(cloud.networks, 'network', required(network, 'network')).selfLink,
    region: `${LINKS}projects/${project.name}/${scope}`,
  };
}

function patchRouter(call: Call): object {
  const { cloud } = call;
  const path = pathIn(cloud.routers, call);
  const before = cloud.routers.require(path);
  cloud.idle(path);
  const { kind, id, name, selfLink, creationTimestamp } = before;
  const after = router(call, { kind, id, name, selfLink, creationTimestamp }, { ...read(bodies.router, before), ...read(bodies.router, call.body) });
  if (after.network !== before.network) throw invalidField('network', after.network, 'Cannot be changed.');
  return operation(call, 'patch', before, { finish: () => cloud.routers.put(after) });
}

function newAddress(call: Call): Address {
  const { cloud, project, scope } = call;
  const { name, networkTier = 'PREMIUM', description, address: wanted } = read(bodies.address, call.body);
  const path = cloud.addresses.path(project.name, scope, checkName(name));
  if (wanted !== undefined && address(wanted) === undefined) throw invalidField('address', wanted, 'Must be a valid IPv4 address.');
  return {
    ...birth('address', path),
    ...present({ description }),
    address: wanted ?? cloud.ephemeral(),
    addressType: 'EXTERNAL',
    networkTier,
    region: `${LINKS}projects/${project.name}/${scope}`,
    status: 'RESERVED',
  };
}

export const networkRoutes: readonly Route[] = [
  route('GET', 'global/networks', (call) =>
    list(
      call,
      'network',
      call.cloud.networks.all(call.project.name).map((network) => shown(call, network)),
    ),
  ),
  route('GET', 'global/networks/NAME', (call) => shown(call, call.cloud.networks.require(pathIn(call.cloud.networks, call)))),
  route('POST', 'global/networks', insertNetwork),
  route('DELETE', 'global/networks/NAME', deleteNetwork),

  route('GET', 'aggregated/subnetworks', (call) => aggregated(call, 'subnetwork', 'subnetworks', 'regions', call.cloud.subnetworks.all(call.project.name))),
  route('GET', 'regions/subnetworks', (call) => list(call, 'subnetwork', here(call, call.cloud.subnetworks.all(call.project.name)))),
  route('GET', 'regions/subnetworks/NAME', (call) => call.cloud.subnetworks.require(pathIn(call.cloud.subnetworks, call))),
  route('POST', 'regions/subnetworks', (call) => {
    const { cloud, project, scope } = call;
    checkScope(project.name, scope);
    const body = read(bodies.subnetwork, call.body);
    const network = cloud.linked(cloud.networks, 'network', required(body.network, 'network'));
    return inserted(call, cloud.subnetworks, newSubnetwork(cloud, project.name, scope, network, body));
  }),
  route('DELETE', 'regions/subnetworks/NAME', (call) => {
    const { cloud, project } = call;
    const { selfLink } = cloud.subnetworks.require(pathIn(cloud.subnetworks, call));
    const users = cloud.instances.all(project.name).filter(({ networkInterfaces }) => networkInterfaces.some(({ subnetwork }) => subnetwork === selfLink));
    return deleted(call, cloud.subnetworks, users);
  }),

  route('GET', 'aggregated/routers', (call) => aggregated(call, 'router', 'routers', 'regions', call.cloud.routers.all(call.project.name))),
  route('GET', 'regions/routers', (call) => list(call, 'router', here(call, call.cloud.routers.all(call.project.name)))),
  route('GET', 'regions/routers/NAME', (call) => call.cloud.routers.require(pathIn(call.cloud.routers, call))),
  route('POST', 'regions/routers', (call) => {
    checkScope(call.project.name, call.scope);
    const body = read(bodies.router, call.body);
    const path = call.cloud.routers.path(call.project.name, call.scope, checkName(body.name));
    return inserted(call, call.cloud.routers, router(call, birth('router', path), body));
  }),
  route('PATCH', 'regions/routers/NAME', patchRouter),
  route('DELETE', 'regions/routers/NAME', (call) => deleted(call, call.cloud.routers)),

  route('GET', 'aggregated/addresses', (call) => aggregated(call, 'address', 'addresses', 'regions', call.cloud.addresses.all(call.project.name))),
  route('GET', 'regions/addresses/NAME', (call) => call.cloud.addresses.require(pathIn(call.cloud.addresses, call))),
  route('POST', 'regions/addresses', (call) => {
    checkScope(call.project.name, call.scope);
    return inserted(call, call.cloud.addresses, newAddress(call));
  }),
  route('DELETE', 'regions/addresses/NAME', (call) => deleted(call, call.cloud.addresses)),
];
