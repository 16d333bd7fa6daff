// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// hog WHAT [N]: takes what there is until there is no more, or N of it, and then prints "done".
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/gort.h"

typedef struct node {
	struct node *next;
	char b[4000];
} node;
GORT_TYPE(node, next);

static node *list;
static int64_t n = INT64_MAX;
static int fd[2];

static void
small(void) {
	for (int64_t i = 0; i < n; i++) {
		node *x = gort_new(node);
		gort_store(x->next, list);
		gort_store(list, x);
	}
}

static void
large(void) {
	for (int64_t i = 0; i < n; i++) {
		node *x = gort_alloc(8 << 20, GORT_CONSERVATIVE);
		gort_store(x->next, list);
		gort_store(list, x);
	}
}

static void
wait(gort_chan(int) c) {
	gort_chan_recv(c);
}

static void
goroutines(void) {
	gort_chan(int) c = gort_chan_make(int, 0);
	for (int64_t i = 0; i < n; i++) {
		gort_go(wait, c);
		if (i % 100 == 0)
			gort_yield();
	}
}

static intptr_t
block(void *arg) {
	char c;
	return read(fd[0], &c, 1);
}

static void
blocked(void) {
	gort_blocking(block, NULL);
}

static void
threads(void) {
	if (pipe(fd) != 0)
		exit(9);
	for (int64_t i = 0; i < n; i++) {
		gort_go(blocked);
		gort_yield();
	}
	// All have started.
	for (int64_t i = 0; i < 50; i++)
		gort_sleep(GORT_MS);
}

static void
churn(void) {
	for (int64_t i = 0; i < n; i++) {
		char *p = gort_alloc((size_t)(i % 300) * 1000 + 16,
			i % 2 == 0 ? GORT_NOSCAN : GORT_CONSERVATIVE);
		p[0] = 1;
	}
}

static const struct {
	const char *name;
	void (*f)(void);
} hogs[] = {
	{"small", small},
	{"large", large},
	{"goroutines", goroutines},
	{"threads", threads},
	{"churn", churn},
};

static int
app(int argc, char **argv) {
	if (argc > 2)
		n = atoll(argv[2]);
	for (size_t i = 0; i < sizeof hogs / sizeof hogs[0]; i++)
		if (argc > 1 && strcmp(argv[1], hogs[i].name) == 0)
			hogs[i].f();
	printf("done\n");
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
