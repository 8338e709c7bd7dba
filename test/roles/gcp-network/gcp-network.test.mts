import { expect } from 'chai';
import type { Inventory } from '../../../lib/index.mts';
import { compileSteps } from '../../../lib/shell/steps.mts';
import { instances } from '../../../roles/gcp-instances/contract.mts';
import { placesOf, type Place } from '../../../roles/gcp-network/places.mts';
import { refusals, reserved } from '../../../roles/gcp-network/refusals.mts';
import { found, type Found } from '../../../roles/gcp-network/found.mts';
import { networkResources } from '../../../roles/gcp-network/role.mts';
import { answerOf, link } from '../gcp-instances/support.mts';
import { inventory } from '../support.mts';

const VARS = {
  host_provider: 'gcp',
  gcp_project: 'my-project',
  gcp_zone: 'asia-northeast3-a',
  gcp_network: 'net',
  gcp_subnet: 'sub',
  gcp_subnet_range: '10.20.0.0/24',
  gcp_network_managed: true,
};
const two = (vars: object = {}, es: object = {}, mon: object = {}): Inventory =>
  inventory(
    `all: { vars: ${JSON.stringify({ ...VARS, ...vars })}, hosts: { es-01: ${JSON.stringify({ private_address: '10.20.0.11', ...es })}, mon-01: ${JSON.stringify({ private_address: '10.20.0.31', gcp_external_address: 'ephemeral', ...mon })} } }`,
  );
const places = (from: Inventory): readonly Place[] => placesOf(instances(from));
const onlyPlace = (from: Inventory): Place => {
  const [place, ...rest] = places(from);
  if (place === undefined || rest.length > 0) throw new Error('not one place');
  return place;
};

const region = link('regions/asia-northeast3');
const SUBNET = { name: 'sub', network: link('global/networks/net'), region, ipCidrRange: '10.20.0.0/24', privateIpGoogleAccess: true };
const NAT = { name: 'kafka-mon-asia-northeast3', natIpAllocateOption: 'AUTO_ONLY', sourceSubnetworkIpRangesToNat: 'ALL_SUBNETWORKS_ALL_IP_RANGES' };
const ROUTER = { name: 'kafka-mon-asia-northeast3', network: link('global/networks/net'), region, nats: [NAT] };

interface World {
  readonly subnets?: readonly object[];
  readonly routers?: readonly object[];
}
const answers = ({ subnets = [SUBNET], routers = [ROUTER] }: World) => [
  { call: 'networks subnets list', stdout: JSON.stringify(subnets) },
  { call: 'routers list', stdout: JSON.stringify(routers) },
];
const foundIn = (place: Place, world: World): Found => {
  const answer = answerOf(found(place), ...answers(world));
  if (answer.kind === 'unavailable') throw new Error(answer.reason);
  return answer.value;
};

describe('the places of instances', () => {
  it('are one for each subnet, and know whether somebody there needs NAT', () => {
    expect(places(two()).map(({ subnet, region: where, nat, hosts }) => [subnet, where, nat, hosts.length])).to.deep.equal([
      ['sub', 'asia-northeast3', true, 2],
    ]);
    expect(places(two({}, { gcp_zone: 'us-central1-b' })).map(({ region: where, nat }) => [where, nat])).to.deep.equal([
      ['us-central1', true],
      ['asia-northeast3', false],
    ]);
    expect(onlyPlace(two({ gcp_nat: false })).nat).to.equal(false);
  });

  it('ask for routers only where NAT matters', () => {
    const kinds = (from: Inventory): readonly string[] =>
      found(onlyPlace(from)).asks.map((ask) => (ask.at === 'controller' ? ask.argv.slice(2, -3).join(' ') : ''));
    expect(kinds(two())).to.deep.equal(['networks subnets list', 'routers list']);
    expect(kinds(two({ gcp_nat: false }))).to.deep.equal(['networks subnets list']);
  });

  it('know the addresses that Google keeps', () => {
    expect(reserved('10.20.0.0/24')).to.deep.equal(['10.20.0.0', '10.20.0.1', '10.20.0.254', '10.20.0.255']);
    expect(reserved('192.168.4.0/22')).to.deep.equal(['192.168.4.0', '192.168.4.1', '192.168.7.254', '192.168.7.255']);
  });
});

describe('a network that is managed', () => {
  const calls = (world: World, vars: object = {}): readonly string[] =>
    networkResources(places(two(vars))).flatMap((resource) => {
      const answer = answerOf(resource.differs, ...answers(world));
      const changes = answer.kind === 'known' ? answer.value : [];
      return changes.length === 0 ? [] : compileSteps(resource, changes).map((step) => (step.at === 'controller' ? step.argv.slice(1, -3).join(' ') : ''));
    });

  it('is made of its missing parts, in order', () => {
    expect(calls({ subnets: [], routers: [] })).to.deep.equal([
      'compute networks create net --subnet-mode=custom',
      'compute networks subnets create sub --network=net --region=asia-northeast3 --range=10.20.0.0/24 --enable-private-ip-google-access',
      'compute routers create kafka-mon-asia-northeast3 --network=net --region=asia-northeast3',
      'compute routers nats create kafka-mon-asia-northeast3 --router=kafka-mon-asia-northeast3 --region=asia-northeast3 --nat-all-subnet-ip-ranges --auto-allocate-nat-external-ips',
    ]);
  });

  it('is left as it is where everything is there, by whatever names', () => {
    expect(calls({})).to.deep.equal([]);
    const listing = { ...NAT, sourceSubnetworkIpRangesToNat: 'LIST_OF_SUBNETWORKS', subnetworks: [{ name: `${region}/subnetworks/sub` }] };
    expect(calls({ routers: [{ ...ROUTER, name: 'other', nats: [listing] }] })).to.deep.equal([]);
  });

  it('gets a subnet in a network that another subnet shows to be there', () => {
    const [first] = calls({ subnets: [{ ...SUBNET, name: 'other', ipCidrRange: '10.30.0.0/24' }] });
    expect(first).to.match(/^compute networks subnets create sub/);
  });

  it('has its API switched on first', () => {
    const off = { code: 1, stderr: 'ERROR: (gcloud.x) Compute Engine API has not been used in project 1 before or it is disabled.' };
    const all = networkResources(places(two())).map((resource) => answerOf(resource.differs, off));
    expect(all.map((answer) => (answer.kind === 'known' ? answer.value.map(({ field }) => field) : answer.reason))).to.deep.equal([
      ['API'],
      ['network', 'subnet'],
      ['NAT'],
    ]);
  });

  it('that is not managed is left to others', () => {
    expect(networkResources(places(two({ gcp_network_managed: false })))).to.deep.equal([]);
  });
});

