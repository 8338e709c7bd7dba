package standin.logstash.config;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** The Logstash configuration language: sections of plugins with attributes, and branches on conditions. */
public final class ConfigParser extends Grammar {
  private ConfigParser(String text) {
    super(text);
  }

  /** Throws ConfigError with the product's message. */
  public static Ast.Config parse(String text) {
    return new ConfigParser(text).config();
  }

  private Ast.Config config() {
    List<Ast.Section> sections = new ArrayList<>();
    int complete = 0;
    for (;;) {
      complete = at;
      space();
      Ast.Section section = attempt(this::section);
      if (section == null) break;
      sections.add(section);
    }
    if (at < text.length() || sections.isEmpty()) throw failure(complete);
    return new Ast.Config(sections);
  }

  private boolean space() {
    for (;;) {
      int before = at;
      if (one("[ \\t\\r\\n]")) many("[ \\t\\r\\n]");
      if (literal("#")) {
        while (at < text.length() && text.charAt(at) != '\n') at++;
        if (at < text.length()) at++;
        else missing("\"\\n\"");
      }
      if (at == before) return true;
    }
  }

  /** Entries of a hash and attributes must have white space between them. */
  private boolean gap() {
    int before = at;
    return space() && at > before;
  }

  private Ast.Section section() {
    String type = literal("input") ? "input" : literal("filter") ? "filter" : literal("output") ? "output" : null;
    if (type == null) return null;
    List<Ast.Statement> body = block();
    return body == null ? null : new Ast.Section(type, body);
  }

  private List<Ast.Statement> block() {
    space();
    if (!literal("{")) return null;
    space();
    List<Ast.Statement> body = new ArrayList<>();
    for (;;) {
      Ast.Statement statement = attempt(this::branch);
      if (statement == null) statement = attempt(this::plugin);
      if (statement == null) break;
      body.add(statement);
      space();
    }
    return literal("}") ? body : null;
  }

  private Ast.Branch branch() {
    List<Ast.Case> cases = new ArrayList<>();
    if (!keyword("if")) return null;
    Ast.Case first = conditional();
    if (first == null) return null;
    cases.add(first);
    for (;;) {
      Ast.Case next = attempt(() -> {
        space();
        if (!keyword("else")) return null;
        space();
        return keyword("if") ? conditional() : null;
      });
      if (next == null) break;
      cases.add(next);
    }
    List<Ast.Statement> otherwise = attempt(() -> {
      space();
      return keyword("else") ? block() : null;
    });
    return new Ast.Branch(cases, otherwise == null ? List.of() : otherwise);
  }

  private boolean keyword(String word) {
    return literal(word);
  }

  private Ast.Case conditional() {
    space();
    Ast.Expression when = condition();
    if (when == null) return null;
    List<Ast.Statement> body = block();
    return body == null ? null : new Ast.Case(when, body);
  }

  private Ast.Plugin plugin() {
    int start = at;
    String name = name();
    if (name == null) return null;
    space();
    if (!literal("{")) return null;
    space();
    List<Ast.Attribute> attributes = new ArrayList<>();
    Ast.Attribute attribute = attempt(this::attribute);
    while (attribute != null) {
      attributes.add(attribute);
      attribute = attempt(() -> gap() ? attribute() : null);
    }
    space();
    return literal("}") ? new Ast.Plugin(name, attributes, start, text.substring(start, at)) : null;
  }

  private String name() {
    int start = at;
    if (some("[A-Za-z0-9_-]")) return text.substring(start, at);
    at = start;
    return string();
  }

  private Ast.Attribute attribute() {
    String name = name();
    if (name == null) return null;
    space();
    if (!literal("=>")) return null;
    space();
    Ast.Value value = value();
    return value == null ? null : new Ast.Attribute(name, value);
  }

  private Ast.Value value() {
    Ast.Value value = attempt(this::plugin);
    if (value == null) value = attempt(this::bareword);
    if (value == null) value = attempt(this::text);
    if (value == null) value = attempt(this::number);
    if (value == null) value = attempt(() -> array(this::value));
    if (value == null) value = attempt(this::hash);
    return value;
  }

  private Ast.Text bareword() {
    int start = at;
    return one("[A-Za-z_]") && some("[A-Za-z0-9_]") ? new Ast.Text(text.substring(start, at)) : null;
  }

  private Ast.Text text() {
    String string = string();
    return string == null ? null : new Ast.Text(string);
  }

  private String string() {
    String found = quoted('"');
    return found == null ? quoted('\'') : found;
  }

  /** A backslash keeps the quote that follows it out of the end's way, and stays in the text unless it stands before that quote. */
  private String quoted(char quote) {
    int start = at;
    if (!literal(String.valueOf(quote))) return null;
    StringBuilder out = new StringBuilder();
    while (at < text.length() && text.charAt(at) != quote) {
      if (text.charAt(at) == '\\' && at + 1 < text.length() && text.charAt(at + 1) == quote) at++;
      out.append(text.charAt(at++));
    }
    if (!literal(String.valueOf(quote))) {
      at = start;
      return null;
    }
    return out.toString();
  }

  private Ast.Number number() {
    int start = at;
    literal("-");
    if (!some("[0-9]")) return null;
    if (literal(".")) many("[0-9]");
    return new Ast.Number(text.substring(start, at));
  }

