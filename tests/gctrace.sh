#!/bin/sh
# GODEBUG=gctrace=1 prints Go's line, the goals follow the live heap as GOGC says, and they are the goals
# of the Go twin of the same program where Go is installed.
#
#	gctrace.sh [RUNS [gcmutate's flags]]: 3 runs by default, which only shows the goals beside Go's: the last
#	goal of a run depends on where it ends.  From 10 runs on they must lie within Go's spread.
: "${srcdir:=.}" "${GOCMD:=}"
runs=${1:-3}
test $# -gt 0 && shift
flags=${*:--mb 20 -n 800000 -g 2} # enough for 3 cycles at GOGC=200; 2 are needed
dir=gctrace.$$
mkdir $dir || exit 1
trap 'rm -rf $dir' EXIT
trap 'exit 1' HUP INT TERM
rc=0
unset GOMEMLIMIT GOTRACEBACK

# The line as mgc.go prints it; fmtNSAsMS has at least 2 digits that mean something.
num='(0|0\.0*[1-9][0-9]?|[0-9]\.[0-9]|[0-9]+|0\.[0-9]+)'
line="^gc [0-9]+ @[0-9]+\.[0-9]{3}s [0-9]+%: $num\+$num\+$num ms clock, $num\+$num/$num/$num\+$num ms cpu, "
line="$line[0-9]+->[0-9]+->[0-9]+ MB, [0-9]+ MB goal, [0-9]+ MB stacks, [0-9]+ MB globals, [0-9]+ P( \(forced\))?\$"

# trace PROGRAM GOGC FILE
trace() {
	GOMAXPROCS=2 GOGC=$2 GODEBUG=gctrace=1 timeout -k 1 120 $1 $flags 2>$3 >/dev/null || {
		echo "$1 (GOGC=$2): status $?"
		head -5 $3
		rc=1
	}
}

# lines FILE NAME: the grammar and the relation of goal and live heap.
lines() {
	if grep -Ev "$line" $1 >$dir/bad; then
		echo "$2: not a line of gctrace:"
		head -3 $dir/bad
		rc=1
	fi
	sed -nE 's/^gc ([0-9]+) .* ms cpu, ([0-9]+)->([0-9]+)->([0-9]+) MB, ([0-9]+) MB goal, ([0-9]+) MB stacks, ([0-9]+) MB globals.*/\1 \2 \3 \4 \5 \6 \7/p' \
		$1 | awk -v gogc=$gogc -v name="$2" '
		{ g = gogc / 100
		  if ($1 != NR) { print name ": cycle " $1 " in line " NR; bad = 1 }
		  if ($2 > $3 + 1 || $4 > $3 + 1) { print name ": heap sizes of cycle " $1 ": " $2 " " $3 " " $4; bad = 1 }
		  if (NR > 1) {
			  lo = live * (1 + g) - 1
			  hi = (live + 1) * (1 + g) + (stacks + globals + 2) * g + 1
			  if (hi < 4 * g + 1) hi = 4 * g + 1
			  if ($5 < lo || $5 > hi) {
				  print name ": goal " $5 " MB of cycle " $1 ", from " lo " to " hi " MB after " live " MB live"
				  bad = 1
			  }
		  } else if ($5 > 4 * g + 1) { print name ": first goal " $5 " MB"; bad = 1 }
		  live = $4; stacks = $6; globals = $7 }
		END { if (NR < 2) { print name ": " NR " cycles"; bad = 1 }
		  exit bad }' || rc=1
}

# last FILE: the last goal
last() {
	sed -nE 's/.* ([0-9]+) MB goal.*/\1/p' $1 | tail -1
}

go=
if test -n "$GOCMD" && command -v $GOCMD >/dev/null; then
	there=$(pwd)/$dir/gcmutate
	if (cd "$srcdir/bench/go" && $GOCMD build -o $there ./gcmutate) >$dir/out 2>&1; then
		go=$dir/gcmutate
	else
		head -3 $dir/out
	fi
fi
test -n "$go" || echo "skipped: comparison with Go, which is not installed"

for gogc in 50 100 200; do
	c= g=
	i=0
	while test $i -lt $runs; do
		i=$((i + 1))
		trace bench/gcmutate $gogc $dir/c
		lines $dir/c "GOGC=$gogc"
		c="$c $(last $dir/c)"
		if test -n "$go"; then
			trace $go $gogc $dir/go
			lines $dir/go "Go, GOGC=$gogc" # the twin has to pass, or the test is wrong
			g="$g $(last $dir/go)"
		fi
	done
	echo "GOGC=$gogc: last goal$c MB${g:+, Go$g MB}"
	test -n "$go" || continue
	# Within what Go's own runs differ by, and a few per cent, for there are few of them.
	echo "$c / $g" | awk '{
		for (i = 1; $i != "/"; i++) { s += $i; n++ }
		lo = hi = $(i + 1)
		for (i++; i <= NF; i++) { if ($i < lo) lo = $i; if ($i > hi) hi = $i }
		if (n >= 10 && (s / n < lo * 0.85 - 1 || s / n > hi * 1.15 + 1)) { print "mean goal " s / n ", Go " lo " to " hi; exit 1 } }' || rc=1
done

# Forced cycles say so, and gctrace=0 says nothing.
GODEBUG=gctrace=1 bench/parked -n 100 2>$dir/c >/dev/null
grep -Eq "$line" $dir/c && grep -q ' P (forced)$' $dir/c || { echo "no forced cycle"; head -3 $dir/c; rc=1; }
GODEBUG=gctrace=0 bench/gcmutate -mb 10 -n 10000 2>&1 >/dev/null | grep '^gc ' && { echo "gctrace=0 prints"; rc=1; }
GOGC=off GODEBUG=gctrace=1 bench/gcmutate -mb 10 -n 10000 2>&1 >/dev/null | grep '^gc ' && { echo "GOGC=off collects"; rc=1; }
exit $rc
