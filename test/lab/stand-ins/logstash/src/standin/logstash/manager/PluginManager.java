package standin.logstash.manager;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * bin/logstash-plugin. What the product fetches from a gem server, this takes from packs that came with the archive
 * (vendor/stand-in-packs), laid out like the product's own offline packs.
 */
public final class PluginManager {
  private static final class Failed extends Exception {
    private static final long serialVersionUID = 1;

    Failed(String message) {
      super(message);
    }
  }

  private static final Pattern GEM = Pattern.compile("logstash/(dependencies/)?((.+?)-(\\d[\\w.]*?)(-java)?)\\.gem");

  private final Path home;
  private final Gems gems;

  private PluginManager(Path home) {
    this.home = home;
    this.gems = new Gems(home);
  }

  public static void main(String[] arguments) throws IOException {
    PluginManager manager = new PluginManager(Path.of(System.getenv("LOGSTASH_HOME")));
    try {
      manager.run(new ArrayList<>(List.of(arguments)));
    } catch (Failed failed) {
      System.err.println("ERROR: " + failed.getMessage());
      System.exit(1);
    }
  }

  private void run(List<String> arguments) throws IOException, Failed {
    String command = arguments.isEmpty() ? "--help" : arguments.remove(0);
    switch (command) {
      case "list" -> list(arguments);
      case "install" -> install(arguments);
      case "remove", "uninstall" -> remove(arguments);
      case "prepare-offline-pack" -> pack(arguments);
      case "-h", "--help" -> System.out.println("Usage:\n    bin/logstash-plugin [OPTIONS] SUBCOMMAND [ARG] ...\n\nSubcommands:\n    list\n    install\n    remove\n    prepare-offline-pack");
      default -> throw new Failed("No such sub-command '" + command + "'\n\nSee: 'bin/logstash-plugin --help'");
    }
  }

  private void list(List<String> arguments) throws Failed {
    boolean verbose = arguments.remove("--verbose");
    arguments.removeIf(argument -> argument.startsWith("--"));
    List<Gems.Gem> found = gems.plugins().stream().filter(gem -> arguments.isEmpty() || gem.name().contains(arguments.get(0))).toList();
    if (found.isEmpty()) throw new Failed("No plugins found");
    for (Gems.Gem gem : found) System.out.println(verbose ? gem.name() + " (" + gem.version() + ")" : gem.name());
  }

  private void install(List<String> arguments) throws IOException, Failed {
    int version = arguments.indexOf("--version");
    String wanted = version >= 0 && version + 1 < arguments.size() ? arguments.remove(version + 1) : null;
    arguments.removeIf(argument -> argument.startsWith("--"));
    if (arguments.isEmpty()) throw new Failed("a plugin must be named: the stand-in has no development dependencies");
    for (String plugin : arguments) {
      if (plugin.startsWith("file://")) installPack(plugin);
      else installNamed(plugin, wanted);
    }
  }

  private void installPack(String url) throws IOException, Failed {
    Path file = Path.of(url.substring("file://".length()));
    if (!Files.isRegularFile(file)) throw new Failed("Something went wrong when installing " + url + ", message: no such file " + file);
    System.out.println("Installing file: " + file);
    unpack(file, url);
    System.out.println("Install successful");
  }

  /** A null version is the newest that there is. */
  private void installNamed(String plugin, String version) throws IOException, Failed {
    System.out.println("Validating " + plugin);
    Path pack = home.resolve("vendor/stand-in-packs/" + plugin + ".zip");
    if (!plugin.matches("[\\w-]+") || !Files.isRegularFile(pack)) {
      System.out.println("Plugin " + plugin + " does not exist");
      throw new Failed("Installation aborted, verification failed for " + plugin);
    }
    if (version != null && !holds(pack, plugin, version)) {
      System.out.println("Plugin " + plugin + " version " + version + " does not exist");
      throw new Failed("Installation aborted, verification failed for " + plugin + " " + version);
    }
    System.out.println("Installing " + plugin);
    unpack(pack, plugin);
    System.out.println("Installation successful");
  }

  private static boolean holds(Path pack, String plugin, String version) throws IOException {
    try (ZipFile zip = new ZipFile(pack.toFile())) {
      return zip.getEntry("logstash/" + plugin + "-" + version + ".gem") != null;
    }
  }

