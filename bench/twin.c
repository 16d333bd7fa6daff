// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

#ifndef _GNU_SOURCE
#	define _GNU_SOURCE
#endif
#include "twin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static _Noreturn void
usage(const char *prog, const struct twin_flag *flags) {
	fprintf(stderr, "Usage of %s:\n", prog);
	for (const struct twin_flag *f = flags; f->name != NULL; f++) {
		static const char *const kinds[] = {" int", "", " string"};
		fprintf(stderr, "  -%s%s\n    \t%s", f->name, kinds[f->kind], f->help);
		if (f->kind == TWIN_INT)
			fprintf(stderr, " (default %lld)\n", (long long)*(int64_t *)f->value);
		else if (f->kind == TWIN_BOOL)
			fprintf(stderr, "%s\n", *(bool *)f->value ? " (default true)" : "");
		else
			fprintf(stderr, " (default \"%s\")\n", *(const char **)f->value);
	}
	exit(2);
}

void
twin_flags(int argc, char **argv, const struct twin_flag *flags) {
	for (int i = 1; i < argc; i++) {
		char *a = argv[i];
		if (a[0] != '-' || a[1] == 0) {
			fprintf(stderr, "unexpected argument: %s\n", a);
			usage(argv[0], flags);
		}
		char *name = a + (a[1] == '-' ? 2 : 1), *val = strchr(name, '=');
		size_t n = val != NULL ? (size_t)(val++ - name) : strlen(name);
		const struct twin_flag *f = flags;
		while (f->name != NULL && (strlen(f->name) != n || memcmp(f->name, name, n) != 0))
			f++;
		if (f->name == NULL) {
			bool help = (n == 1 && name[0] == 'h') ||
				    (n == 4 && memcmp(name, "help", 4) == 0);
			if (!help)
				fprintf(stderr, "flag provided but not defined: -%.*s\n", (int)n,
					name);
			usage(argv[0], flags);
		}
		if (val == NULL && f->kind == TWIN_BOOL)
			val = "true";
		if (val == NULL && ++i < argc)
			val = argv[i];
		if (val == NULL) {
			fprintf(stderr, "flag needs an argument: -%s\n", f->name);
			usage(argv[0], flags);
		}
		if (f->kind == TWIN_STRING) {
			*(const char **)f->value = val;
		} else if (f->kind == TWIN_INT) {
			char *end;
			errno = 0;
			int64_t v = strtoll(val, &end, 0);
			if (*val == 0 || *end != 0 || errno != 0) {
				fprintf(stderr, "invalid value \"%s\" for flag -%s: parse error\n",
					val, f->name);
				usage(argv[0], flags);
			}
			*(int64_t *)f->value = v;
		} else {
			bool t = strcmp(val, "true") == 0 || strcmp(val, "1") == 0;
			if (!t && strcmp(val, "false") != 0 && strcmp(val, "0") != 0) {
				fprintf(stderr,
					"invalid boolean value \"%s\" for -%s: parse error\n", val,
					f->name);
				usage(argv[0], flags);
			}
			*(bool *)f->value = t;
		}
	}
}

static int
bucket(uint64_t v) {
	if (v < 32)
		return (int)v;
	int e = 64 - __builtin_clzll(v) - 6; // v>>e in 32..63
	return (e + 1) * 32 + (int)(v >> e) - 32;
}

static uint64_t
edge(int i) // the bucket's upper edge
{
	if (i < 32)
		return (uint64_t)i;
	int e = i / 32 - 1;
	return ((uint64_t)(i % 32 + 32) + 1) * (UINT64_C(1) << e) - 1;
}

void
twin_hist_add(struct twin_hist *h, int64_t ns) {
	uint64_t v = ns < 0 ? 0 : (uint64_t)ns;
	h->n[bucket(v)]++;
	h->N++;
	if (v > h->max)
		h->max = v;
}

void
twin_hist_merge(struct twin_hist *h, const struct twin_hist *o) {
	for (int i = 0; i < 64 * 32; i++)
		h->n[i] += o->n[i];
	h->N += o->N;
	if (o->max > h->max)
		h->max = o->max;
}

static uint64_t
quantile(const struct twin_hist *h, double q) {
	uint64_t want = (uint64_t)(q * (double)h->N), sum = 0;
	for (int i = 0; i < 64 * 32; i++)
		if ((sum += h->n[i]) > want)
			return edge(i) < h->max ? edge(i) : h->max;
	return h->max;
}

const char *
twin_hist_json(const struct twin_hist *h) {
	char *s;
	if (asprintf(&s,
		    "{\"max\":%llu,\"n\":%llu,\"p50\":%llu,\"p99\":%llu,\"p999\":%llu,\"p9999\":%"
		    "llu}",
		    (unsigned long long)h->max, (unsigned long long)h->N,
		    (unsigned long long)quantile(h, .50), (unsigned long long)quantile(h, .99),
		    (unsigned long long)quantile(h, .999),
		    (unsigned long long)quantile(h, .9999)) < 0)
		abort();
	return s;
}

static int64_t
cpu_ns(void) {
	struct rusage ru;
	getrusage(RUSAGE_SELF, &ru);
	return (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * GORT_S +
	       (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * GORT_US;
}

int64_t
twin_status(const char *key) {
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	int64_t kb = -1;
	size_t n = strlen(key);
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, key, n) == 0 && line[n] == ':')
			kb = strtoll(line + n + 1, NULL, 10);
	if (f != NULL)
		fclose(f);
	return kb;
}

void
twin_start(struct twin *t) {
	gort_read_memstats(&t->ms);
	t->cpu = cpu_ns();
	t->t0 = gort_now();
}

int64_t
twin_elapsed(const struct twin *t) {
	return gort_now() - t->t0;
}

