// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Goroutine stacks.  Ports stack.go of Go 1.26.8 as far as C leaves anything of it.
//
// C code cannot have its stack moved, so a stack never grows: a goroutine gets a slot of fixed size
// in a huge reserved range, of which the kernel fills in only the pages that are touched.  What Go
// saves by copying is saved here by the page: 4 KB and half a KB of page tables for a parked
// goroutine.
//
//	arena   | never opened (PROT_NONE) ...                                                 |
//	        | opened in steps of 64 MB: | slot | slot | slot | ...      not carved          |
//	slot    base                lo                                                      hi
//	        | guard: faults     | usable, top down                                       |
//
// The arena is opened in steps because a core dump walks all that is writable.  It is reserved
// before there are threads: stacks then lie above the stacks of the threads, and gdb walks from
// one to the other only upwards.
//
// A guard is no mapping of its own where the kernel has a better way: mprotect splits the range
// for every slot and ends at vm.max_map_count, 32,752 stacks.  MADV_GUARD_INSTALL (Linux 6.13)
// marks page table entries; before that, a write-protected page of userfaultfd(2) turns a write to
// the guard into SIGBUS.  GODEBUG=stackguard=madvise|uffd|mprotect takes a certain one.
//
// A free slot is warm (its pages may be there) or cold (they went back to the system); the guard
// stays.  A P keeps some warm slots of the default class: last in, first out, so that a short-lived
// goroutine finds its stack in the CPU's cache.  Behind them are lists under a lock.  The end of a
// GC cycle makes the warm ones on the lists cold.
#include "sched/stack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime/mem.h"
#include "runtime/mgcpacer.h"
#include "runtime/mstats.h"
#include "runtime/os_linux.h"
#include "runtime/runtime1.h"
#include "sched/proc.h"
#include "sched/traceruntime.h"

#ifndef MADV_GUARD_INSTALL
#	define MADV_GUARD_INSTALL 102
#	define MADV_GUARD_REMOVE 103
#endif
#ifndef UFFD_USER_MODE_ONLY
#	define UFFD_USER_MODE_ONLY 1
#endif
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#	define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#ifndef UFFD_FEATURE_SIGBUS
#	define UFFD_FEATURE_SIGBUS (1 << 7)
#endif
#ifndef SYS_process_madvise
#	define SYS_process_madvise 440
#endif
#ifndef SYS_pidfd_open
#	define SYS_pidfd_open 434
#endif

#ifdef __has_feature
#	if __has_feature(thread_sanitizer)
#		define STACK_TSAN 1
#	endif
#endif
#ifdef __SANITIZE_THREAD__
#	define STACK_TSAN 1
#endif

enum {
	stackArenaAlign = 2 << 20,
	stackOpenStep = 64 << 20,
	stackRefill = stackCacheMax / 2, // slots that move between a P and the lists at a time
	maxStackArenas = 1024,
	stackReleaseBatch = 128,
};

static const uintptr_t stackArenaMin = 4 << 20;
#ifdef STACK_TSAN
static const uintptr_t stackArenaMax = (uintptr_t)128 << 30; // TSan refuses more
#else
static const uintptr_t stackArenaMax = (uintptr_t)1 << 40;
#endif

// stackArena is a reserved range.  Slots are carved from next; the part below opened is writable.
typedef struct stackArena {
	uintptr_t base;
	uintptr_t end;
	uintptr_t opened; // protected by stackpool.lock
	uintptr_t next;   // protected by stackpool.lock
} stackArena;

// slotList is a stack of free slots, named by their stack.lo.
typedef struct slotList {
	uintptr_t *x;
	uintptr_t nx;
	uintptr_t capx;
} slotList;

