// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// What Linux offers: threads, futexes, files, identity.  Ports os_linux.go and the system calls of
// sys_linux_amd64.s of Go 1.26.8.
//
// All of it is safe in a signal handler: no libc function with state is called.  errno is not
// touched, errors come back as numbers.
#ifndef GORT_RUNTIME_OS_LINUX_H
#define GORT_RUNTIME_OS_LINUX_H

#include <time.h>

#include "runtime/mem.h"

// sys_call6 makes a system call and returns the result, or -errno.
static ALWAYS_INLINE int64_t
sys_call6(
	int64_t num, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6) {
	register uint64_t r10 __asm__("r10") = a4;
	register uint64_t r8 __asm__("r8") = a5;
	register uint64_t r9 __asm__("r9") = a6;
	int64_t ret;
	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(num), "D"(a1), "S"(a2), "d"(a3), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#define sys_call3(num, a1, a2, a3) \
	sys_call6((num), (uint64_t)(a1), (uint64_t)(a2), (uint64_t)(a3), 0, 0, 0)

// futexsleep sleeps while *addr == val, at most ns nanoseconds (< 0: for ever).  It may return
// early for any reason.
void futexsleep(uint32_t *addr, uint32_t val, int64_t ns);
void futexwakeup(uint32_t *addr, uint32_t cnt);

// getCPUCount is the number of CPUs that the process may run on.
int32_t getCPUCount(void);
uintptr_t getHugePageSize(void);
// sysargs reads the auxiliary vector; osinit the rest.  In this order, first of all.
void sysargs(void);
void osinit(void);
extern bool secureMode; // set-uid or the like (AT_SECURE)
bool isSecureMode(void);

// newosproc starts the thread of mp, which runs mstart on mp->g0 and the thread's own stack.  All
// signals are blocked in it, and it is detached.
void newosproc(M *mp);

_Noreturn void runtime_exit(int32_t code); // exit_group: no atexit handlers
uint32_t runtime_gettid(void);
int32_t runtime_getpid(void);
void runtime_tgkill(int32_t tgid, int32_t tid, int32_t sig);
void runtime_raise(uint32_t sig);     // to this thread
void runtime_raiseproc(uint32_t sig); // to the process
void signalM(M *mp, int sig);
// runtime_sigprocmask is rt_sigprocmask on the kernel's 64-bit set; new_ or old may be NULL.
void runtime_sigprocmask(int how, const uint64_t *new_, uint64_t *old);

int32_t runtime_membarrier(int32_t cmd); // 0 or -errno

int32_t runtime_open(const char *name, int32_t flags, int32_t perm);
int32_t runtime_read(int32_t fd, void *p, int32_t n); // -errno on error, as the others
int32_t runtime_write(int32_t fd, const void *p, int32_t n);
int32_t runtime_closefd(int32_t fd);
int32_t readRandom(void *p, int32_t n);

// These count as calls for fault injection.  *err is 0 or errno.
void *runtime_mmap(void *addr, uintptr_t n, int prot, int flags, int fd, int64_t off, int *err);
void runtime_munmap(void *addr, uintptr_t n);
int runtime_madvise(void *addr, uintptr_t n, int advice); // 0 or -errno
int runtime_mprotect(void *addr, uintptr_t n, int prot);  // 0 or -errno

int32_t runtime_clock_gettime(int32_t clk, struct timespec *ts); // 0 or -errno

// ---- cgroup_linux.c ---------------------------------------------------------------------------------

// defaultGOMAXPROCS is the number of Ps without GOMAXPROCS: the CPUs of the affinity mask (ncpu, or
// <= 0: ask), or less if the CPU bandwidth of the control group is.
int32_t defaultGOMAXPROCS(int32_t ncpu);
void defaultGOMAXPROCSInit(void); // opens the control group's files, once at start-up

#endif
