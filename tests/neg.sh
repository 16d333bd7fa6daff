#!/bin/sh
# Misuse that the compiler can see is an error under plain cc, also when gort.h is a system header.
: "${srcdir:=.}" "${CC:=cc}"
rc=0 n=0
for inc in -I -isystem; do
	for cc in $CC gcc clang; do
		command -v $cc >/dev/null || continue
		$cc -DN=0 $inc "$srcdir/runtime" -fsyntax-only "$srcdir/tests/neg/neg.c" || { echo "$cc $inc: the valid uses do not compile"; rc=1; }
		i=1
		while test $i -le 27; do
			# 10 and 17 are assignments in the user's own code: -Wint-conversion is its business
			case $i in 10 | 17) w="-Werror=int-conversion -Werror=incompatible-pointer-types" ;; *) w= ;; esac
			if $cc -DN=$i $w $inc "$srcdir/runtime" -fsyntax-only "$srcdir/tests/neg/neg.c" 2>/dev/null; then
				echo "$cc $inc: misuse $i compiles"
				rc=1
			fi
			i=$((i + 1)) n=$((n + 1))
		done
	done
done
echo "$n compilations"
exit $rc
