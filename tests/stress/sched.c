// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The scheduler under load: goroutines in storms of spawning, parking, yielding, locking, blocking
// calls and loops, while the world is stopped and GOMAXPROCS changes.  What is counted: no wake-up is
// lost (the program would stand still), nobody is in a lock with somebody else, no goroutine runs
// twice or never, and a goroutine that only wants its turn gets it.
#include "stress.h"

static int64_t deadline;

// ---- spawn: trees of goroutines ---------------------------------------------------------------------------

static uint64_t born; // atomic
static uint64_t died; // atomic

static void
spawntree(int depth, int width, gort_waitgroup *wg, uint64_t check) {
	CHECK(check == mix((uint64_t)depth << 8 | (uint64_t)width), "arguments of a goroutine");
	__atomic_add_fetch(&born, 1, __ATOMIC_RELAXED);
	if (depth > 0) {
		gort_waitgroup_add(wg, width);
		for (int i = 0; i < width; i++)
			gort_go(spawntree, depth - 1, width, wg,
				mix((uint64_t)(depth - 1) << 8 | (uint64_t)width));
	}
	__atomic_add_fetch(&died, 1, __ATOMIC_RELAXED);
	gort_waitgroup_done(wg);
}

static void
spawner(rng *r) {
	while (gort_now() < deadline) {
		int width = 2 + (int)below(r, 8), depth = width > 5 ? 2 : 1 + (int)below(r, 5);
		gort_waitgroup *wg = gort_alloc(sizeof *wg, GORT_NOSCAN);
		gort_waitgroup_add(wg, 1);
		gort_go(spawntree, depth, width, wg, mix((uint64_t)depth << 8 | (uint64_t)width));
		gort_waitgroup_wait(wg);
		step(1);
	}
}

// ---- park: semaphores in pairs and in crowds --------------------------------------------------------------

typedef struct pair {
	uint32_t a, b;
	uint64_t n, m; // owned by turns
	uint32_t end;
} pair;

static void
partner(pair *p) {
	for (;;) {
		gort_sema_acquire(&p->b);
		if (p->end)
			break;
		CHECK(p->n == p->m + 1, "pair: %lu and %lu", (unsigned long)p->n,
			(unsigned long)p->m);
		p->m++;
		gort_sema_release(&p->a);
	}
	gort_sema_release(&p->a);
}

static void
pairs(rng *r) {
	pair *p = gort_alloc(sizeof *p, GORT_NOSCAN);
	gort_go(partner, p);
	while (gort_now() < deadline) {
		for (uint32_t i = below(r, 100); i > 0; i--) {
			CHECK(p->n == p->m, "pair: %lu and %lu", (unsigned long)p->n,
				(unsigned long)p->m);
			p->n++;
			gort_sema_release(&p->b);
			gort_sema_acquire(&p->a);
		}
		step(1);
	}
	p->end = 1;
	gort_sema_release(&p->b);
	gort_sema_acquire(&p->a);
}

typedef struct crowd {
	uint32_t sema; // tokens
	int32_t in;    // atomic: goroutines that have one
	int32_t limit;
	gort_waitgroup wg;
} crowd;

static void
member(crowd *c, int n) {
	for (int i = 0; i < n; i++) {
		gort_sema_acquire(&c->sema);
		int32_t in = __atomic_add_fetch(&c->in, 1, __ATOMIC_ACQ_REL);
		CHECK(in <= c->limit, "%d goroutines have one of %d tokens", in, c->limit);
		if (i % 8 == 0)
			gort_yield();
		__atomic_sub_fetch(&c->in, 1, __ATOMIC_ACQ_REL);
		gort_sema_release(&c->sema);
	}
	gort_waitgroup_done(&c->wg);
}

static void
crowds(rng *r) {
	while (gort_now() < deadline) {
		crowd *c = gort_alloc(sizeof *c, GORT_NOSCAN);
		c->limit = 1 + (int32_t)below(r, 4);
		int n = 10 + (int)below(r, 60);
		gort_waitgroup_add(&c->wg, n);
		for (int i = 0; i < n; i++)
			gort_go(member, c, 20);
		for (int i = 0; i < c->limit; i++)
			gort_sema_release(&c->sema);
		gort_waitgroup_wait(&c->wg);
		CHECK(c->sema == (uint32_t)c->limit, "%u tokens are left of %d", c->sema, c->limit);
		step(1);
	}
}

// ---- locks ----------------------------------------------------------------------------------------------------

static gort_mutex mu;
static uint64_t mucount[2]; // by mu
static uint64_t muwant;     // atomic
static gort_rwmutex rw;
static uint64_t rwpair[2]; // by rw
static int32_t rwreaders;  // atomic
static gort_once once;
static uint32_t oncecount;

static void
initonce(void) {
	oncecount++;
}

