/** Why metrics of a JVM do not arrive, as seen from the collector. Pure: the evidence is gathered in evidence.mts. */
import { excerpt, type Diagnosis } from '../../lib/index.mts';
import { stale, type Documents } from './documents.mts';
import type { Reach, Reached } from './reach.mts';
import { whereOf, type Target } from './targets.mts';

export interface Suspect {
  readonly target: Target;
  readonly metrics: readonly string[];
  readonly within: number;
  /** The command that sets it up again. */
  readonly again: string;
}

export interface Evidence {
  readonly suspects: readonly Suspect[];
  readonly documents: Documents;
  readonly reached: ReadonlyMap<string, Reached>;
  /** The end of the collector's log. */
  readonly log: string;
}

interface Explained {
  readonly cause: string;
  readonly fix: string;
  /** The line of the log that shows it. */
  readonly line?: RegExp;
  /** Nothing is wrong with the JVM, as far as can be seen. */
  readonly unexplained?: true;
}

export function diagnose({ suspects, documents, reached, log }: Evidence): readonly Diagnosis[] {
  if (documents.reply.kind === 'silent') return [];
  const found = suspects.flatMap((suspect) => {
    const { alias } = suspect.target;
    const missing = stale(documents, { alias, metrics: suspect.metrics, within: suspect.within });
    const answer = reached.get(alias);
    if (missing.length === 0 || answer === undefined) return [];
    const explained = missing.length === suspect.metrics.length ? whole(suspect, answer, log) : part(suspect, missing, log);
    return [{ ...explained, evidence: lineOf(log, explained.line) ?? seen(suspect.target, answer.jmx) }];
  });
  const all = found.length > 1 && found.length === suspects.length && found.every(({ unexplained }) => unexplained === true);
  return [...(all ? [NOTHING_DELIVERED] : found.map(({ cause, evidence, fix }) => ({ cause, evidence, fix }))), ...badFiles(log)];
}

/** Then it is not the JVMs. */
const NOTHING_DELIVERED: Diagnosis = {
  cause: 'every JVM answers this collector, and no document of any of them arrives',
  evidence: 'the registry of each answers',
  fix: 'after an outage of Elasticsearch it begins again within a minute; if not, /var/log/logstash-jmx/logstash-plain.log says what is in its way',
};

const on = ({ target }: Suspect): string => `on ${target.host.name}`;
/** For a process that others run there is no role to run. */
const rerun = (suspect: Suspect, otherwise: string): string =>
  suspect.target.role === undefined ? `${otherwise}; ${suspect.target.host.name} is run by others (kafka_managed: false)` : suspect.again;

/** Nothing of it arrives. */
function whole(suspect: Suspect, { jmx, alive }: Reached, log: string): Explained {
  const { target } = suspect;
  const { alias } = target;
  const where = whereOf(target);
  switch (jmx.kind) {
    case 'refused':
      return alive
        ? {
            cause: `${alias} runs without JMX: nobody listens on ${where} (JMX_PORT unset, or another port)`,
            fix: rerun(suspect, `start it with JMX on port ${String(target.jmx.port)}, or set kafka_jmx_port`),
            line: refusedBy(target.jmx.address),
          }
        : {
            cause: `${alias} is stopped: neither ${where} nor its own port ${String(target.alive)} is open`,
            fix: rerun(suspect, 'start it'),
            line: refusedBy(target.jmx.address),
          };
    case 'timeout':
      if (alive) return hanging(suspect, `${where} takes no more connections`);
      return unreachable(suspect);
    case 'no-route':
      return unreachable(suspect);
    case 'unresolved':
      return {
        cause: `${target.jmx.address} is no name that this collector can resolve`,
        fix: `set private_address of ${target.host.name} to an address`,
        line: /[^\n]*UnknownHostException[^\n]*/,
      };
    case 'silent':
      return hanging(suspect, `${where} takes connections and says nothing`);
    case 'other':
      return jmx.tls
        ? {
            cause: `JMX of ${alias} speaks TLS, which logstash-input-jmx cannot`,
            fix: `turn com.sun.management.jmxremote.ssl off ${on(suspect)}, inside a private network`,
            line: /[^\n]*non-JRMP server[^\n]*/,
          }
        : {
            cause: `${where} is not JMX: something else answers there${target.jmx.port === target.alive ? ', the port of its clients' : ''}`,
            fix: `correct kafka_jmx_port of ${target.host.name} (now ${String(target.jmx.port)}); Kafka's clients have 9092, JMX usually has 9999`,
            line: /[^\n]*(?:non-JRMP server|JRMP connection establishment)[^\n]*/,
          };
    case 'jmx':
      return answering(suspect, jmx.hostname, log);
  }
}

