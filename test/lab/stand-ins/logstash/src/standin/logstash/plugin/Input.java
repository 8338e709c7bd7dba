package standin.logstash.plugin;

import java.util.List;
import java.util.Map;
import standin.logstash.event.Event;
import standin.logstash.event.Template;

/** Makes events until it is stopped or has no more. */
public abstract class Input extends Plugin {
  /** Takes an event into the pipeline; blocks while the pipeline is busy. */
  public interface Sink {
    void put(Event event) throws InterruptedException;
  }

  private Codec codec;
  private volatile boolean stopped;

  public final void codec(Codec with) {
    codec = with;
  }

  protected final Codec codec() {
    return codec;
  }

  public abstract void run(Sink sink) throws Exception;

  /** Called from another thread. The input's own thread is interrupted as well where it may be. */
  public void stop() {
    stopped = true;
  }

  /** False for an input that must come to a good end by itself, since it would lose what it holds. */
  public boolean interruptible() {
    return true;
  }

  protected final boolean stopped() {
    return stopped;
  }

  /** What the common options type, tags and add_field ask for. */
  protected final Event decorate(Event event) {
    String eventType = options().string("type");
    if (eventType != null && event.get("type") == null) event.set("type", eventType);
    for (String tag : options().strings("tags")) event.tag(tag);
    addFields(event, options().hash("add_field"));
    return event;
  }

  static void addFields(Event event, Map<String, Object> fields) {
    fields.forEach((name, value) -> {
      String reference = Template.of(name).in(event);
      List<?> values = value instanceof List<?> list ? list : List.of(value);
      for (Object item : values) event.add(reference, item instanceof String text ? Template.of(text).in(event) : item);
    });
  }
}
