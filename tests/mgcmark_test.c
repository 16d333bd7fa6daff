// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// What marking must find: each test hides objects in one kind of place, and none of them may be freed
// (clobberfree overwrites what is).
#include "runtime/gort.h"

#include "runtime/mgc.h"
#include "runtime/runtime1.h"
#include "sched/proc.h"
#include "tests/support/support.h"

typedef struct obj {
	struct obj *self;
	uint64_t id;
	uint64_t check;
	uint64_t pad;
} obj;
GORT_TYPE(obj, self);

static NOINLINE obj *
newObj(uint64_t id) {
	obj *o = gort_new(obj);
	gort_store(o->self, o);
	o->id = id;
	o->check = ~id;
	return o;
}

static NOINLINE bool
intact(const obj *o, uint64_t id) {
	return o->self == o && o->id == id && o->check == ~id;
}

// clearStack overwrites what earlier calls left below.
static NOINLINE void
clearStack(void) {
	volatile char a[32 << 10];
	for (size_t i = 0; i < sizeof(a); i++) {
		a[i] = 0;
	}
}

// cycles runs collections and puts garbage into the slots that they free.
static NOINLINE void
cycles(int n) {
	for (int i = 0; i < n; i++) {
		clearStack();
		gort_gc();
		for (uint64_t j = 0; j < 1000; j++) {
			newObj(j | 1ull << 40);
		}
	}
}

static uint32_t stop;   // atomic
static uint32_t ready_; // atomic: goroutines that are in place
static uint32_t done;   // semaphore

static void
waitReady(uint32_t n) {
	while (atomic_Load(&ready_) < n) {
		gort_yield();
	}
}

static void
waitDone(int n) {
	for (int i = 0; i < n; i++) {
		gort_sema_acquire(&done);
	}
}

static void
begin(void) {
	debug.clobberfree = 1;
}

// ---- arguments of goroutines that have not started -----------------------------------------------

static void
takesArgs(obj *a, obj *b, uint64_t id, obj *c) {
	CHECK(intact(a, id) && intact(b, id + 1) && intact(c, id + 2));
	gort_sema_release(&done);
}

static void
collector(void) {
	while (atomic_Load(&stop) == 0) {
		gort_gc();
	}
	gort_sema_release(&done);
}

static void
argsTest(void) {
	begin();
	gort_go(collector);
	for (int round = 0; round < 50; round++) {
		for (uint64_t i = 0; i < 200; i++) {
			gort_go(takesArgs, newObj(i), newObj(i + 1), i, newObj(i + 2));
		}
		waitDone(200);
	}
	atomic_Store(&stop, 1);
	waitDone(1);
}

Test(Mark, CapturedArgs) {
	RUN(argsTest);
}

// ---- timers -----------------------------------------------------------------------------------------

static void
fires(void *arg) {
	obj *o = arg;
	CHECK(intact(o, o->id));
	gort_sema_release(&done);
}

static NOINLINE void
startTimers(void) {
	for (uint64_t i = 0; i < 500; i++) {
		(void)gort_after_func(50 * GORT_MS + (int64_t)i * 100 * GORT_US, fires, newObj(i));
	}
}

static void
timerTest(void) {
	begin();
	startTimers();
	cycles(3);
	waitDone(500);
}

Test(Mark, Timers) {
	RUN(timerTest);
}

// ---- channels ---------------------------------------------------------------------------------------

static gort_chan(obj *) channel;
static gort_chan(obj *) channel2;

static NOINLINE void
blockedSender(uint64_t id) {
	gort_chan_send(channel, newObj(id));
	gort_sema_release(&done);
}

static NOINLINE void
blockedSelect(uint64_t id) {
	obj *o = newObj(id), *p = newObj(id);
	switch (gort_select(gort_on_send(channel, o), gort_on_send(channel2, p))) {
	default:
		break;
	}
	gort_sema_release(&done);
}

