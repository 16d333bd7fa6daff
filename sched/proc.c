// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The scheduler: start-up and the search for work.  Ports proc.go of Go 1.26.8; its other sections
// are in the files proc_*.c.
//
// It distributes runnable goroutines (G) over threads (M), of which those that run user code hold
// one of GOMAXPROCS processors (P).  A P has its own run queue, allocation cache and timers, so
// that the common paths take no lock.
//
// The hard question is when to park and when to wake threads.  Parking too late burns CPU, too
// early loses parallelism, and no thread can see the whole state, as it is distributed on purpose.
// Go rejected: central state (does not scale); handing the P over on every ready (throws threads
// around, and most goroutines block right after readying another); waking a thread for every ready
// (most find nothing).  What it does:
//
//   - An M without work spins for a while: it looks in all queues, at timers and at the poller,
//     before it gives its P up and parks.  At most half as many Ms spin as Ps are busy.
//   - Who makes work wakes an M only if there is an idle P and no M spins (wakep).
//   - A spinning M that finds work wakes another spinner if it was the last (resetspinning).
//
// So there is a race between the end of spinning and the submission of work, and each side closes
// it with store, fence, load: the submitter queues, fences, checks nmspinning; the spinner
// decrements nmspinning, fences, checks all queues again.
//
// PORT: no finalizer, cleanup or cgo steps.  There is a note on threads in
// proc_m.c: Ms are made by a thread of their own.
#include "sched/proc.h"

#include "runtime/malloc.h"
#include "runtime/malloc_const.h"
#include "runtime/mcache.h"
#include "runtime/mgc.h"
#include "runtime/mgcmark.h"
#include "runtime/mprof.h"
#include "runtime/mroots.h"
#include "runtime/mstats.h"
#include "runtime/os_linux.h"
#include "runtime/panic.h"
#include "runtime/rand.h"
#include "runtime/runtime1.h"
#include "sched/cpuprof.h"
#include "sched/fiber.h"
#include "sched/mprof_goroutine.h"
#include "sched/netpoll.h"
#include "sched/preempt.h"
#include "sched/sema.h"
#include "sched/signal_unix.h"
#include "sched/stack.h"
#include "sched/symtab.h"
#include "sched/traceback.h"
#include "sched/traceruntime.h"

__thread struct gort_tls gort_tls;
uint32_t executeHooks;

M m0;
G g0;
mcache *mcache0;
bool mainStarted;
int64_t runtimeInitTime;

M *allm;
int32_t gomaxprocs;
int32_t numCPUStartup;
forcegcstate forcegc;
schedt sched;
int32_t newprocs;
mutex allpLock;
P **allp;
int32_t nallp;
int32_t capallp;

enum { m0StackSize = 256 << 10 };

static void (*mainfn_)(void); // what runtime_start was given

static void
runtime_main_1(void *a) {
	newm(sysmon, NULL, -1);
	newm(threadmaker, NULL, -1);
}

// runtime_main starts what runs besides the program, and then the program.
static void
runtime_main(void) {
	// newproc may start Ms from here on.
	mainStarted = true;

	systemstack(runtime_main_1, NULL);

	lockOSThread();
	if (getg()->m != &m0)
		throw("runtime.main not on m0");

	runtimeInitTime = nanotime();
	if (runtimeInitTime == 0)
		throw("nanotime returning zero");

	newproc(forcegchelper, NULL);
	gcenable();
	defaultGOMAXPROCSUpdateEnable();
	unlockOSThread();
	trace_fromenv();

	mainfn_();
}

// forcegchelper is the goroutine that sysmon wakes when there was no GC for two minutes.
void
forcegchelper(void *arg) {
	forcegc.g = getg();
	lockInit(&forcegc.lock, lockRankForcegc);
	for (;;) {
		lock(&forcegc.lock);
		if (atomic_Load(&forcegc.idle))
			throw("forcegc: phase error");
		atomic_Store(&forcegc.idle, true);
		goparkunlock(&forcegc.lock, waitReasonForceGCIdle);
		if (debug.gctrace > 0)
			print("GC forced\n");
		gcStart((gcTrigger){.kind = gcTriggerTime, .now = nanotime()});
	}
}

