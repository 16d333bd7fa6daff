// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// gort-replay's command language: words in, one line of answer out.  See tools/oracle/README.md.
// Each family of commands is a function in a replay_*.c file that calls the runtime's own code.
#ifndef GORT_TOOLS_REPLAY_H
#define GORT_TOOLS_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// replay_args are the words of a command, the command itself taken off.
struct replay_args {
	char **word;
	int n;
	int i;           // next to read
	char error[128]; // first problem, or ""
};

bool a_more(const struct replay_args *a);
const char *a_str(struct replay_args *a);  // the next word; "" and an error when there is none
const char *a_peek(struct replay_args *a); // the same without taking it
uint64_t a_u(struct replay_args *a);       // decimal, 0x hex, or negative (wraps)
int64_t a_i(struct replay_args *a);
bool a_t(struct replay_args *a);
double a_f(struct replay_args *a); // f + 16 hex digits, or a decimal with a point
int a_id(struct replay_args *a);   // the number of an object's name such as p3
void a_bits(
	struct replay_args *a, uint64_t *w, size_t nbits); // first+count,... or -; sets bits of w
// parse_u and parse_bits are the same on a string that was cut from a word.
uint64_t parse_u(struct replay_args *a, const char *s, size_t len);
void parse_bits(struct replay_args *a, const char *s, size_t len, uint64_t *w, size_t nbits);
void a_error(struct replay_args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// replay_table holds the objects of a family by the numbers in their names.  It grows.
struct replay_table {
	void **p;
	int n;
};

// a_object reads the name of an object and returns its place in t; nothing is there before it is made.
void **a_object(struct replay_args *a, struct replay_table *t);

// zalloc returns zeroed memory with a cache line's alignment.
void *zalloc(size_t n);

// replay_out collects an answer.  Each o_ call but o_raw first adds a space, unless the answer is
// empty or ends with one or with '='.
struct replay_out {
	char *b;
	size_t n;
	size_t cap;
};

void o_raw(struct replay_out *o, const char *s);
void o_s(struct replay_out *o, const char *s);
void o_u(struct replay_out *o, uint64_t v);
void o_i(struct replay_out *o, int64_t v);
void o_x(struct replay_out *o, uint64_t v);       // 0x hex
void o_f(struct replay_out *o, double v);         // f + 16 hex digits
void o_t(struct replay_out *o, bool v);           // 1 or 0
void o_k(struct replay_out *o, const char *name); // name=
void o_bits(struct replay_out *o, const uint64_t *w, size_t nbits);

// The families.  false: no such command.
bool replay_base(const char *cmd, struct replay_args *a, struct replay_out *o); // rnd, th
bool replay_pageheap(const char *cmd, struct replay_args *a,
	struct replay_out *o); // pb pd bit sum pc ar scd pa si
bool replay_malloc(
	const char *cmd, struct replay_args *a, struct replay_out *o);        // sz ms hb gt.layout
bool replay_gc(const char *cmd, struct replay_args *a, struct replay_out *o); // gc lim pi sg sv
bool replay_sched(const char *cmd, struct replay_args *a, struct replay_out *o); // rq
bool replay_time(const char *cmd, struct replay_args *a, struct replay_out *o);  // tm

// The programs: gort-replay mem SCRIPT, gort-replay sched [NAME].  They run as the main goroutine.
int replay_mem(int argc, char **argv);
int replay_schedexp(int argc, char **argv);

#endif
