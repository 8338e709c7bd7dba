package standin.logstash;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import standin.logstash.api.Api;
import standin.logstash.config.ConfigError;
import standin.logstash.log.Inspect;
import standin.logstash.log.Log;
import standin.logstash.log.LogFiles;
import standin.logstash.log.LogRules;
import standin.logstash.pipeline.Agent;
import standin.logstash.pipeline.ConfigSource;
import standin.logstash.pipeline.Pipeline;
import standin.logstash.pipeline.PipelineConfig;
import sun.misc.Signal;

/**
 * The lab's stand-in for Logstash OSS 7.10.2: the same command line, configuration, messages, API and data formats, and real work on
 * real Kafka, JMX and Elasticsearch, by a program of ours.
 */
public final class Main {
  public static final String VERSION = "7.10.2";
  private static final Log RUNNER = Log.of("logstash.runner");

  private Main() {}

  public static void main(String[] arguments) throws Exception {
    Path home = Path.of(System.getenv().getOrDefault("LOGSTASH_HOME", "."));
    int code = start(arguments, home);
    if (code != 0) Log.of("org.logstash.Logstash").error("java.lang.IllegalStateException: Logstash stopped processing because of an error: (SystemExit) exit");
    System.out.flush();
    Runtime.getRuntime().halt(code);
  }

  private static int start(String[] arguments, Path home) throws IOException, InterruptedException {
    Settings settings = new Settings(home);
    Map<String, Object> flags;
    try {
      flags = CommandLine.parse(arguments);
    } catch (CommandLine.Usage wrong) {
      System.err.println("ERROR: " + wrong.getMessage() + "\n\nSee: 'bin/logstash --help'");
      return 1;
    }
    if (flags.containsKey("help")) {
      System.out.print(CommandLine.help());
      return 0;
    }
    try {
      configure(settings, flags);
    } catch (IllegalArgumentException wrong) {
      RUNNER.fatal("An unexpected error occurred!", ":error", Inspect.raw("#<ArgumentError: " + wrong.getMessage() + ">"), ":backtrace", List.of());
      return 1;
    }
    RUNNER.info("Starting Logstash", "logstash.version", VERSION, "jruby.version", "none: this is the lab's stand-in for Logstash OSS 7.10.2, on "
        + System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
    for (String folder : new String[] {"path.data", "path.queue", "path.dead_letter_queue"}) {
      if (!writable(settings, folder)) return 1;
    }
    return settings.flag("config.test_and_exit") ? test(settings, home) : run(settings, home);
  }

  private static void configure(Settings settings, Map<String, Object> flags) throws IOException {
    if (flags.containsKey("path.settings")) settings.set("path.settings", flags.get("path.settings"));
    Path folder = settings.path("path.settings");
    try {
      if (!settings.load(folder.resolve("logstash.yml")))
        System.err.println("WARNING: Could not find logstash.yml which is typically located in $LS_HOME/config or /etc/logstash."
            + " You can specify the path using --path.settings. Continuing using the defaults");
    } finally {
      // Logging is set up even for settings that stop the start, as far as they came.
      flags.forEach(settings::set);
      logging(settings, folder.resolve("log4j2.properties"));
    }
  }

  private static void logging(Settings settings, Path file) throws IOException {
    if (!Files.isReadable(file)) {
      System.out.println("Could not find log4j2 configuration at path " + file + ". Using default config which logs errors to the console");
      return;
    }
    System.out.println("Sending Logstash logs to " + settings.text("path.logs") + " which is now configured via log4j2.properties");
    LogFiles.configure(new LogRules(file, Log.Level.valueOf(settings.text("log.level").toUpperCase(Locale.ROOT)), settings.path("path.logs")));
  }

  private static boolean writable(Settings settings, String setting) throws IOException {
    if (settings.text(setting) == null) settings.set(setting, settings.path("path.data").resolve(setting.substring("path.".length())).toString());
    Path folder = settings.path(setting);
    String why = null;
    if (Files.exists(folder) && !Files.isDirectory(folder)) why = "It is not a directory.";
    else if (Files.isDirectory(folder) && !Files.isWritable(folder)) why = "It is not writable.";
    else if (!Files.isDirectory(folder)) {
      try {
        Log.of("logstash.setting.writabledirectory").info("Creating directory", ":setting", setting, ":path", folder.toString());
        Files.createDirectories(folder);
      } catch (IOException denied) {
        why = "It does not exist and I cannot create it.";
      }
    }
    if (why == null) return true;
    RUNNER.fatal("An unexpected error occurred!", ":error", Inspect.raw("#<ArgumentError: Path \"" + folder + "\" must be a writable directory. " + why + ">"), ":backtrace", List.of());
    return false;
  }

  /** Compiles every pipeline and starts none; needs no lock, so it can run beside a running process. */
  private static int test(Settings settings, Path home) throws IOException {
    try {
      List<PipelineConfig> configs = new ConfigSource(settings).fetch();
      if (configs.isEmpty()) throw ConfigError.syntax("Could not load the configuration file");
      for (PipelineConfig config : configs) new Pipeline(config, Agent.surroundings(config.id(), settings, home));
    } catch (ConfigError wrong) {
      RUNNER.fatal("The given configuration is invalid. Reason: " + wrong.getMessage());
      return 1;
    }
    System.out.println("Configuration OK");
    RUNNER.info("Using config.test_and_exit mode. Config Validation Result: OK. Exiting Logstash");
    return 0;
  }

  private static int run(Settings settings, Path home) throws IOException, InterruptedException {
    if (!DataLock.take(settings.path("path.data"))) {
      RUNNER.fatal("Logstash could not be started because there is already another instance using the configured data directory."
          + "  If you wish to run multiple instances, you must change the \"path.data\" setting.");
      return 1;
    }
    if (settings.text("path.config") != null || settings.text("config.string") != null)
      Log.of("logstash.config.source.multilocal").warn("Ignoring the 'pipelines.yml' file because modules or command line options are specified");
    Agent agent = new Agent(settings, home);
    Api api = new Api(agent);
    signals(agent);
    int code;
    try {
      code = agent.run(api::start);
    } catch (Api.NoPort taken) {
      RUNNER.fatal("An unexpected error occurred!", ":error", Inspect.raw("#<Errno::EADDRINUSE: Address already in use - " + taken.getMessage() + ">"), ":backtrace", List.of());
      return 1;
    }
    api.stop();
    RUNNER.info("Logstash shut down.");
    return code;
  }

  private static void signals(Agent agent) {
    Signal.handle(new Signal("TERM"), signal -> {
      RUNNER.warn("SIGTERM received. Shutting down.");
      agent.stop();
    });
    boolean[] once = new boolean[1];
    Signal.handle(new Signal("INT"), signal -> {
      if (once[0]) {
        RUNNER.fatal("SIGINT received. Terminating immediately..");
        Runtime.getRuntime().halt(1);
      }
      once[0] = true;
      RUNNER.warn("SIGINT received. Shutting down.");
      agent.stop();
    });
    Signal.handle(new Signal("HUP"), signal -> {
      RUNNER.warn("SIGHUP received.");
      agent.reload();
    });
  }
}
