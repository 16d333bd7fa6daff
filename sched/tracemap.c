// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// A table from data to small numbers.  Ports tracemap.go of Go 1.26.8.
//
// A trie over the bits of the hash, two at a time, from the top.  Nodes are put in by
// compare-and-swap and never leave, so there are no locks; two that put the same data at once agree
// on the node that came first, and the number of the other one is not used.
//
// PORT: the hash is XXH3.
#define XXH_INLINE_ALL // not libxxhash's own text: a signal would take that for the program's
#include <xxhash.h>

#include "sched/trace.h"

// traceMap_stealID takes a number without data.
uint64_t
traceMap_stealID(traceMap *tab) {
	return atomic_Xadd(&tab->seq, 1);
}

// newTraceMapNode makes a node with a copy of the data.
static traceMapNode *
newTraceMapNode(traceMap *tab, const void *data, uintptr_t size, uint64_t hash, uint64_t id) {
	void *copy = traceRegionAlloc_alloc(&tab->mem, size);
	memcpy(copy, data, size);

	traceMapNode *n = traceRegionAlloc_alloc(&tab->mem, sizeof *n);
	n->data = copy;
	n->size = size;
	n->id = id;
	n->hash = hash;
	return n;
}

// traceMap_put returns the number of the data, which is new if *added.  No data is 0.
uint64_t
traceMap_put(traceMap *tab, const void *data, uintptr_t size, bool *added) {
	*added = false;
	if (size == 0)
		return 0;
	uint64_t hash = XXH3_64bits(data, size);
	uint64_t bits = hash;
	traceMapNode *newNode = NULL;
	traceMapNode **m = &tab->root;
	for (;;) {
		traceMapNode *n = atomic_Load(m);
		if (n == NULL) {
			if (newNode == NULL)
				newNode = newTraceMapNode(
					tab, data, size, hash, traceMap_stealID(tab));
			if (atomic_Cas(m, (traceMapNode *)NULL, newNode)) {
				*added = true;
				return newNode->id;
			}
			n = atomic_Load(m);
		}
		if (n->hash == hash && n->size == size && memcmp(n->data, data, size) == 0)
			return n->id;
		m = &n->children[bits >> 62];
		bits <<= 2;
	}
}

// traceMap_reset empties the table, which nobody uses any more.
void
traceMap_reset(traceMap *tab) {
	atomic_Store(&tab->root, (traceMapNode *)NULL);
	atomic_Store(&tab->seq, (uint64_t)0);
	traceRegionAlloc_drop(&tab->mem);
}