static struct {
	mutex lock;
	stackArena arenas[maxStackArenas];
	uint32_t narenas; // atomic; grows under lock
	slotList warm[nStackClasses];
	slotList cold[nStackClasses];
	uint64_t carved[nStackClasses]; // slots made so far
	uint64_t inuse;                 // atomic; slots not on a list
	uint64_t reserved;
	uint64_t opened;
	uint64_t guards; // made by mprotect
	bool limited;    // RLIMIT_AS: small arenas
	bool warned;     // about guards that could not be made
} stackpool;

stackGuardMode stackguardmode;
// Each guard of mprotect costs two of the mappings that a process may have, and the heap and threads
// want some, too: beyond so many guards there are none.
static uint64_t stackguardsmax;
static int stackuffd = -1;
static bool stackuffdtouch; // older kernels protect only pages that are there
static int stackpidfd = -1; // for process_madvise; -2: not supported

// stackslotsize returns the size of a slot, guard included.
uintptr_t
stackslotsize(uint32_t class_) {
	switch (class_) {
	case stackClassDefault:
		return 256 << 10;
	case stackClassSmall:
		return 64 << 10;
	}
	return (uintptr_t)1 << (20 + class_ - stackClassLarge);
}

// stackguardsize returns the size of the guard at the low end of a slot.
uintptr_t
stackguardsize(uint32_t class_) {
	return class_ == stackClassSmall ? stackGuardSizeSmall : stackGuardSize;
}

// stackclass finds the smallest class that offers size bytes.
uint32_t
stackclass(uintptr_t size) {
	if (size == 0)
		return stackClassDefault;
	if (size <= stackslotsize(stackClassSmall) - stackGuardSizeSmall)
		return stackClassSmall;
	if (size <= stackslotsize(stackClassDefault))
		return stackClassDefault;
	uint32_t c = stackClassLarge;
	while (c < stackClassMax && stackslotsize(c) < size)
		c++;
	return c;
}

// stackmainclass gives the main goroutine what its thread would have had.
uint32_t
stackmainclass(void) {
	struct rlimit rl;
	uintptr_t size = 64 << 20;
	if (sys_call3(SYS_getrlimit, RLIMIT_STACK, &rl, 0) == 0 && rl.rlim_cur != RLIM_INFINITY)
		size = rl.rlim_cur;
	if (stackpool.limited)
		size = min(size, (uintptr_t)1 << 20);
	return stackclass(min(max(size, (uintptr_t)256 << 10), (uintptr_t)16 << 30));
}

// ---- arenas ---------------------------------------------------------------------------------------

// stack_reserve_locked reserves an arena of at least size bytes, larger if it can be.
// stackpool.lock must be held, or nothing else runs yet.
static stackArena *
stack_reserve_locked(uintptr_t size) {
	if (stackpool.narenas == maxStackArenas)
		return NULL;
	uintptr_t least = alignUp(max(size, stackArenaMin), stackArenaAlign);
	uintptr_t want = max(stackArenaMax, least);
	struct rlimit rl;
	if (sys_call3(SYS_getrlimit, RLIMIT_AS, &rl, 0) == 0 && rl.rlim_cur != RLIM_INFINITY) {
		stackpool.limited = true;
		want = alignDown(
			min(want, max(rl.rlim_cur / 16, (uintptr_t)1 << 20)), stackArenaAlign);
		want = max(min(want, (uintptr_t)stackOpenStep), least);
	}
	for (;;) {
		int err;
		uintptr_t n = want + stackArenaAlign;
		void *p = runtime_mmap(NULL, n, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0, &err);
		if (err == 0) {
			uintptr_t v = (uintptr_t)p;
			uintptr_t base = alignUp(v, stackArenaAlign);
			if (base > v)
				runtime_munmap(p, base - v);
			if (v + n > base + want)
				runtime_munmap((void *)(base + want), v + n - (base + want));
			runtime_madvise((void *)base, want, MADV_NOHUGEPAGE);
			setVMAName((void *)base, want, "gort stacks");
			stackArena *a = &stackpool.arenas[stackpool.narenas];
			a->base = a->opened = a->next = base;
			a->end = base + want;
			stackpool.reserved += want;
			atomic_Store(&stackpool.narenas, stackpool.narenas + 1);
			return a;
		}
		if (want == least)
			return NULL;
		want = max(want / 2, least);
	}
}

