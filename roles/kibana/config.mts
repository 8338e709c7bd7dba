/** kibana.yml and the unit, each as a function of what it says. */
import { addressOf, type Host, type Inventory } from '../../lib/index.mts';
import { clusterFor, nodeUrl } from '../elasticsearch/contract.mts';
import { kibana } from './contract.mts';
import { CONFIG, CURRENT, DATA, USER } from './paths.mts';

/** Settings that Kibana 7.10 OSS knows; an unknown one keeps it from starting. JSON values are YAML values. */
export function kibanaYml(host: Host, inventory: Inventory): string {
  const settings: Readonly<Record<string, string | number | boolean | readonly string[]>> = {
    'server.host': addressOf(host),
    'server.port': host.vars(kibana).port,
    'server.name': host.name,
    'elasticsearch.hosts': clusterFor(inventory, host).map(nodeUrl),
    'path.data': DATA,
    // Lines for people, without one for each request: the journal keeps them in bounds.
    'logging.dest': 'stdout',
    'logging.json': false,
    // Nothing is sent to or fetched from the vendor.
    'telemetry.enabled': false,
    'newsfeed.enabled': false,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join('');
}

/**
 * Kibana may end when Elasticsearch is not there at its start: it is started again for as long as that takes. Settings that it does not know (64)
 * are not tried again. Its launcher becomes the server itself, so the main process of the unit is the one that listens.
 */
export const unit = (heap: string | undefined): string => `[Unit]
Description=Kibana
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=simple
User=${USER}
Group=${USER}
WorkingDirectory=${CURRENT}
PrivateTmp=true
NoNewPrivileges=true
Environment=KBN_PATH_CONF=${CONFIG}
${heap === undefined ? '' : `Environment=NODE_OPTIONS=--max-old-space-size=${heap.slice(0, -1)}\n`}ExecStart=${CURRENT}/bin/kibana
Restart=on-failure
RestartSec=10
RestartPreventExitStatus=64
SuccessExitStatus=143
TimeoutStopSec=60

[Install]
WantedBy=multi-user.target
`;
