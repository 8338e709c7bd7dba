import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { config, unit, type UnitOptions } from '../../../roles/kafka-manager/config.mts';
import { kafkaManager, listeners, productOf } from '../../../roles/kafka-manager/contract.mts';
import role from '../../../roles/kafka-manager/role.mts';
import { judgePage } from '../../../roles/kafka-manager/verify.mts';
import { context, find, hostOf, inventory, steps } from '../support.mts';

const world = (vars = '{}', mode = 'kraft', address = '10.0.0.31') =>
  inventory(`all:
  vars: ${vars}
  children:
    controllers: {hosts: {broker-01: }}
    brokers:
      hosts: {broker-01: {private_address: 10.0.0.21}, broker-02: {private_address: 10.0.0.22}, other-01: {private_address: 10.0.1.21, kafka_cluster_name: other}}
      vars: {kafka_mode: ${mode}}
    monitoring: {hosts: {kafka-monitoring: {private_address: ${address}}}}
`);
const here = (vars?: string, mode?: string, address?: string) => context(kafkaManager, world(vars, mode, address), 'kafka-monitoring');
const refused = (...of: Parameters<typeof here>): string =>
  (role.refuses?.(here(...of)) ?? []).map(({ kind, reason, hint }) => `${kind}: ${reason} (${hint})`).join('\n');

describe('the Kafka manager', () => {
  const folder = mkdtempSync(join(tmpdir(), 'manager-'));
  const jar = join(folder, 'akhq.jar');
  writeFileSync(jar, 'a jar');
  const sha256 = createHash('sha256').update('a jar').digest('hex');
  const GIVEN = `kafka_manager_enabled: true, kafka_manager_archive: "${jar}", kafka_manager_sha256: ${sha256}`;
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('is off unless asked for, and switched off again', () => {
    expect(role.resources(here()).map(({ id }) => id)).to.deep.equal(['service kafka-manager.service']);
    expect(refused()).to.equal('');
    expect(role.verify?.(here())).to.deep.equal([]);
    expect(listeners(hostOf(world(), 'kafka-monitoring'))).to.deep.equal([]);
    expect(listeners(hostOf(world('{kafka_manager_enabled: true}'), 'kafka-monitoring'))[0]).to.include({ port: 9000, address: '10.0.0.31' });
  });

  it('is CMAK where there is ZooKeeper, else AKHQ', () => {
    const product = (vars: string, mode: string) => productOf(hostOf(world(vars, mode), 'kafka-monitoring'), world(vars, mode));
    expect(product('{}', 'kraft')).to.equal('akhq');
    expect(product('{}', 'zookeeper')).to.equal('cmak');
    expect(product('{kafka_manager_product: akhq}', 'zookeeper')).to.equal('akhq');
  });

  it('says what it needs, and that nothing is downloaded', () => {
    expect(refused('{kafka_manager_enabled: true}')).to.match(/^usage: .*kafka_manager_archive and kafka_manager_sha256.*publishes no digest to pin: akhq/);
    expect(refused(`{${GIVEN}}`)).to.equal('');
    expect(refused(`{${GIVEN}, kafka_manager_product: cmak}`)).to.match(/^usage: CMAK keeps what it knows in ZooKeeper/);
    expect(refused(`{kafka_manager_enabled: true, kafka_manager_archive: "${jar}", kafka_manager_sha256: ${'ab'.repeat(32)}}`)).to.match(
      /^refused: .* has the sha256 /,
    );
    expect(refused(`{kafka_manager_enabled: true, kafka_manager_archive: /nonexistent, kafka_manager_sha256: ${sha256}}`)).to.match(
      /^usage: \/nonexistent cannot be read: ENOENT/,
    );
    expect(refused(`{${GIVEN}}`, 'kraft', '34.64.85.12')).to.match(/^refused: the Kafka manager without a login would listen on 34\.64\.85\.12/);
  });

  it('binds the private address and knows every cluster', () => {
    const from = world();
    expect(load(config('akhq', hostOf(from, 'kafka-monitoring'), from))).to.deep.equal({
      micronaut: { server: { host: '10.0.0.31', port: 9000 } },
      akhq: {
        connections: {
          kafka: { properties: { 'bootstrap.servers': '10.0.0.21:9092,10.0.0.22:9092' } },
          other: { properties: { 'bootstrap.servers': '10.0.1.21:9092' } },
        },
      },
    });
    const options: UnitOptions = { product: 'cmak', sha256, address: '10.0.0.31', port: 9000, heap: '256m', javaHome: '/usr/lib/jvm/x' };
    expect(unit(options))
      .to.include('-Dhttp.address=10.0.0.31 -Dhttp.port=9000 -Dpidfile.path=/dev/null')
      .and.to.include('-J-Xmx256m')
      .and.to.include('User=kafka-manager\n');
    expect(unit({ ...options, product: 'akhq' }))
      .to.include('-Xmx256m')
      .and.to.include(`-jar /opt/kafka-manager/akhq-${sha256.slice(0, 12)}.jar\n`);
  });

  it('is another folder and another start when it is another archive', () => {
    const some = role.resources(here(`{${GIVEN}, kafka_manager_product: cmak}`));
    expect(steps(find(some, 'unpacked cmak')))
      .to.include('unzip -q')
      .and.to.include(sha256.slice(0, 12));
    const service = (vars: string) => find(role.resources(here(vars)), 'service kafka-manager.service').fingerprint;
    expect(service(`{${GIVEN}}`)).not.to.equal(service(`{${GIVEN.replace(sha256, 'ab'.repeat(32))}}`));
  });

  it('has a page', () => {
    const up = { activeState: 'active', subState: 'running', result: 'success', execMainStatus: 0 };
    const answered = (status: number) => judgePage({ kind: 'answered', status, body: '' }, up, 'URL');
    expect(answered(200)).to.deep.equal({ kind: 'pass', found: 'URL' });
    expect(answered(302).kind).to.equal('pass');
    expect(answered(500)).to.include({ kind: 'fail', found: 'status 500' });
    expect(judgePage({ kind: 'refused', reason: 'connection refused' }, up, 'URL')).to.include({ kind: 'fail', found: 'connection refused' });
    expect(judgePage({ kind: 'refused', reason: 'r' }, { ...up, activeState: 'failed', execMainStatus: 1 }, 'URL')).to.include({ kind: 'fail', final: true });
  });
});
