// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Histograms of durations; which duration goes where is in the vectors (th.bucket, th.bounds).
#include <math.h>

#include "runtime/histogram.h"
#include "tests/support/support.h"

// Each bucket's lower edge falls into it, and one nanosecond less into the one before.
Test(Histogram, EdgesMatchRecord) {
	static double b[timeHistTotalBuckets + 1];
	timeHistogramMetricsBuckets(b);
	cr_expect(b[0] == -HUGE_VAL);
	cr_expect(b[timeHistTotalBuckets] == HUGE_VAL);
	for (int i = 1; i < timeHistTotalBuckets; i++) {
		cr_expect(b[i - 1] < b[i], "%d", i);
		static timeHistogram h;
		uint64_t counts[timeHistTotalBuckets];
		memset(&h, 0, sizeof(h));
		int64_t ns = (int64_t)(b[i] * 1e9 + 0.5);
		timeHistogram_record(&h, ns);
		timeHistogram_record(&h, ns - 1);
		timeHistogram_counts(&h, counts);
		cr_expect_eq(counts[i], 1u, "edge %d, %ld ns", i, ns);
		cr_expect_eq(counts[i - 1], 1u, "below edge %d, %ld ns", i, ns);
	}
}

Test(Histogram, Extremes) {
	static timeHistogram h;
	timeHistogram_record(&h, INT64_MIN);
	timeHistogram_record(&h, -1);
	timeHistogram_record(&h, INT64_MAX);
	cr_expect_eq(h.underflow, 2u);
	cr_expect_eq(h.overflow, 1u);
}
