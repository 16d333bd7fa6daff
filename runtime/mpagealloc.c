// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The page allocator.
//
// Ports mpagealloc.go of Go 1.26.8.
//
// Which pages are in use is a bitmap of the address space, in chunks of 512 pages.  Over the chunks
// stands a radix tree of five levels, each one array, whose nodes say how many pages are free at
// the start and at the end of their region and how long the longest run in it is.  Allocation is
// first-fit by address: go down the tree to the first place with a long enough run, in one node or
// across the border of two.  searchAddr, below which nothing is free, saves most of that.
#include "runtime/mpagealloc.h"

#include "runtime/mheap.h"

// offAddrToLevelIndex is the index of the summary of a level that covers addr.
static inline intptr_t
offAddrToLevelIndex(int level, offAddr addr) {
	return (intptr_t)((addr.a - arenaBaseOffset) >> levelShift[level]);
}

// levelIndexToOffAddr is where the region of a summary starts.
static inline offAddr
levelIndexToOffAddr(int level, intptr_t idx) {
	return (offAddr){((uintptr_t)idx << levelShift[level]) + arenaBaseOffset};
}

// addrsToSummaryRange gives the summaries [*lo, *hi) of a level that cover [base, limit).
void
addrsToSummaryRange(int level, uintptr_t base, uintptr_t limit, intptr_t *lo, intptr_t *hi) {
	*lo = (intptr_t)((base - arenaBaseOffset) >> levelShift[level]);
	// limit may lie inside a summary or on its border: go by the last byte.
	*hi = (intptr_t)((limit - 1 - arenaBaseOffset) >> levelShift[level]) + 1;
}

// init sets up an empty allocator.
void
pageAlloc_init(pageAlloc *p, mutex *mheapLock, sysMemStat *sysStat, bool test) {
	if (levelLogPages[0] > logMaxPackedValue) {
		print("runtime: root level max pages = %d\n", 1 << levelLogPages[0]);
		print("runtime: summary max pages = %d\n", maxPackedValue);
		throw("root level max pages doesn't fit in summary");
	}
	p->sysStat = sysStat;
	addrRanges_init(&p->inUse, sysStat);
	pageAlloc_sysInit(p, test);
	p->searchAddr = maxSearchAddr();
	p->mheapLock = mheapLock;
	p->summaryMappedReady += scavengeIndex_init(&p->scav.index, test, sysStat);
	p->test = test;
}

// tryChunkOf is chunkOf that returns NULL where nothing is mapped.
pallocData *
pageAlloc_tryChunkOf(pageAlloc *p, chunkIdx ci) {
	pallocDataL2 *l2 = p->chunks[chunkIdx_l1(ci)];
	if (l2 == NULL)
		return NULL;
	return &l2->a[chunkIdx_l2(ci)];
}

// grow adds [base, base+size), never used before, as free and scavenged pages.  p->mheapLock must
// be held.
void
pageAlloc_grow(pageAlloc *p, uintptr_t base, uintptr_t size) {
	assertLockHeld(p->mheapLock);

	// whole chunks only
	uintptr_t limit = alignUp(base + size, pallocChunkBytes);
	base = alignDown(base, pallocChunkBytes);

	pageAlloc_sysGrow(p, base, limit);
	p->summaryMappedReady += scavengeIndex_grow(&p->scav.index, base, limit, p->sysStat);

	// start == 0 means that this is the first growth: page 0 is never mapped.
	bool firstGrowth = p->start == 0;
	chunkIdx start = chunkIndex(base);
	chunkIdx end = chunkIndex(limit);
	if (firstGrowth || start < p->start)
		p->start = start;
	if (end > p->end)
		p->end = end;
	addrRanges_add(&p->inUse, makeAddrRange(base, limit));

	// To grow is like to free.
	offAddr b = {base};
	if (offAddr_lessThan(b, p->searchAddr))
		p->searchAddr = b;

	for (chunkIdx c = start; c < end; c++) {
		if (p->chunks[chunkIdx_l1(c)] == NULL) {
			void *r = sysAlloc(sizeof(pallocDataL2), p->sysStat, "page alloc index");
			if (r == NULL)
				throw("pageAlloc: out of memory");
			if (!p->test) {
				if (p->chunkHugePages)
					sysHugePage(r, sizeof(pallocDataL2));
				else
					sysNoHugePage(r, sizeof(pallocDataL2));
			}
			p->chunks[chunkIdx_l1(c)] = r;
		}
		pageBits_setRange(&pageAlloc_chunkOf(p, c)->scavenged, 0, pallocChunkPages);
	}

	pageAlloc_update(p, base, size / pageSize, true, false);
}

