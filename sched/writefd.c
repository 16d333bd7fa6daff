// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Writing to the descriptors that programs give for traces and profiles.  What os.File is to Go's
// runtime/trace and runtime/pprof.
//
// Programs give any descriptor: one whose reader is slow, or a goroutine of their own, and one that does
// not block.  So nothing is given up before it is an error, and the P is free meanwhile.
//
// A descriptor that does not block is waited for with poll, not with the poller of idle threads: it
// belongs to the program, which may have it in there itself.
#include "sched/writefd.h"

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>

#include "runtime/os_linux.h"
#include "sched/proc.h"

// waitWritable returns when fd takes more, or has an error for the next write: 0 or -errno.
static NOINLINE int
waitWritable(int fd) {
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	entersyscallblock(); // nobody knows how long: away with the P
	int64_t r = sys_call3(SYS_poll, &p, 1, -1);
	exitsyscall();
	return r < 0 && r != -EINTR ? (int)r : 0;
}

int
writefd(int fd, const void *data, uintptr_t n) {
	const uint8_t *p = data;

	while (n > 0) {
		entersyscall();
		int32_t w = runtime_write(fd, p, (int32_t)min(n, (uintptr_t)1 << 30));
		exitsyscall();
		if (w > 0) {
			p += w;
			n -= (uintptr_t)w;
			continue;
		}
		int err = w == 0 ? -EIO : w == -EAGAIN ? waitWritable(fd) : w;
		if (err != 0 && err != -EINTR)
			return err;
	}
	return 0;
}
