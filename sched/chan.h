// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Channels.  Ports chan.go of Go 1.26.8.
#ifndef GORT_SCHED_CHAN_H
#define GORT_SCHED_CHAN_H

#include "runtime/runtime.h"

typedef struct waitq {
	sudog *first;
	sudog *last;
} waitq;

// hchan is a channel, on the GC heap.  The buffer of pointer-free elements follows it in the same
// object; a buffer with pointers is an object of its own, of the elements' type.
struct hchan {
	uintptr_t qcount;   // elements in the buffer; atomic reads without the lock
	uintptr_t dataqsiz; // capacity; never changes
	void *buf;          // dataqsiz elements
	uint16_t elemsize;
	uint32_t closed;       // atomic reads without the lock
	timer *timer;          // feeds this channel; never changes
	const _type *elemtype; // static
	uintptr_t sendx;       // next slot to fill
	uintptr_t recvx;       // next slot to empty
	waitq recvq;           // waiting receivers; sudogs are off the heap
	waitq sendq;           // waiting senders

	// lock guards all fields, and those of the sudogs that wait here.  No G may be readied under
	// it.
	mutex lock;
};

enum {
	maxAlign = 8,
	hchanSize = (sizeof(hchan) + maxAlign - 1) & ~(size_t)(maxAlign - 1),
};

extern const struct gort_type hchanType;

hchan *makechan(const _type *elem, intptr_t size);
// maketimerchan makes a channel that may have a timer, whatever its elements.
hchan *maketimerchan(const _type *elem, intptr_t size);

// chanbuf is the address of slot i.
static ALWAYS_INLINE void *
chanbuf(hchan *c, uintptr_t i) {
	return add(c->buf, i * (uintptr_t)c->elemsize);
}

// The operations of the language: c <- *elem; *elem = <-c (elem NULL: drop it); close(c); the
// non-blocking halves of select; len(c); cap(c).
void chansend1(hchan *c, const void *elem);
void chanrecv1(hchan *c, void *elem);
bool chanrecv2(hchan *c, void *elem);
bool chansend(hchan *c, const void *ep, bool block);
// chanrecv reports whether it was selected; *received: *ep has an element, not zeros.
bool chanrecv(hchan *c, void *ep, bool block, bool *received);
void closechan(hchan *c);
bool selectnbsend(hchan *c, const void *elem);
bool selectnbrecv(void *elem, hchan *c, bool *received);
intptr_t chanlen(hchan *c);
intptr_t chancap(hchan *c);
bool timerchandrain(hchan *c);

// ---- for select.c -------------------------------------------------------------------------------

// chan_sendCopy gives *ep to the waiting receiver sg, chan_recvCopy takes *ep from the waiting
// sender sg or from the full buffer, which it refills from sg.  c->lock is held and sg is out of
// its queue.  The caller then drops its locks and calls chan_wake.
void chan_sendCopy(hchan *c, sudog *sg, const void *ep);
void chan_recvCopy(hchan *c, sudog *sg, void *ep);
void chan_wake(sudog *sg);
// chan_bufSend and chan_bufRecv move an element to or from the buffer; c->lock is held.
void chan_bufSend(hchan *c, const void *ep);
void chan_bufRecv(hchan *c, void *ep);
// chan_clear zeroes an element.
void chan_clear(hchan *c, void *ep);

#endif
