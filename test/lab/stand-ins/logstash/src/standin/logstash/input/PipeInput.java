package standin.logstash.input;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import standin.logstash.event.Event;
import standin.logstash.plugin.Input;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/** Lines that a command prints; it is run again some seconds after it has ended. */
public final class PipeInput extends Input {
  public static final PluginType TYPE = PluginType.input("pipe", "3.0.7", PipeInput::new, Option.string("command").asRequired());
  private static final int PAUSE_MILLIS = 10_000;

  private volatile Process running;

  @Override public void register() {
    log().debug("Registering pipe input", ":command", options().string("command"));
  }

  @Override public void run(Sink sink) throws Exception {
    String host = Hosts.name();
    while (!stopped()) {
      running = new ProcessBuilder("sh", "-c", options().string("command")).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      running.getOutputStream().close();
      try (BufferedReader lines = new BufferedReader(new InputStreamReader(running.getInputStream(), StandardCharsets.UTF_8))) {
        for (String line = lines.readLine(); line != null && !stopped(); line = lines.readLine()) emit(line, host, sink);
      } catch (java.io.IOException ended) {
        if (!stopped()) throw ended;
      } finally {
        running.destroy();
      }
      if (!stopped()) Thread.sleep(PAUSE_MILLIS);
    }
  }

  private void emit(String line, String host, Sink sink) throws InterruptedException {
    List<Event> events = new ArrayList<>();
    codec().decode(line, events::add);
    for (Event event : events) {
      if (event.get("host") == null) event.set("host", host);
      if (event.get("command") == null) event.set("command", options().string("command"));
      sink.put(decorate(event));
    }
  }

  @Override public void stop() {
    super.stop();
    Process process = running;
    if (process != null) process.destroy();
  }
}
