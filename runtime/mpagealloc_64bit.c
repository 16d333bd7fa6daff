// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The page allocator's memory: each level of the tree is reserved as a whole, and mapped where the
// heap is.
//
// Ports mpagealloc_64bit.go of Go 1.26.8.
#include "runtime/mpagealloc.h"

// levelBits: log2 of the entries of a block in a level.
const unsigned levelBits[summaryLevels] = {
	summaryL0Bits,
	summaryLevelBits,
	summaryLevelBits,
	summaryLevelBits,
	summaryLevelBits,
};

// levelShift: log2 of the bytes that a summary of a level covers.
const unsigned levelShift[summaryLevels] = {
	heapAddrBits - summaryL0Bits,
	heapAddrBits - summaryL0Bits - 1 * summaryLevelBits,
	heapAddrBits - summaryL0Bits - 2 * summaryLevelBits,
	heapAddrBits - summaryL0Bits - 3 * summaryLevelBits,
	heapAddrBits - summaryL0Bits - 4 * summaryLevelBits,
};

// levelLogPages: log2 of the pages that a summary of a level covers.
const unsigned levelLogPages[summaryLevels] = {
	logPallocChunkPages + 4 * summaryLevelBits,
	logPallocChunkPages + 3 * summaryLevelBits,
	logPallocChunkPages + 2 * summaryLevelBits,
	logPallocChunkPages + 1 * summaryLevelBits,
	logPallocChunkPages,
};

// sysInit reserves the levels.
void
pageAlloc_sysInit(pageAlloc *p, bool test) {
	for (int l = 0; l < summaryLevels; l++) {
		intptr_t entries = (intptr_t)1 << (heapAddrBits - levelShift[l]);
		uintptr_t b = alignUp((uintptr_t)entries * pallocSumBytes, physPageSize);
		void *r = sysReserve(NULL, b, "page summary");
		if (r == NULL)
			throw("failed to reserve page summary memory");
		p->summary[l].a = r;
		p->summary[l].len = 0;
		p->summary[l].cap = entries;
	}
}

// summaryRangeToSumAddrRange is the pages of memory that hold entries [lo, hi) of level l.
static addrRange
summaryRangeToSumAddrRange(pageAlloc *p, int l, intptr_t lo, intptr_t hi) {
	uintptr_t base = (uintptr_t)p->summary[l].a;
	uintptr_t baseOffset = alignDown((uintptr_t)lo * pallocSumBytes, physPageSize);
	uintptr_t limitOffset = alignUp((uintptr_t)hi * pallocSumBytes, physPageSize);
	return (addrRange){{base + baseOffset}, {base + limitOffset}};
}

// addrRangeToSummaryRange is the entries [*lo, *hi), in whole blocks, of level l for r.
static void
addrRangeToSummaryRange(int l, addrRange r, intptr_t *lo, intptr_t *hi) {
	addrsToSummaryRange(l, r.base.a, r.limit.a, lo, hi);
	uintptr_t e = (uintptr_t)1 << levelBits[l];
	*lo = (intptr_t)alignDown((uintptr_t)*lo, e);
	*hi = (intptr_t)alignUp((uintptr_t)*hi, e);
}

// addrRangeToSumAddrRange is the memory of level l for r.
static addrRange
addrRangeToSumAddrRange(pageAlloc *p, int l, addrRange r) {
	intptr_t lo;
	intptr_t hi;
	addrRangeToSummaryRange(l, r, &lo, &hi);
	return summaryRangeToSumAddrRange(p, l, lo, hi);
}

