// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The macros of gort.h and gort-short.h as a program uses them: what they evaluate and how often, which
// types they take, and nested in each other.  tests/headers.sh also compiles this file with
// USES_ONLY, as strict C11 with all warnings.
#include "runtime/gort.h"

#ifndef USES_ONLY
#	include "tests/support/support.h"
#else
#	include <string.h>
#	define CHECK(cond) ((void)(cond))
#endif

// ---- types ----------------------------------------------------------------------------------------

typedef struct node node;
struct node {
	long key;
	node *left;
	_Atomic(node *) atomic;
	const char *name;
	node *const fixed;
	node *kids[3];
	struct {
		node *inner;
	} nested;
	_Atomic(node *) slots[2];
	void (*fn)(void);
};
GORT_TYPE(node, left, atomic, name, fixed, kids, nested.inner, slots, fn);

typedef struct pair {
	void *p;
	long n;
} pair;
GORT_TYPE(pair, p);

typedef struct odd {
	int a[5];
} odd;
GORT_TYPE_CONSERVATIVE(odd);

typedef struct big {
	char b[65535];
} big;

__extension__ typedef struct nothing {
} nothing;

static int calls;

static int
count(int x) {
	calls++;
	return x;
}

static void
types(void) {
	const uint64_t want =
		1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 7 << 5 | 1 << 8 | 3 << 9 | 1 << 11;
	uint64_t mask;

	memcpy(&mask, gort_type_node.gcdata, sizeof mask);
	CHECK(mask == want);
	CHECK(gort_type_node.ptrbytes == 12 * 8 && gort_type_node.size == sizeof(node));

	node *n = gort_new_with(node, .key = 1, .left = gort_new_with(node, .key = 2));
	CHECK(n->left->key == 2);
	node *m = gort_new(node);
	gort_store(n->atomic, m);
	gort_store(n->left, gort_xchg(&n->atomic, gort_xchg(&m->left, n)));
	CHECK(n->left == m && n->atomic == NULL && m->left == n);
	CHECK(gort_cas(&n->atomic, NULL, m) && !gort_cas(&n->atomic, NULL, n));
	node *a[2] = {n, NULL};
	node **p = a;
	gort_store(*p++, m), gort_store(*p++, n);
	CHECK(a[0] == m && a[1] == n && p == a + 2);
	gort_zero(n);
	CHECK(n->atomic == NULL && n->left == NULL);

	// of a type without aligned words: the copy must not ask the collector about it
	for (int i = 0; i < 3; i++) {
		odd *o = gort_new_with(odd, {1, 2, 3, 4, i});
		gort_chan(odd) c = gort_chan_make_typed(odd, 2);
		odd got;

		gort_chan_send(c, *o);
		gort_chan_send(c, *o);
		CHECK(gort_chan_recv_ok(c, &got) && got.a[4] == i);
		CHECK(gort_chan_recv(c).a[1] == 2);
	}
}

// oddMark does the copies of types while the collector marks.
static bool stop;

static void
collect(gort_chan(bool) done) {
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		gort_gc();
	gort_chan_send(done, true);
}

