// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// RWMutex, after rwmutex_test.go of package sync of Go 1.26.8.
#include "tests/support/support.h"

#include "runtime/runtime.h"
#include "sched/proc.h"
#include "sched/sync_mutex.h"

struct par {
	gort_rwmutex m;
	gort_chan(bool) clocked, cunlock, cdone;
};

static void
parallel_reader(struct par *p) {
	gort_rwmutex_rlock(&p->m);
	gort_chan_send(p->clocked, true);
	gort_chan_recv(p->cunlock);
	gort_rwmutex_runlock(&p->m);
	gort_chan_send(p->cdone, true);
}

static void
parallel(int n, int procs) {
	struct par p = {.clocked = gort_chan_make(bool, 0),
		.cunlock = gort_chan_make(bool, 0),
		.cdone = gort_chan_make(bool, 0)};

	gort_gomaxprocs(procs);
	for (int i = 0; i < n; i++)
		gort_go(parallel_reader, &p);
	for (int i = 0; i < n; i++)
		gort_chan_recv(p.clocked);
	for (int i = 0; i < n; i++)
		gort_chan_send(p.cunlock, true);
	for (int i = 0; i < n; i++)
		gort_chan_recv(p.cdone);
}

static void
parallel_readers(void) {
	parallel(1, 4);
	parallel(3, 4);
	parallel(4, 2);
}

Test(RWMutex, ParallelReaders) {
	RUN(parallel_readers);
}

struct hammer {
	gort_rwmutex m;
	int32_t activity; // atomic: readers, 10000 for a writer
	gort_waitgroup wg;
};

static void
reader(struct hammer *h, int n) {
	for (int i = 0; i < n; i++) {
		if (i % 2 != 0 || !gort_rwmutex_tryrlock(&h->m))
			gort_rwmutex_rlock(&h->m);
		int32_t a = atomic_Xadd(&h->activity, 1);
		CHECK(a >= 1 && a < 10000);
		for (volatile int k = 0; k < 100; k++) {
		}
		atomic_Xadd(&h->activity, -1);
		gort_rwmutex_runlock(&h->m);
	}
	gort_waitgroup_done(&h->wg);
}

static void
writer(struct hammer *h, int n) {
	for (int i = 0; i < n; i++) {
		if (i % 2 != 0 || !gort_rwmutex_trylock(&h->m))
			gort_rwmutex_lock(&h->m);
		CHECK(atomic_Xadd(&h->activity, 10000) == 10000);
		for (volatile int k = 0; k < 100; k++) {
		}
		atomic_Xadd(&h->activity, -10000);
		gort_rwmutex_unlock(&h->m);
	}
	gort_waitgroup_done(&h->wg);
}

static void
rwmutex_(int procs, int readers, int n) {
	struct hammer h = {0};

	gort_gomaxprocs(procs);
	gort_waitgroup_add(&h.wg, readers + 2);
	gort_go(writer, &h, n);
	for (int i = 0; i < readers / 2; i++)
		gort_go(reader, &h, n);
	gort_go(writer, &h, n);
	for (int i = readers / 2; i < readers; i++)
		gort_go(reader, &h, n);
	gort_waitgroup_wait(&h.wg);
	CHECK(h.m.readerCount == 0 && h.m.readerWait == 0 && h.m.w.state == 0);
}

static void
rwmutexes(void) {
	gort_rwmutex m = {0};

	gort_rwmutex_lock(&m);
	CHECK(!gort_rwmutex_trylock(&m));
	CHECK(!gort_rwmutex_tryrlock(&m));
	gort_rwmutex_unlock(&m);
	CHECK(gort_rwmutex_trylock(&m));
	gort_rwmutex_unlock(&m);
	CHECK(gort_rwmutex_tryrlock(&m));
	CHECK(gort_rwmutex_tryrlock(&m));
	CHECK(!gort_rwmutex_trylock(&m));
	gort_rwmutex_runlock(&m);
	gort_rwmutex_runlock(&m);

	static const int procs[] = {1, 4, 10};
	static const int readers[] = {1, 3, 10};
	for (size_t i = 0; i < nelem(procs); i++)
		for (size_t k = 0; k < nelem(readers); k++)
			rwmutex_(procs[i], readers[k], 300);
}

Test(RWMutex, RWMutex) {
	RUN(rwmutexes);
}
