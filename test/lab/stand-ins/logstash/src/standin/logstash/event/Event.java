package standin.logstash.event;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One event: fields in the order they were set, and @metadata, which no output writes. */
public final class Event {
  public static final String TIMESTAMP = "@timestamp";
  private static final String METADATA = "@metadata";

  private final Map<String, Object> fields = new LinkedHashMap<>();
  private final Map<String, Object> metadata = new LinkedHashMap<>();
  private boolean cancelled;

  public Event() {
    fields.put("@version", "1");
    fields.put(TIMESTAMP, Instant.now());
  }

  /** An event of given fields; a text in @timestamp becomes a time. */
  public static Event of(Map<?, ?> fields) {
    Event event = new Event();
    fields.forEach((key, value) -> event.fields.put(String.valueOf(key), value));
    if (event.fields.get(TIMESTAMP) instanceof String text) {
      try {
        event.fields.put(TIMESTAMP, java.time.OffsetDateTime.parse(text).toInstant());
      } catch (java.time.format.DateTimeParseException wrong) {
        event.fields.put(TIMESTAMP, Instant.now());
        event.fields.put("_@timestamp", text);
        event.tag("_timestampparsefailure");
      }
    }
    return event;
  }

  public Map<String, Object> fields() {
    return fields;
  }

  public void cancel() {
    cancelled = true;
  }

  public boolean cancelled() {
    return cancelled;
  }

  public Instant timestamp() {
    return fields.get(TIMESTAMP) instanceof Instant time ? time : Instant.now();
  }

  public Object get(String reference) {
    Object value = root(FieldReference.of(reference).path());
    for (String step : rest(reference)) value = child(value, step);
    return value;
  }

  public boolean includes(String reference) {
    List<String> path = FieldReference.of(reference).path();
    Object holder = path.size() == 1 ? fields : get("[" + String.join("][", path.subList(0, path.size() - 1)) + "]");
    return holder instanceof Map<?, ?> map && map.containsKey(path.get(path.size() - 1));
  }

  private Object root(List<String> path) {
    return path.get(0).equals(METADATA) ? metadata : fields.get(path.get(0));
  }

  private static List<String> rest(String reference) {
    List<String> path = FieldReference.of(reference).path();
    return path.subList(1, path.size());
  }

  private static Object child(Object holder, String step) {
    if (holder instanceof Map<?, ?> map) return map.get(step);
    if (holder instanceof List<?> list && step.matches("-?\\d+")) {
      int index = Integer.parseInt(step);
      if (index < 0) index += list.size();
      return index >= 0 && index < list.size() ? list.get(index) : null;
    }
    return null;
  }

  public void set(String reference, Object value) {
    List<String> path = FieldReference.of(reference).path();
    Map<String, Object> holder = path.get(0).equals(METADATA) && path.size() > 1 ? metadata : fields;
    for (String step : path.subList(holder == metadata ? 1 : 0, path.size() - 1)) holder = nested(holder, step);
    holder.put(path.get(path.size() - 1), value);
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> nested(Map<String, Object> holder, String step) {
    if (!(holder.get(step) instanceof Map)) holder.put(step, new LinkedHashMap<String, Object>());
    return (Map<String, Object>) holder.get(step);
  }

  public Object remove(String reference) {
    List<String> path = FieldReference.of(reference).path();
    Object holder = path.size() == 1 ? fields : get("[" + String.join("][", path.subList(0, path.size() - 1)) + "]");
    return holder instanceof Map<?, ?> map ? map.remove(path.get(path.size() - 1)) : null;
  }

  public void tag(String tag) {
    List<Object> tags = list(fields.get("tags"));
    if (!tags.contains(tag)) tags.add(tag);
    fields.put("tags", tags);
  }

  /** What add_field does: a second value for a field makes it an array. */
  public void add(String reference, Object value) {
    Object existing = get(reference);
    if (existing == null) {
      set(reference, value);
      return;
    }
    List<Object> all = list(existing);
    all.add(value);
    set(reference, all);
  }

  public static List<Object> list(Object value) {
    if (value == null) return new ArrayList<>();
    if (value instanceof List<?> list) return new ArrayList<>(list);
    List<Object> one = new ArrayList<>();
    one.add(value);
    return one;
  }

  public String toJson() {
    return Json.write(fields);
  }

  /** As text in a Ruby log line. */
  @Override public String toString() {
    return timestamp() == null ? "" : Json.timestamp(timestamp()) + " " + Template.text(fields.getOrDefault("host", "%{host}")) + " "
        + Template.text(fields.getOrDefault("message", "%{message}"));
  }
}
