// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Goroutines: their states, life, parking.  Ports these sections of proc.go of Go 1.26.8.
//
// PORT: a goroutine takes its stack when it first runs (execute), so a free G has none, and gFree
// has one kind of list.  Until then gp->startcall holds its function and arguments, which are
// roots; newproc1 shades them while the barrier is on, for those who made their root job before.
// Gs lie in persistent memory; the table of all Gs doubles and leaves the outgrown one behind, so
// that readers need no lock.
// goready and newproc do not go to g0: the stack is big enough, and m.locks says that nobody may
// stop them.
// The pacer's stack bytes are the pages in use when the goroutine parked last, never the slot.
#include "sched/proc.h"

#include <errno.h>

#include "runtime/malloc_const.h"
#include "runtime/mbarrier.h"
#include "runtime/mgc.h"
#include "runtime/mstats.h"
#include "runtime/mwbbuf.h"
#include "runtime/panic.h"
#include "sched/mprof_goroutine.h"
#include "sched/preempt.h"
#include "sched/stack.h"
#include "sched/traceruntime.h"

_Static_assert(offsetof(G, stack.hi) == 8, "asm_amd64.S: G_STACK_HI");
_Static_assert(offsetof(G, m) == 24, "asm_amd64.S: G_M");
_Static_assert(offsetof(G, sched.sp) == 32, "asm_amd64.S: G_SCHED_SP");
_Static_assert(offsetof(G, sched.pc) == 40, "asm_amd64.S: G_SCHED_PC");
_Static_assert(offsetof(G, sched.bp) == 48, "asm_amd64.S: G_SCHED_BP");
_Static_assert(offsetof(M, g0) == 0, "asm_amd64.S: M_G0");
_Static_assert(offsetof(M, g0sp) == 8, "asm_amd64.S: M_G0SP");
_Static_assert(offsetof(M, gsignal) == 16, "asm_amd64.S: M_GSIGNAL");
_Static_assert(offsetof(struct gort_tls, g) == 0, "asm_amd64.S: TLS_G");
_Static_assert(offsetof(struct gort_tls, mcache) == 8, "asm_amd64.S: TLS_MCACHE");
_Static_assert(offsetof(gort_call, gpr) == 8, "asm_amd64.S: CALL_GPR");
_Static_assert(offsetof(gort_call, xmm) == 56, "asm_amd64.S: CALL_XMM");

enum {
	_GoidCacheBatch = 16, // goids that a P takes at once
	sudogcap = nelem(((P *)0)->sudogbuf),
	gfreeMax = 64, // of a P
};

mutex allglock;
uintptr_t allglen;        // atomic
static G **allgptr;       // atomic; allglock to write
static uintptr_t allgcap; // allglock

// Gosched lets others run.
void
Gosched(void) {
	mcall(gosched_m);
}

// goschedguarded_m is goschedguarded on g0.
static void goschedguarded_m(G *gp);

// goschedguarded lets others run unless preemption is forbidden.
void
goschedguarded(void) {
	mcall(goschedguarded_m);
}

// goschedIfBusy lets others run unless there is an idle P for them.
void
goschedIfBusy(void) {
	G *gp = getg();

	if (!atomic_LoadRelaxed(&gp->preempt) && atomic_Load(&sched.npidle) > 0)
		return;
	mcall(gosched_m);
}

// gopark blocks the goroutine; see proc.h.
void
gopark(bool (*unlockf)(G *, void *), void *lock_, waitReason reason) {
	G *gp = getg();
	M *mp = gp->m;
	uint32_t status = readgstatus(gp);

	if (status != _Grunning && status != _Gscanrunning)
		throw("gopark: bad g status");
	mp->waitlock = lock_;
	mp->waitunlockf = unlockf;
	gp->waitreason = reason;
	mcall(park_m);
}

// goparkunlock blocks the goroutine and unlocks l once it is off its stack.
void
goparkunlock(mutex *l, waitReason reason) {
	gopark(parkunlock_c, l, reason);
}

