// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The write barrier's buffer, and what it is for.
#include "runtime/gort.h"

#include "runtime/mbarrier.h"
#include "runtime/mgc.h"
#include "runtime/mwbbuf.h"
#include "runtime/runtime1.h"
#include "sched/proc.h"
#include "tests/support/support.h"

Test(WbBuf, Bounds) {
	static wbBuf b;
	wbBuf_reset(&b);
	cr_assert(wbBuf_empty(&b));
	cr_assert_eq(b.end - b.next, wbBufEntries * 8);
	for (int i = 0; i < wbBufEntries; i += 2) {
		uintptr_t *p = wbBuf_get2(&b);
		cr_assert_eq(p, &b.buf[i]);
		p[0] = p[1] = 8;
	}
	cr_assert_eq(b.next, b.end);
	cr_assert(!wbBuf_empty(&b));
	wbBuf_discard(&b);
	cr_assert(wbBuf_empty(&b));
	cr_assert_eq(b.end - b.next, wbBufEntries * 8);
	uintptr_t *p = wbBuf_get1(&b);
	cr_assert_eq(p, &b.buf[0]);
	cr_assert_eq(b.next, (uintptr_t)&b.buf[1]);
}

// flushTest: a buffer with nothing from the heap makes no work and is empty afterwards, also when
// get1 and get2 have to make the room.
static void
flushTest(void) {
	M *mp = acquirem();
	P *pp = mp->p;
	wbBufFlush();
	CHECK(wbBuf_empty(&pp->wbBuf));
	for (int i = 0; i < 5 * wbBufEntries; i++) {
		uintptr_t *p = wbBuf_get1(&pp->wbBuf);
		CHECK(p == &pp->wbBuf.buf[i % wbBufEntries]);
		*p = (uintptr_t)(i % 3 == 0 ? 0 : i % 3 == 1 ? 8 : (uintptr_t)&pp);
	}
	*wbBuf_get1(&pp->wbBuf) = 0; // an odd number: get2 flushes with one entry left
	CHECK(pp->wbBuf.next == (uintptr_t)&pp->wbBuf.buf[1]);
	for (int i = 0; i < wbBufEntries / 2; i++) {
		uintptr_t *p = wbBuf_get2(&pp->wbBuf);
		p[0] = p[1] = 0;
	}
	CHECK(pp->wbBuf.next == (uintptr_t)&pp->wbBuf.buf[2]);
	wbBufFlush();
	CHECK(wbBuf_empty(&pp->wbBuf));
	CHECK(gcWork_empty(&pp->gcw));
	releasem(mp);
}

Test(WbBuf, Flush) {
	RUN(flushTest);
}

// ---- the barrier -----------------------------------------------------------------------------------

typedef struct cell cell;
struct cell {
	cell *a;
	cell *b;
	uint64_t tag;
	uint64_t check;
};
GORT_TYPE(cell, a, b);

static NOINLINE cell *
newCell(uint64_t tag) {
	cell *c = gort_new(cell);
	c->tag = tag;
	c->check = ~tag;
	return c;
}

static uint32_t stop; // atomic
static uint32_t done; // semaphore
static cell *shared[64];

enum { nCells = 20000 };

// shuffle moves pointers between heap objects, globals and its stack, in the ways that hide an object
// from a collector without barriers: the only pointer to it goes from a place that has not been
// scanned to one that has.
static void
shuffle(uint64_t seed) {
	cell *head = NULL;
	for (int i = 0; i < nCells; i++) {
		cell *c = newCell((uint64_t)i);
		gort_store(c->a, head);
		head = c;
	}
	uint64_t x = seed * 2654435761u + 1;
	while (atomic_Load(&stop) == 0) {
		// Reverse the list: each next pointer moves to another object.
		cell *r = NULL;
		while (head != NULL) {
			cell *next = head->a;
			gort_store(head->a, r);
			r = head;
			head = next;
		}
		head = r;
		// Exchange with a global, and with an atomic one.
		x = x * 6364136223846793005u + 1442695040888963407u;
		cell *c = newCell(x);
		cell *old = gort_xchg(&shared[x >> 58], c);
		CHECK(old == NULL || old->check == ~old->tag);
		cell *mine = newCell(1);
		gort_store(mine->b, old);
		gort_copy(c, mine);
		CHECK(c->check == ~c->tag);
		gort_zero(mine);
		int n = 0;
		for (cell *p = head; p != NULL; p = p->a, n++) {
			if (p->check != ~p->tag || p->tag >= nCells) {
				CHECK(!"a live object was freed");
				break;
			}
		}
		CHECK(n == nCells);
		gort_yield();
	}
	gort_sema_release(&done);
}

static void
hidesNothingTest(void) {
	debug.clobberfree = 1;
	for (uint64_t i = 0; i < 4; i++) {
		gort_go(shuffle, i);
	}
	for (int i = 0; i < 30; i++) {
		gort_gc();
	}
	atomic_Store(&stop, 1);
	for (int i = 0; i < 4; i++) {
		gort_sema_acquire(&done);
	}
}

Test(WriteBarrier, HidesNothing) {
	RUN(hidesNothingTest);
}

// checkmarkTest is the same with each cycle verified by a second mark.
static void
checkmarkTest(void) {
	debug.gccheckmark = 1;
	for (uint64_t i = 0; i < 2; i++) {
		gort_go(shuffle, i);
	}
	for (int i = 0; i < 10; i++) {
		gort_gc();
	}
	atomic_Store(&stop, 1);
	for (int i = 0; i < 2; i++) {
		gort_sema_acquire(&done);
	}
}

Test(WriteBarrier, Checkmark) {
	RUN(checkmarkTest);
}

