// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Reading the words of a command and writing its answer: the same forms as the oracle's.
#include "tools/replay.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
a_error(struct replay_args *a, const char *fmt, ...) {
	if (a->error[0] != 0)
		return;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(a->error, sizeof a->error, fmt, ap);
	va_end(ap);
}

bool
a_more(const struct replay_args *a) {
	return a->i < a->n;
}

const char *
a_peek(struct replay_args *a) {
	if (a->i >= a->n) {
		a_error(a, "missing argument");
		return "";
	}
	return a->word[a->i];
}

const char *
a_str(struct replay_args *a) {
	const char *s = a_peek(a);
	a->i++;
	return s;
}

uint64_t
parse_u(struct replay_args *a, const char *s, size_t len) {
	bool neg = len > 0 && s[0] == '-';
	size_t i = neg;
	uint64_t v = 0;
	unsigned base = 10;
	if (len > i + 2 && s[i] == '0' && s[i + 1] == 'x') {
		base = 16;
		i += 2;
	}
	if (i == len)
		a_error(a, "bad number \"%.*s\"", (int)len, s);
	for (; i < len; i++) {
		unsigned d = s[i] >= '0' && s[i] <= '9'   ? (unsigned)(s[i] - '0')
			     : s[i] >= 'a' && s[i] <= 'f' ? (unsigned)(s[i] - 'a') + 10
							  : 99;
		if (d >= base) {
			a_error(a, "bad number \"%.*s\"", (int)len, s);
			return 0;
		}
		v = v * base + d;
	}
	return neg ? -v : v;
}

uint64_t
a_u(struct replay_args *a) {
	const char *s = a_str(a);
	return parse_u(a, s, strlen(s));
}

int64_t
a_i(struct replay_args *a) {
	return (int64_t)a_u(a);
}

bool
a_t(struct replay_args *a) {
	return a_u(a) != 0;
}

double
a_f(struct replay_args *a) {
	const char *s = a_str(a);
	char *end;
	if (s[0] != 'f' && strchr(s, '.') != NULL) {
		double v = strtod(s, &end);
		if (*end != 0)
			a_error(a, "bad float \"%s\"", s);
		return v;
	}
	if (s[0] != 'f' || strlen(s) != 17) {
		a_error(a, "bad float \"%s\"", s);
		return 0;
	}
	uint64_t bits = strtoull(s + 1, &end, 16);
	if (*end != 0)
		a_error(a, "bad float \"%s\"", s);
	double v;
	memcpy(&v, &bits, sizeof v);
	return v;
}

int
a_id(struct replay_args *a) {
	const char *s = a_str(a);
	uint64_t v = s[0] == 0 ? UINT64_MAX : parse_u(a, s + 1, strlen(s + 1));
	if (v >= 1 << 20) {
		a_error(a, "bad object \"%s\"", s);
		return 0;
	}
	return (int)v;
}

void **
a_object(struct replay_args *a, struct replay_table *t) {
	static void *nowhere; // what has no name is lost
	int id = a_id(a);
	if (a->error[0] != 0) {
		nowhere = NULL;
		return &nowhere;
	}
	if (id >= t->n) {
		int n = id + id / 2 + 16;
		t->p = realloc(t->p, (size_t)n * sizeof *t->p);
		if (t->p == NULL)
			abort();
		memset(t->p + t->n, 0, (size_t)(n - t->n) * sizeof *t->p);
		t->n = n;
	}
	return &t->p[id];
}

void *
zalloc(size_t n) {
	enum { line = 64 };
	n = (n + line - 1) / line * line;
	void *p = aligned_alloc(line, n);
	if (p == NULL)
		abort();
	return memset(p, 0, n);
}

void
parse_bits(struct replay_args *a, const char *s, size_t len, uint64_t *w, size_t nbits) {
	if (len == 1 && s[0] == '-')
		return;
	const char *end = s + len;
	while (s < end) {
		const char *comma = memchr(s, ',', (size_t)(end - s));
		const char *stop = comma != NULL ? comma : end;
		const char *plus = memchr(s, '+', (size_t)(stop - s));
		if (plus == NULL) {
			a_error(a, "bad bitmap \"%.*s\"", (int)(stop - s), s);
			return;
		}
		uint64_t i = parse_u(a, s, (size_t)(plus - s));
		uint64_t n = parse_u(a, plus + 1, (size_t)(stop - plus - 1));
		if (i > nbits || n > nbits - i) {
			a_error(a, "bits %.*s are beyond %zu", (int)(stop - s), s, nbits);
			return;
		}
		for (; n > 0; n--, i++)
			w[i / 64] |= UINT64_C(1) << (i % 64);
		s = stop + 1;
	}
}

void
a_bits(struct replay_args *a, uint64_t *w, size_t nbits) {
	const char *s = a_str(a);
	parse_bits(a, s, strlen(s), w, nbits);
}

static void
room(struct replay_out *o, size_t n) {
	if (o->n + n + 1 <= o->cap)
		return;
	o->cap = o->cap * 2 + n + 256;
	o->b = realloc(o->b, o->cap);
	if (o->b == NULL) {
		fputs("gort-replay: out of memory\n", stderr);
		exit(1);
	}
}

void
o_raw(struct replay_out *o, const char *s) {
	size_t n = strlen(s);
	room(o, n);
	memcpy(o->b + o->n, s, n + 1);
	o->n += n;
}

void
o_s(struct replay_out *o, const char *s) {
	if (o->n > 0 && o->b[o->n - 1] != ' ' && o->b[o->n - 1] != '=')
		o_raw(o, " ");
	o_raw(o, s);
}

void
o_u(struct replay_out *o, uint64_t v) {
	char t[32];
	snprintf(t, sizeof t, "%llu", (unsigned long long)v);
	o_s(o, t);
}

void
o_i(struct replay_out *o, int64_t v) {
	char t[32];
	snprintf(t, sizeof t, "%lld", (long long)v);
	o_s(o, t);
}

void
o_x(struct replay_out *o, uint64_t v) {
	char t[32];
	snprintf(t, sizeof t, "0x%llx", (unsigned long long)v);
	o_s(o, t);
}

void
o_f(struct replay_out *o, double v) {
	uint64_t bits;
	char t[32];
	memcpy(&bits, &v, sizeof bits);
	snprintf(t, sizeof t, "f%016llx", (unsigned long long)bits);
	o_s(o, t);
}

void
o_t(struct replay_out *o, bool v) {
	o_s(o, v ? "1" : "0");
}

void
o_k(struct replay_out *o, const char *name) {
	o_s(o, name);
	o_raw(o, "=");
}

static bool
bit(const uint64_t *w, size_t i) {
	return w[i / 64] >> (i % 64) & 1;
}

void
o_bits(struct replay_out *o, const uint64_t *w, size_t nbits) {
	const char *sep = "";
	o_s(o, "");
	for (size_t i = 0; i < nbits;) {
		if (!bit(w, i)) {
			i++;
			continue;
		}
		size_t j = i;
		while (j < nbits && bit(w, j))
			j++;
		char t[64];
		snprintf(t, sizeof t, "%s%zu+%zu", sep, i, j - i);
		o_raw(o, t);
		sep = ",";
		i = j;
	}
	if (sep[0] == 0)
		o_raw(o, "-");
}
