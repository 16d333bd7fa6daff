// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The allocator's front: objects.  Ports malloc.go and msize.go of Go 1.26.8 (their constants are
// in malloc_const.h, the arenas in malloc_arena.c, persistentalloc in mem.h).
#ifndef GORT_RUNTIME_MALLOC_H
#define GORT_RUNTIME_MALLOC_H

#include "runtime/runtime.h"

#include "runtime/malloc_const.h"
#include "runtime/mbitmap.h"
#include "runtime/mcache.h"
#include "runtime/mheap.h"
#include "sizeclasses/sizeclasses.h"

extern uintptr_t zerobase; // the address of every object of 0 bytes

// mallocinit sets the heap up: the first thing after osinit.
void mallocinit(void);

// mallocgc allocates size bytes: one or more values of typ, without pointers if typ is NULL.  An
// object with pointers is always zeroed, another one if needzero.  It may start or assist a
// collection and thereby park; never call it with a lock held.
void *mallocgc(uintptr_t size, const _type *typ, bool needzero);
void *newobject(const _type *typ);
void *newarray(const _type *typ, intptr_t n);

// nextFree allocates a slot of class spc from c, from a new span if need be; *s is the span it is
// from, *checkGCTrigger whether it was a new one.
gclinkptr mcache_nextFree(mcache *c, spanClass spc, mspan **s, bool *checkGCTrigger);

// nextFreeFast is a free slot of s, if its allocCache shows one; else 0.
static ALWAYS_INLINE gclinkptr
nextFreeFast(mspan *s) {
	uint64_t ac = s->allocCache;
	if (likely(ac != 0)) {
		unsigned theBit = (unsigned)__builtin_ctzll(ac);
		unsigned result = s->freeindex + theBit;
		if (likely(result < s->nelems)) {
			unsigned freeidx = result + 1;
			if (unlikely(freeidx % 64 == 0) && freeidx != s->nelems) {
				return 0;
			}
			s->allocCache = ac >> theBit >> 1;
			s->freeindex = (uint16_t)freeidx;
			s->allocCount++;
			return (gclinkptr)(result * s->elemsize + s->startAddr);
		}
	}
	return 0;
}

// memclrNoHeapPointersChunked clears in pieces and lets itself be preempted between them.
void memclrNoHeapPointersChunked(uintptr_t size, void *x);

// sizeToClass is the class of small objects of size bytes (a header included).
static ALWAYS_INLINE uint8_t
sizeToClass(uintptr_t size) {
	if (size <= SmallSizeMax - 8) {
		return SizeToSizeClass8[divRoundUp(size, SmallSizeDiv)];
	}
	return SizeToSizeClass128[divRoundUp(size - SmallSizeMax, LargeSizeDiv)];
}

// roundupsize is what mallocgc makes of size, less the header if the object has one.
uintptr_t roundupsize(uintptr_t size, bool noscan);

#endif
