// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The page heap: initialisation, the page reclaimer, lists of spans.
//
// Ports mheap.go of Go 1.26.8; allocation of spans is in mheap_alloc.c, specials and bitmaps are in
// mheap_specials.c.
//
// Locking: mheap_.lock protects the page allocator, the list of spans and the growth of the arena
// index. It is a spinning lock of the lowest layer: taken on the system stack, so that no
// preemption comes between, and not held over system calls but those that grow the heap.
#include "runtime/mheap.h"

#include "runtime/mcache.h"
#include "runtime/mgcsweep.h"
#include "runtime/mstats.h"
#include "sched/traceruntime.h"

mheap mheap_;

const char *const mSpanStateNames[3] = {"mSpanDead", "mSpanInUse", "mSpanManual"};

// recordspan adds a span to h->allspans: fixalloc calls it when it hands the span out for the first
// time.  h->lock must be held.
void
recordspan(void *vh, void *p) {
	mheap *h = vh;

	assertLockHeld(&h->lock);

	if (h->nallspans >= h->capallspans) {
		intptr_t n = 64 * 1024 / PtrSize;
		if (n < h->capallspans * 3 / 2)
			n = h->capallspans * 3 / 2;
		mspan **a = sysAlloc((uintptr_t)n * PtrSize, &memstats.other_sys, "allspans array");
		if (a == NULL)
			throw("runtime: cannot allocate memory");
		if (h->nallspans > 0)
			memmove(a, h->allspans, (uintptr_t)h->nallspans * PtrSize);
		mspan **old = h->allspans;
		intptr_t oldcap = h->capallspans;
		h->allspans = a;
		h->capallspans = n;
		if (oldcap != 0)
			sysFree(old, (uintptr_t)oldcap * PtrSize, &memstats.other_sys);
	}
	h->allspans[h->nallspans++] = p;
}

// init sets up the heap.
void
mheap_init(mheap *h) {
	lockInit(&h->lock, lockRankMheap);
	lockInit(&h->speciallock, lockRankMheapSpecial);

	fixalloc_init(&h->spanalloc, sizeof(mspan), recordspan, h, &memstats.mspan_sys);
	fixalloc_init(&h->cachealloc, sizeof(mcache), NULL, NULL, &memstats.mcache_sys);
	fixalloc_init(
		&h->specialprofilealloc, sizeof(specialprofile), NULL, NULL, &memstats.other_sys);
	fixalloc_init(&h->specialReachableAlloc, sizeof(specialReachable), NULL, NULL,
		&memstats.other_sys);
	fixalloc_init(&h->arenaHintAlloc, sizeof(arenaHint), NULL, NULL, &memstats.other_sys);

	// A span keeps its sweepgen from one use to the next: the background sweeper may look at it
	// while it is being allocated, and must not take a 0 there for "needs sweeping".
	h->spanalloc.zero = false;

	for (int i = 0; i < numSpanClasses; i++)
		mcentral_init(&h->central[i].mcentral, (spanClass)i);

	pageAlloc_init(&h->pages, &h->lock, &memstats.gcMiscSys, false);
}

// reclaim sweeps spans that have no marked object until npage pages are free again.  It is called
// before npage pages are allocated while sweeping is not done, so that the heap does not grow for
// nothing.  h->lock must not be held.
void
mheap_reclaim(mheap *h, uintptr_t npage) {
	if (atomic_Load(&h->reclaimIndex) >= (uint64_t)1 << 63)
		return; // all was looked at

	// No new cycle meanwhile: sweepArenas is read.
	M *mp = acquirem();

	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_GCSweepStart(tl);
		traceRelease(tl);
	}
	bool locked = false;
	while (npage > 0) {
		// What others reclaimed beyond their need.
		uintptr_t credit = atomic_Load(&h->reclaimCredit);
		if (credit > 0) {
			uintptr_t take = min(credit, npage);
			if (atomic_Cas(&h->reclaimCredit, credit, credit - take))
				npage -= take;
			continue;
		}

		uintptr_t idx = atomic_Xadd(&h->reclaimIndex, (uint64_t)pagesPerReclaimerChunk) -
				pagesPerReclaimerChunk;
		if (idx / pagesPerArena >= (uintptr_t)h->nsweepArenas) {
			atomic_Store(&h->reclaimIndex, (uint64_t)1 << 63);
			break;
		}

		if (!locked) {
			lock(&h->lock);
			locked = true;
		}
		uintptr_t nfound =
			mheap_reclaimChunk(h, h->sweepArenas, idx, pagesPerReclaimerChunk);
		if (nfound <= npage) {
			npage -= nfound;
		} else {
			atomic_Xadd(&h->reclaimCredit, nfound - npage);
			npage = 0;
		}
	}
	if (locked)
		unlock(&h->lock);
	tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_GCSweepDone(tl);
		traceRelease(tl);
	}
	releasem(mp);
}

