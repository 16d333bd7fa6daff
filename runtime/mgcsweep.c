// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Sweeping.  Ports mgcsweep.go of Go 1.26.8.
//
// After the mark phase each span is swept once before the next one: slots without a mark become
// free, spans without any marked object go back to the page heap.  Sweeping happens in three ways:
// in the background (bgsweep), by whoever needs a span of some class (mcentral_cacheSpan) and by
// whoever needs pages (mheap_reclaim, which looks for spans without marks only).  Besides, whoever
// allocates a span first sweeps in proportion (deductSweepCredit), so that everything is swept by the
// time the next cycle starts.
//
// Who sweeps a span is decided by its sweepgen: it goes from -2 (unswept) by a CAS to -1 (somebody
// sweeps) and then to 0, relative to the heap's, which grows by 2 in each cycle.
//
// PORT: a mark on a free slot, which in Go is a "found pointer to free object" crash, is cleared and
// counted: stale words in C objects leave such marks (DESIGN 4.4).  GODEBUG=zombie=1 brings the crash
// back.
#include "runtime/mgcsweep.h"

#include "runtime/mbitmap.h"
#include "runtime/mcentral.h"
#include "runtime/mgc.h"
#include "runtime/mgcpacer.h"
#include "runtime/mgcwork.h"
#include "runtime/mstats.h"
#include "runtime/runtime1.h"
#include "sched/proc.h"
#include "sched/sema.h"
#include "sched/traceruntime.h"

sweepdata sweep;

sweepClass
sweepClass_load(sweepClass *s) {
	return atomic_Load(s);
}

// sweepClass_update raises *s to sNew; it never goes down.
void
sweepClass_update(sweepClass *s, sweepClass sNew) {
	sweepClass sOld = sweepClass_load(s);
	while (sOld < sNew && !atomic_Cas(s, sOld, sNew)) {
		sOld = sweepClass_load(s);
	}
}

void
sweepClass_clear(sweepClass *s) {
	atomic_Store(s, 0);
}

// sweepClass_split returns the span class of s and whether it stands for the full spans.
spanClass
sweepClass_split(sweepClass s, bool *full) {
	*full = (s & 1) == 0;
	return (spanClass)(s >> 1);
}

// mheap_nextSpanForSweep takes an unswept span out of the central lists, NULL if there is none.
mspan *
mheap_nextSpanForSweep(mheap *h) {
	uint32_t sg = h->sweepgen;
	for (sweepClass sc = sweepClass_load(&sweep.centralIndex); sc < numSweepClasses; sc++) {
		bool full;
		spanClass spc = sweepClass_split(sc, &full);
		mcentral *c = &h->central[spc].mcentral;
		mspan *s = spanSet_pop(
			full ? mcentral_fullUnswept(c, sg) : mcentral_partialUnswept(c, sg));
		if (s != NULL) {
			// The classes before have run out.
			sweepClass_update(&sweep.centralIndex, sc);
			return s;
		}
	}
	sweepClass_update(&sweep.centralIndex, sweepClassDone);
	return NULL;
}

// activeSweep_begin counts the caller as a sweeper, which keeps the sweep phase from ending.  If the
// result is not valid, nothing is left to be swept (though others may still be at it); its sweepGen
// is right in any case.
sweepLocker
activeSweep_begin(activeSweep *a) {
	for (;;) {
		uint32_t state = atomic_Load(&a->state);
		if ((state & sweepDrainedMask) != 0) {
			return (sweepLocker){mheap_.sweepgen, false};
		}
		if (atomic_Cas(&a->state, state, state + 1)) {
			return (sweepLocker){mheap_.sweepgen, true};
		}
	}
}

