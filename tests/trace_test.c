// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The tracer from the inside: its tables, its calls.  That Go's tools accept what it writes is for
// trace.sh.
#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "runtime/runtime.h"
#include "sched/proc.h"
#include "sched/trace.h"

// ---- traceMap, after trace2map_test.go ----------------------------------------------------------------

static void
map_user(traceMap *tab, uint64_t *ids, gort_waitgroup *wg) {
	for (uint64_t i = 0; i < 512; i++) {
		uint64_t data[4] = {i, i * i, ~i, 3};
		bool added;
		ids[i] = traceMap_put(tab, data, 8 + i % 4 * 8, &added);
	}
	gort_waitgroup_done(wg);
}

static void
tracemap(void) {
	static traceMap tab;
	static uint64_t ids[4][512];
	gort_waitgroup wg = {0};

	gort_waitgroup_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		gort_go(map_user, &tab, ids[i], &wg);
	gort_waitgroup_wait(&wg);

	bool seen[4 * 512 + 1] = {false};
	for (int i = 0; i < 512; i++) {
		uint64_t id = ids[0][i];
		CHECK(id != 0 && id <= 4 * 512 && !seen[id]);
		if (id <= 4 * 512)
			seen[id] = true;
		for (int j = 1; j < 4; j++)
			CHECK(ids[j][i] == id);
	}
	bool added;
	CHECK(traceMap_put(&tab, "", 0, &added) == 0 && !added);
	traceMap_reset(&tab);
	CHECK(traceMap_put(&tab, "x", 1, &added) == 1 && added);
	traceMap_reset(&tab);
}

Test(traceMap, TraceMap) {
	RUN(tracemap);
}

static void
varints(void) {
	static traceBuf b;
	static const uint64_t vals[] = {0, 1, 127, 128, 300, 1 << 21, ~(uint64_t)0};

	for (size_t i = 0; i < nelem(vals); i++)
		traceBuf_varint(&b, vals[i]);
	uint32_t pos = 0;
	for (size_t i = 0; i < nelem(vals); i++) {
		uint64_t v = 0;
		for (int shift = 0;; shift += 7) {
			v |= (uint64_t)(b.arr[pos] & 0x7f) << shift;
			if (b.arr[pos++] < 0x80)
				break;
		}
		CHECK(v == vals[i]);
	}
	CHECK(pos == b.pos);
	traceBuf_varintAt(&b, 0, 5);
	CHECK(b.arr[0] == 0x85 && b.arr[8] == 0x80 && b.arr[9] == 0);
}

Test(traceBuf, Varint) {
	RUN(varints);
}

// ---- the API ------------------------------------------------------------------------------------------

typedef struct collector {
	uint8_t data[1 << 20];
	size_t n;
	int fail; // what write returns
} collector;

static int
collect(void *ctx, const void *p, size_t n) {
	collector *c = ctx;

	if (n > sizeof c->data - c->n)
		n = sizeof c->data - c->n;
	memcpy(c->data + c->n, p, n);
	c->n += n;
	return c->fail;
}

static bool
contains(const collector *c, const char *s) {
	return memmem(c->data, c->n, s, strlen(s)) != NULL;
}

static void
traced(gort_chan(int) c) {
	gort_chan_send(c, 1);
}

static collector col, col2;

static void
startstop(void) {
	CHECK(gort_trace_stop() == 0);
	CHECK(!gort_trace_enabled());
	CHECK(gort_trace_start(-1) == -EBADF);
	CHECK(gort_trace_start_writer(collect, &col) == 0);
	CHECK(gort_trace_enabled());
	CHECK(gort_trace_start_writer(collect, &col) == -EBUSY);

	gort_chan(int) c = gort_chan_make(int, 0);
	uint64_t task = gort_trace_task_begin(0, "a task");
	{
		gort_trace_region(task, "a region");
		gort_go(traced, c);
		CHECK(gort_chan_recv(c) == 1);
		gort_trace_log(task, "a key", "a message");
	}
	gort_trace_task_end(task);
	gort_gc();

	CHECK(gort_trace_stop() == 0);
	CHECK(!gort_trace_enabled());
	CHECK(col.n > 100 && memcmp(col.data, "go 1.26 trace\0\0", 16) == 0);
	CHECK(col.data[col.n - 1] == EvEndOfGeneration);
	CHECK(contains(&col, "a task") && contains(&col, "a region"));
	CHECK(contains(&col, "a key") && contains(&col, "a message"));
	CHECK(contains(&col, "chan receive") && contains(&col, "runtime.chanrecv1"));
	CHECK(contains(&col, ".traced"));
	CHECK(contains(&col, "GC sweep termination"));
}

Test(Trace, StartStop) {
	RUN(startstop);
}

// What is said while nobody listens costs nothing and says nothing.
static void
off(void) {
	uint64_t a = gort_trace_task_begin(0, "nobody");
	uint64_t b = gort_trace_task_begin(a, "nobody");
	CHECK(b == a + 1);
	gort_trace_region_begin(a, "r");
	gort_trace_log(a, "k", "v");
	gort_trace_region_end(a, "r");
	gort_trace_task_end(a);
	for (int i = 0; i < 2; i++) {
		for (int exp = 0; exp < NumExperiments; exp++)
			CHECK(getg()->m->trace.buf[i][exp] == NULL);
	}
}

Test(Trace, Off) {
	RUN(off);
}

static void
sweepwithoutp_1(void *a) {
	(void)a;
	P *pp = releasepNoTrace();
	traceLocker tl = traceAcquire();
	CHECK(traceLocker_ok(tl));
	traceLocker_GCSweepSpan(tl, pageSize);
	traceRelease(tl);
	acquirepNoTrace(pp);
}