function unreachable({ target }: Suspect): Explained {
  return {
    cause: `${target.alias} cannot be reached: nobody answers at ${whereOf(target)}`,
    fix: `is ${target.host.name} up, and does a firewall let this collector in to port ${String(target.jmx.port)}?`,
    line: /[^\n]*(?:Connection timed out|No route to host)[^\n]*/,
  };
}

/** Linux takes connections for a process that sleeps, until fifty wait. */
const hanging = (suspect: Suspect, what: string): Explained => ({
  cause: `${suspect.target.alias} hangs: ${what} (a stopped process, or one without memory or processor)`,
  fix: `${on(suspect)}: look at the state of the process (ps -o stat,wchan -p PID; T is stopped: kill -CONT), then ${rerun(suspect, 'restart it')}`,
  line: /[^\n]*Read timed out[^\n]*/,
});

/** Its registry answers: then it is what comes after. */
function answering(suspect: Suspect, hostname: string | undefined, log: string): Explained {
  const { target } = suspect;
  const { alias } = target;
  if (hostname !== undefined && hostname !== target.jmx.address) {
    return {
      cause: `JMX of ${alias} sends its clients to ${hostname} instead of ${target.jmx.address} (java.rmi.server.hostname)`,
      fix: rerun(suspect, `set -Djava.rmi.server.hostname=${target.jmx.address} in KAFKA_JMX_OPTS and restart it`),
      line: new RegExp(`[^\\n]*(?:refused to host|Unknown host|UnknownHostException): ${escaped(hostname)}[^\\n]*`),
    };
  }
  const login = /[^\n]*(?:Authentication failed! (?:Invalid username or password|Credentials)|Credentials required)[^\n]*/;
  if (login.test(log)) {
    return {
      cause: `${alias} refuses the login ${target.jmx.login === undefined ? 'without a name' : target.jmx.login.user}: kafka_jmx_user or kafka_jmx_password is not what it was started with`,
      fix: `${rerun(suspect, 'set kafka_jmx_user and kafka_jmx_password to those of its jmxremote.password')}\nwhere the file on this collector was changed: run the role logstash-jmx`,
      line: login,
    };
  }
  return {
    cause: `JMX of ${alias} answers, and no document of it has come yet`,
    fix: 'look again in a minute: it may have started just now; then at /var/log/logstash-jmx/logstash-plain.log on this collector',
    unexplained: true,
  };
}

/** Some of it arrives, some does not. */
function part({ target }: Suspect, missing: readonly string[], log: string): Explained {
  const line = /[^\n]*(?:No jmx object found for|Failed retrieving metrics for attribute) [^\n]*/;
  const objects = [...new Set([...log.matchAll(/No jmx object found for (\S+)/g)].map(([, object]) => object))];
  return {
    cause: `${target.alias} has no ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ` and ${String(missing.length - 3)} more` : ''}${objects.length === 0 ? '' : `: JMX objects ${objects.slice(0, 3).join(', ')} do not exist`}`,
    fix: `is ${target.host.name} a ${target.kind.replace('_', ' and ')} (groups brokers and controllers, kafka_mode)? Else its version has other objects: logstash_jmx_metrics: tutorial asks for less`,
    line,
  };
}

/** The plugin says at every poll what it cannot read. */
function badFiles(log: string): readonly Diagnosis[] {
  const found = [...log.matchAll(/Issue (?:with configuration file|loading configuration from file)[^\n]*?:file=>"([^"]*)"[^\n]*/g)].at(-1);
  if (found === undefined) return [];
  return [
    {
      cause: `the plugin cannot read ${found[1] ?? ''}`,
      evidence: excerpt(found[0]),
      fix: 'run the role again, which writes the files and removes what is not its own; a directory there has to be removed by hand',
    },
  ];
}

const refusedBy = (address: string): RegExp => new RegExp(`[^\\n]*Connection refused to host: ${escaped(address)}[^\\n]*`);
const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
const lineOf = (log: string, pattern: RegExp | undefined): string | undefined => {
  const found = pattern === undefined ? undefined : [...log.matchAll(new RegExp(pattern, 'g'))].at(-1);
  return found === undefined ? undefined : excerpt(found[0]);
};

/** Where the log has no word of it: what the collector saw just now. */
function seen(target: Target, reach: Reach): string {
  const words: Readonly<Record<Reach['kind'], string>> = {
    refused: 'connection refused',
    timeout: 'no answer within 4 seconds',
    unresolved: 'no such name',
    'no-route': 'no route to the host',
    silent: 'connected, and nothing said within 1.5 seconds',
    other: 'connected, and no answer to JRMI',
    jmx: 'the registry answers',
  };
  return `${whereOf(target)}: ${words[reach.kind]}`;
}
