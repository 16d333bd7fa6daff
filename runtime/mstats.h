// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Statistics of the allocator and the collector.  Ports mstats.go of Go 1.26.8.
#ifndef GORT_RUNTIME_MSTATS_H
#define GORT_RUNTIME_MSTATS_H

#include "runtime/runtime.h"

#include "runtime/mem.h" // sysMemStat
#include "runtime/mgcwork.h"
#include "sizeclasses/sizeclasses.h"

struct gort_memstats; // the public snapshot: Go's MemStats; see gort.h

// heapStatsDelta is a set of changes that have to be seen together.  The first group may be
// negative, the second only grows and is allowed to wrap.  Fields are updated atomically.
typedef struct heapStatsDelta {
	// bytes of memory
	int64_t committed;  // committed
	int64_t released;   // given back to the system
	int64_t inHeap;     // put into the heap
	int64_t inStacks;   // put into goroutine stacks
	int64_t inWorkBufs; // put into work buffers

	// allocations
	uint64_t tinyAllocCount;                  // objects put into a tiny block
	uint64_t largeAlloc;                      // bytes of large objects
	uint64_t largeAllocCount;                 // large objects
	uint64_t smallAllocCount[NumSizeClasses]; // small objects by class
	uint64_t largeFree;                       // bytes of large objects freed
	uint64_t largeFreeCount;                  // large objects freed
	uint64_t smallFreeCount[NumSizeClasses];  // small objects freed by class
} heapStatsDelta;

void heapStatsDelta_merge(heapStatsDelta *a, const heapStatsDelta *b);

// consistentHeapStats is a ring of three deltas: writers add to stats[gen], the one before holds
// what a reader last collected, the one after is clear so that gen can move on to it at any time.
// A reader moves gen and waits until every P's statsSeq is even: from then on nobody writes to the
// old delta.  One reader at a time (metricsSema or a stopped world).
typedef struct consistentHeapStats {
	heapStatsDelta stats[3];
	uint32_t gen;  // atomic: 0, 1 or 2
	mutex noPLock; // writers without a P, and the reader while it moves gen
} consistentHeapStats;

// acquire gives the delta to update, atomically; release follows soon.  The P stays the same.
heapStatsDelta *consistentHeapStats_acquire(consistentHeapStats *m);
void consistentHeapStats_release(consistentHeapStats *m);
// unsafeRead adds all deltas to *out; the world is stopped.
void consistentHeapStats_unsafeRead(consistentHeapStats *m, heapStatsDelta *out);
void consistentHeapStats_read(consistentHeapStats *m, heapStatsDelta *out);

typedef struct mstats {
	consistentHeapStats heapStats;

	sysMemStat stacks_sys; // stacks of threads that the runtime mapped itself

	// structures off the heap
	sysMemStat mspan_sys;
	sysMemStat mcache_sys;
	sysMemStat buckhash_sys; // profiling buckets

	sysMemStat gcMiscSys; // metadata of the collector
	sysMemStat other_sys;

	// protected by mheap_.lock or worldsema during GC
	uint64_t last_gc_unix; // when the last cycle ended (ns since 1970)
	uint64_t pause_total_ns;
	uint64_t pause_ns[256];  // ring of pause lengths
	uint64_t pause_end[256]; // ring of pause ends (ns since 1970)
	uint32_t numgc;
	uint32_t numforcedgc;   // asked for by the program
	double gc_cpu_fraction; // share of the CPU time since the start

	uint64_t last_gc_nanotime; // when the last cycle ended (monotonic)
	uint64_t lastHeapInUse;    // heapInUse at the last mark termination

	sizeClassScanStats lastScanStats[NumSizeClasses]; // of the last cycle; for gctrace=2

	bool enablegc;
} mstats;

extern mstats memstats;

// cpuStats: CPU time in ns as differences of nanotime, so all of it is an overestimate.
typedef struct cpuStats {
	int64_t GCAssistTime;
	int64_t GCDedicatedTime; // dedicated and fractional workers, pauses
	int64_t GCIdleTime;
	int64_t GCPauseTime; // all GOMAXPROCS, even if only one works
	int64_t GCTotalTime;

	int64_t ScavengeAssistTime;
	int64_t ScavengeBgTime;
	int64_t ScavengeTotalTime;

	int64_t IdleTime; // Ps in _Pidle
	int64_t UserTime; // the rest of _Prunning

	int64_t TotalTime; // GOMAXPROCS * time passed
} cpuStats;

void cpuStats_accumulateGCPauseTime(cpuStats *s, int64_t dt, int32_t maxProcs);
void cpuStats_accumulate(cpuStats *s, int64_t now, bool gcMarkPhase);

// doubleCheckReadMemStats makes readmemstats_m compare its sources; tests set it.
extern bool doubleCheckReadMemStats;

void ReadMemStats(struct gort_memstats *m);
// readmemstats_m fills *stats.  On g0, the world stopped.
void readmemstats_m(struct gort_memstats *stats);
// readGCStats fills p, room for capp >= 256+256+3 values, with the pauses, pause ends (most recent
// first), and last_gc_unix, numgc, pause_total_ns; it returns how many it wrote.
int readGCStats(uint64_t *p, int capp);
void flushmcache(int i);
// flushallmcaches flushes the mcache of every P; the world is stopped.
void flushallmcaches(void);

#endif
