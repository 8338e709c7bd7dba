import type { Answer, HostName, Inventory } from '../../../lib/index.mts';
import { hostName } from '../../../lib/index.mts';
import type { NodeState, Storage } from '../../../roles/kafka/node.mts';
import { inventory } from '../support.mts';

export const CLUSTER = 'abcdefghijklmnopqrstuv';

/** `brokers` at 10.0.0.21…, of which the first `controllers` are controllers too; `vars` of all in YAML flow style. */
export const kafkaCluster = (brokers: number, controllers: number, vars = '', hosts: Readonly<Record<string, string>> = {}): Inventory =>
  inventory(`all:
  vars: {kafka_jmx_password: {secret: 'env:HOME'}${vars === '' ? '' : `, ${vars}`}}
  children:
    controllers:
      hosts:
${names(controllers)
  .map((name) => `        ${name}:\n`)
  .join('')}
    brokers:
      hosts:
${names(brokers)
  .map((name, at) => `        ${name}: {private_address: 10.0.0.2${String(at + 1)}${hosts[name] ?? ''}}\n`)
  .join('')}`);

export const names = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `broker-0${String(at + 1)}`);

export const blank: Storage = { kind: 'blank' };
export const formatted = (nodeId: number, clusterId = CLUSTER): Storage => ({ kind: 'node', clusterId, nodeId, mode: 'kraft' });

export const known = (state: Partial<NodeState> = {}): Answer<NodeState> => ({
  kind: 'known',
  value: { storage: blank, running: false, leader: undefined, voters: [], seed: 'seed', ...state },
});
export const unasked: Answer<NodeState> = { kind: 'unavailable', reason: 'not connected' };

export const peers = (states: Readonly<Record<string, Answer<NodeState>>>): ReadonlyMap<HostName, Answer<NodeState>> =>
  new Map(Object.entries(states).map(([name, state]) => [hostName(name), state]));
