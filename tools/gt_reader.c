// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The trace reader.  Ports internal/trace/reader.go and batchcursor.go of Go 1.26.8, and what event.go
// makes of an event.
//
// The threads of a generation stand in a heap by the time of their next event.  The earliest one that
// can advance is the next event; when the earliest cannot, the others are tried in the order of their
// times.  When none can, the trace is broken.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tools/gt_impl.h"

enum { PROGRESS_SIZE = 32 << 20 };

// batchCursor
struct cursor {
	int64_t m;
	const gt_mbatches *mb;
	size_t idx; // next batch
	size_t off; // next byte of it
	int64_t last;
	gt_base ev; // the event read last
	gt_mstate *ms;
};

struct gt_reader {
	char *name;
	gt_src src;
	gt_fault f;
	gt_pool pool;
	int version;
	gt_order *order;

	gt_gen gen;
	bool has_gen; // gen is the current generation
	struct cursor *cursors;
	size_t capcursors;
	struct cursor **frontier;
	size_t nfrontier, capfrontier;
	size_t nextsample;

	int64_t last; // time of the last event
	int syncs;
	bool opened, done;
	gt_spill spill;
	bool later; // the error in f is that of the generation after this one

	gt_buf error;
	const gt_str *empty, *gomaxprocs, *heapobjects, *heapgoal, *mark, *sweep, *assist;

	bool progress, drawn;
	uint64_t consumed, drawn_to; // bytes
	struct timespec drawn_at, started;
};

// ---- errors

bool
gt_bad(gt_fault *f, const char *rule, const char *fmt, ...) {
	if (f->set)
		return false;
	f->set = true;
	f->bad_off = f->off;
	f->bad_gen = f->gen;
	f->bad_m = f->m;
	f->bad_has_m = f->has_m;
	f->rule.n = f->verdict.n = 0;
	gt_buf_str(&f->rule, rule);
	va_list ap;
	va_start(ap, fmt);
	gt_buf_vfmt(&f->verdict, fmt, ap);
	va_end(ap);
	return false;
}

// ---- strings

// pool_string makes a string in memory of a.
static gt_str *
pool_string(gt_arena *a, const char *s, size_t n) {
	gt_str *str = gt_arena_alloc(a, sizeof *str + n + 1);
	str->len = (uint32_t)n;
	memcpy(str->s, s, n);
	str->s[n] = 0;
	return str;
}

const gt_str *
gt_pool_intern(gt_pool *p, const char *s, size_t n) {
	// Texts with the same hash take the next keys.
	for (uint64_t h = XXH3_64bits(s, n);; h++) {
		bool isnew;
		uint64_t *v = gt_map_put(&p->map, h, &isnew);
		if (isnew) {
			gt_str *str = pool_string(&p->arena, s, n);
			*v = (uintptr_t)str;
			return str;
		}
		const gt_str *str = (const gt_str *)(uintptr_t)*v;
		if (str->len == n && memcmp(str->s, s, n) == 0)
			return str;
	}
}

const gt_str *
gt_intern(gt_reader *r, const char *s, size_t n) {
	return gt_pool_intern(&r->pool, s, n);
}

static const gt_str *
intern_string(gt_reader *r, gt_string *str) {
	if (str->interned == NULL)
		str->interned = gt_pool_intern(&r->pool, str->s, str->n);
	return str->interned;
}

// ---- heap of cursors

static void
heap_swap(struct cursor **h, size_t i, size_t j) {
	struct cursor *t = h[i];
	h[i] = h[j];
	h[j] = t;
}

static size_t
heap_sift_up(struct cursor **h, size_t i) {
	while (i > 0 && h[(i - 1) / 2]->ev.time > h[i]->ev.time) {
		heap_swap(h, (i - 1) / 2, i);
		i = (i - 1) / 2;
	}
	return i;
}

static void
heap_sift_down(struct cursor **h, size_t n, size_t i) {
	for (;;) {
		size_t m = i;
		int64_t min = i < n ? h[i]->ev.time : INT64_MAX;
		for (size_t c = 2 * i + 1; c <= 2 * i + 2 && c < n; c++)
			if (h[c]->ev.time < min) {
				min = h[c]->ev.time;
				m = c;
			}
		if (m == i)
			return;
		heap_swap(h, i, m);
		i = m;
	}
}

