// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Marking: the drain loops and the scanning of objects.  Ports the second half of mgcmark.go of Go
// 1.26.8, and scanObject of mgcmark_nogreenteagc.go.
//
// Nearly all the time of a cycle is spent in the four functions that follow each other here: gcDrain
// takes a grey object, scanObject finds its pointers, mark_fast finds and sets the mark of what each
// points to, and what was not marked is queued.  Each of these steps touches memory that nobody has
// touched for long, so:
//   - a word that is outside of the addresses of the heap is dropped by one comparison;
//   - objects of up to 512 bytes have their mark bits, their size class and their pointer bits at the
//     end of their page: marking one takes one cache line and no look at the mspan;
//   - objects pass through a short queue between the work buffer and the scan, and pointers through
//     another one between the scan and the mark (markQueue), while prefetches fetch what will be
//     needed.
//
// PORT: a word that points to a free slot, behind the last one, or to no object at all is ignored
// wherever it was found (DESIGN 4.4).  A free slot with inline mark bits may get a mark, since
// telling takes a look at the mspan; the scan looks and skips it, and sweeping clears the mark.
// PORT: an object that a conservative word points just past the end of is kept, too.
#include "runtime/mgcmark.h"

#include "runtime/mbitmap.h"
#include "runtime/mcache.h"
#include "runtime/mcheckmark.h"
#include "runtime/mgc.h"
#include "runtime/mgclimit.h"
#include "runtime/mgcpacer.h"
#include "runtime/mheap.h"
#include "runtime/runtime1.h"
#include "sched/proc.h"

// [heapLo, heapLo+heapSize) has all arenas that existed when the mark phase began.  Objects in arenas
// that came later were allocated black.
static uintptr_t heapLo;
static uintptr_t heapSize;

// inlineNelems is the number of objects of a span of each class with inline mark bits, 0 for other
// classes.
static uint16_t inlineNelems[256];

void
mgcmark_drain_init(void) {
	for (int sc = 0; sc < numSpanClasses; sc++) {
		uintptr_t size = SizeClassToSize[sc >> 1];
		if (size == 0 || !gcUsesSpanInlineMarkBits(size)) {
			continue;
		}
		uintptr_t reserve = sizeof(spanInlineMarkBits);
		if (!spanClass_noscan((spanClass)sc)) {
			reserve += pageSize / PtrSize / 8;
		}
		inlineNelems[sc] = (uint16_t)((pageSize - reserve) / size);
	}
}

// The world must be stopped.
void
setHeapBounds_from_stw(void) {
	assertWorldStopped();
	uintptr_t lo = UINTPTR_MAX;
	uintptr_t hi = 0;
	for (intptr_t i = 0; i < mheap_.nheapArenas; i++) {
		uintptr_t base = arenaBase(mheap_.heapArenas[i]);
		lo = min(lo, base);
		hi = max(hi, base + heapArenaBytes);
	}
	heapLo = lo;
	heapSize = hi > lo ? hi - lo : 0;
}

// ---- the drain loops --------------------------------------------------------------------------------

// scanQueue delays objects on their way to the scan, for gcDrain and gcDrainN.
enum { scanQueueLen = 16 };
typedef struct scanQueue {
	uintptr_t obj[scanQueueLen];
	unsigned head;
	unsigned len;
} scanQueue;

// markQueue delays pointers into the heap on their way from the scan to the mark.
enum { markQueueLen = 16 };
typedef struct markQueue {
	uintptr_t p[markQueueLen];
	unsigned head;
	unsigned len;
} markQueue;

static void scanObjectQueued(uintptr_t b, gcWork *gcw, markQueue *mq);
static void markQueue_flush(markQueue *mq, gcWork *gcw);

