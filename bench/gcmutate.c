// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Mutators against the concurrent collector: a live graph of -mb of 64-byte nodes; -g goroutines
// replace random subtrees' nodes (one allocation and two pointer writes an operation) for -n
// operations; latency of each operation.  Twin of bench/go/gcmutate.
#include <stdlib.h>

#include "twin.h"

typedef struct node {
	struct node *l, *r;
	uint64_t v[6];
} node;
GORT_TYPE(node, l, r);

static int64_t mb = 200, n = 2000000, g = 2;

static void
mutator(node **b, int64_t nb, int id, struct twin_hist *h, gort_waitgroup *wg) {
	struct twin_pcg r = {(uint64_t)id, 7};
	for (int64_t k = 0; k < n / g; k++) {
		int64_t t0 = gort_now();
		int64_t j = twin_pcg_intn(&r, nb);
		// new head; drop the 8th
		node *x = gort_new_with(node, .l = b[j], .r = b[twin_pcg_intn(&r, nb)]->l);
		gort_store(b[j], x);
		node *p = x;
		for (int i = 0; i < 7; i++) {
			gort_store(p->r, NULL);
			p = p->l;
		}
		gort_store(p->l, NULL);
		twin_hist_add(h, gort_now() - t0);
	}
	gort_waitgroup_done(wg);
}

static int
app(int argc, char **argv) {
	twin_flags(argc, argv,
		(struct twin_flag[]){{"mb", TWIN_INT, &mb, "live MB"},
			{"n", TWIN_INT, &n, "operations in all"}, {"g", TWIN_INT, &g, "goroutines"},
			{0}});
	int64_t per = (mb << 20) / 64 / g, nb = per / 8;
	struct twin_hist *hs = calloc((size_t)g, sizeof *hs);
	// every goroutine has a hash of singly linked buckets, 8 nodes a bucket
	node ***heaps = gort_alloc(sizeof *heaps * (size_t)g, GORT_POINTERS);
	for (int64_t i = 0; i < g; i++) {
		node **b = gort_alloc(sizeof *b * (size_t)nb, GORT_POINTERS);
		for (int64_t j = 0; j < per; j++)
			gort_store(b[j % nb], gort_new_with(node, .l = b[j % nb]));
		gort_store(heaps[i], b);
	}
	gort_waitgroup wg = {0};
	struct twin t;
	twin_start(&t);
	for (int64_t i = 0; i < g; i++) {
		gort_waitgroup_add(&wg, 1);
		gort_go(mutator, heaps[i], nb, (int)i, &hs[i], &wg);
	}
	gort_waitgroup_wait(&wg);
	for (int64_t i = 1; i < g; i++)
		twin_hist_merge(&hs[0], &hs[i]);
	twin_done(&t, "gcmutate", TWIN_KV(TWIN_KI("mb", mb), TWIN_KI("g", g), TWIN_KI("n", n)), n,
		TWIN_KV(TWIN_KRAW("lat", twin_hist_json(&hs[0]))));
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
