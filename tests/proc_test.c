// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The scheduler, after proc_test.go of Go 1.26.8.
#include "tests/support/support.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/mstats.h"
#include "sched/proc.h"
#include "sched/sema.h"

// As in a program that includes gort.h alone.
#undef errno
#define errno (*gort_errno_location())

#define LOAD(p) __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define STORE(p, v) __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)
#define ADD(p, v) __atomic_add_fetch((p), (v), __ATOMIC_SEQ_CST)

// ---- stopping the world ---------------------------------------------------------------------------------

static void
stw_gomaxprocs(gort_chan(int) done) {
	for (int i = 0; i < 100; i++) {
		gort_gomaxprocs(i % 3 + 1);
		gort_yield();
	}
	gort_chan_send(done, 1);
}

static int stw_stop;

static void
stw_gc(gort_chan(int) done) {
	while (!LOAD(&stw_stop)) {
		worldStop w = stopTheWorldGC(stwForTestReadMemStatsSlow);
		startTheWorldGC(w);
		gort_yield();
	}
	gort_chan_send(done, 1);
}

static void
stop_the_world(void) {
	int old = gort_gomaxprocs(3);
	gort_chan(int) a = gort_chan_make(int, 0), b = gort_chan_make(int, 0);

	gort_go(stw_gomaxprocs, a);
	gort_go(stw_gc, b);
	gort_chan_recv(a);
	STORE(&stw_stop, 1);
	gort_chan_recv(b);
	gort_gomaxprocs(old);
}

Test(StopTheWorld, Deadlock) {
	RUN(stop_the_world);
}

// ---- yield ------------------------------------------------------------------------------------------------

static gort_waitgroup wg;

static void
yield_locked(gort_chan(int) c, bool lock_thread) {
	if (lock_thread)
		LockOSThread();
	pthread_t self = pthread_self();
	for (int i = 0; i < 10; i++) {
		gort_yield();
		if (lock_thread)
			CHECK(pthread_equal(self, pthread_self()));
	}
	gort_chan_send(c, 1);
	if (lock_thread)
		UnlockOSThread();
}

static void
yield_progress(void) {
	gort_chan(int) c = gort_chan_make(int, 0);
	int cack = 0;

	gort_go(yield_locked, c, false);
	cack += gort_chan_recv(c);
	gort_go(yield_locked, c, true);
	cack += gort_chan_recv(c);
	CHECK(cack == 2);
}

Test(Yield, ProgressAndLocked) {
	RUN(yield_progress);
}

// ---- parallelism ------------------------------------------------------------------------------------------

enum { parP = 4 };
static uint32_t par_x;

static void
par_worker(gort_chan(bool) done, int p) {
	// Each waits for its turn, without a call: they must run at the same time.
	for (int i = 0; i < 3; i++) {
		uint32_t expected = (uint32_t)(parP * i + p);
		while (LOAD(&par_x) != expected)
			;
		STORE(&par_x, expected + 1);
	}
	gort_chan_send(done, true);
}

static void
parallelism(void) {
	int old = gort_gomaxprocs(parP);

	for (int try_ = 0; try_ < 3; try_++) {
		gort_chan(bool) done = gort_chan_make(bool, 0);
		STORE(&par_x, 0);
		for (int p = 0; p < parP; p++)
			gort_go(par_worker, done, p);
		for (int p = 0; p < parP; p++)
			gort_chan_recv(done);
	}
	gort_gomaxprocs(old);
}

Test(Goroutine, Parallelism) {
	RUN(parallelism);
}

static void
block_locked_1(gort_chan(bool) c) {
	LockOSThread();
	for (int i = 0; i < 100; i++)
		gort_chan_send(c, true);
	UnlockOSThread();
}

static void
block_locked(void) {
	gort_chan(bool) c = gort_chan_make(bool, 0);

	gort_go(block_locked_1, c);
	for (int i = 0; i < 100; i++)
		gort_chan_recv(c);
}

Test(Block, Locked) {
	RUN(block_locked);
}

// ---- preemption -------------------------------------------------------------------------------------------

static void
preempt_worker(gort_chan(bool) c, uint32_t *x, uint32_t me) {
	for (int i = 0; i < 5; i++) {
		while (LOAD(x) != me)
			;
		STORE(x, 1 - me);
	}
	gort_chan_send(c, true);
}

