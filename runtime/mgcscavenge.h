// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Giving free pages back to the OS: the index of chunks that have some, and the synchronous
// scavenger.  Ports the types of mgcscavenge.go.
#ifndef GORT_RUNTIME_MGCSCAVENGE_H
#define GORT_RUNTIME_MGCSCAVENGE_H

#include "runtime/mem.h"
#include "runtime/mpallocbits.h"
#include "runtime/mranges.h"
#include "runtime/runtime.h"

typedef struct pageAlloc pageAlloc;

// chunkIdx numbers the chunks of the address space; see mpagealloc.h.
typedef uintptr_t chunkIdx;

enum {
	// How much of the heap's goal to keep on top of it, how much of a memory limit to stay
	// under.
	retainExtraPercent = 10,
	reduceExtraPercent = 5,

	maxPagesPerPhysPage = maxPhysPageSize / pageSize,

	// A chunk is dense from 96.875 % of its pages on.
	scavChunkHiOccPages = 496,

	// flags of a chunk
	scavChunkHasFree = 1 << 0, // there is something left to scavenge
	scavChunkMaxFlags = 6,
	scavChunkFlagsMask = (1 << scavChunkMaxFlags) - 1,

	logScavChunkInUseMax = logPallocChunkPages + 1,
	scavChunkInUseMask = (1 << logScavChunkInUseMax) - 1,
};

typedef uint8_t scavChunkFlags;

// scavChunkData is what the scavenger knows about a chunk; it packs into 64 bits. Zero is right for
// a chunk that was just added.
typedef struct scavChunkData {
	uint16_t inUse;     // allocated pages
	uint16_t lastInUse; // allocated pages when gen began
	uint32_t gen;       // generation of the index at the last update
	scavChunkFlags scavChunkFlags;
} scavChunkData;

// atomicScavChunkData holds one in packed form; stores are serialised by the caller.
typedef struct atomicScavChunkData {
	uint64_t value; // atomic
} atomicScavChunkData;

typedef struct scavengeIndex {
	// chunks is indexed by chunkIdx; [min, max) is mapped.  Updates are serialised by the page
	// allocator's lock, find runs without it.
	atomicScavChunkData *chunks;
	uintptr_t nchunks;
	uintptr_t min;        // atomic
	uintptr_t max;        // atomic
	uintptr_t minHeapIdx; // atomic; the lowest chunk of the heap

	// searchAddr*: nothing can be scavenged above.  find lowers them, free (Force) and nextGen
	// (Bg) raise them by storing a marked address, which lowering does not overwrite unseen.
	atomicOffAddr searchAddrBg;
	atomicOffAddr searchAddrForce;

	offAddr freeHWM; // highest address freed in this generation
	uint32_t gen;    // advances at the end of each mark phase
	bool test;
} scavengeIndex;

uint64_t heapRetained(void);
// gcPaceScavenger computes the goals below.  mheap_.lock must be held or the world stopped.
void gcPaceScavenger(int64_t memoryLimit, uint64_t heapGoal, uint64_t lastHeapGoal);

// The scavenger's goals: ~0 means there is nothing to do for it.
extern struct scavenge_t {
	uint64_t gcPercentGoal;   // atomic; to bring heapRetained down to
	uint64_t memoryLimitGoal; // atomic; to bring gcController.mappedReady down to
	int64_t assistTime;       // atomic; ns that allocation spent scavenging in this cycle
	int64_t backgroundTime;   // atomic; ns of the background scavenger
} scavenge;

// piController holds a value at a set point: proportional and integral.
typedef struct piController {
	double kp; // proportional constant
	double ti; // integral time
	double tt; // reset time
	double min;
	double max;
	double errIntegral;
	bool errOverflow;   // errIntegral overflowed
	bool inputOverflow; // an input did
} piController;

double piController_next(piController *c, double input, double setpoint, double period, bool *ok);
void piController_reset(piController *c);

// scavengerState is what the background scavenger works with; see mgcscavenge_bg.c.
typedef struct scavengerState {
	mutex lock;
	G *g;
	timer *timer;        // for it to sleep
	uint32_t sysmonWake; // atomic: sysmon is to wake it
	bool parked;
	bool printControllerReset;
	double sleepRatio; // work in proportion to sleep
	piController sleepController;
	int64_t controllerCooldown; // ns left of the time in which the controller is not used

	// What tests put in place of the real thing.  sleepStub, which may be NULL, does not sleep.
	int64_t (*sleepStub)(int64_t ns);
	uintptr_t (*scavenge)(uintptr_t n, int64_t *duration);
	bool (*shouldStop)(void);
	int32_t (*gomaxprocs)(void);
} scavengerState;

extern scavengerState scavenger;
void scavengerState_init(scavengerState *s);
void scavengerState_park(scavengerState *s);
void scavengerState_ready(scavengerState *s);
void scavengerState_wake(scavengerState *s);
void scavengerState_sleep(scavengerState *s, double worked);
void scavengerState_controllerFailed(scavengerState *s);
uintptr_t scavengerState_run(scavengerState *s, double *worked);
void bgscavenge(void *ready);

// scavenge gives back nbytes of free pages, highest addresses first, and returns how much it did.
// It stops early if shouldStop (may be NULL) says so.  force takes pages of dense chunks too.
uintptr_t pageAlloc_scavenge(pageAlloc *p, uintptr_t nbytes, bool (*shouldStop)(void), bool force);
uintptr_t pageAlloc_scavengeOne(pageAlloc *p, chunkIdx ci, unsigned searchIdx, uintptr_t max);
void printScavTrace(uintptr_t releasedBg, uintptr_t releasedEager, bool forced);

uint64_t fillAligned(uint64_t x, unsigned m);

uintptr_t scavengeIndex_init(scavengeIndex *s, bool test, sysMemStat *sysStat);
uintptr_t scavengeIndex_grow(
	scavengeIndex *s, uintptr_t base, uintptr_t limit, sysMemStat *sysStat);
chunkIdx scavengeIndex_find(scavengeIndex *s, bool force, unsigned *pageIdx);
void scavengeIndex_alloc(scavengeIndex *s, chunkIdx ci, unsigned npages);
void scavengeIndex_free(scavengeIndex *s, chunkIdx ci, unsigned page, unsigned npages);
void scavengeIndex_nextGen(scavengeIndex *s);
void scavengeIndex_setEmpty(scavengeIndex *s, chunkIdx ci);
// in mpagealloc_64bit.c
uintptr_t scavengeIndex_sysGrow(
	scavengeIndex *s, uintptr_t base, uintptr_t limit, sysMemStat *sysStat);
uintptr_t scavengeIndex_sysInit(scavengeIndex *s, bool test, sysMemStat *sysStat);

scavChunkData atomicScavChunkData_load(atomicScavChunkData *sc);
void atomicScavChunkData_store(atomicScavChunkData *sc, scavChunkData ssc);
scavChunkData unpackScavChunkData(uint64_t sc);
uint64_t scavChunkData_pack(scavChunkData sc);
bool scavChunkData_shouldScavenge(scavChunkData sc, uint32_t currGen, bool force);
void scavChunkData_alloc(scavChunkData *sc, unsigned npages, uint32_t newGen);
void scavChunkData_free(scavChunkData *sc, unsigned npages, uint32_t newGen);

#endif
