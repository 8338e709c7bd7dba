package standin.logstash.config;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** ${NAME} and ${NAME:default}, taken from the environment. */
public final class Variables {
  private static final Pattern PLACE = Pattern.compile("\\$\\{([a-zA-Z_.][a-zA-Z0-9_.]*)(?::([^}]*))?}");

  private Variables() {}

  /** Throws IllegalArgumentException with the product's message where a variable has neither value nor default. */
  public static String expand(String text) {
    if (!text.contains("${")) return text;
    Matcher matcher = PLACE.matcher(text);
    StringBuilder out = new StringBuilder();
    while (matcher.find()) {
      String value = System.getenv(matcher.group(1));
      if (value == null) value = matcher.group(2);
      if (value == null)
        throw new IllegalArgumentException("Cannot evaluate `" + matcher.group() + "`. Replacement variable `" + matcher.group(1)
            + "` is not defined in a Logstash secret store or as an Environment entry and there is no default value given.");
      matcher.appendReplacement(out, Matcher.quoteReplacement(value));
    }
    return matcher.appendTail(out).toString();
  }
}
