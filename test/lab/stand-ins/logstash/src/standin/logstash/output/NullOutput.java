package standin.logstash.output;

import java.util.List;
import standin.logstash.event.Event;
import standin.logstash.plugin.Output;
import standin.logstash.plugin.PluginType;

/** Takes events and keeps none. */
public final class NullOutput extends Output {
  public static final PluginType TYPE = PluginType.output("null", "3.0.5", NullOutput::new);

  @Override public void receive(List<Event> events) {}
}
