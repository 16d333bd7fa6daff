// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// How the keys of a trace are won: see gt_keys.h.
//
// What a key says must be the program's or the runtime's doing and not the luck of a run: transitions
// that the collector or the tracer caused leave no tokens, system goroutines are only counted, and a
// goroutine that was preempted does not count as started anew.  tests/trace/go/tracediff has the
// same rules in Go; the two give the same keys, down to the last digit, and tests/check-go sees to it.
//
// Memory: the trace's largest generation, and what there is of goroutines (half a KB each), cycles of
// the collector, and different texts and latencies.  The events are not kept, and the tokens of the
// goroutines go to a temporary file, four bytes each (gt_seq.h).  A goroutine's name may be known only
// late (from the first stack it shows), so a first pass finds the names.
#include "tools/gt_keys.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/gt_cmds.h"
#include "tools/gt_hist.h"
#include "tools/gt_json.h"
#include "tools/gt_reader.h"
#include "tools/gt_rename.h"

enum { USER = GT_USER, SYSTEM = GT_SYSTEM };
enum { GC_CAUSED = 1, TRACER_CAUSED = 2 }; // what a stack says about a transition
enum { R_OTHER, R_MARK, R_STW, R_ASSIST, R_SWEEP };
enum { W_DEDICATED, W_FRACTIONAL, W_IDLE, W_NUM };
enum { PATH_MAX_TEXT = 4096 };
enum {
	T_CREATE,
	T_BLOCK,
	T_UNBLOCK,
	T_YIELD,
	T_TASK,
	T_ENDTASK,
	T_REGION,
	T_ENDREGION,
	N_BLOCK,
	N_YIELD
};

static const char *const tokens[] = {"create", "block", "unblock", "yield", "task", "endtask",
	"region", "endregion", "block", "yield"};
static const char *const workers[W_NUM] = {"GC (dedicated)", "GC (fractional)", "GC (idle)"};

typedef struct count {
	gt_atom what;
	uint64_t n;
} count;

// A goroutine.
typedef struct gor {
	int64_t id, parent;
	gt_atom name, path;
	gt_atom unblock; // "unblock(path)"; 0: not made yet
	gt_atom label;
	bool created, in_assist;
	bool by_runtime; // last left the running state because of the collector, the tracer or preemption
	uint8_t what;
	int64_t since, assist_at;
	gt_seq toks;
	count *counts;
	size_t ncounts, capcounts;
} gor;

// A cycle of the collector.
typedef struct cycle {
	gt_atoms phases;
	double workers[W_NUM];
	uint64_t starts[W_NUM];
	int64_t begin;
	double dur, live_at, after, goal_at, goal, assist;
} cycle;

// Latencies: how often there was which.
typedef struct latencies {
	gt_map counts; // ns -> count
	uint64_t n;
} latencies;

// The values of a metric.
typedef struct values {
	uint64_t n;
	double max;
} values;

// Pauses of one kind.
typedef struct stw {
	gt_atom name;
	int64_t at;
	gt_nums durs;
} stw;

typedef struct state {
	gt_keys *keys;
	gt_map ids; // goroutine id -> index+1
	gor **gs;
	size_t ngs, capgs;
	gt_atoms order; // indexes of goroutines as they appear
	gt_map nchild;  // parent's index and name -> count
	gt_map funcs;   // gt_str of a function -> atom of the renamed one, of this reader
	gt_map texts;   // gt_str -> atom
	gt_map flags;   // atom of a function -> what it says, +1
	gt_map stacks;  // gt_stack -> what it says +1, of this generation
	gt_map ranges;  // gt_str -> kind of range +1
	gt_map toks;    // prefix and atom -> token

	gt_map kinds; // of transitions -> count
	gt_map edges; // two atoms -> count
	gt_seq sched_order;
	latencies lat_user, lat_system;
	values heap_goal, heap_alloc;
	stw *stws;
	size_t nstws, capstws;
	gt_map proc_at, proc_run;
	cycle **cycles, *cyc;
	size_t ncycles, capcycles;
	double live, goal, user_run, assist_time, swept, reclaimed, procs;
	uint64_t assists, sweeps, preempts, blocked_syscalls, samples, events;
	int64_t first, last;
} state;

// ---- the set of keys

// put returns the place of the value of that name, emptied.
static gt_value *
put(gt_keys *k, gt_atom name) {
	bool fresh;
	uint64_t *i = gt_map_at(&k->index, name, &fresh);
	if (fresh) {
		GT_PUSH(k->v, k->n, k->cap, ((gt_key){.name = name}));
		*i = k->n;
	}
	gt_value *v = &k->v[*i - 1].v;
	*v = (gt_value){0};
	return v;
}

static void
exact(gt_keys *k, gt_atom name, gt_atom text) {
	gt_value *v = put(k, name);
	v->class = GT_EXACT;
	v->s = text;
}

static void
exact_n(gt_keys *k, gt_atom name, uint64_t n) {
	exact(k, name, gt_atom_fmt("%llu", (unsigned long long)n));
}

static void
seq(gt_keys *k, gt_atom name, gt_seq q) {
	gt_value *v = put(k, name);
	v->class = GT_SEQ;
	v->q = q;
}

static void
stat(gt_keys *k, gt_atom name, double n, double tol, double floor) {
	*put(k, name) = (gt_value){.class = GT_STAT, .n = n, .tol = tol, .floor = floor};
}

