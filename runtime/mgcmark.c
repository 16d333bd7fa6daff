// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Marking: root jobs, stacks, assists.  Ports the first half of mgcmark.go of Go 1.26.8; the drain
// loops and the scanning of objects are in mgcmark_drain.c.
//
// The roots are cut into jobs, numbered from 0, which workers and assists draw by incrementing
// work.markrootNext: a few fixed ones, blocks of globals, and one job for each goroutine's stack.
// Goroutines that start after the jobs were counted need none: what they are started with was shaded
// by newproc, and what they find later went through the barrier.
//
// An assist is how a goroutine that allocates while marking goes on pays: so much scan work for so
// many bytes, at a rate the pacer sets.  It pays with credit that the background workers have
// earned, else works itself, else waits in work.assistQueue until a worker pays for it.
//
// PORT: there are no stack maps: each word of a stack that may be a pointer is one
// (scanConservative), so there are no stack objects either.
// PORT: structures off the heap that point into it are root jobs of their own (fixedRootTimers), or
// part of the goroutine's (scanstack).  Specials that are roots do not exist yet.
#include "runtime/mgcmark.h"

#include "runtime/mgc.h"
#include "runtime/mgclimit.h"
#include "runtime/mgcpacer.h"
#include "runtime/mroots.h"
#include "runtime/panic.h"
#include "sched/cpuprof.h"
#include "sched/preempt.h"
#include "sched/proc.h"
#include "sched/stack.h"
#include "sched/sync_pool.h"
#include "sched/time.h"
#include "sched/traceruntime.h"

// gcPrepareMarkRoots counts the root jobs and takes down what they are to scan.
// The world must be stopped.
void
gcPrepareMarkRoots(void) {
	assertWorldStopped();

	setHeapBounds_from_stw();

	// gcStart's may have become old since.
	roots_snapshot();
	work.nDataRoots = (int)roots_jobs();
	work.nBSSRoots = 0; // PORT: counted with data
	work.nSpanRoots = 0;

	uintptr_t n;
	work.stackRoots = allGsSnapshot(&n);
	work.nstackRoots = (intptr_t)n;
	work.nStackRoots = (int)n;

	atomic_Store(&work.markrootNext, 0);
	atomic_Store(
		&work.markrootJobs, (uint32_t)(fixedRootCount + work.nDataRoots + work.nBSSRoots +
					       work.nSpanRoots + work.nStackRoots));

	work.baseData = fixedRootCount;
	work.baseBSS = work.baseData + (uint32_t)work.nDataRoots;
	work.baseSpans = work.baseBSS + (uint32_t)work.nBSSRoots;
	work.baseStacks = work.baseSpans + (uint32_t)work.nSpanRoots;
	work.baseEnd = work.baseStacks + (uint32_t)work.nStackRoots;
}

// gcMarkRootCheck throws if a root job was left out.
void
gcMarkRootCheck(void) {
	uint32_t next = atomic_Load(&work.markrootNext);
	uint32_t jobs = atomic_Load(&work.markrootJobs);
	if (next < jobs) {
		print("%u of %u markroot jobs done\n", next, jobs);
		throw("left over markroot jobs");
	}

	for (intptr_t i = 0; i < work.nstackRoots; i++) {
		G *gp = work.stackRoots[i];
		if (!gp->gcscandone) {
			print("gp %p goid %lu status %#x gcscandone %d\n", (void *)gp,
				(unsigned long)gp->goid, readgstatus(gp), gp->gcscandone);
			throw("scan missed a g");
		}
	}
}

// gcMarkWorkAvailable reports whether there is work that any worker could take.
bool
gcMarkWorkAvailable(void) {
	if (!lfstack_empty(&work.full)) {
		return true;
	}
	return atomic_Load(&work.markrootNext) < atomic_Load(&work.markrootJobs);
}

// scanword_timer and scanword_pool take one pointer of a structure off the heap for a root.
static void
scanword_timer(void *arg, timer *t) {
	uintptr_t p = (uintptr_t)t;
	scanConservative((uintptr_t)&p, PtrSize, arg);
}

static void
scanword_pool(void *arg, void *x) {
	uintptr_t p = (uintptr_t)x;
	scanConservative((uintptr_t)&p, PtrSize, arg);
}

