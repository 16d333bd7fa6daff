// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Allocation of spans.
//
// Ports the part of mheap.go of Go 1.26.8 from spanAllocType to scavengeAll.
//
// Small spans come from the P's page cache without a lock, others from the page allocator under the
// heap lock.  The span is then filled in without the lock: nobody else knows of it until it is
// published, by the arena's spans array, its state and pageInUse.
#include "runtime/mheap.h"

#include "runtime/mbitmap.h"
#include "runtime/mgclimit.h"
#include "runtime/mgcmark_greenteagc.h"
#include "runtime/mgcpacer.h"
#include "runtime/mgcsweep.h"
#include "runtime/mstats.h"
#include "runtime/runtime1.h"
#include "sched/runtime2.h"
#include "sched/traceruntime.h"

struct mheap_alloc_args {
	mheap *h;
	uintptr_t npages;
	spanClass spanclass;
	mspan *s;
};

static void
mheap_alloc_1(void *v) {
	struct mheap_alloc_args *a = v;
	// First free as much as is to be allocated.
	if (!isSweepDone())
		mheap_reclaim(a->h, a->npages);
	a->s = mheap_allocSpan(a->h, a->npages, spanAllocHeap, a->spanclass);
}

// alloc returns a span of npages pages and class spanclass for the collected heap.
mspan *
mheap_alloc(mheap *h, uintptr_t npages, spanClass spanclass) {
	struct mheap_alloc_args a = {h, npages, spanclass, NULL};
	systemstack(mheap_alloc_1, &a);
	return a.s;
}

// allocManual returns a span that the caller manages.  It does not count as heap in use; typ says
// which statistic it counts for.  On the system stack.
mspan *
mheap_allocManual(mheap *h, uintptr_t npages, spanAllocType typ) {
	if (!spanAllocType_manual(typ))
		throw("manual span allocation called with non-manually-managed type");
	return mheap_allocSpan(h, npages, typ, 0);
}

// setSpans enters s for each of its pages in the arenas' maps.
void
mheap_setSpans(mheap *h, uintptr_t base, uintptr_t npage, mspan *s) {
	uintptr_t p = base / pageSize;
	heapArena *ha = arenaOf(arenaIndex(base));
	for (uintptr_t n = 0; n < npage; n++) {
		uintptr_t i = (p + n) % pagesPerArena;
		if (i == 0)
			ha = arenaOf(arenaIndex(base + n * pageSize));
		atomic_StoreRelaxed(&ha->spans[i], s);
	}
}

// allocNeedsZero reports whether the pages [base, base+npage), just allocated, may hold something,
// and raises the marks that tell so next time: it must be called for each allocation.  No lock is
// needed.
bool
mheap_allocNeedsZero(mheap *h, uintptr_t base, uintptr_t npage) {
	bool needZero = false;
	while (npage > 0) {
		heapArena *ha = arenaOf(arenaIndex(base));

		uintptr_t zeroedBase = atomic_Load(&ha->zeroedBase);
		uintptr_t arenaOff = base % heapArenaBytes;
		// zeroedBase only grows: if it is above us now, these pages were used before. If it
		// is below, others are at work on pages before ours, and ours are fresh.
		if (arenaOff < zeroedBase)
			needZero = true;

		uintptr_t arenaLimit = arenaOff + npage * pageSize;
		if (arenaLimit > heapArenaBytes)
			arenaLimit = heapArenaBytes;
		while (arenaLimit > zeroedBase) {
			if (atomic_Cas(&ha->zeroedBase, zeroedBase, arenaLimit))
				break;
			zeroedBase = atomic_Load(&ha->zeroedBase);
			if (zeroedBase <= arenaLimit && zeroedBase > arenaOff) {
				// It moved into our pages: somebody else was given them too.
				throw("potentially overlapping in-use allocations detected");
			}
		}

		base += arenaLimit - arenaOff;
		npage -= (arenaLimit - arenaOff) / pageSize;
	}
	return needZero;
}

// tryAllocMSpan takes an mspan from the P's cache; NULL if there is none. On the system stack,
// where the P does not change.
static mspan *
mheap_tryAllocMSpan(mheap *h) {
	P *pp = getg()->m->p;
	if (pp == NULL || pp->mspancache.len == 0)
		return NULL;
	return pp->mspancache.buf[--pp->mspancache.len];
}

