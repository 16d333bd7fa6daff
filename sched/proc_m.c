// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Threads: how they are made, park, run and end.  Ports these sections of proc.go of Go 1.26.8.
//
// PORT: who needs a new M does not make its thread, but leaves that to the thread maker, an M
// without a P.  Making a thread calls malloc, and a goroutine that was stopped in place may hold
// malloc's lock; the maker may wait for it, as nobody waits for the maker:
//
//   - an M whose thread does not run yet is on sched.mstarting, and the P that it is to have, its
//     nextp, is under sched.lock until the thread takes it.  stopTheWorld takes that P back and
//     forEachP acts on it; an M that finds no P when it starts goes idle;
//   - when no M is idle, a P goes to the M of a goroutine on the global queue, or on its own, that
//     was stopped in place rather than to a new M.
//
// Go makes threads through its template thread in the same way when it must.
#include "sched/proc.h"

#include <errno.h>

#include "runtime/malloc_const.h"
#include "runtime/mgc.h"
#include "runtime/mstats.h"
#include "runtime/os_linux.h"
#include "runtime/panic.h"
#include "runtime/rand.h"
#include "runtime/rwmutex.h"
#include "sched/cpuprof.h"
#include "sched/fiber.h"
#include "sched/netpoll.h"
#include "sched/preempt.h"
#include "sched/signal_unix.h"
#include "sched/stack.h"
#include "sched/traceback.h"
#include "sched/traceruntime.h"

// __cxa_get_globals is there if the program has C++ in it: where a thread keeps the exceptions
// that it has caught.
void *__cxa_get_globals(void) __attribute__((weak));

static rwmutex allocmLock; // readers make Ms; a writer keeps allm as it is
static rwmutex execLock;   // readers make threads

// proc_m_init gives the locks here their ranks.
void
proc_m_init(void) {
	rwmutex_init(&allocmLock, lockRankAllocmR, lockRankAllocmRInternal, lockRankAllocmW);
	rwmutex_init(&execLock, lockRankExecR, lockRankExecRInternal, lockRankExecW);
}

// checkmcount throws if there are too many threads.  sched.lock must be held.
static void
checkmcount(void) {
	assertLockHeld(&sched.lock);

	if (mcount() > sched.maxmcount) {
		print("runtime: program exceeds %d-thread limit\n", sched.maxmcount);
		throw("thread exhaustion");
	}
}

// mReserveID returns the id of an M to be made, which from now on counts as running.  sched.lock
// must be held.
int64_t
mReserveID(void) {
	assertLockHeld(&sched.lock);

	int64_t id = sched.mnext++;
	checkmcount();
	return id;
}

// mcommoninit prepares a new M; id < 0: it gets one.
void
mcommoninit(M *mp, int64_t id) {
	mpreinit(mp);
	memset(mp->createstack, 0, sizeof mp->createstack);
	if (getg() != getg()->m->g0)
		callers(1, mp->createstack, nelem(mp->createstack));

	lock(&sched.lock);
	mp->id = id >= 0 ? id : mReserveID();
	mrandinit(mp);
	// Others walk allm without the lock.
	mp->alllink = allm;
	atomic_Store(&allm, mp);
	unlock(&sched.lock);
}

// mstart1 is what an M runs first on g0, where it is always entered from then on.
static void
mstart1(void) {
	G *gp = getg();
	M *mp = gp->m;

	if (gp != mp->g0)
		throw("bad runtime\302\267mstart");

	mp->errnop = gort_errno_location();
	if (__cxa_get_globals != NULL)
		mp->cxap = __cxa_get_globals();
	fiber_minit(mp);
	minit();
	if (mp == &m0)
		initsig(false);

	P *pp = NULL;
	lock(&sched.lock);
	if (mp->starting) {
		M **prev = &sched.mstarting;
		while (*prev != mp)
			prev = &(*prev)->schedlink;
		*prev = mp->schedlink;
		mp->schedlink = NULL;
		mp->starting = false;
	}
	pp = mp->nextp;
	mp->nextp = NULL;
	unlock(&sched.lock);

	if (mp->mstartfn != NULL)
		mp->mstartfn();

	if (mp != &m0) {
		if (pp != NULL) {
			acquirep(pp);
		} else {
			// The world took it back, or there is nothing to do for this M yet.
			if (mp->spinning)
				throw("mstart: spinning without a P");
			stopm();
		}
	}
	schedule();
}