static void
heap_remove(gt_reader *r, size_t i) {
	struct cursor **h = r->frontier;
	for (; i > 0; i = (i - 1) / 2)
		heap_swap(h, (i - 1) / 2, i);
	heap_swap(h, 0, --r->nfrontier);
	heap_sift_down(h, r->nfrontier, 0);
}

static bool
frontier_less(void *ctx, long i, long j) {
	struct cursor **h = ctx;
	return h[i]->ev.time < h[j]->ev.time;
}

static void
frontier_swap(void *ctx, long i, long j) {
	heap_swap(ctx, (size_t)i, (size_t)j);
}

// ---- cursors

enum { CURSOR_BAD = -1, CURSOR_END, CURSOR_OK };

// next_event reads the next event of a thread into c->ev.
static int
next_event(gt_reader *r, struct cursor *c) {
	const gt_mbatches *mb = c->mb;
	while (c->idx < mb->n && mb->b[c->idx].n == c->off) {
		r->consumed += mb->b[c->idx].n;
		c->idx++;
		c->off = 0;
		c->last = 0;
	}
	if (c->idx == mb->n)
		return CURSOR_END;
	const gt_batch *b = &mb->b[c->idx];
	double freq = r->gen.freq;
	if (c->last == 0)
		c->last = gt_mul(freq, b->time);
	gt_fault *f = &r->f;
	f->off = b->off + c->off;
	f->m = c->m;
	f->has_m = true;
	const uint8_t *p = b->data + c->off, *end = b->data + b->n;
	uint8_t typ = *p++;
	if (typ >= MaxExperimentalEvent) {
		gt_bad(f, "an event has a number below 137", "found invalid event type: %d", typ);
		return CURSOR_BAD;
	}
	const gt_spec *spec = &gt_specs[typ];
	if (spec->nargs == 0 || !spec->timed) {
		gt_bad(f, "only timed events stand among the events of a thread",
			"found event without a timestamp: type=%d", typ);
		return CURSOR_BAD;
	}
	c->ev.typ = typ;
	c->ev.off = f->off;
	uint64_t v[MaxTimedEventArgs];
	for (int i = 0; i < spec->nargs; i++) {
		int n = 1;
		if (p < end && *p < 0x80)
			v[i] = *p;
		else
			n = gt_uvarint(p, (size_t)(end - p), &v[i]);
		if (n <= 0) {
			gt_bad(f, "an event and its arguments end with their batch",
				i == 0 ? "found invalid uvarint for timestamp"
				       : "found invalid uvarint");
			return CURSOR_BAD;
		}
		p += n;
		if (i > 0)
			c->ev.args[i - 1] = v[i];
	}
	c->ev.time = (int64_t)((uint64_t)gt_mul(freq, v[0]) + (uint64_t)c->last);
	c->last = c->ev.time;
	c->off = (size_t)(p - b->data);
	return CURSOR_OK;
}

// ---- what is in an event

static bool
check_stack(gt_reader *r, uint64_t id, uint8_t typ) {
	gt_stk *st;
	return gt_stack_get(&r->gen, id, &st) ||
	       gt_bad(&r->f, "strings and stacks of an event are in the tables of its generation",
		       "found invalid stack ID %lu for event %s", id, gt_specs[typ].name);
}

static bool
check_string(gt_reader *r, uint64_t id, uint8_t typ) {
	return gt_string_get(&r->gen, id) != NULL ||
	       gt_bad(&r->f, "strings and stacks of an event are in the tables of its generation",
		       "found invalid string ID %lu for event %s", id, gt_specs[typ].name);
}

// validate_ids checks that the strings and stacks of an event exist.
//
// PORT: Go's reader does not look at the stack of a CPU sample, nor at the kind of a stop of the world
// that began in another generation, and panics when it needs them.
static bool
validate_ids(gt_reader *r, const gt_ordered *o) {
	const gt_base *ev = &o->base;
	const gt_spec *spec = &gt_specs[ev->typ];
	if (ev->typ == EvCPUSample)
		return check_stack(r, ev->args[0], ev->typ);
	for (int i = 0; i < 2 && spec->stack[i] != 0; i++)
		if (!check_stack(r, ev->args[spec->stack[i] - 1], ev->typ))
			return false;
	for (int i = 0; i < 2 && spec->string[i] != 0; i++)
		if (!check_string(r, ev->args[spec->string[i] - 1], ev->typ))
			return false;
	return ev->typ != EvSTWEnd || check_string(r, ev->args[0], ev->typ);
}