// schedinit sets everything up, on m0 and with the world stopped.
void
schedinit(void) {
	lockInit(&sched.lock, lockRankSched);
	lockInit(&sched.sysmonlock, lockRankSysmon);
	lockInit(&sched.sudoglock, lockRankSudog);
	lockInit(&deadlock, lockRankDeadlock);
	lockInit(&paniclk, lockRankPanic);
	lockInit(&allglock, lockRankAllg);
	lockInit(&allpLock, lockRankAllp);
	lockInit(&computeMaxProcsLock, lockRankComputeMaxProcs);
	lockInit(&memstats.heapStats.noPLock, lockRankLeafRank);
	traceLockInit();
	proc_m_init();
	mprofinit();
	cpuprofinit();

	sched.maxmcount = 10000;

	worldStopped();

	preemptinit();
	forkinit();
	randinit();
	mallocinit();
	mcommoninit(getg()->m, -1);
	gcinit();
	mgcmark_drain_init();
	roots_init();
	defaultGOMAXPROCSInit();

	lock(&sched.lock);
	atomic_Store(&sched.lastpoll, nanotime());
	const char *s = gogetenv("GOMAXPROCS");
	bool ok = false;
	int32_t procs = s == NULL ? 0 : runtime_atoi32(s, &ok);
	if (ok && procs > 0)
		sched.customGOMAXPROCS = true;
	else
		procs = defaultGOMAXPROCS(numCPUStartup);
	if (procresize(procs) != NULL)
		throw("unknown runnable goroutine during bootstrap");
	unlock(&sched.lock);

	worldStarted();
}

// M_becomeSpinning makes the M one that looks for work.
void
M_becomeSpinning(M *mp) {
	mp->spinning = true;
	atomic_Xadd(&sched.nmspinning, 1);
	atomic_Store(&sched.needspinning, 0);
}

// execute1 is execute.  hooked is known at compile time.
static ALWAYS_INLINE _Noreturn void
execute1(G *gp, bool inheritTime, bool hooked) {
	M *mp = getg()->m;

	if (hooked && goroutineProfileActive()) {
		// As it was when the profile began.
		tryRecordGoroutineProfile(gp, osyield);
	}

	atomic_StoreRelaxed(&mp->curg, gp);
	atomic_StoreRelaxed(&gp->m, mp);
	gp->syncSafePoint = false;
	casgstatus(gp, _Grunnable, _Grunning);
	atomic_StoreRelaxed(&gp->waitsince, 0);
	atomic_StoreRelaxed(&gp->preempt, false);
	atomic_StoreRelaxed(&gp->stackguard0, gp->stack.lo);
	if (!inheritTime)
		atomic_StoreRelaxed(&mp->p->schedtick, mp->p->schedtick + 1);

	if (hooked) {
		int32_t hz = atomic_LoadRelaxed(&sched.profilehz);
		if (mp->profilehz != hz)
			setThreadCPUProfiler(hz);
	}

	*mp->errnop = gp->errno_;
	if (unlikely(mp->cxap != NULL)) {
		mp->cxap[0] = gp->cxa[0];
		mp->cxap[1] = gp->cxa[1];
	}
	if (hooked) {
		// Before the event of a new stack.
		traceLocker tl = traceAcquire();
		if (traceLocker_ok(tl)) {
			traceLocker_GoStart(tl);
			traceRelease(tl);
		}
	}
	if (gp->stack.lo == 0) {
		gp->stack = stackalloc(gp->stackslot);
		if (!atomic_LoadRelaxed(&gp->preempt))
			atomic_StoreRelaxed(&gp->stackguard0, gp->stack.lo);
		gostart(gp, &gp->startcall);
	}
	gogo(gp);
}

static COLD _Noreturn void
execute_hooked(G *gp, bool inheritTime) {
	execute1(gp, inheritTime, true);
}

// execute runs gp on this M.  If inheritTime, it goes on in the time slice of the one before.
void
execute(G *gp, bool inheritTime) {
	if (unlikely(atomic_LoadRelaxed(&executeHooks) != 0))
		execute_hooked(gp, inheritTime);
	execute1(gp, inheritTime, false);
}

