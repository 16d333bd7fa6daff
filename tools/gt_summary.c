// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// gort-trace summary: a trace on one screen.
#include <stdlib.h>
#include <string.h>

#include "tools/gt_cmds.h"
#include "tools/gt_diff.h"
#include "tools/gt_keys.h"
#include "tools/gt_model.h"
#include "tools/gt_rename.h"

enum { NAME_WIDTH = 34 };

// share returns a part of the whole in percent.
static double
share(double part, double whole) {
	return whole > 0 ? 100 * part / whole : 0;
}

// fit prints a text in w columns; of a long one its end.
static void
fit(const char *s, int w) {
	int n = gt_width(s);
	if (n <= w) {
		gt_pad(stdout, s, w);
		return;
	}
	for (n -= w - 2; n > 0 || (*s & 0xc0) == 0x80; s++)
		n -= (*s & 0xc0) != 0x80;
	printf("..%s", s);
}

// quantiles prints a line about a distribution.
static void
quantiles(const char *name, const gt_hist *h) {
	if (h->n == 0)
		return;
	printf("  ");
	fit(name, NAME_WIDTH);
	printf(" %9s  %8s %8s %8s %8s %8s\n", gt_commas(h->n), gt_ns(gt_hist_quantile(h, .5)),
		gt_ns(gt_hist_quantile(h, .9)), gt_ns(gt_hist_quantile(h, .99)), gt_ns(h->max),
		gt_ns(h->sum));
}

static int
by_cost(const void *a, const void *b) {
	const gt_group *x = a, *y = b;
	if ((x->kind == GT_USER) != (y->kind == GT_USER))
		return x->kind == GT_USER ? -1 : 1;
	double cx = x->run + x->syscall, cy = y->run + y->syscall;
	if (cx != cy)
		return cx < cy ? 1 : -1;
	return strcmp(gt_atom_text(x->name), gt_atom_text(y->name));
}

// goroutines prints the table of the goroutines by name.
static void
goroutines(gt_model *m, size_t top) {
	printf("goroutines  %s: %s at the start, %s created, %s ended; at most %s at a time\n",
		gt_commas(m->seen), gt_commas(m->seen - m->created), gt_commas(m->created),
		gt_commas(m->ended), gt_commas(m->most));
	printf("  %-*s %9s  %8s %8s %8s %8s %8s  %s\n", NAME_WIDTH, "", "count", "running",
		"runnable", "blocked", "syscall", "longest*", "blocked on");
	if (m->ngroups > 0)
		qsort(m->groups, m->ngroups, sizeof m->groups[0], by_cost);
	size_t shown = m->ngroups < top ? m->ngroups : top;
	for (size_t i = 0; i < shown; i++) {
		gt_group *g = &m->groups[i];
		printf("  ");
		fit(g->name == 0 ? "(no stack seen)" : gt_atom_text(g->name), NAME_WIDTH);
		printf(" %9s  %8s %8s %8s %8s %8s ", gt_commas(g->n), gt_ns(g->run),
			gt_ns(g->runnable), gt_ns(g->blocked), gt_ns(g->syscall), gt_ns(g->worst));
		gt_tally_sort(&g->reasons);
		for (size_t k = 0; k < g->reasons.n && k < 2; k++)
			printf("%s %s %.0f%%", k == 0 ? "" : ",",
				g->reasons.v[k].what == 0 ? "since before the trace"
							  : gt_atom_text(g->reasons.v[k].what),
				share(g->reasons.v[k].ns, g->blocked));
		printf("\n");
	}
	if (shown < m->ngroups)
		printf("  ... and %zu more names (-n N shows N)\n", m->ngroups - shown);
	printf("  * the longest wait of a runnable goroutine for a processor\n");
}

// collector prints what the collector did.
static void
collector(const gt_model *m, double wall) {
	double all = m->worker[0] + m->worker[1] + m->worker[2];
	printf("\ngc          %s cycles", gt_commas(m->cycles));
	if (m->marks.n > 0) {
		printf(", marking %.1f%% of the time, cycle started at %.0f%% of the goal\n",
			share(m->marks.sum, wall),
			100 * m->trigger / (double)(m->marks.n + m->in_mark));
		printf("  workers   dedicated %s, fractional %s, idle %s; %.0f%% of the "
		       "processors' time in mark\n",
			gt_ns(m->worker[0]), gt_ns(m->worker[1]), gt_ns(m->worker[2]),
			share(all, m->marks.sum * (double)(m->procs > 0 ? m->procs : 1)));
		printf("  assists   %s, %s in all, longest %s\n", gt_commas(m->assists.n),
			gt_ns(m->assists.ns), gt_ns(m->assists.max));
		printf("  sweep     %s ranges, %s swept, %s reclaimed", gt_commas(m->sweeps.n),
			gt_bytes(m->swept), gt_bytes(m->reclaimed));
	}
	printf("\nheap        peak %s", gt_bytes(m->heap_peak));
	if (m->cycles > 0)
		printf(", %s after the last cycle", gt_bytes(m->live_after));
	printf(", at the end %s; goal %s, at most %s\n", gt_bytes(m->heap), gt_bytes(m->goal),
		gt_bytes(m->goal_max));
}

