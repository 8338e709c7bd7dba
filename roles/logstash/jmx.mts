/** JMX of an instance: for its own process only, so that no tool of Logstash inherits the port. */
import { file, type Resource, type Secret } from '../../lib/index.mts';
import { USER } from './paths.mts';

export interface JmxServer {
  readonly address: string;
  readonly port: number;
  /** Without one, whoever reaches the port can run code as Logstash. */
  readonly login?: { readonly user: string; readonly password: Secret };
}

const passwordFile = (config: string): string => `${config}/jmxremote.password`;
const accessFile = (config: string): string => `${config}/jmxremote.access`;

/** The registry and the objects have one port, and both are bound to the private address and name it. */
export function jmxOptions({ address, port, login }: JmxServer, config: string): readonly string[] {
  const remote = (name: string, value: string | number | boolean): string => `-Dcom.sun.management.jmxremote.${name}=${String(value)}`;
  return [
    remote('host', address),
    remote('port', port),
    remote('rmi.port', port),
    `-Djava.rmi.server.hostname=${address}`,
    remote('ssl', false),
    remote('authenticate', login !== undefined),
    ...(login === undefined
      ? []
      : [remote('password.file', passwordFile(config)), remote('password.toHashes', false), remote('access.file', accessFile(config))]),
  ];
}

interface JmxFile {
  readonly path: string;
  readonly content: Parameters<typeof file>[1]['content'];
}

/** Read when Java starts. */
export const jmxFiles = ({ login }: JmxServer, config: string): readonly JmxFile[] =>
  login === undefined
    ? []
    : [
        { path: passwordFile(config), content: { confidential: [`${login.user} `, login.password, '\n'] } },
        { path: accessFile(config), content: `${login.user} readonly\n` },
      ];

/** Java refuses to start when anybody but its user may read the password. */
export const jmxFileResources = (server: JmxServer, config: string): readonly Resource[] =>
  jmxFiles(server, config).map(({ path, content }) => file(path, { content, mode: 0o400, owner: USER, group: USER, because: ['kafka_jmx_password'] }));
