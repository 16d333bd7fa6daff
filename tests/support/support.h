// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// What all tests include: Criterion, and goroutines in a test.
//
//	static void f(void) { ... CHECK(x == 1); ... }   // on a goroutine: never cr_assert
//	Test(Suite, Name) { RUN(f); }                     // cr_assert here is fine
//
// RUN starts the runtime in the test's process, on a thread of its own, runs f as the main goroutine
// and comes back when f returns; the runtime goes on.  A later RUN in the same test uses the same
// main goroutine.  CHECK records a failure, which RUN turns into one of the test.
//
// Criterion does not run under TSan.  There, and with -DGORT_OWN_RUNNER, Test registers a function
// that support.c's own runner calls in a process of its own.
#ifndef GORT_TESTS_SUPPORT_H
#define GORT_TESTS_SUPPORT_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#if defined(__SANITIZE_THREAD__) && !defined(GORT_OWN_RUNNER)
#	define GORT_OWN_RUNNER 1
#endif
#ifdef __has_feature
#	if __has_feature(thread_sanitizer) && !defined(GORT_OWN_RUNNER)
#		define GORT_OWN_RUNNER 1
#	endif
#endif

#ifndef GORT_OWN_RUNNER
#	include <criterion/criterion.h>
#else

struct support_test {
	const char *suite;
	const char *name;
	void (*fn)(void);
} __attribute__((aligned(8)));

#	define Test(suite_, name_, ...)                                                       \
		static void suite_##_##name_##_test(void);                                     \
		static const struct support_test suite_##_##name_##_entry __attribute__((used, \
			section("gort_tests"))) = {#suite_, #name_, suite_##_##name_##_test};  \
		static void suite_##_##name_##_test(void)

void support_fail(const char *file, int line, const char *what) __attribute__((noreturn));
#	define cr_assert(cond, ...) ((cond) ? (void)0 : support_fail(__FILE__, __LINE__, #        cond))
#	define cr_assert_not(cond, ...) cr_assert(!(cond))
#	define cr_assert_eq(a, b, ...) cr_assert((a) == (b))
#	define cr_assert_neq(a, b, ...) cr_assert((a) != (b))
#	define cr_assert_lt(a, b, ...) cr_assert((a) < (b))
#	define cr_assert_leq(a, b, ...) cr_assert((a) <= (b))
#	define cr_assert_gt(a, b, ...) cr_assert((a) > (b))
#	define cr_assert_geq(a, b, ...) cr_assert((a) >= (b))
#	define cr_assert_null(a, ...) cr_assert((a) == NULL)
#	define cr_assert_not_null(a, ...) cr_assert((a) != NULL)
#	define cr_assert_str_eq(a, b, ...) cr_assert(strcmp((a), (b)) == 0)
#	define cr_assert_arr_eq(a, b, n, ...) cr_assert(memcmp((a), (b), (n)) == 0)
#	define cr_assert_fail(...) cr_assert(false)
#	define cr_expect(cond, ...) cr_assert(cond)
#	define cr_expect_eq(a, b, ...) cr_assert((a) == (b))
#	define cr_expect_null(a, ...) cr_assert((a) == NULL)
#	define cr_expect_str_eq(a, b, ...) cr_assert(strcmp((a), (b)) == 0)
#endif

// support_run is RUN without the verdict; it returns the number of failed CHECKs so far.
int support_run(void (*fn)(void));
// support_check records a failure.  Any thread.
void support_check(const char *file, int line, const char *what);

#define RUN(fn) cr_assert(support_run(fn) == 0)
#define CHECK(cond)                                               \
	do {                                                      \
		if (!(cond))                                      \
			support_check(__FILE__, __LINE__, #cond); \
	} while (0)

#endif
