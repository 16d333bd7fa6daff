// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Roots in globals: the writable segments of the program and of the shared objects that use gort.
// Only in gort: Go's linker hands its runtime the ranges.
#ifndef GORT_RUNTIME_MROOTS_H
#define GORT_RUNTIME_MROOTS_H

#include "runtime/mgcwork.h"
#include "runtime/runtime.h"

typedef struct rootRange {
	uintptr_t base;
	uintptr_t limit;
} rootRange;

enum {
	// The second scan, in the pause, leaves out what is larger: a range, and what all of them
	// together take beyond the total (about 0.07 ms for 1 MB).
	rescanMaxRange = 4 << 20,
	rescanMaxTotal = 16 << 20,
};

// roots_init tells the pacer how much there is.  Called by schedinit.
void roots_init(void);
// roots_register makes the globals of the program or shared object that addr lies in a root, and
// keeps it loaded.  It may come before schedinit and from threads without a G.
void roots_register(const void *addr);
// roots_snapshot takes down what the cycle that is about to start is to scan.  While nobody marks.
void roots_snapshot(void);
// roots_bytes is the size of the snapshot.
uint64_t roots_bytes(void);
// roots_jobs is the number of root jobs that the snapshot makes.
uint32_t roots_jobs(void);
// roots_scan_job does job i of the snapshot and returns the bytes scanned.
int64_t roots_scan_job(gcWork *gcw, uint32_t i);
// roots_rescan_from_stw scans the snapshot again, for stores to globals that went round the barrier,
// and reports whether gcw has work now.  Called by gcMarkDone with the world stopped, before it looks
// for work that is left.
bool roots_rescan_from_stw(gcWork *gcw);
// roots_rescan_skipped is how many bytes the last rescan left out.
uint64_t roots_rescan_skipped(void);

// roots_subtract takes hole out of the n ranges in r, and returns how many there are then: one range
// may become two.  -1 if that is more than capr; then r is as it was.
intptr_t roots_subtract(rootRange *r, intptr_t n, intptr_t capr, rootRange hole);
// roots_collect copies up to capr ranges of the snapshot to r and returns how many there are.
intptr_t roots_collect(rootRange *r, intptr_t capr);

#endif
