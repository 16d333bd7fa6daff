// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The wire format of execution traces: the numbers that its writer, sched/trace*.c, and its reader,
// tools/gt_*.c, agree on.  Constants only.  Ports internal/trace/tracev2 of Go 1.26.8.
#ifndef GORT_SCHED_TRACEV2_H
#define GORT_SCHED_TRACEV2_H

#include <stdint.h>

typedef uint8_t traceEv;
enum {
	EvNone,

	// Structure
	EvEventBatch,
	EvStacks,
	EvStack,
	EvStrings,
	EvString,
	EvCPUSamples,
	EvCPUSample,
	EvFrequency,

	// Procs
	EvProcsChange,
	EvProcStart,
	EvProcStop,
	EvProcSteal,
	EvProcStatus,

	// Goroutines
	EvGoCreate,
	EvGoCreateSyscall,
	EvGoStart,
	EvGoDestroy,
	EvGoDestroySyscall,
	EvGoStop,
	EvGoBlock,
	EvGoUnblock,
	EvGoSyscallBegin,
	EvGoSyscallEnd,
	EvGoSyscallEndBlocked,
	EvGoStatus,

	// The world stopped
	EvSTWBegin,
	EvSTWEnd,

	// Collector
	EvGCActive,
	EvGCBegin,
	EvGCEnd,
	EvGCSweepActive,
	EvGCSweepBegin,
	EvGCSweepEnd,
	EvGCMarkAssistActive,
	EvGCMarkAssistBegin,
	EvGCMarkAssistEnd,
	EvHeapAlloc,
	EvHeapGoal,

	// Annotations
	EvGoLabel,
	EvUserTaskBegin,
	EvUserTaskEnd,
	EvUserRegionBegin,
	EvUserRegionEnd,
	EvUserLog,

	// Coroutines (Go 1.23)
	EvGoSwitch,
	EvGoSwitchDestroy,
	EvGoCreateBlocked,
	EvGoStatusStack,

	EvExperimentalBatch, // Go 1.23
	EvSync,              // Go 1.25
	EvClockSnapshot,     // Go 1.25
	EvEndOfGeneration,   // Go 1.26
	NumEvents,

	// Experiment AllocFree
	EvSpan = 128,
	EvSpanAlloc,
	EvSpanFree,
	EvHeapObject,
	EvHeapObjectAlloc,
	EvHeapObjectFree,
	EvGoroutineStack,
	EvGoroutineStackAlloc,
	EvGoroutineStackFree,
	MaxExperimentalEvent,
};

enum { // Experiment
	NoExperiment,
	AllocFree,
	NumExperiments,
};

// Statuses, as in GoStatus and ProcStatus events.
typedef uint8_t traceGoStatus;
enum {
	GoBad,
	GoRunnable,
	GoRunning,
	GoSyscall,
	GoWaiting,
	NumGoStatus,
};
typedef uint8_t traceProcStatus;
enum {
	ProcBad,
	ProcRunning,
	ProcIdle,
	ProcSyscall,
	ProcSyscallAbandoned,
	NumProcStatus,
};

enum {
	MaxTimedEventArgs = 5, // with the time
	MaxBatchSize = 64 << 10,
	MaxFramesPerStack = 128,
	MaxEventTrailerDataSize = 1 << 10,
};

#endif
