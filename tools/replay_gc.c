// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The command families gc (pacer) and lim (GC CPU limiter).
#include "tools/replay.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/mgc.h"
#include "runtime/mgclimit.h"
#include "runtime/mgcpacer.h"

static struct replay_table pacers;
static struct replay_table limiters;
static struct replay_table scavengers;

static void
o_pacer(struct replay_out *o, gcControllerState *c) {
	uint64_t minTrigger, goal2;
	uint64_t goal = gcControllerState_heapGoalInternal(c, &minTrigger);
	uint64_t trigger = gcControllerState_trigger(c, &goal2);
	const struct {
		const char *name;
		uint64_t v;
	} first[] = {
		{"live", c->heapLive},
		{"scan", c->heapScan},
		{"marked", c->heapMarked},
		{"triggered", c->triggered},
		{"goal", goal},
		{"minTrigger", minTrigger},
		{"trigger", trigger},
		{"pctGoal", c->gcPercentHeapGoal},
		{"sweepMin", c->sweepDistMinTrigger},
		{"runway", c->runway},
	};
	for (size_t i = 0; i < nelem(first); i++) {
		o_k(o, first[i].name);
		o_u(o, first[i].v);
	}
	o_k(o, "consMark");
	o_f(o, c->consMark);
	o_k(o, "last");
	for (size_t i = 0; i < nelem(c->lastConsMark); i++)
		o_f(o, c->lastConsMark[i]);
	o_k(o, "awpb");
	o_f(o, c->assistWorkPerByte);
	o_k(o, "abpw");
	o_f(o, c->assistBytesPerWork);
	o_k(o, "dedicated");
	o_i(o, c->dedicatedMarkWorkersNeeded);
	o_k(o, "fraction");
	o_f(o, c->fractionalUtilizationGoal);
	const struct {
		const char *name;
		int64_t v;
	} last[] = {
		{"heapWork", c->heapScanWork},
		{"stackWork", c->stackScanWork},
		{"globalsWork", c->globalsScanWork},
	};
	o_k(o, "lastScan");
	o_u(o, c->lastHeapScan);
	o_k(o, "lastStack");
	o_u(o, c->lastStackScan);
	o_k(o, "lastGoal");
	o_u(o, c->lastHeapGoal);
	for (size_t i = 0; i < nelem(last); i++) {
		o_k(o, last[i].name);
		o_i(o, last[i].v);
	}
	o_k(o, "heapMin");
	o_u(o, c->heapMinimum);
	o_k(o, "pct");
	o_i(o, c->gcPercent);
	o_k(o, "limit");
	o_i(o, c->memoryLimit);
}

