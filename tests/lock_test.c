// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Mutexes and notes between Ms.
#include "runtime/runtime.h"

#include "runtime/gort.h"
#include "sched/proc.h"
#include "tests/support/death.h"
#include "tests/support/support.h"

enum { nworkers = 8, niter = 20000 };
static mutex mu;
static int inside; // protected by mu, if it works
static long count;
static gort_waitgroup wg;

static void
worker(long spin) {
	for (int i = 0; i < niter; i++) {
		lock(&mu);
		CHECK(++inside == 1);
		count++;
		for (volatile long j = 0; j < spin; j++)
			;
		if (i % 512 == 0)
			osyield(); // others pile up
		inside--;
		unlock(&mu);
	}
	gort_waitgroup_done(&wg);
}

static void
contended(void) {
	GOMAXPROCS(nworkers);
	gort_waitgroup_add(&wg, nworkers);
	for (long i = 0; i < nworkers; i++)
		gort_go(worker, i * 20);
	gort_waitgroup_wait(&wg);
	CHECK(count == (long)nworkers * niter);
	CHECK(mu.key == 0);
	CHECK(getg()->m->locks == 0);
}

Test(Lock, Contended) {
	RUN(contended);
}

static void
unlockTwice(void) {
	lock(&mu);
	unlock(&mu);
	unlock(&mu);
}

Test(Lock, UnlockUnlocked) {
#ifdef GORT_LOCKRANK
	static char text[deathMax];
	deathOf(unlockTwice, true, text);
	cr_assert(strstr(text, "fatal error: unlock without matching lock acquire\n") != NULL);
#else
	expectDeath(unlockTwice, "fatal error: unlock of unlocked lock\n");
#endif
}

static note n1;

// waker wakes gp, but not before it sleeps.
static void
waker(G *gp) {
	M *mp;

	do {
		osyield();
		mp = atomic_Load(&gp->m);
	} while (mp == NULL || readgstatus(gp) != _Gsyscall || !atomic_Load(&mp->blocked));
	notewakeup(&n1);
}

static void
notes(void) {
	GOMAXPROCS(2);
	// Nobody wakes us: the time passes, and not less.
	noteclear(&n1);
	int64_t t = nanotime();
	CHECK(!notetsleepg(&n1, 3000000));
	CHECK(nanotime() - t >= 3000000);
	// Woken before: no sleep.
	notewakeup(&n1);
	CHECK(notetsleepg(&n1, -1));
	// Woken meanwhile, with and without a deadline.
	for (int i = 0; i < 20; i++) {
		noteclear(&n1);
		gort_go(waker, getg());
		CHECK(notetsleepg(&n1, i % 2 == 0 ? -1 : 60 * GORT_S));
	}
}

Test(Note, Sleep) {
	RUN(notes);
}

static void
doubleWakeup(void) {
	noteclear(&n1);
	notewakeup(&n1);
	notewakeup(&n1);
}

Test(Note, DoubleWakeup) {
	expectDeath(doubleWakeup,
		"notewakeup - double wakeup (1)\nfatal error: notewakeup - double wakeup\n");
}