// stack returns a stack with its frames; that of id 0 has none.
static const gt_stack *
stack(gt_reader *r, uint64_t id) {
	gt_gen *g = &r->gen;
	gt_stk *st;
	gt_stack_get(g, id, &st);
	if (st == NULL)
		return &g->nostack;
	if (st->frames == NULL) {
		st->frames = gt_arena_alloc(&g->arena, st->st.n * sizeof *st->frames);
		for (size_t i = 0; i < st->st.n; i++) {
			gt_rawframe *fr = &g->frames[*gt_map_get(&g->pcs, st->pcs[i])];
			st->frames[i] = (gt_frame){
				.pc = fr->pc,
				.func = intern_string(r, gt_string_get(g, fr->func)),
				.file = intern_string(r, gt_string_get(g, fr->file)),
				.line = fr->line,
			};
		}
		st->st.frames = st->frames;
	}
	return &st->st;
}

static const gt_str *
string(gt_reader *r, uint64_t id) {
	return intern_string(r, gt_string_get(&r->gen, id));
}

// message returns a string that is kept for this generation only.
static const gt_str *
message(gt_reader *r, uint64_t id) {
	gt_string *str = gt_string_get(&r->gen, id);
	if (str->local == NULL)
		str->local = pool_string(&r->gen.arena, str->s, str->n);
	return str->local;
}

// stw_name is the name of a range in which the world is stopped.
static const gt_str *
stw_name(gt_reader *r, uint64_t id) {
	gt_string *str = gt_string_get(&r->gen, id);
	if (str->stw == NULL) {
		gt_buf b = {0};
		gt_buf_str(&b, "stop-the-world (");
		gt_buf_add(&b, str->s, str->n);
		gt_buf_str(&b, ")");
		str->stw = gt_pool_intern(&r->pool, b.s, b.n);
		gt_buf_free(&b);
	}
	return str->stw;
}

static void
go_transition(gt_reader *r, gt_event *ev, int64_t id, int from, int to) {
	ev->kind = GT_STATE_TRANSITION;
	ev->transition.resource = (gt_resource){GT_RES_GOROUTINE, id};
	ev->transition.from = (uint8_t)from;
	ev->transition.to = (uint8_t)to;
	ev->transition.reason = r->empty;
}

static void
proc_transition(gt_reader *r, gt_event *ev, int64_t id, int from, int to) {
	ev->kind = GT_STATE_TRANSITION;
	ev->transition.resource = (gt_resource){GT_RES_PROC, id};
	ev->transition.from = (uint8_t)from;
	ev->transition.to = (uint8_t)to;
	ev->transition.reason = r->empty;
}

static void
metric(gt_event *ev, const gt_str *name, uint64_t value) {
	ev->kind = GT_METRIC;
	ev->metric = (gt_metric){name, value};
}

static void
range(gt_event *ev, gt_kind kind, const gt_str *name, gt_resource_kind res, int64_t id) {
	ev->kind = kind;
	ev->range.name = name;
	ev->range.scope = (gt_resource){res, id};
}

const uint8_t gt_status_go_state[NumGoStatus] = {
	[GoRunnable] = GT_GO_RUNNABLE,
	[GoRunning] = GT_GO_RUNNING,
	[GoWaiting] = GT_GO_WAITING,
	[GoSyscall] = GT_GO_SYSCALL,
};

const uint8_t gt_status_proc_state[NumProcStatus] = {
	[ProcRunning] = GT_PROC_RUNNING,
	[ProcIdle] = GT_PROC_IDLE,
	[ProcSyscall] = GT_PROC_RUNNING,
	[ProcSyscallAbandoned] = GT_PROC_IDLE,
};

