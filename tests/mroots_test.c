// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Roots in globals.
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "runtime/gort.h"

#include "runtime/mgc.h"
#include "runtime/mgcsweep.h"
#include "runtime/mroots.h"
#include "runtime/runtime1.h"
#include "sched/proc.h"
#include "tests/support/support.h"

// subtract checks what is left of [10, 20), [30, 40), [50, 60) without [lo, hi).
static void
subtract(uintptr_t lo, uintptr_t hi, const char *want) {
	rootRange r[4] = {{10, 20}, {30, 40}, {50, 60}};
	intptr_t n = roots_subtract(r, 3, 4, (rootRange){lo, hi});
	char got[200] = "";
	for (intptr_t i = 0; i < n; i++) {
		snprint(got + strlen(got), sizeof(got) - strlen(got), "%lu-%lu ", r[i].base,
			r[i].limit);
	}
	cr_assert_str_eq(got, want, "[%lu, %lu): got %s, want %s", lo, hi, got, want);
}

Test(Roots, Subtract) {
	subtract(0, 10, "10-20 30-40 50-60 ");
	subtract(20, 30, "10-20 30-40 50-60 ");
	subtract(15, 15, "10-20 30-40 50-60 ");
	subtract(0, 100, "");
	subtract(10, 20, "30-40 50-60 ");
	subtract(5, 15, "15-20 30-40 50-60 ");
	subtract(15, 25, "10-15 30-40 50-60 ");
	subtract(12, 18, "10-12 30-40 50-60 18-20 ");
	subtract(15, 55, "10-15 55-60 ");
	rootRange r[1] = {{10, 20}};
	cr_assert_eq(roots_subtract(r, 1, 1, (rootRange){12, 18}), -1);
	cr_assert(r[0].base == 10 && r[0].limit == 20);
}

static uint64_t dataWord = 1;
static uint64_t bssWord;
static const void *const relro = &bssWord;

static bool
covered(const void *p) {
	static rootRange r[1000];
	intptr_t n = min(roots_collect(r, nelem(r)), (intptr_t)nelem(r));
	for (intptr_t i = 0; i < n; i++) {
		if ((uintptr_t)p >= r[i].base && (uintptr_t)p < r[i].limit) {
			return true;
		}
	}
	return false;
}

// programTest: the constructor of gort.h has registered this program, and nobody libc.
static void
programTest(void) {
	roots_snapshot();
	CHECK(covered(&dataWord));
	CHECK(covered(&bssWord));
	CHECK(!covered((const void *)&relro) || (uintptr_t)&relro < 4096);
	CHECK(!covered((const void *)(uintptr_t)&malloc));
	CHECK(!covered((void *)8));
	CHECK(roots_bytes() > 0);
	CHECK(roots_jobs() == divRoundUp(roots_bytes(), 256 << 10));
	uint64_t bytes = roots_bytes();
	roots_register(&dataWord); // again: nothing changes
	roots_snapshot();
	CHECK(roots_bytes() == bytes);
	static char table[4096] CACHE_ALIGNED;
	CHECK(gort_root_exclude(table, sizeof(table)) == 0);
	roots_snapshot();
	CHECK(roots_bytes() == bytes - sizeof(table));
	CHECK(!covered(&table[100]));
	CHECK(covered(&dataWord));
}

Test(Roots, Program) {
	RUN(programTest);
}

static void
addTest(void) {
	static uint64_t m[4 * 1000];
	CHECK(gort_root_add(m, 0) == -EINVAL);
	CHECK(gort_root_add(m, SIZE_MAX) == -EINVAL);
	CHECK(gort_root_exclude(m, 0) == -EINVAL);
	CHECK(gort_root_remove(m) == -ENOENT);
	for (int i = 0; i < 1000; i++) { // the table grows
		CHECK(gort_root_add(&m[4 * i], 16) == 0);
	}
	CHECK(gort_root_add(&m[1], 8) == -EEXIST);
	CHECK(gort_root_add(m, sizeof(m)) == -EEXIST);
	CHECK(gort_root_add(&m[2], 8) == 0);
	CHECK(gort_root_remove(&m[1]) == -ENOENT);
	CHECK(gort_root_remove(&m[2]) == 0);
	CHECK(gort_root_remove(&m[2]) == -ENOENT);
	for (int i = 999; i >= 0; i--) {
		CHECK(gort_root_remove(&m[4 * i]) == 0);
	}
	CHECK(gort_root_add(m, sizeof(m)) == 0);
	CHECK(gort_root_remove(m) == 0);
}

Test(Roots, Add) {
	RUN(addTest);
}

// ---- what they keep -------------------------------------------------------------------------------

typedef struct obj {
	struct obj *self;
	uint64_t id;
	uint64_t pad[2];
} obj;
GORT_TYPE(obj, self);