// allocMSpanLocked returns an mspan, and fills the P's cache while it is at it. h->lock must be
// held; on the system stack.
mspan *
mheap_allocMSpanLocked(mheap *h) {
	assertLockHeld(&h->lock);

	P *pp = getg()->m->p;
	if (pp == NULL)
		return fixalloc_alloc(&h->spanalloc);
	if (pp->mspancache.len == 0) {
		const int refillCount = nelem(pp->mspancache.buf) / 2;
		for (int i = 0; i < refillCount; i++)
			pp->mspancache.buf[i] = fixalloc_alloc(&h->spanalloc);
		pp->mspancache.len = refillCount;
	}
	return pp->mspancache.buf[--pp->mspancache.len];
}

// freeMSpanLocked gives an mspan back.  h->lock must be held; on the system stack.
void
mheap_freeMSpanLocked(mheap *h, mspan *s) {
	assertLockHeld(&h->lock);

	P *pp = getg()->m->p;
	if (pp != NULL && pp->mspancache.len < (int)nelem(pp->mspancache.buf)) {
		pp->mspancache.buf[pp->mspancache.len++] = s;
		return;
	}
	fixalloc_free(&h->spanalloc, s);
}

// limiting is when scavenging for an allocation stops.
static bool
allocSpan_shouldStop(void) {
	return gcCPULimiterState_limiting(&gcCPULimiter);
}

// scavengeForAlloc gives pages back if what was just allocated, scav bytes of it scavenged and
// growth bytes of it new, exceeds the memory limit or the goal of the heap's growth. It is done
// before the memory is touched.
static void
mheap_scavengeForAlloc(mheap *h, P *pp, uintptr_t scav, uintptr_t growth) {
	uintptr_t bytesToScavenge = 0;
	bool forceScavenge = false;
	uint64_t limit = (uint64_t)atomic_Load(&gcController.memoryLimit);
	if (!gcCPULimiterState_limiting(&gcCPULimiter)) {
		uint64_t inuse = atomic_Load(&gcController.mappedReady);
		if (scav + inuse > limit) {
			bytesToScavenge = scav + inuse - limit;
			forceScavenge = true;
		}
	}
	uint64_t goal = atomic_Load(&scavenge.gcPercentGoal);
	if (goal != ~(uint64_t)0 && growth > 0) {
		// The heap grew although it has free memory, in runs that are too short: those
		// highest up are the least likely to be used again.
		uint64_t retained = heapRetained();
		if (retained + growth > goal) {
			uintptr_t todo = growth;
			uintptr_t overage = retained + growth - goal;
			if (todo > overage)
				todo = overage;
			// Whichever is more satisfies both.
			if (todo > bytesToScavenge)
				bytesToScavenge = todo;
		}
	}
	// Without a P, which is rare, somebody else will see to it.
	if (pp == NULL || bytesToScavenge == 0)
		return;

	// The time counts for the limiter; on a mark worker another event is in flight.
	int64_t start = nanotime();
	bool track = limiterEvent_start(&pp->limiterEvent, limiterEventScavengeAssist, start);
	uintptr_t released =
		pageAlloc_scavenge(&h->pages, bytesToScavenge, allocSpan_shouldStop, forceScavenge);
	atomic_Xadd(&mheap_.pages.scav.releasedEager, released);
	int64_t now = nanotime();
	if (track)
		limiterEvent_stop(&pp->limiterEvent, limiterEventScavengeAssist, now);
	atomic_Xadd(&scavenge.assistTime, now - start);
}

