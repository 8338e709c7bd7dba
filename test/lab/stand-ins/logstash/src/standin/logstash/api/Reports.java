package standin.logstash.api;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.lang.management.MemoryUsage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import standin.logstash.Main;
import standin.logstash.event.Json;
import standin.logstash.input.Hosts;
import standin.logstash.log.Log;
import standin.logstash.manager.Gems;
import standin.logstash.pipeline.Agent;
import standin.logstash.pipeline.Pipeline;
import standin.logstash.plugin.Plugin;

/** What each path of the API answers. */
final class Reports {
  private static final long STARTED = ManagementFactory.getRuntimeMXBean().getStartTime();

  private final Agent agent;
  private String address = "";

  Reports(Agent agent) {
    this.agent = agent;
  }

  void address(String bound) {
    address = bound;
  }

  /** Null where the product has nothing at the path. */
  Map<String, Object> of(String path) {
    List<String> parts = new ArrayList<>(List.of(path.split("/")));
    parts.removeIf(String::isEmpty);
    Map<String, Object> base = base();
    if (parts.isEmpty()) return root(base);
    if (!parts.get(0).equals("_node")) return null;
    if (parts.size() > 1 && parts.get(1).equals("stats")) return stats(base, parts.subList(2, parts.size()));
    return node(base, parts.subList(1, parts.size()));
  }

  private Map<String, Object> base() {
    Map<String, Object> base = new LinkedHashMap<>();
    base.put("host", Hosts.name());
    base.put("version", Main.VERSION);
    base.put("http_address", address);
    base.put("id", agent.id());
    base.put("name", agent.settings().text("node.name"));
    base.put("ephemeral_id", agent.ephemeralId());
    base.put("status", "green");
    base.put("snapshot", false);
    base.put("pipeline", Log.pairs("workers", agent.settings().number("pipeline.workers"), "batch_size", agent.settings().number("pipeline.batch.size"), "batch_delay",
        agent.settings().number("pipeline.batch.delay")));
    return base;
  }

  private static Map<String, Object> root(Map<String, Object> base) {
    base.put("build_date", "2021-01-13T00:00:00+00:00");
    base.put("build_sha", "stand-in");
    base.put("build_snapshot", false);
    return base;
  }

  private Map<String, Object> node(Map<String, Object> base, List<String> wanted) {
    Map<String, Object> parts = new LinkedHashMap<>();
    parts.put("pipelines", each(pipeline -> pipelineInfo(pipeline)));
    parts.put("os", os());
    parts.put("jvm", jvmInfo());
    if (wanted.isEmpty()) base.putAll(parts);
    else if (wanted.get(0).equals("plugins")) plugins(base);
    else if (parts.containsKey(wanted.get(0))) return only(base, wanted, parts.get(wanted.get(0)));
    else return null;
    return base;
  }

  private Map<String, Object> only(Map<String, Object> base, List<String> wanted, Object value) {
    if (wanted.size() > 1) {
      if (!(value instanceof Map<?, ?> map) || !map.containsKey(wanted.get(1))) return null;
      base.put(wanted.get(0), Map.of(wanted.get(1), map.get(wanted.get(1))));
    } else base.put(wanted.get(0), value);
    return base;
  }

  private Map<String, Object> each(java.util.function.Function<Pipeline, Map<String, Object>> report) {
    Map<String, Object> all = new LinkedHashMap<>();
    agent.pipelines().forEach((name, pipeline) -> all.put(name, report.apply(pipeline)));
    return all;
  }

  private Map<String, Object> pipelineInfo(Pipeline pipeline) {
    return Log.pairs("ephemeral_id", pipeline.ephemeralId(), "hash", hash(pipeline), "workers", pipeline.config().workers(), "batch_size", pipeline.config().batchSize(),
        "batch_delay", pipeline.config().batchDelay(), "config_reload_automatic", agent.settings().flag("config.reload.automatic"), "config_reload_interval",
        agent.settings().reloadMillis() * 1_000_000, "dead_letter_queue_enabled", false);
  }

