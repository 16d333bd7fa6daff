// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Reading execution traces: the events of a Go 1.26 trace in the order in which they happened, with
// strings, stacks and resources resolved.  Go's, gort's and Go 1.22 to 1.25's traces are read by the
// rules of Go's internal/trace, of which this is a port; an event offers what its Event offers.
//
//	gt_reader *r = gt_open("x.trace");
//	gt_event ev;
//	while (gt_next(r, &ev))
//		switch (ev.kind) { ... }
//	if (gt_error(r) != NULL)
//		fprintf(stderr, "%s\n", gt_error(r));
//	gt_close(r);
//
// A file is read one generation at a time; the memory needed is that of the largest generation.
//
// How long things live:
//   - strings of type gt_str are interned: they live until gt_close, and equal text is an equal
//     pointer within one reader.  They end with a NUL, and may contain others (len counts them).
//     The message of a log and the batches of an experiment are the exception: see there.
//   - stacks, log messages and experimental batches live until gt_next returns the next GT_SYNC.
#ifndef TOOLS_GT_READER_H
#define TOOLS_GT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct gt_reader gt_reader;

typedef struct gt_str {
	uint32_t len;
	char s[]; // len bytes and a NUL
} gt_str;

// One frame of a stack, innermost first in a stack.
typedef struct gt_frame {
	uint64_t pc;
	const gt_str *func;
	const gt_str *file;
	uint64_t line;
} gt_frame;

// A stack.  Two events of one generation with the same stack have the same pointer.  NULL is Go's
// NoStack; a stack without frames is something else there (a goroutine made without a start stack).
typedef struct gt_stack {
	uint64_t id; // the number in the file, good in this generation only
	size_t n;
	const gt_frame *frames;
} gt_stack;

// EventKind
typedef enum gt_kind {
	GT_BAD,
	GT_SYNC,
	GT_METRIC,
	GT_LABEL,
	GT_STACK_SAMPLE,
	GT_RANGE_BEGIN,
	GT_RANGE_ACTIVE,
	GT_RANGE_END,
	GT_TASK_BEGIN,
	GT_TASK_END,
	GT_REGION_BEGIN,
	GT_REGION_END,
	GT_LOG,
	GT_STATE_TRANSITION,
	GT_EXPERIMENTAL,
} gt_kind;

// NoThread, NoProc, NoGoroutine
enum { GT_NONE = -1 };
// NoTask, BackgroundTask
#define GT_NO_TASK UINT64_MAX
#define GT_BACKGROUND_TASK UINT64_C(0)

// ResourceKind
typedef enum gt_resource_kind {
	GT_RES_NONE,
	GT_RES_GOROUTINE,
	GT_RES_PROC,
	GT_RES_THREAD,
} gt_resource_kind;

typedef struct gt_resource {
	gt_resource_kind kind;
	int64_t id;
} gt_resource;

// GoState
enum {
	GT_GO_UNDETERMINED,
	GT_GO_NOT_EXIST,
	GT_GO_RUNNABLE,
	GT_GO_RUNNING,
	GT_GO_WAITING,
	GT_GO_SYSCALL,
};
// ProcState
enum {
	GT_PROC_UNDETERMINED,
	GT_PROC_NOT_EXIST,
	GT_PROC_RUNNING,
	GT_PROC_IDLE,
};

// GT_STATE_TRANSITION.  from and to are states of goroutines or procs, as resource.kind says.  stack
// belongs to the resource that changes: the start stack of a new goroutine, for one; it may be NULL.
typedef struct gt_transition {
	gt_resource resource;
	uint8_t from, to;
	const gt_str *reason; // "" when there is none
	const gt_stack *stack;
} gt_transition;

// GT_METRIC.  Names are those of runtime/metrics; the values are unsigned integers.
typedef struct gt_metric {
	const gt_str *name;
	uint64_t value;
} gt_metric;

// GT_LABEL
typedef struct gt_label {
	const gt_str *label;
	gt_resource resource;
} gt_label;

// GT_RANGE_BEGIN, GT_RANGE_ACTIVE, GT_RANGE_END.  has_attrs: the end of a sweep says how much.
typedef struct gt_range {
	const gt_str *name;
	gt_resource scope;
	bool has_attrs;
	uint64_t swept, reclaimed; // attributes "bytes swept", "bytes reclaimed"
} gt_range;

