package standin.logstash.api;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import standin.logstash.event.Json;
import standin.logstash.log.Log;
import standin.logstash.pipeline.Agent;

/** The monitoring API: GET only, JSON, on the first free port of the range. */
public final class Api {
  /** No port of the range is free. */
  public static final class NoPort extends IOException {
    private static final long serialVersionUID = 1;

    NoPort(String message) {
      super(message);
    }
  }

  private final Agent agent;
  private final Reports reports;
  private final ExecutorService threads = Executors.newFixedThreadPool(2, task -> {
    Thread thread = new Thread(task, "logstash-api");
    thread.setDaemon(true);
    return thread;
  });
  private HttpServer server;

  public Api(Agent agent) {
    this.agent = agent;
    this.reports = new Reports(agent);
  }

  public void start() throws IOException {
    if (!agent.settings().flag("http.enabled")) return;
    String host = agent.settings().text("http.host");
    String[] range = agent.settings().text("http.port").split("-");
    int last = Integer.parseInt(range[range.length - 1]);
    for (int port = Integer.parseInt(range[0]); port <= last && server == null; port++) server = bind(host, port);
    if (server == null)
      throw new NoPort("Logstash tried to bind to port range " + range[0] + ".." + last
          + ", but all the ports are already in use! You can specify a new port by launching logtash with the --http.port option.");
    int port = server.getAddress().getPort();
    reports.address(host + ":" + port);
    server.createContext("/", this::answer);
    server.setExecutor(threads);
    server.start();
    Log.of("logstash.agent").info("Successfully started Logstash API endpoint", ":port", port);
  }

  /** Null where the port is taken. */
  private static HttpServer bind(String host, int port) throws IOException {
    InetSocketAddress address = new InetSocketAddress(host, port);
    try {
      return HttpServer.create(address, 0);
    } catch (BindException taken) {
      if (!String.valueOf(taken.getMessage()).contains("in use")) throw new NoPort(taken.getMessage() + ": " + address);
      return null;
    }
  }

  public void stop() {
    if (server != null) server.stop(0);
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    Map<String, Object> body = exchange.getRequestMethod().equals("GET") ? reports.of(path) : null;
    int status = body == null ? 404 : 200;
    if (body == null) {
      body = new LinkedHashMap<>();
      body.put("path", path);
      body.put("status", 404);
      body.put("error", Map.of("message", "Not Found"));
    }
    String query = String.valueOf(exchange.getRequestURI().getQuery());
    String text = query.matches("(.*&)?pretty(=true)?(&.*)?") ? Json.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(body) : Json.write(body);
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }
}
