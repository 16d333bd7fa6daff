// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The execution tracer: start, generations, the reader.  Ports trace.go of Go 1.26.8.
//
// A trace is a sequence of generations, each of which can be read by itself: strings, stacks and the
// states of goroutines and processors are new in each.  The Ms write events into buffers of their own
// (tracebuf.c).  What is written is consistent because of a few rules:
//
//   - A transition and its event happen between traceAcquire and traceRelease, on the M that owns the
//     goroutine or processor.  So an M that does not write tells the truth about all that it owns.
//   - The first event of a generation about a resource comes with its status (traceevent.c).
//   - To end a generation traceAdvance changes trace.gen and then waits for each M that still writes in
//     the old one.  Nobody writes there any more when their buffers are taken.
//   - Goroutines that had no event get their status from traceAdvance, which stops each of them for a
//     moment; processors get it at their safe points.
//
// All of it can be lock-free for those who write because times need not agree between Ms: where the
// order matters events carry sequence numbers, and the reader of the trace does the sorting.
//
// PORT: what the tracer keeps is not on the GC heap.  Go's wakeableSleep has a channel; here it parks
// its goroutine itself.
#include "sched/trace.h"

#include <errno.h>
#include <linux/membarrier.h>

#include "runtime/mem.h"
#include "runtime/mheap.h"
#include "runtime/mprof.h"
#include "runtime/mstats.h"
#include "runtime/os_linux.h"
#include "runtime/panic.h"
#include "runtime/runtime1.h"
#include "sched/preempt.h"
#include "sched/sema.h"
#include "sched/time.h"

struct traceState trace;

// traceAdvanceSema serialises ends of generations; traceShutdownSema is held over the end of tracing,
// so that nobody starts anew before it is complete.  The first one is taken first.
static uint32_t traceAdvanceSema = 1;
static uint32_t traceShutdownSema = 1;

static void traceAdvancer_start(void);
static void traceAdvancer_stop(void);

// traceFenceInit asks the kernel for traceFence's means, and has the Ms do without if there is none.
static void
traceFenceInit(void) {
	int32_t err = runtime_membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);

	atomic_StoreRelaxed(&traceFlags.fence, err < 0);
}

// traceFence makes what this thread has written visible to each M that has not said so far that it
// writes, and shows this thread all those that have.
static void
traceFence(void) {
	if (!atomic_LoadRelaxed(&traceFlags.fence) &&
		runtime_membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) < 0)
		throw("trace: membarrier failed");
}

static void
startLocked_1(void *a) {
	uintptr_t firstGen = *(uintptr_t *)a;

	// sysmon has no P and does not stop with the world.
	lock(&sched.sysmonlock);

	trace.minPageHeapAddr = mheap_.pages.inUse.ranges[0].base.a;
	for (int32_t i = 0; i < nallp; i++)
		allp[i]->trace.mSyscallID = -1;

	// From here on goroutines in system calls may come out and write events, in the first
	// generation as soon as there is one.
	atomic_StoreRel(&traceFlags.reading, true);
	(void)atomic_Or(&executeHooks, (uint32_t)executeTrace);
	atomic_StoreRel(&traceFlags.enabled, true);
	if (atomic_Load(&debug.traceallocfree) != 0) {
		// PORT: objects are traced where they would be sampled for the memory profile.
		atomic_StoreRel(&traceFlags.enabledWithAllocFree, true);
		traceObjects();
	}
	atomic_Store(&trace.gen, firstGen);

	// A goroutine that leaves a system call without a P is not stopped.  If it looked at enabled
	// before, let it finish: it would be said to be in a system call and then run without an event.
	while (atomic_Load(&trace.exitingSyscall) != 0)
		osyield();

	traceLocker tl = traceAcquire();
	traceSyncBatch(firstGen, traceClockUnitsPerSecond());
	traceLocker_Gomaxprocs(tl, gomaxprocs);
	traceLocker_STWStart(tl, stwStartTrace); // it was too early when the world stopped

	if (gcphase == _GCmark || gcphase == _GCmarktermination)
		traceLocker_GCActive(tl);

	// What is on the heap already.
	if (traceAllocFreeEnabled())
		traceSnapshotMemory(firstGen);

	traceLocker_HeapGoal(tl);
	traceRelease(tl);
	unlock(&sched.sysmonlock);
}

