/** ZooKeeper, of the same archive, for kafka_mode: zookeeper. */
import { directory, file, recordedService, unitFile, unitInput, type Host, type Input, type Inventory, type Resource } from '../../lib/index.mts';
import { log4jProperties, zookeeperProperties } from './config.mts';
import { kafka, nodeId, zookeepersWith } from './contract.mts';
import { CURRENT, USER, ZOOKEEPER_DATA, ZOOKEEPER_LOG4J, ZOOKEEPER_LOGS, ZOOKEEPER_PROPERTIES, ZOOKEEPER_UNIT } from './paths.mts';
import { zookeeperUnit, type UnitOptions } from './unit.mts';

export function zookeeper(host: Host, inventory: Inventory, options: UnitOptions): readonly Resource[] {
  const ours = { owner: 'root', group: USER };
  const service = zookeeperUnit(host, options);
  const read = [
    { path: ZOOKEEPER_PROPERTIES, content: zookeeperProperties(host, inventory) },
    { path: ZOOKEEPER_LOG4J, content: log4jProperties(ZOOKEEPER_LOGS) },
  ];
  // Nothing but the number may stand in it.
  const identity = zookeepersWith(inventory, host).length > 1 ? [{ path: `${ZOOKEEPER_DATA}/myid`, content: `${String(nodeId(host))}\n` }] : [];
  const inputs: readonly Input[] = [
    ...read.map((each): Input => ({ ...each, syntax: 'settings' })),
    ...identity,
    unitInput(ZOOKEEPER_UNIT, service),
    { link: CURRENT, target: host.vars(kafka).version },
  ];
  return [
    directory(ZOOKEEPER_DATA, { mode: 0o750, owner: USER, group: USER }),
    directory(ZOOKEEPER_LOGS, { mode: 0o750, owner: USER, group: USER }),
    ...read.map(({ path, content }) => file(path, { content, syntax: 'settings', mode: 0o640, ...ours })),
    ...identity.map(({ path, content }) => file(path, { content, mode: 0o640, ...ours })),
    unitFile(ZOOKEEPER_UNIT, service, { because: ['kafka_zookeeper_heap'] }),
    ...recordedService(ZOOKEEPER_UNIT, { inputs }),
  ];
}
