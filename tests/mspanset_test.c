// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Span sets.
#include "runtime/gort.h"

#include "runtime/mheap.h"
#include "runtime/mspanset.h"
#include "runtime/runtime.h"
#include "tests/support/support.h"

enum {
	nspans = 10 * spanSetBlockEntries,
	nworkers = 8,
	nrounds = 20,
};

static mspan spans[nspans];
static uint32_t seen[nspans]; // atomic

static spanSet set;

// One at a time it is a queue, and it takes several blocks and, for the last part, spines.
static void
sequential(void) {
	CHECK(spanSet_pop(&set) == NULL);
	for (int i = 0; i < nspans; i++)
		spanSet_push(&set, &spans[i]);
	for (int i = 0; i < nspans; i++)
		CHECK(spanSet_pop(&set) == &spans[i]);
	CHECK(spanSet_pop(&set) == NULL);
	spanSet_reset(&set);
	CHECK(set.spineLen == 0);

	// Reset with a block that was used in part.
	for (int i = 0; i < 100; i++) {
		spanSet_push(&set, &spans[i]);
		CHECK(spanSet_pop(&set) == &spans[i]);
		spanSet_reset(&set);
	}

	// More blocks than the first spine has room for.
	for (int i = 0; i < spanSetInitSpineCap * spanSetBlockEntries + 1; i++)
		spanSet_push(&set, &spans[i % nspans]);
	CHECK(set.spineCap == 2 * spanSetInitSpineCap);
	for (int i = 0; i < spanSetInitSpineCap * spanSetBlockEntries + 1; i++)
		CHECK(spanSet_pop(&set) == &spans[i % nspans]);
	CHECK(spanSet_pop(&set) == NULL);
	spanSet_reset(&set);
}

Test(SpanSet, Sequential) {
	RUN(sequential);
}

static gort_waitgroup wg;

// worker pushes its spans and pops as many, whosever they are.
static void
worker(int w) {
	for (int i = w; i < nspans; i += nworkers) {
		spanSet_push(&set, &spans[i]);
		if (i % 3 == 0) {
			mspan *s = spanSet_pop(&set);
			if (s != NULL)
				atomic_Xadd(&seen[s - spans], 1);
		}
	}
	// The rest.  pop may miss a span that is just being pushed, so another worker may get it.
	for (mspan *s; (s = spanSet_pop(&set)) != NULL;)
		atomic_Xadd(&seen[s - spans], 1);
	gort_waitgroup_done(&wg);
}

static void
concurrent(void) {
	for (int r = 0; r < nrounds; r++) {
		memset(seen, 0, sizeof seen);
		gort_waitgroup_add(&wg, nworkers);
		for (int w = 0; w < nworkers; w++)
			gort_go(worker, w);
		gort_waitgroup_wait(&wg);
		for (mspan *s; (s = spanSet_pop(&set)) != NULL;)
			seen[s - spans]++;
		int wrong = 0;
		for (int i = 0; i < nspans; i++)
			wrong += seen[i] != 1;
		CHECK(wrong == 0);
		spanSet_reset(&set);
	}
}

// Every span comes out once.
Test(SpanSet, Concurrent) {
	RUN(concurrent);
}
