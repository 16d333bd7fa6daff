// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The allocator's front: objects.  Ports malloc.go of Go 1.26.8 (its arenas are in malloc_arena.c,
// persistentalloc in malloc_persistent.c).
//
// An object goes one of five ways, by size and by whether it holds pointers:
//
//	tiny            pointer-free, below 16 bytes: packed with others into a 16-byte block, which
//	                lives as long as any of them
//	small noscan    pointer-free, to 32 KB: a slot of a span of its size class
//	small scan      with pointers, to 512 bytes: a slot, and its pointer bits at the span's end
//	small header    with pointers, to 32 KB - 8: a slot whose first word is the type
//	large           the rest: a span of its own, which holds the type; zeroed late, with safe
//	                points in between
//
// Each way has a fast half that takes a free slot out of the P's mcache: a load of the mcache from
// thread-local storage, a table look-up, a bit scan.  It is one leaf function without a call in it.
// All else, from the refill of the mcache on, is in the slow half, which the fast one ends in.
//
// PORT: Go marks the M while it allocates (mallocing, locks) so that it is not preempted.  Here
// runtime text is never stopped asynchronously, and the fast half has no safe point, so that
// neither the P nor the phase of the collector can change under it.  Hence one look at
// gcBlackenEnabled selects the variant for the mark phase (assist first, allocate black), and the
// other one need not look again: it asserts that the write barrier is off.
// PORT: the slow half ends with a safe point, where Go's releasem has one.
// PORT: GODEBUG=sbrk=1 is looked at in the slow half only; the first span of a class is taken
// there.

#include "runtime/malloc.h"

#include "runtime/mbarrier.h"
#include "runtime/mgc.h"
#include "runtime/mgcmark.h"
#include "runtime/mprof.h"
#include "runtime/mstats.h"
#include "runtime/panic.h"
#include "runtime/runtime1.h"
#include "sched/preempt.h"
#include "sched/proc.h"
#include "sched/runtime2.h"

uintptr_t zerobase;

_Static_assert((int)TinySizeClass == (int)tinySizeClass, "bad TinySizeClass");
_Static_assert(MinSizeForMallocHeader / PtrSize <= 8 * PtrSize,
	"max pointer/scan bitmap size for headerless objects is too large");

// mallocinit sets up the heap and the cache of the bootstrap.
void
mallocinit(void) {
	if (SizeClassToSize[tinySizeClass] != maxTinySize) {
		throw("bad TinySizeClass");
	}

	// MinSizeForMallocHeader has to be a class, so that it sorts sizes before and after they
	// are rounded up alike, and the spans below it have one page: their metadata is laid out
	// for it.
	bool minSizeForMallocHeaderIsSizeClass = false;
	bool sizeClassesUpToMinSizeForMallocHeaderAreOnePage = true;
	for (int i = 0; i < NumSizeClasses; i++) {
		if (SizeClassToNPages[i] > 1) {
			sizeClassesUpToMinSizeForMallocHeaderAreOnePage = false;
		}
		if (SizeClassToSize[i] == MinSizeForMallocHeader) {
			minSizeForMallocHeaderIsSizeClass = true;
			break;
		}
	}
	if (!minSizeForMallocHeaderIsSizeClass) {
		throw("min size of malloc header is not a size class boundary");
	}
	if (!sizeClassesUpToMinSizeForMallocHeaderAreOnePage) {
		throw("expected all size classes up to min size for malloc header to fit in "
		      "one-page spans");
	}

	malloc_arena_init();
	mcache0 = allocmcache();
	settlsmcache(mcache0);
}

