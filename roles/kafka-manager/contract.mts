import { z } from 'zod';
import { addressOf, bracketed, contract, variables, type Host, type Inventory, type Listener } from '../../lib/index.mts';
import { kafka, kafkaHosts } from '../kafka/contract.mts';

export const kafkaManager = contract(
  'kafka-manager',
  z.strictObject({
    enabled: z.boolean().default(false).describe('A web page to look at topics and consumer groups. It has no login and can change Kafka.'),
    product: z.enum(['auto', 'cmak', 'akhq']).default('auto').describe('auto: CMAK where Kafka uses ZooKeeper, AKHQ otherwise.'),
    port: variables.port.default(9000).describe('Port of the page.'),
    archive: z.string().min(1).describe('Path on the controller of akhq.jar, or of the zip archive of CMAK.').exactOptional(),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .describe('Digest of that file.')
      .exactOptional(),
    heap: variables.size.default('512m').describe('Smallest and largest heap.'),
  }),
);

export type KafkaManagerVars = NonNullable<(typeof kafkaManager)['typeOfVariables']>;

export type Product = 'cmak' | 'akhq';

/** What is run: CMAK needs ZooKeeper, AKHQ does without. */
export function productOf(host: Host, inventory: Inventory): Product {
  const { product } = host.vars(kafkaManager);
  if (product !== 'auto') return product;
  return kafkaHosts(inventory).some((each) => each.vars(kafka).mode === 'zookeeper') ? 'cmak' : 'akhq';
}

export const managerUrl = (host: Host): string => `http://${bracketed(addressOf(host))}:${String(host.vars(kafkaManager).port)}`;

export const listeners = (host: Host): readonly Listener[] =>
  host.vars(kafkaManager).enabled
    ? [{ name: 'kafka-manager', port: host.vars(kafkaManager).port, address: addressOf(host), from: ['operators'], process: 'kafka-manager' }]
    : [];
