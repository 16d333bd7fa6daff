// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Random numbers.  Ports rand.go and internal/chacha8rand of Go 1.26.8.
//
// Two kinds: rand_ is a cipher (ChaCha8), for hash seeds and what a program asks for; cheaprand is
// wyrand, for the scheduler's choices.  Both are kept by M and seeded from one generator of the
// process, which the kernel seeds (AT_RANDOM).
#include "runtime/rand.h"

#include "runtime/os_linux.h"
#include "sched/runtime2.h"

// ---- ChaCha8 ----------------------------------------------------------------------------------------

enum {
	ctrInc = 4,  // blocks a call of block
	ctrMax = 16, // then reseed
	chunk = 32,  // numbers a call
	reseed = 4,  // words of a new seed
};

typedef uint32_t vec __attribute__((vector_size(16), may_alias));

static ALWAYS_INLINE vec
rotl(vec x, int k) {
	return x << k | x >> (32 - k);
}

#define QR(a, b, c, d)               \
	do {                         \
		a += b;              \
		d = rotl(d ^ a, 16); \
		c += d;              \
		b = rotl(b ^ c, 12); \
		a += b;              \
		d = rotl(d ^ a, 8);  \
		c += d;              \
		b = rotl(b ^ c, 7);  \
	} while (0)

// block makes four ChaCha8 blocks beside each other, in the lanes of vectors; that interlaced order
// is also the order of the numbers.
static void
block(const uint64_t seed[static 4], uint64_t buf[static 32], uint32_t counter) {
	vec b[16];
	const uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	for (int i = 0; i < 4; i++)
		b[i] = (vec){0} + constants[i];
	for (int i = 0; i < 4; i++) {
		b[4 + 2 * i] = (vec){0} + (uint32_t)seed[i];
		b[5 + 2 * i] = (vec){0} + (uint32_t)(seed[i] >> 32);
	}
	b[12] = (vec){counter, counter + 1, counter + 2, counter + 3};
	b[13] = b[14] = b[15] = (vec){0};

	vec key[8];
	for (int i = 0; i < 8; i++)
		key[i] = b[4 + i];
	for (int round = 0; round < 4; round++) {
		QR(b[0], b[4], b[8], b[12]);
		QR(b[1], b[5], b[9], b[13]);
		QR(b[2], b[6], b[10], b[14]);
		QR(b[3], b[7], b[11], b[15]);
		QR(b[0], b[5], b[10], b[15]);
		QR(b[1], b[6], b[11], b[12]);
		QR(b[2], b[7], b[8], b[13]);
		QR(b[3], b[4], b[9], b[14]);
	}
	// The key goes back in, or the rounds could be undone.
	for (int i = 0; i < 8; i++)
		b[4 + i] += key[i];
	memcpy(buf, b, sizeof(b));
}

void
chacha8randState_Init(chacha8randState *s, const uint8_t seed[static 32]) {
	uint64_t seed64[4];
	memcpy(seed64, seed, sizeof(seed64)); // little-endian
	chacha8randState_Init64(s, seed64);
}

void
chacha8randState_Init64(chacha8randState *s, const uint64_t seed[static 4]) {
	memcpy(s->seed, seed, sizeof(s->seed));
	block(s->seed, s->buf, 0);
	s->c = 0;
	s->i = 0;
	s->n = chunk;
}

uint64_t
chacha8randState_Next(chacha8randState *s, bool *ok) {
	uint32_t i = s->i;
	if (i >= s->n) {
		*ok = false;
		return 0;
	}
	s->i = i + 1;
	*ok = true;
	return s->buf[i & 31];
}

void
chacha8randState_Refill(chacha8randState *s) {
	s->c += ctrInc;
	if (s->c == ctrMax) {
		// The last numbers of the previous block were held back as the new seed.
		memcpy(s->seed, &s->buf[chunk - reseed], sizeof(s->seed));
		s->c = 0;
	}
	block(s->seed, s->buf, s->c);
	s->i = 0;
	s->n = chunk;
	if (s->c == ctrMax - ctrInc)
		s->n = chunk - reseed;
}

