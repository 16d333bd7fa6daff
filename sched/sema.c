// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Semaphores for goroutines.  Ports sema.go of Go 1.26.8.
//
// What a futex is to threads this is to goroutines: a way to sleep until somebody adds 1 to a word,
// where the wake-up may come before the sleep.  The table hashes addresses to roots; in a root the
// sudogs of distinct addresses form a treap by address with random priorities (ticket), so that
// finding one takes the logarithm of their number; those of the same address hang on the first in a
// list, with its end in waittail, so that adding and taking one is quick.
//
// PORT: no block and mutex profiles.
#include "sched/sema.h"

#include "runtime/panic.h"
#include "sched/lockfast.h"
#include "sched/preempt.h"
#include "sched/proc.h"
#include "sched/runtime2.h"

semTable semtable;

void
sync_runtime_Semacquire(uint32_t *addr) {
	semacquire1(addr, false, waitReasonSemacquire);
}

void
poll_runtime_Semacquire(uint32_t *addr) {
	semacquire1(addr, false, waitReasonSemacquire);
}

void
sync_runtime_Semrelease(uint32_t *addr, bool handoff) {
	semrelease1(addr, handoff);
}

void
internal_sync_runtime_SemacquireMutex(uint32_t *addr, bool lifo) {
	semacquire1(addr, lifo, waitReasonSyncMutexLock);
}

void
sync_runtime_SemacquireRWMutexR(uint32_t *addr, bool lifo) {
	semacquire1(addr, lifo, waitReasonSyncRWMutexRLock);
}

void
sync_runtime_SemacquireRWMutex(uint32_t *addr, bool lifo) {
	semacquire1(addr, lifo, waitReasonSyncRWMutexLock);
}

void
sync_runtime_SemacquireWaitGroup(uint32_t *addr) {
	semacquire1(addr, false, waitReasonSyncWaitGroupWait);
}

void
poll_runtime_Semrelease(uint32_t *addr) {
	semrelease(addr);
}

void
internal_sync_runtime_Semrelease(uint32_t *addr, bool handoff) {
	semrelease1(addr, handoff);
}

// semacquire is for the runtime itself.
void
semacquire(uint32_t *addr) {
	semacquire1(addr, false, waitReasonSemacquire);
}

// semacquire1 waits until *addr > 0 and takes one.  lifo: wait at the front of the queue.
void
semacquire1(uint32_t *addr, bool lifo, waitReason reason) {
	G *gp = getg();
	sudog *s;
	semaRoot *root;

	if (unlikely(gp == NULL))
		foreigncall();
	if (gp != gp->m->curg)
		throw("semacquire not on the G stack");
	preemptcheck();
	if (cansemacquire(addr))
		return;

	// Announce a waiter, try again, join the queue, sleep.  The waker takes us out of the queue.
	s = sudogget();
	root = semTable_rootFor(&semtable, addr);
	s->releasetime = 0;
	s->acquiretime = 0;
	s->ticket = 0;
	for (;;) {
		lockWithRank(&root->lock, lockRankRoot);
		// from here on a release looks for waiters
		atomic_Xadd(&root->nwait, 1);
		if (cansemacquire(addr)) {
			atomic_Xadd(&root->nwait, -1);
			unlock(&root->lock);
			break;
		}
		semaRoot_queue(root, addr, s, lifo);
		goparkunlock(&root->lock, reason);
		if (s->ticket != 0 || cansemacquire(addr))
			break;
	}
	sudogput(s);
}

void
semrelease(uint32_t *addr) {
	semrelease1(addr, false);
}

// semrelease1 adds 1 to *addr and wakes a waiter.  handoff: the waiter gets it at once, before
// anyone else, and the rest of our time slice.
void
semrelease1(uint32_t *addr, bool handoff) {
	semaRoot *root = semTable_rootFor(&semtable, addr);
	sudog *s;

	atomic_Xadd(addr, 1);
	// after the addition, or a waiter that comes between would be missed
	if (atomic_Load(&root->nwait) == 0)
		return;

	lockWithRank(&root->lock, lockRankRoot);
	if (atomic_Load(&root->nwait) == 0) {
		unlock(&root->lock);
		return;
	}
	s = semaRoot_dequeue(root, addr);
	if (s != NULL)
		atomic_Xadd(&root->nwait, -1);
	unlock(&root->lock);
	if (s == NULL)
		return;
	if (s->ticket != 0)
		throw("corrupted semaphore ticket");
	if (handoff && cansemacquire(addr))
		s->ticket = 1;
	// once it is ready s is the waiter's, and may be in use elsewhere: look at ticket before
	handoff = s->ticket == 1;
	goready(s->g);
	if (handoff) {
		G *gp = getg();

		// The waiter is in runnext: run it now, in our time slice.  goyield puts us in the local
		// queue.  Without handoff this would be a waste: the waiter may well lose the race.
		if (gp->m->locks == 0 && gp != gp->m->g0)
			goyield();
	}
}

