import { expect } from 'chai';
import { hostName, type Answer, type Ask, type Change, type HostName, type Inventory, type Raw, type Resource } from '../../../lib/index.mts';
import { httpRaw } from '../../../lib/plan/http.mts';
import { compileSteps } from '../../../lib/shell/steps.mts';
import { kibanaDashboards } from '../../../roles/kibana-dashboards/contract.mts';
import { worldOf } from '../../../roles/kibana-dashboards/dashboards.mts';
import role from '../../../roles/kibana-dashboards/role.mts';
import { context, find, hostOf, inventory, steps } from '../support.mts';
import { EXPORT, NEWER } from './support.mts';

const world = (vars = '{}', brokers = '{broker-01: {private_address: 10.0.0.21}, broker-02: {private_address: 10.0.0.22}}') =>
  inventory(`all:
  vars: ${vars}
  children:
    es_masters: {hosts: {es-01: {private_address: 10.0.0.11}}}
    controllers: {hosts: {broker-01: }}
    brokers: {hosts: ${brokers}}
    monitoring: {hosts: {kafka-monitoring: {private_address: 10.0.0.31}}}
    clients: {hosts: {client-01: {private_address: 10.0.0.41}}}
`);
const ready = (matter?: string): ReadonlyMap<HostName, Answer<string | undefined>> =>
  new Map([[hostName('kafka-monitoring'), { kind: 'known', value: matter }]]);
const on = (from: Inventory, peers = ready()) => context(kibanaDashboards, from, 'kafka-monitoring', {}, peers);
const here = (vars?: string) => on(world(vars));
const resources = (vars?: string): readonly Resource[] => role.resources(here(vars));

/** A Kibana that answers every request by its address. */
const lookup =
  (answers: Readonly<Record<string, unknown>>) =>
  (ask: Ask): Raw => {
    const url = ask.at === 'host' ? String((JSON.parse(ask.key) as readonly unknown[])[0]) : '';
    const found = Object.entries(answers).find(([part]) => url.includes(part));
    return found === undefined
      ? { kind: 'value', bytes: httpRaw({ refused: 'connection refused' }) }
      : { kind: 'value', bytes: httpRaw({ status: 200 }, Buffer.from(JSON.stringify(found[1]))) };
  };
const changes = (resource: Resource, answers: Readonly<Record<string, unknown>>): readonly Change[] | string => {
  const answer = resource.differs.read(lookup(answers));
  return answer.kind === 'known' ? answer.value : answer.reason;
};
const missing = { saved_objects: [{ type: 'dashboard', id: 'x', error: { statusCode: 404, message: 'not found' } }] };

