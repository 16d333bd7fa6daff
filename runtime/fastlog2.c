// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Logarithms that are good enough for sampling.  Ports fastlog2.go, fastlog2table.go and fastexprand
// (malloc.go) of Go 1.26.8.
#include "runtime/rand.h"

enum { fastlogNumBits = 5 };

// log2(1 + i/32), from i = 0
static const double fastlog2Table[(1 << fastlogNumBits) + 1] = {
	0,
	0.0443941193584535,
	0.08746284125033943,
	0.12928301694496647,
	0.16992500144231248,
	0.2094533656289499,
	0.24792751344358555,
	0.28540221886224837,
	0.3219280948873623,
	0.3575520046180837,
	0.39231742277876036,
	0.4262647547020979,
	0.4594316186372973,
	0.4918530963296748,
	0.5235619560570128,
	0.5545888516776374,
	0.5849625007211563,
	0.6147098441152082,
	0.6438561897747247,
	0.6724253419714956,
	0.7004397181410922,
	0.7279204545631992,
	0.7548875021634686,
	0.7813597135246596,
	0.8073549220576042,
	0.8328900141647417,
	0.8579809951275721,
	0.8826430493618412,
	0.9068905956085185,
	0.9307373375628862,
	0.9541963103868752,
	0.9772799234999164,
	1,
};

// fastlog2 takes the exponent as it is and interpolates the logarithm of the first 25 bits of the
// mantissa in a table.
double
fastlog2(double x) {
	enum { fastlogScaleBits = 20 };
	const double fastlogScaleRatio = 1.0 / (1 << fastlogScaleBits);

	uint64_t xBits;
	memcpy(&xBits, &x, sizeof(xBits));
	int64_t xExp = (int64_t)(xBits >> 52 & 0x7FF) - 1023;
	uint64_t xManIndex = (xBits >> (52 - fastlogNumBits)) % (1 << fastlogNumBits);
	uint64_t xManScale =
		(xBits >> (52 - fastlogNumBits - fastlogScaleBits)) % (1 << fastlogScaleBits);

	double low = fastlog2Table[xManIndex];
	double high = fastlog2Table[xManIndex + 1];
	return (double)xExp + low + (high - low) * (double)xManScale * fastlogScaleRatio;
}

int32_t
fastexprand(intptr_t mean) {
	// The largest sample is about 20 times the mean and must fit.
	if (mean > 0x7000000)
		mean = 0x7000000;
	else if (mean == 0)
		return 0;

	// q = 1 - p is evenly distributed, and x = -ln(q) * mean = log2(q) * -ln(2) * mean.
	enum { randomBitCount = 26 };
	uint32_t q = cheaprandn(1 << randomBitCount) + 1;
	double qlog = fastlog2((double)q) - randomBitCount;
	if (qlog > 0)
		qlog = 0;
	const double minusLog2 = -0.6931471805599453;
	return (int32_t)(qlog * (minusLog2 * (double)mean)) + 1;
}
