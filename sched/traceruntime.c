// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The events, one function each.  Ports traceruntime.go of Go 1.26.8.
//
// PORT: which frames at the top of a stack are left out goes by their names (tracestack.c) rather
// than by counts alone, as the C compiler decides for itself which functions have a frame.
#include "runtime/panic.h"
#include "sched/stack.h"
#include "sched/trace.h"

struct traceFlags traceFlags CACHE_ALIGNED;

// traceLockInit gives the locks of the tracer their ranks.
void
traceLockInit(void) {
	for (int i = 0; i < 2; i++) {
		lockInit(&trace.stringTab[i].lock, lockRankTraceStrings);
		lockInit(&trace.stringTab[i].tab.mem.lock, lockRankTraceStrings);
		lockInit(&trace.stackTab[i].tab.mem.lock, lockRankTraceStackTab);
		lockInit(&trace.typeTab[i].tab.mem.lock, lockRankTraceTypeTab);
	}
	lockInit(&trace.lock, lockRankTrace);
}

// lockRankMayTraceFlush says that any event may take trace.lock.
static void
lockRankMayTraceFlush(void) {
	lockWithRankMayAcquire(&trace.lock, getLockRank(&trace.lock));
}

static const char *const traceBlockReasonStrings[ntraceBlockReason] = {
	[traceBlockGeneric] = "unspecified",
	[traceBlockForever] = "forever",
	[traceBlockNet] = "network",
	[traceBlockSelect] = "select",
	[traceBlockCondWait] = "sync.(*Cond).Wait",
	[traceBlockSync] = "sync",
	[traceBlockChanSend] = "chan send",
	[traceBlockChanRecv] = "chan receive",
	[traceBlockGCMarkAssist] = "GC mark assist wait for work",
	[traceBlockGCSweep] = "GC background sweeper wait",
	[traceBlockSystemGoroutine] = "system goroutine wait",
	[traceBlockPreempted] = "preempted",
	[traceBlockDebugCall] = "wait for debug call",
	[traceBlockUntilGCEnds] = "wait until GC ends",
	[traceBlockSleep] = "sleep",
	[traceBlockGCWeakToStrongWait] = "GC weak to strong wait",
	[traceBlockSynctest] = "synctest",
};

static const char *const traceGoStopReasonStrings[ntraceGoStopReason] = {
	[traceGoStopGeneric] = "unspecified",
	[traceGoStopGoSched] = "runtime.Gosched",
	[traceGoStopPreempted] = "preempted",
};

// traceRegisterLabelsAndReasons puts the strings that events use into the table of a generation
// before it begins, so that those events look nothing up.
void
traceRegisterLabelsAndReasons(uintptr_t gen) {
	traceStringTable *t = &trace.stringTab[gen % 2];

	for (size_t i = 0; i < nelem(gcMarkWorkerModeStrings); i++)
		trace.markWorkerLabels[gen % 2][i] =
			traceStringTable_put(t, gen, gcMarkWorkerModeStrings[i]);
	for (size_t i = 0; i < nelem(traceBlockReasonStrings); i++)
		trace.goBlockReasons[gen % 2][i] =
			traceStringTable_put(t, gen, traceBlockReasonStrings[i]);
	for (size_t i = 0; i < nelem(traceGoStopReasonStrings); i++)
		trace.goStopReasons[gen % 2][i] =
			traceStringTable_put(t, gen, traceGoStopReasonStrings[i]);
}

// traceAcquireEnabled is traceAcquire while something is traced.
NOINLINE traceLocker
traceAcquireEnabled(void) {
	lockRankMayTraceFlush();

	M *mp = acquirem1();
	if (unlikely(atomic_LoadRelaxed(&mp->trace.writing))) {
		// Within another event: its generation counts.
		mp->trace.reentered++;
		return (traceLocker){mp, mp->trace.entryGen};
	}

	// traceAdvance changes the generation first and then waits for each M that it sees writing:
	// so this one either is seen or sees the new generation.  PORT: Go has a locked instruction
	// here.  That there is an order is traceAdvance's business, which is seldom: traceFence.
	atomic_StoreRel(&mp->trace.writing, true);
	if (unlikely(atomic_LoadRelaxed(&traceFlags.fence)))
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	else
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
	uintptr_t gen = atomic_Load(&trace.gen);
	if (unlikely(gen == 0)) {
		atomic_Store(&mp->trace.writing, false);
		releasem1(mp);
		return (traceLocker){NULL, 0};
	}
	mp->trace.entryGen = gen;
	return (traceLocker){mp, gen};
}

