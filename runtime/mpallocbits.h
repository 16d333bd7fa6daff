// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Bitmaps of the pages in one chunk, and their summaries.  Ports the types of mpallocbits.go.
#ifndef GORT_RUNTIME_MPALLOCBITS_H
#define GORT_RUNTIME_MPALLOCBITS_H

#include "runtime/malloc_const.h"
#include "runtime/runtime.h"

enum {
	// A chunk, the unit of the page bitmap: 512 pages, 4 MB.
	logPallocChunkPages = 9,
	pallocChunkPages = 1 << logPallocChunkPages,
	pallocChunkBytes = pallocChunkPages * pageSize,
	logPallocChunkBytes = logPallocChunkPages + PageShift,

	maxPhysHugePageSize = pallocChunkBytes,
};

// pageBits has one bit for each page of a chunk.
typedef struct pageBits {
	uint64_t b[pallocChunkPages / 64];
} pageBits;

// pallocBits: 0 is a free page, 1 an allocated one.
typedef pageBits pallocBits;

// pallocData: which pages of a chunk are allocated, and which were given back to the OS.
typedef struct pallocData {
	pallocBits pallocBits;
	pageBits scavenged;
} pallocData;

// pallocSum packs three counts of free pages: at the start of a region, the longest run in it, at
// its end; 21 bits each.  Bit 63 alone: all three are 1<<21.
typedef uint64_t pallocSum;

unsigned pageBits_get(const pageBits *b, unsigned i);
uint64_t pageBits_block64(const pageBits *b, unsigned i);
void pageBits_set(pageBits *b, unsigned i);
void pageBits_setRange(pageBits *b, unsigned i, unsigned n);
void pageBits_setAll(pageBits *b);
void pageBits_setBlock64(pageBits *b, unsigned i, uint64_t v);
void pageBits_clear(pageBits *b, unsigned i);
void pageBits_clearRange(pageBits *b, unsigned i, unsigned n);
void pageBits_clearAll(pageBits *b);
void pageBits_clearBlock64(pageBits *b, unsigned i, uint64_t v);
unsigned pageBits_popcntRange(const pageBits *b, unsigned i, unsigned n);

pallocSum pallocBits_summarize(const pallocBits *b);
unsigned pallocBits_find(
	const pallocBits *b, uintptr_t npages, unsigned searchIdx, unsigned *newSearchIdx);
void pallocBits_allocRange(pallocBits *b, unsigned i, unsigned n);
void pallocBits_allocAll(pallocBits *b);
void pallocBits_free1(pallocBits *b, unsigned i);
void pallocBits_free(pallocBits *b, unsigned i, unsigned n);
void pallocBits_freeAll(pallocBits *b);
uint64_t pallocBits_pages64(const pallocBits *b, unsigned i);
void pallocBits_allocPages64(pallocBits *b, unsigned i, uint64_t alloc);

unsigned findBitRange64(uint64_t c, unsigned n);

void pallocData_allocRange(pallocData *m, unsigned i, unsigned n);
void pallocData_allocAll(pallocData *m);
// See mgcscavenge.c.
unsigned pallocData_findScavengeCandidate(
	const pallocData *m, unsigned searchIdx, uintptr_t minimum, uintptr_t max, unsigned *size);

#endif
