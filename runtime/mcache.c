// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The cache of spans that each P allocates from.  Ports mcache.go of Go 1.26.8.
//
// An mcache holds one span per span class, taken from the central lists with all of its free slots:
// allocation out of it needs no lock and no atomic operation.  The pacer is told that the whole
// span is in use when it is taken, and corrected when it is given back.

#include "runtime/mcache.h"

#include "runtime/malloc.h"
#include "runtime/mgcpacer.h"
#include "runtime/mgcsweep.h"
#include "runtime/mprof.h"
#include "runtime/mstats.h"
#include "sched/proc.h"
#include "sched/runtime2.h"

// emptymspan stands in alloc for "no span": it has no slot to give.
mspan emptymspan;

// allocmcache_1 takes an mcache from the heap's allocator.  On g0.
static void
allocmcache_1(void *arg) {
	mcache **c = arg;
	lock(&mheap_.lock);
	*c = fixalloc_alloc(&mheap_.cachealloc);
	atomic_Store(&(*c)->flushGen, mheap_.sweepgen);
	unlock(&mheap_.lock);
}

// allocmcache makes an empty cache.
mcache *
allocmcache(void) {
	mcache *c;
	systemstack(allocmcache_1, &c);
	for (int i = 0; i < numSpanClasses; i++) {
		c->alloc[i] = &emptymspan;
	}
	startSampling(c, nextSample());
	return c;
}

// freemcache_1 is the part of freemcache on g0.
static void
freemcache_1(void *arg) {
	mcache *c = arg;
	mcache_releaseAll(c);
	lock(&mheap_.lock);
	fixalloc_free(&mheap_.cachealloc, c);
	unlock(&mheap_.lock);
}

// freemcache gives the spans of c back, and c.
void
freemcache(mcache *c) {
	systemstack(freemcache_1, c);
}

// refill replaces the full span of class spc by one with at least one free slot.
void
mcache_refill(mcache *c, spanClass spc) {
	mspan *s = c->alloc[spc];
	if (s->allocCount != s->nelems) {
		throw("refill of span with free space remaining");
	}

	if (s != &emptymspan) {
		// It is no longer cached.
		if (atomic_Load(&s->sweepgen) != mheap_.sweepgen + 3) {
			throw("bad sweepgen in refill");
		}
		mcentral_uncacheSpan(&mheap_.central[spc].mcentral, s);

		// The slots that were used, for the statistics.
		heapStatsDelta *stats = consistentHeapStats_acquire(&memstats.heapStats);
		int64_t slotsUsed = (int64_t)s->allocCount - (int64_t)s->allocCountBeforeCache;
		atomic_Xadd(&stats->smallAllocCount[spanClass_sizeclass(spc)], (uint64_t)slotsUsed);
		if (spc == tinySpanClass) {
			atomic_Xadd(&stats->tinyAllocCount, c->tinyAllocs);
			c->tinyAllocs = 0;
		}
		consistentHeapStats_release(&memstats.heapStats);

		int64_t bytesAllocated = slotsUsed * (int64_t)s->elemsize;
		atomic_Xadd(&gcController.totalAlloc, (uint64_t)bytesAllocated);

		s->allocCountBeforeCache = 0;
	}

	s = mcentral_cacheSpan(&mheap_.central[spc].mcentral);
	if (s == NULL) {
		throw("out of memory");
	}
	if (s->allocCount == s->nelems) {
		throw("span has no free space");
	}

	// Cached: the next sweep phase leaves it alone.
	atomic_Store(&s->sweepgen, mheap_.sweepgen + 3);
	s->allocCountBeforeCache = s->allocCount;

	// Count all of its free slots as live from now on.  Too high is the safe side: too low would
	// make the pacer believe that it has more room than it does.  releaseAll corrects it.
	uintptr_t usedBytes = (uintptr_t)s->allocCount * s->elemsize;
	gcControllerState_update(&gcController,
		(int64_t)(s->npages * pageSize) - (int64_t)usedBytes, (int64_t)c->scanAlloc);
	c->scanAlloc = 0;

	c->alloc[spc] = s;
}

