package org.slf4j.impl;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.ILoggerFactory;
import org.slf4j.Logger;
import org.slf4j.spi.LoggerFactoryBinder;
import standin.logstash.log.SlfLogger;

/** The class that slf4j 1.7 looks for by name to find the logging it shall use. */
public final class StaticLoggerBinder implements LoggerFactoryBinder {
  public static final String REQUESTED_API_VERSION = "1.6.99";
  private static final StaticLoggerBinder ONLY = new StaticLoggerBinder();

  private final Map<String, Logger> loggers = new ConcurrentHashMap<>();

  public static StaticLoggerBinder getSingleton() {
    return ONLY;
  }

  @Override public ILoggerFactory getLoggerFactory() {
    return name -> loggers.computeIfAbsent(name, SlfLogger::new);
  }

  @Override public String getLoggerFactoryClassStr() {
    return getClass().getName();
  }
}
