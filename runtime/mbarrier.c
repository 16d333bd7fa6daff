// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The write barrier.  Ports mbarrier.go and atomic_pointer.go of Go 1.26.8.
//
// A concurrent collector loses an object if the program moves the only pointer to it from where the
// collector has not looked yet to where it has.  Go's barrier shades, before `*slot = ptr`, both the
// value that is overwritten and the new one:
//   - the old one, so that nothing can be unlinked from the heap and live on only in a stack that has
//     been scanned (deletion, Yuasa);
//   - the new one, since the goroutine's own stack may not have been scanned: it would hand the
//     pointer to an object that has been (insertion, Dijkstra).
// Hence a stack is scanned once and never again.  The colour of the object that slot lies in is not
// looked at: to read it reliably would cost a fence at each store.
//
// The barrier comes before the store, so that no other goroutine can get hold of a pointer that is
// not shaded.  Between them the phase must not change: there is no safe point in this file, and the
// compiled form of gort_store starts again from its check when it is stopped inside.
//
// PORT: gort.h's functions on pointers (gort_wb_slow, gort_memmove, gort_sort ...) stand at the end.
#include "runtime/mbarrier.h"

#include "runtime/mbitmap.h"
#include "runtime/mwbbuf.h"
#include "runtime/os_linux.h"
#include "runtime/panic.h"
#include "sched/runtime2.h"

// wbBufOfP is the buffer of the current P.  A store by a thread without one cannot be told to the
// collector.
static ALWAYS_INLINE wbBuf *
wbBufOfP(void) {
	G *gp = getg();
	if (unlikely(gp == NULL)) {
		foreigncall();
	}
	P *pp = gp->m->p;
	if (unlikely(pp == NULL)) {
		throw("write barrier without a P");
	}
	return &pp->wbBuf;
}

void
typedmemmove(const _type *typ, void *dst, const void *src) {
	if (dst == src) {
		return;
	}
	if (atomic_LoadRelaxed(&gort_writeBarrier) != 0 && typ->ptrbytes != 0) {
		// Whole values: bulkBarrierPreWrite may use the type.
		bulkBarrierPreWrite((uintptr_t)dst, (uintptr_t)src, typ->ptrbytes, typ);
	}
	// Another goroutine may change src between the barrier and the copy: it does that with a
	// barrier of its own, so that at worst an old pointer is shaded for nothing.
	memmove(dst, src, typ->size);
}

// typedslicecopy is for types with pointers.
intptr_t
typedslicecopy(
	const _type *typ, void *dstPtr, intptr_t dstLen, const void *srcPtr, intptr_t srcLen) {
	intptr_t n = min(dstLen, srcLen);
	if (n == 0 || dstPtr == srcPtr) {
		return n;
	}
	uintptr_t size = (uintptr_t)n * typ->size;
	if (atomic_LoadRelaxed(&gort_writeBarrier) != 0) {
		uintptr_t pwsize = size - typ->size + typ->ptrbytes;
		bulkBarrierPreWrite((uintptr_t)dstPtr, (uintptr_t)srcPtr, pwsize, typ);
	}
	memmove(dstPtr, srcPtr, size);
	return n;
}

// typedmemclr clears a value that is initialised; memclrNoHeapPointers does for fresh memory.
void
typedmemclr(const _type *typ, void *ptr) {
	if (atomic_LoadRelaxed(&gort_writeBarrier) != 0 && typ->ptrbytes != 0) {
		bulkBarrierPreWrite((uintptr_t)ptr, 0, typ->ptrbytes, typ);
	}
	memclrNoHeapPointers(ptr, typ->size);
}

// typedarrayclear is typedmemclr for len values.
void
typedarrayclear(const _type *typ, void *ptr, intptr_t len) {
	uintptr_t size = typ->size * (uintptr_t)len;
	if (atomic_LoadRelaxed(&gort_writeBarrier) != 0 && typ->ptrbytes != 0) {
		bulkBarrierPreWrite((uintptr_t)ptr, 0, size, typ);
	}
	memclrNoHeapPointers(ptr, size);
}

