import { expect } from 'chai';
import fc from 'fast-check';
import type { Change } from '../../../lib/index.mts';
import { creation, repairs, ruleChanges, standInName } from '../../../roles/firewall-gcloud/compare.mts';
import { ownerMark } from '../../../roles/firewall-gcloud/contract.mts';
import { ruleText, traffic, type FirewallRule } from '../../../roles/firewall-gcloud/rule.mts';
import { wantedRules } from '../../../roles/firewall-gcloud/wanted.mts';
import { asListed, listed, realmOf, world } from './world.mts';

const from = world();
const rules = wantedRules(from, realmOf(from));
const named = (name: string): FirewallRule => {
  const rule = rules.find((each) => each.name === `kafka-mon-${name}`);
  if (rule === undefined) throw new Error(`no rule ${name}`);
  return rule;
};
const kibana = named('kibana-operators');
const http = named('elasticsearch-http');

const fields = (changes: readonly Change[]): readonly string[] => changes.map(({ field }) => field);
const words = (wanted: FirewallRule, changes: readonly Change[]): readonly string[] =>
  repairs(wanted, changes, 'demo-project').map((argv) =>
    argv
      .slice(3)
      .filter((word) => !/^--(?:project|format|quiet|description)/.test(word))
      .join(' '),
  );
/** The rule as it is listed, with something else in it. */
const edited = (rule: FirewallRule, change: Readonly<Record<string, unknown>>): FirewallRule => listed({ ...asListed(rule), ...change });

