package standin.logstash.filter;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.Yaml;
import standin.logstash.config.ConfigError;
import standin.logstash.event.Event;
import standin.logstash.event.Json;
import standin.logstash.event.Template;
import standin.logstash.plugin.Filter;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/** Looks a field's value up in a dictionary; one in a file is read again at intervals, so it can change while the pipeline runs. */
public final class TranslateFilter extends Filter {
  public static final PluginType TYPE = PluginType.filter("translate", "3.2.3", TranslateFilter::new, Option.string("field").asRequired(),
      Option.flag("override", false), Option.of("dictionary", Option.Type.HASH, Map.of()), Option.of("dictionary_path", Option.Type.PATH, null),
      Option.number("refresh_interval", 300), Option.flag("exact", true), Option.flag("regex", false), Option.string("destination", "translation"),
      Option.string("fallback"), Option.string("iterate_on"), Option.choice("refresh_behaviour", "merge", "merge", "replace"));

  private volatile Map<String, Object> dictionary = Map.of();
  private long readAt;
  private long modified = -1;

  @Override public void register() throws IOException {
    if (options().has("dictionary") && options().has("dictionary_path"))
      throw new ConfigError("LogStash::ConfigurationError",
          "You have a configuration conflict: both `dictionary` and `dictionary_path` are set for filter translate. Remove one of them.");
    if (options().has("dictionary_path")) {
      dictionary = read();
      readAt = System.nanoTime();
    } else dictionary = texts(options().hash("dictionary"));
  }

  private Path path() {
    return Path.of(options().string("dictionary_path"));
  }

  private Map<String, Object> read() throws IOException {
    String text = Files.readString(path());
    modified = Files.getLastModifiedTime(path()).toMillis();
    String name = path().toString();
    if (name.endsWith(".csv")) return separated(text);
    Object parsed = name.endsWith(".json") ? Json.MAPPER.readValue(text, Object.class) : new Yaml().load(text);
    if (parsed == null) return Map.of();
    if (parsed instanceof Map<?, ?> map) return texts(map);
    throw new ConfigError("LogStash::ConfigurationError", "Translate: the dictionary file is no map: " + name);
  }

  private static Map<String, Object> texts(Map<?, ?> map) {
    Map<String, Object> all = new LinkedHashMap<>();
    map.forEach((key, value) -> all.put(String.valueOf(key), value));
    return all;
  }

  private static Map<String, Object> separated(String text) {
    Map<String, Object> all = new LinkedHashMap<>();
    for (String line : text.split("\\R")) {
      int comma = line.indexOf(',');
      if (comma > 0) all.put(unquoted(line.substring(0, comma)), unquoted(line.substring(comma + 1)));
    }
    return all;
  }

  private static String unquoted(String text) {
    return text.length() >= 2 && text.startsWith("\"") && text.endsWith("\"") ? text.substring(1, text.length() - 1).replace("\"\"", "\"") : text;
  }

  /** A file that cannot be read for the moment leaves what is known in force. */
  private synchronized void refresh() {
    double interval = options().number("refresh_interval");
    if (interval <= 0 || System.nanoTime() - readAt < interval * 1e9) return;
    readAt = System.nanoTime();
    try {
      if (Files.getLastModifiedTime(path()).toMillis() == modified) return;
      Map<String, Object> fresh = read();
      if (options().string("refresh_behaviour").equals("merge")) {
        Map<String, Object> merged = new LinkedHashMap<>(dictionary);
        merged.putAll(fresh);
        fresh = merged;
      }
      dictionary = fresh;
      log().info("refreshed dictionary file", ":path", path().toString());
    } catch (NoSuchFileException gone) {
      log().warn("dictionary file read failure, continuing with old dictionary", ":path", path().toString());
    } catch (IOException | RuntimeException wrong) {
      log().warn("Continuing with old dictionary", ":path", path().toString(), ":error", wrong.getMessage());
    }
  }

  @Override public void filter(Event event) {
    if (options().has("dictionary_path")) refresh();
    String destination = options().string("destination");
    if (!event.includes(options().string("field"))) return;
    if (event.includes(destination) && !options().flag("override")) return;
    Object source = event.get(options().string("field"));
    String text = Template.text(source instanceof java.util.List<?> list && !list.isEmpty() ? list.get(0) : source);
    Object found = find(text);
    if (found == null && options().has("fallback")) found = Template.of(options().string("fallback")).in(event);
    if (found == null) return;
    event.set(destination, found instanceof String value ? value : found);
    matched(event);
  }

  private Object find(String text) {
    if (options().flag("exact") && !options().flag("regex")) return dictionary.get(text);
    for (Map.Entry<String, Object> entry : dictionary.entrySet()) {
      Pattern pattern = options().flag("regex") ? Pattern.compile(entry.getKey()) : Pattern.compile(Pattern.quote(entry.getKey()));
      java.util.regex.Matcher matcher = pattern.matcher(text);
      if (!matcher.find()) continue;
      return options().flag("exact") ? entry.getValue() : matcher.replaceAll(java.util.regex.Matcher.quoteReplacement(Template.text(entry.getValue())));
    }
    return null;
  }
}