// cansemacquire takes one if there is one.
bool
cansemacquire(uint32_t *addr) {
	for (;;) {
		uint32_t v = atomic_Load(addr);

		if (v == 0)
			return false;
		if (atomic_Cas(addr, v, v - 1))
			return true;
	}
}

static void semaRoot_rotateLeft(semaRoot *root, sudog *x);
static void semaRoot_rotateRight(semaRoot *root, sudog *y);

// semaRoot_queue adds s to the waiters on addr.  root->lock must be held.
void
semaRoot_queue(semaRoot *root, uint32_t *addr, sudog *s, bool lifo) {
	sudog *last = NULL;
	sudog **pt = &root->treap;

	assertLockHeld(&root->lock);
	s->g = getg();
	s->elem = addr;
	s->g->waiting = s;
	s->next = NULL;
	s->prev = NULL;
	s->waiters = 0;

	for (sudog *t = *pt; t != NULL; t = *pt) {
		if (t->elem == (void *)addr) {
			if (lifo) {
				// s takes t's place in the treap, and t goes first in its list
				*pt = s;
				s->ticket = t->ticket;
				s->acquiretime = t->acquiretime;
				s->parent = t->parent;
				s->prev = t->prev;
				s->next = t->next;
				if (s->prev != NULL)
					s->prev->parent = s;
				if (s->next != NULL)
					s->next->parent = s;
				s->waitlink = t;
				s->waittail = t->waittail;
				if (s->waittail == NULL)
					s->waittail = t;
				s->waiters = t->waiters;
				if ((uint16_t)(s->waiters + 1) != 0)
					s->waiters++;
				t->parent = NULL;
				t->prev = NULL;
				t->next = NULL;
				t->waittail = NULL;
			} else {
				if (t->waittail == NULL)
					t->waitlink = s;
				else
					t->waittail->waitlink = s;
				t->waittail = s;
				s->waitlink = NULL;
				if ((uint16_t)(t->waiters + 1) != 0)
					t->waiters++;
			}
			return;
		}
		last = t;
		pt = (uintptr_t)addr < (uintptr_t)t->elem ? &t->prev : &t->next;
	}

	// A new leaf.  By elem this is a search tree, by ticket a heap: the smallest is at the top, and
	// random tickets keep it shallow.  0 means something else, so the lowest bit is set.
	s->ticket = cheaprand() | 1;
	s->parent = last;
	*pt = s;
	while (s->parent != NULL && s->parent->ticket > s->ticket) {
		if (s->parent->prev == s) {
			semaRoot_rotateRight(root, s->parent);
		} else {
			if (s->parent->next != s)
				throw("semaRoot queue");
			semaRoot_rotateLeft(root, s->parent);
		}
	}
}

// semaRoot_dequeue takes out the first waiter on addr, or returns NULL.  root->lock must be held.
sudog *
semaRoot_dequeue(semaRoot *root, uint32_t *addr) {
	sudog **ps = &root->treap;
	sudog *s, *t;

	assertLockHeld(&root->lock);
	for (s = *ps; s != NULL && s->elem != (void *)addr; s = *ps)
		ps = (uintptr_t)addr < (uintptr_t)s->elem ? &s->prev : &s->next;
	if (s == NULL)
		return NULL;

	t = s->waitlink;
	if (t != NULL) {
		// t, the next of the list, takes s's place in the treap
		*ps = t;
		t->ticket = s->ticket;
		t->parent = s->parent;
		t->prev = s->prev;
		if (t->prev != NULL)
			t->prev->parent = t;
		t->next = s->next;
		if (t->next != NULL)
			t->next->parent = t;
		t->waittail = t->waitlink != NULL ? s->waittail : NULL;
		t->waiters = s->waiters;
		if (t->waiters > 1)
			t->waiters--;
		s->waitlink = NULL;
		s->waittail = NULL;
	} else {
		// down to a leaf, and off
		while (s->next != NULL || s->prev != NULL) {
			if (s->next == NULL ||
				(s->prev != NULL && s->prev->ticket < s->next->ticket))
				semaRoot_rotateRight(root, s);
			else
				semaRoot_rotateLeft(root, s);
		}
		if (s->parent == NULL)
			root->treap = NULL;
		else if (s->parent->prev == s)
			s->parent->prev = NULL;
		else
			s->parent->next = NULL;
	}
	s->g->waiting = NULL;
	s->parent = NULL;
	s->elem = NULL;
	s->next = NULL;
	s->prev = NULL;
	s->ticket = 0;
	return s;
}