enum { nObjs = 2000 };

static NOINLINE void
fill(obj **slots) {
	for (uint64_t i = 0; i < nObjs; i++) {
		obj *o = gort_new(obj);
		o->id = i;
		gort_store(o->self, o);
		gort_store(slots[i], o);
	}
}

// alive counts the objects that have not been freed (clobberfree overwrites those).  The slots hold
// the complements of the pointers if they are to be hidden.
static NOINLINE int
alive(obj **slots, uintptr_t flip) {
	int n = 0;
	for (uint64_t i = 0; i < nObjs; i++) {
		obj *o = (obj *)((uintptr_t)slots[i] ^ flip);
		n += o->self == o && o->id == i;
	}
	return n;
}

// clearStack overwrites what is below on the stack.
static NOINLINE void
clearStack(void) {
	volatile char a[16 << 10];
	for (size_t i = 0; i < sizeof(a); i++) {
		a[i] = 0;
	}
}

static obj *globals[nObjs];

static void
keepTest(void) {
	debug.clobberfree = 1;

	// A global array keeps all of them.
	fill(globals);
	clearStack();
	gort_gc();
	gort_gc();
	CHECK(alive(globals, 0) == nObjs);
	gort_zero(&globals);
	gort_gc();

	// Memory from malloc keeps them while it is a root.
	obj **m = calloc(nObjs, sizeof(m[0]));
	CHECK(gort_root_add(m, nObjs * sizeof(m[0])) == 0);
	fill(m);
	clearStack();
	gort_gc();
	gort_gc();
	CHECK(alive(m, 0) == nObjs);
	CHECK(gort_root_remove(m) == 0);
	clearStack();
	gort_gc();
	gort_gc();
	CHECK(alive(m, 0) < nObjs / 10); // stale words may keep a few

	// A pointer into the object keeps it, and one just past its end.
	CHECK(gort_root_add(m, nObjs * sizeof(m[0])) == 0);
	fill(m);
	for (int i = 0; i < nObjs; i++) {
		m[i] = (obj *)((char *)m[i] +
			       (i % 2 == 0 ? (int)sizeof(obj) - 1 : (int)sizeof(obj)));
	}
	clearStack();
	gort_gc();
	gort_gc();
	for (int i = 0; i < nObjs; i++) {
		m[i] = (obj *)((char *)m[i] -
			       (i % 2 == 0 ? (int)sizeof(obj) - 1 : (int)sizeof(obj)));
	}
	CHECK(alive(m, 0) == nObjs);

	// Other bits do not.
	for (int i = 0; i < nObjs; i++) {
		m[i] = (obj *)~(uintptr_t)m[i];
	}
	clearStack();
	gort_gc();
	gort_gc();
	CHECK(alive(m, UINTPTR_MAX) < nObjs / 10);
	CHECK(gort_root_remove(m) == 0);
	free(m);
}

Test(Roots, Keep) {
	RUN(keepTest);
}

// ---- removal ---------------------------------------------------------------------------------------

static uint32_t stop;

// churn adds a range, and while the world stops for the end of marking removes and unmaps it.  It is
// no thread of the runtime's, so it goes on then.
static void *
churn(void *arg) {
	enum { size = 4 << 20 };
	uint64_t *n = arg;
	for (uint32_t spin = 0; atomic_Load(&stop) == 0; spin = (spin * 5 + 1) % 8192) {
		void *m = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (m == MAP_FAILED || gort_root_add(m, size) != 0) {
			return (void *)1;
		}
		while (atomic_Load(&stop) == 0 && atomic_Load(&gcphase) != _GCoff) {
		}
		while (atomic_Load(&stop) == 0 && atomic_Load(&gcphase) != _GCmark) {
		}
		while (atomic_Load(&gcphase) == _GCmark && !atomic_Load(&sched.gcwaiting)) {
		}
		for (uint32_t i = 0; i < spin && atomic_Load(&gcphase) == _GCmark; i++) {
		}
		if (gort_root_remove(m) != 0 || munmap(m, size) != 0) {
			return (void *)1;
		}
		++*n;
	}
	return NULL;
}

static intptr_t
joinThread(void *t) {
	void *res;
	return pthread_join(*(pthread_t *)t, &res) != 0 || res != NULL;
}

static void
removeTest(void) {
	pthread_t t;
	uint64_t n = 0;
	CHECK(pthread_create(&t, NULL, churn, &n) == 0);
	for (int i = 0; i < 500; i++) {
		gort_gc();
	}
	atomic_Store(&stop, 1);
	CHECK(gort_blocking(joinThread, &t) == 0);
	CHECK(n > 0);
}

Test(Roots, RemoveWhileStopped) {
	RUN(removeTest);
}
