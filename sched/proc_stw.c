// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Stopping the world, and running something on every P.  Ports these sections of proc.go of
// Go 1.26.8.
//
// The world is stopped when no P runs.  Who wants that holds worldsema, sets gcwaiting, asks all
// running goroutines to stop, takes the Ps that are idle or in system calls, and waits until
// stopwait, the number of Ps that still run, is 0.
//
// PORT: a goroutine may be stopped in its signal handler (inplace_stop_on_gsignal).  While there is
// one, nobody may call malloc, make a thread, load a library or use stdio: it may hold their locks.
#include "sched/proc.h"

#include "runtime/mgc.h"
#include "runtime/os_linux.h"
#include "runtime/panic.h"
#include "runtime/runtime1.h"
#include "sched/mprof_goroutine.h"
#include "sched/netpoll.h"
#include "sched/preempt.h"
#include "sched/sema.h"
#include "sched/traceruntime.h"

bool freezing;
uint32_t worldsema = 1;
uint32_t gcsema = 1;

// freezetheworld stops all goroutines as well as it can, for good: somebody is printing a crash.  It
// must not take a lock.
void
freezetheworld(void) {
	atomic_Store(&freezing, true);
	if (debug.dontfreezetheworld > 0) {
		// The scheduler goes on, but schedule starts nobody any more.  Let those who are about
		// to run something finish.
		runtime_usleep(1000);
		return;
	}

	// Requests may be lost: several times.
	for (int i = 0; i < 5; i++) {
		atomic_StoreRelaxed(&sched.stopwait, (int32_t)freezeStopWait);
		atomic_Store(&sched.gcwaiting, true);
		if (!preemptall())
			break;
		runtime_usleep(1000);
	}
	runtime_usleep(1000);
	preemptall();
	runtime_usleep(1000);
}

static const char *const stwReasonStrings[nstwReason] = {
	[stwUnknown] = "unknown",
	[stwGCMarkTerm] = "GC mark termination",
	[stwGCSweepTerm] = "GC sweep termination",
	[stwWriteHeapDump] = "write heap dump",
	[stwGoroutineProfile] = "goroutine profile",
	[stwGoroutineProfileCleanup] = "goroutine profile cleanup",
	[stwAllGoroutinesStack] = "all goroutines stack trace",
	[stwReadMemStats] = "read mem stats",
	[stwAllThreadsSyscall] = "AllThreadsSyscall",
	[stwGOMAXPROCS] = "GOMAXPROCS",
	[stwStartTrace] = "start trace",
	[stwStopTrace] = "stop trace",
	[stwForTestCountPagesInUse] = "CountPagesInUse (test)",
	[stwForTestReadMetricsSlow] = "ReadMetricsSlow (test)",
	[stwForTestReadMemStatsSlow] = "ReadMemStatsSlow (test)",
	[stwForTestPageCachePagesLeaked] = "PageCachePagesLeaked (test)",
	[stwForTestResetDebugLog] = "ResetDebugLog (test)",
};

// stwReason_String is the reason as traces print it.
const char *
stwReason_String(stwReason r) {
	return r < nstwReason ? stwReasonStrings[r] : "unknown";
}

// stwReason_isGC reports whether the stop is part of a GC cycle.
bool
stwReason_isGC(stwReason r) {
	return r == stwGCMarkTerm || r == stwGCSweepTerm;
}

static worldStop stopTheWorldContext; // protected by worldsema

static void
stopTheWorld_1(void *a) {
	stopTheWorldContext = stopTheWorldWithSema(*(stwReason *)a);
}

// stopTheWorld stops all Ps but the caller's.  The caller must not hold worldsema; several callers
// stop the world one after the other.  The result is for startTheWorld.
worldStop
stopTheWorld(stwReason reason) {
	semacquire(&worldsema);
	getg()->m->preemptoff = stwReason_String(reason);
	systemstack(stopTheWorld_1, &reason);
	return stopTheWorldContext;
}

static void
startTheWorld_1(void *a) {
	startTheWorldWithSema(0, *(worldStop *)a);
}

