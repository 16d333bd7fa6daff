// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Build -mb of 64-byte nodes (2 pointers + 48 bytes) reachable from one root only, then force -gcs
// collections: mark throughput over the live heap.  -shape tree: a complete binary tree laid over
// the nodes; list: one chain.  -order random: over a random permutation of the nodes; seq: in
// allocation order.  Twin of bench/go/linkedheap.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "twin.h"

typedef struct node {
	struct node *l, *r;
	uint64_t v[6];
} node;
GORT_TYPE(node, l, r);

__attribute__((noinline)) static node *
build(int64_t n, bool list, bool shuffle) {
	node **a = gort_alloc(sizeof *a * (size_t)n, GORT_POINTERS);
	for (int64_t i = 0; i < n; i++)
		gort_store(a[i], gort_new(node));
	if (shuffle) {
		struct twin_pcg r = {1, 2};
		for (int64_t i = n - 1; i > 0; i--) {
			int64_t j = twin_pcg_intn(&r, i + 1);
			node *x = a[i];
			gort_store(a[i], a[j]);
			gort_store(a[j], x);
		}
	}
	for (int64_t i = 0; i < n; i++) {
		if (list) {
			if (i + 1 < n)
				gort_store(a[i]->l, a[i + 1]);
			continue;
		}
		if (2 * i + 1 < n)
			gort_store(a[i]->l, a[2 * i + 1]);
		if (2 * i + 2 < n)
			gort_store(a[i]->r, a[2 * i + 2]);
	}
	return a[0];
}

static int
by_value(const void *a, const void *b) {
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static node *root;

static int
app(int argc, char **argv) {
	int64_t mb = 100, gcs = 5;
	const char *shape = "tree", *order = "random";
	twin_flags(argc, argv,
		(struct twin_flag[]){{"mb", TWIN_INT, &mb, "live MB"},
			{"shape", TWIN_STRING, &shape, "tree|list"},
			{"order", TWIN_STRING, &order, "random|seq"},
			{"gcs", TWIN_INT, &gcs, "forced collections"}, {0}});
	int64_t n = (mb << 20) / 64;
	int64_t t0 = gort_now();
	gort_store(root, build(n, strcmp(shape, "list") == 0, strcmp(order, "random") == 0));
	int64_t build_ns = gort_now() - t0;
	gort_gc(); // drops the array
	gort_gc();
	int64_t *times = malloc(sizeof *times * (size_t)gcs);
	struct twin t;
	twin_start(&t);
	for (int64_t i = 0; i < gcs; i++) {
		int64_t t1 = gort_now();
		gort_gc();
		times[i] = gort_now() - t1;
	}
	qsort(times, (size_t)gcs, sizeof *times, by_value); // malloc memory
	int64_t med = times[gcs / 2];
	twin_done(&t, "linkedheap",
		TWIN_KV(TWIN_KI("mb", mb), TWIN_KS("shape", shape), TWIN_KS("order", order)),
		n * gcs,
		TWIN_KV(TWIN_KI("build_ns", build_ns), TWIN_KI("gc_min_ns", times[0]),
			TWIN_KI("gc_med_ns", med), TWIN_KI("gc_max_ns", times[gcs - 1]),
			TWIN_KF("mb_s_med", (double)n * 64 / (double)med * 1e3),
			TWIN_KF("ns_obj_med", (double)med / (double)n),
			TWIN_KF("ns_obj_min", (double)times[0] / (double)n)));
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