// acquireSudog returns an empty sudog, from the P's cache if it has one.
sudog *
acquireSudog(void) {
	// PORT: nobody stops us in here, so m.locks stays as it is.
	P *pp = getg()->m->p;

	if (unlikely(pp->nsudogcache == 0)) {
		lock(&sched.sudoglock);
		while (pp->nsudogcache < sudogcap / 2 && sched.sudogcache != NULL) {
			sudog *s = sched.sudogcache;
			sched.sudogcache = s->next;
			s->next = NULL;
			pp->sudogbuf[pp->nsudogcache++] = s;
		}
		unlock(&sched.sudoglock);
		if (pp->nsudogcache == 0) {
			pp->sudogbuf[pp->nsudogcache++] =
				persistentalloc(sizeof(sudog), 0, &memstats.other_sys);
		}
	}
	sudog *s = pp->sudogbuf[--pp->nsudogcache];
	pp->sudogbuf[pp->nsudogcache] = NULL;
	if (s->elem != NULL)
		throw("acquireSudog: found s.elem != nil in cache");
	return s;
}

// releaseSudog puts an emptied sudog back.
void
releaseSudog(sudog *s) {
	if (s->elem != NULL)
		throw("runtime: sudog with non-nil elem");
	if (s->isSelect)
		throw("runtime: sudog with non-false isSelect");
	if (s->next != NULL)
		throw("runtime: sudog with non-nil next");
	if (s->prev != NULL)
		throw("runtime: sudog with non-nil prev");
	if (s->waitlink != NULL)
		throw("runtime: sudog with non-nil waitlink");
	if (s->c != NULL)
		throw("runtime: sudog with non-nil c");
	G *gp = getg();
	if (gp->param != NULL)
		throw("runtime: releaseSudog with non-nil gp.param");

	P *pp = gp->m->p;
	if (unlikely(pp->nsudogcache == sudogcap)) {
		sudog *first = NULL, *last = NULL;
		while (pp->nsudogcache > sudogcap / 2) {
			sudog *p = pp->sudogbuf[--pp->nsudogcache];
			pp->sudogbuf[pp->nsudogcache] = NULL;
			if (first == NULL)
				first = p;
			else
				last->next = p;
			last = p;
		}
		lock(&sched.sudoglock);
		last->next = sched.sudogcache;
		sched.sudogcache = first;
		unlock(&sched.sudoglock);
	}
	pp->sudogbuf[pp->nsudogcache++] = s;
}

// badmcall and badmcall2 are what mcall calls when it was misused.
void
badmcall(void) {
	throw("runtime: mcall called on m->g0 stack");
}

void
badmcall2(void) {
	throw("runtime: mcall function returned");
}

// lockedOSThread reports whether the goroutine is tied to its thread.
bool
lockedOSThread(void) {
	G *gp = getg();

	return gp->lockedm != NULL && gp->m->lockedg != NULL;
}

// allgadd makes gp known.  It has a status other than _Gidle already.
static void
allgadd(G *gp) {
	if (readgstatus(gp) == _Gidle)
		throw("allgadd: bad status Gidle");

	lock(&allglock);
	uintptr_t n = allglen;
	G **tab = allgptr;
	if (n == allgcap) {
		uintptr_t cap = allgcap == 0 ? 512 : 2 * allgcap;
		G **bigger = persistentalloc(cap * sizeof(G *), 0, &memstats.other_sys);
		if (n > 0)
			memcpy(bigger, tab, n * sizeof(G *));
		tab = bigger;
		allgcap = cap;
		atomic_Store(&allgptr, tab);
	}
	tab[n] = gp;
	atomic_Store(&allglen, n + 1);
	unlock(&allglock);
}

// allGsSnapshot returns all Gs that there are.  The world is stopped or allglock held.
G **
allGsSnapshot(uintptr_t *n) {
	assertWorldStoppedOrLockHeld(&allglock);

	return atomicAllG(n);
}

