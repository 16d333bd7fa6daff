// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Channels.  Ports chan.go of Go 1.26.8.
//
// One lock guards a channel: its ring buffer and the queues of who waits.  Always one of the
// queues is empty, except when a goroutine both sends and receives on an unbuffered channel in one
// select; elements in the buffer mean no receivers wait, room in it means no senders do.
//
// A value goes straight from the sender to a waiting receiver, or the other way round.  This is the
// one place where a running goroutine writes to the stack of another.  The collector takes it for
// granted that only its owner writes to a stack, so the values are shaded (typeBitsBulkBarrier).
//
// PORT: no race detector, synctest bubbles or block profile.  Instead of taking an unlock function,
// Go's send and recv are in two halves (chan_sendCopy, chan_wake) between which the caller drops its
// locks.  Elements that are pointer-free, or any while no barrier is on, are copied by size.
#include "sched/chan.h"

#include "runtime/malloc.h"
#include "runtime/mbarrier.h"
#include "runtime/mbitmap.h"
#include "runtime/runtime1.h"
#include "sched/lockfast.h"
#include "sched/preempt.h"
#include "sched/proc.h"
#include "sched/runtime2.h"
#include "sched/time.h"

// The words of a hchan that lead to the GC heap.  elemtype is static, sudogs are off the heap.
_Static_assert(sizeof(hchan) % maxAlign == 0, "hchan alignment");
_Static_assert(offsetof(hchan, timer) / PtrSize < 8, "pointer mask of hchan");
static const uint8_t hchanPtrs[8] = {
	1 << offsetof(hchan, buf) / PtrSize | 1 << offsetof(hchan, timer) / PtrSize};
const struct gort_type hchanType = {
	sizeof(hchan), offsetof(hchan, timer) + PtrSize, hchanPtrs, "runtime.hchan"};

// chan_move copies n bytes that hold no pointer anyone must hear about.  Tests in the order of how
// common they are: a jump table would be slower.
static ALWAYS_INLINE void
chan_move(void *dst, const void *src, uintptr_t n) {
	if (likely(n == 8))
		memcpy(dst, src, 8);
	else if (n == 4)
		memcpy(dst, src, 4);
	else if (n == 1)
		memcpy(dst, src, 1);
	else if (n == 16)
		memcpy(dst, src, 16);
	else if (n == 2)
		memcpy(dst, src, 2);
	else if (n != 0)
		memmove(dst, src, n);
}

// barrierOn reports whether stores of c's elements need the barrier now.  Runtime text is never
// stopped half-way, so the answer holds until the next safe point.
static ALWAYS_INLINE bool
barrierOn(const hchan *c) {
	return unlikely(atomic_LoadRelaxed(&gort_writeBarrier) != 0) && c->elemtype->ptrbytes != 0;
}

// chan_copy is typedmemmove of an element.
static ALWAYS_INLINE void
chan_copy(hchan *c, void *dst, const void *src) {
	if (barrierOn(c))
		typedmemmove(c->elemtype, dst, src);
	else
		chan_move(dst, src, c->elemsize);
}

// chan_clear zeroes an element.
ALWAYS_INLINE void
chan_clear(hchan *c, void *ep) {
	if (barrierOn(c)) {
		typedmemclr(c->elemtype, ep);
		return;
	}
	if (likely(c->elemsize == 8))
		memset(ep, 0, 8);
	else if (c->elemsize == 4)
		memset(ep, 0, 4);
	else if (c->elemsize != 0)
		memset(ep, 0, c->elemsize);
}

// chan_copyDirect copies an element to or from the stack of another goroutine.  The barrier knows
// that dst is a pointer slot by the type: it is in no heap span.
static ALWAYS_INLINE void
chan_copyDirect(hchan *c, void *dst, const void *src) {
	if (barrierOn(c))
		typeBitsBulkBarrier(c->elemtype, (uintptr_t)dst, (uintptr_t)src, c->elemsize);
	chan_move(dst, src, c->elemsize);
}

// makechan_with makes a channel; pointers: its hchan is scanned even if its elements are not.
static hchan *
makechan_with(const _type *elem, intptr_t size, bool pointers) {
	uintptr_t mem;
	hchan *c;

	if (elem->size >= 1 << 16)
		throw("makechan: invalid channel element type");
	// Or the pointers of the second element are not where the collector looks for them.
	if (elem->ptrbytes != 0 && elem->size % PtrSize != 0)
		throw("makechan: bad alignment");
	if (size < 0 || __builtin_mul_overflow(elem->size, (uintptr_t)size, &mem) ||
		mem > maxAlloc - hchanSize)
		gopanic("makechan: size out of range");

	// Without pointers in the elements the collector has no interest in the hchan: buf points into
	// the same object.
	if (pointers || (elem->ptrbytes != 0 && mem != 0)) {
		c = mallocgc(sizeof(hchan), &hchanType, true);
		wbstore(&c->buf, mem == 0 ? (void *)&c->buf
					  : mallocgc(mem, elem->ptrbytes != 0 ? elem : NULL, true));
	} else {
		c = mallocgc(hchanSize + mem, NULL, true);
		c->buf = mem == 0 ? (void *)&c->buf : add(c, hchanSize);
	}
	c->elemsize = (uint16_t)elem->size;
	c->elemtype = elem;
	c->dataqsiz = (uintptr_t)size;
	lockInit(&c->lock, lockRankHchan);
	return c;
}

