package standin.logstash;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.yaml.snakeyaml.Yaml;
import standin.logstash.config.Variables;
import standin.logstash.input.Hosts;

/** The process's settings: defaults, then logstash.yml, then the command line. A name that is not known stops the start. */
public final class Settings {
  private enum Kind {
    TEXT, BOOLEAN, POSITIVE, ANY
  }

  private static final Map<String, Kind> KNOWN = new TreeMap<>();

  static {
    for (String name : new String[] {"node.name", "path.config", "config.string", "path.settings", "path.data", "path.logs", "path.queue", "path.dead_letter_queue",
        "pipeline.id", "http.host", "http.port", "http.environment", "log.level", "log.format", "queue.type", "node.uuid", "pipeline.java_execution",
        "pipeline.ordered", "queue.max_bytes", "queue.page_capacity", "dead_letter_queue.max_bytes", "config.reload.interval", "var.PLUGIN_TYPE3.PLUGIN_NAME3.VALUE",
        "keystore.classname", "keystore.file", "slowlog.threshold.warn", "slowlog.threshold.info", "slowlog.threshold.debug", "slowlog.threshold.trace"})
      KNOWN.put(name, Kind.TEXT);
    for (String name : new String[] {"config.test_and_exit", "config.reload.automatic", "config.support_escapes", "config.debug", "config.field_reference.parser",
        "metric.collect", "pipeline.unsafe_shutdown", "pipeline.reloadable", "pipeline.plugin_classloaders", "pipeline.separate_logs", "pipeline.system", "http.enabled",
        "queue.drain", "queue.checkpoint.retry", "dead_letter_queue.enable"})
      KNOWN.put(name, Kind.BOOLEAN);
    for (String name : new String[] {"pipeline.workers", "pipeline.batch.size", "pipeline.batch.delay", "pipeline.output.workers"}) KNOWN.put(name, Kind.POSITIVE);
    for (String name : new String[] {"path.plugins", "modules", "modules_list", "modules_setup", "queue.max_events", "queue.checkpoint.acks", "queue.checkpoint.writes",
        "queue.checkpoint.interval", "dead_letter_queue.flush_interval", "interactive", "cloud.id", "cloud.auth"})
      KNOWN.put(name, Kind.ANY);
  }

  private final Map<String, Object> values = new LinkedHashMap<>();

  Settings(Path home) {
    values.put("node.name", Hosts.name());
    values.put("path.settings", home.resolve("config").toString());
    values.put("path.data", home.resolve("data").toString());
    values.put("path.logs", home.resolve("logs").toString());
    values.put("http.host", "127.0.0.1");
    values.put("http.port", "9600-9700");
    values.put("http.enabled", true);
    values.put("log.level", "info");
    values.put("pipeline.id", "main");
    values.put("pipeline.workers", Runtime.getRuntime().availableProcessors());
    values.put("pipeline.batch.size", 125);
    values.put("pipeline.batch.delay", 50);
    values.put("config.reload.automatic", false);
    values.put("config.reload.interval", "3s");
    values.put("config.test_and_exit", false);
  }

  /** Throws IllegalArgumentException with what the product says of an unknown name or a wrong value. */
  void set(String name, Object value) {
    Kind kind = KNOWN.get(name);
    if (kind == null) throw new IllegalArgumentException("Setting \"" + name + "\" hasn't been registered");
    if (value == null) return;
    values.put(name, checked(name, kind, value));
  }

  private static Object checked(String name, Kind kind, Object value) {
    switch (kind) {
      case BOOLEAN -> {
        if (!String.valueOf(value).matches("true|false")) throw new IllegalArgumentException("could not coerce " + value + " into a boolean");
        return Boolean.valueOf(String.valueOf(value));
      }
      case POSITIVE -> {
        if (!String.valueOf(value).matches("[1-9]\\d*"))
          throw new IllegalArgumentException("Failed to coerce value to PositiveInteger. Received " + value + " (" + standin.logstash.log.Inspect.rubyClass(value) + ")");
        return Integer.valueOf(String.valueOf(value));
      }
      default -> {
        return value;
      }
    }
  }

  /** Reads logstash.yml; false where there is none. */
  boolean load(Path file) throws IOException {
    if (!Files.isRegularFile(file)) return false;
    Object parsed = new Yaml().load(Files.readString(file));
    if (parsed instanceof Map<?, ?> map) flatten("", map);
    return true;
  }

  private void flatten(String prefix, Map<?, ?> map) {
    map.forEach((key, value) -> {
      String name = prefix + key;
      if (value instanceof Map<?, ?> inner && !name.equals("modules")) flatten(name + ".", inner);
      else set(name, value instanceof String text ? Variables.expand(text) : value);
    });
  }

  public String text(String name) {
    Object value = values.get(name);
    return value == null ? null : String.valueOf(value);
  }

  public Path path(String name) {
    return Path.of(text(name));
  }

  public boolean flag(String name) {
    return Boolean.TRUE.equals(values.get(name));
  }

  public int number(String name) {
    return Integer.parseInt(text(name));
  }

  public long reloadMillis() {
    return millis(text("config.reload.interval"));
  }

  private static long millis(String text) {
    java.util.regex.Matcher matcher = java.util.regex.Pattern.compile("(\\d+)(ms|s|m|h|d)?").matcher(text);
    if (!matcher.matches()) throw new IllegalArgumentException("invalid time unit: \"" + text + "\"");
    long number = Long.parseLong(matcher.group(1));
    return switch (String.valueOf(matcher.group(2))) {
      case "ms" -> number;
      case "m" -> number * 60_000;
      case "h" -> number * 3_600_000;
      case "d" -> number * 86_400_000;
      default -> number * 1000;
    };
  }
}
