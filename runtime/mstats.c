// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Statistics of the allocator and the collector.  Ports mstats.go of Go 1.26.8.
//
// Two sets of books.  Those that the pacer needs at once (gcController.heapInUse and so on) are
// single atomic counters, each right by itself but not with the others.  Those that are shown to
// the program (heapStats) are consistent with each other: see consistentHeapStats.  Objects are
// counted when a span leaves an mcache and when it is swept, never one by one.
//
// PORT: sysMemStat's functions are in mem.c.

#include "runtime/mstats.h"

#include "runtime/malloc.h"
#include "runtime/mgc.h"
#include "runtime/mgcpacer.h"
#include "runtime/mgcscavenge.h"
#include "runtime/panic.h"
#include "sched/proc.h"
#include "sched/runtime2.h"
#include "sched/stack.h"

mstats memstats;

bool doubleCheckReadMemStats = false;

_Static_assert(offsetof(mstats, heapStats) % 8 == 0, "memstats.heapStats not aligned to 8 bytes");
_Static_assert(sizeof(heapStatsDelta) % 8 == 0, "heapStatsDelta not a multiple of 8 bytes in size");

// readMemStats_1 is the part of ReadMemStats on g0.
static void
readMemStats_1(void *m) {
	readmemstats_m(m);
}

// ReadMemStats fills *m with the statistics as of now.
void
ReadMemStats(struct gort_memstats *m) {
	worldStop stw = stopTheWorld(stwReadMemStats);
	systemstack(readMemStats_1, m);
	startTheWorld(stw);
}

// flushallmcaches_1 is flushallmcaches for systemstack.
static void
flushallmcaches_1(void *arg) {
	(void)arg;
	flushallmcaches();
}

// doubleCheckMemStats compares the two sets of books.  The world is stopped.
static void
doubleCheckMemStats(const heapStatsDelta *consStats, uint64_t totalAlloc, uint64_t totalFree,
	uint64_t totalMapped) {
	// sysmon is not stopped with the world.
	lock(&sched.sysmonlock);
	uint64_t heapInUse = sysMemStat_load(&gcController.heapInUse);
	if (heapInUse != (uint64_t)consStats->inHeap) {
		print("runtime: heapInUse=%lu\n", heapInUse);
		print("runtime: consistent value=%ld\n", consStats->inHeap);
		throw("heapInUse and consistent stats are not equal");
	}
	uint64_t heapReleased = sysMemStat_load(&gcController.heapReleased);
	if (heapReleased != (uint64_t)consStats->released) {
		print("runtime: heapReleased=%lu\n", heapReleased);
		print("runtime: consistent value=%ld\n", consStats->released);
		throw("heapReleased and consistent stats are not equal");
	}
	uint64_t retained = heapInUse + sysMemStat_load(&gcController.heapFree);
	uint64_t consRetained =
		(uint64_t)(consStats->committed - consStats->inStacks - consStats->inWorkBufs);
	if (retained != consRetained) {
		print("runtime: global value=%lu\n", retained);
		print("runtime: consistent value=%lu\n", consRetained);
		throw("measures of the retained heap are not equal");
	}
	uint64_t gcTotalAlloc = atomic_Load(&gcController.totalAlloc);
	if (gcTotalAlloc != totalAlloc) {
		print("runtime: totalAlloc=%lu\n", gcTotalAlloc);
		print("runtime: consistent value=%lu\n", totalAlloc);
		throw("totalAlloc and consistent stats are not equal");
	}
	uint64_t gcTotalFree = atomic_Load(&gcController.totalFree);
	if (gcTotalFree != totalFree) {
		print("runtime: totalFree=%lu\n", gcTotalFree);
		print("runtime: consistent value=%lu\n", totalFree);
		throw("totalFree and consistent stats are not equal");
	}
	uint64_t mappedReady = atomic_Load(&gcController.mappedReady);
	if (mappedReady != totalMapped - (uint64_t)consStats->released) {
		print("runtime: mappedReady=%lu\n", mappedReady);
		print("runtime: totalMapped=%lu\n", totalMapped);
		print("runtime: released=%ld\n", consStats->released);
		print("runtime: totalMapped-released=%lu\n",
			totalMapped - (uint64_t)consStats->released);
		throw("mappedReady and other memstats are not equal");
	}
	unlock(&sched.sysmonlock);
}

