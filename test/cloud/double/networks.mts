/** Networks, subnetworks and routers. */
import { dotted, overlap, range } from './addresses.mts';
import { bodies, read, type Body } from './bodies.mts';
import { automaticRanges, checkScope } from './catalogue.mts';
import { birth, type Cloud } from './cloud.mts';
import { inUse, invalid, invalidField } from './errors.mts';
import { firewall } from './firewalls.mts';
import { aggregated, list } from './lists.mts';
import type { Network, Router, Subnetwork } from './resources.mts';
import { route, type Call, type Route } from './route.mts';
import { LINKS, checkName, fingerprintOf, pathOf, present, required } from './values.mts';

/** The network `default` as a new project has it: a subnetwork per region, and the rules that let its machines talk and the world log in. */
export function addDefaultNetwork(cloud: Cloud, project: string): void {
  const network = addNetwork(cloud, project, { name: 'default', autoCreateSubnetworks: true, description: 'Default network for the project' });
  for (const [name, sourceRange, protocols] of [
    ['icmp', '0.0.0.0/0', ['icmp']],
    ['internal', '10.128.0.0/9', ['tcp:0-65535', 'udp:0-65535', 'icmp']],
    ['rdp', '0.0.0.0/0', ['tcp:3389']],
    ['ssh', '0.0.0.0/0', ['tcp:22']],
  ] as const) {
    const allowed = protocols.map((protocol) => {
      const [IPProtocol, ports] = protocol.split(':');
      return { IPProtocol, ...(ports !== undefined && { ports: [ports] }) };
    });
    const path = cloud.firewalls.path(project, 'global', `default-allow-${name}`);
    cloud.firewalls.put(firewall(cloud, birth('firewall', path), { network: network.selfLink, priority: 65534, sourceRanges: [sourceRange], allowed }));
  }
}

function addNetwork(cloud: Cloud, project: string, { name, autoCreateSubnetworks, description, mtu = 1460, routingConfig }: Body<'network'>): Network {
  const path = cloud.networks.path(project, 'global', checkName(name));
  cloud.networks.free(path);
  if (mtu < 1300 || mtu > 8896) throw invalidField('mtu', String(mtu), 'Must be between 1300 and 8896.');
  const network = cloud.networks.put({
    ...birth('network', path),
    ...present({ description }),
    autoCreateSubnetworks: required(autoCreateSubnetworks, 'autoCreateSubnetworks'),
    mtu,
    networkFirewallPolicyEnforcementOrder: 'AFTER_CLASSIC_FIREWALL',
    routingConfig: { routingMode: 'REGIONAL', ...routingConfig },
  });
  if (network.autoCreateSubnetworks) {
    for (const [region, ipCidrRange] of automaticRanges) addSubnetwork(cloud, project, `regions/${region}`, network, { name: network.name, ipCidrRange });
  }
  return network;
}

function addSubnetwork(cloud: Cloud, project: string, scope: string, network: Network, body: Body<'subnetwork'>): Subnetwork {
  const path = cloud.subnetworks.path(project, scope, checkName(body.name));
  cloud.subnetworks.free(path);
  const text = required(body.ipCidrRange, 'ipCidrRange');
  const given = range('ipCidrRange', text);
  if (given.last - given.first < 7) throw invalidField('ipCidrRange', text, 'The smallest range of a subnetwork is a /29.');
  for (const other of cloud.subnetworks.all(project)) {
    if (other.network !== network.selfLink || !overlap(range('ipCidrRange', other.ipCidrRange), given)) continue;
    throw invalid(`Invalid IPCidrRange: ${text} conflicts with existing subnetwork '${other.name}' in region '${other.region.replace(/.*\//, '')}'.`);
  }
  const { description, privateIpGoogleAccess = false, enableFlowLogs } = body;
  return cloud.subnetworks.put({
    ...birth('subnetwork', path),
    ...present({ description, enableFlowLogs }),
    network: network.selfLink,
    region: `${LINKS}projects/${project}/${scope}`,
    ipCidrRange: text,
    gatewayAddress: dotted(given.first + 1),
    fingerprint: fingerprintOf([path, text]),
    privateIpGoogleAccess,
    privateIpv6GoogleAccess: 'DISABLE_GOOGLE_ACCESS',
    purpose: 'PRIVATE',
    stackType: 'IPV4_ONLY',
  });
}

