// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Small programs whose execution traces are compared with those that Go wrote for the same programs
// (tests/trace/go/twins/main.go):
//
//	twins PROG TRACE-OUT [N]        TRACE-OUT -: no trace
//
// They do what the Go ones do, call for call.  Results go to stderr.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gort.h"

// spawned is called where a goroutine was started.  With TWINS_RULE set, that goes first, as under another
// scheduling rule: the comparison must find it.
static bool childfirst;

static void
spawned(void) {
	if (childfirst)
		gort_yield();
}

// app is what Go calls main.main.
static int app(int argc, char **argv) __asm__("main.main");

struct write_args {
	const char *s;
	size_t n;
};

static intptr_t
write_1(void *p) {
	const struct write_args *a = p;
	return write(2, a->s, a->n);
}

// println writes a line with a system call that the trace shows, as Go's fmt.Fprintln does.
static __attribute__((format(printf, 1, 2))) void
println(const char *fmt, ...) {
	char *buf = gort_alloc(128, GORT_NOSCAN);
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(buf, 128, fmt, ap);
	va_end(ap);
	struct write_args a = {buf, (size_t)n};
	gort_blocking(write_1, &a);
}

// call_1 is a system call that is over at once.  sysmon takes the P in the first call that it ever sees at once,
// in later ones a tick later; Go's program has had its first before main begins.
static intptr_t
call_1(void *p) {
	(void)p;
	return 0;
}

// create_1 is os.Create.
static intptr_t
create_1(void *out) {
	int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return fd < 0 ? -errno : fd;
}

// ---- two goroutines, unbuffered channels

static void
ponger(gort_chan(int) a, gort_chan(int) b) {
	gort_chan_range(v, a) gort_chan_send(b, v + 1);
	gort_chan_close(b);
}

static void
pingpong(int n) {
	gort_chan(int) a = gort_chan_make(int, 0);
	gort_chan(int) b = gort_chan_make(int, 0);
	gort_go(ponger, a, b);
	spawned();
	int s = 0;
	for (int i = 0; i < n; i++) {
		gort_chan_send(a, i);
		s += gort_chan_recv(b);
	}
	gort_chan_close(a);
	gort_chan_range(v, b)(void) v;
	println("pingpong %d\n", s);
}

// ---- producers and consumers over select

static void
producer(int id, int n, gort_chan(int) out, gort_waitgroup *wg) {
	gort_defer(gort_waitgroup_done, wg);
	for (int i = 0; i < n; i++)
		gort_chan_send(out, id * n + i);
}

static void
consumer(gort_chan(int) in, gort_chan(void) quit, gort_chan(int) res) {
	int s = 0;
	int v;
	for (;;) {
		switch (gort_select(gort_on_recv(in, &v), gort_on_recv(quit, NULL))) {
		case 0:
			s += v;
			break;
		case 1:
			while (gort_select(gort_on_recv(in, &v), gort_on_default) == 0)
				s += v;
			gort_chan_send(res, s);
			return;
		}
	}
}

static void
pool(int n) {
	gort_chan(int) ch = gort_chan_make(int, 8);
	gort_chan(void) quit = gort_chan_make(void, 0);
	gort_chan(int) res = gort_chan_make(int, 0);
	gort_waitgroup *wg = gort_alloc(sizeof *wg, GORT_NOSCAN);
	for (int i = 0; i < 4; i++) {
		gort_waitgroup_add(wg, 1);
		gort_go(producer, i, n, ch, wg);
		spawned();
	}
	for (int i = 0; i < 2; i++) {
		gort_go(consumer, ch, quit, res);
		spawned();
	}
	gort_waitgroup_wait(wg);
	gort_chan_close(quit);
	int a = gort_chan_recv(res);
	int b = gort_chan_recv(res);
	println("pool %d\n", a + b);
}

// ---- a mutex that is held across a yield

static void
lockworker(gort_mutex *mu, int n, int *sum, gort_waitgroup *wg) {
	gort_defer(gort_waitgroup_done, wg);
	for (int i = 0; i < n; i++) {
		gort_mutex_lock(mu);
		++*sum;
		gort_yield();
		gort_mutex_unlock(mu);
	}
}

static void
locks(int n) {
	// On the heap, as Go's are: goroutines share them.
	gort_mutex *mu = gort_alloc(sizeof *mu, GORT_NOSCAN);
	gort_waitgroup *wg = gort_alloc(sizeof *wg, GORT_NOSCAN);
	int *s = gort_alloc(sizeof *s, GORT_NOSCAN);
	for (int i = 0; i < 4; i++) {
		gort_waitgroup_add(wg, 1);
		gort_go(lockworker, mu, n, s, wg);
		spawned();
	}
	gort_waitgroup_wait(wg);
	println("locks %d\n", *s);
}

// ---- garbage: binary trees

typedef struct node node;
struct node {
	node *l;
	node *r;
};
GORT_TYPE(node, l, r);

static node *
build(int d) {
	if (d == 0)
		return gort_new(node);
	return gort_new_with(node, .l = build(d - 1), .r = build(d - 1));
}

static int
count(const node *n) {
	if (n->l == NULL)
		return 1;
	return 1 + count(n->l) + count(n->r);
}