// markrootTimers shades the timers in the heaps of all Ps, the objects in pools, and the labels of CPU
// samples.
static void
markrootTimers(gcWork *gcw) {
	int32_t n = atomic_Load(&nallp);
	for (int32_t i = 0; i < n; i++) {
		timers_scan(&allp[i]->timers, scanword_timer, gcw);
	}
	poolscan(scanword_pool, gcw);
	cpuprof_scan(gcw);
}

// markrootFreeGStacks gives back the stacks of dead goroutines on the global list.  Those that the
// Ps hold are few.
static void
markrootFreeGStacks(void *arg) {
	(void)arg;
	lock(&sched.gFree.lock);
	gList list = sched.gFree.stack;
	sched.gFree.stack = (gList){0};
	unlock(&sched.gFree.lock);
	if (gList_empty(&list)) {
		return;
	}

	G *tail = NULL;
	for (G *gp = list.head; gp != NULL; gp = gp->schedlink) {
		tail = gp;
		stackfree(gp->stack, gp->stackslot);
		gp->stack.lo = 0;
		gp->stack.hi = 0;
	}

	gQueue q = {list.head, tail, list.size};
	lock(&sched.gFree.lock);
	gList_pushAll(&sched.gFree.noStack, q);
	unlock(&sched.gFree.lock);
}

struct markroot_args {
	G *gp;
	gcWork *gcw;
	int64_t workDone;
};

// markroot_1 stops a goroutine and scans its stack.  On the system stack, since the goroutine may be
// the one that asks.
static void
markroot_1(void *arg) {
	struct markroot_args *a = arg;
	G *gp = a->gp;

	// One that scans itself must be in a state in which others can stop it, or two that try to stop
	// each other wait for ever.  A mark worker already is.
	G *userG = getg()->m->curg;
	bool selfScan = gp == userG && readgstatus(userG) == _Grunning;
	if (selfScan) {
		casGToWaitingForSuspendG(userG, _Grunning, waitReasonGarbageCollectionScan);
	}

	suspendGState stopped = suspendG(gp);
	if (stopped.dead) {
		gp->gcscandone = true;
		return;
	}
	if (gp->gcscandone) {
		throw("g already scanned");
	}
	a->workDone += scanstack(gp, a->gcw);
	gp->gcscandone = true;
	resumeG(stopped);

	if (selfScan) {
		casgstatus(userG, _Gwaiting, _Grunning);
	}
}

// markroot does root job i and returns the scan work, which it credits to the background pool if
// flushBgCredit is set.  The P must stay the same: gcw is its.
int64_t
markroot(gcWork *gcw, uint32_t i, bool flushBgCredit) {
	int64_t workDone = 0;
	int64_t *workCounter = NULL;
	if (work.baseData <= i && i < work.baseBSS) {
		workCounter = &gcController.globalsScanWork;
		workDone += roots_scan_job(gcw, i - work.baseData);
	} else if (i == fixedRootFreeGStacks) {
		systemstack(markrootFreeGStacks, NULL);
	} else if (i == fixedRootTimers) {
		markrootTimers(gcw);
	} else {
		workCounter = &gcController.stackScanWork;
		if (i < work.baseStacks || work.baseEnd <= i) {
			printlock();
			print("runtime: markroot index %u not in stack roots range [%u, %u)\n", i,
				work.baseStacks, work.baseEnd);
			throw("markroot: bad index");
		}
		G *gp = work.stackRoots[i - work.baseStacks];

		// For tracebacks: since when it has been seen blocked.
		uint32_t status = readgstatus(gp);
		if ((status == _Gwaiting || status == _Gsyscall) &&
			atomic_LoadRelaxed(&gp->waitsince) == 0) {
			atomic_StoreRelaxed(&gp->waitsince, work.tstart);
		}

		struct markroot_args a = {gp, gcw, 0};
		systemstack(markroot_1, &a);
		workDone += a.workDone;
	}
	if (workCounter != NULL && workDone != 0) {
		atomic_Xadd(workCounter, workDone);
		if (flushBgCredit) {
			gcFlushBgCredit(workDone);
		}
	}
	return workDone;
}

struct gcAssistAlloc_args {
	G *gp;
	int64_t scanWork;
};

