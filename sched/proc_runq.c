// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The queues of runnable goroutines and the masks of Ps.  Ports the end of proc.go of Go 1.26.8.
//
// Each P has a ring of 256 and a slot, runnext, for the goroutine that was readied last: it runs
// next and inherits the time slice, so that two goroutines that talk to each other need no queue.
// The owner alone puts into the ring; whoever consumes, owner or thief, moves the head by CAS.  A
// thief takes half.  What does not fit goes to the global list, under sched.lock.
//
// PORT: pMask and the table of coprimes grow in persistent memory; an outgrown one is left behind,
// as readers without a P may still look at it.
#include "sched/proc.h"

#include "runtime/malloc_const.h"
#include "runtime/mstats.h"
#include "runtime/os_linux.h"

enum { runqlen = nelem(((P *)0)->runq) };

pMask idlepMask;
pMask timerpMask;
randomOrder stealOrder;

// globrunqput puts gp at the end of the global queue.  sched.lock must be held.
void
globrunqput(G *gp) {
	assertLockHeld(&sched.lock);

	gQueue_pushBack(&sched.runq, gp);
}

// globrunqputhead puts gp at the head of the global queue.  sched.lock must be held.
void
globrunqputhead(G *gp) {
	assertLockHeld(&sched.lock);

	gQueue_push(&sched.runq, gp);
}

// globrunqputbatch appends *batch to the global queue and empties it.  sched.lock must be held.
void
globrunqputbatch(gQueue *batch) {
	assertLockHeld(&sched.lock);

	gQueue_pushBackAll(&sched.runq, *batch);
	*batch = (gQueue){0};
}

// globrunqget takes one goroutine from the global queue.  sched.lock must be held.
G *
globrunqget(void) {
	assertLockHeld(&sched.lock);

	if (sched.runq.size == 0)
		return NULL;
	return gQueue_pop(&sched.runq);
}

// globrunqgetbatch takes a P's share of the global queue, at most n: one is returned, the others
// are in *q.  sched.lock must be held.
G *
globrunqgetbatch(int32_t n, gQueue *q) {
	assertLockHeld(&sched.lock);

	*q = (gQueue){0};
	if (sched.runq.size == 0)
		return NULL;

	n = min(n, sched.runq.size);
	n = min(n, sched.runq.size / gomaxprocs + 1);

	G *gp = gQueue_pop(&sched.runq);
	n--;
	for (; n > 0; n--)
		gQueue_pushBack(q, gQueue_pop(&sched.runq));
	return gp;
}

// pMask_read reports whether the bit of P id is set.
bool
pMask_read(pMask *p, uint32_t id) {
	return (atomic_Load(&p->bits[id / 32]) & (UINT32_C(1) << (id % 32))) != 0;
}

// pMask_set sets the bit of P id.
void
pMask_set(pMask *p, int32_t id) {
	atomic_Or(&p->bits[id / 32], UINT32_C(1) << (id % 32));
}

// pMask_clear clears the bit of P id.
void
pMask_clear(pMask *p, int32_t id) {
	atomic_And(&p->bits[id / 32], ~(UINT32_C(1) << (id % 32)));
}

// pMask_any reports whether a bit is set.
bool
pMask_any(pMask *p) {
	for (int32_t i = 0; i < p->len; i++) {
		if (atomic_Load(&p->bits[i]) != 0)
			return true;
	}
	return false;
}

// pMask_resize makes room for nprocs bits.  Readers that copied the old mask go on with that.
void
pMask_resize(pMask *p, int32_t nprocs) {
	int32_t words = (nprocs + 31) / 32;

	if (words > p->len) {
		uint32_t *bits = persistentalloc((uintptr_t)words * 4, 0, &memstats.other_sys);
		if (p->len > 0)
			memcpy(bits, p->bits, (size_t)p->len * 4);
		p->bits = bits;
		p->len = words;
	}
}

// runqempty reports whether pp has no goroutine on its local queue.  It never says so wrongly.
bool
runqempty(P *pp) {
	// A goroutine may move from runnext into the ring between two looks: an unchanged tail says
	// that it did not.
	for (;;) {
		uint32_t head = atomic_Load(&pp->runqhead);
		uint32_t tail = atomic_Load(&pp->runqtail);
		G *runnext = atomic_Load(&pp->runnext);
		if (tail == atomic_Load(&pp->runqtail))
			return head == tail && runnext == NULL;
	}
}

