package standin.logstash.event;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The path of a field: {@code name} or {@code [a][b]}; parsed once per text. */
public record FieldReference(List<String> path) {
  private static final Map<String, FieldReference> KNOWN = new ConcurrentHashMap<>();

  public static FieldReference of(String text) {
    return KNOWN.computeIfAbsent(text, FieldReference::parse);
  }

  private static FieldReference parse(String text) {
    if (!text.startsWith("[") || !text.endsWith("]")) return new FieldReference(List.of(text));
    return new FieldReference(List.of(text.substring(1, text.length() - 1).split("]\\s*\\[", -1)));
  }
}
