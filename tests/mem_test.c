// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Memory from the system, memory that is never freed, and what happens when there is none.
#include "runtime/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "runtime/gort.h"
#include "runtime/mstats.h"
#include "runtime/os_linux.h"
#include "tests/support/death.h"
#include "tests/support/support.h"

static sysMemStat stat;

// mapped: the pages of [p, p+n) are mapped (mincore says so even of untouched ones).
static bool
mapped(void *p, uintptr_t n) {
	static unsigned char vec[1 << 16];
	return mincore(p, n, vec) == 0;
}

static void
states(void) {
	enum { n = 1 << 20 };
	uint8_t *p = sysReserve(NULL, n, "test");
	CHECK(p != NULL && mapped(p, n));
	sysMap(p, n, &stat, "test");
	CHECK(sysMemStat_load(&stat) == n);
	sysUsed(p, n, n);
	memset(p, 1, n);
	sysUnused(p, n);
	sysUsed(p, n, n);
	CHECK(p[0] == 0 && p[n - 1] == 0); // MADV_DONTNEED
	sysHugePage(p, n);
	sysNoHugePage(p, n);
	sysHugePageCollapse(p, n);
	memset(p, 2, n);
	CHECK(p[n / 2] == 2);
	sysFree(p, n, &stat);
	CHECK(sysMemStat_load(&stat) == 0 && !mapped(p, n));

	p = sysAlloc(n, &stat, "test");
	CHECK(p != NULL && p[0] == 0 && p[n - 1] == 0 && sysMemStat_load(&stat) == n);
	sysFree(p, n, &stat);
}

Test(Mem, States) {
	RUN(states);
}

static void
aligned(void) {
	for (int i = 0; i < 20; i++) {
		uintptr_t align = (uintptr_t)1 << (12 + i % 15);
		uintptr_t got;
		uint8_t *p = sysReserveAligned(NULL, 3 << 16, align, "test", &got);
		CHECK(p != NULL && (uintptr_t)p % align == 0 && got >= 3 << 16);
		sysUnreserve(p, got);
		CHECK(!mapped(p, got));
	}
	uintptr_t got;
	CHECK(sysReserveAligned(NULL, (uintptr_t)1 << 60, 4096, "test", &got) == NULL && got == 0);
}

Test(Mem, ReserveAligned) {
	RUN(aligned);
}

static void
persistent(void) {
	static uint8_t *p[3000];
	uintptr_t size[] = {1, 8, 24, 100, 1000, 70000};
	uint64_t before = sysMemStat_load(&stat);
	uint64_t total = 0;
	for (int i = 0; i < 3000; i++) {
		uintptr_t n = size[i % (i % 100 == 0 ? 6 : 5)];
		uintptr_t align = (uintptr_t)1 << (i % 10);
		p[i] = persistentalloc(n, i % 3 == 0 ? 0 : align, &stat);
		CHECK((uintptr_t)p[i] % (i % 3 == 0 ? 8 : align) == 0);
		CHECK(n >= 65536 || inPersistentAlloc((uintptr_t)p[i]));
		for (uintptr_t j = 0; j < n; j++) {
			CHECK(p[i][j] == 0);
			p[i][j] = 1;
		}
		total += n;
	}
	CHECK(sysMemStat_load(&stat) - before == total);
	CHECK(!inPersistentAlloc((uintptr_t)&stat));
}

Test(Persistentalloc, Pieces) {
	RUN(persistent);
}

static void
overflow(void) {
	sysMemStat s = 5;
	sysMemStat_add(&s, -6);
}

Test(Mem, StatOverflow) {
	expectDeath(overflow,
		"runtime: val=18446744073709551615 n=-6\nfatal error: sysMemStat overflow\n");
}

static void
noPersistent(void) {
	persistentalloc(0, 0, &stat);
}

static void
badAlign(void) {
	persistentalloc(1, 3, &stat);
}

Test(Persistentalloc, Misuse) {
	expectDeath(noPersistent, "fatal error: persistentalloc: size == 0\n");
	expectDeath(badAlign, "fatal error: persistentalloc: align is not a power of 2\n");
}

#ifdef GORT_DEBUG

static char spec[100];

// program allocates and makes goroutines, on a runtime some call of which fails.
static void
spawned(gort_waitgroup *wg) {
	gort_waitgroup_done(wg);
}

static void
program(void) {
	static gort_waitgroup wg;
	for (int i = 0; i < 100; i++) {
		gort_waitgroup_add(&wg, 1);
		gort_go(spawned, &wg);
		gort_alloc(100000, GORT_NOSCAN);
	}
	gort_waitgroup_wait(&wg);
	gort_gc();
	_exit(17);
}

static void
failing(void) {
	setenv("GORT_FAILINJECT", spec, 1);
	runtime_start(program);
}

// Whichever call of a kind fails: the program ends well, or with a message and status 2.  No crash
// without a text, no hang.
static void
failEach(const char *what, int err, int max) {
	static char text[deathMax];
	int good = 0;
	for (int n = 1; n <= max; n++) {
		snprintf(spec, sizeof(spec), "%s:%d:%d:0", what, n, err);
		int status = deathOf(failing, false, text);
		cr_assert(WIFEXITED(status), "%s: status %#x: %s", spec, status, text);
		if (WEXITSTATUS(status) == 17) {
			good++;
			continue;
		}
		cr_assert(WEXITSTATUS(status) == 2, "%s: status %#x: %s", spec, status, text);
		cr_assert(
			strstr(text, "fatal error: ") != NULL || strncmp(text, "runtime: ", 9) == 0,
			"%s: %s", spec, text);
	}
	fprintf(stderr, "%s: %d of %d survived\n", what, good, max);
}

Test(FailInject, Mmap) {
	failEach("mmap", ENOMEM, 40);
}

Test(FailInject, MmapEACCES) {
	failEach("mmap", EACCES, 10);
}

Test(FailInject, Thread) {
	failEach("thread", EINVAL, 6);
}

Test(FailInject, Clock) {
	failEach("clock", EINVAL, 12);
}

Test(FailInject, Madvise) {
	failEach("madvise", EINVAL, 20);
}

Test(FailInject, Mprotect) {
	failEach("mprotect", ENOMEM, 8);
}

Test(FailInject, Munmap) {
	failEach("munmap", EINVAL, 8);
}

#endif
