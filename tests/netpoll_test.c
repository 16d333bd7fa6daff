// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The network poller, after netpoll_os_test.go of Go 1.26.8 and what package net's tests say of
// deadlines; here on a pipe.
#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "runtime/runtime.h"
#include "sched/netpoll.h"
#include "sched/proc.h"

struct pipes {
	int fd[2];
	pollDesc *r, *w;
	gort_waitgroup wg;
	int res;
};

static void
open_pipe(struct pipes *p) {
	int err = -1;

	memset(p, 0, sizeof(*p));
	CHECK(pipe2(p->fd, O_NONBLOCK | O_CLOEXEC) == 0);
	netpollGenericInit();
	p->r = poll_runtime_pollOpen((uintptr_t)p->fd[0], &err);
	CHECK(p->r != NULL && err == 0);
	p->w = poll_runtime_pollOpen((uintptr_t)p->fd[1], &err);
	CHECK(p->w != NULL && err == 0);
}

static void
close_pipe(struct pipes *p) {
	poll_runtime_pollUnblock(p->r);
	poll_runtime_pollClose(p->r);
	poll_runtime_pollUnblock(p->w);
	poll_runtime_pollClose(p->w);
	close(p->fd[0]);
	close(p->fd[1]);
}

// read_full reads n bytes as internal/poll does: try, and if there is nothing, wait.
static int
read_full(struct pipes *p, int n) {
	char buf[4096];

	for (int got = 0; got < n;) {
		int err = poll_runtime_pollReset(p->r, 'r');
		if (err != pollNoError)
			return err;
		ssize_t k = read(p->fd[0], buf, sizeof(buf));
		if (k > 0) {
			got += (int)k;
			continue;
		}
		if (k == 0 || errno != EAGAIN)
			return -1;
		err = poll_runtime_pollWait(p->r, 'r');
		if (err != pollNoError)
			return err;
	}
	return 0;
}

static void
reader(struct pipes *p, int n) {
	p->res = read_full(p, n);
	gort_waitgroup_done(&p->wg);
}

static int
write_full(struct pipes *p, int n) {
	static const char buf[4096];

	for (int put = 0; put < n;) {
		int err = poll_runtime_pollReset(p->w, 'w');
		if (err != pollNoError)
			return err;
		ssize_t k = write(p->fd[1], buf, (size_t)min(n - put, (int)sizeof(buf)));
		if (k > 0) {
			put += (int)k;
			continue;
		}
		if (errno != EAGAIN)
			return -1;
		err = poll_runtime_pollWait(p->w, 'w');
		if (err != pollNoError)
			return err;
	}
	return 0;
}

// wait_parked returns when a goroutine is parked on gpp.
static void
wait_parked(uintptr_t *gpp) {
	while (atomic_Load(gpp) <= pdWait)
		gort_yield();
}

static void
transfer(void) {
	struct pipes p;

	open_pipe(&p);
	gort_waitgroup_add(&p.wg, 1);
	gort_go(reader, &p, 1 << 22);
	CHECK(write_full(&p, 1 << 22) == 0);
	gort_waitgroup_wait(&p.wg);
	CHECK(p.res == 0);
	close_pipe(&p);
	CHECK(!netpollAnyWaiters());
}

// Four megabytes through a pipe of 64 KB: both ends wait.
Test(Netpoll, Transfer) {
	RUN(transfer);
}

