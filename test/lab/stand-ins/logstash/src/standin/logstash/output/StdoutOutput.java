package standin.logstash.output;

import java.util.List;
import standin.logstash.event.Event;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.Output;
import standin.logstash.plugin.PluginType;

/** Events on standard output, as rubydebug unless another codec is given. */
public final class StdoutOutput extends Output {
  public static final PluginType TYPE = PluginType.output("stdout", "3.1.4", StdoutOutput::new, Option.of("codec", Option.Type.CODEC, "rubydebug"));

  @Override public void receive(List<Event> events) {
    StringBuilder out = new StringBuilder();
    for (Event event : events) {
      String text = codec().encode(event);
      out.append(text);
      if (!text.endsWith("\n") && !codec().type().name().equals("dots")) out.append('\n');
    }
    System.out.print(out);
    System.out.flush();
  }
}
