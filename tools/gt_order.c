// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The order of events.  Ports internal/trace/order.go of Go 1.26.8.
//
// Clocks of threads do not agree, so times only suggest an order.  What decides is whether an event
// can happen: the states of threads, procs and goroutines are played through, and an event waits until
// the resource that it moves has the status and the sequence number that it asks for.  An event that
// could never happen in the state of its own thread breaks the trace at once.
//
// PORT: Go's reader ends in a run-time panic when it prints a ProcStatus event whose status needs more
// than a byte; here that is an invalid status.
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tools/gt_impl.h"

// seqCounter
struct seq {
	uint64_t gen, seq;
};

// rangeType
struct rangetype {
	uint8_t typ; // the event that begins it
	uint64_t desc;
};

// rangeState
struct ranges {
	struct rangetype *r;
	size_t n, cap;
};

// userRegion
struct region {
	uint64_t task;
	const gt_str *name;
};

// gState
struct gstate {
	int64_t id;
	uint8_t status;
	struct seq seq;
	struct region *regions;
	size_t nregions, capregions;
	struct ranges ranges;
	struct gstate *next; // on the free list
};

// pState
struct pstate {
	int64_t id;
	uint8_t status;
	struct seq seq;
	struct ranges ranges;
};

// taskState
struct task {
	const gt_str *name;
	uint64_t parent;
	struct task *next; // on the free list
};

enum gcstate {
	GC_UNDETERMINED,
	GC_NOT_RUNNING,
	GC_RUNNING,
};

enum { QUEUE = 4 }; // no event makes more than three

struct gt_order {
	int version;
	gt_fault *f;
	gt_pool *pool;
	gt_map gs, ps, ms, tasks;
	uint64_t gcseq;
	enum gcstate gcstate;
	uint64_t initialgen;
	gt_ordered queue[QUEUE];
	unsigned head, nqueue;
	struct gstate *freeg;
	struct task *freetask;
	const gt_str *empty;
	gt_arena arena;

	// what the last event that could not advance waits for
	const char *why;
	uint64_t whyarg[3];
};

// What an advance function sees: the event, its thread before and after.
struct step {
	gt_base *ev;
	gt_gen *g;
	gt_ctx cur, new;
};

typedef enum gt_advance (*handler)(gt_order *, struct step *);

// constraint
enum need {
	MUST_NOT,
	MAY,
	MUST,
};

#define RULE_CTX "an event needs the thread, proc and goroutine that it happens on"
#define RULE_STATUS                                                                                \
	"the first event of a generation about a proc or goroutine is its status, as left by the " \
	"generation before"
#define RULE_PSTATUS "the status of a proc is 1 to 4"
#define RULE_RUNNING "what a running goroutine does happens on its thread while it runs"
#define RULE_SYSCALL "a system call begins on a running goroutine and proc, and ends once"
#define RULE_STEAL "a proc is stolen from the thread that has it, in a system call"
#define RULE_CREATE "a goroutine is created once"
#define RULE_GC "collections begin and end by turns"
#define RULE_RANGE "a range of a kind begins once on a goroutine or proc, and ends there"
#define RULE_REGION "regions of a goroutine end in the reverse order of their begins"
#define RULE_TASK "a task begins once"
#define RULE_TABLE "strings and stacks of an event are in the tables of its generation"

// bad records a broken rule.
#define bad(o, ...) (gt_bad((o)->f, __VA_ARGS__) ? GT_ADVANCED : GT_BROKEN)

// wait_for says what an event waits for.
static enum gt_advance
wait_for(gt_order *o, const char *why, uint64_t a, uint64_t b, uint64_t c) {
	o->why = why;
	o->whyarg[0] = a;
	o->whyarg[1] = b;
	o->whyarg[2] = c;
	return GT_WAIT;
}

void
gt_order_why(gt_order *o, gt_buf *b) {
	const char *s = o->why == NULL ? "" : o->why;
	for (int i = 0; *s != 0; s++)
		if (*s == '#')
			gt_buf_fmt(b, "%" PRId64, (int64_t)o->whyarg[i++]);
		else
			gt_buf_add(b, s, 1);
}

// ---- states

static struct gstate *
getg(gt_order *o, int64_t id) {
	uint64_t *v = gt_map_get(&o->gs, (uint64_t)id);
	return v == NULL ? NULL : (struct gstate *)(uintptr_t)*v;
}

static struct pstate *
getp(gt_order *o, int64_t id) {
	uint64_t *v = gt_map_get(&o->ps, (uint64_t)id);
	return v == NULL ? NULL : (struct pstate *)(uintptr_t)*v;
}

static gt_mstate *
getm(gt_order *o, int64_t id) {
	uint64_t *v = gt_map_get(&o->ms, (uint64_t)id);
	return v == NULL ? NULL : (gt_mstate *)(uintptr_t)*v;
}

static struct seq
make_seq(gt_gen *g, uint64_t seq) {
	return (struct seq){g->gen, seq};
}

// succeeds tells whether a is the one after b.
static bool
succeeds(struct seq a, struct seq b) {
	return a.gen == b.gen && a.seq == b.seq + 1;
}

static struct gstate *
new_g(gt_order *o, int64_t id, uint8_t status, gt_gen *g) {
	struct gstate *s = o->freeg;
	if (s != NULL)
		o->freeg = s->next;
	else
		s = memset(gt_arena_alloc(&o->arena, sizeof *s), 0, sizeof *s);
	s->id = id;
	s->status = status;
	s->seq = make_seq(g, 0);
	s->nregions = s->ranges.n = 0;
	bool isnew;
	*gt_map_put(&o->gs, (uint64_t)id, &isnew) = (uintptr_t)s;
	return s;
}

