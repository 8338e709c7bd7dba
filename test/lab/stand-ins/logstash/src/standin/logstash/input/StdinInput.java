package standin.logstash.input;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import standin.logstash.event.Event;
import standin.logstash.plugin.Input;
import standin.logstash.plugin.PluginType;

/** Lines from standard input, until it ends. */
public final class StdinInput extends Input {
  public static final PluginType TYPE = PluginType.input("stdin", "3.2.6", StdinInput::new);

  @Override public void run(Sink sink) throws Exception {
    String host = Hosts.name();
    BlockingQueue<Optional<String>> lines = new ArrayBlockingQueue<>(64);
    Thread reader = new Thread(() -> read(lines), "stdin-reader");
    reader.setDaemon(true);
    reader.start();
    for (Optional<String> line = lines.take(); line.isPresent() && !stopped(); line = lines.take()) {
      List<Event> events = new ArrayList<>();
      codec().decode(line.get(), events::add);
      for (Event event : events) {
        decorate(event);
        if (event.get("host") == null) event.set("host", host);
        sink.put(event);
      }
    }
  }

  /** In a thread of its own: a read of standard input cannot be interrupted. */
  private static void read(BlockingQueue<Optional<String>> lines) {
    try {
      BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = in.readLine(); line != null; line = in.readLine()) lines.put(Optional.of(line));
      lines.put(Optional.empty());
    } catch (IOException | InterruptedException ended) {
      lines.offer(Optional.empty());
    }
  }
}
