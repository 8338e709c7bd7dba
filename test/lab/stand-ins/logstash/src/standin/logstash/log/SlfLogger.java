package standin.logstash.log;

import org.slf4j.helpers.FormattingTuple;
import org.slf4j.helpers.MarkerIgnoringBase;
import org.slf4j.helpers.MessageFormatter;

/** What the Kafka clients log, in the same lines as everything else. */
public final class SlfLogger extends MarkerIgnoringBase {
  private static final long serialVersionUID = 1;
  private final transient Log log;

  public SlfLogger(String name) {
    this.name = name;
    this.log = Log.of(name);
  }

  private void write(Log.Level level, FormattingTuple text) {
    if (!log.enabled(level)) return;
    Throwable error = text.getThrowable();
    log.write(level, error == null ? text.getMessage() : text.getMessage() + System.lineSeparator() + Log.stackTrace(error));
  }

  private void one(Log.Level level, String format, Object a) {
    if (log.enabled(level)) write(level, MessageFormatter.format(format, a));
  }

  private void two(Log.Level level, String format, Object a, Object b) {
    if (log.enabled(level)) write(level, MessageFormatter.format(format, a, b));
  }

  private void many(Log.Level level, String format, Object... all) {
    if (log.enabled(level)) write(level, MessageFormatter.arrayFormat(format, all));
  }

  @Override public boolean isTraceEnabled() { return log.enabled(Log.Level.TRACE); }
  @Override public void trace(String text) { many(Log.Level.TRACE, text); }
  @Override public void trace(String format, Object a) { one(Log.Level.TRACE, format, a); }
  @Override public void trace(String format, Object a, Object b) { two(Log.Level.TRACE, format, a, b); }
  @Override public void trace(String format, Object... all) { many(Log.Level.TRACE, format, all); }
  @Override public void trace(String text, Throwable error) { one(Log.Level.TRACE, text, error); }
  @Override public boolean isDebugEnabled() { return log.enabled(Log.Level.DEBUG); }
  @Override public void debug(String text) { many(Log.Level.DEBUG, text); }
  @Override public void debug(String format, Object a) { one(Log.Level.DEBUG, format, a); }
  @Override public void debug(String format, Object a, Object b) { two(Log.Level.DEBUG, format, a, b); }
  @Override public void debug(String format, Object... all) { many(Log.Level.DEBUG, format, all); }
  @Override public void debug(String text, Throwable error) { one(Log.Level.DEBUG, text, error); }
  @Override public boolean isInfoEnabled() { return log.enabled(Log.Level.INFO); }
  @Override public void info(String text) { many(Log.Level.INFO, text); }
  @Override public void info(String format, Object a) { one(Log.Level.INFO, format, a); }
  @Override public void info(String format, Object a, Object b) { two(Log.Level.INFO, format, a, b); }
  @Override public void info(String format, Object... all) { many(Log.Level.INFO, format, all); }
  @Override public void info(String text, Throwable error) { one(Log.Level.INFO, text, error); }
  @Override public boolean isWarnEnabled() { return log.enabled(Log.Level.WARN); }
  @Override public void warn(String text) { many(Log.Level.WARN, text); }
  @Override public void warn(String format, Object a) { one(Log.Level.WARN, format, a); }
  @Override public void warn(String format, Object a, Object b) { two(Log.Level.WARN, format, a, b); }
  @Override public void warn(String format, Object... all) { many(Log.Level.WARN, format, all); }
  @Override public void warn(String text, Throwable error) { one(Log.Level.WARN, text, error); }
  @Override public boolean isErrorEnabled() { return log.enabled(Log.Level.ERROR); }
  @Override public void error(String text) { many(Log.Level.ERROR, text); }
  @Override public void error(String format, Object a) { one(Log.Level.ERROR, format, a); }
  @Override public void error(String format, Object a, Object b) { two(Log.Level.ERROR, format, a, b); }
  @Override public void error(String format, Object... all) { many(Log.Level.ERROR, format, all); }
  @Override public void error(String text, Throwable error) { one(Log.Level.ERROR, text, error); }
}
