// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The pacer.  Ports mgcpacer.go of Go 1.26.8.
//
// Two questions: at which heap size does a cycle start (trigger), and how much must an allocation
// mark while one runs (assistWorkPerByte)?  The goal follows from GOGC and the memory limit.  The
// trigger lies so far below it that background marking with 25 % of the CPU ends just when the heap
// reaches the goal: the distance, runway, is the expected scan work times cons/mark, the measured
// ratio of the rates of allocation and scanning.  revise corrects the assists as the cycle goes on.
//
// All arithmetic, the floating point included, gives the bits that Go's gives on amd64; the
// vectors compare them.  So float to integer conversions go through float64ToInt64 and
// float64ToUint64, which define what C leaves undefined, and the expressions keep Go's order.
//
// PORT: stacks count with the bytes in use, not with their slots (see callers of
// addScannableStack); the second scan of the globals is not in globalsScanWork.
#include "runtime/mgcpacer.h"

#include "runtime/lfstack.h"
#include "runtime/mgc.h"
#include "runtime/mgclimit.h"
#include "runtime/mgcscavenge.h"
#include "runtime/mgcsweep.h"
#include "runtime/mgcwork.h"
#include "runtime/mheap.h"
#include "runtime/runtime1.h"
#include "sched/proc.h"
#include "sched/traceruntime.h"

gcControllerState gcController;

// float64ToInt64 is Go's int64(x) on amd64: out of range and NaN give the least value.
static int64_t
float64ToInt64(double x) {
	if (!(x >= -9223372036854775808.0 && x < 9223372036854775808.0)) {
		return INT64_MIN;
	}
	return (int64_t)x;
}

// float64ToUint64 is Go's uint64(x) on amd64.
static uint64_t
float64ToUint64(double x) {
	if (x < 9223372036854775808.0) {
		return (uint64_t)float64ToInt64(x);
	}
	return (uint64_t)float64ToInt64(x - 9223372036854775808.0) | (UINT64_C(1) << 63);
}

// init starts the pacer; schedinit.
void
gcControllerState_init(gcControllerState *c, int32_t gcPercent, int64_t memoryLimit) {
	c->heapMinimum = defaultHeapMinimum;
	c->triggered = ~UINT64_C(0);
	gcControllerState_setGCPercent(c, gcPercent);
	gcControllerState_setMemoryLimit(c, memoryLimit);
	gcControllerState_commit(c, true); // nothing to sweep in the first cycle
}

// startCycle prepares for a cycle that starts now.  worldsema must be held, the world stopped.
void
gcControllerState_startCycle(
	gcControllerState *c, int64_t markStartTime, int procs, gcTrigger trigger) {
	atomic_Store(&c->heapScanWork, 0);
	atomic_Store(&c->stackScanWork, 0);
	atomic_Store(&c->globalsScanWork, 0);
	atomic_Store(&c->bgScanCredit, 0);
	atomic_Store(&c->assistTime, 0);
	atomic_Store(&c->dedicatedMarkTime, 0);
	atomic_Store(&c->fractionalMarkTime, 0);
	atomic_Store(&c->idleMarkTime, 0);
	c->markStartTime = markStartTime;
	c->triggered = atomic_Load(&c->heapLive);

	// As many dedicated workers as come closest to 25 %.  Where that is more than 30 % off the
	// goal (up to 3 Ps, and 6), go below it and fill up with fractional workers.
	double totalUtilizationGoal = (double)procs * gcBackgroundUtilization;
	int64_t dedicatedMarkWorkersNeeded = float64ToInt64(totalUtilizationGoal + 0.5);
	double utilError = (double)dedicatedMarkWorkersNeeded / totalUtilizationGoal - 1;
	const double maxUtilError = 0.3;
	if (utilError < -maxUtilError || utilError > maxUtilError) {
		if ((double)dedicatedMarkWorkersNeeded > totalUtilizationGoal) {
			dedicatedMarkWorkersNeeded--;
		}
		c->fractionalUtilizationGoal =
			(totalUtilizationGoal - (double)dedicatedMarkWorkersNeeded) / (double)procs;
	} else {
		c->fractionalUtilizationGoal = 0;
	}

	// With user goroutines held back there is nothing but dedicated workers to run.
	if (debug.gcstoptheworld > 0) {
		dedicatedMarkWorkersNeeded = procs;
		c->fractionalUtilizationGoal = 0;
	}

	for (int32_t i = 0; i < nallp; i++) {
		P *pp = allp[i];
		pp->gcAssistTime = 0;
		atomic_Store(&pp->gcFractionalMarkTime, 0);
	}

	if (trigger.kind == gcTriggerTime) {
		// The program is idle: do not wake all cores for a periodic cycle.  But one worker
		// must be sure to run.
		gcControllerState_setMaxIdleMarkWorkers(c, dedicatedMarkWorkersNeeded > 0 ? 0 : 1);
	} else {
		gcControllerState_setMaxIdleMarkWorkers(
			c, (int32_t)procs - (int32_t)dedicatedMarkWorkersNeeded);
	}

	atomic_Store(&c->dedicatedMarkWorkersNeeded, dedicatedMarkWorkersNeeded);
	gcControllerState_revise(c);

	if (debug.gcpacertrace > 0) {
		uint64_t heapGoal = gcControllerState_heapGoal(c);
		double assistRatio = atomic_LoadFloat64(&c->assistWorkPerByte);
		printlock();
		print("pacer: assist ratio=");
		printfloat(assistRatio);
		print(" (scan %lu MB in %lu->%lu MB) workers=%ld+",
			atomic_Load(&gcController.heapScan) >> 20, work.initialHeapLive >> 20,
			heapGoal >> 20, dedicatedMarkWorkersNeeded);
		printfloat(c->fractionalUtilizationGoal);
		print("\n");
		printunlock();
	}
}

