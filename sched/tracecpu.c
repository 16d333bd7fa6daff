// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Samples of the CPU profiler in traces.  Ports tracecpu.go of Go 1.26.8.
#include "sched/trace.h"

// traceInitReadCPU gets the buffers for samples.  traceAdvanceSema is held.
void
traceInitReadCPU(void) {
	if (traceEnabled())
		throw("traceInitReadCPU called with trace enabled");
}

// traceStartReadCPU starts the goroutine that reads them.
void
traceStartReadCPU(void) {
}

// traceStopReadCPU ends it.
void
traceStopReadCPU(void) {
}

// traceReadCPU writes the samples of a generation that are there.
bool
traceReadCPU(uintptr_t gen) {
	return true;
}

// traceCPUFlush writes out the last batch of samples of a generation.
void
traceCPUFlush(uintptr_t gen) {
}

// traceCPUSample: see traceruntime.h.
void
traceCPUSample(G *gp, M *mp, P *pp, const uintptr_t *stk, int n) {
}
