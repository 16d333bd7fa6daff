// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Goroutine stacks: fixed slots of one lazily committed arena.  Ports the interface of stack.go.
// See stack.c.
#ifndef GORT_SCHED_STACK_H
#define GORT_SCHED_STACK_H

#include "runtime/runtime.h"

#include "sched/runtime2.h"

// Values of g->stackguard0 that are no address of a stack.
#define stackPreempt ((uintptr_t)-1314) // the goroutine is asked to give way
#define stackFork ((uintptr_t)-1234)    // between fork and exec

// Stack classes: g->stackslot.  Class 0, the default, is what an attribute-less spawn gets.
enum {
	stackClassDefault = 0,  // 256 KB
	stackClassSmall = 1,    // 64 KB
	stackClassLarge = 2,    // 1 MB; class 2+i is 1 MB << i
	stackClassMax = 2 + 16, // 64 GB
	nStackClasses,
};

enum {
	stackGuardSize = 16 << 10,     // inaccessible bytes at the low end of a slot
	stackGuardSizeSmall = 4 << 10, // of a 64 KB slot
	stackCacheMax = 32,            // warm stacks that a P keeps
};

// How the guard of a slot is made; see stack.c.
typedef enum {
	stackGuardMadvise = 1,
	stackGuardUffd,
	stackGuardMprotect,
} stackGuardMode;
extern stackGuardMode stackguardmode;

// stackinit reserves the arena.  Before any thread is made and after the GODEBUG variables are
// parsed; needs no M.
void stackinit(void);

// stackclass returns the smallest class with at least size usable bytes; 0 means the default.
uint32_t stackclass(uintptr_t size);
// stackmainclass is the class of the main goroutine: RLIMIT_STACK, or 64 MB if that is unlimited.
uint32_t stackmainclass(void);
// stackslotsize is the size of a slot, stackguardsize of its guard, which lies below stack.lo.
uintptr_t stackslotsize(uint32_t class_);
uintptr_t stackguardsize(uint32_t class_);

// stackalloc takes a stack; on g0 or with m.locks > 0.  It cannot fail (throws "out of memory").
// The contents of the stack are arbitrary.
stack stackalloc(uint32_t class_);
// stackfree gives it back.  Nobody may be running on it.
void stackfree(stack stk, uint32_t class_);
// stackcache_clear gives the P's warm stacks to the global lists.  By the P's owner or with the
// world stopped.
void stackcache_clear(P *pp);
// freeStackSpans returns the memory of unused stacks to the system, in batches.  Called at the end
// of a GC cycle, on g0.
void freeStackSpans(void);

// isShrinkStackSafe reports whether shrinkstack may be called: gp is suspended by the caller.
bool isShrinkStackSafe(G *gp);
// shrinkstack gives pages below the used part of a suspended goroutine's stack back.
void shrinkstack(G *gp);
// stackused returns the page-rounded bytes in use on a stopped goroutine's stack.
uintptr_t stackused(G *gp);

// stackofg0 maps a stack of size bytes with a guard for an M's g0, below the arena.
stack stackofg0(uintptr_t size);
void stackfreeg0(stack stk);

// stackarena_contains reports whether p lies in an arena of stacks.  Signal-safe.
bool stackarena_contains(uintptr_t p);
// stack_guardof reports whether addr is in the guard below gp's stack.  Signal-safe.
bool stack_guardof(G *gp, uintptr_t addr);

// For statistics.
typedef struct stackStats {
	uint64_t inuse;    // slots that goroutines or Ps hold
	uint64_t free;     // slots on the global lists
	uint64_t released; // of those, slots whose memory went back to the system
	uint64_t reserved; // bytes of address space
	uint64_t opened;   // bytes that are readable and writable
} stackStats;
void stack_stats(stackStats *s);
// stacks_inuse is MemStats.StackInuse: a page for each slot outside the global lists, or what the
// last scan measured if that is more.
uint64_t stacks_inuse(void);

// The limit that is named in "goroutine stack exceeds N-byte limit": the usable size of gp's slot.
uintptr_t stack_limit(G *gp);

// ---- holding the M, which is to know what a preemption asks for -------------------------------------

// acquirem1 and releasem1 are acquirem and releasem in line, on a goroutine.
static ALWAYS_INLINE M *
acquirem1(void) {
	M *mp = getg()->m;

	mp->locks++;
	return mp;
}

static ALWAYS_INLINE void
releasem1(M *mp) {
	G *gp = getg();

	mp->locks--;
	// In case it was cleared meanwhile.
	if (unlikely(mp->locks == 0 && atomic_LoadRelaxed(&gp->preempt)))
		atomic_StoreRelaxed(&gp->stackguard0, stackPreempt);
}

#endif