function shown(cloud: Cloud, project: string, network: Network): Network {
  const own = cloud.subnetworks.all(project).filter((subnetwork) => subnetwork.network === network.selfLink);
  return { ...network, ...present({ subnetworks: own.map(({ selfLink }) => selfLink) }) };
}

/** The routes to the gateway, and what a router may be. */
function router({ cloud }: Call, born: Omit<Router, 'network' | 'region'>, region: string, body: Body<'router'>): Router {
  const { nats = [], description, bgp } = body;
  nats.forEach((nat, index) => {
    const field = `nats[${String(index)}]`;
    checkName(nat.name, `${field}.name`);
    required(nat.natIpAllocateOption, `${field}.natIpAllocateOption`);
    const sources = required(nat.sourceSubnetworkIpRangesToNat, `${field}.sourceSubnetworkIpRangesToNat`);
    if ((sources === 'LIST_OF_SUBNETWORKS') !== (nat.subnetworks ?? []).length > 0)
      throw invalidField(`${field}.subnetworks`, '', 'Must be given with LIST_OF_SUBNETWORKS, and only then.');
    for (const { name } of nat.subnetworks ?? []) cloud.linked(cloud.subnetworks, `${field}.subnetworks`, required(name, `${field}.subnetworks.name`));
  });
  const names = nats.map(({ name }) => name);
  if (new Set(names).size < names.length) throw invalidField('nats', names.join(','), 'Names of NATs have to be different.');
  const network = cloud.linked(cloud.networks, 'network', required(body.network, 'network')).selfLink;
  return { ...born, ...present({ description, bgp, nats }), network, region };
}

const regionLink = ({ project, scope }: Call): string => `${LINKS}projects/${project.name}/${scope}`;

