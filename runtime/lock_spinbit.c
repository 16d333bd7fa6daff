// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Mutexes between Ms.  Ports lock_spinbit.go of Go 1.26.8.
//
// The word of a mutex:
//
//	bit 0      mutexLocked
//	bit 1      mutexSleeping: hint that Ms are in the list below
//	bits 2-7   unused
//	bit 8      mutexSpinning: a waiting M has leave to spin
//	bit 9      mutexStackLocked: an unlocking M has leave to take Ms off the list
//	bits 10-   the M that went to sleep last; the others follow by mWaitList.next
//
// Lock and unlock without contention are one swap each of the low byte, which leaves the upper bits
// alone.  At most one waiter spins, the others sleep, so that the cache line is left to the owner.
// The list is last-in first-out, therefore now and then (antiStarve) the M at its far end is woken,
// which then may spin too.
//
// The sleeping M waits on its own futex (semasleep), not on the mutex: woken is exactly whom the
// unlocking M took off the list.
//
// PORT: Go keeps a pointer that lacks its low 10 bits, which wants Ms aligned; here it is shifted
// left by 10, for user addresses have 47 bits.  Contention is not sampled into a profile
// (mutexprofilerate), but lock2 measures what /sync/mutex/wait/total needs.
#include "runtime/os_linux.h"
#include "sched/proc.h"
#include "sched/runtime2.h"
#include "sched/stack.h"

enum {
	mutexLocked = 0x001,
	mutexSleeping = 0x002,
	mutexSpinning = 0x100,
	mutexStackLocked = 0x200,
	mutexMMask = 0x3FF,
	mutexMShift = 10,

	mutexActiveSpinCount = 4,
	mutexActiveSpinSize = 30,
	mutexPassiveSpinCount = 1,

	mutexTailWakePeriod = 16,

	lockTrackingPeriod = 8, // one wait of so many is timed (gTrackingPeriod)
};

void lock2(mutex *l);
void unlock2(mutex *l);

static inline uint8_t *
key8(uintptr_t *p) {
	return (uint8_t *)p; // little-endian
}

static inline M *
mutexWaitListHead(uintptr_t v) {
	return (M *)(v >> mutexMShift);
}

static inline uintptr_t
mutexM(M *mp) {
	return (uintptr_t)mp << mutexMShift;
}

// mutexPreferLowLatency: sched.lock is held briefly and passed on often, so all its waiters may spin.
static bool
mutexPreferLowLatency(mutex *l) {
	return l == &sched.lock;
}

// semasleep waits on the semaphore of this M, ns nanoseconds at most (< 0: without end).  0: got
// it; -1: interrupted or too late.
static int32_t
semasleep(int64_t ns) {
	M *mp = getg()->m;
	for (uint32_t v = atomic_Xadd(&mp->waitsema, (uint32_t)-1);;
		v = atomic_Load(&mp->waitsema)) {
		if ((int32_t)v >= 0)
			return 0;
		futexsleep(&mp->waitsema, v, ns);
		if (ns >= 0)
			return (int32_t)v >= 0 ? 0 : -1;
	}
}

static void
semawakeup(M *mp) {
	uint32_t v = atomic_Xadd(&mp->waitsema, 1);
	if (v == 0)
		futexwakeup(&mp->waitsema, 1);
}

// lock2_wait waits until l is ours.
static COLD void
lock2_wait(mutex *l, G *gp) {
	uint8_t *k8 = key8(&l->key);
	int64_t startTime = 0;
	// With one CPU there is no point in spinning.
	int spin = numCPUStartup > 1 ? mutexActiveSpinCount : 0;

	bool weSpin = false;
	bool atTail = false;
	bool haveTimers = false;
	uintptr_t v = atomic_Load(&l->key);
	for (int i = 0;; i++) {
		if ((v & mutexLocked) == 0) {
			bool got;
			if (weSpin) {
				uintptr_t next = (v & ~(uintptr_t)mutexSpinning) | mutexSleeping |
						 mutexLocked;
				// The swap of a fast path may have cleared mutexSleeping: put it
				// right while we are here.
				if ((next & ~(uintptr_t)mutexMMask) == 0)
					next &= ~(uintptr_t)mutexSleeping;
				got = atomic_Cas(&l->key, v, next);
			} else {
				uint8_t prev8 = atomic_Xchg(k8, mutexLocked | mutexSleeping);
				got = (prev8 & mutexLocked) == 0;
			}
			if (got) {
				if (startTime != 0) {
					atomic_Xadd(&sched.totalRuntimeLockWaitTime,
						(nanotime() - startTime) * lockTrackingPeriod);
				}
				return;
			}
			v = atomic_Load(&l->key);
			continue;
		}

		if (!weSpin && (v & mutexSpinning) == 0 &&
			atomic_Cas(&l->key, v, v | mutexSpinning)) {
			v |= mutexSpinning;
			weSpin = true;
		}

		if (weSpin || atTail || mutexPreferLowLatency(l)) {
			if (i < spin) {
				procyield(mutexActiveSpinSize);
				v = atomic_Load(&l->key);
				continue;
			} else if (i < spin + mutexPassiveSpinCount) {
				osyield();
				v = atomic_Load(&l->key);
				continue;
			}
		}

		if ((v & mutexLocked) == 0)
			throw("runtime\302\267lock: sleeping while lock is available");

		if (!haveTimers) {
			gp->m->mWaitList.startTicks = cputicks();
			if (cheaprandn(lockTrackingPeriod) == 0)
				startTime = nanotime();
			haveTimers = true;
		}
		// Push this M onto the list; if we spun, we do no more.
		gp->m->mWaitList.next = mutexWaitListHead(v);
		uintptr_t next = mutexM(gp->m) | (v & mutexMMask) | mutexSleeping;
		if (weSpin)
			next &= ~(uintptr_t)mutexSpinning;

		if (atomic_Cas(&l->key, v, next)) {
			weSpin = false;
			semasleep(-1);
			atTail = gp->m->mWaitList.next == NULL; // we were starving
			i = 0;
		}

		gp->m->mWaitList.next = NULL;
		v = atomic_Load(&l->key);
	}
}

