// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// select.  Ports select.go of Go 1.26.8.
//
// All channels are locked at once, in the order of their addresses, so that two selects cannot
// block each other.  The cases are then looked at in a random order, so that none starves.  If
// none is ready the goroutine joins the queues of all channels; who takes it out of one of them
// first (G.selectDone) does the operation; and the goroutine takes itself out of the others.
//
// PORT: no race detector, synctest bubbles or block profile.
#include "sched/select.h"

#include "runtime/malloc.h"
#include "runtime/mbarrier.h"
#include "runtime/panic.h"
#include "sched/lockfast.h"
#include "sched/preempt.h"
#include "sched/proc.h"
#include "sched/runtime2.h"
#include "sched/time.h"

// sellock locks each channel once; lockorder has equal channels side by side.
static void
sellock(const scase *scases, const uint16_t *lockorder, int n) {
	hchan *c = NULL;

	for (int i = 0; i < n; i++) {
		hchan *c0 = scases[lockorder[i]].c;

		if (c0 != c) {
			c = c0;
			lockfast(&c->lock);
		}
	}
}

static void
selunlock(const scase *scases, const uint16_t *lockorder, int n) {
	for (int i = n - 1; i >= 0; i--) {
		hchan *c = scases[lockorder[i]].c;

		if (i > 0 && c == scases[lockorder[i - 1]].c)
			continue; // the next round unlocks it
		unlockfast(&c->lock);
	}
}

// selparkcommit runs on g0 once the goroutine has parked.  It unlocks the channels, which gp->waiting
// has in lock order.  The goroutine's stack must not be touched: after the last unlock, which comes
// from here, it may be in use again.
static bool
selparkcommit(G *gp, void *unused) {
	hchan *lastc = NULL;

	(void)unused;
	gp->activeStackChans = true;
	atomic_Store(&gp->parkingOnChan, false);
	for (sudog *sg = gp->waiting; sg != NULL; sg = sg->waitlink) {
		// sudogs of a channel are nobody's to read after its unlock
		if (sg->c != lastc && lastc != NULL)
			unlockfast(&lastc->lock);
		lastc = sg->c;
	}
	if (lastc != NULL)
		unlockfast(&lastc->lock);
	return true;
}

// block is a select without cases.
_Noreturn void
block(void) {
	gopark(NULL, NULL, waitReasonSelectNoCases);
	throw("unreachable");
}

static inline uintptr_t
sortkey(const scase *scases, uint16_t i) {
	return (uintptr_t)scases[i].c;
}

// waitq_dequeueSudoG takes sgp out of q, if it still is in it.
static void
waitq_dequeueSudoG(waitq *q, sudog *sgp) {
	sudog *x = sgp->prev;
	sudog *y = sgp->next;

	if (x != NULL) {
		x->next = y;
		if (y != NULL) {
			y->prev = x;
			sgp->next = NULL;
		} else {
			q->last = x;
		}
		sgp->prev = NULL;
		return;
	}
	if (y != NULL) {
		y->prev = NULL;
		atomic_StoreRelaxed(&q->first, y);
		sgp->next = NULL;
		return;
	}
	// alone in the queue, or taken out before
	if (q->first == sgp) {
		atomic_StoreRelaxed(&q->first, NULL);
		q->last = NULL;
	}
}

// selheapsort orders lockorder by channel: n log n for sure, and no memory.  It starts from pollorder,
// so that cases of one channel are permuted too.
static NOINLINE void
selheapsort(const scase *scases, const uint16_t *pollorder, uint16_t *lockorder, int norder) {
	for (int i = 0; i < norder; i++) {
		int j = i;
		uintptr_t c = sortkey(scases, pollorder[i]);

		while (j > 0 && sortkey(scases, lockorder[(j - 1) / 2]) < c) {
			int k = (j - 1) / 2;

			lockorder[j] = lockorder[k];
			j = k;
		}
		lockorder[j] = pollorder[i];
	}
	for (int i = norder - 1; i >= 0; i--) {
		uint16_t o = lockorder[i];
		uintptr_t c = sortkey(scases, o);
		int j = 0;

		lockorder[i] = lockorder[0];
		for (;;) {
			int k = j * 2 + 1;

			if (k >= i)
				break;
			if (k + 1 < i &&
				sortkey(scases, lockorder[k]) < sortkey(scases, lockorder[k + 1]))
				k++;
			if (c >= sortkey(scases, lockorder[k]))
				break;
			lockorder[j] = lockorder[k];
			j = k;
		}
		lockorder[j] = o;
	}
}