// GT_TASK_BEGIN, GT_TASK_END.  A task whose begin is not in the trace has type "".
typedef struct gt_task {
	uint64_t id;
	uint64_t parent;
	const gt_str *type;
} gt_task;

// GT_REGION_BEGIN, GT_REGION_END
typedef struct gt_region {
	uint64_t task;
	const gt_str *type;
} gt_region;

// GT_LOG.  message lives until the next GT_SYNC and is not interned.
typedef struct gt_log {
	uint64_t task;
	const gt_str *category;
	const gt_str *message;
} gt_log;

enum { GT_MAX_EXP_ARGS = 4 };

// GT_EXPERIMENTAL
typedef struct gt_experimental {
	const char *name;       // "SpanAlloc"
	const char *experiment; // "AllocFree"
	int nargs;
	const char *argname[GT_MAX_EXP_ARGS];
	uint64_t arg[GT_MAX_EXP_ARGS];
} gt_experimental;

// One batch of an experiment, not interpreted.
typedef struct gt_exp_batch {
	uint8_t experiment; // 1: AllocFree
	int64_t thread;
	size_t n;
	const uint8_t *data;
} gt_exp_batch;

// GT_SYNC: the first and the last event of a trace, and one at the begin of each generation.
typedef struct gt_sync {
	int n; // 1, 2, ...
	bool has_clock;
	int64_t clock_trace;            // trace clock, ns
	uint64_t clock_mono;            // monotonic clock, ns
	uint64_t clock_sec, clock_nsec; // wall clock
	size_t nexp;
	const gt_exp_batch *exp;
} gt_sync;

// Event.  goroutine, proc and thread are those that ran when the event happened, before the
// transition that it may describe; GT_NONE where there was none.
typedef struct gt_event {
	gt_kind kind;
	uint8_t type; // number of the event in the file: enum in sched/tracev2.h
	int64_t time; // ns
	int64_t goroutine;
	int64_t proc;
	int64_t thread;
	const gt_stack *stack; // of who ran; NULL when none is known
	uint64_t gen;          // generation
	uint64_t offset;       // of the event in the file; 0 for those that the reader makes up
	union {
		gt_sync sync;
		gt_metric metric;
		gt_label label;
		gt_range range;
		gt_task task;
		gt_region region;
		gt_log log;
		gt_transition transition;
		gt_experimental experimental;
	};
} gt_event;

// gt_open opens a trace file ("-": standard input).  It always returns a reader: when the file cannot
// be opened or is no trace, the first gt_next fails.
gt_reader *gt_open(const char *path);

// gt_open_mem reads a trace from memory, which must stay until gt_close.
gt_reader *gt_open_mem(const void *data, size_t n, const char *name);

// gt_next fetches the next event.  It returns false at the end of the trace and on an error.
bool gt_next(gt_reader *r, gt_event *ev);

// gt_error returns the error that ended the reading in one line, or NULL:
// "x.trace: offset 1234 (generation 2, thread 77): WHAT [RULE]".  WHAT is the verdict of Go's reader.
const char *gt_error(gt_reader *r);

// gt_verdict is WHAT alone, as "go tool trace" has it, with the lines that follow the first in Go's
// message too (what the threads wait for, the states known); NULL without an error.
const char *gt_verdict(gt_reader *r);

// gt_error_offset is the offset of the error in the file.
uint64_t gt_error_offset(gt_reader *r);

// gt_size and gt_offset: size of the file in bytes (0: not known) and how much has been read.
uint64_t gt_size(gt_reader *r);
uint64_t gt_offset(gt_reader *r);

// gt_version is the minor version of Go in the header of the file: 26.
int gt_version(gt_reader *r);

// gt_progress switches the progress bar on standard error on or off.  gt_open has switched it on for
// files of 32 MB and more if standard error is a terminal.
void gt_progress(gt_reader *r, bool on);

// gt_intern interns text in the reader's pool, so that callers can compare names by pointer.
const gt_str *gt_intern(gt_reader *r, const char *s, size_t n);

// gt_close frees the reader and all that it gave out.  r may be NULL.
void gt_close(gt_reader *r);

// Names as Go's String methods print them.
const char *gt_kind_name(gt_kind k);
const char *gt_go_state(int state);
const char *gt_proc_state(int state);
const char *gt_resource_kind_name(gt_resource_kind k);

// gt_print_event prints ev as Event.String does, and a newline: what "go tool trace -d=parsed" has.
void gt_print_event(FILE *f, const gt_event *ev);

#endif // TOOLS_GT_READER_H
