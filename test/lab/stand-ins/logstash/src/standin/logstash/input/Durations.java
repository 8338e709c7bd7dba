package standin.logstash.input;

/** Seconds as a number, or a text with a unit such as "500ms" or "1 second". */
final class Durations {
  private Durations() {}

  static double seconds(Object value) {
    if (value instanceof Number number) return number.doubleValue();
    java.util.regex.Matcher matcher = java.util.regex.Pattern.compile("\\s*([0-9.]+)\\s*([a-z]*)\\s*").matcher(String.valueOf(value));
    if (!matcher.matches()) throw new IllegalArgumentException("not a duration: " + value);
    double number = Double.parseDouble(matcher.group(1));
    String unit = matcher.group(2);
    if (unit.startsWith("ms") || unit.startsWith("msec") || unit.startsWith("milli")) return number / 1000;
    if (unit.startsWith("us") || unit.startsWith("micro")) return number / 1e6;
    if (unit.startsWith("m")) return number * 60;
    if (unit.startsWith("h")) return number * 3600;
    if (unit.startsWith("d")) return number * 86400;
    if (unit.startsWith("w")) return number * 604800;
    return number;
  }
}
