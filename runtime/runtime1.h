// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The environment: GODEBUG, GOTRACEBACK, numbers.  Ports runtime1.go, env_posix.go and the number
// parsing of string.go of Go 1.26.8.
#ifndef GORT_RUNTIME_RUNTIME1_H
#define GORT_RUNTIME_RUNTIME1_H

#include "runtime/runtime.h"

// debug holds the GODEBUG variables.
extern struct debugvars {
	int32_t cgocheck;
	int32_t clobberfree;
	int32_t containermaxprocs;
	int32_t decoratemappings;
	int32_t disablethp;
	int32_t dontfreezetheworld;
	int32_t efence;
	int32_t gccheckmark;
	int32_t gcpacertrace;
	int32_t gcshrinkstackoff;
	int32_t gcstoptheworld;
	int32_t gctrace;
	int32_t invalidptr;
	int32_t madvdontneed;
	int32_t scavtrace;
	int32_t scheddetail;
	int32_t schedtrace;
	int32_t tracebackancestors;
	int32_t updatemaxprocs;
	int32_t asyncpreemptoff;
	int32_t harddecommit;
	int32_t adaptivestackstart;
	int32_t tracefpunwindoff;
	int32_t traceadvanceperiod;
	int32_t traceCheckStackOwnership;
	int32_t profstackdepth;
	int32_t dataindependenttiming;

	bool malloc; // one of the following is on: mallocgc looks
	int32_t inittrace;
	int32_t sbrk;
	int32_t checkfinalizers;
	int32_t traceallocfree;  // atomic
	int32_t panicnil;        // atomic
	int32_t asynctimerchan;  // atomic
	int32_t tracebacklabels; // atomic

	// gort's own
	int32_t stackguard; // how stacks are guarded; 0: the best the kernel has (stack.c)
	int32_t timeslice;  // us that a goroutine may run while others wait (proc_sysmon.c)
	int32_t zombie;     // throw on marks of free slots (mgcsweep.c)
} debug;

extern intptr_t MemProfileRate;

enum { defaultTraceAdvancePeriod = 1000000000, maxProfStackDepth = 1024 };

void parsedebugvars(void); // sets the defaults and reads GODEBUG and GOTRACEBACK
void parsegodebug(const char *godebug);
void reparsedebugvars(const char *env);

enum {
	tracebackCrash = 1 << 0,
	tracebackAll = 1 << 1,
	tracebackShift = 2,
};
extern uint32_t traceback_cache; // atomic: tracebackCrash | tracebackAll | level << tracebackShift
void setTraceback(const char *level);
// gotraceback returns the level: 0 no tracebacks, 1 without runtime frames, 2 with them.  *all: of
// all goroutines; *crash: dump core after them.
int32_t gotraceback(bool *all, bool *crash);

// gogetenv returns the value of an environment variable, or NULL.  It reads environ and takes no lock.
const char *gogetenv(const char *key);

// runtime_atoi and friends parse all of s; *ok says whether it was a number in range.
int64_t runtime_atoi64(const char *s, bool *ok);
intptr_t runtime_atoi(const char *s, bool *ok);
int32_t runtime_atoi32(const char *s, bool *ok);
// parseByteCount parses a number of bytes with an optional suffix B, KiB, MiB, GiB or TiB.
int64_t parseByteCount(const char *s, bool *ok);

// check tests at start-up what the runtime takes for granted of compiler and machine.
void check(void);

#endif
