// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Batches and generations of a trace.  Ports internal/trace/batch.go and generation.go of Go 1.26.8.
//
// A generation is read whole before its first event comes out: its tables may stand behind the events
// that use them, and threads write their batches when they like.  Batches of events stay bytes; the
// tables of strings, stacks, samples and clocks are taken apart here.
//
// PORT: Go ends a trace quietly where a table ends before a number, because the error that it meets
// there is io.EOF; here that is an error like others.  An experiment that nobody knows makes it panic.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/gt_impl.h"

enum { SRC_BUF = 256 << 10 };

// ---- the file

// fill reads more of a file when the buffer is empty; false at the end.
static bool
fill(gt_src *s) {
	if (s->fd < 0 || s->eof)
		return false;
	s->base += s->len;
	s->pos = s->len = 0;
	if (s->buf == NULL)
		s->buf = gt_xmalloc(SRC_BUF);
	s->mem = s->buf;
	for (;;) {
		ssize_t n = read(s->fd, s->buf, SRC_BUF);
		if (n > 0) {
			s->len = (size_t)n;
			return true;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			s->err = errno;
		s->eof = true;
		return false;
	}
}

int
gt_src_byte(gt_src *s) {
	if (s->pos == s->len && !fill(s))
		return -1;
	return s->mem[s->pos++];
}

static uint64_t
src_offset(const gt_src *s) {
	return s->base + s->pos;
}

// src_take returns the next n bytes, NULL if there are fewer (*got).  They stay as long as the arena.
static const uint8_t *
src_take(gt_src *s, size_t n, gt_arena *arena, size_t *got) {
	if (s->fd < 0) {
		*got = s->len - s->pos < n ? s->len - s->pos : n;
		const uint8_t *p = s->mem + s->pos;
		s->pos += *got;
		return *got == n ? p : NULL;
	}
	uint8_t *p = gt_arena_alloc(arena, n);
	*got = 0;
	while (*got < n) {
		if (s->pos == s->len && !fill(s))
			return NULL;
		size_t k = s->len - s->pos < n - *got ? s->len - s->pos : n - *got;
		memcpy(p + *got, s->mem + s->pos, k);
		s->pos += k;
		*got += k;
	}
	return p;
}

// src_uvarint reads a number; it returns NULL or what is wrong, in Go's words.
static const char *
src_uvarint(gt_src *s, uint64_t *v) {
	*v = 0;
	for (int i = 0; i < 10; i++) {
		int b = gt_src_byte(s);
		if (b < 0)
			return i == 0 ? "EOF" : "unexpected EOF";
		if (b < 0x80) {
			if (i == 9 && b > 1)
				break;
			*v |= (uint64_t)b << (7 * i);
			return NULL;
		}
		if (i < 9)
			*v |= (uint64_t)(b & 0x7f) << (7 * i);
	}
	return "binary: varint overflows a 64-bit integer";
}

int
gt_uvarint(const uint8_t *p, size_t n, uint64_t *v) {
	uint64_t x = 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t b = p[i];
		if (b < 0x80) {
			if (i == 9 && b > 1)
				return -1;
			*v = x | (uint64_t)b << (7 * i);
			return (int)i + 1;
		}
		if (i == 9)
			return -1;
		x |= (uint64_t)(b & 0x7f) << (7 * i);
	}
	return 0;
}

// ---- batches

enum batchresult {
	BATCH_OK,
	BATCH_EOF,
	BATCH_BAD,
};

#define HEADER_RULE                                                                         \
	"a batch is 1 or 49 (experiment), generation, thread, time, size, data; 52 ends a " \
	"generation"

