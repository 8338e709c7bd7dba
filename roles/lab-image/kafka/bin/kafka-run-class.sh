#!/bin/sh
# Starts a class of Kafka, in the environment that the vendor's launcher understands.
# usage: kafka-run-class.sh [-daemon] [-name NAME] [-loggc] CLASS [ARGUMENT…]
set -euf
base=$(cd "$(dirname "$0")/.." && pwd -P)
daemon='' name='' gc_log=''
while [ $# -gt 0 ]; do
  case $1 in
    -daemon) daemon=1; shift ;;
    -name) name=$2; shift 2 ;;
    -loggc) gc_log=1; shift ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || { echo "usage: $0 [-daemon] [-name NAME] [-loggc] CLASS [ARGUMENT…]" >&2; exit 1; }

if [ -n "${JAVA_HOME:-}" ]; then java=$JAVA_HOME/bin/java; else java=java; fi
logs=${LOG_DIR:-$base/logs}
if [ -n "${KAFKA_LOG4J_OPTS:-}" ]; then mkdir -p "$logs"; fi

# Without words of its own JMX asks for no login; the port opens it to the network.
jmx=${KAFKA_JMX_OPTS:-'-Dcom.sun.management.jmxremote -Dcom.sun.management.jmxremote.authenticate=false -Dcom.sun.management.jmxremote.ssl=false'}
if [ -n "${JMX_PORT:-}" ]; then
  jmx="$jmx -Dcom.sun.management.jmxremote.port=$JMX_PORT"
  case $jmx in *-Dcom.sun.management.jmxremote.rmi.port=*) ;; *) jmx="$jmx -Dcom.sun.management.jmxremote.rmi.port=$JMX_PORT" ;; esac
fi
gc=${KAFKA_GC_LOG_OPTS:-}
if [ -n "$gc_log" ] && [ -z "$gc" ]; then
  mkdir -p "$logs"
  gc="-Xlog:gc*:file=$logs/$name-gc.log:time,tags:filecount=10,filesize=100M"
fi
performance=${KAFKA_JVM_PERFORMANCE_OPTS:-'-server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent -XX:MaxInlineLevel=15 -Djava.awt.headless=true'}
log4j="-Dkafka.logs.dir=$logs ${KAFKA_LOG4J_OPTS:--Dlog4j.configuration=file:$base/config/tools-log4j.properties}"
class_path="$base/libs/*${CLASSPATH:+:$CLASSPATH}"

# shellcheck disable=SC2086 # options are several words, split at blanks as the vendor's launcher does
set -- ${KAFKA_HEAP_OPTS:--Xmx256M} $performance $gc $jmx $log4j -cp "$class_path" ${KAFKA_OPTS:-} "$@"
[ -n "$daemon" ] || exec "$java" "$@"
mkdir -p "$logs"
nohup "$java" "$@" >"$logs/$name.out" 2>&1 </dev/null &
