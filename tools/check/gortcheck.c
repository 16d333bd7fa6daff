// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The missing-barrier checker: finds stores of pointers that should have been gort_store.  Only in
// gort: in Go the compiler writes the barriers.
//
// A program is compiled with -DGORT_CHECK -fsanitize=thread and linked with this file instead of
// TSan's library, and with libgortcore (tests/barriercheck.sh has the whole command).  The compiler
// then announces each load and store by a call of __tsan_*; this file keeps the stores.  gort_store
// goes through gort_check_store, the bulk forms and all else in gort.h are calls into the library,
// which is not instrumented.  So every store that comes here went round the barrier, and is a mistake
// if it hits a word that the collector reads:
//
//   - a pointer slot of a heap object.  Whether the type says so is not a matter of values: a store
//     of NULL is a mistake as well;
//   - a word that merely may be a pointer: of a conservative object, or a global.  There it is a
//     mistake if the word held a pointer to an object or if it gets one.
//
// The small objects' bitmap does not tell an object of pointers from a conservative one, so those
// with nothing but pointers count as the latter.
//
// The announcement comes before the store and without the value.  What depends on the new value
// therefore waits until the same thread announces the next store, ends a function, or until the
// process exits.  By then the goroutine may have moved to another thread; it does not matter who
// looks.
//
// Threads are stopped at any point of this code.  It takes no lock, calls no libc function but when
// the process ends, and only reads the heap's metadata.  The object that is stored to is reachable
// by its writer's stack, so its span does not go away meanwhile.
#include "runtime/gort.h"
#include "runtime/malloc.h"
#include "runtime/mbitmap.h"
#include "runtime/mroots.h"
#include "sched/symtab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	exitStatus = 66, // as TSan's
};

// ---- what a word is -----------------------------------------------------------------------------------

enum wordKind {
	unseen,     // the collector does not look at it
	heapNoSlot, // part of a heap object, but not a pointer
	heapSlot,   // a pointer by its type
	heapMaybe,  // perhaps a pointer, part of a heap object
	rootMaybe,  // perhaps a pointer, a global
};

// The ranges of globals, taken once, and those that the program has added and left out since.
static rootRange globals[512];
static intptr_t nglobals;   // atomic
static rootRange added[64]; // atomic: base is written last
static rootRange excluded[64];

static bool
in_ranges(const rootRange *r, intptr_t n, uintptr_t p) {
	for (intptr_t i = 0; i < n; i++) {
		uintptr_t base = atomic_LoadAcq(&r[i].base);
		if (base <= p && p < r[i].limit) {
			return true;
		}
	}
	return false;
}

static bool
is_root(uintptr_t p) {
	intptr_t n = atomic_LoadAcq(&nglobals);
	if (n == 0) {
		// None yet before the runtime has started.
		n = min(roots_collect(globals, nelem(globals)), (intptr_t)nelem(globals));
		atomic_StoreRel(&nglobals, n);
	}
	return (in_ranges(globals, n, p) || in_ranges(added, nelem(added), p)) &&
	       !in_ranges(excluded, nelem(excluded), p);
}

// object_of is the base of the allocated object around p, or 0.
static uintptr_t
object_of(uintptr_t p, mspan **sp) {
	mspan *s = spanOfHeap(p);
	if (s == NULL) {
		return 0;
	}
	uintptr_t i = mspan_objIndex(s, p);
	if (i >= s->nelems || mspan_isFree(s, i)) {
		return 0;
	}
	*sp = s;
	return s->startAddr + i * s->elemsize;
}

static bool
is_heap_pointer(uintptr_t v) {
	mspan *s;
	return object_of(v, &s) != 0;
}

// heap_word is the kind of the word at p, in the object at base.
static enum wordKind
heap_word(mspan *s, uintptr_t base, uintptr_t p) {
	if (spanClass_noscan(s->spanclass)) {
		return heapNoSlot;
	}
	if (heapBitsInSpan(s->elemsize)) {
		uintptr_t bits = mspan_heapBitsSmallForAddr(s, base);
		if ((bits >> ((p - base) / PtrSize) & 1) == 0) {
			return heapNoSlot;
		}
		// Might someone have asked for a conservative object and got these bits?
		uintptr_t n = ~bits == 0 ? ptrBits : (uintptr_t)__builtin_ctzll(~bits);
		if ((n == ptrBits || bits >> n == 0) &&
			roundupsize(n * PtrSize, false) == s->elemsize) {
			return heapMaybe;
		}
		return heapSlot;
	}
	const _type *typ;
	if (spanClass_sizeclass(s->spanclass) != 0) {
		typ = *(const _type **)base;
		base += MallocHeaderSize;
	} else {
		typ = atomic_LoadAcq(&s->largeType);
	}
	if (typ == NULL || p < base) {
		return heapNoSlot;
	}
	if (!typeBit(typ, (p - base) % typ->size / PtrSize)) {
		return heapNoSlot;
	}
	return typ->gcdata == NULL ? heapMaybe : heapSlot;
}

