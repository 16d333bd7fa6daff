// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// mkdefect writes broken traces, each broken in one way, and some that are sound.
//
//	mkdefect DIR		all of them, as DIR/NAME.trace; prints the names
//	mkdefect -large MB	a sound trace of many generations to standard output
//
// What Go's reader says of each is in tests/trace/defects.txt.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/trace/story.h"

enum action {
	NOTHING,
	DROP,   // the items with this tag
	DOUBLE, // the item a second time
	SET,    // argument arg to val
	TYPE,   // the type of the event to val
	MOVE,   // the item to thread val
	BEFORE, // insert item before the tagged one
	AFTER,
	CUT,   // everything after the tagged item
	RAW,   // a batch with the bytes data before the end of the first generation
	FLAG,  // in the options
	POKE,  // the bytes data at offset arg of the file
	SHORT, // the file ends after arg bytes (< 0: before the end)
};

enum { NOSYNC, NOCLOCK, NOEND, NOSTRINGS, NOSTACKS, TWOFREQ, TWOCLOCKS };

#define B(x) .data = x, .ndata = sizeof(x) - 1
#define ONE(thread, type, ...)                                                 \
	{                                                                      \
		.m = thread, .dt = 1, .typ = type,                             \
		.nargs = sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), \
		.args = {__VA_ARGS__},                                         \
	}
#define NONE(thread, type) \
	{ .m = thread, .dt = 1, .typ = type }