static void
senderTest(void) {
	begin();
	gort_store(channel, gort_chan_make(obj *, 10));
	gort_store(channel2, gort_chan_make(obj *, 0));
	for (uint64_t i = 0; i < 100; i++) {
		gort_go(blockedSender, i);
		gort_go(blockedSelect, i + 100);
	}
	cycles(3);
	for (int i = 0; i < 200; i++) {
		obj *o = NULL;
		switch (gort_select(gort_on_recv(channel, &o), gort_on_recv(channel2, &o))) {
		default:
			break;
		}
		CHECK(intact(o, o->id) && o->id < 200);
		if (i % 50 == 0) {
			cycles(1);
		}
	}
	waitDone(200);
}

Test(Mark, BlockedSenders) {
	RUN(senderTest);
}

// ---- stacks -------------------------------------------------------------------------------------------

static NOINLINE void
deep(uint64_t n) {
	obj *o = newObj(n);
	obj *volatile p = newObj(n + 1000);
	if (n > 0) {
		deep(n - 1);
	} else {
		atomic_Xadd(&ready_, 1);
		while (atomic_Load(&stop) == 0) {
			gort_yield();
		}
	}
	CHECK(intact(o, n) && intact(p, n + 1000));
}

static void
deepGoroutine(void) {
	deep(300);
	gort_sema_release(&done);
}

static void
stackTest(void) {
	begin();
	for (int i = 0; i < 10; i++) {
		gort_go(deepGoroutine);
	}
	waitReady(10);
	cycles(5);
	atomic_Store(&stop, 1);
	waitDone(10);
}

Test(Mark, Stacks) {
	RUN(stackTest);
}

// spins has its pointers in registers only, and makes no call: it is stopped by a signal.
static void
spins(uint64_t id) {
	obj *o = newObj(id);
	uintptr_t xmm = (uintptr_t)newObj(id + 1);
	double d;
	memcpy(&d, &xmm, sizeof(d));
	xmm = 0;
	clearStack();
	atomic_Xadd(&ready_, 1);
	uint64_t n = 0;
	// The only copies are in rbx and xmm7.
	__asm__ volatile("movq %1, %%rbx\n\tmovq %2, %%xmm7\n\t"
			 "xorl %k1, %k1\n\tpxor %2, %2\n"
			 "1:\tincq %0\n\tcmpl $0, %3\n\tje 1b\n\t"
			 "movq %%rbx, %1\n\tmovq %%xmm7, %2"
			 : "+r"(n), "+r"(o), "+x"(d)
			 : "m"(stop)
			 : "rbx", "xmm7", "cc", "memory");
	memcpy(&xmm, &d, sizeof(xmm));
	CHECK(intact(o, id));
	CHECK(intact((obj *)xmm, id + 1));
	CHECK(n > 0);
	gort_sema_release(&done);
}

static void
registerTest(void) {
	begin();
	gort_go(spins, 1);
	waitReady(1);
	gort_go(spins, 3);
	cycles(5);
	atomic_Store(&stop, 1);
	waitDone(2);
}

Test(Mark, Registers) {
	RUN(registerTest);
}

// ---- deferred calls -----------------------------------------------------------------------------------

static void
deferred(obj *o, uint64_t id) {
	CHECK(intact(o, id));
	gort_sema_release(&done);
}

static NOINLINE void
defers(uint64_t id) {
	gort_defer(deferred, newObj(id), id);
	cycles(1);
}

static void
deferTest(void) {
	begin();
	for (uint64_t i = 0; i < 5; i++) {
		defers(i);
	}
	waitDone(5);
}

Test(Mark, Defers) {
	RUN(deferTest);
}

// ---- layouts of objects ---------------------------------------------------------------------------------

typedef struct wide {
	uint64_t a[60];
	obj *first;
	uint64_t b[100];
	obj *last;
} wide; // 1,296 bytes: the type is in a header
GORT_TYPE(wide, first, last);

typedef struct mid {
	obj *first;
	uint64_t a[61];
	obj *last;
} mid; // 504 bytes: 63 pointer bits
GORT_TYPE(mid, first, last);