// gcAssistAlloc1 works off scanWork for gp.  It sets gp->param if that ended the mark phase.
// On the system stack.
static void
gcAssistAlloc1(void *arg) {
	struct gcAssistAlloc_args *a = arg;
	G *gp = a->gp;
	gp->param = NULL;

	if (atomic_Load(&gcBlackenEnabled) == 0) {
		// Only here, where nothing can preempt, is the answer of use: malloc's own look is not
		// ordered with the end of the phase.  Debts are forgiven.
		gp->gcAssistBytes = 0;
		return;
	}

	int64_t startTime = nanotime();
	bool trackLimiterEvent =
		limiterEvent_start(&gp->m->p->limiterEvent, limiterEventMarkAssist, startTime);

	gcBeginWork();

	// gcDrainN wants a goroutine that others can stop.
	casGToWaitingForSuspendG(gp, _Grunning, waitReasonGCAssistMarking);

	int64_t workDone = gcDrainN(&getg()->m->p->gcw, a->scanWork);

	casgstatus(gp, _Gwaiting, _Grunning);

	// The 1 rounds up: there must be some credit even if a byte costs next to nothing.
	double assistBytesPerWork = atomic_LoadFloat64(&gcController.assistBytesPerWork);
	gp->gcAssistBytes += 1 + (int64_t)(assistBytesPerWork * (double)workDone);

	if (gcEndWork()) {
		gp->param = gp; // any pointer will do
	}
	int64_t now = nanotime();
	int64_t duration = now - startTime;
	P *pp = gp->m->p;
	pp->gcAssistTime += duration;
	if (trackLimiterEvent) {
		limiterEvent_stop(&pp->limiterEvent, limiterEventMarkAssist, now);
	}
	if (pp->gcAssistTime > gcAssistTimeSlack) {
		atomic_Xadd(&gcController.assistTime, pp->gcAssistTime);
		gcCPULimiterState_update(&gcCPULimiter, now);
		pp->gcAssistTime = 0;
	}
}

// assist_start and assist_done tell traces that gp assists.  The flag changes within the same
// generation as the event, and after it: the event's own status must be that of before.
static void
assist_start(G *gp) {
	traceLocker tl = traceAcquire();

	if (traceLocker_ok(tl)) {
		traceLocker_GCMarkAssistStart(tl);
	}
	gp->inMarkAssist = true;
	if (traceLocker_ok(tl)) {
		traceRelease(tl);
	}
}

static void
assist_done(G *gp) {
	traceLocker tl = traceAcquire();

	if (traceLocker_ok(tl)) {
		traceLocker_GCMarkAssistDone(tl);
	}
	gp->inMarkAssist = false;
	if (traceLocker_ok(tl)) {
		traceRelease(tl);
	}
}

// gcAssistAlloc makes gp's assist debt positive again.  gp is the calling goroutine, and may be
// preempted.
void
gcAssistAlloc(G *gp) {
	// Where it could not block it does not assist.
	G *g = getg();
	if (g == gp->m->g0) {
		return;
	}
	M *mp = g->m;
	if (mp->locks > 0 || mp->preemptoff != NULL) {
		return;
	}

	// A trace may start while this assist is on: inMarkAssist says so then.
	bool entered = false;
	for (;;) {
		if (gcCPULimiterState_limiting(&gcCPULimiter)) {
			// The collector takes too much of the CPU already.
			break;
		}
		// What has to be done to get out of debt; at least gcOverAssistWork, as credit for
		// the allocations to come.
		double assistWorkPerByte = atomic_LoadFloat64(&gcController.assistWorkPerByte);
		double assistBytesPerWork = atomic_LoadFloat64(&gcController.assistBytesPerWork);
		int64_t debtBytes = -gp->gcAssistBytes;
		int64_t scanWork = (int64_t)(assistWorkPerByte * (double)debtBytes);
		if (scanWork < gcOverAssistWork) {
			scanWork = gcOverAssistWork;
			debtBytes = (int64_t)(assistBytesPerWork * (double)scanWork);
		}

		// Take as much as there is of the background credit.  Two that do this at once may
		// bring it below 0: then the next ones get none until it is back.
		int64_t bgScanCredit = atomic_Load(&gcController.bgScanCredit);
		if (bgScanCredit > 0) {
			int64_t stolen;
			if (bgScanCredit < scanWork) {
				stolen = bgScanCredit;
				gp->gcAssistBytes +=
					1 + (int64_t)(assistBytesPerWork * (double)stolen);
			} else {
				stolen = scanWork;
				gp->gcAssistBytes += debtBytes;
			}
			atomic_Xadd(&gcController.bgScanCredit, -stolen);

			scanWork -= stolen;
			if (scanWork == 0) {
				break;
			}
		}
		if (!entered) {
			entered = true;
			assist_start(gp);
		}

		struct gcAssistAlloc_args a = {gp, scanWork};
		systemstack(gcAssistAlloc1, &a);

		bool completed = gp->param != NULL;
		gp->param = NULL;
		if (completed) {
			gcMarkDone();
		}

		if (gp->gcAssistBytes >= 0) {
			break;
		}
		// Neither credit nor work enough.  If that was for a preemption, try again afterwards.
		if (atomic_LoadRelaxed(&gp->preempt)) {
			Gosched();
			continue;
		}

		// Else sleep until a worker has earned the credit.  More work does not wake it: there
		// was little of it, and the workers will do it.
		if (gcParkAssist()) {
			break;
		}
	}
	if (entered) {
		assist_done(gp);
	}
}

