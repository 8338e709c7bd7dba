package standin.logstash.filter;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.util.Map;
import standin.logstash.event.Event;
import standin.logstash.event.Json;
import standin.logstash.event.Template;
import standin.logstash.log.Inspect;
import standin.logstash.plugin.Filter;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/** Parses a field that holds JSON. */
public final class JsonFilter extends Filter {
  public static final PluginType TYPE = PluginType.filter("json", "3.1.0", JsonFilter::new, Option.string("source").asRequired(), Option.string("target"),
      Option.array("tag_on_failure"), Option.flag("skip_on_invalid_json", false));

  @Override public void filter(Event event) {
    Object source = event.get(options().string("source"));
    if (source == null) return;
    try {
      Object parsed = Json.MAPPER.readValue(Template.text(source), Object.class);
      if (options().has("target")) event.set(options().string("target"), parsed);
      else if (parsed instanceof Map<?, ?> map) map.forEach((key, value) -> event.set(String.valueOf(key), value));
      else throw new IllegalArgumentException("expected a JSON object");
      matched(event);
    } catch (JsonProcessingException | IllegalArgumentException wrong) {
      if (options().flag("skip_on_invalid_json")) return;
      if (options().has("tag_on_failure")) options().strings("tag_on_failure").forEach(event::tag);
      else event.tag("_jsonparsefailure");
      log().warn("Error parsing json", ":source", options().string("source"), ":raw", Template.text(source), ":exception",
          Inspect.raw("#<LogStash::Json::ParserError: " + wrong.getMessage() + ">"));
    }
  }
}
