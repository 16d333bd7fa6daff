// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// gort-replay's tm commands: one heap of timers, with lazy deletion.  The times are made up; the
// heap belongs to no P, so that nobody else runs its timers.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched/runtime2.h"
#include "sched/time.h"
#include "tools/replay.h"

struct set;

// ttimer is a timer and what its function has to know.
struct ttimer {
	timer t;
	struct set *set;
	uint64_t i;
};

struct set {
	timers ts;
	struct ttimer **t;
	uint64_t nt;
	uint64_t *fired;
	size_t nfired;
	size_t capfired;
};

static struct replay_table sets;

static void *
grow(void *p, size_t n) {
	p = realloc(p, n);
	if (p == NULL)
		abort();
	return p;
}

static void
fire(void *arg, uintptr_t seq, int64_t delay) {
	struct ttimer *x = arg;
	struct set *s = x->set;

	(void)seq;
	(void)delay;
	if (s->nfired == s->capfired)
		return; // check has made room for enough
	s->fired[s->nfired++] = x->i;
}

struct check_args {
	struct set *s;
	int64_t now;
	int64_t until;
	bool ran;
};

static void
check_1(void *a) {
	struct check_args *args = a;

	timers_check(&args->s->ts, args->now, &args->until, &args->ran);
}

static void
add_timer(struct set *s, struct replay_args *a) {
	uint64_t i = a_u(a);
	struct ttimer *x;

	if (i >= 1 << 24) {
		a_error(a, "timer %llu is too many", (unsigned long long)i);
		return;
	}
	if (i >= s->nt) {
		s->t = grow(s->t, (i + 1) * sizeof(s->t[0]));
		memset(&s->t[s->nt], 0, (i + 1 - s->nt) * sizeof(s->t[0]));
		s->nt = i + 1;
	}
	x = zalloc(sizeof(*x));
	x->set = s;
	x->i = i;
	timer_init(&x->t, fire, x);
	s->t[i] = x;
	x->t.when = a_i(a);
	x->t.period = a_i(a);
	timers_lock(&s->ts);
	timer_lock(&x->t);
	x->t.state |= timerHeaped;
	timers_addHeap(&s->ts, &x->t);
	timer_unlock(&x->t);
	timers_unlock(&s->ts);
}

// which is the timer that the next word names, or NULL and an error.
static timer *
which(struct set *s, struct replay_args *a) {
	uint64_t i = a_u(a);

	if (i >= s->nt || s->t[i] == NULL) {
		a_error(a, "no timer %llu", (unsigned long long)i);
		return NULL;
	}
	return &s->t[i]->t;
}

bool
replay_time(const char *cmd, struct replay_args *a, struct replay_out *o) {
	const char *op = cmd + 3;
	void **at = a_object(a, &sets);
	struct set *s;
	timer *t;

	if (strcmp(op, "new") == 0) {
		*at = s = zalloc(sizeof(*s));
		lockInit(&s->ts.mu, lockRankTimers);
		return true;
	}
	s = *at;
	if (s == NULL) {
		a_error(a, "no such heap of timers");
		return true;
	}
	if (strcmp(op, "add") == 0) {
		add_timer(s, a);
	} else if (strcmp(op, "reset") == 0) {
		t = which(s, a);
		int64_t when = a_i(a), period = a_i(a);
		if (t == NULL)
			return true;
		if ((t->state & timerHeaped) == 0) {
			o_s(o, "notheaped");
			return true;
		}
		bool pending = timer_modify(t, when, period, NULL, NULL, 0);
		o_k(o, "pending");
		o_t(o, pending);
	} else if (strcmp(op, "stop") == 0) {
		t = which(s, a);
		if (t == NULL)
			return true;
		bool pending = timer_stop(t);
		o_k(o, "pending");
		o_t(o, pending);
	} else if (strcmp(op, "clean") == 0) {
		timers_lock(&s->ts);
		timers_cleanHead(&s->ts);
		timers_unlock(&s->ts);
	} else if (strcmp(op, "check") == 0) {
		struct check_args args = {s, a_i(a), 0, false};
		s->nfired = 0;
		if (s->capfired == 0) {
			s->capfired = 1 << 20;
			s->fired = grow(NULL, s->capfired * sizeof(s->fired[0]));
		}
		systemstack(check_1, &args);
		o_k(o, "until");
		o_i(o, args.until);
		o_k(o, "ran");
		o_t(o, args.ran);
		o_k(o, "fired");
		for (size_t i = 0; i < s->nfired; i++)
			o_u(o, s->fired[i]);
	} else if (strcmp(op, "state") != 0) {
		return false;
	}
	o_k(o, "minHeap");
	o_i(o, s->ts.minWhenHeap);
	o_k(o, "minMod");
	o_i(o, s->ts.minWhenModified);
	o_k(o, "zombies");
	o_i(o, s->ts.zombies);
	o_k(o, "heap");
	for (int32_t i = 0; i < s->ts.nheap; i++) {
		char when[32];

		o_u(o, ((struct ttimer *)s->ts.heap[i].timer->arg)->i);
		snprintf(when, sizeof(when), ":%lld", (long long)s->ts.heap[i].when);
		o_raw(o, when);
	}
	return true;
}
