// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// One goroutine sends longs over -k channels in turn, the main one selects over all k.
// -cap 0: every message parks; -cap 128: mostly ready channels.  -k 1 is select with default
// (polling an empty channel), one goroutine.  Twin of bench/go/selectn.
#include <stdio.h>

#include "twin.h"

static int64_t n = 1000000, k = 2, cp;
static gort_chan(long) c[8];

static void
sender(void) {
	for (long i = 0; i < n; i++)
		gort_chan_send(c[i & (k - 1)], i);
}

static int
app(int argc, char **argv) {
	twin_flags(argc, argv,
		(struct twin_flag[]){{"n", TWIN_INT, &n, "messages"},
			{"k", TWIN_INT, &k, "1|2|4|8 channels"}, {"cap", TWIN_INT, &cp, "capacity"},
			{0}});
	for (int i = 0; i < 8; i++)
		gort_store(c[i], gort_chan_make(long, cp));
	if (k > 1)
		gort_go(sender);
	long s = 0;
	struct twin t;
	twin_start(&t);
	switch (k) {
	case 1:
		for (int64_t i = 0; i < n; i++) {
			long v;
			switch (gort_select(gort_on_recv(c[0], &v), gort_on_default)) {
			case 0:
				s += v;
				break;
			default:
				s++;
			}
		}
		break;
	case 2:
		for (int64_t i = 0; i < n; i++) {
			long v;
			gort_select(gort_on_recv(c[0], &v), gort_on_recv(c[1], &v));
			s += v;
		}
		break;
	case 4:
		for (int64_t i = 0; i < n; i++) {
			long v;
			gort_select(gort_on_recv(c[0], &v), gort_on_recv(c[1], &v),
				gort_on_recv(c[2], &v), gort_on_recv(c[3], &v));
			s += v;
		}
		break;
	case 8:
		for (int64_t i = 0; i < n; i++) {
			long v;
			gort_select(gort_on_recv(c[0], &v), gort_on_recv(c[1], &v),
				gort_on_recv(c[2], &v), gort_on_recv(c[3], &v),
				gort_on_recv(c[4], &v), gort_on_recv(c[5], &v),
				gort_on_recv(c[6], &v), gort_on_recv(c[7], &v));
			s += v;
		}
		break;
	default:
		fprintf(stderr, "selectn: -k %lld is not 1, 2, 4 or 8\n", (long long)k);
		return 2;
	}
	twin_done(&t, "selectn", TWIN_KV(TWIN_KI("k", k), TWIN_KI("cap", cp)), n,
		TWIN_KV(TWIN_KI("sum", s)));
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
