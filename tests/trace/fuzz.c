// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Fuzzing the trace reader: traces made of parts of the story, changed at random on two levels, events
// and bytes.  The reader may reject them; it must not crash, hang, leak or say nothing.
//
//	fuzz [-n COUNT] [-seed SEED] [-from I]	read that many inputs
//	fuzz -pack COUNT [-seed SEED] FILE	write them into a file, for Go's reader
//	fuzz -one I [-seed SEED] FILE		write one of them
//	fuzz pack FILE				verdicts on a file of -pack, in goverdict's form
//	fuzz verdicts FILE...			verdicts on traces
//
// The same seed makes the same inputs; an input depends on the seed and its number only.
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/rnd.h"
#include "tests/trace/story.h"
#include "tools/gt_impl.h"

enum { MAX = 4096 };

// ---- chance

static uint64_t rng;

static uint32_t
below(uint32_t n) {
	return (uint32_t)(splitmix64(&rng) % n);
}

// ---- inputs

// number makes a number: mostly one that means something.
static uint64_t
number(void) {
	static const uint64_t good[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 20, 22, 30, 40, 99, 1001,
		1002, 1003, 1004, 1005, UINT64_MAX, UINT64_MAX - 1, 1ull << 63, (1ull << 63) - 1,
		1ull << 32, 255, 256, 257};
	if (below(16) != 0)
		return good[below(sizeof good / sizeof good[0])];
	uint64_t v = splitmix64(&rng);
	return v >> below(64);
}

static uint8_t
event_type(void) {
	for (;;) {
		uint8_t t = (uint8_t)below(MaxExperimentalEvent);
		if (below(32) == 0 || gt_specs[t].timed)
			return t;
	}
}

static void
retype(story_item *it, uint8_t typ) {
	it->typ = typ;
	it->nargs = gt_specs[typ].nargs > 0 ? (uint8_t)(gt_specs[typ].nargs - 1) : 0;
}

static const uint64_t threads[] = {1001, 1002, 1003, 1004, 1005, UINT64_MAX};

// change_story changes one thing on the level of events.  Chance is asked once in an expression: the
// order in which a compiler asks must not matter.
static void
change_story(story *s) {
	static char raw[8][16];
	if (s->n == 0)
		return;
	int i = (int)below((uint32_t)s->n), k = (int)below((uint32_t)s->n);
	story_item *it = &s->items[i], t;
	uint64_t v;
	switch (below(10)) {
	case 0:
		story_delete(s, i);
		break;
	case 1:
		story_insert(s, k, it);
		break;
	case 2:
		t = *it;
		*it = s->items[k];
		s->items[k] = t;
		break;
	case 3:
		if (it->nargs > 0) {
			v = number();
			it->args[below(it->nargs)] = v;
		}
		break;
	case 4:
		if (it->typ < STORY_GEN && it->typ != EvCPUSample && it->typ != EvExperimentalBatch)
			retype(it, event_type());
		break;
	case 5:
		it->m = threads[below(6)];
		break;
	case 6:
		if (it->nargs > 0) {
			v = below(2) ? 1 : UINT64_MAX;
			it->args[below(it->nargs)] += v;
		}
		break;
	case 7:
		it->dt = below(2) ? below(1000) : (uint32_t)splitmix64(&rng);
		break;
	case 8: {
		char *r = raw[below(8)];
		static const char first[] = "\4\2\6\x32\x34\3\x10";
		r[0] = first[below(7)];
		uint32_t n = below(16);
		for (uint32_t j = 1; j < n; j++)
			r[j] = (char)(below(2) ? below(8) : below(256));
		t = (story_item){.m = threads[below(6)], .typ = STORY_RAW, .data = r, .ndata = n};
		story_insert(s, i, &t);
		break;
	}
	case 9:
		t = (story_item){.m = threads[below(6)]};
		t.dt = below(64);
		retype(&t, event_type());
		for (int a = 0; a < t.nargs; a++)
			t.args[a] = number();
		if (gt_specs[t.typ].timed)
			story_insert(s, i, &t);
		break;
	}
}

