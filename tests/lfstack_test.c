// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Lock-free stacks.
#include "runtime/lfstack.h"

#include "runtime/gort.h"
#include "runtime/mem.h"
#include "tests/support/support.h"

typedef struct MyNode {
	lfnode node;
	int64_t data;
} MyNode;

static sysMemStat stat;

static MyNode *
allocMyNode(int64_t data) {
	MyNode *n = persistentalloc(sizeof(MyNode), tagAlign, &stat);
	lfnodeValidate(&n->node);
	n->data = data;
	return n;
}

static lfstack stack;

static void
LFStack(void) {
	CHECK(lfstack_empty(&stack) && lfstack_pop(&stack) == NULL);
	MyNode *a = allocMyNode(42);
	MyNode *b = allocMyNode(43);
	lfstack_push(&stack, &a->node);
	CHECK(!lfstack_empty(&stack));
	lfstack_push(&stack, &b->node);
	CHECK(lfstack_pop(&stack) == b && b->data == 43);
	CHECK(lfstack_pop(&stack) == a && a->data == 42);
	CHECK(lfstack_empty(&stack) && lfstack_pop(&stack) == NULL);
}

Test(LFStack, LFStack) {
	RUN(LFStack);
}

enum { nworkers = 8, nnodes = 64, niter = 40000 };
static lfstack stacks[2];
static gort_waitgroup wg;

static void
worker(uint64_t seed) {
	// Take from one of the two and put back into one of them; nothing may be lost or doubled.
	for (int i = 0; i < niter; i++) {
		seed = seed * 6364136223846793005 + 1442695040888963407;
		MyNode *n = lfstack_pop(&stacks[seed >> 63]);
		if (n != NULL) {
			CHECK(__atomic_add_fetch(&n->data, 1, __ATOMIC_SEQ_CST) == 1);
			__atomic_sub_fetch(&n->data, 1, __ATOMIC_SEQ_CST);
			lfstack_push(&stacks[(seed >> 62) & 1], &n->node);
		}
		if (i % 1000 == 0)
			gort_yield();
	}
	gort_waitgroup_done(&wg);
}

static void
Stress(void) {
	static MyNode *nodes[nnodes];
	for (int i = 0; i < nnodes; i++) {
		nodes[i] = allocMyNode(0);
		lfstack_push(&stacks[i % 2], &nodes[i]->node);
	}
	gort_waitgroup_add(&wg, nworkers);
	for (uint64_t i = 0; i < nworkers; i++)
		gort_go(worker, i);
	gort_waitgroup_wait(&wg);

	int n = 0;
	for (int i = 0; i < 2; i++) {
		MyNode *p;
		while ((p = lfstack_pop(&stacks[i])) != NULL) {
			CHECK(p->data == 0);
			p->data = -1;
			n++;
		}
	}
	CHECK(n == nnodes);
}

Test(LFStack, Stress) {
	RUN(Stress);
}

Test(TaggedPtr, Pack) {
	void *addr[] = {(void *)0x200, (void *)0x7ffffffffe00, (void *)0xffff800000000000,
		(void *)0xfffffffffffffe00};
	uintptr_t max = (1UL << tagBits) - 1;
	for (size_t i = 0; i < nelem(addr); i++) {
		for (uintptr_t tag = 0; tag <= max; tag = tag * 2 + 1) {
			taggedPointer t = taggedPointerPack(addr[i], tag);
			cr_assert(taggedPointer_pointer(t) == addr[i]);
			cr_assert(taggedPointer_tag(t) == tag);
		}
	}
}
