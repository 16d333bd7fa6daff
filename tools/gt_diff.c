// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// gort-trace diff, calibrate and keys: what two traces, or a trace and a baseline, say differently.
//
// A baseline (tests/trace/base) comes from several runs of one program.  A key that was the same in
// all of them must be the same again; the others must equal one of the variants seen (texts, token
// lists) or lie in the band seen, widened by its own width or the key's tolerance.  With several
// processors the keys about single goroutines are judged only if they were the same in all runs: who
// of equal siblings gets which job is luck.  The verdicts, the text and the JSON are those of the
// reference in Go (tests/trace/go/tracediff), so that a baseline made by one serves the other.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/gt_cmds.h"
#include "tools/gt_diff.h"
#include "tools/gt_hist.h"
#include "tools/gt_json.h"
#include "tools/gt_keys.h"
#include "tools/gt_rename.h"

enum { MAX_VARIANTS = 8 };

// A key of a baseline.
typedef struct band {
	gt_atom name;
	gt_value v; // of the first run that had it
	bool is_const;
	double min, max;
	int present, runs;
	gt_value variants[MAX_VARIANTS]; // the texts and lists seen, if there were several
	int nvariants;
} band;

typedef struct bands {
	band *v; // by name
	size_t n, cap;
	gt_map index; // name -> index+1
	int runs;
} bands;

// A list of verdicts, by key.
typedef struct gt_lines {
	gt_line *v;
	size_t n, cap;
} lines;

// ---- values

static bool
same(const gt_value *a, const gt_value *b) {
	switch (a->class) {
	case GT_EXACT:
		return a->s == b->s;
	case GT_SEQ:
		return a->q.n == b->q.n && gt_seq_part(&a->q, &b->q) == a->q.n;
	default:
		return a->n == b->n;
	}
}

// within says whether two numbers differ by less than the tolerance or the floor.  A tolerance of 1
// and more is a factor: 3 allows four times as much.
static bool
within(double a, double b, double tol, double floor) {
	double d = fabs(a - b);
	return d <= floor || (tol < 1 && d <= tol * fmax(fabs(a), fabs(b))) ||
	       (tol >= 1 && fmax(a, b) <= (1 + tol) * fmin(a, b));
}

// show adds a value to b in few characters.
static void
show(gt_buf *b, const gt_value *v) {
	if (v->class == GT_EXACT)
		gt_buf_str(b, gt_atom_text(v->s));
	else if (v->class == GT_SEQ)
		gt_buf_fmt(b, "<%zu tokens>", v->q.n);
	else
		gt_buf_fmt(b, v->n == trunc(v->n) && fabs(v->n) < 1e15 ? "%.0f" : "%.4g", v->n);
}

// number returns what of a value is compared with a band.
static double
number(const gt_value *v) {
	if (v->class == GT_SEQ)
		return (double)v->q.n;
	if (v->class != GT_EXACT)
		return v->n;
	const char *t = gt_atom_text(v->s);
	char *end;
	double x = strtod(t, &end);
	return end == t || t[0] == 'i' || t[0] == 'n' ? v->n : x;
}

// around adds the tokens next to position i.
static void
around(gt_buf *b, const gt_seq *q, size_t i) {
	size_t hi = i + 3 < q->n ? i + 3 : q->n, lo = i < 2 ? 0 : i - 2;
	for (size_t k = lo; k < hi; k++)
		gt_buf_fmt(b, "%s%s", k == lo ? "" : " ", gt_atom_text(gt_seq_at(q, k)));
}

// divergence says where two token lists part.
static void
divergence(gt_buf *b, const gt_seq *x, const gt_seq *y) {
	size_t i = gt_seq_part(x, y);
	gt_buf_fmt(b, "first divergence at token %zu of %zu/%zu:\n\t    A: \xe2\x80\xa6 ", i, x->n,
		y->n);
	around(b, x, i);
	gt_buf_str(b, "\n\t    B: \xe2\x80\xa6 ");
	around(b, y, i);
}

