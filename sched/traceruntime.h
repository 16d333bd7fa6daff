// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The execution tracer as the rest of the runtime sees it.  Ports the part of traceruntime.go that
// the hooks call, and the calls that trace.go has for the scheduler.
//
// A hook is
//
//	traceLocker tl = traceAcquire();
//	casgstatus(...);
//	if (traceLocker_ok(tl)) {
//		traceLocker_GoUnpark(tl, gp, 0);
//		traceRelease(tl);
//	}
//
// with the transition that the event tells of inside, so that the end of a generation never falls
// between the two.  While nothing is traced it costs one test of a flag that never changes.
#ifndef GORT_SCHED_TRACERUNTIME_H
#define GORT_SCHED_TRACERUNTIME_H

#include "sched/proc.h"

typedef uint8_t traceGoStopReason;
enum {
	traceGoStopGeneric,
	traceGoStopGoSched,
	traceGoStopPreempted,
	ntraceGoStopReason,
};

// The state that hooks look at.  It changes with the world stopped, or slowly.
extern struct traceFlags {
	bool enabled;              // events are to be written
	bool enabledWithAllocFree; // those of the allocator, too
	bool reading;              // atomic: enabled or shutdown: there is a reader
	bool shutdown; // atomic: tracing has stopped, and the reader has not finished yet
	bool fence;    // atomic: who begins to write orders its memory itself: see traceFence
} traceFlags;

static inline bool
traceEnabled(void) {
	return __atomic_load_n(&traceFlags.enabled, __ATOMIC_RELAXED);
}

static inline bool
traceAllocFreeEnabled(void) {
	return __atomic_load_n(&traceFlags.enabledWithAllocFree, __ATOMIC_RELAXED);
}

// traceReading is traceEnabled or traceShuttingDown in one.
static inline bool
traceReading(void) {
	return __atomic_load_n(&traceFlags.reading, __ATOMIC_RELAXED);
}

static inline bool
traceShuttingDown(void) {
	return atomic_Load(&traceFlags.shutdown);
}

// traceLocker is the right to write events; the M stays the goroutine's until traceRelease.
typedef struct traceLocker {
	M *mp;
	uintptr_t gen; // 0: nothing is traced
} traceLocker;

traceLocker traceAcquireEnabled(void);
void traceRelease(traceLocker tl);

static ALWAYS_INLINE traceLocker
traceAcquire(void) {
	if (likely(!traceEnabled()))
		return (traceLocker){NULL, 0};
	return traceAcquireEnabled();
}

static ALWAYS_INLINE bool
traceLocker_ok(traceLocker tl) {
	return unlikely(tl.gen != 0);
}

void traceLockInit(void);
// exitsyscallNoP brackets the one transition that it makes without a P by these.
void traceExitingSyscall(void);
void traceExitedSyscall(void);

// The events.
void traceLocker_Gomaxprocs(traceLocker tl, int32_t procs);
void traceLocker_ProcStart(traceLocker tl);
void traceLocker_ProcStop(traceLocker tl, P *pp);
void traceLocker_GCActive(traceLocker tl);
void traceLocker_GCStart(traceLocker tl);
void traceLocker_GCDone(traceLocker tl);
void traceLocker_STWStart(traceLocker tl, stwReason reason);
void traceLocker_STWDone(traceLocker tl);
void traceLocker_GCSweepStart(traceLocker tl);
void traceLocker_GCSweepSpan(traceLocker tl, uintptr_t bytesSwept);
void traceLocker_GCSweepDone(traceLocker tl);
void traceLocker_GCMarkAssistStart(traceLocker tl);
void traceLocker_GCMarkAssistDone(traceLocker tl);
void traceLocker_GoCreate(traceLocker tl, G *newg, uintptr_t pc, bool blocked);
void traceLocker_GoStart(traceLocker tl);
void traceLocker_GoEnd(traceLocker tl);
void traceLocker_GoSched(traceLocker tl);
void traceLocker_GoPreempt(traceLocker tl);
void traceLocker_GoStop(traceLocker tl, traceGoStopReason reason);
void traceLocker_GoPark(traceLocker tl, waitReason reason);
void traceLocker_GoUnpark(traceLocker tl, G *gp, int skip);
void traceLocker_GoSysCall(traceLocker tl);
void traceLocker_GoSysExit(traceLocker tl, bool lostP);
void traceLocker_ProcSteal(traceLocker tl, P *pp);
void traceLocker_HeapAlloc(traceLocker tl, uint64_t live);
void traceLocker_HeapGoal(traceLocker tl);

// Those of the allocator (traceallocfree.c).
void traceLocker_SpanAlloc(traceLocker tl, mspan *s);
void traceLocker_SpanFree(traceLocker tl, mspan *s);
void traceLocker_HeapObjectAlloc(traceLocker tl, uintptr_t addr, const _type *typ);
void traceLocker_HeapObjectFree(traceLocker tl, uintptr_t addr);
void traceLocker_GoroutineStackAlloc(traceLocker tl, uintptr_t base, uintptr_t size);
void traceLocker_GoroutineStackFree(traceLocker tl, uintptr_t base);

// traceThreadDestroy writes out what mp, which will be another thread's, has.  sched.lock must be
// held.
void traceThreadDestroy(M *mp);

// traceReader takes the goroutine that waits for the trace, if there is something for it; the caller
// readies it.  traceReaderAvailable only looks.
G *traceReader(void);
G *traceReaderAvailable(void);

// traceIsReader reports whether the goroutine is the one that reads: it may not call traceAdvance.
bool traceIsReader(void);
// traceAdvance ends a generation, and tracing itself if stopTrace.  On a user goroutine.
void traceAdvance(bool stopTrace);

// traceCPUSample records a sample of the CPU profiler.  In a signal handler; stk has n return
// addresses; gp, mp, pp may be NULL.
void traceCPUSample(G *gp, M *mp, P *pp, const uintptr_t *stk, int n);

// trace_fromenv starts the trace that GORT_TRACE asks for, on the main goroutine; trace_atexit ends
// it, also when the program panics.
void trace_fromenv(void);
void trace_atexit(void);

#endif