describe('firewall rules compared', () => {
  it('are the same as they come back from Google', () => {
    for (const rule of rules) expect(ruleChanges(rule, listed(asListed(rule)), undefined), rule.name).to.deep.equal([]);
  });

  it('are the same in another order, with doubles, and with ports said in pieces', () => {
    const shuffled = <T,>(all: readonly T[]): fc.Arbitrary<readonly T[]> =>
      fc.tuple(fc.shuffledSubarray([...all], { minLength: all.length }), fc.subarray([...all])).map(([every, some]) => [...every, ...some]);
    fc.assert(
      fc.property(
        fc.constantFrom(...rules).chain((rule) => {
          const there = asListed(rule);
          const set = (field: string): fc.Arbitrary<readonly unknown[]> => shuffled((there[field] ?? []) as readonly unknown[]);
          return fc.record({
            rule: fc.constant(rule),
            sourceRanges: set('sourceRanges'),
            sourceTags: set('sourceTags'),
            targetTags: set('targetTags'),
            allowed: set('allowed'),
          });
        }),
        ({ rule, ...reordered }) => ruleChanges(rule, listed({ ...asListed(rule), ...reordered }), undefined).length === 0,
      ),
    );
    const tcp = (...ports: string[]) => ({ protocol: 'tcp', ports });
    expect(traffic([tcp('9998'), tcp('9997', '9999-10000'), tcp('9997')])).to.deep.equal(['tcp:9997-10000']);
    expect(traffic([tcp('9100-9110'), tcp('5601'), { protocol: '17', ports: ['53'] }])).to.deep.equal(['tcp:5601', 'tcp:9100-9110', 'udp:53']);
    expect(traffic([tcp('0-65535'), { protocol: 'icmp', ports: [] }])).to.deep.equal(['icmp', 'tcp']);
    expect(traffic([tcp('22'), { protocol: 'all', ports: [] }])).to.deep.equal(['all']);
  });

  it('differ in exactly what was edited, both sides shown, and are updated by that alone', () => {
    const wide = ruleChanges(kibana, edited(kibana, { sourceRanges: ['0.0.0.0/0'] }), undefined);
    expect(wide).to.deep.equal([{ field: 'sourceRanges', from: { kind: 'text', text: '0.0.0.0/0' }, to: { kind: 'text', text: '203.0.113.7/32' } }]);
    expect(words(kibana, wide)).to.deep.equal(['update kafka-mon-kibana-operators --source-ranges=203.0.113.7/32']);
    const several = ruleChanges(
      http,
      edited(http, { disabled: true, priority: 900, allowed: [{ IPProtocol: 'all' }], sourceRanges: ['10.0.0.0/8'] }),
      undefined,
    );
    expect(fields(several)).to.deep.equal(['disabled', 'traffic', 'sourceRanges', 'priority']);
    expect(several.find(({ field }) => field === 'sourceRanges')?.to).to.deep.equal({ kind: 'absent' });
    expect(words(http, several)).to.deep.equal(['update kafka-mon-elasticsearch-http --no-disabled --rules=tcp:9200 --source-ranges= --priority=1000']);
    const forAll = ruleChanges(http, edited(http, { targetTags: undefined }), undefined);
    expect(words(http, forAll)).to.deep.equal(['update kafka-mon-elasticsearch-http --target-tags=kafka-mon-es-masters']);
    expect([...wide, ...several, ...forAll].map(({ consent }) => consent)).to.deep.equal(Array(6).fill(undefined));
  });

  it('are made with everything said, since gcloud takes what is not said for everybody', () => {
    expect(words(kibana, ruleChanges(kibana, undefined, undefined))).to.deep.equal([
      'create kafka-mon-kibana-operators --network=metrics --direction=INGRESS --action=allow --rules=tcp:5601 --source-ranges=203.0.113.7/32 --target-tags=kafka-mon-monitoring --priority=1000',
    ]);
    expect(creation(http, 'demo-project')).to.include(`--description=${http.description}`).and.include('--project=demo-project');
    for (const rule of rules) {
      const argv = creation(rule, 'demo-project').join(' ');
      expect(argv, rule.name)
        .to.match(/ --source-(?:ranges|tags)=\S/)
        .and.to.match(/ --target-tags=\S/);
    }
  });

  describe('that gcloud cannot change', () => {
    const accounts = { sourceTags: undefined, targetTags: undefined, sourceServiceAccounts: ['a@x.y'], targetServiceAccounts: ['b@x.y'] };
    const cases: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
      network: { network: 'projects/demo-project/global/networks/other' },
      direction: { direction: 'EGRESS', sourceTags: undefined, destinationRanges: ['0.0.0.0/0'] },
      action: { allowed: undefined, denied: [{ IPProtocol: 'tcp', ports: ['9200'] }] },
      sourceServiceAccounts: accounts,
    };
    for (const [field, change] of Object.entries(cases))
      it(`are made anew under another name first: ${field}`, () => {
        const changes = ruleChanges(http, edited(http, change), undefined);
        expect(fields(changes)).to.include(field);
        expect(changes.find((each) => each.field === field)?.consent).to.match(/made anew/);
        expect(words(http, changes).map((call) => call.split(' ').slice(0, 2).join(' '))).to.deep.equal([
          'create kafka-mon-elasticsearch-http-next',
          'delete kafka-mon-elasticsearch-http',
          'create kafka-mon-elasticsearch-http',
          'delete kafka-mon-elasticsearch-http-next',
        ]);
      });

    it('let in who may come, and nobody new, after each call; and a run goes on from wherever another ended', () => {
      const old = edited(http, accounts);
      /** What a project has after each of the calls that one run makes. */
      const states = (start: ReadonlyMap<string, FirewallRule>): readonly ReadonlyMap<string, FirewallRule>[] => {
        const changes = ruleChanges(http, start.get(http.name), start.get(standInName(http.name)));
        return repairs(http, changes, 'demo-project').reduce<ReadonlyMap<string, FirewallRule>[]>((all, [, , , verb, name = '']) => {
          const now = new Map(all.at(-1) ?? start);
          if (verb === 'delete') expect(now.delete(name), `delete ${name}`).to.equal(true);
          else {
            if (verb === 'create') expect(now.has(name), `create ${name}`).to.equal(false);
            now.set(name, { ...http, name });
          }
          return [...all, now];
        }, []);
      };
      const start = new Map([[http.name, old]]);
      const first = states(start);
      for (const state of first) expect([...state.values()].some((rule) => ruleText(rule) === ruleText(http))).to.equal(true);
      for (const begun of [start, ...first]) {
        const end = states(begun).at(-1) ?? begun;
        expect([...end]).to.deep.equal([[http.name, http]]);
      }
    });
  });

  it('forget no stand-in that an interrupted run left', () => {
    const changes = ruleChanges(http, listed(asListed(http)), { ...http, name: standInName(http.name) });
    expect(changes.map(({ field, consent }) => [field, consent])).to.deep.equal([['stand-in', undefined]]);
    expect(words(http, changes)).to.deep.equal(['delete kafka-mon-elasticsearch-http-next']);
    expect(http.description).to.include(ownerMark('kafka-mon'));
  });
});
