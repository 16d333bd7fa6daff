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

// roots_init prepares the registry.  Called by schedinit.
void roots_init(void);
// roots_register makes the object that addr lies in (the program or a shared object) a root, and
// keeps it loaded.
void roots_register(const void *addr);
// roots_snapshot takes down the ranges that this cycle scans.  Called by gcStart before it stops
// the world: the dynamic linker's lock may be held by a thread that is stopped in place.
void roots_snapshot(void);
// roots_bytes is the size of the snapshot (gcController.globalsScan).
uint64_t roots_bytes(void);
// roots_jobs is how many root jobs the snapshot is scanned in.
uint32_t roots_jobs(void);
// roots_scan_job scans the i'th block of the snapshot and returns the bytes scanned.
int64_t roots_scan_job(gcWork *gcw, uint32_t i);
// roots_rescan_from_stw scans the snapshot again into gcw, for stores to globals that missed the
// barrier; it reports whether that greyed an object.  Ranges above the limit are skipped.
// gcMarkDone calls it with the world stopped, before it looks for work that is left.
bool roots_rescan_from_stw(gcWork *gcw);
// roots_rescan_skipped is how many bytes the last rescan left out, for gctrace.
uint64_t roots_rescan_skipped(void);

// The pieces, for the tests.
intptr_t roots_subtract(rootRange *r, intptr_t n, intptr_t capr, rootRange hole);
intptr_t roots_collect(rootRange *r, intptr_t capr);

#endif
