// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Bitmaps of a chunk against a model that looks at one page at a time, on random bitmaps.  Go's own
// cases and many more are in the vectors pb, pd, bit and sum.
#include "runtime/gort.h"

#include "runtime/mgcscavenge.h"
#include "runtime/mpagealloc.h"
#include "runtime/mpallocbits.h"
#include "tests/support/rnd.h"
#include "tests/support/support.h"

static uint64_t seed;

static uint64_t
rnd(void) {
	return splitmix64(&seed);
}

static unsigned
rndn(unsigned n) {
	return (unsigned)(rnd() % n);
}

// random_bits is full of runs: their mean length is one of a few kinds.
static pageBits
random_bits(void) {
	pageBits b = {{0}};
	unsigned mean = 1u << rndn(8);
	bool set = rndn(2) != 0;
	for (unsigned i = 0; i < pallocChunkPages;) {
		unsigned n = 1 + rndn(2 * mean);
		for (; n > 0 && i < pallocChunkPages; n--, i++)
			if (set)
				b.b[i / 64] |= (uint64_t)1 << (i % 64);
		set = !set;
	}
	return b;
}

static bool
bit(const pageBits *b, unsigned i) {
	return (b->b[i / 64] >> (i % 64) & 1) != 0;
}

// model_run is the number of free pages from i on.
static unsigned
model_run(const pageBits *b, unsigned i) {
	unsigned n = 0;
	while (i + n < pallocChunkPages && !bit(b, i + n))
		n++;
	return n;
}

// Every range, against a bitmap that is set or cleared bit by bit.
Test(PallocBits, AllocRange) {
	for (unsigned i = 0; i < pallocChunkPages; i += 1 + i % 7) {
		for (unsigned n = 1; i + n <= pallocChunkPages; n += 1 + n % 5) {
			pallocBits b = {{0}};
			pallocBits_allocRange(&b, i, n);
			for (unsigned k = 0; k < pallocChunkPages; k++)
				cr_assert_eq(bit(&b, k), k >= i && k < i + n, "alloc %u+%u: bit %u",
					i, n, k);
			cr_assert_eq(pageBits_popcntRange(&b, 0, pallocChunkPages), n);
		}
	}
}

Test(PallocBits, Free) {
	for (unsigned i = 0; i < pallocChunkPages; i += 1 + i % 7) {
		for (unsigned n = 1; i + n <= pallocChunkPages; n += 1 + n % 5) {
			pallocBits b;
			pallocBits_allocAll(&b);
			pallocBits_free(&b, i, n);
			for (unsigned k = 0; k < pallocChunkPages; k++)
				cr_assert_eq(bit(&b, k), k < i || k >= i + n, "free %u+%u: bit %u",
					i, n, k);
		}
	}
	pallocBits b;
	pallocBits_allocAll(&b);
	pallocBits_freeAll(&b);
	cr_assert_eq(pageBits_popcntRange(&b, 0, pallocChunkPages), 0);
}

Test(PallocBits, Blocks64) {
	pallocBits b = {{0}};
	pallocBits_allocPages64(&b, 130, 0xf0);
	cr_assert_eq(pallocBits_pages64(&b, 191), 0xf0);
	cr_assert_eq(pallocBits_pages64(&b, 127), 0);
	cr_assert_eq(pallocBits_pages64(&b, 192), 0);
	pallocBits_allocPages64(&b, 128, 0xff);
	pageBits_clearBlock64(&b, 128, 0x3c);
	cr_assert_eq(pallocBits_pages64(&b, 128), 0xc3);
	pallocBits_free1(&b, 128);
	cr_assert_eq(pallocBits_pages64(&b, 128), 0xc2);
}

Test(MallocBits, PopcntRange) {
	seed = 1;
	for (int r = 0; r < 50; r++) {
		pageBits b = random_bits();
		for (int t = 0; t < 200; t++) {
			unsigned i = rndn(pallocChunkPages);
			unsigned n = 1 + rndn(pallocChunkPages - i);
			unsigned want = 0;
			for (unsigned k = i; k < i + n; k++)
				want += bit(&b, k);
			cr_assert_eq(pageBits_popcntRange(&b, i, n), want, "%u+%u", i, n);
		}
	}
}

Test(PallocBits, SummarizeRandom) {
	seed = 2;
	for (int t = 0; t < 20000; t++) {
		pallocBits b = random_bits();
		unsigned start = model_run(&b, 0);
		unsigned most = 0;
		unsigned end = 0;
		for (unsigned i = 0; i < pallocChunkPages;) {
			unsigned n = model_run(&b, i);
			if (n > most)
				most = n;
			end = i + n == pallocChunkPages ? n : 0;
			i += n + 1;
		}
		pallocSum s = pallocBits_summarize(&b);
		cr_assert_eq(pallocSum_start(s), start);
		cr_assert_eq(pallocSum_max(s), most);
		cr_assert_eq(pallocSum_end(s), end);
	}
}

// find is first-fit, and returns the first free page as well.
Test(PallocBits, Find) {
	seed = 3;
	for (int t = 0; t < 20000; t++) {
		pallocBits b = random_bits();
		unsigned npages = 1 + rndn(rndn(2) == 0 ? 64 : pallocChunkPages);
		unsigned first = ~0u;
		unsigned want = ~0u;
		for (unsigned i = 0; i < pallocChunkPages; i++) {
			if (first == ~0u && !bit(&b, i))
				first = i;
			if (want == ~0u && model_run(&b, i) >= npages)
				want = i;
		}
		// Any searchIdx up to the first free page must give the same.
		unsigned searchIdx = first == ~0u ? rndn(pallocChunkPages) : rndn(first + 1);
		unsigned newSearchIdx;
		unsigned got = pallocBits_find(&b, npages, searchIdx, &newSearchIdx);
		cr_assert_eq(got, want, "npages %u searchIdx %u: got %u, want %u", npages,
			searchIdx, got, want);
		if (want != ~0u)
			cr_assert_eq(newSearchIdx, first);
	}
}

