// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The environment.  Ports runtime1.go, env_posix.go and the number parsing of string.go and
// internal/strconv, as far as the runtime itself uses them, of Go 1.26.8.
//
// PORT: the environment is read from environ, where the program may change it: GODEBUG counts as it
// is at start-up.
#include "runtime/runtime1.h"

#include <unistd.h>

#include "sched/proc.h"
#include "sched/runtime2.h"
#include "sched/signal_unix.h"
#include "sched/stack.h"

uint32_t traceback_cache = 2 << tracebackShift;
static uint32_t traceback_env;

int32_t
gotraceback(bool *all, bool *crash) {
	M *mp = getg()->m;
	uint32_t t = atomic_Load(&traceback_cache);
	*crash = (t & tracebackCrash) != 0;
	*all = mp->throwing > throwTypeUser || (t & tracebackAll) != 0;
	if (mp->traceback != 0)
		return mp->traceback;
	if (mp->throwing >= throwTypeRuntime)
		return 2; // a fault of the runtime shows the runtime
	return (int32_t)(t >> tracebackShift);
}

// ---- check ------------------------------------------------------------------------------------------

// testAtomic64 tests the 64-bit operations.
static void
testAtomic64(void) {
	static uint64_t z, x;
	z = 42;
	x = 0;
	if (atomic_Cas(&z, x, 1))
		throw("cas64 failed");
	if (x != 0)
		throw("cas64 failed");
	x = 42;
	if (!atomic_Cas(&z, x, 1))
		throw("cas64 failed");
	if (x != 42 || z != 1)
		throw("cas64 failed");
	if (atomic_Load(&z) != 1)
		throw("load64 failed");
	atomic_Store(&z, (1UL << 40) + 1);
	if (atomic_Load(&z) != (1UL << 40) + 1)
		throw("store64 failed");
	if (atomic_Xadd(&z, (1UL << 40) + 1) != (2UL << 40) + 2)
		throw("xadd64 failed");
	if (atomic_Load(&z) != (2UL << 40) + 2)
		throw("xadd64 failed");
	if (atomic_Xchg(&z, (3UL << 40) + 3) != (2UL << 40) + 2)
		throw("xchg64 failed");
	if (atomic_Load(&z) != (3UL << 40) + 3)
		throw("xchg64 failed");
}

_Static_assert(
	sizeof(short) == 2 && sizeof(int) == 4 && sizeof(long) == 8 && sizeof(void *) == 8, "LP64");
_Static_assert(sizeof(float) == 4 && sizeof(double) == 8, "IEEE 754");
_Static_assert(sizeof(bool) == 1, "bool is a byte");

void
check(void) {
	uint32_t z = 1;
	if (!atomic_Cas(&z, 1, 2))
		throw("cas1");
	if (z != 2)
		throw("cas2");
	z = 4;
	if (atomic_Cas(&z, 5, 6))
		throw("cas3");
	if (z != 4)
		throw("cas4");
	z = 0xffffffff;
	if (!atomic_Cas(&z, 0xffffffff, 0xfffffffe))
		throw("cas5");
	if (z != 0xfffffffe)
		throw("cas6");

	uint8_t m[4] = {1, 1, 1, 1};
	atomic_Or(&m[1], 0xf0);
	if (m[0] != 1 || m[1] != 0xf1 || m[2] != 1 || m[3] != 1)
		throw("atomicor8");
	for (int i = 0; i < 4; i++)
		m[i] = 0xff;
	atomic_And(&m[1], 0x1);
	if (m[0] != 0xff || m[1] != 0x1 || m[2] != 0xff || m[3] != 0xff)
		throw("atomicand8");

	// Against -ffast-math.
	union {
		uint64_t u;
		double f;
	} j = {~0UL}, j1 = {~1UL};
	volatile double a = j.f;
	volatile double b = j1.f;
	if (a == a)
		throw("float64nan");
	if (!(a != a))
		throw("float64nan1");
	if (a == b)
		throw("float64nan2");
	if (!(a != b))
		throw("float64nan3");

	testAtomic64();
}

// ---- GODEBUG ----------------------------------------------------------------------------------------

struct debugvars debug;
intptr_t MemProfileRate = 512 * 1024;

typedef struct dbgVar {
	const char *name;
	int32_t *value;
	bool atomic; // may change while the program runs
	int32_t def;
} dbgVar;

