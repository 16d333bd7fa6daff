// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The central list of spans of one span class.
//
// Ports mcentral.go of Go 1.26.8.
//
// An mcache gets its spans here: a swept one with free objects, else an unswept one that it sweeps
// itself, else a new one from the page heap.
#include "runtime/mcentral.h"

#include "runtime/mbitmap.h"
#include "runtime/mgcsweep.h"
#include "runtime/mheap.h"
#include "sched/traceruntime.h"

static mspan *mcentral_grow(mcentral *c);

// init sets up the list for span class spc.
void
mcentral_init(mcentral *c, spanClass spc) {
	c->spanclass = spc;
	lockInit(&c->partial[0].spineLock, lockRankSpanSetSpine);
	lockInit(&c->partial[1].spineLock, lockRankSpanSetSpine);
	lockInit(&c->full[0].spineLock, lockRankSpanSetSpine);
	lockInit(&c->full[1].spineLock, lockRankSpanSetSpine);
}

// sweepForSpan looks among the unswept spans of generation sg for one with a free object.  It gives
// up after 100 spans, to bound the time; the memory that costs is 1 % at most.
static mspan *
mcentral_sweepForSpan(mcentral *c, uint32_t sg) {
	int spanBudget = 100;
	sweepLocker sl = activeSweep_begin(&sweep.active);
	if (!sl.valid)
		return NULL;
	mspan *found = NULL;
	for (; spanBudget >= 0; spanBudget--) {
		mspan *s = spanSet_pop(mcentral_partialUnswept(c, sg));
		if (s == NULL)
			break;
		bool ok;
		sweepLocked ss = sweepLocker_tryAcquire(&sl, s, &ok);
		if (ok) {
			sweepLocked_sweep(&ss, true);
			found = s;
			goto done;
		}
		// Another sweeper owns it, could not take it off this set, and puts it where it
		// belongs.  It must not be touched.
	}
	for (; spanBudget >= 0; spanBudget--) {
		mspan *s = spanSet_pop(mcentral_fullUnswept(c, sg));
		if (s == NULL)
			break;
		bool ok;
		sweepLocked ss = sweepLocker_tryAcquire(&sl, s, &ok);
		if (ok) {
			sweepLocked_sweep(&ss, true);
			uint16_t freeIndex = mspan_nextFreeIndex(s);
			if (freeIndex != s->nelems) {
				s->freeindex = freeIndex;
				found = s;
				goto done;
			}
			// Sweeping freed nothing.
			spanSet_push(mcentral_fullSwept(c, sg), s);
		}
	}
done:
	activeSweep_end(&sweep.active, sl);
	return found;
}

// cacheSpan returns a span for an mcache.
mspan *
mcentral_cacheSpan(mcentral *c) {
	// Sweep in proportion to what is about to be allocated.
	uintptr_t spanBytes =
		(uintptr_t)SizeClassToNPages[spanClass_sizeclass(c->spanclass)] * pageSize;
	deductSweepCredit(spanBytes, 0);

	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_GCSweepStart(tl);
		traceRelease(tl);
	}
	uint32_t sg = mheap_.sweepgen;
	mspan *s = spanSet_pop(mcentral_partialSwept(c, sg));
	if (s == NULL)
		s = mcentral_sweepForSpan(c, sg);
	tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_GCSweepDone(tl);
		traceRelease(tl);
	}
	if (s == NULL)
		s = mcentral_grow(c);
	if (s == NULL)
		return NULL;

	int n = s->nelems - s->allocCount;
	if (n == 0 || s->freeindex == s->nelems || s->allocCount == s->nelems)
		throw("span has no free objects");
	uint16_t freeByteBase = (uint16_t)(s->freeindex & ~(64 - 1));
	uint16_t whichByte = freeByteBase / 8;
	mspan_refillAllocCache(s, whichByte);
	// Bit 0 stands for freeindex.
	s->allocCache >>= s->freeindex % 64;
	return s;
}

// uncacheSpan takes back a span, with objects in it, that an mcache had.
void
mcentral_uncacheSpan(mcentral *c, mspan *s) {
	if (s->allocCount == 0)
		throw("uncaching span but s.allocCount == 0");

	uint32_t sg = mheap_.sweepgen;
	bool stale = atomic_LoadRelaxed(&s->sweepgen) == sg + 1;
	if (stale) {
		// It was cached before this sweep began, so it is on us to sweep it; sweeping puts
		// it on the right set.  A sweepLocker is not needed: mark termination flushes all
		// mcaches, and the sweep is not over before that.
		atomic_Store(&s->sweepgen, sg - 1);
		sweepLocked ss = {s};
		sweepLocked_sweep(&ss, false);
		return;
	}
	atomic_Store(&s->sweepgen, sg); // not cached any more
	if (s->nelems > s->allocCount)
		spanSet_push(mcentral_partialSwept(c, sg), s);
	else
		spanSet_push(mcentral_fullSwept(c, sg), s);
}

// grow makes a new span.
static mspan *
mcentral_grow(mcentral *c) {
	uintptr_t npages = SizeClassToNPages[spanClass_sizeclass(c->spanclass)];
	mspan *s = mheap_alloc(&mheap_, npages, c->spanclass);
	if (s == NULL)
		return NULL;
	mspan_initHeapBits(s);
	return s;
}
