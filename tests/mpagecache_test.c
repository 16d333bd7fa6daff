// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The page cache against a model, and its way to the page allocator and back. Go's own cases are in
// the vectors pc and pa.
#include "runtime/gort.h"

#include "runtime/mgcpacer.h"
#include "runtime/mpagealloc.h"
#include "runtime/mpagecache.h"
#include "runtime/runtime.h"
#include "tests/support/rnd.h"
#include "tests/support/support.h"

static uint64_t seed;

static uint64_t
rnd(void) {
	return splitmix64(&seed);
}

Test(PageCache, Alloc) {
	seed = 1;
	for (int t = 0; t < 2000; t++) {
		pageCache c = {0xc000000000, rnd() | rnd(), rnd()};
		// What is in use is never scavenged.
		c.scav &= c.cache;
		for (int k = 0; k < 40; k++) {
			uintptr_t n = 1 + rnd() % (k % 2 == 0 ? 4 : 64);
			unsigned want = 64;
			uint64_t mask = 0;
			for (unsigned i = 0; i + n <= 64 && want == 64; i++) {
				mask = ~(uint64_t)0 >> (64 - n) << i;
				if ((c.cache & mask) == mask)
					want = i;
			}
			pageCache old = c;
			uintptr_t scav;
			uintptr_t addr = pageCache_alloc(&c, n, &scav);
			if (want == 64) {
				cr_assert_eq(addr, 0);
				cr_assert(c.cache == old.cache && c.scav == old.scav);
				continue;
			}
			cr_assert_eq(addr, old.base + want * pageSize);
			cr_assert_eq(scav, (uintptr_t)OnesCount64(old.scav & mask) * pageSize);
			cr_assert_eq(c.cache, old.cache & ~mask);
			cr_assert_eq(c.scav, old.scav & ~mask);
		}
		if (c.cache == 0) {
			uintptr_t scav;
			cr_assert(pageCache_empty(&c));
			cr_assert_eq(pageCache_alloc(&c, 1, &scav), 0);
		}
	}
}

static sysMemStat testSysStat;
static mutex testLock;
static pageAlloc pa;

static void
allocToCacheAndFlush_1(void *v) {
	const uintptr_t base = 0x3000000000;
	lock(&testLock);
	pageAlloc_grow(&pa, base, 2 * (uintptr_t)pallocChunkBytes);
	// Some pages of each block of 64 are in use.
	for (uintptr_t i = 0; i < 2 * pallocChunkPages; i++)
		if (rnd() % 3 == 0)
			pageAlloc_allocRange(&pa, base + i * pageSize, 1);
	pallocData before[2] = {
		*pageAlloc_chunkOf(&pa, chunkIndex(base)),
		*pageAlloc_chunkOf(&pa, chunkIndex(base) + 1),
	};

	// Take everything into caches, then give everything back.
	static pageCache c[2 * pallocChunkPages / 64 + 1];
	unsigned n = 0;
	for (;;) {
		pageCache x = pageAlloc_allocToCache(&pa);
		if (pageCache_empty(&x))
			break;
		CHECK(n < nelem(c) - 1);
		if (n == nelem(c) - 1)
			break;
		CHECK(x.base % (64 * pageSize) == 0);
		CHECK((x.scav & ~x.cache &
			      ~before[(x.base - base) / pallocChunkBytes]
				       .pallocBits.b[chunkPageIndex(x.base) / 64]) == 0);
		c[n++] = x;
	}
	uintptr_t scav;
	CHECK(pageAlloc_alloc(&pa, 1, &scav) == 0);
	while (n > 0)
		pageCache_flush(&c[--n], &pa);
	for (unsigned i = 0; i < 2; i++) {
		pallocData *d = pageAlloc_chunkOf(&pa, chunkIndex(base) + i);
		CHECK(memcmp(d, &before[i], sizeof *d) == 0);
	}
	// And the summaries know of it.
	CHECK(pageAlloc_alloc(&pa, 1, &scav) != 0);
	unlock(&testLock);
}

static void
allocToCacheAndFlush(void) {
	seed = 2;
	lockInit(&testLock, lockRankMheap);
	pageAlloc_init(&pa, &testLock, &testSysStat, true);
	systemstack(allocToCacheAndFlush_1, NULL);
}

Test(PageCache, AllocToCacheAndFlush) {
	RUN(allocToCacheAndFlush);
}
