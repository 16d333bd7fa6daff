// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// GC control, first part: initialisation, triggers, the start of a cycle and the decision that
// marking is done.  The second part is mgc_term.c.  Ports mgc.go of Go 1.26.8.
//
// A cycle:
//
//	gcStart            finish the last sweep; stop the world; barrier on, assists on, root jobs
//	                   laid out (_GCmark); start the world
//	mark               workers, which the scheduler runs, and assists do root jobs and drain grey
//	                   objects.  Deletion and insertion barrier: what was reachable when the
//	                   cycle began, or became so since, gets marked.  New objects are black.
//	gcMarkDone         no work is left anywhere: flush every P's buffers one after the other (ragged
//	                   barrier); if that brought up nothing, stop the world
//	gcMarkTermination  check, barrier off (_GCoff), spans of the new sweepgen are unswept, pacer,
//	                   statistics; start the world
//	sweep              by bgsweep, by who allocates spans, and in proportion to allocation
//
// The transitions off -> mark and mark -> termination are made by whoever finds the condition true;
// work.startSema and work.markDoneSema let one at a time check it again and act.  Above them,
// gcsema keeps cycles apart from each other, worldsema keeps the world from being stopped by two.
//
// PORT: the globals are a conservative root that C code may store to without the barrier.  So they
// are scanned again when marking seems done and the world stands; what that greys is marked
// concurrently, after a restart like that of Go's issue 27993.  No goroutine leak detection, weak
// pointers, finalizers, tracer or heap profile here yet.
#include "runtime/mgc.h"

#include "runtime/mcache.h"
#include "runtime/mem.h"
#include "runtime/mgclimit.h"
#include "runtime/mgcmark.h"
#include "runtime/mgcscavenge.h"
#include "runtime/mgcsweep.h"
#include "runtime/mgcwork.h"
#include "runtime/mprof.h"
#include "runtime/mroots.h"
#include "runtime/mwbbuf.h"
#include "runtime/panic.h"
#include "runtime/runtime1.h"
#include "sched/proc.h"
#include "sched/sema.h"
#include "sched/traceruntime.h"

_Static_assert(sizeof(workbuf) == _WorkbufSize, "size of a workbuf");

// gcinit initialises the collector.  schedinit calls it before any allocation from the heap.
void
gcinit(void) {
	// The first cycle has nothing to sweep.
	atomic_Store(&sweep.active.state, sweepDrainedMask);

	gcControllerState_init(&gcController, readGOGC(), readGOMEMLIMIT());

	work.startSema = 1;
	work.markDoneSema = 1;
	lockInit(&work.sweepWaiters.lock, lockRankSweepWaiters);
	lockInit(&work.assistQueue.lock, lockRankAssistQueue);
	lockInit(&work.wbufSpans.lock, lockRankWbufSpans);
}

// gcenable starts the background sweeper and scavenger and allows cycles.  The main goroutine calls it before
// the program's code.
void
gcenable(void) {
	static uint32_t ready;
	newproc(bgsweep, &ready);
	newproc(bgscavenge, &ready);
	semacquire(&ready);
	semacquire(&ready);
	atomic_Store(&memstats.enablegc, true);
}

uint32_t gcphase;
uint32_t gort_writeBarrier;
uint32_t gcBlackenEnabled;

// setGCPhase changes the phase and the barrier with it.  The world is stopped.
void
setGCPhase(uint32_t x) {
	atomic_Store(&gcphase, x);
	atomic_Store(&gort_writeBarrier, x == _GCmark || x == _GCmarktermination);
}

const char *const gcMarkWorkerModeStrings[4] = {
	"Not worker",
	"GC (dedicated)",
	"GC (fractional)",
	"GC (idle)",
};

// pollFractionalWorkerExit reports whether the fractional worker that calls it has had its share.
bool
pollFractionalWorkerExit(void) {
	// The counterpart of the condition in assignWaitingGCWorker.
	int64_t now = nanotime();
	int64_t delta = now - gcController.markStartTime;
	if (delta <= 0) {
		return true;
	}
	P *pp = getg()->m->p;
	int64_t selfTime =
		atomic_Load(&pp->gcFractionalMarkTime) + (now - pp->gcMarkWorkerStartTime);
	// A little more than the goal, so that it is not due again at once.
	return (double)selfTime / (double)delta > 1.2 * gcController.fractionalUtilizationGoal;
}

