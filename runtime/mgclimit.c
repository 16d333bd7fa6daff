// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The GC CPU limiter.  Ports mgclimit.go of Go 1.26.8.
//
// With a heap close to its memory limit, the pacer would collect without end and the program would
// stand still.  The limiter bounds that: GC time fills a bucket, mutator time drains it, and when
// it is full assists stop, which lets the heap grow instead.  Both count with weight one, so the
// bound is half of the CPU; the capacity of one second per P forgives short peaks.  The bucket
// never goes below empty: a day of idling earns no credit for a death spiral afterwards.
//
// Time comes in by two ways: pools, to which finished events add, and the event in flight on each
// P, whose time so far is taken at each update, so that nothing is charged to a later window.
#include "runtime/mgclimit.h"

#include "runtime/mgcpacer.h"
#include "runtime/mstats.h"
#include "sched/runtime2.h"

static void updateLocked(gcCPULimiterState *l, int64_t now);
static void accumulate(gcCPULimiterState *l, int64_t mutatorTime, int64_t gcTime);
static bool tryLock(gcCPULimiterState *l);
static void unlockLimiter(gcCPULimiterState *l);

gcCPULimiterState gcCPULimiter;

// limiting reports whether assists are called off.
bool
gcCPULimiterState_limiting(gcCPULimiterState *l) {
	return atomic_Load(&l->enabled);
}

// startGCTransition says that marking begins (enableGC) or ends.  The limiter belongs to the
// caller until finishGCTransition.  The world is stopped.
void
gcCPULimiterState_startGCTransition(gcCPULimiterState *l, bool enableGC, int64_t now) {
	if (!tryLock(l)) {
		// Updaters hold the lock without a safe point in between: nobody can have it now.
		throw("failed to acquire lock to start a GC transition");
	}
	if (l->gcEnabled == enableGC) {
		throw("transitioning GC to the same state as before?");
	}
	updateLocked(l, now);
	l->gcEnabled = enableGC;
	l->transitioning = true;
	// Stays locked: a transition that is never finished shows up at the next one.
}

// finishGCTransition charges the pause to the GC and gives the limiter back.  now is the end of
// the pause.
void
gcCPULimiterState_finishGCTransition(gcCPULimiterState *l, int64_t now) {
	if (!l->transitioning) {
		throw("finishGCTransition called without starting one?");
	}
	// All Ps count, however few the GC used: nobody else could use the rest.
	int64_t lastUpdate = atomic_Load(&l->lastUpdate);
	if (now >= lastUpdate) {
		accumulate(l, 0, (now - lastUpdate) * (int64_t)l->nprocs);
	}
	atomic_Store(&l->lastUpdate, now);
	l->transitioning = false;
	unlockLimiter(l);
}

// needUpdate reports whether the last update is too long ago.
bool
gcCPULimiterState_needUpdate(gcCPULimiterState *l, int64_t now) {
	return now - atomic_Load(&l->lastUpdate) > gcCPULimiterUpdatePeriod;
}

// addAssistTime adds assist time to the pool for the next update.
void
gcCPULimiterState_addAssistTime(gcCPULimiterState *l, int64_t t) {
	atomic_Xadd(&l->assistTimePool, t);
}

// addIdleTime adds time of a P without work to the pool for the next update.
void
gcCPULimiterState_addIdleTime(gcCPULimiterState *l, int64_t t) {
	atomic_Xadd(&l->idleTimePool, t);
}

// update brings the bucket up to date.  If somebody else is at it, his next update will count
// what this one would have.
void
gcCPULimiterState_update(gcCPULimiterState *l, int64_t now) {
	if (!tryLock(l)) {
		return;
	}
	if (l->transitioning) {
		throw("update during transition");
	}
	updateLocked(l, now);
	unlockLimiter(l);
}

