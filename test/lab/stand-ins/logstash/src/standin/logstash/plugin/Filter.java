package standin.logstash.plugin;

import standin.logstash.event.Event;
import standin.logstash.event.Template;

/** Changes events. */
public abstract class Filter extends Plugin {
  public abstract void filter(Event event) throws InterruptedException;

  /** What the common options of filters ask for once a filter did its work. */
  protected final void matched(Event event) {
    Input.addFields(event, options().hash("add_field"));
    for (String name : options().strings("remove_field")) event.remove(Template.of(name).in(event));
    for (String tag : options().strings("add_tag")) event.tag(Template.of(tag).in(event));
    for (String tag : options().strings("remove_tag")) {
      java.util.List<Object> tags = Event.list(event.get("tags"));
      if (tags.remove(Template.of(tag).in(event))) event.set("tags", tags);
    }
  }
}
