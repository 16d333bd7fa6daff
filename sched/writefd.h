// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Files that the runtime writes for the program: traces, profiles.  See writefd.c.
#ifndef GORT_SCHED_WRITEFD_H
#define GORT_SCHED_WRITEFD_H

#include "runtime/runtime.h"

// writefd writes all n bytes to fd, while other goroutines run: 0 or -errno.  On a goroutine.
int writefd(int fd, const void *data, uintptr_t n);

#endif
