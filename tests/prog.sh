#!/bin/sh
# Programs end as Go's do: texts, stack traces and statuses.  What is expected here is what Go 1.26.8
# prints for the same program, with main.main called main.app, frame arguments as (...), addresses and
# numbers of goroutines masked, and lines with file names and frames of package sync left out.
: "${srcdir:=.}" "${GOCMD:=}"
fatal=tests/prog/fatal
out=prog.$$.out
want=prog.$$.want
trap 'rm -f $out $out.raw $want' EXIT
trap 'exit 1' HUP INT TERM
ulimit -c 0
rc=0 n=0
unset GOGC GOMEMLIMIT GOMAXPROCS GODEBUG GOTRACEBACK

# run ARG...: the program's output, masked, in $out, its status in $status.
run() {
	what="$*"
	timeout -k 1 30 $fatal "$@" >$out.raw 2>&1
	status=$?
	n=$((n + 1))
	sed -e '/^	\//d' -e '/^sync\./d' -e 's/^goroutine [0-9]*/goroutine N/' -e 's/ in goroutine [0-9]*$/ in goroutine N/' \
		-e 's/0x[0-9a-f]*/0xX/g' -e 's/ m=[0-9]* / m=M /' $out.raw >$out
}

bad() {
	echo "fatal $what: $1"
	head -${2:-40} $out.raw
	rc=1
}

# is STATUS <TEXT: exactly this.
is() {
	cat >$want
	test $status -eq $1 || bad "status $status, want $1"
	cmp -s $want $out || { bad "differs from what Go prints" 0; diff $want $out; }
}

# has STATUS ERE...: these lines, among others, in this order.
has() {
	test $status -eq $1 || bad "status $status, want $1"
	shift
	for l; do
		printf '%s\n' "$l"
	done | awk -v out=$out '
		{ found = 0
		  while ((getline line <out) > 0) if (line ~ $0) { found = 1; break }
		  if (!found) { print "no line: " $0; exit 1 } }' || bad "lacks a line"
}

# hasnot ERE: no such line.
hasnot() {
	grep -Eq -e "$1" $out && bad "has $1"
}

# ---- deadlock

run deadlock_main
is 2 <<'!'
fatal error: all goroutines are asleep - deadlock!

goroutine N [chan receive]:
main.receiver(...)
main.app(...)
!
run deadlock_all
is 2 <<'!'
fatal error: all goroutines are asleep - deadlock!

goroutine N [chan receive]:
main.receiver(...)
main.app(...)

goroutine N [chan receive]:
main.receiver(...)
created by main.spawner in goroutine N

goroutine N [chan send]:
main.sender(...)
created by main.spawner in goroutine N

goroutine N [select]:
main.selector(...)
created by main.spawner in goroutine N

goroutine N [sync.Mutex.Lock]:
main.locker(...)
created by main.spawner in goroutine N

goroutine N [sync.RWMutex.RLock]:
main.rlocker(...)
created by main.spawner in goroutine N

goroutine N [sync.WaitGroup.Wait]:
main.waiter(...)
created by main.spawner in goroutine N

goroutine N [chan receive (nil chan)]:
main.nilreceiver(...)
created by main.spawner in goroutine N

goroutine N [chan send (nil chan)]:
main.nilsender(...)
created by main.spawner in goroutine N

goroutine N [select (no cases)]:
main.noselect(...)
created by main.spawner in goroutine N
!
grep -q '^	/.*fatal\.c:[0-9]* +0x' $out.raw || bad "no file and line"
run timer_stopped
has 2 '^fatal error: all goroutines are asleep - deadlock!$' '^goroutine N \[chan receive\]:$'
run goexit_main
is 2 <<'!'
deferred
fatal error: no goroutines (main called runtime.Goexit) - deadlock!
!
run goexit_main_others
is 2 <<'!'
fatal error: all goroutines are asleep - deadlock!

goroutine N [chan receive]:
main.receiver(...)
main.goexiter_wait(...)
created by main.goexit_main_others in goroutine N
!
# Somebody can still come: no deadlock.
run sleeping
is 0 <<'!'
7
!
run timer
is 0 <<'!'
8
!
run blocking
is 0 <<'!'
9 1
!

# ---- misuse

for t in 'send_closed:send on closed channel' 'select_closed:send on closed channel' \
	'close_under_sender:send on closed channel' 'close_nil:close of nil channel' \
	'close_closed:close of closed channel' 'wg_negative:sync: negative WaitGroup counter' \
	'chan_size:makechan: size out of range' 'array_size:runtime: allocation size out of range' \
	'alloc_max:runtime: allocation size out of range' 'alloc_wraps:runtime: allocation size out of range'; do
	run ${t%%:*}
	has 2 "^panic: ${t#*:}\$" '^$' '^goroutine N \[running\]:$' '^main\.app\(\.\.\.\)$'
