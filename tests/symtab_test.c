// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Frames of inlined calls, names, mappings; walks over frame pointers that are not what they seem.
#include "tests/support/support.h"

#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "runtime/gort.h"
#include "sched/proc.h"
#include "sched/symtab.h"
#include "sched/traceback.h"

static volatile int sink;
static uintptr_t here;
static symFrame frames[8];
static int innermostline, middleline, physicalline;

// ---- inlined calls ----------------------------------------------------------------------------------------

static inline __attribute__((always_inline)) void
innermost(void) {
	innermostline = __LINE__ + 1;
	__asm__ volatile("leaq 0(%%rip), %0" : "=r"(here));
	sink++;
}

static inline __attribute__((always_inline)) void
middle(void) {
	middleline = __LINE__ + 1;
	innermost();
	sink++;
}

__attribute__((noinline)) static void
physical(void) {
	sink++;
	physicalline = __LINE__ + 1;
	middle();
	sink++;
}

static void
isframe(int i, const char *func, int line, bool inlined) {
	if (strcmp(frames[i].func, func) != 0 || frames[i].line != line)
		printf("frame %d: %s %s:%d\n", i, frames[i].func, frames[i].file, frames[i].line);
	CHECK(strcmp(frames[i].func, func) == 0);
	CHECK(frames[i].line == line);
	CHECK(frames[i].inlined == inlined);
	CHECK(strstr(frames[i].file, "tests/symtab_test.c") != NULL);
}

static void
testinlined(void) {
	physical();
	int n = symframes(here - 1, frames, 8);
	CHECK(n == 3);
	isframe(0, "main.innermost", innermostline, true);
	isframe(1, "main.middle", middleline, true);
	isframe(2, "main.physical", physicalline, false);
	CHECK(frames[0].pc == here - 1);
	CHECK(frames[1].pc != frames[0].pc && frames[2].pc != frames[1].pc &&
		frames[2].pc != frames[0].pc);
	for (int i = 0; i < n; i++) {
		CHECK(frames[i].entry == (uintptr_t)physical);
		// It names its site each time.
		symFrame fr;
		CHECK(symframe(here - 1, i, &fr) &&
			memcmp(&fr.pc, &frames[i].pc, sizeof fr.pc) == 0);
		CHECK(strcmp(fr.func, frames[i].func) == 0 && fr.line == frames[i].line);
	}
	symFrame fr;
	CHECK(!symframe(here - 1, 3, &fr));
	// With little room, the innermost ones.
	CHECK(symframes(here - 1, frames, 1) == 1);
	isframe(0, "main.innermost", innermostline, true);
	CHECK(symframes(here - 1, frames, 0) == 0);
	CHECK(symframes(0, frames, 8) == 0);
	CHECK(symframes((uintptr_t)&sink, frames, 8) == 0);
}

Test(Symtab, Inlined) {
	RUN(testinlined);
}

// ---- names ------------------------------------------------------------------------------------------------

int closure(void) __asm__("main.testnames.func1");
__attribute__((noinline)) int
closure(void) {
	return ++sink;
}

static void
isname(void *fn, const char *want) {
	char name[128];
	funcnameFromPC((uintptr_t)fn, name, sizeof name);
	if (strcmp(name, want) != 0)
		printf("name %s, want %s\n", name, want);
	CHECK(strcmp(name, want) == 0);
}

static void
testnames(void) {
	isname((void *)closure, "main.testnames.func1");
	isname((void *)gopark, "runtime.gopark");
	isname((void *)goready, "runtime.goready");
	isname((void *)gort_waitgroup_wait, "sync.(*WaitGroup).Wait");
	isname((void *)gort_chanrecv, "runtime.chanrecv1");
	isname((void *)gort_selectgo, "runtime.selectgo");
	isname((void *)gort_alloc, "runtime.mallocgc");
	isname((void *)gort_yield, "runtime.Gosched");
	isname((void *)sysmon, "runtime.sysmon");
}

Test(Symtab, GoNames) {
	RUN(testnames);
}

// ---- mappings ---------------------------------------------------------------------------------------------

static void
testobjects(void) {
	static symMapping m[64];
	int n = symobjects(m, 64);
	CHECK(n >= 2 && n <= 64);
	uintptr_t pc = (uintptr_t)testobjects;
	CHECK(m[0].start <= pc && pc < m[0].limit);
	CHECK(m[0].start % 4096 == 0 && m[0].offset % 4096 == 0);
	if (strstr(m[0].file, "symtab_test") == NULL)
		printf("program %s\n", m[0].file);
	CHECK(strstr(m[0].file, "symtab_test") != NULL);
	int k = 0;
	for (int i = 0; i < n; i++)
		k += m[i].start <= pc && pc < m[i].limit;
	CHECK(k == 1);
	int nid;
	const uint8_t *id = objectbuildid(pc, &nid);
	CHECK(id == m[0].buildid && nid == m[0].nbuildid);
	CHECK(objectbuildid(0, &nid) == NULL && nid == 0);
	// libc has one everywhere.
	id = objectbuildid((uintptr_t)getpid, &nid);
	CHECK(id != NULL && nid >= 8);
	CHECK(symobjects(m, 1) == 1);
}

Test(Symtab, Objects) {
	RUN(testobjects);
}

// ---- frame pointers that are wrong ------------------------------------------------------------------------

static uintptr_t pcs[64];