// readmemstats_m fills *stats.  The world must be stopped.
void
readmemstats_m(struct gort_memstats *stats) {
	assertWorldStopped();

	// What the mcaches have handed out is counted when they give their spans back.
	systemstack(flushallmcaches_1, NULL);

	heapStatsDelta consStats = {0};
	consistentHeapStats_unsafeRead(&memstats.heapStats, &consStats);

	uint64_t totalAlloc = consStats.largeAlloc;
	uint64_t nMalloc = consStats.largeAllocCount;
	uint64_t totalFree = consStats.largeFree;
	uint64_t nFree = consStats.largeFreeCount;

	for (unsigned i = 0; i < NumSizeClasses; i++) {
		uint64_t a = consStats.smallAllocCount[i];
		totalAlloc += a * SizeClassToSize[i];
		nMalloc += a;
		uint64_t f = consStats.smallFreeCount[i];
		totalFree += f * SizeClassToSize[i];
		nFree += f;
		if (i < nelem(stats->BySize)) {
			stats->BySize[i].Size = SizeClassToSize[i];
			stats->BySize[i].Mallocs = a;
			stats->BySize[i].Frees = f;
		}
	}

	// Each object in a tiny block counts as allocated and freed, besides the block: nobody
	// knows when it dies.
	nFree += consStats.tinyAllocCount;
	nMalloc += consStats.tinyAllocCount;

	uint64_t stackInUse = (uint64_t)consStats.inStacks;
	uint64_t gcWorkBufInUse = (uint64_t)consStats.inWorkBufs;
	uint64_t heapInUse = sysMemStat_load(&gcController.heapInUse);
	uint64_t heapFree = sysMemStat_load(&gcController.heapFree);
	uint64_t heapReleased = sysMemStat_load(&gcController.heapReleased);

	uint64_t totalMapped =
		heapInUse + heapFree + heapReleased + sysMemStat_load(&memstats.stacks_sys) +
		sysMemStat_load(&memstats.mspan_sys) + sysMemStat_load(&memstats.mcache_sys) +
		sysMemStat_load(&memstats.buckhash_sys) + sysMemStat_load(&memstats.gcMiscSys) +
		sysMemStat_load(&memstats.other_sys) + stackInUse + gcWorkBufInUse;

	uint64_t heapGoal = gcControllerState_heapGoal(&gcController);

	if (doubleCheckReadMemStats) {
		doubleCheckMemStats(&consStats, totalAlloc, totalFree, totalMapped);
	}

	stats->Alloc = totalAlloc - totalFree;
	stats->TotalAlloc = totalAlloc;
	stats->Sys = totalMapped;
	stats->Lookups = 0;
	stats->Mallocs = nMalloc;
	stats->Frees = nFree;
	stats->HeapAlloc = totalAlloc - totalFree;
	// What was mapped for the heap, less what the heap gave to stacks and work buffers.
	stats->HeapSys = heapInUse + heapFree + heapReleased;
	stats->HeapIdle = heapFree + heapReleased;
	stats->HeapInuse = heapInUse;
	stats->HeapReleased = heapReleased;
	stats->HeapObjects = nMalloc - nFree;
	// PORT: goroutine stacks have an arena of their own (stack.c), outside of all these sums.
	uint64_t goroutineStacks = stacks_inuse();
	stats->Sys += goroutineStacks;
	stats->StackInuse = stackInUse + goroutineStacks;
	stats->StackSys = stats->StackInuse + sysMemStat_load(&memstats.stacks_sys);
	stats->MSpanInuse = mheap_.spanalloc.inuse;
	stats->MSpanSys = sysMemStat_load(&memstats.mspan_sys);
	stats->MCacheInuse = mheap_.cachealloc.inuse;
	stats->MCacheSys = sysMemStat_load(&memstats.mcache_sys);
	stats->BuckHashSys = sysMemStat_load(&memstats.buckhash_sys);
	stats->GCSys = sysMemStat_load(&memstats.gcMiscSys) + gcWorkBufInUse;
	stats->OtherSys = sysMemStat_load(&memstats.other_sys);
	stats->NextGC = heapGoal;
	stats->LastGC = memstats.last_gc_unix;
	stats->PauseTotalNs = memstats.pause_total_ns;
	memcpy(stats->PauseNs, memstats.pause_ns, sizeof stats->PauseNs);
	memcpy(stats->PauseEnd, memstats.pause_end, sizeof stats->PauseEnd);
	stats->NumGC = memstats.numgc;
	stats->NumForcedGC = memstats.numforcedgc;
	stats->GCCPUFraction = memstats.gc_cpu_fraction;
	stats->EnableGC = true;
	stats->DebugGC = false;
	for (size_t i = NumSizeClasses; i < nelem(stats->BySize); i++) {
		stats->BySize[i].Size = 0;
		stats->BySize[i].Mallocs = 0;
		stats->BySize[i].Frees = 0;
	}
}

