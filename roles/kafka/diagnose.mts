/** Why Kafka did not come up, read from what it and the host say. Pure: the evidence is gathered in evidence.mts. */
import { lineOf, ownerOf, takes, type Diagnosis, type Listener, type ListeningSocket, type UnitState } from '../../lib/index.mts';

export interface Evidence {
  /** What this start printed and logged. */
  readonly log: string;
  readonly sockets: readonly ListeningSocket[];
  readonly ports: readonly Listener[];
  readonly heap: string;
  readonly memoryBytes: number;
  readonly controllers: readonly string[];
}

type Explained = Omit<Diagnosis, 'evidence'>;
type Rule = readonly [pattern: RegExp, explain: (found: RegExpExecArray, evidence: Evidence) => Explained];

const RULES: readonly Rule[] = [
  [
    /Socket server failed to bind to (\S+):(\d+): Address already in use/,
    ([, address = '', port = ''], evidence) => portInUse({ address, port: Number(port) }, evidence),
  ],
  [
    /Port already in use: (\d+)/,
    ([, port = ''], evidence) => {
      const known = evidence.ports.find((each) => each.port === Number(port));
      return portInUse({ address: known?.address ?? '0.0.0.0', port: Number(port) }, evidence);
    },
  ],
  [
    /Socket server failed to bind to (\S+):(\d+): Unresolved address/,
    ([, name = '']) => ({
      cause: `${name} cannot be resolved on this host`,
      fix: 'correct private_address in the inventory, or give the name an address in /etc/hosts',
    }),
  ],
  [
    /Socket server failed to bind to (\S+):(\d+): Cannot assign requested address/,
    ([, address = '']) => ({
      cause: `${address} is no address of this host`,
      fix: 'correct private_address in the inventory: it must be on one of the interfaces of the host, never a translated external address',
    }),
  ],
  [
    /advertised\.listeners cannot use the nonroutable meta-address (\S+)\. /,
    ([, address = '']) => ({ cause: `brokers would send their clients to ${address}`, fix: 'run the kafka role, which advertises the private address' }),
  ],
  [
    /java\.nio\.file\.AccessDeniedException: (\S+)|FileNotFoundException: (\S+) \(Permission denied\)/,
    (found) => ({
      cause: `user kafka may not use ${found[1] ?? found[2] ?? ''}`,
      fix: 'was Kafka started as root once? chown -R kafka:kafka the folder, and start it through its unit only',
    }),
  ],
  [
    /No readable meta\.properties files found/,
    () => ({
      cause: 'the data folder was never formatted, or has been emptied, or cannot be read',
      fix: 'run the kafka role, which formats a blank node; if there was data, bring it back first: kafka_data_dirs says where it is looked for',
    }),
  ],
  [
    /Stored node id (-?\d+) doesn't match previous node id (-?\d+) in (\S+)\/meta\.properties|Configured broker\.id (\d+) doesn't match stored broker\.id (?:Some\()?(\d+)/,
    (found) => {
      const numbers = found.slice(1).filter((each: string | undefined) => each !== undefined && /^-?\d+$/.test(each));
      return {
        cause: `the data is that of another node (ids ${numbers.join(' and ')})`,
        fix: 'set kafka_node_id to the id of the data, or give the node other kafka_data_dirs; run the kafka role',
      };
    },
  ],
  [
    /INCONSISTENT_CLUSTER_ID|InconsistentClusterIdException|Invalid cluster\.id in: (\S+)/,
    () => ({
      cause: 'the data is of another cluster than that of the controllers (or of ZooKeeper)',
      fix: 'bring the right data back, or empty the data of this node if it is a copy that others have: it is then fetched again',
    }),
  ],
  [
    /Password file read access must be restricted: (\S+)/,
    ([, path = '']) => ({ cause: `others than its owner may read ${path}: Java refuses it`, fix: 'run the kafka role, which makes it 0400 and of user kafka' }),
  ],
  [/(Password|Access) file not found: (\S+)/, ([, , path = '']) => ({ cause: `${path} is missing`, fix: 'run the kafka role, which writes it' })],
  [
    /Failed to acquire lock on file \.lock in (\S+?)\.? /,
    ([, path = '']) => ({
      cause: `another Kafka uses ${path}`,
      fix: `find it with \`fuser -v ${path}/.lock\` and end it; one that was started by hand is not known to systemd`,
    }),
  ],
  [
    /Native memory allocation \((?:mmap|malloc)\) failed to (?:map|allocate) \d+ bytes|Could not reserve enough space for/,
    (_, { heap, memoryBytes }) => ({
      cause: `the heap of ${heap} is beyond the memory that is left (the host has ${String(Math.floor(memoryBytes / 1024 ** 2))} MiB)`,
      fix: 'lower kafka_heap, or give the host more memory',
    }),
  ],
  [
    /OutOfMemoryError: ([^\r\n]*)/,
    ([, what = ''], { heap }) => ({ cause: `Java ran out of memory: ${what}`, fix: `raise kafka_heap (now ${heap}); the dump is /var/log/kafka/heap.hprof` }),
  ],
  [/No space left on device/, () => ({ cause: 'a disk is full', fix: 'df -h on the folders of kafka_data_dirs and /var/log/kafka shows which' })],
  [
    /ConfigException: (Invalid value .* for configuration \S+: .*|Missing required configuration .*)/,
    ([, what = '']) => ({ cause: `server.properties is not valid: ${what}`, fix: 'correct it in kafka_settings' }),
  ],
  [
    /requirement failed: ((?!advertised\.listeners cannot use)[^\r\n]*)/,
    ([, what = '']) => ({ cause: `server.properties is not valid: ${what}`, fix: 'correct it in kafka_settings' }),
  ],
  [
    /Unrecognized VM option '([^']*)'|Unrecognized option: (\S+)/,
    (found) => ({ cause: `Java does not know the option ${found[1] ?? found[2] ?? ''}`, fix: 'look for a drop-in that is not ours: systemctl cat kafka' }),
  ],
  [
    /(\/\S+\/bin\/java): (?:not found|No such file)/,
    ([, path = '']) => ({ cause: `there is no Java at ${path}`, fix: 'run the java role, or correct kafka_java' }),
  ],
  [
    /Timed out waiting for connection while in state: CONNECTING|ZooKeeperClientTimeoutException/,
    () => ({ cause: 'ZooKeeper does not answer', fix: 'start it on the hosts of the group zookeepers, and look at kafka_zookeeper_port between the hosts' }),
  ],
  [
    /Connection to node (-?\d+) \(([^)]*)\) could not be established|Unable to (?:register|send)[^\r\n]*(?:controller quorum|controller)/,
    ([, id, at], { controllers }) => ({
      cause: `no controller can be reached${id === undefined ? '' : `: node ${id} at ${(at ?? '').replace(/^.*\//, '')} does not answer`}`,
      fix: `start the controllers (${controllers.join(', ')}); more than half of them must run. Then look at kafka_controller_port between the hosts`,
    }),
  ],
];

