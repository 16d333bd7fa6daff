// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The AllocFree experiment, GODEBUG=traceallocfree=1: spans, objects and stacks come and go in a batch
// kind of its own.  Ports traceallocfree.go of Go 1.26.8.
//
// PORT: goroutine stacks do not lie above the heap; their numbers wrap around, as readers' sums do.
#include "runtime/mbitmap.h"
#include "runtime/mgcmark_greenteagc.h"
#include "runtime/mheap.h"
#include "sched/stack.h"
#include "sched/trace.h"

enum {
	minHeapAlign = 8, // gc.MinHeapAlign
	fixedStack = 2048,
};

// objectType is the type of the object at x, NULL if that is not known.
static const _type *
objectType(mspan *s, uintptr_t x) {
	if (spanClass_noscan(s->spanclass))
		return NULL;
	if (heapBitsInSpan(s->elemsize))
		return NULL; // the span has bits only
	if (spanClass_sizeclass(s->spanclass) != 0)
		return *(const _type **)x; // its header
	return s->largeType;
}

// traceSpanID and the following are the numbers of things in a trace.
static uint64_t
traceSpanID(mspan *s) {
	return (s->startAddr - trace.minPageHeapAddr) / pageSize;
}

static uint64_t
traceSpanTypeAndClass(mspan *s) {
	if (mSpanStateBox_get(&s->state) == mSpanInUse)
		return (uint64_t)s->spanclass << 1;
	return 1;
}

static uint64_t
traceHeapObjectID(uintptr_t addr) {
	return (addr - trace.minPageHeapAddr) / minHeapAlign;
}

static uint64_t
traceGoroutineStackID(uintptr_t base) {
	return (base - trace.minPageHeapAddr) / fixedStack;
}

static uint64_t
traceCompressStackSize(uintptr_t size) {
	if ((size & (size - 1)) != 0)
		throw("goroutine stack size is not a power of 2");
	return (uint64_t)Len64(size);
}

// snapshotSpan writes a span and its objects.
static void
snapshotSpan(traceLocker tl, mspan *s) {
	if (mSpanStateBox_get(&s->state) == mSpanDead)
		return;
	EVENT(tl, GoRunning, ProcRunning, EvSpan, traceSpanID(s), s->npages,
		traceSpanTypeAndClass(s));
	if (mSpanStateBox_get(&s->state) != mSpanInUse)
		return;
	for (uintptr_t i = 0; i < s->nelems; i++) {
		if (i >= s->freeindex && !markBits_isMarked(mspan_allocBitsForIndex(s, i)))
			continue;
		uintptr_t x = s->startAddr + i * s->elemsize;
		EVENT(tl, GoRunning, ProcRunning, EvHeapObject, traceHeapObjectID(x),
			traceLocker_rtype(tl, objectType(s, x)));
	}
}

// snapshotStack writes the stack of gp, as large as its slot.
static void
snapshotStack(G *gp, void *a) {
	traceLocker tl = *(traceLocker *)a;

	if (gp->stack.lo == 0 || gp == getg()->m->g0)
		return;
	uintptr_t base = gp->stack.lo - stackguardsize(gp->stackslot);
	EVENT(tl, GoRunning, ProcRunning, EvGoroutineStack, traceGoroutineStackID(base),
		traceCompressStackSize(stackslotsize(gp->stackslot)));
}

// traceSnapshotMemory writes what there is when tracing starts.  The world is stopped.
void
traceSnapshotMemory(uintptr_t gen) {
	assertWorldStopped();

	traceWriter w = unsafeTraceExpWriter(gen, NULL, AllocFree);
	if (traceWriter_ensure(&w, 1 + 4 * traceBytesPerNumber))
		traceBuf_byte(w.buf, traceAllocFreeInfoBatch);
	traceBuf_varint(w.buf, trace.minPageHeapAddr);
	traceBuf_varint(w.buf, pageSize);
	traceBuf_varint(w.buf, minHeapAlign);
	traceBuf_varint(w.buf, fixedStack);
	traceWriter_flush(&w);

	traceLocker tl = traceAcquire();
	if (!traceLocker_ok(tl))
		throw("traceSnapshotMemory: tracing is not enabled");
	for (intptr_t i = 0; i < mheap_.nallspans; i++)
		snapshotSpan(tl, mheap_.allspans[i]);
	forEachGRace(snapshotStack, &tl);
	traceRelease(tl);
}

void
traceLocker_SpanAlloc(traceLocker tl, mspan *s) {
	EVENT(tl, GoRunning, ProcRunning, EvSpanAlloc, traceSpanID(s), s->npages,
		traceSpanTypeAndClass(s));
}

void
traceLocker_SpanFree(traceLocker tl, mspan *s) {
	EVENT(tl, GoRunning, ProcRunning, EvSpanFree, traceSpanID(s));
}

void
traceLocker_HeapObjectAlloc(traceLocker tl, uintptr_t addr, const _type *typ) {
	// PORT: by its slot, as when it is freed.  Go takes the address after a header.
	mspan *s = spanOfHeap(addr);
	if (s != NULL) {
		addr = s->startAddr + (addr - s->startAddr) / s->elemsize * s->elemsize;
		if (typ == NULL)
			typ = objectType(s, addr);
	}
	EVENT(tl, GoRunning, ProcRunning, EvHeapObjectAlloc, traceHeapObjectID(addr),
		traceLocker_rtype(tl, typ));
}

void
traceLocker_HeapObjectFree(traceLocker tl, uintptr_t addr) {
	EVENT(tl, GoRunning, ProcRunning, EvHeapObjectFree, traceHeapObjectID(addr));
}

void
traceLocker_GoroutineStackAlloc(traceLocker tl, uintptr_t base, uintptr_t size) {
	EVENT(tl, GoRunning, ProcRunning, EvGoroutineStackAlloc, traceGoroutineStackID(base),
		traceCompressStackSize(size));
}

void
traceLocker_GoroutineStackFree(traceLocker tl, uintptr_t base) {
	EVENT(tl, GoRunning, ProcRunning, EvGoroutineStackFree, traceGoroutineStackID(base));
}
