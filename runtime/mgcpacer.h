// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The pacer: when a GC cycle starts and how much marking an allocation owes.  Ports mgcpacer.go.
#ifndef GORT_RUNTIME_MGCPACER_H
#define GORT_RUNTIME_MGCPACER_H

#include "runtime/runtime.h"

#include "runtime/mem.h"

#define gcGoalUtilization gcBackgroundUtilization
// gcBackgroundUtilization is the share of GOMAXPROCS that background marking gets.
#define gcBackgroundUtilization 0.25

enum {
	// gcCreditSlack is the scan work that may gather in a gcWork before it becomes visible.
	gcCreditSlack = 2000,
	// gcAssistTimeSlack is the assist time (ns) that may gather on a P.
	gcAssistTimeSlack = 5000,
	// gcOverAssistWork is the extra scan work of an assist, which pays for later allocations.
	gcOverAssistWork = 64 << 10,
	// defaultHeapMinimum is heapMinimum at GOGC=100.
	defaultHeapMinimum = 4 << 20,
	// maxStackScanSlack is the change of stack bytes that may gather on a P.
	maxStackScanSlack = 8 << 10,
	// The heap goal made from the memory limit keeps at least so much distance from it.
	memoryLimitMinHeapGoalHeadroom = 1 << 20,
	memoryLimitHeapGoalHeadroomPercent = 3,

	// Bounds of the trigger, as 64ths of the way from the marked heap to the goal.
	triggerRatioDen = 64,
	minTriggerRatioNum = 45,
	maxTriggerRatioNum = 61,
};

struct gcTrigger;
struct gcBgMarkWorkerNode;

// gcControllerState is the pacer.  Plain fields change with the world stopped or under
// mheap_.lock only, unless the comment says otherwise.
typedef struct gcControllerState {
	int32_t gcPercent;    // atomic: GOGC; -1: off
	int64_t memoryLimit;  // atomic: GOMEMLIMIT; INT64_MAX: none
	uint64_t heapMinimum; // smallest heap at which a cycle starts: 4 MB * GOGC/100

	uint64_t runway; // atomic: heap bytes the program may allocate during a cycle

	// consMark is the ratio of the rates, per CPU time, of allocation and of scanning.
	double consMark;
	double lastConsMark[4]; // as measured in the previous cycles, oldest first

	uint64_t gcPercentHeapGoal; // atomic: the goal by GOGC alone; UINT64_MAX when off
	// sweepDistMinTrigger bounds trigger and goal from below: sweeping needs a minimum distance.
	uint64_t sweepDistMinTrigger; // atomic
	uint64_t triggered;    // heapLive at which the cycle started; UINT64_MAX outside of mark
	uint64_t lastHeapGoal; // the goal when the last cycle ended

	// heapLive is what the last cycle retained and what was allocated since, counted by spans as
	// they are handed to an mcache, so a little too high.  atomic
	uint64_t heapLive;
	uint64_t heapScan;      // atomic: heapLive without what holds no pointers; fixed in a cycle
	uint64_t lastHeapScan;  // heap bytes scanned in the last cycle
	uint64_t lastStackScan; // atomic: stack bytes scanned in the last cycle
	uint64_t maxStackScan;  // atomic: stack bytes in use by goroutines (PORT: never the slots)
	uint64_t globalsScan;   // atomic: bytes of scannable globals
	uint64_t heapMarked;    // bytes marked by the last cycle

	// Scan work of this cycle in bytes, updated in batches; atomic.
	int64_t heapScanWork;
	int64_t stackScanWork;
	int64_t globalsScanWork;

	int64_t bgScanCredit; // atomic: background scan work that assists may take for theirs

	int64_t assistTime;         // atomic: ns in assists this cycle
	int64_t dedicatedMarkTime;  // atomic: ns in dedicated workers this cycle
	int64_t fractionalMarkTime; // atomic: ns in fractional workers this cycle
	int64_t idleMarkTime;       // atomic: ns in idle workers this cycle

	int64_t markStartTime; // nanotime at which assists and workers started

	int64_t dedicatedMarkWorkersNeeded; // atomic: dedicated workers yet to start

	// idleMarkWorkers holds two int32 that change together: low, the idle workers that run; high,
	// how many may.  At least one may run when there is no dedicated worker: fractional ones
	// are not scheduled reliably enough to finish a cycle.  atomic
	uint64_t idleMarkWorkers;

	double assistWorkPerByte;  // atomic (float64): scan work owed per allocated byte
	double assistBytesPerWork; // atomic (float64): about 1/assistWorkPerByte

	// fractionalUtilizationGoal is the share of wall time for the fractional worker on every P
	// without a dedicated one; 0: none is needed.
	double fractionalUtilizationGoal;

	// The memory limit's inputs; they double fields of memstats.heapStats but are up to date.
	sysMemStat heapInUse;    // bytes in mSpanInUse spans
	sysMemStat heapReleased; // bytes given back to the OS
	sysMemStat heapFree;     // bytes in no span and not given back
	uint64_t totalAlloc;     // atomic: bytes allocated, ever
	uint64_t totalFree;      // atomic: bytes freed, ever
	uint64_t mappedReady;    // atomic: address space in state Ready (mem.h)

	bool test; // not gcController but a copy under test
} CACHE_ALIGNED gcControllerState;

