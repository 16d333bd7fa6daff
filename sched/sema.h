// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Semaphores on which goroutines sleep, and the wait list of Cond.  Ports sema.go of Go 1.26.8.
#ifndef GORT_SCHED_SEMA_H
#define GORT_SCHED_SEMA_H

#include "runtime/runtime.h"
#include "runtime/waitreason.h"

// semaRoot is a treap of sudogs with distinct addresses (elem); the others that wait on the same
// address hang on each through waitlink.
typedef struct semaRoot {
	mutex lock;
	sudog *treap;
	uint32_t nwait; // atomic: waiters; read without the lock
} semaRoot;

enum {
	semTabSize = 251, // a prime, so as not to go along with the program's strides
};

typedef union semTableEntry {
	semaRoot root;
	uint8_t pad[CacheLinePadSize];
} semTableEntry;

typedef struct semTable {
	CACHE_ALIGNED semTableEntry e[semTabSize];
} semTable;

extern semTable semtable;

static inline semaRoot *
semTable_rootFor(semTable *t, const uint32_t *addr) {
	return &t->e[((uintptr_t)addr >> 3) % semTabSize].root;
}

// semainit gives the locks of the table their ranks; called once by schedinit.
void semainit(void);

void semacquire(uint32_t *addr);
void semacquire1(uint32_t *addr, bool lifo, waitReason reason);
void semrelease(uint32_t *addr);
void semrelease1(uint32_t *addr, bool handoff);
bool cansemacquire(uint32_t *addr);
void semaRoot_queue(semaRoot *root, uint32_t *addr, sudog *s, bool lifo);
sudog *semaRoot_dequeue(semaRoot *root, uint32_t *addr);

void sync_runtime_Semacquire(uint32_t *addr);
void sync_runtime_Semrelease(uint32_t *addr, bool handoff);
void internal_sync_runtime_SemacquireMutex(uint32_t *addr, bool lifo);
void internal_sync_runtime_Semrelease(uint32_t *addr, bool handoff);
void sync_runtime_SemacquireRWMutexR(uint32_t *addr, bool lifo);
void sync_runtime_SemacquireRWMutex(uint32_t *addr, bool lifo);
void sync_runtime_SemacquireWaitGroup(uint32_t *addr);
void poll_runtime_Semacquire(uint32_t *addr);
void poll_runtime_Semrelease(uint32_t *addr);

// notifyList hands out tickets; who waits leaves in the order of the tickets.
typedef struct notifyList {
	uint32_t wait;   // atomic: next ticket
	uint32_t notify; // atomic: next ticket to be notified; written under lock
	mutex lock;
	sudog *head;
	sudog *tail;
} notifyList;

uint32_t notifyListAdd(notifyList *l);
void notifyListWait(notifyList *l, uint32_t t);
void notifyListNotifyAll(notifyList *l);
void notifyListNotifyOne(notifyList *l);

#endif