// startTheWorld undoes stopTheWorld.
void
startTheWorld(worldStop w) {
	systemstack(startTheWorld_1, &w);

	// worldsema is held until here, so gomaxprocs is fixed for who holds it.  It goes straight to
	// the next one who wants it: the operation is heavy enough to be fair.
	M *mp = acquirem();
	mp->preemptoff = NULL;
	semrelease1(&worldsema, true);
	releasem(mp);
}

// stopTheWorldGC is stopTheWorld at a time when no GC cycle runs, and none starts meanwhile.
worldStop
stopTheWorldGC(stwReason reason) {
	semacquire(&gcsema);
	return stopTheWorld(reason);
}

// startTheWorldGC undoes stopTheWorldGC.
void
startTheWorldGC(worldStop w) {
	startTheWorld(w);
	semrelease(&gcsema);
}

// stopTheWorldWithSema is stopTheWorld for who holds worldsema and has set m->preemptoff.  On g0.
worldStop
stopTheWorldWithSema(stwReason reason) {
	M *mp = getg()->m;

	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_STWStart(tl, reason);
		traceRelease(tl);
	}

	// Others may want to scan this goroutine while we wait for them.
	casGToWaitingForSuspendG(mp->curg, _Grunning, waitReasonStoppingTheWorld);

	// An M that waits for a lock of ours would never stop.
	if (mp->locks > 0)
		throw("stopTheWorld: holding locks");

	lock(&sched.lock);
	int64_t start = nanotime();
	atomic_StoreRelaxed(&sched.stopwait, gomaxprocs);
	atomic_Store(&sched.gcwaiting, true);
	preemptall();

	atomic_Store(&mp->p->status, (uint32_t)_Pgcstop);
	mp->p->gcStopTime = start;
	atomic_StoreRelaxed(&sched.stopwait, sched.stopwait - 1);

	for (int32_t i = 0; i < nallp; i++) {
		bool ok;
		syscallingThread thread = setBlockOnExitSyscall(allp[i], &ok);
		if (ok) {
			syscallingThread_gcstopP(&thread);
			syscallingThread_resume(&thread);
		}
	}

	int64_t now = nanotime();
	P *pp;
	while ((pp = pidleget(now, &now)) != NULL) {
		atomic_Store(&pp->status, (uint32_t)_Pgcstop);
		pp->gcStopTime = nanotime();
		atomic_StoreRelaxed(&sched.stopwait, sched.stopwait - 1);
	}
	stopStartingPs();
	bool wait = sched.stopwait > 0;
	unlock(&sched.lock);

	if (wait) {
		// A request can get lost: ask again now and then.
		while (!notetsleep(&sched.stopnote, 100 * 1000))
			preemptall();
		noteclear(&sched.stopnote);
	}

	int64_t finish = nanotime();
	if (stwReason_isGC(reason))
		timeHistogram_record(&sched.stwStoppingTimeGC, finish - start);
	else
		timeHistogram_record(&sched.stwStoppingTimeOther, finish - start);

	// Check, and add up the time for which Ps stood still until all did: part of the pause's CPU
	// time.
	int64_t stoppingCPUTime = 0;
	const char *bad = NULL;
	if (sched.stopwait != 0) {
		bad = "stopTheWorld: not stopped (stopwait != 0)";
	} else {
		for (int32_t i = 0; i < nallp; i++) {
			pp = allp[i];
			if (atomic_Load(&pp->status) != _Pgcstop)
				bad = "stopTheWorld: not stopped (status != _Pgcstop)";
			if (pp->gcStopTime == 0 && bad == NULL)
				bad = "stopTheWorld: broken CPU time accounting";
			stoppingCPUTime += finish - pp->gcStopTime;
			pp->gcStopTime = 0;
		}
	}
	if (atomic_Load(&freezing)) {
		// Somebody crashes, which spoils the checks above, and wants us to stop.
		lock(&deadlock);
		lock(&deadlock);
	}
	if (bad != NULL)
		throw(bad);

	worldStopped();

	casgstatus(mp->curg, _Gwaiting, _Grunning);

	return (worldStop){reason, start, finish, stoppingCPUTime};
}