// revise computes the assist ratios from what is known now.  Called when heapLive or heapScan grow
// and when the goal changes, while gcBlackenEnabled.  Concurrent calls may leave a stale or mixed
// pair of ratios, which the next call mends: they move slowly and are a heuristic.
void
gcControllerState_revise(gcControllerState *c) {
	int32_t gcPercent = atomic_Load(&c->gcPercent);
	if (gcPercent < 0) {
		gcPercent = 100000; // a forced cycle with GOGC=off
	}
	uint64_t live = atomic_Load(&c->heapLive);
	uint64_t scan = atomic_Load(&c->heapScan);
	int64_t done = atomic_Load(&c->heapScanWork) + atomic_Load(&c->stackScanWork) +
		       atomic_Load(&c->globalsScanWork);

	int64_t heapGoal = (int64_t)gcControllerState_heapGoal(c);

	// In a steady state this cycle scans what the last one did.
	int64_t scanWorkExpected = (int64_t)(c->lastHeapScan + atomic_Load(&c->lastStackScan) +
					     atomic_Load(&c->globalsScan));

	// At worst it scans everything.
	uint64_t maxStackScan = atomic_Load(&c->maxStackScan);
	int64_t maxScanWork = (int64_t)(scan + maxStackScan + atomic_Load(&c->globalsScan));
	if (done > scanWorkExpected) {
		// The heap has grown.  Keep the ratio and move the goal instead, in proportion to the
		// worst case, but not beyond what the next cycle will be given anyway.
		int64_t extHeapGoal =
			float64ToInt64((double)(heapGoal - (int64_t)c->triggered) /
				       (double)scanWorkExpected * (double)maxScanWork) +
			(int64_t)c->triggered;
		scanWorkExpected = maxScanWork;

		int64_t hardGoal =
			float64ToInt64((1.0 + (double)gcPercent / 100.0) * (double)heapGoal);
		if (extHeapGoal > hardGoal) {
			extHeapGoal = hardGoal;
		}
		heapGoal = extHeapGoal;
	}
	if ((int64_t)live > heapGoal) {
		// Beyond even that: a last stretch of 10 % in which to end.
		const double maxOvershoot = 1.1;
		heapGoal = float64ToInt64((double)heapGoal * maxOvershoot);
		scanWorkExpected = maxScanWork;
	}

	// Objects that are scanned twice can make this negative; never ask for next to nothing.
	int64_t scanWorkRemaining = scanWorkExpected - done;
	if (scanWorkRemaining < 1000) {
		scanWorkRemaining = 1000;
	}
	int64_t heapRemaining = heapGoal - (int64_t)live;
	if (heapRemaining <= 0) {
		heapRemaining = 1;
	}

	double assistWorkPerByte = (double)scanWorkRemaining / (double)heapRemaining;
	double assistBytesPerWork = (double)heapRemaining / (double)scanWorkRemaining;
	atomic_StoreFloat64(&c->assistWorkPerByte, assistWorkPerByte);
	atomic_StoreFloat64(&c->assistBytesPerWork, assistBytesPerWork);
}