// ---- verdicts

// add appends a verdict; its text is made by the caller.
static gt_buf *
add(lines *ls, gt_atom key, gt_verdict_kind verdict) {
	GT_PUSH(ls->v, ls->n, ls->cap, ((gt_line){.key = key, .verdict = verdict}));
	gt_buf *b = &ls->v[ls->n - 1].text;
	gt_buf_add(b, "", 0);
	return b;
}

// pair adds "a | b".
static void
pair(gt_buf *b, const gt_value *x, const gt_value *y) {
	show(b, x);
	gt_buf_str(b, " | ");
	show(b, y);
}

// compare judges a key that is in both traces.
static void
compare(lines *ls, gt_atom key, const gt_value *a, const gt_value *b) {
	if (a->class == GT_INFO)
		pair(add(ls, key, GT_V_INFO), a, b);
	else if (same(a, b))
		show(add(ls, key, GT_V_EQUAL), a);
	else if (a->class == GT_STAT && within(a->n, b->n, a->tol, a->floor))
		pair(add(ls, key, GT_V_WITHIN), a, b);
	else if (a->class == GT_SEQ)
		divergence(add(ls, key, GT_V_DIFFERS), &a->q, &b->q);
	else
		pair(add(ls, key, GT_V_DIFFERS), a, b);
}

// lone judges a key that is in one trace only.
static void
lone(lines *ls, gt_atom key, const gt_value *v, const char *side) {
	bool ok = v->class == GT_INFO || (v->class == GT_STAT && within(v->n, 0, v->tol, v->floor));
	gt_buf *b = add(ls, key, ok ? GT_V_WITHIN : GT_V_DIFFERS);
	gt_buf_fmt(b, "only in %s: ", side);
	show(b, v);
}

// diff compares two traces.
static void
diff(lines *ls, const gt_keys *a, const gt_keys *b) {
	size_t i = 0, j = 0;
	while (i < a->n || j < b->n) {
		int c = i == a->n ? 1
			: j == b->n
				? -1
				: strcmp(gt_atom_text(a->v[i].name), gt_atom_text(b->v[j].name));
		if (c < 0) {
			lone(ls, a->v[i].name, &a->v[i].v, "A");
		} else if (c > 0) {
			lone(ls, b->v[j].name, &b->v[j].v, "B");
		} else {
			compare(ls, a->v[i].name, &a->v[i].v, &b->v[j].v);
		}
		i += c <= 0;
		j += c >= 0;
	}
}

// identity says whether a key names single goroutines or their order.
static bool
identity(const char *k) {
	static const char *const starts[] = {"go/", "edge/", "sched/start", "kind/go Run"};
	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
		if (strncmp(k, starts[i], strlen(starts[i])) == 0)
			return true;
	}
	return false;
}

// in_band judges a key that varied over the reference runs; v may be absent (class 0).
static void
in_band(lines *ls, const band *bv, const gt_value *v) {
	int hit = -1;
	for (int i = 0; i < bv->nvariants && v->class != 0; i++) {
		if (same(&bv->variants[i], v))
			hit = i;
	}
	if (hit >= 0) {
		gt_buf *b = add(ls, bv->name, GT_V_EQUAL);
		show(b, v);
		gt_buf_fmt(b, " = reference variant %d of %d", hit + 1, bv->nvariants);
		return;
	}
	double n = number(v), pad = fmax(fmax(bv->max - bv->min, bv->v.floor), bv->v.tol * bv->max);
	bool ok = n >= bv->min - pad && n <= bv->max + pad;
	gt_buf *b = add(ls, bv->name, ok ? GT_V_WITHIN : GT_V_DIFFERS);
	show(b, v);
	gt_buf_fmt(b, " in [%.4g .. %.4g] \xc2\xb1%.3g", bv->min, bv->max, pad);
}

