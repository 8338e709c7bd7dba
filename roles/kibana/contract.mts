import { z } from 'zod';
import { addressOf, archiveVariables, bracketed, contract, variables, type Host, type Inventory, type Listener } from '../../lib/index.mts';

const range = z.union([z.cidrv4(), z.cidrv6()]);

export const kibana = contract(
  'kibana',
  z.strictObject({
    version: variables.version.default('7.10.2').describe('Version, in quotes: the one of Elasticsearch.'),
    ...archiveVariables,
    port: variables.port.default(5601).describe('Port of the web pages.'),
    exposure: z
      .enum(['private', 'public'])
      .default('private')
      .describe('public: may listen on an address that the internet can reach, for kibana_exposure_sources only. There is no login.'),
    exposure_sources: z
      .array(range)
      .min(1)
      .describe('Address ranges that may reach it, for the firewall; needed where kibana_exposure is public.')
      .exactOptional(),
    base_url: z
      .url({ protocol: /^https?$/ })
      .describe('How people reach it, where that is not its address and port: shown after a run.')
      .exactOptional(),
    take_over_port: z.boolean().default(false).describe('true: another process that has the port is stopped, cleanly, before Kibana starts.'),
    heap: z
      .string()
      .regex(/^[1-9][0-9]{2,}m$/, 'a size of at least 100m, such as 512m')
      .describe('Largest heap of its Node.')
      .exactOptional(),
  }),
);

export type KibanaVars = NonNullable<(typeof kibana)['typeOfVariables']>;

/** Hosts that serve Kibana: the group monitoring. */
export const kibanaHosts = (inventory: Inventory): readonly Host[] => inventory.group('monitoring');
export const kibanaUrl = (host: Host): string => `http://${bracketed(addressOf(host))}:${String(host.vars(kibana).port)}`;

/** The same as people reach it. */
export const publicUrl = (host: Host): string => host.vars(kibana).base_url?.replace(/\/$/, '') ?? kibanaUrl(host);

export function listeners(host: Host): readonly Listener[] {
  const { port, exposure } = host.vars(kibana);
  const open = exposure === 'public' ? { exposure } : {};
  return [{ name: 'kibana', port, address: addressOf(host), from: ['monitoring', 'operators'], process: 'kibana', ...open }];
}
