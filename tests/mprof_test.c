// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The memory profiler, the goroutine profile and labels; after mprof_test.go and pprof_test.go of
// Go 1.26.8.
#include "tests/support/support.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "runtime/mcache.h"
#include "runtime/mgc.h"
#include "runtime/mprof.h"
#include "runtime/rand.h"
#include "runtime/runtime.h"
#include "runtime/runtime1.h"
#include "sched/mprof_goroutine.h"
#include "sched/proc.h"
#include "sched/runtime2.h"
#include "sched/symtab.h"
#include "sched/trace.h"

enum { maxRecords = 4096 };
static MemProfileRecord records[maxRecords];

static void *volatile sink;
static void *keptobj[1000];

static NOINLINE void
alloc1024(int n, bool keep) {
	for (int i = 0; i < n; i++) {
		void *p = gort_alloc(1024, GORT_NOSCAN);
		if (keep)
			gort_store(keptobj[i], p);
		else
			sink = p;
	}
	sink = NULL;
}

static NOINLINE void
alloctiny(int n) {
	for (int i = 0; i < n; i++)
		sink = gort_alloc(8, GORT_NOSCAN);
	sink = NULL;
}

static NOINLINE void
alloclarge(int n) {
	for (int i = 0; i < n; i++)
		sink = gort_alloc(100000, GORT_POINTERS);
	sink = NULL;
}

// through sums the records whose stack has a function of the test.
static MemProfileRecord
through(const char *func) {
	MemProfileRecord sum = {0};
	bool ok;
	int n = memProfileInternal(records, maxRecords, true, &ok);
	CHECK(ok);
	for (int i = 0; ok && i < n; i++) {
		char name[256];
		bool found = false;
		for (int k = 0; k < records[i].nstk; k++) {
			funcnameFromPC(records[i].stk[k] - 1, name, sizeof name);
			found |= strcmp(name, func) == 0;
		}
		if (!found)
			continue;
		sum.AllocBytes += records[i].AllocBytes;
		sum.FreeBytes += records[i].FreeBytes;
		sum.AllocObjects += records[i].AllocObjects;
		sum.FreeObjects += records[i].FreeObjects;
	}
	return sum;
}

// With rate 1 every allocation is counted, and every free once it has been swept.
static void
exact(void) {
	gort_mem_profile_rate(1);
	CHECK(gort_mem_profile_rate(-1) == 1);
	CHECK(gort_root_add(keptobj, sizeof keptobj) == 0);
	alloc1024(1000, true);
	alloc1024(500, false);
	alloctiny(1000);
	alloclarge(7);
	gort_gc();
	MemProfileRecord r = through("main.alloc1024");
	CHECK(r.AllocObjects == 1500 && r.AllocBytes == 1500 * 1024);
	// The stack may still hold one.
	CHECK(MemProfileRecord_InUseObjects(&r) >= 1000 &&
		MemProfileRecord_InUseObjects(&r) <= 1004);
	CHECK(MemProfileRecord_InUseBytes(&r) == MemProfileRecord_InUseObjects(&r) * 1024);
	r = through("main.alloctiny");
	// A block of 16 bytes for two.
	CHECK(r.AllocObjects >= 499 && r.AllocObjects <= 501 &&
		r.AllocBytes == r.AllocObjects * 16);
	r = through("main.alloclarge");
	CHECK(r.AllocObjects == 7 && r.AllocBytes == 7 * 106496);
	memset(keptobj, 0, sizeof keptobj);
	gort_gc();
	r = through("main.alloc1024");
	CHECK(r.AllocObjects == 1500 && MemProfileRecord_InUseObjects(&r) <= 4);
}

Test(MProf, Exact) {
	RUN(exact);
}

// What is allocated is published at the end of the mark phase after it, and its frees then, too.
static void
cycles(void) {
	gort_mem_profile_rate(1);
	gort_set_gc_percent(-1);
	alloctiny(100); // something that is published
	gort_gc();
	gort_gc();
	alloc1024(100, false);
	MemProfileRecord r = through("main.alloc1024");
	CHECK(r.AllocObjects == 0);
	gort_gc();
	r = through("main.alloc1024");
	CHECK(r.AllocObjects == 100 && r.FreeObjects >= 96);
}

