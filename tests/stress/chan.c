// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Channels under load.  Values are numbered by their senders: each must arrive once, in its sender's
// order, whichever of plain operations, try operations and select moved it, in channels of all sizes.
// Closing wakes everybody.  A ring of unbuffered channels and a token passer stand for hand-over.
#include "stress.h"

static int64_t deadline;

// ---- many senders, many receivers ---------------------------------------------------------------------

enum { nsenders = 6, nreceivers = 5, perround = 400 };

typedef struct item {
	uint32_t from;
	uint32_t seq;
	uint64_t *boxed; // the same number, in the heap
} item;
GORT_TYPE(item, boxed);

typedef struct fan {
	gort_chan(item) c[2];
	gort_chan(void *) done;
	gort_waitgroup senders, receivers;
	uint32_t got[nsenders]; // atomic: items received
	uint64_t sums[nsenders];
} fan;
GORT_TYPE(fan, c, done);

static uint64_t
box(const item *x) {
	return mix((uint64_t)x->from << 32 | x->seq);
}

static void
sender(fan *f, uint32_t id, uint64_t seed) {
	rng r = rng_make(seed);
	for (uint32_t i = 0; i < perround; i++) {
		uint64_t *b = gort_alloc(8, GORT_NOSCAN);
		item x = {id, i, b};
		*b = box(&x);
		uint32_t k = id % 2; // one channel a sender: the order holds
		switch (below(&r, 4)) {
		case 0:
			gort_chan_send(f->c[k], x);
			break;
		case 1:
			while (!gort_chan_try_send(f->c[k], x))
				gort_yield();
			break;
		case 2:
			while (gort_select(gort_on_send(f->c[k], x),
				       gort_on_timeout(below(&r, 50) * GORT_US)) != 0)
				continue;
			break;
		default: {
			void *none;
			CHECK(gort_select(gort_on_recv(f->done, &none), gort_on_send(f->c[k], x)) ==
					1,
				"received from a channel that nobody sends on");
		}
		}
		step(1);
	}
	gort_waitgroup_done(&f->senders);
}

static void
take(fan *f, const item *x, uint32_t last[nsenders]) {
	CHECK(x->from < nsenders && x->seq < perround, "item %u of %u", x->seq, x->from);
	CHECK(*x->boxed == box(x), "item %u of %u: boxed %#lx", x->seq, x->from,
		(unsigned long)*x->boxed);
	// One receiver sees the items of one sender in order.
	CHECK(last[x->from] < x->seq + 1, "item %u of %u after %u", x->seq, x->from,
		last[x->from] - 1);
	last[x->from] = x->seq + 1;
	__atomic_add_fetch(&f->got[x->from], 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&f->sums[x->from], mix(x->seq), __ATOMIC_RELAXED);
}

static void
receiver(fan *f, uint64_t seed) {
	rng r = rng_make(seed);
	uint32_t last[nsenders] = {0};
	bool open[2] = {true, true};
	while (open[0] || open[1]) {
		item x = {0}, y = {0};
		bool ok, ok2;
		uint32_t k = below(&r, 2);
		switch (below(&r, 4)) {
		case 0:
			// A plain receive could wait for the other channel's end only.
			if (open[k] && !open[1 - k]) {
				open[k] = gort_chan_recv_ok(f->c[k], &x);
				if (open[k])
					take(f, &x, last);
			}
			break;
		case 1:
			if (open[k] && gort_chan_try_recv(f->c[k], &x, &ok)) {
				open[k] = ok;
				if (ok)
					take(f, &x, last);
			}
			break;
		case 2:
			switch (gort_select(gort_on_recv_ok(f->c[0], &x, &ok),
				gort_on_recv_ok(f->c[1], &y, &ok2),
				gort_on_timeout(below(&r, 100) * GORT_US))) {
			case 0:
				open[0] = ok;
				if (ok)
					take(f, &x, last);
				break;
			case 1:
				open[1] = ok2;
				if (ok2)
					take(f, &y, last);
				break;
			}
			break;
		default:
			switch (gort_select(gort_on_recv_ok(f->c[k], &x, &ok), gort_on_default)) {
			case 0:
				open[k] = ok;
				if (ok)
					take(f, &x, last);
			}
			if (below(&r, 4) == 0)
				gort_yield();
		}
	}
	gort_waitgroup_done(&f->receivers);
}

