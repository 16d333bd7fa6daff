#!/bin/sh
# No write barrier is missing in the examples, benchmarks and stress programs, and the checker that
# says so reports exactly the lines that tests/neg/barrier.c marks.
: "${srcdir:=.}" "${CC:=cc}" "${UV_LIBS=-luv}" "${XXHASH_LIBS=-lxxhash}" "${ZLIB_LIBS=-lz}"
defs=$(sed -n 's/^GORT_DEFS = //p' Makefile)
dir=barriercheck.tmp
rm -rf $dir
mkdir $dir || exit 1
rc=0 n=0
user="-std=gnu11 -g -DGORT_CHECK -fsanitize=thread -fno-builtin-memcpy -fno-builtin-memmove -fno-builtin-memset
	-fno-optimize-sibling-calls -fno-omit-frame-pointer -I$srcdir/runtime -I$srcdir"
wrap=-Wl
for f in memcpy memmove memset qsort gort_root_add gort_root_remove gort_root_exclude; do
	wrap=$wrap,--wrap=$f
done
bad() { echo "$*"; rc=1; }

$CC -std=gnu11 -O2 -g -I"$srcdir" $defs -fno-strict-aliasing -fvisibility=hidden \
	-c "$srcdir/tools/check/gortcheck.c" -o $dir/gortcheck.o || exit 1

# build COMPILER OPTIMISATION PROGRAM.c... -> $dir/program
build() {
	cc=$1 opt=$2 objs=
	shift 2
	for f; do
		o=$dir/$(basename "$f" .c).o
		$cc $user $opt -c "$srcdir/$f" -o "$o" || return 1
		objs="$objs $o"
	done
	$cc -o $dir/program $objs $dir/gortcheck.o .libs/libgortcore.a $UV_LIBS $XXHASH_LIBS $ZLIB_LIBS -lm -lpthread -ldl $wrap
}

# the seeded mistakes
grep -nE '// (MISSING|FORGOTTEN)$' "$srcdir/tests/neg/barrier.c" | cut -d: -f1 >$dir/want
for cc in $CC gcc clang; do
	command -v $cc >/dev/null || continue
	for opt in -O0 -O2; do
		build $cc $opt tests/neg/barrier.c || { bad "$cc $opt: barrier.c does not build"; continue; }
		$dir/program >$dir/out 2>$dir/err
		s=$?
		test $s -eq 66 || { bad "$cc $opt: barrier.c: status $s, not 66"; cat $dir/err; }
		sed -n 's/^gort-check: .*barrier\.c:\([0-9]*\): .*/\1/p' $dir/err >$dir/got
		diff $dir/want $dir/got || bad "$cc $opt: barrier.c: the marked lines (<) are not those reported (>)"
		n=$((n + 1))
	done
done

# run ARGUMENTS...: the program built last
run() {
	GOMAXPROCS=2 GOGC=20 timeout 300 $dir/program "$@" >$dir/out 2>$dir/err
	s=$?
	n=$((n + 1))
	test $s -eq 0 || { bad "$prog $*: status $s"; tail -n 50 $dir/err; }
	grep -q '^gort-check' $dir/err && rc=1
}

prog=examples/index
if build $CC -O1 examples/index.c bench/twin.c; then
	run -dir "$srcdir/runtime" -workers 3 -shards 2 -rounds 2
else
	bad "$prog does not build"
fi
for f in "$srcdir"/examples/*.c "$srcdir"/tests/stress/*.c; do
	prog=${f#"$srcdir"/}
	case $prog in examples/index.c) continue ;; esac
	build $CC -O1 "$prog" || { bad "$prog does not build"; continue; }
	case $prog in tests/stress/*) run 1; continue ;; esac
	run
done
while read -r prog args; do
	if test "x$prog" != "x$last"; then
		build $CC -O1 "$prog" bench/twin.c || { bad "$prog does not build"; continue; }
		last=$prog
	fi
	run $args
done <<END
bench/alloc_large.c -size 65536 -n 200 -scan
bench/alloc_small.c -kind scan -size 64 -n 50000 -g 2
bench/alloc_small.c -kind bytes -size 16 -n 50000
bench/alloc_small.c -kind scan -size 1024 -n 5000 -live 1
bench/binarytrees.c -depth 9
bench/chanbuf.c -n 20000 -p 2 -c 2
bench/gclatency.c -kind ring -n 20000 -window 2000
bench/gclatency.c -kind map -n 20000 -window 2000
bench/gcmutate.c -mb 2 -n 20000 -g 2
bench/gosched.c -k 10 -n 20000
bench/linkedheap.c -mb 2 -gcs 2
bench/linkedheap.c -mb 2 -gcs 2 -order seq
bench/linkedheap.c -mb 2 -gcs 2 -shape list
bench/parked.c -n 500 -depth 3
bench/pingpong.c -n 5000
bench/selectn.c -k 4 -n 20000
bench/sieve.c -n 50
bench/skynet.c -n 1000 -rounds 2
bench/spawnjoin.c -mode all -n 5000
bench/spawnjoin.c -mode nested -n 5000
bench/syncs.c -op pool -g 2 -n 20000
bench/syncs.c -op once -g 2 -n 20000
bench/syncs.c -op atomic -g 2 -n 20000
bench/threadring.c -n 5000 -k 50
END
test -n "$last" || bad "no benchmark ran"
rm -rf $dir
echo "$n runs under the checker"
exit $rc