// judge_key judges one key against the baseline; bv is NULL if it has none, v has class 0 if the
// trace has none.
static void
judge_key(lines *ls, bool parallel, const band *bv, gt_atom key, const gt_value *v) {
	gt_buf *b;
	if (parallel && !(bv != NULL && bv->is_const) && identity(gt_atom_text(key))) {
		b = add(ls, key, GT_V_INFO);
		gt_buf_str(b, "not deterministic in the reference runs: ");
		show(b, v);
	} else if (bv == NULL) {
		bool ok = v->class == GT_INFO || (v->class == GT_STAT && v->n <= v->floor);
		b = add(ls, key, ok ? GT_V_WITHIN : GT_V_DIFFERS);
		gt_buf_str(b, ok ? "new key: " : "not in any reference run: ");
		show(b, v);
	} else if (bv->v.class == GT_INFO) {
		b = add(ls, key, GT_V_INFO);
		show(b, v);
		gt_buf_fmt(b, " [%.4g .. %.4g]", bv->min, bv->max);
	} else if (bv->is_const && bv->v.class != GT_STAT) {
		if (v->class != 0 && same(&bv->v, v))
			show(add(ls, key, GT_V_EQUAL), v);
		else if (bv->v.class == GT_SEQ)
			divergence(add(ls, key, GT_V_DIFFERS), &bv->v.q, &v->q);
		else
			pair(add(ls, key, GT_V_DIFFERS), &bv->v, v);
	} else {
		in_band(ls, bv, v);
	}
}

// judge compares a trace with a baseline.
static void
judge(lines *ls, const bands *base, const gt_keys *k) {
	static const gt_value none;
	uint64_t *p = gt_map_get(&base->index, gt_atom_of("procs/gomaxprocs"));
	bool parallel = p == NULL || strcmp(gt_atom_text(base->v[*p - 1].v.s), "1") != 0;
	size_t i = 0, j = 0;
	while (i < base->n || j < k->n) {
		int c = i == base->n ? 1
			: j == k->n
				? -1
				: strcmp(gt_atom_text(base->v[i].name), gt_atom_text(k->v[j].name));
		const band *bv = c <= 0 ? &base->v[i] : NULL;
		judge_key(ls, parallel, bv, c <= 0 ? bv->name : k->v[j].name,
			c >= 0 ? &k->v[j].v : &none);
		i += c <= 0;
		j += c >= 0;
	}
}

static const char *const verdicts[] = {"equal", "within", "DIFFERS", "info"};

// report prints the verdicts (all of them if verbose), and the totals.
static int
report(const lines *ls, bool verbose) {
	size_t n[4] = {0};
	for (size_t i = 0; i < ls->n; i++) {
		const gt_line *l = &ls->v[i];
		n[l->verdict]++;
		if (l->verdict != GT_V_DIFFERS && !verbose)
			continue;
		printf("%-8s ", verdicts[l->verdict]);
		gt_pad(stdout, gt_atom_text(l->key), 58);
		printf(" %s\n", l->text.s);
	}
	printf("%zu equal, %zu within tolerance, %zu differ, %zu info\n", n[GT_V_EQUAL],
		n[GT_V_WITHIN], n[GT_V_DIFFERS], n[GT_V_INFO]);
	return n[GT_V_DIFFERS] > 0 ? GT_DIFFERS : GT_CLEAN;
}

gt_line *
gt_diff_lines(const gt_keys *a, const gt_keys *b, size_t *n) {
	lines ls = {0};
	diff(&ls, a, b);
	*n = ls.n;
	return ls.v;
}

const char *
gt_verdict_name(gt_verdict_kind v) {
	return verdicts[v];
}

// ---- baselines

// add_variant adds a text or list that was seen.
static void
add_variant(band *b, const gt_value *v) {
	if ((v->class != GT_EXACT && v->class != GT_SEQ) || b->nvariants == MAX_VARIANTS)
		return;
	for (int i = 0; i < b->nvariants; i++) {
		if (same(&b->variants[i], v))
			return;
	}
	b->variants[b->nvariants++] = *v;
}