// processors prints how busy each P was.
static void
processors(const gt_model *m, double wall) {
	uint64_t *ps = gt_map_keys(&m->procrun, true);
	double sum = 0;
	for (size_t i = 0; i < m->procrun.n; i++)
		sum += (double)*gt_map_get(&m->procrun, ps[i]);
	printf("\nprocs       %.0f%% busy:",
		share(sum, wall * (double)(m->procs_max > 0 ? m->procs_max : 1)));
	for (size_t i = 0; i < m->procrun.n && i < 16; i++)
		printf(" P%lld %.0f%%", (long long)ps[i],
			share((double)*gt_map_get(&m->procrun, ps[i]), wall));
	printf("%s; %s wakeups, %s preemptions, %s system calls (%s blocked)\n",
		m->procrun.n > 16 ? " ..." : "", gt_commas(m->unblocks), gt_commas(m->preemptions),
		gt_commas(m->syscalls), gt_commas(m->blocked_syscalls));
	free(ps);
}

// annotations prints tasks, regions, logs and samples, if there are any.
static void
annotations(gt_model *m) {
	struct {
		const char *what;
		gt_tallies *t;
	} all[] = {{"tasks", &m->tasks}, {"regions", &m->regions}, {"logs", &m->logs},
		{"cpu samples", &m->samples}};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		gt_tallies *t = all[i].t;
		uint64_t n = 0;
		for (size_t k = 0; k < t->n; k++)
			n += t->v[k].n;
		if (n == 0)
			continue;
		gt_tally_sort(t);
		printf("%-11s %s:", all[i].what, gt_commas(n));
		for (size_t k = 0; k < t->n && k < 4; k++) {
			printf("%s %s %s", k == 0 ? "" : ",", gt_atom_text(t->v[k].what),
				gt_commas(t->v[k].n));
			if (t->v[k].ns > 0)
				printf(" (mean %s, max %s)", gt_ns(t->v[k].ns / (double)t->v[k].n),
					gt_ns(t->v[k].max));
		}
		printf("%s\n", t->n > 4 ? ", ..." : "");
	}
}

int
gt_cmd_summary(int argc, char **argv) {
	const char *file = NULL, *v;
	long top = 12;
	for (int i = 1; i < argc; i++) {
		gt_buf err = {0};
		if ((v = gt_option("n", argv, &i)) != NULL) {
			char *end;
			top = strtol(v, &end, 10);
			if (*end != 0 || top < 0)
				return gt_usage(argv[0], "-n %s: no number", v);
		} else if ((v = gt_option("rename", argv, &i)) != NULL) {
			if (!gt_rename_add(v, &err))
				return gt_usage(argv[0], "%s", err.s);
		} else if (argv[i][0] == '-' && argv[i][1] != 0) {
			return gt_usage(argv[0], "unknown option %s", argv[i]);
		} else if (file != NULL) {
			return gt_usage(argv[0], "one trace is needed");
		} else {
			file = argv[i];
		}
	}
	if (file == NULL)
		return gt_usage(argv[0], "one trace is needed");
	gt_model m;
	if (!gt_model_read(&m, file, NULL))
		return GT_FAILED;
	double wall = (double)(m.last - m.first);
	printf("%s: Go 1.%d trace, %s, GOMAXPROCS %lld; %s events, %s, %s generation%s\n\n", file,
		m.version, gt_ns(wall), (long long)m.procs_max, gt_commas(m.events),
		gt_bytes((double)m.offset), gt_commas(m.generations),
		m.generations == 1 ? "" : "s");
	goroutines(&m, (size_t)top);
	printf("\nlatency     %-*s %9s  %8s %8s %8s %8s %8s\n", NAME_WIDTH - 10, "", "count", "p50",
		"p90", "p99", "max", "total");
	quantiles("runnable to running, program", &m.latency);
	quantiles("runnable to running, runtime", &m.latency_sys);
	quantiles("pauses, world stopped", &m.pauses);
	quantiles("gc mark phases", &m.marks);
	for (size_t i = 0; i < m.stw.n; i++)
		printf("  %-*s %9s  %8s %8s %8s %8s %8s\n", NAME_WIDTH,
			gt_atom_text(m.stw.v[i].what), gt_commas(m.stw.v[i].n), "", "", "",
			gt_ns(m.stw.v[i].max), gt_ns(m.stw.v[i].ns));
	collector(&m, wall);
	processors(&m, wall);
	annotations(&m);
	gt_model_free(&m);
	return GT_CLEAN;
}
