import { expect } from 'chai';
import fc from 'fast-check';
import { effectiveFirewalls, exposures, orders, verdict, type Endpoint } from '../../../roles/firewall-gcloud/effective.mts';
import { common, EVERYWHERE, INTERNET, range, rangeText } from '../../../roles/firewall-gcloud/ranges.mts';

const NETWORK = 'projects/demo-project/global/networks/metrics';

interface Given {
  readonly firewalls?: readonly Readonly<Record<string, unknown>>[];
  readonly firewallPolicys?: readonly Readonly<Record<string, unknown>>[];
}
const layersOf = (given: Given): ReturnType<typeof orders> => orders(effectiveFirewalls.parse(given), NETWORK);

const rule = (name: string, more: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({
  name,
  network: `https://www.googleapis.com/compute/v1/${NETWORK}`,
  direction: 'INGRESS',
  priority: 1000,
  allowed: [{ IPProtocol: 'tcp', ports: ['9200'] }],
  ...more,
});
const denied = (name: string, more: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  rule(name, { allowed: undefined, denied: [{ IPProtocol: 'all' }], ...more });
const policy = (type: string, ...rules: readonly Readonly<Record<string, unknown>>[]): Readonly<Record<string, unknown>> => ({
  name: type.toLowerCase(),
  type,
  rules: rules.map((each, index) => ({
    priority: index + 1,
    direction: 'INGRESS',
    ...each,
    match: { layer4Configs: [{ ipProtocol: 'tcp', ports: ['1-65535'] }], ...(each['match'] as object | undefined) },
  })),
});

const es: Endpoint = { address: '10.20.0.11', tags: ['es'] };
const kibana: Endpoint = { address: '10.20.0.31', tags: ['kibana'], account: 'kibana@x.y' };
const stranger = (address: string): Endpoint => ({ address, tags: [] });

/** How each order of the layers decides about port 9200 of Elasticsearch. */
const decided = (given: Given, from: Endpoint, port = 9200): readonly string[] =>
  layersOf(given).map((layers) => {
    const { allowed, by } = verdict(layers, { from, to: es, port });
    return `${allowed ? 'yes' : 'no'}: ${by}`;
  });
const opened = (given: Given): readonly string[] =>
  layersOf(given).flatMap((layers) => exposures(layers, es, 9200, INTERNET).map(({ ranges: who, by }) => `${by}: ${who.slice(0, 1).map(rangeText).join()}`));

describe('effective firewalls', () => {
  const tagged = rule('tagged', { sourceTags: ['kibana'], targetTags: ['es'] });

  it('let nothing in that no rule allows, and everything out that none forbids', () => {
    expect(decided({}, kibana)).to.deep.equal(['no: no rule allows it']);
    expect(decided({ firewalls: [tagged] }, kibana)).to.deep.equal(['yes: tagged']);
    expect(decided({ firewalls: [tagged] }, kibana, 9300)).to.deep.equal(['no: no rule allows it']);
    expect(decided({ firewalls: [tagged] }, es)).to.deep.equal(['no: no rule allows it']);
    expect(decided({ firewalls: [tagged] }, stranger('10.20.0.31'))).to.deep.equal(['no: no rule allows it']);
    const out = denied('no-way-out', { direction: 'EGRESS', destinationRanges: ['10.20.0.0/28'], targetServiceAccounts: ['kibana@x.y'] });
    expect(decided({ firewalls: [tagged, out] }, kibana)).to.deep.equal(['no: no-way-out']);
  });

  it('match targets and sources by tag, service account, address or not at all', () => {
    const by = (more: Readonly<Record<string, unknown>>): string => decided({ firewalls: [rule('r', more)] }, kibana)[0]?.slice(0, 3) ?? '';
    expect(by({ sourceServiceAccounts: ['kibana@x.y'] })).to.equal('yes');
    expect(by({ sourceServiceAccounts: ['es@x.y'] })).to.equal('no:');
    expect(by({ sourceRanges: ['10.20.0.0/27'], targetTags: ['es'] })).to.equal('yes');
    expect(by({ sourceRanges: ['10.20.0.0/28'] })).to.equal('no:');
    expect(by({ sourceRanges: ['192.0.2.0/24'], sourceTags: ['kibana'] })).to.equal('yes');
    expect(by({ sourceTags: ['kibana'], targetTags: ['brokers'] })).to.equal('no:');
    expect(by({})).to.equal('yes');
    expect(by({ sourceTags: ['kibana'], destinationRanges: ['10.20.0.12/32'] })).to.equal('no:');
    expect(by({ sourceTags: ['kibana'], allowed: [{ IPProtocol: '6', ports: ['9000-9300'] }] })).to.equal('yes');
    expect(by({ sourceTags: ['kibana'], allowed: [{ IPProtocol: 'udp' }] })).to.equal('no:');
    expect(by({ sourceTags: ['kibana'], disabled: true })).to.equal('no:');
  });

  it('go by priority, and those that deny win among equals', () => {
    expect(decided({ firewalls: [tagged, denied('deny', {})] }, kibana)).to.deep.equal(['no: deny']);
    expect(decided({ firewalls: [denied('deny', {}), tagged] }, kibana)).to.deep.equal(['no: deny']);
    expect(decided({ firewalls: [denied('deny', { priority: 1001 }), tagged] }, kibana)).to.deep.equal(['yes: tagged']);
    expect(decided({ firewalls: [denied('deny', { priority: 10, targetTags: ['brokers'] }), tagged] }, kibana)).to.deep.equal(['yes: tagged']);
  });

  it('look at hierarchical policies first, which decide or go on', () => {
    const inside = { match: { srcIpRanges: ['10.0.0.0/8'] } };
    const firewalls = [tagged];
    const of = (...firewallPolicys: readonly Readonly<Record<string, unknown>>[]): string => decided({ firewalls, firewallPolicys }, kibana).join(' | ');
    expect(of(policy('HIERARCHY', { ...inside, action: 'deny' }))).to.equal('no: rule 1 of policy hierarchy');
    expect(of(policy('HIERARCHY', { ...inside, action: 'goto_next' }, { action: 'deny' }))).to.equal('yes: tagged');
    expect(of(policy('HIERARCHY', { action: 'deny', match: { srcIpRanges: ['192.0.2.0/24'] } }))).to.equal('yes: tagged');
    expect(of(policy('HIERARCHY', { action: 'deny', disabled: true }))).to.equal('yes: tagged');
    expect(of(policy('HIERARCHY', { action: 'deny', targetResources: ['https://x/projects/demo-project/global/networks/other'] }))).to.equal('yes: tagged');
    expect(of(policy('HIERARCHY', { action: 'deny', targetResources: [`https://x/${NETWORK}`] }))).to.match(/^no/);
    expect(of(policy('HIERARCHY', { action: 'deny', targetServiceAccounts: ['es@x.y'] }))).to.equal('yes: tagged');
    expect(of(policy('HIERARCHY', { action: 'deny', match: { srcNetworkType: 'INTERNET' } }))).to.equal('yes: tagged');
    expect(of(policy('HIERARCHY', { ...inside, action: 'goto_next' }), policy('SYSTEM', { action: 'deny' }))).to.equal('no: rule 1 of policy system');
  });

  it("look at a network's policy before or after its rules: the network says which, and what is said holds for both", () => {
    const of = (action: string, firewalls: readonly Readonly<Record<string, unknown>>[]): readonly string[] =>
      decided({ firewalls, firewallPolicys: [policy('NETWORK', { action })] }, kibana);
    expect(of('deny', [tagged])).to.deep.equal(['yes: tagged', 'no: rule 1 of policy network']);
    expect(of('allow', [])).to.deep.equal(['yes: rule 1 of policy network', 'yes: rule 1 of policy network']);
    expect(of('allow', [denied('deny', {})])).to.deep.equal(['no: deny', 'yes: rule 1 of policy network']);
  });

  it('expose what strangers reach, and by which rule', () => {
    expect(opened({ firewalls: [tagged] })).to.deep.equal([]);
    expect(opened({ firewalls: [tagged, rule('open', { sourceRanges: ['34.0.0.0/8'] })] })).to.deep.equal(['open: 34.0.0.0/8']);
    expect(opened({ firewalls: [rule('inside', { sourceRanges: ['10.0.0.0/8'] })] })).to.deep.equal([]);
    expect(opened({ firewalls: [rule('brokers', { sourceRanges: ['0.0.0.0/0'], targetTags: ['brokers'] })] })).to.deep.equal([]);
    const shadowed = [rule('open', { sourceRanges: ['34.0.0.0/8'] }), denied('deny', { priority: 5, sourceRanges: ['34.0.0.0/9'] })];
    expect(opened({ firewalls: shadowed })).to.deep.equal(['open: 34.128.0.0/9']);
    expect(opened({ firewallPolicys: [policy('HIERARCHY', { action: 'allow', match: { srcIpRanges: ['0.0.0.0/0'] } })] })).to.have.length(1);
  });

  it('count what may be open as open: countries, address groups, secure tags', () => {
    const open = (rule: Readonly<Record<string, unknown>>, ...rest: readonly Readonly<Record<string, unknown>>[]): number =>
      opened({ firewallPolicys: [policy('HIERARCHY', rule, ...rest)], firewalls: [] }).length;
    expect(open({ action: 'allow', match: { srcRegionCodes: ['KR'] } })).to.equal(1);
    expect(open({ action: 'allow', match: { srcAddressGroups: ['groups/offices'] } })).to.equal(1);
    expect(open({ action: 'allow', targetSecureTags: [{ name: 'tagValues/1' }] })).to.equal(1);
    // Secure tags are of instances, and inside networks nobody is a stranger.
    expect(open({ action: 'allow', match: { srcSecureTags: [{ name: 'tagValues/1' }] } })).to.equal(0);
    expect(open({ action: 'allow', match: { srcNetworkType: 'NON_INTERNET' } })).to.equal(0);
    // What may not deny closes nothing, and what may go on may have gone on.
    const everywhere = rule('everywhere', { sourceRanges: ['0.0.0.0/0'] });
    const past = (...rules: readonly Readonly<Record<string, unknown>>[]): number =>
      opened({ firewalls: [everywhere], firewallPolicys: [policy('HIERARCHY', ...rules)] }).length;
    expect(past({ action: 'deny', targetSecureTags: [{ name: 'tagValues/1' }] })).to.equal(1);
    expect(past({ action: 'goto_next', targetSecureTags: [{ name: 'tagValues/1' }] }, { action: 'deny' })).to.equal(1);
    expect(past({ action: 'goto_next' }, { action: 'deny' })).to.equal(1);
    expect(past({ action: 'deny' })).to.equal(0);
  });

  it('agree, whatever the rules, about who gets in', () => {
    const cidr = fc.constantFrom('0.0.0.0/0', '34.0.0.0/8', '34.64.0.0/10', '34.64.1.0/24', '10.0.0.0/8', '203.0.113.0/24');
    const some = fc.record({
      deny: fc.boolean(),
      priority: fc.constantFrom(1, 10, 1000),
      disabled: fc.boolean(),
      sourceRanges: fc.array(cidr, { maxLength: 2 }),
      sourceTags: fc.constantFrom([], ['kibana']),
      targetTags: fc.constantFrom([], ['es'], ['brokers']),
      ports: fc.constantFrom(['9200'], ['1-65535'], ['22']),
    });
    const action = fc.constantFrom('allow', 'deny', 'goto_next');
    const policyRule = fc.record({ action, match: fc.record({ srcIpRanges: fc.array(cidr, { minLength: 1, maxLength: 2 }) }) });
    fc.assert(
      fc.property(
        fc.array(some, { maxLength: 5 }),
        fc.array(policyRule, { maxLength: 3 }),
        fc.array(policyRule, { maxLength: 2 }),
        fc.constantFrom('34.64.1.7', '34.64.2.7', '34.1.1.1', '203.0.113.9', '198.51.100.1'),
        (rules, above, below, address) => {
          const firewalls = rules.map(({ deny, ports, ...more }, index) => {
            const entries = [{ IPProtocol: 'tcp', ports }];
            return rule(`r${String(index)}`, { ...more, allowed: deny ? undefined : entries, ...(deny ? { denied: entries } : {}) });
          });
          const layers = layersOf({ firewalls, firewallPolicys: [policy('HIERARCHY', ...above), policy('NETWORK', ...below)] });
          return layers.every((order) => {
            const gets = verdict(order, { from: stranger(address), to: es, port: 9200 }).allowed;
            return gets === exposures(order, es, 9200, EVERYWHERE).some(({ ranges: who }) => common(who, [range(address)]).length > 0);
          });
        },
      ),
      { numRuns: 500 },
    );
  });
});