static void
delete_g(gt_order *o, int64_t id) {
	struct gstate *s = getg(o, id);
	gt_map_del(&o->gs, (uint64_t)id);
	free(s->regions);
	free(s->ranges.r);
	*s = (struct gstate){.next = o->freeg};
	o->freeg = s;
}

static gt_mstate *
new_m(gt_order *o, int64_t id, int64_t g) {
	gt_mstate *s = gt_arena_alloc(&o->arena, sizeof *s);
	*s = (gt_mstate){id, g, GT_NONE};
	bool isnew;
	*gt_map_put(&o->ms, (uint64_t)id, &isnew) = (uintptr_t)s;
	return s;
}

// ---- helpers

// push puts an event into the queue, in the context ctx.
static gt_ordered *
push(gt_order *o, const gt_base *ev, gt_ctx ctx) {
	gt_ordered *q = &o->queue[(o->head + o->nqueue++) % QUEUE];
	q->base = *ev;
	q->ctx = ctx;
	q->tasktype = NULL;
	return q;
}

// push_made puts an event into the queue that is not in the file.
static gt_ordered *
push_made(gt_order *o, gt_ctx ctx, uint8_t typ, int64_t time, uint64_t a, uint64_t b) {
	gt_base ev = {.typ = typ, .time = time, .args = {a, b}};
	return push(o, &ev, ctx);
}

static enum gt_advance
done(gt_order *o, struct step *s) {
	push(o, s->ev, s->cur);
	return GT_ADVANCED;
}

static bool
validate_ctx(gt_order *o, gt_ctx c, enum need m, enum need p, enum need g) {
	if (m == MUST && c.m == GT_NONE)
		return gt_bad(o->f, RULE_CTX, "expected a thread but didn't have one");
	if (p == MUST && c.p == GT_NONE)
		return gt_bad(o->f, RULE_CTX, "expected a proc but didn't have one");
	if (p == MUST_NOT && c.p != GT_NONE)
		return gt_bad(o->f, RULE_CTX, "expected no proc but had one");
	if (g == MUST && c.g == GT_NONE)
		return gt_bad(o->f, RULE_CTX, "expected a goroutine but didn't have one");
	if (g == MUST_NOT && c.g != GT_NONE)
		return gt_bad(o->f, RULE_CTX, "expected no goroutine but had one");
	return true;
}

// user_go asks for what running user code has.
static bool
user_go(gt_order *o, gt_ctx c) {
	return validate_ctx(o, c, MUST, MUST, MUST);
}

static const char *
name(gt_order *o, uint8_t typ) {
	return gt_event_name(o->version, typ);
}

static const char *
go_status(uint8_t s) {
	static const char *const names[] = {"Bad", "Runnable", "Running", "Syscall", "Waiting"};
	return s < NumGoStatus ? names[s] : "Bad";
}

static const char *
proc_status(uint8_t s) {
	// Go has no name for SyscallAbandoned
	static const char *const names[] = {"Bad", "Running", "Idle", "Syscall"};
	return s < ProcSyscallAbandoned ? names[s] : "Bad";
}

// extra returns the place behind the arguments where what the order knows goes along.
static uint64_t *
extra(gt_base *ev) {
	return &ev->args[gt_specs[ev->typ].nargs - 1];
}

// ---- ranges

static struct rangetype
range_type(uint8_t typ, uint64_t desc) {
	if (gt_specs[typ].start != EvNone)
		typ = gt_specs[typ].start;
	return (struct rangetype){typ, desc};
}

static bool
has_range(const struct ranges *s, struct rangetype t) {
	for (size_t i = 0; i < s->n; i++)
		if (s->r[i].typ == t.typ && s->r[i].desc == t.desc)
			return true;
	return false;
}

static void
add_range(struct ranges *s, struct rangetype t) {
	s->r = gt_vec_grow(s->r, s->n, &s->cap, sizeof *s->r);
	s->r[s->n++] = t;
}

static enum gt_advance
begin_range(gt_order *o, struct ranges *s, struct rangetype t) {
	if (has_range(s, t))
		return bad(o, RULE_RANGE,
			"discovered event already in-flight for when starting event %s",
			gt_specs[t.typ].name);
	add_range(s, t);
	return GT_ADVANCED;
}

// active_range enters a range in the first generation and checks it in later ones.
static enum gt_advance
active_range(gt_order *o, struct ranges *s, struct rangetype t, bool initial) {
	if (initial) {
		if (has_range(s, t))
			return bad(o, RULE_RANGE,
				"found named active range already in first gen: {%d %lu}", t.typ,
				t.desc);
		add_range(s, t);
	} else if (!has_range(s, t)) {
		gt_bad(o->f, RULE_RANGE, "resource is missing active range: %s [",
			gt_specs[t.typ].name);
		for (size_t i = 0; i < s->n; i++)
			gt_buf_fmt(&o->f->verdict, "%s{%d %lu}", i == 0 ? "" : " ", s->r[i].typ,
				s->r[i].desc);
		gt_buf_str(&o->f->verdict, "]");
		return GT_BROKEN;
	}
	return GT_ADVANCED;
}

static enum gt_advance
end_range(gt_order *o, struct ranges *s, uint8_t typ, uint64_t *desc) {
	uint8_t start = gt_specs[typ].start;
	for (size_t i = 0; i < s->n; i++)
		if (s->r[i].typ == start) {
			*desc = s->r[i].desc;
			s->r[i] = s->r[--s->n];
			return GT_ADVANCED;
		}
	return bad(o, RULE_RANGE, "tried to end event %s, but not in-flight", gt_specs[start].name);
}

// ---- procs

