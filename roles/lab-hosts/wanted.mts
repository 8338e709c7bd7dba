import type { Host, Inventory } from '../../lib/index.mts';

/** `host_provider` of a host that the lab makes. */
export const PROVIDER = 'lab';
/** The login user of the base image. */
export const LOGIN = 'ops';

export interface WantedHost {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** A host as the lab makes it, from how the inventory reaches it; what the lab cannot make is said in words. */
export function wantedHost({ name, connection }: Host): WantedHost | { readonly problem: string; readonly hint: string } {
  if (connection.kind === 'local')
    return { problem: `${name} is reached by ansible_connection: local`, hint: 'hosts of the lab are reached by ssh: leave ansible_connection out' };
  const { address, port, user } = connection;
  if (!/^127(\.\d{1,3}){3}$/.test(address))
    return { problem: `${name} has the address ${address}`, hint: 'hosts of the lab have loopback addresses, such as ansible_host: 127.77.0.11' };
  if (port < 1024)
    return {
      problem: `${name} has the ssh port ${port.toString()}`,
      hint: 'the port of a machine that serves ssh itself is taken on every address: set ansible_port: 22022',
    };
  if (user !== LOGIN) return { problem: `${name} has the login user ${user}`, hint: `hosts of the lab have ansible_user: ${LOGIN}` };
  return { name, address, port };
}

/** The hosts of the inventory that the lab makes, in inventory order. */
export const labHosts = (inventory: Inventory): readonly Host[] => [...inventory.hosts.values()].filter(({ provider }) => provider === PROVIDER);

export function wantedHosts(inventory: Inventory): readonly WantedHost[] {
  return labHosts(inventory).flatMap((host) => {
    const wanted = wantedHost(host);
    return 'problem' in wanted ? [] : [wanted];
  });
}

/** What each host's /etc/hosts says about the lab: `name=address`, separated by commas. */
export const neighbours = (hosts: readonly WantedHost[]): string => hosts.map(({ name, address }) => `${name}=${address}`).join(',');