// atomicAllG returns the Gs made so far, without a lock.
G **
atomicAllG(uintptr_t *n) {
	// The length first: a table is at least as long as any length that was read before it.
	*n = atomic_Load(&allglen);
	return atomic_Load(&allgptr);
}

// forEachG calls fn for all Gs, and keeps new ones from being added.
void
forEachG(void (*fn)(G *gp, void *arg), void *arg) {
	lock(&allglock);
	for (uintptr_t i = 0; i < allglen; i++)
		fn(allgptr[i], arg);
	unlock(&allglock);
}

// forEachGRace calls fn for all Gs; new ones may be missed.
void
forEachGRace(void (*fn)(G *gp, void *arg), void *arg) {
	uintptr_t n;
	G **tab = atomicAllG(&n);

	for (uintptr_t i = 0; i < n; i++)
		fn(tab[i], arg);
}

// dumpgstatus prints a goroutine's state, for a throw.
void
dumpgstatus(G *gp) {
	G *thisg = getg();

	print("runtime:   gp: gp=%p, goid=%lu, gp->atomicstatus=%u\n", (void *)gp, gp->goid,
		readgstatus(gp));
	print("runtime: getg:  g=%p, goid=%lu,  g->atomicstatus=%u\n", (void *)thisg, thisg->goid,
		readgstatus(thisg));
}

// ready_traced is ready's transition while something is traced.
static COLD void
ready_traced(G *gp, int traceskip) {
	traceLocker tl = traceAcquire();

	casgstatus(gp, _Gwaiting, _Grunnable);
	if (traceLocker_ok(tl)) {
		traceLocker_GoUnpark(tl, gp, traceskip);
		traceRelease(tl);
	}
}

// ready1 makes gp, which waits, runnable.
static ALWAYS_INLINE void
ready1(G *gp, int traceskip, bool next) {
	uint32_t status = readgstatus(gp);
	M *mp = acquirem1(); // the P stays ours

	if (unlikely((status & ~(uint32_t)_Gscan) != _Gwaiting)) {
		dumpgstatus(gp);
		throw("bad g->status in ready");
	}
	if (likely(!traceEnabled()))
		casgstatus(gp, _Gwaiting, _Grunnable);
	else
		ready_traced(gp, traceskip);
	runqput(mp->p, gp, next);
	wakep();
	releasem1(mp);
}

// ready is for the runtime's own reasons.
void
ready(G *gp, bool next) {
	ready1(gp, 0, next);
}

// goready is for what the program has called.
void
goready(G *gp) {
	ready1(gp, traceSkipAPI, true);
}

// readgstatus reads a goroutine's state.
uint32_t
readgstatus(G *gp) {
	return atomic_Load(&gp->atomicstatus);
}

// casfrom_Gscanstatus gives back the hold that _Gscan is.
void
casfrom_Gscanstatus(G *gp, uint32_t oldval, uint32_t newval) {
	bool success = false;

	switch (oldval) {
	case _Gscanrunnable:
	case _Gscanwaiting:
	case _Gscanrunning:
	case _Gscansyscall:
	case _Gscanpreempted:
		if (newval == (oldval & ~(uint32_t)_Gscan))
			success = atomic_Cas(&gp->atomicstatus, oldval, newval);
		break;
	default:
		print("runtime: casfrom_Gscanstatus bad oldval gp=%p, oldval=0x%x, newval=0x%x\n",
			(void *)gp, oldval, newval);
		dumpgstatus(gp);
		throw("casfrom_Gscanstatus:top gp->status is not in scan state");
	}
	if (!success) {
		print("runtime: casfrom_Gscanstatus failed gp=%p, oldval=0x%x, newval=0x%x\n",
			(void *)gp, oldval, newval);
		dumpgstatus(gp);
		throw("casfrom_Gscanstatus: gp->status is not in scan state");
	}
#ifdef GORT_LOCKRANK
	releaseLockRankAndM(lockRankGscan);
#endif
}

