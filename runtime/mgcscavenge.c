// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Giving free pages back to the OS.
//
// Ports mgcscavenge.go of Go 1.26.8: the index of chunks, the choice of pages, the synchronous
// scavenger, and the goals of it and of the background scavenger (mgcscavenge_bg.c).
//
// Pages are given back when an allocation would exceed the memory limit, when the heap grows
// although it has free (but too short) runs, and on request. The goal without a memory limit is to
// retain what the last cycle's heap had, scaled by how the heap goal changed, plus 10 %; with a
// limit, 95 % of it. Unless forced, chunks of 4 MB that are dense, or were in the previous
// generation, are spared: their free pages are about to be used again, and giving them back would
// break up huge pages.
#include "runtime/mgcscavenge.h"

#include "runtime/mgcpacer.h"
#include "runtime/mheap.h"
#include "runtime/mpagealloc.h"
#include "runtime/mstats.h"

struct scavenge_t scavenge;

// heapRetained estimates the heap's share of the RSS.
uint64_t
heapRetained(void) {
	return sysMemStat_load(&gcController.heapInUse) + sysMemStat_load(&gcController.heapFree);
}

// gcPaceScavenger sets the goals; it is called whenever the pacing changes. mheap_.lock must be
// held or the world be stopped.
void
gcPaceScavenger(int64_t memoryLimit, uint64_t heapGoal, uint64_t lastHeapGoal) {
	assertWorldStoppedOrLockHeld(&mheap_.lock);

	// The memory limit.  Below the goal the background scavenger need not run; allocation
	// scavenges for itself if that changes.
	uint64_t memoryLimitGoal =
		(uint64_t)((double)memoryLimit * ((100 - reduceExtraPercent) / 100.0));
	uint64_t mappedReady = atomic_Load(&gcController.mappedReady);
	if (mappedReady <= memoryLimitGoal)
		atomic_Store(&scavenge.memoryLimitGoal, ~(uint64_t)0);
	else
		atomic_Store(&scavenge.memoryLimitGoal, memoryLimitGoal);

	// GOGC.  Before the end of the first cycle nothing is known.
	if (lastHeapGoal == 0) {
		atomic_Store(&scavenge.gcPercentGoal, ~(uint64_t)0);
		return;
	}
	double goalRatio = (double)heapGoal / (double)lastHeapGoal;
	uint64_t gcPercentGoal = (uint64_t)((double)memstats.lastHeapInUse * goalRatio);
	// retainExtraPercent on top, by a division that cannot overflow
	gcPercentGoal += gcPercentGoal / (100 / retainExtraPercent);
	gcPercentGoal = alignUp(gcPercentGoal, physPageSize);

	uint64_t heapRetainedNow = heapRetained();
	if (heapRetainedNow <= gcPercentGoal || heapRetainedNow - gcPercentGoal < physPageSize)
		atomic_Store(&scavenge.gcPercentGoal, ~(uint64_t)0);
	else
		atomic_Store(&scavenge.gcPercentGoal, gcPercentGoal);
}

struct scavengeOne_args {
	pageAlloc *p;
	chunkIdx ci;
	unsigned pageIdx;
	uintptr_t max;
	uintptr_t released;
};

static void
pageAlloc_scavenge_1(void *v) {
	struct scavengeOne_args *a = v;
	a->released = pageAlloc_scavengeOne(a->p, a->ci, a->pageIdx, a->max);
}

// scavenge gives back nbytes, or all there is if that is less.
uintptr_t
pageAlloc_scavenge(pageAlloc *p, uintptr_t nbytes, bool (*shouldStop)(void), bool force) {
	uintptr_t released = 0;
	while (released < nbytes) {
		unsigned pageIdx;
		chunkIdx ci = scavengeIndex_find(&p->scav.index, force, &pageIdx);
		if (ci == 0)
			break;
		struct scavengeOne_args a = {p, ci, pageIdx, nbytes - released, 0};
		systemstack(pageAlloc_scavenge_1, &a);
		released += a.released;
		if (shouldStop != NULL && shouldStop())
			break;
	}
	return released;
}

