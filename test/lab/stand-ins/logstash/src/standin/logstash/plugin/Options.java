package standin.logstash.plugin;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import standin.logstash.config.Ast;
import standin.logstash.config.ConfigError;
import standin.logstash.config.Variables;
import standin.logstash.event.Conditions;
import standin.logstash.log.Inspect;
import standin.logstash.log.Log;

/** A plugin's settings, checked against what it takes. */
public final class Options {
  private final Map<String, Object> values = new LinkedHashMap<>();
  private final PluginType type;
  private boolean valid = true;

  private Options(PluginType type) {
    this.type = type;
  }

  /** Logs what is wrong and then throws ConfigError, as the product does. */
  public static Options of(PluginType type, List<Ast.Attribute> attributes) {
    Options options = new Options(type);
    Map<String, Object> given = new LinkedHashMap<>();
    for (Ast.Attribute attribute : attributes) given.merge(attribute.name(), value(attribute.value()), Options::both);
    given.forEach(options::take);
    for (Option option : type.options()) {
      if (option.required() && !given.containsKey(option.name())) options.missing(option.name());
    }
    if (!options.valid) throw ConfigError.plugins("(ConfigurationError) Something is wrong with your configuration.");
    return options;
  }

  public static Object value(Ast.Value value) {
    if (value instanceof Ast.Text text) return Variables.expand(text.text());
    if (value instanceof Ast.Number number) return Conditions.number(number.text());
    if (value instanceof Ast.Array array) return array.items().stream().map(Options::value).toList();
    if (value instanceof Ast.Hash hash) {
      Map<String, Object> map = new LinkedHashMap<>();
      hash.entries().forEach(entry -> map.put(Variables.expand(entry.key()), value(entry.value())));
      return map;
    }
    return value;
  }

  /** A setting given twice is one array or one hash. */
  @SuppressWarnings("unchecked")
  private static Object both(Object first, Object second) {
    if (first instanceof Map && second instanceof Map) {
      Map<String, Object> map = new LinkedHashMap<>((Map<String, Object>) first);
      map.putAll((Map<String, Object>) second);
      return map;
    }
    List<Object> all = new ArrayList<>(items(first));
    all.addAll(items(second));
    return all;
  }

  private static List<Object> items(Object value) {
    return value instanceof List<?> list ? new ArrayList<>(list) : new ArrayList<>(List.of(value));
  }

  private void take(String name, Object value) {
    Option option = type.option(name);
    if (option == null) {
      valid = false;
      Log.of(type.logger()).error("Unknown setting '" + name + "' for " + type.name());
      return;
    }
    String problem = problem(option, value);
    if (problem == null) values.put(name, coerce(option, value));
    else invalid(option, value, problem);
  }

  private static String problem(Option option, Object value) {
    List<Object> items = items(value);
    Object first = items.isEmpty() ? null : items.get(0);
    return switch (option.type()) {
      case STRING, PASSWORD, URI -> items.size() > 1 || value instanceof Map ? "Expected string, got " + Inspect.of(items) : null;
      case NUMBER -> items.size() == 1 && String.valueOf(first).matches("-?\\d+(\\.\\d+)?") ? null
          : "Expected number, got " + Inspect.of(first) + " (type " + first + ")";
      case BOOLEAN -> items.size() == 1 && String.valueOf(first).matches("true|false") ? null
          : "Expected boolean 'true' or 'false', got " + Inspect.of(first);
      case HASH -> value instanceof Map ? null
          : items.size() % 2 == 1 ? "This field must contain an even number of items, got " + items.size() : null;
      case PATH -> items.size() == 1 && java.nio.file.Files.exists(java.nio.file.Path.of(String.valueOf(first))) ? null
          : "File does not exist or cannot be opened " + first;
      case CHOICE -> items.size() == 1 && option.allowed().contains(String.valueOf(first)) ? null
          : "Expected one of " + Inspect.of(option.allowed()) + ", got " + Inspect.of(items);
      case ARRAY, CODEC, ANY -> null;
    };
  }

  private static Object coerce(Option option, Object value) {
    Object first = value instanceof List<?> list && !list.isEmpty() ? list.get(0) : value;
    return switch (option.type()) {
      case STRING, PASSWORD, URI, PATH, CHOICE -> String.valueOf(first);
      case NUMBER -> first instanceof Number number ? number : Conditions.number(String.valueOf(first));
      case BOOLEAN -> Boolean.valueOf(String.valueOf(first));
      case ARRAY -> value instanceof Map ? List.of(value) : items(value);
      case HASH -> value instanceof Map ? value : pairs(items(value));
      case CODEC, ANY -> value;
    };
  }

  private static Map<String, Object> pairs(List<Object> items) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i + 1 < items.size(); i += 2) map.put(String.valueOf(items.get(i)), items.get(i + 1));
    return map;
  }

  private void missing(String name) {
    complain("Missing a required setting for the " + type.name() + " " + type.kind() + " plugin:", name + " => # SETTING MISSING");
  }

  private void invalid(Option option, Object value, String problem) {
    String kind = option.type() == Option.Type.CHOICE ? Inspect.of(option.allowed()) : option.type().text();
    complain("Invalid setting for " + type.name() + " " + type.kind() + " plugin:",
        "# This setting must be a " + kind, "# " + problem, option.name() + " => " + shown(value));
  }

  private static String shown(Object value) {
    return value instanceof Ast.Plugin plugin ? plugin.source() : Inspect.of(value instanceof List<?> ? value : value);
  }

  private void complain(String title, String... lines) {
    valid = false;
    StringJoiner out = new StringJoiner("\n").add(title).add("").add("  " + type.kind() + " {").add("    " + type.name() + " {");
    for (String line : lines) out.add("      " + line);
    Log.of(type.logger()).error(out.add("      ...").add("    }").add("  }").toString());
  }

  public boolean has(String name) {
    return values.containsKey(name);
  }

  private Object get(String name) {
    Object value = values.get(name);
    return value == null ? type.option(name).fallback() : value;
  }

  public Object any(String name) {
    return get(name);
  }

  public String string(String name) {
    Object value = get(name);
    return value == null ? null : String.valueOf(value);
  }

  public double number(String name) {
    return ((Number) get(name)).doubleValue();
  }

  public int integer(String name) {
    return ((Number) get(name)).intValue();
  }

  public boolean flag(String name) {
    return (Boolean) get(name);
  }

  public List<String> strings(String name) {
    Object value = get(name);
    return value == null ? List.of() : items(value).stream().map(String::valueOf).toList();
  }

  @SuppressWarnings("unchecked")
  public Map<String, Object> hash(String name) {
    return (Map<String, Object>) get(name);
  }
}
