// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Stack traces.  Ports traceback.go; see traceback.c.
#ifndef GORT_SCHED_TRACEBACK_H
#define GORT_SCHED_TRACEBACK_H

#include "runtime/runtime.h"

#include "sched/runtime2.h"
#include "sched/symtab.h"

enum {
	tracebackInnerFrames = 50,
	tracebackOuterFrames = 50,
};

// unwinder steps through the frames of a stack: by call frame information where there is some, by
// frame pointers where not.
typedef struct unwinder {
	uintptr_t pc; // of this frame; 0: no more
	uintptr_t sp; // of this frame at pc; if !exact, no more than a lower bound
	uintptr_t fp; // frame pointer: *fp is the caller's, fp[1] the return address
	stack stk;    // no frame lies outside
	G *g;
	bool trap;          // pc was interrupted there: it is no return address
	bool exact;         // sp is right
	uintptr_t callersp; // of a frameless function: where the return address is; else 0
} unwinder;

// unwinder_initAt starts at pc, sp, bp.  pc = ~0 means gp's saved state.
void unwinder_initAt(unwinder *u, uintptr_t pc, uintptr_t sp, uintptr_t bp, G *gp, bool trap);
bool unwinder_valid(const unwinder *u);
void unwinder_next(unwinder *u);
// unwinder_symPC is the pc that names the frame: inside the call instruction.
uintptr_t unwinder_symPC(const unwinder *u);

// traceback prints the stack of gp from pc, sp, bp; pc = ~0: from where it is stopped.
void traceback(uintptr_t pc, uintptr_t sp, uintptr_t bp, G *gp);
// tracebacktrap is the same for a pc at which gp was interrupted.
void tracebacktrap(uintptr_t pc, uintptr_t sp, uintptr_t bp, G *gp);
// tracebackothers prints all goroutines but me.
void tracebackothers(G *me);
void goroutineheader(G *gp);
void printcreatedby(G *gp);

// callers stores the return addresses of the calling stack, innermost first, without the first
// skip of them (0: the caller of callers), and returns their number.
int callers(int skip, uintptr_t *pcbuf, int npcbuf);
// gcallers does so for a goroutine that is stopped.
int gcallers(G *gp, int skip, uintptr_t *pcbuf, int npcbuf);
// sigcallers is for a signal handler: gp was interrupted at pc.
int sigcallers(G *gp, uintptr_t pc, uintptr_t sp, uintptr_t bp, uintptr_t *pcbuf, int npcbuf);

// fpTracebackPCs collects return addresses from the frame at fp outwards, innermost first.  The stack
// is [lo, hi); a link out of it, or back, ends the walk.
WILD static inline int
fpTracebackPCs(uintptr_t fp, uintptr_t lo, uintptr_t hi, uintptr_t *pcBuf, int n) {
	int i = 0;

	while (i < n && fp >= lo && fp <= hi - 2 * PtrSize && fp % PtrSize == 0) {
		uintptr_t next = ((const uintptr_t *)fp)[0];
		uintptr_t pc = ((const uintptr_t *)fp)[1];
		if (pc == 0)
			break;
		pcBuf[i++] = pc;
		lo = fp + 2 * PtrSize;
		fp = next;
	}
	return i;
}

// isSystemGoroutine reports whether gp is left out of dumps and of the deadlock detector.
bool isSystemGoroutine(G *gp, bool fixed);

#endif
