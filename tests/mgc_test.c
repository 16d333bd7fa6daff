// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Whole GC cycles.  Ports gc_test.go of Go 1.26.8, what of it is about control.
#include <criterion/criterion.h>

#include "runtime/gort.h"

#include "runtime/mgc.h"
#include "runtime/mgcsweep.h"
#include "runtime/runtime1.h"
#include "sched/proc.h"
#include "tests/support/support.h"

// ---- formats -----------------------------------------------------------------------------------

static void
checkMS(uint64_t ns, const char *want) {
	char buf[24];
	int len;
	char *p = fmtNSAsMS(buf, sizeof buf, ns, &len);
	cr_assert(len == (int)strlen(want) && memcmp(p, want, (size_t)len) == 0,
		"%lu: got %.*s, want %s", ns, len, p, want);
}

// The answers are those of Go's fmtNSAsMS.
Test(GcTrace, FmtNSAsMS) {
	checkMS(0, "0");
	checkMS(999, "0");
	checkMS(1000, "0.001");
	checkMS(9999, "0.009");
	checkMS(10000, "0.010");
	checkMS(99999, "0.099");
	checkMS(100000, "0.10");
	checkMS(123456, "0.12");
	checkMS(999999, "0.99");
	checkMS(1000000, "1.0");
	checkMS(1234567, "1.2");
	checkMS(9999999, "9.9");
	checkMS(10000000, "10");
	checkMS(12345678, "12");
	checkMS(UINT64_MAX, "18446744073709");
}

Test(GcTrace, ItoaDiv) {
	char buf[24];
	int len;
	char *p = itoaDiv(buf, sizeof buf, 12, 3, &len);
	cr_assert_eq(len, 5);
	cr_assert_arr_eq(p, "0.012", 5);
	p = itoaDiv(buf, sizeof buf, 1234567, 3, &len);
	cr_assert_eq(len, 8);
	cr_assert_arr_eq(p, "1234.567", 8);
	p = itoaDiv(buf, sizeof buf, 7, 0, &len);
	cr_assert_eq(len, 2); // a digit too many: fmtNSAsMS does not ask for such
	cr_assert_arr_eq(p, "07", 2);
}

// ---- triggers ----------------------------------------------------------------------------------

static void
triggerTest(void) {
	gort_set_gc_percent(-1);
	uint32_t n = atomic_Load(&work.cycles);
	CHECK(!gcTrigger_test((gcTrigger){.kind = gcTriggerCycle, .n = n}));
	CHECK(gcTrigger_test((gcTrigger){.kind = gcTriggerCycle, .n = n + 1}));
	CHECK(!gcTrigger_test((gcTrigger){.kind = gcTriggerCycle, .n = n + (UINT32_C(1) << 31)}));
	CHECK(!gcTrigger_test((gcTrigger){.kind = gcTriggerHeap}));
	gort_gc();
	int64_t now = nanotime();
	// no periodic cycles with GOGC=off
	CHECK(!gcTrigger_test(
		(gcTrigger){.kind = gcTriggerTime, .now = now + 2 * forcegcperiod + 1}));
	gort_set_gc_percent(100);
	CHECK(!gcTrigger_test((gcTrigger){.kind = gcTriggerTime, .now = now}));
	CHECK(gcTrigger_test(
		(gcTrigger){.kind = gcTriggerTime, .now = now + 2 * forcegcperiod + 1}));
	memstats.enablegc = false;
	CHECK(!gcTrigger_test((gcTrigger){.kind = gcTriggerCycle, .n = n + 2}));
	memstats.enablegc = true;
}

Test(GcTrigger, Test) {
	RUN(triggerTest);
}

// gcStart does nothing where it may not.
static void
startForbidden(void) {
	gcTrigger t = {.kind = gcTriggerCycle, .n = atomic_Load(&work.cycles) + 1};
	M *mp = acquirem();
	gcStart(t);
	CHECK(atomic_Load(&work.cycles) == t.n - 1);
	mp->preemptoff = "test";
	releasem(mp);
	gcStart(t);
	CHECK(atomic_Load(&work.cycles) == t.n - 1);
	getg()->m->preemptoff = NULL;
	gcStart(t);
	CHECK(atomic_Load(&work.cycles) == t.n);
	gcWaitOnMark(t.n);
	CHECK(atomic_Load(&gcphase) == _GCoff);
	gcStart(t); // that cycle has been
	CHECK(atomic_Load(&work.cycles) == t.n);
}

Test(GcStart, Forbidden) {
	RUN(startForbidden);
}

// ---- cycles ------------------------------------------------------------------------------------

typedef struct list list;
struct list {
	list *next;
	uint64_t val;
};
GORT_TYPE(list, next);