// StartTrace starts the tracer.  Somebody has to read the trace, until its end (ReadTrace).
int
StartTrace(void) {
	if (traceEnabled() || traceShuttingDown())
		return -EBUSY;

	// The last trace may still be on its way out.
	semacquire(&traceShutdownSema);
	semrelease(&traceShutdownSema);

	semacquire(&traceAdvanceSema);
	if (traceEnabled()) {
		// PORT: two may have come this far; Go has a lock around it.
		semrelease(&traceAdvanceSema);
		return -EBUSY;
	}

	traceInitReadCPU();

	uintptr_t firstGen = traceNextGen(trace.lastNonZeroGen);
	static bool inited;
	if (!inited) {
		inited = true;
		traceClockInit();
		traceFenceInit();
	}
	traceClockSet();
	trace.seqGC = 1;
	trace.headerWritten = false;
	atomic_Store(&trace.readerGen, firstGen);
	atomic_Store(&trace.flushedGen, (uintptr_t)0);
	traceRegisterLabelsAndReasons(firstGen);

	worldStop stw = stopTheWorld(stwStartTrace);
	systemstack(startLocked_1, &firstGen);
	startTheWorld(stw);

	traceStartReadCPU();
	traceAdvancer_start();
	semrelease(&traceAdvanceSema);
	return 0;
}

// StopTrace ends tracing, and returns when the reader has everything.
void
StopTrace(void) {
	traceAdvance(true);
}

// untracedG is a goroutine that had no event in a generation.
typedef struct untracedG {
	G *gp;
	uint64_t goid;
	int64_t mid;
	uint64_t stackID;
	uint32_t status;
	waitReason waitreason;
	bool inMarkAssist;
} untracedG;

// untracedGs is the list of them, off the heap.
typedef struct untracedGs {
	uintptr_t gen;
	untracedG *tab;
	uintptr_t n;
	uintptr_t cap;
} untracedGs;

struct untraced_args {
	G *gp;
	uintptr_t gen;
	untracedG ug;
};

static void
untraced_1(void *a) {
	struct untraced_args *args = a;
	untracedG *ug = &args->ug;
	G *me = getg()->m->curg;

	// suspendG wants us to be suspendable.
	casGToWaitingForSuspendG(me, _Grunning, waitReasonTraceGoroutineStatus);
	suspendGState s = suspendG(args->gp);
	if (!s.dead) {
		ug->goid = s.g->goid;
		// If it is runnable, execute may be about to give it an M.
		M *mp = atomic_LoadRelaxed(&s.g->m);
		if (mp != NULL)
			ug->mid = (int64_t)atomic_LoadRelaxed(&mp->procid);
		ug->status = readgstatus(s.g) & ~(uint32_t)_Gscan;
		ug->waitreason = s.g->waitreason;
		ug->inMarkAssist = s.g->inMarkAssist;
		ug->stackID = traceStack(0, args->gp, args->gen);
	}
	resumeG(s);
	casgstatus(me, _Gwaiting, _Grunning);
}

// untraced adds gp to the list if it has no event yet.
static void
untraced(G *gp, void *arg) {
	untracedGs *l = arg;

	// Its entry of the next generation may be that of an old one.  It is the tracer's until the
	// generation changes.
	traceSchedResourceState_readyNextGen(&gp->trace.r, l->gen);

	// An event later on is no matter: this is looked at again below.
	if (traceSchedResourceState_statusWasTraced(&gp->trace.r, l->gen))
		return;
	if (readgstatus(gp) == _Gdead)
		return; // PORT: not worth the trip to g0

	struct untraced_args args = {.gp = gp, .gen = l->gen, .ug = {.gp = gp, .mid = -1}};
	systemstack(untraced_1, &args);
	if (args.ug.goid == 0)
		return;
	if (l->n == l->cap) {
		uintptr_t cap = l->cap == 0 ? 1024 : 2 * l->cap;
		untracedG *tab =
			sysAlloc(cap * sizeof *tab, &memstats.other_sys, "trace goroutines");
		if (tab == NULL)
			throw("trace: out of memory");
		if (l->n > 0) {
			memcpy(tab, l->tab, l->n * sizeof *tab);
			sysFree(l->tab, l->cap * sizeof *tab, &memstats.other_sys);
		}
		l->tab = tab;
		l->cap = cap;
	}
	l->tab[l->n++] = args.ug;
}

// traceProcStatus_1 is what each P does at the end of a generation.
static void
traceProcStatus_1(P *pp) {
	traceLocker tl = traceAcquire();

	if (!traceSchedResourceState_statusWasTraced(&pp->trace.r, tl.gen)) {
		traceWriter w = traceLocker_writer(tl);
		traceWriter_writeProcStatusForP(&w, pp, false);
		traceWriter_end(&w);
	}
	traceRelease(tl);
}