// allocSpan returns a span of npages pages, filled in; NULL if there is no memory. For a manual
// type spanclass is ignored. h->lock must not be held; on the system stack, which also keeps the GC
// phase from changing.
mspan *
mheap_allocSpan(mheap *h, uintptr_t npages, spanAllocType typ, spanClass spanclass) {
	uintptr_t base = 0;
	uintptr_t scav = 0;
	uintptr_t growth = 0;
	mspan *s = NULL;

	P *pp = getg()->m->p;
	if (pp != NULL && npages < pageCachePages / 4) {
		pageCache *c = &pp->pcache;
		if (pageCache_empty(c)) {
			lock(&h->lock);
			*c = pageAlloc_allocToCache(&h->pages);
			unlock(&h->lock);
		}
		base = pageCache_alloc(c, npages, &scav);
		if (base != 0)
			s = mheap_tryAllocMSpan(h);
	}

	if (s == NULL) {
		lock(&h->lock);
		if (base == 0) {
			base = pageAlloc_alloc(&h->pages, npages, &scav);
			if (base == 0) {
				bool ok;
				growth = mheap_grow(h, npages, &ok);
				if (!ok) {
					unlock(&h->lock);
					return NULL;
				}
				base = pageAlloc_alloc(&h->pages, npages, &scav);
				if (base == 0)
					throw("grew heap, but no adequate free space found");
			}
		}
		s = mheap_allocMSpanLocked(h);
		unlock(&h->lock);
	}

	mheap_scavengeForAlloc(h, pp, scav, growth);

	mheap_initSpan(h, s, typ, spanclass, base, npages, scav);

	uintptr_t nbytes = npages * pageSize;
	if (scav != 0) {
		sysUsed((void *)base, nbytes, scav);
		sysMemStat_add(&gcController.heapReleased, -(int64_t)scav);
	}
	sysMemStat_add(&gcController.heapFree, -(int64_t)(nbytes - scav));
	if (typ == spanAllocHeap)
		sysMemStat_add(&gcController.heapInUse, (int64_t)nbytes);
	heapStatsDelta *stats = consistentHeapStats_acquire(&memstats.heapStats);
	atomic_Xadd(&stats->committed, (int64_t)scav);
	atomic_Xadd(&stats->released, -(int64_t)scav);
	switch (typ) {
	case spanAllocHeap:
		atomic_Xadd(&stats->inHeap, (int64_t)nbytes);
		break;
	case spanAllocStack:
		atomic_Xadd(&stats->inStacks, (int64_t)nbytes);
		break;
	case spanAllocWorkBuf:
		atomic_Xadd(&stats->inWorkBufs, (int64_t)nbytes);
		break;
	}
	consistentHeapStats_release(&memstats.heapStats);

	if (unlikely(traceAllocFreeEnabled())) {
		traceLocker tl = traceAcquire();
		if (traceLocker_ok(tl)) {
			traceLocker_SpanAlloc(tl, s);
			traceRelease(tl);
		}
	}
	return s;
}

// initSpan fills in s for the pages [base, base+npages), scav bytes of which are scavenged, and
// publishes it.
void
mheap_initSpan(mheap *h, mspan *s, spanAllocType typ, spanClass spanclass, uintptr_t base,
	uintptr_t npages, uintptr_t scav) {
	mspan_init(s, base, npages);
	// Always call it, for the marks that it sets.  Scavenged pages come back as zeros.
	bool needZero = mheap_allocNeedsZero(h, base, npages);
	if ((needZeroAfterSysUnused() || scav != npages * pageSize) && needZero)
		s->needzero = 1;
	uintptr_t nbytes = npages * pageSize;
	if (spanAllocType_manual(typ)) {
		s->manualFreeList = 0;
		s->nelems = 0;
		mSpanStateBox_set(&s->state, mSpanManual);
	} else {
		s->spanclass = spanclass;
		int8_t sizeclass = spanClass_sizeclass(spanclass);
		if (sizeclass == 0) {
			s->elemsize = nbytes;
			s->nelems = 1;
			s->divMul = 0;
		} else {
			s->elemsize = SizeClassToSize[sizeclass];
			uintptr_t reserve = 0; // at the end: mark bits, pointer bits
			if (gcUsesSpanInlineMarkBits(s->elemsize))
				reserve += sizeof(spanInlineMarkBits);
			if (heapBitsInSpan(s->elemsize) && !spanClass_noscan(s->spanclass))
				reserve += nbytes / PtrSize / 8;
			s->nelems = (uint16_t)((nbytes - reserve) / s->elemsize);
			s->divMul = SizeClassToDivMagic[sizeclass];
		}

		s->freeindex = 0;
		s->freeIndexForScan = 0;
		s->allocCache = ~(uint64_t)0;
		s->gcmarkBits = newMarkBits(s->nelems);
		s->allocBits = newAllocBits(s->nelems);

		s->limit = mspan_base(s) + s->elemsize * s->nelems;

		// h->sweepgen changes with the world stopped only, which it cannot be now.
		atomic_Store(&s->sweepgen, h->sweepgen);

		// Last: a collector that finds a stale pointer here looks at the state first.
		mSpanStateBox_set(&s->state, mSpanInUse);
	}

	// Without the lock: these slots belong to whoever owns the pages.
	mheap_setSpans(h, mspan_base(s), npages, s);

	if (!spanAllocType_manual(typ)) {
		// This shows the span to the page reclaimer: it must be complete.
		uintptr_t pageIdx;
		uint8_t mask;
		heapArena *arena = pageIndexOf(mspan_base(s), &pageIdx, &mask);
		atomic_Or(&arena->pageInUse[pageIdx], mask);
		if (gcUsesSpanInlineMarkBits(s->elemsize))
			atomic_Or(&arena->pageUseSpanInlineMarkBits[pageIdx], mask);
		atomic_Xadd(&h->pagesInUse, npages);
	}

	// The collector sees the span before anybody can see pointers into it.
	publicationBarrier();
}

