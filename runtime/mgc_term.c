// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// GC control, second part: mark termination, the mark workers, the start of the sweep, gctrace.
// Ports mgc.go of Go 1.26.8 from gcMarkTermination on; see mgc.c.
//
// The workers are ordinary goroutines, as many as there were ever Ps, that wait in
// gcBgMarkWorkerPool.  The scheduler takes one out and runs it on a P as dedicated, fractional or
// idle worker; it drains with the P's gcWork, so it is not preempted except where it looks for
// that itself.
#include "runtime/mgc.h"

#include "runtime/mcache.h"
#include "runtime/mcheckmark.h"
#include "runtime/mem.h"
#include "runtime/mgclimit.h"
#include "runtime/mgcmark.h"
#include "runtime/mgcscavenge.h"
#include "runtime/mgcsweep.h"
#include "runtime/mgcwork.h"
#include "runtime/mprof.h"
#include "runtime/mroots.h"
#include "runtime/mwbbuf.h"
#include "runtime/runtime1.h"
#include "sched/proc.h"
#include "sched/sema.h"
#include "sched/stack.h"
#include "sched/sync_pool.h"
#include "sched/traceruntime.h"

// gcMarkTermination_mark is gcMark on g0: the stack of the goroutine does not change meanwhile.
static void
gcMarkTermination_mark(void *arg) {
	gcMark(*(int64_t *)arg);
}

// gcMarkTermination_checkroots prepares the roots for the second mark of gccheckmark.
static void
gcMarkTermination_checkroots(gcWork *gcw) {
	gcPrepareMarkRoots();
}

// gcMarkTermination_sweep leaves the mark phase.
static void
gcMarkTermination_sweep(void *arg) {
	work.heap2 = work.bytesMarked;
	if (debug.gccheckmark > 0) {
		runCheckmark(gcMarkTermination_checkroots);
	}

	setGCPhase(_GCoff);
	*(bool *)arg = gcSweep(work.mode);
}

// gcMarkTermination_commit is gcControllerCommit on g0.
static void
gcMarkTermination_commit(void *arg) {
	gcControllerCommit();
}

struct gcMarkTermination_args {
	int64_t now;
	worldStop stw;
};

// gcMarkTermination_start starts the world.  now is the time that the statistics were made with, so
// that the pause is the same in all of them.
static void
gcMarkTermination_start(void *arg) {
	struct gcMarkTermination_args *a = arg;
	startTheWorldWithSema(a->now, a->stw);
}

// gcMarkTermination_freestacks is freeStackSpans on g0.
static void
gcMarkTermination_freestacks(void *arg) {
	freeStackSpans();
}

// gcMarkTermination_flushpcache gives the pages cached by an idle P back.
static void
gcMarkTermination_flushpcache(void *arg) {
	P *pp = arg;
	lock(&mheap_.lock);
	pageCache_flush(&pp->pcache, &mheap_.pages);
	unlock(&mheap_.lock);
}

// gcMarkTermination_flushP makes a P let go of stale spans.
static void
gcMarkTermination_flushP(P *pp) {
	mcache_prepareForSweep(pp->mcache);
	if (atomic_Load(&pp->status) == _Pidle) {
		systemstack(gcMarkTermination_flushpcache, pp);
	}
	if (debug.gctrace > 1) {
		gcWork_flushScanStats(&pp->gcw, memstats.lastScanStats);
	}
}

// gcMarkTermination_hugepages lets the index of a large heap have huge pages.
static void
gcMarkTermination_hugepages(void *arg) {
	mheap_enableMetadataHugePages(&mheap_);
}

