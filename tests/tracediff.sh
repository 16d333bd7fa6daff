#!/bin/sh
# gort-trace's keys, diff, calibrate and summary on recorded traces of Go, against the answers in trace/expect.txt,
# which were those of Go's differ (tests/trace/go/tracediff) when they were recorded; and the errors.
# "tracediff.sh -u" in the build tree records them anew.
. "${srcdir:=.}/tests/support/test.sh"
g=$PWD/tools/gort-trace mkdefect=$PWD/tests/trace/mkdefect
case $srcdir in /*) here=$srcdir/tests/trace ;; *) here=$PWD/$srcdir/tests/trace ;; esac
cd "$here" || exit 1
say() { # COMMAND...: what it answers, and its status
	echo "== $*"
	"$g" "$@" 2>&1
	echo "-> $?"
}
{
	for r in annot gcforced locks pingpong pool timers; do say diff -base base/$r.p1.json runs/$r.trace; done
	say diff -base base/locks.p2.json runs/locks-2procs.trace
	# one round more, another pace, another program, another number of processors
	say diff -base base/pingpong.p1.json runs/pingpong-201.trace
	say diff -times=false -base base/gcforced.p1.json runs/gcforced-gogc200.trace
	say diff -times=false -base base/pool.p1.json runs/timers.trace
	say diff -base base/locks.p1.json runs/locks-2procs.trace
	say diff runs/pingpong.trace runs/pingpong.trace
	say diff runs/gcforced.trace runs/gcforced-2.trace
	say diff runs/pingpong.trace runs/pingpong-201.trace
	say diff -v runs/annot.trace runs/timers.trace
	say diff -v -base base/gcforced.p1.json runs/gcforced.trace
	# functions by other names, and back
	say diff runs/pingpong.trace runs/pingpong.trace -rename '^main\.(\w+)$=go_$1' -rename '^go_(?P<f>.*)$=main.${f}'
	say diff -rename '^main\.ponger$=other' -base base/pingpong.p1.json runs/pingpong.trace
	say diff -sched=false -v runs/pool.trace runs/pool.trace
	say keys runs/annot.trace
	say keys -rename '^main\.(.)=x$$$1' runs/pool.trace
	for r in runs/*.trace; do
		echo "== keys $r: $("$g" keys "$r" | cksum)"
	done
	say calibrate - runs/gcforced.trace runs/gcforced-2.trace runs/gcforced-gogc200.trace
	echo "== calibrate -v x.json runs/pool.trace runs/annot.trace"
	"$g" calibrate -v "$t/x.json" runs/pool.trace runs/annot.trace
	echo "== x.json: $(cksum <"$t/x.json")"
	say summary runs/gcforced.trace
	say summary -n 1 runs/annot.trace
} >"$t/got"
if test "${1-}" = -u; then
	cp "$t/got" expect.txt
	exit
fi
cmp -s expect.txt "$t/got" || { bad "other answers than in tests/trace/expect.txt:"; diff expect.txt "$t/got" | head -40; }

# a baseline of one's own: what made it is clean, what it did not see is not
"$g" calibrate "$t/own.json" runs/gcforced.trace runs/gcforced-2.trace >"$t/out" || bad "calibrate"
for r in runs/gcforced.trace runs/gcforced-2.trace; do
	"$g" diff -base "$t/own.json" $r >"$t/out" || { bad "$r against its own baseline"; cat "$t/out"; }
done
"$g" diff -base "$t/own.json" runs/gcforced-gogc200.trace >"$t/out"
test $? = 1 || bad "GOGC=200 passes for GOGC=100"
for b in base/*.json; do
	"$g" calibrate - $b | cmp - $b || bad "$b is not as calibrate writes it"
done
# runs can be added later, and baselines joined: it is as if all had been there at once
a=runs/gcforced.trace b=runs/gcforced-2.trace c=runs/gcforced-gogc200.trace d=runs/pool.trace
"$g" calibrate "$t/own2.json" $c $d >"$t/out" || bad "calibrate"
"$g" calibrate - $a $b $c $d >"$t/all"
"$g" calibrate - "$t/own.json" $c $d | cmp - "$t/all" || bad "a baseline and traces"
"$g" calibrate - $a $b "$t/own2.json" | cmp - "$t/all" || bad "traces and a baseline"
"$g" calibrate - "$t/own.json" "$t/own2.json" | cmp - "$t/all" || bad "two baselines"
"$g" calibrate - "$t/own.json" | cmp - "$t/own.json" || bad "a baseline alone"
# standard input
"$g" keys runs/pool.trace >"$t/k" && "$g" keys - <runs/pool.trace | cmp -s - "$t/k" || bad "keys from standard input"
"$g" summary - <runs/pool.trace >"$t/out" || bad "summary from standard input"
# a long trace takes no more memory than its largest generation; where it is another one is still found
"$mkdefect" -large 20 >"$t/long.trace"
(ulimit -v 32000 && exec "$g" diff "$t/long.trace" "$t/long.trace") >"$t/out" 2>&1 || bad "a long trace: $(cat "$t/out")"
"$mkdefect" -large 16 >"$t/shorter.trace"
(ulimit -v 32000 && exec "$g" diff "$t/long.trace" "$t/shorter.trace") >"$t/out" 2>&1
test $? = 1 || bad "a shorter trace: $(cat "$t/out")"
grep -q 'DIFFERS  go/.*/sequence .* first divergence at token \([0-9]*\) of [0-9]*/\1:$' "$t/out" ||
	bad "a shorter trace: $(cat "$t/out")"

