// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// What a G, an M and a P keep for the execution tracer.  Ports the state of traceruntime.go and
// tracestatus.go of Go 1.26.8.
#ifndef GORT_SCHED_TRACESTATE_H
#define GORT_SCHED_TRACESTATE_H

#include "runtime/runtime.h"

#include "sched/tracev2.h"

typedef struct traceBuf traceBuf; // see trace.h

typedef uint64_t traceTime; // in units of 64 ns
enum { traceTimeDiv = 64 };

// traceBlockReason is why a goroutine blocks, as traces have it.
typedef uint8_t traceBlockReason;
enum {
	traceBlockGeneric,
	traceBlockForever,
	traceBlockNet,
	traceBlockSelect,
	traceBlockCondWait,
	traceBlockSync,
	traceBlockChanSend,
	traceBlockChanRecv,
	traceBlockGCMarkAssist,
	traceBlockGCSweep,
	traceBlockSystemGoroutine,
	traceBlockPreempted,
	traceBlockDebugCall,
	traceBlockUntilGCEnds,
	traceBlockSleep,
	traceBlockGCWeakToStrongWait,
	traceBlockSynctest,
	ntraceBlockReason,
};

// How much of the top of a stack a trace leaves out.  The functions that every event of a kind goes
// through (gopark, goready, mcall ...) are always left out; n >= 0 frames more, but of the runtime
// only and never the last before the program's.
enum {
	traceSkipAPI = 1000, // all but that last one: what the program has called; if it did
	traceSkipAll = 1001, // all of the runtime
};

// traceSchedResourceState is what the tracer knows of a G or P.  A reader of the trace meets it in
// each generation by its status first, and orders its events by seq.
typedef struct traceSchedResourceState {
	// statusTraced is, by generation modulo 2, the last generation in which the status was written.
	// Atomic.  PORT: Go has three flags, which have to be cleared in time.
	uintptr_t statusTraced[2];
	// seq counts its events by generation modulo 2.  Owned by who owns the resource.
	uint64_t seq[2];
} traceSchedResourceState;

typedef struct gTraceState {
	traceSchedResourceState r;
} gTraceState;

// traceStackCache is a stack that this M has put into the table of a generation.
typedef struct traceStackCache {
	uint64_t hash;
	uint64_t id;
	uintptr_t gen;
} traceStackCache;

typedef struct mTraceState {
	bool writing;       // atomic: this M is between traceAcquire and traceRelease
	bool gout;          // curg is stopped in place: no event is about it
	uint32_t reentered; // depth of traceAcquire within traceAcquire
	uintptr_t entryGen; // generation of the outermost one
	uint64_t found; // time stamp counter when the goroutine to start was found; 0: not known
	traceBuf *buf[2][NumExperiments]; // by generation modulo 2
	M *link;                          // traceAdvance's list
	traceStackCache stacks[32];       // by hash
} mTraceState;

typedef struct pTraceState {
	traceSchedResourceState r;
	int64_t mSyscallID;  // tid of the M that has the P in a system call, else -1
	bool maySweep;       // between GCSweepStart and GCSweepDone
	bool inSweep;        // an event says that a sweep has begun
	uintptr_t swept;     // bytes
	uintptr_t reclaimed; // bytes
} pTraceState;

#endif
