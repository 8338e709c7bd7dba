package standin.logstash.manager;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The installed gems: a folder each below vendor/bundle, and a line of the Gemfile for each plugin. */
public final class Gems {
  /** {@code folder} has the version, and the platform where a gem has one. */
  public record Gem(String name, String version, Path folder) {}

  private static final Pattern FOLDER = Pattern.compile("(.+?)-(\\d[\\w.]*)(-java)?");

  private final Path home;

  public Gems(Path home) {
    this.home = home;
  }

  Path bundle() {
    return home.resolve("vendor/bundle/jruby/2.5.0");
  }

  Path gemfile() {
    return home.resolve("Gemfile");
  }

  public List<Gem> all() {
    Path gems = bundle().resolve("gems");
    if (!Files.isDirectory(gems)) return List.of();
    List<Gem> found = new ArrayList<>();
    try (Stream<Path> folders = Files.list(gems)) {
      folders.forEach(folder -> {
        Matcher matcher = FOLDER.matcher(folder.getFileName().toString());
        if (matcher.matches()) found.add(new Gem(matcher.group(1), matcher.group(2), folder));
      });
    } catch (IOException wrong) {
      throw new UncheckedIOException(wrong);
    }
    found.sort(Comparator.comparing(Gem::name));
    return found;
  }

  /** Those that the Gemfile names, which are the plugins. */
  public List<Gem> plugins() {
    List<String> named = named();
    return all().stream().filter(gem -> named.contains(gem.name())).toList();
  }

  public boolean installed(String name) {
    return plugins().stream().anyMatch(gem -> gem.name().equals(name));
  }

  private List<String> named() {
    try {
      List<String> names = new ArrayList<>();
      Matcher matcher = Pattern.compile("(?m)^gem \"([^\"]+)\"").matcher(Files.readString(gemfile()));
      while (matcher.find()) names.add(matcher.group(1));
      return names;
    } catch (IOException wrong) {
      throw new UncheckedIOException(wrong);
    }
  }

  void add(String name) throws IOException {
    if (named().contains(name)) return;
    String text = Files.readString(gemfile());
    Files.writeString(gemfile(), text + (text.endsWith("\n") ? "" : "\n") + "gem \"" + name + "\"\n");
  }

  void drop(String name) throws IOException {
    String text = Files.readString(gemfile());
    Files.writeString(gemfile(), text.replaceAll("(?m)^gem \"" + Pattern.quote(name) + "\".*\\n", ""));
  }
}
