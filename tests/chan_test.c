// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Channels and select, after chan_test.go of Go 1.26.8.
#include "tests/support/support.h"

#include "runtime/runtime.h"
#include "sched/chan.h"
#include "sched/proc.h"
#include "sched/select.h"

// settle lets the other goroutines run until they block.
static void
settle(void) {
	for (int i = 0; i < 20; i++)
		gort_yield();
}

static void
recv_into(gort_chan(int) c, int *flag) {
	gort_chan_recv(c);
	__atomic_store_n(flag, 1, __ATOMIC_SEQ_CST);
}

static void
send_flag(gort_chan(int) c, int *flag) {
	gort_chan_send(c, 0);
	__atomic_store_n(flag, 1, __ATOMIC_SEQ_CST);
}

static void
recv_closed(gort_chan(int) c, gort_chan(bool) done) {
	int v = -1;
	bool ok = gort_chan_recv_ok(c, &v);

	gort_chan_send(done, v == 0 && !ok);
}

static void
send_n(gort_chan(int) c, int n) {
	for (int i = 0; i < n; i++)
		gort_chan_send(c, i);
}

struct counts {
	int32_t n[1000];
};

static void
recv_counts(gort_chan(int) c, struct counts *counts, gort_waitgroup *wg) {
	for (int i = 0; i < 1000; i++)
		__atomic_add_fetch(&counts->n[gort_chan_recv(c)], 1, __ATOMIC_SEQ_CST);
	gort_waitgroup_done(wg);
}

static void
chan_cap(int chanCap) {
	int v;
	bool ok;

	{ // a receive from an empty channel blocks
		gort_chan(int) c = gort_chan_make(int, chanCap);
		int recv1 = 0, recv2 = 0;
		gort_go(recv_into, c, &recv1);
		gort_go(recv_into, c, &recv2);
		settle();
		CHECK(__atomic_load_n(&recv1, __ATOMIC_SEQ_CST) == 0);
		CHECK(__atomic_load_n(&recv2, __ATOMIC_SEQ_CST) == 0);
		CHECK(!gort_chan_try_recv(c, &v, &ok));
		CHECK(gort_select(gort_on_recv(c, &v), gort_on_default) == 1);
		gort_chan_send(c, 0);
		gort_chan_send(c, 0);
		while (__atomic_load_n(&recv1, __ATOMIC_SEQ_CST) +
				__atomic_load_n(&recv2, __ATOMIC_SEQ_CST) <
			2)
			gort_yield();
	}
	{ // a send to a full channel blocks
		gort_chan(int) c = gort_chan_make(int, chanCap);
		int sent = 0;
		send_n(c, chanCap);
		gort_go(send_flag, c, &sent);
		settle();
		CHECK(__atomic_load_n(&sent, __ATOMIC_SEQ_CST) == 0);
		CHECK(!gort_chan_try_send(c, 0));
		gort_chan_recv(c);
		while (__atomic_load_n(&sent, __ATOMIC_SEQ_CST) == 0)
			gort_yield();
	}
	{ // 0 from a closed channel
		gort_chan(int) c = gort_chan_make(int, chanCap);
		send_n(c, chanCap);
		gort_chan_close(c);
		for (int i = 0; i < chanCap; i++)
			CHECK(gort_chan_recv(c) == i);
		CHECK(gort_chan_recv(c) == 0);
		v = 7;
		CHECK(!gort_chan_recv_ok(c, &v) && v == 0);
		v = 7;
		ok = true;
		CHECK(gort_chan_try_recv(c, &v, &ok) && !ok && v == 0);
	}
	{ // close unblocks receive
		gort_chan(int) c = gort_chan_make(int, chanCap);
		gort_chan(bool) done = gort_chan_make(bool, 0);
		gort_go(recv_closed, c, done);
		settle();
		gort_chan_close(c);
		CHECK(gort_chan_recv(done));
	}
	{ // order
		gort_chan(int) c = gort_chan_make(int, chanCap);
		gort_go(send_n, c, 100);
		for (int i = 0; i < 100; i++)
			CHECK(gort_chan_recv(c) == i);
		gort_go(send_n, c, 100);
		for (int i = 0; i < 100; i++)
			CHECK(gort_chan_recv_ok(c, &v) && v == i);

		// 4 senders, 4 receivers
		struct counts counts = {{0}};
		gort_waitgroup wg = {0};
		gort_waitgroup_add(&wg, 4);
		for (int p = 0; p < 4; p++)
			gort_go(send_n, c, 1000);
		for (int p = 0; p < 4; p++)
			gort_go(recv_counts, c, &counts, &wg);
		gort_waitgroup_wait(&wg);
		for (int i = 0; i < 1000; i++)
			CHECK(counts.n[i] == 4);
	}
	{ // len and cap
		gort_chan(int) c = gort_chan_make(int, chanCap);
		CHECK(gort_chan_len(c) == 0 && gort_chan_cap(c) == (size_t)chanCap);
		send_n(c, chanCap);
		CHECK(gort_chan_len(c) == (size_t)chanCap && gort_chan_cap(c) == (size_t)chanCap);
	}
}