// readied_traced is readied while something is traced.
static COLD void
readied_traced(G *gp) {
	traceLocker tl = traceAcquire();

	casgstatus(gp, _Gwaiting, _Grunnable);
	if (traceLocker_ok(tl)) {
		traceLocker_GoUnpark(tl, gp, 0);
		traceRelease(tl);
	}
}

// readied makes gp, which findRunnable is about to return, runnable.
static inline G *
readied(G *gp) {
	if (likely(!traceEnabled()))
		casgstatus(gp, _Gwaiting, _Grunnable);
	else
		readied_traced(gp);
	return gp;
}

// fromGlobalQueue takes this P's share of the global queue, all but the one returned to the local
// one.  sched.lock must be held; it is released.
static G *
fromGlobalQueue(P *pp) {
	gQueue q;
	G *gp = globrunqgetbatch(nelem(pp->runq) / 2, &q);

	unlock(&sched.lock);
	if (gp != NULL) {
		runqputbatch(pp, &q);
		if (!gQueue_empty(&q))
			throw("Couldn't put Gs into empty local runq");
	}
	return gp;
}

static G *stealWork(
	int64_t now, bool *inheritTime, int64_t *rnow, int64_t *pollUntil, bool *newWork);
static P *checkRunqsNoP(P **allpSnapshot, int32_t n, pMask idlepMaskSnapshot);
static int64_t checkTimersNoP(
	P **allpSnapshot, int32_t n, pMask timerpMaskSnapshot, int64_t pollUntil);
static P *checkIdleGCNoP(G **gp);

