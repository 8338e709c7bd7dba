package standin.logstash.output;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import standin.logstash.event.Json;
import standin.logstash.log.Inspect;
import standin.logstash.log.Log;

/** The Elasticsearch hosts: which of them answer. One that does not is tried again every few seconds. */
final class EsPool {
  static {
    // A bulk request whose connection breaks must be repeated by us, who log it, and not by the JDK.
    System.setProperty("sun.net.http.retryPost", "false");
  }

  static final String UNREACHABLE = "LogStash::Outputs::ElasticSearch::HttpClient::Pool::HostUnreachableError";
  static final String BAD_RESPONSE = "LogStash::Outputs::ElasticSearch::HttpClient::Pool::BadResponseCodeError";

  record Answer(int status, String body) {}

  static final class Unreachable extends Exception {
    private static final long serialVersionUID = 1;

    Unreachable(String message) {
      super(message);
    }
  }

  static final class NoneAlive extends Exception {
    private static final long serialVersionUID = 1;

    NoneAlive() {
      super("No Available connections");
    }
  }

  private final Log log;
  private final List<URI> hosts;
  private final Map<URI, Boolean> alive = new ConcurrentHashMap<>();
  private final AtomicInteger turn = new AtomicInteger();
  private final String credentials;
  private final int timeout;
  private volatile String version;

  EsPool(Log log, List<URI> hosts, String credentials, int timeoutSeconds) {
    this.log = log;
    this.hosts = hosts;
    this.credentials = credentials;
    this.timeout = timeoutSeconds * 1000;
    hosts.forEach(host -> alive.put(host, false));
    log.info("Elasticsearch pool URLs updated", ":changes", Log.pairs(":removed", List.of(), ":added", hosts.stream().map(host -> (Object) Inspect.raw(host.toString())).toList()));
  }

  /** The version that the first host to answer has; null before. */
  String version() {
    return version;
  }

  /** Asks the hosts that do not answer whether they do now. */
  void revive() {
    for (URI host : hosts) if (!alive.get(host)) revive(host);
  }

  private void revive(URI host) {
    try {
      Answer answer = request(host, "GET", "/", null, null);
      if (answer.status() >= 300) {
        dead(host, BAD_RESPONSE, "Got response code '" + answer.status() + "' contacting Elasticsearch at URL '" + host + "'");
        return;
      }
      if (version == null && Json.MAPPER.readTree(answer.body()).path("version").path("number").isTextual())
        version = Json.MAPPER.readTree(answer.body()).path("version").path("number").asText();
      alive.put(host, true);
      log.warn("Restored connection to ES instance", ":url", host.toString());
    } catch (Unreachable | IOException wrong) {
      dead(host, UNREACHABLE, wrong.getMessage());
    }
  }

  private void dead(URI host, String kind, String why) {
    log.warn("Attempted to resurrect connection to dead ES instance, but got an error.", ":url", host.toString(), ":error_type", Inspect.raw(kind), ":error", why);
  }

  /** Sends to the next host that answers; one that breaks is marked. */
  Answer send(String method, String path, String body, String contentType) throws Unreachable, NoneAlive {
    URI host = next();
    try {
      return request(host, method, path, body, contentType);
    } catch (Unreachable broken) {
      alive.put(host, false);
      log.warn("Marking url as dead. Last error: [" + UNREACHABLE + "] " + broken.getMessage(), ":url", Inspect.raw(host.toString()), ":error_message", broken.getMessage(),
          ":error_class", UNREACHABLE);
      throw broken;
    }
  }

  URI next() throws NoneAlive {
    List<URI> living = new ArrayList<>(hosts);
    living.removeIf(host -> !alive.get(host));
    if (living.isEmpty()) throw new NoneAlive();
    return living.get(Math.floorMod(turn.getAndIncrement(), living.size()));
  }

  private Answer request(URI host, String method, String path, String body, String contentType) throws Unreachable {
    URI url = host.resolve(path);
    try {
      HttpURLConnection connection = (HttpURLConnection) url.toURL().openConnection(java.net.Proxy.NO_PROXY);
      connection.setConnectTimeout(timeout);
      connection.setReadTimeout(timeout);
      connection.setRequestMethod(method);
      connection.setRequestProperty("User-Agent", "logstash/7.10.2 (lab stand-in)");
      if (credentials != null) connection.setRequestProperty("Authorization", "Basic " + Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8)));
      if (body != null) {
        connection.setDoOutput(true);
        connection.setRequestProperty("Content-Type", contentType);
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        connection.setFixedLengthStreamingMode(bytes.length);
        connection.getOutputStream().write(bytes);
      }
      int status = connection.getResponseCode();
      try (InputStream in = status >= 400 ? connection.getErrorStream() : connection.getInputStream()) {
        return new Answer(status, in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8));
      }
    } catch (UnknownHostException unknown) {
      throw new Unreachable("Elasticsearch Unreachable: [" + url + "][Manticore::ResolutionFailure] " + unknown.getMessage());
    } catch (java.net.SocketTimeoutException slow) {
      String kind = String.valueOf(slow.getMessage()).startsWith("Connect") ? "ConnectTimeout" : "SocketTimeout";
      throw new Unreachable("Elasticsearch Unreachable: [" + url + "][Manticore::" + kind + "] " + slow.getMessage());
    } catch (IOException broken) {
      String why = broken instanceof java.net.ConnectException ? "Connection refused (Connection refused)" : broken.getMessage();
      throw new Unreachable("Elasticsearch Unreachable: [" + url + "][Manticore::SocketException] " + why);
    }
  }
}
