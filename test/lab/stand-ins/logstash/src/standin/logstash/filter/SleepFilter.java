package standin.logstash.filter;

import java.util.concurrent.atomic.AtomicLong;
import standin.logstash.event.Event;
import standin.logstash.event.Template;
import standin.logstash.plugin.Filter;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/** Holds its worker for {@code time} seconds at every n-th event. */
public final class SleepFilter extends Filter {
  public static final PluginType TYPE = PluginType.filter("sleep", "3.0.7", SleepFilter::new, Option.string("time"), Option.string("every", "1"),
      Option.flag("replay", false));

  private final AtomicLong count = new AtomicLong();

  @Override public void filter(Event event) throws InterruptedException {
    long every = Math.max(1, Math.round(seconds("every", event)));
    if (count.incrementAndGet() % every == 0) Thread.sleep(Math.round(seconds("time", event) * 1000));
    matched(event);
  }

  private double seconds(String option, Event event) {
    String text = options().string(option);
    return text == null ? 0 : Double.parseDouble(Template.of(text).in(event));
  }
}
