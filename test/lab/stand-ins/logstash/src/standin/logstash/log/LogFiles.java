package standin.logstash.log;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;

/** Where log lines go: standard output and <path.logs>/logstash-plain.log, rolled and kept as the rules say. */
public final class LogFiles {
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss,SSS");
  /** Without a log4j2.properties the product logs errors to the console only. */
  private static final LogRules.Rule UNCONFIGURED = new LogRules.Rule(Log.Level.ERROR, true, false);
  private static final PrintStream CONSOLE = System.out;

  private static final ConcurrentMap<String, LogRules.Rule> KNOWN = new ConcurrentHashMap<>();
  private static volatile LogRules rules;
  private static OutputStream file;
  private static long size;
  private static LocalDate day;

  private LogFiles() {}

  public static synchronized void configure(LogRules from) throws IOException {
    rules = from;
    KNOWN.clear();
    if (from.file() != null) open();
  }

  private static LogRules.Rule rule(String logger) {
    LogRules known = rules;
    return known == null ? UNCONFIGURED : KNOWN.computeIfAbsent(logger, known::of);
  }

  static boolean enabled(String logger, Log.Level level) {
    return level.compareTo(rule(logger).level()) >= 0;
  }

  static synchronized void write(Log.Level level, String logger, String pipeline, String plugin, String message) {
    LocalDateTime now = LocalDateTime.now();
    String line = String.format("[%s][%-5s][%-25s]%s%s %s%n", TIME.format(now), level, logger,
        pipeline == null ? "" : "[" + pipeline + "]", plugin == null ? "" : "[" + plugin + "]", message);
    LogRules.Rule rule = rule(logger);
    if (rule.console()) {
      CONSOLE.print(line);
      CONSOLE.flush();
    }
    if (file == null || !rule.file()) return;
    byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
    try {
      if (size + bytes.length > rules.rollAt() || rules.daily() && !now.toLocalDate().equals(day)) roll();
      file.write(bytes);
      size += bytes.length;
    } catch (IOException full) {
      // A full disk must not stop the pipeline; the console still has the line.
    }
  }

  private static void open() throws IOException {
    Path path = rules.file();
    if (path.getParent() != null) Files.createDirectories(path.getParent());
    file = Files.newOutputStream(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    size = Files.size(path);
    day = size == 0 ? LocalDate.now() : LocalDate.ofInstant(Files.getLastModifiedTime(path).toInstant(), ZoneId.systemDefault());
  }

  private static void roll() throws IOException {
    file.close();
    Path current = rules.file();
    String base = current.getFileName().toString().replaceAll("\\.log$", "");
    Path rolled = null;
    for (int i = 1; rolled == null || Files.exists(rolled); i++) rolled = current.resolveSibling(base + "-" + day + "-" + i + ".log.gz");
    try (InputStream in = Files.newInputStream(current); OutputStream out = new GZIPOutputStream(Files.newOutputStream(rolled))) {
      in.transferTo(out);
    }
    Files.delete(current);
    prune(current.toAbsolutePath().getParent(), base);
    open();
    day = LocalDate.now();
  }

  private static void prune(Path folder, String base) throws IOException {
    List<Path> old;
    try (Stream<Path> all = Files.list(folder)) {
      old = all.filter(path -> path.getFileName().toString().startsWith(base + "-") && path.toString().endsWith(".log.gz"))
          .sorted(Comparator.comparing((Path path) -> path.toFile().lastModified()).reversed()).skip(rules.kept()).toList();
    }
    for (Path path : old) Files.deleteIfExists(path);
  }
}