done
for t in 'unlock_mutex:unlock of unlocked mutex' 'unlock_rw:Unlock of unlocked RWMutex' \
	'runlock_rw:RUnlock of unlocked RWMutex'; do
	run ${t%%:*}
	has 2 "^fatal error: sync: ${t#*:}\$" '^goroutine N \[running\]:$' '^main\.app\(\.\.\.\)$'
done
run nil_go
is 2 <<'!'
fatal error: go of nil func value

goroutine N [running]:
main.nil_go(...)
main.app(...)
!
run array_large
has 2 '^runtime: out of memory: cannot allocate 140737488355328-byte block \([0-9]* in use\)$' \
	'^fatal error: out of memory$' '^goroutine N gp=0xX m=M mp=0xX \[running\]:$' '^runtime\.throw\(\.\.\.\)$'
run alloc_large
has 2 '^(fatal error: (runtime: )?out of memory|runtime: out of memory: .*)$' 'runtime stack:|goroutine N'
run run_twice
has 2 '^fatal error: gort_run: the runtime was started already$'

# ---- panic

run panic
is 2 <<'!'
deferred in panicker
deferred 2
deferred 1
panic: it broke: 42

goroutine N [running]:
main.panicker(...)
main.panic_(...)
main.app(...)
!
run panic_goroutine
is 2 <<'!'
deferred in panicker
panic: it broke: 43

goroutine N [running]:
main.panicker(...)
created by main.panic_goroutine in goroutine N
!
run panic_tracer
has 2 '^panic: no room$' '^goroutine N \[running\]:$' '^main\.panic_write'
run panic_in_defer
is 2 <<'!'
panic: first
	of two lines
	panic: second

goroutine N [running]:
main.panic_again(...)
panic(...)
main.panic_in_defer(...)
main.app(...)
!

# ---- faults

run nil_deref
is 2 <<'!'
deferred
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0xX addr=0xX pc=0xX]

goroutine N [running]:
main.deref(...)
main.nil_deref(...)
main.app(...)
!
run nil_goroutine
is 2 <<'!'
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0xX addr=0xX pc=0xX]

goroutine N [running]:
main.deref(...)
created by main.nil_goroutine in goroutine N
!
run nil_call
has 2 '^panic: runtime error: invalid memory address or nil pointer dereference$' \
	'^\[signal SIGSEGV: segmentation violation code=0xX addr=0xX pc=0xX\]$' '^main\.nil_call\(\.\.\.\)$'
run bad_address
has 2 '^unexpected fault address 0xX$' '^fatal error: fault$' \
	'^\[signal SIGSEGV: segmentation violation code=0xX addr=0xX pc=0xX\]$' \
	'^goroutine N gp=0xX m=M mp=0xX \[running\]:$' '^runtime\.throw' '^runtime\.sigpanic' '^main\.deref'
grep -q '^unexpected fault address 0x123456789000$' $out.raw || bad "wrong address"
run divide_zero
has 2 '^panic: runtime error: integer divide by zero$' '^\[signal SIGFPE: .*\]$' '^main\.divide\('
for t in overflow overflow_goroutine; do for g in madvise uffd mprotect; do
	GODEBUG=stackguard=$g
	export GODEBUG
	run $t
	unset GODEBUG
	has 2 '^runtime: goroutine stack exceeds [0-9]*-byte limit$' '^runtime: sp=0xX stack=\[0xX, 0xX\]$' \
		'^fatal error: stack overflow$' '^runtime stack:$' '^runtime\.throw\(' \
		'^goroutine N gp=0xX m=M mp=0xX \[running\]:$' '^main\.recurse\(\.\.\.\)$' \
		'^\.\.\.[0-9]+ frames elided\.\.\.$' '^main\.recurse\(\.\.\.\)$'
done; done

# ---- signals

run quit
has 2 '^SIGQUIT: quit$' '^PC=0xX m=M sigcode=0$' 'gp=0xX' '^rip    0xX$'
grep -q '\[chan receive\]:$' $out || bad "the goroutine that waits is not listed"
run quit_spin
has 2 '^SIGQUIT: quit$' '^PC=0xX m=M sigcode=0$'
grep -q '^main\.spin\|^main\.quit_spin' $out || bad "no loop is listed"
run term
test $status -eq 143 || bad "status $status, want 143"
run abort
has 2 '^SIGABRT: abort$' '^PC=0xX m=M sigcode=[0-9-]*$' '^main\.abort_'

