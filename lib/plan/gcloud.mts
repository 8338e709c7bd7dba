/** Google Cloud's command line: how it is called, how its lists are read, and what its own troubles mean. Nothing here runs it. */
import { z } from 'zod';
import type { RunError } from '../errors.mts';
import { excerpt } from '../secret.mts';
import type { Question } from './model.mts';
import { controllerOutput, known, refine, unavailable, type ControllerOutput } from './questions.mts';

type Argv = readonly [string, ...string[]];

/** One call, as argv: the project is always said, answers are JSON, and it never asks. */
export const gcloud = (words: readonly string[], { project }: { readonly project: string }): Argv => [
  'gcloud',
  ...words,
  `--project=${project}`,
  '--format=json',
  '--quiet',
];

/** What a call answers as JSON, read by `schema`; a call that fails is `unavailable` with its last error. */
export const gcloudJson = <S extends z.ZodType>(schema: S, argv: Argv): Question<z.output<S>> => read(controllerOutput(argv), schema, argv);

/**
 * A list, its items read by `item`. With `mayBeOff` the API may be off, because the run switches it on: then there is nothing yet; otherwise that
 * ends the run.
 */
export function gcloudList<S extends z.ZodType>(item: S, argv: Argv, { mayBeOff }: { readonly mayBeOff: boolean }): Question<readonly z.output<S>[]> {
  if (!mayBeOff) return gcloudJson(z.array(item), argv);
  const asked = controllerOutput(argv, { mayBeOff });
  return read(
    asked.map((output) => (isApiOff({ argv, ...output }) ? { code: 0, stdout: '[]', stderr: '' } : output)),
    z.array(item),
    argv,
  );
}

/** Whether the API is off, told by a list that may find it so. */
export const apiIsOff = (argv: Argv): Question<boolean> => controllerOutput(argv, { mayBeOff: true }).map((output) => isApiOff({ argv, ...output }));

function read<S extends z.ZodType>(asked: Question<ControllerOutput>, schema: S, argv: Argv): Question<z.output<S>> {
  return refine(asked, ({ code, stdout, stderr }) => {
    if (code !== 0) return unavailable(errorLine(stderr) || `${argv.slice(0, 4).join(' ')} ended with exit code ${code.toString()}`);
    let answered: unknown;
    try {
      answered = JSON.parse(stdout);
    } catch {
      return unavailable(`${argv.slice(0, 4).join(' ')} answered no JSON: ${excerpt(stdout, 200)}`);
    }
    const checked = schema.safeParse(answered);
    return checked.success ? known(checked.data) : unavailable(`${argv.slice(0, 4).join(' ')}: ${z.prettifyError(checked.error)}`);
  });
}

/** The last `ERROR: …` that gcloud printed, without the command's name in brackets. */
export const errorLine = (stderr: string): string =>
  /ERROR: (?:\(gcloud[\w.-]*\) )?([^]*)$/
    .exec(stderr)?.[1]
    ?.trim()
    .replace(/\s*\n\s*/g, ' ')
    .slice(0, 1000) ??
  stderr.trim().split('\n').at(-1) ??
  '';

/** What came back of one call. */
export interface GcloudEnd {
  readonly argv: readonly string[];
  readonly code: number;
  readonly stderr: string;
}

const PARTIAL = /^WARNING: Some requests did not succeed\.?/m;

/**
 * A list of which a part could not be had, or nothing at all, ends with exit code 0 and shows the rest (seen with SDK 528: `[]` for a project that may
 * not be read). What it does not show would be taken for absent, so it counts as failed.
 */
export const honest = (end: GcloudEnd): GcloudEnd =>
  end.code === 0 && PARTIAL.test(end.stderr) ? { ...end, code: 1, stderr: end.stderr.replace(PARTIAL, 'ERROR: some requests did not succeed:') } : end;

const LOGIN = 'run: gcloud auth login (or, for a service account: gcloud auth activate-service-account --key-file=FILE)';

/** Said where there is no gcloud at all. */
export const GCLOUD_MISSING: RunError = {
  kind: 'usage',
  short: 'gcloud is missing',
  message: 'gcloud, the command line of Google Cloud, is not installed on this machine or not on its PATH',
  hint: `install it (https://cloud.google.com/sdk/docs/install), then ${LOGIN}`,
};

/** The API that the call needs is off in the project. */
export const isApiOff = ({ code, stderr }: GcloudEnd): boolean =>
  code !== 0 && /SERVICE_DISABLED|accessNotConfigured|has not been used in project|API \[[\w.]+\] not enabled|is not enabled/i.test(stderr);

/** Refused for one instance whose metadata does not allow it, or to accounts that may do everything else: then its keys cannot be had that way. */
const ABOUT_ONE_GUEST = ['get-guest-attributes', 'get-serial-port-output'] as const;