// findRunnable finds a goroutine to run, and blocks until there is one.  *tryWakeP: it is not a
// normal one (a GC worker), so the caller should try to wake another P.
G *
findRunnable(bool *inheritTime, bool *tryWakeP) {
	M *mp = getg()->m;
	G *gp;

	*inheritTime = false;
	*tryWakeP = false;

	// If something is found here, handoffp has to start an M for it too: keep the two alike.
top:;
	P *pp = mp->p;
	if (unlikely(atomic_Load(&sched.gcwaiting))) {
		gcstopm();
		goto top;
	}
	if (unlikely(atomic_LoadRelaxed(&pp->runSafePointFn) != 0)) {
		runSafePointFn();
	}

	// now and pollUntil stay good enough for stealWork: nothing blocks in between.
	int64_t now = 0, pollUntil = 0, next = timers_wakeTime(&pp->timers);
	uint64_t tsc = 0;
	if (next != 0) {
		tsc = (uint64_t)cputicks();
		now = timers_checkOwn(&pp->timers, next, tsc, &pollUntil);
	}

	if (unlikely(traceReading())) {
		mp->trace.found = now == 0 ? tsc : 0;
		gp = traceReader();
		if (gp != NULL) {
			*tryWakeP = true;
			return readied(gp);
		}
	}

	if (unlikely(atomic_LoadRelaxed(&gcBlackenEnabled) != 0)) {
		int64_t tnow;
		gp = gcControllerState_findRunnableGCWorker(&gcController, pp, now, &tnow);
		if (gp != NULL) {
			*tryWakeP = true;
			return gp;
		}
		now = tnow;
	}

	// Two goroutines that ready each other would keep the local queue busy for ever: look at the
	// global one now and then.
	if (pp->schedtick % 61 == 0 && !gQueue_empty(&sched.runq)) {
		mp->trace.found = 0;
		lock(&sched.lock);
		gp = globrunqget();
		unlock(&sched.lock);
		if (gp != NULL)
			return gp;
	}

	gp = runqget(pp, inheritTime);
	if (likely(gp != NULL))
		return gp;
	mp->trace.found = 0;

	if (!gQueue_empty(&sched.runq)) {
		lock(&sched.lock);
		gp = fromGlobalQueue(pp);
		if (gp != NULL)
			return gp;
	}

	// Poll, before stealing.  Not if some M blocks in the poller: that one will see it.  And only
	// one M at a time, for the kernel's sake.
	if (netpollinited() && netpollAnyWaiters() && atomic_Load(&sched.lastpoll) != 0 &&
		atomic_Xchg(&sched.pollingNet, 1) == 0) {
		int32_t delta;
		gList list = netpoll(0, &delta);
		atomic_Store(&sched.pollingNet, 0);
		if (!gList_empty(&list)) {
			gp = gList_pop(&list);
			injectglist(&list);
			netpollAdjustWaiters(delta);
			return readied(gp);
		}
	}

	// Spin: steal from other Ps.  The bound keeps the cost down when GOMAXPROCS is large and the
	// program is not parallel.
	if (mp->spinning ||
		2 * atomic_Load(&sched.nmspinning) < gomaxprocs - atomic_Load(&sched.npidle)) {
		if (!mp->spinning)
			M_becomeSpinning(mp);

		int64_t tnow, w;
		bool newWork;
		gp = stealWork(now, inheritTime, &tnow, &w, &newWork);
		if (gp != NULL)
			return gp;
		if (newWork)
			goto top; // a timer may have readied something, or there is GC work
		now = tnow;
		if (w != 0 && (pollUntil == 0 || w < pollUntil))
			pollUntil = w;
	}

	// Nothing to do.  During mark, use the P for that rather than give it up.
	if (atomic_LoadRelaxed(&gcBlackenEnabled) != 0 && gcShouldScheduleWorker(pp) &&
		gcControllerState_addIdleMarkWorker(&gcController)) {
		gcBgMarkWorkerNode *node = (gcBgMarkWorkerNode *)lfstack_pop(&gcBgMarkWorkerPool);
		if (node != NULL) {
			pp->gcMarkWorkerMode = gcMarkWorkerIdleMode;
			return readied(node->gp);
		}
		gcControllerState_removeIdleMarkWorker(&gcController);
	}

	// Without the P, allp and the masks can change.  Old ones stay readable.
	P **allpSnapshot = allp;
	int32_t nallpSnapshot = nallp;
	pMask idlepMaskSnapshot = idlepMask;
	pMask timerpMaskSnapshot = timerpMask;

	lock(&sched.lock);
	if (atomic_Load(&sched.gcwaiting) || atomic_Load(&pp->runSafePointFn) != 0) {
		unlock(&sched.lock);
		goto top;
	}
	if (!gQueue_empty(&sched.runq)) {
		gp = fromGlobalQueue(pp);
		if (gp == NULL)
			throw("global runq empty with non-zero runqsize");
		return gp;
	}
	if (!mp->spinning && atomic_Load(&sched.needspinning) == 1) {
		// Somebody found work and no P for it; see below.
		M_becomeSpinning(mp);
		unlock(&sched.lock);
		goto top;
	}
	if (releasep() != pp)
		throw("findRunnable: wrong p");
	now = pidleput(pp, now);
	unlock(&sched.lock);

	// The race with the submission of work: nmspinning goes down first, then all sources are
	// checked again, with a fence between.  The other way round work that comes between check and
	// decrement would have nobody.
	//
	// If work is found now but no P is idle any more, another M may be just about to give its P up
	// without having seen that work: needspinning makes it spin instead.
	bool wasSpinning = mp->spinning;
	if (mp->spinning) {
		mp->spinning = false;
		if (atomic_Xadd(&sched.nmspinning, -1) < 0)
			throw("findRunnable: negative nmspinning");

		lock(&sched.lock);
		if (!gQueue_empty(&sched.runq)) {
			int64_t rnow;
			pp = pidlegetSpinning(0, &rnow);
			if (pp != NULL) {
				gp = fromGlobalQueue(pp);
				if (gp == NULL)
					throw("global runq empty with non-zero runqsize");
				acquirep(pp);
				M_becomeSpinning(mp);
				return gp;
			}
		}
		unlock(&sched.lock);

		pp = checkRunqsNoP(allpSnapshot, nallpSnapshot, idlepMaskSnapshot);
		if (pp != NULL) {
			acquirep(pp);
			M_becomeSpinning(mp);
			goto top;
		}

		pp = checkIdleGCNoP(&gp);
		if (pp != NULL) {
			acquirep(pp);
			M_becomeSpinning(mp);
			pp->gcMarkWorkerMode = gcMarkWorkerIdleMode;
			return readied(gp);
		}

		pollUntil =
			checkTimersNoP(allpSnapshot, nallpSnapshot, timerpMaskSnapshot, pollUntil);
	}

	// Sleep in the poller until the next timer, if nobody does.
	if (netpollinited() && (netpollAnyWaiters() || pollUntil != 0) &&
		atomic_Xchg(&sched.lastpoll, 0) != 0) {
		atomic_Store(&sched.pollUntil, pollUntil);
		if (mp->p != NULL)
			throw("findRunnable: netpoll with p");
		if (mp->spinning)
			throw("findRunnable: netpoll with spinning");
		int64_t delay = -1;
		if (pollUntil != 0) {
			if (now == 0)
				now = nanotime();
			delay = max(pollUntil - now, (int64_t)0);
		}
		int32_t delta;
		gList list = netpoll(delay, &delta);
		now = nanotime();
		atomic_Store(&sched.pollUntil, 0);
		atomic_Store(&sched.lastpoll, now);
		lock(&sched.lock);
		pp = pidleget(now, &now);
		unlock(&sched.lock);
		if (pp == NULL) {
			injectglist(&list);
			netpollAdjustWaiters(delta);
		} else {
			acquirep(pp);
			if (!gList_empty(&list)) {
				gp = gList_pop(&list);
				injectglist(&list);
				netpollAdjustWaiters(delta);
				return readied(gp);
			}
			if (wasSpinning)
				M_becomeSpinning(mp);
			goto top;
		}
	} else if (pollUntil != 0 && netpollinited()) {
		int64_t pollerPollUntil = atomic_Load(&sched.pollUntil);
		if (pollerPollUntil == 0 || pollerPollUntil > pollUntil)
			netpollBreak();
	}
	stopm();
	goto top;
}

