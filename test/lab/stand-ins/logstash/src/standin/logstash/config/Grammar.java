package standin.logstash.config;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The terminals of a parsing expression grammar, remembering what was tried at the furthest place that any alternative reached:
 * the product's syntax errors list exactly that.
 */
abstract class Grammar {
  protected final String text;
  protected int at;
  private int furthest;
  private final Set<String> expected = new LinkedHashSet<>();

  protected Grammar(String text) {
    this.text = text;
  }

  protected boolean literal(String literal) {
    if (text.startsWith(literal, at)) {
      at += literal.length();
      return true;
    }
    return missing('"' + literal.replace("\"", "\\\"") + '"');
  }

  /** One character of a class, shown in errors as it is written in the grammar. */
  protected boolean one(String characterClass) {
    Matcher matcher = compiled(characterClass).matcher(text).region(at, text.length());
    if (!matcher.lookingAt()) return missing(characterClass);
    at = matcher.end();
    return true;
  }

  protected boolean many(String characterClass) {
    while (one(characterClass)) continue;
    return true;
  }

  protected boolean some(String characterClass) {
    return one(characterClass) && many(characterClass);
  }

  protected boolean missing(String what) {
    if (at > furthest) {
      furthest = at;
      expected.clear();
    }
    if (at == furthest) expected.add(what);
    return false;
  }

  /** The rule's result, or null with the place restored. */
  protected <T> T attempt(Supplier<T> rule) {
    int before = at;
    T found = rule.get();
    if (found == null) at = before;
    return found;
  }

  /** {@code from} is where the last complete section ended. */
  protected ConfigError failure(int from) {
    List<String> tried = new ArrayList<>(expected);
    int line = 1;
    int column = 1;
    for (int i = 0; i < furthest; i++) {
      column++;
      if (text.charAt(i) == '\n') {
        line++;
        column = 1;
      }
    }
    String what = tried.size() == 1 ? tried.get(0) : "one of " + String.join(", ", tried);
    String after = furthest > from ? " after " + text.substring(from, furthest) : "";
    return ConfigError.syntax("Expected " + what + " at line " + line + ", column " + column + " (byte " + (furthest + 1) + ")" + after);
  }

  private static final java.util.Map<String, Pattern> CLASSES = new java.util.HashMap<>();

  private static synchronized Pattern compiled(String characterClass) {
    return CLASSES.computeIfAbsent(characterClass, Pattern::compile);
  }
}