// memclrHasPointers clears n bytes in an object with pointers; ptr need not be its start.
void
memclrHasPointers(void *ptr, uintptr_t n) {
	if (atomic_LoadRelaxed(&gort_writeBarrier) != 0) {
		bulkBarrierPreWrite((uintptr_t)ptr, 0, n, NULL);
	}
	memclrNoHeapPointers(ptr, n);
}

// ---- atomic_pointer.go ------------------------------------------------------------------------------

// If *slot changes before the write follows, whoever did it has shaded what it stored.
void
atomicwb(void **slot, void *val) {
	uintptr_t *p = wbBuf_get2(wbBufOfP());
	p[0] = (uintptr_t)atomic_LoadRelaxed(slot);
	p[1] = (uintptr_t)val;
}

// ---- gort.h -------------------------------------------------------------------------------------------

// gort_wb_slow is the rest of gort_store while the barrier is on.  It stores as well: here no signal
// can stop the goroutine between the barrier and the store.  On the way here one could: marking may
// have ended since the caller's check, and the buffers must stay empty until it begins again.
void
gort_wb_slow(void **slot, void *val) {
	wbBuf *b = wbBufOfP();
	if (unlikely(atomic_LoadRelaxed(&gort_writeBarrier) == 0)) {
		atomic_StoreRelaxed(slot, val);
		return;
	}
	uintptr_t *p = wbBuf_get2(b);
	p[0] = (uintptr_t)atomic_LoadRelaxed(slot);
	p[1] = (uintptr_t)val;
	atomic_StoreRelaxed(slot, val);
}

void
gort_typedmemmove(const gort_type *type, void *dst, const void *src) {
	typedmemmove(type, dst, src);
}

// needwords is for ranges of which every word may be a pointer: the barrier would look at other words
// than those that the collector sees there.  Also while the barrier is off, or the mistake would
// show once in a while.
static ALWAYS_INLINE void
needwords(uintptr_t bits) {
	if (unlikely(bits % PtrSize != 0)) {
		throw("gort: place or size of a move with barriers is not a multiple of 8");
	}
}

void
gort_memmove(void *dst, const void *src, size_t n) {
	needwords((uintptr_t)dst | (uintptr_t)src | n);
	if (dst == src) {
		return;
	}
	if (atomic_LoadRelaxed(&gort_writeBarrier) != 0) {
		bulkBarrierConservative((uintptr_t)dst, (uintptr_t)src, n);
	}
	memmove(dst, src, n);
}

void
gort_memzero(void *dst, size_t n) {
	needwords((uintptr_t)dst | n);
	if (atomic_LoadRelaxed(&gort_writeBarrier) != 0) {
		bulkBarrierConservative((uintptr_t)dst, 0, n);
	}
	memclrNoHeapPointers(dst, n);
}

bool
gort_cas_pointer(void **slot, void *old, void *val) {
	if (atomic_LoadRelaxed(&gort_writeBarrier) != 0) {
		atomicwb(slot, val);
	}
	return atomic_Cas(slot, old, val);
}

void *
gort_xchg_pointer(void **slot, void *val) {
	if (atomic_LoadRelaxed(&gort_writeBarrier) != 0) {
		atomicwb(slot, val);
	}
	return atomic_Xchg(slot, val);
}

// ---- gort_sort: introsort by swaps.  A swap leaves nothing out of the collector's sight, since no
// signal stops it half way; cmp, the user's code, only ever sees whole elements. ------------------------

typedef struct sorter {
	char *base;
	size_t size;
	bool words; // elements may hold pointers: 8-byte aligned, of whole words
	int (*cmp)(const void *, const void *);
} sorter;

static inline char *
sorter_at(const sorter *s, size_t i) {
	return s->base + i * s->size;
}

static inline bool
sorter_less(const sorter *s, size_t i, size_t j) {
	return s->cmp(sorter_at(s, i), sorter_at(s, j)) < 0;
}