// runqputslow moves half of pp's ring, which is full, and gp to the global queue.  It fails if
// somebody stole meanwhile.  Only by the owner.
static bool
runqputslow(P *pp, G *gp, uint32_t h, uint32_t t) {
	G *batch[runqlen / 2 + 1];

	uint32_t n = (t - h) / 2;
	if (n != runqlen / 2)
		throw("runqputslow: queue is not full");
	for (uint32_t i = 0; i < n; i++)
		batch[i] = atomic_LoadRelaxed(&pp->runq[(h + i) % runqlen]);
	if (!atomic_CasRel(&pp->runqhead, h, h + n))
		return false;
	batch[n] = gp;

	for (uint32_t i = 0; i < n; i++)
		batch[i]->schedlink = batch[i + 1];
	gQueue q = {batch[0], batch[n], (int32_t)(n + 1)};

	lock(&sched.lock);
	globrunqputbatch(&q);
	unlock(&sched.lock);
	return true;
}

// runqput puts gp on pp's local queue: if next, in runnext, kicking out who was there, else at the
// tail.  A full queue overflows into the global one.  Only by the owner.
void
runqput(P *pp, G *gp, bool next) {
	if (next) {
		// Thieves only take: who was seen here is either still there or gone.
		G *oldnext = atomic_LoadRelaxed(&pp->runnext);
		while (!atomic_Cas(&pp->runnext, oldnext, gp))
			oldnext = atomic_LoadRelaxed(&pp->runnext);
		if (oldnext == NULL)
			return;
		gp = oldnext;
	}

	for (;;) {
		uint32_t h = atomic_LoadAcq(&pp->runqhead);
		uint32_t t = pp->runqtail;
		if (t - h < runqlen) {
			atomic_StoreRelaxed(&pp->runq[t % runqlen], gp);
			// The caller goes on to look for spinning Ms (wakep), after a fence.  With
			// next that was the swap of runnext.
			if (next)
				atomic_StoreRel(&pp->runqtail, t + 1);
			else
				atomic_Store(&pp->runqtail, t + 1);
			return;
		}
		if (runqputslow(pp, gp, h, t))
			return;
	}
}

// runqputbatch moves from *q to the local queue what fits.  Only by the owner.
void
runqputbatch(P *pp, gQueue *q) {
	if (gQueue_empty(q))
		return;
	uint32_t h = atomic_LoadAcq(&pp->runqhead);
	uint32_t t = pp->runqtail;
	while (!gQueue_empty(q) && t - h < runqlen) {
		atomic_StoreRelaxed(&pp->runq[t % runqlen], gQueue_pop(q));
		t++;
	}
	atomic_Store(&pp->runqtail, t); // a fence, too: see runqput
}

// runqprefetch gets the goroutines at h and after into the cache: with many goroutines each switch
// would miss in its G and then in its stack.  They may be stolen meanwhile, and run: only a hint.
RACY static inline void
runqprefetch(P *pp, uint32_t h, uint32_t t) {
	if (t - h < 2)
		return;
	G *next = atomic_LoadRelaxed(&pp->runq[h % runqlen]);
	G *afternext = atomic_LoadRelaxed(&pp->runq[(h + 1) % runqlen]);
	__builtin_prefetch(*(void *volatile *)&next->sched.sp, 1);
	__builtin_prefetch(afternext, 1);
	__builtin_prefetch((char *)afternext + CacheLinePadSize, 1);
}

// runqget takes a goroutine from the local queue; NULL if there is none.  *inheritTime: it goes on
// in the current time slice.  Only by the owner.
G *
runqget(P *pp, bool *inheritTime) {
	// If the CAS fails, a thief took it: only the owner puts another one there.
	G *next = atomic_LoadRelaxed(&pp->runnext);
	if (next != NULL && atomic_Cas(&pp->runnext, next, (G *)NULL)) {
		*inheritTime = true;
		return next;
	}

	*inheritTime = false;
	for (;;) {
		uint32_t h = atomic_LoadAcq(&pp->runqhead);
		uint32_t t = pp->runqtail;
		if (t == h)
			return NULL;
		G *gp = atomic_LoadRelaxed(&pp->runq[h % runqlen]);
		if (likely(atomic_CasRel(&pp->runqhead, h, h + 1))) {
			runqprefetch(pp, h + 1, t);
			return gp;
		}
	}
}

