// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The story and its writer.
#include <stdlib.h>
#include <string.h>

#include "tests/trace/story.h"

// ---- who and what

enum { M1 = 1001, M2, M3, M4, SYSMON };
#define NOBODY UINT64_MAX

enum {
	S_EMPTY,
	S_START,
	S_RECV,
	S_PREEMPTED,
	S_SWEEPTERM,
	S_MARKTERM,
	S_DEDICATED,
	S_JOB,
	S_STEP,
	S_KEY,
	S_TEXT,
	S_MAIN,
	S_WORKER,
	S_CHANRECV,
	S_MALLOC,
	S_FILE,
	S_COUNT,
};

static const char *const strings[S_COUNT] = {
	"",
	"start trace",
	"chan receive",
	"preempted",
	"GC sweep termination",
	"GC mark termination",
	"GC (dedicated)",
	"job \"one\"",
	"step",
	"k\xc3\xa4y\xff",
	"line\none\ttwo\x01\x7f \xe2\x82\xac \xf0\x9f\x98\x80 \xc2\xad \xe2\x80\xa8",
	"main.main",
	"main.worker",
	"runtime.chanrecv1",
	"runtime.mallocgc",
	"/src/story.go",
};

enum { K_NONE, K_MAIN, K_WORKER, K_RECV, K_MALLOC, K_COUNT };

static const struct {
	int n;
	struct {
		uint64_t pc, func, line;
	} f[3];
} stacks[K_COUNT] = {
	[K_MAIN] = {1, {{0x401010, S_MAIN, 10}}},
	[K_WORKER] = {1, {{0x402020, S_WORKER, 40}}},
	[K_RECV] = {2, {{0x410010, S_CHANRECV, 509}, {0x402020, S_WORKER, 40}}},
	[K_MALLOC] = {2, {{0x412010, S_MALLOC, 1024}, {0x401010, S_MAIN, 10}}},
};

// Whose sequence numbers
enum { R_GC = 1, R_P = 10, R_G = 100, R_COUNT = 256 };

#define NARGS(...) (sizeof((uint64_t[]){0, ##__VA_ARGS__}) / sizeof(uint64_t) - 1)
#define ITEM(fam, not, t, r, thread, type, ...)                                         \
	{                                                                               \
		.with = fam, .without = not, .tag = t, .m = thread, .dt = 16, .res = r, \
		.typ = type, .nargs = NARGS(__VA_ARGS__), .args = {__VA_ARGS__},        \
	}
// an event; one with a tag; one with a sequence number of a proc, a goroutine, the collector
#define E(fam, m, ...) ITEM(fam, 0, NULL, 0, m, __VA_ARGS__)
#define T(tag, fam, m, ...) ITEM(fam, 0, tag, 0, m, __VA_ARGS__)
#define P(p, fam, m, ...) ITEM(fam, 0, NULL, R_P + p, m, __VA_ARGS__)
#define G(g, fam, m, ...) ITEM(fam, 0, NULL, R_G + g, m, __VA_ARGS__)
#define C(fam, m, ...) ITEM(fam, 0, NULL, R_GC, m, __VA_ARGS__)

