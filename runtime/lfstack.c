// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Lock-free stacks.  Ports lfstack.go and tagptr_64bit.go of Go 1.26.8.
//
// Treiber's: push and pop replace the head by CAS.  Each push gives the node a new number, which is
// kept beside the pointer in the head, so that a pop does not succeed over a head that has been
// taken off and put back meanwhile (ABA).
#include "runtime/lfstack.h"

#include "runtime/mbitmap.h"

taggedPointer
taggedPointerPack(void *ptr, uintptr_t tag) {
	taggedPointer t = (uint64_t)(uintptr_t)ptr << (tagBits - tagAlignBits) |
			  (tag & ((1UL << tagBits) - 1));
	if (unlikely(taggedPointer_pointer(t) != ptr || taggedPointer_tag(t) != tag)) {
		print("runtime: taggedPointerPack invalid packing: ptr=%p tag=%#lx packed=%#lx -> "
		      "ptr=%p tag=%#lx\n",
			ptr, tag, t, taggedPointer_pointer(t), taggedPointer_tag(t));
		throw("taggedPointerPack");
	}
	return t;
}

void
lfstack_push(lfstack *head, lfnode *node) {
	node->pushcnt++;
	uint64_t new = lfstackPack(node, node->pushcnt);
	for (;;) {
		uint64_t old = atomic_Load(head);
		atomic_StoreRelaxed(&node->next, old);
		if (atomic_Cas(head, old, new))
			break;
	}
}

void *
lfstack_pop(lfstack *head) {
	for (;;) {
		uint64_t old = atomic_Load(head);
		if (old == 0)
			return NULL;
		lfnode *node = lfstackUnpack(old);
		uint64_t next = atomic_Load(&node->next);
		if (atomic_Cas(head, old, next))
			return node;
	}
}

bool
lfstack_empty(lfstack *head) {
	return atomic_Load(head) == 0;
}

void
lfnodeValidate(lfnode *node) {
	mspan *s;
	uintptr_t objIndex;
	if (findObject((uintptr_t)node, 0, 0, &s, &objIndex) != 0)
		throw("lfstack node allocated from the heap");
	lfstackPack(node, ~(uintptr_t)0);
}