workType work;

lfstack gcBgMarkWorkerPool;
int32_t gcBgMarkWorkerCount;

// GC is runtime.GC: it ends the cycle that is going on, runs a whole one and helps to sweep it.
// Other cycles may start at any time in between, hence all the comparisons.
void
GC(void) {
	// End of marking of cycle n, if that is going on.
	uint32_t n = atomic_Load(&work.cycles);
	gcWaitOnMark(n);

	// Sweeping of n at least.  Start n+1, which ends that sweep first, and wait for its marking.
	gcStart((gcTrigger){.kind = gcTriggerCycle, .n = n + 1});
	gcWaitOnMark(n + 1);

	// Sweep, then wait for those who sweep the last spans.
	while (atomic_Load(&work.cycles) == n + 1 && sweepone() != ~(uintptr_t)0) {
		Gosched();
	}
	while (atomic_Load(&work.cycles) == n + 1 && !isSweepDone()) {
		Gosched();
	}

	// The caller expects the memory profile of this cycle.  All its garbage has been swept, unless
	// the next mark termination has come meanwhile, which publishes it anyway.
	M *mp = acquirem();
	uint32_t cycle = atomic_Load(&work.cycles);
	if (cycle == n + 1 || (atomic_Load(&gcphase) == _GCmark && cycle == n + 2)) {
		mProf_PostSweep();
	}
	releasem(mp);
}

// gcWaitOnMark returns when the n-th mark phase is over.
void
gcWaitOnMark(uint32_t n) {
	for (;;) {
		// The lock holds up the next phase.
		lock(&work.sweepWaiters.lock);
		uint32_t nMarks = atomic_Load(&work.cycles);
		if (atomic_Load(&gcphase) != _GCmark) {
			nMarks++; // that of the current cycle is over
		}
		if (nMarks > n) {
			unlock(&work.sweepWaiters.lock);
			return;
		}
		gList_push(&work.sweepWaiters.list, getg());
		goparkunlock(&work.sweepWaiters.lock, waitReasonWaitForGCCycle);
	}
}

// test reports whether the condition holds, in _GCoff.
bool
gcTrigger_test(gcTrigger t) {
	if (!atomic_LoadRelaxed(&memstats.enablegc) || atomic_Load(&panicking) != 0 ||
		atomic_Load(&gcphase) != _GCoff) {
		return false;
	}
	uint64_t trigger, goal;
	int64_t lastgc;
	switch (t.kind) {
	case gcTriggerHeap:
		trigger = gcControllerState_trigger(&gcController, &goal);
		return atomic_Load(&gcController.heapLive) >= trigger;
	case gcTriggerTime:
		if (atomic_Load(&gcController.gcPercent) < 0) {
			return false;
		}
		lastgc = (int64_t)atomic_Load(&memstats.last_gc_nanotime);
		return lastgc != 0 && t.now - lastgc > forcegcperiod;
	case gcTriggerCycle:
		return (int32_t)(t.n - atomic_Load(&work.cycles)) > 0; // n may have wrapped
	}
	return true;
}

struct gcStart_args {
	worldStop stw;
	int64_t now;
};

// gcStart_stop is the part of gcStart on g0 that stops the world.
static void
gcStart_stop(void *arg) {
	struct gcStart_args *a = arg;
	a->stw = stopTheWorldWithSema(stwGCSweepTerm);
}

// gcStart_reset is gcResetMarkState on g0.
static void
gcStart_reset(void *arg) {
	gcResetMarkState();
}

// gcStart_finishsweep is finishsweep_m on g0.
static void
gcStart_finishsweep(void *arg) {
	finishsweep_m();
}

// gcStart_start starts the world for the concurrent mark.
static void
gcStart_start(void *arg) {
	struct gcStart_args *a = arg;
	int64_t now = startTheWorldWithSema(0, a->stw);
	work.pauseNS += now - a->stw.startedStopping;
	work.tMark = now;
	gcCPULimiterState_finishGCTransition(&gcCPULimiter, now);
}

