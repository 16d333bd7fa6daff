// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// What the stress programs share: the time they have, random numbers, the end on a failure, and a
// watch for standstill.  A stress program is a plain program on gort.h:
//
//	PROGRAM [SECONDS [SEED]]
//
// $STRESS_SECONDS is the default for the seconds.  $STRESS_TIMESLICE is the length of a time slice
// in microseconds (100; 0 leaves Go's 10 ms).  $STRESS_ABORT makes a failure an abort, for a core.
// With $STRESS_TRACE=DIR execution traces of random length are written meanwhile: DIR/PROGRAM.N.trace;
// $STRESS_TRACES is the largest number of them.
#ifndef GORT_TESTS_STRESS_H
#define GORT_TESTS_STRESS_H

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gort.h"

#ifdef __has_feature
#	if __has_feature(thread_sanitizer)
#		define STRESS_TSAN 1
#	endif
#	if __has_feature(address_sanitizer)
#		define STRESS_ASAN 1
#	endif
#endif
#ifdef __SANITIZE_THREAD__
#	define STRESS_TSAN 1
#endif
#ifdef __SANITIZE_ADDRESS__
#	define STRESS_ASAN 1
#endif

// Under ThreadSanitizer goroutines stop only where they poll: its own code cannot be interrupted.
#ifdef STRESS_TSAN
#	define POLL() gort_poll()
#else
#	define POLL() ((void)0)
#endif

#define NOINLINE __attribute__((noinline))

static const char *stress_name;
static double stress_seconds;
static uint64_t stress_seed;
static uint64_t stress_ops;       // atomic: grows while something goes on
static int stress_goroutines = 1; // before the program starts any

