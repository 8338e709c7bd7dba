package standin.logstash.event;

import java.util.Collection;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import standin.logstash.config.Ast;
import standin.logstash.config.ConfigError;
import standin.logstash.config.Variables;

/** Turns the condition of a branch into a test of events. */
public final class Conditions {
  private Conditions() {}

  public static Predicate<Event> compile(Ast.Expression expression) {
    if (expression instanceof Ast.Combine combine) {
      Predicate<Event> left = compile(combine.left());
      Predicate<Event> right = compile(combine.right());
      return switch (combine.operator()) {
        case "and" -> left.and(right);
        case "or" -> left.or(right);
        case "nand" -> left.and(right).negate();
        default -> event -> left.test(event) != right.test(event);
      };
    }
    if (expression instanceof Ast.Not not) return compile(not.inner()).negate();
    if (expression instanceof Ast.Compare compare) return comparison(compare);
    if (expression instanceof Ast.In in) {
      Function<Event, Object> left = value(in.left());
      Function<Event, Object> right = value(in.right());
      return event -> contains(right.apply(event), left.apply(event));
    }
    if (expression instanceof Ast.Match match) {
      Function<Event, Object> left = value(match.left());
      Pattern pattern = Pattern.compile(match.pattern() instanceof Ast.Pattern regex ? regex.regex() : ((Ast.Text) match.pattern()).text());
      return event -> matches(pattern, left.apply(event));
    }
    Function<Event, Object> value = value(expression);
    return event -> truth(value.apply(event));
  }

  private static Function<Event, Object> value(Ast.Expression expression) {
    if (expression instanceof Ast.Field field) return event -> event.get(field.reference());
    if (expression instanceof Ast.Text text) {
      String expanded = Variables.expand(text.text());
      return event -> expanded;
    }
    if (expression instanceof Ast.Number number) {
      Object parsed = number(number.text());
      return event -> parsed;
    }
    if (expression instanceof Ast.Array array) {
      List<Object> items = array.items().stream().map(item -> value((Ast.Expression) item).apply(null)).toList();
      return event -> items;
    }
    if (expression instanceof Ast.Pattern pattern) return event -> pattern.regex();
    throw ConfigError.syntax("a condition cannot be used as a value");
  }

  public static Object number(String text) {
    return text.contains(".") ? (Object) Double.valueOf(text) : (Object) Long.valueOf(text);
  }

  private static Predicate<Event> comparison(Ast.Compare compare) {
    Function<Event, Object> left = value(compare.left());
    Function<Event, Object> right = value(compare.right());
    return switch (compare.operator()) {
      case "==" -> event -> same(left.apply(event), right.apply(event));
      case "!=" -> event -> !same(left.apply(event), right.apply(event));
      case "<" -> event -> order(left.apply(event), right.apply(event), sign -> sign < 0);
      case ">" -> event -> order(left.apply(event), right.apply(event), sign -> sign > 0);
      case "<=" -> event -> order(left.apply(event), right.apply(event), sign -> sign <= 0);
      default -> event -> order(left.apply(event), right.apply(event), sign -> sign >= 0);
    };
  }

  private static boolean truth(Object value) {
    return value != null && !Boolean.FALSE.equals(value);
  }

  private static boolean same(Object a, Object b) {
    if (a instanceof Number x && b instanceof Number y) return x.doubleValue() == y.doubleValue();
    if (a instanceof java.time.Instant time && b instanceof String) return Json.timestamp(time).equals(b);
    return java.util.Objects.equals(a, b);
  }

  private static boolean order(Object a, Object b, Predicate<Integer> wanted) {
    if (a instanceof Number x && b instanceof Number y) return wanted.test(Double.compare(x.doubleValue(), y.doubleValue()));
    if (a instanceof String x && b instanceof String y) return wanted.test(x.compareTo(y));
    if (a == null || b == null) return false;
    throw new IllegalArgumentException("cannot compare " + a + " with " + b);
  }

  private static boolean contains(Object holder, Object item) {
    if (holder instanceof Collection<?> items) return items.stream().anyMatch(each -> same(each, item));
    if (holder instanceof String text && item instanceof String part) return text.contains(part);
    return holder != null && same(holder, item);
  }

  private static boolean matches(Pattern pattern, Object value) {
    if (value instanceof Collection<?> items) return items.stream().anyMatch(each -> matches(pattern, each));
    return value != null && pattern.matcher(Template.text(value)).find();
  }
}
