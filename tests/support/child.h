// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// A child process whose standard error the test reads.
#ifndef GORT_TESTS_CHILD_H
#define GORT_TESTS_CHILD_H

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

// child_fork forks.  The child writes its standard error to *fd, and does not hang for more than so many
// seconds; -1: there is none.
static inline pid_t
child_fork(int *fd, unsigned seconds) {
	int p[2];
	*fd = -1;
	if (pipe(p) != 0)
		return -1;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(p[1], 2);
		close(p[0]);
		alarm(seconds);
	}
	close(p[1]);
	*fd = p[0];
	return pid;
}

// child_end reads what the child writes until it ends, stores up to n-1 bytes of it in text, and returns
// the status of waitpid.
static inline int
child_end(pid_t pid, int fd, char *text, size_t n) {
	size_t len = 0;
	for (;;) {
		char drop[4096];
		ssize_t k = len < n - 1 ? read(fd, text + len, n - 1 - len)
					: read(fd, drop, sizeof drop);
		if (k <= 0)
			break;
		if (len < n - 1)
			len += (size_t)k;
	}
	text[len] = 0;
	close(fd);
	int status = -1;
	waitpid(pid, &status, 0);
	return status;
}

#endif
