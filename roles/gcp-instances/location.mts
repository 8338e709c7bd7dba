/** Where ssh finds an instance, and the host keys that Google vouches for. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { all, constant, controllerOutput, gcloud, gcloudJson, type Host, type Location, type Question } from '../../lib/index.mts';
import { gcp } from './contract.mts';
import { addressesOf, instanceList, isUp, type Instance } from './instance.mts';
import { instanceOf } from './drift.mts';
import { about } from './wanted.mts';

export function locates(host: Host): Question<Location | undefined> {
  const vars = host.vars(gcp);
  return all({ list: instanceList(vars), user: vars.login === 'os-login' ? osLoginUser(vars) : constant(undefined) }).map(({ list, user }) => {
    const now = instanceOf({ name: host.name, zone: vars.zone }, list);
    return now === undefined || !isUp(now) ? undefined : locationOf(host, now, user);
  });
}

/** What is dialled: the external address, unless the way leads through a jump host, a tunnel, or there is none. */
export function locationOf(host: Host, now: Instance, user: string | undefined): Location | undefined {
  const { connection, name } = host;
  const { access, project } = host.vars(gcp);
  const { inside, outside } = addressesOf(now);
  const isJumped = connection.kind === 'ssh' && connection.jump !== undefined;
  const address = isJumped || access === 'iap' ? inside : (outside ?? inside);
  if (address === undefined) return undefined;
  const there = { name, zone: now.zone, project };
  const port = connection.kind === 'ssh' ? connection.port : 22;
  return {
    address,
    ...(user === undefined ? {} : { user }),
    // As `gcloud compute ssh` has it: another machine of the same name has another id.
    hostKeyAlias: `compute.${now.id}`,
    knownHostsFile: join(homedir(), '.ssh/google_compute_known_hosts'),
    hostKeys: hostKeys(there),
    ...(now.lastStartTimestamp === undefined ? {} : { startedAt: now.lastStartTimestamp }),
    ...(access === 'iap' && !isJumped
      ? { proxyCommand: gcloud(['compute', 'start-iap-tunnel', name, String(port), '--listen-on-stdin', `--zone=${now.zone}`], { project }) }
      : {}),
  };
}

const profile = z.object({
  posixAccounts: z.array(z.object({ username: z.string(), primary: z.boolean().default(false) })).default([]),
  sshPublicKeys: z.record(z.string(), z.object({ key: z.string() })).default({}),
});

/** What OS Login knows of gcloud's account. */
export const loginProfile = ({ project }: { readonly project: string }): Question<z.output<typeof profile>> =>
  gcloudJson(profile, gcloud(['compute', 'os-login', 'describe-profile'], { project }));

const osLoginUser = (vars: { readonly project: string }): Question<string | undefined> =>
  loginProfile(vars).map(({ posixAccounts }) => (posixAccounts.find(({ primary }) => primary) ?? posixAccounts[0])?.username);

/** `TYPE BASE64` each: from the guest attributes that the guest agent writes, else from what cloud-init printed to the serial console. */
function hostKeys(there: Parameters<typeof about>[0]): Question<readonly string[]> {
  return all({
    attributes: controllerOutput(about(there, 'get-guest-attributes', '--query-path=hostkeys/')),
    console: controllerOutput(about(there, 'get-serial-port-output')),
  }).map(({ attributes, console }) => {
    const vouched = attributes.code === 0 ? guestHostKeys(attributes.stdout) : [];
    return vouched.length > 0 || console.code !== 0 ? vouched : consoleHostKeys(console.stdout);
  });
}

const guestAttributes = z.array(z.object({ namespace: z.string(), key: z.string(), value: z.string() }));
const TYPES: ReadonlySet<string> = new Set(['ssh-ed25519', 'ssh-rsa', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521']);

/** Of the JSON that `get-guest-attributes --query-path=hostkeys/` prints. */
export function guestHostKeys(stdout: string): readonly string[] {
  const read = guestAttributes.safeParse(parsed(stdout));
  if (!read.success) return [];
  return read.data.flatMap(({ namespace, key, value }) => (namespace === 'hostkeys' ? keyOf(key, value.trim().split(/\s/, 1)[0]) : [])).sort();
}

const BLOCK = /-----BEGIN SSH HOST KEY KEYS-----([^]*?)-----END SSH HOST KEY KEYS-----/g;

/** Of the JSON that `get-serial-port-output` prints: the block of the last boot, whatever the kernel's log puts in front of its lines. */
export function consoleHostKeys(stdout: string): readonly string[] {
  const read = z.object({ contents: z.string() }).safeParse(parsed(stdout));
  const block = [...(read.success ? read.data.contents : '').matchAll(BLOCK)].at(-1)?.[1] ?? '';
  return [...block.matchAll(/(\S+) ([A-Za-z0-9+/]{40,}=*)/g)].flatMap(([, type, key]) => keyOf(type, key)).sort();
}

/** A key whose own first field says the same type; anything else is no key. */
function keyOf(type: string | undefined, base64: string | undefined): readonly string[] {
  if (type === undefined || base64 === undefined || !TYPES.has(type)) return [];
  const bytes = Buffer.from(base64, 'base64');
  const length = bytes.length < 4 ? 0 : bytes.readUInt32BE(0);
  return bytes.toString('base64') === base64 && bytes.subarray(4, 4 + length).toString('latin1') === type ? [`${type} ${base64}`] : [];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
