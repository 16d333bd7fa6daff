// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Atoms and vectors: see gt_atom.h.
#include "tools/gt_atom.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/gt_cmds.h"

void
gt_grow(void *pp, size_t n, size_t *cap, size_t size) {
	if (n < *cap)
		return;
	*cap = *cap == 0 ? 8 : *cap * 2;
	void *p;
	memcpy(&p, pp, sizeof p);
	p = gt_xrealloc(p, *cap * size);
	memcpy(pp, &p, sizeof p);
}

void
gt_nums_add(gt_nums *v, double x) {
	GT_PUSH(v->v, v->n, v->cap, x);
}

void
gt_atoms_add(gt_atoms *v, gt_atom a) {
	GT_PUSH(v->v, v->n, v->cap, a);
}

// ---- atoms

static struct {
	char **text; // by atom
	size_t n, cap;
	gt_atom *table; // atom+1 by hash, 0 is free
	size_t tcap;
} atoms;

static uint64_t
hash_text(const char *s) {
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (; *s != 0; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return h ^ h >> 29;
}

gt_atom
gt_atom_of(const char *s) {
	if (s[0] == 0)
		return 0;
	if (atoms.n == 0)
		GT_PUSH(atoms.text, atoms.n, atoms.cap, gt_xstrdup(""));
	if ((atoms.n + 1) * 2 > atoms.tcap) {
		free(atoms.table);
		atoms.tcap = atoms.tcap == 0 ? 1024 : atoms.tcap * 2;
		atoms.table = gt_xcalloc(atoms.tcap, sizeof atoms.table[0]);
		for (size_t a = 1; a < atoms.n; a++) {
			size_t i = hash_text(atoms.text[a]) & (atoms.tcap - 1);
			while (atoms.table[i] != 0)
				i = (i + 1) & (atoms.tcap - 1);
			atoms.table[i] = (gt_atom)a + 1;
		}
	}
	size_t i = hash_text(s) & (atoms.tcap - 1);
	for (; atoms.table[i] != 0; i = (i + 1) & (atoms.tcap - 1)) {
		if (strcmp(atoms.text[atoms.table[i] - 1], s) == 0)
			return atoms.table[i] - 1;
	}
	GT_PUSH(atoms.text, atoms.n, atoms.cap, gt_xstrdup(s));
	atoms.table[i] = (gt_atom)atoms.n;
	return (gt_atom)atoms.n - 1;
}

gt_atom
gt_atom_fmt(const char *fmt, ...) {
	char small[256];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(small, sizeof small, fmt, ap);
	va_end(ap);
	if (n < (int)sizeof small)
		return gt_atom_of(small);
	char *big = gt_xmalloc((unsigned long)n + 1);
	va_start(ap, fmt);
	vsnprintf(big, (size_t)n + 1, fmt, ap);
	va_end(ap);
	gt_atom a = gt_atom_of(big);
	free(big);
	return a;
}

const char *
gt_atom_text(gt_atom a) {
	return a == 0 ? "" : atoms.text[a];
}
