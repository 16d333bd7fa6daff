// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Long lists of atoms.  Memory holds the last block of a list at most; the others go to a temporary
// file, which all lists share, so that the length of a trace does not count.
#ifndef TOOLS_GT_SEQ_H
#define TOOLS_GT_SEQ_H

#include <stdio.h>

#include "tools/gt_atom.h"

enum { GT_SEQ_BLOCK = 1024 }; // atoms: 4 KB

typedef struct gt_seq {
	size_t n;
	gt_atom *tail; // what follows the blocks; not empty unless n == 0
	size_t captail;
	uint32_t *blocks; // where in the file they are
	size_t nblocks, capblocks;
} gt_seq;

void gt_seq_add(gt_seq *q, gt_atom a);
gt_atom gt_seq_at(const gt_seq *q, size_t i);
// gt_seq_part returns the first index at which the lists differ; if there is none, the length of the
// shorter one.
size_t gt_seq_part(const gt_seq *a, const gt_seq *b);
void gt_seq_free(gt_seq *q);

// gt_tmpfile opens a file without a name in $TMPDIR or /tmp; an error ends the program.
FILE *gt_tmpfile(void);

#endif // TOOLS_GT_SEQ_H
