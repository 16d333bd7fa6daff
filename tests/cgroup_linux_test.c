// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The CPU limit of the control group, with the cases of Go's cgroup_test.go.
#include "runtime/cgroup_linux.h"

#include <stdio.h>
#include <stdlib.h>

#include "runtime/os_linux.h"
#include "tests/support/support.h"

// A text that is read as a file.
typedef struct text {
	const char *p;
	size_t n;
} text;

static int32_t
readtext(void *arg, void *b, int32_t n) {
	text *t = arg;
	if ((size_t)n > t->n)
		n = (int32_t)t->n;
	memcpy(b, t->p, (size_t)n);
	t->p += n;
	t->n -= (size_t)n;
	return n;
}

static char scratch[cgroupParseSize];
static text file;

static lineReader *
open_text(const char *s, int32_t nscratch) {
	static lineReader l;
	file = (text){s, strlen(s)};
	lineReader_init(&l, readtext, &file, scratch, nscratch);
	return &l;
}

// The lines of contents in a buffer of 8 bytes; a line that did not fit ends with +.
static const char *
lines(const char *contents) {
	static char out[200];
	lineReader *l = open_text(contents, 8);
	out[0] = 0;
	for (;;) {
		cgroupError err = lineReader_next(l);
		if (err == errEOF)
			return out;
		cr_assert(err == cgroupOK || err == errIncompleteLine);
		int32_t n;
		char *p = lineReader_line(l, &n);
		strncat(out, p, (size_t)n);
		strcat(out, err == cgroupOK ? "|" : "+|");
	}
}

Test(Cgroup, LineReader) {
	cr_assert_str_eq(lines(""), "");
	cr_assert_str_eq(lines("1234\n"), "1234|");
	cr_assert_str_eq(lines("1234"), "1234+|");
	cr_assert_str_eq(lines("1234567\n"), "1234567|");
	cr_assert_str_eq(lines("12345678\n"), "12345678+|");
	cr_assert_str_eq(lines("1234\n5678\n"), "1234|5678|");
	cr_assert_str_eq(lines("12\n34\n56\n78\n"), "12|34|56|78|");
	cr_assert_str_eq(lines("1234\n5678"), "1234|5678+|");
	cr_assert_str_eq(lines("1234\n1234567890\n5678\n"), "1234|12345678+|5678|");
	cr_assert_str_eq(
		lines("1234\n12345678000000000000000000000000000\n5678\n"), "1234|12345678+|5678|");
}

static bool
v1(const char *s, int64_t *val) {
	return parseV1Number(s, (int32_t)strlen(s), val) == cgroupOK;
}

Test(Cgroup, ParseV1Number) {
	int64_t val;
	cr_assert(v1("-1\n", &val) && val == -1);
	cr_assert(v1("500000\n", &val) && val == 500000);
	cr_assert(v1("9223372036854775807\n", &val) && val == INT64_MAX);
	cr_assert_not(v1("500000", &val));
	cr_assert_not(v1("123max\n", &val));
	cr_assert_not(v1("1000 5000\n", &val));
}

static cgroupError
v2(const char *s, double *limit, bool *ok) {
	return parseV2Limit(s, (int32_t)strlen(s), limit, ok);
}

Test(Cgroup, ParseV2Limit) {
	double limit;
	bool ok;
	cr_assert(v2("max 100000\n", &limit, &ok) == cgroupOK && !ok);
	cr_assert(v2("500000 100000\n", &limit, &ok) == cgroupOK && ok && limit == 5);
	cr_assert(v2("50000 100000\n", &limit, &ok) == cgroupOK && ok && limit == 0.5);
	cr_assert(v2("250000 100000\n", &limit, &ok) == cgroupOK && ok && limit == 2.5);
	cr_assert(v2("9223372036854775807 9223372036854775807\n", &limit, &ok) == cgroupOK && ok &&
		  limit == 1);
	cr_assert(v2("500000 100000", &limit, &ok) != cgroupOK);
	cr_assert(v2("500000\n", &limit, &ok) != cgroupOK);
	cr_assert(v2("500000us 100000\n", &limit, &ok) != cgroupOK);
	cr_assert(v2("500000 100000us\n", &limit, &ok) != cgroupOK);
}

