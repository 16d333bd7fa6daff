// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Small allocations thrown away at once: ns per allocation.  -kind noscan, scan: objects of a constant
// size that the compiler sees; bytes: a run-time size.  -g goroutines each allocate n/g objects;
// every one keeps its last 64 objects reachable.  -live MB of noscan ballast sets how often the
// collector runs.  Twin of bench/go/alloc_small.
#include <stdio.h>
#include <string.h>

#include "twin.h"

// Each size has a type and a loop of its own for objects without and with pointers.
#define SIZES(X) X(8) X(16) X(24) X(32) X(48) X(64) X(128) X(256) X(512) X(1024) X(4096) X(32768)

#define ALLOC(S)                                                               \
	typedef struct noscan##S {                                             \
		char b[S];                                                     \
	} noscan##S;                                                           \
	typedef struct scan##S {                                               \
		char *p[S / 8];                                                \
	} scan##S;                                                             \
	GORT_TYPE_NOSCAN(noscan##S);                                           \
	static void run_noscan##S(void **sink, int64_t n) {                    \
		for (int64_t i = 0; i < n; i++)                                \
			gort_store(sink[i & 63], (void *)gort_new(noscan##S)); \
	}
#define ALLOC_SCAN(S)                                                        \
	static void run_scan##S(void **sink, int64_t n) {                    \
		for (int64_t i = 0; i < n; i++)                              \
			gort_store(sink[i & 63], (void *)gort_new(scan##S)); \
	}
SIZES(ALLOC)
GORT_TYPE(scan8, p);
GORT_TYPE(scan16, p);
GORT_TYPE(scan24, p);
GORT_TYPE(scan32, p);
GORT_TYPE(scan48, p);
GORT_TYPE(scan64, p);
GORT_TYPE(scan128, p);
GORT_TYPE(scan256, p);
GORT_TYPE(scan512, p);
GORT_TYPE(scan1024, p);
GORT_TYPE(scan4096, p);
GORT_TYPE_CONSERVATIVE(scan32768);
SIZES(ALLOC_SCAN)

static const struct {
	int64_t size;
	void (*noscan)(void **, int64_t);
	void (*scan)(void **, int64_t);
} sizes[] = {
#define ROW(S) {S, run_noscan##S, run_scan##S},
	SIZES(ROW)};

static int64_t size = 64, n = 10000000, g = 1, live;
static const char *kind = "noscan";

static void
run_bytes(void **sink, int64_t count) {
	for (int64_t i = 0; i < count; i++)
		gort_store(sink[i & 63], gort_alloc((size_t)size, GORT_NOSCAN));
}

static void
worker(void (*f)(void **, int64_t), void **sink, int64_t count, gort_waitgroup *wg) {
	f(sink, count);
	gort_waitgroup_done(wg);
}

static int
app(int argc, char **argv) {
	twin_flags(argc, argv,
		(struct twin_flag[]){{"kind", TWIN_STRING, &kind, "noscan|scan|bytes"},
			{"size", TWIN_INT, &size, "object bytes"},
			{"n", TWIN_INT, &n, "objects in all"}, {"g", TWIN_INT, &g, "goroutines"},
			{"live", TWIN_INT, &live, "MB of ballast"}, {0}});
	void (*f)(void **, int64_t) = strcmp(kind, "bytes") == 0 ? run_bytes : NULL;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		if (sizes[i].size == size && f == NULL)
			f = strcmp(kind, "noscan") == 0 ? sizes[i].noscan
			    : strcmp(kind, "scan") == 0 ? sizes[i].scan
							: NULL;
	if (f == NULL) {
		fprintf(stderr, "alloc_small: no such kind or size\n");
		return 1;
	}
	char *ballast = gort_alloc((size_t)live << 20, GORT_NOSCAN);
	for (int64_t i = 0; i < live << 20; i += 4096)
		ballast[i] = 1;
	void ***sinks = gort_alloc(sizeof *sinks * (size_t)g, GORT_POINTERS);
	for (int64_t i = 0; i < g; i++)
		gort_store(sinks[i], (void **)gort_alloc(64 * sizeof(void *), GORT_POINTERS));
	gort_waitgroup wg = {0};
	struct twin t;
	twin_start(&t);
	for (int64_t i = 0; i < g; i++) {
		gort_waitgroup_add(&wg, 1);
		gort_go(worker, f, sinks[i], n / g, &wg);
	}
	gort_waitgroup_wait(&wg);
	twin_done(&t, "alloc_small",
		TWIN_KV(TWIN_KS("kind", kind), TWIN_KI("size", size), TWIN_KI("g", g),
			TWIN_KI("live_mb", live)),
		n / g * g, TWIN_NONE);
	if (live > 0 && ballast[0] == 0) {
		fprintf(stderr, "alloc_small: the ballast is gone\n");
		return 1;
	}
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
