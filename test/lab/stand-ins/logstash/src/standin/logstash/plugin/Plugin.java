package standin.logstash.plugin;

import java.nio.file.Path;
import java.util.concurrent.atomic.LongAdder;
import standin.logstash.log.Log;

/** What every input, filter, output and codec has. */
public abstract class Plugin {
  /** What a plugin knows of the process it runs in. */
  public record Surroundings(String pipeline, Path home, Path data) {}

  public static final class Counters {
    public final LongAdder in = new LongAdder();
    public final LongAdder out = new LongAdder();
    public final LongAdder nanos = new LongAdder();
  }

  private PluginType type;
  private Options options;
  private String id;
  private Log log;
  private Surroundings surroundings;
  private final Counters counters = new Counters();

  final void set(PluginType ofType, Options with, String named, Surroundings around) {
    type = ofType;
    options = with;
    id = named;
    log = Log.of(ofType.logger());
    surroundings = around;
  }

  public final PluginType type() {
    return type;
  }

  public final String id() {
    return id;
  }

  public final Counters counters() {
    return counters;
  }

  protected final Options options() {
    return options;
  }

  protected final Log log() {
    return log;
  }

  protected final Surroundings surroundings() {
    return surroundings;
  }

  /** Before the first event; what it throws stops the pipeline from starting. */
  public void register() throws Exception {}

  public void close() {}
}