// change_bytes changes one thing on the level of bytes.
static size_t
change_bytes(uint8_t *p, size_t n) {
	if (n < 2)
		return n;
	size_t from = below(64) == 0 ? 0 : 16; // seldom in the header
	if (from >= n)
		from = 0;
	size_t i = from + below((uint32_t)(n - from)), k;
	switch (below(8)) {
	case 0:
		p[i] ^= (uint8_t)(1 << below(8));
		break;
	case 1:
		p[i] = (uint8_t)splitmix64(&rng);
		break;
	case 2:
		p[i] = (uint8_t)(p[i] + (below(2) ? 1 : 255));
		break;
	case 3:
		memmove(p + i, p + i + 1, n - i - 1);
		return n - 1;
	case 4:
		if (n == MAX)
			return n;
		memmove(p + i + 1, p + i, n - i);
		p[i] = (uint8_t)(below(2) ? below(54) : splitmix64(&rng));
		return n + 1;
	case 5:
		if (below(4) == 0)
			return i;
		break;
	case 6:
		k = below(12);
		for (size_t j = 0; j < k && i + j < n; j++)
			p[i + j] = (uint8_t)(0x80 | splitmix64(&rng));
		break;
	case 7: { // repeat a piece
		k = below((uint32_t)(n - i) < 64 ? (uint32_t)(n - i) : 64);
		if (n + k > MAX)
			return n;
		memmove(p + i + k, p + i, n - i);
		return n + k;
	}
	}
	return n;
}

// input makes the i-th input of a seed.
static size_t
input(uint64_t seed, uint64_t i, uint8_t *out) {
	static story s;
	rng = seed * 0x2545f4914f6cdd1d + i;
	uint32_t fam = 0;
	for (uint32_t n = below(4); n > 0; n--)
		fam |= 1u << below(13);
	story_make(&s, fam);
	for (uint32_t n = below(4); n > 0; n--)
		change_story(&s);
	static const uint8_t versions[] = {22, 23, 25};
	story_opts o = {.version = below(16) == 0 ? versions[below(3)] : 26};
	uint32_t flags = (uint32_t)splitmix64(&rng);
	if ((flags & 15) == 0) {
		o.nosync = flags >> 4 & 1;
		o.noclock = flags >> 5 & 1;
		o.noend = flags >> 6 & 1;
		o.nostrings = flags >> 7 & 1;
		o.nostacks = flags >> 8 & 1;
		o.twofreq = flags >> 9 & 1;
		o.twoclocks = flags >> 10 & 1;
	}
	size_t n = story_write(&s, &o, out, MAX);
	if (below(2) == 0)
		for (uint32_t k = 1 + below(3); k > 0; k--)
			n = change_bytes(out, n);
	return n;
}

// ---- reading

// hash_of is FNV-1a.
static uint64_t
hash_of(uint64_t h, const char *s, size_t n) {
	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)s[i]) * 0x100000001b3;
	return h;
}

static void
broken(const char *what) {
	fprintf(stderr, "fuzz: %s\n", what);
	abort();
}

// read_all reads a trace to its end, closes r, and returns the number of events and whether the trace is
// sound.  name: hash the text of all events and print the verdict, too.
static uint64_t
read_all(gt_reader *r, const char *name, bool *sound) {
	static gt_buf b;
	uint64_t n = 0, h = 0xcbf29ce484222325;
	gt_event ev;
	int64_t last = INT64_MIN;
	while (gt_next(r, &ev)) {
		n++;
		if (ev.time <= last && last != INT64_MAX)
			broken("time does not go on");
		last = ev.time;
		b.n = 0;
		gt_event_text(&b, &ev);
		gt_buf_add(&b, "\n", 1);
		if (name != NULL)
			h = hash_of(h, b.s, b.n);
	}
	if (gt_next(r, &ev))
		broken("an event after the end");
	const char *err = gt_error(r), *verdict = gt_verdict(r);
	*sound = err == NULL;
	if (*sound != (verdict == NULL))
		broken("half an error");
	if (err != NULL && (strstr(err, " [rule: ") == NULL || err[strlen(err) - 1] != ']'))
		broken("an error without a rule");
	if (err != NULL && gt_size(r) != 0 && gt_error_offset(r) > gt_size(r))
		broken("an error behind the end");
	if (err == NULL && n == 0)
		broken("nothing at all");
	if (name != NULL) {
		gt_buf ok = {.s = (char[]){"ok"}, .n = 2};
		const gt_buf *v = gt_verdict_text(r) == NULL ? &ok : gt_verdict_text(r);
		const char *nl = memchr(v->s, '\n', v->n);
		size_t len = nl == NULL ? v->n : (size_t)(nl - v->s);
		gt_str *s = gt_xmalloc(sizeof *s + len);
		s->len = (uint32_t)len;
		memcpy(s->s, v->s, len);
		b.n = 0;
		gt_quote(&b, s);
		printf("%s %" PRIu64 " %016" PRIx64 " %s\n", name, n, h, b.s);
		free(s);
	}
	gt_close(r);
	return n;
}

static int
verdicts(int argc, char **argv) {
	bool sound;
	for (int i = 0; i < argc; i++)
		read_all(gt_open(argv[i]), argv[i], &sound);
	return 0;
}

