// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Memory for the tables of the tracer.  Ports traceregion.go of Go 1.26.8.
#include "runtime/mem.h"
#include "runtime/mstats.h"
#include "sched/trace.h"

enum { traceRegionAllocBlockData = (64 << 10) - 16 };

struct traceRegionAllocBlock {
	traceRegionAllocBlock *next;
	uintptr_t off; // atomic: bytes given out
	uint8_t data[traceRegionAllocBlockData];
};

struct traceRegionAlloc_args {
	traceRegionAlloc *a;
	uintptr_t n;
	void *x;
};

// fromBlock takes n bytes of block; NULL if it does not have them.
static void *
fromBlock(traceRegionAllocBlock *block, uintptr_t n) {
	if (block == NULL)
		return NULL;
	uintptr_t r = atomic_Xadd(&block->off, n);
	return r <= traceRegionAllocBlockData ? &block->data[r - n] : NULL;
}

static void
traceRegionAlloc_1(void *p) {
	struct traceRegionAlloc_args *args = p;
	traceRegionAlloc *a = args->a;

	lock(&a->lock);
	traceRegionAllocBlock *block = atomic_Load(&a->current);
	args->x = fromBlock(block, args->n);
	if (args->x != NULL) { // somebody else was faster
		unlock(&a->lock);
		return;
	}
	if (block != NULL) {
		block->next = a->full;
		a->full = block;
	}
	block = sysAlloc(sizeof *block, &memstats.other_sys, "trace arena alloc");
	if (block == NULL)
		throw("traceRegion: out of memory");
	atomic_Store(&block->off, args->n);
	args->x = block->data;
	atomic_Store(&a->current, block);
	unlock(&a->lock);
}

// traceRegionAlloc_alloc returns n zeroed bytes.
void *
traceRegionAlloc_alloc(traceRegionAlloc *a, uintptr_t n) {
	n = alignUp(n, 8);
	if (n > traceRegionAllocBlockData)
		throw("traceRegion: alloc too large");
	if (atomic_Load(&a->dropping))
		throw("traceRegion: alloc with concurrent drop");

	void *x = fromBlock(atomic_Load(&a->current), n);
	if (x != NULL)
		return x;
	struct traceRegionAlloc_args args = {a, n, NULL};
	systemstack(traceRegionAlloc_1, &args);
	return args.x;
}

// traceRegionAlloc_drop frees everything.  Nobody uses the region any more.
void
traceRegionAlloc_drop(traceRegionAlloc *a) {
	atomic_Store(&a->dropping, true);
	while (a->full != NULL) {
		traceRegionAllocBlock *block = a->full;
		a->full = block->next;
		sysFree(block, sizeof *block, &memstats.other_sys);
	}
	traceRegionAllocBlock *block = atomic_Load(&a->current);
	if (block != NULL) {
		sysFree(block, sizeof *block, &memstats.other_sys);
		atomic_Store(&a->current, (traceRegionAllocBlock *)NULL);
	}
	atomic_Store(&a->dropping, false);
}