static void
info(gt_keys *k, gt_atom name, double n) {
	*put(k, name) = (gt_value){.class = GT_INFO, .n = n};
}

static int
by_name(const void *a, const void *b) {
	return strcmp(
		gt_atom_text(((const gt_key *)a)->name), gt_atom_text(((const gt_key *)b)->name));
}

// reindex makes the index anew after the keys moved.
static void
reindex(gt_keys *k) {
	gt_map_clear(&k->index);
	for (size_t i = 0; i < k->n; i++)
		*gt_map_at(&k->index, k->v[i].name, NULL) = i + 1;
}

const gt_value *
gt_keys_get(const gt_keys *k, gt_atom name) {
	uint64_t *i = gt_map_get(&k->index, name);
	return i == NULL ? NULL : &k->v[*i - 1].v;
}

void
gt_keys_del(gt_keys *k, gt_atom name) {
	uint64_t *i = gt_map_get(&k->index, name);
	if (i == NULL)
		return;
	size_t at = *i - 1;
	memmove(&k->v[at], &k->v[at + 1], (k->n - at - 1) * sizeof k->v[0]);
	k->n--;
	reindex(k);
}

void
gt_value_json(FILE *f, const gt_value *v, const char *indent) {
	gt_buf b = {0};
	gt_buf_fmt(&b, "%s\"class\": %d,", indent, v->class);
	if (v->s != 0) {
		gt_buf_fmt(&b, "%s\"s\": ", indent);
		gt_json_string(&b, gt_atom_text(v->s));
		gt_buf_str(&b, ",");
	}
	gt_buf_fmt(&b, "%s\"n\": ", indent);
	gt_float(&b, v->n, true);
	if (v->q.n != 0) {
		gt_buf_fmt(&b, ",%s\"seq\": [", indent);
		for (size_t i = 0; i < v->q.n; i++) {
			gt_buf_fmt(&b, "%s%s ", i == 0 ? "" : ",", indent);
			gt_json_string(&b, gt_atom_text(gt_seq_at(&v->q, i)));
			fwrite(b.s, 1, b.n, f);
			b.n = 0;
		}
		gt_buf_fmt(&b, "%s]", indent);
	}
	if (v->tol != 0) {
		gt_buf_fmt(&b, ",%s\"tol\": ", indent);
		gt_float(&b, v->tol, true);
	}
	if (v->floor != 0) {
		gt_buf_fmt(&b, ",%s\"floor\": ", indent);
		gt_float(&b, v->floor, true);
	}
	fwrite(b.s, 1, b.n, f);
	gt_buf_free(&b);
}

// ---- names

static bool
prefix(const char *s, const char *p) {
	return strncmp(s, p, strlen(p)) == 0;
}

// text returns a text of the reader as an atom.
static gt_atom
text(state *s, const gt_str *t) {
	if (t == NULL || t->len == 0)
		return 0;
	bool fresh;
	uint64_t *a = gt_map_at(&s->texts, (uintptr_t)t, &fresh);
	if (fresh)
		*a = gt_atom_of(t->s);
	return (gt_atom)*a;
}

// func returns the name of a function after -rename.
static gt_atom
func(state *s, const gt_str *t) {
	bool fresh;
	uint64_t *a = gt_map_at(&s->funcs, (uintptr_t)t, &fresh);
	if (fresh)
		*a = gt_rename(t->s);
	return (gt_atom)*a;
}

// root returns the name of the outermost function of a stack.
static gt_atom
root(state *s, const gt_stack *st) {
	return st == NULL || st->n == 0 ? 0 : func(s, st->frames[st->n - 1].func);
}

int
gt_goroutine_kind(const char *n) {
	if (prefix(n, "runtime/trace.") || strstr(n, "traceStartReadCPU") != NULL ||
		strstr(n, "traceAdvancerState") != NULL || strstr(n, "traceReader") != NULL)
		return GT_TRACER;
	if (n[0] == 0 || (strcmp(n, "runtime.main") != 0 && prefix(n, "runtime.")))
		return GT_SYSTEM;
	return GT_USER;
}

// func_says tells whether a function on the stack means that the transition was the collector's or
// the tracer's doing.  Annotations have runtime/trace.* on their stacks, too: of these only Start and
// Stop are the tracer itself.
static int
func_says(const char *n) {
	if (prefix(n, "runtime.gcStart") || prefix(n, "runtime.gcAssist") ||
		strcmp(n, "runtime.mallocgc") == 0 ||
		strcmp(n, "runtime.deductAssistCredit") == 0 || strcmp(n, "runtime.GC") == 0 ||
		strcmp(n, "runtime.gcMarkDone") == 0)
		return GC_CAUSED;
	if (strcmp(n, "runtime/trace.Start") == 0 || strcmp(n, "runtime/trace.Stop") == 0 ||
		strcmp(n, "runtime.StopTrace") == 0 || strcmp(n, "runtime.traceAdvance") == 0)
		return TRACER_CAUSED;
	return 0;
}

// stack_says tells the same of a whole stack.
static int
stack_says(state *s, const gt_stack *st) {
	if (st == NULL)
		return 0;
	uint64_t *known = gt_map_get(&s->stacks, (uintptr_t)st);
	if (known != NULL)
		return (int)*known;
	int says = 0;
	for (size_t i = 0; i < st->n; i++) {
		gt_atom f = func(s, st->frames[i].func);
		bool fresh;
		uint64_t *v = gt_map_at(&s->flags, f, &fresh);
		if (fresh)
			*v = (uint64_t)func_says(gt_atom_text(f));
		says |= (int)*v;
	}
	*gt_map_at(&s->stacks, (uintptr_t)st, NULL) = (uint64_t)says;
	return says;
}