// widen takes what other runs have seen into a band; from is NULL if they had no such key.
static void
widen(band *b, const band *from, int runs) {
	b->min = fmin(b->min, from == NULL ? 0 : from->min);
	b->max = fmax(b->max, from == NULL ? 0 : from->max);
	b->runs += runs;
	if (from == NULL)
		return;
	if (b->present == 0)
		b->v = from->v;
	b->is_const = b->is_const && from->is_const && same(&b->v, &from->v);
	b->present += from->present;
	if (from->is_const)
		add_variant(b, &from->v);
	for (int i = 0; i < from->nvariants; i++)
		add_variant(b, &from->variants[i]);
}

static int
by_name(const void *a, const void *b) {
	return strcmp(gt_atom_text(((const band *)a)->name), gt_atom_text(((const band *)b)->name));
}

// get_band returns the band of that name, made if need be.
static band *
get_band(bands *bs, gt_atom name) {
	bool fresh;
	uint64_t *i = gt_map_at(&bs->index, name, &fresh);
	if (fresh) {
		GT_PUSH(bs->v, bs->n, bs->cap,
			((band){.name = name,
				.is_const = true,
				.min = INFINITY,
				.max = -INFINITY}));
		*i = bs->n;
	}
	return &bs->v[*i - 1];
}

// sort puts the bands in the order of their names.
static void
sort(bands *bs) {
	if (bs->n > 0)
		qsort(bs->v, bs->n, sizeof bs->v[0], by_name);
	gt_map_clear(&bs->index);
	for (size_t i = 0; i < bs->n; i++)
		*gt_map_at(&bs->index, bs->v[i].name, NULL) = i + 1;
}

// one_run makes bands of the keys of one run.
static bands
one_run(const gt_keys *k) {
	bands bs = {.runs = 1};
	for (size_t i = 0; i < k->n; i++) {
		band *b = get_band(&bs, k->v[i].name);
		b->v = k->v[i].v;
		b->min = b->max = number(&b->v);
		b->present = b->runs = 1;
	}
	return bs;
}

// join takes other runs into bs, as if they had been made with those there.
static void
join(bands *bs, const bands *from) {
	for (size_t i = 0; i < from->n; i++) {
		band *b = get_band(bs, from->v[i].name);
		if (b->runs < bs->runs)
			widen(b, NULL, bs->runs);
	}
	for (size_t i = 0; i < bs->n; i++) {
		uint64_t *p = gt_map_get(&from->index, bs->v[i].name);
		widen(&bs->v[i], p == NULL ? NULL : &from->v[*p - 1], from->runs);
	}
	bs->runs += from->runs;
}

// finish makes a baseline of bands: a key that has varied is judged by its variants, others by their value.
static void
finish(bands *bs) {
	sort(bs);
	for (size_t i = 0; i < bs->n; i++) {
		band *b = &bs->v[i];
		if (b->present < b->runs)
			b->is_const = false;
		if (b->is_const)
			b->nvariants = 0;
		else
			b->v.q = (gt_seq){0};
	}
}

// print_bands says which keys are constant and how the others vary.
static void
print_bands(const bands *bs, bool verbose) {
	size_t nconst = 0;
	for (size_t i = 0; i < bs->n; i++) {
		const band *b = &bs->v[i];
		if (b->is_const && b->v.class != GT_INFO) {
			nconst++;
			if (!verbose)
				continue;
			gt_buf t = {0};
			show(&t, &b->v);
			printf("CONST  ");
			gt_pad(stdout, gt_atom_text(b->name), 60);
			printf(" %s\n", t.n == 0 ? "" : t.s);
			gt_buf_free(&t);
			continue;
		}
		printf("varies ");
		gt_pad(stdout, gt_atom_text(b->name), 60);
		printf(" %.4g .. %.4g (%d/%d runs)\n", b->min, b->max, b->present, b->runs);
	}
	printf("%zu keys constant over the runs, %zu vary\n", nconst, bs->n - nconst);
}

