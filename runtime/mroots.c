// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Roots in globals.  Only in gort.
//
// The globals of a C program are in the writable segments of the executable and of its shared
// objects.  Those that were compiled with gort.h say so by a constructor, which gives an address
// inside; the dynamic linker's list then has the segments.  Nothing else is a root: not libc's data,
// not that of libraries that know nothing of gort, not what is read-only after relocation, and not
// the runtime's own (the few pointers in it that matter are root jobs by themselves; if it were
// scanned, a forgotten job would never be noticed).  An object that is registered stays loaded, so
// that the dynamic linker is asked once and never in a pause, where a stopped thread may hold its
// lock.
//
// The ranges are scanned conservatively in blocks, as Go scans its data and bss.  The blocks are cut
// out of all ranges put one after the other, so that many small ranges do not make many jobs.
//
// Registration may come before the runtime has started, and from threads that are none of the
// runtime's, so the tables are guarded by a bit to spin on instead of a mutex, and lie in memory of
// their own.
#include "runtime/mroots.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>

#include "runtime/malloc_const.h"
#include "runtime/mgcmark.h"
#include "runtime/mgcpacer.h"
#include "runtime/os_linux.h"
#include "sched/runtime2.h"

// In a statically linked program without a dynamic linker there is no dlopen, and no need for it.
#pragma weak dlopen

// The bounds of the runtime's own data when it is linked into the program (prelink.ld); else NULL.
extern char __start_gort_data[] __attribute__((weak, visibility("hidden")));
extern char __stop_gort_data[] __attribute__((weak, visibility("hidden")));
extern char __start_gort_bss[] __attribute__((weak, visibility("hidden")));
extern char __stop_gort_bss[] __attribute__((weak, visibility("hidden")));

// rootTable is a growing list of ranges.
typedef struct rootTable {
	rootRange *r;
	intptr_t n;
	intptr_t cap;
} rootTable;

static struct {
	uint32_t locked;    // atomic
	rootTable objects;  // of registered objects
	rootTable added;    // by gort_root_add
	rootTable excluded; // by gort_root_exclude
	rootTable snapshot; // what this cycle scans; changes only while nobody marks
	uint32_t scanning;  // atomic: root jobs and rescans that read the snapshot
	uint64_t bytes;     // of the snapshot
	uint64_t skipped;   // by the last rescan
} roots;

static void
roots_lock(void) {
	while (!atomic_Cas(&roots.locked, 0, 1)) {
		osyield();
	}
}

static void
roots_unlock(void) {
	atomic_StoreRel(&roots.locked, 0);
}

// rootTable_copy copies all of t to r.
static void
rootTable_copy(const rootTable *t, rootRange *r) {
	if (t->n > 0) {
		memcpy(r, t->r, (size_t)t->n * sizeof(r[0]));
	}
}

// rootTable_grow makes room for n ranges.
static void
rootTable_grow(rootTable *t, intptr_t n) {
	if (n <= t->cap) {
		return;
	}
	uintptr_t size = alignUp((uintptr_t)max(n, 2 * t->cap) * sizeof(t->r[0]), 4096);
	int err;
	rootRange *r = runtime_mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, &err);
	if (err != 0) {
		throw("out of memory for root ranges");
	}
	if (t->r != NULL) {
		rootTable_copy(t, r);
		runtime_munmap(t->r, alignUp((uintptr_t)t->cap * sizeof(t->r[0]), 4096));
	}
	t->r = r;
	t->cap = (intptr_t)(size / sizeof(r[0]));
}

static void
rootTable_add(rootTable *t, rootRange range) {
	rootTable_grow(t, t->n + 1);
	t->r[t->n++] = range;
}

intptr_t
roots_subtract(rootRange *r, intptr_t n, intptr_t capr, rootRange hole) {
	if (hole.base >= hole.limit) {
		return n;
	}
	intptr_t splits = 0;
	for (intptr_t i = 0; i < n; i++) {
		splits += r[i].base < hole.base && hole.limit < r[i].limit;
	}
	if (n + splits > capr) {
		return -1;
	}
	intptr_t m = n; // the second parts go to the end
	intptr_t k = 0;
	for (intptr_t i = 0; i < n; i++) {
		rootRange x = r[i];
		if (hole.limit <= x.base || x.limit <= hole.base) {
			r[k++] = x;
			continue;
		}
		if (x.base < hole.base && hole.limit < x.limit) {
			r[m++] = (rootRange){hole.limit, x.limit};
		}
		if (x.base < hole.base) {
			r[k++] = (rootRange){x.base, hole.base};
		} else if (hole.limit < x.limit) {
			r[k++] = (rootRange){hole.limit, x.limit};
		}
	}
	memmove(&r[k], &r[n], (size_t)(m - n) * sizeof(r[0]));
	return k + m - n;
}

