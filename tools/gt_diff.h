// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// What the differ offers to the other commands: the verdicts on two traces, and reading options as
// Go's flag package does.
#ifndef TOOLS_GT_DIFF_H
#define TOOLS_GT_DIFF_H

#include "tools/gt_atom.h"
#include "tools/gt_keys.h"

typedef enum gt_verdict_kind {
	GT_V_EQUAL,
	GT_V_WITHIN,
	GT_V_DIFFERS,
	GT_V_INFO,
} gt_verdict_kind;

// A verdict on a key.
typedef struct gt_line {
	gt_atom key;
	gt_verdict_kind verdict;
	gt_buf text;
} gt_line;

// gt_diff_lines compares two traces; the result and its texts are the caller's.
gt_line *gt_diff_lines(const gt_keys *a, const gt_keys *b, size_t *n);

const char *gt_verdict_name(gt_verdict_kind v);

// gt_option takes "-name value" and "-name=value" at argv[*i], also with two dashes; it returns the
// value and moves *i to the last argument used, or returns NULL.
const char *gt_option(const char *name, char **argv, int *i);

// gt_switch takes "-name" and "-name=true/false".
bool gt_switch(const char *name, const char *arg, bool *on);

// gt_cmd_keys is the command "keys": all keys of a trace as JSON.
int gt_cmd_keys(int argc, char **argv);

#endif // TOOLS_GT_DIFF_H
