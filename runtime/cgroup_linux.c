// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// GOMAXPROCS by default: the CPUs of the affinity mask, or less if the control group has less
// bandwidth.  Ports cgroup_linux.go and internal/runtime/cgroup of Go 1.26.8.
//
// The group's path comes from /proc/self/cgroup, the place of its directory from
// /proc/self/mountinfo, the limit from cpu.max there (version 1: cpu.cfs_quota_us and
// cpu.cfs_period_us).  The files stay open, since sysmon reads them again now and then.  Anything
// unexpected means that there is no limit.
//
// Only at start-up and by sysmon, never by two threads at once.
#include "runtime/cgroup_linux.h"

#include <fcntl.h>
#include <sys/syscall.h>

#include "runtime/os_linux.h"
#include "runtime/runtime1.h"

static struct {
	cgroupVersion version; // cgroupVersionUnknown: no limit
	int32_t quotaFD;
	int32_t periodFD; // version 1
} cgroupCPU;

static char cgroupPath[cgroupPathSize + 32]; // and the name of a file
static char cgroupScratch[cgroupParseSize];

// indexByte returns the index of the first c, or -1.
static int32_t
indexByte(const char *b, int32_t n, char c) {
	for (int32_t i = 0; i < n; i++) {
		if (b[i] == c)
			return i;
	}
	return -1;
}

static bool
equal(const char *b, int32_t n, const char *s) {
	return (uintptr_t)n == strlen(s) && memcmp(b, s, (uintptr_t)n) == 0;
}

// ---- lines ------------------------------------------------------------------------------------------

void
lineReader_init(lineReader *r, int32_t (*read)(void *, void *, int32_t), void *arg, char *scratch,
	int32_t nscratch) {
	*r = (lineReader){
		.read = read, .arg = arg, .scratch = scratch, .nscratch = nscratch, .newline = -1};
}

cgroupError
lineReader_next(lineReader *r) {
	bool prevComplete = r->newline >= 0;
	bool firstCall = r->n == 0;

	for (;;) {
		if (prevComplete) {
			// Drop the previous line; perhaps the next one is here already.
			r->n -= r->newline + 1;
			memmove(r->scratch, r->scratch + r->newline + 1, (uintptr_t)r->n);
			r->newline = indexByte(r->scratch, r->n, '\n');
			if (r->newline >= 0)
				return cgroupOK;
		}
		if (!prevComplete)
			r->n = 0; // the rest of a long line

		int32_t n = r->read(r->arg, r->scratch + r->n, r->nscratch - r->n);
		if (n < 0)
			return errSyscallFailed;
		r->n += n;
		if (r->n == 0)
			return errEOF;

		r->newline = indexByte(r->scratch, r->n, '\n');
		if (prevComplete || firstCall)
			return r->newline < 0 ? errIncompleteLine : cgroupOK;
		// This is the end of the previous line; the next turn drops it.
		if (r->newline < 0) {
			if (n == 0)
				return errEOF;
			continue;
		}
		prevComplete = true;
	}
}

char *
lineReader_line(lineReader *r, int32_t *n) {
	*n = r->newline < 0 ? r->n : r->newline;
	return r->scratch;
}

// ---- parsing ----------------------------------------------------------------------------------------

// parseInt parses n digits with an optional sign.
static bool
parseInt(const char *b, int32_t n, int64_t *val) {
	char num[24];
	bool ok;
	if (n >= (int32_t)sizeof(num))
		return false;
	memcpy(num, b, (uintptr_t)n);
	num[n] = 0;
	*val = runtime_atoi64(num, &ok);
	return ok;
}

cgroupError
parseV1Number(const char *buf, int32_t n, int64_t *val) {
	int32_t i = indexByte(buf, n, '\n');
	if (i < 0 || !parseInt(buf, i, val))
		return errMalformedFile;
	return cgroupOK;
}

cgroupError
parseV2Limit(const char *buf, int32_t n, double *limit, bool *ok) {
	*ok = false;
	int32_t i = indexByte(buf, n, ' ');
	if (i < 0)
		return errMalformedFile;
	if (equal(buf, i, "max"))
		return cgroupOK;
	const char *periodStr = buf + i + 1;
	int32_t nperiod = indexByte(periodStr, n - i - 1, '\n');
	int64_t quota;
	int64_t period;
	if (nperiod < 0 || !parseInt(buf, i, &quota) || !parseInt(periodStr, nperiod, &period))
		return errMalformedFile;
	*limit = (double)quota / (double)period;
	*ok = true;
	return cgroupOK;
}

bool
containsCPU(const char *b, int32_t n) {
	while (n > 0) {
		int32_t i = indexByte(b, n, ',');
		if (i < 0)
			return equal(b, n, "cpu");
		if (equal(b, i, "cpu"))
			return true;
		b += i + 1;
		n -= i + 1;
	}
	return false;
}

