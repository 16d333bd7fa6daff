// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Goroutine stacks.
#include "tests/support/crash.h"

#include <sys/mman.h>

#include "runtime/gort.h"
#include "runtime/malloc_const.h"
#include "runtime/mgc.h"
#include "sched/preempt.h"
#include "sched/proc.h"
#include "sched/stack.h"

Test(Stack, Classes) {
	cr_assert_eq(stackclass(0), (uint32_t)stackClassDefault);
	cr_assert_eq(stackclass(1), (uint32_t)stackClassSmall);
	cr_assert_eq(stackclass(60 << 10), (uint32_t)stackClassSmall);
	cr_assert_eq(stackclass((60 << 10) + 1), (uint32_t)stackClassDefault);
	cr_assert_eq(stackclass(256 << 10), (uint32_t)stackClassDefault);
	cr_assert_eq(stackclass((256 << 10) + 1), (uint32_t)stackClassLarge);
	cr_assert_eq(stackclass(8 << 20), (uint32_t)stackClassLarge + 3);
	cr_assert_eq(stackslotsize(stackClassLarge + 3), (uintptr_t)8 << 20);
	for (uint32_t c = 0; c < nStackClasses; c++)
		cr_assert_eq(stackclass(stackslotsize(c) - stackguardsize(c)), c);
}

enum { nstacks = 100 };

// allocfree_1 runs on g0.
static void
allocfree_1(void *arg) {
	uint32_t c = *(uint32_t *)arg;
	stack s[nstacks];
	for (int i = 0; i < nstacks; i++) {
		s[i] = stackalloc(c);
		CHECK(s[i].hi - s[i].lo == stackslotsize(c) - stackguardsize(c));
		CHECK(stackarena_contains(s[i].lo) && stackarena_contains(s[i].hi - 1));
		*(volatile uintptr_t *)s[i].lo = (uintptr_t)i;
		*(volatile uintptr_t *)(s[i].hi - 8) = (uintptr_t)i;
	}
	for (int i = 0; i < nstacks; i++) {
		CHECK(*(uintptr_t *)s[i].lo == (uintptr_t)i);
		CHECK(*(uintptr_t *)(s[i].hi - 8) == (uintptr_t)i);
		for (int j = 0; j < i; j++)
			CHECK(s[i].hi <= s[j].lo || s[j].hi <= s[i].lo);
	}
	for (int i = 0; i < nstacks; i++)
		stackfree(s[i], c);
	// The one that was freed last is the warmest.
	stack t = stackalloc(c);
	CHECK(t.lo == s[nstacks - 1].lo);
	stackfree(t, c);
}

static void
allocfree(void) {
	for (uint32_t c = 0; c <= stackClassLarge; c++)
		systemstack(allocfree_1, &c);
}

Test(Stack, AllocFree) {
	RUN(allocfree);
}

// release_1: the memory of free stacks goes back, and the stacks can be used again.
static void
release_1(void *arg) {
	uint32_t c = stackClassSmall;
	stack s[nstacks];
	for (int i = 0; i < nstacks; i++) {
		s[i] = stackalloc(c);
		memset((void *)s[i].lo, 1, s[i].hi - s[i].lo);
	}
	for (int i = 0; i < nstacks; i++)
		stackfree(s[i], c);
	stackStats before, after;
	stack_stats(&before);
	freeStackSpans();
	stack_stats(&after);
	CHECK(after.free == before.free);
	CHECK(after.inuse == before.inuse);
	CHECK(after.released == after.free);
	CHECK(before.released + nstacks <= after.released);
	for (int i = 0; i < nstacks; i++) {
		unsigned char there[16];
		CHECK(mincore((void *)s[i].lo, s[i].hi - s[i].lo, there) == 0);
		for (size_t k = 0; k < (s[i].hi - s[i].lo) / 4096; k++)
			CHECK((there[k] & 1) == 0);
	}
	stack t = stackalloc(c);
	CHECK(*(volatile char *)t.lo == 0);
	*(volatile char *)t.lo = 1;
	stackfree(t, c);
}

static void
settled_1(G *gp, void *arg) {
	bool *settled = arg;
	uint32_t s = readgstatus(gp);
	if (gp != getg() && s != _Gwaiting && s != _Gdead)
		*settled = false;
}

static void
release(void) {
	// The goroutines of the runtime take their stacks when they begin.
	bool settled;
	do {
		gort_yield();
		settled = true;
		forEachGRace(settled_1, &settled);
	} while (!settled);
	systemstack(release_1, NULL);
}

Test(Stack, FreeStackSpans) {
	RUN(release);
}

// ---- a deep call that is over ---------------------------------------------------------------------------

static uintptr_t deeplo, deephi;

__attribute__((noinline)) static void
deep(void) {
	volatile char b[128 << 10];
	for (size_t i = 0; i < sizeof b; i += 4096)
		b[i] = 1;
	deeplo = (uintptr_t)b;
	deephi = deeplo + sizeof b;
}

static void
shrinker(gort_hchan *c) {
	int x;
	deep();
	gort_chanrecv(c, &x); // the main goroutine looks
	gort_chanrecv(c, &x);
}