// printScavTrace prints the line of GODEBUG=scavtrace=1.
// PORT: Go asserts scavenger.lock here, which scavengeAll does not hold either.
void
printScavTrace(uintptr_t releasedBg, uintptr_t releasedEager, bool forced) {
	printlock();
	print("scav %lu KiB work (bg), %lu KiB work (eager), %lu KiB now, %lu%% util",
		releasedBg >> 10, releasedEager >> 10,
		sysMemStat_load(&gcController.heapReleased) >> 10,
		sysMemStat_load(&gcController.heapInUse) * 100 / heapRetained());
	if (forced) {
		print(" (forced)");
	} else if (scavenger.printControllerReset) {
		print(" [controller reset]");
		scavenger.printControllerReset = false;
	}
	print("\n");
	printunlock();
}

// scavengeOne gives back one run of at most max bytes (a little more, rather than break a huge
// page) from chunk ci, at or below its page searchIdx, and returns how many bytes. On the system
// stack.
uintptr_t
pageAlloc_scavengeOne(pageAlloc *p, chunkIdx ci, unsigned searchIdx, uintptr_t max) {
	// max may be ~0: no alignUp.
	uintptr_t maxPages = max / pageSize;
	if (max % pageSize != 0)
		maxPages++;
	// Whole physical pages.
	uintptr_t minPages = physPageSize / pageSize;
	if (minPages < 1)
		minPages = 1;

	lock(p->mheapLock);
	if (pallocSum_max(p->summary[summaryLevels - 1].a[ci]) >= minPages) {
		unsigned npages;
		unsigned base = pallocData_findScavengeCandidate(
			pageAlloc_chunkOf(p, ci), searchIdx, minPages, maxPages, &npages);
		if (npages != 0) {
			uintptr_t addr = chunkBase(ci) + (uintptr_t)base * pageSize;
			uintptr_t nbytes = (uintptr_t)npages * pageSize;

			// Allocated, so that nobody takes it meanwhile; the index does not learn
			// of it.
			pallocData_allocRange(pageAlloc_chunkOf(p, ci), base, npages);
			pageAlloc_update(p, addr, npages, true, true);
			unlock(p->mheapLock);

			if (!p->test) {
				sysUnused((void *)addr, nbytes);
				sysMemStat_add(&gcController.heapReleased, (int64_t)nbytes);
				sysMemStat_add(&gcController.heapFree, -(int64_t)nbytes);
				heapStatsDelta *stats =
					consistentHeapStats_acquire(&memstats.heapStats);
				atomic_Xadd(&stats->committed, -(int64_t)nbytes);
				atomic_Xadd(&stats->released, (int64_t)nbytes);
				consistentHeapStats_release(&memstats.heapStats);
			}

			// And free again.
			lock(p->mheapLock);
			offAddr b = {addr};
			if (offAddr_lessThan(b, p->searchAddr))
				p->searchAddr = b;
			pallocBits_free(&pageAlloc_chunkOf(p, ci)->pallocBits, base, npages);
			pageAlloc_update(p, addr, npages, true, false);
			pageBits_setRange(&pageAlloc_chunkOf(p, ci)->scavenged, base, npages);
			unlock(p->mheapLock);
			return nbytes;
		}
	}
	scavengeIndex_setEmpty(&p->scav.index, ci);
	unlock(p->mheapLock);
	return 0;
}

// zeroGroups returns x with a 1 at the top of each group of bits that is 0 in x, and 0 elsewhere. c
// has all bits set but the top one of each group: adding it carries into the top of groups that are
// not 0.
static inline uint64_t
zeroGroups(uint64_t x, uint64_t c) {
	return ~((((x & c) + c) | x) | c);
}