describe('what is refused about a network', () => {
  const cases: readonly (readonly [name: string, vars: readonly object[], world: World, reason: RegExp, hint: RegExp])[] = [
    [
      'a missing subnet, with the commands that make it',
      [{ gcp_network_managed: false }],
      { subnets: [] },
      /no subnet sub in asia-northeast3 of project my-project/,
      /gcloud compute networks create net --subnet-mode=custom --project=my-project && gcloud compute networks subnets create sub --network=net --region=asia-northeast3 --range=10\.20\.0\.0\/24/,
    ],
    [
      'a missing subnet, with those that are there',
      [{ gcp_network_managed: false, gcp_subnet_range: undefined }],
      { subnets: [{ ...SUBNET, name: 'other' }] },
      /no subnet sub/,
      /set gcp_subnet to one that is there: other/,
    ],
    ['a subnet to be made without a range', [{ gcp_subnet_range: undefined }], { subnets: [] }, /no subnet sub/, /set gcp_subnet_range/],
    [
      'missing NAT, with the commands that make it',
      [{ gcp_network_managed: false }],
      { routers: [] },
      /have no way to the internet/,
      /gcloud compute routers create kafka-mon-asia-northeast3 .* && gcloud compute routers nats create .*gcp_nat: false/,
    ],
    [
      'NAT that is for other subnets',
      [],
      {
        routers: [
          {
            ...ROUTER,
            nats: [{ ...NAT, name: 'theirs', sourceSubnetworkIpRangesToNat: 'LIST_OF_SUBNETWORKS', subnetworks: [{ name: `${region}/subnetworks/a` }] }],
          },
        ],
      },
      /theirs is for others/,
      /gcloud compute routers nats update theirs --router=kafka-mon-asia-northeast3 --region=asia-northeast3 --nat-custom-subnet-ip-ranges=a,sub/,
    ],
    [
      'a router of our name in another network',
      [],
      { routers: [{ ...ROUTER, network: link('global/networks/other'), nats: [] }] },
      /router kafka-mon-asia-northeast3 is one of the network other/,
      /another gcp_prefix/,
    ],
    [
      'a subnet of another network',
      [],
      { subnets: [{ ...SUBNET, network: link('global/networks/other') }] },
      /is in the network other, not in net/,
      /gcp_network: other/,
    ],
    ['another range', [], { subnets: [{ ...SUBNET, ipCidrRange: '10.30.0.0/24' }] }, /has the range 10\.30\.0\.0\/24/, /gcp_subnet_range: 10\.30\.0\.0\/24/],
    [
      'an address outside of the range',
      [{ gcp_subnet_range: undefined }],
      { subnets: [{ ...SUBNET, ipCidrRange: '10.20.0.0/28' }] },
      /private_address 10\.20\.0\.31 of mon-01 is not in 10\.20\.0\.0\/28/,
      /another private_address/,
    ],
    ["the gateway's address", [{}, { private_address: '10.20.0.1' }], {}, /10\.20\.0\.1 of es-01 is one that Google keeps/, /another private_address/],
    ['hosts that disagree', [{}, { gcp_subnet_range: '10.20.0.0/25' }], {}, /different gcp_subnet_range: 10\.20\.0\.0\/25, 10\.20\.0\.0\/24/, /set it once/],
  ];
  for (const [name, [vars, es], world, reason, hint] of cases)
    it(name, () => {
      const given = Object.fromEntries(Object.entries<unknown>({ ...VARS, ...vars }).filter(([, value]) => value !== undefined));
      const from = inventory(
        `all: { vars: ${JSON.stringify(given)}, hosts: { es-01: ${JSON.stringify({ private_address: '10.20.0.11', ...es })}, mon-01: { private_address: 10.20.0.31, gcp_external_address: ephemeral } } }`,
      );
      const place = onlyPlace(from);
      const [first] = refusals(place, foundIn(place, world));
      expect(first?.kind).to.equal('usage');
      expect(first?.reason).to.match(reason);
      expect(first?.hint).to.match(hint);
    });

  it('nothing where everything fits', () => {
    const place = onlyPlace(two({ gcp_network_managed: false }));
    expect(refusals(place, foundIn(place, {}))).to.deep.equal([]);
  });

  it('nothing about NAT where nobody needs it', () => {
    const place = onlyPlace(two({ gcp_nat: false, gcp_network_managed: false }));
    expect(refusals(place, foundIn(place, { routers: [] }))).to.deep.equal([]);
  });
});
