import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createReporters, type Verbosity } from '../../lib/report/index.mts';
import { Secret } from '../../lib/secret.mts';
import { FakeClock, FakeOutput, play, stamped, type Recorded } from './support.mts';

const planted = ['plain-Pa55word', 'sp ace/"quote"\\&é€', `it's-a-secret`, '-----BEGIN-----\nline-one-of-key\nline-two-of-key\n-----END-----'];
const base64 = (value: string): string => Buffer.from(value, 'utf8').toString('base64');
const forms = (value: string): readonly string[] => [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value), base64(value)];
/** What must appear nowhere: lines of a key are secret one by one. */
const forbidden = [...planted.flatMap(forms), 'line-one-of-key', 'line-two-of-key'];

/** Every free text of every event carries the secrets in one form. */
function leaky(form: string): readonly Recorded[] {
  const text = `before ${form} after`;
  // A clip in the middle of a secret must not leave its first half.
  const long = `${'x'.repeat(4_090)}${form}${'y'.repeat(20_000)}`;
  const of = { host: 'a', role: 'java' };
  const error = { kind: 'step-failed', short: text, message: `${text}\n${form}`, hint: text } as const;
  const line = text.replaceAll('\n', '\\n');
  const shown = (value: string) => ({ kind: 'text', text: value }) as const;
  const changes = [
    { field: 'content', from: shown(`a\n${form}\nb\n`), to: shown(`a\n${form}\nc\n`) },
    { field: 'value', from: shown(text), to: shown(long) },
  ];
  return [
    { kind: 'run.start', run: 'r', playbook: text, mode: 'apply', inventory: [text], hosts: ['a', 'b'], roles: ['java'] },
    { kind: 'notice', text },
    {
      kind: 'resource.verdict',
      ...of,
      resource: line,
      verdict: { kind: 'changed', changes },
      because: { variable: text, source: { file: text, line: 1, column: 1 } },
    },
    { kind: 'resource.verdict', ...of, resource: 'y', verdict: { kind: 'failed', error: { ...error, message: long } } },
    { kind: 'resource.verdict', ...of, resource: 'z', verdict: { kind: 'unknown', because: line } },
    { kind: 'step.start', ...of, resource: line },
    { kind: 'step.end', ...of, resource: line, ok: false, ms: 5_000 },
    { kind: 'waiting', ...of, what: 'ready', check: text, attempt: 1, found: text },
    { kind: 'check.result', ...of, check: text, outcome: { kind: 'fail', expected: text, found: long, hint: text } },
    { kind: 'check.result', ...of, check: 'other', outcome: { kind: 'unknown', because: text } },
    { kind: 'diagnosis', ...of, diagnosis: { cause: text, evidence: `${form}\n${form}`, fix: text } },
    { kind: 'stand-in', host: 'a', product: text, what: text },
    { kind: 'role.failed', ...of, error, tail: `${form}\n${long}\n` },
    { kind: 'host.failed', host: 'b', error: { ...error, kind: 'unreachable' } },
    { kind: 'run.failed', error },
    { kind: 'run.end', exitCode: 3, ms: 5, notAttempted: [], retry: text },
  ];
}

describe('secrets planted in every text of every event', () => {
  let folder = '';
  before(() => {
    for (const value of planted) new Secret(value, 'test');
    folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  for (const isTTY of [false, true]) {
    for (const verbosity of [-1, 0, 2] satisfies Verbosity[]) {
      it(`appear in no byte of any output (${isTTY ? 'terminal' : 'pipe'}, verbosity ${String(verbosity)})`, async () => {
        const eventsFile = join(folder, 'run.jsonl');
        for (const form of planted.flatMap(forms)) {
          const [stdout, stderr, clock] = [new FakeOutput({ isTTY }), new FakeOutput({ isTTY }), new FakeClock()];
          const reporter = createReporters({ diff: true, verbosity, json: true, eventsFile, stdout, stderr, clock, env: { LANG: 'C.UTF-8' } });
          await play(reporter, stamped(leaky(form)), clock);
          const written = { stdout: stdout.text, stderr: stderr.text, events: readFileSync(eventsFile, 'utf8') };
          for (const [where, text] of Object.entries(written)) {
            for (const secret of forbidden) expect(text.includes(secret), `${secret} in ${where}`).to.equal(false);
            expect(text).to.include('[secret]');
            expect(text, 'a secret cut in half').not.to.match(/x(plain-P|sp ace|it's|-----B)/);
          }
          JSON.parse(stdout.text);
        }
      });
    }
  }
});
