// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// gort-replay sched: goracle's scheduling experiments (tools/oracle/goracle/sched.go) written again
// with gort's go, channels, locks and yield.  Each logs the order in which its events happen; with
// one P, the collector off and the P's schedule count at 0 that order is Go's.
//
// The experiments' variables are on the main goroutine's stack or global, and hold no pointers to
// heap objects that other goroutines would see change, so there is no gort_store here.
#include <stdio.h>
#include <string.h>

#include "sched/proc.h"
#include "sched/runtime2.h"
#include "sched/sync_mutex.h"
#include "tools/replay.h"

static int events[8192];
static int nevents;

static void
add_(int i) {
	if (nevents < (int)nelem(events))
		events[nevents++] = i;
}

// spawn starts n goroutines and waits for them.
struct spawn {
	void (*body)(int i);
	gort_waitgroup wg;
};

static void
spawn_1(struct spawn *s, int i) {
	s->body(i);
	gort_waitgroup_done(&s->wg);
}

static void
spawn(int n, void (*body)(int i)) {
	struct spawn s = {body, {0}};

	gort_waitgroup_add(&s.wg, n);
	for (int i = 0; i < n; i++)
		gort_go(spawn_1, &s, i);
	gort_waitgroup_wait(&s.wg);
}

static void
nothing(int i) {
	(void)i;
}

static void
spawn10(void) {
	spawn(10, add_);
}

static void
spawn600(void) {
	spawn(600, add_);
}

static void
yield_1(int i) {
	for (int k = 0; k < 4; k++) {
		add_(10 * k + i);
		gort_yield();
	}
}

static void
yield_(void) {
	spawn(3, yield_1);
}

static void
tick61_1(gort_waitgroup *wg, int i) {
	gort_yield();
	add_(1000 + i);
	gort_waitgroup_done(wg);
}

static void
add_done(gort_waitgroup *wg, int i) {
	add_(i);
	gort_waitgroup_done(wg);
}

static void
tick61(void) {
	gort_waitgroup wg = {0};

	gort_waitgroup_add(&wg, 205);
	for (int i = 0; i < 5; i++)
		gort_go(tick61_1, &wg, i);
	gort_yield(); // all five are now in the global queue, behind main
	for (int i = 0; i < 200; i++)
		gort_go(add_done, &wg, i);
	gort_waitgroup_wait(&wg);
}

static void
ready_1(gort_chan(int) c, gort_waitgroup *wg, int i) {
	gort_chan_recv(c);
	add_(i);
	gort_waitgroup_done(wg);
}

static void
ready_(void) {
	gort_chan(int) ch[5];
	gort_waitgroup wg = {0};

	gort_waitgroup_add(&wg, 5);
	for (int i = 0; i < 5; i++) {
		ch[i] = gort_chan_make(int, 0);
		gort_go(ready_1, ch[i], &wg, i);
	}
	gort_yield();
	for (int i = 0; i < 5; i++) {
		gort_chan_send(ch[i], 0);
		add_(100 + i);
	}
	gort_waitgroup_wait(&wg);
}

static void
recvq_1(gort_chan(int) c, gort_waitgroup *wg, int i) {
	int v = gort_chan_recv(c);

	add_(10 * i + v);
	gort_waitgroup_done(wg);
}

static void
recvq(void) {
	gort_chan(int) c = gort_chan_make(int, 0);
	gort_waitgroup wg = {0};

	gort_waitgroup_add(&wg, 5);
	for (int i = 0; i < 5; i++)
		gort_go(recvq_1, c, &wg, i);
	gort_yield();
	for (int v = 0; v < 5; v++)
		gort_chan_send(c, v);
	gort_waitgroup_wait(&wg);
}

static void
sendq_1(gort_chan(int) c, int i) {
	gort_chan_send(c, i);
	add_(100 + i);
}

static void
sendq(void) {
	gort_chan(int) c = gort_chan_make(int, 2);

	for (int i = 0; i < 5; i++)
		gort_go(sendq_1, c, i);
	gort_yield();
	for (int v = 0; v < 5; v++)
		add_(gort_chan_recv(c));
	gort_yield();
	gort_yield();
}

static void
pingpong_1(gort_chan(int) c, gort_chan(int) done) {
	gort_chan_range(v, c) add_(v);
	gort_chan_close(done);
}

