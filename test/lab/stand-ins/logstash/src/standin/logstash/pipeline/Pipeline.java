package standin.logstash.pipeline;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import standin.logstash.config.Ast;
import standin.logstash.config.ConfigError;
import standin.logstash.config.ConfigParser;
import standin.logstash.event.Event;
import standin.logstash.log.Inspect;
import standin.logstash.log.Log;
import standin.logstash.plugin.Filter;
import standin.logstash.plugin.Input;
import standin.logstash.plugin.Output;
import standin.logstash.plugin.Plugin;
import standin.logstash.plugin.Registry;

/** Inputs, each in a thread, fill a bounded queue; workers take batches from it through the filters to the outputs. */
public final class Pipeline {
  private static final Log LOG = Log.of("logstash.javapipeline");
  private static final Log WATCHER = Log.of("org.logstash.execution.ShutdownWatcherExt");
  private static final int STALLED_AFTER = 3;

  private final PipelineConfig config;
  private final String ephemeralId = UUID.randomUUID().toString();
  private final List<Input> inputs = new ArrayList<>();
  private final List<Filter> filters = new ArrayList<>();
  private final List<Output> outputs = new ArrayList<>();
  private final Step filtering;
  private final Step delivering;
  private final Plugin.Counters counters = new Plugin.Counters();
  private final BlockingQueue<Event> queue;
  private final AtomicInteger inFlight = new AtomicInteger();
  private final List<Thread> inputThreads = new ArrayList<>();
  private final List<Thread> workers = new ArrayList<>();
  private final CountDownLatch finished = new CountDownLatch(1);
  private volatile boolean inputsDone;
  private volatile boolean stopping;

  /** Compiles the configuration and makes its plugins, starting nothing. Throws ConfigError. */
  public Pipeline(PipelineConfig config, Plugin.Surroundings surroundings) {
    this.config = config;
    Registry registry = new Registry(surroundings);
    Ast.Config parsed = ConfigParser.parse(config.text());
    List<Ast.Statement> filterBody = new ArrayList<>();
    List<Ast.Statement> outputBody = new ArrayList<>();
    try {
      for (Ast.Section section : parsed.sections()) {
        switch (section.type()) {
          case "input" -> section.body().forEach(statement -> inputs.add(registry.input(unconditional(statement))));
          case "filter" -> filterBody.addAll(section.body());
          default -> outputBody.addAll(section.body());
        }
      }
      filtering = Step.of(filterBody, plugin -> Step.of(kept(registry.filter(plugin), filters)));
      delivering = Step.of(outputBody, plugin -> Step.of(kept(registry.output(plugin), outputs)));
    } catch (IllegalArgumentException undefined) {
      throw ConfigError.plugins(undefined.getMessage());
    }
    queue = new ArrayBlockingQueue<>(config.workers() * config.batchSize());
  }

  private static Ast.Plugin unconditional(Ast.Statement statement) {
    if (statement instanceof Ast.Plugin plugin) return plugin;
    throw ConfigError.syntax("Unexpected conditional in the input section: inputs cannot depend on events");
  }

  private static <T> T kept(T plugin, List<T> list) {
    list.add(plugin);
    return plugin;
  }

  public PipelineConfig config() {
    return config;
  }

  public String ephemeralId() {
    return ephemeralId;
  }

  public List<Input> inputs() {
    return inputs;
  }

  public List<Filter> filters() {
    return filters;
  }

  public List<Output> outputs() {
    return outputs;
  }

  /** {@code in}: events the inputs gave; {@code out}: events that went through the outputs. */
  public Plugin.Counters counters() {
    return counters;
  }

  public boolean running() {
    return finished.getCount() > 0;
  }

  /** False, with the reason logged, where a plugin refuses to start. */
  public boolean start() {
    long begin = System.nanoTime();
    Log.enter(config.id(), null);
    try {
      for (Plugin plugin : plugins()) plugin.register();
      LOG.info("Starting pipeline", ":pipeline_id", config.id(), "pipeline.workers", config.workers(), "pipeline.batch.size", config.batchSize(), "pipeline.batch.delay",
          config.batchDelay(), "pipeline.max_inflight", config.workers() * config.batchSize(), "pipeline.sources", config.sources(), ":thread",
          "#<Thread:0x" + Integer.toHexString(hashCode()) + " run>");
      LOG.info("Pipeline Java execution initialization time", "seconds", Math.round((System.nanoTime() - begin) / 1e7) / 100.0);
      startThreads();
      LOG.info("Pipeline started", "pipeline.id", config.id());
      return true;
    } catch (Exception wrong) {
      LOG.error("Pipeline error", ":pipeline_id", config.id(), ":exception", Inspect.raw("#<" + kind(wrong) + ": " + wrong.getMessage() + ">"), ":backtrace",
          List.of(wrong.getStackTrace()).stream().map(StackTraceElement::toString).toList(), "pipeline.sources", config.sources());
      close();
      LOG.info("Pipeline terminated", "pipeline.id", config.id());
      finished.countDown();
      return false;
    } finally {
      Log.leave();
    }
  }