// scanQueue_next takes the next object to scan: out of the queue, which is filled from the local
// buffer of gcw.  0 when both are empty.
static ALWAYS_INLINE uintptr_t
scanQueue_next(scanQueue *q, gcWork *gcw) {
	uintptr_t b;
	while (q->len < scanQueueLen && (b = gcWork_tryGetObjFast(gcw)) != 0) {
		// The object, its pointer bits (128 bytes before the mark bits), its span.
		uintptr_t page = alignDown(b, pageSize);
		__builtin_prefetch((void *)b);
		__builtin_prefetch((void *)(page + pageSize - 256 + (b - page) / 64));
		mspan *s = spanOfUnchecked(b);
		__builtin_prefetch(&s->startAddr);
		__builtin_prefetch(&s->divMul);
		q->obj[(q->head + q->len) % scanQueueLen] = b;
		q->len++;
	}
	if (q->len == 0) {
		return 0;
	}
	if (likely(q->len > scanQueueLen / 2)) {
		// The span should have come by now.
		uintptr_t b2 = q->obj[(q->head + scanQueueLen / 2) % scanQueueLen];
		mspan *s = spanOfUnchecked(b2);
		__builtin_prefetch(&s->allocBits->x + mspan_objIndex(s, b2) / 8);
	}
	b = q->obj[q->head];
	q->head = (q->head + 1) % scanQueueLen;
	q->len--;
	return b;
}

// scanQueue_flush puts what is in q back.
static void
scanQueue_flush(scanQueue *q, gcWork *gcw) {
	while (q->len > 0) {
		uintptr_t b = q->obj[q->head];
		q->head = (q->head + 1) % scanQueueLen;
		q->len--;
		if (!gcWork_putObjFast(gcw, b)) {
			gcWork_putObj(gcw, b);
		}
	}
}

void
gcDrainMarkWorkerIdle(gcWork *gcw) {
	gcDrain(gcw, gcDrainIdle | gcDrainUntilPreempt | gcDrainFlushBgCredit);
}

void
gcDrainMarkWorkerDedicated(gcWork *gcw, bool untilPreempt) {
	gcDrainFlags flags = gcDrainFlushBgCredit;
	if (untilPreempt) {
		flags |= gcDrainUntilPreempt;
	}
	gcDrain(gcw, flags);
}

void
gcDrainMarkWorkerFractional(gcWork *gcw) {
	gcDrain(gcw, gcDrainFractional | gcDrainUntilPreempt | gcDrainFlushBgCredit);
}

// gcNextMarkRoot draws a root job; *ok is false when there are no more.
uint32_t
gcNextMarkRoot(bool *ok) {
	uint32_t job = atomic_Xadd(&work.markrootNext, 1) - 1;
	*ok = job < atomic_Load(&work.markrootJobs);
	return job;
}

// enlistWorker starts another worker if gcw asks for it.
static ALWAYS_INLINE void
enlistWorker(gcWork *gcw) {
	if (unlikely(gcw->mayNeedWorker)) {
		gcw->mayNeedWorker = false;
		if (atomic_LoadRelaxed(&gcphase) == _GCmark) {
			gcControllerState_enlistWorker(&gcController);
		}
	}
}

