// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Pointer bits, mark bits and finding objects: what the recorded vectors do not cover.
#include <criterion/criterion.h>

#include "runtime/gort.h"

#include "runtime/malloc.h"
#include "runtime/mgcsweep.h"
#include "sched/runtime2.h"
#include "tests/support/rnd.h"
#include "tests/support/support.h"

// ---- a span of one page that no heap knows ------------------------------------------------------

static _Alignas(8192) uint8_t page[8192];
static _Alignas(8) uint8_t allocbits[128], markbits[128];

// classOf is the class of objects of size bytes, or, in an odd table, one that fits in the page.
static int
classOf(uintptr_t size) {
	int c = sizeToClass(size);
	while (SizeClassToSize[c] > sizeof page)
		c--;
	return c;
}

static mspan
makeSpan(int class, bool noscan) {
	memset(page, 0, sizeof page);
	memset(allocbits, 0, sizeof allocbits);
	memset(markbits, 0, sizeof markbits);
	mspan s = {0};
	s.startAddr = (uintptr_t)page;
	s.npages = 1;
	s.spanclass = makeSpanClass((uint8_t) class, noscan);
	s.elemsize = SizeClassToSize[class];
	uintptr_t n = 8192;
	if (gcUsesSpanInlineMarkBits(s.elemsize))
		n -= sizeof(spanInlineMarkBits);
	if (heapBitsInSpan(s.elemsize) && !noscan)
		n -= 128;
	s.nelems = (uint16_t)(n / s.elemsize);
	s.divMul = SizeClassToDivMagic[class];
	s.limit = s.startAddr + s.nelems * s.elemsize;
	s.allocBits = (gcBits *)allocbits;
	s.gcmarkBits = (gcBits *)markbits;
	s.needzero = 1;
	return s;
}

// randomType fills *t and its mask: words words, at least one pointer.
static void
randomType(gort_type *t, uint64_t *mask, uintptr_t words, uint64_t *state) {
	memset(mask, 0, 64);
	t->size = words * 8;
	t->gcdata = (const uint8_t *)mask;
	t->name = "random";
	t->ptrbytes = 0;
	for (uintptr_t i = 0; i < words; i++)
		if (splitmix64(state) % 3 == 0 || (i == words - 1 && t->ptrbytes == 0)) {
			mask[i / 64] |= UINT64_C(1) << (i % 64);
			t->ptrbytes = (i + 1) * 8;
		}
}

// Objects are written in a random order, over junk: each one's bits are as written, to the end.
Test(HeapBits, WriteHeapBitsSmall) {
	uint64_t state = 1;
	for (int class = 2; SizeClassToSize[class] <= MinSizeForMallocHeader; class ++) {
		mspan s = makeSpan(class, false);
		uintptr_t nw;
		uintptr_t *hb = mspan_heapBits(&s, &nw);
		cr_assert_eq(nw, 16);
		for (uintptr_t i = 0; i < nw; i++)
			hb[i] = splitmix64(&state);
		static uintptr_t want[MaxObjsPerSpan];
		static uint16_t order[MaxObjsPerSpan];
		for (unsigned i = 0; i < s.nelems; i++) {
			unsigned j = (unsigned)(splitmix64(&state) % (i + 1));
			order[i] = order[j];
			order[j] = (uint16_t)i;
		}
		for (unsigned i = 0; i < s.nelems; i++) {
			uint64_t mask[8];
			gort_type t;
			uintptr_t words = splitmix64(&state) % (s.elemsize / 8) + 1;
			randomType(&t, mask, words, &state);
			uintptr_t x = s.startAddr + order[i] * s.elemsize;
			uintptr_t n = s.elemsize / 8 / words; // as many values as fit
			uintptr_t scan = mspan_writeHeapBitsSmall(&s, x, n * words * 8, &t);
			uintptr_t bits = 0, last = 0;
			for (uintptr_t w = 0; w < n * words; w++)
				if (typeBit(&t, w % words)) {
					bits |= (uintptr_t)1 << w;
					last = w + 1;
				}
			want[order[i]] = bits;
			cr_assert_eq(scan, words == 1 ? 8 : last * 8, "class %d: scan size", class);
		}
		for (unsigned i = 0; i < s.nelems; i++)
			cr_assert_eq(mspan_heapBitsSmallForAddr(&s, s.startAddr + i * s.elemsize),
				want[i], "class %d object %u", class, i);
	}
}

