// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The execution tracer's own structures.  Ports the declarations of trace.go, tracebuf.go,
// traceevent.go, tracemap.go, traceregion.go, tracestring.go, tracestack.go and tracetype.go of Go
// 1.26.8.
#ifndef GORT_SCHED_TRACE_H
#define GORT_SCHED_TRACE_H

#include "runtime/mgc.h"
#include "runtime/mgcmark.h"
#include "sched/traceruntime.h"
#include "sched/tracev2.h"

// ---- tracetime.go ---------------------------------------------------------------------------------

// traceClock relates the time stamp counter to nanotime.
extern struct traceClock {
	uint32_t cur; // atomic: how often scale was set; modulo 2: the last one; 0: none
	struct {
		uint64_t tsc;  // atomic: the counter
		int64_t ns;    // atomic: at this time
		uint64_t mult; // atomic: ns a tick, times 2^32
	} scale[2];
} traceClock;

void traceClockInit(void);
void traceClockSet(void);
uint64_t traceClockUnitsPerSecond(void);
void traceSyncBatch(uintptr_t gen, uint64_t frequency);

// traceClockCounts reports whether the clock is the time stamp counter.  It stays so.
static ALWAYS_INLINE bool
traceClockCounts(void) {
	return atomic_LoadRelaxed(&traceClock.cur) != 0;
}

// traceClockAt is the time at which the counter, which has to be the clock, is or was at ticks.
static ALWAYS_INLINE traceTime
traceClockAt(uint64_t ticks) {
	for (;;) {
		uint32_t cur = atomic_LoadAcq(&traceClock.cur);
		uint32_t i = cur % 2;
		uint64_t d = ticks - atomic_LoadRelaxed(&traceClock.scale[i].tsc);
		int64_t ns = atomic_LoadRelaxed(&traceClock.scale[i].ns);
		uint64_t mult = atomic_LoadRelaxed(&traceClock.scale[i].mult);
		// Whoever was off for long has read numbers that changed.
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (likely(atomic_LoadRelaxed(&traceClock.cur) == cur))
			return (traceTime)(ns + (int64_t)((__int128)(int64_t)d * mult >> 32)) /
			       traceTimeDiv;
	}
}

static ALWAYS_INLINE traceTime
traceClockNow(void) {
	if (unlikely(!traceClockCounts()))
		return (traceTime)nanotime() / traceTimeDiv;
	return traceClockAt((uint64_t)cputicks());
}

// ---- tracebuf.go ----------------------------------------------------------------------------------

enum { traceBytesPerNumber = 10 }; // of an unsigned number in base 128

// traceBuf holds one batch.
struct traceBuf {
	traceBuf *link;     // in trace.empty or trace.full
	traceTime lastTime; // of the last event
	uint32_t pos;       // next byte of arr
	uint32_t lenPos;    // where the length goes
	uint8_t arr[MaxBatchSize - 24];
};

typedef struct traceBufQueue {
	traceBuf *head;
	traceBuf *tail;
} traceBufQueue;

// traceWriter writes into a buffer: that of the M in tl, until traceWriter_end, or, if tl.mp is
// NULL, one that is nobody's.
typedef struct traceWriter {
	traceLocker tl;
	traceBuf *buf;
	uint8_t exp; // traceExperiment
} traceWriter;

traceWriter traceLocker_expWriter(traceLocker tl, int exp);
traceWriter unsafeTraceWriter(uintptr_t gen, traceBuf *buf);
traceWriter unsafeTraceExpWriter(uintptr_t gen, traceBuf *buf, int exp);
void traceWriter_event(traceWriter *w, traceEv ev, const uint64_t *args, int n);
void traceWriter_flush(traceWriter *w);
void traceWriter_refill(traceWriter *w);
void traceBuf_stringData(traceBuf *b, const char *s, uintptr_t n);
void traceBuf_varintAt(traceBuf *b, uint32_t pos, uint64_t v);
void traceBufFlush(traceBuf *b, uintptr_t gen); // trace.lock must be held
// trace_flushbuf is the same with the lock taken on g0.
void trace_flushbuf(traceBuf *b, uintptr_t gen);

