// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The readers-writer lock between Ms.
#include "runtime/rwmutex.h"

#include "runtime/gort.h"
#include "sched/proc.h"
#include "tests/support/death.h"
#include "tests/support/support.h"

static rwmutex rw;
static gort_waitgroup wg;

static void
init(void) {
	rwmutex_init(&rw, lockRankTestR, lockRankTestRInternal, lockRankTestW);
}

enum { nreaders = 4, niter = 5000 };
static int32_t activity; // atomic: readers inside, 10000 for a writer

static void
reader(void) {
	for (int i = 0; i < niter; i++) {
		rwmutex_rlock(&rw);
		int32_t n = atomic_Xadd(&activity, 1);
		CHECK(n >= 1 && n < 10000);
		for (volatile int j = 0; j < 50; j++)
			;
		atomic_Xadd(&activity, -1);
		rwmutex_runlock(&rw);
		if (i % 16 == 0)
			gort_yield();
	}
	gort_waitgroup_done(&wg);
}

static void
writer(void) {
	for (int i = 0; i < niter / 5; i++) {
		rwmutex_lock(&rw);
		int32_t n = atomic_Xadd(&activity, 10000);
		CHECK(n == 10000);
		for (volatile int j = 0; j < 50; j++)
			;
		atomic_Xadd(&activity, -10000);
		rwmutex_unlock(&rw);
		if (i % 16 == 0)
			gort_yield();
	}
	gort_waitgroup_done(&wg);
}

static void
hammer(void) {
	init();
	for (int procs = 1; procs <= 4; procs *= 2) {
		GOMAXPROCS(procs);
		gort_waitgroup_add(&wg, nreaders + 2);
		gort_go(writer);
		for (int i = 0; i < nreaders; i++) {
			gort_go(reader);
			if (i == nreaders / 2)
				gort_go(writer);
		}
		gort_waitgroup_wait(&wg);
		CHECK(activity == 0 && rw.readerCount == 0 && rw.readerPass == 0);
	}
}

Test(RWMutex, Hammer) {
	RUN(hammer);
}

// All readers are in at once.
static uint32_t in;
static void
together(void) {
	rwmutex_rlock(&rw);
	atomic_Xadd(&in, 1);
	while (atomic_Load(&in) < 3)
		osyield();
	rwmutex_runlock(&rw);
	gort_waitgroup_done(&wg);
}

static void
parallel(void) {
	init();
	GOMAXPROCS(4);
	gort_waitgroup_add(&wg, 3);
	for (int i = 0; i < 3; i++)
		gort_go(together);
	gort_waitgroup_wait(&wg);
	CHECK(rw.readerCount == 0);
}

Test(RWMutex, ParallelReaders) {
	RUN(parallel);
}

static void
runlock(void) {
	init();
	acquireLockRankAndM(lockRankTestR);
	rwmutex_runlock(&rw);
}

static void
unlock_(void) {
	init();
	rwmutex_unlock(&rw);
}

Test(RWMutex, Misuse) {
	expectDeath(runlock, "fatal error: runlock of unlocked rwmutex\n");
	expectDeath(unlock_, "fatal error: unlock of unlocked rwmutex\n");
}