// token returns the token of kind t about a: "block(select)"; of kind N_x, what is counted: "block select".
static gt_atom
token(state *s, int t, gt_atom a) {
	bool fresh;
	uint64_t *p = gt_map_at(&s->toks, (uint64_t)a << 8 | (uint64_t)t, &fresh);
	if (fresh)
		*p = gt_atom_fmt(t < N_BLOCK ? "%s(%s)" : "%s %s", tokens[t], gt_atom_text(a));
	return (gt_atom)*p;
}

// no_ordinals returns the text without what follows a # as a number.
static gt_atom
no_ordinals(gt_atom a) {
	const char *p = gt_atom_text(a);
	gt_buf b = {0};
	gt_buf_add(&b, "", 0);
	while (*p != 0) {
		size_t n = *p == '#' ? strspn(p + 1, "0123456789") : 0;
		if (n != 0)
			p += n + 1;
		else
			gt_buf_add(&b, p++, 1);
	}
	gt_atom r = gt_atom_of(b.s);
	gt_buf_free(&b);
	return r;
}

// ---- goroutines

// get returns the goroutine with that id, made if need be.
static gor *
get(state *s, int64_t id) {
	bool fresh;
	uint64_t *i = gt_map_at(&s->ids, (uint64_t)id, &fresh);
	if (fresh) {
		gor *g = gt_xcalloc(1, sizeof *g);
		g->id = id;
		g->parent = GT_NONE;
		GT_PUSH(s->gs, s->ngs, s->capgs, g);
		*i = s->ngs;
	}
	return s->gs[*i - 1];
}

// tok adds a token to a goroutine of the program.
static void
tok(state *s, int64_t id, gt_atom t) {
	if (id == GT_NONE)
		return;
	gor *g = get(s, id);
	if (g->what == USER)
		gt_seq_add(&g->toks, t);
}

// bump counts one more of what goroutine g did.
static void
bump(gor *g, gt_atom what) {
	for (size_t i = 0; i < g->ncounts; i++) {
		if (g->counts[i].what == what) {
			g->counts[i].n++;
			return;
		}
	}
	GT_PUSH(g->counts, g->ncounts, g->capcounts, ((count){what, 1}));
}

// path returns what a goroutine is called in edges.
static gt_atom
path(state *s, int64_t id) {
	return id == GT_NONE ? gt_atom_of("<sched>") : get(s, id)->path;
}

// see notes the name and the parent of the goroutine in a transition (first pass).
static void
see(state *s, const gt_event *ev) {
	if (ev->kind != GT_STATE_TRANSITION || ev->transition.resource.kind != GT_RES_GOROUTINE)
		return;
	int64_t id = ev->transition.resource.id;
	bool known = gt_map_get(&s->ids, (uint64_t)id) != NULL;
	gor *g = get(s, id);
	if (!known)
		gt_atoms_add(&s->order, (gt_atom)(s->ngs - 1));
	if (g->name == 0)
		g->name = root(s, ev->transition.stack);
	if (ev->transition.from == GT_GO_NOT_EXIST) {
		g->created = true;
		g->parent = ev->goroutine;
	}
}

// name_all gives every goroutine its path.
static void
name_all(state *s) {
	for (size_t i = 0; i < s->order.n; i++) {
		gor *g = s->gs[s->order.v[i]];
		g->what = (uint8_t)gt_goroutine_kind(gt_atom_text(g->name));
		if (g->parent == GT_NONE || g->what == SYSTEM) {
			g->path = g->name;
			continue;
		}
		gor *p = get(s, g->parent);
		uint64_t pi = *gt_map_get(&s->ids, (uint64_t)g->parent);
		uint64_t *k = gt_map_at(&s->nchild, pi << 32 | g->name, NULL);
		const char *pt = gt_atom_text(p->path);
		if (strlen(pt) < PATH_MAX_TEXT)
			g->path = gt_atom_fmt(
				"%s/%s#%llu", pt, gt_atom_text(g->name), (unsigned long long)*k);
		else // a chain of thousands: the middle of the path would cost more than it tells
			g->path = gt_atom_fmt("...%u/%s#%llu", p->path, gt_atom_text(g->name),
				(unsigned long long)*k);
		(*k)++;
	}
}

// ---- the second pass

// range_kind classifies a range by its name.
static int
range_kind(state *s, const gt_str *name) {
	bool fresh;
	uint64_t *k = gt_map_at(&s->ranges, (uintptr_t)name, &fresh);
	if (fresh) {
		const char *n = name->s;
		*k = strcmp(n, "GC concurrent mark phase") == 0 ? R_MARK
		     : prefix(n, "stop-the-world")              ? R_STW
		     : strcmp(n, "GC mark assist") == 0         ? R_ASSIST
		     : strcmp(n, "GC incremental sweep") == 0   ? R_SWEEP
								: R_OTHER;
	}
	return (int)*k;
}

static stw *
get_stw(state *s, gt_atom name) {
	for (size_t i = 0; i < s->nstws; i++) {
		if (s->stws[i].name == name)
			return &s->stws[i];
	}
	GT_PUSH(s->stws, s->nstws, s->capstws, ((stw){.name = name}));
	return &s->stws[s->nstws - 1];
}

