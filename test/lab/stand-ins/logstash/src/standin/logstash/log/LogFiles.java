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
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;

/** Where log lines go: standard output and <path.logs>/logstash-plain.log, rolled daily and at 100 MB, the last 30 kept. */
public final class LogFiles {
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss,SSS");
  private static final long ROLL_AT = 100L * 1024 * 1024;
  private static final int KEPT = 30;

  private static final PrintStream CONSOLE = System.out;
  private static Log.Level threshold = Log.Level.ERROR;
  private static Path folder;
  private static OutputStream file;
  private static long size;
  private static LocalDate day;

  private LogFiles() {}

  /** Without a log4j2.properties the product logs errors to the console only. */
  public static synchronized void configure(Log.Level level, Path logs) throws IOException {
    threshold = level;
    folder = logs;
    Files.createDirectories(logs);
    open();
  }

  public static boolean enabled(Log.Level level) {
    return level.compareTo(threshold) >= 0;
  }

  public static synchronized void level(Log.Level level) {
    threshold = level;
  }

  static synchronized void write(Log.Level level, String logger, String pipeline, String plugin, String message) {
    LocalDateTime now = LocalDateTime.now();
    String line = String.format("[%s][%-5s][%-25s]%s%s %s%n", TIME.format(now), level, logger,
        pipeline == null ? "" : "[" + pipeline + "]", plugin == null ? "" : "[" + plugin + "]", message);
    CONSOLE.print(line);
    CONSOLE.flush();
    if (file == null) return;
    byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
    try {
      if (size + bytes.length > ROLL_AT || !now.toLocalDate().equals(day)) roll();
      file.write(bytes);
      size += bytes.length;
    } catch (IOException full) {
      // A full disk must not stop the pipeline; the console still has the line.
    }
  }

  private static void open() throws IOException {
    Path path = folder.resolve("logstash-plain.log");
    file = Files.newOutputStream(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    size = Files.size(path);
    day = size == 0 ? LocalDate.now() : LocalDate.ofInstant(Files.getLastModifiedTime(path).toInstant(), java.time.ZoneId.systemDefault());
  }

  private static void roll() throws IOException {
    file.close();
    Path current = folder.resolve("logstash-plain.log");
    Path rolled = null;
    for (int i = 1; rolled == null || Files.exists(rolled); i++) rolled = folder.resolve("logstash-plain-" + day + "-" + i + ".log.gz");
    try (InputStream in = Files.newInputStream(current); OutputStream out = new GZIPOutputStream(Files.newOutputStream(rolled))) {
      in.transferTo(out);
    }
    Files.delete(current);
    prune();
    open();
    day = LocalDate.now();
  }

  private static void prune() throws IOException {
    List<Path> old;
    try (Stream<Path> all = Files.list(folder)) {
      old = all.filter(path -> path.getFileName().toString().matches("logstash-plain-.*\\.log\\.gz"))
          .sorted(Comparator.comparing((Path path) -> path.toFile().lastModified()).reversed()).skip(KEPT).toList();
    }
    for (Path path : old) Files.deleteIfExists(path);
  }
}
