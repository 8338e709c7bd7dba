import type { Host, Inventory } from '../../lib/index.mts';
import { clusterFor, nodeUrl } from '../elasticsearch/contract.mts';
import { pipelineText, placesOf, plugin, type Plugin } from '../logstash/contract.mts';
import { logstashIndex, metricsIndex } from '../metrics-index/contract.mts';
import { logstashJmx, type LogstashJmxVars } from './contract.mts';

export const NAME = 'jmx';
const { config } = placesOf(NAME);
/** The plugin reads every file in it, whatever its name. */
export const CONF_D = `${config}/conf.d`;
export const CLUSTERS = `${config}/clusters.json`;
export const KINDS = `${config}/kinds.json`;

/** Of every node: the output, like whoever asks, finds the ones that answer. */
export const elasticsearchUrls = (inventory: Inventory, host: Host): readonly string[] => clusterFor(inventory, host).map(nodeUrl);

/** Answers and handshakes are bounded by these; a connection that nobody answers is not, before Java 18: Linux gives it up after 127 seconds. */
export const RMI_TIMEOUTS = ['responseTimeout', 'handshakeTimeout', 'initialConnectTimeout'].map((name) => `-Dsun.rmi.transport.tcp.${name}=10000`);

/**
 * Every poll puts each JVM into a queue, also one that still holds threads of earlier polls, and nobody is asked while no thread is free. At one
 * poll a second, three JVMs that swallow connections hold 390. A thread that waits costs little; a number that follows every JVM would restart
 * Logstash for each one that is added.
 */
export function threads(files: number): number {
  let count = 512;
  while (count < 2 * files) count *= 2;
  return count;
}

export function jmxPipeline(host: Host, inventory: Inventory, files: number): string {
  const vars: LogstashJmxVars = host.vars(logstashJmx);
  const translate = (destination: string, path: string): Plugin =>
    plugin('translate', { field: 'broker', destination, dictionary_path: path, refresh_interval: 5, refresh_behaviour: 'replace' });
  return pipelineText({
    input: [plugin('jmx', { path: CONF_D, polling_frequency: vars.poll_seconds, nb_thread: threads(files) })],
    filter: [
      // Averages of nothing are no numbers, and Elasticsearch takes none such.
      plugin('mutate', { add_field: { '[@metadata][value]': '%{metric_value_number}' } }),
      { when: '[@metadata][value] in ["NaN", "Infinity", "-Infinity"]', then: [plugin('drop')] },
      plugin('dissect', { mapping: { metric_path: '%{broker}.%{metric}' } }),
      translate('cluster', CLUSTERS),
      translate('kind', KINDS),
    ],
    ...(vars.filters === undefined ? {} : { moreFilters: vars.filters }),
    output: [
      plugin('elasticsearch', {
        hosts: elasticsearchUrls(inventory, host),
        index: logstashIndex(host.vars(metricsIndex)),
        manage_template: false,
        ilm_enabled: false,
        // Its own limit is a minute: so long would every metric be missing after a short outage.
        retry_max_interval: 10,
      }),
      ...(vars.debug ? [plugin('stdout', { codec: 'rubydebug' })] : []),
    ],
  });
}
