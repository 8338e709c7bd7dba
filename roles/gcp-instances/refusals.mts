/** What the inventory alone shows to be wrong about an instance: judged before anything is asked of Google. */
import { isIPv4 } from 'node:net';
import type { Host, Inventory, Refusal } from '../../lib/index.mts';
import { contains, dataDiskOf, gcp, instances } from './contract.mts';
import { loginKey } from './login.mts';

const NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

export function refusals(host: Host, inventory: Inventory): readonly Refusal[] {
  return [...names(host), ...addresses(host, inventory), ...logins(host, inventory), ...ways(host)].map((each) => ({ kind: 'usage', ...each }));
}

type Reason = Omit<Refusal, 'kind'>;

function names(host: Host): readonly Reason[] {
  const disk = host.vars(gcp).data_disk_gb === undefined ? [] : [dataDiskOf(host)];
  return [host.name, ...disk]
    .filter((name) => !NAME.test(name))
    .slice(0, 1)
    .map((name) => ({
      reason: `${name} cannot be a name in Google Cloud`,
      hint: `name the host with lower-case letters, digits and hyphens, beginning with a letter, at most ${disk.length === 0 ? '63' : '58'} characters`,
    }));
}

function addresses(host: Host, inventory: Inventory): readonly Reason[] {
  const { name, privateAddress } = host;
  const { subnet_range: range, project, network } = host.vars(gcp);
  if (privateAddress === undefined || !isIPv4(privateAddress))
    return [
      {
        reason: `${name} has no private_address${privateAddress === undefined ? '' : ` of IPv4: ${privateAddress}`}`,
        hint: `give it one of its subnet's range${range === undefined ? '' : `, ${range}`}: every file that names the host is written from it`,
      },
    ];
  const twin = instances(inventory).find((each) => {
    const other = each.vars(gcp);
    return each.name !== name && each.privateAddress === privateAddress && other.project === project && other.network === network;
  });
  return [
    ...(range === undefined || contains(range, privateAddress)
      ? []
      : [{ reason: `private_address ${privateAddress} of ${name} is not in gcp_subnet_range ${range}`, hint: 'correct one of them' }]),
    ...(twin === undefined || twin.name < name
      ? []
      : [{ reason: `${name} and ${twin.name} have the same private_address ${privateAddress}`, hint: 'give each an address of its own' }]),
  ];
}

function logins(host: Host, inventory: Inventory): readonly Reason[] {
  const { name, connection } = host;
  if (connection.kind === 'local')
    return [{ reason: `${name} is reached by ansible_connection: local`, hint: 'instances are reached by ssh: leave ansible_connection out' }];
  const level = inventory.explain(name, 'ansible_user')?.level;
  const isSaid = level !== undefined && level !== 'role default';
  if (host.vars(gcp).login === 'os-login')
    return isSaid
      ? [{ reason: `${name} has ansible_user ${connection.user} and gcp_login: os-login, where IAM makes the user's name`, hint: 'leave ansible_user out' }]
      : [];
  if (!isSaid) return [{ reason: `${name} has no ansible_user, who would be made on the instance`, hint: 'set ansible_user, such as ops' }];
  if (connection.user === 'root')
    return [{ reason: `ansible_user of ${name} is root, whom Google's images do not let in`, hint: 'set ansible_user: ops and ansible_become: true' }];
  const key = loginKey(host);
  return 'problem' in key ? [{ reason: key.problem, hint: key.hint }] : [];
}

function ways(host: Host): readonly Reason[] {
  const { name, connection } = host;
  if (connection.kind === 'local' || connection.jump === undefined || host.vars(gcp).access !== 'iap') return [];
  return [
    {
      reason: `${name} has connection_jump ${connection.jump} and gcp_access: iap, which are two ways to it`,
      hint: 'keep one: connection_jump: none takes the first back',
    },
  ];
}
