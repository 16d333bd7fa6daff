// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Mark bits and allocation bits, and finding objects.  Ports mbitmap.go of Go 1.26.8 (the pointer
// bits are in mbitmap_types.c).
//
// Each span has a bit per slot in allocBits and one in its mark bits.  Allocation goes through
// allocBits from freeindex upwards, 64 slots at a time in allocCache; slots below freeindex are
// taken whatever their bits say.  Sweeping makes the mark bits the new allocation bits: what was not
// marked is free.

#include "runtime/mbitmap.h"

#include "runtime/mbarrier.h"
#include "runtime/mgcmark.h"
#include "runtime/mwbbuf.h"
#include "runtime/runtime1.h"
#include "sched/runtime2.h"

// refillAllocCache loads allocCache with the 64 bits from byte whichByte on, inverted: 1 is free.
void
mspan_refillAllocCache(mspan *s, uint16_t whichByte) {
	uint64_t bits;
	memcpy(&bits, gcBits_bytep(s->allocBits, whichByte), sizeof bits);
	s->allocCache = ~bits;
}

// nextFreeIndex takes the next free slot at or after freeindex; nelems if there is none.
uint16_t
mspan_nextFreeIndex(mspan *s) {
	unsigned sfreeindex = s->freeindex;
	unsigned snelems = s->nelems;
	if (sfreeindex == snelems) {
		return (uint16_t)sfreeindex;
	}
	if (sfreeindex > snelems) {
		throw("s.freeindex > s.nelems");
	}

	int bitIndex = TrailingZeros64(s->allocCache);
	while (bitIndex == 64) {
		// On to the next 64 slots.
		sfreeindex = (sfreeindex + 64) & ~63u;
		if (sfreeindex >= snelems) {
			s->freeindex = (uint16_t)snelems;
			return (uint16_t)snelems;
		}
		mspan_refillAllocCache(s, (uint16_t)(sfreeindex / 8));
		bitIndex = TrailingZeros64(s->allocCache);
	}
	unsigned result = sfreeindex + (unsigned)bitIndex;
	if (result >= snelems) {
		s->freeindex = (uint16_t)snelems;
		return (uint16_t)snelems;
	}

	s->allocCache = s->allocCache >> bitIndex >> 1;
	sfreeindex = result + 1;
	if (sfreeindex % 64 == 0 && sfreeindex != snelems) {
		// All of the cache has been shifted out.
		mspan_refillAllocCache(s, (uint16_t)(sfreeindex / 8));
	}
	s->freeindex = (uint16_t)sfreeindex;
	return (uint16_t)result;
}

// markBitsForAddr is the mark bit of the object that p, in the heap, points into.
markBits
markBitsForAddr(uintptr_t p) {
	mspan *s = spanOf(p);
	return mspan_markBitsForIndex(s, mspan_objIndex(s, p));
}

// markBitsForSpan is the mark bit of the first object of the span that starts at base.
markBits
markBitsForSpan(uintptr_t base) {
	markBits mbits = markBitsForAddr(base);
	if (mbits.mask != 1) {
		throw("markBitsForSpan: unaligned start");
	}
	return mbits;
}

// isMarkedOrNotInHeap: is p marked, or not the heap's business?
bool
isMarkedOrNotInHeap(const void *p) {
	mspan *span;
	uintptr_t objIndex;
	if (findObject((uintptr_t)p, 0, 0, &span, &objIndex) != 0) {
		return markBits_isMarked(mspan_markBitsForIndex(span, objIndex));
	}
	// Something on a stack or in a global: taken for reachable.
	return true;
}

// badPointer ends the process over a pointer that should not be in the heap.
void
badPointer(mspan *s, uintptr_t p, uintptr_t refBase, uintptr_t refOff) {
	printlock();
	print("runtime: pointer %#lx", p);
	if (s != NULL) {
		mSpanState state = mSpanStateBox_get(&s->state);
		print(state != mSpanInUse ? " to unallocated span" : " to unused region of span");
		print(" span.base()=%#lx span.limit=%#lx span.state=%d", mspan_base(s), s->limit,
			state);
	}
	print("\n");
	if (refBase != 0) {
		print("runtime: found in object at *(%#lx+%#lx)\n", refBase, refOff);
		gcDumpObject("object", refBase, refOff);
	}
	getg()->m->traceback = 2;
	throw("found bad pointer in Go heap (incorrect use of unsafe or cgo?)");
}

// badPointerCheck is findObject's slow path.
void
badPointerCheck(mspan *s, uintptr_t p, uintptr_t refBase, uintptr_t refOff) {
	if (debug.invalidptr == 0) {
		return;
	}
	// Manual spans have their own rules.
	if (mSpanStateBox_get(&s->state) != mSpanManual) {
		badPointer(s, p, refBase, refOff);
	}
}

// bulkBarrierBitmap does the barriers for a move of [src, src+size) with a mask of one bit a word;
// dst is maskOffset bytes into what bits describes.
void
bulkBarrierBitmap(
	uintptr_t dst, uintptr_t src, uintptr_t size, uintptr_t maskOffset, const uint8_t *bits) {
	wbBuf *buf = &getg()->m->p->wbBuf;
	uintptr_t word = maskOffset / PtrSize;
	for (uintptr_t i = 0; i < size; i += PtrSize, word++) {
		if ((bits[word / 8] >> (word % 8) & 1) == 0) {
			continue;
		}
		wbBuf_shade(buf, dst + i, src == 0 ? 0 : src + i);
	}
}

// typeBitsBulkBarrier does the barriers for one value of typ; dst may be anywhere.
void
typeBitsBulkBarrier(const _type *typ, uintptr_t dst, uintptr_t src, uintptr_t size) {
	if (typ == NULL) {
		throw("runtime: typeBitsBulkBarrier without type");
	}
	if (typ->size != size) {
		print("runtime: typeBitsBulkBarrier with type %s of size %lu but memory size %lu\n",
			typ->name != NULL ? typ->name : "?", typ->size, size);
		throw("runtime: invalid typeBitsBulkBarrier");
	}
	if (gort_writeBarrier == 0) {
		return;
	}
	if (typ->gcdata == NULL) {
		bulkBarrierConservative(dst, src, alignDown(typ->ptrbytes, PtrSize));
		return;
	}
	bulkBarrierBitmap(dst, src, alignDown(typ->ptrbytes, PtrSize), 0, typ->gcdata);
}

// countAlloc is how many objects of s are marked in gcmarkBits.
int
mspan_countAlloc(mspan *s) {
	int count = 0;
	uintptr_t bytes = divRoundUp(s->nelems, 8);
	// Bits beyond nelems are 0, and the bitmap is a multiple of 8 bytes.
	for (uintptr_t i = 0; i < bytes; i += 8) {
		uint64_t mrkBits;
		memcpy(&mrkBits, gcBits_bytep(s->gcmarkBits, i), sizeof mrkBits);
		count += OnesCount64(mrkBits);
	}
	return count;
}