// A size that is no multiple of the type's leaves the neighbours alone.
Test(HeapBits, OddSizes) {
	static const uint64_t mask[1] = {7};
	gort_type t = {24, 24, (const uint8_t *)mask, "three"};
	mspan s = makeSpan(classOf(48), false);
	uintptr_t e = s.elemsize; // 48 in Go's table
	uintptr_t x = s.startAddr;
	mspan_writeHeapBitsSmall(&s, x + e, 48, &t);
	mspan_writeHeapBitsSmall(&s, x + 2 * e, 48, &t);
	mspan_writeHeapBitsSmall(&s, x + e, 40, &t);
	cr_assert_eq(mspan_heapBitsSmallForAddr(&s, x + e), 0x1f);
	cr_assert_eq(mspan_heapBitsSmallForAddr(&s, x + 2 * e), 0x3f);
	mspan_writeHeapBitsSmall(&s, x + e, 16, &t);
	cr_assert_eq(mspan_heapBitsSmallForAddr(&s, x + e), 3);
}

// The iterator against a word-by-word reading of the type, for each sub-range.
static void
checkRanges(mspan *s, uintptr_t slot, uintptr_t obj, const gort_type *t, uint64_t *state) {
	uintptr_t words = (slot + s->elemsize - obj) / 8;
	for (int k = 0; k < 200; k++) {
		uintptr_t lo = splitmix64(state) % words,
			  hi = lo + 1 + splitmix64(state) % (words - lo);
		if (k == 0) {
			lo = 0;
			hi = words;
		}
		typePointers tp = mspan_typePointersOf(s, obj + lo * 8, (hi - lo) * 8);
		for (uintptr_t w = lo; w < hi; w++)
			if (typeBit(t, w % (t->size / 8)))
				cr_assert_eq(typePointers_next(&tp, obj + hi * 8), obj + w * 8,
					"size %zu words [%lu,%lu) at %lu", t->size, lo, hi, w);
		cr_assert_eq(typePointers_next(&tp, obj + hi * 8), 0);
	}
}

Test(TypePointers, Tiled) {
	uint64_t state = 2;
	for (int k = 0; k < 300; k++) {
		int lo = classOf(576), hi = classOf(1152);
		int class = lo + (int)(splitmix64(&state) % (unsigned)(hi - lo + 1));
		mspan s = makeSpan(class, false);
		uint64_t mask[8];
		gort_type t;
		randomType(&t, mask, splitmix64(&state) % 200 + 1, &state);
		uintptr_t slot = s.startAddr + splitmix64(&state) % s.nelems * s.elemsize;
		*(const _type **)slot = &t;
		checkRanges(&s, slot, slot + 8, &t, &state);
	}
}

// A type without a mask: every word of the prefix.
Test(TypePointers, Conservative) {
	uint64_t state = 3;
	for (uintptr_t words = 1; words < 300; words += 7) {
		gort_type t = {words * 8, (words + 1) / 2 * 8, NULL, "conservative"};
		mspan s = makeSpan(classOf(1152), false);
		*(const _type **)s.startAddr = &t;
		checkRanges(&s, s.startAddr, s.startAddr + 8, &t, &state);
	}
	gort_type t = {512, 512, NULL, "full"};
	mspan s = makeSpan(classOf(512), false);
	mspan_writeHeapBitsSmall(&s, s.startAddr, 512, &t);
	cr_assert_eq(mspan_heapBitsSmallForAddr(&s, s.startAddr), ~(uintptr_t)0);
}

// ---- allocation bits ----------------------------------------------------------------------------

