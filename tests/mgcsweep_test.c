// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Sweeping.
#include "runtime/gort.h"

#include "runtime/mbitmap.h"
#include "runtime/mgc.h"
#include "runtime/mgcsweep.h"
#include "runtime/runtime1.h"
#include "tests/support/support.h"

Test(SweepClass, SplitUpdate) {
	sweepClass c = 0;
	sweepClass_update(&c, 5);
	cr_assert_eq(sweepClass_load(&c), 5);
	sweepClass_update(&c, 3); // never down
	cr_assert_eq(sweepClass_load(&c), 5);
	sweepClass_update(&c, sweepClassDone);
	cr_assert_eq(sweepClass_load(&c), sweepClassDone);
	sweepClass_clear(&c);
	cr_assert_eq(sweepClass_load(&c), 0);
	for (sweepClass i = 0; i < numSweepClasses; i++) {
		bool full;
		cr_assert_eq(sweepClass_split(i, &full), i / 2);
		cr_assert_eq(full, i % 2 == 0);
	}
}

Test(ActiveSweep, States) {
	activeSweep a = {0};
	cr_assert(!activeSweep_isDone(&a));
	sweepLocker l1 = activeSweep_begin(&a);
	sweepLocker l2 = activeSweep_begin(&a);
	cr_assert(l1.valid && l2.valid);
	cr_assert_eq(activeSweep_sweepers(&a), 2);
	activeSweep_end(&a, l1);
	cr_assert_eq(activeSweep_sweepers(&a), 1);
	cr_assert(activeSweep_markDrained(&a));
	cr_assert(!activeSweep_markDrained(&a));
	cr_assert(!activeSweep_isDone(&a)); // l2 is still at work
	sweepLocker l3 = activeSweep_begin(&a);
	cr_assert(!l3.valid);
	cr_assert_eq(l3.sweepGen, mheap_.sweepgen);
	activeSweep_end(&a, l2);
	cr_assert(activeSweep_isDone(&a));
	cr_assert_eq(activeSweep_sweepers(&a), 0);
}

Test(ClobberFree, Pattern) {
	uint32_t x[6] = {1, 2, 3, 4, 5, 6};
	clobberfree(&x[1], 16);
	cr_assert_eq(x[0], 1);
	for (int i = 1; i < 5; i++) {
		cr_assert_eq(x[i], 0xdeadbeef);
	}
	cr_assert_eq(x[5], 6);
}

typedef struct node node;
struct node {
	node *next;
	uint64_t id;
	uint64_t pad[6];
};
GORT_TYPE(node, next);

static node *keep;

static NOINLINE void
garbage(int n) {
	for (int i = 0; i < n; i++) {
		node *x = gort_new(node);
		x->id = (uint64_t)i;
		if (i % 10 == 0) {
			gort_store(x->next, keep);
			gort_store(keep, x);
		}
	}
}

// sweepTest: after a cycle each span is swept, the slots without an object are free, the statistics
// agree with the bitmaps.
static void
sweepTest(void) {
	garbage(50000);
	gort_gc();
	M *mp = acquirem();
	CHECK(isSweepDone());
	CHECK(sweepone() == ~(uintptr_t)0);
	uint64_t live = 0;
	for (node *x = keep; x != NULL; x = x->next) {
		mspan *s = spanOfHeap((uintptr_t)x);
		CHECK(s != NULL);
		CHECK(s->sweepgen == mheap_.sweepgen || s->sweepgen == mheap_.sweepgen + 3);
		CHECK(s->elemsize == sizeof(node));
		CHECK(!mspan_isFree(s, mspan_objIndex(s, (uintptr_t)x)));
		CHECK(x->id % 10 == 0);
		mspan_ensureSwept(s);
		live++;
	}
	CHECK(live == 5000);
	releasem(mp);
	gort_memstats a, b;
	gort_read_memstats(&a);
	gort_store(keep, NULL);
	gort_gc();
	gort_gc();
	gort_read_memstats(&b);
	CHECK(b.Frees - a.Frees >= 4500); // stale words may keep some
	CHECK(b.HeapAlloc < a.HeapAlloc);
}

Test(Sweep, Frees) {
	RUN(sweepTest);
}

// strayTest: marks on free slots, as stale words leave them, are cleared and counted, and change
// nothing else.
static void
strayTest(void) {
	garbage(2000);
	gort_gc();
	// The list's spans have 10 % of their slots in use now.
	M *mp = acquirem();
	uint64_t stray = 0;
	for (node *x = keep; x != NULL; x = x->next) {
		mspan *s = spanOfHeap((uintptr_t)x);
		if (s->sweepgen != mheap_.sweepgen) {
			continue; // cached by a P: slots are being allocated
		}
		for (uintptr_t i = 0; i < s->nelems; i += 7) {
			markBits m = mspan_markBitsForIndex(s, i);
			if (mspan_isFree(s, i) && !markBits_isMarked(m)) {
				markBits_setMarked(m);
				stray++;
			}
		}
	}
	uint64_t before = atomic_Load(&sweep.freeMarks);
	releasem(mp);
	CHECK(stray > 100);
	gort_gc();
	CHECK(atomic_Load(&sweep.freeMarks) - before >= stray);
	uint64_t live = 0;
	for (node *x = keep; x != NULL; x = x->next) {
		mspan *s = spanOfHeap((uintptr_t)x);
		CHECK(s->allocCount <= s->nelems);
		CHECK(x->id == (199 - live) * 10);
		live++;
	}
	CHECK(live == 200);
	before = atomic_Load(&sweep.freeMarks);
	gort_gc();
	// Not again, but for what a stale word has marked.
	CHECK(atomic_Load(&sweep.freeMarks) - before < stray / 10);
}

Test(Sweep, StrayMarks) {
	RUN(strayTest);
}

// clobberTest: what is live is not clobbered, in classes with and without inline mark bits.
static void
clobberTest(void) {
	debug.clobberfree = 1;
	enum { n = 500 };
	char **v = gort_alloc(n * sizeof(char *), GORT_POINTERS);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < n; i++) {
			size_t size = (size_t)1 << (i % 16);
			char *p = gort_alloc(size, i % 3 == 0 ? GORT_CONSERVATIVE : GORT_NOSCAN);
			if (i % 3 == 0) {
				size = alignUp(size, 8);
				for (size_t j = 0; j + 8 <= size; j += 8) {
					gort_store(*(char **)(void *)(p + j), (char *)v);
				}
			} else {
				for (size_t j = 0; j < size; j++) {
					p[j] = (char)i;
				}
			}
			gort_store(v[i], p);
		}
		gort_gc();
		for (int i = 0; i < n; i++) {
			size_t size = (size_t)1 << (i % 16);
			if (i % 3 == 0) {
				CHECK(*(char **)(void *)v[i] == (char *)v);
			} else {
				CHECK(v[i][0] == (char)i && v[i][size - 1] == (char)i);
			}
		}
	}
}

Test(Sweep, Clobber) {
	RUN(clobberTest);
}