// nextFree takes a slot of class spc, after a refill if the span is full.
gclinkptr
mcache_nextFree(mcache *c, spanClass spc, mspan **s, bool *checkGCTrigger) {
	mspan *sp = c->alloc[spc];
	*checkGCTrigger = false;
	uint16_t freeIndex = mspan_nextFreeIndex(sp);
	if (freeIndex == sp->nelems) {
		if (sp->allocCount != sp->nelems) {
			print("runtime: s.allocCount=%d s.nelems=%d\n", sp->allocCount, sp->nelems);
			throw("s.allocCount != s.nelems && freeIndex == s.nelems");
		}
		mcache_refill(c, spc);
		*checkGCTrigger = true;
		sp = c->alloc[spc];
		freeIndex = mspan_nextFreeIndex(sp);
	}
	if (freeIndex >= sp->nelems) {
		throw("freeIndex is not valid");
	}
	sp->allocCount++;
	if (sp->allocCount > sp->nelems) {
		print("runtime: s.allocCount=%d s.nelems=%d\n", sp->allocCount, sp->nelems);
		throw("s.allocCount > s.nelems");
	}
	*s = sp;
	return (uintptr_t)freeIndex * sp->elemsize + sp->startAddr;
}

// ---- pieces of the paths ------------------------------------------------------------------------

// mallocBegin and mallocEnd enclose the use of the mcache.
static ALWAYS_INLINE void
mallocBegin(void) {
#ifdef GORT_DEBUG
	M *mp = acquirem();
	if (gcphase == _GCmarktermination) {
		throw("mallocgc called with gcphase == _GCmarktermination");
	}
	if (mp->mallocing != 0) {
		throw("malloc deadlock");
	}
	if (mp->gsignal == getg()) {
		throw("malloc during signal");
	}
	mp->mallocing = 1;
#endif
}

static ALWAYS_INLINE void
mallocEnd(void) {
#ifdef GORT_DEBUG
	M *mp = getg()->m;
	mp->mallocing = 0;
	releasem(mp);
#endif
}

// freeWord is freeindex, nelems and freeIndexForScan of a span in one word, so that the fast half
// loads them at once and moves both indices with one store.
typedef uint64_t freeWord __attribute__((may_alias));
_Static_assert(offsetof(mspan, freeindex) % 8 == 0 &&
		       offsetof(mspan, nelems) == offsetof(mspan, freeindex) + 2 &&
		       offsetof(mspan, freeIndexForScan) == offsetof(mspan, freeindex) + 4 &&
		       offsetof(mspan, allocCache) == offsetof(mspan, freeindex) + 8,
	"mspan: the indices must share a word");

// takeFree is nextFreeFast for the fast half: the offset of a free slot in *off, or false.  Unless
// the collector may be marking it does what mallocPublish does, too.
static ALWAYS_INLINE bool
takeFree(mspan *s, bool marking, uintptr_t *off) {
	freeWord *wp = (freeWord *)(void *)&s->freeindex;
	uint64_t ac = s->allocCache;
	if (unlikely(ac == 0)) {
		return false;
	}
	uint64_t w = *wp;
	unsigned bit = (unsigned)__builtin_ctzll(ac);
	uint32_t i = (uint16_t)w + bit;
	uint32_t nelems = (uint32_t)w >> 16;
	if (unlikely(i >= nelems)) {
		return false;
	}
	*off = i * s->elemsize;
	i++;
	if (unlikely(i % 64 == 0) && i != nelems) {
		return false;
	}
	s->allocCache = ac >> bit >> 1;
	s->allocCount++;
	if (marking) {
		s->freeindex = (uint16_t)i;
	} else {
		debug_assert(gort_writeBarrier == 0);
		*wp = (w & 0xffff0000) | i | (uint64_t)i << 32;
	}
	return true;
}

// mallocPublish makes the new object x ready for the collector: black while it marks.
static ALWAYS_INLINE void
mallocPublish(mspan *span, uintptr_t x, bool marking) {
	// Contents and heap bits before the pointer can be seen.
	publicationBarrier();
	if (marking && gort_writeBarrier != 0) {
		gcmarknewobject(span, x);
	} else {
		debug_assert(gort_writeBarrier == 0);
		// The conservative scan makes pointers out of thin air.  During mark it takes slots
		// from here on for free, unless their bit is set: so it never looks at an object
		// that is half made.
		span->freeIndexForScan = span->freeindex;
	}
}

// sampleDue counts the bytes of a new slot down to the next sample of the memory profile, and reports
// whether this is it: then profilealloc is to be called, and its result returned.
static ALWAYS_INLINE bool
sampleDue(mcache *c, uintptr_t elemsize) {
	c->nextSample -= (int64_t)elemsize;
	return unlikely(c->nextSample < 0);
}

