// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// A free-list allocator for off-heap objects of one size.  Ports mfixalloc.go of Go 1.26.8.
#ifndef GORT_RUNTIME_MFIXALLOC_H
#define GORT_RUNTIME_MFIXALLOC_H

#include "runtime/mem.h"

typedef struct mlink {
	struct mlink *next;
} mlink;

// fixalloc: the caller locks.  The first word of a free object is overwritten.
//	inuse == size * (objects allocated and not freed)
typedef struct fixalloc {
	uintptr_t size;                    // of an object
	void (*first)(void *arg, void *p); // called the first time p is returned
	void *arg;
	mlink *list;     // freed objects
	uintptr_t chunk; // next never-used byte
	uint32_t nchunk; // bytes left in the chunk
	uint32_t nalloc; // size of a new chunk
	uintptr_t inuse; // bytes
	sysMemStat *stat;
	bool zero; // clear what alloc returns; only false if it never holds heap pointers
} fixalloc;

void fixalloc_init(fixalloc *f, uintptr_t size, void (*first)(void *arg, void *p), void *arg,
	sysMemStat *stat);
void *fixalloc_alloc(fixalloc *f);
void fixalloc_free(fixalloc *f, void *p);

#endif
