/** Why an instance does not do its work, read from what it and the host say. Pure: the evidence is gathered in evidence.mts. */
import { excerpt, lineOf, ownerOf, takes, type Diagnosis, type ListeningSocket } from '../../lib/index.mts';
import type { Places } from './paths.mts';

export interface Evidence {
  /** What the unit printed lately. */
  readonly journal: string;
  /** The end of its log, possibly with earlier starts. */
  readonly log: string;
  readonly sockets: readonly ListeningSocket[];
  /** Command lines of other processes that name its data directory. */
  readonly others: string;
  readonly places: Places;
  readonly api: { readonly address: string; readonly port: number };
  readonly jmx?: { readonly address: string; readonly port: number };
  /** How its role is run again. */
  readonly again: string;
}

type Rule = readonly [pattern: RegExp, explain: (found: RegExpExecArray, evidence: Evidence) => Omit<Diagnosis, 'evidence'> | undefined];

/** What keeps an instance from starting, or ends it. */
const RULES: readonly Rule[] = [
  [
    /Logstash could not be started because there is already another instance using the configured data directory/,
    (_, { others, places }) => ({
      cause: `another Logstash uses ${places.data}${others === '' ? '' : `: ${others}`}`,
      fix: `stop the other one; an instance of its own needs another path.data. Then systemctl restart ${places.unit}`,
    }),
  ],
  [
    /The given configuration is invalid\. Reason: ([^\n]*)|Failed to execute action[^\n]*:message=>"((?:[^"\\]|\\.)*)"|Pipeline error[^\n]*:exception=>([^\n]*?), :backtrace/,
    ([, reason, message, exception], { places, again }) => ({
      cause: `${places.pipeline} is not valid: ${excerpt((reason ?? message ?? exception ?? '').replaceAll('\\"', '"'), 200)}`,
      fix: `run the role again, which writes and tests it: ${again}`,
    }),
  ],
  [
    /Couldn't find any (\w+) plugin named '([^']*)'/,
    ([, kind = '', name = ''], { again }) => ({
      cause: `the plugin logstash-${kind}-${name} is not installed`,
      fix: `run the role again, which installs what it needs: ${again}`,
    }),
  ],
  [
    /Cannot evaluate `([^`]*)`\. Replacement variable `([^`]*)` is not defined/,
    ([, text = '', name = ''], { places }) => ({
      cause: `the configuration names the environment variable ${name} (${text}), which is not set for ${places.unit}`,
      fix: 'write the value itself: a service has no login environment',
    }),
  ],
  [
    /Port already in use: (\d+)|java\.rmi\.server\.ExportException[^\n]*?(\d+)/,
    ([, one, other], evidence) => inUse(Number(one ?? other), evidence.jmx?.address ?? evidence.api.address, 'JMX', evidence),
  ],
  [
    /(?:Address already in use|errno: 98|bind\(2\) for|Could not start WebServer)[^\n]*/,
    // Java says the same words below those about its JMX port.
    ({ input }, evidence) => (/Port already in use: /.test(input) ? undefined : inUse(evidence.api.port, evidence.api.address, 'the API', evidence)),
  ],
  [
    /Error: Password file (?:read access must be restricted|not found)[^\n]*/,
    (_, { again }) => ({
      cause: 'Java refuses the JMX password file: others may read it, or it is missing',
      fix: `run the role again, which puts it right: ${again}`,
    }),
  ],
  [
    /Setting "([^"]*)" hasn't been registered/,
    ([, name = ''], { places, again }) => ({
      cause: `${places.config}/logstash.yml has a setting that this Logstash does not know: ${name}`,
      fix: `run the role again: ${again}`,
    }),
  ],
  [
    /Unrecognized VM option '([^']*)'|Unrecognized option: (\S+)/,
    ([, one, other], { places }) => ({
      cause: `Java does not know the option ${one ?? other ?? ''}`,
      fix: `look at logstash_java: ${places.config}/jvm.options is for Java 11 to 17`,
    }),
  ],
  [
    /java\.lang\.OutOfMemoryError: ([^\r\n]*)|Terminating due to java\.lang\.OutOfMemoryError: ([^\r\n]*)/,
    ([, one, other], { places }) => ({
      cause: `Java ran out of memory: ${one ?? other ?? ''}`,
      fix: `raise the heap of this instance; the dump is ${places.logs}/heap.hprof`,
    }),
  ],
  [
    /could not find java[^\n]*|Invalid JAVA_HOME[^\n]*|Could not find java;[^\n]*/i,
    () => ({ cause: 'there is no Java where it was looked for', fix: 'run the role java, or correct logstash_java' }),
  ],
  [/No space left on device/, (_, { places }) => ({ cause: 'a disk is full', fix: `df -h ${places.data} ${places.logs} shows which` })],
  [
    /Permission denied - ([^\n"]*)|AccessDeniedException: ([^\n"]*)/,
    ([, one, other], { again }) => ({ cause: `the service may not use ${one ?? other ?? 'a file'}`, fix: `run the role again, which gives it back: ${again}` }),
  ],
];