static const story_item base[] = {
	E(0, 0, STORY_GEN, 1),
	T("pstatus", 0, M1, EvProcStatus, 0, ProcRunning),
	T("gstatus", 0, M1, EvGoStatus, 1, M1, GoRunning),
	T("procs", 0, M1, EvProcsChange, 2, K_MAIN),
	E(0, M1, EvSTWBegin, S_START, K_MAIN),
	E(0, M1, EvHeapGoal, 4 << 20),
	T("stwend", 0, M1, EvSTWEnd),
	T("create", 0, M1, EvGoCreate, 20, K_WORKER, K_MAIN),
	T("pidle", 0, M2, EvProcStatus, 1, ProcIdle),
	ITEM(0, 0, "pstart", R_P + 1, M2, EvProcStart, 1, SEQ),
	ITEM(0, 0, "gstart", R_G + 20, M2, EvGoStart, 20, SEQ),

	T("block", FAM_CHAN, M2, EvGoBlock, S_RECV, K_RECV),
	ITEM(FAM_CHAN, 0, "unblock", R_G + 20, M1, EvGoUnblock, 20, SEQ, K_MAIN),
	G(20, FAM_CHAN, M2, EvGoStart, 20, SEQ),
	T("stop", FAM_CHAN, M2, EvGoStop, S_PREEMPTED, K_WORKER),
	G(20, FAM_CHAN, M2, EvGoStart, 20, SEQ),

	T("taskbegin", FAM_TASK, M1, EvUserTaskBegin, 7, 0, S_JOB, K_MAIN),
	T("regionbegin", FAM_TASK, M1, EvUserRegionBegin, 7, S_STEP, K_MAIN),
	T("log", FAM_TASK, M1, EvUserLog, 7, S_KEY, S_TEXT, K_MAIN),
	T("regionend", FAM_TASK, M1, EvUserRegionEnd, 7, S_STEP, K_MAIN),
	T("taskend", FAM_TASK, M1, EvUserTaskEnd, 7, K_MAIN),
	E(FAM_TASK, M1, EvUserTaskBegin, 8, 7, S_JOB, K_MAIN),
	E(FAM_TASK, M1, EvUserRegionEnd, 9, S_EMPTY, K_NONE),

	ITEM(FAM_SYSCALL, 0, "sysbegin", R_P + 0, M1, EvGoSyscallBegin, SEQ, K_MAIN),
	T("sysend", FAM_SYSCALL, M1, EvGoSyscallEnd),

	P(1, FAM_STEAL, M2, EvGoSyscallBegin, SEQ, K_WORKER),
	ITEM(FAM_STEAL, 0, "steal", R_P + 1, SYSMON, EvProcSteal, 1, SEQ, M2),
	P(1, FAM_STEAL, M3, EvProcStart, 1, SEQ),
	E(FAM_STEAL, M3, EvHeapAlloc, 123456),
	T("pstop", FAM_STEAL, M3, EvProcStop),
	P(1, FAM_STEAL, M2, EvProcStart, 1, SEQ),
	T("sysendblocked", FAM_STEAL, M2, EvGoSyscallEndBlocked),
	G(20, FAM_STEAL, M2, EvGoStart, 20, SEQ),

	E(FAM_CORO, M2, EvGoCreateBlocked, 30, K_WORKER, K_WORKER),
	ITEM(FAM_CORO, 0, "switch", R_G + 30, M2, EvGoSwitch, 30, SEQ),
	G(20, FAM_CORO, M2, EvGoSwitch, 20, SEQ),
	G(30, FAM_CORO, M2, EvGoSwitch, 30, SEQ),
	G(20, FAM_CORO, M2, EvGoSwitchDestroy, 20, SEQ),

	ITEM(FAM_GC, 0, "gcbegin", R_GC, M1, EvGCBegin, SEQ, K_MALLOC),
	E(FAM_GC, M1, EvSTWBegin, S_SWEEPTERM, K_MALLOC),
	E(FAM_GC, M2, EvGoStop, S_PREEMPTED, K_WORKER),
	E(FAM_GC, M2, EvProcStop),
	E(FAM_GC, M1, EvProcsChange, 2, K_MALLOC),
	E(FAM_GC, M1, EvSTWEnd),
	P(1, FAM_GC, M2, EvProcStart, 1, SEQ),
	G(20, FAM_GC, M2, EvGoStart, 20, SEQ),
	E(FAM_GC, M2, EvGoLabel, S_DEDICATED),
	T("assistbegin", FAM_GC, M1, EvGCMarkAssistBegin, K_MALLOC),
	T("assistend", FAM_GC, M1, EvGCMarkAssistEnd),
	E(FAM_GC, M1, EvSTWBegin, S_MARKTERM, K_MALLOC),
	E(FAM_GC, M1, EvHeapAlloc, 1900000),
	ITEM(FAM_GC, 0, "gcend", R_GC, M1, EvGCEnd, SEQ),
	E(FAM_GC, M1, EvHeapGoal, 4 << 20),
	E(FAM_GC, M1, EvSTWEnd),
	T("sweepbegin", FAM_GC, M1, EvGCSweepBegin, K_MALLOC),
	T("sweepend", FAM_GC, M1, EvGCSweepEnd, 8192, 4096),
	C(FAM_GC, M1, EvGCBegin, SEQ, K_MALLOC),
	C(FAM_GC, M1, EvGCEnd, SEQ),

	E(FAM_CGO, M2, EvGoStop, S_PREEMPTED, K_WORKER),
	E(FAM_CGO, M2, EvProcStop),
	T("gosyscall", FAM_CGO, M4, EvGoCreateSyscall, 40),
	P(1, FAM_CGO, M4, EvProcStart, 1, SEQ),
	E(FAM_CGO, M4, EvGoSyscallEndBlocked),
	G(40, FAM_CGO, M4, EvGoStart, 40, SEQ),
	P(1, FAM_CGO, M4, EvGoSyscallBegin, SEQ, K_NONE),
	T("destroysys", FAM_CGO, M4, EvGoDestroySyscall),
	P(1, FAM_CGO, M2, EvProcSteal, 1, SEQ, M4),
	P(1, FAM_CGO, M2, EvProcStart, 1, SEQ),
	G(20, FAM_CGO, M2, EvGoStart, 20, SEQ),

	T("sample", FAM_SAMPLE, M2, EvCPUSample, 1, 20, K_WORKER),
	E(FAM_SAMPLE, M3, EvCPUSample, NOBODY, 0, K_RECV),
	E(FAM_SAMPLE, M1, EvCPUSample, 0, 1, K_NONE),

	E(FAM_EXP, M1, EvSpan, 0x10, 1, 5),
	E(FAM_EXP, M1, EvSpanAlloc, 0x20, 2, 7),
	E(FAM_EXP, M1, EvHeapObject, 0x30, 1 << 20),
	E(FAM_EXP, M1, EvHeapObjectAlloc, 0x31, 9),
	E(FAM_EXP, M1, EvHeapObjectFree, 0x31),
	E(FAM_EXP, M1, EvGoroutineStack, 3, 1),
	E(FAM_EXP, M1, EvGoroutineStackAlloc, 4, 2),
	E(FAM_EXP, M1, EvGoroutineStackFree, 4),
	E(FAM_EXP, M1, EvSpanFree, 0x20),
	{.with = FAM_EXP,
		.m = M1,
		.typ = EvExperimentalBatch,
		.nargs = 1,
		.args = {AllocFree},
		.data = "\1\2\3\4",
		.ndata = 4},

	E(FAM_LIFE, M1, EvGoCreate, 22, K_NONE, K_MAIN),
	E(FAM_LIFE, M2, EvGoStop, S_PREEMPTED, K_WORKER),
	G(22, FAM_LIFE, M2, EvGoStart, 22, SEQ),
	T("destroy", FAM_LIFE, M2, EvGoDestroy),
	G(20, FAM_LIFE, M2, EvGoStart, 20, SEQ),

	ITEM(FAM_GC2, 0, NULL, R_GC, M1, EvGCBegin, SEQ, K_MALLOC),
	E(FAM_GC2, M1, EvGCMarkAssistBegin, K_MALLOC),
	E(FAM_GC2, M2, EvGCSweepBegin, K_WORKER),
	P(1, FAM_LOST, M2, EvGoSyscallBegin, SEQ, K_WORKER),
	T("late", FAM_GEN2, NOBODY, EvGoStatusStack, 4, NOBODY, GoWaiting, K_WORKER),
	T("end", 0, 0, STORY_END),

	T("gen2", FAM_GEN2, 0, STORY_GEN, 2),
	E(FAM_GEN2, M1, EvProcStatus, 0, ProcRunning),
	T("status2", FAM_GEN2, M1, EvGoStatus, 1, M1, GoRunning),
	ITEM(FAM_GC2, 0, "gcactive", R_GC, M1, EvGCActive, SEQ),
	T("assistactive", FAM_GC2, M1, EvGCMarkAssistActive, 1),
	ITEM(FAM_GEN2, FAM_LOST, NULL, 0, M2, EvProcStatus, 1, ProcRunning),
	ITEM(FAM_GEN2, FAM_LOST, NULL, 0, M2, EvGoStatusStack, 20, M2, GoRunning, K_WORKER),
	T("lost", FAM_LOST, M1, EvProcStatus, 1, ProcSyscallAbandoned),
	P(1, FAM_LOST, M1, EvProcSteal, 1, SEQ, M2),
	E(FAM_LOST, NOBODY, EvGoStatus, 20, M2, GoSyscall),
	E(FAM_LOST, M2, EvGoSyscallEndBlocked),
	P(1, FAM_LOST, M2, EvProcStart, 1, SEQ),
	G(20, FAM_LOST, M2, EvGoStart, 20, SEQ),
	E(FAM_GC2, M2, EvGCSweepActive, 1),
	E(FAM_GC2, M2, EvGCSweepEnd, 1, 2),
	E(FAM_GC2, M1, EvGCMarkAssistEnd),
	C(FAM_GC2, M1, EvGCEnd, SEQ),
	E(FAM_GEN2, M1, EvProcsChange, 2, K_MAIN),
	E(FAM_TASK | FAM_GEN2, M1, EvUserTaskEnd, 8, K_NONE),
	E(FAM_GEN2, NOBODY, EvGoStatusStack, 4, NOBODY, GoWaiting, K_NONE),
	T("end2", FAM_GEN2, 0, STORY_END),
};

