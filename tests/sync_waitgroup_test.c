// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// WaitGroup, Once and Cond, after waitgroup_test.go, once_test.go and cond_test.go of package sync of
// Go 1.26.8.
#include "tests/support/support.h"

#include "runtime/runtime.h"
#include "sched/proc.h"
#include "sched/sync_mutex.h"

static const char *recovered;

static void
recover_(void) {
	recovered = gort_recover();
}

struct panics_args {
	void (*fn)(void *);
	void *arg;
};

static void
panics_1(void *a) {
	struct panics_args *args = a;

	gort_defer(recover_);
	args->fn(args->arg);
}

// panics reports whether fn(arg) ends in this panic.
static bool
panics(void (*fn)(void *), void *arg, const char *text) {
	struct panics_args args = {fn, arg};

	recovered = NULL;
	gort_pcall(panics_1, &args);
	return recovered != NULL && strcmp(recovered, text) == 0;
}

// ---- WaitGroup

struct wgs {
	gort_waitgroup wg1, wg2;
	gort_chan(bool) exited;
};

static void
wg_1(struct wgs *w) {
	gort_waitgroup_done(&w->wg1);
	gort_waitgroup_wait(&w->wg2);
	gort_chan_send(w->exited, true);
}

static void
waitgroup(void) {
	enum { n = 16 };
	struct wgs w = {0};

	for (int k = 0; k < 8; k++) {
		gort_waitgroup_add(&w.wg1, n);
		gort_waitgroup_add(&w.wg2, n);
		w.exited = gort_chan_make(bool, n);
		for (int i = 0; i < n; i++)
			gort_go(wg_1, &w);
		gort_waitgroup_wait(&w.wg1);
		for (int i = 0; i < n; i++) {
			CHECK(gort_chan_len(w.exited) == 0);
			gort_waitgroup_done(&w.wg2);
		}
		for (int i = 0; i < n; i++)
			gort_chan_recv(w.exited);
	}
}

Test(WaitGroup, WaitGroup) {
	RUN(waitgroup);
}

static void
too_many_dones(void *wg) {
	gort_waitgroup_add(wg, 1);
	gort_waitgroup_done(wg);
	gort_waitgroup_done(wg);
}

static void
misuse(void) {
	gort_waitgroup wg = {0};

	CHECK(panics(too_many_dones, &wg, "sync: negative WaitGroup counter"));
}

Test(WaitGroup, WaitGroupMisuse) {
	RUN(misuse);
}

static void
race_1(gort_waitgroup *wg, int32_t *n) {
	atomic_Xadd(n, 1);
	gort_waitgroup_done(wg);
}

static void
race(void) {
	for (int i = 0; i < 1000; i++) {
		gort_waitgroup wg = {0};
		int32_t n = 0;
		gort_waitgroup_add(&wg, 1);
		gort_go(race_1, &wg, &n);
		gort_waitgroup_add(&wg, 1);
		gort_go(race_1, &wg, &n);
		gort_waitgroup_wait(&wg);
		CHECK(atomic_Load(&n) == 2);
	}
}

Test(WaitGroup, WaitGroupRace) {
	RUN(race);
}

// ---- Once

static int32_t ones; // atomic

static void
one(void) {
	atomic_Xadd(&ones, 1);
}

static void
once_1(gort_once *o, gort_waitgroup *wg) {
	gort_once_do(o, one);
	CHECK(atomic_Load(&ones) == 1);
	gort_waitgroup_done(wg);
}

static void
once(void) {
	gort_once o = {0};
	gort_waitgroup wg = {0};

	gort_waitgroup_add(&wg, 10);
	for (int i = 0; i < 10; i++)
		gort_go(once_1, &o, &wg);
	gort_waitgroup_wait(&wg);
	CHECK(ones == 1);
}

Test(Once, Once) {
	RUN(once);
}

static void
failed(void) {
	gopanic("failed");
}

static void
once_failed(void *o) {
	gort_once_do(o, failed);
}

