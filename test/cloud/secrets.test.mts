/** Secrets from Secret Manager, read by the real gcloud. */
import { globSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { NOTE, Program, said } from '../cli/program.mts';
import { startDouble, type Double } from './support.mts';

const PROJECT = 'demo-project';
const VALUE = 'correct-horse-battery-staple';

describe('{secret: gcloud:NAME}', function () {
  this.timeout(300_000);
  let double: Double;
  before(async () => {
    double = await startDouble();
    await double.secret(PROJECT, 'note-key', `${VALUE}\n`);
    await double.secret(PROJECT, 'empty', '');
  });
  after(() => double.close());
  beforeEach(() => double.forget());

  const inventory = (program: Program, reference: string): string => program.local(`      note_key: { secret: "gcloud:${reference}" }\n`);

  it('is read once in a run, and is in no output and in no log of gcloud', async () => {
    using program = new Program();
    const ended = await program.run(NOTE, ['-i', inventory(program, `${PROJECT}/note-key`), '--diff', '-vv'], { env: double.environment });
    expect(ended.code, said(ended)).to.equal(0);
    expect(readFileSync(program.path('note.key'), 'utf8')).to.equal(`key: ${VALUE}\n`);
    expect(await double.commands()).to.deep.equal(['secrets.versions.access']);
    const configuration = double.environment['CLOUDSDK_CONFIG'] ?? '';
    const logs = globSync('logs/**/*.log', { cwd: configuration }).map((path) => readFileSync(join(configuration, path), 'utf8'));
    for (const text of [said(ended), ...logs])
      for (const form of [VALUE, Buffer.from(VALUE).toString('base64').slice(0, -3)]) expect(text).to.not.include(form);
  });

  it('that cannot be read is a usage error with its place and the way out', async () => {
    using program = new Program();
    const refused = async (reference: string): Promise<string> => {
      const ended = await program.run(NOTE, ['-i', inventory(program, reference), '--check'], { env: double.environment });
      expect(ended.code, said(ended)).to.equal(4);
      return said(ended);
    };
    expect(await refused(`${PROJECT}/nobody`)).to.match(
      /inventory\.yaml:6:\d+ .*note_key: secret nobody of project demo-project could not be read: .*not found/,
    );
    expect(await refused(`${PROJECT}/empty`)).to.include('secret empty of project demo-project has no text in its latest version');
    expect(await refused('note-key')).to.include('gcloud:note-key names no project');
    await double.fault({ path: 'secrets', answer: { kind: 'error', status: 403, message: "Permission 'secretmanager.versions.access' denied for resource" } });
    expect(await refused(`${PROJECT}/note-key`)).to.include('--role=roles/secretmanager.secretAccessor');
    await double.disable(PROJECT, 'secretmanager.googleapis.com');
    expect(await refused(`${PROJECT}/note-key`)).to.include(`gcloud services enable secretmanager.googleapis.com --project=${PROJECT}`);
  });

  it('without gcloud says how to get it', async () => {
    using program = new Program();
    mkdirSync(program.path('bin'));
    // What the playbook itself needs.
    symlinkSync('/usr/bin/id', program.path('bin/id'));
    const env = { ...double.environment, PATH: program.path('bin') };
    const ended = await program.run(NOTE, ['-i', inventory(program, `${PROJECT}/note-key`), '--check'], { env });
    expect(ended.code, said(ended)).to.equal(4);
    expect(said(ended)).to.include('https://cloud.google.com/sdk/docs/install');
  });
});
