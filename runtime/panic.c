// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Deferred calls, panic, recover, and the end of the process.  Ports panic.go of Go 1.26.8.
//
// gort_defer keeps a record on the stack and in the goroutine's list; leaving the scope takes it off
// and makes the call.  A panic, like Goexit, makes the calls of the list without unwinding: the
// frames stay until the process ends, or until a recovered panic jumps.
//
// PORT: Go finds the frame that deferred the recovering call and returns from it.  C has no way to
// return from somebody else's frame, so a recovered panic goes on at the innermost gort_pcall, and
// what was deferred by the frames in between runs on the way.  The value of a panic is its text.
//
// throw and fatal end the process: message, stacks, status 2.  They work in any context: with locks
// held, on the signal stack, in a second failure while the first is being printed.
#include "runtime/panic.h"

#include <pthread.h>
#include <stdio.h>

#include "runtime/mheap.h"
#include "runtime/os_linux.h"
#include "runtime/print.h"
#include "runtime/runtime1.h"
#include "sched/proc.h"
#include "sched/runtime2.h"
#include "sched/signal_unix.h"
#include "sched/traceback.h"
#include "sched/traceruntime.h"

_Static_assert(sizeof(_defer) == sizeof(gort_deferred) &&
		       offsetof(_defer, fn) == offsetof(gort_deferred, call) &&
		       offsetof(_defer, pc) == offsetof(gort_deferred, pc),
	"_defer is gort_deferred");

// callerbp is the frame pointer of the caller of the function it stands in.
#define callerbp() (*(uintptr_t *)__builtin_frame_address(0))

// ---- panics that the machine raises -----------------------------------------------------------------

// panicCheck2 is for panics that come from signals: those in malloc are faults of the runtime.
void
panicCheck2(const char *err) {
	G *gp = getg();
	if (gp != NULL && gp->m != NULL && gp->m->mallocing != 0)
		throw(err);
}

_Noreturn void
panicdivide(void) {
	panicCheck2("integer divide by zero");
	gopanic("runtime error: integer divide by zero");
}

_Noreturn void
panicoverflow(void) {
	panicCheck2("integer overflow");
	gopanic("runtime error: integer overflow");
}

_Noreturn void
panicfloat(void) {
	panicCheck2("floating point error");
	gopanic("runtime error: floating point error");
}

_Noreturn void
panicmem(void) {
	panicCheck2("invalid memory address or nil pointer dereference");
	gopanic("runtime error: invalid memory address or nil pointer dereference");
}

// panicmemAddr: Go's error has the address, too, but does not print it.
_Noreturn void
panicmemAddr(uintptr_t addr) {
	panicmem();
}

// ---- deferred calls ---------------------------------------------------------------------------------

// gort_defer_push puts d, whose call is set, on the goroutine's list.
void
gort_defer_push(gort_deferred *d) {
	G *gp = getg();
	if (unlikely(gp == NULL))
		foreigncall();
	if (unlikely(gp->m->curg != gp))
		throw("defer on system stack");
	d->link = (gort_deferred *)gp->_defer;
	d->pc = __builtin_return_address(0);
	gp->_defer = (_defer *)d;
}

// gort_defer_pop takes d off and makes its call: its scope is being left.
void
gort_defer_pop(gort_deferred *d) {
	G *gp = getg();
	if (unlikely(gp->_defer != (_defer *)d))
		throw("defer list out of order");
	gp->_defer = (_defer *)d->link;
	call_run(&d->call);
}

// popDefer takes the head of gp's list off and makes its call.  Inlined, so that the caller of the
// deferred function is the one whose name means something in a trace.
static ALWAYS_INLINE void
popDefer(G *gp) {
	_defer *d = gp->_defer;
	gp->_defer = d->link;
	call_run(&d->fn);
}

_Noreturn void
Goexit(void) {
	// The record tells a recovered panic in a deferred call that it may not jump past us.
	_panic p = {.goexit = true};
	p.link = getg()->_panic;
	// A recovered panic comes back here.
	_setjmp(p.env);
	G *gp = getg();
	gp->_panic = &p;
	while (gp->_defer != NULL)
		popDefer(gp);
	goexit1();
}

