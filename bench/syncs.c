// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Synchronisation: -op mutex|rlock|rwlock|waitgroup|pool|once|atomic, -g goroutines, -n operations in
// all, -work iterations of arithmetic inside the lock.  Twin of bench/go/syncs.
#include <stdio.h>
#include <string.h>

#include "twin.h"

static const char *op = "mutex";
static int64_t n = 10000000, g = 1, work, per;
static gort_mutex mu;
static gort_rwmutex rw;
static gort_once once;
static int64_t cnt;
static int64_t x;

static void *
new_array(void) {
	return gort_alloc(64 * sizeof(int64_t), GORT_NOSCAN);
}

static gort_pool pool = {.New = new_array};

static void
do_mutex(void) {
	for (int64_t i = 0; i < per; i++) {
		gort_mutex_lock(&mu);
		for (int64_t j = 0; j < work; j++)
			x = x * 3 + 1;
		x++;
		gort_mutex_unlock(&mu);
	}
}

static void
do_rlock(void) {
	int64_t s = 0;
	for (int64_t i = 0; i < per; i++) {
		gort_rwmutex_rlock(&rw);
		s += x;
		gort_rwmutex_runlock(&rw);
	}
	cnt += s;
}

static void
do_rwlock(void) // 1 write in 100
{
	for (int64_t i = 0; i < per; i++) {
		if (i % 100 == 0) {
			gort_rwmutex_lock(&rw);
			x++;
			gort_rwmutex_unlock(&rw);
		} else {
			gort_rwmutex_rlock(&rw);
			(void)x;
			gort_rwmutex_runlock(&rw);
		}
	}
}

static void
do_waitgroup(void) {
	gort_waitgroup wg = {0};
	for (int64_t i = 0; i < per; i++) {
		gort_waitgroup_add(&wg, 1);
		gort_waitgroup_done(&wg);
		gort_waitgroup_wait(&wg);
	}
}

static void
do_pool(void) {
	for (int64_t i = 0; i < per; i++) {
		int64_t *p = gort_pool_get(&pool);
		p[0]++;
		gort_pool_put(&pool, p);
	}
}

static void
inc_x(void) {
	x++;
}

static void
do_once(void) {
	for (int64_t i = 0; i < per; i++)
		gort_once_do(&once, inc_x);
}

static void
do_atomic(void) {
	for (int64_t i = 0; i < per; i++)
		__atomic_add_fetch(&cnt, 1, __ATOMIC_SEQ_CST);
}

static const struct {
	const char *name;
	void (*f)(void);
} ops[] = {{"mutex", do_mutex}, {"rlock", do_rlock}, {"rwlock", do_rwlock},
	{"waitgroup", do_waitgroup}, {"pool", do_pool}, {"once", do_once}, {"atomic", do_atomic}};

static void
runner(void (*f)(void), gort_waitgroup *wg) {
	f();
	gort_waitgroup_done(wg);
}

static int
app(int argc, char **argv) {
	twin_flags(argc, argv,
		(struct twin_flag[]){{"op", TWIN_STRING, &op, "operation"},
			{"n", TWIN_INT, &n, "operations in all"}, {"g", TWIN_INT, &g, "goroutines"},
			{"work", TWIN_INT, &work, "iterations inside the lock"}, {0}});
	per = n / g;
	void (*body)(void) = NULL;
	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
		if (strcmp(ops[i].name, op) == 0)
			body = ops[i].f;
	if (body == NULL) {
		fprintf(stderr, "syncs: no op \"%s\"\n", op);
		return 2;
	}
	gort_waitgroup wg = {0};
	struct twin t;
	twin_start(&t);
	for (int64_t i = 0; i < g; i++) {
		gort_waitgroup_add(&wg, 1);
		gort_go(runner, body, &wg);
	}
	gort_waitgroup_wait(&wg);
	twin_done(&t, "syncs", TWIN_KV(TWIN_KS("op", op), TWIN_KI("g", g), TWIN_KI("work", work)),
		per * g, TWIN_NONE);
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
