// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The events of the wire format.  Ports internal/trace/tracev2 of Go 1.26.8.
#ifndef TOOLS_GT_EVENTS_H
#define TOOLS_GT_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

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

	EvSyncEvent = 255, // no event of the file: the reader's GT_SYNC
};

enum {
	NoExperiment,
	AllocFree,
	NumExperiments,
};

// Statuses, as in GoStatus and ProcStatus events.
enum {
	GoBad,
	GoRunnable,
	GoRunning,
	GoSyscall,
	GoWaiting,
	NumGoStatus,
};
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

typedef struct gt_spec {
	const char *name;
	const char *args[MaxTimedEventArgs]; // the first of a timed event is dt
	uint8_t nargs;
	uint8_t stack[2]; // arguments that are stacks, counted from 1; the first is that of who ran
	uint8_t string[2];  // arguments that are strings
	uint8_t start;      // of an end: the event that begins
	uint8_t experiment; // or NoExperiment
	bool timed;
} gt_spec;

extern const gt_spec gt_specs[MaxExperimentalEvent];

// gt_event_name is the name of an event for messages, as of the version of Go in the file's header.
const char *gt_event_name(int version, uint8_t typ);

#endif // TOOLS_GT_EVENTS_H