// mstart is the life of a thread.  getg() is its g0, which has stack bounds.
void
mstart(void) {
	M *mp = getg()->m;

	mp->g0->stackguard0 = mp->g0->stack.lo;
	mstart_asm(mp, mstart1, 0);
	mexit(true);
}

// mPark sleeps until somebody wakes this M.
void
mPark(void) {
	M *mp = getg()->m;

	notesleep(&mp->park);
	noteclear(&mp->park);
}

// mexit ends the current thread as an M: a goroutine that was locked to it has ended.  It has a P,
// which others get.  The thread itself ends when its function returns.
void
mexit(bool osStack) {
	M *mp = getg()->m;

	if (mp == &m0) {
		// The process would be a zombie: let the main thread sleep.
		handoffp(releasep());
		lock(&sched.lock);
		sched.nmfreed++;
		checkdead();
		unlock(&sched.lock);
		mPark();
		throw("locked m0 woke up");
	}

	uint64_t sigmask;
	sigblock_save(&sigmask);
	setThreadCPUProfiler(0); // PORT: Go leaves the timer behind
	unminit();

	lock(&sched.lock);
	M **pprev = &allm;
	while (*pprev != mp) {
		if (*pprev == NULL)
			throw("m not found in allm");
		pprev = &(*pprev)->alllink;
	}
	*pprev = mp->alllink;

	// It is reused when the thread does not use it any more.
	atomic_Store(&mp->freeWait, (uint32_t)freeMWait);
	mp->freelink = sched.freem;
	sched.freem = mp;
	unlock(&sched.lock);

	handoffp(releasep());

	// After handoffp, which may have started an M.
	lock(&sched.lock);
	sched.nmfreed++;
	checkdead();
	unlock(&sched.lock);

	// The M and its g0 will be another thread's, and destructors of thread-local objects have yet to
	// run on this one.
	setg(NULL);
	atomic_Store(&mp->freeWait, (uint32_t)(osStack ? freeMRef : freeMStack));
}

// takefreem takes a dead M whose thread is gone off sched.freem, emptied; NULL if there is none.
static M *
takefreem(void) {
	M *mp = NULL;

	if (atomic_Load(&sched.freem) == NULL)
		return NULL;
	lock(&sched.lock);
	for (M **prev = &sched.freem; *prev != NULL; prev = &(*prev)->freelink) {
		if (atomic_Load(&(*prev)->freeWait) != freeMWait) {
			mp = *prev;
			// Only now has it written its last event.
			if (traceEnabled() || traceShuttingDown())
				traceThreadDestroy(mp);
			*prev = mp->freelink;
			break;
		}
	}
	unlock(&sched.lock);
	if (mp != NULL) {
		mdestroy(mp);
		G *g0_ = mp->g0;
		uintptr_t *profStack = mp->profStack; // for ever, as the M
		// But for the link: traceAdvance may be on its way through its list.
		const uintptr_t link = offsetof(M, trace.link), end = link + sizeof mp->trace.link;
		memset(g0_, 0, sizeof *g0_);
		memset(mp, 0, link);
		memset((char *)mp + end, 0, sizeof *mp - end);
		mp->g0 = g0_;
		mp->profStack = profStack;
	}
	return mp;
}

// allocm makes an M without a thread.  fn is what it is to run first; id < 0: it gets one.
M *
allocm(P *pp, void (*fn)(void), int64_t id) {
	rwmutex_rlock(&allocmLock);
	acquirem();

	M *mp = takefreem();
	if (mp == NULL) {
		mp = persistentalloc(sizeof(M), CacheLinePadSize, &memstats.other_sys);
		mp->g0 = malg(0); // its stack is the thread's
	}
	mp->mstartfn = fn;
	mp->g0->m = mp;
	mcommoninit(mp, id);

	releasem(getg()->m);
	rwmutex_runlock(&allocmLock);
	return mp;
}

// newm1 makes the thread of mp.
static void
newm1(M *mp) {
	rwmutex_rlock(&execLock);
	newosproc(mp);
	rwmutex_runlock(&execLock);
}

// mspinning is the first function of an M for which startm's caller counted nmspinning up.
static void
mspinning(void) {
	getg()->m->spinning = true;
}