/** That others are not there means little beside a reason of its own. */
const WAITING = RULES.length - 1;

/** A service that somebody stopped has nothing to say about it in its log. */
export const stopped = (unit: Pick<UnitState, 'activeState' | 'result' | 'invocationId'>, name: string, host: string): readonly Diagnosis[] =>
  unit.activeState === 'inactive' && unit.result === 'success' && unit.invocationId !== ''
    ? [
        {
          cause: `${name} was stopped on request; it did not fail`,
          evidence: 'ActiveState=inactive, Result=success',
          fix: `start it with --role kafka --limit ${host}; journalctl -u ${name.replace('.service', '')} shows when it ended`,
        },
      ]
    : [];

export function diagnose(evidence: Evidence): readonly Diagnosis[] {
  const found = new Map<string, Diagnosis>();
  RULES.forEach(([pattern, explain], index) => {
    if (index === WAITING && found.size > 0) return;
    const match = lastMatch(pattern, evidence.log);
    if (match === undefined) return;
    const explained = explain(match, evidence);
    if (!found.has(explained.cause)) found.set(explained.cause, { ...explained, evidence: lineOf(match) });
  });
  return [...found.values()];
}

function portInUse(taken: { readonly address: string; readonly port: number }, { sockets, ports }: Evidence): Explained {
  const owner = sockets.find((socket) => takes(socket, taken));
  const listener = ports.find(({ port }) => port === taken.port)?.name ?? 'kafka';
  return {
    cause: `port ${String(taken.port)} of ${taken.address} is already in use${owner === undefined ? '; nobody listens there any more' : ` by ${ownerOf(owner)}`}`,
    fix: owner === undefined ? 'run again' : `stop that process if it is not wanted, or choose another ${VARIABLE[listener] ?? 'kafka_port'}`,
  };
}

const VARIABLE: Readonly<Record<string, string>> = {
  kafka: 'kafka_port',
  'kafka-controller': 'kafka_controller_port',
  'kafka-jmx': 'kafka_jmx_port',
  zookeeper: 'kafka_zookeeper_port',
};

/** Words of a past minute may be cured meanwhile: the last match counts. */
const lastMatch = (pattern: RegExp, text: string): RegExpExecArray | undefined => [...text.matchAll(new RegExp(pattern, 'g'))].at(-1);
