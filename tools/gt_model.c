// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// One pass over a trace: see gt_model.h.
//
// A goroutine is an entry of its own while it lives; when it ends, its times go to the group of its
// name.  Stretches of time on a P are told to the hooks when they end, so they come ordered by their
// ends, and on one P by their begins, too.
#include "tools/gt_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/gt_cmds.h"
#include "tools/gt_keys.h"
#include "tools/gt_rename.h"

// ---- tallies

void
gt_tally_add(gt_tallies *t, gt_atom what, double ns) {
	size_t i = 0;
	while (i < t->n && t->v[i].what != what)
		i++;
	if (i == t->n)
		GT_PUSH(t->v, t->n, t->cap, ((gt_tally){.what = what}));
	t->v[i].n++;
	t->v[i].ns += ns;
	t->v[i].max = fmax(t->v[i].max, ns);
}

// merge adds the tallies of one goroutine to those of its group.
static void
merge(gt_tallies *t, const gt_tallies *more) {
	for (size_t i = 0; i < more->n; i++) {
		gt_tally_add(t, more->v[i].what, 0);
		for (size_t j = 0; j < t->n; j++) {
			if (t->v[j].what == more->v[i].what) {
				t->v[j].n += more->v[i].n - 1;
				t->v[j].ns += more->v[i].ns;
				t->v[j].max = fmax(t->v[j].max, more->v[i].max);
			}
		}
	}
}

static int
by_time(const void *a, const void *b) {
	const gt_tally *x = a, *y = b;
	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	return strcmp(gt_atom_text(x->what), gt_atom_text(y->what));
}

void
gt_tally_sort(gt_tallies *t) {
	if (t->n > 0)
		qsort(t->v, t->n, sizeof t->v[0], by_time);
}

// ---- names and goroutines

static gt_atom
atom(gt_model *m, const gt_str *s) {
	if (s == NULL || s->len == 0)
		return 0;
	bool fresh;
	uint64_t *a = gt_map_at(&m->names, (uintptr_t)s, &fresh);
	if (fresh)
		*a = gt_atom_of(s->s);
	return (gt_atom)*a;
}

// root returns the name of the outermost function of a stack.
static gt_atom
root(const gt_stack *st) {
	return st == NULL || st->n == 0 ? 0 : gt_rename(st->frames[st->n - 1].func->s);
}

gt_gor *
gt_model_find(gt_model *m, int64_t id) {
	uint64_t *p = id == GT_NONE ? NULL : gt_map_get(&m->live, (uint64_t)id);
	return p == NULL ? NULL : (gt_gor *)(uintptr_t)*p;
}

// group returns the group of a name, made if need be.
static gt_group *
group(gt_model *m, gt_atom name) {
	bool fresh;
	uint64_t *i = gt_map_at(&m->groupidx, name, &fresh);
	if (fresh) {
		GT_PUSH(m->groups, m->ngroups, m->capgroups,
			((gt_group){.name = name, .kind = gt_goroutine_kind(gt_atom_text(name))}));
		*i = m->ngroups;
	}
	return &m->groups[*i - 1];
}

// spent adds the time that g has been in its state until t.
static void
spent(gt_gor *g, int64_t t) {
	double d = (double)(t - g->since);
	switch (g->state) {
	case GT_GO_RUNNING:
		g->run += d;
		break;
	case GT_GO_RUNNABLE:
		g->runnable += d;
		g->worst = fmax(g->worst, d);
		break;
	case GT_GO_WAITING:
		g->blocked += d;
		gt_tally_add(&g->reasons, g->reason, d);
		break;
	case GT_GO_SYSCALL:
		g->syscall += d;
		break;
	}
	g->since = t;
}

// retire moves what is known of g to its group.
static void
retire(gt_model *m, gt_gor *g, int64_t t) {
	gt_group *r = group(m, g->name);
	r->n++;
	r->created += g->created;
	r->run += g->run;
	r->runnable += g->runnable;
	r->blocked += g->blocked;
	r->syscall += g->syscall;
	r->assist += g->assist;
	r->worst = fmax(r->worst, g->worst);
	merge(&r->reasons, &g->reasons);
	if (m->hooks != NULL)
		m->hooks->goroutine(m->hooks->ctx, g, t);
	gt_map_del(&m->live, (uint64_t)g->id);
	free(g->reasons.v);
	free(g->regions);
	free(g);
}

