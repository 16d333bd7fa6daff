// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The page heap of the running process.
#include "runtime/gort.h"

#include "runtime/mbitmap.h"
#include "runtime/mgcpacer.h"
#include "runtime/mheap.h"
#include "runtime/mstats.h"
#include "runtime/runtime.h"
#include "sched/runtime2.h"
#include "tests/support/support.h"

// ---- without a runtime --------------------------------------------------------------------------

Test(MHeap, SpanLists) {
	static mspan s[5];
	mSpanList a;
	mSpanList b;
	mSpanList_init(&a);
	mSpanList_init(&b);
	cr_assert(mSpanList_isEmpty(&a));
	mSpanList_insert(&a, &s[1]);
	mSpanList_insert(&a, &s[0]);
	mSpanList_insertBack(&a, &s[2]);
	mSpanList_insertBack(&b, &s[3]);
	mSpanList_insertBack(&b, &s[4]);
	cr_assert(a.first == &s[0] && s[0].next == &s[1] && s[1].next == &s[2] && a.last == &s[2]);
	cr_assert(mspan_inList(&s[1]));
	mSpanList_takeAll(&a, &b);
	cr_assert(mSpanList_isEmpty(&b) && b.last == NULL);
	static mspan *const want[] = {&s[3], &s[4], &s[0], &s[1], &s[2]};
	mspan *x = a.first;
	for (int i = 0; i < 5; i++, x = x->next) {
		cr_assert_eq(x, want[i]);
		cr_assert_eq(x->list, &a);
		cr_assert_eq(x->prev, i == 0 ? NULL : want[i - 1]);
	}
	cr_assert_null(x);
	mSpanList_remove(&a, &s[0]); // middle, last, first
	mSpanList_remove(&a, &s[2]);
	mSpanList_remove(&a, &s[3]);
	cr_assert(!mspan_inList(&s[0]));
	cr_assert(a.first == &s[4] && s[4].next == &s[1] && a.last == &s[1] && s[1].prev == &s[4]);
	mSpanList_takeAll(&b, &a); // into an empty one
	cr_assert(b.first == &s[4] && b.last == &s[1] && s[1].list == &b && mSpanList_isEmpty(&a));
}

Test(MHeap, SpanClass) {
	for (int c = 0; c < NumSizeClasses; c++) {
		for (int ns = 0; ns < 2; ns++) {
			spanClass sc = makeSpanClass((uint8_t)c, ns != 0);
			cr_assert_lt(sc, numSpanClasses);
			cr_assert_eq(spanClass_sizeclass(sc), c);
			cr_assert_eq(spanClass_noscan(sc), ns != 0);
		}
	}
	cr_assert_eq(tinySpanClass, makeSpanClass(2, true));
}

Test(MHeap, ArenaIndex) {
	cr_assert_eq(arenaIndex(0xc000000000), (0xc000000000 + (UINT64_C(1) << 47)) >> 26);
	cr_assert_eq(arenaBase(arenaIndex(0xc000000000)), 0xc000000000);
	cr_assert_eq(arenaIndex(0xc000000000 + heapArenaBytes - 1), arenaIndex(0xc000000000));
	cr_assert_eq(arenaIndex(0), (arenaIdx)1 << (arenaBits - 1));
	// not an address at all
	cr_assert_geq(arenaIndex((uintptr_t)1 << 48), (arenaIdx)1 << arenaBits);
	cr_assert_null(spanOf((uintptr_t)1 << 50));
	cr_assert_null(spanOf(0x1234));
}

// ---- spans --------------------------------------------------------------------------------------

static uint64_t
pagesInUse(void) {
	return atomic_Load(&mheap_.pagesInUse);
}

static bool
inUseBit(uintptr_t p) {
	uintptr_t i;
	uint8_t mask;
	heapArena *ha = pageIndexOf(p, &i, &mask);
	return (atomic_Load(&ha->pageInUse[i]) & mask) != 0;
}