// startTheWorldWithSema undoes stopTheWorldWithSema.  now is the time or 0; it is returned.  On g0.
int64_t
startTheWorldWithSema(int64_t now, worldStop w) {
	assertWorldStopped();

	M *me = acquirem();
	if (netpollinited()) {
		int32_t delta;
		gList list = netpoll(0, &delta);
		injectglist(&list);
		netpollAdjustWaiters(delta);
	}
	lock(&sched.lock);
	int32_t procs = gomaxprocs;
	if (newprocs != 0) {
		procs = newprocs;
		newprocs = 0;
	}
	P *p1 = procresize(procs);
	atomic_Store(&sched.gcwaiting, false);
	if (atomic_Load(&sched.sysmonwait)) {
		atomic_Store(&sched.sysmonwait, false);
		notewakeup(&sched.sysmonnote);
	}
	unlock(&sched.lock);

	worldStarted();

	while (p1 != NULL) {
		P *pp = p1;
		p1 = pp->link;
		if (pp->m != NULL) {
			M *mp = pp->m;
			atomic_StoreRelaxed(&pp->m, (M *)NULL);
			if (mp->nextp != NULL)
				throw("startTheWorld: inconsistent mp->nextp");
			mp->nextp = pp;
			notewakeup(&mp->park);
		} else {
			newm(NULL, pp, -1);
		}
	}

	if (now == 0)
		now = nanotime();
	int64_t totalTime = now - w.startedStopping;
	if (stwReason_isGC(w.reason))
		timeHistogram_record(&sched.stwTotalTimeGC, totalTime);
	else
		timeHistogram_record(&sched.stwTotalTimeOther, totalTime);
	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_STWDone(tl);
		traceRelease(tl);
	}

	// In case there is more to run than what was just started; those wake others if needed.
	wakep();
	releasem(me);
	return now;
}

struct forEachP_args {
	waitReason reason;
	void (*fn)(P *);
};

static void
forEachP_1(void *a) {
	struct forEachP_args *args = a;
	G *gp = getg()->m->curg;

	// Others may want to scan this goroutine while we wait for them.
	casGToWaitingForSuspendG(gp, _Grunning, args->reason);
	forEachPInternal(args->fn);
	casgstatus(gp, _Gwaiting, _Grunning);
}

// forEachP calls fn for every P when it is at a safe point: a P that runs does so itself, for the
// others we do.  When it returns every P has been at a safe point since the call.  worldsema is
// held.
void
forEachP(waitReason reason, void (*fn)(P *)) {
	struct forEachP_args args = {reason, fn};

	systemstack(forEachP_1, &args);
}

// forEachPInternal is forEachP on g0.  worldsema is held, and the goroutine can be suspended or no
// GC cycle runs.
void
forEachPInternal(void (*fn)(P *)) {
	M *mp = acquirem();
	P *pp = mp->p;

	lock(&sched.lock);
	if (sched.safePointWait != 0)
		throw("forEachP: sched.safePointWait != 0");
	sched.safePointWait = gomaxprocs - 1;
	sched.safePointFn = fn;

	for (int32_t i = 0; i < nallp; i++) {
		if (allp[i] != pp)
			atomic_Store(&allp[i]->runSafePointFn, 1U);
	}
	preemptall();

	// A P that goes idle or into a system call from now on sees runSafePointFn and does it.
	// sched.lock keeps the idle ones idle.
	for (P *p = sched.pidle; p != NULL; p = p->link) {
		if (atomic_Cas(&p->runSafePointFn, 1U, 0U)) {
			fn(p);
			sched.safePointWait--;
		}
	}
	runSafePointFnStarting();

	bool wait = sched.safePointWait > 0;
	unlock(&sched.lock);

	fn(pp);

	// Ps in system calls are handed off, which makes them run it.
	for (int32_t i = 0; i < nallp; i++) {
		P *p2 = allp[i];
		if (atomic_Load(&p2->runSafePointFn) != 1)
			continue;
		bool ok;
		syscallingThread thread = setBlockOnExitSyscall(p2, &ok);
		if (ok) {
			syscallingThread_takeP(&thread);
			syscallingThread_resume(&thread);
			handoffp(p2);
		}
	}

	if (wait) {
		while (!notetsleep(&sched.safePointNote, 100 * 1000))
			preemptall();
		noteclear(&sched.safePointNote);
	}
	if (sched.safePointWait != 0)
		throw("forEachP: not done");
	for (int32_t i = 0; i < nallp; i++) {
		if (atomic_Load(&allp[i]->runSafePointFn) != 0)
			throw("forEachP: P did not run fn");
	}

	lock(&sched.lock);
	sched.safePointFn = NULL;
	unlock(&sched.lock);
	releasem(mp);
}

