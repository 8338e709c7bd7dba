package standin.logstash.input;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.Set;
import standin.logstash.config.ConfigError;
import standin.logstash.event.Event;
import standin.logstash.log.Log;
import standin.logstash.plugin.Input;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/** Follows files that match a pattern, line by line, and remembers how far it came. */
public final class FileInput extends Input {
  public static final PluginType TYPE = PluginType.input("file", "4.2.3", FileInput::new, Option.array("path").asRequired(),
      Option.choice("start_position", "end", "beginning", "end"), Option.string("sincedb_path"), Option.choice("mode", "tail", "tail"),
      Option.string("delimiter", "\n"), Option.of("stat_interval", Option.Type.ANY, 1), Option.number("discover_interval", 15), Option.array("exclude"),
      Option.of("sincedb_write_interval", Option.Type.ANY, 15), Option.of("close_older", Option.Type.ANY, 3600), Option.of("ignore_older", Option.Type.ANY, null),
      Option.number("max_open_files", 4095), Option.of("sincedb_clean_after", Option.Type.ANY, 14));
  private static final int CHUNK = 32 * 1024;

  /** One followed file. */
  private static final class Followed {
    final Path path;
    String inode;
    long position;

    Followed(Path path, String inode, long position) {
      this.path = path;
      this.inode = inode;
      this.position = position;
    }
  }

  private final Map<Path, Followed> followed = new LinkedHashMap<>();
  private Sincedb sincedb;
  private String host;

  @Override public void register() throws Exception {
    List<String> paths = options().strings("path");
    for (String path : paths)
      if (!path.startsWith("/")) throw new ConfigError("ArgumentError", "File paths must be absolute, relative path specified: " + path);
    String given = options().string("sincedb_path");
    if (given != null && Files.isDirectory(Path.of(given)))
      throw new ConfigError("ArgumentError", "The \"sincedb_path\" argument must point to a file, received a directory: \"" + given + "\"");
    Path file = given != null ? Path.of(given) : generated(paths);
    if (given == null) log().info("No sincedb_path set, generating one based on the \"path\" setting", ":sincedb_path", file.toString(), ":path", paths);
    sincedb = new Sincedb(file);
    host = Hosts.name();
  }

  private Path generated(List<String> paths) throws Exception {
    byte[] hash = MessageDigest.getInstance("MD5").digest(String.join(",", paths).getBytes(StandardCharsets.UTF_8));
    Path folder = Files.createDirectories(surroundings().data().resolve("plugins/inputs/file"));
    return folder.resolve(".sincedb_" + HexFormat.of().formatHex(hash));
  }

  @Override public void run(Sink sink) throws Exception {
    Log.of("filewatch.observingtail").info("START, creating Discoverer, Watch with file and sincedb collections");
    boolean first = true;
    long discovered = 0;
    long written = System.nanoTime();
    try {
      while (!stopped()) {
        if (first || seconds(discovered) >= options().number("discover_interval")) {
          discover(first);
          discovered = System.nanoTime();
          first = false;
        }
        for (Followed file : List.copyOf(followed.values())) follow(file, sink);
        if (seconds(written) >= Durations.seconds(options().any("sincedb_write_interval"))) {
          sincedb.write();
          written = System.nanoTime();
        }
        Thread.sleep(Math.round(Durations.seconds(options().any("stat_interval")) * 1000));
      }
    } finally {
      sincedb.write();
    }
  }

  private static double seconds(long since) {
    return (System.nanoTime() - since) / 1e9;
  }

  /** A file that appears while this runs is read from its beginning, whatever start_position says: nothing of it was there before. */
  private void discover(boolean first) throws IOException {
    for (Path path : matching()) {
      if (followed.containsKey(path)) continue;
      String inode = inode(path);
      long start = first && options().string("start_position").equals("end") ? Files.size(path) : 0;
      followed.put(path, new Followed(path, inode, sincedb.position(inode).orElse(start)));
    }
  }

  private Set<Path> matching() throws IOException {
    Set<Path> found = new TreeSet<>();
    for (String pattern : options().strings("path")) {
      Path path = Path.of(pattern);
      if (!pattern.matches(".*[*?\\[{].*")) {
        if (Files.isRegularFile(path)) found.add(path);
        continue;
      }
      if (!Files.isDirectory(path.getParent())) continue;
      try (DirectoryStream<Path> files = Files.newDirectoryStream(path.getParent(), path.getFileName().toString())) {
        for (Path file : files) if (Files.isRegularFile(file)) found.add(file);
      }
    }
    for (String exclude : options().strings("exclude"))
      found.removeIf(path -> path.getFileSystem().getPathMatcher("glob:" + exclude).matches(path.getFileName()));
    return found;
  }

  private static String inode(Path path) throws IOException {
    return String.valueOf(Files.getAttribute(path, "unix:ino"));
  }

  private void follow(Followed file, Sink sink) throws IOException, InterruptedException {
    if (!Files.isRegularFile(file.path)) {
      followed.remove(file.path);
      return;
    }
    String inode = inode(file.path);
    if (!inode.equals(file.inode)) {
      file.inode = inode;
      file.position = sincedb.position(inode).orElse(0L);
    }
    if (Files.size(file.path) < file.position) file.position = 0;
    if (Files.size(file.path) == file.position) return;
    byte[] delimiter = options().string("delimiter").getBytes(StandardCharsets.UTF_8);
    try (RandomAccessFile in = new RandomAccessFile(file.path.toFile(), "r")) {
      byte[] buffer = new byte[CHUNK];
      while (!stopped()) {
        in.seek(file.position);
        int read = in.read(buffer);
        int end = read <= 0 ? 0 : lines(buffer, read, delimiter, file, sink);
        if (end > 0) continue;
        if (read < buffer.length) return;
        buffer = new byte[buffer.length * 2];
      }
    }
  }

  /** Emits the complete lines; how many bytes they were. An incomplete line waits for its end. */
  private int lines(byte[] buffer, int length, byte[] delimiter, Followed file, Sink sink) throws InterruptedException {
    int start = 0;
    for (int i = 0; i + delimiter.length <= length && !stopped(); i++) {
      if (!java.util.Arrays.equals(buffer, i, i + delimiter.length, delimiter, 0, delimiter.length)) continue;
      emit(new String(buffer, start, i - start, StandardCharsets.UTF_8), file.path, sink);
      file.position += i + delimiter.length - start;
      sincedb.position(file.inode, file.position, file.path);
      start = i + delimiter.length;
      i = start - 1;
    }
    return start;
  }

  private void emit(String line, Path path, Sink sink) throws InterruptedException {
    List<Event> events = new ArrayList<>();
    codec().decode(line, events::add);
    for (Event event : events) {
      if (event.get("path") == null) event.set("path", path.toString());
      if (event.get("host") == null) event.set("host", host);
      sink.put(decorate(event));
    }
  }
}
