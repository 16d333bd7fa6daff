// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// gort-trace html: one self-contained page about one trace, or about two side by side.
//
// The page is tools/gt_page.html with the data put in.  What it shows of a trace is bounded whatever
// the trace's size: when there are more than -max stretches of time on the processors, neighbours on
// one processor that lie in the same slot of time become one stretch (with a count, the time it was
// busy, and the goroutine that had most of it), and the slots double until the rest fits.  Curves
// keep the lowest and the highest value of each slot, distributions are histograms.  So a page may be
// coarse, never wrong: nothing is left out.
#include <stdlib.h>
#include <string.h>

#include "tools/gt_cmds.h"
#include "tools/gt_diff.h"
#include "tools/gt_json.h"
#include "tools/gt_keys.h"
#include "tools/gt_model.h"
#include "tools/gt_rename.h"

enum {
	DEFAULT_MAX = 200000,
	MAX_POINTS = 20000,
	MAX_SPANS = 20000,
	MAX_CYCLES = 5000,
	MAX_LINES = 2000,
	MAX_GROUPS = 500
};
enum { NOBODY = UINT32_MAX };

// The page, cut where the data goes in.
static const char page[] = {
#include "tools/gt_page.inc"
};
static const char marker[] = "/*DATA*/";

// A stretch of time on a P, or several that lie close together.
typedef struct run {
	int64_t begin, end;
	int64_t busy, best; // ns: in all, and of the goroutine g
	int64_t ready;
	uint32_t g, waker; // numbers of goroutines (gt_gor.seq) or NOBODY
	gt_atom why;
	uint32_t n;
	uint8_t kind;
} run;

typedef struct runs {
	run *v;
	size_t n, cap;
} runs;

// A point of a curve.
typedef struct point {
	int64_t t;
	double v;
} point;

typedef struct curve {
	point *v;
	size_t n, cap;
	int64_t slot;
} curve;

// A mark phase.
typedef struct cycle {
	int64_t begin, end;
	double heap, goal, after;
} cycle;

typedef struct spans {
	gt_span *v;
	size_t n, cap;
	int64_t slot;
} spans;

// What the page gets of one trace.
typedef struct side {
	const char *file;
	gt_model m;
	gt_keys keys;
	size_t max, total; // runs
	int64_t slot;
	gt_map procs; // P -> index in lanes
	struct lane {
		int64_t p;
		runs runs, assists, sweeps;
	} * lanes;
	size_t nlanes, caplanes;
	spans stw;
	cycle *cycles;
	size_t ncycles, capcycles;
	curve heap, goal, runnable, alive;
	gt_atom *names; // of goroutines, by number
	int64_t *ids;
	size_t nnames, capnames, capids;
	gt_atoms strings; // of the page
	gt_map stringidx; // atom -> index
} side;

// ---- collecting

// absorb makes one stretch of a and b, which follows it.
static void
absorb(run *a, const run *b) {
	a->end = b->end > a->end ? b->end : a->end;
	a->busy += b->busy;
	a->n += b->n;
	if (b->g == a->g) {
		a->best += b->best;
	} else if (b->best > a->best) {
		a->g = b->g;
		a->best = b->best;
		a->kind = b->kind;
	}
}

// one_slot says whether the time from begin to end lies in one slot.
static bool
one_slot(int64_t slot, int64_t begin, int64_t end) {
	return slot > 0 && begin / slot == end / slot;
}

// squeeze merges neighbours that share a slot.
static void
squeeze(runs *r, int64_t slot) {
	size_t k = 0;
	for (size_t i = 0; i < r->n; i++) {
		if (k > 0 && one_slot(slot, r->v[k - 1].begin, r->v[i].end))
			absorb(&r->v[k - 1], &r->v[i]);
		else
			r->v[k++] = r->v[i];
	}
	r->n = k;
}

