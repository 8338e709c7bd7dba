package standin.logstash.input;

import java.util.List;
import standin.logstash.event.Event;
import standin.logstash.plugin.Input;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/** Makes up events: a message or lines, a number of times or for ever. */
public final class GeneratorInput extends Input {
  public static final PluginType TYPE = PluginType.input("generator", "3.0.6", GeneratorInput::new, Option.string("message", "Hello world!"),
      Option.array("lines"), Option.number("count", 0), Option.number("threads", 1));

  @Override public void run(Sink sink) throws Exception {
    List<String> lines = options().has("lines") ? options().strings("lines") : List.of(options().string("message"));
    int count = options().integer("count");
    String host = Hosts.name();
    for (long round = 0; (count <= 0 || round < count) && !stopped(); round++) {
      for (String line : lines) emit(line, round, host, sink);
    }
  }

  private void emit(String line, long round, String host, Sink sink) throws InterruptedException {
    java.util.List<Event> events = new java.util.ArrayList<>();
    codec().decode(line, events::add);
    for (Event event : events) {
      decorate(event);
      if (event.get("host") == null) event.set("host", host);
      event.set("sequence", round);
      sink.put(event);
    }
  }
}
