// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Semaphores, after sema_test.go of Go 1.26.8; and the treap.
#include "tests/support/support.h"

#include "runtime/runtime.h"
#include "sched/proc.h"
#include "sched/runtime2.h"
#include "sched/sema.h"

struct handoff {
	uint32_t sema;
	uint32_t res;  // atomic
	uint32_t stop; // atomic
	gort_waitgroup wg;
};

static void
handoff_busy(struct handoff *h) {
	while (atomic_Load(&h->stop) == 0)
		gort_yield();
	gort_waitgroup_done(&h->wg);
}

static void
handoff_waiter(struct handoff *h) {
	semacquire(&h->sema);
	atomic_Cas(&h->res, 0u, 1u);
	semrelease1(&h->sema, true);
	atomic_Store(&h->stop, 1u);
	gort_waitgroup_done(&h->wg);
}

static bool
one_handoff(void) {
	struct handoff h = {0};

	for (int i = 0; i < gort_gomaxprocs(0); i++) {
		gort_waitgroup_add(&h.wg, 1);
		gort_go(handoff_busy, &h);
	}
	gort_waitgroup_add(&h.wg, 1);
	gort_go(handoff_waiter, &h);
	while (atomic_Load(&semTable_rootFor(&semtable, &h.sema)->nwait) == 0)
		gort_yield();
	semrelease1(&h.sema, true);
	atomic_Cas(&h.res, 0u, 2u);
	gort_waitgroup_wait(&h.wg);
	return h.res == 1;
}

static void
handoffs(void) {
	enum { iter = 500 };
	int ok = 0;

	for (int i = 0; i < iter; i++)
		ok += one_handoff();
	CHECK(ok >= iter * 2 / 3);
}

static void
handoffs1(void) {
	gort_gomaxprocs(1);
	handoffs();
}

static void
handoffs2(void) {
	gort_gomaxprocs(2);
	handoffs();
}

// With handoff the releaser gives its time slice to the first waiter.
Test(Sema, SemaHandoff) {
	RUN(handoffs);
}

Test(Sema, SemaHandoff1) {
	RUN(handoffs1);
}

Test(Sema, SemaHandoff2) {
	RUN(handoffs2);
}

// treapOK checks order, priorities and links below s, and returns the number of addresses.
static int
treapOK(sudog *s, uintptr_t lo, uintptr_t hi) {
	uintptr_t a;

	if (s == NULL)
		return 0;
	a = (uintptr_t)s->elem;
	CHECK(a > lo && a < hi);
	if (s->prev != NULL)
		CHECK(s->prev->parent == s && s->prev->ticket >= s->ticket);
	if (s->next != NULL)
		CHECK(s->next->parent == s && s->next->ticket >= s->ticket);
	return 1 + treapOK(s->prev, lo, a) + treapOK(s->next, a, hi);
}

static uint32_t words[200 * 2 * semTabSize];

// All of these addresses are in one root.
static uint32_t *
addr(int i) {
	return &words[i * 2 * semTabSize];
}

enum { naddr = 200 };
static sudog *pool[3 * naddr];

static void
treap(void) {
	semaRoot root = {0};
	int perm[naddr];

	for (int i = 0; i < 3 * naddr; i++)
		pool[i] = acquireSudog();
	for (int round = 0; round < 20; round++) {
		int next = 0;

		for (int i = 0; i < naddr; i++) {
			int j = (int)cheaprandn((uint32_t)i + 1);
			perm[i] = perm[j];
			perm[j] = i;
		}
		lockWithRank(&root.lock, lockRankRoot);
		// Three waiters on each address, the last at the front: they leave as 2 0 1.
		for (int k = 0; k < 3; k++) {
			for (int i = 0; i < naddr; i++) {
				sudog *s = pool[next++];
				s->releasetime = k;
				s->acquiretime = 0;
				s->waitlink = s->waittail = NULL;
				s->ticket = 0;
				semaRoot_queue(&root, addr(perm[i]), s, k == 2);
			}
			CHECK(treapOK(root.treap, 0, UINTPTR_MAX) == naddr);
		}
		next = 0;
		for (int k = 0; k < 3; k++) {
			for (int i = naddr - 1; i >= 0; i--) {
				sudog *s = semaRoot_dequeue(&root, addr(perm[i]));
				CHECK(s != NULL && s->releasetime == (k + 2) % 3);
				if (s != NULL)
					pool[next++] = s;
			}
			CHECK(treapOK(root.treap, 0, UINTPTR_MAX) == (k == 2 ? 0 : naddr));
		}
		CHECK(semaRoot_dequeue(&root, addr(0)) == NULL && root.treap == NULL);
		unlock(&root.lock);
	}
	for (int i = 0; i < 3 * naddr; i++) {
		pool[i]->releasetime = 0;
		releaseSudog(pool[i]);
	}
}

Test(Sema, Treap) {
	RUN(treap);
}
