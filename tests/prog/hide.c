// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Pointers where only a collector for C can find them.  The last pointer to an object is in one
// register (or in the red zone) and nowhere else, while the goroutine waits in the runtime, or is
// stopped by a signal, and another goroutine collects.  With GODEBUG=clobberfree=1, which main sets,
// an object that was freed says so.
//
// The pointer is kept as its complement elsewhere.  Each way is tried, too, without the pointer:
// then the object has to die, or the test would prove nothing.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/gort.h"
#include "tests/support/scrub.h"

enum { magic = 0x600dcafe, objSize = 48 };

// holding: the pointer is where it is to be.  anchor keeps the object alive until then.
volatile int holding;
static void *anchor;

// hold_REG(hidden, f, a, b) calls f(a, b) with ~hidden in REG, and returns ~REG after it.
// hold_none keeps the complement in rbx.
__asm__(".macro HOLD name, reg, flip\n"
	"	.globl hold_\\name\n"
	"	.type hold_\\name, @function\n"
	"hold_\\name:\n"
	"	push %rbx\n"
	"	push %rbp\n"
	"	push %r12\n"
	"	push %r13\n"
	"	push %r14\n"
	"	push %r15\n"
	"	sub $8, %rsp\n"
	"	mov %rsi, %rax\n"
	"	mov %rdi, %\\reg\n"
	"	.if \\flip\n"
	"	not %\\reg\n"
	"	.endif\n"
	"	mov %rdx, %rdi\n"
	"	mov %rcx, %rsi\n"
	"	movl $1, holding(%rip)\n"
	"	xor %edx, %edx\n"
	"	xor %ecx, %ecx\n"
	"	call *%rax\n"
	"	mov %\\reg, %rax\n"
	"	.if \\flip\n"
	"	not %rax\n"
	"	.endif\n"
	"	add $8, %rsp\n"
	"	pop %r15\n"
	"	pop %r14\n"
	"	pop %r13\n"
	"	pop %r12\n"
	"	pop %rbp\n"
	"	pop %rbx\n"
	"	ret\n"
	"	.size hold_\\name, .-hold_\\name\n"
	".endm\n"
	".text\n"
	"HOLD rbx, rbx, 1\n"
	"HOLD rbp, rbp, 1\n"
	"HOLD r12, r12, 1\n"
	"HOLD r13, r13, 1\n"
	"HOLD r14, r14, 1\n"
	"HOLD r15, r15, 1\n"
	"HOLD none, rbx, 0\n");

typedef uint64_t holder(uint64_t hidden, void *f, void *a, void *b);
holder hold_rbx, hold_rbp, hold_r12, hold_r13, hold_r14, hold_r15, hold_none;

