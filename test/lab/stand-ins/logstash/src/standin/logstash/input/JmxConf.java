package standin.logstash.input;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import standin.logstash.event.Json;
import standin.logstash.log.Inspect;

/** One file of the jmx input's folder: which JVM to ask for what. */
final class JmxConf {
  private JmxConf() {}

  /** Throws IllegalArgumentException with the text that the plugin logs. */
  static Map<?, ?> read(Path file) {
    Object parsed = parse(text(file));
    if (parsed instanceof Map<?, ?> map) return map;
    throw new IllegalArgumentException("undefined method `has_key?' for " + Inspect.of(parsed) + ":" + Inspect.rubyClass(parsed));
  }

  private static String text(Path file) {
    if (Files.isDirectory(file)) throw new IllegalArgumentException("Is a directory - " + file);
    try {
      return Files.readString(file);
    } catch (NoSuchFileException gone) {
      throw new IllegalArgumentException("No such file or directory - " + file);
    } catch (AccessDeniedException denied) {
      throw new IllegalArgumentException("Permission denied - " + file);
    } catch (IOException wrong) {
      throw new IllegalArgumentException(wrong.getMessage());
    }
  }

  private static Object parse(String text) {
    if (text.isBlank()) return null;
    try {
      return Json.MAPPER.readValue(text, Object.class);
    } catch (JsonProcessingException wrong) {
      throw new IllegalArgumentException("unexpected token at '" + text.substring(innermost(text)) + "'");
    }
  }

  /** Where the object or array begins that holds what is wrong: the product's parser shows the text from there. */
  private static int innermost(String text) {
    Deque<Integer> open = new ArrayDeque<>();
    open.push(0);
    try (JsonParser parser = Json.MAPPER.createParser(text)) {
      for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
        if (token.isStructStart()) open.push((int) parser.currentTokenLocation().getCharOffset());
        else if (token.isStructEnd()) open.pop();
      }
    } catch (IOException here) {
      return open.peek();
    }
    return open.peek();
  }

  /** What is wrong with it, in the plugin's words; nothing for one that can be polled. */
  static List<String> problems(Map<?, ?> conf) {
    List<String> problems = new ArrayList<>();
    for (String parameter : List.of("host", "port", "queries"))
      if (!conf.containsKey(parameter)) problems.add("Missing parameter '" + parameter + "'.");
    Map<String, String> types = new LinkedHashMap<>();
    types.put("host", "String");
    types.put("port", "Integer");
    types.put("alias", "String");
    types.forEach((parameter, expected) -> {
      if (conf.containsKey(parameter) && !Inspect.rubyClass(conf.get(parameter)).equals(expected))
        problems.add("Bad type for parameter '" + parameter + "', expecting '" + expected + "', found '" + Inspect.rubyClass(conf.get(parameter)) + "'.");
    });
    if (!conf.containsKey("queries")) return problems;
    Object queries = conf.get("queries");
    List<?> items = items(queries);
    if (items == null) problems.add("Bad type for parameter 'queries', expecting 'Enumerable', found '" + Inspect.rubyClass(queries) + "'.");
    else for (int i = 0; i < items.size(); i++) query(items.get(i), i, problems);
    return problems;
  }

  /** What Ruby's each gives: the items of an array, pairs of a hash. Null for what cannot be walked through. */
  private static List<?> items(Object value) {
    if (value instanceof List<?> list) return list;
    if (value instanceof Map<?, ?> map) return map.entrySet().stream().map(entry -> java.util.Arrays.asList(entry.getKey(), entry.getValue())).toList();
    return null;
  }

  private static void query(Object item, int index, List<String> problems) {
    if (!(item instanceof Map<?, ?> query)) {
      problems.add("Bad type for queries[" + index + "], expecting 'Hash', found '" + Inspect.rubyClass(item) + "'.");
      return;
    }
    if (!query.containsKey("object_name")) problems.add("Missing parameter 'object_name' in queries[" + index + "].");
    for (String parameter : List.of("object_name", "object_alias")) {
      if (query.containsKey(parameter) && !(query.get(parameter) instanceof String))
        problems.add("Bad type for parameter '" + parameter + "' in queries[" + index + "], expecting 'String', found '" + Inspect.rubyClass(query.get(parameter)) + "'.");
    }
    Object attributes = query.get("attributes");
    if (query.containsKey("attributes") && !(attributes instanceof Collection) && !(attributes instanceof Map))
      problems.add("Bad type for parameter 'attributes' in queries[" + index + "], expecting 'Enumerable', found '" + Inspect.rubyClass(attributes) + "'.");
  }
}