// allocLarge makes a span for one large object.
mspan *
mcache_allocLarge(mcache *c, uintptr_t size, bool noscan) {
	if (size + pageSize < size) {
		throw("out of memory");
	}
	uintptr_t npages = size >> PageShift;
	if ((size & pageMask) != 0) {
		npages++;
	}

	// Pay the sweep debt for these pages first.
	deductSweepCredit(npages * pageSize, npages);

	spanClass spc = makeSpanClass(0, noscan);
	mspan *s = mheap_alloc(&mheap_, npages, spc);
	if (s == NULL) {
		throw("out of memory");
	}

	heapStatsDelta *stats = consistentHeapStats_acquire(&memstats.heapStats);
	atomic_Xadd(&stats->largeAlloc, npages * pageSize);
	atomic_Xadd(&stats->largeAllocCount, UINT64_C(1));
	consistentHeapStats_release(&memstats.heapStats);

	atomic_Xadd(&gcController.totalAlloc, npages * pageSize);
	gcControllerState_update(&gcController, (int64_t)(s->npages * pageSize), 0);

	// The background sweeper finds it in the swept list.
	spanSet_push(mcentral_fullSwept(&mheap_.central[spc].mcentral, mheap_.sweepgen), s);

	// A tighter limit than the whole pages; it does not matter when the collector sees it.
	atomic_StoreRelaxed(&s->limit, s->startAddr + size); // conservative scans look at it
	mspan_initHeapBits(s);
	return s;
}

// releaseAll gives all spans back to the central lists and flushes the counts.
void
mcache_releaseAll(mcache *c) {
	int64_t scanAlloc = (int64_t)c->scanAlloc;
	c->scanAlloc = 0;

	uint32_t sg = mheap_.sweepgen;
	int64_t dHeapLive = 0;
	for (int i = 0; i < numSpanClasses; i++) {
		mspan *s = c->alloc[i];
		if (s == &emptymspan) {
			continue;
		}
		int64_t slotsUsed = (int64_t)s->allocCount - (int64_t)s->allocCountBeforeCache;
		s->allocCountBeforeCache = 0;

		heapStatsDelta *stats = consistentHeapStats_acquire(&memstats.heapStats);
		atomic_Xadd(&stats->smallAllocCount[spanClass_sizeclass((spanClass)i)],
			(uint64_t)slotsUsed);
		consistentHeapStats_release(&memstats.heapStats);

		atomic_Xadd(&gcController.totalAlloc, (uint64_t)(slotsUsed * (int64_t)s->elemsize));

		if (atomic_Load(&s->sweepgen) != sg + 1) {
			// refill counted the slots that are still free.  Not so for a span that was
			// cached before the sweep: heapLive has been computed anew since.
			dHeapLive -= (int64_t)(s->nelems - s->allocCount) * (int64_t)s->elemsize;
		}

		mcentral_uncacheSpan(&mheap_.central[i].mcentral, s);
		c->alloc[i] = &emptymspan;
	}
	c->tiny = 0;
	c->tinyoffset = 0;

	heapStatsDelta *stats = consistentHeapStats_acquire(&memstats.heapStats);
	atomic_Xadd(&stats->tinyAllocCount, c->tinyAllocs);
	c->tinyAllocs = 0;
	consistentHeapStats_release(&memstats.heapStats);

	gcControllerState_update(&gcController, dHeapLive, scanAlloc);
}

// prepareForSweep flushes c if a sweep phase has begun since it was filled.  It has to happen
// between the start of the phase and the first allocation from c: acquirep calls it.
void
mcache_prepareForSweep(mcache *c) {
	// Releasing in acquirep is what makes it safe that a P which never ran since the last cycle
	// keeps spans of an old sweepgen: it cannot allocate from them unnoticed.
	uint32_t sg = mheap_.sweepgen;
	uint32_t flushGen = atomic_Load(&c->flushGen);
	if (flushGen == sg) {
		return;
	}
	if (flushGen != sg - 2) {
		print("runtime: bad flushGen %u in prepareForSweep; sweepgen %u\n", flushGen, sg);
		throw("bad flushGen");
	}
	mcache_releaseAll(c);
	atomic_Store(&c->flushGen, mheap_.sweepgen); // gcStart waits for it
}
