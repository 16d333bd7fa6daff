// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// sync.Pool.  Ports sync/pool.go and sync/poolqueue.go of Go 1.26.8.
//
// Each P has one object to itself and a chain of lock-free rings, of which it pushes and pops one
// end while others steal from the other end.  At the start of a collection (poolCleanup) what the
// pools hold becomes the victims and the victims of the cycle before are dropped: an object that is
// used now and then survives, a burst is gone after two cycles.
//
// PORT: a slot is one pointer; NULL is empty, and nobody can put NULL.  Go has two slices of pools,
// those with locals and those with victims; here the pools of either kind are linked in one list.
#include "sched/sync_pool.h"

#include "runtime/malloc.h"
#include "runtime/mbarrier.h"
#include "runtime/panic.h"
#include "sched/proc.h"
#include "sched/runtime2.h"
#include "sched/sync_mutex.h"

// ---- poolDequeue ----------------------------------------------------------------------------------

static const uint8_t poolChainEltPtrs[8] = {1 << offsetof(poolChainElt, dq.vals) / PtrSize |
					    1 << offsetof(poolChainElt, next) / PtrSize |
					    1 << offsetof(poolChainElt, prev) / PtrSize};
const struct gort_type poolChainEltType = {sizeof(poolChainElt),
	offsetof(poolChainElt, prev) + PtrSize, poolChainEltPtrs, "sync.poolChainElt"};

static const uint8_t poolLocalPtrs[8] = {7};
static const struct gort_type poolLocalType = {
	sizeof(poolLocal), 3 * PtrSize, poolLocalPtrs, "sync.poolLocal"};
_Static_assert(offsetof(poolLocal, private_) == 0 && offsetof(poolLocal, shared.head) == 8 &&
		       offsetof(poolLocal, shared.tail) == 16 && sizeof(poolLocal) == 128,
	"pointer mask of poolLocal");

// shadeOnly tells the collector of a pointer that leaves or enters a slot by an atomic operation.
static ALWAYS_INLINE void
shadeOnly(void *p) {
	if (unlikely(atomic_LoadRelaxed(&gort_writeBarrier) != 0)) {
		void *slot = NULL;

		gort_wb_slow(&slot, p);
	}
}

static ALWAYS_INLINE uint64_t
poolDequeue_pack(uint32_t head, uint32_t tail) {
	return (uint64_t)head << dequeueBits | tail;
}

// poolDequeue_pushHead adds val, and returns false if the ring is full.  Producer only.
bool
poolDequeue_pushHead(poolDequeue *d, void *val) {
	uint64_t ptrs = atomic_Load(&d->headTail);
	uint32_t head = (uint32_t)(ptrs >> dequeueBits);
	uint32_t tail = (uint32_t)ptrs;
	void **slot;

	if (tail + (uint32_t)d->nvals == head)
		return false;
	slot = &d->vals[head & (d->nvals - 1)];
	// A consumer that has moved the tail past the slot may not have emptied it yet.
	if (__atomic_load_n(slot, __ATOMIC_ACQUIRE) != NULL)
		return false;
	wbstore(slot, val);
	// the slot is the consumers' now; orders the store above
	atomic_Xadd(&d->headTail, 1ull << dequeueBits);
	return true;
}

// poolDequeue_popHead takes the newest, or returns NULL.  Producer only.
void *
poolDequeue_popHead(poolDequeue *d) {
	void **slot;
	void *val;

	for (;;) {
		uint64_t ptrs = atomic_Load(&d->headTail);
		uint32_t head = (uint32_t)(ptrs >> dequeueBits);
		uint32_t tail = (uint32_t)ptrs;

		if (tail == head)
			return NULL;
		// Take the slot back before its value is read.
		head--;
		if (atomic_Cas(&d->headTail, ptrs, poolDequeue_pack(head, tail))) {
			slot = &d->vals[head & (d->nvals - 1)];
			break;
		}
	}
	val = atomic_LoadRelaxed(slot);
	wbstore(slot, NULL);
	return val;
}

// poolDequeue_popTail takes the oldest, or returns NULL.  Anybody.
void *
poolDequeue_popTail(poolDequeue *d) {
	void **slot;
	void *val;

	for (;;) {
		uint64_t ptrs = atomic_Load(&d->headTail);
		uint32_t head = (uint32_t)(ptrs >> dequeueBits);
		uint32_t tail = (uint32_t)ptrs;

		if (tail == head)
			return NULL;
		// The Cas also proves that head and tail were read at one moment.
		if (atomic_Cas(&d->headTail, ptrs, poolDequeue_pack(head, tail + 1))) {
			slot = &d->vals[tail & (d->nvals - 1)];
			break;
		}
	}
	val = atomic_LoadRelaxed(slot);
	shadeOnly(val);
	// From this one store on the slot is the producer's.
	atomic_StoreRel(slot, NULL);
	return val;
}

