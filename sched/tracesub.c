// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Traces for the program: start and stop, tasks, regions and logs, the flight recorder.  Ports package
// runtime/trace of Go 1.26.8: annotation.go, subscribe.go, recorder.go and flightrecorder.go.
//
// There is one trace, and up to two who want it: a writer and the flight recorder.  A goroutine reads
// it as long as there is anybody.  Who comes later gets it from the next generation on.
//
// PORT: GORT_TRACE=file makes a trace of the whole program.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "runtime/mem.h"
#include "runtime/mstats.h"
#include "runtime/os_linux.h"
#include "runtime/panic.h"
#include "runtime/runtime1.h"
#include "sched/sema.h"
#include "sched/trace.h"
#include "sched/writefd.h"

typedef int (*traceWrite)(void *ctx, const void *data, size_t n);

// rawBatch is one piece of a trace.
typedef struct rawBatch {
	struct rawBatch *next;
	uintptr_t size; // of the allocation
	uintptr_t n;
	uint8_t data[];
} rawBatch;

// rawGeneration is one generation of a trace, in memory.
typedef struct rawGeneration {
	struct rawGeneration *next; // the one before, in the ring
	rawBatch *first;
	rawBatch *last;
	uintptr_t size; // bytes of data
	uint64_t minTime;
	int refs; // tracing.lock: the ring, and snapshots
} rawGeneration;

// flightRecorder keeps the last generations.
typedef struct flightRecorder {
	uint64_t wantDur;      // in units of the trace clock
	uintptr_t wantSize;    // bytes
	rawGeneration *active; // the reader's
	rawGeneration *ring;   // tracing.lock; the newest first
	uint8_t header[16];    // of the trace
	bool headerReceived;
} flightRecorder;

// subscribers_ is what the reader knows of those who want the trace.
typedef struct subscribers_ {
	uint64_t writerSeq;
	traceWrite write;
	void *ctx;
	uint64_t frSeq;
} subscribers_;

static struct {
	uint32_t sema;   // held by who starts and stops
	int subscribers; // sema
	bool enabled;    // sema

	// What the reader looks at when a generation ends.
	mutex lock;
	uint64_t writerSeq; // lock: number of the writer, 0 if there is none
	traceWrite write;   // lock
	void *ctx;          // lock
	bool recording;     // lock: fr wants the trace
	uint64_t frSeq;     // lock: number of the recording

	uint64_t seq; // sema: of writers and recordings
	int err;      // atomic: of the writer
	flightRecorder fr;

	subscribers_ first; // of a new reader
	G *reader;          // atomic: the goroutine that reads; only to tell whether one is it
} tracing = {.sema = 1};

// ---- recorder.go -------------------------------------------------------------------------------------

// varint reads a number at p, which it moves.
static uint64_t
varint(const uint8_t **p) {
	uint64_t v = 0;

	for (int shift = 0; shift < 64; shift += 7) {
		uint8_t b = *(*p)++;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			break;
	}
	return v;
}

static void *
tracealloc(uintptr_t n) {
	void *p = sysAlloc(n, &memstats.other_sys, "trace recorder");

	if (p == NULL)
		throw("trace: out of memory");
	return p;
}

// releaseGeneration drops a reference.
static void
releaseGeneration(rawGeneration *g) {
	lock(&tracing.lock);
	int refs = --g->refs;
	unlock(&tracing.lock);
	if (refs > 0)
		return;
	for (rawBatch *b = g->first; b != NULL;) {
		rawBatch *next = b->next;
		sysFree(b, b->size, &memstats.other_sys);
		b = next;
	}
	sysFree(g, sizeof *g, &memstats.other_sys);
}

// recorder_write takes one piece of the trace: the header, a batch, or the end of a generation.
static void
recorder_write(flightRecorder *r, const uint8_t *p, uintptr_t n) {
	if (!r->headerReceived) {
		memcpy(r->header, p, sizeof r->header);
		r->headerReceived = true;
		return;
	}
	if (r->active == NULL) {
		r->active = tracealloc(sizeof *r->active);
		r->active->refs = 1;
	}
	rawGeneration *g = r->active;
	uintptr_t size = alignUp(sizeof(rawBatch) + n, 4096);
	rawBatch *b = tracealloc(size);
	b->size = size;
	b->n = n;
	memcpy(b->data, p, n);
	if (g->last != NULL)
		g->last->next = b;
	else
		g->first = b;
	g->last = b;
	g->size += n;

	if (p[0] == EvEventBatch || p[0] == EvExperimentalBatch) {
		const uint8_t *q = p + (p[0] == EvEventBatch ? 1 : 2);
		varint(&q);
		varint(&q);
		uint64_t time = varint(&q);
		if (time != 0 && (g->minTime == 0 || g->minTime > time))
			g->minTime = time;
	}
}