static void
pingpong(void) {
	gort_chan(int) c = gort_chan_make(int, 0);
	gort_chan(int) done = gort_chan_make(int, 0);

	gort_go(pingpong_1, c, done);
	for (int i = 0; i < 6; i++) {
		add_(100 + i);
		gort_chan_send(c, i);
		add_(200 + i);
	}
	gort_chan_close(c);
	gort_chan_recv(done);
}

static void
close_2(gort_chan(int) c, gort_chan(int) d, gort_waitgroup *wg, int i) {
	int v;

	switch (gort_select(gort_on_recv(c, &v), gort_on_recv(d, &v))) {
	default:
		break;
	}
	add_(i);
	gort_waitgroup_done(wg);
}

static void
close_(void) {
	gort_chan(int) c = gort_chan_make(int, 0);
	gort_chan(int) d = gort_chan_make(int, 0);
	gort_waitgroup wg = {0};

	gort_waitgroup_add(&wg, 5);
	for (int i = 0; i < 3; i++)
		gort_go(ready_1, c, &wg, i);
	for (int i = 3; i < 5; i++)
		gort_go(close_2, c, d, &wg, i);
	gort_yield();
	gort_chan_close(c);
	gort_waitgroup_wait(&wg);
}

static void
mutex_1(gort_mutex *mu, gort_waitgroup *wg, int i) {
	gort_mutex_lock(mu);
	add_(i);
	gort_mutex_unlock(mu);
	gort_waitgroup_done(wg);
}

static void
mutex_(void) {
	gort_mutex mu = {0};
	gort_waitgroup wg = {0};

	gort_mutex_lock(&mu);
	gort_waitgroup_add(&wg, 5);
	for (int i = 0; i < 5; i++)
		gort_go(mutex_1, &mu, &wg, i);
	gort_yield();
	gort_mutex_unlock(&mu);
	gort_waitgroup_wait(&wg);
}

static void
barging(void) {
	gort_mutex mu = {0};
	gort_waitgroup wg = {0};

	gort_mutex_lock(&mu);
	gort_waitgroup_add(&wg, 1);
	gort_go(mutex_1, &mu, &wg, 1);
	gort_yield();
	for (int i = 0; i < 3; i++) {
		gort_mutex_unlock(&mu);
		gort_mutex_lock(&mu);
		add_(100 + i);
	}
	gort_mutex_unlock(&mu);
	gort_waitgroup_wait(&wg);
}

static void
starving(void) {
	gort_mutex mu = {0};
	gort_waitgroup wg = {0};

	gort_mutex_lock(&mu);
	gort_waitgroup_add(&wg, 1);
	gort_go(mutex_1, &mu, &wg, 1);
	gort_yield();
	for (int64_t t = gort_now(); gort_now() - t < 3 * GORT_MS;) {
	}
	gort_mutex_unlock(&mu); // wakes the waiter, but main barges in
	gort_mutex_lock(&mu);
	add_(100);
	gort_yield();           // the waiter runs, fails, and turns the mutex starving
	gort_mutex_unlock(&mu); // direct handoff
	gort_mutex_lock(&mu);   // must queue behind the waiter
	add_(101);
	gort_mutex_unlock(&mu);
	gort_waitgroup_wait(&wg);
}

static void
cond_1(Cond *c, gort_waitgroup *wg, int i) {
	Mutex_Lock(c->L);
	Cond_Wait(c);
	add_(i);
	Mutex_Unlock(c->L);
	gort_waitgroup_done(wg);
}

static void
cond(void) {
	Mutex mu = {0};
	Cond c = {.L = &mu};
	gort_waitgroup wg = {0};

	gort_waitgroup_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		gort_go(cond_1, &c, &wg, i);
	gort_yield();
	Cond_Signal(&c);
	Cond_Signal(&c);
	gort_yield();
	add_(100);
	Cond_Broadcast(&c);
	gort_waitgroup_wait(&wg);
}

static void
rwmutex_w(gort_rwmutex *mu, gort_waitgroup *wg) {
	gort_rwmutex_lock(mu);
	add_(100);
	gort_rwmutex_unlock(mu);
	gort_waitgroup_done(wg);
}

