// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The write barrier's buffer.  Ports mwbbuf.go of Go 1.26.8.
//
// The barrier itself only appends pointers to the buffer of its P; marking them is left to a flush,
// on the system stack, when 512 have come together.  The buffer belongs to the P, so whoever uses it
// must not lose the P in between; code of the runtime is never stopped by a signal, which takes care
// of that.
//
// Like mgcwork.c nothing here may run a write barrier.
#include "runtime/mwbbuf.h"

#include "runtime/malloc_const.h"
#include "runtime/mcheckmark.h"
#include "runtime/mgcmark.h"
#include "runtime/mgcwork.h"
#include "sched/runtime2.h"

// wbBuf_reset makes b empty and sets its bounds.
void
wbBuf_reset(wbBuf *b) {
	uintptr_t start = (uintptr_t)&b->buf[0];
	b->next = start;
	b->end = start + sizeof(b->buf);
	if ((b->end - b->next) % sizeof(b->buf[0]) != 0) {
		throw("bad write barrier buffer bounds");
	}
}

// wbBuf_discard forgets the contents of b.
void
wbBuf_discard(wbBuf *b) {
	b->next = (uintptr_t)&b->buf[0];
}

bool
wbBuf_empty(wbBuf *b) {
	return b->next == (uintptr_t)&b->buf[0];
}

static void
wbBufFlush_1(void *arg) {
	(void)arg;
	wbBufFlush1(getg()->m->p);
}

// Every return from here leaves room in the buffer.
void
wbBufFlush(void) {
	M *mp = getg()->m;
	if (mp->dying > 0) {
		// The process is going down; its last words may write pointers.
		wbBuf_discard(&mp->p->wbBuf);
		return;
	}
	systemstack(wbBufFlush_1, NULL);
}

void
wbBufFlush1(P *pp) {
	uintptr_t *ptrs = pp->wbBuf.buf;
	uintptr_t n = (pp->wbBuf.next - (uintptr_t)ptrs) / sizeof(ptrs[0]);

	// A barrier that runs meanwhile shall fault.
	pp->wbBuf.next = 0;

	if (useCheckmark) {
		for (uintptr_t i = 0; i < n; i++) {
			shade(ptrs[i]);
		}
		wbBuf_reset(&pp->wbBuf);
		return;
	}

	// The objects that were not marked yet are gathered in the buffer itself.
	gcWork *gcw = &pp->gcw;
	intptr_t pos = 0;
	for (uintptr_t i = 0; i < n; i++) {
		uintptr_t ptr = ptrs[i];
		if (ptr < minLegalPointer) { // NULL is frequent among the old values
			continue;
		}
		uintptr_t obj = markPointer(ptr, gcw);
		if (obj != 0) {
			ptrs[pos++] = obj;
		}
	}
	gcWork_putObjBatch(gcw, ptrs, pos);

	wbBuf_reset(&pp->wbBuf);
}
