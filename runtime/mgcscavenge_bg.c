// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The background scavenger.  Ports its part of mgcscavenge.go of Go 1.26.8.
//
// A goroutine gives free pages back to the OS while more memory is retained than gcPaceScavenger's
// goals allow.  It works in pieces of 64 KB, and about 1 % of the time: after each batch it sleeps as
// long as a controller says, whose input is the share of CPU time that the last batch took.  When
// there is nothing to do it parks; the end of a sweep, which may have changed the goals, makes sysmon
// wake it.
#include <math.h>

#include "runtime/mgcscavenge.h"

#include "runtime/malloc.h"
#include "runtime/mem.h"
#include "runtime/mgc.h"
#include "runtime/mgcpacer.h"
#include "runtime/mheap.h"
#include "runtime/mstats.h"
#include "sched/proc.h"
#include "sched/sema.h"
#include "sched/time.h"

enum {
	scavengePercent = 1,       // of the program's time
	minScavWorkTime = 1000000, // ns; below, the time to sleep would be too short to be kept
};

// What is slept in proportion to the work at first, and when the controller has failed.
#define startingScavSleepRatio 0.001

scavengerState scavenger;

static void
scavenger_timer(void *s, uintptr_t seq, int64_t delay) {
	(void)seq;
	(void)delay;
	scavengerState_wake(s);
}

// scavenger_shouldStop reports whether both goals are reached.
static bool
scavenger_shouldStop(void) {
	return heapRetained() <= atomic_Load(&scavenge.gcPercentGoal) &&
	       atomic_Load(&gcController.mappedReady) <= atomic_Load(&scavenge.memoryLimitGoal);
}

// scavenger_scavenge gives back n bytes and returns how many, and how long it took.
static uintptr_t
scavenger_scavenge(uintptr_t n, int64_t *duration) {
	int64_t start = nanotime();
	uintptr_t r = pageAlloc_scavenge(&mheap_.pages, n, NULL, false);
	int64_t end = nanotime();
	*duration = 0;
	if (start < end) {
		atomic_Xadd(&scavenge.backgroundTime, end - start);
		*duration = end - start;
	}
	return r;
}

static int32_t
scavenger_gomaxprocs(void) {
	return gomaxprocs;
}

// scavengerState_init makes the calling goroutine the scavenger.
void
scavengerState_init(scavengerState *s) {
	if (s->g != NULL)
		throw("scavenger state is already wired");
	lockInit(&s->lock, lockRankScavenge);
	s->g = getg();

	// PORT: off the heap, and for ever.
	s->timer = persistentalloc(sizeof(timer), PtrSize, &memstats.other_sys);
	timer_init(s->timer, scavenger_timer, s);

	// Input: the share of CPU time taken.  Output: work in proportion to sleep.
	s->sleepController = (piController){
		.kp = 0.3375,
		.ti = 3.2e6,
		.tt = 1e9, // one second to reset
		.min = 0.001,
		.max = 1000.0,
	};
	s->sleepRatio = startingScavSleepRatio;

	if (s->scavenge == NULL)
		s->scavenge = scavenger_scavenge;
	if (s->shouldStop == NULL)
		s->shouldStop = scavenger_shouldStop;
	if (s->gomaxprocs == NULL)
		s->gomaxprocs = scavenger_gomaxprocs;
}

// scavengerState_park parks the goroutine until something is to be done.
void
scavengerState_park(scavengerState *s) {
	lock(&s->lock);
	if (getg() != s->g)
		throw("tried to park scavenger from another goroutine");
	s->parked = true;
	goparkunlock(&s->lock, waitReasonGCScavengeWait);
}

// scavengerState_ready asks sysmon to wake it.
void
scavengerState_ready(scavengerState *s) {
	atomic_Store(&s->sysmonWake, 1);
}

// scavengerState_wake readies the goroutine if it is parked or sleeps.  It needs no P, and it does
// not put the scavenger before the goroutines of the program.
void
scavengerState_wake(scavengerState *s) {
	lock(&s->lock);
	if (s->parked) {
		atomic_Store(&s->sysmonWake, 0);
		s->parked = false;
		gList list = {0};
		gList_push(&list, s->g);
		injectglist(&list);
	}
	unlock(&s->lock);
}