// mallocTrigger starts a collection if it is time, and is a safe point.  After a refill.
static void
mallocTrigger(bool checkGCTrigger) {
	if (checkGCTrigger) {
		gcTrigger t = {.kind = gcTriggerHeap};
		if (gcTrigger_test(t)) {
			gcStart(t);
		}
		preemptcheck();
	}
}

// clearSmall clears n bytes, a multiple of 8 up to MinSizeForMallocHeader, in line.
static ALWAYS_INLINE void
clearSmall(uintptr_t x, uintptr_t n) {
	typedef uint64_t vec __attribute__((vector_size(16), aligned(8), may_alias));
	uintptr_t end = x + n;
	if ((n & 8) != 0) {
		*(uint64_t *)x = 0;
		x += 8;
	}
	while (x < end) {
		*(vec *)x = (vec){0, 0};
		x += 16;
		// Keeps the compiler from making a call of memset out of the loop.
		__asm__("" : "+r"(x));
	}
}

// preMallocgcDebug is what GODEBUG makes of an allocation; NULL: go on.
static void *
preMallocgcDebug(uintptr_t size, const _type *typ) {
	if (debug.sbrk != 0) {
		uintptr_t align = 16;
		if (typ != NULL) {
			align = (size & 7) == 0 ? 8 : (size & 3) == 0 ? 4 : (size & 1) == 0 ? 2 : 1;
		}
		return persistentalloc(size, align, &memstats.other_sys);
	}
	return NULL;
}

// ---- tiny ---------------------------------------------------------------------------------------

// mallocgcTinyBlock puts an object of size bytes at the start of the new block v.
static ALWAYS_INLINE void
mallocgcTinyBlock(mcache *c, uintptr_t v, uintptr_t size) {
	clearSmall(v, maxTinySize);
	// Go on with whichever block has more room left.
	if (size < c->tinyoffset || c->tiny == 0) {
		c->tiny = v;
		c->tinyoffset = size;
	}
}

static NOINLINE void *
mallocgcTinySlow(mcache *c, uintptr_t size, const _type *typ, bool marking) {
	if (unlikely(debug.malloc)) {
		void *x = preMallocgcDebug(size, typ);
		if (x != NULL) {
			mallocEnd();
			return x;
		}
	}
	mspan *span;
	bool checkGCTrigger;
	uintptr_t v = mcache_nextFree(c, tinySpanClass, &span, &checkGCTrigger);
	mallocgcTinyBlock(c, v, size);
	mallocPublish(span, v, marking);
	mallocEnd();
	if (sampleDue(c, maxTinySize)) {
		profilealloc((void *)v, maxTinySize);
	}
	mallocTrigger(checkGCTrigger);
	return (void *)v;
}

// mallocgcTiny allocates less than maxTinySize bytes without pointers.  *elemsize is 0 if no slot
// was taken.
static ALWAYS_INLINE void *
mallocgcTiny(mcache *c, uintptr_t size, const _type *typ, bool marking, uintptr_t *elemsize) {
	mallocBegin();
	uintptr_t off = c->tinyoffset;
	// Align as the size suggests.
	if ((size & 7) == 0) {
		off = alignUp(off, 8);
	} else if ((size & 3) == 0) {
		off = alignUp(off, 4);
	} else if ((size & 1) == 0) {
		off = alignUp(off, 2);
	}
	if (off + size <= maxTinySize && c->tiny != 0) {
		void *x = (void *)(c->tiny + off);
		c->tinyoffset = off + size;
		c->tinyAllocs++;
		*elemsize = 0;
		mallocEnd();
		return x;
	}
	*elemsize = maxTinySize;
	mspan *span = c->alloc[tinySpanClass];
	uintptr_t v;
	if (unlikely(!takeFree(span, marking, &v))) {
		return mallocgcTinySlow(c, size, typ, marking);
	}
	v += span->startAddr;
	mallocgcTinyBlock(c, v, size);
	if (marking) {
		mallocPublish(span, v, marking);
	}
	mallocEnd();
	if (sampleDue(c, maxTinySize)) {
		return profilealloc((void *)v, maxTinySize);
	}
	return (void *)v;
}

// ---- small, without pointers --------------------------------------------------------------------