// ---- stretches on a P

// slice tells of a stretch of g that ends at t.
static void
slice(gt_model *m, gt_gor *g, int kind, int64_t t, gt_atom why) {
	if (g->proc == GT_NONE)
		return;
	if (m->hooks != NULL && t >= g->since) {
		gt_slice s = {.kind = kind,
			.proc = g->proc,
			.begin = g->since,
			.end = t,
			.g = g,
			.why = why,
			.ready = g->ready,
			.waker = g->waker};
		m->hooks->slice(m->hooks->ctx, m, &s);
	}
	g->ready = 0;
	g->waker = GT_NONE;
}

// leave takes g off its P.
static void
leave(gt_model *m, gt_gor *g) {
	if (g->proc != GT_NONE)
		gt_map_del(&m->onproc, (uint64_t)g->proc);
	g->proc = GT_NONE;
}

static void
span(gt_model *m, int kind, gt_atom name, int64_t p, const gt_gor *g, int64_t begin, int64_t end) {
	if (m->hooks == NULL)
		return;
	gt_span s = {.kind = kind,
		.name = name,
		.proc = p,
		.goroutine = g == NULL ? GT_NONE : g->id,
		.begin = begin,
		.end = end,
		.g = g};
	m->hooks->span(m->hooks->ctx, &s);
}

// ---- events

// proc_transition takes a change of a P.
static void
proc_transition(gt_model *m, const gt_event *ev) {
	const gt_transition *st = &ev->transition;
	uint64_t p = (uint64_t)st->resource.id;
	if (st->from == st->to)
		return;
	if (st->to == GT_PROC_RUNNING) {
		*gt_map_at(&m->procat, p, NULL) = (uint64_t)ev->time;
		gt_map_at(&m->procrun, p, NULL);
		return;
	}
	gt_map_at(&m->procrun, p, NULL);
	uint64_t *at = gt_map_get(&m->procat, p);
	if (at != NULL) {
		*gt_map_at(&m->procrun, p, NULL) += (uint64_t)ev->time - *at;
		gt_map_del(&m->procat, p);
	}
	// a P that leaves while its goroutine is in a system call was taken away
	uint64_t *on = gt_map_get(&m->onproc, p);
	if (on != NULL) {
		gt_gor *g = (gt_gor *)(uintptr_t)*on;
		if (g->state == GT_GO_SYSCALL) {
			slice(m, g, GT_SLICE_SYSCALL, ev->time, gt_atom_of("P retaken"));
			leave(m, g);
		}
	}
}

// settle makes the goroutine known that a transition is about.
static gt_gor *
settle(gt_model *m, const gt_event *ev) {
	const gt_transition *st = &ev->transition;
	gt_gor *g = gt_model_find(m, st->resource.id);
	if (g == NULL) {
		g = gt_xcalloc(1, sizeof *g);
		g->id = st->resource.id;
		g->proc = g->waker = GT_NONE;
		g->since = ev->time;
		g->seq = m->seen++;
		g->state = st->from;
		*gt_map_at(&m->live, (uint64_t)g->id, NULL) = (uintptr_t)g;
		g->created = st->from == GT_GO_NOT_EXIST;
		m->created += g->created;
		m->most = m->live.n > m->most ? m->live.n : m->most;
		m->bystate[g->state]++;
	}
	if (g->name == 0)
		g->name = root(st->stack);
	return g;
}

// worked adds the time that g marked on a P until t.
static void
worked(gt_model *m, const gt_gor *g, int64_t t) {
	static const char *const labels[] = {"GC (dedicated)", "GC (fractional)", "GC (idle)"};
	for (int i = 0; i < 3 && g->label != 0 && m->in_mark; i++) {
		if (strcmp(gt_atom_text(g->label), labels[i]) == 0)
			m->worker[i] +=
				(double)(t - (g->since > m->mark_at ? g->since : m->mark_at));
	}
}

