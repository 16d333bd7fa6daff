#!/bin/sh
# Every header compiles alone; gort.h also as strict C11, with all its macros, and as C++.
: "${srcdir:=.}" "${CC:=cc}"
rc=0
for h in "$srcdir"/runtime/*.h "$srcdir"/sched/*.h "$srcdir"/sizeclasses/sizeclasses.h "$srcdir"/tools/replay.h; do
	$CC -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-parameter -Werror -I"$srcdir" -fsyntax-only -x c "$h" || { echo "$h does not compile alone"; rc=1; }
done
for cc in $CC gcc clang; do
	command -v $cc >/dev/null || continue
	strict='-std=c11 -Wall -Wextra -Wpedantic -Wshadow -Werror'
	$cc $strict -fsyntax-only -x c "$srcdir/runtime/gort.h" || rc=1
	for o in -O0 -O2; do
		$cc $strict $o -DUSES_ONLY -I"$srcdir" -S -o /dev/null "$srcdir/tests/gort_test.c" || { echo "$cc $o: the macros do not compile"; rc=1; }
	done
done
for cxx in g++ clang++; do
	command -v $cxx >/dev/null || continue
	echo '#include <string>' | $cxx -fsyntax-only -x c++ - 2>/dev/null || continue
	$cxx -std=c++17 -Wall -Wextra -Werror -fsyntax-only -x c++ "$srcdir/runtime/gort.h" || rc=1
done
exit $rc
