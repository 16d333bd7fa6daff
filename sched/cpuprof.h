// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The CPU profiler.  Ports cpuprof.go; see cpuprof.c.
#ifndef GORT_SCHED_CPUPROF_H
#define GORT_SCHED_CPUPROF_H

#include "runtime/mgcwork.h"
#include "runtime/runtime.h"

enum { maxCPUProfStack = 64 };

void cpuprofinit(void); // for schedinit

// SetCPUProfileRate starts the profiler with hz samples a second of CPU time, or stops it (hz <= 0).
void SetCPUProfileRate(int hz);
// readProfile returns the next records of the profile, as profBuf_read does; it blocks.  The first one
// has the rate as its header and no stack.  *eof: profiling is off and all has been read.
uint64_t *readProfile(intptr_t *ndata, void ***tags, intptr_t *ntags, bool *eof);

// setThreadCPUProfiler starts or stops the timer of this thread.
void setThreadCPUProfiler(int32_t hz);
// sigprof takes a sample: the thread of mp, on gp, was interrupted at pc.  code is the signal's, which
// tells the timers apart.  In a signal handler.
void sigprof(uintptr_t pc, uintptr_t sp, uintptr_t bp, G *gp, M *mp, int code);
// sigprofNonGo is the same for a thread that is none of the runtime's.
void sigprofNonGo(uintptr_t pc, int code);

// validSIGPROF reports whether a signal with that code counts on the thread of mp; NULL: a foreign one.
bool validSIGPROF(M *mp, int code);

// cpuprof_scan marks the labels that the profile's samples hold.
void cpuprof_scan(gcWork *gcw);

// What stands in a profile for what has no stack.
void lostProfileEvent(void);

#endif