// endCycle measures cons/mark.  The world is stopped.
void
gcControllerState_endCycle(gcControllerState *c, int64_t now, int procs, bool userForced) {
	// For the scavenger; the goal is about to change.
	gcController.lastHeapGoal = gcControllerState_heapGoal(c);

	int64_t assistDuration = now - c->markStartTime;

	// Background marking is taken to have used its share.
	double utilization = gcBackgroundUtilization;
	if (assistDuration > 0) {
		utilization += (double)atomic_Load(&c->assistTime) /
			       (double)(assistDuration * (int64_t)procs);
	}

	if (atomic_Load(&c->heapLive) <= c->triggered) {
		return; // nothing was allocated, so there is nothing to learn
	}
	double idleUtilization = 0.0;
	if (assistDuration > 0) {
		idleUtilization = (double)atomic_Load(&c->idleMarkTime) /
				  (double)(assistDuration * (int64_t)procs);
	}
	// Both rates are bytes per CPU time.  The mutator had what marking and assists left, idle
	// marking not counted, for it could have had that; the marker had its share and the idle
	// time.  Duration and procs cancel out.
	int64_t scanWork = atomic_Load(&c->heapScanWork) + atomic_Load(&c->stackScanWork) +
			   atomic_Load(&c->globalsScanWork);
	double currentConsMark = ((double)(atomic_Load(&c->heapLive) - c->triggered) *
					 (utilization + idleUtilization)) /
				 ((double)scanWork * (1 - utilization));

	// The largest of this and the last four: starting too early costs cycles, starting too late
	// costs assists, which are worse.
	double oldConsMark = c->consMark;
	c->consMark = currentConsMark;
	for (size_t i = 0; i < nelem(c->lastConsMark); i++) {
		if (c->lastConsMark[i] > c->consMark) {
			c->consMark = c->lastConsMark[i];
		}
	}
	for (size_t i = 1; i < nelem(c->lastConsMark); i++) {
		c->lastConsMark[i - 1] = c->lastConsMark[i];
	}
	c->lastConsMark[nelem(c->lastConsMark) - 1] = currentConsMark;

	if (debug.gcpacertrace > 0) {
		printlock();
		double goal = gcGoalUtilization * 100;
		print("pacer: %ld%% CPU (%ld exp.) for ", float64ToInt64(utilization * 100),
			float64ToInt64(goal));
		print("%ld+%ld+%ld B work (%lu B exp.) ", atomic_Load(&c->heapScanWork),
			atomic_Load(&c->stackScanWork), atomic_Load(&c->globalsScanWork),
			c->lastHeapScan + atomic_Load(&c->lastStackScan) +
				atomic_Load(&c->globalsScan));
		uint64_t live = atomic_Load(&c->heapLive);
		print("in %lu B -> %lu B (\xe2\x88\x86"
		      "goal %ld, cons/mark ",
			c->triggered, live, (int64_t)live - (int64_t)c->lastHeapGoal);
		printfloat(oldConsMark);
		print(")\n");
		printunlock();
	}
}

// enlistWorker gets another worker to run, because work has become available: it wakes an idle P,
// or preempts a running one if a dedicated worker is missing.
void
gcControllerState_enlistWorker(gcControllerState *c) {
	bool needDedicated = atomic_Load(&c->dedicatedMarkWorkersNeeded) > 0;
	bool needIdle = gcControllerState_needIdleMarkWorker(c);
	if (!needDedicated && !needIdle) {
		return;
	}
	if (atomic_Load(&sched.npidle) != 0 && atomic_Load(&sched.nmspinning) == 0) {
		wakep(); // findRunnable prefers a dedicated worker to an idle one
		return;
	}

	if (!needDedicated) {
		return;
	}
	if (gomaxprocs <= 1) {
		return;
	}
	G *gp = getg();
	if (gp == NULL || gp->m == NULL || gp->m->p == NULL) {
		return;
	}
	int32_t myID = gp->m->p->id;
	for (int tries = 0; tries < 5; tries++) {
		int32_t id = (int32_t)cheaprandn((uint32_t)(gomaxprocs - 1));
		if (id >= myID) {
			id++;
		}
		P *pp = allp[id];
		if (atomic_Load(&pp->status) != _Prunning) {
			continue;
		}
		if (preemptone(pp)) {
			return;
		}
	}
}