// alloc makes a span of each class and gives it back; no collection comes in between.
static void
allocAndFree(void) {
	gort_gc(); // sweeping is over
	gort_set_gc_percent(-1);
	for (int c = 0; c < numSpanClasses; c++) {
		spanClass sc = (spanClass)c;
		int8_t sizeclass = spanClass_sizeclass(sc);
		uintptr_t npages = sizeclass == 0 ? 33 : SizeClassToNPages[sizeclass];
		M *mp = acquirem();
		uint64_t before = pagesInUse();
		uint64_t inUse = sysMemStat_load(&gcController.heapInUse);
		mspan *s = mheap_alloc(&mheap_, npages, sc);
		CHECK(s != NULL);
		uintptr_t p = mspan_base(s);
		CHECK(pagesInUse() >= before + npages);
		CHECK(sysMemStat_load(&gcController.heapInUse) >= inUse + npages * pageSize);
		CHECK(p % pageSize == 0);
		CHECK(s->npages == npages);
		CHECK(s->spanclass == sc);
		CHECK(mSpanStateBox_get(&s->state) == mSpanInUse);
		CHECK(s->sweepgen == mheap_.sweepgen);
		CHECK(s->allocCount == 0 && s->freeindex == 0 && s->allocCache == ~(uint64_t)0);
		CHECK(s->elemsize ==
			(sizeclass == 0 ? npages * pageSize : SizeClassToSize[sizeclass]));
		CHECK(s->limit == p + s->nelems * s->elemsize);
		CHECK(s->limit <= p + npages * pageSize);
		CHECK(p + npages * pageSize - s->limit <= npages * pageSize / 8);
		CHECK((uintptr_t)s->gcmarkBits % 8 == 0 && s->gcmarkBits != s->allocBits);
		for (uintptr_t i = 0; i < npages; i++)
			CHECK(spanOf(p + i * pageSize + 5) == s);
		CHECK(spanOfHeap(p) == s);
		CHECK(spanOfHeap(s->limit) != s);
		CHECK(inheap(s->limit - 1));
		CHECK(inUseBit(p));
		for (uintptr_t i = 0; sizeclass != 0 && i < s->nelems; i++)
			CHECK(mspan_objIndex(s, p + i * s->elemsize + s->elemsize - 1) == i);
		// It may be written to from end to end.
		memset((void *)p, 0xa5, npages * pageSize);
		mheap_freeSpan(&mheap_, s);
		CHECK(!inUseBit(p));
		CHECK(!inheap(p));
		releasem(mp);

		// Used once, it is dirty.  What was just freed is the first that fits, or the page
		// cache had some.
		mp = acquirem();
		s = mheap_alloc(&mheap_, npages, sc);
		if (mspan_base(s) == p)
			CHECK(s->needzero != 0);
		mheap_freeSpan(&mheap_, s);
		releasem(mp);
	}
}

Test(MHeap, AllocAndFree) {
	RUN(allocAndFree);
}

static void
allocManual_1(void *v) {
	int64_t before = (int64_t)sysMemStat_load(&gcController.heapInUse);
	mspan *s = mheap_allocManual(&mheap_, 4, spanAllocWorkBuf);
	CHECK(s != NULL);
	uintptr_t p = mspan_base(s);
	CHECK(mSpanStateBox_get(&s->state) == mSpanManual);
	CHECK(spanOf(p + 3 * pageSize) == s);
	CHECK(spanOfHeap(p) == NULL);
	CHECK(!inheap(p));
	CHECK(inHeapOrStack(p));
	CHECK(inHeapOrStack(p + 4 * pageSize - 1));
	CHECK(!inUseBit(p));
	// It does not count as heap.
	CHECK((int64_t)sysMemStat_load(&gcController.heapInUse) - before < 4 * pageSize);
	mheap_freeManual(&mheap_, s, spanAllocWorkBuf);
	CHECK(!inHeapOrStack(p));
}

static void
allocManual(void) {
	gort_set_gc_percent(-1);
	systemstack(allocManual_1, NULL);
}

Test(MHeap, AllocManual) {
	RUN(allocManual);
}