// gcDrain does root jobs and scans grey objects until it finds no more, or until flags say to stop.
// It always stops when the world is to stop or for forEachP.  It may miss work that other Ps hold.
//
// No write barriers, as a flush of the buffer at the wrong moment would make work appear after the
// last look for it.
void
gcDrain(gcWork *gcw, gcDrainFlags flags) {
	if (atomic_LoadRelaxed(&gort_writeBarrier) == 0) {
		throw("gcDrain phase incorrect");
	}

	// Nothing preempts this goroutine, so that its P may be kept in a variable.
	G *gp = getg()->m->curg;
	P *pp = gp->m->p;
	bool preemptible = (flags & gcDrainUntilPreempt) != 0;
	bool flushBgCredit = (flags & gcDrainFlushBgCredit) != 0;
	bool idle = (flags & gcDrainIdle) != 0;

	int64_t initScanWork = gcw->heapScanWork;

	// checkWork is the scan work until the next look whether to stop.
	int64_t checkWork = INT64_MAX;
	bool (*poll)(void) = NULL;
	if ((flags & (gcDrainIdle | gcDrainFractional)) != 0) {
		checkWork = initScanWork + drainCheckThreshold;
		poll = idle ? pollWork : pollFractionalWorkerExit;
	}

#define gcDrain_stop()                                                                        \
	(atomic_LoadRelaxed(&gp->preempt) && (preemptible || atomic_Load(&sched.gcwaiting) || \
						     atomic_Load(&pp->runSafePointFn) != 0))

	scanQueue q = {.len = 0};
	markQueue mq = {.len = 0};

	if (atomic_Load(&work.markrootNext) < atomic_Load(&work.markrootJobs)) {
		while (!gcDrain_stop()) {
			bool ok;
			uint32_t job = gcNextMarkRoot(&ok);
			if (!ok) {
				break;
			}
			markroot(gcw, job, flushBgCredit);
			if (poll != NULL && poll()) {
				goto done;
			}
			enlistWorker(gcw);
		}
	}

	while (!gcDrain_stop()) {
		// Keep the global list supplied, whether or not somebody waits for it: at worst a few
		// buffers are split for nothing.
		if (atomic_LoadRelaxed(&work.full) == 0) {
			gcWork_balance(gcw);
		}

		uintptr_t b = scanQueue_next(&q, gcw);
		if (unlikely(b == 0)) {
			markQueue_flush(&mq, gcw);
			b = gcWork_tryGetObj(gcw);
			if (b == 0) {
				wbBufFlush(); // may make work
				b = gcWork_tryGetObj(gcw);
			}
			if (b == 0) {
				break;
			}
		}
		scanObjectQueued(b, gcw, &mq);

		enlistWorker(gcw);

		// Let assists have the credit as soon as it is worth while.
		if (gcw->heapScanWork >= gcCreditSlack) {
			atomic_Xadd(&gcController.heapScanWork, gcw->heapScanWork);
			if (flushBgCredit) {
				gcFlushBgCredit(gcw->heapScanWork - initScanWork);
				initScanWork = 0;
			}
			checkWork -= gcw->heapScanWork;
			gcw->heapScanWork = 0;

			if (checkWork <= 0) {
				checkWork += drainCheckThreshold;
				if (poll != NULL && poll()) {
					break;
				}
			}
		}
	}
#undef gcDrain_stop

done:
	markQueue_flush(&mq, gcw);
	scanQueue_flush(&q, gcw);
	if (gcw->heapScanWork > 0) {
		atomic_Xadd(&gcController.heapScanWork, gcw->heapScanWork);
		if (flushBgCredit) {
			gcFlushBgCredit(gcw->heapScanWork - initScanWork);
		}
		gcw->heapScanWork = 0;
	}
}

// gcDrainN scans until it has done about scanWork, or finds no more, or is to be preempted, and
// returns what it did.  For assists: on the system stack, the goroutine in a state in which others
// can stop it.
int64_t
gcDrainN(gcWork *gcw, int64_t scanWork) {
	if (atomic_LoadRelaxed(&gort_writeBarrier) == 0) {
		throw("gcDrainN phase incorrect");
	}

	// What is on gcw already was not done by this call.
	int64_t workFlushed = -gcw->heapScanWork;

	scanQueue q = {.len = 0};
	markQueue mq = {.len = 0};
	G *gp = getg()->m->curg;
	while (!atomic_LoadRelaxed(&gp->preempt) && !gcCPULimiterState_limiting(&gcCPULimiter) &&
		workFlushed + gcw->heapScanWork < scanWork) {
		if (atomic_LoadRelaxed(&work.full) == 0) {
			gcWork_balance(gcw);
		}

		uintptr_t b = scanQueue_next(&q, gcw);
		if (unlikely(b == 0)) {
			markQueue_flush(&mq, gcw);
			b = gcWork_tryGetObj(gcw);
			if (b == 0) {
				wbBufFlush();
				b = gcWork_tryGetObj(gcw);
			}
			if (b == 0) {
				if (atomic_Load(&work.markrootNext) <
					atomic_Load(&work.markrootJobs)) {
					bool ok;
					uint32_t job = gcNextMarkRoot(&ok);
					if (ok) {
						workFlushed += markroot(gcw, job, false);
						continue;
					}
				}
				break;
			}
		}
		scanObjectQueued(b, gcw, &mq);

		if (gcw->heapScanWork >= gcCreditSlack) {
			atomic_Xadd(&gcController.heapScanWork, gcw->heapScanWork);
			workFlushed += gcw->heapScanWork;
			gcw->heapScanWork = 0;
		}

		enlistWorker(gcw);
	}
	markQueue_flush(&mq, gcw);
	scanQueue_flush(&q, gcw);

	// dispose will flush the rest; none of it goes to the background credit.
	return workFlushed + gcw->heapScanWork;
}