// recorder_endGeneration puts the generation into the ring, which keeps as many as are wanted.
static void
recorder_endGeneration(flightRecorder *r) {
	rawGeneration *drop = NULL;

	if (r->active == NULL)
		return;
	uint64_t now = traceClockNow();
	lock(&tracing.lock);
	r->active->next = r->ring;
	r->ring = r->active;
	uintptr_t size = 0;
	for (rawGeneration *g = r->ring; g != NULL; g = g->next) {
		size += g->size;
		if (g->next != NULL && (size > r->wantSize || now - g->minTime > r->wantDur)) {
			drop = g->next;
			g->next = NULL;
			break;
		}
	}
	unlock(&tracing.lock);
	r->active = NULL;
	while (drop != NULL) {
		rawGeneration *next = drop->next;
		releaseGeneration(drop);
		drop = next;
	}
}

// recorder_clear forgets everything.  The reader does not use it.
static void
recorder_clear(flightRecorder *r) {
	lock(&tracing.lock);
	rawGeneration *g = r->ring;
	r->ring = NULL;
	unlock(&tracing.lock);
	while (g != NULL) {
		rawGeneration *next = g->next;
		releaseGeneration(g);
		g = next;
	}
	if (r->active != NULL)
		releaseGeneration(r->active);
	memset(r, 0, sizeof *r);
}

// ---- subscribe.go ------------------------------------------------------------------------------------

// getsubscribers looks who they are now.
static subscribers_
getsubscribers(void) {
	lock(&tracing.lock);
	subscribers_ s = {
		.writerSeq = tracing.writerSeq,
		.write = tracing.write,
		.ctx = tracing.ctx,
		.frSeq = tracing.recording ? tracing.frSeq : 0,
	};
	unlock(&tracing.lock);
	return s;
}

// send gives a piece of the trace to those who want it.
static void
send(const subscribers_ *s, bool writer, bool recorder, const uint8_t *p, uintptr_t n) {
	// Nothing after an error: up to there the trace can be read.
	if (writer && s->writerSeq != 0 && atomic_Load(&tracing.err) == 0) {
		int r = s->write(s->ctx, p, n);
		if (r < 0)
			atomic_Cas(&tracing.err, 0, r);
	}
	if (recorder && s->frSeq != 0)
		recorder_write(&tracing.fr, p, n);
}

// traceMultiplexer_read is the goroutine that reads the trace.
static void
traceMultiplexer_read(void *arg) {
	uint8_t header[16];
	uintptr_t n;
	subscribers_ s = tracing.first;

	atomic_Store(&tracing.reader, getg());
	const uint8_t *p = ReadTrace(&n);
	if (p == NULL || n != sizeof header)
		throw("trace: no header");
	memcpy(header, p, sizeof header);
	send(&s, true, true, header, sizeof header);
	while ((p = ReadTrace(&n)) != NULL) {
		send(&s, true, true, p, n);
		if (n != 1 || p[0] != EvEndOfGeneration)
			continue;
		if (s.frSeq != 0)
			recorder_endGeneration(&tracing.fr);
		subscribers_ old = s;
		s = getsubscribers();
		send(&s, s.writerSeq != old.writerSeq, s.frSeq != old.frSeq, header, sizeof header);
	}
	atomic_Cas(&tracing.reader, getg(), (G *)NULL);
}

// traceIsReader reports whether this is the goroutine that reads the trace, and calls the program's
// writer: it cannot wait for the end of a generation, which it has to bring about.
bool
traceIsReader(void) {
	return atomic_Load(&tracing.reader) == getg();
}

// addedSubscriber starts the trace, or has the reader look who is there.  tracing.sema is held.
static int
addedSubscriber(void) {
	if (tracing.enabled) {
		traceAdvance(false);
	} else {
		int r = StartTrace();
		if (r < 0)
			return r;
		tracing.first = getsubscribers(); // not those who come before it runs
		newproc(traceMultiplexer_read, NULL);
		tracing.enabled = true;
	}
	tracing.subscribers++;
	return 0;
}

