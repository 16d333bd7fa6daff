// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Start and end of a program, and the public functions on goroutines.  Ports the part of main and of
// rt0 in Go 1.26.8 that is about the program.
#include <errno.h>

#include "runtime/mgc.h"
#include "runtime/os_linux.h"
#include "runtime/panic.h"
#include "sched/pprof.h"
#include "sched/preempt.h"
#include "sched/proc.h"
#include "sched/stack.h"
#include "sched/traceruntime.h"

static int (*app_)(int argc, char **argv);
static int argc_;
static char **argv_;

// gort_capture: see gort_go in gort.h.
void (*const gort_capture)(void) = gort_capture_stub;

// gort_main is the main goroutine: the program, and its end.
static void
gort_main(void) {
	pprof_env();
	int rc = app_(argc_, argv_);

	// A goroutine that panics should be able to say so.
	if (atomic_Load(&runningPanicDefers) != 0) {
		for (int c = 0; c < 1000; c++) {
			if (atomic_Load(&runningPanicDefers) == 0)
				break;
			Gosched();
		}
	}
	if (atomic_Load(&panicking) != 0)
		gopark(NULL, NULL, waitReasonPanicWait);

	// PORT: exit runs what the program gave to atexit, and writes what stdio has.  That may take
	// locks that other goroutines hold, so the world goes on; this goroutine has a P meanwhile.
	trace_atexit();
	exit(rc);
}

// gort_run: see gort.h.
int
gort_run(int (*app)(int argc, char **argv), int argc, char **argv) {
	app_ = app;
	argc_ = argc;
	argv_ = argv;
	runtime_start(gort_main);
}

// gort_errno_location is errno's address on the thread that the goroutine is on now.  Never inlined,
// so that no address from before a switch is used after it.
NOINLINE int *
gort_errno_location(void) {
	__asm__ volatile("");
	return __errno_location();
}

// gort_newproc: see gort_go in gort.h.
void
gort_newproc(const gort_call *call, unsigned class_) {
	static const uint32_t classes[] = {
		[GORT_STACK_DEFAULT] = stackClassDefault,
		[GORT_STACK_64K] = stackClassSmall,
		[GORT_STACK_256K] = stackClassDefault,
		[GORT_STACK_1M] = stackClassLarge,
		[GORT_STACK_8M] = stackClassLarge + 3,
	};

	needg();
	preemptcheck();
	newproc_call(call, class_ < nelem(classes) ? classes[class_] : (uint32_t)stackClassDefault,
		getcallerpc());
}

// gort_call_run makes a captured call.
void
gort_call_run(const gort_call *call) {
	call_run(call);
}

// gort_yield: Go's Gosched.
void
gort_yield(void) {
	needg();
	Gosched();
}

// gort_poll is a safe point.
void
gort_poll(void) {
	needg();
	preemptcheck();
}

// gort_gomaxprocs: Go's GOMAXPROCS.
int
gort_gomaxprocs(int n) {
	needg();
	return GOMAXPROCS(n);
}

// gort_num_cpu: Go's NumCPU.
int
gort_num_cpu(void) {
	return numCPUStartup;
}

// gort_num_goroutine: Go's NumGoroutine.
int
gort_num_goroutine(void) {
	needg();
	return gcount(false);
}

// gort_goid is the number of the goroutine.
uint64_t
gort_goid(void) {
	needg();
	return getg()->goid;
}