// ---- finding and marking ------------------------------------------------------------------------------

// setPageMark notes that the span at page has a marked object, for the page reclaimer.
static ALWAYS_INLINE void
setPageMark(heapArena *ha, uintptr_t page) {
	uint8_t mask = (uint8_t)(1 << (page % 8));
	if ((atomic_LoadRelaxed(&ha->pageMarks[page / 8]) & mask) == 0) {
		(void)atomic_Or(&ha->pageMarks[page / 8], mask);
	}
}

// mark_object marks object idx of s, and returns it if it is to be queued.
static ALWAYS_INLINE uintptr_t
mark_object(mspan *s, uintptr_t idx, gcWork *gcw) {
	markBits mbits = mspan_markBitsForIndex(s, idx);
	if (markBits_isMarked(mbits)) {
		return 0;
	}
	markBits_setMarked(mbits);
	setPageMark(arenaOf(arenaIndex(s->startAddr)), s->startAddr / pageSize % pagesPerArena);
	if (spanClass_noscan(s->spanclass)) {
		gcw->bytesMarked += s->elemsize;
		return 0;
	}
	return s->startAddr + idx * s->elemsize;
}

// mark_spanned is mark_fast for spans without inline mark bits.
static NOINLINE uintptr_t
mark_spanned(mspan *s, uintptr_t p, gcWork *gcw) {
	if (s == NULL || mSpanStateBox_get(&s->state) != mSpanInUse || p < s->startAddr ||
		p >= atomic_LoadRelaxed(&s->limit)) {
		return 0;
	}
	uintptr_t idx = mspan_objIndex(s, p);
	if (idx >= s->nelems || mspan_isFreeOrNewlyAllocated(s, idx)) {
		return 0;
	}
	return mark_object(s, idx, gcw);
}

// mark_fast marks the object that p points into, and returns it if it is to be queued for scanning.
// Not for checkmarks.
static ALWAYS_INLINE uintptr_t
mark_fast(uintptr_t p, gcWork *gcw) {
	if (p - heapLo >= heapSize) {
		return 0;
	}
	heapArena *ha = atomic_LoadRelaxed(&mheap_.arenas[0][arenaIndex(p)]);
	if (unlikely(ha == NULL)) {
		return 0;
	}
	uintptr_t page = p / pageSize % pagesPerArena;
	if ((atomic_LoadRelaxed(&ha->pageUseSpanInlineMarkBits[page / 8]) >> (page % 8) & 1) == 0) {
		return mark_spanned(atomic_LoadRelaxed(&ha->spans[page]), p, gcw);
	}

	// If the span is being made just now, class may be anything: then p was not a pointer, and
	// inlineNelems keeps the accesses within the page.
	uintptr_t base = alignDown(p, pageSize);
	spanInlineMarkBits *imb = spanInlineMarkBitsFromBase(base);
	spanClass class = atomic_LoadRelaxed(&imb->class);
	uintptr_t nelems = inlineNelems[class];
	unsigned sizeclass = class >> 1;
	if (unlikely(nelems == 0)) {
		return 0;
	}
	uintptr_t idx = (uintptr_t)((uint64_t)(p - base) * SizeClassToDivMagic[sizeclass] >> 32);
	if (unlikely(idx >= nelems)) {
		return 0;
	}
	uint8_t *bytep = &imb->marks[idx / 8];
	uint8_t mask = (uint8_t)(1 << (idx % 8));
	if ((atomic_LoadRelaxed(bytep) & mask) != 0) {
		return 0;
	}
	(void)atomic_Or(bytep, mask);
	setPageMark(ha, page);
	uintptr_t size = SizeClassToSize[sizeclass];
	if (spanClass_noscan(class)) {
		gcw->bytesMarked += size;
		return 0;
	}
	return base + idx * size;
}

// queueObj adds a grey object to gcw.
static ALWAYS_INLINE void
queueObj(uintptr_t obj, gcWork *gcw) {
	if (unlikely(!gcWork_putObjFast(gcw, obj))) {
		gcWork_putObj(gcw, obj);
	}
}

