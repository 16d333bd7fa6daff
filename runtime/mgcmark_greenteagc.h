// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The layout half of Green Tea: mark bits inside the span.  Ports the first part of
// mgcmark_greenteagc.go of Go 1.26.8.
#ifndef GORT_RUNTIME_MGCMARK_GREENTEAGC_H
#define GORT_RUNTIME_MGCMARK_GREENTEAGC_H

#include "runtime/runtime.h"

#include "runtime/mheap.h"
#include "sizeclasses/sizeclasses.h"

// The last bytes of a one-page span of small objects, from the end:
//
//	base                                      +8192-256          +8192-128         +8192
//	| objects ...                     | tail | heap bits (128) | spanInlineMarkBits |
//
// (without pointers there are no heap bits).  The words of marks and scans line up, so that eight
// bytes of both can be merged at once; the last byte of each half is put to another use, which is
// possible because no class with such bits has more than 63*8 objects.
typedef uint8_t spanScanOwnership;

enum {
	spanScanUnowned = 0,  // not queued for scanning
	spanScanOneMark = 2,  // queued; one mark has been set since
	spanScanManyMark = 4, // queued; more than one may have been set since
};

typedef struct spanInlineMarkBits {
	uint8_t scans[63];       // atomic: objects that have been scanned
	spanScanOwnership owned; // atomic
	uint8_t marks[63];       // atomic: objects that have been found
	spanClass class;         // so that a scan need not look at the mspan
} spanInlineMarkBits;

_Static_assert(sizeof(spanInlineMarkBits) == 128, "size of the inline mark bits");
_Static_assert(offsetof(spanInlineMarkBits, owned) == 63, "layout of the inline mark bits");
_Static_assert(offsetof(spanInlineMarkBits, marks) == 64, "layout of the inline mark bits");
_Static_assert(offsetof(spanInlineMarkBits, class) == 127, "layout of the inline mark bits");

// heapBitsInSpan: do objects of userSize bytes have their pointer bits at the end of the span?
// The same for a size and for the size class it is rounded up to.
static inline bool
heapBitsInSpan(uintptr_t userSize) {
	return userSize <= MinSizeForMallocHeader;
}

// gcUsesSpanInlineMarkBits: does a span of such elements have inline mark bits?
static inline bool
gcUsesSpanInlineMarkBits(uintptr_t size) {
	return heapBitsInSpan(size) && size >= 16;
}

// spanInlineMarkBitsFromBase is where the bits of the span at base are.  For gcUsesSpanInlineMarkBits.
static inline spanInlineMarkBits *
spanInlineMarkBitsFromBase(uintptr_t base) {
	return (spanInlineMarkBits *)(base + PageSize - sizeof(spanInlineMarkBits));
}

static inline spanInlineMarkBits *
mspan_inlineMarkBits(mspan *s) {
	return spanInlineMarkBitsFromBase(s->startAddr);
}

void spanInlineMarkBits_init(spanInlineMarkBits *imb, spanClass class, bool needzero);
void mspan_initInlineMarkBits(mspan *s);
void mspan_moveInlineMarks(mspan *s, gcBits *dst);

#endif
