package standin.logstash.log;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.Map;

/** A named logger. Lines carry the pipeline and the plugin that the current thread works for. */
public final class Log {
  public enum Level {
    TRACE, DEBUG, INFO, WARN, ERROR, FATAL
  }

  /** Inherited, so that a thread that a plugin starts (also one inside a client library) logs under the plugin's name. */
  private record Context(String pipeline, String plugin) {}

  private static final InheritableThreadLocal<Context> CONTEXT = new InheritableThreadLocal<>();

  private final String name;

  private Log(String name) {
    this.name = name;
  }

  public static Log of(String name) {
    return new Log(name);
  }

  public static void enter(String pipeline, String plugin) {
    CONTEXT.set(new Context(pipeline, plugin));
  }

  public static void leave() {
    CONTEXT.remove();
  }

  public boolean enabled(Level level) {
    return LogFiles.enabled(name, level);
  }

  public void debug(String message, Object... details) {
    write(Level.DEBUG, message, details);
  }

  public void info(String message, Object... details) {
    write(Level.INFO, message, details);
  }

  public void warn(String message, Object... details) {
    write(Level.WARN, message, details);
  }

  public void error(String message, Object... details) {
    write(Level.ERROR, message, details);
  }

  public void fatal(String message, Object... details) {
    write(Level.FATAL, message, details);
  }

  /** {@code details} are pairs of key and value; the product prints them after the message as a Ruby hash. */
  public void write(Level level, String message, Object... details) {
    if (!enabled(level)) return;
    Context context = CONTEXT.get();
    LogFiles.write(level, name, context == null ? null : context.pipeline(), context == null ? null : context.plugin(),
        details.length == 0 ? message : message + " " + Inspect.of(pairs(details)));
  }

  public static Map<String, Object> pairs(Object... details) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i + 1 < details.length; i += 2) map.put((String) details[i], details[i + 1]);
    return map;
  }

  public static String stackTrace(Throwable error) {
    StringWriter out = new StringWriter();
    error.printStackTrace(new PrintWriter(out));
    return out.toString().stripTrailing();
  }
}
