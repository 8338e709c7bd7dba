/** What happens when an instance is switched on and off: its guest, its external address, and the harness that may stand for both. */
import type { Cloud } from './cloud.mts';
import type { AccessConfig, Instance } from './resources.mts';
import { present, timestamp } from './values.mts';

export async function switchOn(cloud: Cloud, path: string, event: 'created' | 'started'): Promise<void> {
  const instance = cloud.instances.put<Instance>({ ...cloud.instances.require(path), status: 'STAGING' });
  const { natIP, address, hostKeys = [] } = await cloud.announce({ event, instance });
  cloud.guests.set(path, { address, hostKeys, console: bootMessages(instance.name, hostKeys) });
  const addressed = (config: AccessConfig): AccessConfig => ({ ...config, natIP: natIP ?? config.natIP ?? cloud.ephemeral() });
  cloud.instances.put<Instance>({ ...withAddresses(instance, addressed), status: 'RUNNING', lastStartTimestamp: timestamp() });
}

/** Addresses that nobody reserved are given back. */
export async function switchOff(cloud: Cloud, path: string, event: 'stopped' | 'deleted'): Promise<void> {
  const instance = cloud.instances.require(path);
  await cloud.announce({ event, instance });
  cloud.guests.delete(path);
  const kept = ({ natIP, ...config }: AccessConfig): AccessConfig => ({ ...config, ...(natIP !== undefined && cloud.reserved(natIP) && { natIP }) });
  cloud.instances.put<Instance>({ ...withAddresses(instance, kept), status: 'TERMINATED', lastStopTimestamp: timestamp() });
}

const withAddresses = (instance: Instance, change: (config: AccessConfig) => AccessConfig): Instance => ({
  ...instance,
  networkInterfaces: instance.networkInterfaces.map((entry) => ({ ...entry, ...present({ accessConfigs: entry.accessConfigs?.map(change) }) })),
});

/** What a serial console shows after a boot: cloud-init prints the host keys between two marks. */
function bootMessages(name: string, hostKeys: readonly string[]): string {
  const keys =
    hostKeys.length === 0 ? [] : ['-----BEGIN SSH HOST KEY KEYS-----', ...hostKeys.map((key) => `${key} root@${name}`), '-----END SSH HOST KEY KEYS-----'];
  return [`[    0.000000] Linux version 6.1.0 (${name})`, ...keys, `${name} login: `].join('\r\n');
}
