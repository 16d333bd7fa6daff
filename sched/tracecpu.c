// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Samples of the CPU profiler in traces.  Ports tracecpu.go of Go 1.26.8.
#include "runtime/gort.h"
#include "runtime/malloc.h"
#include "runtime/mbarrier.h"
#include "sched/profbuf.h"
#include "sched/sema.h"
#include "sched/trace.h"

enum { // of mprof.go and cpuprof.go
	profBufWordCount = 1 << 17,
	profBufTagCount = 1 << 14,
};

// The buffers.  Their rings are on the heap as all of Go's are: its size counts, because it makes the
// collector's pace, and traces of the same program shall look alike.
static profBuf cpuLogs[2];
static uint64_t cpuLogOverflow[2][2 + 3 + 1];

// traceInitReadCPU gets the buffers for samples.  traceAdvanceSema is held.
void
traceInitReadCPU(void) {
	static bool rooted;
	if (traceEnabled())
		throw("traceInitReadCPU called with trace enabled");
	for (int i = 0; i < 2; i++) {
		profBuf *b = &cpuLogs[i];
		if (!rooted) {
			gort_root_add(&b->data, sizeof b->data);
			gort_root_add(&b->tags, sizeof b->tags);
		}
		// The header of a record is P, goroutine and thread.
		b->hdrsize = 3;
		b->overflowBuf = cpuLogOverflow[i];
		b->ndata = profBufWordCount;
		wbstore(&b->data, mallocgc(profBufWordCount * sizeof(uint64_t), NULL, true));
		b->ntags = profBufTagCount;
		wbstore(&b->tags,
			mallocgc(profBufTagCount * sizeof(void *), &gort_type_pointer, true));
		profBuf_reset(b);
		trace.cpuLogRead[i] = b;
		atomic_Store(&trace.cpuLogWrite[i], trace.cpuLogRead[i]);
	}
	rooted = true;
}

// traceStartReadCPU_1 reads the samples ten times a second.
static void
traceStartReadCPU_1(void *arg) {
	while (traceEnabled()) {
		wakeableSleep_sleep(&trace.cpuSleep, 100 * 1000 * 1000);
		traceLocker tl = traceAcquire();
		if (!traceLocker_ok(tl))
			break;
		traceClockSet();
		bool keepGoing = traceReadCPU(tl.gen);
		traceRelease(tl);
		if (!keepGoing)
			break;
	}
	semrelease(&trace.cpuLogDone);
}

// traceStartReadCPU starts the goroutine that reads them.
void
traceStartReadCPU(void) {
	if (!traceEnabled())
		throw("traceStartReadCPU called with trace disabled");
	newWakeableSleep(&trace.cpuSleep);
	newproc(traceStartReadCPU_1, NULL);
}

// traceStopReadCPU ends it.
void
traceStopReadCPU(void) {
	if (traceEnabled())
		throw("traceStopReadCPU called with trace enabled");

	for (int i = 0; i < 2; i++) {
		atomic_Store(&trace.cpuLogWrite[i], (struct profBuf *)NULL);
		profBuf_close(trace.cpuLogRead[i]);
	}
	wakeableSleep_wake(&trace.cpuSleep);
	semacquire(&trace.cpuLogDone);

	// The rings are garbage once nobody writes any more.  A signal handler may have loaded the pointer just before: it holds
	// signalLock while it uses it.
	while (atomic_Load(&trace.signalLock) != 0)
		osyield();
	for (int i = 0; i < 2; i++) {
		wbstore(&cpuLogs[i].data, NULL);
		wbstore(&cpuLogs[i].tags, NULL);
		trace.cpuLogRead[i] = NULL;
	}
}

// traceReadCPU writes the samples of a generation that are there.  false: there will be none any
// more.  One caller at a time.
bool
traceReadCPU(uintptr_t gen) {
	uintptr_t pcBuf[1 + MaxFramesPerStack];
	intptr_t ndata, ntags;
	void **tags;
	bool eof;
	uint64_t *data = profBuf_read(
		trace.cpuLogRead[gen % 2], profBufNonBlocking, &ndata, &tags, &ntags, &eof);

	while (ndata > 0) {
		if (ndata < 5 || data[0] > (uint64_t)ndata || data[0] < 5 || ntags < 1)
			break; // truncated or malformed
		uint64_t recordLen = data[0];
		uint64_t timestamp = data[1];
		uint64_t ppid = (data[2] & 1) != 0 ? data[2] >> 1 : ~(uint64_t)0;
		uint64_t goid = data[3];
		uint64_t mpid = data[4];
		const uint64_t *stk = data + 5;
		uint64_t nstk = recordLen - 5;
		bool overflow = nstk == 1 && data[2] == 0 && data[3] == 0 && data[4] == 0;

		data += recordLen;
		ndata -= (intptr_t)recordLen;
		tags++;
		ntags--;
		if (overflow)
			continue; // says only how many are missing

		int n = 1;
		pcBuf[0] = logicalStackSentinel;
		for (uint64_t i = 0; i < nstk && n < (int)nelem(pcBuf); i++)
			pcBuf[n++] = stk[i];

		traceWriter w = unsafeTraceWriter(gen, trace.cpuBuf[gen % 2]);
		if (traceWriter_ensure(&w, 2 + 5 * traceBytesPerNumber))
			traceBuf_byte(w.buf, EvCPUSamples);
		uint64_t stackID = traceStackTable_put(&trace.stackTab[gen % 2], pcBuf, n);
		traceBuf_byte(w.buf, EvCPUSample);
		traceBuf_varint(w.buf, timestamp);
		traceBuf_varint(w.buf, mpid);
		traceBuf_varint(w.buf, ppid);
		traceBuf_varint(w.buf, goid);
		traceBuf_varint(w.buf, stackID);
		trace.cpuBuf[gen % 2] = w.buf;
	}
	return !eof;
}

// traceCPUFlush writes out the last batch of samples of a generation.
void
traceCPUFlush(uintptr_t gen) {
	traceBuf *b = trace.cpuBuf[gen % 2];

	if (b == NULL)
		return;
	trace_flushbuf(b, gen);
	trace.cpuBuf[gen % 2] = NULL;
}

// traceCPUSample: see traceruntime.h.
void
traceCPUSample(G *gp, M *mp, P *pp, const uintptr_t *stk, int n) {
	if (!traceEnabled() || mp == NULL)
		return;

	// The signal may have come while this M wrote an event.
	bool locked = false;
	if (!atomic_Load(&mp->trace.writing)) {
		atomic_Store(&mp->trace.writing, true);
		locked = true;
	}
	uintptr_t gen = atomic_Load(&trace.gen);
	if (gen != 0) {
		traceTime now = traceClockNow();
		uint64_t hdr[3] = {
			// P 0 and no P differ; and an overflow record has 0.
			pp != NULL ? (uint64_t)pp->id << 1 | 1 : 2,
			gp != NULL ? gp->goid : 0,
			mp->procid,
		};

		// One writer at a time.  Only for signal handlers, which are not interrupted by others.
		while (!atomic_Cas(&trace.signalLock, 0U, 1U))
			osyield();
		struct profBuf *log = atomic_Load(&trace.cpuLogWrite[gen % 2]);
		if (log != NULL)
			profBuf_write(log, NULL, (int64_t)now, hdr, 3, stk, n);
		atomic_Store(&trace.signalLock, 0U);
	}
	if (locked)
		atomic_Store(&mp->trace.writing, false);
}
