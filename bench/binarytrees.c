// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Benchmarks Game binary-trees: allocate, walk and drop perfect binary trees.  -par runs every
// depth's batch in its own goroutine.  Twin of bench/go/binarytrees.
#include "twin.h"

typedef struct node {
	struct node *l, *r;
} node;
GORT_TYPE(node, l, r);

static node *
build(int d) {
	node *t = gort_new(node);
	if (d > 0) {
		gort_store(t->l, build(d - 1));
		gort_store(t->r, build(d - 1));
	}
	return t;
}

static int64_t
check(const node *t) {
	return t->l == NULL ? 1 : 1 + check(t->l) + check(t->r);
}

static int64_t sums[64];

static void
batch(int n, int d, gort_waitgroup *wg) {
	int64_t s = 0;
	for (int64_t i = 0; i < INT64_C(1) << (n - d + 4); i++)
		s += check(build(d));
	sums[d] = s;
	gort_waitgroup_done(wg);
}

static int
app(int argc, char **argv) {
	int64_t depth = 16;
	bool par = true;
	twin_flags(argc, argv,
		(struct twin_flag[]){{"depth", TWIN_INT, &depth, "max depth"},
			{"par", TWIN_BOOL, &par, "a goroutine per depth"}, {0}});
	int n = depth < 6 ? 6 : (int)depth;
	struct twin t;
	twin_start(&t);
	sums[n + 1] = check(build(n + 1)); // stretch tree
	node *long_lived = build(n);
	gort_waitgroup wg = {0};
	for (int d = 4; d <= n; d += 2) {
		gort_waitgroup_add(&wg, 1);
		if (par)
			gort_go(batch, n, d, &wg);
		else
			batch(n, d, &wg);
	}
	gort_waitgroup_wait(&wg);
	int64_t total = check(long_lived);
	for (int i = 0; i <= n + 1; i++)
		total += sums[i];
	twin_done(&t, "binarytrees", TWIN_KV(TWIN_KI("depth", n), TWIN_KB("par", par)), total,
		TWIN_KV(TWIN_KI("check", total)));
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
