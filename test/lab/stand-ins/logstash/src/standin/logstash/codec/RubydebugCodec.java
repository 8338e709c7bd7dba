package standin.logstash.codec;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import standin.logstash.event.Event;
import standin.logstash.log.Inspect;
import standin.logstash.plugin.Codec;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/** Events as a person reads them: one field a line, names aligned at the arrow. */
public final class RubydebugCodec extends Codec {
  public static final PluginType TYPE = PluginType.codec("rubydebug", "3.1.0", RubydebugCodec::new, Option.flag("metadata", false));
  private static final int STEP = 4;

  @Override public void decode(String text, Consumer<Event> each) {
    throw new UnsupportedOperationException("RuntimeError: Not implemented");
  }

  @Override public String encode(Event event) {
    StringBuilder out = new StringBuilder();
    write(out, event.fields(), 0);
    return out.append('\n').toString();
  }

  private static void write(StringBuilder out, Object value, int indent) {
    if (value instanceof Map<?, ?> map) hash(out, map, indent);
    else if (value instanceof List<?> list) array(out, list, indent);
    else out.append(Inspect.of(value));
  }

  private static void hash(StringBuilder out, Map<?, ?> map, int indent) {
    if (map.isEmpty()) {
      out.append("{}");
      return;
    }
    int width = map.keySet().stream().mapToInt(key -> Inspect.of(key).length()).max().orElse(0) + indent + STEP;
    out.append("{\n");
    String separator = "";
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      out.append(separator).append(" ".repeat(width - Inspect.of(entry.getKey()).length())).append(Inspect.of(entry.getKey())).append(" => ");
      write(out, entry.getValue(), indent + STEP);
      separator = ",\n";
    }
    out.append("\n").append(" ".repeat(indent)).append("}");
  }

  private static void array(StringBuilder out, List<?> list, int indent) {
    if (list.isEmpty()) {
      out.append("[]");
      return;
    }
    out.append("[\n");
    for (int i = 0; i < list.size(); i++) {
      out.append(" ".repeat(indent + STEP)).append('[').append(i).append("] ");
      write(out, list.get(i), indent + STEP);
      out.append(i + 1 < list.size() ? ",\n" : "\n");
    }
    out.append(" ".repeat(indent)).append("]");
  }
}
