// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The write barrier.  Ports mbarrier.go.
//
// gort_writeBarrier (gort.h) is Go's writeBarrier.enabled: one exported symbol that everybody reads
// through the GOT.
#ifndef GORT_RUNTIME_MBARRIER_H
#define GORT_RUNTIME_MBARRIER_H

#include "runtime/runtime.h"

// gort_wb_slow (gort.h) shades *slot and val and then stores val.

// wbstore is `*slot = val` for a slot that may hold a pointer into the heap: in the heap, in a
// global, or off the heap where roots come from.  slot is a pointer to any pointer:
// wbstore(&c->next, x).  No safe point lies between the barrier and the store.
static ALWAYS_INLINE void
wbstore_(void **slot, void *val) {
	if (unlikely(atomic_LoadRelaxed(&gort_writeBarrier) != 0)) {
		gort_wb_slow(slot, val);
		return;
	}
	atomic_StoreRelaxed(slot, val);
}
#define wbstore(slot, val) wbstore_((void **)(void *)(slot), (void *)(val))

// atomicwb does the barrier of an atomic write of val to *slot, which follows.
void atomicwb(void **slot, void *val);

void typedmemmove(const _type *typ, void *dst, const void *src);
// typedslicecopy copies min(dstLen, srcLen) elements and returns how many.
intptr_t typedslicecopy(
	const _type *typ, void *dstPtr, intptr_t dstLen, const void *srcPtr, intptr_t srcLen);
void typedmemclr(const _type *typ, void *ptr);
void typedarrayclear(const _type *typ, void *ptr, intptr_t len);
void memclrHasPointers(void *ptr, uintptr_t n);

#endif
