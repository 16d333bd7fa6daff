// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Processors: how many there are, who holds which.  Ports these sections of proc.go of Go 1.26.8,
// and GOMAXPROCS of debug.go.
//
//	                acquirep                 stopTheWorld, gcstopm
//	_Pidle  ------------------->  _Prunning ----------------------> _Pgcstop
//	  ^  ^                           |  |                             |  |  ^
//	  |  |         releasep          |  |  procresize                 |  |  | init
//	  |  +---------------------------+  |                             |  v  |
//	  +-------- procresize -------------+-----------------------------+ _Pdead
//
// PORT: Ps and the tables of Ps lie in persistent memory and stay valid for ever, so that whoever
// copied the table without a lock may go on reading it.  At the start of the world, goroutines that
// were stopped in place get the idle Ps, each its own M: no other could run them.
#include "sched/proc.h"

#include "runtime/malloc_const.h"
#include "runtime/mcache.h"
#include "runtime/mfixalloc.h"
#include "runtime/mgc.h"
#include "runtime/mheap.h"
#include "runtime/mstats.h"
#include "runtime/os_linux.h"
#include "sched/stack.h"
#include "sched/traceruntime.h"

// P_init makes pp, new or destroyed before, ready for use, in state _Pgcstop.
void
P_init(P *pp, int32_t id) {
	pp->id = id;
	atomic_Store(&pp->status, (uint32_t)_Pgcstop);
	pp->nsudogcache = 0;
	wbBuf_reset(&pp->wbBuf);
	if (pp->mcache == NULL) {
		if (id == 0) {
			if (mcache0 == NULL)
				throw("missing mcache?");
			pp->mcache = mcache0;
		} else {
			pp->mcache = allocmcache();
		}
	}
	lockInit(&pp->timers.mu, lockRankTimers);

	// It may start running without pidleget: P 0 does.
	pMask_set(&timerpMask, id);
	pMask_clear(&idlepMask, id);
}

struct P_destroy_args {
	P *pp;
};

static void
P_destroy_1(void *a) {
	P *pp = ((struct P_destroy_args *)a)->pp;

	for (int i = 0; i < pp->mspancache.len; i++)
		fixalloc_free(&mheap_.spanalloc, pp->mspancache.buf[i]);
	pp->mspancache.len = 0;
	lock(&mheap_.lock);
	pageCache_flush(&pp->pcache, &mheap_.pages);
	unlock(&mheap_.lock);
	stackcache_clear(pp);
}

// P_destroy takes everything from pp.  sched.lock must be held, the world stopped.
void
P_destroy(P *pp) {
	assertLockHeld(&sched.lock);
	assertWorldStopped();

	// Ms without a P may look whether the queue is empty even now: checkRunqsNoP.
	while (pp->runqhead != pp->runqtail) {
		atomic_StoreRelaxed(&pp->runqtail, pp->runqtail - 1);
		globrunqputhead(pp->runq[pp->runqtail % nelem(pp->runq)]);
	}
	if (pp->runnext != NULL) {
		globrunqputhead(pp->runnext);
		atomic_StoreRelaxed(&pp->runnext, (G *)NULL);
	}

	timers_take(&getg()->m->p->timers, &pp->timers);

	// During mark a P does not go: its barrier and work buffers are empty.
	if (gcphase != _GCoff) {
		print("runtime: p id %d destroyed during GC phase %u\n", pp->id, gcphase);
		throw("P destroyed while GC is running");
	}

	// PORT: sudogs are not collected: keep them.  The world is stopped, so no lock is needed; and
	// sudoglock is not to be taken under sched.lock.
	while (pp->nsudogcache > 0) {
		sudog *s = pp->sudogbuf[--pp->nsudogcache];
		pp->sudogbuf[pp->nsudogcache] = NULL;
		s->next = sched.sudogcache;
		sched.sudogcache = s;
	}
	struct P_destroy_args args = {pp};
	systemstack(P_destroy_1, &args);
	freemcache(pp->mcache);
	pp->mcache = NULL;
	gfpurge(pp);
	pp->gcAssistTime = 0;
	atomic_Xadd(&sched.goroutinesCreated, pp->goroutinesCreated);
	pp->goroutinesCreated = 0;
	atomic_Store(&pp->status, (uint32_t)_Pdead);
}

