package standin.logstash.log;

import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.StringJoiner;
import standin.logstash.event.Json;

/** Prints values the way Ruby's inspect does, which is how log lines and error messages of the product show them. */
public final class Inspect {
  /** Text shown without quotes, such as a class name. */
  public record Raw(String text) {}

  private Inspect() {}

  public static Raw raw(String text) {
    return new Raw(text);
  }

  public static String of(Object value) {
    if (value == null) return "nil";
    if (value instanceof Raw raw) return raw.text();
    if (value instanceof CharSequence text) return quote(text.toString());
    if (value instanceof Instant time) return Json.timestamp(time);
    if (value instanceof Map<?, ?> map) {
      StringJoiner out = new StringJoiner(", ", "{", "}");
      map.forEach((key, item) -> out.add(key(key) + "=>" + of(item)));
      return out.toString();
    }
    if (value instanceof Collection<?> items) {
      StringJoiner out = new StringJoiner(", ", "[", "]");
      items.forEach(item -> out.add(of(item)));
      return out.toString();
    }
    return value.toString();
  }

  /** A key that begins with a colon stands for a Ruby symbol. */
  private static String key(Object key) {
    String text = String.valueOf(key);
    return text.startsWith(":") ? text : quote(text);
  }

  public static String quote(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\u001b' -> out.append("\\e");
        case '#' -> out.append(i + 1 < text.length() && "{$@".indexOf(text.charAt(i + 1)) >= 0 ? "\\#" : "#");
        default -> {
          if (c < ' ') out.append(String.format("\\u%04X", (int) c));
          else out.append(c);
        }
      }
    }
    return out.append('"').toString();
  }

  /** The Ruby class that a JSON value becomes. */
  public static String rubyClass(Object value) {
    if (value == null) return "NilClass";
    if (value instanceof Boolean flag) return flag ? "TrueClass" : "FalseClass";
    if (value instanceof Float || value instanceof Double || value instanceof java.math.BigDecimal) return "Float";
    if (value instanceof Number) return "Integer";
    if (value instanceof Map) return "Hash";
    if (value instanceof Collection) return "Array";
    return "String";
  }
}
