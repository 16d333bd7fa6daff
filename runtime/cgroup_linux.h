// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The CPU bandwidth of the control group, part by part.  Ports internal/runtime/cgroup of Go 1.26.8.
// What the runtime calls is in os_linux.h; this is for cgroup_linux.c and its test.
#ifndef GORT_RUNTIME_CGROUP_LINUX_H
#define GORT_RUNTIME_CGROUP_LINUX_H

#include "runtime/runtime.h"

enum {
	cgroupPathSize = 4096, // longest path
	// An escaped path is up to four times as long, and a line of mountinfo holds a few.
	cgroupParseSize = 4 * 4 * cgroupPathSize,
};

typedef enum cgroupError {
	cgroupOK,
	errIncompleteLine, // a line did not fit into the buffer
	errSyscallFailed,
	errEOF,
	errMalformedFile,
	errNoCgroup,
	errPathTooLong,
	errInvalidEscape,
} cgroupError;

typedef enum cgroupVersion { cgroupVersionUnknown, cgroupV1, cgroupV2 } cgroupVersion;

// lineReader reads a file by lines in a buffer of fixed size; what a line has beyond that is lost.
typedef struct lineReader {
	int32_t (*read)(void *arg, void *b, int32_t n); // bytes, 0 at the end, < 0: error
	void *arg;
	char *scratch;
	int32_t nscratch;
	int32_t n;       // bytes in use
	int32_t newline; // index of the first newline, -1: none
} lineReader;

void lineReader_init(lineReader *r, int32_t (*read)(void *, void *, int32_t), void *arg,
	char *scratch, int32_t nscratch);
// lineReader_next goes to the next line.  errIncompleteLine: only its beginning is there.
cgroupError lineReader_next(lineReader *r);
// lineReader_line returns the line, *n bytes, without a newline; it is good until next.
char *lineReader_line(lineReader *r, int32_t *n);

cgroupError parseV1Number(const char *buf, int32_t n, int64_t *val);
// parseV2Limit parses cpu.max into a number of CPUs; *ok false: no limit.
cgroupError parseV2Limit(const char *buf, int32_t n, double *limit, bool *ok);
bool containsCPU(const char *b, int32_t n);
// parseCPUCgroup finds the path of the CPU controller's group in /proc/self/cgroup.
cgroupError parseCPUCgroup(
	lineReader *l, char *out, int32_t nout, int32_t *n, cgroupVersion *version);
// parseCPUMount finds in /proc/self/mountinfo where that group's directory is.  out may be cgroup.
cgroupError parseCPUMount(lineReader *l, char *out, int32_t nout, const char *cgroup,
	int32_t ncgroup, cgroupVersion version, int32_t *n);
cgroupError unescapePath(char *out, int32_t nout, const char *in, int32_t nin, int32_t *n);

// adjustCgroupGOMAXPROCS is procs, or the limit rounded up if that is less, and at least 2.
int32_t adjustCgroupGOMAXPROCS(int32_t procs, double limit);

#endif
