// A program in which write barriers are missing.  tests/barriercheck.sh runs it under the checker,
// which must report each line marked MISSING or FORGOTTEN, and no other.
#include <gort.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))
#define KEEP __asm__ volatile("" ::: "memory") // the compiler keeps the stores apart

typedef struct node {
	struct node *l, *r;
	long key;
} node;
GORT_TYPE(node, l, r);

typedef struct forgetful {
	node *seen;
	long key;
	node *unseen; // not in the GORT_TYPE
} forgetful;
GORT_TYPE(forgetful, seen);

typedef struct big { // has a malloc header: more than 512 bytes
	node *p[64];
	node *at;
	long n[31];
} big;
GORT_TYPE(big, p, at);

typedef struct huge { // spans of its own
	node *first;
	char text[40000];
	long n;
} huge;
GORT_TYPE(huge, first);

typedef struct loose {
	uintptr_t word[8];
	node *last;
} loose;
GORT_TYPE_CONSERVATIVE(loose);

static node *global;
static long number;
static node *table[8];
static _Atomic(node *) shared;
static node *list[4]; // gort_root_exclude'd
static __thread node *local_to_thread;

static NOINLINE void
stores(node *a, node *b) {
	gort_store(a->l, b);
	a->key = 1;
	a->r = b; // MISSING
	KEEP;
	a->r = NULL; // MISSING
	gort_store(a->r, NULL);
}

static NOINLINE void
copies(node *a, node *b, big *x, big *y, int i) {
	*a = *b; // MISSING
	gort_copy(a, b);
	x->p[i] = a; // MISSING
	x->n[i] = i;
	*x = *y; // MISSING
	gort_copy(x, y);
	gort_zero(x);
	x->n[i] = 7;
}

static NOINLINE void
atomics(big *x, node *a) {
	__atomic_store_n(&x->at, a, __ATOMIC_RELEASE); // MISSING
	node *old = __atomic_exchange_n(&x->at, NULL, __ATOMIC_SEQ_CST); // MISSING
	old = NULL;
	__atomic_compare_exchange_n(&x->at, &old, a, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED); // MISSING
	gort_xchg(&x->at, NULL);
	gort_cas(&x->at, NULL, a);
	atomic_store(&shared, a); // MISSING
	atomic_store(&shared, NULL); // MISSING
}

static NOINLINE void
strings(big *x, big *y, node **from, long n) {
	memcpy(x->p, from, (size_t)n * sizeof *from); // MISSING
	memmove(x->p + 1, x->p, (size_t)n * sizeof *from); // MISSING
	memset(y, 0, sizeof *y); // MISSING
	memcpy(x->n, from, (size_t)n * sizeof *from);
	memset(x->n, 0, sizeof x->n);
}

static int
by_address(const void *a, const void *b) {
	uintptr_t x = (uintptr_t) * (node *const *)a, y = (uintptr_t) * (node *const *)b;
	return (x > y) - (x < y);
}

static NOINLINE void
sorts(big *x, node **mine, size_t n) {
	qsort(x->p, n, sizeof x->p[0], by_address); // MISSING
	gort_sort(x->p, n, sizeof x->p[0], by_address);
	qsort(mine, n, sizeof mine[0], by_address);
}

static NOINLINE void
globals(node *a) {
	global = a; // MISSING
	KEEP;
	number = (long)random();
	gort_store(global, a);
	global = NULL; // MISSING
	local_to_thread = a;
}

static NOINLINE void
tables(node **from, int i) {
	table[i] = from[i]; // MISSING
	memcpy(table, from, (size_t)i * sizeof table[0]); // MISSING
	list[i] = from[i];
}

static NOINLINE void
loosely(loose *x, node *a, uintptr_t number_) {
	x->word[1] = number_;
	x->word[2] = (uintptr_t)a; // MISSING
	KEEP;
	x->word[2] = number_; // MISSING
	KEEP;
	x->word[2] = 0;
	gort_store(x->last, a);
	x->word[4] = (uintptr_t)x; // MISSING
}

static NOINLINE void
large(huge *x, node *a, int i) {
	x->text[i] = 'x';
	x->n = i;
	x->first = a; // MISSING
}

static NOINLINE void
forgets(forgetful *x, node *a) {
	gort_store(x->seen, a);
	gort_store(x->unseen, a); // FORGOTTEN
}

static NOINLINE void
wild(node **slot, void *bytes, node *a) {
	*slot = a; // a slot on the stack
	*(node **)bytes = a; // in a noscan object: hidden, and the user's business
}

static NOINLINE void
goroutine(node *a, node *b, gort_chan(long) done) {
	a->l = b; // MISSING
	gort_chan_send(done, 1);
}

static int
app(int argc, char **argv) {
	(void)argv;
	node *mine[8];
	for (int i = 0; i < 8; i++)
		mine[i] = gort_new_with(node, .key = i);
	gort_root_exclude(list, sizeof list);
	big *x = gort_new(big), *y = gort_new(big);
	gort_store(y->p[3], mine[3]);
	gort_chan(long) done = gort_chan_make(long, 0);
	for (int i = 0; i < 3; i++) {
		stores(mine[0], mine[1]);
		copies(mine[1], mine[2], x, y, argc + i);
		atomics(x, mine[3]);
		strings(x, y, mine, 4);
		sorts(x, mine, 4);
		globals(mine[4]);
		tables(mine, argc + i);
		loosely(gort_new(loose), mine[5], 12345);
		large(gort_new(huge), mine[5], argc);
		forgets(gort_new(forgetful), mine[6]);
		wild(&mine[7], gort_alloc(64, GORT_NOSCAN), mine[6]);
		gort_go(goroutine, mine[0], mine[1], done);
		gort_chan_recv(done);
		gort_gc();
	}
	printf("done\n");
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
