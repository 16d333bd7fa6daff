// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Profiles of goroutines and threads.  Ports the end of mprof.go of Go 1.26.8.
//
// The stacks of all goroutines are taken in one pause.  They lie one after the other in memory that is
// reserved for the deepest stacks and touched as far as it is used.
//
// PORT: Go takes most stacks after the pause, each before its goroutine goes on; that costs a look in
// the scheduler each time a goroutine is run, and is Go's second way to do it.  This is its first,
// goroutineProfileWithLabelsSync.
#include "sched/mprof_goroutine.h"

#include <sys/mman.h>

#include "runtime/malloc.h"
#include "runtime/mbarrier.h"
#include "runtime/os_linux.h"
#include "runtime/panic.h"
#include "runtime/runtime1.h"
#include "sched/preempt.h"
#include "sched/proc.h"
#include "sched/runtime2.h"
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

struct saveg_args {
	stackProfile *sp;
	intptr_t max; // records
	int depth;
	uintptr_t *next; // free words
	G *me;
};

// saveg takes the stack of gp, which stands still.  On g0.
static void
saveg(G *gp, struct saveg_args *a) {
	stackProfile *sp = a->sp;
	StackRecord *r = &sp->p[sp->n];
	r->stk = a->next;
	r->nstk = gcallers(gp, 0, a->next, a->depth);
	a->next += r->nstk;
	// labels is an object of the heap.
	wbstore(&sp->labels[sp->n], gp->labels);
	sp->n++;
}

static void
saveg_other(G *gp, void *arg) {
	struct saveg_args *a = arg;
	uint32_t status = readgstatus(gp) & ~(uint32_t)_Gscan;
	if (gp == a->me || status == _Gdead || status == _Gidle || isSystemGoroutine(gp, false) ||
		a->sp->n == a->max) {
		return;
	}
	saveg(gp, a);
}

// saveg_all is on g0, the world stopped.
static void
saveg_all(void *arg) {
	struct saveg_args *a = arg;
	saveg(a->me, a);
	forEachGRace(saveg_other, a);
}

bool
goroutineProfileWithLabels(stackProfile *sp) {
	struct saveg_args a = {.sp = sp, .me = getg(), .depth = max(debug.profstackdepth, 1)};
	for (;;) {
		a.max = gcount(false) + 10;
		if (!stackProfile_alloc(sp, a.max, a.depth)) {
			return false;
		}
		a.next = (uintptr_t *)(void *)(sp->p + a.max);
		sp->labels = mallocgc((uintptr_t)a.max * sizeof(void *), &gort_type_pointer, true);
		worldStop stw = stopTheWorld(stwGoroutineProfile);
		bool fits = gcount(false) <= a.max;
		if (fits) {
			systemstack(saveg_all, &a);
		}
		startTheWorld(stw);
		if (fits) {
			return true;
		}
		stackProfile_free(sp); // more have come
	}
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
