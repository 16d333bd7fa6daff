// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Why a goroutine waits.  Ports waitReason of runtime2.go: same order, same texts.
#ifndef GORT_RUNTIME_WAITREASON_H
#define GORT_RUNTIME_WAITREASON_H

#include <stdbool.h>
#include <stdint.h>

#define WAITREASONS(X)                                                      \
	X(waitReasonZero, "")                                               \
	X(waitReasonGCAssistMarking, "GC assist marking")                   \
	X(waitReasonIOWait, "IO wait")                                      \
	X(waitReasonDumpingHeap, "dumping heap")                            \
	X(waitReasonGarbageCollection, "garbage collection")                \
	X(waitReasonGarbageCollectionScan, "garbage collection scan")       \
	X(waitReasonPanicWait, "panicwait")                                 \
	X(waitReasonGCAssistWait, "GC assist wait")                         \
	X(waitReasonGCSweepWait, "GC sweep wait")                           \
	X(waitReasonGCScavengeWait, "GC scavenge wait")                     \
	X(waitReasonFinalizerWait, "finalizer wait")                        \
	X(waitReasonForceGCIdle, "force gc (idle)")                         \
	X(waitReasonUpdateGOMAXPROCSIdle, "GOMAXPROCS updater (idle)")      \
	X(waitReasonSemacquire, "semacquire")                               \
	X(waitReasonSleep, "sleep")                                         \
	X(waitReasonChanReceiveNilChan, "chan receive (nil chan)")          \
	X(waitReasonChanSendNilChan, "chan send (nil chan)")                \
	X(waitReasonSelectNoCases, "select (no cases)")                     \
	X(waitReasonSelect, "select")                                       \
	X(waitReasonChanReceive, "chan receive")                            \
	X(waitReasonChanSend, "chan send")                                  \
	X(waitReasonSyncCondWait, "sync.Cond.Wait")                         \
	X(waitReasonSyncMutexLock, "sync.Mutex.Lock")                       \
	X(waitReasonSyncRWMutexRLock, "sync.RWMutex.RLock")                 \
	X(waitReasonSyncRWMutexLock, "sync.RWMutex.Lock")                   \
	X(waitReasonSyncWaitGroupWait, "sync.WaitGroup.Wait")               \
	X(waitReasonTraceReaderBlocked, "trace reader (blocked)")           \
	X(waitReasonWaitForGCCycle, "wait for GC cycle")                    \
	X(waitReasonGCWorkerIdle, "GC worker (idle)")                       \
	X(waitReasonGCWorkerActive, "GC worker (active)")                   \
	X(waitReasonPreempted, "preempted")                                 \
	X(waitReasonDebugCall, "debug call")                                \
	X(waitReasonGCMarkTermination, "GC mark termination")               \
	X(waitReasonStoppingTheWorld, "stopping the world")                 \
	X(waitReasonFlushProcCaches, "flushing proc caches")                \
	X(waitReasonTraceGoroutineStatus, "trace goroutine status")         \
	X(waitReasonTraceProcStatus, "trace proc status")                   \
	X(waitReasonPageTraceFlush, "page trace flush")                     \
	X(waitReasonCoroutine, "coroutine")                                 \
	X(waitReasonGCWeakToStrongWait, "GC weak to strong wait")           \
	X(waitReasonSynctestRun, "synctest.Run")                            \
	X(waitReasonSynctestWait, "synctest.Wait")                          \
	X(waitReasonSynctestChanReceive, "chan receive (durable)")          \
	X(waitReasonSynctestChanSend, "chan send (durable)")                \
	X(waitReasonSynctestSelect, "select (durable)")                     \
	X(waitReasonSynctestWaitGroupWait, "sync.WaitGroup.Wait (durable)") \
	X(waitReasonCleanupWait, "cleanup wait")

typedef uint8_t waitReason;
enum {
#define X(name, text) name,
	WAITREASONS(X)
#undef X
		nwaitReason,
};

extern const char *const waitReasonStrings[nwaitReason]; // gdb looks at it
const char *waitReason_String(waitReason w);
bool waitReason_isMutexWait(waitReason w);
bool waitReason_isSyncWait(waitReason w);
bool waitReason_isChanWait(waitReason w);
// isWaitingForSuspendG: in _Gwaiting only so that suspendG may take it; in fact it runs.
bool waitReason_isWaitingForSuspendG(waitReason w);

#endif
