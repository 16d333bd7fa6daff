// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Unwinding by call frame information.  See traceback_cfi.c.
#ifndef GORT_SCHED_TRACEBACK_CFI_H
#define GORT_SCHED_TRACEBACK_CFI_H

#include "runtime/runtime.h"

// cfiRegs is what is known of a frame: all that the frames of C code need.
typedef struct cfiRegs {
	uintptr_t pc;
	uintptr_t sp;
	uintptr_t bp;
} cfiRegs;

// cfi_step replaces r, the registers in a function, by those in its caller; look is the pc to look
// up: r->pc, or one less if that is a return address.  hdr is the .eh_frame_hdr of the object in
// memory, [lo, hi) the stack, outside of which nothing is read.  False: there is no information for
// look, or it leads nowhere.  r->pc is 0 when the frame has no caller.  Any context.
bool cfi_step(const uint8_t *hdr, cfiRegs *r, uintptr_t look, uintptr_t lo, uintptr_t hi);

#endif
