// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Timers.  Ports time.go of Go 1.26.8.
//
// Each P keeps its timers in a 4-ary heap; the scheduler runs what is due (timers_check) when it
// looks for work, and sleeps in netpoll until the next is due.  A timer belongs to whoever made it
// but sits in the heap of the P it was started on, so neither stop nor reset may touch the heap:
// they only mark the timer (zombie, modified) and the owner of the heap tidies up when the entry
// comes to the top, or when too many are marked.
//
// A channel timer is in a heap only while someone is blocked on its channel; otherwise the channel
// operations look at the clock themselves.  So a timer that nobody can reach any more is garbage
// even when it has not fired.
//
// Lock order: channel, sendLock, timers.mu, timer.mu.
//
// PORT: no synctest bubbles.  The heap array is off the GC heap; a timer that enters or leaves it
// goes through the write barrier, and moves within it are hidden from the collector by ts->mu
// (timers_scan).  The timer of a sleeping goroutine is off the heap too and stays with its G.
#include "sched/time.h"

#include "runtime/malloc.h"
#include "runtime/mbarrier.h"
#include "runtime/mem.h"
#include "runtime/mstats.h"
#include "runtime/panic.h"
#include "runtime/runtime1.h"
#include "sched/chan.h"
#include "sched/lockfast.h"
#include "sched/netpoll.h"
#include "sched/proc.h"
#include "sched/runtime2.h"

// Where the pointers are: a bit for each word.
#define PTRBIT(T, field) ((uint64_t)1 << offsetof(T, field) / PtrSize)
static const uint64_t timerPtrs = PTRBIT(timer, arg);
const struct gort_type timerType = {sizeof(timer), offsetof(timer, arg) + PtrSize,
	(const uint8_t *)&timerPtrs, "runtime.timer"};
static const uint64_t timeTimerPtrs = PTRBIT(timeTimer, c) | PTRBIT(timeTimer, timer.arg);
const struct gort_type timeTimerType = {sizeof(timeTimer), offsetof(timeTimer, timer.arg) + PtrSize,
	(const uint8_t *)&timeTimerPtrs, "time.Timer"};

// async reports whether GODEBUG=asynctimerchan asks for the channels of before Go 1.23.
static inline bool
async(void) {
	return atomic_Load(&debug.asynctimerchan) != 0;
}

// timer_init makes a new timer usable; f and arg may come later, by timer_modify.
void
timer_init(timer *t, timerFunc f, void *arg) {
	lockInit(&t->mu, lockRankTimer);
	t->f = f;
	wbstore(&t->arg, arg);
}

// timerWhen_less orders by time; timers of one instant by rand, which only fake ones have.
static inline bool
timerWhen_less(timerWhen tw, timerWhen other) {
	if (tw.when != other.when)
		return tw.when < other.when;
	return tw.timer->rand < other.timer->rand;
}

void
timers_lock(timers *ts) {
	lockfast(&ts->mu);
}

// timers_unlock publishes the length only now, so that pidleput never sees the 0 of a timer that is
// taken out and put back.
void
timers_unlock(timers *ts) {
	atomic_Store(&ts->len, (uint32_t)ts->nheap);
	unlockfast(&ts->mu);
}

void
timer_lock(timer *t) {
	lockfast(&t->mu);
}

// timer_unlock publishes the state for those who look without the lock.
void
timer_unlock(timer *t) {
	atomic_Store(&t->astate, t->state);
	unlockfast(&t->mu);
}

// timer_hchan is the channel that t feeds.
hchan *
timer_hchan(timer *t) {
	if (!t->isChan)
		badTimer();
	return t->arg;
}

// timers_growHeap makes room for another entry; ts->mu must be held.  Arrays are powers of 2 from a
// page on, straight from the system.
static COLD void
timers_growHeap(timers *ts) {
	int32_t newcap;
	timerWhen *heap;

	if (ts->capheap > INT32_MAX / 2)
		throw("too many timers");
	newcap = ts->capheap == 0 ? 256 : 2 * ts->capheap;
	heap = sysAlloc((uintptr_t)newcap * sizeof(timerWhen), &memstats.other_sys, "timers");
	if (heap == NULL)
		throw("runtime: cannot allocate memory");
	if (ts->heap != NULL) {
		memcpy(heap, ts->heap, (size_t)ts->nheap * sizeof(timerWhen));
		sysFree(ts->heap, (uintptr_t)ts->capheap * sizeof(timerWhen), &memstats.other_sys);
	}
	ts->heap = heap;
	ts->capheap = newcap;
}