// read_batch reads one batch; its data is not looked at.
static enum batchresult
read_batch(gt_src *s, gt_arena *arena, gt_batch *b, uint64_t *gen, gt_fault *f) {
	f->off = src_offset(s);
	f->has_m = false;
	*gen = 0;
	int typ = gt_src_byte(s);
	if (typ < 0)
		goto eof;
	if (typ == EvEndOfGeneration) {
		static const uint8_t end = EvEndOfGeneration;
		*b = (gt_batch){.m = GT_NONE, .data = &end, .n = 1, .off = f->off};
		return BATCH_OK;
	}
	if (typ != EvEventBatch && typ != EvExperimentalBatch) {
		gt_bad(f, HEADER_RULE, "expected batch event, got event %d", typ);
		return BATCH_BAD;
	}
	int exp = NoExperiment;
	if (typ == EvExperimentalBatch) {
		exp = gt_src_byte(s);
		if (exp < 0)
			goto eof;
	}
	static const char *const names[] = {"gen", "M ID", "timestamp", "size"};
	uint64_t v[4];
	for (int i = 0; i < 4; i++) {
		const char *err = src_uvarint(s, &v[i]);
		if (s->err != 0)
			goto eof;
		if (err != NULL) {
			gt_bad(f, HEADER_RULE, "error reading batch %s: %s", names[i], err);
			return BATCH_BAD;
		}
		if (i == 0)
			*gen = v[0];
	}
	f->m = (int64_t)v[1];
	f->has_m = true;
	if (v[3] > MaxBatchSize) {
		gt_bad(f, "a batch has at most 65536 bytes of data",
			"invalid batch size %lu, maximum is %d", v[3], MaxBatchSize);
		return BATCH_BAD;
	}
	uint64_t off = src_offset(s);
	size_t got;
	const uint8_t *data = src_take(s, v[3], arena, &got);
	if (s->err != 0)
		goto eof;
	if (data == NULL) {
		gt_bad(f, "the file holds all data of a batch",
			"failed to read full batch: read %lu but wanted %lu", got, v[3]);
		return BATCH_BAD;
	}
	*b = (gt_batch){
		.m = (int64_t)v[1],
		.time = v[2],
		.data = data,
		.n = (uint32_t)v[3],
		.exp = (uint8_t)exp,
		.off = off,
	};
	return BATCH_OK;
eof:
	if (s->err == 0)
		return BATCH_EOF;
	gt_bad(f, "the file can be read", "%s", strerror(s->err));
	return BATCH_BAD;
}

// starts_with tells whether b is an ordinary batch whose first byte is typ.
static bool
starts_with(const gt_batch *b, uint8_t typ) {
	return b->exp == NoExperiment && b->n > 0 && b->data[0] == typ;
}

static bool
is_sync(const gt_batch *b, int version) {
	return starts_with(b, version < 25 ? EvFrequency : EvSync);
}

// ---- tables

// Reading the data of a batch.  f->off follows.
struct cursor {
	const gt_batch *b;
	size_t pos;
	gt_fault *f;
	const char *table;
};

static bool
more(const struct cursor *c) {
	return c->pos < c->b->n;
}

// at moves the place of errors to the reading position.
static void
at(struct cursor *c) {
	c->f->off = c->b->off + c->pos;
}

static uint8_t
byte(struct cursor *c) {
	at(c);
	return c->b->data[c->pos++];
}

// number_text reads a number; it returns NULL or what is wrong, in Go's words.
static const char *
number_text(struct cursor *c, uint64_t *v) {
	at(c);
	int n = gt_uvarint(c->b->data + c->pos, c->b->n - c->pos, v);
	if (n > 0) {
		c->pos += (size_t)n;
		return NULL;
	}
	return n < 0     ? "binary: varint overflows a 64-bit integer"
	       : more(c) ? "unexpected EOF"
			 : "EOF";
}

// number reads a number or records the error.
static bool
number(struct cursor *c, uint64_t *v) {
	const char *err = number_text(c, v);
	if (err == NULL)
		return true;
	return gt_bad(c->f, c->table, "%s", err);
}

gt_string *
gt_string_get(gt_gen *g, uint64_t id) {
	uint64_t *i = gt_map_get(&g->stringids, id);
	return i == NULL ? NULL : &g->strings[*i];
}

// new_string enters a string under a new id.
static gt_string *
new_string(gt_gen *g, uint64_t id, const char *s, uint32_t n) {
	bool isnew;
	uint64_t *i = gt_map_put(&g->stringids, id, &isnew);
	*i = g->nstrings;
	g->strings = gt_vec_grow(g->strings, g->nstrings, &g->capstrings, sizeof *g->strings);
	gt_string *str = &g->strings[g->nstrings++];
	*str = (gt_string){.id = id, .s = s, .n = n};
	return str;
}

