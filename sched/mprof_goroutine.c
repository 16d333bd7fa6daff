// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Profiles of goroutines and threads.  Ports the end of mprof.go of Go 1.26.8.
//
// A goroutine profile shows all goroutines as they are at one moment, without stopping the world for as
// long as it takes to walk all stacks.  The world is stopped for a moment to begin.  After that a
// goroutine cannot go on before its stack has been recorded: the profile's goroutine goes through all of
// them, and whoever is about to run one before it has come there (execute, exitsyscall, the return
// from a stop in place) records that one first.  g->goroutineProfiled says how far it is.  What is
// created meanwhile starts as satisfied: it does not belong to the profile.
//
// The stacks lie one after the other in memory that is reserved for the deepest stacks and touched as
// far as it is used.
#include "sched/mprof_goroutine.h"

#include <sys/mman.h>

#include "runtime/malloc.h"
#include "runtime/os_linux.h"
#include "runtime/panic.h"
#include "runtime/runtime1.h"
#include "sched/preempt.h"
#include "sched/proc.h"
#include "sched/runtime2.h"
#include "sched/sema.h"
#include "sched/traceback.h"

// stackProfile_alloc makes room for n records with stacks of up to depth words.
static bool
stackProfile_alloc(stackProfile *sp, intptr_t n, int depth) {
	memset(sp, 0, sizeof *sp);
	uintptr_t each = sizeof(StackRecord) + (uintptr_t)depth * sizeof(uintptr_t);
	sp->size = alignUp((uintptr_t)n * each, physPageSize);
	int err;
	sp->mem = runtime_mmap(NULL, sp->size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0, &err);
	if (err != 0) {
		sp->mem = NULL;
		return false;
	}
	sp->p = (StackRecord *)(void *)sp->mem;
	return true;
}

void
stackProfile_free(stackProfile *sp) {
	if (sp->mem != NULL) {
		runtime_munmap(sp->mem, sp->size);
		sp->mem = NULL;
	}
}

static struct {
	uint32_t sema;
	stackProfile *sp; // while it is active
	intptr_t max;     // records
	int depth;        // words of a stack
	uintptr_t *stk;   // room for all stacks
	intptr_t next;    // atomic: words used of it
	intptr_t offset;  // atomic: records
} goroutineProfile = {.sema = 1};

// saveg stores the stack of gp, which stands still.
static void
saveg(G *gp, intptr_t offset) {
	uintptr_t pcbuf[maxProfStackDepth];
	int n = gcallers(gp, 0, pcbuf, goroutineProfile.depth);
	uintptr_t *stk =
		goroutineProfile.stk + atomic_Xadd(&goroutineProfile.next, (intptr_t)n) - n;
	memcpy(stk, pcbuf, (uintptr_t)n * sizeof pcbuf[0]);
	goroutineProfile.sp->p[offset] = (StackRecord){stk, n};
	// The array is an object of the heap.  No barrier is needed, as for the samples of the CPU profiler
	// (profbuf.c): the labels were reachable from gp, which drops them with one, and the slot was NULL.
	atomic_StoreRelaxed(&goroutineProfile.sp->labels[offset], gp->labels);
}

// doRecordGoroutineProfile puts gp into the profile, unless it is a system goroutine.
static void
doRecordGoroutineProfile(G *gp) {
	if (isSystemGoroutine(gp, false)) {
		return;
	}
	// One that comes back from a system call is running already, but gets no further than here.
	if (readgstatus(gp) == _Grunning && gp->syscallsp == 0) {
		print("doRecordGoroutineProfile gp1=%lu\n", (unsigned long)gp->goid);
		throw("cannot read stack of running goroutine");
	}
	intptr_t offset = atomic_Xadd(&goroutineProfile.offset, (intptr_t)1) - 1;
	if (offset < goroutineProfile.max) {
		saveg(gp, offset);
	}
}

void
tryRecordGoroutineProfile(G *gp, void (*yield)(void)) {
	uint32_t status = readgstatus(gp);
	if (status == _Gdead || status == _Gidle) {
		// When it comes to life it is satisfied before it is anything else.
		return;
	}
	for (;;) {
		uint32_t prev = atomic_Load(&gp->goroutineProfiled);
		if (prev == goroutineProfileSatisfied) {
			break;
		}
		if (prev == goroutineProfileInProgress) {
			yield();
			continue;
		}
		// Do not leave it in this state.
		M *mp = acquirem();
		if (atomic_Cas(&gp->goroutineProfiled, (uint32_t)goroutineProfileAbsent,
			    (uint32_t)goroutineProfileInProgress)) {
			doRecordGoroutineProfile(gp);
			atomic_Store(&gp->goroutineProfiled, (uint32_t)goroutineProfileSatisfied);
		}
		releasem(mp);
	}
}

