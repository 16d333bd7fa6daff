// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Traces and profiles to descriptors that do not take them at once, or not at all.
#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <zlib.h>

#include "runtime/os_linux.h"
#include "runtime/runtime.h"
#include "sched/proc.h"
#include "sched/runtime2.h"
#include "sched/symtab.h"
#include "sched/trace.h"
#include "sched/writefd.h"

enum {
	pipesize = 4096, // one page: the least there is
	room = 8 << 20,
	step = 700,
};

// slowpipe is a pipe that is full at first, and somebody who reads it bit by bit.
typedef struct slowpipe {
	int r, w;
	uint8_t *data; // what came after the filling
	size_t n;
	gort_chan(int) done;
} slowpipe;

static void
slowpipe_make(slowpipe *p, bool nonblock) {
	static const char fill[pipesize];
	int fds[2];

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	CHECK(fcntl(fds[1], F_SETPIPE_SZ, pipesize) == pipesize);
	CHECK(write(fds[1], fill, pipesize) == pipesize);
	if (nonblock) {
		CHECK(fcntl(fds[1], F_SETFL, O_NONBLOCK) == 0);
		CHECK(write(fds[1], fill, 1) == -1 && errno == EAGAIN);
	}
	*p = (slowpipe){.r = fds[0], .w = fds[1], .data = malloc(room)};
	p->done = gort_chan_make(int, 1);
}

static intptr_t
slowpipe_step(void *arg) {
	slowpipe *p = arg;
	return read(p->r, p->data + p->n, step);
}

static void
writing_1(G *gp, void *found) {
	char name[128];

	if ((readgstatus(gp) & ~(uint32_t)_Gscan) != _Gsyscall)
		return;
	funcnameFromPC(atomic_LoadRelaxed(&gp->syscallpc) - 1, name, sizeof name);
	*(bool *)found |=
		strcmp(name, "runtime.writefd") == 0 || strcmp(name, "runtime.waitWritable") == 0;
}

// someonewaits returns when a goroutine without a P is in a system call of writefd: it waits for the
// pipe, which is full.
static void
someonewaits(void) {
	for (;;) {
		bool found = false;
		forEachGRace(writing_1, &found);
		if (found && atomic_Load(&sched.nGsyscallNoP) != 0)
			return;
		gort_yield();
	}
}

// slowpipe_reads takes everything, once somebody waits.
static void
slowpipe_reads(slowpipe *p) {
	char fill[pipesize];

	someonewaits();
	CHECK(read(p->r, fill, pipesize) == pipesize);
	for (intptr_t n; (n = gort_blocking(slowpipe_step, p)) != 0;) {
		CHECK(n > 0 && p->n + step < room);
		p->n += (size_t)n;
		gort_yield();
	}
	gort_chan_send(p->done, 1);
}

// slowpipe_end returns when everything has been read.
static void
slowpipe_end(slowpipe *p) {
	close(p->w);
	gort_chan_recv(p->done);
	close(p->r);
}

// ---- writefd --------------------------------------------------------------------------------------------

static uint8_t sent[300000];
static int result; // of writes

static void
writes(int fd, gort_chan(int) c) {
	result = writefd(fd, sent, sizeof sent);
	gort_chan_send(c, 1);
}

static void
makesent(void) {
	for (size_t i = 0; i < sizeof sent; i++)
		sent[i] = (uint8_t)(i * 31 + i / 251);
}

// All of it arrives; with one P the reader runs, so it was free.
static void
arrives(bool nonblock) {
	slowpipe p;

	gort_gomaxprocs(1);
	makesent();
	slowpipe_make(&p, nonblock);
	gort_go(slowpipe_reads, &p);
	CHECK(writefd(p.w, sent, sizeof sent) == 0);
	slowpipe_end(&p);
	CHECK(p.n == sizeof sent && memcmp(p.data, sent, sizeof sent) == 0);
}

static void
nonblocking(void) {
	arrives(true);
}

static void
blocking(void) {
	arrives(false);
}

Test(WriteFd, NonBlocking) {
	RUN(nonblocking);
}

Test(WriteFd, Blocking) {
	RUN(blocking);
}

// Who waits for a non-blocking descriptor does not ask again and again.
static void
sleeps(void) {
	slowpipe p;

	gort_gomaxprocs(1);
	slowpipe_make(&p, true);
	gort_chan(int) c = gort_chan_make(int, 1);
	gort_go(writes, p.w, c);
	someonewaits();
	// It stays in that call: its P does not come back for another one.
	for (int i = 0; i < 10000; i++) {
		CHECK(atomic_Load(&sched.nGsyscallNoP) == 1);
		gort_yield();
	}
	close(p.r); // nobody reads it any more, and it learns of that
	gort_chan_recv(c);
	CHECK(result == -EPIPE);
	close(p.w);
}

