// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Readers-writer locks between Ms.  Ports rwmutex.go of Go 1.26.8.
#ifndef GORT_RUNTIME_RWMUTEX_H
#define GORT_RUNTIME_RWMUTEX_H

#include "runtime/runtime.h"

// rwmutex is held by any number of readers or by one writer.  It blocks the M, as mutex does.
//
// In the lock order it is readRank and writeRank; inside, wLock (writeRank) is taken before rLock
// (readRankInternal, a leaf).
typedef struct rwmutex {
	mutex rLock;         // protects readers, readerPass, writer
	M *readers;          // pending readers, through schedlink
	uint32_t readerPass; // pending readers that are to skip the list

	mutex wLock; // serialises writers
	M *writer;   // pending writer that waits for readers

	int32_t readerCount; // atomic: pending readers
	int32_t readerWait;  // atomic: departing readers

	lockRank readRank;
} rwmutex;

void rwmutex_init(rwmutex *rw, lockRank readRank, lockRank readRankInternal, lockRank writeRank);
void rwmutex_rlock(rwmutex *rw);
void rwmutex_runlock(rwmutex *rw);
void rwmutex_lock(rwmutex *rw);
void rwmutex_unlock(rwmutex *rw);

#endif
