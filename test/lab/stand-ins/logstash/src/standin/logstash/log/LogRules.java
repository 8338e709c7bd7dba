package standin.logstash.log;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;

/**
 * What a log4j2.properties says, as far as this stand-in goes: levels and appenders of the root logger and of named ones, and the rolling file's
 * name, size and number. Patterns are not read: lines always have the product's own.
 */
public final class LogRules {
  /** How a logger and all below its name log. */
  record Rule(Log.Level level, boolean console, boolean file) {}

  private final Properties properties = new Properties();
  private final Map<String, String> variables;
  private final Map<String, Rule> named = new HashMap<>();
  private final Rule root;
  private final Path fileName;

  public LogRules(Path properties, Log.Level level, Path logs) throws IOException {
    try (Reader in = Files.newBufferedReader(properties)) {
      this.properties.load(in);
    }
    variables = Map.of("${sys:ls.logs}", logs.toString(), "${sys:ls.log.level}", level.name(), "${sys:ls.log.format}", "plain");
    root = rule("rootLogger", null);
    for (String key : this.properties.stringPropertyNames()) {
      if (key.matches("logger\\.[^.]+\\.name")) {
        String prefix = key.substring(0, key.length() - ".name".length());
        named.put(value(key), rule(prefix, "false".equals(value(prefix + ".additivity")) ? null : root));
      }
    }
    String file = ofAppender("rollingfile", "fileName");
    fileName = file == null ? null : Path.of(file);
  }

  private String value(String key) {
    String text = properties.getProperty(key);
    if (text == null) return null;
    for (Map.Entry<String, String> each : variables.entrySet()) text = text.replace(each.getKey(), each.getValue());
    return text.trim();
  }

  /** An additive logger's lines also go where its parent's do. */
  private Rule rule(String prefix, Rule parent) {
    String level = value(prefix + ".level");
    Set<String> types = new HashSet<>();
    for (String key : properties.stringPropertyNames())
      if (key.startsWith(prefix + ".appenderRef.") && key.endsWith(".ref")) types.add(typeOf(value(key)));
    return new Rule(level == null ? parent == null ? Log.Level.INFO : parent.level() : Log.Level.valueOf(level.toUpperCase(Locale.ROOT)),
        types.contains("console") || parent != null && parent.console(), types.contains("rollingfile") || types.contains("file") || parent != null && parent.file());
  }

  private String typeOf(String appender) {
    for (String key : properties.stringPropertyNames())
      if (key.matches("appender\\.[^.]+\\.name") && value(key).equals(appender))
        return String.valueOf(value(key.replaceAll("\\.name$", ".type"))).toLowerCase(Locale.ROOT);
    return "";
  }

  private String ofAppender(String type, String property) {
    for (String key : properties.stringPropertyNames())
      if (key.matches("appender\\.[^.]+\\.type") && value(key).toLowerCase(Locale.ROOT).equals(type)) return value(key.replaceAll("\\.type$", "." + property));
    return null;
  }

  /** The rule of the longest name that the logger is below. */
  Rule of(String logger) {
    for (String name = logger; !name.isEmpty(); name = name.substring(0, Math.max(0, name.lastIndexOf('.'))))
      if (named.containsKey(name)) return named.get(name);
    return root;
  }

  /** Null where no file is wanted. */
  Path file() {
    return fileName;
  }

  long rollAt() {
    String size = ofAppender("rollingfile", "policies.size.size");
    if (size == null) return Long.MAX_VALUE;
    long number = Long.parseLong(size.replaceAll("\\D", ""));
    return number * switch (size.replaceAll("[\\d\\s]", "").toUpperCase(Locale.ROOT)) {
      case "KB" -> 1024L;
      case "MB" -> 1024L * 1024;
      case "GB" -> 1024L * 1024 * 1024;
      default -> 1L;
    };
  }

  boolean daily() {
    return ofAppender("rollingfile", "policies.time.type") != null;
  }

  int kept() {
    String max = ofAppender("rollingfile", "strategy.max");
    return max == null ? 7 : Integer.parseInt(max);
  }
}