// decIfPositive takes one from *val unless it is used up.
static bool
decIfPositive(int64_t *val) {
	for (;;) {
		int64_t v = atomic_Load(val);
		if (v <= 0) {
			return false;
		}
		if (atomic_Cas(val, v, v - 1)) {
			return true;
		}
	}
}

// assignWaitingGCWorker takes a worker from the pool for pp, if one should run there, and leaves it
// in pp->nextGCMarkWorker, still _Gwaiting.  On true, pp must run it or call
// releaseNextGCMarkWorker.  Only while gcBlackenEnabled.
bool
gcControllerState_assignWaitingGCWorker(gcControllerState *c, P *pp, int64_t now, int64_t *nowp) {
	if (atomic_Load(&gcBlackenEnabled) == 0) {
		throw("gcControllerState.findRunnable: blackening not enabled");
	}

	if (now == 0) {
		now = nanotime();
	}
	*nowp = now;

	if (!gcShouldScheduleWorker(pp)) {
		// The end of marking, with assists still at it: the worker would return at once.
		return false;
	}

	if (atomic_Load(&c->dedicatedMarkWorkersNeeded) <= 0 && c->fractionalUtilizationGoal == 0) {
		return false; // spare the others the contention on the pool
	}

	gcBgMarkWorkerNode *node = (gcBgMarkWorkerNode *)lfstack_pop(&gcBgMarkWorkerPool);
	if (node == NULL) {
		// There are as many workers as Ps, but one that is in gcMarkDone may block without
		// going to the pool.  It depends on no other worker, so its P can do without.
		return false;
	}

	if (decIfPositive(&c->dedicatedMarkWorkersNeeded)) {
		pp->gcMarkWorkerMode = gcMarkWorkerDedicatedMode;
	} else if (c->fractionalUtilizationGoal == 0) {
		lfstack_push(&gcBgMarkWorkerPool, &node->node);
		return false;
	} else {
		// Is this P behind?  The same condition as in pollFractionalWorkerExit.
		int64_t delta = now - c->markStartTime;
		if (delta > 0 && (double)atomic_Load(&pp->gcFractionalMarkTime) / (double)delta >
					 c->fractionalUtilizationGoal) {
			lfstack_push(&gcBgMarkWorkerPool, &node->node);
			return false;
		}
		pp->gcMarkWorkerMode = gcMarkWorkerFractionalMode;
	}

	pp->nextGCMarkWorker = node;
	return true;
}

// findRunnableGCWorker returns a worker, made runnable, that pp must run, or NULL.  Only while
// gcBlackenEnabled.
G *
gcControllerState_findRunnableGCWorker(gcControllerState *c, P *pp, int64_t now, int64_t *nowp) {
	if (now == 0) {
		now = nanotime();
	}
	*nowp = now;
	// A limiter that nobody updates may stay on for longer than it should.
	if (gcCPULimiterState_needUpdate(&gcCPULimiter, now)) {
		gcCPULimiterState_update(&gcCPULimiter, now);
	}

	// procresize may have assigned one.
	if (pp->nextGCMarkWorker == NULL) {
		if (!gcControllerState_assignWaitingGCWorker(c, pp, now, nowp)) {
			return NULL;
		}
	}

	gcBgMarkWorkerNode *node = pp->nextGCMarkWorker;
	pp->nextGCMarkWorker = NULL;

	G *gp = node->gp;
	traceLocker tl = traceAcquire();
	casgstatus(gp, _Gwaiting, _Grunnable);
	if (traceLocker_ok(tl)) {
		traceLocker_GoUnpark(tl, gp, 0);
		traceRelease(tl);
	}
	return gp;
}

// releaseNextGCMarkWorker gives back the worker that pp was assigned but has not run, if any.
void
gcControllerState_releaseNextGCMarkWorker(gcControllerState *c, P *pp) {
	gcBgMarkWorkerNode *node = pp->nextGCMarkWorker;
	if (node == NULL) {
		return;
	}
	gcControllerState_markWorkerStop(c, pp->gcMarkWorkerMode, 0);
	lfstack_push(&gcBgMarkWorkerPool, &node->node);
	pp->nextGCMarkWorker = NULL;
}

// resetLive takes the result of a mark phase.  After endCycle, before commit, with the world
// stopped.
void
gcControllerState_resetLive(gcControllerState *c, uint64_t bytesMarked) {
	c->heapMarked = bytesMarked;
	atomic_Store(&c->heapLive, bytesMarked);
	atomic_Store(&c->heapScan, (uint64_t)atomic_Load(&c->heapScanWork));
	c->lastHeapScan = (uint64_t)atomic_Load(&c->heapScanWork);
	atomic_Store(&c->lastStackScan, (uint64_t)atomic_Load(&c->stackScanWork));
	c->triggered = ~UINT64_C(0);

	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_HeapAlloc(tl, bytesMarked);
		traceRelease(tl);
	}
}