// Two goroutines that wait for each other in loops without calls, on one P: only time slices help.
static void
preemption(void) {
	int old = gort_gomaxprocs(1);
	gort_chan(bool) c = gort_chan_make(bool, 0);
	static uint32_t x;

	gort_go(preempt_worker, c, &x, 0U);
	gort_go(preempt_worker, c, &x, 1U);
	gort_chan_recv(c);
	gort_chan_recv(c);
	gort_gomaxprocs(old);
}

Test(Preemption, Spin) {
	RUN(preemption);
}

static uint32_t preempt_stop;

static void
preempt_spin(void) {
	while (!LOAD(&preempt_stop))
		;
	gort_waitgroup_done(&wg);
}

static void
preemption_gc(void) {
	int old = gort_gomaxprocs(5);

	gort_waitgroup_add(&wg, 5);
	for (int i = 0; i < 5; i++)
		gort_go(preempt_spin);
	for (int i = 0; i < 5; i++)
		gort_gc();
	STORE(&preempt_stop, 1);
	gort_waitgroup_wait(&wg);
	gort_gomaxprocs(old);
}

Test(Preemption, GC) {
	RUN(preemption_gc);
}

// A goroutine that is stopped inside malloc must not stop the others for ever.
static void
malloc_spin(void) {
	while (!LOAD(&preempt_stop)) {
		char b[64];
		void *p = malloc(64 + (size_t)snprintf(b, sizeof b, "%f", 2.5));
		CHECK(p != NULL);
		free(p);
	}
	gort_waitgroup_done(&wg);
}

static void
preemption_malloc(void) {
	gort_waitgroup_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		gort_go(malloc_spin);
	for (int i = 0; i < 6; i++) {
		gort_gomaxprocs(1 + i % 3);
		gort_gc();
	}
	STORE(&preempt_stop, 1);
	gort_waitgroup_wait(&wg);
}

Test(Preemption, InMalloc) {
	RUN(preemption_malloc);
}

static void
ping_hog(void) {
	while (!LOAD(&preempt_stop))
		;
	gort_waitgroup_done(&wg);
}

static void
ping_pong(gort_chan(int) in, gort_chan(int) out, uint64_t *count) {
	gort_chan_range(v, in) {
		ADD(count, 1);
		gort_chan_send(out, v);
	}
	gort_waitgroup_done(&wg);
}

// Goroutines that ready each other must not keep a P from the others, nor the other way round.
static void
ping_pong_hog(void) {
	int old = gort_gomaxprocs(1);
	gort_chan(int) ping = gort_chan_make(int, 0), pong = gort_chan_make(int, 0);
	static uint64_t count;

	gort_waitgroup_add(&wg, 2);
	gort_go(ping_hog);
	gort_go(ping_pong, ping, pong, &count);
	for (int i = 0; i < 50; i++) {
		gort_chan_send(ping, i);
		CHECK(gort_chan_recv(pong) == i);
	}
	STORE(&preempt_stop, 1);
	gort_chan_close(ping);
	gort_waitgroup_wait(&wg);
	CHECK(count == 50);
	gort_gomaxprocs(old);
}

Test(PingPong, Hog) {
	RUN(ping_pong_hog);
}

// ---- counts, exit, threads ----------------------------------------------------------------------------------

static void
num_g(gort_chan(int) go, gort_chan(int) done) {
	gort_chan_recv(go);
	gort_chan_send(done, 1);
}

static void
num_goroutine(void) {
	gort_chan(int) go = gort_chan_make(int, 0), done = gort_chan_make(int, 0);
	int before = gort_num_goroutine();

	for (int i = 0; i < 100; i++)
		gort_go(num_g, go, done);
	CHECK(gort_num_goroutine() == before + 100);
	for (int i = 0; i < 100; i++)
		gort_chan_send(go, 1);
	for (int i = 0; i < 100; i++)
		gort_chan_recv(done);
	// They may not have ended yet, only sent.
	int64_t deadline = gort_now() + 10 * GORT_S;
	while (gort_num_goroutine() != before && gort_now() < deadline)
		gort_yield();
	CHECK(gort_num_goroutine() == before);
}