  private Ast.Array array(Supplier<Ast.Value> item) {
    if (!literal("[")) return null;
    space();
    List<Ast.Value> items = new ArrayList<>();
    Ast.Value value = attempt(item);
    while (value != null) {
      items.add(value);
      value = attempt(() -> {
        space();
        if (!literal(",")) return null;
        space();
        return item.get();
      });
    }
    space();
    return literal("]") ? new Ast.Array(items) : null;
  }

  private Ast.Hash hash() {
    if (!literal("{")) return null;
    space();
    List<Ast.Entry> entries = new ArrayList<>();
    Ast.Entry entry = attempt(this::entry);
    while (entry != null) {
      entries.add(entry);
      entry = attempt(() -> gap() ? entry() : null);
    }
    space();
    return literal("}") ? new Ast.Hash(entries) : null;
  }

  private Ast.Entry entry() {
    Ast.Number number = attempt(this::number);
    Ast.Text word = number != null ? new Ast.Text(number.text()) : attempt(this::bareword);
    if (word == null) word = attempt(this::text);
    if (word == null) return null;
    space();
    if (!literal("=>")) return null;
    space();
    Ast.Value value = value();
    return value == null ? null : new Ast.Entry(word.text(), value);
  }

  // Conditions

  private Ast.Expression condition() {
    List<Ast.Expression> operands = new ArrayList<>();
    List<String> operators = new ArrayList<>();
    Ast.Expression first = expression();
    if (first == null) return null;
    operands.add(first);
    for (;;) {
      Ast.Expression next = attempt(() -> {
        space();
        String operator = literal("and") ? "and" : literal("or") ? "or" : literal("xor") ? "xor" : literal("nand") ? "nand" : null;
        if (operator == null) return null;
        space();
        Ast.Expression operand = expression();
        if (operand != null) operators.add(operator);
        return operand;
      });
      if (next == null) break;
      operands.add(next);
    }
    for (String operator : List.of("and", "nand", "xor", "or")) combine(operator, operands, operators);
    return operands.get(0);
  }

  /** Operators bind in the order and, nand, xor, or; equal ones from the left. */
  private static void combine(String operator, List<Ast.Expression> operands, List<String> operators) {
    for (int i = 0; i < operators.size();) {
      if (operators.get(i).equals(operator)) {
        operands.set(i, new Ast.Combine(operator, operands.get(i), operands.remove(i + 1)));
        operators.remove(i);
      } else i++;
    }
  }

  private Ast.Expression expression() {
    Ast.Expression found = attempt(this::parenthesised);
    if (found == null) found = attempt(this::negative);
    if (found == null) found = attempt(this::relation);
    return found;
  }

  private Ast.Expression parenthesised() {
    if (!literal("(")) return null;
    space();
    Ast.Expression inner = condition();
    if (inner == null) return null;
    space();
    return literal(")") ? inner : null;
  }

  private Ast.Expression negative() {
    if (!literal("!")) return null;
    space();
    Ast.Expression inner = attempt(this::parenthesised);
    if (inner == null) inner = attempt(this::selector);
    return inner == null ? null : new Ast.Not(inner);
  }

  private Ast.Expression relation() {
    Ast.Expression left = operand();
    if (left == null) return null;
    Ast.Expression related = attempt(() -> related(left));
    return related == null ? left : related;
  }

  private Ast.Expression related(Ast.Expression left) {
    space();
    if (literal("in")) return then(right -> new Ast.In(left, right), this::operand);
    int before = at;
    if (literal("not ")) {
      space();
      if (literal("in")) return then(right -> new Ast.Not(new Ast.In(left, right)), this::operand);
    }
    at = before;
    for (String operator : List.of("==", "!=", "<=", ">=", "<", ">"))
      if (literal(operator)) return then(right -> new Ast.Compare(operator, left, right), this::operand);
    if (literal("=~")) return then(right -> new Ast.Match(left, right), this::pattern);
    if (literal("!~")) return then(right -> new Ast.Not(new Ast.Match(left, right)), this::pattern);
    return null;
  }

  private Ast.Expression then(java.util.function.UnaryOperator<Ast.Expression> build, Supplier<Ast.Expression> right) {
    space();
    Ast.Expression operand = right.get();
    return operand == null ? null : build.apply(operand);
  }

  private Ast.Expression operand() {
    Ast.Expression found = attempt(this::text);
    if (found == null) found = attempt(this::number);
    if (found == null) found = attempt(this::selector);
    if (found == null) found = attempt(() -> array(() -> {
      Ast.Value item = attempt(this::text);
      if (item == null) item = attempt(this::number);
      if (item == null) item = attempt(this::bareword);
      return item;
    }));
    if (found == null) found = attempt(this::regex);
    return found;
  }

  private Ast.Expression pattern() {
    Ast.Expression found = attempt(this::text);
    return found == null ? attempt(this::regex) : found;
  }

  private Ast.Pattern regex() {
    if (!literal("/")) return null;
    StringBuilder out = new StringBuilder();
    while (at < text.length() && text.charAt(at) != '/') {
      if (text.charAt(at) == '\\' && at + 1 < text.length()) {
        if (text.charAt(at + 1) != '/') out.append('\\');
        at++;
      }
      out.append(text.charAt(at++));
    }
    return literal("/") ? new Ast.Pattern(out.toString()) : null;
  }

  private Ast.Field selector() {
    int start = at;
    while (attempt(() -> literal("[") && some("[^\\]\\[,]") && literal("]") ? Boolean.TRUE : null) != null) continue;
    return at == start ? null : new Ast.Field(text.substring(start, at));
  }
}
