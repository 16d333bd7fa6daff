#!/bin/sh
# examples/index: the same counts for every number of processors and workers, every pace and mode of the collector;
# equal to the Go twin where Go is installed, and to an independent count by awk; clear errors.
. "${srcdir:=.}/tests/support/test.sh"
: "${GOCMD:=no}"
pick() { for k in bytes failed files joined postings sum tokens words; do grep -o "\"$k\":[^,}]*" "$1"; done; }
mkdir -p "$t/tree/a/b" "$t/tree/empty" "$t/other"
awk -v T="$t" 'BEGIN { srand(7); for (i = 0; i < 60; i++) { f = T "/tree/" (i % 3 ? "a/" : "") (i % 5 ? "" : "b.") i ".txt";
	for (j = 0; j < 400; j++) { w = ""; n = int(rand() * 9) + 1; for (k = 0; k < n; k++) w = w substr("abcdefgh_09XYZ", int(rand() * 14) + 1, 1);
		printf "%s%s", w, substr(" \n,;-", int(rand() * 5) + 1, 1) > f } close(f) } }'
ln -s ../other "$t/tree/link"
printf 'not counted' >"$t/other/x"
: >"$t/tree/a/b/empty.txt"
LC_ALL=C awk '{ gsub(/[^A-Za-z0-9_]+/, " "); n = split($0, w, " "); for (i = 1; i <= n; i++)
	if (w[i] ~ /^[A-Za-z_]/ && length(w[i]) >= 2 && length(w[i]) <= 64) { t++; if (!(w[i] in d)) { d[w[i]] = 1; u++ }
		if (!((FILENAME, w[i]) in p)) { p[FILENAME, w[i]] = 1; s++ } } }
	END { printf "\"postings\":%d\n\"tokens\":%d\n\"words\":%d\n", s, t, u }' $(find "$t/tree" -type f) >"$t/awk"
trees="$t/tree /usr/include/linux $srcdir/runtime"
go=
if test "$GOCMD" != no && (cd "$srcdir/bench/go" && $GOCMD build -o "$t/goindex" ./index); then go=1; else echo "no Go: its twin is not compared"; fi
for d in $trees; do
	test -d "$d" || continue
	examples/index -dir "$d" >"$t/first" 2>"$t/top" || bad "index -dir $d"
	pick "$t/first" >"$t/want"
	if test -n "$go"; then
		"$t/goindex" -dir "$d" >"$t/go" 2>"$t/gotop"
		pick "$t/go" >"$t/gowant"
		cmp -s "$t/want" "$t/gowant" || { bad "$d: not as the Go twin:"; diff "$t/gowant" "$t/want"; }
		cmp -s "$t/top" "$t/gotop" || { bad "$d: other top words than the Go twin's"; diff "$t/gotop" "$t/top"; }
	fi
	for procs in 1 2 8; do
		for env in GOGC=10 GOGC=100 GOGC=off GODEBUG=gcstoptheworld=1 GODEBUG=gccheckmark=1 GODEBUG=clobberfree=1; do
			env $env GOMAXPROCS=$procs examples/index -dir "$d" -workers $((procs * 3)) -rounds 2 >"$t/out" 2>"$t/err" || { bad "$env GOMAXPROCS=$procs $d: status $?"; tail -5 "$t/err"; }
			pick "$t/out" >"$t/got"
			cmp -s "$t/want" "$t/got" || { bad "$env GOMAXPROCS=$procs $d:"; diff "$t/want" "$t/got"; }
		done
	done
done
examples/index -dir "$t/tree" 2>/dev/null >"$t/first"
pick "$t/first" | grep -E 'postings|tokens|words' | cmp -s - "$t/awk" || { bad "another count than awk's"; pick "$t/first" | diff "$t/awk" -; }
fails() { # STATUS TEXT ARG...
	s=$1 x=$2
	shift 2
	examples/index "$@" >"$t/out" 2>"$t/err"
	r=$?
	test $r = $s && grep -q -- "$x" "$t/err" || { bad "index $*: status $r, not $s with \"$x\""; head -3 "$t/err"; }
}
fails 1 'index: .*/nosuch: No such file or directory' -dir "$t/nosuch"
fails 2 'flag provided but not defined: -nosuch' -nosuch
fails 2 'invalid value "x" for flag -workers' -workers x
fails 2 'workers and -shards must be at least 1' -workers 0
if test "$(id -u)" != 0; then
	mkdir -m 0 "$t/tree/closed"
	fails 1 'closed: Permission denied' -dir "$t/tree"
	chmod 700 "$t/tree/closed"
fi
exit $rc