static NOINLINE void *
mallocgcSmallNoscanSlow(mcache *c, uintptr_t size, spanClass spc, bool needzero, bool marking) {
	if (unlikely(debug.malloc)) {
		void *x = preMallocgcDebug(size, NULL);
		if (x != NULL) {
			mallocEnd();
			return x;
		}
	}
	mspan *span;
	bool checkGCTrigger;
	uintptr_t v = mcache_nextFree(c, spc, &span, &checkGCTrigger);
	if (needzero && span->needzero != 0) {
		memclrNoHeapPointers((void *)v, span->elemsize);
	}
	mallocPublish(span, v, marking);
	mallocEnd();
	if (sampleDue(c, span->elemsize)) {
		profilealloc((void *)v, span->elemsize);
	}
	mallocTrigger(checkGCTrigger);
	return (void *)v;
}

// mallocgcSmallNoscanSample ends mallocgcSmallNoscan for an object that is to be sampled.
static COLD void *
mallocgcSmallNoscanSample(uintptr_t v, uintptr_t size, bool clear) {
	if (clear) {
		memclrNoHeapPointers((void *)v, size);
	}
	return profilealloc((void *)v, size);
}

// mallocgcSmallNoscan allocates up to maxSmallSize - MallocHeaderSize bytes without pointers.
static ALWAYS_INLINE void *
mallocgcSmallNoscan(mcache *c, uintptr_t size, bool needzero, bool marking, uintptr_t *elemsize) {
	mallocBegin();
	spanClass spc = makeSpanClass(sizeToClass(size), true);
	mspan *span = c->alloc[spc];
	uintptr_t v;
	if (marking) {
		*elemsize = SizeClassToSize[spanClass_sizeclass(spc)];
	}
	if (unlikely(!takeFree(span, marking, &v))) {
		return mallocgcSmallNoscanSlow(c, size, spc, needzero, marking);
	}
	v += span->startAddr;
	size = span->elemsize;
	if (marking) {
		if (needzero && span->needzero != 0) {
			memclrNoHeapPointers((void *)v, size);
		}
		mallocPublish(span, v, marking);
		mallocEnd();
		if (sampleDue(c, size)) {
			return profilealloc((void *)v, size);
		}
		return (void *)v;
	}
	mallocEnd();
	if (sampleDue(c, size)) {
		return mallocgcSmallNoscanSample(v, size, needzero && span->needzero != 0);
	}
	if (needzero && span->needzero != 0) {
		if (size > MinSizeForMallocHeader) {
			// A call in tail position: memset returns v.  No safe point comes between.
			return memset((void *)v, 0, size);
		}
		clearSmall(v, size);
	}
	return (void *)v;
}

// ---- small, with pointers, without header -------------------------------------------------------

// writeHeapBits is mspan_writeHeapBitsSmall for the slot at offset off of a span of 16-byte or
// larger objects, of which spanHeapBitsRange is a constant.
static ALWAYS_INLINE uintptr_t
writeHeapBits(uintptr_t spanBase, uintptr_t off, uintptr_t elemsize, uintptr_t dataSize,
	const _type *typ) {
	uintptr_t scanSize;
	uintptr_t src = typeBits(typ, dataSize, &scanSize);
	uintptr_t *dst = (uintptr_t *)(spanBase + PageSize - sizeof(spanInlineMarkBits) -
				       PageSize / PtrSize / 8 + off / PtrSize / ptrBits * PtrSize);
	uintptr_t j = off / PtrSize % ptrBits;
	uintptr_t bits = elemsize / PtrSize;
	uintptr_t ones = ~(uintptr_t)0 >> (ptrBits - bits);
	dst[0] = (dst[0] & ~(ones << j)) | (src << j);
	if (unlikely(j + bits > ptrBits)) {
		uintptr_t bits0 = ptrBits - j;
		dst[1] = (dst[1] & ~(ones >> bits0)) | (src >> bits0);
	}
	return scanSize;
}

