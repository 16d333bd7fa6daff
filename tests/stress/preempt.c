// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Goroutines that make no calls are stopped at every instruction that they have, while the collector
// runs, the world stops and GOMAXPROCS changes.  Each kernel keeps its state in other registers; a
// result that differs from the one computed in peace says that a stop lost something.  Every kernel
// stands here twice: stopped in place, and (GORT_ASYNC) switched off its thread.
//
// Under ThreadSanitizer goroutines stop only where they poll.
#include "stress.h"

#ifdef STRESS_TSAN
#	define POLL_AT(i)                   \
		do {                         \
			if ((i) % 1024 == 0) \
				gort_poll(); \
		} while (0)
enum { iterations = 20000 };
#else
#	define POLL_AT(i) ((void)0)
enum { iterations = 3000000 };
#endif

typedef uint32_t vec __attribute__((vector_size(32)));
typedef uint64_t (*kernel)(uint64_t seed, long n);

// node is a list of which only the goroutine's registers hold the head.
typedef struct node {
	struct node *next;
	uint64_t v;
} node;
GORT_TYPE(node, next);

// One of the sets of kernels.
#define KERNELS(ATTR, P)                                                                       \
	/* integer registers */                                                                \
	ATTR static uint64_t P##scalar(uint64_t s, long n) {                                   \
		uint64_t h = s | 1;                                                            \
		for (long i = 0; i < n; i++) {                                                 \
			h ^= h << 13;                                                          \
			h ^= h >> 7;                                                           \
			h ^= h << 17;                                                          \
			h += (uint64_t)i;                                                      \
			POLL_AT(i);                                                            \
		}                                                                              \
		return h;                                                                      \
	}                                                                                      \
	/* vector registers */                                                                 \
	ATTR static uint64_t P##vector(uint64_t s, long n) {                                   \
		vec a[4];                                                                      \
		for (int i = 0; i < 4; i++)                                                    \
			for (int j = 0; j < 8; j++)                                            \
				a[i][j] = (uint32_t)(s + (uint64_t)(i * 8 + j) * 2654435761u); \
		for (long k = 0; k < n / 16; k++) {                                            \
			for (int i = 0; i < 4; i++)                                            \
				a[i] = (a[i] ^ (a[i] << 5)) * 1664525u + (a[i] >> 3) +         \
				       (uint32_t)k;                                            \
			POLL_AT(k);                                                            \
		}                                                                              \
		uint64_t h = 0;                                                                \
		for (int i = 0; i < 4; i++)                                                    \
			for (int j = 0; j < 8; j++)                                            \
				h = h * 31 + a[i][j];                                          \
		return h;                                                                      \
	}                                                                                      \
	/* floating point */                                                                   \
	ATTR static uint64_t P##flt(uint64_t s, long n) {                                      \
		double x = 1 + (double)(s % 1000) / 1000, y = 0.5;                             \
		for (long i = 0; i < n / 4; i++) {                                             \
			x = x * 1.0000001 + 0.5 / x;                                           \
			y = y * 0.9999999 + 1 / x;                                             \
			POLL_AT(i);                                                            \
		}                                                                              \
		uint64_t a, b;                                                                 \
		memcpy(&a, &x, 8);                                                             \
		memcpy(&b, &y, 8);                                                             \
		return a * 31 + b;                                                             \
	}                                                                                      \
	/* the x87 stack */                                                                    \
	ATTR static uint64_t P##x87(uint64_t s, long n) {                                      \
		long double x = 1 + (long double)(s % 97);                                     \
		for (long i = 0; i < n / 4; i++) {                                             \
			x = x * 1.0000000001L + 0.25L / x;                                     \
			POLL_AT(i);                                                            \
		}                                                                              \
		double d = (double)x;                                                          \
		uint64_t h;                                                                    \
		memcpy(&h, &d, 8);                                                             \
		return h;                                                                      \
	}                                                                                      \
	/* flags that live across instructions */                                              \
	ATTR static uint64_t P##flags(uint64_t s, long n) {                                    \
		uint64_t a = s, b = s * 3, c = s * 7;                                          \
		for (long i = 0; i < n / 2; i++) {                                             \
			__asm__ volatile("addq %3, %0\n\tadcq %4, %1\n\tadcq $0, %2\n\t"       \
					 "rolq $7, %0\n\trcrq $1, %1"                          \
					 : "+r"(a), "+r"(b), "+r"(c)                           \
					 : "r"((uint64_t)0x9e3779b97f4a7c15),                  \
					 "r"((uint64_t)0xbf58476d1ce4e5b9)                     \
					 : "cc");                                              \
			POLL_AT(i);                                                            \
		}                                                                              \
		return a ^ b ^ c;                                                              \
	}                                                                                      \
	/* the red zone */                                                                     \
	ATTR static uint64_t P##redzone(uint64_t s, long n) {                                  \
		volatile uint64_t v[12];                                                       \
		for (int i = 0; i < 12; i++)                                                   \
			v[i] = s + (uint64_t)i;                                                \
		for (long i = 0; i < n / 4; i++) {                                             \
			v[i % 12] += v[(i + 5) % 12] * 3 + (uint64_t)i;                        \
			POLL_AT(i);                                                            \
		}                                                                              \
		uint64_t h = 0;                                                                \
		for (int i = 0; i < 12; i++)                                                   \
			h = h * 31 + v[i];                                                     \
		return h;                                                                      \
	}                                                                                      \
	/* string instructions, in both directions */                                          \
	ATTR static uint64_t P##rep(uint64_t s, long n) {                                      \
		unsigned char b[2048], c[2048];                                                \
		for (int i = 0; i < 2048; i++)                                                 \
			b[i] = (unsigned char)(s * (uint64_t)i >> 3);                          \
		for (long k = 0; k < n / 2048; k++) {                                          \
			unsigned char *d = c, *p = b;                                          \
			long m = 2048;                                                         \
			__asm__ volatile("rep movsb" : "+D"(d), "+S"(p), "+c"(m)::"memory");   \
			d = b + 2047;                                                          \
			p = c + 2046;                                                          \
			m = 2047;                                                              \
			__asm__ volatile("std\n\trep movsb\n\tcld"                             \
					 : "+D"(d), "+S"(p), "+c"(m)::"memory");               \
			b[k % 2048] = (unsigned char)(b[k % 2048] + k);                        \
			POLL_AT(k);                                                            \
		}                                                                              \
		uint64_t h = 0;                                                                \
		for (int i = 0; i < 2048; i++)                                                 \
			h = h * 31 + b[i];                                                     \
		return h;                                                                      \
	}                                                                                      \
	/* pointers that only registers and this frame hold */                                 \
	ATTR static uint64_t P##pointers(uint64_t s, long n) {                                 \
		node *l = NULL;                                                                \
		uint64_t h = 0;                                                                \
		for (int i = 0; i < 50; i++) {                                                 \
			node *x = gort_new_with(node, .next = l, .v = s + (uint64_t)i);        \
			l = x;                                                                 \
		}                                                                              \
		for (long k = 0; k < n / 64; k++) {                                            \
			for (node *x = l; x != NULL; x = x->next)                              \
				h = h * 31 + x->v;                                             \
			if (k % 256 == 0) {                                                    \
				/* the tail becomes garbage but for this variable */           \
				node *t = l->next;                                             \
				node *x = gort_new_with(node, .v = l->v + (uint64_t)k);        \
				gort_store(x->next, t);                                        \
				l = x;                                                         \
			}                                                                      \
			POLL_AT(k);                                                            \
		}                                                                              \
		return h;                                                                      \
	}                                                                                      \
	static const kernel P##kernels[] = {                                                   \
		P##scalar, P##vector, P##flt, P##x87, P##flags, P##redzone, P##rep, P##pointers};