// stack_open_locked makes [a->base, to) writable.  stackpool.lock must be held.
static bool
stack_open_locked(stackArena *a, uintptr_t to) {
	if (to <= a->opened)
		return true;
	uintptr_t end = min(alignUp(to - a->base, stackOpenStep) + a->base, a->end);
	if (runtime_mprotect((void *)a->opened, end - a->opened, PROT_READ | PROT_WRITE) != 0) {
		// Little is better than nothing where the kernel counts what it promises.
		end = to;
		if (runtime_mprotect((void *)a->opened, end - a->opened, PROT_READ | PROT_WRITE) !=
			0)
			return false;
	}
	if (stackguardmode == stackGuardUffd) {
		struct uffdio_register r = {
			.range = {a->opened, end - a->opened}, .mode = UFFDIO_REGISTER_MODE_WP};
		if (sys_call3(SYS_ioctl, stackuffd, UFFDIO_REGISTER, &r) != 0)
			stackguardmode = stackGuardMprotect;
	}
	stackpool.opened += end - a->opened;
	a->opened = end;
	return true;
}

// stack_carve_locked makes a new slot with a guard and returns its stack.lo, or 0.
// stackpool.lock must be held.
static uintptr_t
stack_carve_locked(uint32_t class_) {
	uintptr_t size = stackslotsize(class_);
	stackArena *a = stackpool.narenas == 0 ? NULL : &stackpool.arenas[stackpool.narenas - 1];
	if (a == NULL || a->end - a->next < size) {
		a = stack_reserve_locked(size);
		if (a == NULL)
			return 0;
	}
	if (!stack_open_locked(a, a->next + size))
		return 0;
	uintptr_t base = a->next;
	uintptr_t guard = stackguardsize(class_);
	int err = 0;
	switch (stackguardmode) {
	case stackGuardMadvise:
		err = runtime_madvise((void *)base, guard, MADV_GUARD_INSTALL);
		break;
	case stackGuardUffd: {
		if (stackuffdtouch) {
			for (uintptr_t p = base; p < base + guard; p += physPageSize)
				(void)*(volatile char *)p;
		}
		struct uffdio_writeprotect w = {
			.range = {base, guard}, .mode = UFFDIO_WRITEPROTECT_MODE_WP};
		err = (int)sys_call3(SYS_ioctl, stackuffd, UFFDIO_WRITEPROTECT, &w);
		break;
	}
	case stackGuardMprotect:
		err = -ENOMEM;
		if (stackpool.guards < stackguardsmax) {
			stackpool.guards++;
			err = runtime_mprotect((void *)base, guard, PROT_NONE);
		}
		break;
	}
	if (err != 0 && !stackpool.warned) {
		stackpool.warned = true;
		print("runtime: cannot guard all goroutine stacks (error %d); vm.max_map_count is "
		      "too small?\n",
			-err);
	}
	a->next += size;
	stackpool.carved[class_]++;
	return base + guard;
}

// stack_readguardsmax sets stackguardsmax, three quarters of all mappings.
static void
stack_readguardsmax(void) {
	char b[24];
	uint64_t n = 65530; // the kernel's default
	int32_t fd = runtime_open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC, 0);
	if (fd >= 0) {
		int32_t k = runtime_read(fd, b, sizeof b - 1);
		runtime_closefd(fd);
		if (k > 1) {
			b[k - 1] = 0; // the newline
			bool ok;
			intptr_t v = runtime_atoi(b, &ok);
			if (ok && v > 0)
				n = (uint64_t)v;
		}
	}
	stackguardsmax = n * 3 / 8;
}

