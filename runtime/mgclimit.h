// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The GC CPU limiter and the events on a P that it counts.  Ports mgclimit.go.
// P embeds a limiterEvent, so this header uses nothing but the bottom one.
#ifndef GORT_RUNTIME_MGCLIMIT_H
#define GORT_RUNTIME_MGCLIMIT_H

#include "runtime/runtime.h"

// gcCPULimiterState is a leaky bucket that GC time fills and mutator time drains.  While it is
// full, assists are called off, so that the program always gets about half of the CPU time.
typedef struct gcCPULimiterState {
	uint32_t locked;    // atomic: 1 while somebody updates
	bool enabled;       // atomic: the bucket is full
	bool gcEnabled;     // a copy of gcBlackenEnabled
	bool transitioning; // between startGCTransition and finishGCTransition
	bool test;          // look at no P
	struct {
		uint64_t fill; // <= capacity
		uint64_t capacity;
	} bucket;
	uint64_t overflow;         // GC time that found the bucket full, cumulative
	int64_t assistTimePool;    // atomic: assist time since the last update
	int64_t idleTimePool;      // atomic: time of idle Ps since the last update
	int64_t lastUpdate;        // atomic: nanotime of the last update; written under the lock
	uint32_t lastEnabledCycle; // atomic: the GC cycle in which it was last enabled
	int32_t nprocs;            // a copy of gomaxprocs
} gcCPULimiterState;

extern gcCPULimiterState gcCPULimiter;

enum {
	gcCPULimiterUpdatePeriod = 10000000, // ns
	capacityPerProc = 1000000000,        // ns
};

bool gcCPULimiterState_limiting(gcCPULimiterState *l);
void gcCPULimiterState_startGCTransition(gcCPULimiterState *l, bool enableGC, int64_t now);
void gcCPULimiterState_finishGCTransition(gcCPULimiterState *l, int64_t now);
bool gcCPULimiterState_needUpdate(gcCPULimiterState *l, int64_t now);
void gcCPULimiterState_addAssistTime(gcCPULimiterState *l, int64_t t);
void gcCPULimiterState_addIdleTime(gcCPULimiterState *l, int64_t t);
void gcCPULimiterState_update(gcCPULimiterState *l, int64_t now);
void gcCPULimiterState_resetCapacity(gcCPULimiterState *l, int64_t now, int32_t nprocs);

// limiterEventType is what a P does that the limiter counts.
typedef uint8_t limiterEventType;
enum {
	limiterEventNone = 0,
	limiterEventIdleMarkWork = 1,   // an idle mark worker
	limiterEventMarkAssist = 2,     // gcAssistAlloc
	limiterEventScavengeAssist = 3, // allocSpan
	limiterEventIdle = 4,           // on the list of idle Ps

	limiterEventBits = 3,
};

// limiterEventStamp is a nanotime whose top limiterEventBits bits are a limiterEventType.
typedef uint64_t limiterEventStamp;

#define limiterEventTypeMask ((uint64_t)((1 << limiterEventBits) - 1) << (64 - limiterEventBits))
#define limiterEventStampNone ((limiterEventStamp)0)

limiterEventStamp makeLimiterEventStamp(limiterEventType typ, int64_t now);
int64_t limiterEventStamp_duration(limiterEventStamp s, int64_t now);
limiterEventType limiterEventStamp_typ(limiterEventStamp s);

// limiterEvent is the event in flight on a P, if any.
typedef struct limiterEvent {
	uint64_t stamp; // atomic: a limiterEventStamp
} limiterEvent;

bool limiterEvent_start(limiterEvent *e, limiterEventType typ, int64_t now);
limiterEventType limiterEvent_consume(limiterEvent *e, int64_t now, int64_t *duration);
void limiterEvent_stop(limiterEvent *e, limiterEventType typ, int64_t now);

#endif