// add_run adds a stretch, and makes room when there are too many.
static void
add_run(side *s, runs *r, run x) {
	if (r->n > 0 && one_slot(s->slot, r->v[r->n - 1].begin, x.end)) {
		absorb(&r->v[r->n - 1], &x);
		return;
	}
	GT_PUSH(r->v, r->n, r->cap, x);
	s->total++;
	while (s->total > s->max) {
		s->slot =
			s->slot > 0 ? s->slot * 2 : (s->m.last - s->m.first) / (int64_t)s->max + 1;
		s->total = 0;
		for (size_t i = 0; i < s->nlanes; i++) {
			runs *all[] = {
				&s->lanes[i].runs, &s->lanes[i].assists, &s->lanes[i].sweeps};
			for (int k = 0; k < 3; k++) {
				squeeze(all[k], s->slot);
				s->total += all[k]->n;
			}
		}
		if (s->total > s->max - s->max / 4) // so that it does not happen all the time
			s->total = s->max + 1;
	}
}

static struct lane *
lane(side *s, int64_t p) {
	bool fresh;
	uint64_t *i = gt_map_at(&s->procs, (uint64_t)p, &fresh);
	if (fresh) {
		GT_PUSH(s->lanes, s->nlanes, s->caplanes, ((struct lane){.p = p}));
		*i = s->nlanes - 1;
	}
	return &s->lanes[*i];
}

static void
on_slice(void *ctx, gt_model *m, const gt_slice *sl) {
	side *s = ctx;
	gt_gor *w = sl->waker == GT_NONE ? NULL : gt_model_find(m, sl->waker);
	run x = {.begin = sl->begin,
		.end = sl->end,
		.busy = sl->end - sl->begin,
		.best = sl->end - sl->begin,
		.ready = sl->ready,
		.g = (uint32_t)sl->g->seq,
		.waker = w == NULL ? NOBODY : (uint32_t)w->seq,
		.why = sl->why,
		.n = 1,
		.kind = (uint8_t)sl->kind};
	add_run(s, &lane(s, sl->proc)->runs, x);
	if (sl->kind == GT_SLICE_RUN && sl->g->in_assist &&
		sl->g->assist_at < sl->end) { // of an assist, the part that ran here
		x.begin = sl->g->assist_at > x.begin ? sl->g->assist_at : x.begin;
		x.busy = x.best = x.end - x.begin;
		add_run(s, &lane(s, sl->proc)->assists, x);
	}
}

static void
on_span(void *ctx, const gt_span *sp) {
	side *s = ctx;
	run x = {.begin = sp->begin,
		.end = sp->end,
		.g = sp->g == NULL ? NOBODY : (uint32_t)sp->g->seq,
		.waker = NOBODY,
		.n = 1};
	switch (sp->kind) {
	case GT_SPAN_MARK:
		if (s->ncycles < MAX_CYCLES)
			GT_PUSH(s->cycles, s->ncycles, s->capcycles,
				((cycle){sp->begin, sp->end, s->m.mark_heap, s->m.mark_goal,
					s->m.live_after}));
		break;
	case GT_SPAN_STW:
		if (s->stw.n < MAX_SPANS)
			GT_PUSH(s->stw.v, s->stw.n, s->stw.cap, *sp);
		break;
	case GT_SPAN_ASSIST:
		if (sp->g->state == GT_GO_RUNNING && sp->proc != GT_NONE) {
			x.begin = sp->g->since > x.begin ? sp->g->since : x.begin;
			x.busy = x.best = x.end - x.begin;
			add_run(s, &lane(s, sp->proc)->assists, x);
		}
		break;
	case GT_SPAN_SWEEP:
		x.busy = x.best = x.end - x.begin;
		if (sp->proc != GT_NONE)
			add_run(s, &lane(s, sp->proc)->sweeps, x);
		break;
	}
}

// thin keeps the lowest and the highest point of each slot.
static void
thin(curve *c) {
	size_t k = 0;
	for (size_t i = 0; i < c->n;) {
		size_t lo = i, hi = i, j = i;
		for (; j < c->n && c->v[j].t / c->slot == c->v[i].t / c->slot; j++) {
			lo = c->v[j].v < c->v[lo].v ? j : lo;
			hi = c->v[j].v > c->v[hi].v ? j : hi;
		}
		point a = c->v[lo < hi ? lo : hi], b = c->v[lo < hi ? hi : lo];
		c->v[k++] = a;
		if (lo != hi)
			c->v[k++] = b;
		i = j;
	}
	c->n = k;
}

