// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// A small JSON reader, by recursive descent, and Go's way to write strings: see gt_json.h.
#include "tools/gt_json.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/utf8.h"
#include "tools/gt_atom.h"
#include "tools/gt_cmds.h"

enum { MAX_DEPTH = 100 };

typedef struct parser {
	const char *start, *p, *end;
	const char *why; // the first error
	int depth;
} parser;

// fail notes the first error and where it is.
static bool
fail(parser *ps, const char *why) {
	if (ps->why == NULL)
		ps->why = why;
	return false;
}

static void
blanks(parser *ps) {
	while (ps->p < ps->end && strchr(" \t\r\n", *ps->p) != NULL && *ps->p != 0)
		ps->p++;
}

// accept takes the character c if it is next.
static bool
accept_char(parser *ps, char c) {
	blanks(ps);
	if (ps->p == ps->end || *ps->p != c)
		return false;
	ps->p++;
	return true;
}

// utf8 adds the code point c.
static void
utf8(gt_buf *b, unsigned c) {
	char s[4];
	int n = 0;
	if (c < 0x80) {
		s[n++] = (char)c;
	} else if (c < 0x800) {
		s[n++] = (char)(0xc0 | c >> 6);
		s[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		s[n++] = (char)(0xe0 | c >> 12);
		s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		s[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		s[n++] = (char)(0xf0 | c >> 18);
		s[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		s[n++] = (char)(0x80 | (c & 0x3f));
	}
	gt_buf_add(b, s, (size_t)n);
}

// hex4 reads four hexadecimal digits.
static bool
hex4(parser *ps, unsigned *x) {
	*x = 0;
	for (int i = 0; i < 4; i++, ps->p++) {
		char c = ps->p < ps->end ? *ps->p : 0;
		int d = c >= '0' && c <= '9'   ? c - '0'
			: c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10
					       : -1;
		if (d < 0)
			return fail(ps, "four hexadecimal digits expected");
		*x = *x << 4 | (unsigned)d;
	}
	return true;
}

// escape reads what follows a backslash.
static bool
escape(parser *ps, gt_buf *b) {
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	if (ps->p == ps->end)
		return fail(ps, "unfinished string");
	char c = *ps->p++;
	if (c == 'u') {
		unsigned x, y;
		if (!hex4(ps, &x))
			return false;
		if (x >= 0xd800 && x < 0xdc00 && ps->end - ps->p >= 6 && ps->p[0] == '\\' &&
			ps->p[1] == 'u') {
			const char *back = ps->p;
			ps->p += 2;
			if (!hex4(ps, &y))
				return false;
			if (y >= 0xdc00 && y < 0xe000)
				x = 0x10000 + ((x - 0xd800) << 10) + (y - 0xdc00);
			else
				ps->p = back;
		}
		utf8(b, (x >= 0xd800 && x < 0xe000) || x == 0 ? 0xfffd : x);
		return true;
	}
	const char *f = c == 0 ? NULL : strchr(from, c);
	if (f == NULL)
		return fail(ps, "unknown escape in a string");
	gt_buf_add(b, &to[f - from], 1);
	return true;
}

// string reads a string after its first quote.
static bool
string(parser *ps, char **out) {
	gt_buf b = {0};
	gt_buf_add(&b, "", 0);
	for (;;) {
		const char *q = ps->p;
		while (ps->p < ps->end && *ps->p != '"' && *ps->p != '\\' &&
			(unsigned char)*ps->p >= 0x20)
			ps->p++;
		gt_buf_add(&b, q, (size_t)(ps->p - q));
		if (ps->p == ps->end || (unsigned char)*ps->p < 0x20) {
			gt_buf_free(&b);
			return fail(ps, "unfinished string");
		}
		if (*ps->p++ == '"')
			break;
		if (!escape(ps, &b)) {
			gt_buf_free(&b);
			return false;
		}
	}
	*out = b.s;
	return true;
}

static bool value(parser *ps, gt_json *v);

// members reads the elements of an array or the members of an object up to the closing character.
static bool
members(parser *ps, gt_json *v, char close) {
	size_t cap = 0, ncap = 0;
	if (accept_char(ps, close))
		return true;
	do {
		char *name = NULL;
		if (close == '}') {
			if (!accept_char(ps, '"'))
				return fail(ps, "the name of a member expected");
			if (!string(ps, &name))
				return false;
			gt_grow(&v->names, v->n, &ncap, sizeof v->names[0]);
			v->names[v->n] = name;
		}
		gt_grow(&v->elem, v->n, &cap, sizeof v->elem[0]);
		v->elem[v->n++] = (gt_json){0};
		if (close == '}' && !accept_char(ps, ':'))
			return fail(ps, "a colon expected");
		if (!value(ps, &v->elem[v->n - 1]))
			return false;
	} while (accept_char(ps, ','));
	return accept_char(ps, close) ||
	       fail(ps, close == '}' ? "',' or '}' expected" : "',' or ']' expected");
}

// word reads one of the three names.
static bool
word(parser *ps, const char *w) {
	size_t n = strlen(w);
	if ((size_t)(ps->end - ps->p) < n || memcmp(ps->p, w, n) != 0)
		return fail(ps, "a value expected");
	ps->p += n;
	return true;
}

// number reads a number.
static bool
number(parser *ps, gt_json *v) {
	char s[400];
	size_t n = 0;
	while (ps->p + n < ps->end && n < sizeof s - 1 && ps->p[n] != 0 &&
		strchr("+-.0123456789eE", ps->p[n]) != NULL)
		n++;
	memcpy(s, ps->p, n);
	s[n] = 0;
	char *end;
	v->type = GT_JSON_NUMBER;
	v->num = strtod(s, &end);
	if (n == 0 || *end != 0 || s[0] == '+')
		return fail(ps, "a value expected");
	ps->p += n;
	return true;
}

// value reads any value.
static bool
value(parser *ps, gt_json *v) {
	blanks(ps);
	if (ps->p == ps->end)
		return fail(ps, "unexpected end");
	if (ps->depth == MAX_DEPTH)
		return fail(ps, "nested too deep");
	switch (*ps->p) {
	case '"':
		ps->p++;
		v->type = GT_JSON_STRING;
		return string(ps, &v->str);
	case '{':
	case '[': {
		bool object = *ps->p++ == '{';
		v->type = object ? GT_JSON_OBJECT : GT_JSON_ARRAY;
		ps->depth++;
		bool ok = members(ps, v, object ? '}' : ']');
		ps->depth--;
		return ok;
	}
	case 't':
		*v = (gt_json){.type = GT_JSON_BOOL, .b = true};
		return word(ps, "true");
	case 'f':
		*v = (gt_json){.type = GT_JSON_BOOL};
		return word(ps, "false");
	case 'n':
		return word(ps, "null");
	default:
		return number(ps, v);
	}
}

gt_json *
gt_json_parse(const char *s, size_t n, gt_buf *err) {
	parser ps = {.start = s, .p = s, .end = s + n};
	gt_json *v = gt_xcalloc(1, sizeof *v);
	if (value(&ps, v)) {
		blanks(&ps);
		if (ps.p != ps.end)
			fail(&ps, "something follows the value");
	}
	if (ps.why == NULL)
		return v;
	int line = 1;
	for (const char *p = s; p < ps.p; p++)
		line += *p == '\n';
	gt_buf_fmt(err, "line %d: %s", line, ps.why);
	gt_json_free(v);
	return NULL;
}

const gt_json *
gt_json_get(const gt_json *v, const char *name) {
	if (v == NULL || v->type != GT_JSON_OBJECT)
		return NULL;
	for (size_t i = 0; i < v->n; i++) {
		if (strcmp(v->names[i], name) == 0)
			return &v->elem[i];
	}
	return NULL;
}

// clear frees what v has.
static void
clear(gt_json *v) {
	for (size_t i = 0; i < v->n; i++) {
		if (v->type == GT_JSON_OBJECT)
			free(v->names[i]);
		clear(&v->elem[i]);
	}
	free(v->names);
	free(v->elem);
	free(v->str);
}

void
gt_json_free(gt_json *v) {
	if (v != NULL)
		clear(v);
	free(v);
}

void
gt_json_string(gt_buf *b, const char *text) {
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	gt_buf_add(b, "\"", 1);
	for (size_t n = strlen(text), len; n > 0; n -= len, text += len) {
		uint32_t r;
		len = decoderune(text, n, &r);
		const char *f = r < 0x80 ? strchr(from, (int)r) : NULL;
		if (f != NULL) {
			char e[2] = {'\\', to[f - from]};
			gt_buf_add(b, e, 2);
		} else if (r < 0x20 || r == '<' || r == '>' || r == '&' || r == 0x2028 ||
			   r == 0x2029) {
			gt_buf_fmt(b, "\\u%04x", r);
		} else if (r == runeError && len == 1) {
			gt_buf_str(b, "\\ufffd");
		} else {
			gt_buf_add(b, text, len);
		}
	}
	gt_buf_add(b, "\"", 1);
}
