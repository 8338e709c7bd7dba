package standin.logstash.input;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;

/** This machine's own name. */
public final class Hosts {
  private Hosts() {}

  public static String name() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/hostname")).trim();
    } catch (IOException elsewhere) {
      return InetAddress.getLoopbackAddress().getHostName();
    }
  }
}
