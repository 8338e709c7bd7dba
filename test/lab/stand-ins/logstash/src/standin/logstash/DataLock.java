package standin.logstash;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** One process for each data folder: an exclusive lock on {@code .lock} in it, held until the process ends. */
final class DataLock {
  private static FileChannel held;

  private DataLock() {}

  /** False where another process has it. */
  static boolean take(Path data) throws IOException {
    FileChannel channel = FileChannel.open(data.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() != null) {
        held = channel;
        return true;
      }
    } catch (OverlappingFileLockException ours) {
      // Falls through: somebody has it.
    }
    channel.close();
    return false;
  }

  static boolean taken() {
    return held != null;
  }
}
