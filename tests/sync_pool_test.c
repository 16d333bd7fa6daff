// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Pool and its queues, after pool_test.go of package sync of Go 1.26.8.
#include "tests/support/support.h"

#include "runtime/malloc.h"
#include "runtime/runtime.h"
#include "sched/proc.h"
#include "sched/sync_pool.h"

static void *
object(int v) {
	int *p = gort_alloc(sizeof(int), GORT_NOSCAN);

	*p = v;
	return p;
}

static int
value(void *p) {
	return p == NULL ? -1 : *(int *)p;
}

static gort_pool pool_;

static void
pool(void) {
	void *a = object('a'), *b = object('b');

	// Victims are looked for on the same P only, and the goroutine may change it.
	gort_gomaxprocs(1);
	gort_set_gc_percent(-1);
	CHECK(gort_pool_get(&pool_) == NULL);
	gort_pool_put(&pool_, NULL);
	CHECK(gort_pool_get(&pool_) == NULL);
	gort_pool_put(&pool_, object('z')); // the locals, which cannot be made while pinned
	gort_pool_get(&pool_);
	procPin();
	gort_pool_put(&pool_, a);
	gort_pool_put(&pool_, b);
	CHECK(gort_pool_get(&pool_) == a);
	CHECK(gort_pool_get(&pool_) == b);
	CHECK(gort_pool_get(&pool_) == NULL);
	procUnpin();

	for (int i = 0; i < 100; i++)
		gort_pool_put(&pool_, object('c'));
	// One collection makes victims of them, the second drops them.
	gort_gc();
	CHECK(value(gort_pool_get(&pool_)) == 'c');
	gort_gc();
	CHECK(gort_pool_get(&pool_) == NULL);
	// A pool comes and goes, also while it has victims.
	for (int i = 0; i < 5; i++) {
		gort_pool_put(&pool_, object('d'));
		gort_gc();
		gort_pool_put(&pool_, object('e'));
		CHECK(gort_pool_get(&pool_) != NULL);
		CHECK(gort_pool_get(&pool_) != NULL);
		gort_gc();
		gort_gc();
		gort_gc();
		CHECK(pool_.link == NULL);
		CHECK(gort_pool_get(&pool_) == NULL && pool_.link != NULL);
	}
}

Test(Pool, Pool) {
	RUN(pool);
}

static int made;

static void *
make(void) {
	return object(++made);
}

static gort_pool poolnew = {.New = make};

static void
pool_new(void) {
	gort_set_gc_percent(-1);
	CHECK(value(gort_pool_get(&poolnew)) == 1);
	CHECK(value(gort_pool_get(&poolnew)) == 2);
	procPin();
	gort_pool_put(&poolnew, object(42));
	CHECK(value(gort_pool_get(&poolnew)) == 42);
	procUnpin();
	CHECK(value(gort_pool_get(&poolnew)) == 3);
}

Test(Pool, PoolNew) {
	RUN(pool_new);
}

static gort_pool stresspool;

static void
stress_1(gort_waitgroup *wg) {
	void *v = object(0);

	for (int j = 0; j < 10000; j++) {
		if (v == NULL)
			v = object(0);
		CHECK(*(int *)v == 0);
		gort_pool_put(&stresspool, v);
		if (j % 1000 == 0)
			gort_gc();
		v = gort_pool_get(&stresspool);
	}
	gort_waitgroup_done(wg);
}

static void
stress(void) {
	gort_waitgroup wg = {0};

	gort_gomaxprocs(4);
	gort_waitgroup_add(&wg, 10);
	for (int i = 0; i < 10; i++)
		gort_go(stress_1, &wg);
	gort_waitgroup_wait(&wg);
}

Test(Pool, PoolStress) {
	RUN(stress);
}

enum { nvals = 100000 };
static int32_t have[nvals];
static uint32_t stop; // atomic
static poolChain chain;
static poolDequeue *dequeue;

static void
record(void *p) {
	uintptr_t v = (uintptr_t)p - 1;

	atomic_Xadd(&have[v], 1);
	if (v == nvals - 1)
		atomic_Store(&stop, 1u);
}

static void
consumer(gort_waitgroup *wg) {
	int fail = 0;

	while (atomic_Load(&stop) == 0) {
		void *p =
			dequeue != NULL ? poolDequeue_popTail(dequeue) : poolChain_popTail(&chain);
		if (p != NULL) {
			fail = 0;
			record(p);
		} else if (++fail % 100 == 0) {
			gort_yield();
		}
	}
	gort_waitgroup_done(wg);
}

static void
producer(gort_waitgroup *wg) {
	for (uintptr_t j = 0; j < nvals; j++) {
		// small integers: the queues do not care, nor does the collector
		if (dequeue != NULL)
			while (!poolDequeue_pushHead(dequeue, (void *)(j + 1)))
				gort_yield();
		else
			poolChain_pushHead(&chain, (void *)(j + 1));
		if (j % 10 == 0) {
			void *p = dequeue != NULL ? poolDequeue_popHead(dequeue)
						  : poolChain_popHead(&chain);
			if (p != NULL)
				record(p);
		}
	}
	gort_waitgroup_done(wg);
}

static void
queue(void) {
	gort_waitgroup wg = {0};

	gort_gomaxprocs(4);
	gort_waitgroup_add(&wg, 10);
	for (int i = 1; i < 10; i++)
		gort_go(consumer, &wg);
	gort_go(producer, &wg);
	gort_waitgroup_wait(&wg);
	// What a consumer did not come to when the last one stopped them all.
	for (;;) {
		void *p =
			dequeue != NULL ? poolDequeue_popTail(dequeue) : poolChain_popTail(&chain);
		if (p == NULL)
			break;
		record(p);
	}
	for (int i = 0; i < nvals; i++)
		CHECK(have[i] == 1);
}

static void
queue_dequeue(void) {
	poolChainElt *d = mallocgc(sizeof(*d), &poolChainEltType, true);

	d->dq.vals = gort_alloc(16 * sizeof(void *), GORT_POINTERS);
	d->dq.nvals = 16;
	gort_store(dequeue, &d->dq);
	queue();
}

Test(Pool, PoolDequeue) {
	RUN(queue_dequeue);
}

Test(Pool, PoolChain) {
	RUN(queue);
}
