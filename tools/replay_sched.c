// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// gort-replay's rq commands: run queues.  The goroutines are tokens: Gs that never run, known by
// their index.  The global queue is sched.runq itself while the world is stopped.

#include "runtime/mstats.h"
#include "sched/proc.h"
#include "tools/replay.h"

enum {
	ntokens = 4096,
};

static G *tokens;
static struct replay_table ps;
static gQueue global; // the simulated global queue

// o_token adds the index of a token, -1 for NULL.
static void
o_token(struct replay_out *o, G *gp) {
	o_i(o, gp == NULL ? -1 : gp - tokens);
}

struct op {
	void (*fn)(struct op *op);
	int32_t procs; // gomaxprocs meanwhile, 0: as it is
	P *pp;
	uint64_t first;
	uint64_t n;
	bool next;
	int32_t max;
	G *gp; // result
};

// with_global_1 runs an operation while sched.runq is the simulated queue.
static void
with_global_1(void *a) {
	struct op *op = a;

	lock(&sched.lock);
	gQueue real = sched.runq;
	int32_t n = gomaxprocs;
	sched.runq = global;
	unlock(&sched.lock);
	if (op->procs > 0)
		gomaxprocs = op->procs;
	op->fn(op);
	lock(&sched.lock);
	gomaxprocs = n;
	global = (gQueue){0};
	G *gp;
	while ((gp = gQueue_pop(&sched.runq)) != NULL) {
		// Real goroutines that have become runnable meanwhile go back.
		if (tokens <= gp && gp < tokens + ntokens)
			gQueue_pushBack(&global, gp);
		else
			gQueue_pushBack(&real, gp);
	}
	sched.runq = real;
	unlock(&sched.lock);
}

static void
with_global(struct op *op) {
	worldStop stw = stopTheWorld(stwForTestCountPagesInUse);

	systemstack(with_global_1, op);
	startTheWorld(stw);
}

static void
do_gput(struct op *op) {
	for (; op->n > 0; op->n--) {
		lock(&sched.lock);
		globrunqput(&tokens[op->first++]);
		unlock(&sched.lock);
	}
}

static void
do_put(struct op *op) {
	for (; op->n > 0; op->n--)
		runqput(op->pp, &tokens[op->first++], op->next);
}

static void
do_gget(struct op *op) {
	gQueue q;

	lock(&sched.lock);
	op->gp = globrunqgetbatch(op->max, &q);
	unlock(&sched.lock);
	runqputbatch(op->pp, &q);
}

// range takes the words first and n of a range of tokens.
static bool
range(struct replay_args *a, struct op *op) {
	op->first = a_u(a);
	op->n = a_u(a);
	if (op->first > ntokens || op->n > ntokens - op->first) {
		a_error(a, "no such goroutines");
		return false;
	}
	return true;
}

static P *
known(struct replay_args *a) {
	P *pp = *a_object(a, &ps);

	if (pp == NULL)
		a_error(a, "no such queue");
	return pp;
}

static void
o_state(struct replay_out *o, P *pp) {
	o_k(o, "next");
	o_token(o, pp->runnext);
	o_k(o, "q");
	for (uint32_t h = pp->runqhead; h != pp->runqtail; h++)
		o_token(o, pp->runq[h % nelem(pp->runq)]);
}

static void
o_get(struct replay_out *o, P *pp, uint64_t n) {
	for (; n > 0; n--) {
		bool inheritTime;

		o_token(o, runqget(pp, &inheritTime));
		o_raw(o, inheritTime ? ":1" : ":0");
	}
}

bool
replay_sched(const char *cmd, struct replay_args *a, struct replay_out *o) {
	struct op op = {0};

	if (strncmp(cmd, "rq.", 3) != 0)
		return false;
	cmd += 3;
	if (tokens == NULL)
		tokens = persistentalloc(ntokens * sizeof(G), 64, &memstats.other_sys);

	if (strcmp(cmd, "clear") == 0) {
		for (int i = 0; i < ps.n; i++)
			ps.p[i] = NULL;
		global = (gQueue){0};
		return true;
	}
	if (strcmp(cmd, "global") == 0) {
		if (gQueue_empty(&global))
			o_s(o, "-");
		for (G *gp = global.head; gp != NULL; gp = gp->schedlink)
			o_token(o, gp);
		return true;
	}
	if (strcmp(cmd, "gput") == 0) {
		op.fn = do_gput;
		if (range(a, &op))
			with_global(&op);
		return true;
	}
	if (strcmp(cmd, "new") == 0) {
		void **at = a_object(a, &ps);
		*at = persistentalloc(sizeof(P), CacheLinePadSize, &memstats.other_sys);
		return true;
	}

	P *pp = op.pp = known(a);
	if (pp == NULL)
		return true;
	if (strcmp(cmd, "put") == 0) {
		op.fn = do_put;
		if (range(a, &op)) {
			op.next = a_t(a);
			with_global(&op);
		}
	} else if (strcmp(cmd, "get") == 0) {
		o_get(o, pp, a_u(a));
	} else if (strcmp(cmd, "gget") == 0) {
		op.fn = do_gget;
		op.max = (int32_t)a_i(a);
		op.procs = (int32_t)a_i(a);
		with_global(&op);
		o_token(o, op.gp);
	} else if (strcmp(cmd, "steal") == 0) {
		P *from = known(a);
		bool stealRunNextG = a_t(a);
		if (from != NULL)
			o_token(o, runqsteal(pp, from, stealRunNextG));
	} else if (strcmp(cmd, "drain") == 0) {
		gQueue q = runqdrain(pp);
		o_u(o, (uint64_t)q.size);
		for (G *gp = q.head; gp != NULL; gp = gp->schedlink)
			o_token(o, gp);
	} else if (strcmp(cmd, "state") == 0) {
		o_state(o, pp);
	} else {
		return false;
	}
	return true;
}