static void
once_panic(void) {
	gort_once o = {0};

	CHECK(panics(once_failed, &o, "failed"));
	gort_once_do(&o, failed); // has been done
	CHECK(o.done == 1 && o.m.state == 0);
}

Test(Once, OncePanic) {
	RUN(once_panic);
}

// ---- Cond

struct condt {
	Mutex m;
	Cond c;
	gort_chan(int) running, awake;
	bool exit;
	int turn;
};

static void
condt_init(struct condt *t, int n) {
	t->c.L = &t->m;
	gort_store(t->running, gort_chan_make(int, n));
	gort_store(t->awake, gort_chan_make(int, n));
}

static void
signal_1(struct condt *t, int i) {
	Mutex_Lock(&t->m);
	gort_chan_send(t->running, i);
	Cond_Wait(&t->c);
	gort_chan_send(t->awake, i);
	Mutex_Unlock(&t->m);
}

static void
cond_signal(void) {
	static struct condt t; // the last goroutine may still unlock t.m when the test is over

	condt_init(&t, 2);
	for (int i = 0; i < 2; i++)
		gort_go(signal_1, &t, i);
	for (int i = 0; i < 2; i++)
		gort_chan_recv(t.running);
	for (int n = 2; n > 0; n--) {
		int v;
		CHECK(!gort_chan_try_recv(t.awake, &v, NULL));
		Mutex_Lock(&t.m);
		Cond_Signal(&t.c);
		Mutex_Unlock(&t.m);
		gort_chan_recv(t.awake);
		CHECK(!gort_chan_try_recv(t.awake, &v, NULL));
	}
	Cond_Signal(&t.c);
}

Test(Cond, CondSignal) {
	RUN(cond_signal);
}

static void
cond_generations(void) {
	enum { n = 100 };
	static struct condt t; // the last goroutine may still unlock t.m when the test is over

	condt_init(&t, n);
	for (int i = 0; i < n; i++) {
		gort_go(signal_1, &t, i);
		if (i > 0)
			CHECK(gort_chan_recv(t.awake) == i - 1);
		gort_chan_recv(t.running);
		Mutex_Lock(&t.m);
		Cond_Signal(&t.c);
		Mutex_Unlock(&t.m);
	}
}

Test(Cond, CondSignalGenerations) {
	RUN(cond_generations);
}

static void
broadcast_1(struct condt *t, int g) {
	Mutex_Lock(&t->m);
	while (!t->exit) {
		gort_chan_send(t->running, g);
		Cond_Wait(&t->c);
		gort_chan_send(t->awake, g);
	}
	Mutex_Unlock(&t->m);
}

static void
cond_broadcast(void) {
	enum { n = 100 };
	static struct condt t;
	int v;

	condt_init(&t, n);
	for (int i = 0; i < n; i++)
		gort_go(broadcast_1, &t, i);
	for (int i = 0; i < n; i++) {
		for (int k = 0; k < n; k++)
			gort_chan_recv(t.running);
		if (i == n - 1) {
			Mutex_Lock(&t.m);
			t.exit = true;
			Mutex_Unlock(&t.m);
		}
		CHECK(!gort_chan_try_recv(t.awake, &v, NULL));
		Mutex_Lock(&t.m);
		Cond_Broadcast(&t.c);
		Mutex_Unlock(&t.m);
		bool seen[n] = {false};
		for (int k = 0; k < n; k++) {
			int g = gort_chan_recv(t.awake);
			CHECK(!seen[g]);
			seen[g] = true;
		}
	}
	CHECK(!gort_chan_try_recv(t.running, &v, NULL));
	Cond_Broadcast(&t.c);
}

Test(Cond, CondBroadcast) {
	RUN(cond_broadcast);
}

static void
copied_wait(void *c) {
	Cond_Signal(c);
}

static void
cond_copy(void) {
	Mutex m = {0};
	Cond c = {.L = &m};
	Cond c2;

	Cond_Signal(&c);
	c2 = c;
	CHECK(panics(copied_wait, &c2, "sync.Cond is copied"));
}

Test(Cond, CondCopy) {
	RUN(cond_copy);
}
