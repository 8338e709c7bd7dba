package standin.logstash.output;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import standin.logstash.event.Event;
import standin.logstash.event.Template;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.Output;
import standin.logstash.plugin.PluginType;

/** Events as lines of files whose names may come from the events. */
public final class FileOutput extends Output {
  public static final PluginType TYPE = PluginType.output("file", "4.3.0", FileOutput::new, Option.string("path").asRequired(),
      Option.of("codec", Option.Type.CODEC, "json_lines"), Option.number("flush_interval", 2), Option.flag("create_if_deleted", true),
      Option.choice("write_behavior", "append", "append", "overwrite"));

  private Template path;

  @Override public void register() {
    path = Template.of(options().string("path"));
  }

  @Override public void receive(List<Event> events) {
    Map<String, StringBuilder> files = new LinkedHashMap<>();
    for (Event event : events) files.computeIfAbsent(path.in(event), name -> new StringBuilder()).append(codec().encode(event));
    files.forEach((name, text) -> {
      try {
        Path file = Path.of(name);
        if (!Files.exists(file)) log().info("Opening file", ":path", name);
        if (file.getParent() != null) Files.createDirectories(file.getParent());
        Files.write(file, text.toString().getBytes(StandardCharsets.UTF_8), StandardOpenOption.CREATE,
            options().string("write_behavior").equals("append") ? StandardOpenOption.APPEND : StandardOpenOption.TRUNCATE_EXISTING);
      } catch (IOException wrong) {
        throw new java.io.UncheckedIOException(wrong);
      }
    });
  }
}