// ---- items

void
story_insert(story *s, int i, const story_item *it) {
	story_item copy = *it;
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 128 : s->cap * 2;
		s->items = realloc(s->items, (size_t)s->cap * sizeof *s->items);
		if (s->items == NULL)
			abort();
	}
	memmove(&s->items[i + 1], &s->items[i], (size_t)(s->n - i) * sizeof *s->items);
	s->items[i] = copy;
	s->n++;
}

void
story_delete(story *s, int i) {
	s->n--;
	memmove(&s->items[i], &s->items[i + 1], (size_t)(s->n - i) * sizeof *s->items);
}

void
story_make(story *s, uint32_t families) {
	s->n = 0;
	if (families & (FAM_GC2 | FAM_LOST))
		families |= FAM_GEN2;
	if (families & FAM_GC2)
		families &= ~(uint32_t)FAM_LOST; // a sweep in a system call: no
	for (size_t i = 0; i < sizeof base / sizeof base[0]; i++) {
		const story_item *it = &base[i];
		if ((it->with & families) == it->with && (it->without & families) == 0)
			story_insert(s, s->n, it);
	}
}

// ---- writing

struct out {
	uint8_t *p;
	size_t n, cap;
};

static void
byte(struct out *o, uint8_t b) {
	if (o->n < o->cap)
		o->p[o->n++] = b;
}

