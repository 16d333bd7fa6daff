// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The concurrent prime sieve: one goroutine and one unbuffered channel a prime.
// One op is one value received anywhere.  Twin of bench/go/sieve.
#include <stdlib.h>

#include "twin.h"

static int64_t n = 1000;

static void
generate(gort_chan(long) ch) {
	for (long i = 2;; i++)
		gort_chan_send(ch, i);
}

static void
filter(gort_chan(long) in, gort_chan(long) out, long p) {
	for (;;) {
		long v = gort_chan_recv(in);
		if (v % p != 0)
			gort_chan_send(out, v);
	}
}

static int
app(int argc, char **argv) {
	twin_flags(argc, argv, (struct twin_flag[]){{"n", TWIN_INT, &n, "primes"}, {0}});
	long *primes = malloc(sizeof *primes * (size_t)n);
	struct twin t;
	twin_start(&t);
	gort_chan(long) ch = gort_chan_make(long, 0);
	gort_go(generate, ch);
	long last = 0;
	for (int64_t i = 0; i < n; i++) {
		last = primes[i] = gort_chan_recv(ch);
		gort_chan(long) next = gort_chan_make(long, 0);
		gort_go(filter, ch, next, last);
		ch = next;
	}
	int64_t elapsed = twin_elapsed(&t), cpu = twin_cpu(&t), ops = 0;
	for (long v = 2; v <= last; v++) // v is received once a filter until one divides it
		for (int64_t i = 0; i < n; i++) {
			ops++;
			if (v % primes[i] == 0)
				break;
		}
	twin_emit(&t, "sieve", TWIN_KV(TWIN_KI("primes", n)), elapsed, cpu, ops,
		TWIN_KV(TWIN_KI("last", last)));
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
