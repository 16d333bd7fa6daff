// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The allocator for objects of one size.
#include "runtime/mfixalloc.h"

#include "tests/support/support.h"

static sysMemStat stat;
static int nfirst;
static void *firstarg;

static void
first(void *arg, void *p) {
	nfirst++;
	firstarg = arg;
	CHECK(*(uint64_t *)p == 0);
}

static void
alloc(void) {
	fixalloc f;
	fixalloc_init(&f, 3, NULL, NULL, &stat);
	CHECK(f.size == sizeof(mlink));

	fixalloc_init(&f, 48, first, &stat, &stat);
	CHECK(f.nalloc == _FixAllocChunk / 48 * 48);
	enum { n = 2 * _FixAllocChunk / 48 };
	static uint64_t *p[n];
	for (int i = 0; i < n; i++) {
		p[i] = fixalloc_alloc(&f);
		for (int j = 0; j < 6; j++) {
			CHECK(p[i][j] == 0);
			p[i][j] = (uint64_t)i + 1;
		}
	}
	CHECK(nfirst == n && firstarg == &stat && f.inuse == n * 48);
	for (int i = 0; i < n; i++) {
		for (int j = 0; j < 6; j++)
			CHECK(p[i][j] == (uint64_t)i + 1);
	}

	// Freed objects come back, the last one first, cleared, and first is not called.
	fixalloc_free(&f, p[7]);
	fixalloc_free(&f, p[3]);
	CHECK(f.inuse == (n - 2) * 48);
	CHECK(fixalloc_alloc(&f) == p[3] && fixalloc_alloc(&f) == p[7]);
	CHECK(p[3][0] == 0 && p[3][5] == 0 && nfirst == n);

	// Without zero only the link is lost.
	f.zero = false;
	p[9][5] = 99;
	fixalloc_free(&f, p[9]);
	CHECK(fixalloc_alloc(&f) == p[9] && p[9][5] == 99);
}

Test(FixAlloc, Alloc) {
	RUN(alloc);
}
