package standin.logstash.codec;

import java.util.function.Consumer;
import standin.logstash.event.Event;
import standin.logstash.plugin.Codec;
import standin.logstash.plugin.PluginType;

/** One dot for each event. */
public final class DotsCodec extends Codec {
  public static final PluginType TYPE = PluginType.codec("dots", "3.0.6", DotsCodec::new);

  @Override public void decode(String text, Consumer<Event> each) {
    throw new UnsupportedOperationException("RuntimeError: dots codec cannot decode");
  }

  @Override public String encode(Event event) {
    return ".";
  }
}
