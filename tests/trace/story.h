// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Traces made up by hand, for the tests of the trace reader: one story with every event of the format,
// in families that can be left out, and a writer that puts it into the wire format.
#ifndef TESTS_TRACE_STORY_H
#define TESTS_TRACE_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/gt_events.h"

// Families of events.  Without any there are two threads, procs and goroutines that run.
enum {
	FAM_CHAN = 1 << 0, // block, unblock, stop, start
	FAM_TASK = 1 << 1, // tasks, regions, logs
	FAM_SYSCALL = 1 << 2,
	FAM_STEAL = 1 << 3,
	FAM_CORO = 1 << 4,
	FAM_GC = 1 << 5,
	FAM_CGO = 1 << 6,
	FAM_SAMPLE = 1 << 7,
	FAM_EXP = 1 << 8,
	FAM_LIFE = 1 << 9,  // goroutines come and go
	FAM_GEN2 = 1 << 10, // a second generation
	FAM_GC2 = 1 << 11,  // a collection across both
	FAM_LOST = 1 << 12, // a system call across both, whose proc is stolen
	FAM_ALL = (1 << 13) - 1,
};

enum { STORY_ARGS = 6 };

// What a number in the story stands for until it is written.
#define SEQ (UINT64_MAX - 77) // the next sequence number of .res

typedef struct story_item {
	uint32_t with, without; // families
	const char *tag;        // for defects
	uint64_t m;
	uint32_t dt;  // since the item before
	uint32_t res; // whose sequence number SEQ is
	uint8_t typ;  // event, or one of the STORY_ kinds
	uint8_t nargs;
	uint64_t args[STORY_ARGS];
	const char *data; // of STORY_RAW and EvExperimentalBatch
	uint32_t ndata;
} story_item;

// Items that are no events of a thread.
enum {
	STORY_GEN = 240, // a generation begins: number
	STORY_END,       // it ends: writes tables, clocks and the end
	STORY_RAW,       // a batch with this data
	STORY_SKIP,      // an event that is missing: takes its sequence number, and is not written
};

typedef struct story {
	story_item *items;
	int n, cap;
} story;

// What to leave out or do wrong, on the level above events.
typedef struct story_opts {
	int version; // 26, or 22, 23, 25; 0: 26
	bool nosync, noclock, noend, nostrings, nostacks, twofreq, twoclocks;
} story_opts;

// story_make fills s with the families given.
void story_make(story *s, uint32_t families);

// story_insert puts it before the i-th item.
void story_insert(story *s, int i, const story_item *it);
void story_delete(story *s, int i);

// story_write writes the trace and returns its length; what does not fit cap is cut off.
size_t story_write(const story *s, const story_opts *o, uint8_t *out, size_t cap);

#endif // TESTS_TRACE_STORY_H
