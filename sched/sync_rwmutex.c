// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// RWMutex.  Ports sync/rwmutex.go of Go 1.26.8.
//
// Readers count themselves in readerCount.  A writer, having excluded other writers, subtracts
// rwmutexMaxReaders from it, which makes it negative, so that new readers wait, and waits itself for
// the readers that are in, which count down readerWait as they leave.
#include "sched/sync_mutex.h"

#include "sched/preempt.h"
#include "sched/proc.h"

// RWMutex_RLock takes rw for reading.
void
RWMutex_RLock(RWMutex *rw) {
	if (unlikely(atomic_Xadd(&rw->readerCount, 1) < 0))
		sync_runtime_SemacquireRWMutexR(&rw->readerSem, false);
}

bool
RWMutex_TryRLock(RWMutex *rw) {
	for (;;) {
		int32_t c = atomic_Load(&rw->readerCount);

		if (c < 0)
			return false;
		if (atomic_Cas(&rw->readerCount, c, c + 1))
			return true;
	}
}

static NOINLINE void
RWMutex_rUnlockSlow(RWMutex *rw, int32_t r) {
	if (r + 1 == 0 || r + 1 == -rwmutexMaxReaders)
		fatal("sync: RUnlock of unlocked RWMutex");
	// A writer waits; the last reader wakes it.
	if (atomic_Xadd(&rw->readerWait, -1) == 0)
		sync_runtime_Semrelease(&rw->writerSem, false);
}

void
RWMutex_RUnlock(RWMutex *rw) {
	int32_t r = atomic_Xadd(&rw->readerCount, -1);

	if (unlikely(r < 0))
		RWMutex_rUnlockSlow(rw, r);
}

// RWMutex_Lock takes rw for writing.
void
RWMutex_Lock(RWMutex *rw) {
	int32_t r;

	Mutex_Lock(&rw->w);
	r = atomic_Xadd(&rw->readerCount, -rwmutexMaxReaders) + rwmutexMaxReaders;
	if (r != 0 && atomic_Xadd(&rw->readerWait, r) != 0)
		sync_runtime_SemacquireRWMutex(&rw->writerSem, false);
}

bool
RWMutex_TryLock(RWMutex *rw) {
	if (!Mutex_TryLock(&rw->w))
		return false;
	if (!atomic_Cas(&rw->readerCount, 0, -rwmutexMaxReaders)) {
		Mutex_Unlock(&rw->w);
		return false;
	}
	return true;
}

// RWMutex_Unlock ends writing: the readers that came meanwhile go first, then other writers.
void
RWMutex_Unlock(RWMutex *rw) {
	int32_t r = atomic_Xadd(&rw->readerCount, rwmutexMaxReaders);

	if (r >= rwmutexMaxReaders)
		fatal("sync: Unlock of unlocked RWMutex");
	for (int32_t i = 0; i < r; i++)
		sync_runtime_Semrelease(&rw->readerSem, false);
	Mutex_Unlock(&rw->w);
}

// ---- gort.h ---------------------------------------------------------------------------------------

_Static_assert(sizeof(gort_rwmutex) == sizeof(RWMutex) &&
		       offsetof(gort_rwmutex, readerWait) == offsetof(RWMutex, readerWait),
	"gort_rwmutex is RWMutex");

void
gort_rwmutex_rlock(gort_rwmutex *rw) {
	RWMutex_RLock((RWMutex *)rw);
}

bool
gort_rwmutex_tryrlock(gort_rwmutex *rw) {
	return RWMutex_TryRLock((RWMutex *)rw);
}

void
gort_rwmutex_runlock(gort_rwmutex *rw) {
	RWMutex_RUnlock((RWMutex *)rw);
}

void
gort_rwmutex_lock(gort_rwmutex *rw) {
	RWMutex_Lock((RWMutex *)rw);
}

bool
gort_rwmutex_trylock(gort_rwmutex *rw) {
	return RWMutex_TryLock((RWMutex *)rw);
}

void
gort_rwmutex_unlock(gort_rwmutex *rw) {
	RWMutex_Unlock((RWMutex *)rw);
}