// runqdrain takes all that is on the local queue.  Only by the owner.
gQueue
runqdrain(P *pp) {
	gQueue drainQ = {0};
	uint32_t h, qn;

	G *oldNext = atomic_LoadRelaxed(&pp->runnext);
	if (oldNext != NULL && atomic_Cas(&pp->runnext, oldNext, (G *)NULL))
		gQueue_pushBack(&drainQ, oldNext);

	do {
		h = atomic_LoadAcq(&pp->runqhead);
		qn = pp->runqtail - h;
		if (qn == 0)
			return drainQ;
	} while (qn > runqlen || !atomic_CasRel(&pp->runqhead, h, h + qn));

	// Only now are they ours, and schedlink may be written.
	for (uint32_t i = 0; i < qn; i++)
		gQueue_pushBack(&drainQ, atomic_LoadRelaxed(&pp->runq[(h + i) % runqlen]));
	return drainQ;
}

// runqgrab takes half of pp's queue into the ring *batch, from batchHead on, and returns how many.
// By any P.
uint32_t
runqgrab(P *pp, guintptr (*batch)[256], uint32_t batchHead, bool stealRunNextG) {
	for (;;) {
		uint32_t h = atomic_LoadAcq(&pp->runqhead);
		uint32_t t = atomic_LoadAcq(&pp->runqtail);
		uint32_t n = t - h;
		n -= n / 2;
		if (n == 0) {
			G *next;
			if (!stealRunNextG || (next = atomic_LoadRelaxed(&pp->runnext)) == NULL)
				return 0;
			if (atomic_LoadRelaxed(&pp->status) == _Prunning) {
				// Whoever readied it is probably about to block, and pp to run it.
				// Give pp that time, or goroutines that hand over to each other
				// would be thrown from P to P.
				//
				// The slack of the thread makes 50 us and more of these 3, and that is
				// needed: pp may be in the system call that woke this M.
				M *mp = atomic_LoadRelaxed(&pp->m);
				if (mp != NULL) {
					G *gp = atomic_LoadRelaxed(&mp->curg);
					if (gp == NULL || (readgstatus(gp) & ~_Gscan) != _Gsyscall)
						runtime_usleep(3);
				}
			}
			if (!atomic_Cas(&pp->runnext, next, (G *)NULL))
				continue;
			atomic_StoreRelaxed(&(*batch)[batchHead % runqlen], next);
			return 1;
		}
		if (n > runqlen / 2) // h and t do not belong together
			continue;
		for (uint32_t i = 0; i < n; i++) {
			G *gp = atomic_LoadRelaxed(&pp->runq[(h + i) % runqlen]);
			atomic_StoreRelaxed(&(*batch)[(batchHead + i) % runqlen], gp);
		}
		if (atomic_CasRel(&pp->runqhead, h, h + n))
			return n;
	}
}

// runqsteal moves half of p2's queue to pp's, and returns one of them; NULL if there was none.
G *
runqsteal(P *pp, P *p2, bool stealRunNextG) {
	uint32_t t = pp->runqtail;
	uint32_t n = runqgrab(p2, &pp->runq, t, stealRunNextG);

	if (n == 0)
		return NULL;
	n--;
	G *gp = atomic_LoadRelaxed(&pp->runq[(t + n) % runqlen]);
	if (n == 0)
		return gp;
	uint32_t h = atomic_LoadAcq(&pp->runqhead);
	if (t - h + n >= runqlen)
		throw("runqsteal: runq overflow");
	atomic_StoreRel(&pp->runqtail, t + n);
	return gp;
}

// gQueue_empty reports whether q is empty.
bool
gQueue_empty(gQueue *q) {
	return atomic_LoadRelaxed(&q->head) == NULL;
}

// gQueue_push adds gp at the head.
void
gQueue_push(gQueue *q, G *gp) {
	gp->schedlink = q->head;
	atomic_StoreRelaxed(&q->head, gp);
	if (q->tail == NULL)
		q->tail = gp;
	atomic_StoreRelaxed(&q->size, q->size + 1);
}

// gQueue_pushBack adds gp at the tail.
void
gQueue_pushBack(gQueue *q, G *gp) {
	gp->schedlink = NULL;
	if (q->tail != NULL)
		q->tail->schedlink = gp;
	else
		atomic_StoreRelaxed(&q->head, gp);
	q->tail = gp;
	atomic_StoreRelaxed(&q->size, q->size + 1);
}

