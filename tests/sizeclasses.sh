#!/bin/sh
# mksizeclasses: other tables compile or fail by a named constraint; wrong options are clear errors.
. "${srcdir:=.}/tests/support/test.sh"
: "${CC:=cc}"
compiles() { # WHAT OPTION...: the table is usable
	w=$1; shift
	tools/mksizeclasses "$@" >"$t/x.h" && $CC -Wall -Wextra -Werror -I"$srcdir" -fsyntax-only -x c "$t/x.h" || bad "$w: $*"
}
breaks() { # CONSTRAINT OPTION...: the table fails with that text
	w=$1; shift
	tools/mksizeclasses "$@" >"$t/x.h" || { bad "$*"; return; }
	$CC -I"$srcdir" -fsyntax-only -x c "$t/x.h" 2>"$t/err" && bad "compiles: $*"
	grep -q "$w" "$t/err" || { bad "$* does not say \"$w\""; cat "$t/err"; }
}
refused() { # TEXT OPTION...: status 2 and the text
	w=$1; shift
	tools/mksizeclasses "$@" >"$t/out" 2>"$t/err"
	test $? = 2 && grep -q -- "$w" "$t/err" && ! test -s "$t/out" || { bad "$* does not refuse with \"$w\""; cat "$t/err"; }
}
compiles "smaller objects" --max-small 16384
compiles "finer classes" --round-waste 6.25
compiles "more tail" --tail-waste 25
printf '24 100000\n100 7000 # strings\n\n3000 100\n99999 5\n' >"$t/hist"
compiles "fitted" --fit "$t/hist"
tools/mksizeclasses --fit "$t/hist" 2>&1 >/dev/null | grep -q '107100 objects (5 more are not small).*saved' || bad "--fit's report"
breaks 'the page size is not 8192' --page-size 16384
breaks 'the largest class is not the largest small size' --max-small 64512
refused 'division by a 32-bit multiplication is inexact' --tail-waste 3
refused 'bad\|"foo" is not c, text or json' --format foo
refused '5000 is not a power of two' --page-size 5000
refused '"12x" is not a number' --page-size 12x
refused '100 is not in the range' --max-small 100
refused '99 is not in the range' --tail-waste=99
refused 'unknown option "--nope"' --nope 1
refused 'needs a value' --fit
refused 'nosuchfile: No such file' --fit nosuchfile
printf '24 x\n' >"$t/bad"
refused 'bad:1: "24 x" is not SIZE COUNT' --fit "$t/bad"
tools/mksizeclasses --explain 600 | grep -q 'class 28 of 640 bytes' || bad "--explain"
tools/mksizeclasses --format json | tr -d ' \n' | grep -q '"NumSizeClasses":68' || bad "json"
case ${GOCMD:-no} in
no) ;;
*)
	go=$($GOCMD env GOROOT)/src/internal/runtime/gc/sizeclasses.go
	tools/mksizeclasses --format text | sed 's,^\(.\),// \1,' | sed 's/ *$//' >"$t/ours"
	sed -n '/^\/\/ class/,/^const/p' "$go" | grep -v '^const' | sed 's/ *$//' >"$t/gos"
	diff -u "$t/gos" "$t/ours" || bad "not Go's table"
	for a in SizeClassToSize SizeClassToNPages SizeToSizeClass8 SizeToSizeClass128; do
		sed -n "s/^var $a = .*{\(.*\)}/\1/p" "$go" | tr -d ' ' >"$t/gos"
		tools/mksizeclasses | sed -n "/ $a\[/,/^}/p" | sed 1d | tr -d ' \t\n}' | sed 's/,;$//; s/;$//' >"$t/ours"
		test -s "$t/gos" && test "$(cat "$t/gos")" = "$(cat "$t/ours")" || bad "$a is not Go's"
	done
	;;
esac
exit $rc