// makeList makes a list of n objects with the values 0 to n-1.
static NOINLINE list *
makeList(uint64_t n) {
	list *head = NULL;
	while (n-- > 0) {
		list *l = gort_new(list);
		l->val = n;
		gort_store(l->next, head);
		head = l;
	}
	return head;
}

// checkList reports whether l is still what makeList made.
static NOINLINE bool
checkList(list *l, uint64_t n) {
	uint64_t i = 0;
	for (; l != NULL; l = l->next)
		if (l->val != i++)
			return false;
	return i == n;
}

static list *global;

static void
cyclesTest(void) {
	gort_memstats ms1, ms2;
	gort_read_memstats(&ms1);
	gort_store(global, makeList(100000));
	list *volatile local = makeList(1000);
	for (uint32_t i = 1; i <= 10; i++) {
		gort_gc();
		CHECK(isSweepDone());
		CHECK(atomic_Load(&gcphase) == _GCoff);
		CHECK(atomic_Load(&gort_writeBarrier) == 0);
		CHECK(checkList(global, 100000));
		CHECK(checkList(local, 1000));
		makeList(10000);
	}
	gort_read_memstats(&ms2);
	CHECK(ms2.NumGC - ms1.NumGC >= 10);
	CHECK(ms2.NumForcedGC - ms1.NumForcedGC == 10);
	CHECK(ms2.PauseTotalNs > ms1.PauseTotalNs);
	// 101,000 objects of 16 bytes live; stale words may keep a little more
	CHECK(gcController.heapMarked >= 101000 * 16);
	CHECK(gcController.heapMarked < 101000 * 16 + (1 << 20));

	gort_store(global, NULL);
	local = NULL;
	gort_gc();
	gort_gc();
	CHECK(gcController.heapMarked < 1 << 20);
}

Test(Gc, Cycles) {
	RUN(cyclesTest);
}

// The same with user goroutines held back while marking, and with the sweep in the pause too.
static void
stwTest(void) {
	for (int mode = 1; mode <= 2; mode++) {
		debug.gcstoptheworld = mode;
		cyclesTest();
	}
	debug.gcstoptheworld = 0;
}

Test(Gc, StopTheWorld) {
	RUN(stwTest);
}

static void
checkmarkTest(void) {
	debug.gccheckmark = 1;
	cyclesTest();
	debug.gccheckmark = 0;
}

Test(Gc, Checkmark) {
	RUN(checkmarkTest);
}

// TestGcLastTime
static void
lastTime(void) {
	int64_t t0 = walltime();
	gort_gc();
	int64_t t1 = walltime();
	gort_memstats ms;
	gort_read_memstats(&ms);
	int64_t last = (int64_t)ms.LastGC;
	CHECK(t0 <= last && last <= t1);
	uint64_t pause = ms.PauseNs[(ms.NumGC + 255) % 256];
	CHECK(pause > 0 && pause < UINT64_C(10000000000));
	CHECK((int64_t)ms.PauseEnd[(ms.NumGC + 255) % 256] == last);
}

Test(Gc, LastTime) {
	RUN(lastTime);
}

// TestPeriodicGC
static void
periodic(void) {
	gort_gc();
	gort_memstats ms1, ms2;
	gort_read_memstats(&ms1);
	int64_t orig = forcegcperiod;
	forcegcperiod = 0;
	uint32_t numGCs = 0;
	for (int i = 0; i < 200 && numGCs < 2; i++) {
		gort_sleep(5 * GORT_MS);
		gort_read_memstats(&ms2);
		numGCs = ms2.NumGC - ms1.NumGC;
	}
	forcegcperiod = orig;
	CHECK(numGCs >= 2);
}

Test(Gc, Periodic) {
	RUN(periodic);
}

// TestGCTestIsReachable.  Conservative stacks: what was dropped may be found all the same, so the
// dropped ones are made in a function of its own, and most of them must go.
static NOINLINE void
makeObjects(void **all, list **half) {
	for (int i = 0; i < 16; i++) {
		all[i] = gort_new(list);
		if (i % 2 == 0)
			gort_store(half[i / 2], all[i]);
	}
}

static void
isReachable(void) {
	void *all[16];
	list **half = gort_newarray(GORT_POINTERS, 8);
	makeObjects(all, half);
	uint64_t got = gcTestIsReachable(all, 16);
	CHECK((got & 0x5555) == 0x5555);
	CHECK(OnesCount64(got & 0xaaaa) <= 2);
	for (int i = 0; i < 8; i++)
		CHECK(half[i]->val == 0);
}

Test(Gc, TestIsReachable) {
	RUN(isReachable);
}

// ---- concurrency -------------------------------------------------------------------------------