// stack_tryguard reports whether the kernel can make guards in this way.
static bool
stack_tryguard(stackGuardMode mode) {
	switch (mode) {
	case stackGuardMadvise: {
		int err;
		void *p = runtime_mmap(NULL, physPageSize, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, &err);
		if (err != 0)
			return false;
		bool ok = runtime_madvise(p, physPageSize, MADV_GUARD_INSTALL) == 0;
		runtime_munmap(p, physPageSize);
		return ok;
	}
	case stackGuardUffd: {
		int64_t fd = sys_call3(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY, 0, 0);
		if (fd < 0)
			return false;
		struct uffdio_api api = {.api = UFFD_API,
			.features = UFFD_FEATURE_SIGBUS | UFFD_FEATURE_PAGEFAULT_FLAG_WP |
				    UFFD_FEATURE_WP_UNPOPULATED};
		if (sys_call3(SYS_ioctl, fd, UFFDIO_API, &api) != 0) {
			// The kernel wants a new descriptor after an API call that failed.
			runtime_closefd((int32_t)fd);
			fd = sys_call3(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY, 0, 0);
			api.api = UFFD_API;
			api.features = UFFD_FEATURE_SIGBUS | UFFD_FEATURE_PAGEFAULT_FLAG_WP;
			if (fd < 0)
				return false;
			if (sys_call3(SYS_ioctl, fd, UFFDIO_API, &api) != 0) {
				runtime_closefd((int32_t)fd);
				return false;
			}
			stackuffdtouch = true;
		}
		stackuffd = (int)fd;
		return true;
	}
	case stackGuardMprotect:
		stack_readguardsmax();
		return true;
	}
	return false;
}

// stack_wantedguard reads stackguard= of GODEBUG: a mode, or 0.
static stackGuardMode
stack_wantedguard(void) {
	static const char *const names[] = {NULL, "madvise", "uffd", "mprotect"};
	if (debug.stackguard >= stackGuardMadvise && debug.stackguard <= stackGuardMprotect)
		return debug.stackguard;
	const char *s = gogetenv("GODEBUG");
	stackGuardMode mode = 0;
	while (s != NULL && *s != 0) {
		if (strncmp(s, "stackguard=", 11) == 0) {
			for (int i = 1; i < (int)nelem(names); i++) {
				size_t n = strlen(names[i]);
				if (strncmp(s + 11, names[i], n) == 0 &&
					(s[11 + n] == 0 || s[11 + n] == ','))
					mode = i;
			}
		}
		s = strchr(s, ',');
		if (s != NULL)
			s++;
	}
	return mode;
}

// stackinit chooses the guard and reserves the first arena.
void
stackinit(void) {
	lockInit(&stackpool.lock, lockRankStackpool);
	stackGuardMode want = stack_wantedguard();
	if (want != 0 && stack_tryguard(want)) {
		stackguardmode = want;
	} else {
		for (stackGuardMode m = stackGuardMadvise; m <= stackGuardMprotect; m++) {
			if (stack_tryguard(m)) {
				stackguardmode = m;
				break;
			}
		}
	}
	if (stack_reserve_locked(0) == NULL)
		throw("cannot reserve goroutine stacks");
}

// ---- free slots -------------------------------------------------------------------------------------

// slotList_push puts a slot on l.  stackpool.lock must be held.
static void
slotList_push(slotList *l, uintptr_t lo) {
	if (l->nx == l->capx) {
		uintptr_t c = max(2 * l->capx, (uintptr_t)512);
		uintptr_t *x = sysAlloc(c * sizeof *x, &memstats.other_sys, "gort stack lists");
		if (x == NULL)
			throw("out of memory (stack lists)");
		if (l->x != NULL) {
			memcpy(x, l->x, l->nx * sizeof *x);
			sysFree(l->x, l->capx * sizeof *x, &memstats.other_sys);
		}
		l->x = x;
		l->capx = c;
	}
	l->x[l->nx++] = lo;
}

