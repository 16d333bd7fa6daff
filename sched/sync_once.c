// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Once.  Ports sync/once.go of Go 1.26.8.
#include "sched/sync_mutex.h"

#include "runtime/panic.h"
#include "sched/preempt.h"

static void
once_setDone(void *o) {
	atomic_Store(&((Once *)o)->done, 1u);
}

static void
once_unlock(void *o) {
	Mutex_Unlock(&((Once *)o)->m);
}

static void
once_defer(_defer *d, void (*fn)(void *), Once *o) {
	memset(d, 0, sizeof(*d));
	d->fn.fn = (void *)(uintptr_t)fn;
	d->fn.gpr[0] = (uint64_t)(uintptr_t)o;
	gort_deferprocStack(d);
}

// Once_doSlow calls f(arg) unless somebody has.  Who comes while f runs waits for it: when Do returns
// f has always finished, be it by a panic or Goexit, hence the deferred calls.
NOINLINE void
Once_doSlow(Once *o, void (*f)(void *), void *arg) {
	_defer unlock_, done;

	preemptcheck();
	Mutex_Lock(&o->m);
	once_defer(&unlock_, once_unlock, o);
	if (atomic_Load(&o->done) == 0) {
		once_defer(&done, once_setDone, o);
		f(arg);
		gort_deferreturn(&done);
	}
	gort_deferreturn(&unlock_);
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
