/** Firewall rules of networks, and what is in force in a network all in all. */
import { isIPv6 } from 'node:net';
import { contains, range } from './addresses.mts';
import { bodies, read, type Body } from './bodies.mts';
import { deleted, inserted, operation, pathIn } from './changes.mts';
import { birth, type Cloud } from './cloud.mts';
import { invalid, invalidField } from './errors.mts';
import { list } from './lists.mts';
import type { Firewall, Instance, Resource } from './resources.mts';
import { route, type Route } from './route.mts';
import { checkName, checkTags, present, required } from './values.mts';

const PROTOCOLS = ['tcp', 'udp', 'icmp', 'esp', 'ah', 'ipip', 'sctp', 'all'];

/** The rule that a body describes, completed as the API completes it. @throws its error for what no rule may be. */
export function firewall(cloud: Cloud, born: Resource, body: Body<'firewall'>): Firewall {
  const { allowed = [], denied = [], sourceRanges = [], sourceTags = [], sourceServiceAccounts = [], destinationRanges = [] } = body;
  const { targetTags = [], targetServiceAccounts = [], direction = 'INGRESS', priority = 1000, logConfig = { enable: false } } = body;
  if (allowed.length > 0 === denied.length > 0) {
    throw allowed.length > 0
      ? invalid('Only one of allowed and denied may be specified.')
      : invalidField('allowed', '', 'Must specify allowed or denied rules.');
  }
  for (const [field, entries] of Object.entries({ allowed, denied }))
    entries.forEach((entry, index) => {
      checkProtocol(`${field}[${String(index)}]`, entry);
    });
  for (const [field, ranges] of Object.entries({ sourceRanges, destinationRanges }))
    ranges.forEach((text, index) => {
      checkRange(`${field}[${String(index)}]`, text);
    });
  checkTags('sourceTags', sourceTags);
  checkTags('targetTags', targetTags);
  if (sourceServiceAccounts.length + targetServiceAccounts.length > 0 && sourceTags.length + targetTags.length > 0) {
    throw invalid('Source or target service accounts cannot be used together with source or target tags in one rule.');
  }
  if (priority > 65535) throw invalidField('priority', String(priority), 'Must be between 0 and 65535.');
  if (direction === 'EGRESS' && sourceRanges.length + sourceTags.length + sourceServiceAccounts.length > 0)
    throw invalid('Sources cannot be specified for an EGRESS rule.');
  if (direction === 'INGRESS' && destinationRanges.length > 0 && sourceRanges.length + sourceTags.length + sourceServiceAccounts.length === 0) {
    throw invalid('An INGRESS rule with destination ranges has to say its sources.');
  }
  const everywhere = ['0.0.0.0/0'];
  const open = direction === 'INGRESS' && sourceRanges.length + sourceTags.length + sourceServiceAccounts.length === 0;
  return {
    ...born,
    network: cloud.linked(cloud.networks, 'network', required(body.network, 'network')).selfLink,
    direction,
    priority,
    disabled: body.disabled ?? false,
    ...present({
      description: body.description ?? '',
      allowed,
      denied,
      sourceRanges: open ? everywhere : sourceRanges,
      destinationRanges: direction === 'EGRESS' && destinationRanges.length === 0 ? everywhere : destinationRanges,
      sourceTags,
      targetTags,
      sourceServiceAccounts,
      targetServiceAccounts,
      logConfig,
    }),
  } as Firewall;
}

function checkProtocol(field: string, { IPProtocol, ports = [] }: { IPProtocol?: string | undefined; ports?: string[] | undefined }): void {
  const protocol = required(IPProtocol, `${field}.IPProtocol`);
  if (!PROTOCOLS.includes(protocol) && !(/^\d{1,3}$/.test(protocol) && Number(protocol) < 256))
    throw invalidField(`${field}.IPProtocol`, protocol, 'Unknown protocol.');
  if (ports.length > 0 && !['tcp', 'udp', 'sctp', '6', '17', '132'].includes(protocol))
    throw invalidField(`${field}.ports`, ports.join(','), 'Ports may only be specified for TCP, UDP and SCTP.');
  ports.forEach((port, index) => {
    const [from, to] = (/^(\d{1,5})(?:-(\d{1,5}))?$/.exec(port) ?? []).slice(1).map(Number);
    const last = to === undefined || Number.isNaN(to) ? from : to;
    if (from === undefined || last === undefined || from > last || last > 65535) {
      throw invalidField(`${field}.ports[${String(index)}]`, port, 'Ports may be an integer or a range like "80-90", at most 65535.');
    }
  });
}

