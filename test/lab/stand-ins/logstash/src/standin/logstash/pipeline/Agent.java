package standin.logstash.pipeline;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import standin.logstash.Settings;
import standin.logstash.config.ConfigError;
import standin.logstash.log.Inspect;
import standin.logstash.log.Log;
import standin.logstash.plugin.Plugin;

/** Runs the pipelines, and replaces those whose configuration changed. */
public final class Agent {
  /** How a pipeline's reloads went. */
  public static final class Reloads {
    public int successes;
    public int failures;
    public Instant lastSuccess;
    public Instant lastFailure;
    public String lastError;
  }

  private static final Log LOG = Log.of("logstash.agent");

  private final Settings settings;
  private final Path home;
  private final ConfigSource source;
  private final Map<String, Pipeline> pipelines = new LinkedHashMap<>();
  private final Map<String, Reloads> reloads = new LinkedHashMap<>();
  private final String id;
  private final String ephemeralId = UUID.randomUUID().toString();
  private boolean stopping;
  private boolean hangup;

  public Agent(Settings settings, Path home) throws IOException {
    this.settings = settings;
    this.home = home;
    this.source = new ConfigSource(settings);
    this.id = uuid(settings.path("path.data").resolve("uuid"));
  }

  private static String uuid(Path file) throws IOException {
    if (Files.isRegularFile(file)) return Files.readString(file).trim();
    String fresh = UUID.randomUUID().toString();
    LOG.info("No persistent UUID file found. Generating new UUID", ":uuid", fresh, ":path", file.toString());
    Files.writeString(file, fresh);
    return fresh;
  }

  public String id() {
    return id;
  }

  public String ephemeralId() {
    return ephemeralId;
  }

  public Settings settings() {
    return settings;
  }

  public synchronized Map<String, Pipeline> pipelines() {
    return new LinkedHashMap<>(pipelines);
  }

  public synchronized Reloads reloads(String pipeline) {
    return reloads.computeIfAbsent(pipeline, name -> new Reloads());
  }

  public static Plugin.Surroundings surroundings(String pipeline, Settings settings, Path home) {
    return new Plugin.Surroundings(pipeline, home, settings.path("path.data"));
  }

  /** Runs until stopped or until no pipeline is left; the process's exit code. {@code started} is called once, after the first start. */
  public int run(Started started) throws IOException, InterruptedException {
    boolean good = converge();
    if (pipelines().isEmpty() && !settings.flag("config.reload.automatic")) return 1;
    started.run();
    boolean reload = settings.flag("config.reload.automatic");
    while (!stopRequested() && (reload || anyRunning())) {
      boolean told = pause(reload ? settings.reloadMillis() : 1000);
      if (!stopRequested() && (reload || told)) converge();
    }
    for (Pipeline pipeline : pipelines().values()) if (pipeline.running()) pipeline.stop();
    return good || reload ? 0 : 1;
  }

  public interface Started {
    void run() throws IOException;
  }

  private synchronized boolean stopRequested() {
    return stopping;
  }

  private synchronized boolean anyRunning() {
    return pipelines.values().stream().anyMatch(Pipeline::running);
  }

  /** True after a hang-up signal. */
  private synchronized boolean pause(long millis) throws InterruptedException {
    long end = System.currentTimeMillis() + millis;
    for (long rest = millis; rest > 0 && !stopping && !hangup; rest = end - System.currentTimeMillis()) {
      wait(rest);
      if (!settings.flag("config.reload.automatic") && pipelines.values().stream().noneMatch(Pipeline::running)) break;
    }
    boolean told = hangup;
    hangup = false;
    return told;
  }

  public synchronized void stop() {
    stopping = true;
    notifyAll();
  }

  public synchronized void reload() {
    hangup = true;
    notifyAll();
  }

  /** Starts what is new, replaces what changed; false where something could not be done. */
  private boolean converge() throws IOException, InterruptedException {
    List<PipelineConfig> wanted;
    try {
      wanted = source.fetch();
    } catch (ConfigError wrong) {
      Log.of("logstash.config.sourceloader").error(wrong.getMessage());
      return false;
    }
    if (wanted.isEmpty()) {
      Log.of("logstash.config.sourceloader").error("No configuration found in the configured sources.");
      return false;
    }
    boolean good = true;
    boolean changed = false;
    for (PipelineConfig config : wanted) {
      Pipeline existing = pipelines().get(config.id());
      if (existing != null && existing.config().sameAs(config)) continue;
      changed = true;
      good &= existing == null ? create(config) : replace(existing, config);
    }
    if (changed && !pipelines().isEmpty()) {
      LOG.info("Pipelines running", ":count", names(true).size(), ":running_pipelines", names(true), ":non_running_pipelines", names(false));
    }
    return good;
  }

  private List<Object> names(boolean running) {
    return pipelines().values().stream().filter(pipeline -> pipeline.running() == running).map(pipeline -> (Object) Inspect.raw(":" + pipeline.config().id())).toList();
  }

  private boolean create(PipelineConfig config) {
    Pipeline pipeline;
    try {
      pipeline = new Pipeline(config, surroundings(config.id(), settings, home));
    } catch (ConfigError wrong) {
      LOG.error("Failed to execute action", ":action", Inspect.raw("LogStash::PipelineAction::Create/pipeline_id:" + config.id()), ":exception", wrong.kind(),
          ":message", wrong.getMessage(), ":backtrace", List.of());
      return false;
    }
    boolean started = pipeline.start();
    if (started) keep(pipeline);
    else LOG.error("Failed to execute action", ":id", Inspect.raw(":" + config.id()), ":action_type", Inspect.raw("LogStash::ConvergeResult::FailedAction"), ":message",
        "Could not execute action: PipelineAction::Create<" + config.id() + ">, action_result: false", ":backtrace", null);
    return started;
  }

  private synchronized void keep(Pipeline pipeline) {
    pipelines.put(pipeline.config().id(), pipeline);
  }

  /** The running pipeline goes on unless the new configuration compiles. */
  private boolean replace(Pipeline existing, PipelineConfig config) throws InterruptedException {
    Reloads record = reloads(config.id());
    Pipeline fresh;
    try {
      fresh = new Pipeline(config, surroundings(config.id(), settings, home));
    } catch (ConfigError wrong) {
      LOG.error("Failed to execute action", ":id", Inspect.raw(":" + config.id()), ":action_type", Inspect.raw("LogStash::ConvergeResult::FailedAction"), ":message",
          wrong.getMessage(), ":backtrace", List.of());
      record.failures++;
      record.lastFailure = Instant.now();
      record.lastError = wrong.getMessage();
      return false;
    }
    Log.of("logstash.pipelineaction.reload").info("Reloading pipeline", "pipeline.id", Inspect.raw(":" + config.id()));
    existing.stop();
    boolean started = fresh.start();
    keep(fresh);
    if (started) {
      record.successes++;
      record.lastSuccess = Instant.now();
    } else {
      record.failures++;
      record.lastFailure = Instant.now();
    }
    return started;
  }
}