// scan_checkmark is scan_word for checkmarks.
static COLD void
scan_checkmark(uintptr_t p, uintptr_t b, uintptr_t off, gcWork *gcw) {
	mspan *s;
	uintptr_t idx;
	uintptr_t obj = findObject(p, b, off, &s, &idx);
	if (obj != 0 && !mspan_isFree(s, idx)) {
		greyobject(obj, b, off, s, gcw, idx);
	}
}

// scan_word greys what p, found at b+off, points to.
static ALWAYS_INLINE void
scan_word(uintptr_t p, uintptr_t b, uintptr_t off, gcWork *gcw) {
	if (unlikely(useCheckmark)) {
		scan_checkmark(p, b, off, gcw);
		return;
	}
	uintptr_t obj = mark_fast(p, gcw);
	if (obj != 0) {
		queueObj(obj, gcw);
	}
}

// loadWord reads a word that its owner may be writing, wherever it is: sanitizers need not know.  No
// atomic load, of which TSan would hear all the same.
__attribute__((no_sanitize("address", "thread"))) static inline uintptr_t
loadWord(uintptr_t addr) {
	return *(const volatile uintptr_t *)addr;
}

uintptr_t
markPointer(uintptr_t p, gcWork *gcw) {
	return mark_fast(p, gcw);
}

// Roots off the heap: neither bytesMarked nor heapScanWork count them.
void
scanblock(uintptr_t b, uintptr_t n, const uint8_t *ptrmask, gcWork *gcw) {
	for (uintptr_t i = 0; i < n;) {
		uint32_t bits = ptrmask != NULL ? ptrmask[i / (PtrSize * 8)] : 0xff;
		if (bits == 0) {
			i += PtrSize * 8;
			continue;
		}
		for (int j = 0; j < 8 && i < n; j++) {
			if ((bits & 1) != 0) {
				uintptr_t p = loadWord(b + i);
				if (p != 0) {
					scan_word(p, b, i, gcw);
				}
			}
			bits >>= 1;
			i += PtrSize;
		}
	}
}

// ---- conservative scanning ------------------------------------------------------------------------------

// grey_conservative greys object idx of s, to which a word of unknown type at b+off may point.
static void
grey_conservative(mspan *s, uintptr_t idx, uintptr_t b, uintptr_t off, gcWork *gcw) {
	if (idx >= s->nelems) {
		return;
	}
	if (unlikely(useCheckmark)) {
		// The word may have appeared after its place was scanned, as nothing tells us of stores
		// to the stack: it counts if marking has come to the same conclusion.
		if (!mspan_isFree(s, idx) && markBits_isMarked(mspan_markBitsForIndex(s, idx))) {
			greyobject(s->startAddr + idx * s->elemsize, b, off, s, gcw, idx);
		}
		return;
	}
	// What was allocated since the mark phase began is black.
	if (mspan_isFreeOrNewlyAllocated(s, idx)) {
		return;
	}
	uintptr_t obj = mark_object(s, idx, gcw);
	if (obj != 0) {
		__builtin_prefetch((void *)obj);
		queueObj(obj, gcw);
	}
}

// scan_candidate looks at one word whose value lies in the heap.
static void
scan_candidate(uintptr_t val, uintptr_t b, uintptr_t off, gcWork *gcw) {
	mspan *s = val - heapLo < heapSize ? spanOf(val) : NULL;
	if (s != NULL && mSpanStateBox_get(&s->state) == mSpanInUse && val >= s->startAddr) {
		uintptr_t limit = atomic_LoadRelaxed(&s->limit);
		if (val < limit) {
			uintptr_t idx = mspan_objIndex(s, val);
			grey_conservative(s, idx, b, off, gcw);
			if (val != s->startAddr + idx * s->elemsize) {
				return;
			}
			// It is also the end of the object before: `*--p = c` needs that one.
			if (idx > 0) {
				grey_conservative(s, idx - 1, b, off, gcw);
				return;
			}
		} else if (val > limit && val % pageSize != 0) {
			// s need not be what is at val: pages that are free keep pointing to the span that
			// was there, which may be in use elsewhere now.
			return;
		}
	} else if (val % pageSize != 0) {
		return;
	}

	// The end of the last object of a span?
	uintptr_t last = val - 1;
	if (last - heapLo >= heapSize) {
		return;
	}
	s = spanOfHeap(last);
	if (s == NULL) {
		return;
	}
	uintptr_t idx = mspan_objIndex(s, last);
	if (val == atomic_LoadRelaxed(&s->limit) || val == s->startAddr + (idx + 1) * s->elemsize) {
		grey_conservative(s, idx, b, off, gcw);
	}
}

