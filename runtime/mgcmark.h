// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Marking: roots, stacks, assists (mgcmark.c) and the drain loops and scanning (mgcmark_drain.c).
// Ports mgcmark.go.
#ifndef GORT_RUNTIME_MGCMARK_H
#define GORT_RUNTIME_MGCMARK_H

#include "runtime/mgcwork.h"
#include "runtime/runtime.h"

enum {
	// The first root jobs.  PORT: Go's are finalizers, free G stacks and cleanups.
	fixedRootFreeGStacks = 0,
	fixedRootTimers, // timers in the heaps of all Ps, objects in pools
	fixedRootCount,

	rootBlockBytes = 256 << 10, // bytes of globals in one root job

	// maxObletBytes: larger objects are scanned in pieces of this size, which bounds the time
	// to a preemption check.  More than the largest small object, so that an object with oblets
	// begins at its span.
	maxObletBytes = 128 << 10,

	// drainCheckThreshold: scan work between two looks at whether to stop, in gcDrain.
	drainCheckThreshold = 100000,
};

typedef int gcDrainFlags;
enum {
	gcDrainUntilPreempt = 1 << 0,  // return when the goroutine is to be preempted
	gcDrainFlushBgCredit = 1 << 1, // credit scan work to the background pool
	gcDrainIdle = 1 << 2,          // return when there is other work to do
	gcDrainFractional = 1 << 3,    // return when the fractional worker has done its share
};

// ---- roots, stacks, assists: mgcmark.c ----

void gcPrepareMarkRoots(void);
void gcMarkRootCheck(void);
int64_t markroot(gcWork *gcw, uint32_t i, bool flushBgCredit);
void gcAssistAlloc(G *gp);
void gcWakeAllAssists(void);
bool gcParkAssist(void);
void gcFlushBgCredit(int64_t scanWork);
int64_t scanstack(G *gp, gcWork *gcw);
uint32_t gcNextMarkRoot(bool *ok);
// gcMarkWorkAvailable reports whether there is work that is not local to a P.
bool gcMarkWorkAvailable(void);

// ---- draining and scanning: mgcmark_drain.c ----

void gcDrainMarkWorkerIdle(gcWork *gcw);
void gcDrainMarkWorkerDedicated(gcWork *gcw, bool untilPreempt);
void gcDrainMarkWorkerFractional(gcWork *gcw);
void gcDrain(gcWork *gcw, gcDrainFlags flags);
int64_t gcDrainN(gcWork *gcw, int64_t scanWork);
// scanblock scans the words of [b, b+n) whose bits are set in ptrmask (NULL: all of them) as
// pointers.
void scanblock(uintptr_t b, uintptr_t n, const uint8_t *ptrmask, gcWork *gcw);
// scanConservative takes every word of [b, b+n) that looks like a pointer to an allocated object
// (into it or just past its end) for one.
void scanConservative(uintptr_t b, uintptr_t n, gcWork *gcw);
// scanObject scans the object, or the oblet, that begins at b.
void scanObject(uintptr_t b, gcWork *gcw);
// markPointer marks the object that p points into and returns it if it is to be queued for scanning;
// 0 if there is none, it was marked, or has no pointers.
uintptr_t markPointer(uintptr_t p, gcWork *gcw);
// shade greys the object that b points into, if any.  The P must not change meanwhile.
void shade(uintptr_t b);
void greyobject(
	uintptr_t obj, uintptr_t base, uintptr_t off, mspan *span, gcWork *gcw, uintptr_t objIndex);
void gcDumpObject(const char *label, uintptr_t obj, uintptr_t off);
void gcmarknewobject(mspan *span, uintptr_t obj);
void gcMarkTinyAllocs(void);
// mgcmark_drain_init computes the tables of the scan loops; see schedinit.
void mgcmark_drain_init(void);
// setHeapBounds_from_stw tells the scan loops the span of addresses of the heap.
void setHeapBounds_from_stw(void);

#endif
