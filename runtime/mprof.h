// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The memory profiler, and what the other profiles of stacks record.  Ports mprof.go.
#ifndef GORT_RUNTIME_MPROF_H
#define GORT_RUNTIME_MPROF_H

#include "runtime/runtime.h"

typedef struct bucket bucket; // what is known of one call stack; see mprof.c

// mprofinit gives the locks their ranks; for schedinit.
void mprofinit(void);

// nextSample is how many bytes may be allocated before the next sample is due.
int64_t nextSample(void);
// startSampling makes left bytes of c the next sample, and sends each object to profilealloc meanwhile
// if it is to be traced.  No P allocates from c, or it is the caller's.
void startSampling(mcache *c, int64_t left);
// traceObjects makes every P start to tell of each object, which traceAllocFreeEnabled ends.  The world
// is stopped.
void traceObjects(void);
// setMemProfileRate changes the rate and makes every P start afresh.  Stops the world.
void setMemProfileRate(intptr_t rate);

// profilealloc samples the new object x of size bytes, and returns it.
void *profilealloc(void *x, uintptr_t size);
// mProf_Free notes that an object that was sampled is free.  By who sweeps.
void mProf_Free(bucket *b, uintptr_t size);

// mProf_NextCycle begins a cycle of the profile.  At mark termination, the world stopped; before the
// next time mProf_Flush is to be called.
void mProf_NextCycle(void);
// mProf_Flush publishes the cycle that is complete.
void mProf_Flush(void);
// mProf_PostSweep publishes the cycle that ended with the last mark termination: all its garbage has
// been swept.
void mProf_PostSweep(void);

// MemProfileRecord is one call stack's part of the profile.
typedef struct MemProfileRecord {
	int64_t AllocBytes, FreeBytes;
	int64_t AllocObjects, FreeObjects;
	const uintptr_t *stk; // return addresses, innermost first; stays for ever
	int nstk;
} MemProfileRecord;

static inline int64_t
MemProfileRecord_InUseBytes(const MemProfileRecord *r) {
	return r->AllocBytes - r->FreeBytes;
}

static inline int64_t
MemProfileRecord_InUseObjects(const MemProfileRecord *r) {
	return r->AllocObjects - r->FreeObjects;
}

// memProfileInternal returns the number of records, of those without live objects too if inuseZero.
// If there are no more than size, it copies them to p, and *ok is true.
int memProfileInternal(MemProfileRecord *p, int size, bool inuseZero, bool *ok);

#endif
