// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Memory that is never freed: small pieces cut from large chunks.
// Ports persistentalloc of malloc.go of Go 1.26.8.
//
// Each P cuts from a chunk of its own, those without a P share one.  The chunks are linked through
// their first word, for inPersistentAlloc.
//
// PORT: Go runs persistentalloc on the system stack because a stack may grow inside; here it runs
// where it is.
#include "runtime/mem.h"
#include "runtime/mstats.h"
#include "sched/runtime2.h"

static struct {
	mutex lock;
	persistentAlloc persistentAlloc;
} globalAlloc
#ifdef GORT_LOCKRANK
	= {.lock = {.rank = lockRankGlobalAlloc}}
#endif
;

static uint8_t *persistentChunks; // atomic

void *
persistentalloc(uintptr_t size, uintptr_t align, sysMemStat *sysStat) {
	enum { maxBlock = 64 << 10 };

	if (size == 0)
		throw("persistentalloc: size == 0");
	if (align != 0) {
		if ((align & (align - 1)) != 0)
			throw("persistentalloc: align is not a power of 2");
		if (align > pageSize)
			throw("persistentalloc: align is too large");
	} else {
		align = 8;
	}

	if (size >= maxBlock) {
		void *p = sysAlloc(size, sysStat, "immortal metadata");
		// PORT: Go returns nil here and faults in the caller.
		if (p == NULL)
			throw("runtime: cannot allocate memory");
		return p;
	}

	M *mp = acquirem();
	bool global = mp == NULL || mp->p == NULL;
	persistentAlloc *persistent;
	if (!global) {
		persistent = &mp->p->palloc;
	} else {
		lock(&globalAlloc.lock);
		persistent = &globalAlloc.persistentAlloc;
	}
	persistent->off = alignUp(persistent->off, align);
	if (persistent->off + size > persistentChunkSize || persistent->base == NULL) {
		persistent->base =
			sysAlloc(persistentChunkSize, &memstats.other_sys, "immortal metadata");
		if (persistent->base == NULL) {
			if (global)
				unlock(&globalAlloc.lock);
			throw("runtime: cannot allocate memory");
		}

		for (;;) {
			uint8_t *chunks = atomic_Load(&persistentChunks);
			*(uint8_t **)(void *)persistent->base = chunks;
			if (atomic_Cas(&persistentChunks, chunks, persistent->base))
				break;
		}
		persistent->off = alignUp(PtrSize, align);
	}
	void *p = persistent->base + persistent->off;
	persistent->off += size;
	releasem(mp);
	if (global)
		unlock(&globalAlloc.lock);

	if (sysStat != &memstats.other_sys) {
		sysMemStat_add(sysStat, (int64_t)size);
		sysMemStat_add(&memstats.other_sys, -(int64_t)size);
	}
	return p;
}

bool
inPersistentAlloc(uintptr_t p) {
	uintptr_t chunk = (uintptr_t)atomic_Load(&persistentChunks);
	while (chunk != 0) {
		if (p >= chunk && p < chunk + persistentChunkSize)
			return true;
		chunk = *(uintptr_t *)chunk;
	}
	return false;
}
