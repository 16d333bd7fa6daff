// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Texts as numbers, and vectors, for the analysing commands of gort-trace.
#ifndef TOOLS_GT_ATOM_H
#define TOOLS_GT_ATOM_H

#include "tools/gt_util.h"

// A text as a number: equal texts are equal numbers, for the whole run.  0 is "".
typedef uint32_t gt_atom;
gt_atom gt_atom_of(const char *s);
gt_atom gt_atom_fmt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *gt_atom_text(gt_atom a);

// Vectors.  gt_grow makes room for one more element.
void gt_grow(void *pp, size_t n, size_t *cap, size_t size);
#define GT_PUSH(v, n, cap, x) (gt_grow(&(v), (n), &(cap), sizeof *(v)), (v)[(n)++] = (x))

typedef struct gt_nums {
	double *v;
	size_t n, cap;
} gt_nums;
void gt_nums_add(gt_nums *v, double x);

typedef struct gt_atoms {
	gt_atom *v;
	size_t n, cap;
} gt_atoms;
void gt_atoms_add(gt_atoms *v, gt_atom a);

// gt_map_at is gt_map_put without news of whether the key is new; a new key's value is 0.
static inline uint64_t *
gt_map_at(gt_map *m, uint64_t key, bool *fresh) {
	bool isnew;
	uint64_t *v = gt_map_put(m, key, &isnew);
	if (fresh != NULL)
		*fresh = isnew;
	return v;
}

#endif // TOOLS_GT_ATOM_H