static const dbgVar dbgvars[] = {
	{.name = "adaptivestackstart", .value = &debug.adaptivestackstart},
	{.name = "asyncpreemptoff", .value = &debug.asyncpreemptoff},
	{.name = "asynctimerchan", .value = &debug.asynctimerchan, .atomic = true},
	{.name = "cgocheck", .value = &debug.cgocheck},
	{.name = "clobberfree", .value = &debug.clobberfree},
	{.name = "containermaxprocs", .value = &debug.containermaxprocs, .def = 1},
	{.name = "dataindependenttiming", .value = &debug.dataindependenttiming},
	{.name = "decoratemappings", .value = &debug.decoratemappings, .def = 1},
	{.name = "disablethp", .value = &debug.disablethp},
	{.name = "dontfreezetheworld", .value = &debug.dontfreezetheworld},
	{.name = "checkfinalizers", .value = &debug.checkfinalizers},
	{.name = "efence", .value = &debug.efence},
	{.name = "gccheckmark", .value = &debug.gccheckmark},
	{.name = "gcpacertrace", .value = &debug.gcpacertrace},
	{.name = "gcshrinkstackoff", .value = &debug.gcshrinkstackoff},
	{.name = "gcstoptheworld", .value = &debug.gcstoptheworld},
	{.name = "gctrace", .value = &debug.gctrace},
	{.name = "harddecommit", .value = &debug.harddecommit},
	{.name = "inittrace", .value = &debug.inittrace},
	{.name = "invalidptr", .value = &debug.invalidptr},
	{.name = "madvdontneed", .value = &debug.madvdontneed},
	{.name = "panicnil", .value = &debug.panicnil, .atomic = true},
	{.name = "profstackdepth", .value = &debug.profstackdepth, .def = 128},
	{.name = "sbrk", .value = &debug.sbrk},
	{.name = "scavtrace", .value = &debug.scavtrace},
	{.name = "scheddetail", .value = &debug.scheddetail},
	{.name = "schedtrace", .value = &debug.schedtrace},
	{.name = "stackguard", .value = &debug.stackguard},
	{.name = "timeslice", .value = &debug.timeslice, .def = 10 * 1000},
	{.name = "traceadvanceperiod", .value = &debug.traceadvanceperiod},
	{.name = "traceallocfree", .value = &debug.traceallocfree, .atomic = true},
	{.name = "tracecheckstackownership", .value = &debug.traceCheckStackOwnership},
	{.name = "tracebackancestors", .value = &debug.tracebackancestors},
	{.name = "tracebacklabels", .value = &debug.tracebacklabels, .atomic = true},
	{.name = "tracefpunwindoff", .value = &debug.tracefpunwindoff},
	{.name = "updatemaxprocs", .value = &debug.updatemaxprocs, .def = 1},
	{.name = "zombie", .value = &debug.zombie},
};

// parsedebugvars sets the defaults, then what the environment says.
void
parsedebugvars(void) {
	debug.cgocheck = 1;
	// PORT: 1 in Go.  C programs have words that only look like pointers (DESIGN 4.4).
	debug.invalidptr = 0;
	debug.adaptivestackstart = 1;
	// MADV_FREE is faster, but top and memory managers show the memory as if it were still ours.
	debug.madvdontneed = 1;
	debug.traceadvanceperiod = defaultTraceAdvancePeriod;
	for (uintptr_t i = 0; i < nelem(dbgvars); i++) {
		if (dbgvars[i].def != 0)
			atomic_Store(dbgvars[i].value, dbgvars[i].def);
	}

	const char *godebug = gogetenv("GODEBUG");
	parsegodebug(godebug);

	debug.malloc = (debug.inittrace | debug.sbrk | debug.checkfinalizers) != 0;
	debug.profstackdepth = min(debug.profstackdepth, maxProfStackDepth);
	debug.timeslice = max(debug.timeslice, 20);
	// PORT: gccheckmark leaves asynchronous stops on.  A goroutine that is stopped anywhere may hold a
	// dead pointer, on which Go's checkmark would fail; ours does not believe stacks (mgcmark_drain.c).

	setTraceback(gogetenv("GOTRACEBACK"));
	traceback_env = traceback_cache;
}

// setvar sets the variable whose name is n bytes at key; running: only if it may change now.
static void
setvar(const char *key, uintptr_t n, const char *value, bool running) {
	bool ok;
	if (!running && n == strlen("memprofilerate") && memcmp(key, "memprofilerate", n) == 0) {
		intptr_t v = runtime_atoi(value, &ok);
		if (ok)
			MemProfileRate = v;
		return;
	}
	for (uintptr_t i = 0; i < nelem(dbgvars); i++) {
		const dbgVar *d = &dbgvars[i];
		if (strlen(d->name) != n || memcmp(d->name, key, n) != 0)
			continue;
		int32_t v = runtime_atoi32(value, &ok);
		if (ok && (!running || d->atomic))
			atomic_Store(d->value, v);
	}
}

// parsegodebug1 goes through key=value,key=value from left to right, so that the last of several
// settings of a variable stays.
static void
parsegodebug1(const char *godebug, bool running) {
	if (godebug == NULL)
		return;
	for (const char *p = godebug; *p != 0;) {
		uintptr_t n = strcspn(p, ",");
		const char *eq = memchr(p, '=', n);
		char value[32];
		if (eq != NULL) {
			uintptr_t nvalue = (uintptr_t)(p + n - eq) - 1;
			if (nvalue < sizeof(value)) {
				memcpy(value, eq + 1, nvalue);
				value[nvalue] = 0;
				setvar(p, (uintptr_t)(eq - p), value, running);
			}
		}
		p += n;
		if (*p == ',')
			p++;
	}
}

