package standin.logstash.output;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import standin.logstash.config.ConfigError;
import standin.logstash.event.Event;
import standin.logstash.event.Json;
import standin.logstash.event.Template;
import standin.logstash.log.Inspect;
import standin.logstash.log.Log;
import standin.logstash.plugin.Option;
import standin.logstash.plugin.Output;
import standin.logstash.plugin.PluginType;

/** Events as documents, by the bulk API. What Elasticsearch may take later is sent for ever; what it never will is logged and dropped. */
public final class ElasticsearchOutput extends Output {
  public static final PluginType TYPE = PluginType.output("elasticsearch", "10.7.3", ElasticsearchOutput::new,
      Option.of("hosts", Option.Type.ARRAY, List.of("127.0.0.1")), Option.string("index", "logstash-%{+yyyy.MM.dd}"), Option.string("document_id"),
      Option.string("document_type"), Option.string("action", "index"), Option.string("routing"), Option.string("pipeline"),
      Option.string("user"), Option.of("password", Option.Type.PASSWORD, null), Option.flag("manage_template", true), Option.string("template"),
      Option.string("template_name", "logstash"), Option.flag("template_overwrite", false), Option.choice("ilm_enabled", "auto", "true", "false", "auto"),
      Option.string("ilm_rollover_alias"), Option.string("ilm_pattern", "{now/d}-000001"), Option.string("ilm_policy", "logstash-policy"),
      Option.number("retry_initial_interval", 2), Option.number("retry_max_interval", 64), Option.number("timeout", 60), Option.number("resurrect_delay", 5),
      Option.number("retry_on_conflict", 1), Option.flag("doc_as_upsert", false), Option.flag("http_compression", false), Option.flag("sniffing", false),
      Option.number("pool_max", 1000), Option.number("pool_max_per_route", 100), Option.number("validate_after_inactivity", 10000),
      Option.flag("ssl", false), Option.of("failure_type_logging_whitelist", Option.Type.ARRAY, List.of()), Option.hash("custom_headers"), Option.string("path"),
      Option.choice("ecs_compatibility", "disabled", "disabled", "v1"), Option.string("proxy"));

  private static final List<String> ACTIONS = List.of("index", "create", "delete", "update");

  /** One document on its way; {@code event} is kept for the log. */
  private record Action(String verb, Map<String, Object> target, Event event) {}

  private final CountDownLatch ready = new CountDownLatch(1);
  private EsPool pool;
  private Template index;
  private volatile boolean closed;

  @Override public void register() {
    String action = options().string("action");
    if (!ACTIONS.contains(action) && !action.contains("%{"))
      throw new ConfigError("LogStash::ConfigurationError", "No sprintf for action '" + action + "'. Valid actions are " + Inspect.of(ACTIONS));
    index = Template.of(options().string("index"));
    List<URI> hosts = options().strings("hosts").stream().map(ElasticsearchOutput::url).toList();
    log().info("New Elasticsearch output", ":class", "LogStash::Outputs::ElasticSearch", ":hosts", hosts.stream()
        .map(host -> "//" + host.getAuthority()).toList());
    String user = options().string("user");
    pool = new EsPool(log(), hosts, user == null ? null : user + ":" + options().string("password"), options().integer("timeout"));
    Thread watch = new Thread(this::watch, "elasticsearch-output-pool");
    watch.setDaemon(true);
    watch.start();
  }

  private static URI url(String host) {
    String full = host.contains("://") ? host : "http://" + host;
    URI parsed = URI.create(full);
    int port = parsed.getPort() > 0 ? parsed.getPort() : 9200;
    return URI.create(parsed.getScheme() + "://" + parsed.getHost() + ":" + port + "/");
  }

  /** Brings hosts back and, once one answers for the first time, does what needs a running Elasticsearch. */
  private void watch() {
    try {
      while (!closed) {
        pool.revive();
        if (pool.version() != null && ready.getCount() > 0) prepare();
        Thread.sleep(Math.round(options().number("resurrect_delay") * 1000));
      }
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    }
  }