// float_json prints a number with what comes before it.
static void
float_json(FILE *f, const char *before, double x) {
	gt_buf b = {0};
	gt_buf_str(&b, before);
	gt_float(&b, x, true);
	fwrite(b.s, 1, b.n, f);
	gt_buf_free(&b);
}

// band_json prints the object of a band.
static void
band_json(FILE *f, const band *v) {
	fputs("{", f);
	gt_value_json(f, &v->v, "\n  ");
	fprintf(f, ",\n  \"const\": %s", v->is_const ? "true" : "false");
	if (v->min != 0)
		float_json(f, ",\n  \"Min\": ", v->min);
	if (v->max != 0)
		float_json(f, ",\n  \"Max\": ", v->max);
	fprintf(f, ",\n  \"present\": %d", v->present);
	if (v->nvariants != 0) {
		fputs(",\n  \"variants\": [", f);
		for (int i = 0; i < v->nvariants; i++) {
			fputs(i == 0 ? "\n   {" : ",\n   {", f);
			gt_value_json(f, &v->variants[i], "\n    ");
			fputs("\n   }", f);
		}
		fputs("\n  ]", f);
	}
	fprintf(f, ",\n  \"runs\": %d\n }", v->runs);
}

// name_json prints the name of a member.
static void
name_json(FILE *f, gt_atom name) {
	gt_buf b = {0};
	gt_buf_str(&b, " ");
	gt_json_string(&b, gt_atom_text(name));
	gt_buf_str(&b, ": ");
	fwrite(b.s, 1, b.n, f);
	gt_buf_free(&b);
}

// write_bands writes a baseline.
static bool
write_bands(const char *file, const bands *bs) {
	FILE *f = strcmp(file, "-") == 0 ? stdout : fopen(file, "w");
	if (f == NULL)
		return false;
	fputs(bs->n == 0 ? "{" : "{\n", f);
	for (size_t i = 0; i < bs->n; i++) {
		name_json(f, bs->v[i].name);
		band_json(f, &bs->v[i]);
		fputs(i + 1 < bs->n ? ",\n" : "\n", f);
	}
	fputs("}", f);
	bool ok = !ferror(f);
	return (f == stdout ? fflush(f) : fclose(f)) == 0 && ok;
}

// get_num returns the number of that name, or 0.
static double
get_num(const gt_json *o, const char *name) {
	const gt_json *v = gt_json_get(o, name);
	return v != NULL && v->type == GT_JSON_NUMBER ? v->num : 0;
}

// read_value reads the members of a value.
static bool
read_value(gt_value *v, const gt_json *o) {
	const gt_json *s = gt_json_get(o, "s"), *q = gt_json_get(o, "seq");
	*v = (gt_value){.class = (char)get_num(o, "class"),
		.n = get_num(o, "n"),
		.tol = get_num(o, "tol"),
		.floor = get_num(o, "floor")};
	if (o->type != GT_JSON_OBJECT || v->class == 0 || strchr("EQSI", v->class) == NULL)
		return false;
	if (s != NULL && s->type == GT_JSON_STRING)
		v->s = gt_atom_of(s->str);
	for (size_t i = 0; q != NULL && q->type == GT_JSON_ARRAY && i < q->n; i++) {
		if (q->elem[i].type != GT_JSON_STRING)
			return false;
		gt_seq_add(&v->q, gt_atom_of(q->elem[i].str));
	}
	return true;
}

