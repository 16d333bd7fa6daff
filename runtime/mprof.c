// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The memory profiler.  Ports the part of mprof.go of Go 1.26.8 on memory; goroutines and threads are
// in sched/mprof_goroutine.c.
//
// One allocation in MemProfileRate bytes on average is sampled: the bytes to the next sample are drawn
// from the exponential distribution, so that every byte has the same chance, and malloc only counts
// them down.  A sample's stack selects a bucket, which counts allocations and frees; a special on the
// object leads from its death back to the bucket.
//
// Allocations are known at once, frees only when the garbage is swept.  Counted as they come they
// would show more live objects than there are.  So the profile is that of the end of a mark phase:
// events are counted for cycles to come, and a cycle is added to what is published (active) when all
// of its events must have come.  With C cycles so far, what is allocated or freed explicitly counts for
// C+2, what is swept for C+1, and C is what has been published or is about to be: a ring of three.
// Without any collection yet the published profile is empty, and all cycles are taken together.
//
// Buckets are never freed, and neither are their stacks, which records refer to.
//
// PORT: the stack is hashed by xxHash.  No block and mutex profile yet; the type of a bucket is there
// for them.  A change of the rate stops the world and sets what each P has left, so that malloc need
// not compare the rate each time.
#define XXH_INLINE_ALL
#define XXH_NO_STREAM
#include <xxhash.h>

#include "runtime/mprof.h"

#include "runtime/malloc.h"
#include "runtime/mem.h"
#include "runtime/mstats.h"
#include "runtime/rand.h"
#include "runtime/runtime1.h"
#include "sched/proc.h"
#include "sched/runtime2.h"
#include "sched/traceback.h"
#include "sched/traceruntime.h"

static mutex profInsertLock;       // for the heads of all lists of buckets
static mutex profMemActiveLock;    // for the published counts of all buckets
static mutex profMemFutureLock[3]; // for the counts of the cycles to come

typedef enum {
	memProfile = 1,
	blockProfile,
	mutexProfile,
} bucketType;

enum { buckHashSize = 179999 };

// bucket stands for one call stack and size.  Its stack and its memRecord follow it.  Nothing of it
// changes once it is on a list.  Off the heap.
struct bucket {
	bucket *next;    // of the same slot of the table
	bucket *allnext; // of the same type
	bucketType typ;
	uintptr_t hash;
	uintptr_t size;
	uintptr_t nstk;
};

typedef struct memRecordCycle {
	uintptr_t allocs, frees;
	uintptr_t alloc_bytes, free_bytes;
} memRecordCycle;

// memRecord counts; see above.
typedef struct memRecord {
	memRecordCycle active;    // published; profMemActiveLock
	memRecordCycle future[3]; // by cycle modulo 3, each of one cycle only; profMemFutureLock
} memRecord;

enum { nfuture = nelem(((memRecord *)0)->future) };

static void
memRecordCycle_add(memRecordCycle *a, const memRecordCycle *b) {
	a->allocs += b->allocs;
	a->frees += b->frees;
	a->alloc_bytes += b->alloc_bytes;
	a->free_bytes += b->free_bytes;
}

static bucket *mbuckets;  // atomic: all of the memory profile
static bucket **buckhash; // atomic: the table

// mProfCycle is the number of cycles, wrapped at a multiple of 3; bit 0 says that its events have been
// published.  Atomic.
static uint32_t mProfCycle;
static const uint32_t mProfCycleWrap = (uint32_t)nfuture * (2 << 24);

void
mprofinit(void) {
	lockInit(&profInsertLock, lockRankProfInsert);
	lockInit(&profMemActiveLock, lockRankProfMemActive);
	for (int i = 0; i < nfuture; i++) {
		lockInit(&profMemFutureLock[i], lockRankProfMemFuture);
	}
}

static uint32_t
mProfCycleHolder_read(void) {
	return atomic_Load(&mProfCycle) >> 1;
}

