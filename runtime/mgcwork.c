// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The pool of grey objects.  Ports mgcwork.go of Go 1.26.8.
//
// A grey object is marked and its pointer lies in some workbuf; taking it out and scanning it makes
// it black.  Each P owns two workbufs and works on those as on a stack; only when both are full or
// both empty does it turn to the lists that all share, work.full and work.empty, which are lock
// free stacks.  The buffers themselves are carved out of spans of the page heap and go back to it in
// batches after the cycle.
//
// Nothing here may run the write barrier: the barrier's buffer is flushed into these very
// structures.
//
// PORT: there is no queue of spans to scan (Green Tea) yet, so the order of Go's table of priorities
// comes down to: first the local buffers, then the global ones.
#include "runtime/mgcwork.h"

#include "runtime/mgc.h"
#include "runtime/mgcpacer.h"
#include "runtime/mheap.h"
#include "sched/runtime2.h"

_Static_assert(
	workbufAlloc % pageSize == 0 && workbufAlloc % _WorkbufSize == 0, "bad workbufAlloc");
_Static_assert(sizeof(workbuf) == _WorkbufSize, "bad workbuf");
_Static_assert(offsetof(workbuf, obj) == sizeof(workbufhdr), "bad workbufhdr");

// gcWork_init gets w its two buffers, one of them full if there is one.
void
gcWork_init(gcWork *w) {
	w->wbuf1 = getempty();
	workbuf *wbuf2 = trygetfull();
	if (wbuf2 == NULL) {
		wbuf2 = getempty();
	}
	w->wbuf2 = wbuf2;
}

// gcWork_flushed notes that work was given to the global list, so that another worker may be started.
// The caller does that, as enlistWorker cannot be called while w is in the middle of a change.
static ALWAYS_INLINE void
gcWork_flushed(gcWork *w) {
	if (atomic_LoadRelaxed(&gcphase) == _GCmark) {
		w->mayNeedWorker = true;
	}
}

// gcWork_putObj adds obj, the start of an object or of an oblet, for scanning.
void
gcWork_putObj(gcWork *w, uintptr_t obj) {
	bool flushed = false;
	workbuf *wbuf = w->wbuf1;
	lockWithRankMayAcquire(&work.wbufSpans.lock, lockRankWbufSpans);
	lockWithRankMayAcquire(&mheap_.lock, lockRankMheap);
	if (wbuf == NULL) {
		gcWork_init(w);
		wbuf = w->wbuf1;
	} else if (wbuf->nobj == workbufEntries) {
		w->wbuf1 = w->wbuf2;
		w->wbuf2 = wbuf;
		wbuf = w->wbuf1;
		if (wbuf->nobj == workbufEntries) {
			putfull(wbuf);
			w->flushedWork = true;
			wbuf = getempty();
			w->wbuf1 = wbuf;
			flushed = true;
		}
	}

	wbuf->obj[wbuf->nobj++] = obj;

	if (flushed) {
		gcWork_flushed(w);
	}
}

// gcWork_putObjBatch is putObj for each of the nobj pointers in obj.
void
gcWork_putObjBatch(gcWork *w, const uintptr_t *obj, intptr_t nobj) {
	if (nobj == 0) {
		return;
	}
	bool flushed = false;
	workbuf *wbuf = w->wbuf1;
	if (wbuf == NULL) {
		gcWork_init(w);
		wbuf = w->wbuf1;
	}

	while (nobj > 0) {
		while (wbuf->nobj == workbufEntries) {
			putfull(wbuf);
			w->flushedWork = true;
			w->wbuf1 = w->wbuf2;
			w->wbuf2 = getempty();
			wbuf = w->wbuf1;
			flushed = true;
		}
		intptr_t n = min((intptr_t)workbufEntries - wbuf->nobj, nobj);
		memcpy(&wbuf->obj[wbuf->nobj], obj, (size_t)n * sizeof(obj[0]));
		wbuf->nobj += n;
		obj += n;
		nobj -= n;
	}

	if (flushed) {
		gcWork_flushed(w);
	}
}