// mallocgcScanNoHeaderInit clears the new slot at offset off and writes its heap bits.
static ALWAYS_INLINE void
mallocgcScanNoHeaderInit(mcache *c, mspan *span, uintptr_t off, uintptr_t size, const _type *typ,
	uint8_t sizeclass) {
	uintptr_t v = span->startAddr + off;
	if (span->needzero != 0) {
		// PORT: a conservative type's size need not be a multiple of 8.
		clearSmall(v, alignUp(size, PtrSize));
	}
	if (sizeclass == 1) {
		// initHeapBits has set the bits of 8-byte objects.
		c->scanAlloc += 8;
	} else {
		c->scanAlloc += writeHeapBits(span->startAddr, off, span->elemsize, size, typ);
#ifdef GORT_DEBUG
		doubleCheckHeapType(v, size, typ, NULL, span);
#endif
	}
}

static NOINLINE void *
mallocgcSmallScanNoHeaderSlow(
	mcache *c, uintptr_t size, const _type *typ, uint8_t sizeclass, bool marking) {
	if (size == 0) {
		mallocEnd();
		return &zerobase; // class 0 never has a slot
	}
	if (unlikely(debug.malloc)) {
		void *x = preMallocgcDebug(size, typ);
		if (x != NULL) {
			mallocEnd();
			return x;
		}
	}
	mspan *span;
	bool checkGCTrigger;
	spanClass spc = makeSpanClass(sizeclass, false);
	uintptr_t v = mcache_nextFree(c, spc, &span, &checkGCTrigger);
	mallocgcScanNoHeaderInit(c, span, v - span->startAddr, size, typ, sizeclass);
	mallocPublish(span, v, marking);
	mallocEnd();
	if (sampleDue(c, span->elemsize)) {
		profilealloc((void *)v, span->elemsize);
	}
	mallocTrigger(checkGCTrigger);
	return (void *)v;
}

// mallocgcSmallScanNoHeader allocates an object with pointers for which heapBitsInSpan holds.
static ALWAYS_INLINE void *
mallocgcSmallScanNoHeader(
	mcache *c, uintptr_t size, const _type *typ, bool marking, uintptr_t *elemsize) {
	mallocBegin();
	uint8_t sizeclass = SizeToSizeClass8[divRoundUp(size, SmallSizeDiv)];
	if (marking) {
		*elemsize = SizeClassToSize[sizeclass];
	}
	mspan *span = c->alloc[makeSpanClass(sizeclass, false)];
	uintptr_t off;
	if (unlikely(!takeFree(span, marking, &off))) {
		return mallocgcSmallScanNoHeaderSlow(c, size, typ, sizeclass, marking);
	}
	mallocgcScanNoHeaderInit(c, span, off, size, typ, sizeclass);
	uintptr_t v = span->startAddr + off;
	if (marking) {
		mallocPublish(span, v, marking);
	} else {
		publicationBarrier();
	}
	mallocEnd();
	if (sampleDue(c, span->elemsize)) {
		return profilealloc((void *)v, span->elemsize);
	}
	return (void *)v;
}

// ---- small, with pointers, with header ----------------------------------------------------------

// mallocgcSmallScanHeader allocates an object with pointers that has its type in the word before
// it.
static NOINLINE void *
mallocgcSmallScanHeader(uintptr_t size, const _type *typ, bool marking, uintptr_t *elemsize) {
	mallocBegin();
	mcache *c = tlsmcache();
	uint8_t sizeclass = sizeToClass(size + MallocHeaderSize);
	*elemsize = SizeClassToSize[sizeclass];
	spanClass spc = makeSpanClass(sizeclass, false);
	mspan *span = c->alloc[spc];
	bool checkGCTrigger = false;
	uintptr_t v = nextFreeFast(span);
	if (unlikely(v == 0)) {
		if (unlikely(debug.malloc)) {
			void *x = preMallocgcDebug(size, typ);
			if (x != NULL) {
				mallocEnd();
				return x;
			}
		}
		v = mcache_nextFree(c, spc, &span, &checkGCTrigger);
	}
	if (span->needzero != 0) {
		memclrNoHeapPointers((void *)v, *elemsize);
	}
	const _type **header = (const _type **)v;
	uintptr_t x = v + MallocHeaderSize;
	c->scanAlloc += heapSetTypeSmallHeader(x, *elemsize - MallocHeaderSize, typ, header, span);
	mallocPublish(span, v, marking);
	mallocEnd();
	if (sampleDue(c, *elemsize)) {
		profilealloc((void *)x, *elemsize);
	}
	mallocTrigger(checkGCTrigger);
	return (void *)x;
}

