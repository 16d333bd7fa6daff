// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Bitmaps of the pages in one chunk.
//
// Ports mpallocbits.go of Go 1.26.8.
//
// The searches work on words: a run inside a word is found by shifting the word over itself, which
// shortens all runs at once, and runs across words by counting leading and trailing bits.
#include "runtime/mpallocbits.h"

#include "runtime/mpagealloc.h"

// get returns bit i.
unsigned
pageBits_get(const pageBits *b, unsigned i) {
	return b->b[i / 64] >> (i % 64) & 1;
}

// block64 returns the aligned word with bit i.
uint64_t
pageBits_block64(const pageBits *b, unsigned i) {
	return b->b[i / 64];
}

// set sets bit i.
void
pageBits_set(pageBits *b, unsigned i) {
	b->b[i / 64] |= (uint64_t)1 << (i % 64);
}

// lowMask has the n lowest bits set; 1 <= n <= 64.
static inline uint64_t
lowMask(unsigned n) {
	return ~(uint64_t)0 >> (64 - n);
}

// setRange sets the bits [i, i+n); n > 0.
void
pageBits_setRange(pageBits *b, unsigned i, unsigned n) {
	if (n == 1) {
		pageBits_set(b, i);
		return;
	}
	unsigned j = i + n - 1; // inclusive
	if (i / 64 == j / 64) {
		b->b[i / 64] |= lowMask(n) << (i % 64);
		return;
	}
	b->b[i / 64] |= ~(uint64_t)0 << (i % 64);
	for (unsigned k = i / 64 + 1; k < j / 64; k++)
		b->b[k] = ~(uint64_t)0;
	b->b[j / 64] |= lowMask(j % 64 + 1);
}

// setAll sets all bits.
void
pageBits_setAll(pageBits *b) {
	for (unsigned i = 0; i < nelem(b->b); i++)
		b->b[i] = ~(uint64_t)0;
}

// setBlock64 sets the bits of v in the aligned word with bit i.
void
pageBits_setBlock64(pageBits *b, unsigned i, uint64_t v) {
	b->b[i / 64] |= v;
}

// clear clears bit i.
void
pageBits_clear(pageBits *b, unsigned i) {
	b->b[i / 64] &= ~((uint64_t)1 << (i % 64));
}

// clearRange clears the bits [i, i+n); n > 0.
void
pageBits_clearRange(pageBits *b, unsigned i, unsigned n) {
	if (n == 1) {
		pageBits_clear(b, i);
		return;
	}
	unsigned j = i + n - 1; // inclusive
	if (i / 64 == j / 64) {
		b->b[i / 64] &= ~(lowMask(n) << (i % 64));
		return;
	}
	b->b[i / 64] &= ~(~(uint64_t)0 << (i % 64));
	for (unsigned k = i / 64 + 1; k < j / 64; k++)
		b->b[k] = 0;
	b->b[j / 64] &= ~lowMask(j % 64 + 1);
}

// clearAll clears all bits.
void
pageBits_clearAll(pageBits *b) {
	for (unsigned i = 0; i < nelem(b->b); i++)
		b->b[i] = 0;
}

// clearBlock64 clears the bits of v in the aligned word with bit i.
void
pageBits_clearBlock64(pageBits *b, unsigned i, uint64_t v) {
	b->b[i / 64] &= ~v;
}

// popcntRange counts the set bits in [i, i+n); n > 0.
unsigned
pageBits_popcntRange(const pageBits *b, unsigned i, unsigned n) {
	if (n == 1)
		return pageBits_get(b, i);
	unsigned j = i + n - 1; // inclusive
	if (i / 64 == j / 64)
		return (unsigned)OnesCount64(b->b[i / 64] >> (i % 64) & lowMask(n));
	unsigned s = (unsigned)OnesCount64(b->b[i / 64] >> (i % 64));
	for (unsigned k = i / 64 + 1; k < j / 64; k++)
		s += (unsigned)OnesCount64(b->b[k]);
	return s + (unsigned)OnesCount64(b->b[j / 64] & lowMask(j % 64 + 1));
}

