// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Buffers of the tracer and what writes into them.  Ports tracebuf.go of Go 1.26.8.
//
// An M writes events into a buffer of its own, so that nobody else is in its way; only full buffers
// go through trace.lock.  A buffer is one batch: a header with the generation, the thread and the
// time, the length, which is filled in at the end, and events with times as differences.
#include "runtime/mem.h"
#include "runtime/mstats.h"
#include "sched/trace.h"

_Static_assert(sizeof(traceBuf) == MaxBatchSize, "a batch with its header must not be longer");

// unsafeTraceWriter returns a writer into a buffer that is no M's.  The caller sees to it that the
// generation does not end meanwhile.
traceWriter
unsafeTraceWriter(uintptr_t gen, traceBuf *buf) {
	return (traceWriter){.tl = {.gen = gen}, .buf = buf};
}

// traceWriter_event appends an event.
void
traceWriter_event(traceWriter *w, traceEv ev, const uint64_t *args, int n) {
	traceTime ts = traceClockNow();

	traceWriter_ensure(w, traceEventSize(n));
	traceBuf_event(w->buf, ts, ev, args, n);
}

static void
traceWriter_flush_1(void *a) {
	traceWriter *w = a;

	lock(&trace.lock);
	if (w->buf != NULL)
		traceBufFlush(w->buf, w->tl.gen);
	unlock(&trace.lock);
}

// traceWriter_flush hands the buffer to the reader.
void
traceWriter_flush(traceWriter *w) {
	systemstack(traceWriter_flush_1, w);
	w->buf = NULL;
}

static void
refill_1(void *a) {
	traceWriter *w = a;

	lock(&trace.lock);
	if (w->buf != NULL)
		traceBufFlush(w->buf, w->tl.gen);
	w->buf = trace.empty;
	if (w->buf != NULL)
		trace.empty = w->buf->link;
	unlock(&trace.lock);
	if (w->buf == NULL) {
		w->buf = sysAlloc(sizeof(traceBuf), &memstats.other_sys, "trace buffer");
		if (w->buf == NULL)
			throw("trace: out of memory");
	}
}

// traceWriter_refill gets an empty buffer and starts a batch in it.
COLD void
traceWriter_refill(traceWriter *w) {
	systemstack(refill_1, w);

	traceBuf *b = w->buf;
	traceTime ts = traceClockNow();
	if (ts <= b->lastTime)
		ts = b->lastTime + 1;
	b->lastTime = ts;
	b->link = NULL;
	b->pos = 0;

	// The thread id is right even without a P: a thread never changes it.
	uint64_t mID = ~(uint64_t)0;
	if (w->tl.mp != NULL)
		mID = w->tl.mp->procid;

	if (w->exp == NoExperiment) {
		traceBuf_byte(b, EvEventBatch);
	} else {
		traceBuf_byte(b, EvExperimentalBatch);
		traceBuf_byte(b, w->exp);
	}
	traceBuf_varint(b, w->tl.gen);
	traceBuf_varint(b, mID);
	traceBuf_varint(b, ts);
	b->lenPos = b->pos;
	b->pos += traceBytesPerNumber;
}

// traceLocker_expWriter is traceLocker_writer for an experiment, which has buffers of its own.
traceWriter
traceLocker_expWriter(traceLocker tl, int exp) {
	return (traceWriter){
		.tl = tl, .buf = tl.mp->trace.buf[tl.gen % 2][exp], .exp = (uint8_t)exp};
}

// unsafeTraceExpWriter is unsafeTraceWriter for an experiment.
traceWriter
unsafeTraceExpWriter(uintptr_t gen, traceBuf *buf, int exp) {
	return (traceWriter){.tl = {.gen = gen}, .buf = buf, .exp = (uint8_t)exp};
}

void
traceBufQueue_push(traceBufQueue *q, traceBuf *b) {
	b->link = NULL;
	if (q->head == NULL)
		q->head = b;
	else
		q->tail->link = b;
	q->tail = b;
}

traceBuf *
traceBufQueue_pop(traceBufQueue *q) {
	traceBuf *b = q->head;

	if (b == NULL)
		return NULL;
	q->head = b->link;
	if (q->head == NULL)
		q->tail = NULL;
	b->link = NULL;
	return b;
}

void
traceBuf_stringData(traceBuf *b, const char *s, uintptr_t n) {
	memcpy(b->arr + b->pos, s, n);
	b->pos += (uint32_t)n;
}

// traceBuf_varintAt writes v as exactly traceBytesPerNumber bytes at pos.
void
traceBuf_varintAt(traceBuf *b, uint32_t pos, uint64_t v) {
	for (int i = 0; i < traceBytesPerNumber; i++) {
		b->arr[pos++] = (uint8_t)(i < traceBytesPerNumber - 1 ? 0x80 | v : v);
		v >>= 7;
	}
	if (v != 0)
		throw("v could not fit in traceBytesPerNumber");
}

// traceBufFlush completes the batch and queues it for the reader.
void
traceBufFlush(traceBuf *b, uintptr_t gen) {
	assertLockHeld(&trace.lock);

	traceBuf_varintAt(b, b->lenPos, b->pos - (b->lenPos + traceBytesPerNumber));
	traceBufQueue_push(&trace.full[gen % 2], b);
	if (!atomic_Load(&trace.workAvailable))
		atomic_Store(&trace.workAvailable, true);
}

struct trace_flushbuf_args {
	traceBuf *b;
	uintptr_t gen;
};

static void
trace_flushbuf_1(void *a) {
	struct trace_flushbuf_args *args = a;

	lock(&trace.lock);
	traceBufFlush(args->b, args->gen);
	unlock(&trace.lock);
}

void
trace_flushbuf(traceBuf *b, uintptr_t gen) {
	struct trace_flushbuf_args args = {b, gen};

	systemstack(trace_flushbuf_1, &args);
}
