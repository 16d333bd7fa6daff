// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The memory calls of Linux.  Ports mem_linux.go and set_vma_name_linux.go of Go 1.26.8; the raw
// calls and the fault injection into them are gort's.
#include <errno.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "runtime/os_linux.h"
#include "runtime/runtime1.h"

#ifndef MADV_COLLAPSE
#	define MADV_COLLAPSE 25
#endif
#ifndef PR_SET_VMA
#	define PR_SET_VMA 0x53564d41
#	define PR_SET_VMA_ANON_NAME 0
#endif

void *
sysAllocOS(uintptr_t n, const char *vmaName) {
	int err;
	void *p = runtime_mmap(
		NULL, n, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0, &err);
	if (err != 0) {
		if (err == EACCES) {
			print("runtime: mmap: access denied\n");
			runtime_exit(2);
		}
		if (err == EAGAIN) {
			print("runtime: mmap: too much locked memory (check 'ulimit -l').\n");
			runtime_exit(2);
		}
		return NULL;
	}
	setVMAName(p, n, vmaName);
	return p;
}

enum { madviseUnsupported = 0 };

// The advice that gives memory back: the first of MADV_FREE, MADV_DONTNEED and none at all that the
// kernel did not refuse.  Atomic.
static uint32_t adviseUnused = MADV_FREE;

void
sysUnusedOS(void *v, uintptr_t n) {
	if (((uintptr_t)v & (physPageSize - 1)) != 0 || (n & (physPageSize - 1)) != 0) {
		// The kernel would take the whole of the pages at the ends.
		throw("unaligned sysUnused");
	}

	uint32_t advise = atomic_Load(&adviseUnused);
	if (debug.madvdontneed != 0 && advise != madviseUnsupported)
		advise = MADV_DONTNEED;
	switch (advise) {
	case MADV_FREE:
		if (runtime_madvise(v, n, MADV_FREE) == 0)
			break;
		atomic_Store(&adviseUnused, MADV_DONTNEED);
		// fallthrough
		__attribute__((fallthrough));
	case MADV_DONTNEED:
		if (runtime_madvise(v, n, MADV_DONTNEED) == 0)
			break;
		atomic_Store(&adviseUnused, madviseUnsupported);
		// fallthrough
		__attribute__((fallthrough));
	case madviseUnsupported: {
		// A new mapping over the old one does it, too.
		int err;
		void *p = runtime_mmap(v, n, PROT_READ | PROT_WRITE,
			MAP_ANONYMOUS | MAP_FIXED | MAP_PRIVATE, -1, 0, &err);
		if (err == 0 && p != NULL)
			setVMAName(p, n, "unused");
	}
	}

	if (debug.harddecommit > 0) {
		int err;
		void *p = runtime_mmap(
			v, n, PROT_NONE, MAP_ANONYMOUS | MAP_FIXED | MAP_PRIVATE, -1, 0, &err);
		if (p != v || err != 0)
			throw("runtime: cannot disable permissions in address space");
		setVMAName(p, n, "unused");
	}
}

void
sysUsedOS(void *v, uintptr_t n) {
	if (debug.harddecommit > 0) {
		int err;
		void *p = runtime_mmap(v, n, PROT_READ | PROT_WRITE,
			MAP_ANONYMOUS | MAP_FIXED | MAP_PRIVATE, -1, 0, &err);
		if (err == ENOMEM)
			throw("runtime: out of memory");
		if (p != v || err != 0)
			throw("runtime: cannot remap pages in address space");
		setVMAName(p, n, "used");
	}
}

// sysHugePageOS applies to the whole huge pages in the range.
void
sysHugePageOS(void *v, uintptr_t n) {
	if (physHugePageSize != 0) {
		uintptr_t beg = alignUp((uintptr_t)v, physHugePageSize);
		uintptr_t end = alignDown((uintptr_t)v + n, physHugePageSize);
		if (beg < end)
			runtime_madvise((void *)beg, end - beg, MADV_HUGEPAGE);
	}
}

void
sysNoHugePageOS(void *v, uintptr_t n) {
	if (((uintptr_t)v & (physPageSize - 1)) != 0)
		throw("unaligned sysNoHugePageOS");
	runtime_madvise(v, n, MADV_NOHUGEPAGE);
}

// sysHugePageCollapseOS ignores errors: EAGAIN is common, EINVAL says that some pages are not
// resident, and neither tells whether the kernel knows the call.
void
sysHugePageCollapseOS(void *v, uintptr_t n) {
	if (((uintptr_t)v & (physPageSize - 1)) != 0)
		throw("unaligned sysHugePageCollapseOS");
	if (physHugePageSize == 0)
		return;
	runtime_madvise(v, n, MADV_COLLAPSE);
}

void
sysFreeOS(void *v, uintptr_t n) {
	runtime_munmap(v, n);
}

void
sysFaultOS(void *v, uintptr_t n) {
	runtime_mprotect(v, n, PROT_NONE);
	runtime_madvise(v, n, MADV_DONTNEED);
}

void *
sysReserveOS(void *v, uintptr_t n, const char *vmaName) {
	int err;
	void *p = runtime_mmap(v, n, PROT_NONE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0, &err);
	if (err != 0)
		return NULL;
	setVMAName(p, n, vmaName);
	return p;
}