// worker returns which kind of mark worker a label is, or W_NUM.
static int
worker(gt_atom label) {
	const char *l = gt_atom_text(label);
	for (int w = 0; w < W_NUM; w++) {
		if (strcmp(l, workers[w]) == 0)
			return w;
	}
	return W_NUM;
}

// proc_transition takes a change of a P.
static void
proc_transition(state *s, const gt_event *ev) {
	const gt_transition *st = &ev->transition;
	if (st->from == st->to || (st->from == GT_PROC_UNDETERMINED && st->to == GT_PROC_IDLE))
		return;
	(*gt_map_at(&s->kinds, UINT64_C(1) << 60 | st->from | (uint64_t)st->to << 3, NULL))++;
	uint64_t p = (uint64_t)st->resource.id;
	if (st->to == GT_PROC_RUNNING) {
		*gt_map_at(&s->proc_at, p, NULL) = (uint64_t)ev->time;
	} else if (gt_map_get(&s->proc_at, p) != NULL) {
		*gt_map_at(&s->proc_run, p, NULL) +=
			(uint64_t)ev->time - *gt_map_get(&s->proc_at, p);
		gt_map_del(&s->proc_at, p);
	}
}

// unblocked takes the wakeup of a goroutine of the program.
static void
unblocked(state *s, const gt_event *ev, gor *g) {
	gt_atom from;
	bool theirs = ev->goroutine == GT_NONE || get(s, ev->goroutine)->what == USER;
	from = theirs ? path(s, ev->goroutine)
		      : get(s, ev->goroutine)->name; // a runtime goroutine is only an edge
	(*gt_map_at(&s->edges, (uint64_t)from << 32 | g->path, NULL))++;
	if (!theirs)
		return;
	if (g->unblock == 0)
		g->unblock = token(s, T_UNBLOCK, g->path);
	tok(s, ev->goroutine, g->unblock);
}

static void
latencies_add(latencies *l, int64_t ns) {
	(*gt_map_at(&l->counts, (uint64_t)ns, NULL))++;
	l->n++;
}

static void
values_add(values *v, double x) {
	v->max = v->n == 0 ? x : fmax(v->max, x);
	v->n++;
}

// go_transition takes a change of a goroutine.
static void
go_transition(state *s, const gt_event *ev) {
	const gt_transition *st = &ev->transition;
	int64_t id = st->resource.id, t = ev->time;
	gor *g = get(s, id);
	int from = st->from, to = st->to;
	if (from == to)
		return;
	int says = stack_says(s, ev->stack);
	int64_t ns = t - g->since;
	double d = (double)ns;
	if (g->since != 0) {
		if (from == GT_GO_RUNNING && g->what == USER)
			s->user_run += d;
		else if (from == GT_GO_RUNNING && g->label != 0 && s->cyc != NULL &&
			 worker(g->label) < W_NUM)
			s->cyc->workers[worker(g->label)] += d;
		if (from == GT_GO_RUNNABLE && to == GT_GO_RUNNING)
			latencies_add(g->what == USER ? &s->lat_user : &s->lat_system, ns);
	}
	g->since = t;
	if (from == GT_GO_UNDETERMINED)
		return;
	gt_atom reason = text(s, st->reason);
	bool preempted = reason != 0 && strcmp(gt_atom_text(reason), "preempted") == 0;
	if (from == GT_GO_RUNNING)
		g->by_runtime = says != 0 || preempted;
	if (g->what == USER)
		(*gt_map_at(&s->kinds,
			(uint64_t)reason | (uint64_t)from << 32 | (uint64_t)to << 36 |
				(uint64_t)says << 40,
			NULL))++;
	if (from == GT_GO_NOT_EXIST) {
		if (g->what == USER)
			tok(s, ev->goroutine, token(s, T_CREATE, g->name));
	} else if (to == GT_GO_RUNNING && from == GT_GO_RUNNABLE) {
		g->label = 0;
		if (g->what == USER && !g->by_runtime)
			gt_seq_add(&s->sched_order, g->path);
		g->by_runtime = false;
	} else if (to == GT_GO_WAITING) {
		if (says == 0) {
			tok(s, id, token(s, T_BLOCK, reason));
			bump(g, token(s, N_BLOCK, reason));
		}
		g->label = 0;
	} else if (from == GT_GO_WAITING && to == GT_GO_RUNNABLE) {
		if (g->what == USER && says == 0)
			unblocked(s, ev, g);
	} else if (from == GT_GO_RUNNING && to == GT_GO_RUNNABLE) {
		if (preempted) {
			s->preempts += g->what == USER;
		} else if (says == 0) {
			tok(s, id, token(s, T_YIELD, reason));
			bump(g, token(s, N_YIELD, reason));
		}
	} else if (to == GT_GO_SYSCALL) {
		if (says == 0) {
			tok(s, id, gt_atom_of("syscall"));
			bump(g, gt_atom_of("syscall"));
		}
	} else if (from == GT_GO_SYSCALL && to == GT_GO_RUNNABLE) {
		s->blocked_syscalls += g->what == USER;
	} else if (to == GT_GO_NOT_EXIST) {
		tok(s, id, gt_atom_of("end"));
	}
}

