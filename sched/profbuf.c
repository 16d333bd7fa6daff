// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The ring buffer of profiling events.  Ports profbuf.go of Go 1.26.8.
//
// One writer, which may be a signal handler, and one reader, a goroutine, share two rings without a
// lock: data holds the records (length, time, header, stack), tags one pointer for each.  r and w
// say how far the two have come: words of data in the low 32 bits, tags in the high 30, both counted
// on and on modulo their width; the two bits between are flags in w.  Records do not wrap round: a 0
// where a length should be sends the reader back to the start of the ring.
//
// A record for which there is no room is only counted.  The count becomes a record of its own, with a
// header of zeros and the count as its stack: from the writer, once there is room for it and the next
// one, or from the reader, when it has emptied the ring.  Both may take the count, so its word carries
// a generation in its high half.
//
// Tags are the labels of goroutines, which live on the heap.  The writer cannot run a write barrier.
// It need not: it stands in for the goroutine whose labels it copies, and only that goroutine can
// change them, so whatever keeps the labels alive in a mark phase (the scan of the goroutine, or the
// barrier when it drops them) also serves the copy; and it only ever overwrites NULL.  The reader
// empties the slots with a barrier.
//
// PORT: the buffer lies off the heap.  Who writes tags into it makes a root of them (profBuf tags of
// the CPU profile: markroot).
#include "sched/profbuf.h"

#include "runtime/mbarrier.h"
#include "runtime/mem.h"
#include "runtime/mstats.h"

// Flags in w.
static const profIndex profReaderSleeping = (profIndex)1 << 32; // the reader is to be woken up
static const profIndex profWriteExtra = (profIndex)1 << 33;     // an overflow or the end to be seen

// profIndex_dataCount is the words of data that x counts.
static uint32_t
profIndex_dataCount(profIndex x) {
	return (uint32_t)x;
}

// profIndex_tagCount is the tags that x counts, modulo 2^30.
static uint32_t
profIndex_tagCount(profIndex x) {
	return (uint32_t)(x >> 34);
}

// countSub is x - y for two counts of either kind that are less than 2^29 apart.
static intptr_t
countSub(uint32_t x, uint32_t y) {
	return (int32_t)((x - y) << 2) >> 2;
}

// profIndex_addCountsAndClearFlags counts data and tag on, and returns that without the flags.
static profIndex
profIndex_addCountsAndClearFlags(profIndex x, intptr_t data, intptr_t tag) {
	return ((x >> 34) + (uint64_t)((uint32_t)tag << 2 >> 2)) << 34 |
	       (uint64_t)((uint32_t)x + (uint32_t)data);
}

static void profBuf_wakeupExtra(profBuf *b);

// profBuf_hasOverflow reports whether dropped records have not been reported yet.
static bool
profBuf_hasOverflow(profBuf *b) {
	return (uint32_t)atomic_Load(&b->overflow) > 0;
}

// profBuf_takeOverflow takes the number of dropped records, and the time of the first.
static uint32_t
profBuf_takeOverflow(profBuf *b, uint64_t *time) {
	uint64_t overflow = atomic_Load(&b->overflow);
	*time = atomic_Load(&b->overflowTime);
	for (;;) {
		if ((uint32_t)overflow == 0) {
			*time = 0;
			break;
		}
		if (atomic_Cas(&b->overflow, overflow, ((overflow >> 32) + 1) << 32)) {
			break;
		}
		overflow = atomic_Load(&b->overflow);
		*time = atomic_Load(&b->overflowTime);
	}
	return (uint32_t)overflow;
}

