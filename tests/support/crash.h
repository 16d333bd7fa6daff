// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// crash_child runs a function, which is expected to end the process, as the main goroutine of a child.
#ifndef GORT_TESTS_CRASH_H
#define GORT_TESTS_CRASH_H

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/support.h"

// crash_child runs fn with an environment variable set (NULL: none), stores what it wrote to standard error
// in buf, and returns the status of waitpid.
__attribute__((unused)) static int
crash_child(void (*fn)(void), const char *var, const char *value, char *buf, size_t n) {
	int fds[2];
	if (pipe(fds) != 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		close(fds[0]);
		dup2(fds[1], 2);
		close(fds[1]);
		if (var != NULL)
			setenv(var, value, 1);
		alarm(120); // a child that hangs fails the test
		_exit(support_run(fn) == 0 ? 0 : 1);
	}
	close(fds[1]);
	size_t len = 0;
	char over[4096];
	for (;;) {
		ssize_t k = len < n - 1 ? read(fds[0], buf + len, n - 1 - len)
					: read(fds[0], over, sizeof over);
		if (k <= 0)
			break;
		if (len < n - 1)
			len += (size_t)k;
	}
	buf[len] = 0;
	close(fds[0]);
	int status = -1;
	waitpid(pid, &status, 0);
	return status;
}

#define EXITED(status, code) (WIFEXITED(status) && WEXITSTATUS(status) == (code))

#endif