// gcWork_tryGetObj takes a pointer out, from the global list if w has none; 0 when that is empty
// too.  Other Ps may still have some.
uintptr_t
gcWork_tryGetObj(gcWork *w) {
	workbuf *wbuf = w->wbuf1;
	if (wbuf == NULL) {
		gcWork_init(w);
		wbuf = w->wbuf1;
	}
	if (wbuf->nobj == 0) {
		w->wbuf1 = w->wbuf2;
		w->wbuf2 = wbuf;
		wbuf = w->wbuf1;
		if (wbuf->nobj == 0) {
			workbuf *owbuf = wbuf;
			wbuf = trygetfull();
			if (wbuf == NULL) {
				return 0;
			}
			putempty(owbuf);
			w->wbuf1 = wbuf;
		}
	}

	return wbuf->obj[--wbuf->nobj];
}

// gcWork_dispose gives everything in w away.  Its buffers go to the full list even if they are not:
// on the empty list the write barrier would pick them up again and hide work from the collector.
void
gcWork_dispose(gcWork *w) {
	workbuf *wbuf = w->wbuf1;
	if (wbuf != NULL) {
		if (wbuf->nobj == 0) {
			putempty(wbuf);
		} else {
			putfull(wbuf);
			w->flushedWork = true;
		}
		w->wbuf1 = NULL;

		wbuf = w->wbuf2;
		if (wbuf->nobj == 0) {
			putempty(wbuf);
		} else {
			putfull(wbuf);
			w->flushedWork = true;
		}
		w->wbuf2 = NULL;
	}
	if (w->bytesMarked != 0) {
		atomic_Xadd(&work.bytesMarked, w->bytesMarked);
		w->bytesMarked = 0;
	}
	if (w->heapScanWork != 0) {
		atomic_Xadd(&gcController.heapScanWork, w->heapScanWork);
		w->heapScanWork = 0;
	}
}

// gcWork_balance gives part of w's work to the global list.
void
gcWork_balance(gcWork *w) {
	if (w->wbuf1 == NULL) {
		return;
	}
	if (w->wbuf2->nobj != 0) {
		putfull(w->wbuf2);
		w->flushedWork = true;
		w->wbuf2 = getempty();
	} else if (w->wbuf1->nobj > 4) {
		w->wbuf1 = handoff(w->wbuf1);
		w->flushedWork = true; // by handoff's putfull
	} else {
		return;
	}
	gcWork_flushed(w);
}

void
gcWork_flushScanStats(gcWork *w, sizeClassScanStats *dst) {
	for (int i = 0; i < NumSizeClasses; i++) {
		dst[i].spansDenseScanned += w->stats[i].spansDenseScanned;
		dst[i].spanObjsDenseScanned += w->stats[i].spanObjsDenseScanned;
		dst[i].spansSparseScanned += w->stats[i].spansSparseScanned;
		dst[i].spanObjsSparseScanned += w->stats[i].spanObjsSparseScanned;
		dst[i].sparseObjsScanned += w->stats[i].sparseObjsScanned;
	}
	memset(w->stats, 0, sizeof(w->stats));
}

void
workbuf_checknonempty(workbuf *b) {
	if (b->nobj == 0) {
		throw("workbuf is empty");
	}
}

void
workbuf_checkempty(workbuf *b) {
	if (b->nobj != 0) {
		throw("workbuf is not empty");
	}
}

static void
getempty_1(void *arg) {
	*(mspan **)arg = mheap_allocManual(&mheap_, workbufAlloc / pageSize, spanAllocWorkBuf);
}

