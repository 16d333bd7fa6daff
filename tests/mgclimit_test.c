// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The limiter's events; the limiter itself is proved by the vectors (lim.*).
#include <criterion/criterion.h>

#include "runtime/mgc.h"
#include "runtime/mgclimit.h"
#include "tests/support/support.h"

Test(LimiterEventStamp, Pack) {
	for (limiterEventType typ = limiterEventNone; typ <= limiterEventIdle; typ++) {
		limiterEventStamp s = makeLimiterEventStamp(typ, 123456789);
		cr_assert_eq(limiterEventStamp_typ(s), typ);
		cr_assert_eq(limiterEventStamp_duration(s, 123456789), 0);
		cr_assert_eq(limiterEventStamp_duration(s, 123456790), 1);
	}
	cr_assert_eq(makeLimiterEventStamp(limiterEventNone, 0), limiterEventStampNone);
}

Test(LimiterEventStamp, StaleNow) {
	limiterEventStamp s = makeLimiterEventStamp(limiterEventMarkAssist, 1000);
	cr_assert_eq(limiterEventStamp_duration(s, 999), 0);
}

// The stamp holds 61 bits of the time; the rest comes from now.
Test(LimiterEventStamp, TopBits) {
	int64_t edge = (int64_t)1 << (64 - limiterEventBits);
	limiterEventStamp s = makeLimiterEventStamp(limiterEventIdle, edge + 5);
	cr_assert_eq(limiterEventStamp_duration(s, edge + 12), 7);
	// started before the edge, asked after it: the time is lost, not wrong
	s = makeLimiterEventStamp(limiterEventIdle, edge - 5);
	cr_assert_eq(limiterEventStamp_duration(s, edge + 12), 0);
}

Test(LimiterEvent, StartStop) {
	limiterEvent e = {0};
	cr_assert(limiterEvent_start(&e, limiterEventMarkAssist, 100));
	// one event at a time
	cr_assert_not(limiterEvent_start(&e, limiterEventScavengeAssist, 110));
	limiterEvent_stop(&e, limiterEventMarkAssist, 150);
	cr_assert_eq(gcCPULimiter.assistTimePool, 50);
	cr_assert(limiterEvent_start(&e, limiterEventIdleMarkWork, 200));
	limiterEvent_stop(&e, limiterEventIdleMarkWork, 230);
	cr_assert_eq(gcCPULimiter.idleTimePool, 30);
	cr_assert_eq(sched.idleTime, 0);
	cr_assert(limiterEvent_start(&e, limiterEventIdle, 300));
	limiterEvent_stop(&e, limiterEventIdle, 311);
	cr_assert_eq(gcCPULimiter.idleTimePool, 41);
	cr_assert_eq(sched.idleTime, 11);
	cr_assert_eq(e.stamp, limiterEventStampNone);
}

// What consume has taken is not counted again by stop.
Test(LimiterEvent, Consume) {
	limiterEvent e = {0};
	int64_t duration = -1;
	cr_assert_eq(limiterEvent_consume(&e, 100, &duration), limiterEventNone);
	cr_assert_eq(duration, 0);
	cr_assert(limiterEvent_start(&e, limiterEventScavengeAssist, 100));
	cr_assert_eq(limiterEvent_consume(&e, 140, &duration), limiterEventScavengeAssist);
	cr_assert_eq(duration, 40);
	cr_assert_eq(limiterEvent_consume(&e, 140, &duration), limiterEventNone);
	cr_assert_eq(duration, 0);
	cr_assert_eq(limiterEvent_consume(&e, 120, &duration), limiterEventNone);
	limiterEvent_stop(&e, limiterEventScavengeAssist, 155);
	cr_assert_eq(gcCPULimiter.assistTimePool, 15);
}

// A P's event in flight is charged to the window of the update, and goes on.
static P onep CACHE_ALIGNED;
static void
inFlight(void) {
	static P *ps[1] = {&onep};
	P **oldallp = allp;
	int32_t oldn = nallp;
	gcCPULimiterState l = {0};
	M *mp = acquirem(); // allp is not ours
	allp = ps;
	nallp = 1;
	gcCPULimiterState_resetCapacity(&l, 0, 1);
	gcCPULimiterState_startGCTransition(&l, true, 0);
	gcCPULimiterState_finishGCTransition(&l, 0);
	CHECK(limiterEvent_start(&onep.limiterEvent, limiterEventMarkAssist, 0));
	gcCPULimiterState_update(&l, 1000);
	// 1000 ns of CPU time: 1000 of assist and 250 of background marking, so 1250 - (1000 - 1250)
	CHECK(l.bucket.fill == 1500);
	limiterEvent_stop(&onep.limiterEvent, limiterEventMarkAssist, 1000);
	CHECK(onep.limiterEvent.stamp == limiterEventStampNone);
	allp = oldallp;
	nallp = oldn;
	releasem(mp);
}

Test(GCCPULimiter, InFlight) {
	RUN(inFlight);
}