// onlyTopZeros: x has no 0 below its highest 1.
static inline bool
onlyTopZeros(uint64_t x) {
	return (x & (x + 1)) == 0;
}

// longerInside looks in x, which is not 0, for runs of zeros between ones that are longer than
// most, and returns the longest or most.
static unsigned
longerInside(uint64_t x, unsigned most) {
	// The zeros at the bottom were counted by the caller.
	x >>= TrailingZeros64(x) & 63;
	if (onlyTopZeros(x))
		return most;

	// Shorten all runs of zeros by most places: what is left is longer than most.
	unsigned p = most; // by how much still
	unsigned k = 1;    // all runs of ones are at least so long: how far one shift may go
	for (;;) {
		while (p > 0) {
			if (p <= k) {
				x |= x >> (p & 63);
				if (onlyTopZeros(x))
					return most;
				break;
			}
			x |= x >> (k & 63);
			if (onlyTopZeros(x))
				return most;
			p -= k;
			k *= 2;
		}

		// The lowest run left is how much longer it was than most.
		unsigned j = (unsigned)TrailingZeros64(~x);
		x >>= j & 63;
		j = (unsigned)TrailingZeros64(x);
		x >>= j & 63;
		most += j;
		if (onlyTopZeros(x))
			return most;
		p = j; // the other runs shrink by that too
	}
}

// summarize computes the summary of a chunk.
pallocSum
pallocBits_summarize(const pallocBits *b) {
	const unsigned notSetYet = ~0u;
	unsigned start = notSetYet;
	unsigned most = 0;
	unsigned cur = 0;
	for (unsigned i = 0; i < nelem(b->b); i++) {
		uint64_t x = b->b[i];
		if (x == 0) {
			cur += 64;
			continue;
		}
		// The run that ends in this word ...
		cur += (unsigned)TrailingZeros64(x);
		if (start == notSetYet)
			start = cur;
		most = max(most, cur);
		// ... and the one that may go on in the next.
		cur = (unsigned)LeadingZeros64(x);
	}
	if (start == notSetYet) {
		// not a single 1
		const unsigned n = 64 * nelem(b->b);
		return packPallocSum(n, n, n);
	}
	most = max(most, cur);

	// A run inside a word is at most 62 long.  No word is 0, else most were larger.
	if (most < 64 - 2)
		for (unsigned i = 0; i < nelem(b->b); i++)
			most = longerInside(b->b[i], most);
	return packPallocSum(start, most, cur);
}

// find1 returns the first free page at or after the word of searchIdx; ~0 if there is none.
static unsigned
pallocBits_find1(const pallocBits *b, unsigned searchIdx) {
	for (unsigned i = searchIdx / 64; i < nelem(b->b); i++) {
		uint64_t x = b->b[i];
		if (~x != 0)
			return i * 64 + (unsigned)TrailingZeros64(~x);
	}
	return ~0u;
}

// findSmallN finds npages <= 64 pages: such a run crosses at most one word boundary.
static unsigned
pallocBits_findSmallN(
	const pallocBits *b, uintptr_t npages, unsigned searchIdx, unsigned *newSearchIdx) {
	unsigned end = 0; // free pages at the end of the previous word
	*newSearchIdx = ~0u;
	for (unsigned i = searchIdx / 64; i < nelem(b->b); i++) {
		uint64_t bi = b->b[i];
		if (~bi == 0) {
			end = 0;
			continue;
		}
		if (*newSearchIdx == ~0u)
			*newSearchIdx = i * 64 + (unsigned)TrailingZeros64(~bi);
		// across the boundary before this word
		unsigned start = (unsigned)TrailingZeros64(bi);
		if (end + start >= npages)
			return i * 64 - end;
		// inside the word
		unsigned j = findBitRange64(~bi, (unsigned)npages);
		if (j < 64)
			return i * 64 + j;
		end = (unsigned)LeadingZeros64(bi);
	}
	return ~0u;
}