void
gort_goexit(void) {
	needg();
	Goexit();
}

// ---- panic ------------------------------------------------------------------------------------------

uint32_t runningPanicDefers;
uint32_t panicking;
mutex paniclk;
// PORT: Go holds the lock of print instead, for which whoever prints a panic meanwhile, with paniclk
// held, waits for ever.
mutex fatallk;
mutex deadlock;
static bool didothers; // protected by paniclk

// preprintpanics finds panics that only passed on the text of an earlier one.
static void
preprintpanics(_panic *p) {
	for (; p != NULL; p = p->link) {
		if (p->link != NULL && p->link->arg == p->arg)
			p->link->repanicked = true;
	}
}

// printpanics prints those under way, the earliest first.
void
printpanics(_panic *p) {
	if (p->link != NULL) {
		printpanics(p->link);
		if (p->link->repanicked)
			return;
		if (!p->link->goexit)
			print("\t");
	}
	if (p->goexit)
		return;
	print("panic: ");
	printindented(p->arg);
	if (p->recovered && p->repanicked)
		print(" [recovered, repanicked]");
	else if (p->recovered)
		print(" [recovered]");
	print("\n");
}

// panicthrow is a panic where there can be none.
static COLD _Noreturn void
panicthrow(const char *s, const char *why) {
	print("panic: ");
	printindented(s);
	print("\n");
	throw(why);
}

// recoverable finds where the panic p would go on after it was recovered: the goexit whose deferred
// call p came from, or a pcall.  false: nowhere.
static bool
recoverable(G *gp, _panic *p, _panic **goexit) {
	pcall *c = gp->pcall;
	_panic *end = c == NULL ? NULL : c->_panic;
	*goexit = NULL;
	if (p == end)
		return false; // p was under way when the pcall began
	for (_panic *q = p->link; q != end; q = q->link) {
		if (q->goexit) {
			*goexit = q;
			return true;
		}
	}
	return c != NULL;
}

// recovery leaves the recovered panic p and whatever it came from.
static _Noreturn void
recovery(G *gp, _panic *p) {
	_panic *goexit;
	if (!recoverable(gp, p, &goexit))
		throw("recovery failed");
	_panic *end = goexit != NULL ? goexit : gp->pcall->_panic;
	for (_panic *q = p; q != end; q = q->link)
		atomic_Xadd(&runningPanicDefers, (uint32_t)-1);
	gp->_panic = end;
	if (end == NULL)
		gp->sig = 0; // must be done with a signal

	if (goexit != NULL)
		_longjmp(goexit->env, 1);

	// The frames up to the pcall will not leave their scopes: do it for them.
	pcall *c = gp->pcall;
	c->arg = p->arg;
	while (gp->_defer != c->_defer)
		popDefer(gp);
	_longjmp(c->env, 1);
}

_Noreturn NOINLINE void
gopanic(const char *s) {
	G *gp = getg();
	if (gp == NULL)
		foreigncall();
	if (gp->m == NULL || gp->m->curg != gp)
		panicthrow(s, "panic on system stack");
	if (gp->m->mallocing != 0)
		panicthrow(s, "panic during malloc");
	if (gp->m->preemptoff != NULL) {
		print("panic: ");
		printindented(s);
		print("\npreempt off reason: %s\n", gp->m->preemptoff);
		throw("panic during preemptoff");
	}
	if (gp->m->locks != 0)
		panicthrow(s, "panic holding locks");

	_panic p = {.arg = s, .link = gp->_panic};
	gp->_panic = &p;
	atomic_Xadd(&runningPanicDefers, 1);

	while (gp->_defer != NULL) {
		popDefer(gp);
		if (gp->_panic != &p)
			throw("bad panic stack");
		if (p.recovered)
			recovery(gp, &p);
	}

	// What led to this is what a trace is for: let it be readable up to here.
	if (traceEnabled() && !traceIsReader()) {
		trace_atexit();
		traceAdvance(false);
	}

	preprintpanics(&p);
	fatalpanic(&p);
}

