package standin.logstash.input;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import standin.logstash.event.Event;
import standin.logstash.kafka.ClientSettings;
import standin.logstash.log.Inspect;
import standin.logstash.plugin.Input;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/** Records of Kafka topics, read by one consumer for each thread; thread n is the client {@code <client_id>-<n>}. */
public final class KafkaInput extends Input {
  public static final PluginType TYPE = PluginType.input("kafka", "10.5.3", KafkaInput::new, ClientSettings.with(ClientSettings.CONSUMER,
      Option.array("topics"), Option.string("topics_pattern"), Option.number("consumer_threads", 1), Option.number("poll_timeout_ms", 100),
      Option.flag("decorate_events", false), Option.string("bootstrap_servers", "localhost:9092"), Option.string("client_id", "logstash"),
      Option.string("group_id", "logstash"), Option.string("enable_auto_commit", "true"))).in("logstash-integration-kafka");

  private final List<KafkaConsumer<String, byte[]>> consumers = new ArrayList<>();

  @Override public void run(Sink sink) throws Exception {
    int threads = options().integer("consumer_threads");
    ExecutorService pool = Executors.newFixedThreadPool(threads, task -> new Thread(task, "kafka-input-worker-" + options().string("client_id")));
    try {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < threads; i++) consumers.add(consumer(i));
      for (KafkaConsumer<String, byte[]> consumer : consumers) running.add(pool.submit(() -> consume(consumer, sink)));
      for (Future<?> each : running) each.get();
    } catch (ExecutionException failed) {
      if (!stopped()) throw (Exception) failed.getCause();
    } finally {
      pool.shutdown();
    }
  }

  private KafkaConsumer<String, byte[]> consumer(int thread) {
    Properties settings = ClientSettings.properties(options(), ClientSettings.CONSUMER);
    settings.put("client.id", options().string("client_id") + "-" + thread);
    settings.put("group.id", options().string("group_id"));
    settings.put("enable.auto.commit", options().string("enable_auto_commit"));
    settings.put("key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    settings.put("value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
    try {
      return new KafkaConsumer<>(settings);
    } catch (KafkaException wrong) {
      log().error("Unable to create Kafka consumer from given configuration", ":kafka_error_message", Inspect.raw(wrong.toString()), ":cause",
          Inspect.raw(String.valueOf(wrong.getCause())));
      throw wrong;
    }
  }

  private Void consume(KafkaConsumer<String, byte[]> consumer, Sink sink) throws InterruptedException {
    try {
      if (options().has("topics_pattern")) consumer.subscribe(Pattern.compile(options().string("topics_pattern")));
      else consumer.subscribe(options().has("topics") ? options().strings("topics") : List.of("logstash"));
      while (!stopped()) {
        for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(options().integer("poll_timeout_ms")))) emit(record, sink);
        if (options().string("enable_auto_commit").equals("false")) consumer.commitSync();
      }
    } catch (WakeupException | InterruptException stopping) {
      if (!stopped()) throw stopping;
    } finally {
      Thread.interrupted();
      consumer.close(Duration.ofSeconds(5));
    }
    return null;
  }

  private void emit(ConsumerRecord<String, byte[]> record, Sink sink) throws InterruptedException {
    List<Event> events = new ArrayList<>();
    codec().decode(record.value() == null ? "" : new String(record.value(), StandardCharsets.UTF_8), events::add);
    for (Event event : events) {
      decorate(event);
      if (options().flag("decorate_events")) {
        Map.of("topic", record.topic(), "consumer_group", options().string("group_id"), "partition", record.partition(), "offset", record.offset(),
            "timestamp", record.timestamp()).forEach((key, value) -> event.set("[@metadata][kafka][" + key + "]", value));
        event.set("[@metadata][kafka][key]", record.key());
      }
      sink.put(event);
    }
  }

  /** Records of the last poll count as read once the consumer leaves its group, so all of them go into the pipeline first. */
  @Override public boolean interruptible() {
    return false;
  }

  @Override public void stop() {
    super.stop();
    consumers.forEach(KafkaConsumer::wakeup);
  }
}
