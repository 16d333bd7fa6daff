// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Deferred calls, panic, recover and the end of the process.  Ports panic.go of Go 1.26.8.
#ifndef GORT_RUNTIME_PANIC_H
#define GORT_RUNTIME_PANIC_H

#include <setjmp.h>

#include "runtime/runtime.h"

typedef struct _defer _defer;
typedef struct _panic _panic;

// _defer is gort_deferred: a deferred call, on the stack of the function that deferred it.
struct _defer {
	_defer *link; // the one deferred before; NULL at the end
	gort_call fn;
	void *pc; // of the defer statement
};

// pcall is a protected call in progress (gort_pcall), on the stack: where a recovered panic goes on.
typedef struct pcall {
	struct pcall *link;
	_defer *_defer;  // gp->_defer when it was entered
	_panic *_panic;  // gp->_panic then: only panics above it can be recovered here
	const char *arg; // of the recovered panic
	jmp_buf env;
} pcall;

// _panic is a panic or a Goexit that runs deferred calls, on the stack.
struct _panic {
	const char *arg; // text; NULL for Goexit
	_panic *link;    // the earlier one, in whose deferred call this one came
	bool recovered;  // a deferred call recovered it
	bool repanicked; // the earlier one has the same text: print it once
	bool goexit;
	jmp_buf env; // goexit: where its loop goes on after a recovered panic
};

// Goexit runs all deferred calls of the goroutine and ends it.
_Noreturn void Goexit(void);

// panicCheck2 throws if a panic is impossible now: during malloc.
void panicCheck2(const char *err);
_Noreturn void panicdivide(void);
_Noreturn void panicoverflow(void);
_Noreturn void panicfloat(void);
_Noreturn void panicmem(void);
_Noreturn void panicmemAddr(uintptr_t addr);
// canpanic: a signal on this goroutine may become a panic.
bool canpanic(void);

// foreigncall ends the process: a thread without a goroutine called the runtime.
_Noreturn void foreigncall(void);
// needg is for public functions that a program might call too early.  The others touch the missing
// goroutine, and the handler of the fault finds out why.
static inline void
needg(void) {
	if (unlikely(getg() == NULL))
		foreigncall();
}
// forkinit makes a child of fork a thread without a goroutine.
void forkinit(void);

// fatalthrow and fatalpanic print and exit.  startpanic_m and dopanic_m, on g0, are their parts,
// which the signal handler uses too.
_Noreturn void fatalthrow(int t);
_Noreturn void fatalpanic(_panic *msgs);
bool startpanic_m(void);
// dopanic_m prints gp's stack from pc, sp and bp, and others as GOTRACEBACK says; true: crash.
bool dopanic_m(G *gp, uintptr_t pc, uintptr_t sp, uintptr_t bp);
void printpanics(_panic *p);

extern uint32_t runningPanicDefers; // atomic: panics that run deferred calls; main waits for them
extern uint32_t panicking;          // atomic: panics that are being printed
extern mutex paniclk;               // held while a panic is printed
extern mutex fatallk;               // held from the first fatal on: one report is enough
extern mutex deadlock;

// debug_assert is an assertion of --enable-debug.
#ifdef GORT_DEBUG
#	define debug_assert(x)                                 \
		do {                                            \
			if (unlikely(!(x)))                     \
				throw("assertion failed: " #x); \
		} while (0)
#else
#	define debug_assert(x) \
		do {            \
		} while (0)
#endif

#endif
