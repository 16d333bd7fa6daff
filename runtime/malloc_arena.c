// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Arenas: where the heap gets its address space.
//
// Ports the part of malloc.go of Go 1.26.8 about page sizes, arena hints and arenas: of mallocinit,
// nextHeapRandBits, mheap.sysAlloc and enableMetadataHugePages.
//
// The heap asks for arenas of 64 MB at hinted addresses, each arena following the last if it can.
// The first hint is random; the others have the same address but for the top byte.
// PORT: arenas are for the heap only (there are no user arenas), so sysAlloc has one list of hints
// and one list of arenas to work on; Go gives half of its hints to user arenas.
#include "runtime/mheap.h"

#include "runtime/mgcpacer.h"
#include "runtime/mstats.h"

uintptr_t physPageSize;
uintptr_t physHugePageSize;
unsigned physHugePageShift;

bool randomizedHeapBase = true;

// Random bits for the heap's base address, used from the top: by mallocinit for the arena's
// address, by mheap_grow for the place in the arena.
static uintptr_t heapRandSeed;
static int heapRandSeedBitsRemaining;

// nextHeapRandBits takes bits bits.
uintptr_t
nextHeapRandBits(int bits) {
	if (bits > heapRandSeedBitsRemaining)
		throw("not enough heapRandSeed bits remaining");
	uintptr_t r = heapRandSeed >> (64 - bits);
	heapRandSeed <<= bits;
	heapRandSeedBitsRemaining -= bits;
	return r;
}

_Static_assert((heapArenaBitmapWords & (heapArenaBitmapWords - 1)) == 0,
	"heapArenaBitmapWords not a power of 2");
_Static_assert(pagesPerArena % pagesPerReclaimerChunk == 0, "bad pagesPerReclaimerChunk");

// checkPageSizes checks what osinit has found out about the OS's pages.
static void
checkPageSizes(void) {
	if (physPageSize == 0)
		throw("failed to get system page size");
	if (physPageSize > maxPhysPageSize) {
		print("system page size (%lu) is larger than maximum page size (%d)\n",
			physPageSize, maxPhysPageSize);
		throw("bad system page size");
	}
	if (physPageSize < minPhysPageSize) {
		print("system page size (%lu) is smaller than minimum page size (%d)\n",
			physPageSize, minPhysPageSize);
		throw("bad system page size");
	}
	if ((physPageSize & (physPageSize - 1)) != 0) {
		print("system page size (%lu) must be a power of 2\n", physPageSize);
		throw("bad system page size");
	}
	if ((physHugePageSize & (physHugePageSize - 1)) != 0) {
		print("system huge page size (%lu) must be a power of 2\n", physHugePageSize);
		throw("bad system huge page size");
	}
	// Larger ones are not wrong, but nothing is done for them.
	if (physHugePageSize > maxPhysHugePageSize)
		physHugePageSize = 0;
	physHugePageShift = 0;
	if (physHugePageSize != 0)
		physHugePageShift = (unsigned)TrailingZeros64(physHugePageSize);
}

// malloc_arena_init is the part of mallocinit about the page heap.
void
malloc_arena_init(void) {
	checkPageSizes();

	mheap_init(&mheap_);
	lockInit(&gcBitsArenas.lock, lockRankGcBitsArenas);

	// Hints, from the last to be tried to the first.  47 bits of an address are the user's, and
	// one less leaves room to grow.  Without randomness they are 0xXXc0_0000_0000: bytes that
	// are no UTF-8 and no small numbers, so that other data rarely looks like an address.
	enum { randHeapAddrBits = heapAddrBits - 2 };
	uintptr_t randHeapBase = 0;
	uint8_t randHeapBasePrefix = 0;
	if (randomizedHeapBase) {
		heapRandSeed = bootstrapRand();
		heapRandSeedBitsRemaining = 64;
		int topBits = randHeapAddrBits - logHeapArenaBytes;
		randHeapBase = nextHeapRandBits(topBits) << (randHeapAddrBits - topBits);
		randHeapBase = alignUp(randHeapBase, heapArenaBytes);
		randHeapBasePrefix = (uint8_t)(randHeapBase >> (randHeapAddrBits - 8));
	}
	for (int i = 0x3f; i >= 0; i--) {
		uintptr_t p;
		if (randomizedHeapBase) {
			uintptr_t prefix = (uintptr_t)(uint8_t)(randHeapBasePrefix + i)
					   << (randHeapAddrBits - 8);
			p = prefix | (randHeapBase & randHeapBasePrefixMask);
		} else {
			p = (uintptr_t)i << 40 | (uintptr_t)0x00c0 << 32;
		}
		arenaHint *hint = fixalloc_alloc(&mheap_.arenaHintAlloc);
		hint->addr = p;
		hint->next = mheap_.arenaHints;
		mheap_.arenaHints = hint;
	}

	// The allocator looks at it before gcinit sets it.
	atomic_Store(&gcController.memoryLimit, INT64_MAX);
}

// addHint puts a hint at the front of the list.
static void
mheap_addHint(mheap *h, uintptr_t addr, bool down) {
	arenaHint *hint = fixalloc_alloc(&h->arenaHintAlloc);
	hint->addr = addr;
	hint->down = down;
	hint->next = h->arenaHints;
	h->arenaHints = hint;
}

