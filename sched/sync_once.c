// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Once.  Ports sync/once.go of Go 1.26.8.
#include "sched/sync_mutex.h"

#include "sched/preempt.h"

static void
once_setDone(void *o) {
	atomic_Store(&((Once *)o)->done, 1u);
}

static void
once_unlock(void *o) {
	Mutex_Unlock(&((Once *)o)->m);
}

// Once_doSlow calls f(arg) unless somebody has.  Who comes while f runs waits for it: when Do returns
// f has always finished, be it by a panic or Goexit, hence the deferred calls.
NOINLINE void
Once_doSlow(Once *o, void (*f)(void *), void *arg) {
	gort_deferred unlock_ = {
		.call = {.fn = (void *)(uintptr_t)once_unlock, .gpr = {(uintptr_t)o}}};
	gort_deferred done = {
		.call = {.fn = (void *)(uintptr_t)once_setDone, .gpr = {(uintptr_t)o}}};

	preemptcheck();
	Mutex_Lock(&o->m);
	gort_defer_push(&unlock_);
	if (atomic_Load(&o->done) == 0) {
		gort_defer_push(&done);
		f(arg);
		gort_defer_pop(&done);
	}
	gort_defer_pop(&unlock_);
}

// ---- gort.h ---------------------------------------------------------------------------------------

_Static_assert(sizeof(gort_once) == sizeof(Once) && offsetof(gort_once, m) == offsetof(Once, m),
	"gort_once is Once");

static void
once_callNoArg(void *f) {
	((void (*)(void))(uintptr_t)f)();
}

void
gort_once_do(gort_once *o, void (*f)(void)) {
	Once_Do((Once *)o, once_callNoArg, (void *)(uintptr_t)f);
}
