// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The CPU profiler from the inside.  The shares of a program are for pprof.sh.
#include "tests/support/support.h"

#include <pthread.h>
#include <signal.h>

#include "runtime/os_linux.h"
#include "runtime/runtime.h"
#include "sched/cpuprof.h"
#include "sched/proc.h"

// ---- the end of a profile, with samples of foreign threads on their way ---------------------------------

enum {
	foreignPC = 0x123456789,
	rounds = 300,
};

void _ExternalCode(void); // cpuprof.c

static uint32_t stopping; // atomic
static uint64_t round_;   // atomic
static uint64_t sentN;    // atomic: samples that the foreign thread has sent

// foreign is a thread whose signals never end.  Its samples say in which round they were sent.
static void *
foreign(void *arg) {
	(void)arg;
	while (atomic_Load(&stopping) == 0) {
		sigprofNonGo(foreignPC + atomic_Load(&round_), SI_KERNEL);
		(void)atomic_Xadd(&sentN, 1);
	}
	return NULL;
}

// awaitsent returns when the foreign thread has begun and sent another sample.
static void
awaitsent(void) {
	uint64_t n = atomic_Load(&sentN) + 2;
	while (atomic_Load(&sentN) < n)
		osyield();
}

// drain reads the whole profile, and returns how many samples of the foreign thread it has.  All are of
// this round.
static uint64_t
drain(uint64_t round) {
	uint64_t n = 0;

	for (bool eof = false; !eof;) {
		intptr_t ndata, ntags;
		void **tags;
		const uint64_t *data = readProfile(&ndata, &tags, &ntags, &eof);
		while (ndata > 0) {
			// length, time, count, stack
			CHECK(data[0] >= 3 && data[0] <= (uint64_t)ndata);
			if (data[0] < 3 || data[0] > (uint64_t)ndata)
				return 0;
			if (data[0] == 5 && data[4] == (uintptr_t)_ExternalCode + 1) {
				n += data[2];
				// Or those for which there was no room.
				if (data[2] == 1 && data[3] - (foreignPC + 1) < rounds)
					CHECK(data[3] == foreignPC + round + 1);
			}
			ndata -= (intptr_t)data[0];
			data += data[0];
		}
	}
	return n;
}

// What comes at the end of a profile is in this one, or in none.
static void
foreignlate(void) {
	pthread_t t;

	CHECK(pthread_create(&t, NULL, foreign, NULL) == 0);
	for (uint64_t i = 0; i < rounds; i++) {
		atomic_Store(&round_, i);
		awaitsent(); // none of the last round, from here on
		SetCPUProfileRate(1);
		awaitsent();
		SetCPUProfileRate(0);
		CHECK(drain(i) >= 1);
	}
	atomic_Store(&stopping, 1u);
	CHECK(pthread_join(t, NULL) == 0);
}

Test(CPUProf, ForeignLate) {
	RUN(foreignlate);
}
