/** Why Elasticsearch did not come up, read from what it and the host say. Pure: the evidence is gathered in evidence.mts. */
import { lineOf, ownerOf, takes, type Diagnosis, type ListeningSocket } from '../../lib/index.mts';
import { matches, strangers, type Candidate } from './bootstrap.mts';
import { showSize } from './heap.mts';

export interface Evidence {
  /** What this start printed: the journal of the unit's invocation, empty where there is none. */
  readonly journal: string;
  /** The end of /var/log/elasticsearch/<cluster>.log, possibly with earlier starts. */
  readonly log: string;
  readonly sockets: readonly ListeningSocket[];
  readonly candidates: readonly Candidate[];
  readonly memoryBytes: number;
  readonly nofile: number;
  /** The variable that says so; `undefined` when it follows from what the machine grants. */
  readonly nofileVariable: string | undefined;
  /** The most open files that a process can be given here. */
  readonly grantedFiles: number;
  readonly nearest: (text: string, names: readonly string[]) => string | undefined;
}

type Rule = readonly [pattern: RegExp, explain: (found: RegExpExecArray, evidence: Evidence) => Omit<Diagnosis, 'evidence'> | undefined];

/** A check that was enforced, in the words of 7.10 and of later versions; the same words as a warning stop nobody. */
const enforced = (message: RegExp): RegExp => new RegExp(`^(?:\\[\\d+\\]: |.*bootstrap check failure \\[\\d+\\] of \\[\\d+\\]: )${message.source}`, 'm');

