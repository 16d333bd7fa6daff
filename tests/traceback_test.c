// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Names, stack traces, and the texts of faults.
#include "tests/support/crash.h"

#include <errno.h>
#include <signal.h>

#include "runtime/gort.h"
#include "sched/proc.h"
#include "sched/signal_unix.h"
#include "sched/symtab.h"
#include "sched/traceback.h"

static char buf[1 << 16];
static volatile int sink;

// ---- names ----------------------------------------------------------------------------------------------

__attribute__((noinline)) static void
named(void) {
	sink = 1;
}

// isname checks the name of the function around pc.
static void
isname(const void *fn, const char *want) {
	char name[128];
	funcnameFromPC((uintptr_t)fn + 1, name, sizeof name);
	if (strcmp(name, want) != 0) {
		printf("name %s, want %s\n", name, want);
		CHECK(!"wrong name");
	}
}

static void
names(void) {
	isname((void *)named, "main.named");
	isname((void *)gopark, "runtime.gopark");
	isname((void *)gort_gc, "runtime.GC");
	isname((void *)gort_sleep, "time.Sleep");
	isname((void *)gort_mutex_lock, "sync.(*Mutex).Lock");
	isname((void *)randomOrder_reset, "runtime.(*randomOrder).reset");
	isname((void *)gort_chansend, "runtime.chansend1");
	char name[128];
	CHECK(funcnameFromPC(0, name, sizeof name) == 0);
	CHECK(funcnameFromPC((uintptr_t)&sink, name, sizeof name) == 0);
	CHECK(isRuntimePC((uintptr_t)gopark));
	CHECK(!isRuntimePC((uintptr_t)named));
	CHECK(!isRuntimePC((uintptr_t)strlen));
}

Test(Symtab, Names) {
	RUN(names);
}

static void
lines(void) {
	int line;
	CHECK(funcline((uintptr_t)named, buf, sizeof buf, &line));
	CHECK(strstr(buf, "tests/traceback_test.c") != NULL);
	CHECK(line >= 20 && line <= 26); // where named stands
	CHECK(!funcline(0, buf, sizeof buf, &line));
}

Test(Symtab, Lines) {
	RUN(lines);
}

// ---- callers ----------------------------------------------------------------------------------------------

static uintptr_t pcs[64];
static int npcs;

__attribute__((noinline)) static void
inner(int skip) {
	npcs = callers(skip, pcs, (int)(sizeof pcs / sizeof pcs[0]));
	sink++;
}

__attribute__((noinline)) static void
outer(int skip) {
	inner(skip);
	sink++;
}

// pcname checks the function of a return address.
static void
pcname(int i, const char *want) {
	isname((void *)(pcs[i] - 2), want);
}

static void
testcallers(void) {
	outer(0);
	CHECK(npcs >= 3);
	pcname(0, "main.inner");
	pcname(1, "main.outer");
	pcname(2, "main.testcallers");
	outer(1);
	pcname(0, "main.outer");
}

Test(Traceback, Callers) {
	RUN(testcallers);
}

static void
sleeper(gort_hchan *c) {
	int x;
	gort_chanrecv(c, &x);
	sink++;
}

static void
findsleeper_1(G *gp, void *arg) {
	if (gp->startpc == (uintptr_t)sleeper)
		*(G **)arg = gp;
}

static void
testgcallers(void) {
	gort_chan(int) c = gort_chan_make(int, 0);
	gort_go(sleeper, (gort_hchan *)(void *)c);
	G *gp = NULL;
	while (gp == NULL || readgstatus(gp) != _Gwaiting) {
		gort_yield();
		forEachG(findsleeper_1, &gp);
	}
	int n = gcallers(gp, 0, pcs, 64);
	CHECK(n >= 2);
	bool seen = false;
	char name[128];
	for (int i = 0; i < n; i++) {
		funcnameFromPC(pcs[i] - 1, name, sizeof name);
		seen |= strcmp(name, "main.sleeper") == 0;
	}
	CHECK(seen);
	gort_chan_send(c, 1);
}

Test(Traceback, GCallers) {
	RUN(testgcallers);
}

// ---- faults --------------------------------------------------------------------------------------------------

__attribute__((noinline, no_sanitize("undefined"))) static void
storenil(int *p) {
	*p = 1;
	sink++;
}

static void
nilpointer(void) {
	storenil(NULL);
	sink++;
}

Test(Crash, NilPointer) {
	int status = crash_child(nilpointer, NULL, NULL, buf, sizeof buf);
	cr_assert(EXITED(status, 2), "%s", buf);
	cr_assert(
		strstr(buf,
			"panic: runtime error: invalid memory address or nil pointer dereference\n"
			"[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x") != NULL,
		"%s", buf);
	cr_assert(strstr(buf, "]\n\ngoroutine 1 [running]:\nmain.storenil(...)\n"), "%s", buf);
	cr_assert(strstr(buf, "\nmain.nilpointer(...)\n"), "%s", buf);
}

static void
wildpointer(void) {
	storenil((int *)0x123456789000);
}

