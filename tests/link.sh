#!/bin/sh
# Programs linked in every way there is see one barrier flag, keep their barriers and their roots.
: "${srcdir:=.}" "${CC:=cc}" "${UV_LIBS:=-luv}" "${XXHASH_LIBS:=-lxxhash}" "${ZLIB_LIBS:=-lz}"
dir=link.$$
mkdir $dir || exit 1
trap 'rm -rf $dir' EXIT
trap 'exit 1' HUP INT TERM
rc=0 n=0 skipped=
inc="-I$srcdir/runtime -I$srcdir/tests/link -std=gnu11 -fno-omit-frame-pointer"
static=.libs/libgort.a
shared=.libs/libgort.so
libs="$UV_LIBS $XXHASH_LIBS $ZLIB_LIBS -lpthread -ldl"

# try NAME COMMAND...: the command makes $dir/p, which then runs with $arg
try() {
	name=$1
	shift
	if ! "$@" -o $dir/p >$dir/out 2>&1; then
		echo "$name: does not link"
		head -5 $dir/out
		rc=1
		return
	fi
	n=$((n + 1))
	LD_LIBRARY_PATH=$dir:.libs timeout -k 1 60 $dir/p $arg >$dir/out 2>&1
	r=$?
	test $r -eq 0 || { echo "$name: status $r"; head -20 $dir/out; rc=1; }
}

linkers=
for l in bfd gold lld; do
	echo 'int main(void) { return 0; }' >$dir/t.c
	if $CC -fuse-ld=$l -o $dir/t $dir/t.c 2>/dev/null; then
		linkers="$linkers $l"
	else
		skipped="$skipped $l"
	fi
done

for cc in $CC gcc clang; do
	command -v $cc >/dev/null 2>&1 || { skipped="$skipped $cc"; continue; }
	case " $done " in *" $cc "*) continue ;; esac
	done="$done $cc"
	$cc $inc -O2 -fPIC -shared -o $dir/libdso.so "$srcdir/tests/link/dso.c" || { rc=1; continue; }
	for pie in "-fno-pie -no-pie" "-fPIE -pie" "-fPIC -pie"; do
		arg=
		try "$cc static $pie" $cc $inc -O2 $pie "$srcdir/tests/link/main.c" $static $libs
		try "$cc static $pie -O0" $cc $inc -O0 $pie "$srcdir/tests/link/main.c" $static $libs
		arg=$dir/libdso.so
		try "$cc static $pie, dlopen" $cc $inc -O2 $pie -rdynamic "$srcdir/tests/link/main.c" $static $libs
		arg=
		try "$cc static $pie, shared object" $cc $inc -O2 $pie -rdynamic -DLINKED_DSO \
			"$srcdir/tests/link/main.c" $static -L$dir -ldso $libs
		test -f $shared || continue
		try "$cc shared $pie" $cc $inc -O2 $pie "$srcdir/tests/link/main.c" -L.libs -lgort $libs
		try "$cc shared $pie, shared object" $cc $inc -O2 $pie -DLINKED_DSO \
			"$srcdir/tests/link/main.c" -L$dir -ldso -L.libs -lgort $libs
		arg=$dir/libdso.so
		try "$cc shared $pie, dlopen" $cc $inc -O2 $pie "$srcdir/tests/link/main.c" -L.libs -lgort $libs
	done
	arg=
	for l in $linkers; do
		try "$cc $l, gc-sections" $cc $inc -O2 -fuse-ld=$l -ffunction-sections -fdata-sections -Wl,--gc-sections \
			-DNO_DSO "$srcdir/tests/link/main.c" $static $libs
	done
done
test -f $shared || skipped="$skipped libgort.so"
echo "$n ways to link${skipped:+; skipped:$skipped}"
exit $rc