// makechan makes a channel for size elements of type elem.
hchan *
makechan(const _type *elem, intptr_t size) {
	return makechan_with(elem, size, false);
}

// maketimerchan makes a channel whose timer the collector finds.  Go's timer channels carry a
// time.Time, which has a pointer, so that there every one is like that.
hchan *
maketimerchan(const _type *elem, intptr_t size) {
	return makechan_with(elem, size, true);
}

// full reports whether a send would block.  One word is read: the answer was right at some moment.
static inline bool
full(hchan *c) {
	if (c->dataqsiz == 0)
		return atomic_LoadRelaxed(&c->recvq.first) == NULL;
	return atomic_LoadRelaxed(&c->qcount) == c->dataqsiz;
}

// ---- send -----------------------------------------------------------------------------------------

// chan_sendCopy hands *ep to the waiting receiver sg.
ALWAYS_INLINE void
chan_sendCopy(hchan *c, sudog *sg, const void *ep) {
	if (sg->elem != NULL) {
		chan_copyDirect(c, sg->elem, ep);
		sg->elem = NULL;
	}
}

// chan_wake readies the goroutine of sg, whose operation is done.  No channel may be locked.
ALWAYS_INLINE void
chan_wake(sudog *sg) {
	G *gp = sg->g;

	gp->param = sg;
	sg->success = true;
	goready(gp);
}

// chan_bufSend appends *ep to the buffer, which has room.
ALWAYS_INLINE void
chan_bufSend(hchan *c, const void *ep) {
	uintptr_t x = c->sendx;

	chan_copy(c, chanbuf(c, x), ep);
	if (++x == c->dataqsiz)
		x = 0;
	c->sendx = x;
	atomic_StoreRelaxed(&c->qcount, c->qcount + 1);
}

// chan_bufRecv takes the first element of the buffer, which is not empty, to *ep unless that is
// NULL.
ALWAYS_INLINE void
chan_bufRecv(hchan *c, void *ep) {
	uintptr_t x = c->recvx;
	void *qp = chanbuf(c, x);

	if (ep != NULL)
		chan_copy(c, ep, qp);
	if (c->elemtype->ptrbytes != 0)
		chan_clear(c, qp); // PORT: slots without pointers may keep what they held
	if (++x == c->dataqsiz)
		x = 0;
	c->recvx = x;
	atomic_StoreRelaxed(&c->qcount, c->qcount - 1);
}

// chanparkcommit runs on g0 once the goroutine has parked.  From the unlock on it may run again.
static bool
chanparkcommit(G *gp, void *chanLock) {
	// Senders and receivers may write to gp's stack from now on.
	gp->activeStackChans = true;
	atomic_Store(&gp->parkingOnChan, false);
	unlockfast(chanLock);
	return true;
}

// chan_park queues the goroutine on q, drops c->lock and sleeps until somebody did the operation,
// true, or closed the channel, false.
static NOINLINE bool
chan_park(hchan *c, waitq *q, void *ep, waitReason reason) {
	G *gp = getg();
	sudog *mysg = sudogget();
	bool success;

	mysg->releasetime = 0;
	mysg->elem = ep;
	mysg->waitlink = NULL;
	mysg->g = gp;
	mysg->isSelect = false;
	mysg->c = c;
	gp->waiting = mysg;
	gp->param = NULL;
	waitq_enqueue(q, mysg);
	if (c->timer != NULL)
		blockTimerChan(c);

	atomic_StoreRelaxed(&gp->parkingOnChan, true);
	gopark(chanparkcommit, &c->lock, reason);
	// the value must stay reachable until the other side has copied it
	__asm__ volatile("" : : "r"(ep));

	if (mysg != gp->waiting)
		throw("G waiting list is corrupted");
	if (c->timer != NULL)
		unblockTimerChan(c);
	gp->waiting = NULL;
	gp->activeStackChans = false;
	success = mysg->success;
	gp->param = NULL;
	mysg->c = NULL;
	sudogput(mysg);
	return success;
}

static COLD void
chan_parkForever(waitReason reason) {
	gopark(NULL, NULL, reason);
	throw("unreachable");
}