  /** Dependencies come first, so that a plugin that is there is complete. */
  private void unpack(Path pack, String name) throws IOException, Failed {
    try (ZipFile zip = new ZipFile(pack.toFile())) {
      List<? extends ZipEntry> entries = zip.stream().filter(entry -> GEM.matcher(entry.getName()).matches())
          .sorted(Comparator.comparing((ZipEntry entry) -> !entry.getName().contains("/dependencies/"))).toList();
      if (entries.isEmpty()) throw new Failed("Invalid pack for: " + name + ", reason: The pack must contains at least one plugin");
      for (ZipEntry entry : entries) {
        Matcher gem = GEM.matcher(entry.getName());
        gem.matches();
        try (InputStream in = zip.getInputStream(entry)) {
          unpackGem(in.readAllBytes(), gem.group(2));
        }
        if (gem.group(1) == null) gems.add(gem.group(3));
      }
    }
  }

  private void unpackGem(byte[] gem, String fullName) throws IOException, Failed {
    Path folder = gems.bundle().resolve("gems").resolve(fullName);
    Map<String, byte[]> inside = new LinkedHashMap<>();
    Tar.read(new ByteArrayInputStream(gem), inside::put);
    if (!inside.containsKey("data.tar.gz")) throw new Failed("Something went wrong when installing " + fullName + ", message: package is no gem");
    delete(folder);
    Tar.read(new GZIPInputStream(new ByteArrayInputStream(inside.get("data.tar.gz"))), (name, content) -> {
      Path file = folder.resolve(name).normalize();
      if (!file.startsWith(folder)) throw new IOException("the gem " + fullName + " holds a file outside itself: " + name);
      Files.createDirectories(file.getParent());
      Files.write(file, content);
    });
    Path cache = Files.createDirectories(gems.bundle().resolve("cache"));
    Files.write(cache.resolve(fullName + ".gem"), gem);
  }

  private static void delete(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) return;
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
    }
  }

  private Gems.Gem plugin(String name) throws Failed {
    return gems.plugins().stream().filter(gem -> gem.name().equals(name)).findFirst()
        .orElseThrow(() -> new Failed("This plugin has not been previously installed"));
  }

  private void remove(List<String> arguments) throws IOException, Failed {
    for (String name : arguments) {
      Gems.Gem gem = plugin(name);
      gems.drop(name);
      delete(gem.folder());
      Files.deleteIfExists(gems.bundle().resolve("cache").resolve(gem.folder().getFileName() + ".gem"));
      System.out.println("Successfully removed " + name);
    }
  }

  private void pack(List<String> arguments) throws IOException, Failed {
    boolean overwrite = arguments.remove("--overwrite");
    int at = arguments.indexOf("--output");
    Path output = Path.of("logstash-offline-plugins-7.10.2.zip");
    if (at >= 0 && at + 1 < arguments.size()) {
      output = Path.of(arguments.remove(at + 1));
      arguments.remove(at);
    }
    if (arguments.isEmpty()) throw new Failed("You need to specify at least one plugin to create a pack.");
    if (Files.isDirectory(output)) throw new Failed("Package creation cancelled: The specified output is a directory, you must specify a filename with a zip extension, provided output: " + output + ".");
    if (Files.exists(output) && !overwrite)
      throw new Failed("Package creation cancelled: Output file destination " + output + " already exist, if you want to overwrite it use `--overwrite`.");
    Files.deleteIfExists(output);
    Map<String, byte[]> entries = new LinkedHashMap<>();
    for (String name : arguments) gather(plugin(name), entries);
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(output))) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        zip.putNextEntry(new ZipEntry(entry.getKey()));
        zip.write(entry.getValue());
      }
    }
    System.out.println("Offline package created at: " + output + "\n\nYou can install it with this command `bin/logstash-plugin install file://" + output.toAbsolutePath() + "`");
  }

  /** The plugin's gem, and every kept gem that no plugin is: those are dependencies. */
  private void gather(Gems.Gem plugin, Map<String, byte[]> entries) throws IOException, Failed {
    String name = plugin.folder().getFileName() + ".gem";
    Path cache = gems.bundle().resolve("cache");
    if (!Files.isRegularFile(cache.resolve(name))) throw new Failed("Cannot create a pack of " + plugin.name() + ": its gem came with the archive and was not kept");
    entries.put("logstash/" + name, Files.readAllBytes(cache.resolve(name)));
    List<String> plugins = gems.plugins().stream().map(gem -> gem.folder().getFileName().toString()).toList();
    try (Stream<Path> kept = Files.list(cache)) {
      for (Path gem : kept.sorted().toList()) {
        String file = gem.getFileName().toString();
        if (!plugins.contains(file.replaceAll("\\.gem$", ""))) entries.put("logstash/dependencies/" + file, Files.readAllBytes(gem));
      }
    }
  }
}
