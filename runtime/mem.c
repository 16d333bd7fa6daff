// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The memory of the process: accounting around the system's calls.
// Ports mem.go of Go 1.26.8 and sysMemStat of mstats.go; mem.h shows the states.
//
// Every byte that is Ready counts in gcController.mappedReady, from which the memory limit is
// steered, and every byte Prepared or Ready in the sysMemStat of its purpose.
//
// PORT: LeakSanitizer wants to know of memory that holds pointers, as in Go.
#include "runtime/mem.h"

#include "runtime/mgcpacer.h"

#ifdef __SANITIZE_ADDRESS__
#	define ASANENABLED
#endif
#ifdef __has_feature
#	if __has_feature(address_sanitizer)
#		define ASANENABLED
#	endif
#endif

#ifdef ASANENABLED
#	include <sanitizer/lsan_interface.h>
#	define lsanregisterrootregion(p, n) __lsan_register_root_region((p), (n))
#	define lsanunregisterrootregion(p, n) __lsan_unregister_root_region((p), (n))
#else
#	define lsanregisterrootregion(p, n) ((void)0)
#	define lsanunregisterrootregion(p, n) ((void)0)
#endif

uint64_t
sysMemStat_load(sysMemStat *s) {
	return atomic_Load(s);
}

// sysMemStat_add throws if the counter would leave its range, which is what a wrong account does
// sooner or later.
void
sysMemStat_add(sysMemStat *s, int64_t n) {
	uint64_t val = atomic_Xadd(s, (uint64_t)n);
	if (unlikely((n > 0 && (int64_t)val < n) || (n < 0 && (int64_t)val + n < n))) {
		print("runtime: val=%lu n=%ld\n", val, n);
		throw("sysMemStat overflow");
	}
}

void *
sysAlloc(uintptr_t n, sysMemStat *sysStat, const char *vmaName) {
	sysMemStat_add(sysStat, (int64_t)n);
	atomic_Xadd(&gcController.mappedReady, n);
	void *p = sysAllocOS(n, vmaName);
	if (p != NULL)
		lsanregisterrootregion(p, n);
	return p;
}

// sysUnused: what is in the range is forfeit, and it may not be touched before sysUsed.
void
sysUnused(void *v, uintptr_t n) {
	atomic_Xadd(&gcController.mappedReady, -n);
	sysUnusedOS(v, n);
}

// needZeroAfterSysUnused: such memory may come back dirty.
bool
needZeroAfterSysUnused(void) {
	return needZeroAfterSysUnusedOS();
}

void
sysUsed(void *v, uintptr_t n, uintptr_t prepared) {
	atomic_Xadd(&gcController.mappedReady, prepared);
	sysUsedOS(v, n);
}

// sysHugePage and the next two are hints; the state stays.
void
sysHugePage(void *v, uintptr_t n) {
	sysHugePageOS(v, n);
}

void
sysNoHugePage(void *v, uintptr_t n) {
	sysNoHugePageOS(v, n);
}

void
sysHugePageCollapse(void *v, uintptr_t n) {
	sysHugePageCollapseOS(v, n);
}

// sysFree takes exactly what sysAlloc or sysReserve returned, not a part of it.
void
sysFree(void *v, uintptr_t n, sysMemStat *sysStat) {
	lsanunregisterrootregion(v, n);
	sysMemStat_add(sysStat, -(int64_t)n);
	atomic_Xadd(&gcController.mappedReady, -n);
	sysFreeOS(v, n);
}

void
sysFault(void *v, uintptr_t n) {
	atomic_Xadd(&gcController.mappedReady, -n);
	sysFaultOS(v, n);
}

void *
sysReserve(void *v, uintptr_t n, const char *vmaName) {
	void *p = sysReserveOS(v, n, vmaName);
	if (p != NULL)
		lsanregisterrootregion(p, n);
	return p;
}

void *
sysReserveAligned(
	void *v, uintptr_t size, uintptr_t align, const char *vmaName, uintptr_t *reserved) {
	// The alignments asked for are large, so that luck will not do: reserve too much and cut off
	// both ends.
	uintptr_t p = (uintptr_t)sysReserve(v, size + align, vmaName);
	if (p == 0) {
		*reserved = 0;
		return NULL;
	}
	if ((p & (align - 1)) == 0) {
		*reserved = size + align;
		return (void *)p;
	}
	uintptr_t pAligned = alignUp(p, align);
	uintptr_t end = pAligned + size;
	uintptr_t endLen = p + size + align - end;
	// A root region cannot be cut, so it is registered anew.
	lsanunregisterrootregion((void *)p, size + align);
	lsanregisterrootregion((void *)pAligned, size);
	sysFreeOS((void *)p, pAligned - p);
	if (endLen > 0)
		sysFreeOS((void *)end, endLen);
	*reserved = size;
	return (void *)pAligned;
}

// sysUnreserve takes exactly what sysReserve or sysReserveAligned returned.
void
sysUnreserve(void *v, uintptr_t n) {
	lsanunregisterrootregion(v, n);
	sysFreeOS(v, n);
}

void
sysMap(void *v, uintptr_t n, sysMemStat *sysStat, const char *vmaName) {
	sysMemStat_add(sysStat, (int64_t)n);
	sysMapOS(v, n, vmaName);
}