// dumpScanStats prints what was scanned by size class (gctrace=2).
static void
dumpScanStats(void) {
	sizeClassScanStats t = {0};
	for (int i = 0; i < NumSizeClasses; i++) {
		sizeClassScanStats *s = &memstats.lastScanStats[i];
		t.spansDenseScanned += s->spansDenseScanned;
		t.spanObjsDenseScanned += s->spanObjsDenseScanned;
		t.spansSparseScanned += s->spansSparseScanned;
		t.spanObjsSparseScanned += s->spanObjsSparseScanned;
		t.sparseObjsScanned += s->sparseObjsScanned;
	}
	for (int i = -1; i < NumSizeClasses; i++) {
		sizeClassScanStats *s = i < 0 ? &t : &memstats.lastScanStats[i];
		uint64_t objs =
			s->sparseObjsScanned + s->spanObjsSparseScanned + s->spanObjsDenseScanned;
		uint64_t spans = s->spansSparseScanned + s->spansDenseScanned;
		if (i < 0) {
			print("scan: total ");
		} else if (objs == 0 && spans == 0) {
			continue;
		} else if (i == 0) {
			print("scan: class L ");
		} else {
			print("scan: class %uB ", (unsigned)SizeClassToSize[i]);
		}
		print("%lu+%lu+%lu=%lu objs, %lu+%lu=%lu spans\n", s->sparseObjsScanned,
			s->spanObjsSparseScanned, s->spanObjsDenseScanned, objs,
			s->spansSparseScanned, s->spansDenseScanned, spans);
	}
}

// printms prints ns nanoseconds as milliseconds.
static void
printms(int64_t ns) {
	char buf[24];
	int len;
	char *p = fmtNSAsMS(buf, sizeof(buf), (uint64_t)ns, &len);
	for (int i = 0; i < len; i++) {
		print("%c", p[i]);
	}
}

// printgctrace prints the line of gctrace.  worldsema is held, or the next cycle would overwrite
// what is printed.
static void
printgctrace(void) {
	int util = (int)(memstats.gc_cpu_fraction * 100);

	char buf[24];
	int len;
	printlock();
	char *p = itoaDiv(
		buf, sizeof(buf), (uint64_t)(work.tSweepTerm - runtimeInitTime) / 1000000, 3, &len);
	print("gc %u @", memstats.numgc);
	for (int i = 0; i < len; i++) {
		print("%c", p[i]);
	}
	print("s %d%%: ", util);

	// wall clock: sweep termination, mark, mark termination
	printms(work.tMark - work.tSweepTerm);
	print("+");
	printms(work.tMarkTerm - work.tMark);
	print("+");
	printms(work.tEnd - work.tMarkTerm);
	print(" ms clock, ");

	// CPU: the same, with mark as assists / dedicated and fractional workers / idle workers
	printms((int64_t)work.stwprocs * (work.tMark - work.tSweepTerm));
	print("+");
	printms(atomic_Load(&gcController.assistTime));
	print("/");
	printms(atomic_Load(&gcController.dedicatedMarkTime) +
		atomic_Load(&gcController.fractionalMarkTime));
	print("/");
	printms(atomic_Load(&gcController.idleMarkTime));
	print("+");
	printms((int64_t)work.stwprocs * (work.tEnd - work.tMarkTerm));

	print(" ms cpu, %lu->%lu->%lu MB, %lu MB goal, %lu MB stacks, %lu MB globals, %d P",
		work.heap0 >> 20, work.heap1 >> 20, work.heap2 >> 20,
		gcController.lastHeapGoal >> 20, atomic_Load(&gcController.lastStackScan) >> 20,
		atomic_Load(&gcController.globalsScan) >> 20, work.maxprocs);
	if (work.userForced) {
		print(" (forced)");
	}
	print("\n");

	// PORT: a line of its own, so that the one above stays Go's.
	uint64_t skipped = roots_rescan_skipped();
	if (skipped >> 20 != 0) {
		print("gort: %lu MB of globals were not scanned a second time\n", skipped >> 20);
	}

	if (debug.gctrace > 1) {
		dumpScanStats();
	}
	printunlock();
}