// selorder fills in pollorder, a random permutation of the cases with a channel, and lockorder, the
// same by channel.  It returns their number.
static ALWAYS_INLINE int
selorder(scase *scases, uint16_t *pollorder, uint16_t *lockorder, int ncases) {
	enum { few = 16 };
	uintptr_t keys[few];
	int norder = 0;
	bool sorted = true;
	M *mp = getg()->m; // selorder does not park

	for (int i = 0; i < ncases; i++) {
		scase *cas = &scases[i];
		uint32_t j;

		if (unlikely(cas->c == NULL)) {
			cas->elem = NULL;
			continue;
		}
		if (unlikely(cas->c->timer != NULL))
			timer_maybeRunChan(cas->c->timer, cas->c);
		j = cheaprandnfast(mp, (uint32_t)norder + 1);
		pollorder[norder] = pollorder[j];
		pollorder[j] = (uint16_t)i;

		// PORT: few cases are sorted by insertion, as they come.  The result is the heap sort's if
		// no channel comes twice.
		if (norder < few) {
			uintptr_t key = (uintptr_t)cas->c;
			int k = norder;

			while (k > 0 && keys[k - 1] > key) {
				keys[k] = keys[k - 1];
				lockorder[k] = lockorder[k - 1];
				k--;
			}
			if (k > 0 && keys[k - 1] == key)
				sorted = false;
			keys[k] = key;
			lockorder[k] = (uint16_t)i;
		}
		norder++;
	}
	if (unlikely(norder > few || !sorted))
		selheapsort(scases, pollorder, lockorder, norder);
	return norder;
}

// selpark queues the goroutine on all channels, sleeps and takes it out again.  All channels are
// locked, before and after.  It returns the case that was done, or closed if *success is false.
static NOINLINE int
selpark(scase *scases, const uint16_t *lockorder, int norder, int nsends, bool *success) {
	G *gp = getg();
	sudog **nextp = &gp->waiting;
	sudog *sg, *sglist;
	int casi = -1;

	if (gp->waiting != NULL)
		throw("gp.waiting != nil");
	for (int i = 0; i < norder; i++) {
		int o = lockorder[i];
		scase *cas = &scases[o];
		hchan *c = cas->c;

		sg = sudogget();
		sg->g = gp;
		sg->isSelect = true;
		sg->elem = cas->elem;
		sg->releasetime = 0;
		sg->c = c;
		// gp->waiting is in lock order
		*nextp = sg;
		nextp = &sg->waitlink;

		waitq_enqueue(o < nsends ? &c->sendq : &c->recvq, sg);
		if (c->timer != NULL)
			blockTimerChan(c);
	}
	*nextp = NULL;

	gp->param = NULL;
	atomic_StoreRelaxed(&gp->parkingOnChan, true);
	gopark(selparkcommit, NULL, waitReasonSelect);
	gp->activeStackChans = false;

	sellock(scases, lockorder, norder);
	atomic_Store(&gp->selectDone, 0u);
	sg = gp->param;
	gp->param = NULL;

	sglist = gp->waiting;
	for (sudog *sg1 = sglist; sg1 != NULL; sg1 = sg1->waitlink) {
		sg1->isSelect = false;
		sg1->elem = NULL;
		sg1->c = NULL;
	}
	gp->waiting = NULL;

	*success = false;
	for (int i = 0; i < norder; i++) {
		int o = lockorder[i];
		hchan *c = scases[o].c;
		sudog *sgnext;

		if (c->timer != NULL)
			unblockTimerChan(c);
		if (sg == sglist) {
			// its waker has dequeued this one
			casi = o;
			*success = sglist->success;
		} else {
			waitq_dequeueSudoG(o < nsends ? &c->sendq : &c->recvq, sglist);
		}
		sgnext = sglist->waitlink;
		sglist->waitlink = NULL;
		sudogput(sglist);
		sglist = sgnext;
	}
	if (casi < 0)
		throw("selectgo: bad wakeup");
	return casi;
}