// add_strings takes a batch of strings.
static bool
add_strings(gt_gen *g, const gt_batch *b, gt_fault *f) {
	struct cursor c = {b, 1, f, "a string is 5, id, length, bytes"};
	while (more(&c)) {
		uint8_t ev = byte(&c);
		if (ev != EvString)
			return gt_bad(f, c.table, "expected string event, got %d", ev);
		uint64_t id, len;
		if (!number(&c, &id) || !number(&c, &len))
			return false;
		if (len > MaxEventTrailerDataSize)
			return gt_bad(f, "a string has at most 1024 bytes",
				"invalid string size %lu, maximum is %d", len,
				MaxEventTrailerDataSize);
		at(&c);
		if (len > b->n - c.pos)
			return gt_bad(f, c.table,
				"failed to read full string: read %lu but wanted %lu", b->n - c.pos,
				len);
		const char *s = (const char *)b->data + c.pos;
		gt_string *old = gt_string_get(g, id);
		if (old != NULL) {
			gt_bad(f, "an id names one string in a generation; 0 is the empty one",
				"%s", "multiple strings with the same ID: id=");
			gt_buf_fmt(&f->verdict, "%lu, new=", id);
			gt_buf_add(&f->verdict, s, len);
			gt_buf_str(&f->verdict, ", existing=");
			gt_buf_add(&f->verdict, old->s, old->n);
			return false;
		}
		new_string(g, id, s, (uint32_t)len);
		c.pos += len;
	}
	return true;
}

bool
gt_stack_get(gt_gen *g, uint64_t id, gt_stk **st) {
	*st = NULL;
	if (id == 0)
		return true;
	uint64_t *i = gt_map_get(&g->stackids, id);
	if (i == NULL)
		return false;
	*st = &g->stacks[*i];
	return true;
}

// stack_text prints the frames of a stack as Go's messages have them.
static void
stack_text(gt_buf *b, const uint64_t *pcs, size_t n) {
	for (size_t i = 0; i < n; i++)
		gt_buf_fmt(b, "\t0x%lx\n", pcs[i]);
}

// add_stacks takes a batch of stacks.  The first frame that names a pc says what the pc is.
static bool
add_stacks(gt_gen *g, const gt_batch *b, gt_fault *f) {
	struct cursor c = {b, 1, f,
		"a stack is 3, id, number of frames, and for each pc, function, file, line"};
	while (more(&c)) {
		uint64_t off = b->off + c.pos;
		uint8_t ev = byte(&c);
		if (ev != EvStack)
			return gt_bad(f, c.table, "expected stack event, got %d", ev);
		uint64_t id, n, pcs[MaxFramesPerStack];
		if (!number(&c, &id) || !number(&c, &n))
			return false;
		if (n > MaxFramesPerStack)
			return gt_bad(f, "a stack has at most 128 frames",
				"invalid stack size %lu, maximum is %d", n, MaxFramesPerStack);
		for (uint64_t i = 0; i < n; i++) {
			static const char *const names[] = {"PC", "funcID", "fileID", "line"};
			uint64_t v[4];
			for (int k = 0; k < 4; k++) {
				const char *err = number_text(&c, &v[k]);
				if (err != NULL)
					return gt_bad(f, c.table,
						"reading frame %lu's %s for stack %lu: %s", i + 1,
						names[k], id, err);
			}
			pcs[i] = v[0];
			bool isnew;
			uint64_t *at_pc = gt_map_put(&g->pcs, v[0], &isnew);
			if (isnew) {
				*at_pc = g->nframes;
				g->frames = gt_vec_grow(
					g->frames, g->nframes, &g->capframes, sizeof *g->frames);
				g->frames[g->nframes++] = (gt_rawframe){v[0], v[1], v[2], v[3]};
			}
		}
		gt_stk *old;
		if (gt_stack_get(g, id, &old)) {
			gt_bad(f, "an id names one stack in a generation; 0 is none",
				"multiple trace.stacks with the same ID: id=%lu, new=", id);
			stack_text(&f->verdict, pcs, n);
			gt_buf_str(&f->verdict, ", existing=");
			if (old != NULL)
				stack_text(&f->verdict, old->pcs, old->st.n);
			return false;
		}
		bool isnew;
		uint64_t *i = gt_map_put(&g->stackids, id, &isnew);
		*i = g->nstacks;
		g->stacks = gt_vec_grow(g->stacks, g->nstacks, &g->capstacks, sizeof *g->stacks);
		uint64_t *copy = gt_arena_alloc(&g->arena, n * sizeof *copy);
		memcpy(copy, pcs, n * sizeof *copy);
		g->stacks[g->nstacks++] =
			(gt_stk){.st = {.id = id, .n = n}, .pcs = copy, .off = off};
	}
	return true;
}