// activeSweep_end ends what a valid sl began.
void
activeSweep_end(activeSweep *a, sweepLocker sl) {
	if (sl.sweepGen != mheap_.sweepgen) {
		throw("sweeper left outstanding across sweep generations");
	}
	for (;;) {
		uint32_t state = atomic_Load(&a->state);
		if ((state & ~sweepDrainedMask) - 1 >= sweepDrainedMask) {
			throw("mismatched begin/end of activeSweep");
		}
		if (atomic_Cas(&a->state, state, state - 1)) {
			if (state - 1 != sweepDrainedMask) {
				return;
			}
			// The last sweeper, and nothing is left.
			if (debug.gcpacertrace > 0) {
				uint64_t live = atomic_Load(&gcController.heapLive);
				print("pacer: sweep done at heap size %luMB; allocated %luMB "
				      "during sweep; "
				      "swept %lu pages at ",
					(unsigned long)(live >> 20),
					(unsigned long)((live - mheap_.sweepHeapLiveBasis) >> 20),
					(unsigned long)atomic_Load(&mheap_.pagesSwept));
				printfloat(mheap_.sweepPagesPerByte);
				print(" pages/byte\n");
			}
			return;
		}
	}
}

// activeSweep_markDrained notes that nothing is left to be taken; true for the first to do so.
bool
activeSweep_markDrained(activeSweep *a) {
	for (;;) {
		uint32_t state = atomic_Load(&a->state);
		if ((state & sweepDrainedMask) != 0) {
			return false;
		}
		if (atomic_Cas(&a->state, state, state | sweepDrainedMask)) {
			return true;
		}
	}
}

// activeSweep_sweepers is the number of sweepers at work.
uint32_t
activeSweep_sweepers(activeSweep *a) {
	return atomic_Load(&a->state) & ~sweepDrainedMask;
}

// activeSweep_isDone reports whether the sweep phase is over.
bool
activeSweep_isDone(activeSweep *a) {
	return atomic_Load(&a->state) == sweepDrainedMask;
}

// activeSweep_reset prepares a for the next phase.  The world must be stopped.
void
activeSweep_reset(activeSweep *a) {
	assertWorldStopped();
	atomic_Store(&a->state, 0);
}

// finishsweep_m sweeps what is still unswept.  The world must be stopped; thus no sweep is under way.
void
finishsweep_m(void) {
	assertWorldStopped();

	// Usually nothing: only a forced GC comes before the sweep is through.
	while (sweepone() != ~(uintptr_t)0) {
	}

	if (activeSweep_sweepers(&sweep.active) != 0) {
		throw("active sweepers found at start of mark phase");
	}

	// The unswept sets are empty; give their blocks back.  Here and not in mark termination, so
	// that a span which was forgotten is found.
	uint32_t sg = mheap_.sweepgen;
	for (int i = 0; i < numSpanClasses; i++) {
		mcentral *c = &mheap_.central[i].mcentral;
		spanSet_reset(mcentral_partialUnswept(c, sg));
		spanSet_reset(mcentral_fullUnswept(c, sg));
	}

	// Who allocates will scavenge for the next cycle.  What is free now is the background's.
	scavengerState_wake(&scavenger);

	nextMarkBitArenaEpoch();
}

// bgsweep is the background sweeper.  It has a low priority: what is not swept here is swept by
// those who allocate.  Therefore it works in batches, since calling the scheduler after each span
// would cost more than the sweep, and after each batch lets others run, unless a P is idle anyway.
void
bgsweep(void *c) {
	sweep.g = getg();

	lockInit(&sweep.lock, lockRankSweep);
	lock(&sweep.lock);
	sweep.parked = true;
	semrelease(c);
	goparkunlock(&sweep.lock, waitReasonGCSweepWait);

	for (;;) {
		enum { sweepBatchSize = 10 };
		int nSwept = 0;
		while (sweepone() != ~(uintptr_t)0) {
			nSwept++;
			if (nSwept % sweepBatchSize == 0) {
				goschedIfBusy();
			}
		}
		while (freeSomeWbufs(true)) {
			goschedIfBusy();
		}
		lock(&sweep.lock);
		if (!isSweepDone()) {
			// A cycle has run since, or another sweeper is at its last span.
			unlock(&sweep.lock);
			goschedIfBusy();
			continue;
		}
		sweep.parked = true;
		goparkunlock(&sweep.lock, waitReasonGCSweepWait);
	}
}

// sweepLocker_tryAcquire takes s for sweeping; *ok is false if that is not to be done or somebody
// else does it.
sweepLocked
sweepLocker_tryAcquire(sweepLocker *l, mspan *s, bool *ok) {
	*ok = false;
	if (!l->valid) {
		throw("use of invalid sweepLocker");
	}
	if (atomic_Load(&s->sweepgen) != l->sweepGen - 2) {
		return (sweepLocked){NULL};
	}
	if (!atomic_Cas(&s->sweepgen, l->sweepGen - 2, l->sweepGen - 1)) {
		return (sweepLocked){NULL};
	}
	*ok = true;
	return (sweepLocked){s};
}