static enum gt_advance
proc_status_event(gt_order *o, struct step *s) {
	gt_base *ev = s->ev;
	int64_t pid = (int64_t)ev->args[0];
	uint8_t status = (uint8_t)ev->args[1];
	if (status >= NumProcStatus)
		return bad(o, "the status of a proc is 1 to 4", "invalid status for proc %ld: %d",
			pid, status);
	uint8_t old = gt_status_proc_state[status];
	struct pstate *p = getp(o, pid);
	if (p != NULL) {
		if (status == ProcSyscallAbandoned && p->status == ProcSyscall) {
			// nothing is lost: it is the system call that is known
			old = GT_PROC_RUNNING;
			ev->args[1] = ProcSyscall;
		} else if (status == ProcSyscallAbandoned && p->status == ProcSyscallAbandoned) {
			old = GT_PROC_IDLE;
		} else if (p->status != status) {
			return bad(o, RULE_STATUS,
				"inconsistent status for proc %ld: old %s vs. new %s", pid,
				proc_status(p->status), proc_status(status));
		}
		p->seq = make_seq(s->g, 0);
	} else {
		p = gt_arena_alloc(&o->arena, sizeof *p);
		*p = (struct pstate){.id = pid, .status = status, .seq = make_seq(s->g, 0)};
		bool isnew;
		*gt_map_put(&o->ps, (uint64_t)pid, &isnew) = (uintptr_t)p;
		old = s->g->gen == o->initialgen ? GT_PROC_UNDETERMINED : GT_PROC_NOT_EXIST;
	}
	if (ev->args[1] >= NumProcStatus)
		return bad(o, RULE_PSTATUS, "invalid status for proc %ld: %lu", pid, ev->args[1]);
	*extra(ev) = old;
	if (status == ProcRunning || status == ProcSyscall)
		s->new.p = pid;
	if (status == ProcSyscallAbandoned && old == GT_PROC_RUNNING) {
		// The thief reports it: the event belongs to the thread that still has the proc.
		bool found = false;
		for (size_t i = 0; i < o->ms.cap; i++) {
			gt_mstate *ms = (gt_mstate *)(uintptr_t)o->ms.slots[i].val;
			if (o->ms.slots[i].used && ms->p == pid) {
				s->cur = (gt_ctx){.g = ms->g, .p = pid, .m = ms->m};
				found = true;
			}
		}
		if (!found)
			return bad(o, RULE_STEAL,
				"failed to find sched context for proc %ld that's about to be "
				"stolen",
				pid);
	}
	return done(o, s);
}

static enum gt_advance
proc_start(gt_order *o, struct step *s) {
	int64_t pid = (int64_t)s->ev->args[0];
	struct seq seq = make_seq(s->g, s->ev->args[1]);
	struct pstate *p = getp(o, pid);
	if (p == NULL)
		return wait_for(o, "there is no status of proc #", (uint64_t)pid, 0, 0);
	if (p->status != ProcIdle)
		return wait_for(o, "proc # is not idle", (uint64_t)pid, 0, 0);
	if (!succeeds(seq, p->seq))
		return wait_for(o, "proc # has sequence number #, and # is to follow",
			(uint64_t)pid, p->seq.seq, seq.seq);
	if (s->cur.p != GT_NONE)
		return wait_for(o, "the thread has proc #", (uint64_t)s->cur.p, 0, 0);
	if (!validate_ctx(o, s->cur, MUST, MUST_NOT, MAY))
		return GT_BROKEN;
	p->status = ProcRunning;
	p->seq = seq;
	s->new.p = pid;
	return done(o, s);
}

static enum gt_advance
proc_stop(gt_order *o, struct step *s) {
	struct pstate *p = getp(o, s->cur.p);
	if (p == NULL)
		return bad(o, RULE_CTX, "event %s for proc (%ld) that doesn't exist",
			name(o, s->ev->typ), s->cur.p);
	if (p->status != ProcRunning && p->status != ProcSyscall)
		return bad(o, RULE_CTX, "%s event for proc that's not Running or Syscall",
			name(o, s->ev->typ));
	if (!validate_ctx(o, s->cur, MUST, MUST, MAY))
		return GT_BROKEN;
	p->status = ProcIdle;
	s->new.p = GT_NONE;
	return done(o, s);
}

static enum gt_advance
proc_steal(gt_order *o, struct step *s) {
	int64_t pid = (int64_t)s->ev->args[0];
	struct seq seq = make_seq(s->g, s->ev->args[1]);
	struct pstate *p = getp(o, pid);
	if (p == NULL)
		return wait_for(o, "there is no status of proc #", (uint64_t)pid, 0, 0);
	if (p->status != ProcSyscall && p->status != ProcSyscallAbandoned)
		return wait_for(o, "proc # is not in a system call", (uint64_t)pid, 0, 0);
	if (!succeeds(seq, p->seq))
		return wait_for(o, "proc # has sequence number #, and # is to follow",
			(uint64_t)pid, p->seq.seq, seq.seq);
	if (!validate_ctx(o, s->cur, MUST, MAY, MAY))
		return GT_BROKEN;
	uint8_t old = p->status;
	*extra(s->ev) = old;
	p->status = ProcIdle;
	p->seq = seq;
	if (old == ProcSyscallAbandoned)
		return done(o, s); // its thread is not known
	int64_t mid = (int64_t)s->ev->args[2];
	if (mid == s->cur.m) {
		if (s->cur.p != pid)
			return bad(o, RULE_STEAL,
				"tried to self-steal proc %ld (thread %ld), but got proc %ld "
				"instead",
				pid, mid, s->cur.p);
		s->new.p = GT_NONE;
		return done(o, s);
	}
	gt_mstate *ms = getm(o, mid);
	if (ms == NULL)
		return bad(o, RULE_STEAL, "stole proc from non-existent thread %ld", mid);
	if (ms->p != pid)
		return bad(o, RULE_STEAL,
			"tried to steal proc %ld from thread %ld, but got proc %ld instead", pid,
			mid, ms->p);
	ms->p = GT_NONE; // its GoSyscallEndBlocked waits for this
	return done(o, s);
}

