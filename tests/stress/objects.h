// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Objects that know whether they are intact, for torture.c: a canary in each, made of its address,
// kind and key, and trees with checksums.
#ifndef GORT_TESTS_OBJECTS_H
#define GORT_TESTS_OBJECTS_H

#include "stress.h"

enum { kTree = 1, kList, kEntry, kMsg, kSmall, kPool };

// canary is what an object of this kind and key has in it at this place.
static inline uint64_t
canary(const void *p, unsigned kind, uint64_t key) {
	return mix((uint64_t)(uintptr_t)p * 31 + kind) ^ key;
}

#define VERIFY(p, kind, what)                                                           \
	CHECK((p)->canary == canary((p), (kind), (p)->key),                             \
		"%s: object %p, key %#lx: canary %#lx, want %#lx", (what), (void *)(p), \
		(unsigned long)(p)->key, (unsigned long)(p)->canary,                    \
		(unsigned long)canary((p), (kind), (p)->key))

// fresh looks whether n new bytes are zero.
static void
fresh(const void *p, size_t n, const char *what) {
	const unsigned char *c = p;
	for (size_t i = 0; i < n; i++)
		CHECK(c[i] == 0, "%s: new object %p: byte %zu of %zu is %#x", what, p, i, n, c[i]);
}

typedef struct tree {
	struct tree *left, *right;
	uint64_t key, canary;
	uint64_t sum; // of the whole subtree
} tree;
GORT_TYPE(tree, left, right);

static inline uint64_t
treesum(uint64_t key, const tree *l, const tree *r) {
	return mix(key + 3 * (l != NULL ? l->sum : 1) + 7 * (r != NULL ? r->sum : 2));
}

// tree_new makes a node over two subtrees, in one of the ways there are.
static tree *
tree_new(rng *r, tree *left, tree *right) {
	uint64_t key = rnd(r);
	tree *t;
	switch (below(r, 3)) {
	case 0:
		t = gort_new_with(tree, .left = left, .right = right, .key = key);
		break;
	case 1:
		t = gort_new(tree);
		fresh(t, sizeof *t, "tree");
		gort_store(t->left, left);
		gort_store(t->right, right);
		t->key = key;
		break;
	default: {
		tree v = {.left = left, .right = right, .key = key};
		t = gort_alloc(sizeof(tree), GORT_CONSERVATIVE);
		fresh(t, sizeof *t, "conservative tree");
		gort_copy(t, &v);
	}
	}
	t->canary = canary(t, kTree, key);
	t->sum = treesum(key, left, right);
	return t;
}

static tree *
tree_build(rng *r, int depth) {
	if (depth <= 0 || below(r, 8) == 0)
		return depth > 0 ? tree_new(r, NULL, NULL) : NULL;
	tree *left = tree_build(r, depth - 1);
	tree *right = tree_build(r, depth - 1);
	return tree_new(r, left, right);
}

// tree_verify walks it and returns the number of nodes.
static int
tree_verify(const tree *t, const char *what) {
	if (t == NULL)
		return 0;
	VERIFY(t, kTree, what);
	int n = 1 + tree_verify(t->left, what) + tree_verify(t->right, what);
	CHECK(t->sum == treesum(t->key, t->left, t->right), "%s: tree %p: wrong sum", what,
		(void *)t);
	return n;
}

// tree_change goes down a random path and, at its end, cuts the subtree (which it returns) and puts
// x in its place; the sums on the path follow.
static tree *
tree_change(rng *r, tree **slot, bool local, tree *x, int depth) {
	tree *t = *slot;
	if (t == NULL || depth == 0) {
		if (local)
			*slot = x;
		else
			gort_store(*slot, x);
		return t;
	}
	tree *cut = tree_change(r, below(r, 2) == 0 ? &t->left : &t->right, false, x, depth - 1);
	t->sum = treesum(t->key, t->left, t->right);
	return cut;
}

// tree_mirror turns the upper part of a tree over.
static void
tree_mirror(rng *r, tree *t) {
	if (t == NULL || below(r, 4) == 0)
		return;
	tree *l = t->left;
	gort_store(t->left, t->right);
	gort_store(t->right, l);
	tree_mirror(r, t->left);
	tree_mirror(r, t->right);
	t->sum = treesum(t->key, t->left, t->right);
}

#endif
