// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Timers, after sleep_test.go of package time of Go 1.26.8.  What vectors can say about the heap is in
// tests/vectors (tm); here timers run on the clock.
#include "tests/support/support.h"

#include "runtime/runtime.h"
#include "sched/chan.h"
#include "sched/proc.h"
#include "sched/runtime2.h"
#include "sched/time.h"

static const gort_type int64Type = {8, 0, NULL, "int64"};

// after is time.NewTimer, or NewTicker with a period.
static timeTimer *
after(int64_t d, int64_t period, hchan **c) {
	*c = maketimerchan(&int64Type, 1);
	return newTimer(timerWhenAfter(d), period, sendTime, *c, *c);
}

static void
sleeps(void) {
	static const int64_t ds[] = {-1, 0, 1, 1000, 50000, 999999, 1000001, 5000000};

	for (size_t i = 0; i < nelem(ds); i++) {
		int64_t t = gort_now();
		gort_sleep(ds[i]);
		CHECK(gort_now() - t >= ds[i]);
	}
}

Test(Time, Sleep) {
	RUN(sleeps);
}

struct sleepers {
	gort_waitgroup wg;
	uint32_t early; // atomic
};

static void
sleeper(struct sleepers *s, int i) {
	int64_t t = gort_now();

	gort_sleep((i + 1) * 100 * GORT_US);
	if (gort_now() - t < (i + 1) * 100 * GORT_US)
		atomic_Xadd(&s->early, 1);
	gort_waitgroup_done(&s->wg);
}

// Goroutines that have slept before, too: a dead one's timer is used again.
static void
many_sleepers(void) {
	struct sleepers s = {0};

	for (int round = 0; round < 5; round++) {
		gort_waitgroup_add(&s.wg, 50);
		for (int i = 0; i < 50; i++)
			gort_go(sleeper, &s, (i * 17) % 50);
		gort_waitgroup_wait(&s.wg);
		CHECK(s.early == 0);
	}
}

Test(Time, ManySleepers) {
	RUN(many_sleepers);
}

static int afterfunc_i;
static gort_chan(bool) afterfunc_c;

static void
afterfunc_1(void *arg) {
	(void)arg;
	afterfunc_i--;
	if (afterfunc_i >= 0)
		gort_after_func(0, afterfunc_1, NULL);
	else
		gort_chan_send(afterfunc_c, true);
}

static void
afterfunc(void) {
	afterfunc_i = 10;
	gort_store(afterfunc_c, gort_chan_make(bool, 0));
	gort_after_func(0, afterfunc_1, NULL);
	gort_chan_recv(afterfunc_c);
	CHECK(afterfunc_i == -1);
}

// A timer function that starts the next timer.
Test(Time, AfterFunc) {
	RUN(afterfunc);
}

static void
after_tick(void) {
	hchan *c;
	int64_t t0 = gort_now(), v = 0;

	for (int i = 0; i < 5; i++) {
		timeTimer *t = after(GORT_MS, 0, &c);
		chanrecv1(c, &v);
		CHECK(v - t0 >= (i + 1) * GORT_MS);
		CHECK(!stopTimer(t));
		CHECK(chanlen(c) == 0 && chancap(c) == 0);
	}
}

Test(Time, AfterTick) {
	RUN(after_tick);
}

static void
stop_and_reset(void) {
	hchan *c;
	int64_t v;
	bool ok;
	timeTimer *t = after(3600 * GORT_S, 0, &c);

	CHECK(stopTimer(t));
	CHECK(!stopTimer(t));
	CHECK(!resetTimer(t, timerWhenAfter(GORT_MS), 0));
	chanrecv1(c, &v);
	CHECK(!resetTimer(t, timerWhenAfter(3600 * GORT_S), 0));
	CHECK(resetTimer(t, timerWhenAfter(0), 0));
	// Due, but a stop before anyone looks means that no value will ever come.
	while (gort_now() <= t->timer.when)
		gort_yield();
	CHECK(stopTimer(t));
	CHECK(!selectnbrecv(&v, c, &ok));
	// Due and then looked at: the value is there.
	CHECK(!resetTimer(t, timerWhenAfter(0), 0));
	while (gort_now() <= t->timer.when)
		gort_yield();
	CHECK(selectnbrecv(&v, c, &ok) && ok);
	CHECK(!stopTimer(t));
}

Test(Time, StopAndReset) {
	RUN(stop_and_reset);
}

