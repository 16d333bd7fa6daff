// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// select with a timeout and with default; defer.
#include <gort.h>
#include <stdio.h>

static void
ticker(gort_chan(int) c, int n) {
	gort_defer(puts, "the ticker ends"); // runs when the function is left
	for (int i = 0; i < n; i++) {
		gort_sleep(2 * GORT_MS);
		gort_chan_send(c, i);
	}
}

static int
app(int argc, char **argv) {
	(void)argc, (void)argv;
	gort_chan(int) ticks = gort_chan_make(int, 0), log = gort_chan_make(int, 2);
	gort_go(ticker, ticks, 5);
	for (int got = 0;;) {
		int v;
		switch (gort_select(gort_on_recv(ticks, &v), gort_on_timeout(GORT_S))) {
		case 0:
			got++;
			switch (gort_select(gort_on_send(log, v), gort_on_default)) {
			case 0:
				printf("logged %d\n", v);
				continue; // the for loop
			case 1:
				printf("the log is full: dropped %d\n", v);
				break;
			}
			break;
		case 1:
			printf("nothing for a second, after %d ticks\n", got);
			return got != 5;
		}
	}
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