// castogscanstatus takes hold of gp if it is in state oldval.
bool
castogscanstatus(G *gp, uint32_t oldval, uint32_t newval) {
	switch (oldval) {
	case _Grunnable:
	case _Grunning:
	case _Gwaiting:
	case _Gsyscall:
		if (newval == (oldval | _Gscan)) {
			bool r = atomic_Cas(&gp->atomicstatus, oldval, newval);
#ifdef GORT_LOCKRANK
			if (r)
				acquireLockRankAndM(lockRankGscan);
#endif
			return r;
		}
	}
	print("runtime: castogscanstatus oldval=0x%x newval=0x%x\n", oldval, newval);
	throw("bad oldval passed to castogscanstatus");
}

struct casgstatus_args {
	uint32_t oldval;
	uint32_t newval;
};

static void
casgstatus_1(void *a) {
	struct casgstatus_args *args = a;

	print("runtime: casgstatus: oldval=0x%x newval=0x%x\n", args->oldval, args->newval);
	throw("casgstatus: bad incoming values");
}

static void
casgstatus_2(void *a) {
	throw("casgstatus: waiting for Gwaiting but is Grunnable");
}

// casgstatus_slow is casgstatus when the first try failed: a scan holds gp, so wait for its end.
void
casgstatus_slow(G *gp, uint32_t oldval, uint32_t newval) {
	if ((oldval & _Gscan) != 0 || (newval & _Gscan) != 0 || oldval == newval) {
		struct casgstatus_args args = {oldval, newval};
		systemstack(casgstatus_1, &args);
	}

	const int64_t yieldDelay = 5 * 1000;
	int64_t nextYield = 0;
	for (int i = 0; !atomic_Cas(&gp->atomicstatus, oldval, newval); i++) {
		if (oldval == _Gwaiting && atomic_Load(&gp->atomicstatus) == _Grunnable)
			systemstack(casgstatus_2, NULL);
		if (i == 0)
			nextYield = nanotime() + yieldDelay;
		if (nanotime() < nextYield) {
			for (int x = 0; x < 10 && atomic_Load(&gp->atomicstatus) != oldval; x++)
				procyield(1);
		} else {
			osyield();
			nextYield = nanotime() + yieldDelay / 2;
		}
	}
}

// casgstatus_track measures, for one in gTrackingPeriod goroutines, how long it is runnable and how
// long it waits for mutexes.
void
casgstatus_track(G *gp, uint32_t oldval, uint32_t newval) {
	int64_t now;

	switch (oldval) {
	case _Grunnable:
		gp->runnableTime += nanotime() - gp->trackingStamp;
		gp->trackingStamp = 0;
		break;
	case _Gwaiting:
		if (!waitReason_isMutexWait(gp->waitreason))
			break;
		// A sample: it stands for gTrackingPeriod waits.
		now = nanotime();
		atomic_Xadd(&sched.totalMutexWaitTime, (now - gp->trackingStamp) * gTrackingPeriod);
		gp->trackingStamp = 0;
		break;
	}
	switch (newval) {
	case _Gwaiting:
		if (waitReason_isMutexWait(gp->waitreason))
			gp->trackingStamp = nanotime();
		break;
	case _Grunnable:
		gp->trackingStamp = nanotime();
		break;
	case _Grunning:
		gp->tracking = false;
		timeHistogram_record(&sched.timeToRun, gp->runnableTime);
		gp->runnableTime = 0;
		break;
	}
}

// casGToWaiting moves gp to _Gwaiting for the given reason.
void
casGToWaiting(G *gp, uint32_t old, waitReason reason) {
	gp->waitreason = reason; // casgstatus looks at it
	casgstatus(gp, old, _Gwaiting);
}

// casGToWaitingForSuspendG is the same for a goroutine that only lets others scan it.
void
casGToWaitingForSuspendG(G *gp, uint32_t old, waitReason reason) {
	if (!waitReason_isWaitingForSuspendG(reason))
		throw("casGToWaitingForSuspendG with non-isWaitingForSuspendG wait reason");
	casGToWaiting(gp, old, reason);
}