const RULES: readonly Rule[] = [
  [
    enforced(/max file descriptors \[(\d+)\] for elasticsearch process is too low, increase to at least \[(\d+)\]/),
    ([, have = '', least = ''], evidence) => ({ cause: `the process may open ${have} files and wants ${least}`, fix: moreFiles(Number(least), evidence) }),
  ],
  [
    enforced(/max virtual memory areas vm\.max_map_count \[(\d+)\] is too low, increase to at least \[(\d+)\]/),
    ([, have = '', least = '']) => ({
      cause: `vm.max_map_count is ${have}, Elasticsearch wants ${least}`,
      fix: `run the os-limits role, which sets it now and for the next boot: --role os-limits,elasticsearch`,
    }),
  ],
  [
    enforced(/max number of threads \[(\d+)\] for user \[([^\]]*)\] is too low, increase to at least \[(\d+)\]/),
    ([, have = '', user = '', least = '']) => ({
      cause: `user ${user} may start ${have} threads, Elasticsearch wants ${least}`,
      fix: `raise elasticsearch_nproc to at least ${least}`,
    }),
  ],
  [
    enforced(/memory locking requested for elasticsearch process but memory is not locked/),
    () => ({
      cause: 'bootstrap.memory_lock is on, but the process may not lock its memory',
      fix: 'raise the memlock limit of the machine, or set elasticsearch_memory_lock: false',
    }),
  ],
  [
    enforced(/the default discovery settings are unsuitable for production use; at least one of \[([^\]]*)\] must be configured/),
    ([, keys = '']) => ({
      cause: 'elasticsearch.yml says neither where other nodes are nor who founds the cluster',
      fix: `run the elasticsearch role, which writes them; by hand: one of ${keys}`,
    }),
  ],
  [
    enforced(/initial heap size \[(\d+)\] not equal to maximum heap size \[(\d+)\]/),
    ([, least = '', most = '']) => ({
      cause: `-Xms (${least}) and -Xmx (${most}) differ`,
      fix: 'set elasticsearch_heap; remove other files from /etc/elasticsearch/jvm.options.d',
    }),
  ],
  [
    /skipping cluster bootstrapping as local node does not match bootstrap requirements: \[([^\]]*)\]/,
    ([, list = ''], evidence) => wrongFounders(list, evidence),
  ],
  [/this node must discover master-eligible nodes \[([^\]]*)\] to bootstrap a cluster/, ([, list = ''], evidence) => wrongFounders(list, evidence)],
  [
    /this node has not previously joined a bootstrapped \(v7\+\) cluster, and \[cluster\.initial_master_nodes\] is empty on this node/,
    (_, { candidates }) => ({
      cause: 'the node waits for a cluster to join, and none of the nodes it found is in one',
      fix: `run the role on all masters together (${candidates.map(({ name }) => name).join(', ')}): a cluster is founded only when every one of them can be asked and is empty`,
    }),
  ],
  [
    /master not discovered or elected yet, an election requires (.*?), have discovered/,
    ([, needs = '']) => ({ cause: `no master can be elected: it requires ${needs}`, fix: 'start the other masters and look at port 9300 between the hosts' }),
  ],
  [
    /Failed to bind to (\[?[0-9a-fA-F.:]+\]?):(\d+)\]?; nested: BindException\[Address already in use\]/,
    ([, address = '', port = ''], { sockets }) => {
      const taken = { address: address.replace(/^\[|\]$/g, ''), port: Number(port) };
      const owner = sockets.find((socket) => takes(socket, taken));
      return {
        cause: `port ${port} of ${taken.address} is already in use${owner === undefined ? '; nobody listens there any more' : ` by ${ownerOf(owner)}`}`,
        fix:
          owner === undefined
            ? 'run again'
            : `stop that process if it is not wanted, or choose another elasticsearch_${port.startsWith('93') ? 'transport' : 'http'}_port`,
      };
    },
  ],
  [
    /Failed to bind to (\[?[0-9a-fA-F.:]+\]?):(\d+)\]?; nested: BindException\[Cannot assign requested address\]/,
    ([, address = '']) => ({
      cause: `${address} is no address of this host`,
      fix: 'correct private_address in the inventory: it must be on one of the interfaces of the host, never a translated external address',
    }),
  ],
  [
    /Native memory allocation \((?:mmap|malloc)\) failed to (?:map|allocate) (\d+) bytes|Could not reserve enough space for (?:(\d+)KB )?object heap/,
    ([, bytes, kilobytes], { memoryBytes }) => {
      const wanted = bytes === undefined ? (kilobytes === undefined ? undefined : Number(kilobytes) * 1024) : Number(bytes);
      return {
        cause: `the heap${wanted === undefined ? '' : ` of ${showSize(wanted)}`} is beyond the memory that is left (the host has ${showSize(memoryBytes)})`,
        fix: 'lower elasticsearch_heap, or set it to auto',
      };
    },
  ],
  [
    /Unrecognized VM option '([^']*)'|Unrecognized option: (\S+)/,
    (found) => ({
      cause: `Java does not know the option ${found[1] ?? found[2] ?? ''}`,
      fix: 'look in /etc/elasticsearch/jvm.options.d for a file that is not ours, and at java_version',
    }),
  ],
  [
    /unknown setting \[([^\]]*)\]/,
    ([, key = '']) => ({
      cause: `elasticsearch.yml has a setting that this Elasticsearch does not know: ${key}`,
      fix: key.startsWith('xpack.') ? 'the OSS edition has no xpack settings: remove it' : 'remove it, or correct its name',
    }),
  ],
  [
    /Failed to load settings from \[elasticsearch\.yml\]/,
    () => ({ cause: 'elasticsearch.yml is not valid YAML', fix: 'run the elasticsearch role, which writes it anew' }),
  ],
  [
    /Unable to access 'path\.data' \(([^)]*)\)/,
    ([, path = '']) => ({
      cause: `the service may not write to ${path}`,
      fix: `run the elasticsearch role, which gives it back to user elasticsearch; is ${path} mounted read-only?`,
    }),
  ],
  [/can not run elasticsearch as root/, () => ({ cause: 'it was started as root', fix: 'start it through its unit: systemctl start elasticsearch' })],
  [
    /could not find java in (\S+) at (\S+)/,
    ([, , path = '']) => ({ cause: `there is no Java at ${path}`, fix: 'run the java role, or correct elasticsearch_java' }),
  ],
  [
    /unable to create temporary keystore at \[([^\]]*)\]/,
    () => ({ cause: 'there is no keystore, and the service may not make one in /etc/elasticsearch', fix: 'run the elasticsearch role, which makes it' }),
  ],
  [/No space left on device/, () => ({ cause: 'a disk is full', fix: 'df -h /var/lib/elasticsearch /var/log/elasticsearch shows which' })],
  [
    /java\.lang\.OutOfMemoryError: ([^\r\n]*)/,
    ([, what = '']) => ({ cause: `Java ran out of memory: ${what}`, fix: 'raise elasticsearch_heap; the dump is /var/log/elasticsearch/heap.hprof' }),
  ],
  [/\[(\d+)\] bootstrap checks failed/, ([, count = '']) => ({ cause: `${count} bootstrap checks failed`, fix: 'each is named in the log' })],
];

