// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Histograms, and figures for people.
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/gt_atom.h"
#include "tools/gt_hist.h"

Test(Hist, Quantiles) {
	static gt_hist h;
	cr_expect_eq(gt_hist_quantile(&h, .5), 0);
	for (int i = 1; i <= 10000; i++)
		gt_hist_add(&h, i * 100.0);
	cr_expect_eq(h.n, 10000u);
	cr_expect_eq(h.min, 100);
	cr_expect_eq(h.max, 1e6);
	cr_expect_eq(h.sum, 100.0 * 10000 * 10001 / 2);
	static const double qs[] = {.1, .5, .9, .99};
	for (int i = 0; i < 4; i++) // a bucket is 9 % wide, and the values are spread evenly in it
		cr_expect_lt(fabs(gt_hist_quantile(&h, qs[i]) / (qs[i] * 1e6) - 1), .02, "q %g: %g",
			qs[i], gt_hist_quantile(&h, qs[i]));
	cr_expect_eq(gt_hist_quantile(&h, 1), 1e6);
	static gt_hist one;
	gt_hist_add(&one, 12345);
	cr_expect_eq(gt_hist_quantile(&one, .01), 12345);
	cr_expect_eq(gt_hist_quantile(&one, .99), 12345);
	gt_hist_add(&one, -5);
	gt_hist_add(&one, 1e300);
	cr_expect_eq(one.min, 0);
	cr_expect_eq(one.n, 3u);
}

// Every value lies in the bucket whose bounds enclose it.
Test(Hist, Buckets) {
	for (double x = 1; x < 1e15; x *= 1.037) {
		static gt_hist h;
		h = (gt_hist){0};
		gt_hist_add(&h, x);
		int i = 0;
		while (h.count[i] == 0)
			i++;
		cr_expect(gt_hist_bound(i) <= x * 1.0000001 && x * .9999999 < gt_hist_bound(i + 1),
			"%g in %d", x, i);
	}
}

Test(Hist, Figures) {
	cr_expect_str_eq(gt_ns(0), "0ns");
	cr_expect_str_eq(gt_ns(999), "999ns");
	cr_expect_str_eq(gt_ns(1000), "1.00us");
	cr_expect_str_eq(gt_ns(12345), "12.3us");
	cr_expect_str_eq(gt_ns(123456789), "123ms");
	cr_expect_str_eq(gt_ns(9.996e9), "10.0s");
	cr_expect_str_eq(gt_bytes(1023), "1023B");
	cr_expect_str_eq(gt_bytes(4 << 20), "4.00MB");
	cr_expect_str_eq(gt_commas(0), "0");
	cr_expect_str_eq(gt_commas(999), "999");
	cr_expect_str_eq(gt_commas(1000), "1,000");
	cr_expect_str_eq(gt_commas(UINT64_MAX), "18,446,744,073,709,551,615");
	cr_expect_eq(gt_width("abc"), 3);
	cr_expect_eq(gt_width("\303\251\342\200\246"), 2);
}

// Texts get numbers once, however many there are.
Test(Atom, Many) {
	gt_atom first[5000];
	cr_expect_eq(gt_atom_of(""), 0u);
	for (int i = 0; i < 5000; i++)
		first[i] = gt_atom_fmt("text %d", i);
	for (int i = 0; i < 5000; i++) {
		char s[32];
		snprintf(s, sizeof s, "text %d", i);
		cr_assert_eq(gt_atom_of(s), first[i]);
		cr_assert_str_eq(gt_atom_text(first[i]), s);
	}
	char *big = malloc(100001);
	memset(big, 'x', 100000);
	big[100000] = 0;
	cr_expect_str_eq(gt_atom_text(gt_atom_fmt("%s", big)), big);
	free(big);
}
