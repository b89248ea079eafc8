#!/bin/sh
# out_of_tree.sh BUILD SAMPLE HOST COMPILER: installs the SDK from BUILD into an empty prefix, builds
# SAMPLE against it with COMPILER as a project of its own, and lets HOST find, load and use it.
set -eu
umask 022
build=$1 sample=$2 host=$3 compiler=$4

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" --component sdk >"$work/install.log"
# A copy: nothing of the repository may be reached from it by a relative path.
cp -R "$sample" "$work/source"
cmake -S "$work/source" -B "$work/build" -G Ninja \
    -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$compiler" >"$work/configure.log"
cmake --build "$work/build" >"$work/build.log" || { cat "$work/build.log"; exit 1; }
cmake --install "$work/build" --prefix "$work/installed" >>"$work/install.log"

mkdir "$work/sandboxes"
ALCA_SAMPLE_DIR="$work/sandboxes" "$host" "$work/installed/lib/alca/plugins"
