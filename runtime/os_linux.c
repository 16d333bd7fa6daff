// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Threads, futexes, files and identity on Linux.  Ports os_linux.go, retry.go and the system calls of
// sys_linux_amd64.s of Go 1.26.8.
//
// PORT: threads are libuv's, detached; what Go reads from the auxiliary vector by hand, getauxval
// knows.
#include "runtime/os_linux.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <uv.h>
#if __has_include(<sys/single_threaded.h>)
#	include <sys/single_threaded.h> // glibc 2.32
#	define SINGLE_THREADED __libc_single_threaded
#endif

#include "runtime/rand.h"
#include "runtime/runtime1.h"
#include "sched/proc.h"
#include "sched/runtime2.h"

void
futexsleep(uint32_t *addr, uint32_t val, int64_t ns) {
	struct timespec ts;
	struct timespec *tsp = NULL;
	if (ns >= 0) {
		ts.tv_sec = ns / 1000000000;
		ts.tv_nsec = ns % 1000000000;
		tsp = &ts;
	}
	sys_call6(SYS_futex, (uintptr_t)addr, FUTEX_WAIT_PRIVATE, val, (uintptr_t)tsp, 0, 0);
}

// futexwakeup wakes cnt threads that sleep on addr.  It cannot fail but for a wild addr.
void
futexwakeup(uint32_t *addr, uint32_t cnt) {
	int64_t ret = sys_call6(SYS_futex, (uintptr_t)addr, FUTEX_WAKE_PRIVATE, cnt, 0, 0, 0);
	if (ret >= 0)
		return;
	print("futexwakeup addr=%p returned %ld\n", (void *)addr, ret);
	throw("futexwakeup");
}

int32_t
getCPUCount(void) {
	enum { maxCPUs = 64 * 1024 };
	static uint64_t buf[maxCPUs / 64]; // too large for some stacks; only bits of one answer
	int64_t r = sys_call3(SYS_sched_getaffinity, 0, sizeof(buf), (uintptr_t)buf);
	if (r < 0)
		return 1;
	int32_t n = 0;
	for (int64_t i = 0; i < r / 8; i++)
		n += OnesCount64(buf[i]);
	return n == 0 ? 1 : n;
}

enum {
	threadStackSize = 1 << 20, // becomes the stack of g0, on which libc's deepest functions run
	threadStackTLS = 128 << 10, // of which so much may be thread-local variables and guard
};

// sys_mstart is the first function of a thread, on the stack that pthread made: that is g0's, from
// this frame down.  pthread knows where it ends, but it would call malloc to say so, which a thread
// that is stopped may hold.
static void
sys_mstart(void *arg) {
	M *mp = arg;
	G *gp = mp->g0;
	if (gp->stack.lo == 0) {
		gp->stack.hi = (uintptr_t)__builtin_frame_address(0);
		gp->stack.lo = gp->stack.hi - threadStackSize + threadStackTLS;
		gp->stackguard0 = gp->stack.lo;
	}
	setg(gp);
	mstart_asm(mp, mstart, 0);
}

// threadcreate starts the thread; 0 or an errno.
static int
threadcreate(M *mp) {
	int err = failinject_next(failThread);
	if (err != 0)
		return err;
	uv_thread_options_t opts = {
		.flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = threadStackSize};
	uv_thread_t thread;
	err = -uv_thread_create_ex(&thread, &opts, sys_mstart, mp);
	if (err == 0) {
		mp->thread = (uintptr_t)thread;
		pthread_detach(thread);
	}
	return err;
}

void
newosproc(M *mp) {
	// No signal may come before the thread can take it: minit opens its mask.
	uint64_t all = ~0UL;
	uint64_t oset;
	runtime_sigprocmask(SIG_SETMASK, &all, &oset);
	int ret = EAGAIN;
	for (uint32_t tries = 0; tries < 20 && ret == EAGAIN; tries++) {
		if (tries > 0)
			runtime_usleep(tries * 1000);
		ret = threadcreate(mp);
	}
	runtime_sigprocmask(SIG_SETMASK, &oset, NULL);

	if (ret != 0) {
		print("runtime: failed to create new OS thread (have %d already; errno=%d)\n",
			mcount(), ret);
		if (ret == EAGAIN)
			print("runtime: may need to increase max user processes (ulimit -u)\n");
		throw("newosproc");
	}
}

bool secureMode;