Test(WriteFd, Sleeps) {
	RUN(sleeps);
}

static uint32_t interrupts; // atomic
static uint32_t writertid;  // atomic

static void
interrupted(int sig) {
	(void)sig;
	(void)atomic_Xadd(&interrupts, 1);
}

static void
writeslocked(int fd, gort_chan(int) c) {
	LockOSThread();
	atomic_Store(&writertid, runtime_gettid());
	writes(fd, c);
}

// Signals that interrupt it are no errors.  The writer's thread does nothing but write; a signal comes
// when the last one has been handled.
static void
eintr(bool nonblock) {
	slowpipe p;
	struct sigaction sa = {.sa_handler = interrupted, .sa_flags = SA_ONSTACK}, old;

	CHECK(sigaction(SIGUSR1, &sa, &old) == 0); // without SA_RESTART
	makesent();
	slowpipe_make(&p, nonblock);
	gort_chan(int) c = gort_chan_make(int, 1);
	atomic_Store(&writertid, 0u);
	gort_go(writeslocked, p.w, c);
	while (atomic_Load(&writertid) == 0)
		gort_yield();
	someonewaits();
	for (uint32_t i = 1; i <= 200; i++) {
		atomic_Store(&interrupts, 0u);
		runtime_tgkill(runtime_getpid(), (int32_t)atomic_Load(&writertid), SIGUSR1);
		while (atomic_Load(&interrupts) == 0)
			gort_yield();
	}
	gort_go(slowpipe_reads, &p);
	gort_chan_recv(c);
	CHECK(result == 0);
	slowpipe_end(&p);
	CHECK(p.n == sizeof sent && memcmp(p.data, sent, sizeof sent) == 0);
	CHECK(sigaction(SIGUSR1, &old, NULL) == 0);
}

static void
interrupts_(void) {
	eintr(false);
	eintr(true);
}

Test(WriteFd, Interrupted) {
	RUN(interrupts_);
}

static void
errors(void) {
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	CHECK(writefd(-1, sent, 1) == -EBADF);
	CHECK(writefd(-1, sent, 0) == 0);
	CHECK(writefd(full, sent, 1) == -ENOSPC);
	close(full);
}

Test(WriteFd, Errors) {
	RUN(errors);
}

// ---- traces ---------------------------------------------------------------------------------------------

// generations counts them in a trace, which has to be complete.
static int
generations(const uint8_t *data, size_t size) {
	size_t i = 16;
	int n = 0;

	CHECK(size > 16 && memcmp(data, "go 1.26 trace\0\0", 16) == 0);
	while (i < size) {
		if (data[i] == EvEndOfGeneration) {
			n++;
			i++;
			continue;
		}
		CHECK(data[i] == EvEventBatch);
		i++;
		uint64_t v = 0;
		for (int k = 0; k < 4; k++) { // generation, thread, time, length
			v = 0;
			for (int shift = 0; i < size; shift += 7) {
				v |= (uint64_t)(data[i] & 0x7f) << shift;
				if (data[i++] < 0x80)
					break;
			}
		}
		i += v;
	}
	CHECK(i == size && data[size - 1] == EvEndOfGeneration);
	return n;
}

enum { nmessages = 3000 };

static void
logs(void) {
	char msg[32];

	for (int i = 0; i < nmessages; i++) {
		snprintf(msg, sizeof msg, "message %d.", i);
		gort_trace_log(0, "k", msg);
	}
}

static void
hasmessages(const slowpipe *p) {
	char msg[32];

	for (int i = 0; i < nmessages; i++) {
		int n = snprintf(msg, sizeof msg, "message %d.", i);
		CHECK(memmem(p->data, p->n, msg, (size_t)n) != NULL);
	}
	CHECK(generations(p->data, p->n) >= 1);
}

static void
trace_(void) {
	slowpipe p;

	slowpipe_make(&p, true);
	gort_go(slowpipe_reads, &p);
	CHECK(gort_trace_start(p.w) == 0);
	logs();
	CHECK(gort_trace_stop() == 0);
	slowpipe_end(&p);
	hasmessages(&p);
}

static void
trace1(void) {
	gort_gomaxprocs(1);
	trace_();
}

Test(WriteFd, Trace) {
	RUN(trace_);
}

Test(WriteFd, Trace1) {
	RUN(trace1);
}

static int
nowhere(void *ctx, const void *data, size_t n) {
	(void)ctx;
	(void)data;
	(void)n;
	return 0;
}

static int snapresult;

static void
snapshots(int fd, gort_chan(int) c) {
	snapresult = gort_trace_snapshot(fd);
	gort_chan_send(c, 1);
}