// pollWork reports whether there is something better to do for this P than background work.
bool
pollWork(void) {
	if (!gQueue_empty(&sched.runq))
		return true;
	if (!runqempty(getg()->m->p))
		return true;
	if (netpollinited() && netpollAnyWaiters() && atomic_Load(&sched.lastpoll) != 0) {
		int32_t delta;
		gList list = netpoll(0, &delta);
		if (!gList_empty(&list)) {
			injectglist(&list);
			netpollAdjustWaiters(delta);
			return true;
		}
	}
	return false;
}

// stealWork tries to take a goroutine from another P, or to run its timers.  *newWork: something
// may have become runnable.  *rnow is now or, if that was 0 and it was needed, the time.
static G *
stealWork(int64_t now, bool *inheritTime, int64_t *rnow, int64_t *pollUntil, bool *newWork) {
	P *pp = getg()->m->p;
	bool ranTimer = false;
	enum { stealTries = 4 };

	*inheritTime = false;
	*rnow = now;
	*pollUntil = 0;
	for (int i = 0; i < stealTries; i++) {
		bool stealTimersOrRunNextG = i == stealTries - 1;

		for (randomEnum e = randomOrder_start(&stealOrder, cheaprand());
			!randomEnum_done(&e); randomEnum_next(&e)) {
			if (atomic_Load(&sched.gcwaiting)) {
				*newWork = true;
				return NULL;
			}
			uint32_t pos = randomEnum_position(&e);
			P *p2 = allp[pos];
			if (pp == p2)
				continue;

			// Timers come before runnext, which is the very last resort, and only once:
			// now does not change in here.
			if (stealTimersOrRunNextG && pMask_read(&timerpMask, pos)) {
				int64_t w;
				bool ran;
				*rnow = timers_check(&p2->timers, *rnow, &w, &ran);
				if (w != 0 && (*pollUntil == 0 || w < *pollUntil))
					*pollUntil = w;
				if (ran) {
					// They may have filled our queue, for which runqsteal needs
					// room: look there first.
					G *gp = runqget(pp, inheritTime);
					if (gp != NULL) {
						*newWork = ranTimer;
						return gp;
					}
					ranTimer = true;
				}
			}

			if (!pMask_read(&idlepMask, pos)) {
				G *gp = runqsteal(pp, p2, stealTimersOrRunNextG);
				if (gp != NULL) {
					*newWork = ranTimer;
					return gp;
				}
			}
		}
	}
	*newWork = ranTimer;
	return NULL;
}

