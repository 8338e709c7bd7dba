import { CONFIG, CURRENT, USER } from './paths.mts';

export interface UnitOptions {
  /** `undefined`: the Java that comes with the archive. */
  readonly javaHome: string | undefined;
  readonly nofile: number;
  readonly nproc: number;
  readonly memoryLock: boolean;
}

/**
 * Started in the foreground. A refused bootstrap check (78) is not tried again: it would be refused again. /tmp is the unit's own, so
 * Elasticsearch's temporary files end with it.
 */
export const unit = ({ javaHome, nofile, nproc, memoryLock }: UnitOptions): string => `[Unit]
Description=Elasticsearch
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=simple
User=${USER}
Group=${USER}
WorkingDirectory=${CURRENT}
PrivateTmp=true
NoNewPrivileges=true
Environment=ES_PATH_CONF=${CONFIG} ES_TMPDIR=/tmp
${javaHome === undefined ? 'UnsetEnvironment=JAVA_HOME ES_JAVA_OPTS' : `Environment=JAVA_HOME=${javaHome}\nUnsetEnvironment=ES_JAVA_OPTS`}
ExecStart=${CURRENT}/bin/elasticsearch
LimitNOFILE=${String(nofile)}
LimitNPROC=${String(nproc)}
LimitAS=infinity
LimitFSIZE=infinity
${memoryLock ? 'LimitMEMLOCK=infinity\n' : ''}Restart=on-failure
RestartSec=5
RestartPreventExitStatus=78
SuccessExitStatus=143
TimeoutStopSec=120

[Install]
WantedBy=multi-user.target
`;

/**
 * Where systemd is absent: a process with a pid file, as the tutorial's `-d -p`. It raises its own limit as far as the login's hard one goes
 * and keeps its process id, so what it prints when it fails is kept as well.
 */
export const daemonArgv = ({ javaHome, nofile }: UnitOptions): readonly [string, ...string[]] => [
  'sh',
  '-c',
  `ulimit -n ${String(nofile)} 2>/dev/null; cd ${CURRENT} && unset ES_JAVA_OPTS && exec env JAVA_HOME=${javaHome ?? ''} ES_PATH_CONF=${CONFIG} bin/elasticsearch --quiet`,
];
