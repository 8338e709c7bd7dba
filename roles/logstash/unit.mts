import { CURRENT, USER, type Places } from './paths.mts';

export interface UnitOptions {
  readonly description: string;
  readonly places: Places;
  /** `undefined`: the Java that comes with the archive. */
  readonly javaHome: string | undefined;
  /** Of this process only: a plugin tool that inherited a JMX port would try to take it. */
  readonly javaOptions: readonly string[];
}

/**
 * A pipeline whose inputs have ended leaves with 0, so it is started again whatever its exit status; five failures in as many minutes are a fault
 * that a start does not mend. While Elasticsearch or Kafka is away a stop would wait for it: after a minute it is ended.
 */
export const unit = ({ description, places, javaHome, javaOptions }: UnitOptions): string => `[Unit]
Description=${description}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=simple
User=${USER}
Group=${USER}
WorkingDirectory=${places.data}
PrivateTmp=true
NoNewPrivileges=true
${javaHome === undefined ? '' : `Environment=JAVA_HOME=${javaHome}\n`}UnsetEnvironment=${javaHome === undefined ? 'JAVA_HOME ' : ''}JAVACMD JAVA_OPTS JAVA_TOOL_OPTIONS
${javaOptions.length === 0 ? '' : `Environment="LS_JAVA_OPTS=${javaOptions.join(' ')}"\n`}ExecStart=${CURRENT}/bin/logstash --path.settings ${places.config}
LimitNOFILE=16384
Restart=always
RestartSec=5
SuccessExitStatus=143
TimeoutStopSec=60

[Install]
WantedBy=multi-user.target
`;