// stack_take_locked takes a free slot, warm if there is one, or makes one.  stackpool.lock must be
// held.
static uintptr_t
stack_take_locked(uint32_t class_) {
	slotList *l = &stackpool.warm[class_];
	if (l->nx == 0)
		l = &stackpool.cold[class_];
	uintptr_t lo = l->nx > 0 ? l->x[--l->nx] : stack_carve_locked(class_);
	if (lo != 0)
		atomic_StoreRelaxed(&stackpool.inuse, stackpool.inuse + 1);
	return lo;
}

// stack_put_locked puts a slot on the warm list.  stackpool.lock must be held.
static void
stack_put_locked(uint32_t class_, uintptr_t lo) {
	slotList_push(&stackpool.warm[class_], lo);
	atomic_StoreRelaxed(&stackpool.inuse, stackpool.inuse - 1);
}

// stackcacherefill fills half of the P's cache.  Fewer at first: a slot that is made costs a
// microsecond, and many programs need few.
static void
stackcacherefill(P *pp) {
	lock(&stackpool.lock);
	uint64_t n = min(1 + stackpool.carved[stackClassDefault] / 4, (uint64_t)stackRefill);
	while (n-- > 0) {
		uintptr_t lo = stack_take_locked(stackClassDefault);
		if (lo == 0)
			break;
		pp->stackcache.lo[pp->stackcache.n++] = lo;
	}
	unlock(&stackpool.lock);
}

// stackcacherelease moves the n slots of the P that were used longest ago to the lists.
static void
stackcacherelease(P *pp, int32_t n) {
	lock(&stackpool.lock);
	for (int32_t i = 0; i < n; i++)
		stack_put_locked(stackClassDefault, pp->stackcache.lo[i]);
	unlock(&stackpool.lock);
	pp->stackcache.n -= n;
	memmove(pp->stackcache.lo, pp->stackcache.lo + n,
		(size_t)pp->stackcache.n * sizeof pp->stackcache.lo[0]);
}

// stackcache_clear empties the P's cache.
void
stackcache_clear(P *pp) {
	if (pp->stackcache.n > 0)
		stackcacherelease(pp, pp->stackcache.n);
}

// stackalloc takes a stack of a class.
stack
stackalloc(uint32_t class_) {
	uintptr_t lo;
	if (class_ >= nStackClasses)
		throw("stackalloc: bad class");
	P *pp = getg()->m->p;
	if (class_ == stackClassDefault && pp != NULL) {
		if (pp->stackcache.n == 0)
			stackcacherefill(pp);
		lo = pp->stackcache.n > 0 ? pp->stackcache.lo[--pp->stackcache.n] : 0;
	} else {
		lock(&stackpool.lock);
		lo = stack_take_locked(class_);
		unlock(&stackpool.lock);
	}
	if (lo == 0) {
		print("runtime: cannot allocate a goroutine stack of %lu bytes\n",
			(unsigned long)stackslotsize(class_));
		throw("out of memory");
	}
	uintptr_t base = lo - stackguardsize(class_);
	if (unlikely(traceAllocFreeEnabled())) {
		traceLocker tl = traceAcquire();
		if (traceLocker_ok(tl)) {
			traceLocker_GoroutineStackAlloc(tl, base, stackslotsize(class_));
			traceRelease(tl);
		}
	}
	return (stack){lo, base + stackslotsize(class_)};
}

