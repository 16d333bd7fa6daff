// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The page cache of a P: 64 pages to allocate from without a lock.  Ports mpagecache.go.
#ifndef GORT_RUNTIME_MPAGECACHE_H
#define GORT_RUNTIME_MPAGECACHE_H

#include "runtime/runtime.h"

typedef struct pageAlloc pageAlloc;

enum {
	pageCachePages = 64,
};

typedef struct pageCache {
	uintptr_t base; // address of the first of the 64 pages
	uint64_t cache; // 1: a free page
	uint64_t scav;  // 1: a scavenged page
} pageCache;

// pageCache_empty reports whether the cache has no free page.
static inline bool
pageCache_empty(const pageCache *c) {
	return c->cache == 0;
}

uintptr_t pageCache_alloc(pageCache *c, uintptr_t npages, uintptr_t *scav);
void pageCache_flush(pageCache *c, pageAlloc *p);
pageCache pageAlloc_allocToCache(pageAlloc *p);

#endif