// spin_PLACE(hidden, flag) keeps ~hidden in PLACE only until *flag is not 0, and returns its
// complement.
#define SPIN(name, put, get)                                                         \
	__asm__(".text\n.globl spin_" #name "\n"                                     \
		".type spin_" #name ", @function\n"                                  \
		"spin_" #name ":\n"                                                  \
		"	push %rbx\n	push %rbp\n	push %r12\n"                               \
		"	push %r13\n	push %r14\n	push %r15\n"                               \
		"	not %rdi\n" put "\n	xor %edi, %edi\n"                        \
		"	movl $1, holding(%rip)\n"                                          \
		"1:	pause\n	cmpl $0, (%rsi)\n	je 1b\n" get "\n	not %rax\n" \
		"	pop %r15\n	pop %r14\n	pop %r13\n"                                  \
		"	pop %r12\n	pop %rbp\n	pop %rbx\n	ret\n"                            \
		".size spin_" #name ", .-spin_" #name "\n");                         \
	spinner spin_##name

typedef uint64_t spinner(uint64_t hidden, volatile int *flag);
#define SPINREG(reg) SPIN(reg, "mov %rdi, %" #reg, "mov %" #reg ", %rax")
SPINREG(rax);
SPINREG(rbx);
SPINREG(rcx);
SPINREG(rdx);
SPINREG(rbp);
SPINREG(r8);
SPINREG(r9);
SPINREG(r10);
SPINREG(r11);
SPINREG(r12);
SPINREG(r13);
SPINREG(r14);
SPINREG(r15);
SPIN(none, "not %rdi\n mov %rdi, %rax", "not %rax");
SPIN(redzone8, "mov %rdi, -8(%rsp)", "mov -8(%rsp), %rax\n movq $0, -8(%rsp)");
SPIN(redzone128, "mov %rdi, -128(%rsp)", "mov -128(%rsp), %rax\n movq $0, -128(%rsp)");
SPIN(mm3, "movq %rdi, %mm3", "movq %mm3, %rax\n emms");
SPIN(xmm0, "movq %rdi, %xmm0", "movq %xmm0, %rax");
SPIN(xmm15, "movq %rdi, %xmm15", "movq %xmm15, %rax");
SPIN(xmm7high, "movq %rdi, %xmm7\n pslldq $8, %xmm7", "psrldq $8, %xmm7\n movq %xmm7, %rax");
SPIN(ymm3high,
	"vmovq %rdi, %xmm4\n vxorps %ymm3, %ymm3, %ymm3\n vinsertf128 $1, %xmm4, %ymm3, %ymm3\n"
	"vxorps %xmm4, %xmm4, %xmm4",
	"vextractf128 $1, %ymm3, %xmm4\n vmovq %xmm4, %rax\n vzeroupper");
SPIN(ymm15high,
	"vmovq %rdi, %xmm4\n vxorps %ymm15, %ymm15, %ymm15\n vinsertf128 $1, %xmm4, %ymm15, "
	"%ymm15\n"
	"vxorps %xmm4, %xmm4, %xmm4",
	"vextractf128 $1, %ymm15, %xmm4\n vmovq %xmm4, %rax\n vzeroupper");
SPIN(zmm2high,
	"vmovq %rdi, %xmm4\n vpxorq %zmm2, %zmm2, %zmm2\n vinserti64x2 $3, %xmm4, %zmm2, %zmm2\n"
	"vxorps %xmm4, %xmm4, %xmm4",
	"vextracti64x2 $3, %zmm2, %xmm4\n vmovq %xmm4, %rax\n vzeroupper");
SPIN(zmm31, "vpxorq %zmm31, %zmm31, %zmm31\n vmovq %rdi, %xmm31",
	"vmovq %xmm31, %rax\n vpxorq %zmm31, %zmm31, %zmm31\n vzeroupper");
SPIN(k5, "kmovq %rdi, %k5", "kmovq %k5, %rax\n kxorq %k5, %k5, %k5");

static int failed;

static void
fail(const char *where, const char *what, const char *text) {
	printf("%s, %s: %s\n", where, what, text);
	failed++;
}

// make returns the complement of the address of a new object.
static __attribute__((noinline)) uint64_t
make(void) {
	uint64_t *p = gort_alloc(objSize, GORT_NOSCAN);
	gort_store(anchor, p);
	p[0] = p[objSize / 8 - 1] = magic;
	return ~(uint64_t)(uintptr_t)p;
}

// intact reports whether the object is what make made.
static __attribute__((noinline)) bool
intact(uint64_t hidden) {
	volatile uint64_t *p = (uint64_t *)(uintptr_t)~hidden;
	return p[0] == magic && p[objSize / 8 - 1] == magic;
}

// ---- the goroutine that collects, and wakes the one that waits

static gort_chan(int) request; // which way to wake
static gort_chan(int) answer;
static gort_mutex mu;
static gort_rwmutex rw;
static gort_waitgroup wg;
static uint32_t sema;
static int wakefd[2];
static volatile int flag;

enum { wakeChan, wakeMutex, wakeRW, wakeWaitGroup, wakeSema, wakePipe, wakeFlag };

static void
collector(void) {
	gort_chan_range(how, request) {
		if (how == wakeMutex)
			gort_mutex_lock(&mu);
		if (how == wakeRW)
			gort_rwmutex_lock(&rw);
		gort_chan_send(answer, 0); // locked
		while (holding == 0)
			gort_yield();
		gort_store(anchor, NULL);
		gort_gc();
		gort_gc();
		switch (how) {
		case wakeChan:
			gort_chan_send(answer, 1);
			break;
		case wakeMutex:
			gort_mutex_unlock(&mu);
			break;
		case wakeRW:
			gort_rwmutex_unlock(&rw);
			break;
		case wakeWaitGroup:
			gort_waitgroup_done(&wg);
			break;
		case wakeSema:
			gort_sema_release(&sema);
			break;
		case wakePipe:
			if (write(wakefd[1], "x", 1) != 1)
				abort();
			break;
		case wakeFlag:
			flag = 1;
			break;
		}
	}
}

static void
begin(int how) {
	holding = 0;
	if (how == wakeWaitGroup)
		gort_waitgroup_add(&wg, 1);
	flag = 0;
	gort_chan_send(request, how);
	gort_chan_recv(answer);
}

static intptr_t
block(void *arg) {
	char c;
	return read(wakefd[0], &c, 1);
}

static void
yield_until(void) {
	while (flag == 0)
		gort_yield();
}

static void
poll_until(void) {
	while (flag == 0)
		gort_poll();
}

static void
alloc_until(void) {
	while (flag == 0)
		gort_alloc(64, GORT_NOSCAN);
}

static void
sleep_until(void) {
	while (flag == 0)
		gort_sleep(1000);
}

static void
loop_until(void) {
	while (flag == 0)
		;
}

static void
stdio_until(void) {
	char b[64];
	while (flag == 0) {
		free(malloc(100));
		snprintf(b, sizeof b, "%d %f", flag, 1.5);
	}
}

static int value;
static gort_scase cases[2];

static const struct way {
	const char *name;
	int wake;
	void *f;
	void *a, *b;
} ways[] = {
	{"chan recv", wakeChan, (void *)gort_chanrecv, (void *)1, &value},
	{"select", wakeChan, (void *)gort_selectgo, cases, (void *)2},
	{"mutex", wakeMutex, (void *)gort_mutex_lock, &mu, NULL},
	{"rwmutex", wakeRW, (void *)gort_rwmutex_rlock, &rw, NULL},
	{"waitgroup", wakeWaitGroup, (void *)gort_waitgroup_wait, &wg, NULL},
	{"semaphore", wakeSema, (void *)gort_sema_acquire, &sema, NULL},
	{"blocking", wakePipe, (void *)gort_blocking, (void *)block, NULL},
	{"yield", wakeFlag, (void *)yield_until, NULL, NULL},
	{"poll", wakeFlag, (void *)poll_until, NULL, NULL},
	{"alloc", wakeFlag, (void *)alloc_until, NULL, NULL},
	{"sleep", wakeFlag, (void *)sleep_until, NULL, NULL},
	{"loop", wakeFlag, (void *)loop_until, NULL, NULL},
	{"stdio", wakeFlag, (void *)stdio_until, NULL, NULL},
	{"gc", -1, (void *)gort_gc, NULL, NULL},
};

static const struct {
	const char *name;
	holder *f;
} holders[] = {
	{"rbx", hold_rbx},
	{"rbp", hold_rbp},
	{"r12", hold_r12},
	{"r13", hold_r13},
	{"r14", hold_r14},
	{"r15", hold_r15},
};

static __attribute__((noinline)) bool
wait_holding(holder *h, const struct way *w) {
	uint64_t hidden = make();
	scrub();
	if (w->wake >= 0)
		begin(w->wake);
	else
		gort_store(anchor, NULL);
	void *a = w->a == (void *)1 ? (void *)answer : w->a;
	uint64_t back = h(hidden, w->f, a, w->b);
	if (w->wake == wakeMutex)
		gort_mutex_unlock(&mu);
	if (w->wake == wakeRW)
		gort_rwmutex_runlock(&rw);
	if (back != hidden) {
		printf("%s: register changed\n", w->name);
		return false;
	}
	return intact(hidden);
}

static void
waits(void) {
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		const struct way *w = &ways[i];
		for (size_t j = 0; j < sizeof holders / sizeof holders[0]; j++)
			if (!wait_holding(holders[j].f, w))
				fail(w->name, holders[j].name, "the object was freed");
		int died = 0;
		for (int k = 0; k < 5; k++)
			died += !wait_holding(hold_none, w);
		if (died == 0)
			fail(w->name, "no register", "the object was never freed");
	}
}