// selectgo chooses and does one of the cases.
int
selectgo(scase *cas0, uint16_t *order0, int nsends, int nrecvs, bool block_, bool *recvOK) {
	int ncases = nsends + nrecvs;
	uint16_t *pollorder = order0;
	uint16_t *lockorder = order0 + ncases;
	int norder, casi;
	bool success;

	preemptcheck();
	*recvOK = false;
	norder = selorder(cas0, pollorder, lockorder, ncases);
	sellock(cas0, lockorder, norder);

	// is one ready?
	for (int i = 0; i < norder; i++) {
		scase *cas;
		hchan *c;
		sudog *sg;

		casi = pollorder[i];
		cas = &cas0[casi];
		c = cas->c;
		if (casi >= nsends) {
			sg = waitq_dequeue(&c->sendq);
			if (sg != NULL) {
				chan_recvCopy(c, sg, cas->elem);
				selunlock(cas0, lockorder, norder);
				chan_wake(sg);
				*recvOK = true;
				return casi;
			}
			if (c->qcount > 0) {
				chan_bufRecv(c, cas->elem);
				selunlock(cas0, lockorder, norder);
				*recvOK = true;
				return casi;
			}
			if (c->closed != 0) {
				selunlock(cas0, lockorder, norder);
				if (cas->elem != NULL)
					chan_clear(c, cas->elem);
				return casi;
			}
		} else {
			if (c->closed != 0) {
				selunlock(cas0, lockorder, norder);
				gopanic("send on closed channel");
			}
			sg = waitq_dequeue(&c->recvq);
			if (sg != NULL) {
				chan_sendCopy(c, sg, cas->elem);
				selunlock(cas0, lockorder, norder);
				chan_wake(sg);
				return casi;
			}
			if (c->qcount < c->dataqsiz) {
				chan_bufSend(c, cas->elem);
				selunlock(cas0, lockorder, norder);
				return casi;
			}
		}
	}

	if (!block_) {
		selunlock(cas0, lockorder, norder);
		return -1;
	}

	casi = selpark(cas0, lockorder, norder, nsends, &success);
	selunlock(cas0, lockorder, norder);
	if (casi < nsends) {
		if (!success)
			gopanic("send on closed channel");
	} else {
		*recvOK = success;
	}
	return casi;
}

// ---- gort.h ---------------------------------------------------------------------------------------

static const gort_type int64Type = {sizeof(int64_t), 0, NULL, "int64"};

// timeoutChan starts a timer that sends to a channel of its own, as time.NewTimer.
static timeTimer *
timeoutChan(int64_t d, hchan **c) {
	*c = maketimerchan(&int64Type, 1);
	return newTimer(timerWhenAfter(d), 0, sendTime, *c, *c);
}

// selectOne is a select with one case, which is not a timeout, and perhaps a default.
static ALWAYS_INLINE int
selectOne(gort_scase *cases, int i, int dflt) {
	gort_scase *rc = &cases[i];
	bool received = true, selected;

	if (dflt >= 0) {
		if (rc->op == GORT_CASE_SEND)
			selected = selectnbsend(rc->c, rc->elem);
		else
			selected = selectnbrecv(rc->elem, rc->c, &received);
		if (!selected)
			return dflt;
	} else {
		if (rc->op == GORT_CASE_SEND)
			chansend1(rc->c, rc->elem);
		else
			received = chanrecv2(rc->c, rc->elem);
	}
	if (rc->ok != NULL && rc->op == GORT_CASE_RECV)
		*rc->ok = received;
	return i;
}