// sysGrow maps what the summaries of [base, limit) need, whole chunks. p->inUse does not contain it
// yet.
void
pageAlloc_sysGrow(pageAlloc *p, uintptr_t base, uintptr_t limit) {
	if (base % pallocChunkBytes != 0 || limit % pallocChunkBytes != 0) {
		print("runtime: base = 0x%lx, limit = 0x%lx\n", base, limit);
		throw("sysGrow bounds not aligned to pallocChunkBytes");
	}

	// [base, limit) is new, so this is where it will stand in inUse: its neighbours are the
	// only ones that may have mapped some of the same pages of summaries.
	intptr_t inUseIndex = addrRanges_findSucc(&p->inUse, base);

	for (int l = 0; l < summaryLevels; l++) {
		intptr_t needIdxBase;
		intptr_t needIdxLimit;
		addrRangeToSummaryRange(l, makeAddrRange(base, limit), &needIdxBase, &needIdxLimit);
		if (needIdxLimit > p->summary[l].len)
			p->summary[l].len = needIdxLimit;

		addrRange need = summaryRangeToSumAddrRange(p, l, needIdxBase, needIdxLimit);
		if (inUseIndex > 0)
			need = addrRange_subtract(need,
				addrRangeToSumAddrRange(p, l, p->inUse.ranges[inUseIndex - 1]));
		if (inUseIndex < p->inUse.nranges)
			need = addrRange_subtract(
				need, addrRangeToSumAddrRange(p, l, p->inUse.ranges[inUseIndex]));
		uintptr_t size = addrRange_size(need);
		if (size == 0)
			continue;
		sysMap((void *)need.base.a, size, p->sysStat, "page alloc");
		sysUsed((void *)need.base.a, size, size);
		p->summaryMappedReady += size;
	}
}

// sysGrow maps what the index needs for [base, limit), and returns how many bytes that took.  The
// mapped part is one range from the lowest to the highest chunk: some MB at worst.
uintptr_t
scavengeIndex_sysGrow(scavengeIndex *s, uintptr_t base, uintptr_t limit, sysMemStat *sysStat) {
	if (base % pallocChunkBytes != 0 || limit % pallocChunkBytes != 0) {
		print("runtime: base = 0x%lx, limit = 0x%lx\n", base, limit);
		throw("sysGrow bounds not aligned to pallocChunkBytes");
	}
	const uintptr_t scSize = sizeof(atomicScavChunkData);
	uintptr_t haveMin = atomic_Load(&s->min);
	uintptr_t haveMax = atomic_Load(&s->max);
	uintptr_t needMin = alignDown(chunkIndex(base), physPageSize / scSize);
	uintptr_t needMax = alignUp(chunkIndex(limit), physPageSize / scSize);

	// Close the gap to what there is.
	if (needMax < haveMin)
		needMax = haveMin;
	if (haveMax != 0 && needMin > haveMax)
		needMin = haveMax;

	uintptr_t chunksBase = (uintptr_t)s->chunks;
	addrRange have =
		makeAddrRange(chunksBase + haveMin * scSize, chunksBase + haveMax * scSize);
	addrRange need =
		makeAddrRange(chunksBase + needMin * scSize, chunksBase + needMax * scSize);
	// To map it again would clear it.
	need = addrRange_subtract(need, have);

	uintptr_t size = addrRange_size(need);
	if (size != 0) {
		sysMap((void *)need.base.a, size, sysStat, "scavenge index");
		sysUsed((void *)need.base.a, size, size);
		// Readers have no lock: the memory first, then the bounds.
		if (haveMax == 0 || needMin < haveMin)
			atomic_Store(&s->min, needMin);
		if (needMax > haveMax)
			atomic_Store(&s->max, needMax);
	}
	return size;
}

// sysInit reserves the index.  It returns how many bytes it mapped: none.
uintptr_t
scavengeIndex_sysInit(scavengeIndex *s, bool test, sysMemStat *sysStat) {
	uintptr_t n = ((uintptr_t)1 << heapAddrBits) / pallocChunkBytes;
	s->chunks = sysReserve(NULL, n * sizeof(atomicScavChunkData), "scavenge index");
	// PORT: Go would fault at the first access.
	if (s->chunks == NULL)
		throw("failed to reserve scavenge index memory");
	s->nchunks = n;
	return 0;
}
