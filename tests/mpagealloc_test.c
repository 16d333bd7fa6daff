// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The page allocator against a model that looks at one page at a time. Go's own cases and generated
// ones are in the vectors pa and si.
#include "runtime/gort.h"

#include "runtime/mpagealloc.h"
#include "runtime/runtime.h"
#include "tests/support/rnd.h"
#include "tests/support/support.h"

static uint64_t seed;

static uint64_t
rnd(void) {
	return splitmix64(&seed);
}

static sysMemStat testSysStat;
static mutex testLock;
static pageAlloc pa;

enum {
	nchunks = 24, // over several entries of the level above
	npages_ = nchunks * pallocChunkPages,
	maxobjs = 4000,
};

static const uintptr_t base = 0xc000000000;

// The model: is the page mapped, in use, scavenged?
static bool mapped[npages_];
static bool used[npages_];
static bool scavenged[npages_];

static struct {
	uintptr_t page;
	uintptr_t n;
} objs[maxobjs];
static int nobjs;

// model_find is the first n free pages in a row, -1 if there are none.
static intptr_t
model_find(uintptr_t n) {
	uintptr_t run = 0;
	for (uintptr_t i = 0; i < npages_; i++) {
		run = mapped[i] && !used[i] ? run + 1 : 0;
		if (run >= n)
			return (intptr_t)(i - n + 1);
	}
	return -1;
}

// check_all compares bitmaps and summaries of each level with the model.
static void
check_all(void) {
	for (uintptr_t i = 0; i < npages_; i++) {
		if (!mapped[i])
			continue;
		uintptr_t a = base + i * pageSize;
		pallocData *d = pageAlloc_chunkOf(&pa, chunkIndex(a));
		CHECK(pageBits_get(&d->pallocBits, chunkPageIndex(a)) == used[i]);
		CHECK(pageBits_get(&d->scavenged, chunkPageIndex(a)) == scavenged[i]);
	}
	for (int l = 0; l < summaryLevels - 1; l++) {
		intptr_t lo;
		intptr_t hi;
		addrsToSummaryRange(l, base, base + (uintptr_t)npages_ * pageSize, &lo, &hi);
		for (intptr_t i = lo; i < hi; i++) {
			pallocSum want =
				mergeSummaries(pa.summary[l + 1].a + (i << levelBits[l + 1]),
					1 << levelBits[l + 1], levelLogPages[l + 1]);
			CHECK(pa.summary[l].a[i] == want);
		}
	}
	for (chunkIdx c = pa.start; c < pa.end; c++) {
		uintptr_t i = (chunkBase(c) - base) / pageSize;
		if (!mapped[i])
			continue;
		unsigned n = pageBits_popcntRange(
			&pageAlloc_chunkOf(&pa, c)->pallocBits, 0, pallocChunkPages);
		CHECK(atomicScavChunkData_load(&pa.scav.index.chunks[c]).inUse == n);
	}
}

static void
grow(uintptr_t chunk, uintptr_t n) {
	pageAlloc_grow(&pa, base + chunk * pallocChunkBytes, n * pallocChunkBytes);
	for (uintptr_t i = chunk * pallocChunkPages; i < (chunk + n) * pallocChunkPages; i++)
		mapped[i] = scavenged[i] = true;
}

static void
randomOps_1(void *v) {
	lock(&testLock);
	grow(3, 2);
	for (int step = 0; step < 20000; step++) {
		if (step == 1000)
			grow(8, 1); // with a gap
		if (step == 3000)
			grow(0, 3); // below, adjacent
		if (step == 5000)
			grow(9, 15);
		unsigned what = (unsigned)(rnd() % 16);
		// Fill and drain by turns.
		unsigned share = step / 2000 % 2 == 0 ? 10 : 6;
		if (what < share && nobjs < maxobjs) {
			uintptr_t n = 1 + rnd() % 8;
			if (rnd() % 8 == 0)
				n = 1 + rnd() % 200;
			if (rnd() % 64 == 0)
				n = 1 + rnd() % (3 * pallocChunkPages);
			intptr_t want = model_find(n);
			uintptr_t scav;
			uintptr_t got = pageAlloc_alloc(&pa, n, &scav);
			if (want < 0) {
				CHECK(got == 0);
				continue;
			}
			CHECK(got == base + (uintptr_t)want * pageSize);
			if (got != base + (uintptr_t)want * pageSize)
				break;
			uintptr_t wantscav = 0;
			for (uintptr_t i = (uintptr_t)want; i < (uintptr_t)want + n; i++) {
				wantscav += scavenged[i] ? pageSize : 0;
				used[i] = true;
				scavenged[i] = false;
			}
			CHECK(scav == wantscav);
			objs[nobjs].page = (uintptr_t)want;
			objs[nobjs++].n = n;
		} else if (nobjs > 0) {
			int i = (int)(rnd() % (uint64_t)nobjs);
			pageAlloc_free(&pa, base + objs[i].page * pageSize, objs[i].n);
			for (uintptr_t k = 0; k < objs[i].n; k++)
				used[objs[i].page + k] = false;
			objs[i] = objs[--nobjs];
		}
		if (step % 500 == 0)
			check_all();
	}
	check_all();
	unlock(&testLock);
}

