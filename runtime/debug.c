// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The collector's public calls.  Ports runtime/debug of Go 1.26.8 (garbage.go), and runtime.GC.
#include "runtime/gort.h"

#include "runtime/mgc.h"
#include "runtime/mgcpacer.h"
#include "runtime/mheap.h"
#include "runtime/panic.h"

// gort_gc is runtime.GC.
void
gort_gc(void) {
	needg();
	GC();
}

// gort_set_gc_percent is debug.SetGCPercent.
int
gort_set_gc_percent(int percent) {
	needg();
	return setGCPercent(percent);
}

// gort_set_memory_limit is debug.SetMemoryLimit.
int64_t
gort_set_memory_limit(int64_t limit) {
	needg();
	return setMemoryLimit(limit);
}

// freeOSMemory_1 returns all free pages to the system, on g0.
static void
freeOSMemory_1(void *arg) {
	mheap_scavengeAll(&mheap_);
}

// gort_free_os_memory is debug.FreeOSMemory.
void
gort_free_os_memory(void) {
	needg();
	GC();
	systemstack(freeOSMemory_1, NULL);
}
