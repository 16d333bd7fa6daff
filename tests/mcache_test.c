// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The P's cache of spans: what it tells the statistics and the pacer.
#include <criterion/criterion.h>

#include "runtime/gort.h"

#include "runtime/malloc.h"
#include "runtime/mgc.h"
#include "runtime/mgcpacer.h"
#include "runtime/mstats.h"
#include "sched/proc.h"
#include "tests/support/support.h"

// totals are the counts of one class, of all generations.
static void
totals(int class, uint64_t *small, uint64_t *tiny) {
	*small = *tiny = 0;
	for (int i = 0; i < 3; i++) {
		*small += atomic_Load(&memstats.heapStats.stats[i].smallAllocCount[class]);
		*tiny += atomic_Load(&memstats.heapStats.stats[i].tinyAllocCount);
	}
}

// On an mcache of our own, so that nothing else allocates from it.
static void
refillRun(void) {
	M *mp = acquirem();
	const int class = sizeToClass(576); // in Go's table 14 in a span
	mcache *c = allocmcache();
	spanClass spc = makeSpanClass((uint8_t) class, true);
	for (int i = 0; i < numSpanClasses; i++)
		CHECK(c->alloc[i] == &emptymspan);
	CHECK(atomic_Load(&c->flushGen) == mheap_.sweepgen);

	uint64_t small0, small1, tiny0, tiny1;
	totals(class, &small0, &tiny0);
	uint64_t alloc0 = atomic_Load(&gcController.totalAlloc);

	mspan *s;
	bool refilled;
	uintptr_t v = mcache_nextFree(c, spc, &s, &refilled);
	CHECK(refilled && s == c->alloc[spc] && v >= s->startAddr && v < s->limit);
	CHECK(atomic_Load(&s->sweepgen) == mheap_.sweepgen + 3);
	int before = s->allocCountBeforeCache;
	CHECK(s->allocCount == before + 1);
	// Until it is full there is no other span.
	while (s->allocCount < s->nelems) {
		mspan *s2;
		(void)mcache_nextFree(c, spc, &s2, &refilled);
		CHECK(!refilled && s2 == s);
	}
	totals(class, &small1, &tiny1);
	CHECK(small1 == small0); // not counted while it is cached
	c->tinyAllocs = 5;
	mspan *t;
	(void)mcache_nextFree(c, spc, &t, &refilled);
	CHECK(refilled && t != s);
	CHECK(atomic_Load(&s->sweepgen) == mheap_.sweepgen);
	totals(class, &small1, &tiny1);
	CHECK(small1 - small0 == (uint64_t)(s->nelems - before));
	CHECK(tiny1 == tiny0); // another class
	CHECK(atomic_Load(&gcController.totalAlloc) - alloc0 ==
		(uint64_t)(s->nelems - before) * s->elemsize);

	int64_t live0 = (int64_t)atomic_Load(&gcController.heapLive);
	int64_t spare = (int64_t)(t->nelems - t->allocCount) * (int64_t)t->elemsize;
	int used = t->allocCount - t->allocCountBeforeCache;
	mcache_releaseAll(c);
	CHECK((int64_t)atomic_Load(&gcController.heapLive) == live0 - spare);
	CHECK(c->alloc[spc] == &emptymspan && c->tiny == 0 && c->tinyAllocs == 0);
	uint64_t small2, tiny2;
	totals(class, &small2, &tiny2);
	CHECK(small2 - small1 == (uint64_t)used);
	CHECK(tiny2 - tiny1 == 5);

	mcache_prepareForSweep(c); // up to date: nothing happens
	CHECK(atomic_Load(&c->flushGen) == mheap_.sweepgen);
	freemcache(c);
	releasem(mp);
}

Test(MCache, Refill) {
	RUN(refillRun);
}

// A cache that slept through a cycle gives its spans back before it is used again.
static void
prepareForSweepRun(void) {
	mcache *c = allocmcache();
	mspan *s;
	bool refilled;
	spanClass spc = makeSpanClass(sizeToClass(2688), true);
	M *mp = acquirem();
	(void)mcache_nextFree(c, spc, &s, &refilled);
	mcache_releaseAll(c); // the sweeper may not meet a span of a cache that no P owns
	releasem(mp);
	uint32_t gen = mheap_.sweepgen;
	gort_gc();
	CHECK(mheap_.sweepgen == gen + 2);
	mp = acquirem();
	CHECK(atomic_Load(&c->flushGen) == gen);
	mcache_prepareForSweep(c);
	CHECK(atomic_Load(&c->flushGen) == gen + 2);
	CHECK(c->alloc[spc] == &emptymspan);
	freemcache(c);
	CHECK(atomic_Load(&tlsmcache()->flushGen) == mheap_.sweepgen);
	CHECK(tlsmcache() == mp->p->mcache);
	releasem(mp);
}

Test(MCache, PrepareForSweep) {
	RUN(prepareForSweepRun);
}

static void
allocLargeRun(void) {
	M *mp = acquirem();
	uint64_t n0 = 0, b0 = 0, n1 = 0, b1 = 0;
	for (int i = 0; i < 3; i++) {
		n0 += atomic_Load(&memstats.heapStats.stats[i].largeAllocCount);
		b0 += atomic_Load(&memstats.heapStats.stats[i].largeAlloc);
	}
	mspan *s = mcache_allocLarge(tlsmcache(), 40000, true);
	s->freeindex = s->freeIndexForScan = 1;
	s->allocCount = 1;
	CHECK(s->npages == 5 && s->elemsize == 5 * pageSize && s->nelems == 1);
	CHECK(s->limit == s->startAddr + 40000);
	for (int i = 0; i < 3; i++) {
		n1 += atomic_Load(&memstats.heapStats.stats[i].largeAllocCount);
		b1 += atomic_Load(&memstats.heapStats.stats[i].largeAlloc);
	}
	CHECK(n1 - n0 == 1 && b1 - b0 == 5 * pageSize);
	releasem(mp);
}

Test(MCache, AllocLarge) {
	RUN(allocLargeRun);
}
