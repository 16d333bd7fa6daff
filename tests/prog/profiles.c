// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Programs for tests/pprof.sh: profiles PROG [FILE [DEBUG]].
//
//	cpu        three functions that use 60, 30 and 10 % of the time, on four goroutines
//	labels     two goroutines that burn the same, under labels work=a and work=b, and a child of each
//	heap       100,000 objects of 1 KB that stay and as many that do not, from two functions
//	goroutine  100 goroutines that wait in one function, 10 in another, with labels
//	threads    eight threads that block at the same time
//	stress     all profiles, again and again, while goroutines come and go and allocate
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gort.h"

#ifdef __clang__
#	define NOINLINE __attribute__((noinline))
#else
#	define NOINLINE __attribute__((noinline, noclone))
#endif

static int out = 1;
static int debug;
static volatile uint64_t sink;

static int64_t
cputime(void) {
	struct timespec ts;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static NOINLINE uint64_t
burn(uint64_t n) {
	uint64_t x = n;
	for (uint64_t i = 0; i < n; i++)
		x = x * 6364136223846793005 + 1442695040888963407;
	__asm__ volatile("" : : : "memory"); // not a pure function
	return x;
}

static NOINLINE void
hot60(uint64_t n) {
	for (int i = 0; i < 6; i++)
		sink += burn(n);
}

static NOINLINE void
hot30(uint64_t n) {
	for (int i = 0; i < 3; i++)
		sink += burn(n);
}

static NOINLINE void
hot10(uint64_t n) {
	sink += burn(n);
}

static NOINLINE void
burner(int rounds, uint64_t n, gort_waitgroup *wg) {
	for (int i = 0; i < rounds; i++) {
		hot60(n);
		hot30(n);
		hot10(n);
	}
	gort_waitgroup_done(wg);
}

// per_ms returns what burn does in a millisecond.
static uint64_t
per_ms(void) {
	uint64_t n = 1 << 20;
	int64_t t = cputime();
	sink += burn(n);
	t = cputime() - t;
	return n * 1000000 / (uint64_t)(t > 0 ? t : 1);
}

static void
cpu(void) {
	gort_waitgroup wg = {0};
	// Half a second a round, two seconds of CPU time in all.  Pieces that are much longer than the
	// 10 ms between samples, so that chance plays no great part.
	uint64_t n = per_ms() * 50;
	gort_pprof_start_cpu(out);
	for (int i = 0; i < 4; i++) {
		gort_waitgroup_add(&wg, 1);
		gort_go(burner, 1, n, &wg);
	}
	gort_waitgroup_wait(&wg);
	gort_pprof_stop_cpu();
}

static NOINLINE void
labelled(uint64_t n, gort_waitgroup *wg) {
	for (int i = 0; i < 500; i++)
		sink += burn(n);
	gort_waitgroup_done(wg);
}

struct labelwork {
	uint64_t n;
	gort_waitgroup wg;
};

static void
label_body(void *arg) {
	struct labelwork *w = arg;
	gort_waitgroup_add(&w->wg, 1);
	gort_go(labelled, w->n, &w->wg); // inherits them
	for (int i = 0; i < 500; i++)
		sink += burn(w->n);
}

static void
labels(void) {
	struct labelwork w = {.n = per_ms()};
	gort_pprof_start_cpu(out);
	gort_pprof_do(gort_pprof_labels(NULL, "work", "a", "x", "1", NULL), label_body, &w);
	gort_gc();
	gort_pprof_do(gort_pprof_labels(NULL, "work", "b", NULL), label_body, &w);
	gort_waitgroup_wait(&w.wg);
	gort_pprof_stop_cpu();
}

typedef struct cell {
	struct cell *next;
	char data[1016];
} cell;
GORT_TYPE(cell, next);

static cell *kept;

static NOINLINE void
keep(void) {
	cell *c = gort_new(cell);
	gort_store(c->next, kept);
	gort_store(kept, c);
}

static NOINLINE void
drop(void) {
	char *p = gort_alloc(1024, GORT_NOSCAN);
	p[0] = 1;
	sink += (uint64_t)(uintptr_t)p;
}

static void
heap(const char *name) {
	for (int i = 0; i < 100000; i++) {
		keep();
		drop();
	}
	gort_gc();
	gort_memstats m;
	gort_read_memstats(&m);
	fprintf(stderr,
		"HeapAlloc %lu TotalAlloc %lu HeapObjects %lu Mallocs %lu BuckHashSys %lu\n",
		(unsigned long)m.HeapAlloc, (unsigned long)m.TotalAlloc,
		(unsigned long)m.HeapObjects, (unsigned long)m.Mallocs,
		(unsigned long)m.BuckHashSys);
	gort_pprof_write(name, out, debug);
}

static NOINLINE void
waiter(gort_chan(int) c) {
	gort_chan_recv(c);
}

static NOINLINE void
sleeper(void) {
	gort_sleep(1000 * GORT_S);
}

// count says how often s is in the tracebacks of all goroutines.
static int
count(const char *s) {
	static char buf[1 << 20];
	buf[gort_stack(buf, sizeof buf - 1, true)] = 0;
	int n = 0;
	for (const char *p = buf; (p = strstr(p, s)) != NULL; p++)
		n++;
	return n;
}

static void
goroutine(void) {
	gort_chan(int) c = gort_chan_make(int, 0);
	for (int i = 0; i < 100; i++)
		gort_go(waiter, c);
	gort_set_goroutine_labels(gort_pprof_labels(NULL, "who", "sleeper", "a", "\"b\"", NULL));
	for (int i = 0; i < 10; i++)
		gort_go(sleeper);
	gort_set_goroutine_labels(NULL);
	while (count("[chan receive]:") < 100 || count("[sleep]:") < 10)
		gort_sleep(GORT_MS);
	gort_pprof_write("goroutine", out, debug);
}

enum { nblockers = 8 };
static pthread_barrier_t blocked;

// blocker comes back when all are in here: each has a thread of its own.
static intptr_t
blocker(void *arg) {
	(void)arg;
	pthread_barrier_wait(&blocked);
	return 0;
}

static NOINLINE void
thread(gort_waitgroup *wg) {
	gort_blocking(blocker, NULL);
	gort_waitgroup_done(wg);
}

static void
threads(void) {
	gort_waitgroup wg = {0};
	pthread_barrier_init(&blocked, NULL, nblockers);
	for (int i = 0; i < nblockers; i++) {
		gort_waitgroup_add(&wg, 1);
		gort_go(thread, &wg);
	}
	gort_waitgroup_wait(&wg);
	gort_pprof_write("threadcreate", out, debug);
}

static NOINLINE void
stress_leaf(gort_waitgroup *wg) {
	for (int i = 0; i < 20; i++) {
		keep();
		drop();
		if (i % 4 == 0)
			gort_yield();
	}
	sink += burn(10000);
	gort_waitgroup_done(wg);
}

static void
stress_body(void *arg) {
	gort_waitgroup *wg = arg;
	gort_waitgroup_add(wg, 1);
	gort_go(stress_leaf, wg);
}

static int stopping;

static NOINLINE void
stress_worker(int id, gort_waitgroup *all) {
	char name[16];
	snprintf(name, sizeof name, "%d", id);
	while (!__atomic_load_n(&stopping, __ATOMIC_SEQ_CST)) {
		gort_waitgroup wg = {0};
		for (int i = 0; i < 10; i++)
			gort_pprof_do(gort_pprof_labels(NULL, "id", name, NULL), stress_body, &wg);
		gort_waitgroup_wait(&wg);
		if (id == 0)
			gort_store(kept, NULL);
	}
	gort_waitgroup_done(all);
}

static void
stress(void) {
	static const char *const names[] = {"heap", "allocs", "goroutine", "threadcreate"};
	gort_waitgroup all = {0};
	int null = open("/dev/null", O_WRONLY);
	int64_t until = gort_now() + (debug > 0 ? debug : 5) * GORT_S;
	for (int i = 0; i < 6; i++) {
		gort_waitgroup_add(&all, 1);
		gort_go(stress_worker, i, &all);
	}
	int rounds = 0;
	for (; gort_now() < until; rounds++) {
		gort_mem_profile_rate(rounds % 3 == 0 ? 1 : rounds % 3 == 1 ? 4096 : 512 << 10);
		if (gort_pprof_start_cpu(null) != 0 || gort_pprof_start_cpu(null) != -EBUSY)
			gort_panic("start_cpu");
		for (int i = 0; i < 8; i++) {
			int err = gort_pprof_write(names[i % 4], null, i % 3);
			if (err != 0)
				gort_panic("write %s: %d", names[i % 4], err);
			if (i % 4 == 3)
				gort_gc();
		}
		if (gort_pprof_stop_cpu() != 0)
			gort_panic("stop_cpu");
	}
	__atomic_store_n(&stopping, 1, __ATOMIC_SEQ_CST);
	gort_waitgroup_wait(&all);
	fprintf(stderr, "%d rounds\n", rounds);
}

static int
app(int argc, char **argv) {
	const char *prog = argc > 1 ? argv[1] : "";
	if (argc > 2)
		out = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (argc > 3)
		debug = atoi(argv[3]);
	if (strcmp(prog, "cpu") == 0)
		cpu();
	else if (strcmp(prog, "labels") == 0)
		labels();
	else if (strcmp(prog, "heap") == 0 || strcmp(prog, "allocs") == 0)
		heap(prog);
	else if (strcmp(prog, "goroutine") == 0)
		goroutine();
	else if (strcmp(prog, "threads") == 0)
		threads();
	else if (strcmp(prog, "stress") == 0)
		stress();
	else
		return 2;
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
