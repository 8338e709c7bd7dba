package standin.logstash.filter;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import standin.logstash.config.ConfigError;
import standin.logstash.event.Event;
import standin.logstash.event.Template;
import standin.logstash.log.Inspect;
import standin.logstash.plugin.Filter;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/** Cuts a text at delimiters: {@code %{a}.%{b}}; the last field takes the rest. Prefixes: ? or no name skips, + appends, & takes its name from a ? field. */
public final class DissectFilter extends Filter {
  public static final PluginType TYPE = PluginType.filter("dissect", "1.2.0", DissectFilter::new, Option.hash("mapping"), Option.hash("convert_datatype"),
      Option.array("tag_on_failure"));

  private static final Pattern FIELD = Pattern.compile("%\\{(.*?)}");

  /** A field and the text that ends it; empty at the end of the text. */
  private record Part(String name, char kind, boolean padded, String delimiter) {}

  private record Mapping(String prefix, List<Part> parts) {}

  private final Map<String, Mapping> mappings = new java.util.LinkedHashMap<>();

  @Override public void register() {
    options().hash("mapping").forEach((field, pattern) -> mappings.put(field, mapping(String.valueOf(pattern))));
  }

  private static Mapping mapping(String pattern) {
    Matcher matcher = FIELD.matcher(pattern);
    List<Part> parts = new ArrayList<>();
    String prefix = pattern;
    String name = null;
    int end = 0;
    while (matcher.find()) {
      String between = pattern.substring(end, matcher.start());
      if (name == null) prefix = between;
      else if (between.isEmpty()) throw new ConfigError("LogStash::ConfigurationError", "Dissect: fields need a delimiter between them: " + pattern);
      else parts.add(part(name, between));
      name = matcher.group(1);
      end = matcher.end();
    }
    if (name == null) throw new ConfigError("LogStash::ConfigurationError", "Dissect: no field in " + pattern);
    parts.add(part(name, pattern.substring(end)));
    return new Mapping(prefix, parts);
  }

  private static Part part(String text, String delimiter) {
    boolean padded = text.endsWith("->");
    String name = padded ? text.substring(0, text.length() - 2) : text;
    char kind = name.isEmpty() ? '?' : "?+&".indexOf(name.charAt(0)) >= 0 ? name.charAt(0) : ' ';
    return new Part(kind == ' ' || name.isEmpty() ? name : name.substring(1).replaceAll("/\\d+$", ""), kind, padded, delimiter);
  }

  @Override public void filter(Event event) {
    boolean done = true;
    for (Map.Entry<String, Mapping> entry : mappings.entrySet()) {
      Object source = event.get(entry.getKey());
      if (source == null) {
        log().warn("Dissector mapping, field not found in event", "field", entry.getKey(), "event", event.fields());
        continue;
      }
      if (!cut(Template.text(source), entry.getValue(), event)) {
        done = false;
        failed(entry.getKey(), Template.text(source), event);
      }
    }
    options().hash("convert_datatype").forEach((field, type) -> {
      if (event.get(field) != null) event.set(field, Conversion.of("int".equals(type) ? "integer" : String.valueOf(type), event.get(field)));
    });
    if (done) matched(event);
  }

  private void failed(String field, String text, Event event) {
    if (options().has("tag_on_failure")) options().strings("tag_on_failure").forEach(event::tag);
    else event.tag("_dissectfailure");
    log().warn("Dissector mapping, pattern not found", "field", field, "pattern", Inspect.raw(Inspect.of(options().hash("mapping").get(field))), "text", text);
  }

  /** False, with no field set, where a delimiter is not in the text. */
  private static boolean cut(String text, Mapping mapping, Event event) {
    if (!text.startsWith(mapping.prefix())) return false;
    Map<String, String> found = new java.util.LinkedHashMap<>();
    Map<String, String> skipped = new HashMap<>();
    int at = mapping.prefix().length();
    for (Part part : mapping.parts()) {
      int end = part.delimiter().isEmpty() ? text.length() : text.indexOf(part.delimiter(), at);
      if (end < 0) return false;
      String value = text.substring(at, end);
      switch (part.kind()) {
        case '?' -> skipped.put(part.name(), value);
        case '+' -> found.merge(part.name(), value, (a, b) -> a + " " + b);
        case '&' -> found.put(skipped.getOrDefault(part.name(), part.name()), value);
        default -> found.put(part.name(), value);
      }
      at = end + part.delimiter().length();
      while (part.padded() && !part.delimiter().isEmpty() && text.startsWith(part.delimiter(), at)) at += part.delimiter().length();
    }
    found.forEach(event::set);
    return true;
  }
}
