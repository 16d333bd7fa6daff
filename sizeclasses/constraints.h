// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// What a table of size classes must satisfy for the runtime to work with it.  Included by the
// generated sizeclasses.h: a table made with other options fails here, by name, or works.
#ifndef GORT_SIZECLASSES_CONSTRAINTS_H
#define GORT_SIZECLASSES_CONSTRAINTS_H

_Static_assert(NumSizeClasses <= 128,
	"sizeclasses: more than 128 classes: a span class (class << 1 | noscan) is one byte");
_Static_assert(SizeClassesTinySize == TinySize,
	"sizeclasses: no class of exactly 16 bytes for the tiny allocator's blocks");
_Static_assert(SizeClassesHeaderSize == MinSizeForMallocHeader,
	"sizeclasses: 512 bytes, from where objects have a malloc header, is not a class boundary");
_Static_assert(SizeClassesLargest == MaxSmallSize,
	"sizeclasses: the largest class is not the largest small size");
_Static_assert(SizeClassesHeaderlessNPages == 1, "sizeclasses: a span of objects of at most 512 "
						 "bytes is not one page: its heap bits and mark "
						 "bits are laid out for one");
_Static_assert(MaxSizeClassNPages <= 255, "sizeclasses: a span has more than 255 pages");
_Static_assert(PageShift == 13,
	"sizeclasses: the page size is not 8192: the inline mark bits of a span hold 1024 words of "
	"objects");
_Static_assert(MaxObjsPerSpan <= 1024,
	"sizeclasses: more than 1024 objects in a span: mark bits of a small span are 128 bytes");

#endif
