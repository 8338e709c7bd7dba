package standin.logstash;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The command line's flags, each of which is a setting. */
final class CommandLine {
  private static final Map<String, String> WITH_VALUE = new LinkedHashMap<>();
  private static final Map<String, String> ALONE = new LinkedHashMap<>();

  static {
    for (String name : List.of("node.name", "path.config", "config.string", "path.settings", "path.data", "path.logs", "path.plugins", "pipeline.id", "http.host", "http.port",
        "log.level", "log.format", "pipeline.workers", "pipeline.batch.size", "pipeline.batch.delay", "pipeline.ordered", "config.reload.interval"))
      WITH_VALUE.put("--" + name, name);
    Map.of("-f", "path.config", "-e", "config.string", "-w", "pipeline.workers", "-b", "pipeline.batch.size", "-u", "pipeline.batch.delay", "-p", "path.plugins",
        "-l", "path.logs", "-n", "node.name").forEach(WITH_VALUE::put);
    for (String name : List.of("config.test_and_exit", "config.reload.automatic", "config.debug", "pipeline.unsafe_shutdown", "http.enabled")) ALONE.put("--" + name, name);
    ALONE.put("-t", "config.test_and_exit");
    ALONE.put("-r", "config.reload.automatic");
    ALONE.put("-h", "help");
    ALONE.put("--help", "help");
  }

  static final class Usage extends Exception {
    private static final long serialVersionUID = 1;

    Usage(String message) {
      super(message);
    }
  }

  private CommandLine() {}

  static Map<String, Object> parse(String[] arguments) throws Usage {
    Map<String, Object> found = new LinkedHashMap<>();
    List<String> rest = new ArrayList<>(List.of(arguments));
    while (!rest.isEmpty()) {
      String flag = rest.remove(0);
      int equals = flag.startsWith("--") ? flag.indexOf('=') : -1;
      String name = equals < 0 ? flag : flag.substring(0, equals);
      if (WITH_VALUE.containsKey(name)) {
        if (equals < 0 && rest.isEmpty()) throw new Usage("option '" + name + "': no value provided");
        found.put(WITH_VALUE.get(name), equals < 0 ? rest.remove(0) : flag.substring(equals + 1));
      } else if (ALONE.containsKey(flag)) found.put(ALONE.get(flag), true);
      else if (flag.startsWith("--no-") && ALONE.containsKey("--" + flag.substring(5))) found.put(ALONE.get("--" + flag.substring(5)), false);
      else if (flag.startsWith("-")) throw new Usage("Unrecognised option '" + flag + "'");
      else throw new Usage("Unknown command '" + flag + "'");
    }
    return found;
  }

  static String help() {
    StringBuilder out = new StringBuilder("Usage:\n    bin/logstash [OPTIONS]\n\nOptions:\n");
    WITH_VALUE.forEach((flag, setting) -> out.append("    ").append(flag).append(" VALUE").append(flag.equals("--" + setting) ? "" : "  (" + setting + ")").append('\n'));
    ALONE.forEach((flag, setting) -> out.append("    ").append(flag).append(flag.equals("--" + setting) ? "" : "  (" + setting + ")").append('\n'));
    return out.append("    -V, --version\n").toString();
  }
}