// enableChunkHugePages lets the bitmaps have huge pages, now and as they grow. mheap_.lock must not
// be held; on the system stack.
void
pageAlloc_enableChunkHugePages(pageAlloc *p) {
	// With the flag set, new bitmaps come with huge pages: a copy of what is there now will do.
	lock(&mheap_.lock);
	if (p->chunkHugePages) {
		unlock(&mheap_.lock);
		return;
	}
	p->chunkHugePages = true;
	addrRanges inUse = {.sysStat = p->sysStat};
	addrRanges_cloneInto(&p->inUse, &inUse);
	unlock(&mheap_.lock);

	// PORT: Go walks p.inUse itself here, without the lock.
	for (intptr_t r = 0; r < inUse.nranges; r++) {
		unsigned last = chunkIdx_l1(chunkIndex(inUse.ranges[r].limit.a - 1));
		for (unsigned i = chunkIdx_l1(chunkIndex(inUse.ranges[r].base.a)); i < last; i++)
			sysHugePage(p->chunks[i], sizeof(pallocDataL2));
	}
}

// update brings the summaries in line with the bitmap of [base, base+npages). contig: all of it was
// allocated (alloc) or freed. p->mheapLock must be held.
void
pageAlloc_update(pageAlloc *p, uintptr_t base, uintptr_t npages, bool contig, bool alloc) {
	assertLockHeld(p->mheapLock);

	uintptr_t limit = base + npages * pageSize - 1; // inclusive
	chunkIdx sc = chunkIndex(base);
	chunkIdx ec = chunkIndex(limit);
	pallocSum *leaf = p->summary[summaryLevels - 1].a;

	if (sc == ec) {
		pallocSum y = pallocBits_summarize(&pageAlloc_chunkOf(p, sc)->pallocBits);
		if (leaf[sc] == y)
			return; // then nothing changes above
		leaf[sc] = y;
	} else if (contig) {
		leaf[sc] = pallocBits_summarize(&pageAlloc_chunkOf(p, sc)->pallocBits);
		pallocSum whole = alloc ? 0 : freeChunkSum;
		for (chunkIdx c = sc + 1; c < ec; c++)
			leaf[c] = whole;
		leaf[ec] = pallocBits_summarize(&pageAlloc_chunkOf(p, ec)->pallocBits);
	} else {
		for (chunkIdx c = sc; c <= ec; c++)
			leaf[c] = pallocBits_summarize(&pageAlloc_chunkOf(p, c)->pallocBits);
	}

	// Up the tree, as long as something changes.
	bool changed = true;
	for (int l = summaryLevels - 2; l >= 0 && changed; l--) {
		changed = false;
		unsigned logEntriesPerBlock = levelBits[l + 1];
		unsigned logMaxPages = levelLogPages[l + 1];
		intptr_t lo;
		intptr_t hi;
		addrsToSummaryRange(l, base, limit + 1, &lo, &hi);
		for (intptr_t i = lo; i < hi; i++) {
			pallocSum *children = p->summary[l + 1].a + (i << logEntriesPerBlock);
			pallocSum sum =
				mergeSummaries(children, 1 << logEntriesPerBlock, logMaxPages);
			if (p->summary[l].a[i] != sum) {
				changed = true;
				p->summary[l].a[i] = sum;
			}
		}
	}
}

// allocRange marks [base, base+npages) as allocated and returns how many bytes of it were
// scavenged. p->mheapLock must be held.
uintptr_t
pageAlloc_allocRange(pageAlloc *p, uintptr_t base, uintptr_t npages) {
	assertLockHeld(p->mheapLock);

	uintptr_t limit = base + npages * pageSize - 1; // inclusive
	chunkIdx sc = chunkIndex(base);
	chunkIdx ec = chunkIndex(limit);
	unsigned si = chunkPageIndex(base);
	unsigned ei = chunkPageIndex(limit);

	uintptr_t scav = 0;
	for (chunkIdx c = sc; c <= ec; c++) {
		unsigned i = c == sc ? si : 0;
		unsigned n = (c == ec ? ei + 1 : pallocChunkPages) - i;
		pallocData *chunk = pageAlloc_chunkOf(p, c);
		scav += pageBits_popcntRange(&chunk->scavenged, i, n);
		if (n == pallocChunkPages)
			pallocData_allocAll(chunk);
		else
			pallocData_allocRange(chunk, i, n);
		scavengeIndex_alloc(&p->scav.index, c, n);
	}
	pageAlloc_update(p, base, npages, true, true);
	return scav * pageSize;
}

