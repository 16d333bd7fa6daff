// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// What every workload shares, as bench/go/twin on the Go side: flags, clock, latency histogram and
// the one JSON line.  It is not part of any workload.
#ifndef BENCH_TWIN_H
#define BENCH_TWIN_H

#include <gort.h>
#include <stdbool.h>
#include <stdint.h>

// Flags in Go's syntax: -n 5, -n=5, -par=false, --n 5.  A bad one prints the usage and ends the
// process with status 2.
struct twin_flag {
	const char *name;
	enum { TWIN_INT, TWIN_BOOL, TWIN_STRING } kind;
	void *value; // int64_t *, bool *, const char **; holds the default
	const char *help;
};
void twin_flags(int argc, char **argv, const struct twin_flag *flags); // ends with {0}

// A log-linear histogram of nanoseconds, 32 steps per power of two.
struct twin_hist {
	uint64_t n[64 * 32];
	uint64_t N;
	uint64_t max;
};
void twin_hist_add(struct twin_hist *h, int64_t ns);
void twin_hist_merge(struct twin_hist *h, const struct twin_hist *o);
const char *twin_hist_json(const struct twin_hist *h); // malloced

// A measurement.
struct twin {
	int64_t t0;
	int64_t cpu;
	gort_memstats ms;
};
void twin_start(struct twin *t);
int64_t twin_elapsed(const struct twin *t);
int64_t twin_cpu(const struct twin *t);

// Values of the JSON line; keys are sorted when it is printed.
struct twin_kv {
	const char *key;
	enum { TWIN_END, TWIN_I, TWIN_F, TWIN_B, TWIN_S, TWIN_RAW } kind;
	int64_t i;
	double f;
	const char *s;
};
#define TWIN_KI(k, v) ((struct twin_kv){(k), TWIN_I, (v), 0, NULL})
#define TWIN_KF(k, v) ((struct twin_kv){(k), TWIN_F, 0, (v), NULL})
#define TWIN_KB(k, v) ((struct twin_kv){(k), TWIN_B, (v), 0, NULL})
#define TWIN_KS(k, v) ((struct twin_kv){(k), TWIN_S, 0, 0, (v)})
#define TWIN_KRAW(k, v) ((struct twin_kv){(k), TWIN_RAW, 0, 0, (v)})
#define TWIN_KV(...) ((struct twin_kv[]){__VA_ARGS__, {0}})
#define TWIN_NONE ((struct twin_kv[]){{0}})
// twin_done stops the clock and prints the line; twin_emit prints it for a time taken before.
void twin_done(struct twin *t, const char *name, const struct twin_kv *params, int64_t ops,
	const struct twin_kv *extra);
void twin_emit(struct twin *t, const char *name, const struct twin_kv *params, int64_t elapsed,
	int64_t cpu, int64_t ops, const struct twin_kv *extra);
// twin_status reads one kB line of /proc/self/status.
int64_t twin_status(const char *key);

// The generator of Go's math/rand/v2 PCG.
struct twin_pcg {
	uint64_t hi, lo;
};
uint64_t twin_pcg_next(struct twin_pcg *p);
int64_t twin_pcg_intn(struct twin_pcg *p, int64_t n); // 0 <= result < n

#endif
