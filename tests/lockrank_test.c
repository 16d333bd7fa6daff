// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The order of the locks, and the checker that throws when a program breaks it.  That lockrank.h is
// what mklockrank makes of lockrank.txt is checked by fresh.sh.
#define LOCKRANK_TABLES
#include "runtime/lockrank.h"

#include "runtime/runtime.h"
#include "tests/support/death.h"

Test(LockRank, Names) {
	cr_expect_str_eq(lockRank_String(lockRankUnknown), "UNKNOWN");
	cr_expect_str_eq(lockRank_String(lockRankLeafRank), "LEAF");
	cr_expect_str_eq(lockRank_String(lockRankCount), "BAD RANK");
	cr_expect_str_eq(lockRank_String(lockRankMheap), "mheap");
	for (int r = 1; r < lockRankCount; r++)
		cr_expect(lockNames[r] != NULL, "rank %d", r);
}

// The table is transitive, agrees with the order of the numbers, and only cyclic ranks hold
// themselves.
Test(LockRank, PartialOrder) {
	for (int a = 1; a < lockRankCount; a++) {
		bool cyclic = a == lockRankTimers || a == lockRankHchan || a == lockRankHchanLeaf ||
			      a == lockRankDeadlock;
		cr_expect_eq(lockPartialOrder[a][a] != 0, cyclic, "%s", lockNames[a]);
		for (int b = 1; b < lockRankCount; b++) {
			if (a == b || lockPartialOrder[a][b] == 0)
				continue;
			cr_expect(b < a, "%s under %s", lockNames[a], lockNames[b]);
			for (int c = 1; c < lockRankCount; c++) {
				if (c != b && lockPartialOrder[b][c] != 0)
					cr_expect(lockPartialOrder[a][c], "%s < %s < %s",
						lockNames[c], lockNames[b], lockNames[a]);
			}
		}
	}
	cr_expect(lockPartialOrder[lockRankMheap][lockRankSched] != 0);
	cr_expect(lockPartialOrder[lockRankMheapSpecial][lockRankMheap] != 0);
	cr_expect(lockPartialOrder[lockRankMheap][lockRankMheapSpecial] == 0);
	cr_expect(lockPartialOrder[lockRankSched][lockRankHchan] != 0);
	cr_expect(lockPartialOrder[lockRankTrace][lockRankGlobalAlloc] == 0);
}

#ifdef GORT_LOCKRANK

static mutex a, b, c;

// In order, with a leaf below: nothing happens.
static void
inOrder(void) {
	lockInit(&a, lockRankSched);
	lockInit(&b, lockRankMheap);
	lock(&a);
	lock(&b);
	lock(&c);
	assertLockHeld(&a);
	assertLockHeld(&c);
	assertRankHeld(lockRankMheap);
	lockWithRankMayAcquire(&b, lockRankLeafRank + 0);
	unlock(&a);
	unlock(&c);
	unlock(&b);
	acquireLockRankAndM(lockRankGscan);
	lock(&b);
	unlock(&b);
	releaseLockRankAndM(lockRankGscan);
}

static void
inOrderTwice(void) {
	lockInit(&a, lockRankSched);
	lockInit(&b, lockRankMheap);
	for (int i = 0; i < 2; i++) {
		lock(&a);
		lock(&b);
		unlock(&a);
		unlock(&b);
	}
}

Test(LockRank, InOrder) {
	static char text[deathMax];
	int status = deathOf(inOrderTwice, true, text);
	cr_expect(status == 0, "status %#x: %s", status, text);
}

static void
expectOrderProblem(void (*fn)(void), const char *held) {
	static char text[deathMax];
	int status = deathOf(fn, true, text);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 2, "status %#x", status);
	cr_expect(strstr(text, "fatal error: lock ordering problem\n") != NULL, "%s", text);
	cr_expect(strstr(text, "  ======\n") != NULL, "%s", text);
	cr_expect(strstr(text, held) != NULL, "%s", text);
}

static void
wrongOrder(void) {
	lockInit(&a, lockRankSched);
	lockInit(&b, lockRankMheap);
	lock(&b);
	lock(&a);
}

static void
unordered(void) {
	// Higher, but not ordered against the other.
	lockInit(&a, lockRankSweep);
	lockInit(&b, lockRankTestW);
	lock(&a);
	lock(&b);
}

static void
sameRank(void) {
	lockInit(&a, lockRankMheap);
	lockInit(&b, lockRankMheap);
	lock(&a);
	lock(&b);
}

static void
twoLeaves(void) {
	// A leaf's lock may be taken under a leaf's only by mistake.
	lock(&b);
	lock(&c);
}

static void
mayAcquire(void) {
	lockInit(&a, lockRankSched);
	lockInit(&b, lockRankMheap);
	lock(&b);
	lockWithRankMayAcquire(&a, lockRankSched);
}

static void
scanOrder(void) {
	lockInit(&b, lockRankMheap);
	lock(&b);
	acquireLockRankAndM(lockRankGscan);
}

Test(LockRank, Violations) {
	expectOrderProblem(wrongOrder, "0 : mheap ");
	expectOrderProblem(unordered, "1 : testW ");
	expectOrderProblem(sameRank, "1 : mheap ");
	expectOrderProblem(twoLeaves, "1 : LEAF 1000 ");
	expectOrderProblem(mayAcquire, "1 : sched ");
	expectOrderProblem(scanOrder, "1 : gscan ");
}

static void
cyclicRank(void) {
	lockInit(&a, lockRankHchan);
	lockInit(&b, lockRankHchan);
	lock(&a);
	lock(&b);
	unlock(&b);
	unlock(&a);
	inOrder();
}

static void
notHeld(void) {
	lockInit(&a, lockRankSched);
	assertLockHeld(&a);
}

static void
notLocked(void) {
	lockInit(&a, lockRankSched);
	unlock(&a);
}

static void
notStopped(void) {
	assertWorldStopped();
}

Test(LockRank, Assertions) {
	static char text[deathMax];
	int status = deathOf(notHeld, true, text);
	cr_expect(WEXITSTATUS(status) == 2);
	cr_expect(strstr(text, "(rank sched), holding:\n<none>\n") != NULL, "%s", text);
	cr_expect(strstr(text, "fatal error: not holding required lock!\n") != NULL, "%s", text);
	deathOf(notLocked, true, text);
	cr_expect(strstr(text, "fatal error: unlock without matching lock acquire\n") != NULL);
	expectDeath(notStopped, "fatal error: world not stopped\n");
	status = deathOf(cyclicRank, true, text);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 2, "%s", text); // leaf under leaf
}

#endif