// checkRunqsNoP returns an idle P for the caller, who has none, if some P has something to steal.
static P *
checkRunqsNoP(P **allpSnapshot, int32_t n, pMask idlepMaskSnapshot) {
	for (int32_t id = 0; id < n; id++) {
		if (!pMask_read(&idlepMaskSnapshot, (uint32_t)id) && !runqempty(allpSnapshot[id])) {
			int64_t now;
			lock(&sched.lock);
			P *pp = pidlegetSpinning(0, &now);
			unlock(&sched.lock);
			return pp;
		}
	}
	return NULL;
}

// checkTimersNoP returns pollUntil, or the time of a timer that is due before.
static int64_t
checkTimersNoP(P **allpSnapshot, int32_t n, pMask timerpMaskSnapshot, int64_t pollUntil) {
	for (int32_t id = 0; id < n; id++) {
		if (pMask_read(&timerpMaskSnapshot, (uint32_t)id)) {
			int64_t w = timers_wakeTime(&allpSnapshot[id]->timers);
			if (w != 0 && (pollUntil == 0 || w < pollUntil))
				pollUntil = w;
		}
	}
	return pollUntil;
}

// checkIdleGCNoP returns an idle P and, in *gp, a mark worker if there is idle-time marking to do.
static P *
checkIdleGCNoP(G **gp) {
	// Without a P the collector may change phase at any time: only a hint.
	if (atomic_Load(&gcBlackenEnabled) == 0 ||
		!gcControllerState_needIdleMarkWorker(&gcController))
		return NULL;
	if (!gcShouldScheduleWorker(NULL))
		return NULL;

	// sched.lock is held until it is sure that the P is kept: else giving it back would take all
	// the checks of a P that goes idle.
	lock(&sched.lock);
	int64_t now;
	P *pp = pidlegetSpinning(0, &now);
	if (pp == NULL) {
		unlock(&sched.lock);
		return NULL;
	}
	// With a P, the phase is fixed.
	if (atomic_Load(&gcBlackenEnabled) == 0 ||
		!gcControllerState_addIdleMarkWorker(&gcController)) {
		pidleput(pp, now);
		unlock(&sched.lock);
		return NULL;
	}
	gcBgMarkWorkerNode *node = (gcBgMarkWorkerNode *)lfstack_pop(&gcBgMarkWorkerPool);
	if (node == NULL) {
		pidleput(pp, now);
		unlock(&sched.lock);
		gcControllerState_removeIdleMarkWorker(&gcController);
		return NULL;
	}
	unlock(&sched.lock);
	*gp = node->gp;
	return pp;
}

// wakeNetPoller makes sure that somebody wakes at when, for a timer.
void
wakeNetPoller(int64_t when) {
	if (atomic_Load(&sched.lastpoll) == 0) {
		// Some M sleeps in the poller.
		int64_t pollerPollUntil = atomic_Load(&sched.pollUntil);
		if (pollerPollUntil == 0 || pollerPollUntil > when)
			netpollBreak();
	} else {
		wakep();
	}
}

// resetspinning ends the spinning of this M, which has found work, and starts another spinner.
void
resetspinning(void) {
	M *mp = getg()->m;

	if (!mp->spinning)
		throw("resetspinning: not a spinning m");
	mp->spinning = false;
	if (atomic_Xadd(&sched.nmspinning, -1) < 0)
		throw("findRunnable: negative nmspinning");
	wakep();
}

// startIdle starts Ms for up to n idle Ps.
static void
startIdle(int32_t n) {
	for (; n > 0; n--) {
		M *mp = acquirem();
		int64_t now;
		lock(&sched.lock);
		P *pp = pidlegetSpinning(0, &now);
		if (pp == NULL) {
			unlock(&sched.lock);
			releasem(mp);
			break;
		}
		startm(pp, false, true);
		unlock(&sched.lock);
		releasem(mp);
	}
}