static void
testgarbage(void) {
	uintptr_t st[64];
	uintptr_t lo = (uintptr_t)st;
	uintptr_t hi = lo + sizeof st;
	// A chain of three.
	memset(st, 0, sizeof st);
	st[2] = (uintptr_t)&st[10];
	st[3] = 1001;
	st[10] = (uintptr_t)&st[20];
	st[11] = 1002;
	st[20] = 0;
	st[21] = 1003;
	CHECK(fpTracebackPCs((uintptr_t)&st[2], lo, hi, pcs, 64) == 3);
	CHECK(pcs[0] == 1001 && pcs[1] == 1002 && pcs[2] == 1003);
	CHECK(fpTracebackPCs((uintptr_t)&st[2], lo, hi, pcs, 2) == 2);
	// It goes down, or nowhere: no loop.
	st[20] = (uintptr_t)&st[2];
	CHECK(fpTracebackPCs((uintptr_t)&st[2], lo, hi, pcs, 64) == 3);
	st[20] = (uintptr_t)&st[20];
	CHECK(fpTracebackPCs((uintptr_t)&st[2], lo, hi, pcs, 64) == 3);
	// Not a stack address at all.
	const uintptr_t wild[] = {0, 1, 8, lo - 8, lo + 1, lo + 4, hi - 8, hi, ~(uintptr_t)0,
		~(uintptr_t)7, (uintptr_t)1 << 63, (uintptr_t)0xdead000000000000};
	for (unsigned i = 0; i < sizeof wild / sizeof wild[0]; i++)
		CHECK(fpTracebackPCs(wild[i], lo, hi, pcs, 64) == 0);
	// Random words as a stack: it ends.
	for (int k = 0; k < 20000; k++) {
		for (int i = 0; i < 64; i++)
			st[i] = lo + cheaprandn(sizeof st + 64) - 32;
		CHECK(fpTracebackPCs(lo + 8 * cheaprandn(64), lo, hi, pcs, 64) <= 32);
	}
}

Test(Traceback, GarbageFramePointers) {
	RUN(testgarbage);
}

static volatile int ncaught;
static volatile int maxcaught;

// caught walks in a signal handler, with what the interrupted code had in rbp.
static void
caught(int sig, siginfo_t *info, void *ctxt) {
	const greg_t *r = ((ucontext_t *)ctxt)->uc_mcontext.gregs;
	static uintptr_t buf[64];
	G *gp = getg()->m->curg;
	int n = sigcallers(
		gp, (uintptr_t)r[REG_RIP], (uintptr_t)r[REG_RSP], (uintptr_t)r[REG_RBP], buf, 64);
	int m = fpTracebackPCs((uintptr_t)r[REG_RBP], gp->stack.lo, gp->stack.hi, buf, 64);
	ncaught++;
	if (n > maxcaught)
		maxcaught = n;
	if (m > 64 || n > 64)
		abort();
	errno = 0;
}

// raise_with sends the thread a signal while rbp is fp.
__attribute__((noinline)) static void
raise_with(uintptr_t fp) {
	long pid = getpid();
	long tid = syscall(SYS_gettid);
	register long r10 __asm__("r10") = (long)fp;
	long rc = SYS_tgkill;
	long sig = SIGUSR2;
	__asm__ volatile("pushq %%rbp\n\t"
			 ".cfi_adjust_cfa_offset 8\n\t"
			 "movq %%r10, %%rbp\n\t"
			 "syscall\n\t"
			 "nop\n\t"
			 "popq %%rbp\n\t"
			 ".cfi_adjust_cfa_offset -8"
			 : "+a"(rc)
			 : "D"(pid), "S"(tid), "d"(sig), "r"(r10)
			 : "rcx", "r11", "memory");
	sink++;
}

static void
testsignal(void) {
	struct sigaction sa = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	sigaction(SIGUSR2, &sa, NULL);
	G *gp = getg();
	uintptr_t lo = gp->stack.lo;
	uintptr_t hi = gp->stack.hi;
	const uintptr_t wild[] = {0, 1, 4096, lo - 8, lo, lo + 4, hi - 8, hi - 16, hi, hi + 8,
		(uintptr_t)caught, (uintptr_t)&sink, ~(uintptr_t)0, ~(uintptr_t)7,
		(uintptr_t)1 << 63, (uintptr_t)0xdead000000000000,
		(uintptr_t)__builtin_frame_address(0)};
	int want = 0;
	for (unsigned i = 0; i < sizeof wild / sizeof wild[0]; i++, want++)
		raise_with(wild[i]);
	for (int i = 0; i < 2000; i++, want++)
		raise_with(lo + cheaprandn((uint32_t)(hi - lo)));
	for (int i = 0; i < 2000; i++, want++)
		raise_with((uintptr_t)__builtin_frame_address(0) - 512 + cheaprandn(2048));
	CHECK(ncaught == want);
	CHECK(maxcaught >= 3);
}

Test(Traceback, GarbageInSignalHandler) {
	RUN(testsignal);
}

// ---- where functions end

static NOINLINE void
endsfirst_a(void) {
	sink++;
}

static NOINLINE void
endsfirst_b(void) {
	sink += 2;
}

static void
testend(void) {
	funcInfo a = findfunc((uintptr_t)endsfirst_a), b = findfunc((uintptr_t)endsfirst_b);
	endsfirst_a();
	endsfirst_b();
	CHECK(funcInfo_valid(a) && funcInfo_valid(b));
	uintptr_t enda = a.entry + a.size, endb = b.entry + b.size;
	CHECK(funcsend((uintptr_t)testend, "endsfirst_a") == enda);
	CHECK(funcsend((uintptr_t)testend, "endsfirst_b") == endb);
	CHECK(funcsend((uintptr_t)testend, "endsfirst_") == max(enda, endb));
	CHECK(funcsend((uintptr_t)testend, "nothing_begins_like_this") == 0);
	CHECK(funcsend(1, "endsfirst_") == 0);
}

Test(Symtab, FuncsEnd) {
	RUN(testend);
}