// gQueue_pushBackAll adds all of q2 at the tail of q.  q2 is not to be used after that.
void
gQueue_pushBackAll(gQueue *q, gQueue q2) {
	if (q2.tail == NULL)
		return;
	q2.tail->schedlink = NULL;
	if (q->tail != NULL)
		q->tail->schedlink = q2.head;
	else
		atomic_StoreRelaxed(&q->head, q2.head);
	q->tail = q2.tail;
	atomic_StoreRelaxed(&q->size, q->size + q2.size);
}

// gQueue_pop takes the head; NULL if q is empty.
G *
gQueue_pop(gQueue *q) {
	G *gp = q->head;

	if (gp != NULL) {
		atomic_StoreRelaxed(&q->head, gp->schedlink);
		if (gp->schedlink == NULL)
			q->tail = NULL;
		atomic_StoreRelaxed(&q->size, q->size - 1);
	}
	return gp;
}

// gQueue_popList takes all of q.
gList
gQueue_popList(gQueue *q) {
	gList l = {q->head, q->size};

	*q = (gQueue){0};
	return l;
}

// gList_empty reports whether l is empty.
bool
gList_empty(gList *l) {
	return atomic_LoadRelaxed(&l->head) == NULL;
}

// gList_push adds gp at the head.
void
gList_push(gList *l, G *gp) {
	gp->schedlink = l->head;
	atomic_StoreRelaxed(&l->head, gp);
	l->size++;
}

// gList_pushAll puts all of q before l.  q is not to be used after that.
void
gList_pushAll(gList *l, gQueue q) {
	if (!gQueue_empty(&q)) {
		q.tail->schedlink = l->head;
		atomic_StoreRelaxed(&l->head, q.head);
		l->size += q.size;
	}
}

// gList_pop takes the head; NULL if l is empty.
G *
gList_pop(gList *l) {
	G *gp = l->head;

	if (gp != NULL) {
		atomic_StoreRelaxed(&l->head, gp->schedlink);
		l->size--;
	}
	return gp;
}

// procPin forbids preemption and returns the id of the P.
int
procPin(void) {
	M *mp = getg()->m;

	mp->locks++;
	return mp->p->id;
}

// procUnpin undoes procPin.
void
procUnpin(void) {
	getg()->m->locks--;
}

enum {
	active_spin = 4,
	active_spin_cnt = 30,
};

// sync_runtime_canSpin reports whether it makes sense to spin, for the i-th time, for a mutex of
// goroutines: only if there are other running Ps, and nothing waits to run here.
bool
sync_runtime_canSpin(int i) {
	if (i >= active_spin || numCPUStartup <= 1 ||
		gomaxprocs <= atomic_Load(&sched.npidle) + atomic_Load(&sched.nmspinning) + 1)
		return false;
	return runqempty(getg()->m->p);
}

// sync_runtime_doSpin spins a little.
void
sync_runtime_doSpin(void) {
	procyield(active_spin_cnt);
}

// gcd is the greatest common divisor.
static uint32_t
gcd(uint32_t a, uint32_t b) {
	while (b != 0) {
		uint32_t r = a % b;
		a = b;
		b = r;
	}
	return a;
}

// randomOrder_reset prepares for count Ps: steps of a size that has no divisor in common with
// count visit all of them.
void
randomOrder_reset(randomOrder *ord, uint32_t count) {
	ord->count = count;
	ord->ncoprimes = 0;
	if (ord->capcoprimes < count) {
		ord->capcoprimes = (uint32_t)alignUp(count, 16);
		ord->coprimes = persistentalloc(
			ord->capcoprimes * sizeof(uint32_t), 0, &memstats.other_sys);
	}
	for (uint32_t i = 1; i <= count; i++) {
		if (gcd(i, count) == 1)
			ord->coprimes[ord->ncoprimes++] = i;
	}
}

// randomOrder_start begins the walk that the random number i stands for.
randomEnum
randomOrder_start(randomOrder *ord, uint32_t i) {
	return (randomEnum){
		.count = ord->count,
		.pos = i % ord->count,
		.inc = ord->coprimes[i / ord->count % ord->ncoprimes],
	};
}

// randomEnum_done reports whether all have been visited.
bool
randomEnum_done(randomEnum *e) {
	return e->i == e->count;
}

// randomEnum_next goes on to the next P.
void
randomEnum_next(randomEnum *e) {
	e->i++;
	e->pos = (e->pos + e->inc) % e->count;
}

// randomEnum_position is the P to visit now.
uint32_t
randomEnum_position(randomEnum *e) {
	return e->pos;
}
