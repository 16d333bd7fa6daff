// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// lock, unlock, acquireSudog, releaseSudog and the queues of channels as inline functions, for channels
// and the like, which do little else.  Only in gort: in Go these are calls, and their preludes and the
// checks that cannot fail are a third of their cost.  Whatever is not the plain case goes to the real
// ones.
#ifndef GORT_SCHED_LOCKFAST_H
#define GORT_SCHED_LOCKFAST_H

#include "runtime/runtime.h"

#include "runtime/rand.h"
#include "sched/chan.h"
#include "sched/proc.h"
#include "sched/runtime2.h"
#include "sched/stack.h"

// The low byte of mutex.key; see lock_spinbit.c.
enum {
	lockfastFree = 0,
	lockfastLocked = 1,
};

static ALWAYS_INLINE void
lockfast(mutex *l) {
#ifdef GORT_LOCKRANK
	lock(l);
#else
	M *mp = getg()->m;
	uint8_t *k8 = (uint8_t *)&l->key;

	// first, so that no signal stops a goroutine with a lock
	atomic_StoreRelaxed(&mp->locks, mp->locks + 1);
	if (likely(atomic_Cas(k8, (uint8_t)lockfastFree, (uint8_t)lockfastLocked)))
		return;
	mp->locks--;
	lock(l);
#endif
}

static ALWAYS_INLINE void
unlockfast(mutex *l) {
#ifdef GORT_LOCKRANK
	unlock(l);
#else
	uint8_t *k8 = (uint8_t *)&l->key;
	G *gp;
	M *mp;

	if (unlikely(!atomic_Cas(k8, (uint8_t)lockfastLocked, (uint8_t)lockfastFree))) {
		unlock(l); // somebody sleeps
		return;
	}
	gp = getg();
	mp = gp->m;
	atomic_StoreRelaxed(&mp->locks, mp->locks - 1);
	// In case it was cleared meanwhile.
	if (unlikely(mp->locks == 0 && atomic_LoadRelaxed(&gp->preempt)))
		atomic_StoreRelaxed(&gp->stackguard0, stackPreempt);
#endif
}

// sudogget and sudogput do not need acquirem: text of the runtime is not stopped half-way.
static ALWAYS_INLINE sudog *
sudogget(void) {
	P *pp = getg()->m->p;
	int32_t n = pp->nsudogcache;

	if (unlikely(n == 0))
		return acquireSudog();
	pp->nsudogcache = n - 1;
	return pp->sudogbuf[n - 1];
}

// sudogput's caller has cleared elem, isSelect, next, prev, waitlink and c, and the goroutine's param.
static ALWAYS_INLINE void
sudogput(sudog *s) {
#ifdef GORT_DEBUG
	releaseSudog(s);
#else
	P *pp = getg()->m->p;
	int32_t n = pp->nsudogcache;

	if (unlikely(n == (int32_t)nelem(pp->sudogbuf))) {
		releaseSudog(s);
		return;
	}
	pp->sudogbuf[n] = s;
	pp->nsudogcache = n + 1;
#endif
}

// waitq_enqueue appends sgp to q; the channel is locked.
static ALWAYS_INLINE void
waitq_enqueue(waitq *q, sudog *sgp) {
	sudog *x = q->last;

	sgp->next = NULL;
	sgp->prev = x;
	if (x == NULL)
		atomic_StoreRelaxed(&q->first, sgp);
	else
		x->next = sgp;
	q->last = sgp;
}

// waitq_dequeue takes out the first that may be woken, or returns NULL.
static ALWAYS_INLINE sudog *
waitq_dequeue(waitq *q) {
	for (;;) {
		sudog *sgp = q->first;
		sudog *y;

		if (sgp == NULL)
			return NULL;
		y = sgp->next;
		if (y == NULL) {
			atomic_StoreRelaxed(&q->first, NULL);
			q->last = NULL;
		} else {
			y->prev = NULL;
			atomic_StoreRelaxed(&q->first, y);
			sgp->next = NULL; // marks it as taken out: waitq_dequeueSudoG
		}

		// A goroutine in a select may have been woken through another channel and not yet have come
		// here to take itself out.  Who sets selectDone first has woken it.
		if (sgp->isSelect && !atomic_Cas(&sgp->g->selectDone, 0u, 1u))
			continue;
		return sgp;
	}
}

// cheaprandnfast is cheaprandn.
static ALWAYS_INLINE uint32_t
cheaprandnfast(M *mp, uint32_t n) {
	return (uint32_t)((uint64_t)wyrand(&mp->cheaprand) * n >> 32);
}

#endif