// mProfCycleHolder_setFlushed says that the cycle's events are published, and returns the cycle.
static uint32_t
mProfCycleHolder_setFlushed(bool *alreadyFlushed) {
	for (;;) {
		uint32_t prev = atomic_Load(&mProfCycle);
		*alreadyFlushed = (prev & 1) != 0;
		if (atomic_Cas(&mProfCycle, prev, prev | 1)) {
			return prev >> 1;
		}
	}
}

static void
mProfCycleHolder_increment(void) {
	for (;;) {
		uint32_t prev = atomic_Load(&mProfCycle);
		uint32_t cycle = ((prev >> 1) + 1) % mProfCycleWrap;
		if (atomic_Cas(&mProfCycle, prev, cycle << 1)) {
			break;
		}
	}
}

// newBucket allocates a bucket with room for nstk addresses.
static bucket *
newBucket(bucketType typ, int nstk) {
	uintptr_t size = sizeof(bucket) + (uintptr_t)nstk * sizeof(uintptr_t) + sizeof(memRecord);
	if (typ != memProfile) {
		throw("invalid profile bucket type");
	}
	bucket *b = persistentalloc(size, 0, &memstats.buckhash_sys);
	b->typ = typ;
	b->nstk = (uintptr_t)nstk;
	return b;
}

static uintptr_t *
bucket_stk(bucket *b) {
	if (b->nstk > maxProfStackDepth) {
		throw("bad profile stack count");
	}
	return (uintptr_t *)(b + 1);
}

static memRecord *
bucket_mp(bucket *b) {
	if (b->typ != memProfile) {
		throw("bad use of bucket.mp");
	}
	return (memRecord *)((uintptr_t *)(b + 1) + b->nstk);
}

// eqslice reports whether b is the bucket of that stack.
static bool
eqslice(bucket *b, bucketType typ, uintptr_t h, uintptr_t size, const uintptr_t *stk, int nstk) {
	return b->typ == typ && b->hash == h && b->size == size && b->nstk == (uintptr_t)nstk &&
	       memcmp(bucket_stk(b), stk, (size_t)nstk * sizeof(stk[0])) == 0;
}

// stkbucket_find looks for a bucket in a slot of the table.
static bucket *
stkbucket_find(bucket **slot, bucketType typ, uintptr_t h, uintptr_t size, const uintptr_t *stk,
	int nstk) {
	bucket *b = atomic_LoadAcq(slot);
	while (b != NULL && !eqslice(b, typ, h, size, stk, nstk)) {
		b = b->next;
	}
	return b;
}

// stkbucket returns the bucket of that stack and size; a new one, if need be and alloc.
static bucket *
stkbucket(bucketType typ, uintptr_t size, const uintptr_t *stk, int nstk, bool alloc) {
	bucket **bh = atomic_LoadAcq(&buckhash);
	if (bh == NULL) {
		lock(&profInsertLock);
		bh = buckhash;
		if (bh == NULL) {
			bh = sysAlloc(buckHashSize * sizeof(bh[0]), &memstats.buckhash_sys,
				"profiler hash buckets");
			if (bh == NULL) {
				throw("runtime: cannot allocate memory");
			}
			atomic_StoreRel(&buckhash, bh);
		}
		unlock(&profInsertLock);
	}

	uintptr_t h = XXH3_64bits_withSeed(stk, (size_t)nstk * sizeof(stk[0]), size);
	bucket **slot = &bh[h % buckHashSize];

	// Without the lock first: most stacks have come before.
	bucket *b = stkbucket_find(slot, typ, h, size, stk, nstk);
	if (b != NULL || !alloc) {
		return b;
	}

	lock(&profInsertLock);
	b = stkbucket_find(slot, typ, h, size, stk, nstk);
	if (b == NULL) {
		b = newBucket(typ, nstk);
		memcpy(bucket_stk(b), stk, (size_t)nstk * sizeof(stk[0]));
		b->hash = h;
		b->size = size;
		b->next = *slot;
		b->allnext = mbuckets;
		atomic_StoreRel(slot, b);
		atomic_StoreRel(&mbuckets, b);
	}
	unlock(&profInsertLock);
	return b;
}

void
mProf_NextCycle(void) {
	mProfCycleHolder_increment();
}

