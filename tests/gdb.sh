#!/bin/sh
# gdb shows goroutines, their stacks and channels, in a process and in a core file of 10,000 goroutines; it finds the
# script in the program itself.
: "${GDB:=gdb}"
command -v "$GDB" >/dev/null && $GDB -nx -batch -ex 'python import gdb.unwinder; gdb.invalidate_cached_frames' >/dev/null 2>&1 || {
	echo "no gdb with Python"
	exit 77
}
prog=tests/prog/gdbdemo
t=gdb.$$
trap 'rm -rf $t' EXIT
trap 'exit 1' HUP INT TERM
mkdir $t
rc=0

# run NAME ARG...: gdb's output in $t/NAME
run() {
	name=$1
	shift
	timeout -k 1 120 $GDB -nx -batch -iex "add-auto-load-safe-path $PWD" -iex 'set print thread-events off' \
		-iex 'set debuginfod enabled off' "$@" $prog >$t/$name 2>$t/$name.err </dev/null
}

# has NAME N ERE...: N lines match
has() {
	name=$1 want=$2
	shift 2
	for l; do
		k=$(grep -Ec -e "$l" $t/$name)
		test "$k" = "$want" || { echo "$name: $k lines, not $want, are like: $l"; rc=1; }
	done
}

frames() { # of goroutine ID in NAME, whose bt follows a line "==ID"
	sed -n "/^==$2\$/,/^==/p" $t/$1 | grep '^#' | sed 's/^#\([0-9]*\) .* in \([a-zA-Z_0-9]*\) (.*/\1 \2/' | tr '\n' ' '
}

run live -ex 'break gdbdemo.c:ready' -ex 'run 12' -ex 'info goroutines' -ex 'echo ==receiver\n' -ex 'goroutine receiving[11] bt' \
	-ex 'echo ==1\n' -ex 'goroutine 1 bt' -ex 'echo ==here\n' -ex 'bt' -ex 'echo ==end\n' -ex 'up' \
	-ex 'print never' -ex 'print points' -ex 'print *(struct hchan *)points' -ex 'print done' \
	-ex 'goroutine receiving[11] frame function receive' -ex 'goroutine receiving[11] up 2' -ex 'echo ==all\n' -ex 'goroutine all bt 2' \
	-ex 'echo ==last\n' -ex 'goroutine 999 bt' -ex 'kill'
if grep -q 'ptrace\|not permitted' $t/live.err; then
	cat $t/live.err
	exit 77
fi
has live 1 '^\* 1 +running +ready at .*gdbdemo\.c:[0-9]+$' '^  [0-9]+ +GC sweep wait +bgsweep at ' \
	'^  [0-9]+ +sync\.Mutex\.Lock +locker at .*gdbdemo\.c:' '^  [0-9]+ +chan send +sender at .*gdbdemo\.c:' \
	'^  [0-9]+ +sleep +sleeper at ' '^  [0-9]+ +select .* at ' '^\* [0-9]+ +running +spinner at .*gdbdemo\.c:' \
	'^\$1 = chan int, 0 of 0, receiving: goroutines [0-9, ]+$' \
	'^\$2 = chan point, 2 of 2, sending: goroutine [0-9]+ = \{\[0\] = \{x = 1, y = 2\}, \[1\] = \{x = 3, y = 4\}\}$' \
	'^\$3 = chan point, 2 of 2, sending: goroutine [0-9]+$' '^\$4 = chan void, 0 of 0, receiving: goroutine [0-9]+$'
has live 7 '^  [0-9]+ +chan receive +receive at .*gdbdemo\.c:[0-9]+$'
has live.err 1 '^there is no goroutine 999$' 
case "$(frames live receiver)" in *" receive "*" goroutine_root "*) ;; *) echo "live: receiver: $(frames live receiver)"; rc=1 ;; esac
# gdb is where it was before
test "$(sed -n '/^==1$/,/^==here/p' $t/live | grep '^#')" = "$(sed -n '/^==here$/,/^==end/p' $t/live | grep '^#')" ||
	{ echo "live: goroutine 1 bt is not bt"; rc=1; }
n=$(sed -n '/^==all$/,/^==last/p' $t/live | grep -c '^#0 ')
m=$(sed -n '/^==all$/,/^==last/p' $t/live | grep -c '^goroutine [0-9]* \[')
test "$n" = "$m" && test "$n" -ge 15 || { echo "live: $n stacks of $m goroutines"; rc=1; }
test $rc = 0 || { cat $t/live $t/live.err; exit 1; }

# A core file, from the kernel if it puts it here.
case $(cat /proc/sys/kernel/core_pattern 2>/dev/null) in
core | core.%p)
	sh -c "ulimit -c unlimited; cd $t; timeout -k 1 60 ../$prog 10000; :" >/dev/null 2>&1
	n=10000
	;;
*) n=200 ;;
esac
core=$(ls $t/core* 2>/dev/null | head -1)
if test -z "$core"; then
	n=200
	core=$t/core
	run gen -ex 'break gdbdemo.c:ready' -ex "run $n" -ex "generate-core-file $core" -ex kill
	test -f $core || { echo "no core file"; cat $t/gen $t/gen.err; exit 77; }
fi
run post -ex "core-file $core" -ex 'info goroutines' -ex 'echo ==20\n' -ex 'goroutine receiving[20] bt' -ex 'echo ==end\n' \
	-ex "echo ==$((n / 2))\\n" -ex "goroutine receiving[$((n / 2))] bt" -ex 'echo ==end\n' -ex 'goroutine 1 bt' -ex 'goroutine 1 up' \
	-ex 'print points'
has post $((n - 5)) '^  [0-9]+ +chan receive +receive at .*gdbdemo\.c:[0-9]+$'
has post 1 '^#[0-9]+ .* in app \(.*gdbdemo\.c:' ' = chan point, 2 of 2, sending: goroutine [0-9]+ = \{\[0\] = \{x = 1, y = 2\}'
for i in 20 $((n / 2)); do
	case "$(frames post $i)" in *" receive "*" goroutine_root "*) ;; *) echo "post: receiver $i: $(frames post $i)"; rc=1 ;; esac
done
test $rc = 0 || { head -30 $t/post; tail -20 $t/post; head -20 $t/post.err; }
echo "a core of $n goroutines"
exit $rc
