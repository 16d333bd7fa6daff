// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The clocks.  Ports time_nofake.go and the clock part of sys_linux_amd64.s of Go 1.26.8.
//
// clock_gettime runs in the vDSO, where a signal could stop the goroutine in place; m.locks tells
// it not to.
//
// PORT: Go switches to the g0 stack for the vDSO's sake; slots are large enough.
#include <errno.h>
#include <sys/syscall.h>

#include "runtime/os_linux.h"
#include "sched/runtime2.h"

// clock_failed reports that the machine has no such clock, and does not do so again while that is
// being reported.
static COLD void
clock_failed(clockid_t clk, int32_t err) {
	static uint32_t reported; // atomic
	if (!atomic_Cas(&reported, 0, 1))
		return;
	print("runtime: clock_gettime(%d) failed with %d\n", (int)clk, -err);
	throw("clock_gettime");
}

int32_t
runtime_clock_gettime(int32_t clk, struct timespec *ts) {
	int err = failinject_next(failClock);
	if (unlikely(err != 0))
		return -err;
	G *gp = getg();
	if (unlikely(gp == NULL || gp->m == NULL))
		return (int32_t)sys_call3(SYS_clock_gettime, (uint64_t)clk, (uintptr_t)ts, 0);
	M *mp = gp->m;
	mp->locks++;
	int r = clock_gettime(clk, ts);
	mp->locks--;
	// libc's answer is in errno, which is not ours to read here; ask the kernel for it.
	if (unlikely(r != 0))
		return (int32_t)sys_call3(SYS_clock_gettime, (uint64_t)clk, (uintptr_t)ts, 0);
	return 0;
}

static inline int64_t
clock_ns(clockid_t clk) {
	struct timespec ts = {0, 1}; // never 0, and the same from then on
	int32_t err = runtime_clock_gettime(clk, &ts);
	if (unlikely(err != 0))
		clock_failed(clk, err);
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

int64_t
nanotime(void) {
	return clock_ns(CLOCK_MONOTONIC);
}

int64_t
walltime(void) {
	return clock_ns(CLOCK_REALTIME);
}