Test(Num, Goroutine) {
	RUN(num_goroutine);
}

static void
ids_g(gort_chan(uint64_t) c) {
	gort_chan_send(c, gort_goid());
}

static void
goids(void) {
	gort_chan(uint64_t) c = gort_chan_make(uint64_t, 0);
	uint64_t a, b;

	CHECK(gort_goid() == 1);
	gort_go(ids_g, c);
	a = gort_chan_recv(c);
	gort_go(ids_g, c);
	b = gort_chan_recv(c);
	CHECK(a > 1 && b > 1 && a != b);
}

Test(Goroutine, IDs) {
	RUN(goids);
}

static int args_ok;

static void
args_f(int a, double x, const char *s, uint64_t big, float y, short h, char ch, double z) {
	if (a == -5 && x == 1.25 && strcmp(s, "six") == 0 && big == UINT64_MAX && y == 0.5f &&
		h == -7 && ch == 'c' && z == -3)
		ADD(&args_ok, 1);
	gort_waitgroup_done(&wg);
}

struct two {
	uint64_t a, b;
};

static void
args_struct(struct two t, const char *s) {
	if (t.a == 17 && t.b == 18 && strcmp(s, "x") == 0)
		ADD(&args_ok, 1);
	gort_waitgroup_done(&wg);
}

// Arguments arrive whole, also when the registers of the go statement are long gone.
static void
arguments(void) {
	gort_waitgroup_add(&wg, 200);
	for (int i = 0; i < 100; i++) {
		struct two t = {17, 18};
		gort_call call;
		call.fn = (void *)args_f;
		gort_go(args_struct, t, "x");
		// More than six words, but all in registers: what gort_go does not promise.
		(void)__builtin_call_with_static_chain(
			((__typeof__(&args_f))gort_capture)(
				-5, 1.25, "six", UINT64_MAX, 0.5f, (short)-7, 'c', -3.0),
			(void *)&call);
		gort_newproc(&call, 0);
	}
	gort_waitgroup_wait(&wg);
	CHECK(LOAD(&args_ok) == 200);
}

Test(Goroutine, Arguments) {
	RUN(arguments);
}

static void
errno_g(int e, int *bad) {
	errno = e;
	for (int i = 0; i < 100; i++) {
		gort_yield();
		if (errno != e)
			ADD(bad, 1);
	}
	gort_waitgroup_done(&wg);
}

static void
errnos(void) {
	static int bad;

	gort_gomaxprocs(3);
	gort_waitgroup_add(&wg, 10);
	for (int i = 1; i <= 10; i++)
		gort_go(errno_g, i, &bad);
	gort_waitgroup_wait(&wg);
	CHECK(bad == 0);
}

Test(Goroutine, Errno) {
	RUN(errnos);
}

static pthread_key_t exit_key;
static int exit_withg;

// exit_destructor runs when the thread does not belong to the runtime any more.
static void
exit_destructor(void *arg) {
	if (getg() != NULL)
		ADD(&exit_withg, 1);
}

static void
exit_locked(gort_chan(int) c) {
	LockOSThread();
	pthread_setspecific(exit_key, &exit_key);
	gort_chan_send(c, (int)gettid());
	// Ends with the thread locked: the thread has to end too.
}

static bool
thread_exists(int tid) {
	char path[64];

	snprintf(path, sizeof path, "/proc/self/task/%d", tid);
	return access(path, F_OK) == 0;
}

static void
lock_os_thread_exit(void) {
	LockOSThread(); // so that m0 is ours
	gort_chan(int) c = gort_chan_make(int, 0);

	CHECK(pthread_key_create(&exit_key, exit_destructor) == 0);
	for (int i = 0; i < 20; i++) {
		gort_go(exit_locked, c);
		int tid = gort_chan_recv(c);
		CHECK(tid != (int)gettid());
		int64_t deadline = gort_now() + 10 * GORT_S;
		while (thread_exists(tid) && gort_now() < deadline)
			gort_sleep(GORT_MS);
		CHECK(!thread_exists(tid));
	}
	CHECK(LOAD(&exit_withg) == 0);
	UnlockOSThread();
}

