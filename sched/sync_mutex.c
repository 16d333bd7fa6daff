// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Mutex.  Ports internal/sync/mutex.go of Go 1.26.8.
//
// In normal mode a goroutine that is woken has to compete with those that come by, and mostly
// loses, as they are on a CPU already; that is fast, and a waiter that lost goes to the front of the
// queue.  When one has waited for more than 1 ms it turns the mutex to starving mode, in which the
// unlocker hands it to the first waiter and newcomers queue.  The waiter that gets it turns it back
// to normal if it is the last or has waited for less than 1 ms.
#include "sched/sync_mutex.h"

#include "sched/preempt.h"
#include "sched/proc.h"
#include "sched/runtime2.h"

// Mutex_TryLock takes the lock if it is free and nobody has a right to it.
bool
Mutex_TryLock(Mutex *m) {
	int32_t old = atomic_Load(&m->state);

	if ((old & (mutexLocked | mutexStarving)) != 0)
		return false;
	// There may be waiters, but we are running now.
	return atomic_Cas(&m->state, old, old | mutexLocked);
}

// Mutex_lockSlow is Lock when the lock is held or has waiters.
NOINLINE void
Mutex_lockSlow(Mutex *m) {
	int64_t waitStartTime = 0;
	bool starving = false;
	bool awoke = false;
	int iter = 0;
	int32_t old;

	preemptcheck();
	old = atomic_Load(&m->state);
	for (;;) {
		int32_t new_ = old;
		bool queueLifo;

		// A starving mutex is handed to a waiter: no use in spinning.
		if ((old & (mutexLocked | mutexStarving)) == mutexLocked &&
			sync_runtime_canSpin(iter)) {
			// Say that somebody is awake, so that Unlock does not wake another.
			if (!awoke && (old & mutexWoken) == 0 && old >> mutexWaiterShift != 0 &&
				atomic_Cas(&m->state, old, old | mutexWoken))
				awoke = true;
			sync_runtime_doSpin();
			iter++;
			old = atomic_Load(&m->state);
			continue;
		}
		if ((old & mutexStarving) == 0)
			new_ |= mutexLocked;
		if ((old & (mutexLocked | mutexStarving)) != 0)
			new_ += 1 << mutexWaiterShift;
		// Not if it is unlocked: Unlock expects that a starving mutex has waiters.
		if (starving && (old & mutexLocked) != 0)
			new_ |= mutexStarving;
		if (awoke) {
			if ((new_ & mutexWoken) == 0)
				throw("sync: inconsistent mutex state");
			new_ &= ~mutexWoken;
		}
		if (!atomic_Cas(&m->state, old, new_)) {
			old = atomic_Load(&m->state);
			continue;
		}
		if ((old & (mutexLocked | mutexStarving)) == 0)
			break; // got it

		queueLifo = waitStartTime != 0;
		if (waitStartTime == 0)
			waitStartTime = nanotime();
		internal_sync_runtime_SemacquireMutex(&m->sema, queueLifo);
		starving = starving || nanotime() - waitStartTime > starvationThresholdNs;
		old = atomic_Load(&m->state);
		if ((old & mutexStarving) != 0) {
			int32_t delta = mutexLocked - (1 << mutexWaiterShift);

			// It is ours, though mutexLocked is not set and we still count as waiting.
			if ((old & (mutexLocked | mutexWoken)) != 0 || old >> mutexWaiterShift == 0)
				throw("sync: inconsistent mutex state");
			// Two goroutines could go on in lock-step for ever if nobody ended this mode.
			if (!starving || old >> mutexWaiterShift == 1)
				delta -= mutexStarving;
			atomic_Xadd(&m->state, delta);
			break;
		}
		awoke = true;
		iter = 0;
	}
}

// Mutex_unlockSlow is Unlock when something besides the lock bit was set; new_ is what is left.
NOINLINE void
Mutex_unlockSlow(Mutex *m, int32_t new_) {
	int32_t old = new_;

	if (((new_ + mutexLocked) & mutexLocked) == 0)
		fatal("sync: unlock of unlocked mutex");
	if ((new_ & mutexStarving) != 0) {
		// To the first waiter, who sets mutexLocked himself; until then mutexStarving keeps
		// others away.  It runs at once.
		internal_sync_runtime_Semrelease(&m->sema, true);
		return;
	}
	for (;;) {
		// Nobody waits, or somebody is awake or has taken the lock.
		if (old >> mutexWaiterShift == 0 ||
			(old & (mutexLocked | mutexWoken | mutexStarving)) != 0)
			return;
		new_ = (old - (1 << mutexWaiterShift)) | mutexWoken;
		if (atomic_Cas(&m->state, old, new_)) {
			internal_sync_runtime_Semrelease(&m->sema, false);
			return;
		}
		old = atomic_Load(&m->state);
	}
}

// ---- gort.h ---------------------------------------------------------------------------------------

_Static_assert(
	sizeof(gort_mutex) == sizeof(Mutex) && offsetof(gort_mutex, sema) == offsetof(Mutex, sema),
	"gort_mutex is Mutex");

void
gort_mutex_lock(gort_mutex *m) {
	Mutex_Lock((Mutex *)m);
}

bool
gort_mutex_trylock(gort_mutex *m) {
	return Mutex_TryLock((Mutex *)m);
}

void
gort_mutex_unlock(gort_mutex *m) {
	Mutex_Unlock((Mutex *)m);
}
