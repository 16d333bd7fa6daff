// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Pointer bits: which words of a heap object hold pointers.  Ports the first part of mbitmap.go of
// Go 1.26.8; the mark bits and the allocation bits are in mbitmap.c.
//
// Three representations, by size:
//
//	up to 512 bytes   one bit a word in a bitmap at the end of the span, written when the object
//	                  is allocated.  An object's bits fit in one 64-bit word, which lies in at
//	                  most two words of the bitmap.
//	small             a pointer to the type in the 8 bytes before the object
//	large             the type in the mspan, set once the object is zeroed
//
// For the latter two the type's mask is unrolled on the fly: it is laid over the slot again and
// again ("tiled"), every typ->size bytes, to the end of the slot.  So arrays need no length; what
// lies behind the last element is zero.  An object without pointers has neither bits nor a type,
// and the bits of a free slot may be junk.
//
// PORT: a type with ptrbytes but no gcdata is conservative: all words of its prefix count.

#include "runtime/mbitmap.h"

#include "runtime/mbarrier.h"
#include "runtime/mgcmark.h"
#include "runtime/mwbbuf.h"
#include "runtime/panic.h"
#include "sched/runtime2.h"

// lowBits has the lowest n bits set; n < 64.
static inline uintptr_t
lowBits(uintptr_t n) {
	return ((uintptr_t)1 << n) - 1;
}

// typePointers_clip drops the bits of the mask that stand for words at or above limit.
static inline void
typePointers_clip(typePointers *tp, uintptr_t limit) {
	if (tp->addr + PtrSize * ptrBits > limit) {
		uintptr_t words = (limit - tp->addr) / PtrSize;
		tp->mask &= lowBits(words);
	}
}

// typePointersOf iterates over the pointers in [addr, addr+size), all in the same object.
// addr+size is the limit to pass to next.
typePointers
mspan_typePointersOf(mspan *span, uintptr_t addr, uintptr_t size) {
	uintptr_t base = mspan_objBase(span, addr);
	typePointers tp = mspan_typePointersOfUnchecked(span, base);
	if (base == addr && size == span->elemsize) {
		return tp;
	}
	typePointers_fastForward(&tp, addr - tp.addr, addr + size);
	return tp;
}

// typePointersOfUnchecked iterates over a whole object, given the start of its slot (where the
// header is, if any).
typePointers
mspan_typePointersOfUnchecked(mspan *span, uintptr_t addr) {
	spanClass spc = span->spanclass;
	if (spanClass_noscan(spc)) {
		return (typePointers){0};
	}
	if (heapBitsInSpan(span->elemsize)) {
		return (typePointers){addr, addr, mspan_heapBitsSmallForAddr(span, addr), NULL};
	}

	const _type *typ;
	if (spanClass_sizeclass(spc) != 0) {
		typ = *(const _type **)addr;
		addr += MallocHeaderSize;
		// PORT: a word that only looks like a pointer may lead here to a slot whose header
		// is not written yet.
		if (unlikely(typ == NULL)) {
			return (typePointers){0};
		}
	} else {
		// See heapSetTypeLarge for the order.  No type yet: the memory is being zeroed.
		typ = atomic_LoadAcq(&span->largeType);
		if (typ == NULL) {
			return (typePointers){0};
		}
	}
	return (typePointers){addr, addr, gcmaskWord(typ, 0), typ};
}

// typePointersOfType iterates as if values of typ began at addr; the caller limits it.
typePointers
mspan_typePointersOfType(mspan *span, const _type *typ, uintptr_t addr) {
	if (spanClass_noscan(span->spanclass)) {
		return (typePointers){0};
	}
	return (typePointers){addr, addr, gcmaskWord(typ, 0), typ};
}

// next is the next pointer slot below limit, or 0.
uintptr_t
typePointers_next(typePointers *tp, uintptr_t limit) {
	for (;;) {
		uintptr_t addr = typePointers_nextFast(tp);
		if (addr != 0) {
			return addr;
		}

		if (tp->typ == NULL) {
			*tp = (typePointers){0};
			return 0;
		}

		// To the next 64 words of the element, or to the next element.
		if (tp->addr + PtrSize * ptrBits >= tp->elem + tp->typ->ptrbytes) {
			tp->elem += tp->typ->size;
			tp->addr = tp->elem;
		} else {
			tp->addr += ptrBits * PtrSize;
		}

		if (tp->addr >= limit) {
			*tp = (typePointers){0};
			return 0;
		}

		tp->mask = gcmaskWord(tp->typ, (tp->addr - tp->elem) / PtrSize);
		typePointers_clip(tp, limit);
	}
}

