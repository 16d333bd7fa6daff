// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The network poller.  Ports netpoll.go of Go 1.26.8.
//
// A descriptor is registered once, edge-triggered.  A goroutine that got EAGAIN parks on the
// descriptor (poll_runtime_pollWait); the scheduler, when it has nothing better to do, asks the
// system which descriptors are ready (netpoll) and gets a list of goroutines.  Deadlines are
// timers that take the goroutine off again.
#include "sched/netpoll.h"

#include "runtime/lfstack.h"
#include "runtime/mem.h"
#include "runtime/mstats.h"
#include "sched/preempt.h"
#include "sched/proc.h"

static mutex netpollInitLock;
uint32_t netpollInited;
pollCache pollcache;
uint32_t netpollWaiters;

// pollDesc_info is the bits for netpollcheckerr.
static inline uint32_t
pollDesc_info(pollDesc *pd) {
	return atomic_Load(&pd->atomicInfo);
}

// pollDesc_publishInfo brings atomicInfo up to date.  pd->lock must be held; to be called after a
// change of closing, and of the sign of rd or wd, and before netpollunblock, so that who comes to
// block sees it.
static void
pollDesc_publishInfo(pollDesc *pd) {
	uint32_t info = 0;
	uint32_t x;

	if (pd->closing)
		info |= pollClosing;
	if (pd->rd < 0)
		info |= pollExpiredReadDeadline;
	if (pd->wd < 0)
		info |= pollExpiredWriteDeadline;
	info |= (uint32_t)(atomic_Load(&pd->fdseq) & pollFDSeqMask) << pollFDSeq;

	// all but pollEventErr
	x = atomic_Load(&pd->atomicInfo);
	while (!atomic_Cas(&pd->atomicInfo, x, (x & pollEventErr) | info))
		x = atomic_Load(&pd->atomicInfo);
}

// pollDesc_setEventErr sets pollEventErr, if seq is 0 or still that of the descriptor.
void
pollDesc_setEventErr(pollDesc *pd, bool b, uintptr_t seq) {
	uint32_t mSeq = (uint32_t)(seq & pollFDSeqMask);
	uint32_t x = atomic_Load(&pd->atomicInfo);

	for (;;) {
		if (seq != 0 && ((x >> pollFDSeq) & pollFDSeqMask) != mSeq)
			return;
		if (((x & pollEventErr) != 0) == b)
			return;
		if (atomic_Cas(&pd->atomicInfo, x, x ^ pollEventErr))
			return;
		x = atomic_Load(&pd->atomicInfo);
	}
}

// netpollGenericInit opens the poller, once.
void
netpollGenericInit(void) {
	if (atomic_Load(&netpollInited) == 0) {
		lockInit(&netpollInitLock, lockRankNetpollInit);
		lockInit(&pollcache.lock, lockRankPollCache);
		lock(&netpollInitLock);
		if (atomic_Load(&netpollInited) == 0) {
			netpollinit();
			atomic_Store(&netpollInited, 1u);
		}
		unlock(&netpollInitLock);
	}
}

bool
netpollinited(void) {
	return atomic_Load(&netpollInited) != 0;
}

// poll_runtime_isPollServerDescriptor reports whether fd is one of the poller's own.
bool
poll_runtime_isPollServerDescriptor(uintptr_t fd) {
	return netpollIsPollDescriptor(fd);
}

static pollDesc *pollCache_alloc(pollCache *c);
static void pollCache_free(pollCache *c, pollDesc *pd);

// poll_runtime_pollOpen registers fd; NULL and *errno_ > 0 if the system will not have it.
pollDesc *
poll_runtime_pollOpen(uintptr_t fd, int *errno_) {
	pollDesc *pd = pollCache_alloc(&pollcache);
	uintptr_t wg, rg;

	lock(&pd->lock);
	wg = atomic_Load(&pd->wg);
	if (wg != pdNil && wg != pdReady)
		throw("runtime: blocked write on free polldesc");
	rg = atomic_Load(&pd->rg);
	if (rg != pdNil && rg != pdReady)
		throw("runtime: blocked read on free polldesc");
	pd->fd = fd;
	if (atomic_Load(&pd->fdseq) == 0)
		atomic_Store(&pd->fdseq, (uintptr_t)1); // 0 means any in setEventErr
	pd->closing = false;
	pollDesc_setEventErr(pd, false, 0);
	pd->rseq++;
	atomic_Store(&pd->rg, (uintptr_t)pdNil);
	pd->rd = 0;
	pd->wseq++;
	atomic_Store(&pd->wg, (uintptr_t)pdNil);
	pd->wd = 0;
	pollDesc_publishInfo(pd);
	unlock(&pd->lock);

	*errno_ = netpollopen(fd, pd);
	if (*errno_ != 0) {
		pollCache_free(&pollcache, pd);
		return NULL;
	}
	return pd;
}