// markWorkerStop accounts for a worker that ran for duration ns and stops.
void
gcControllerState_markWorkerStop(gcControllerState *c, gcMarkWorkerMode mode, int64_t duration) {
	switch (mode) {
	case gcMarkWorkerDedicatedMode:
		atomic_Xadd(&c->dedicatedMarkTime, duration);
		atomic_Xadd(&c->dedicatedMarkWorkersNeeded, 1);
		break;
	case gcMarkWorkerFractionalMode:
		atomic_Xadd(&c->fractionalMarkTime, duration);
		break;
	case gcMarkWorkerIdleMode:
		atomic_Xadd(&c->idleMarkTime, duration);
		gcControllerState_removeIdleMarkWorker(c);
		break;
	default:
		throw("markWorkerStop: unknown mark worker mode");
	}
}

// update adds to heapLive and heapScan.
void
gcControllerState_update(gcControllerState *c, int64_t dHeapLive, int64_t dHeapScan) {
	if (dHeapLive != 0) {
		traceLocker tl = traceAcquire();
		uint64_t live = atomic_Xadd(&gcController.heapLive, (uint64_t)dHeapLive);
		if (traceLocker_ok(tl)) {
			traceLocker_HeapAlloc(tl, live);
			traceRelease(tl);
		}
	}
	if (atomic_Load(&gcBlackenEnabled) == 0) {
		// heapScan is fixed while a cycle runs.
		if (dHeapScan != 0) {
			atomic_Xadd(&gcController.heapScan, (uint64_t)dHeapScan);
		}
	} else {
		gcControllerState_revise(c);
	}
}

// addScannableStack adds to maxStackScan, by way of pp unless that is NULL.
void
gcControllerState_addScannableStack(gcControllerState *c, P *pp, int64_t amount) {
	if (pp == NULL) {
		atomic_Xadd(&c->maxStackScan, (uint64_t)amount);
		return;
	}
	pp->maxStackScanDelta += amount;
	if (pp->maxStackScanDelta >= maxStackScanSlack ||
		pp->maxStackScanDelta <= -maxStackScanSlack) {
		atomic_Xadd(&c->maxStackScan, (uint64_t)pp->maxStackScanDelta);
		pp->maxStackScanDelta = 0;
	}
}

// addGlobals adds to globalsScan.
void
gcControllerState_addGlobals(gcControllerState *c, int64_t amount) {
	atomic_Xadd(&c->globalsScan, (uint64_t)amount);
}

// heapGoal is the current goal.
uint64_t
gcControllerState_heapGoal(gcControllerState *c) {
	uint64_t minTrigger;
	return gcControllerState_heapGoalInternal(c, &minTrigger);
}

// heapGoalInternal is the current goal; *minTrigger, at most the goal, is a lower bound of the
// trigger.
uint64_t
gcControllerState_heapGoalInternal(gcControllerState *c, uint64_t *minTrigger) {
	uint64_t goal = atomic_Load(&c->gcPercentHeapGoal);
	*minTrigger = 0;

	uint64_t newGoal = gcControllerState_memoryLimitHeapGoal(c);
	if (newGoal < goal) {
		// Under the limit's rule nothing may push the goal up again.
		goal = newGoal;
	} else {
		uint64_t sweepDistTrigger = atomic_Load(&c->sweepDistMinTrigger);
		if (sweepDistTrigger > goal) {
			goal = sweepDistTrigger;
		}
		*minTrigger = sweepDistTrigger;

		// A cycle may have started late, by a large allocation or a delay: keep some distance
		// for the assists, which would be asked for everything at once.
		const uint64_t minRunway = 64 << 10;
		if (c->triggered != ~UINT64_C(0) && goal < c->triggered + minRunway) {
			goal = c->triggered + minRunway;
		}
	}
	return goal;
}