void
traceRelease(traceLocker tl) {
	if (unlikely(tl.mp->trace.reentered > 0))
		tl.mp->trace.reentered--;
	else
		atomic_StoreRel(&tl.mp->trace.writing, false);
	releasem1(tl.mp);
}

void
traceExitingSyscall(void) {
	atomic_Xadd(&trace.exitingSyscall, 1);
}

void
traceExitedSyscall(void) {
	atomic_Xadd(&trace.exitingSyscall, -1);
}

void
traceLocker_Gomaxprocs(traceLocker tl, int32_t procs) {
	EVENT(tl, GoRunning, ProcRunning, EvProcsChange, (uint64_t)procs, traceLocker_stack(tl, 1));
}

// traceLocker_ProcStart: the M has just got its P.  It has no running goroutine, or one that comes
// out of a system call.
void
traceLocker_ProcStart(traceLocker tl) {
	P *pp = tl.mp->p;

	EVENT(tl, GoSyscall, ProcIdle, EvProcStart, (uint64_t)pp->id,
		traceSchedResourceState_nextSeq(&pp->trace.r, tl.gen));
}

// traceLocker_ProcStop: the M gives pp up of itself.  Not for those from whom it is taken: ProcSteal.
void
traceLocker_ProcStop(traceLocker tl, P *pp) {
	// A goroutine that is left is in a system call.
	EVENT(tl, GoSyscall, ProcRunning, EvProcStop);
}

// traceLocker_GCActive: a cycle is on while a generation begins.  The world is stopped, or worldsema
// is held and the cycle cannot end.
void
traceLocker_GCActive(traceLocker tl) {
	EVENT(tl, GoRunning, ProcRunning, EvGCActive, trace.seqGC);
	trace.seqGC++;
}

void
traceLocker_GCStart(traceLocker tl) {
	EVENT(tl, GoRunning, ProcRunning, EvGCBegin, trace.seqGC, traceLocker_stack(tl, 0));
	trace.seqGC++;
}

void
traceLocker_GCDone(traceLocker tl) {
	EVENT(tl, GoRunning, ProcRunning, EvGCEnd, trace.seqGC);
	trace.seqGC++;
}

void
traceLocker_STWStart(traceLocker tl, stwReason reason) {
	// Although the world is stopping, this P runs, and its goroutine with it.
	EVENT(tl, GoRunning, ProcRunning, EvSTWBegin,
		traceLocker_string(tl, stwReason_String(reason)), traceLocker_stack(tl, 0));
}

void
traceLocker_STWDone(traceLocker tl) {
	EVENT(tl, GoRunning, ProcRunning, EvSTWEnd);
}

// traceLocker_GCSweepStart: spans may be swept.  The event comes with the first one that is.
void
traceLocker_GCSweepStart(traceLocker tl) {
	P *pp = tl.mp->p;

	if (pp->trace.maySweep)
		throw("double traceGCSweepStart");
	pp->trace.maySweep = true;
	pp->trace.swept = 0;
	pp->trace.reclaimed = 0;
}

// traceLocker_GCSweepSpan: so many bytes were swept.
//
// PORT: maybe by an M that has just let go of its P, or sysmon, who do in handoffp what the P has been
// asked for: let go of stale spans.  Go's faults there.
void
traceLocker_GCSweepSpan(traceLocker tl, uintptr_t bytesSwept) {
	P *pp = tl.mp->p;

	if (pp == NULL || !pp->trace.maySweep)
		return;
	if (pp->trace.swept == 0) {
		EVENT(tl, GoRunning, ProcRunning, EvGCSweepBegin, traceLocker_stack(tl, 0));
		pp->trace.inSweep = true;
	}
	pp->trace.swept += bytesSwept;
}

