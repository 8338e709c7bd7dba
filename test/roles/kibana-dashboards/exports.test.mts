import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { key, parseExport, readExports } from '../../../roles/kibana-dashboards/exports.mts';
import { EXPORT, NEWER, reference } from './support.mts';

const NONE: ReadonlySet<string> = new Set();
const texts = (refusals: ReturnType<typeof readExports>['refusals']): readonly string[] => refusals.map(({ kind, reason }) => `${kind}: ${reason}`);
const line = (more: object): string =>
  JSON.stringify({ type: 'visualization', id: 'a', attributes: { title: 'A' }, references: [], migrationVersion: { visualization: '7.10.0' }, ...more });

describe('exports of saved objects', () => {
  it('of 7.10.2 are taken whole', () => {
    const { objects, refusals } = readExports([EXPORT], NONE);
    expect(refusals).to.deep.equal([]);
    expect(objects.map(key)).to.deep.equal(reference.map(key));
  });

  it('of 7.16.2 are refused, object by object, with file, line and reason', () => {
    const { objects, refusals } = readExports([NEWER], NONE);
    expect(objects).to.deep.equal([]);
    expect(refusals).to.have.length(9);
    expect(refusals.every(({ kind }) => kind === 'refused')).to.equal(true);
    expect(refusals[0]?.reason).to.match(
      /7\.16\.2-not-importable\.ndjson:1: index-pattern "kafka_mon" was made by a newer Kibana: it has migrationVersion 7\.11\.0, and 7\.10\.2 knows 7\.6\.0 at most/,
    );
    expect(refusals[1]?.reason).to.match(/:2: lens "Broker-MessagesInPerSec" is made with Lens, which the OSS edition does not have/);
    expect(refusals[8]?.reason).to.match(/:9: dashboard "Dashboard_Kafka_Broker" is made with Lens.*7\.16\.0/);
  });

  const cases: Readonly<Record<string, readonly [string, RegExp | undefined]>> = {
    'an older object': [line({ migrationVersion: { visualization: '7.4.2' } }), undefined],
    'a newer patch': [line({ migrationVersion: { visualization: '7.10.1' } }), /^refused: f:1: visualization "A" was made by a newer Kibana/],
    'an object that was never migrated': [line({ migrationVersion: {} }), /has no migrationVersion/],
    'a type of x-pack': [line({ type: 'canvas-workpad', migrationVersion: {} }), /made with Canvas/],
    'a type that nobody knows': [line({ type: 'tag', migrationVersion: {} }), /of a type that Kibana 7\.10\.2 OSS does not have/],
    'something else': ['hello', /^usage: f:1 is no saved object/],
    'a summary and an empty line': ['{"exportedCount":1,"missingRefCount":0,"missingReferences":[]}\n\n', undefined],
  };
  for (const [what, [text, refusal]] of Object.entries(cases)) {
    it(`${what}: ${refusal === undefined ? 'taken' : 'refused'}`, () => {
      const found = texts(parseExport('f', text).refusals);
      if (refusal === undefined) expect(found).to.deep.equal([]);
      else expect(found.join('\n')).to.match(refusal);
    });
  }

  it('that lack what they refer to are refused before anything is sent', () => {
    const folder = mkdtempSync(join(tmpdir(), 'exports-'));
    try {
      const file = join(folder, 'part.ndjson');
      writeFileSync(file, readFileSync(EXPORT, 'utf8').split('\n').slice(1).join('\n'));
      const found = texts(readExports([file], NONE).refusals);
      expect(found).to.have.length(5);
      expect(found[0]).to.match(/^refused: visualization ".*" refers to index-pattern efc8bb60-.*, which is in none of the files/);
      expect(readExports([file], new Set([key(reference[0]!)])).refusals).to.deep.equal([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('never replace what is ours', () => {
    expect(texts(readExports([EXPORT], new Set([key(reference[0]!)])).refusals).join('')).to.match(/index-pattern "kafka_mon" twice, or it is one of ours/);
  });

  it('that are not there, or there twice, are errors of the inventory', () => {
    expect(texts(readExports(['/nonexistent.ndjson'], NONE).refusals).join('')).to.match(/^usage: \/nonexistent\.ndjson cannot be read: ENOENT/);
    expect(texts(readExports([EXPORT, EXPORT], NONE).refusals)).to.have.length(reference.length);
  });
});