// gcWakeAllAssists lets all assists go on at the end of a cycle.  gcBlackenEnabled is 0, so that no
// further one goes to sleep.
void
gcWakeAllAssists(void) {
	lock(&work.assistQueue.lock);
	gList list = gQueue_popList(&work.assistQueue.q);
	injectglist(&list);
	unlock(&work.assistQueue.lock);
}

// gcParkAssist sleeps in the assist queue.  It returns false, without sleep, if the caller should try
// again.
bool
gcParkAssist(void) {
	lock(&work.assistQueue.lock);
	// The cycle cannot end while the lock is held.
	if (atomic_Load(&gcBlackenEnabled) == 0) {
		unlock(&work.assistQueue.lock);
		return true;
	}

	G *gp = getg();
	gQueue oldList = work.assistQueue.q;
	gQueue_pushBack(&work.assistQueue.q, gp);

	// Credit that came before this one was in the queue has not been given to it.
	if (atomic_Load(&gcController.bgScanCredit) > 0) {
		work.assistQueue.q.tail = oldList.tail;
		// Their readers have no lock: gcFlushBgCredit.
		atomic_StoreRelaxed(&work.assistQueue.q.head, oldList.head);
		atomic_StoreRelaxed(&work.assistQueue.q.size, oldList.size);
		if (oldList.tail != NULL) {
			oldList.tail->schedlink = NULL;
		}
		unlock(&work.assistQueue.lock);
		return false;
	}
	goparkunlock(&work.assistQueue.lock, waitReasonGCAssistWait);
	return true;
}

// gcFlushBgCredit makes scanWork units of background work available: first to assists that sleep,
// then to all.  No write barriers: gcDrain relies on having no work left when it calls this.
void
gcFlushBgCredit(int64_t scanWork) {
	if (atomic_LoadRelaxed(&work.assistQueue.q.head) == NULL) {
		// One may be just going to sleep; the next flush will be for it.
		atomic_Xadd(&gcController.bgScanCredit, scanWork);
		return;
	}

	double assistBytesPerWork = atomic_LoadFloat64(&gcController.assistBytesPerWork);
	int64_t scanBytes = (int64_t)((double)scanWork * assistBytesPerWork);

	lock(&work.assistQueue.lock);
	while (!gQueue_empty(&work.assistQueue.q) && scanBytes > 0) {
		G *gp = gQueue_pop(&work.assistQueue.q);
		// gp->gcAssistBytes is negative.
		if (scanBytes + gp->gcAssistBytes >= 0) {
			scanBytes += gp->gcAssistBytes;
			gp->gcAssistBytes = 0;
			// Not into runnext: by way of the worker's priority a goroutine that allocates
			// much would always run first, and in a fresh time slice.
			ready(gp, false);
		} else {
			// To the back: a large debt must not block the small ones.
			gp->gcAssistBytes += scanBytes;
			scanBytes = 0;
			gQueue_pushBack(&work.assistQueue.q, gp);
			break;
		}
	}

	if (scanBytes > 0) {
		double assistWorkPerByte = atomic_LoadFloat64(&gcController.assistWorkPerByte);
		scanWork = (int64_t)((double)scanBytes * assistWorkPerByte);
		atomic_Xadd(&gcController.bgScanCredit, scanWork);
	}
	unlock(&work.assistQueue.lock);
}