Test(Crash, UnexpectedFault) {
	int status = crash_child(wildpointer, NULL, NULL, buf, sizeof buf);
	cr_assert(EXITED(status, 2), "%s", buf);
	cr_assert(strstr(buf, "unexpected fault address 0x123456789000\nfatal error: fault\n"
			      "[signal SIGSEGV: segmentation violation code=0x1 "
			      "addr=0x123456789000 pc=0x") != NULL,
		"%s", buf);
	cr_assert(strstr(buf, " [running]:\nruntime.throw(...)\n"), "%s", buf);
	cr_assert(strstr(buf, "\nmain.storenil(...)\n"), "%s", buf);
}

__attribute__((no_sanitize("undefined"))) static void
divide(void) {
	static volatile int zero;
	sink = 10 / zero;
	sink++;
}

Test(Crash, Divide) {
	int status = crash_child(divide, NULL, NULL, buf, sizeof buf);
	cr_assert(EXITED(status, 2), "%s", buf);
	cr_assert(strstr(buf, "panic: runtime error: integer divide by zero\n"
			      "[signal SIGFPE: floating-point exception code=0x1 addr=0x") != NULL,
		"%s", buf);
	cr_assert(strstr(buf, "\nmain.divide(...)\n"), "%s", buf);
}

static void
nilfunction(void) {
	void (*volatile f)(void) = NULL;
	f();
	sink++;
}

Test(Crash, NilFunction) {
	int status = crash_child(nilfunction, NULL, NULL, buf, sizeof buf);
	cr_assert(EXITED(status, 2), "%s", buf);
	cr_assert(
		strstr(buf, "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x0]\n\n"
			    "goroutine 1 [running]:\nmain.nilfunction(...)\n"),
		"%s", buf);
}

static const char *recovered;

static void
dorecover(void) {
	recovered = gort_recover();
}

static void
faulty(void *p) {
	gort_defer(dorecover);
	storenil(p);
}

static void
recoverfault(void) {
	const char *s = gort_pcall(faulty, NULL);
	CHECK(s != NULL &&
		strcmp(s, "runtime error: invalid memory address or nil pointer dereference") == 0);
	CHECK(recovered != NULL);
	// And once more: signals are not blocked.
	CHECK(gort_pcall(faulty, NULL) != NULL);
}

Test(Crash, RecoverFault) {
	RUN(recoverfault);
}

static uint32_t spinning; // atomic

static void
spin(void) {
	for (;;)
		__atomic_store_n(&spinning, 1, __ATOMIC_RELAXED);
}

static void
quit(void) {
	gort_chan(int) c = gort_chan_make(int, 0);
	gort_gomaxprocs(2);
	gort_go(sleeper, (gort_hchan *)(void *)c);
	gort_go(spin);
	while (__atomic_load_n(&spinning, __ATOMIC_RELAXED) == 0)
		gort_yield();
	gort_sleep(1000000);
	kill(getpid(), SIGQUIT);
	gort_sleep(INT64_C(3600000000000));
}

Test(Crash, Quit) {
	int status = crash_child(quit, NULL, NULL, buf, sizeof buf);
	cr_assert(EXITED(status, 2), "%s", buf);
	cr_assert(strstr(buf, "SIGQUIT: quit\nPC=0x") != NULL, "%s", buf);
	cr_assert(strstr(buf, " sigcode="), "%s", buf);
	cr_assert(strstr(buf, " [chan receive]:\n"), "%s", buf);
	cr_assert(strstr(buf, "\nmain.sleeper(...)\n"), "%s", buf);
	cr_assert(strstr(buf, "\ncreated by main.quit in goroutine 1\n"), "%s", buf);
	cr_assert(strstr(buf, "\nrax    0x"), "%s", buf);
	cr_assert(strstr(buf, "\ngs     0x"), "%s", buf);
}

static void
aborts(void) {
	abort();
	sink++;
}

Test(Crash, AbortWithCore) {
	// GOTRACEBACK=crash ends with the signal of a core dump, after every M has printed its stack.
	int status = crash_child(aborts, "GOTRACEBACK", "crash", buf, sizeof buf);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%#x: %s", status, buf);
	cr_assert(strstr(buf, "SIGABRT: abort\nPC=0x") != NULL, "%s", buf);
	cr_assert(strstr(buf, "\n-----\n\n"), "%s", buf);
	// Through libc, which has no frame pointers.
	const char *p = strstr(buf, "\nlibc.abort(...)\n");
	cr_assert(p != NULL && strstr(p, "\nmain.aborts(...)\n"), "%s", buf);
}

static void
brokenpipe(void) {
	int fds[2];
	CHECK(pipe(fds) == 0);
	close(fds[0]);
	CHECK(write(fds[1], "x", 1) == -1 && errno == EPIPE); // not killed
	dup2(fds[1], 1);
	CHECK(write(1, "x", 1) == 0); // killed
}

Test(Crash, BrokenPipe) {
	int status = crash_child(brokenpipe, NULL, NULL, buf, sizeof buf);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE, "%#x: %s", status, buf);
}

Test(Signal, Names) {
	cr_assert_str_eq(signame(SIGSEGV), "SIGSEGV: segmentation violation");
	cr_assert_str_eq(signame(SIGQUIT), "SIGQUIT: quit");
	cr_assert_str_eq(signame(64), "signal 64");
	cr_assert_null(signame(65));
}