static enum wordKind
word_kind(uintptr_t p) {
	mspan *s;
	uintptr_t base = object_of(p, &s);
	if (base != 0) {
		return heap_word(s, base, p);
	}
	return is_root(p) ? rootMaybe : unseen;
}

// ---- reports ------------------------------------------------------------------------------------------

static const char *const hows[] = {"store", "structure copy", "atomic store", "memcpy", "memmove",
	"memset", "qsort", "gort_store"};
enum how { plain, copied, atomical, memcopied, memmoved, memsetted, sorted, barrier };

static struct report {
	uintptr_t pc; // atomic: who takes an entry sets it
	enum how how;
	enum wordKind kind;
	uint64_t times; // atomic
} reports[1024];

static __attribute__((noinline, cold)) void
report(uintptr_t pc, enum how how, enum wordKind kind) {
	for (uintptr_t i = pc % nelem(reports), n = 0; n < nelem(reports); n++) {
		struct report *r = &reports[(i + n) % nelem(reports)];
		if (atomic_Load(&r->pc) == 0 && atomic_Cas(&r->pc, 0, pc)) {
			r->how = how;
			r->kind = kind;
		}
		if (atomic_Load(&r->pc) == pc) {
			atomic_Xadd(&r->times, 1);
			return;
		}
	}
}

// ---- stores that wait for their value ---------------------------------------------------------------

typedef struct pending {
	uintptr_t lo, hi; // whole words; lo == 0: none
	uintptr_t pc;
	enum how how;
} pending;

static pending pendings[4096]; // one a thread
static uint32_t npendings;     // atomic
static __thread pending *mine;

static pending *
pending_mine(void) {
	if (likely(mine != NULL)) {
		return mine;
	}
	uint32_t i = atomic_Xadd(&npendings, 1) - 1;
	// Threads beyond these share one, and may lose a report.
	mine = &pendings[min(i, (uint32_t)nelem(pendings) - 1)];
	return mine;
}

// check looks at the words [lo, hi), before the store or after it.  It returns whether there are
// some whose new value counts.
static bool
check(uintptr_t lo, uintptr_t hi, uintptr_t pc, enum how how, bool before) {
	bool wait = false;
	for (uintptr_t p = lo; p < hi;) {
		mspan *s;
		uintptr_t base = object_of(p, &s);
		if (base != 0 && spanClass_noscan(s->spanclass)) {
			p = base + s->elemsize;
			continue;
		}
		enum wordKind k = base != 0    ? heap_word(s, base, p)
				  : is_root(p) ? rootMaybe
					       : unseen;
		if ((k == heapSlot && before) ||
			((k == heapMaybe || k == rootMaybe) &&
				is_heap_pointer(atomic_LoadRelaxed((uintptr_t *)p)))) {
			report(pc, how, k);
			return false;
		}
		wait |= k == heapMaybe || k == rootMaybe;
		p += PtrSize;
	}
	return wait;
}

static inline void
settle(pending *x) {
	if (unlikely(x->lo != 0)) {
		(void)check(x->lo, x->hi, x->pc, x->how, false);
		x->lo = 0;
	}
}

// stored is told of a store of n bytes at a that follows at once.
static inline void
stored(const volatile void *a, size_t n, uintptr_t pc, enum how how) {
	pending *x = pending_mine();
	settle(x);
	uintptr_t lo = alignDown((uintptr_t)a, PtrSize);
	uintptr_t hi = alignUp((uintptr_t)a + n, PtrSize);
	// Most stores go to the stack.
	if (likely(spanOf(lo) == NULL && !is_root(lo)) && hi - lo <= PtrSize) {
		return;
	}
	if (check(lo, hi, pc, how, true)) {
		x->hi = hi;
		x->pc = pc;
		x->how = how;
		x->lo = lo;
	}
}

GORT_API void gort_check_store(void **slot, void *val); // gort.h has it under GORT_CHECK only

// gort_check_store is gort_store in a checked program.  Since it knows better than the compiler
// which words the collector reads, it finds pointers that GORT_TYPE forgot.
void
gort_check_store(void **slot, void *val) {
	if (is_heap_pointer((uintptr_t)val) && word_kind((uintptr_t)slot) == heapNoSlot) {
		report((uintptr_t)__builtin_return_address(0), barrier, heapNoSlot);
	}
	gort_store_(slot, val);
}