// reclaimChunk sweeps spans without marks that start in pages [pageIdx, pageIdx+n), and returns how
// many pages it freed.  h->lock must be held: it keeps the arena's spans from going stale under us.
// It is released for each sweep.
uintptr_t
mheap_reclaimChunk(mheap *h, arenaIdx *arenas, uintptr_t pageIdx, uintptr_t n) {
	assertLockHeld(&h->lock);

	uintptr_t n0 = n;
	uintptr_t nFreed = 0;
	sweepLocker sl = activeSweep_begin(&sweep.active);
	if (!sl.valid)
		return 0;
	while (n > 0) {
		heapArena *ha = arenaOf(arenas[pageIdx / pagesPerArena]);

		uintptr_t arenaPage = pageIdx % pagesPerArena;
		uint8_t *inUse = &ha->pageInUse[arenaPage / 8];
		uint8_t *marked = &ha->pageMarks[arenaPage / 8];
		uintptr_t nbytes = nelem(ha->pageInUse) - arenaPage / 8;
		if (nbytes > n / 8)
			nbytes = n / 8;

		for (uintptr_t i = 0; i < nbytes; i++) {
			uint8_t inUseUnmarked = atomic_Load(&inUse[i]) & (uint8_t)~marked[i];
			if (inUseUnmarked == 0)
				continue;
			for (unsigned j = 0; j < 8; j++) {
				if ((inUseUnmarked & 1 << j) == 0)
					continue;
				mspan *s = ha->spans[arenaPage + i * 8 + j];
				bool ok;
				sweepLocked ss = sweepLocker_tryAcquire(&sl, s, &ok);
				if (!ok)
					continue;
				uintptr_t npages = s->npages;
				unlock(&h->lock);
				if (sweepLocked_sweep(&ss, false))
					nFreed += npages;
				lock(&h->lock);
				// Spans nearby may be gone.
				inUseUnmarked = atomic_Load(&inUse[i]) & (uint8_t)~marked[i];
			}
		}

		pageIdx += nbytes * 8;
		n -= nbytes * 8;
	}
	activeSweep_end(&sweep.active, sl);
	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		unlock(&h->lock);
		// Pages that were looked at, too.
		traceLocker_GCSweepSpan(tl, (n0 - nFreed) * pageSize);
		traceRelease(tl);
		lock(&h->lock);
	}

	assertLockHeld(&h->lock);
	return nFreed;
}

// init sets up a span of npages pages at base.  It was not cleared: sweepgen stays.
void
mspan_init(mspan *span, uintptr_t base, uintptr_t npages) {
	span->next = NULL;
	span->prev = NULL;
	span->list = NULL;
	span->startAddr = base;
	span->npages = npages;
	span->limit = base + npages * PageSize; // less for spans of objects; see initSpan
	span->allocCount = 0;
	span->spanclass = 0;
	span->elemsize = 0;
	span->speciallock.key = 0;
	span->specials = NULL;
	span->needzero = 0;
	span->freeindex = 0;
	span->freeIndexForScan = 0;
	span->allocBits = NULL;
	span->gcmarkBits = NULL;
	span->pinnerBits = NULL;
	mSpanStateBox_set(&span->state, mSpanDead);
	lockInit(&span->speciallock, lockRankMspanSpecial);
}

// inList reports whether the span is on a list.
bool
mspan_inList(const mspan *span) {
	return span->list != NULL;
}

// init makes the list empty.
void
mSpanList_init(mSpanList *list) {
	atomic_StoreRelaxed(&list->first, NULL);
	list->last = NULL;
}

// remove takes span off the list.
void
mSpanList_remove(mSpanList *list, mspan *span) {
	if (span->list != list) {
		print("runtime: failed mSpanList.remove span.npages=%lu span=%p prev=%p "
		      "span.list=%p list=%p\n",
			span->npages, (void *)span, (void *)span->prev, (void *)span->list,
			(void *)list);
		throw("mSpanList.remove");
	}
	if (list->first == span)
		atomic_StoreRelaxed(&list->first, span->next);
	else
		span->prev->next = span->next;
	if (list->last == span)
		list->last = span->prev;
	else
		span->next->prev = span->prev;
	span->next = NULL;
	span->prev = NULL;
	span->list = NULL;
}

// isEmpty reports whether the list is empty.
bool
mSpanList_isEmpty(const mSpanList *list) {
	return list->first == NULL;
}

// insert puts span at the front.
void
mSpanList_insert(mSpanList *list, mspan *span) {
	if (span->next != NULL || span->prev != NULL || span->list != NULL) {
		print("runtime: failed mSpanList.insert %p %p %p %p\n", (void *)span,
			(void *)span->next, (void *)span->prev, (void *)span->list);
		throw("mSpanList.insert");
	}
	span->next = list->first;
	if (list->first != NULL)
		list->first->prev = span;
	else
		list->last = span;
	atomic_StoreRelaxed(&list->first, span);
	span->list = list;
}

// insertBack puts span at the end.
void
mSpanList_insertBack(mSpanList *list, mspan *span) {
	if (span->next != NULL || span->prev != NULL || span->list != NULL) {
		print("runtime: failed mSpanList.insertBack %p %p %p %p\n", (void *)span,
			(void *)span->next, (void *)span->prev, (void *)span->list);
		throw("mSpanList.insertBack");
	}
	span->prev = list->last;
	if (list->last != NULL)
		list->last->next = span;
	else
		atomic_StoreRelaxed(&list->first, span);
	list->last = span;
	span->list = list;
}

// takeAll moves all of other to the front of list.
void
mSpanList_takeAll(mSpanList *list, mSpanList *other) {
	if (mSpanList_isEmpty(other))
		return;
	for (mspan *s = other->first; s != NULL; s = s->next)
		s->list = list;
	if (mSpanList_isEmpty(list)) {
		atomic_StoreRelaxed(&list->first, other->first);
		list->last = other->last;
	} else {
		other->last->next = list->first;
		list->first->prev = other->last;
		atomic_StoreRelaxed(&list->first, other->first);
	}
	atomic_StoreRelaxed(&other->first, NULL);
	other->last = NULL;
}
