import { defineRole, directory, file, playing, requirement, service, type Context, type Resource } from '../../lib/index.mts';
import { instance, instanceReady, javaFor, placesOf, stripped, USER } from '../logstash/contract.mts';
import { isCollector, metricsIndex } from '../metrics-index/contract.mts';
import { confFile, dictionary } from './conf.mts';
import { listeners, logstashJmx, type LogstashJmxVars } from './contract.mts';
import { askMissing } from './mapping.mts';
import { CLUSTERS, CONF_D, elasticsearchUrls, jmxPipeline, KINDS, NAME, RMI_TIMEOUTS } from './pipeline.mts';
import { jmxPlugin, pluginInput } from './plugin.mts';
import { refusals } from './refusals.mts';
import { targets } from './targets.mts';
import { checks, diagnosis } from './verify.mts';

export default defineRole<LogstashJmxVars>({
  contract: logstashJmx,
  summary: 'the pipeline that asks every broker for its metrics and writes them to Elasticsearch',
  runs: 'host',
  per: 'host',
  refuses: refusals,
  resources: (here) => (isCollector(here.inventory, here.host) ? collecting(here) : [service(placesOf(NAME).unit, { running: false, enabled: false })]),
  listeners: ({ host, inventory }) => (isCollector(inventory, host) ? listeners(host) : []),
  ready: ({ host, vars, inventory }) => (isCollector(inventory, host) ? instanceReady(host, { name: NAME, apiPort: vars.api_port }) : []),
  verify: checks,
  diagnose: diagnosis,
});

function collecting(here: Context<LogstashJmxVars>): readonly Resource[] {
  const { host, vars, facts, inventory } = here;
  const everyone = targets(inventory);
  const plugin = jmxPlugin(host, vars, javaFor(host, facts));
  const ours = { owner: 'root', group: USER };
  return instance(
    here,
    {
      name: NAME,
      description: 'Logstash that collects the metrics of Kafka',
      heap: vars.heap,
      apiPort: vars.api_port,
      pipeline: jmxPipeline(host, inventory, everyone.length),
      java: RMI_TIMEOUTS,
      // A broker that is away is an error with fifty lines of Java at every poll.
      chatty: ['logstash.inputs.jmx'],
      inputs: [pluginInput(vars)],
      because: ['logstash_jmx_poll_seconds', 'logstash_jmx_filters', 'logstash_jmx_debug'],
    },
    {
      first: [
        requirement('elasticsearch has the template', {
          missing: askMissing(elasticsearchUrls(inventory, host), host.vars(metricsIndex)),
          hint: `run this first: ${playing(here, 'elasticsearch,metrics-index')}`,
        }),
      ],
      before: [
        plugin,
        stripped([plugin]),
        file(CLUSTERS, { content: dictionary(everyone, 'cluster'), mode: 0o640, ...ours }),
        file(KINDS, { content: dictionary(everyone, 'kind'), mode: 0o640, ...ours }),
        directory(CONF_D, { mode: 0o750, ...ours, exclusive: everyone.map(({ alias }) => `${alias}.conf`) }),
        ...everyone.map((target) =>
          file(`${CONF_D}/${target.alias}.conf`, {
            content: confFile(target, vars.metrics),
            mode: 0o640,
            ...ours,
            // The plugin reads whatever lies in its directory.
            staging: placesOf(NAME).config,
            because: [target.kind === 'producer' ? 'tracks_producer_jmx_port' : target.kind === 'consumer' ? 'tracks_consumer_jmx_port' : 'kafka_jmx_port'],
          }),
        ),
      ],
    },
  );
}
