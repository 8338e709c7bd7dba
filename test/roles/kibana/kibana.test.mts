import { expect } from 'chai';
import { load } from 'js-yaml';
import { hostName, type Answer, type HostName, type Judgement, type Refusal } from '../../../lib/index.mts';
import { kibanaYml, unit } from '../../../roles/kibana/config.mts';
import { kibana, kibanaUrl, listeners, publicUrl } from '../../../roles/kibana/contract.mts';
import { connected, listening, started, status, writable } from '../../../roles/kibana/judge.mts';
import { readOwners, showOwner } from '../../../roles/kibana/port.mts';
import { refusals, type Peer } from '../../../roles/kibana/refusals.mts';
import role from '../../../roles/kibana/role.mts';
import { readStatus, type Said } from '../../../roles/kibana/status.mts';
import { context, find, hostOf, inventory, steps } from '../support.mts';

const world = (vars = '{}', address = '10.0.0.31', elasticsearch = '{}') =>
  inventory(`all:
  children:
    es_masters:
      hosts: {es-01: {private_address: 10.0.0.11}, es-02: {private_address: 10.0.0.12}}
      vars: ${elasticsearch}
    es_data: {hosts: {data-01: {private_address: 10.0.0.13}}}
    monitoring:
      hosts: {kafka-monitoring: {private_address: "${address}"}}
      vars: ${vars}
`);

const texts = (found: readonly Refusal[]): string => found.map(({ kind, reason, hint }) => `${kind}: ${reason} (${hint})`).join('\n');
const peer = (owner: Peer): ReadonlyMap<HostName, Answer<Peer>> => new Map([[hostName('kafka-monitoring'), { kind: 'known', value: owner }]]);
const refused = (from = world(), owner?: Peer): string => texts(refusals(context(kibana, from, 'kafka-monitoring', {}, peer(owner))));

describe('kibana.yml', () => {
  it('binds the private address and names every node of the cluster', () => {
    const from = world('{kibana_port: 5602}');
    expect(load(kibanaYml(hostOf(from, 'kafka-monitoring'), from))).to.include({
      'server.host': '10.0.0.31',
      'server.port': 5602,
      'server.name': 'kafka-monitoring',
      'path.data': '/var/lib/kibana',
    });
    expect(load(kibanaYml(hostOf(from, 'kafka-monitoring'), from))).to.deep.include({
      'elasticsearch.hosts': ['http://10.0.0.11:9200', 'http://10.0.0.12:9200', 'http://10.0.0.13:9200'],
    });
  });
  it('has one setting a line, none of which is x-pack', () => {
    const text = kibanaYml(hostOf(world(), 'kafka-monitoring'), world());
    for (const line of text.trimEnd().split('\n')) expect(line).to.match(/^(server|elasticsearch|path|logging|telemetry|newsfeed)\.[\w.]+: \S/);
  });
});

describe('the unit of Kibana', () => {
  it('is not started as root and has its heap where one is given', () => {
    expect(unit('512m'))
      .to.include('User=kibana\n')
      .and.to.include('Environment=NODE_OPTIONS=--max-old-space-size=512\n')
      .and.to.include('Environment=KBN_PATH_CONF=/etc/kibana\n');
    expect(unit(undefined)).not.to.include('NODE_OPTIONS');
  });
});