void
gort_panic(const char *fmt, ...) {
	// The text outlives this frame if it is recovered.
	char *s = NULL;
	G *gp = getg();
	if (gp != NULL && gp->m->curg == gp && gp->m->mallocing == 0 && gp->m->locks == 0) {
		M *mp = acquirem();
		va_list ap;
		va_start(ap, fmt);
		int n = vsnprintf(NULL, 0, fmt, ap);
		va_end(ap);
		releasem(mp);
		if (n >= 0) {
			s = gort_alloc((size_t)n + 1, GORT_NOSCAN);
			mp = acquirem();
			va_start(ap, fmt);
			vsnprintf(s, (size_t)n + 1, fmt, ap);
			va_end(ap);
			releasem(mp);
		}
	}
	gopanic(s != NULL ? s : fmt);
}

const char *
gort_recover(void) {
	needg();
	G *gp = getg();
	_panic *p = gp->_panic;
	_panic *goexit;
	if (p == NULL || p->goexit || p->recovered || !recoverable(gp, p, &goexit))
		return NULL;
	p->recovered = true;
	return p->arg;
}

const char *
gort_pcall(void (*f)(void *arg), void *arg) {
	needg();
	G *gp = getg();
	pcall c = {.link = gp->pcall, ._defer = gp->_defer, ._panic = gp->_panic};
	gp->pcall = &c;
	if (_setjmp(c.env) == 0)
		f(arg);
	getg()->pcall = c.link;
	return c.arg;
}

// ---- the end of the process ---------------------------------------------------------------------------

static bool isforked; // this process is a child that fork made

// foreigncall: nothing is printed by way of locks, the child of a fork may have them locked for ever.
COLD NOINLINE _Noreturn void
foreigncall(void) {
	static const char early[] = "fatal error: gort: call before gort_run\n";
	static const char child[] = "fatal error: gort: call in the child of a fork\n";
	static const char foreign[] =
		"fatal error: gort: call on a thread that the runtime did not make\n";
	if (isforked)
		runtime_write(2, child, sizeof child - 1);
	else if (m0.g0 == NULL)
		runtime_write(2, early, sizeof early - 1);
	else
		runtime_write(2, foreign, sizeof foreign - 1);
	runtime_exit(2);
}

// forkedchild: the other threads are not there, and locks of the runtime may be held by them.
static void
forkedchild(void) {
	isforked = true;
	setg(NULL);
	settlsmcache(NULL);
}

void
forkinit(void) {
	pthread_atfork(NULL, NULL, forkedchild);
}

// throw_early is throw before there is a goroutine, or on a thread that has none.
static COLD _Noreturn void
throw_early(void) {
	runtime_exit(2);
}

_Noreturn NOINLINE void throw(const char *s) {
	printlock(); // two threads may run out of the same thing at once
	print("fatal error: ");
	printindented(s);
	print("\n");
	printunlock();
	fatalthrow(throwTypeRuntime);
}

// printPreFatalDeferPanic prints the panics in whose deferred calls a fatal error comes.
static void
printPreFatalDeferPanic(_panic *p) {
	preprintpanics(p);
	if (p != NULL) {
		printpanics(p);
		print("\t");
	}
}

_Noreturn NOINLINE void
fatal(const char *s) {
	G *gp = getg();
	// Reports of several threads shall not mix.
	if (gp != NULL && gp->m != NULL && gp->m->throwing == throwTypeNone)
		lock(&fatallk);
	printlock();
	if (gp != NULL)
		printPreFatalDeferPanic(gp->_panic);
	print("fatal error: ");
	printindented(s);
	print("\n");
	printunlock();
	fatalthrow(throwTypeUser);
}

struct fatal_args {
	G *gp;
	uintptr_t pc;
	uintptr_t sp;
	uintptr_t bp;
	_panic *msgs;
	bool docrash;
};

static void
fatalthrow_1(void *arg) {
	struct fatal_args *a = arg;
	if (isSecureMode())
		runtime_exit(2);
	startpanic_m();
	if (dopanic_m(a->gp, a->pc, a->sp, a->bp))
		crash();
	runtime_exit(2);
}