// go_transition takes a change of a goroutine.
static void
go_transition(gt_model *m, const gt_event *ev) {
	const gt_transition *st = &ev->transition;
	gt_gor *g = settle(m, ev);
	int64_t t = ev->time;
	int from = g->state, to = st->to;
	if (from == to)
		return;
	gt_atom reason = atom(m, st->reason);
	if (from == GT_GO_RUNNING) {
		slice(m, g, GT_SLICE_RUN, t,
			to == GT_GO_SYSCALL     ? gt_atom_of("system call")
			: to == GT_GO_NOT_EXIST ? gt_atom_of("end")
						: reason);
		worked(m, g, t);
	} else if (from == GT_GO_SYSCALL) {
		slice(m, g, GT_SLICE_SYSCALL, t, 0);
	} else if (from == GT_GO_RUNNABLE && to == GT_GO_RUNNING) {
		gt_hist_add(gt_goroutine_kind(gt_atom_text(g->name)) == GT_USER ? &m->latency
										: &m->latency_sys,
			(double)(t - g->since));
	}
	spent(g, t);
	if (to != GT_GO_RUNNING && to != GT_GO_SYSCALL)
		leave(m, g);
	if ((to == GT_GO_RUNNING || (to == GT_GO_SYSCALL && from != GT_GO_RUNNING)) &&
		g->proc != ev->proc) {
		leave(m, g);
		g->proc = ev->proc;
		if (g->proc != GT_NONE)
			*gt_map_at(&m->onproc, (uint64_t)g->proc, NULL) = (uintptr_t)g;
	}
	if (to == GT_GO_RUNNABLE) {
		g->ready = t;
		g->waker = from == GT_GO_RUNNING || from == GT_GO_SYSCALL ? GT_NONE : ev->goroutine;
		m->unblocks += from == GT_GO_WAITING;
		m->preemptions +=
			from == GT_GO_RUNNING && strcmp(gt_atom_text(reason), "preempted") == 0;
		m->blocked_syscalls += from == GT_GO_SYSCALL;
	}
	if (to == GT_GO_WAITING)
		g->reason = reason;
	if (to == GT_GO_WAITING) // a worker that was preempted goes on as what it was
		g->label = 0;
	m->syscalls += to == GT_GO_SYSCALL;
	m->bystate[from]--;
	m->bystate[to]++;
	g->state = to;
	if (m->hooks != NULL)
		m->hooks->counts(m->hooks->ctx, t, m->bystate);
	if (to == GT_GO_NOT_EXIST) {
		m->ended++;
		m->bystate[to]--;
		group(m, g->name)->ended++;
		retire(m, g, t);
	}
}

// metric takes a new value of a metric.
static void
metric(gt_model *m, const gt_event *ev) {
	double v = (double)ev->metric.value;
	const char *n = ev->metric.name->s;
	int which = GT_HEAP_LIVE;
	if (strcmp(n, "/memory/classes/heap/objects:bytes") == 0) {
		if (m->heap_updates++ == 0)
			m->heap_first = v;
		m->heap = v;
		m->heap_peak = fmax(m->heap_peak, v);
		if (m->in_mark)
			m->live_after = v;
	} else if (strcmp(n, "/gc/heap/goal:bytes") == 0) {
		m->goal_updates++;
		m->goal = v;
		m->goal_max = fmax(m->goal_max, v);
		which = GT_HEAP_GOAL;
	} else {
		if (strcmp(n, "/sched/gomaxprocs:threads") == 0) {
			m->procs = (int64_t)v;
			m->procs_max = m->procs > m->procs_max ? m->procs : m->procs_max;
		}
		return;
	}
	if (m->hooks != NULL)
		m->hooks->heap(m->hooks->ctx, which, ev->time, v);
}

