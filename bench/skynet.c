// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Skynet: a tree of goroutines, 10 children each, -n leaves; the sum of the leaves' numbers comes
// back up over unbuffered channels.  Twin of bench/go/skynet.
#include "twin.h"

static int64_t n = 1000000, rounds = 3;

static void
skynet(gort_chan(long) c, long num, long size) {
	if (size == 1) {
		gort_chan_send(c, num);
		return;
	}
	gort_chan(long) rc = gort_chan_make(long, 0);
	long sum = 0;
	for (int i = 0; i < 10; i++)
		gort_go(skynet, rc, num + i * (size / 10), size / 10);
	for (int i = 0; i < 10; i++)
		sum += gort_chan_recv(rc);
	gort_chan_send(c, sum);
}

static int
app(int argc, char **argv) {
	twin_flags(argc, argv,
		(struct twin_flag[]){{"n", TWIN_INT, &n, "leaves"},
			{"rounds", TWIN_INT, &rounds, "rounds"}, {0}});
	struct twin t;
	twin_start(&t);
	long sum = 0;
	for (int64_t i = 0; i < rounds; i++) {
		gort_chan(long) c = gort_chan_make(long, 0);
		gort_go(skynet, c, 0L, n);
		sum += gort_chan_recv(c);
	}
	twin_done(&t, "skynet", TWIN_KV(TWIN_KI("n", n), TWIN_KI("rounds", rounds)), n * rounds,
		TWIN_KV(TWIN_KI("sum", sum)));
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
