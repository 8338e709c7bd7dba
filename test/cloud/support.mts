/**
 * Google's APIs, played by a process of our own (double/), for the real gcloud:
 *
 *     await using double = await startDouble();
 *     execFile('gcloud', […], { env: { ...process.env, ...double.environment } })
 *
 * Projects come into being when they are first named. The double keeps what is created, refuses what the API refuses, and works on operations for a
 * while; nothing of lib/ or roles/ is in it. Its answers are those of the API, so a rule edited in a console is `edit()`, and what others do through the
 * API is `perform()`. Paths are `projects/P/SCOPE/COLLECTION/NAME`, where a scope is `global`, `regions/R` or `zones/Z`.
 *
 * What a test does behind the API's back are control calls, POST {url}/control/NAME with JSON; each has a method of `Double`, which says more:
 *
 *     fault          { method?, path?, times?, answer }    the next requests that fit are answered so; answers are kinds:
 *                      { kind: 'error', status, reason?, message? }       403, 429, 500, 503 … with the API's usual reason and message
 *                      { kind: 'disabled', service? }                     the service is not enabled in the project
 *                      { kind: 'operation', code?, status?, message? }    accepted, but its operation fails: QUOTA_EXCEEDED unless told
 *                      { kind: 'stall', ms }                              answered that much later
 *                      { kind: 'cut', when: 'before' | 'after' }          the connection ends before or after it took effect
 *     clear-faults   {}
 *     requests       {}                                    every request so far, with its status and the command that sent it
 *     forget         {}
 *     resources      { project }
 *     edit           { path, change }                      fields as they stand, unchecked; null takes one away
 *     remove         { path }
 *     policies       { network, policies }                 what getEffectiveFirewalls shows beside the rules; network is a path
 *     secret         { project, name, value }
 *     disable        { project, service }
 *     guest          { path, address?, hostKeys }          another machine behind an instance
 *     cut-tunnels    {}
 *
 * Seen with gcloud 528:
 * - A list over all zones or regions (instances, disks, subnets, routers) that is refused, or that the API fails, prints `[]` and a warning and exits 0.
 * - Lists and creates are asked once: 429, 500 and 503 fail the command. A connection that ends without an answer is "gcloud crashed".
 * - `instances add-access-config --address` takes an address only; the name of a reserved one goes to the API as it is, which refuses it.
 * - A tunnel that is refused logs a traceback with `4003: 'failed to connect to backend'`, and gcloud exits 0.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { z } from 'zod';
import type { Announcement, Answer, Noted } from './double/cloud.mts';
import type { faultShape } from './double/faults.mts';
import type { Operation, Resource } from './double/resources.mts';

export interface DoubleOptions {
  /** How long an operation takes from its acceptance to DONE; 60 ms unless told. */
  readonly operationMs?: number;
  /** Whether a new project has the network `default` with its subnetworks and rules; yes unless told. */
  readonly defaultNetwork?: boolean;
  /** Services that are on in a new project; `compute.googleapis.com` and `secretmanager.googleapis.com` unless told. */
  readonly services?: readonly string[];
  /** The most items on one page of a list; 500 unless told. */
  readonly pageSize?: number;
  /**
   * Told when an instance was created, started, stopped or deleted, before its operation is done; the answer says how it is reached: the external
   * address to show, the address where its ports really are, and its host keys, as lines `ssh-ed25519 AAAA…`. A rejection fails the operation.
   */
  readonly onInstance?: (announcement: Announcement) => Answer | Promise<Answer>;
  /** How long `onInstance` may take before the operation fails; a minute unless told. */
  readonly answerMs?: number;
}

/** `{ method?, path?: 'regular expression', times?: 1, answer }`: what spoils the next requests that fit; double/faults.mts lists the answers. */
export type Fault = z.input<typeof faultShape>;

