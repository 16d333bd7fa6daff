// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Renaming of functions; the expected names are what Go's regexp gives.
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/gt_rename.h"

static const struct {
	const char *re, *with, *name, *want; // want NULL: no expression
} cases[] = {
	{"^go_(.*)$", "main.$1", "go_worker", "main.worker"},
	{"o", "0", "foo.boo", "f00.b00"},
	{"x*", "-", "abxc", "-a-b-c-"},
	{"(a)(?:b)(c)", "$2$1", "abcabc", "caca"},
	{"(?P<f>\\w+)\\.(?P<n>\\d+)", "${n}_${f}", "main.12 x.3", "12_main 3_x"},
	{"a", "$$", "banana", "b$n$n$"},
	{"(a)", "$1x", "banana", "bnn"},
	{"(a)", "${1}x", "banana", "baxnaxnax"},
	{"(a)", "$9|$", "ban", "b|$n"},
	{"\\.func\\d+$", "", "main.main.func12", "main.main"},
	{"[\\d.]+", "N", "a1.2b3", "aNbN"},
	{"^", "main.", "f", "main.f"},
	{"$", "!", "f", "f!"},
	{"\\bgo\\b", "C", "go gone go", "C gone C"},
	{"[[:upper:]]", "u", "aBcD", "aucu"},
	{"[^a-z]", "_", "a-b.c", "a_b_c"},
	{"a{2,3}", "x", "aaaaa", "xx"},
	{"(b)?a", "[$1]", "ba a", "[b] []"},
	{"\\(\\*T\\)", "T", "main.(*T).f", "main.T.f"},
	{"\\x", "", "", NULL},
	{"[]a]+", "-", "x]a]y", "x-y"},
	{"a|b", "c", "aabb", "cccc"},
	{"\\S+ \\s?", "s", "ab  c", "sc"},
	{"a", "${", "a", "${"},
	{"a", "${1", "a", "${1"},
	{"a", "$-", "a", "$-"},
};

// A process of its own for each case: expressions add up.
static void
check(size_t i) {
	gt_buf spec = {0}, err = {0};
	gt_buf_fmt(&spec, "%s=%s", cases[i].re, cases[i].with);
	bool ok = gt_rename_add(spec.s, &err);
	if (ok != (cases[i].want != NULL) ||
		(ok && strcmp(gt_atom_text(gt_rename(cases[i].name)), cases[i].want) != 0)) {
		fprintf(stderr, "-rename %s: \"%s\" becomes \"%s\" %s\n", spec.s, cases[i].name,
			ok ? gt_atom_text(gt_rename(cases[i].name)) : "", ok ? "" : err.s);
		_exit(1);
	}
	_exit(0);
}

Test(Rename, AsGo) {
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		pid_t pid = fork();
		if (pid == 0)
			check(i);
		int status = -1;
		cr_assert(pid > 0 && waitpid(pid, &status, 0) == pid);
		cr_expect_eq(status, 0, "%s=%s", cases[i].re, cases[i].with);
	}
}

// Two expressions apply one after the other.
Test(Rename, InOrder) {
	gt_buf err = {0};
	cr_assert(gt_rename_add("^a=b", &err));
	cr_assert(gt_rename_add("^b=c", &err));
	cr_expect_str_eq(gt_atom_text(gt_rename("a")), "c");
	cr_expect_str_eq(gt_atom_text(gt_rename("x")), "x");
}

// What POSIX cannot say is refused, not misread.
Test(Rename, Refused) {
	static const char *const specs[] = {
		"(?i)a=x", "a*?=x", "a+?=x", "\\pL=x", "(a=x", "[a=x", "a\\=x", "[\\D]=x"};
	for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
		gt_buf err = {0};
		cr_expect_not(gt_rename_add(specs[i], &err), "%s", specs[i]);
		cr_expect(err.n > 0, "%s", specs[i]);
	}
	cr_expect_str_eq(gt_atom_text(gt_rename("a")), "a");
}