// stopP counts pp, which no M has any more, as stopped.  sched.lock must be held.
static void
stopP(P *pp) {
	// The worker that procresize assigned goes back to the pool, as releasep would see to.
	if (pp->nextGCMarkWorker != NULL)
		gcControllerState_releaseNextGCMarkWorker(&gcController, pp);
	atomic_Store(&pp->status, (uint32_t)_Pgcstop);
	pp->gcStopTime = nanotime();
	atomic_StoreRelaxed(&sched.stopwait, sched.stopwait - 1);
}

// stopStartingP stops the P that was meant for mp, whose thread does not run yet.  mp no longer
// counts as spinning from here on, not only once its thread runs: it would swallow the wake-ups in
// between, startTheWorld's too, and then stop without having looked for work.  sched.lock must be
// held.
static void
stopStartingP(M *mp) {
	P *pp = mp->nextp;
	mp->nextp = NULL;
	if (mp->mstartfn == mspinning) {
		mp->mstartfn = NULL;
		if (atomic_Xadd(&sched.nmspinning, -1) < 0)
			throw("stopStartingP: negative nmspinning");
	}
	stopP(pp);
}

// stopStartingPs takes the Ps back that were given to Ms whose thread does not run yet.
// sched.lock must be held, the world is stopping.
void
stopStartingPs(void) {
	assertLockHeld(&sched.lock);

	for (M *mp = sched.mstarting; mp != NULL; mp = mp->schedlink) {
		if (mp->nextp != NULL)
			stopStartingP(mp);
	}
}

// runSafePointFnStarting runs the safe point function for those Ps.  sched.lock must be held.
void
runSafePointFnStarting(void) {
	assertLockHeld(&sched.lock);

	for (M *mp = sched.mstarting; mp != NULL; mp = mp->schedlink) {
		P *pp = mp->nextp;
		if (pp != NULL && atomic_Cas(&pp->runSafePointFn, 1U, 0U)) {
			sched.safePointFn(pp);
			sched.safePointWait--;
		}
	}
}

// wakemaker wakes the thread maker.  sched.lock must be held.
static void
wakemaker(void) {
	if (sched.makerwait) {
		sched.makerwait = false;
		notewakeup(&sched.makernote);
	}
}

// newm makes an M that runs fn first, if that is not NULL, and has pp, if that is not NULL.
void
newm(void (*fn)(void), P *pp, int64_t id) {
	acquirem();

	M *mp = allocm(pp, fn, id);
	if (fn == sysmon || fn == threadmaker) {
		newm1(mp);
		releasem(getg()->m);
		return;
	}
	lock(&sched.lock);
	mp->nextp = pp;
	mp->starting = true;
	mp->schedlink = sched.mstarting;
	sched.mstarting = mp;
	mp->freelink = sched.mtomake;
	sched.mtomake = mp;
	if (pp != NULL) {
		// What stopTheWorld and forEachP would do, had they seen it.
		if (atomic_Load(&pp->runSafePointFn) != 0 &&
			atomic_Cas(&pp->runSafePointFn, 1U, 0U)) {
			sched.safePointFn(pp);
			if (--sched.safePointWait == 0)
				notewakeup(&sched.safePointNote);
		}
		if (atomic_Load(&sched.gcwaiting)) {
			stopStartingP(mp);
			if (sched.stopwait == 0)
				notewakeup(&sched.stopnote);
		}
	}
	wakemaker();
	unlock(&sched.lock);
	releasem(getg()->m);
}

// threadmaker makes the threads that newm asks for.  It never has a P.
void
threadmaker(void) {
	lock(&sched.lock);
	sched.nmsys++;
	checkdead();
	for (;;) {
		M *mp = sched.mtomake;
		if (mp != NULL) {
			sched.mtomake = mp->freelink;
			mp->freelink = NULL;
			unlock(&sched.lock);
			newm1(mp);
			lock(&sched.lock);
		} else if (sched.spareM) {
			sched.spareM = false;
			int64_t id = mReserveID();
			unlock(&sched.lock);
			newm1(allocm(NULL, NULL, id));
			lock(&sched.lock);
		} else {
			sched.makerwait = true;
			noteclear(&sched.makernote);
			unlock(&sched.lock);
			notesleep(&sched.makernote);
			lock(&sched.lock);
		}
	}
}