static void
ticker(void) {
	hchan *c;
	int64_t t0 = gort_now(), v;
	timeTimer *t = after(GORT_MS, GORT_MS, &c);

	for (int i = 0; i < 10; i++)
		chanrecv1(c, &v);
	CHECK(gort_now() - t0 >= 10 * GORT_MS);
	stopTimer(t);
	resetTimer(t, timerWhenAfter(2 * GORT_MS), 2 * GORT_MS);
	chanrecv1(c, &v);
	CHECK(stopTimer(t));
}

Test(Time, Ticker) {
	RUN(ticker);
}

static void
overflow(void) {
	hchan *c;
	int64_t v;
	bool ok;
	timeTimer *t = after(INT64_MAX, 0, &c);

	CHECK(t->timer.when == maxWhen);
	CHECK(!selectnbrecv(&v, c, &ok));
	CHECK(stopTimer(t));
	t = after(INT64_MIN, 0, &c);
	chanrecv1(c, &v);
}

Test(Time, OverflowSleep) {
	RUN(overflow);
}

// A blocked receiver puts the timer into a heap, the last one takes it out again.
static void
blocked_recv(hchan *c, gort_waitgroup *wg) {
	chanrecv1(c, NULL);
	gort_waitgroup_done(wg);
}

static void
heaped(void) {
	hchan *c;
	gort_waitgroup wg = {0};
	timeTimer *t;

	gort_gomaxprocs(1);
	t = after(3600 * GORT_S, 0, &c);
	CHECK((atomic_Load(&t->timer.astate) & timerHeaped) == 0);
	gort_waitgroup_add(&wg, 2);
	gort_go(blocked_recv, c, &wg);
	gort_go(blocked_recv, c, &wg);
	while (t->timer.blocked < 2)
		gort_yield();
	CHECK((atomic_Load(&t->timer.astate) & (timerHeaped | timerZombie)) == timerHeaped);
	CHECK(resetTimer(t, timerWhenAfter(0), 0));
	while (t->timer.blocked == 2)
		gort_yield();
	CHECK(t->timer.blocked == 1 && t->timer.when == 0);
	CHECK(!resetTimer(t, timerWhenAfter(0), 0));
	gort_waitgroup_wait(&wg);
	CHECK(t->timer.blocked == 0);
}

Test(Time, BlockedChan) {
	RUN(heaped);
}

static uint32_t fired; // atomic

static void
fire(void *arg, uintptr_t seq, int64_t delay) {
	(void)arg;
	(void)seq;
	CHECK(delay >= 0);
	atomic_Xadd(&fired, 1);
}

struct check_args {
	timers *ts;
	int64_t now;
	int64_t until;
	bool ran;
};

static void
check_1(void *a) {
	struct check_args *args = a;

	timers_check(args->ts, args->now, &args->until, &args->ran);
}

static void
put(timers *ts, timer *t, int64_t when) {
	timers_lock(ts);
	timer_lock(t);
	t->when = when;
	t->state |= timerHeaped;
	timers_addHeap(ts, t);
	timer_unlock(t);
	timers_unlock(ts);
}

// A set of many timers, half of them stopped, a quarter moved, keeps its order; its array grows.
static void
adjust(void) {
	enum { n = 10000 };
	static timer t[n];
	static timers ts;
	uint32_t want = 0;
	int64_t last = 0;
	struct check_args args = {&ts, 0, 0, false};

	lockInit(&ts.mu, lockRankTimers);
	for (int i = 0; i < n; i++) {
		timer_init(&t[i], fire, NULL);
		put(&ts, &t[i], 1 + (int64_t)cheaprandn(1000000));
	}
	for (int i = 0; i < n; i++) {
		if (i % 2 == 0)
			CHECK(timer_stop(&t[i]));
		else if (i % 4 == 1)
			CHECK(timer_reset(&t[i], 1 + (int64_t)cheaprandn(1000000), 0));
	}
	CHECK(ts.zombies == n / 2);
	for (int64_t now = 1; now <= 1000000; now += 9973) {
		want = 0;
		for (int i = 1; i < n; i += 2)
			want += t[i].when != 0 && t[i].when <= now;
		fired = 0;
		args.now = now;
		systemstack(check_1, &args);
		CHECK(fired == want);
		CHECK(args.until == 0 || args.until > now);
		CHECK(args.until == 0 || args.until >= last);
		last = args.until;
		timers_lock(&ts);
		timers_verify(&ts);
		timers_unlock(&ts);
	}
	args.now = 1000001;
	systemstack(check_1, &args);
	CHECK(args.until == 0);
	timers_lock(&ts);
	timers_cleanHead(&ts);
	CHECK(ts.nheap == 0 && ts.zombies == 0);
	timers_destroy(&ts);
	timers_unlock(&ts);
}

