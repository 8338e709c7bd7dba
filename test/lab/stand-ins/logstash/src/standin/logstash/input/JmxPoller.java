package standin.logstash.input;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeDataSupport;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;
import standin.logstash.log.Log;

/**
 * Asks one JVM, over a connection of its own, for all that its file wants. No time-outs of its own: those of the JVM's RMI settings count.
 * As in the plugin, an error in the middle leaves the connection to the garbage collector.
 */
final class JmxPoller {
  interface Taker {
    void take(String host, String path, Object value) throws InterruptedException;
  }

  private static final Pattern PLACES = Pattern.compile("(?:\\$\\{(.*?)})+");

  private final Log log;
  private final Taker taker;

  JmxPoller(Log log, Taker taker) {
    this.log = log;
    this.taker = taker;
  }

  void poll(Map<?, ?> conf) throws Exception {
    String host = (String) conf.get("host");
    JMXConnector connector = connect(host, conf);
    MBeanServerConnection server = connector.getMBeanServerConnection();
    String base = conf.get("alias") == null ? host + "_" + conf.get("port") : (String) conf.get("alias");
    for (Object each : (List<?>) conf.get("queries")) {
      Map<?, ?> query = (Map<?, ?>) each;
      String name = (String) query.get("object_name");
      Set<ObjectName> found = server.queryNames(new ObjectName(name), null);
      if (found.isEmpty()) log.warn("No jmx object found for " + name);
      for (ObjectName object : found) {
        String alias = query.containsKey("object_alias") ? replace((String) query.get("object_alias"), object.toString()) : object.toString();
        read(server, object, query.containsKey("attributes") ? (java.util.Collection<?>) query.get("attributes") : null, host, base + "." + alias);
      }
    }
    connector.close();
  }

  private static JMXConnector connect(String host, Map<?, ?> conf) throws Exception {
    Object url = conf.get("url");
    Map<String, Object> environment = new HashMap<>();
    boolean named = !String.valueOf(conf.get("username")).isEmpty();
    if (conf.containsKey("username") && conf.containsKey("password") && named)
      environment.put(JMXConnector.CREDENTIALS, new String[] {String.valueOf(conf.get("username")), String.valueOf(conf.get("password"))});
    String address = url == null ? "service:jmx:rmi:///jndi/rmi://" + host + ":" + conf.get("port") + "/jmxrmi" : String.valueOf(url);
    return JMXConnectorFactory.connect(new JMXServiceURL(address), environment);
  }

  /** A null list of attributes stands for all that the bean has. */
  private void read(MBeanServerConnection server, ObjectName object, java.util.Collection<?> wanted, String host, String path) throws Exception {
    Map<String, String> known = new LinkedHashMap<>();
    for (MBeanAttributeInfo info : server.getMBeanInfo(object).getAttributes()) known.put(snakeCase(info.getName()), info.getName());
    for (Object attribute : wanted == null ? known.values() : wanted) {
      try {
        String real = known.get(snakeCase((String) attribute));
        if (real == null)
          throw new JMException("undefined method `" + snakeCase((String) attribute) + "' for #<JMX::MBean:0x" + Integer.toHexString(object.hashCode()) + ">");
        take(server.getAttribute(object, real), host, path + "." + attribute);
      } catch (InterruptedException stopping) {
        throw stopping;
      } catch (Exception wrong) {
        log.warn("Failed retrieving metrics for attribute " + attribute + " on object " + object);
        log.warn(String.valueOf(wrong.getMessage()));
      }
    }
  }

  private void take(Object value, String host, String path) throws InterruptedException {
    if (value == null || value.getClass() != CompositeDataSupport.class) {
      taker.take(host, path, value);
      return;
    }
    CompositeDataSupport composite = (CompositeDataSupport) value;
    for (String key : composite.getCompositeType().keySet()) taker.take(host, path + "." + key, composite.get(key));
  }

  /** Every ${key} becomes what follows the first {@code key=} in the name, up to a comma; the search is for text, so ${id} also matches client-id=. */
  static String replace(String alias, String name) {
    Matcher matcher = PLACES.matcher(alias);
    if (!matcher.find()) return alias;
    String key = matcher.group(1);
    List<String> parts = new ArrayList<>(List.of(name.split(Pattern.quote(key + "="))));
    if (parts.size() < 2) throw new IllegalStateException("undefined method `split' for nil:NilClass");
    String value = parts.get(1).split(",", -1)[0];
    return replace(alias.replace("${" + key + "}", value), name);
  }

  /** How the Ruby library spells attribute names; the plugin finds an attribute by this spelling. */
  static String snakeCase(String name) {
    return name.replaceAll("([A-Z]+)([A-Z][a-z])", "$1_$2").replaceAll("([a-z\\d])([A-Z])", "$1_$2").replace('-', '_').toLowerCase(Locale.ROOT);
  }
}
