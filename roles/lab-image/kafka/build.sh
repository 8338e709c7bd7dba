#!/bin/sh
# Finishes an assembled Kafka: launchers and configuration of this project around the vendor's jars, in the vendor's layout.
# usage: build.sh TREE IMAGE      TREE holds kafka_2.13-VERSION/libs; nothing of IMAGE is needed
set -eu
here=$(dirname "$0")

main() {
  for kafka in "$1"/kafka_*; do [ -d "$kafka/libs" ] || { echo "$kafka has no libs" >&2; exit 1; }; done
  mkdir -p "$kafka/bin"
  cp -R "$here/config" "$kafka/config"
  cp "$here"/bin/*.sh "$kafka/bin/"
  tools | while read -r name class; do
    # shellcheck disable=SC2016 # expanded where the tool runs
    printf '#!/bin/sh\nexec "$(dirname "$0")/kafka-run-class.sh" %s "$@"\n' "$class" >"$kafka/bin/$name.sh"
  done
}

# The tools of the vendor: a class of its jars, and what it is always given.
tools() {
  cat <<'TOOLS'
kafka-topics org.apache.kafka.tools.TopicCommand
kafka-storage kafka.tools.StorageTool
kafka-cluster org.apache.kafka.tools.ClusterTool
kafka-configs kafka.admin.ConfigCommand
kafka-consumer-groups org.apache.kafka.tools.consumer.group.ConsumerGroupCommand
kafka-metadata-quorum org.apache.kafka.tools.MetadataQuorumCommand
kafka-broker-api-versions kafka.admin.BrokerApiVersionsCommand
kafka-reassign-partitions org.apache.kafka.tools.reassign.ReassignPartitionsCommand
kafka-leader-election org.apache.kafka.tools.LeaderElectionCommand
kafka-log-dirs org.apache.kafka.tools.LogDirsCommand
kafka-get-offsets org.apache.kafka.tools.GetOffsetShell
kafka-dump-log kafka.tools.DumpLogSegments
kafka-jmx org.apache.kafka.tools.JmxTool
kafka-console-producer kafka.tools.ConsoleProducer
kafka-console-consumer org.apache.kafka.tools.consumer.ConsoleConsumer
kafka-producer-perf-test org.apache.kafka.tools.ProducerPerformance
zookeeper-shell org.apache.zookeeper.ZooKeeperMainWithTlsSupportForKafka -server
TOOLS
}

main "$@"