describe('what Kibana refuses before it touches a host', () => {
  it('nothing, when all is well', () => {
    expect(refused()).to.equal('');
  });
  it('a public address, unless the inventory says so in words', () => {
    expect(refused(world('{}', '34.64.85.12'))).to.match(
      /^refused: Kibana without a login would listen on 34\.64\.85\.12.*kibana_exposure: public with kibana_exposure_sources/,
    );
    expect(refused(world('{kibana_exposure: public}', '34.64.85.12'))).to.match(/^usage: .*nobody says for whom/);
    expect(refused(world('{kibana_exposure: public, kibana_exposure_sources: [203.0.113.0/24]}', '34.64.85.12'))).to.equal('');
    expect(refused(world('{kibana_exposure: public, kibana_exposure_sources: [0.0.0.0/0, "::/0"]}', '34.64.85.12')).split('\n')).to.have.length(2);
  });
  it('Elasticsearch of another minor', () => {
    expect(refused(world('{}', '10.0.0.31', '{elasticsearch_version: "7.9.3"}'))).to.match(
      /^usage: Kibana 7\.10\.2 does not go with Elasticsearch 7\.9\.3 \(es-01, es-02\)/,
    );
    expect(refused(world('{}', '10.0.0.31', '{elasticsearch_version: "7.10.1"}'))).to.equal('');
  });
  it('to be without Elasticsearch', () => {
    const alone = inventory('all:\n  children:\n    monitoring: {hosts: {kafka-monitoring: {private_address: 10.0.0.31}}}\n');
    expect(refused(alone)).to.match(/^usage: the group es_masters is empty/);
  });
  it('a port that somebody else has, by name', () => {
    const owner = { process: { pid: 16998, user: 'ops', command: '/home/ops/kibana/bin/../node/bin/node --max' } };
    expect(refused(world(), owner)).to.match(
      /^refused: port 5601 of kafka-monitoring is in use by node \(pid 16998, user ops\) \(stop it, .*kibana_take_over_port: true/,
    );
    expect(refused(world('{kibana_take_over_port: true}'), owner)).to.equal('');
    expect(refused(world(), {})).to.match(/a process that this host cannot see/);
  });
});

describe('the owner of a port', () => {
  it('is read with its user and its service', () => {
    const [mine, other, unseen] = readOwners('12 kibana kibana.service /opt/kibana/current/node x\n16998 ops - node server.js \n- - - -\n');
    expect(mine).to.deep.equal({ process: { pid: 12, user: 'kibana', command: '/opt/kibana/current/node x' }, unit: 'kibana.service' });
    expect(showOwner(other!)).to.equal('node (pid 16998, user ops)');
    expect(unseen).to.deep.equal({});
    expect(readOwners('')).to.deep.equal([]);
  });
});

describe('the Kibana role', () => {
  const resources = (vars = '{}', from = world(vars)) => role.resources(context(kibana, from, 'kafka-monitoring', {}, peer(undefined)));
  it('starts what it configured, after the port is free', () => {
    const ids = resources('{kibana_take_over_port: true}').map(({ id }) => id);
    expect(ids).to.include('port 5601');
    expect(ids.indexOf('service kibana.service' as (typeof ids)[number])).to.be.greaterThan(ids.indexOf('port 5601' as (typeof ids)[number]));
    expect(resources().map(({ id }) => id)).not.to.include('port 5601');
  });
  it('never kills', () => {
    const text = steps(find(resources('{kibana_take_over_port: true}'), 'port 5601'));
    expect(text)
      .to.include('systemctl stop')
      .and.not.to.match(/kill -(9|KILL)/);
  });
  it('restarts for a setting', () => {
    const service = (vars: string) => find(resources(vars), 'service kibana.service').fingerprint;
    expect(service('{kibana_heap: 700m}')).not.to.equal(service('{}'));
    expect(service('{kibana_port: 5602}')).not.to.equal(service('{}'));
    expect(service('{kibana_base_url: "https://kibana.example.org"}')).to.equal(service('{}'));
  });
  it('says where it is', () => {
    expect(kibanaUrl(hostOf(world(), 'kafka-monitoring'))).to.equal('http://10.0.0.31:5601');
    expect(publicUrl(hostOf(world('{kibana_base_url: "https://kibana.example.org/"}'), 'kafka-monitoring'))).to.equal('https://kibana.example.org');
  });
});

const said = (overall: string, more: readonly object[] = [], version = '7.10.2'): Said =>
  readStatus({
    kind: 'answered',
    status: 200,
    body: JSON.stringify({ version: { number: version }, status: { overall: { state: overall }, statuses: more } }),
  });
const core = (elasticsearch: string) => [
  { id: 'core:elasticsearch@7.10.2', state: elasticsearch, message: 'm' },
  { id: 'core:savedObjects@7.10.2', state: 'green' },
];

describe('judgements about Kibana', () => {
  const cases: readonly (readonly [string, Judgement, RegExp | undefined])[] = [
    ['green', status(said('green'), '7.10.2'), undefined],
    ['red', status(said('red', core('red')), '7.10.2'), /red; core:elasticsearch@7\.10\.2 is red \(m\)/],
    ['another version', status(said('green', [], '7.9.0'), '7.10.2'), /7\.9\.0/],
    [
      'not ready',
      status(readStatus({ kind: 'answered', status: 503, body: 'Kibana server is not ready yet' }), '7.10.2'),
      /^503 Kibana server is not ready yet$/,
    ],
    ['silent', status(readStatus({ kind: 'refused', reason: 'connection refused' }), '7.10.2'), /connection refused/],
    ['connected', connected(said('green', core('green'))), undefined],
    ['writable', writable([]), undefined],
    ['read-only', writable(['.kibana_1']), /^\.kibana_1 is read-only$/],
    ['not connected', connected(said('red', core('red'))), /core:elasticsearch@7\.10\.2 red/],
    ['saying nothing of Elasticsearch', connected(said('green')), /not reported/],
    ['waiting', started(said('yellow'), { activeState: 'active', subState: 'running', result: 'success', execMainStatus: 0 }, '7.10.2'), /yellow/],
    ['ended', started(said('green'), { activeState: 'failed', subState: 'failed', result: 'exit-code', execMainStatus: 64 }, '7.10.2'), /exit status 64/],
    [
      'in a crash loop',
      started(said('green'), { activeState: 'activating', subState: 'auto-restart-queued', result: 'exit-code', execMainStatus: 1 }, '7.10.2'),
      /ended/,
    ],
  ];
  for (const [what, judgement, wrong] of cases) {
    it(what, () => {
      if (wrong === undefined) expect(judgement.kind).to.equal('pass');
      else expect(judgement.kind === 'fail' && judgement.found).to.match(wrong);
    });
  }

  const declared = listeners(hostOf(world(), 'kafka-monitoring'));
  const socket = (address: string, pid: number, port = 5601) => ({ address, port, process: 'node', pid });
  it('whose port it is', () => {
    expect(listening([socket('10.0.0.31', 7)], declared, 7).kind).to.equal('pass');
    expect(listening([socket('10.0.0.31', 8)], declared, 7)).to.include({ found: 'Kibana does not listen on 10.0.0.31:5601' });
    expect(listening([socket('0.0.0.0', 7)], declared, 7)).to.include({ found: 'Kibana does not listen on 10.0.0.31:5601; it also listens on 0.0.0.0:5601' });
    expect(listening([socket('10.0.0.31', 0)], declared, 0)).to.include({ found: 'Kibana does not run' });
  });
});
