// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Allocation.  Ports malloc_test.go of Go 1.26.8.
#include <criterion/criterion.h>

#include "runtime/gort.h"

#include "runtime/malloc.h"
#include "runtime/mgc.h"
#include "runtime/mgcsweep.h"
#include "sched/proc.h"
#include "tests/support/support.h"

// roundupsize agrees with itself: rounding what was rounded changes nothing.
Test(Malloc, RoundUpSize) {
	for (uintptr_t size = 1; size <= 40000; size++)
		for (int noscan = 0; noscan < 2; noscan++) {
			uintptr_t r = roundupsize(size, noscan != 0);
			cr_assert_geq(r, size);
			cr_assert_eq(roundupsize(r, noscan != 0), r, "size %lu", size);
		}
	cr_assert_eq(roundupsize(~(uintptr_t)0, true), ~(uintptr_t)0);
}

static void
tinyAllocRun(void) {
	enum { N = 16 };
	uintptr_t chunks[N];
	int n = 0;
	for (int i = 0; i < N; i++) {
		uintptr_t p = (uintptr_t)gort_alloc(1, GORT_NOSCAN) & ~(uintptr_t)7;
		int j = 0;
		while (j < n && chunks[j] != p)
			j++;
		if (j == n)
			chunks[n++] = p;
	}
	CHECK(n < N); // some share their 8 bytes
}

Test(Malloc, TinyAlloc) {
	RUN(tinyAllocRun);
}

static void
tinyAllocIssue37262Run(void) {
	gort_gc();
	gort_gc();
	M *mp = acquirem(); // nothing else allocates from this P
	bool aligned = false;
	for (int i = 0; i < 16 && !aligned; i++)
		aligned = ((uintptr_t)gort_alloc(1, GORT_NOSCAN) & 15) == 15;
	CHECK(aligned);
	(void)gort_alloc(4, GORT_NOSCAN);
	uintptr_t x = (uintptr_t)gort_alloc(12, GORT_NOSCAN);
	CHECK(x % 4 == 0);
	releasem(mp);
}

Test(Malloc, TinyAllocIssue37262) {
	RUN(tinyAllocIssue37262Run);
}

typedef struct two {
	struct two *a;
	struct two *b;
} two;
GORT_TYPE(two, a, b);
GORT_TYPE_NOSCAN(uint64_t);

