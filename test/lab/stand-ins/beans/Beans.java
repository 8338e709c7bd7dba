import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.management.Attribute;
import javax.management.AttributeList;
import javax.management.AttributeNotFoundException;
import javax.management.DynamicMBean;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanInfo;
import javax.management.ObjectName;

/** A JVM with the beans that a test wants: each line of standard input is {@code OBJECT_NAME ATTRIBUTE TYPE VALUE}; says "ready" at the end. */
public final class Beans implements DynamicMBean {
  private final Map<String, Object> values = new LinkedHashMap<>();

  public static void main(String[] arguments) throws Exception {
    Map<String, Beans> beans = new LinkedHashMap<>();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] part = line.split(" ");
      beans.computeIfAbsent(part[0], name -> new Beans()).values.put(part[1], value(part[2], part[3]));
    }
    for (Map.Entry<String, Beans> bean : beans.entrySet())
      ManagementFactory.getPlatformMBeanServer().registerMBean(bean.getValue(), new ObjectName(bean.getKey()));
    System.out.println("ready");
    Thread.sleep(Long.MAX_VALUE);
  }

  private static Object value(String type, String text) {
    return switch (type) {
      case "double" -> Double.valueOf(text);
      case "int" -> Integer.valueOf(text);
      case "boolean" -> Boolean.valueOf(text);
      default -> text;
    };
  }

  @Override public Object getAttribute(String name) throws AttributeNotFoundException {
    if (!values.containsKey(name)) throw new AttributeNotFoundException(name);
    return values.get(name);
  }

  @Override public AttributeList getAttributes(String[] names) {
    AttributeList list = new AttributeList();
    for (String name : names) if (values.containsKey(name)) list.add(new Attribute(name, values.get(name)));
    return list;
  }

  @Override public void setAttribute(Attribute attribute) {
    throw new UnsupportedOperationException();
  }

  @Override public AttributeList setAttributes(AttributeList attributes) {
    throw new UnsupportedOperationException();
  }

  @Override public Object invoke(String name, Object[] arguments, String[] signature) {
    throw new UnsupportedOperationException();
  }

  @Override public MBeanInfo getMBeanInfo() {
    MBeanAttributeInfo[] all = values.entrySet().stream()
        .map(each -> new MBeanAttributeInfo(each.getKey(), each.getValue().getClass().getName(), each.getKey(), true, false, false))
        .toArray(MBeanAttributeInfo[]::new);
    return new MBeanInfo(Beans.class.getName(), "beans of a test", all, null, null, null);
  }
}
