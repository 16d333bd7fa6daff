// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Pointer bits and mark bits of heap objects.  Ports mbitmap.go of Go 1.26.8.
#ifndef GORT_RUNTIME_MBITMAP_H
#define GORT_RUNTIME_MBITMAP_H

#include "runtime/runtime.h"

#include "runtime/mgcmark_greenteagc.h"
#include "runtime/mheap.h"

enum {
	ptrBits = 8 * PtrSize,
};

// ---- pointer bits -------------------------------------------------------------------------------

// typePointers iterates over the pointer slots of an object: tiles of the type's mask, or the one
// word of heap bits (typ == NULL).  The functions step it in place.
//
//	for (;;) {
//		uintptr_t addr = typePointers_nextFast(&tp);
//		if (addr == 0 && (addr = typePointers_next(&tp, limit)) == 0)
//			break;
//		use(addr);
//	}
typedef struct typePointers {
	uintptr_t elem;   // the current element of an array; else the object
	uintptr_t addr;   // what bit 0 of mask stands for
	uintptr_t mask;   // pointer words from addr on that are still to come
	const _type *typ; // NULL: the mask is all there is
} typePointers;

// gcmaskWord is the pointer mask of typ from word i on, i a multiple of 64: 64 bits of it, those
// behind the prefix 0.  gcdata is padded to a multiple of 8 bytes, with zeros.  A type without
// gcdata is conservative: each word of the prefix counts.
static inline uintptr_t
gcmaskWord(const _type *typ, uintptr_t i) {
	if (likely(typ->gcdata != NULL)) {
		uintptr_t x;
		memcpy(&x, typ->gcdata + i / 8, sizeof x);
		return x;
	}
	uintptr_t n = typ->ptrbytes / PtrSize;
	if (n <= i) {
		return 0;
	}
	n -= i;
	return n >= ptrBits ? ~(uintptr_t)0 : ((uintptr_t)1 << n) - 1;
}

// typeBit: is word i of typ a pointer?
static inline bool
typeBit(const _type *typ, uintptr_t i) {
	return i < typ->ptrbytes / PtrSize &&
	       (typ->gcdata == NULL || (typ->gcdata[i / 8] >> (i % 8) & 1) != 0);
}

typePointers mspan_typePointersOf(mspan *span, uintptr_t addr, uintptr_t size);
typePointers mspan_typePointersOfUnchecked(mspan *span, uintptr_t addr);
typePointers mspan_typePointersOfType(mspan *span, const _type *typ, uintptr_t addr);

// nextFast is the next pointer slot that the current mask shows, or 0.
static inline uintptr_t
typePointers_nextFast(typePointers *tp) {
	uintptr_t mask = tp->mask;
	if (mask == 0) {
		return 0;
	}
	tp->mask = mask & (mask - 1);
	return tp->addr + (uintptr_t)__builtin_ctzll(mask) * PtrSize;
}

// next is the next pointer slot below limit, or 0.  The same limit each time.
uintptr_t typePointers_next(typePointers *tp, uintptr_t limit);
void typePointers_fastForward(typePointers *tp, uintptr_t n, uintptr_t limit);

// spanHeapBitsRange is where the heap bits of a span are, and their size in bytes.
static inline uintptr_t
spanHeapBitsRange(uintptr_t spanBase, uintptr_t spanSize, uintptr_t elemsize, uintptr_t *size) {
	*size = spanSize / PtrSize / 8;
	uintptr_t base = spanBase + spanSize - *size;
	if (gcUsesSpanInlineMarkBits(elemsize)) {
		base -= sizeof(spanInlineMarkBits);
	}
	return base;
}

void mspan_initHeapBits(mspan *s);
// heapBits is the heap bits of a span of small objects, *n words.
uintptr_t *mspan_heapBits(mspan *span, uintptr_t *n);
uintptr_t mspan_heapBitsSmallForAddr(mspan *span, uintptr_t addr);
// The heapSetType functions record the type of a new object and return its scan size.
uintptr_t heapSetTypeNoHeader(uintptr_t x, uintptr_t dataSize, const _type *typ, mspan *span);
uintptr_t heapSetTypeSmallHeader(
	uintptr_t x, uintptr_t dataSize, const _type *typ, const _type **header, mspan *span);
uintptr_t heapSetTypeLarge(uintptr_t x, uintptr_t dataSize, const _type *typ, mspan *span);
void doubleCheckHeapType(
	uintptr_t x, uintptr_t dataSize, const _type *gctyp, const _type **header, mspan *span);
void dumpTypePointers(typePointers tp);