// add_samples takes a batch of CPU samples.
static bool
add_samples(gt_gen *g, const gt_batch *b, gt_fault *f) {
	struct cursor c = {b, 1, f, "a CPU sample is 7, time, thread, proc, goroutine, stack"};
	while (more(&c)) {
		uint64_t off = b->off + c.pos;
		uint8_t ev = byte(&c);
		if (ev != EvCPUSample)
			return gt_bad(f, c.table, "expected CPU sample event, got %d", ev);
		uint64_t v[5];
		for (int i = 0; i < 5; i++)
			if (!number(&c, &v[i]))
				return false;
		g->samples =
			gt_vec_grow(g->samples, g->nsamples, &g->capsamples, sizeof *g->samples);
		g->samples[g->nsamples++] = (gt_cpusample){
			.time = (int64_t)v[0], // not in ns yet
			.m = (int64_t)v[1],
			.p = (int64_t)v[2],
			.g = v[3] == 0 ? GT_NONE : (int64_t)v[3],
			.stack = v[4],
			.off = off,
		};
	}
	return true;
}

// set_sync takes a batch of clocks.
static bool
set_sync(gt_gen *g, const gt_batch *b, int version, gt_fault *f) {
	struct cursor c = {b, version >= 25 ? 1 : 0, f,
		"a sync batch has one frequency (8, per second) and one clock snapshot (51, time, "
		"monotonic, "
		"seconds, nanoseconds)"};
	uint64_t last = b->time;
	while (more(&c)) {
		uint8_t ev = byte(&c);
		uint64_t v[4];
		if (ev == EvFrequency) {
			if (g->freq != 0)
				return gt_bad(f, c.table, "found multiple frequency events");
			if (!number(&c, &v[0]))
				return false;
			g->freq = 1.0 / ((double)v[0] / 1e9);
		} else if (ev == EvClockSnapshot && version >= 25) {
			if (g->has_clock)
				return gt_bad(f, c.table, "found multiple clock snapshot events");
			g->has_clock = true;
			for (int i = 0; i < 4; i++)
				if (!number(&c, &v[i]))
					return false;
			last += v[0];
			g->snap_time = last;
			g->snap_mono = v[1];
			g->snap_sec = v[2];
			g->snap_nsec = v[3];
		} else {
			return gt_bad(f, c.table,
				"expected frequency or clock snapshot event, got %d", ev);
		}
	}
	return true;
}