// mProf_FlushLocked publishes the events of the cycle at index.  profMemActiveLock and
// profMemFutureLock[index] must be held.
static void
mProf_FlushLocked(uint32_t index) {
	assertLockHeld(&profMemActiveLock);
	assertLockHeld(&profMemFutureLock[index]);
	for (bucket *b = atomic_LoadAcq(&mbuckets); b != NULL; b = b->allnext) {
		memRecord *mp = bucket_mp(b);
		memRecordCycle_add(&mp->active, &mp->future[index]);
		mp->future[index] = (memRecordCycle){0};
	}
}

// mProf_flushCycle is mProf_FlushLocked with the locks.
static void
mProf_flushCycle(uint32_t cycle) {
	uint32_t index = cycle % nfuture;
	lock(&profMemActiveLock);
	lock(&profMemFutureLock[index]);
	mProf_FlushLocked(index);
	unlock(&profMemFutureLock[index]);
	unlock(&profMemActiveLock);
}

void
mProf_Flush(void) {
	bool alreadyFlushed;
	uint32_t cycle = mProfCycleHolder_setFlushed(&alreadyFlushed);
	if (!alreadyFlushed) {
		mProf_flushCycle(cycle);
	}
}

void
mProf_PostSweep(void) {
	// Everything up to the last mark termination.  The cycle stays: what is allocated now counts for
	// C+2 until the next one.
	mProf_flushCycle(mProfCycleHolder_read() + 1);
}

// makeProfStack gives mp the room for stacks; it keeps it.
static void
makeProfStack(M *mp) {
	mp->profStack = persistentalloc(
		((uintptr_t)debug.profstackdepth + 2) * sizeof(uintptr_t), 0, &memstats.other_sys);
}

struct mProf_Malloc_args {
	void *p;
	bucket *b;
};

static void
mProf_Malloc_1(void *arg) {
	struct mProf_Malloc_args *a = arg;
	setprofilebucket(a->p, a->b);
}

// mProf_Malloc records a sample: the stack that called profilealloc.  The M stays the same.
static NOINLINE void
mProf_Malloc(M *mp, void *p, uintptr_t size) {
	if (debug.profstackdepth <= 0) {
		return;
	}
	if (mp->profStack == NULL) {
		makeProfStack(mp);
	}
	// Without this function and profilealloc.
	int nstk = callers(2, mp->profStack, debug.profstackdepth + 2);
	nstk = min(nstk, maxProfStackDepth);
	uint32_t index = (mProfCycleHolder_read() + 2) % nfuture;

	bucket *b = stkbucket(memProfile, size, mp->profStack, nstk, true);
	memRecordCycle *mpc = &bucket_mp(b)->future[index];

	lock(&profMemFutureLock[index]);
	mpc->allocs++;
	mpc->alloc_bytes += size;
	unlock(&profMemFutureLock[index]);

	// It takes other locks, so not under that one.  The object is alive meanwhile.
	struct mProf_Malloc_args a = {p, b};
	systemstack(mProf_Malloc_1, &a);
}

void
mProf_Free(bucket *b, uintptr_t size) {
	uint32_t index = (mProfCycleHolder_read() + 1) % nfuture;
	memRecordCycle *mpc = &bucket_mp(b)->future[index];

	lock(&profMemFutureLock[index]);
	mpc->frees++;
	mpc->free_bytes += size;
	unlock(&profMemFutureLock[index]);
}

// ---- sampling (malloc.go) ---------------------------------------------------------------------------

// nextSample: see mprof.h.  At a rate of 1 every allocation is sampled, at 0 none.
int64_t
nextSample(void) {
	if (MemProfileRate <= 0) {
		return INT64_MAX;
	}
	if (MemProfileRate == 1) {
		return 0;
	}
	return fastexprand(MemProfileRate);
}

void
startSampling(mcache *c, int64_t left) {
	bool traced = traceAllocFreeEnabled();
	c->nextSample = traced ? -1 : left;
	c->heldSample = traced ? left : -1;
}

void
traceObjects(void) {
	assertWorldStopped();
	for (int32_t i = 0; i < nallp; i++) {
		mcache *c = allp[i]->mcache;
		// It may have allocated nothing since the last trace.
		startSampling(c, c->heldSample >= 0 ? c->heldSample : c->nextSample);
	}
}