// selectAny is the general case.  As Go's compiler, it numbers sends from the front and receives from
// the back.  sel has room for n cases, order for 3n numbers; heap: sel is on the GC heap.
static ALWAYS_INLINE int
selectAny(gort_scase *cases, int n, scase *sel, uint16_t *order, bool heap) {
	uint16_t *orig = order + 2 * n;
	timeTimer *timers_[4];
	int ntimers = 0;
	int nsends = 0, nrecvs = 0;
	int dflt = -1;
	bool recvOK;
	int chosen;

	for (int i = 0; i < n; i++) {
		gort_scase *rc = &cases[i];
		hchan *c = rc->c;
		void *elem = rc->elem;
		int j;

		if (likely(rc->op == GORT_CASE_RECV)) {
			j = n - ++nrecvs;
		} else if (rc->op == GORT_CASE_SEND) {
			j = nsends++;
		} else if (rc->op == GORT_CASE_TIMEOUT) {
			timeTimer *t = timeoutChan(rc->d, &c);

			if (ntimers < (int)nelem(timers_))
				timers_[ntimers++] = t;
			elem = NULL;
			j = n - ++nrecvs;
		} else {
			dflt = i;
			continue;
		}
		if (heap) {
			wbstore(&sel[j].c, c);
			wbstore(&sel[j].elem, elem);
		} else {
			sel[j].c = c;
			sel[j].elem = elem;
		}
		orig[j] = (uint16_t)i;
	}
	if (unlikely(nsends + nrecvs < n)) {
		int gap = n - nsends - nrecvs;

		if (nsends + nrecvs == 0) {
			if (dflt < 0)
				block();
			return dflt;
		}
		// With the barrier: the channel of a timeout may have no other pointer to it.
		if (heap)
			gort_memmove(
				&sel[nsends], &sel[nsends + gap], (size_t)nrecvs * sizeof(sel[0]));
		else
			memmove(&sel[nsends], &sel[nsends + gap], (size_t)nrecvs * sizeof(sel[0]));
		memmove(&orig[nsends], &orig[nsends + gap], (size_t)nrecvs * sizeof(orig[0]));
	}

	chosen = selectgo(sel, order, nsends, nrecvs, dflt < 0, &recvOK);
	// Timers beyond those noted are garbage that nobody waits for.
	for (int i = 0; i < ntimers; i++)
		stopTimer(timers_[i]);
	if (chosen < 0)
		return dflt;
	chosen = orig[chosen];
	if (cases[chosen].ok != NULL && cases[chosen].op == GORT_CASE_RECV)
		*cases[chosen].ok = recvOK;
	return chosen;
}

// selectMany is for more cases than a small frame is good for, and for none.
static NOINLINE int
selectMany(gort_scase *cases, int n) {
	scase *sel;
	uint16_t *order;

	if (n <= 0)
		block();
	if (n > maxSelectCases)
		gopanic("select: too many cases (max 65536)");
	if (n <= 512) {
		sel = __builtin_alloca((size_t)n * sizeof(scase));
		order = __builtin_alloca((size_t)n * 3 * sizeof(uint16_t));
		return selectAny(cases, n, sel, order, false);
	}
	sel = mallocgc((uintptr_t)n * sizeof(scase), &gort_type_pointer, true);
	order = mallocgc((uintptr_t)n * 3 * sizeof(uint16_t), NULL, false);
	return selectAny(cases, n, sel, order, true);
}

static NOINLINE int
selectFew(gort_scase *cases, int n) {
	scase sel[8];
	uint16_t order[24];

	return selectAny(cases, n, sel, order, false);
}

int
gort_selectgo(gort_scase *cases, int n) {
	needg();
	// what Go's compiler turns into something simpler
	if (n == 2 && cases[1].op == GORT_CASE_DEFAULT && cases[0].op <= GORT_CASE_SEND)
		return selectOne(cases, 0, 1);
	if (n == 1 && cases[0].op <= GORT_CASE_SEND)
		return selectOne(cases, 0, -1);
	if (n == 2 && cases[0].op == GORT_CASE_DEFAULT && cases[1].op <= GORT_CASE_SEND)
		return selectOne(cases, 1, 0);
	if (likely((unsigned)(n - 1) < 8))
		return selectFew(cases, n);
	return selectMany(cases, n);
}