// Who hands a P over may sweep for it.
static void
sweepwithoutp(void) {
	static collector c;

	CHECK(gort_trace_start_writer(collect, &c) == 0);
	systemstack(sweepwithoutp_1, NULL);
	CHECK(gort_trace_stop() == 0);
}

Test(Trace, SweepWithoutP) {
	RUN(sweepwithoutp);
}

static void
writeerror(void) {
	static collector c = {.fail = -ENOSPC};

	CHECK(gort_trace_start_writer(collect, &c) == 0);
	CHECK(gort_trace_stop() == -ENOSPC);
	c.fail = 0;
	CHECK(gort_trace_start_writer(collect, &c) == 0);
	CHECK(gort_trace_stop() == 0);
}

Test(Trace, WriteError) {
	RUN(writeerror);
}

static int
writer_calls(void *ctx, const void *data, size_t n) {
	(void)data;
	(void)n;
	int *calls = ctx;
	if ((*calls)++ == 0) {
		CHECK(gort_trace_start(1) == -EDEADLK);
		CHECK(gort_trace_stop() == -EDEADLK);
		CHECK(gort_trace_flight_start(0, 0) == -EDEADLK);
		CHECK(gort_trace_snapshot(1) == -EDEADLK);
		CHECK(gort_trace_flight_stop() == -EDEADLK);
	}
	return 0;
}

static void
fromwriter(void) {
	static int calls;

	CHECK(gort_trace_start_writer(writer_calls, &calls) == 0);
	CHECK(gort_trace_stop() == 0);
	CHECK(calls > 1);
}

Test(Trace, CallsFromWriter) {
	RUN(fromwriter);
}

// generations counts them in a trace.
static int
generations(const uint8_t *data, size_t size) {
	int n = 0;

	for (size_t i = 16; i < size;) {
		if (data[i] == EvEndOfGeneration) {
			n++;
			i++;
			continue;
		}
		i += data[i] == EvExperimentalBatch ? 2 : 1;
		uint64_t v = 0;
		for (int k = 0; k < 4; k++) { // generation, thread, time, length
			v = 0;
			for (int shift = 0;; shift += 7) {
				v |= (uint64_t)(data[i] & 0x7f) << shift;
				if (data[i++] < 0x80)
					break;
			}
		}
		i += v;
	}
	return n;
}

// Two who want the trace, one after the other.
static void
flight(void) {
	FILE *f = tmpfile();

	CHECK(gort_trace_snapshot(fileno(f)) == -EINVAL);
	CHECK(gort_trace_flight_start(0, 0) == 0);
	CHECK(gort_trace_flight_start(0, 0) == -EBUSY);
	gort_trace_log(0, "k", "before");
	CHECK(gort_trace_start_writer(collect, &col2) == 0);
	gort_trace_log(0, "k", "both");
	CHECK(gort_trace_stop() == 0);
	CHECK(gort_trace_enabled());
	gort_trace_log(0, "k", "after");
	CHECK(gort_trace_snapshot(fileno(f)) == 0);
	CHECK(gort_trace_flight_stop() == 0);
	CHECK(!gort_trace_enabled());

	CHECK(memcmp(col2.data, "go 1.26 trace\0\0", 16) == 0);
	CHECK(contains(&col2, "both") && !contains(&col2, "before"));
	CHECK(generations(col2.data, col2.n) >= 1);
	memset(&col2, 0, sizeof col2);
	rewind(f);
	col2.n = fread(col2.data, 1, sizeof col2.data, f);
	CHECK(memcmp(col2.data, "go 1.26 trace\0\0", 16) == 0);
	CHECK(contains(&col2, "both") && contains(&col2, "before") && contains(&col2, "after"));
	CHECK(generations(col2.data, col2.n) >= 3);
	fclose(f);
}

Test(Trace, FlightRecorder) {
	RUN(flight);
}

// Without room the recorder keeps the last generation only.
static void
flightsmall(void) {
	FILE *f = tmpfile();

	CHECK(gort_trace_flight_start(1, 1) == 0);
	gort_trace_log(0, "k", "long ago");
	for (int i = 0; i < 3; i++)
		traceAdvance(false);
	gort_trace_log(0, "k", "just now");
	CHECK(gort_trace_snapshot(fileno(f)) == 0);
	CHECK(gort_trace_flight_stop() == 0);
	memset(&col2, 0, sizeof col2);
	rewind(f);
	col2.n = fread(col2.data, 1, sizeof col2.data, f);
	CHECK(!contains(&col2, "long ago"));
	CHECK(generations(col2.data, col2.n) == 1);
	fclose(f);
}

Test(Trace, FlightRecorderSmall) {
	RUN(flightsmall);
}

// A long memory: nothing is lost for the number of its generations.
static void
flightlong(void) {
	enum { n = 600 };
	FILE *f = tmpfile();

	CHECK(gort_trace_flight_start(INT64_C(3600) * 1000000000, (size_t)1 << 30) == 0);
	gort_trace_log(0, "k", "long ago");
	for (int i = 0; i < n; i++)
		traceAdvance(false);
	CHECK(gort_trace_snapshot(fileno(f)) == 0);
	CHECK(gort_trace_flight_stop() == 0);

	// However large: each generation names its stacks and strings again.
	struct stat st;
	CHECK(fstat(fileno(f), &st) == 0);
	const uint8_t *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fileno(f), 0);
	CHECK(data != MAP_FAILED);
	CHECK(memmem(data, (size_t)st.st_size, "long ago", 8) != NULL);
	CHECK(generations(data, (size_t)st.st_size) > n);
	fclose(f);
}

Test(Trace, FlightRecorderLong) {
	RUN(flightlong);
}