// timers_dropLast shortens the heap by its last entry, which another slot holds by now or whose
// timer is leaving.
static inline void
timers_dropLast(timers *ts) {
	timerWhen *last = &ts->heap[ts->nheap - 1];

	wbstore(&last->timer, NULL);
	last->when = 0;
	ts->nheap--;
}

// timers_destroy frees the array of an empty set.
void
timers_destroy(timers *ts) {
	if (ts->heap != NULL)
		sysFree(ts->heap, (uintptr_t)ts->capheap * sizeof(timerWhen), &memstats.other_sys);
	ts->heap = NULL;
	ts->nheap = 0;
	ts->capheap = 0;
}

// timers_scan shows every timer of ts to the collector.
void
timers_scan(timers *ts, void (*f)(void *arg, timer *t), void *arg) {
	lock(&ts->mu);
	for (int32_t i = 0; i < ts->nheap; i++)
		f(arg, ts->heap[i].timer);
	unlock(&ts->mu);
}

static void timers_deleteMin(timers *ts);

// timer_updateHeap does to the heap what t's state asks for, and reports whether it changed
// anything.  t is heap[0] of its set; both are locked or the world is stopped.
bool
timer_updateHeap(timer *t) {
	timers *ts = t->ts;

	assertWorldStoppedOrLockHeld(&t->mu);
	if (ts == NULL || t != ts->heap[0].timer)
		badTimer();
	assertLockHeld(&ts->mu);
	if ((t->state & timerZombie) != 0) {
		t->state &= (uint8_t) ~(timerHeaped | timerZombie | timerModified);
		atomic_Xadd(&ts->zombies, -1);
		timers_deleteMin(ts);
		return true;
	}
	if ((t->state & timerModified) != 0) {
		t->state &= (uint8_t)~timerModified;
		ts->heap[0].when = t->when;
		timers_siftDown(ts, 0);
		timers_updateMinWhenHeap(ts);
		return true;
	}
	return false;
}

// ---- sleep, timers of the user --------------------------------------------------------------------

// timeSleep blocks the goroutine for at least ns nanoseconds.
void
timeSleep(int64_t ns) {
	G *gp = getg();
	timer *t;
	int64_t when;

	if (ns <= 0)
		return;
	t = gp->timer;
	if (t == NULL) {
		// PORT: off the heap, and the G's for ever; a dead G that is used again has one.
		t = persistentalloc(sizeof(timer), PtrSize, &memstats.other_sys);
		timer_init(t, goroutineReady, gp);
		gp->timer = t;
	}
	when = (int64_t)((uint64_t)nanotime() + (uint64_t)ns);
	if (when < 0)
		when = maxWhen;
	gp->sleepWhen = when;
	gopark(resetForSleep, NULL, waitReasonSleep);
}

// resetForSleep starts the timer of a goroutine that has parked: started before, it could fire
// while the goroutine still runs.
bool
resetForSleep(G *gp, void *unused) {
	(void)unused;
	timer_reset(gp->timer, gp->sleepWhen, 0);
	return true;
}

// newTimer makes a timer and starts it.
timeTimer *
newTimer(int64_t when, int64_t period, timerFunc f, void *arg, hchan *c) {
	timeTimer *t = mallocgc(sizeof(timeTimer), &timeTimerType, true);

	timer_init(&t->timer, NULL, NULL);
	if (c != NULL) {
		lockInit(&t->timer.sendLock, lockRankTimerSend);
		t->timer.isChan = true;
		wbstore(&t->c, c);
		wbstore(&c->timer, &t->timer);
		if (c->dataqsiz == 0)
			throw("invalid timer channel: no capacity");
	}
	timer_modify(&t->timer, when, period, f, arg, 0);
	t->init = true;
	return t;
}

// stopTimer reports whether t was stopped before it ran.
bool
stopTimer(timeTimer *t) {
	return timer_stop(&t->timer);
}

// resetTimer starts t anew, and reports whether it was modified before it ran.
bool
resetTimer(timeTimer *t, int64_t when, int64_t period) {
	return timer_reset(&t->timer, when, period);
}

// goroutineReady is the timerFunc of sleep.
void
goroutineReady(void *arg, uintptr_t seq, int64_t delay) {
	(void)seq;
	(void)delay;
	goready(arg);
}

// ---- the heap, stop and modify --------------------------------------------------------------------

