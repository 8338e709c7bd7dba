package standin.logstash.manager;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** Reads the regular files of a tar archive, which is what a gem is. */
final class Tar {
  interface Each {
    void file(String name, byte[] content) throws IOException;
  }

  private static final int BLOCK = 512;

  private Tar() {}

  static void read(InputStream in, Each each) throws IOException {
    for (byte[] header = in.readNBytes(BLOCK); header.length == BLOCK && header[0] != 0; header = in.readNBytes(BLOCK)) {
      String size = text(header, 124, 12).trim();
      int length = size.isEmpty() ? 0 : Integer.parseInt(size, 8);
      byte[] content = in.readNBytes(length);
      if (content.length < length) throw new EOFException("the archive ends in the middle of a file");
      in.skipNBytes((BLOCK - length % BLOCK) % BLOCK);
      String prefix = text(header, 257, 5).equals("ustar") ? text(header, 345, 155) : "";
      char type = (char) header[156];
      if (type == '0' || type == 0) each.file(prefix.isEmpty() ? text(header, 0, 100) : prefix + "/" + text(header, 0, 100), content);
    }
  }

  private static String text(byte[] bytes, int start, int length) {
    int end = start;
    while (end < start + length && bytes[end] != 0) end++;
    return new String(bytes, start, end - start, StandardCharsets.UTF_8);
  }
}