// wantSpareM_locked asks for an M that goes idle at once.
void
wantSpareM_locked(void) {
	assertLockHeld(&sched.lock);

	if (!sched.spareM) {
		sched.spareM = true;
		wakemaker();
	}
}

// takeInplaceFrom takes the first goroutine that is stopped in place off *q.
static G *
takeInplaceFrom(gQueue *q) {
	G *prev = NULL;
	for (G *gp = q->head; gp != NULL; prev = gp, gp = gp->schedlink) {
		if (atomic_Load(&gp->inplace) != inplaceParked)
			continue;
		if (prev == NULL)
			return gQueue_pop(q);
		prev->schedlink = gp->schedlink;
		if (q->tail == gp)
			q->tail = prev;
		atomic_StoreRelaxed(&q->size, q->size - 1);
		return gp;
	}
	return NULL;
}

// takeInplace looks on the global queue and then on pp's, which goes to the global one if there is
// such a goroutine on it: it came here with a batch (globrunqgetbatch), and may hold the very lock
// that the thread maker needs.  Not while user goroutines may not run: with gcstoptheworld one that
// does can be the last to find nothing to mark, and then wait for the end of the mark phase.
G *
takeInplace(P *pp) {
	assertLockHeld(&sched.lock);

	if (atomic_Load(&sched.ninplace) == 0 || sched.disable.user)
		return NULL;
	G *gp = takeInplaceFrom(&sched.runq);
	if (gp == NULL && !runqempty(pp)) {
		gQueue q = runqdrain(pp);
		gp = takeInplaceFrom(&q);
		if (gp == NULL)
			runqputbatch(pp, &q); // the ring has no room for what was in runnext, too
		globrunqputbatch(&q);
	}
	return gp;
}

// stopm parks this M, which has no P, until there is work.  It returns with a P.
void
stopm(void) {
	M *mp = getg()->m;

	if (mp->locks != 0)
		throw("stopm holding locks");
	if (mp->p != NULL)
		throw("stopm holding p");
	if (mp->spinning)
		throw("stopm spinning");

	lock(&sched.lock);
	mput(mp);
	unlock(&sched.lock);
	mPark();
	acquirep(mp->nextp);
	mp->nextp = NULL;
}

// startm gives pp, or an idle P if that is NULL, to an M, new if need be.  spinning: the caller has
// counted nmspinning up for it.  lockheld: sched.lock is held; it may be released meanwhile.
// The P has no owner in here: the caller must not be preemptible, or a stop of the world would wait
// for it in vain.
void
startm(P *pp, bool spinning, bool lockheld) {
	M *mp = acquirem();

	if (!lockheld)
		lock(&sched.lock);
	if (pp == NULL) {
		int64_t now;
		if (spinning)
			throw("startm: P required for spinning=true");
		pp = pidleget(0, &now);
		if (pp == NULL) {
			if (!lockheld)
				unlock(&sched.lock);
			releasem(mp);
			return;
		}
	}
	M *nmp = mget();
	if (nmp == NULL) {
		G *gp = takeInplace(pp);
		if (gp != NULL) {
			// It has its M, which does not spin; see the top of the file.
			if (spinning && atomic_Xadd(&sched.nmspinning, -1) < 0)
				throw("startm: negative nmspinning");
			sched.nmidlelocked--;
			gp->lockedm->nextp = pp;
			notewakeup(&gp->lockedm->park);
			if (!lockheld)
				unlock(&sched.lock);
			if (spinning)
				wakep(); // what it was to look for is still there
			releasem(mp);
			return;
		}
		// The id makes the new M count as running before the lock is dropped: otherwise
		// checkdead could find runnable goroutines and no M to run them.
		int64_t id = mReserveID();
		unlock(&sched.lock);
		newm(spinning ? mspinning : NULL, pp, id);
		if (lockheld)
			lock(&sched.lock);
		releasem(mp);
		return;
	}
	if (!lockheld)
		unlock(&sched.lock);
	if (nmp->spinning)
		throw("startm: m is spinning");
	if (nmp->nextp != NULL)
		throw("startm: m has p");
	if (spinning && !runqempty(pp))
		throw("startm: p has runnable gs");
	nmp->spinning = spinning;
	nmp->nextp = pp;
	notewakeup(&nmp->park);
	releasem(mp);
}

