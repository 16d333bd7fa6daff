// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Printing.
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/print.h"
#include "tests/support/death.h"

#define CASE(want, ...)                                            \
	do {                                                       \
		char got_[200];                                    \
		int n_ = snprint(got_, sizeof(got_), __VA_ARGS__); \
		cr_expect_str_eq(got_, want);                      \
		cr_expect_eq((size_t)n_, strlen(want));            \
	} while (0)

Test(Print, Snprint) {
	CASE("", "%s", "");
	CASE("a b", "a %s", "b");
	CASE("-1 0 2147483647", "%d %d %d", -1, 0, 2147483647);
	CASE("-9223372036854775808", "%ld", INT64_MIN);
	CASE("18446744073709551615", "%lu", UINT64_MAX);
	CASE("18446744073709551615 7", "%zu %d", SIZE_MAX, 7);
	CASE("deadbeef 0xdeadbeef", "%x %#x", 0xdeadbeefU, 0xdeadbeefU);
	CASE("ffffffffffffffff", "%lx", UINT64_MAX);
	CASE("0x0 0x10", "%p %p", (void *)0, (void *)16);
	CASE("   42|42   |00042|-0042", "%5d|%-5d|%05d|%05d", 42, 42, 42, -42);
	CASE("x%y", "%c%%%c", 'x', 'y');
	CASE("  ab|ab  |abc", "%4s|%-4s|%.3s", "ab", "ab", "abcdef");
	CASE("ab|   x", "%.*s|%*s", 2, "abc", 4, "x");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat"
	CASE("255 -1", "%hhu %hhd", 511U, 255); // cut
#pragma GCC diagnostic pop

	// Too small a buffer: cut, ended, and the length is what is in it.
	char small[5];
	cr_expect_eq(snprint(small, sizeof(small), "%d", 1234567), 4);
	cr_expect_str_eq(small, "1234");
	cr_expect_eq(snprint(small, 0, "x"), 0);
}

static const char *
fmt(double v) {
	static char buf[33];
	buf[fmtfloat(buf, v)] = 0;
	return buf;
}

// What Go's print writes.
Test(Print, Float) {
	cr_expect_str_eq(fmt(0), "0");
	cr_expect_str_eq(fmt(-0.0), "-0");
	cr_expect_str_eq(fmt(1), "1");
	cr_expect_str_eq(fmt(-1.5), "-1.5");
	cr_expect_str_eq(fmt(0.1), "0.1");
	cr_expect_str_eq(fmt(100000), "100000");
	cr_expect_str_eq(fmt(123456), "123456");
	cr_expect_str_eq(fmt(1e6), "1e+06");
	cr_expect_str_eq(fmt(1234567), "1.234567e+06");
	cr_expect_str_eq(fmt(123456789), "1.23456789e+08");
	cr_expect_str_eq(fmt(0.0001), "0.0001");
	cr_expect_str_eq(fmt(0.00001), "1e-05");
	cr_expect_str_eq(fmt(3.141592653589793), "3.141592653589793");
	cr_expect_str_eq(fmt(1e23), "1e+23");
	cr_expect_str_eq(fmt(9007199254740993.0), "9.007199254740992e+15");
	cr_expect_str_eq(fmt(DBL_MAX), "1.7976931348623157e+308");
	cr_expect_str_eq(fmt(DBL_MIN), "2.2250738585072014e-308");
	cr_expect_str_eq(fmt(5e-324), "5e-324");
	cr_expect_str_eq(fmt(INFINITY), "+Inf");
	cr_expect_str_eq(fmt(-INFINITY), "-Inf");
	cr_expect_str_eq(fmt(NAN), "NaN");
}

// Any number reads back, and no shorter text would.
Test(Print, FloatRandom) {
	uint64_t x = 88172645463325252UL;
	for (int i = 0; i < 20000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		double v;
		memcpy(&v, &x, sizeof(v));
		if (i % 2 == 0)
			v = (double)(int64_t)x / 1e3;
		if (!isfinite(v))
			continue;
		const char *got = fmt(v);
		cr_assert(strtod(got, NULL) == v, "%s for %.17g", got, v);
		int digits = 0;
		for (const char *p = got; *p != 0 && *p != 'e'; p++)
			digits += *p >= '0' && *p <= '9';
		if (strchr(got, 'e') == NULL)
			continue;
		char shorter[40];
		snprintf(shorter, sizeof(shorter), "%.*e", digits - 2, v);
		cr_assert(digits == 1 || strtod(shorter, NULL) != v, "%s, but %s will do", got,
			shorter);
	}
}

static void
last_words(void) {
	printlock();
	print("n=%d ", 5);
	printlock();
	printfloat(2.5);
	printunlock();
	print("\n");
	printunlock();
	printindented("one\ntwo\n");
	print("%s", "\n");
	static const uintptr_t words[3] = {0x1122334455667788, 1, 2};
	hexdumpWords((uintptr_t)words, (uintptr_t)(words + 1));
}

Test(Print, Stderr) {
	static char text[deathMax];
	int status = deathOf(last_words, true, text);
	cr_expect_eq(status, 0);
	cr_expect(strncmp(text, "n=5 2.5\none\n\ttwo\n\t\n", 19) == 0, "%s", text);
	cr_expect(strstr(text, "11223344 55667788") != NULL, "%s", text);
}

// A long line comes out whole.
static void
long_line(void) {
	char big[2000];
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	print("%s|%d\n", big, 1);
}

Test(Print, Long) {
	static char text[deathMax];
	deathOf(long_line, false, text);
	cr_expect_eq(strlen(text), 2002u);
	cr_expect_str_eq(text + 1999, "|1\n");
}