void
sysMapOS(void *v, uintptr_t n, const char *vmaName) {
	int err;
	void *p = runtime_mmap(
		v, n, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_FIXED | MAP_PRIVATE, -1, 0, &err);
	if (err == ENOMEM)
		throw("runtime: out of memory");
	if (p != v || err != 0) {
		print("runtime: mmap(%p, %zu) returned %p, %d\n", v, n, p, err);
		throw("runtime: cannot map pages in arena address space");
	}
	setVMAName(p, n, vmaName);

	// A later sysHugePage for the collector's own data may override this.
	if (debug.disablethp != 0)
		sysNoHugePageOS(v, n);
}

// needZeroAfterSysUnusedOS: MADV_FREE may leave the old contents.
bool
needZeroAfterSysUnusedOS(void) {
	return debug.madvdontneed == 0;
}

static bool setVMANameUnsupported; // atomic

// setVMAName names an anonymous mapping, [anon: gort: name] in /proc/self/maps, where the kernel
// can (5.17 and CONFIG_ANON_VMA_NAME).
void
setVMAName(void *start, uintptr_t len, const char *name) {
	if (debug.decoratemappings == 0 || atomic_LoadRelaxed(&setVMANameUnsupported))
		return;
	char buf[80];
	snprint(buf, sizeof(buf), "gort: %s", name);
	int64_t r = sys_call6(SYS_prctl, PR_SET_VMA, PR_SET_VMA_ANON_NAME, (uintptr_t)start, len,
		(uintptr_t)buf, 0);
	if (r == -EINVAL)
		atomic_StoreRelaxed(&setVMANameUnsupported, true);
}

// ---- the calls ------------------------------------------------------------------------------------

// mappings counts the calls, so that ThreadSanitizer knows what the kernel sees to: who unmaps memory
// is before who gets the same again.
static uint32_t mappings; // atomic

void *
runtime_mmap(void *addr, uintptr_t n, int prot, int flags, int fd, int64_t off, int *err) {
	*err = failinject_next(failMmap);
	if (unlikely(*err != 0))
		return NULL;
	int64_t r = sys_call6(SYS_mmap, (uintptr_t)addr, n, (uint64_t)prot, (uint64_t)flags,
		(uint64_t)fd, (uint64_t)off);
	if (r < 0 && r > -4096) {
		*err = (int)-r;
		return NULL;
	}
	(void)atomic_Xadd(&mappings, 1);
	return (void *)(uintptr_t)r;
}

// runtime_munmap: a failure leaves the mapping, which is a leak and no more.
void
runtime_munmap(void *addr, uintptr_t n) {
	if (unlikely(failinject_next(failMunmap) != 0))
		return;
	(void)atomic_Xadd(&mappings, 1);
	sys_call3(SYS_munmap, (uintptr_t)addr, n, 0);
}

int
runtime_madvise(void *addr, uintptr_t n, int advice) {
	int err = failinject_next(failMadvise);
	if (unlikely(err != 0))
		return -err;
	return (int)sys_call3(SYS_madvise, (uintptr_t)addr, n, advice);
}

int
runtime_mprotect(void *addr, uintptr_t n, int prot) {
	int err = failinject_next(failMprotect);
	if (unlikely(err != 0))
		return -err;
	return (int)sys_call3(SYS_mprotect, (uintptr_t)addr, n, prot);
}

// ---- fault injection --------------------------------------------------------------------------------

#ifdef GORT_DEBUG

static const char *const failname[nfail] = {
	[failMmap] = "mmap",
	[failMadvise] = "madvise",
	[failMunmap] = "munmap",
	[failMprotect] = "mprotect",
	[failThread] = "thread",
	[failClock] = "clock",
};

static struct {
	uint64_t calls; // atomic
	uint64_t from;  // first call that fails; 0: none does
	uint64_t count; // how many; 0: all after it
	int err;
} fail[nfail];

int
failinject_next(int what) {
	uint64_t n = atomic_Xadd(&fail[what].calls, 1);
	uint64_t from = fail[what].from;
	if (from == 0 || n < from)
		return 0;
	if (fail[what].count != 0 && n >= from + fail[what].count)
		return 0;
	return fail[what].err;
}

uint64_t
failinject_calls(int what) {
	return atomic_Load(&fail[what].calls);
}

// number parses digits at *s and steps over them.
static uint64_t
number(const char **s) {
	uint64_t n = 0;
	for (; **s >= '0' && **s <= '9'; (*s)++)
		n = n * 10 + (uint64_t)(**s - '0');
	return n;
}

void
failinject_set(const char *spec) {
	for (int i = 0; i < nfail; i++) {
		fail[i].from = 0;
		atomic_Store(&fail[i].calls, 0);
	}
	for (const char *s = spec; s != NULL && *s != 0;) {
		int what = 0;
		uintptr_t n = 0;
		for (; what < nfail; what++) {
			n = strlen(failname[what]);
			if (strncmp(s, failname[what], n) == 0 && s[n] == ':')
				break;
		}
		if (what == nfail) {
			print("runtime: GORT_FAILINJECT: unknown call: %s\n", s);
			runtime_exit(2);
		}
		s += n + 1;
		uint64_t from = number(&s);
		uint64_t err = 0;
		uint64_t count = 1;
		if (*s == ':') {
			s++;
			err = number(&s);
		}
		if (*s == ':') {
			s++;
			count = number(&s);
		}
		if (err == 0 || (*s != 0 && *s != ',')) {
			print("runtime: GORT_FAILINJECT: want call:n:errno[:count]\n");
			runtime_exit(2);
		}
		fail[what].err = (int)err;
		fail[what].count = count;
		fail[what].from = from;
		if (*s == ',')
			s++;
	}
}

void
failinject_init(void) {
	const char *spec = gogetenv("GORT_FAILINJECT");
	if (spec != NULL)
		failinject_set(spec);
}

#endif