  private static String hash(Pipeline pipeline) {
    try {
      byte[] digest = java.security.MessageDigest.getInstance("SHA-256").digest(pipeline.config().text().getBytes(java.nio.charset.StandardCharsets.UTF_8));
      return java.util.HexFormat.of().formatHex(digest);
    } catch (java.security.NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private void plugins(Map<String, Object> base) {
    Gems gems = new Gems(java.nio.file.Path.of(System.getenv().getOrDefault("LOGSTASH_HOME", ".")));
    List<Object> all = gems.plugins().stream().map(gem -> (Object) Log.pairs("name", gem.name(), "version", gem.version())).toList();
    base.put("total", all.size());
    base.put("plugins", all);
  }

  private static Map<String, Object> os() {
    java.lang.management.OperatingSystemMXBean os = ManagementFactory.getOperatingSystemMXBean();
    return Log.pairs("name", os.getName(), "arch", os.getArch(), "version", os.getVersion(), "available_processors", os.getAvailableProcessors());
  }

  private static Map<String, Object> jvmInfo() {
    java.lang.management.RuntimeMXBean runtime = ManagementFactory.getRuntimeMXBean();
    MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
    return Log.pairs("pid", runtime.getPid(), "version", System.getProperty("java.version"), "vm_version", runtime.getVmVersion(), "vm_vendor", runtime.getVmVendor(),
        "vm_name", runtime.getVmName(), "start_time_in_millis", STARTED, "mem", Log.pairs("heap_init_in_bytes", memory.getHeapMemoryUsage().getInit(), "heap_max_in_bytes",
            memory.getHeapMemoryUsage().getMax(), "non_heap_init_in_bytes", memory.getNonHeapMemoryUsage().getInit(), "non_heap_max_in_bytes", 0),
        "gc_collectors", ManagementFactory.getGarbageCollectorMXBeans().stream().map(GarbageCollectorMXBean::getName).toList());
  }

  private Map<String, Object> stats(Map<String, Object> base, List<String> wanted) {
    Map<String, Object> parts = new LinkedHashMap<>();
    parts.put("jvm", jvm());
    parts.put("process", process());
    parts.put("events", total());
    parts.put("pipelines", each(this::pipelineStats));
    parts.put("reloads", Log.pairs("successes", sum(true), "failures", sum(false)));
    parts.put("os", new HashMap<>());
    parts.put("queue", Log.pairs("events_count", agent.pipelines().values().stream().mapToInt(Pipeline::queued).sum()));
    if (wanted.isEmpty()) base.putAll(parts);
    else if (parts.containsKey(wanted.get(0))) return only(base, wanted, parts.get(wanted.get(0)));
    else return null;
    return base;
  }

  private int sum(boolean successes) {
    return agent.pipelines().keySet().stream().map(agent::reloads).mapToInt(each -> successes ? each.successes : each.failures).sum();
  }

  private Map<String, Object> total() {
    long in = 0;
    long out = 0;
    long nanos = 0;
    for (Pipeline pipeline : agent.pipelines().values()) {
      in += pipeline.counters().in.sum();
      out += pipeline.counters().out.sum();
      nanos += pipeline.counters().nanos.sum();
    }
    return Log.pairs("in", in, "filtered", out, "out", out, "duration_in_millis", nanos / 1_000_000, "queue_push_duration_in_millis", 0);
  }

  private Map<String, Object> pipelineStats(Pipeline pipeline) {
    Plugin.Counters all = pipeline.counters();
    long pushed = pipeline.inputs().stream().mapToLong(input -> input.counters().nanos.sum()).sum() / 1_000_000;
    Agent.Reloads reloads = agent.reloads(pipeline.config().id());
    Map<String, Object> error = reloads.lastError == null ? null : Log.pairs("message", reloads.lastError, "backtrace", List.of());
    return Log.pairs("events", Log.pairs("queue_push_duration_in_millis", pushed, "out", all.out.sum(), "in", all.in.sum(), "filtered", all.out.sum(), "duration_in_millis",
            all.nanos.sum() / 1_000_000),
        "plugins", Log.pairs(
            "inputs", pipeline.inputs().stream().map(input -> (Object) Log.pairs("id", input.id(), "name", input.type().name(), "events",
                Log.pairs("queue_push_duration_in_millis", input.counters().nanos.sum() / 1_000_000, "out", input.counters().out.sum()))).toList(),
            "codecs", List.of(),
            "filters", pipeline.filters().stream().map(Reports::processed).toList(),
            "outputs", pipeline.outputs().stream().map(Reports::processed).toList()),
        "reloads", Log.pairs("last_error", error, "successes", reloads.successes, "last_success_timestamp", time(reloads.lastSuccess), "last_failure_timestamp",
            time(reloads.lastFailure), "failures", reloads.failures),
        "queue", Log.pairs("type", "memory", "events_count", 0, "queue_size_in_bytes", 0, "max_queue_size_in_bytes", 0),
        "hash", hash(pipeline), "ephemeral_id", pipeline.ephemeralId());
  }

  private static String time(java.time.Instant time) {
    return time == null ? null : Json.timestamp(time);
  }

  private static Object processed(Plugin plugin) {
    Plugin.Counters counters = plugin.counters();
    return Log.pairs("id", plugin.id(), "name", plugin.type().name(), "events", Log.pairs("out", counters.out.sum(), "in", counters.in.sum(), "duration_in_millis",
        counters.nanos.sum() / 1_000_000));
  }

  private static Map<String, Object> jvm() {
    MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
    MemoryUsage other = ManagementFactory.getMemoryMXBean().getNonHeapMemoryUsage();
    Map<String, Object> collectors = new LinkedHashMap<>();
    List<GarbageCollectorMXBean> all = ManagementFactory.getGarbageCollectorMXBeans();
    for (int i = 0; i < all.size(); i++)
      collectors.put(i == 0 ? "young" : "old", Log.pairs("collection_count", all.get(i).getCollectionCount(), "collection_time_in_millis", all.get(i).getCollectionTime()));
    return Log.pairs("threads", Log.pairs("count", ManagementFactory.getThreadMXBean().getThreadCount(), "peak_count", ManagementFactory.getThreadMXBean().getPeakThreadCount()),
        "mem", Log.pairs("heap_used_percent", 100 * heap.getUsed() / heap.getMax(), "heap_committed_in_bytes", heap.getCommitted(), "heap_max_in_bytes", heap.getMax(),
            "heap_used_in_bytes", heap.getUsed(), "non_heap_used_in_bytes", other.getUsed(), "non_heap_committed_in_bytes", other.getCommitted()),
        "gc", Log.pairs("collectors", collectors), "uptime_in_millis", ManagementFactory.getRuntimeMXBean().getUptime());
  }

  private static Map<String, Object> process() {
    OperatingSystemMXBean os = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    Map<String, Object> process = new LinkedHashMap<>();
    if (os instanceof UnixOperatingSystemMXBean unix) {
      process.put("open_file_descriptors", unix.getOpenFileDescriptorCount());
      process.put("peak_open_file_descriptors", unix.getOpenFileDescriptorCount());
      process.put("max_file_descriptors", unix.getMaxFileDescriptorCount());
    }
    process.put("mem", Log.pairs("total_virtual_in_bytes", os.getCommittedVirtualMemorySize()));
    process.put("cpu", Log.pairs("total_in_millis", os.getProcessCpuTime() / 1_000_000, "percent", Math.max(0, Math.round(os.getProcessCpuLoad() * 100)), "load_average",
        Log.pairs("1m", os.getSystemLoadAverage())));
    return process;
  }
}
