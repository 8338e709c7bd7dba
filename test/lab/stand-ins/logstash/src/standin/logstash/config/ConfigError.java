package standin.logstash.config;

/** A configuration that cannot run. {@code kind} is the exception's name in the product's log. */
public final class ConfigError extends RuntimeException {
  private static final long serialVersionUID = 1;
  private final String kind;

  public ConfigError(String kind, String message) {
    super(message, null, false, false);
    this.kind = kind;
  }

  public String kind() {
    return kind;
  }

  public static ConfigError syntax(String message) {
    return new ConfigError("LogStash::ConfigurationError", message);
  }

  public static ConfigError plugins(String message) {
    return new ConfigError("Java::JavaLang::IllegalStateException", "Unable to configure plugins: " + message);
  }
}