static void
varint(struct out *o, uint64_t v) {
	for (; v >= 0x80; v >>= 7)
		byte(o, (uint8_t)(v | 0x80));
	byte(o, (uint8_t)v);
}

static void
bytes(struct out *o, const void *p, size_t n) {
	for (size_t i = 0; i < n; i++)
		byte(o, ((const uint8_t *)p)[i]);
}

// batch writes a batch with its data.
static void
batch(struct out *o, int exp, uint64_t gen, uint64_t m, uint64_t time, const struct out *data) {
	byte(o, exp == NoExperiment ? EvEventBatch : EvExperimentalBatch);
	if (exp != NoExperiment)
		byte(o, (uint8_t)exp);
	varint(o, gen);
	varint(o, m);
	varint(o, time);
	varint(o, data->n);
	bytes(o, data->p, data->n);
}

enum { TMP = 8192 };

// tables writes strings, stacks, clocks and the end of a generation.
static void
tables(struct out *o, const story_opts *opt, uint64_t gen, uint64_t time, const bool *usestr,
	const bool *usestk) {
	static _Thread_local uint8_t tmp[TMP];
	struct out d = {tmp, 0, TMP};
	if (!opt->nostacks) {
		byte(&d, EvStacks);
		for (int i = 1; i < K_COUNT; i++) {
			if (!usestk[i])
				continue;
			byte(&d, EvStack);
			varint(&d, (uint64_t)i);
			varint(&d, (uint64_t)stacks[i].n);
			for (int k = 0; k < stacks[i].n; k++) {
				varint(&d, stacks[i].f[k].pc);
				varint(&d, stacks[i].f[k].func);
				varint(&d, S_FILE);
				varint(&d, stacks[i].f[k].line);
			}
		}
		batch(o, NoExperiment, gen, NOBODY, time, &d);
	}
	if (!opt->nostrings) {
		d.n = 0;
		byte(&d, EvStrings);
		for (int i = 1; i < S_COUNT; i++) {
			if (!usestr[i])
				continue;
			byte(&d, EvString);
			varint(&d, (uint64_t)i);
			varint(&d, strlen(strings[i]));
			bytes(&d, strings[i], strlen(strings[i]));
		}
		batch(o, NoExperiment, gen, NOBODY, time, &d);
	}
	if (!opt->nosync) {
		d.n = 0;
		if (opt->version >= 25)
			byte(&d, EvSync);
		for (int i = 0; i <= opt->twofreq; i++) {
			byte(&d, EvFrequency);
			varint(&d, 15625000);
		}
		for (int i = 0; i <= opt->twoclocks && !opt->noclock && opt->version >= 25; i++) {
			byte(&d, EvClockSnapshot);
			varint(&d, 3);
			varint(&d, 600000000000 + gen);
			varint(&d, 1795451504 + gen);
			varint(&d, 852993500);
		}
		batch(o, NoExperiment, gen, NOBODY, time, &d);
	}
	if (!opt->noend && opt->version >= 26)
		byte(o, EvEndOfGeneration);
}