// stackfree gives a stack back to the P or the lists.
void
stackfree(stack stk, uint32_t class_) {
	if (class_ >= nStackClasses ||
		stk.hi - stk.lo != stackslotsize(class_) - stackguardsize(class_))
		throw("stackfree: bad stack");
	if (unlikely(traceAllocFreeEnabled())) {
		traceLocker tl = traceAcquire();
		if (traceLocker_ok(tl)) {
			traceLocker_GoroutineStackFree(tl, stk.lo - stackguardsize(class_));
			traceRelease(tl);
		}
	}
	P *pp = getg()->m->p;
	if (class_ == stackClassDefault && pp != NULL) {
		if (pp->stackcache.n == stackCacheMax)
			stackcacherelease(pp, stackRefill);
		pp->stackcache.lo[pp->stackcache.n++] = stk.lo;
		return;
	}
	lock(&stackpool.lock);
	stack_put_locked(class_, stk.lo);
	unlock(&stackpool.lock);
}

// stack_release gives the memory of [iov] back: in one call where the kernel has it.
static void
stack_release(struct iovec *iov, int n) {
	if (stackpidfd == -1) {
		int64_t fd = sys_call3(SYS_pidfd_open, runtime_getpid(), 0, 0);
		stackpidfd = fd >= 0 ? (int)fd : -2;
	}
	if (stackpidfd >= 0) {
		uint64_t total = 0;
		for (int i = 0; i < n; i++)
			total += iov[i].iov_len;
		int64_t r = sys_call6(SYS_process_madvise, stackpidfd, (uintptr_t)iov, (uint64_t)n,
			MADV_DONTNEED, 0, 0);
		if (r == (int64_t)total)
			return;
		if (r < 0)
			stackpidfd =
				-2; // this kernel does so only for other processes, or not at all
	}
	for (int i = 0; i < n; i++)
		runtime_madvise(iov[i].iov_base, iov[i].iov_len, MADV_DONTNEED);
}

// freeStackSpans makes the warm slots on the lists cold.  Those that are being released are on no
// list meanwhile: who needs a stack finds others or makes one.
void
freeStackSpans(void) {
	struct iovec iov[stackReleaseBatch];
	for (uint32_t c = 0; c < nStackClasses; c++) {
		uintptr_t usable = stackslotsize(c) - stackguardsize(c);
		for (;;) {
			int n = 0;
			lock(&stackpool.lock);
			slotList *l = &stackpool.warm[c];
			while (n < stackReleaseBatch && l->nx > 0)
				iov[n++] = (struct iovec){(void *)l->x[--l->nx], usable};
			unlock(&stackpool.lock);
			if (n == 0)
				break;
			stack_release(iov, n);
			lock(&stackpool.lock);
			for (int i = 0; i < n; i++)
				slotList_push(&stackpool.cold[c], (uintptr_t)iov[i].iov_base);
			unlock(&stackpool.lock);
			if (n < stackReleaseBatch)
				break;
		}
	}
}

// ---- a goroutine's stack -------------------------------------------------------------------------------

// stack_sp returns the lowest address of gp's stack that is alive.  gp is stopped or in a system
// call.
static uintptr_t
stack_sp(G *gp) {
	return gp->syscallsp != 0 ? gp->syscallsp : gp->sched.sp;
}

// stackused is what the pacer counts.
uintptr_t
stackused(G *gp) {
	uintptr_t sp = stack_sp(gp);
	if (gp->stack.lo == 0 || sp < gp->stack.lo || sp > gp->stack.hi)
		return 0;
	return gp->stack.hi - alignDown(sp, physPageSize);
}

// isShrinkStackSafe: in a system call, foreign code runs below the sp that we know of.
// PORT: asynchronous stops are no obstacle, nothing is moved.
bool
isShrinkStackSafe(G *gp) {
	return gp->syscallsp == 0 && gp->stack.lo != 0;
}

