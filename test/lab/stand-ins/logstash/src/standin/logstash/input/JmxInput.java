package standin.logstash.input;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import standin.logstash.event.Event;
import standin.logstash.log.Log;
import standin.logstash.plugin.Input;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/**
 * Reads every file of a folder at each cycle and hands what they ask for to a few threads, each of which polls one JVM at a time.
 * The folder is read anew each time, so what it holds may change while this runs.
 */
public final class JmxInput extends Input {
  public static final PluginType TYPE = PluginType.input("jmx", "3.0.7", JmxInput::new, Option.string("path").asRequired(),
      Option.number("polling_frequency", 60), Option.number("nb_thread", 4));

  private final LinkedBlockingQueue<Map<?, ?>> waiting = new LinkedBlockingQueue<>();

  @Override public void register() {
    log().info("Create queue dispatching JMX requests to threads");
    log().info("Compile regexp for group alias object replacement");
  }

  @Override public void run(Sink sink) throws InterruptedException {
    int threads = options().integer("nb_thread");
    log().info("Initialize " + threads + " threads for JMX metrics collection");
    JmxPoller poller = new JmxPoller(log(), (host, path, value) -> sink.put(event(host, path, value)));
    for (int i = 0; i < threads; i++) {
      Thread worker = new Thread(() -> work(poller), "jmx-" + i);
      worker.setDaemon(true);
      worker.start();
    }
    while (!stopped()) {
      log().info("Loading configuration files in path", ":path", options().string("path"));
      if (!load()) return;
      int waited = 0;
      for (; !waiting.isEmpty() && !stopped(); waited++) Thread.sleep(1000);
      double rest = options().number("polling_frequency") - waited;
      if (rest > 0) Thread.sleep(Math.round(rest * 1000));
      else log().warn("The time taken to retrieve metrics is more important than the retrieve_interval time set.\n"
          + "                       \nYou must adapt nb_thread, retrieve_interval to the number of jvm/metrics you want to retrieve.");
    }
  }

  /** False where the folder cannot be read, which ends the input. */
  private boolean load() {
    Path folder = Path.of(options().string("path"));
    if (!Files.isDirectory(folder)) {
      log().error((Files.exists(folder) ? "Not a directory" : "No such file or directory") + " - " + folder);
      return false;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) load(file);
      return true;
    } catch (IOException denied) {
      log().error("Permission denied - " + folder);
      return false;
    }
  }

  private void load(Path file) {
    try {
      Map<?, ?> conf = JmxConf.read(file);
      List<String> problems = JmxConf.problems(conf);
      if (problems.isEmpty()) waiting.add(conf);
      else log().warn("Issue with configuration file", ":file", file.toString(), ":validation_errors", problems);
    } catch (IllegalArgumentException wrong) {
      log().warn("Issue loading configuration from file", ":file", file.toString(), ":exception", wrong.getMessage(), ":backtrace", List.of());
    }
  }

  private void work(JmxPoller poller) {
    while (!stopped()) {
      try {
        poller.poll(waiting.take());
      } catch (InterruptedException stopping) {
        return;
      } catch (Exception failed) {
        log().error(failed.getMessage() == null ? failed.getClass().getName() : failed.getMessage());
        log().error(Log.stackTrace(failed));
      }
    }
  }

  private Event event(String host, String path, Object value) {
    Event event = new Event();
    event.set("host", host);
    event.set("path", options().string("path"));
    event.set("type", options().string("type"));
    String metric = path.replace(' ', '_').replace("\"", "");
    if (value instanceof Number) {
      event.set("metric_path", metric);
      event.set("metric_value_number", value);
    } else if (value instanceof Boolean flag) {
      event.set("metric_path", metric + "_bool");
      event.set("metric_value_number", flag ? 1 : 0);
    } else {
      event.set("metric_path", metric);
      event.set("metric_value_string", value == null ? "" : value.toString());
    }
    return decorate(event);
  }
}
