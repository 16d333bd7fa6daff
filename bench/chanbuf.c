// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// -p producers send n longs in all over one channel with -cap slots to -c consumers.
// Twin of bench/go/chanbuf.
#include "twin.h"

static int64_t n = 10000000, p = 1, c = 1, cp = 128;

static void
consumer(gort_chan(long) ch, long *sum, gort_waitgroup *wg) {
	long s = 0;
	gort_chan_range(v, ch) s += v;
	*sum = s;
	gort_waitgroup_done(wg);
}

static void
producer(gort_chan(long) ch, int64_t per, gort_waitgroup *wg) {
	for (long i = 0; i < per; i++)
		gort_chan_send(ch, i);
	gort_waitgroup_done(wg);
}

static int
app(int argc, char **argv) {
	twin_flags(argc, argv,
		(struct twin_flag[]){{"n", TWIN_INT, &n, "messages in all"},
			{"p", TWIN_INT, &p, "producers"}, {"c", TWIN_INT, &c, "consumers"},
			{"cap", TWIN_INT, &cp, "channel capacity"}, {0}});
	gort_chan(long) ch = gort_chan_make(long, cp);
	long *sums = gort_alloc(sizeof *sums * c, GORT_NOSCAN);
	gort_waitgroup prod = {0}, cons = {0};
	struct twin t;
	twin_start(&t);
	gort_waitgroup_add(&cons, c);
	for (int64_t i = 0; i < c; i++)
		gort_go(consumer, ch, &sums[i], &cons);
	gort_waitgroup_add(&prod, p);
	for (int64_t i = 0; i < p; i++)
		gort_go(producer, ch, n / p, &prod);
	gort_waitgroup_wait(&prod);
	gort_chan_close(ch);
	gort_waitgroup_wait(&cons);
	twin_done(&t, "chanbuf", TWIN_KV(TWIN_KI("p", p), TWIN_KI("c", c), TWIN_KI("cap", cp)),
		n / p * p, TWIN_NONE);
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