function checkRange(field: string, text: string): void {
  const [base = '', length = ''] = text.split('/');
  if (text.includes(':')) {
    if (!isIPv6(base) || !/^\d{1,3}$/.test(length) || Number(length) > 128) throw invalidField(field, text, 'Must be a valid CIDR address range.');
  } else {
    range(field, text);
  }
}

/** Whether the rules of its network let TCP from that address to that port of the instance: the first that fits decides, a denial before an equal. */
export function admits(cloud: Cloud, project: string, { tags, networkInterfaces }: Instance, source: number, port: number): boolean {
  const fits = ({ network, direction, disabled, sourceRanges = [], targetTags, allowed, denied }: Firewall): boolean =>
    networkInterfaces.some((entry) => entry.network === network) &&
    direction === 'INGRESS' &&
    !disabled &&
    (targetTags === undefined || targetTags.some((tag) => tags.items?.includes(tag))) &&
    sourceRanges.some((text) => !text.includes(':') && contains(range('sourceRanges', text), source)) &&
    [...(allowed ?? []), ...(denied ?? [])].some(
      ({ IPProtocol, ports }) => ['tcp', '6', 'all'].includes(IPProtocol) && (ports ?? ['0-65535']).some((text) => covers(text, port)),
    );
  const [first] = cloud.firewalls
    .all(project)
    .filter(fits)
    .sort((one, other) => one.priority - other.priority || Number(one.denied === undefined) - Number(other.denied === undefined));
  return first?.allowed !== undefined;
}

function covers(ports: string, port: number): boolean {
  const [from = 0, to = from] = ports.split('-').map(Number);
  return from <= port && port <= to;
}

export const firewallRoutes: readonly Route[] = [
  route('GET', 'global/firewalls', (call) => list(call, 'firewall', call.cloud.firewalls.all(call.project.name))),
  route('GET', 'global/firewalls/NAME', (call) => call.cloud.firewalls.require(pathIn(call.cloud.firewalls, call))),
  route('POST', 'global/firewalls', (call) => {
    const { cloud, project } = call;
    const body = read(bodies.firewall, call.body);
    const path = cloud.firewalls.path(project.name, 'global', checkName(body.name));
    cloud.firewalls.free(path);
    return inserted(call, cloud.firewalls, firewall(cloud, birth('firewall', path), body));
  }),
  route('PATCH', 'global/firewalls/NAME', (call) => {
    const { cloud } = call;
    const path = pathIn(cloud.firewalls, call);
    const before = cloud.firewalls.require(path);
    cloud.idle(path);
    const body = read(bodies.firewall, call.body);
    const { kind, id, name, selfLink, creationTimestamp } = before;
    const after = firewall(cloud, { kind, id, name, selfLink, creationTimestamp }, { ...read(bodies.firewall, before), ...body });
    for (const field of ['name', 'direction', 'network'] as const) {
      const wanted = field === 'name' ? (body.name ?? name) : after[field];
      if (wanted !== before[field]) throw invalidField(field, wanted, 'Cannot be changed.');
    }
    return operation(call, 'patch', before, { finish: () => cloud.firewalls.put(after) });
  }),
  route('DELETE', 'global/firewalls/NAME', (call) => deleted(call, call.cloud.firewalls)),
  route('GET', 'global/networks/NAME/getEffectiveFirewalls', ({ cloud, project, name }) => {
    const path = cloud.networks.path(project.name, 'global', name);
    const { selfLink } = cloud.networks.require(path);
    return present({
      firewalls: cloud.firewalls.all(project.name).filter(({ network }) => network === selfLink),
      firewallPolicys: cloud.policies.get(path) ?? [],
    });
  }),
];
