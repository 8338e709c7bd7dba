package standin.logstash.codec;

import java.util.function.Consumer;
import standin.logstash.event.Event;
import standin.logstash.event.Template;
import standin.logstash.plugin.Codec;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/** One text is one event's message; events become text by a format. */
public final class PlainCodec extends Codec {
  public static final PluginType TYPE = PluginType.codec("plain", "3.0.6", PlainCodec::new, Option.string("format"), Option.string("charset", "UTF-8"));

  private Template format;

  @Override public void decode(String text, Consumer<Event> each) {
    Event event = new Event();
    event.set("message", text);
    each.accept(event);
  }

  @Override public String encode(Event event) {
    if (format == null && options().has("format")) format = Template.of(options().string("format"));
    return format == null ? event.toString() : format.in(event);
  }
}