// injectglist makes all goroutines on *glist runnable and empties it.  As many as there are idle Ps
// go to the global queue, with an M each, the others to the local one; all to the global one if
// there is no P.
void
injectglist(gList *glist) {
	if (gList_empty(glist))
		return;

	G *tail = NULL;
	traceLocker tl = traceAcquire();
	for (G *gp = glist->head; gp != NULL; gp = gp->schedlink) {
		tail = gp;
		casgstatus(gp, _Gwaiting, _Grunnable);
		if (traceLocker_ok(tl))
			traceLocker_GoUnpark(tl, gp, 0);
	}
	if (traceLocker_ok(tl))
		traceRelease(tl);
	gQueue q = {glist->head, tail, glist->size};
	*glist = (gList){0};

	P *pp = getg()->m->p;
	if (pp == NULL) {
		int32_t n = q.size;
		lock(&sched.lock);
		globrunqputbatch(&q);
		unlock(&sched.lock);
		startIdle(n);
		return;
	}

	gQueue globq = {0};
	for (int32_t npidle = atomic_Load(&sched.npidle); npidle > 0 && !gQueue_empty(&q); npidle--)
		gQueue_pushBack(&globq, gQueue_pop(&q));
	if (!gQueue_empty(&globq)) {
		int32_t n = globq.size;
		lock(&sched.lock);
		globrunqputbatch(&globq);
		unlock(&sched.lock);
		startIdle(n);
	}

	runqputbatch(pp, &q);
	if (!gQueue_empty(&q)) {
		lock(&sched.lock);
		globrunqputbatch(&q);
		unlock(&sched.lock);
	}

	// A P may have gone idle since npidle was read.
	wakep();
}

// schedule finds a goroutine and runs it.
void
schedule(void) {
	M *mp = getg()->m;

	if (unlikely(mp->locks != 0))
		throw("schedule: holding locks");

	if (unlikely(mp->lockedg != NULL)) {
		stoplockedm();
		execute(mp->lockedg, false);
	}

	for (;;) {
		P *pp = mp->p;
		atomic_StoreRelaxed(&pp->preempt, false);

		if (unlikely(mp->spinning && !runqempty(pp)))
			throw("schedule: spinning with local work");

		bool inheritTime, tryWakeP;
		G *gp = findRunnable(&inheritTime, &tryWakeP);

		// It may be another P now.  A mark worker that was assigned to it and not taken is
		// for others.
		pp = mp->p;
		if (unlikely(pp->nextGCMarkWorker != NULL))
			gcControllerState_releaseNextGCMarkWorker(&gcController, pp);

		if (unlikely(atomic_LoadRelaxed(&freezing) && debug.dontfreezetheworld > 0)) {
			lock(&deadlock);
			lock(&deadlock);
		}

		if (mp->spinning)
			resetspinning();

		if (unlikely(sched.disable.user)) {
			lock(&sched.lock);
			if (!schedEnabled(gp)) {
				gQueue_pushBack(&sched.disable.runnable, gp);
				unlock(&sched.lock);
				continue;
			}
			unlock(&sched.lock);
		}

		if (unlikely(tryWakeP))
			wakep();
		if (unlikely(gp->lockedm != NULL)) {
			// It gets our P, and we wait for another one.
			startlockedm(gp);
			continue;
		}
		execute(gp, inheritTime);
	}
}

// ---- start --------------------------------------------------------------------------------------------

// runtime_start1 runs on m0's g0, on a stack of its own.
static void
runtime_start1(void) {
	fiber_enter_g0();
	schedinit();

	// The main goroutine is no system goroutine and has its own stack class.
	gort_call call = {.fn = (void *)runtime_main};
	M *mp = acquirem();
	G *newg = newproc1(&call, stackmainclass(), getg(), 0, false, waitReasonZero);
	runqput(mp->p, newg, true);
	releasem(mp);

	mstart();
	throw("mstart returned on m0");
}

// runtime_start makes the calling thread m0 and runs mainfn as the main goroutine.
void
runtime_start(void (*mainfn)(void)) {
	static uint32_t started; // atomic

	if (!atomic_Cas(&started, 0U, 1U))
		fatal("gort_run: the runtime was started already");

	mainfn_ = mainfn;
	g0.m = &m0;
	m0.g0 = &g0;
	m0.errnop = gort_errno_location();
	setg(&g0);

	check();
	sysargs();
	osinit();

	failinject_init();
	parsedebugvars();
	symtabinit();
	fiber_init();
	stackinit();

	// g0 gets a stack below the goroutines' stacks: debuggers want it so.
	g0.stack = stackofg0(m0StackSize);
	g0.stackguard0 = g0.stack.lo;
	fiber_leave_thread(&m0);
	mstart_asm(&m0, runtime_start1, g0.stack.hi);
	__builtin_unreachable();
}
