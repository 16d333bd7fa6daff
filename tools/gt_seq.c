// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Long lists of atoms: see gt_seq.h.
#include "tools/gt_seq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/gt_cmds.h"

enum { BLOCK_SIZE = GT_SEQ_BLOCK * sizeof(gt_atom) };

// The file and the number of blocks in it.
static struct {
	FILE *f;
	uint32_t n;
} spill;

// die ends the program.
static void
die(const char *what) {
	fprintf(stderr, "gort-trace: %s: %s\n", what, strerror(errno));
	exit(GT_FAILED);
}

FILE *
gt_tmpfile(void) {
	const char *dir = getenv("TMPDIR");
	gt_buf name = {0};
	gt_buf_fmt(&name, "%s/gort-trace.XXXXXX", dir == NULL || dir[0] == 0 ? "/tmp" : dir);
	int fd = mkstemp(name.s);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w+");
	if (f == NULL)
		die(name.s);
	unlink(name.s);
	gt_buf_free(&name);
	return f;
}

// spill_tail moves the tail, which is full, to the file.
static void
spill_tail(gt_seq *q) {
	if (spill.f == NULL)
		spill.f = gt_tmpfile();
	if (pwrite(fileno(spill.f), q->tail, BLOCK_SIZE, (off_t)spill.n * BLOCK_SIZE) != BLOCK_SIZE)
		die("temporary file");
	GT_PUSH(q->blocks, q->nblocks, q->capblocks, spill.n);
	spill.n++;
}

// block returns the k-th block; buf has room for one.
static const gt_atom *
block(const gt_seq *q, size_t k, gt_atom *buf) {
	if (k == q->nblocks)
		return q->tail;
	if (pread(fileno(spill.f), buf, BLOCK_SIZE, (off_t)q->blocks[k] * BLOCK_SIZE) != BLOCK_SIZE)
		die("temporary file");
	return buf;
}

void
gt_seq_add(gt_seq *q, gt_atom a) {
	size_t n = q->n - q->nblocks * GT_SEQ_BLOCK;
	if (n == GT_SEQ_BLOCK) {
		spill_tail(q);
		n = 0;
	}
	gt_grow(&q->tail, n, &q->captail, sizeof q->tail[0]);
	q->tail[n] = a;
	q->n++;
}

gt_atom
gt_seq_at(const gt_seq *q, size_t i) {
	// Of the file the block that was read last, as indexes often follow one another.
	static gt_atom buf[GT_SEQ_BLOCK];
	static uint32_t in_buf = UINT32_MAX;
	size_t k = i / GT_SEQ_BLOCK;
	if (k == q->nblocks)
		return q->tail[i % GT_SEQ_BLOCK];
	if (q->blocks[k] != in_buf) {
		block(q, k, buf);
		in_buf = q->blocks[k];
	}
	return buf[i % GT_SEQ_BLOCK];
}

size_t
gt_seq_part(const gt_seq *a, const gt_seq *b) {
	static gt_atom abuf[GT_SEQ_BLOCK], bbuf[GT_SEQ_BLOCK];
	size_t n = a->n < b->n ? a->n : b->n;
	for (size_t at = 0; at < n; at += GT_SEQ_BLOCK) {
		const gt_atom *x = block(a, at / GT_SEQ_BLOCK, abuf);
		const gt_atom *y = block(b, at / GT_SEQ_BLOCK, bbuf);
		size_t m = n - at < GT_SEQ_BLOCK ? n - at : GT_SEQ_BLOCK;
		if (memcmp(x, y, m * sizeof x[0]) == 0)
			continue;
		for (size_t i = 0; i < m; i++) {
			if (x[i] != y[i])
				return at + i;
		}
	}
	return n;
}

void
gt_seq_free(gt_seq *q) {
	free(q->tail);
	free(q->blocks);
	*q = (gt_seq){0};
}