static void
locker(rng *r) {
	gort_once_do(&once, initonce);
	CHECK(oncecount == 1, "once: %u", oncecount);
	while (gort_now() < deadline) {
		switch (below(r, 5)) {
		case 0:
			if (!gort_mutex_trylock(&mu))
				break;
			goto locked;
		case 1:
		case 2:
			gort_mutex_lock(&mu);
		locked:
			CHECK(mucount[0] == mucount[1], "mutex: two inside");
			mucount[0]++;
			if (below(r, 16) == 0)
				gort_yield();
			mucount[1]++;
			__atomic_add_fetch(&muwant, 1, __ATOMIC_RELAXED);
			gort_mutex_unlock(&mu);
			break;
		case 3: {
			gort_rwmutex_rlock(&rw);
			__atomic_add_fetch(&rwreaders, 1, __ATOMIC_ACQ_REL);
			uint64_t a = rwpair[0];
			if (below(r, 8) == 0)
				gort_yield();
			CHECK(a == rwpair[1], "rwmutex: a writer beside a reader");
			__atomic_sub_fetch(&rwreaders, 1, __ATOMIC_ACQ_REL);
			gort_rwmutex_runlock(&rw);
			break;
		}
		default:
			gort_rwmutex_lock(&rw);
			CHECK(__atomic_load_n(&rwreaders, __ATOMIC_ACQUIRE) == 0,
				"rwmutex: a reader beside a writer");
			rwpair[0]++;
			if (below(r, 16) == 0)
				gort_yield();
			rwpair[1]++;
			gort_rwmutex_unlock(&rw);
		}
		step(1);
	}
}

// ---- threads: blocking calls, loops, errno -----------------------------------------------------------------------

static intptr_t
naps(void *arg) {
	usleep((unsigned)(uintptr_t)arg);
	errno = 77; // the thread's, not the goroutine's
	return (intptr_t)arg + 1;
}

static void
blocker(rng *r) {
	while (gort_now() < deadline) {
		uintptr_t us = below(r, 8) == 0 ? below(r, 3000) : 0;
		errno = 5;
		intptr_t got = gort_blocking(naps, (void *)us);
		CHECK(got == (intptr_t)us + 1, "blocking call: %ld", (long)got);
		step(1);
	}
}

static NOINLINE uint64_t
spin(uint64_t x, uint64_t n) {
	for (uint64_t i = 0; i < n; i++) {
		x = x * 6364136223846793005 + 1442695040888963407;
#ifdef STRESS_TSAN
		if (i % 1000 == 0)
			POLL();
#endif
	}
	return x;
}

static void
spinner(rng *r) {
	uint64_t want = spin(1, 2000000);
	while (gort_now() < deadline) {
		CHECK(spin(1, 2000000) == want, "a loop's result");
		errno = (int)below(r, 50);
		int e = errno;
		spin(1, 100000);
		CHECK(errno == e, "errno is %d, was %d", errno, e);
		step(1);
	}
}

// yielder wants its turns.
static void
yielder(rng *r) {
	(void)r;
	int64_t worst = 0;
	while (gort_now() < deadline) {
		int64_t begin = gort_now();
		gort_yield();
		int64_t d = gort_now() - begin;
		worst = d > worst ? d : worst;
		step(1);
	}
	CHECK(worst < 20 * GORT_S, "a turn came after %ld ms", (long)(worst / GORT_MS));
}

static void
stopper(rng *r) {
	int procs = gort_gomaxprocs(0);
	while (gort_now() < deadline) {
		gort_memstats m;
		switch (below(r, 3)) {
		case 0:
			gort_gomaxprocs(1 + (int)below(r, 2 * (uint32_t)procs + 2));
			break;
		case 1:
			gort_read_memstats(&m);
			break;
		default:
			gort_gc();
		}
		gort_sleep(below(r, 3000) * GORT_US);
		step(1);
	}
	gort_gomaxprocs(procs);
}

static gort_waitgroup all;

static void
worker(void (*f)(rng *), uint64_t id) {
	rng r = rng_make(id);
	f(&r);
	gort_waitgroup_done(&all);
}

static int
app(int argc, char **argv) {
	(void)argc;
	(void)argv;
	deadline = gort_now() + (int64_t)(stress_seconds * 1e9);
	static void (*const fs[])(rng *) = {
		spawner, pairs, crowds, locker, blocker, spinner, yielder, locker};
	enum { n = 32 };
	gort_waitgroup_add(&all, n + 1);
	for (uint64_t i = 0; i < n; i++)
		gort_go(worker, fs[i % 8], i);
	gort_go(worker, stopper, 1000);
	gort_waitgroup_wait(&all);
	CHECK(born == died, "%lu goroutines born, %lu ended", (unsigned long)born,
		(unsigned long)died);
	CHECK(mucount[0] == muwant && mucount[1] == muwant, "mutex: %lu of %lu increments",
		(unsigned long)mucount[0], (unsigned long)muwant);
	stress_ended();
	printf("sched: ok: %lu steps, %lu goroutines in trees\n", (unsigned long)steps(),
		(unsigned long)born);
	return 0;
}

int
main(int argc, char **argv) {
	return stress_main("sched", app, argc, argv);
}
