// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Sweeping.  Ports mgcsweep.go.
#ifndef GORT_RUNTIME_MGCSWEEP_H
#define GORT_RUNTIME_MGCSWEEP_H

#include "runtime/mheap.h"
#include "runtime/runtime.h"

// sweepClass is a span class and a bit: 0 the full, 1 the partial spans of it.
typedef uint32_t sweepClass; // atomic in sweepdata
#define numSweepClasses ((sweepClass)(numSpanClasses * 2))
#define sweepClassDone ((sweepClass)0xffffffff)
sweepClass sweepClass_load(sweepClass *s);
void sweepClass_update(sweepClass *s, sweepClass sNew);
void sweepClass_clear(sweepClass *s);
spanClass sweepClass_split(sweepClass s, bool *full);

#define sweepDrainedMask (UINT32_C(1) << 31)

// sweepLocker is the right to take spans for sweeping; see activeSweep_begin.
typedef struct sweepLocker {
	uint32_t sweepGen; // of the heap
	bool valid;
} sweepLocker;

// sweepLocked is a span that is owned for sweeping.
typedef struct sweepLocked {
	mspan *mspan;
} sweepLocked;

// activeSweep counts the sweepers at work, and knows whether the unswept spans have run out.
typedef struct activeSweep {
	uint32_t state; // atomic; sweepDrainedMask and the number of sweepers
} activeSweep;

typedef struct sweepdata {
	mutex lock;
	G *g;
	bool parked;
	activeSweep active;
	sweepClass centralIndex; // atomic; where mheap_nextSpanForSweep goes on
	// freeMarks counts the marks on free slots that sweeping cleared.  PORT: in Go such a
	// mark ends the process.
	uint64_t freeMarks; // atomic
} sweepdata;

extern sweepdata sweep;

mspan *mheap_nextSpanForSweep(mheap *h);
sweepLocker activeSweep_begin(activeSweep *a);
void activeSweep_end(activeSweep *a, sweepLocker sl);
bool activeSweep_markDrained(activeSweep *a);
uint32_t activeSweep_sweepers(activeSweep *a);
bool activeSweep_isDone(activeSweep *a);
void activeSweep_reset(activeSweep *a);
void finishsweep_m(void);
// bgsweep is a goroutine's function; c is a semaphore (uint32_t) that it releases once it is ready.
void bgsweep(void *c);
sweepLocked sweepLocker_tryAcquire(sweepLocker *l, mspan *s, bool *ok);
uintptr_t sweepone(void); // pages returned to the heap; ~0 if there was nothing to sweep
bool isSweepDone(void);
void mspan_ensureSwept(mspan *s);
bool sweepLocked_sweep(sweepLocked *sl, bool preserve);
void mspan_reportZombies(mspan *s);
void deductSweepCredit(uintptr_t spanBytes, uintptr_t callerSweepPages);
void clobberfree(void *x, uintptr_t size);
void gcPaceSweeper(uint64_t trigger);

#endif