static bool
isZero(const char *p, size_t n) {
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

// Every size, with and without pointers: zeroed, aligned, in its class, not overlapping.  Twice, with
// dirty memory the second time.
static void
sizesRun(void) {
	for (int round = 0; round < 2; round++) {
		for (size_t size = 1; size <= 34000; size += size < 2100 ? 1 : 97)
			for (int scan = 0; scan < 2; scan++) {
				size_t n = scan ? (size + 15) / 16 * 16 : size;
				char *p = scan ? gort_alloc(n, GORT_TYPE_OF(two))
					       : gort_alloc(n, GORT_NOSCAN);
				CHECK(isZero(p, n));
				CHECK(n % 8 != 0 || (uintptr_t)p % 8 == 0);
				mspan *s;
				uintptr_t idx;
				uintptr_t base = findObject((uintptr_t)p, 0, 0, &s, &idx);
				CHECK(base != 0 && (uintptr_t)p + n <= base + s->elemsize);
				if (base == 0)
					return;
				if (n >= maxTinySize || scan) {
					CHECK(s->elemsize - ((uintptr_t)p - base) ==
						roundupsize(n, !scan));
				}
				CHECK(!mspan_isFree(s, idx));
				CHECK(spanClass_noscan(s->spanclass) == !scan);
				memset(p, 0xa5, scan ? 0 : n);
				if (scan)
					for (size_t i = 0; i < n / 8; i++)
						gort_store(((void **)p)[i], (void *)p);
			}
		gort_gc();
		gort_gc();
	}
}

Test(Malloc, Sizes) {
	RUN(sizesRun);
}

// A conservative type may have any size.  Its slot is cleared without the neighbours being touched,
// and what it points to lives, in arrays of them wherever the pointer happens to be on a word.
typedef struct {
	char c[12];
} odd12;
GORT_TYPE_CONSERVATIVE(odd12);
typedef struct {
	char c[20];
} odd20;
GORT_TYPE_CONSERVATIVE(odd20);
typedef struct {
	char c[1004];
} odd1004;
GORT_TYPE_CONSERVATIVE(odd1004);

static void
oddTypesRun(void) {
	enum { N = 4096, rounds = 3 };
	void **keep = gort_alloc(N * sizeof keep[0], GORT_POINTERS);
	for (int round = 0; round < rounds; round++) {
		// Slots in use beside slots that are free and dirty.
		for (int i = 0; i < N; i++) {
			size_t n = i % 2 == 0 ? 16 : 24;
			uint64_t *q = gort_alloc(n, GORT_CONSERVATIVE);
			memset(q, 0x5a, n);
			gort_store(keep[i], (void *)q);
		}
		for (int i = 0; i < N; i++)
			if (i % 4 >= 2)
				gort_store(keep[i], NULL);
		gort_gc();
		for (int i = 0; i < N; i++) {
			if (i % 4 == 2) {
				odd12 *o = gort_new(odd12);
				CHECK(isZero((char *)o, sizeof *o));
				gort_store(*(void **)(void *)o, gort_strdup("twelve"));
				gort_store(keep[i], (void *)o);
			} else if (i % 4 == 3) {
				odd20 *o = gort_new(odd20);
				CHECK(isZero((char *)o, sizeof *o));
				gort_store(*(void **)(void *)(o->c + 8), gort_strdup("twenty"));
				gort_store(keep[i], (void *)o);
			}
		}
		// The last of four, at 36, has a word at 40; and so on.
		odd12 *a = gort_new_array(odd12, 4);
		gort_store(*(void **)(void *)((char *)a + 40), gort_strdup("array"));
		odd1004 *b = gort_new_array(odd1004, 4);
		gort_store(*(void **)(void *)((char *)b + 4008), gort_strdup("array"));
		odd1004 *l = gort_new_array(odd1004, 40);
		gort_store(*(void **)(void *)((char *)l + 40152), gort_strdup("array"));
		CHECK(isZero((char *)(gort_new(odd1004)), 1004));
		gort_gc();
		for (int i = 0; i < 10000; i++)
			memset(gort_alloc(8, GORT_NOSCAN), 0xff, 8);
		for (int i = 0; i < N; i++)
			if (i % 4 == 2) {
				CHECK(strcmp(*(char **)keep[i], "twelve") == 0);
			} else if (i % 4 == 3) {
				CHECK(strcmp(*(char **)((char *)keep[i] + 8), "twenty") == 0);
			} else {
				uint64_t *q = keep[i];
				for (int k = 0; k < (i % 2 == 0 ? 2 : 3); k++)
					CHECK(q[k] == 0x5a5a5a5a5a5a5a5a);
			}
		CHECK(strcmp(*(char **)((char *)a + 40), "array") == 0);
		CHECK(strcmp(*(char **)((char *)b + 4008), "array") == 0);
		CHECK(strcmp(*(char **)((char *)l + 40152), "array") == 0);
	}
}

Test(Malloc, OddTypes) {
	RUN(oddTypesRun);
}

static void
zeroSizeRun(void) {
	void *a = gort_alloc(0, GORT_NOSCAN);
	CHECK(a == &zerobase);
	CHECK(gort_alloc(0, GORT_CONSERVATIVE) == a);
	CHECK(gort_new_array(two, 0) == a);
	CHECK(gort_new_array(uint64_t, 0) == a);
	CHECK(gort_alloc(0, GORT_NOSCAN) == a);
}

Test(Malloc, ZeroSize) {
	RUN(zeroSizeRun);
}

// A list that only its head keeps, over collections: allocation, its bits, and marking agree.
static void
listRun(void) {
	two *head = NULL;
	for (int i = 0; i < 200000; i++) {
		two *n = gort_new(two);
		CHECK(n->a == NULL && n->b == NULL);
		gort_store(n->a, head);
		gort_store(n->b, n);
		head = n;
		if (i % 50000 == 49999)
			gort_gc();
	}
	int len = 0;
	for (two *n = head; n != NULL; n = n->a) {
		if (n->b != n)
			break;
		len++;
	}
	CHECK(len == 200000);
}

Test(Malloc, List) {
	RUN(listRun);
}

// Large objects are zeroed although their memory was in use before.
static void
largeRun(void) {
	for (int i = 0; i < 20; i++) {
		size_t n = (size_t)(i % 5 + 1) * 300000;
		char *p = gort_alloc(n, i % 2 == 0 ? GORT_NOSCAN : GORT_CONSERVATIVE);
		CHECK(isZero(p, n));
		mspan *s = spanOf((uintptr_t)p);
		CHECK(s->nelems == 1 && s->startAddr == (uintptr_t)p);
		CHECK(s->npages == divRoundUp(n, pageSize));
		if (i % 2 == 0)
			memset(p, 0xff, n);
		if (i % 4 == 3)
			gort_gc();
	}
}

Test(Malloc, Large) {
	RUN(largeRun);
}

static void
stringsRun(void) {
	char *a = gort_strdup("hello");
	CHECK(strcmp(a, "hello") == 0);
	CHECK(strcmp(gort_strdup(""), "") == 0);
	CHECK(strcmp(gort_strndup("hello", 3), "hel") == 0);
	CHECK(strcmp(gort_strndup("hi", 30), "hi") == 0);
	CHECK(strcmp(gort_asprintf("%d-%s-%.2f", 7, "x", 1.5), "7-x-1.50") == 0);
	char *l = gort_asprintf("%0500d|", 1);
	CHECK(strlen(l) == 501 && l[499] == '1' && l[500] == '|');
	CHECK(spanClass_noscan(spanOf((uintptr_t)l)->spanclass));
}

Test(Malloc, Strings) {
	RUN(stringsRun);
}
