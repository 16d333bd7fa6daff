// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Histograms of durations.  Ports histogram.go of Go 1.26.8.
#ifndef GORT_RUNTIME_HISTOGRAM_H
#define GORT_RUNTIME_HISTOGRAM_H

#include "runtime/runtime.h"

// The buckets are powers of 2 of nanoseconds, from 2^9 to 2^48, each cut into 4 of equal width.
enum {
	timeHistMinBucketBits = 9,
	timeHistMaxBucketBits = 48, // exclusive
	timeHistSubBucketBits = 2,
	timeHistNumSubBuckets = 1 << timeHistSubBucketBits,
	timeHistNumBuckets = timeHistMaxBucketBits - timeHistMinBucketBits + 1,
	timeHistTotalBuckets =
		timeHistNumBuckets * timeHistNumSubBuckets + 2, // and under-, overflow
};

// timeHistogram: all fields atomic.
typedef struct timeHistogram {
	uint64_t counts[timeHistNumBuckets * timeHistNumSubBuckets];
	uint64_t underflow; // negative durations
	uint64_t overflow;
} timeHistogram;

void timeHistogram_record(timeHistogram *h, int64_t duration);
// timeHistogram_counts copies the counts, underflow first and overflow last.
void timeHistogram_counts(timeHistogram *h, uint64_t counts[static timeHistTotalBuckets]);
double float64Inf(void);
double float64NegInf(void);
// timeHistogramMetricsBuckets fills in the edges of the buckets, in seconds.
void timeHistogramMetricsBuckets(double b[static timeHistTotalBuckets + 1]);

#endif