// findMappedAddr is the first mapped address from addr on, maxOffAddr if there is none.
// p->mheapLock must be held.
static offAddr
pageAlloc_findMappedAddr(pageAlloc *p, offAddr addr) {
	assertLockHeld(p->mheapLock);

	// The index of arenas knows at once, but not about a test's addresses.
	if (p->test || heapArenaOf(addr.a) == NULL) {
		bool ok;
		uintptr_t vAddr = addrRanges_findAddrGreaterEqual(&p->inUse, addr.a, &ok);
		// No: addr lies above the heap, so there is no free page.
		return ok ? (offAddr){vAddr} : maxOffAddr;
	}
	return addr;
}

// firstFree is the window, with inclusive bounds, in which the first free page is.
struct firstFree {
	offAddr base;
	offAddr bound;
};

// foundFree narrows the window to [addr, addr+size), which contains a free page, if that lies in
// it. Regions come in order of address and go down the tree, so it lies in the window or outside.
static void
foundFree(struct firstFree *f, offAddr addr, uintptr_t size) {
	offAddr last = offAddr_add(addr, size - 1);
	if (offAddr_lessEqual(f->base, addr) && offAddr_lessEqual(last, f->bound)) {
		f->base = addr;
		f->bound = last;
	} else if (!(offAddr_lessThan(last, f->base) || offAddr_lessThan(f->bound, addr))) {
		print("runtime: addr = 0x%lx, size = %lu\n", addr.a, size);
		print("runtime: base = 0x%lx, bound = 0x%lx\n", f->base.a, f->bound.a);
		throw("range partially overlaps");
	}
}

// badSummary tells that entries of level l do not hold what the level above promised.
static COLD _Noreturn void
pageAlloc_badSummary(pageAlloc *p, int l, intptr_t lastSumIdx, pallocSum lastSum, uintptr_t npages,
	intptr_t j0, intptr_t i) {
	print("runtime: summary[%d][%ld] = %u, %u, %u\n", l - 1, lastSumIdx,
		pallocSum_start(lastSum), pallocSum_max(lastSum), pallocSum_end(lastSum));
	print("runtime: level = %d, npages = %lu, j0 = %ld\n", l, npages, j0);
	print("runtime: p.searchAddr = 0x%lx, i = %ld\n", p->searchAddr.a, i);
	print("runtime: levelShift[level] = %u, levelBits[level] = %u\n", levelShift[l],
		levelBits[l]);
	for (intptr_t j = 0; j < (intptr_t)1 << levelBits[l]; j++) {
		pallocSum sum = p->summary[l].a[i + j];
		print("runtime: summary[%d][%ld] = (%u, %u, %u)\n", l, i + j, pallocSum_start(sum),
			pallocSum_max(sum), pallocSum_end(sum));
	}
	throw("bad summary data");
}

