package standin.logstash.filter;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.time.temporal.TemporalAccessor;
import java.util.List;
import standin.logstash.event.Event;
import standin.logstash.event.Template;
import standin.logstash.plugin.Filter;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.PluginType;

/** Takes an event's time from a field. */
public final class DateFilter extends Filter {
  public static final PluginType TYPE = PluginType.filter("date", "3.1.9", DateFilter::new, Option.array("match"), Option.string("target", Event.TIMESTAMP),
      Option.string("timezone"), Option.string("locale"), Option.array("tag_on_failure"));

  @Override public void filter(Event event) {
    List<String> match = options().strings("match");
    if (match.isEmpty() || event.get(match.get(0)) == null) return;
    String text = Template.text(event.get(match.get(0)));
    for (String format : match.subList(1, match.size())) {
      Instant time = parse(text, format);
      if (time == null) continue;
      event.set(options().string("target"), time);
      matched(event);
      return;
    }
    if (options().has("tag_on_failure")) options().strings("tag_on_failure").forEach(event::tag);
    else event.tag("_dateparsefailure");
  }

  private Instant parse(String text, String format) {
    ZoneId zone = options().has("timezone") ? ZoneId.of(options().string("timezone")) : ZoneId.systemDefault();
    try {
      return switch (format) {
        case "UNIX" -> Instant.ofEpochMilli(Math.round(Double.parseDouble(text) * 1000));
        case "UNIX_MS" -> Instant.ofEpochMilli(Long.parseLong(text));
        case "ISO8601" -> text.matches(".*(Z|[+-]\\d\\d:?\\d\\d)$") ? OffsetDateTime.parse(text).toInstant() : LocalDateTime.parse(text.replace(' ', 'T')).atZone(zone).toInstant();
        default -> {
          TemporalAccessor found = DateTimeFormatter.ofPattern(format.replace('Y', 'y')).parseBest(text, ZonedDateTime::from, LocalDateTime::from);
          yield found instanceof LocalDateTime local ? local.atZone(zone).toInstant() : Instant.from(found);
        }
      };
    } catch (DateTimeParseException | NumberFormatException other) {
      return null;
    }
  }
}
