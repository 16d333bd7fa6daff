// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Why a goroutine waits.  Ports waitReason of runtime2.go of Go 1.26.8.
#include "runtime/waitreason.h"

const char *const waitReasonStrings[nwaitReason] = {
#define X(name, text) [name] = (text),
	WAITREASONS(X)
#undef X
};

const char *
waitReason_String(waitReason w) {
	if (w >= nwaitReason)
		return "unknown wait reason";
	return waitReasonStrings[w];
}

// waitReason_isMutexWait: blocked in sync.Mutex.Lock or sync.RWMutex.
bool
waitReason_isMutexWait(waitReason w) {
	return w == waitReasonSyncMutexLock || w == waitReasonSyncRWMutexRLock ||
	       w == waitReasonSyncRWMutexLock;
}

// waitReason_isSyncWait: blocked in one of sync's primitives.
bool
waitReason_isSyncWait(waitReason w) {
	return waitReasonSyncCondWait <= w && w <= waitReasonSyncWaitGroupWait;
}

// waitReason_isChanWait: blocked in a channel that is not nil, or in a select with cases.
bool
waitReason_isChanWait(waitReason w) {
	return w == waitReasonSelect || w == waitReasonChanReceive || w == waitReasonChanSend;
}

bool
waitReason_isWaitingForSuspendG(waitReason w) {
	switch (w) {
	case waitReasonStoppingTheWorld:
	case waitReasonGCMarkTermination:
	case waitReasonGarbageCollection:
	case waitReasonGarbageCollectionScan:
	case waitReasonTraceGoroutineStatus:
	case waitReasonTraceProcStatus:
	case waitReasonPageTraceFlush:
	case waitReasonGCAssistMarking:
	case waitReasonGCWorkerActive:
	case waitReasonFlushProcCaches:
		return true;
	default:
		return false;
	}
}
