#!/bin/sh
# The generated files are what their generators write.
: "${srcdir:=.}"
rc=0
tools/mksizeclasses | diff -u "$srcdir/sizeclasses/sizeclasses.h" - || rc=1
tools/mklockrank "$srcdir/tools/lockrank.txt" | diff -u "$srcdir/runtime/lockrank.h" - || rc=1
exit $rc
