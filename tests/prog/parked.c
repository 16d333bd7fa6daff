// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// parked [N [LIMIT]]: N goroutines wait on channels at once, half of them on one and half on channels
// of their own, each with an object that only its stack knows.  The collector runs, all are woken, and
// each looks at its object.  It prints what a goroutine costs and fails if that is more than LIMIT
// bytes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/gort.h"

enum { magic = 0x600dcafe };

typedef struct node {
	struct node *next;
	uint64_t magic;
} node;
GORT_TYPE(node, next);

static gort_waitgroup wg;
static long ready, bad;

static void
wait(gort_chan(int) c) {
	node *n = gort_new_with(node, .magic = magic);
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	int v = gort_chan_recv(c);
	if (n->magic != magic || v != 0)
		__atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
	gort_waitgroup_done(&wg);
}

// status returns a field of /proc/self/status in bytes.
static double
status(const char *name) {
	char line[256];
	double kb = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			kb = atof(line + strlen(name) + 1);
	if (f != NULL)
		fclose(f);
	return kb * 1024;
}

static long
maps(void) {
	long n = 0;
	FILE *f = fopen("/proc/self/maps", "r");
	for (int c; f != NULL && (c = getc(f)) != EOF;)
		n += c == '\n';
	if (f != NULL)
		fclose(f);
	return n;
}

static int
app(int argc, char **argv) {
	long n = argc > 1 ? atol(argv[1]) : 100000;
	double limit = argc > 2 ? atof(argv[2]) : 0;
	gort_chan(int) gate = gort_chan_make(int, 0);
	gort_chan(int) *own =
		(gort_chan(int) *)gort_alloc((size_t)(n / 2 + 1) * sizeof *own, GORT_POINTERS);
	double rss = status("VmRSS"), pte = status("VmPTE");
	int64_t t0 = gort_now();
	gort_waitgroup_add(&wg, (int)n);
	for (long i = 0; i < n; i++) {
		gort_chan(int) c = gate;
		if (i % 2 == 1) {
			c = gort_chan_make(int, 0);
			gort_store(own[i / 2], c);
		}
		gort_go(wait, c);
	}
	while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < n)
		gort_yield();
	int64_t t1 = gort_now();
	gort_gc();
	int64_t t2 = gort_now();
	rss = (status("VmRSS") - rss) / (double)n;
	pte = (status("VmPTE") - pte) / (double)n;
	long nmaps = maps();
	gort_chan_close(gate);
	for (long i = 1; i < n; i += 2)
		gort_chan_send(own[i / 2], 0);
	gort_waitgroup_wait(&wg);
	int64_t t3 = gort_now();
	printf("%ld goroutines parked: %.0f bytes each + %.0f of page tables, %ld mappings; ns "
	       "each: "
	       "start %.0f, wake %.0f; collection %.0f ms\n",
		n, rss, pte, nmaps, (double)(t1 - t0) / (double)n, (double)(t3 - t2) / (double)n,
		(double)(t2 - t1) / 1e6);
	if (bad != 0)
		printf("%ld lost their object\n", bad);
	if (nmaps > 65530 * 7 / 8)
		printf("too many mappings\n");
	if (limit > 0 && rss + pte > limit)
		printf("more than %.0f bytes each\n", limit);
	return bad != 0 || nmaps > 65530 * 7 / 8 || (limit > 0 && rss + pte > limit);
}

int
main(int argc, char **argv) {
	setenv("GODEBUG", "clobberfree=1", 0);
	return gort_run(app, argc, argv);
}
