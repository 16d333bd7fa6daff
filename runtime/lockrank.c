// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The checker of the lock order, in builds with GORT_LOCKRANK.  Ports lockrank_on.go and
// lockrank_off.go of Go 1.26.8.
//
// Each M lists the locks that it holds with their ranks.  A lock may be taken if its rank is above
// that of the lock taken last and the two stand in lockPartialOrder; the closure is transitive, so
// looking at the last one is enough.  debuglock, paniclk, fatallk and deadlock are taken while a
// failure is being reported, over whatever locks it came, and take no part.
//
// PORT: no change of stack in here: nothing can grow.
#define LOCKRANK_TABLES
#include "runtime/lockrank.h"

#include "runtime/panic.h"
#include "sched/runtime2.h"

const char *
lockRank_String(lockRank rank) {
	if (rank == lockRankUnknown)
		return "UNKNOWN";
	if (rank == lockRankLeafRank)
		return "LEAF";
	if ((int)rank < 0 || rank >= lockRankCount)
		return "BAD RANK";
	return lockNames[rank];
}

#ifdef GORT_LOCKRANK

void lock2(mutex *l);
void unlock2(mutex *l);
extern mutex debuglock; // print.c

static uint32_t worldIsStopped; // atomic; 1: the world is stopped

// lockInit gives l its rank, before l is used.
void
lockInit(mutex *l, lockRank rank) {
	l->rank = rank;
}

lockRank
getLockRank(mutex *l) {
	return l->rank;
}

void
lock(mutex *l) {
	lockWithRank(l, getLockRank(l));
}

// printHeldLocks lists the locks that the M of gp holds.
static void
printHeldLocks(G *gp) {
	if (gp->m->locksHeldLen == 0) {
		print("<none>\n");
		return;
	}
	for (int j = 0; j < gp->m->locksHeldLen; j++) {
		lockRank rank = gp->m->locksHeld[j].rank;
		print("%d : %s %d %p\n", j, lockRank_String(rank), (int)rank,
			(void *)gp->m->locksHeld[j].lockAddr);
	}
}

// checkRanks throws if a lock of rank may not be taken by who took one of prevRank last.
static void
checkRanks(G *gp, lockRank prevRank, lockRank rank) {
	bool rankOK;
	if (rank < prevRank) {
		rankOK = false;
	} else if (rank == lockRankLeafRank) {
		// A leaf goes under anything but a leaf.
		rankOK = prevRank < lockRankLeafRank;
	} else {
		rankOK = lockPartialOrder[rank][prevRank] != 0;
	}
	if (!rankOK) {
		printlock();
		print("%lu  ======\n", gp->m->procid);
		printHeldLocks(gp);
		throw("lock ordering problem");
	}
}

// push notes that a lock is being taken, and checks that it may be.
static void
push(G *gp, uintptr_t lockAddr, lockRank rank) {
	M *mp = gp->m;
	int i = mp->locksHeldLen;
	if (i >= (int)nelem(mp->locksHeld))
		throw("too many locks held concurrently for rank checking");
	mp->locksHeld[i].rank = rank;
	mp->locksHeld[i].lockAddr = lockAddr;
	mp->locksHeldLen++;
	if (i > 0)
		checkRanks(gp, mp->locksHeld[i - 1].rank, rank);
}

// pop forgets the i-th lock of mp.
static void
pop(M *mp, int i) {
	for (; i < mp->locksHeldLen - 1; i++)
		mp->locksHeld[i] = mp->locksHeld[i + 1];
	mp->locksHeldLen--;
}

void
lockWithRank(mutex *l, lockRank rank) {
	if (l == &debuglock || l == &paniclk || l == &fatallk || l == &deadlock) {
		lock2(l);
		return;
	}
	if (rank == lockRankUnknown)
		rank = lockRankLeafRank;
	G *gp = getg();
	// The M must stay while the lock is in its list: lock2 and unlock2 count in m.locks, and
	// code of the runtime is not preempted in between.
	push(gp, (uintptr_t)l, rank);
	lock2(l);
}

void
acquireLockRankAndM(lockRank rank) {
	acquirem();
	push(getg(), 0, rank);
}

