package standin.logstash.codec;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import standin.logstash.event.Event;
import standin.logstash.event.Json;
import standin.logstash.plugin.Codec;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/** JSON objects, or an array of them, are events; text that is not JSON becomes an event with a tag that says so. */
public final class JsonCodec extends Codec {
  public static final PluginType TYPE = PluginType.codec("json", "3.0.5", JsonCodec::new, Option.string("charset", "UTF-8"));
  public static final PluginType LINES = PluginType.codec("json_lines", "3.0.6", JsonCodec::new, Option.string("charset", "UTF-8"), Option.string("delimiter", "\n"));

  @Override public void decode(String text, Consumer<Event> each) {
    Object parsed;
    try {
      parsed = Json.MAPPER.readValue(text, Object.class);
    } catch (JsonProcessingException wrong) {
      log().warn("JSON parse error, original data now in message field", ":error", standin.logstash.log.Inspect.raw("#<LogStash::Json::ParserError: "
          + wrong.getOriginalMessage() + ">"), ":data", text);
      each.accept(failed(text));
      return;
    }
    List<?> items = parsed instanceof List<?> list ? list : java.util.Collections.singletonList(parsed);
    for (Object item : items) each.accept(item instanceof Map<?, ?> map ? Event.of(map) : failed(text));
  }

  private static Event failed(String text) {
    Event event = new Event();
    event.set("message", text);
    event.tag("_jsonparsefailure");
    return event;
  }

  @Override public String encode(Event event) {
    return type() == LINES ? event.toJson() + options().string("delimiter") : event.toJson();
  }
}
