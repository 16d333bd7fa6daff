// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// What the arguments of events are.  Ports spec.go and events.go of internal/trace/tracev2 of Go 1.26.8;
// the numbers are in sched/tracev2.h.
#ifndef TOOLS_GT_EVENTS_H
#define TOOLS_GT_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "sched/tracev2.h"

enum {
	EvSyncEvent = 255, // no event of the file: the reader's GT_SYNC
};

typedef struct gt_spec {
	const char *name;
	const char *args[MaxTimedEventArgs]; // the first of a timed event is dt
	uint8_t nargs;
	uint8_t stack[2]; // arguments that are stacks, counted from 1; the first is that of who ran
	uint8_t string[2];  // arguments that are strings
	uint8_t start;      // of an end: the event that begins
	uint8_t experiment; // or NoExperiment
	bool timed;
} gt_spec;

extern const gt_spec gt_specs[MaxExperimentalEvent];

// gt_event_name is the name of an event for messages, as of the version of Go in the file's header.
const char *gt_event_name(int version, uint8_t typ);

#endif // TOOLS_GT_EVENTS_H