// growallp makes allp at least n long.  Old tables stay as they are.  allpLock must be held.
static void
growallp(int32_t n) {
	if (n > capallp) {
		int32_t cap = (int32_t)alignUp((uintptr_t)n, 16);
		P **bigger = persistentalloc(
			(uintptr_t)cap * sizeof(P *), CacheLinePadSize, &memstats.other_sys);
		// All of it: destroyed Ps are kept beyond nallp.
		if (capallp > 0)
			memcpy(bigger, allp, (size_t)capallp * sizeof(P *));
		atomic_StoreRel(&allp, bigger);
		capallp = cap;
	}
}

// assignM gives pp, which has work, the M mp, or NULL for a new one, and links it to *list.
static void
assignM(P *pp, M *mp, P **list) {
	atomic_StoreRelaxed(&pp->m, mp);
	pp->link = *list;
	*list = pp;
}

// inplaceM returns the M of a goroutine that is stopped in place, which is to go on with pp; NULL if
// there is none.  sched.lock must be held.
static M *
inplaceM(P *pp) {
	G *gp = takeInplace(pp);
	if (gp == NULL)
		return NULL;
	sched.nmidlelocked--;
	return gp->lockedm;
}

// procresize changes the number of Ps.  sched.lock must be held, the world stopped; during a GC
// cycle the number stays.  It returns the Ps with work, through link, each with its M or NULL: the
// caller has to start them.
P *
procresize(int32_t nprocs) {
	assertLockHeld(&sched.lock);
	assertWorldStopped();

	int32_t old = gomaxprocs;
	if (old < 0 || nprocs <= 0)
		throw("procresize: invalid arg");
	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_Gomaxprocs(tl, nprocs);
		traceRelease(tl);
	}

	int64_t now = nanotime();
	if (sched.procresizetime != 0)
		sched.totaltime += (int64_t)old * (now - sched.procresizetime);
	sched.procresizetime = now;

	if (nprocs > nallp) {
		// retake runs without a P.
		lock(&allpLock);
		growallp(nprocs);
		pMask_resize(&idlepMask, nprocs);
		pMask_resize(&timerpMask, nprocs);
		nallp = nprocs;
		unlock(&allpLock);
	}

	for (int32_t i = old; i < nprocs; i++) {
		P *pp = allp[i];
		if (pp == NULL)
			pp = persistentalloc(sizeof(P), CacheLinePadSize, &memstats.other_sys);
		P_init(pp, i);
		atomic_StoreRel(&allp[i], pp);
	}

	M *me = getg()->m;
	if (me->p != NULL && me->p->id < nprocs) {
		atomic_Store(&me->p->status, (uint32_t)_Prunning);
		mcache_prepareForSweep(me->p->mcache);
	} else {
		// Go on with P 0, before the own one is destroyed.
		if (me->p != NULL) {
			tl = traceAcquire();
			if (traceLocker_ok(tl)) {
				// As if it went off the P and came back.
				traceLocker_GoSched(tl);
				traceLocker_ProcStop(tl, me->p);
				traceRelease(tl);
			}
			me->p->m = NULL;
		}
		me->p = NULL;
		P *pp = allp[0];
		atomic_StoreRelaxed(&pp->m, (M *)NULL);
		atomic_Store(&pp->status, (uint32_t)_Pidle);
		acquirep(pp);
		tl = traceAcquire();
		if (traceLocker_ok(tl)) {
			traceLocker_GoStart(tl);
			traceRelease(tl);
		}
	}
	mcache0 = NULL;

	// A destroyed P itself stays: an M in a system call may still look at it.
	for (int32_t i = nprocs; i < old; i++)
		P_destroy(allp[i]);

	if (nallp != nprocs) {
		lock(&allpLock);
		nallp = nprocs;
		unlock(&allpLock);
	}

	// Ms for the Ps with work: first the one that had the P last.  Those without come later, lest
	// they take an M that another P had.
	P *runnablePs = NULL, *runnablePsNeedM = NULL, *idlePs = NULL;
	for (int32_t i = nprocs - 1; i >= 0; i--) {
		P *pp = allp[i];
		if (me->p == pp)
			continue;
		atomic_Store(&pp->status, (uint32_t)_Pidle);
		if (runqempty(pp)) {
			pp->link = idlePs;
			idlePs = pp;
			continue;
		}
		M *mp = pp->oldm != NULL ? mgetSpecific(pp->oldm) : NULL;
		if (mp == NULL) {
			pp->link = runnablePsNeedM;
			runnablePsNeedM = pp;
			continue;
		}
		assignM(pp, mp, &runnablePs);
	}
	while (runnablePsNeedM != NULL) {
		P *pp = runnablePsNeedM;
		runnablePsNeedM = pp->link;
		M *mp = mget();
		if (mp == NULL)
			mp = inplaceM(pp);
		assignM(pp, mp, &runnablePs);
	}

	// PORT: goroutines stopped in place go on at once.
	while (idlePs != NULL) {
		P *pp = idlePs;
		M *mp = inplaceM(pp);
		if (mp == NULL)
			break;
		idlePs = pp->link;
		assignM(pp, mp, &runnablePs);
	}

	// Then mark workers: starting them here is faster than a chain of wakep, and they come to Ps
	// that were idle before.
	if (atomic_Load(&gcBlackenEnabled) != 0) {
		while (idlePs != NULL) {
			int64_t t;
			P *pp = idlePs;
			if (!gcControllerState_assignWaitingGCWorker(&gcController, pp, now, &t))
				break;
			idlePs = pp->link;
			assignM(pp, mget(), &runnablePs);
		}
	}

	while (idlePs != NULL) {
		P *pp = idlePs;
		idlePs = pp->link;
		pidleput(pp, now);
	}

	randomOrder_reset(&stealOrder, (uint32_t)nprocs);
	atomic_Store(&gomaxprocs, nprocs);
	if (old != nprocs)
		gcCPULimiterState_resetCapacity(&gcCPULimiter, now, nprocs);
	return runnablePs;
}