void
traceLocker_GCSweepDone(traceLocker tl) {
	P *pp = tl.mp->p;

	if (!pp->trace.maySweep)
		throw("missing traceGCSweepStart");
	if (pp->trace.inSweep) {
		EVENT(tl, GoRunning, ProcRunning, EvGCSweepEnd, pp->trace.swept,
			pp->trace.reclaimed);
		pp->trace.inSweep = false;
	}
	pp->trace.maySweep = false;
}

void
traceLocker_GCMarkAssistStart(traceLocker tl) {
	EVENT(tl, GoRunning, ProcRunning, EvGCMarkAssistBegin, traceLocker_stack(tl, 0));
}

void
traceLocker_GCMarkAssistDone(traceLocker tl) {
	EVENT(tl, GoRunning, ProcRunning, EvGCMarkAssistEnd);
}

// traceLocker_GoCreate: newg was made, to run the function at pc.
void
traceLocker_GoCreate(traceLocker tl, G *newg, uintptr_t pc, bool blocked) {
	traceSchedResourceState_setStatusTraced(&newg->trace.r, tl.gen);
	EVENT(tl, GoRunning, ProcRunning, blocked ? EvGoCreateBlocked : EvGoCreate, newg->goid,
		traceLocker_startPC(tl, pc), traceLocker_stack(tl, 0));
}

// traceLocker_GoStart: the M's goroutine runs now.
void
traceLocker_GoStart(traceLocker tl) {
	M *mp = tl.mp;
	G *gp = mp->curg;
	P *pp = gp->m->p;

	traceLocker_eventWriter(tl, GoRunnable, ProcRunning);
	// PORT: when it was found, if the M has waited for nothing since.  (A time left over from an earlier
	// trace is older than this M's buffer, where times only grow.)
	traceLocker_eventAt(tl, mp->trace.found, EvGoStart,
		EVARGS(gp->goid, traceSchedResourceState_nextSeq(&gp->trace.r, tl.gen)));
	mp->trace.found = 0;
	if (pp->gcMarkWorkerMode != gcMarkWorkerNotWorker)
		traceLocker_event(tl, EvGoLabel,
			EVARGS(trace.markWorkerLabels[tl.gen % 2][pp->gcMarkWorkerMode]));
}

void
traceLocker_GoEnd(traceLocker tl) {
	EVENT(tl, GoRunning, ProcRunning, EvGoDestroy);
}

void
traceLocker_GoSched(traceLocker tl) {
	traceLocker_GoStop(tl, traceGoStopGoSched);
}

void
traceLocker_GoPreempt(traceLocker tl) {
	traceLocker_GoStop(tl, traceGoStopPreempted);
}

// traceLocker_GoStop: the goroutine could go on, but does not.
void
traceLocker_GoStop(traceLocker tl, traceGoStopReason reason) {
	EVENT(tl, GoRunning, ProcRunning, EvGoStop, trace.goStopReasons[tl.gen % 2][reason],
		traceLocker_stack(tl, 0));
}