// pack prints the verdicts on a file of traces, each after its length.
static int
pack(const char *path) {
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		perror(path);
		return 2;
	}
	uint8_t *data = NULL;
	uint32_t n;
	for (uint64_t i = 0; fread(&n, sizeof n, 1, f) == 1; i++) {
		data = gt_xrealloc(data, n);
		if (fread(data, 1, n, f) != n)
			break;
		char name[32];
		snprintf(name, sizeof name, "%" PRIu64, i);
		bool sound;
		read_all(gt_open_mem(data, n, "fuzz"), name, &sound);
	}
	free(data);
	fclose(f);
	return 0;
}

// ---- the run

static volatile uint64_t current, beat;

static const char *
digits(uint64_t v, char *end) {
	*--end = '\n';
	do
		*--end = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	return end;
}

// died tells which input it was.
static void
died(int sig) {
	char buf[32];
	const char *p = digits(current, buf + sizeof buf);
	static const char msg[] = "fuzz: crash or hang at input ";
	if (write(2, msg, sizeof msg - 1) < 0 || write(2, p, (size_t)(buf + sizeof buf - p)) < 0)
		_exit(1);
	signal(sig, SIG_DFL);
	_exit(1);
}

// watch ends the run when no input was finished for 20 seconds.
static void
watch(int sig) {
	static uint64_t seen = UINT64_MAX;
	if (seen == beat)
		died(sig);
	seen = beat;
	alarm(20);
}

// What sanitizers do on an error: abort, so that the input is told.
const char *__asan_default_options(void);
const char *
__asan_default_options(void) {
	return "abort_on_error=1:handle_abort=0:detect_stack_use_after_return=0";
}
const char *__ubsan_default_options(void);
const char *
__ubsan_default_options(void) {
	return "abort_on_error=1:print_stacktrace=1";
}

static int
run(uint64_t seed, uint64_t from, uint64_t count) {
	static uint8_t data[MAX];
	signal(SIGABRT, died);
	signal(SIGALRM, watch);
	alarm(20);
	uint64_t events = 0, sound = 0, bytes = 0;
	struct timespec start, now;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (uint64_t i = from; i < from + count; i++) {
		current = i;
		size_t n = input(seed, i, data);
		bytes += n;
		// an exact copy, so that a byte too far is seen
		uint8_t *copy = gt_xmalloc(n);
		memcpy(copy, data, n);
		bool ok;
		events += read_all(gt_open_mem(copy, n, "fuzz"), NULL, &ok);
		sound += ok;
		free(copy);
		beat++;
		if (isatty(2) && i % 65536 == 0)
			fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " ", i - from, count);
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("seed %" PRIu64 ": %" PRIu64 " inputs of %" PRIu64 " bytes on average, %" PRIu64
	       " events; %" PRIu64 " sound, %" PRIu64 " rejected; %ld s\n",
		seed, count, count == 0 ? 0 : bytes / count, events, sound, count - sound,
		(long)(now.tv_sec - start.tv_sec));
	return 0;
}

int
main(int argc, char **argv) {
	uint64_t n = 20000, seed = 1, from = 0, one = UINT64_MAX, npack = 0;
	if (argc >= 3 && strcmp(argv[1], "verdicts") == 0)
		return verdicts(argc - 2, argv + 2);
	if (argc == 3 && strcmp(argv[1], "pack") == 0)
		return pack(argv[2]);
	int i = 1;
	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		uint64_t v = strtoull(argv[i + 1], NULL, 0);
		if (strcmp(argv[i], "-n") == 0)
			n = v;
		else if (strcmp(argv[i], "-seed") == 0)
			seed = v;
		else if (strcmp(argv[i], "-from") == 0)
			from = v;
		else if (strcmp(argv[i], "-one") == 0)
			one = v;
		else if (strcmp(argv[i], "-pack") == 0)
			npack = v;
		else
			break;
	}
	bool file = one != UINT64_MAX || npack != 0;
	if (argc - i != file) {
		fputs("usage: fuzz [-n N] [-seed S] [-from I] | -pack N FILE | -one I FILE | pack "
		      "FILE | "
		      "verdicts FILE...\n",
			stderr);
		return 2;
	}
	if (!file)
		return run(seed, from, n);
	FILE *f = fopen(argv[i], "wb");
	if (f == NULL) {
		perror(argv[i]);
		return 2;
	}
	static uint8_t data[MAX];
	for (uint64_t k = 0; k < (npack != 0 ? npack : 1); k++) {
		uint32_t len = (uint32_t)input(seed, npack != 0 ? from + k : one, data);
		if ((npack != 0 && fwrite(&len, sizeof len, 1, f) != 1) ||
			fwrite(data, 1, len, f) != len)
			return 2;
	}
	return fclose(f) == 0 ? 0 : 2;
}
