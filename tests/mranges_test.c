// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Address ranges.  add, findSucc, findAddrGreaterEqual, removeLast and removeGreaterEqual are in the
// vectors (ar.*); here is the rest.
#include "runtime/mranges.h"

#include "runtime/mstats.h"
#include "tests/support/support.h"

static addrRange
R(uintptr_t base, uintptr_t limit) {
	return makeAddrRange(base, limit);
}

static bool
same(addrRange a, addrRange b) {
	return offAddr_equal(a.base, b.base) && offAddr_equal(a.limit, b.limit);
}

Test(AddrRange, Subtract) {
	addrRange a = R(0x2000, 0x4000);
	cr_assert_eq(addrRange_size(addrRange_subtract(a, R(0x2000, 0x4000))), 0u);
	cr_assert_eq(addrRange_size(addrRange_subtract(a, R(0x1000, 0x5000))), 0u);
	cr_assert(same(addrRange_subtract(a, R(0x1000, 0x3000)), R(0x3000, 0x4000)));
	cr_assert(same(addrRange_subtract(a, R(0x3000, 0x5000)), R(0x2000, 0x3000)));
	cr_assert(same(addrRange_subtract(a, R(0x5000, 0x6000)), a));
	cr_assert(same(addrRange_subtract(a, R(0x1000, 0x2000)), a));
}

Test(AddrRange, Take) {
	bool ok;
	addrRange a = R(0x1001, 0x2000);
	cr_assert_eq(addrRange_takeFromFront(&a, 0x10, 8, &ok), 0x1008u);
	cr_assert(ok && a.base.a == 0x1018);
	cr_assert_eq(addrRange_takeFromBack(&a, 0x11, 16, &ok), 0x1fe0u);
	cr_assert(ok && a.limit.a == 0x1fe0);
	addrRange_takeFromFront(&a, 0x1000, 1, &ok);
	cr_assert(!ok && a.base.a == 0x1018);
	addrRange_takeFromBack(&a, 0x1000, 1, &ok);
	cr_assert(!ok && a.limit.a == 0x1fe0);
}

Test(AddrRange, Contains) {
	addrRange a = R(0x1000, 0x2000);
	cr_assert(addrRange_contains(a, 0x1000) && addrRange_contains(a, 0x1fff));
	cr_assert_not(addrRange_contains(a, 0xfff) || addrRange_contains(a, 0x2000));
	cr_assert_eq(addrRange_size(R(0x2000, 0x1000)), 0u);
	cr_assert_eq(addrRange_size(addrRange_removeGreaterEqual(a, 0x1000)), 0u);
	cr_assert(same(addrRange_removeGreaterEqual(a, 0x1800), R(0x1000, 0x1800)));
	cr_assert(same(addrRange_removeGreaterEqual(a, 0x2000), a));
	// The upper half of the address space comes first in the offset view.
	cr_assert(offAddr_lessThan((offAddr){0xffff800000001000}, (offAddr){0x1000}));
}

Test(AtomicOffAddr, Mark) {
	atomicOffAddr b = {0};
	bool marked;
	atomicOffAddr_Clear(&b);
	cr_assert_eq(atomicOffAddr_Load(&b, &marked), minOffAddr.a);
	cr_assert_not(marked);

	atomicOffAddr_StoreMarked(&b, 0x5000);
	cr_assert_eq(atomicOffAddr_Load(&b, &marked), 0x5000u);
	cr_assert(marked);
	atomicOffAddr_Clear(&b); // somebody is at work on it
	cr_assert_eq(atomicOffAddr_Load(&b, &marked), 0x5000u);
	atomicOffAddr_StoreUnmark(&b, 0x6000, 0x4000); // not the one that was marked
	cr_assert_eq(atomicOffAddr_Load(&b, &marked), 0x5000u);
	atomicOffAddr_StoreUnmark(&b, 0x5000, 0x4000);
	cr_assert_eq(atomicOffAddr_Load(&b, &marked), 0x4000u);
	cr_assert_not(marked);
	atomicOffAddr_StoreMin(&b, 0x4800);
	cr_assert_eq(atomicOffAddr_Load(&b, &marked), 0x4000u);
	atomicOffAddr_StoreMin(&b, 0x3000);
	cr_assert_eq(atomicOffAddr_Load(&b, &marked), 0x3000u);
}

static sysMemStat stat;

// More ranges than the first array holds, in an order that moves them about, then a clone.
static void
grow(void) {
	addrRanges a, b;
	addrRanges_init(&a, &stat);
	addrRanges_init(&b, &stat);
	enum { n = 97 };
	for (uintptr_t i = 0; i < n; i++) {
		uintptr_t k = i * 31 % n;
		addrRanges_add(&a, R(0x100000 + k * 0x2000, 0x100000 + k * 0x2000 + 0x1000));
	}
	CHECK(a.nranges == n && a.totalBytes == n * 0x1000);
	for (uintptr_t i = 0; i < n; i++) {
		CHECK(a.ranges[i].base.a == 0x100000 + i * 0x2000);
		CHECK(addrRanges_findSucc(&a, 0x100800 + i * 0x2000) == (intptr_t)i + 1);
		CHECK(addrRanges_contains(&a, 0x100fff + i * 0x2000));
		CHECK(!addrRanges_contains(&a, 0x101000 + i * 0x2000));
	}
	addrRanges_cloneInto(&a, &b);
	CHECK(b.nranges == n && b.totalBytes == a.totalBytes && b.ranges != a.ranges);
	CHECK(memcmp(a.ranges, b.ranges, n * sizeof(addrRange)) == 0);

	// Filling all holes makes one range of them.
	for (uintptr_t i = 0; i < n; i++) {
		uintptr_t k = i * 53 % n;
		addrRanges_add(&a, R(0x101000 + k * 0x2000, 0x102000 + k * 0x2000));
	}
	CHECK(a.nranges == 1 && a.totalBytes == n * 0x2000);
	CHECK(b.nranges == n);
	addrRange r = addrRanges_removeLast(&a, 0x1800);
	CHECK(addrRange_size(r) == 0x1800 && a.totalBytes == n * 0x2000 - 0x1800);
	addrRanges_removeGreaterEqual(&a, 0);
	CHECK(a.nranges == 0 && a.totalBytes == 0);
	CHECK(addrRange_size(addrRanges_removeLast(&a, 1)) == 0);
}

Test(AddrRanges, Grow) {
	RUN(grow);
}
