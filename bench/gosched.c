// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// k goroutines yield n times in all: ns per yield.  Twin of bench/go/gosched.
#include "twin.h"

static int64_t n = 5000000, k = 2;

static void
yielder(int64_t per, gort_waitgroup *wg) {
	for (int64_t i = 0; i < per; i++)
		gort_yield();
	gort_waitgroup_done(wg);
}

static int
app(int argc, char **argv) {
	twin_flags(argc, argv,
		(struct twin_flag[]){{"n", TWIN_INT, &n, "yields in all"},
			{"k", TWIN_INT, &k, "goroutines"}, {0}});
	gort_waitgroup wg = {0};
	struct twin t;
	twin_start(&t);
	for (int64_t i = 0; i < k; i++) {
		gort_waitgroup_add(&wg, 1);
		gort_go(yielder, n / k, &wg);
	}
	gort_waitgroup_wait(&wg);
	twin_done(&t, "gosched", TWIN_KV(TWIN_KI("k", k)), n, TWIN_NONE);
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
