#!/bin/sh
# Execution traces of all kinds of programs, with 1, 2, 4 and 8 processors, are read to their end by
# gort-trace and by go tool trace, where that is; so are those that are started and stopped at random under the
# stress programs, and those of programs that end by exit and by a panic.
#
#	trace.sh [STARTS]	traces of a stress program: 3; the acceptance is 500 in total (25)
: "${srcdir:=.}" "${GOCMD:=}"
starts=${1:-3}
# Builds with assertions write the same traces: Go's tool, which is slow, has read those of the plain one.
grep -q '^GORT_DEFS = .*GORT_DEBUG' Makefile && GOCMD=
# The tool itself starts four times as fast as by way of go.
test -n "$GOCMD" && gotrace=$($GOCMD tool -n trace 2>/dev/null) && test -x "$gotrace" || gotrace="$GOCMD tool trace"
dir=trace.$$
mkdir $dir || exit 1
trap 'rm -rf $dir' EXIT
trap 'exit 1' HUP INT TERM
rc=0
n=0

# check FILE: what is wrong with it is said.
check() {
	n=$((n + 1))
	tools/gort-trace dump $1 2>$dir/err >$dir/dump || {
		echo "$1: gort-trace: $(tail -1 $dir/err)"
		rc=1
	}
	test -n "$GOCMD" || return 0
	$gotrace -d=parsed $1 2>$dir/err >/dev/null || {
		echo "$1: go tool trace: $(tail -1 $dir/err)"
		rc=1
	}
}

# traced STATUS PROGRAM ARGS...
traced() {
	want=$1
	shift
	rm -f $dir/t
	GORT_TRACE=$dir/t timeout -k 1 120 "$@" >$dir/out 2>&1
	got=$?
	test $got = $want || { echo "$*, $GOMAXPROCS processors: status $got"; head -40 $dir/out; rc=1; }
	check $dir/t
}

for p in 1 2 4 8; do
	export GOMAXPROCS=$p
	traced 0 examples/squares
	traced 0 examples/tree
	traced 0 examples/timeout
	for b in 'pingpong -n 2000' 'spawnjoin -n 3000' 'gosched -n 3000' 'threadring -n 3000' 'selectn -n 2000' \
		'syncs -n 2000' 'skynet -n 1000' 'chanbuf -n 5000' 'binarytrees -depth 12' 'gcmutate -mb 5 -n 20000' \
		'sieve -n 100'; do
		test -x bench/${b%% *} && traced 0 bench/$b
	done
done
GODEBUG=traceallocfree=1 traced 0 examples/tree
grep -q Name=HeapObjectFree $dir/dump || { echo "traceallocfree: nothing is freed"; rc=1; }
# The names of goroutines are those of their functions, as Go's are.
GOMAXPROCS=2 GORT_TRACE=$dir/t examples/squares >/dev/null
tools/gort-trace dump $dir/t >$dir/dump
for f in main.worker main.app runtime.chanrecv1; do
	grep -q "^	$f @" $dir/dump || { echo "no frame is $f"; rc=1; }
done
for c in panic panic_goroutine send_closed nil_deref nil_goroutine divide_zero; do
	traced 2 tests/prog/fatal $c
done
traced 3 tests/prog/fatal goexit_main_exit

# stress PROCS PROGRAM...
stress() {
	p=$1
	shift
	STRESS_TRACE=$dir STRESS_TRACES=$starts GOMAXPROCS=$p GODEBUG=traceadvanceperiod=3000000 \
		timeout -k 1 120 "$@" 1 >$dir/out 2>&1 || { echo "$*, $p processors"; cat $dir/out; rc=1; }
	for t in $dir/*.trace; do
		test -f $t && check $t
	done
	rm -f $dir/*.trace
}

for p in 1 2 4 8; do
	for s in chan preempt sched timers torture; do
		test -x tests/stress/$s && stress $p tests/stress/$s
	done
done
# Where the kernel has no membarrier each M orders its own memory.
tests/prog/nomembarrier true
if test $? != 77; then
	GODEBUG=traceadvanceperiod=1000000 traced 0 tests/prog/nomembarrier examples/tree
	stress 4 tests/prog/nomembarrier tests/stress/sched
fi
echo "$n traces"
exit $rc