static void
oddMark(void) {
	gort_chan(bool) done = gort_chan_make(bool, 0);

	gort_gomaxprocs(2);
	gort_go(collect, done);
	for (int i = 0; i < 3000; i++) {
		types();
		if (i % 64 == 0)
			gort_yield();
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	CHECK(gort_chan_recv(done));
}

// ---- channels -------------------------------------------------------------------------------------

// ECHO sends v through an unbuffered, a buffered and a typed-by-hand channel of T.
#define ECHO(T, v, eq)                                                               \
	do {                                                                         \
		gort_chan(T) echo_ = gort_chan_make(T, 2);                           \
		__typeof__(T) echo_in = v, echo_out;                                 \
		bool echo_ok = false;                                                \
		gort_chan_send(echo_, echo_in);                                      \
		CHECK(gort_chan_try_send(echo_, echo_in));                           \
		CHECK(!gort_chan_try_send(echo_, echo_in));                          \
		CHECK(gort_chan_len(echo_) == 2 && gort_chan_cap(echo_) == 2);       \
		CHECK(gort_chan_recv_ok(echo_, &echo_out) && eq(echo_in, echo_out)); \
		CHECK(gort_chan_try_recv(echo_, &echo_out, &echo_ok) && echo_ok);    \
		CHECK(eq(echo_in, echo_out));                                        \
		gort_chan_close(echo_);                                              \
		CHECK(!gort_chan_recv_ok(echo_, NULL));                              \
	} while (0)
#define SAME(a, b) ((a) == (b))
#define SAMEBYTES(a, b) (memcmp(&(a), &(b), sizeof(a)) == 0)

static void
elements(void) {
	static const char *const text = "text";
	pair pr = {&pr, 7};

	ECHO(bool, true, SAME);
	ECHO(char, 'x', SAME);
	ECHO(short, -3, SAME);
	ECHO(int, 1 << 30, SAME);
	ECHO(uint64_t, UINT64_MAX, SAME);
	ECHO(float, 1.5f, SAME);
	ECHO(double, -2.25, SAME);
	ECHO(long double, 3.75L, SAME);
	ECHO(const char *, text, SAME);
	ECHO(pair, pr, SAMEBYTES);
	typedef void (*fn)(void);
	ECHO(fn, elements, SAME);

	// a const element is a value like another
	gort_chan(const int) ci = gort_chan_make(const int, 1);
	gort_chan(int) ci2 = ci;
	gort_chan_send(ci, 5);
	CHECK(gort_chan_recv(ci2) == 5);

	// arrays go by pointer
	gort_chan(int[3]) ca = gort_chan_make(int[3], 1);
	int three[3] = {1, 2, 3}, got[3];
	gort_chansend((gort_hchan *)(void *)ca, three);
	CHECK(gort_chan_recv_ok(ca, &got) && got[2] == 3);

	// no size, and the largest
	gort_chan(nothing) cn = gort_chan_make(nothing, 3);
	gort_chan_send(cn, (nothing){});
	CHECK(gort_chan_len(cn) == 1);
	CHECK(gort_chan_recv_ok(cn, NULL));
	gort_chan(big) cb = gort_chan_make(big, 2);
	static big b1, b2;
	memset(&b1, 'b', sizeof b1);
	gort_chan_send(cb, b1);
	CHECK(gort_chan_recv_ok(cb, &b2) && memcmp(&b1, &b2, sizeof b1) == 0);

	// a channel of channels
	gort_chan(gort_chan(int)) cc = gort_chan_make(gort_chan(int), 1);
	gort_chan_send(cc, gort_chan_make(int, 1));
	ci2 = gort_chan_recv(cc);
	gort_chan_send(ci2, 1);
	gort_chan_send(ci2, gort_chan_recv(ci2) + 1);
	CHECK(gort_chan_recv(ci2) == 2);

	// the nil channel
	ci2 = NULL;
	CHECK(!gort_chan_try_send(ci2, 1) && gort_chan_len(ci2) == 0 && gort_chan_cap(ci2) == 0);
}

static gort_chan(int) once_chan;

static gort_chan(int) once(void) {
	calls++;
	return once_chan;
}

static void
evaluatedOnce(void) {
	int sum = 0, v = 0;
	bool ok;

	once_chan = gort_chan_make(int, 8);
	calls = 0;
	gort_chan_send(once(), count(1));
	CHECK(calls == 2);
	CHECK(gort_chan_try_send(once(), count(2)));
	CHECK(calls == 4);
	CHECK(gort_chan_recv(once()) == 1 && calls == 5);
	CHECK(gort_chan_recv_ok(once(), &v) && calls == 6);
	CHECK(!gort_chan_try_recv(once(), &v, &ok) && calls == 7);
	CHECK(gort_chan_len(once()) == 0 && gort_chan_cap(once()) == 8 && calls == 9);
	CHECK(gort_select(gort_on_send(once(), count(3)), gort_on_default) == 0 && calls == 11);
	CHECK(gort_select(gort_on_recv(once(), &v),
		      gort_on_recv_ok(NULL == &v ? once() : once_chan, NULL, &ok)) <= 1 &&
		calls == 12);
	for (int i = 1; i <= 4; i++)
		gort_chan_send(once_chan, i);
	gort_chan_close(once());
	CHECK(calls == 13);
	gort_chan_range(x, once()) {
		if (x == 2)
			continue;
		sum += x;
		if (x == 3)
			break;
	}
	CHECK(sum == 4 && calls == 14);
	sum = 0;
	gort_chan_range(x, once_chan) gort_chan_range(y, once_chan) sum += x + y;
	CHECK(sum == 0 && gort_chan_len(once_chan) == 0);
	calls = 0;
	CHECK(gort_chan_cap(gort_chan_make(char, (size_t)count(3))) == 3 && calls == 1);
}

static void
selects(void) {
	gort_chan(int) a = gort_chan_make(int, 2);
	gort_chan(int) b = gort_chan_make(int, 2);
	gort_chan(int) nil = NULL;
	int v = 0, hits[2] = {0, 0};
	bool ok = true;

	// same line, and one inside another
	CHECK(gort_select(gort_on_send(a, 1), gort_on_send(nil, 2)) == 0 &&
		gort_select(gort_on_send(nil, 1), gort_on_send(b, 7)) == 1);
	CHECK(gort_select(gort_on_send(a, gort_select(gort_on_recv(b, &v), gort_on_default)),
		      gort_on_default) == 0);
	CHECK(v == 7 && gort_chan_recv(a) == 1 && gort_chan_recv(a) == 0);

	// default alone, time, nil channels
	CHECK(gort_select(gort_on_default) == 0);
	CHECK(gort_select(gort_on_timeout(0)) == 0 && gort_select(gort_on_timeout(-5)) == 0);
	CHECK(gort_select(gort_on_recv(nil, &v), gort_on_timeout(GORT_US)) == 1);
	CHECK(gort_select(gort_on_recv(nil, &v), gort_on_send(nil, 3), gort_on_default) == 2);
	CHECK(gort_select(gort_on_default, gort_on_recv(a, &v)) == 0);
	for (int i = 0; i < 100; i++) {
		CHECK(gort_select(gort_on_timeout(INT64_MAX), gort_on_timeout(INT64_MAX),
			      gort_on_timeout(INT64_MAX), gort_on_timeout(INT64_MAX),
			      gort_on_timeout(INT64_MAX), gort_on_timeout(1)) == 5);
	}

	// more cases than fit on the stack, with a gap where the default is; ok is not for sends
	enum { many = 600 };
	gort_scase cases[many];
	for (int i = 0; i < many; i++)
		cases[i] = i % 250 == 0 ? gort_on_timeout(GORT_S) : gort_on_recv(nil, NULL);
	cases[many / 2] = gort_on_default;
	CHECK(gort_selectgo(cases, many) == many / 2);
	gort_chan_send(a, 4);
	cases[many - 1] = gort_on_recv_ok(a, &v, &ok);
	CHECK(gort_selectgo(cases, many) == many - 1 && ok && v == 4);
	gort_scase last = gort_on_send(a, 1);
	ok = false;
	last.ok = &ok;
	CHECK(gort_selectgo(&last, 1) == 0 && !ok && gort_chan_recv(a) == 1);

	// one channel in several cases, each of them chosen at some time
	for (int i = 0; i < 200; i++) {
		gort_chan_send(a, i);
		switch (gort_select(gort_on_recv(a, &v), gort_on_recv_ok(a, &v, &ok))) {
		case 0:
			hits[0]++;
			break;
		case 1:
			hits[1]++;
			CHECK(ok);
			break;
		}
		CHECK(v == i);
	}
	CHECK(hits[0] > 0 && hits[1] > 0 && hits[0] + hits[1] == 200);
	gort_chan_close(a);
	CHECK(gort_select(gort_on_recv_ok(a, &v, &ok), gort_on_default) == 0 && !ok && v == 0);
	ok = true;
	CHECK(gort_select(gort_on_recv_ok(a, &v, &ok), gort_on_recv(nil, NULL)) == 0 && !ok);
}

// ---- gort_go, gort_defer --------------------------------------------------------------------------

typedef struct two {
	long a, b;
} two;
typedef struct mixed {
	double d;
	const char *s;
} mixed;
typedef struct floats {
	float x, y, z;
} floats;

static gort_chan(double) result;

static void
go0(void) {
	gort_chan_send(result, 0);
}
static int
go1(float f) {
	gort_chan_send(result, (double)f);
	return 0;
}
static void
go2(two t, int i) {
	gort_chan_send(result, (double)(t.a * 100 + t.b * 10 + i));
}
static double
go3(mixed m, char c, bool b) {
	gort_chan_send(result, m.d + c + b + (strcmp(m.s, "const") == 0 ? 1000 : 0));
	return m.d;
}
static void
go4(double a, float b, double c, const float *d) {
	gort_chan_send(result, a * 1000 + (double)b * 100 + c * 10 + (double)*d);
}
static void
go5(const node *n, const char *const *s, two t, floats f) {
	CHECK(strcmp(*s, "list") == 0 && n->key == 4 && t.b == 6);
	gort_chan_send(result, (double)(f.x * 100 + f.y * 10 + f.z));
}
static void
go6(int a, double b, long c, float d, unsigned char e, short f) {
	gort_chan_send(result, a * 1e5 + b * 1e4 + (double)c * 1e3 + (double)d * 100 + e * 10 + f);
}
static void
go6p(two a, two b, two c) {
	gort_chan_send(result,
		(double)(a.a * 100000 + a.b * 10000 + b.a * 1000 + b.b * 100 + c.a * 10 + c.b));
}

static void
goes(void) {
	static const float nine = 9;
	static const char *const list[] = {"list"};
	int i = 3;

	result = gort_chan_make(double, 0);
	gort_go(go0);
	CHECK(gort_chan_recv(result) == 0);
	gort_go(go1, 2.5f);
	CHECK(gort_chan_recv(result) == 2.5);
	gort_go(go2, ((two){1, 2}), i++);
	CHECK(i == 4 && gort_chan_recv(result) == 123);
	gort_go(go3, ((mixed){0.5, "const"}), 'c', true);
	CHECK(gort_chan_recv(result) == 1000 + 0.5 + 'c' + 1);
	gort_go(go4, 1, 2, 3, &nine);
	CHECK(gort_chan_recv(result) == 1239);
	gort_go(go5, gort_new_with(node, .key = 4), list, ((two){5, 6}), ((floats){1, 2, 3}));
	CHECK(gort_chan_recv(result) == 123);
	gort_go(go6, 1, 2, 3, 4, 5, 6);
	CHECK(gort_chan_recv(result) == 123456);
	gort_go_stack(GORT_STACK_64K, go6p, ((two){1, 2}), ((two){3, 4}), ((two){5, 6}));
	CHECK(gort_chan_recv(result) == 123456);
	gort_chan(double) c = gort_chan_make(double, 2);
	gort_chan_send(c, 8);
	gort_go(go1, (float)gort_chan_recv(c));
	gort_go(go1, 8);
	CHECK(gort_chan_recv(result) == 8 && gort_chan_recv(result) == 8);
	if (i == 4)
		gort_go(go0);
	else
		gort_go(go1, 1);
	CHECK(gort_chan_recv(result) == 0);
}

static char trail[64];

static void
mark(char c) {
	size_t n = strlen(trail);

	trail[n] = c;
}

static void
marks(const char *s, char c) {
	CHECK(*s == c);
	mark(c);
}

static int
defers(int how) {
	gort_defer(mark, 'z');
	for (int i = 0; i < 3; i++) {
		gort_defer(mark, (char)('a' + i));
		if (i == 1)
			continue;
		mark('.');
	}
	{
		gort_defer(mark, '2');
		gort_defer(marks, "1", '1');
	}
	switch (how) {
	case 1: {
		gort_defer(mark, 's');
		break;
	}
	default:
		return how;
	}
	mark('e');
	return 0;
}

static void
deferring(void) {
	memset(trail, 0, sizeof trail);
	CHECK(defers(1) == 0);
	CHECK(strcmp(trail, ".ab.c12sez") == 0);
	memset(trail, 0, sizeof trail);
	CHECK(defers(2) == 2);
	CHECK(strcmp(trail, ".ab.c12z") == 0);
}

// ---- short names ----------------------------------------------------------------------------------

#include "runtime/gort-short.h"

static void
sender(chan(int) c, chan(bool) quit) {
	int n = 0;

	defer(gort_closechan, (gort_hchan *)(void *)c);
	while (select_on(on_send(c, n), on_recv(quit, NULL), on_timeout(100 * GORT_S)) == 0)
		n++;
}

static void
shortNames(void) {
	chan(int) c = chan_make(int, 0);
	chan(bool) quit = chan_make(bool, 0);
	node *n = new (node);
	node *ns = new_array(node, 3);
	int v;
	bool ok = true;

	go(sender, c, quit);
	store(n->left, new_with(node, .key = 9));
	store(ns[2].left, n->left);
	CHECK(ns[2].left->key == 9);
	chan_range(x, c) {
		if (x == 10)
			break;
	}
	CHECK(select_on(on_recv_ok(c, &v, &ok)) == 0 && ok && v == 11);
	CHECK(chan_recv(c) == 12 && chan_recv_ok(c, &v) && v == 13);
	chan_send(quit, true);
	while (chan_recv_ok(c, &v))
		;
	CHECK(chan_try_recv(c, &v, &ok) && !ok);
	CHECK(!chan_try_send(quit, true));
	CHECK(select_on(on_recv(quit, NULL), on_default()) == 1);
	chan_close(quit);
}

#ifndef USES_ONLY
Test(Header, Types) {
	RUN(types);
}
Test(Header, CopiesWhileMarking) {
	RUN(oddMark);
}
Test(Header, Elements) {
	RUN(elements);
}
Test(Header, EvaluatedOnce) {
	RUN(evaluatedOnce);
}
Test(Header, Select) {
	RUN(selects);
}
Test(Header, Go) {
	RUN(goes);
}
Test(Header, Defer) {
	RUN(deferring);
}
Test(Header, ShortNames) {
	RUN(shortNames);
}
#else
void uses(void);
void
uses(void) {
	(void)oddMark, (void)elements, (void)evaluatedOnce, (void)selects, (void)goes;
	(void)deferring, (void)shortNames;
}
#endif
