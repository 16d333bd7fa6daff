// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Constants of the heap's layout.  Ports the constants of malloc.go (linux/amd64) and mheap.go's
// page size limits.
//
// The heap is made of arenas of 64 MB, found through an index of 4 M entries that covers the 48-bit
// address space; addresses are shifted by arenaBaseOffset so that "negative" ones follow the
// positive ones.
#ifndef GORT_RUNTIME_MALLOC_CONST_H
#define GORT_RUNTIME_MALLOC_CONST_H

#include <stdbool.h>
#include <stdint.h>

#include "sizeclasses/sizeclasses.h"

enum {
	_PageShift = PageShift,
	pageSize = 1 << _PageShift,
	_PageSize = pageSize,
	pageMask = pageSize - 1,

	maxTinySize = TinySize,
	tinySizeClass = 2,
	maxSmallSize = MaxSmallSize,
	minSizeForMallocHeader = MinSizeForMallocHeader,
	mallocHeaderSize = MallocHeaderSize,

	_FixAllocChunk = 16 << 10,

	heapAddrBits = 48,
	logHeapArenaBytes = 6 + 20,
	heapArenaBytes = 1 << logHeapArenaBytes,
	heapArenaWords = heapArenaBytes / 8,
	heapArenaBitmapWords = heapArenaWords / (8 * 8),
	pagesPerArena = heapArenaBytes / pageSize,

	// The index has one level: 4 M entries, 32 MB of address space, touched where used.
	arenaL1Bits = 0,
	arenaL2Bits = heapAddrBits - logHeapArenaBytes - arenaL1Bits,
	arenaL1Shift = arenaL2Bits,
	arenaBits = arenaL1Bits + arenaL2Bits,

	minLegalPointer = 4096,

	minPhysPageSize = 4096,
	maxPhysPageSize = 512 << 10,

	// minHeapForMetadataHugePages: above such a heap goal the index structures may have huge
	// pages.
	minHeapForMetadataHugePages = 1 << 30,

	pagesPerReclaimerChunk = 512, // pages the page reclaimer looks at in one go
};

// These do not fit in an int.
#define maxAlloc ((uintptr_t)1 << heapAddrBits)
#define arenaBaseOffset ((uintptr_t)0xffff800000000000)
#define randHeapBasePrefixMask (~((uintptr_t)0xff << (heapAddrBits - 8)))

extern uintptr_t physPageSize;     // of the OS; set by osinit before mallocinit
extern uintptr_t physHugePageSize; // 0: no transparent huge pages; set by osinit
extern unsigned physHugePageShift;

// randomizedHeapBase: the heap starts at a random address, as Go 1.26's experiment of that name has
// it by default.  Cleared before mallocinit (tools that compare addresses): 0xc000000000.
extern bool randomizedHeapBase;

#endif
