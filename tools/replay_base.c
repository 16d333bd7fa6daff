// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// gort-replay: random numbers and fixed-point mathematics (rnd), time histograms (th).
// The commands are in tools/oracle/README.md.
#include "runtime/histogram.h"
#include "runtime/rand.h"
#include "runtime/runtime1.h"
#include "sched/runtime2.h"
#include "tools/replay.h"

// with_cheaprand runs n draws of one command with the thread's generator set to a state.
static void
with_cheaprand(const char *op, struct replay_args *a, struct replay_out *o) {
	M *mp = acquirem();
	uint64_t saved = mp->cheaprand;
	mp->cheaprand = a_u(a);
	uint64_t arg = strcmp(op, "cheap") == 0 ? 0 : a_u(a);
	for (uint64_t n = a_u(a); n > 0; n--) {
		if (strcmp(op, "cheap") == 0)
			o_x(o, cheaprand());
		else if (strcmp(op, "cheapn") == 0)
			o_u(o, cheaprandn((uint32_t)arg));
		else
			o_u(o, (uint64_t)fastexprand((intptr_t)arg));
	}
	if (strcmp(op, "cheap") == 0) {
		o_k(o, "state");
		o_x(o, mp->cheaprand);
	}
	mp->cheaprand = saved;
	releasem(mp);
}

static bool
replay_rand(const char *op, struct replay_args *a, struct replay_out *o) {
	if (strcmp(op, "cheap") == 0 || strcmp(op, "cheapn") == 0 || strcmp(op, "exp") == 0) {
		with_cheaprand(op, a, o);
	} else if (strcmp(op, "chacha8") == 0) {
		chacha8randState st = {0};
		uint64_t seed[4];
		for (int i = 0; i < 4; i++)
			seed[i] = a_u(a);
		chacha8randState_Init64(&st, seed);
		for (uint64_t n = a_u(a); n > 0; n--) {
			bool ok;
			uint64_t x = chacha8randState_Next(&st, &ok);
			while (!ok) {
				chacha8randState_Refill(&st);
				x = chacha8randState_Next(&st, &ok);
			}
			o_x(o, x);
		}
	} else if (strcmp(op, "log2") == 0) {
		o_f(o, fastlog2(a_f(a)));
	} else if (strcmp(op, "mul") == 0) {
		uint64_t x = a_u(a), y = a_u(a);
		unsigned __int128 p = (unsigned __int128)x * y;
		o_x(o, (uint64_t)(p >> 64));
		o_x(o, (uint64_t)p);
	} else if (strcmp(op, "bytes") == 0) {
		const char *s = a_str(a); // the text after a quotation mark
		bool ok = false;
		int64_t v = parseByteCount(s[0] == '"' ? s + 1 : s, &ok);
		o_i(o, v);
		o_t(o, ok);
	} else {
		return false;
	}
	return true;
}

static bool
replay_hist(const char *op, struct replay_args *a, struct replay_out *o) {
	if (strcmp(op, "bucket") == 0) {
		static timeHistogram h;
		memset(&h, 0, sizeof h);
		timeHistogram_record(&h, a_i(a));
		int64_t r = h.underflow != 0 ? -1 : h.overflow != 0 ? -2 : -3;
		for (size_t i = 0; i < nelem(h.counts); i++)
			if (h.counts[i] != 0)
				r = (int64_t)i;
		o_i(o, r);
	} else if (strcmp(op, "bounds") == 0) {
		static double b[timeHistTotalBuckets + 1];
		timeHistogramMetricsBuckets(b);
		for (size_t i = 0; i < nelem(b); i++)
			o_f(o, b[i]);
	} else {
		return false;
	}
	return true;
}

bool
replay_base(const char *cmd, struct replay_args *a, struct replay_out *o) {
	return strncmp(cmd, "rnd.", 4) == 0 ? replay_rand(cmd + 4, a, o)
					    : replay_hist(cmd + 3, a, o);
}