# errors are status 2 and a message
fails() { # WHAT COMMAND...
	what=$1
	shift
	"$g" "$@" >"$t/out" 2>"$t/err"
	test $? = 2 || bad "$what: not status 2"
	test -s "$t/err" || bad "$what: no message"
}
head -c 3000 runs/pool.trace >"$t/cut.trace"
head -c 3000 base/pool.p1.json >"$t/cut.json"
echo '{"a": {"class": 83, "n": 1}} x' >"$t/more.json"
echo '{"a": {"class": 1, "n": 1}}' >"$t/class.json"
echo '[1, 2]' >"$t/array.json"
echo '{"a": {"class": 83, "n": 1, "runs": 2}, "b": {"class": 83, "n": 1, "runs": 3}}' >"$t/runs.json"
awk 'BEGIN { for (i = 0; i < 100000; i++) printf "[" }' >"$t/deep.json"
: >"$t/empty"
fails "no arguments" diff
fails "one trace" diff runs/pool.trace
fails "three traces" diff runs/pool.trace runs/pool.trace runs/pool.trace
fails "two traces and a baseline" diff -base base/pool.p1.json runs/pool.trace runs/pool.trace
fails "no such trace" diff runs/pool.trace "$t/none"
fails "a cut trace" diff runs/pool.trace "$t/cut.trace"
fails "an empty trace" summary "$t/empty"
fails "a cut trace in calibrate" calibrate "$t/x.json" "$t/cut.trace"
fails "calibrate without runs" calibrate "$t/x.json"
fails "calibrate into no directory" calibrate "$t/none/x.json" runs/pool.trace
for j in "$t"/*.json "$t/empty" "$t/none" "$t"; do
	case $j in */own*.json | */x.json) continue ;; esac
	fails "baseline $j" diff -base "$j" runs/pool.trace
done
for r in '(=x' '[a=x' 'a**?=x' '\p{L}=x' '(?i)a=x' 'a*?=x' '\'; do
	fails "-rename $r" diff -rename "$r" runs/pool.trace runs/pool.trace
done
TMPDIR=$t/none fails "no place for the temporary file" diff "$t/long.trace" "$t/long.trace"
fails "an unknown option" diff -x runs/pool.trace runs/pool.trace
fails "-n without a number" summary -n x runs/pool.trace
test $rc = 0 && echo "tracediff: all as expected"
exit $rc
