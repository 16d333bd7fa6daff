// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Long lists of atoms.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/gt_cmds.h"
#include "tools/gt_seq.h"

enum { B = GT_SEQ_BLOCK };

// made returns a list of n atoms; that at index other is another one.
static gt_seq
made(size_t n, size_t other) {
	gt_seq q = {0};
	for (size_t i = 0; i < n; i++)
		gt_seq_add(&q, (gt_atom)(i * 7 + (i == other)));
	return q;
}

static const size_t sizes[] = {0, 1, 7, B - 1, B, B + 1, 2 * B, 2 * B + 1, 100 * B + 5};
enum { NSIZES = sizeof sizes / sizeof sizes[0] };

// Lists that grow at the same time share the file.
Test(Seq, AddAndAt) {
	gt_seq a = {0}, b = {0};
	for (size_t i = 0; i < 10 * B + 3; i++) {
		cr_expect_eq(a.n, i);
		gt_seq_add(&a, (gt_atom)(i * 3));
		if (i % 3 == 0)
			gt_seq_add(&b, (gt_atom)(i * 5));
		// what was added last, and something before it
		cr_expect_eq(gt_seq_at(&a, i), i * 3);
		cr_expect_eq(gt_seq_at(&a, i / 2), i / 2 * 3);
		cr_expect_eq(gt_seq_at(&b, i / 3 / 2), i / 3 / 2 * 3 * 5);
	}
	for (size_t i = 0; i < a.n; i++)
		cr_expect_eq(gt_seq_at(&a, i), i * 3);
	for (size_t i = b.n; i-- > 0;)
		cr_expect_eq(gt_seq_at(&b, i), i * 3 * 5);
	cr_expect_leq(a.captail, (size_t)B);
	gt_seq_free(&a);
	gt_seq_free(&b);
}

Test(Seq, Part) {
	for (int i = 0; i < NSIZES; i++) {
		for (int j = 0; j < NSIZES; j++) {
			gt_seq a = made(sizes[i], SIZE_MAX), b = made(sizes[j], SIZE_MAX);
			size_t n = sizes[i] < sizes[j] ? sizes[i] : sizes[j];
			cr_expect_eq(gt_seq_part(&a, &b), n, "%zu and %zu", sizes[i], sizes[j]);
			gt_seq_free(&b);
			for (int k = 0; k < NSIZES; k++) {
				b = made(sizes[j], sizes[k]);
				cr_expect_eq(gt_seq_part(&a, &b), sizes[k] < n ? sizes[k] : n,
					"%zu and %zu with another at %zu", sizes[i], sizes[j],
					sizes[k]);
				gt_seq_free(&b);
			}
			gt_seq_free(&a);
		}
	}
}

// Without a place for the file, lists of more than a block are an error.
Test(Seq, NoFile) {
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		setenv("TMPDIR", "/nowhere", 1);
		gt_seq q = made(B, SIZE_MAX);
		if (q.n != B)
			_exit(100);
		freopen("/dev/null", "w", stderr);
		gt_seq_add(&q, 1);
		_exit(101);
	}
	int status;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == GT_FAILED, "status %x", status);
}