// removingSubscriber brings the trace to the end of a generation, or to its own.  tracing.sema is
// held.
static void
removingSubscriber(void) {
	if (--tracing.subscribers == 0) {
		StopTrace();
		tracing.enabled = false;
	} else {
		traceAdvance(false);
	}
}

// removedSubscriber returns when the reader has noticed.
static void
removedSubscriber(void) {
	if (tracing.subscribers > 0)
		traceAdvance(false);
}

// ---- start and stop ------------------------------------------------------------------------------------

// gort_trace_start_writer: see gort.h.
int
gort_trace_start_writer(int (*write_)(void *ctx, const void *data, size_t n), void *ctx) {
	needg();
	if (traceIsReader())
		return -EDEADLK;
	if (write_ == NULL)
		return -EINVAL;
	semacquire(&tracing.sema);
	if (tracing.writerSeq != 0) {
		semrelease(&tracing.sema);
		return -EBUSY;
	}
	lock(&tracing.lock);
	tracing.writerSeq = ++tracing.seq;
	tracing.write = write_;
	tracing.ctx = ctx;
	unlock(&tracing.lock);
	atomic_Store(&tracing.err, 0);
	int r = addedSubscriber();
	if (r < 0) {
		lock(&tracing.lock);
		tracing.writerSeq = 0;
		unlock(&tracing.lock);
	}
	semrelease(&tracing.sema);
	return r;
}

// tofd is the writer of gort_trace_start.
static int
tofd(void *ctx, const void *data, size_t n) {
	return writefd((int)(intptr_t)ctx, data, n);
}

// gort_trace_start: see gort.h.
int
gort_trace_start(int fd) {
	return fd < 0 ? -EBADF : gort_trace_start_writer(tofd, (void *)(intptr_t)fd);
}

// gort_trace_stop: see gort.h.
int
gort_trace_stop(void) {
	needg();
	if (traceIsReader())
		return -EDEADLK;
	semacquire(&tracing.sema);
	if (tracing.writerSeq == 0) {
		semrelease(&tracing.sema);
		return 0;
	}
	removingSubscriber();
	lock(&tracing.lock);
	tracing.writerSeq = 0;
	tracing.write = NULL;
	tracing.ctx = NULL;
	unlock(&tracing.lock);
	removedSubscriber();
	int err = atomic_Load(&tracing.err);
	semrelease(&tracing.sema);
	return err;
}

// gort_trace_enabled: see gort.h.
int
gort_trace_enabled(void) {
	return traceEnabled();
}

// ---- flightrecorder.go -----------------------------------------------------------------------------------

// gort_trace_flight_start: see gort.h.
int
gort_trace_flight_start(int64_t min_age, size_t max_bytes) {
	needg();
	if (traceIsReader())
		return -EDEADLK;
	semacquire(&tracing.sema);
	if (tracing.recording) {
		semrelease(&tracing.sema);
		return -EBUSY;
	}
	if (min_age <= 0)
		min_age = INT64_C(10) * 1000000000;
	tracing.fr.wantDur = (uint64_t)min_age / 1000000000 * traceClockUnitsPerSecond() +
			     (uint64_t)min_age % 1000000000 / 64;
	tracing.fr.wantSize = max_bytes == 0 ? 10 << 20 : max_bytes;
	lock(&tracing.lock);
	tracing.recording = true;
	tracing.frSeq = ++tracing.seq;
	unlock(&tracing.lock);
	int r = addedSubscriber();
	if (r < 0) {
		lock(&tracing.lock);
		tracing.recording = false;
		unlock(&tracing.lock);
	}
	semrelease(&tracing.sema);
	return r;
}

// gort_trace_flight_stop: see gort.h.
int
gort_trace_flight_stop(void) {
	needg();
	if (traceIsReader())
		return -EDEADLK;
	semacquire(&tracing.sema);
	if (tracing.recording) {
		removingSubscriber();
		lock(&tracing.lock);
		tracing.recording = false;
		unlock(&tracing.lock);
		removedSubscriber();
		recorder_clear(&tracing.fr);
	}
	semrelease(&tracing.sema);
	return 0;
}

