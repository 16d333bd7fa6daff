// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// What the pacer's vectors (gc.*) do not cover.
#include <stdlib.h>

#include <criterion/criterion.h>

#include "runtime/gort.h"

#include "runtime/mgc.h"
#include "runtime/mgcpacer.h"
#include "tests/support/support.h"

static void
checkGOGC(const char *s, int32_t want) {
	if (s == NULL)
		unsetenv("GOGC");
	else
		setenv("GOGC", s, 1);
	int32_t got = readGOGC();
	cr_assert_eq(got, want, "GOGC=%s: got %d, want %d", s == NULL ? "(unset)" : s, got, want);
}

Test(GcPacer, ReadGOGC) {
	checkGOGC(NULL, 100);
	checkGOGC("", 100);
	checkGOGC("off", -1);
	checkGOGC("0", 0);
	checkGOGC("50", 50);
	checkGOGC("+50", 50);
	checkGOGC("-1", -1);
	checkGOGC("-7", -7); // setGCPercent makes it -1
	checkGOGC("007", 7);
	checkGOGC("2147483647", 2147483647);
	checkGOGC("-2147483648", -2147483647 - 1);
	// not a number, or out of range: the default
	checkGOGC("2147483648", 100);
	checkGOGC("-2147483649", 100);
	checkGOGC("99999999999999999999999", 100);
	checkGOGC("OFF", 100);
	checkGOGC("1e3", 100);
	checkGOGC("0x10", 100);
	checkGOGC(" 50", 100);
	checkGOGC("1_000", 100);
	checkGOGC("+", 100);
	checkGOGC("-", 100);
	checkGOGC("--5", 100);
}

Test(GcPacer, ReadGOMEMLIMIT) {
	unsetenv("GOMEMLIMIT");
	cr_assert_eq(readGOMEMLIMIT(), INT64_MAX);
	setenv("GOMEMLIMIT", "", 1);
	cr_assert_eq(readGOMEMLIMIT(), INT64_MAX);
	setenv("GOMEMLIMIT", "off", 1);
	cr_assert_eq(readGOMEMLIMIT(), INT64_MAX);
	setenv("GOMEMLIMIT", "64MiB", 1);
	cr_assert_eq(readGOMEMLIMIT(), 64 << 20);
	setenv("GOMEMLIMIT", "123", 1);
	cr_assert_eq(readGOMEMLIMIT(), 123);
}

static gcControllerState c;

static void
newController(int32_t percent) {
	memset(&c, 0, sizeof c);
	c.test = true;
	gcControllerState_init(&c, percent, INT64_MAX);
}

// A cycle without scan work has an infinite cons/mark: the runway that Go's conversion on amd64
// makes of it is 1<<63, so that the trigger is the lowest possible.
Test(GcPacer, InfiniteConsMark) {
	newController(100);
	c.heapLive = 4 << 20;
	c.heapMarked = 2 << 20;
	c.triggered = 3 << 20;
	gcControllerState_endCycle(&c, 1000, 1, false);
	cr_assert(c.consMark > 1e300);
	c.lastHeapScan = 1;
	gcControllerState_commit(&c, true);
	cr_assert_eq(c.runway, UINT64_C(1) << 63);
	uint64_t goal, trigger = gcControllerState_trigger(&c, &goal);
	cr_assert_eq(goal, 4 << 20);
	cr_assert_eq(trigger, (2 << 20) / 64 * 45 + (2 << 20));
	// without anything to scan at all it is not a number
	c.lastHeapScan = 0;
	gcControllerState_commit(&c, true);
	cr_assert_eq(c.runway, UINT64_C(1) << 63);
}

// GOGC=off: no goal but that of the memory limit, and heapMinimum does not count.
Test(GcPacer, Off) {
	newController(-5);
	cr_assert_eq(c.gcPercent, -1);
	cr_assert_eq(c.gcPercentHeapGoal, UINT64_MAX);
	c.mappedReady = 10 << 20;
	cr_assert_eq(gcControllerState_setMemoryLimit(&c, 512 << 20), INT64_MAX);
	cr_assert_eq(gcControllerState_setMemoryLimit(&c, -1), 512 << 20);
	gcControllerState_commit(&c, true);
	uint64_t avail = (UINT64_C(512) << 20) - (10 << 20);
	cr_assert_eq(gcControllerState_heapGoal(&c), avail - avail / 100 * 3);
}

// Lowering the maximum below the number that run: they stop one by one, none starts.
Test(IdleMarkWorkerCount, LowerMax) {
	newController(100);
	gcControllerState_setMaxIdleMarkWorkers(&c, 3);
	for (int i = 0; i < 3; i++)
		cr_assert(gcControllerState_addIdleMarkWorker(&c));
	gcControllerState_setMaxIdleMarkWorkers(&c, 1);
	for (int i = 0; i < 2; i++) {
		cr_assert_not(gcControllerState_needIdleMarkWorker(&c));
		cr_assert_not(gcControllerState_addIdleMarkWorker(&c));
		gcControllerState_removeIdleMarkWorker(&c);
	}
	cr_assert_not(gcControllerState_addIdleMarkWorker(&c));
	gcControllerState_removeIdleMarkWorker(&c);
	cr_assert(gcControllerState_addIdleMarkWorker(&c));
}