static void
test_chan(void) {
	gort_gomaxprocs(4);
	for (int chanCap = 0; chanCap < 20; chanCap++)
		chan_cap(chanCap);
}

Test(Chan, Chan) {
	RUN(test_chan);
}

static void
recv_must_be_ready(gort_chan(int) c, gort_waitgroup *wg) {
	int v;

	CHECK(gort_select(gort_on_recv(c, &v), gort_on_default) == 0);
	gort_waitgroup_done(wg);
}

static void
test_nonblock_recv_race(void) {
	for (int i = 0; i < 1000; i++) {
		gort_chan(int) c = gort_chan_make(int, 1);
		gort_waitgroup wg = {0};
		gort_waitgroup_add(&wg, 1);
		gort_chan_send(c, 1);
		gort_go(recv_must_be_ready, c, &wg);
		gort_chan_close(c);
		gort_chan_recv(c);
		gort_waitgroup_wait(&wg);
	}
}

Test(Chan, NonblockRecvRace) {
	RUN(test_nonblock_recv_race);
}

static void
select_one_of(gort_chan(int) c1, gort_chan(int) c2, gort_chan(bool) done) {
	int v;
	int i = gort_select(gort_on_recv(c1, &v), gort_on_recv(c2, &v), gort_on_default);

	gort_chan_send(done, i != 2);
}

static void
nonblock_select_race(bool close_it) {
	gort_chan(bool) done = gort_chan_make(bool, 1);

	for (int i = 0; i < 1000; i++) {
		gort_chan(int) c1 = gort_chan_make(int, 1);
		gort_chan(int) c2 = gort_chan_make(int, close_it ? 0 : 1);
		int v;
		gort_chan_send(c1, 1);
		gort_go(select_one_of, c1, c2, done);
		if (close_it)
			gort_chan_close(c2);
		else
			gort_chan_send(c2, 1);
		gort_chan_try_recv(c1, &v, NULL);
		CHECK(gort_chan_recv(done));
	}
}

static void
test_nonblock_select_race(void) {
	nonblock_select_race(false);
}

static void
test_nonblock_select_race2(void) {
	nonblock_select_race(true);
}

// One of two channels is always ready: a select looks at all of them at one moment.
Test(Chan, NonblockSelectRace) {
	RUN(test_nonblock_select_race);
}

Test(Chan, NonblockSelectRace2) {
	RUN(test_nonblock_select_race2);
}

static void
self_select(gort_chan(int) c, int p, int chanCap, gort_waitgroup *wg) {
	for (int i = 0; i < 1000; i++) {
		int v = -1;
		if (p == 0 || i % 2 == 0) {
			if (gort_select(gort_on_send(c, p), gort_on_recv(c, &v)) == 1)
				CHECK(chanCap != 0 || v != p);
		} else {
			if (gort_select(gort_on_recv(c, &v), gort_on_send(c, p)) == 0)
				CHECK(chanCap != 0 || v != p);
		}
	}
	gort_waitgroup_done(wg);
}

static void
test_self_select(void) {
	gort_gomaxprocs(2);
	for (int chanCap = 0; chanCap <= 10; chanCap += 10) {
		gort_waitgroup wg = {0};
		gort_chan(int) c = gort_chan_make(int, chanCap);
		gort_waitgroup_add(&wg, 2);
		for (int p = 0; p < 2; p++)
			gort_go(self_select, c, p, chanCap, &wg);
		gort_waitgroup_wait(&wg);
	}
}

Test(Chan, SelfSelect) {
	RUN(test_self_select);
}

enum { stressN = 5000 };

struct stress {
	gort_chan(int) c[4];
	gort_waitgroup wg;
};

static void
stress_send(struct stress *s, int k) {
	for (int i = 0; i < stressN; i++)
		gort_chan_send(s->c[k], 0);
	gort_waitgroup_done(&s->wg);
}

static void
stress_recv(struct stress *s, int k) {
	for (int i = 0; i < stressN; i++)
		gort_chan_recv(s->c[k]);
	gort_waitgroup_done(&s->wg);
}

