// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Where a runtime for C dies quietly, each tried on purpose: quiet [CASE...].
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xmmintrin.h>

#include "runtime/gort.h"
#include "tests/support/scrub.h"

typedef struct node {
	struct node *next;
	uint64_t magic;
	uint64_t pad[4];
} node;
GORT_TYPE(node, next);

enum { magic = 0x600dcafe };

static int failed;

#define CHECK(cond)                                                       \
	do {                                                              \
		if (!(cond)) {                                            \
			printf("%s:%d: %s\n", __func__, __LINE__, #cond); \
			__atomic_fetch_add(&failed, 1, __ATOMIC_RELAXED); \
		}                                                         \
	} while (0)

static __attribute__((noinline)) node *new (void) {
	node *n = gort_new(node);
	n->magic = magic;
	return n;
}

static __attribute__((noinline)) bool
alive(uint64_t h) {
	return ((volatile node *)(uintptr_t)~h)->magic == magic;
}

static volatile int stop;
static gort_waitgroup wg;

// ---- stopped in place inside libc

static void
mallocs(unsigned seed) {
	void *p[64] = {0};
	for (unsigned i = seed; !stop; i++) {
		unsigned k = (i * 2654435761u) >> 26;
		free(p[k]);
		p[k] = malloc(i % 17 == 0 ? 200000 : (i * 31) % 2000);
		if (i % 5 == 0 && p[k] != NULL)
			p[k] = realloc(p[k], 3000);
	}
	for (int k = 0; k < 64; k++)
		free(p[k]);
	gort_waitgroup_done(&wg);
}

static void
stdios(FILE *f) {
	for (int i = 0; !stop; i++) {
		fprintf(f, "%d %s %f\n", i, "text", i / 3.0);
		if (i % 100 == 0)
			fflush(f);
	}
	gort_waitgroup_done(&wg);
}

static void
files(void) {
	while (!stop) {
		DIR *d = opendir("/dev");
		CHECK(d != NULL);
		int n = 0;
		while (d != NULL && readdir(d) != NULL)
			n++;
		CHECK(n > 2);
		closedir(d);
		FILE *f = fopen("/dev/null", "w");
		CHECK(f != NULL);
		fputs("x", f);
		fclose(f);
		char *s = getenv("PATH");
		CHECK(s == NULL || strlen(s) < 100000);
	}
	gort_waitgroup_done(&wg);
}

// Collections and stops of the world while others hold the locks of malloc and stdio.
static void
libc(void) {
	FILE *f = fopen("/dev/null", "w");
	stop = 0;
	gort_waitgroup_add(&wg, 5);
	for (unsigned i = 0; i < 2; i++)
		gort_go(mallocs, i);
	gort_go(stdios, f); // two of them: the lock of the FILE is contended
	gort_go(stdios, f);
	gort_go(files);
	static gort_memstats m;
	for (int i = 0; i < 12; i++) {
		node *l = NULL;
		for (int k = 0; k < 5000; k++) {
			node *n = new ();
			gort_store(n->next, l);
			l = n;
		}
		gort_gc();
		gort_read_memstats(&m);
		gort_gomaxprocs(1 + i % 4);
		for (; l != NULL; l = l->next)
			CHECK(l->magic == magic);
	}
	gort_gomaxprocs(2);
	stop = 1;
	gort_waitgroup_wait(&wg);
	fclose(f);
}

// ---- a thread's lock held over time slices

static pthread_mutex_t pmu = PTHREAD_MUTEX_INITIALIZER;
static long shared, inside;

static void
locks(int rounds) {
	for (int i = 0; i < rounds; i++) {
		pthread_mutex_lock(&pmu);
		CHECK(++inside == 1);
		int64_t until = gort_now() + 12 * GORT_MS; // longer than a slice
		while (gort_now() < until)
			shared++;
		inside--;
		pthread_mutex_unlock(&pmu);
	}
	gort_waitgroup_done(&wg);
}

static void
pthread_mutex(void) {
	for (int procs = 1; procs <= 3; procs++) {
		gort_gomaxprocs(procs);
		gort_waitgroup_add(&wg, 5);
		for (int i = 0; i < 5; i++)
			gort_go(locks, 3);
		for (int i = 0; i < 3; i++)
			gort_gc();
		gort_waitgroup_wait(&wg);
		CHECK(inside == 0);
	}
	gort_gomaxprocs(2);
}

// ---- globals without barriers

static node *global;
static node *excluded;
static volatile bool lost, forget;

static __attribute__((noinline)) void
idle(void) {
	for (volatile int i = 0; i < 3000; i++)
		;
}

// hold has the node in a register or on its stack only.  It forgets gort_store when it puts the node
// into the global.
static __attribute__((noinline)) bool
hold(node **g) {
	node *n = *g;
	if (forget)
		*(node *volatile *)g = NULL;
	else
		gort_store(*g, NULL);
	idle();
	bool ok = n->magic == magic;
	*(node *volatile *)g = n;
	return ok;
}

static __attribute__((noinline)) void
put(node **g) {
	gort_store(*g, new ());
}

// move has a node now in *g, now in hold.
static void
move(node **g) {
	bool ok = true;
	put(g);
	while (ok && !stop) {
		scrub();
		idle();
		ok = hold(g);
	}
	lost = !ok;
	gort_waitgroup_done(&wg);
}

// A forgotten gort_store to a global: the second look at the globals finds the object.
static void
barrier(void) {
	stop = 0;
	gort_waitgroup_add(&wg, 1);
	gort_go(move, &global);
	for (int i = 0; i < 150; i++)
		gort_gc();
	stop = 1;
	gort_waitgroup_wait(&wg);
	CHECK(!lost);
}

// The same where the collector does not look must go wrong, or the test above proves nothing.
static void
barrier_excluded(void) {
	CHECK(gort_root_exclude(&excluded, sizeof excluded) == 0);
	stop = 0;
	gort_waitgroup_add(&wg, 1);
	lost = false;
	forget = true;
	gort_go(move, &excluded);
	for (int i = 0; i < 3000 && !lost; i++)
		gort_gc();
	stop = 1;
	gort_waitgroup_wait(&wg);
	CHECK(lost);
}

// ---- roots

static void
roots(void) {
	enum { n = 1000 };
	node **m = mmap(NULL, 2 * n * sizeof *m, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(gort_root_add(m, 0) == -EINVAL);
	CHECK(gort_root_add(m, (size_t)-1) == -EINVAL);
	CHECK(gort_root_add(m, n * sizeof *m) == 0);
	CHECK(gort_root_add(m, n * sizeof *m) == -EEXIST);
	CHECK(gort_root_add(m + n - 1, 2 * sizeof *m) == -EEXIST);
	CHECK(gort_root_add(m + n, n * sizeof *m) == 0); // next to it
	CHECK(gort_root_remove(m + 1) == -ENOENT);
	CHECK(gort_root_exclude(m, 0) == -EINVAL);
	CHECK(gort_root_exclude(m, (size_t)-1) == -EINVAL);

	static uint64_t h[2 * n];
	for (int i = 0; i < 2 * n; i++) {
		node *p = new ();
		h[i] = ~(uint64_t)(uintptr_t)p;
		gort_store(m[i], p);
	}
	scrub();
	gort_gc();
	gort_gc();
	for (int i = 0; i < 2 * n; i++)
		CHECK(alive(h[i]));

	// One half is a root no more.
	CHECK(gort_root_remove(m + n) == 0);
	CHECK(gort_root_remove(m + n) == -ENOENT);
	scrub();
	gort_gc();
	gort_gc();
	int dead = 0;
	for (int i = 0; i < 2 * n; i++)
		dead += !alive(h[i]);
	for (int i = 0; i < n; i++)
		CHECK(alive(h[i]));
	CHECK(dead > n - 10);

	// Unmapped right after it was removed, while the collector runs.
	for (int i = 0; i < 50; i++) {
		size_t size = 1 << 20;
		char *a = mmap(
			NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(gort_root_add(a, size) == 0);
		gort_go(gort_gc);
		gort_yield();
		CHECK(gort_root_remove(a) == 0);
		munmap(a, size);
	}
	gort_gc();
	CHECK(gort_root_remove(m) == 0);
	munmap(m, 2 * n * sizeof *m);
}

// Places that are no roots, as gort.h says.
static __thread node *thread_local_;

static void
no_roots(void) {
	enum { n = 200 };
	node **m = malloc(n * sizeof *m);
	uint64_t h[n];
	for (int i = 0; i < n; i++) {
		m[i] = new ();
		h[i] = ~(uint64_t)(uintptr_t)m[i];
	}
	thread_local_ = m[0];
	scrub();
	gort_gc();
	gort_gc();
	int dead = 0;
	for (int i = 0; i < n; i++)
		dead += !alive(h[i]);
	CHECK(dead > n - 10);
	free(m);
}

// ---- errno and the rounding mode

static void
errno_user(int e) {
	for (int i = 0; i < 200; i++) {
		errno = e;
		gort_yield();
		CHECK(errno == e);
		if (i % 50 == 0) {
			gort_sleep(1000);
			CHECK(errno == e);
		}
		char *p = gort_alloc(40000, GORT_NOSCAN);
		CHECK(errno == e);
		p[0] = 1;
	}
	gort_waitgroup_done(&wg);
}

static intptr_t
fails(void *arg) {
	return close(-1);
}

static void
errno_(void) {
	gort_waitgroup_add(&wg, 20);
	for (int i = 0; i < 20; i++)
		gort_go(errno_user, i + 1);
	for (int i = 0; i < 10; i++) {
		errno = 77;
		gort_gc();
		CHECK(errno == 77);
	}
	gort_waitgroup_wait(&wg);
	errno = 0;
	CHECK(gort_blocking(fails, NULL) == -1 && errno == EBADF);
}

// A stop by signal keeps the rounding mode, which is what fesetround sets.  Between two calls into the
// runtime a goroutine stays on its thread.
static void
rounding(void) {
	stop = 0;
	gort_waitgroup_add(&wg, 1);
	gort_go(mallocs, 1);
	for (int k = 0; k < 20; k++) {
		_MM_SET_ROUNDING_MODE(_MM_ROUND_UP);
		volatile double one = 1, three = 3;
		double up = one / three;
		gort_go(gort_gc);
		int64_t until = gort_now() + 2 * GORT_MS;
		while (gort_now() < until)
			CHECK(one / three == up);
		CHECK(_MM_GET_ROUNDING_MODE() == _MM_ROUND_UP);
		_MM_SET_ROUNDING_MODE(_MM_ROUND_NEAREST);
		CHECK(one / three < up);
		gort_gc();
	}
	stop = 1;
	gort_waitgroup_wait(&wg);
}

// ---- sorting pointers

static int
by_address(const void *a, const void *b) {
	const node *x = *(node *const *)a, *y = *(node *const *)b;
	return x < y ? -1 : x > y;
}

static int ncmp;

static int
by_pad(const void *a, const void *b) {
	const node *x = *(node *const *)a, *y = *(node *const *)b;
	if (++ncmp % 49999 == 0)
		gort_gc();
	return x->pad[0] < y->pad[0] ? -1 : x->pad[0] > y->pad[0];
}

typedef struct entry {
	node *n;
	char name[16];
} entry;
GORT_TYPE(entry, n);

static int
by_name(const void *a, const void *b) {
	return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

static void
sorts(void) {
	stop = 0;
	gort_waitgroup_add(&wg, 1);
	gort_go(mallocs, 1);
	for (int round = 0; round < 6; round++) {
		size_t n = round == 0 ? 0 : round == 1 ? 1 : (size_t)2000 << round;
		node **v = gort_alloc(n * sizeof *v, GORT_POINTERS);
		uint64_t x = 88172645463325252 + (uint64_t)round, sum = 0, sum2 = 0;
		for (size_t i = 0; i < n; i++) {
			gort_store(v[i], new ());
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			v[i]->pad[0] = round % 2 == 0 ? x : x % 10;
			sum += v[i]->pad[0];
		}
		gort_sort(v, n, sizeof *v, by_pad);
		for (size_t i = 0; i < n; i++) {
			CHECK(v[i]->magic == magic);
			CHECK(i == 0 || v[i - 1]->pad[0] <= v[i]->pad[0]);
			sum2 += v[i]->pad[0];
		}
		CHECK(sum == sum2);
		gort_go(gort_gc);
		gort_sort(v, n, sizeof *v, by_address);
		for (size_t i = 0; i < n; i++)
			CHECK(v[i]->magic == magic && (i == 0 || v[i - 1] < v[i]));
	}
	enum { m = 5000 };
	entry *e = gort_new_array(entry, m);
	for (int i = 0; i < m; i++) {
		snprintf(e[i].name, sizeof e[i].name, "%07d", i * 7919 % m);
		gort_store(e[i].n, new ());
		e[i].n->pad[1] = (uint64_t)(i * 7919 % m);
	}
	gort_go(gort_gc);
	gort_sort(e, m, sizeof *e, by_name);
	for (int i = 0; i < m; i++)
		CHECK(e[i].n->magic == magic && e[i].n->pad[1] == (uint64_t)i);
	stop = 1;
	gort_waitgroup_wait(&wg);
}

// ---- collections while threads are in blocking calls

static int gate[2];

static intptr_t
wait_gate(void *arg) {
	char c;
	return read(gate[0], &c, 1);
}

static void
blocked(gort_chan(int) ready) {
	node *n = new ();
	gort_store(n->next, new ());
	gort_chan_send(ready, 1);
	CHECK(gort_blocking(wait_gate, NULL) == 1);
	CHECK(n->magic == magic && n->next->magic == magic);
	gort_waitgroup_done(&wg);
}

static void
blocking(void) {
	enum { n = 40 };
	gort_chan(int) ready = gort_chan_make(int, 0);
	CHECK(pipe(gate) == 0);
	gort_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		gort_go(blocked, ready);
	for (int i = 0; i < n; i++)
		gort_chan_recv(ready);
	for (int i = 0; i < 5; i++) {
		gort_gc();
		gort_gomaxprocs(1 + i);
	}
	gort_gomaxprocs(2);
	for (int i = 0; i < n; i++)
		CHECK(write(gate[1], "x", 1) == 1);
	gort_waitgroup_wait(&wg);
}

// ---- arguments and results on the way

static void
takes(node *a, node *b, int k, node *c) {
	CHECK(a->magic == magic && b->magic == magic && c->magic == magic && k == 5);
	gort_waitgroup_done(&wg);
}

static __attribute__((noinline)) void
spawn(void) {
	gort_waitgroup_add(&wg, 1);
	gort_go(takes, new (), new (), 5, new ());
}

static void
deferred(node *n) {
	CHECK(n->magic == magic);
}

static __attribute__((noinline)) void
defers(void) {
	gort_defer(deferred, new ());
	scrub();
	gort_gc();
	gort_gc();
}

static void
fire(void *arg) {
	takes(arg, arg, 5, arg);
}

static __attribute__((noinline)) void
timers(void) {
	gort_waitgroup_add(&wg, 1);
	gort_after_func(30 * GORT_MS, fire, new ());
}

static void
pools(void *p, int k) {
	CHECK(p != NULL);
}

// The only pointer is in a goroutine that has not run, a deferred call, a timer, a channel's buffer,
// a sender that waits.
static void
sends(gort_chan(node *) c, bool wait) {
	gort_chan_send(c, new ());
	if (wait)
		gort_waitgroup_done(&wg);
}

static void
transit(void) {
	pools(&wg, 0);
	gort_gomaxprocs(1);
	for (int i = 0; i < 20; i++)
		spawn();
	timers();
	defers();
	gort_chan(node *) buf = gort_chan_make(node *, 10);
	gort_chan(node *) sync = gort_chan_make(node *, 0);
	for (int i = 0; i < 10; i++)
		sends(buf, false);
	gort_waitgroup_add(&wg, 10);
	for (int i = 0; i < 10; i++)
		gort_go(sends, sync, true);
	scrub();
	gort_gc();
	gort_gc();
	for (int i = 0; i < 10; i++) {
		CHECK(gort_chan_recv(buf)->magic == magic);
		CHECK(gort_chan_recv(sync)->magic == magic);
	}
	gort_waitgroup_wait(&wg);
	gort_gomaxprocs(2);
}

static const struct {
	const char *name;
	void (*f)(void);
} cases[] = {
	{"libc", libc},
	{"pthread_mutex", pthread_mutex},
	{"barrier", barrier},
	{"barrier_excluded", barrier_excluded},
	{"roots", roots},
	{"no_roots", no_roots},
	{"errno", errno_},
	{"rounding", rounding},
	{"sorts", sorts},
	{"blocking", blocking},
	{"transit", transit},
};

static int
app(int argc, char **argv) {
	setvbuf(stdout, NULL, _IOLBF, 0);
	gort_gomaxprocs(2);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bool wanted = argc < 2;
		for (int k = 1; k < argc; k++)
			wanted |= strcmp(argv[k], cases[i].name) == 0;
		if (!wanted)
			continue;
		int64_t t = gort_now();
		cases[i].f();
		printf("%-16s %5lld ms\n", cases[i].name, (long long)((gort_now() - t) / GORT_MS));
	}
	printf("%d failed\n", failed);
	return failed != 0;
}

int
main(int argc, char **argv) {
	setenv("GODEBUG", "clobberfree=1", 0);
	return gort_run(app, argc, argv);
}
