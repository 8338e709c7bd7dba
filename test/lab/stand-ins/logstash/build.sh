#!/bin/sh
# Finishes the stand-in's tree: compiles the sources and lays out what the product's archive has.
# usage: build.sh TREE IMAGE     the pinned parts are below TREE; IMAGE is the root of a Debian with a JRE 17 and zip; needs root
#
# All is done in IMAGE, whose programs are the same everywhere, with TREE mounted in it for this process alone; IMAGE stays as it was.
set -eu

HERE=$(cd "$(dirname "$0")" && pwd)

outside() {
  tree=$1 image=$2
  mkdir "$tree/.build"
  cp -R "$HERE/." "$tree/.build/"
  # shellcheck disable=SC2016
  unshare --mount --propagation private sh -eu -c '
    mount --bind "$1" "$2/mnt"
    mount -t tmpfs tmpfs "$2/tmp"
    mount -t proc proc "$2/proc"
    exec chroot "$2" /bin/sh /mnt/.build/build.sh inside
  ' build "$tree" "$image"
  rm -rf "$tree/.build" "$tree/compiler"
}

inside() {
  export LC_ALL=C TZ=UTC PATH=/usr/sbin:/usr/bin:/sbin:/bin
  BUILD=/mnt/.build
  ROOT=/mnt/logstash-7.10.2
  JARS=$ROOT/logstash-core/lib/jars
  GEMS=$ROOT/vendor/bundle/jruby/2.5.0/gems
  cd "$BUILD"
  program
  layout
  bundled_gems
  jmx_pack
}

# The jar's bytes depend on nothing but the sources: names in order, one time for all.
program() {
  mkdir classes
  find src -name '*.java' | sort >sources
  java -XX:TieredStopAtLevel=1 -jar /mnt/compiler/ecj-*.jar -17 -proc:none -nowarn -cp "$(echo "$JARS"/*.jar | tr ' ' ':')" -d classes @sources
  pack classes "$JARS/logstash-stand-in.jar"
}

# pack FOLDER ARCHIVE: a zip archive of all files in a folder
pack() {
  find "$1" -exec touch -d '2021-01-13 00:00:00Z' {} +
  (cd "$1" && find . -type f | sed 's|^\./||' | sort | zip -q -X -D -@ "$BUILD/packed.zip")
  mv "$BUILD/packed.zip" "$2"
}

layout() {
  cp -R files/bin files/config "$ROOT/"
  mkdir -p "$ROOT/data" "$ROOT/logs"
  : >"$ROOT/data/.keep"
  : >"$ROOT/logs/.keep"
  cat >"$ROOT/README-STAND-IN" <<'END'
This is not Elastic's Logstash. It is the lab's stand-in for Logstash OSS 7.10.2: a program of this project that takes the same command
line and configuration, says the same things and does the same work for the pipelines of the lab, for machines that cannot reach Elastic's
download host.
END
}

# Each gem is a folder, as the product's are; the work of all of them is done by the stand-in's jar.
bundled_gems() {
  cat >"$ROOT/Gemfile" <<'END'
# This is a Logstash generated Gemfile.
# If you modify this file manually all comments and formatting will be lost.

source "https://rubygems.org"
gem "logstash-core", :path => "./logstash-core"
gem "logstash-core-plugin-api", :path => "./logstash-core-plugin-api"
END
  while read -r name version; do
    gem_folder "$GEMS/$name-$version" "$name" "${version%-java}"
    echo "gem \"$name\"" >>"$ROOT/Gemfile"
  done <files/gems.list
  sed -n 's/^gem "\([^"]*\)"$/    \1/p' "$ROOT/Gemfile" >"$ROOT/Gemfile.lock"
  # The product has Log4j's lookup class a second time, inside this plugin's jar: whoever strips one must find the other.
  tcp=$GEMS/logstash-input-tcp-6.0.10-java/vendor/jar-dependencies/org/logstash/inputs/logstash-input-tcp/6.0.10
  mkdir -p "$tcp"
  zip -q "$JARS"/log4j-core-2.13.3.jar --out "$tcp/logstash-input-tcp-6.0.10.jar" --copy org/apache/logging/log4j/core/lookup/JndiLookup.class
}

gem_folder() {
  mkdir -p "$1"
  printf '%s %s, of the lab'\''s stand-in: logstash-core/lib/jars/logstash-stand-in.jar does its work\n' "$2" "$3" >"$1/README"
}

# What the product fetches from a gem server is here a pack like those that it makes for machines without one.
jmx_pack() {
  mkdir -p gems pack/logstash/dependencies "$ROOT/vendor/stand-in-packs"
  gem logstash-input-jmx 3.0.7 pack/logstash
  gem jmx4r 0.1.5 pack/logstash/dependencies
  pack pack "$ROOT/vendor/stand-in-packs/logstash-input-jmx.zip"
}

# gem NAME VERSION FOLDER: a gem is a tar archive with the files and what they are, each compressed
gem() {
  work=gems/$1
  mkdir -p "$work/files" "$work/gem"
  gem_folder "$work/files" "$1" "$2"
  archive "$work/files" README | gzip -1n >"$work/gem/data.tar.gz"
  printf 'name: %s\nversion: %s\n' "$1" "$2" | gzip -1n >"$work/gem/metadata.gz"
  archive "$work/gem" data.tar.gz metadata.gz >"$3/$1-$2.gem"
}

archive() {
  folder=$1
  shift
  tar --format=ustar --owner=0 --group=0 --numeric-owner --mode=0644 --mtime='2021-01-13 00:00:00Z' -C "$folder" -cf - "$@"
}

if [ "$1" = inside ]; then inside; else outside "$1" "$2"; fi