// sampled counts down what the trace of objects held, and reports whether an object of size bytes is to
// be sampled, as sampleDue would without the trace.
static bool
sampled(mcache *c, uintptr_t size) {
	int64_t left = -1;
	if (c->heldSample >= 0) {
		left = c->heldSample - (int64_t)size;
	}
	bool due = left < 0;
	startSampling(c, due ? nextSample() : left);
	return due;
}

// profilealloc is the tail of malloc for an object that is to be sampled, or traced.
NOINLINE void *
profilealloc(void *x, uintptr_t size) {
	M *mp = acquirem();
	mcache *c = tlsmcache();
	if (c == NULL) {
		throw("profilealloc called without a P or outside bootstrapping");
	}
	if (sampled(c, size)) {
		mProf_Malloc(mp, x, size);
	}
	if (unlikely(traceAllocFreeEnabled())) {
		traceLocker tl = traceAcquire();
		if (traceLocker_ok(tl)) {
			traceLocker_HeapObjectAlloc(tl, (uintptr_t)x, NULL);
			traceRelease(tl);
		}
	}
	releasem(mp);
	return x;
}

void
setMemProfileRate(intptr_t rate) {
	worldStop stw = stopTheWorld(stwUnknown);
	if (rate != MemProfileRate) {
		MemProfileRate = rate;
		for (int32_t i = 0; i < nallp; i++) {
			// As in Go the next allocation of each P is a sample, unless there are to be none.
			if (allp[i]->mcache != NULL) {
				startSampling(allp[i]->mcache, rate <= 0 ? INT64_MAX : 0);
			}
		}
	}
	startTheWorld(stw);
}

// ---- reading the profile ----------------------------------------------------------------------------

// memProfile_shown reports whether a record is part of the profile.
static bool
memProfile_shown(const memRecord *mp, bool inuseZero) {
	return inuseZero || mp->active.alloc_bytes != mp->active.free_bytes;
}

int
memProfileInternal(MemProfileRecord *p, int size, bool inuseZero, bool *ok) {
	// If a cycle has begun and not been published yet, do that here, so that it does not matter
	// which of the two comes first.
	int n = 0;
	uint32_t index = mProfCycleHolder_read() % nfuture;
	lock(&profMemActiveLock);
	lock(&profMemFutureLock[index]);
	mProf_FlushLocked(index);
	unlock(&profMemFutureLock[index]);
	bool clear = true;
	bucket *head = atomic_LoadAcq(&mbuckets);
	for (bucket *b = head; b != NULL; b = b->allnext) {
		memRecord *mp = bucket_mp(b);
		n += memProfile_shown(mp, inuseZero);
		if (mp->active.allocs != 0 || mp->active.frees != 0) {
			clear = false;
		}
	}
	if (clear) {
		// Nothing at all: there has been no collection yet, perhaps none is wanted.
		n = 0;
		for (bucket *b = head; b != NULL; b = b->allnext) {
			memRecord *mp = bucket_mp(b);
			for (int c = 0; c < nfuture; c++) {
				lock(&profMemFutureLock[c]);
				memRecordCycle_add(&mp->active, &mp->future[c]);
				mp->future[c] = (memRecordCycle){0};
				unlock(&profMemFutureLock[c]);
			}
			n += memProfile_shown(mp, inuseZero);
		}
	}
	*ok = n <= size;
	if (*ok) {
		for (bucket *b = head; b != NULL; b = b->allnext) {
			memRecord *mp = bucket_mp(b);
			if (!memProfile_shown(mp, inuseZero)) {
				continue;
			}
			*p++ = (MemProfileRecord){
				.AllocBytes = (int64_t)mp->active.alloc_bytes,
				.FreeBytes = (int64_t)mp->active.free_bytes,
				.AllocObjects = (int64_t)mp->active.allocs,
				.FreeObjects = (int64_t)mp->active.frees,
				.stk = bucket_stk(b),
				.nstk = (int)b->nstk,
			};
		}
	}
	unlock(&profMemActiveLock);
	return n;
}
