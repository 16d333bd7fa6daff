// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The central list of spans of one span class.  Ports mcentral.go.
#ifndef GORT_RUNTIME_MCENTRAL_H
#define GORT_RUNTIME_MCENTRAL_H

#include "runtime/mspanset.h"
#include "runtime/runtime.h"

typedef uint8_t spanClass; // see mheap.h

struct mcentral {
	spanClass spanclass;

	// One set of each pair is of swept spans, the other of unswept ones; which is which flips
	// with each sweepgen.
	spanSet partial[2]; // spans with a free object
	spanSet full[2];    // spans without
};

void mcentral_init(mcentral *c, spanClass spc);

static inline spanSet *
mcentral_partialUnswept(mcentral *c, uint32_t sweepgen) {
	return &c->partial[1 - sweepgen / 2 % 2];
}

static inline spanSet *
mcentral_partialSwept(mcentral *c, uint32_t sweepgen) {
	return &c->partial[sweepgen / 2 % 2];
}

static inline spanSet *
mcentral_fullUnswept(mcentral *c, uint32_t sweepgen) {
	return &c->full[1 - sweepgen / 2 % 2];
}

static inline spanSet *
mcentral_fullSwept(mcentral *c, uint32_t sweepgen) {
	return &c->full[sweepgen / 2 % 2];
}

// cacheSpan returns a span with a free object for an mcache; NULL: out of memory.
mspan *mcentral_cacheSpan(mcentral *c);
// uncacheSpan takes a span back from an mcache.
void mcentral_uncacheSpan(mcentral *c, mspan *s);

#endif