// nextFreeFast and nextFreeIndex give the free slots, each once, in order.
Test(AllocBits, NextFree) {
	uint64_t state = 4;
	for (int k = 0; k < 400; k++) {
		mspan s = makeSpan(
			1 + (int)(splitmix64(&state) % (unsigned)classOf(2688)), (k & 1) != 0);
		unsigned density = (unsigned)(splitmix64(&state) % 9);
		unsigned taken = 0;
		for (unsigned i = 0; i < s.nelems; i++)
			if (splitmix64(&state) % 8 < density) {
				allocbits[i / 8] |= (uint8_t)(1 << (i % 8));
				taken++;
			}
		s.allocCount = (uint16_t)taken;
		mspan_refillAllocCache(&s, 0);
		for (unsigned i = 0; i < s.nelems; i++) {
			if ((allocbits[i / 8] >> (i % 8) & 1) != 0)
				continue;
			cr_assert(mspan_isFree(&s, i));
			uintptr_t v = nextFreeFast(&s);
			if (v == 0) {
				uint16_t n = mspan_nextFreeIndex(&s);
				cr_assert_eq(n, i);
				s.allocCount++;
			} else {
				cr_assert_eq(v, s.startAddr + i * s.elemsize);
			}
			cr_assert(!mspan_isFree(&s, i));
		}
		cr_assert_eq(nextFreeFast(&s), 0);
		cr_assert_eq(mspan_nextFreeIndex(&s), s.nelems);
		cr_assert_eq(s.allocCount, s.nelems);
	}
}

// ---- mark bits ----------------------------------------------------------------------------------

Test(MarkBits, Advance) {
	mspan s = makeSpan(1, true); // 1024 objects, bits in markbits
	markBits m = mspan_markBitsForBase(&s);
	for (uintptr_t i = 0; i < s.nelems; i++, markBits_advance(&m)) {
		cr_assert_eq(m.index, i);
		cr_assert_eq(m.bytep, markbits + i / 8);
		cr_assert(!markBits_isMarked(m));
		if (i % 3 == 0)
			markBits_setMarked(m);
	}
	cr_assert_eq(mspan_countAlloc(&s), (1024 + 2) / 3);
	markBits_clearMarked(mspan_markBitsForIndex(&s, 3));
	markBits_setMarkedNonAtomic(mspan_markBitsForIndex(&s, 4));
	cr_assert_eq(markbits[0], 1 | 1 << 4 | 1 << 6);
}

// Inline marks move to the ordinary bits and are gone; the class, in the last byte, stays.
Test(MarkBits, MoveInlineMarks) {
	for (int class = 2; SizeClassToSize[class] <= 512; class ++) {
		mspan s = makeSpan(class, false);
		memset(page + 8192 - 128, 0xff, 128);
		mspan_initInlineMarkBits(&s);
		for (unsigned i = 0; i < s.nelems; i++) {
			cr_assert(!markBits_isMarked(mspan_markBitsForIndex(&s, i)));
			if (i % 5 == 0) {
				markBits_setMarked(mspan_markBitsForIndex(&s, i));
				markBits_setMarked(mspan_scannedBitsForIndex(&s, i));
			}
		}
		mspan_moveInlineMarks(&s, s.gcmarkBits);
		for (unsigned i = 0; i < 1024; i++)
			cr_assert_eq(markbits[i / 8] >> (i % 8) & 1, i < s.nelems && i % 5 == 0);
		spanInlineMarkBits *imb = mspan_inlineMarkBits(&s);
		cr_assert_eq(imb->class, s.spanclass);
		for (unsigned i = 0; i < 127; i++)
			cr_assert_eq(((uint8_t *)imb)[i], 0);
	}
}

// ---- in the heap --------------------------------------------------------------------------------

typedef struct node {
	struct node *left;
	uintptr_t key;
	struct node *right;
} node;
GORT_TYPE(node, left, right);