// timers_addHeap puts t into ts, where it belongs; timer_maybeAdd checks that.  ts->mu must be held or
// the world be stopped.
void
timers_addHeap(timers *ts, timer *t) {
	timerWhen *tw;

	assertWorldStoppedOrLockHeld(&ts->mu);
	// who waits for a timer waits in the poller
	if (atomic_Load(&netpollInited) == 0)
		netpollGenericInit();

	if (t->ts != NULL)
		throw("ts set in timer");
	t->ts = ts;
	if (ts->nheap == ts->capheap)
		timers_growHeap(ts);
	tw = &ts->heap[ts->nheap++];
	wbstore(&tw->timer, t);
	tw->when = t->when;
	timers_siftUp(ts, ts->nheap - 1);
	if (t == ts->heap[0].timer)
		timers_updateMinWhenHeap(ts);
}

struct unlockAndRun_args {
	timer *t;
	int64_t now;
};

static void
unlockAndRun_1(void *a) {
	struct unlockAndRun_args *args = a;

	timer_unlockAndRun(args->t, args->now);
}

// timer_maybeRunAsync runs a channel timer that is due but that nobody has looked at, so that a
// receive after the stop finds its value.  t is locked, before and after; only when async().
static void
timer_maybeRunAsync(timer *t) {
	assertLockHeld(&t->mu);
	if ((t->state & timerHeaped) == 0 && t->isChan && t->when > 0) {
		struct unlockAndRun_args args = {t, nanotime()};

		if (t->when <= args.now) {
			systemstack(unlockAndRun_1, &args); // resets t->when
			timer_lock(t);
		}
	}
}

// timer_stop marks t as stopped; the P whose heap it is in will take it out.  It reports whether t
// had not run yet.
bool
timer_stop(timer *t) {
	bool async_ = async();
	bool sync = !async_ && t->isChan;
	bool pending;

	if (sync)
		lock(&t->sendLock);
	timer_lock(t);
	if (async_)
		timer_maybeRunAsync(t);
	if ((t->state & timerHeaped) != 0) {
		t->state |= timerModified;
		if ((t->state & timerZombie) == 0) {
			t->state |= timerZombie;
			atomic_Xadd(&t->ts->zombies, 1);
		}
	}
	pending = t->when > 0;
	t->when = 0;

	if (sync) {
		// A send that is under way will see the new seq and not happen, so the timer has been
		// stopped after all.
		t->seq++;
		if (t->period == 0 && atomic_Load(&t->isSending) > 0)
			pending = true;
	}
	timer_unlock(t);
	if (sync) {
		unlock(&t->sendLock);
		if (timerchandrain(timer_hchan(t)))
			pending = true;
	}
	return pending;
}

// timers_deleteMin takes out entry 0.  ts->mu must be held.
static void
timers_deleteMin(timers *ts) {
	timer *t = ts->heap[0].timer;
	int32_t last = ts->nheap - 1;

	assertLockHeld(&ts->mu);
	if (t->ts != ts)
		throw("wrong timers");
	t->ts = NULL;
	if (last > 0) {
		wbstore(&ts->heap[0].timer, ts->heap[last].timer);
		ts->heap[0].when = ts->heap[last].when;
	}
	timers_dropLast(ts);
	if (last > 0)
		timers_siftDown(ts, 0);
	timers_updateMinWhenHeap(ts);
	if (last == 0)
		atomic_Store(&ts->minWhenModified, 0); // no timers, no modified ones
}

// timer_modify sets t to run at when (and each period), with new f, arg and seq unless f is NULL.
// It reports whether t was still going to run.
bool
timer_modify(timer *t, int64_t when, int64_t period, timerFunc f, void *arg, uintptr_t seq) {
	bool async_ = async();
	bool sync = !async_ && t->isChan;
	bool wake = false;
	bool pending, add_;
	int64_t oldPeriod;

	if (when <= 0)
		throw("timer when must be positive");
	if (period < 0)
		throw("timer period must be non-negative");

	if (sync)
		lock(&t->sendLock);
	timer_lock(t);
	if (async_)
		timer_maybeRunAsync(t);
	oldPeriod = t->period;
	t->period = period;
	if (f != NULL) {
		t->f = f;
		wbstore(&t->arg, arg);
		t->seq = seq;
	}

	pending = t->when > 0;
	t->when = when;
	if ((t->state & timerHeaped) != 0) {
		int64_t minWhen;

		t->state |= timerModified;
		if ((t->state & timerZombie) != 0) {
			// stopped but still in the heap: stays there
			atomic_Xadd(&t->ts->zombies, -1);
			t->state &= (uint8_t)~timerZombie;
		}
		// The heap entry follows later.  timers_adjust clears minWhenModified before it looks at
		// astate, so astate must tell before minWhenModified does.
		minWhen = atomic_Load(&t->ts->minWhenModified);
		if (minWhen == 0 || when < minWhen) {
			wake = true;
			atomic_Store(&t->astate, t->state);
			timers_updateMinWhenModified(t->ts, when);
		}
	}

	add_ = timer_needsAdd(t);

	if (sync) {
		// see timer_stop
		t->seq++;
		if (oldPeriod == 0 && atomic_Load(&t->isSending) > 0)
			pending = true;
	}
	timer_unlock(t);
	if (sync) {
		if (timerchandrain(timer_hchan(t)))
			pending = true;
		unlock(&t->sendLock);
	}

	if (add_)
		timer_maybeAdd(t);
	if (wake)
		wakeNetPoller(when);
	return pending;
}