// gort_trace_snapshot: see gort.h.
int
gort_trace_snapshot(int fd) {
	needg();
	if (traceIsReader())
		return -EDEADLK;
	semacquire(&tracing.sema);
	if (!tracing.recording) {
		semrelease(&tracing.sema);
		return -EINVAL;
	}
	// Twice: the second one returns when the reader has read, and the recorder has, what the first
	// one ended.
	traceAdvance(false);
	traceAdvance(false);

	// The ring has the newest first, the trace the oldest.
	uintptr_t n = 0, room = 0;
	rawGeneration **gens = NULL;
	for (;;) {
		lock(&tracing.lock);
		n = 0;
		for (rawGeneration *g = tracing.fr.ring; g != NULL; g = g->next)
			n++;
		if (n <= room)
			break;
		unlock(&tracing.lock);
		if (gens != NULL)
			sysFree(gens, room * sizeof gens[0], &memstats.other_sys);
		room = alignUp(n + 1, 512);
		gens = tracealloc(room * sizeof gens[0]);
	}
	n = 0;
	for (rawGeneration *g = tracing.fr.ring; g != NULL; g = g->next) {
		g->refs++;
		gens[n++] = g;
	}
	unlock(&tracing.lock);
	uint8_t header[sizeof tracing.fr.header];
	memcpy(header, tracing.fr.header, sizeof header);
	// As long as fd takes: others may start and stop meanwhile.
	semrelease(&tracing.sema);

	int r = writefd(fd, header, sizeof header);
	while (n > 0) {
		rawGeneration *g = gens[--n];
		for (rawBatch *b = g->first; b != NULL && r == 0; b = b->next)
			r = writefd(fd, b->data, b->n);
		releaseGeneration(g);
	}
	if (gens != NULL)
		sysFree(gens, room * sizeof gens[0], &memstats.other_sys);
	return r;
}

// ---- annotation.go -----------------------------------------------------------------------------------------

// gort_trace_task_begin: see gort.h.
uint64_t
gort_trace_task_begin(uint64_t parent, const char *type) {
	static uint64_t lastTaskID; // atomic

	needg();
	uint64_t id = atomic_Xadd(&lastTaskID, 1);
	trace_userTaskCreate(id, parent, type);
	return id;
}

// gort_trace_task_end: see gort.h.
void
gort_trace_task_end(uint64_t task) {
	needg();
	trace_userTaskEnd(task);
}

// gort_trace_region_begin: see gort.h.
void
gort_trace_region_begin(uint64_t task, const char *type) {
	needg();
	trace_userRegion(task, 0, type);
}

// gort_trace_region_end: see gort.h.
void
gort_trace_region_end(uint64_t task, const char *type) {
	needg();
	trace_userRegion(task, 1, type);
}

// gort_trace_log: see gort.h.
void
gort_trace_log(uint64_t task, const char *category, const char *message) {
	needg();
	trace_userLog(task, category, message);
}

// ---- GORT_TRACE ----------------------------------------------------------------------------------------------

static struct {
	int fd;
	bool on; // atomic: the trace is being made
} fromenv;

// trace_fromenv_1 runs before the program does.  On g0, for the sake of libc.
static void
trace_fromenv_1(void *a) {
	const char *name = a;

	fromenv.fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fromenv.fd < 0)
		print("runtime: GORT_TRACE: cannot write %s: errno %d\n", name, errno);
	else
		atexit(trace_atexit);
}

void
trace_fromenv(void) {
	const char *name = gogetenv("GORT_TRACE");

	if (name == NULL || name[0] == 0 || isSecureMode())
		return;
	systemstack(trace_fromenv_1, (void *)(uintptr_t)name);
	if (fromenv.fd >= 0 && gort_trace_start(fromenv.fd) == 0)
		atomic_Store(&fromenv.on, true);
}

void
trace_atexit(void) {
	G *gp = getg();

	// Not from a thread of which we know nothing, or a goroutine in a call to the outside.
	if (!atomic_Load(&fromenv.on) || gp == NULL || gp->m->curg != gp || gp->syscallsp != 0 ||
		gp->m->locks != 0 || traceIsReader())
		return;
	if (!atomic_Cas(&fromenv.on, true, false))
		return;
	LockOSThread(); // exit goes on on its thread
	int r = gort_trace_stop();
	if (r < 0)
		print("runtime: GORT_TRACE: writing failed: errno %d\n", -r);
	UnlockOSThread();
}