// ---- large --------------------------------------------------------------------------------------

// mallocgcLarge allocates a span for an object.
static NOINLINE void *
mallocgcLarge(uintptr_t size, const _type *typ, bool needzero, bool marking, uintptr_t *elemsize) {
	if (unlikely(debug.malloc)) {
		void *x = preMallocgcDebug(size, typ);
		if (x != NULL) {
			*elemsize = size;
			return x;
		}
	}
	mallocBegin();
	bool noscan = typ == NULL || typ->ptrbytes == 0;
	mspan *span = mcache_allocLarge(tlsmcache(), size, noscan);
	span->freeindex = 1;
	span->allocCount = 1;
	// Not to be looked at by the collector yet.
	atomic_Store(&span->largeType, NULL);
	size = span->elemsize;
	*elemsize = size;
	void *x = (void *)span->startAddr;
	mallocPublish(span, (uintptr_t)x, marking);
	mallocEnd();
	if (sampleDue(tlsmcache(), size)) {
		profilealloc(x, size);
	}

	mallocTrigger(true);

	// Zeroed late, where it may be preempted; x keeps the memory alive.
	if (needzero && span->needzero != 0) {
		memclrNoHeapPointersChunked(size, x);
	}

	// Only now, zeroed, is it an object with pointers.  No safe point from here on.
	if (!noscan) {
		uintptr_t scan = heapSetTypeLarge((uintptr_t)x, size, typ, span);
		tlsmcache()->scanAlloc += scan;
	}
	publicationBarrier();
	return x;
}

// ---- all of them --------------------------------------------------------------------------------

// mallocgcRest is mallocgc for what its fast half does not do.
static NOINLINE void *
mallocgcRest(uintptr_t size, const _type *typ, bool needzero, bool marking, uintptr_t *elemsize) {
	*elemsize = 0;
	if (size == 0) {
		return &zerobase;
	}
	mcache *c = tlsmcache();
	if (typ != NULL && typ->ptrbytes != 0 && typ->size % PtrSize != 0 &&
		!heapBitsInSpan(size)) {
		// The mask would be laid over the slot every typ->size bytes, off the words.
		typ = &gort_type_pointer;
	}
	if (size > maxSmallSize - MallocHeaderSize) {
		return mallocgcLarge(size, typ, needzero, marking, elemsize);
	}
	if (typ == NULL || typ->ptrbytes == 0) {
		if (size < maxTinySize) {
			return mallocgcTiny(c, size, typ, marking, elemsize);
		}
		return mallocgcSmallNoscan(c, size, needzero, marking, elemsize);
	}
	if (!needzero) {
		throw("objects with pointers must be zeroed");
	}
	if (heapBitsInSpan(size)) {
		return mallocgcSmallScanNoHeader(c, size, typ, marking, elemsize);
	}
	return mallocgcSmallScanHeader(size, typ, marking, elemsize);
}

// deductAssistCredit charges size bytes to the goroutine and makes it assist the collector if it
// has no credit left.  A safe point.
static void
deductAssistCredit(uintptr_t size) {
	G *assistG = getg();
	if (assistG->m->curg != NULL) {
		assistG = assistG->m->curg;
	}
	assistG->gcAssistBytes -= (int64_t)size;
	if (assistG->gcAssistBytes < 0) {
		gcAssistAlloc(assistG);
	}
}

// mallocgcMarking is mallocgc while the collector marks.
static NOINLINE void *
mallocgcMarking(uintptr_t size, const _type *typ, bool needzero) {
	if (size == 0) {
		return &zerobase;
	}
	// Pay first.  The phase may have changed after it.
	deductAssistCredit(size);
	uintptr_t elemsize;
	void *x = mallocgcRest(size, typ, needzero, true, &elemsize);
	// Charge for what the slot is larger.
	if (gcBlackenEnabled != 0 && elemsize != 0) {
		G *assistG = getg()->m->curg;
		if (assistG != NULL) {
			assistG->gcAssistBytes -= (int64_t)(elemsize - size);
		}
	}
	return x;
}

