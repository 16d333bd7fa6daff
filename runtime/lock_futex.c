// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Notes: one-time events on which an M sleeps.  Ports lock_futex.go of Go 1.26.8.
#include "runtime/os_linux.h"
#include "sched/proc.h"
#include "sched/runtime2.h"

void
noteclear(note *n) {
	atomic_StoreRelaxed(&n->key, 0);
}

// notewakeup may be called once for a noteclear.
void
notewakeup(note *n) {
	uint32_t old = atomic_Xchg(&n->key, 1);
	if (old != 0) {
		print("notewakeup - double wakeup (%u)\n", old);
		throw("notewakeup - double wakeup");
	}
	futexwakeup(&n->key, 1);
}

void
notesleep(note *n) {
	G *gp = getg();
	if (gp != gp->m->g0)
		throw("notesleep not on g0");
	M *mp = gp->m; // stays ours: g0 does not move
	while (atomic_Load(&n->key) == 0) {
		mp->blocked = true;
		futexsleep(&n->key, 0, -1);
		mp->blocked = false;
	}
}

// notetsleep_internal may run without a P.
static bool
notetsleep_internal(note *n, int64_t ns) {
	M *mp = getg()->m;

	if (ns < 0) {
		while (atomic_Load(&n->key) == 0) {
			mp->blocked = true;
			futexsleep(&n->key, 0, ns);
			mp->blocked = false;
		}
		return true;
	}

	if (atomic_Load(&n->key) != 0)
		return true;

	int64_t deadline = nanotime() + ns;
	for (;;) {
		mp->blocked = true;
		futexsleep(&n->key, 0, ns);
		mp->blocked = false;
		if (atomic_Load(&n->key) != 0)
			break;
		int64_t now = nanotime();
		if (now >= deadline)
			break;
		ns = deadline - now;
	}
	return atomic_Load(&n->key) != 0;
}

bool
notetsleep(note *n, int64_t ns) {
	G *gp = getg();
	if (gp != gp->m->g0 && gp->m->preemptoff != NULL)
		throw("notetsleep not on g0");
	return notetsleep_internal(n, ns);
}

bool
notetsleepg(note *n, int64_t ns) {
	G *gp = getg();
	if (gp == gp->m->g0)
		throw("notetsleepg on g0");

	entersyscallblock();
	bool ok = notetsleep_internal(n, ns);
	exitsyscall();
	return ok;
}
