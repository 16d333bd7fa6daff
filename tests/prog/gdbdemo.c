// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// What tests/gdb.sh looks at: gdbdemo [N] parks N (100) goroutines at known places, calls ready, and
// dies of SIGABRT, with a core dump if that is wanted.
#include <signal.h>
#include <stdio.h>

#include "gort.h"

typedef struct point {
	int x;
	int y;
} point;

static gort_chan(int) never;
static gort_chan(point) points;
static gort_chan(void) done;
static gort_mutex mu;
static volatile int spinning;

__attribute__((noinline)) static int
receive(int id) {
	volatile int local = id * 1000;
	int v = gort_chan_recv(never);
	return v + local;
}

// receiving has the goroutines of the receivers by their numbers.
extern uint32_t receiving[10000];
uint32_t receiving[10000];

static int arrived; // receivers that are about to park

static void
receiver(int id) {
	receiving[id % 10000] = (uint32_t)gort_goid();
	__atomic_add_fetch(&arrived, 1, __ATOMIC_RELAXED);
	receive(id);
}

static void
locker(int id) {
	gort_mutex_lock(&mu);
	gort_mutex_unlock(&mu);
}

static void
sender(int id) {
	gort_chan_send(points, ((point){id, -id}));
}

static void
sleeper(int id) {
	gort_sleep(3600 * GORT_S);
	spinning = 0; // no tail call
}

// selecter waits in a select with a timeout that does not come.
static void
selecter(int id) {
	switch (gort_select(gort_on_recv(never, NULL), gort_on_recv(done, NULL))) {
	case 0:
		break;
	}
}

static void
spinner(int id) {
	for (;;)
		spinning++;
}

// ready is where tests stop.
__attribute__((noinline)) void ready(int n);
void
ready(int n) {
	__asm__ volatile("" : : "r"(n) : "memory");
}

static int
app(int argc, char **argv) {
	int n = argc > 1 ? atoi(argv[1]) : 100;
	gort_store(never, gort_chan_make(int, 0));
	gort_store(points, gort_chan_make(point, 2));
	gort_store(done, gort_chan_make(void, 0));
	gort_chan_send(points, ((point){1, 2}));
	gort_chan_send(points, ((point){3, 4}));
	gort_mutex_lock(&mu);
	gort_go(locker, 1);
	gort_go(sender, 2);
	gort_go(sleeper, 3);
	gort_go(selecter, 4);
	for (int i = 5; i < n; i++)
		gort_go(receiver, i);
	// All of them park.
	while (__atomic_load_n(&arrived, __ATOMIC_RELAXED) < n - 5)
		gort_yield();
	gort_sleep(100 * GORT_MS);
	gort_go(spinner, n);
	while (spinning == 0)
		gort_yield();
	ready(n);
	signal(SIGABRT, SIG_DFL);
	abort();
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
