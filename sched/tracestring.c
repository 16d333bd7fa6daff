// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Strings in traces.  Ports tracestring.go of Go 1.26.8.
#include "sched/trace.h"

struct writeString_args {
	traceStringTable *t;
	uintptr_t gen;
	uint64_t id;
	const char *s;
	uintptr_t n;
};

static void
writeString_1(void *a) {
	struct writeString_args *args = a;
	traceStringTable *t = args->t;
	uintptr_t n = min(args->n, (uintptr_t)MaxEventTrailerDataSize);

	lock(&t->lock);
	traceWriter w = unsafeTraceWriter(args->gen, t->buf);
	if (traceWriter_ensure(&w, (uint32_t)(2 + 2 * traceBytesPerNumber + n)))
		traceBuf_byte(w.buf, EvStrings);
	traceBuf_byte(w.buf, EvString);
	traceBuf_varint(w.buf, args->id);
	traceBuf_varint(w.buf, n);
	traceBuf_stringData(w.buf, args->s, n);
	t->buf = w.buf;
	unlock(&t->lock);
}

// writeString writes a string with its number.
static void
writeString(traceStringTable *t, uintptr_t gen, uint64_t id, const char *s, uintptr_t n) {
	struct writeString_args args = {t, gen, id, s, n};

	systemstack(writeString_1, &args);
}

// traceStringTable_put returns the number of a string, and writes it when it is new.
uint64_t
traceStringTable_put(traceStringTable *t, uintptr_t gen, const char *s) {
	uintptr_t n = strlen(s);
	bool added;

	// PORT: no more of it than is written: it need not fit into the table otherwise.
	n = min(n, (uintptr_t)MaxEventTrailerDataSize);
	uint64_t id = traceMap_put(&t->tab, s, n, &added);
	if (added)
		writeString(t, gen, id, s, n);
	return id;
}

// traceStringTable_emit writes a string that will hardly come again, and does not remember it.
uint64_t
traceStringTable_emit(traceStringTable *t, uintptr_t gen, const char *s) {
	uintptr_t n = strlen(s);

	if (n == 0)
		return 0;
	uint64_t id = traceMap_stealID(&t->tab);
	writeString(t, gen, id, s, n);
	return id;
}

// traceStringTable_reset writes out what is left and empties the table.
void
traceStringTable_reset(traceStringTable *t, uintptr_t gen) {
	if (t->buf != NULL) {
		trace_flushbuf(t->buf, gen);
		t->buf = NULL;
	}
	traceMap_reset(&t->tab);
}