static const struct defect {
	const char *name;
	enum action action;
	const char *tag;
	int arg;
	uint64_t val;
	const char *data;
	uint32_t ndata;
	story_item item;
	int version;
} defects[] = {
	{.name = "sound"},
	// the table of the format's description
	{.name = "nosync", .action = FLAG, .arg = NOSYNC},
	{.name = "noclock", .action = FLAG, .arg = NOCLOCK},
	{.name = "noend", .action = FLAG, .arg = NOEND},
	{.name = "onegen", .action = CUT, .tag = "end"},
	{.name = "nostrings", .action = FLAG, .arg = NOSTRINGS},
	{.name = "nostacks", .action = FLAG, .arg = NOSTACKS},
	{.name = "nopstatus", .action = DROP, .tag = "pstatus"},
	{.name = "nogstatus", .action = DROP, .tag = "gstatus"},
	{.name = "gseq", .action = SET, .tag = "gstart", .arg = 1, .val = 2},
	{.name = "pseq", .action = SET, .tag = "steal", .arg = 1, .val = 77},
	{.name = "nosteal", .action = DROP, .tag = "steal"},
	{.name = "nogcactive", .action = DROP, .tag = "gcactive"},
	{.name = "nogcend", .action = DROP, .tag = "gcend"},
	{.name = "twice", .action = DOUBLE, .tag = "create"},
	{.name = "badstatus", .action = SET, .tag = "status2", .arg = 2, .val = GoWaiting},
	{.name = "lateg", .action = DROP, .tag = "late"},
	{.name = "nostwend", .action = DROP, .tag = "stwend"},
	{.name = "noassistactive", .action = DROP, .tag = "assistactive"},
	// files
	{.name = "empty", .action = SHORT, .arg = 0},
	{.name = "header", .action = SHORT, .arg = 15},
	{.name = "headeronly", .action = SHORT, .arg = 16},
	{.name = "nottrace", .action = POKE, .arg = 0, B("x")},
	{.name = "version", .action = POKE, .arg = 5, B("27")},
	{.name = "oldversion", .action = POKE, .arg = 5, B("21")},
	{.name = "nobatch", .action = POKE, .arg = 16, B("\7")},
	{.name = "cutgen", .action = SHORT, .arg = 17},
	{.name = "cutm", .action = SHORT, .arg = 19},
	{.name = "cuttime", .action = SHORT, .arg = 23},
	{.name = "cutsize", .action = SHORT, .arg = 26},
	{.name = "cutdata", .action = SHORT, .arg = 100},
	{.name = "cutend", .action = SHORT, .arg = -1},
	{.name = "longgen",
		.action = POKE,
		.arg = 17,
		B("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1")},
	{.name = "largebatch", .action = POKE, .arg = 17, B("\1\1\1\x81\x80\x04")},
	// generations
	{.name = "gen0", .action = SET, .tag = "gen2", .arg = 0, .val = 0},
	{.name = "gen9", .action = SET, .tag = "gen2", .arg = 0, .val = 9},
	{.name = "gensame", .action = SET, .tag = "gen2", .arg = 0, .val = 1},
	{.name = "twofreq", .action = FLAG, .arg = TWOFREQ},
	{.name = "twoclocks", .action = FLAG, .arg = TWOCLOCKS},
	// tables
	{.name = "badsync", .action = RAW, B("\x32\x09")},
	{.name = "stringevent", .action = RAW, B("\4\3")},
	{.name = "stringlong", .action = RAW, B("\4\5\1\x81\x08")},
	{.name = "stringcut", .action = RAW, B("\4\5\x63\5abc")},
	{.name = "stringover", .action = RAW, B("\4\5\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1")},
	{.name = "stringagain", .action = RAW, B("\4\5\x63\1a\5\x63\1b")},
	{.name = "string0", .action = RAW, B("\4\5\0\1a")},
	{.name = "stackevent", .action = RAW, B("\2\5")},
	{.name = "stackdeep", .action = RAW, B("\2\3\1\x81\1")},
	{.name = "stackcut", .action = RAW, B("\2\3\x63\2\1\1\1\1\x80")},
	{.name = "stackcutpc", .action = RAW, B("\2\3\x63\1")},
	{.name = "stackagain", .action = RAW, B("\2\3\x63\1\x10\1\1\1\3\x63\1\x20\1\1\1")},
	{.name = "stack0", .action = RAW, B("\2\3\0\0")},
	{.name = "stackfunc", .action = RAW, B("\2\3\x63\1\x10\x70\1\1")},
	{.name = "stackfile", .action = RAW, B("\2\3\x63\1\x10\0\x70\1")},
	{.name = "sampleevent", .action = RAW, B("\6\3")},
	{.name = "samplestack", .action = SET, .tag = "sample", .arg = 2, .val = 99},
	{.name = "experiment", .action = RAW, .arg = 9, B("\1")},
	// events of a thread
	{.name = "untimed", .action = RAW, B("\3")},
	{.name = "noevent", .action = RAW, B("\x3c")},
	{.name = "eventlarge", .action = RAW, B("\x90")},
	{.name = "eventcut", .action = RAW, B("\x10\1")},
	{.name = "eventcuttime", .action = RAW, B("\x10\x80")},
	{.name = "clockevent", .action = RAW, B("\x33\1\1\1\1")},
	{.name = "badstring", .action = SET, .tag = "block", .arg = 0, .val = 99},
	{.name = "badstack", .action = SET, .tag = "block", .arg = 1, .val = 99},
	{.name = "badnewstack", .action = SET, .tag = "create", .arg = 1, .val = 99},
	// procs
	{.name = "pstatus9", .action = SET, .tag = "pstatus", .arg = 1, .val = 9},
	{.name = "pinconsistent",
		.action = BEFORE,
		.tag = "procs",
		.item = ONE(1001, EvProcStatus, 0, ProcIdle)},
	{.name = "pagain",
		.action = BEFORE,
		.tag = "procs",
		.item = ONE(1001, EvProcStatus, 0, ProcRunning)},
	{.name = "pstopnone", .action = BEFORE, .tag = "pidle", .item = NONE(1002, EvProcStop)},
	{.name = "pstoptwice", .action = DOUBLE, .tag = "pstop"},
	{.name = "startbusy", .action = SET, .tag = "pstart", .arg = 0, .val = 0},
	{.name = "selfsteal", .action = SET, .tag = "steal", .arg = 2, .val = 1005},
	{.name = "stealnobody", .action = SET, .tag = "steal", .arg = 2, .val = 4242},
	{.name = "stealwrong", .action = SET, .tag = "steal", .arg = 2, .val = 1001},
	{.name = "lostunknown",
		.action = BEFORE,
		.tag = "lost",
		.item = ONE(1002, EvProcStatus, 1, ProcIdle)},
	{.name = "lostonce",
		.action = AFTER,
		.tag = "lost",
		.item = ONE(1001, EvProcStatus, 1, ProcSyscallAbandoned)},
	// goroutines
	{.name = "gstatus9", .action = SET, .tag = "gstatus", .arg = 2, .val = 9},
	{.name = "gstatus0", .action = SET, .tag = "gstatus", .arg = 2, .val = 0},
	{.name = "gwaiting", .action = SET, .tag = "gstatus", .arg = 2, .val = GoWaiting},
	{.name = "gsyscallnothread",
		.action = BEFORE,
		.tag = "procs",
		.item = ONE(1001, EvGoStatus, 9, UINT64_MAX, GoSyscall)},
	{.name = "gsyscallother",
		.action = BEFORE,
		.tag = "procs",
		.item = ONE(1001, EvGoStatus, 9, 1002, GoSyscall)},
	{.name = "gsyscallbusy",
		.action = BEFORE,
		.tag = "late",
		.item = ONE(1001, EvGoStatus, 9, 1002, GoSyscall)},
	{.name = "createnop", .action = MOVE, .tag = "create", .val = 1003},
	{.name = "destroynone", .action = MOVE, .tag = "destroy", .val = 1003},
	{.name = "stopwaiting", .action = DOUBLE, .tag = "stop"},
	{.name = "createsyscall", .action = SET, .tag = "gosyscall", .arg = 0, .val = 1},
	{.name = "createsyscallg", .action = MOVE, .tag = "gosyscall", .val = 1001},
	{.name = "destroysysrunning", .action = MOVE, .tag = "destroysys", .val = 1001},
	{.name = "switchseq", .action = SET, .tag = "switch", .arg = 1, .val = 5},
	{.name = "switchself", .action = SET, .tag = "switch", .arg = 0, .val = 20},
	{.name = "switchdestroy", .action = TYPE, .tag = "switch", .val = EvGoSwitchDestroy},
	{.name = "unblockrunning", .action = SET, .tag = "unblock", .arg = 0, .val = 1},
	{.name = "sysseq", .action = SET, .tag = "sysbegin", .arg = 0, .val = 9},
	{.name = "sysbegintwice", .action = DOUBLE, .tag = "sysbegin"},
	{.name = "sysendtwice", .action = DOUBLE, .tag = "sysend"},
	{.name = "sysendblocked", .action = TYPE, .tag = "sysend", .val = EvGoSyscallEndBlocked},
	{.name = "sysendblockednog", .action = MOVE, .tag = "sysendblocked", .val = 1003},
	{.name = "eventsyscall",
		.action = AFTER,
		.tag = "sysbegin",
		.item = ONE(1001, EvGoStop, 0, 0)},
	{.name = "createinsyscall",
		.action = AFTER,
		.tag = "sysbegin",
		.item = ONE(1001, EvGoCreate, 60, 0, 0)},
	{.name = "labelsyscall",
		.action = AFTER,
		.tag = "sysbegin",
		.item = ONE(1001, EvGoLabel, 0)},
	// ranges
	{.name = "sweeptwice", .action = DOUBLE, .tag = "sweepbegin"},
	{.name = "sweependtwice", .action = DOUBLE, .tag = "sweepend"},
	{.name = "sweependfirst", .action = DROP, .tag = "sweepbegin"},
	{.name = "sweepunknown",
		.action = BEFORE,
		.tag = "procs",
		.item = ONE(1001, EvGCSweepActive, 9)},
	{.name = "sweepactivetwice",
		.action = BEFORE,
		.tag = "procs",
		.item = ONE(1001, EvGCSweepActive, 0)},
	{.name = "sweepmissing",
		.action = BEFORE,
		.tag = "assistactive",
		.item = ONE(1001, EvGCSweepActive, 0)},
	{.name = "assisttwice", .action = DOUBLE, .tag = "assistbegin"},
	{.name = "assistendtwice", .action = DOUBLE, .tag = "assistend"},
	{.name = "assistunknown",
		.action = BEFORE,
		.tag = "procs",
		.item = ONE(1001, EvGCMarkAssistActive, 9)},
	{.name = "assistmissing", .action = SET, .tag = "assistactive", .arg = 0, .val = 4},
	{.name = "assistknown",
		.action = AFTER,
		.tag = "assistbegin",
		.item = ONE(1001, EvGCMarkAssistActive, 1)},
	{.name = "stwacross", .action = BEFORE, .tag = "late", .item = ONE(1001, EvSTWBegin, 1, 0)},
	{.name = "gcactivelate",
		.action = AFTER,
		.tag = "gcbegin",
		.item = ONE(1001, EvGCActive, 1)},
	{.name = "gcactivefirst",
		.action = BEFORE,
		.tag = "procs",
		.item = ONE(1001, EvGCActive, 5)},
	{.name = "gcbegintwice",
		.action = AFTER,
		.tag = "gcbegin",
		.item = ONE(1001, EvGCBegin, 2, 0)},
	{.name = "gcendtwice", .action = AFTER, .tag = "gcend", .item = ONE(1001, EvGCEnd, 3)},
	{.name = "gcendfirst", .action = BEFORE, .tag = "gcbegin", .item = ONE(1001, EvGCEnd, 1)},
	// annotations
	{.name = "tasktwice", .action = DOUBLE, .tag = "taskbegin"},
	{.name = "taskname", .action = SET, .tag = "taskbegin", .arg = 2, .val = 99},
	{.name = "taskendtwice", .action = DOUBLE, .tag = "taskend"},
	{.name = "regionname", .action = SET, .tag = "regionend", .arg = 1, .val = 99},
	{.name = "regionmisuse", .action = SET, .tag = "regionend", .arg = 0, .val = 8},
	{.name = "regionother", .action = SET, .tag = "regionend", .arg = 1, .val = 1},
	// earlier versions
	{.name = "sound25", .action = NOTHING, .version = 25},
	{.name = "sound23", .action = NOTHING, .version = 23},
	{.name = "sound22", .action = NOTHING, .version = 22},
	{.name = "noclock25", .action = FLAG, .arg = NOCLOCK, .version = 25},
	{.name = "gen9_25", .action = SET, .tag = "gen2", .arg = 0, .val = 9, .version = 25},
	{.name = "gen0_25", .action = SET, .tag = "gen2", .arg = 0, .val = 0, .version = 25},
	{.name = "end25", .action = RAW, B("\x34"), .version = 25},
	{.name = "cut25", .action = SHORT, .arg = -3, .version = 25},
	{.name = "headeronly25", .action = SHORT, .arg = 16, .version = 25},
	{.name = "name22", .action = TYPE, .tag = "pstop", .val = EvGoStatusStack, .version = 22},
};