static void
stopTrace_1(void *a) {
	// shutdown before gen, and under the lock: the reader must never see neither.
	lock(&trace.lock);
	atomic_Store(&traceFlags.shutdown, true);
	atomic_Store(&trace.gen, (uintptr_t)0);
	unlock(&trace.lock);

	atomic_StoreRel(&traceFlags.enabled, false);
	(void)atomic_And(&executeHooks, ~(uint32_t)executeTrace);
}

struct flushMs_args {
	M *mToFlush;
	uintptr_t gen;
};

// flushMs_1 takes the buffers of each M as soon as it does not write.
static void
flushMs_1(void *a) {
	struct flushMs_args *args = a;
	uintptr_t gen = args->gen;

	traceFence();
	while (args->mToFlush != NULL) {
		M **prev = &args->mToFlush;
		while (*prev != NULL) {
			M *mp = *prev;
			if (atomic_Load(&mp->trace.writing)) {
				// In the old generation, or in the new one: that will be over soon.
				prev = &mp->trace.link;
				continue;
			}
			lock(&trace.lock);
			for (int exp = 0; exp < NumExperiments; exp++) {
				traceBuf *b = mp->trace.buf[gen % 2][exp];
				if (b != NULL) {
					traceBufFlush(b, gen);
					mp->trace.buf[gen % 2][exp] = NULL;
				}
			}
			unlock(&trace.lock);
			*prev = mp->trace.link;
			mp->trace.link = NULL;
		}
		if (args->mToFlush != NULL)
			osyield();
	}
}

static void
flushedGen_1(void *a) {
	lock(&trace.lock);
	atomic_Store(&trace.flushedGen, *(uintptr_t *)a);
	unlock(&trace.lock);
}

struct traceDone_args {
	uintptr_t gen;
	bool stopTrace;
};

static void
traceDone_1(void *a) {
	struct traceDone_args *args = a;

	lock(&trace.lock);
	if (trace.full[args->gen % 2].head != NULL)
		throw("trace: non-empty full trace buffer for done generation");
	if (args->stopTrace) {
		if (trace.full[1 - args->gen % 2].head != NULL)
			throw("trace: non-empty full trace buffer for next generation");
		if (trace.reading != NULL || atomic_Load(&trace.reader) != NULL)
			throw("trace: reading after shutdown");
		while (trace.empty != NULL) {
			traceBuf *b = trace.empty;
			trace.empty = b->link;
			sysFree(b, sizeof *b, &memstats.other_sys);
		}
		trace.headerWritten = false;
		atomic_Store(&traceFlags.shutdown, false);
		atomic_StoreRel(&traceFlags.reading, false);
	}
	unlock(&trace.lock);
}

