// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.
#ifndef GORT_H
#define GORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GORT_API __attribute__((visibility("default")))

// gort_type describes an object to the collector.  Made by GORT_TYPE and friends; constant.
typedef struct gort_type {
	size_t size;           // bytes
	size_t ptrbytes;       // the prefix that may hold pointers, in bytes; 0: none
	const uint8_t *gcdata; // one bit for each word of the prefix; NULL: every word may be one
	const char *name;
} gort_type;

// gort_call is a captured call: a function and the argument registers it is to start with.
typedef struct gort_call {
	void *fn;
	uint64_t gpr[6];
	double xmm[8];
} gort_call;

// gort_writeBarrier is not 0 while the collector marks; see gort_store.
extern GORT_API uint32_t gort_writeBarrier;

#endif