Test(LockOSThread, Exit) {
	RUN(lock_os_thread_exit);
}

static void
lock_nesting_g(gort_chan(int) c) {
	G *gp = getg();

	LockOSThread();
	CHECK(gp->m->lockedExt == 1 && gp->m->lockedInt == 0);
	LockOSThread();
	CHECK(gp->m->lockedExt == 2);
	UnlockOSThread();
	CHECK(gp->m->lockedExt == 1 && lockedOSThread());
	UnlockOSThread();
	CHECK(gp->m->lockedExt == 0 && !lockedOSThread());
	UnlockOSThread(); // does nothing
	CHECK(!lockedOSThread());
	gort_chan_send(c, 1);
}

static void
lock_nesting(void) {
	gort_chan(int) c = gort_chan_make(int, 0);

	gort_go(lock_nesting_g, c);
	gort_chan_recv(c);
}

Test(LockOSThread, Nesting) {
	RUN(lock_nesting);
}

// ---- blocking calls ---------------------------------------------------------------------------------------

static int pipes[2];

static intptr_t
read_one(void *arg) {
	char c;

	return read(pipes[0], &c, 1);
}

static void
reader(gort_chan(intptr_t) done) {
	gort_chan_send(done, gort_blocking(read_one, NULL));
}

// Goroutines blocked in the kernel do not keep others from running, on one P.
static void
blocking(void) {
	enum { n = 10 };
	int old = gort_gomaxprocs(1);
	gort_chan(intptr_t) done = gort_chan_make(intptr_t, n);

	CHECK(pipe(pipes) == 0);
	for (int i = 0; i < n; i++)
		gort_go(reader, done);
	for (int i = 0; i < 100; i++)
		gort_yield();
	gort_gc();
	CHECK(gort_chan_len(done) == 0);
	for (int i = 0; i < n; i++)
		CHECK(write(pipes[1], "x", 1) == 1);
	for (int i = 0; i < n; i++)
		CHECK(gort_chan_recv(done) == 1);
	gort_gomaxprocs(old);
}

Test(Blocking, Read) {
	RUN(blocking);
}

// set_errno stays in the system call until sysmon has taken the P.
static intptr_t
set_errno(void *arg) {
	M *mp = getg()->m; // does not change in a system call
	int64_t deadline = nanotime() + 60 * GORT_S;

	errno = (int)(intptr_t)arg;
	while (LOAD(&mp->p) != NULL && nanotime() < deadline)
		osyield();
	CHECK(LOAD(&mp->p) == NULL);
	errno = (int)(intptr_t)arg;
	return -1;
}

static void
blocking_errno_g(int e) {
	for (int i = 0; i < 20; i++) {
		CHECK(gort_blocking(set_errno, (void *)(intptr_t)e) == -1);
		CHECK(errno == e);
	}
	gort_waitgroup_done(&wg);
}

static void
blocking_errno(void) {
	gort_waitgroup_add(&wg, 6);
	for (int i = 1; i <= 6; i++)
		gort_go(blocking_errno_g, i);
	gort_waitgroup_wait(&wg);
}

Test(Blocking, Errno) {
	RUN(blocking_errno);
}

typedef struct obj {
	struct obj *next;
	long v;
} obj;
GORT_TYPE(obj, next);

static int entered[2]; // a pipe

// blocking_gc_1 says that it is in the system call, and stays until some cycles have run and memory
// has been reused.
static intptr_t
blocking_gc_1(void *arg) {
	CHECK(write(entered[1], "x", 1) == 1);
	return read_one(NULL);
}

// Objects that only callee-saved registers of the caller hold stay alive during a system call.
static NOINLINE void
blocking_gc_g(int id) {
	register obj *a = gort_new_with(obj, .v = id);
	register obj *b = gort_new_with(obj, .v = id + 1000);
	register obj *c = gort_new_with(obj, .v = id + 2000);

	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c));
	CHECK(gort_blocking(blocking_gc_1, NULL) == 1);
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c));
	CHECK(a->v == id && b->v == id + 1000 && c->v == id + 2000);
	gort_waitgroup_done(&wg);
}

static intptr_t
read_entered(void *arg) {
	char c;

	return read(entered[0], &c, 1);
}

