// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The runtime's memmove, memset and memcmp.
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "runtime/runtime.h"
#include "tests/support/support.h"

// The names under which memmove_amd64.S lets a test have them.
void *runtime_memmove(void *dst, const void *src, size_t n);
void *runtime_memset(void *p, int c, size_t n);
int runtime_memcmp(const void *a, const void *b, size_t n);

enum { bufsize = 6000 };
static uint8_t a[bufsize], b[bufsize], s[bufsize];
static uint32_t seed = 1;

static uint32_t
next(void) {
	seed = seed * 1103515245 + 12345;
	return seed >> 8;
}

// slow_move is memmove byte by byte.
static void
slow_move(uint8_t *dst, const uint8_t *src, size_t n) {
	for (volatile size_t i = 0; i < n; i++)
		s[i] = src[i];
	for (volatile size_t i = 0; i < n; i++)
		dst[i] = s[i];
}

static void
one(size_t n, size_t src, size_t dst) {
	for (size_t i = 0; i < bufsize; i++)
		a[i] = b[i] = (uint8_t)next();
	slow_move(b + dst, b + src, n);
	cr_assert(runtime_memmove(a + dst, a + src, n) == a + dst);
	for (size_t i = 0; i < bufsize; i++)
		cr_assert(a[i] == b[i], "n=%zu src=%zu dst=%zu at %zu", n, src, dst, i);

	cr_assert_eq(runtime_memcmp(a + dst, b + dst, n), 0);
	if (n > 0) {
		size_t at = next() % n;
		a[dst + at] ^= (uint8_t)(1 + next() % 255);
		int want = a[dst + at] < b[dst + at] ? -1 : 1;
		int got = runtime_memcmp(a + dst, b + dst, n);
		cr_assert((got < 0) == (want < 0) && got != 0, "memcmp n=%zu at %zu", n, at);
	}

	int c = (int)next();
	uint8_t before = a[src - 1];
	uint8_t after = a[src + n];
	cr_assert(runtime_memset(a + src, c, n) == a + src);
	for (size_t i = 0; i < n; i++)
		cr_assert(a[src + i] == (uint8_t)c, "memset n=%zu", n);
	cr_assert(a[src - 1] == before && a[src + n] == after, "memset n=%zu: too much", n);
	memclrNoHeapPointers(a + src, n);
	for (size_t i = 0; i < n; i++)
		cr_assert(a[src + i] == 0, "memclr n=%zu", n);
	cr_assert(a[src - 1] == before && a[src + n] == after, "memclr n=%zu: too much", n);
}

Test(Memmove, Memmove) {
	static const size_t more[] = {
		511, 512, 513, 1000, 2047, 2048, 2049, 2055, 2056, 3000, 4096};
	for (size_t n = 0; n <= 300; n++) {
		for (size_t d = 0; d < 20; d += 1 + n / 40) {
			one(n, 100, 90 + d);
			one(n, 1 + next() % 300, 1 + next() % 300);
		}
	}
	for (size_t i = 0; i < nelem(more); i++) {
		for (size_t d = 0; d < 40; d++)
			one(more[i], 400, 380 + d);
		one(more[i], 8, 900);
		one(more[i], 900, 8);
	}
}

// A word that is moved while others read it is old or new (Go's TestMemmoveAtomicity).
static uintptr_t src_[600], dst_[600];
static volatile bool stop;
static volatile size_t words;
static int torn;

static void *
reader(void *arg) {
	while (!stop) {
		size_t n = words;
		for (size_t i = 0; i < n; i++) {
			uintptr_t x = __atomic_load_n(&dst_[i], __ATOMIC_RELAXED);
			if (x != 0 && x != ~(uintptr_t)0)
				__atomic_add_fetch(&torn, 1, __ATOMIC_SEQ_CST);
		}
	}
	return NULL;
}

Test(Memmove, Atomicity) {
	static const size_t sizes[] = {
		1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 255, 256, 600};
	pthread_t t;
	cr_assert(pthread_create(&t, NULL, reader, NULL) == 0);
	for (size_t k = 0; k < nelem(sizes); k++) {
		words = sizes[k];
		for (int i = 0; i < 2000; i++) {
			for (size_t j = 0; j < sizes[k]; j++)
				src_[j] = i % 2 == 0 ? ~(uintptr_t)0 : 0;
			runtime_memmove(dst_, src_, sizes[k] * 8);
			if (i % 3 == 0) // backwards
				runtime_memmove(dst_ + 1, dst_, (sizes[k] - 1) * 8);
			if (i % 5 == 0)
				memclrNoHeapPointers(dst_, sizes[k] * 8);
		}
	}
	stop = true;
	pthread_join(t, NULL);
	cr_assert_eq(torn, 0);
}