// semaRoot_rotateLeft turns (x a (y b c)) into (y (x a b) c).
static void
semaRoot_rotateLeft(semaRoot *root, sudog *x) {
	sudog *p = x->parent;
	sudog *y = x->next;
	sudog *b = y->prev;

	y->prev = x;
	x->parent = y;
	x->next = b;
	if (b != NULL)
		b->parent = x;

	y->parent = p;
	if (p == NULL) {
		root->treap = y;
	} else if (p->prev == x) {
		p->prev = y;
	} else {
		if (p->next != x)
			throw("semaRoot rotateLeft");
		p->next = y;
	}
}

// semaRoot_rotateRight turns (y (x a b) c) into (x a (y b c)).
static void
semaRoot_rotateRight(semaRoot *root, sudog *y) {
	sudog *p = y->parent;
	sudog *x = y->prev;
	sudog *b = x->next;

	x->next = y;
	y->parent = x;
	y->prev = b;
	if (b != NULL)
		b->parent = y;

	x->parent = p;
	if (p == NULL) {
		root->treap = x;
	} else if (p->prev == y) {
		p->prev = x;
	} else {
		if (p->next != y)
			throw("semaRoot rotateRight");
		p->next = x;
	}
}

// ---- notifyList -----------------------------------------------------------------------------------

// less orders tickets, which wrap around, but are never 2^31 apart.
static inline bool
less(uint32_t a, uint32_t b) {
	return (int32_t)(a - b) < 0;
}

// notifyListAdd takes a ticket, with which the caller must then call notifyListWait.
uint32_t
notifyListAdd(notifyList *l) {
	return atomic_Xadd(&l->wait, 1) - 1;
}

// notifyListWait sleeps until ticket t is called; it may have been already.
void
notifyListWait(notifyList *l, uint32_t t) {
	sudog *s;

	lockWithRank(&l->lock, lockRankNotifyList);
	if (less(t, l->notify)) {
		unlock(&l->lock);
		return;
	}

	s = sudogget();
	s->g = getg();
	s->elem = l;
	s->g->waiting = s;
	s->ticket = t;
	s->releasetime = 0;
	s->next = NULL;
	if (l->tail == NULL)
		l->head = s;
	else
		l->tail->next = s;
	l->tail = s;
	goparkunlock(&l->lock, waitReasonSyncCondWait);
	s->g->waiting = NULL;
	s->elem = NULL;
	sudogput(s);
}

// notifyListNotifyAll wakes all who have a ticket.
void
notifyListNotifyAll(notifyList *l) {
	sudog *s;

	if (atomic_Load(&l->wait) == atomic_Load(&l->notify))
		return; // no new tickets

	lockWithRank(&l->lock, lockRankNotifyList);
	s = l->head;
	l->head = NULL;
	l->tail = NULL;
	// who has a ticket but is not in the list yet will see this
	atomic_Store(&l->notify, atomic_Load(&l->wait));
	unlock(&l->lock);

	while (s != NULL) {
		sudog *next = s->next;

		s->next = NULL;
		goready(s->g);
		s = next;
	}
}

// notifyListNotifyOne calls the next ticket.
void
notifyListNotifyOne(notifyList *l) {
	uint32_t t;

	if (atomic_Load(&l->wait) == atomic_Load(&l->notify))
		return;

	lockWithRank(&l->lock, lockRankNotifyList);
	t = l->notify;
	if (t == atomic_Load(&l->wait)) {
		unlock(&l->lock);
		return;
	}
	atomic_Store(&l->notify, t + 1);

	// Goroutines join the list nearly in the order of their tickets, so this is short.  If the
	// one with ticket t is not in it, it will see the new notify and not sleep.
	for (sudog *p = NULL, *s = l->head; s != NULL; p = s, s = s->next) {
		if (s->ticket == t) {
			sudog *n = s->next;

			if (p != NULL)
				p->next = n;
			else
				l->head = n;
			if (n == NULL)
				l->tail = p;
			unlock(&l->lock);
			s->next = NULL;
			goready(s->g);
			return;
		}
	}
	unlock(&l->lock);
}

// ---- gort.h ---------------------------------------------------------------------------------------

void
gort_sema_acquire(uint32_t *s) {
	if (cansemacquire(s))
		return;
	semacquire1(s, false, waitReasonSemacquire);
}

void
gort_sema_release(uint32_t *s) {
	semrelease1(s, false);
}