// memoryLimitHeapGoal is the goal that the memory limit allows: the limit without what is mapped
// but can hold no objects, without what the limit is exceeded by already, and with some headroom.
// Free pages of the heap do not count against it: the scavenger and the allocator see to them.
uint64_t
gcControllerState_memoryLimitHeapGoal(gcControllerState *c) {
	uint64_t heapFree, heapAlloc, mappedReady;
	for (;;) {
		heapFree = sysMemStat_load(&c->heapFree);
		heapAlloc = atomic_Load(&c->totalAlloc) - atomic_Load(&c->totalFree);
		mappedReady = atomic_Load(&c->mappedReady);
		if (heapFree + heapAlloc <= mappedReady) {
			break;
		}
		// An update was seen by half: look again.
	}

	uint64_t memoryLimit = (uint64_t)atomic_Load(&c->memoryLimit);

	uint64_t nonHeapMemory = mappedReady - heapFree - heapAlloc;

	uint64_t overage = 0;
	if (mappedReady > memoryLimit) {
		overage = mappedReady - memoryLimit;
	}

	if (nonHeapMemory + overage >= memoryLimit) {
		// The limit cannot be kept.  Collect all the time; the CPU limiter bounds that.
		return c->heapMarked;
	}

	uint64_t goal = memoryLimit - (nonHeapMemory + overage);

	// Small heaps are harder to pace, so the headroom has a minimum.
	uint64_t headroom = goal / 100 * memoryLimitHeapGoalHeadroomPercent;
	if (headroom < memoryLimitMinHeapGoalHeadroom) {
		headroom = memoryLimitMinHeapGoalHeadroom;
	}
	if (goal < headroom || goal - headroom < headroom) {
		goal = headroom;
	} else {
		goal = goal - headroom;
	}
	if (goal < c->heapMarked) {
		goal = c->heapMarked;
	}
	return goal;
}

// trigger is the heapLive at which a cycle starts; *goalp is the goal.
uint64_t
gcControllerState_trigger(gcControllerState *c, uint64_t *goalp) {
	uint64_t minTrigger;
	uint64_t goal = gcControllerState_heapGoalInternal(c, &minTrigger);
	*goalp = goal;

	// Always below the goal.  The memory limit bounds the goal, but the live heap may exceed it.
	if (c->heapMarked >= goal) {
		return goal;
	}

	if (minTrigger < c->heapMarked) {
		minTrigger = c->heapMarked;
	}

	// A trigger that is too low has the program allocate black most of the time: CPU is cheaper
	// than the memory which that retains, so assist rather.
	uint64_t triggerLowerBound =
		((goal - c->heapMarked) / triggerRatioDen) * minTriggerRatioNum + c->heapMarked;
	if (minTrigger < triggerLowerBound) {
		minTrigger = triggerLowerBound;
	}

	// Leave 5 % of the way, or in a large heap the minimum heap size, to finish in.
	uint64_t maxTrigger =
		((goal - c->heapMarked) / triggerRatioDen) * maxTriggerRatioNum + c->heapMarked;
	if (goal > defaultHeapMinimum && goal - defaultHeapMinimum > maxTrigger) {
		maxTrigger = goal - defaultHeapMinimum;
	}
	maxTrigger = max(maxTrigger, minTrigger);

	uint64_t trigger;
	uint64_t runway = atomic_Load(&c->runway);
	if (runway > goal) {
		trigger = minTrigger;
	} else {
		trigger = goal - runway;
	}
	trigger = max(trigger, minTrigger);
	trigger = min(trigger, maxTrigger);
	if (trigger > goal) {
		print("trigger=%lu heapGoal=%lu\n", trigger, goal);
		print("minTrigger=%lu maxTrigger=%lu\n", minTrigger, maxTrigger);
		throw("produced a trigger greater than the heap goal");
	}
	return trigger;
}

// commit recomputes what trigger and goal are made of: at the end of a cycle and when a parameter
// changes, also in the middle of one (revise follows then).  isSweepDone is isSweepDone(), unless
// under test.  mheap_.lock must be held or the world stopped.
void
gcControllerState_commit(gcControllerState *c, bool sweepDone) {
	if (!c->test) {
		assertWorldStoppedOrLockHeld(&mheap_.lock);
	}

	if (sweepDone) {
		atomic_Store(&c->sweepDistMinTrigger, 0);
	} else {
		// Sweeping goes on while the heap grows from here to the trigger.
		atomic_Store(
			&c->sweepDistMinTrigger, atomic_Load(&c->heapLive) + sweepMinHeapDistance);
	}

	// GOGC percent of the marked heap and of the other roots on top of the marked heap.
	uint64_t gcPercentHeapGoal = ~UINT64_C(0);
	int32_t gcPercent = atomic_Load(&c->gcPercent);
	if (gcPercent >= 0) {
		gcPercentHeapGoal =
			c->heapMarked + (c->heapMarked + atomic_Load(&c->lastStackScan) +
						atomic_Load(&c->globalsScan)) *
						(uint64_t)gcPercent / 100;
	}
	if (gcPercentHeapGoal < c->heapMinimum) {
		gcPercentHeapGoal = c->heapMinimum;
	}
	atomic_Store(&c->gcPercentHeapGoal, gcPercentHeapGoal);

	// Expected scan work times cons/mark, weighed by the shares of the CPU that the two are to
	// have, is what the program allocates meanwhile.
	double runway = (c->consMark * (1 - gcGoalUtilization) / (gcGoalUtilization)) *
			(double)(c->lastHeapScan + atomic_Load(&c->lastStackScan) +
				 atomic_Load(&c->globalsScan));
	atomic_Store(&c->runway, float64ToUint64(runway));
}