// poll_runtime_pollClose gives pd back, after poll_runtime_pollUnblock.
void
poll_runtime_pollClose(pollDesc *pd) {
	uintptr_t wg, rg;

	if (!pd->closing)
		throw("runtime: close polldesc w/o unblock");
	wg = atomic_Load(&pd->wg);
	if (wg != pdNil && wg != pdReady)
		throw("runtime: blocked write on closing polldesc");
	rg = atomic_Load(&pd->rg);
	if (rg != pdNil && rg != pdReady)
		throw("runtime: blocked read on closing polldesc");
	netpollclose(pd->fd);
	pollCache_free(&pollcache, pd);
}

static void
pollCache_free(pollCache *c, pollDesc *pd) {
	uintptr_t fdseq;

	lock(&pd->lock);
	// A netpoll that is under way must not make pd ready any more.
	fdseq = atomic_Load(&pd->fdseq);
	fdseq = (fdseq + 1) & ((1UL << tagBits) - 1);
	atomic_Store(&pd->fdseq, fdseq);
	pollDesc_publishInfo(pd);
	unlock(&pd->lock);

	lock(&c->lock);
	pd->link = c->first;
	c->first = pd;
	unlock(&c->lock);
}

// poll_runtime_pollReset forgets an old readiness for mode, 'r' or 'w', before I/O is tried.
int
poll_runtime_pollReset(pollDesc *pd, int mode) {
	int errcode = netpollcheckerr(pd, mode);

	if (errcode != pollNoError)
		return errcode;
	if (mode == 'r')
		atomic_Store(&pd->rg, (uintptr_t)pdNil);
	else if (mode == 'w')
		atomic_Store(&pd->wg, (uintptr_t)pdNil);
	return pollNoError;
}

static bool netpollblock(pollDesc *pd, int32_t mode, bool waitio);
static G *netpollunblock(pollDesc *pd, int32_t mode, bool ioready, int32_t *delta);

// poll_runtime_pollWait sleeps until pd is ready for mode, or closed, or the deadline is over.
int
poll_runtime_pollWait(pollDesc *pd, int mode) {
	int errcode = netpollcheckerr(pd, mode);

	if (errcode != pollNoError)
		return errcode;
	while (!netpollblock(pd, mode, false)) {
		errcode = netpollcheckerr(pd, mode);
		if (errcode != pollNoError)
			return errcode;
		// The deadline woke us, but has been moved before we got to run: nothing happened.
	}
	return pollNoError;
}

static void netpollDeadline(void *arg, uintptr_t seq, int64_t delta);
static void netpollReadDeadline(void *arg, uintptr_t seq, int64_t delta);
static void netpollWriteDeadline(void *arg, uintptr_t seq, int64_t delta);