// getempty takes an empty workbuf from the list, or makes new ones.
workbuf *
getempty(void) {
	workbuf *b = NULL;
	if (!lfstack_empty(&work.empty)) {
		b = lfstack_pop(&work.empty);
		if (b != NULL) {
			workbuf_checkempty(b);
		}
	}
	lockWithRankMayAcquire(&work.wbufSpans.lock, lockRankWbufSpans);
	lockWithRankMayAcquire(&mheap_.lock, lockRankMheap);
	if (b != NULL) {
		return b;
	}

	mspan *s = NULL;
	if (atomic_LoadRelaxed(&work.wbufSpans.free.first) != NULL) {
		lock(&work.wbufSpans.lock);
		s = work.wbufSpans.free.first;
		if (s != NULL) {
			mSpanList_remove(&work.wbufSpans.free, s);
			mSpanList_insert(&work.wbufSpans.busy, s);
		}
		unlock(&work.wbufSpans.lock);
	}
	if (s == NULL) {
		systemstack(getempty_1, &s);
		if (s == NULL) {
			throw("out of memory");
		}
		lock(&work.wbufSpans.lock);
		mSpanList_insert(&work.wbufSpans.busy, s);
		unlock(&work.wbufSpans.lock);
	}
	// One buffer for the caller, the rest for the list.
	for (uintptr_t i = 0; i + _WorkbufSize <= workbufAlloc; i += _WorkbufSize) {
		workbuf *newb = (workbuf *)(mspan_base(s) + i);
		newb->nobj = 0;
		lfnodeValidate(&newb->node);
		if (i == 0) {
			b = newb;
		} else {
			putempty(newb);
		}
	}
	return b;
}

// putempty gives up b, which is empty.
void
putempty(workbuf *b) {
	workbuf_checkempty(b);
	lfstack_push(&work.empty, &b->node);
}

// putfull gives up b, which need not be full, for any worker to take.
void
putfull(workbuf *b) {
	workbuf_checknonempty(b);
	lfstack_push(&work.full, &b->node);
}

// trygetfull takes a workbuf with work, or NULL.
workbuf *
trygetfull(void) {
	workbuf *b = lfstack_pop(&work.full);
	if (b != NULL) {
		workbuf_checknonempty(b);
	}
	return b;
}

// handoff moves the upper half of b's pointers to a new buffer, which it returns, and gives up b.
workbuf *
handoff(workbuf *b) {
	workbuf *b1 = getempty();
	intptr_t n = b->nobj / 2;
	b->nobj -= n;
	b1->nobj = n;
	memcpy(&b1->obj[0], &b->obj[b->nobj], (size_t)n * sizeof(b1->obj[0]));

	putfull(b);
	return b1;
}

// prepareFreeWorkbufs makes all spans of workbufs free to go back to the heap.  All workbufs must be
// on the empty list: then nobody minds which span they lie in, and the list is simply dropped.
void
prepareFreeWorkbufs(void) {
	lock(&work.wbufSpans.lock);
	if (!lfstack_empty(&work.full)) {
		throw("cannot free workbufs when work.full != 0");
	}
	work.empty = 0;
	mSpanList_takeAll(&work.wbufSpans.free, &work.wbufSpans.busy);
	unlock(&work.wbufSpans.lock);
}

static void
freeSomeWbufs_1(void *arg) {
	bool preemptible = *(bool *)arg;
	enum { batchSize = 64 };
	G *gp = getg()->m->curg;
	for (int i = 0; i < batchSize; i++) {
		if (preemptible && gp != NULL && atomic_LoadRelaxed(&gp->preempt)) {
			break;
		}
		mspan *span = work.wbufSpans.free.first;
		if (span == NULL) {
			break;
		}
		mSpanList_remove(&work.wbufSpans.free, span);
		mheap_freeManual(&mheap_, span, spanAllocWorkBuf);
	}
}

// freeSomeWbufs gives a batch of spans of workbufs back to the heap and reports whether there are
// more.
bool
freeSomeWbufs(bool preemptible) {
	lock(&work.wbufSpans.lock);
	if (atomic_Load(&gcphase) != _GCoff || mSpanList_isEmpty(&work.wbufSpans.free)) {
		unlock(&work.wbufSpans.lock);
		return false;
	}
	systemstack(freeSomeWbufs_1, &preemptible);
	bool more = !mSpanList_isEmpty(&work.wbufSpans.free);
	unlock(&work.wbufSpans.lock);
	return more;
}