// acquirep gives pp to the current M.
void
acquirep(P *pp) {
	acquirepNoTrace(pp);

	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_ProcStart(tl);
		traceRelease(tl);
	}
}

// acquirepNoTrace is acquirep without the event.
void
acquirepNoTrace(P *pp) {
	wirep(pp);

	// The next releasep makes this M the last one it ran on.
	pp->oldm = pp->m;

	// Spans of an earlier cycle go before anything is allocated from them.
	mcache_prepareForSweep(pp->mcache);
}

// wirep is acquirep's first step: M and P point to each other.
void
wirep(P *pp) {
	M *mp = getg()->m;

	if (unlikely(mp->p != NULL))
		throw("wirep: already in go");
	if (unlikely(pp->m != NULL || atomic_Load(&pp->status) != _Pidle)) {
		print("wirep: p->m=%p(%ld) p->status=%u\n", (void *)pp->m,
			pp->m != NULL ? pp->m->id : 0, pp->status);
		throw("wirep: invalid p state");
	}
	atomic_StoreRelaxed(&mp->p, pp);
	atomic_StoreRelaxed(&pp->m, mp);
	atomic_StoreRel(&pp->status, (uint32_t)_Prunning);
	settlsmcache(pp->mcache);
}

// releasep takes the P from the current M and returns it, in state _Pidle.
P *
releasep(void) {
	traceLocker tl = traceAcquire();

	if (traceLocker_ok(tl)) {
		traceLocker_ProcStop(tl, tl.mp->p);
		traceRelease(tl);
	}
	return releasepNoTrace();
}