// fillAligned sets all bits in each aligned group of m bits that has one set. m is a power of 2, at
// most maxPagesPerPhysPage.
uint64_t
fillAligned(uint64_t x, unsigned m) {
	switch (m) {
	case 1:
		return x;
	case 2:
		x = zeroGroups(x, 0x5555555555555555);
		break;
	case 4:
		x = zeroGroups(x, 0x7777777777777777);
		break;
	case 8:
		x = zeroGroups(x, 0x7f7f7f7f7f7f7f7f);
		break;
	case 16:
		x = zeroGroups(x, 0x7fff7fff7fff7fff);
		break;
	case 32:
		x = zeroGroups(x, 0x7fffffff7fffffff);
		break;
	case 64:
		x = zeroGroups(x, 0x7fffffffffffffff);
		break;
	default:
		throw("bad m value");
	}
	// Top bit minus bottom bit: all bits of the group below the top one.
	return ~((x - (x >> (m - 1))) | x);
}

// candidates has a 0 for each page of word i that is free and not scavenged, along with all others
// of its physical page.
static inline uint64_t
candidates(const pallocData *m, int i, uintptr_t minimum) {
	return fillAligned(m->scavenged.b[i] | m->pallocBits.b[i], (unsigned)minimum);
}

// findScavengeCandidate returns the highest run of pages at or below the word of searchIdx that are
// free and not scavenged, and its length, 0 if there is none.  Start and length are multiples of
// minimum, the pages of a physical page: a power of 2 up to maxPagesPerPhysPage. Of a longer run it
// takes the last max pages (rounded up), and as many more as it takes not to break a huge page.
unsigned
pallocData_findScavengeCandidate(
	const pallocData *m, unsigned searchIdx, uintptr_t minimum, uintptr_t max, unsigned *size) {
	if ((minimum & (minimum - 1)) != 0 || minimum == 0) {
		print("runtime: min = %lu\n", minimum);
		throw("min must be a non-zero power of 2");
	} else if (minimum > maxPagesPerPhysPage) {
		print("runtime: min = %lu\n", minimum);
		throw("min too large");
	}
	if (max == 0)
		max = minimum;
	else
		max = alignUp(max, minimum);

	int i = (int)(searchIdx / 64);
	while (i >= 0 && candidates(m, i, minimum) == ~(uint64_t)0)
		i--;
	if (i < 0) {
		*size = 0;
		return 0;
	}

	// There is one in word i: it ends at end, and may begin in a word below.
	uint64_t x = candidates(m, i, minimum);
	unsigned z1 = (unsigned)LeadingZeros64(~x);
	unsigned run;
	unsigned end = (unsigned)i * 64 + (64 - z1);
	if (x << z1 != 0) {
		run = (unsigned)LeadingZeros64(x << z1);
	} else {
		run = 64 - z1;
		for (int j = i - 1; j >= 0; j--) {
			uint64_t y = candidates(m, j, minimum);
			run += (unsigned)LeadingZeros64(y);
			if (y != 0)
				break;
		}
	}

	unsigned n = run < max ? run : (unsigned)max;
	unsigned start = end - n;

	// If the cut goes through a huge page that is in the run as a whole, take all of that page.
	// A huge page lies in one chunk.
	if (physHugePageSize > pageSize && physHugePageSize > physPageSize) {
		uintptr_t pagesPerHugePage = physHugePageSize / pageSize;
		unsigned hugePageAbove = (unsigned)alignUp(start, pagesPerHugePage);
		if (hugePageAbove <= end) {
			unsigned hugePageBelow = (unsigned)alignDown(start, pagesPerHugePage);
			if (hugePageBelow >= end - run) {
				n += start - hugePageBelow;
				start = hugePageBelow;
			}
		}
	}
	*size = n;
	return start;
}

// init sets up the index and returns how many bytes it added to sysStat.
uintptr_t
scavengeIndex_init(scavengeIndex *s, bool test, sysMemStat *sysStat) {
	atomicOffAddr_Clear(&s->searchAddrBg);
	atomicOffAddr_Clear(&s->searchAddrForce);
	s->freeHWM = minOffAddr;
	s->test = test;
	return scavengeIndex_sysInit(s, test, sysStat);
}

