/** The manager's own settings and its unit, each as a function of what it says. */
import { addressOf, bracketed, type Host, type Inventory } from '../../lib/index.mts';
import { bootstrapServers, brokers, kafka } from '../kafka/contract.mts';
import { kafkaManager, type Product } from './contract.mts';
import { akhqJar, cmakHome, CONFIG, DATA, USER } from './paths.mts';

export const configPath = (product: Product): string => `${CONFIG}/${product === 'akhq' ? 'application.yml' : 'application.conf'}`;

export const config = (product: Product, host: Host, inventory: Inventory): string => (product === 'akhq' ? akhqYml(host, inventory) : cmakConf(inventory));

/** One connection for each Kafka cluster of the inventory. JSON is YAML. */
function akhqYml(host: Host, inventory: Inventory): string {
  const clusters = new Map(brokers(inventory).map((broker) => [broker.vars(kafka).cluster_name, bootstrapServers(inventory, broker)]));
  const connections = Object.fromEntries([...clusters].map(([name, servers]) => [name, { properties: { 'bootstrap.servers': servers } }]));
  const settings = { micronaut: { server: { host: addressOf(host), port: host.vars(kafkaManager).port } }, akhq: { connections } };
  return `${JSON.stringify(settings, null, 2)}\n`;
}

/** Clusters are added on its page; where it keeps them is ZooKeeper. */
const cmakConf = (inventory: Inventory): string => `include classpath("application")\ncmak.zkhosts = ${JSON.stringify(zookeepers(inventory).join(','))}\n`;

export const zookeepers = (inventory: Inventory): readonly string[] =>
  inventory.group('zookeepers').map((host) => `${bracketed(addressOf(host))}:${String(host.vars(kafka).zookeeper_port)}`);

export interface UnitOptions {
  readonly product: Product;
  readonly sha256: string;
  readonly address: string;
  readonly port: number;
  readonly heap: string;
  readonly javaHome: string;
}

function command({ product, sha256, address, port, heap, javaHome }: UnitOptions): readonly string[] {
  if (product === 'akhq')
    return [`${javaHome}/bin/java`, `-Xms${heap}`, `-Xmx${heap}`, `-Dmicronaut.config.files=${configPath(product)}`, '-jar', akhqJar(sha256)];
  return [
    `${cmakHome(sha256)}/bin/cmak`,
    `-J-Xms${heap}`,
    `-J-Xmx${heap}`,
    // Its libraries look into classes that Java 17 keeps to itself.
    '-J--add-opens=java.base/java.lang=ALL-UNNAMED',
    `-Dconfig.file=${configPath(product)}`,
    `-Dhttp.address=${address}`,
    `-Dhttp.port=${String(port)}`,
    // A pid file of a process that was killed would keep the next one from starting.
    '-Dpidfile.path=/dev/null',
    `-Dapplication.home=${DATA}`,
  ];
}

export const unit = (options: UnitOptions): string => `[Unit]
Description=Kafka manager (${options.product.toUpperCase()})
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=simple
User=${USER}
Group=${USER}
WorkingDirectory=${DATA}
PrivateTmp=true
NoNewPrivileges=true
Environment=JAVA_HOME=${options.javaHome}
UnsetEnvironment=JAVA_OPTS JAVA_TOOL_OPTIONS JMX_PORT
ExecStart=${command(options).join(' ')}
Restart=on-failure
RestartSec=10
SuccessExitStatus=143
TimeoutStopSec=60

[Install]
WantedBy=multi-user.target
`;
