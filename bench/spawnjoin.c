// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Spawn n goroutines that do nothing and wait for them.  -mode all: spawn all, then wait; one: wait
// after each; nested: -p goroutines spawn n/p each.  Twin of bench/go/spawnjoin.
#include <stdio.h>
#include <string.h>

#include "twin.h"

static int64_t n = 1000000, p = 2;
static const char *mode = "all";
static gort_waitgroup wg;

static void
f(void) {
	gort_waitgroup_done(&wg);
}

static void
spawner(int64_t per) {
	for (int64_t i = 0; i < per; i++)
		gort_go(f);
}

static int
app(int argc, char **argv) {
	twin_flags(argc, argv,
		(struct twin_flag[]){{"n", TWIN_INT, &n, "goroutines"},
			{"mode", TWIN_STRING, &mode, "all|one|nested"},
			{"p", TWIN_INT, &p, "spawners"}, {0}});
	struct twin t;
	twin_start(&t);
	if (strcmp(mode, "all") == 0) {
		gort_waitgroup_add(&wg, n);
		for (int64_t i = 0; i < n; i++)
			gort_go(f);
		gort_waitgroup_wait(&wg);
	} else if (strcmp(mode, "one") == 0) {
		for (int64_t i = 0; i < n; i++) {
			gort_waitgroup_add(&wg, 1);
			gort_go(f);
			gort_waitgroup_wait(&wg);
		}
	} else if (strcmp(mode, "nested") == 0) {
		gort_waitgroup_add(&wg, n / p * p);
		for (int64_t i = 0; i < p; i++)
			gort_go(spawner, n / p);
		gort_waitgroup_wait(&wg);
	} else {
		fprintf(stderr, "spawnjoin: no mode \"%s\"\n", mode);
		return 2;
	}
	twin_done(&t, "spawnjoin", TWIN_KV(TWIN_KI("n", n), TWIN_KS("mode", mode)), n, TWIN_NONE);
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