static void
findObjectRun(void) {
	mspan *s = NULL;
	uintptr_t idx = 0;
	node *n = gort_new(node);
	uintptr_t p = (uintptr_t)n;
	CHECK(findObject(p, 0, 0, &s, &idx) == p);
	CHECK(s->elemsize == 24 && s->startAddr + idx * 24 == p);
	CHECK(findObject(p + 23, 0, 0, &s, &idx) == p);
	// The metadata behind the last slot is nobody's, and no reason to stop the process.
	CHECK(findObject(s->startAddr + 8191, 0, 0, &s, &idx) == 0);
	CHECK(findObject(s->startAddr + (uintptr_t)s->nelems * 24, 0, 0, &s, &idx) == 0);
	CHECK(findObject(0, 0, 0, &s, &idx) == 0);
	CHECK(findObject((uintptr_t)&idx, 0, 0, &s, &idx) == 0);
	CHECK(findObject(~(uintptr_t)0, 0, 0, &s, &idx) == 0);
	// Large: one slot, and nothing behind it.
	char *big = gort_alloc(100000, GORT_NOSCAN);
	CHECK(findObject((uintptr_t)big + 99999, 0, 0, &s, &idx) == (uintptr_t)big && idx == 0);
	CHECK(findObject((uintptr_t)big + s->npages * pageSize - 1, 0, 0, &s, &idx) == 0);
	CHECK(isMarkedOrNotInHeap(&idx));
	gort_gc();
	CHECK(findObject((uintptr_t)big, 0, 0, &s, &idx) == (uintptr_t)big);
	CHECK(findObject((uintptr_t)n, 0, 0, &s, &idx) == p);
}

Test(FindObject, Tolerant) {
	RUN(findObjectRun);
}

// maskIs compares the pointers that the heap knows of in the object at p with want, a string of P
// and s.  What lies behind it may hold more.
static bool
maskIs(const void *p, const char *want) {
	mspan *s;
	uintptr_t idx;
	uintptr_t base = findObject((uintptr_t)p, 0, 0, &s, &idx);
	if (base == 0)
		return false;
	if (spanClass_noscan(s->spanclass))
		return strchr(want, 'P') == NULL;
	uintptr_t limit = base + s->elemsize;
	typePointers tp = mspan_typePointersOfUnchecked(s, base);
	uintptr_t addr = typePointers_next(&tp, limit);
	for (size_t i = 0; want[i] != 0; i++) {
		bool ptr = addr == (uintptr_t)p + i * 8;
		if (ptr != (want[i] == 'P'))
			return false;
		if (ptr)
			addr = typePointers_next(&tp, limit);
	}
	return true;
}

typedef struct Ptr {
	char *p;
} Ptr;
GORT_TYPE(Ptr, p);
typedef struct ScalarPtr {
	intptr_t q;
	int *w;
	intptr_t e;
	int *r;
	intptr_t t;
	int *y;
} ScalarPtr;
GORT_TYPE(ScalarPtr, w, r, y);
typedef struct PtrScalar {
	int *q;
	intptr_t w;
	int *e;
	intptr_t r;
	int *t;
	intptr_t y;
} PtrScalar;
GORT_TYPE(PtrScalar, q, e, t);
typedef struct BigStruct {
	int *q;
	uint8_t w;
	uint8_t e[17];
	struct {
		char *p;
		intptr_t len, cap;
	} r;
	intptr_t t;
	uint16_t y;
	uint64_t u;
	struct {
		char *p;
		intptr_t len;
	} i;
} BigStruct;
GORT_TYPE(BigStruct, q, r.p, i.p);
typedef struct Huge {
	intptr_t a[70];
	void *p[3];
	intptr_t b;
} Huge;
GORT_TYPE(Huge, p);

static void
gcInfoRun(void) {
	for (int i = 0; i < 10; i++) {
		CHECK(maskIs(gort_new(Ptr), "P"));
		CHECK(maskIs(gort_new_array(Ptr, 10), "PPPPPPPPPP"));
		CHECK(maskIs(gort_new(ScalarPtr), "sPsPsP"));
		CHECK(maskIs(gort_new_array(ScalarPtr, 4), "sPsPsPsPsPsPsPsPsPsPsPsP"));
		CHECK(maskIs(gort_new(PtrScalar), "PsPsPs"));
		CHECK(maskIs(gort_new(BigStruct), "PsssPsssssPs"));
		CHECK(maskIs(gort_alloc(40, GORT_CONSERVATIVE), "PPPPP"));
		CHECK(maskIs(gort_alloc(40, GORT_NOSCAN), "sssss"));
		char want[300];
		for (int w = 0; w < 3 * 74; w++)
			want[w] = w % 74 >= 70 && w % 74 < 73 ? 'P' : 's';
		want[3 * 74] = 0;
		CHECK(maskIs(gort_new_array(Huge, 3), want));
		CHECK(maskIs(gort_new_array(Huge, 100), want));
	}
}

Test(GC, Info) {
	RUN(gcInfoRun);
}
