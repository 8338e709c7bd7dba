import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect } from 'chai';
import { documentOf, documentReporter } from '../../lib/report/document.mts';
import { reportSchema } from '../../lib/report/document-schema.mts';
import { eventLine, versionLine } from '../../lib/report/jsonl.mts';
import { writerOf } from '../../lib/report/output.mts';
import { stateOf } from '../../lib/report/run-state.mts';
import { publishedSchemas } from '../../lib/report/schemas.mts';
import { cases } from './recorded.mts';
import { FakeOutput, play, stamped } from './support.mts';

const published = (path: string): object => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')) as object;

function validator(path: string): (data: unknown) => string {
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  formats.default(ajv);
  const validate = ajv.compile(published(path));
  return (data) => (validate(data) ? '' : ajv.errorsText(validate.errors));
}

describe('published schemas', () => {
  for (const [path, schema] of publishedSchemas()) {
    it(`${path} is as generated`, () => {
      expect(published(path)).to.deep.equal(JSON.parse(JSON.stringify(schema)));
    });
  }
});

describe('--json', () => {
  const faults = validator('lib/report/schema/report.schema.json');
  for (const { name, exit, events } of cases) {
    it(`${name} is one valid document`, async () => {
      const output = new FakeOutput();
      await play(documentReporter(writerOf(output)), stamped(events));
      const document: unknown = JSON.parse(output.text);
      expect(faults(document)).to.equal('');
      expect(document).to.deep.include({ schema: '1', exitCode: exit });
      expect(reportSchema.parse(document)).to.deep.equal(document);
    });
  }

  const documentOfCase = (name: string) => documentOf(stateOf(stamped(cases.find((one) => one.name === name)?.events ?? [])));

  it('names every change, its value and the line that asked for it', () => {
    expect(documentOfCase('check-pending').hosts['es-01']).to.deep.include({
      outcome: 'pending',
      roles: {
        'os-limits': {
          verdict: 'pending',
          ms: 30,
          changes: [
            {
              resource: 'sysctl vm.max_map_count',
              field: 'value',
              from: '65530',
              to: '262144',
              state: 'pending',
              because: { variable: 'os_limits_map_count', file: 'inventory/lab.yaml', line: 14, column: 5 },
            },
          ],
          checks: [],
          unknown: [],
          errors: [],
          diagnoses: [],
        },
      },
    });
  });
  it('hides secrets and names what is unknown', () => {
    const role = documentOfCase('check-pending').hosts['es-02']?.roles['elasticsearch'];
    expect(role?.changes.at(-1)).to.deep.include({ from: '(hidden)', to: '(hidden)' });
    expect(role?.unknown).to.deep.equal([{ resource: 'service elasticsearch', because: 'file /etc/elasticsearch/elasticsearch.yml' }]);
  });
  it('gives a failed host its error, output and diagnosis', () => {
    const { hosts, summary, retry } = documentOfCase('apply-failed');
    expect(summary).to.deep.include({ hosts: 3, changed: 0, unchanged: 1, failed: 1, unreachable: 1 });
    expect(hosts['es-02']?.error).to.deep.include({ kind: 'step-failed', role: 'elasticsearch', resource: 'archive /opt/elasticsearch/7.10.2' });
    expect(hosts['es-02']?.roles['elasticsearch']?.diagnoses).to.have.length(1);
    expect(hosts['es-03']?.error?.kind).to.equal('unreachable');
    expect(retry).to.include('--retry-failed');
  });
  it('lists stand-ins', () => {
    expect(documentOfCase('apply-stand-in').standIns.map(({ host, product }) => `${host} ${product}`)).to.deep.equal([
      'es-01 elasticsearch',
      'es-02 elasticsearch',
    ]);
  });
  it('never reads as success when the run has no end', () => {
    const events = cases.find(({ name }) => name === 'apply-converged')?.events.slice(0, -1) ?? [];
    expect(documentOf(stateOf(stamped(events)))).to.deep.include({ exitCode: 70, outcome: 'failed' });
  });
  it('clips long contents and says so', () => {
    const text = (length: number) => ({ kind: 'text', text: 'x'.repeat(length) }) as const;
    const changes = [{ field: 'content', from: text(4_096), to: text(4_097) }];
    const { hosts } = documentOf(
      stateOf(stamped([{ kind: 'resource.verdict', host: 'a', role: 'r', resource: 'file /x', verdict: { kind: 'pending', changes } }])),
    );
    expect(hosts['a']?.roles['r']?.changes[0]?.from).to.have.length(4_096);
    expect(hosts['a']?.roles['r']?.changes[0]?.to).to.match(/^x{4096}… \(clipped: 4096 of 4097 characters\)$/);
  });
});

describe('lines of --events', () => {
  const faults = validator('lib/report/schema/events.schema.json');
  it('are valid, each of them', () => {
    expect(faults(JSON.parse(versionLine))).to.equal('');
    for (const { name, events } of cases)
      for (const event of stamped(events)) expect(faults(JSON.parse(eventLine(event))), `${name}: ${event.kind}`).to.equal('');
  });
  it('are told from what is no event', () => {
    expect(faults({ kind: 'role.start', host: 'a', seq: 1, at: new Date(0).toISOString() })).not.to.equal('');
    expect(faults({ kind: 'unheard-of', seq: 1, at: new Date(0).toISOString() })).not.to.equal('');
  });
});