// releasepNoTrace is releasep without the event.
P *
releasepNoTrace(void) {
	M *mp = getg()->m;
	P *pp = mp->p;

	if (pp == NULL)
		throw("releasep: invalid arg");
	if (pp->m != mp || atomic_Load(&pp->status) != _Prunning) {
		print("releasep: m=%p m->p=%p p->m=%p p->status=%u\n", (void *)mp, (void *)pp,
			(void *)pp->m, pp->status);
		throw("releasep: invalid p state");
	}
	if (unlikely(pp->nextGCMarkWorker != NULL))
		gcControllerState_releaseNextGCMarkWorker(&gcController, pp);

	settlsmcache(NULL);
	atomic_StoreRelaxed(&mp->p, (P *)NULL);
	atomic_StoreRelaxed(&pp->m, (M *)NULL);
	atomic_StoreRel(&pp->status, (uint32_t)_Pidle);
	return pp;
}

// pidleput puts pp on the idle list.  It returns now, or the time if that was 0.  sched.lock must be
// held; once it is released pp belongs to others.
int64_t
pidleput(P *pp, int64_t now) {
	assertLockHeld(&sched.lock);

	if (!runqempty(pp))
		throw("pidleput: P has non-empty run queue");
	if (now == 0)
		now = nanotime();
	if (atomic_Load(&pp->timers.len) == 0)
		pMask_clear(&timerpMask, pp->id);
	pMask_set(&idlepMask, pp->id);
	pp->link = sched.pidle;
	atomic_StoreRelaxed(&sched.pidle, pp);
	atomic_Xadd(&sched.npidle, 1);
	if (!limiterEvent_start(&pp->limiterEvent, limiterEventIdle, now))
		throw("must be able to track idle limiter event");
	return now;
}

// pidleget takes a P from the idle list; NULL if there is none.  *rnow is now or, if that was 0 and
// it was needed, the time.  sched.lock must be held.
P *
pidleget(int64_t now, int64_t *rnow) {
	assertLockHeld(&sched.lock);

	P *pp = sched.pidle;
	if (pp != NULL) {
		if (now == 0)
			now = nanotime();
		pMask_set(&timerpMask, pp->id); // it may get timers from now on
		pMask_clear(&idlepMask, pp->id);
		atomic_StoreRelaxed(&sched.pidle, pp->link);
		atomic_Xadd(&sched.npidle, -1);
		limiterEvent_stop(&pp->limiterEvent, limiterEventIdle, now);
	}
	*rnow = now;
	return pp;
}

// pidlegetSpinning is pidleget for those who have found work: if there is no P, an M that is about
// to give its P up has to spin instead.  sched.lock must be held.
P *
pidlegetSpinning(int64_t now, int64_t *rnow) {
	assertLockHeld(&sched.lock);

	P *pp = pidleget(now, rnow);
	if (pp == NULL)
		atomic_Store(&sched.needspinning, 1U);
	return pp;
}

// GOMAXPROCS sets the number of Ps and returns the previous one; n <= 0 only asks.
int32_t
GOMAXPROCS(int32_t n) {
	lock(&sched.lock);
	int32_t ret = gomaxprocs;
	if (n <= 0) {
		unlock(&sched.lock);
		return ret;
	}
	sched.customGOMAXPROCS = true;
	unlock(&sched.lock);

	// sysmon may be computing a new default: let it end, without effect.
	lock(&computeMaxProcsLock);
	unlock(&computeMaxProcsLock);
	if (n == ret)
		return ret;

	worldStop stw = stopTheWorldGC(stwGOMAXPROCS);
	newprocs = n; // startTheWorld sees to it
	startTheWorldGC(stw);
	return ret;
}