// poll_runtime_pollSetDeadline sets the deadline of mode, 'r', 'w' or 'r'+'w', to d nanoseconds from
// now; d < 0: over, d == 0: none.  Equal deadlines share one timer.
void
poll_runtime_pollSetDeadline(pollDesc *pd, int64_t d, int mode) {
	int64_t rd0, wd0;
	bool combo0, combo;
	timerFunc rtf = netpollReadDeadline;
	int32_t delta = 0;
	G *rg = NULL, *wg = NULL;

	lock(&pd->lock);
	if (pd->closing) {
		unlock(&pd->lock);
		return;
	}
	rd0 = pd->rd;
	wd0 = pd->wd;
	combo0 = rd0 > 0 && rd0 == wd0;
	if (d > 0) {
		d = (int64_t)((uint64_t)d + (uint64_t)nanotime());
		if (d <= 0)
			d = INT64_MAX;
	}
	if (mode == 'r' || mode == 'r' + 'w')
		pd->rd = d;
	if (mode == 'w' || mode == 'r' + 'w')
		pd->wd = d;
	pollDesc_publishInfo(pd);
	combo = pd->rd > 0 && pd->rd == pd->wd;
	if (combo)
		rtf = netpollDeadline;
	if (!pd->rrun) {
		if (pd->rd > 0) {
			// the timer function compares the seq it was set with to pd's
			timer_modify(&pd->rt, pd->rd, 0, rtf, pd, pd->rseq);
			pd->rrun = true;
		}
	} else if (pd->rd != rd0 || combo != combo0) {
		pd->rseq++;
		if (pd->rd > 0) {
			timer_modify(&pd->rt, pd->rd, 0, rtf, pd, pd->rseq);
		} else {
			timer_stop(&pd->rt);
			pd->rrun = false;
		}
	}
	if (!pd->wrun) {
		if (pd->wd > 0 && !combo) {
			timer_modify(&pd->wt, pd->wd, 0, netpollWriteDeadline, pd, pd->wseq);
			pd->wrun = true;
		}
	} else if (pd->wd != wd0 || combo != combo0) {
		pd->wseq++;
		if (pd->wd > 0 && !combo) {
			timer_modify(&pd->wt, pd->wd, 0, netpollWriteDeadline, pd, pd->wseq);
		} else {
			timer_stop(&pd->wt);
			pd->wrun = false;
		}
	}
	// A deadline that is over already ends what is pending.
	if (pd->rd < 0)
		rg = netpollunblock(pd, 'r', false, &delta);
	if (pd->wd < 0)
		wg = netpollunblock(pd, 'w', false, &delta);
	unlock(&pd->lock);
	if (rg != NULL)
		goready(rg);
	if (wg != NULL)
		goready(wg);
	netpollAdjustWaiters(delta);
}

// poll_runtime_pollUnblock marks pd as closing and wakes who is blocked on it.
void
poll_runtime_pollUnblock(pollDesc *pd) {
	int32_t delta = 0;
	G *rg, *wg;

	lock(&pd->lock);
	if (pd->closing)
		throw("runtime: unblock on closing polldesc");
	pd->closing = true;
	pd->rseq++;
	pd->wseq++;
	pollDesc_publishInfo(pd);
	rg = netpollunblock(pd, 'r', false, &delta);
	wg = netpollunblock(pd, 'w', false, &delta);
	if (pd->rrun) {
		timer_stop(&pd->rt);
		pd->rrun = false;
	}
	if (pd->wrun) {
		timer_stop(&pd->wt);
		pd->wrun = false;
	}
	unlock(&pd->lock);
	if (rg != NULL)
		goready(rg);
	if (wg != NULL)
		goready(wg);
	netpollAdjustWaiters(delta);
}

// netpollready is for netpoll: pd is ready for mode, 'r', 'w' or 'r'+'w'.  Goroutines that wait for
// that go to toRun.  It returns what to add to netpollWaiters.  May run with the world stopped.
int32_t
netpollready(gList *toRun, pollDesc *pd, int32_t mode) {
	int32_t delta = 0;
	G *rg = NULL, *wg = NULL;

	if (mode == 'r' || mode == 'r' + 'w')
		rg = netpollunblock(pd, 'r', true, &delta);
	if (mode == 'w' || mode == 'r' + 'w')
		wg = netpollunblock(pd, 'w', true, &delta);
	if (rg != NULL)
		gList_push(toRun, rg);
	if (wg != NULL)
		gList_push(toRun, wg);
	return delta;
}

// netpollcheckerr says why not to wait, if there is a reason.
int
netpollcheckerr(pollDesc *pd, int32_t mode) {
	uint32_t info = pollDesc_info(pd);

	if ((info & pollClosing) != 0)
		return pollErrClosing;
	if ((mode == 'r' && (info & pollExpiredReadDeadline) != 0) ||
		(mode == 'w' && (info & pollExpiredWriteDeadline) != 0))
		return pollErrTimeout;
	// A writer will find out from the write, with a better errno.
	if (mode == 'r' && (info & pollEventErr) != 0)
		return pollErrNotPollable;
	return pollNoError;
}

static bool
netpollblockcommit(G *gp, void *gpp) {
	bool r = atomic_Cas((uintptr_t *)gpp, (uintptr_t)pdWait, (uintptr_t)gp);

	// findRunnable blocks in netpoll if anybody waits
	if (r)
		netpollAdjustWaiters(1);
	return r;
}