// fill makes the event that the caller sees.
static void
fill(gt_reader *r, const gt_ordered *o, gt_event *ev) {
	const gt_base *b = &o->base;
	const uint64_t *a = b->args;
	const gt_spec *spec = &gt_specs[b->typ];
	memset(ev, 0, sizeof *ev);
	ev->type = b->typ;
	ev->time = b->time;
	ev->goroutine = o->ctx.g;
	ev->proc = o->ctx.p;
	ev->thread = o->ctx.m;
	ev->gen = r->gen.gen;
	ev->offset = b->off;
	if (b->typ == EvCPUSample)
		ev->stack = stack(r, a[0]);
	else if (spec->stack[0] != 0 && a[spec->stack[0] - 1] != 0)
		ev->stack = stack(r, a[spec->stack[0] - 1]);
	gt_transition *t = &ev->transition;
	switch (b->typ) {
	case EvCPUSample:
		ev->kind = GT_STACK_SAMPLE;
		break;
	case EvProcsChange:
		metric(ev, r->gomaxprocs, a[0]);
		break;
	case EvHeapAlloc:
		metric(ev, r->heapobjects, a[0]);
		break;
	case EvHeapGoal:
		metric(ev, r->heapgoal, a[0]);
		break;
	case EvProcStart:
		proc_transition(r, ev, (int64_t)a[0], GT_PROC_IDLE, GT_PROC_RUNNING);
		break;
	case EvProcStop:
		proc_transition(r, ev, ev->proc, GT_PROC_RUNNING, GT_PROC_IDLE);
		break;
	case EvProcSteal:
		proc_transition(r, ev, (int64_t)a[0],
			a[3] == ProcSyscallAbandoned ? GT_PROC_IDLE : GT_PROC_RUNNING,
			GT_PROC_IDLE);
		break;
	case EvProcStatus:
		proc_transition(r, ev, (int64_t)a[0], (int)a[2], gt_status_proc_state[a[1]]);
		break;
	case EvGoCreate:
	case EvGoCreateBlocked:
		go_transition(r, ev, (int64_t)a[0], GT_GO_NOT_EXIST,
			b->typ == EvGoCreate ? GT_GO_RUNNABLE : GT_GO_WAITING);
		t->stack = stack(r, a[1]);
		break;
	case EvGoCreateSyscall:
		go_transition(r, ev, (int64_t)a[0], GT_GO_NOT_EXIST, GT_GO_SYSCALL);
		break;
	case EvGoStart:
		go_transition(r, ev, (int64_t)a[0], GT_GO_RUNNABLE, GT_GO_RUNNING);
		break;
	case EvGoDestroy:
		go_transition(r, ev, ev->goroutine, GT_GO_RUNNING, GT_GO_NOT_EXIST);
		break;
	case EvGoDestroySyscall:
		go_transition(r, ev, ev->goroutine, GT_GO_SYSCALL, GT_GO_NOT_EXIST);
		break;
	case EvGoStop:
	case EvGoBlock:
		go_transition(r, ev, ev->goroutine, GT_GO_RUNNING,
			b->typ == EvGoStop ? GT_GO_RUNNABLE : GT_GO_WAITING);
		t->reason = string(r, a[0]);
		t->stack = ev->stack;
		break;
	case EvGoUnblock:
	case EvGoSwitch:
	case EvGoSwitchDestroy:
		go_transition(r, ev, (int64_t)a[0], GT_GO_WAITING, GT_GO_RUNNABLE);
		break;
	case EvGoSyscallBegin:
		go_transition(r, ev, ev->goroutine, GT_GO_RUNNING, GT_GO_SYSCALL);
		t->stack = ev->stack;
		break;
	case EvGoSyscallEnd:
		go_transition(r, ev, ev->goroutine, GT_GO_SYSCALL, GT_GO_RUNNING);
		break;
	case EvGoSyscallEndBlocked:
		go_transition(r, ev, ev->goroutine, GT_GO_SYSCALL, GT_GO_RUNNABLE);
		break;
	case EvGoStatus:
	case EvGoStatusStack:
		go_transition(r, ev, (int64_t)a[0], (int)(a[2] >> 32),
			gt_status_go_state[(uint32_t)a[2]]);
		t->stack = ev->stack;
		break;
	case EvSTWBegin:
	case EvSTWEnd:
		range(ev, b->typ == EvSTWBegin ? GT_RANGE_BEGIN : GT_RANGE_END, stw_name(r, a[0]),
			GT_RES_GOROUTINE, ev->goroutine);
		break;
	case EvGCBegin:
	case EvGCActive:
	case EvGCEnd:
		range(ev,
			b->typ == EvGCBegin    ? GT_RANGE_BEGIN
			: b->typ == EvGCActive ? GT_RANGE_ACTIVE
					       : GT_RANGE_END,
			r->mark, GT_RES_NONE, 0);
		break;
	case EvGCSweepBegin:
		range(ev, GT_RANGE_BEGIN, r->sweep, GT_RES_PROC, ev->proc);
		break;
	case EvGCSweepActive:
		range(ev, GT_RANGE_ACTIVE, r->sweep, GT_RES_PROC, (int64_t)a[0]);
		break;
	case EvGCSweepEnd:
		range(ev, GT_RANGE_END, r->sweep, GT_RES_PROC, ev->proc);
		ev->range.has_attrs = true;
		ev->range.swept = a[0];
		ev->range.reclaimed = a[1];
		break;
	case EvGCMarkAssistBegin:
		range(ev, GT_RANGE_BEGIN, r->assist, GT_RES_GOROUTINE, ev->goroutine);
		break;
	case EvGCMarkAssistActive:
		range(ev, GT_RANGE_ACTIVE, r->assist, GT_RES_GOROUTINE, (int64_t)a[0]);
		break;
	case EvGCMarkAssistEnd:
		range(ev, GT_RANGE_END, r->assist, GT_RES_GOROUTINE, ev->goroutine);
		break;
	case EvGoLabel:
		ev->kind = GT_LABEL;
		ev->label = (gt_label){string(r, a[0]), {GT_RES_GOROUTINE, ev->goroutine}};
		break;
	case EvUserTaskBegin:
		ev->kind = GT_TASK_BEGIN;
		ev->task = (gt_task){a[0], a[1], string(r, a[2])};
		break;
	case EvUserTaskEnd:
		ev->kind = GT_TASK_END;
		ev->task = (gt_task){a[0], a[2], o->tasktype};
		break;
	case EvUserRegionBegin:
	case EvUserRegionEnd:
		ev->kind = b->typ == EvUserRegionBegin ? GT_REGION_BEGIN : GT_REGION_END;
		ev->region = (gt_region){a[0], string(r, a[1])};
		break;
	case EvUserLog:
		ev->kind = GT_LOG;
		ev->log = (gt_log){a[0], string(r, a[1]), message(r, a[2])};
		break;
	default:
		ev->kind = GT_EXPERIMENTAL;
		ev->experimental = (gt_experimental){
			.name = spec->name, .experiment = "AllocFree", .nargs = spec->nargs - 1};
		for (int i = 0; i < spec->nargs - 1; i++) {
			ev->experimental.argname[i] = spec->args[i + 1];
			ev->experimental.arg[i] = a[i];
		}
	}
}