export const networkRoutes: readonly Route[] = [
  route('GET', 'global/networks', (call) =>
    list(
      call,
      'network',
      call.cloud.networks.all(call.project.name).map((network) => shown(call.cloud, call.project.name, network)),
    ),
  ),
  route('GET', 'global/networks/NAME', ({ cloud, project, name }) =>
    shown(cloud, project.name, cloud.networks.require(cloud.networks.path(project.name, 'global', name))),
  ),
  route('POST', 'global/networks', ({ cloud, project, body }) => {
    const target = addNetwork(cloud, project.name, read(bodies.network, body));
    const undo = () => {
      for (const { selfLink } of shown(cloud, project.name, target).subnetworks?.map((selfLink) => ({ selfLink })) ?? [])
        cloud.subnetworks.delete(pathOf(selfLink));
      cloud.networks.delete(pathOf(target.selfLink));
    };
    return cloud.operations.start({ project: project.name, scope: 'global', type: 'insert', target, undo });
  }),
  route('DELETE', 'global/networks/NAME', ({ cloud, project, name }) => {
    const path = cloud.networks.path(project.name, 'global', name);
    const target = cloud.networks.require(path);
    cloud.idle(path);
    const subnetworks = cloud.subnetworks.all(project.name).filter(({ network }) => network === target.selfLink);
    const users = [
      ...cloud.firewalls.all(project.name).filter(({ network }) => network === target.selfLink),
      ...cloud.routers.all(project.name).filter(({ network }) => network === target.selfLink),
      ...cloud.instances.all(project.name).filter(({ networkInterfaces }) => networkInterfaces.some(({ network }) => network === target.selfLink)),
      ...(target.autoCreateSubnetworks ? [] : subnetworks),
    ];
    if (users[0] !== undefined) throw inUse(path, pathOf(users[0].selfLink));
    const finish = () => {
      for (const { selfLink } of subnetworks) cloud.subnetworks.delete(pathOf(selfLink));
      cloud.networks.delete(path);
    };
    return cloud.operations.start({ project: project.name, scope: 'global', type: 'delete', target, finish });
  }),

  route('GET', 'aggregated/subnetworks', (call) => aggregated(call, 'subnetwork', 'subnetworks', 'regions', call.cloud.subnetworks.all(call.project.name))),
  route('GET', 'regions/subnetworks/NAME', ({ cloud, project, scope, name }) => cloud.subnetworks.require(cloud.subnetworks.path(project.name, scope, name))),
  route('POST', 'regions/subnetworks', (call) => {
    const { cloud, project, scope } = call;
    checkScope(project.name, scope);
    const body = read(bodies.subnetwork, call.body);
    const network = cloud.linked(cloud.networks, 'network', required(body.network, 'network'));
    const target = addSubnetwork(cloud, project.name, scope, network, body);
    const undo = () => {
      cloud.subnetworks.delete(pathOf(target.selfLink));
    };
    return cloud.operations.start({ project: project.name, scope, type: 'insert', target, undo });
  }),
  route('DELETE', 'regions/subnetworks/NAME', ({ cloud, project, scope, name }) => {
    const path = cloud.subnetworks.path(project.name, scope, name);
    const target = cloud.subnetworks.require(path);
    cloud.idle(path);
    const user = cloud.instances.all(project.name).find(({ networkInterfaces }) => networkInterfaces.some(({ subnetwork }) => subnetwork === target.selfLink));
    if (user !== undefined) throw inUse(path, pathOf(user.selfLink));
    const finish = () => {
      cloud.subnetworks.delete(path);
    };
    return cloud.operations.start({ project: project.name, scope, type: 'delete', target, finish });
  }),

  route('GET', 'aggregated/routers', (call) => aggregated(call, 'router', 'routers', 'regions', call.cloud.routers.all(call.project.name))),
  route('GET', 'regions/routers', (call) =>
    list(
      call,
      'router',
      call.cloud.routers.all(call.project.name).filter(({ region }) => region === regionLink(call)),
    ),
  ),
  route('GET', 'regions/routers/NAME', ({ cloud, project, scope, name }) => cloud.routers.require(cloud.routers.path(project.name, scope, name))),
  route('POST', 'regions/routers', (call) => {
    const { cloud, project, scope } = call;
    checkScope(project.name, scope);
    const body = read(bodies.router, call.body);
    const path = cloud.routers.path(project.name, scope, checkName(body.name));
    cloud.routers.free(path);
    const target = cloud.routers.put(router(call, birth('router', path), regionLink(call), body));
    const undo = () => {
      cloud.routers.delete(path);
    };
    return cloud.operations.start({ project: project.name, scope, type: 'insert', target, undo });
  }),
  route('PATCH', 'regions/routers/NAME', (call) => {
    const { cloud, project, scope } = call;
    const path = cloud.routers.path(project.name, scope, call.name);
    const before = cloud.routers.require(path);
    cloud.idle(path);
    const { kind, id, name, selfLink, creationTimestamp } = before;
    const body = { ...read(bodies.router, before), ...read(bodies.router, call.body) };
    const after = router(call, { kind, id, name, selfLink, creationTimestamp }, before.region, body);
    const finish = () => {
      cloud.routers.put(after);
    };
    return cloud.operations.start({ project: project.name, scope, type: 'patch', target: before, finish });
  }),
  route('DELETE', 'regions/routers/NAME', ({ cloud, project, scope, name }) => {
    const path = cloud.routers.path(project.name, scope, name);
    const target = cloud.routers.require(path);
    cloud.idle(path);
    const finish = () => {
      cloud.routers.delete(path);
    };
    return cloud.operations.start({ project: project.name, scope, type: 'delete', target, finish });
  }),
];
