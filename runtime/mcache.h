// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The cache of spans that each P allocates from.  Ports mcache.go of Go 1.26.8.
#ifndef GORT_RUNTIME_MCACHE_H
#define GORT_RUNTIME_MCACHE_H

#include "runtime/runtime.h"

#include "runtime/mheap.h"

// mcache belongs to a P, so nothing here is locked.  It lies off the heap.
// PORT: no stackcache (stacks are slots, cached in P), no reusableNoscan (freegc is off in Go).
struct mcache {
	// Bytes to allocate until the next sample of the memory profile; < 0: profilealloc is next.  While
	// a trace wants each object (traceObjects) it is -1, and what it would be is in
	// heldSample, which is -1 otherwise.
	int64_t nextSample;
	uintptr_t scanAlloc; // bytes of scannable heap allocated since the last flush

	// The block that small pointer-free objects are packed into; 0: none.  A heap pointer that
	// nobody scans: releaseAll clears it during mark termination.
	uintptr_t tiny;
	uintptr_t tinyoffset;
	uintptr_t tinyAllocs; // objects packed since the last flush
	int64_t heldSample;   // see nextSample

	mspan *alloc[numSpanClasses]; // spans to allocate from; &emptymspan: none

	// flushGen is the sweepgen at which the cache was flushed last.  If it is not
	// mheap_.sweepgen, its spans are stale: prepareForSweep, from acquirep, releases them.
	uint32_t flushGen; // atomic
};

extern mspan emptymspan; // has no free object
// mcache0, of the bootstrap, is declared in sched/proc.h.

mcache *allocmcache(void);
void freemcache(mcache *c);
void mcache_refill(mcache *c, spanClass spc);
mspan *mcache_allocLarge(mcache *c, uintptr_t size, bool noscan);
void mcache_releaseAll(mcache *c);
void mcache_prepareForSweep(mcache *c);

#endif