// ---- progress

static double
seconds_since(const struct timespec *t) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - t->tv_sec) + (double)(now.tv_nsec - t->tv_nsec) / 1e9;
}

// draw draws the progress bar.
static void
draw(gt_reader *r) {
	r->drawn = true;
	clock_gettime(CLOCK_MONOTONIC, &r->drawn_at);
	double part = r->src.size == 0 ? 0 : (double)r->consumed / (double)r->src.size;
	if (part > 1)
		part = 1;
	char bar[31];
	for (int i = 0; i < 30; i++)
		bar[i] = i < (int)(part * 30) ? '#' : '.';
	bar[30] = 0;
	double left = part > 0 ? seconds_since(&r->started) * (1 - part) / part : 0;
	fprintf(stderr, "\r[%s] %3.0f%% of %.0f MB, %.0f s left \033[K", bar, part * 100,
		(double)r->src.size / 1e6, left);
	fflush(stderr);
}

// progress draws the bar at most ten times a second, and not before half a second has passed.
static void
progress(gt_reader *r) {
	if (r->consumed - r->drawn_to < 1 << 18)
		return;
	r->drawn_to = r->consumed;
	if (r->drawn && seconds_since(&r->drawn_at) < 0.1)
		return;
	if (!r->drawn && seconds_since(&r->started) < 0.5)
		return;
	draw(r);
}

// undraw takes the bar away.
static void
undraw(gt_reader *r) {
	if (r->drawn) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
	}
	r->drawn = false;
}

void
gt_progress(gt_reader *r, bool on) {
	if (!on)
		undraw(r);
	r->progress = on;
}

// ---- reading

// The text of the states at which nothing can advance, as Go prints it.
static void
dump_frontier(gt_reader *r, gt_buf *b) {
	gt_buf_fmt(b, "\n[gen=%lu]\n\n", r->gen.gen);
	for (size_t i = 0; i < r->nfrontier; i++) {
		const gt_base *ev = &r->frontier[i]->ev;
		const gt_spec *spec = &gt_specs[ev->typ];
		gt_buf_fmt(b, "M %ld [%s time=%ld", r->frontier[i]->m, spec->name, ev->time);
		for (int k = 1; k < spec->nargs; k++)
			gt_buf_fmt(b, " %s=%lu", spec->args[k], ev->args[k - 1]);
		gt_buf_str(b, "]\n");
	}
	gt_buf_str(b, "\n");
	gt_order_dump(r->order, b);
	gt_buf_str(b, "\n");
}