static void
deadline(void) {
	struct pipes p;
	int64_t t = gort_now();

	open_pipe(&p);
	poll_runtime_pollSetDeadline(p.r, 2 * GORT_MS, 'r');
	CHECK(read_full(&p, 1) == pollErrTimeout);
	CHECK(gort_now() - t >= 2 * GORT_MS);
	CHECK(read_full(&p, 1) == pollErrTimeout); // it stays over
	poll_runtime_pollSetDeadline(p.r, 0, 'r');
	CHECK(write_full(&p, 1) == 0);
	CHECK(read_full(&p, 1) == 0);
	// one that is over already wakes who waits; so does a common one
	for (int i = 0; i < 2; i++) {
		gort_waitgroup_add(&p.wg, 1);
		gort_go(reader, &p, 1);
		wait_parked(&p.r->rg);
		CHECK(netpollAnyWaiters());
		poll_runtime_pollSetDeadline(p.r, i == 0 ? -1 : GORT_MS, i == 0 ? 'r' : 'r' + 'w');
		gort_waitgroup_wait(&p.wg);
		CHECK(p.res == pollErrTimeout);
		poll_runtime_pollSetDeadline(p.r, 0, 'r' + 'w');
	}
	// a deadline that is moved on does not fire
	poll_runtime_pollSetDeadline(p.r, 2 * GORT_MS, 'r');
	gort_waitgroup_add(&p.wg, 1);
	gort_go(reader, &p, 1);
	wait_parked(&p.r->rg);
	poll_runtime_pollSetDeadline(p.r, 3600 * GORT_S, 'r');
	gort_sleep(4 * GORT_MS);
	CHECK(write_full(&p, 1) == 0);
	gort_waitgroup_wait(&p.wg);
	CHECK(p.res == 0);
	close_pipe(&p);
	CHECK(!netpollAnyWaiters());
}

Test(Netpoll, Deadline) {
	RUN(deadline);
}

static void
closing(void) {
	struct pipes p;
	uintptr_t seq;

	for (int i = 0; i < 100; i++) {
		open_pipe(&p);
		gort_waitgroup_add(&p.wg, 1);
		gort_go(reader, &p, 1);
		wait_parked(&p.r->rg);
		poll_runtime_pollUnblock(p.r);
		gort_waitgroup_wait(&p.wg);
		CHECK(p.res == pollErrClosing);
		seq = p.r->fdseq;
		poll_runtime_pollClose(p.r);
		CHECK(p.r->fdseq != seq);
		poll_runtime_pollUnblock(p.w);
		poll_runtime_pollClose(p.w);
		close(p.fd[0]);
		close(p.fd[1]);
	}
}

Test(Netpoll, Close) {
	RUN(closing);
}

static void
hangup(void) {
	struct pipes p;

	open_pipe(&p);
	gort_waitgroup_add(&p.wg, 1);
	gort_go(reader, &p, 1);
	wait_parked(&p.r->rg);
	poll_runtime_pollUnblock(p.w);
	poll_runtime_pollClose(p.w);
	close(p.fd[1]);
	gort_waitgroup_wait(&p.wg);
	CHECK(p.res == -1); // end of file
	poll_runtime_pollUnblock(p.r);
	poll_runtime_pollClose(p.r);
	close(p.fd[0]);
}

Test(Netpoll, Hangup) {
	RUN(hangup);
}

static void
not_pollable(void) {
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int err = 0;

	netpollGenericInit();
	CHECK(poll_runtime_pollOpen((uintptr_t)file, &err) == NULL && err == EPERM);
	CHECK(poll_runtime_pollOpen(12345, &err) == NULL && err == EBADF);
	CHECK(!poll_runtime_isPollServerDescriptor((uintptr_t)fd));
	close(fd);
	close(file);
}

Test(Netpoll, NotPollable) {
	RUN(not_pollable);
}

static intptr_t
poll_1(void *arg) {
	int32_t delta;
	gList l = netpoll(GORT_S, &delta);

	(void)arg;
	return gList_empty(&l) && delta == 0;
}

static void
breaker(void) {
	netpollBreak();
	netpollBreak(); // the second has nothing to do
}

static void
break_(void) {
	int64_t t = gort_now();

	netpollGenericInit();
	gort_go(breaker);
	gort_blocking(poll_1, NULL); // another poller may have taken the wake-up, or this one
	netpollBreak();
	CHECK(gort_now() - t < 10 * GORT_S);
}

Test(Netpoll, Break) {
	RUN(break_);
}
