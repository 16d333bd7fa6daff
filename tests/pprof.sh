#!/bin/sh
# Profiles: the shares of a program whose shares are known, the totals of the heap, labels, text forms, the
# environment.  `go tool pprof` reads them, where Go is installed.
: "${srcdir:=.}"
p=tests/prog/profiles
d=$(mktemp -d) || exit 1
trap 'rm -rf "$d"' EXIT
rc=0
fail() { echo "pprof: $*"; rc=1; }

# text forms
$p heap $d/heap.txt 1 2>/dev/null || fail "heap: $?"
head -n 1 $d/heap.txt | grep -qE '^heap profile: [0-9]+: [0-9]+ \[[0-9]+: [0-9]+\] @ heap/1048576$' || fail "heap header: $(head -n 1 $d/heap.txt)"
grep -qE '^#	0x[0-9a-f]+	main\.keep\+0x[0-9a-f]+	+.*/profiles\.c:[0-9]+$' $d/heap.txt || fail "heap: no line of keep"
for k in Alloc TotalAlloc Sys HeapObjects Stack BuckHashSys PauseNs NumGC GCCPUFraction DebugGC MaxRSS; do
	grep -q "^# $k = " $d/heap.txt || fail "heap: no $k"
done
$p goroutine $d/g.txt 1 || fail "goroutine: $?"
head -n 1 $d/g.txt | grep -qx 'goroutine profile: total 111' || fail "goroutine header: $(head -n 1 $d/g.txt)"
sed -n 2p $d/g.txt | grep -qE '^100 @ 0x' || fail "goroutine: $(sed -n 2p $d/g.txt)"
grep -qxF '# labels: {"a":"\"b\"", "who":"sleeper"}' $d/g.txt || fail 'goroutine: no labels'
$p goroutine $d/g2.txt 2 || fail "goroutine 2: $?"
head -n 1 $d/g2.txt | grep -qxF 'goroutine 1 [running]:' || fail "goroutine 2: $(head -n 1 $d/g2.txt)"
test "$(grep -c '^main\.waiter(\.\.\.)$' $d/g2.txt)" = 100 || fail "goroutine 2: no 100 waiters"
$p threads $d/t.txt 1 || fail "threads: $?"
# eight blocked threads, and sysmon
threads=$(sed -n '1s/^threadcreate profile: total \([0-9]*\)$/\1/p' $d/t.txt)
test "${threads:-0}" -ge 9 || fail "threadcreate: $(head -n 1 $d/t.txt)"
$p stress $d/s 1 2>/dev/null || fail "stress: $?"

# the environment
GORT_CPUPROFILE=$d/env.cpu GORT_HEAPPROFILE=$d/env.heap examples/tree >/dev/null 2>&1 || fail "tree: $?"
for f in env.cpu env.heap; do
	gzip -t $d/$f || fail "$f is not compressed"
done
GORT_CPUPROFILE=/nonexistent/x examples/tree 2>&1 >/dev/null | grep -q 'GORT_CPUPROFILE: cannot open /nonexistent/x: errno 2' ||
	fail 'no message about a file that cannot be opened'

case ${GOCMD:=no} in no | '') test $rc = 0 && exit 77; exit $rc ;; esac
pprof() { PPROF_TMPDIR=$d "$GOCMD" tool pprof "$@" 2>/dev/null; }
# cum PROFILE FUNCTION [FLAG]: its cumulative part, in percent; value: in the unit of the flags
cum() { pprof -top -nodecount=1000 -nodefraction=0 ${3:+$3} $1 | awk -v f="$2" '$6 == f { sub("%", "", $5); print $5 }'; }
near() { awk -v x="${1:-0}" -v a="$2" -v b="$3" 'BEGIN { exit !(x >= a && x <= b) }' || fail "$4 is ${1:-nothing}, not in $2 to $3"; }

$p cpu $d/cpu || fail "cpu: $?"
near "$(cum $d/cpu main.hot60)" 55 65 'hot60 (60 %)'
near "$(cum $d/cpu main.hot30)" 25 35 'hot30 (30 %)'
near "$(cum $d/cpu main.hot10)" 5 15 'hot10 (10 %)'
pprof -list main.hot60 $d/cpu | grep -q 'burn(n)' || fail '-list shows no source'
pprof -raw $d/cpu | grep -qE '^1: 0x[0-9a-f]+/0x[0-9a-f]+/0x[0-9a-f]+ .*/profiles [0-9a-f]{8,} \[FN\]' || fail '-raw: no mapping with build id'

$p labels $d/labels || fail "labels: $?"
pprof -tags $d/labels >$d/tags
for l in a b; do
	near "$(awk -v l=$l '$NF == l { gsub("[(%):]", " "); print $(NF - 1) }' $d/tags)" 40 60 "the share of label $l"
done

$p heap $d/heap 2>$d/stats || fail "heap: $?"
alloc=$(awk '{ print $2 }' $d/stats)
# A sample for 512 KB: 220 of them, deviation 7 %.
x=$(pprof -top -unit=b -sample_index=inuse_space $d/heap | awk '/Showing nodes/ { sub("B", "", $(NF - 1)); print $(NF - 1) }')
near "$x" $((alloc * 3 / 4)) $((alloc * 5 / 4)) 'inuse_space against HeapAlloc'
GODEBUG=memprofilerate=1 $p heap $d/heap1 2>$d/stats || fail "heap, rate 1: $?"
alloc=$(awk '{ print $2 }' $d/stats)
x=$(pprof -top -unit=b -sample_index=inuse_space $d/heap1 | awk '/Showing nodes/ { sub("B", "", $(NF - 1)); print $(NF - 1) }')
near "$x" $((alloc * 999 / 1000)) $((alloc * 1001 / 1000)) 'inuse_space at rate 1 against HeapAlloc'
GODEBUG=memprofilerate=1 $p allocs $d/allocs 2>$d/stats || fail "allocs: $?"
total=$(awk '{ print $4 }' $d/stats)
x=$(pprof -top -unit=b $d/allocs | awk '/Showing nodes/ { sub("B", "", $(NF - 1)); print $(NF - 1) }')
near "$x" $((total * 999 / 1000)) $((total * 1001 / 1000)) 'allocs (alloc_space) at rate 1 against TotalAlloc'
near "$(cum $d/allocs main.drop)" 46 48 'the share of drop in alloc_space'

$p goroutine $d/g || fail "goroutine: $?"
near "$(cum $d/g main.waiter)" 90 90.1 'the share of waiter'
$p threads $d/t || fail "threads: $?"
pprof -raw $d/t | grep -q '^threadcreate/count' || fail 'threadcreate: not read'
for f in env.cpu env.heap; do
	pprof -top $d/$f | grep -q '^Showing nodes' || fail "$f: not read"
done
exit $rc