static bool
pacer(const char *op, struct replay_args *a, struct replay_out *o) {
	if (strcmp(op, "const") == 0) {
		o_k(o, "bgUtil");
		o_f(o, gcBackgroundUtilization);
		o_k(o, "goalUtil");
		o_f(o, gcGoalUtilization);
		o_k(o, "creditSlack");
		o_i(o, gcCreditSlack);
		o_k(o, "overAssist");
		o_i(o, gcOverAssistWork);
		o_k(o, "defaultHeapMinimum");
		o_u(o, defaultHeapMinimum);
		o_k(o, "headroomPct");
		o_u(o, memoryLimitHeapGoalHeadroomPercent);
		o_k(o, "minHeadroom");
		o_u(o, memoryLimitMinHeapGoalHeadroom);
		return true;
	}
	void **at = a_object(a, &pacers);
	if (strcmp(op, "new") == 0) { // gcPercent memoryLimit
		free(*at);
		gcControllerState *c = *at = zalloc(sizeof *c);
		c->test = true;
		int32_t percent = (int32_t)a_u(a);
		int64_t limit = a_i(a);
		gcControllerState_init(c, percent, limit);
		o_pacer(o, c);
		return true;
	}
	gcControllerState *c = *at;
	if (c == NULL) {
		a_error(a, "no such pacer");
		return true;
	}
	if (strcmp(op, "start") == 0) { // stackBytes globalsBytes scannableFrac procs
		uint64_t goal, trigger = gcControllerState_trigger(c, &goal);
		if (c->heapMarked > trigger)
			trigger = c->heapMarked;
		c->maxStackScan = a_u(a);
		c->globalsScan = a_u(a);
		c->heapLive = trigger;
		c->heapScan += (uint64_t)(int64_t)((double)(trigger - c->heapMarked) * a_f(a));
		gcControllerState_startCycle(c, 0, (int)a_u(a), (gcTrigger){.kind = gcTriggerHeap});
	} else if (strcmp(op, "revise") ==
		   0) { // dHeapLive dHeapScan dHeapWork dStackWork dGlobalsWork
		c->heapLive += a_u(a);
		c->heapScan += a_u(a);
		c->heapScanWork += a_i(a);
		c->stackScanWork += a_i(a);
		c->globalsScanWork += a_i(a);
		gcControllerState_revise(c);
		o_k(o, "live");
		o_u(o, c->heapLive);
		o_k(o, "scan");
		o_u(o, c->heapScan);
		o_k(o, "goal");
		o_u(o, gcControllerState_heapGoal(c));
		o_k(o, "awpb");
		o_f(o, c->assistWorkPerByte);
		o_k(o, "abpw");
		o_f(o, c->assistBytesPerWork);
		return true;
	} else if (strcmp(op, "end") == 0) { // bytesMarked assistTime elapsed procs
		uint64_t bytesMarked = a_u(a);
		c->assistTime = a_i(a);
		int64_t elapsed = a_i(a);
		gcControllerState_endCycle(c, elapsed, (int)a_u(a), false);
		gcControllerState_resetLive(c, bytesMarked);
		gcControllerState_commit(c, false);
	} else if (strcmp(op, "state") == 0) {
	} else if (strcmp(op, "percent") == 0) {
		gcControllerState_setGCPercent(c, (int32_t)a_u(a));
		gcControllerState_commit(c, true);
	} else if (strcmp(op, "limit") == 0) {
		gcControllerState_setMemoryLimit(c, a_i(a));
		gcControllerState_commit(c, true);
	} else if (strcmp(op, "commit") == 0) {
		gcControllerState_commit(c, a_t(a));
	} else if (strcmp(op, "mem") == 0) {
		// heapInUse heapReleased heapFree totalAlloc totalFree mappedReady
		c->heapInUse = a_u(a);
		c->heapReleased = a_u(a);
		c->heapFree = a_u(a);
		c->totalAlloc = a_u(a);
		c->totalFree = a_u(a);
		c->mappedReady = a_u(a);
		if (c->heapFree + (c->totalAlloc - c->totalFree) > c->mappedReady) {
			a_error(a, "more in the heap than is mapped"); // it would wait for ever
			return true;
		}
		o_k(o, "limitGoal");
		o_u(o, gcControllerState_memoryLimitHeapGoal(c));
	} else if (strcmp(op, "idleadd") == 0) {
		o_t(o, gcControllerState_addIdleMarkWorker(c));
		return true;
	} else if (strcmp(op, "idleneed") == 0) {
		o_t(o, gcControllerState_needIdleMarkWorker(c));
		return true;
	} else if (strcmp(op, "idleremove") == 0) {
		gcControllerState_removeIdleMarkWorker(c);
		return true;
	} else if (strcmp(op, "idlemax") == 0) {
		gcControllerState_setMaxIdleMarkWorkers(c, (int32_t)a_u(a));
		return true;
	} else {
		return false;
	}
	o_pacer(o, c);
	return true;
}

