// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// What the parts of gort-trace share below the reader: memory, text, hash tables, Go's sort.
#ifndef TOOLS_GT_UTIL_H
#define TOOLS_GT_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/gt_cmds.h" // gt_xmalloc and the like

// Text that grows; always followed by a NUL.
typedef struct gt_buf {
	char *s;
	size_t n, cap;
} gt_buf;

void gt_buf_grow(gt_buf *b, size_t more);
void gt_buf_add(gt_buf *b, const char *s, size_t n);
void gt_buf_str(gt_buf *b, const char *s);
void gt_buf_fmt(gt_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void gt_buf_vfmt(gt_buf *b, const char *fmt, __builtin_va_list ap);
void gt_buf_free(gt_buf *b);

// Memory that is given back all at once.  Blocks grow; gt_arena_reset keeps the largest.
typedef struct gt_block {
	struct gt_block *next;
	size_t size;
} gt_block;

typedef struct gt_arena {
	gt_block *blocks; // the first is in use
	char *p, *end;
} gt_arena;

// gt_arena_alloc returns n bytes aligned to 8.
void *gt_arena_alloc(gt_arena *a, size_t n);
void gt_arena_reset(gt_arena *a);
void gt_arena_free(gt_arena *a);

// A map from numbers to numbers: open addressing, hashed by xxHash.
typedef struct gt_slot {
	uint64_t key, val;
	bool used;
} gt_slot;

typedef struct gt_map {
	gt_slot *slots;
	size_t cap, n; // cap: a power of two or 0
} gt_map;

// gt_map_get returns the place of key's value, or NULL.  It moves with the next put or del.
uint64_t *gt_map_get(const gt_map *m, uint64_t key);
// gt_map_put enters key if it is new (*isnew), and returns the place of its value.
uint64_t *gt_map_put(gt_map *m, uint64_t key, bool *isnew);
void gt_map_del(gt_map *m, uint64_t key);
void gt_map_clear(gt_map *m);
void gt_map_free(gt_map *m);
// gt_map_keys returns the keys in ascending order (signed: as int64_t), to be freed.
uint64_t *gt_map_keys(const gt_map *m, bool issigned);

// gt_vec_grow makes room for one more element in an array of *cap elements of which n are used.
void *gt_vec_grow(void *p, size_t n, size_t *cap, size_t size);

// gt_pdqsort sorts n elements as Go's slices.SortFunc does: the order of equal ones comes out the same.
void gt_pdqsort(
	void *ctx, long n, bool (*less)(void *, long, long), void (*swap)(void *, long, long));

#endif // TOOLS_GT_UTIL_H
