import { expect } from 'chai';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resourceId } from '../../lib/names.mts';
import { gcloud } from '../../lib/plan/gcloud.mts';
import { Controller, ControllerFailure, type ControllerAsk, type ControllerStep } from '../../lib/run/controller.mts';

/** A program called gcloud that does what a test says: which answers one call after the other gets is in files. */
const PROGRAM = `#!/bin/sh
cd "$(dirname "$0")"
echo "begin $*" >>log
sleep 0.2
n=$(ls answered 2>/dev/null | wc -l)
mkdir -p answered && : >"answered/$$"
echo "end $*" >>log
[ -e "stderr-$n" ] || { echo '[]'; exit 0; }
cat "stderr-$n" >&2
exit "$(cat "code-$n")"
`;

const list = (kind: string): ControllerAsk => ({ at: 'controller', argv: gcloud(['compute', kind, 'list'], { project: 'p-project' }) });
const step = (name: string): ControllerStep => ({
  at: 'controller',
  id: resourceId(name),
  argv: gcloud(['compute', 'instances', 'create', name], { project: 'p-project' }),
  deadlineMs: 10_000,
});

describe('the controller', () => {
  let directory: string;
  const path = process.env['PATH'];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'kem-controller-'));
    writeFileSync(join(directory, 'gcloud'), PROGRAM);
    chmodSync(join(directory, 'gcloud'), 0o755);
    process.env['PATH'] = `${directory}:${path ?? ''}`;
  });
  afterEach(() => {
    process.env['PATH'] = path;
    rmSync(directory, { recursive: true, force: true });
  });

  const log = (): readonly string[] => (existsSync(join(directory, 'log')) ? readFileSync(join(directory, 'log'), 'utf8').trim().split('\n') : []);
  const begun = (): number => log().filter((line) => line.startsWith('begin')).length;
  const answers = (...texts: readonly (readonly [code: number, stderr: string])[]): void => {
    for (const [index, [code, stderr]] of texts.entries()) {
      writeFileSync(join(directory, `stderr-${index.toString()}`), stderr);
      writeFileSync(join(directory, `code-${index.toString()}`), code.toString());
    }
  };
  const controller = (): Controller => new Controller(new AbortController().signal);

  it('asks each question once, for however many hosts, until something was changed', async () => {
    const one = controller();
    await Promise.all(Array.from({ length: 50 }, () => one.ask([list('instances')])));
    expect(begun()).to.equal(1);
    await one.apply(step('es-01'), () => undefined);
    await one.ask([list('instances')]);
    expect(begun()).to.equal(3);
  });

  it('waits with questions until every change that is under way is done: one list for all hosts that were made', async () => {
    const one = controller();
    await Promise.all(
      Array.from({ length: 6 }, async (_, index) => {
        await one.apply(step(`es-0${index.toString()}`), () => undefined);
        await one.ask([list('instances')]);
      }),
    );
    const lists = log().filter((line) => line.includes(' list '));
    expect(lists).to.have.length(2);
    expect(
      log()
        .slice(0, 12)
        .filter((line) => line.includes(' list ')),
    ).to.have.length(0);
  });

  it('has no more than four gclouds at once', async () => {
    const one = controller();
    await one.ask(Array.from({ length: 12 }, (_, index) => list(`kind-${index.toString()}`)));
    let now = 0;
    let most = 0;
    for (const line of log()) most = Math.max(most, (now += line.startsWith('begin') ? 1 : -1));
    expect(most).to.be.within(2, 4);
  });

  it('tries again what passes, and gives the answer that came then', async () => {
    answers(
      [1, 'ERROR: (gcloud.x) Could not fetch resource:\n - Rate Limit Exceeded\n'],
      [0, 'WARNING: Some requests did not succeed.\n - The service is currently unavailable.\n'],
    );
    const [raw] = (await controller().ask([list('instances')])).values();
    expect(begun()).to.equal(3);
    expect(raw?.kind === 'value' && JSON.parse(Buffer.from(raw.bytes).toString())).to.have.property('code', 0);
  }).timeout(15_000);

  it('does not try again what stays, and gives its error', async () => {
    answers([1, "ERROR: (gcloud.x) Could not fetch resource:\n - Invalid value for field 'resource.name'\n"]);
    const { end, tail } = await controller().apply(step('es-01'), () => undefined);
    expect(end).to.deep.equal({ kind: 'exited', code: 1 });
    expect(tail).to.contain('Invalid value');
    expect(begun()).to.equal(1);
  });

  it('a create that finds it made is done', async () => {
    answers([1, "ERROR: (gcloud.x) Could not fetch resource:\n - The resource 'projects/p-project/zones/z/instances/es-01' already exists\n"]);
    expect((await controller().apply(step('es-01'), () => undefined)).end).to.deep.equal({ kind: 'exited', code: 0 });
  });

  it('what stands in everybody’s way is thrown', async () => {
    answers([0, "WARNING: Some requests did not succeed.\n - Required 'compute.instances.list' permission for 'projects/p-project'\n"]);
    const thrown = await controller()
      .ask([list('instances')])
      .catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(ControllerFailure);
    expect(thrown).to.have.nested.property('error.kind', 'usage');
  });

  const OFF = 'ERROR: (gcloud.x) Could not fetch resource:\n - Compute Engine API has not been used in project p before or it is disabled.\n';

  it('an API that is off is an answer for who switches it on, and a failure for everybody else', async () => {
    answers([1, OFF], [1, OFF]);
    const one = controller();
    const [raw] = (await one.ask([{ ...list('instances'), mayBeOff: true }])).values();
    expect(raw?.kind === 'value' && JSON.parse(Buffer.from(raw.bytes).toString())).to.deep.include({ code: 1 });
    const thrown = await one.ask([list('instances')]).catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(ControllerFailure);
    expect(begun()).to.equal(1);
  });

  it('waits for an API that it switched on itself', async () => {
    answers([0, ''], [1, OFF]);
    const one = controller();
    const argv = gcloud(['services', 'enable', 'compute.googleapis.com'], { project: 'p-project' });
    await one.apply({ at: 'controller', id: resourceId('API'), argv, deadlineMs: 10_000 }, () => undefined);
    await one.ask([list('instances')]);
    expect(begun()).to.equal(3);
  });

  it('a machine without gcloud is told how to get it', async () => {
    rmSync(join(directory, 'gcloud'));
    process.env['PATH'] = directory;
    const thrown = await controller()
      .ask([list('instances')])
      .catch((error: unknown) => error);
    expect(thrown).to.have.nested.property('error.short', 'gcloud is missing');
  });
});