// casGToPreemptScan moves gp from _Grunning to _Gscan|_Gpreempted.
void
casGToPreemptScan(G *gp, uint32_t old, uint32_t new_) {
	if (old != _Grunning || new_ != _Gscanpreempted)
		throw("bad g transition");
#ifdef GORT_LOCKRANK
	acquireLockRankAndM(lockRankGscan);
#endif
	while (!atomic_Cas(&gp->atomicstatus, (uint32_t)_Grunning, (uint32_t)_Gscanpreempted))
		procyield(1);
}

// casGFromPreempted tries to move gp from _Gpreempted to _Gwaiting; who succeeds has to ready it.
bool
casGFromPreempted(G *gp, uint32_t old, uint32_t new_) {
	if (old != _Gpreempted || new_ != _Gwaiting)
		throw("bad g transition");
	gp->waitreason = waitReasonPreempted;
	return atomic_Cas(&gp->atomicstatus, (uint32_t)_Gpreempted, (uint32_t)_Gwaiting);
}

// ---- park, yield, exit ------------------------------------------------------------------------------

// dropg ends the tie between the M and its goroutine, whose status the caller has changed.  What
// libc keeps per thread and the goroutine thinks of as its own is saved.
void
dropg(void) {
	M *mp = getg()->m;
	G *gp = mp->curg;

	gp->errno_ = *mp->errnop;
	if (unlikely(mp->cxap != NULL)) {
		gp->cxa[0] = mp->cxap[0];
		gp->cxa[1] = mp->cxap[1];
	}
	atomic_StoreRelaxed(&gp->m, (M *)NULL);
	atomic_StoreRelaxed(&mp->curg, (G *)NULL);
}

// parkunlock_c is goparkunlock's unlock function.
bool
parkunlock_c(G *gp, void *l) {
	unlock(l);
	return true;
}

// notestack tells the pacer how much of its stack gp, which is off it, has in use.
static inline void
notestack(P *pp, G *gp) {
	uintptr_t inuse = alignUp(gp->stack.hi - gp->sched.sp, 4096);

	if (unlikely(inuse != gp->stackinuse)) {
		gcControllerState_addScannableStack(
			&gcController, pp, (int64_t)inuse - (int64_t)gp->stackinuse);
		gp->stackinuse = inuse;
	}
}

// park_traced is park_m's transition while something is traced.  The stack is read while it is still
// ours.
static COLD void
park_traced(G *gp) {
	traceLocker tl = traceAcquire();

	if (traceLocker_ok(tl))
		traceLocker_GoPark(tl, gp->waitreason);
	casgstatus(gp, _Grunning, _Gwaiting);
	if (traceLocker_ok(tl))
		traceRelease(tl);
}

// park_m is gopark on g0.
void
park_m(G *gp) {
	M *mp = getg()->m;

	notestack(mp->p, gp);
	if (likely(!traceEnabled()))
		casgstatus(gp, _Grunning, _Gwaiting);
	else
		park_traced(gp);
	dropg();

	bool (*fn)(G *, void *) = mp->waitunlockf;
	if (fn != NULL) {
		bool ok = fn(gp, mp->waitlock);
		mp->waitunlockf = NULL;
		mp->waitlock = NULL;
		if (!ok) {
			if (likely(!traceEnabled()))
				casgstatus(gp, _Gwaiting, _Grunnable);
			else
				ready_traced(gp, 0);
			execute(gp, true);
		}
	}
	schedule();
}

// gosched_traced is goschedImpl's transition while something is traced.
static COLD void
gosched_traced(G *gp, bool preempted) {
	traceLocker tl = traceAcquire();

	if (traceLocker_ok(tl)) {
		if (preempted)
			traceLocker_GoPreempt(tl);
		else
			traceLocker_GoSched(tl);
	}
	casgstatus(gp, _Grunning, _Grunnable);
	if (traceLocker_ok(tl))
		traceRelease(tl);
}