static void
tryRecord_each(G *gp, void *arg) {
	(void)arg;
	tryRecordGoroutineProfile(gp, Gosched);
}

static void
clearProfiled_each(G *gp, void *arg) {
	(void)arg;
	atomic_Store(&gp->goroutineProfiled, (uint32_t)goroutineProfileAbsent);
}

static void
saveg_me(void *arg) {
	saveg(arg, 0);
}

bool
goroutineProfileWithLabels(stackProfile *sp) {
	G *ourg = getg();
	semacquire(&goroutineProfile.sema);

	goroutineProfile.depth = max(debug.profstackdepth, 1);
	worldStop stw;
	for (;;) {
		intptr_t room = gcount(false) + 10;
		if (!stackProfile_alloc(sp, room, goroutineProfile.depth)) {
			semrelease(&goroutineProfile.sema);
			return false;
		}
		sp->labels = mallocgc((uintptr_t)room * sizeof(void *), &gort_type_pointer, true);
		goroutineProfile.max = room;
		stw = stopTheWorld(stwGoroutineProfile);
		if (gcount(false) <= room) {
			break;
		}
		startTheWorld(stw); // more have come
		stackProfile_free(sp);
	}

	goroutineProfile.sp = sp;
	goroutineProfile.stk = (uintptr_t *)(void *)(sp->p + goroutineProfile.max);
	goroutineProfile.next = 0;
	systemstack(saveg_me, ourg);
	atomic_Store(&ourg->goroutineProfiled, (uint32_t)goroutineProfileSatisfied);
	atomic_Store(&goroutineProfile.offset, (intptr_t)1);
	(void)atomic_Or(&executeHooks, (uint32_t)executeProfileG);
	startTheWorld(stw);

	// All that existed then.  A goroutine that has come since may be among them; it is satisfied.
	forEachGRace(tryRecord_each, NULL);

	stw = stopTheWorld(stwGoroutineProfileCleanup);
	sp->n = min(atomic_Load(&goroutineProfile.offset), goroutineProfile.max);
	(void)atomic_And(&executeHooks, ~(uint32_t)executeProfileG);
	goroutineProfile.sp = NULL;
	startTheWorld(stw);

	// For the next time.
	forEachGRace(clearProfiled_each, NULL);

	semrelease(&goroutineProfile.sema);
	return true;
}

bool
threadCreateProfile(stackProfile *sp) {
	const int depth = nelem(((M *)0)->createstack);
	intptr_t n = 0;
	M *first = atomic_Load(&allm);
	for (M *mp = first; mp != NULL; mp = mp->alllink) {
		n++;
	}
	if (!stackProfile_alloc(sp, n, depth)) {
		return false;
	}
	uintptr_t *next = (uintptr_t *)(void *)(sp->p + n);
	for (M *mp = first; mp != NULL && sp->n < n; mp = mp->alllink) {
		StackRecord *r = &sp->p[sp->n++];
		r->stk = next;
		while (r->nstk < depth && mp->createstack[r->nstk] != 0) {
			next[r->nstk] = mp->createstack[r->nstk];
			r->nstk++;
		}
		next += r->nstk;
	}
	return true;
}

struct Stack_args {
	char *buf;
	uintptr_t n;
	G *gp;
	bool all;
};

static void
Stack_1(void *arg) {
	struct Stack_args *a = arg;
	M *mp = getg()->m;
	// Whatever GOTRACEBACK says: it is for crashes.
	mp->traceback = 1;
	mp->capwritebuf = a->n;
	mp->nwritebuf = 0;
	mp->writebuf = a->buf;
	goroutineheader(a->gp);
	traceback(~(uintptr_t)0, ~(uintptr_t)0, 0, a->gp);
	if (a->all) {
		tracebackothers(a->gp);
	}
	mp->traceback = 0;
	mp->writebuf = NULL;
	a->n = mp->nwritebuf;
}

uintptr_t
Stack(char *buf, uintptr_t n, bool all) {
	struct Stack_args a = {buf, n, getg(), all};
	worldStop stw = {0};
	if (all) {
		stw = stopTheWorld(stwAllGoroutinesStack);
	}
	if (n > 0) {
		systemstack(Stack_1, &a);
	}
	if (all) {
		startTheWorld(stw);
	}
	return a.n;
}

// gort_stack: see gort.h.
size_t
gort_stack(char *buf, size_t n, bool all) {
	needg();
	return Stack(buf, n, all);
}