// grow adds the chunks of [base, limit) and returns how many bytes it added to sysStat.
uintptr_t
scavengeIndex_grow(scavengeIndex *s, uintptr_t base, uintptr_t limit, sysMemStat *sysStat) {
	// There may be a new lowest chunk even if nothing has to be mapped.
	uintptr_t minHeapIdx = atomic_Load(&s->minHeapIdx);
	uintptr_t baseIdx = chunkIndex(base);
	if (minHeapIdx == 0 || baseIdx < minHeapIdx)
		atomic_Store(&s->minHeapIdx, baseIdx);
	return scavengeIndex_sysGrow(s, base, limit, sysStat);
}

// find returns the highest chunk that may have pages to scavenge, 0 if there is none, and the page
// in it from which to search downwards. It runs without a lock.
chunkIdx
scavengeIndex_find(scavengeIndex *s, bool force, unsigned *pageIdx) {
	atomicOffAddr *cursor = force ? &s->searchAddrForce : &s->searchAddrBg;
	bool marked;
	uintptr_t searchAddr = atomicOffAddr_Load(cursor, &marked);
	*pageIdx = 0;
	if (searchAddr == minOffAddr.a)
		return 0; // cleared

	uint32_t gen = s->gen;
	chunkIdx lowest = atomic_Load(&s->minHeapIdx);
	chunkIdx start = chunkIndex(searchAddr);
	// Chunk 0 is never mapped, so lowest > 0 ends the loop.
	for (chunkIdx i = start; i >= lowest; i--) {
		if (!scavChunkData_shouldScavenge(
			    atomicScavChunkData_load(&s->chunks[i]), gen, force))
			continue;
		if (i == start) {
			*pageIdx = chunkPageIndex(searchAddr);
			return i;
		}
		uintptr_t newSearchAddr = chunkBase(i) + pallocChunkBytes - pageSize;
		if (marked) {
			// Lower it only if it is still the raised value that we saw: to miss that
			// it was raised again would be worse than to search too high.
			atomicOffAddr_StoreUnmark(cursor, searchAddr, newSearchAddr);
		} else {
			atomicOffAddr_StoreMin(cursor, newSearchAddr);
		}
		*pageIdx = pallocChunkPages - 1;
		return i;
	}
	atomicOffAddr_Clear(cursor); // there is nothing at all
	return 0;
}

// alloc notes that npages were allocated in chunk ci.  Serialised, but for find.
void
scavengeIndex_alloc(scavengeIndex *s, chunkIdx ci, unsigned npages) {
	scavChunkData sc = atomicScavChunkData_load(&s->chunks[ci]);
	scavChunkData_alloc(&sc, npages, s->gen);
	atomicScavChunkData_store(&s->chunks[ci], sc);
}

// free notes that pages [page, page+npages) of chunk ci were freed.  Serialised, but for find.
void
scavengeIndex_free(scavengeIndex *s, chunkIdx ci, unsigned page, unsigned npages) {
	scavChunkData sc = atomicScavChunkData_load(&s->chunks[ci]);
	scavChunkData_free(&sc, npages, s->gen);
	atomicScavChunkData_store(&s->chunks[ci], sc);

	offAddr addr = {chunkBase(ci) + (uintptr_t)(page + npages - 1) * pageSize};
	if (offAddr_lessThan(s->freeHWM, addr))
		s->freeHWM = addr;
	// Only find runs meanwhile, and it only lowers: what we read is at least the current value.
	bool marked;
	offAddr searchAddr = {atomicOffAddr_Load(&s->searchAddrForce, &marked)};
	if (offAddr_lessThan(searchAddr, addr))
		atomicOffAddr_StoreMarked(&s->searchAddrForce, addr.a);
}

