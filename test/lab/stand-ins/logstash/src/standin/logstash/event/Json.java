package standin.logstash.event;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import java.io.IOException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/** JSON as the product writes it: times with milliseconds in UTC, numbers that JSON has not (NaN) as strings. */
public final class Json {
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
  public static final ObjectMapper MAPPER = new ObjectMapper().registerModule(new SimpleModule().addSerializer(Instant.class, new JsonSerializer<Instant>() {
    @Override public void serialize(Instant time, JsonGenerator out, SerializerProvider all) throws IOException {
      out.writeString(timestamp(time));
    }
  }));

  private Json() {}

  public static String timestamp(Instant time) {
    return TIME.format(time);
  }

  public static String write(Object value) {
    try {
      return MAPPER.writeValueAsString(value);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