Test(Cgroup, ContainsCPU) {
	cr_assert_not(containsCPU("", 0) || containsCPU(",", 1));
	cr_assert(containsCPU("cpu", 3) && containsCPU("memory,cpu", 10));
	cr_assert(containsCPU("cpu,memory", 10) && containsCPU("memory,cpu,block", 16));
	cr_assert_not(containsCPU("memory,cpuacct,block", 20));
}

static char out[cgroupPathSize + 1];

static cgroupError
cpuCgroup(const char *s, cgroupVersion *version) {
	int32_t n;
	cgroupError err =
		parseCPUCgroup(open_text(s, sizeof(scratch)), out, cgroupPathSize, &n, version);
	out[n] = 0;
	return err;
}

Test(Cgroup, ParseCPUCgroup) {
	cgroupVersion version;
	cr_assert(cpuCgroup("", &version) == errNoCgroup);
	cr_assert(cpuCgroup("2:cpu,cpuacct:/a/b/cpu\n1:blkio:/a/b/blkio\n", &version) == cgroupOK);
	cr_assert(strcmp(out, "/a/b/cpu") == 0 && version == cgroupV1);
	cr_assert(cpuCgroup("0::/a/b/c\n", &version) == cgroupOK);
	cr_assert(strcmp(out, "/a/b/c") == 0 && version == cgroupV2);
	cr_assert(cpuCgroup("2:cpu,cpuacct:/a/b/cpu\n1:blkio:/a/b/blkio\n0::/a/b/v2\n", &version) ==
		  cgroupOK);
	cr_assert(strcmp(out, "/a/b/cpu") == 0 && version == cgroupV1);

	static const char *const malformed[] = {"\n", "0\n", "0:\n", "0::\n", "0::a\n"};
	for (size_t i = 0; i < nelem(malformed); i++)
		cr_assert(cpuCgroup(malformed[i], &version) == errMalformedFile, "%zu", i);

	static char longer[cgroupParseSize + 100];
	memset(longer, 'a', sizeof(longer) - 1);
	memcpy(longer, "0::/", 4);
	cr_assert(cpuCgroup(longer, &version) == errIncompleteLine);
	strcpy(longer + cgroupPathSize + 10, "\n");
	cr_assert(cpuCgroup(longer, &version) == errPathTooLong);
}

static cgroupError
cpuMount(const char *s, const char *cgroup, cgroupVersion version) {
	int32_t n = (int32_t)strlen(cgroup);
	memcpy(out, cgroup, (size_t)n);
	cgroupError err = parseCPUMount(
		open_text(s, sizeof(scratch)), out, cgroupPathSize, out, n, version, &n);
	out[n] = 0;
	return err;
}

#define MNT                                              \
	"22 1 8:1 / / rw,relatime - ext4 /dev/root rw\n" \
	"20 22 0:19 / /proc rw,nosuid,nodev,noexec - proc proc rw\n"

