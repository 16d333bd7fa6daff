// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Profiles of goroutines and threads.  Ports the end of mprof.go; see mprof_goroutine.c.
#ifndef GORT_SCHED_MPROF_GOROUTINE_H
#define GORT_SCHED_MPROF_GOROUTINE_H

#include "sched/proc.h"

// StackRecord is one stack: return addresses, innermost first.
typedef struct StackRecord {
	uintptr_t *stk;
	int nstk;
} StackRecord;

// stackProfile is what the functions below fill in.  release it with stackProfile_free.
typedef struct stackProfile {
	StackRecord *p;
	intptr_t n;
	void **labels;  // of each: on the heap; NULL: none
	uint8_t *mem;   // of the records and their stacks
	uintptr_t size; // of that
} stackProfile;

void stackProfile_free(stackProfile *sp);
// goroutineProfileWithLabels takes the stacks of all goroutines but the system's, as they are at one
// moment; the caller's comes first.  false: no memory.
bool goroutineProfileWithLabels(stackProfile *sp);
// goroutineProfiled of a G.
enum {
	goroutineProfileAbsent,
	goroutineProfileInProgress, // its stack is being recorded: it may not go on
	goroutineProfileSatisfied,
};

// goroutineProfileActive: who lets a goroutine go on calls tryRecordGoroutineProfile(gp, osyield) before.
// Changes only while the world is stopped.
static inline bool
goroutineProfileActive(void) {
	return unlikely((atomic_LoadRelaxed(&executeHooks) & executeProfileG) != 0);
}
// tryRecordGoroutineProfile sees to it that gp, which does not run, is in the profile.
void tryRecordGoroutineProfile(G *gp, void (*yield)(void));
// threadCreateProfile takes the stacks that made the Ms.
bool threadCreateProfile(stackProfile *sp);

// Stack writes the traceback of the calling goroutine into buf, and those of all others if all, and
// returns the bytes written.
uintptr_t Stack(char *buf, uintptr_t n, bool all);

#endif