// tagged returns the index of the item, or -1.
static int
tagged(const story *s, const char *tag) {
	for (int i = 0; i < s->n; i++)
		if (s->items[i].tag != NULL && strcmp(s->items[i].tag, tag) == 0)
			return i;
	return -1;
}

// make makes one trace and returns its length.
static size_t
make(const struct defect *d, uint8_t *out, size_t cap) {
	story s = {0};
	story_opts o = {.version = d->version};
	uint32_t fam = FAM_ALL;
	// the system call across generations and the collection across them exclude each other
	if (d->tag != NULL && strcmp(d->tag, "lost") == 0)
		fam &= ~(uint32_t)FAM_GC2;
	story_make(&s, fam);
	int i = d->tag == NULL ? 0 : tagged(&s, d->tag);
	if (i < 0) {
		fprintf(stderr, "mkdefect: %s: no %s\n", d->name, d->tag);
		exit(2);
	}
	switch (d->action) {
	case DROP:
		s.items[i].typ = STORY_SKIP;
		break;
	case DOUBLE:
		story_insert(&s, i, &s.items[i]);
		break;
	case SET:
		s.items[i].args[d->arg] = d->val;
		break;
	case TYPE:
		s.items[i].typ = (uint8_t)d->val;
		break;
	case MOVE:
		s.items[i].m = d->val;
		break;
	case BEFORE:
		story_insert(&s, i, &d->item);
		break;
	case AFTER:
		story_insert(&s, i + 1, &d->item);
		break;
	case CUT:
		s.n = i + 1;
		break;
	case RAW: {
		story_item it = {
			.m = 1009, .dt = 1, .typ = STORY_RAW, .data = d->data, .ndata = d->ndata};
		if (d->arg != 0) {
			it.typ = EvExperimentalBatch;
			it.nargs = 1;
			it.args[0] = (uint64_t)d->arg;
		}
		story_insert(&s, tagged(&s, "end"), &it);
		break;
	}
	case FLAG: {
		bool *flags[] = {&o.nosync, &o.noclock, &o.noend, &o.nostrings, &o.nostacks,
			&o.twofreq, &o.twoclocks};
		*flags[d->arg] = true;
		break;
	}
	case NOTHING:
	case POKE:
	case SHORT:
		break;
	}
	size_t n = story_write(&s, &o, out, cap);
	free(s.items);
	if (d->action == POKE)
		memcpy(out + d->arg, d->data, d->ndata);
	if (d->action == SHORT)
		n = d->arg < 0 ? n - (size_t)-d->arg : (size_t)d->arg;
	return n;
}