// shrinkstack releases what a goroutine touched in a deep call that is over.  It looks once each
// time that the goroutine has run (waitsince), and only at the two pages under those in use: the
// stack is touched from the top, so if they are not there, hardly any other is.
// Called with gp suspended; on g0.
void
shrinkstack(G *gp) {
	if (debug.gcshrinkstackoff > 0 || !isShrinkStackSafe(gp))
		return;
	if (gp->waitsince != 0 && gp->waitsince == gp->shrinkseen)
		return;
	gp->shrinkseen = gp->waitsince;
	uintptr_t keep = alignDown(gp->sched.sp, physPageSize) - 2 * physPageSize;
	if (keep < gp->stack.lo + 2 * physPageSize || keep > gp->stack.hi)
		return;
	unsigned char there[2] = {0, 0};
	if (sys_call3(SYS_mincore, keep - 2 * physPageSize, 2 * physPageSize, there) != 0)
		return;
	if (((there[0] | there[1]) & 1) == 0)
		return;
	runtime_madvise((void *)gp->stack.lo, keep - gp->stack.lo, MADV_DONTNEED);
}

// stack_limit is the number in "goroutine stack exceeds N-byte limit".
uintptr_t
stack_limit(G *gp) {
	return gp->stack.hi - gp->stack.lo;
}

// ---- stacks of threads ---------------------------------------------------------------------------------

// stackofg0 maps a stack for a thread's g0.  The system places mappings downwards, so that it lies
// below the arena.
stack
stackofg0(uintptr_t size) {
	int err;
	size = alignUp(size, physPageSize);
	uintptr_t guard = stackGuardSize;
	void *p = runtime_mmap(NULL, size + guard, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0, &err);
	if (err != 0)
		throw("out of memory (thread stack)");
	runtime_mprotect(p, guard, PROT_NONE);
	setVMAName(p, size + guard, "gort g0");
	sysMemStat_add(&memstats.stacks_sys, (int64_t)(size + guard));
	atomic_Xadd(&gcController.mappedReady, (uint64_t)(size + guard));
	return (stack){(uintptr_t)p + guard, (uintptr_t)p + guard + size};
}

// stackfreeg0 unmaps it.
void
stackfreeg0(stack stk) {
	uintptr_t base = stk.lo - stackGuardSize;
	runtime_munmap((void *)base, stk.hi - base);
	sysMemStat_add(&memstats.stacks_sys, -(int64_t)(stk.hi - base));
	atomic_Xadd(&gcController.mappedReady, -(uint64_t)(stk.hi - base));
}

// ---- questions -------------------------------------------------------------------------------------------

// stackarena_contains: the table only grows, and an entry is complete before it is counted.
bool
stackarena_contains(uintptr_t p) {
	uint32_t n = atomic_LoadAcq(&stackpool.narenas);
	for (uint32_t i = 0; i < n; i++) {
		if (stackpool.arenas[i].base <= p && p < stackpool.arenas[i].end)
			return true;
	}
	return false;
}

// stack_guardof recognises a stack overflow by the address of the fault.
bool
stack_guardof(G *gp, uintptr_t addr) {
	if (gp->stack.lo == 0 || !stackarena_contains(gp->stack.lo))
		return false;
	uintptr_t guard = stackguardsize(gp->stackslot);
	return gp->stack.lo - guard <= addr && addr < gp->stack.lo;
}

// stack_stats fills s; the numbers are of one moment only if the world is stopped.
void
stack_stats(stackStats *s) {
	lock(&stackpool.lock);
	memset(s, 0, sizeof *s);
	s->inuse = stackpool.inuse;
	for (uint32_t c = 0; c < nStackClasses; c++) {
		s->free += stackpool.warm[c].nx + stackpool.cold[c].nx;
		s->released += stackpool.cold[c].nx;
	}
	s->reserved = stackpool.reserved;
	s->opened = stackpool.opened;
	unlock(&stackpool.lock);
}

// stacks_inuse counts a page for each slot in use, the one that every goroutine touches, or what the
// pacer knows of deeper ones, if that is more.
uint64_t
stacks_inuse(void) {
	return max(atomic_LoadRelaxed(&stackpool.inuse) * physPageSize,
		atomic_LoadRelaxed(&gcController.maxStackScan));
}