// sync_event makes a GT_SYNC.
static void
sync_event(gt_reader *r, gt_event *ev, int64_t time) {
	memset(ev, 0, sizeof *ev);
	ev->kind = GT_SYNC;
	ev->type = EvSyncEvent;
	ev->time = time;
	ev->goroutine = ev->proc = ev->thread = GT_NONE;
	ev->sync.n = ++r->syncs;
	if (r->has_gen) {
		gt_gen *g = &r->gen;
		ev->gen = g->gen;
		ev->sync.has_clock = g->has_clock;
		if (g->has_clock) {
			ev->sync.clock_trace = gt_mul(g->freq, g->snap_time);
			ev->sync.clock_mono = g->snap_mono;
			ev->sync.clock_sec = g->snap_sec;
			ev->sync.clock_nsec = g->snap_nsec;
		}
		ev->sync.nexp = g->nexp;
		ev->sync.exp = g->exp;
	}
}

// install_gen starts with a generation that has been read.
static bool
install_gen(gt_reader *r, gt_event *ev) {
	gt_gen *g = &r->gen;
	r->has_gen = true;
	r->nextsample = 0;
	if (g->nmb > r->capcursors) {
		r->capcursors = g->nmb * 2;
		r->cursors = gt_xrealloc(r->cursors, r->capcursors * sizeof *r->cursors);
		r->frontier = gt_xrealloc(r->frontier, r->capcursors * sizeof *r->frontier);
	}
	for (size_t i = 0; i < g->nmb; i++) {
		struct cursor *c = &r->cursors[i];
		*c = (struct cursor){.m = g->mb[i].m, .mb = &g->mb[i]};
		int res = next_event(r, c);
		if (res == CURSOR_BAD)
			return false;
		if (res == CURSOR_END)
			continue;
		r->frontier[r->nfrontier++] = c;
		heap_sift_up(r->frontier, r->nfrontier - 1);
	}
	for (size_t i = 0; i < g->nexp; i++)
		if (g->exp[i].experiment >= NumExperiments)
			return gt_bad(&r->f, "experiment 1 (AllocFree) is all there is",
				"unknown experiment: %d", g->exp[i].experiment);
	sync_event(r, ev, gt_mul(g->freq, g->min_ts));
	return true;
}

// last_sync makes the last event.  The error, if there is one, comes after it.
static bool
last_sync(gt_reader *r, gt_event *ev) {
	r->has_gen = false;
	r->done = true;
	sync_event(r, ev, r->last);
	return true;
}

// count_consumed: what was read of the file is consumed, but for the events.
static void
count_consumed(gt_reader *r) {
	r->consumed = r->src.base + r->src.pos - (r->spill.set ? r->spill.b.n : 0);
	for (size_t i = 0; i < r->gen.nmb; i++)
		for (size_t k = 0; k < r->gen.mb[i].n; k++)
			r->consumed -= r->gen.mb[i].b[k].n;
}

// next_gen goes to the next generation.
static bool
next_gen(gt_reader *r, gt_event *ev) {
	if (r->later)
		r->f.set = true;
	if (r->later || (r->version < 26 && r->has_gen && !r->spill.set))
		return last_sync(r, ev);
	enum gt_genresult res = r->version < 26
					? gt_read_generation_spill(&r->gen, &r->src, r->version,
						  &r->spill, &r->f, &r->later)
					: gt_read_generation(&r->gen, &r->src, r->version, &r->f);
	count_consumed(r);
	if (res != GT_GEN_OK)
		return last_sync(r, ev);
	return install_gen(r, ev);
}

// try_advance tries to make the event of the i-th cursor the next one.
static enum gt_advance
try_advance(gt_reader *r, size_t i) {
	struct cursor *c = r->frontier[i];
	r->f.off = c->ev.off;
	r->f.m = c->m;
	r->f.has_m = true;
	enum gt_advance res = gt_order_advance(r->order, &c->ev, &r->gen, c->m, &c->ms);
	if (res != GT_ADVANCED)
		return res;
	switch (next_event(r, c)) {
	case CURSOR_BAD:
		return GT_BROKEN;
	case CURSOR_OK:
		if (heap_sift_up(r->frontier, i) == i)
			heap_sift_down(r->frontier, r->nfrontier, i);
		break;
	case CURSOR_END:
		heap_remove(r, i);
	}
	return GT_ADVANCED;
}

