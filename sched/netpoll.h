// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The network poller, the part that does not depend on the system.
// Ports netpoll.go and the interface of netpoll_epoll.go of Go 1.26.8.
#ifndef GORT_SCHED_NETPOLL_H
#define GORT_SCHED_NETPOLL_H

#include "runtime/runtime.h"
#include "sched/runtime2.h"
#include "sched/time.h"

enum {
	pollNoError = 0,
	pollErrClosing = 1,
	pollErrTimeout = 2,
	pollErrNotPollable = 3,

	pdNil = 0,
	pdReady = 1,
	pdWait = 2,

	pollBlockSize = 4 * 1024,
};

// pollDesc is a descriptor in the poller.  rg and wg are binary semaphores for a reader and a
// writer:
//
//	pdReady  ready: a goroutine takes it back to pdNil
//	pdWait   a goroutine is about to park; it replaces this by its G
//	G        parked; readiness, deadline and close take the G out and ready it
//	pdNil    none of these
//
// Never freed, because the kernel may still report an event for one that was closed; fdseq tells.
typedef struct pollDesc pollDesc;
struct pollDesc {
	pollDesc *link;  // in pollcache; under its lock
	uintptr_t fd;    // never changes while in use
	uintptr_t fdseq; // atomic

	// atomicInfo sums up closing, rd and wd for netpollcheckerr, which cannot lock, and holds the
	// bit pollEventErr.  Atomic; published by pollDesc_publishInfo under lock.
	uint32_t atomicInfo;

	uintptr_t rg; // atomic
	uintptr_t wg; // atomic

	mutex lock; // guards what follows
	bool closing;
	bool rrun;      // rt is running
	bool wrun;      // wt is running
	uint32_t user;  // the user's
	uintptr_t rseq; // tells stale read timers
	timer rt;       // read deadline
	int64_t rd;     // a nanotime; -1: passed
	uintptr_t wseq;
	timer wt;
	int64_t wd;
};

enum { // bits of atomicInfo
	pollClosing = 1 << 0,
	pollEventErr = 1 << 1,
	pollExpiredReadDeadline = 1 << 2,
	pollExpiredWriteDeadline = 1 << 3,
	pollFDSeq = 4, // PORT: the shift; the low 20 bits of fdseq
	pollFDSeqBits = 20,
	pollFDSeqMask = (1 << pollFDSeqBits) - 1,
};

typedef struct pollCache {
	mutex lock;
	pollDesc *first;
} pollCache;

extern uint32_t netpollInited;  // atomic
extern uint32_t netpollWaiters; // atomic
extern pollCache pollcache;

void netpollGenericInit(void);
bool netpollinited(void);
pollDesc *poll_runtime_pollOpen(uintptr_t fd, int *errno_);
void poll_runtime_pollClose(pollDesc *pd);
int poll_runtime_pollReset(pollDesc *pd, int mode);
int poll_runtime_pollWait(pollDesc *pd, int mode);
void poll_runtime_pollSetDeadline(pollDesc *pd, int64_t d, int mode);
void poll_runtime_pollUnblock(pollDesc *pd);
bool poll_runtime_isPollServerDescriptor(uintptr_t fd);
void pollDesc_setEventErr(pollDesc *pd, bool b, uintptr_t seq);
int32_t netpollready(gList *toRun, pollDesc *pd, int32_t mode);
int netpollcheckerr(pollDesc *pd, int32_t mode);
bool netpollAnyWaiters(void);
void netpollAdjustWaiters(int32_t delta);

// ---- netpoll_epoll.c ------------------------------------------------------------------------------

void netpollinit(void);
int netpollopen(uintptr_t fd, pollDesc *pd);
int netpollclose(uintptr_t fd);
bool netpollIsPollDescriptor(uintptr_t fd);
void netpollBreak(void);
// netpoll returns the goroutines whose descriptors are ready; delay < 0: blocks, 0: does not, > 0:
// for up to that many ns.  *delta is to be given to netpollAdjustWaiters once they are ready.
gList netpoll(int64_t delay, int32_t *delta);

#endif
