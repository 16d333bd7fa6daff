// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Large allocations thrown away, one byte of every page written; -hold of them are kept reachable.
// -scan allocates arrays of pointers.  Twin of bench/go/alloc_large.
#include "twin.h"

static int64_t size = 1 << 20, n = 5000, hold = 16;
static bool scan;
static char one;

static int
app(int argc, char **argv) {
	twin_flags(argc, argv,
		(struct twin_flag[]){{"size", TWIN_INT, &size, "object bytes"},
			{"n", TWIN_INT, &n, "objects"}, {"hold", TWIN_INT, &hold, "kept reachable"},
			{"scan", TWIN_BOOL, &scan, "pointerful"}, {0}});
	void **keep = gort_alloc(sizeof *keep * (size_t)hold, GORT_POINTERS);
	struct twin t;
	twin_start(&t);
	for (int64_t i = 0; i < n; i++) {
		if (scan) {
			char **p = gort_alloc((size_t)size, GORT_POINTERS);
			for (int64_t j = 0; j < size / 8; j += 512)
				gort_store(p[j], &one);
			gort_store(keep[i % hold], (void *)p);
		} else {
			char *p = gort_alloc((size_t)size, GORT_NOSCAN);
			for (int64_t j = 0; j < size; j += 4096)
				p[j] = 1;
			gort_store(keep[i % hold], (void *)p);
		}
	}
	twin_done(&t, "alloc_large",
		TWIN_KV(TWIN_KI("size", size), TWIN_KB("scan", scan), TWIN_KI("hold", hold)), n,
		TWIN_KV(TWIN_KF("mb_s",
			(double)n * (double)size / ((double)twin_elapsed(&t) / 1e9) / 1e6)));
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