// read_event reads the next event before its ids are checked and its time is corrected.  *o is filled
// in for events of the file, *ev for GT_SYNC (*issync).
static bool
read_event(gt_reader *r, gt_event *ev, gt_ordered *o, bool *issync) {
	*issync = false;
	if (gt_order_next(r->order, o))
		return true;
	gt_gen *g = &r->gen;
	if (r->nfrontier == 0 && r->nextsample == (r->has_gen ? g->nsamples : 0)) {
		*issync = true;
		return next_gen(r, ev);
	}
	if (r->nextsample < g->nsamples) {
		const gt_cpusample *s = &g->samples[r->nextsample];
		if (r->nfrontier == 0 || s->time < r->frontier[0]->ev.time) {
			r->nextsample++;
			r->f.off = s->off;
			r->f.m = s->m;
			r->f.has_m = true;
			*o = (gt_ordered){
				.ctx = {.g = s->g, .p = s->p, .m = s->m},
				.base = {.typ = EvCPUSample,
					.time = s->time,
					.args = {s->stack},
					.off = s->off},
			};
			return true;
		}
	}
	enum gt_advance res = try_advance(r, 0);
	if (res == GT_WAIT) {
		// A sorted heap is a heap.
		gt_pdqsort(r->frontier, (long)r->nfrontier, frontier_less, frontier_swap);
		for (size_t i = 1; i < r->nfrontier && res == GT_WAIT; i++)
			res = try_advance(r, i);
		if (res == GT_WAIT) {
			try_advance(r, 0); // once more, for the reason and the place
			gt_bad(&r->f, "an event happens when what it needs has happened: ", "%s",
				"broken trace: failed to advance: frontier:");
			gt_buf_str(&r->f.rule, gt_specs[r->frontier[0]->ev.typ].name);
			gt_buf_str(&r->f.rule, " is next, and ");
			gt_order_why(r->order, &r->f.rule);
			dump_frontier(r, &r->f.verdict);
		}
	}
	return res == GT_ADVANCED && gt_order_next(r->order, o);
}

// read_header reads the first 16 bytes.
static bool
read_header(gt_reader *r) {
	gt_fault *f = &r->f;
	if (r->src.err != 0)
		return gt_bad(f, "the file can be opened", "failed to read trace file: open %s: %s",
			r->name, strerror(r->src.err));
	static const char format[] = "go 1.# trace\0\0\0"; // #: a number
	uint64_t version = 0;
	int c = gt_src_byte(&r->src);
	for (size_t i = 0; i < sizeof format - 1; i++) {
		bool ok = c == format[i];
		if (format[i] == '#') {
			ok = c >= '0' && c <= '9';
			for (; c >= '0' && c <= '9' && version <= UINT32_MAX;
				c = gt_src_byte(&r->src))
				version = version * 10 + (uint64_t)(c - '0');
			ok = ok && version <= UINT32_MAX;
		} else if (ok && i < sizeof format - 2) {
			c = gt_src_byte(&r->src);
		}
		if (r->src.err != 0)
			return gt_bad(f, "the file can be read", "%s", strerror(r->src.err));
		if (!ok)
			return gt_bad(f, "a trace begins with \"go 1.26 trace\" and three NULs",
				"bad file format: not a Go execution trace?");
	}
	r->version = (int)version;
	switch (r->version) {
	case 22:
	case 23:
	case 25:
	case 26:
		r->order = gt_order_new(r->version, f, &r->pool);
		return true;
	default:
		return gt_bad(f, "traces of Go 1.22, 1.23, 1.25 and 1.26 can be read",
			"unknown or unsupported trace version go 1.%lu", version);
	}
}

bool
gt_next(gt_reader *r, gt_event *ev) {
	if (!r->opened) {
		r->opened = true;
		if (!read_header(r))
			r->done = true;
		clock_gettime(CLOCK_MONOTONIC, &r->started);
	}
	gt_ordered o;
	bool issync;
	bool ok = !r->done && read_event(r, ev, &o, &issync);
	if (ok && !issync) {
		if (o.base.off != 0)
			r->f.off = o.base.off;
		ok = validate_ids(r, &o);
	}
	if (!ok) {
		r->done = true;
		if (r->drawn && !r->f.set)
			draw(r); // the end, even if nobody sees it for long
		undraw(r);
		return false;
	}
	int64_t time = issync ? ev->time : o.base.time;
	if (time <= r->last)
		time = (int64_t)((uint64_t)r->last + 1);
	r->last = time;
	if (!issync) {
		o.base.time = time;
		fill(r, &o, ev);
	}
	ev->time = time;
	if (r->progress)
		progress(r);
	return true;
}