// timer_needsAdd reports whether t ought to be in a heap and is not.  t must be locked.
bool
timer_needsAdd(timer *t) {
	assertLockHeld(&t->mu);
	return (t->state & timerHeaped) == 0 && t->when > 0 && (!t->isChan || t->blocked > 0);
}

// timer_maybeAdd adds t to the heap of this P if it still needs to be in one.  No lock of a timer or
// a set may be held: the set is locked before the timer.
void
timer_maybeAdd(timer *t) {
	// m.locks keeps us on this P: a P that goes idle must not get a timer unnoticed.
	M *mp = acquirem();
	timers *ts = &mp->p->timers;
	int64_t when = 0;
	bool wake = false;

	timers_lock(ts);
	timers_cleanHead(ts);
	timer_lock(t);
	if (timer_needsAdd(t)) {
		int64_t wakeTime;

		if (t->isFake)
			t->rand = cheaprand();
		t->state |= timerHeaped;
		when = t->when;
		wakeTime = timers_wakeTime(ts);
		wake = wakeTime == 0 || when < wakeTime;
		timers_addHeap(ts, t);
	}
	timer_unlock(t);
	timers_unlock(ts);
	releasem(mp);
	if (wake)
		wakeNetPoller(when);
}

// timer_reset starts t for another time and reports whether it was still going to run.
bool
timer_reset(timer *t, int64_t when, int64_t period) {
	return timer_modify(t, when, period, NULL, NULL, 0);
}

// timers_cleanHead deals with marked timers at both ends of the heap, which makes programs fast
// that start and stop many.  ts->mu must be held.
void
timers_cleanHead(timers *ts) {
	G *gp = getg();

	assertLockHeld(&ts->mu);
	for (;;) {
		int32_t n = ts->nheap;
		timer *t;
		bool updated;

		if (n == 0)
			return;
		// This can go on for long, and with a lock held nobody can preempt us.
		if (atomic_LoadRelaxed(&gp->preemptStop))
			return;

		// A zombie at the end goes without any sifting, and what deleteMin moves from the end to
		// the top is then more likely alive.
		t = ts->heap[n - 1].timer;
		if ((atomic_Load(&t->astate) & timerZombie) != 0) {
			timer_lock(t);
			if ((t->state & timerZombie) != 0) {
				t->state &= (uint8_t) ~(timerHeaped | timerZombie | timerModified);
				t->ts = NULL;
				atomic_Xadd(&ts->zombies, -1);
				timers_dropLast(ts);
			}
			timer_unlock(t);
			continue;
		}

		t = ts->heap[0].timer;
		if (t->ts != ts)
			throw("bad ts");
		if ((atomic_Load(&t->astate) & (timerModified | timerZombie)) == 0)
			return;

		timer_lock(t);
		updated = timer_updateHeap(t);
		timer_unlock(t);
		if (!updated)
			return;
	}
}

// timers_take moves what is in src, of a P that goes, to ts.  The world is stopped, so no locks:
// sched.lock, which is held, comes after them.
void
timers_take(timers *ts, timers *src) {
	assertWorldStopped();
	if (src->nheap > 0) {
		for (int32_t i = 0; i < src->nheap; i++) {
			timer *t = src->heap[i].timer;

			t->ts = NULL;
			if ((t->state & timerZombie) != 0) {
				t->state &= (uint8_t) ~(timerHeaped | timerZombie | timerModified);
				wbstore(&src->heap[i].timer, NULL);
			} else {
				t->state &= (uint8_t)~timerModified;
				timers_addHeap(ts, t);
			}
		}
		atomic_Store(&src->zombies, 0);
		atomic_Store(&src->minWhenHeap, 0);
		atomic_Store(&src->minWhenModified, 0);
		atomic_Store(&src->len, 0);
		atomic_Store(&ts->len, (uint32_t)ts->nheap);
	}
	timers_destroy(src);
}

