// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Timers under load.  Each timer counts how often it fired: once for each time it was set, but for
// those whose stop or reset said that it was still to fire.  None fires early; sleeps, timeouts of
// selects and timers that reset themselves go on at the same time, and the number of Ps changes.
#include "stress.h"

static int64_t deadline;

typedef struct alarm_ {
	gort_timer *t;
	int64_t due;    // atomic
	uint32_t fired; // atomic
	uint32_t want;
	uint32_t again; // atomic: it sets itself that often
	uint64_t key;
} alarm_;
GORT_TYPE(alarm_, t);

static void
fire(void *arg) {
	alarm_ *a = arg;
	CHECK(a->key == mix((uint64_t)(uintptr_t)a), "argument %p", arg);
	// Whoever resets it writes due first, and later than the timer that fires now knew.
	int64_t due = __atomic_load_n(&a->due, __ATOMIC_ACQUIRE), now = gort_now();
	CHECK(due == 0 || now >= due, "a timer fired %ld ns early", (long)(due - now));
	__atomic_add_fetch(&a->fired, 1, __ATOMIC_ACQ_REL);
	step(1);
}

static void
setter(uint64_t id) {
	rng r = rng_make(id);
	enum { n = 64 };
	alarm_ *a[n]; // the timers' owner; they live longer than that if they are set
	for (int i = 0; i < n; i++) {
		a[i] = gort_new(alarm_);
		a[i]->key = mix((uint64_t)(uintptr_t)a[i]);
	}
	while (gort_now() < deadline) {
		for (int k = 0; k < 100; k++) {
			alarm_ *x = a[below(&r, n)];
			int64_t d = below(&r, 4) == 0 ? 0 : below(&r, 3000) * GORT_US;
			if (x->t == NULL) {
				__atomic_store_n(&x->due, gort_now() + d, __ATOMIC_RELEASE);
				x->want++;
				gort_store(x->t, gort_after_func(d, fire, x));
				continue;
			}
			// One that fires while it is reset may find either due: 0 is no claim.
			__atomic_store_n(&x->due, 0, __ATOMIC_RELEASE);
			bool pending;
			switch (below(&r, 3)) {
			case 0:
				pending = gort_timer_stop(x->t);
				if (pending)
					x->want--;
				break;
			case 1:
				pending = gort_timer_reset(x->t, d);
				if (!pending)
					x->want++;
				break;
			default:
				// Forgotten: who holds it now is the heap of timers.
				gort_timer_stop(x->t);
				alarm_ *y = gort_new(alarm_);
				y->key = mix((uint64_t)(uintptr_t)y);
				for (int i = 0; i < n; i++)
					if (a[i] == x)
						a[i] = y;
				__atomic_store_n(&y->due, gort_now() + d, __ATOMIC_RELEASE);
				y->want = 1;
				gort_store(y->t, gort_after_func(d, fire, y));
			}
		}
		if (below(&r, 4) == 0)
			gort_sleep(below(&r, 1000) * GORT_US);
		else
			gort_yield();
		step(1);
	}
	// All that are set fire.
	for (int i = 0; i < n; i++) {
		for (int k = 0;
			k < 20000 && __atomic_load_n(&a[i]->fired, __ATOMIC_ACQUIRE) < a[i]->want;
			k++)
			gort_sleep(GORT_MS);
		CHECK(__atomic_load_n(&a[i]->fired, __ATOMIC_ACQUIRE) == a[i]->want,
			"a timer fired %u times, set %u times", a[i]->fired, a[i]->want);
	}
}

static void
sleeper(uint64_t id) {
	rng r = rng_make(id);
	while (gort_now() < deadline) {
		int64_t d = below(&r, 3) == 0 ? below(&r, 5000) : below(&r, 4000) * GORT_US,
			begin = gort_now();
		gort_sleep(d);
		CHECK(gort_now() - begin >= d, "slept %ld ns too little",
			(long)(d - (gort_now() - begin)));
		step(1);
	}
}

static void
timeouts(uint64_t id) {
	rng r = rng_make(id);
	gort_chan(uint64_t) c = gort_chan_make(uint64_t, 1);
	while (gort_now() < deadline) {
		int64_t d = below(&r, 2000) * GORT_US, begin = gort_now();
		uint64_t v;
		bool sent = below(&r, 4) == 0;
		if (sent)
			gort_chan_send(c, 1);
		int k = gort_select(gort_on_recv(c, &v), gort_on_timeout(d));
		CHECK(k == 0 ? sent : !sent || d == 0 || gort_now() - begin >= d, "select: case %d",
			k);
		CHECK(k != 1 || gort_now() - begin >= d, "a timeout came early");
		if (k == 1 && sent)
			gort_chan_recv(c);
		step(1);
	}
}

static void
tick(void *arg) {
	alarm_ *a = arg;
	fire(a);
	// A timer that sets itself, by way of who holds it: its own argument.
	if (__atomic_sub_fetch(&a->again, 1, __ATOMIC_ACQ_REL) > 0) {
		alarm_ *b = gort_new(alarm_);
		b->key = mix((uint64_t)(uintptr_t)b);
		b->again = a->again;
		gort_after_func(50 * GORT_US, tick, b);
	} else {
		gort_sema_release((uint32_t *)(uintptr_t)&a->want);
	}
}

static void
tickers(uint64_t id) {
	(void)id;
	// The last of the chain is not known here: its length is seen by the steps alone.
	while (gort_now() < deadline) {
		alarm_ *a = gort_new(alarm_);
		a->key = mix((uint64_t)(uintptr_t)a);
		a->again = 1;
		gort_after_func(10 * GORT_US, tick, a);
		gort_sema_acquire(&a->want);
		alarm_ *b = gort_new(alarm_);
		b->key = mix((uint64_t)(uintptr_t)b);
		b->again = 20;
		gort_after_func(0, tick, b);
		gort_sleep(2 * GORT_MS);
	}
}

static int
app(int argc, char **argv) {
	(void)argc;
	(void)argv;
	deadline = gort_now() + (int64_t)(stress_seconds * 1e9);
	static void (*const fs[])(uint64_t) = {setter, sleeper, timeouts, tickers};
	enum { n = 24 };
	gort_waitgroup_add(&stress_workers, n);
	for (uint64_t i = 0; i < n; i++)
		gort_go(stress_worker, fs[i % 4], i);
	int procs = gort_gomaxprocs(0);
	for (int i = 0; gort_now() < deadline; i++) {
		gort_gc();
		if (i % 4 == 0)
			gort_gomaxprocs(1 + i / 4 % (2 * procs));
		gort_sleep(10 * GORT_MS);
	}
	gort_gomaxprocs(procs);
	gort_waitgroup_wait(&stress_workers);
	stress_ended();
	printf("timers: ok: %lu steps\n", (unsigned long)steps());
	return 0;
}

int
main(int argc, char **argv) {
	return stress_main("timers", app, argc, argv);
}