Test(MProf, Cycles) {
	RUN(cycles);
}

// Before the first collection the profile has what there is.
static void
nogc(void) {
	gort_set_gc_percent(-1);
	gort_mem_profile_rate(1);
	alloc1024(100, false);
	MemProfileRecord r = through("main.alloc1024");
	CHECK(r.AllocObjects == 100 && r.FreeObjects == 0);
}

Test(MProf, NoGC) {
	RUN(nogc);
}

static void
off(void) {
	gort_mem_profile_rate(0);
	alloc1024(100000, false);
	gort_gc();
	MemProfileRecord r = through("main.alloc1024");
	CHECK(r.AllocObjects == 0);
}

Test(MProf, Off) {
	RUN(off);
}

// A rate of 0 means never, of 1 always, else the mean is the rate, and the samples are exponential:
// a share of 1 - 1/e is below the mean.
static void
samples(void) {
	MemProfileRate = 0;
	CHECK(nextSample() == INT64_MAX);
	MemProfileRate = 1;
	CHECK(nextSample() == 0);
	MemProfileRate = 100000;
	double sum = 0;
	int below = 0;
	for (int i = 0; i < 200000; i++) {
		int64_t s = nextSample();
		CHECK(s > 0);
		sum += (double)s;
		below += s < 100000;
	}
	CHECK(sum / 200000 > 99000 && sum / 200000 < 101000);
	CHECK(below > 125400 && below < 127400); // 126,424
}

Test(MProf, NextSample) {
	RUN(samples);
}

// The bytes that are sampled, scaled up, are those that are allocated: 4,000 samples.
static void
sampled(void) {
	gort_mem_profile_rate(8192);
	alloc1024(32000, false);
	gort_gc();
	MemProfileRecord r = through("main.alloc1024");
	// Each with probability 1 - exp(-1/8) = 0.1175: 3,760, deviation 58.
	CHECK(r.AllocObjects > 3760 - 5 * 58 && r.AllocObjects < 3760 + 5 * 58);
	CHECK(r.AllocBytes == r.AllocObjects * 1024);
}

Test(MProf, Sampled) {
	RUN(sampled);
}

static int
nowhere(void *ctx, const void *data, size_t n) {
	*(size_t *)ctx += n;
	(void)data;
	return 0;
}

// sampleleft is what the only P may allocate before a sample is due.
static int64_t
sampleleft(void) {
	const mcache *c = getg()->m->p->mcache;
	return c->heldSample >= 0 ? c->heldSample : c->nextSample;
}

// counted is how many samples alloc1024 has.
static int64_t
counted(void) {
	gort_gc();
	return through("main.alloc1024").AllocObjects;
}

// A trace of all objects leaves the samples of the profile as they would be without it.
static void
traced(void) {
	const int64_t far = INT64_C(1) << 40;
	size_t size = 0;

	gort_gomaxprocs(1);
	gort_set_gc_percent(-1);
	debug.traceallocfree = 1;
	startSampling(getg()->m->p->mcache, far);
	for (int i = 0; i < 2; i++) {
		CHECK(gort_trace_start_writer(nowhere, &size) == 0);
		alloc1024(100, false);
		CHECK(gort_trace_stop() == 0);
		alloc1024(100, false);
	}
	// The tracer allocates, too: two buffers for CPU samples each time.
	CHECK(far - sampleleft() >= 400 * 1024 && far - sampleleft() < 10 << 20);
	CHECK(counted() == 0);

	// The 31st object, be it after the trace.
	CHECK(gort_trace_start_writer(nowhere, &size) == 0);
	startSampling(getg()->m->p->mcache, 30 * 1024);
	alloc1024(20, false);
	CHECK(sampleleft() == 10 * 1024);
	CHECK(gort_trace_stop() == 0);
	int64_t left = sampleleft();
	CHECK(left > 0 && left <= 10 * 1024);
	alloc1024((int)(left / 1024), false);
	CHECK(sampleleft() == left % 1024);
	alloc1024(1, false);
	CHECK(counted() == 1);

	// All of them are sampled while it is on, and it goes on when none are.
	CHECK(gort_trace_start_writer(nowhere, &size) == 0);
	gort_mem_profile_rate(1);
	alloc1024(1000, false);
	gort_mem_profile_rate(0);
	CHECK(counted() == 1001);
	traceAdvance(false);
	size = 0;
	alloc1024(10000, false);
	CHECK(gort_trace_stop() == 0);
	CHECK(size > 3 * 10000); // kind, time, number
	CHECK(counted() == 1001);
	debug.traceallocfree = 0;
}