static void
layoutTest(void) {
	begin();
	enum { n = 300, big = 200000 };
	wide **w = gort_alloc(n * sizeof(w[0]), GORT_POINTERS);
	mid **m = gort_alloc(n * sizeof(m[0]), GORT_POINTERS);
	wide *arr = gort_new_array(wide, n); // 380 KB: a large object, in oblets
	obj **large = gort_alloc(big * sizeof(large[0]), GORT_POINTERS);
	obj ***tiny = gort_alloc(n * sizeof(tiny[0]), GORT_POINTERS);
	for (uint64_t i = 0; i < n; i++) {
		gort_store(w[i], gort_new(wide));
		gort_store(w[i]->first, newObj(i));
		gort_store(w[i]->last, newObj(i + 1));
		gort_store(m[i], gort_new(mid));
		gort_store(m[i]->first, newObj(i + 2));
		gort_store(m[i]->last, newObj(i + 3));
		gort_store(arr[i].first, newObj(i + 4));
		gort_store(arr[i].last, newObj(i + 5));
		gort_store(tiny[i], (obj **)gort_alloc(8, GORT_POINTERS));
		gort_store(*tiny[i], newObj(i + 6));
	}
	for (uint64_t i = 0; i < big; i++) {
		gort_store(large[i], newObj(i));
	}
	cycles(3);
	for (uint64_t i = 0; i < n; i++) {
		CHECK(intact(w[i]->first, i) && intact(w[i]->last, i + 1));
		CHECK(intact(m[i]->first, i + 2) && intact(m[i]->last, i + 3));
		CHECK(intact(arr[i].first, i + 4) && intact(arr[i].last, i + 5));
		CHECK(intact(*tiny[i], i + 6));
	}
	for (uint64_t i = 0; i < big; i++) {
		CHECK(intact(large[i], i));
	}
}

Test(Mark, Layouts) {
	RUN(layoutTest);
}

// tinyTest: objects that are packed into one block live as long as any of them.
static void
tinyTest(void) {
	begin();
	enum { n = 1000 };
	char **v = gort_alloc(n * sizeof(v[0]), GORT_POINTERS);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < n; i++) {
			char *p = gort_alloc(3, GORT_NOSCAN);
			p[0] = (char)i;
			p[2] = (char)(i >> 8);
			if (i % 3 == 0) {
				gort_store(v[i], p);
			}
			if (i % 100 == 50) {
				gort_gc(); // in the middle of a block
			}
		}
		for (int i = 0; i < n; i += 3) {
			CHECK(v[i][0] == (char)i && v[i][2] == (char)(i >> 8));
		}
	}
}

Test(Mark, Tiny) {
	RUN(tinyTest);
}

// ---- assists ---------------------------------------------------------------------------------------------

static NOINLINE obj *
chain(uint64_t n) {
	obj *head = NULL;
	for (uint64_t i = 0; i < n; i++) {
		obj *o = newObj(i);
		gort_store(o->self, head);
		head = o;
	}
	return head;
}

static void
allocates(void) {
	for (int round = 0; round < 20; round++) {
		obj *head = chain(20000);
		uint64_t n = 20000;
		for (obj *o = head; o != NULL; o = o->self) {
			n--;
			CHECK(o->id == n && o->check == ~n);
		}
		CHECK(n == 0);
	}
	gort_sema_release(&done);
}

// assistTest: goroutines that allocate faster than the workers mark have to help, and all ends well.
static void
assistTest(void) {
	begin();
	gort_set_gc_percent(10);
	uint32_t before = atomic_Load(&work.cycles);
	for (int i = 0; i < 8; i++) {
		gort_go(allocates);
	}
	waitDone(8);
	CHECK(atomic_Load(&work.cycles) > before + 5);
	CHECK(gQueue_empty(&work.assistQueue.q) || atomic_Load(&gcBlackenEnabled) != 0);
}

Test(Mark, Assists) {
	RUN(assistTest);
}
