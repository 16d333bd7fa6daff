// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Rounding up to a size class.  Ports msize.go of Go 1.26.8.

#include "runtime/malloc.h"

// roundupsize is the usable size of the block that mallocgc would give for size bytes.
uintptr_t
roundupsize(uintptr_t size, bool noscan) {
	uintptr_t reqSize = size;
	if (reqSize <= maxSmallSize - MallocHeaderSize) {
		if (!noscan && !heapBitsInSpan(reqSize)) {
			reqSize += MallocHeaderSize;
		}
		// mallocgc adds the header again, so it is not part of the answer.
		return SizeClassToSize[sizeToClass(reqSize)] - (reqSize - size);
	}
	// Large: whole pages.
	reqSize += pageSize - 1;
	if (reqSize < size) {
		return size;
	}
	return reqSize & ~((uintptr_t)pageSize - 1);
}
