// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Checkmarks: a second, stop-the-world mark that verifies the first.  Ports mcheckmark.go.
#ifndef GORT_RUNTIME_MCHECKMARK_H
#define GORT_RUNTIME_MCHECKMARK_H

#include "runtime/mbitmap.h"
#include "runtime/mheap.h"
#include "runtime/runtime.h"

// checkmarksMap has a bit for each word of an arena; an object's mark is that of its first word.
typedef struct checkmarksMap {
	uint8_t b[heapArenaBytes / PtrSize / 8];
} checkmarksMap;

extern bool useCheckmark; // marking uses the checkmarks

void startCheckmarks(void);
void endCheckmarks(void);
bool setCheckmark(uintptr_t obj, uintptr_t base, uintptr_t off, markBits mbits);
uint8_t *getCheckmark(uintptr_t obj, uint8_t *mask);
void runCheckmark(void (*prepareRootSet)(gcWork *gcw));

#endif