void
sysargs(void) {
	startupRand = (uint8_t *)getauxval(AT_RANDOM);
	physPageSize = getauxval(AT_PAGESZ);
	secureMode = getauxval(AT_SECURE) == 1;
}

bool
isSecureMode(void) {
	return secureMode;
}

// getHugePageSize returns the size of a transparent huge page; 0 if the kernel has none or says
// something odd.
uintptr_t
getHugePageSize(void) {
	char numbuf[21];
	int32_t fd = runtime_open(
		"/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	int32_t n = runtime_read(fd, numbuf, sizeof(numbuf) - 1);
	runtime_closefd(fd);
	if (n <= 0)
		return 0;
	numbuf[n - 1] = 0; // the newline
	bool ok;
	intptr_t v = runtime_atoi(numbuf, &ok);
	if (!ok || v < 0)
		v = 0;
	if ((v & (v - 1)) != 0)
		return 0;
	return (uintptr_t)v;
}

void
osinit(void) {
	numCPUStartup = getCPUCount();
	physHugePageSize = getHugePageSize();
#ifdef SINGLE_THREADED
	// For the tracer, which asks again: once there are threads, the kernel takes some ms.
	if (SINGLE_THREADED)
		runtime_membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
#endif
}

int32_t
readRandom(void *p, int32_t n) {
	int32_t fd = runtime_open("/dev/urandom", O_RDONLY | O_CLOEXEC, 0);
	int32_t r = runtime_read(fd, p, n);
	runtime_closefd(fd);
	return r;
}

_Noreturn void
runtime_exit(int32_t code) {
	for (;;)
		sys_call3(SYS_exit_group, (uint64_t)code, 0, 0);
}

uint32_t
runtime_gettid(void) {
	return (uint32_t)sys_call3(SYS_gettid, 0, 0, 0);
}

int32_t
runtime_getpid(void) {
	return (int32_t)sys_call3(SYS_getpid, 0, 0, 0);
}

void
runtime_tgkill(int32_t tgid, int32_t tid, int32_t sig) {
	sys_call3(SYS_tgkill, (uint64_t)tgid, (uint64_t)tid, (uint64_t)sig);
}

void
runtime_raise(uint32_t sig) {
	runtime_tgkill(runtime_getpid(), (int32_t)runtime_gettid(), (int32_t)sig);
}

void
runtime_raiseproc(uint32_t sig) {
	sys_call3(SYS_kill, (uint64_t)runtime_getpid(), sig, 0);
}

// signalM sends sig to the thread of mp.
void
signalM(M *mp, int sig) {
	runtime_tgkill(runtime_getpid(), (int32_t)atomic_LoadRelaxed(&mp->procid), sig);
}

void
runtime_sigprocmask(int how, const uint64_t *new_, uint64_t *old) {
	sys_call6(SYS_rt_sigprocmask, (uint64_t)how, (uintptr_t)new_, (uintptr_t)old, 8, 0, 0);
}

int32_t
runtime_membarrier(int32_t cmd) {
	return (int32_t)sys_call3(SYS_membarrier, (uint64_t)cmd, 0, 0);
}

int32_t
runtime_open(const char *name, int32_t flags, int32_t perm) {
	return (int32_t)sys_call6(SYS_openat, (uint64_t)AT_FDCWD, (uintptr_t)name, (uint64_t)flags,
		(uint64_t)perm, 0, 0);
}

int32_t
runtime_read(int32_t fd, void *p, int32_t n) {
	return (int32_t)sys_call3(SYS_read, (uint64_t)fd, (uintptr_t)p, (uint64_t)n);
}

int32_t
runtime_write(int32_t fd, const void *p, int32_t n) {
	return (int32_t)sys_call3(SYS_write, (uint64_t)fd, (uintptr_t)p, (uint64_t)n);
}

int32_t
runtime_closefd(int32_t fd) {
	return (int32_t)sys_call3(SYS_close, (uint64_t)fd, 0, 0);
}

void
runtime_usleep(uint32_t usec) {
	struct timespec ts = {usec / 1000000, usec % 1000000 * 1000};
	sys_call3(SYS_nanosleep, (uintptr_t)&ts, 0, 0);
}

void
osyield(void) {
	sys_call3(SYS_sched_yield, 0, 0, 0);
}

void
procyield(uint32_t cycles) {
	for (; cycles > 0; cycles--)
		__builtin_ia32_pause();
}