// ---- the end ------------------------------------------------------------------------------------------

static struct place {
	char file[256];
	int line;
	const struct report *r;
} places[nelem(reports)];

static int
by_line(const void *a, const void *b) {
	const struct place *x = a, *y = b;
	int d = strcmp(x->file, y->file);
	return d != 0 ? d : x->line - y->line;
}

// finish prints what was found.  A destructor: when gort_run's exit runs it, the goroutines that are
// left still run.
__attribute__((destructor)) static void
finish(void) {
	for (uint32_t i = 0; i < min(atomic_Load(&npendings), (uint32_t)nelem(pendings)); i++) {
		settle(&pendings[i]);
	}
	size_t n = 0;
	for (size_t i = 0; i < nelem(reports); i++) {
		if (reports[i].pc == 0) {
			continue;
		}
		struct place *x = &places[n++];
		x->r = &reports[i];
		if (!funcline(x->r->pc - 1, x->file, sizeof(x->file), &x->line)) {
			(void)snprintf(x->file, sizeof(x->file), "%s+%#lx", objectname(x->r->pc),
				(unsigned long)x->r->pc);
			x->line = 0;
		}
	}
	if (n == 0) {
		return;
	}
	fflush(NULL);
	qsort(places, n, sizeof(places[0]), by_line);
	for (size_t i = 0; i < n; i++) {
		const struct report *r = places[i].r;
		char buf[128] = "";
		(void)funcnameFromPC(r->pc - 1, buf, sizeof(buf));
		const char *what =
			r->kind == heapNoSlot
				? "of a pointer to a word that the type of the object leaves out"
			: r->kind == rootMaybe ? "to a global without a write barrier"
					       : "to a heap object without a write barrier";
		fprintf(stderr, "gort-check: %s:%d: %s %s, in %s (%lu times)\n", places[i].file,
			places[i].line, hows[r->how], what, buf, (unsigned long)r->times);
	}
	fprintf(stderr, "gort-check: %zu places\n", n);
	_exit(exitStatus);
}

// ---- what compilers call ------------------------------------------------------------------------------

#define EXPORT __attribute__((visibility("default")))
#define PC ((uintptr_t)__builtin_return_address(0))
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wmissing-declarations"

EXPORT void
__tsan_init(void) {
}

EXPORT void
__tsan_func_entry(void *pc) {
}

EXPORT void
__tsan_func_exit(void) {
	settle(pending_mine());
}

EXPORT void
__tsan_vptr_read(void **p) {
}

EXPORT void
__tsan_vptr_update(void **p, void *val) {
}

EXPORT void
__tsan_read_range(void *p, size_t n) {
}

EXPORT void
__tsan_write_range(void *p, size_t n) {
	stored(p, n, PC, copied);
}

#define ACCESS(n)                                                 \
	EXPORT void __tsan_read##n(void *p) {                     \
	}                                                         \
	EXPORT void __tsan_unaligned_read##n(void *p) {           \
	}                                                         \
	EXPORT void __tsan_volatile_read##n(void *p) {            \
	}                                                         \
	EXPORT void __tsan_unaligned_volatile_read##n(void *p) {  \
	}                                                         \
	EXPORT void __tsan_write##n(void *p) {                    \
		stored(p, n, PC, plain);                          \
	}                                                         \
	EXPORT void __tsan_read_write##n(void *p) {               \
		stored(p, n, PC, plain);                          \
	}                                                         \
	EXPORT void __tsan_unaligned_write##n(void *p) {          \
		stored(p, n, PC, plain);                          \
	}                                                         \
	EXPORT void __tsan_unaligned_read_write##n(void *p) {     \
		stored(p, n, PC, plain);                          \
	}                                                         \
	EXPORT void __tsan_volatile_write##n(void *p) {           \
		stored(p, n, PC, plain);                          \
	}                                                         \
	EXPORT void __tsan_unaligned_volatile_write##n(void *p) { \
		stored(p, n, PC, plain);                          \
	}
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

// Atomic operations are calls and nothing else: they are done here.  All are sequentially
// consistent.
#define RMW(T, N, op)                                                           \
	EXPORT T __tsan_atomic##N##_fetch_##op(volatile T *p, T v, int order) { \
		stored(p, sizeof(T), PC, atomical);                             \
		return __atomic_fetch_##op(p, v, __ATOMIC_SEQ_CST);             \
	}