// timers_adjust brings the whole heap up to date, if some timer may have been modified to run before
// now, or if force is set.  ts->mu must be held.
//
// Others call timers_wakeTime meanwhile and must not get a time that is too late, and others modify
// timers.  So first minWhenHeap takes over what minWhenModified says, then minWhenModified is
// cleared, then the timers are looked at, and then minWhenHeap gets its exact value.  A
// modification that comes after the clearing sets minWhenModified anew; one before it has set
// timerModified in astate already, and the loop will see that.
void
timers_adjust(timers *ts, int64_t now, bool force) {
	bool changed = false;

	assertLockHeld(&ts->mu);
	if (!force) {
		int64_t first = atomic_Load(&ts->minWhenModified);

		if (first == 0 || first > now) {
#ifdef GORT_DEBUG
			timers_verify(ts);
#endif
			return;
		}
	}

	atomic_Store(&ts->minWhenHeap, timers_wakeTime(ts));
	atomic_Store(&ts->minWhenModified, 0);

	for (int32_t i = 0; i < ts->nheap; i++) {
		timerWhen *tw = &ts->heap[i];
		timer *t = tw->timer;

		if (t->ts != ts)
			throw("bad ts");
		if ((atomic_Load(&t->astate) & (timerModified | timerZombie)) == 0)
			continue;

		timer_lock(t);
		if ((t->state & timerHeaped) == 0) {
			badTimer();
		} else if ((t->state & timerZombie) != 0) {
			atomic_Xadd(&ts->zombies, -1);
			t->state &= (uint8_t) ~(timerHeaped | timerZombie | timerModified);
			wbstore(&tw->timer, ts->heap[ts->nheap - 1].timer);
			tw->when = ts->heap[ts->nheap - 1].when;
			timers_dropLast(ts);
			t->ts = NULL;
			i--;
			changed = true;
		} else if ((t->state & timerModified) != 0) {
			tw->when = t->when;
			t->state &= (uint8_t)~timerModified;
			changed = true;
		}
		timer_unlock(t);
	}

	if (changed)
		timers_initHeap(ts);
	timers_updateMinWhenHeap(ts);
#ifdef GORT_DEBUG
	timers_verify(ts);
#endif
}

// timers_tooManyZombies reports whether ts is of this P and more than a quarter of it is stopped.
static inline bool
timers_tooManyZombies(timers *ts, int32_t zombies) {
	P *pp = getg()->m->p;

	return pp != NULL && ts == &pp->timers && zombies > (int32_t)atomic_Load(&ts->len) / 4;
}

// timers_check runs the timers that are due.  It takes and returns the time, to spare calls of
// nanotime.
int64_t
timers_check(timers *ts, int64_t now, int64_t *pollUntil, bool *ran) {
	int64_t next = timers_wakeTime(ts);
	int32_t zombies;

	*pollUntil = 0;
	*ran = false;
	if (next == 0)
		return now;
	if (now == 0)
		now = nanotime();

	// Zombies are cleared out of the own heap only: less contention.
	zombies = atomic_Load(&ts->zombies);
	if (zombies < 0)
		badTimer();
	if (now < next && !timers_tooManyZombies(ts, zombies)) {
		*pollUntil = next;
		return now;
	}

	timers_lock(ts);
	if (ts->nheap > 0) {
		timers_adjust(ts, now, false);
		while (ts->nheap > 0) {
			int64_t tw = timers_run(ts, now); // may unlock ts for a while

			if (tw != 0) {
				if (tw > 0)
					*pollUntil = tw;
				break;
			}
			*ran = true;
		}
		// after the run rather than before it: faster when many modify timers
		if (timers_tooManyZombies(ts, atomic_Load(&ts->zombies)))
			timers_adjust(ts, now, true);
	}
	timers_unlock(ts);
	return now;
}

