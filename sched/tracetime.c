// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The clock of traces.  Ports tracetime.go of Go 1.26.8.
//
// PORT: Go asks nanotime.  Most of what an event costs is that, and most of that is not the time stamp
// counter but the way to it.  Where the kernel itself trusts the counter, the clock is the counter,
// scaled to nanotime's units and set anew for each generation.
#include <cpuid.h>
#include <fcntl.h>

#include "runtime/os_linux.h"
#include "sched/trace.h"

// tscPair is the time stamp counter at a time.
typedef struct tscPair {
	uint64_t tsc;
	int64_t ns;
} tscPair;

static struct {
	bool usable;   // the kernel's clock is the counter
	tscPair first; // from which the rate is measured
	uint32_t busy; // atomic: traceClockSet is on
} tsc;

struct traceClock traceClock CACHE_ALIGNED;

// readpair looks at both clocks as close to each other as can be.
static tscPair
readpair(void) {
	tscPair best = {0};
	uint64_t width = ~(uint64_t)0;

	for (int i = 0; i < 5; i++) {
		uint64_t a = (uint64_t)cputicks();
		int64_t ns = nanotime();
		uint64_t b = (uint64_t)cputicks();
		if (b - a < width) {
			width = b - a;
			best = (tscPair){a + (b - a) / 2, ns};
		}
	}
	return best;
}

// traceClockInit finds out whether the counter will do.
void
traceClockInit(void) {
	unsigned a, b, c, d;
	char source[4] = {0};

	if (!__get_cpuid(0x80000007, &a, &b, &c, &d) || (d & 1 << 8) == 0)
		return;
	int32_t fd =
		runtime_open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
			O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (runtime_read(fd, source, 4) == 4 && memcmp(source, "tsc\n", 4) == 0) {
		tsc.usable = true;
		tsc.first = readpair();
	}
	runtime_closefd(fd);
}

static void
traceClockSet1(void) {
	enum { enough = 20 * 1000 * 1000 }; // ns: 100 ns too early or late are 5 in a million

	tscPair p = readpair();
	if (p.ns - tsc.first.ns < enough || p.tsc <= tsc.first.tsc)
		return;
	uint32_t cur = traceClock.cur + 1;
	if (cur == 0)
		cur = 2;
	uint32_t i = cur % 2;
	uint64_t mult = (uint64_t)(((unsigned __int128)(uint64_t)(p.ns - tsc.first.ns) << 32) /
				   (p.tsc - tsc.first.tsc));
	// Who sees any of these sees that cur has moved on since it was theirs.
	__atomic_thread_fence(__ATOMIC_RELEASE);
	atomic_StoreRelaxed(&traceClock.scale[i].tsc, p.tsc);
	atomic_StoreRelaxed(&traceClock.scale[i].ns, p.ns);
	atomic_StoreRelaxed(&traceClock.scale[i].mult, mult);
	atomic_Store(&traceClock.cur, cur);
	if (p.ns - tsc.first.ns > 50 * enough)
		tsc.first = p;
}

// traceClockSet measures the rate up to now, unless somebody else is about to.
void
traceClockSet(void) {
	if (!tsc.usable || !atomic_Cas(&tsc.busy, 0U, 1U))
		return;
	traceClockSet1();
	atomic_Store(&tsc.busy, 0U);
}

uint64_t
traceClockUnitsPerSecond(void) {
	return (uint64_t)(1.0 / (double)traceTimeDiv * 1e9);
}

// traceSyncBatch writes what relates the clock of a generation to others.
void
traceSyncBatch(uintptr_t gen, uint64_t frequency) {
	traceWriter w = unsafeTraceWriter(gen, NULL);

	traceWriter_ensure(&w, 3 + 5 * traceBytesPerNumber);
	traceBuf *b = w.buf;
	traceBuf_byte(b, EvSync);
	traceBuf_byte(b, EvFrequency);
	traceBuf_varint(b, frequency);

	// All clocks as close to each other as can be.
	int64_t wall = walltime();
	int64_t mono = nanotime();
	traceTime ts = traceClockNow();
	if (ts <= b->lastTime)
		ts = b->lastTime + 1;
	uint64_t diff = ts - b->lastTime;
	b->lastTime = ts;
	traceBuf_byte(b, EvClockSnapshot);
	traceBuf_varint(b, diff);
	traceBuf_varint(b, (uint64_t)mono);
	traceBuf_varint(b, (uint64_t)(wall / 1000000000));
	traceBuf_varint(b, (uint64_t)(wall % 1000000000));

	trace_flushbuf(b, gen);
}