cgroupError
parseCPUCgroup(lineReader *l, char *out, int32_t nout, int32_t *nret, cgroupVersion *version) {
	// A line is hierarchy:controllers:path.  The CPU controller is in version 1 if a line of that
	// version (hierarchy not 0) has it, else in version 2.
	int32_t n = 0;
	*nret = 0;
	*version = cgroupVersionUnknown;
	for (;;) {
		cgroupError err = lineReader_next(l);
		if (err == errEOF)
			break;
		if (err != cgroupOK)
			return err;
		int32_t len;
		const char *line = lineReader_line(l, &len);

		int32_t i = indexByte(line, len, ':');
		if (i < 0)
			return errMalformedFile;
		const char *hierarchy = line;
		int32_t nhierarchy = i;
		line += i + 1;
		len -= i + 1;

		i = indexByte(line, len, ':');
		if (i < 0)
			return errMalformedFile;
		const char *controllers = line;
		int32_t ncontrollers = i;
		line += i + 1;
		len -= i + 1;

		if (len == 0 || line[0] != '/')
			return errMalformedFile;
		if (len > nout)
			return errPathTooLong;

		if (equal(hierarchy, nhierarchy, "0")) {
			memcpy(out, line, (uintptr_t)len);
			n = len;
		} else if (containsCPU(controllers, ncontrollers)) {
			memcpy(out, line, (uintptr_t)len);
			*nret = len;
			*version = cgroupV1;
			return cgroupOK;
		}
	}
	if (n == 0)
		return errNoCgroup;
	*nret = n;
	*version = cgroupV2;
	return cgroupOK;
}

// hasPathPrefix: p is the path prefix or below it.
static bool
hasPathPrefix(const char *p, int32_t n, const char *prefix, int32_t nprefix) {
	if (nprefix == 1)
		return true; // the root
	if (n < nprefix || memcmp(p, prefix, (uintptr_t)nprefix) != 0)
		return false;
	return n == nprefix || p[nprefix] == '/';
}

// field cuts the next word off a line; -1 if there is no space after it.
static int32_t
field(char **line, int32_t *len, char **word) {
	int32_t i = indexByte(*line, *len, ' ');
	if (i < 0)
		return -1;
	*word = *line;
	*line += i + 1;
	*len -= i + 1;
	return i;
}

cgroupError
parseCPUMount(lineReader *l, char *out, int32_t nout, const char *cgroup, int32_t ncgroup,
	cgroupVersion version, int32_t *nret) {
	// 36 35 98:0 ROOT MOUNTPOINT options optional... - TYPE source superoptions
	*nret = 0;
	for (;;) {
		cgroupError err = lineReader_next(l);
		if (err == errEOF)
			break;
		// An incomplete line will do: what we look for stands before the long options.
		if (err != cgroupOK && err != errIncompleteLine)
			return err;
		int32_t len;
		char *line = lineReader_line(l, &len);
		char *word;
		for (int i = 0; i < 3; i++) {
			if (field(&line, &len, &word) < 0)
				return errMalformedFile;
		}
		char *root;
		int32_t nroot = field(&line, &len, &root);
		if (nroot <= 0 || root[0] != '/')
			return errMalformedFile;
		char *mnt;
		int32_t nmnt = field(&line, &len, &mnt);
		if (nmnt < 0)
			return errMalformedFile;

		// Skip to " - ".
		for (;;) {
			int32_t i = indexByte(line, len, ' ');
			if (i < 0 || i + 3 >= len)
				return errMalformedFile;
			bool delim = memcmp(line + i, " - ", 3) == 0;
			line += i + (delim ? 3 : 1);
			len -= i + (delim ? 3 : 1);
			if (delim)
				break;
		}

		char *ftype;
		int32_t nftype = field(&line, &len, &ftype);
		if (nftype < 0)
			return errMalformedFile;
		if (version == cgroupV1) {
			if (!equal(ftype, nftype, "cgroup"))
				continue;
			if (field(&line, &len, &word) < 0)
				return errMalformedFile;
			if (!containsCPU(line, len))
				continue;
		} else if (!equal(ftype, nftype, "cgroup2")) {
			continue;
		}

		// The mount shows the part of the hierarchy below root.
		err = unescapePath(root, nroot, root, nroot, &nroot);
		if (err != cgroupOK)
			return err;
		if (!hasPathPrefix(cgroup, ncgroup, root, nroot))
			continue;
		const char *rel = cgroup + nroot;
		int32_t nrel = ncgroup - nroot;
		if (nroot == 1 && ncgroup > 1) {
			rel = cgroup;
			nrel = ncgroup;
		}
		if (hasPathPrefix(rel, nrel, "/..", 3))
			continue; // the group is above the root of this mount

		int32_t n = nmnt;
		for (int32_t i = 0; i < nmnt; i++)
			n -= mnt[i] == '\\' ? 3 : 0;
		if (n + nrel > nout)
			return errPathTooLong;
		// rel may lie in out: move it first.
		memmove(out + n, rel, (uintptr_t)nrel);
		int32_t n2;
		err = unescapePath(out, n, mnt, nmnt, &n2);
		if (err != cgroupOK)
			return err;
		if (n2 != n)
			throw("wrong unescaped len");
		*nret = n + nrel;
		return cgroupOK;
	}
	return errNoCgroup;
}

