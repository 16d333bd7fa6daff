// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// States of goroutines and processors as traces have them.  Ports tracestatus.go of Go 1.26.8.
#include "sched/trace.h"

// traceWriter_writeGoStatus writes the state of a goroutine.  mid is the thread or -1.
void
traceWriter_writeGoStatus(traceWriter *w, uint64_t goid, int64_t mid, traceGoStatus status,
	bool markAssist, uint64_t stackID) {
	if (status == GoBad) {
		print("runtime: goid=%lu\n", goid);
		throw("attempted to trace a bad status for a goroutine");
	}
	if (stackID == 0)
		traceWriter_event(w, EvGoStatus, EVARGS(goid, (uint64_t)mid, status));
	else
		traceWriter_event(w, EvGoStatusStack, EVARGS(goid, (uint64_t)mid, status, stackID));
	if (markAssist)
		traceWriter_event(w, EvGCMarkAssistActive, EVARGS(goid));
}

// traceWriter_writeProcStatusForP writes the state of pp, if nobody has in this generation.  The
// caller has hold of pp: a stopped world, forEachP.
void
traceWriter_writeProcStatusForP(traceWriter *w, P *pp, bool inSTW) {
	if (!traceSchedResourceState_acquireStatus(&pp->trace.r, w->tl.gen))
		return;
	traceProcStatus status = ProcBad;
	uint32_t s = atomic_Load(&pp->status);
	switch (s) {
	case _Pidle:
	case _Pgcstop:
		status = ProcIdle;
		if (s == _Pgcstop && inSTW) {
			// It still runs, or we would not be here.
			status = ProcRunning;
		}
		break;
	case _Prunning:
		status = ProcRunning;
		// On the way into a system call.
		if (w->tl.mp->p == pp && w->tl.mp->curg != NULL &&
			(readgstatus(w->tl.mp->curg) & ~(uint32_t)_Gscan) == _Gsyscall)
			status = ProcSyscall;
		break;
	default:
		throw("attempt to trace invalid or unsupported P status");
	}
	traceWriter_writeProcStatus(w, (uint64_t)pp->id, status, pp->trace.inSweep);
}

// traceWriter_writeProcStatus writes the state of a processor.
void
traceWriter_writeProcStatus(traceWriter *w, uint64_t pid, traceProcStatus status, bool inSweep) {
	if (status == ProcBad) {
		print("runtime: pid=%lu\n", pid);
		throw("attempted to trace a bad status for a proc");
	}
	traceWriter_event(w, EvProcStatus, EVARGS(pid, status));
	if (inSweep)
		traceWriter_event(w, EvGCSweepActive, EVARGS(pid));
}

// goStatusToTraceGoStatus: who only lets others scan its stack is running.
traceGoStatus
goStatusToTraceGoStatus(uint32_t status, waitReason wr) {
	switch (status & ~(uint32_t)_Gscan) {
	case _Grunnable:
		return GoRunnable;
	case _Grunning:
		return GoRunning;
	case _Gsyscall:
		return GoSyscall;
	case _Gwaiting:
	case _Gpreempted:
		if (status == _Gwaiting && waitReason_isWaitingForSuspendG(wr))
			return GoRunning;
		return GoWaiting;
	case _Gdead:
		throw("tried to trace dead goroutine");
	default:
		throw("tried to trace goroutine with invalid or unsupported status");
	}
}

// traceSchedResourceState_acquireStatus: the caller that gets true is the one to write the status in
// this generation.
bool
traceSchedResourceState_acquireStatus(traceSchedResourceState *r, uintptr_t gen) {
	uintptr_t last = atomic_Load(&r->statusTraced[gen % 2]);
	if (last == gen || !atomic_Cas(&r->statusTraced[gen % 2], last, gen))
		return false;
	traceSchedResourceState_readyNextGen(r, gen);
	return true;
}

// traceSchedResourceState_readyNextGen prepares the state for the generation after gen.
void
traceSchedResourceState_readyNextGen(traceSchedResourceState *r, uintptr_t gen) {
	// Both the owner and traceAdvance may do so.
	atomic_StoreRelaxed(&r->seq[traceNextGen(gen) % 2], 0U);
}