// ---- goroutines

static enum gt_advance
go_status_event(gt_order *o, struct step *s) {
	gt_base *ev = s->ev;
	int64_t gid = (int64_t)ev->args[0], mid = (int64_t)ev->args[1];
	uint8_t status = (uint8_t)ev->args[2];
	if (status >= NumGoStatus)
		return bad(o, "the status of a goroutine is 1 to 4",
			"invalid status for goroutine %ld: %d", gid, status);
	uint8_t old = gt_status_go_state[status];
	struct gstate *gs = getg(o, gid);
	if (gs != NULL) {
		if (gs->status != status)
			return bad(o, RULE_STATUS,
				"inconsistent status for goroutine %ld: old %s vs. new %s", gid,
				go_status(gs->status), go_status(status));
		gs->seq = make_seq(s->g, 0);
	} else if (s->g->gen == o->initialgen) {
		new_g(o, gid, status, s->g);
		old = GT_GO_UNDETERMINED;
	} else {
		return bad(o, RULE_STATUS,
			"found goroutine status for new goroutine after the first generation: "
			"id=%ld "
			"status=%s",
			gid, go_status(status));
	}
	ev->args[2] = (uint64_t)old << 32 | status;

	if (status == GoRunning) {
		s->new.g = gid;
	} else if (status == GoSyscall) {
		if (mid == GT_NONE)
			return bad(o, RULE_SYSCALL,
				"found goroutine %ld in syscall without a thread", gid);
		if (mid == s->cur.m) {
			if (s->g->gen != o->initialgen && s->cur.g != gid)
				return bad(o, RULE_STATUS,
					"inconsistent thread for syscalling goroutine %ld: thread "
					"has "
					"goroutine %ld",
					gid, s->cur.g);
			s->new.g = gid;
			return done(o, s);
		}
		// The thread has been in this system call for the whole generation.
		gt_mstate *ms = getm(o, mid);
		if (ms != NULL) {
			if (ms->g != gid)
				return bad(o, RULE_STATUS,
					"inconsistent thread for syscalling goroutine %ld: thread "
					"has "
					"goroutine %ld",
					gid, ms->g);
			s->cur.g = ms->g;
		} else {
			new_m(o, mid, gid); // this event binds it: the goroutine before it is none
		}
		s->cur.m = mid;
	}
	return done(o, s);
}

static enum gt_advance
go_create(gt_order *o, struct step *s) {
	if (!validate_ctx(o, s->cur, MUST, MUST, MAY))
		return GT_BROKEN;
	struct gstate *gs = getg(o, s->cur.g);
	if (gs != NULL && gs->status != GoRunning)
		return bad(o, RULE_RUNNING, "%s event for goroutine that's not Running",
			name(o, s->ev->typ));
	int64_t newgid = (int64_t)s->ev->args[0];
	if (getg(o, newgid) != NULL)
		return bad(o, RULE_CREATE, "tried to create goroutine (%ld) that already exists",
			newgid);
	new_g(o, newgid, s->ev->typ == EvGoCreateBlocked ? GoWaiting : GoRunnable, s->g);
	return done(o, s);
}

// running returns the state of the thread's goroutine, which must run; NULL after an error.
static struct gstate *
running(gt_order *o, struct step *s) {
	if (!user_go(o, s->cur))
		return NULL;
	struct gstate *gs = getg(o, s->cur.g);
	if (gs == NULL) {
		gt_bad(o->f, RULE_RUNNING, "event %s for goroutine (%ld) that doesn't exist",
			name(o, s->ev->typ), s->cur.g);
		return NULL;
	}
	if (gs->status != GoRunning) {
		gt_bad(o->f, RULE_RUNNING, "%s event for goroutine that's not Running",
			name(o, s->ev->typ));
		return NULL;
	}
	return gs;
}

static enum gt_advance
go_stop_exec(gt_order *o, struct step *s) {
	struct gstate *gs = running(o, s);
	if (gs == NULL)
		return GT_BROKEN;
	if (s->ev->typ == EvGoDestroy)
		delete_g(o, s->cur.g);
	else
		gs->status = s->ev->typ == EvGoStop ? GoRunnable : GoWaiting;
	s->new.g = GT_NONE;
	return done(o, s);
}

// wait_g tells whether goroutine gid has this status and the number before seq.
static struct gstate *
wait_g(gt_order *o, int64_t gid, uint8_t status, struct seq seq) {
	struct gstate *gs = getg(o, gid);
	if (gs == NULL)
		wait_for(o, "goroutine # is not known", (uint64_t)gid, 0, 0);
	else if (gs->status != status)
		wait_for(o,
			status == GoRunnable ? "goroutine # is not runnable"
					     : "goroutine # is not waiting",
			(uint64_t)gid, 0, 0);
	else if (!succeeds(seq, gs->seq))
		wait_for(o,
			gs->seq.gen == seq.gen
				? "goroutine # has sequence number #, and # is to follow"
				: "there is no status of goroutine # in this generation",
			(uint64_t)gid, gs->seq.seq, seq.seq);
	else
		return gs;
	return NULL;
}

static enum gt_advance
go_start(gt_order *o, struct step *s) {
	int64_t gid = (int64_t)s->ev->args[0];
	struct seq seq = make_seq(s->g, s->ev->args[1]);
	struct gstate *gs = wait_g(o, gid, GoRunnable, seq);
	if (gs == NULL)
		return GT_WAIT;
	if (!validate_ctx(o, s->cur, MUST, MUST, MUST_NOT))
		return GT_BROKEN;
	gs->status = GoRunning;
	gs->seq = seq;
	s->new.g = gid;
	return done(o, s);
}

