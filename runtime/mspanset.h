// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// A set of spans with concurrent push and pop.  Ports the types of mspanset.go.
#ifndef GORT_RUNTIME_MSPANSET_H
#define GORT_RUNTIME_MSPANSET_H

#include "runtime/lfstack.h"
#include "runtime/runtime.h"

enum {
	spanSetBlockEntries = 512,
	spanSetInitSpineCap = 256,
};

typedef struct spanSetBlock spanSetBlock;

// headTailIndex: head in the upper 32 bits, tail in the lower.
typedef uint64_t headTailIndex;

typedef struct spanSet {
	mutex spineLock;
	spanSetBlock **spine; // atomic; array of atomic pointers to blocks
	uintptr_t spineLen;   // atomic
	uintptr_t spineCap;   // accessed under spineLock
	headTailIndex index;  // atomic
} spanSet;

// push and pop may run at the same time as each other.
void spanSet_push(spanSet *b, mspan *s);
// pop returns NULL if there is nothing to take.
mspan *spanSet_pop(spanSet *b);
// reset is for an empty set that nobody else uses; it throws if the set is not empty.
void spanSet_reset(spanSet *b);

#endif
