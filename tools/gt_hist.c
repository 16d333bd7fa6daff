// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Histograms and figures: see gt_hist.h.
#include "tools/gt_hist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- histograms: value v is in bucket log2(v)*8, so that neighbours differ by 9 %

void
gt_hist_add(gt_hist *h, double x) {
	if (x < 0)
		x = 0;
	int i = x < 1 ? 0 : (int)(log2(x) * GT_HIST_SUB) + 1;
	if (i >= GT_HIST_BUCKETS)
		i = GT_HIST_BUCKETS - 1;
	h->count[i]++;
	if (h->n == 0 || x < h->min)
		h->min = x;
	if (h->n == 0 || x > h->max)
		h->max = x;
	h->n++;
	h->sum += x;
}

double
gt_hist_bound(int i) {
	return i == 0 ? 0 : exp2((double)(i - 1) / GT_HIST_SUB);
}

double
gt_hist_quantile(const gt_hist *h, double q) {
	double want = q * (double)h->n, seen = 0;
	for (int i = 0; i < GT_HIST_BUCKETS; i++) {
		double c = (double)h->count[i];
		if (c > 0 && seen + c >= want) {
			double lo = gt_hist_bound(i), hi = gt_hist_bound(i + 1);
			double x = lo + (hi - lo) * (want - seen) / c;
			return fmin(fmax(x, h->min), h->max);
		}
		seen += c;
	}
	return h->max;
}

// ---- figures

// room returns the next of some static buffers.
static char *
room(void) {
	static char bufs[16][40];
	static int next;
	return bufs[next++ % 16];
}

// scaled prints x with a unit, each step times the one before: whole ones of the first, three digits
// of the others.
static const char *
scaled(double x, double step, const char *const unit[4]) {
	char *s = room();
	double scale = 1;
	int i = 0;
	for (; i < 3 && fabs(x) >= scale * step; i++)
		scale *= step;
	x /= scale;
	double a = fabs(x);
	snprintf(s, 40,
		i == 0 || a >= 99.95 ? "%.0f%s"
		: a < 9.995          ? "%.2f%s"
				     : "%.1f%s",
		x, unit[i]);
	return s;
}

const char *
gt_ns(double ns) {
	static const char *const units[] = {"ns", "us", "ms", "s"};
	return scaled(ns, 1000, units);
}

const char *
gt_bytes(double n) {
	static const char *const units[] = {"B", "KB", "MB", "GB"};
	return scaled(n, 1024, units);
}

const char *
gt_commas(uint64_t n) {
	char digits[24];
	int k = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), j = 0;
	char *s = room();
	for (int i = 0; i < k; i++) {
		if (i > 0 && (k - i) % 3 == 0)
			s[j++] = ',';
		s[j++] = digits[i];
	}
	s[j] = 0;
	return s;
}

int
gt_width(const char *s) {
	int w = 0;
	for (; *s != 0; s++)
		w += (*s & 0xc0) != 0x80;
	return w;
}

void
gt_pad(FILE *f, const char *s, int w) {
	fputs(s, f);
	for (w -= gt_width(s); w > 0; w--)
		putc(' ', f);
}

void
gt_float(gt_buf *b, double x, bool json) {
	char s[40];
	if (x == 0) { // -0 is "-0" in Go, too
		gt_buf_str(b, signbit(x) ? "-0" : "0");
		return;
	}
	int p = 1;
	for (; p < 17; p++) {
		snprintf(s, sizeof s, "%.*e", p - 1, x);
		if (strtod(s, NULL) == x)
			break;
	}
	snprintf(s, sizeof s, "%.*e", p - 1, x);
	int e = atoi(strchr(s, 'e') + 1);
	if (json ? e >= -6 && e < 21 : e >= -4 && e < 6) {
		// plain: as many places after the point as the digits need
		gt_buf_fmt(b, "%.*f", p - 1 - e > 0 ? p - 1 - e : 0, x);
		return;
	}
	// encoding/json writes e-9 and not e-09; the rest of Go writes two digits as C does
	char *x2 = strchr(s, 'e') + 2;
	if (json && x2[-1] == '-' && x2[0] == '0')
		memmove(x2, x2 + 1, strlen(x2));
	gt_buf_str(b, s);
}