static enum gt_advance
go_unblock(gt_order *o, struct step *s) {
	struct seq seq = make_seq(s->g, s->ev->args[1]);
	struct gstate *gs = wait_g(o, (int64_t)s->ev->args[0], GoWaiting, seq);
	if (gs == NULL)
		return GT_WAIT;
	gs->status = GoRunnable;
	gs->seq = seq;
	return done(o, s);
}

// go_switch unblocks one goroutine, blocks or ends the current one and starts the first: three events.
static enum gt_advance
go_switch(gt_order *o, struct step *s) {
	struct gstate *gs = running(o, s);
	if (gs == NULL)
		return GT_BROKEN;
	gt_base *ev = s->ev;
	int64_t nextg = (int64_t)ev->args[0];
	struct seq seq = make_seq(s->g, ev->args[1]);
	struct gstate *next = wait_g(o, nextg, GoWaiting, seq);
	if (next == NULL)
		return GT_WAIT;
	done(o, s);
	if (ev->typ == EvGoSwitch) {
		gs->status = GoWaiting;
		push_made(o, s->cur, EvGoBlock, ev->time, 0, 0);
	} else {
		delete_g(o, s->cur.g);
		push_made(o, s->cur, EvGoDestroy, ev->time, 0, 0);
	}
	next->status = GoRunning;
	next->seq = seq;
	s->new.g = nextg;
	gt_ctx start = s->cur;
	start.g = GT_NONE;
	push_made(o, start, EvGoStart, ev->time, (uint64_t)nextg, ev->args[1]);
	return GT_ADVANCED;
}

static enum gt_advance
go_syscall_begin(gt_order *o, struct step *s) {
	struct gstate *gs = running(o, s);
	if (gs == NULL)
		return GT_BROKEN;
	gs->status = GoSyscall;
	struct pstate *p = getp(o, s->cur.p);
	if (p == NULL)
		return bad(o, RULE_SYSCALL, "uninitialized proc %ld found during %s", s->cur.p,
			name(o, s->ev->typ));
	p->status = ProcSyscall;
	// The proc's number tells a thief which of its system calls it was.
	struct seq seq = make_seq(s->g, s->ev->args[0]);
	if (!succeeds(seq, p->seq))
		return bad(o, "a system call takes the next sequence number of its proc",
			"failed to advance %s: can't make sequence: %lu (gen=%lu) -> %lu (gen=%lu)",
			name(o, s->ev->typ), p->seq.seq, p->seq.gen, seq.seq, seq.gen);
	p->seq = seq;
	return done(o, s);
}

// in_syscall returns the state of the thread's goroutine, which must be in a system call.
static struct gstate *
in_syscall(gt_order *o, struct step *s, const char *text) {
	struct gstate *gs = getg(o, s->cur.g);
	if (gs == NULL) {
		gt_bad(o->f, RULE_SYSCALL, "event %s for goroutine (%ld) that doesn't exist",
			name(o, s->ev->typ), s->cur.g);
		return NULL;
	}
	if (gs->status != GoSyscall) {
		gt_bad(o->f, RULE_SYSCALL, "%s event for goroutine that's not %s",
			name(o, s->ev->typ), text);
		return NULL;
	}
	return gs;
}

static enum gt_advance
go_syscall_end(gt_order *o, struct step *s) {
	if (!user_go(o, s->cur))
		return GT_BROKEN;
	struct gstate *gs = in_syscall(o, s, "Running"); // so says Go
	if (gs == NULL)
		return GT_BROKEN;
	gs->status = GoRunning;
	struct pstate *p = getp(o, s->cur.p);
	if (p == NULL)
		return bad(o, RULE_SYSCALL, "uninitialized proc %ld found during %s", s->cur.p,
			name(o, s->ev->typ));
	if (p->status != ProcSyscall)
		return bad(o, RULE_SYSCALL,
			"expected proc %ld in state Syscall, but got %s instead", s->cur.p,
			proc_status(p->status));
	p->status = ProcRunning;
	return done(o, s);
}

static enum gt_advance
go_syscall_end_blocked(gt_order *o, struct step *s) {
	if (s->cur.p != GT_NONE) {
		struct pstate *p = getp(o, s->cur.p);
		if (p == NULL)
			return bad(o, RULE_SYSCALL, "uninitialized proc %ld found during %s",
				s->cur.p, name(o, s->ev->typ));
		if (p->status ==
			ProcSyscall) // it says that it lost the proc: somebody has to take it
			return wait_for(o, "nobody took proc # from the system call",
				(uint64_t)s->cur.p, 0, 0);
	}
	if (!validate_ctx(o, s->cur, MUST, MAY, MUST))
		return GT_BROKEN;
	struct gstate *gs = in_syscall(o, s, "Running");
	if (gs == NULL)
		return GT_BROKEN;
	s->new.g = GT_NONE;
	gs->status = GoRunnable;
	return done(o, s);
}

static enum gt_advance
go_create_syscall(gt_order *o, struct step *s) {
	if (!validate_ctx(o, s->cur, MUST, MAY, MUST_NOT))
		return GT_BROKEN;
	int64_t newgid = (int64_t)s->ev->args[0];
	if (getg(o, newgid) != NULL)
		return bad(o, RULE_CREATE,
			"tried to create goroutine (%ld) in syscall that already exists", newgid);
	new_g(o, newgid, GoSyscall, s->g);
	s->new.g = newgid;
	return done(o, s);
}