// chansend_impl sends *ep, and reports whether it did: always, if block.
static ALWAYS_INLINE bool
chansend_impl(hchan *c, const void *ep, bool block) {
	sudog *sg;

	if (unlikely(c == NULL)) {
		if (!block)
			return false;
		chan_parkForever(waitReasonChanSendNilChan);
	}

	// Without the lock: an open channel that cannot take anything.  A closed channel never goes
	// from ready to not ready, so there was a moment between the reads when the channel was open
	// and full, whatever their order.
	if (!block && atomic_LoadRelaxed(&c->closed) == 0 && full(c))
		return false;

	lockfast(&c->lock);
	if (unlikely(c->closed != 0)) {
		unlockfast(&c->lock);
		gopanic("send on closed channel");
	}
	sg = waitq_dequeue(&c->recvq);
	if (sg != NULL) {
		// past the buffer, which is empty
		chan_sendCopy(c, sg, ep);
		unlockfast(&c->lock);
		chan_wake(sg);
		return true;
	}
	if (c->qcount < c->dataqsiz) {
		chan_bufSend(c, ep);
		unlockfast(&c->lock);
		return true;
	}
	if (!block) {
		unlockfast(&c->lock);
		return false;
	}

	if (unlikely(!chan_park(c, &c->sendq, (void *)(uintptr_t)ep, waitReasonChanSend))) {
		if (atomic_LoadRelaxed(&c->closed) == 0)
			throw("chansend: spurious wakeup");
		gopanic("send on closed channel");
	}
	return true;
}

// chansend1 is c <- *elem.
void
chansend1(hchan *c, const void *elem) {
	preemptcheck();
	chansend_impl(c, elem, true);
}

// chansend sends *ep; if it would have to wait and block is false it returns false.
bool
chansend(hchan *c, const void *ep, bool block) {
	preemptcheck();
	return chansend_impl(c, ep, block);
}

// timerchandrain empties the buffer of a timer's channel and reports whether there was anything.  No
// sender ever waits on one.  The timer's sendLock is held, so that empty() must not be used.
bool
timerchandrain(hchan *c) {
	bool any = false;

	if (atomic_Load(&c->qcount) == 0)
		return false;
	lockfast(&c->lock);
	while (c->qcount > 0) {
		any = true;
		chan_bufRecv(c, NULL);
	}
	unlockfast(&c->lock);
	return any;
}

// closechan closes c and wakes all who wait on it.
void
closechan(hchan *c) {
	gList glist = {0};
	sudog *sg;

	if (c == NULL)
		gopanic("close of nil channel");
	lockfast(&c->lock);
	if (c->closed != 0) {
		unlockfast(&c->lock);
		gopanic("close of closed channel");
	}
	atomic_StoreRelaxed(&c->closed, 1u);

	while ((sg = waitq_dequeue(&c->recvq)) != NULL) {
		if (sg->elem != NULL) {
			chan_clear(c, sg->elem);
			sg->elem = NULL;
		}
		sg->g->param = sg;
		sg->success = false;
		gList_push(&glist, sg->g);
	}
	// these will panic
	while ((sg = waitq_dequeue(&c->sendq)) != NULL) {
		sg->elem = NULL;
		sg->g->param = sg;
		sg->success = false;
		gList_push(&glist, sg->g);
	}
	unlockfast(&c->lock);

	while (!gList_empty(&glist)) {
		G *gp = gList_pop(&glist);

		gp->schedlink = NULL;
		goready(gp);
	}
}

// ---- receive --------------------------------------------------------------------------------------

// empty reports whether a receive would block, at one moment.
static ALWAYS_INLINE bool
empty(hchan *c) {
	if (c->dataqsiz == 0)
		return atomic_Load(&c->sendq.first) == NULL;
	if (unlikely(c->timer != NULL))
		timer_maybeRunChan(c->timer, c);
	return atomic_Load(&c->qcount) == 0;
}

// chan_recvCopy takes an element from the full channel c with the waiting sender sg.  With a buffer
// that is its first element, and the sender's goes to its end, which is the same slot.
ALWAYS_INLINE void
chan_recvCopy(hchan *c, sudog *sg, void *ep) {
	if (c->dataqsiz == 0) {
		if (ep != NULL)
			chan_copyDirect(c, ep, sg->elem);
	} else {
		uintptr_t x = c->recvx;
		void *qp = chanbuf(c, x);

		if (ep != NULL)
			chan_copy(c, ep, qp);
		chan_copy(c, qp, sg->elem);
		if (++x == c->dataqsiz)
			x = 0;
		c->recvx = x;
		c->sendx = x;
	}
	sg->elem = NULL;
}