// gcMarkTermination ends the cycle's mark phase and starts its sweep.  The world is stopped,
// assists and workers are off; it starts the world.
void
gcMarkTermination(worldStop stw) {
	setGCPhase(_GCmarktermination); // the barrier stays on for a while

	work.heap1 = atomic_Load(&gcController.heapLive);
	int64_t startTime = nanotime();

	M *mp = acquirem();
	mp->preemptoff = "gcing";
	mp->traceback = 2;
	G *curgp = mp->curg;
	// Waiting, so that the second mark of gccheckmark may scan this goroutine's stack.
	casGToWaitingForSuspendG(curgp, _Grunning, waitReasonGarbageCollection);

	systemstack(gcMarkTermination_mark, &startTime);

	bool stwSwept;
	systemstack(gcMarkTermination_sweep, &stwSwept);

	mp->traceback = 0;
	casgstatus(curgp, _Gwaiting, _Grunning);

	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_GCDone(tl);
		traceRelease(tl);
	}

	mp->preemptoff = NULL;

	if (atomic_Load(&gcphase) != _GCoff) {
		throw("gc done but gcphase != _GCoff");
	}

	memstats.lastHeapInUse = sysMemStat_load(&gcController.heapInUse); // for the scavenger

	// Goal and trigger of the next cycle, and what depends on them.
	systemstack(gcMarkTermination_commit, NULL);

	int64_t now = nanotime();
	int64_t unixNow = walltime();
	work.pauseNS += now - stw.startedStopping;
	work.tEnd = now;
	atomic_Store(&memstats.last_gc_unix, (uint64_t)unixNow);
	atomic_Store(&memstats.last_gc_nanotime, (uint64_t)now);
	memstats.pause_ns[memstats.numgc % nelem(memstats.pause_ns)] = (uint64_t)work.pauseNS;
	memstats.pause_end[memstats.numgc % nelem(memstats.pause_end)] = (uint64_t)unixNow;
	memstats.pause_total_ns += (uint64_t)work.pauseNS;

	// By maxprocs, as the total time is; with the mark phase, whose times are complete now.
	cpuStats_accumulateGCPauseTime(&work.cpuStats, now - stw.finishedStopping, work.maxprocs);
	cpuStats_accumulate(&work.cpuStats, now, true);

	// Idle marking is free, so it is left out.
	memstats.gc_cpu_fraction = (double)(work.cpuStats.GCTotalTime - work.cpuStats.GCIdleTime) /
				   (double)work.cpuStats.TotalTime;

	// These go on growing between cycles, so they are cleared here and not at the next start.
	atomic_Store(&scavenge.assistTime, 0);
	atomic_Store(&scavenge.backgroundTime, 0);
	atomic_Store(&sched.idleTime, 0);

	if (work.userForced) {
		memstats.numforcedgc++;
	}

	// The cycle counts from here; wake who waited for it.
	lock(&work.sweepWaiters.lock);
	memstats.numgc++;
	injectglist(&work.sweepWaiters.list);
	unlock(&work.sweepWaiters.lock);

	// The heap in use is at its peak: a generation of the scavenger's index ends.
	scavengeIndex_nextGen(&mheap_.pages.scav.index);

	gcCPULimiterState_finishGCTransition(&gcCPULimiter, now);

	// What the program allocates once the world runs is another cycle's of the memory profile.
	mProf_NextCycle();

	// Spans in mcaches are on no list of the sweeper.  Take part in the sweep until they have been
	// forced out below, so that it cannot be over before.
	sweepLocker sl = activeSweep_begin(&sweep.active);
	if (!stwSwept && !sl.valid) {
		throw("failed to set sweep barrier");
	} else if (stwSwept && sl.valid) {
		throw("non-concurrent sweep failed to drain all sweep queues");
	}

	struct gcMarkTermination_args a = {now, stw};
	systemstack(gcMarkTermination_start, &a);

	// It takes a while: not in the pause.
	mProf_Flush();

	// The sweeper frees them bit by bit.
	prepareFreeWorkbufs();

	// PORT: return the memory of unused stacks.
	systemstack(gcMarkTermination_freestacks, NULL);

	// A P flushes its mcache before it allocates; do it for those that do not, all before the next
	// cycle.  The pages that an idle P caches would be hidden from the scavenger.
	if (debug.gctrace > 1) {
		memclrNoHeapPointers(memstats.lastScanStats, sizeof(memstats.lastScanStats));
	}
	forEachP(waitReasonFlushProcCaches, gcMarkTermination_flushP);
	if (sl.valid) {
		activeSweep_end(&sweep.active, sl);
	}

	if (debug.gctrace > 0) {
		printgctrace();
	}

	if (gcControllerState_heapGoal(&gcController) > minHeapForMetadataHugePages) {
		systemstack(gcMarkTermination_hugepages, NULL);
	}

	semrelease(&worldsema);
	semrelease(&gcsema);
	// From here on another cycle may start.

	releasem(mp);
}

