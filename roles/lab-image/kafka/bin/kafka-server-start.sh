#!/bin/sh
# usage: kafka-server-start.sh [-daemon] server.properties [--override property=value]…
set -eu
here=$(dirname "$0")
[ $# -gt 0 ] || { echo "usage: $0 [-daemon] server.properties [--override property=value]…" >&2; exit 1; }
daemon=''
if [ "$1" = -daemon ]; then daemon=-daemon; shift; fi
export KAFKA_LOG4J_OPTS="${KAFKA_LOG4J_OPTS:--Dlog4j.configuration=file:$here/../config/log4j.properties}"
export KAFKA_HEAP_OPTS="${KAFKA_HEAP_OPTS:--Xmx1G -Xms1G}"
# shellcheck disable=SC2086 # several words
exec "$here/kafka-run-class.sh" $daemon ${EXTRA_ARGS--name kafkaServer -loggc} kafka.Kafka "$@"
