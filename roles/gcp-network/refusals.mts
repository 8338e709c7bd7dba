/** What makes a network unfit for the instances of the inventory, with the commands that put it right: nothing that exists is changed here. */
import { quote, type Host, type Refusal } from '../../lib/index.mts';
import { contains, gcp } from '../gcp-instances/contract.mts';
import { natCreation, subnetCreation } from './creation.mts';
import { hasNat, hasNetwork, natsOf, routerName, subnetOf, type Found, type Subnet } from './found.mts';
import { pathOf, type Place } from './places.mts';

export function refusals(place: Place, now: Found): readonly Refusal[] {
  const subnet = subnetOf(place, now);
  const reasons = [...disagreement(place), ...(subnet === undefined ? missing(place, now) : unfit(place, subnet))];
  return [...reasons, ...(reasons.length === 0 && place.nat ? wayOut(place, now) : [])].map((each) => ({ kind: 'usage', ...each }));
}

type Reason = Omit<Refusal, 'kind'>;

/** A subnet has one network and one range, whichever host says so. */
function disagreement(place: Place): readonly Reason[] {
  return (['network', 'subnet_range'] as const).flatMap((key) => {
    const said = new Set(place.hosts.map((host) => host.vars(gcp)[key]).filter((value) => value !== undefined));
    return said.size < 2
      ? []
      : [{ reason: `hosts in subnet ${pathOf(place)} have different gcp_${key}: ${[...said].join(', ')}`, hint: 'set it once, for all of them' }];
  });
}

const commands = (argvs: readonly (readonly string[])[]): string =>
  argvs
    .map((argv) =>
      argv
        .filter((word) => word !== '--format=json' && word !== '--quiet')
        .map((word) => (/^[\w./:,=@+-]+$/.test(word) ? word : quote(word)))
        .join(' '),
    )
    .join(' && ');

function missing(place: Place, now: Found): readonly Reason[] {
  const reason = `there is no subnet ${place.subnet} in ${place.region} of project ${place.project}`;
  if (place.range === undefined)
    return [
      {
        reason,
        hint: place.managed ? 'set gcp_subnet_range, such as 10.20.0.0/24, and it is made' : `set gcp_subnet to one that is there${instead(place, now)}`,
      },
    ];
  if (place.managed) return [];
  return [{ reason, hint: `set gcp_network_managed: true, or run: ${commands(subnetCreation(place, { hasNetwork: hasNetwork(place, now) }))}` }];
}

function instead({ network, region }: Place, { subnets }: Found): string {
  const names = subnets.filter((each) => each.network === network && each.region === region).map(({ name }) => name);
  return names.length === 0 ? ', or set gcp_subnet_range and gcp_network_managed: true' : `: ${names.join(', ')}`;
}

function unfit(place: Place, { network, ipCidrRange: range }: Subnet): readonly Reason[] {
  const path = pathOf(place);
  if (network !== place.network)
    return [{ reason: `subnet ${path} is in the network ${network}, not in ${place.network}`, hint: `set gcp_network: ${network}, or another gcp_subnet` }];
  if (range === undefined) return [{ reason: `subnet ${path} has no range of IPv4 addresses`, hint: 'set gcp_subnet to one that has' }];
  if (place.range !== undefined && place.range !== range)
    return [
      {
        reason: `subnet ${path} has the range ${range}, and gcp_subnet_range is ${place.range}`,
        hint: `set gcp_subnet_range: ${range}, or another gcp_subnet`,
      },
    ];
  return place.hosts.flatMap((host) => outside(host, range, path));
}

/** Google keeps four addresses of a range: the network's, the gateway's, and the last two. */
function outside({ name, privateAddress }: Host, range: string, path: string): readonly Reason[] {
  if (privateAddress === undefined) return [];
  const hint = `give ${name} another private_address in ${range}`;
  if (!contains(range, privateAddress))
    return [{ reason: `private_address ${privateAddress} of ${name} is not in ${range}, the range of subnet ${path}`, hint }];
  return reserved(range).includes(privateAddress)
    ? [{ reason: `private_address ${privateAddress} of ${name} is one that Google keeps for itself in ${range}`, hint }]
    : [];
}

export function reserved(range: string): readonly string[] {
  const [network = '', bits = '32'] = range.split('/');
  const first = network.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  return [0, 1, size - 2, size - 1].map((offset) => dotted(first + offset));
}

const dotted = (address: number): string => [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');

function wayOut(place: Place, now: Found): readonly Reason[] {
  if (hasNat(place, now)) return [];
  const others = natsOf(place, now);
  const reason = `instances without an external address in ${pathOf(place)} have no way to the internet: no Cloud NAT takes the subnet out`;
  const [other] = others;
  if (other !== undefined) {
    const all = [...other.subnetworks.map(({ name }) => name), place.subnet].join(',');
    const argv = `gcloud compute routers nats update ${other.name} --router=${other.router} --region=${place.region} --nat-custom-subnet-ip-ranges=${all} --project=${place.project}`;
    return [{ reason: `${reason}, ${other.name} is for others`, hint: `add it: ${argv}; or set gcp_nat: false, where they need none` }];
  }
  const stranger = now.routers.find(({ name, region }) => name === routerName(place) && region === place.region);
  if (stranger !== undefined && stranger.network !== place.network)
    return [{ reason: `${reason}, and the router ${stranger.name} is one of the network ${stranger.network}`, hint: 'set another gcp_prefix' }];
  if (place.managed) return [];
  return [
    {
      reason,
      hint: `set gcp_network_managed: true, or run: ${commands(natCreation(place))}; or set gcp_nat: false, where they need none (a proxy, a mirror, delivery by this machine)`,
    },
  ];
}
