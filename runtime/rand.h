// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Random numbers.  Ports rand.go and internal/chacha8rand of Go 1.26.8; fastlog2.go and
// fastexprand.
#ifndef GORT_RUNTIME_RAND_H
#define GORT_RUNTIME_RAND_H

#include "runtime/runtime.h"

// chacha8randState is a generator whose numbers are those of Go's chacha8rand.State; one thread.
typedef struct chacha8randState {
	uint64_t buf[32];
	uint64_t seed[4];
	uint32_t i; // next number in buf
	uint32_t n; // numbers in buf
	uint32_t c; // block counter
} chacha8randState;

void chacha8randState_Init(chacha8randState *s, const uint8_t seed[static 32]);
void chacha8randState_Init64(chacha8randState *s, const uint64_t seed[static 4]);
// chacha8randState_Next sets *ok to false when Refill must be called first.
uint64_t chacha8randState_Next(chacha8randState *s, bool *ok);
void chacha8randState_Refill(chacha8randState *s);
// chacha8randState_Reseed replaces the seed by generated numbers: what was returned is forgotten.
void chacha8randState_Reseed(chacha8randState *s);

// randinit seeds the process's generator from what the kernel passed at start; before the others.
void randinit(void);
void bootstrapRandReseed(void);
// mrandinit seeds the generators of mp.
void mrandinit(M *mp);

// startupRand is what the auxiliary vector offers (AT_RANDOM), 16 bytes, or NULL.
extern uint8_t *startupRand;

// wyrand is one step of cheaprand's generator on *state.
static inline uint32_t
wyrand(uint64_t *state) {
	*state += 0xa0761d6478bd642f;
	unsigned __int128 p = (unsigned __int128)*state * (*state ^ 0xe7037ed1a0b428db);
	return (uint32_t)((uint64_t)(p >> 64) ^ (uint64_t)p);
}

// fastexprand returns a sample of the exponential distribution with the given mean.
int32_t fastexprand(intptr_t mean);

#endif