struct readGCStats_args {
	uint64_t *p;
	int n;
};

// readGCStats_m is the part of readGCStats on g0: it takes the heap lock.
static void
readGCStats_m(void *arg) {
	struct readGCStats_args *a = arg;
	uint64_t *p = a->p;
	const uint32_t len = nelem(memstats.pause_ns);

	lock(&mheap_.lock);
	uint32_t n = min(memstats.numgc, len);
	// The most recent one is at (numgc-1)%len.
	for (uint32_t i = 0; i < n; i++) {
		uint32_t j = (memstats.numgc - 1 - i) % len;
		p[i] = memstats.pause_ns[j];
		p[n + i] = memstats.pause_end[j];
	}
	p[n + n] = memstats.last_gc_unix;
	p[n + n + 1] = memstats.numgc;
	p[n + n + 2] = memstats.pause_total_ns;
	unlock(&mheap_.lock);
	a->n = (int)(n + n + 3);
}

// readGCStats reports the latest pauses.
int
readGCStats(uint64_t *p, int capp) {
	if (capp < 2 * (int)nelem(memstats.pause_ns) + 3) {
		throw("short slice passed to readGCStats");
	}
	struct readGCStats_args args = {p, 0};
	systemstack(readGCStats_m, &args);
	return args.n;
}

// flushmcache empties the mcache of allp[i].  The world must be stopped.
void
flushmcache(int i) {
	assertWorldStopped();
	mcache *c = allp[i]->mcache;
	if (c == NULL) {
		return;
	}
	mcache_releaseAll(c);
}

// flushallmcaches empties all mcaches.  The world must be stopped.
void
flushallmcaches(void) {
	assertWorldStopped();
	for (int i = 0; i < gomaxprocs; i++) {
		flushmcache(i);
	}
}

// ---- consistent statistics ----------------------------------------------------------------------

// merge adds b to a.
void
heapStatsDelta_merge(heapStatsDelta *a, const heapStatsDelta *b) {
	a->committed += b->committed;
	a->released += b->released;
	a->inHeap += b->inHeap;
	a->inStacks += b->inStacks;
	a->inWorkBufs += b->inWorkBufs;

	a->tinyAllocCount += b->tinyAllocCount;
	a->largeAlloc += b->largeAlloc;
	a->largeAllocCount += b->largeAllocCount;
	a->largeFree += b->largeFree;
	a->largeFreeCount += b->largeFreeCount;
	for (int i = 0; i < NumSizeClasses; i++) {
		a->smallAllocCount[i] += b->smallAllocCount[i];
		a->smallFreeCount[i] += b->smallFreeCount[i];
	}
}

// acquire is the delta to update, and keeps readers away from it until release.
heapStatsDelta *
consistentHeapStats_acquire(consistentHeapStats *m) {
	P *pp = getg()->m->p;
	if (pp != NULL) {
		uint32_t seq = atomic_Xadd(&pp->statsSeq, 1);
		if (seq % 2 == 0) {
			// Somebody acquired it twice.
			print("runtime: seq=%u\n", seq);
			throw("bad sequence number");
		}
	} else {
		lock(&m->noPLock);
	}
	return &m->stats[atomic_Load(&m->gen) % 3];
}