// profBuf_incrementOverflow counts a record that was dropped at time now.  The reader may take the
// count meanwhile.
static void
profBuf_incrementOverflow(profBuf *b, int64_t now) {
	for (;;) {
		uint64_t overflow = atomic_Load(&b->overflow);
		if ((uint32_t)overflow == 0) {
			// Nobody else changes 0.  The time comes first: it must be there with the count.
			atomic_Store(&b->overflowTime, (uint64_t)now);
			atomic_Store(&b->overflow, (((overflow >> 32) + 1) << 32) + 1);
			break;
		}
		if ((uint32_t)overflow == UINT32_MAX) {
			break; // stays there
		}
		if (atomic_Cas(&b->overflow, overflow, overflow + 1)) {
			break;
		}
	}
}

profBuf *
newProfBuf(int hdrsize, int bufwords, int tags) {
	bufwords = max(bufwords, 2 + hdrsize + 1);
	if (bufwords >= 1 << 28 || tags >= 1 << 28) {
		throw("newProfBuf: buffer too large");
	}
	intptr_t ndata = 1, ntags = 1;
	while (ndata < bufwords) {
		ndata <<= 1;
	}
	while (ntags < tags) {
		ntags <<= 1;
	}

	uintptr_t over = alignUp(sizeof(profBuf), 64);
	uintptr_t data = over + (uintptr_t)(2 + hdrsize + 1) * sizeof(uint64_t);
	uintptr_t tag = data + (uintptr_t)ndata * sizeof(uint64_t);
	uintptr_t size = alignUp(tag + (uintptr_t)ntags * sizeof(void *), physPageSize);
	uint8_t *p = sysAlloc(size, &memstats.other_sys, "profile buffer");
	if (p == NULL) {
		throw("newProfBuf: out of memory");
	}
	profBuf *b = (profBuf *)(void *)p;
	b->hdrsize = (uintptr_t)hdrsize;
	b->overflowBuf = add(p, over);
	b->data = add(p, data);
	b->ndata = ndata;
	b->tags = add(p, tag);
	b->ntags = ntags;
	b->size = size;
	return b;
}

void
freeProfBuf(profBuf *b) {
	sysFree(b, b->size, &memstats.other_sys);
}

void
profBuf_reset(profBuf *b) {
	b->r = b->w = b->rNext = 0;
	b->overflow = b->overflowTime = 0;
	b->eof = 0;
	noteclear(&b->wait);
}

// profBuf_room is the free words of data, as the writer sees them.
static intptr_t
profBuf_room(profBuf *b, profIndex br, profIndex bw) {
	return countSub(profIndex_dataCount(br), profIndex_dataCount(bw)) + b->ndata;
}

// profBuf_canWriteRecord reports whether there is room for a record with a stack of nstk words.
static bool
profBuf_canWriteRecord(profBuf *b, intptr_t nstk) {
	profIndex br = atomic_Load(&b->r);
	profIndex bw = atomic_Load(&b->w);

	if (countSub(profIndex_tagCount(br), profIndex_tagCount(bw)) + b->ntags < 1) {
		return false;
	}

	intptr_t nd = profBuf_room(b, br, bw);
	intptr_t want = 2 + (intptr_t)b->hdrsize + nstk;
	intptr_t i = (intptr_t)(profIndex_dataCount(bw) % (uint32_t)b->ndata);
	if (i + want > b->ndata) {
		nd -= b->ndata - i; // the rest of the ring is left out
	}
	return nd >= want;
}

// profBuf_canWriteTwoRecords is the same for two records one after the other.  Each is in one piece;
// the second may start the ring again.
static bool
profBuf_canWriteTwoRecords(profBuf *b, intptr_t nstk1, intptr_t nstk2) {
	profIndex br = atomic_Load(&b->r);
	profIndex bw = atomic_Load(&b->w);

	if (countSub(profIndex_tagCount(br), profIndex_tagCount(bw)) + b->ntags < 2) {
		return false;
	}

	intptr_t nd = profBuf_room(b, br, bw);
	intptr_t want = 2 + (intptr_t)b->hdrsize + nstk1;
	intptr_t i = (intptr_t)(profIndex_dataCount(bw) % (uint32_t)b->ndata);
	if (i + want > b->ndata) {
		nd -= b->ndata - i;
		i = 0;
	}
	i += want;
	nd -= want;

	want = 2 + (intptr_t)b->hdrsize + nstk2;
	if (i + want > b->ndata) {
		nd -= b->ndata - i;
	}
	return nd >= want;
}