Test(Time, Adjust) {
	RUN(adjust);
}

struct own_args {
	timers *ts;
	int64_t now, until;
};

static void
own_1(void *a) {
	struct own_args *args = a;

	args->now = timers_checkOwn(
		args->ts, timers_wakeTime(args->ts), (uint64_t)cputicks(), &args->until);
}

static void
count_1(void *arg, uintptr_t seq, int64_t delta) {
	uint32_t *ran = arg;

	(void)seq;
	CHECK(delta >= 0); // never early
	++*ran;
}

// A P does not look at the clock twice within the wink of an eye, and misses nothing thereby.
static void
own(void) {
	static timers ts;
	uint32_t ran = 0;
	timer far = {0}, near;
	struct own_args args = {.ts = &ts};
	int looks = 0, calls = 0;

	lockInit(&ts.mu, lockRankTimers);
	timer_init(&far, count_1, &ran);
	put(&ts, &far, nanotime() + 3600 * GORT_S);

	for (; calls < 1000; calls++) {
		systemstack(own_1, &args);
		CHECK(args.until == far.when);
		looks += args.now != 0;
	}
	CHECK(looks >= 1 && looks < calls / 2);

	// One that is due soon, come and gone while the clock need not be looked at for the other.
	for (int i = 0; i < 200; i++) {
		systemstack(own_1, &args);
		int64_t when = nanotime() + i * 500;
		near = (timer){0};
		timer_init(&near, count_1, &ran);
		put(&ts, &near, when);
		while (nanotime() < when)
			systemstack(own_1, &args);
		int64_t t = nanotime();
		do {
			systemstack(own_1, &args);
			CHECK(nanotime() - t < GORT_S);
		} while (ran == (uint32_t)i);
		CHECK(ran == (uint32_t)i + 1);
	}

	timers_lock(&ts);
	timers_destroy(&ts);
	timers_unlock(&ts);
}

Test(Time, CheckOwn) {
	RUN(own);
}

// Ticks of gort.h's ticker come from a collected object; those that nobody takes are dropped.
static void
ticker_api(void) {
	gort_ticker *tk = gort_new_ticker(GORT_MS);
	int64_t prev = 0;
	for (int i = 0; i < 5; i++) {
		if (i == 2)
			gort_gc();
		int64_t t = gort_chan_recv(gort_ticker_chan(tk));
		CHECK(t > prev && t <= gort_now());
		prev = t;
	}
	gort_sleep(5 * GORT_MS);
	int64_t t;
	bool ok;
	CHECK(gort_chan_try_recv(gort_ticker_chan(tk), &t, &ok) && t > prev);
	gort_ticker_stop(tk);
	CHECK(!gort_chan_try_recv(gort_ticker_chan(tk), &t, &ok));
	gort_sleep(2 * GORT_MS);
	CHECK(!gort_chan_try_recv(gort_ticker_chan(tk), &t, &ok));
	gort_ticker_reset(tk, GORT_MS);
	gort_chan_recv(gort_ticker_chan(tk));
	gort_ticker_stop(tk);
}

Test(Time, TickerAPI) {
	RUN(ticker_api);
}

static void
gc_1(void *arg) {
	int *p = arg;

	CHECK(*p == 42);
	gort_chan_send(afterfunc_c, true);
}

// A running timer keeps its argument, although nothing else does.
static void
timer_gc(void) {
	gort_store(afterfunc_c, gort_chan_make(bool, 10));
	for (int i = 0; i < 10; i++) {
		int *p = gort_alloc(sizeof(int), GORT_NOSCAN);
		*p = 42;
		gort_after_func((i + 5) * GORT_MS, gc_1, p);
	}
	for (int i = 0; i < 3; i++)
		gort_gc();
	for (int i = 0; i < 1000; i++)
		memset(gort_alloc(16, GORT_NOSCAN), 0xff, 16);
	for (int i = 0; i < 10; i++)
		gort_chan_recv(afterfunc_c);
}

Test(Time, TimerGC) {
	RUN(timer_gc);
}
