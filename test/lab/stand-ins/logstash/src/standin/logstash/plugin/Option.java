package standin.logstash.plugin;

import java.util.List;

/** One setting that a plugin takes. */
public record Option(String name, Type type, List<String> allowed, boolean required, Object fallback) {
  public enum Type {
    STRING, NUMBER, BOOLEAN, ARRAY, HASH, PATH, URI, PASSWORD, CODEC, CHOICE, ANY;

    String text() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  public static Option of(String name, Type type, Object fallback) {
    return new Option(name, type, List.of(), false, fallback);
  }

  public static Option string(String name) {
    return of(name, Type.STRING, null);
  }

  public static Option string(String name, String fallback) {
    return of(name, Type.STRING, fallback);
  }

  public static Option number(String name, Number fallback) {
    return of(name, Type.NUMBER, fallback);
  }

  public static Option flag(String name, boolean fallback) {
    return of(name, Type.BOOLEAN, fallback);
  }

  public static Option array(String name) {
    return of(name, Type.ARRAY, List.of());
  }

  public static Option hash(String name) {
    return of(name, Type.HASH, java.util.Map.of());
  }

  public static Option choice(String name, String fallback, String... allowed) {
    return new Option(name, Type.CHOICE, List.of(allowed), false, fallback);
  }

  public Option asRequired() {
    return new Option(name, type, allowed, true, fallback);
  }
}
