package standin.logstash.input;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import standin.logstash.event.Event;
import standin.logstash.plugin.Input;
import standin.logstash.plugin.PluginType;

/** Lines from standard input, until it ends. */
public final class StdinInput extends Input {
  public static final PluginType TYPE = PluginType.input("stdin", "3.2.6", StdinInput::new);

  @Override public void run(Sink sink) throws Exception {
    String host = Hosts.name();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null && !stopped(); line = in.readLine()) {
      List<Event> events = new ArrayList<>();
      codec().decode(line, events::add);
      for (Event event : events) {
        decorate(event);
        if (event.get("host") == null) event.set("host", host);
        sink.put(event);
      }
    }
  }
}