Test(MProf, Traced) {
	RUN(traced);
}

// ---- goroutines

static NOINLINE void
waits(gort_chan(int) c) {
	gort_chan_recv(c);
	sink = NULL;
}

static bool
has(const StackRecord *r, const char *func) {
	for (int k = 0; k < r->nstk; k++) {
		char name[256];
		funcnameFromPC(r->stk[k] - 1, name, sizeof name);
		if (strcmp(name, func) == 0)
			return true;
	}
	return false;
}

static char stacks[1 << 20];

// stackcount says how often s is in the tracebacks of all goroutines.
static int
stackcount(const char *s) {
	stacks[gort_stack(stacks, sizeof stacks - 1, true)] = 0;
	int n = 0;
	for (const char *p = stacks; (p = strstr(p, s)) != NULL; p++)
		n++;
	return n;
}

static void
goroutines(void) {
	gort_chan(int) c = gort_chan_make(int, 0);
	const gort_labels *l = gort_pprof_labels(NULL, "k", "v\xc3\xa9\n", NULL);
	for (int i = 0; i < 50; i++) {
		gort_set_goroutine_labels(i % 2 == 0 ? l : NULL);
		gort_go(waits, c);
	}
	gort_set_goroutine_labels(NULL);
	while (stackcount("[chan receive]:") < 50)
		gort_yield();
	stackProfile sp;
	CHECK(goroutineProfileWithLabels(&sp));
	CHECK(sp.n == gort_num_goroutine());
	int waiting = 0, labelled = 0;
	for (intptr_t i = 0; i < sp.n; i++) {
		waiting += has(&sp.p[i], "main.waits");
		labelled += sp.labels[i] == l;
	}
	CHECK(has(&sp.p[0], "main.goroutines"));
	CHECK(waiting == 50 && labelled == 25);
	stackProfile_free(&sp);

	CHECK(stackcount("main.waits(...)\n") == 50);
	CHECK(strncmp(stacks, "goroutine ", 10) == 0);
	CHECK(gort_stack(stacks, 10, true) == 10);
	debug.tracebacklabels = 1;
	size_t n = gort_stack(stacks, sizeof stacks - 1, true);
	stacks[n] = 0;
	debug.tracebacklabels = 0;
	CHECK(strstr(stacks,
		      " [chan receive labels:{\"k\": \"v\\u00e9\\n\"}]:\nmain.waits(...)\n") !=
		NULL);
	n = gort_stack(stacks, sizeof stacks - 1, false);
	stacks[n] = 0;
	CHECK(strstr(stacks, "main.goroutines(...)") != NULL &&
		strstr(stacks, "main.waits") == NULL);
	gort_chan_close(c);
}

Test(MProf, GoroutineProfile) {
	RUN(goroutines);
}

// Goroutines that run, wait, sleep, are in system calls and are stopped by signals while the profile is
// made: each is in it once, with its labels, and those that come and go meanwhile are in it or not.
enum { nbusy = 8 };
static uint32_t busystop; // atomic
static gort_waitgroup busywg;
static pthread_mutex_t roundmu = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t roundcond = PTHREAD_COND_INITIALIZER;
static int busyround; // protected by roundmu

static intptr_t
busy_short_syscall(void *arg) {
	sched_yield();
	return 0;
}