// goschedImpl puts the running goroutine on a queue and schedules.  On g0.
_Noreturn static void
goschedImpl(G *gp, bool preempted) {
	P *pp = gp->m->p;
	uint32_t status = readgstatus(gp);

	if ((status & ~(uint32_t)_Gscan) != _Grunning) {
		dumpgstatus(gp);
		throw("bad g status");
	}
	notestack(pp, gp);
	if (likely(!traceEnabled()))
		casgstatus(gp, _Grunning, _Grunnable);
	else
		gosched_traced(gp, preempted);
	dropg();
	if (preempted && atomic_Load(&sched.gcwaiting)) {
		// Only the stop of the world interrupts it: it goes on right after.
		runqput(pp, gp, true);
	} else {
		lock(&sched.lock);
		globrunqput(gp);
		unlock(&sched.lock);
	}
	if (mainStarted)
		wakep();
	schedule();
}

// gosched_m is Gosched on g0.
void
gosched_m(G *gp) {
	goschedImpl(gp, false);
}

static void
goschedguarded_m(G *gp) {
	if (!canPreemptM(gp->m))
		gogo(gp);
	goschedImpl(gp, false);
}

// gopreempt_m is Gosched as a preemption, on g0.
void
gopreempt_m(G *gp) {
	goschedImpl(gp, true);
}

// preemptPark parks gp in _Gpreempted, where suspendG finds it.  On g0.
void
preemptPark(G *gp) {
	uint32_t status = readgstatus(gp);

	if ((status & ~(uint32_t)_Gscan) != _Grunning) {
		dumpgstatus(gp);
		throw("bad g status");
	}
	notestack(gp->m->p, gp);
	// Once it is _Gpreempted somebody may take it at once, but while it is _Grunning it needs an
	// M: the scan bit covers dropg.
	casGToPreemptScan(gp, _Grunning, _Gscanpreempted);

	// The event too: once it is _Gpreempted somebody may ready it, and say so first.
	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl))
		traceLocker_GoPark(tl, waitReasonPreempted);
	dropg();
	casfrom_Gscanstatus(gp, _Gscanpreempted, _Gpreempted);
	if (traceLocker_ok(tl))
		traceRelease(tl);
	schedule();
}

// goyield_m is goyield on g0.
static void
goyield_m(G *gp) {
	P *pp = gp->m->p;

	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl))
		traceLocker_GoPreempt(tl);
	casgstatus(gp, _Grunning, _Grunnable);
	if (traceLocker_ok(tl))
		traceRelease(tl);
	dropg();
	runqput(pp, gp, false);
	schedule();
}

// goyield lets others run, and puts the goroutine on the queue of its P.
void
goyield(void) {
	mcall(goyield_m);
}

// goexit0 ends a goroutine, on g0.
static void
goexit0(G *gp) {
	gdestroy(gp);
	schedule();
}

// goexit1 ends the goroutine.
void
goexit1(void) {
	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_GoEnd(tl);
		traceRelease(tl);
	}
	mcall(goexit0);
	__builtin_unreachable();
}

