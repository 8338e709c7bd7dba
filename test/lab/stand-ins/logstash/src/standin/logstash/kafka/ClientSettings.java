package standin.logstash.kafka;

import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.Options;

/** The plugin options that are Kafka client settings of the same name with dots. */
public final class ClientSettings {
  private static final List<Option> BOTH = List.of(Option.string("bootstrap_servers", "localhost:9092"), Option.number("connections_max_idle_ms", 540000),
      Option.number("metadata_max_age_ms", 300000), Option.number("receive_buffer_bytes", 32768), Option.number("send_buffer_bytes", 131072),
      Option.number("reconnect_backoff_ms", null), Option.number("retry_backoff_ms", 100), Option.choice("security_protocol", "PLAINTEXT", "PLAINTEXT",
          "SSL", "SASL_PLAINTEXT", "SASL_SSL"), Option.string("sasl_mechanism"), Option.string("sasl_jaas_config"), Option.string("ssl_truststore_location"),
      Option.string("ssl_truststore_password"), Option.string("ssl_keystore_location"), Option.string("ssl_keystore_password"));

  public static final List<Option> CONSUMER = join(BOTH, Option.string("auto_offset_reset"), Option.number("max_poll_records", 500),
      Option.number("session_timeout_ms", 10000), Option.number("heartbeat_interval_ms", 3000), Option.number("max_poll_interval_ms", 300000),
      Option.number("request_timeout_ms", 40000), Option.number("auto_commit_interval_ms", 5000), Option.number("fetch_max_bytes", 52428800),
      Option.number("fetch_max_wait_ms", 500), Option.number("fetch_min_bytes", 1), Option.number("max_partition_fetch_bytes", 1048576),
      Option.string("check_crcs", "true"), Option.string("isolation_level", "read_uncommitted"), Option.string("client_rack"));

  public static final List<Option> PRODUCER = join(BOTH, Option.choice("acks", "1", "0", "1", "all"), Option.number("batch_size", 16384),
      Option.number("buffer_memory", 33554432), Option.string("client_id"), Option.choice("compression_type", "none", "none", "gzip", "snappy", "lz4", "zstd"),
      Option.number("linger_ms", 0), Option.number("max_request_size", 1048576), Option.number("request_timeout_ms", 40000));

  private ClientSettings() {}

  private static List<Option> join(List<Option> some, Option... more) {
    List<Option> all = new ArrayList<>(some);
    all.addAll(List.of(more));
    return all;
  }

  /** The client's options and the plugin's own; own ones of a name come first. */
  public static Option[] with(List<Option> client, Option... own) {
    return join(List.of(own), client.toArray(Option[]::new)).toArray(Option[]::new);
  }

  public static Properties properties(Options options, List<Option> client) {
    Properties settings = new Properties();
    // The product's client is too old for this: it would ask brokers whether they want its metrics.
    settings.put("enable.metrics.push", "false");
    for (Option option : client) {
      String value = options.string(option.name());
      if (value != null) settings.put(option.name().replace('_', '.'), value);
    }
    return settings;
  }
}
