// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// WaitGroup.  Ports sync/waitgroup.go of Go 1.26.8, without synctest bubbles.
#include "sched/sync_mutex.h"

#include "sched/preempt.h"

// WaitGroup_Add adds delta to the counter; when it becomes 0 all waiters go on.
void
WaitGroup_Add(WaitGroup *wg, int32_t delta) {
	uint64_t state = atomic_Xadd(&wg->state, (uint64_t)(int64_t)delta << 32);
	int32_t v = (int32_t)(state >> 32);
	uint32_t w = (uint32_t)state;

	if (v < 0)
		gopanic("sync: negative WaitGroup counter");
	if (w != 0 && delta > 0 && v == delta)
		gopanic("sync: WaitGroup misuse: Add called concurrently with Wait");
	if (v > 0 || w == 0)
		return;

	// The counter is 0 and there are waiters: nobody may change state now.
	if (atomic_Load(&wg->state) != state)
		gopanic("sync: WaitGroup misuse: Add called concurrently with Wait");
	atomic_Store(&wg->state, 0ul);
	for (; w != 0; w--)
		sync_runtime_Semrelease(&wg->sema, false);
}

void
WaitGroup_Done(WaitGroup *wg) {
	WaitGroup_Add(wg, -1);
}

// WaitGroup_Wait blocks until the counter is 0.
void
WaitGroup_Wait(WaitGroup *wg) {
	preemptcheck();
	for (;;) {
		uint64_t state = atomic_Load(&wg->state);

		if ((int32_t)(state >> 32) == 0)
			return;
		if (atomic_Cas(&wg->state, state, state + 1)) {
			sync_runtime_SemacquireWaitGroup(&wg->sema);
			if (atomic_Load(&wg->state) != 0)
				gopanic("sync: WaitGroup is reused before previous Wait has "
					"returned");
			return;
		}
	}
}

// ---- gort.h ---------------------------------------------------------------------------------------

_Static_assert(sizeof(gort_waitgroup) == sizeof(WaitGroup) &&
		       offsetof(gort_waitgroup, sema) == offsetof(WaitGroup, sema),
	"gort_waitgroup is WaitGroup");

void
gort_waitgroup_add(gort_waitgroup *wg, int delta) {
	WaitGroup_Add((WaitGroup *)wg, delta);
}

void
gort_waitgroup_done(gort_waitgroup *wg) {
	WaitGroup_Add((WaitGroup *)wg, -1);
}

void
gort_waitgroup_wait(gort_waitgroup *wg) {
	WaitGroup_Wait((WaitGroup *)wg);
}