void
traceAdvance(bool stopTrace) {
	semacquire(&traceAdvanceSema);

	uintptr_t gen = atomic_Load(&trace.gen);
	if (gen == 0) {
		// Tracing has ended meanwhile.
		semrelease(&traceAdvanceSema);
		return;
	}

	// Goroutines without an event, while the generation still goes on: those that come after this
	// have one, GoCreate.
	untracedGs l = {.gen = gen};
	forEachGRace(untraced, &l);

	if (!stopTrace) {
		traceRegisterLabelsAndReasons(traceNextGen(gen));
		traceClockSet();
	}

	// All Ps, then change the generation while worldsema keeps a GC cycle from beginning or ending
	// and the number of Ps as it is.
	semacquire(&worldsema);
	forEachP(waitReasonTraceProcStatus, traceProcStatus_1);
	for (int32_t i = nallp; i < capallp; i++) {
		if (allp[i] != NULL)
			traceSchedResourceState_readyNextGen(&allp[i]->trace.r, gen);
	}

	// On one M to the end of this part: what the new generation begins with is not torn.
	M *mp = acquirem();
	trace.lastNonZeroGen = gen;
	if (stopTrace)
		systemstack(stopTrace_1, NULL);
	else
		atomic_Store(&trace.gen, traceNextGen(gen));

	if (!stopTrace) {
		traceLocker tl = traceAcquire();
		traceSyncBatch(tl.gen, traceClockUnitsPerSecond());
		traceLocker_Gomaxprocs(tl, gomaxprocs);
		if (gcphase == _GCmark || gcphase == _GCmarktermination)
			traceLocker_GCActive(tl);
		traceRelease(tl);
	}
	releasem(mp);
	semrelease(&worldsema);

	// Every M there is, the dead ones too: their last events count.  The list is through a field of
	// its own, since Ms come and go meanwhile.
	struct flushMs_args flush = {.gen = gen};
	mp = acquirem();
	lock(&sched.lock);
	flush.mToFlush = allm;
	for (M *m = allm; m != NULL; m = m->alllink)
		m->trace.link = m->alllink;
	for (M *m = sched.freem; m != NULL; m = m->freelink) {
		m->trace.link = flush.mToFlush;
		flush.mToFlush = m;
	}
	unlock(&sched.lock);
	releasem(mp);
	systemstack(flushMs_1, &flush);

	// Nobody writes in gen any more.
	mp = acquirem();
	traceWriter w = unsafeTraceWriter(gen, NULL);
	for (uintptr_t i = 0; i < l.n; i++) {
		untracedG *ug = &l.tab[i];
		if (traceSchedResourceState_statusWasTraced(&ug->gp->trace.r, gen))
			continue; // it had an event after all
		traceWriter_writeGoStatus(&w, ug->goid, ug->mid,
			goStatusToTraceGoStatus(ug->status, ug->waitreason), ug->inMarkAssist,
			ug->stackID);
	}
	traceWriter_flush(&w);
	releasem(mp);
	if (l.tab != NULL)
		sysFree(l.tab, l.cap * sizeof *l.tab, &memstats.other_sys);

	// The tables.  Samples make stacks, stacks make strings.
	traceReadCPU(gen);
	traceCPUFlush(gen);
	traceStackTable_dump(&trace.stackTab[gen % 2], gen);
	traceTypeTable_dump(&trace.typeTab[gen % 2], gen);
	traceStringTable_reset(&trace.stringTab[gen % 2], gen);

	systemstack(flushedGen_1, &gen);

	if (stopTrace) {
		semacquire(&traceShutdownSema);
		traceStopReadCPU();
		atomic_StoreRel(&traceFlags.enabledWithAllocFree, false);
	}

	// The reader says when it has all of the generation.
	semacquire(&trace.doneSema[gen % 2]);
	struct traceDone_args done = {gen, stopTrace};
	systemstack(traceDone_1, &done);

	if (stopTrace) {
		// Sweeps that were on when tracing stopped would look unfinished to the next trace.
		mp = acquirem();
		for (int32_t i = 0; i < capallp; i++) {
			P *pp = allp[i];
			if (pp == NULL)
				continue;
			pp->trace.inSweep = false;
			pp->trace.maySweep = false;
			pp->trace.swept = 0;
			pp->trace.reclaimed = 0;
		}
		releasem(mp);
	}

	// Handed over: the advancer could take it again and again before others.
	semrelease1(&traceAdvanceSema, true);

	if (stopTrace) {
		traceAdvancer_stop();
		semrelease(&traceShutdownSema);
	}
}

uintptr_t
traceNextGen(uintptr_t gen) {
	if (gen == ~(uintptr_t)0) {
		// 0 means off; 4 is Go's, and goes on in the sequence modulo 2.
		return 4;
	}
	return gen + 1;
}

// ---- the reader ------------------------------------------------------------------------------------------

struct readTrace_args {
	const uint8_t *buf;
	uintptr_t n;
	bool park;
};

// readTrace_1 is one try of ReadTrace.
static void
readTrace_1(void *a) {
	static const char header[16] = "go 1.26 trace\0\0";
	static const uint8_t endOfGeneration = EvEndOfGeneration;
	struct readTrace_args *args = a;

	args->buf = NULL;
	args->n = 0;
	args->park = false;
	lock(&trace.lock);
	if (atomic_Load(&trace.reader) != NULL) {
		unlock(&trace.lock);
		print("runtime: ReadTrace called from multiple goroutines simultaneously\n");
		return;
	}
	// The reader is done with the last buffer.
	if (trace.reading != NULL) {
		trace.reading->link = trace.empty;
		trace.empty = trace.reading;
		trace.reading = NULL;
	}
	if (!trace.headerWritten) {
		trace.headerWritten = true;
		unlock(&trace.lock);
		args->buf = (const uint8_t *)header;
		args->n = sizeof header;
		return;
	}
	if (atomic_Load(&trace.readerGen) == 0)
		atomic_Store(&trace.readerGen, (uintptr_t)1);

	uintptr_t gen;
	for (;;) {
		gen = atomic_Load(&trace.readerGen);
		if (trace.full[gen % 2].head != NULL)
			break;
		if (atomic_Load(&trace.flushedGen) != gen) {
			// Nothing there, and there is more to come.
			atomic_Store(&trace.workAvailable, false);
			unlock(&trace.lock);
			args->park = true;
			return;
		}
		if (!trace.endOfGenerationWritten) {
			trace.endOfGenerationWritten = true;
			unlock(&trace.lock);
			args->buf = &endOfGeneration;
			args->n = 1;
			return;
		}
		trace.endOfGenerationWritten = false;
		if (atomic_Load(&traceFlags.shutdown)) {
			unlock(&trace.lock);
			semrelease(&trace.doneSema[gen % 2]);
			return;
		}
		// Not gen + 1: the next trace may have begun.
		atomic_Store(&trace.readerGen, atomic_Load(&trace.gen));
		unlock(&trace.lock);
		semrelease(&trace.doneSema[gen % 2]);
		lock(&trace.lock);
	}
	traceBuf *b = traceBufQueue_pop(&trace.full[gen % 2]);
	trace.reading = b;
	unlock(&trace.lock);
	args->buf = b->arr;
	args->n = b->pos;
}

