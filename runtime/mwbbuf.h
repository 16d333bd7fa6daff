// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The write barrier's buffer of a P.  Ports mwbbuf.go.
#ifndef GORT_RUNTIME_MWBBUF_H
#define GORT_RUNTIME_MWBBUF_H

#include "runtime/runtime.h"

enum {
	wbBufEntries = 512, // more: flushes are cheaper, but later
};

// wbBuf collects the pointers that the write barrier is to shade; a P has one.  It is flushed to
// the P's gcWork when full and at the transitions of the collector.
struct wbBuf {
	uintptr_t next; // address of the next free entry
	uintptr_t end;  // address past the last one
	uintptr_t buf[wbBufEntries];
};

void wbBuf_reset(wbBuf *b);
void wbBuf_discard(wbBuf *b);
bool wbBuf_empty(wbBuf *b);
// wbBufFlush empties the buffer of the current P into its gcWork.
void wbBufFlush(void);
// wbBufFlush1 does it for pp, whose gcWork the caller owns.  On the system stack.
void wbBufFlush1(P *pp);

// get1 and get2 return 1 or 2 entries to fill, after a flush if need be.  Between this and the store
// to memory the P and the phase must not change: no safe point.
static ALWAYS_INLINE uintptr_t *
wbBuf_get1(wbBuf *b) {
	if (unlikely(b->next + PtrSize > b->end)) {
		wbBufFlush();
	}
	uintptr_t *p = (uintptr_t *)b->next;
	b->next += PtrSize;
	return p;
}

static ALWAYS_INLINE uintptr_t *
wbBuf_get2(wbBuf *b) {
	if (unlikely(b->next + 2 * PtrSize > b->end)) {
		wbBufFlush();
	}
	uintptr_t *p = (uintptr_t *)b->next;
	b->next += 2 * PtrSize;
	return p;
}

// wbBuf_shade notes what a copy of the word at src to dst makes unreachable and reachable; src 0:
// dst is cleared.
static ALWAYS_INLINE void
wbBuf_shade(wbBuf *b, uintptr_t dst, uintptr_t src) {
	if (src == 0) {
		uintptr_t *p = wbBuf_get1(b);
		p[0] = *(uintptr_t *)dst;
	} else {
		uintptr_t *p = wbBuf_get2(b);
		p[0] = *(uintptr_t *)dst;
		p[1] = *(uintptr_t *)src;
	}
}

#endif
