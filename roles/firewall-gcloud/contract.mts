import { z } from 'zod';
import { contract } from '../../lib/index.mts';
import { parseRange, prefixLength, rangeText } from './ranges.mts';

/** Who listens for data or commands and asks nobody for a name: no address of the internet is ever let in there. */
export const DATA_LISTENERS = [
  'elasticsearch-http',
  'elasticsearch-transport',
  'kafka',
  'kafka-controller',
  'kafka-jmx',
  'zookeeper',
  'logstash-jmx-api',
  'tracks-producer-jmx',
  'tracks-producer-api',
  'tracks-consumer-jmx',
  'tracks-consumer-api',
] as const;
export type DataListener = (typeof DATA_LISTENERS)[number];

/** A range that says the same with and without its host bits: 203.0.113.7/24 may be meant as an address or as a network. */
const range = z.string().superRefine((text, context) => {
  const parsed = parseRange(text);
  if (parsed === undefined || prefixLength(parsed) === undefined || !text.includes('/')) {
    context.addIssue({ code: 'custom', message: 'an address range such as 203.0.113.7/32' });
    return;
  }
  const network = rangeText(parsed);
  const [address] = text.split('/');
  if (parseRange(`${address ?? ''}/${String(parsed.family === 4 ? 32 : 128)}`)?.first !== parsed.first)
    context.addIssue({ code: 'custom', message: `either the network ${network} or one address of it, ${address ?? ''}/${parsed.family === 4 ? '32' : '128'}` });
});

/** Words, so that nobody allows by accident what has to be said. */
const words = z.string().regex(/\S+\s+\S+\s+\S+/, 'a sentence that says why');

const portRange = z
  .string()
  .regex(/^\d{1,5}(-\d{1,5})?$/, 'a port or a range of ports in quotes, such as "9100" or "9100-9110"')
  .refine((text) => {
    const [first = 0, last = first] = text.split('-').map(Number);
    return first >= 1 && first <= last && last <= 65535;
  }, 'ports from 1 to 65535, the lower one first');

const extraRule = z.strictObject({
  name: z.string().regex(/^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$/, 'lower-case letters, digits and hyphens, at most 20'),
  ports: z.array(portRange).min(1),
  /** Groups of the inventory and address ranges. */
  from: z.array(z.string().min(1)).min(1),
  /** Groups of the inventory. */
  to: z.array(z.string().min(1)).min(1),
});
export type ExtraRule = z.output<typeof extraRule>;

/** Variables of the firewall of a network: hosts of one network and prefix that have them agree on them. */
export const firewallGcloud = contract(
  'firewall-gcloud',
  z.strictObject({
    managed: z.boolean().default(true).describe('false: rules are neither made nor changed; what the network lets through is still verified.'),
    operators: z
      .array(range)
      .describe(
        'Address ranges of the people who open Kibana and log in, such as 203.0.113.7/32; /24 or narrower. [] for nobody from outside: then a tunnel is the way in.',
      )
      .exactOptional(),
    operators_wide: words.describe('Why ranges of operators may be wider than /24 (IPv6: /64), in words, such as: our office has a /20.').exactOptional(),
    private_ranges: z
      .partialRecord(z.enum(DATA_LISTENERS), z.array(range).min(1))
      .describe('Private ranges beside the hosts of the inventory that may reach a service, such as kafka: [10.8.0.0/24].')
      .exactOptional(),
    identity: z
      .enum(['tags', 'service-accounts'])
      .default('tags')
      .describe('How rules name hosts: by network tags, or by gcp_service_account, which needs IAM to be taken on. One account for each group, then.'),
    extra: z.array(extraRule).describe('Further rules: name, ports, from (groups and ranges), to (groups). The same is refused as elsewhere.').exactOptional(),
    known_rules: z
      .record(z.string().min(1), words)
      .describe('Rules of others that open ports of ours and are known: name, and why in words. They are named and no failure.')
      .exactOptional(),
  }),
);

export type FirewallGcloudVars = NonNullable<(typeof firewallGcloud)['typeOfVariables']>;

/** What descriptions of rules end with, so that nothing is taken for ours by its name alone. */
export const ownerMark = (prefix: string): string => `Kept by kafka-elastic-monitoring, prefix ${prefix}: changes made elsewhere are put back.`;

/** Whether this program made the rule for this prefix. */
export const isOurs = ({ name, description }: { readonly name: string; readonly description: string }, prefix: string): boolean =>
  name.startsWith(`${prefix}-`) && description.includes(ownerMark(prefix));
