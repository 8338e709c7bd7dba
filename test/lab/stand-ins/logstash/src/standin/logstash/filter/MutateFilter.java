package standin.logstash.filter;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import standin.logstash.config.ConfigError;
import standin.logstash.event.Event;
import standin.logstash.event.Template;
import standin.logstash.plugin.Filter;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/** Changes fields. The order of the changes is fixed, whatever their order in the configuration; add_field and remove_field come last. */
public final class MutateFilter extends Filter {
  public static final PluginType TYPE = PluginType.filter("mutate", "3.5.0", MutateFilter::new, Option.hash("coerce"), Option.hash("rename"),
      Option.hash("update"), Option.hash("replace"), Option.hash("convert"), Option.array("gsub"), Option.array("uppercase"), Option.array("capitalize"),
      Option.array("lowercase"), Option.array("strip"), Option.hash("split"), Option.hash("join"), Option.hash("merge"), Option.hash("copy"),
      Option.string("tag_on_failure", "_mutate_error"));

  private static final List<String> TYPES = List.of("string", "integer", "float", "boolean", "integer_eu", "float_eu");

  private record Substitution(String field, Pattern pattern, String replacement) {}

  private final List<Substitution> substitutions = new ArrayList<>();

  @Override public void register() {
    options().hash("convert").forEach((field, type) -> {
      if (!TYPES.contains(String.valueOf(type)))
        throw new ConfigError("LogStash::ConfigurationError", "translation missing: en.logstash.agent.configuration.invalid_plugin_register");
    });
    List<String> gsub = options().strings("gsub");
    if (gsub.size() % 3 != 0) throw new ConfigError("LogStash::ConfigurationError", "Invalid gsub configuration " + gsub);
    for (int i = 0; i < gsub.size(); i += 3)
      substitutions.add(new Substitution(gsub.get(i), Pattern.compile(gsub.get(i + 1)), gsub.get(i + 2).replace("$", "\\$").replaceAll("\\\\(\\d)", "\\$$1")));
  }

  @Override public void filter(Event event) {
    try {
      change(event);
      matched(event);
    } catch (RuntimeException wrong) {
      event.tag(options().string("tag_on_failure"));
      log().warn("Exception caught while applying mutate filter", ":exception", wrong.toString());
    }
  }

  private void change(Event event) {
    each("coerce", (field, value) -> {
      if (event.includes(field) && event.get(field) == null) event.set(field, in(event, value));
    });
    each("rename", (from, to) -> {
      String source = Template.of(from).in(event);
      if (event.includes(source)) event.set(Template.of(String.valueOf(to)).in(event), event.remove(source));
    });
    each("update", (field, value) -> {
      if (event.includes(field)) event.set(field, in(event, value));
    });
    each("replace", (field, value) -> event.set(field, in(event, value)));
    each("convert", (field, type) -> {
      if (event.get(field) != null) event.set(field, items(event.get(field), item -> Conversion.of(String.valueOf(type), item)));
    });
    for (Substitution each : substitutions) text(event, each.field(), value -> each.pattern().matcher(value).replaceAll(Template.of(each.replacement()).in(event)));
    for (String field : options().strings("uppercase")) text(event, field, String::toUpperCase);
    for (String field : options().strings("capitalize"))
      text(event, field, value -> value.isEmpty() ? value : value.substring(0, 1).toUpperCase() + value.substring(1).toLowerCase());
    for (String field : options().strings("lowercase")) text(event, field, String::toLowerCase);
    for (String field : options().strings("strip")) text(event, field, String::strip);
    each("split", (field, separator) -> {
      if (event.get(field) instanceof String value) event.set(field, new ArrayList<Object>(List.of(value.split(Pattern.quote(String.valueOf(separator))))));
    });
    each("join", (field, separator) -> {
      if (event.get(field) instanceof List<?> list) event.set(field, list.stream().map(Template::text).collect(Collectors.joining(String.valueOf(separator))));
    });
    each("merge", (field, added) -> {
      List<Object> all = Event.list(event.get(field));
      for (Object name : Event.list(added)) all.addAll(Event.list(event.get(String.valueOf(name))));
      event.set(field, all);
    });
    each("copy", (from, to) -> {
      if (event.includes(from)) event.set(String.valueOf(to), event.get(from));
    });
  }

  private void each(String option, java.util.function.BiConsumer<String, Object> change) {
    for (Map.Entry<String, Object> entry : options().hash(option).entrySet()) change.accept(entry.getKey(), entry.getValue());
  }

  private static Object in(Event event, Object value) {
    return value instanceof String text ? Template.of(text).in(event) : value;
  }

  private static Object items(Object value, UnaryOperator<Object> change) {
    return value instanceof List<?> list ? list.stream().map(item -> change.apply((Object) item)).collect(Collectors.toCollection(ArrayList::new)) : change.apply(value);
  }

  private static void text(Event event, String field, UnaryOperator<String> change) {
    Object value = event.get(field);
    if (value instanceof String || value instanceof List)
      event.set(field, items(value, item -> item instanceof String text ? change.apply(text) : item));
  }
}
