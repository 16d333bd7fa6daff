// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Lock-free stacks and the tagged pointers they are made of.
// Ports lfstack.go, tagptr.go and tagptr_64bit.go of Go 1.26.8.
#ifndef GORT_RUNTIME_LFSTACK_H
#define GORT_RUNTIME_LFSTACK_H

#include "runtime/runtime.h"

// taggedPointer is a pointer to memory off the heap with a number beside it: the pointer is 512-byte
// aligned and 49 bits wide (sign-extended), which leaves 24 bits.
typedef uint64_t taggedPointer;

enum {
	tagAlignBits = 9,
	tagAlign = 1 << tagAlignBits, // alignment of what is tagged
	addrBits = 49,
	tagBits = 64 - addrBits + tagAlignBits,
};

// taggedPointerPack throws if ptr or tag do not fit.
taggedPointer taggedPointerPack(void *ptr, uintptr_t tag);

static inline void *
taggedPointer_pointer(taggedPointer tp) {
	return (void *)(uintptr_t)((uint64_t)((int64_t)tp >> tagBits) << tagAlignBits);
}

static inline uintptr_t
taggedPointer_tag(taggedPointer tp) {
	return tp & ((1UL << tagBits) - 1);
}

// lfnode is the first field of what is put on such a stack; 512-byte aligned, off the heap, and
// never unmapped, since a pop may read next of a node that somebody else has just taken.
typedef struct lfnode {
	uint64_t next;     // a taggedPointer; atomic
	uintptr_t pushcnt; // tells two pushes of the node apart
} lfnode;

typedef uint64_t lfstack; // head, a taggedPointer; atomic; zero is empty

void lfstack_push(lfstack *head, lfnode *node);
void *lfstack_pop(lfstack *head); // NULL if empty
bool lfstack_empty(lfstack *head);
// lfnodeValidate throws if node cannot be pushed; once, when it is allocated.
void lfnodeValidate(lfnode *node);

static inline uint64_t
lfstackPack(lfnode *node, uintptr_t cnt) {
	return taggedPointerPack(node, cnt & ((1UL << tagBits) - 1));
}

static inline lfnode *
lfstackUnpack(uint64_t val) {
	return taggedPointer_pointer(val);
}

#endif