// findLargeN finds npages > 64 pages: such a run crosses at least one word boundary.
static unsigned
pallocBits_findLargeN(
	const pallocBits *b, uintptr_t npages, unsigned searchIdx, unsigned *newSearchIdx) {
	unsigned start = ~0u;
	unsigned size = 0;
	*newSearchIdx = ~0u;
	for (unsigned i = searchIdx / 64; i < nelem(b->b); i++) {
		uint64_t x = b->b[i];
		if (x == ~(uint64_t)0) {
			size = 0;
			continue;
		}
		if (*newSearchIdx == ~0u)
			*newSearchIdx = i * 64 + (unsigned)TrailingZeros64(~x);
		if (size == 0) {
			size = (unsigned)LeadingZeros64(x);
			start = i * 64 + 64 - size;
			continue;
		}
		unsigned s = (unsigned)TrailingZeros64(x);
		if (s + size >= npages)
			return start;
		if (s < 64) {
			size = (unsigned)LeadingZeros64(x);
			start = i * 64 + 64 - size;
			continue;
		}
		size += 64;
	}
	return size < npages ? ~0u : start;
}

// find returns the index of npages free pages in a row, ~0 if there are none.  All pages below
// searchIdx are known to be allocated; *newSearchIdx is the first free page it saw, for the next
// search, and not valid after a failure.
unsigned
pallocBits_find(const pallocBits *b, uintptr_t npages, unsigned searchIdx, unsigned *newSearchIdx) {
	if (npages == 1)
		return *newSearchIdx = pallocBits_find1(b, searchIdx);
	if (npages <= 64)
		return pallocBits_findSmallN(b, npages, searchIdx, newSearchIdx);
	return pallocBits_findLargeN(b, npages, searchIdx, newSearchIdx);
}

// allocRange allocates [i, i+n).
void
pallocBits_allocRange(pallocBits *b, unsigned i, unsigned n) {
	pageBits_setRange(b, i, n);
}

// allocAll allocates the chunk.
void
pallocBits_allocAll(pallocBits *b) {
	pageBits_setAll(b);
}

// free1 frees page i.
void
pallocBits_free1(pallocBits *b, unsigned i) {
	pageBits_clear(b, i);
}

// free frees [i, i+n).
void
pallocBits_free(pallocBits *b, unsigned i, unsigned n) {
	pageBits_clearRange(b, i, n);
}

// freeAll frees the chunk.
void
pallocBits_freeAll(pallocBits *b) {
	pageBits_clearAll(b);
}

// pages64 returns the aligned 64 pages with page i; 1 is in use.
uint64_t
pallocBits_pages64(const pallocBits *b, unsigned i) {
	return pageBits_block64(b, i);
}

// allocPages64 allocates, of the aligned 64 pages with page i, those set in alloc.
void
pallocBits_allocPages64(pallocBits *b, unsigned i, uint64_t alloc) {
	pageBits_setBlock64(b, i, alloc);
}

// findBitRange64 returns the index of the first n > 0 ones in a row in c; 64 or more if there are
// none.  It takes n-1 ones off the top of each run: the lowest 1 left is where a run starts.
unsigned
findBitRange64(uint64_t c, unsigned n) {
	unsigned p = n - 1; // by how much to shorten the runs of ones still
	unsigned k = 1;     // all runs of zeros are at least so long
	while (p > 0) {
		if (p <= k) {
			c &= c >> (p & 63);
			break;
		}
		c &= c >> (k & 63);
		if (c == 0)
			return 64;
		p -= k;
		k *= 2;
	}
	return (unsigned)TrailingZeros64(c);
}

// allocRange allocates [i, i+n); the pages do not count as scavenged any more.
void
pallocData_allocRange(pallocData *m, unsigned i, unsigned n) {
	pallocBits_allocRange(&m->pallocBits, i, n);
	pageBits_clearRange(&m->scavenged, i, n);
}

// allocAll allocates the chunk.
void
pallocData_allocAll(pallocData *m) {
	pallocBits_allocAll(&m->pallocBits);
	pageBits_clearAll(&m->scavenged);
}
