// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Four workers square numbers: goroutines and channels.  README shows this program.
#include <gort.h>
#include <stdio.h>

static void
worker(int id, gort_chan(int) jobs, gort_chan(long) results) {
	gort_chan_range(n, jobs) gort_chan_send(results, (long)n * n);
	(void)id;
}

static int
app(int argc, char **argv) {
	(void)argc, (void)argv;
	gort_chan(int) jobs = gort_chan_make(int, 8);
	gort_chan(long) results = gort_chan_make(long, 8);
	for (int i = 0; i < 4; i++)
		gort_go(worker, i, jobs, results);
	long sum = 0;
	for (int i = 0; i < 100; i++) {
		gort_chan_send(jobs, i);
		sum += gort_chan_recv(results);
	}
	printf("%ld\n", sum);
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