// traceBlocks are what gopark's callers tell of in Go: why a trace says that the goroutine blocks, and
// how much of its stack to leave out.
static const struct {
	traceBlockReason reason;
	int skip;
} traceBlocks[nwaitReason] = {
	[waitReasonIOWait] = {traceBlockNet, traceSkipAPI},
	[waitReasonPanicWait] = {traceBlockForever, 0},
	[waitReasonGCAssistWait] = {traceBlockGCMarkAssist, 1},
	[waitReasonGCSweepWait] = {traceBlockGCSweep, 0},
	[waitReasonGCScavengeWait] = {traceBlockSystemGoroutine, 0},
	[waitReasonForceGCIdle] = {traceBlockSystemGoroutine, 0},
	[waitReasonUpdateGOMAXPROCSIdle] = {traceBlockSystemGoroutine, 0},
	[waitReasonSemacquire] = {traceBlockSync, traceSkipAPI},
	[waitReasonSleep] = {traceBlockSleep, traceSkipAPI},
	[waitReasonChanReceiveNilChan] = {traceBlockForever, traceSkipAPI},
	[waitReasonChanSendNilChan] = {traceBlockForever, traceSkipAPI},
	[waitReasonSelectNoCases] = {traceBlockForever, traceSkipAPI},
	[waitReasonSelect] = {traceBlockSelect, traceSkipAPI},
	[waitReasonChanReceive] = {traceBlockChanRecv, traceSkipAPI},
	[waitReasonChanSend] = {traceBlockChanSend, traceSkipAPI},
	[waitReasonSyncCondWait] = {traceBlockCondWait, traceSkipAPI},
	[waitReasonSyncMutexLock] = {traceBlockSync, traceSkipAPI},
	[waitReasonSyncRWMutexRLock] = {traceBlockSync, traceSkipAPI},
	[waitReasonSyncRWMutexLock] = {traceBlockSync, traceSkipAPI},
	[waitReasonSyncWaitGroupWait] = {traceBlockSync, traceSkipAPI},
	[waitReasonTraceReaderBlocked] = {traceBlockSystemGoroutine, 0},
	[waitReasonWaitForGCCycle] = {traceBlockUntilGCEnds, 0},
	[waitReasonGCWorkerIdle] = {traceBlockSystemGoroutine, 0},
	[waitReasonPreempted] = {traceBlockPreempted, 0},
};

// traceLocker_GoPark: the goroutine waits.
void
traceLocker_GoPark(traceLocker tl, waitReason reason) {
	EVENT(tl, GoRunning, ProcRunning, EvGoBlock,
		trace.goBlockReasons[tl.gen % 2][traceBlocks[reason].reason],
		traceLocker_stack(tl, traceBlocks[reason].skip));
}

// emitUnblockStatus: gp waits until the event that follows.
static void
emitUnblockStatus(traceLocker tl, G *gp) {
	if (traceSchedResourceState_statusWasTraced(&gp->trace.r, tl.gen) ||
		!traceSchedResourceState_acquireStatus(&gp->trace.r, tl.gen))
		return;
	traceWriter w = traceLocker_writer(tl);
	traceWriter_writeGoStatus(&w, gp->goid, -1, GoWaiting, gp->inMarkAssist, 0);
	traceWriter_end(&w);
}

// traceLocker_GoUnpark: gp is runnable now.  The caller made it so, and has not queued it yet.
void
traceLocker_GoUnpark(traceLocker tl, G *gp, int skip) {
	emitUnblockStatus(tl, gp);
	EVENT(tl, GoRunning, ProcRunning, EvGoUnblock, gp->goid,
		traceSchedResourceState_nextSeq(&gp->trace.r, tl.gen), traceLocker_stack(tl, skip));
}

// traceLocker_GoSysCall: the goroutine goes into a system call with its P.
void
traceLocker_GoSysCall(traceLocker tl) {
	P *pp = tl.mp->p;

	// Who takes the P in the meantime wants to name the thread.
	pp->trace.mSyscallID = (int64_t)tl.mp->procid;
	EVENT(tl, GoRunning, ProcRunning, EvGoSyscallBegin,
		traceSchedResourceState_nextSeq(&pp->trace.r, tl.gen),
		traceLocker_stack(tl, traceSkipAPI));
}

// traceLocker_GoSysExit: it comes out.  lostP: not with the P with which it went in, though it may
// have another one already.
void
traceLocker_GoSysExit(traceLocker tl, bool lostP) {
	if (lostP) {
		EVENT(tl, GoSyscall, ProcRunning, EvGoSyscallEndBlocked);
	} else {
		tl.mp->p->trace.mSyscallID = -1;
		EVENT(tl, GoSyscall, ProcSyscall, EvGoSyscallEnd);
	}
}

