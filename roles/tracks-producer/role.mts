import { defineRole, file, localFile, uploadedFile, type Context, type Resource } from '../../lib/index.mts';
import { instance, instanceChecks, instanceDiagnosis, instanceReady, USER } from '../logstash/contract.mts';
import { CLIENT_SILENCE, clientJmx, clientRefusals, kafkaAnswers, listeners, tracksProducer, type TracksProducerVars } from './contract.mts';
import { FILE, NAME, producerPipeline } from './pipeline.mts';
import { tracksCsv } from './tracks.mts';

type Here = Pick<Context<TracksProducerVars>, 'host' | 'vars'>;
const service = ({ host, vars }: Here) => ({ name: NAME, apiPort: vars.api_port, jmx: clientJmx(host, vars.jmx_port) });

export default defineRole<TracksProducerVars>({
  contract: tracksProducer,
  summary: 'a steady load for Kafka: Logstash sends the lines of tracks.csv',
  runs: 'host',
  per: 'host',
  refuses: ({ host, vars, inventory }) => clientRefusals(host, inventory, [vars.topic]),
  resources: (here) =>
    instance(
      here,
      {
        ...service(here),
        description: 'Logstash that sends tracks.csv to Kafka',
        heap: here.vars.heap,
        pipeline: producerPipeline(here.host, here.inventory, here.vars),
        // One event after the other, so that the pause between them is their rate.
        settings: { 'pipeline.workers': 1, 'pipeline.batch.size': 1 },
        because: ['tracks_producer_topic', 'tracks_producer_events_per_second', 'tracks_producer_repeat'],
      },
      { first: [kafkaAnswers(here)], before: [tracks(here.vars)] },
    ),
  listeners: ({ host }) => listeners(host),
  ready: (here) => instanceReady(here.host, service(here)),
  verify: (here) =>
    instanceChecks(here.host, {
      instance: service(here),
      listeners: listeners(here.host),
      every: CLIENT_SILENCE,
      ...(here.vars.repeat ? {} : { idle: 'the whole file may have been sent (tracks_producer_repeat: false)' }),
    }),
  diagnose: (here) => instanceDiagnosis(here, 'tracks-producer', service(here)),
});

function tracks({ file: given, rows, seed }: TracksProducerVars): Resource {
  const ours = { mode: 0o640, owner: 'root', group: USER };
  if (given !== undefined) return uploadedFile(FILE, { from: localFile(given, 'tracks_producer_file'), ...ours, because: ['tracks_producer_file'] });
  return file(FILE, { content: made(rows, seed), ...ours, because: ['tracks_producer_rows', 'tracks_producer_seed'] });
}

let last: { readonly key: string; readonly text: string } | undefined;
/** Asked for several times in a run. */
function made(rows: number, seed: number): string {
  const key = `${String(rows)} ${String(seed)}`;
  if (last?.key !== key) last = { key, text: tracksCsv(rows, seed) };
  return last.text;
}