// Goroutines that build, cut and check lists while others force cycles.
static gort_waitgroup wg;

static void
mutator(int id) {
	list *volatile mine = NULL;
	for (int i = 0; i < 200; i++) {
		uint64_t n = (uint64_t)(id * 37 + i) % 500;
		mine = makeList(n);
		gort_yield();
		CHECK(checkList(mine, n));
	}
	gort_waitgroup_done(&wg);
}

static void
forcer(void) {
	for (int i = 0; i < 20; i++)
		gort_gc();
	gort_waitgroup_done(&wg);
}

static void
concurrent(void) {
	static const int procs[] = {1, 2, 4, 8};
	for (size_t k = 0; k < nelem(procs); k++) {
		gort_gomaxprocs(procs[k]);
		uint32_t n = atomic_Load(&work.cycles);
		gort_waitgroup_add(&wg, 10);
		for (int i = 0; i < 8; i++)
			gort_go(mutator, i);
		gort_go(forcer);
		gort_go(forcer);
		gort_waitgroup_wait(&wg);
		// calls of GC may share a cycle only if that began after both of them
		CHECK(atomic_Load(&work.cycles) - n >= 20);
		CHECK(gcBgMarkWorkerCount >= procs[k]);
	}
}

Test(Gc, Concurrent) {
	RUN(concurrent);
}

// A store to a global without the barrier while the collector marks: the rescan finds it.
static list *unbarriered[64];

static void
forgotten(void) {
	list *volatile *heap = gort_newarray(GORT_POINTERS, nelem(unbarriered));
	for (size_t i = 0; i < nelem(unbarriered); i++) {
		gort_store(*(list **)&heap[i], makeList(100));
	}
	uint32_t n = atomic_Load(&work.cycles);
	gcStart((gcTrigger){.kind = gcTriggerCycle, .n = n + 1});
	// Move everything out of the heap object into globals that may have been scanned already.
	for (size_t i = 0; i < nelem(unbarriered); i++) {
		unbarriered[i] = heap[i];
		heap[i] = NULL;
	}
	gcWaitOnMark(n + 1);
	gort_gc();
	for (size_t i = 0; i < nelem(unbarriered); i++)
		CHECK(checkList(unbarriered[i], 100));
}

Test(Gc, ForgottenBarrier) {
	RUN(forgotten);
}

// The same for sure: lists that nothing refers to (their addresses are masked) turn up in globals
// after marking seemed done.  The second scan finds them and marking goes on.
static uintptr_t masked[nelem(unbarriered)];

static NOINLINE void
makeMasked(void) {
	for (size_t i = 0; i < nelem(masked); i++)
		masked[i] = ~(uintptr_t)makeList(100);
}

static void
rescan(void) {
	gort_gomaxprocs(2); // one for this goroutine, one for the marker, which will spin
	gort_gc();
	makeMasked();
	uint32_t restarts = gcDebugMarkDone.rootRestarts;
	gcDebugMarkDone.restartedDueTo27993 = false;
	atomic_Store(&gcDebugMarkDone.spinAfterRaggedBarrier, true);
	uint32_t n = atomic_Load(&work.cycles);
	gcStart((gcTrigger){.kind = gcTriggerCycle, .n = n + 1});
	while (!gcIsMarkDone())
		gort_yield();
	for (size_t i = 0; i < nelem(unbarriered); i++)
		unbarriered[i] = (list *)~masked[i];
	atomic_Store(&gcDebugMarkDone.spinAfterRaggedBarrier, false);
	gcWaitOnMark(n + 1);
	CHECK(gcDebugMarkDone.rootRestarts > restarts);
	CHECK(gcDebugMarkDone.restartedDueTo27993);
	gort_gc();
	for (size_t i = 0; i < nelem(unbarriered); i++)
		CHECK(checkList(unbarriered[i], 100));
}

Test(Gc, RescanGlobals) {
	RUN(rescan);
}

// Cycles start by themselves, and the heap stays near the goal.
static void
paced(void) {
	gort_set_gc_percent(100);
	gort_store(global, makeList(500000)); // 8 MB
	gort_gc();
	gort_memstats ms;
	gort_read_memstats(&ms);
	uint32_t n = ms.NumGC;
	uint64_t peak = 0;
	for (int i = 0; i < 100; i++) {
		makeList(50000); // 80 MB in all
		peak = max(peak, atomic_Load(&gcController.heapLive));
	}
	gort_read_memstats(&ms);
	CHECK(ms.NumGC - n >= 5);
	CHECK(ms.NumGC - n <= 30);
	CHECK(peak < 32 << 20);
	CHECK(checkList(global, 500000));
	gort_store(global, NULL);
}

Test(Gc, Paced) {
	RUN(paced);
}