// timers_checkOwn is timers_check of the timers of this P, the first of which is due at next, from 0;
// the time stamp counter has just been at tsc.
//
// PORT: to read the clock takes about as long as to switch goroutines, and each switch would do it while
// there is any timer.  So nobody looks again for as long as the time stamp counter says that the last
// look was just now: quietTicks, which pass within quietTime at any rate above 500 MHz.  Should the
// counter stop, a timer is late by those ticks, no more.
int64_t
timers_checkOwn(timers *ts, int64_t next, uint64_t tsc, int64_t *pollUntil) {
	enum { quietTicks = 20000, quietTime = 40000 };

	if (next >= ts->quiet.until && tsc - ts->quiet.tsc < quietTicks &&
		atomic_Load(&ts->zombies) == 0) {
		*pollUntil = next;
		return 0;
	}

	bool ran;
	int64_t now = timers_check(ts, 0, pollUntil, &ran);
	ts->quiet.tsc = tsc;
	ts->quiet.until = now + quietTime;
	return now;
}

// timers_run runs the first timer if it is due at now: 0.  Otherwise -1 if there is none, or when it
// is due.  ts->mu must be held; it is dropped while the timer's function runs.  On g0.
int64_t
timers_run(timers *ts, int64_t now) {
	timer *t;
	timerWhen tw;

	assertLockHeld(&ts->mu);
redo:
	if (ts->nheap == 0)
		return -1;
	tw = ts->heap[0];
	t = tw.timer;
	if (t->ts != ts)
		throw("bad ts");

	if ((atomic_Load(&t->astate) & (timerModified | timerZombie)) == 0 && tw.when > now)
		return tw.when;

	timer_lock(t);
	if (timer_updateHeap(t)) {
		timer_unlock(t);
		goto redo;
	}
	if ((t->state & timerHeaped) == 0 || (t->state & timerModified) != 0)
		badTimer();
	if (t->when > now) {
		int64_t when = t->when;

		timer_unlock(t);
		return when;
	}

	timer_unlockAndRun(t, now);
	assertLockHeld(&ts->mu);
	return 0;
}

// timer_unlockAndRun runs t, which must be locked, and so must its set, if any.  It returns with t
// unlocked and the set locked again; both are unlocked while t's function runs.  On g0.
void
timer_unlockAndRun(timer *t, int64_t now) {
	timerFunc f = t->f;
	void *arg = t->arg;
	uintptr_t seq = t->seq;
	int64_t delay = now - t->when;
	int64_t next = 0;
	timers *ts = t->ts;
	bool sync = t->isChan && !async();

	assertLockHeld(&t->mu);
	if (ts != NULL)
		assertLockHeld(&ts->mu);
	if ((t->state & (timerModified | timerZombie)) != 0)
		badTimer();

	if (t->period > 0) {
		// stays in the heap, for the next period that is not over yet
		next = (int64_t)((uint64_t)t->when +
				 (uint64_t)t->period * (uint64_t)(1 + delay / t->period));
		if (next < 0)
			next = maxWhen;
	}
	t->when = next;
	if ((t->state & timerHeaped) != 0) {
		t->state |= timerModified;
		if (next == 0) {
			t->state |= timerZombie;
			atomic_Xadd(&ts->zombies, 1);
		}
		timer_updateHeap(t);
	}

	if (sync && t->period == 0) {
		// stop and modify want to know that a value is on its way
		if (atomic_Xadd(&t->isSending, 1) < 0)
			throw("too many concurrent timer firings");
	}
	timer_unlock(t);
	if (ts != NULL)
		timers_unlock(ts);

	if (sync) {
		// t->mu cannot be held over a send (the channel's lock comes before it), so t may be
		// stopped or modified between here and the unlock above.  Both change seq under
		// sendLock; then the value is not to be sent.
		lock(&t->sendLock);
		if (t->period == 0) {
			if (atomic_Xadd(&t->isSending, -1) < 0)
				throw("mismatched isSending updates");
		}
		if (t->seq == seq)
			f(arg, seq, delay);
		unlock(&t->sendLock);
	} else {
		f(arg, seq, delay);
	}

	if (ts != NULL)
		timers_lock(ts);
}

// timers_verify throws unless the heap is one.  ts->mu must be held.
void
timers_verify(timers *ts) {
	assertLockHeld(&ts->mu);
	for (int32_t i = 1; i < ts->nheap; i++) {
		int32_t p = (i - 1) / timerHeapN;

		if (timerWhen_less(ts->heap[i], ts->heap[p])) {
			print("bad timer heap at %d: %d: %ld, %d: %ld\n", i, p, ts->heap[p].when, i,
				ts->heap[i].when);
			throw("bad timer heap");
		}
	}
}