static bool
limiter(const char *op, struct replay_args *a, struct replay_out *o) {
	void **at = a_object(a, &limiters);
	if (strcmp(op, "new") == 0) { // now procs
		free(*at);
		gcCPULimiterState *n = *at = zalloc(sizeof *n);
		n->test = true;
		int64_t now = a_i(a);
		gcCPULimiterState_resetCapacity(n, now, (int32_t)a_u(a));
	}
	gcCPULimiterState *l = *at;
	if (l == NULL) {
		a_error(a, "no such limiter");
		return true;
	}
	if (strcmp(op, "new") == 0 || strcmp(op, "state") == 0) {
	} else if (strcmp(op, "start") == 0) { // enableGC now
		bool enable = a_t(a);
		gcCPULimiterState_startGCTransition(l, enable, a_i(a));
	} else if (strcmp(op, "finish") == 0) {
		gcCPULimiterState_finishGCTransition(l, a_i(a));
	} else if (strcmp(op, "update") == 0) {
		gcCPULimiterState_update(l, a_i(a));
	} else if (strcmp(op, "assist") == 0) {
		gcCPULimiterState_addAssistTime(l, a_i(a));
	} else if (strcmp(op, "idle") == 0) {
		gcCPULimiterState_addIdleTime(l, a_i(a));
	} else if (strcmp(op, "reset") == 0) { // now procs
		int64_t now = a_i(a);
		gcCPULimiterState_resetCapacity(l, now, (int32_t)a_u(a));
	} else if (strcmp(op, "need") == 0) {
		o_k(o, "need");
		o_t(o, gcCPULimiterState_needUpdate(l, a_i(a)));
	} else {
		return false;
	}
	o_k(o, "fill");
	o_u(o, l->bucket.fill);
	o_k(o, "cap");
	o_u(o, l->bucket.capacity);
	o_k(o, "over");
	o_u(o, l->overflow);
	o_k(o, "limiting");
	o_t(o, gcCPULimiterState_limiting(l));
	o_k(o, "gc");
	o_t(o, l->gcEnabled);
	o_k(o, "trans");
	o_t(o, l->transitioning);
	o_k(o, "last");
	o_i(o, l->lastUpdate);
	o_k(o, "assist");
	o_i(o, l->assistTimePool);
	o_k(o, "idle");
	o_i(o, l->idleTimePool);
	o_k(o, "procs");
	o_i(o, l->nprocs);
	return true;
}

// ---- pi, sg, sv: the background scavenger -------------------------------------------------------------

static bool
pi_next(struct replay_args *a, struct replay_out *o) {
	piController c = {0};
	c.kp = a_f(a);
	c.ti = a_f(a);
	c.tt = a_f(a);
	c.min = a_f(a);
	c.max = a_f(a);
	c.errIntegral = a_f(a);
	double input = a_f(a);
	double setpoint = a_f(a);
	double period = a_f(a);
	bool ok;
	o_f(o, piController_next(&c, input, setpoint, period, &ok));
	o_t(o, ok);
	o_f(o, c.errIntegral);
	o_t(o, c.errOverflow);
	o_t(o, c.inputOverflow);
	return true;
}

struct sg_args {
	int64_t limit;
	uint64_t v[6]; // goal lastGoal lastHeapInUse mappedReady heapInUse heapFree
	uint64_t gcPercentGoal;
	uint64_t memoryLimitGoal;
};

static void
sg_pace_1(void *p) {
	struct sg_args *a = p;
	gcControllerState *c = &gcController;
	uint64_t s0 = memstats.lastHeapInUse;
	uint64_t s1 = c->mappedReady;
	uint64_t s2 = c->heapInUse;
	uint64_t s3 = c->heapFree;
	struct scavenge_t g = scavenge;
	memstats.lastHeapInUse = a->v[2];
	c->mappedReady = a->v[3];
	c->heapInUse = a->v[4];
	c->heapFree = a->v[5];
	lock(&mheap_.lock);
	gcPaceScavenger(a->limit, a->v[0], a->v[1]);
	unlock(&mheap_.lock);
	a->gcPercentGoal = scavenge.gcPercentGoal;
	a->memoryLimitGoal = scavenge.memoryLimitGoal;
	scavenge = g;
	memstats.lastHeapInUse = s0;
	c->mappedReady = s1;
	c->heapInUse = s2;
	c->heapFree = s3;
}