// read_bands reads a baseline.
static bool
read_bands(bands *bs, const char *file) {
	FILE *f = fopen(file, "r");
	if (f == NULL) {
		gt_fail("%s: %m", file);
		return false;
	}
	gt_buf text = {0}, err = {0};
	char buf[65536];
	size_t got;
	gt_buf_add(&text, "", 0);
	while ((got = fread(buf, 1, sizeof buf, f)) > 0)
		gt_buf_add(&text, buf, got);
	fclose(f);
	gt_json *j = gt_json_parse(text.s, text.n, &err);
	gt_buf_free(&text);
	bool ok = j != NULL && j->type == GT_JSON_OBJECT;
	for (size_t i = 0; ok && i < j->n; i++) {
		const gt_json *o = &j->elem[i], *c = gt_json_get(o, "const"),
			      *vs = gt_json_get(o, "variants");
		band *b = get_band(bs, gt_atom_of(j->names[i]));
		b->runs = (int)get_num(o, "runs");
		bs->runs = i == 0 ? b->runs : bs->runs;
		ok = read_value(&b->v, o);
		b->is_const = c != NULL && c->type == GT_JSON_BOOL && c->b;
		b->min = get_num(o, "Min");
		b->max = get_num(o, "Max");
		b->present = (int)get_num(o, "present");
		for (size_t k = 0; ok && vs != NULL && k < vs->n && k < MAX_VARIANTS; k++)
			ok = read_value(&b->variants[b->nvariants++], &vs->elem[k]);
		if (!ok)
			gt_buf_fmt(&err, "\"%s\" is no key of a baseline", j->names[i]);
		else if (b->runs != bs->runs || b->runs < 1) {
			gt_buf_fmt(&err, "\"%s\" is of %d runs, others of %d", j->names[i], b->runs,
				bs->runs);
			ok = false;
		}
	}
	if (!ok)
		gt_fail("%s: %s", file, err.n == 0 ? "no baseline" : err.s);
	gt_buf_free(&err);
	gt_json_free(j);
	sort(bs);
	return ok;
}

// ---- commands

typedef struct options {
	bool verbose, sched, times;
	const char *base;
	char **files;
	int nfiles;
} options;

// option takes "-name value" and "-name=value"; it returns the value, or NULL.
const char *
gt_option(const char *name, char **argv, int *i) {
	const char *a = argv[*i];
	if (a[0] != '-')
		return NULL;
	a += a[1] == '-' ? 2 : 1;
	size_t n = strlen(name);
	if (strncmp(a, name, n) != 0)
		return NULL;
	if (a[n] == '=')
		return a + n + 1;
	if (a[n] != 0 || argv[*i + 1] == NULL)
		return NULL;
	return argv[++*i];
}

bool
gt_switch(const char *name, const char *arg, bool *on) {
	if (arg[0] != '-')
		return false;
	arg += arg[1] == '-' ? 2 : 1;
	size_t n = strlen(name);
	if (strncmp(arg, name, n) != 0)
		return false;
	if (strcmp(arg + n, "=false") == 0 || strcmp(arg + n, "=0") == 0)
		*on = false;
	else if (arg[n] == 0 || strcmp(arg + n, "=true") == 0 || strcmp(arg + n, "=1") == 0)
		*on = true;
	else
		return false;
	return true;
}

// parse reads the arguments; what is no option is a file.
static int
parse(options *o, int argc, char **argv) {
	*o = (options){.sched = true,
		.times = true,
		.files = gt_xcalloc((unsigned long)argc + 1, sizeof o->files[0])};
	for (int i = 1; i < argc; i++) {
		const char *v;
		gt_buf err = {0};
		if (gt_switch("v", argv[i], &o->verbose) ||
			gt_switch("sched", argv[i], &o->sched) ||
			gt_switch("times", argv[i], &o->times)) {
			continue;
		} else if ((v = gt_option("rename", argv, &i)) != NULL) {
			if (!gt_rename_add(v, &err)) {
				int rc = gt_usage(argv[0], "%s", err.s);
				gt_buf_free(&err);
				return rc;
			}
		} else if ((v = gt_option("base", argv, &i)) != NULL) {
			o->base = v;
		} else if (argv[i][0] == '-' && argv[i][1] != 0) {
			return gt_usage(argv[0], "unknown option %s", argv[i]);
		} else {
			o->files[o->nfiles++] = argv[i];
		}
	}
	return GT_CLEAN;
}

