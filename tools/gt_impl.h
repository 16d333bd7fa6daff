// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The inside of the trace reader: the file, a generation and the order of its events.
#ifndef TOOLS_GT_IMPL_H
#define TOOLS_GT_IMPL_H

#include "tools/gt_events.h"
#include "tools/gt_reader.h"
#include "tools/gt_util.h"

// ---- errors

// Where the reader stands and, once set, what is wrong there.  The first error stays.
typedef struct gt_fault {
	uint64_t off; // kept up to date while reading
	uint64_t gen;
	int64_t m;
	bool has_m;

	bool set;
	uint64_t bad_off; // the same at the time of the error
	uint64_t bad_gen;
	int64_t bad_m;
	bool bad_has_m;
	gt_buf verdict; // Go's text
	gt_buf rule;    // the rule that was broken, in gort's words
} gt_fault;

// gt_bad records an error at the current place.  It returns false.
bool gt_bad(gt_fault *f, const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

// ---- the file

typedef struct gt_src {
	const char *name;
	int fd;             // -1: memory
	int err;            // errno of a read that failed
	const uint8_t *mem; // memory, or the buffer
	uint8_t *buf;
	size_t pos, len;
	uint64_t base; // offset of mem[0] in the file
	uint64_t size; // 0: not known
	bool eof;
} gt_src;

// gt_src_byte returns the next byte, -1 at the end.
int gt_src_byte(gt_src *s);

// ---- strings

typedef struct gt_pool {
	gt_map map; // hash -> the last string with this hash
	gt_arena arena;
} gt_pool;

const gt_str *gt_pool_intern(gt_pool *p, const char *s, size_t n);

// ---- one generation

typedef struct gt_batch {
	int64_t m;
	uint64_t time;
	const uint8_t *data;
	uint32_t n;
	uint8_t exp;
	uint64_t off; // of data in the file
} gt_batch;

// The event batches of one thread, in the order of the file.
typedef struct gt_mbatches {
	int64_t m;
	gt_batch *b;
	size_t n, cap;
} gt_mbatches;

typedef struct gt_string {
	uint64_t id;
	const char *s;
	uint32_t n;
	const gt_str *interned;
	const gt_str *local; // a copy for this generation only
	const gt_str *stw;   // "stop-the-world (...)"
} gt_string;

typedef struct gt_stk {
	gt_stack st;
	const uint64_t *pcs;
	gt_frame *frames; // made when first asked for
	uint64_t off;     // in the file
} gt_stk;

typedef struct gt_rawframe {
	uint64_t pc, func, file, line;
} gt_rawframe;

typedef struct gt_cpusample {
	int64_t m, p, g;
	int64_t time;
	uint64_t stack;
	uint64_t off;
} gt_cpusample;

typedef struct gt_gen {
	uint64_t gen;
	uint64_t min_ts;
	gt_map ms; // thread -> index in mb
	gt_mbatches *mb;
	size_t nmb, capmb; // capmb entries have been used in some generation
	gt_cpusample *samples;
	size_t nsamples, capsamples;
	gt_exp_batch *exp;
	size_t nexp, capexp;

	double freq; // ns per unit of time
	bool has_clock;
	uint64_t snap_time, snap_mono, snap_sec, snap_nsec;

	gt_map stringids; // id -> index in strings
	gt_string *strings;
	size_t nstrings, capstrings;
	gt_map stackids;
	gt_stk *stacks;
	size_t nstacks, capstacks;
	gt_map pcs;
	gt_rawframe *frames;
	size_t nframes, capframes;

	gt_arena arena; // of the data of batches, stacks, messages
	gt_arena spillarena;
	gt_stack nostack; // stack 0
} gt_gen;

// A batch that was read to see that a generation ended (before Go 1.26).
typedef struct gt_spill {
	bool set;
	uint64_t gen;
	gt_batch b;
	uint8_t *copy;
} gt_spill;

enum gt_genresult {
	GT_GEN_OK,
	GT_GEN_END, // the file ended where it may
	GT_GEN_BAD, // an error, in f
};

// gt_read_generation reads the next generation of a file of Go 1.26 or later.
enum gt_genresult gt_read_generation(gt_gen *g, gt_src *src, int version, gt_fault *f);

// gt_read_generation_spill does it for earlier files.  *later: the generation is good, but what comes
// after it is not; the error is in f, with f->set to be set when it is time.
enum gt_genresult gt_read_generation_spill(
	gt_gen *g, gt_src *src, int version, gt_spill *spill, gt_fault *f, bool *later);

void gt_gen_free(gt_gen *g);

// gt_mul converts a time of the file to ns as Go does on amd64, also where that has no sense.
int64_t gt_mul(double freq, uint64_t t);

// gt_string_get returns the string or NULL; id 0 is "".
gt_string *gt_string_get(gt_gen *g, uint64_t id);
// gt_stack_get tells whether there is such a stack; *st is NULL for id 0.
bool gt_stack_get(gt_gen *g, uint64_t id, gt_stk **st);

// gt_uvarint reads a number of at most n bytes.  It returns how many, 0: too short, -1: too large.
int gt_uvarint(const uint8_t *p, size_t n, uint64_t *v);

// ---- order

// baseEvent
typedef struct gt_base {
	uint8_t typ;
	int64_t time;
	uint64_t args[MaxTimedEventArgs - 1];
	uint64_t off;
} gt_base;

typedef struct gt_ctx {
	int64_t g, p, m;
} gt_ctx;

// An event that is in order.
typedef struct gt_ordered {
	gt_ctx ctx;
	gt_base base;
	const gt_str *tasktype; // of UserTaskEnd
} gt_ordered;

typedef struct gt_mstate {
	int64_t m, g, p;
} gt_mstate;

typedef struct gt_order gt_order;

gt_order *gt_order_new(int version, gt_fault *f, gt_pool *pool);
void gt_order_free(gt_order *o);

enum gt_advance {
	GT_BROKEN = -1,
	GT_WAIT,
	GT_ADVANCED,
};

// gt_order_advance tries ev of thread m.  *ms caches the thread's state between calls.
enum gt_advance gt_order_advance(gt_order *o, gt_base *ev, gt_gen *g, int64_t m, gt_mstate **ms);
// gt_order_next takes the next event that is in order; false: none.
bool gt_order_next(gt_order *o, gt_ordered *ev);
// gt_order_why says what the last GT_WAIT waits for.
void gt_order_why(gt_order *o, gt_buf *b);
// gt_order_dump prints all states as Go's dumpOrdering, sorted.
void gt_order_dump(gt_order *o, gt_buf *b);

// ---- states

// The states that GoStatus and ProcStatus events tell of.
extern const uint8_t gt_status_go_state[NumGoStatus];
extern const uint8_t gt_status_proc_state[NumProcStatus];

// ---- text

// gt_event_text adds the text of ev, without the newline.
void gt_event_text(gt_buf *b, const gt_event *ev);

// gt_verdict_text is gt_verdict with the NULs that it may have; NULL without an error.
const gt_buf *gt_verdict_text(gt_reader *r);

// gt_quote adds a string as Go's %q.
void gt_quote(gt_buf *b, const gt_str *str);

#endif // TOOLS_GT_IMPL_H