// ---- typed copies ------------------------------------------------------------------------------------

static void
typedTest(void) {
	cell *from = gort_new_array(cell, 10);
	cell *to = gort_new_array(cell, 10);
	for (uint64_t i = 0; i < 10; i++) {
		from[i].tag = i;
		gort_store(from[i].a, newCell(i));
	}
	const gort_type *t = &gort_type_cell;
	CHECK(typedslicecopy(t, to, 10, from, 7) == 7);
	CHECK(typedslicecopy(t, to, 0, from, 7) == 0);
	CHECK(to[6].tag == 6 && to[6].a == from[6].a);
	CHECK(to[7].tag == 0 && to[7].a == NULL);
	CHECK(typedslicecopy(t, to + 1, 9, to, 9) == 9); // overlapping
	CHECK(to[7].tag == 6 && to[0].tag == 0 && to[1].tag == 0);
	typedmemmove(t, &to[0], &from[9]);
	CHECK(to[0].tag == 9 && to[0].a == from[9].a);
	typedmemclr(t, &to[0]);
	CHECK(to[0].tag == 0 && to[0].a == NULL);
	typedarrayclear(t, to, 5);
	CHECK(to[4].a == NULL && to[5].a != NULL);
	memclrHasPointers(&to[5].a, 8);
	CHECK(to[5].a == NULL && to[5].tag == 4);
	CHECK(gort_cas(&to[5].a, NULL, from[1].a));
	CHECK(!gort_cas(&to[5].a, NULL, from[2].a));
	CHECK(to[5].a == from[1].a);
}

Test(WriteBarrier, Typed) {
	RUN(typedTest);
}

// ---- gort_sort -----------------------------------------------------------------------------------------

static int
byTag(const void *a, const void *b) {
	const cell *const *x = a;
	const cell *const *y = b;
	return (*x)->tag < (*y)->tag ? -1 : (*x)->tag > (*y)->tag;
}

static int
byByte(const void *a, const void *b) {
	return memcmp(a, b, 3);
}

static int
byInt(const void *a, const void *b) {
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static void
sortTest(void) {
	// Pointers, while the collector runs.
	enum { n = 5000 };
	cell **v = gort_alloc(n * sizeof(cell *), GORT_POINTERS);
	for (uint64_t i = 0; i < n; i++) {
		gort_store(v[i], newCell(i * 2654435761u % n));
	}
	gort_go(shuffle, 0);
	for (int i = 0; i < 3; i++) {
		gort_go(gort_gc);
		gort_sort(v, n, sizeof(v[0]), byTag);
		for (uint64_t j = 0; j < n; j++) {
			CHECK(v[j]->tag == (v[j]->check ^ UINT64_MAX));
			CHECK(j == 0 || v[j - 1]->tag <= v[j]->tag);
		}
		for (uint64_t j = 0; j < n / 2; j++) {
			cell *c = v[j];
			gort_store(v[j], v[n - 1 - j]);
			gort_store(v[n - 1 - j], c);
		}
	}
	atomic_Store(&stop, 1);
	gort_sema_acquire(&done);
	// Odd sizes.
	char s[] = "foobarbazquxabcaaazzzfoo";
	gort_sort(s, 8, 3, byByte);
	CHECK(strcmp(s, "aaaabcbarbazfoofooquxzzz") == 0);
	// Orders that are bad for quicksort: sorted, reverse, all equal, organ pipe, sawtooth.
	static uint64_t x[4096];
	for (int kind = 0; kind < 5; kind++) {
		for (uint64_t m = 0; m <= nelem(x); m = m < 40 ? m + 1 : m * 2) {
			uint64_t len = min(m, (uint64_t)nelem(x)), sum = 0, sum2 = 0;
			for (uint64_t i = 0; i < len; i++) {
				x[i] = kind == 0   ? i
				       : kind == 1 ? len - i
				       : kind == 2 ? 7
				       : kind == 3 ? (i < len / 2 ? i : len - i)
						   : i % 17;
				sum += x[i];
			}
			gort_sort(x, len, 8, byInt);
			for (uint64_t i = 0; i < len; i++) {
				sum2 += x[i];
				CHECK(i == 0 || x[i - 1] <= x[i]);
			}
			CHECK(sum == sum2);
		}
	}
}

Test(WriteBarrier, Sort) {
	RUN(sortTest);
}

// ---- stores while the barrier is off -----------------------------------------------------------------

// lateTest: marking ends between gort_store's look at the flag and gort_wb_slow.
static void
lateTest(void) {
	static cell *slot;
	gort_gc();
	P *pp = getg()->m->p;
	CHECK(atomic_Load(&gort_writeBarrier) == 0 && wbBuf_empty(&pp->wbBuf));
	cell *c = newCell(1);
	gort_wb_slow((void **)&slot, c);
	CHECK(slot == c);
	CHECK(wbBuf_empty(&getg()->m->p->wbBuf));
}

Test(WriteBarrier, Late) {
	RUN(lateTest);
}

// ---- moves that are not of whole words -----------------------------------------------------------------

static uint64_t from[4], to[4];

static void
oddSizeTest(void) {
	gort_memmove(to, from, 12);
}

static void
oddSourceTest(void) {
	gort_memmove(to, (char *)from + 4, 8);
}

static void
oddZeroTest(void) {
	gort_memzero((char *)to + 1, 8);
}

Test(WriteBarrier, OddSize, .exit_code = 2) {
	RUN(oddSizeTest);
}

Test(WriteBarrier, OddSource, .exit_code = 2) {
	RUN(oddSourceTest);
}

Test(WriteBarrier, OddZero, .exit_code = 2) {
	RUN(oddZeroTest);
}