void
roots_init(void) {
	roots_snapshot();
	gcControllerState_addGlobals(&gcController, (int64_t)roots.bytes);
}

// scan_now shades what the new range points to, if it comes in the middle of a mark phase: the
// phase's jobs do not include it.
static void
scan_now(rootRange range) {
	G *gp = getg();
	if (gp == NULL || gp->m == NULL || gp->m->p == NULL) {
		return;
	}
	gp->m->locks++;
	if (atomic_Load(&gort_writeBarrier) != 0) {
		uintptr_t base = alignUp(range.base, PtrSize);
		uintptr_t limit = alignDown(range.limit, PtrSize);
		if (base < limit) {
			scanConservative(base, limit - base, &gp->m->p->gcw);
		}
	}
	gp->m->locks--;
}

enum { maxSegments = 32 };

struct roots_find {
	uintptr_t addr;
	rootRange r[maxSegments];
	intptr_t n;
	char name[4096];
};

// roots_find_1 is called for each loaded object; it stops at the one with addr.
static int
roots_find_1(struct dl_phdr_info *info, size_t size, void *arg) {
	(void)size;
	struct roots_find *f = arg;
	bool found = false;
	rootRange relro = {0, 0};
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uintptr_t base = info->dlpi_addr + ph->p_vaddr;
		if (ph->p_type == PT_LOAD && f->addr - base < ph->p_memsz) {
			found = true;
		} else if (ph->p_type == PT_GNU_RELRO) {
			// Whole pages of it are made read-only.
			relro.base = alignDown(base, minPhysPageSize);
			relro.limit = alignDown(base + ph->p_memsz, minPhysPageSize);
		}
	}
	if (!found) {
		return 0;
	}
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uintptr_t base = info->dlpi_addr + ph->p_vaddr;
		if (ph->p_type == PT_LOAD && (ph->p_flags & PF_W) != 0 && f->n < maxSegments) {
			f->r[f->n++] = (rootRange){base, base + ph->p_memsz};
		}
	}
	intptr_t n = roots_subtract(f->r, f->n, maxSegments, relro);
	if (n >= 0) {
		f->n = n;
	}
	size_t len = 0;
	if (info->dlpi_name != NULL) {
		len = strnlen(info->dlpi_name, sizeof(f->name) - 1);
		memcpy(f->name, info->dlpi_name, len);
	}
	f->name[len] = 0;
	return 1;
}