// netpollblock sleeps until I/O is ready, true, or is not to be waited for any more, false.  waitio:
// errors do not count.  One goroutine a mode.
static bool
netpollblock(pollDesc *pd, int32_t mode, bool waitio) {
	uintptr_t *gpp = mode == 'w' ? &pd->wg : &pd->rg;
	uintptr_t old;

	for (;;) {
		uintptr_t v;

		if (atomic_Cas(gpp, (uintptr_t)pdReady, (uintptr_t)pdNil))
			return true;
		if (atomic_Cas(gpp, (uintptr_t)pdNil, (uintptr_t)pdWait))
			break;
		v = atomic_Load(gpp);
		if (v != pdReady && v != pdNil)
			throw("runtime: double wait");
	}

	// Those who close or set a deadline publish that and then look at gpp; we do it the other way
	// round, so that one sees the other.
	if (waitio || netpollcheckerr(pd, mode) == pollNoError)
		gopark(netpollblockcommit, gpp, waitReasonIOWait);
	old = atomic_Xchg(gpp, (uintptr_t)pdNil);
	if (old > pdWait)
		throw("runtime: corrupted polldesc");
	return old == pdReady;
}

// netpollunblock takes the goroutine off that is blocked on pd for mode, if any; ioready: or leaves
// pdReady for the next.  *delta is for netpollWaiters, once the goroutine is ready.
static G *
netpollunblock(pollDesc *pd, int32_t mode, bool ioready, int32_t *delta) {
	uintptr_t *gpp = mode == 'w' ? &pd->wg : &pd->rg;

	for (;;) {
		uintptr_t old = atomic_Load(gpp);

		if (old == pdReady)
			return NULL;
		if (old == pdNil && !ioready)
			return NULL;
		if (atomic_Cas(gpp, old, (uintptr_t)(ioready ? pdReady : pdNil))) {
			if (old == pdWait)
				old = pdNil;
			else if (old != pdNil)
				*delta -= 1;
			return (G *)old;
		}
	}
}

static void
netpolldeadlineimpl(pollDesc *pd, uintptr_t seq, bool read, bool write) {
	int32_t delta = 0;
	G *rg = NULL, *wg = NULL;

	lock(&pd->lock);
	if (seq != (read ? pd->rseq : pd->wseq)) {
		// of a deadline that has been changed, or of a descriptor that has been closed
		unlock(&pd->lock);
		return;
	}
	if (read) {
		if (pd->rd <= 0 || !pd->rrun)
			throw("runtime: inconsistent read deadline");
		pd->rd = -1;
		pollDesc_publishInfo(pd);
		rg = netpollunblock(pd, 'r', false, &delta);
	}
	if (write) {
		if (pd->wd <= 0 || (!pd->wrun && !read))
			throw("runtime: inconsistent write deadline");
		pd->wd = -1;
		pollDesc_publishInfo(pd);
		wg = netpollunblock(pd, 'w', false, &delta);
	}
	unlock(&pd->lock);
	if (rg != NULL)
		goready(rg);
	if (wg != NULL)
		goready(wg);
	netpollAdjustWaiters(delta);
}

static void
netpollDeadline(void *arg, uintptr_t seq, int64_t delta) {
	(void)delta;
	netpolldeadlineimpl(arg, seq, true, true);
}

static void
netpollReadDeadline(void *arg, uintptr_t seq, int64_t delta) {
	(void)delta;
	netpolldeadlineimpl(arg, seq, true, false);
}

static void
netpollWriteDeadline(void *arg, uintptr_t seq, int64_t delta) {
	(void)delta;
	netpolldeadlineimpl(arg, seq, false, true);
}

// netpollAnyWaiters reports whether any goroutine waits for I/O.
bool
netpollAnyWaiters(void) {
	return atomic_Load(&netpollWaiters) > 0;
}

void
netpollAdjustWaiters(int32_t delta) {
	if (delta != 0)
		atomic_Xadd(&netpollWaiters, (uint32_t)delta);
}

// pollCache_alloc takes a free pollDesc or makes a block of them.
static pollDesc *
pollCache_alloc(pollCache *c) {
	pollDesc *pd;

	lock(&c->lock);
	if (c->first == NULL) {
		const uintptr_t pdSize = alignUp(sizeof(pollDesc), tagAlign);
		uintptr_t n = max((uintptr_t)1, (uintptr_t)pollBlockSize / pdSize);
		void *mem = persistentalloc(n * pdSize, tagAlign, &memstats.other_sys);

		for (uintptr_t i = 0; i < n; i++) {
			pd = add(mem, i * pdSize);
			lockInit(&pd->lock, lockRankPollDesc);
			timer_init(&pd->rt, NULL, NULL);
			timer_init(&pd->wt, NULL, NULL);
			pd->link = c->first;
			c->first = pd;
		}
	}
	pd = c->first;
	c->first = pd->link;
	unlock(&c->lock);
	return pd;
}