// next is Next with the Refill that it may need.
static uint64_t
next(chacha8randState *s) {
	for (;;) {
		bool ok;
		uint64_t x = chacha8randState_Next(s, &ok);
		if (likely(ok))
			return x;
		chacha8randState_Refill(s);
	}
}

void
chacha8randState_Reseed(chacha8randState *s) {
	uint64_t seed[4];
	for (int i = 0; i < 4; i++)
		seed[i] = next(s);
	chacha8randState_Init64(s, seed);
}

// ---- the process's generator --------------------------------------------------------------------------

uint8_t *startupRand;

static struct {
	mutex lock;
	uint8_t seed[32];
	chacha8randState state;
	bool init;
} globalRand;

static bool readRandomFailed; // for the reader of a core file

static bool
allZero(const uint8_t *b, int n) {
	uint8_t acc = 0;
	for (int i = 0; i < n; i++)
		acc |= b[i];
	return acc == 0;
}

// readTimeRandom xors the time into r, stretched to n bytes, for a machine without /dev/urandom.
static void
readTimeRandom(uint8_t *r, int n) {
	uint64_t v = (uint64_t)nanotime();
	for (int i = 0; i < n; i += 8) {
		v ^= 0xa0761d6478bd642f;
		v *= 0xe7037ed1a0b428db;
		for (int j = 0; j < 8 && i + j < n; j++)
			r[i + j] ^= (uint8_t)(v >> (8 * j));
		v = v >> 32 | v << 32;
	}
}

void
randinit(void) {
	lock(&globalRand.lock);
	if (globalRand.init)
		fatal("randinit twice");

	uint8_t *seed = globalRand.seed;
	if (startupRand != NULL && !allZero(startupRand, 8) && !allZero(startupRand + 8, 8)) {
		for (int i = 0; i < 16; i++)
			seed[i] ^= startupRand[i];
	} else if (readRandom(seed, sizeof(globalRand.seed)) != sizeof(globalRand.seed) ||
		   allZero(seed, sizeof(globalRand.seed))) {
		readRandomFailed = true;
		readTimeRandom(seed, sizeof(globalRand.seed));
	}
	chacha8randState_Init(&globalRand.state, seed);
	memset(seed, 0, sizeof(globalRand.seed));

	if (startupRand != NULL) {
		// libc may show these bytes to somebody: let them be others.
		for (int i = 0; i < 16; i += 8) {
			uint64_t x = next(&globalRand.state);
			memcpy(startupRand + i, &x, 8);
		}
		startupRand = NULL;
	}

	globalRand.init = true;
	unlock(&globalRand.lock);
}

// bootstrapRand returns a number of the process's generator.
uint64_t
bootstrapRand(void) {
	lock(&globalRand.lock);
	if (!globalRand.init)
		fatal("randinit missed");
	uint64_t x = next(&globalRand.state);
	unlock(&globalRand.lock);
	return x;
}

void
bootstrapRandReseed(void) {
	lock(&globalRand.lock);
	if (!globalRand.init)
		fatal("randinit missed");
	chacha8randState_Reseed(&globalRand.state);
	unlock(&globalRand.lock);
}

// ---- the M's ------------------------------------------------------------------------------------------

uint64_t
rand_(void) {
	return next(&getg()->m->chacha8);
}

void
mrandinit(M *mp) {
	uint64_t seed[4];
	for (int i = 0; i < 4; i++)
		seed[i] = bootstrapRand();
	bootstrapRandReseed(); // nobody shall find the key that we took
	chacha8randState_Init64(&mp->chacha8, seed);
	mp->cheaprand = next(&mp->chacha8);
}

// randn returns a number below n, by Lemire's multiplication.
uint32_t
randn(uint32_t n) {
	return (uint32_t)((uint64_t)(uint32_t)rand_() * n >> 32);
}

uint32_t
cheaprand(void) {
	return wyrand(&getg()->m->cheaprand);
}

// cheaprand64 has 63 bits.
int64_t
cheaprand64(void) {
	int64_t hi = (int64_t)((uint64_t)cheaprand() << 31);
	return hi ^ (int64_t)cheaprand();
}

uint32_t
cheaprandn(uint32_t n) {
	return (uint32_t)((uint64_t)cheaprand() * n >> 32);
}