// scavengerState_sleep sleeps after worked nanoseconds of work.  Who changes the goals may end it.
void
scavengerState_sleep(scavengerState *s, double worked) {
	lock(&s->lock);
	if (getg() != s->g)
		throw("tried to sleep scavenger from another goroutine");
	if (worked < minScavWorkTime)
		worked = minScavWorkTime;
	int64_t sleepTime = (int64_t)(worked / s->sleepRatio);

	int64_t slept;
	if (s->sleepStub == NULL) {
		int64_t start = nanotime();
		timer_reset(s->timer, start + sleepTime, 0);
		s->parked = true;
		goparkunlock(&s->lock, waitReasonSleep);
		slept = nanotime() - start;

		// The timer may be about to fire: to be woken twice does no harm.
		lock(&s->lock);
		timer_stop(s->timer);
		unlock(&s->lock);
	} else {
		unlock(&s->lock);
		slept = s->sleepStub(sleepTime);
	}

	if (s->controllerCooldown > 0) {
		int64_t t = slept + (int64_t)worked;
		if (t > s->controllerCooldown)
			s->controllerCooldown = 0;
		else
			s->controllerCooldown -= t;
		return;
	}

	double idealFraction = scavengePercent / 100.0;
	double cpuFraction = worked / (((double)slept + worked) * (double)s->gomaxprocs());
	bool ok;
	s->sleepRatio = piController_next(
		&s->sleepController, cpuFraction, idealFraction, (double)slept + worked, &ok);
	if (!ok) {
		// The load does not answer in proportion: be careful for five seconds.
		s->sleepRatio = startingScavSleepRatio;
		s->controllerCooldown = INT64_C(5000000000);
		scavengerState_controllerFailed(s);
	}
}

// scavengerState_controllerFailed has printScavTrace say so.
void
scavengerState_controllerFailed(scavengerState *s) {
	lock(&s->lock);
	s->printControllerReset = true;
	unlock(&s->lock);
}

// scavengerState_run works for about a millisecond, and returns what was given back and the time.
uintptr_t
scavengerState_run(scavengerState *s, double *worked) {
	enum {
		scavengeQuantum = 64 << 10,
		approxWorkedNSPerPhysicalPage = 10000,
	};
	uintptr_t released = 0;

	lock(&s->lock);
	if (getg() != s->g)
		throw("tried to run scavenger from another goroutine");
	unlock(&s->lock);

	*worked = 0;
	while (*worked < minScavWorkTime) {
		if (s->shouldStop())
			break;
		int64_t duration;
		uintptr_t r = s->scavenge(scavengeQuantum, &duration);
		if (duration == 0)
			*worked +=
				(double)approxWorkedNSPerPhysicalPage * (double)(r / physPageSize);
		else
			*worked += (double)duration;
		released += r;
		if (r < scavengeQuantum)
			break; // there is no more
	}
	// Less than a page would have taken memory that is in use with it.
	if (released > 0 && released < physPageSize)
		throw("released less than one physical page of memory");
	return released;
}

// bgscavenge is the goroutine; ready is a semaphore to release when it is set up.
void
bgscavenge(void *ready) {
	scavengerState_init(&scavenger);
	semrelease(ready);
	scavengerState_park(&scavenger);
	for (;;) {
		double workTime;
		uintptr_t released = scavengerState_run(&scavenger, &workTime);
		if (released == 0) {
			scavengerState_park(&scavenger);
			continue;
		}
		atomic_Xadd(&mheap_.pages.scav.releasedBg, released);
		scavengerState_sleep(&scavenger, workTime);
	}
}

// piController_next takes a sample of the input, whose ideal is setpoint, and returns the output.
// Not *ok: the errors grew out of bounds.
double
piController_next(piController *c, double input, double setpoint, double period, bool *ok) {
	double prop = c->kp * (setpoint - input);
	double rawOutput = prop + c->errIntegral;

	*ok = false;
	double output = rawOutput;
	if (isinf(output) || isnan(output)) {
		piController_reset(c);
		c->inputOverflow = true;
		return c->min;
	}
	if (output < c->min)
		output = c->min;
	else if (output > c->max)
		output = c->max;

	if (c->ti != 0 && c->tt != 0) {
		c->errIntegral += (c->kp * period / c->ti) * (setpoint - input) +
				  (period / c->tt) * (output - rawOutput);
		if (isinf(c->errIntegral) || isnan(c->errIntegral)) {
			piController_reset(c);
			c->errOverflow = true;
			return c->min;
		}
	}
	*ok = true;
	return output;
}

// piController_reset forgets the errors, but not that they overflowed.
void
piController_reset(piController *c) {
	c->errIntegral = 0;
}