// grow adds at least npage pages to the heap and returns by how many bytes it grew; *ok is false if
// there was no memory.  h->lock must be held.
uintptr_t
mheap_grow(mheap *h, uintptr_t npage, bool *ok) {
	assertLockHeld(&h->lock);

	bool firstGrow = h->curArena.base == 0;

	// Whole chunks of the page allocator.
	uintptr_t ask = alignUp(npage, pallocChunkPages) * pageSize;

	uintptr_t totalGrowth = 0;
	uintptr_t end = h->curArena.base + ask; // may overflow
	uintptr_t nBase = alignUp(end, physPageSize);
	if (nBase > h->curArena.end || end < h->curArena.base) {
		// Not in the current arena.  The new one need not follow it.
		uintptr_t asize;
		void *av = mheap_sysAlloc(h, ask, &asize);
		if (av == NULL) {
			uint64_t inUse = sysMemStat_load(&gcController.heapFree) +
					 sysMemStat_load(&gcController.heapReleased) +
					 sysMemStat_load(&gcController.heapInUse);
			print("runtime: out of memory: cannot allocate %lu-byte block (%lu in "
			      "use)\n",
				ask, inUse);
			*ok = false;
			return 0;
		}

		if ((uintptr_t)av == h->curArena.end) {
			h->curArena.end = (uintptr_t)av + asize;
		} else {
			// What is left of the current arena goes to the page allocator.
			uintptr_t size = h->curArena.end - h->curArena.base;
			if (size != 0) {
				sysMap((void *)h->curArena.base, size, &gcController.heapReleased,
					"heap");
				heapStatsDelta *stats =
					consistentHeapStats_acquire(&memstats.heapStats);
				atomic_Xadd(&stats->released, (int64_t)size);
				consistentHeapStats_release(&memstats.heapStats);
				pageAlloc_grow(&h->pages, h->curArena.base, size);
				totalGrowth += size;
			}
			h->curArena.base = (uintptr_t)av;
			h->curArena.end = (uintptr_t)av + asize;

			if (firstGrow && randomizedHeapBase) {
				// The bits of the address above the arena's size are random:
				// now those down to a chunk's.
				uintptr_t offset =
					nextHeapRandBits(logHeapArenaBytes - logPallocChunkBytes);
				// PORT: the first allocation may be a large one: leave it room.
				offset %= (asize - ask) / pallocChunkBytes + 1;
				h->curArena.base =
					alignDown(h->curArena.base | offset << logPallocChunkBytes,
						pallocChunkBytes);
			}
		}

		// It cannot overflow now.
		nBase = alignUp(h->curArena.base + ask, physPageSize);
	}

	uintptr_t v = h->curArena.base;
	h->curArena.base = nBase;

	// New memory counts as free and as released.
	sysMap((void *)v, nBase - v, &gcController.heapReleased, "heap");
	heapStatsDelta *stats = consistentHeapStats_acquire(&memstats.heapStats);
	atomic_Xadd(&stats->released, (int64_t)(nBase - v));
	consistentHeapStats_release(&memstats.heapStats);
	pageAlloc_grow(&h->pages, v, nBase - v);
	totalGrowth += nBase - v;

	if (firstGrow && randomizedHeapBase) {
		// And the bits down to a page's: a random number of pages is never used.
		uintptr_t randOffset = nextHeapRandBits(logPallocChunkBytes);
		uintptr_t randNumPages = alignDown(randOffset, pageSize) / pageSize;
		randNumPages = min(randNumPages, (nBase - v) / pageSize - npage); // PORT: as above
		if (randNumPages != 0)
			pageAlloc_markRandomPaddingPages(&h->pages, v, randNumPages);
	}

	*ok = true;
	return totalGrowth;
}