KERNELS(__attribute__((noinline)), inplace_)
KERNELS(GORT_ASYNC, async_)

enum { nkernels = sizeof inplace_kernels / sizeof inplace_kernels[0] };

static gort_waitgroup wg;
static int64_t deadline;
static uint64_t cycles;   // atomic: collections
static uint32_t finished; // atomic: the workers are through
static uint64_t want[2][nkernels][4];

static uint64_t
run(int k, int variant, uint64_t seed) {
	return (variant == 0 ? inplace_kernels : async_kernels)[k](seed * 7919 + 13, iterations);
}

static void
worker(int id) {
	for (int round = 0; gort_now() < deadline || round == 0; round++) {
		int k = (id + round) % nkernels;
		int variant = (id / nkernels + round) % 2;
		uint64_t seed = (uint64_t)(id + round) % 4;
		uint64_t got = run(k, variant, seed);
		CHECK(got == want[variant][k][seed], "goroutine %d: kernel %d/%d: %#lx, want %#lx",
			id, k, variant, (unsigned long)got, (unsigned long)want[variant][k][seed]);
		step(1);
	}
	gort_waitgroup_done(&wg);
}

// disturber collects, stops the world and moves Ps.
static void
disturber(void) {
	int procs = gort_gomaxprocs(0);
	for (int i = 0; __atomic_load_n(&finished, __ATOMIC_RELAXED) == 0; i++) {
		gort_gc();
		__atomic_add_fetch(&cycles, 1, __ATOMIC_RELAXED);
		if (i % 8 == 0)
			gort_gomaxprocs(1 + i / 8 % (2 * procs));
		gort_sleep(1000000);
	}
	gort_gomaxprocs(procs);
	gort_waitgroup_done(&wg);
}

static int
app(int argc, char **argv) {
	enum { n = 32 };

	for (int v = 0; v < 2; v++)
		for (int k = 0; k < nkernels; k++)
			for (uint64_t s = 0; s < 4; s++)
				want[v][k][s] = run(k, v, s);
	deadline = gort_now() + (int64_t)(stress_seconds * 1e9);
	gort_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		gort_go(worker, i);
	gort_go(disturber);
	gort_waitgroup_wait(&wg);
	gort_waitgroup_add(&wg, 1);
	__atomic_store_n(&finished, 1, __ATOMIC_RELAXED);
	gort_waitgroup_wait(&wg);
	printf("preempt: ok: %lu kernels, %lu collections\n", (unsigned long)steps(),
		(unsigned long)cycles);
	return 0;
}

int
main(int argc, char **argv) {
	return stress_main("preempt", app, argc, argv);
}