// gcBgMarkWorkerNodePadded is a node as the pool wants it aligned.
typedef union gcBgMarkWorkerNodePadded {
	gcBgMarkWorkerNode n;
	uint8_t pad[tagAlign];
} gcBgMarkWorkerNodePadded;

static void gcBgMarkWorker(void *ready);

// gcBgMarkStartWorkers starts workers until there is one for each P.  Called by gcStart with
// worldsema held and the world running; the workers wait until the scheduler wants them.
void
gcBgMarkStartWorkers(void) {
	// They never exit: after GOMAXPROCS has shrunk and grown again there are enough.
	if (gcBgMarkWorkerCount >= gomaxprocs) {
		return;
	}

	static uint32_t ready;
	while (gcBgMarkWorkerCount < gomaxprocs) {
		newproc(gcBgMarkWorker, &ready);
		// One by one: it runs next, and hands back when it is in the pool, or nearly so: it
		// gets there before its P looks for a worker.
		semacquire(&ready);
		gcBgMarkWorkerCount++;
	}
}

// gcBgMarkPrepare sets the counts of workers.  Assists must be off.
void
gcBgMarkPrepare(void) {
	// Nobody knows how many will work, with the assists: take a number that is large enough and
	// let all wait.  Who works takes one off nwait; if nwait == nproc, nobody does.
	atomic_Store(&work.nproc, ~UINT32_C(0));
	atomic_Store(&work.nwait, ~UINT32_C(0));
}

// gcBgMarkWorker_park puts a worker that has parked into the pool.
static bool
gcBgMarkWorker_park(G *gp, void *nodep) {
	gcBgMarkWorkerNode *node = nodep;

	// The M could be released before, but then a pending preemption would stop the worker in
	// gopark, only to be scheduled once more to get here.
	M *mp = node->m;
	if (mp != NULL) {
		releasem(mp);
	}
	lfstack_push(&gcBgMarkWorkerPool, &node->node);
	// It may be running already.
	return true;
}

// gcBgMarkWorker_drain marks, on g0, as the P's mode says.
static void
gcBgMarkWorker_drain(void *arg) {
	G *gp = arg;
	P *pp = gp->m->p;
	// Waiting, so that another worker may scan this goroutine's stack: two that tried to scan each
	// other would wait for ever.
	casGToWaitingForSuspendG(gp, _Grunning, waitReasonGCWorkerActive);
	switch (pp->gcMarkWorkerMode) {
	case gcMarkWorkerDedicatedMode:
		gcDrainMarkWorkerDedicated(&pp->gcw, true);
		if (atomic_LoadRelaxed(&gp->preempt)) {
			// Somebody wants the P.  Send everything on its queue elsewhere.
			gQueue drainQ = runqdrain(pp);
			if (!gQueue_empty(&drainQ)) {
				lock(&sched.lock);
				globrunqputbatch(&drainQ);
				unlock(&sched.lock);
			}
		}
		// And from now on to the end.
		gcDrainMarkWorkerDedicated(&pp->gcw, false);
		break;
	case gcMarkWorkerFractionalMode:
		gcDrainMarkWorkerFractional(&pp->gcw);
		break;
	case gcMarkWorkerIdleMode:
		gcDrainMarkWorkerIdle(&pp->gcw);
		break;
	default:
		throw("gcBgMarkWorker: unexpected gcMarkWorkerMode");
	}
	casgstatus(gp, _Gwaiting, _Grunning);
}

