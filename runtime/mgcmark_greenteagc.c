// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The layout half of Green Tea: mark bits inside the span.  Ports the first part of
// mgcmark_greenteagc.go of Go 1.26.8.
//
// A small-object span keeps its mark bits in its own last bytes, next to the objects they are about:
// marking an object then touches no mspan.  At the sweep the bits move to gcmarkBits, from where
// they become the allocation bits as with any other span.

#include "runtime/mgcmark_greenteagc.h"

// init prepares the inline mark bits of a span.  needzero: they may hold anything.
void
spanInlineMarkBits_init(spanInlineMarkBits *imb, spanClass class, bool needzero) {
	if (needzero) {
		memclrNoHeapPointers(imb, sizeof *imb);
	}
	imb->class = class;
}

// initInlineMarkBits prepares them for a span that is just being made.
void
mspan_initInlineMarkBits(mspan *s) {
	// Memory fresh from the system is zero.
	spanInlineMarkBits_init(mspan_inlineMarkBits(s), s->spanclass, s->needzero != 0);
}

// moveInlineMarks adds the inline marks to dst and clears them, scans too.
void
mspan_moveInlineMarks(mspan *s, gcBits *dst) {
	uintptr_t bytes = divRoundUp(s->nelems, 8);
	spanInlineMarkBits *imb = mspan_inlineMarkBits(s);
	const uint8_t *from = (const uint8_t *)imb + offsetof(spanInlineMarkBits, marks);
	for (uintptr_t i = 0; i < bytes; i += 8) {
		uint64_t marks, d;
		memcpy(&marks, from + i, sizeof marks);
		if (i == sizeof imb->marks + 1 - 8) {
			marks &= ~(UINT64_C(0xff) << 56); // the last byte is the class
		}
		memcpy(&d, &dst->x + i, sizeof d);
		d |= marks;
		memcpy(&dst->x + i, &d, sizeof d);
	}
	spanInlineMarkBits_init(imb, s->spanclass, true);
}
