// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Memory from the operating system, and memory that is never given back.
// Ports mem.go, mem_linux.go, sysMemStat of mstats.go, and persistentalloc of
// malloc.go of Go 1.26.8.
//
// A range of addresses is in one of four states:
//
//	None      not ours
//	Reserved  ours; an access faults; costs no memory
//	Prepared  ours and cheap to make Ready; what is in it is undefined
//	Ready     may be accessed
//
//	sysAlloc    None -> Ready              sysFree   any -> None
//	sysReserve  None -> Reserved           sysFault  Ready -> Reserved (for debugging)
//	sysMap      Reserved -> Prepared
//	sysUsed     Prepared -> Ready          sysUnused  Ready -> Prepared
//
// mem.c does the accounting, mem_linux.c the system calls.
#ifndef GORT_RUNTIME_MEM_H
#define GORT_RUNTIME_MEM_H

#include "runtime/malloc_const.h"
#include "runtime/runtime.h"

// sysMemStat counts bytes obtained from the system for one purpose.  Atomic.
typedef uint64_t sysMemStat;
uint64_t sysMemStat_load(sysMemStat *s);
void sysMemStat_add(sysMemStat *s, int64_t n);

// sysAlloc gets n zeroed bytes; NULL if there are none.  vmaName names the mapping in
// /proc/self/maps where the kernel can.
void *sysAlloc(uintptr_t n, sysMemStat *sysStat, const char *vmaName);
void sysUnused(void *v, uintptr_t n);
// sysUsed takes ranges that are Ready in part; prepared is the number of bytes that are not.
void sysUsed(void *v, uintptr_t n, uintptr_t prepared);
bool needZeroAfterSysUnused(void);
void sysHugePage(void *v, uintptr_t n);
void sysNoHugePage(void *v, uintptr_t n);
void sysHugePageCollapse(void *v, uintptr_t n);
void sysFree(void *v, uintptr_t n, sysMemStat *sysStat);
void sysFault(void *v, uintptr_t n);
// sysReserve reserves n bytes, at v if that is possible, else elsewhere; NULL if nowhere.
void *sysReserve(void *v, uintptr_t n, const char *vmaName);
// sysReserveAligned reserves size bytes at a multiple of align.  *reserved is size or size + align.
void *sysReserveAligned(
	void *v, uintptr_t size, uintptr_t align, const char *vmaName, uintptr_t *reserved);
void sysUnreserve(void *v, uintptr_t n);
void sysMap(void *v, uintptr_t n, sysMemStat *sysStat, const char *vmaName);

// The system's part, without accounting.
void *sysAllocOS(uintptr_t n, const char *vmaName);
void sysUnusedOS(void *v, uintptr_t n);
void sysUsedOS(void *v, uintptr_t n);
void sysHugePageOS(void *v, uintptr_t n);
void sysNoHugePageOS(void *v, uintptr_t n);
void sysHugePageCollapseOS(void *v, uintptr_t n);
void sysFreeOS(void *v, uintptr_t n);
void sysFaultOS(void *v, uintptr_t n);
void *sysReserveOS(void *v, uintptr_t n, const char *vmaName);
void sysMapOS(void *v, uintptr_t n, const char *vmaName);
bool needZeroAfterSysUnusedOS(void);
void setVMAName(void *start, uintptr_t len, const char *name);

// persistentAlloc is what is left of the chunk that small pieces come from; one a P, one global.
typedef struct persistentAlloc {
	uint8_t *base;
	uintptr_t off;
} persistentAlloc;

enum { persistentChunkSize = 256 << 10 };

// persistentalloc returns zeroed memory that is never freed.  align 0 means 8.  Throws if there is
// none.  May be called from a write barrier, and with any lock above mheap held.
void *persistentalloc(uintptr_t size, uintptr_t align, sysMemStat *sysStat);
// inPersistentAlloc reports whether p lies in a chunk of persistentalloc.
bool inPersistentAlloc(uintptr_t p);

// ---- fault injection, in builds with GORT_DEBUG ---------------------------------------------------
//
// GORT_FAILINJECT=what:n:errno[:count] makes the n-th call (from 1) of a kind fail, and the count - 1
// calls after it (1 by default, 0: all).  what is mmap, madvise, munmap, mprotect, thread or clock.
// It is read before the runtime does anything else.  Several, separated by commas, may be given.
enum {
	failMmap,
	failMadvise,
	failMunmap,
	failMprotect,
	failThread,
	failClock,
	nfail,
};
#ifdef GORT_DEBUG
int failinject_next(int what);         // 0, or the errno with which this call is to fail
void failinject_set(const char *spec); // what the variable does; NULL: nothing fails
void failinject_init(void);            // reads the variable
uint64_t failinject_calls(int what);   // number of calls so far
#else
static inline int
failinject_next(int what) {
	(void)what;
	return 0;
}
static inline void
failinject_init(void) {
}
#endif

#endif