describe('the role of the dashboards', () => {
  it('knows what the processes of the inventory are', () => {
    const from = world();
    const host = hostOf(from, 'kafka-monitoring');
    const { clusters, index } = worldOf(from, host, host.vars(kibanaDashboards));
    expect(clusters).to.deep.equal([{ name: 'kafka', kinds: new Set(['broker_controller', 'broker', 'producer', 'consumer']) }]);
    expect(index).to.equal('kafka_mon*');
  });

  it('is the same for two brokers and for sixty', () => {
    const many = world('{}', '{"broker-[01:60]": }');
    const ids = (from: ReturnType<typeof world>) => role.resources(on(from)).map(({ id, fingerprint }) => [id, fingerprint]);
    expect(ids(many)).to.deep.equal(ids(world()));
  });

  it('asks for all objects in one request', () => {
    const asks = resources().flatMap(({ differs }) => differs.asks.map((ask) => (ask.at === 'host' ? ask.key : '')));
    expect(new Set(asks.filter((key) => key.includes('_bulk_get'))).size).to.equal(1);
    expect(new Set(asks).size).to.equal(4);
  });

  it('waits for Kibana, and knows nothing before', () => {
    for (const peers of [ready('is not ready'), new Map<HostName, Answer<string | undefined>>()])
      expect(role.resources(on(world(), peers)).map(({ id }) => id)).to.deep.equal(['kibana answers']);
    const [answers, first, ...rest] = resources();
    expect(changes(answers!, {})).to.have.length(1);
    expect(changes(answers!, { '/api/status': {} })).to.deep.equal([]);
    expect(first?.needs).to.deep.equal([answers?.id]);
    for (const each of rest) expect(each.needs).to.deep.equal([first?.id]);
    expect(steps(answers!)).to.include('--role kibana');
  });

  it('fills an empty Kibana at once, and another one object by object', () => {
    const [, first] = resources();
    expect(changes(first!, { _bulk_get: missing })).to.have.length(1);
    expect(
      changes(first!, { _bulk_get: { saved_objects: [{ type: 'dashboard', id: 'kafka-monitoring-overview', attributes: {}, references: [] }] } }),
    ).to.deep.equal([]);
    expect(steps(first!)).to.include('/api/saved_objects/_bulk_create?overwrite=true').and.to.include('kbn-xsrf');
  });

  it('takes no error for absence', () => {
    const [, first] = resources();
    expect(changes(first!, { _bulk_get: { saved_objects: [{ type: 'dashboard', id: 'x', error: { statusCode: 500, message: 'broken' } }] } })).to.match(
      /dashboard x: broken/,
    );
    expect(changes(first!, { _bulk_get: { hello: 1 } })).to.match(/unexpected/);
    expect(changes(first!, {})).to.match(/connection refused/);
  });

  it('keeps what people added to the index pattern, and writes everything else whole', () => {
    const text = (id: string, field: string) =>
      compileSteps(find(resources(), id), [{ field, from: { kind: 'absent' }, to: { kind: 'absent' } }])
        .map((step) => (step.at === 'host' ? step.script : ''))
        .join('');
    expect(text('index-pattern "kafka_mon*"', 'title')).to.match(/--request 'PUT'/);
    expect(text('index-pattern "kafka_mon*"', 'object')).to.match(/--request 'POST'/);
    expect(text('dashboard "Kafka overview"', 'timeFrom'))
      .to.match(/--request 'POST'/)
      .and.to.include('/api/saved_objects/dashboard/kafka-monitoring-overview?overwrite=true');
  });

  it('chooses a default index pattern only where there is none', () => {
    const chosen = (user: string | undefined, there: readonly string[]) =>
      changes(find(resources(), 'default index pattern'), {
        '/api/kibana/settings': { settings: user === undefined ? {} : { defaultIndex: { userValue: user } } },
        _find: { saved_objects: there.map((id) => ({ id })) },
      });
    expect(chosen('mine', ['mine'])).to.deep.equal([]);
    expect(chosen(undefined, ['mine'])).to.have.length(1);
    expect(chosen('gone', ['mine'])).to.have.length(1);
    expect(chosen('kafka-monitoring-metrics', ['kafka-monitoring-metrics'])).to.deep.equal([]);
  });

  it('imports exports beside its own objects, under names of their own', () => {
    const ids = resources(`{kibana_dashboards_import: ["${EXPORT}"]}`).map(({ id }) => id);
    expect(ids).to.include('dashboard "kafka_dashboard"');
    expect(new Set(ids).size).to.equal(ids.length);
    expect(role.refuses?.(here(`{kibana_dashboards_import: ["${EXPORT}"]}`))).to.deep.equal([]);
  });

  it('refuses exports of newer versions, and to be without Elasticsearch', () => {
    const kinds = (of: Parameters<NonNullable<typeof role.refuses>>[0]) => role.refuses?.(of).map(({ kind }) => kind);
    expect(kinds(here(`{kibana_dashboards_import: ["${NEWER}"]}`))).to.deep.equal(Array.from({ length: 9 }, () => 'refused'));
    const alone = inventory('all:\n  children:\n    monitoring: {hosts: {kafka-monitoring: {private_address: 10.0.0.31}}}\n');
    expect(kinds(on(alone))).to.deep.equal(['usage']);
  });
});
