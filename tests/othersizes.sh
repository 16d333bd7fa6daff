#!/bin/sh
# The runtime built for another table of size classes, one with more classes than Go's 68, collects,
# counts and clears as with its own; what is known at compile time follows the table.
. "${srcdir:=.}/tests/support/test.sh"
: "${CC:=cc}" "${LD:=ld}" "${OBJCOPY:=objcopy}" "${UV_LIBS:=-luv}" "${XXHASH_LIBS:=-lxxhash}" "${ZLIB_LIBS:=-lz}"
fail() {
	echo "FAIL: $*"
	exit 1
}
tools/mksizeclasses --round-waste 6.25 >"$t/sizeclasses.h" || fail "mksizeclasses"

cat >"$t/sizes.c" <<'!'
#include <stdio.h>
#include <string.h>

#include "runtime/gort.h"
#include "sizeclasses/sizeclasses.h"

_Static_assert(NumSizeClasses > 68, "the table has more classes than gort_memstats shows");

static struct {
	gort_memstats m;
	char guard[4096];
} before, after;

static int
fail(const char *what, size_t size) {
	printf("size %zu: %s\n", size, what);
	return 1;
}

// Twice, for memory that is dirty the second time.
static int
app(int argc, char **argv) {
	memset(after.guard, 0x5a, sizeof after.guard);
	gort_read_memstats(&before.m);
	for (int round = 0; round < 2; round++) {
		for (size_t size = 8; size <= 40000; size += size < 4096 ? 8 : 104) {
			char *p = gort_alloc(size, GORT_NOSCAN);
			void **q = gort_alloc(size, GORT_CONSERVATIVE);
			void **r = gort_alloc(size, GORT_CONSERVATIVE);
			for (size_t i = 0; i < size / 8; i++) {
				if (((uint64_t *)(void *)p)[i] != 0 || q[i] != NULL || r[i] != NULL)
					return fail("not zero", size);
				gort_store(q[i], i % 7 == 0 ? gort_strdup("kept") : NULL);
			}
			memset(p, 0xff, size);
			memset((void *)r, 0xff, size);
			if (size % 512 == 0)
				gort_gc();
			for (size_t i = 0; i < size / 8; i += 7)
				if (strcmp(q[i], "kept") != 0)
					return fail("lost an object", size);
			if (size >= 32 && size % 16 == 0 && (uintptr_t)p % 16 != 0)
				return fail("not aligned to 16", size);
		}
		gort_gc();
	}
	gort_read_memstats(&after.m);
	for (size_t i = 0; i < sizeof after.guard; i++)
		if (after.guard[i] != 0x5a)
			return fail("written behind gort_memstats", i);
	for (int i = 1; i < 68; i++) {
		if (after.m.BySize[i].Size != SizeClassToSize[i])
			return fail("not what BySize says", SizeClassToSize[i]);
		if (after.m.BySize[i].Mallocs == before.m.BySize[i].Mallocs)
			return fail("no object counted", SizeClassToSize[i]);
	}
	if (after.m.Mallocs - after.m.Frees != after.m.HeapObjects)
		return fail("objects do not add up", 0);
	puts("ok");
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
!

# The library as the build makes it, by hand.
srcdir=$(cd "$srcdir" && pwd) || exit 1
flags="-std=gnu11 -O1 -g -w -D_GNU_SOURCE -I$srcdir -include $t/sizeclasses.h"
cd "$t" || exit 1
lib="-fvisibility=hidden -ffp-contract=off -ftls-model=initial-exec -fno-strict-aliasing"
lib="$lib -fno-delete-null-pointer-checks -fno-omit-frame-pointer -fstack-clash-protection"
mkdir o
printf '%s\n' "$srcdir"/runtime/*.c "$srcdir"/sched/*.c |
	xargs -P 2 -n 8 sh -c 'cd o && exec "$@"' sh $CC $flags $lib -c || fail "does not compile"
for f in "$srcdir"/runtime/*.S "$srcdir"/sched/*.S; do
	test ! -f "$f" || (cd o && $CC -I"$srcdir" -c "$f") || fail "$f"
done
$LD -r -T "$srcdir/runtime/prelink.ld" -o lib.o o/*.o && $OBJCOPY --localize-hidden lib.o || fail "prelink"
$CC $flags -o sizes sizes.c lib.o $UV_LIBS $XXHASH_LIBS $ZLIB_LIBS -lpthread -ldl -lm || fail "does not link"
$CC $flags -I"$srcdir/runtime" -o torture "$srcdir/tests/stress/torture.c" lib.o $UV_LIBS $XXHASH_LIBS $ZLIB_LIBS -lpthread -ldl -lm ||
	fail "torture does not link"
for p in 1 4; do
	GOMAXPROCS=$p timeout 60 ./sizes >out 2>&1 && grep -q '^ok$' out || { head -40 out; fail "sizes, GOMAXPROCS=$p"; }
	GOMAXPROCS=$p timeout 60 ./torture 1 >out 2>&1 || { head -40 out; fail "torture, GOMAXPROCS=$p"; }
done