// gcBgMarkWorker is the function of a worker's goroutine.
static void
gcBgMarkWorker(void *ready) {
	G *gp = getg();

	// PORT: off the heap, since the pool is not seen by the collector; never freed, as in Go.
	gcBgMarkWorkerNode *node =
		persistentalloc(sizeof(gcBgMarkWorkerNodePadded), tagAlign, &memstats.gcMiscSys);
	lfnodeValidate(&node->node);
	node->gp = gp;

	// Not preempted until it is in the pool.
	node->m = acquirem();

	semrelease(ready);
	// From here on it is scheduled by findRunnableGCWorker and the like, while marking without being
	// preempted, since it uses what belongs to the P.  In gcMarkDone it may be preempted and wait on
	// a run queue like anybody; it comes back here in the end.

	for (;;) {
		gopark(gcBgMarkWorker_park, node, waitReasonGCWorkerIdle);

		// No preemption up to acquirem, or another goroutine would see gcMarkWorkerMode.

		node->m = acquirem();
		P *pp = gp->m->p; // stays the same now

		if (atomic_Load(&gcBlackenEnabled) == 0) {
			print("worker mode %d\n", pp->gcMarkWorkerMode);
			throw("gcBgMarkWorker: blackening not enabled");
		}
		if (pp->gcMarkWorkerMode == gcMarkWorkerNotWorker) {
			throw("gcBgMarkWorker: mode not set");
		}

		int64_t startTime = nanotime();
		pp->gcMarkWorkerStartTime = startTime;
		bool trackLimiterEvent = false;
		if (pp->gcMarkWorkerMode == gcMarkWorkerIdleMode) {
			trackLimiterEvent = limiterEvent_start(
				&pp->limiterEvent, limiterEventIdleMarkWork, startTime);
		}

		gcBeginWork();

		systemstack(gcBgMarkWorker_drain, gp);

		int64_t now = nanotime();
		int64_t duration = now - startTime;
		gcControllerState_markWorkerStop(&gcController, pp->gcMarkWorkerMode, duration);
		if (trackLimiterEvent) {
			limiterEvent_stop(&pp->limiterEvent, limiterEventIdleMarkWork, now);
		}
		if (pp->gcMarkWorkerMode == gcMarkWorkerFractionalMode) {
			atomic_Xadd(&pp->gcFractionalMarkTime, duration);
		}

		// The P goes on to something else, which is no worker.
		pp->gcMarkWorkerMode = gcMarkWorkerNotWorker;

		if (gcEndWork()) {
			// No need of the P any more: gcMarkDone may block.
			releasem(node->m);
			node->m = NULL;

			gcMarkDone();
		}
	}
}

// gcShouldScheduleWorker reports whether a worker could find something to do on pp (NULL: any P).
bool
gcShouldScheduleWorker(P *pp) {
	if (pp != NULL && !gcWork_empty(&pp->gcw)) {
		return true;
	}
	return gcMarkWorkAvailable();
}

// gcIsMarkDone reports whether marking is over, as far as can be told without looking into the Ps.
bool
gcIsMarkDone(void) {
	return atomic_Load(&work.nwait) == atomic_Load(&work.nproc) && !gcMarkWorkAvailable();
}

// gcBeginWork counts a worker or an assist in.
void
gcBeginWork(void) {
	uint32_t decnwait = atomic_Xadd(&work.nwait, -1);
	if (decnwait == atomic_Load(&work.nproc)) {
		print("runtime: work.nwait=%u work.nproc=%u\n", decnwait, work.nproc);
		throw("work.nwait was > work.nproc");
	}
}

// gcEndWork counts it out, and reports whether it was the last and nothing is left to do: then the
// caller must call gcMarkDone.
bool
gcEndWork(void) {
	uint32_t incnwait = atomic_Xadd(&work.nwait, 1);
	uint32_t nproc = atomic_Load(&work.nproc);
	if (incnwait > nproc) {
		print("runtime: work.nwait=%u work.nproc=%u\n", incnwait, nproc);
		throw("work.nwait > work.nproc");
	}
	return incnwait == nproc && !gcMarkWorkAvailable();
}