// chanrecv_impl receives to *ep, unless ep is NULL.  The result is false if nothing could be done
// (only without block).  *received is false if the channel is closed and empty; *ep is zero then.
static ALWAYS_INLINE bool
chanrecv_impl(hchan *c, void *ep, bool block, bool *received) {
	sudog *sg;

	*received = false;
	if (unlikely(c == NULL)) {
		if (!block)
			return false;
		chan_parkForever(waitReasonChanReceiveNilChan);
	}
	if (unlikely(c->timer != NULL))
		timer_maybeRunChan(c->timer, c);

	if (!block && empty(c)) {
		// The order matters: empty first, closed second; a channel cannot be opened again, so it
		// was open when it was empty.  In the other order it could be closed and drained between.
		if (atomic_Load(&c->closed) == 0)
			return false;
		// closed for good; something may have been sent between the two looks
		if (empty(c)) {
			if (ep != NULL)
				chan_clear(c, ep);
			return true;
		}
	}

	lockfast(&c->lock);
	if (unlikely(c->closed != 0)) {
		if (c->qcount == 0) {
			unlockfast(&c->lock);
			if (ep != NULL)
				chan_clear(c, ep);
			return true;
		}
	} else {
		sg = waitq_dequeue(&c->sendq);
		if (sg != NULL) {
			chan_recvCopy(c, sg, ep);
			unlockfast(&c->lock);
			chan_wake(sg);
			*received = true;
			return true;
		}
	}
	if (c->qcount > 0) {
		chan_bufRecv(c, ep);
		unlockfast(&c->lock);
		*received = true;
		return true;
	}
	if (!block) {
		unlockfast(&c->lock);
		return false;
	}

	*received = chan_park(c, &c->recvq, ep, waitReasonChanReceive);
	__asm__ volatile(""); // a call, not a jump: traces show who called
	return true;
}

// chanrecv1 is *elem = <-c, or <-c if elem is NULL.
void
chanrecv1(hchan *c, void *elem) {
	bool received;

	preemptcheck();
	chanrecv_impl(c, elem, true, &received);
}

// chanrecv2 is *elem, received = <-c.
bool
chanrecv2(hchan *c, void *elem) {
	bool received;

	preemptcheck();
	chanrecv_impl(c, elem, true, &received);
	return received;
}

bool
chanrecv(hchan *c, void *ep, bool block, bool *received) {
	preemptcheck();
	return chanrecv_impl(c, ep, block, received);
}

// selectnbsend is select { case c <- *elem: default: }, true if the case was chosen.
bool
selectnbsend(hchan *c, const void *elem) {
	preemptcheck();
	return chansend_impl(c, elem, false);
}

// selectnbrecv is select { case *elem, received = <-c: default: }.
bool
selectnbrecv(void *elem, hchan *c, bool *received) {
	preemptcheck();
	return chanrecv_impl(c, elem, false, received);
}

// timerAsync: timer channels show their buffer, as before Go 1.23.
static inline bool
timerAsync(void) {
	return atomic_Load(&debug.asynctimerchan) != 0;
}

// chanlen is len(c).  Timer channels have a buffer so that a send can be undone, but pass as
// unbuffered.
intptr_t
chanlen(hchan *c) {
	if (c == NULL)
		return 0;
	if (c->timer != NULL) {
		if (!timerAsync())
			return 0;
		timer_maybeRunChan(c->timer, c);
	}
	return (intptr_t)atomic_LoadRelaxed(&c->qcount);
}

// chancap is cap(c).
intptr_t
chancap(hchan *c) {
	if (c == NULL || (c->timer != NULL && !timerAsync()))
		return 0;
	return (intptr_t)c->dataqsiz;
}

// ---- gort.h ---------------------------------------------------------------------------------------

gort_hchan *
gort_makechan(const gort_type *elem, size_t n) {
	return makechan(elem, (intptr_t)n);
}

void
gort_chansend(gort_hchan *c, const void *elem) {
	preemptcheck();
	chansend_impl(c, elem, true);
}

bool
gort_chanrecv(gort_hchan *c, void *elem) {
	bool received;

	preemptcheck();
	chanrecv_impl(c, elem, true, &received);
	return received;
}

void
gort_closechan(gort_hchan *c) {
	closechan(c);
}

bool
gort_chantrysend(gort_hchan *c, const void *elem) {
	preemptcheck();
	return chansend_impl(c, elem, false);
}

bool
gort_chantryrecv(gort_hchan *c, void *elem, bool *ok) {
	bool received, selected;

	preemptcheck();
	selected = chanrecv_impl(c, elem, false, &received);
	if (ok != NULL)
		*ok = received;
	return selected;
}

size_t
gort_chanlen(gort_hchan *c) {
	return (size_t)chanlen(c);
}

size_t
gort_chancap(gort_hchan *c) {
	return (size_t)chancap(c);
}