// scanstackG shades what the G itself points to: the G is off the heap.
//
// The scanner holds gp's _Gscan bit, and who wakes gp the lock of a channel or a semaphore: what the
// waker writes here meanwhile is NULL, or on its own stack.
RACY static void
scanstackG(G *gp, gcWork *gcw) {
	// The arguments it is to start with, if it has not.
	if (gp->stack.lo == 0 || gp->startcall.fn != NULL) {
		scanConservative((uintptr_t)gp->startcall.gpr, sizeof(gp->startcall.gpr), gcw);
	}
	uintptr_t words[] = {
		(uintptr_t) * (void *volatile *)&gp->param,
		(uintptr_t)gp->labels,
		(uintptr_t)gp->_defer,
		(uintptr_t)gp->_panic,
		(uintptr_t)gp->timer,
	};
	scanConservative((uintptr_t)words, sizeof(words), gcw);

	// What it waits for.  Nobody takes a sudog off this list but the goroutine itself, and it is
	// stopped; elem and c of one that is queued may change under a channel's lock meanwhile, from
	// one pointer that is reachable from elsewhere to NULL.
	// A select alone has more than one: the waitlink of a sudog of a semaphore is the list of all
	// goroutines that wait for that one, and belongs to its lock.
	sudog *sg = *(sudog *volatile *)&gp->waiting;
	while (sg != NULL) {
		uintptr_t w[] = {(uintptr_t) * (void *volatile *)&sg->elem,
			(uintptr_t) * (hchan *volatile *)&sg->c};
		scanConservative((uintptr_t)w, sizeof(w), gcw);
		sg = sg->isSelect ? sg->waitlink : NULL;
	}
}

// scanstack greys all that gp's stack points to and returns the bytes of stack scanned.  The caller
// has stopped gp (_Gscan), and adds the work to the counters: that may wake goroutines up, which gp
// might be needed for.  On the system stack.
int64_t
scanstack(G *gp, gcWork *gcw) {
	uint32_t status = readgstatus(gp);
	if ((status & _Gscan) == 0) {
		print("runtime:scanstack: gp=%p, goid=%lu, gp->atomicstatus=%#x\n", (void *)gp,
			(unsigned long)gp->goid, status);
		throw("scanstack - bad status");
	}

	switch (status & ~(uint32_t)_Gscan) {
	default:
		print("runtime: gp=%p, goid=%lu, gp->atomicstatus=%u\n", (void *)gp,
			(unsigned long)gp->goid, status);
		throw("mark - bad status");
	case _Gdead:
		return 0;
	case _Grunning:
		print("runtime: gp=%p, goid=%lu, gp->atomicstatus=%u\n", (void *)gp,
			(unsigned long)gp->goid, status);
		throw("scanstack: goroutine not stopped");
	case _Grunnable:
	case _Gsyscall:
	case _Gwaiting:
		break;
	}

	if (gp == getg()) {
		throw("can't scan our own stack");
	}

	scanstackG(gp, gcw);

	P *pp = getg()->m->p;
	uintptr_t inuse = 0;
	int64_t scannedSize = 0;
	if (gp->stack.lo != 0) {
		uintptr_t sp = gp->syscallsp != 0 ? gp->syscallsp : gp->sched.sp;
		if (sp < gp->stack.lo || sp > gp->stack.hi) {
			print("runtime: gp=%p, goid=%lu, sp=%#lx, stack=[%#lx, %#lx)\n", (void *)gp,
				(unsigned long)gp->goid, sp, gp->stack.lo, gp->stack.hi);
			throw("scanstack: sp not in stack");
		}
		// PORT: the work is counted in whole pages; the slot is much larger than that.
		inuse = alignUp(gp->stack.hi - sp, minPhysPageSize);
		scannedSize = (int64_t)inuse;

		shrinkstack(gp); // PORT: one that is in a system call has its turn in another cycle

		// Stopped by a signal, anywhere: its registers are in the signal frame, on another
		// stack.  sp is already below the red zone.
		if (gp->sigframelo != 0) {
			scanConservative(gp->sigframelo,
				alignDown(gp->sigframehi - gp->sigframelo, PtrSize), gcw);
		}
		uintptr_t lo = alignDown(sp, PtrSize);
		scanConservative(lo, gp->stack.hi - lo, gcw);
	}

	// What the pacer reckons with.
	if (inuse != gp->stackinuse) {
		gcControllerState_addScannableStack(
			&gcController, pp, (int64_t)inuse - (int64_t)gp->stackinuse);
		gp->stackinuse = inuse;
	}
	return scannedSize;
}