static enum gt_advance
go_destroy_syscall(gt_order *o, struct step *s) {
	if (!validate_ctx(o, s->cur, MUST, MAY, MUST))
		return GT_BROKEN;
	if (in_syscall(o, s, "Syscall") == NULL)
		return GT_BROKEN;
	delete_g(o, s->cur.g);
	s->new.g = GT_NONE;
	if (s->cur.p != GT_NONE) {
		// The thread goes away, its number may come back: the proc is lost to it here.
		struct pstate *p = getp(o, s->cur.p);
		if (p == NULL)
			return bad(o, RULE_SYSCALL, "found invalid proc %ld during %s", s->cur.p,
				name(o, s->ev->typ));
		if (p->status != ProcSyscall)
			return bad(o, RULE_SYSCALL, "proc %ld in unexpected state %s during %s",
				s->cur.p, proc_status(p->status), name(o, s->ev->typ));
		p->status = ProcSyscallAbandoned;
		s->new.p = GT_NONE;
		gt_ordered *q =
			push_made(o, s->cur, EvProcSteal, s->ev->time, (uint64_t)s->cur.p, 0);
		*extra(&q->base) = ProcSyscall;
	}
	return done(o, s);
}

// ---- annotations

static enum gt_advance
user_task_begin(gt_order *o, struct step *s) {
	uint64_t id = s->ev->args[0];
	if (gt_map_get(&o->tasks, id) != NULL)
		return bad(o, RULE_TASK, "task ID conflict: %lu", id);
	if (s->ev->args[1] == GT_BACKGROUND_TASK)
		s->ev->args[1] = GT_NO_TASK; // 0 is no parent here
	gt_string *str = gt_string_get(s->g, s->ev->args[2]);
	if (str == NULL)
		return bad(o, RULE_TABLE, "invalid string ID %lu for %d event", s->ev->args[2],
			s->ev->typ);
	struct task *t = o->freetask;
	if (t != NULL)
		o->freetask = t->next;
	else
		t = gt_arena_alloc(&o->arena, sizeof *t);
	t->name = gt_pool_intern(o->pool, str->s, str->n);
	t->parent = s->ev->args[1];
	bool isnew;
	*gt_map_put(&o->tasks, id, &isnew) = (uintptr_t)t;
	return user_go(o, s->cur) ? done(o, s) : GT_BROKEN;
}

static enum gt_advance
user_task_end(gt_order *o, struct step *s) {
	uint64_t id = s->ev->args[0];
	uint64_t *v = gt_map_get(&o->tasks, id);
	const gt_str *type = o->empty;
	*extra(s->ev) = GT_NO_TASK;
	if (v != NULL) {
		struct task *t = (struct task *)(uintptr_t)*v;
		*extra(s->ev) = t->parent;
		type = t->name;
		gt_map_del(&o->tasks, id);
		t->next = o->freetask;
		o->freetask = t;
	}
	if (!user_go(o, s->cur))
		return GT_BROKEN;
	push(o, s->ev, s->cur)->tasktype = type;
	return GT_ADVANCED;
}

// user_region finds the region and the goroutine of a region's begin or end.
static struct gstate *
user_region(gt_order *o, struct step *s, struct region *r) {
	if (!user_go(o, s->cur))
		return NULL;
	gt_string *str = gt_string_get(s->g, s->ev->args[1]);
	if (str == NULL) {
		gt_bad(o->f, RULE_TABLE, "invalid string ID %lu for %d event", s->ev->args[1],
			s->ev->typ);
		return NULL;
	}
	struct gstate *gs = getg(o, s->cur.g);
	if (gs == NULL) {
		gt_bad(o->f, RULE_STATUS,
			"encountered %s without known state for current goroutine %ld",
			s->ev->typ == EvUserRegionBegin ? "EvUserRegionBegin" : "EvUserRegionEnd",
			s->cur.g);
		return NULL;
	}
	if (str->interned == NULL)
		str->interned = gt_pool_intern(o->pool, str->s, str->n);
	*r = (struct region){s->ev->args[0], str->interned};
	return gs;
}

static enum gt_advance
user_region_begin(gt_order *o, struct step *s) {
	struct region r;
	struct gstate *gs = user_region(o, s, &r);
	if (gs == NULL)
		return GT_BROKEN;
	gs->regions = gt_vec_grow(gs->regions, gs->nregions, &gs->capregions, sizeof *gs->regions);
	gs->regions[gs->nregions++] = r;
	return done(o, s);
}

static enum gt_advance
user_region_end(gt_order *o, struct step *s) {
	struct region r;
	struct gstate *gs = user_region(o, s, &r);
	if (gs == NULL)
		return GT_BROKEN;
	if (gs->nregions > 0) { // those that began before the trace are not known
		struct region *in = &gs->regions[gs->nregions - 1];
		if (in->task != r.task || in->name != r.name) {
			gt_buf *b = &o->f->verdict;
			gt_bad(o->f, RULE_REGION,
				"misuse of region in goroutine %ld: region end {%lu ", s->cur.g,
				r.task);
			gt_buf_add(b, r.name->s, r.name->len);
			gt_buf_fmt(b, "} when the inner-most active region start event is {%lu ",
				in->task);
			gt_buf_add(b, in->name->s, in->name->len);
			gt_buf_str(b, "}");
			return GT_BROKEN;
		}
		gs->nregions--;
	}
	return done(o, s);
}

static enum gt_advance
annotation(gt_order *o, struct step *s) {
	return user_go(o, s->cur) ? done(o, s) : GT_BROKEN;
}

// ---- collector

static enum gt_advance
wait_gc(gt_order *o, struct step *s) {
	return wait_for(o, "the collector has sequence number #, and # is to follow", o->gcseq,
		s->ev->args[0], 0);
}

