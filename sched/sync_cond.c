// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Cond.  Ports sync/cond.go of Go 1.26.8.
#include "sched/sync_mutex.h"

#include "sched/preempt.h"

// Cond_check panics if c is a copy of one that was used: a copy has the other's address in it.
static void
Cond_check(Cond *c) {
	if (atomic_Load(&c->checker) != (uintptr_t)c &&
		!atomic_Cas(&c->checker, (uintptr_t)0, (uintptr_t)c) &&
		atomic_Load(&c->checker) != (uintptr_t)c)
		gopanic("sync.Cond is copied");
}

// Cond_Wait unlocks c->L, sleeps until it is woken, and locks it again.  In between the ticket is
// taken first, so that no Signal gets lost.
void
Cond_Wait(Cond *c) {
	uint32_t t;

	preemptcheck();
	Cond_check(c);
	t = notifyListAdd(&c->notify);
	Mutex_Unlock(c->L);
	notifyListWait(&c->notify, t);
	Mutex_Lock(c->L);
}

// Cond_Signal wakes the one that has waited longest.
void
Cond_Signal(Cond *c) {
	Cond_check(c);
	notifyListNotifyOne(&c->notify);
}

// Cond_Broadcast wakes all.
void
Cond_Broadcast(Cond *c) {
	Cond_check(c);
	notifyListNotifyAll(&c->notify);
}
