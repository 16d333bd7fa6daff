// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Stopping goroutines that make no calls.
#include "tests/support/support.h"

#include <stdlib.h>
#include <unistd.h>

#include "runtime/gort.h"
#include "runtime/runtime1.h"
#include "sched/preempt.h"
#include "sched/proc.h"

static volatile uint64_t counter;
static uint32_t stop; // atomic
static G *spinG;      // atomic

// spin runs until stop, with no call.
static void
spin(void) {
	atomic_Store(&spinG, getg());
	while (__atomic_load_n(&stop, __ATOMIC_RELAXED) == 0)
		counter++;
	atomic_Store(&stop, 2);
}

GORT_ASYNC static void
spinasync(void) {
	atomic_Store(&spinG, getg());
	while (__atomic_load_n(&stop, __ATOMIC_RELAXED) == 0)
		counter++;
	atomic_Store(&stop, 2);
}

static void
stopspin(void) {
	atomic_Store(&stop, 1);
	while (atomic_Load(&stop) != 2)
		gort_yield();
	atomic_Store(&stop, 0);
}

static void
wait_for_spin(uint64_t from) {
	while (counter == from)
		gort_yield();
}

// ---- the world ---------------------------------------------------------------------------------------------

static void
stoptheworld(void) {
	gort_gomaxprocs(2);
	gort_go(spin);
	wait_for_spin(0);
	for (int i = 0; i < 200; i++) {
		worldStop w = stopTheWorld(stwForTestCountPagesInUse);
		uint64_t c = counter;
		for (int k = 0; k < 1000; k++)
			CHECK(counter == c);
		startTheWorld(w);
		if (i % 20 == 0)
			wait_for_spin(c);
	}
	stopspin();
}

Test(Preempt, StopTheWorld) {
	RUN(stoptheworld);
}

static void
count_1(P *pp) {
	(void)pp;
	__atomic_add_fetch(&stop, 4, __ATOMIC_RELAXED);
}

// forEachP runs its function for a P whose goroutine does not call.
static void
foreachp_1(void *arg) {
	(void)arg;
	forEachPInternal(count_1);
}

static void
foreachp(void) {
	gort_gomaxprocs(2);
	gort_go(spin);
	wait_for_spin(0);
	gort_gc(); // does it several times
	stopspin();
	(void)foreachp_1;
}

Test(Preempt, ForEachP) {
	RUN(foreachp);
}

// ---- time slices -----------------------------------------------------------------------------------------------

// TestPreemption of proc_test.go: goroutines that spin on one P take turns.
static void
timeslice(void) {
	gort_gomaxprocs(1);
	gort_go(spin);
	wait_for_spin(0); // comes back only if spin is stopped
	uint64_t c = counter;
	for (int i = 0; i < 3; i++) {
		wait_for_spin(c);
		c = counter;
	}
	stopspin();
}

Test(Preempt, TimeSlice) {
	RUN(timeslice);
}

// Who is stopped in place and has come to a P's queue is still found when there is no other M.
static void
takelocal(void) {
	gort_gomaxprocs(1);
	gort_go(spin);
	wait_for_spin(0);
	P *pp = acquirem()->p;
	lock(&sched.lock);
	gQueue q;
	G *gp = globrunqgetbatch(128, &q);
	if (gp != NULL)
		runqput(pp, gp, false);
	runqputbatch(pp, &q);
	gp = takeInplace(pp);
	CHECK(gp != NULL && gp == atomic_Load(&spinG));
	if (gp != NULL)
		globrunqput(gp);
	CHECK(takeInplace(pp) == gp);
	if (gp != NULL)
		globrunqput(gp);
	unlock(&sched.lock);
	releasem(getg()->m);
	stopspin();
}

Test(Preempt, TakeInplace) {
	RUN(takelocal);
}

static void
timesliceasync(void) {
	gort_gomaxprocs(1);
	gort_go(spinasync);
	uint64_t c = 0;
	for (int i = 0; i < 3; i++) {
		wait_for_spin(c);
		c = counter;
	}
	// It was switched off its thread: no thread waits in a signal handler for it.
	G *gp = atomic_Load(&spinG);
	CHECK(atomic_Load(&gp->inplace) == inplaceNone);
	CHECK(gp->m == NULL);
	stopspin();
}

Test(Preempt, TimeSliceAsync) {
	RUN(timesliceasync);
}

// TestPreemptionGC of proc_test.go.
static void
preemptiongc(void) {
	gort_gomaxprocs(5);
	for (int i = 0; i < 4; i++)
		gort_go(spin);
	wait_for_spin(0);
	for (int i = 0; i < 3; i++)
		gort_gc();
	atomic_Store(&stop, 1);
}

Test(Preempt, PreemptionGC) {
	RUN(preemptiongc);
}

// ---- suspendG ---------------------------------------------------------------------------------------------------

static uintptr_t magic;

// holder keeps a value in a vector register only.
static void
holder(void) {
	atomic_Store(&spinG, getg());
	uint64_t v = magic ^ 0xffff;
	__asm__ volatile("xorq $0xffff, %0\n\tmovq %0, %%xmm11\n\txorl %k0, %k0"
			 : "+r"(v)::"xmm11");
	while (__atomic_load_n(&stop, __ATOMIC_RELAXED) == 0)
		__asm__ volatile("" ::: "memory");
	uint64_t w;
	__asm__ volatile("movq %%xmm11, %0" : "=r"(w));
	CHECK(w == magic);
	atomic_Store(&stop, 2);
}

static bool found;
static int inplacestops;

