// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// How events are written.  Ports traceevent.go of Go 1.26.8; tracev2's numbers are in trace.h.
#include "sched/trace.h"

COLD void
traceLocker_writeStatus(traceLocker tl, traceGoStatus goStatus, traceProcStatus procStatus) {
	M *mp = tl.mp;
	P *pp = mp->p;

	if (pp != NULL && traceSchedResourceState_acquireStatus(&pp->trace.r, tl.gen)) {
		traceWriter w = traceLocker_writer(tl);
		traceWriter_writeProcStatus(&w, (uint64_t)pp->id, procStatus, pp->trace.inSweep);
		traceWriter_end(&w);
	}
	G *gp = mp->curg;
	if (gp != NULL && !mp->trace.gout &&
		traceSchedResourceState_acquireStatus(&gp->trace.r, tl.gen)) {
		traceWriter w = traceLocker_writer(tl);
		traceWriter_writeGoStatus(
			&w, gp->goid, (int64_t)mp->procid, goStatus, gp->inMarkAssist, 0);
		traceWriter_end(&w);
	}
}

// event_slow writes an event for which there is no room, or whose time is not for the counter to tell.
static COLD void
event_slow(traceLocker tl, traceEv ev, const uint64_t *args, int n) {
	traceWriter w = traceLocker_writer(tl);

	traceWriter_event(&w, ev, args, n);
	traceWriter_end(&w);
}

// traceLocker_event1 writes one event of this M.
static ALWAYS_INLINE void
traceLocker_event1(traceLocker tl, uint64_t ticks, traceEv ev, const uint64_t *args, int n) {
	traceBuf *b = tl.mp->trace.buf[tl.gen % 2][NoExperiment];

	if (unlikely(!traceBuf_hasRoom(b, traceEventSize(n)) || !traceClockCounts()))
		event_slow(tl, ev, args, n);
	else
		traceBuf_event(
			b, traceClockAt(ticks != 0 ? ticks : (uint64_t)cputicks()), ev, args, n);
}

void
traceLocker_event(traceLocker tl, traceEv ev, const uint64_t *args, int n) {
	traceLocker_event1(tl, 0, ev, args, n);
}

void
traceLocker_eventAt(traceLocker tl, uint64_t ticks, traceEv ev, const uint64_t *args, int n) {
	traceLocker_event1(tl, ticks, ev, args, n);
}

// traceLocker_startPC is the number of a stack of one frame, the function at pc.
uint64_t
traceLocker_startPC(traceLocker tl, uintptr_t pc) {
	// Stacks are made of return addresses.
	uintptr_t pcs[2] = {logicalStackSentinel, pc + 1};

	return traceStackTable_put(&trace.stackTab[tl.gen % 2], pcs, 2);
}

uint64_t
traceLocker_string(traceLocker tl, const char *s) {
	return traceStringTable_put(&trace.stringTab[tl.gen % 2], tl.gen, s);
}

uint64_t
traceLocker_uniqueString(traceLocker tl, const char *s) {
	return traceStringTable_emit(&trace.stringTab[tl.gen % 2], tl.gen, s);
}

uint64_t
traceLocker_rtype(traceLocker tl, const _type *typ) {
	return traceTypeTable_put(&trace.typeTab[tl.gen % 2], typ);
}