// ---- poolChain --------------------------------------------------------------------------------------

static poolChainElt *
newPoolChainElt(uint64_t n) {
	poolChainElt *d = mallocgc(sizeof(poolChainElt), &poolChainEltType, true);

	wbstore(&d->dq.vals, mallocgc(n * PtrSize, &gort_type_pointer, true));
	d->dq.nvals = n;
	return d;
}

// publishElt stores d, which is complete, where others look for it.
static void
publishElt(poolChainElt **slot, poolChainElt *d) {
	atomicwb((void **)slot, d);
	atomic_StoreRel(slot, d);
}

// poolChain_pushHead adds val.  Producer only.
void
poolChain_pushHead(poolChain *c, void *val) {
	enum { initSize = 8 };
	poolChainElt *d = c->head;
	poolChainElt *d2;
	uint64_t newSize;

	if (d == NULL) {
		d = newPoolChainElt(initSize);
		wbstore(&c->head, d);
		publishElt(&c->tail, d);
	}
	if (poolDequeue_pushHead(&d->dq, val))
		return;

	// full: one of twice the size
	newSize = min(d->dq.nvals * 2, (uint64_t)dequeueLimit);
	d2 = newPoolChainElt(newSize);
	wbstore(&d2->prev, d);
	wbstore(&c->head, d2);
	publishElt(&d->next, d2);
	poolDequeue_pushHead(&d2->dq, val);
}

// poolChain_popHead takes the newest, or returns NULL.  Producer only.
void *
poolChain_popHead(poolChain *c) {
	for (poolChainElt *d = c->head; d != NULL; d = atomic_Load(&d->prev)) {
		void *val = poolDequeue_popHead(&d->dq);

		if (val != NULL)
			return val;
	}
	return NULL;
}

// poolChain_popTail takes the oldest, or returns NULL.  Anybody.
void *
poolChain_popTail(poolChain *c) {
	poolChainElt *d = atomic_Load(&c->tail);

	if (d == NULL)
		return NULL;
	for (;;) {
		// Before the pop: if there is a next ring and then the pop fails, d is empty for good, as
		// pushes go to the newest ring, and may be dropped.
		poolChainElt *d2 = atomic_Load(&d->next);
		void *val = poolDequeue_popTail(&d->dq);

		if (val != NULL)
			return val;
		if (d2 == NULL)
			return NULL;
		shadeOnly(d);
		shadeOnly(d2);
		if (atomic_Cas(&c->tail, d, d2)) {
			// d is garbage now, and popHead need not look at it
			shadeOnly(atomic_Load(&d2->prev));
			atomic_Store(&d2->prev, (poolChainElt *)NULL);
		}
		d = d2;
	}
}

// ---- Pool -----------------------------------------------------------------------------------------

static Mutex allPoolsMu;
// Pools with something in local or victim, by link; a pool that is not in the list has link NULL.
// Grows under allPoolsMu while pinned, shrinks with the world stopped.
static Pool endOfPools;
static Pool *allPools = &endOfPools;

// pin keeps the goroutine on its P, and so collections away, until unpin.  It returns the P's id.
static ALWAYS_INLINE int32_t
pin(void) {
	M *mp = getg()->m;

	mp->locks++;
	return mp->p->id;
}

static ALWAYS_INLINE void
unpin(void) {
	getg()->m->locks--;
}

// Pool_pinSlow makes the locals.  On entry and return the goroutine is pinned.
static NOINLINE poolLocal *
Pool_pinSlow(Pool *p, int32_t *pid) {
	poolLocal *local;
	uintptr_t size;

	// A goroutine must not wait for a Mutex while it is pinned.
	unpin();
	Mutex_Lock(&allPoolsMu);
	*pid = pin();
	if ((uintptr_t)*pid < p->localSize) {
		local = p->local;
		goto out;
	}
	if (p->link == NULL) {
		wbstore(&p->link, allPools);
		publicationBarrier();
		wbstore(&allPools, p);
	}
	// If GOMAXPROCS has changed since the last collection, what the old locals hold is lost.
	size = (uintptr_t)gomaxprocs;
	local = mallocgc(size * sizeof(poolLocal), &poolLocalType, true);
	publicationBarrier();
	wbstore(&p->local, local);
	atomic_StoreRel(&p->localSize, size);
out:
	Mutex_Unlock(&allPoolsMu);
	return &local[*pid];
}

// Pool_here returns the part of the pool that belongs to P pid, or NULL if there is none yet.
static ALWAYS_INLINE poolLocal *
Pool_here(Pool *p, int32_t pid) {
	// localSize first: pinSlow writes it last, and the size of what local is by then is no less.
	uintptr_t s = atomic_LoadAcq(&p->localSize);

	if (likely((uintptr_t)pid < s))
		return &((poolLocal *)atomic_LoadRelaxed(&p->local))[pid];
	return NULL;
}

