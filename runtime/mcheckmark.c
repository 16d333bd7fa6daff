// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Checkmarks.  Ports mcheckmark.go of Go 1.26.8.
//
// GODEBUG=gccheckmark=1: after each mark phase, while the world is stopped, everything reachable is
// gone through once more, with marks of their own, and must have been marked by the concurrent mark.
// That is how a store without a write barrier is found.
//
// PORT: words on stacks and in globals are exempt: they change without a barrier, and stale ones come
// and go, so they count only if their target is marked (grey_conservative).  Pointers from one heap
// object to another are verified strictly.
// PORT: the check of finalizers and cleanups is left out; there are none yet.
#include "runtime/mcheckmark.h"

#include "runtime/mgc.h"
#include "runtime/mgcmark.h"
#include "runtime/mstats.h"
#include "sched/proc.h"

bool useCheckmark;

// startCheckmarks clears the checkmarks and turns them on.  The world must be stopped.
void
startCheckmarks(void) {
	assertWorldStopped();

	for (intptr_t i = 0; i < mheap_.nheapArenas; i++) {
		heapArena *arena = arenaOf(mheap_.heapArenas[i]);
		checkmarksMap *bitmap = arena->checkmarks;
		if (bitmap == NULL) {
			bitmap = persistentalloc(sizeof(*bitmap), 0, &memstats.gcMiscSys);
			if (bitmap == NULL) {
				throw("out of memory allocating checkmarks bitmap");
			}
			arena->checkmarks = bitmap;
		} else {
			memset(bitmap->b, 0, sizeof(bitmap->b));
		}
	}

	useCheckmark = true;
}

void
endCheckmarks(void) {
	if (!gcIsMarkDone()) {
		throw("GC work not flushed");
	}
	useCheckmark = false;
}

// setCheckmark sets obj's checkmark and reports whether it was set.  It throws if obj, found at
// base+off, was not marked by the cycle.
bool
setCheckmark(uintptr_t obj, uintptr_t base, uintptr_t off, markBits mbits) {
	if (!markBits_isMarked(mbits)) {
		printlock();
		print("runtime: checkmarks found unexpected unmarked object obj=%#lx\n", obj);
		print("runtime: found obj at *(%#lx+%#lx)\n", base, off);

		gcDumpObject("base", base, off);
		gcDumpObject("obj", obj, ~(uintptr_t)0);

		getg()->m->traceback = 2;
		throw("checkmark found unmarked object");
	}
	uint8_t mask;
	uint8_t *bytep = getCheckmark(obj, &mask);
	if (bytep == NULL) {
		return false;
	}
	if ((atomic_Load(bytep) & mask) != 0) {
		return true;
	}
	(void)atomic_Or(bytep, mask);
	return false;
}

// getCheckmark returns where obj's checkmark is, NULL if obj is not in the heap.
uint8_t *
getCheckmark(uintptr_t obj, uint8_t *mask) {
	*mask = 0;
	heapArena *arena = heapArenaOf(obj);
	if (arena == NULL) {
		return NULL;
	}
	uintptr_t wordIdx = (obj - alignDown(obj, heapArenaBytes)) / PtrSize;
	*mask = (uint8_t)(1 << (wordIdx % 8));
	return &arena->checkmarks->b[wordIdx / 8];
}

// runCheckmark marks everything again, from the roots that prepareRootSet queues.
// The world must be stopped.
void
runCheckmark(void (*prepareRootSet)(gcWork *gcw)) {
	assertWorldStopped();

	// gcDrain stops when the world is to stop; here it is, and somebody may have asked this
	// goroutine to give way.
	atomic_Store(&sched.gcwaiting, false);
	startCheckmarks();
	gcResetMarkState();
	gcWork *gcw = &getg()->m->p->gcw;
	prepareRootSet(gcw);
	gcDrain(gcw, 0);
	wbBufFlush1(getg()->m->p);
	gcWork_dispose(gcw);
	endCheckmarks();
	atomic_Store(&sched.gcwaiting, true);
}