#define CAS(T, N, name)                                                        \
	EXPORT int __tsan_atomic##N##_compare_exchange_##name(                 \
		volatile T *p, T *old, T v, int order, int failorder) {        \
		stored(p, sizeof(T), PC, atomical);                            \
		return __atomic_compare_exchange_n(                            \
			p, old, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
	}
#define ATOMIC(T, N)                                                            \
	EXPORT T __tsan_atomic##N##_load(const volatile T *p, int order) {      \
		return __atomic_load_n(p, __ATOMIC_SEQ_CST);                    \
	}                                                                       \
	EXPORT void __tsan_atomic##N##_store(volatile T *p, T v, int order) {   \
		stored(p, sizeof(T), PC, atomical);                             \
		__atomic_store_n(p, v, __ATOMIC_SEQ_CST);                       \
	}                                                                       \
	EXPORT T __tsan_atomic##N##_exchange(volatile T *p, T v, int order) {   \
		stored(p, sizeof(T), PC, atomical);                             \
		return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);             \
	}                                                                       \
	RMW(T, N, add)                                                          \
	RMW(T, N, sub)                                                          \
	RMW(T, N, and)                                                          \
	RMW(T, N, or)                                                           \
	RMW(T, N, xor)                                                          \
	RMW(T, N, nand)                                                         \
	CAS(T, N, strong)                                                       \
	CAS(T, N, weak)                                                         \
	EXPORT T __tsan_atomic##N##_compare_exchange_val(                       \
		volatile T *p, T old, T v, int order, int failorder) {          \
		stored(p, sizeof(T), PC, atomical);                             \
		__atomic_compare_exchange_n(                                    \
			p, &old, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
		return old;                                                     \
	}
ATOMIC(uint8_t, 8)
ATOMIC(uint16_t, 16)
ATOMIC(uint32_t, 32)
ATOMIC(uint64_t, 64)

EXPORT void
__tsan_atomic_thread_fence(int order) {
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

EXPORT void
__tsan_atomic_signal_fence(int order) {
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

// The string functions are libc's: the linker's --wrap=memcpy sends the program's calls here first.
// Clang calls the __tsan_ forms for the copies that it makes itself.
void *__real_memcpy(void *dst, const void *src, size_t n);
void *__real_memmove(void *dst, const void *src, size_t n);
void *__real_memset(void *dst, int c, size_t n);
void __real_qsort(void *base, size_t n, size_t size, int (*cmp)(const void *, const void *));
int __real_gort_root_add(const void *start, size_t size);
int __real_gort_root_remove(const void *start);
int __real_gort_root_exclude(const void *start, size_t size);

#define STRINGFUNCS(prefix)                                                  \
	EXPORT void *prefix##memcpy(void *dst, const void *src, size_t n) {  \
		stored(dst, n, PC, memcopied);                               \
		return __real_memcpy(dst, src, n);                           \
	}                                                                    \
	EXPORT void *prefix##memmove(void *dst, const void *src, size_t n) { \
		stored(dst, n, PC, memmoved);                                \
		return __real_memmove(dst, src, n);                          \
	}                                                                    \
	EXPORT void *prefix##memset(void *dst, int c, size_t n) {            \
		stored(dst, n, PC, memsetted);                               \
		return __real_memset(dst, c, n);                             \
	}
STRINGFUNCS(__wrap_)
STRINGFUNCS(__tsan_)

EXPORT void
__wrap_qsort(void *base, size_t n, size_t size, int (*cmp)(const void *, const void *)) {
	stored(base, n * size, PC, sorted);
	__real_qsort(base, n, size, cmp);
}

static void
add_range(rootRange *t, size_t nt, uintptr_t base, uintptr_t limit) {
	for (size_t i = 0; i < nt; i++) {
		if (atomic_Load(&t[i].limit) == 0 && atomic_Cas(&t[i].limit, 0, limit)) {
			atomic_StoreRel(&t[i].base, base);
			return;
		}
	}
}

EXPORT int
__wrap_gort_root_add(const void *start, size_t size) {
	int err = __real_gort_root_add(start, size);
	if (err == 0) {
		add_range(added, nelem(added), (uintptr_t)start, (uintptr_t)start + size);
	}
	return err;
}

EXPORT int
__wrap_gort_root_remove(const void *start) {
	int err = __real_gort_root_remove(start);
	for (size_t i = 0; i < nelem(added) && err == 0; i++) {
		if (added[i].base == (uintptr_t)start && added[i].limit != 0) {
			atomic_StoreRel(&added[i].base, ~(uintptr_t)0);
			atomic_StoreRel(&added[i].limit, 0);
		}
	}
	return err;
}

EXPORT int
__wrap_gort_root_exclude(const void *start, size_t size) {
	int err = __real_gort_root_exclude(start, size);
	if (err == 0) {
		add_range(excluded, nelem(excluded), (uintptr_t)start, (uintptr_t)start + size);
	}
	return err;
}
