/** Whether an instance runs, and whether addresses that were written down are still its own. */
import { isIP } from 'node:net';
import { isInside, pass, wrong, type Check, type Host, type Inventory, type Judgement, type Skipped } from '../../lib/index.mts';
import { kibana } from '../kibana/contract.mts';
import { gcp } from './contract.mts';
import { instanceOf } from './drift.mts';
import { addressesOf, instanceList, type Instance } from './instance.mts';
import { loginProfile } from './location.mts';
import { loginKey, type LoginKey, type NoKey } from './login.mts';

const STARTING_MS = 180_000;

export function verification(host: Host, inventory: Inventory): readonly Check[] {
  return [...instanceChecks(host, inventory), ...(host.vars(gcp).login === 'os-login' ? [knownKey(host)] : [])];
}

function instanceChecks(host: Host, inventory: Inventory): readonly Check<Instance | undefined>[] {
  const vars = host.vars(gcp);
  const written = writtenDown(host, inventory);
  const ask = instanceList(vars).map((list) => instanceOf({ name: host.name, zone: vars.zone }, list));
  return [
    { id: 'runs', ask, judge: (now) => judgeRunning(host, now), retry: { everyMs: 5000, deadlineMs: STARTING_MS } },
    { id: 'addresses', needs: ['runs'], ask, judge: (now) => judgeAddresses(written, now), retry: { everyMs: 5000, deadlineMs: 30_000 } },
  ];
}

/** With OS Login, keys belong to accounts of Google: who logs in has to have put his there. */
function knownKey(host: Host): Check<readonly string[]> {
  return {
    id: 'os-login-key',
    ask: loginProfile(host.vars(gcp)).map(({ sshPublicKeys }) => Object.values(sshPublicKeys).map(({ key }) => key)),
    judge: (known) => judgeKey(loginKey(host), host, known),
    retry: { everyMs: 5000, deadlineMs: 5000 },
  };
}

export function judgeKey(key: LoginKey | NoKey, { connection }: Host, known: readonly string[]): Judgement | Skipped {
  if ('problem' in key) return { kind: 'skipped', because: 'no public key of ssh is beside ansible_ssh_private_key_file: the agent may have one' };
  const path = connection.kind === 'ssh' ? `${connection.keyFile ?? 'FILE'}.pub` : 'FILE.pub';
  if (known.some((line) => line.startsWith(`${key.type} ${key.key}`))) return pass(`${path} is known to OS Login`);
  return wrong(
    `${path} among the keys of gcloud's account`,
    `${String(known.length)} other keys`,
    `run: gcloud compute os-login ssh-keys add --key-file=${path}`,
    true,
  );
}

export function judgeRunning(host: Host, now: Instance | undefined): Judgement {
  const { deletion_protection } = host.vars(gcp);
  const hint = 'the role gcp-instances makes and starts it: run the playbook without --verify-only';
  if (now === undefined) return wrong('a running instance', `no instance ${host.name} in the project`, hint, true);
  if (now.status !== 'RUNNING') return wrong('a running instance', now.status, hint);
  if (now.deletionProtection !== deletion_protection)
    return wrong(`deletion protection ${deletion_protection ? 'on' : 'off'}`, now.deletionProtection ? 'on' : 'off', 'the role gcp-instances sets it', true);
  const { inside, outside } = addressesOf(now);
  return pass(`${now.machineType} in ${now.zone} at ${inside ?? 'no address'}${outside === undefined ? '' : `, from outside ${outside}`}`);
}

interface WrittenDown {
  readonly variable: string;
  readonly address: string;
}

/** Addresses of the internet that the inventory says literally, and private ones of ssh. */
export function writtenDown(host: Host, inventory: Inventory): readonly WrittenDown[] {
  const { name, connection } = host;
  const says = (variable: string): boolean => !['role default', undefined].includes(inventory.explain(name, variable)?.level);
  const url = says('kibana_base_url') ? host.vars(kibana).base_url : undefined;
  const web = url === undefined ? '' : new URL(url).hostname;
  return [
    ...(connection.kind === 'ssh' && says('ansible_host') && isIP(connection.address) !== 0 ? [{ variable: 'ansible_host', address: connection.address }] : []),
    ...(isIP(web) !== 0 && !isInside(web) ? [{ variable: 'kibana_base_url', address: web }] : []),
  ];
}

/** A stop gives an ephemeral address away: whoever wrote it down would talk to somebody else's machine. */
export function judgeAddresses(written: readonly WrittenDown[], now: Instance | undefined): Judgement {
  const { inside, outside } = now === undefined ? {} : addressesOf(now);
  const own = [inside, outside].filter((address) => address !== undefined);
  const stale = written.find(({ address }) => !own.includes(address));
  if (stale === undefined) return pass(own.join(', '));
  const { variable, address } = stale;
  const way =
    variable === 'ansible_host'
      ? 'leave ansible_host out: the address is looked up in every run'
      : `write the new one, or reserve an address that stays: gcloud compute addresses create, then gcp_external_address`;
  return wrong(`${variable} naming an address of the instance, ${own.join(' or ') || 'none'}`, address, way, true);
}