  private static String kind(Exception wrong) {
    return wrong instanceof ConfigError error ? error.kind() : wrong.getClass().getName();
  }

  private List<Plugin> plugins() {
    List<Plugin> all = new ArrayList<>(outputs);
    all.addAll(filters);
    all.addAll(inputs);
    return all;
  }

  private void startThreads() {
    for (int i = 0; i < config.workers(); i++) workers.add(new Thread(this::work, "[" + config.id() + "]>worker" + i));
    for (Input input : inputs) inputThreads.add(new Thread(() -> feed(input), "[" + config.id() + "]<" + input.type().name()));
    workers.forEach(Thread::start);
    inputThreads.forEach(Thread::start);
    new Thread(this::finish, "[" + config.id() + "]-pipeline-manager").start();
  }

  private void feed(Input input) {
    Log.enter(config.id(), input.id());
    while (!stopping) {
      try {
        input.run(event -> take(input, event));
        return;
      } catch (InterruptedException stopped) {
        return;
      } catch (Exception | LinkageError wrong) {
        if (stopping) return;
        LOG.error("A plugin had an unrecoverable error. Will restart this plugin.\n  Pipeline_id:" + config.id() + "\n  Plugin: <LogStash::Inputs::" + input.type().name()
            + " id=>\"" + input.id() + "\">\n  Error: " + wrong.getMessage() + "\n  Exception: " + wrong.getClass().getName() + "\n  Stack: " + Log.stackTrace(wrong));
        pause();
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(1000);
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    }
  }

  private void take(Input input, Event event) throws InterruptedException {
    long start = System.nanoTime();
    queue.put(event);
    input.counters().nanos.add(System.nanoTime() - start);
    input.counters().out.increment();
    counters.in.increment();
  }

  private void work() {
    Log.enter(config.id(), null);
    try {
      for (;;) {
        List<Event> batch = batch();
        if (batch.isEmpty()) {
          if (inputsDone && queue.isEmpty()) return;
          continue;
        }
        long start = System.nanoTime();
        inFlight.addAndGet(batch.size());
        filtering.run(batch);
        batch.removeIf(Event::cancelled);
        delivering.run(batch);
        inFlight.addAndGet(-batch.size());
        counters.nanos.add(System.nanoTime() - start);
        counters.out.add(batch.size());
      }
    } catch (InterruptedException killed) {
      return;
    } catch (RuntimeException | LinkageError wrong) {
      LOG.error("Pipeline worker error, the pipeline will be stopped", ":pipeline_id", config.id(), ":error", String.valueOf(wrong.getMessage()), ":exception",
          Inspect.raw(wrong.getClass().getName()), ":backtrace", List.of(wrong.getStackTrace()).stream().map(StackTraceElement::toString).toList());
      stopInputs();
      queue.clear();
    }
  }

  /** Waits a while for a first event, and then as long as the configured delay for more. */
  private List<Event> batch() throws InterruptedException {
    List<Event> batch = new ArrayList<>();
    Event first = queue.poll(250, TimeUnit.MILLISECONDS);
    if (first == null) return batch;
    batch.add(first);
    long deadline = System.nanoTime() + config.batchDelay() * 1_000_000L;
    while (batch.size() < config.batchSize()) {
      queue.drainTo(batch, config.batchSize() - batch.size());
      if (batch.size() == config.batchSize()) break;
      Event next = queue.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (next == null) break;
      batch.add(next);
    }
    return batch;
  }

  /** Waits for the inputs to end, lets the workers empty the queue and closes the plugins. */
  private void finish() {
    Log.enter(config.id(), null);
    try {
      for (Thread thread : inputThreads) thread.join();
      inputsDone = true;
      for (Thread thread : workers) thread.join();
    } catch (InterruptedException killed) {
      Thread.currentThread().interrupt();
    }
    close();
    LOG.info("Pipeline terminated", "pipeline.id", config.id());
    finished.countDown();
  }

  private void close() {
    plugins().forEach(Plugin::close);
  }

  private void stopInputs() {
    stopping = true;
    inputs.forEach(Input::stop);
    for (int i = 0; i < inputThreads.size(); i++) if (inputs.get(i).interruptible()) inputThreads.get(i).interrupt();
  }

  /** Returns when every event that the inputs gave is delivered, however long that takes; says regularly what it waits for. */
  public void stop() throws InterruptedException {
    stopInputs();
    for (int cycle = 1; !finished.await(5, TimeUnit.SECONDS); cycle++) {
      Log.enter(config.id(), null);
      List<Object> stalling = workers.stream().filter(Thread::isAlive).map(thread -> (Object) Map.of("name", thread.getName())).toList();
      WATCHER.warn(Inspect.of(Log.pairs("inflight_count", inFlight.get(), "stalling_threads_info", Log.pairs("other", stalling))));
      if (cycle == STALLED_AFTER)
        WATCHER.error("The shutdown process appears to be stalled due to busy or blocked plugins. Check the logs for more information.");
      Log.leave();
    }
  }

  public boolean await(long millis) throws InterruptedException {
    return finished.await(millis, TimeUnit.MILLISECONDS);
  }

  public int queued() {
    return queue.size();
  }
}
