package standin.logstash.filter;

import java.util.List;
import java.util.regex.Pattern;
import standin.logstash.event.Event;
import standin.logstash.plugin.Filter;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/** Keeps the top-level fields whose names are wanted. */
public final class PruneFilter extends Filter {
  public static final PluginType TYPE = PluginType.filter("prune", "3.0.4", PruneFilter::new, Option.array("whitelist_names"), Option.array("blacklist_names"),
      Option.flag("interpolate", false));

  private List<Pattern> wanted;
  private List<Pattern> unwanted;

  @Override public void register() {
    wanted = patterns("whitelist_names");
    unwanted = options().has("blacklist_names") ? patterns("blacklist_names") : List.of(Pattern.compile("%\\{[^}]+\\}"));
  }

  private List<Pattern> patterns(String option) {
    return options().strings(option).stream().map(Pattern::compile).toList();
  }

  @Override public void filter(Event event) {
    event.fields().keySet().removeIf(name -> !name.startsWith("@")
        && (!wanted.isEmpty() && none(wanted, name) || !none(unwanted, name)));
    matched(event);
  }

  private static boolean none(List<Pattern> patterns, String name) {
    return patterns.stream().noneMatch(pattern -> pattern.matcher(name).find());
  }
}