// add_point adds a point to a curve, and makes room when there are too many.
static void
add_point(side *s, curve *c, int64_t t, double v) {
	if (c->n > 0 && c->v[c->n - 1].v == v)
		return;
	GT_PUSH(c->v, c->n, c->cap, ((point){t, v}));
	if (c->n <= MAX_POINTS)
		return;
	// the new ones may still be thick; if that was not it, the slots are too small
	if (c->slot == 0)
		c->slot = (s->m.last - s->m.first) * 4 / MAX_POINTS + 1;
	thin(c);
	while (c->n > MAX_POINTS * 3 / 4) {
		c->slot *= 2;
		thin(c);
	}
}

static void
on_heap(void *ctx, int which, int64_t t, double v) {
	side *s = ctx;
	add_point(s, which == GT_HEAP_LIVE ? &s->heap : &s->goal, t, v);
}

static void
on_counts(void *ctx, int64_t t, const int64_t *by) {
	side *s = ctx;
	add_point(s, &s->runnable, t, (double)by[GT_GO_RUNNABLE]);
	int64_t all =
		by[GT_GO_RUNNABLE] + by[GT_GO_RUNNING] + by[GT_GO_WAITING] + by[GT_GO_SYSCALL];
	add_point(s, &s->alive, t, (double)all);
}

static void
on_goroutine(void *ctx, const gt_gor *g, int64_t t) {
	side *s = ctx;
	while (s->nnames <= g->seq) {
		gt_grow(&s->ids, s->nnames, &s->capids, sizeof s->ids[0]);
		s->ids[s->nnames] = 0;
		GT_PUSH(s->names, s->nnames, s->capnames, 0);
	}
	s->names[g->seq] = g->name;
	s->ids[g->seq] = g->id;
}

// ---- writing

// text returns the number of a text in the page.
static size_t
text(side *s, gt_atom a) {
	bool fresh;
	uint64_t *i = gt_map_at(&s->stringidx, a, &fresh);
	if (fresh) {
		*i = s->strings.n;
		gt_atoms_add(&s->strings, a);
	}
	return *i;
}

// A stream of numbers: LEB128 in base64.
typedef struct stream {
	FILE *f;
	uint32_t bits;
	int n;
} stream;

static void
byte(stream *b, unsigned x) {
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	b->bits = b->bits << 8 | x;
	if (++b->n < 3)
		return;
	for (int i = 18; i >= 0; i -= 6)
		putc(digits[b->bits >> i & 63], b->f);
	b->bits = 0;
	b->n = 0;
}

static void
number(stream *b, uint64_t x) {
	for (; x >= 0x80; x >>= 7)
		byte(b, 0x80 | (x & 0x7f));
	byte(b, (unsigned)x);
}

// signed_number writes small negative numbers short, too.
static void
signed_number(stream *b, int64_t x) {
	number(b, (uint64_t)x << 1 ^ (uint64_t)(x >> 63));
}

// end_stream fills the last group with zero bytes; the reader knows how many numbers there are.
static void
end_stream(stream *b) {
	while (b->n != 0)
		byte(b, 0);
}

// goroutine returns the number of a goroutine in the page, entered on first use.
static uint64_t
goroutine(gt_map *used, gt_atoms *order, uint32_t g) {
	if (g == NOBODY)
		return 0;
	bool fresh;
	uint64_t *i = gt_map_at(used, g, &fresh);
	if (fresh) {
		gt_atoms_add(order, g);
		*i = order->n;
	}
	return *i;
}

// write_runs writes the stretches of one P.
static void
write_runs(FILE *f, side *s, const char *name, const runs *r, gt_map *used, gt_atoms *order) {
	stream b = {.f = f};
	int64_t at = s->m.first;
	fprintf(f, "\"%s\":{\"n\":%zu,\"d\":\"", name, r->n);
	for (size_t i = 0; i < r->n; i++) {
		const run *x = &r->v[i];
		signed_number(&b, x->begin - at);
		number(&b, (uint64_t)(x->end - x->begin));
		number(&b, goroutine(used, order, x->g));
		number(&b, x->kind | (x->n > 1 ? 2 : 0));
		if (x->n > 1) {
			number(&b, x->n);
			number(&b, (uint64_t)x->busy);
		} else {
			number(&b, text(s, x->why));
			number(&b, x->ready == 0 ? 0 : (uint64_t)(x->begin - x->ready) + 1);
			number(&b, goroutine(used, order, x->waker));
		}
		at = x->end;
	}
	end_stream(&b);
	fputs("\"}", f);
}