// fail ends the program.  One write: stdio belongs to threads that may be stopped.
static void fail(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void
fail(const char *fmt, ...) {
	char b[600];
	int n = snprintf(b, sizeof b, "%s: FAIL: ", stress_name);
	va_list ap;
	va_start(ap, fmt);
	n += vsnprintf(b + n, sizeof b - (size_t)n - 100, fmt, ap);
	va_end(ap);
	n += snprintf(b + n, sizeof b - (size_t)n, " (seed %lu)\n", (unsigned long)stress_seed);
	if (write(2, b, (size_t)n) < 0 || getenv("STRESS_ABORT") != NULL)
		abort();
	_exit(1);
}

#define CHECK(cond, ...)                   \
	do {                               \
		if (!(cond))               \
			fail(__VA_ARGS__); \
	} while (0)

// step counts n operations.
static inline void
step(uint64_t n) {
	__atomic_add_fetch(&stress_ops, n, __ATOMIC_RELAXED);
}

// steps is their number so far.
static uint64_t
steps(void) {
	return __atomic_load_n(&stress_ops, __ATOMIC_RELAXED);
}

// rng is xorshift64*.
typedef struct rng {
	uint64_t s;
} rng;

static inline uint64_t
mix(uint64_t x) {
	x ^= x >> 31;
	x *= 0x7fb5d329728ea185;
	x ^= x >> 27;
	x *= 0x81dadef4bc2dd44d;
	return x ^ x >> 33;
}

static inline rng
rng_make(uint64_t id) {
	return (rng){mix(stress_seed * 0x9e3779b97f4a7c15 + id) | 1};
}

static inline uint64_t
rnd(rng *r) {
	r->s ^= r->s >> 12;
	r->s ^= r->s << 25;
	r->s ^= r->s >> 27;
	return r->s * 0x2545f4914f6cdd1d;
}

// below returns a number from 0 to n-1.
static inline uint32_t
below(rng *r, uint32_t n) {
	return (uint32_t)((rnd(r) >> 32) * n >> 32);
}

// watch is a thread of the program, which gort knows nothing of.
static void *
watch(void *arg) {
	(void)arg;
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	const char *limit = getenv("STRESS_STANDSTILL");
	int seconds = limit != NULL ? atoi(limit) : 60;
	uint64_t last = 0;
	for (int still = 0;; still++) {
		sleep(1);
		uint64_t now = steps();
		if (now != last)
			still = 0;
		last = now;
		if (still < seconds)
			continue;
		char b[200];
		int n = snprintf(b, sizeof b, "%s: FAIL: nothing went on for %d s (seed %lu)\n",
			stress_name, seconds, (unsigned long)stress_seed);
		if (write(2, b, (size_t)n) < 0 || getenv("STRESS_ABORT") != NULL)
			abort();
		kill(getpid(), SIGQUIT); // the goroutines' stacks
		sleep(10);
		_exit(1);
	}
	return NULL;
}

static uint32_t stress_done; // atomic: the program has ended

// stress_tracefile opens the n-th trace.
static int
stress_tracefile(int n) {
	char name[400];
	snprintf(name, sizeof name, "%s/%s.%d.trace", getenv("STRESS_TRACE"), stress_name, n);
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	CHECK(fd >= 0, "cannot write %s", name);
	return fd;
}

// stress_tracer starts and stops traces, and the flight recorder, until the program ends.
static void
stress_tracer(gort_waitgroup *wg) {
	const char *s = getenv("STRESS_TRACES");
	int max = s != NULL ? atoi(s) : 1 << 30;
	rng r = rng_make(12345);
	for (int n = 0; !__atomic_load_n(&stress_done, __ATOMIC_SEQ_CST);) {
		if (n >= max) { // torture counts goroutines: stay
			gort_sleep(10 * GORT_MS);
			continue;
		}
		gort_sleep((int64_t)below(&r, 4) * below(&r, 1000) * GORT_US);
		bool flight = below(&r, 4) == 0;
		if (flight)
			CHECK(gort_trace_flight_start(
				      GORT_MS * (1 + below(&r, 50)), below(&r, 2) * 100000) == 0,
				"flight recorder");
		if (!flight || below(&r, 2) == 0) {
			int fd = stress_tracefile(n++);
			CHECK(gort_trace_start(fd) == 0, "start of a trace");
			gort_sleep((int64_t)below(&r, 3) * below(&r, 10000) * GORT_US);
			CHECK(gort_trace_stop() == 0, "stop of a trace");
			close(fd);
		}
		if (flight) {
			gort_sleep((int64_t)below(&r, 3) * below(&r, 10000) * GORT_US);
			int fd = stress_tracefile(n++);
			CHECK(gort_trace_snapshot(fd) == 0, "snapshot");
			close(fd);
			CHECK(gort_trace_flight_stop() == 0, "flight recorder");
		}
	}
	gort_waitgroup_done(wg);
}

static gort_waitgroup stress_workers;

// stress_worker runs f, as one of stress_workers.
static inline void
stress_worker(void (*f)(uint64_t), uint64_t id) {
	f(id);
	gort_waitgroup_done(&stress_workers);
}

// stress_ended fails if goroutines of the program are left.
static inline void
stress_ended(void) {
	for (int i = 0; i < 5000 && gort_num_goroutine() > stress_goroutines; i++)
		gort_sleep(GORT_MS);
	CHECK(gort_num_goroutine() == stress_goroutines, "%d goroutines are left",
		gort_num_goroutine());
}

static int (*stress_app)(int, char **);

// stress_run runs the program, with traces if they are wanted.
static int
stress_run(int argc, char **argv) {
	static gort_waitgroup wg;
	bool traces = getenv("STRESS_TRACE") != NULL;
	if (traces) {
		gort_waitgroup_add(&wg, 1);
		gort_go(stress_tracer, &wg);
		stress_goroutines++;
	}
	int rc = stress_app(argc, argv);
	if (traces) {
		__atomic_store_n(&stress_done, 1, __ATOMIC_SEQ_CST);
		gort_waitgroup_wait(&wg);
	}
	return rc;
}

// stress_main reads the arguments, sets GODEBUG and runs app.
static int
stress_main(const char *name, int (*app)(int, char **), int argc, char **argv) {
	stress_name = name;
	const char *s = getenv("STRESS_SECONDS");
	stress_seconds = argc > 1 ? atof(argv[1]) : s != NULL ? atof(s) : 2;
	stress_seed = argc > 2 ? strtoul(argv[2], NULL, 0)
			       : mix((uint64_t)getpid() ^ (uint64_t)time(NULL) << 20);

	const char *slice = getenv("STRESS_TIMESLICE");
	if (slice == NULL)
		slice = "100";
	if (atoi(slice) > 0) {
		const char *old = getenv("GODEBUG");
		char b[400];
		snprintf(b, sizeof b, "timeslice=%s,%s", slice, old != NULL ? old : "");
		setenv("GODEBUG", b, 1);
	}

	pthread_t t;
	if (pthread_create(&t, NULL, watch, NULL) != 0)
		fail("no thread");
	stress_app = app;
	return gort_run(stress_run, argc, argv);
}

#endif
