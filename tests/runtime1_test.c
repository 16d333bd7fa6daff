// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// GODEBUG, GOTRACEBACK and numbers.
#include <stdlib.h>

#include "runtime/runtime1.h"
#include "tests/support/support.h"

Test(Runtime1, Atoi) {
	static const struct {
		const char *s;
		int64_t n;
		bool ok;
	} tests[] = {
		{"", 0, false},
		{"0", 0, true},
		{"-0", 0, true},
		{"+7", 7, true},
		{"-", 0, false},
		{"1", 1, true},
		{"12345", 12345, true},
		{"-12345", -12345, true},
		{"012345", 12345, true},
		{"12345x", 0, false},
		{"-12345x", 0, false},
		{"1_000", 0, false},
		{" 1", 0, false},
		{"9223372036854775807", INT64_MAX, true},
		{"9223372036854775808", 0, false},
		{"-9223372036854775808", INT64_MIN, true},
		{"-9223372036854775809", 0, false},
		{"98765432100", 98765432100, true},
		{"20496382327982653440", 0, false},
		{"-20496382327982653440", 0, false},
	};
	for (size_t i = 0; i < nelem(tests); i++) {
		bool ok;
		int64_t n = runtime_atoi64(tests[i].s, &ok);
		cr_expect(n == tests[i].n && ok == tests[i].ok, "%s: %ld, %d", tests[i].s, n, ok);
	}
}

Test(Runtime1, Atoi32) {
	static const struct {
		const char *s;
		int32_t n;
		bool ok;
	} tests[] = {
		{"", 0, false},
		{"0", 0, true},
		{"2147483647", INT32_MAX, true},
		{"-2147483648", INT32_MIN, true},
		{"2147483648", 0, false},
		{"-2147483649", 0, false},
		{"987654321", 987654321, true},
		{"12345x", 0, false},
	};
	for (size_t i = 0; i < nelem(tests); i++) {
		bool ok;
		int32_t n = runtime_atoi32(tests[i].s, &ok);
		cr_expect(n == tests[i].n && ok == tests[i].ok, "%s: %d, %d", tests[i].s, n, ok);
	}
}

Test(Runtime1, Gogetenv) {
	setenv("GORT_TEST_A", "b=c", 1);
	setenv("GORT_TEST_AB", "", 1);
	unsetenv("GORT_TEST_B");
	cr_expect_str_eq(gogetenv("GORT_TEST_A"), "b=c");
	cr_expect_str_eq(gogetenv("GORT_TEST_AB"), "");
	cr_expect_null(gogetenv("GORT_TEST_B"));
	cr_expect_null(gogetenv("GORT_TEST_"));
}

Test(Runtime1, Godebug) {
	// The last one counts; what is no number or has no name of ours does not.
	setenv("GODEBUG",
		"gctrace=1,gctrace=2,,nonsense=3,schedtrace=abc,gcstoptheworld,invalidptr=0,"
		"madvdontneed=99999999999,profstackdepth=5000,gccheckmark=1",
		1);
	setenv("GOTRACEBACK", "all", 1);
	parsedebugvars();
	cr_expect_eq(debug.gctrace, 2);
	cr_expect_eq(debug.schedtrace, 0);
	cr_expect_eq(debug.gcstoptheworld, 0);
	cr_expect_eq(debug.invalidptr, 0);
	cr_expect_eq(debug.madvdontneed, 1);
	cr_expect_eq(debug.cgocheck, 1);
	cr_expect_eq(debug.adaptivestackstart, 1);
	cr_expect_eq(debug.containermaxprocs, 1);
	cr_expect_eq(debug.profstackdepth, 1024);
	cr_expect_eq(debug.asyncpreemptoff, 0, "checkmark goes with stops anywhere");
	cr_expect_eq(debug.timeslice, 10000);
	cr_expect_eq(debug.malloc, false);
	cr_expect_eq(traceback_cache, (uint32_t)(1 << tracebackShift | tracebackAll));
}

// A change while the program runs reaches only what may change.
Test(Runtime1, Reparse) {
	setenv("GODEBUG", "asynctimerchan=1", 1);
	parsedebugvars();
	cr_expect_eq(debug.asynctimerchan, 1);
	reparsedebugvars("panicnil=1,gctrace=1");
	cr_expect_eq(debug.panicnil, 1);
	cr_expect_eq(debug.asynctimerchan, 0);
	cr_expect_eq(debug.gctrace, 0);
}

Test(Runtime1, SetTraceback) {
	static const struct {
		const char *level;
		uint32_t want;
	} tests[] = {
		{"none", 0},
		{"single", 1 << tracebackShift},
		{"", 1 << tracebackShift},
		{"all", 1 << tracebackShift | tracebackAll},
		{"system", 2 << tracebackShift | tracebackAll},
		{"crash", 2 << tracebackShift | tracebackAll | tracebackCrash},
		{"0", tracebackAll},
		{"1", 1 << tracebackShift | tracebackAll},
		{"2", 2 << tracebackShift | tracebackAll},
		{"what", tracebackAll},
	};
	for (size_t i = 0; i < nelem(tests); i++) {
		setTraceback(tests[i].level);
		cr_expect_eq(traceback_cache, tests[i].want, "%s", tests[i].level);
	}
}