// metric takes a new value of a metric.
static void
metric(state *s, const gt_event *ev) {
	double v = (double)ev->metric.value;
	const char *n = ev->metric.name->s;
	if (strcmp(n, "/memory/classes/heap/objects:bytes") == 0) {
		values_add(&s->heap_alloc, v);
		s->live = v;
		if (s->cyc != NULL)
			s->cyc->after = v;
	} else if (strcmp(n, "/gc/heap/goal:bytes") == 0) {
		values_add(&s->heap_goal, v);
		s->goal = v;
		if (s->ncycles > 0 && s->cycles[s->ncycles - 1]->goal == 0)
			s->cycles[s->ncycles - 1]->goal = v;
	} else if (strcmp(n, "/sched/gomaxprocs:threads") == 0) {
		s->procs = v;
	}
}

// range_begin takes the begin of a range, or the news that it was under way.
static void
range_begin(state *s, const gt_event *ev) {
	const gt_range *r = &ev->range;
	switch (range_kind(s, r->name)) {
	case R_MARK:
		s->cyc = gt_xcalloc(1, sizeof *s->cyc);
		s->cyc->begin = ev->time;
		s->cyc->live_at = s->live;
		s->cyc->goal_at = s->goal;
		gt_atoms_add(&s->cyc->phases, gt_atom_of("GCBegin"));
		break;
	case R_STW:
		get_stw(s, text(s, r->name))->at = ev->time;
		if (s->cyc != NULL)
			gt_atoms_add(&s->cyc->phases, text(s, r->name));
		break;
	case R_ASSIST: {
		gor *g = get(s, r->scope.id);
		g->in_assist = true;
		g->assist_at = ev->time;
		s->assists++;
		break;
	}
	}
}

// range_end takes the end of a range.
static void
range_end(state *s, const gt_event *ev) {
	const gt_range *r = &ev->range;
	switch (range_kind(s, r->name)) {
	case R_MARK:
		if (s->cyc == NULL)
			break;
		s->cyc->dur = (double)(ev->time - s->cyc->begin);
		gt_atoms_add(&s->cyc->phases, gt_atom_of("GCEnd"));
		GT_PUSH(s->cycles, s->ncycles, s->capcycles, s->cyc);
		s->cyc = NULL;
		break;
	case R_STW: {
		stw *w = get_stw(s, text(s, r->name));
		gt_nums_add(&w->durs, (double)(ev->time - w->at));
		break;
	}
	case R_ASSIST: {
		gor *g = get(s, r->scope.id);
		if (!g->in_assist)
			break;
		double d = (double)(ev->time - g->assist_at);
		s->assist_time += d;
		if (s->cyc != NULL)
			s->cyc->assist += d;
		g->in_assist = false;
		break;
	}
	case R_SWEEP:
		s->sweeps++;
		if (r->has_attrs) {
			s->swept += (double)r->swept;
			s->reclaimed += (double)r->reclaimed;
		}
		break;
	}
}

// label takes the label of a mark worker.
static void
label(state *s, const gt_event *ev) {
	gor *g = get(s, ev->goroutine);
	g->label = text(s, ev->label.label);
	cycle *c = s->cyc;
	if (c == NULL)
		return;
	if (worker(g->label) < W_NUM)
		c->starts[worker(g->label)]++;
	if (c->phases.v[c->phases.n - 1] != g->label)
		gt_atoms_add(&c->phases, g->label);
}

// take takes one event (second pass).
static void
take(state *s, const gt_event *ev) {
	s->events++;
	if (ev->kind == GT_SYNC) {
		gt_map_clear(&s->stacks);
		return;
	}
	if (s->first == 0)
		s->first = ev->time;
	s->last = ev->time;
	switch (ev->kind) {
	case GT_STATE_TRANSITION:
		if (ev->transition.resource.kind == GT_RES_PROC)
			proc_transition(s, ev);
		else if (ev->transition.resource.kind == GT_RES_GOROUTINE)
			go_transition(s, ev);
		break;
	case GT_METRIC:
		metric(s, ev);
		break;
	case GT_LABEL:
		label(s, ev);
		break;
	case GT_RANGE_BEGIN:
	case GT_RANGE_ACTIVE:
		range_begin(s, ev);
		break;
	case GT_RANGE_END:
		range_end(s, ev);
		break;
	case GT_TASK_BEGIN:
		tok(s, ev->goroutine, token(s, T_TASK, text(s, ev->task.type)));
		break;
	case GT_TASK_END:
		tok(s, ev->goroutine, token(s, T_ENDTASK, text(s, ev->task.type)));
		break;
	case GT_REGION_BEGIN:
		tok(s, ev->goroutine, token(s, T_REGION, text(s, ev->region.type)));
		break;
	case GT_REGION_END:
		tok(s, ev->goroutine, token(s, T_ENDREGION, text(s, ev->region.type)));
		break;
	case GT_LOG:
		tok(s, ev->goroutine,
			gt_atom_fmt("log(%s:%s)", ev->log.category->s, ev->log.message->s));
		break;
	case GT_STACK_SAMPLE:
		s->samples++;
		break;
	default:
		break;
	}
}

// ---- the keys