// setGCPercent sets GOGC and returns the old value; commit follows.
// mheap_.lock must be held or the world stopped.
int32_t
gcControllerState_setGCPercent(gcControllerState *c, int32_t in) {
	if (!c->test) {
		assertWorldStoppedOrLockHeld(&mheap_.lock);
	}

	int32_t out = atomic_Load(&c->gcPercent);
	if (in < 0) {
		in = -1;
	}
	// With -1 this is meaningless and very large; the goal is UINT64_MAX then anyway.
	c->heapMinimum = (uint64_t)defaultHeapMinimum * (uint64_t)(int64_t)in / 100;
	atomic_Store(&c->gcPercent, in);

	return out;
}

struct setGCPercent_args {
	int32_t in;
	int32_t out;
};

// setGCPercent_1 is setGCPercent on g0, which the heap lock asks for.
static void
setGCPercent_1(void *arg) {
	struct setGCPercent_args *a = arg;
	lock(&mheap_.lock);
	a->out = gcControllerState_setGCPercent(&gcController, a->in);
	gcControllerCommit();
	unlock(&mheap_.lock);
}

// setGCPercent is debug.SetGCPercent.  When it turns the GC off it returns after marking has ended.
int32_t
setGCPercent(int32_t in) {
	struct setGCPercent_args a = {in, 0};
	systemstack(setGCPercent_1, &a);
	if (in < 0) {
		gcWaitOnMark(atomic_Load(&work.cycles));
	}
	return a.out;
}

// parseGOGC is strconv.ParseInt(p, 10, 32).
static bool
parseGOGC(const char *p, int32_t *n) {
	bool neg = *p == '-';
	if (*p == '-' || *p == '+') {
		p++;
	}
	if (*p == 0) {
		return false;
	}
	int64_t v = 0;
	for (; *p != 0; p++) {
		if (*p < '0' || *p > '9') {
			return false;
		}
		v = v * 10 + (*p - '0');
		if (v > (int64_t)INT32_MAX + 1) {
			return false;
		}
	}
	if (neg) {
		v = -v;
	}
	if (v > INT32_MAX) {
		return false;
	}
	*n = (int32_t)v;
	return true;
}

// readGOGC is GOGC from the environment.
int32_t
readGOGC(void) {
	const char *p = gogetenv("GOGC");
	if (p == NULL) {
		return 100;
	}
	if (strcmp(p, "off") == 0) {
		return -1;
	}
	int32_t n;
	if (parseGOGC(p, &n)) {
		return n;
	}
	return 100;
}

// setMemoryLimit sets the limit unless in is negative, and returns the old one; commit follows.
// mheap_.lock must be held or the world stopped.
int64_t
gcControllerState_setMemoryLimit(gcControllerState *c, int64_t in) {
	if (!c->test) {
		assertWorldStoppedOrLockHeld(&mheap_.lock);
	}

	int64_t out = atomic_Load(&c->memoryLimit);
	if (in >= 0) {
		atomic_Store(&c->memoryLimit, in);
	}
	return out;
}

struct setMemoryLimit_args {
	int64_t in;
	int64_t out;
};

// setMemoryLimit_1 is setMemoryLimit on g0.
static void
setMemoryLimit_1(void *arg) {
	struct setMemoryLimit_args *a = arg;
	lock(&mheap_.lock);
	a->out = gcControllerState_setMemoryLimit(&gcController, a->in);
	if (a->in >= 0 && a->out != a->in) {
		gcControllerCommit();
	}
	unlock(&mheap_.lock);
}

