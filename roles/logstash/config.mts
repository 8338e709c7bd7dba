/** The files of one instance, each as a function of what it says. */
import { NO_LOOKUPS } from '../../lib/index.mts';
import type { Places } from './paths.mts';

export type Settings = Readonly<Record<string, string | number | boolean>>;

/** A JSON scalar is a YAML scalar. */
const yaml = (settings: Settings): string =>
  Object.entries(settings)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join('');

export interface Api {
  readonly address: string;
  readonly port: number;
}

export const logstashYml = (node: string, places: Places, api: Api, more: Settings): string =>
  yaml({
    'node.name': node,
    'path.data': places.data,
    'path.logs': places.logs,
    'path.config': places.pipeline,
    'http.host': api.address,
    'http.port': api.port,
    'log.level': 'info',
    ...more,
  });

/**
 * For Java 11 to 17. Logstash 7.10 takes only lines that begin with "-", so none is for some versions only; its own file asks for a collector
 * that Java 14 no longer has. What JRuby opens by reflection has to be opened to it from Java 16 on.
 */
export const jvmOptions = (heap: string, logs: string, more: readonly string[] = []): string => `-Xms${heap}
-Xmx${heap}
-XX:+UseG1GC
-Djava.awt.headless=true
-Dfile.encoding=UTF-8
-Djruby.compile.invokedynamic=true
-Djruby.jit.threshold=0
-Djruby.regexp.interruptible=true
-Djava.security.egd=file:/dev/urandom
-Dlog4j2.isThreadContextMapInheritable=true
# Log4j looks nothing up in what it logs (CVE-2021-44228).
${NO_LOOKUPS}
--add-opens=java.base/java.security=ALL-UNNAMED
--add-opens=java.base/java.io=ALL-UNNAMED
--add-opens=java.base/java.nio.channels=ALL-UNNAMED
--add-opens=java.base/sun.nio.ch=ALL-UNNAMED
--add-opens=java.management/sun.management=ALL-UNNAMED
# One dump at most (Java never writes over an existing one), then a new start: a process without memory does nothing but look alive.
-XX:+HeapDumpOnOutOfMemoryError
-XX:HeapDumpPath=${logs}/heap.hprof
-XX:+ExitOnOutOfMemoryError
-XX:ErrorFile=${logs}/hs_err_pid%p.log
-Xlog:gc:file=${logs}/gc.log:utctime:filecount=4,filesize=8m
${more.map((option) => `${option}\n`).join('')}`;

const PATTERN = '[%d{ISO8601}][%-5p][%-25c]%notEmpty{[%X{pipeline.id}]}%notEmpty{[%X{plugin.id}]} %m%n';

/** The log is rotated by size and bounded. `chatty` loggers stay out of the journal, and only warn: one line a poll would drown the rest. */
export const log4j2Properties = (chatty: readonly string[] = []): string => `status = error
name = LogstashPropertiesConfig

appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = ${PATTERN}

appender.rolling.type = RollingFile
appender.rolling.name = rolling
appender.rolling.fileName = \${sys:ls.logs}/logstash-plain.log
appender.rolling.filePattern = \${sys:ls.logs}/logstash-plain-%i.log.gz
appender.rolling.layout.type = PatternLayout
appender.rolling.layout.pattern = ${PATTERN}
appender.rolling.policies.type = Policies
appender.rolling.policies.size.type = SizeBasedTriggeringPolicy
appender.rolling.policies.size.size = 32MB
appender.rolling.strategy.type = DefaultRolloverStrategy
appender.rolling.strategy.max = 8

rootLogger.level = \${sys:ls.log.level}
rootLogger.appenderRef.console.ref = console
rootLogger.appenderRef.rolling.ref = rolling
${chatty
  .map(
    (logger, index) => `
logger.chatty${String(index)}.name = ${logger}
logger.chatty${String(index)}.level = warn
logger.chatty${String(index)}.additivity = false
logger.chatty${String(index)}.appenderRef.rolling.ref = rolling
`,
  )
  .join('')}`;
