// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Address ranges and ordered sets of them.  Ports mranges.go of Go 1.26.8.
#include "runtime/mranges.h"

// makeAddrRange makes [base, limit) and throws if it spans the gap in the address space.
addrRange
makeAddrRange(uintptr_t base, uintptr_t limit) {
	addrRange r = {{base}, {limit}};
	if ((base - arenaBaseOffset >= base) != (limit - arenaBaseOffset >= limit))
		throw("addr range base and limit are not in the same memory segment");
	return r;
}

uintptr_t
addrRange_size(addrRange a) {
	if (!offAddr_lessThan(a.base, a.limit))
		return 0;
	return offAddr_diff(a.limit, a.base);
}

bool
addrRange_contains(addrRange a, uintptr_t addr) {
	return offAddr_lessEqual(a.base, (offAddr){addr}) &&
	       offAddr_lessThan((offAddr){addr}, a.limit);
}

addrRange
addrRange_subtract(addrRange a, addrRange b) {
	if (offAddr_lessEqual(b.base, a.base) && offAddr_lessEqual(a.limit, b.limit))
		return (addrRange){{0}, {0}};
	if (offAddr_lessThan(a.base, b.base) && offAddr_lessThan(b.limit, a.limit))
		throw("bad prune");
	if (offAddr_lessThan(b.limit, a.limit) && offAddr_lessThan(a.base, b.limit))
		a.base = b.limit;
	else if (offAddr_lessThan(a.base, b.base) && offAddr_lessThan(b.base, a.limit))
		a.limit = b.base;
	return a;
}

uintptr_t
addrRange_takeFromFront(addrRange *a, uintptr_t len, uint8_t align, bool *ok) {
	uintptr_t base = alignUp(offAddr_addr(a->base), align) + len;
	*ok = base <= offAddr_addr(a->limit);
	if (!*ok)
		return 0;
	a->base = (offAddr){base};
	return base - len;
}

uintptr_t
addrRange_takeFromBack(addrRange *a, uintptr_t len, uint8_t align, bool *ok) {
	uintptr_t limit = alignDown(offAddr_addr(a->limit) - len, align);
	*ok = offAddr_addr(a->base) <= limit;
	if (!*ok)
		return 0;
	a->limit = (offAddr){limit};
	return limit;
}

// addrRange_removeGreaterEqual cuts off what is at addr and above.
addrRange
addrRange_removeGreaterEqual(addrRange a, uintptr_t addr) {
	if (offAddr_lessEqual((offAddr){addr}, a.base))
		return (addrRange){{0}, {0}};
	if (offAddr_lessEqual(a.limit, (offAddr){addr}))
		return a;
	return makeAddrRange(offAddr_addr(a.base), addr);
}

// atomicOffAddr_Clear makes it the lowest address, unless it is marked: then somebody else has a
// newer value in hand.
void
atomicOffAddr_Clear(atomicOffAddr *b) {
	for (;;) {
		int64_t old = atomic_Load(&b->a);
		if (old < 0)
			return;
		if (atomic_Cas(&b->a, old, (int64_t)(minOffAddr.a - arenaBaseOffset)))
			return;
	}
}

// atomicOffAddr_StoreMin lowers it to addr, unless it is lower.  A marked value is always higher
// than what is stored here: the mark is lost.
void
atomicOffAddr_StoreMin(atomicOffAddr *b, uintptr_t addr) {
	int64_t new = (int64_t)(addr - arenaBaseOffset);
	for (;;) {
		int64_t old = atomic_Load(&b->a);
		if (old < new)
			return;
		if (atomic_Cas(&b->a, old, new))
			return;
	}
}

// atomicOffAddr_StoreUnmark replaces the marked markedAddr by newAddr, if it is still there.
void
atomicOffAddr_StoreUnmark(atomicOffAddr *b, uintptr_t markedAddr, uintptr_t newAddr) {
	(void)atomic_Cas(&b->a, -(int64_t)(markedAddr - arenaBaseOffset),
		(int64_t)(newAddr - arenaBaseOffset));
}

// atomicOffAddr_StoreMarked stores addr with a mark, whatever was there.
void
atomicOffAddr_StoreMarked(atomicOffAddr *b, uintptr_t addr) {
	atomic_Store(&b->a, -(int64_t)(addr - arenaBaseOffset));
}

uintptr_t
atomicOffAddr_Load(atomicOffAddr *b, bool *marked) {
	int64_t v = atomic_Load(&b->a);
	*marked = v < 0;
	if (v < 0)
		v = -v;
	return (uintptr_t)v + arenaBaseOffset;
}

void
addrRanges_init(addrRanges *a, sysMemStat *sysStat) {
	a->nranges = 0;
	a->capranges = 16;
	a->ranges = persistentalloc(sizeof(addrRange) * (uintptr_t)a->capranges, PtrSize, sysStat);
	a->sysStat = sysStat;
	a->totalBytes = 0;
}

