// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The clock of traces.  Ports tracetime.go of Go 1.26.8.
#include "sched/trace.h"

// A unit is 64 ns: finer is not worth the bytes.
enum { traceTimeDiv = 64 };

traceTime
traceClockNow(void) {
	return (traceTime)nanotime() / traceTimeDiv;
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