static int
by_number(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

// quant returns the q quantile; it sorts v.
static double
quant(gt_nums *v, double q) {
	if (v->n == 0)
		return 0;
	qsort(v->v, v->n, sizeof v->v[0], by_number);
	return v->v[(size_t)fmin((double)(v->n - 1), q * (double)v->n)];
}

// latency returns the q quantile of latencies, as quant does of numbers.
static double
latency(const latencies *l, double q) {
	if (l->n == 0)
		return 0;
	uint64_t *ns = gt_map_keys(&l->counts, true);
	uint64_t left = (uint64_t)fmin((double)(l->n - 1), q * (double)l->n);
	size_t i = 0;
	for (uint64_t n; (n = *gt_map_get(&l->counts, ns[i])) <= left; i++)
		left -= n;
	double r = (double)(int64_t)ns[i];
	free(ns);
	return r;
}

// A table of counts by text, and how Go prints such a map.
typedef struct counts {
	gt_map index;
	count *v;
	size_t n, cap;
} counts;

static void
counts_add(counts *c, gt_atom what, uint64_t n) {
	bool fresh;
	uint64_t *i = gt_map_at(&c->index, what, &fresh);
	if (fresh) {
		GT_PUSH(c->v, c->n, c->cap, ((count){what, 0}));
		*i = c->n;
	}
	c->v[*i - 1].n += n;
}

static int
by_what(const void *a, const void *b) {
	return strcmp(
		gt_atom_text(((const count *)a)->what), gt_atom_text(((const count *)b)->what));
}

static gt_atom
counts_print(counts *c) {
	gt_buf b = {0};
	gt_buf_str(&b, "map[");
	if (c->n > 0)
		qsort(c->v, c->n, sizeof c->v[0], by_what);
	for (size_t i = 0; i < c->n; i++)
		gt_buf_fmt(&b, "%s%s:%llu", i == 0 ? "" : " ", gt_atom_text(c->v[i].what),
			(unsigned long long)c->v[i].n);
	gt_buf_str(&b, "]");
	gt_atom a = gt_atom_of(b.s);
	gt_buf_free(&b);
	return a;
}

static void
counts_free(counts *c) {
	gt_map_free(&c->index);
	free(c->v);
}

// goroutine_keys: the goroutines of the program one by one, and without ordinals, which is what
// stays comparable when siblings compete on several processors.
static void
goroutine_keys(state *s) {
	gt_keys *k = s->keys;
	counts class = {0}, ends = {0}, sys = {0}, class_exact = {0};
	gt_seq tree = {0};
	for (size_t i = 0; i < s->order.n; i++) {
		gor *g = s->gs[s->order.v[i]];
		if (g->what == SYSTEM && g->name != 0)
			counts_add(&sys, g->name, 1);
		if (g->what != USER)
			continue;
		const char *p = gt_atom_text(g->path);
		gt_seq_add(&tree, g->path);
		gt_atom c = no_ordinals(g->path);
		for (size_t j = 0; j < g->ncounts; j++) {
			const char *what = gt_atom_text(g->counts[j].what);
			exact_n(k, gt_atom_fmt("go/%s/count %s", p, what), g->counts[j].n);
			counts_add(&class, gt_atom_fmt("class/count %s %s", gt_atom_text(c), what),
				g->counts[j].n);
		}
		counts_add(&class_exact, gt_atom_fmt("class/goroutines %s", gt_atom_text(c)), 1);
		gt_atom last = g->toks.n == 0 ? gt_atom_of("(start)")
					      : no_ordinals(gt_seq_at(&g->toks, g->toks.n - 1));
		counts_add(&ends, gt_atom_fmt("%s ends in %s", gt_atom_text(c), gt_atom_text(last)),
			1);
		seq(k, gt_atom_fmt("go/%s/sequence", p), g->toks);
	}
	seq(k, gt_atom_of("go/creation tree"), tree);
	exact(k, gt_atom_of("sysgoroutines"), counts_print(&sys));
	for (size_t i = 0; i < s->edges.cap; i++) {
		gt_slot *e = &s->edges.slots[i];
		if (!e->used)
			continue;
		gt_atom name = gt_atom_fmt("%s -> %s", gt_atom_text((gt_atom)(e->key >> 32)),
			gt_atom_text((gt_atom)e->key));
		exact_n(k, gt_atom_fmt("edge/%s", gt_atom_text(name)), e->val);
		counts_add(&class, gt_atom_fmt("class/edge %s", gt_atom_text(no_ordinals(name))),
			e->val);
	}
	for (size_t i = 0; i < class.n; i++)
		stat(k, class.v[i].what, (double)class.v[i].n, .6, 60);
	for (size_t i = 0; i < class_exact.n; i++)
		exact_n(k, class_exact.v[i].what, class_exact.v[i].n);
	exact(k, gt_atom_of("class/final tokens"), counts_print(&ends));
	counts_free(&class);
	counts_free(&class_exact);
	counts_free(&ends);
	counts_free(&sys);
}

// kind_keys: how often each transition happened.
static void
kind_keys(state *s) {
	for (size_t i = 0; i < s->kinds.cap; i++) {
		gt_slot *e = &s->kinds.slots[i];
		if (!e->used)
			continue;
		double n = (double)e->val;
		if ((e->key >> 60) != 0) {
			stat(s->keys,
				gt_atom_fmt("kind/proc %s->%s", gt_proc_state(e->key & 7),
					gt_proc_state(e->key >> 3 & 7)),
				n, .5, 8);
			continue;
		}
		int from = (int)(e->key >> 32 & 15), to = (int)(e->key >> 36 & 15),
		    says = (int)(e->key >> 40);
		const char *why = gt_atom_text((gt_atom)e->key);
		gt_atom a = gt_atom_fmt("kind/%s%sgo %s->%s%s%s%s",
			(says & TRACER_CAUSED) != 0 ? "tracer " : "",
			(says & GC_CAUSED) != 0 ? "gc-caused " : "", gt_go_state(from),
			gt_go_state(to), why[0] == 0 ? "" : " (", why, why[0] == 0 ? "" : ")");
		const char *t = gt_atom_text(a);
		if (strstr(t, "preempted") != NULL || prefix(t, "kind/gc-caused") ||
			strstr(t, "Waiting->Runnable") != NULL || strstr(t, "Syscall->") != NULL)
			stat(s->keys, a, n, .5, 8);
		else if (strstr(t, "Runnable->Running") != NULL)
			stat(s->keys, a, n, .3, 8);
		else if (!prefix(t, "kind/tracer "))
			exact_n(s->keys, a, e->val);
	}
}

// latency_keys: how long runnable goroutines waited.
static void
latency_keys(state *s) {
	static const double qs[] = {.5, .9, .99};
	for (int i = 0; i < 3; i++) {
		// how long idle helpers of the runtime wait is the tracer's doing, and luck
		info(s->keys, gt_atom_fmt("latency/system p%g ns", qs[i] * 100),
			latency(&s->lat_system, qs[i]));
		stat(s->keys, gt_atom_fmt("latency/user p%g ns", qs[i] * 100),
			latency(&s->lat_user, qs[i]), 3, 20000);
	}
}

// shapes returns the sequences of phases that cycles had, without the workers' labels: with one
// processor assists alone may mark a whole cycle.
static gt_seq
shapes(state *s) {
	gt_keys set = {0};
	for (size_t i = 0; i < s->ncycles; i++) {
		gt_atoms *p = &s->cycles[i]->phases;
		gt_buf b = {0};
		gt_buf_add(&b, "", 0);
		for (size_t j = 0; j < p->n; j++) {
			if (!prefix(gt_atom_text(p->v[j]), "GC ("))
				gt_buf_fmt(
					&b, "%s%s", b.n == 0 ? "" : " > ", gt_atom_text(p->v[j]));
		}
		put(&set, gt_atom_of(b.s));
		gt_buf_free(&b);
	}
	gt_seq r = {0};
	qsort(set.v, set.n, sizeof set.v[0], by_name);
	for (size_t i = 0; i < set.n; i++)
		gt_seq_add(&r, set.v[i].name);
	free(set.v);
	gt_map_free(&set.index);
	return r;
}

// gc_keys: the cycles of the collector.
static void
gc_keys(state *s, double wall) {
	gt_keys *k = s->keys;
	exact_n(k, gt_atom_of("gc/cycles"), s->ncycles);
	if (s->ncycles == 0)
		return;
	gt_nums live = {0}, after = {0}, goal = {0};
	double n = (double)s->ncycles, dur = 0, trigger = 0, work[W_NUM] = {0};
	uint64_t starts[W_NUM] = {0};
	for (size_t i = 0; i < s->ncycles; i++) {
		cycle *c = s->cycles[i];
		if (s->ncycles <= 4) { // few cycles: each is compared with its counterpart
			stat(k, gt_atom_fmt("gc/cycle%02d/live at start", (int)i), c->live_at, .05,
				65536);
			stat(k, gt_atom_fmt("gc/cycle%02d/live after", (int)i), c->after, .05,
				65536);
			stat(k, gt_atom_fmt("gc/cycle%02d/next goal", (int)i), c->goal, .05, 65536);
		}
		gt_nums_add(&live, c->live_at);
		gt_nums_add(&after, c->after);
		gt_nums_add(&goal, c->goal);
		for (int w = 0; w < W_NUM; w++) {
			work[w] += c->workers[w];
			starts[w] += c->starts[w];
		}
		dur += c->dur;
		trigger += c->live_at / fmax(1, c->goal_at);
	}
	seq(k, gt_atom_of("gc/phase sequences seen"), shapes(s));
	stat(k, gt_atom_of("gc/median live at start"), quant(&live, .5), .15, 65536);
	stat(k, gt_atom_of("gc/median live after"), quant(&after, .5), .15, 65536);
	stat(k, gt_atom_of("gc/median next goal"), quant(&goal, .5), .15, 65536);
	stat(k, gt_atom_of("gc/mean trigger over goal"), trigger / n, .1, .05);
	for (int w = 0; w < W_NUM; w++) {
		stat(k, gt_atom_fmt("gc/worker %s share of P-time in mark", workers[w]),
			work[w] / (dur * fmax(1, s->procs)), .4, .1);
		stat(k, gt_atom_fmt("gc/worker %s starts per cycle", workers[w]),
			(double)starts[w] / n, .5, 1.5);
	}
	stat(k, gt_atom_of("gc/mark time share of wall"), dur / wall, .5, .05);
	stat(k, gt_atom_of("gc/assist share of user run time"),
		s->assist_time / fmax(1, s->user_run), .5, .02);
	stat(k, gt_atom_of("gc/assists per cycle"), (double)s->assists / n, .7, 3);
	stat(k, gt_atom_of("gc/bytes swept by sweep ranges per cycle"), s->swept / n, .6, 1 << 17);
	stat(k, gt_atom_of("gc/bytes reclaimed per cycle"), s->reclaimed / n, .6, 1 << 17);
	stat(k, gt_atom_of("gc/sweep ranges per cycle"), (double)s->sweeps / n, .7, 4);
	free(live.v);
	free(after.v);
	free(goal.v);
}

// all_keys turns what was counted into keys.
static void
all_keys(state *s) {
	gt_keys *k = s->keys;
	double wall = (double)(s->last - s->first), rt = 0;
	for (size_t i = 0; i < s->proc_at.cap; i++) {
		gt_slot *p = &s->proc_at.slots[i];
		if (p->used)
			rt += (double)((uint64_t)s->last - p->val);
	}
	for (size_t i = 0; i < s->proc_run.cap; i++)
		rt += s->proc_run.slots[i].used ? (double)s->proc_run.slots[i].val : 0;
	gt_buf procs = {0};
	gt_float(&procs, s->procs, false);
	exact(k, gt_atom_of("procs/gomaxprocs"), gt_atom_of(procs.s));
	gt_buf_free(&procs);
	goroutine_keys(s);
	seq(k, gt_atom_of("sched/start order"), s->sched_order);
	stat(k, gt_atom_of("sched/preemptions"), (double)s->preempts, .5, 5);
	stat(k, gt_atom_of("sched/blocked syscalls"), (double)s->blocked_syscalls, .5, 5);
	kind_keys(s);
	latency_keys(s);
	gc_keys(s, wall);
	for (size_t i = 0; i < s->nstws; i++) {
		stw *w = &s->stws[i];
		const char *n = gt_atom_text(w->name);
		if (strstr(n, "trace") != NULL || w->durs.n == 0)
			continue;
		exact_n(k, gt_atom_fmt("stw/%s count", n), w->durs.n);
		stat(k, gt_atom_fmt("stw/%s p50 ns", n), quant(&w->durs, .5), 3, 50000);
		stat(k, gt_atom_fmt("stw/%s max ns", n), quant(&w->durs, 1), 10, 500000);
	}
	stat(k, gt_atom_of("heap/goal updates"), (double)s->heap_goal.n, .2, 2);
	stat(k, gt_atom_of("heap/alloc updates"), (double)s->heap_alloc.n, .2, 4);
	stat(k, gt_atom_of("heap/alloc peak"), s->heap_alloc.max, .25, 1 << 17);
	stat(k, gt_atom_of("heap/goal last"), s->goal, .25, 1 << 17);
	stat(k, gt_atom_of("heap/goal max"), s->heap_goal.max, .25, 1 << 17);
	stat(k, gt_atom_of("procs/utilisation"), rt / fmax(1, wall * fmax(1, s->procs)), .3, .15);
	info(k, gt_atom_of("wall ns"), wall);
	info(k, gt_atom_of("events"), (double)s->events);
	info(k, gt_atom_of("cpu samples"), (double)s->samples);
	qsort(k->v, k->n, sizeof k->v[0], by_name);
	reindex(k);
}

// free_state frees all but what went into the keys.
static void
free_state(state *s) {
	for (size_t i = 0; i < s->ngs; i++) {
		gor *g = s->gs[i];
		bool kept = g->what == USER &&
			    gt_keys_get(s->keys,
				    gt_atom_fmt("go/%s/sequence", gt_atom_text(g->path))) != NULL;
		if (!kept)
			gt_seq_free(&g->toks);
		free(g->counts);
		free(g);
	}
	free(s->gs);
	for (size_t i = 0; i < s->ncycles; i++) {
		free(s->cycles[i]->phases.v);
		free(s->cycles[i]);
	}
	free(s->cycles);
	for (size_t i = 0; i < s->nstws; i++)
		free(s->stws[i].durs.v);
	free(s->stws);
	free(s->order.v);
	gt_map *maps[] = {&s->ids, &s->nchild, &s->funcs, &s->texts, &s->flags, &s->stacks,
		&s->ranges, &s->toks, &s->kinds, &s->edges, &s->proc_at, &s->proc_run,
		&s->lat_user.counts, &s->lat_system.counts};
	for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
		gt_map_free(maps[i]);
}

// pass reads the whole trace.
static bool
pass(state *s, const char *file, void (*f)(state *, const gt_event *)) {
	gt_reader *r = gt_open(file);
	gt_event ev;
	while (gt_next(r, &ev))
		f(s, &ev);
	const char *err = gt_error(r);
	bool ok = err == NULL || (gt_fail("%s", err), false);
	gt_close(r);
	gt_map_clear(&s->funcs); // they have pointers of this reader's
	gt_map_clear(&s->texts);
	gt_map_clear(&s->stacks);
	gt_map_clear(&s->ranges);
	return ok;
}

// spool copies standard input into a file, because it is read twice.
static FILE *
spool(char *name, size_t n) {
	FILE *f = gt_tmpfile();
	char buf[65536];
	size_t got;
	while ((got = fread(buf, 1, sizeof buf, stdin)) > 0)
		fwrite(buf, 1, got, f);
	if (fflush(f) != 0 || ferror(f)) {
		fclose(f);
		return NULL;
	}
	snprintf(name, n, "/proc/self/fd/%d", fileno(f));
	return f;
}

bool
gt_keys_read(const char *file, gt_keys *k) {
	state s = {.keys = k};
	char name[64];
	FILE *f = NULL;
	*k = (gt_keys){0};
	if (strcmp(file, "-") == 0) {
		f = spool(name, sizeof name);
		if (f == NULL) {
			gt_fail("standard input cannot be kept for a second reading");
			return false;
		}
		file = name;
	}
	bool ok = pass(&s, file, see);
	if (ok) {
		name_all(&s);
		ok = pass(&s, file, take);
	}
	if (ok)
		all_keys(&s);
	free_state(&s);
	if (f != NULL)
		fclose(f);
	return ok;
}
