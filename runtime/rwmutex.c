// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Readers-writer locks between Ms.  Ports rwmutex.go of Go 1.26.8, which is sync.RWMutex with
// Ms instead of goroutines; rwmutex.h says how it fits into the lock order.
#include "runtime/rwmutex.h"

#include "sched/runtime2.h"

enum { rwmutexMaxReaders = 1 << 30 };

void
rwmutex_init(rwmutex *rw, lockRank readRank, lockRank readRankInternal, lockRank writeRank) {
	rw->readRank = readRank;
	lockInit(&rw->rLock, readRankInternal);
	lockInit(&rw->wLock, writeRank);
}

// rwmutex_rlock_1 queues this M as a reader behind the pending writer.  On g0.
static void
rwmutex_rlock_1(void *arg) {
	rwmutex *rw = arg;
	lock(&rw->rLock);
	if (rw->readerPass > 0) {
		// The writer is through.
		rw->readerPass--;
		unlock(&rw->rLock);
		return;
	}
	M *mp = getg()->m;
	mp->schedlink = rw->readers;
	rw->readers = mp;
	unlock(&rw->rLock);
	notesleep(&mp->park);
	noteclear(&mp->park);
}

void
rwmutex_rlock(rwmutex *rw) {
	// A reader must keep its P: others that wait for this lock may hold all the rest (Go issue
	// 20903).
	acquireLockRankAndM(rw->readRank);
	lockWithRankMayAcquire(&rw->rLock, getLockRank(&rw->rLock));

	if (atomic_Xadd(&rw->readerCount, 1) < 0)
		systemstack(rwmutex_rlock_1, rw); // a writer is pending
}

void
rwmutex_runlock(rwmutex *rw) {
	int32_t r = atomic_Xadd(&rw->readerCount, -1);
	if (r < 0) {
		if (r + 1 == 0 || r + 1 == -rwmutexMaxReaders)
			throw("runlock of unlocked rwmutex");
		// A writer is pending, and the last reader wakes it.
		if (atomic_Xadd(&rw->readerWait, -1) == 0) {
			lock(&rw->rLock);
			M *w = rw->writer;
			if (w != NULL)
				notewakeup(&w->park);
			unlock(&rw->rLock);
		}
	}
	releaseLockRankAndM(rw->readRank);
}

// rwmutex_lock_1 waits for the readers.  rw->rLock must be held; on g0.
static void
rwmutex_lock_1(void *arg) {
	rwmutex *rw = arg;
	M *mp = getg()->m;
	rw->writer = mp;
	unlock(&rw->rLock);
	notesleep(&mp->park);
	noteclear(&mp->park);
}

void
rwmutex_lock(rwmutex *rw) {
	// Against other writers; and this keeps the P.
	lock(&rw->wLock);
	// Tell readers that a writer is pending, then wait for those that are in.
	int32_t r = atomic_Xadd(&rw->readerCount, -rwmutexMaxReaders) + rwmutexMaxReaders;
	lock(&rw->rLock);
	if (r != 0 && atomic_Xadd(&rw->readerWait, r) != 0)
		systemstack(rwmutex_lock_1, rw);
	else
		unlock(&rw->rLock);
}

void
rwmutex_unlock(rwmutex *rw) {
	// Tell readers that the writer is gone, then wake those that are queued.
	int32_t r = atomic_Xadd(&rw->readerCount, rwmutexMaxReaders);
	if (r >= rwmutexMaxReaders)
		throw("unlock of unlocked rwmutex");
	lock(&rw->rLock);
	while (rw->readers != NULL) {
		M *reader = rw->readers;
		rw->readers = reader->schedlink;
		reader->schedlink = NULL;
		notewakeup(&reader->park);
		r--;
	}
	// The rest are on their way to the queue: they shall not stop there.
	rw->readerPass += (uint32_t)r;
	unlock(&rw->rLock);
	unlock(&rw->wLock);
}
