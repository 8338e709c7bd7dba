#!/bin/sh
# usage: zookeeper-server-start.sh [-daemon] zookeeper.properties
set -eu
here=$(dirname "$0")
[ $# -gt 0 ] || { echo "usage: $0 [-daemon] zookeeper.properties" >&2; exit 1; }
daemon=''
if [ "$1" = -daemon ]; then daemon=-daemon; shift; fi
export KAFKA_LOG4J_OPTS="${KAFKA_LOG4J_OPTS:--Dlog4j.configuration=file:$here/../config/log4j.properties}"
export KAFKA_HEAP_OPTS="${KAFKA_HEAP_OPTS:--Xmx512M -Xms512M}"
# shellcheck disable=SC2086 # several words
exec "$here/kafka-run-class.sh" $daemon ${EXTRA_ARGS--name zookeeper -loggc} org.apache.zookeeper.server.quorum.QuorumPeerMain "$@"