// process_batch adds one batch to the generation.
static bool
process_batch(gt_gen *g, const gt_batch *b, int version, gt_fault *f) {
	bool isnew;
	if (starts_with(b, EvStrings))
		return add_strings(g, b, f);
	if (starts_with(b, EvStacks))
		return add_stacks(g, b, f);
	if (starts_with(b, EvCPUSamples))
		return add_samples(g, b, f);
	if (is_sync(b, version))
		return set_sync(g, b, version, f);
	if (b->exp != NoExperiment) {
		g->exp = gt_vec_grow(g->exp, g->nexp, &g->capexp, sizeof *g->exp);
		g->exp[g->nexp++] = (gt_exp_batch){
			.experiment = b->exp, .thread = b->m, .n = b->n, .data = b->data};
		return true;
	}
	if (starts_with(b, EvEndOfGeneration))
		return gt_bad(f, "the end of a generation came with Go 1.26",
			"internal error: unexpectedly processing EndOfGeneration; broken trace?");
	uint64_t *i = gt_map_put(&g->ms, (uint64_t)b->m, &isnew);
	if (isnew) {
		*i = g->nmb;
		size_t cap = g->capmb;
		g->mb = gt_vec_grow(g->mb, g->nmb, &g->capmb, sizeof *g->mb);
		memset(g->mb + cap, 0, (g->capmb - cap) * sizeof *g->mb);
		g->mb[g->nmb].m = b->m;
		g->mb[g->nmb].n = 0;
		g->nmb++;
	}
	gt_mbatches *mb = &g->mb[*i];
	mb->b = gt_vec_grow(mb->b, mb->n, &mb->cap, sizeof *mb->b);
	mb->b[mb->n++] = *b;
	return true;
}

// ---- generations

// gen_reset empties g for the next generation, and keeps its memory.
static void
gen_reset(gt_gen *g) {
	g->gen = g->min_ts = 0;
	gt_map_clear(&g->ms);
	g->nmb = g->nsamples = g->nexp = g->nstrings = g->nstacks = g->nframes = 0;
	g->freq = 0;
	g->has_clock = false;
	gt_map_clear(&g->stringids);
	gt_map_clear(&g->stackids);
	gt_map_clear(&g->pcs);
	gt_arena_reset(&g->arena);
	new_string(g, 0, "", 0);
}

void
gt_gen_free(gt_gen *g) {
	for (size_t i = 0; i < g->capmb; i++)
		free(g->mb[i].b);
	free(g->mb);
	free(g->samples);
	free(g->exp);
	free(g->strings);
	free(g->stacks);
	free(g->frames);
	gt_map_free(&g->ms);
	gt_map_free(&g->stringids);
	gt_map_free(&g->stackids);
	gt_map_free(&g->pcs);
	gt_arena_free(&g->arena);
}

// validate_stack makes sure that the strings of a stack's frames exist.
static bool
validate_stack(gt_gen *g, gt_stk *st, gt_fault *f) {
	f->off = st->off;
	for (size_t i = 0; i < st->st.n; i++) {
		gt_rawframe *fr = &g->frames[*gt_map_get(&g->pcs, st->pcs[i])];
		if (gt_string_get(g, fr->func) == NULL)
			return gt_bad(f, "strings of frames are in the generation's tables",
				"found invalid func string ID %lu for stack %lu", fr->func,
				st->st.id);
		if (gt_string_get(g, fr->file) == NULL)
			return gt_bad(f, "strings of frames are in the generation's tables",
				"found invalid file string ID %lu for stack %lu", fr->file,
				st->st.id);
	}
	return true;
}

int64_t
gt_mul(double freq, uint64_t t) {
	double d = (double)t * freq;
	// what the processor makes of a number without a place
	if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0))
		return INT64_MIN;
	return (int64_t)d;
}

static bool
sample_less(void *ctx, long i, long j) {
	gt_cpusample *s = ctx;
	return s[i].time < s[j].time;
}

static void
sample_swap(void *ctx, long i, long j) {
	gt_cpusample *s = ctx, t = s[i];
	s[i] = s[j];
	s[j] = t;
}

// finish checks a generation that is complete.
static bool
finish(gt_gen *g, int version, gt_fault *f) {
	f->has_m = false;
	if (g->freq == 0)
		return gt_bad(f, "a generation has a sync batch with the clock's frequency",
			"no frequency event found");
	if (version >= 25 && !g->has_clock)
		return gt_bad(f, "a generation has a sync batch with a clock snapshot",
			"no clock snapshot event found");
	// In the order of their ids, which is Go's for all but absurd ones.
	bool sorted = true;
	for (size_t i = 1; i < g->nstacks; i++)
		sorted &= g->stacks[i - 1].st.id < g->stacks[i].st.id;
	if (sorted) {
		for (size_t i = 0; i < g->nstacks; i++)
			if (!validate_stack(g, &g->stacks[i], f))
				return false;
	} else {
		uint64_t *ids = gt_map_keys(&g->stackids, false);
		bool ok = true;
		for (size_t i = 0; ok && i < g->nstacks; i++)
			ok = validate_stack(g, &g->stacks[*gt_map_get(&g->stackids, ids[i])], f);
		free(ids);
		if (!ok)
			return false;
	}
	for (size_t i = 0; i < g->nsamples; i++)
		g->samples[i].time = gt_mul(g->freq, (uint64_t)g->samples[i].time);
	gt_pdqsort(g->samples, (long)g->nsamples, sample_less, sample_swap);
	return true;
}

