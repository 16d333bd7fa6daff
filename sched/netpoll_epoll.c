// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The network poller on epoll.  Ports netpoll_epoll.go of Go 1.26.8.
//
// PORT: epoll_pwait2 instead of epoll_wait: its timeout is in nanoseconds, so that a sleep of 50 us is
// not a sleep of 1 ms.  The thread that is going to block sets its timer slack to 1 ns first, once.
// Kernels before 5.11 have no epoll_pwait2; there the timeout is rounded as Go does.
#include "sched/netpoll.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include "runtime/lfstack.h"
#include "runtime/os_linux.h"

static int epfd = -1;
static uintptr_t netpollEventFd; // for netpollBreak
static uint32_t netpollWakeSig;  // atomic: a netpollBreak is on its way
static bool noPwait2;            // the kernel has no epoll_pwait2

// netpollinit opens the poller.
void
netpollinit(void) {
	struct epoll_event ev = {.events = EPOLLIN};
	int64_t r;

	r = sys_call3(SYS_epoll_create1, EPOLL_CLOEXEC, 0, 0);
	if (r < 0) {
		print("runtime: epollcreate failed with %d\n", (int)-r);
		throw("runtime: netpollinit failed");
	}
	epfd = (int)r;
	r = sys_call3(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK, 0);
	if (r < 0) {
		print("runtime: eventfd failed with %d\n", (int)-r);
		throw("runtime: eventfd failed");
	}
	netpollEventFd = (uintptr_t)r;
	ev.data.ptr = &netpollEventFd;
	r = sys_call6(SYS_epoll_ctl, (uint64_t)epfd, EPOLL_CTL_ADD, netpollEventFd,
		(uint64_t)(uintptr_t)&ev, 0, 0);
	if (r < 0) {
		print("runtime: epollctl failed with %d\n", (int)-r);
		throw("runtime: epollctl failed");
	}
}

bool
netpollIsPollDescriptor(uintptr_t fd) {
	return fd == (uintptr_t)epfd || fd == netpollEventFd;
}

// netpollopen registers fd; 0 or an errno.  The event carries pd and its fdseq: an event of a
// descriptor that has been closed since is known by that.
int
netpollopen(uintptr_t fd, pollDesc *pd) {
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};

	ev.data.u64 = taggedPointerPack(pd, atomic_Load(&pd->fdseq));
	return (int)-sys_call6(
		SYS_epoll_ctl, (uint64_t)epfd, EPOLL_CTL_ADD, fd, (uint64_t)(uintptr_t)&ev, 0, 0);
}

int
netpollclose(uintptr_t fd) {
	struct epoll_event ev = {0};

	return (int)-sys_call6(
		SYS_epoll_ctl, (uint64_t)epfd, EPOLL_CTL_DEL, fd, (uint64_t)(uintptr_t)&ev, 0, 0);
}

// netpollBreak ends a netpoll that blocks.
void
netpollBreak(void) {
	uint64_t one = 1;

	if (!atomic_Cas(&netpollWakeSig, 0u, 1u))
		return; // one is on its way
	for (;;) {
		int64_t n = sys_call3(SYS_write, netpollEventFd, (uintptr_t)&one, sizeof(one));

		if (n == sizeof(one) || n == -EAGAIN)
			return;
		if (n != -EINTR) {
			print("runtime: netpollBreak write failed with %d\n", (int)-n);
			throw("runtime: netpollBreak write failed");
		}
	}
}

// setslack makes the timer slack of the thread ns, and returns what it was.
static uint64_t
setslack(uint64_t ns) {
	uint64_t old = (uint64_t)sys_call3(SYS_prctl, PR_GET_TIMERSLACK, 0, 0);

	sys_call3(SYS_prctl, PR_SET_TIMERSLACK, ns, 0);
	return old;
}

// epollwait waits for up to delay nanoseconds (< 0: for ever).  It returns the number of events or
// -errno.
static int64_t
epollwait(struct epoll_event *events, int n, int64_t delay) {
	int64_t waitms;

	if (!noPwait2) {
		struct timespec ts = {.tv_sec = delay / 1000000000, .tv_nsec = delay % 1000000000};
		uint64_t old = 0;

		// The kernel may round a thread's timeouts up by its slack, 50 us unless told otherwise.
		// Only this one is to be exact: runqgrab counts on the slack of others, and so may what
		// the program calls on this thread.
		if (delay > 0)
			old = setslack(1);
		int64_t r = sys_call6(SYS_epoll_pwait2, (uint64_t)epfd, (uint64_t)(uintptr_t)events,
			(uint64_t)n, delay < 0 ? 0 : (uint64_t)(uintptr_t)&ts, 0, 8);
		if (delay > 0)
			setslack(old);
		if (r != -ENOSYS)
			return r;
		noPwait2 = true;
	}
	if (delay <= 0)
		waitms = delay < 0 ? -1 : 0;
	else if (delay < 1000000)
		waitms = 1;
	else
		waitms = delay / 1000000;
	return sys_call6(SYS_epoll_pwait, (uint64_t)epfd, (uint64_t)(uintptr_t)events, (uint64_t)n,
		(uint64_t)waitms, 0, 8);
}

// netpoll asks which descriptors are ready.
gList
netpoll(int64_t delay, int32_t *delta) {
	struct epoll_event events[128];
	gList toRun = {0};
	int64_t n;

	*delta = 0;
	if (epfd == -1)
		return toRun;
	// No timeout is longer than 11.5 days.
	if (delay > 1000000000000000)
		delay = 1000000000000000;
	do {
		n = epollwait(events, nelem(events), delay);
		if (n < 0 && n != -EINTR) {
			print("runtime: epollwait on fd %d failed with %d\n", epfd, (int)-n);
			throw("runtime: netpoll failed");
		}
		// After an interrupted timed sleep the caller must say anew how long.
		if (n < 0 && delay > 0)
			return toRun;
	} while (n < 0);

	for (int64_t i = 0; i < n; i++) {
		struct epoll_event ev = events[i];
		int32_t mode = 0;

		if (ev.events == 0)
			continue;
		if (ev.data.ptr == &netpollEventFd) {
			if (ev.events != EPOLLIN) {
				print("runtime: netpoll: eventfd ready for %u\n", ev.events);
				throw("runtime: netpoll: eventfd ready for something unexpected");
			}
			// A poll that does not block leaves it to the one that does.
			if (delay != 0) {
				uint64_t one;

				sys_call3(SYS_read, netpollEventFd, (uintptr_t)&one, sizeof(one));
				atomic_Store(&netpollWakeSig, 0u);
			}
			continue;
		}

		if ((ev.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
			mode += 'r';
		if ((ev.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
			mode += 'w';
		if (mode != 0) {
			pollDesc *pd = taggedPointer_pointer(ev.data.u64);
			uintptr_t tag = taggedPointer_tag(ev.data.u64);

			if (atomic_Load(&pd->fdseq) == tag) {
				pollDesc_setEventErr(pd, ev.events == EPOLLERR, tag);
				*delta += netpollready(&toRun, pd, mode);
			}
		}
	}
	return toRun;
}
