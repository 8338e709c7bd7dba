/** A chain in a few lines: three masters, two brokers (one also a controller), one monitoring host, one client. */
import type { Inventory } from '../../../lib/index.mts';
import { inventory } from '../support.mts';

export interface World {
  /** YAML flow style. */
  readonly vars?: string;
  readonly brokers?: string;
  readonly monitoring?: string;
  readonly clients?: string;
}

export const chain = ({
  vars = '{}',
  brokers = '',
  monitoring = 'mon: {private_address: 10.0.0.31}',
  clients = 'client-01: {private_address: 10.0.0.41}',
}: World = {}): Inventory =>
  inventory(`all:
  vars:
    <<: ${vars}
    kafka_jmx_password: {secret: 'env:USER'}
  children:
    es_masters: {hosts: {es-01: {private_address: 10.0.0.11}, es-02: {private_address: 10.0.0.12}}}
    controllers: {hosts: {broker-01: }}
    brokers:
      hosts: {broker-01: {private_address: 10.0.0.21}, broker-02: {private_address: 10.0.0.22}${brokers}}
      vars: {kafka_topics: [{name: kafka-mon, partitions: 2}]}
    monitoring: {hosts: {${monitoring}}}
    clients: {hosts: {${clients}}}
`);
