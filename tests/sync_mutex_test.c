// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Mutex, after mutex_test.go of package sync of Go 1.26.8.
#include "tests/support/support.h"

#include "runtime/runtime.h"
#include "sched/proc.h"
#include "sched/sync_mutex.h"

static void
hammer_semaphore(uint32_t *s, int loops, gort_waitgroup *wg) {
	for (int i = 0; i < loops; i++) {
		gort_sema_acquire(s);
		gort_sema_release(s);
	}
	gort_waitgroup_done(wg);
}

static void
semaphore(void) {
	uint32_t s = 1;
	gort_waitgroup wg = {0};

	gort_waitgroup_add(&wg, 10);
	for (int i = 0; i < 10; i++)
		gort_go(hammer_semaphore, &s, 1000, &wg);
	gort_waitgroup_wait(&wg);
	CHECK(s == 1);
}

Test(Mutex, Semaphore) {
	RUN(semaphore);
}

static long counter;

static void
hammer_mutex(gort_mutex *m, int loops, gort_waitgroup *wg) {
	for (int i = 0; i < loops; i++) {
		if (i % 3 == 0) {
			if (gort_mutex_trylock(m)) {
				counter++;
				gort_mutex_unlock(m);
			} else {
				gort_mutex_lock(m);
				counter++;
				gort_mutex_unlock(m);
			}
			continue;
		}
		gort_mutex_lock(m);
		counter++;
		gort_mutex_unlock(m);
	}
	gort_waitgroup_done(wg);
}

static void
mutexes(void) {
	gort_mutex m = {0};
	gort_waitgroup wg = {0};

	gort_mutex_lock(&m);
	CHECK(!gort_mutex_trylock(&m));
	gort_mutex_unlock(&m);
	CHECK(gort_mutex_trylock(&m));
	gort_mutex_unlock(&m);

	gort_waitgroup_add(&wg, 10);
	for (int i = 0; i < 10; i++)
		gort_go(hammer_mutex, &m, 1000, &wg);
	gort_waitgroup_wait(&wg);
	CHECK(counter == 10000);
	CHECK(m.state == 0 && m.sema == 0);
}

Test(Mutex, Mutex) {
	RUN(mutexes);
}

struct fair {
	gort_mutex mu;
	uint32_t stop; // atomic
	gort_waitgroup wg;
};

static void
hog(struct fair *f) {
	while (atomic_Load(&f->stop) == 0) {
		gort_mutex_lock(&f->mu);
		for (int64_t t = gort_now(); gort_now() - t < 100 * GORT_US;) {
		}
		gort_mutex_unlock(&f->mu);
	}
	gort_waitgroup_done(&f->wg);
}

static void
fairness(void) {
	struct fair f = {0};
	int64_t t0 = gort_now();

	gort_waitgroup_add(&f.wg, 1);
	gort_go(hog, &f);
	for (int i = 0; i < 10; i++) {
		gort_sleep(100 * GORT_US);
		gort_mutex_lock(&f.mu);
		gort_mutex_unlock(&f.mu);
	}
	atomic_Store(&f.stop, 1u);
	gort_waitgroup_wait(&f.wg);
	CHECK(gort_now() - t0 < 10 * GORT_S);
}

// A goroutine that holds the lock nearly all the time does not starve another.
Test(Mutex, MutexFairness) {
	RUN(fairness);
}

struct handover {
	gort_mutex mu;
	gort_waitgroup wg;
	int order[5];
	int n;
};

static void
handover_1(struct handover *h, int i) {
	gort_mutex_lock(&h->mu);
	h->order[h->n++] = i;
	gort_mutex_unlock(&h->mu);
	gort_waitgroup_done(&h->wg);
}

// The states: woken, starving, and back.
static void
starving(void) {
	struct handover h = {0};
	Mutex *m = (Mutex *)&h.mu;

	gort_gomaxprocs(1);
	gort_mutex_lock(&h.mu);
	gort_waitgroup_add(&h.wg, 2);
	for (int i = 0; i < 2; i++)
		gort_go(handover_1, &h, i);
	gort_yield();
	CHECK(m->state == (mutexLocked | 2 << mutexWaiterShift));
	for (int64_t t = gort_now(); gort_now() - t < 3 * GORT_MS;) {
	}
	gort_mutex_unlock(&h.mu);
	CHECK(m->state == (mutexWoken | 1 << mutexWaiterShift));
	gort_mutex_lock(&h.mu);
	gort_yield(); // the woken one fails, after more than 1 ms
	CHECK(m->state == (mutexLocked | mutexStarving | 2 << mutexWaiterShift));
	CHECK(!gort_mutex_trylock(&h.mu));
	gort_mutex_unlock(&h.mu);
	gort_waitgroup_wait(&h.wg);
	CHECK(m->state == 0 && h.n == 2);
}

Test(Mutex, Starving) {
	RUN(starving);
}
