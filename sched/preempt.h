// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Stopping goroutines.  Ports preempt.go; see preempt.c.
#ifndef GORT_SCHED_PREEMPT_H
#define GORT_SCHED_PREEMPT_H

#include "runtime/runtime.h"

#include "sched/runtime2.h"
#include "sched/stack.h"

// What suspendG did.
typedef struct suspendGState {
	G *g;
	bool dead;    // it was dead: nothing was suspended
	bool stopped; // suspendG moved it from _Gpreempted to _Gwaiting: resumeG readies it
} suspendGState;

// suspendG stops gp at a safe point and gives the caller its stack to read until resumeG.
// On g0; the user goroutine of this M must be in a state in which others can suspend it.
suspendGState suspendG(G *gp);
void resumeG(suspendGState state);

// canPreemptM reports whether mp is in a state that is safe to preempt.
bool canPreemptM(M *mp);
// wantAsyncPreempt reports whether somebody asked gp to stop.
bool wantAsyncPreempt(G *gp);
// isAsyncSafePoint reports whether gp, interrupted at pc and sp, may be stopped there.  *newpc is
// where it is to go on: pc, or the beginning of the sequence that must not be cut.
bool isAsyncSafePoint(G *gp, uintptr_t pc, uintptr_t sp, uintptr_t *newpc);

// preemptcheck is the cooperative safe point: one load and one compare.
void preempt_poll(void);
static ALWAYS_INLINE void
preemptcheck(void) {
	if (unlikely(atomic_LoadRelaxed(&getg()->stackguard0) == stackPreempt))
		preempt_poll();
}

// States of g->inplace; the diagram is in preempt.c.
enum {
	inplaceNone = 0,
	inplaceScan = 1,    // stopped for a scan; the M keeps its P and waits in the signal handler
	inplaceResumed = 2, // resumeG was here, the handler has not seen it yet
	inplaceParked = 3,  // the P is gone; the M waits until the scheduler hands it one
};

// inplacePoke makes the M in a signal handler look at its P's requests again.
void inplacePoke(M *mp);
// inplacePreempt does what is asked of gp, which the signal handler found at a safe point.
// On gsignal, with g = gsignal.  pc, sp, bp: where it was interrupted; [framelo, framehi): the
// signal frame.  It reports whether the caller should switch gp off its thread (asyncPreempt).
bool inplacePreempt(
	G *gp, uintptr_t pc, uintptr_t sp, uintptr_t bp, uintptr_t framelo, uintptr_t framehi);
// inplaceMax bounds the Ms that time slices may park in place at one time.
enum { inplaceMax = 512 };

// timeslice_due decides, for sysmon, whether the goroutine that has run on pp for a whole time
// slice should be signalled: always if it used the CPU, else only when goroutines wait for a P.
bool timeslice_due(P *pp);

// asyncPreempt (preempt_amd64.S) saves all registers and calls asyncPreempt2.
void asyncPreempt(void);
void asyncPreempt2(void);
// asyncPreemptStack is the stack that an injected call needs.
extern uintptr_t asyncPreemptStack;
// asyncSwitchOK: this CPU has what asyncPreempt needs.
extern bool asyncSwitchOK;
// preemptinit reads the CPU's features.  Needs nothing.
void preemptinit(void);

// ---- PCs that must not be cut -----------------------------------------------------------------------

// unsafePoint returns the beginning of the uninterruptible sequence that pc is inside of, or pc.
uintptr_t unsafePoint(uintptr_t pc);
// asyncTextContains reports whether pc is in text that agreed to be switched off its thread.
bool asyncTextContains(uintptr_t pc);

#endif
