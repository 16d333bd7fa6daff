#!/bin/sh
# The demo: examples/index over a tree with gctrace on, and one screen about what the collector did;
# where Go is installed, the Go twin beside it.  Run in the build tree: make demo.  DEMO_DIR, DEMO_ROUNDS.
set -eu
: "${srcdir:=..}" "${DEMO_DIR:=/usr/include}" "${DEMO_ROUNDS:=4}" "${GOCMD:=no}"
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT INT TERM
echo "indexing $DEMO_DIR, $DEMO_ROUNDS rounds, on gort (GODEBUG=gctrace=1)"
GODEBUG=gctrace=1 examples/index -dir "$DEMO_DIR" -rounds "$DEMO_ROUNDS" >"$t/c.json" 2>"$t/c.err" || {
	rc=$?
	cat "$t/c.err" >&2
	exit $rc
}
set -- "$t/c.json" "$t/c.err"
if test "$GOCMD" != no && (cd "$srcdir/bench/go" && "$GOCMD" build -o "$t/goindex" ./index) 2>/dev/null; then
	"$t/goindex" -dir "$DEMO_DIR" -rounds "$DEMO_ROUNDS" >"$t/go.json" 2>/dev/null && set -- "$@" "$t/go.json"
fi
exec awk -v DIR="$DEMO_DIR" '
function num(line, key,   m) {
	if (!match(line, "\"" key "\":[-0-9.e+]+")) return 0
	m = substr(line, RSTART, RLENGTH); sub(/^[^:]*:/, "", m); return m + 0
}
function str(line, key,   m) {
	if (!match(line, "\"" key "\":\"[^\"]*\"")) return ""
	m = substr(line, RSTART, RLENGTH); sub(/^[^:]*:"/, "", m); sub(/"$/, "", m); return m
}
function human(v) { return v >= 1e6 ? sprintf("%.2f M", v / 1e6) : sprintf("%.0f k", v / 1e3) }
FILENAME == ARGV[1] { c = $0; next }
FILENAME == ARGV[3] { go = $0; next }
/^gc [0-9]+ @/ {
	n++
	split($0, part, "MB, "); k = split(part[1], w, " "); split(w[k], h, "->"); heap[n] = h[2]
	if (h[2] > top) top = h[2]
	frac = $0; sub(/^.*s /, "", frac); if (match($0, /[0-9]+%/)) gccpu = substr($0, RSTART, RLENGTH)
	next
}
/^ *[0-9]+ +[0-9]+ [A-Za-z_]/ { words = words "  " $3 }
END {
	if (c == "") { print "demo: index printed no result" > "/dev/stderr"; exit 1 }
	printf "\n  %d files, %.1f MB, %s tokens, %d words, %d postings, sum %s\n", num(c, "files"), num(c, "bytes") / 1e6,
		human(num(c, "tokens")), num(c, "words"), num(c, "postings"), str(c, "sum")
	print "  most frequent:" words
	printf "  gort   %8s tokens/s   %d cycles, longest pause %.0f us, GC CPU %s\n", human(num(c, "ops") / num(c, "elapsed_ns") * 1e9),
		num(c, "gc"), num(c, "gc_pause_max_ns") / 1e3, gccpu
	if (go != "") {
		printf "  Go     %8s tokens/s   %d cycles, longest pause %.0f us\n", human(num(go, "ops") / num(go, "elapsed_ns") * 1e9),
			num(go, "gc"), num(go, "gc_pause_max_ns") / 1e3
		same = str(c, "sum") == str(go, "sum") && num(c, "words") == num(go, "words") && num(c, "joined") == num(go, "joined")
		printf "  sums %s; time gort / Go = %.2f\n", same ? "equal" : "DIFFER", num(c, "ns_op") / num(go, "ns_op")
		if (!same) bad = 1
	}
	printf "  heap at the end of each cycle, up to %d MB:\n  ", top
	split("▁ ▂ ▃ ▄ ▅ ▆ ▇ █", bar, " ")
	step = n > 64 ? n / 64 : 1
	for (i = 1; i <= n; i += step) {
		v = heap[int(i)]; b = top > 0 ? int(v * 7 / top) + 1 : 1
		printf "%s", bar[b]
	}
	print "\n"
	exit bad
}' "$@"