// gdestroy makes gp, which the caller has just left, a free G.  It does not return if the thread
// has to end with it.
void
gdestroy(G *gp) {
	M *mp = getg()->m;
	P *pp = mp->p;

	casgstatus(gp, _Grunning, _Gdead);
	if (gp->issystem)
		atomic_Xadd(&sched.ngsys, -1);
	if (gp->stackinuse != 0) {
		gcControllerState_addScannableStack(&gcController, pp, -(int64_t)gp->stackinuse);
		gp->stackinuse = 0;
	}
	bool locked = gp->lockedm != NULL;
	gp->lockedm = NULL;
	mp->lockedg = NULL;
	atomic_StoreRelaxed(&gp->preemptStop, false);
	gp->_defer = NULL;
	gp->_panic = NULL;
	gp->pcall = NULL;
	gp->waitreason = waitReasonZero;
	gp->param = NULL;
	if (unlikely(gp->labels != NULL))
		wbstore(&gp->labels, NULL);

	int64_t credit = atomic_LoadRelaxed(&gp->gcAssistBytes);
	if (credit > 0 && atomic_Load(&gcBlackenEnabled) != 0) {
		// Its credit goes to all, for the pacing of programs that make many goroutines.
		double assistWorkPerByte;
		__atomic_load(
			&gcController.assistWorkPerByte, &assistWorkPerByte, __ATOMIC_RELAXED);
		int64_t scanCredit = (int64_t)(assistWorkPerByte * (double)credit);
		atomic_Xadd(&gcController.bgScanCredit, scanCredit);
		gp->gcAssistBytes = 0;
	}

	dropg();

	if (locked && mp->lockedInt != 0) {
		print("runtime: mp.lockedInt = %u\n", mp->lockedInt);
		throw("exited a goroutine internally locked to the OS thread");
	}
	stackfree(gp->stack, gp->stackslot);
	gp->stack = (stack){0};
	atomic_StoreRelaxed(&gp->sched.sp, (uintptr_t)0);
	gfput(pp, gp);
	if (locked) {
		// The thread may be in a state that only this goroutine wanted: end it.
		mleave_asm(mp->g0);
	}
}

// malg makes a G with a stack for an M (g0, gsignal), or without one if stacksize <= 0.
G *
malg(intptr_t stacksize) {
	G *newg = persistentalloc(sizeof(G), CacheLinePadSize, &memstats.other_sys);

	if (stacksize > 0) {
		newg->stack = stackofg0((uintptr_t)stacksize);
		newg->stackguard0 = newg->stack.lo;
	}
	return newg;
}

// newproc starts fn(arg) as a goroutine of the runtime.
G *
newproc(void (*fn)(void *), void *arg) {
	gort_call call = {.fn = (void *)fn, .gpr[0] = (uintptr_t)arg};
	G *gp = getg();

	M *mp = acquirem();
	G *newg = newproc1(&call, stackClassDefault, gp, getcallerpc(), false, waitReasonZero);
	newg->issystem = true;
	atomic_Xadd(&sched.ngsys, 1);
	runqput(mp->p, newg, true);
	if (mainStarted)
		wakep();
	releasem(mp);
	return newg;
}

// newproc_call starts a captured call as a goroutine.
G *
newproc_call(const gort_call *call, uint32_t stackclass_, uintptr_t callerpc) {
	M *mp = acquirem();
	G *newg = newproc1(call, stackclass_, getg(), callerpc, false, waitReasonZero);

	runqput(mp->p, newg, true);
	if (mainStarted)
		wakep();
	releasem(mp);
	return newg;
}

// newproc_traced is newproc1's transition while something is traced.  The sequence numbers of an
// earlier goroutine with this G are of an earlier generation otherwise.
static COLD void
newproc_traced(G *newg, uint32_t status, bool parked) {
	traceLocker tl = traceAcquire();

	casgstatus(newg, _Gdead, status);
	newg->trace.r.seq[0] = newg->trace.r.seq[1] = 0;
	if (traceLocker_ok(tl)) {
		traceLocker_GoCreate(tl, newg, newg->startpc, parked);
		traceRelease(tl);
	}
}

