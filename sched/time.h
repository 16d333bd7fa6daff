// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Timers: one heap a P, and what hangs on them (sleep, timer channels, deadlines).
// Ports time.go of Go 1.26.8.  P embeds a timers, so this header includes runtime.h only.
#ifndef GORT_SCHED_TIME_H
#define GORT_SCHED_TIME_H

#include "runtime/runtime.h"

// timerFunc is what a timer calls, on g0: it must not block.  delay is how late it is, in ns.
typedef void (*timerFunc)(void *arg, uintptr_t seq, int64_t delay);

// A timer calls f(arg, seq, delay) at when, and then every period if period > 0.
//
// mu guards the fields.  state is copied to astate at each unlock, so that whoever only wants to
// know whether the heap entry is up to date need not lock.  Timers of the user live on the GC
// heap (timerType: arg is their only pointer into it), those of goroutines and poll descriptors
// off it.
struct timer {
	mutex mu;

	uint8_t astate; // atomic: state at the last unlock
	uint8_t state;  // timerHeaped | timerModified | timerZombie
	bool isChan;    // feeds a channel; never changes
	bool isFake;    // order timers of the same instant by rand

	uint32_t blocked; // goroutines blocked on the channel
	uint32_t rand;

	int64_t when; // ns of nanotime; 0: not running
	int64_t period;
	timerFunc f;
	void *arg;     // GC pointer or not; stored with the barrier
	uintptr_t seq; // isChan: changes with each stop and modify, so that stale sends are known

	timers *ts; // the set it is in, or NULL

	// sendLock is held over a send to the channel.  Taken before mu.
	mutex sendLock;

	// isSending > 0: a one-shot channel timer has fired but its send has not been decided yet.
	// Atomic; grows under mu, shrinks under sendLock, is read under both.
	int32_t isSending;
};

typedef struct timerWhen {
	timer *timer;
	int64_t when;
} timerWhen;

// timers is a set of timers as a 4-ary heap, ordered by when.  A P has one.
// Timers are taken out lazily: a stopped one stays in as a zombie until it comes to the top or
// zombies are more than a quarter.  The array is off the GC heap; timers_scan shows it to the
// collector.
struct timers {
	mutex mu;

	timerWhen *heap; // mu; off-heap array of capheap entries
	int32_t nheap;   // mu
	int32_t capheap; // mu

	uint32_t len;    // atomic copy of nheap at the last unlock
	int32_t zombies; // atomic: entries marked for removal

	int64_t minWhenHeap;     // atomic: heap[0].when, 0 without timers
	int64_t minWhenModified; // atomic: lower bound of when over timerModified timers, 0: none

	// PORT: the last look at the clock, owned by the P: see timers_checkOwn.
	struct {
		uint64_t tsc;  // the time stamp counter before it
		int64_t until; // quietTime after it
	} quiet;
};

enum {
	timerHeaped = 1,   // is in some P's heap
	timerModified = 2, // when differs from the heap entry, which follows later
	timerZombie = 4,   // is stopped but still in a heap
	timerHeapN = 4,    // children of a heap node
};

#define maxWhen INT64_MAX

// timeTimer is a timer of the user: gort_timer, gort_ticker.
typedef struct timeTimer {
	hchan *c; // the channel, if any
	bool init;
	timer timer;
} timeTimer;

extern const struct gort_type timerType;
extern const struct gort_type timeTimerType;

void timer_init(timer *t, timerFunc f, void *arg);
hchan *timer_hchan(timer *t);
bool timer_updateHeap(timer *t);
void timeSleep(int64_t ns);
bool resetForSleep(G *gp, void *unused);
// newTimer's c must come from maketimerchan (chan.h) or be NULL.
timeTimer *newTimer(int64_t when, int64_t period, timerFunc f, void *arg, hchan *c);
bool stopTimer(timeTimer *t);
bool resetTimer(timeTimer *t, int64_t when, int64_t period);
void goroutineReady(void *arg, uintptr_t seq, int64_t delay);
void timers_addHeap(timers *ts, timer *t);
bool timer_stop(timer *t);
// timer_modify leaves f, arg and seq alone if f is NULL.
bool timer_modify(timer *t, int64_t when, int64_t period, timerFunc f, void *arg, uintptr_t seq);
bool timer_needsAdd(timer *t);
void timer_maybeAdd(timer *t);
bool timer_reset(timer *t, int64_t when, int64_t period);
void timers_lock(timers *ts);
void timers_unlock(timers *ts);
void timer_lock(timer *t);
void timer_unlock(timer *t);
void timers_cleanHead(timers *ts);
// timers_take moves src's timers into ts; the world is stopped.
void timers_take(timers *ts, timers *src);
void timers_adjust(timers *ts, int64_t now, bool force);
// timers_check runs what is due.  now is 0 or the time; the result is the time, if it had to be
// found out.  *pollUntil: when the next timer is due, or 0.  *ran: some timer ran.
int64_t timers_check(timers *ts, int64_t now, int64_t *pollUntil, bool *ran);
int64_t timers_checkOwn(timers *ts, int64_t next, uint64_t tsc, int64_t *pollUntil);
int64_t timers_run(timers *ts, int64_t now);
void timer_unlockAndRun(timer *t, int64_t now);
void timers_verify(timers *ts);
void timers_updateMinWhenHeap(timers *ts);
void timers_updateMinWhenModified(timers *ts, int64_t when);
int64_t timeSleepUntil(void);
void timers_siftUp(timers *ts, int32_t i);
void timers_siftDown(timers *ts, int32_t i);
void timers_initHeap(timers *ts);
_Noreturn void badTimer(void);
void timer_maybeRunChan(timer *t, hchan *c);
void blockTimerChan(hchan *c);
void unblockTimerChan(hchan *c);
// timerWhenAfter is the time d nanoseconds from now (d <= 0: now), as Timer takes it.
int64_t timerWhenAfter(int64_t d);
// sendTime is the timerFunc of timer channels: arg is the hchan, its elements are int64_t.
void sendTime(void *arg, uintptr_t seq, int64_t delay);
// timers_destroy frees the array of an empty set.
void timers_destroy(timers *ts);

// timers_scan calls f(arg, t) for each timer in ts with ts->mu held: the root job of the
// collector for P timer heaps.  The set changes only under ts->mu, and every timer that enters or
// leaves it while the barrier is on is shaded, so one look at each P during the mark is enough.
void timers_scan(timers *ts, void (*f)(void *arg, timer *t), void *arg);

// timers_wakeTime is the time of the next timer, 0 if there is none.  The order of the two loads
// matters: see timers_adjust.
static inline int64_t
timers_wakeTime(timers *ts) {
	int64_t nextWhen = atomic_Load(&ts->minWhenModified);
	int64_t when = atomic_Load(&ts->minWhenHeap);

	if (when == 0 || (nextWhen != 0 && nextWhen < when))
		when = nextWhen;
	return when;
}

#endif