static void
fans(uint64_t id) {
	rng r = rng_make(id);
	static const size_t sizes[] = {0, 0, 1, 2, 7, 100};
	uint64_t want = 0;
	for (uint32_t i = 0; i < perround; i++)
		want += mix(i);
	while (gort_now() < deadline) {
		fan *f = gort_new(fan);
		for (int k = 0; k < 2; k++) {
			size_t n = sizes[below(&r, 6)];
			gort_store(f->c[k], below(&r, 2) == 0 ? gort_chan_make(item, n)
							      : gort_chan_make_typed(item, n));
		}
		gort_store(f->done, gort_chan_make(void *, 0));
		gort_waitgroup_add(&f->senders, nsenders);
		gort_waitgroup_add(&f->receivers, nreceivers);
		for (uint32_t i = 0; i < nsenders; i++)
			gort_go(sender, f, i, rnd(&r));
		for (int i = 0; i < nreceivers; i++)
			gort_go(receiver, f, rnd(&r));
		gort_waitgroup_wait(&f->senders);
		gort_chan_close(f->c[0]);
		gort_chan_close(f->c[1]);
		gort_waitgroup_wait(&f->receivers);
		for (int i = 0; i < nsenders; i++)
			CHECK(f->got[i] == perround && f->sums[i] == want,
				"sender %d: %u of %d items came, sum %#lx", i, f->got[i], perround,
				(unsigned long)f->sums[i]);
	}
}

// ---- a ring: one token, many goroutines ---------------------------------------------------------------

static void
passer(gort_chan(uint64_t) in, gort_chan(uint64_t) out) {
	gort_chan_range(v, in) gort_chan_send(out, v + 1);
	gort_chan_close(out);
}

static void
token(uint64_t id) {
	rng r = rng_make(id);
	while (gort_now() < deadline) {
		uint32_t n = 2 + below(&r, 60);
		size_t size = below(&r, 2);
		gort_chan(uint64_t) first = gort_chan_make(uint64_t, size), c = first;
		for (uint32_t i = 1; i < n; i++) {
			gort_chan(uint64_t) d = gort_chan_make(uint64_t, size);
			gort_go(passer, c, d);
			c = d;
		}
		uint64_t v = 0;
		for (int i = 0; i < 20; i++) {
			gort_chan_send(first, v);
			uint64_t got = gort_chan_recv(c);
			CHECK(got == v + n - 1, "ring of %u: %lu after %lu", n, (unsigned long)got,
				(unsigned long)v);
			v = got;
			step(1);
		}
		gort_chan_close(first);
		CHECK(!gort_chan_recv_ok(c, &v) && v == 0, "ring: closed");
	}
}

// ---- close wakes all; select on many channels -------------------------------------------------------------

typedef struct gate {
	gort_chan(uint64_t) c[8];
	gort_waitgroup wg;
} gate;
GORT_TYPE(gate, c);

static void
waiter(gate *g, uint32_t how) {
	uint64_t v = 7;
	bool ok = true;
	if (how == 8) {
		uint64_t a[8];
		bool oks[8];
		memset(oks, 1, sizeof oks);
		int k = gort_select(gort_on_recv_ok(g->c[0], &a[0], &oks[0]),
			gort_on_recv_ok(g->c[1], &a[1], &oks[1]),
			gort_on_recv_ok(g->c[2], &a[2], &oks[2]),
			gort_on_recv_ok(g->c[3], &a[3], &oks[3]),
			gort_on_recv_ok(g->c[4], &a[4], &oks[4]),
			gort_on_recv_ok(g->c[5], &a[5], &oks[5]),
			gort_on_recv_ok(g->c[6], &a[6], &oks[6]),
			gort_on_recv_ok(g->c[7], &a[7], &oks[7]));
		CHECK(!oks[k] && a[k] == 0, "select: channel %d had a value", k);
	} else {
		ok = gort_chan_recv_ok(g->c[how], &v);
		CHECK(!ok && v == 0, "channel %u had a value", how);
	}
	step(1);
	gort_waitgroup_done(&g->wg);
}

static void
gates(uint64_t id) {
	rng r = rng_make(id);
	while (gort_now() < deadline) {
		gate *g = gort_new(gate);
		for (int i = 0; i < 8; i++)
			gort_store(g->c[i], gort_chan_make(uint64_t, below(&r, 3)));
		int n = 1 + (int)below(&r, 200);
		gort_waitgroup_add(&g->wg, n);
		for (int i = 0; i < n; i++)
			gort_go(waiter, g, below(&r, 9));
		if (below(&r, 2) == 0)
			gort_sleep(below(&r, 300) * GORT_US);
		for (int i = 7; i >= 0; i--)
			gort_chan_close(g->c[i]);
		gort_waitgroup_wait(&g->wg);
	}
}

static int
app(int argc, char **argv) {
	(void)argc;
	(void)argv;
	deadline = gort_now() + (int64_t)(stress_seconds * 1e9);
	static void (*const fs[])(uint64_t) = {fans, token, gates};
	gort_waitgroup_add(&stress_workers, 6);
	for (uint64_t i = 0; i < 6; i++)
		gort_go(stress_worker, fs[i % 3], i);
	while (gort_now() < deadline) {
		gort_gc();
		gort_sleep(5 * GORT_MS);
	}
	gort_waitgroup_wait(&stress_workers);
	stress_ended();
	printf("chan: ok: %lu steps\n", (unsigned long)steps());
	return 0;
}

int
main(int argc, char **argv) {
	return stress_main("chan", app, argc, argv);
}