  private void prepare() {
    int major = Integer.parseInt(pool.version().replaceAll("\\..*", ""));
    log().info("ES Output version determined", ":es_version", major);
    if (major >= 6) log().warn("Detected a 6.x and above cluster: the `type` event field won't be used to determine the document _type", ":es_version", major);
    if (options().string("ilm_enabled").equals("auto"))
      log().info("Index Lifecycle Management is set to 'auto', but will be disabled - Index Lifecycle management is not installed on your Elasticsearch cluster");
    if (options().flag("manage_template")) installTemplate(major);
    ready.countDown();
  }

  private void installTemplate(int major) {
    String name = options().string("template_name");
    String path = (major >= 8 ? "/_index_template/" : "/_template/") + name;
    try {
      String template = options().has("template") ? java.nio.file.Files.readString(java.nio.file.Path.of(options().string("template"))) : DEFAULT_TEMPLATE;
      if (!options().has("template")) log().info("Using a default mapping template", ":es_version", major, ":ecs_compatibility", Inspect.raw(":disabled"));
      log().info("Attempting to install template", ":manage_template", Json.MAPPER.readValue(template, Map.class));
      if (!options().flag("template_overwrite") && pool.send("GET", path, null, null).status() == 200) return;
      log().info("Installing elasticsearch template to " + path.substring(1));
      EsPool.Answer answer = pool.send("PUT", path, template, "application/json");
      if (answer.status() >= 300) log().error("Failed to install template.", ":message", "Got response code '" + answer.status() + "' contacting Elasticsearch", ":class", EsPool.BAD_RESPONSE);
    } catch (Exception wrong) {
      log().error("Failed to install template.", ":message", wrong.getMessage(), ":class", wrong.getClass().getName());
    }
  }

  private static final String DEFAULT_TEMPLATE = """
      {"index_patterns":"logstash-*","version":60001,"settings":{"index.refresh_interval":"5s","number_of_shards":1},
       "mappings":{"dynamic_templates":[
         {"message_field":{"path_match":"message","match_mapping_type":"string","mapping":{"type":"text","norms":false}}},
         {"string_fields":{"match":"*","match_mapping_type":"string","mapping":{"type":"text","norms":false,
           "fields":{"keyword":{"type":"keyword","ignore_above":256}}}}}],
        "properties":{"@timestamp":{"type":"date"},"@version":{"type":"keyword"},
          "geoip":{"dynamic":true,"properties":{"ip":{"type":"ip"},"location":{"type":"geo_point"},"latitude":{"type":"half_float"},"longitude":{"type":"half_float"}}}}}}
      """;

  @Override public void receive(List<Event> events) throws InterruptedException {
    ready.await();
    List<Action> rest = events.stream().map(this::action).toList();
    double pause = options().number("retry_initial_interval");
    while (!rest.isEmpty()) {
      List<Action> failed = bulk(rest);
      if (failed.isEmpty()) return;
      log().info("Retrying individual bulk actions that failed or were rejected by the previous bulk request.", ":count", failed.size());
      pause = pause(pause);
      rest = failed;
    }
  }

  private double pause(double seconds) throws InterruptedException {
    Thread.sleep(Math.round(seconds * 1000));
    return Math.min(seconds * 2, options().number("retry_max_interval"));
  }

  private Action action(Event event) {
    Map<String, Object> target = new LinkedHashMap<>();
    target.put("_id", options().has("document_id") ? Template.of(options().string("document_id")).in(event) : null);
    target.put("_index", index.in(event));
    target.put("routing", options().has("routing") ? Template.of(options().string("routing")).in(event) : null);
    if (options().has("pipeline")) target.put("pipeline", Template.of(options().string("pipeline")).in(event));
    if (options().has("document_type")) target.put("_type", Template.of(options().string("document_type")).in(event));
    return new Action(Template.of(options().string("action")).in(event), target, event);
  }