// nextGen begins a new generation: what was freed in the last one becomes available to the
// background scavenger. Serialised, but for find.
void
scavengeIndex_nextGen(scavengeIndex *s) {
	s->gen++;
	bool marked;
	offAddr searchAddr = {atomicOffAddr_Load(&s->searchAddrBg, &marked)};
	if (offAddr_lessThan(searchAddr, s->freeHWM))
		atomicOffAddr_StoreMarked(&s->searchAddrBg, s->freeHWM.a);
	s->freeHWM = minOffAddr;
}

// setEmpty notes that there is nothing to scavenge in chunk ci for now.  Serialised, but for find.
void
scavengeIndex_setEmpty(scavengeIndex *s, chunkIdx ci) {
	scavChunkData val = atomicScavChunkData_load(&s->chunks[ci]);
	val.scavChunkFlags &= (scavChunkFlags)~scavChunkHasFree;
	atomicScavChunkData_store(&s->chunks[ci], val);
}

// load reads and unpacks it.
scavChunkData
atomicScavChunkData_load(atomicScavChunkData *sc) {
	return unpackScavChunkData(atomic_Load(&sc->value));
}

// store packs and writes it.
void
atomicScavChunkData_store(atomicScavChunkData *sc, scavChunkData ssc) {
	atomic_Store(&sc->value, scavChunkData_pack(ssc));
}

// unpackScavChunkData: 16 bits inUse, 10 bits lastInUse, 6 flags, 32 bits gen.
scavChunkData
unpackScavChunkData(uint64_t sc) {
	return (scavChunkData){
		.inUse = (uint16_t)sc,
		.lastInUse = (uint16_t)(sc >> 16) & scavChunkInUseMask,
		.gen = (uint32_t)(sc >> 32),
		.scavChunkFlags = (uint8_t)(sc >> (16 + logScavChunkInUseMax)) & scavChunkFlagsMask,
	};
}

// pack is the opposite.
uint64_t
scavChunkData_pack(scavChunkData sc) {
	return (uint64_t)sc.inUse | (uint64_t)sc.lastInUse << 16 |
	       (uint64_t)sc.scavChunkFlags << (16 + logScavChunkInUseMax) | (uint64_t)sc.gen << 32;
}

// shouldScavenge: is the chunk worth a look?
bool
scavChunkData_shouldScavenge(scavChunkData sc, uint32_t currGen, bool force) {
	if ((sc.scavChunkFlags & scavChunkHasFree) == 0)
		return false;
	if (force)
		return true;
	if (sc.gen == currGen) // dense neither now nor in the last generation
		return sc.inUse < scavChunkHiOccPages && sc.lastInUse < scavChunkHiOccPages;
	// Nothing has changed since before the current generation.
	return sc.inUse < scavChunkHiOccPages;
}

// alloc counts npages allocated in generation newGen.
void
scavChunkData_alloc(scavChunkData *sc, unsigned npages, uint32_t newGen) {
	if (sc->inUse + npages > pallocChunkPages) {
		print("runtime: inUse=%d npages=%u\n", sc->inUse, npages);
		throw("too many pages allocated in chunk?");
	}
	if (sc->gen != newGen) {
		sc->lastInUse = sc->inUse;
		sc->gen = newGen;
	}
	sc->inUse = (uint16_t)(sc->inUse + npages);
	if (sc->inUse == pallocChunkPages)
		sc->scavChunkFlags &= (scavChunkFlags)~scavChunkHasFree;
}

// free counts npages freed in generation newGen.
void
scavChunkData_free(scavChunkData *sc, unsigned npages, uint32_t newGen) {
	if (sc->inUse < npages) {
		print("runtime: inUse=%d npages=%u\n", sc->inUse, npages);
		throw("allocated pages below zero?");
	}
	if (sc->gen != newGen) {
		sc->lastInUse = sc->inUse;
		sc->gen = newGen;
	}
	sc->inUse = (uint16_t)(sc->inUse - npages);
	sc->scavChunkFlags |= scavChunkHasFree;
}