// range takes the begin or the end of a range.
static void
range(gt_model *m, const gt_event *ev) {
	const gt_range *r = &ev->range;
	const char *n = r->name->s;
	gt_atom name = atom(m, r->name);
	int64_t t = ev->time;
	bool end = ev->kind == GT_RANGE_END;
	if (strcmp(n, "GC concurrent mark phase") == 0) {
		if (!end && !m->in_mark) {
			m->in_mark = true;
			m->mark_at = t;
			m->trigger += m->heap / fmax(1, m->goal);
			m->mark_heap = m->heap;
			m->mark_goal = m->goal;
		} else if (end && m->in_mark) {
			for (size_t i = 0; i < m->onproc.cap;
				i++) { // the one that ends the phase goes on
				const gt_gor *g = (const gt_gor *)(uintptr_t)m->onproc.slots[i].val;
				if (m->onproc.slots[i].used && g->state == GT_GO_RUNNING)
					worked(m, g, t);
			}
			m->in_mark = false;
			m->cycles++;
			gt_hist_add(&m->marks, (double)(t - m->mark_at));
			span(m, GT_SPAN_MARK, name, GT_NONE, NULL, m->mark_at, t);
		}
	} else if (strncmp(n, "stop-the-world", 14) == 0) {
		uint64_t *at = gt_map_at(&m->stw_open, name, NULL);
		if (end && *at != 0) {
			gt_tally_add(&m->stw, name, (double)(t - (int64_t)*at));
			gt_hist_add(&m->pauses, (double)(t - (int64_t)*at));
			span(m, GT_SPAN_STW, name, ev->proc, gt_model_find(m, r->scope.id),
				(int64_t)*at, t);
		}
		*at = end ? 0 : (uint64_t)t;
	} else if (strcmp(n, "GC mark assist") == 0) {
		gt_gor *g = gt_model_find(m, r->scope.id);
		if (g == NULL)
			return;
		if (end && g->in_assist) {
			double d = (double)(t - g->assist_at);
			m->assists.n++;
			m->assists.ns += d;
			m->assists.max = fmax(m->assists.max, d);
			g->assist += d;
			span(m, GT_SPAN_ASSIST, name, ev->proc, g, g->assist_at, t);
		} else if (!end && !g->in_assist) {
			g->assist_at = t;
		}
		g->in_assist = !end;
	} else if (strcmp(n, "GC incremental sweep") == 0) {
		uint64_t *at = gt_map_at(&m->sweep_open, (uint64_t)r->scope.id, NULL);
		if (end && *at != 0) {
			double d = (double)(t - (int64_t)*at);
			m->sweeps.n++;
			m->sweeps.ns += d;
			m->sweeps.max = fmax(m->sweeps.max, d);
			span(m, GT_SPAN_SWEEP, name, r->scope.id, NULL, (int64_t)*at, t);
		}
		if (end && r->has_attrs) {
			m->swept += (double)r->swept;
			m->reclaimed += (double)r->reclaimed;
		}
		*at = end ? 0 : (uint64_t)t;
	}
}

// region takes the begin or the end of a region.
static void
region(gt_model *m, const gt_event *ev) {
	gt_gor *g = gt_model_find(m, ev->goroutine);
	gt_atom type = atom(m, ev->region.type);
	if (g == NULL)
		return;
	if (ev->kind == GT_REGION_BEGIN) {
		GT_PUSH(g->regions, g->nregions, g->capregions,
			((gt_tally){.what = type, .ns = (double)ev->time}));
	} else if (g->nregions > 0 && g->regions[g->nregions - 1].what == type) {
		gt_tally_add(&m->regions, type, (double)ev->time - g->regions[--g->nregions].ns);
	} else { // it began before the trace
		gt_tally_add(&m->regions, type, (double)(ev->time - m->first));
	}
}

// label takes the label of a mark worker.
static void
label(gt_model *m, const gt_event *ev) {
	gt_gor *g = gt_model_find(m, ev->goroutine);
	if (g == NULL)
		return;
	g->label = atom(m, ev->label.label);
	const char *l = gt_atom_text(g->label);
	m->workers[0] += strcmp(l, "GC (dedicated)") == 0;
	m->workers[1] += strcmp(l, "GC (fractional)") == 0;
	m->workers[2] += strcmp(l, "GC (idle)") == 0;
}