enum gt_genresult
gt_read_generation(gt_gen *g, gt_src *src, int version, gt_fault *f) {
	gen_reset(g);
	for (;;) {
		gt_batch b;
		uint64_t gen;
		switch (read_batch(src, &g->arena, &b, &gen, f)) {
		case BATCH_BAD:
			return GT_GEN_BAD;
		case BATCH_EOF:
			if (g->nmb == 0)
				return GT_GEN_END;
			gt_bad(f, "event 52 ends each generation",
				"incomplete generation found; trace likely truncated");
			return GT_GEN_BAD;
		case BATCH_OK:
			break;
		}
		if (g->gen == 0)
			f->gen = g->gen = gen;
		if (starts_with(&b, EvEndOfGeneration))
			break;
		if (gen == 0) {
			gt_bad(f, "generations count from 1", "invalid generation number %lu", gen);
			return GT_GEN_BAD;
		}
		if (gen != g->gen) {
			gt_bad(f,
				"the batches of a generation stand together, and event 52 ends "
				"them",
				"broken trace: missing end-of-generation event, or generations are "
				"interleaved");
			return GT_GEN_BAD;
		}
		if (g->min_ts == 0 || b.time < g->min_ts)
			g->min_ts = b.time;
		if (!process_batch(g, &b, version, f))
			return GT_GEN_BAD;
	}
	return finish(g, version, f) ? GT_GEN_OK : GT_GEN_BAD;
}

enum gt_genresult
gt_read_generation_spill(
	gt_gen *g, gt_src *src, int version, gt_spill *spill, gt_fault *f, bool *later) {
	*later = false;
	gen_reset(g);
	if (spill->set) {
		f->gen = g->gen = spill->gen;
		g->min_ts = spill->b.time;
		spill->set = false;
		if (spill->copy != NULL) {
			uint8_t *data = gt_arena_alloc(&g->arena, spill->b.n);
			memcpy(data, spill->copy, spill->b.n);
			spill->b.data = data;
		}
		if (!process_batch(g, &spill->b, version, f))
			return GT_GEN_BAD;
	}
	for (;;) {
		gt_batch b;
		uint64_t gen;
		enum batchresult res = read_batch(src, &g->arena, &b, &gen, f);
		if (res == BATCH_EOF)
			break;
		if (res == BATCH_BAD) {
			if (g->gen == 0)
				return GT_GEN_BAD;
			*later =
				true; // perhaps the next generation's: this one is as good as it gets
			break;
		}
		if (gen == 0) {
			gt_bad(f, "generations count from 1", "invalid generation number %lu", gen);
			return GT_GEN_BAD;
		}
		if (g->gen == 0)
			f->gen = g->gen = gen;
		if (gen == g->gen + 1) {
			spill->set = true;
			spill->gen = gen;
			spill->b = b;
			if (src->fd >= 0) {
				spill->copy = gt_xrealloc(spill->copy, b.n);
				memcpy(spill->copy, b.data, b.n);
			}
			break;
		}
		if (gen != g->gen) {
			gt_bad(f, "generations follow one another", "generations out of order");
			return GT_GEN_BAD;
		}
		if (g->min_ts == 0 || b.time < g->min_ts)
			g->min_ts = b.time;
		if (!process_batch(g, &b, version, f))
			return GT_GEN_BAD;
	}
	if (*later)
		f->set = false; // until it is time
	return finish(g, version, f) ? GT_GEN_OK : GT_GEN_BAD;
}
