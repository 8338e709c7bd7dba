import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checked, readSettings, type Config } from '../../lab/stand-ins/kibana/src/config.mts';
import { compatibility } from '../../lab/stand-ins/kibana/src/elasticsearch.mts';
import { parseMultipart } from '../../lab/stand-ins/kibana/src/multipart.mts';
import { currentVersion } from '../../lab/stand-ins/kibana/src/saved-objects/versions.mts';

function configured(yaml: string, environment: NodeJS.ProcessEnv = {}): Config {
  const folder = mkdtempSync(join(tmpdir(), 'kibana-yml-'));
  try {
    writeFileSync(join(folder, 'kibana.yml'), yaml);
    return checked(readSettings([join(folder, 'kibana.yml')], environment), false);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("the Kibana stand-in's settings", () => {
  it('are read flat, nested and from the environment', () => {
    const config = configured('server:\n  port: 5602\nserver.host: "${HOST}"\nelasticsearch.hosts: ["http://a:9200", "http://b:9200"]\nlogging.json: false\n', {
      HOST: '127.0.0.2',
    });
    expect([config.port, config.host, config.elasticsearch.hosts, config.logging.json]).to.deep.equal([
      5602,
      '127.0.0.2',
      ['http://a:9200', 'http://b:9200'],
      false,
    ]);
    expect(configured('').elasticsearch.requestTimeout).to.equal(30_000);
  });

  for (const [yaml, exitCode, message] of [
    [
      'xpack.security.enabled: false\nserver.prot: 1\n',
      64,
      'Unknown configuration key(s): "xpack.security.enabled", "server.prot". Check for spelling errors and ensure that expected plugins are installed.',
    ],
    ['server.port: abc\n', 1, '[config validation of [server].port]: expected value of type [number] but got [string]'],
    ['telemetry.enabled: maybe\n', 1, '[config validation of [telemetry].enabled]: expected value of type [boolean] but got [string]'],
    ['server.host: "${NOWHERE}"\n', 1, 'Unknown environment variable referenced in config : NOWHERE'],
    ['server.rewriteBasePath: true\n', 1, '[config validation of [server]]: cannot use [rewriteBasePath] when [basePath] is not specified'],
  ] as const) {
    it(`refuse ${yaml.trim().replaceAll('\n', ', ')}`, () => {
      expect(() => configured(yaml))
        .to.throw(message)
        .with.property('exitCode', exitCode);
    });
  }
});

describe("the Kibana stand-in's versions", () => {
  const visualization = (migrationVersion?: Record<string, string>) => ({ id: 'x', type: 'visualization', migrationVersion });

  it('stamps what is of this version or older', () => {
    for (const version of [undefined, {}, { visualization: '7.4.2' }, { visualization: '7.10.0' }])
      expect(currentVersion(visualization(version))).to.deep.equal({ visualization: '7.10.0' });
    expect(currentVersion({ id: 'x', type: 'query', migrationVersion: undefined })).to.equal(undefined);
  });

  it('refuses what is newer', () => {
    expect(() => currentVersion(visualization({ visualization: '7.11.0' })))
      .to.throw('Document "x" has property "visualization" which belongs to a more recent version of Kibana [7.11.0]. The last known version is [7.10.0]')
      .with.property('status', 422);
  });

  for (const [theirs, fits, message] of [
    ['7.10.2', true, undefined],
    ['7.10.0', true, "You're running Kibana 7.10.2 with some different versions of Elasticsearch."],
    ['7.11.1', true, "You're running Kibana 7.10.2 with some different versions of Elasticsearch."],
    [
      '7.9.3',
      false,
      'This version of Kibana (v7.10.2) is incompatible with the following Elasticsearch nodes in your cluster: v7.9.3 @ 10.0.0.1:9200 (10.0.0.1)',
    ],
    [
      '6.8.0',
      false,
      'This version of Kibana (v7.10.2) is incompatible with the following Elasticsearch nodes in your cluster: v6.8.0 @ 10.0.0.1:9200 (10.0.0.1)',
    ],
  ] as const) {
    it(`${fits ? 'works with' : 'refuses'} Elasticsearch ${theirs}`, () => {
      const found = compatibility({ n1: { version: theirs, ip: '10.0.0.1', http: { publish_address: '10.0.0.1:9200' } } }, '7.10.2', false);
      expect(found.fits).to.equal(fits);
      if (message === undefined) expect(found.message).to.equal(undefined);
      else expect(found.message).to.include(message);
    });
  }
});

describe('a form that is sent to the Kibana stand-in', () => {
  const body = [
    '--b',
    'Content-Disposition: form-data; name="file"; filename="x.ndjson"',
    'Content-Type: application/ndjson',
    '',
    '{"한글":1}\n',
    '--b',
    'Content-Disposition: form-data; name="retries"',
    '',
    '[]',
    '--b--',
    '',
  ].join('\r\n');

  it('has files and fields', () => {
    expect([...(parseMultipart(Buffer.from(body), 'multipart/form-data; boundary=b') ?? [])]).to.deep.equal([
      ['file', { fileName: 'x.ndjson', text: '{"한글":1}\n' }],
      ['retries', { fileName: undefined, text: '[]' }],
    ]);
  });

  for (const [name, text, type] of [
    ['without a boundary', body, 'multipart/form-data'],
    ['that is cut off', body.slice(0, -8), 'multipart/form-data; boundary=b'],
    ['of another boundary', body, 'multipart/form-data; boundary=c'],
  ] as const) {
    it(`is none ${name}`, () => expect(parseMultipart(Buffer.from(text), type)).to.equal(undefined));
  }
});