export interface Double extends AsyncDisposable {
  readonly url: string;
  /** What to add to a program's environment so that the gcloud it starts talks to the double, and has a configuration of its own. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * A directory for the front of PATH, where tunnels through IAP are opened: its `gcloud` is the real one, but leads `compute start-iap-tunnel` to the
   * double's relay, for which gcloud has a hidden option and no variable of the environment.
   */
  readonly bin: string;
  /** Every request of an API so far, in the order of their answers. */
  requests(): Promise<Noted[]>;
  /** The runs of gcloud that asked anything, oldest first: `compute.instances.list`. */
  commands(): Promise<string[]>;
  /** Makes the two lists above empty. */
  forget(): Promise<void>;
  fault(fault: Fault): Promise<void>;
  clearFaults(): Promise<void>;
  /** Everything in a project. */
  resources(project: string): Promise<Resource[]>;
  /** Changes fields of a resource as they stand, unchecked; null takes a field away. */
  edit(path: string, change: Readonly<Record<string, unknown>>): Promise<void>;
  /** Takes a resource away, unchecked. */
  remove(path: string): Promise<void>;
  /** A request of the Compute API by somebody else: `perform('POST', 'projects/P/zones/Z/instances/N/stop')`. Rejects if it, or its operation, fails. */
  perform(method: string, path: string, body?: object): Promise<object>;
  /** The hierarchical and network policies that are in force in a network besides its rules, as `getEffectiveFirewalls` shows them. */
  policies(network: string, policies: readonly object[]): Promise<void>;
  secret(project: string, name: string, value: string): Promise<void>;
  /** Switches a service of the project off. */
  disable(project: string, service: string): Promise<void>;
  /** Another machine behind an instance: where its ports are, and its host keys. */
  guest(path: string, guest: { readonly address?: string; readonly hostKeys: readonly string[] }): Promise<void>;
  /** Ends the connections of all tunnels as a network does; gcloud takes them up again. */
  cutTunnels(): Promise<void>;
  close(): Promise<void>;
}