// mallocNoMCache is for a thread that may not allocate.
static COLD _Noreturn void
mallocNoMCache(void) {
	needg();
	throw("mallocgc called without a P or outside bootstrapping");
}

// mallocgcSlow is mallocgc for what its fast half does not do.
static NOINLINE void *
mallocgcSlow(uintptr_t size, const _type *typ, bool needzero) {
	if (tlsmcache() == NULL) {
		mallocNoMCache();
	}
	if (unlikely(size > maxAlloc)) {
		// PORT: in Go mallocgc's callers see to that.  Sums of such sizes would wrap around.
		gopanic("runtime: allocation size out of range");
	}
	if (unlikely(gcBlackenEnabled != 0)) {
		return mallocgcMarking(size, typ, needzero);
	}
	uintptr_t elemsize;
	return mallocgcRest(size, typ, needzero, false, &elemsize);
}

// mallocgcFast is mallocgc in line.
static ALWAYS_INLINE void *
mallocgcFast(uintptr_t size, const _type *typ, bool needzero) {
	mcache *c = tlsmcache();
	uintptr_t elemsize;
	if (unlikely(gcBlackenEnabled != 0 || c == NULL)) {
		return mallocgcSlow(size, typ, needzero);
	}
	if (typ == NULL || typ->ptrbytes == 0) {
		// 0 wraps around and goes the slow way.
		if (size - 1 < maxTinySize - 1) {
			return mallocgcTiny(c, size, typ, false, &elemsize);
		}
		if (likely(size - 1 < maxSmallSize - MallocHeaderSize)) {
			return mallocgcSmallNoscan(c, size, needzero, false, &elemsize);
		}
	} else if (likely(heapBitsInSpan(size)) && needzero) {
		return mallocgcSmallScanNoHeader(c, size, typ, false, &elemsize);
	}
	return mallocgcSlow(size, typ, needzero);
}

// mallocgc allocates an object.
void *
mallocgc(uintptr_t size, const _type *typ, bool needzero) {
	return mallocgcFast(size, typ, needzero);
}

// memclrNoHeapPointersChunked clears memory that the collector does not look at, with safe points.
void
memclrNoHeapPointersChunked(uintptr_t size, void *x) {
	uintptr_t v = (uintptr_t)x;
	uintptr_t vsize = v + size;
	const uintptr_t chunkBytes = 256 * 1024; // Go's, by measurement
	for (uintptr_t voff = v; voff < vsize; voff += chunkBytes) {
		preemptcheck();
		uintptr_t n = vsize - voff;
		if (n > chunkBytes) {
			n = chunkBytes;
		}
		memclrNoHeapPointers((void *)voff, n);
	}
}

// newobject allocates one value of typ.
void *
newobject(const _type *typ) {
	return mallocgcFast(typ->size, typ, true);
}

// newarray allocates n values of typ.
void *
newarray(const _type *typ, intptr_t n) {
	if (n == 1) {
		return mallocgcFast(typ->size, typ, true);
	}
	uintptr_t mem;
	bool overflow = __builtin_mul_overflow(typ->size, (uintptr_t)n, &mem);
	if (overflow || mem > maxAlloc || n < 0) {
		gopanic("runtime: allocation size out of range");
	}
	return mallocgcFast(mem, typ, true);
}

// ---- the public interface: gort.h ---------------------------------------------------------------

static const uint64_t pointerMask[1] = {1};
const gort_type gort_type_pointer = {PtrSize, PtrSize, (const uint8_t *)pointerMask, "void *"};

void *
gort_alloc(size_t size, const gort_type *kind) {
	if (kind != NULL && kind->ptrbytes != 0) {
		if (unlikely(size > maxAlloc)) {
			gopanic("runtime: allocation size out of range");
		}
		size = alignUp(size, PtrSize);
	}
	return mallocgcFast(size, kind, true);
}

void *
gort_newobject(const gort_type *type) {
	return mallocgcFast(type->size, type, true);
}

void *
gort_newarray(const gort_type *type, size_t n) {
	return newarray(type, (intptr_t)n);
}
