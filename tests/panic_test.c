// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Deferred calls, panics and the last words of a process.
#include "runtime/panic.h"

#include "runtime/gort.h"
#include "sched/proc.h"
#include "tests/support/death.h"
#include "tests/support/support.h"

static char trail[100];

static void
mark(const char *s) {
	strcat(trail, s);
}

static void
inner(int n) {
	gort_defer(mark, "a");
	for (int i = 0; i < n; i++) {
		gort_defer(mark, "b"); // until the end of the block
		mark("x");
	}
	gort_defer(mark, "c");
	if (n > 1)
		return;
	mark("d");
}

static void
deferred(void) {
	inner(0);
	CHECK(strcmp(trail, "dca") == 0);
	trail[0] = 0;
	inner(1);
	CHECK(strcmp(trail, "xbdca") == 0);
	trail[0] = 0;
	inner(2);
	CHECK(strcmp(trail, "xbxbca") == 0);
	CHECK(getg()->_defer == NULL);
}

Test(Defer, Order) {
	RUN(deferred);
}

static void
recover_(void) {
	const char *s = gort_recover();
	mark(s != NULL ? s : "-");
}

static void
thrower(void *arg) {
	gort_defer(mark, "1");
	gort_defer(recover_);
	gort_defer(mark, "2");
	if (arg != NULL)
		gort_panic("%s", (const char *)arg);
}

static void
outer(void *arg) {
	gort_defer(mark, "0");
	thrower(arg);
	mark("not reached");
}

static void
recovered(void) {
	// The calls deferred before and after the recovering one run, then the pcall returns.
	const char *s = gort_pcall(outer, (void *)(uintptr_t) "x");
	CHECK(s != NULL && strcmp(s, "x") == 0);
	CHECK(strcmp(trail, "2x10") == 0);
	CHECK(getg()->_panic == NULL && getg()->_defer == NULL && getg()->pcall == NULL);
	CHECK(runningPanicDefers == 0);

	trail[0] = 0;
	CHECK(gort_pcall(thrower, NULL) == NULL);
	CHECK(strcmp(trail, "2-1") == 0);
	CHECK(gort_recover() == NULL);
}

Test(Panic, Recover) {
	RUN(recovered);
}

static void
again(void) {
	gort_recover();
	gort_panic("second");
}

static void
replaced(void *arg) {
	gort_defer(recover_);
	gort_defer(again);
	gort_panic("first");
}

static void
nestedPcall(void *arg) {
	// A pcall inside of a deferred call cannot recover the panic outside.
	CHECK(gort_pcall((void (*)(void *))recover_, NULL) == NULL);
	CHECK(gort_pcall(replaced, NULL) != NULL);
}

static void
nested(void *arg) {
	gort_defer(recover_);
	gort_defer(nestedPcall, NULL);
	gort_panic("outer");
}

static void
recoveredTwice(void) {
	const char *s = gort_pcall(replaced, NULL);
	CHECK(s != NULL && strcmp(s, "second") == 0);
	CHECK(strcmp(trail, "second") == 0);
	CHECK(getg()->_panic == NULL && runningPanicDefers == 0);

	trail[0] = 0;
	s = gort_pcall(nested, NULL);
	CHECK(s != NULL && strcmp(s, "outer") == 0);
	CHECK(strcmp(trail, "-secondouter") == 0);
	CHECK(getg()->_panic == NULL && runningPanicDefers == 0);
}

Test(Panic, Nested) {
	RUN(recoveredTwice);
}

static gort_waitgroup wg;

static void
done(void) {
	gort_waitgroup_done(&wg);
}

static void
panics(int how) {
	if (how == 1)
		gort_panic("in goexit");
}

static void
exits(int how) {
	gort_defer(done);
	gort_defer(mark, "z");
	gort_defer(recover_); // a recovered panic does not stop Goexit
	gort_defer(panics, how);
	gort_defer(recover_); // no panic yet
	gort_goexit();
}

static void
goexit(void) {
	for (int how = 0; how < 2; how++) {
		trail[0] = 0;
		gort_waitgroup_add(&wg, 1);
		gort_go(exits, how);
		gort_waitgroup_wait(&wg);
		CHECK(strcmp(trail, how == 0 ? "--z" : "-in goexitz") == 0);
	}
	CHECK(runningPanicDefers == 0);
}

Test(Goexit, Deferred) {
	RUN(goexit);
}

// ---- last words ---------------------------------------------------------------------------------------

static void
plain(void) {
	gort_panic("a %s\nb", "x");
}

static void
deferPanics(void) {
	gort_panic("two");
}

static void
two(void) {
	gort_defer(deferPanics);
	gort_panic("one");
}

static void
recoveredThenPanic(void) {
	gort_defer(again);
	gort_panic("first");
}

static void
recoverNowhere(void) {
	gort_defer(recover_); // there is no pcall
	gort_panic("lost");
}

static void
fatals(void) {
	fatal("all is lost");
}

static void
fatalInDefer(void) {
	gort_defer(fatals);
	gort_panic("one");
}

static void
throws(void) {
	throw("line one\nline two");
}

static void
locked(void) {
	acquirem();
	gort_panic("no way");
}

static void
onSystemStack1(void *arg) {
	gopanic("here");
}

static void
onSystemStack(void) {
	systemstack(onSystemStack1, NULL);
}

// A failure of the runtime, which cannot be stopped, while a panic is being printed.
static void
failsToo(void) {
	acquirem();
	while (atomic_Load(&panicking) == 0)
		;
	fatal("second");
}

static void
twoThreads(void) {
	gort_gomaxprocs(2);
	gort_go(failsToo);
	gort_sleep(GORT_MS);
	gort_panic("first");
}

__attribute__((no_sanitize("undefined"))) static void
null(void) {
	*(volatile int *)0 = 1;
}

Test(Panic, LastWords) {
	expectDeath(plain, "panic: a x\n\tb\n\ngoroutine 1 [running]:\nmain.plain(...)\n");
	expectDeath(two, "panic: one\n\tpanic: two\n\ngoroutine 1 [running]:\n");
	expectDeath(
		recoveredThenPanic, "panic: first\n\tpanic: second\n\ngoroutine 1 [running]:\n");
	expectDeath(recoverNowhere, "panic: lost\n\ngoroutine 1 [running]:\n");
	expectDeath(fatals, "fatal error: all is lost\n\ngoroutine 1 ");
	expectDeath(fatalInDefer, "panic: one\n\tfatal error: all is lost\n");
	expectDeath(twoThreads, "fatal error: second\n");
	expectDeath(throws, "fatal error: line one\n\tline two\n\ngoroutine 1 ");
	expectDeath(locked, "panic: no way\nfatal error: panic holding locks\n");
	expectDeath(onSystemStack, "panic: here\nfatal error: panic on system stack\n");
	expectDeath(null,
		"panic: runtime error: invalid memory address or nil pointer dereference\n"
		"[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=");
}