// setMemoryLimit is debug.SetMemoryLimit.
int64_t
setMemoryLimit(int64_t in) {
	struct setMemoryLimit_args a = {in, 0};
	systemstack(setMemoryLimit_1, &a);
	return a.out;
}

// readGOMEMLIMIT is GOMEMLIMIT from the environment.
int64_t
readGOMEMLIMIT(void) {
	const char *p = gogetenv("GOMEMLIMIT");
	if (p == NULL || *p == 0 || strcmp(p, "off") == 0) {
		return INT64_MAX;
	}
	bool ok;
	int64_t n = parseByteCount(p, &ok);
	if (!ok) {
		print("GOMEMLIMIT=%s\n", p);
		throw("malformed GOMEMLIMIT; see `go doc runtime/debug.SetMemoryLimit`");
	}
	return n;
}

// idleMarkWorkersN and idleMarkWorkersMax take idleMarkWorkers apart.
static int32_t
idleMarkWorkersN(uint64_t v) {
	return (int32_t)(uint32_t)v;
}

static int32_t
idleMarkWorkersMax(uint64_t v) {
	return (int32_t)(v >> 32);
}

// packIdleMarkWorkers puts them together.
static uint64_t
packIdleMarkWorkers(int32_t n, int32_t maxn) {
	return (uint64_t)(uint32_t)n | ((uint64_t)(uint32_t)maxn << 32);
}

// addIdleMarkWorker asks to be an idle worker.  On true the caller must become one, unless the pool
// is empty; on false it must not.
bool
gcControllerState_addIdleMarkWorker(gcControllerState *c) {
	for (;;) {
		uint64_t old = atomic_Load(&c->idleMarkWorkers);
		int32_t n = idleMarkWorkersN(old), maxn = idleMarkWorkersMax(old);
		if (n >= maxn) {
			// More than max: it was lowered while they ran.
			return false;
		}
		if (n < 0) {
			print("n=%d max=%d\n", n, maxn);
			throw("negative idle mark workers");
		}
		if (atomic_Cas(&c->idleMarkWorkers, old, packIdleMarkWorkers(n + 1, maxn))) {
			return true;
		}
	}
}

// needIdleMarkWorker is a hint whether addIdleMarkWorker would succeed.
bool
gcControllerState_needIdleMarkWorker(gcControllerState *c) {
	uint64_t v = atomic_Load(&c->idleMarkWorkers);
	return idleMarkWorkersN(v) < idleMarkWorkersMax(v);
}

// removeIdleMarkWorker says that an idle worker stops.
void
gcControllerState_removeIdleMarkWorker(gcControllerState *c) {
	for (;;) {
		uint64_t old = atomic_Load(&c->idleMarkWorkers);
		int32_t n = idleMarkWorkersN(old), maxn = idleMarkWorkersMax(old);
		if (n - 1 < 0) {
			print("n=%d max=%d\n", n, maxn);
			throw("negative idle mark workers");
		}
		if (atomic_Cas(&c->idleMarkWorkers, old, packIdleMarkWorkers(n - 1, maxn))) {
			return;
		}
	}
}

// setMaxIdleMarkWorkers sets how many idle workers may run.  Those that are too many stop by
// themselves.
void
gcControllerState_setMaxIdleMarkWorkers(gcControllerState *c, int32_t maxn) {
	for (;;) {
		uint64_t old = atomic_Load(&c->idleMarkWorkers);
		int32_t n = idleMarkWorkersN(old);
		if (n < 0) {
			print("n=%d max=%d\n", n, maxn);
			throw("negative idle mark workers");
		}
		if (atomic_Cas(&c->idleMarkWorkers, old, packIdleMarkWorkers(n, maxn))) {
			return;
		}
	}
}

// gcControllerCommit commits gcController and passes the result on to sweeper and scavenger.
// On g0; mheap_.lock must be held or the world stopped.
void
gcControllerCommit(void) {
	assertWorldStoppedOrLockHeld(&mheap_.lock);

	gcControllerState_commit(&gcController, isSweepDone());

	if (atomic_Load(&gcphase) != _GCoff) {
		gcControllerState_revise(&gcController);
	}

	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_HeapGoal(tl);
		traceRelease(tl);
	}

	uint64_t heapGoal;
	uint64_t trigger = gcControllerState_trigger(&gcController, &heapGoal);
	gcPaceSweeper(trigger);
	gcPaceScavenger(
		atomic_Load(&gcController.memoryLimit), heapGoal, gcController.lastHeapGoal);
}
