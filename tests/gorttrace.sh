#!/bin/sh
# gort-trace: dumps are what Go's tool printed of the same traces, defects get the verdicts of Go's reader, and wrong
# arguments are told.
: "${srcdir:=.}"
t=$srcdir/tests/trace
gt=tools/gort-trace
d=gorttrace.$$
mkdir $d || exit 1
trap 'rm -rf $d' EXIT
trap 'exit 1' HUP INT TERM
rc=0 n=0
bad() { echo "$*"; rc=1; }
TZ=UTC0
export TZ

# ---- dumps

for f in "$t"/samples/*.trace; do
	n=$((n + 1))
	gzip -dc <"${f%.trace}.dump.gz" >$d/want
	$gt dump "$f" >$d/out 2>$d/err || bad "$f: status $?: $(cat $d/err)"
	cmp -s $d/want $d/out || { bad "$f:"; diff $d/want $d/out | head -10; }
	test -s $d/err && bad "$f: $(head -1 $d/err)"
	cat "$f" | $gt dump - >$d/out 2>$d/err
	cmp -s $d/want $d/out || bad "$f: differs when it comes through a pipe"
done
# the wall clock is shown in local time, as Go does
for z in 'IST-5:30 2026-11-23T22:01:45.8529935+05:30' 'PST8 2026-11-23T08:31:45.8529935-08:00'; do
	TZ=${z%% *} $gt dump "$t/samples/story.trace" | grep -q " Wall=${z#* }\$" || bad "time zone ${z%% *}"
done

# ---- defects

tests/trace/mkdefect $d >$d/names || bad "mkdefect"
grep -v '^#' "$t/defects.txt" | sed 's/^!//' >$d/defects
cut -d' ' -f1 $d/defects | cmp -s - $d/names || bad "defects.txt and mkdefect have different names"
while read -r name verdict; do
	n=$((n + 1))
	$gt dump $d/$name.trace >$d/out 2>$d/err
	s=$?
	line=$(head -1 $d/err)
	if test "$verdict" = '"ok"'; then
		test $s = 0 || bad "$name: status $s: $line"
		continue
	fi
	test $s = 2 || bad "$name: status $s, want 2"
	# the message: file, offset, Go's verdict, the rule
	case $line in
	"gort-trace: $d/$name.trace: offset "[0-9]*": "*" [rule: "*"]") ;;
	*) bad "$name: $line" ;;
	esac
	case $verdict in
	*\\*) ;; # quoted: the library compares these below
	*)
		want=${verdict#?} want=${want%?}
		case $line in *": $want [rule: "*) ;; *) bad "$name: $line, want $want" ;; esac
		;;
	esac
	off=$(expr "$line" : '.*: offset \([0-9]*\)')
	test "$off" -le $(wc -c <$d/$name.trace) || bad "$name: offset $off is behind the end"
done <$d/defects
# what nothing can advance from is shown as Go shows it
$gt dump $d/gseq.trace 2>&1 >/dev/null | sed 1d >$d/out
cat >$d/want <<'!'

[gen=1]

M 1002 [GoStart time=600000011264 g=20 g_seq=2]
M 1001 [GoUnblock time=600000013312 g=20 g_seq=1 stack=1]
M 1005 [ProcSteal time=600000027648 p=1 p_seq=3 m=1002]
M 1003 [ProcStart time=600000028672 p=1 p_seq=4]
M 1004 [ProcStart time=600000063488 p=1 p_seq=7]

G 1 [status=Running seq=0 (gen=1)]
G 4 [status=Waiting seq=0 (gen=1)]
G 20 [status=Runnable seq=0 (gen=1)]
G 40 [status=Syscall seq=0 (gen=1)]

P 0 [status=Running seq=0 (gen=1)]
P 1 [status=Running seq=1 (gen=1)]

M 1001 [g=1 p=0]
M 1002 [g=-1 p=1]
M 1003 [g=-1 p=-1]
M 1004 [g=40 p=-1]
M 1005 [g=-1 p=-1]

GC 0 Undetermined

!
diff $d/want $d/out || bad "the states at which gseq stops"
(cd $d && sed 's/ .*//; s/$/.trace/' defects | xargs ../tests/trace/fuzz verdicts) | sed 's/\.trace [^ ]* [^ ]*//' >$d/out
cmp -s $d/defects $d/out || { bad "verdicts:"; diff $d/defects $d/out; }

# a file may end anywhere
size=$(wc -c <"$t/samples/story.trace")
i=0
while test $i -le $size; do
	head -c $i "$t/samples/story.trace" | $gt dump - >/dev/null 2>$d/err
	case $? in
	0) ;; # between generations
	2) grep -q ': offset [0-9]*.* \[rule: ' $d/err || bad "cut at $i: $(head -1 $d/err)" ;;
	*) bad "cut at $i: $(head -3 $d/err)" ;;
	esac
	i=$((i + 13))
	n=$((n + 1))
done

# ---- a large trace takes no more memory than its largest generation, 4 MB here

n=$((n + 1))
tests/trace/mkdefect -large 16 | (
	ulimit -v 32000
	exec $gt dump - 2>$d/err
) | tail -1 >$d/out
echo 'M=-1 P=-1 G=-1 Sync Time=41766156161 N=5' | diff - $d/out || bad "a large trace: $(cat $d/err)"

# ---- arguments

# is STATUS PATTERN ARG...: the status, and a line of standard error
is() {
	n=$((n + 1))
	want=$1 pat=$2
	shift 2
	$gt "$@" >$d/out 2>$d/err </dev/null
	s=$?
	test $s = $want || bad "gort-trace $*: status $s, want $want"
	test -z "$pat" || grep -q -e "$pat" $d/err || bad "gort-trace $*: $(head -3 $d/err)"
}
is 2 '^usage: gort-trace COMMAND'
is 2 'no command nonsense' nonsense
is 2 'no command nonsense' help nonsense
is 2 '^usage: gort-trace dump' dump
is 2 'one trace at a time' dump a b
is 2 'unknown option -x' dump -x a
is 2 'nowhere.trace: offset 0: failed to read trace file: open nowhere.trace: No such file' dump nowhere.trace
is 2 'offset 0: Is a directory' dump .
is 2 'bad file format: not a Go execution trace' dump "$0"
is 2 'bad file format' dump -
is 0 '' help
grep -q '^  dump ' $d/out || bad "help does not list dump"
is 0 '' --help
is 0 '' help dump
grep -q '^usage: gort-trace dump TRACE$' $d/out || bad "help dump"
if test -w /dev/full; then
	$gt dump "$t/samples/story.trace" >/dev/full 2>$d/err
	test $? = 2 || bad "a full disk passes"
	grep -q 'No space left' $d/err || bad "a full disk: $(cat $d/err)"
fi
echo "$n cases"
exit $rc