// timers_updateMinWhenHeap publishes the time of the first entry.  ts->mu must be held or the world
// be stopped.
void
timers_updateMinWhenHeap(timers *ts) {
	assertWorldStoppedOrLockHeld(&ts->mu);
	atomic_Store(&ts->minWhenHeap, ts->nheap == 0 ? 0 : ts->heap[0].when);
}

// timers_updateMinWhenModified lowers minWhenModified to when.  ts need not be locked.
void
timers_updateMinWhenModified(timers *ts, int64_t when) {
	for (;;) {
		int64_t old = atomic_Load(&ts->minWhenModified);

		if (old != 0 && old < when)
			return;
		if (atomic_Cas(&ts->minWhenModified, old, when))
			return;
	}
}

// timeSleepUntil is when the next timer of any P is due, or maxWhen.  For sysmon and checkdead.
int64_t
timeSleepUntil(void) {
	int64_t next = maxWhen;

	lock(&allpLock); // as in retake
	for (int32_t i = 0; i < nallp; i++) {
		P *pp = atomic_LoadAcq(&allp[i]);
		int64_t w;

		if (pp == NULL)
			continue; // procresize has not made it yet
		w = timers_wakeTime(&pp->timers);
		if (w != 0)
			next = min(next, w);
	}
	unlock(&allpLock);
	return next;
}

// timers_siftUp moves entry i up to its place.
void
timers_siftUp(timers *ts, int32_t i) {
	timerWhen *heap = ts->heap;
	timerWhen tw;

	if (i >= ts->nheap)
		badTimer();
	tw = heap[i];
	if (tw.when <= 0)
		badTimer();
	while (i > 0) {
		int32_t p = (i - 1) / timerHeapN;

		if (!timerWhen_less(tw, heap[p]))
			break;
		heap[i] = heap[p];
		i = p;
	}
	heap[i] = tw;
}

// timers_siftDown moves entry i down to its place.
void
timers_siftDown(timers *ts, int32_t i) {
	timerWhen *heap = ts->heap;
	int32_t n = ts->nheap;
	timerWhen tw;

	if (i >= n)
		badTimer();
	if (i * timerHeapN + 1 >= n)
		return;
	tw = heap[i];
	if (tw.when <= 0)
		badTimer();
	for (;;) {
		int32_t leftChild = i * timerHeapN + 1;
		int32_t end, c = -1;
		timerWhen w = tw;

		if (leftChild >= n)
			break;
		end = min(leftChild + timerHeapN, n);
		for (int32_t j = leftChild; j < end; j++) {
			if (timerWhen_less(heap[j], w)) {
				w = heap[j];
				c = j;
			}
		}
		if (c < 0)
			break;
		heap[i] = w;
		i = c;
	}
	heap[i] = tw;
}

// timers_initHeap makes a heap out of whatever order, in linear time.
void
timers_initHeap(timers *ts) {
	if (ts->nheap <= 1)
		return;
	// the parent of the last entry is the last that can have to move down
	for (int32_t i = (ts->nheap - 2) / timerHeapN; i >= 0; i--)
		timers_siftDown(ts, i);
}

// badTimer reports that the program raced on a timer, before that becomes a wild write.
_Noreturn void
badTimer(void) {
	throw("timer data corruption");
}

// ---- timer channels -----------------------------------------------------------------------------

// timer_maybeRunChan sends to t's channel if t is due and no heap takes care of it.  t must not be
// locked.
void
timer_maybeRunChan(timer *t, hchan *c) {
	struct unlockAndRun_args args;

	(void)c;
	if ((atomic_Load(&t->astate) & timerHeaped) != 0)
		return;

	timer_lock(t);
	args.t = t;
	args.now = nanotime();
	if ((t->state & timerHeaped) != 0 || t->when == 0 || t->when > args.now) {
		timer_unlock(t);
		return;
	}
	systemstack(unlockAndRun_1, &args);
}

// blockTimerChan is called by who is going to block on the timer channel c: its timer must now be in
// a heap.  c->lock is held, perhaps those of other channels too.
void
blockTimerChan(hchan *c) {
	timer *t = c->timer;
	bool add_;

	timer_lock(t);
	if (!t->isChan)
		badTimer();
	t->blocked++;

	// If the last one to block left just now, the timer may still be in the heap, as a zombie.
	if ((t->state & timerHeaped) != 0 && (t->state & timerZombie) != 0 && t->when > 0) {
		t->state &= (uint8_t)~timerZombie;
		atomic_Xadd(&t->ts->zombies, -1);
	}
	add_ = timer_needsAdd(t);
	timer_unlock(t);
	if (add_)
		timer_maybeAdd(t);
}