Test(Cgroup, ParseCPUMount) {
	cr_assert(cpuMount("", "/", cgroupV1) == errNoCgroup);
	cr_assert(cpuMount(MNT "49 22 0:37 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
			       "54 22 0:38 / /sys/fs/cgroup/io rw - cgroup cgroup rw,io\n"
			       "56 22 0:40 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
			       "58 22 0:42 / /sys/fs/cgroup/net rw - cgroup cgroup rw,net\n",
			  "/", cgroupV1) == cgroupOK);
	cr_assert_str_eq(out, "/sys/fs/cgroup/cpu");
	cr_assert(cpuMount(MNT "25 21 0:22 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n",
			  "/", cgroupV2) == cgroupOK);
	cr_assert_str_eq(out, "/sys/fs/cgroup");

	// An escaped mount point; the group below the mount's root; a group outside of it.
	cr_assert(cpuMount(MNT "25 21 0:22 / /sys/fs/cgroup/tab\\011tab rw - cgroup2 cgroup2 rw\n",
			  "/a", cgroupV2) == cgroupOK);
	cr_assert_str_eq(out, "/sys/fs/cgroup/tab\ttab/a");
	cr_assert(cpuMount(MNT "30 22 0:26 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			  "/docker/x/init", cgroupV2) == cgroupOK);
	cr_assert_str_eq(out, "/sys/fs/cgroup/init");
	cr_assert(cpuMount(MNT "30 22 0:26 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			  "/docker/xy", cgroupV2) == errNoCgroup);
	cr_assert(cpuMount(MNT "1243 61 0:26 /../../.. /mnt rw shared:4 - cgroup2 cgroup2 rw\n"
			       "29 22 0:26 /../../../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			  "/../../../../init.scope", cgroupV2) == cgroupOK);
	cr_assert_str_eq(out, "/sys/fs/cgroup/init.scope");

	// A mount with options longer than the buffer is no obstacle.
	static char big[2 * cgroupParseSize];
	int n = snprintf(
		big, sizeof(big), "33 22 0:36 / /merged rw - overlay overlay rw,lowerdir=");
	memset(big + n, 'x', cgroupParseSize);
	strcpy(big + n + cgroupParseSize,
		"\n25 21 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	cr_assert(cpuMount(big, "/q", cgroupV2) == cgroupOK);
	cr_assert_str_eq(out, "/sys/fs/cgroup/q");

	static const char *const malformed[] = {"\n", "22\n", "22 1 8:1\n", "22 1 8:1 /\n",
		"22 1 8:1 / /cgroup\n", "22 1 8:1 / /cgroup rw\n", "22 1 8:1 / /cgroup rw -\n",
		"22 1 8:1 / /cgroup rw - \n", "22 1 8:1 / /cgroup rw - cgroup\n",
		"22 1 8:1 / /cgroup rw - cgroup cgroup\n",
		"22 1 8:1 a /cgroup rw - cgroup cgroup cpu\n"};
	for (size_t i = 0; i < nelem(malformed); i++)
		cr_assert(cpuMount(malformed[i], "/", cgroupV1) == errMalformedFile, "%zu", i);
}

Test(Cgroup, UnescapePath) {
	char to[8];
	int32_t n;
	cr_assert(unescapePath(to, 8, "a\\040b\\134", 10, &n) == cgroupOK);
	cr_assert(n == 4 && memcmp(to, "a b\\", 4) == 0);
	static const char *const bad[] = {"/a/b\\c", "/a/b\\01", "/a/b\\018", "/a/b\\01c",
		"/a/b\\777", "01234567890123456789",
		"\\001\\002\\003\\004\\005\\006\\007\\010\\011"};
	for (size_t i = 0; i < nelem(bad); i++) {
		cr_assert(unescapePath(to, 8, bad[i], (int32_t)strlen(bad[i]), &n) ==
				  errInvalidEscape,
			"%s", bad[i]);
	}
}

Test(Cgroup, Adjust) {
	cr_assert_eq(adjustCgroupGOMAXPROCS(8, 100), 8);
	cr_assert_eq(adjustCgroupGOMAXPROCS(8, 8), 8);
	cr_assert_eq(adjustCgroupGOMAXPROCS(8, 2.1), 3);
	cr_assert_eq(adjustCgroupGOMAXPROCS(8, 0.5), 2);
	cr_assert_eq(adjustCgroupGOMAXPROCS(1, 0.5), 1);
	cr_assert(getCPUCount() >= 1);
	cr_assert(defaultGOMAXPROCS(0) >= 1);
}
