package standin.logstash.filter;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import standin.logstash.event.Event;
import standin.logstash.event.Template;
import standin.logstash.plugin.Filter;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/** Splits a line of separated values into fields. */
public final class CsvFilter extends Filter {
  public static final PluginType TYPE = PluginType.filter("csv", "3.0.10", CsvFilter::new, Option.string("source", "message"), Option.array("columns"),
      Option.string("separator", ","), Option.string("quote_char", "\""), Option.string("target"), Option.hash("convert"),
      Option.flag("skip_empty_columns", false), Option.flag("skip_header", false), Option.flag("skip_empty_rows", false),
      Option.flag("autogenerate_column_names", true), Option.flag("autodetect_column_names", false));

  @Override public void filter(Event event) {
    Object source = event.get(options().string("source"));
    if (source == null) return;
    List<String> columns = options().strings("columns");
    List<String> values = split(Template.text(source), options().string("separator"), options().string("quote_char").charAt(0));
    if (values == null) {
      event.tag("_csvparsefailure");
      log().warn("Error parsing csv", ":field", options().string("source"), ":source", Template.text(source));
      return;
    }
    if (options().flag("skip_header") && values.equals(columns)) {
      event.cancel();
      return;
    }
    for (int i = 0; i < values.size(); i++) {
      if (values.get(i).isEmpty() && options().flag("skip_empty_columns")) continue;
      if (i >= columns.size() && !options().flag("autogenerate_column_names")) continue;
      String name = i < columns.size() ? columns.get(i) : "column" + (i + 1);
      String target = options().string("target");
      event.set(target == null ? name : "[" + target.replaceAll("^\\[|]$", "") + "][" + name + "]", converted(name, values.get(i)));
    }
    matched(event);
  }

  private Object converted(String name, String value) {
    Map<String, Object> convert = options().hash("convert");
    return convert.containsKey(name) ? Conversion.of(String.valueOf(convert.get(name)), value) : value;
  }

  /** Null where a quote is not closed. */
  private static List<String> split(String line, String separator, char quote) {
    List<String> values = new ArrayList<>();
    StringBuilder value = new StringBuilder();
    boolean quoted = false;
    for (int i = 0; i < line.length(); i++) {
      char c = line.charAt(i);
      if (quoted && c == quote && i + 1 < line.length() && line.charAt(i + 1) == quote) {
        value.append(quote);
        i++;
      } else if (c == quote) quoted = !quoted;
      else if (!quoted && line.startsWith(separator, i)) {
        values.add(value.toString());
        value.setLength(0);
        i += separator.length() - 1;
      } else value.append(c);
    }
    values.add(value.toString());
    return quoted ? null : values;
  }
}