// gcStart starts a cycle if trigger's condition holds: _GCoff to _GCmark.  It does nothing where
// it is called on g0, with locks held or with preemption off.
void
gcStart(gcTrigger trigger) {
	M *mp = acquirem();
	G *gp = getg();
	if (gp == mp->g0 || mp->locks > 1 || mp->preemptoff != NULL) {
		releasem(mp);
		return;
	}
	releasem(mp);
	mp = NULL;

	// Sweep what is left, concurrently: a few spans in the background case, where rounding left
	// them, any number in a forced one.  The test stops this when another cycle starts.
	while (gcTrigger_test(trigger) && sweepone() != ~(uintptr_t)0) {
	}

	semacquire(&work.startSema);
	if (!gcTrigger_test(trigger)) {
		semrelease(&work.startSema);
		return;
	}

	// After the test, so that many goroutines that see the heap trigger start one STW cycle.
	gcMode mode = gcBackgroundMode;
	if (debug.gcstoptheworld == 1) {
		mode = gcForceMode;
	} else if (debug.gcstoptheworld == 2) {
		mode = gcForceBlockMode;
	}

	semacquire(&gcsema);
	semacquire(&worldsema);

	work.userForced = trigger.kind == gcTriggerCycle; // under gcsema: gctrace reads it

	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_GCStart(tl);
		traceRelease(tl);
	}

	for (int32_t i = 0; i < nallp; i++) {
		P *pp = allp[i];
		uint32_t fg = atomic_Load(&pp->mcache->flushGen);
		if (fg != mheap_.sweepgen) {
			print("runtime: p %d flushGen %u != sweepgen %u\n", pp->id, fg,
				mheap_.sweepgen);
			throw("p mcache not flushed");
		}
	}

	gcBgMarkStartWorkers();

	systemstack(gcStart_reset, NULL);

	// PORT: how many bytes of globals there are to scan may change, with dlopen and gort_root_add.
	// The jobs are cut from another snapshot, with the world stopped.
	roots_snapshot();
	gcControllerState_addGlobals(
		&gcController, (int64_t)(roots_bytes() - atomic_Load(&gcController.globalsScan)));

	work.stwprocs = work.maxprocs = gomaxprocs;
	if (work.stwprocs > numCPUStartup) {
		work.stwprocs = numCPUStartup; // for CPU time: no more than there are CPUs
	}
	work.heap0 = atomic_Load(&gcController.heapLive);
	work.pauseNS = 0;
	work.mode = mode;

	struct gcStart_args a;
	int64_t now = nanotime();
	work.tSweepTerm = now;
	systemstack(gcStart_stop, &a);

	cpuStats_accumulateGCPauseTime(&work.cpuStats, a.stw.stoppingCPUTime, 1);

	systemstack(gcStart_finishsweep, NULL);

	// Now rather than later, or what the pools hold would live for another cycle.
	clearpools();

	atomic_Xadd(&work.cycles, 1);

	// Assists and workers may start when the world does.
	gcControllerState_startCycle(&gcController, now, (int)gomaxprocs, trigger);

	gcCPULimiterState_startGCTransition(&gcCPULimiter, true, now);

	// In STW mode no user goroutine runs, perhaps not even this one, once the world starts.
	if (mode != gcBackgroundMode) {
		schedEnableUser(false);
	}

	// The barrier must be on, on every P, before anything is scanned and before assists begin.
	setGCPhase(_GCmark);

	gcBgMarkPrepare(); // before assists
	gcPrepareMarkRoots();

	// The blocks that tiny objects are carved from are allocated from still, so they must be
	// black like all new objects.
	gcMarkTinyAllocs();

	atomic_Store(&gcBlackenEnabled, 1);

	// In STW mode this goroutine would stop as soon as systemstack returns.
	mp = acquirem();

	// By maxprocs, as the total time of the CPU statistics is.
	cpuStats_accumulateGCPauseTime(
		&work.cpuStats, nanotime() - a.stw.finishedStopping, work.maxprocs);

	systemstack(gcStart_start, &a);

	// Before Gosched, which in STW mode returns only after the cycle, whose end needs it.
	semrelease(&worldsema);
	releasem(mp);

	if (mode != gcBackgroundMode) {
		Gosched();
	}

	semrelease(&work.startSema);
}

// gcMarkDoneFlushed counts the Ps that had work to flush.  Protected by markDoneSema.
static uint32_t gcMarkDoneFlushed;

struct gcDebugMarkDone gcDebugMarkDone;

