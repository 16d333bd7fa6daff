// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Address ranges and ordered sets of them.  Ports mranges.go of Go 1.26.8.
#ifndef GORT_RUNTIME_MRANGES_H
#define GORT_RUNTIME_MRANGES_H

#include "runtime/mem.h"

// offAddr is an address that compares in the offset view (arenaBaseOffset).  A struct, so that nobody compares it
// with < by mistake.
typedef struct offAddr {
	uintptr_t a;
} offAddr;

#define minOffAddr ((offAddr){arenaBaseOffset})
#define maxOffAddr ((offAddr){((1UL << heapAddrBits) - 1) + arenaBaseOffset})

static inline offAddr
offAddr_add(offAddr l, uintptr_t bytes) {
	return (offAddr){l.a + bytes};
}

static inline offAddr
offAddr_sub(offAddr l, uintptr_t bytes) {
	return (offAddr){l.a - bytes};
}

static inline uintptr_t
offAddr_diff(offAddr l1, offAddr l2) {
	return l1.a - l2.a;
}

static inline bool
offAddr_lessThan(offAddr l1, offAddr l2) {
	return l1.a - arenaBaseOffset < l2.a - arenaBaseOffset;
}

static inline bool
offAddr_lessEqual(offAddr l1, offAddr l2) {
	return l1.a - arenaBaseOffset <= l2.a - arenaBaseOffset;
}

static inline bool
offAddr_equal(offAddr l1, offAddr l2) {
	return l1.a == l2.a;
}

static inline uintptr_t
offAddr_addr(offAddr l) {
	return l.a;
}

// atomicOffAddr is an offAddr that several may lower and one may mark: a marked value (negative)
// says that who marked it is at work on it, and any StoreMin in between wins.
typedef struct atomicOffAddr {
	int64_t a; // atomic; the address in the offset view, negated if marked
} atomicOffAddr;

void atomicOffAddr_Clear(atomicOffAddr *b);
void atomicOffAddr_StoreMin(atomicOffAddr *b, uintptr_t addr);
void atomicOffAddr_StoreUnmark(atomicOffAddr *b, uintptr_t markedAddr, uintptr_t newAddr);
void atomicOffAddr_StoreMarked(atomicOffAddr *b, uintptr_t addr);
uintptr_t atomicOffAddr_Load(atomicOffAddr *b, bool *marked);

// addrRange is [base, limit); it does not span the gap of the address space.
typedef struct addrRange {
	offAddr base;
	offAddr limit;
} addrRange;

addrRange makeAddrRange(uintptr_t base, uintptr_t limit);
uintptr_t addrRange_size(addrRange a);
bool addrRange_contains(addrRange a, uintptr_t addr);
// addrRange_subtract cuts b out of a; throws if b lies strictly inside a.
addrRange addrRange_subtract(addrRange a, addrRange b);
// takeFromFront and takeFromBack cut len bytes off, aligned to align; *ok false: no room.
uintptr_t addrRange_takeFromFront(addrRange *a, uintptr_t len, uint8_t align, bool *ok);
uintptr_t addrRange_takeFromBack(addrRange *a, uintptr_t len, uint8_t align, bool *ok);
addrRange addrRange_removeGreaterEqual(addrRange a, uintptr_t addr);

// addrRanges is a set of addresses: ranges sorted by base, which neither overlap nor touch.
//	totalBytes == sum of the sizes
// Its arrays come from persistentalloc and are never freed.  The caller locks.
typedef struct addrRanges {
	addrRange *ranges;
	intptr_t nranges;
	intptr_t capranges;
	uintptr_t totalBytes;
	sysMemStat *sysStat;
} addrRanges;

void addrRanges_init(addrRanges *a, sysMemStat *sysStat);
// addrRanges_findSucc returns the first index whose base is above addr.
intptr_t addrRanges_findSucc(addrRanges *a, uintptr_t addr);
// addrRanges_findAddrGreaterEqual returns the smallest address of a that is >= addr.
uintptr_t addrRanges_findAddrGreaterEqual(addrRanges *a, uintptr_t addr, bool *ok);
bool addrRanges_contains(addrRanges *a, uintptr_t addr);
void addrRanges_add(addrRanges *a, addrRange r); // r: disjoint from a, not empty
// addrRanges_removeLast removes and returns the highest range, or its last nBytes.
addrRange addrRanges_removeLast(addrRanges *a, uintptr_t nBytes);
void addrRanges_removeGreaterEqual(addrRanges *a, uintptr_t addr);
void addrRanges_cloneInto(addrRanges *a, addrRanges *b);

#endif