extern gcControllerState gcController;

void gcControllerState_init(gcControllerState *c, int32_t gcPercent, int64_t memoryLimit);
void gcControllerState_startCycle(
	gcControllerState *c, int64_t markStartTime, int procs, struct gcTrigger trigger);
void gcControllerState_revise(gcControllerState *c);
void gcControllerState_endCycle(gcControllerState *c, int64_t now, int procs, bool userForced);
void gcControllerState_enlistWorker(gcControllerState *c);
// assignWaitingGCWorker returns ok; *nowp is the time, read if now was 0.
bool gcControllerState_assignWaitingGCWorker(
	gcControllerState *c, P *pp, int64_t now, int64_t *nowp);
// findRunnableGCWorker returns a worker for pp to run, or NULL; *nowp as above.
G *gcControllerState_findRunnableGCWorker(gcControllerState *c, P *pp, int64_t now, int64_t *nowp);
void gcControllerState_releaseNextGCMarkWorker(gcControllerState *c, P *pp);
void gcControllerState_resetLive(gcControllerState *c, uint64_t bytesMarked);
void gcControllerState_markWorkerStop(gcControllerState *c, int32_t mode, int64_t duration);
void gcControllerState_update(gcControllerState *c, int64_t dHeapLive, int64_t dHeapScan);
void gcControllerState_addScannableStack(gcControllerState *c, P *pp, int64_t amount);
void gcControllerState_addGlobals(gcControllerState *c, int64_t amount);
uint64_t gcControllerState_heapGoal(gcControllerState *c);
uint64_t gcControllerState_heapGoalInternal(gcControllerState *c, uint64_t *minTrigger);
uint64_t gcControllerState_memoryLimitHeapGoal(gcControllerState *c);
// trigger returns the heapLive at which a cycle starts, and the goal.
uint64_t gcControllerState_trigger(gcControllerState *c, uint64_t *goal);
void gcControllerState_commit(gcControllerState *c, bool isSweepDone);
int32_t gcControllerState_setGCPercent(gcControllerState *c, int32_t in);
int64_t gcControllerState_setMemoryLimit(gcControllerState *c, int64_t in);
bool gcControllerState_addIdleMarkWorker(gcControllerState *c);
bool gcControllerState_needIdleMarkWorker(gcControllerState *c);
void gcControllerState_removeIdleMarkWorker(gcControllerState *c);
void gcControllerState_setMaxIdleMarkWorkers(gcControllerState *c, int32_t max);

// setGCPercent and setMemoryLimit are runtime/debug's; on a user goroutine.
int32_t setGCPercent(int32_t in);
int64_t setMemoryLimit(int64_t in);
int32_t readGOGC(void);
int64_t readGOMEMLIMIT(void);
// gcControllerCommit commits gcController and tells sweeper and scavenger; on g0.
void gcControllerCommit(void);

#endif