// runSafePointFn runs the safe point function for this P, if nobody has.  To be called, if
// p->runSafePointFn is set, wherever a P goes idle or into a system call.
void
runSafePointFn(void) {
	P *pp = getg()->m->p;

	if (!atomic_Cas(&pp->runSafePointFn, 1U, 0U))
		return;
	sched.safePointFn(pp);
	lock(&sched.lock);
	sched.safePointWait--;
	if (sched.safePointWait == 0)
		notewakeup(&sched.safePointNote);
	unlock(&sched.lock);
}

// inplace_stop_on_gsignal stops gp in the signal handler; see proc.h and preempt.c.
bool
inplace_stop_on_gsignal(G *gp) {
	M *mp = getg()->m;
	M *nmp = NULL;

	lock(&sched.lock);
	bool stw = atomic_Load(&sched.gcwaiting);
	if (!stw) {
		// A time slice: some M has to be there for the P, as this is no place to make one.
		// With an idle M, that one goes by the queues.  Without, ask for one, and meanwhile
		// let a goroutine go on that was stopped in place earlier.
		nmp = mget();
		if (nmp == NULL) {
			wantSpareM_locked();
			G *gp2 = takeInplace(gp->m->p);
			if (gp2 == NULL) {
				unlock(&sched.lock);
				return false;
			}
			sched.nmidlelocked--;
			nmp = gp2->lockedm;
		}
	}

	// As a goroutine that is locked to its thread, from now on.
	bool locked = gp->lockedm != NULL;
	gp->lockedm = mp;
	mp->lockedg = gp;
	atomic_Xadd(&sched.ninplace, 1);
	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl))
		traceLocker_GoPreempt(tl);
	P *pp = releasep();
	casgstatus(gp, _Grunning, _Grunnable);
	if (traceLocker_ok(tl))
		traceRelease(tl);
	gp->m = NULL;
	atomic_StoreRelaxed(&mp->curg, (G *)NULL);
	globrunqput(gp);
	sched.nmidlelocked++;
	if (stw) {
		atomic_Store(&pp->status, (uint32_t)_Pgcstop);
		pp->gcStopTime = nanotime();
		atomic_StoreRelaxed(&sched.stopwait, sched.stopwait - 1);
		if (sched.stopwait == 0)
			notewakeup(&sched.stopnote);
	} else {
		nmp->nextp = pp;
		notewakeup(&nmp->park);
	}
	unlock(&sched.lock);

	// What mPark does, which is for g0.
	while (atomic_Load(&mp->park.key) == 0)
		futexsleep(&mp->park.key, 0, -1);
	noteclear(&mp->park);
	if (goroutineProfileActive())
		tryRecordGoroutineProfile(gp, osyield);

	atomic_StoreRelaxed(&mp->curg, gp);
	gp->m = mp;
	casgstatus(gp, _Grunnable, _Grunning);
	atomic_Xadd(&sched.ninplace, -1);
	acquirepNoTrace(mp->nextp);
	tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		mp->trace.gout = true; // the goroutine is not on it yet
		traceLocker_ProcStart(tl);
		mp->trace.gout = false;
		traceLocker_GoStart(tl);
		traceRelease(tl);
	}
	mp->nextp = NULL;
	if (!locked) {
		mp->lockedg = NULL;
		gp->lockedm = NULL;
	}
	atomic_StoreRelaxed(&gp->preempt, false);
	atomic_StoreRelaxed(&gp->stackguard0, gp->stack.lo);
	atomic_StoreRelaxed(&mp->p->schedtick, mp->p->schedtick + 1);
	return true;
}
