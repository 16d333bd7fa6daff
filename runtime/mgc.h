// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// GC control: phases, triggers, the state of a cycle, the mark workers.  Ports mgc.go.
// workType holds queues of goroutines, so this header stands above sched/runtime2.h.
#ifndef GORT_RUNTIME_MGC_H
#define GORT_RUNTIME_MGC_H

#include "runtime/runtime.h"

#include "runtime/lfstack.h"
#include "runtime/mgcpacer.h"
#include "runtime/mheap.h"
#include "runtime/mstats.h"
#include "sched/runtime2.h"

// concurrentSweep: clear it to sweep everything while the world is stopped.
#define concurrentSweep true

enum {
	// sweepMinHeapDistance is the least heap growth between two cycles, to sweep in.
	sweepMinHeapDistance = 1024 * 1024,
};

// The phases.  The write barrier is on in all but _GCoff.
enum {
	_GCoff = 0,             // not marking; sweeping in the background
	_GCmark = 1,            // marking; allocate black
	_GCmarktermination = 2, // the world is stopped to end marking
};
extern uint32_t gcphase;          // atomic
extern uint32_t gcBlackenEnabled; // atomic: assists and workers may blacken; only in _GCmark

void setGCPhase(uint32_t x);

// gcMarkWorkerMode is how the worker that runs next on a P works (type: sched/runtime2.h).
enum {
	gcMarkWorkerNotWorker = 0,      // the next goroutine is no worker
	gcMarkWorkerDedicatedMode = 1,  // the P is the worker's to the end of the cycle
	gcMarkWorkerFractionalMode = 2, // makes up the part of 25 % that dedicated ones leave
	gcMarkWorkerIdleMode = 3,       // the P has nothing else to do
};
extern const char *const gcMarkWorkerModeStrings[4];
bool pollFractionalWorkerExit(void);

// gcMode is how concurrent a cycle is.
typedef int32_t gcMode;
enum {
	gcBackgroundMode = 0, // concurrent mark and sweep
	gcForceMode = 1,      // user goroutines are held back while marking
	gcForceBlockMode = 2, // and the sweep happens with the world stopped
};

// gcTrigger is the condition that starts a cycle.
typedef int32_t gcTriggerKind;
enum {
	gcTriggerHeap = 0,  // the heap reached the pacer's trigger
	gcTriggerTime = 1,  // forcegcperiod has passed since the last cycle
	gcTriggerCycle = 2, // cycle n has not started
};
typedef struct gcTrigger {
	gcTriggerKind kind;
	int64_t now; // gcTriggerTime
	uint32_t n;  // gcTriggerCycle
} gcTrigger;
bool gcTrigger_test(gcTrigger t);

// workType is the state of a GC cycle.
typedef struct workType {
	lfstack full CACHE_ALIGNED;  // full workbufs
	lfstack empty CACHE_ALIGNED; // empty workbufs

	struct {
		mutex lock;
		mSpanList free; // spans for workbufs without any
		mSpanList busy; // spans with workbufs on some list
	} wbufSpans CACHE_ALIGNED;

	uint64_t bytesMarked CACHE_ALIGNED; // atomic: bytes marked this cycle

	uint32_t markrootNext; // atomic: next root job
	uint32_t markrootJobs; // atomic: number of root jobs

	uint32_t nproc; // atomic
	int64_t tstart;
	uint32_t nwait; // atomic

	// Numbers of root jobs of each kind, set by gcPrepareMarkRoots.
	int nDataRoots, nBSSRoots, nSpanRoots, nStackRoots;
	// Their first indices.
	uint32_t baseData, baseBSS, baseSpans, baseStacks, baseEnd;

	// stackRoots are the goroutines that there were when marking began.
	G **stackRoots;
	intptr_t nstackRoots;

	// A transition of the phase is made by one thread, which holds its semaphore and has checked the
	// condition again: startSema from off to mark, markDoneSema from mark to termination.
	uint32_t startSema;
	uint32_t markDoneSema;

	gcMode mode;
	bool userForced;          // GC() asked for this cycle
	uint64_t initialHeapLive; // heapLive when the cycle began

	struct {
		mutex lock;
		gQueue q; // assists that found neither credit nor work
	} assistQueue;

	struct {
		mutex lock;
		gList list; // goroutines that wait for the end of marking
	} sweepWaiters;

	uint32_t cycles; // atomic: cycles started, sweep termination included

	int32_t stwprocs, maxprocs;
	int64_t tSweepTerm, tMark, tMarkTerm, tEnd; // nanotime of the start of each phase
	int64_t pauseNS;                            // time with the world stopped, this cycle

	uint64_t heap0, heap1, heap2; // heap sizes for gctrace

	cpuStats cpuStats; // CPU time, cumulative
} workType;
extern struct workType work;

// gcDebugMarkDone is for tests of the end of marking.
extern struct gcDebugMarkDone {
	bool spinAfterRaggedBarrier; // atomic
	bool restartedDueTo27993;    // under worldsema
	uint32_t restarts;           // PORT: such restarts since the start; under worldsema
	uint32_t rootRestarts;       // PORT: those that the rescan of the globals caused
} gcDebugMarkDone;

// ---- called by the scheduler and by schedinit ---------------------------------------------------

void gcinit(void);
void gcenable(void);
bool gcShouldScheduleWorker(P *pp);
bool gcIsMarkDone(void);

// ---- called by the allocator and the marker -----------------------------------------------------

void gcStart(gcTrigger trigger);
void gcMarkDone(void);
void gcBeginWork(void);
// gcEndWork returns whether this was the last worker and no work is left: call gcMarkDone then.
bool gcEndWork(void);

// ---- users --------------------------------------------------------------------------------------

// GC runs a whole cycle, sweep included, and returns after it.
void GC(void);
void gcWaitOnMark(uint32_t n);

// ---- between mgc.c and mgc_term.c ---------------------------------------------------------------

struct worldStop;
void gcMarkTermination(struct worldStop stw);
void gcMark(int64_t startTime);
bool gcSweep(gcMode mode);
void gcResetMarkState(void);
void clearpools(void);

// gcBgMarkWorkerNode is an entry of gcBgMarkWorkerPool, where idle workers wait.
typedef struct gcBgMarkWorkerNode {
	lfnode node; // first
	G *gp;       // the worker
	M *m;        // to release when it has parked
} gcBgMarkWorkerNode;

void gcBgMarkStartWorkers(void);
void gcBgMarkPrepare(void);

// ---- printing and tests -------------------------------------------------------------------------

// itoaDiv and fmtNSAsMS format into buf and return where the text starts; *len is its length.
char *itoaDiv(char *buf, int n, uint64_t val, int dec, int *len);
char *fmtNSAsMS(char *buf, int n, uint64_t ns, int *len);

// gcTestIsReachable collects and returns which of the n <= 64 objects were reachable, and clears
// ptrs.  PORT: the caller's stack is scanned conservatively and may keep one alive.
uint64_t gcTestIsReachable(void **ptrs, int n);

#endif
