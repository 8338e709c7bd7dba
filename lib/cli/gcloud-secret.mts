/** Secrets that Secret Manager keeps. */
import { spawnSync } from 'node:child_process';
import { z } from 'zod';
import type { SecretReader } from '../inventory/secrets.mts';
import { errorLine, gcloud, GCLOUD_MISSING, gcloudTrouble } from '../plan/gcloud.mts';

const DEADLINE_MS = 60_000;
const version = z.object({ payload: z.object({ data: z.string() }) });

/**
 * Waits for gcloud: variables are read before anything is contacted, in the middle of what does not wait for anybody. The value is in gcloud's
 * answer and nowhere else: neither in a command line nor in the log that gcloud keeps of its answers.
 */
export const gcloudSecret: SecretReader = ({ project, name }) => {
  const argv = gcloud(['secrets', 'versions', 'access', 'latest', `--secret=${name}`], { project });
  const [file, ...words] = argv;
  const { error, status, stdout, stderr } = spawnSync(file, words, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: DEADLINE_MS,
    env: { ...process.env, CLOUDSDK_CORE_DISABLE_FILE_LOGGING: 'true' },
  });
  const what = `secret ${name} of project ${project}`;
  if (error !== undefined && 'code' in error && error.code === 'ENOENT')
    return { problem: `${what}: ${GCLOUD_MISSING.message}`, hint: GCLOUD_MISSING.hint ?? '' };
  if (status === 0)
    return valueIn(stdout) ?? { problem: `${what} has no text in its latest version`, hint: `gcloud secrets versions list ${name} --project=${project}` };
  const trouble = gcloudTrouble({ argv, code: status ?? 1, stderr });
  if (trouble !== undefined) return { problem: `${what}: ${trouble.message}`, hint: trouble.hint ?? '' };
  const said = status === null ? 'gcloud did not end' : errorLine(stderr);
  return { problem: `${what} could not be read: ${said}`, hint: `make it: gcloud secrets create ${name} --project=${project} --data-file=FILE` };
};

/** A file that a secret was made from usually ends its line. */
function valueIn(stdout: string): string | undefined {
  try {
    const { payload } = version.parse(JSON.parse(stdout));
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(payload.data, 'base64')).replace(/\r?\n$/, '');
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}