// Pool_pin pins the goroutine and returns the part of the pool of its P.
static poolLocal *
Pool_pin(Pool *p, int32_t *pid) {
	poolLocal *l;

	// before it is pinned, when a fault could not become a panic
	if (p == NULL)
		gopanic("nil Pool");
	*pid = pin();
	l = Pool_here(p, *pid);
	return l != NULL ? l : Pool_pinSlow(p, pid);
}

static NOINLINE void
Pool_putPinned(Pool *p, void *x) {
	int32_t pid;
	poolLocal *l = Pool_pin(p, &pid);

	if (l->private_ == NULL)
		wbstore(&l->private_, x);
	else
		poolChain_pushHead(&l->shared, x);
	unpin();
}

// Pool_Put adds x, an object of the GC heap, to the pool; NULL is ignored.
//
// PORT: while nothing is called that could park there is no need to pin: a goroutine in the runtime's
// text is neither stopped nor moved.
void
Pool_Put(Pool *p, void *x) {
	poolLocal *l;

	if (x == NULL)
		return;
	if (likely(p != NULL)) {
		l = Pool_here(p, getg()->m->p->id);
		if (likely(l != NULL && l->private_ == NULL)) {
			wbstore(&l->private_, x);
			return;
		}
	}
	Pool_putPinned(p, x);
}

// Pool_getSlow looks at the other Ps' parts and then at the victims.
static NOINLINE void *
Pool_getSlow(Pool *p, int32_t pid) {
	uintptr_t size = atomic_LoadAcq(&p->localSize);
	poolLocal *locals = p->local;
	poolLocal *l;
	void *x;

	for (uintptr_t i = 0; i < size; i++) {
		x = poolChain_popTail(&locals[((uintptr_t)pid + i + 1) % size].shared);
		if (x != NULL)
			return x;
	}

	// Victims come last so that they age out if at all possible.
	size = atomic_Load(&p->victimSize);
	if ((uintptr_t)pid >= size)
		return NULL;
	locals = p->victim;
	l = &locals[pid];
	x = l->private_;
	if (x != NULL) {
		wbstore(&l->private_, NULL);
		return x;
	}
	for (uintptr_t i = 0; i < size; i++) {
		x = poolChain_popTail(&locals[((uintptr_t)pid + i) % size].shared);
		if (x != NULL)
			return x;
	}
	// nothing there: spare the next ones the search
	atomic_Store(&p->victimSize, (uintptr_t)0);
	return NULL;
}

static NOINLINE void *
Pool_getPinned(Pool *p) {
	int32_t pid;
	poolLocal *l = Pool_pin(p, &pid);
	void *x = l->private_;

	if (x != NULL) {
		wbstore(&l->private_, NULL);
	} else {
		// the newest of ours first: it is still in the cache
		x = poolChain_popHead(&l->shared);
		if (x == NULL)
			x = Pool_getSlow(p, pid);
	}
	unpin();
	if (x == NULL && p->New != NULL)
		x = p->New();
	return x;
}

// Pool_Get takes some object out of the pool, or makes one if there is New, or returns NULL.
void *
Pool_Get(Pool *p) {
	if (likely(p != NULL)) {
		poolLocal *l = Pool_here(p, getg()->m->p->id);

		if (likely(l != NULL)) {
			void *x = l->private_;

			if (likely(x != NULL)) {
				wbstore(&l->private_, NULL);
				return x;
			}
		}
	}
	return Pool_getPinned(p);
}

// poolCleanup ages all pools.  The world is stopped, nobody is pinned, and no barrier is on.
void
poolCleanup(void) {
	Pool **pp = &allPools;

	while (*pp != &endOfPools) {
		Pool *p = *pp;

		p->victim = p->local;
		p->victimSize = p->localSize;
		p->local = NULL;
		p->localSize = 0;
		if (p->victim == NULL) {
			*pp = p->link;
			p->link = NULL;
		} else {
			pp = &p->link;
		}
	}
}

// poolscan shows the collector what the list of pools leads to.  A pool that is used for the first
// time meanwhile shades itself and its locals.
void
poolscan(void (*f)(void *arg, void *p), void *arg) {
	for (Pool *p = __atomic_load_n(&allPools, __ATOMIC_ACQUIRE); p != &endOfPools;
		p = p->link) {
		f(arg, p);
		f(arg, atomic_Load(&p->local));
		f(arg, atomic_Load(&p->victim));
	}
}

// ---- gort.h ---------------------------------------------------------------------------------------

_Static_assert(sizeof(gort_pool) == sizeof(Pool) &&
		       offsetof(gort_pool, New) == offsetof(Pool, New) &&
		       offsetof(gort_pool, link) == offsetof(Pool, link),
	"gort_pool is Pool");

void *
gort_pool_get(gort_pool *p) {
	needg();
	return Pool_Get((Pool *)p);
}

void
gort_pool_put(gort_pool *p, void *x) {
	needg();
	Pool_Put((Pool *)p, x);
}