// traceLocker_ProcSteal: pp was taken from an M in a system call.
void
traceLocker_ProcSteal(traceLocker tl, P *pp) {
	int64_t mStolenFrom = pp->trace.mSyscallID;
	pp->trace.mSyscallID = -1;

	// If its status is still to be written: it could be a syscall that began in the generation
	// before, in which mStolenFrom is not known to have it.
	if (!traceSchedResourceState_statusWasTraced(&pp->trace.r, tl.gen) &&
		traceSchedResourceState_acquireStatus(&pp->trace.r, tl.gen)) {
		traceWriter w = traceLocker_writer(tl);
		traceWriter_writeProcStatus(
			&w, (uint64_t)pp->id, ProcSyscallAbandoned, pp->trace.inSweep);
		traceWriter_end(&w);
	}

	// The thief itself may be on its way out of a system call.
	traceGoStatus goStatus = GoRunning;
	traceProcStatus procStatus = ProcRunning;
	G *gp = tl.mp->curg;
	if (gp != NULL && gp->syscallsp != 0) {
		goStatus = GoSyscall;
		procStatus = ProcSyscallAbandoned;
	}
	EVENT(tl, goStatus, procStatus, EvProcSteal, (uint64_t)pp->id,
		traceSchedResourceState_nextSeq(&pp->trace.r, tl.gen), (uint64_t)mStolenFrom);
}

void
traceLocker_HeapAlloc(traceLocker tl, uint64_t live) {
	EVENT(tl, GoRunning, ProcRunning, EvHeapAlloc, live);
}

// traceLocker_HeapGoal: 0 if there is none.
void
traceLocker_HeapGoal(traceLocker tl) {
	uint64_t heapGoal = gcControllerState_heapGoal(&gcController);

	if (heapGoal == ~(uint64_t)0 || atomic_Load(&gcController.gcPercent) < 0)
		heapGoal = 0;
	EVENT(tl, GoRunning, ProcRunning, EvHeapGoal, heapGoal);
}

// trace_userTaskCreate and the following are the events of the program's own.
void
trace_userTaskCreate(uint64_t id, uint64_t parentID, const char *taskType) {
	traceLocker tl = traceAcquire();

	if (!traceLocker_ok(tl))
		return;
	EVENT(tl, GoRunning, ProcRunning, EvUserTaskBegin, id, parentID,
		traceLocker_string(tl, taskType), traceLocker_stack(tl, traceSkipAll));
	traceRelease(tl);
}

void
trace_userTaskEnd(uint64_t id) {
	traceLocker tl = traceAcquire();

	if (!traceLocker_ok(tl))
		return;
	EVENT(tl, GoRunning, ProcRunning, EvUserTaskEnd, id, traceLocker_stack(tl, traceSkipAll));
	traceRelease(tl);
}

// trace_userRegion: mode 0 begins a region, 1 ends it.
void
trace_userRegion(uint64_t id, uint64_t mode, const char *name) {
	traceLocker tl = traceAcquire();

	if (!traceLocker_ok(tl))
		return;
	EVENT(tl, GoRunning, ProcRunning, mode == 0 ? EvUserRegionBegin : EvUserRegionEnd, id,
		traceLocker_string(tl, name), traceLocker_stack(tl, traceSkipAll));
	traceRelease(tl);
}

void
trace_userLog(uint64_t id, const char *category, const char *message) {
	traceLocker tl = traceAcquire();

	if (!traceLocker_ok(tl))
		return;
	EVENT(tl, GoRunning, ProcRunning, EvUserLog, id, traceLocker_string(tl, category),
		traceLocker_uniqueString(tl, message), traceLocker_stack(tl, traceSkipAll));
	traceRelease(tl);
}

static void
traceThreadDestroy_1(void *a) {
	M *mp = a;

	lock(&trace.lock);
	for (uintptr_t i = 0; i < 2; i++) {
		for (int exp = 0; exp < NumExperiments; exp++) {
			traceBuf *b = mp->trace.buf[i][exp];
			// Should the generation be over, nobody has flushed this M yet, and waits
			// for sched.lock to do so.
			if (b != NULL)
				traceBufFlush(b, i);
			mp->trace.buf[i][exp] = NULL;
		}
	}
	unlock(&trace.lock);
}

void
traceThreadDestroy(M *mp) {
	assertLockHeld(&sched.lock);

	// As if it wrote, so that traceAdvance does not flush it at the same time.
	atomic_Store(&mp->trace.writing, true);
	systemstack(traceThreadDestroy_1, mp);
	atomic_Store(&mp->trace.writing, false);
}
