// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Goroutines in tests, and a runner for where Criterion does not run.  See support.h.
#include "tests/support/support.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/gort.h"
#include "sched/proc.h"

static void (*volatile next_fn)(void);
static sem_t next_sem; // there is a function to run
static sem_t done_sem; // it has returned
static int failures;   // atomic

void
support_check(const char *file, int line, const char *what) {
	char buf[512];
	int n = snprintf(buf, sizeof buf, "%s:%d: CHECK(%s) failed\n", file, line, what);

	if (n >= (int)sizeof buf)
		n = sizeof buf - 1;
	if (write(2, buf, (size_t)n) < 0)
		abort();
	__atomic_add_fetch(&failures, 1, __ATOMIC_SEQ_CST);
}

static intptr_t
wait_next(void *arg) {
	while (sem_wait(&next_sem) != 0)
		;
	return 0;
}

// support_main is the main goroutine.  Between two functions it waits as in a system call, so that a
// program in which nothing else happens is no deadlock.
static void
support_main(void) {
	for (;;) {
		next_fn();
		sem_post(&done_sem);
		gort_blocking(wait_next, NULL);
	}
}

static void *
support_thread(void *arg) {
	runtime_start(support_main);
	return NULL;
}

int
support_run(void (*fn)(void)) {
	static bool started;

	next_fn = fn;
	if (!started) {
		pthread_t t;

		started = true;
		sem_init(&next_sem, 0, 0);
		sem_init(&done_sem, 0, 0);
		if (pthread_create(&t, NULL, support_thread, NULL) != 0)
			abort();
	} else {
		sem_post(&next_sem);
	}
	while (sem_wait(&done_sem) != 0)
		;
	return __atomic_load_n(&failures, __ATOMIC_SEQ_CST);
}

#ifdef GORT_OWN_RUNNER

#	include <sys/wait.h>

extern const struct support_test __start_gort_tests[], __stop_gort_tests[];

void
support_fail(const char *file, int line, const char *what) {
	support_check(file, line, what);
	_exit(1);
}

// Runs the tests, or those whose "suite/name" begins with the argument, and prints Criterion's last
// line.
int
main(int argc, char **argv) {
	int tested = 0, failing = 0, crashing = 0;

	for (const struct support_test *t = __start_gort_tests; t < __stop_gort_tests; t++) {
		char name[256];
		int status;

		snprintf(name, sizeof name, "%s/%s", t->suite, t->name);
		if (argc > 1 && strncmp(name, argv[1], strlen(argv[1])) != 0)
			continue;
		tested++;
		fflush(NULL);
		pid_t pid = fork();
		if (pid == 0) {
			t->fn();
			fflush(NULL);
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			abort();
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue;
		fprintf(stderr, "[FAIL] %s (status 0x%x)\n", name, (unsigned)status);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
			failing++;
		else
			crashing++;
	}
	fprintf(stderr, "[====] Synthesis: Tested: %d | Passing: %d | Failing: %d | Crashing: %d\n",
		tested, tested - failing - crashing, failing, crashing);
	return failing + crashing != 0;
}

#endif
