#!/bin/sh
# usage: build.sh BUILDDIR.  Builds BUILDDIR/goverdict: the program beside this script around Go's own trace reader,
# which is copied out of Go's tree because its import paths are internal.
set -e
here=$(cd "$(dirname "$0")" && pwd)
go=${GOCMD:-go}
trace=$($go env GOROOT)/src/internal/trace
rm -rf "$1/src"
mkdir -p "$1/src/trace/internal"
cp -r "$trace"/*.go "$trace/tracev2" "$trace/version" "$trace/raw" "$1/src/trace"
cp -r "$trace/internal/tracev1" "$1/src/trace/internal"
chmod -R u+w "$1/src"
find "$1/src" -name '*_test.go' -exec rm {} +
find "$1/src" -name '*.go' -exec sed -i 's#"internal/trace#"goverdict/trace#' {} +
cp "$here/main.go" "$1/src"
printf 'module goverdict\n\ngo 1.26\n' >"$1/src/go.mod"
cd "$1/src"
GOFLAGS=-mod=mod GOPROXY=off GOWORK=off exec $go build -o ../goverdict .
