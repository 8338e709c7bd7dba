package standin.logstash.event;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Text with %{field} and %{+date format}; a field that an event has not stays as it is written. */
public final class Template {
  private interface Part {
    String in(Event event);
  }

  private final List<Part> parts = new ArrayList<>();
  private final String text;

  private Template(String text) {
    this.text = text;
    int at = 0;
    for (int open = text.indexOf("%{"); open >= 0; open = text.indexOf("%{", at)) {
      int close = text.indexOf('}', open);
      if (close < 0) break;
      String before = text.substring(at, open);
      if (!before.isEmpty()) parts.add(event -> before);
      parts.add(place(text.substring(open + 2, close)));
      at = close + 1;
    }
    String rest = text.substring(at);
    if (!rest.isEmpty()) parts.add(event -> rest);
  }

  public static Template of(String text) {
    return new Template(text);
  }

  public String in(Event event) {
    return parts.stream().map(part -> part.in(event)).collect(Collectors.joining());
  }

  @Override public String toString() {
    return text;
  }

  private static Part place(String inside) {
    if (inside.equals("+%s")) return event -> String.valueOf(event.timestamp().getEpochSecond());
    if (inside.startsWith("+")) {
      DateTimeFormatter format = DateTimeFormatter.ofPattern(fromJoda(inside.substring(1))).withZone(ZoneOffset.UTC);
      return event -> format.format(event.timestamp());
    }
    return event -> {
      Object value = event.get(inside);
      return value == null && !event.includes(inside) ? "%{" + inside + "}" : text(value);
    };
  }

  /** In Joda's patterns Y is the year of the era and x the week-based year; outside quotes only. */
  private static String fromJoda(String pattern) {
    StringBuilder out = new StringBuilder();
    boolean quoted = false;
    for (char c : pattern.toCharArray()) {
      if (c == '\'') quoted = !quoted;
      out.append(quoted ? c : c == 'Y' ? 'y' : c == 'x' ? 'Y' : c);
    }
    return out.toString();
  }

  /** A value as text inside a template. */
  public static String text(Object value) {
    if (value == null) return "";
    if (value instanceof Instant time) return Json.timestamp(time);
    if (value instanceof Map) return Json.write(value);
    if (value instanceof List<?> list) return list.stream().map(Template::text).collect(Collectors.joining(","));
    return value.toString();
  }
}