void
unlock(mutex *l) {
	if (l == &debuglock || l == &paniclk || l == &fatallk || l == &deadlock) {
		unlock2(l);
		return;
	}
	M *mp = getg()->m;
	bool found = false;
	for (int i = mp->locksHeldLen - 1; i >= 0; i--) {
		if (mp->locksHeld[i].lockAddr == (uintptr_t)l) {
			found = true;
			pop(mp, i);
			break;
		}
	}
	if (!found) {
		print("%lu : %s %d %p\n", mp->procid, lockRank_String(l->rank), (int)l->rank,
			(void *)l);
		throw("unlock without matching lock acquire");
	}
	unlock2(l);
}

void
releaseLockRankAndM(lockRank rank) {
	M *mp = getg()->m;
	bool found = false;
	for (int i = mp->locksHeldLen - 1; i >= 0; i--) {
		if (mp->locksHeld[i].rank == rank && mp->locksHeld[i].lockAddr == 0) {
			found = true;
			pop(mp, i);
			break;
		}
	}
	if (!found) {
		print("%lu : %s %d\n", mp->procid, lockRank_String(rank), (int)rank);
		throw("lockRank release without matching lockRank acquire");
	}
	releasem(mp);
}

// lockWithRankMayAcquire checks that l could be taken here, where that happens now and then.
void
lockWithRankMayAcquire(mutex *l, lockRank rank) {
	G *gp = getg();
	if (gp->m->locksHeldLen == 0)
		return;
	if (rank == lockRankUnknown)
		rank = lockRankLeafRank;
	push(gp, (uintptr_t)l, rank);
	gp->m->locksHeldLen--;
}

static bool
checkLockHeld(G *gp, mutex *l) {
	for (int i = gp->m->locksHeldLen - 1; i >= 0; i--) {
		if (gp->m->locksHeld[i].lockAddr == (uintptr_t)l)
			return true;
	}
	return false;
}

// assertLockHeld throws if this M does not hold l.
void
assertLockHeld(mutex *l) {
	G *gp = getg();
	if (checkLockHeld(gp, l))
		return;
	printlock();
	print("caller requires lock %p (rank %s), holding:\n", (void *)l, lockRank_String(l->rank));
	printHeldLocks(gp);
	throw("not holding required lock!");
}

// assertRankHeld is for where the mutex itself is not at hand.
void
assertRankHeld(lockRank r) {
	G *gp = getg();
	for (int i = gp->m->locksHeldLen - 1; i >= 0; i--) {
		if (gp->m->locksHeld[i].rank == r)
			return;
	}
	printlock();
	print("caller requires lock with rank %s), holding:\n", lockRank_String(r));
	printHeldLocks(gp);
	throw("not holding required lock!");
}

// worldStopped notes that the world is stopped.  worldsema must be held, as in worldStarted.
void
worldStopped(void) {
	uint32_t stopped = atomic_Xadd(&worldIsStopped, 1);
	if (stopped != 1) {
		print("world stop count=%u\n", stopped);
		throw("recursive world stop");
	}
}

void
worldStarted(void) {
	uint32_t stopped = atomic_Xadd(&worldIsStopped, (uint32_t)-1);
	if (stopped != 0) {
		print("world stop count=%u\n", stopped);
		throw("released non-stopped world stop");
	}
}

static bool
checkWorldStopped(void) {
	uint32_t stopped = atomic_Load(&worldIsStopped);
	if (stopped > 1) {
		print("inconsistent world stop count=%u\n", stopped);
		throw("inconsistent world stop count");
	}
	return stopped == 1;
}

// assertWorldStopped does not ask which M stopped it.
void
assertWorldStopped(void) {
	if (!checkWorldStopped())
		throw("world not stopped");
}

void
assertWorldStoppedOrLockHeld(mutex *l) {
	if (checkWorldStopped())
		return;
	G *gp = getg();
	if (checkLockHeld(gp, l))
		return;
	printlock();
	print("caller requires world stop or lock %p (rank %s), holding:\n", (void *)l,
		lockRank_String(l->rank));
	print("<no world stop>\n");
	printHeldLocks(gp);
	throw("no world stop or required lock!");
}

#else

void
acquireLockRankAndM(lockRank rank) {
	acquirem();
}

void
releaseLockRankAndM(lockRank rank) {
	releasem(getg()->m);
}

#endif
