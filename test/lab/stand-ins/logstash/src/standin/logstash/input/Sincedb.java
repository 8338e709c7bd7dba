package standin.logstash.input;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** How far each file was read, by inode: {@code inode major minor position time path} a line. */
final class Sincedb {
  private record Entry(long position, double time, String path) {}

  private final Path file;
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private boolean changed;

  Sincedb(Path file) throws IOException {
    this.file = file;
    if (!Files.isRegularFile(file)) return;
    for (String line : Files.readAllLines(file)) {
      String[] part = line.split(" ", 6);
      if (part.length >= 4)
        entries.put(part[0], new Entry(Long.parseLong(part[3]), part.length > 4 ? Double.parseDouble(part[4]) : 0, part.length > 5 ? part[5] : ""));
    }
  }

  Optional<Long> position(String inode) {
    return Optional.ofNullable(entries.get(inode)).map(Entry::position);
  }

  void position(String inode, long position, Path path) {
    entries.put(inode, new Entry(position, System.currentTimeMillis() / 1000.0, path.toString()));
    changed = true;
  }

  /** Atomic for a regular file; /dev/null, which people name to keep nothing, is left alone. */
  void write() throws IOException {
    if (!changed || Files.exists(file) && !Files.isRegularFile(file)) return;
    StringBuilder out = new StringBuilder();
    entries.forEach((inode, entry) -> out.append(String.format(java.util.Locale.ROOT, "%s 0 0 %d %.6f %s%n", inode, entry.position(), entry.time(), entry.path())));
    Files.createDirectories(file.toAbsolutePath().getParent());
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.write(fresh, out.toString().getBytes(StandardCharsets.UTF_8));
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    changed = false;
  }
}
