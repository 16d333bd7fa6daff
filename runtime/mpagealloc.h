// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The page allocator: a bitmap of pages in chunks, searched through a radix tree of summaries.
// Ports the types of mpagealloc.go and mpagealloc_64bit.go.
#ifndef GORT_RUNTIME_MPAGEALLOC_H
#define GORT_RUNTIME_MPAGEALLOC_H

#include "runtime/malloc_const.h"
#include "runtime/mem.h"
#include "runtime/mgcscavenge.h"
#include "runtime/mpagecache.h"
#include "runtime/mpallocbits.h"
#include "runtime/mranges.h"
#include "runtime/runtime.h"

enum {
	summaryLevels = 5,
	summaryLevelBits = 3,
	summaryL0Bits = heapAddrBits - logPallocChunkBytes - (summaryLevels - 1) * summaryLevelBits,

	pallocChunksL1Bits = 13,
	pallocChunksL2Bits = heapAddrBits - logPallocChunkBytes - pallocChunksL1Bits,
	pallocChunksL1Shift = pallocChunksL2Bits,

	pallocSumBytes = sizeof(pallocSum),
	logMaxPackedValue = logPallocChunkPages + (summaryLevels - 1) * summaryLevelBits,
	maxPackedValue = 1 << logMaxPackedValue,
};

#define freeChunkSum                                                                      \
	((pallocSum)pallocChunkPages | (pallocSum)pallocChunkPages << logMaxPackedValue | \
		(pallocSum)pallocChunkPages << (2 * logMaxPackedValue))

typedef struct pallocDataL2 {
	pallocData a[1 << pallocChunksL2Bits];
} pallocDataL2;

struct pageAlloc {
	// The radix tree, one array for each level. cap is what is reserved, len what was needed so
	// far; only what inUse covers is mapped.
	struct {
		pallocSum *a;
		intptr_t len;
		intptr_t cap;
	} summary[summaryLevels];

	// chunks is a two-level array of bitmaps, indexed by chunkIdx; see chunkOf.
	pallocDataL2 *chunks[1 << pallocChunksL1Bits];

	// No free page lies below.  It points into inUse or is maxOffAddr.
	offAddr searchAddr;

	chunkIdx start; // [start, end) may be in use
	chunkIdx end;

	addrRanges inUse; // what grow was called for

	struct {
		scavengeIndex index;
		uintptr_t releasedBg;    // atomic; bytes of the background scavenger in this cycle
		uintptr_t releasedEager; // atomic; bytes of allocation's
	} scav;

	mutex *mheapLock; // &mheap_.lock, or a test's; protects all of it

	sysMemStat *sysStat; // of the metadata
	uintptr_t summaryMappedReady;
	bool chunkHugePages;
	bool test;
};

extern const unsigned levelBits[summaryLevels];
extern const unsigned levelShift[summaryLevels];
extern const unsigned levelLogPages[summaryLevels];

// maxSearchAddr says that there is no free page.
static inline offAddr
maxSearchAddr(void) {
	return maxOffAddr;
}

static inline chunkIdx
chunkIndex(uintptr_t p) {
	return (p - arenaBaseOffset) / pallocChunkBytes;
}

static inline uintptr_t
chunkBase(chunkIdx ci) {
	return ci * pallocChunkBytes + arenaBaseOffset;
}

static inline unsigned
chunkPageIndex(uintptr_t p) {
	return (unsigned)(p % pallocChunkBytes / pageSize);
}

static inline unsigned
chunkIdx_l1(chunkIdx i) {
	return (unsigned)(i >> pallocChunksL1Shift);
}

static inline unsigned
chunkIdx_l2(chunkIdx i) {
	return (unsigned)(i & ((1 << pallocChunksL2Bits) - 1));
}

// chunkOf needs a chunk that grow has added.
static inline pallocData *
pageAlloc_chunkOf(pageAlloc *p, chunkIdx ci) {
	return &p->chunks[chunkIdx_l1(ci)]->a[chunkIdx_l2(ci)];
}

void addrsToSummaryRange(int level, uintptr_t base, uintptr_t limit, intptr_t *lo, intptr_t *hi);

void pageAlloc_init(pageAlloc *p, mutex *mheapLock, sysMemStat *sysStat, bool test);
// tryChunkOf returns NULL where nothing is mapped.
pallocData *pageAlloc_tryChunkOf(pageAlloc *p, chunkIdx ci);
// For all of these p->mheapLock must be held.
void pageAlloc_grow(pageAlloc *p, uintptr_t base, uintptr_t size);
void pageAlloc_update(pageAlloc *p, uintptr_t base, uintptr_t npages, bool contig, bool alloc);
uintptr_t pageAlloc_allocRange(pageAlloc *p, uintptr_t base, uintptr_t npages);
uintptr_t pageAlloc_find(pageAlloc *p, uintptr_t npages, offAddr *searchAddr);
// alloc returns the address of npages free pages, 0 if there are none, and how many bytes of them
// are scavenged.
uintptr_t pageAlloc_alloc(pageAlloc *p, uintptr_t npages, uintptr_t *scav);
void pageAlloc_free(pageAlloc *p, uintptr_t base, uintptr_t npages);
void pageAlloc_markRandomPaddingPages(pageAlloc *p, uintptr_t base, uintptr_t npages);

// mheap_.lock must not be held; on the system stack.
void pageAlloc_enableChunkHugePages(pageAlloc *p);

// in mpagealloc_64bit.c
void pageAlloc_sysInit(pageAlloc *p, bool test);
void pageAlloc_sysGrow(pageAlloc *p, uintptr_t base, uintptr_t limit);

// start, max and end of a packed summary.
static inline unsigned
pallocSum_start(pallocSum p) {
	if (p >> 63 != 0)
		return maxPackedValue;
	return (unsigned)(p & (maxPackedValue - 1));
}

static inline unsigned
pallocSum_max(pallocSum p) {
	if (p >> 63 != 0)
		return maxPackedValue;
	return (unsigned)(p >> logMaxPackedValue & (maxPackedValue - 1));
}

static inline unsigned
pallocSum_end(pallocSum p) {
	if (p >> 63 != 0)
		return maxPackedValue;
	return (unsigned)(p >> (2 * logMaxPackedValue) & (maxPackedValue - 1));
}

static inline pallocSum
packPallocSum(unsigned start, unsigned most, unsigned end) {
	if (most == maxPackedValue)
		return (pallocSum)1 << 63;
	return ((pallocSum)start & (maxPackedValue - 1)) |
	       ((pallocSum)most & (maxPackedValue - 1)) << logMaxPackedValue |
	       ((pallocSum)end & (maxPackedValue - 1)) << (2 * logMaxPackedValue);
}

pallocSum mergeSummaries(const pallocSum *sums, int nsums, unsigned logMaxPagesPerSum);

#endif