void
profBuf_write(profBuf *b, void *const *tagPtr, int64_t now, const uint64_t *hdr, int nhdr,
	const uintptr_t *stk, int nstk) {
	if (b == NULL) {
		return;
	}
	if ((uintptr_t)nhdr > b->hdrsize) {
		throw("misuse of profBuf.write");
	}

	bool hasOverflow = profBuf_hasOverflow(b);
	if (hasOverflow && profBuf_canWriteTwoRecords(b, 1, nstk)) {
		// The reader may be faster.
		uint64_t time;
		uint32_t count = profBuf_takeOverflow(b, &time);
		if (count > 0) {
			uintptr_t one[1] = {count};
			profBuf_write(b, NULL, (int64_t)time, NULL, 0, one, 1);
		}
	} else if (hasOverflow || !profBuf_canWriteRecord(b, nstk)) {
		profBuf_incrementOverflow(b, now);
		profBuf_wakeupExtra(b);
		return;
	}

	profIndex bw = atomic_Load(&b->w);

	// The slot holds NULL: no barrier (see above).
	uint32_t wt = profIndex_tagCount(bw) % (uint32_t)b->ntags;
	if (tagPtr != NULL) {
		atomic_StoreRelaxed(&b->tags[wt], *tagPtr);
	}

	intptr_t want = 2 + (intptr_t)b->hdrsize + nstk;
	intptr_t wd = (intptr_t)(profIndex_dataCount(bw) % (uint32_t)b->ndata);
	intptr_t skip = 0;
	if (wd + want > b->ndata) {
		b->data[wd] = 0;
		skip = b->ndata - wd;
		wd = 0;
	}
	uint64_t *data = b->data + wd;
	data[0] = (uint64_t)want;
	data[1] = (uint64_t)now;
	for (uintptr_t i = 0; i < b->hdrsize; i++) {
		data[2 + i] = i < (uintptr_t)nhdr ? hdr[i] : 0;
	}
	for (int i = 0; i < nstk; i++) {
		data[2 + b->hdrsize + (uintptr_t)i] = stk[i];
	}

	for (;;) {
		// The reader may set or clear flags meanwhile.
		profIndex old = atomic_Load(&b->w);
		profIndex new = profIndex_addCountsAndClearFlags(old, skip + want, 1);
		// r afresh: the reader may have come on, and then need not be woken yet.
		intptr_t unread =
			countSub(profIndex_dataCount(new), profIndex_dataCount(atomic_Load(&b->r)));
		if (unread < 0) {
			unread += b->ndata; // the count wrapped round
		}
		intptr_t wakeupThreshold = b->ndata / 2;
		if (unread < wakeupThreshold) {
			new |= old &profReaderSleeping; // let it sleep
		}
		if (!atomic_Cas(&b->w, old, new)) {
			continue;
		}
		if (unread >= wakeupThreshold && (old & profReaderSleeping) != 0) {
			notewakeup(&b->wait);
		}
		break;
	}
}

void
profBuf_close(profBuf *b) {
	if (atomic_Load(&b->eof) > 0) {
		throw("runtime: profBuf already closed");
	}
	atomic_Store(&b->eof, 1u);
	profBuf_wakeupExtra(b);
}

// profBuf_wakeupExtra tells the reader of a change of overflow or eof.  It is woken once.
static void
profBuf_wakeupExtra(profBuf *b) {
	for (;;) {
		profIndex old = atomic_Load(&b->w);
		profIndex new = (old | profWriteExtra) & ~profReaderSleeping;
		if (!atomic_Cas(&b->w, old, new)) {
			continue;
		}
		if ((old & profReaderSleeping) != 0) {
			notewakeup(&b->wait);
		}
		break;
	}
}