// Changes of the stack size gather on the P up to maxStackScanSlack.
Test(GcPacer, AddScannableStack) {
	static P p CACHE_ALIGNED;
	newController(100);
	gcControllerState_addScannableStack(&c, &p, maxStackScanSlack - 1);
	cr_assert_eq(c.maxStackScan, 0);
	gcControllerState_addScannableStack(&c, &p, 1);
	cr_assert_eq(c.maxStackScan, maxStackScanSlack);
	cr_assert_eq(p.maxStackScanDelta, 0);
	gcControllerState_addScannableStack(&c, &p, -maxStackScanSlack);
	cr_assert_eq(c.maxStackScan, 0);
	gcControllerState_addScannableStack(&c, NULL, 5);
	cr_assert_eq(c.maxStackScan, 5);
}

// The number of dedicated workers and the share of the fractional ones for each GOMAXPROCS.
Test(GcPacer, Workers) {
	static const struct {
		int procs;
		int64_t dedicated;
		double fraction;
	} tests[] = {
		{1, 0, 0.25},
		{2, 0, 0.25},
		{3, 0, 0.25},
		{4, 1, 0},
		{5, 1, 0},
		{6, 1, 0.5 / 6},
		{7, 2, 0},
		{8, 2, 0},
		{64, 16, 0},
	};
	for (size_t i = 0; i < nelem(tests); i++) {
		newController(100);
		gcControllerState_startCycle(
			&c, 0, tests[i].procs, (gcTrigger){.kind = gcTriggerHeap});
		cr_assert_eq(c.dedicatedMarkWorkersNeeded, tests[i].dedicated, "procs=%d",
			tests[i].procs);
		cr_assert(c.fractionalUtilizationGoal == tests[i].fraction, "procs=%d",
			tests[i].procs);
		cr_assert_eq(
			c.idleMarkWorkers >> 32, (uint64_t)(tests[i].procs - tests[i].dedicated));
		// a periodic cycle: no more idle workers than are needed to get to the end
		gcControllerState_startCycle(
			&c, 0, tests[i].procs, (gcTrigger){.kind = gcTriggerTime});
		cr_assert_eq(c.idleMarkWorkers >> 32, tests[i].dedicated > 0 ? 0 : 1);
	}
}

// TestSetGCPercent of runtime/debug: the value, and the goal that follows it.
static void
setGCPercentTest(void) {
	int old = gort_set_gc_percent(123);
	int new = gort_set_gc_percent(old);
	CHECK(new == 123);

	// A live heap of 100 MB; with GOGC=100 the next goal is about twice that, with 50 about
	// half as much again.
	const size_t MB = 1 << 20;
	gort_set_gc_percent(100);
	char *volatile live = gort_alloc(100 * MB, GORT_NOSCAN);
	gort_gc();
	gort_memstats ms;
	gort_read_memstats(&ms);
	CHECK(ms.NextGC > 190 * MB && ms.NextGC < 220 * MB);
	gort_set_gc_percent(50);
	gort_read_memstats(&ms);
	CHECK(ms.NextGC > 140 * MB && ms.NextGC < 170 * MB);

	// Lowering it far enough starts a cycle with the next allocation.
	gort_set_gc_percent(300);
	uint32_t ngc1 = ms.NumGC;
	char *volatile more = gort_alloc(150 * MB, GORT_NOSCAN);
	gort_read_memstats(&ms);
	CHECK(ms.NumGC == ngc1);
	gort_set_gc_percent(10);
	for (int i = 0; i < 64; i++) {
		char *volatile p = gort_alloc(MB, GORT_NOSCAN);
		p[0] = 1;
	}
	gcWaitOnMark(atomic_Load(&work.cycles));
	gort_read_memstats(&ms);
	CHECK(ms.NumGC > ngc1);
	live[0] = more[0] = 1;
	CHECK(gort_set_gc_percent(-1) == 10);
	CHECK(gort_set_gc_percent(100) == -1);
}

Test(SetGCPercent, Goal) {
	RUN(setGCPercentTest);
}

static void
setMemoryLimitTest(void) {
	CHECK(gort_set_memory_limit(-1) == INT64_MAX);
	CHECK(gort_set_memory_limit(1 << 30) == INT64_MAX);
	CHECK(gort_set_memory_limit(-1) == 1 << 30);
	gort_set_gc_percent(-1);
	gort_gc();
	gort_memstats ms;
	gort_read_memstats(&ms);
	CHECK(ms.NextGC < 1 << 30 && ms.NextGC > 900 << 20);
	// Garbage of four times the limit: the cycles that the limit starts keep the heap below.
	uint32_t n = ms.NumGC;
	for (int i = 0; i < 4096; i++) {
		char *volatile p = gort_alloc(1 << 20, GORT_NOSCAN);
		p[0] = 1;
	}
	gort_read_memstats(&ms);
	CHECK(ms.NumGC > n);
	CHECK(ms.Sys - ms.HeapReleased < UINT64_C(1100) << 20);
	CHECK(gort_set_memory_limit(INT64_MAX) == 1 << 30);
	gort_set_gc_percent(100);
}

Test(SetMemoryLimit, Goal) {
	RUN(setMemoryLimitTest);
}