void
roots_register(const void *addr) {
	// Neither of these calls may be stopped inside: they take locks of the dynamic linker.
	G *gp = getg();
	if (gp != NULL && gp->m != NULL) {
		gp->m->locks++;
	}

	struct roots_find f;
	f.addr = (uintptr_t)addr;
	f.n = 0;
	if (dl_iterate_phdr(roots_find_1, &f) != 0) {
		const rootRange own[] = {
			{(uintptr_t)__start_gort_data, (uintptr_t)__stop_gort_data},
			{(uintptr_t)__start_gort_bss, (uintptr_t)__stop_gort_bss},
		};
		for (size_t i = 0; i < nelem(own); i++) {
			intptr_t n = roots_subtract(f.r, f.n, maxSegments, own[i]);
			if (n >= 0) {
				f.n = n;
			}
		}
		if (f.name[0] != 0 && dlopen != NULL) {
			// Not unloaded before the process ends.
			(void)dlopen(f.name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
		}
		for (intptr_t i = 0; i < f.n; i++) {
			roots_lock();
			bool known = false;
			for (intptr_t j = 0; j < roots.objects.n && !known; j++) {
				known = roots.objects.r[j].base == f.r[i].base;
			}
			if (!known) {
				rootTable_add(&roots.objects, f.r[i]);
			}
			roots_unlock();
			if (!known) {
				scan_now(f.r[i]);
			}
		}
	}

	if (gp != NULL && gp->m != NULL) {
		gp->m->locks--;
	}
}

void
roots_snapshot(void) {
	roots_lock();
	rootTable *s = &roots.snapshot;
	intptr_t room = roots.objects.n + roots.added.n + roots.excluded.n;
	intptr_t n;
	do {
		s->n = 0;
		rootTable_grow(s, room);
		rootTable_copy(&roots.objects, s->r);
		rootTable_copy(&roots.added, s->r + roots.objects.n);
		n = roots.objects.n + roots.added.n;
		for (intptr_t i = 0; i < roots.excluded.n && n >= 0; i++) {
			n = roots_subtract(s->r, n, s->cap, roots.excluded.r[i]);
		}
		room = 2 * s->cap;
	} while (n < 0);

	roots.bytes = 0;
	intptr_t k = 0;
	for (intptr_t i = 0; i < n; i++) {
		rootRange r = {alignUp(s->r[i].base, PtrSize), alignDown(s->r[i].limit, PtrSize)};
		if (r.base < r.limit) {
			s->r[k++] = r;
			roots.bytes += r.limit - r.base;
		}
	}
	s->n = k;
	roots_unlock();
}

uint64_t
roots_bytes(void) {
	return roots.bytes;
}

uint32_t
roots_jobs(void) {
	return (uint32_t)divRoundUp(roots.bytes, rootBlockBytes);
}

// removed in the base of a range of the snapshot: it counts, so that the jobs stay as they are, but
// must not be read any more.
static const uintptr_t removed = 1;

int64_t
roots_scan_job(gcWork *gcw, uint32_t i) {
	uint64_t skip = (uint64_t)i * rootBlockBytes;
	uint64_t left = rootBlockBytes;
	int64_t done = 0;
	atomic_Xadd(&roots.scanning, 1);
	for (intptr_t j = 0; j < roots.snapshot.n && left > 0; j++) {
		uintptr_t base = atomic_Load(&roots.snapshot.r[j].base);
		uint64_t n = roots.snapshot.r[j].limit - (base & ~removed);
		if (skip >= n) {
			skip -= n;
			continue;
		}
		uint64_t b = min(n - skip, left);
		if ((base & removed) == 0) {
			scanConservative(base + skip, b, gcw);
		}
		done += (int64_t)b;
		left -= b;
		skip = 0;
	}
	atomic_Xadd(&roots.scanning, -1);
	return done;
}

bool
roots_rescan_from_stw(gcWork *gcw) {
	assertWorldStopped();
	roots.skipped = 0;
	uint64_t total = 0;
	// The world is, but not a thread of the program's that calls gort_root_remove.
	atomic_Xadd(&roots.scanning, 1);
	for (intptr_t i = 0; i < roots.snapshot.n; i++) {
		uintptr_t base = atomic_Load(&roots.snapshot.r[i].base);
		if ((base & removed) != 0) {
			continue;
		}
		uint64_t n = roots.snapshot.r[i].limit - base;
		if (n > rescanMaxRange || total + n > rescanMaxTotal) {
			roots.skipped += n;
			continue;
		}
		scanConservative(base, n, gcw);
		total += n;
	}
	atomic_Xadd(&roots.scanning, -1);
	return !gcWork_empty(gcw);
}

uint64_t
roots_rescan_skipped(void) {
	return roots.skipped;
}

intptr_t
roots_collect(rootRange *r, intptr_t capr) {
	for (intptr_t i = 0; i < min(roots.snapshot.n, capr); i++) {
		r[i] = roots.snapshot.r[i];
	}
	return roots.snapshot.n;
}

// ---- gort.h -------------------------------------------------------------------------------------------

int
gort_root_add(const void *start, size_t size) {
	rootRange r = {(uintptr_t)start, (uintptr_t)start + size};
	if (size == 0 || r.limit < r.base) {
		return -EINVAL;
	}
	roots_lock();
	for (intptr_t i = 0; i < roots.added.n; i++) {
		if (r.base < roots.added.r[i].limit && roots.added.r[i].base < r.limit) {
			roots_unlock();
			return -EEXIST;
		}
	}
	rootTable_add(&roots.added, r);
	roots_unlock();
	scan_now(r);
	return 0;
}

int
gort_root_remove(const void *start) {
	roots_lock();
	intptr_t i = 0;
	while (i < roots.added.n && roots.added.r[i].base != (uintptr_t)start) {
		i++;
	}
	if (i == roots.added.n) {
		roots_unlock();
		return -ENOENT;
	}
	rootRange r = roots.added.r[i];
	roots.added.r[i] = roots.added.r[--roots.added.n];

	// The caller may unmap it: no job may read it from now on.
	for (i = 0; i < roots.snapshot.n; i++) {
		rootRange *x = &roots.snapshot.r[i];
		if (r.base <= x->base && x->limit <= r.limit) {
			atomic_Store(&x->base, x->base | removed);
		}
	}
	roots_unlock();
	// Its pointers may have moved to stacks that have been scanned already.
	scan_now(r);
	while (atomic_Load(&roots.scanning) != 0) {
		osyield();
	}
	return 0;
}

int
gort_root_exclude(const void *start, size_t size) {
	rootRange r = {(uintptr_t)start, (uintptr_t)start + size};
	if (size == 0 || r.limit < r.base) {
		return -EINVAL;
	}
	roots_lock();
	rootTable_add(&roots.excluded, r);
	roots_unlock();
	return 0;
}
