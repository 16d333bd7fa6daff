// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Two goroutines pass a long back and forth over two unbuffered channels.
// One op is one round trip (2 sends, 2 receives).  Twin of bench/go/pingpong.
#include "twin.h"

static int64_t n = 1000000;

static void
echo(gort_chan(long) a, gort_chan(long) b) {
	gort_chan_range(v, a) gort_chan_send(b, v + 1);
	gort_chan_close(b);
}

static int
app(int argc, char **argv) {
	twin_flags(argc, argv, (struct twin_flag[]){{"n", TWIN_INT, &n, "round trips"}, {0}});
	gort_chan(long) a = gort_chan_make(long, 0), b = gort_chan_make(long, 0);
	gort_go(echo, a, b);
	struct twin t;
	twin_start(&t);
	long s = 0;
	for (long i = 0; i < n; i++) {
		gort_chan_send(a, i);
		s += gort_chan_recv(b);
	}
	twin_done(&t, "pingpong", TWIN_KV(TWIN_KI("n", n)), n, TWIN_KV(TWIN_KI("sum", s)));
	gort_chan_close(a);
	gort_chan_recv(b);
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