// sweepone_1 prints what was scavenged since the last cycle.
static void
sweepone_1(void *unused) {
	(void)unused;
	lock(&mheap_.lock);
	uintptr_t releasedBg = atomic_Load(&mheap_.pages.scav.releasedBg);
	uintptr_t releasedEager = atomic_Load(&mheap_.pages.scav.releasedEager);
	printScavTrace(releasedBg, releasedEager, false);
	atomic_Xadd(&mheap_.pages.scav.releasedBg, -releasedBg);
	atomic_Xadd(&mheap_.pages.scav.releasedEager, -releasedEager);
	unlock(&mheap_.lock);
}

// sweepone sweeps one span and returns how many pages that gave back to the heap, ~0 if there was no
// span to sweep.
uintptr_t
sweepone(void) {
	G *gp = getg();

	// A span that is half swept must not meet the next cycle.
	gp->m->locks++;

	sweepLocker sl = activeSweep_begin(&sweep.active);
	if (!sl.valid) {
		gp->m->locks--;
		return ~(uintptr_t)0;
	}

	uintptr_t npages = ~(uintptr_t)0;
	bool noMoreWork = false;
	for (;;) {
		mspan *s = mheap_nextSpanForSweep(&mheap_);
		if (s == NULL) {
			noMoreWork = activeSweep_markDrained(&sweep.active);
			break;
		}
		mSpanState state = mSpanStateBox_get(&s->state);
		if (state != mSpanInUse) {
			// Swept and freed by somebody who found it directly; then sweepgen says so.
			uint32_t sg = atomic_Load(&s->sweepgen);
			if (!(sg == sl.sweepGen || sg == sl.sweepGen + 3)) {
				print("runtime: bad span s.state=%u s.sweepgen=%u sweepgen=%u\n",
					state, sg, sl.sweepGen);
				throw("non in-use span in unswept list");
			}
			continue;
		}
		bool ok;
		sweepLocked locked = sweepLocker_tryAcquire(&sl, s, &ok);
		if (ok) {
			npages = s->npages;
			if (sweepLocked_sweep(&locked, false)) {
				// These pages count for those who reclaim pages.
				atomic_Xadd(&mheap_.reclaimCredit, npages);
			} else {
				npages = 0;
			}
			break;
		}
	}
	activeSweep_end(&sweep.active, sl);

	if (noMoreWork) {
		// The first to come to the end: now there is something for the scavenger, once in
		// a cycle.
		if (debug.scavtrace > 0)
			systemstack(sweepone_1, NULL);
		scavengerState_ready(&scavenger);
	}

	gp->m->locks--;
	return npages;
}

// isSweepDone reports whether all spans are swept.  Another cycle may make that false, unless the
// caller keeps it out.
bool
isSweepDone(void) {
	return activeSweep_isDone(&sweep.active);
}

// mspan_ensureSwept returns when s, which is in use, has been swept.  The caller must not be
// preemptible, or s might soon be unswept again.
void
mspan_ensureSwept(mspan *s) {
	sweepLocker sl = activeSweep_begin(&sweep.active);
	if (sl.valid) {
		bool ok;
		sweepLocked locked = sweepLocker_tryAcquire(&sl, s, &ok);
		if (ok) {
			sweepLocked_sweep(&locked, false);
			activeSweep_end(&sweep.active, sl);
			return;
		}
		activeSweep_end(&sweep.active, sl);
	}

	// It is swept, or somebody is sweeping it: that does not take long.
	for (;;) {
		uint32_t spangen = atomic_Load(&s->sweepgen);
		if (spangen == sl.sweepGen || spangen == sl.sweepGen + 3) {
			break;
		}
		osyield();
	}
}