# ---- GOTRACEBACK

trace() {
	GOTRACEBACK=$1
	export GOTRACEBACK
	run $2
	what="$2 (GOTRACEBACK=$1)"
	unset GOTRACEBACK
}
trace none panic_goroutine
is 2 <<'!'
deferred in panicker
panic: it broke: 43
!
trace 0 panic_goroutine
hasnot goroutine
trace single panic_goroutine
hasnot 'chan receive'
trace all panic_goroutine
has 2 '^main\.panicker' '^goroutine N \[chan receive\]:$' '^main\.receiver' '^main\.app'
hasnot forcegchelper
trace 1 panic_goroutine
has 2 '^main\.panicker' '^main\.receiver'
for t in system 2; do
	trace $t panic_goroutine
	has 2 '^main\.panicker' '\[chan receive\]:$' '^runtime\.forcegchelper'
done
trace nonsense panic_goroutine
hasnot goroutine
trace crash panic_goroutine
test $status -eq 134 || bad "status $status, want 134"
grep -q '^main\.panicker' $out || bad "no trace"

# ---- the environment

# var NAME VALUE CASE OUTPUT
var() {
	export $1="$2"
	run $3
	what="$3 ($1=$2)"
	unset $1
	printf '%s\n' "$4" | is 0
}
cpus=$(run procs; cat $out)
for v in 0 -1 abc 99999999999 2x ''; do var GOMAXPROCS "$v" procs "$cpus"; done
for v in 1 3 1000; do var GOMAXPROCS $v procs $v; done
max=9223372036854775807
for v in abc 99999999999 2x ''; do var GOGC "$v" settings "100 $max"; done
for v in 0 -1 3 1000; do var GOGC $v settings "$v $max"; done
var GOGC off settings "-1 $max"
for v in off ''; do var GOMEMLIMIT "$v" settings "100 $max"; done
for v in 0:0 3:3 1B:1 64KiB:65536 1MiB:1048576 1GiB:1073741824 3TiB:3298534883328; do
	var GOMEMLIMIT ${v%:*} settings "100 ${v#*:}"
done
for v in -1 abc 9999999999999999999 2x 1GB '1 MiB' 1mib 99999999TiB; do
	GOMEMLIMIT=$v
	export GOMEMLIMIT
	run settings
	what="settings (GOMEMLIMIT=$v)"
	unset GOMEMLIMIT
	has 2 "^GOMEMLIMIT=$v\$" '^fatal error: malformed GOMEMLIMIT; see `go doc runtime/debug.SetMemoryLimit`$'
done
for v in foo=1 gctrace gctrace=x gctrace=1,foo , ,, gctrace=99999999999999999999; do
	var GODEBUG "$v" settings "100 $max"
done

# ---- the end

run output
test $status -eq 7 || bad "status $status, want 7"
test "$(cat $out.raw)" = 'no newline atexit' || bad 'output lost'
run goexit_main_exit
test $status -eq 3 || bad "status $status, want 3"
test "$(cat $out.raw)" = 'from a goroutine' || bad 'output lost'

# ---- threads and processes that the runtime knows nothing of

for c in alloc gc yield send go sleep blocking panic defer goexit select procs stats goid poll recover pcall \
	store timer pool limit; do
	run foreign $c
	is 2 <<'!'
fatal error: gort: call on a thread that the runtime did not make
!
	run forked $c
	is 0 <<'!'
fatal error: gort: call in the child of a fork
2 0
!
	test $c = send && continue # there can be no channel
	run before $c
	is 2 <<'!'
fatal error: gort: call before gort_run
!
done
run foreign run
has 2 '^fatal error: gort_run: the runtime was started already$'
run foreign errno
is 0 <<'!'
survived
!
run foreign segv
test $status -eq 139 || bad "status $status, want 139"
run forked segv
is 0 <<'!'
-1 11
!
run fork_exec
is 0 <<'!'
exec
4
!

# ---- where such a port dies quietly

for t in hide quiet; do
	for p in 1 2 4; do
		test $p = 2 || test $t = hide || continue
		GOMAXPROCS=$p timeout -k 1 120 tests/prog/$t >$out.raw 2>&1
		r=$?
		n=$((n + 1))
		test $r -eq 0 || { echo "$t (GOMAXPROCS=$p): status $r"; head -60 $out.raw; rc=1; }
	done
done
echo "$n programs"
exit $rc
