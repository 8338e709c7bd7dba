import { all, playing, shellOutput, type Check, type Context, type Diagnosis, type Inventory, type Question } from '../../lib/index.mts';
import { clusterFor, startFirst } from '../elasticsearch/contract.mts';
import { askStats, instanceChecks, instanceDiagnosis, placesOf } from '../logstash/contract.mts';
import { isCollector, metricsIndex } from '../metrics-index/contract.mts';
import { expectedMetrics } from './conf.mts';
import { listeners, type LogstashJmxVars } from './contract.mts';
import { diagnose, type Suspect } from './diagnose.mts';
import { askDocuments, judgeAnswer, judgeDocuments, judgeRemains, type Documents } from './documents.mts';
import { askMapping, judgeMapping } from './mapping.mts';
import { elasticsearchUrls, NAME } from './pipeline.mts';
import { askReach } from './reach.mts';
import { targets, type Target } from './targets.mts';

type Here = Pick<Context<LogstashJmxVars>, 'host' | 'vars' | 'inventory'>;

/** How long a value may be on its way: three polls, and the time until a search finds it. */
const within = ({ host, vars }: Here): number => 3 * vars.poll_seconds + host.vars(metricsIndex).refresh_seconds + 1;

const again = (inventory: Inventory, { role, host }: Target): string =>
  role === undefined ? `look at ${host.name}, which others run` : `${playing({ inventory }, role)} --limit ${host.name}`;

const suspects = (here: Here): readonly Suspect[] =>
  targets(here.inventory).map((target) => ({
    target,
    metrics: expectedMetrics(target, here.vars.metrics),
    within: within(here),
    again: again(here.inventory, target),
  }));

export function checks(here: Here): readonly Check[] {
  const { host, vars, inventory } = here;
  if (!isCollector(inventory, host)) return [];
  const index = host.vars(metricsIndex);
  const urls = elasticsearchUrls(inventory, host);
  const all = suspects(here);
  const documents = askDocuments(urls, index, all.length);
  const retry = { everyMs: 1000, deadlineMs: 60_000 + 3000 * vars.poll_seconds };
  return [
    ...instanceChecks(host, { instance: { name: NAME, apiPort: vars.api_port }, listeners: listeners(host), every: vars.poll_seconds }),
    {
      id: 'elasticsearch',
      ask: documents,
      judge: (now: Documents) => judgeAnswer(now, startFirst(inventory, clusterFor(inventory, host))),
      retry,
    },
    ...all.map(({ target: { alias }, metrics, within: seconds, again: command }) => ({
      id: `metrics-${alias}`,
      headline: alias,
      needs: ['elasticsearch'],
      ask: documents,
      judge: (now: Documents) =>
        judgeDocuments(now, { alias, metrics, within: seconds, hint: `the diagnosis says why; what sets it right is usually: ${command}` }),
      retry,
    })),
    {
      id: 'mapping',
      needs: ['elasticsearch'],
      ask: askMapping(urls, index),
      judge: ({ reply }: { reply: Parameters<typeof judgeMapping>[0] }) => judgeMapping(reply),
      retry,
    },
    {
      id: 'removed',
      needs: ['elasticsearch'],
      ask: documents,
      judge: (now: Documents) =>
        judgeRemains(
          now,
          all.map(({ target }) => target.alias),
        ),
      retry,
    },
  ];
}

export function diagnosis(here: Here): Question<readonly Diagnosis[]> {
  const { host, vars, inventory } = here;
  const everyone = suspects(here);
  return all({
    instance: instanceDiagnosis(here, 'logstash-jmx', { name: NAME, apiPort: vars.api_port }),
    documents: askDocuments(elasticsearchUrls(inventory, host), host.vars(metricsIndex), everyone.length),
    reached: askReach(everyone.map(({ target }) => target)),
    log: shellOutput(`tail -c 60000 ${placesOf(NAME).log} 2>/dev/null\n:`),
    stats: askStats(host, { apiPort: vars.api_port }),
  }).map(({ instance, documents, reached, log, stats }) => {
    // While nobody asks them, no JVM is to blame.
    const suspected = stats.kind === 'said' ? everyone : [];
    return [...instance, ...diagnose({ suspects: suspected, documents, reached, log: log.output })];
  });
}