// unblockTimerChan undoes blockTimerChan: when nobody is blocked any more the timer leaves the heap,
// but keeps its time.
void
unblockTimerChan(hchan *c) {
	timer *t = c->timer;

	timer_lock(t);
	if (!t->isChan || t->blocked == 0)
		badTimer();
	t->blocked--;
	if (t->blocked == 0 && (t->state & timerHeaped) != 0 && (t->state & timerZombie) == 0) {
		t->state |= timerZombie;
		atomic_Xadd(&t->ts->zombies, 1);
	}
	timer_unlock(t);
}

// ---- time/sleep.go --------------------------------------------------------------------------------

int64_t
timerWhenAfter(int64_t d) {
	int64_t now = nanotime();
	int64_t t;

	if (d <= 0)
		return now;
	t = (int64_t)((uint64_t)now + (uint64_t)d);
	return t < 0 ? maxWhen : t;
}

// sendTime sends the time at which the timer should have fired; it may be late because nobody looked.
// The channel has room for one: if that is taken the reader is behind and the tick is dropped.
void
sendTime(void *arg, uintptr_t seq, int64_t delay) {
	int64_t now = nanotime() - delay;

	(void)seq;
	selectnbsend(arg, &now);
}

// ---- gort.h ---------------------------------------------------------------------------------------

// afterTimer is a gort_timer: what f gets is part of the object.
typedef struct afterTimer {
	timeTimer t; // t.timer.arg is the afterTimer itself
	void (*f)(void *);
	void *arg;
} afterTimer;

static const uint64_t afterTimerPtrs =
	PTRBIT(afterTimer, t.c) | PTRBIT(afterTimer, t.timer.arg) | PTRBIT(afterTimer, arg);
static const gort_type afterTimerType = {sizeof(afterTimer), offsetof(afterTimer, arg) + PtrSize,
	(const uint8_t *)&afterTimerPtrs, "time.Timer"};

// goFunc is the timerFunc of AfterFunc: f(arg) in a goroutine of its own.
static void
goFunc(void *arg, uintptr_t seq, int64_t delay) {
	afterTimer *t = arg;
	gort_call call = {.fn = (void *)(uintptr_t)t->f, .gpr = {(uint64_t)(uintptr_t)t->arg}};

	(void)seq;
	(void)delay;
	newproc_call(&call, 0, (uintptr_t)t->f);
}

gort_timer *
gort_after_func(int64_t ns, void (*f)(void *), void *arg) {
	afterTimer *t = mallocgc(sizeof(afterTimer), &afterTimerType, true);

	t->f = f;
	wbstore(&t->arg, arg);
	timer_init(&t->t.timer, NULL, NULL);
	timer_modify(&t->t.timer, timerWhenAfter(ns), 0, goFunc, t, 0);
	t->t.init = true;
	return (gort_timer *)(void *)t;
}

bool
gort_timer_stop(gort_timer *t) {
	return stopTimer(&((afterTimer *)(void *)t)->t);
}

bool
gort_timer_reset(gort_timer *t, int64_t ns) {
	return resetTimer(&((afterTimer *)(void *)t)->t, timerWhenAfter(ns), 0);
}

static const gort_type tickType = {sizeof(int64_t), 0, NULL, "int64"};

// A gort_ticker is a timeTimer.
gort_ticker *
gort_new_ticker(int64_t ns) {
	needg();
	if (ns <= 0)
		gopanic("non-positive interval for NewTicker");
	hchan *c = maketimerchan(&tickType, 1);
	return (gort_ticker *)(void *)newTimer(timerWhenAfter(ns), ns, sendTime, c, c);
}

gort_hchan *
gort_ticker_hchan(gort_ticker *t) {
	return ((timeTimer *)(void *)t)->c;
}

void
gort_ticker_stop(gort_ticker *t) {
	stopTimer((timeTimer *)(void *)t);
}

void
gort_ticker_reset(gort_ticker *t, int64_t ns) {
	if (ns <= 0)
		gopanic("non-positive interval for Ticker.Reset");
	resetTimer((timeTimer *)(void *)t, timerWhenAfter(ns), ns);
}

void
gort_sleep(int64_t ns) {
	needg();
	timeSleep(ns);
}

int64_t
gort_now(void) {
	return nanotime();
}