// addArena makes the metadata of arena ri.  h->lock must be held.
static void
mheap_addArena(mheap *h, arenaIdx ri) {
	heapArena **l2 = h->arenas[arenaIdx_l1(ri)];
	if (l2 == NULL) {
		// It is not accounted for: 32 MB, of which a page or two are touched.
		uintptr_t l2Size = sizeof(heapArena *) << arenaL2Bits;
		l2 = sysAllocOS(l2Size, "heap index");
		if (l2 == NULL)
			throw("out of memory allocating heap arena map");
		if (h->arenasHugePages)
			sysHugePage(l2, l2Size);
		else
			sysNoHugePage(l2, l2Size);
		atomic_Store(&h->arenas[arenaIdx_l1(ri)], l2);
	}
	if (l2[arenaIdx_l2(ri)] != NULL)
		throw("arena already initialized");
	heapArena *r = persistentalloc(sizeof(heapArena), PtrSize, &memstats.gcMiscSys);
	if (r == NULL)
		throw("out of memory allocating heap arena metadata");

	if (h->nheapArenas == h->capheapArenas) {
		uintptr_t size = 2 * (uintptr_t)h->capheapArenas * PtrSize;
		if (size == 0)
			size = physPageSize;
		arenaIdx *a = persistentalloc(size, PtrSize, &memstats.gcMiscSys);
		if (a == NULL)
			throw("out of memory allocating allArenas");
		// The old array stays: it may have readers.
		if (h->nheapArenas != 0)
			memmove(a, h->heapArenas, (uintptr_t)h->nheapArenas * sizeof *a);
		h->heapArenas = a;
		h->capheapArenas = (intptr_t)(size / PtrSize);
	}
	h->heapArenas[h->nheapArenas++] = ri;

	atomic_Store(&l2[arenaIdx_l2(ri)], r);
}

// sysAlloc reserves address space for n bytes, in whole arenas, and makes their metadata. It
// returns the address and *size; NULL if there is none. The memory is Reserved. h->lock must be
// held.
void *
mheap_sysAlloc(mheap *h, uintptr_t n, uintptr_t *size) {
	assertLockHeld(&h->lock);

	n = alignUp(n, heapArenaBytes);
	void *v = NULL;
	*size = 0;

	while (h->arenaHints != NULL) {
		arenaHint *hint = h->arenaHints;
		uintptr_t p = hint->addr;
		if (hint->down)
			p -= n;
		if (p + n < p)
			v = NULL;
		else if (arenaIndex(p + n - 1) >= (arenaIdx)1 << arenaBits)
			v = NULL;
		else
			v = sysReserve((void *)p, n, "heap reservation");
		if (p == (uintptr_t)v) {
			if (!hint->down)
				p += n;
			hint->addr = p;
			*size = n;
			break;
		}
		// Something else is there.
		if (v != NULL)
			sysUnreserve(v, n);
		h->arenaHints = hint->next;
		fixalloc_free(&h->arenaHintAlloc, hint);
	}

	if (*size == 0) {
		// Anywhere, then, and from there on up and down.
		v = sysReserveAligned(NULL, n, heapArenaBytes, "heap", size);
		if (v == NULL) {
			*size = 0;
			return NULL;
		}
		mheap_addHint(h, (uintptr_t)v, true);
		mheap_addHint(h, (uintptr_t)v + *size, false);
	}

	const char *bad = NULL;
	uintptr_t p = (uintptr_t)v;
	if (p + *size < p)
		bad = "region exceeds uintptr range";
	else if (arenaIndex(p) >= (arenaIdx)1 << arenaBits)
		bad = "base outside usable address space";
	else if (arenaIndex(p + *size - 1) >= (arenaIdx)1 << arenaBits)
		bad = "end outside usable address space";
	if (bad != NULL) {
		print("runtime: memory allocated by OS [0x%lx, 0x%lx) not in usable address space: "
		      "%s\n",
			p, p + *size, bad);
		throw("memory reservation exceeds address space limit");
	}
	if ((p & (heapArenaBytes - 1)) != 0)
		throw("misrounded allocation in sysAlloc");

	for (arenaIdx ri = arenaIndex(p); ri <= arenaIndex(p + *size - 1); ri++)
		mheap_addArena(h, ri);
	return v;
}

// enableMetadataHugePages lets the heap's index structures have huge pages.  h->lock must not be
// held; on the system stack.
void
mheap_enableMetadataHugePages(mheap *h) {
	pageAlloc_enableChunkHugePages(&h->pages);

	// With the flag set, new tables come with huge pages.
	lock(&h->lock);
	if (h->arenasHugePages) {
		unlock(&h->lock);
		return;
	}
	h->arenasHugePages = true;
	unlock(&h->lock);

	for (unsigned i = 0; i < nelem(h->arenas); i++) {
		heapArena **l2 = atomic_Load(&h->arenas[i]);
		if (l2 != NULL)
			sysHugePage(l2, sizeof(heapArena *) << arenaL2Bits);
	}
}
