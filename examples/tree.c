// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// A binary search tree on the collected heap: types, stores, and the collector's statistics.
#include <gort.h>
#include <stdio.h>

typedef struct node {
	struct node *left, *right;
	long key;
} node;
GORT_TYPE(node, left, right);

static node *
insert(node *n, long key) {
	if (n == NULL)
		return gort_new_with(node, .key = key);
	if (key < n->key)
		gort_store(n->left, insert(n->left, key));
	else
		gort_store(n->right, insert(n->right, key));
	return n;
}

static long
count(const node *n) {
	return n == NULL ? 0 : 1 + count(n->left) + count(n->right);
}

static int
app(int argc, char **argv) {
	(void)argc, (void)argv;
	unsigned long x = 1;
	long total = 0;
	for (int round = 0; round < 20; round++) {
		node *root = NULL; // the tree of the round before is garbage now
		for (int i = 0; i < 20000; i++) {
			x = x * 6364136223846793005 + 1442695040888963407;
			root = insert(root, (long)(x >> 33));
		}
		total += count(root);
	}
	gort_gc();
	gort_memstats m;
	gort_read_memstats(&m);
	printf("%ld nodes made, %lu collections, %lu KB live\n", total, (unsigned long)m.NumGC,
		(unsigned long)(m.HeapAlloc >> 10));
	return total != 400000 || m.NumGC == 0 || m.HeapAlloc > 4 << 20;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
