// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// crash_child runs a function, which is expected to end the process, as the main goroutine of a child.
#ifndef GORT_TESTS_CRASH_H
#define GORT_TESTS_CRASH_H

#include <stdlib.h>

#include "tests/support/child.h"
#include "tests/support/support.h"

// crash_child runs fn with an environment variable set (NULL: none), stores what it wrote to standard error
// in buf, and returns the status of waitpid.
__attribute__((unused)) static int
crash_child(void (*fn)(void), const char *var, const char *value, char *buf, size_t n) {
	int fd;
	pid_t pid = child_fork(&fd, 120);
	if (pid < 0)
		return -1;
	if (pid == 0) {
		if (var != NULL)
			setenv(var, value, 1);
		_exit(support_run(fn) == 0 ? 0 : 1);
	}
	return child_end(pid, fd, buf, n);
}

#define EXITED(status, code) (WIFEXITED(status) && WEXITSTATUS(status) == (code))

#endif
