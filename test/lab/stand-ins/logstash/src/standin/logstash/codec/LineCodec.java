package standin.logstash.codec;

import java.util.function.Consumer;
import standin.logstash.event.Event;
import standin.logstash.event.Template;
import standin.logstash.plugin.Codec;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/** Events are lines. */
public final class LineCodec extends Codec {
  public static final PluginType TYPE = PluginType.codec("line", "3.0.8", LineCodec::new, Option.string("format"), Option.string("charset", "UTF-8"),
      Option.string("delimiter", "\n"));

  @Override public void decode(String text, Consumer<Event> each) {
    for (String line : text.split(java.util.regex.Pattern.quote(options().string("delimiter")))) {
      Event event = new Event();
      event.set("message", line);
      each.accept(event);
    }
  }

  @Override public String encode(Event event) {
    String format = options().string("format");
    return (format == null ? event.toString() : Template.of(format).in(event)) + options().string("delimiter");
  }
}