// b is aligned.  The block may be anything that is readable, and may change meanwhile.
void
scanConservative(uintptr_t b, uintptr_t n, gcWork *gcw) {
	uintptr_t lo = heapLo;
	uintptr_t size = heapSize; // the end itself is a candidate: the end of the last object
	uintptr_t p = b;
	uintptr_t end = b + alignDown(n, PtrSize);
	// Four at a time: in a typical stack hardly any word passes.
	for (; end - p >= 4 * PtrSize; p += 4 * PtrSize) {
		uintptr_t w0 = loadWord(p);
		uintptr_t w1 = loadWord(p + PtrSize);
		uintptr_t w2 = loadWord(p + 2 * PtrSize);
		uintptr_t w3 = loadWord(p + 3 * PtrSize);
		if (likely(!((w0 - lo <= size) | (w1 - lo <= size) | (w2 - lo <= size) |
			     (w3 - lo <= size)))) {
			continue;
		}
		uintptr_t off = p - b;
		if (w0 - lo <= size) {
			scan_candidate(w0, b, off, gcw);
		}
		if (w1 - lo <= size) {
			scan_candidate(w1, b, off + PtrSize, gcw);
		}
		if (w2 - lo <= size) {
			scan_candidate(w2, b, off + 2 * PtrSize, gcw);
		}
		if (w3 - lo <= size) {
			scan_candidate(w3, b, off + 3 * PtrSize, gcw);
		}
	}
	for (; p < end; p += PtrSize) {
		uintptr_t w = loadWord(p);
		if (w - lo <= size) {
			scan_candidate(w, b, p - b, gcw);
		}
	}
}

// ---- scanning objects -------------------------------------------------------------------------------------

// scan_slot scans the pointer slot at addr, of the object or oblet [b, b+n).
// It does so now if mq is NULL, else puts the pointer into mq.
static ALWAYS_INLINE void
scan_slot(uintptr_t addr, uintptr_t b, uintptr_t n, gcWork *gcw, markQueue *mq) {
	uintptr_t p = loadWord(addr);
	// NULL and pointers into the object itself are common and need no lookup.  It is no error when
	// there is no object: p may point into an arena that is just being added, and then its target
	// is black.
	if (mq == NULL) {
		if (p != 0 && p - b >= n) {
			scan_word(p, b, addr - b, gcw);
		}
		return;
	}
	if (p - heapLo >= heapSize || p - b < n) {
		return;
	}
	__builtin_prefetch((void *)((p | (pageSize - 1)) - 63)); // inline mark bits
	mq->p[(mq->head + mq->len) % markQueueLen] = p;
	if (mq->len < markQueueLen - 1) {
		mq->len++;
		return;
	}
	uintptr_t obj = mark_fast(mq->p[mq->head], gcw);
	mq->head = (mq->head + 1) % markQueueLen;
	if (obj != 0) {
		queueObj(obj, gcw);
	}
}

// scan_small scans an object whose pointer bits are at the end of its page, at most 64 words.
static ALWAYS_INLINE uintptr_t
scan_small(uintptr_t b, const mspan *s, uintptr_t n, gcWork *gcw, markQueue *mq) {
	uintptr_t nb;
	const uintptr_t *hb = (const uintptr_t *)spanHeapBitsRange(s->startAddr, pageSize, n, &nb);
	uintptr_t o = (b - s->startAddr) / PtrSize;
	uintptr_t j = o % ptrBits;
	uintptr_t bits = n / PtrSize;
	uintptr_t w = atomic_LoadRelaxed(&hb[o / ptrBits]) >> j;
	if (j + bits > ptrBits) {
		w |= atomic_LoadRelaxed(&hb[o / ptrBits + 1]) << (ptrBits - j);
	}
	w &= ~(uintptr_t)0 >> (ptrBits - bits);
	uintptr_t scanSize = (uintptr_t)Len64(w) * PtrSize;
	while (w != 0) {
		scan_slot(b + (uintptr_t)__builtin_ctzll(w) * PtrSize, b, n, gcw, mq);
		w &= w - 1;
	}
	return scanSize;
}

