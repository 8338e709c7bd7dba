package standin.logstash.plugin;

import java.util.function.Consumer;
import standin.logstash.event.Event;

/** How text becomes events at an input and events become text at an output. */
public abstract class Codec extends Plugin {
  public abstract void decode(String text, Consumer<Event> each);

  public abstract String encode(Event event);
}
