// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// 503 goroutines in a ring pass a token n times over unbuffered channels.
// Twin of bench/go/threadring.
#include "twin.h"

static int64_t n = 5000000, k = 503;

static void
pass_on(gort_chan(long) in, gort_chan(long) out, gort_chan(long) done, long me) {
	for (;;) {
		long v = gort_chan_recv(in);
		if (v == 0) {
			gort_chan_send(done, me);
			return;
		}
		gort_chan_send(out, v - 1);
	}
}

static int
app(int argc, char **argv) {
	twin_flags(argc, argv,
		(struct twin_flag[]){
			{"n", TWIN_INT, &n, "passes"}, {"k", TWIN_INT, &k, "goroutines"}, {0}});
	gort_chan(long) done = gort_chan_make(long, 0), first = gort_chan_make(long, 0), in = first;
	for (long i = 0; i < k; i++) {
		gort_chan(long) out = i == k - 1 ? first : gort_chan_make(long, 0);
		gort_go(pass_on, in, out, done, i + 1);
		in = out;
	}
	struct twin t;
	twin_start(&t);
	gort_chan_send(first, n);
	long who = gort_chan_recv(done);
	twin_done(&t, "threadring", TWIN_KV(TWIN_KI("n", n), TWIN_KI("k", k)), n,
		TWIN_KV(TWIN_KI("who", who)));
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