// ---- opening and closing

static gt_reader *
new_reader(const char *name) {
	gt_reader *r = gt_xcalloc(1, sizeof *r);
	r->name = gt_xstrdup(name);
	r->src.name = r->name;
	r->src.fd = -1;
#define NAME(field, text) r->field = gt_pool_intern(&r->pool, text, sizeof text - 1)
	NAME(empty, "");
	NAME(gomaxprocs, "/sched/gomaxprocs:threads");
	NAME(heapobjects, "/memory/classes/heap/objects:bytes");
	NAME(heapgoal, "/gc/heap/goal:bytes");
	NAME(mark, "GC concurrent mark phase");
	NAME(sweep, "GC incremental sweep");
	NAME(assist, "GC mark assist");
#undef NAME
	return r;
}

gt_reader *
gt_open(const char *path) {
	gt_reader *r = new_reader(path);
	r->src.fd = strcmp(path, "-") == 0 ? dup(0) : open(path, O_RDONLY | O_CLOEXEC);
	if (r->src.fd < 0) {
		r->src.err = errno;
		return r;
	}
	struct stat st;
	if (fstat(r->src.fd, &st) == 0 && S_ISREG(st.st_mode))
		r->src.size = (uint64_t)st.st_size;
	r->progress = r->src.size >= PROGRESS_SIZE && isatty(2);
	return r;
}

gt_reader *
gt_open_mem(const void *data, size_t n, const char *name) {
	gt_reader *r = new_reader(name);
	r->src.mem = data;
	r->src.len = r->src.size = n;
	return r;
}

void
gt_close(gt_reader *r) {
	if (r == NULL)
		return;
	undraw(r);
	if (r->src.fd >= 0)
		close(r->src.fd);
	free(r->src.buf);
	gt_order_free(r->order);
	gt_gen_free(&r->gen);
	free(r->spill.copy);
	free(r->cursors);
	free(r->frontier);
	gt_map_free(&r->pool.map);
	gt_arena_free(&r->pool.arena);
	gt_buf_free(&r->f.verdict);
	gt_buf_free(&r->f.rule);
	gt_buf_free(&r->error);
	free(r->name);
	free(r);
}

// ---- questions

// has_error tells whether the reading ended with an error.
static bool
has_error(const gt_reader *r) {
	return r->done && r->f.set;
}

const char *
gt_verdict(gt_reader *r) {
	return has_error(r) ? r->f.verdict.s : NULL;
}

const gt_buf *
gt_verdict_text(gt_reader *r) {
	return has_error(r) ? &r->f.verdict : NULL;
}

uint64_t
gt_error_offset(gt_reader *r) {
	return r->f.bad_off;
}

const char *
gt_error(gt_reader *r) {
	if (!has_error(r))
		return NULL;
	gt_buf *b = &r->error;
	b->n = 0;
	gt_buf_fmt(b, "%s: offset %lu", r->name, r->f.bad_off);
	if (r->f.bad_gen != 0 && r->f.bad_has_m)
		gt_buf_fmt(b, " (generation %lu, thread %ld)", r->f.bad_gen, r->f.bad_m);
	else if (r->f.bad_gen != 0)
		gt_buf_fmt(b, " (generation %lu)", r->f.bad_gen);
	gt_buf_str(b, ": ");
	// the first line, with nothing that could upset a terminal
	const gt_buf *v = &r->f.verdict;
	for (size_t i = 0; i < v->n && v->s[i] != '\n'; i++)
		if ((unsigned char)v->s[i] < ' ' || v->s[i] == 0x7f)
			gt_buf_fmt(b, "\\x%02x", (unsigned char)v->s[i]);
		else
			gt_buf_add(b, &v->s[i], 1);
	gt_buf_fmt(b, " [rule: %s]", r->f.rule.s);
	return b->s;
}

uint64_t
gt_size(gt_reader *r) {
	return r->src.size;
}

uint64_t
gt_offset(gt_reader *r) {
	return r->src.base + r->src.pos;
}

int
gt_version(gt_reader *r) {
	return r->version;
}