static void
stress_select(struct stress *s, bool send) {
	int n[4] = {0};
	gort_chan(int) c1[4];
	int v, k;

	memcpy(c1, s->c, sizeof(c1));
	for (int i = 0; i < 4 * stressN; i++) {
		if (send)
			k = 3 - gort_select(gort_on_send(c1[3], 0), gort_on_send(c1[2], 0),
					gort_on_send(c1[1], 0), gort_on_send(c1[0], 0));
		else
			k = gort_select(gort_on_recv(c1[0], &v), gort_on_recv(c1[1], &v),
				gort_on_recv(c1[2], &v), gort_on_recv(c1[3], &v));
		if (++n[k] == stressN)
			c1[k] = NULL;
	}
	gort_waitgroup_done(&s->wg);
}

static void
test_select_stress(void) {
	struct stress s = {0};

	gort_gomaxprocs(10);
	for (int i = 0; i < 4; i++)
		s.c[i] = gort_chan_make(int, i < 2 ? 0 : i);
	gort_waitgroup_add(&s.wg, 10);
	for (int k = 0; k < 4; k++) {
		gort_go(stress_send, &s, k);
		gort_go(stress_recv, &s, k);
	}
	gort_go(stress_select, &s, true);
	gort_go(stress_select, &s, false);
	gort_waitgroup_wait(&s.wg);
}

Test(Chan, SelectStress) {
	RUN(test_select_stress);
}

enum { trials = 10000 };

struct fair {
	gort_chan(char) c1, c2, c3, c4, out, done;
	gort_waitgroup wg;
};

static void
fair_1(struct fair *f) {
	for (;;) {
		char b = 0, x;
		gort_select(gort_on_recv(f->c3, &b), gort_on_recv(f->c4, &b),
			gort_on_recv(f->c1, &b), gort_on_recv(f->c2, &b));
		if (gort_select(gort_on_send(f->out, b), gort_on_recv(f->done, &x)) == 1)
			break;
	}
	gort_waitgroup_done(&f->wg);
}

static void
test_select_fairness(void) {
	struct fair f = {gort_chan_make(char, trials + 1), gort_chan_make(char, trials + 1),
		gort_chan_make(char, 0), gort_chan_make(char, 0), gort_chan_make(char, 0),
		gort_chan_make(char, 0), {0}};
	int cnt[3] = {0};

	for (int i = 0; i < trials + 1; i++) {
		gort_chan_send(f.c1, 1);
		gort_chan_send(f.c2, 2);
	}
	gort_waitgroup_add(&f.wg, 1);
	gort_go(fair_1, &f);
	for (int i = 0; i < trials; i++) {
		char b = gort_chan_recv(f.out);
		CHECK(b == 1 || b == 2);
		cnt[(int)b]++;
	}
	// 10 sigma are 500
	CHECK(abs(cnt[1] - trials / 2) <= 500);
	gort_chan_close(f.done);
	gort_waitgroup_wait(&f.wg);
}

Test(Chan, SelectFairness) {
	RUN(test_select_fairness);
}

struct random_ {
	int l[100];
	gort_mutex m;
	gort_chan(int) c;
};

static void
random_1(struct random_ *r) {
	for (int i = 0; i < 100; i++) {
		gort_yield();
		r->l[i] = gort_chan_recv(r->c);
	}
	gort_mutex_unlock(&r->m);
}

static void
test_pseudo_random_send(void) {
	for (int chanCap = 0; chanCap <= 100; chanCap += 100) {
		// static: the goroutine may still be in unlock when the main one has the lock
		static struct random_ rs[2];
		struct random_ *r = &rs[chanCap != 0];
		int n1 = 0;
		gort_store(r->c, gort_chan_make(int, chanCap));
		gort_mutex_lock(&r->m);
		gort_go(random_1, r);
		for (int i = 0; i < 100; i++)
			gort_select(gort_on_send(r->c, 1), gort_on_send(r->c, 0));
		gort_mutex_lock(&r->m);
		for (int i = 0; i < 100; i++)
			n1 += r->l[i];
		CHECK(n1 > 10 && n1 < 90);
	}
}

Test(Chan, PseudoRandomSend) {
	RUN(test_pseudo_random_send);
}

static const int pn[] = {2, 3, 7, 11, 13, 17, 19, 23, 27, 31};

enum { nwork = 23, niter = 27182 };

struct multi {
	gort_chan(int) q, r;
	gort_waitgroup wg;
	long expect;
};

static void
multi_worker(struct multi *m, int w) {
	gort_chan_range(v, m->q) {
		if (pn[w % 10] == v)
			gort_yield();
		gort_chan_send(m->r, v);
	}
	gort_waitgroup_done(&m->wg);
}