// fastForward moves the iterator n bytes on, n a multiple of 8.
void
typePointers_fastForward(typePointers *tp, uintptr_t n, uintptr_t limit) {
	uintptr_t target = tp->addr + n;
	if (target >= limit) {
		*tp = (typePointers){0};
		return;
	}
	if (tp->typ == NULL) {
		// One word of bits: keep those in [target, limit).
		uintptr_t skip = n / PtrSize;
		tp->mask = skip < ptrBits ? tp->mask & ~lowBits(skip) : 0;
		typePointers_clip(tp, limit);
		return;
	}

	// Find the element, and in it the group of 64 words, that holds the target.
	if (n >= tp->typ->size) {
		uintptr_t oldelem = tp->elem;
		tp->elem += (tp->addr - tp->elem + n) / tp->typ->size * tp->typ->size;
		tp->addr = tp->elem + alignDown(n - (tp->elem - oldelem), ptrBits * PtrSize);
	} else {
		tp->addr += alignDown(n, ptrBits * PtrSize);
	}

	if (tp->addr - tp->elem >= tp->typ->ptrbytes) {
		// In the pointer-free tail of an element: start with the next one.
		tp->elem += tp->typ->size;
		tp->addr = tp->elem;
		tp->mask = gcmaskWord(tp->typ, 0);
		if (tp->addr >= limit) {
			*tp = (typePointers){0};
			return;
		}
	} else {
		tp->mask = gcmaskWord(tp->typ, (tp->addr - tp->elem) / PtrSize);
		tp->mask &= ~lowBits((target - tp->addr) / PtrSize);
	}
	typePointers_clip(tp, limit);
}

// ---- barriers for many slots --------------------------------------------------------------------

// bulkBarrierConservative is the barrier for every word of a range that nobody has a mask for.
void
bulkBarrierConservative(uintptr_t dst, uintptr_t src, uintptr_t size) {
	wbBuf *buf = &getg()->m->p->wbBuf;
	for (uintptr_t i = 0; i < size; i += PtrSize) {
		wbBuf_shade(buf, dst + i, src == 0 ? 0 : src + i);
	}
}

// bulkBarrierPreWrite does the barriers for a move or a clearing of many slots.
void
bulkBarrierPreWrite(uintptr_t dst, uintptr_t src, uintptr_t size, const _type *typ) {
	if (((dst | src | size) & (PtrSize - 1)) != 0) {
		throw("bulkBarrierPreWrite: unaligned arguments");
	}
	if (gort_writeBarrier == 0) {
		return;
	}
	typePointers tp;
	mspan *s = spanOf(dst);
	if (s == NULL) {
		// PORT: Go finds globals in the module data and does nothing for stacks.  Here it
		// may be a global, memory of the runtime, or a stack, even another goroutine's.
		// All are shaded, by the type if there is one.
		if (typ == NULL) {
			bulkBarrierConservative(dst, src, size);
			return;
		}
		tp = (typePointers){dst, dst, gcmaskWord(typ, 0), typ};
		typePointers_clip(&tp, dst + size);
	} else if (mSpanStateBox_get(&s->state) != mSpanInUse || dst < s->startAddr ||
		   s->limit <= dst) {
		// It was in the heap once and is not now.
		return;
	} else if (typ != NULL) {
		tp = mspan_typePointersOfType(s, typ, dst);
		typePointers_clip(&tp, dst + size);
	} else {
		tp = mspan_typePointersOf(s, dst, size);
	}

	wbBuf *buf = &getg()->m->p->wbBuf;
	uintptr_t addr;
	while ((addr = typePointers_next(&tp, dst + size)) != 0) {
		wbBuf_shade(buf, addr, src == 0 ? 0 : src + (addr - dst));
	}
}

// ---- heap bits ----------------------------------------------------------------------------------