// traceLocker_writer returns a writer into the M's buffer.
static ALWAYS_INLINE traceWriter
traceLocker_writer(traceLocker tl) {
	return (traceWriter){.tl = tl, .buf = tl.mp->trace.buf[tl.gen % 2][NoExperiment]};
}

// traceWriter_end gives the buffer back to the M.
static ALWAYS_INLINE void
traceWriter_end(traceWriter *w) {
	M *mp = w->tl.mp;

	if (mp != NULL)
		mp->trace.buf[w->tl.gen % 2][w->exp] = w->buf;
}

static ALWAYS_INLINE bool
traceBuf_hasRoom(const traceBuf *b, uint32_t size) {
	return b != NULL && sizeof b->arr - b->pos >= size;
}

// traceWriter_ensure makes room for maxSize bytes; true if that took a new buffer.
static inline bool
traceWriter_ensure(traceWriter *w, uint32_t maxSize) {
	if (likely(traceBuf_hasRoom(w->buf, maxSize)))
		return false;
	traceWriter_refill(w);
	return true;
}

// appendVarint writes v, seven bits a byte, the lowest first, and returns what follows.
static ALWAYS_INLINE uint8_t *
appendVarint(uint8_t *p, uint64_t v) {
	while (v >= 0x80) {
		*p++ = (uint8_t)(0x80 | v);
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

static inline void
traceBuf_byte(traceBuf *b, uint8_t v) {
	b->arr[b->pos++] = v;
}

static inline void
traceBuf_varint(traceBuf *b, uint64_t v) {
	b->pos = (uint32_t)(appendVarint(b->arr + b->pos, v) - b->arr);
}

// traceEventSize is how many bytes an event with n arguments may take.
static ALWAYS_INLINE uint32_t
traceEventSize(int n) {
	return 1 + (uint32_t)(n + 1) * traceBytesPerNumber;
}

// traceBuf_event appends an event, for which there is room.  Times grow strictly within a buffer.
static ALWAYS_INLINE void
traceBuf_event(traceBuf *b, traceTime ts, traceEv ev, const uint64_t *args, int n) {
	traceTime last = b->lastTime;
	uint64_t diff = likely(ts > last) ? ts - last : 1;
	b->lastTime = last + diff;

	// Bytes may alias anything: keep b->pos out of memory meanwhile.
	uint8_t *p = b->arr + b->pos;
	*p++ = ev;
	p = appendVarint(p, diff);
	for (int i = 0; i < n; i++)
		p = appendVarint(p, args[i]);
	b->pos = (uint32_t)(p - b->arr);
}

void traceBufQueue_push(traceBufQueue *q, traceBuf *b);
traceBuf *traceBufQueue_pop(traceBufQueue *q);

// EVARGS is the arguments of an event, as the two that event functions take.
#define EVARGS(...)                               \
	(const uint64_t[]){0, ##__VA_ARGS__} + 1, \
		(int)(sizeof((const uint64_t[]){0, ##__VA_ARGS__}) / 8) - 1

// ---- traceregion.go, tracemap.go -------------------------------------------------------------------

typedef struct traceRegionAllocBlock traceRegionAllocBlock;

// traceRegionAlloc gives out memory that is freed all at once.
typedef struct traceRegionAlloc {
	mutex lock;
	bool dropping;                  // atomic
	traceRegionAllocBlock *current; // atomic
	traceRegionAllocBlock *full;    // lock
} traceRegionAlloc;

void *traceRegionAlloc_alloc(traceRegionAlloc *a, uintptr_t n);
void traceRegionAlloc_drop(traceRegionAlloc *a);

typedef struct traceMapNode traceMapNode;
struct traceMapNode {
	traceMapNode *children[4]; // atomic
	uint64_t hash;
	uint64_t id;
	uintptr_t size;
	const void *data;
};

// traceMap gives ids to pieces of data: a hash trie without locks, which only grows.
typedef struct traceMap {
	CACHE_ALIGNED traceMapNode *root; // atomic
	CACHE_ALIGNED uint64_t seq;       // atomic
	CACHE_ALIGNED traceRegionAlloc mem;
} traceMap;

uint64_t traceMap_stealID(traceMap *tab);
uint64_t traceMap_put(traceMap *tab, const void *data, uintptr_t size, bool *added);
void traceMap_reset(traceMap *tab);

// ---- tracestring.go, tracestack.go, tracetype.go ----------------------------------------------------

typedef struct traceStringTable {
	mutex lock;
	traceBuf *buf; // lock; the batch that is being filled
	traceMap tab;
} traceStringTable;

uint64_t traceStringTable_put(traceStringTable *t, uintptr_t gen, const char *s);
uint64_t traceStringTable_emit(traceStringTable *t, uintptr_t gen, const char *s);
void traceStringTable_reset(traceStringTable *t, uintptr_t gen);

typedef struct traceStackTable {
	traceMap tab;
} traceStackTable;

uint64_t traceStack(int skip, G *gp, uintptr_t gen);
uint64_t traceStackTable_put(traceStackTable *t, const uintptr_t *pcs, int n);
void traceStackTable_dump(traceStackTable *t, uintptr_t gen);

// logicalStackSentinel in front of a stack: nothing is to be left out.
#define logicalStackSentinel (~(uintptr_t)0)

typedef struct traceTypeTable {
	traceMap tab;
} traceTypeTable;

uint64_t traceTypeTable_put(traceTypeTable *t, const _type *typ);
void traceTypeTable_dump(traceTypeTable *t, uintptr_t gen);

enum { // AllocFree batches
	traceAllocFreeTypesBatch,
	traceAllocFreeInfoBatch,
};
void traceSnapshotMemory(uintptr_t gen);

// ---- trace.go ---------------------------------------------------------------------------------------

struct profBuf;

// wakeableSleep is a sleep that somebody can end early.
typedef struct wakeableSleep {
	timer timer;
	mutex lock;
	G *waiter;   // lock
	bool wakeup; // lock: wake was called while nobody slept
} wakeableSleep;

extern struct traceState {
	// lock protects the queues of buffers.
	mutex lock;
	traceBuf *reading;     // the buffer that the reader has
	traceBuf *empty;       // free ones
	traceBufQueue full[2]; // by generation modulo 2
	bool workAvailable;    // atomic

	uintptr_t readerGen;         // atomic: the generation that is being read
	uintptr_t flushedGen;        // atomic: the last one that is complete
	bool headerWritten;          // the reader has the header
	bool endOfGenerationWritten; // and the end of readerGen

	uint32_t doneSema[2]; // the reader is done with a generation

	traceStackTable stackTab[2];
	traceStringTable stringTab[2];
	traceTypeTable typeTab[2];

	// CPU samples: profBufs are read by a goroutine and written by signal handlers.
	struct profBuf *cpuLogRead[2];
	uint32_t signalLock;            // atomic
	struct profBuf *cpuLogWrite[2]; // atomic
	wakeableSleep cpuSleep;
	uint32_t cpuLogDone; // semaphore
	traceBuf *cpuBuf[2];

	G *reader; // atomic: the goroutine that waits in ReadTrace

	uint64_t markWorkerLabels[2][4];
	uint64_t goStopReasons[2][ntraceGoStopReason];
	uint64_t goBlockReasons[2][ntraceBlockReason];

	uintptr_t gen; // atomic: the current generation; 0: nothing is traced
	uintptr_t lastNonZeroGen;

	int32_t exitingSyscall; // atomic
	uint64_t seqGC;         // of GC events; owned by who runs the cycle
	uint64_t minPageHeapAddr;
} trace;

int StartTrace(void); // -EBUSY if a trace is being made
void StopTrace(void);
uintptr_t traceNextGen(uintptr_t gen);
void traceRegisterLabelsAndReasons(uintptr_t gen);
// ReadTrace returns the next piece of the trace, which is readable until the next call, and blocks
// until there is one; NULL: the trace is complete.
const uint8_t *ReadTrace(uintptr_t *n);

void newWakeableSleep(wakeableSleep *s);
void wakeableSleep_sleep(wakeableSleep *s, int64_t ns);
void wakeableSleep_wake(wakeableSleep *s);

// ---- traceevent.go, tracestatus.go, tracetime.go, tracecpu.go -------------------------------------------

void traceLocker_writeStatus(traceLocker tl, traceGoStatus goStatus, traceProcStatus procStatus);
void traceLocker_event(traceLocker tl, traceEv ev, const uint64_t *args, int n);
// traceLocker_eventAt is one of a moment ago, when the time stamp counter was at ticks; 0: now.
void traceLocker_eventAt(traceLocker tl, uint64_t ticks, traceEv ev, const uint64_t *args, int n);

// traceLocker_stack is the number of the current goroutine's stack.
static ALWAYS_INLINE uint64_t
traceLocker_stack(traceLocker tl, int skip) {
	return traceStack(skip, NULL, tl.gen);
}

uint64_t traceLocker_startPC(traceLocker tl, uintptr_t pc);
uint64_t traceLocker_string(traceLocker tl, const char *s);
uint64_t traceLocker_uniqueString(traceLocker tl, const char *s);
uint64_t traceLocker_rtype(traceLocker tl, const _type *typ);

static inline bool
traceSchedResourceState_statusWasTraced(traceSchedResourceState *r, uintptr_t gen) {
	return atomic_Load(&r->statusTraced[gen % 2]) == gen;
}

// traceSchedResourceState_nextSeq counts an event.
static inline uint64_t
traceSchedResourceState_nextSeq(traceSchedResourceState *r, uintptr_t gen) {
	return ++r->seq[gen % 2];
}

static inline void
traceSchedResourceState_setStatusTraced(traceSchedResourceState *r, uintptr_t gen) {
	atomic_Store(&r->statusTraced[gen % 2], gen);
}

// traceLocker_eventWriter writes the status of the P and the G that this M has, if they have no event
// in this generation yet: what it is just before the event that follows.
static ALWAYS_INLINE void
traceLocker_eventWriter(traceLocker tl, traceGoStatus goStatus, traceProcStatus procStatus) {
	P *pp = tl.mp->p;
	G *gp = tl.mp->curg;

	if (unlikely(
		    (pp != NULL &&
			    !traceSchedResourceState_statusWasTraced(&pp->trace.r, tl.gen)) ||
		    (gp != NULL && !traceSchedResourceState_statusWasTraced(&gp->trace.r, tl.gen))))
		traceLocker_writeStatus(tl, goStatus, procStatus);
}

// EVENT writes the status where needed, and then one event.
#define EVENT(tl, gs, ps, ev, ...)                                  \
	do {                                                        \
		traceLocker_eventWriter((tl), (gs), (ps));          \
		traceLocker_event((tl), (ev), EVARGS(__VA_ARGS__)); \
	} while (0)

void traceWriter_writeGoStatus(traceWriter *w, uint64_t goid, int64_t mid, traceGoStatus status,
	bool markAssist, uint64_t stackID);
void traceWriter_writeProcStatusForP(traceWriter *w, P *pp, bool inSTW);
void traceWriter_writeProcStatus(
	traceWriter *w, uint64_t pid, traceProcStatus status, bool inSweep);
traceGoStatus goStatusToTraceGoStatus(uint32_t status, waitReason wr);
bool traceSchedResourceState_acquireStatus(traceSchedResourceState *r, uintptr_t gen);
void traceSchedResourceState_readyNextGen(traceSchedResourceState *r, uintptr_t gen);

void traceInitReadCPU(void);
void traceStartReadCPU(void);
void traceStopReadCPU(void);
bool traceReadCPU(uintptr_t gen);
void traceCPUFlush(uintptr_t gen);

// ---- package runtime/trace --------------------------------------------------------------------------------

void trace_userTaskCreate(uint64_t id, uint64_t parentID, const char *taskType);
void trace_userTaskEnd(uint64_t id);
void trace_userRegion(uint64_t id, uint64_t mode, const char *name);
void trace_userLog(uint64_t id, const char *category, const char *message);

#endif