static void
blocking_gc(void) {
	enum { n = 8 };

	CHECK(pipe(pipes) == 0 && pipe(entered) == 0);
	gort_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		gort_go(blocking_gc_g, i);
	for (int i = 0; i < n; i++)
		CHECK(gort_blocking(read_entered, NULL) == 1);
	for (int k = 0; k < 3; k++) {
		gort_gc();
		for (int i = 0; i < 10000; i++) {
			obj *o = gort_new(obj);
			o->v = -1;
		}
	}
	for (int i = 0; i < n; i++)
		CHECK(write(pipes[1], "x", 1) == 1);
	gort_waitgroup_wait(&wg);
}

Test(Blocking, GC) {
	RUN(blocking_gc);
}

// ---- arguments are roots until the goroutine runs --------------------------------------------------------------

static void
args_gc_f(obj *o, long v) {
	CHECK(o->v == v);
	gort_waitgroup_done(&wg);
}

static void
arguments_gc(void) {
	gort_gomaxprocs(1);
	gort_waitgroup_add(&wg, 1000);
	for (int i = 0; i < 1000; i++)
		gort_go(args_gc_f, gort_new_with(obj, .v = i), i);
	for (int i = 0; i < 3; i++) {
		gort_gc();
		for (int k = 0; k < 10000; k++)
			gort_new_with(obj, .v = -1);
	}
	gort_waitgroup_wait(&wg);
}

Test(Goroutine, ArgumentsGC) {
	RUN(arguments_gc);
}

// ---- run queues --------------------------------------------------------------------------------------------

enum { queueLen = 256 };

static G *
gs(void) {
	return persistentalloc(queueLen * sizeof(G), 64, &memstats.other_sys);
}

static P *
newp(void) {
	return persistentalloc(sizeof(P), CacheLinePadSize, &memstats.other_sys);
}

static void
local_queue(void) {
	P *pp = newp();
	G *g = gs();
	bool inh;

	for (int i = 0; i < queueLen; i++) {
		CHECK(runqget(pp, &inh) == NULL);
		for (int j = 0; j < i; j++)
			runqput(pp, &g[i], false);
		for (int j = 0; j < i; j++)
			CHECK(runqget(pp, &inh) == &g[i] && !inh);
		CHECK(runqget(pp, &inh) == NULL);
	}
}

Test(SchedLocalQueue, PutGet) {
	RUN(local_queue);
}

static void
local_queue_steal(void) {
	P *p1 = newp(), *p2 = newp();
	G *g = gs();
	bool inh;

	for (int i = 0; i < queueLen; i++) {
		for (int j = 0; j < i; j++) {
			g[j].sig = 0;
			runqput(p1, &g[j], false);
		}
		G *gp = runqsteal(p2, p1, true);
		int s = 0;
		if (gp != NULL) {
			s++;
			gp->sig++;
		}
		while ((gp = runqget(p2, &inh)) != NULL) {
			s++;
			gp->sig++;
		}
		while ((gp = runqget(p1, &inh)) != NULL)
			gp->sig++;
		for (int j = 0; j < i; j++)
			CHECK(g[j].sig == 1);
		CHECK(s == i / 2 || s == i / 2 + 1);
	}
}

Test(SchedLocalQueue, Steal) {
	RUN(local_queue_steal);
}

static P *empty_p;
static G *empty_g;
static uint32_t empty_ready;

static void
empty_check(void) {
	ADD(&empty_ready, 1);
	while (LOAD(&empty_ready) != 2)
		;
	CHECK(!runqempty(empty_p));
	gort_waitgroup_done(&wg);
}

// A queue that always holds a goroutine is never seen empty.
static void
local_queue_empty(void) {
	bool inh;

	gort_gomaxprocs(2);
	empty_g = gs();
	empty_p = newp();
	for (int i = 0; i < 200; i++) {
		bool next0 = (i & 1) == 0, next1 = (i & 2) == 0;
		runqput(empty_p, &empty_g[0], next0);
		STORE(&empty_ready, 0);
		gort_waitgroup_add(&wg, 1);
		gort_go(empty_check);
		ADD(&empty_ready, 1);
		while (LOAD(&empty_ready) != 2)
			;
		runqput(empty_p, &empty_g[1], next1);
		runqget(empty_p, &inh);
		gort_waitgroup_wait(&wg);
		CHECK(runqget(empty_p, &inh) != NULL);
		CHECK(runqget(empty_p, &inh) == NULL);
	}
}