// handoffp gives pp, which the caller has taken from an M that blocks or is locked, to an M, if
// there is something to do for it, else to the idle list.  Runs without a P.
void
handoffp(P *pp) {
	// If findRunnable would find something on pp, there must be an M for it.
	if (!runqempty(pp) || !gQueue_empty(&sched.runq)) {
		startm(pp, false, false);
		return;
	}
	if (unlikely(traceReading()) && traceReaderAvailable() != NULL) {
		startm(pp, false, false);
		return;
	}
	if (atomic_Load(&gcBlackenEnabled) != 0 && gcShouldScheduleWorker(pp)) {
		startm(pp, false, false);
		return;
	}
	// Nothing here: another M helps only if there is no spinning or idle one.
	if (atomic_Load(&sched.nmspinning) + atomic_Load(&sched.npidle) == 0 &&
		atomic_Cas(&sched.nmspinning, 0, 1)) {
		atomic_Store(&sched.needspinning, 0U);
		startm(pp, true, false);
		return;
	}
	lock(&sched.lock);
	if (atomic_Load(&sched.gcwaiting)) {
		stopP(pp);
		if (sched.stopwait == 0)
			notewakeup(&sched.stopnote);
		unlock(&sched.lock);
		return;
	}
	if (atomic_Load(&pp->runSafePointFn) != 0 && atomic_Cas(&pp->runSafePointFn, 1U, 0U)) {
		sched.safePointFn(pp);
		sched.safePointWait--;
		if (sched.safePointWait == 0)
			notewakeup(&sched.safePointNote);
	}
	if (!gQueue_empty(&sched.runq)) {
		unlock(&sched.lock);
		startm(pp, false, false);
		return;
	}
	// The last P that runs: somebody has to poll the network.
	if (atomic_Load(&sched.npidle) == gomaxprocs - 1 && atomic_Load(&sched.lastpoll) != 0) {
		unlock(&sched.lock);
		startm(pp, false, false);
		return;
	}

	// wakeNetPoller may take sched.lock.
	int64_t when = timers_wakeTime(&pp->timers);
	pidleput(pp, 0);
	unlock(&sched.lock);
	if (when != 0)
		wakeNetPoller(when);
}

// wakep_slow is wakep when no M spins and nmspinning has been set to 1.
static NOINLINE void
wakep_slow(void) {
	M *mp = acquirem(); // the P is ours alone until startm has given it away
	int64_t now;

	lock(&sched.lock);
	P *pp = pidlegetSpinning(0, &now);
	if (pp == NULL) {
		if (atomic_Xadd(&sched.nmspinning, -1) < 0)
			throw("wakep: negative nmspinning");
		unlock(&sched.lock);
		releasem(mp);
		return;
	}
	unlock(&sched.lock);
	startm(pp, true, false);
	releasem(mp);
}

// wakep starts one more M that looks for work, if a P is idle and none looks yet.
//
// PORT: if no P is idle and needspinning is set already, that is all that the slow path would find
// out under the lock.  Whoever clears needspinning becomes a spinner first and searches after, so it
// sees the work that the caller has queued; whoever goes idle, spinning or not, is counted in npidle
// before it stops looking.
void
wakep(void) {
	if (atomic_Load(&sched.nmspinning) != 0)
		return;
	if (atomic_Load(&sched.npidle) == 0 && atomic_Load(&sched.needspinning) == 1)
		return;
	if (!atomic_Cas(&sched.nmspinning, 0, 1))
		return;
	wakep_slow();
}

// stoplockedm parks this M, to which a goroutine is locked, until that is runnable and scheduled.
// It returns with a P.
void
stoplockedm(void) {
	M *mp = getg()->m;

	if (mp->lockedg == NULL || mp->lockedg->lockedm != mp)
		throw("stoplockedm: inconsistent locking");
	if (mp->p != NULL)
		handoffp(releasep());
	incidlelocked(1);
	mPark();
	uint32_t status = readgstatus(mp->lockedg);
	if ((status & ~(uint32_t)_Gscan) != _Grunnable) {
		print("runtime:stoplockedm: lockedg (atomicstatus=%u) is not Grunnable or "
		      "Gscanrunnable\n",
			status);
		dumpgstatus(mp->lockedg);
		throw("stoplockedm: not runnable");
	}
	acquirep(mp->nextp);
	mp->nextp = NULL;
}