// updateLocked counts the window from the last update to now.  The limiter must be locked.
static void
updateLocked(gcCPULimiterState *l, int64_t now) {
	int64_t lastUpdate = atomic_Load(&l->lastUpdate);
	if (now < lastUpdate) {
		return; // a later update has been made already
	}
	int64_t windowTotalTime = (now - lastUpdate) * (int64_t)l->nprocs;
	atomic_Store(&l->lastUpdate, now);

	// Drain the pools.
	int64_t assistTime = atomic_Load(&l->assistTimePool);
	if (assistTime != 0) {
		atomic_Xadd(&l->assistTimePool, -assistTime);
	}
	int64_t idleTime = atomic_Load(&l->idleTimePool);
	if (idleTime != 0) {
		atomic_Xadd(&l->idleTimePool, -idleTime);
	}

	if (!l->test) {
		// Take what the events in flight have used so far.  allp cannot change meanwhile.
		M *mp = acquirem();
		for (int32_t i = 0; i < nallp; i++) {
			int64_t duration;
			switch (limiterEvent_consume(&allp[i]->limiterEvent, now, &duration)) {
			case limiterEventIdle:
				atomic_Xadd(&sched.idleTime, duration);
				idleTime += duration;
				break;
			case limiterEventIdleMarkWork:
				idleTime += duration;
				break;
			case limiterEventMarkAssist:
			case limiterEventScavengeAssist:
				assistTime += duration;
				break;
			case limiterEventNone:
				break;
			default:
				throw("invalid limiter event type found");
			}
		}
		releasem(mp);
	}

	int64_t windowGCTime = assistTime;
	if (l->gcEnabled) {
		windowGCTime += (int64_t)((double)windowTotalTime * gcBackgroundUtilization);
	}

	// Idle time, idle mark workers' included, comes off the total after the background share has
	// been taken of it: workers get a quarter of all Ps.  If it counted for the mutator, a
	// thrashing GC on a machine with many idle cores would never be limited.  The price is that
	// the limiter may go on when the program uses few Ps, where assists are not needed anyway.
	windowTotalTime -= idleTime;

	accumulate(l, windowTotalTime - windowGCTime, windowGCTime);
}

// accumulate moves the bucket's level and switches the limit.  The limiter must be locked.
static void
accumulate(gcCPULimiterState *l, int64_t mutatorTime, int64_t gcTime) {
	uint64_t headroom = l->bucket.capacity - l->bucket.fill;
	bool enabled = headroom == 0;

	// l->enabled is read by every assist: write it only when it changes.
	int64_t change = gcTime - mutatorTime;

	if (change > 0 && headroom <= (uint64_t)change) {
		l->overflow += (uint64_t)change - headroom;
		l->bucket.fill = l->bucket.capacity;
		if (!enabled) {
			atomic_Store(&l->enabled, true);
			atomic_Store(&l->lastEnabledCycle, memstats.numgc + 1);
		}
		return;
	}

	if (change < 0 && l->bucket.fill <= -(uint64_t)change) {
		l->bucket.fill = 0;
	} else {
		l->bucket.fill -= -(uint64_t)change;
	}
	if (change != 0 && enabled) {
		atomic_Store(&l->enabled, false);
	}
}

// tryLock locks the limiter unless it is locked.
static bool
tryLock(gcCPULimiterState *l) {
	return atomic_Cas(&l->locked, 0, 1);
}

// unlockLimiter undoes tryLock.
static void
unlockLimiter(gcCPULimiterState *l) {
	if (atomic_Xchg(&l->locked, 0) != 1) {
		throw("double unlock");
	}
}

// resetCapacity follows a change of GOMAXPROCS.  The world is stopped and the GC is not marking.
void
gcCPULimiterState_resetCapacity(gcCPULimiterState *l, int64_t now, int32_t nprocs) {
	if (!tryLock(l)) {
		throw("failed to acquire lock to reset capacity");
	}
	updateLocked(l, now); // the window so far ran with the old number
	l->nprocs = nprocs;

	l->bucket.capacity = (uint64_t)nprocs * capacityPerProc;
	if (l->bucket.fill > l->bucket.capacity) {
		l->bucket.fill = l->bucket.capacity;
		atomic_Store(&l->enabled, true);
		atomic_Store(&l->lastEnabledCycle, memstats.numgc + 1);
	} else if (l->bucket.fill < l->bucket.capacity) {
		atomic_Store(&l->enabled, false);
	}
	unlockLimiter(l);
}