// sv_stub feeds the stubs.  The number of processors is that of the latest sv.new.
static struct {
	int32_t procs;
	int64_t slept;
	int64_t asked;
	struct replay_args *a;
} sv_stub;

static int32_t
sv_procs(void) {
	return sv_stub.procs;
}

static int64_t
sv_sleep(int64_t n) {
	sv_stub.asked = n;
	return sv_stub.slept < 0 ? n : sv_stub.slept;
}

static bool
sv_stop(void) {
	return !a_more(sv_stub.a);
}

static uintptr_t
sv_scavenge(uintptr_t n, int64_t *duration) {
	(void)n;
	const char *s = a_str(sv_stub.a);
	const char *colon = strchr(s, ':');
	if (colon == NULL) {
		a_error(sv_stub.a, "want bytes:ns");
		*duration = 0;
		return 0;
	}
	*duration = (int64_t)parse_u(sv_stub.a, colon + 1, strlen(colon + 1));
	return parse_u(sv_stub.a, s, (size_t)(colon - s));
}

static void
sv_state(struct replay_out *o, const scavengerState *s) {
	o_k(o, "ratio");
	o_f(o, s->sleepRatio);
	o_k(o, "cooldown");
	o_i(o, s->controllerCooldown);
	o_k(o, "err");
	o_f(o, s->sleepController.errIntegral);
}

static bool
scavpace(const char *cmd, struct replay_args *a, struct replay_out *o) {
	if (strcmp(cmd, "pi.next") == 0)
		return pi_next(a, o);
	if (strcmp(cmd, "sg.pace") == 0) {
		struct sg_args s;
		s.limit = a_i(a);
		for (int i = 0; i < 6; i++)
			s.v[i] = a_u(a);
		systemstack(sg_pace_1, &s);
		o_u(o, s.gcPercentGoal);
		o_u(o, s.memoryLimitGoal);
		return true;
	}
	if (strncmp(cmd, "sv.", 3) != 0)
		return false;
	void **at = a_object(a, &scavengers);
	if (strcmp(cmd, "sv.new") == 0) {
		free(*at);
		scavengerState *s = *at = zalloc(sizeof *s);
		sv_stub.procs = (int32_t)a_u(a);
		s->gomaxprocs = sv_procs;
		s->sleepStub = sv_sleep;
		s->shouldStop = sv_stop;
		s->scavenge = sv_scavenge;
		scavengerState_init(s);
		sv_state(o, s);
		return true;
	}
	scavengerState *s = *at;
	if (s == NULL) {
		a_error(a, "no such scavenger");
		return true;
	}
	s->g = getg();
	if (strcmp(cmd, "sv.sleep") == 0) {
		double worked = a_f(a);
		sv_stub.slept = a_i(a);
		scavengerState_sleep(s, worked);
		o_k(o, "sleep");
		o_i(o, sv_stub.asked);
		sv_state(o, s);
		return true;
	}
	if (strcmp(cmd, "sv.run") == 0) {
		double worked;
		sv_stub.a = a;
		o_u(o, scavengerState_run(s, &worked));
		o_f(o, worked);
		int left = 0;
		for (; a_more(a); left++)
			a_str(a);
		o_k(o, "left");
		o_i(o, left);
		return true;
	}
	return false;
}

bool
replay_gc(const char *cmd, struct replay_args *a, struct replay_out *o) {
	if (strncmp(cmd, "gc.", 3) == 0)
		return pacer(cmd + 3, a, o);
	if (strncmp(cmd, "lim.", 4) == 0)
		return limiter(cmd + 4, a, o);
	return scavpace(cmd, a, o);
}