static void
multi_feeder(struct multi *m) {
	for (int i = 0; i < niter; i++) {
		m->expect += pn[i % 10];
		gort_chan_send(m->q, pn[i % 10]);
	}
	gort_chan_close(m->q);
	gort_waitgroup_wait(&m->wg);
	gort_chan_close(m->r);
}

static void
test_multi_consumer(void) {
	struct multi m = {gort_chan_make(int, nwork * 3), gort_chan_make(int, nwork * 3), {0}, 0};
	int n = 0;
	long s = 0;

	gort_waitgroup_add(&m.wg, nwork);
	for (int i = 0; i < nwork; i++)
		gort_go(multi_worker, &m, i);
	gort_go(multi_feeder, &m);
	gort_chan_range(v, m.r) {
		n++;
		s += v;
	}
	CHECK(n == niter && s == m.expect);
}

Test(Chan, MultiConsumer) {
	RUN(test_multi_consumer);
}

// A blocked sender whose stack is shrunk.
static int __attribute__((noinline)) use_stack(int n) {
	volatile char a[4096];

	a[0] = (char)n;
	return n == 0 ? a[0] : use_stack(n - 1) + a[0];
}

static void
shrink_sender(gort_chan(int) c, gort_chan(bool) done) {
	for (int i = 0; i < 10; i++) {
		gort_chan_send(c, i);
		use_stack(20);
	}
	gort_chan_send(done, true);
}

static void
test_shrink_stack_during_blocked_send(void) {
	gort_chan(int) c = gort_chan_make(int, 0);
	gort_chan(bool) done = gort_chan_make(bool, 0);

	gort_go(shrink_sender, c, done);
	for (int i = 0; i < 10; i++) {
		CHECK(gort_chan_recv(c) == i);
		settle();
		gort_gc();
	}
	gort_chan_recv(done);
}

Test(Chan, ShrinkStackDuringBlockedSend) {
	RUN(test_shrink_stack_during_blocked_send);
}

struct dup_ {
	gort_chan(int) c, d, e;
};

static void
dup_a(struct dup_ *x) {
	int v;

	gort_select(gort_on_recv(x->c, &v), gort_on_recv(x->c, &v), gort_on_recv(x->d, &v));
	gort_chan_send(x->e, 9);
}

static void
dup_b(struct dup_ *x) {
	gort_chan_recv(x->c);
}

static void
test_select_duplicate_channel(void) {
	struct dup_ x = {gort_chan_make(int, 0), gort_chan_make(int, 0), gort_chan_make(int, 0)};

	gort_go(dup_a, &x);
	settle();
	gort_go(dup_b, &x); // queues behind both sudogs of a
	settle();
	gort_chan_send(x.d, 7); // wakes a, which takes itself out of c
	gort_chan_recv(x.e);
	gort_chan_send(x.c, 8); // wakes b
}

// A goroutine waits on the same channel several times.
Test(Chan, SelectDuplicateChannel) {
	RUN(test_select_duplicate_channel);
}

// ---- sizes of elements, panics, big selects: not in Go's file ---------------------------------------

struct s3 {
	char b[3];
};
struct s24 {
	long a[3];
};
struct s1000 {
	char b[1000];
};

static void
test_element_sizes(void) {
	for (int n = 0; n < 3; n++) {
		gort_chan(struct s3) c3 = gort_chan_make(struct s3, 2);
		gort_chan(struct s24) c24 = gort_chan_make(struct s24, 2);
		gort_chan(struct s1000) c1000 = gort_chan_make(struct s1000, 2);
		gort_chan(short) c2 = gort_chan_make(short, 2);
		gort_chan(double) c8 = gort_chan_make(double, 2);
		struct s1000 big;
		for (int i = 0; i < 5; i++) {
			memset(&big, 'a' + i, sizeof(big));
			gort_chan_send(c3, (struct s3){{1, 2, 3}});
			gort_chan_send(c24, (struct s24){{i, 5, 6}});
			gort_chan_send(c1000, big);
			gort_chan_send(c2, (short)-i);
			gort_chan_send(c8, i / 4.0);
			CHECK(gort_chan_recv(c3).b[2] == 3);
			CHECK(gort_chan_recv(c24).a[0] == i);
			CHECK(gort_chan_recv(c1000).b[999] == 'a' + i);
			CHECK(gort_chan_recv(c2) == -i);
			CHECK(gort_chan_recv(c8) == i / 4.0);
		}
	}
}

Test(Chan, ElementSizes) {
	RUN(test_element_sizes);
}