// Large spans cross arenas: each arena knows its part.
static void
grow(void) {
	gort_gc();
	gort_set_gc_percent(-1);
	uintptr_t npages = 3 * (uintptr_t)pagesPerArena;
	M *mp = acquirem();
	intptr_t narenas = mheap_.nheapArenas;
	mspan *s = mheap_alloc(&mheap_, npages, makeSpanClass(0, true));
	CHECK(s != NULL);
	CHECK(mheap_.nheapArenas >= narenas + 3);
	uintptr_t p = mspan_base(s);
	for (uintptr_t i = 0; i < npages; i += 97)
		CHECK(spanOf(p + i * pageSize) == s);
	CHECK(spanOf(p + npages * pageSize - 1) == s);
	for (uintptr_t i = 0; i <= 3; i++) {
		bool found = false;
		arenaIdx ai = arenaIndex(p + i * heapArenaBytes - (i == 3));
		for (intptr_t k = 0; k < mheap_.nheapArenas; k++)
			found = found || mheap_.heapArenas[k] == ai;
		CHECK(found);
		CHECK(arenaOf(ai) != NULL);
	}
	CHECK(s->needzero != 0 || ((uint64_t *)p)[npages * 100] == 0);
	mheap_freeSpan(&mheap_, s);
	narenas = mheap_.nheapArenas;
	s = mheap_alloc(&mheap_, npages, makeSpanClass(0, true));
	p = mspan_base(s);
	CHECK(mheap_.nheapArenas == narenas); // reused; free pages before it may have come to it
	// Untouched and scavenged still, or known to be dirty.
	CHECK(s->needzero != 0 || ((uint64_t *)p)[1000] == 0);
	mheap_freeSpan(&mheap_, s);
	releasem(mp);
}

Test(MHeap, Grow) {
	RUN(grow);
}

static void
scavengeAll_1(void *v) {
	mheap_scavengeAll(&mheap_);
}

// Memory that is given back counts as released, is no more committed, and comes back as zeros.
static void
scavengeAll(void) {
	gort_gc();
	gort_set_gc_percent(-1);
	const uintptr_t npages = 4096; // 32 MB
	M *mp = acquirem();
	mspan *s = mheap_alloc(&mheap_, npages, makeSpanClass(0, true));
	uintptr_t p = mspan_base(s);
	memset((void *)p, 0x5a, npages * pageSize);
	mheap_freeSpan(&mheap_, s);
	uint64_t released = sysMemStat_load(&gcController.heapReleased);
	uint64_t ready = atomic_Load(&gcController.mappedReady);
	systemstack(scavengeAll_1, NULL);
	CHECK(sysMemStat_load(&gcController.heapReleased) >= released + npages * pageSize);
	CHECK(atomic_Load(&gcController.mappedReady) <= ready - npages * pageSize);

	released = sysMemStat_load(&gcController.heapReleased);
	s = mheap_alloc(&mheap_, npages, makeSpanClass(0, true));
	p = mspan_base(s); // there again, or a little before it
	CHECK(sysMemStat_load(&gcController.heapReleased) <= released - npages * pageSize);
	uint64_t nonzero = 0;
	for (uintptr_t i = 0; i < npages * pageSize / 8; i += 509)
		nonzero |= ((uint64_t *)p)[i];
	CHECK(nonzero == 0);
	mheap_freeSpan(&mheap_, s);
	releasem(mp);
}

Test(MHeap, ScavengeAll) {
	RUN(scavengeAll);
}

static void
scavengedBits_1(void *v) {
	lock(&mheap_.lock);
	int bad = 0;
	for (chunkIdx c = mheap_.pages.start; c < mheap_.pages.end; c++) {
		pallocData *d = pageAlloc_tryChunkOf(&mheap_.pages, c);
		if (d == NULL)
			continue;
		// The padding that makes the first address random is both; it is the lowest chunk.
		if (c == mheap_.pages.start)
			continue;
		for (unsigned i = 0; i < nelem(d->scavenged.b); i++)
			bad += (d->scavenged.b[i] & d->pallocBits.b[i]) != 0;
	}
	unlock(&mheap_.lock);
	CHECK(bad == 0);
}

// No page is both in use and scavenged.
static void
scavengedBitsCleared(void) {
	for (int i = 0; i < 200; i++)
		gort_alloc(1 << (i % 20), NULL);
	gort_free_os_memory();
	for (int i = 0; i < 200; i++)
		gort_alloc(1 << (i % 20), NULL);
	systemstack(scavengedBits_1, NULL);
}

Test(MHeap, ScavengedBitsCleared) {
	RUN(scavengedBitsCleared);
}

// ---- specials -----------------------------------------------------------------------------------

static bool
hasSpecials(mspan *s) {
	uintptr_t i;
	uint8_t mask;
	heapArena *ha = pageIndexOf(mspan_base(s), &i, &mask);
	return (atomic_Load(&ha->pageSpecials[i]) & mask) != 0;
}

