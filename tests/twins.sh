#!/bin/sh
# Traces of tests/prog/twins are like those that Go wrote for the same programs: clean against the baselines that were
# calibrated from Go's own runs, at GOMAXPROCS 1 and 2.  The load of the machine may disturb a run, as it does Go's: one
# of TRIES (10) must be clean in each of RUNS (2).  How many cycles a program gets done beside a collector on another
# processor depends on how fast both are: with assertions on, only GOMAXPROCS 1 is judged.  Changed programs must be found.
: "${srcdir:=.}" "${RUNS:=2}" "${TRIES:=10}"
twins=tests/prog/twins
g=tools/gort-trace
base=$srcdir/tests/trace/base
t=twins.$$
trap 'rm -rf $t' EXIT
trap 'exit 1' HUP INT TERM
mkdir $t
unset GOGC GOMEMLIMIT GODEBUG GORT_TRACE
rc=0 clean=0 runs=0 tries=0
procs='1 2'
test "$(nproc 2>/dev/null || echo 2)" -ge 2 || procs=1
grep -q '^GORT_DEFS = .*GORT_DEBUG' Makefile 2>/dev/null && procs=1

# run PROCS PROG ARG...: a trace in $t/x
run() {
	p=$1
	shift
	prog=$1
	rm -f $t/x # a file that is there wakes other goroutines
	GOMAXPROCS=$p timeout -k 1 60 $twins "$prog" $t/x $2 2>$t/err || { echo "twins $*: status $?"; cat $t/err; rc=1; }
}

for p in $procs; do
	for prog in pingpong pool locks annot timers gcforced gcheavy; do
		r=0
		while test $r -lt "$RUNS"; do
			r=$((r + 1)) runs=$((runs + 1)) k=0
			while :; do
				run $p $prog
				tries=$((tries + 1))
				$g diff -times=false -base "$base/$prog.p$p.json" $t/x >$t/out && { clean=$((clean + 1)); break; }
				k=$((k + 1))
				test $k -lt "$TRIES" || { echo "$prog, GOMAXPROCS=$p:"; cut -c1-200 $t/out; rc=1; break; }
			done
		done
	done
done
echo "$clean of $runs runs clean, $tries tries"

# found WHAT PROCS BASE: $t/x must differ
found() {
	$g diff -times=false -base "$base/$3.p$2.json" $t/x >$t/out && { echo "$1: not found"; rc=1; }
	seeded=$((seeded + 1))
}
seeded=0
run 1 pingpong 201 && found "a round more" 1 pingpong
run 1 pool 101 && found "a value more" 1 pool
run 1 locks 51 && found "a lock more" 1 locks
# (annot has no transition of a goroutine, and so no keys that a region more would change: neither in Go)
run 1 timers 11 && found "a tick more" 1 timers
run 1 gcforced 4 && found "a cycle more" 1 gcforced
GOGC=200 run 1 gcheavy && found GOGC=200 1 gcheavy
GOGC=200 run 1 gcforced && found GOGC=200 1 gcforced
run 2 pingpong && found "two processors" 1 pingpong
TWINS_RULE=1 run 1 locks && found "another scheduling rule" 1 locks
TWINS_RULE=1 run 1 pool && found "another scheduling rule" 1 pool
echo "$seeded changes tried"
exit $rc