// find returns the address of the first run of npages free pages, 0 if there is none. *searchAddr
// is then a valid searchAddr, which may be better than p's. p->mheapLock must be held.
uintptr_t
pageAlloc_find(pageAlloc *p, uintptr_t npages, offAddr *searchAddr) {
	assertLockHeld(p->mheapLock);

	intptr_t i = 0; // first entry of the block to look at in the current level
	struct firstFree firstFree = {minOffAddr, maxOffAddr};

	// the summary that sent us to the next level; for the message if that was wrong
	pallocSum lastSum = packPallocSum(0, 0, 0);
	intptr_t lastSumIdx = -1;

	for (int l = 0; l < summaryLevels; l++) {
		// The root is one block.
		intptr_t entriesPerBlock = (intptr_t)1 << levelBits[l];
		unsigned logMaxPages = levelLogPages[l];
		i <<= levelBits[l];
		pallocSum *entries = p->summary[l].a + i;

		// Start at searchAddr if it is in this block.
		intptr_t j0 = 0;
		intptr_t searchIdx = offAddrToLevelIndex(l, p->searchAddr);
		if ((searchIdx & ~(entriesPerBlock - 1)) == i)
			j0 = searchIdx & (entriesPerBlock - 1);

		// base is the first page, counted from the block's start, of a run of size pages.
		uintptr_t base = 0;
		uintptr_t size = 0;
		bool descend = false;
		for (intptr_t j = j0; j < entriesPerBlock; j++) {
			pallocSum sum = entries[j];
			if (sum == 0) {
				size = 0; // all allocated: no run crosses it
				continue;
			}
			foundFree(&firstFree, levelIndexToOffAddr(l, i + j),
				((uintptr_t)1 << logMaxPages) * pageSize);

			uintptr_t s = pallocSum_start(sum);
			if (size + s >= npages) {
				if (size == 0)
					base = (uintptr_t)j << logMaxPages;
				size += s;
				break;
			}
			if (pallocSum_max(sum) >= npages) {
				// It is in this entry: look there.
				i += j;
				lastSumIdx = i;
				lastSum = sum;
				descend = true;
				break;
			}
			if (size == 0 || s < (uintptr_t)1 << logMaxPages) {
				// The run does not go on through this entry; a new one may start
				// at its end.
				size = pallocSum_end(sum);
				base = ((uintptr_t)(j + 1) << logMaxPages) - size;
				continue;
			}
			size += (uintptr_t)1 << logMaxPages; // all free
		}
		if (descend)
			continue;
		if (size >= npages) {
			// A run across a border.
			*searchAddr = pageAlloc_findMappedAddr(p, firstFree.base);
			return offAddr_add(levelIndexToOffAddr(l, i), base * pageSize).a;
		}
		if (l == 0) {
			*searchAddr = maxSearchAddr();
			return 0;
		}
		pageAlloc_badSummary(p, l, lastSumIdx, lastSum, npages, j0, i);
	}

	// The run is inside chunk i.
	chunkIdx ci = (chunkIdx)i;
	unsigned newSearchIdx;
	unsigned j =
		pallocBits_find(&pageAlloc_chunkOf(p, ci)->pallocBits, npages, 0, &newSearchIdx);
	if (j == ~0u) {
		pallocSum sum = p->summary[summaryLevels - 1].a[i];
		print("runtime: summary[%d][%ld] = (%u, %u, %u)\n", summaryLevels - 1, i,
			pallocSum_start(sum), pallocSum_max(sum), pallocSum_end(sum));
		print("runtime: npages = %lu\n", npages);
		throw("bad summary data");
	}
	uintptr_t addr = chunkBase(ci) + (uintptr_t)j * pageSize;
	uintptr_t sa = chunkBase(ci) + (uintptr_t)newSearchIdx * pageSize;
	foundFree(&firstFree, (offAddr){sa}, chunkBase(ci + 1) - sa);
	*searchAddr = pageAlloc_findMappedAddr(p, firstFree.base);
	return addr;
}

// alloc takes the first npages free pages in a row and returns their address, 0 if there are none;
// *scav is how many bytes of them are scavenged.  p->mheapLock must be held.
uintptr_t
pageAlloc_alloc(pageAlloc *p, uintptr_t npages, uintptr_t *scav) {
	assertLockHeld(p->mheapLock);

	*scav = 0;
	if (chunkIndex(p->searchAddr.a) >= p->end)
		return 0; // nothing is free

	uintptr_t addr = 0;
	offAddr searchAddr = minOffAddr;
	unsigned pi = chunkPageIndex(p->searchAddr.a);
	chunkIdx i = chunkIndex(p->searchAddr.a);
	if (pallocChunkPages - pi >= npages &&
		pallocSum_max(p->summary[summaryLevels - 1].a[i]) >= npages) {
		// It fits in the chunk of searchAddr, if it fits behind searchAddr there: and as
		// nothing is free before, it does.
		unsigned searchIdx;
		unsigned j = pallocBits_find(
			&pageAlloc_chunkOf(p, i)->pallocBits, npages, pi, &searchIdx);
		if (j == ~0u) {
			print("runtime: max = %u, npages = %lu\n",
				pallocSum_max(p->summary[summaryLevels - 1].a[i]), npages);
			print("runtime: searchIdx = %u, p.searchAddr = 0x%lx\n", pi,
				p->searchAddr.a);
			throw("bad summary data");
		}
		addr = chunkBase(i) + (uintptr_t)j * pageSize;
		searchAddr = (offAddr){chunkBase(i) + (uintptr_t)searchIdx * pageSize};
	} else {
		addr = pageAlloc_find(p, npages, &searchAddr);
		if (addr == 0) {
			// Not a single page: remember that.
			if (npages == 1)
				p->searchAddr = maxSearchAddr();
			return 0;
		}
	}

	*scav = pageAlloc_allocRange(p, addr, npages);
	if (offAddr_lessThan(p->searchAddr, searchAddr))
		p->searchAddr = searchAddr;
	return addr;
}