// resident counts pages of [lo, hi) that are there.
static int
resident(uintptr_t lo, uintptr_t hi) {
	unsigned char there[64];
	int n = 0;
	lo = alignUp(lo, 4096);
	hi = alignDown(hi, 4096);
	CHECK(mincore((void *)lo, hi - lo, there) == 0);
	for (size_t i = 0; i < (hi - lo) / 4096; i++)
		n += there[i] & 1;
	return n;
}

static void
shrink(void) {
	gort_chan(int) c = gort_chan_make(int, 0);
	gort_go(shrinker, (gort_hchan *)(void *)c);
	gort_chan_send(c, 1);
	gort_yield();
	uintptr_t mid = deephi - 16384;
	CHECK(resident(deeplo, mid) > 20);
	gort_gc();
	CHECK(resident(deeplo, mid) == 0);
	gort_chan_send(c, 1);
}

Test(Stack, ShrinkStack) {
	RUN(shrink);
}

// ---- overflow --------------------------------------------------------------------------------------------

static volatile int zero;

__attribute__((noinline)) static int
recurse(int x) {
	volatile char b[200];
	b[x % 200] = (char)x;
	int r = zero == 0 ? recurse(x + 1) : 0;
	return r + b[x % 200];
}

__attribute__((noinline)) static void
overflow(void) {
	zero = recurse(0);
}

__attribute__((noinline)) static void
overflow_small_1(void) {
	zero = recurse(0);
}

static void
overflow_small(void) {
	gort_go_stack(GORT_STACK_64K, overflow_small_1);
	gort_sleep(INT64_C(3600000000000));
}

// overflowtext checks the report of a stack overflow.
static void
overflowtext(void (*fn)(void), const char *mode) {
	static char buf[1 << 16];
	char godebug[64];
	snprintf(godebug, sizeof godebug, "stackguard=%s", mode);
	int status = crash_child(fn, "GODEBUG", godebug, buf, sizeof buf);
	cr_assert(EXITED(status, 2), "%s: status %#x: %s", mode, status, buf);
	unsigned long n;
	cr_assert_eq(
		sscanf(buf, "runtime: goroutine stack exceeds %lu-byte limit\n", &n), 1, "%s", buf);
	cr_assert(strstr(buf,
			  "\nfatal error: stack overflow\n\nruntime stack:\nruntime.throw(...)\n"),
		"%s", buf);
	cr_assert(strstr(buf, "[running]:\nmain.recurse(...)\n"), "%s", buf);
	cr_assert(strstr(buf, " frames elided...\n"), "%s", buf);
	cr_assert(strstr(buf, fn == overflow ? "\nmain.overflow(...)\n"
					     : "\nmain.overflow_small_1(...)\n"),
		"%s", buf);
}

Test(Stack, OverflowMadvise) {
	overflowtext(overflow, "madvise");
	overflowtext(overflow_small, "madvise");
}

Test(Stack, OverflowUffd) {
	overflowtext(overflow, "uffd");
	overflowtext(overflow_small, "uffd");
}

Test(Stack, OverflowMprotect) {
	overflowtext(overflow, "mprotect");
	overflowtext(overflow_small, "mprotect");
}

// ---- many -------------------------------------------------------------------------------------------------

static uint32_t ran; // atomic

static void
waiter(gort_hchan *c) {
	int x;
	gort_chanrecv(c, &x);
	__atomic_add_fetch(&ran, 1, __ATOMIC_RELAXED);
}

static void
many(void) {
	enum { n = 20000 };
	gort_chan(int) c = gort_chan_make(int, 0);
	for (int i = 0; i < n; i++)
		gort_go(waiter, (gort_hchan *)(void *)c);
	gort_gc();
	for (int i = 0; i < n; i++)
		gort_chan_send(c, i);
	while (__atomic_load_n(&ran, __ATOMIC_RELAXED) < n)
		gort_yield();
	gort_gc();
	stackStats s;
	stack_stats(&s);
	CHECK(s.inuse < 200);
	CHECK(s.released + 200 > s.free);
}

Test(Stack, Many) {
	RUN(many);
}

// ---- statistics -------------------------------------------------------------------------------------------

static void
inuse(void) {
	enum { n = 1000 };
	struct gort_memstats before, after;
	gort_chan(int) c = gort_chan_make(int, 0);
	gort_read_memstats(&before);
	for (int i = 0; i < n; i++)
		gort_go(waiter, (gort_hchan *)(void *)c);
	while (gort_num_goroutine() <= n)
		gort_yield();
	for (int i = 0; i < 10; i++)
		gort_yield();
	gort_read_memstats(&after);
	CHECK(after.StackInuse >= before.StackInuse + n * 4096 / 2);
	CHECK(after.StackInuse <= before.StackInuse + n * 3 * 4096);
	CHECK(after.StackSys >= after.StackInuse);
	for (int i = 0; i < n; i++)
		gort_chan_send(c, i);
}

Test(Stack, InUse) {
	RUN(inuse);
}
