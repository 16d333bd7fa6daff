// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The work of the collector: buffers of pointers to grey objects.  Ports mgcwork.go.
// P embeds a gcWork, so this header stays low.
#ifndef GORT_RUNTIME_MGCWORK_H
#define GORT_RUNTIME_MGCWORK_H

#include "runtime/lfstack.h"
#include "runtime/runtime.h"
#include "sizeclasses/sizeclasses.h"

enum {
	_WorkbufSize = 2048, // bytes of a workbuf

	// workbufAlloc is how many bytes of workbufs are taken from the page heap at a time: a
	// multiple of the page size and of _WorkbufSize.
	workbufAlloc = 32 << 10,
};

typedef struct workbufhdr {
	lfnode node; // must be first
	intptr_t nobj;
} workbufhdr;

enum {
	workbufEntries = (_WorkbufSize - sizeof(workbufhdr)) / PtrSize,
};

// workbuf is a stack of pointers to grey objects (or to oblets).
struct workbuf {
	lfnode node; // must be first
	intptr_t nobj;
	uintptr_t obj[workbufEntries];
};

// sizeClassScanStats counts the scanning of one size class; only kept with gctrace > 1.
typedef struct sizeClassScanStats {
	uint64_t spansDenseScanned;
	uint64_t spanObjsDenseScanned;
	uint64_t spansSparseScanned;
	uint64_t spanObjsSparseScanned;
	uint64_t sparseObjsScanned; // objects scanned one by one
} sizeClassScanStats;

// gcWork is how one P produces and consumes grey objects.  Use needs a fixed P: the system stack or
// acquirem.  While it may hold work, mark termination must be kept out by the same means.
//
//	gcw = &getg()->m->p->gcw;
//	gcWork_putObj(gcw, obj) ... gcWork_tryGetObj(gcw)
struct gcWork {
	int32_t id; // of the P

	// Both NULL or neither.  wbuf1 is pushed to and popped from; wbuf2 is the one to be given
	// away or refilled next: a buffer's worth of slack between this P and the global lists.
	workbuf *wbuf1;
	workbuf *wbuf2;

	uint64_t bytesMarked; // blackened through this gcWork; dispose adds it to work.bytesMarked
	int64_t heapScanWork; // not yet added to gcController.heapScanWork

	// flushedWork: a buffer with work was given to the global list since gcMarkDone looked last.
	bool flushedWork;

	// mayNeedWorker asks gcDrain to call enlistWorker.
	bool mayNeedWorker;

	sizeClassScanStats stats[NumSizeClasses];
};

void gcWork_init(gcWork *w);
void gcWork_putObj(gcWork *w, uintptr_t obj);
void gcWork_putObjBatch(gcWork *w, const uintptr_t *obj, intptr_t nobj);
uintptr_t gcWork_tryGetObj(gcWork *w);
void gcWork_dispose(gcWork *w);
void gcWork_balance(gcWork *w);
// flushScanStats adds w->stats to dst[NumSizeClasses] and clears them.
void gcWork_flushScanStats(gcWork *w, sizeClassScanStats *dst);

// putObjFast is putObj when there is room in wbuf1; else false and nothing happened.
static ALWAYS_INLINE bool
gcWork_putObjFast(gcWork *w, uintptr_t obj) {
	workbuf *wbuf = w->wbuf1;
	if (wbuf == NULL || wbuf->nobj == workbufEntries) {
		return false;
	}
	wbuf->obj[wbuf->nobj++] = obj;
	return true;
}

// tryGetObjFast pops from wbuf1, 0 if that is empty.
static ALWAYS_INLINE uintptr_t
gcWork_tryGetObjFast(gcWork *w) {
	workbuf *wbuf = w->wbuf1;
	if (wbuf == NULL || wbuf->nobj == 0) {
		return 0;
	}
	return wbuf->obj[--wbuf->nobj];
}

// empty reports whether w holds no grey object.
static inline bool
gcWork_empty(gcWork *w) {
	return w->wbuf1 == NULL || (w->wbuf1->nobj == 0 && w->wbuf2->nobj == 0);
}

void workbuf_checknonempty(workbuf *b);
void workbuf_checkempty(workbuf *b);
workbuf *getempty(void);
void putempty(workbuf *b);
void putfull(workbuf *b);
workbuf *trygetfull(void);
workbuf *handoff(workbuf *b);
void prepareFreeWorkbufs(void);
bool freeSomeWbufs(bool preemptible);

#endif
