package standin.logstash.plugin;

import java.util.List;
import standin.logstash.event.Event;

/** Takes events out of the pipeline; may block as long as its target does not take them. */
public abstract class Output extends Plugin {
  private Codec codec;

  public final void codec(Codec with) {
    codec = with;
  }

  protected final Codec codec() {
    return codec;
  }

  public abstract void receive(List<Event> events) throws InterruptedException;
}