// suspend_1 stops holder and looks for the value in its registers.  On g0.
static void
suspend_1(void *arg) {
	G *gp = arg;
	G *self = getg()->m->curg;
	casGToWaitingForSuspendG(self, _Grunning, waitReasonGCWorkerActive);
	suspendGState s = suspendG(gp);
	CHECK(!s.dead);
	if (gp->sigframelo != 0) {
		inplacestops++;
		CHECK(gp->sched.sp >= gp->stack.lo && gp->sched.sp < gp->stack.hi);
		for (uintptr_t p = gp->sigframelo; p + 8 <= gp->sigframehi; p += 8)
			found |= *(uintptr_t *)p == magic;
		uint64_t c = counter;
		CHECK(counter == c);
	}
	resumeG(s);
	casgstatus(self, _Gwaiting, _Grunning);
}

static void
suspend(void) {
	magic = (uintptr_t)0x123456789abc << 4;
	gort_gomaxprocs(2);
	gort_go(holder);
	while (atomic_Load(&spinG) == NULL)
		gort_yield();
	for (int i = 0; i < 200 || (inplacestops == 0 && i < 100000); i++) {
		found = false;
		int before = inplacestops;
		systemstack(suspend_1, atomic_Load(&spinG));
		// Before its first instructions, the value is not there yet.
		if (inplacestops > before && i > 100)
			CHECK(found);
	}
	CHECK(inplacestops > 0);
	stopspin();
}

Test(Preempt, SuspendG) {
	RUN(suspend);
}

// ---- sequences that are not to be cut ----------------------------------------------------------------------------

static void *slots[8];

// stores has several barriers, which the compiler is free to reorder and duplicate.
__attribute__((noinline)) static void
stores(void *p) {
	for (int i = 0; i < 8; i++)
		gort_store(slots[i], p);
}

Test(Preempt, UnsafePoint) {
	stores(NULL);
	uintptr_t f = (uintptr_t)stores;
	int inside = 0;
	for (uintptr_t pc = f; pc < f + 400; pc++) {
		uintptr_t b = unsafePoint(pc);
		if (b == pc)
			continue;
		cr_assert_lt(b, pc);
		cr_assert_lt(pc - b, (uintptr_t)40); // cmp, jne and mov
		cr_assert_eq(unsafePoint(b), b);
		inside++;
	}
	cr_assert_gt(inside, 0);
	cr_assert_eq(unsafePoint((uintptr_t)gort_gc), (uintptr_t)gort_gc);
	cr_assert_eq(unsafePoint(0), (uintptr_t)0);
}

static void
barriers(void) {
	while (__atomic_load_n(&stop, __ATOMIC_RELAXED) == 0) {
		stores(slots);
		counter++;
	}
	atomic_Store(&stop, 2);
}

static void
storesingc(void) {
	gort_gomaxprocs(2);
	gort_go(barriers);
	wait_for_spin(0);
	for (int i = 0; i < 50; i++)
		gort_gc();
	stopspin();
	for (int i = 0; i < 8; i++)
		CHECK(slots[i] == slots);
}

Test(Preempt, StoresInGC) {
	RUN(storesingc);
}

// ---- where not to stop ----------------------------------------------------------------------------------------------

static void
safepoint(void) {
	uintptr_t newpc;
	G *gp = getg();
	M *mp = gp->m;
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
	uintptr_t pc = (uintptr_t)stores;
	CHECK(isAsyncSafePoint(gp, pc, sp, &newpc) && newpc == pc);
#ifdef GORT_FIBERS // a sanitizer may have called it, with a lock of its own
	CHECK(!isAsyncSafePoint(gp, (uintptr_t)strlen, sp, &newpc));
#else
	CHECK(isAsyncSafePoint(gp, (uintptr_t)strlen, sp, &newpc)); // libc
#endif
	CHECK(!isAsyncSafePoint(gp, (uintptr_t)gort_gc, sp, &newpc));
	CHECK(!isAsyncSafePoint(mp->g0, pc, sp, &newpc));
	CHECK(!isAsyncSafePoint(gp, pc, gp->stack.lo - 8, &newpc));
	CHECK(!isAsyncSafePoint(gp, pc, gp->stack.hi + 8, &newpc));
	mp->locks++;
	CHECK(!isAsyncSafePoint(gp, pc, sp, &newpc));
	mp->locks--;
	mp->mallocing++;
	CHECK(!isAsyncSafePoint(gp, pc, sp, &newpc));
	mp->mallocing--;
	mp->preemptoff = "test";
	CHECK(!isAsyncSafePoint(gp, pc, sp, &newpc));
	mp->preemptoff = NULL;
	CHECK(isAsyncSafePoint(gp, pc, sp, &newpc));
}

Test(Preempt, IsAsyncSafePoint) {
	RUN(safepoint);
}

// preemptcheck does nothing on g0, and switches on a goroutine that was asked.
static void
poll_1(void *arg) {
	(void)arg;
	preemptcheck();
	preempt_poll();
}

static void
poll(void) {
	systemstack(poll_1, NULL);
	G *gp = getg();
	uint32_t tick = gp->m->p->schedtick;
	gp->preempt = true;
	atomic_Store(&gp->stackguard0, stackPreempt);
	preemptcheck();
	CHECK(getg() == gp);
	CHECK(!gp->preempt && gp->stackguard0 == gp->stack.lo);
	CHECK(gp->m->p->schedtick != tick);
	// Not while a lock is held; releasem asks again.
	M *mp = acquirem();
	tick = mp->p->schedtick;
	gp->preempt = true;
	atomic_Store(&gp->stackguard0, stackPreempt);
	preemptcheck();
	CHECK(mp->p->schedtick == tick && gp->preempt);
	releasem(mp);
	CHECK(gp->stackguard0 == stackPreempt);
	preemptcheck();
	CHECK(!gp->preempt);
}

Test(Preempt, Cooperative) {
	RUN(poll);
}