/** The generic rule says nothing beside one that names a check. */
const GENERIC = RULES.length - 1;

export function diagnose(evidence: Evidence): readonly Diagnosis[] {
  const text = thisStart(evidence);
  const found = new Map<string, Diagnosis>();
  RULES.forEach(([pattern, explain], index) => {
    if (index === GENERIC && found.size > 0) return;
    const match = lastMatch(pattern, text);
    if (match === undefined) return;
    const explained = explain(match, evidence);
    if (explained !== undefined && !found.has(explained.cause)) found.set(explained.cause, { ...explained, evidence: lineOf(match) });
  });
  return [...found.values()];
}

const STARTED = / version\[[^\]]*\], pid\[/g;

const JOINED = /master node changed .*current \[\{/g;
const WAITING = /^.*(?:ClusterFormationFailureHelper|ClusterBootstrapService).*$/gm;

/**
 * What belongs to the last start. A start that ended before the log was opened (no Java, no memory) left its words in the journal only.
 * Words about waiting for a cluster mean nothing once a master was found.
 */
function thisStart({ journal, log }: Evidence): string {
  if (journal.trim() !== '' && journal.search(STARTED) < 0) return journal;
  const last = [...log.matchAll(STARTED)].at(-1)?.index;
  const text = `${journal}\n${last === undefined ? log : log.slice(last)}`;
  const joined = [...text.matchAll(JOINED)].at(-1)?.index ?? 0;
  return text.slice(0, joined).replace(WAITING, '') + text.slice(joined);
}

/** Words of a past minute may be cured meanwhile: the last match counts. */
const lastMatch = (pattern: RegExp, text: string): RegExpExecArray | undefined => [...text.matchAll(new RegExp(pattern, 'gm'))].at(-1);

function moreFiles(least: number, { nofile, nofileVariable, grantedFiles }: Evidence): string {
  const steps = [
    ...(nofile < least && nofileVariable !== undefined
      ? [`raise ${nofileVariable} (now ${String(nofile)}) to at least ${String(least)}; the tutorial has 70000`]
      : []),
    ...(grantedFiles < least
      ? [
          `this machine grants nobody more than ${String(grantedFiles)}: raise its hard limit, or leave elasticsearch_enforce_bootstrap_checks off where a loopback address is bound`,
        ]
      : []),
  ];
  return steps.length > 0 ? steps.join('\n') : 'run the os-limits role, then restart the node: a running process keeps its limits';
}

/** Entries of the list that are nobody; `undefined` when all are somebody, who is then only late. */
function wrongFounders(list: string, { candidates, nearest }: Evidence): Omit<Diagnosis, 'evidence'> | undefined {
  const entries = list
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const wrong = strangers(entries, candidates, nearest);
  if (wrong.length > 0) {
    const meant = wrong.map(({ entry, meant: name }) =>
      name === undefined ? `"${entry}" is nobody here (an external address never is)` : `"${entry}" should be "${name}"`,
    );
    return {
      cause: `cluster.initial_master_nodes has entries that are no node's name or publish address: ${wrong.map(({ entry }) => entry).join(', ')}`,
      fix: `${meant.join('; ')}; nodes are ${candidates.map(({ name }) => name).join(', ')}`,
    };
  }
  const absent = candidates.filter((node) => entries.some((entry) => matches(entry, node)));
  return {
    cause: `the founders ${absent.map(({ name }) => name).join(', ')} have not found each other`,
    fix: 'start all of them, and look at port 9300 between the hosts',
  };
}