static void *overflowTag[1]; // NULL for ever

uint64_t *
profBuf_read(profBuf *b, enum profBufReadMode mode, intptr_t *ndata, void ***tags, intptr_t *ntags,
	bool *eof) {
	*ndata = 0;
	*tags = NULL;
	*ntags = 0;
	*eof = b == NULL;
	if (b == NULL) {
		return NULL;
	}

	// What the last call returned goes back to the writer.  The tags are dropped first: so that
	// they keep nothing alive, and because the writer relies on finding NULL.
	profIndex br = b->rNext;
	profIndex rPrev = atomic_Load(&b->r);
	if (rPrev != br) {
		intptr_t n = countSub(profIndex_tagCount(br), profIndex_tagCount(rPrev));
		uint32_t ti = profIndex_tagCount(rPrev) % (uint32_t)b->ntags;
		for (intptr_t i = 0; i < n; i++) {
			wbstore(&b->tags[ti], NULL);
			ti = (ti + 1) % (uint32_t)b->ntags;
		}
		atomic_Store(&b->r, br);
	}

	profIndex bw;
	intptr_t numData;
	for (;;) {
		bw = atomic_Load(&b->w);
		numData = countSub(profIndex_dataCount(bw), profIndex_dataCount(br));
		if (numData != 0) {
			break;
		}
		if (profBuf_hasOverflow(b)) {
			uint64_t time;
			uint32_t count = profBuf_takeOverflow(b, &time);
			if (count == 0) {
				continue; // the writer was faster
			}
			uint64_t *dst = b->overflowBuf;
			dst[0] = 2 + b->hdrsize + 1;
			dst[1] = time;
			for (uintptr_t i = 0; i < b->hdrsize; i++) {
				dst[2 + i] = 0;
			}
			dst[2 + b->hdrsize] = count;
			*ndata = (intptr_t)(2 + b->hdrsize + 1);
			*tags = overflowTag;
			*ntags = 1;
			return dst;
		}
		if (atomic_Load(&b->eof) > 0) {
			*eof = true;
			return NULL;
		}
		if ((bw & profWriteExtra) != 0) {
			// Take note, and look again, whether or not w has changed.
			(void)atomic_Cas(&b->w, bw, bw & ~profWriteExtra);
			continue;
		}
		if (mode == profBufNonBlocking) {
			return NULL;
		}
		if (!atomic_Cas(&b->w, bw, bw | profReaderSleeping)) {
			continue;
		}
		notetsleepg(&b->wait, -1);
		noteclear(&b->wait);
	}

	intptr_t at = (intptr_t)(profIndex_dataCount(br) % (uint32_t)b->ndata);
	uint64_t *data = b->data + at;
	intptr_t len = b->ndata - at;
	if (len > numData) {
		len = numData;
	} else {
		numData -= len; // what there is at the start of the ring
	}
	intptr_t skip = 0;
	if (data[0] == 0) {
		skip = len;
		data = b->data;
		len = min(b->ndata, numData);
	}

	intptr_t ntag = countSub(profIndex_tagCount(bw), profIndex_tagCount(br));
	if (ntag == 0) {
		throw("runtime: malformed profBuf buffer - tag and data out of sync");
	}
	intptr_t tagat = (intptr_t)(profIndex_tagCount(br) % (uint32_t)b->ntags);
	ntag = min(ntag, b->ntags - tagat);

	// Whole records until one of the two rings ends; what is left comes with the next call.
	intptr_t di = 0;
	intptr_t ti = 0;
	while (di < len && data[di] != 0 && ti < ntag) {
		if ((uint64_t)di + data[di] > (uint64_t)len) {
			throw("runtime: malformed profBuf buffer - invalid size");
		}
		di += (intptr_t)data[di];
		ti++;
	}

	b->rNext = profIndex_addCountsAndClearFlags(br, skip + di, ti);
	*ndata = di;
	*tags = b->tags + tagat;
	*ntags = ti;
	return data;
}