// gcMark checks that marking is complete and takes stock.  The world is stopped.
void
gcMark(int64_t startTime) {
	if (atomic_Load(&gcphase) != _GCmarktermination) {
		throw("in gcMark expecting to see gcphase as _GCmarktermination");
	}
	work.tstart = startTime;

	uint32_t next = atomic_Load(&work.markrootNext), jobs = atomic_Load(&work.markrootJobs);
	if (atomic_Load(&work.full) != 0 || next < jobs) {
		print("runtime: full=0x%lx next=%u jobs=%u nDataRoots=%d nBSSRoots=%d "
		      "nSpanRoots=%d nStackRoots=%d\n",
			work.full, next, jobs, work.nDataRoots, work.nBSSRoots, work.nSpanRoots,
			work.nStackRoots);
		throw("non-empty mark queue after concurrent mark");
	}

	if (debug.gccheckmark > 0) {
		gcMarkRootCheck(); // slow with many goroutines
	}

	work.stackRoots = NULL;
	work.nstackRoots = 0;

	// What is still in the buffers came after the ragged barrier, when all reachable objects were
	// marked.  So the pointers are to black objects, and can be dropped.
	for (int32_t i = 0; i < nallp; i++) {
		P *pp = allp[i];
		if (debug.gccheckmark > 0) {
			wbBufFlush1(pp); // finds out whether that is so
		} else {
			wbBuf_reset(&pp->wbBuf);
		}

		gcWork *gcw = &pp->gcw;
		if (!gcWork_empty(gcw)) {
			printlock();
			print("runtime: P %d flushedWork %d", pp->id, gcw->flushedWork);
			if (gcw->wbuf1 == NULL) {
				print(" wbuf1=<nil>");
			} else {
				print(" wbuf1.n=%ld", gcw->wbuf1->nobj);
			}
			if (gcw->wbuf2 == NULL) {
				print(" wbuf2=<nil>");
			} else {
				print(" wbuf2.n=%ld", gcw->wbuf2->nobj);
			}
			print("\n");
			throw("P has cached GC work at end of mark termination");
		}
		// Empty buffers, which will be freed, and counts of objects allocated black.
		gcWork_dispose(gcw);
	}

	// heapScan is about to be set to what was scanned: what the mcaches would add to it later is
	// part of that.
	for (int32_t i = 0; i < nallp; i++) {
		mcache *c = allp[i]->mcache;
		if (c == NULL) {
			continue;
		}
		c->scanAlloc = 0;
	}

	gcControllerState_resetLive(&gcController, work.bytesMarked);
}

// gcSweep starts the sweep, or in blocking mode does all of it; it returns whether it did.  On g0;
// the world is stopped.
bool
gcSweep(gcMode mode) {
	assertWorldStopped();

	if (atomic_Load(&gcphase) != _GCoff) {
		throw("gcSweep being done but phase is not GCoff");
	}

	lock(&mheap_.lock);
	mheap_.sweepgen += 2;
	activeSweep_reset(&sweep.active);
	atomic_Store(&mheap_.pagesSwept, 0);
	mheap_.sweepArenas = mheap_.heapArenas;
	mheap_.nsweepArenas = mheap_.nheapArenas;
	atomic_Store(&mheap_.reclaimIndex, 0);
	atomic_Store(&mheap_.reclaimCredit, 0);
	unlock(&mheap_.lock);

	sweepClass_clear(&sweep.centralIndex);

	if (!concurrentSweep || mode == gcForceBlockMode) {
		// No proportional sweep: there will be nothing to sweep.
		lock(&mheap_.lock);
		mheap_.sweepPagesPerByte = 0;
		unlock(&mheap_.lock);
		for (int32_t i = 0; i < nallp; i++) {
			mcache_prepareForSweep(allp[i]->mcache);
		}
		while (sweepone() != ~(uintptr_t)0) {
		}
		prepareFreeWorkbufs();
		while (freeSomeWbufs(false)) {
		}
		// All frees of this cycle have come.
		mProf_NextCycle();
		mProf_Flush();
		return true;
	}

	lock(&sweep.lock);
	if (sweep.parked) {
		sweep.parked = false;
		ready(sweep.g, true);
	}
	unlock(&sweep.lock);
	return false;
}