static enum gt_advance
gc_active(gt_order *o, struct step *s) {
	uint64_t seq = s->ev->args[0];
	if (s->g->gen == o->initialgen) {
		if (o->gcstate != GC_UNDETERMINED)
			return bad(o, RULE_GC,
				"GCActive in the first generation isn't first GC event");
		o->gcseq = seq;
		o->gcstate = GC_RUNNING;
		return done(o, s);
	}
	if (seq != o->gcseq + 1)
		return wait_gc(o, s);
	if (o->gcstate != GC_RUNNING)
		return bad(o, RULE_GC, "encountered GCActive while GC was not in progress");
	o->gcseq = seq;
	return annotation(o, s);
}

static enum gt_advance
gc_begin(gt_order *o, struct step *s) {
	uint64_t seq = s->ev->args[0];
	if (o->gcstate == GC_UNDETERMINED) {
		o->gcseq = seq;
		o->gcstate = GC_RUNNING;
		return done(o, s);
	}
	if (seq != o->gcseq + 1)
		return wait_gc(o, s);
	if (o->gcstate == GC_RUNNING)
		return bad(o, RULE_GC, "encountered GCBegin while GC was already in progress");
	o->gcseq = seq;
	o->gcstate = GC_RUNNING;
	return annotation(o, s);
}

static enum gt_advance
gc_end(gt_order *o, struct step *s) {
	uint64_t seq = s->ev->args[0];
	if (seq != o->gcseq + 1)
		return wait_gc(o, s);
	if (o->gcstate == GC_NOT_RUNNING)
		return bad(o, RULE_GC, "encountered GCEnd when GC was not in progress");
	if (o->gcstate == GC_UNDETERMINED)
		return bad(o, RULE_GC, "encountered GCEnd when GC was in an undetermined state");
	o->gcseq = seq;
	o->gcstate = GC_NOT_RUNNING;
	return annotation(o, s);
}

static enum gt_advance
heap_metric(gt_order *o, struct step *s) {
	return validate_ctx(o, s->cur, MUST, MUST, MAY) ? done(o, s) : GT_BROKEN;
}

static enum gt_advance
gc_sweep_begin(gt_order *o, struct step *s) {
	if (!validate_ctx(o, s->cur, MUST, MUST, MAY) ||
		begin_range(o, &getp(o, s->cur.p)->ranges, range_type(s->ev->typ, 0)) == GT_BROKEN)
		return GT_BROKEN;
	return done(o, s);
}

static enum gt_advance
gc_sweep_active(gt_order *o, struct step *s) {
	int64_t pid = (int64_t)s->ev->args[0];
	struct pstate *p = getp(o, pid);
	if (p == NULL)
		return bad(o, RULE_STATUS, "encountered GCSweepActive for unknown proc %ld", pid);
	if (active_range(o, &p->ranges, range_type(s->ev->typ, 0), s->g->gen == o->initialgen) ==
		GT_BROKEN)
		return GT_BROKEN;
	return done(o, s);
}

static enum gt_advance
gc_sweep_end(gt_order *o, struct step *s) {
	uint64_t desc;
	if (!validate_ctx(o, s->cur, MUST, MUST, MAY) ||
		end_range(o, &getp(o, s->cur.p)->ranges, s->ev->typ, &desc) == GT_BROKEN)
		return GT_BROKEN;
	return done(o, s);
}

// range_g returns the state of the goroutine on which a range begins or ends.
static struct gstate *
range_g(gt_order *o, struct step *s) {
	if (!user_go(o, s->cur))
		return NULL;
	struct gstate *gs = getg(o, s->cur.g);
	if (gs == NULL)
		gt_bad(o->f, RULE_STATUS,
			"encountered event of type %d without known state for current goroutine "
			"%ld",
			s->ev->typ, s->cur.g);
	return gs;
}

static enum gt_advance
go_range_begin(gt_order *o, struct step *s) {
	struct gstate *gs = range_g(o, s);
	uint64_t desc = s->ev->typ == EvSTWBegin ? s->ev->args[0] : 0;
	if (gs == NULL || begin_range(o, &gs->ranges, range_type(s->ev->typ, desc)) == GT_BROKEN)
		return GT_BROKEN;
	return done(o, s);
}

static enum gt_advance
go_range_active(gt_order *o, struct step *s) {
	int64_t gid = (int64_t)s->ev->args[0];
	struct gstate *gs = getg(o, gid);
	if (gs == NULL)
		return bad(o, RULE_STATUS, "uninitialized goroutine %ld found during %s", gid,
			name(o, s->ev->typ));
	if (active_range(o, &gs->ranges, range_type(s->ev->typ, 0), s->g->gen == o->initialgen) ==
		GT_BROKEN)
		return GT_BROKEN;
	return done(o, s);
}

static enum gt_advance
go_range_end(gt_order *o, struct step *s) {
	struct gstate *gs = range_g(o, s);
	uint64_t desc;
	if (gs == NULL || end_range(o, &gs->ranges, s->ev->typ, &desc) == GT_BROKEN)
		return GT_BROKEN;
	if (s->ev->typ == EvSTWEnd)
		s->ev->args[0] = desc; // the kind, as in STWBegin
	return done(o, s);
}

static enum gt_advance
alloc_free(gt_order *o, struct step *s) {
	return validate_ctx(o, s->cur, MUST, MAY, MAY) ? done(o, s) : GT_BROKEN;
}

