#!/bin/sh
# build.sh SRCDIR OUT: Go's side of the comparison of traces: the differ (OUT/tracediff) and the programs that are traced
# (OUT/twins).  The differ reads traces with golang.org/x/exp/trace's twin in Go's own sources, internal/trace: a copy of it
# with other import paths, so nothing has to be downloaded.
set -e
src=$1 out=$2
go=${GOCMD:-go}
root=$($go env GOROOT)/src/internal/trace
test -d "$root" || { echo "build.sh: $root is missing"; exit 77; }
mkdir -p "$out/td" "$out/tw"
out=$(cd "$out" && pwd)
for d in . tracev2 version internal/tracev1; do
	mkdir -p "$out/td/trace/$d"
	for f in "$root/$d"/*.go; do
		case $f in *_test.go) continue ;; esac
		sed 's,"internal/trace,"tracediff/trace,' "$f" >"$out/td/trace/$d/$(basename "$f")"
	done
done
cp "$src"/tests/trace/go/tracediff/*.go "$out/td/"
cp "$src"/tests/trace/go/twins/main.go "$out/tw/"
printf 'module tracediff\n\ngo 1.26\n' >"$out/td/go.mod"
printf 'module twins\n\ngo 1.26\n' >"$out/tw/go.mod"
GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local
export GOFLAGS GOPROXY GOTOOLCHAIN
(cd "$out/td" && $go build -o ../tracediff .)
(cd "$out/tw" && $go build -trimpath -o ../twins .)
