// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The page cache of a P.
//
// Ports mpagecache.go of Go 1.26.8.
//
// A P takes the free ones of 64 aligned pages from the page allocator at once, and serves small
// spans from them without the heap lock.
#include "runtime/mpagecache.h"

#include "runtime/mpagealloc.h"

static uintptr_t pageCache_allocN(pageCache *c, uintptr_t npages, uintptr_t *scav);

// alloc takes npages pages and returns their address, 0 if there are none; *scav is how many bytes
// of them are scavenged, not valid after a failure.
uintptr_t
pageCache_alloc(pageCache *c, uintptr_t npages, uintptr_t *scav) {
	*scav = 0;
	if (c->cache == 0)
		return 0;
	if (npages == 1) {
		uintptr_t i = (uintptr_t)TrailingZeros64(c->cache);
		*scav = (c->scav >> i & 1) * pageSize;
		c->cache &= ~((uint64_t)1 << i);
		c->scav &= ~((uint64_t)1 << i);
		return c->base + i * pageSize;
	}
	return pageCache_allocN(c, npages, scav);
}

// allocN is alloc for any npages.
static uintptr_t
pageCache_allocN(pageCache *c, uintptr_t npages, uintptr_t *scav) {
	unsigned i = findBitRange64(c->cache, (unsigned)npages);
	if (i >= 64)
		return 0;
	uint64_t mask = ~(uint64_t)0 >> (64 - npages) << i;
	*scav = (uintptr_t)OnesCount64(c->scav & mask) * pageSize;
	c->cache &= ~mask;
	c->scav &= ~mask;
	return c->base + (uintptr_t)i * pageSize;
}

// flush gives the free pages back to p and empties the cache.  p->mheapLock must be held.
void
pageCache_flush(pageCache *c, pageAlloc *p) {
	assertLockHeld(p->mheapLock);

	if (pageCache_empty(c))
		return;
	chunkIdx ci = chunkIndex(c->base);
	unsigned pi = chunkPageIndex(c->base);

	// Rare: bit by bit will do.
	for (unsigned i = 0; i < 64; i++) {
		if ((c->cache >> i & 1) != 0) {
			pallocBits_free1(&pageAlloc_chunkOf(p, ci)->pallocBits, pi + i);
			scavengeIndex_free(&p->scav.index, ci, pi + i, 1);
		}
		if ((c->scav >> i & 1) != 0)
			pageBits_setRange(&pageAlloc_chunkOf(p, ci)->scavenged, pi + i, 1);
	}

	// As free does.
	offAddr b = {c->base};
	if (offAddr_lessThan(b, p->searchAddr))
		p->searchAddr = b;
	pageAlloc_update(p, c->base, pageCachePages, false, false);
	*c = (pageCache){0, 0, 0};
}

// allocToCache takes the free ones of the 64 aligned pages that contain the first free page; an
// empty cache if there is none.  p->mheapLock must be held.
pageCache
pageAlloc_allocToCache(pageAlloc *p) {
	assertLockHeld(p->mheapLock);

	pageCache c = {0, 0, 0};
	if (chunkIndex(p->searchAddr.a) >= p->end)
		return c; // beyond all chunks: nothing is free
	chunkIdx ci = chunkIndex(p->searchAddr.a);
	pallocData *chunk;
	if (p->summary[summaryLevels - 1].a[ci] != 0) {
		// There are free pages at or near searchAddr.
		chunk = pageAlloc_chunkOf(p, ci);
		unsigned newSearchIdx;
		unsigned j = pallocBits_find(
			&chunk->pallocBits, 1, chunkPageIndex(p->searchAddr.a), &newSearchIdx);
		if (j == ~0u)
			throw("bad summary data");
		c.base = chunkBase(ci) + alignDown(j, 64) * pageSize;
		c.cache = ~pallocBits_pages64(&chunk->pallocBits, j);
		c.scav = pageBits_block64(&chunk->scavenged, j);
	} else {
		offAddr searchAddr;
		uintptr_t addr = pageAlloc_find(p, 1, &searchAddr);
		if (addr == 0) {
			p->searchAddr = maxSearchAddr();
			return c;
		}
		ci = chunkIndex(addr);
		chunk = pageAlloc_chunkOf(p, ci);
		c.base = alignDown(addr, 64 * pageSize);
		c.cache = ~pallocBits_pages64(&chunk->pallocBits, chunkPageIndex(addr));
		c.scav = pageBits_block64(&chunk->scavenged, chunkPageIndex(addr));
	}

	// Take those pages, and only those.
	unsigned cpi = chunkPageIndex(c.base);
	pallocBits_allocPages64(&chunk->pallocBits, cpi, c.cache);
	pageBits_clearBlock64(&chunk->scavenged, cpi, c.cache & c.scav);
	pageAlloc_update(p, c.base, pageCachePages, false, true);
	scavengeIndex_alloc(&p->scav.index, ci, (unsigned)OnesCount64(c.cache));

	// Nothing is free up to the end of these pages.  searchAddr must point to mapped memory, so
	// it is the last page and not the one after it.
	p->searchAddr = (offAddr){c.base + pageSize * (pageCachePages - 1)};
	return c;
}
