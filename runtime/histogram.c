// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Histograms of durations.  Ports histogram.go of Go 1.26.8.
//
// HDR histograms: the highest bit of a duration picks a bucket, the two bits below it one of the
// bucket's four parts, so the relative error is bounded.  Below 2^9 ns all durations share bucket 0;
// above 2^48 ns (three days) they overflow.  Negative ones, which broken clocks make, are counted,
// too.
#include "runtime/histogram.h"

// timeHistogram_record may be called anywhere.
void
timeHistogram_record(timeHistogram *h, int64_t duration) {
	if (duration < 0) {
		atomic_Xadd(&h->underflow, 1);
		return;
	}
	int bucketBit;
	int bucket;
	int l = Len64((uint64_t)duration);
	if (l < timeHistMinBucketBits) {
		bucketBit = timeHistMinBucketBits;
		bucket = 0;
	} else {
		bucketBit = l;
		bucket = bucketBit - timeHistMinBucketBits + 1;
	}
	if (bucket >= timeHistNumBuckets) {
		atomic_Xadd(&h->overflow, 1);
		return;
	}
	int subBucket =
		(int)(duration >> (bucketBit - 1 - timeHistSubBucketBits)) % timeHistNumSubBuckets;
	atomic_Xadd(&h->counts[bucket * timeHistNumSubBuckets + subBucket], 1);
}

void
timeHistogram_counts(timeHistogram *h, uint64_t counts[static timeHistTotalBuckets]) {
	counts[0] = atomic_Load(&h->underflow);
	for (uintptr_t i = 0; i < nelem(h->counts); i++)
		counts[i + 1] = atomic_Load(&h->counts[i]);
	counts[timeHistTotalBuckets - 1] = atomic_Load(&h->overflow);
}

double
float64Inf(void) {
	return __builtin_inf();
}

double
float64NegInf(void) {
	return -__builtin_inf();
}

void
timeHistogramMetricsBuckets(double b[static timeHistTotalBuckets + 1]) {
	b[0] = float64NegInf();
	// Bucket 0 has no highest bit.
	for (int j = 0; j < timeHistNumSubBuckets; j++) {
		uint64_t bucketNanos = (uint64_t)j
				       << (timeHistMinBucketBits - 1 - timeHistSubBucketBits);
		b[j + 1] = (double)bucketNanos / 1e9;
	}
	for (int i = timeHistMinBucketBits; i < timeHistMaxBucketBits; i++) {
		for (int j = 0; j < timeHistNumSubBuckets; j++) {
			uint64_t bucketNanos = 1UL << (i - 1);
			bucketNanos |= (uint64_t)j << (i - 1 - timeHistSubBucketBits);
			int bucketIndex =
				(i - timeHistMinBucketBits + 1) * timeHistNumSubBuckets + j + 1;
			b[bucketIndex] = (double)bucketNanos / 1e9;
		}
	}
	b[timeHistTotalBuckets - 1] = (double)(1UL << (timeHistMaxBucketBits - 1)) / 1e9;
	b[timeHistTotalBuckets] = float64Inf();
}
