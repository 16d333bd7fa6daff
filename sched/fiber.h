// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Sanitizers are told of each change of stack; see fiber.c.  Without them there is nothing to do.
#ifndef GORT_SCHED_FIBER_H
#define GORT_SCHED_FIBER_H

#include "runtime/runtime.h"

#if defined(__SANITIZE_ADDRESS__)
#	define GORT_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#	define GORT_TSAN 1
#endif
#ifdef __has_feature
#	if __has_feature(address_sanitizer) && !defined(GORT_ASAN)
#		define GORT_ASAN 1
#	endif
#	if __has_feature(thread_sanitizer) && !defined(GORT_TSAN)
#		define GORT_TSAN 1
#	endif
#endif
#if (defined(GORT_ASAN) || defined(GORT_TSAN)) && !defined(GORT_FIBERS)
#	define GORT_FIBERS 1
#endif

#ifdef GORT_FIBERS
// fiber_leave_thread says that m0 is about to change from the thread's stack to that of g0,
// fiber_enter_g0 that it has, fiber_minit that mp's thread is on the stack of its g0.
void fiber_leave_thread(M *mp);
void fiber_enter_g0(void);
void fiber_minit(M *mp);
// fiber_init finds the sanitizer.  After parsedebugvars, before the first goroutine.
void fiber_init(void);
// fiber_inside reports whether mp, interrupted at pc, is in the sanitizer, which the runtime, too,
// calls.
bool fiber_inside(M *mp, uintptr_t pc);
#else
static inline void
fiber_leave_thread(M *mp) {
}
static inline void
fiber_enter_g0(void) {
}
static inline void
fiber_minit(M *mp) {
}
static inline void
fiber_init(void) {
}
static inline bool
fiber_inside(M *mp, uintptr_t pc) {
	return false;
}
#endif

// fiber_busy reports whether a thread that was interrupted at pc may hold locks of TSan, so that its
// handler must not come to TSan again.
#ifdef GORT_TSAN
bool fiber_busy(uintptr_t pc);
#else
static inline bool
fiber_busy(uintptr_t pc) {
	return false;
}
#endif

#endif