// newproc1 makes a goroutine, runnable or, if parked, waiting.  The caller queues it.
G *
newproc1(const gort_call *call, uint32_t stackclass_, G *callergp, uintptr_t callerpc, bool parked,
	waitReason waitreason) {
	if (call->fn == NULL)
		fatal("go of nil func value");

	M *mp = acquirem();
	P *pp = mp->p;
	G *newg = gfget(pp);
	if (unlikely(newg == NULL)) {
		newg = malg(0);
		casgstatus(newg, _Gidle, _Gdead);
		allgadd(newg);
	}
	if (readgstatus(newg) != _Gdead)
		throw("newproc1: new g is not Gdead");

	newg->startcall = *call;
	if (unlikely(atomic_LoadRelaxed(&gort_writeBarrier) != 0)) {
		// A mark worker that has been at this G already does not come back.
		for (int i = 0; i < 6; i++)
			*wbBuf_get1(&pp->wbBuf) = call->gpr[i];
	}
	newg->stackslot = stackclass_;
	newg->parentGoid = callergp->goid;
	newg->gopc = callerpc;
	newg->startpc = (uintptr_t)call->fn;
	newg->issystem = false;
	newg->asyncok = false;
	newg->errno_ = 0;
	newg->cxa[0] = newg->cxa[1] = NULL;
	if (unlikely(mp->curg != NULL && mp->curg->labels != NULL))
		wbstore(&newg->labels, mp->curg->labels);
	newg->trackingSeq = (uint8_t)cheaprand();
	newg->tracking = newg->trackingSeq % gTrackingPeriod == 0;

	uint32_t status = _Grunnable;
	if (parked) {
		status = _Gwaiting;
		newg->waitreason = waitreason;
	}
	if (pp->goidcache == pp->goidcacheend) {
		pp->goidcache =
			atomic_Xadd(&sched.goidgen, _GoidCacheBatch) - (_GoidCacheBatch - 1);
		pp->goidcacheend = pp->goidcache + _GoidCacheBatch;
	}
	newg->goid = pp->goidcache++;
	if (goroutineProfileActive()) {
		// It is not one of those that the profile shows.
		atomic_Store(&newg->goroutineProfiled, (uint32_t)goroutineProfileSatisfied);
	}
	if (likely(!traceEnabled()))
		casgstatus(newg, _Gdead, status);
	else
		newproc_traced(newg, status, parked);
	pp->goroutinesCreated++;
	releasem(mp);
	return newg;
}

// gfput puts a dead G on the P's free list.
void
gfput(P *pp, G *gp) {
	if (readgstatus(gp) != _Gdead)
		throw("gfput: bad status (not Gdead)");

	gList_push(&pp->gFree, gp);
	if (unlikely(pp->gFree.size >= gfreeMax)) {
		gQueue q = {0};
		while (pp->gFree.size >= gfreeMax / 2)
			gQueue_push(&q, gList_pop(&pp->gFree));
		lock(&sched.gFree.lock);
		gList_pushAll(&sched.gFree.noStack, q);
		unlock(&sched.gFree.lock);
	}
}

// gfget takes a dead G; NULL if there is none.
G *
gfget(P *pp) {
	while (unlikely(gList_empty(&pp->gFree))) {
		if (gList_empty(&sched.gFree.noStack))
			return NULL;
		lock(&sched.gFree.lock);
		while (pp->gFree.size < gfreeMax / 2) {
			G *gp = gList_pop(&sched.gFree.noStack);
			if (gp == NULL)
				break;
			gList_push(&pp->gFree, gp);
		}
		unlock(&sched.gFree.lock);
	}
	return gList_pop(&pp->gFree);
}

// gfpurge gives all free Gs of a P to the global list.
void
gfpurge(P *pp) {
	gQueue q = {0};

	while (!gList_empty(&pp->gFree))
		gQueue_push(&q, gList_pop(&pp->gFree));
	lock(&sched.gFree.lock);
	gList_pushAll(&sched.gFree.noStack, q);
	unlock(&sched.gFree.lock);
}

// gcount is the number of goroutines; those of the runtime only if includeSys.
RACY int32_t
gcount(bool includeSys) {
	int32_t n = (int32_t)atomic_Load(&allglen) - sched.gFree.noStack.size;

	if (!includeSys)
		n -= atomic_Load(&sched.ngsys);
	for (int32_t i = 0; i < nallp; i++)
		n -= allp[i]->gFree.size;
	// All of that changes meanwhile, but one goroutine asks.
	return n < 1 ? 1 : n;
}
