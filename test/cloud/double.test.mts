/** The double against the real gcloud. */
import { execFile } from 'node:child_process';
import { expect } from 'chai';
import { startDouble, type Double } from './support.mts';

describe('the double of the Compute API', () => {
  let double: Double;
  before(async () => {
    double = await startDouble();
  });
  after(() => double.close());

  const gcloud = (...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((done) => {
      const args = [...words, '--project=demo-project', '--format=json', '--quiet'];
      execFile('gcloud', args, { env: { ...process.env, ...double.environment } }, (error, stdout, stderr) => {
        done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });

  it('shows a rule that was made', async () => {
    const made = await gcloud(
      'compute',
      'firewall-rules',
      'create',
      'allow-kibana',
      '--allow=tcp:5601',
      '--source-ranges=192.0.2.0/24',
      '--target-tags=kibana',
    );
    expect(made.code, made.stderr).to.equal(0);
    const listed = await gcloud('compute', 'firewall-rules', 'list');
    expect((JSON.parse(listed.stdout) as { name: string }[]).map(({ name }) => name)).to.include('allow-kibana');
  });
});