// by_load says whether a key tells how fast and how loaded the machine was rather than what happened:
// times, shares of time, and what follows from goroutines being preempted.
static bool
by_load(const char *k) {
	static const char *const parts[] = {"latency/", " ns", "share of", "utilisation", "preempt",
		"starts per cycle", "kind/proc ", "kind/go Runnable->Running"};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if (strstr(k, parts[i]) != NULL)
			return true;
	}
	return false;
}

// drop_times takes the verdicts on such keys out.
static void
drop_times(lines *ls) {
	size_t n = 0;
	for (size_t i = 0; i < ls->n; i++) {
		if (!by_load(gt_atom_text(ls->v[i].key)))
			ls->v[n++] = ls->v[i];
	}
	ls->n = n;
}

// read_keys reads the keys of a trace as the options ask.
static bool
read_keys(const options *o, const char *file, gt_keys *k) {
	if (!gt_keys_read(file, k))
		return false;
	if (!o->sched)
		gt_keys_del(k, gt_atom_of("sched/start order"));
	return true;
}

int
gt_cmd_diff(int argc, char **argv) {
	options o;
	lines ls = {0};
	gt_keys k[2];
	bands base = {0};
	int rc = parse(&o, argc, argv);
	if (rc != GT_CLEAN)
		return rc;
	int want = o.base == NULL ? 2 : 1;
	if (o.nfiles != want)
		return gt_usage(argv[0], want == 2 ? "two traces are needed"
						   : "one trace is needed beside the baseline");
	if (o.base != NULL && !read_bands(&base, o.base))
		return GT_FAILED;
	for (int i = 0; i < want; i++) {
		if (!read_keys(&o, o.files[i], &k[i]))
			return GT_FAILED;
	}
	if (o.base != NULL)
		judge(&ls, &base, &k[0]);
	else
		diff(&ls, &k[0], &k[1]);
	if (!o.times)
		drop_times(&ls);
	return report(&ls, o.verbose);
}

// is_base reports whether a file is a baseline: an object, and no trace.
static bool
is_base(const char *file) {
	struct stat st;
	if (stat(file, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	FILE *f = fopen(file, "r");
	if (f == NULL)
		return false;
	int c = getc(f);
	fclose(f);
	return c == '{';
}

int
gt_cmd_calibrate(int argc, char **argv) {
	options o;
	bands bs = {0};
	int rc = parse(&o, argc, argv);
	if (rc != GT_CLEAN)
		return rc;
	if (o.nfiles < 2 || o.base != NULL)
		return gt_usage(argv[0], "a baseline to write and traces are needed");
	for (int i = 1; i < o.nfiles; i++) {
		gt_keys k;
		bands from = {0};
		if (is_base(o.files[i])) {
			if (!read_bands(&from, o.files[i]))
				return GT_FAILED;
		} else {
			if (!read_keys(&o, o.files[i], &k))
				return GT_FAILED;
			from = one_run(&k);
		}
		join(&bs, &from);
		free(from.v);
		gt_map_free(&from.index);
	}
	finish(&bs);
	if (!write_bands(o.files[0], &bs))
		return gt_fail("%s: %m", o.files[0]);
	if (strcmp(o.files[0], "-") != 0)
		print_bands(&bs, o.verbose);
	return GT_CLEAN;
}

int
gt_cmd_keys(int argc, char **argv) {
	options o;
	gt_keys k;
	int rc = parse(&o, argc, argv);
	if (rc != GT_CLEAN)
		return rc;
	if (o.nfiles != 1 || o.base != NULL)
		return gt_usage(argv[0], "one trace is needed");
	if (!read_keys(&o, o.files[0], &k))
		return GT_FAILED;
	fputs("{\n", stdout);
	for (size_t i = 0; i < k.n; i++) {
		name_json(stdout, k.v[i].name);
		fputs("{", stdout);
		gt_value_json(stdout, &k.v[i].v, "\n  ");
		fputs(i + 1 < k.n ? "\n },\n" : "\n }\n", stdout);
	}
	fputs("}", stdout);
	return GT_CLEAN;
}