// release ends the update.
void
consistentHeapStats_release(consistentHeapStats *m) {
	P *pp = getg()->m->p;
	if (pp != NULL) {
		uint32_t seq = atomic_Xadd(&pp->statsSeq, 1);
		if (seq % 2 != 0) {
			print("runtime: seq=%u\n", seq);
			throw("bad sequence number");
		}
	} else {
		unlock(&m->noPLock);
	}
}

// unsafeRead adds everything to *out.  The world must be stopped.
void
consistentHeapStats_unsafeRead(consistentHeapStats *m, heapStatsDelta *out) {
	assertWorldStopped();
	for (size_t i = 0; i < nelem(m->stats); i++) {
		heapStatsDelta_merge(out, &m->stats[i]);
	}
}

// read takes a consistent snapshot of all that was ever added.  The world must be stopped or
// metricsSema held.
void
consistentHeapStats_read(consistentHeapStats *m, heapStatsDelta *out) {
	// allp must not change.
	M *mp = acquirem();

	// Only readers move gen, and they take turns.
	uint32_t currGen = atomic_Load(&m->gen);
	uint32_t prevGen = currGen == 0 ? 2 : currGen - 1;

	// Writers go on in the next delta.
	lock(&m->noPLock);
	(void)atomic_Xchg(&m->gen, (currGen + 1) % 3);
	unlock(&m->noPLock);

	for (int i = 0; i < nallp; i++) {
		while (atomic_Load(&allp[i]->statsSeq) % 2 != 0) {
			__builtin_ia32_pause();
		}
	}

	// Nobody writes to currGen any more.  Collect what came before, and clear the place for the
	// reader after the next.
	heapStatsDelta_merge(&m->stats[currGen], &m->stats[prevGen]);
	memset(&m->stats[prevGen], 0, sizeof m->stats[prevGen]);
	*out = m->stats[currGen];

	releasem(mp);
}

// ---- CPU time -----------------------------------------------------------------------------------

// accumulateGCPauseTime adds a pause of dt ns; maxProcs is GOMAXPROCS, because that is what the
// total time is computed from.
void
cpuStats_accumulateGCPauseTime(cpuStats *s, int64_t dt, int32_t maxProcs) {
	int64_t cpu = dt * maxProcs;
	s->GCPauseTime += cpu;
	s->GCTotalTime += cpu;
}

// accumulate adds the counters of the current cycle.  Outside of the mark phase (gcMarkPhase) those
// of the collector may be stale.
void
cpuStats_accumulate(cpuStats *s, int64_t now, bool gcMarkPhase) {
	// The pauses are added at their ends.
	int64_t markAssistCpu = 0;
	int64_t markDedicatedCpu = 0;
	int64_t markFractionalCpu = 0;
	int64_t markIdleCpu = 0;
	if (gcMarkPhase) {
		markAssistCpu = atomic_Load(&gcController.assistTime);
		markDedicatedCpu = atomic_Load(&gcController.dedicatedMarkTime);
		markFractionalCpu = atomic_Load(&gcController.fractionalMarkTime);
		markIdleCpu = atomic_Load(&gcController.idleMarkTime);
	}

	// The rest is derived, or reset at each mark termination.
	int64_t scavAssistCpu = atomic_Load(&scavenge.assistTime);
	int64_t scavBgCpu = atomic_Load(&scavenge.backgroundTime);

	s->GCAssistTime += markAssistCpu;
	s->GCDedicatedTime += markDedicatedCpu + markFractionalCpu;
	s->GCIdleTime += markIdleCpu;
	s->GCTotalTime += markAssistCpu + markDedicatedCpu + markFractionalCpu + markIdleCpu;

	s->ScavengeAssistTime += scavAssistCpu;
	s->ScavengeBgTime += scavBgCpu;
	s->ScavengeTotalTime += scavAssistCpu + scavBgCpu;

	s->TotalTime = sched.totaltime + (now - sched.procresizetime) * gomaxprocs;
	s->IdleTime += atomic_Load(&sched.idleTime);

	// What is none of the above: mostly the program, and also sweeping and the scheduler.
	s->UserTime = s->TotalTime - (s->GCTotalTime + s->ScavengeTotalTime + s->IdleTime);
}

// ---- the public interface: gort.h ---------------------------------------------------------------

void
gort_read_memstats(gort_memstats *m) {
	needg();
	ReadMemStats(m);
}
