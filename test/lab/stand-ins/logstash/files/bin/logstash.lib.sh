# shellcheck shell=bash
# Sourced by the launchers: finds the installation and the java to run it with, and composes the JVM's options the way 7.10.2 does:
# the lines of one jvm.options that begin with a dash, then LS_JAVA_OPTS.
unset CDPATH

# The launcher may be reached through a link, such as a "current" one; the installation is where the link leads.
source_path="$0"
if [ -L "$source_path" ]; then source_path=$(readlink -f "$source_path"); fi
LOGSTASH_HOME=$(cd "$(dirname "$source_path")/.." && pwd)
export LOGSTASH_HOME
LOGSTASH_JARS="$LOGSTASH_HOME/logstash-core/lib/jars"

# The settings folder's own jvm.options comes before the installation's.
unset LS_JVM_OPTS
after_path_settings=0
for argument in "$@"; do
  if [ $after_path_settings -eq 1 ]; then
    if [ -r "$argument/jvm.options" ]; then LS_JVM_OPTS="$argument/jvm.options"; fi
    break
  fi
  if [ "$argument" = "--path.settings" ]; then after_path_settings=1; fi
done

setup_java() {
  if [ -z "$JAVACMD" ]; then
    if [ -n "$JAVA_HOME" ]; then
      echo "Using JAVA_HOME defined java: $JAVA_HOME"
      if [ -x "$JAVA_HOME/bin/java" ]; then
        JAVACMD="$JAVA_HOME/bin/java"
        if [ -x "$LOGSTASH_HOME/jdk/bin/java" ]; then
          echo "WARNING, using JAVA_HOME while Logstash distribution comes with a bundled JDK"
        fi
      else
        echo "Invalid JAVA_HOME, doesn't contain bin/java executable"
      fi
    elif [ -x "$LOGSTASH_HOME/jdk/bin/java" ]; then
      echo "Using bundled JDK: $LOGSTASH_HOME/jdk"
      JAVACMD="$LOGSTASH_HOME/jdk/bin/java"
    else
      JAVACMD=$(command -v java)
    fi
  fi
  if [ ! -x "$JAVACMD" ]; then
    echo "could not find java; set JAVA_HOME or ensure java is in PATH"
    exit 1
  fi
  export JAVACMD

  if [ -n "$JAVA_TOOL_OPTIONS" ]; then
    echo "warning: ignoring JAVA_TOOL_OPTIONS=$JAVA_TOOL_OPTIONS"
    unset JAVA_TOOL_OPTIONS
  fi
  if [ -n "$JAVA_OPTS" ]; then
    echo "warning: ignoring JAVA_OPTS=$JAVA_OPTS; pass JVM parameters via LS_JAVA_OPTS"
  fi

  if [ -z "$LS_JVM_OPTS" ]; then
    for candidate in /etc/logstash/jvm.options "$LOGSTASH_HOME/config/jvm.options"; do
      if [ -r "$candidate" ]; then
        LS_JVM_OPTS="$candidate"
        break
      fi
    done
  fi
  JAVA_OPTS=
  if [ -f "$LS_JVM_OPTS" ]; then JAVA_OPTS=$(grep '^-' "$LS_JVM_OPTS" | tr '\n' ' '); fi
  JAVA_OPTS="$JAVA_OPTS $LS_JAVA_OPTS"
}

# Options are split at blanks, as 7.10.2 does; none of ours needs one inside.
run_class() {
  class=$1
  shift
  # shellcheck disable=SC2086
  exec "$JAVACMD" $JAVA_OPTS -XX:TieredStopAtLevel=1 -Xshare:auto -cp "$LOGSTASH_JARS/*" "$class" "$@"
}