// free frees [base, base+npages).  p->mheapLock must be held.
void
pageAlloc_free(pageAlloc *p, uintptr_t base, uintptr_t npages) {
	assertLockHeld(p->mheapLock);

	offAddr b = {base};
	if (offAddr_lessThan(b, p->searchAddr))
		p->searchAddr = b;
	if (npages == 1) {
		chunkIdx i = chunkIndex(base);
		unsigned pi = chunkPageIndex(base);
		pallocBits_free1(&pageAlloc_chunkOf(p, i)->pallocBits, pi);
		scavengeIndex_free(&p->scav.index, i, pi, 1);
	} else {
		uintptr_t limit = base + npages * pageSize - 1; // inclusive
		chunkIdx sc = chunkIndex(base);
		chunkIdx ec = chunkIndex(limit);
		unsigned si = chunkPageIndex(base);
		unsigned ei = chunkPageIndex(limit);
		for (chunkIdx c = sc; c <= ec; c++) {
			unsigned i = c == sc ? si : 0;
			unsigned n = (c == ec ? ei + 1 : pallocChunkPages) - i;
			if (n == pallocChunkPages)
				pallocBits_freeAll(&pageAlloc_chunkOf(p, c)->pallocBits);
			else
				pallocBits_free(&pageAlloc_chunkOf(p, c)->pallocBits, i, n);
			scavengeIndex_free(&p->scav.index, c, i, n);
		}
	}
	pageAlloc_update(p, base, npages, true, false);
}

// markRandomPaddingPages marks [base, base+npages) as both allocated and scavenged: pages that are
// there only to make the heap's first address random, and cost nothing.  p->mheapLock must be held.
void
pageAlloc_markRandomPaddingPages(pageAlloc *p, uintptr_t base, uintptr_t npages) {
	assertLockHeld(p->mheapLock);

	uintptr_t limit = base + npages * pageSize - 1; // inclusive
	chunkIdx sc = chunkIndex(base);
	chunkIdx ec = chunkIndex(limit);
	unsigned si = chunkPageIndex(base);
	unsigned ei = chunkPageIndex(limit);
	for (chunkIdx c = sc; c <= ec; c++) {
		unsigned i = c == sc ? si : 0;
		unsigned n = (c == ec ? ei + 1 : pallocChunkPages) - i;
		pallocData *chunk = pageAlloc_chunkOf(p, c);
		pallocData_allocRange(chunk, i, n);
		scavengeIndex_alloc(&p->scav.index, c, n);
		pageBits_setRange(&chunk->scavenged, i, n);
	}
	pageAlloc_update(p, base, npages, true, true);
}

// mergeSummaries makes one summary of nsums in a row, of 1<<logMaxPagesPerSum pages each.
pallocSum
mergeSummaries(const pallocSum *sums, int nsums, unsigned logMaxPagesPerSum) {
	unsigned all = 1u << logMaxPagesPerSum;
	unsigned start = pallocSum_start(sums[0]);
	unsigned most = pallocSum_max(sums[0]);
	unsigned end = pallocSum_end(sums[0]);
	for (int i = 1; i < nsums; i++) {
		unsigned si = pallocSum_start(sums[i]);
		unsigned mi = pallocSum_max(sums[i]);
		unsigned ei = pallocSum_end(sums[i]);

		// The start goes on only if all so far is free.
		if (start == (unsigned)i << logMaxPagesPerSum)
			start += si;
		most = max(most, end + si);
		most = max(most, mi);
		// The end goes on if this one is all free.
		if (ei == all)
			end += all;
		else
			end = ei;
	}
	return packPallocSum(start, most, end);
}