// write_curve writes the points of a curve.
static void
write_curve(FILE *f, side *s, const char *name, const curve *c) {
	stream b = {.f = f};
	int64_t at = s->m.first, v = 0;
	fprintf(f, "\"%s\":{\"n\":%zu,\"d\":\"", name, c->n);
	for (size_t i = 0; i < c->n; i++) {
		signed_number(&b, c->v[i].t - at);
		signed_number(&b, (int64_t)c->v[i].v - v);
		at = c->v[i].t;
		v = (int64_t)c->v[i].v;
	}
	end_stream(&b);
	fputs("\"},\n", f);
}

// write_hist writes a histogram: the buckets that are not empty, and its figures.
static void
write_hist(FILE *f, const char *name, const gt_hist *h, const char *after) {
	bool first = true;
	fprintf(f,
		"\"%s\":{\"n\":%llu,\"sum\":%.0f,\"max\":%.0f,\"p50\":%.0f,\"p90\":%.0f,\"p99\":%."
		"0f,\"b\":[",
		name, (unsigned long long)h->n, h->sum, h->max, gt_hist_quantile(h, .5),
		gt_hist_quantile(h, .9), gt_hist_quantile(h, .99));
	for (int i = 0; i < GT_HIST_BUCKETS; i++) {
		if (h->count[i] == 0)
			continue;
		fprintf(f, "%s[%d,%llu]", first ? "" : ",", i, (unsigned long long)h->count[i]);
		first = false;
	}
	fprintf(f, "]}%s", after);
}

// write_string writes a text in quotes.
static void
write_string(FILE *f, const char *s) {
	gt_buf b = {0};
	gt_json_string(&b, s);
	fputs(b.s, f);
	gt_buf_free(&b);
}

static int
by_run(const void *a, const void *b) {
	double x = ((const gt_group *)a)->run, y = ((const gt_group *)b)->run;
	return (x < y) - (x > y);
}

// write_groups writes the goroutines by name, the busiest first.
static void
write_groups(FILE *f, side *s) {
	gt_model *m = &s->m;
	if (m->ngroups > 0)
		qsort(m->groups, m->ngroups, sizeof m->groups[0], by_run);
	fputs("\"groups\":[", f);
	for (size_t i = 0; i < m->ngroups && i < MAX_GROUPS; i++) {
		gt_group *g = &m->groups[i];
		fprintf(f, "%s[%zu,%d,%llu,%.0f,%.0f,%.0f,%.0f,%.0f,%.0f,[", i == 0 ? "" : ",\n",
			text(s, g->name), g->kind, (unsigned long long)g->n, g->run, g->runnable,
			g->blocked, g->syscall, g->assist, g->worst);
		gt_tally_sort(&g->reasons);
		for (size_t k = 0; k < g->reasons.n && k < 4; k++)
			fprintf(f, "%s[%zu,%llu,%.0f]", k == 0 ? "" : ",",
				text(s, g->reasons.v[k].what),
				(unsigned long long)g->reasons.v[k].n, g->reasons.v[k].ns);
		fputs("]]", f);
	}
	fputs("],\n", f);
}

static int
by_proc(const void *a, const void *b) {
	int64_t x = ((const struct lane *)a)->p, y = ((const struct lane *)b)->p;
	return (x > y) - (x < y);
}

