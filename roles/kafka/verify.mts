import {
  all,
  exposure,
  jvmAttachPort,
  listening,
  listeningSockets,
  unitState,
  type Check,
  type Host,
  type Judgement,
  type Question,
} from '../../lib/index.mts';
import { judgeLimits, serviceProcess } from '../os-limits/contract.mts';
import { clusterState } from './cluster.mts';
import { isBroker, isController, isZookeeper, kafkaHosts, listeners, nodeId } from './contract.mts';
import type { Here } from './host.mts';
import * as judge from './judge.mts';
import { serviceFiles } from './limits.mts';
import { nodeState } from './node.mts';
import { UNIT, ZOOKEEPER_UNIT } from './paths.mts';

const SECONDS = 1000;
const check = <T,>(id: string, needs: readonly string[], ask: Question<T>, judgement: (now: T, first: T) => Judgement, deadline = 60): Check<T> => ({
  id,
  needs,
  ask,
  judge: judgement,
  retry: { everyMs: 1 * SECONDS, deadlineMs: deadline * SECONDS },
});

/** The services of a host, each with what it serves. */
const services = (host: Host) => [
  ...(isZookeeper(host) ? [{ id: 'zookeeper', unit: ZOOKEEPER_UNIT, of: (name: string): boolean => name === 'zookeeper' }] : []),
  ...(isBroker(host) || isController(host) ? [{ id: 'service', unit: UNIT, of: (name: string): boolean => name !== 'zookeeper' }] : []),
];

const declared = (host: Host, of: (name: string) => boolean) => listeners(host).filter(({ name }) => of(name));

export function checks(here: Here): readonly Check[] {
  const { host, vars, inventory, facts } = here;
  if (!vars.managed) return [check('listening', [], listeningSockets(), (sockets) => judge.observed(sockets, listeners(host)))];
  const nameOf = (id: number): string => kafkaHosts(inventory).find((each) => nodeId(each) === id)?.name ?? `node ${String(id)}`;
  return [
    ...services(host).flatMap(({ id, unit, of }) => ofProcess(id, unit, declared(host, of), serviceFiles(host, facts))),
    ...(vars.mode === 'kraft' ? [check('quorum', ['service'], nodeState(host), (node) => judge.quorum(node, nameOf))] : []),
    exposure(listeners(host)),
  ];
}

function ofProcess(id: string, unit: string, ports: ReturnType<typeof declared>, nofile: number): readonly Check[] {
  const own = serviceProcess(unit);
  const prefix = id === 'service' ? '' : `${id}-`;
  const hint = 'the declared addresses are those of private_address, kafka_port, kafka_controller_port, kafka_jmx_port and kafka_zookeeper_port';
  return [
    check(id, [], unitState(unit), (now) => judge.running(now, unit)),
    check(`${prefix}listeners`, [id], all({ own, sockets: listeningSockets() }), ({ own: { pid }, sockets }) =>
      listening(sockets, ports, pid, { hint, known: jvmAttachPort }),
    ),
    check(`${prefix}process-limits`, [id], own, ({ limits }) => judgeLimits(limits, { nofile }, unit.replace('.service', ''))),
  ];
}

/** A broker is given the time to read its records; one that ended is not waited for. */
const READY_SECONDS = 180;

export const ready = ({ host, vars }: Here): readonly Check[] =>
  services(host).map(({ id, unit, of }) => {
    const asked = all({ unit: unitState(unit), sockets: listeningSockets(), node: nodeState(host) });
    const knows = unit === UNIT && vars.mode === 'kraft';
    return check(
      `${id}-serves`,
      [],
      asked,
      (now) => judge.serving(now.unit, unit, now.sockets, declared(host, of), knows ? now.node : undefined),
      READY_SECONDS,
    );
  });

/** Asked of another member around the restart of one; a broker that was down for long has much to fetch. */
export const gate = (here: Here): readonly Check[] => [
  { ...check('cluster-as-before', [], clusterState(here), judge.gate, 900), retry: { everyMs: 3 * SECONDS, deadlineMs: 900 * SECONDS } },
];
