// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Atomic operations, named at the access and not in the type.
// Ports internal/runtime/atomic: the same names, the same orders.
//
// Every field that is accessed through these says "atomic" in its comment.  A plain access to
// such a field says that something else (a lock, a stopped world, sole ownership) orders it.
// Load and the read-modify-write operations are sequentially consistent as Go's are; on amd64
// Load costs a plain mov, Store an xchg, StoreRel a plain mov.
#ifndef GORT_RUNTIME_ATOMIC_H
#define GORT_RUNTIME_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#define atomic_Load(p) __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define atomic_LoadAcq(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define atomic_LoadRelaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define atomic_Store(p, v) __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)
#define atomic_StoreRel(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define atomic_StoreRelaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
// Xadd returns the new value, as Go's does.
#define atomic_Xadd(p, d) __atomic_add_fetch((p), (d), __ATOMIC_SEQ_CST)
// Xchg returns the old value.
#define atomic_Xchg(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
// And and Or return the old value.
#define atomic_And(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
#define atomic_Or(p, v) __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
// Cas reports whether *p was old and is now new_.
#define atomic_Cas(p, old, new_)                                                            \
	__extension__({                                                                     \
		__typeof__(*(p)) cas_old_ = (old);                                          \
		__atomic_compare_exchange_n(                                                \
			(p), &cas_old_, (new_), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
	})
#define atomic_CasRel(p, old, new_)                                                         \
	__extension__({                                                                     \
		__typeof__(*(p)) cas_old_ = (old);                                          \
		__atomic_compare_exchange_n(                                                \
			(p), &cas_old_, (new_), false, __ATOMIC_RELEASE, __ATOMIC_RELAXED); \
	})
// Float64: a double, in one piece.
static inline double
atomic_LoadFloat64(const double *p) {
	double v;
	__atomic_load(p, &v, __ATOMIC_SEQ_CST);
	return v;
}

static inline void
atomic_StoreFloat64(double *p, double v) {
	__atomic_store(p, &v, __ATOMIC_SEQ_CST);
}

#define atomic_Fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)

// publicationBarrier orders the initialisation of an object before the store that publishes it.
// A store-store barrier: on amd64 only the compiler has to be told.
#define publicationBarrier() __atomic_thread_fence(__ATOMIC_RELEASE)

#endif
