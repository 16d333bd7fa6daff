// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The keys of a trace: what it says about the behaviour of the program and the runtime, as values
// with a name that can be compared with those of another trace.  Goroutines are named by the way
// they were created ("main.main/main.worker#1"), never by number.
#ifndef TOOLS_GT_KEYS_H
#define TOOLS_GT_KEYS_H

#include "tools/gt_atom.h"
#include "tools/gt_seq.h"

// How a value is judged without a baseline.
enum {
	GT_EXACT = 'E', // a text, must be equal
	GT_SEQ = 'Q',   // a list of tokens, must be equal
	GT_STAT = 'S',  // a number, judged with a tolerance
	GT_INFO = 'I',  // a number, never judged
};

typedef struct gt_value {
	char class; // 0: there is none
	gt_atom s;  // GT_EXACT
	double n;   // GT_STAT, GT_INFO
	gt_seq q;   // GT_SEQ
	double tol, floor;
} gt_value;

typedef struct gt_key {
	gt_atom name;
	gt_value v;
} gt_key;

// The keys of one trace, sorted by name.
typedef struct gt_keys {
	gt_key *v;
	size_t n, cap;
	gt_map index; // name -> index+1
} gt_keys;

// gt_keys_read reads a trace twice: names first, then the rest.  On an error it prints it and returns
// false.
bool gt_keys_read(const char *file, gt_keys *k);

// gt_keys_get returns the value of that name, or NULL.
const gt_value *gt_keys_get(const gt_keys *k, gt_atom name);

// gt_keys_del removes a key.
void gt_keys_del(gt_keys *k, gt_atom name);

// What a goroutine is, by the name of its first function: one of the program, of the runtime, of the
// tracer.
enum { GT_USER, GT_SYSTEM, GT_TRACER };
int gt_goroutine_kind(const char *name);

// gt_value_json prints the members of a value as encoding/json does, each on a line after indent.
void gt_value_json(FILE *f, const gt_value *v, const char *indent);

#endif // TOOLS_GT_KEYS_H