// unescapePath replaces the kernel's escapes, \ and three octal digits.  out may be in.
cgroupError
unescapePath(char *out, int32_t nout, const char *in, int32_t nin, int32_t *n) {
	int32_t outi = 0;
	*n = 0;
	for (int32_t ini = 0; ini < nin;) {
		if (outi >= nout)
			return errInvalidEscape;
		if (in[ini] != '\\') {
			out[outi++] = in[ini++];
			continue;
		}
		if (ini + 3 >= nin)
			return errInvalidEscape;
		int c = 0;
		for (int i = 1; i <= 3; i++) {
			if (in[ini + i] < '0' || in[ini + i] > '7')
				return errInvalidEscape;
			c = c * 8 + (in[ini + i] - '0');
		}
		if (c > 0xff)
			return errInvalidEscape;
		out[outi++] = (char)c;
		ini += 4;
	}
	*n = outi;
	return cgroupOK;
}

// ---- files ------------------------------------------------------------------------------------------

static int32_t
readfd(void *arg, void *b, int32_t n) {
	return runtime_read((int32_t)(intptr_t)arg, b, n);
}

// openfile opens the file name in the directory that is in cgroupPath, n bytes.
static int32_t
openfile(int32_t n, const char *name) {
	snprint(cgroupPath + n, sizeof(cgroupPath) - (uintptr_t)n, "%s", name);
	return runtime_open(cgroupPath, O_RDONLY | O_CLOEXEC, 0);
}

// findCPU writes the directory of the group into cgroupPath.
static cgroupError
findCPU(int32_t *n, cgroupVersion *version) {
	lineReader l;
	int32_t fd = runtime_open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return errNoCgroup;
	lineReader_init(&l, readfd, (void *)(intptr_t)fd, cgroupScratch, sizeof(cgroupScratch));
	cgroupError err = parseCPUCgroup(&l, cgroupPath, cgroupPathSize, n, version);
	runtime_closefd(fd);
	if (err != cgroupOK)
		return err;

	fd = runtime_open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return errNoCgroup;
	lineReader_init(&l, readfd, (void *)(intptr_t)fd, cgroupScratch, sizeof(cgroupScratch));
	err = parseCPUMount(&l, cgroupPath, cgroupPathSize, cgroupPath, *n, *version, n);
	runtime_closefd(fd);
	return err;
}

// defaultGOMAXPROCSInit needs debug.
void
defaultGOMAXPROCSInit(void) {
	int32_t n;
	cgroupVersion version;
	if (debug.containermaxprocs <= 0 || findCPU(&n, &version) != cgroupOK)
		return;
	if (version == cgroupV1) {
		int32_t quotaFD = openfile(n, "/cpu.cfs_quota_us");
		if (quotaFD < 0)
			return;
		int32_t periodFD = openfile(n, "/cpu.cfs_period_us");
		if (periodFD < 0) {
			runtime_closefd(quotaFD);
			return;
		}
		cgroupCPU.quotaFD = quotaFD;
		cgroupCPU.periodFD = periodFD;
	} else {
		int32_t maxFD = openfile(n, "/cpu.max");
		if (maxFD < 0)
			return;
		cgroupCPU.quotaFD = maxFD;
		cgroupCPU.periodFD = -1;
	}
	cgroupCPU.version = version;
}

// preadfile reads all of a small file; -1 on error or if it is not small.
static int32_t
preadfile(int32_t fd, char b[static 64]) {
	int64_t n = sys_call6(SYS_pread64, (uint64_t)fd, (uintptr_t)b, 64, 0, 0, 0);
	return n < 0 || n == 64 ? -1 : (int32_t)n;
}

// readCPULimit returns the bandwidth in CPUs; *ok false: no limit.
static double
readCPULimit(bool *ok) {
	char b[64];
	double limit = 0;
	*ok = false;
	int32_t n = preadfile(cgroupCPU.quotaFD, b);
	if (n < 0)
		return 0;
	if (cgroupCPU.version == cgroupV2) {
		if (parseV2Limit(b, n, &limit, ok) != cgroupOK)
			*ok = false;
		return limit;
	}
	int64_t quota;
	int64_t period;
	if (parseV1Number(b, n, &quota) != cgroupOK || quota < 0)
		return 0;
	n = preadfile(cgroupCPU.periodFD, b);
	if (n < 0 || parseV1Number(b, n, &period) != cgroupOK)
		return 0;
	*ok = true;
	return (double)quota / (double)period;
}

int32_t
adjustCgroupGOMAXPROCS(int32_t procs, double limit) {
	if (limit >= procs)
		return procs;
	int32_t n = (int32_t)limit;
	if ((double)n < limit)
		n++;
	// One would make a concurrent program a sequential one.
	n = max(n, 2);
	return min(n, procs);
}

int32_t
defaultGOMAXPROCS(int32_t ncpu) {
	int32_t procs = ncpu;
	if (procs <= 0)
		procs = getCPUCount();
	if (cgroupCPU.version == cgroupVersionUnknown)
		return procs;
	bool ok;
	double limit = readCPULimit(&ok);
	return ok ? adjustCgroupGOMAXPROCS(procs, limit) : procs;
}