// gcResetMarkState_g resets what a goroutine knows of the last cycle.
static void
gcResetMarkState_g(G *gp, void *arg) {
	gp->gcscandone = false;
	// It may be running: whether it keeps what it has is the same to the pacer.
	gp->gcAssistBytes = 0;
}

// gcResetMarkState resets what the last cycle left, before marking.  On g0.  The world may run: new
// goroutines are born in that state.
void
gcResetMarkState(void) {
	forEachG(gcResetMarkState_g, NULL);

	// 1 KB for an arena of 64 MB.
	lock(&mheap_.lock);
	arenaIdx *arenas = mheap_.heapArenas;
	intptr_t n = mheap_.nheapArenas;
	unlock(&mheap_.lock);
	for (intptr_t i = 0; i < n; i++) {
		heapArena *ha = arenaOf(arenas[i]);
		memclrNoHeapPointers(ha->pageMarks, sizeof(ha->pageMarks));
	}

	work.bytesMarked = 0;
	work.initialHeapLive = atomic_Load(&gcController.heapLive);
}

// clearpools empties the caches of objects that keep memory alive.  The world is stopped.
// PORT: sudogs and deferred calls lie off the heap, so there is nothing to let go of there.
void
clearpools(void) {
	poolCleanup();
}

// itoaDiv formats val / 10^dec at the end of buf (n bytes); the text starts at the result.
char *
itoaDiv(char *buf, int n, uint64_t val, int dec, int *len) {
	int i = n - 1;
	int idec = i - dec;
	while (val >= 10 || i >= idec) {
		buf[i] = (char)(val % 10 + '0');
		i--;
		if (i == idec) {
			buf[i] = '.';
			i--;
		}
		val /= 10;
	}
	buf[i] = (char)(val + '0');
	*len = n - i;
	return buf + i;
}

// fmtNSAsMS formats ns as milliseconds: whole ones from 10 ms on, two digits below.
char *
fmtNSAsMS(char *buf, int n, uint64_t ns, int *len) {
	if (ns >= 10000000) {
		return itoaDiv(buf, n, ns / 1000000, 0, len);
	}
	uint64_t x = ns / 1000;
	if (x == 0) {
		buf[0] = '0';
		*len = 1;
		return buf;
	}
	int dec = 3;
	while (x >= 100) {
		x /= 10;
		dec--;
	}
	return itoaDiv(buf, n, x, dec, len);
}

// gcTestIsReachable runs a cycle and returns which of the n objects it found; it clears ptrs.
uint64_t
gcTestIsReachable(void **ptrs, int n) {
	if (n > 64) {
		gopanic("too many pointers for uint64 mask");
	}

	// No cycle while the objects are prepared: one that runs would mark them through ptrs.
	semacquire(&gcsema);

	specialReachable *specials[64];
	for (int i = 0; i < n; i++) {
		lock(&mheap_.speciallock);
		specialReachable *s = fixalloc_alloc(&mheap_.specialReachableAlloc);
		unlock(&mheap_.speciallock);
		s->done = false;
		s->reachable = false;
		s->special.kind = _KindSpecialReachable;
		if (!addspecial(ptrs[i], &s->special, false)) {
			throw("already have a reachable special (duplicate pointer?)");
		}
		specials[i] = s;
		ptrs[i] = NULL;
	}

	semrelease(&gcsema);

	GC();

	uint64_t mask = 0;
	for (int i = 0; i < n; i++) {
		specialReachable *s = specials[i];
		if (!s->done) {
			print("runtime: object %d was not swept\n", i);
			throw("IsReachable failed");
		}
		if (s->reachable) {
			mask |= (uint64_t)1 << i;
		}
		lock(&mheap_.speciallock);
		fixalloc_free(&mheap_.specialReachableAlloc, s);
		unlock(&mheap_.speciallock);
	}
	return mask;
}