size_t
story_write(const story *s, const story_opts *opt, uint8_t *p, size_t cap) {
	static _Thread_local uint8_t tmp[TMP];
	static const story_opts none;
	story_opts o2 = opt == NULL ? none : *opt;
	if (o2.version == 0)
		o2.version = 26;
	struct out o = {p, 0, cap};
	bytes(&o, "go 1.", 5);
	byte(&o, (uint8_t)('0' + o2.version / 10));
	byte(&o, (uint8_t)('0' + o2.version % 10));
	bytes(&o, " trace\0\0\0", 9);
	uint64_t now = 600000000000 / 64, seqs[R_COUNT] = {0}, gen = 1;
	uint64_t *times = malloc(((size_t)s->n + 1) * sizeof *times);
	uint64_t(*args)[STORY_ARGS] = malloc(((size_t)s->n + 1) * sizeof *args);
	bool *written = calloc((size_t)s->n + 1, 1);
	if (times == NULL || args == NULL || written == NULL)
		abort();
	for (int i = 0; i < s->n; i++) {
		const story_item *it = &s->items[i];
		if (it->typ == STORY_GEN)
			memset(seqs + R_P, 0, sizeof seqs - R_P * sizeof seqs[0]);
		times[i] = now += it->dt;
		for (int k = 0; k < it->nargs; k++)
			args[i][k] = it->args[k] == SEQ ? ++seqs[it->res] : it->args[k];
	}
	for (int first = 0; first < s->n;) {
		if (s->items[first].typ == STORY_GEN)
			gen = s->items[first].args[0];
		int end = first;
		while (end < s->n && s->items[end].typ != STORY_END &&
			(end == first || s->items[end].typ != STORY_GEN))
			end++;
		bool usestr[S_COUNT] = {false}, usestk[K_COUNT] = {false};
		for (int i = first; i < end; i++) {
			const story_item *it = &s->items[i];
			if (it->typ == EvExperimentalBatch || it->typ == STORY_RAW) {
				struct out d = {
					(uint8_t *)(uintptr_t)it->data, it->ndata, it->ndata};
				batch(&o, it->typ == STORY_RAW ? NoExperiment : (int)args[i][0],
					gen, it->m, times[i], &d);
				continue;
			}
			if (it->typ >= STORY_GEN || written[i])
				continue;
			// All events of this thread make a batch, or all samples.
			struct out d = {tmp, 0, TMP};
			uint64_t last = times[i];
			bool sample = it->typ == EvCPUSample;
			if (sample)
				byte(&d, EvCPUSamples);
			for (int k = i; k < end; k++) {
				const story_item *e = &s->items[k];
				if (e->typ >= STORY_GEN || e->typ == EvExperimentalBatch ||
					(sample ? e->typ != EvCPUSample
						: e->m != it->m || e->typ == EvCPUSample))
					continue;
				written[k] = true;
				byte(&d, e->typ);
				varint(&d, sample ? times[k] : times[k] - last);
				if (sample)
					varint(&d, e->m);
				last = times[k];
				for (int a = 0; a < e->nargs; a++)
					varint(&d, args[k][a]);
				if (e->typ >= MaxExperimentalEvent)
					continue;
				const gt_spec *spec = &gt_specs[e->typ];
				if (sample && args[k][2] < K_COUNT)
					usestk[args[k][2]] = true;
				for (int a = 0; a < 2 && !sample; a++) {
					if (spec->stack[a] != 0 &&
						args[k][spec->stack[a] - 1] < K_COUNT)
						usestk[args[k][spec->stack[a] - 1]] = true;
					if (spec->string[a] != 0 &&
						args[k][spec->string[a] - 1] < S_COUNT)
						usestr[args[k][spec->string[a] - 1]] = true;
				}
			}
			batch(&o, NoExperiment, gen, sample ? NOBODY : it->m, times[i], &d);
		}
		for (int i = 1; i < K_COUNT; i++)
			for (int k = 0; usestk[i] && k < stacks[i].n; k++)
				usestr[stacks[i].f[k].func] = usestr[S_FILE] = true;
		if (end < s->n && s->items[end].typ == STORY_END) {
			tables(&o, &o2, gen, times[end], usestr, usestk);
			end++;
		}
		first = end > first ? end : first + 1;
	}
	free(times);
	free(args);
	free(written);
	return o.n;
}
