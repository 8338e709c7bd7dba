package standin.logstash.pipeline;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.Yaml;
import standin.logstash.Settings;
import standin.logstash.config.ConfigError;
import standin.logstash.config.Variables;
import standin.logstash.log.Log;

/** Where pipelines come from: -e, -f (a file, a folder or a pattern), else pipelines.yml. Read anew at each call. */
public final class ConfigSource {
  private static final Log LOG = Log.of("logstash.config.source.local.configpathloader");

  private final Settings settings;

  public ConfigSource(Settings settings) {
    this.settings = settings;
  }

  /** Throws ConfigError where no pipeline is found. */
  public List<PipelineConfig> fetch() throws IOException {
    if (settings.text("config.string") != null && settings.text("path.config") != null)
      throw ConfigError.syntax("Settings 'path.config' (-f) and 'config.string' (-e) can't be used simultaneously.");
    if (settings.text("config.string") != null) return List.of(config(settings.text("pipeline.id"), complete(settings.text("config.string")), List.of("config string"), Map.of()));
    if (settings.text("path.config") != null) {
      List<PipelineConfig> one = new ArrayList<>();
      fromPath(settings.text("pipeline.id"), settings.text("path.config"), Map.of(), one);
      return one;
    }
    return several();
  }

  private PipelineConfig config(String id, String text, List<String> sources, Map<?, ?> own) {
    return new PipelineConfig(id, text, sources, number("pipeline.workers", own), number("pipeline.batch.size", own), number("pipeline.batch.delay", own));
  }

  private int number(String name, Map<?, ?> own) {
    return own.containsKey(name) ? Integer.parseInt(String.valueOf(own.get(name))) : settings.number(name);
  }

  /** A text without an input reads standard input, one without an output prints. */
  private static String complete(String text) {
    String full = text;
    if (!Pattern.compile("input\\s*\\{").matcher(full).find()) full = "input { stdin { type => stdin } } " + full;
    if (!Pattern.compile("output\\s*\\{").matcher(full).find()) full += " output { stdout { codec => rubydebug } }";
    return full;
  }

  private void fromPath(String id, String path, Map<?, ?> own, List<PipelineConfig> all) throws IOException {
    List<Path> files = files(path);
    if (files.isEmpty()) {
      LOG.info("No config files found in path", ":path", path);
      return;
    }
    StringBuilder text = new StringBuilder();
    for (Path file : files) {
      try {
        String content = Files.readString(file);
        if (content.startsWith("\uFEFF")) content = content.substring(1);
        text.append(text.isEmpty() ? "" : "\n").append(content);
      } catch (MalformedInputException wrong) {
        throw ConfigError.syntax("The following config files contains non-ascii characters but are not UTF-8 encoded [\"" + file + "\"]");
      }
    }
    all.add(config(id, text.toString(), files.stream().map(Path::toString).toList(), own));
  }

  private static List<Path> files(String given) throws IOException {
    Path path = Path.of(given.replaceFirst("^file://", "")).toAbsolutePath();
    if (Files.isRegularFile(path)) return List.of(path);
    Path folder = Files.isDirectory(path) ? path : path.getParent();
    if (!Files.isDirectory(folder)) return List.of();
    TreeSet<Path> found = new TreeSet<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, Files.isDirectory(path) ? "*" : path.getFileName().toString())) {
      for (Path file : files) if (Files.isRegularFile(file) && !file.toString().endsWith("~")) found.add(file);
    }
    return List.copyOf(found);
  }

  private List<PipelineConfig> several() throws IOException {
    Path file = settings.path("path.settings").resolve("pipelines.yml");
    if (!Files.isRegularFile(file)) throw ConfigError.syntax("Failed to read pipelines yaml file. Location: " + file);
    if (!(new Yaml().load(Files.readString(file)) instanceof List<?> list)) throw ConfigError.syntax("Pipelines YAML file is empty. Location: " + file);
    List<PipelineConfig> all = new ArrayList<>();
    for (Object item : list) {
      if (!(item instanceof Map<?, ?> own)) throw ConfigError.syntax("Pipelines YAML file is invalid. Location: " + file);
      String id = own.containsKey("pipeline.id") ? String.valueOf(own.get("pipeline.id")) : "main";
      if (own.containsKey("config.string")) all.add(config(id, complete(String.valueOf(own.get("config.string"))), List.of("config string"), own));
      else if (own.containsKey("path.config")) fromPath(id, Variables.expand(String.valueOf(own.get("path.config"))), own, all);
    }
    return all;
  }
}