// ---- stopped by a signal

static const struct spin {
	const char *name;
	spinner *f;
	int needs; // 1: AVX, 2: AVX-512
} spins[] = {
	{"rax", spin_rax, 0},
	{"rbx", spin_rbx, 0},
	{"rcx", spin_rcx, 0},
	{"rdx", spin_rdx, 0},
	{"rbp", spin_rbp, 0},
	{"r8", spin_r8, 0},
	{"r9", spin_r9, 0},
	{"r10", spin_r10, 0},
	{"r11", spin_r11, 0},
	{"r12", spin_r12, 0},
	{"r13", spin_r13, 0},
	{"r14", spin_r14, 0},
	{"r15", spin_r15, 0},
	{"red zone, top", spin_redzone8, 0},
	{"red zone, bottom", spin_redzone128, 0},
	{"mm3", spin_mm3, 0},
	{"xmm0", spin_xmm0, 0},
	{"xmm15", spin_xmm15, 0},
	{"xmm7, upper half", spin_xmm7high, 0},
	{"ymm3, upper half", spin_ymm3high, 1},
	{"ymm15, upper half", spin_ymm15high, 1},
	{"zmm2, upper half", spin_zmm2high, 2},
	{"zmm31", spin_zmm31, 2},
	{"k5", spin_k5, 2},
};

