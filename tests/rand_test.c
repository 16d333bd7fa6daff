// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Random numbers; their values are in the vectors (rnd.*).
#include "runtime/rand.h"

#include "runtime/gort.h"
#include "tests/support/support.h"

// Reseed goes on from fresh numbers, and nothing of the old state is left.
Test(Rand, Reseed) {
	static chacha8randState a, b;
	uint64_t seed[4] = {1, 2, 3, 4};
	chacha8randState_Init64(&a, seed);
	chacha8randState_Init64(&b, seed);
	bool ok;
	uint64_t next[4];
	for (int i = 0; i < 4; i++)
		next[i] = chacha8randState_Next(&a, &ok);
	chacha8randState_Reseed(&b);
	cr_assert(memcmp(b.seed, next, sizeof(next)) == 0);
	cr_assert(memcmp(b.buf, a.buf, sizeof(a.buf)) != 0);

	// 32 + 32 + 32 + 28 numbers from one seed.
	chacha8randState_Init64(&a, seed);
	int n = 0;
	for (int refills = 0; refills < 4;) {
		chacha8randState_Next(&a, &ok);
		if (ok) {
			n++;
			continue;
		}
		chacha8randState_Refill(&a);
		refills++;
	}
	cr_assert_eq(n, 124);
	cr_assert_eq(a.c, 0u);
}

static void
numbers(void) {
	uint64_t or = 0, and = ~0UL;
	for (int i = 0; i < 200; i++) {
		uint64_t x = rand_();
		or |= x;
		and &= x;
	}
	CHECK(or == ~0UL && and == 0);
	for (uint32_t n = 1; n < 1U << 30; n = n * 3 + 1) {
		for (int i = 0; i < 20; i++)
			CHECK(randn(n) < n && cheaprandn(n) < n);
	}
	for (int i = 0; i < 100; i++)
		CHECK(cheaprand64() >= 0);
	CHECK(bootstrapRand() != bootstrapRand());
	int hits[10] = {0};
	for (int i = 0; i < 10000; i++)
		hits[cheaprandn(10)]++;
	for (int i = 0; i < 10; i++)
		CHECK(hits[i] > 800 && hits[i] < 1200);
}

Test(Rand, Numbers) {
	RUN(numbers);
}