// busy_syscall is left when the next profile begins: before it stops the world, or while it is made.
static intptr_t
busy_syscall(void *arg) {
	pthread_mutex_lock(&roundmu);
	for (int r = busyround; r == busyround && atomic_Load(&busystop) == 0;)
		pthread_cond_wait(&roundcond, &roundmu);
	pthread_mutex_unlock(&roundmu);
	return 0;
}

static void
nextround(void) {
	pthread_mutex_lock(&roundmu);
	busyround++;
	pthread_cond_broadcast(&roundcond);
	pthread_mutex_unlock(&roundmu);
}

static void
busy_short(gort_waitgroup *wg) {
	gort_waitgroup_done(wg);
}

static NOINLINE void
busy_work(int id) {
	gort_waitgroup wg = {0};
	switch (id % 5) {
	case 0:
		gort_yield();
		break;
	case 1:
		gort_sleep(50 * GORT_US);
		break;
	case 2:
		gort_blocking(id == 2 ? busy_short_syscall : busy_syscall, NULL);
		break;
	case 3:
		for (volatile int i = 0; i < 100000; i++) {
		}
		break;
	default:
		gort_waitgroup_add(&wg, 1);
		gort_go(busy_short, &wg);
		gort_waitgroup_wait(&wg);
	}
}

static NOINLINE void
busy(int id) {
	while (atomic_Load(&busystop) == 0)
		busy_work(id);
	gort_waitgroup_done(&busywg);
}

static void
concurrent(void) {
	const gort_labels *l[nbusy];
	for (int i = 0; i < nbusy; i++) {
		char id[2] = {(char)('0' + i), 0};
		l[i] = gort_pprof_labels(NULL, "id", id, NULL);
		gort_set_goroutine_labels(l[i]);
		gort_waitgroup_add(&busywg, 1);
		gort_go(busy, i);
	}
	gort_set_goroutine_labels(NULL);
	gort_yield();
	for (int round = 0; round < 200; round++) {
		stackProfile sp;
		nextround();
		CHECK(goroutineProfileWithLabels(&sp));
		int n = 0;
		uint32_t seen = 0;
		for (intptr_t i = 0; i < sp.n; i++) {
			// A goroutine that has not run is not in busy yet: its stack is the function.
			n += has(&sp.p[i], "main.busy");
			for (int k = 0; k < nbusy; k++) {
				if (sp.labels[i] == l[k] && has(&sp.p[i], "main.busy"))
					seen |= 1u << k;
			}
		}
		CHECK(n == nbusy && seen == (1u << nbusy) - 1);
		CHECK(has(&sp.p[0], "main.concurrent"));
		stackProfile_free(&sp);
		if (round % 20 == 0)
			gort_gc();
	}
	atomic_Store(&busystop, 1u);
	nextround();
	gort_waitgroup_wait(&busywg);
}

static void
concurrent1(void) {
	gort_gomaxprocs(1);
	concurrent();
}

static void
concurrent4(void) {
	gort_gomaxprocs(4);
	concurrent();
}

Test(MProf, GoroutineProfileConcurrent) {
	RUN(concurrent4);
}

Test(MProf, GoroutineProfileConcurrent1) {
	RUN(concurrent1);
}

// ---- labels

static const char *
get(const char *key) {
	const char *v = gort_pprof_label(gort_goroutine_labels(), key);
	return v == NULL ? "" : v;
}

static void
inner(void *arg) {
	CHECK(strcmp(get("a"), "1") == 0 && strcmp(get("b"), "3") == 0 &&
		strcmp(get("c"), "4") == 0);
	*(int *)arg += 1;
}

static void
panics(void *arg) {
	CHECK(strcmp(get("b"), "3") == 0);
	gort_panic("x");
}

static void
outer(void *arg) {
	gort_pprof_do(gort_pprof_labels(NULL, "c", "4", "b", "3", NULL), inner, arg);
	CHECK(strcmp(get("b"), "2") == 0 && strcmp(get("c"), "") == 0);
}

static void
recovers(void) {
	gort_recover();
}

static void
caught(void *arg) {
	gort_defer(recovers);
	gort_pprof_do(gort_pprof_labels(NULL, "b", "3", NULL), panics, NULL);
}