// sweepSpecials handles the specials of objects that are about to be freed.
static void
sweepSpecials(mspan *s) {
	uintptr_t size = s->elemsize;
	bool hadSpecials = s->specials != NULL;
	specialsIter siter = newSpecialsIter(s);
	while (specialsIter_valid(&siter)) {
		// Offsets may be of any byte of an object.
		uintptr_t objIndex = siter.s->offset / size;
		uintptr_t p = s->startAddr + objIndex * size;
		markBits mbits = mspan_markBitsForIndex(s, objIndex);
		if (!markBits_isMarked(mbits)) {
			uintptr_t endOffset = p - s->startAddr + size;
			while (specialsIter_valid(&siter) && siter.s->offset < endOffset) {
				special *sp = siter.s;
				void *q = (void *)(s->startAddr + sp->offset);
				specialsIter_unlinkAndNext(&siter);
				freeSpecial(sp, q, size);
			}
		} else if (siter.s->kind == _KindSpecialReachable) {
			special *sp = specialsIter_unlinkAndNext(&siter);
			((specialReachable *)(void *)sp)->reachable = true;
			freeSpecial(sp, (void *)p, size);
		} else {
			specialsIter_next(&siter);
		}
	}
	if (hadSpecials && s->specials == NULL) {
		spanHasNoSpecials(s);
	}
}

// clearFreeMarks clears the marks of slots that are free.
static void
clearFreeMarks(mspan *s) {
	if (s->freeindex >= s->nelems) {
		return;
	}
	uint8_t *marks = &s->gcmarkBits->x;
	const uint8_t *allocs = &s->allocBits->x;
	uint64_t cleared = 0;
	// Below freeindex all slots are allocated.
	uintptr_t obj = s->freeindex;
	for (uintptr_t i = obj / 8; i < divRoundUp(s->nelems, 8); i++) {
		uint8_t stray = (uint8_t)(marks[i] & ~allocs[i]);
		if (i == obj / 8) {
			stray &= (uint8_t)(0xff << (obj % 8));
		}
		if (likely(stray == 0)) {
			continue;
		}
		if (debug.zombie > 0) {
			mspan_reportZombies(s);
		}
		marks[i] &= (uint8_t)~stray;
		cleared += (uint64_t)OnesCount64(stray);
	}
	if (cleared != 0) {
		atomic_Xadd(&sweep.freeMarks, cleared);
	}
}