int64_t
twin_cpu(const struct twin *t) {
	return cpu_ns() - t->cpu;
}

static int
by_key(const void *a, const void *b) {
	return strcmp(((const struct twin_kv *)a)->key, ((const struct twin_kv *)b)->key);
}

// put_float prints v as Go's encoding/json does: the shortest text that reads back as v.
static void
put_float(FILE *w, double v) {
	char s[64];
	for (int p = 1; p <= 17; p++) {
		snprintf(s, sizeof s, "%.*g", p, v);
		if (strtod(s, NULL) == v)
			break;
	}
	if (strchr(s, 'e') != NULL && fabs(v) >= 1e-6 && fabs(v) < 1e21)
		snprintf(s, sizeof s, "%.0f", v);
	fputs(s, w);
}

static void
put_object(FILE *w, const struct twin_kv *list, int n) {
	putc('{', w);
	for (int i = 0; i < n; i++) {
		fprintf(w, "%s\"%s\":", i > 0 ? "," : "", list[i].key);
		switch (list[i].kind) {
		case TWIN_I:
			fprintf(w, "%lld", (long long)list[i].i);
			break;
		case TWIN_F:
			put_float(w, list[i].f);
			break;
		case TWIN_B:
			fputs(list[i].i ? "true" : "false", w);
			break;
		case TWIN_S:
			fprintf(w, "\"%s\"", list[i].s);
			break;
		case TWIN_RAW:
			fputs(list[i].s, w);
			break;
		case TWIN_END:
			break;
		}
	}
	putc('}', w);
}

static int
length(const struct twin_kv *list) {
	int n = 0;
	while (list[n].kind != TWIN_END)
		n++;
	return n;
}

void
twin_emit(struct twin *t, const char *name, const struct twin_kv *params, int64_t elapsed,
	int64_t cpu, int64_t ops, const struct twin_kv *extra) {
	static gort_memstats ms;
	gort_read_memstats(&ms);
	uint64_t maxp = 0;
	for (uint32_t i = t->ms.NumGC; i != ms.NumGC; i++)
		if (ms.NumGC - i <= 256 && ms.PauseNs[i % 256] > maxp)
			maxp = ms.PauseNs[i % 256];
	int np = length(params), ne = length(extra);
	struct twin_kv *p = calloc((size_t)np + 1, sizeof *p),
		       *o = calloc((size_t)ne + 16, sizeof *o);
	if (p == NULL || o == NULL)
		abort();
	memcpy(p, params, sizeof *p * (size_t)np);
	qsort(p, (size_t)np, sizeof *p, by_key); // malloc memory
	int n = 0;
	o[n++] = TWIN_KS("workload", name);
	o[n++] = TWIN_KS("impl", "c");
	o[n++] = TWIN_KI("procs", gort_gomaxprocs(0));
	o[n++] = TWIN_KI("elapsed_ns", elapsed);
	o[n++] = TWIN_KI("cpu_ns", cpu);
	o[n++] = TWIN_KI("ops", ops);
	o[n++] = TWIN_KF("ns_op", (double)elapsed / (double)(ops > 0 ? ops : 1));
	o[n++] = TWIN_KI("max_rss_kb", twin_status("VmHWM"));
	o[n++] = TWIN_KI("gc", ms.NumGC - t->ms.NumGC);
	o[n++] = TWIN_KI("gc_pause_total_ns", (int64_t)(ms.PauseTotalNs - t->ms.PauseTotalNs));
	o[n++] = TWIN_KI("gc_pause_max_ns", (int64_t)maxp);
	memcpy(o + n, extra, sizeof *o * (size_t)ne);
	n += ne;
	// "params" is an object of its own, printed in its place between keys that sort around it
	qsort(o, (size_t)n, sizeof *o, by_key);
	int at = 0;
	while (at < n && strcmp(o[at].key, "params") < 0)
		at++;
	char *params_json = NULL;
	size_t size = 0;
	FILE *mem = open_memstream(&params_json, &size);
	if (mem == NULL)
		abort();
	put_object(mem, p, np);
	fclose(mem);
	memmove(o + at + 1, o + at, sizeof *o * (size_t)(n - at));
	o[at] = TWIN_KRAW("params", params_json);
	put_object(stdout, o, n + 1);
	putchar('\n');
	fflush(stdout);
	free(params_json);
	free(p);
	free(o);
}

void
twin_done(struct twin *t, const char *name, const struct twin_kv *params, int64_t ops,
	const struct twin_kv *extra) {
	int64_t elapsed = twin_elapsed(t), cpu = twin_cpu(t);
	twin_emit(t, name, params, elapsed, cpu, ops, extra);
}

// twin_pcg_next: a 128-bit linear congruential generator with the DXSM output function.
uint64_t
twin_pcg_next(struct twin_pcg *p) {
	const unsigned __int128 mul = (unsigned __int128)UINT64_C(2549297995355413924) << 64 |
				      UINT64_C(4865540595714422341);
	const unsigned __int128 inc = (unsigned __int128)UINT64_C(6364136223846793005) << 64 |
				      UINT64_C(1442695040888963407);
	unsigned __int128 s = (unsigned __int128)p->hi << 64 | p->lo;
	s = s * mul + inc;
	p->hi = (uint64_t)(s >> 64);
	p->lo = (uint64_t)s;
	uint64_t hi = p->hi;
	hi ^= hi >> 32;
	hi *= UINT64_C(0xda942042e4dd58b5);
	hi ^= hi >> 48;
	return hi * (p->lo | 1);
}

int64_t
twin_pcg_intn(struct twin_pcg *p, int64_t n) {
	return (int64_t)((unsigned __int128)twin_pcg_next(p) * (uint64_t)n >> 64);
}
