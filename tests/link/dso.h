// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// What main.c and dso.c, a shared object that it loads or is linked with, have in common.
#ifndef GORT_TESTS_LINK_DSO_H
#define GORT_TESTS_LINK_DSO_H

#include "gort.h"

enum { magic = 0x600dcafe };

typedef struct node {
	struct node *next;
	uint64_t magic;
} node;
GORT_TYPE(node, next);

// dsofuncs is what the shared object offers, also when it is loaded by dlopen.
typedef struct dsofuncs {
	const uint32_t *(*flag)(void);         // where it sees gort_writeBarrier
	bool (*flagseen)(void);                // it is not 0
	void (*keep)(node *n);                 // in a static variable of its own
	node *(*kept)(void);                   // and back
	void (*swap)(node **slot, node *n);    // gort_store
	void (*setfirst)(node *head, node *n); // gort_store to a field
} dsofuncs;

#define DSO_EXPORT __attribute__((visibility("default")))
DSO_EXPORT const dsofuncs *dso(void);

#endif
