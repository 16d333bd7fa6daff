// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The background scavenger at work: memory goes back to the system by itself.  The index of chunks and the
// pacing are tested against Go's answers (tests/vectors).
#include "tests/support/support.h"

#include <unistd.h>

#include "runtime/gort.h"
#include "runtime/mgcscavenge.h"
#include "sched/proc.h"

enum { MB = 1 << 20, liveMB = 64, garbageMB = 128 };
static char *live[liveMB], *garbage[garbageMB];

// fill allocates n MB, in pieces of one, and has the system give memory for them.
static void
fill(char **p, int n) {
	for (int i = 0; i < n; i++) {
		gort_store(p[i], (char *)gort_alloc(MB, GORT_NOSCAN));
		memset(p[i], 1, MB);
	}
}

// resident returns how much of the process is in memory.
static uint64_t
resident(void) {
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	CHECK(f != NULL && fscanf(f, "%*u %lu", &pages) == 1);
	if (f != NULL)
		fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t
retained(void) {
	gort_memstats ms;

	gort_read_memstats(&ms);
	return ms.HeapSys - ms.HeapReleased;
}

// idle says whether the scavenger has nothing to do and has said so.
static bool
idle(void) {
	bool b;

	lock(&scavenger.lock);
	b = scavenger.parked && scavenger.g->waitreason == waitReasonGCScavengeWait;
	unlock(&scavenger.lock);
	return b;
}

static void
background(void) {
	gort_memstats ms;

	CHECK(gort_root_add(live, sizeof live) == 0 && gort_root_add(garbage, sizeof garbage) == 0);
	fill(live, liveMB);
	fill(garbage, garbageMB);
	gort_gc();
	uint64_t before = retained(), rss = resident();
	CHECK(before >= (uint64_t)(liveMB + garbageMB) * MB);

	// The first cycle frees it, in the next the heap is what it was in the one before, and a chunk
	// whose pages were freed in an earlier generation is for the scavenger.
	memset(garbage, 0, sizeof garbage);
	for (int i = 0; i < 3; i++)
		gort_gc();

	// As the heap and its goal do not change any more, 10 % above it are retained: 6.4 MB.  The last
	// piece may be as large as a huge page, and a few spans come and go.
	gort_read_memstats(&ms);
	uint64_t goal = ms.HeapInuse + ms.HeapInuse / 10;
	int64_t deadline = gort_now() + 120 * GORT_S;
	while ((retained() > goal + MB || !idle()) && gort_now() < deadline)
		gort_sleep(GORT_MS);
	uint64_t after = retained();
	CHECK(after <= goal + MB);
	CHECK(after >= goal - 3 * MB);
	CHECK(idle());
	// It is the system's again, not only in the books.
	CHECK(rss - resident() >= before - after - 10 * MB);
	for (int i = 0; i < liveMB; i++)
		CHECK(live[i][0] == 1 && live[i][MB - 1] == 1);
}

Test(Scavenger, Background) {
	RUN(background);
}