// lock2 is lock without ranks.
void
lock2(mutex *l) {
	G *gp = getg();
	if (unlikely(gp->m->locks < 0))
		throw("runtime\302\267lock: lock count");
	gp->m->locks++;

	uint8_t *k8 = key8(&l->key);
	uint8_t v8 = atomic_Xchg(k8, mutexLocked);
	if (likely((v8 & mutexLocked) == 0)) {
		if (unlikely((v8 & mutexSleeping) != 0))
			atomic_Or(k8, mutexSleeping);
		return;
	}
	lock2_wait(l, gp);
}

// unlock2Wake wakes one of the Ms that wait for l if that is needed.
static COLD void
unlock2Wake(mutex *l) {
	uintptr_t v = atomic_Load(&l->key);
	bool antiStarve = cheaprandn(mutexTailWakePeriod) == 0;

	// A spinning M takes the lock by itself.
	if (!(antiStarve || (v & mutexSpinning) == 0 || mutexPreferLowLatency(l)))
		return;

	for (;;) {
		// If the list is locked, its owner decides as we would.
		if ((v & ~(uintptr_t)mutexMMask) == 0 || (v & mutexStackLocked) != 0)
			return;
		if (atomic_Cas(&l->key, v, v | mutexStackLocked)) {
			v |= mutexStackLocked;
			break;
		}
		v = atomic_Load(&l->key);
	}

	// We own mutexStackLocked: others may push, but nobody else takes off or changes what is in
	// the list.
	M *committed = NULL; // taken out of the middle of the list: must be woken
	for (;;) {
		uintptr_t headM = v & ~(uintptr_t)mutexMMask;
		uintptr_t flags = v & (mutexMMask & ~mutexStackLocked);

		M *mp = mutexWaitListHead(v);
		M *wakem = committed;
		if (committed == NULL) {
			if ((v & mutexSpinning) == 0 || mutexPreferLowLatency(l))
				wakem = mp;
			if (antiStarve) {
				wakem = mp;
				M *prev = mp;
				for (;;) {
					M *next = wakem->mWaitList.next;
					if (next == NULL)
						break;
					prev = wakem;
					wakem = next;
				}
				if (wakem != mp) {
					committed = wakem;
					prev->mWaitList.next = wakem->mWaitList.next;
					prev->mWaitList.startTicks = wakem->mWaitList.startTicks;
				}
			}
		}

		if (wakem == mp)
			headM = mutexM(mp->mWaitList.next);

		if (atomic_Cas(&l->key, v, headM | flags)) {
			if (wakem != NULL)
				semawakeup(wakem);
			return;
		}
		v = atomic_Load(&l->key);
	}
}

// unlock2 is unlock without ranks.  The M may be without a P.
void
unlock2(mutex *l) {
	G *gp = getg();

	uint8_t prev8 = atomic_Xchg(key8(&l->key), 0);
	if (unlikely((prev8 & mutexLocked) == 0))
		throw("unlock of unlocked lock");
	if (unlikely((prev8 & mutexSleeping) != 0))
		unlock2Wake(l);

	gp->m->locks--;
	if (unlikely(gp->m->locks < 0))
		throw("runtime\302\267unlock: lock count");
	// In case it was cleared meanwhile.
	if (unlikely(gp->m->locks == 0 && atomic_LoadRelaxed(&gp->preempt)))
		atomic_StoreRelaxed(&gp->stackguard0, stackPreempt);
}

#ifndef GORT_LOCKRANK
void
lock(mutex *l) {
	lock2(l);
}

void
unlock(mutex *l) {
	unlock2(l);
}
#endif
