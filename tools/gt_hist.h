// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Histograms, and figures as people read them, for the analysing commands of gort-trace.
#ifndef TOOLS_GT_HIST_H
#define TOOLS_GT_HIST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/gt_util.h"

// A histogram of times or sizes with buckets an eighth of an octave wide.  All zero is an empty one.
enum { GT_HIST_SUB = 8, GT_HIST_BUCKETS = 64 * GT_HIST_SUB };
typedef struct gt_hist {
	uint64_t count[GT_HIST_BUCKETS];
	uint64_t n;
	double sum, min, max;
} gt_hist;
void gt_hist_add(gt_hist *h, double x);

// gt_hist_quantile returns the q quantile (0..1), interpolated within its bucket.
double gt_hist_quantile(const gt_hist *h, double q);

// gt_hist_bound returns the lower bound of bucket i.
double gt_hist_bound(int i);

// Figures for people: "1.23ms", "4.0MB", "12,345".  The result lies in one of some static buffers.
const char *gt_ns(double ns);
const char *gt_bytes(double n);
const char *gt_commas(uint64_t n);

// gt_width returns how many code points s has, as Go's %-10s counts.
int gt_width(const char *s);

// gt_pad prints s and blanks up to w code points.
void gt_pad(FILE *f, const char *s, int w);

// gt_float prints x as Go prints it with verb 'g' and the least number of digits that tell it from
// its neighbours; with json, as encoding/json does.
void gt_float(gt_buf *b, double x, bool json);

#endif // TOOLS_GT_HIST_H
