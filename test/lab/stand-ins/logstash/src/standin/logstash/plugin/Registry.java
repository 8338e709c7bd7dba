package standin.logstash.plugin;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import standin.logstash.codec.DotsCodec;
import standin.logstash.codec.JsonCodec;
import standin.logstash.codec.LineCodec;
import standin.logstash.codec.PlainCodec;
import standin.logstash.codec.RubydebugCodec;
import standin.logstash.config.Ast;
import standin.logstash.config.ConfigError;
import standin.logstash.filter.CsvFilter;
import standin.logstash.filter.DateFilter;
import standin.logstash.filter.DissectFilter;
import standin.logstash.filter.DropFilter;
import standin.logstash.filter.JsonFilter;
import standin.logstash.filter.MutateFilter;
import standin.logstash.filter.PruneFilter;
import standin.logstash.filter.SleepFilter;
import standin.logstash.filter.TranslateFilter;
import standin.logstash.input.FileInput;
import standin.logstash.input.GeneratorInput;
import standin.logstash.input.JmxInput;
import standin.logstash.input.KafkaInput;
import standin.logstash.input.PipeInput;
import standin.logstash.input.StdinInput;
import standin.logstash.log.Inspect;
import standin.logstash.log.Log;
import standin.logstash.manager.Gems;
import standin.logstash.output.ElasticsearchOutput;
import standin.logstash.output.FileOutput;
import standin.logstash.output.KafkaOutput;
import standin.logstash.output.NullOutput;
import standin.logstash.output.StdoutOutput;

/** All plugins that this stand-in can be; one exists for a configuration only while its gem is installed. */
public final class Registry {
  public static final List<PluginType> ALL = List.of(
      JmxInput.TYPE, KafkaInput.TYPE, FileInput.TYPE, GeneratorInput.TYPE, PipeInput.TYPE, StdinInput.TYPE,
      MutateFilter.TYPE, DissectFilter.TYPE, TranslateFilter.TYPE, SleepFilter.TYPE, PruneFilter.TYPE, DropFilter.TYPE, CsvFilter.TYPE, DateFilter.TYPE,
      JsonFilter.TYPE,
      ElasticsearchOutput.TYPE, KafkaOutput.TYPE, StdoutOutput.TYPE, FileOutput.TYPE, NullOutput.TYPE,
      PlainCodec.TYPE, JsonCodec.TYPE, JsonCodec.LINES, LineCodec.TYPE, RubydebugCodec.TYPE, DotsCodec.TYPE);

  private static final Log LOG = Log.of("logstash.plugins.registry");

  private final Plugin.Surroundings surroundings;
  private final Gems gems;

  public Registry(Plugin.Surroundings surroundings) {
    this.surroundings = surroundings;
    this.gems = new Gems(surroundings.home());
  }

  private PluginType find(String kind, String name) {
    for (PluginType type : ALL) {
      if (type.kind().equals(kind) && type.name().equals(name) && gems.installed(type.gem())) return type;
    }
    String path = "logstash/" + kind + "s/" + name;
    LOG.error("Tried to load a plugin's code, but failed.", ":exception", Inspect.raw("#<LoadError: no such file to load -- " + path + ">"),
        ":path", path, ":type", kind, ":name", name);
    throw ConfigError.plugins("(PluginLoadingError) Couldn't find any " + kind + " plugin named '" + name
        + "'. Are you sure this is correct? Trying to load the " + name + " " + kind + " plugin resulted in this error: Unable to load the requested plugin named "
        + name + " of type " + kind + ". The plugin is not installed.");
  }

  public Input input(Ast.Plugin config) {
    Input input = (Input) create("input", config);
    input.codec(codec(input.options().any("codec"), config));
    return input;
  }

  public Filter filter(Ast.Plugin config) {
    return (Filter) create("filter", config);
  }

  public Output output(Ast.Plugin config) {
    Output output = (Output) create("output", config);
    output.codec(codec(output.options().any("codec"), config));
    return output;
  }

  private Codec codec(Object wanted, Ast.Plugin owner) {
    Ast.Plugin config = wanted instanceof Ast.Plugin given ? given
        : new Ast.Plugin(String.valueOf(wanted), List.of(), owner.start(), owner.source() + " codec " + wanted);
    return (Codec) create("codec", config);
  }

  private Plugin create(String kind, Ast.Plugin config) {
    PluginType type = find(kind, config.name());
    Options options = Options.of(type, config.attributes());
    Plugin plugin = type.create().get();
    String id = options.string("id");
    plugin.set(type, options, id == null ? generated(config) : id, surroundings);
    return plugin;
  }

  /** The same for the same place in the same configuration, so that metrics can be compared between starts. */
  private static String generated(Ast.Plugin config) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest((config.start() + config.source()).getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