static void
rwmutex_r(gort_rwmutex *mu, gort_waitgroup *wg, int i) {
	gort_rwmutex_rlock(mu);
	add_(i);
	gort_rwmutex_runlock(mu);
	gort_waitgroup_done(wg);
}

static void
rwmutex_(void) {
	gort_rwmutex mu = {0};
	gort_waitgroup wg = {0};

	gort_rwmutex_rlock(&mu);
	gort_waitgroup_add(&wg, 4);
	gort_go(rwmutex_w, &mu, &wg);
	gort_yield();
	for (int i = 0; i < 3; i++)
		gort_go(rwmutex_r, &mu, &wg, i);
	gort_yield();
	gort_rwmutex_runlock(&mu);
	gort_waitgroup_wait(&wg);
}

static void
select_(void) {
	gort_chan(int) c[4];
	int v;

	for (int i = 0; i < 4; i++) {
		c[i] = gort_chan_make(int, 128);
		for (int k = 0; k < 128; k++)
			gort_chan_send(c[i], k);
	}
	getg()->m->cheaprand = 1;
	for (int k = 0; k < 100; k++)
		add_(gort_select(gort_on_recv(c[0], &v), gort_on_recv(c[1], &v),
			gort_on_recv(c[2], &v), gort_on_recv(c[3], &v)));
}

static const int sleeporder[] = {3, 1, 4, 0, 2};

static void
sleep_1(int i) {
	gort_sleep((1 + sleeporder[i]) * 4 * GORT_MS);
	add_(sleeporder[i]);
}

static void
sleep_(void) {
	spawn(5, sleep_1);
}

static const struct {
	const char *name;
	const char *what;
	void (*run)(void);
} experiments[] = {
	{"spawn10", "10 x go, then wait: the last goes first (runnext), the rest in order",
		spawn10},
	{"spawn600",
		"600 x go, then wait: the local queue of 256 overflows, half of it goes to the "
		"global queue",
		spawn600},
	{"yield", "3 goroutines log and yield 4 times each (Gosched uses the global queue)",
		yield_},
	{"tick61",
		"200 goroutines in the local queue, 5 in the global one: every 61st schedule looks "
		"there first",
		tick61},
	{"ready",
		"one goroutine sends to 5 blocked receivers on 5 channels: each ready() displaces "
		"runnext",
		ready_},
	{"recvq", "5 receivers block on one channel; values 0..4 are sent: FIFO of waiters", recvq},
	{"sendq", "5 senders block on a channel of capacity 2; main receives 5 values", sendq},
	{"pingpong", "unbuffered producer and consumer: who runs when", pingpong},
	{"close", "close wakes 3 receivers and then 2 select waiters of one channel", close_},
	{"mutex", "5 waiters on a locked Mutex: wake order", mutex_},
	{"barging", "normal mode: the unlocker takes the lock again before the woken waiter",
		barging},
	{"starving",
		"a waiter that fails after 1 ms makes the mutex starving: the next Unlock hands it "
		"over",
		starving},
	{"cond", "Cond: 4 waiters, Signal twice, then Broadcast", cond},
	{"rwmutex", "RWMutex: reader in, writer waits, later readers wait behind the writer",
		rwmutex_},
	{"select", "100 selects over 4 ready channels, cheaprand state set to 1", select_},
	{"sleep", "5 sleepers, 4 ms apart, started in the order 3 1 4 0 2", sleep_},
};

int
replay_schedexp(int argc, char **argv) {
	bool found = false;

	gort_gomaxprocs(1);
	gort_set_gc_percent(-1);
	spawn(1000, nothing); // dead goroutines to use again
	for (size_t i = 0; i < nelem(experiments); i++) {
		if (argc > 1 && strcmp(argv[1], experiments[i].name) != 0)
			continue;
		found = true;
		nevents = 0;
		gort_yield(); // a new time slice
		getg()->m->p->schedtick = 0;
		experiments[i].run();
		printf("# %s\n%s:", experiments[i].what, experiments[i].name);
		for (int k = 0; k < nevents; k++)
			printf(" %d", events[k]);
		printf("\n");
	}
	if (!found) {
		fprintf(stderr, "gort-replay: no experiment \"%s\"\n", argv[1]);
		return 2;
	}
	return 0;
}