  /** The actions to send again. Sends the request itself until Elasticsearch answers it. */
  private List<Action> bulk(List<Action> actions) throws InterruptedException {
    StringBuilder body = new StringBuilder();
    for (Action action : actions) write(action, body);
    for (double pause = options().number("retry_initial_interval");; pause = pause(pause)) {
      try {
        EsPool.Answer answer = pool.send("POST", "/_bulk", body.toString(), "application/json");
        if (answer.status() < 300) return judge(actions, Json.MAPPER.readTree(answer.body()));
        refused(answer, body.length());
      } catch (EsPool.Unreachable broken) {
        log().error("Attempted to send a bulk request to elasticsearch' but Elasticsearch appears to be unreachable or down!", ":error_message", broken.getMessage(),
            ":class", EsPool.UNREACHABLE, ":will_retry_in_seconds", Math.round(pause));
      } catch (EsPool.NoneAlive none) {
        log().error("Attempted to send a bulk request to elasticsearch, but no there are no living connections in the connection pool. Perhaps Elasticsearch is unreachable or down?",
            ":error_message", none.getMessage(), ":class", "LogStash::Outputs::ElasticSearch::HttpClient::Pool::NoConnectionAvailableError", ":will_retry_in_seconds", Math.round(pause));
      } catch (JsonProcessingException garbled) {
        log().error("An unknown error occurred sending a bulk request to Elasticsearch. We will retry indefinitely", ":error_message", garbled.getMessage(), ":error_class",
            "LogStash::Json::ParserError");
      }
    }
  }

  private void refused(EsPool.Answer answer, int length) {
    String url;
    try {
      url = pool.next() + "_bulk";
    } catch (EsPool.NoneAlive none) {
      url = "_bulk";
    }
    if (answer.status() == 429) log().debug("Encountered a retryable error. Will Retry with exponential backoff ", ":code", 429, ":url", url);
    else log().error("Encountered a retryable error. Will Retry with exponential backoff ", ":code", answer.status(), ":url", url, ":content_length", length);
  }

  private void write(Action action, StringBuilder body) {
    Map<String, Object> head = new LinkedHashMap<>();
    action.target().forEach((key, value) -> {
      if (value != null) head.put(key, value);
    });
    if (action.verb().equals("update")) head.put("retry_on_conflict", options().integer("retry_on_conflict"));
    body.append(Json.write(Map.of(action.verb(), head))).append('\n');
    if (action.verb().equals("delete")) return;
    if (action.verb().equals("update")) {
      Map<String, Object> update = new LinkedHashMap<>();
      update.put("doc", action.event().fields());
      if (options().flag("doc_as_upsert")) update.put("doc_as_upsert", true);
      body.append(Json.write(update)).append('\n');
    } else body.append(action.event().toJson()).append('\n');
  }

  private List<Action> judge(List<Action> actions, JsonNode answer) {
    List<Action> again = new ArrayList<>();
    if (!answer.path("errors").asBoolean()) return again;
    for (int i = 0; i < actions.size(); i++) {
      Action action = actions.get(i);
      JsonNode item = answer.path("items").path(i).path(action.verb());
      int status = item.path("status").asInt();
      if (status < 300 || status == 409 && action.verb().equals("create")) continue;
      if (status == 409) log().warn("Failed action.", details(action, item, status));
      else if (status == 400 || status == 404) log().warn("Could not index event to Elasticsearch.", details(action, item, status));
      else {
        log().info("retrying failed action with response code: " + status + " (" + Inspect.of(plain(item.path("error"))) + ")");
        again.add(action);
      }
    }
    return again;
  }

  private Object[] details(Action action, JsonNode item, int status) {
    Map<String, Object> target = new LinkedHashMap<>();
    action.target().forEach((key, value) -> target.put(":" + key, value));
    return new Object[] {":status", status, ":action", Arrays.asList(action.verb(), target,
        Inspect.raw("#<LogStash::Event:0x" + Integer.toHexString(System.identityHashCode(action.event())) + ">")),
        ":response", Log.pairs(action.verb(), plain(item))};
  }

  private static Object plain(JsonNode node) {
    return Json.MAPPER.convertValue(node, Object.class);
  }

  @Override public void close() {
    closed = true;
  }
}