static void
randomOps(void) {
	seed = 1;
	lockInit(&testLock, lockRankMheap);
	pageAlloc_init(&pa, &testLock, &testSysStat, true);
	systemstack(randomOps_1, NULL);
}

Test(PageAlloc, RandomOps) {
	RUN(randomOps);
}

// After a forced scavenge all free pages are scavenged, and no other; a forced one takes chunks
// that the background's heuristics spare.
static void
scavengeAll_1(void *v) {
	lock(&testLock);
	grow(0, 4);
	uintptr_t scav;
	for (uintptr_t i = 0; i < 4; i++) // none of it is scavenged now
		pageAlloc_alloc(&pa, pallocChunkPages, &scav);
	// Chunk 0 stays dense, chunk 1 becomes half empty, chunk 2 empty.
	pageAlloc_free(&pa, base + 7 * pageSize, 1);
	pageAlloc_free(&pa, base + (uintptr_t)pallocChunkBytes, pallocChunkPages / 2);
	pageAlloc_free(&pa, base + 2 * (uintptr_t)pallocChunkBytes, pallocChunkPages);
	unlock(&testLock);

	// They were dense in this generation and in the last one: nothing for the background.
	CHECK(pageAlloc_scavenge(&pa, ~(uintptr_t)0, NULL, false) == 0);
	lock(&testLock);
	scavengeIndex_nextGen(&pa.scav.index);
	unlock(&testLock);
	uintptr_t got = pageAlloc_scavenge(&pa, ~(uintptr_t)0, NULL, false);
	CHECK(got == (uintptr_t)(pallocChunkPages / 2 + pallocChunkPages) * pageSize);
	CHECK(pageAlloc_scavenge(&pa, ~(uintptr_t)0, NULL, true) == pageSize);
	CHECK(pageAlloc_scavenge(&pa, ~(uintptr_t)0, NULL, true) == 0);

	for (chunkIdx c = pa.start; c < pa.end; c++) {
		pallocData *d = pageAlloc_chunkOf(&pa, c);
		for (unsigned i = 0; i < nelem(d->scavenged.b); i++)
			CHECK(d->scavenged.b[i] == ~d->pallocBits.b[i]);
	}
}

static void
scavengeAll(void) {
	lockInit(&testLock, lockRankMheap);
	pageAlloc_init(&pa, &testLock, &testSysStat, true);
	systemstack(scavengeAll_1, NULL);
}

Test(PageAlloc, ScavengeAll) {
	RUN(scavengeAll);
}

// markRandomPaddingPages: neither allocated later, nor counted as memory that was given back.
static void
randomPadding_1(void *v) {
	lock(&testLock);
	grow(0, 3);
	uintptr_t n = pallocChunkPages + 100;
	pageAlloc_markRandomPaddingPages(&pa, base, n);
	uintptr_t scav;
	CHECK(pageAlloc_alloc(&pa, 5, &scav) == base + n * pageSize);
	CHECK(scav == 5 * pageSize);
	pallocData *d = pageAlloc_chunkOf(&pa, chunkIndex(base));
	CHECK(pageBits_popcntRange(&d->pallocBits, 0, pallocChunkPages) == pallocChunkPages);
	CHECK(pageBits_popcntRange(&d->scavenged, 0, pallocChunkPages) == pallocChunkPages);
	unlock(&testLock);
}

static void
randomPadding(void) {
	lockInit(&testLock, lockRankMheap);
	pageAlloc_init(&pa, &testLock, &testSysStat, true);
	systemstack(randomPadding_1, NULL);
}

Test(PageAlloc, RandomPadding) {
	RUN(randomPadding);
}