void
parsegodebug(const char *godebug) {
	parsegodebug1(godebug, false);
	if (debug.cgocheck > 1)
		throw("cgocheck > 1 mode is no longer supported at runtime. Use "
		      "GOEXPERIMENT=cgocheck2 at build time instead.");
}

// reparsedebugvars follows a change of GODEBUG to env: variables that may change and are not in it
// go back to 0.
void
reparsedebugvars(const char *env) {
	for (uintptr_t i = 0; i < nelem(dbgvars); i++) {
		const dbgVar *d = &dbgvars[i];
		// Without a moment at 0 for those that env sets.
		uintptr_t n = strlen(d->name);
		bool seen = false;
		for (const char *p = env; p != NULL && *p != 0;) {
			if (strncmp(p, d->name, n) == 0 && p[n] == '=')
				seen = true;
			p += strcspn(p, ",");
			if (*p == ',')
				p++;
		}
		if (d->atomic && !seen)
			atomic_Store(d->value, 0);
	}
	parsegodebug1(env, true);
}

void
setTraceback(const char *level) {
	uint32_t t;
	if (level == NULL)
		level = "";
	if (strcmp(level, "none") == 0) {
		t = 0;
	} else if (strcmp(level, "single") == 0 || *level == 0) {
		t = 1 << tracebackShift;
	} else if (strcmp(level, "all") == 0) {
		t = 1 << tracebackShift | tracebackAll;
	} else if (strcmp(level, "system") == 0) {
		t = 2 << tracebackShift | tracebackAll;
	} else if (strcmp(level, "crash") == 0) {
		t = 2 << tracebackShift | tracebackAll | tracebackCrash;
	} else {
		t = tracebackAll;
		bool ok;
		intptr_t n = runtime_atoi(level, &ok);
		if (ok && n == (intptr_t)(uint32_t)n)
			t |= (uint32_t)n << tracebackShift;
	}
	// Inside somebody else's program exiting without a word is rude: abort.
	if (islibrary)
		t |= tracebackCrash;
	t |= traceback_env;
	atomic_Store(&traceback_cache, t);
}

// ---- holding the M ------------------------------------------------------------------------------------

M *
acquirem(void) {
	return likely(getg() != NULL) ? acquirem1() : NULL; // PORT: NULL before there is one
}

void
releasem(M *mp) {
	if (likely(mp != NULL))
		releasem1(mp);
}

// ---- environment and numbers --------------------------------------------------------------------------

const char *
gogetenv(const char *key) {
	uintptr_t n = strlen(key);
	if (environ == NULL)
		return NULL;
	for (char **e = environ; *e != NULL; e++) {
		if (strncmp(*e, key, n) == 0 && (*e)[n] == '=')
			return *e + n + 1;
	}
	return NULL;
}

// parseInt parses n bytes of decimal digits with an optional sign.
static int64_t
parseInt(const char *s, uintptr_t n, bool *ok) {
	*ok = false;
	bool neg = n > 0 && s[0] == '-';
	uintptr_t i = n > 0 && (s[0] == '-' || s[0] == '+') ? 1 : 0;
	if (i == n)
		return 0;
	uint64_t max = (uint64_t)INT64_MAX + (neg ? 1 : 0);
	uint64_t v = 0;
	for (; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return 0;
		uint64_t d = (uint64_t)(s[i] - '0');
		if (v > (max - d) / 10)
			return 0;
		v = v * 10 + d;
	}
	*ok = true;
	return neg ? (int64_t)-v : (int64_t)v;
}

int64_t
runtime_atoi64(const char *s, bool *ok) {
	return parseInt(s, strlen(s), ok);
}

intptr_t
runtime_atoi(const char *s, bool *ok) {
	return runtime_atoi64(s, ok);
}

int32_t
runtime_atoi32(const char *s, bool *ok) {
	int64_t n = runtime_atoi64(s, ok);
	if (n != (int32_t)n)
		*ok = false;
	return *ok ? (int32_t)n : 0;
}

int64_t
parseByteCount(const char *s, bool *ok) {
	*ok = false;
	uintptr_t n = strlen(s);
	if (n == 0)
		return 0;
	char last = s[n - 1];
	int power = 0;
	if (last < '0' || last > '9') {
		// B, or KiB and so on.
		if (last != 'B' || n < 2)
			return 0;
		char c = s[n - 2];
		if (c >= '0' && c <= '9') {
			n--;
		} else {
			if (c != 'i' || n < 4)
				return 0;
			static const char units[] = "KMGT";
			const char *unit = strchr(units, s[n - 3]);
			if (unit == NULL || *unit == 0)
				return 0;
			power = (int)(unit - units) + 1;
			n -= 3;
		}
	}
	bool isnum;
	int64_t v = parseInt(s, n, &isnum);
	if (!isnum || v < 0 || v > INT64_MAX >> (10 * power))
		return 0;
	*ok = true;
	return v << (10 * power);
}