// startlockedm gives the P of this M to the M that gp is locked to, and parks.
void
startlockedm(G *gp) {
	M *mp = gp->lockedm;

	if (mp == getg()->m)
		throw("startlockedm: locked to me");
	if (mp->nextp != NULL)
		throw("startlockedm: m has p");
	incidlelocked(-1);
	mp->nextp = releasep();
	notewakeup(&mp->park);
	stopm();
}

// gcstopm stops this M for a stop of the world; it returns when the world is started again.
void
gcstopm(void) {
	M *mp = getg()->m;

	if (!atomic_Load(&sched.gcwaiting))
		throw("gcstopm: not waiting for gc");
	if (mp->spinning) {
		mp->spinning = false;
		// startTheWorld wakes Ms as needed.
		if (atomic_Xadd(&sched.nmspinning, -1) < 0)
			throw("gcstopm: negative nmspinning");
	}
	P *pp = releasep();
	lock(&sched.lock);
	stopP(pp);
	if (sched.stopwait == 0)
		notewakeup(&sched.stopnote);
	unlock(&sched.lock);
	stopm();
}

// dolockOSThread ties the goroutine to the thread.
static void
dolockOSThread(void) {
	G *gp = getg();

	gp->m->lockedg = gp;
	gp->lockedm = gp->m;
}

// LockOSThread ties the calling goroutine to its thread, for as many calls of UnlockOSThread.  If it
// ends before, the thread ends too.
void
LockOSThread(void) {
	M *mp = getg()->m;

	mp->lockedExt++;
	if (mp->lockedExt == 0) {
		mp->lockedExt--;
		gopanic("LockOSThread nesting overflow");
	}
	dolockOSThread();
}

// lockOSThread is the same for the runtime itself.
void
lockOSThread(void) {
	getg()->m->lockedInt++;
	dolockOSThread();
}

// dounlockOSThread unties the goroutine if nobody wants it tied any more.
static void
dounlockOSThread(void) {
	G *gp = getg();

	if (gp->m->lockedInt != 0 || gp->m->lockedExt != 0)
		return;
	gp->m->lockedg = NULL;
	gp->lockedm = NULL;
}

// UnlockOSThread undoes one LockOSThread.
void
UnlockOSThread(void) {
	M *mp = getg()->m;

	if (mp->lockedExt == 0)
		return;
	mp->lockedExt--;
	dounlockOSThread();
}

// unlockOSThread undoes lockOSThread.
void
unlockOSThread(void) {
	M *mp = getg()->m;

	if (mp->lockedInt == 0)
		throw("runtime: internal error: misuse of lockOSThread/unlockOSThread");
	mp->lockedInt--;
	dounlockOSThread();
}

// mcount is the number of Ms.
int32_t
mcount(void) {
	return (int32_t)(sched.mnext - sched.nmfreed);
}

// mput puts mp on the idle list.  sched.lock must be held.
void
mput(M *mp) {
	assertLockHeld(&sched.lock);

	mp->idle = true;
	mp->idleprev = NULL;
	mp->idlenext = sched.midle;
	if (sched.midle != NULL)
		sched.midle->idleprev = mp;
	sched.midle = mp;
	sched.nmidle++;
	checkdead();
}

// mget takes an idle M; NULL if there is none.  sched.lock must be held.
M *
mget(void) {
	assertLockHeld(&sched.lock);

	return sched.midle == NULL ? NULL : mgetSpecific(sched.midle);
}

// mgetSpecific takes mp off the idle list; NULL if it is not on it.  sched.lock must be held.
M *
mgetSpecific(M *mp) {
	assertLockHeld(&sched.lock);

	if (!mp->idle)
		return NULL;
	mp->idle = false;
	if (mp->idleprev != NULL)
		mp->idleprev->idlenext = mp->idlenext;
	else
		sched.midle = mp->idlenext;
	if (mp->idlenext != NULL)
		mp->idlenext->idleprev = mp->idleprev;
	sched.nmidle--;
	return mp;
}

// setMaxThreads sets the number of threads at which the program is ended; the previous one is
// returned.
int
setMaxThreads(int in) {
	lock(&sched.lock);
	int out = sched.maxmcount;
	sched.maxmcount = in;
	checkmcount();
	unlock(&sched.lock);
	return out;
}
