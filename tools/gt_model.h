// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// What happened in a trace, in figures: one pass over the events, in memory that does not grow with
// the trace but with the goroutines alive at a time and the names in it.  The commands summary and
// html stand on it; html also hears of each stretch of time through hooks.
#ifndef TOOLS_GT_MODEL_H
#define TOOLS_GT_MODEL_H

#include "tools/gt_atom.h"
#include "tools/gt_hist.h"
#include "tools/gt_reader.h"

// Count and time of one thing.
typedef struct gt_tally {
	gt_atom what;
	uint64_t n;
	double ns, max;
} gt_tally;

typedef struct gt_tallies {
	gt_tally *v;
	size_t n, cap;
} gt_tallies;

// The goroutines of one name.
typedef struct gt_group {
	gt_atom name;
	int kind; // GT_USER, GT_SYSTEM, GT_TRACER
	uint64_t n, created, ended;
	double run, runnable, blocked, syscall, assist; // ns
	double worst;                                   // the longest wait for a P, ns
	gt_tallies reasons;                             // of blocking
} gt_group;

// A goroutine alive.
typedef struct gt_gor {
	int64_t id;
	uint64_t seq; // 0, 1, ... in the order of appearance
	gt_atom name; // "" as long as it is not known
	int state;
	int64_t since;  // of the state
	gt_atom reason; // of blocking
	gt_atom label;  // of a mark worker
	int64_t proc;   // where it runs or is in a system call, or GT_NONE
	int64_t ready;  // when it became runnable
	int64_t waker;  // who made it runnable, or GT_NONE
	bool in_assist;
	int64_t assist_at;
	bool created;
	double run, runnable, blocked, syscall, assist, worst;
	gt_tallies reasons;
	gt_tally *regions; // open ones: what, and when in ns
	size_t nregions, capregions;
} gt_gor;

// A stretch of time of a goroutine on a P.
enum { GT_SLICE_RUN, GT_SLICE_SYSCALL };
typedef struct gt_slice {
	int kind;
	int64_t proc, begin, end;
	const gt_gor *g;
	gt_atom why;   // how it ended
	int64_t ready; // runnable since; 0: not known
	int64_t waker; // by which goroutine
} gt_slice;

// A range.
enum { GT_SPAN_MARK, GT_SPAN_STW, GT_SPAN_ASSIST, GT_SPAN_SWEEP };
typedef struct gt_span {
	int kind;
	gt_atom name;
	int64_t proc, goroutine, begin, end;
	const gt_gor *g; // of an assist
} gt_span;

enum { GT_HEAP_LIVE, GT_HEAP_GOAL };

typedef struct gt_model gt_model;

typedef struct gt_hooks {
	void *ctx;
	void (*slice)(void *ctx, gt_model *m, const gt_slice *s);
	void (*span)(void *ctx, const gt_span *s);
	void (*heap)(void *ctx, int which, int64_t t, double v);
	void (*goroutine)(void *ctx, const gt_gor *g, int64_t t);     // at its end, or the trace's
	void (*counts)(void *ctx, int64_t t, const int64_t *bystate); // when they changed
} gt_hooks;

struct gt_model {
	const gt_hooks *hooks;
	int64_t first, last;
	uint64_t events, generations, offset;
	uint64_t kinds[GT_EXPERIMENTAL + 1];
	int version;
	int64_t procs, procs_max;

	gt_map live; // goroutine id -> gt_gor *
	uint64_t seen, created, ended, most;
	int64_t bystate[GT_GO_SYSCALL + 1];
	gt_group *groups;
	size_t ngroups, capgroups;
	gt_map groupidx; // name -> index+1
	gt_map names;    // gt_str -> atom
	gt_map onproc;   // P -> gt_gor * that runs there or is in a system call
	gt_map procat;   // P -> running since
	gt_map procrun;  // P -> ns

	gt_hist latency, latency_sys; // runnable to running, of the program's and other goroutines
	gt_hist pauses, marks;
	gt_tallies stw;  // by kind
	gt_map stw_open; // atom -> since
	bool in_mark;
	int64_t mark_at;
	uint64_t cycles;
	double worker[3]; // ns of dedicated, fractional, idle
	uint64_t workers[3];
	gt_tally assists, sweeps;
	double swept, reclaimed;
	gt_map sweep_open; // P -> since
	double heap, heap_peak, heap_first, goal, goal_max;
	double trigger, live_after;  // sum of heap/goal at cycle starts; heap after the last cycle
	double mark_heap, mark_goal; // at the start of the cycle under way
	uint64_t heap_updates, goal_updates;
	uint64_t preemptions, syscalls, blocked_syscalls, unblocks;

	gt_map tasks_open; // id -> begin
	gt_tallies tasks, regions, logs, samples;
};

// gt_model_read reads a trace through.  On an error it prints it and returns false.
bool gt_model_read(gt_model *m, const char *file, const gt_hooks *hooks);

// gt_model_find returns the goroutine alive with that id, or NULL.
gt_gor *gt_model_find(gt_model *m, int64_t id);

// gt_model_free frees what m has.
void gt_model_free(gt_model *m);

// gt_tally_add adds one of what, that took ns.
void gt_tally_add(gt_tallies *t, gt_atom what, double ns);

// gt_tally_sort sorts by time, then count, most first.
void gt_tally_sort(gt_tallies *t);

#endif // TOOLS_GT_MODEL_H