intptr_t
addrRanges_findSucc(addrRanges *a, uintptr_t addr) {
	offAddr base = {addr};

	// Halve until few are left, then look at each.
	enum { iterMax = 8 };
	intptr_t bot = 0;
	intptr_t top = a->nranges;
	while (top - bot > iterMax) {
		intptr_t i = (bot + top) / 2;
		if (addrRange_contains(a->ranges[i], addr))
			return i + 1;
		if (offAddr_lessThan(base, a->ranges[i].base))
			top = i; // perhaps it
		else
			bot = i + 1; // i is not
	}
	for (intptr_t i = bot; i < top; i++) {
		if (offAddr_lessThan(base, a->ranges[i].base))
			return i;
	}
	return top;
}

uintptr_t
addrRanges_findAddrGreaterEqual(addrRanges *a, uintptr_t addr, bool *ok) {
	intptr_t i = addrRanges_findSucc(a, addr);
	*ok = true;
	if (i == 0) {
		// PORT: Go indexes an empty slice here and panics.
		*ok = a->nranges > 0;
		return *ok ? offAddr_addr(a->ranges[0].base) : 0;
	}
	if (addrRange_contains(a->ranges[i - 1], addr))
		return addr;
	if (i < a->nranges)
		return offAddr_addr(a->ranges[i].base);
	*ok = false;
	return 0;
}

bool
addrRanges_contains(addrRanges *a, uintptr_t addr) {
	intptr_t i = addrRanges_findSucc(a, addr);
	return i > 0 && addrRange_contains(a->ranges[i - 1], addr);
}

void
addrRanges_add(addrRanges *a, addrRange r) {
	// Ranges are arenas of 64 MB and more and mostly touch: there are few, and to move them costs
	// little.
	if (addrRange_size(r) == 0) {
		print("runtime: range = {%#lx, %#lx}\n", offAddr_addr(r.base),
			offAddr_addr(r.limit));
		throw("attempted to add zero-sized address range");
	}
	intptr_t i = addrRanges_findSucc(a, offAddr_addr(r.base));
	intptr_t n = a->nranges;
	bool coalescesDown = i > 0 && offAddr_equal(a->ranges[i - 1].limit, r.base);
	bool coalescesUp = i < n && offAddr_equal(r.limit, a->ranges[i].base);
	if (coalescesUp && coalescesDown) {
		a->ranges[i - 1].limit = a->ranges[i].limit;
		memmove(&a->ranges[i], &a->ranges[i + 1],
			(uintptr_t)(n - i - 1) * sizeof(addrRange));
		a->nranges--;
	} else if (coalescesDown) {
		a->ranges[i - 1].limit = r.limit;
	} else if (coalescesUp) {
		a->ranges[i].base = r.base;
	} else {
		if (n + 1 > a->capranges) {
			// The old array is lost, which is at most as much as the new one.
			addrRange *old = a->ranges;
			a->capranges *= 2;
			a->ranges = persistentalloc(
				sizeof(addrRange) * (uintptr_t)a->capranges, PtrSize, a->sysStat);
			memmove(a->ranges, old, (uintptr_t)i * sizeof(addrRange));
			memmove(&a->ranges[i + 1], old + i, (uintptr_t)(n - i) * sizeof(addrRange));
		} else {
			memmove(&a->ranges[i + 1], &a->ranges[i],
				(uintptr_t)(n - i) * sizeof(addrRange));
		}
		a->ranges[i] = r;
		a->nranges++;
	}
	a->totalBytes += addrRange_size(r);
}

addrRange
addrRanges_removeLast(addrRanges *a, uintptr_t nBytes) {
	if (a->nranges == 0)
		return (addrRange){{0}, {0}};
	addrRange r = a->ranges[a->nranges - 1];
	uintptr_t size = addrRange_size(r);
	if (size > nBytes) {
		offAddr newEnd = offAddr_sub(r.limit, nBytes);
		a->ranges[a->nranges - 1].limit = newEnd;
		a->totalBytes -= nBytes;
		return (addrRange){newEnd, r.limit};
	}
	a->nranges--;
	a->totalBytes -= size;
	return r;
}

// addrRanges_removeGreaterEqual removes what is at addr and above; a range around addr is cut.
void
addrRanges_removeGreaterEqual(addrRanges *a, uintptr_t addr) {
	intptr_t pivot = addrRanges_findSucc(a, addr);
	if (pivot == 0) {
		a->totalBytes = 0;
		a->nranges = 0;
		return;
	}
	uintptr_t removed = 0;
	for (intptr_t i = pivot; i < a->nranges; i++)
		removed += addrRange_size(a->ranges[i]);
	addrRange r = a->ranges[pivot - 1];
	if (addrRange_contains(r, addr)) {
		removed += addrRange_size(r);
		r = addrRange_removeGreaterEqual(r, addr);
		if (addrRange_size(r) == 0) {
			pivot--;
		} else {
			removed -= addrRange_size(r);
			a->ranges[pivot - 1] = r;
		}
	}
	a->nranges = pivot;
	a->totalBytes -= removed;
}

// addrRanges_cloneInto makes b equal to a, in b's own array if it is large enough.
void
addrRanges_cloneInto(addrRanges *a, addrRanges *b) {
	if (a->nranges > b->capranges) {
		b->capranges = a->capranges;
		b->ranges = persistentalloc(
			sizeof(addrRange) * (uintptr_t)b->capranges, PtrSize, b->sysStat);
	}
	b->nranges = a->nranges;
	b->totalBytes = a->totalBytes;
	memmove(b->ranges, a->ranges, (uintptr_t)a->nranges * sizeof(addrRange));
}