// ReadTrace_park runs once the reader has parked.
static bool
ReadTrace_park(G *gp, void *unused) {
	if (!atomic_Cas(&trace.reader, (G *)NULL, gp))
		return false; // there is another reader, which readTrace_1 will complain about

	// There may be something by now, of which whoever brought it could tell nobody.
	G *g2 = traceReader();
	if (g2 == gp)
		return false;
	if (g2 != NULL) {
		print("runtime: got trace reader %p %lu\n", (void *)g2, g2->goid);
		throw("unexpected trace reader");
	}
	return true;
}

const uint8_t *
ReadTrace(uintptr_t *n) {
	struct readTrace_args args;

	for (;;) {
		systemstack(readTrace_1, &args);
		if (!args.park)
			break;
		gopark(ReadTrace_park, NULL, waitReasonTraceReaderBlocked);
	}
	*n = args.n;
	return args.buf;
}

G *
traceReader(void) {
	G *gp = traceReaderAvailable();

	if (gp == NULL || !atomic_Cas(&trace.reader, gp, (G *)NULL))
		return NULL;
	return gp;
}

G *
traceReaderAvailable(void) {
	// The end of a generation, or buffers.
	if (atomic_Load(&trace.flushedGen) == atomic_Load(&trace.readerGen) ||
		atomic_Load(&trace.workAvailable))
		return atomic_Load(&trace.reader);
	return NULL;
}

// ---- the advancer ------------------------------------------------------------------------------------------

static struct {
	wakeableSleep timer;
	uint32_t done; // semaphore
} traceAdvancerState;

// traceAdvancer_start_1 ends a generation every second, so that each is of a size to handle.
static void
traceAdvancer_start_1(void *arg) {
	while (traceEnabled()) {
		wakeableSleep_sleep(&traceAdvancerState.timer, debug.traceadvanceperiod);
		traceAdvance(false);
	}
	semrelease(&traceAdvancerState.done);
}

static void
traceAdvancer_start(void) {
	newWakeableSleep(&traceAdvancerState.timer);
	newproc(traceAdvancer_start_1, NULL);
}

static void
traceAdvancer_stop(void) {
	wakeableSleep_wake(&traceAdvancerState.timer);
	semacquire(&traceAdvancerState.done);
}

// wakeableSleep_timer is the timerFunc.
static void
wakeableSleep_timer(void *arg, uintptr_t seq, int64_t delay) {
	(void)seq;
	(void)delay;
	wakeableSleep_wake(arg);
}

// newWakeableSleep prepares s, which nobody uses.
void
newWakeableSleep(wakeableSleep *s) {
	lockInit(&s->lock, lockRankWakeableSleep);
	s->wakeup = false;
	if (s->timer.f == NULL)
		timer_init(&s->timer, wakeableSleep_timer, s);
}

// wakeableSleep_sleep sleeps ns nanoseconds, or until wake is called, which may have been before.
void
wakeableSleep_sleep(wakeableSleep *s, int64_t ns) {
	timer_reset(&s->timer, nanotime() + ns, 0);
	lock(&s->lock);
	if (s->wakeup) {
		s->wakeup = false;
		unlock(&s->lock);
	} else {
		s->waiter = getg();
		goparkunlock(&s->lock, waitReasonChanReceive);
	}
	timer_stop(&s->timer);
}

// wakeableSleep_wake ends the sleep of whoever sleeps on s, or the next one.
void
wakeableSleep_wake(wakeableSleep *s) {
	M *mp = acquirem();

	lock(&s->lock);
	G *gp = s->waiter;
	if (gp != NULL)
		s->waiter = NULL;
	else
		s->wakeup = true;
	unlock(&s->lock);
	if (gp != NULL)
		goready(gp);
	releasem(mp);
}
