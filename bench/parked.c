// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// n goroutines park in a channel receive; then one close wakes them all.  -depth calls of a function
// with a 1 KB frame are made before parking and returned from.  Twin of bench/go/parked.
#include "twin.h"

static int64_t n = 1000000, depth;
static gort_waitgroup wg;
static int64_t ready;

__attribute__((noinline)) static unsigned char
deep(int d) {
	volatile unsigned char b[1024] = {0};
	b[d] = (unsigned char)d;
	if (d > 0)
		return (unsigned char)(b[d & 1023] + deep(d - 1));
	return b[0];
}

static void
waiter(gort_chan(char) gate) {
	if (depth > 0)
		deep((int)depth);
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	gort_chan_recv(gate);
	gort_waitgroup_done(&wg);
}

static int
app(int argc, char **argv) {
	twin_flags(argc, argv,
		(struct twin_flag[]){{"n", TWIN_INT, &n, "goroutines"},
			{"depth", TWIN_INT, &depth, "1 KB frames used before parking"}, {0}});
	gort_chan(char) gate = gort_chan_make(char, 0);
	gort_waitgroup_add(&wg, n);
	int64_t rss0 = twin_status("VmRSS");
	struct twin t;
	twin_start(&t);
	for (int64_t i = 0; i < n; i++)
		gort_go(waiter, gate);
	while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < n)
		gort_yield();
	int64_t spawn = twin_elapsed(&t), rss1 = twin_status("VmRSS"), pte = twin_status("VmPTE");
	int64_t t0 = gort_now();
	gort_gc();
	int64_t gc = gort_now() - t0;
	t0 = gort_now();
	gort_chan_close(gate);
	gort_waitgroup_wait(&wg);
	int64_t wake = gort_now() - t0;
	twin_done(&t, "parked", TWIN_KV(TWIN_KI("n", n), TWIN_KI("depth", depth)), n,
		TWIN_KV(TWIN_KF("spawn_park_ns_each", (double)spawn / (double)n),
			TWIN_KF("wake_exit_ns_each", (double)wake / (double)n),
			TWIN_KF("rss_bytes_each", (double)(rss1 - rss0) * 1024 / (double)n),
			TWIN_KF("pte_bytes_each", (double)pte * 1024 / (double)n),
			TWIN_KI("gc_parked_ns", gc)));
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