// sorter_swap exchanges elements i and j.  What one slot loses the other one gets, so that shading
// the two old values is the whole barrier.
static void
sorter_swap(const sorter *s, size_t i, size_t j) {
	if (i == j) {
		return;
	}
	char *a = sorter_at(s, i);
	char *b = sorter_at(s, j);
	if (!s->words) {
		for (size_t k = 0; k < s->size; k++) {
			char t = a[k];
			a[k] = b[k];
			b[k] = t;
		}
		return;
	}
	bool wb = atomic_LoadRelaxed(&gort_writeBarrier) != 0;
	uintptr_t *x = (uintptr_t *)(void *)a;
	uintptr_t *y = (uintptr_t *)(void *)b;
	for (size_t k = 0; k < s->size / PtrSize; k++) {
		uintptr_t vx = x[k];
		uintptr_t vy = y[k];
		if (wb) {
			uintptr_t *p = wbBuf_get2(wbBufOfP());
			p[0] = vx;
			p[1] = vy;
		}
		atomic_StoreRelaxed(&x[k], vy);
		atomic_StoreRelaxed(&y[k], vx);
	}
}

static void
sorter_insertion(const sorter *s, size_t lo, size_t hi) {
	for (size_t i = lo + 1; i < hi; i++) {
		for (size_t j = i; j > lo && sorter_less(s, j, j - 1); j--) {
			sorter_swap(s, j, j - 1);
		}
	}
}

static void
sorter_siftdown(const sorter *s, size_t first, size_t root, size_t n) {
	for (;;) {
		size_t child = 2 * root + 1;
		if (child >= n) {
			return;
		}
		if (child + 1 < n && sorter_less(s, first + child, first + child + 1)) {
			child++;
		}
		if (!sorter_less(s, first + root, first + child)) {
			return;
		}
		sorter_swap(s, first + root, first + child);
		root = child;
	}
}

static void
sorter_heap(const sorter *s, size_t lo, size_t hi) {
	size_t n = hi - lo;
	for (size_t i = n / 2; i-- > 0;) {
		sorter_siftdown(s, lo, i, n);
	}
	for (size_t i = n; i-- > 1;) {
		sorter_swap(s, lo, lo + i);
		sorter_siftdown(s, lo, 0, i);
	}
}

// sorter_quick sorts [lo, hi).  limit bounds the depth: after that many bad pivots heap sort takes
// over.
static void
sorter_quick(const sorter *s, size_t lo, size_t hi, int limit) {
	while (hi - lo > 12) {
		if (limit-- == 0) {
			sorter_heap(s, lo, hi);
			return;
		}
		// The median of three goes to lo and is the pivot.
		size_t mid = lo + (hi - lo) / 2;
		if (sorter_less(s, mid, lo)) {
			sorter_swap(s, mid, lo);
		}
		if (sorter_less(s, hi - 1, mid)) {
			sorter_swap(s, hi - 1, mid);
			if (sorter_less(s, mid, lo)) {
				sorter_swap(s, mid, lo);
			}
		}
		sorter_swap(s, lo, mid);
		size_t i = lo + 1;
		size_t j = hi - 1;
		for (;;) {
			while (i <= j && sorter_less(s, i, lo)) {
				i++;
			}
			while (i <= j && sorter_less(s, lo, j)) {
				j--;
			}
			if (i >= j) {
				break;
			}
			sorter_swap(s, i, j);
			i++;
			j--;
		}
		sorter_swap(s, lo, j);
		if (j - lo < hi - j - 1) {
			sorter_quick(s, lo, j, limit);
			lo = j + 1;
		} else {
			sorter_quick(s, j + 1, hi, limit);
			hi = j;
		}
	}
	sorter_insertion(s, lo, hi);
}

void
gort_sort(void *base, size_t n, size_t size, int (*cmp)(const void *, const void *)) {
	if (n < 2 || size == 0) {
		return;
	}
	sorter s = {
		.base = base,
		.size = size,
		.words = size % PtrSize == 0 && (uintptr_t)base % PtrSize == 0,
		.cmp = cmp,
	};
	sorter_quick(&s, 0, n, 2 * Len64(n));
}