// sweepLocked_sweep frees the unmarked slots of the span and makes its mark bits those of the next
// cycle.  It returns true if the span went back to the page heap.  With preserve it neither does
// that nor puts the span on a central list: the caller has a use for it.
bool
sweepLocked_sweep(sweepLocked *sl, bool preserve) {
	// GC must not start meanwhile.
	// PORT: Go checks that m is locked; here no code of the runtime is stopped by a signal, and
	// malloc does not lock m.

	mspan *s = sl->mspan;
	if (!preserve) {
		sl->mspan = NULL; // it will be somebody else's
	}

	uint32_t sweepgen = mheap_.sweepgen;
	mSpanState state = mSpanStateBox_get(&s->state);
	uint32_t sg = atomic_LoadRelaxed(&s->sweepgen); // others try to take it all the same
	if (state != mSpanInUse || sg != sweepgen - 1) {
		print("mspan.sweep: state=%u sweepgen=%u mheap.sweepgen=%u\n", state, sg, sweepgen);
		throw("mspan.sweep: bad span state");
	}

	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_GCSweepSpan(tl, s->npages * pageSize);
		traceRelease(tl);
	}

	atomic_Xadd(&mheap_.pagesSwept, s->npages);

	spanClass spc = s->spanclass;
	uintptr_t size = s->elemsize;

	// Slots from freeindex on whose bit in allocBits is clear were free at the end of the last
	// cycle and still are: nothing happens to them.

	if (s->specials != NULL) {
		sweepSpecials(s);
	}

	if (unlikely(debug.clobberfree != 0 || traceAllocFreeEnabled())) {
		for (uintptr_t i = 0; i < s->nelems; i++) {
			if (!markBits_isMarked(mspan_markBitsForIndex(s, i)) &&
				(i < s->freeindex ||
					markBits_isMarked(mspan_allocBitsForIndex(s, i)))) {
				uintptr_t x = s->startAddr + i * size;
				tl = traceAcquire();
				if (traceLocker_ok(tl)) {
					if (traceAllocFreeEnabled()) {
						traceLocker_HeapObjectFree(tl, x);
					}
					traceRelease(tl);
				}
				if (debug.clobberfree != 0) {
					clobberfree((void *)x, size);
				}
			}
		}
	}

	if (gcUsesSpanInlineMarkBits(s->elemsize)) {
		mspan_moveInlineMarks(s, s->gcmarkBits);
	}

	clearFreeMarks(s);

	uint16_t nalloc = (uint16_t)mspan_countAlloc(s);
	uint16_t nfreed = (uint16_t)(s->allocCount - nalloc);
	if (nalloc > s->allocCount) {
		print("runtime: nelems=%u nalloc=%u previous allocCount=%u nfreed=%u\n", s->nelems,
			nalloc, s->allocCount, nfreed);
		throw("sweep increased allocation count");
	}

	s->allocCount = nalloc;
	s->freeindex = 0;
	s->freeIndexForScan = 0;
	if (unlikely(traceEnabled())) {
		getg()->m->p->trace.reclaimed += nfreed * s->elemsize;
	}

	s->allocBits = s->gcmarkBits;
	s->gcmarkBits = newMarkBits(s->nelems);

	mspan_refillAllocCache(s, 0);

	// Nobody may have touched it.
	state = mSpanStateBox_get(&s->state);
	sg = atomic_LoadRelaxed(&s->sweepgen);
	if (state != mSpanInUse || sg != sweepgen - 1) {
		print("mspan.sweep: state=%u sweepgen=%u mheap.sweepgen=%u\n", state, sg, sweepgen);
		throw("mspan.sweep: bad span state after sweep");
	}
	if (sg == sweepgen + 1 || sg == sweepgen + 3) {
		throw("swept cached span");
	}

	// After all else, and before the span can be allocated from: there it must count as swept.
	atomic_Store(&s->sweepgen, sweepgen);

	if (spanClass_sizeclass(spc) != 0) {
		if (nfreed > 0) {
			// Slots that were never used are still zero: only what was freed needs zeroing.
			s->needzero = 1;
			heapStatsDelta *stats = consistentHeapStats_acquire(&memstats.heapStats);
			atomic_Xadd(
				&stats->smallFreeCount[spanClass_sizeclass(spc)], (uint64_t)nfreed);
			consistentHeapStats_release(&memstats.heapStats);

			atomic_Xadd(&gcController.totalFree, (uint64_t)nfreed * s->elemsize);
		}
		if (!preserve) {
			// If it was found directly, it is in an unswept set still; who pops it there
			// sees its sweepgen.
			if (nalloc == 0) {
				mheap_freeSpan(&mheap_, s);
				return true;
			}
			if (nalloc == s->nelems) {
				spanSet_push(
					mcentral_fullSwept(&mheap_.central[spc].mcentral, sweepgen),
					s);
			} else {
				spanSet_push(mcentral_partialSwept(
						     &mheap_.central[spc].mcentral, sweepgen),
					s);
			}
		}
	} else if (!preserve) {
		if (nfreed != 0) {
			// Before freeSpan, which changes inHeap: the sum of objects must not exceed it.
			heapStatsDelta *stats = consistentHeapStats_acquire(&memstats.heapStats);
			atomic_Xadd(&stats->largeFreeCount, 1);
			atomic_Xadd(&stats->largeFree, size);
			consistentHeapStats_release(&memstats.heapStats);

			atomic_Xadd(&gcController.totalFree, size);

			if (debug.efence > 0) {
				// Never to be used again: freeing it properly would leave the metadata
				// wrong when the address comes back.
				s->limit = 0;
				sysFault((void *)s->startAddr, size);
			} else {
				mheap_freeSpan(&mheap_, s);
			}
			return true;
		}

		spanSet_push(mcentral_fullSwept(&mheap_.central[spc].mcentral, sweepgen), s);
	}
	return false;
}

