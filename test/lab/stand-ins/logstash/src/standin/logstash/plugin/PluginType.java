package standin.logstash.plugin;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** A plugin that configurations can name: its kind (input, filter, output, codec), the gem that brings it and the settings it takes. */
public record PluginType(String kind, String name, String gem, String version, List<Option> options, Supplier<? extends Plugin> create) {
  private static final List<Option> ALL = List.of(Option.string("id"), Option.flag("enable_metric", true), Option.hash("periodic_flush"));

  public static PluginType input(String name, String version, Supplier<? extends Plugin> create, Option... own) {
    return new PluginType("input", name, "logstash-input-" + name, version, with(own, Option.string("type"), Option.array("tags"),
        Option.hash("add_field"), Option.of("codec", Option.Type.CODEC, "plain")), create);
  }

  public static PluginType filter(String name, String version, Supplier<? extends Plugin> create, Option... own) {
    return new PluginType("filter", name, "logstash-filter-" + name, version, with(own, Option.array("add_tag"), Option.array("remove_tag"),
        Option.hash("add_field"), Option.array("remove_field")), create);
  }

  public static PluginType output(String name, String version, Supplier<? extends Plugin> create, Option... own) {
    return new PluginType("output", name, "logstash-output-" + name, version, with(own, Option.of("codec", Option.Type.CODEC, "plain"),
        Option.number("workers", 1)), create);
  }

  public static PluginType codec(String name, String version, Supplier<? extends Plugin> create, Option... own) {
    return new PluginType("codec", name, "logstash-codec-" + name, version, with(own), create);
  }

  /** The same plugin as part of a gem that brings several. */
  public PluginType in(String otherGem) {
    return new PluginType(kind, name, otherGem, version, options, create);
  }

  public String logger() {
    return "logstash." + kind + "s." + name;
  }

  /** A plugin's own option comes before a common one of the same name. */
  private static List<Option> with(Option[] own, Option... common) {
    List<Option> all = new ArrayList<>(List.of(own));
    all.addAll(List.of(common));
    all.addAll(ALL);
    return all;
  }

  Option option(String wanted) {
    return options.stream().filter(option -> option.name().equals(wanted)).findFirst().orElse(null);
  }
}