// write_side writes all of one trace as an object.
static void
write_side(FILE *f, side *s) {
	gt_model *m = &s->m;
	gt_map used = {0};
	gt_atoms order = {0};
	const char *slash = strrchr(s->file, '/');
	for (size_t i = 0; i < m->procrun.cap;
		i++) { // a P that never ran a goroutine has a lane, too
		if (m->procrun.slots[i].used && m->procrun.slots[i].val > 0)
			lane(s, (int64_t)m->procrun.slots[i].key);
	}
	if (s->nlanes > 0)
		qsort(s->lanes, s->nlanes, sizeof s->lanes[0], by_proc);
	fputs("{\"file\":", f);
	write_string(f, slash == NULL ? s->file : slash + 1);
	fprintf(f,
		",\"version\":%d,\"wall\":%lld,\"events\":%llu,\"bytes\":%llu,\"generations\":%llu,"
		"\"procs\":%lld,\"slot\":%lld,\n",
		m->version, (long long)(m->last - m->first), (unsigned long long)m->events,
		(unsigned long long)m->offset, (unsigned long long)m->generations,
		(long long)m->procs_max, (long long)s->slot);
	fprintf(f,
		"\"seen\":%llu,\"created\":%llu,\"ended\":%llu,\"most\":%llu,\"unblocks\":%llu,"
		"\"preempts\":%llu,\"syscalls\":%llu,\"blockedsys\":%llu,\n",
		(unsigned long long)m->seen, (unsigned long long)m->created,
		(unsigned long long)m->ended, (unsigned long long)m->most,
		(unsigned long long)m->unblocks, (unsigned long long)m->preemptions,
		(unsigned long long)m->syscalls, (unsigned long long)m->blocked_syscalls);
	fprintf(f,
		"\"ncycles\":%llu,\"trigger\":%.4f,\"workers\":[%.0f,%.0f,%.0f],\"assists\":[%llu,%"
		".0f,%.0f],\"sweeps\":[%llu,%.0f,%.0f],\"swept\":%.0f,\"reclaimed\":%.0f,\n",
		(unsigned long long)m->cycles,
		m->trigger / (double)(m->marks.n + m->in_mark > 0 ? m->marks.n + m->in_mark : 1),
		m->worker[0], m->worker[1], m->worker[2], (unsigned long long)m->assists.n,
		m->assists.ns, m->assists.max, (unsigned long long)m->sweeps.n, m->sweeps.ns,
		m->sweeps.max, m->swept, m->reclaimed);
	fprintf(f, "\"heappeak\":%.0f,\"goalmax\":%.0f,\"liveafter\":%.0f,\n", m->heap_peak,
		m->goal_max, m->live_after);
	fputs("\"lanes\":[", f);
	for (size_t i = 0; i < s->nlanes; i++) {
		struct lane *l = &s->lanes[i];
		uint64_t *ran = gt_map_get(&m->procrun, (uint64_t)l->p);
		fprintf(f, "%s{\"p\":%lld,\"ran\":%llu,", i == 0 ? "" : ",\n", (long long)l->p,
			(unsigned long long)(ran == NULL ? 0 : *ran));
		write_runs(f, s, "runs", &l->runs, &used, &order);
		fputs(",", f);
		write_runs(f, s, "assists", &l->assists, &used, &order);
		fputs(",", f);
		write_runs(f, s, "sweeps", &l->sweeps, &used, &order);
		fputs("}", f);
	}
	fputs("],\n\"gs\":[", f); // [number in the trace, name]; the first has the number 1
	for (size_t i = 0; i < order.n; i++)
		fprintf(f, "%s[%lld,%zu]", i == 0 ? "" : ",", (long long)s->ids[order.v[i]],
			text(s, s->names[order.v[i]]));
	fputs("],\n\"cycles\":[", f);
	for (size_t i = 0; i < s->ncycles; i++)
		fprintf(f, "%s[%lld,%lld,%.0f,%.0f,%.0f]", i == 0 ? "" : ",",
			(long long)(s->cycles[i].begin - m->first),
			(long long)(s->cycles[i].end - m->first), s->cycles[i].heap,
			s->cycles[i].goal, s->cycles[i].after);
	fputs("],\n\"stw\":[", f);
	for (size_t i = 0; i < s->stw.n; i++)
		fprintf(f, "%s[%lld,%lld,%zu]", i == 0 ? "" : ",",
			(long long)(s->stw.v[i].begin - m->first),
			(long long)(s->stw.v[i].end - m->first), text(s, s->stw.v[i].name));
	fputs("],\n\"stwkinds\":[", f);
	for (size_t i = 0; i < m->stw.n; i++)
		fprintf(f, "%s[%zu,%llu,%.0f,%.0f]", i == 0 ? "" : ",", text(s, m->stw.v[i].what),
			(unsigned long long)m->stw.v[i].n, m->stw.v[i].ns, m->stw.v[i].max);
	fputs("],\n", f);
	write_groups(f, s);
	write_curve(f, s, "heap", &s->heap);
	write_curve(f, s, "goal", &s->goal);
	write_curve(f, s, "runnable", &s->runnable);
	write_curve(f, s, "alive", &s->alive);
	write_hist(f, "latency", &m->latency, ",\n");
	write_hist(f, "latencysys", &m->latency_sys, ",\n");
	write_hist(f, "pauses", &m->pauses, ",\n");
	write_hist(f, "marks", &m->marks, ",\n");
	fputs("\"strings\":[", f);
	for (size_t i = 0; i < s->strings.n; i++) {
		fputs(i == 0 ? "" : ",", f);
		write_string(f, gt_atom_text(s->strings.v[i]));
	}
	fputs("]}", f);
	gt_map_free(&used);
	free(order.v);
}