// Sorted by offset and kind, one of a kind unless forced.
static void
specials(void) {
	gort_set_gc_percent(-1);
	// On the stack: the list is empty again before anything sweeps.
	special x[5] = {
		{.kind = _KindSpecialReachable},
		{.kind = _KindSpecialProfile},
		{.kind = _KindSpecialReachable},
		{.kind = _KindSpecialReachable},
		{.kind = _KindSpecialFinalizer},
	};
	// Two objects of one span, which nothing else uses: the largest class that has two.
	int c = NumSizeClasses - 1;
	while (SizeClassToNPages[c] * PageSize / SizeClassToSize[c] < 2)
		c--;
	char *mem = gort_alloc(SizeClassToSize[c], NULL);
	mspan *s = spanOfHeap((uintptr_t)mem);
	CHECK(s != NULL && s->specials == NULL);
	char *a = (char *)mspan_base(s);
	char *b = a + s->elemsize;
	M *mp = acquirem();
	CHECK(addspecial(b, &x[0], false));
	CHECK(addspecial(a, &x[1], false));
	CHECK(!addspecial(b, &x[2], false)); // there is one
	CHECK(addspecial(b, &x[2], true));
	CHECK(addspecial(a, &x[3], false));
	CHECK(addspecial(b, &x[4], false));
	CHECK(hasSpecials(s));

	static const uint8_t kinds[] = {
		_KindSpecialProfile,
		_KindSpecialReachable,
		_KindSpecialFinalizer,
		_KindSpecialReachable,
		_KindSpecialReachable,
	};
	specialsIter it = newSpecialsIter(s);
	for (unsigned i = 0; i < nelem(kinds); i++) {
		CHECK(specialsIter_valid(&it));
		CHECK(it.s->kind == kinds[i]);
		CHECK(it.s->offset == (i < 2 ? 0 : s->elemsize));
		specialsIter_next(&it);
	}
	CHECK(!specialsIter_valid(&it));

	CHECK(removespecial(b, _KindSpecialReachable) == &x[2]); // the last one added
	CHECK(removespecial(b, _KindSpecialReachable) == &x[0]);
	CHECK(removespecial(b, _KindSpecialReachable) == NULL);
	CHECK(removespecial(a, _KindSpecialFinalizer) == NULL);
	CHECK(removespecial(a, _KindSpecialProfile) == &x[1]);
	CHECK(hasSpecials(s));
	it = newSpecialsIter(s);
	CHECK(specialsIter_unlinkAndNext(&it) == &x[3]);
	CHECK(it.s == &x[4]);
	CHECK(removespecial(b, _KindSpecialFinalizer) == &x[4]);
	CHECK(s->specials == NULL);
	CHECK(!hasSpecials(s));
	releasem(mp);
}

Test(MHeap, Specials) {
	RUN(specials);
}

// ---- bitmaps ------------------------------------------------------------------------------------

// Bitmaps are cleared, aligned, and stay for two epochs.
static void
markBits_(void) {
	gort_set_gc_percent(-1);
	M *mp = acquirem();
	for (uintptr_t n = 1; n <= 1024; n++) {
		gcBits *b = newMarkBits(n);
		CHECK((uintptr_t)b % 8 == 0);
		uint64_t any = 0;
		for (uintptr_t i = 0; i < (n + 63) / 64; i++)
			any |= ((uint64_t *)b)[i];
		CHECK(any == 0);
		memset(b, 0xff, (n + 63) / 64 * 8);
		uint8_t mask;
		CHECK(gcBits_bitp(b, n - 1, &mask) == &b->x + (n - 1) / 8);
		CHECK(mask == 1 << ((n - 1) % 8));
	}
	releasem(mp);
	// Blocks are used again after some collections: cleared.
	for (int i = 0; i < 4; i++) {
		gort_gc();
		mp = acquirem();
		for (int k = 0; k < 2000; k++) {
			gcBits *b = newAllocBits(512);
			uint64_t any = 0;
			for (int w = 0; w < 8; w++)
				any |= ((uint64_t *)b)[w];
			CHECK(any == 0);
			memset(b, 0xff, 64);
		}
		releasem(mp);
	}
}

Test(MHeap, MarkBits) {
	RUN(markBits_);
}