// mspan_reportZombies prints all slots of s and throws over those that are marked but free.
void
mspan_reportZombies(mspan *s) {
	printlock();
	print("runtime: marked free object in span %p, elemsize=%lu freeindex=%u (bad use of "
	      "unsafe.Pointer or having race conditions? try -d=checkptr or -race)\n",
		(void *)s, s->elemsize, s->freeindex);
	// The inline mark bits have been moved already.
	for (uintptr_t i = 0; i < s->nelems; i++) {
		uintptr_t addr = s->startAddr + i * s->elemsize;
		bool alloc = i < s->freeindex || markBits_isMarked(mspan_allocBitsForIndex(s, i));
		bool marked = ((&s->gcmarkBits->x)[i / 8] >> (i % 8) & 1) != 0;
		bool zombie = marked && !alloc;
		print("%#lx%s%s%s\n", addr, alloc ? " alloc" : " free ",
			marked ? " marked  " : " unmarked", zombie ? " zombie" : "");
		if (zombie) {
			hexdumpWords(addr, addr + min(s->elemsize, (uintptr_t)1024));
		}
	}
	throw("found pointer to free object");
}

// deductSweepCredit sweeps in proportion to spanBytes, which are going to be allocated, so that
// everything is swept before the next cycle.  callerSweepPages pages may be left over, as the caller
// will sweep them itself.  mheap_.lock must not be held.
void
deductSweepCredit(uintptr_t spanBytes, uintptr_t callerSweepPages) {
	// Whoever finds that all is swept clears it while others look.
	if (atomic_LoadFloat64(&mheap_.sweepPagesPerByte) == 0) {
		return; // done, or not wanted
	}

	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_GCSweepStart(tl);
		traceRelease(tl);
	}
retry:;
	uint64_t sweptBasis = atomic_Load(&mheap_.pagesSweptBasis);
	uint64_t live = atomic_Load(&gcController.heapLive);
	uint64_t liveBasis = mheap_.sweepHeapLiveBasis;
	uint64_t newHeapLive = spanBytes;
	if (liveBasis < live) {
		// It can be the other way round for a moment, when gcPaceSweeper runs at the same time:
		// then this attempt sweeps little, instead of the whole heap.
		newHeapLive += live - liveBasis;
	}
	int64_t pagesTarget =
		(int64_t)(atomic_LoadFloat64(&mheap_.sweepPagesPerByte) * (double)newHeapLive) -
		(int64_t)callerSweepPages;
	while (pagesTarget > (int64_t)(atomic_Load(&mheap_.pagesSwept) - sweptBasis)) {
		if (sweepone() == ~(uintptr_t)0) {
			atomic_StoreFloat64(&mheap_.sweepPagesPerByte, 0);
			break;
		}
		if (atomic_Load(&mheap_.pagesSweptBasis) != sweptBasis) {
			goto retry; // the pace has changed
		}
	}
	tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_GCSweepDone(tl);
		traceRelease(tl);
	}
}

// clobberfree overwrites a freed object, for debugging.  size is a multiple of 4.
void
clobberfree(void *x, uintptr_t size) {
	for (uintptr_t i = 0; i < size; i += 4) {
		*(uint32_t *)add(x, i) = 0xdeadbeef;
	}
}

// gcPaceSweeper sets the pace of the sweep so that it is done when the heap reaches trigger.
// The world must be stopped, or mheap_.lock held.
void
gcPaceSweeper(uint64_t trigger) {
	assertWorldStoppedOrLockHeld(&mheap_.lock);

	if (isSweepDone()) {
		atomic_StoreFloat64(&mheap_.sweepPagesPerByte, 0);
		return;
	}
	uint64_t heapLiveBasis = atomic_Load(&gcController.heapLive);
	int64_t heapDistance = (int64_t)trigger - (int64_t)heapLiveBasis;
	// A margin for rounding, and for sweepers that are under way when the cycle starts.
	heapDistance -= 1024 * 1024;
	if (heapDistance < pageSize) {
		heapDistance = pageSize; // not infinitely fast
	}
	uint64_t pagesSwept = atomic_Load(&mheap_.pagesSwept);
	uint64_t pagesInUse = atomic_Load(&mheap_.pagesInUse);
	int64_t sweepDistancePages = (int64_t)pagesInUse - (int64_t)pagesSwept;
	if (sweepDistancePages <= 0) {
		atomic_StoreFloat64(&mheap_.sweepPagesPerByte, 0);
	} else {
		atomic_StoreFloat64(&mheap_.sweepPagesPerByte,
			(double)sweepDistancePages / (double)heapDistance);
		mheap_.sweepHeapLiveBasis = heapLiveBasis;
		// Last: it tells the sweepers to compute again.
		atomic_Store(&mheap_.pagesSweptBasis, pagesSwept);
	}
}