static const handler dispatch[256] = {
	[EvProcsChange] = annotation,
	[EvProcStart] = proc_start,
	[EvProcStop] = proc_stop,
	[EvProcSteal] = proc_steal,
	[EvProcStatus] = proc_status_event,
	[EvGoCreate] = go_create,
	[EvGoCreateSyscall] = go_create_syscall,
	[EvGoStart] = go_start,
	[EvGoDestroy] = go_stop_exec,
	[EvGoDestroySyscall] = go_destroy_syscall,
	[EvGoStop] = go_stop_exec,
	[EvGoBlock] = go_stop_exec,
	[EvGoUnblock] = go_unblock,
	[EvGoSyscallBegin] = go_syscall_begin,
	[EvGoSyscallEnd] = go_syscall_end,
	[EvGoSyscallEndBlocked] = go_syscall_end_blocked,
	[EvGoStatus] = go_status_event,
	[EvSTWBegin] = go_range_begin,
	[EvSTWEnd] = go_range_end,
	[EvGCActive] = gc_active,
	[EvGCBegin] = gc_begin,
	[EvGCEnd] = gc_end,
	[EvGCSweepActive] = gc_sweep_active,
	[EvGCSweepBegin] = gc_sweep_begin,
	[EvGCSweepEnd] = gc_sweep_end,
	[EvGCMarkAssistActive] = go_range_active,
	[EvGCMarkAssistBegin] = go_range_begin,
	[EvGCMarkAssistEnd] = go_range_end,
	[EvHeapAlloc] = heap_metric,
	[EvHeapGoal] = heap_metric,
	[EvGoLabel] = annotation,
	[EvUserTaskBegin] = user_task_begin,
	[EvUserTaskEnd] = user_task_end,
	[EvUserRegionBegin] = user_region_begin,
	[EvUserRegionEnd] = user_region_end,
	[EvUserLog] = annotation,
	[EvGoSwitch] = go_switch,
	[EvGoSwitchDestroy] = go_switch,
	[EvGoCreateBlocked] = go_create,
	[EvGoStatusStack] = go_status_event,
	[EvSpan] = alloc_free,
	[EvSpanAlloc] = alloc_free,
	[EvSpanFree] = alloc_free,
	[EvHeapObject] = alloc_free,
	[EvHeapObjectAlloc] = alloc_free,
	[EvHeapObjectFree] = alloc_free,
	[EvGoroutineStack] = alloc_free,
	[EvGoroutineStackAlloc] = alloc_free,
	[EvGoroutineStackFree] = alloc_free,
};

enum gt_advance
gt_order_advance(gt_order *o, gt_base *ev, gt_gen *g, int64_t m, gt_mstate **msp) {
	if (o->initialgen == 0)
		o->initialgen = g->gen;
	struct step s = {.ev = ev, .g = g, .cur = {GT_NONE, GT_NONE, m}};
	gt_mstate *ms = NULL;
	if (m != GT_NONE) {
		ms = *msp;
		if (ms == NULL) {
			ms = getm(o, m);
			if (ms == NULL)
				ms = new_m(o, m, GT_NONE);
			*msp = ms;
		}
		s.cur.g = ms->g;
		s.cur.p = ms->p;
	}
	s.new = s.cur;
	handler h = dispatch[ev->typ];
	if (h == NULL)
		return bad(o, "only timed events stand among the events of a thread",
			"bad event type found while ordering: %d", ev->typ);
	enum gt_advance res = h(o, &s);
	if (res == GT_ADVANCED && ms != NULL) {
		ms->p = s.new.p;
		ms->g = s.new.g;
	}
	return res;
}

bool
gt_order_next(gt_order *o, gt_ordered *ev) {
	if (o->nqueue == 0)
		return false;
	*ev = o->queue[o->head];
	o->head = (o->head + 1) % QUEUE;
	o->nqueue--;
	return true;
}

void
gt_order_dump(gt_order *o, gt_buf *b) {
	static const char *const gc[] = {"Undetermined", "NotRunning", "Running"};
	uint64_t *ids = gt_map_keys(&o->gs, true);
	for (size_t i = 0; i < o->gs.n; i++) {
		struct gstate *s = getg(o, (int64_t)ids[i]);
		gt_buf_fmt(b, "G %ld [status=%s seq=%lu (gen=%lu)]\n", s->id, go_status(s->status),
			s->seq.seq, s->seq.gen);
	}
	free(ids);
	gt_buf_str(b, "\n");
	ids = gt_map_keys(&o->ps, true);
	for (size_t i = 0; i < o->ps.n; i++) {
		struct pstate *s = getp(o, (int64_t)ids[i]);
		gt_buf_fmt(b, "P %ld [status=%s seq=%lu (gen=%lu)]\n", s->id,
			proc_status(s->status), s->seq.seq, s->seq.gen);
	}
	free(ids);
	gt_buf_str(b, "\n");
	ids = gt_map_keys(&o->ms, true);
	for (size_t i = 0; i < o->ms.n; i++) {
		gt_mstate *s = getm(o, (int64_t)ids[i]);
		gt_buf_fmt(b, "M %ld [g=%ld p=%ld]\n", s->m, s->g, s->p);
	}
	free(ids);
	gt_buf_fmt(b, "\nGC %lu %s\n", o->gcseq, gc[o->gcstate]);
}

gt_order *
gt_order_new(int version, gt_fault *f, gt_pool *pool) {
	gt_order *o = gt_xcalloc(1, sizeof *o);
	o->version = version;
	o->f = f;
	o->pool = pool;
	o->empty = gt_pool_intern(pool, "", 0);
	return o;
}

void
gt_order_free(gt_order *o) {
	if (o == NULL)
		return;
	for (size_t i = 0; i < o->gs.cap; i++)
		if (o->gs.slots[i].used) {
			struct gstate *s = (struct gstate *)(uintptr_t)o->gs.slots[i].val;
			free(s->regions);
			free(s->ranges.r);
		}
	for (size_t i = 0; i < o->ps.cap; i++)
		if (o->ps.slots[i].used)
			free(((struct pstate *)(uintptr_t)o->ps.slots[i].val)->ranges.r);
	gt_map_free(&o->gs);
	gt_map_free(&o->ps);
	gt_map_free(&o->ms);
	gt_map_free(&o->tasks);
	gt_arena_free(&o->arena);
	free(o);
}