Test(PallocBits, FindBitRange64) {
	seed = 4;
	for (int t = 0; t < 50000; t++) {
		uint64_t c = rnd() & rnd();
		if (rndn(2) != 0)
			c = ~c;
		unsigned n = 1 + rndn(rndn(2) == 0 ? 8 : 64);
		unsigned want = 64;
		for (unsigned i = 0; i + n <= 64 && want == 64; i++) {
			uint64_t mask = ~(uint64_t)0 >> (64 - n) << i;
			if ((c & mask) == mask)
				want = i;
		}
		unsigned got = findBitRange64(c, n);
		cr_assert(got == want || (got >= 64 && want == 64), "%lx, %u: got %u, want %u", c,
			n, got, want);
	}
}

Test(PallocBits, MergeSummaries) {
	seed = 5;
	for (int t = 0; t < 5000; t++) {
		// Eight chunks, and the summary of them as one long bitmap.
		pallocSum sums[8];
		unsigned start = 0;
		unsigned most = 0;
		unsigned run = 0;
		bool any = false;
		for (int c = 0; c < 8; c++) {
			pallocBits b = random_bits();
			if (rndn(4) == 0)
				pallocBits_freeAll(&b);
			sums[c] = pallocBits_summarize(&b);
			for (unsigned i = 0; i < pallocChunkPages; i++) {
				if (!bit(&b, i)) {
					run++;
					if (run > most)
						most = run;
					continue;
				}
				if (!any)
					start = run;
				any = true;
				run = 0;
			}
		}
		if (!any)
			start = run;
		pallocSum s = mergeSummaries(sums, 8, logPallocChunkPages);
		cr_assert_eq(pallocSum_start(s), start);
		cr_assert_eq(pallocSum_max(s), most);
		cr_assert_eq(pallocSum_end(s), run);
	}
}

// What it returns is free and unscavenged, aligned, and there is no such run above it.
Test(PallocData, FindScavengeCandidate) {
	seed = 6;
	uintptr_t saved = physHugePageSize;
	physHugePageSize = 0;
	for (int t = 0; t < 20000; t++) {
		pallocData d = {random_bits(), random_bits()};
		unsigned minimum = 1u << rndn(7);
		unsigned most = rndn(pallocChunkPages + 1);
		unsigned n;
		unsigned start = pallocData_findScavengeCandidate(
			&d, pallocChunkPages - 1, minimum, most, &n);
		// The highest aligned group that is free as a whole.
		int top = -1;
		for (int g = (int)(pallocChunkPages / minimum) - 1; g >= 0 && top < 0; g--) {
			bool ok = true;
			for (unsigned k = 0; k < minimum; k++) {
				unsigned i = (unsigned)g * minimum + k;
				ok = ok && !bit(&d.pallocBits, i) && !bit(&d.scavenged, i);
			}
			if (ok)
				top = g;
		}
		if (top < 0) {
			cr_assert_eq(n, 0);
			continue;
		}
		cr_assert(n > 0);
		cr_assert_eq(start % minimum, 0);
		cr_assert_eq(n % minimum, 0);
		cr_assert_eq(start + n, ((unsigned)top + 1) * minimum);
		cr_assert(n <= (most == 0 ? minimum : (most + minimum - 1) / minimum * minimum));
		for (unsigned i = start; i < start + n; i++)
			cr_assert(!bit(&d.pallocBits, i) && !bit(&d.scavenged, i));
	}
	physHugePageSize = saved;
}

// With huge pages of 512 KB a cut through a free huge page takes all of it.
Test(PallocData, FindScavengeCandidateHugePage) {
	uintptr_t saved = physHugePageSize;
	uintptr_t savedPage = physPageSize;
	physHugePageSize = 64 * pageSize;
	physPageSize = 4096;
	pallocData d = {{{0}}, {{0}}};
	unsigned n;
	unsigned start = pallocData_findScavengeCandidate(&d, pallocChunkPages - 1, 1, 3, &n);
	cr_assert_eq(start, pallocChunkPages - 64);
	cr_assert_eq(n, 64);
	// Its first page is in use: nothing to preserve.
	pallocBits_allocRange(&d.pallocBits, pallocChunkPages - 64, 1);
	start = pallocData_findScavengeCandidate(&d, pallocChunkPages - 1, 1, 3, &n);
	cr_assert_eq(start, pallocChunkPages - 3);
	cr_assert_eq(n, 3);
	physHugePageSize = saved;
	physPageSize = savedPage;
}

Test(PallocData, AllocClearsScavenged) {
	pallocData d = {{{0}}, {{0}}};
	pageBits_setAll(&d.scavenged);
	pallocData_allocRange(&d, 60, 10);
	cr_assert_eq(
		pageBits_popcntRange(&d.scavenged, 0, pallocChunkPages), pallocChunkPages - 10);
	cr_assert_eq(pageBits_popcntRange(&d.scavenged, 60, 10), 0);
	pallocData_allocAll(&d);
	cr_assert_eq(pageBits_popcntRange(&d.scavenged, 0, pallocChunkPages), 0);
	cr_assert_eq(pageBits_popcntRange(&d.pallocBits, 0, pallocChunkPages), pallocChunkPages);
}
