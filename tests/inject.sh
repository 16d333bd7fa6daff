#!/bin/sh
# Every call of the system that the runtime makes fails once, and from then on, in a build that can do so
# (--enable-debug): mmap, mprotect, madvise, munmap, thread creation, clocks.  The program gets through,
# or ends with a fatal error and status 2.
: "${srcdir:=.}"
out=inject.$$.out
err=inject.$$.err
trap 'rm -f $out $err' EXIT
trap 'exit 1' HUP INT TERM
ulimit -c 0
rc=0 n=0
unset GOGC GOMEMLIMIT GOMAXPROCS GODEBUG GOTRACEBACK
if ! GORT_FAILINJECT=nonsense tests/prog/hog small 1 2>&1 | grep -q 'GORT_FAILINJECT: unknown call'; then
	echo "skipped: this build injects no failures; configure with --enable-debug"
	exit 77
fi

# inject SPEC HOG...: sets failed if the injected failure was told of.  A thread of the runtime may be about to tell
# of its own when the program ends by itself, as in Go: so "done" is looked for where nobody else writes.
inject() {
	spec=$1
	shift
	GORT_FAILINJECT=$spec timeout -k 1 10 tests/prog/hog "$@" >$out 2>$err
	r=$?
	n=$((n + 1))
	failed=1
	if test $r -eq 0 && grep -q '^done$' $out; then
		failed=0
		return
	fi
	if test $r -ne 2 || ! grep -Eq '^(fatal error: |runtime: mmap: )' $err ||
		grep -Eq 'unexpected signal|panic during panic|stack trace unavailable|SIGSEGV|nil pointer' $err; then
		echo "$spec, hog $*: status $r"
		head -12 $out $err
		rc=1
	fi
}

# series NAME FIRST LAST: until nothing fails any more, but at most to LAST.
series() {
	i=$2 good=0 bad=0
	while test $i -le $3 && test $good -lt 40; do
		for count in 1 0; do
			inject $1:$i:$errno:$count $hog
			if test $failed = 0; then
				good=$((good + 1))
			else
				good=0 bad=$((bad + 1))
			fi
		done
		i=$((i + 1))
	done
	echo "$1, errno $errno, $hog: $bad failures told"
}

# ---- start

hog='small 100'
for errno in 12 13 11; do
	series mmap 1 150
	test $bad -gt 3 || { echo "too few calls of mmap failed"; rc=1; }
done
errno=12
series mprotect 1 60
series madvise 1 60
errno=22
series madvise 1 60
series munmap 1 60
series clock 1 30

# ---- later: a growing heap, threads

hog='small 30000'
errno=12
series mmap 30 200
series mprotect 1 60
series madvise 1 60
for errno in 11 12; do
	hog='threads 20'
	series thread 1 25
	test $bad -gt 3 || { echo "too few threads failed"; rc=1; }
done
GORT_FAILINJECT=thread:4:11:0 timeout -k 1 10 tests/prog/hog threads 20 >$out 2>&1
grep -q '^runtime: failed to create new OS thread (have [0-9]* already; errno=11)$' $out &&
	grep -q '^fatal error: newosproc$' $out || { echo "thread creation:"; head -5 $out; rc=1; }
hog='goroutines 3000'
errno=12
series mprotect 1 40
series mmap 30 120
echo "$n failures injected"
exit $rc