// put adds a number, or an event with its arguments: all are numbers.
static uint8_t *
put(uint8_t *p, int n, const uint64_t *v) {
	for (int i = 0; i < n; i++) {
		uint64_t x = v[i];
		for (; x >= 0x80; x >>= 7)
			*p++ = (uint8_t)(x | 0x80);
		*p++ = (uint8_t)x;
	}
	return p;
}

#define PUT(...) \
	p = put(p, sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), (uint64_t[]){__VA_ARGS__})

// large writes generations of about 4 MB each: a goroutine that yields, makes system calls and logs.
static int
large(uint64_t mb) {
	static uint8_t data[MaxBatchSize], head[64];
	enum { BATCHES = 64 };
	uint64_t now = 1000000;
	fwrite("go 1.26 trace\0\0\0", 1, 16, stdout);
	for (uint64_t gen = 1; gen <= mb / 4; gen++) {
		uint64_t gseq = 0, pseq = 0;
		for (int b = 0; b < BATCHES; b++) {
			uint8_t *p = data;
			uint64_t start = now;
			if (b == 0) {
				PUT(EvProcStatus, 1, 0, ProcRunning);
				PUT(EvGoStatus, 1, 1, 77, GoRunning);
			}
			while (p < data + sizeof data - 100) {
				PUT(EvGoStop, 3, 1, 1);
				PUT(EvGoStart, 9, 1, ++gseq);
				PUT(EvGoSyscallBegin, 200, ++pseq, 1);
				PUT(EvGoSyscallEnd, 1000);
				PUT(EvUserLog, 17, 0, 2, 3, 1);
				PUT(EvHeapAlloc, 1, now & 0xffffff);
				now += 1230;
			}
			size_t n = (size_t)(p - data);
			p = head;
			PUT(EvEventBatch, gen, 77, start, n);
			fwrite(head, 1, (size_t)(p - head), stdout);
			fwrite(data, 1, n, stdout);
		}
		static const char tables[][48] = {
			"\2\3\1\1\20\2\3\5",                  // a stack
			"\4\5\1\1y\5\2\1k\5\3\13the message", // strings
			"\62\10\250\326\271\7\63\0\1\2\3",
		};
		static const uint8_t len[] = {8, 23, 11};
		for (int i = 0; i < 3; i++) {
			uint8_t *p = head;
			PUT(EvEventBatch, gen, UINT64_MAX, now, len[i]);
			fwrite(head, 1, (size_t)(p - head), stdout);
			fwrite(tables[i], 1, len[i], stdout);
		}
		putchar(EvEndOfGeneration);
	}
	return fflush(stdout) == 0 ? 0 : 2;
}

int
main(int argc, char **argv) {
	static uint8_t out[1 << 16];
	if (argc == 3 && strcmp(argv[1], "-large") == 0)
		return large(strtoull(argv[2], NULL, 10));
	if (argc != 2) {
		fputs("usage: mkdefect DIR | -large MB\n", stderr);
		return 2;
	}
	for (size_t i = 0; i < sizeof defects / sizeof defects[0]; i++) {
		size_t n = make(&defects[i], out, sizeof out);
		char path[4096];
		snprintf(path, sizeof path, "%s/%s.trace", argv[1], defects[i].name);
		FILE *f = fopen(path, "wb");
		if (f == NULL || fwrite(out, 1, n, f) != n || fclose(f) != 0) {
			perror(path);
			return 2;
		}
		puts(defects[i].name);
	}
	return 0;
}
