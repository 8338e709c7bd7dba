/** Secret Manager, by a program in the place of gcloud: what it prints decides, and what it may not keep is told to it. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { gcloudSecret } from '../../lib/cli/gcloud-secret.mts';
import { withDirectory } from '../transport/support.mts';

/** What is answered where `gcloud` is this script; none: where there is no gcloud at all. */
async function answerOf(script: string | undefined): Promise<{ readonly answer: ReturnType<typeof gcloudSecret>; readonly called: string }> {
  return withDirectory((directory) => {
    const log = join(directory, 'log');
    writeFileSync(log, '');
    if (script !== undefined) {
      writeFileSync(join(directory, 'gcloud'), `#!/bin/sh\necho "$* $CLOUDSDK_CORE_DISABLE_FILE_LOGGING" >>'${log}'\n${script}\n`);
      chmodSync(join(directory, 'gcloud'), 0o755);
    }
    const before = process.env['PATH'];
    process.env['PATH'] = script === undefined ? directory : `${directory}:${before ?? ''}`;
    try {
      return { answer: gcloudSecret({ project: 'p-one', name: 'store' }), called: readFileSync(log, 'utf8') };
    } finally {
      process.env['PATH'] = before;
    }
  });
}
const payload = (bytes: string | Uint8Array): string => `echo '{"payload": {"data": "${Buffer.from(bytes).toString('base64')}"}}'`;

describe('a secret of Secret Manager', () => {
  it('is the latest version, without the end of its last line, and is not logged by gcloud', async () => {
    const { answer, called } = await answerOf(payload('s3cret-ö\n'));
    expect(answer).to.equal('s3cret-ö');
    expect(called).to.match(/^secrets versions access latest --secret=store .*--project=p-one.* true\n$/);
    expect((await answerOf(payload('two\nlines\r\n'))).answer).to.equal('two\nlines');
  });

  for (const [what, script] of [
    ['empty', payload('\n')],
    ['no text', payload(Uint8Array.of(0xff, 0xfe))],
    ['no answer at all', 'true'],
    ['another answer', 'echo "{}"'],
  ] as const)
    it(`that is ${what} is none`, async () => {
      expect((await answerOf(script)).answer).to.deep.equal({
        problem: 'secret store of project p-one has no text in its latest version',
        hint: 'gcloud secrets versions list store --project=p-one',
      });
    });

  it('that cannot be had says why, and what to do', async () => {
    expect((await answerOf(undefined)).answer)
      .to.have.property('problem')
      .that.match(/^secret store of project p-one: gcloud, .* is not installed/);
    expect((await answerOf('echo "ERROR: (gcloud.secrets) NOT_FOUND: Secret [store] not found" >&2; exit 1')).answer).to.deep.equal({
      problem: 'secret store of project p-one could not be read: NOT_FOUND: Secret [store] not found',
      hint: 'make it: gcloud secrets create store --project=p-one --data-file=FILE',
    });
    expect((await answerOf('echo "ERROR: (gcloud) PERMISSION_DENIED: Permission denied" >&2; exit 1')).answer)
      .to.have.property('hint')
      .that.includes('roles/secretmanager.secretAccessor');
    expect((await answerOf('kill -KILL $$')).answer)
      .to.have.property('problem')
      .that.match(/could not be read: gcloud did not end$/);
  });
});