// scan_typed scans [b, b+n) of an object that has its type in a header or in its span.
static uintptr_t
scan_typed(uintptr_t b, mspan *s, uintptr_t n, gcWork *gcw, markQueue *mq) {
	typePointers tp;
	if (n > maxObletBytes) {
		// In pieces, for parallelism and for latency.  Those in the scalar tail of the object
		// end at once when their turn comes.
		if (b == s->startAddr) {
			for (uintptr_t oblet = b + maxObletBytes;
				oblet < s->startAddr + s->elemsize; oblet += maxObletBytes) {
				queueObj(oblet, gcw);
			}
		}
		n = min(s->startAddr + s->elemsize - b, (uintptr_t)maxObletBytes);
		tp = mspan_typePointersOfUnchecked(s, s->startAddr);
		typePointers_fastForward(&tp, b - tp.addr, b + n);
	} else {
		tp = mspan_typePointersOfUnchecked(s, b);
	}

	uintptr_t scanSize = 0;
	for (;;) {
		uintptr_t addr = typePointers_nextFast(&tp);
		if (addr == 0 && (addr = typePointers_next(&tp, b + n)) == 0) {
			break;
		}
		scanSize = addr - b + PtrSize;
		scan_slot(addr, b, n, gcw, mq);
	}
	gcw->bytesMarked += n;
	return scanSize;
}

static ALWAYS_INLINE void
scan_object(uintptr_t b, gcWork *gcw, markQueue *mq) {
	mspan *s = spanOfUnchecked(b);
	uintptr_t n = s->elemsize;
	if (unlikely(n == 0)) {
		throw("scanObject n == 0");
	}
	if (unlikely(spanClass_noscan(s->spanclass))) {
		// PORT: not thrown over: a stray pointer into a span in the making may have queued it.
		return;
	}

	uintptr_t scanSize;
	if (likely(heapBitsInSpan(n))) {
		uintptr_t idx = mspan_objIndex(s, b);
		if (unlikely(b != s->startAddr + idx * n || idx >= s->nelems)) {
			return;
		}
		// A free slot that a stray pointer has marked.  What was allocated meanwhile is black.
		if (unlikely(idx >= s->freeIndexForScan && mspan_isFreeOrNewlyAllocated(s, idx)) &&
			!useCheckmark) {
			return;
		}
		scanSize = scan_small(b, s, n, gcw, mq);
		gcw->bytesMarked += n;
	} else {
		scanSize = scan_typed(b, s, n, gcw, mq);
	}
	gcw->heapScanWork += (int64_t)scanSize;
	if (unlikely(debug.gctrace > 1)) {
		gcw->stats[spanClass_sizeclass(s->spanclass)].sparseObjsScanned++;
	}
}

void
scanObject(uintptr_t b, gcWork *gcw) {
	scan_object(b, gcw, NULL);
}

// scanObjectQueued is scanObject, but puts what it finds into mq.
static void
scanObjectQueued(uintptr_t b, gcWork *gcw, markQueue *mq) {
	if (unlikely(useCheckmark)) {
		scan_object(b, gcw, NULL);
	} else {
		scan_object(b, gcw, mq);
	}
}

// markQueue_flush marks what is in mq.
static void
markQueue_flush(markQueue *mq, gcWork *gcw) {
	while (mq->len > 0) {
		uintptr_t obj = mark_fast(mq->p[mq->head], gcw);
		mq->head = (mq->head + 1) % markQueueLen;
		mq->len--;
		if (obj != 0) {
			queueObj(obj, gcw);
		}
	}
}

void
shade(uintptr_t b) {
	scan_word(b, 0, 0, &getg()->m->p->gcw);
}

