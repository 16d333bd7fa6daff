// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// A set of spans with concurrent push and pop.
//
// Ports mspanset.go of Go 1.26.8.
//
// A spine points to blocks of 512 slots. One 64-bit word holds how many spans were pushed (tail)
// and how many were popped (head): a push takes its slot with one addition, a pop with a CAS. Only
// growing the spine takes a lock. Old spines are not freed, as somebody may be reading them; blocks
// go to a pool once their last slot was popped. All of it lives off the heap.
#include "runtime/mspanset.h"

#include "runtime/mem.h"
#include "runtime/mheap.h"
#include "runtime/mstats.h"

struct spanSetBlock {
	lfnode lfnode;   // in spanSetBlockPool
	uint32_t popped; // atomic; pops that are over

	mspan *spans[spanSetBlockEntries] __attribute__((aligned(tagAlign))); // atomic
};

// spanSetBlockPool holds blocks for reuse.
static lfstack spanSetBlockPool;

// spanSetBlockAlloc_alloc returns a block with popped == 0 and no spans.
static spanSetBlock *
spanSetBlockAlloc_alloc(void) {
	spanSetBlock *s = lfstack_pop(&spanSetBlockPool);
	if (s != NULL)
		return s;
	return persistentalloc(sizeof(spanSetBlock), max((int)CacheLinePadSize, (int)tagAlign),
		&memstats.gcMiscSys);
}

// spanSetBlockAlloc_free gives a block, whose slots are NULL, back to the pool.
static void
spanSetBlockAlloc_free(spanSetBlock *block) {
	atomic_Store(&block->popped, 0);
	lfstack_push(&spanSetBlockPool, &block->lfnode);
}

// makeHeadTailIndex packs head and tail.
static inline headTailIndex
makeHeadTailIndex(uint32_t head, uint32_t tail) {
	return (uint64_t)head << 32 | tail;
}

// headTailIndex_split unpacks them.
static inline uint32_t
headTailIndex_split(headTailIndex h, uint32_t *tail) {
	*tail = (uint32_t)h;
	return (uint32_t)(h >> 32);
}

// atomicHeadTailIndex_incTail adds 1 to the tail and returns the new one.
static uint32_t
atomicHeadTailIndex_incTail(headTailIndex *h) {
	uint32_t tail;
	uint32_t head = headTailIndex_split(atomic_Xadd(h, 1), &tail);
	if (tail == 0) {
		print("runtime: head = %u, tail = %u\n", head, tail);
		throw("headTailIndex overflow");
	}
	return tail;
}

// push adds s.
void
spanSet_push(spanSet *b, mspan *s) {
	uintptr_t cursor = atomicHeadTailIndex_incTail(&b->index) - 1;
	uintptr_t top = cursor / spanSetBlockEntries;
	uintptr_t bottom = cursor % spanSetBlockEntries;
	spanSetBlock *block;

	uintptr_t spineLen = atomic_Load(&b->spineLen);
retry:
	if (top < spineLen) {
		block = atomic_Load(&atomic_Load(&b->spine)[top]);
	} else {
		// A new block is needed, and perhaps a longer spine.
		lock(&b->spineLock);
		spineLen = atomic_Load(&b->spineLen);
		if (top < spineLen) {
			unlock(&b->spineLock); // somebody was faster
			goto retry;
		}

		spanSetBlock **spine = atomic_Load(&b->spine);
		if (spineLen == b->spineCap) {
			uintptr_t newCap = b->spineCap * 2;
			if (newCap == 0)
				newCap = spanSetInitSpineCap;
			spanSetBlock **newSpine = persistentalloc(
				newCap * PtrSize, CacheLinePadSize, &memstats.gcMiscSys);
			if (b->spineCap != 0)
				memmove(newSpine, spine, b->spineCap * PtrSize);
			spine = newSpine;
			// The old one leaks: a concurrent push may be reading it.
			atomic_Store(&b->spine, spine);
			b->spineCap = newCap;
		}

		block = spanSetBlockAlloc_alloc();
		// Block first, then length: whoever sees the length finds the block.
		atomic_Store(&spine[top], block);
		atomic_Store(&b->spineLen, spineLen + 1);
		unlock(&b->spineLock);
	}

	atomic_Store(&block->spans[bottom], s);
}

// pop removes and returns a span, NULL if there is none.
mspan *
spanSet_pop(spanSet *b) {
	uint32_t head;
	uint32_t tail;
	for (;;) {
		headTailIndex headtail = atomic_Load(&b->index);
		head = headTailIndex_split(headtail, &tail);
		if (head >= tail)
			return NULL;
		// A push has taken the slot but is still making its block: do not wait for it.
		if (atomic_Load(&b->spineLen) <= head / spanSetBlockEntries)
			return NULL;
		// A concurrent push changes the tail: try again as long as head is ours to take.
		uint32_t want = head;
		while (want == head) {
			if (atomic_Cas(&b->index, headtail, makeHeadTailIndex(want + 1, tail)))
				goto claimed;
			headtail = atomic_Load(&b->index);
			head = headTailIndex_split(headtail, &tail);
		}
	}
claimed:;
	uint32_t top = head / spanSetBlockEntries;
	uint32_t bottom = head % spanSetBlockEntries;

	// The spine may be an old one, but it reaches to top.
	spanSetBlock **blockp = &atomic_Load(&b->spine)[top];
	spanSetBlock *block = atomic_Load(blockp);
	mspan *s = atomic_Load(&block->spans[bottom]);
	while (s == NULL) // the push is about to store it
		s = atomic_Load(&block->spans[bottom]);
	atomic_Store(&block->spans[bottom], NULL);

	// The last pop to finish frees the block.  It need not be the one of the last slot.
	if (atomic_Xadd(&block->popped, 1) == spanSetBlockEntries) {
		atomic_Store(blockp, NULL);
		spanSetBlockAlloc_free(block);
	}
	return s;
}

// reset makes an empty set start from slot 0 again.  Nobody else may use it meanwhile.
void
spanSet_reset(spanSet *b) {
	uint32_t tail;
	uint32_t head = headTailIndex_split(atomic_Load(&b->index), &tail);
	if (head < tail) {
		print("head = %u, tail = %u\n", head, tail);
		throw("attempt to clear non-empty span set");
	}
	uintptr_t top = head / spanSetBlockEntries;
	if (top < atomic_Load(&b->spineLen)) {
		// The block that head and tail are in has been used in part.
		spanSetBlock **blockp = &atomic_Load(&b->spine)[top];
		spanSetBlock *block = atomic_Load(blockp);
		if (block != NULL) {
			if (atomic_Load(&block->popped) == 0) {
				// There is a block only after a push, and all was popped.
				throw("span set block with unpopped elements found in reset");
			}
			if (atomic_Load(&block->popped) == spanSetBlockEntries)
				throw("fully empty unfreed span set block found in reset");
			atomic_Store(blockp, NULL);
			spanSetBlockAlloc_free(block);
		}
	}
	atomic_Store(&b->index, 0);
	atomic_Store(&b->spineLen, 0);
}