// gcMarkDone_flush is the ragged barrier's visit to a P.
static void
gcMarkDone_flush(P *pp) {
	// The barrier's buffer first: it may fill the gcWork.
	wbBufFlush1(pp);
	gcWork_dispose(&pp->gcw);
	if (pp->gcw.flushedWork) {
		atomic_Xadd(&gcMarkDoneFlushed, 1);
		pp->gcw.flushedWork = false;
	}
}

struct gcMarkDone_args {
	worldStop stw;
	bool restart;
	bool rootRestart;
};

// gcMarkDone_stop stops the world.
static void
gcMarkDone_stop(void *arg) {
	struct gcMarkDone_args *a = arg;
	a->stw = stopTheWorldWithSema(stwGCMarkTerm);
}

// gcMarkDone_check looks for work that came up after the ragged barrier.
static void
gcMarkDone_check(void *arg) {
	struct gcMarkDone_args *a = arg;
	// PORT: stores to globals that missed the barrier.
	a->rootRestart = roots_rescan_from_stw(&getg()->m->p->gcw);
	a->restart = a->rootRestart;
	for (int32_t i = 0; i < nallp; i++) {
		P *pp = allp[i];
		wbBufFlush1(pp);
		if (!gcWork_empty(&pp->gcw)) {
			a->restart = true;
			break;
		}
	}
}

// gcMarkDone_restart starts the world to go on marking.
static void
gcMarkDone_restart(void *arg) {
	struct gcMarkDone_args *a = arg;
	cpuStats_accumulateGCPauseTime(
		&work.cpuStats, nanotime() - a->stw.finishedStopping, work.maxprocs);
	int64_t now = startTheWorldWithSema(0, a->stw);
	work.pauseNS += now - a->stw.startedStopping;
}

// gcMarkDone ends marking if everything reachable is marked; otherwise it makes the work that lay
// in the Ps' buffers visible.  Called by who got true from gcEndWork, on a goroutine that may be
// preempted.
//
// After the checks no object is grey and none can turn grey, so this may itself contain barriers.
void
gcMarkDone(void) {
	struct gcMarkDone_args a;

	semacquire(&work.markDoneSema);

top:
	// The global lists must be empty before the ragged barrier: a P that it has passed could take
	// work from there.
	if (!(atomic_Load(&gcphase) == _GCmark && gcIsMarkDone())) {
		semrelease(&work.markDoneSema);
		return;
	}

	// For forEachP, and to stop the world.
	semacquire(&worldsema);

	gcMarkDoneFlushed = 0;
	forEachP(waitReasonGCMarkTermination, gcMarkDone_flush);

	if (atomic_Load(&gcMarkDoneFlushed) != 0) {
		// More to do, or others have done it already: check again.
		semrelease(&worldsema);
		goto top;
	}

	while (atomic_Load(&gcDebugMarkDone.spinAfterRaggedBarrier)) {
	}

	// No work on the lists, none in the buffers, and nobody made any since: nothing is grey.
	int64_t now = nanotime();
	work.tMarkTerm = now;
	getg()->m->preemptoff = "gcing";
	systemstack(gcMarkDone_stop, &a);
	// Still _GCmark: the barrier stays on until all marking is over.

	cpuStats_accumulateGCPauseTime(&work.cpuStats, a.stw.stoppingCPUTime, 1);

	// But a barrier between the ragged one and the stop may have found a white object, which a
	// goroutine held in a way that only deletion protects.  Mark it concurrently.
	systemstack(gcMarkDone_check, &a);
	if (a.restart) {
		gcDebugMarkDone.restartedDueTo27993 = true;
		gcDebugMarkDone.restarts++;
		if (a.rootRestart) {
			gcDebugMarkDone.rootRestarts++;
		}
		getg()->m->preemptoff = NULL;
		systemstack(gcMarkDone_restart, &a);
		semrelease(&worldsema);
		goto top;
	}

	// No assists and workers from now on; before the blocked ones wake.
	atomic_Store(&gcBlackenEnabled, 0);

	gcCPULimiterState_startGCTransition(&gcCPULimiter, false, now);

	// They run when the world starts, and so do those who wait for the transition.
	gcWakeAllAssists();
	semrelease(&work.markDoneSema);

	// In STW mode user goroutines may run again, when the world starts.
	schedEnableUser(true);

	// All statistics of the gcWorks have been flushed, up to allocations since.
	gcControllerState_endCycle(&gcController, now, (int)gomaxprocs, work.userForced);

	gcMarkTermination(a.stw); // starts the world
}
