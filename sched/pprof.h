// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Profiles in the formats of Go's runtime/pprof: inner interface.  See pprof.c, pprof_proto.c.
#ifndef GORT_SCHED_PPROF_H
#define GORT_SCHED_PPROF_H

#include "runtime/runtime.h"
#include "sched/symtab.h"

// pprofMem is memory that is freed all at once; off the heap, for one goroutine.
typedef struct pprofMem {
	struct pprofChunk *chunks;
	uint8_t *p;
	uint8_t *end;
	char name[24]; // of the chunks
} pprofMem;

// pprofMem_alloc returns zeroed memory, aligned to 16.
void *pprofMem_alloc(pprofMem *m, uintptr_t n);
// pprofMem_grow returns room for at least n elements of size bytes, with what was in p; *cap was and is
// the number of elements.
void *pprofMem_grow(pprofMem *m, void *p, intptr_t *cap, intptr_t n, uintptr_t size);
void pprofMem_free(pprofMem *m);

// ---- labels (pprof_label.c)

typedef struct label {
	const char *key;
	const char *value;
} label;

// gort_labels: sorted by key; all in one object of the heap, without pointers that count.
struct gort_labels {
	int n;
	label list[];
};

// ---- profile.proto (pprof_proto.c)

typedef struct profileBuilder profileBuilder;

// newProfileBuilder starts a profile that is written to fd.
profileBuilder *newProfileBuilder(int fd);
void pbValueType(profileBuilder *b, int tag, const char *typ, const char *unit);
void pbInt64Opt(profileBuilder *b, int tag, int64_t x);
int64_t profileBuilder_stringIndex(profileBuilder *b, const char *s);
// pbSample writes a sample with a stack of return addresses.  blockSize: 0 or the label "bytes".
void pbSample(profileBuilder *b, const int64_t *values, int nvalues, const uintptr_t *stk, int nstk,
	const struct gort_labels *labels, int64_t blockSize);
// profileBuilder_addCPUData adds records of the CPU profiler.
void profileBuilder_addCPUData(
	profileBuilder *b, const uint64_t *data, intptr_t ndata, void *const *tags, intptr_t ntags);
// profileBuilder_build writes the rest and frees b: 0, or the first error of a write, -errno.
int profileBuilder_build(profileBuilder *b);

enum {
	tagProfile_SampleType = 1,
	tagProfile_Sample = 2,
	tagProfile_Mapping = 3,
	tagProfile_Location = 4,
	tagProfile_Function = 5,
	tagProfile_StringTable = 6,
	tagProfile_TimeNanos = 9,
	tagProfile_DurationNanos = 10,
	tagProfile_PeriodType = 11,
	tagProfile_Period = 12,
	tagProfile_DefaultSampleType = 14,
};

// ---- for both

enum { pprofMaxFrames = 32 }; // of one return address, with inlined functions

// pprof_hidden reports whether a function is the runtime's own.
bool pprof_hidden(const char *name);

// pprof_env starts what the environment asks for, and arranges for its end.  By the main goroutine.
void pprof_env(void);

#endif
