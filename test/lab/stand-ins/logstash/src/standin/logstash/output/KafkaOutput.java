package standin.logstash.output;

import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RetriableException;
import standin.logstash.event.Event;
import standin.logstash.event.Template;
import standin.logstash.kafka.ClientSettings;
import standin.logstash.log.Inspect;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.Output;
import standin.logstash.plugin.PluginType;

/** Events as records of a topic; a record that fails is sent again until it is there, or {@code retries} times. */
public final class KafkaOutput extends Output {
  public static final PluginType TYPE = PluginType.output("kafka", "10.5.3", KafkaOutput::new, ClientSettings.with(ClientSettings.PRODUCER,
      Option.string("topic_id").asRequired(), Option.string("message_key"), Option.number("retries", null))).in("logstash-integration-kafka");

  private KafkaProducer<String, String> producer;
  private Template topic;
  private Template key;

  @Override public void register() {
    topic = Template.of(options().string("topic_id"));
    key = options().has("message_key") ? Template.of(options().string("message_key")) : null;
    if (options().has("retries"))
      log().warn("Kafka output is configured with finite retry. This instructs Logstash to LOSE DATA after a set number of send attempts fails."
          + " If you do not want to lose data if Kafka is down, then you must remove the retry setting.", ":retries", options().integer("retries"));
    Properties settings = ClientSettings.properties(options(), ClientSettings.PRODUCER);
    settings.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    settings.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    // The product's client, 2.5, is not idempotent; the newer one here would be, and then refuses acks other than all.
    settings.put("enable.idempotence", "false");
    try {
      producer = new KafkaProducer<>(settings);
    } catch (KafkaException wrong) {
      log().error("Unable to create Kafka producer from given configuration", ":kafka_error_message", Inspect.raw(wrong.toString()), ":cause",
          Inspect.raw("#<" + wrong.getCause() + ">"));
      throw wrong;
    }
  }

  @Override public void receive(List<Event> events) throws InterruptedException {
    List<ProducerRecord<String, String>> rest = events.stream()
        .map(event -> new ProducerRecord<>(topic.in(event), key == null ? null : key.in(event), codec().encode(event))).toList();
    for (int tries = 0; !rest.isEmpty(); tries++) {
      List<ProducerRecord<String, String>> failed = send(rest);
      if (failed.isEmpty()) return;
      if (options().has("retries") && tries >= options().integer("retries")) {
        log().info("Exhausted user-configured retry count when sending to Kafka. Dropping these events.", ":max_retries", options().integer("retries"),
            ":drop_count", failed.size());
        return;
      }
      double pause = options().number("retry_backoff_ms") / 1000;
      log().info("Sending batch to Kafka failed. Will retry after a delay.", ":batch_size", rest.size(), ":failures", failed.size(), ":sleep", pause);
      Thread.sleep(Math.round(pause * 1000));
      rest = failed;
    }
  }

  /** Those that are worth another try. */
  private List<ProducerRecord<String, String>> send(List<ProducerRecord<String, String>> records) throws InterruptedException {
    List<ProducerRecord<String, String>> again = new ArrayList<>();
    List<Future<RecordMetadata>> futures = new ArrayList<>();
    for (ProducerRecord<String, String> record : records) {
      try {
        futures.add(producer.send(record));
      } catch (InterruptException stopping) {
        throw new InterruptedException();
      } catch (KafkaException wrong) {
        futures.add(java.util.concurrent.CompletableFuture.failedFuture(wrong));
      }
    }
    for (int i = 0; i < futures.size(); i++) {
      try {
        futures.get(i).get();
      } catch (ExecutionException failed) {
        Throwable cause = failed.getCause();
        log().warn("KafkaProducer.send() failed: " + cause, ":exception", Inspect.raw(failed.toString()));
        if (cause instanceof RetriableException) again.add(records.get(i));
        else log().warn("producer send failed, dropping record", ":exception", Inspect.raw(cause.toString()), ":message", cause.getMessage(), ":record_value", records.get(i).value());
      }
    }
    return again;
  }

  @Override public void close() {
    if (producer != null) producer.close(java.time.Duration.ofSeconds(5));
  }
}
