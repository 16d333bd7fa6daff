// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// sync.Pool: a cache of free objects per P, emptied over two collections.
// Ports sync/pool.go and sync/poolqueue.go of Go 1.26.8.
#ifndef GORT_SCHED_SYNC_POOL_H
#define GORT_SCHED_SYNC_POOL_H

#include "runtime/runtime.h"

// poolDequeue is a lock-free ring with one producer, who pushes and pops at the head, and many
// consumers, who pop at the tail.  A slot belongs to the consumers while it is in [tail, head) and
// until it has been zeroed.
typedef struct poolDequeue {
	uint64_t headTail; // atomic: head << 32 | tail
	void **vals;       // GC pointer: slots, atomic; NULL is empty
	uint64_t nvals;    // a power of 2
} poolDequeue;

typedef struct poolChainElt {
	poolDequeue dq;
	struct poolChainElt *next; // atomic: written by the producer, NULL -> not NULL
	struct poolChainElt *prev; // atomic: written by consumers, not NULL -> NULL
} poolChainElt;

// poolChain is a list of poolDequeues, each twice as large as the one before.
typedef struct poolChain {
	poolChainElt *head; // to push to; of the producer
	poolChainElt *tail; // atomic: to pop from
} poolChain;

enum {
	dequeueBits = 32,
	dequeueLimit = 1 << 30,
};

bool poolDequeue_pushHead(poolDequeue *d, void *val);
void *poolDequeue_popHead(poolDequeue *d);
void *poolDequeue_popTail(poolDequeue *d);
void poolChain_pushHead(poolChain *c, void *val);
void *poolChain_popHead(poolChain *c);
void *poolChain_popTail(poolChain *c);
extern const struct gort_type poolChainEltType;

typedef struct poolLocal {
	void *private_; // of this P alone
	poolChain shared;
	uint8_t pad[128 - 3 * PtrSize];
} poolLocal;

// Pool is the user's object and may be anywhere (global, GC heap, malloc).
// local and victim point to GC objects, which poolscan shows to the collector.
typedef struct Pool Pool;
struct Pool {
	poolLocal *local;     // atomic: one poolLocal for each P
	uintptr_t localSize;  // atomic
	poolLocal *victim;    // local of the cycle before
	uintptr_t victimSize; // atomic
	void *(*New)(void);   // makes an object when Get finds none; may be NULL
	Pool *link;           // in the list of pools that hold something, or NULL
};

void *Pool_Get(Pool *p);
void Pool_Put(Pool *p, void *x);

// poolCleanup is called by clearpools (mgc.c) with the world stopped at the start of a
// collection: what is still in the victim caches is dropped, the caches become victims.
void poolCleanup(void);

// poolscan calls f(arg, p) for each GC pointer that the lists of pools hold: a root job.
void poolscan(void (*f)(void *arg, void *p), void *arg);

#endif