// write_lines writes the verdicts of the differ: all that differ, and others as long as there is room.
static void
write_lines(FILE *f, const gt_line *ls, size_t n) {
	size_t left = MAX_LINES;
	bool first = true;
	fputs("[", f);
	for (int differs = 1; differs >= 0; differs--) {
		for (size_t i = 0; i < n && left > 0; i++) {
			if ((ls[i].verdict == GT_V_DIFFERS) != differs)
				continue;
			fputs(first ? "[" : ",\n[", f);
			write_string(f, gt_verdict_name(ls[i].verdict));
			fputs(",", f);
			write_string(f, gt_atom_text(ls[i].key));
			fputs(",", f);
			write_string(f, ls[i].text.s);
			fputs("]", f);
			first = false;
			left--;
		}
	}
	fputs("]", f);
}

// write_page writes the page.
static bool
write_page(const char *out, side *sides, int n) {
	const char *cut = strstr(page, marker);
	FILE *f = strcmp(out, "-") == 0 ? stdout : fopen(out, "w");
	if (f == NULL)
		return false;
	fwrite(page, 1, (size_t)(cut - page), f);
	fputs("const DATA={\"sides\":[", f);
	for (int i = 0; i < n; i++) {
		fputs(i == 0 ? "" : ",\n", f);
		write_side(f, &sides[i]);
	}
	fputs("],\n\"diff\":", f);
	size_t nlines = 0;
	gt_line *ls = n == 2 ? gt_diff_lines(&sides[0].keys, &sides[1].keys, &nlines) : NULL;
	size_t counts[4] = {0};
	for (size_t i = 0; i < nlines; i++)
		counts[ls[i].verdict]++;
	write_lines(f, ls, nlines);
	fprintf(f, ",\"verdicts\":[%zu,%zu,%zu,%zu]};", counts[0], counts[1], counts[2], counts[3]);
	fputs(cut + sizeof marker - 1, f);
	bool ok = !ferror(f);
	return (f == stdout ? fflush(f) : fclose(f)) == 0 && ok;
}

int
gt_cmd_html(int argc, char **argv) {
	const char *files[2], *out = NULL, *v;
	int n = 0;
	long max = DEFAULT_MAX;
	for (int i = 1; i < argc; i++) {
		gt_buf err = {0};
		if ((v = gt_option("o", argv, &i)) != NULL) {
			out = v;
		} else if ((v = gt_option("max", argv, &i)) != NULL) {
			char *end;
			max = strtol(v, &end, 10);
			if (*end != 0 || max < 1000)
				return gt_usage(
					argv[0], "-max %s: a number of at least 1000 is needed", v);
		} else if ((v = gt_option("rename", argv, &i)) != NULL) {
			if (!gt_rename_add(v, &err))
				return gt_usage(argv[0], "%s", err.s);
		} else if (argv[i][0] == '-' && argv[i][1] != 0) {
			return gt_usage(argv[0], "unknown option %s", argv[i]);
		} else if (n == 2) {
			return gt_usage(argv[0], "one or two traces are needed");
		} else {
			files[n++] = argv[i];
		}
	}
	if (n == 0 || out == NULL)
		return gt_usage(
			argv[0], n == 0 ? "one or two traces are needed" : "-o PAGE is needed");
	side *sides = gt_xcalloc(2, sizeof sides[0]);
	for (int i = 0; i < n; i++) {
		side *s = &sides[i];
		gt_hooks hooks = {.ctx = s,
			.slice = on_slice,
			.span = on_span,
			.heap = on_heap,
			.goroutine = on_goroutine,
			.counts = on_counts};
		s->file = files[i];
		s->max = (size_t)max;
		if (!gt_model_read(&s->m, files[i], &hooks))
			return GT_FAILED;
		if (n == 2 && !gt_keys_read(files[i], &s->keys))
			return GT_FAILED;
	}
	if (!write_page(out, sides, n))
		return gt_fail("%s: %m", out);
	return GT_CLEAN;
}
