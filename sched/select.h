// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// select.  Ports select.go of Go 1.26.8.
#ifndef GORT_SCHED_SELECT_H
#define GORT_SCHED_SELECT_H

#include "runtime/runtime.h"
#include "sched/chan.h"

// scase is one case: sends first, then receives.  A NULL channel is never ready.
typedef struct scase {
	hchan *c;
	void *elem;
} scase;

enum {
	maxSelectCases = 65536,
};

// block parks the goroutine for good: select {}.
_Noreturn void block(void);

// selectgo chooses a case of nsends sends and then nrecvs receives.  cas0 and order0
// (2 * (nsends + nrecvs) entries, uninitialised) are on the caller's stack.  It returns the index
// of the case, or -1 if none is ready and block_ is false; *recvOK: a value was received.
int selectgo(scase *cas0, uint16_t *order0, int nsends, int nrecvs, bool block_, bool *recvOK);

#endif