Test(SchedLocalQueue, Empty) {
	RUN(local_queue_empty);
}

static void
steal_order(void) {
	randomOrder ord = {0};

	for (uint32_t procs = 1; procs <= 64; procs++) {
		randomOrder_reset(&ord, procs);
		if (procs >= 3)
			CHECK(ord.ncoprimes >= 2);
		for (uint32_t co = 0; co < ord.ncoprimes; co++) {
			randomEnum e = randomOrder_start(&ord, co);
			bool seen[64] = {false};
			for (uint32_t i = 0; i < procs; i++) {
				CHECK(!randomEnum_done(&e));
				uint32_t p = randomEnum_position(&e);
				CHECK(p < procs && !seen[p]);
				seen[p] = true;
				randomEnum_next(&e);
			}
			CHECK(randomEnum_done(&e));
		}
	}
	// Each start gives another pair of position and step.
	randomOrder_reset(&ord, 8);
	for (uint32_t i = 0; i < 8 * ord.ncoprimes; i++) {
		randomEnum a = randomOrder_start(&ord, i);
		for (uint32_t j = 0; j < i; j++) {
			randomEnum b = randomOrder_start(&ord, j);
			CHECK(a.pos != b.pos || a.inc != b.inc);
		}
	}
}

Test(Steal, Order) {
	RUN(steal_order);
}

static void
pmask(void) {
	pMask m = {0};

	pMask_resize(&m, 40);
	CHECK(m.len == 2 && !pMask_any(&m));
	pMask_set(&m, 33);
	CHECK(pMask_read(&m, 33) && !pMask_read(&m, 32) && pMask_any(&m));
	uint32_t *old = m.bits;
	pMask_resize(&m, 100);
	CHECK(m.len == 4 && m.bits != old && pMask_read(&m, 33));
	pMask_clear(&m, 33);
	CHECK(!pMask_any(&m) && (old[1] & 2) != 0);
}

Test(pMask, Resize) {
	RUN(pmask);
}

static uint32_t handover_stop; // atomic
static long handover_ticks;

static void
ticks(void) {
	while (!atomic_Load(&handover_stop)) {
		gort_sleep(GORT_MS);
		atomic_Xadd(&handover_ticks, 1L);
	}
	gort_waitgroup_done(&wg);
}

static void
handover_echo(gort_chan(int) a, gort_chan(int) b) {
	gort_chan_range(v, a) gort_chan_send(b, v);
	gort_waitgroup_done(&wg);
}

// slices is the number of time slices that have begun: goroutines that hand over to each other on one P
// share one.
static long
slices(void) {
	long n = 0;

	for (int i = 0; i < 2; i++)
		n += atomic_LoadRelaxed(&allp[i]->schedtick);
	return n;
}

// Two goroutines that hand over to each other stay where they are, although a thread that a timer has
// woken looks for work: it must not take the one that is about to run.
static void
handover(void) {
	double best = 1e9;
	int old = gort_gomaxprocs(2);
	gort_chan(int) a = gort_chan_make(int, 0), b = gort_chan_make(int, 0);

	gort_waitgroup_add(&wg, 2);
	gort_go(ticks);
	gort_go(handover_echo, a, b);
	for (int round = 0; round < 10; round++) {
		long t = atomic_Load(&handover_ticks), n = slices();
		for (int i = 0; i < 1000 || atomic_Load(&handover_ticks) - t < 50; i++) {
			gort_chan_send(a, i);
			CHECK(gort_chan_recv(b) == i);
		}
		best = min(
			best, (double)(slices() - n) / (double)(atomic_Load(&handover_ticks) - t));
	}
	// 1 or 2, for the tick itself; dozens if goroutines are thrown from P to P.
	CHECK(best < 5);
	atomic_Store(&handover_stop, 1U);
	gort_chan_close(a);
	gort_waitgroup_wait(&wg);
	gort_gomaxprocs(old);
}

Test(Sched, HandOver) {
	RUN(handover);
}