// While a snapshot waits others may trace, and end the recording.
static void
snapshot(void) {
	slowpipe p;

	CHECK(gort_trace_flight_start(INT64_C(3600) * 1000000000, (size_t)1 << 30) == 0);
	logs();
	slowpipe_make(&p, true);
	gort_chan(int) c = gort_chan_make(int, 1);
	gort_go(snapshots, p.w, c);
	someonewaits();
	CHECK(gort_trace_start_writer(nowhere, NULL) == 0);
	CHECK(gort_trace_stop() == 0);
	CHECK(gort_trace_flight_stop() == 0);
	CHECK(!gort_trace_enabled());
	gort_go(slowpipe_reads, &p);
	gort_chan_recv(c);
	CHECK(snapresult == 0);
	slowpipe_end(&p);
	hasmessages(&p);
}

Test(WriteFd, Snapshot) {
	RUN(snapshot);
}

// ---- profiles -------------------------------------------------------------------------------------------

static NOINLINE void
waits(gort_chan(int) c) {
	gort_chan_recv(c);
}

// inflated returns whether the whole of what was read is one compressed file, whose sums are right.
static bool
inflated(const slowpipe *p) {
	static uint8_t out[1 << 20];
	z_stream z = {.next_in = p->data, .avail_in = (unsigned)p->n};

	CHECK(inflateInit2(&z, MAX_WBITS + 16) == Z_OK);
	int r;
	do {
		z.next_out = out;
		z.avail_out = sizeof out;
		r = inflate(&z, Z_NO_FLUSH);
	} while (r == Z_OK);
	bool ok = r == Z_STREAM_END && z.avail_in == 0 && z.total_out > 0;
	inflateEnd(&z);
	return ok;
}

static void
profile(const char *name, int debug_, slowpipe *p) {
	slowpipe_make(p, true);
	gort_go(slowpipe_reads, p);
	CHECK(gort_pprof_write(name, p->w, debug_) == 0);
	slowpipe_end(p);
}

static void
profiles(void) {
	enum { nwaits = 500 };
	slowpipe p;
	gort_chan(int) c = gort_chan_make(int, 0);

	gort_mem_profile_rate(1);
	for (int i = 0; i < nwaits; i++)
		gort_go(waits, c);
	profile("heap", 0, &p);
	CHECK(inflated(&p));
	profile("goroutine", 0, &p);
	CHECK(inflated(&p));
	profile("heap", 1, &p);
	CHECK(memmem(p.data, p.n, "heap profile: ", 14) == p.data);
	CHECK(memmem(p.data, p.n, "\n# MaxRSS = ", 12) != NULL); // the last line
	profile("goroutine", 2, &p);
	int n = 0;
	static const char line[] = "\ngoroutine ";
	for (const uint8_t *q = p.data; q != NULL; n++) {
		q = memmem(q, p.n - (size_t)(q - p.data), line, sizeof line - 1);
		q += q != NULL;
	}
	// The first one has no newline before it: so n counts all, the reader too.
	CHECK(n == nwaits + 2);

	slowpipe_make(&p, true);
	gort_go(slowpipe_reads, &p);
	CHECK(gort_pprof_start_cpu(p.w) == 0);
	CHECK(gort_pprof_stop_cpu() == 0);
	slowpipe_end(&p);
	CHECK(inflated(&p));
	gort_chan_close(c);
}

static void
profiles1(void) {
	gort_gomaxprocs(1);
	profiles();
}

Test(WriteFd, Profiles) {
	RUN(profiles);
}

Test(WriteFd, Profiles1) {
	RUN(profiles1);
}

// ---- nobody reads ---------------------------------------------------------------------------------------

static void
closed(void) {
	int fds[2];

	CHECK(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
	close(fds[0]);
	CHECK(writefd(fds[1], sent, 1) == -EPIPE);
	CHECK(gort_trace_start(fds[1]) == 0);
	CHECK(gort_trace_stop() == -EPIPE);
	CHECK(gort_trace_flight_start(0, 0) == 0);
	CHECK(gort_trace_snapshot(fds[1]) == -EPIPE);
	CHECK(gort_trace_flight_stop() == 0);
	CHECK(gort_pprof_write("heap", fds[1], 0) == -EPIPE);
	CHECK(gort_pprof_write("heap", fds[1], 1) == -EPIPE);
	CHECK(gort_pprof_write("goroutine", fds[1], 2) == -EPIPE);
	CHECK(gort_pprof_start_cpu(fds[1]) == 0);
	CHECK(gort_pprof_stop_cpu() == -EPIPE);
	close(fds[1]);
}

Test(WriteFd, Closed) {
	RUN(closed);
}

// The reader goes away while the trace waits for it: it ends with the error, and the program goes on.
static void
closedlater(void) {
	slowpipe p;

	slowpipe_make(&p, true);
	CHECK(gort_trace_start(p.w) == 0);
	someonewaits();
	close(p.r);
	CHECK(gort_trace_stop() == -EPIPE);
	close(p.w);
}

Test(WriteFd, ClosedLater) {
	RUN(closedlater);
}