/**
 * What stands in the way of every call alike: not logged in, API off, no permission, wrong project, quota. `undefined` for troubles of one object.
 * The texts are those of gcloud (SDK 528) and of the Compute API.
 */
export function gcloudTrouble({ argv, code, stderr }: GcloudEnd): RunError | undefined {
  if (code === 0 || ABOUT_ONE_GUEST.some((verb) => argv.includes(verb))) return undefined;
  const project = argv.find((word) => word.startsWith('--project='))?.slice('--project='.length) ?? 'PROJECT';
  const said = errorLine(stderr);
  const usage = (short: string, hint: string): RunError => ({ kind: 'usage', short, message: `${short}: ${said}`, hint });
  if (
    /do not currently have an active account|Reauthentication|problem refreshing your current auth tokens|invalid_grant|Invalid Credentials|Could not find default credentials/i.test(
      stderr,
    )
  )
    return usage('gcloud is not logged in', LOGIN);
  if (isApiOff({ argv, code, stderr })) {
    const api = /\b([a-z]+\.googleapis\.com)\b/.exec(stderr)?.[1] ?? 'compute.googleapis.com';
    return usage(`the API ${api} is off in project ${project}`, `run: gcloud services enable ${api} --project=${project}`);
  }
  if (/PERMISSION_DENIED|Required '[\w.]+' permission|does not have permission|\bforbidden\b|HttpError accessing .*status': '403'/i.test(stderr)) {
    const permission = /Required '([\w.]+)' permission/.exec(stderr)?.[1];
    const needed = permission === undefined ? '' : `, which has ${permission}`;
    return usage(
      `gcloud's account may not do this in project ${project}`,
      `let an owner run: gcloud projects add-iam-policy-binding ${project} --member=user:ACCOUNT --role=${roleFor(argv)}${needed}; the account is shown by: gcloud auth list`,
    );
  }
  if (/The project property must be set|Failed to find project|The resource 'projects\/[^/']+' was not found|Unknown project/i.test(stderr))
    return usage(
      `there is no project ${project}, or gcloud's account cannot see it`,
      'correct gcp_project in the inventory; gcloud projects list shows what there is',
    );
  if (/billing to be enabled|BILLING_DISABLED|billing account .* (?:disabled|not found)/i.test(stderr))
    return usage(
      `project ${project} has no billing account`,
      `run: gcloud billing projects link ${project} --billing-account=ACCOUNT; gcloud billing accounts list shows them`,
    );
  const [, metric, where] = /Quota '([\w-]+)' exceeded\.\s+Limit: [\d.]+(?: (globally|in region [\w-]+))?/.exec(stderr) ?? [];
  if (metric !== undefined)
    return usage(
      `the quota ${metric} of project ${project}${where === undefined ? '' : ` ${where}`} is used up`,
      `ask for more at https://console.cloud.google.com/iam-admin/quotas?project=${project}, take a smaller gcp_machine_type or disk, or delete what is not needed; then run again: what was made is kept`,
    );
  return undefined;
}

/** The predefined role that has what the call needs. */
function roleFor(argv: readonly string[]): string {
  if (argv.includes('firewall-rules') || argv.includes('get-effective-firewalls')) return 'roles/compute.securityAdmin';
  if (argv.includes('networks') || argv.includes('routers')) return 'roles/compute.networkAdmin';
  if (argv.includes('start-iap-tunnel')) return 'roles/iap.tunnelResourceAccessor';
  if (argv.includes('services')) return 'roles/serviceusage.serviceUsageAdmin';
  if (argv.includes('secrets')) return 'roles/secretmanager.secretAccessor';
  return 'roles/compute.instanceAdmin.v1';
}

const PASSING = [
  /rate ?limit ?exceeded/i,
  /quota metric .* per (?:minute|second|100 seconds|day)/i,
  /currently unavailable|backend error|internal error|unreachable|timed out|deadline exceeded/i,
  /\b(?:429|500|502|503|504)\b.*(?:error|server|gateway|unavailable)/i,
  /HTTPError (?:429|50[0234])/,
  // The connection ended without an answer: gcloud takes that for a crash of its own.
  /crashed \(ConnectionError\)|Connection aborted/,
];

/** Requests per minute and troubles of the service: worth another try. A quota of resources is not, it does not come back by waiting. */
export const isPassing = ({ code, stderr }: GcloudEnd): boolean => code !== 0 && PASSING.some((pattern) => pattern.test(errorLine(stderr)));

/** Something is about to be ready: an instance that is being started or stopped. */
export const isNotReadyYet = ({ code, stderr }: GcloudEnd): boolean => code !== 0 && /resourceNotReady|The resource '[^']+' is not ready/i.test(stderr);

/** A create that finds it made: whoever made it, the question that is asked next judges it. */
export const isMadeAlready = ({ argv, code, stderr }: GcloudEnd): boolean => code !== 0 && argv.includes('create') && /already exists/i.test(stderr);
