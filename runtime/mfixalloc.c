// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// A free-list allocator for off-heap objects of one size.  Ports mfixalloc.go of Go 1.26.8.
#include "runtime/mfixalloc.h"

// fixalloc_init prepares f for objects of size bytes; first is called with arg for each new object,
// not for one that comes back from the free list.
void
fixalloc_init(fixalloc *f, uintptr_t size, void (*first)(void *arg, void *p), void *arg,
	sysMemStat *stat) {
	if (size > _FixAllocChunk)
		throw("runtime: fixalloc size too large");
	size = max(size, sizeof(mlink));

	f->size = size;
	f->first = first;
	f->arg = arg;
	f->list = NULL;
	f->chunk = 0;
	f->nchunk = 0;
	f->nalloc = (uint32_t)(_FixAllocChunk / size * size); // no waste at the end
	f->inuse = 0;
	f->stat = stat;
	f->zero = true;
}

void *
fixalloc_alloc(fixalloc *f) {
	if (f->size == 0) {
		print("runtime: use of FixAlloc_Alloc before FixAlloc_Init\n");
		throw("runtime: internal error");
	}

	if (f->list != NULL) {
		void *v = f->list;
		f->list = f->list->next;
		f->inuse += f->size;
		if (f->zero)
			memclrNoHeapPointers(v, f->size);
		return v;
	}
	if (f->nchunk < f->size) {
		f->chunk = (uintptr_t)persistentalloc(f->nalloc, 0, f->stat);
		f->nchunk = f->nalloc;
	}

	void *v = (void *)f->chunk;
	if (f->first != NULL)
		f->first(f->arg, v);
	f->chunk += f->size;
	f->nchunk -= (uint32_t)f->size;
	f->inuse += f->size;
	return v;
}

void
fixalloc_free(fixalloc *f, void *p) {
	f->inuse -= f->size;
	mlink *v = p;
	v->next = f->list;
	f->list = v;
}
