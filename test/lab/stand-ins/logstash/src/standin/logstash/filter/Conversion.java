package standin.logstash.filter;

import java.math.BigDecimal;
import java.util.Locale;
import standin.logstash.event.Template;

/** Changes a value's type the way mutate's convert does. */
final class Conversion {
  private Conversion() {}

  static Object of(String type, Object value) {
    String text = Template.text(value).trim();
    return switch (type) {
      case "integer", "integer_eu" -> integer(value, type.endsWith("_eu") ? european(text) : text.replace(",", ""));
      case "float", "float_eu" -> floating(value, type.endsWith("_eu") ? european(text) : text.replace(",", ""));
      case "string" -> Template.text(value);
      case "boolean" -> switch (text.toLowerCase(Locale.ROOT)) {
        case "true", "t", "yes", "y", "1", "1.0" -> true;
        case "false", "f", "no", "n", "0", "0.0", "" -> false;
        default -> value;
      };
      default -> value;
    };
  }

  private static String european(String text) {
    return text.replace(".", "").replace(',', '.');
  }

  /** Ruby's to_i: the digits that a text begins with, 0 where there are none. */
  private static Object integer(Object value, String text) {
    if (value instanceof Boolean flag) return flag ? 1L : 0L;
    String digits = leading(text, "[+-]?\\d+");
    return digits == null ? 0L : new BigDecimal(digits).longValue();
  }

  private static Object floating(Object value, String text) {
    if (value instanceof Boolean flag) return flag ? 1.0 : 0.0;
    String digits = leading(text, "[+-]?\\d+(\\.\\d+)?([eE][+-]?\\d+)?");
    return digits == null ? 0.0 : Double.parseDouble(digits);
  }

  private static String leading(String text, String pattern) {
    java.util.regex.Matcher matcher = java.util.regex.Pattern.compile(pattern).matcher(text);
    return matcher.lookingAt() ? matcher.group() : null;
  }
}