// take takes one event.
static void
take(gt_model *m, const gt_event *ev) {
	m->events++;
	m->kinds[ev->kind]++;
	if (ev->kind == GT_SYNC)
		return;
	if (m->first == 0)
		m->first = ev->time;
	m->last = ev->time;
	m->generations = ev->gen > m->generations ? ev->gen : m->generations;
	switch (ev->kind) {
	case GT_STATE_TRANSITION:
		if (ev->transition.resource.kind == GT_RES_PROC)
			proc_transition(m, ev);
		else if (ev->transition.resource.kind == GT_RES_GOROUTINE)
			go_transition(m, ev);
		break;
	case GT_METRIC:
		metric(m, ev);
		break;
	case GT_LABEL:
		label(m, ev);
		break;
	case GT_RANGE_BEGIN:
	case GT_RANGE_ACTIVE:
	case GT_RANGE_END:
		range(m, ev);
		break;
	case GT_TASK_BEGIN:
		*gt_map_at(&m->tasks_open, ev->task.id, NULL) = (uint64_t)ev->time;
		break;
	case GT_TASK_END: {
		uint64_t *at = gt_map_get(&m->tasks_open, ev->task.id);
		gt_tally_add(&m->tasks, atom(m, ev->task.type),
			(double)(ev->time - (at == NULL ? m->first : (int64_t)*at)));
		gt_map_del(&m->tasks_open, ev->task.id);
		break;
	}
	case GT_REGION_BEGIN:
	case GT_REGION_END:
		region(m, ev);
		break;
	case GT_LOG:
		gt_tally_add(&m->logs, atom(m, ev->log.category), 0);
		break;
	case GT_STACK_SAMPLE:
		if (ev->stack != NULL && ev->stack->n > 0)
			gt_tally_add(&m->samples, gt_rename(ev->stack->frames[0].func->s), 0);
		break;
	default:
		break;
	}
}

static int
by_seq(const void *a, const void *b) {
	const gt_gor *const *x = a, *const *y = b;
	return ((*x)->seq > (*y)->seq) - ((*x)->seq < (*y)->seq);
}

// finish ends what is under way at the end of the trace.
static void
finish(gt_model *m) {
	size_t n = 0, left = m->live.n;
	gt_gor **gs = gt_xcalloc(left + 1, sizeof gs[0]);
	for (size_t i = 0; i < m->live.cap; i++) {
		if (m->live.slots[i].used)
			gs[n++] = (gt_gor *)(uintptr_t)m->live.slots[i].val;
	}
	qsort(gs, n, sizeof gs[0], by_seq);
	for (size_t i = 0; i < n; i++) {
		gt_gor *g = gs[i];
		if (g->state == GT_GO_RUNNING || g->state == GT_GO_SYSCALL)
			slice(m, g, g->state == GT_GO_RUNNING ? GT_SLICE_RUN : GT_SLICE_SYSCALL,
				m->last, gt_atom_of("end of the trace"));
		spent(g, m->last);
		retire(m, g, m->last);
	}
	free(gs);
	for (size_t i = 0; i < m->procat.cap; i++) {
		gt_slot *p = &m->procat.slots[i];
		if (p->used)
			*gt_map_at(&m->procrun, p->key, NULL) += (uint64_t)m->last - p->val;
	}
	if (m->in_mark)
		span(m, GT_SPAN_MARK, gt_atom_of("GC concurrent mark phase"), GT_NONE, NULL,
			m->mark_at, m->last);
}

bool
gt_model_read(gt_model *m, const char *file, const gt_hooks *hooks) {
	*m = (gt_model){.hooks = hooks};
	gt_reader *r = gt_open(file);
	gt_event ev;
	while (gt_next(r, &ev))
		take(m, &ev);
	m->version = gt_version(r);
	m->offset = gt_offset(r);
	const char *err = gt_error(r);
	bool ok = err == NULL || (gt_fail("%s", err), false);
	if (ok)
		finish(m);
	gt_close(r);
	return ok;
}

void
gt_model_free(gt_model *m) {
	for (size_t i = 0; i < m->ngroups; i++)
		free(m->groups[i].reasons.v);
	free(m->groups);
	gt_map *maps[] = {&m->live, &m->groupidx, &m->names, &m->onproc, &m->procat, &m->procrun,
		&m->stw_open, &m->sweep_open, &m->tasks_open};
	for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
		gt_map_free(maps[i]);
	gt_tallies *ts[] = {&m->stw, &m->tasks, &m->regions, &m->logs, &m->samples};
	for (size_t i = 0; i < sizeof ts / sizeof ts[0]; i++)
		free(ts[i]->v);
}