static void
labels(void) {
	int ran = 0;
	CHECK(gort_goroutine_labels() == NULL);
	gort_pprof_do(gort_pprof_labels(NULL, "b", "2", "a", "0", "a", "1", NULL), outer, &ran);
	CHECK(ran == 1 && gort_goroutine_labels() == NULL);
	CHECK(gort_pcall(caught, NULL) != NULL && gort_goroutine_labels() == NULL);
	CHECK(gort_pprof_labels(NULL, NULL) == NULL);
	const gort_labels *l = gort_pprof_labels(NULL, "x", "1", NULL);
	gort_gc();
	l = gort_pprof_labels(l, "y", "2", NULL);
	gort_gc();
	CHECK(strcmp(gort_pprof_label(l, "x"), "1") == 0 &&
		strcmp(gort_pprof_label(l, "y"), "2") == 0);
	CHECK(gort_pprof_label(l, "z") == NULL);
	// more than fit at once
	l = gort_pprof_labels(NULL, "00", "0", "01", "1", "02", "2", "03", "3", "04", "4", "05",
		"5", "06", "6", "07", "7", "08", "8", "09", "9", "10", "10", "11", "11", "12", "12",
		"13", "13", "14", "14", "15", "15", "16", "16", "17", "17", "18", "18", "19", "19",
		"20", "20", "21", "21", "22", "22", "23", "23", "24", "24", "25", "25", "26", "26",
		"27", "27", "28", "28", "29", "29", "30", "30", "31", "31", "32", "32", "33", "33",
		NULL);
	CHECK(strcmp(gort_pprof_label(l, "00"), "0") == 0);
	CHECK(strcmp(gort_pprof_label(l, "33"), "33") == 0);
}

Test(PProf, Labels) {
	RUN(labels);
}

// ---- files

static char file[] = "mprof_test.XXXXXX";

// written returns what a profile has, uncompressed if it is.
static const char *
written(const char *name, int debug_, int *len) {
	static char buf[4 << 20];
	strcpy(file + sizeof file - 7, "XXXXXX");
	int fd = mkstemp(file);
	CHECK(gort_pprof_write(name, fd, debug_) == 0);
	gzFile z = gzopen(file, "r");
	*len = gzread(z, buf, sizeof buf - 1);
	CHECK(*len >= 0);
	buf[*len < 0 ? 0 : *len] = 0;
	gzclose(z);
	close(fd);
	unlink(file);
	return buf;
}

static void
files(void) {
	int n;
	gort_mem_profile_rate(1);
	alloc1024(10, false);
	const char *s = written("heap", 1, &n);
	CHECK(strncmp(s, "heap profile: ", 14) == 0 && strstr(s, "@ heap/2\n") != NULL);
	CHECK(strstr(s, "main.alloc1024+0x") != NULL);
	CHECK(strstr(s, "\n# runtime.MemStats\n# Alloc = ") != NULL);
	CHECK(strstr(s, "\n# MaxRSS = ") != NULL);
	s = written("heap", 0, &n);
	CHECK(n > 0 && (s[0] == 0x5a)); // period type
	s = written("goroutine", 1, &n);
	CHECK(strncmp(s, "goroutine profile: total 1\n1 @ 0x", 33) == 0);
	CHECK(strstr(s, "main.files+0x") != NULL);
	s = written("goroutine", 2, &n);
	CHECK(strncmp(s, "goroutine 1 [running]:\n", 23) == 0);
	s = written("threadcreate", 1, &n);
	CHECK(strncmp(s, "threadcreate profile: total ", 28) == 0);
	CHECK(gort_pprof_write("no", 1, 0) == -ENOENT);
	CHECK(gort_pprof_write("heap", -1, 0) == -EBADF);
	CHECK(gort_pprof_write("heap", -1, 1) == -EBADF);
	CHECK(gort_pprof_stop_cpu() == 0);
	CHECK(gort_pprof_start_cpu(-1) == 0);
	CHECK(gort_pprof_start_cpu(1) == -EBUSY);
	CHECK(gort_pprof_stop_cpu() == -EBADF);
}

Test(PProf, Files) {
	RUN(files);
}