static const char *recovered;

static void
recover_(void) {
	recovered = gort_recover();
}

struct panics_args {
	void (*fn)(gort_hchan *);
	gort_hchan *c;
};

static void
panics_1(void *a) {
	struct panics_args *args = a;

	gort_defer(recover_);
	args->fn(args->c);
}

// panics returns the text of the panic that fn(c) ends in, or NULL.
static const char *
panics(void (*fn)(gort_hchan *), gort_hchan *c) {
	struct panics_args args = {fn, c};

	recovered = NULL;
	gort_pcall(panics_1, &args);
	return recovered;
}

static void
send_int(gort_hchan *c) {
	gort_chansend(c, &(int){1});
}

static void
select_send_int(gort_hchan *h) {
	gort_chan(int) c = (gort_chan(int))(void *)h;
	gort_chan(int) d = gort_chan_make(int, 0);
	int v;

	gort_select(gort_on_send(c, 1), gort_on_recv(d, &v));
}

static bool
same(const char *a, const char *b) {
	return a != NULL && strcmp(a, b) == 0;
}

static void
test_panics(void) {
	gort_chan(int) c = gort_chan_make(int, 0);

	CHECK(panics(gort_closechan, GORT_HCHAN_(c)) == NULL);
	CHECK(same(panics(gort_closechan, GORT_HCHAN_(c)), "close of closed channel"));
	CHECK(same(panics(gort_closechan, NULL), "close of nil channel"));
	CHECK(same(panics(send_int, GORT_HCHAN_(c)), "send on closed channel"));
	CHECK(same(panics(select_send_int, GORT_HCHAN_(c)), "send on closed channel"));
}

Test(Chan, Panics) {
	RUN(test_panics);
}

#ifndef GORT_LOCKRANK
static gort_chan(int) manych[maxSelectCases];
#endif
static gort_scase manycases[maxSelectCases];

static void
test_many_cases(void) {
	gort_chan(int) c = gort_chan_make(int, 1);
	int v = 0;

	for (int n = 2; n <= maxSelectCases; n *= 8) {
		for (int i = 0; i < n; i++)
			manycases[i] = (gort_scase){GORT_CASE_RECV, NULL, &v, NULL, 0};
		gort_chan_send(c, n);
		manycases[n - 1].c = GORT_HCHAN_(c);
		CHECK(gort_selectgo(manycases, n) == n - 1 && v == n);
	}
#ifndef GORT_LOCKRANK // which checks at most ten locks at a time, as Go's does
	for (int i = 0; i < maxSelectCases; i++) {
		gort_store(manych[i], gort_chan_make(int, 1));
		manycases[i] = (gort_scase){GORT_CASE_RECV, GORT_HCHAN_(manych[i]), &v, NULL, 0};
	}
	gort_chan_send(manych[31415], 5);
	CHECK(gort_selectgo(manycases, maxSelectCases) == 31415 && v == 5);
#endif
}

Test(Select, ManyCases) {
	RUN(test_many_cases);
}

static void
test_timeout(void) {
	gort_chan(int) c = gort_chan_make(int, 1);
	int64_t t = gort_now();
	int v = 0;

	CHECK(gort_select(gort_on_recv(c, &v), gort_on_timeout(2 * GORT_MS)) == 1);
	CHECK(gort_now() - t >= 2 * GORT_MS);
	gort_chan_send(c, 3);
	CHECK(gort_select(gort_on_recv(c, &v), gort_on_timeout(3600 * GORT_S)) == 0 && v == 3);
	CHECK(gort_select(gort_on_timeout(1), gort_on_timeout(3600 * GORT_S)) == 0);
}

Test(Select, Timeout) {
	RUN(test_timeout);
}

static gort_chan(int *) ptrch;

static void
ptr_sender(int n) {
	for (int i = 0; i < n; i++) {
		int *p = gort_alloc(sizeof(int), GORT_NOSCAN);
		*p = i;
		gort_chan_send(ptrch, p);
	}
	gort_chan_close(ptrch);
}

// Pointers whose only place is a channel or a hand-over survive collections.
static void
test_pointers_survive(void) {
	for (int cap = 0; cap < 100; cap += 33) {
		int i = 0;
		gort_store(ptrch, gort_chan_make(int *, cap));
		gort_go(ptr_sender, 3000);
		gort_chan_range(p, ptrch) {
			CHECK(*p == i);
			if (++i % 300 == 0)
				gort_gc();
		}
		CHECK(i == 3000);
	}
}

Test(Chan, PointersSurvive) {
	RUN(test_pointers_survive);
}