// typeBits is the pointer bits of dataSize <= 512 bytes, one or more values of typ, and their scan
// size.
static ALWAYS_INLINE uintptr_t
typeBits(const _type *typ, uintptr_t dataSize, uintptr_t *scanSize) {
	uintptr_t elem = typ->size;
	uintptr_t src0 = gcmaskWord(typ, 0);
	uintptr_t src = src0;
	*scanSize = typ->ptrbytes;
	if (unlikely(elem != dataSize)) {
		if (elem == PtrSize) {
			src = ~(uintptr_t)0;
		} else if (unlikely(elem % PtrSize != 0)) {
			// PORT: conservative elements that do not begin on words: any word counts.
			src = ~(uintptr_t)0;
			*scanSize = dataSize;
		} else {
			for (uintptr_t i = elem; i < dataSize; i += elem) {
				src |= src0 << (i / PtrSize);
				*scanSize += elem;
			}
		}
		// PORT: C callers may ask for a size that is no multiple of the type's.
		src &= ~(uintptr_t)0 >> (ptrBits - dataSize / PtrSize);
	}
	return src;
}

// writeHeapBitsSmall stores the pointer bits of the new object x of dataSize bytes, one or more
// values of typ, into the span's bitmap.  For heapBitsInSpan sizes in a span with pointers.  No two
// owners write to the bitmap: it belongs to whoever holds the span in its mcache.
static ALWAYS_INLINE uintptr_t
mspan_writeHeapBitsSmall(mspan *span, uintptr_t x, uintptr_t dataSize, const _type *typ) {
	uintptr_t scanSize;
	uintptr_t src = typeBits(typ, dataSize, &scanSize);
	uintptr_t base = span->startAddr;
	uintptr_t nb;
	uintptr_t *dst = (uintptr_t *)spanHeapBitsRange(base, PageSize, span->elemsize, &nb);
	uintptr_t o = (x - base) / PtrSize;
	uintptr_t j = o % ptrBits;
	uintptr_t bits = span->elemsize / PtrSize;
	dst += o / ptrBits;
	// ones has the low bits of the element's width; bits is 1..64.
	uintptr_t ones = ~(uintptr_t)0 >> (ptrBits - bits);
	dst[0] = (dst[0] & ~(ones << j)) | (src << j);
	if (j + bits > ptrBits) {
		// It straddles two words; j is not 0 then.
		uintptr_t bits0 = ptrBits - j;
		dst[1] = (dst[1] & ~(ones >> bits0)) | (src >> bits0);
	}
	return scanSize;
}

// ---- barriers for many slots --------------------------------------------------------------------

// bulkBarrierPreWrite does the write barriers for a memmove(dst, src, size) that follows at once,
// or for a clearing (src == 0).  All three are multiples of 8; dst is within one object.  typ, if
// not NULL, is the exact type of whole values at dst and src.
void bulkBarrierPreWrite(uintptr_t dst, uintptr_t src, uintptr_t size, const _type *typ);
void bulkBarrierBitmap(
	uintptr_t dst, uintptr_t src, uintptr_t size, uintptr_t maskOffset, const uint8_t *bits);
// bulkBarrierConservative treats every word of [dst, dst+size) as a pointer slot.
void bulkBarrierConservative(uintptr_t dst, uintptr_t src, uintptr_t size);
// typeBitsBulkBarrier does the barriers for one value of typ that is copied to anywhere, such as
// another goroutine's stack.
void typeBitsBulkBarrier(const _type *typ, uintptr_t dst, uintptr_t src, uintptr_t size);

// ---- mark and allocation bits -------------------------------------------------------------------

// markBits names one bit of a span's bitmap.
typedef struct markBits {
	uint8_t *bytep;  // atomic
	uint8_t mask;    // one bit of *bytep
	uintptr_t index; // of the object in the span
} markBits;

// divideByElemSize is n / s->elemsize for n within the span.
static inline uintptr_t
mspan_divideByElemSize(const mspan *s, uintptr_t n) {
	return (uintptr_t)(((uint64_t)n * (uint64_t)s->divMul) >> 32);
}

// objIndex is the slot that p, within the span, points into.
static inline uintptr_t
mspan_objIndex(const mspan *s, uintptr_t p) {
	return mspan_divideByElemSize(s, p - s->startAddr);
}

// objBase is the start of the slot that addr, within the span, lies in.
static inline uintptr_t
mspan_objBase(mspan *span, uintptr_t addr) {
	return span->startAddr + mspan_objIndex(span, addr) * span->elemsize;
}

