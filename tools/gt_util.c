// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Memory, text, hash tables and Go's sort for gort-trace.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/gt_util.h"

// ---- memory

// oom ends the program.
static void
oom(void) {
	fputs("gort-trace: out of memory\n", stderr);
	exit(GT_FAILED);
}

void *
gt_xmalloc(unsigned long n) {
	void *p = malloc(n == 0 ? 1 : n);
	if (p == NULL)
		oom();
	return p;
}

void *
gt_xcalloc(unsigned long n, unsigned long size) {
	void *p = calloc(n == 0 ? 1 : n, size == 0 ? 1 : size);
	if (p == NULL)
		oom();
	return p;
}

void *
gt_xrealloc(void *p, unsigned long n) {
	p = realloc(p, n == 0 ? 1 : n);
	if (p == NULL)
		oom();
	return p;
}

char *
gt_xstrdup(const char *s) {
	size_t n = strlen(s) + 1;
	return memcpy(gt_xmalloc(n), s, n);
}

void *
gt_vec_grow(void *p, size_t n, size_t *cap, size_t size) {
	if (n < *cap)
		return p;
	*cap = *cap == 0 ? 4 : *cap * 2;
	return gt_xrealloc(p, *cap * size);
}

void *
gt_arena_alloc(gt_arena *a, size_t n) {
	n = n == 0 ? 8 : (n + 7) & ~(size_t)7;
	if (n > (size_t)(a->end - a->p)) {
		size_t size = a->blocks == NULL ? 4096 : a->blocks->size * 2;
		if (size > 1 << 20)
			size = 1 << 20;
		if (size < n + sizeof(gt_block))
			size = n + sizeof(gt_block);
		gt_block *b = gt_xmalloc(size);
		b->next = a->blocks;
		b->size = size;
		a->blocks = b;
		a->p = (char *)(b + 1);
		a->end = (char *)b + size;
	}
	void *p = a->p;
	a->p += n;
	return p;
}

void
gt_arena_reset(gt_arena *a) {
	gt_block *b = a->blocks;
	if (b == NULL)
		return;
	while (b->next != NULL) {
		gt_block *next = b->next->next;
		free(b->next);
		b->next = next;
	}
	a->p = (char *)(b + 1);
	a->end = (char *)b + b->size;
}

void
gt_arena_free(gt_arena *a) {
	while (a->blocks != NULL) {
		gt_block *next = a->blocks->next;
		free(a->blocks);
		a->blocks = next;
	}
	a->p = a->end = NULL;
}

// ---- text

void
gt_buf_grow(gt_buf *b, size_t more) {
	if (b->cap - b->n > more)
		return;
	b->cap = (b->n + more + 1) * 2;
	b->s = gt_xrealloc(b->s, b->cap);
}

void
gt_buf_add(gt_buf *b, const char *s, size_t n) {
	gt_buf_grow(b, n);
	memcpy(b->s + b->n, s, n);
	b->n += n;
	b->s[b->n] = 0;
}

void
gt_buf_str(gt_buf *b, const char *s) {
	gt_buf_add(b, s, strlen(s));
}

void
gt_buf_vfmt(gt_buf *b, const char *fmt, va_list ap) {
	va_list ap2;
	va_copy(ap2, ap);
	int n = vsnprintf(NULL, 0, fmt, ap2);
	va_end(ap2);
	if (n < 0)
		return;
	gt_buf_grow(b, (size_t)n);
	vsnprintf(b->s + b->n, (size_t)n + 1, fmt, ap);
	b->n += (size_t)n;
}

void
gt_buf_fmt(gt_buf *b, const char *fmt, ...) {
	va_list ap;
	va_start(ap, fmt);
	gt_buf_vfmt(b, fmt, ap);
	va_end(ap);
}

void
gt_buf_free(gt_buf *b) {
	free(b->s);
	*b = (gt_buf){0};
}

// ---- hash tables

