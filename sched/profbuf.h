// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The ring buffer of profiling events, from a signal handler to a goroutine.  Ports profbuf.go.
#ifndef GORT_SCHED_PROFBUF_H
#define GORT_SCHED_PROFBUF_H

#include "runtime/runtime.h"

typedef uint64_t profIndex;

enum profBufReadMode {
	profBufBlocking,
	profBufNonBlocking,
};

typedef struct profBuf {
	profIndex r;           // atomic: read up to here
	profIndex w;           // atomic: written up to here, and flags
	uint64_t overflow;     // atomic: generation, and number of records dropped
	uint64_t overflowTime; // atomic: when the first of them was dropped
	uint32_t eof;          // atomic

	// do not change
	uintptr_t hdrsize;
	uint64_t *data;
	intptr_t ndata; // a power of two
	void **tags;
	intptr_t ntags; // a power of two
	uintptr_t size; // of the memory that holds all of it

	// the reader's
	profIndex rNext;
	uint64_t *overflowBuf; // in which it returns an overflow record
	note wait;
} profBuf;

// newProfBuf makes a buffer for records with hdrsize words of header.  bufwords and tags are rounded
// up to powers of two.  Its memory is off the heap; freeProfBuf gives it back.
profBuf *newProfBuf(int hdrsize, int bufwords, int tags);
void freeProfBuf(profBuf *b);
// profBuf_reset makes a buffer that was closed and read to its end new.
void profBuf_reset(profBuf *b);

// profBuf_write adds a record: one writer at a time, in a signal handler too.  *tagPtr is a pointer
// into the heap that is reachable elsewhere while the write goes on (see the .c); tagPtr may be NULL.
// A header shorter than hdrsize is filled up with zeros.  b may be NULL.
void profBuf_write(profBuf *b, void *const *tagPtr, int64_t now, const uint64_t *hdr, int nhdr,
	const uintptr_t *stk, int nstk);
// profBuf_close says that nothing will be written any more; once.
void profBuf_close(profBuf *b);
// profBuf_read returns whole records of 2 + hdrsize + len(stack) words, that number first, then the
// time, the header and the stack; *tags has one entry for each.  They are good until the next call.
// NULL without *eof: there is nothing now (profBufNonBlocking only).  One reader, a goroutine.
uint64_t *profBuf_read(profBuf *b, enum profBufReadMode mode, intptr_t *ndata, void ***tags,
	intptr_t *ntags, bool *eof);

#endif
