import { expect } from 'chai';
import { z } from 'zod';
import { errorLine, gcloud, gcloudJson, gcloudTrouble, honest, isMadeAlready, isPassing } from '../../lib/plan/gcloud.mts';
import type { Raw } from '../../lib/plan/model.mts';

/** Texts as gcloud (SDK 528) printed them for answers of the Compute API. */
const PARTIAL = (text: string): string => `WARNING: Some requests did not succeed.\n - ${text}\n\n`;
const FAILED = (text: string): string =>
  `Creating firewall...\nfailed.\nERROR: (gcloud.compute.firewall-rules.create) Could not fetch resource:\n - ${text}\n\n`;
const OFF =
  'Compute Engine API has not been used in project off-p before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/compute.googleapis.com/overview?project=off-p then retry.';
const DENIED = "Required 'compute.instances.list' permission for 'projects/my-project'";
const RATE = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute'";
const QUOTA = "Quota 'CPUS' exceeded.  Limit: 24.0 in region asia-northeast3.";
const NOT_LOGGED_IN =
  'ERROR: (gcloud.compute.instances.list) You do not currently have an active account selected.\nPlease run:\n\n  $ gcloud auth login\n\nto obtain new credentials.\n';

const list = gcloud(['compute', 'instances', 'list'], { project: 'my-project' });
const create = gcloud(['compute', 'firewall-rules', 'create', 'x'], { project: 'my-project' });

describe('calls of gcloud', () => {
  it('always say the project, want JSON and never ask', () => {
    expect(list).to.deep.equal(['gcloud', 'compute', 'instances', 'list', '--project=my-project', '--format=json', '--quiet']);
  });

  it('a list that is not whole has failed, although its exit code is 0', () => {
    const end = honest({ argv: list, code: 0, stderr: PARTIAL(DENIED) });
    expect(end.code).to.equal(1);
    expect(gcloudTrouble(end)?.kind).to.equal('usage');
    expect(honest({ argv: list, code: 0, stderr: 'WARNING: something else\n' }).code).to.equal(0);
  });

  for (const [name, stderr, short, hint] of [
    ['not logged in', NOT_LOGGED_IN, 'gcloud is not logged in', 'gcloud auth login'],
    [
      'an API that is off',
      FAILED(OFF),
      'compute.googleapis.com is off in project my-project',
      'gcloud services enable compute.googleapis.com --project=my-project',
    ],
    ['no permission', FAILED(DENIED), 'may not do this in project my-project', '--role=roles/compute.securityAdmin, which has compute.instances.list'],
    ['an unknown project', FAILED("The resource 'projects/my-project' was not found"), 'there is no project my-project', 'gcp_project'],
    [
      'a quota that is used up',
      FAILED(`${QUOTA}\n\tmetric name = compute.googleapis.com/cpus\nTry your request in another zone`),
      'the quota CPUS of project my-project in region asia-northeast3 is used up',
      'https://console.cloud.google.com/iam-admin/quotas?project=my-project',
    ],
    ['no billing', FAILED('This API method requires billing to be enabled. Please enable billing on project #1'), 'no billing account', 'gcloud billing'],
  ] as const)
    it(`${name} is everybody's trouble, with the way out`, () => {
      const trouble = gcloudTrouble({ argv: create, code: 1, stderr });
      expect(trouble?.kind).to.equal('usage');
      expect(trouble?.short).to.contain(short);
      expect(trouble?.hint).to.contain(hint);
    });

  it('what is about one object is nobody else’s trouble', () => {
    for (const text of ["The resource 'projects/my-project/global/firewalls/x' was not found", RATE, "Invalid value for field 'resource.name'"])
      expect(gcloudTrouble({ argv: create, code: 1, stderr: FAILED(text) })).to.equal(undefined);
    expect(gcloudTrouble({ argv: create, code: 0, stderr: NOT_LOGGED_IN })).to.equal(undefined);
  });

  it('what one instance does not tell of itself is nobody else’s trouble', () => {
    const argv = gcloud(['compute', 'instances', 'get-guest-attributes', 'es-01'], { project: 'my-project' });
    const stderr = 'ERROR: (gcloud.compute.instances.get-guest-attributes) PERMISSION_DENIED: Guest attributes endpoint access is disabled.\n';
    expect(gcloudTrouble({ argv, code: 1, stderr })).to.equal(undefined);
  });

  it('requests per minute and troubles of the service pass, a quota of resources does not', () => {
    for (const text of [
      RATE,
      'Rate Limit Exceeded',
      'The service is currently unavailable.',
      'Internal error. Please try again or contact Google Support. (Code: 1)',
    ])
      expect(isPassing({ argv: create, code: 1, stderr: FAILED(text) }), text).to.equal(true);
    for (const text of [QUOTA, DENIED, OFF]) expect(isPassing({ argv: create, code: 1, stderr: FAILED(text) }), text).to.equal(false);
    expect(isPassing(honest({ argv: list, code: 0, stderr: PARTIAL(RATE) }))).to.equal(true);
  });

  it('a connection that ends without an answer passes', () => {
    const stderr = "ERROR: gcloud crashed (ConnectionError): ('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))\n";
    expect(isPassing({ argv: create, code: 1, stderr })).to.equal(true);
  });

  it('a create that finds it made is done; nothing else is', () => {
    const stderr = FAILED("The resource 'projects/my-project/global/firewalls/x' already exists");
    expect(isMadeAlready({ argv: create, code: 1, stderr })).to.equal(true);
    expect(isMadeAlready({ argv: list, code: 1, stderr })).to.equal(false);
    expect(isMadeAlready({ argv: create, code: 1, stderr: FAILED(QUOTA) })).to.equal(false);
  });

  it('says the error in one line, without the name of the command', () => {
    expect(errorLine(FAILED(QUOTA))).to.equal(`Could not fetch resource: - ${QUOTA}`);
    expect(errorLine('no word about an error\nlast line\n')).to.equal('last line');
  });

  it('an answer is known only where it is what the schema says', () => {
    const schema = z.array(z.object({ name: z.string() }));
    const read = (code: number, stdout: string, stderr = ''): unknown =>
      gcloudJson(schema, list).read((): Raw => ({ kind: 'value', bytes: Buffer.from(JSON.stringify({ code, stdout, stderr })) }));
    expect(read(0, '[{"name":"es-01","id":"1"}]')).to.deep.equal({ kind: 'known', value: [{ name: 'es-01' }] });
    expect(read(0, '[{"name":1}]')).to.have.property('kind', 'unavailable');
    expect(read(0, 'Listed 0 items.')).to.have.property('kind', 'unavailable');
    expect(read(1, '[]', FAILED(QUOTA))).to.deep.equal({ kind: 'unavailable', reason: `Could not fetch resource: - ${QUOTA}` });
  });
});
