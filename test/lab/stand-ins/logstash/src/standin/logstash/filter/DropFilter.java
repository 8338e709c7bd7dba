package standin.logstash.filter;

import java.util.concurrent.ThreadLocalRandom;
import standin.logstash.event.Event;
import standin.logstash.plugin.Filter;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/** Lets no event through, or a part of them. */
public final class DropFilter extends Filter {
  public static final PluginType TYPE = PluginType.filter("drop", "3.0.5", DropFilter::new, Option.number("percentage", 100));

  @Override public void filter(Event event) {
    if (options().number("percentage") >= 100 || ThreadLocalRandom.current().nextDouble(100) < options().number("percentage")) event.cancel();
  }
}