export interface GcloudResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real gcloud against the double: `gcloud('compute instances list')`, its words split at blanks. Rejects where there is no gcloud. */
export const gcloudAt =
  ({ environment }: Double, project = 'demo-project') =>
  (command: string): Promise<GcloudResult> =>
    new Promise((done, fail) => {
      const argv = [...command.split(' '), `--project=${project}`, '--format=json', '--quiet'];
      execFile('gcloud', argv, { env: { ...process.env, ...environment }, maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
        if (error?.code === 'ENOENT') fail(new Error('gcloud, the command line of Google Cloud, is not on the PATH: these tests run it and cannot do without'));
        else done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });

interface Ports {
  readonly api: number;
  readonly relay: number;
}

export async function startDouble({ onInstance, ...options }: DoubleOptions = {}): Promise<Double> {
  const directory = mkdtempSync(join(tmpdir(), 'gcloud-'));
  const paths = writeCertificate(directory);
  const given = JSON.stringify({ ...options, ...paths, mapped: onInstance !== undefined });
  const child = spawn(process.execPath, [join(import.meta.dirname, 'double/main.mts'), given], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const { promise: listening, resolve: listens, reject } = Promise.withResolvers<Ports>();
  void exited.then(([code]) => {
    reject(new Error(`The double ended with ${String(code)}.`));
  });
  const replied = async ({ announce, ...announcement }: Announcement & { readonly announce: number }) => {
    const reply = await Promise.resolve(announcement)
      .then((told) => onInstance?.(told))
      .catch((error: unknown) => ({ error: String(error) }));
    child.stdin.write(`${JSON.stringify({ answer: announce, ...reply })}\n`);
  };
  createInterface(child.stdout).on('line', (line) => {
    const said = JSON.parse(line) as { readonly listening: Ports } | (Announcement & { readonly announce: number });
    if ('listening' in said) listens(said.listening);
    else void replied(said);
  });

  const { api, relay } = await listening;
  const url = `http://127.0.0.1:${String(api)}`;
  const control = async (name: string, body: object = {}): Promise<unknown> => {
    const response = await fetch(`${url}/control/${name}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${name}: ${await response.text()}`);
    return response.json();
  };
  const tell = async (name: string, body?: object): Promise<void> => {
    await control(name, body);
  };
  const requests = () => control('requests') as Promise<Noted[]>;
  const close = async () => {
    child.stdin.end();
    await exited;
    rmSync(directory, { recursive: true, force: true });
  };
  return {
    url,
    bin: writeGcloud(directory, { certificate: paths.certificate, relay: `wss://127.0.0.1:${String(relay)}/v4` }),
    environment: {
      CLOUDSDK_CONFIG: join(directory, 'config'),
      CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: `${url}/compute/v1/`,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE: `${url}/`,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_OSLOGIN: `${url}/`,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER: `${url}/`,
      CLOUDSDK_AUTH_DISABLE_CREDENTIALS: 'true',
      CLOUDSDK_CORE_ACCOUNT: 'operator@example.com',
      CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
      // A proxy of the machine is not for loopback addresses.
      no_proxy: [process.env['no_proxy'] ?? process.env['NO_PROXY'], '127.0.0.1'].filter((part) => part !== undefined).join(','),
    },
    requests,
    commands: async () => {
      const runs = new Map((await requests()).map(({ invocation, command }) => [invocation, command]));
      runs.delete('');
      return [...runs.values()];
    },
    forget: () => tell('forget'),
    fault: (fault) => tell('fault', fault),
    clearFaults: () => tell('clear-faults'),
    resources: (project) => control('resources', { project }) as Promise<Resource[]>,
    edit: (path, change) => tell('edit', { path, change }),
    remove: (path) => tell('remove', { path }),
    perform: (method, path, body) => perform(`${url}/compute/v1/`, method, path, body),
    policies: (network, policies) => tell('policies', { network, policies }),
    secret: (project, name, value) => tell('secret', { project, name, value }),
    disable: (project, service) => tell('disable', { project, service }),
    guest: (path, guest) => tell('guest', { path, ...guest }),
    cutTunnels: () => tell('cut-tunnels'),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** gcloud speaks to a relay over TLS only; this certificate is the one that its wrapper trusts. */
function writeCertificate(directory: string): { readonly certificate: string; readonly key: string } {
  const [certificate, key] = [join(directory, 'relay.pem'), join(directory, 'relay.key')];
  const subject = ['-subj', '/CN=relay', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key];
  execFileSync('openssl', ['req', '-x509', ...newKey, '-out', certificate, '-days', '2', ...subject], { stdio: 'ignore' });
  return { certificate, key };
}

/** A gcloud that leads tunnels to the relay. For them it insists on a token, whatever is said about credentials. */
function writeGcloud(directory: string, { certificate, relay }: { readonly certificate: string; readonly relay: string }): string {
  const bin = join(directory, 'bin');
  const token = join(directory, 'token');
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((part) => join(part, 'gcloud'));
  const real = candidates.find((file) => existsSync(file));
  mkdirSync(bin);
  // Without a gcloud there is none in the wrapper's place either.
  if (real === undefined) return bin;
  writeFileSync(token, 'token-of-the-double');
  const script = `#!/bin/sh
if [ "$1 $2" = 'compute start-iap-tunnel' ]; then
  export CLOUDSDK_AUTH_DISABLE_CREDENTIALS=false CLOUDSDK_AUTH_ACCESS_TOKEN_FILE='${token}' CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE='${certificate}'
  exec '${real}' "$@" --iap-tunnel-url-override='${relay}'
fi
exec '${real}' "$@"
`;
  writeFileSync(join(bin, 'gcloud'), script, { mode: 0o755 });
  return bin;
}

async function perform(endpoint: string, method: string, path: string, body?: object): Promise<object> {
  const ask = async (verb: string, where: string, content?: object): Promise<object> => {
    const response = await fetch(endpoint + where, { method: verb, ...(content !== undefined && { body: JSON.stringify(content) }) });
    const answer = (await response.json()) as object;
    if (!response.ok) throw new Error(`${verb} ${where}: ${JSON.stringify(answer)}`);
    return answer;
  };
  const answer = (await ask(method, path, body)) as Partial<Operation>;
  if (answer.kind !== 'compute#operation') return answer;
  const done = (await ask('POST', `${String(answer.selfLink).replace(/.*\/compute\/v1\//, '')}/wait`)) as Operation;
  if (done.error !== undefined) throw new Error(`${method} ${path}: ${JSON.stringify(done.error)}`);
  return done;
}