/** What an instance that runs complains about; cured by the words after it. */
const COMPLAINTS: readonly (readonly [complaint: RegExp, cured: RegExp | undefined, explain: Rule[1]])[] = [
  [
    /(?:Attempted to resurrect connection to dead ES instance|Elasticsearch Unreachable|Attempted to send a bulk request[^\n]*but)[^\n]*/,
    /Restored connection to ES instance/,
    ([line]) => {
      const where = /:url=>"([^"]*)"|Unreachable: \[([^\]]*)\]/.exec(line);
      return {
        cause: `Elasticsearch does not answer${where === null ? '' : ` at ${where[1] ?? where[2] ?? ''}`}: events wait, and nothing is polled meanwhile`,
        fix: 'systemctl status elasticsearch on its hosts; the events flow again by themselves',
      };
    },
  ],
  [
    /retrying failed action with response code: (\d+)[^\n]*/i,
    undefined,
    ([line, code = '']) => {
      const blocked = /read-only-allow-delete|FORBIDDEN\/12/.test(line);
      return {
        cause: blocked
          ? 'Elasticsearch takes no documents: an index is read-only since a disk was too full (flood stage)'
          : `Elasticsearch puts documents off with status ${code}`,
        fix: blocked
          ? 'make room on its data disks, or lower metrics_index_retention_days and run the role metrics-index; the block goes by itself below the high watermark'
          : 'it is overloaded or has no master: look at _cluster/health',
      };
    },
  ],
  [
    /Could not index event to Elasticsearch[^\n]*/,
    undefined,
    ([line]) => {
      const reason = /"reason"=>"((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
      return {
        cause: `Elasticsearch refuses documents${reason === undefined ? '' : `: ${excerpt(reason.replaceAll('\\"', '"'), 200)}`}`,
        fix: 'an index was made before its template: run the role metrics-index, then delete or reindex the index that the line names',
      };
    },
  ],
  [
    /(?:Connection to node -?\d+[^\n]*could not be established|Bootstrap broker [^\n]*disconnected)[^\n]*/,
    undefined,
    ([line]) => {
      const where = /\(([^()\s]*:\d+)[^()]*\)|Bootstrap broker (\S+)/.exec(line);
      return {
        cause: `Kafka does not answer${where === null ? '' : ` at ${where[1] ?? where[2] ?? ''}`}`,
        fix: 'systemctl status kafka on its brokers; what was not sent waits',
      };
    },
  ],
  [
    /(?:\{([\w.-]+)=UNKNOWN_TOPIC_OR_PARTITION|Topic (\S+) not present in metadata)[^\n]*/,
    undefined,
    ([, one, other]) => ({ cause: `Kafka has no topic ${one ?? other ?? ''}`, fix: 'add it to kafka_topics and run the role kafka-topics' }),
  ],
];

export function diagnose(evidence: Evidence): readonly Diagnosis[] {
  const text = thisStart(evidence);
  const found = new Map<string, Diagnosis>();
  const add = (match: RegExpExecArray | undefined, explain: Rule[1]): void => {
    const explained = match === undefined ? undefined : explain(match, evidence);
    if (match !== undefined && explained !== undefined && !found.has(explained.cause)) found.set(explained.cause, { ...explained, evidence: lineOf(match) });
  };
  for (const [pattern, explain] of RULES) add(lastMatch(pattern, text), explain);
  for (const [complaint, cured, explain] of COMPLAINTS) {
    const match = lastMatch(complaint, text);
    const end = cured === undefined ? undefined : lastMatch(cured, text)?.index;
    if (match !== undefined && (end === undefined || end < match.index)) add(match, explain);
  }
  return [...found.values()];
}

function inUse(port: number, address: string, what: string, { sockets, places }: Evidence): Omit<Diagnosis, 'evidence'> {
  const owner = sockets.find((socket) => takes(socket, { address, port }));
  return {
    cause: `port ${String(port)} of ${address}, for ${what}, is already in use${owner === undefined ? '; nobody listens there any more' : ` by ${ownerOf(owner)}`}`,
    fix: owner === undefined ? `systemctl restart ${places.unit}` : 'stop that process if it is not wanted, or choose another port for this instance',
  };
}

const STARTING = /^.*Starting Logstash \{.*$/gm;
/** systemd's word; Java may fail before Logstash has one. */
const STARTED = /^Started .*$/gm;
const SETTLED = /Successfully started Logstash API endpoint|Main process exited|\[FATAL\]/;

/** What belongs to the last start, in the journal and in the log. */
const thisStart = ({ journal, log }: Evidence): string => `${lastStart(journal, STARTED)}\n${lastStart(log, STARTING)}`;

/** In a crash loop the last start may be a second old: the one before belongs to it until it has come up, or has failed as well. */
function lastStart(text: string, marker: RegExp): string {
  const starts = [...text.matchAll(marker)].map(({ index }) => index);
  const last = text.slice(starts.at(-1) ?? 0);
  return SETTLED.test(last) ? last : text.slice(starts.at(-2) ?? 0);
}

const lastMatch = (pattern: RegExp, text: string): RegExpExecArray | undefined => [...text.matchAll(new RegExp(pattern, `${pattern.flags}gm`))].at(-1);