// fatalthrow freezes the system, prints the stacks from its caller on, and ends the process.
_Noreturn NOINLINE void
fatalthrow(int t) {
	struct fatal_args a = {
		.gp = getg(), .pc = getcallerpc(), .sp = getcallersp(), .bp = callerbp()};
	if (a.gp == NULL || a.gp->m == NULL)
		throw_early();
	if (a.gp->m->throwing == throwTypeNone)
		a.gp->m->throwing = t;
	// The stack may be short.
	systemstack(fatalthrow_1, &a);
	__builtin_trap();
}

static void
fatalpanic_1(void *arg) {
	struct fatal_args *a = arg;
	if (startpanic_m() && a->msgs != NULL) {
		// panicking keeps main from exiting now.
		atomic_Xadd(&runningPanicDefers, (uint32_t)-1);
		printpanics(a->msgs);
	}
	a->docrash = dopanic_m(a->gp, a->pc, a->sp, a->bp);
}

// fatalpanic is fatalthrow for a panic that nobody recovered.
_Noreturn NOINLINE void
fatalpanic(_panic *msgs) {
	struct fatal_args a = {.gp = getg(),
		.pc = getcallerpc(),
		.sp = getcallersp(),
		.bp = callerbp(),
		.msgs = msgs};
	systemstack(fatalpanic_1, &a);
	if (a.docrash)
		crash();
	runtime_exit(2);
}

// startpanic_m prepares for the end.  false: things are so bad that only stacks are to be printed.
// The M may be without a P.
bool
startpanic_m(void) {
	M *mp = getg()->m;
	if (mheap_.cachealloc.size == 0) // very early
		print("runtime: panic before malloc heap initialized\n");
	// From now on an allocation is a failure of its own.
	mp->mallocing++;

	// If the number of locks is what is wrong, do not fail over it again.
	if (mp->locks < 0)
		mp->locks = 1;

	switch (mp->dying) {
	case 0:
		mp->dying = 1;
		atomic_Xadd(&panicking, 1);
		lock(&paniclk);
		if (debug.schedtrace > 0 || debug.scheddetail > 0)
			schedtrace(true);
		freezetheworld();
		return true;
	case 1:
		// Something failed while we were at it.
		mp->dying = 2;
		print("panic during panic\n");
		return false;
	case 2:
		// Not even the stack could be printed.
		mp->dying = 3;
		print("stack trace unavailable\n");
		runtime_exit(4);
	default:
		runtime_exit(5);
	}
}

// dopanic_m: gp is the goroutine that failed, perhaps not the one that runs now, which is g0.
bool
dopanic_m(G *gp, uintptr_t pc, uintptr_t sp, uintptr_t bp) {
	if (gp->sig != 0) {
		const char *name = signame(gp->sig);
		if (name != NULL)
			print("[signal %s", name);
		else
			print("[signal %#x", gp->sig);
		print(" code=%#lx addr=%#lx pc=%#lx]\n", gp->sigcode0, gp->sigcode1, gp->sigpc);
	}

	bool all;
	bool docrash;
	int32_t level = gotraceback(&all, &docrash);
	if (level > 0) {
		if (gp != gp->m->curg)
			all = true;
		if (gp != gp->m->g0) {
			print("\n");
			goroutineheader(gp);
			traceback(pc, sp, bp, gp);
		} else if (level >= 2 || gp->m->throwing >= throwTypeRuntime) {
			print("\nruntime stack:\n");
			traceback(pc, sp, bp, gp);
		}
		if (!didothers && all) {
			didothers = true;
			tracebackothers(gp);
		}
	}
	unlock(&paniclk);

	if (atomic_Xadd(&panicking, (uint32_t)-1) != 0) {
		// Another M has something to print, too, and will exit.  Wait without end.
		lock(&deadlock);
		lock(&deadlock);
	}
	return docrash;
}

// canpanic: gp runs user code, and nothing of the runtime that a panic would leave half done.
bool
canpanic(void) {
	G *gp = getg();
	M *mp = gp->m;
	if (gp != mp->curg)
		return false;
	if (mp->locks != 0 || mp->mallocing != 0 || mp->throwing != throwTypeNone ||
		mp->preemptoff != NULL || mp->dying != 0)
		return false;
	uint32_t status = readgstatus(gp);
	return (status & ~(uint32_t)_Gscan) == _Grunning && gp->syscallsp == 0;
}