// initHeapBits prepares the metadata at the end of a new span.
void
mspan_initHeapBits(mspan *s) {
	if (!spanClass_noscan(s->spanclass) && heapBitsInSpan(s->elemsize)) {
		uintptr_t n;
		uintptr_t *b = mspan_heapBits(s, &n);
		// Every 8-byte object with pointers is one pointer, once and for all.
		memset(b, spanClass_sizeclass(s->spanclass) == 1 ? 0xff : 0, n * sizeof *b);
	}
	if (gcUsesSpanInlineMarkBits(s->elemsize)) {
		mspan_initInlineMarkBits(s);
	}
}

// heapBits is the bitmap of a span for which heapBitsInSpan holds.
uintptr_t *
mspan_heapBits(mspan *span, uintptr_t *n) {
	uintptr_t bytes;
	uintptr_t base =
		spanHeapBitsRange(span->startAddr, span->npages * pageSize, span->elemsize, &bytes);
	*n = bytes / PtrSize;
	return (uintptr_t *)base;
}

// heapBitsSmallForAddr is the bits of the object that starts at addr.
uintptr_t
mspan_heapBitsSmallForAddr(mspan *span, uintptr_t addr) {
	uintptr_t n;
	uintptr_t *hbits = (uintptr_t *)spanHeapBitsRange(
		span->startAddr, span->npages * pageSize, span->elemsize, &n);
	uintptr_t o = (addr - span->startAddr) / PtrSize;
	uintptr_t i = o / ptrBits;
	uintptr_t j = o % ptrBits;
	uintptr_t bits = span->elemsize / PtrSize;
	uintptr_t read = hbits[i] >> j;
	if (j + bits > ptrBits) {
		read |= hbits[i + 1] << (ptrBits - j);
	}
	return read & (~(uintptr_t)0 >> (ptrBits - bits));
}

// ---- types --------------------------------------------------------------------------------------

// The heapSetType functions record that the new allocation at x holds, in its first dataSize bytes,
// values of typ; the rest of the slot holds no pointers.  They may race with readers of the same
// metadata, but those ignore an object that nobody has published yet; so they must not disturb the
// bits of the neighbours, not even for a moment.  A publicationBarrier has to follow.

// heapSetTypeNoHeader is for heapBitsInSpan sizes.
uintptr_t
heapSetTypeNoHeader(uintptr_t x, uintptr_t dataSize, const _type *typ, mspan *span) {
	debug_assert(heapBitsInSpan(dataSize) && heapBitsInSpan(span->elemsize));
	uintptr_t scanSize = mspan_writeHeapBitsSmall(span, x, dataSize, typ);
#ifdef GORT_DEBUG
	doubleCheckHeapType(x, dataSize, typ, NULL, span);
#endif
	return scanSize;
}

// heapSetTypeSmallHeader is for the other small sizes.
uintptr_t
heapSetTypeSmallHeader(
	uintptr_t x, uintptr_t dataSize, const _type *typ, const _type **header, mspan *span) {
	*header = typ;
#ifdef GORT_DEBUG
	doubleCheckHeapType(x, dataSize, typ, header, span);
#endif
	return span->elemsize;
}

// heapSetTypeLarge is for large objects.
uintptr_t
heapSetTypeLarge(uintptr_t x, uintptr_t dataSize, const _type *typ, mspan *span) {
	// A conservative scan can come upon x at any time, without any ordering by how it got the
	// pointer.  It loads largeType first and ignores the object while that is NULL; so whoever
	// sees the type also sees zeroed memory.
	atomic_Store(&span->largeType, typ);
#ifdef GORT_DEBUG
	doubleCheckHeapType(x, dataSize, typ, &span->largeType, span);
#endif
	return span->elemsize;
}

