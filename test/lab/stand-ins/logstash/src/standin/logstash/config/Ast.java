package standin.logstash.config;

import java.util.List;

/** A parsed pipeline configuration. */
public final class Ast {
  private Ast() {}

  public record Config(List<Section> sections) {}

  /** {@code type} is input, filter or output. */
  public record Section(String type, List<Statement> body) {}

  public sealed interface Statement permits Plugin, Branch {}

  /** {@code start} and {@code source} give a plugin without an id the same generated one each time. */
  public record Plugin(String name, List<Attribute> attributes, int start, String source) implements Statement, Value {}

  public record Attribute(String name, Value value) {}

  public record Branch(List<Case> cases, List<Statement> otherwise) implements Statement {}

  public record Case(Expression when, List<Statement> body) {}

  public sealed interface Value permits Plugin, Text, Number, Array, Hash {}

  public record Text(String text) implements Value, Expression {}

  public record Number(String text) implements Value, Expression {}

  public record Array(List<Value> items) implements Value, Expression {}

  public record Hash(List<Entry> entries) implements Value {}

  public record Entry(String key, Value value) {}

  public sealed interface Expression permits Text, Number, Array, Field, Pattern, Combine, Not, Compare, In, Match {}

  public record Field(String reference) implements Expression {}

  public record Pattern(String regex) implements Expression {}

  public record Combine(String operator, Expression left, Expression right) implements Expression {}

  public record Not(Expression inner) implements Expression {}

  public record Compare(String operator, Expression left, Expression right) implements Expression {}

  public record In(Expression left, Expression right) implements Expression {}

  public record Match(Expression left, Expression pattern) implements Expression {}
}