// greyobject marks obj, the start of object objIndex of span, and queues it, unless it is marked
// already.  It was found at base+off, which only matters for debugging.
void
greyobject(uintptr_t obj, uintptr_t base, uintptr_t off, mspan *span, gcWork *gcw,
	uintptr_t objIndex) {
	if (obj % PtrSize != 0) {
		throw("greyobject: obj not pointer-aligned");
	}
	markBits mbits = mspan_markBitsForIndex(span, objIndex);

	if (useCheckmark) {
		if (setCheckmark(obj, base, off, mbits)) {
			return;
		}
	} else {
		// PORT: Go's check for free objects, with gccheckmark, is not one here.
		if (markBits_isMarked(mbits)) {
			return;
		}
		markBits_setMarked(mbits);
		setPageMark(arenaOf(arenaIndex(span->startAddr)),
			span->startAddr / pageSize % pagesPerArena);
	}

	// Without pointers it is black at once.
	if (spanClass_noscan(span->spanclass)) {
		gcw->bytesMarked += span->elemsize;
		return;
	}

	__builtin_prefetch((void *)obj);
	queueObj(obj, gcw);
}

// gcDumpObject prints obj, with a mark at byte off, and its span.
void
gcDumpObject(const char *label, uintptr_t obj, uintptr_t off) {
	mspan *s = spanOf(obj);
	print("%s=%#lx", label, obj);
	if (s == NULL) {
		print(" s=nil\n");
		return;
	}
	print(" s.base()=%#lx s.limit=%#lx s.spanclass=%u s.elemsize=%lu s.state=", s->startAddr,
		s->limit, (unsigned)s->spanclass, s->elemsize);
	mSpanState state = mSpanStateBox_get(&s->state);
	if (state < nelem(mSpanStateNames)) {
		print("%s\n", mSpanStateNames[state]);
	} else {
		print("unknown(%u)\n", state);
	}

	bool skipped = false;
	uintptr_t size = s->elemsize;
	if (state == mSpanManual && size == 0) {
		// Of unknown size: up to the word in question.
		size = off + PtrSize;
	}
	for (uintptr_t i = 0; i < size; i += PtrSize) {
		// Of a big object the beginning, which tells its type, and what is around off.
		if (!(i < 128 * PtrSize || (off - 16 * PtrSize < i && i < off + 16 * PtrSize))) {
			skipped = true;
			continue;
		}
		if (skipped) {
			print(" ...\n");
			skipped = false;
		}
		print(" *(%s+%lu) = %#lx", label, i, *(uintptr_t *)(obj + i));
		if (i == off) {
			print(" <==");
		}
		print("\n");
	}
	if (skipped) {
		print(" ...\n");
	}
}

// gcmarknewobject makes a new object black; there is nothing but zeros in it yet.
void
gcmarknewobject(mspan *span, uintptr_t obj) {
	if (useCheckmark) {
		throw("gcmarknewobject called while doing checkmark");
	}
	if (atomic_LoadRelaxed(&gcphase) == _GCmarktermination) {
		throw("mallocgc called with gcphase == _GCmarktermination");
	}

	uintptr_t objIndex = mspan_objIndex(span, obj);
	markBits_setMarked(mspan_markBitsForIndex(span, objIndex));
	setPageMark(
		arenaOf(arenaIndex(span->startAddr)), span->startAddr / pageSize % pagesPerArena);

	getg()->m->p->gcw.bytesMarked += span->elemsize;
}

// gcMarkTinyAllocs greys the blocks that tiny objects are being put into: later ones will be given
// out without a mark.  The world must be stopped.
void
gcMarkTinyAllocs(void) {
	assertWorldStopped();

	for (int32_t i = 0; i < nallp; i++) {
		P *pp = allp[i];
		mcache *c = pp->mcache;
		if (c == NULL || c->tiny == 0) {
			continue;
		}
		mspan *span;
		uintptr_t objIndex;
		uintptr_t obj = findObject(c->tiny, 0, 0, &span, &objIndex);
		if (obj == 0) {
			throw("gcMarkTinyAllocs: bad tiny block");
		}
		greyobject(obj, 0, 0, span, &pp->gcw, objIndex);
	}
}
