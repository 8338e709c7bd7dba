/** What the host of a managed node looks like. */
import {
  archive,
  change,
  chooseArchive,
  command,
  directory,
  file,
  recordedService,
  systemUser,
  unitFile,
  unitInput,
  type Context,
  type Input,
  type Resource,
} from '../../lib/index.mts';
import { reachable } from '../sources/contract.mts';
import { jmxAccess, jmxPassword, log4jProperties, serverProperties } from './config.mts';
import { isBroker, isController, isZookeeper, javaOf, nodeId, tool, type KafkaVars } from './contract.mts';
import { membership, type Membership } from './founding.mts';
import { serviceFiles } from './limits.mts';
import { nodeState, type NodeState } from './node.mts';
import { CONFIG, CURRENT, HOME, JMX_ACCESS, JMX_PASSWORD, LOG4J, LOGS, SERVER_PROPERTIES, UNIT, USER } from './paths.mts';
import { unit, type UnitOptions } from './unit.mts';
import { zookeeper } from './zookeeper.mts';

export type Here = Context<KafkaVars, NodeState>;

export const chosen = ({ version, ...wish }: KafkaVars): ReturnType<typeof chooseArchive> => chooseArchive('kafka', version, wish);

export function node(here: Here): readonly Resource[] {
  const { host, vars, facts, inventory } = here;
  const options: UnitOptions = { javaHome: javaOf(host, facts), nofile: serviceFiles(host, facts) };
  return [
    systemUser(USER, { home: HOME }),
    archive({ name: 'kafka', version: vars.version, source: reachable(host, chosen(vars).source), into: HOME, because: ['kafka_version'] }),
    directory(CONFIG, { mode: 0o750, owner: 'root', group: USER }),
    ...(isZookeeper(host) ? zookeeper(host, inventory, options) : []),
    ...(isBroker(host) || isController(host) ? server(here, options) : []),
  ];
}

function server(here: Here, options: UnitOptions): readonly Resource[] {
  const { host, vars, inventory } = here;
  const ours = { owner: 'root', group: USER };
  const service = unit(host, options);
  const read = [
    { path: SERVER_PROPERTIES, content: serverProperties(host, inventory), because: ['kafka_settings', 'kafka_replication_factor'] },
    { path: LOG4J, content: log4jProperties(), because: [] },
    ...(vars.jmx_authentication ? [{ path: JMX_ACCESS, content: jmxAccess(vars.jmx_user), because: ['kafka_jmx_user'] }] : []),
  ];
  const inputs: readonly Input[] = [
    ...read.map(({ path, content }): Input => ({ path, content, syntax: 'settings' })),
    unitInput(UNIT, service),
    { link: CURRENT, target: vars.version },
  ];
  return [
    ...vars.data_dirs.map((path) => directory(path, { mode: 0o750, owner: USER, group: USER, because: ['kafka_data_dirs'] })),
    directory(LOGS, { mode: 0o750, owner: USER, group: USER }),
    ...read.map(({ path, content, because }) => file(path, { content, syntax: 'settings', mode: 0o640, ...ours, because })),
    // Read again at every login, so that a new password needs no restart. Java refuses to start when anybody else may read it.
    ...(vars.jmx_authentication && vars.jmx_password !== undefined
      ? [
          file(JMX_PASSWORD, {
            content: jmxPassword(vars.jmx_user, vars.jmx_password),
            mode: 0o400,
            owner: USER,
            group: USER,
            because: ['kafka_jmx_password'],
          }),
        ]
      : []),
    ...(vars.mode === 'kraft' ? [storage(here)] : []),
    unitFile(UNIT, service, { because: ['kafka_heap'] }),
    ...recordedService(UNIT, { inputs }),
  ];
}

/** A blank node gets its identity; data is never formatted again. */
function storage(here: Here): Resource {
  const { host, facts } = here;
  const home = javaOf(host, facts);
  const id = String(nodeId(host));
  const of = membership(here);
  return command('kafka storage', {
    because: ['kafka_node_id'],
    differs: nodeState(host).map(({ storage: found }) => (found.kind === 'blank' ? [change('identity', { kind: 'absent' }, identity(id, of))] : [])),
    run: (steps) => {
      if (of.kind !== 'found' && of.kind !== 'join') throw new TypeError(`${host.name} is formatted without a cluster`);
      steps.sh`sh -c ${asUser(tool(home, 'kafka-storage', ['format', '--cluster-id', of.clusterId, '--config', SERVER_PROPERTIES]))}`;
    },
  });
}

const asUser = (line: string): string => `exec setpriv --reuid=${USER} --regid=${USER} --init-groups -- ${line}`;

const identity = (id: string, of: Membership): string =>
  of.kind === 'found'
    ? `node ${id} of a new cluster ${of.clusterId}`
    : of.kind === 'join'
      ? `node ${id} of cluster ${of.clusterId}`
      : `node ${id} of a cluster that is not known yet`;