// doubleCheckHeapPointersInterior compares what the iterator says about [interior, interior+size)
// with the type.
static void
doubleCheckHeapPointersInterior(uintptr_t x, uintptr_t interior, uintptr_t size, uintptr_t dataSize,
	const _type *typ, const _type **header, mspan *span) {
	if (interior < x) {
		print("runtime: interior=%#lx x=%#lx\n", interior, x);
		throw("found bad interior pointer");
	}
	bool bad = false;
	uintptr_t off = interior - x;
	typePointers tp = mspan_typePointersOf(span, interior, size);
	for (uintptr_t i = off; i < off + size; i += PtrSize) {
		if (i >= span->elemsize || !typeBit(typ, i % typ->size / PtrSize)) {
			continue;
		}
		uintptr_t addr = typePointers_next(&tp, interior + size);
		if (addr != x + i) {
			print("runtime: addr=%#lx x+i=%#lx\n", addr, x + i);
			bad = true;
		}
	}
	uintptr_t extra = bad ? 0 : typePointers_next(&tp, interior + size);
	if (!bad && extra == 0) {
		return;
	}
	print("runtime: extra pointer: %#lx\n", extra);
	print("runtime: hasHeader=%d typ.Size_=%lu\n", header != NULL, typ->size);
	print("runtime: x=%#lx dataSize=%lu elemsize=%lu interior=%#lx size=%lu\n", x, dataSize,
		span->elemsize, interior, size);
	print("runtime: limit=%#lx\n", interior + size);
	tp = mspan_typePointersOf(span, interior, size);
	dumpTypePointers(tp);
	throw("heapSetType: pointer entry not correct");
}

// doubleCheckHeapPointers does it for a whole slot.
static void
doubleCheckHeapPointers(
	uintptr_t x, uintptr_t dataSize, const _type *typ, const _type **header, mspan *span) {
	typePointers tp = mspan_typePointersOfUnchecked(span, mspan_objBase(span, x));
	uintptr_t maxIterBytes = header == NULL ? dataSize : span->elemsize;
	uintptr_t limit = x + span->elemsize;
	bool bad = false;
	for (uintptr_t i = 0; i < maxIterBytes; i += PtrSize) {
		if (!typeBit(typ, i % typ->size / PtrSize)) {
			continue;
		}
		uintptr_t addr = typePointers_next(&tp, limit);
		if (addr != x + i) {
			print("runtime: addr=%#lx x+i=%#lx\n", addr, x + i);
			bad = true;
		}
	}
	uintptr_t extra = bad ? 0 : typePointers_next(&tp, limit);
	if (!bad && extra == 0) {
		return;
	}
	print("runtime: extra pointer: %#lx\n", extra);
	print("runtime: hasHeader=%d typ.Size_=%lu typ.PtrBytes=%lu\n", header != NULL, typ->size,
		typ->ptrbytes);
	print("runtime: x=%#lx dataSize=%lu elemsize=%lu\n", x, dataSize, span->elemsize);
	tp = mspan_typePointersOfUnchecked(span, mspan_objBase(span, x));
	dumpTypePointers(tp);
	throw("heapSetType: pointer entry not correct");
}

// doubleCheckHeapType checks that the metadata of a new object says what its type says, for the
// whole and for a random part of it.
void
doubleCheckHeapType(
	uintptr_t x, uintptr_t dataSize, const _type *gctyp, const _type **header, mspan *span) {
	if (gctyp->size % PtrSize != 0 && gctyp->size != dataSize) {
		gctyp = &gort_type_pointer; // see typeBits
		dataSize = alignDown(dataSize, PtrSize);
	}
	doubleCheckHeapPointers(x, dataSize, gctyp, header, span);

	uintptr_t maxIterBytes = header == NULL ? dataSize : span->elemsize;
	uintptr_t off = alignUp(cheaprand() % dataSize, PtrSize);
	uintptr_t size = dataSize > off ? dataSize - off : 0;
	if (size == 0) {
		off -= PtrSize;
		size += PtrSize;
	}
	uintptr_t interior = x + off;
	size -= alignDown(cheaprand() % size, PtrSize);
	if (size == 0) {
		size = PtrSize;
	}
	// Whole values of the type, as far as the object goes.
	size = (size + gctyp->size - 1) / gctyp->size * gctyp->size;
	if (interior + size > x + maxIterBytes) {
		size = x + maxIterBytes - interior;
	}
	doubleCheckHeapPointersInterior(x, interior, size, dataSize, gctyp, header, span);
}

// dumpTypePointers prints an iterator.
void
dumpTypePointers(typePointers tp) {
	print("runtime: tp.elem=%#lx tp.typ=%p\n", tp.elem, (const void *)tp.typ);
	print("runtime: tp.addr=%#lx tp.mask=", tp.addr);
	for (int i = 0; i < ptrBits; i++) {
		print("%d", (tp.mask >> i & 1) != 0);
	}
	print("\n");
}