static node *keep;

static void
gcheavy(int n) {
	gort_store(keep, build(16));
	int t = 0;
	for (int i = 0; i < n; i++)
		t += count(build(12));
	println("gcheavy %d %d\n", t, count(keep));
	gort_store(keep, NULL);
}

// ---- forced collections

static void
gcforced(int n) {
	for (int i = 0; i < n; i++) {
		gort_store(keep, build(10));
		gort_gc();
	}
	println("gcforced %d\n", count(keep));
	gort_store(keep, NULL);
}

// ---- timers

static void
sleeper(int id, int n, gort_chan(int) done) {
	for (int i = 0; i < n; i++)
		gort_sleep((id + 1) * GORT_MS);
	gort_chan_send(done, id);
}

static void
timers(int n) {
	gort_chan(int) done = gort_chan_make(int, 0);
	for (int i = 0; i < 3; i++) {
		gort_go(sleeper, i, n, done);
		spawned();
	}
	for (int i = 0; i < 3; i++)
		gort_chan_recv(done);
	gort_ticker *tk = gort_new_ticker(2 * GORT_MS);
	for (int i = 0; i < n; i++)
		gort_chan_recv(gort_ticker_chan(tk));
	gort_ticker_stop(tk);
}

// ---- annotations

static void
step(uint64_t task, int i) {
	gort_trace_region(task, "step");
	gort_trace_log(task, "iter", gort_asprintf("%d", i));
}

static void
annot(int n) {
	uint64_t task = gort_trace_task_begin(0, "job");
	for (int i = 0; i < n; i++)
		step(task, i);
	gort_trace_task_end(task);
}

// ---- what a Go program has besides
//
// Package os, when it opens the standard files, starts the goroutines that run finalizers and cleanups.
// They wait, but each takes a turn at first, and which turn is whose is compared.  And what the packages
// do at the start leaves some 300 KB on the heap, 60 of them in use.

static void runFinalizers(void) __asm__("runtime.runFinalizers");
static void runCleanups(void) __asm__("runtime.runCleanups");
static gort_mutex never;
static int turns; // atomic: goroutines that have had their first turn

static void
runFinalizers(void) {
	__atomic_add_fetch(&turns, 1, __ATOMIC_RELAXED);
	gort_mutex_lock(&never);
	gort_mutex_unlock(&never);
}

static void
runCleanups(void) {
	__atomic_add_fetch(&turns, 1, __ATOMIC_RELAXED);
	gort_mutex_lock(&never);
	gort_mutex_unlock(&never);
}

static node *packages;

static void
initpackages(void) {
	gort_mutex_lock(&never);
	gort_go(runFinalizers);
	gort_go(runCleanups);
	// Spans with garbage between what stays.
	for (int i = 0; i < 3000; i++) {
		node *other = gort_alloc(80, GORT_NOSCAN);
		node *x = gort_new_with(node, .l = packages, .r = i % 8 == 0 ? other : NULL);
		if (i % 2 == 0)
			gort_store(packages, x);
	}
	// With a processor to spare they have had it before main begins, which takes Go's program longer.
	if (gort_gomaxprocs(0) > 1)
		while (__atomic_load_n(&turns, __ATOMIC_RELAXED) < 2)
			__builtin_ia32_pause();
}

static const struct {
	const char *name;
	void (*f)(int n);
	int n;
} progs[] = {
	{"pingpong", pingpong, 200},
	{"pool", pool, 100},
	{"locks", locks, 50},
	{"gcheavy", gcheavy, 400},
	{"gcforced", gcforced, 3},
	{"timers", timers, 10},
	{"annot", annot, 5},
};

static int
app(int argc, char **argv) {
	const char *out = argv[2];
	initpackages();
	int n = argc > 3 ? atoi(argv[3]) : 0;
	size_t k = 0;
	while (k < sizeof progs / sizeof progs[0] && strcmp(progs[k].name, argv[1]) != 0)
		k++;
	if (k == sizeof progs / sizeof progs[0]) {
		fprintf(stderr, "twins: unknown program %s\n", argv[1]);
		return 2;
	}
	childfirst = getenv("TWINS_RULE") != NULL;
	if (getenv("TW_NOGC") != NULL)
		gort_set_gc_percent(-1);
	gort_blocking(call_1, NULL);
	int fd = -1;
	if (strcmp(out, "-") != 0) {
		fd = (int)gort_blocking(create_1, (void *)out);
		int err = fd < 0 ? fd : gort_trace_start(fd);
		if (err != 0) {
			fprintf(stderr, "twins: %s: %s\n", out, strerror(-err));
			return 1;
		}
	}
	progs[k].f(n == 0 ? progs[k].n : n);
	if (fd >= 0) {
		int err = gort_trace_stop();
		if (err != 0 || close(fd) != 0) {
			fprintf(stderr, "twins: %s: cannot be written\n", out);
			return 1;
		}
	}
	return 0;
}

int
main(int argc, char **argv) {
	if (argc < 3) {
		fprintf(stderr, "usage: twins PROG TRACE-OUT [N]\n");
		return 2;
	}
	return gort_run(app, argc, argv);
}