static inline markBits
mspan_allocBitsForIndex(mspan *s, uintptr_t allocBitIndex) {
	return (markBits){(uint8_t *)s->allocBits + allocBitIndex / 8,
		(uint8_t)(1 << (allocBitIndex % 8)), allocBitIndex};
}

static inline markBits
mspan_markBitsForIndex(mspan *s, uintptr_t objIndex) {
	uint8_t *b = gcUsesSpanInlineMarkBits(s->elemsize) ? mspan_inlineMarkBits(s)->marks
							   : (uint8_t *)s->gcmarkBits;
	return (markBits){b + objIndex / 8, (uint8_t)(1 << (objIndex % 8)), objIndex};
}

static inline markBits
mspan_markBitsForBase(mspan *s) {
	return mspan_markBitsForIndex(s, 0);
}

// scannedBitsForIndex is the scanned bit of an object in a span with inline mark bits.
static inline markBits
mspan_scannedBitsForIndex(mspan *s, uintptr_t objIndex) {
	return (markBits){mspan_inlineMarkBits(s)->scans + objIndex / 8,
		(uint8_t)(1 << (objIndex % 8)), objIndex};
}

void mspan_refillAllocCache(mspan *s, uint16_t whichByte);
uint16_t mspan_nextFreeIndex(mspan *s);

// isFree: is slot index unallocated?  The span is in use, and index not out of thin air.
static inline bool
mspan_isFree(mspan *s, uintptr_t index) {
	if (index < s->freeindex) {
		return false;
	}
	return (((uint8_t *)s->allocBits)[index / 8] & (1 << (index % 8))) == 0;
}

// isFreeOrNewlyAllocated: unallocated, or allocated since the mark phase began?  During mark also
// for an index out of thin air.  The collector ignores pointers to such slots: an object made
// during mark is black already.
static inline bool
mspan_isFreeOrNewlyAllocated(mspan *s, uintptr_t index) {
	if (index < s->freeIndexForScan) {
		return false;
	}
	return (((uint8_t *)s->allocBits)[index / 8] & (1 << (index % 8))) == 0;
}

static inline bool
markBits_isMarked(markBits m) {
	return (atomic_LoadRelaxed(m.bytep) & m.mask) != 0;
}

static inline void
markBits_setMarked(markBits m) {
	(void)atomic_Or(m.bytep, m.mask);
}

static inline void
markBits_setMarkedNonAtomic(markBits m) {
	*m.bytep |= m.mask;
}

static inline void
markBits_clearMarked(markBits m) {
	(void)atomic_And(m.bytep, (uint8_t)~m.mask);
}

// advance moves on to the next object of the span.
static inline void
markBits_advance(markBits *m) {
	if (m->mask == 1 << 7) {
		m->bytep++;
		m->mask = 1;
	} else {
		m->mask = (uint8_t)(m->mask << 1);
	}
	m->index++;
}

markBits markBitsForAddr(uintptr_t p);
markBits markBitsForSpan(uintptr_t base);
bool isMarkedOrNotInHeap(const void *p);
int mspan_countAlloc(mspan *s);

_Noreturn void badPointer(mspan *s, uintptr_t p, uintptr_t refBase, uintptr_t refOff);
// badPointerCheck is what findObject does about a pointer into a span that is not in use, or into
// none of its slots: nothing, unless GODEBUG=invalidptr=1 asks for Go's crash.
void badPointerCheck(mspan *s, uintptr_t p, uintptr_t refBase, uintptr_t refOff);

// findObject is the base of the slot of a heap span that p points into, its span and its index; 0
// if there is none (*s and *objIndex are not set then).  It does not say whether the slot is
// allocated.
// PORT: Go throws over a pointer into an unused span or behind its last slot.  C programs have
// such words (one past the end, unions, tags), so it is an answer of 0 here; see DESIGN 4.4.
static ALWAYS_INLINE uintptr_t
findObject(uintptr_t p, uintptr_t refBase, uintptr_t refOff, mspan **s, uintptr_t *objIndex) {
	mspan *sp = spanOf(p);
	if (sp == NULL) {
		return 0;
	}
	// The state is loaded first: it is set last when a span is made.
	if (unlikely(mSpanStateBox_get(&sp->state) != mSpanInUse || p < sp->startAddr ||
		     p >= atomic_LoadRelaxed(&sp->limit))) {
		badPointerCheck(sp, p, refBase, refOff);
		return 0;
	}
	uintptr_t i = mspan_objIndex(sp, p);
	if (unlikely(i >= sp->nelems)) {
		badPointerCheck(sp, p, refBase, refOff);
		return 0;
	}
	*s = sp;
	*objIndex = i;
	return sp->startAddr + i * sp->elemsize;
}

#endif