static __attribute__((noinline)) bool
spin_holding(spinner *s) {
	uint64_t hidden = make();
	scrub();
	begin(wakeFlag);
	return s(hidden, &flag) == hidden && intact(hidden);
}

static void
stops(void) {
	int have = __builtin_cpu_supports("avx") ? 1 : 0;
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512dq"))
		have = 2;
	for (size_t i = 0; i < sizeof spins / sizeof spins[0]; i++) {
		const struct spin *s = &spins[i];
		if (s->needs > have) {
			printf("skipped: %s: this CPU has none\n", s->name);
			continue;
		}
		for (int k = 0; k < 3; k++)
			if (!spin_holding(s->f))
				fail("signal", s->name, "the object was freed");
	}
	int died = 0;
	for (int k = 0; k < 5; k++)
		died += !spin_holding(spin_none);
	if (died == 0)
		fail("signal", "no register", "the object was never freed");
}

// ---- just past the end

typedef struct ends {
	char *cur, *end;
} ends;
GORT_TYPE(ends, cur, end);

typedef struct endcase {
	size_t size;
	const gort_type *kind;
} endcase;

static const size_t sizes[] = {16, 24, 32, 48, 64, 512, 520, 1024, 2048, 8192, 32768 - 8, 32768,
	40000, 65536, 100000, 1 << 20, 4 << 20};

// pastend makes an object of its class's full size; returns the complement of the end.
static __attribute__((noinline)) uint64_t
pastend(size_t *size, const gort_type *kind) {
	char *p = gort_alloc(*size, kind);
	((uint64_t *)p)[*size / 8 - 1] = magic;
	return ~(uint64_t)(uintptr_t)(p + *size);
}

static __attribute__((noinline)) bool
end_intact(uint64_t hidden) {
	return ((volatile uint64_t *)(uintptr_t)~hidden)[-1] == magic;
}

// The only pointer is one just past the end: in a register, in a global.
static void
pastends(void) {
	static char *global;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		size_t size = sizes[i];
		char where[40];
		snprintf(where, sizeof where, "past the end, %zu bytes", size);

		uint64_t hidden = pastend(&size, GORT_NOSCAN);
		scrub();
		hold_r12(hidden, (void *)gort_gc, NULL, NULL);
		if (!end_intact(hidden))
			fail(where, "r12", "the object was freed");

		hidden = pastend(&size, GORT_NOSCAN);
		gort_store(global, (char *)(uintptr_t)~hidden);
		scrub();
		gort_gc();
		gort_gc();
		if (!end_intact(hidden))
			fail(where, "global", "the object was freed");
		gort_store(global, NULL);

		// In a heap object it is no more than harmless.
		hidden = pastend(&size, GORT_NOSCAN);
		ends *e = gort_new(ends);
		gort_store(e->end, (char *)(uintptr_t)~hidden);
		scrub();
		gort_gc();
		gort_gc();
		gort_store(e->end, NULL);

		// A pair, the other object after it being freed or not: no fault, and it lives.
		ends *v[50];
		for (int k = 0; k < 50 && size <= 40000; k++) {
			v[k] = gort_new(ends);
			gort_store(v[k]->cur, (char *)gort_alloc(size, GORT_NOSCAN));
			gort_store(v[k]->end, v[k]->cur + size);
			v[k]->end[-1] = 7;
		}
		for (int k = 0; k < 50 && size <= 40000; k += 2)
			v[k] = NULL;
		gort_gc();
		for (int k = 1; k < 50 && size <= 40000; k += 2)
			if (v[k]->end[-1] != 7)
				fail(where, "pair", "the object was freed");
	}
}

static int
app(int argc, char **argv) {
	setvbuf(stdout, NULL, _IOLBF, 0);
	request = gort_chan_make(int, 0);
	answer = gort_chan_make(int, 0);
	if (pipe(wakefd) != 0)
		return 9;
	cases[0] = gort_on_recv(answer, &value);
	cases[1] = gort_on_recv((gort_chan(int))NULL, &value);
	gort_go(collector);
	waits();
	stops();
	pastends();
	printf("%d failed\n", failed);
	return failed != 0;
}

int
main(int argc, char **argv) {
	setenv("GODEBUG", "clobberfree=1", 0);
	return gort_run(app, argc, argv);
}