// makeLimiterEventStamp packs an event type and a time.
limiterEventStamp
makeLimiterEventStamp(limiterEventType typ, int64_t now) {
	return (uint64_t)typ << (64 - limiterEventBits) | ((uint64_t)now & ~limiterEventTypeMask);
}

// duration is the time from s to now, 0 if that is negative: now may be stale, or the clock's top
// bits, which s does not hold, may have changed.
int64_t
limiterEventStamp_duration(limiterEventStamp s, int64_t now) {
	int64_t start =
		(int64_t)(((uint64_t)now & limiterEventTypeMask) | (s & ~limiterEventTypeMask));
	if (now < start) {
		return 0;
	}
	return now - start;
}

// typ is the event type in s.
limiterEventType
limiterEventStamp_typ(limiterEventStamp s) {
	return (limiterEventType)(s >> (64 - limiterEventBits));
}

// start begins an event, unless one is in flight, which has the time already: then it returns
// false and there is nothing to stop.  The caller must not be preempted before stop, for only
// time on the CPU is to count.
bool
limiterEvent_start(limiterEvent *e, limiterEventType typ, int64_t now) {
	if (limiterEventStamp_typ(atomic_Load(&e->stamp)) != limiterEventNone) {
		return false;
	}
	atomic_Store(&e->stamp, makeLimiterEventStamp(typ, now));
	return true;
}

// consume takes the time that the event in flight has used so far and lets it start over at now.
// It returns the event's type.
limiterEventType
limiterEvent_consume(limiterEvent *e, int64_t now, int64_t *duration) {
	for (;;) {
		limiterEventStamp old = atomic_Load(&e->stamp);
		limiterEventType typ = limiterEventStamp_typ(old);
		*duration = 0;
		if (typ == limiterEventNone) {
			return typ;
		}
		int64_t d = limiterEventStamp_duration(old, now);
		if (d == 0) {
			return limiterEventNone; // now is stale, or the top bits changed
		}
		if (atomic_Cas(&e->stamp, old, makeLimiterEventStamp(typ, now))) {
			*duration = d;
			return typ;
		}
	}
}

// stop ends the event in flight, which must be of type typ, and adds its time to the pools.
void
limiterEvent_stop(limiterEvent *e, limiterEventType typ, int64_t now) {
	limiterEventStamp stamp;
	for (;;) {
		stamp = atomic_Load(&e->stamp);
		if (limiterEventStamp_typ(stamp) != typ) {
			print("runtime: want=%d got=%d\n", typ, limiterEventStamp_typ(stamp));
			throw("limiterEvent.stop: found wrong event in p's limiter event slot");
		}
		if (atomic_Cas(&e->stamp, stamp, limiterEventStampNone)) {
			break;
		}
	}
	int64_t duration = limiterEventStamp_duration(stamp, now);
	if (duration == 0) {
		return; // the top bits changed meanwhile; that happens once in 73 years
	}
	switch (typ) {
	case limiterEventIdle:
		atomic_Xadd(&sched.idleTime, duration);
		gcCPULimiterState_addIdleTime(&gcCPULimiter, duration);
		break;
	case limiterEventIdleMarkWork:
		gcCPULimiterState_addIdleTime(&gcCPULimiter, duration);
		break;
	case limiterEventMarkAssist:
	case limiterEventScavengeAssist:
		gcCPULimiterState_addAssistTime(&gcCPULimiter, duration);
		break;
	default:
		throw("limiterEvent.stop: invalid limiter event type found");
	}
}