// slot_of returns the slot where key is, or the empty one where it belongs.
static gt_slot *
slot_of(const gt_map *m, uint64_t key) {
	size_t i = (size_t)XXH3_64bits(&key, sizeof key) & (m->cap - 1);
	while (m->slots[i].used && m->slots[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

uint64_t *
gt_map_get(const gt_map *m, uint64_t key) {
	if (m->n == 0)
		return NULL;
	gt_slot *s = slot_of(m, key);
	return s->used ? &s->val : NULL;
}

uint64_t *
gt_map_put(gt_map *m, uint64_t key, bool *isnew) {
	if (m->n * 4 >= m->cap * 3) {
		gt_map old = *m;
		m->cap = old.cap == 0 ? 8 : old.cap * 2;
		m->slots = gt_xcalloc(m->cap, sizeof *m->slots);
		for (size_t i = 0; i < old.cap; i++)
			if (old.slots[i].used)
				*slot_of(m, old.slots[i].key) = old.slots[i];
		free(old.slots);
	}
	gt_slot *s = slot_of(m, key);
	*isnew = !s->used;
	if (!s->used) {
		*s = (gt_slot){.key = key, .used = true};
		m->n++;
	}
	return &s->val;
}

void
gt_map_del(gt_map *m, uint64_t key) {
	if (m->n == 0)
		return;
	gt_slot *s = slot_of(m, key);
	if (!s->used)
		return;
	m->n--;
	// Close the gap: pull back what would not be found across it.
	size_t mask = m->cap - 1, gap = (size_t)(s - m->slots);
	for (size_t i = (gap + 1) & mask; m->slots[i].used; i = (i + 1) & mask) {
		size_t home = (size_t)XXH3_64bits(&m->slots[i].key, sizeof m->slots[i].key) & mask;
		if (((i - home) & mask) >= ((i - gap) & mask)) {
			m->slots[gap] = m->slots[i];
			gap = i;
		}
	}
	m->slots[gap].used = false;
}

void
gt_map_clear(gt_map *m) {
	m->n = 0;
	if (m->cap > 0)
		memset(m->slots, 0, m->cap * sizeof *m->slots);
}

void
gt_map_free(gt_map *m) {
	free(m->slots);
	*m = (gt_map){0};
}

static int
by_unsigned(const void *a, const void *b) {
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static int
by_signed(const void *a, const void *b) {
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

uint64_t *
gt_map_keys(const gt_map *m, bool issigned) {
	uint64_t *keys = gt_xmalloc(m->n * sizeof *keys);
	size_t n = 0;
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].used)
			keys[n++] = m->slots[i].key;
	qsort(keys, n, sizeof *keys, issigned ? by_signed : by_unsigned);
	return keys;
}

// ---- sort
//
// A port of slices/zsortanyfunc.go.  It is here because Go's reader sorts events by their times with
// it, equal times are common, and the order in which it leaves them shows in the output.

struct sorter {
	void *ctx;
	bool (*less)(void *, long, long);
	void (*swap)(void *, long, long);
};

enum hint {
	UNKNOWN,
	INCREASING,
	DECREASING,
};

static bool
less(const struct sorter *s, long i, long j) {
	return s->less(s->ctx, i, j);
}

static void
swap(const struct sorter *s, long i, long j) {
	s->swap(s->ctx, i, j);
}

static int
bits_len(unsigned long x) {
	return x == 0 ? 0 : 64 - __builtin_clzl(x);
}

static void
insertion_sort(const struct sorter *s, long a, long b) {
	for (long i = a + 1; i < b; i++)
		for (long j = i; j > a && less(s, j, j - 1); j--)
			swap(s, j, j - 1);
}

static void
sift_down(const struct sorter *s, long lo, long hi, long first) {
	for (long root = lo;;) {
		long child = 2 * root + 1;
		if (child >= hi)
			return;
		if (child + 1 < hi && less(s, first + child, first + child + 1))
			child++;
		if (!less(s, first + root, first + child))
			return;
		swap(s, first + root, first + child);
		root = child;
	}
}

static void
heap_sort(const struct sorter *s, long a, long b) {
	long hi = b - a;
	for (long i = (hi - 1) / 2; i >= 0; i--)
		sift_down(s, i, hi, a);
	for (long i = hi - 1; i >= 0; i--) {
		swap(s, a, a + i);
		sift_down(s, 0, i, a);
	}
}

// partition moves what is less than the pivot before it and returns its new place.
static long
partition(const struct sorter *s, long a, long b, long pivot, bool *already) {
	swap(s, a, pivot);
	long i = a + 1, j = b - 1;
	*already = false;
	for (int round = 0;; round++) {
		while (i <= j && less(s, i, a))
			i++;
		while (i <= j && !less(s, j, a))
			j--;
		if (i > j) {
			*already = round == 0;
			break;
		}
		swap(s, i++, j--);
	}
	swap(s, j, a);
	return j;
}

// partition_equal moves what equals the pivot to the front; nothing is less than it.
static long
partition_equal(const struct sorter *s, long a, long b, long pivot) {
	swap(s, a, pivot);
	long i = a + 1, j = b - 1;
	for (;;) {
		while (i <= j && !less(s, a, i))
			i++;
		while (i <= j && less(s, a, j))
			j--;
		if (i > j)
			return i;
		swap(s, i++, j--);
	}
}

// partial_insertion_sort finishes what is nearly sorted; it says whether it did.
static bool
partial_insertion_sort(const struct sorter *s, long a, long b) {
	long i = a + 1;
	for (int step = 0; step < 5; step++) {
		while (i < b && !less(s, i, i - 1))
			i++;
		if (i == b)
			return true;
		if (b - a < 50)
			return false;
		swap(s, i, i - 1);
		if (i - a >= 2)
			for (long j = i - 1; j >= 1 && less(s, j, j - 1); j--)
				swap(s, j, j - 1);
		if (b - i >= 2)
			for (long j = i + 1; j < b && less(s, j, j - 1); j++)
				swap(s, j, j - 1);
	}
	return false;
}

// break_patterns scatters a few elements after a bad partition.
static void
break_patterns(const struct sorter *s, long a, long b) {
	long length = b - a;
	if (length < 8)
		return;
	uint64_t random = (uint64_t)length;
	uint64_t modulus = UINT64_C(1) << bits_len((unsigned long)length);
	long mid = a + length / 4 * 2;
	for (long idx = mid - 1; idx <= mid + 1; idx++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		long other = (long)(random & (modulus - 1));
		if (other >= length)
			other -= length;
		swap(s, idx, a + other);
	}
}

static void
order2(const struct sorter *s, long *a, long *b, int *swaps) {
	if (less(s, *b, *a)) {
		long t = *a;
		*a = *b;
		*b = t;
		(*swaps)++;
	}
}

static long
median(const struct sorter *s, long a, long b, long c, int *swaps) {
	order2(s, &a, &b, swaps);
	order2(s, &b, &c, swaps);
	order2(s, &a, &b, swaps);
	return b;
}

static long
choose_pivot(const struct sorter *s, long a, long b, enum hint *hint) {
	long l = b - a, i = a + l / 4, j = a + l / 4 * 2, k = a + l / 4 * 3;
	int swaps = 0;
	if (l >= 8) {
		if (l >= 50) {
			i = median(s, i - 1, i, i + 1, &swaps);
			j = median(s, j - 1, j, j + 1, &swaps);
			k = median(s, k - 1, k, k + 1, &swaps);
		}
		j = median(s, i, j, k, &swaps);
	}
	*hint = swaps == 0 ? INCREASING : swaps == 4 * 3 ? DECREASING : UNKNOWN;
	return j;
}

static void
pdqsort(const struct sorter *s, long a, long b, int limit) {
	bool balanced = true, partitioned = true;
	for (;;) {
		long length = b - a;
		if (length <= 12) {
			insertion_sort(s, a, b);
			return;
		}
		if (limit == 0) {
			heap_sort(s, a, b);
			return;
		}
		if (!balanced) {
			break_patterns(s, a, b);
			limit--;
		}
		enum hint hint;
		long pivot = choose_pivot(s, a, b, &hint);
		if (hint == DECREASING) {
			for (long i = a, j = b - 1; i < j; i++, j--)
				swap(s, i, j);
			pivot = (b - 1) - (pivot - a);
			hint = INCREASING;
		}
		if (balanced && partitioned && hint == INCREASING &&
			partial_insertion_sort(s, a, b))
			return;
		if (a > 0 && !less(s, a - 1, pivot)) {
			a = partition_equal(s, a, b, pivot);
			continue;
		}
		long mid = partition(s, a, b, pivot, &partitioned);
		long left = mid - a, right = b - mid;
		if (left < right) {
			balanced = left >= length / 8;
			pdqsort(s, a, mid, limit);
			a = mid + 1;
		} else {
			balanced = right >= length / 8;
			pdqsort(s, mid + 1, b, limit);
			b = mid;
		}
	}
}

void
gt_pdqsort(
	void *ctx, long n, bool (*lessfn)(void *, long, long), void (*swapfn)(void *, long, long)) {
	struct sorter s = {ctx, lessfn, swapfn};
	pdqsort(&s, 0, n, bits_len((unsigned long)n));
}
