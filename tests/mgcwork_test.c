// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The pool of grey objects.
#include "runtime/gort.h"

#include "runtime/mgc.h"
#include "runtime/mgcwork.h"
#include "runtime/runtime1.h"
#include "tests/support/support.h"

// The tests use gcWorks of their own and pointers to nothing, so no cycle may run: with m.locks > 0
// the world does not stop.  The pool is empty outside of cycles.

static gcWork w1, w2;

static void
lifoTest(void) {
	M *mp = acquirem();
	CHECK(gcWork_empty(&w1));
	CHECK(gcWork_tryGetObjFast(&w1) == 0);
	CHECK(!gcWork_putObjFast(&w1, 8));
	gcWork_putObj(&w1, 8);
	CHECK(gcWork_putObjFast(&w1, 16));
	CHECK(!gcWork_empty(&w1));
	CHECK(gcWork_tryGetObjFast(&w1) == 16);
	CHECK(gcWork_tryGetObj(&w1) == 8);
	CHECK(gcWork_empty(&w1));
	CHECK(gcWork_tryGetObj(&w1) == 0);
	CHECK(!w1.flushedWork);
	gcWork_dispose(&w1);
	CHECK(w1.wbuf1 == NULL && w1.wbuf2 == NULL);
	releasem(mp);
}

Test(GcWork, LIFO) {
	RUN(lifoTest);
}

// overflowTest: what does not fit into two buffers goes to the global list, and another gcWork finds it.
static void
overflowTest(void) {
	enum { n = 10 * workbufEntries + 7 };
	M *mp = acquirem();
	for (uintptr_t i = 1; i <= n; i++) {
		gcWork_putObj(&w1, i * 8);
	}
	CHECK(w1.flushedWork);
	CHECK(!lfstack_empty(&work.full));
	CHECK(!w1.mayNeedWorker); // no cycle, no worker
	uintptr_t sum = 0, count = 0;
	for (uintptr_t p; (p = gcWork_tryGetObj(&w2)) != 0; count++) {
		sum += p / 8;
	}
	CHECK(count == 9 * workbufEntries);
	for (uintptr_t p; (p = gcWork_tryGetObj(&w1)) != 0; count++) {
		sum += p / 8;
	}
	CHECK(count == n);
	CHECK(sum == (uintptr_t)n * (n + 1) / 2);
	gcWork_dispose(&w1);
	gcWork_dispose(&w2);
	CHECK(lfstack_empty(&work.full));
	releasem(mp);
}

Test(GcWork, Overflow) {
	RUN(overflowTest);
}

static void
batchTest(void) {
	static uintptr_t objs[3000];
	M *mp = acquirem();
	for (uintptr_t i = 0; i < nelem(objs); i++) {
		objs[i] = (i + 1) * 8;
	}
	gcWork_putObjBatch(&w1, objs, 0);
	CHECK(w1.wbuf1 == NULL);
	gcWork_putObj(&w1, 4096 * 8);
	gcWork_putObjBatch(&w1, objs, nelem(objs));
	static uint8_t seen[4097];
	for (uintptr_t p; (p = gcWork_tryGetObj(&w1)) != 0;) {
		CHECK(p / 8 <= 4096);
		seen[p / 8]++;
	}
	for (uintptr_t i = 1; i <= nelem(objs); i++) {
		CHECK(seen[i] == 1);
	}
	CHECK(seen[4096] == 1);
	gcWork_dispose(&w1);
	releasem(mp);
}

Test(GcWork, Batch) {
	RUN(batchTest);
}

// balanceTest: half of one buffer, or the whole second buffer, becomes visible to others.
static void
balanceTest(void) {
	M *mp = acquirem();
	gcWork_balance(&w1);
	CHECK(w1.wbuf1 == NULL);
	for (uintptr_t i = 1; i <= 4; i++) {
		gcWork_putObj(&w1, i * 8);
	}
	gcWork_balance(&w1); // too little to share
	CHECK(lfstack_empty(&work.full));
	for (uintptr_t i = 5; i <= 101; i++) {
		gcWork_putObj(&w1, i * 8);
	}
	gcWork_balance(&w1);
	CHECK(w1.flushedWork);
	CHECK(w1.wbuf1->nobj == 50);
	CHECK(w1.wbuf1->obj[49] == 101 * 8); // the newest stay
	workbuf *b = trygetfull();
	CHECK(b != NULL);
	CHECK(b->nobj == 51);
	CHECK(b->obj[0] == 8);
	b->nobj = 0;
	putempty(b);

	for (uintptr_t i = 0; i < workbufEntries; i++) {
		gcWork_putObj(&w1, 8); // fills wbuf1; the older buffer becomes wbuf2
	}
	CHECK(w1.wbuf2->nobj == workbufEntries);
	gcWork_balance(&w1);
	CHECK(w1.wbuf2->nobj == 0);
	b = trygetfull();
	CHECK(b != NULL);
	CHECK(b->nobj == workbufEntries);
	b->nobj = 0;
	putempty(b);
	while (gcWork_tryGetObj(&w1) != 0) {
	}
	gcWork_dispose(&w1);
	releasem(mp);
}

Test(GcWork, Balance) {
	RUN(balanceTest);
}

// disposeTest: the counters go to the cycle's, partly full buffers to the full list.
static void
disposeTest(void) {
	M *mp = acquirem();
	uint64_t marked = work.bytesMarked;
	int64_t scanWork = gcController.heapScanWork;
	gcWork_putObj(&w1, 8);
	w1.bytesMarked = 100;
	w1.heapScanWork = 50;
	gcWork_dispose(&w1);
	CHECK(work.bytesMarked == marked + 100);
	CHECK(gcController.heapScanWork == scanWork + 50);
	CHECK(w1.bytesMarked == 0 && w1.heapScanWork == 0);
	CHECK(w1.flushedWork);
	CHECK(gcWork_tryGetObj(&w2) == 8);
	CHECK(gcWork_tryGetObj(&w2) == 0);
	gcWork_dispose(&w2);
	CHECK(lfstack_empty(&work.full));
	work.bytesMarked = marked;
	gcController.heapScanWork = scanWork;
	releasem(mp);
}

Test(GcWork, Dispose) {
	RUN(disposeTest);
}

// freeTest: buffers go back to the page heap after a cycle.
static void
freeTest(void) {
	gort_gc();
	gort_gc();
	for (int i = 0; i < 1000 && freeSomeWbufs(false); i++) {
	}
	M *mp = acquirem();
	CHECK(mSpanList_isEmpty(&work.wbufSpans.free));
	CHECK(!freeSomeWbufs(false));
	workbuf *b = getempty();
	CHECK(b != NULL);
	CHECK(b->nobj == 0);
	CHECK((uintptr_t)b % tagAlign == 0);
	CHECK(!mSpanList_isEmpty(&work.wbufSpans.busy));
	putempty(b);
	releasem(mp);
}

Test(GcWork, FreeSomeWbufs) {
	RUN(freeTest);
}
