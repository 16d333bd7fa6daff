#!/bin/sh
# When memory, address space, threads or files run out, a program ends as a Go program does: a fatal
# error that says so, status 2, no hang, no death by a signal.  100,000 parked goroutines cost what they
# may; with "full" it is 1,000,000.
: "${srcdir:=.}"
out=limits.$$.out
trap 'rm -f $out' EXIT
trap 'exit 1' HUP INT TERM
ulimit -c 0
rc=0 n=0 ok=0 skipped=
unset GOGC GOMEMLIMIT GOMAXPROCS GODEBUG GOTRACEBACK

# ends NAME: what ran with status $r and output $out either got through or failed as it should.
ends() {
	n=$((n + 1))
	if test $r -eq 0 && grep -q '^done$' $out; then
		ok=$((ok + 1))
		return
	fi
	if test $r -eq 127 && grep -q 'shared librar' $out; then
		return # the dynamic linker gave up first
	fi
	if test $r -ne 2 || ! grep -Eq '^(fatal error: |runtime: mmap: )' $out ||
		grep -Eq 'unexpected signal|panic during panic|stack trace unavailable|SIGSEGV|nil pointer' $out; then
		echo "$1: status $r"
		head -15 $out
		rc=1
	fi
}

# with LIMITS HOG...
with() {
	(ulimit $1 && shift && exec timeout -k 1 30 tests/prog/hog "$@") >$out 2>&1
	r=$?
	ends "ulimit $*"
}

# ---- address space: the start fails at each of its steps

v=4000
while test $v -lt 1500000; do
	with "-v $v" small 100
	v=$((v + 11000))
done
test $ok -gt 10 || { echo "no program fits into 1.5 GB"; rc=1; }
for v in 1400000 2000000; do
	for k in small large goroutines threads; do
		with "-v $v" $k
		test $r -eq 2 || { echo "$k got through"; rc=1; }
	done
done

# says ERE: the last one did.
says() {
	grep -Eq -e "$1" $out || { echo "want: $1"; head -5 $out; rc=1; }
}
with '-v 2000000' small
says '^runtime: out of memory: cannot allocate [0-9]*-byte block \([0-9]* in use\)$'
says '^fatal error: out of memory$'
with '-v 2000000' threads
says '^runtime: failed to create new OS thread \(have [0-9]* already; errno=11\)$'
says '^runtime: may need to increase max user processes \(ulimit -u\)$'
says '^fatal error: newosproc$'
with '-v 2000000' goroutines
says '^fatal error: out of memory$'

# ---- data segment, stack, files, processes

for d in 1000 5000 20000 60000; do
	with "-d $d" small 100
	with "-d $d" small
done
for s in 64 1024 unlimited; do
	with "-s $s" small 100
	test $r -eq 0 || { echo "stack $s: status $r"; head -5 $out; rc=1; }
done
for f in 3 4 5 6; do
	with "-n $f" churn 5000
done
if test "$(id -u)" = 0; then
	if command -v setpriv >/dev/null && command -v prlimit >/dev/null && d=$(mktemp -d) && cp tests/prog/hog $d/hog && chmod 755 $d $d/hog; then
		for u in 1 2 3 4 5 20; do
			(cd $d && setpriv --reuid=54321 --clear-groups prlimit --nproc=$u timeout -k 1 30 ./hog threads 100) >$out 2>&1
			r=$?
			case $r in
			126 | 127) continue ;; # the place is not to be run from
			esac
			grep -q '^timeout: ' $out || ends "ulimit -u $u"
		done
		rm -rf $d
	else
		skipped="$skipped ulimit -u"
	fi
fi

# ---- many goroutines

goroutines=100000 limit=6000
test "$1" = full && goroutines=1000000
timeout -k 1 300 tests/prog/parked $goroutines $limit >$out 2>&1
r=$?
cat $out
test $r -eq 0 || { echo "parked $goroutines: status $r"; rc=1; }
# Guards of other kinds, for older kernels: mprotect has too few mappings for all.
for g in uffd mprotect; do
	GODEBUG=stackguard=$g timeout -k 1 300 tests/prog/parked 40000 $limit >$out 2>&1
	r=$?
	test $r -eq 0 || { echo "parked 40000, stackguard=$g: status $r"; head -15 $out; rc=1; }
done
echo "vm.max_map_count $(cat /proc/sys/vm/max_map_count 2>/dev/null) (default 65530)"
echo "$n programs under limits, $ok got through${skipped:+; skipped:$skipped}"
exit $rc
