import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { RunFailure } from '../../lib/errors.mts';
import { eventsFileReporter } from '../../lib/report/jsonl.mts';
import { cases } from './recorded.mts';
import { play, stamped } from './support.mts';

const unexpected = (warning: string): never => expect.fail(warning);

describe('--events FILE', () => {
  let folder = '';
  const events = stamped(cases[0]?.events ?? []);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'events-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('is complete after every event, not only at the end', () => {
    const path = join(folder, 'run.jsonl');
    const reporter = eventsFileReporter(path, unexpected);
    events.forEach((event, index) => {
      reporter.accept(event);
      const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
      expect(lines).to.have.length(index + 2);
      expect(JSON.parse(lines[0] ?? '')).to.deep.equal({ type: 'version', schema: '1' });
      expect(JSON.parse(lines.at(-1) ?? '')).to.deep.include({ kind: event.kind, seq: event.seq });
    });
    return reporter.close();
  });
  it('begins anew with every run', async () => {
    const path = join(folder, 'run.jsonl');
    await play(eventsFileReporter(path, unexpected), events);
    const first = readFileSync(path, 'utf8');
    await play(eventsFileReporter(path, unexpected), events);
    expect(readFileSync(path, 'utf8')).to.equal(first);
  });
  it('is refused before anything runs when it cannot be written', () => {
    expect(() => eventsFileReporter(join(folder, 'no', 'such', 'folder.jsonl'), unexpected))
      .to.throw(RunFailure)
      .with.nested.property('error.kind', 'usage');
  });
  it('says once that the disk is full and lets the run go on', async () => {
    const warnings: string[] = [];
    await play(
      eventsFileReporter('/dev/full', (text) => warnings.push(text)),
      events,
    );
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.match(/no longer written to \/dev\/full: ENOSPC/);
  });
  it('may be a device that cannot be synced', async () => {
    await play(eventsFileReporter('/dev/null', unexpected), events);
  });
});