struct freeSpan_args {
	mheap *h;
	mspan *s;
};

static void
mheap_freeSpan_1(void *v) {
	struct freeSpan_args *a = v;
	if (unlikely(traceAllocFreeEnabled())) {
		traceLocker tl = traceAcquire();
		if (traceLocker_ok(tl)) {
			traceLocker_SpanFree(tl, a->s);
			traceRelease(tl);
		}
	}
	lock(&a->h->lock);
	mheap_freeSpanLocked(a->h, a->s, spanAllocHeap);
	unlock(&a->h->lock);
}

// freeSpan gives a span of the collected heap back.
void
mheap_freeSpan(mheap *h, mspan *s) {
	struct freeSpan_args a = {h, s};
	systemstack(mheap_freeSpan_1, &a);
}

// freeManual gives a span of allocManual back; typ is as then. Only while gcphase == _GCoff; on the
// system stack.
void
mheap_freeManual(mheap *h, mspan *s, spanAllocType typ) {
	s->needzero = 1;
	if (unlikely(traceAllocFreeEnabled())) {
		traceLocker tl = traceAcquire();
		if (traceLocker_ok(tl)) {
			traceLocker_SpanFree(tl, s);
			traceRelease(tl);
		}
	}
	lock(&h->lock);
	mheap_freeSpanLocked(h, s, typ);
	unlock(&h->lock);
}

// freeSpanLocked is what freeSpan and freeManual have in common.  h->lock must be held.
void
mheap_freeSpanLocked(mheap *h, mspan *s, spanAllocType typ) {
	assertLockHeld(&h->lock);

	switch (mSpanStateBox_get(&s->state)) {
	case mSpanManual:
		if (s->allocCount != 0)
			throw("mheap.freeSpanLocked - invalid stack free");
		break;
	case mSpanInUse: {
		uint32_t sg = atomic_LoadRelaxed(&s->sweepgen);
		if (s->allocCount != 0 || sg != h->sweepgen) {
			print("mheap.freeSpanLocked - span %p ptr 0x%lx allocCount %d sweepgen "
			      "%u/%u\n",
				(void *)s, mspan_base(s), s->allocCount, sg, h->sweepgen);
			throw("mheap.freeSpanLocked - invalid free");
		}
		atomic_Xadd(&h->pagesInUse, -s->npages);

		uintptr_t pageIdx;
		uint8_t mask;
		heapArena *arena = pageIndexOf(mspan_base(s), &pageIdx, &mask);
		atomic_And(&arena->pageInUse[pageIdx], (uint8_t)~mask);
		if (gcUsesSpanInlineMarkBits(s->elemsize))
			atomic_And(&arena->pageUseSpanInlineMarkBits[pageIdx], (uint8_t)~mask);
		break;
	}
	default:
		throw("mheap.freeSpanLocked - invalid span state");
	}

	// As in allocSpan.
	int64_t nbytes = (int64_t)(s->npages * pageSize);
	sysMemStat_add(&gcController.heapFree, nbytes);
	if (typ == spanAllocHeap)
		sysMemStat_add(&gcController.heapInUse, -nbytes);
	heapStatsDelta *stats = consistentHeapStats_acquire(&memstats.heapStats);
	switch (typ) {
	case spanAllocHeap:
		atomic_Xadd(&stats->inHeap, -nbytes);
		break;
	case spanAllocStack:
		atomic_Xadd(&stats->inStacks, -nbytes);
		break;
	case spanAllocWorkBuf:
		atomic_Xadd(&stats->inWorkBufs, -nbytes);
		break;
	}
	consistentHeapStats_release(&memstats.heapStats);

	pageAlloc_free(&h->pages, mspan_base(s), s->npages);

	mSpanStateBox_set(&s->state, mSpanDead);
	mheap_freeMSpanLocked(h, s);
}

// scavengeAll gives all free pages back to the OS.  On the system stack.
void
mheap_scavengeAll(mheap *h) {
	// This is no way in from mallocgc: see to it that nobody allocates meanwhile.
	G *gp = getg();
	gp->m->mallocing++;
	uintptr_t released = pageAlloc_scavenge(&h->pages, ~(uintptr_t)0, NULL, true);
	gp->m->mallocing--;

	if (debug.scavtrace > 0)
		printScavTrace(0, released, true);
}
