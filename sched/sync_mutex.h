// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package sync's locks.  Ports internal/sync/mutex.go, sync/rwmutex.go, waitgroup.go, once.go and
// cond.go of Go 1.26.8.  All are ready when zero.
#ifndef GORT_SCHED_SYNC_MUTEX_H
#define GORT_SCHED_SYNC_MUTEX_H

#include "runtime/runtime.h"
#include "sched/sema.h"

typedef struct Mutex {
	int32_t state; // atomic: mutexLocked | mutexWoken | mutexStarving | waiters << 3
	uint32_t sema;
} Mutex;

enum {
	mutexLocked = 1,
	mutexWoken = 2,
	mutexStarving = 4,
	mutexWaiterShift = 3,
	starvationThresholdNs = 1000000,
};

void Mutex_lockSlow(Mutex *m);
void Mutex_unlockSlow(Mutex *m, int32_t new_);
bool Mutex_TryLock(Mutex *m);

static ALWAYS_INLINE void
Mutex_Lock(Mutex *m) {
	if (likely(atomic_Cas(&m->state, 0, mutexLocked)))
		return;
	Mutex_lockSlow(m);
}

static ALWAYS_INLINE void
Mutex_Unlock(Mutex *m) {
	int32_t new_ = atomic_Xadd(&m->state, -mutexLocked);

	if (unlikely(new_ != 0))
		Mutex_unlockSlow(m, new_);
}

typedef struct RWMutex {
	Mutex w;             // held by the writer, or the one that waits for readers
	uint32_t writerSem;  // writers wait here for readers
	uint32_t readerSem;  // readers wait here for writers
	int32_t readerCount; // atomic: readers; minus rwmutexMaxReaders with a writer
	int32_t readerWait;  // atomic: readers the writer waits for
} RWMutex;

enum {
	rwmutexMaxReaders = 1 << 30,
};

void RWMutex_RLock(RWMutex *rw);
bool RWMutex_TryRLock(RWMutex *rw);
void RWMutex_RUnlock(RWMutex *rw);
void RWMutex_Lock(RWMutex *rw);
bool RWMutex_TryLock(RWMutex *rw);
void RWMutex_Unlock(RWMutex *rw);

typedef struct WaitGroup {
	uint64_t state; // atomic: counter << 32 | waiters
	uint32_t sema;
} WaitGroup;

void WaitGroup_Add(WaitGroup *wg, int32_t delta);
void WaitGroup_Done(WaitGroup *wg);
void WaitGroup_Wait(WaitGroup *wg);

typedef struct Once {
	uint32_t done; // atomic
	Mutex m;
} Once;

void Once_doSlow(Once *o, void (*f)(void *), void *arg);

static ALWAYS_INLINE void
Once_Do(Once *o, void (*f)(void *), void *arg) {
	if (unlikely(atomic_Load(&o->done) == 0))
		Once_doSlow(o, f, arg);
}

typedef struct Cond {
	Mutex *L; // held by who waits
	notifyList notify;
	uintptr_t checker; // atomic: its own address after first use, to find copies
} Cond;

void Cond_Wait(Cond *c);
void Cond_Signal(Cond *c);
void Cond_Broadcast(Cond *c);

#endif
