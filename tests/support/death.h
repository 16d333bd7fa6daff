// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Tests of code that ends the process: it runs in a child, and its last words are looked at.
#ifndef GORT_TESTS_SUPPORT_DEATH_H
#define GORT_TESTS_SUPPORT_DEATH_H

#include <string.h>

#include "sched/proc.h"
#include "tests/support/child.h"
#include "tests/support/support.h"

enum { deathMax = 1 << 16 };

static void (*death_fn)(void);

static void
death_main(void) {
	death_fn();
	_exit(0);
}

// deathOf runs fn as the main goroutine of a child process, or as it is with start == false, and
// returns the child's wait status; text gets what it wrote to standard error.
static inline int
deathOf(void (*fn)(void), bool start, char text[deathMax]) {
	int fd;
	pid_t pid = child_fork(&fd, 30);
	cr_assert(pid >= 0);
	if (pid == 0) {
		death_fn = fn;
		if (start)
			runtime_start(death_main);
		else
			death_main();
		_exit(0);
	}
	return child_end(pid, fd, text, deathMax);
}

// expectDeath: fn ends with status 2, and its last words begin with want.
static inline void
expectDeath(void (*fn)(void), const char *want) {
	static char text[deathMax];
	int status = deathOf(fn, true, text);
	cr_expect(
		WIFEXITED(status) && WEXITSTATUS(status) == 2, "status %#x, text %s", status, text);
	cr_expect(strncmp(text, want, strlen(want)) == 0, "got %s\nwant %s", text, want);
}

#endif
