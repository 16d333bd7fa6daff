// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The monitor thread, preemption requests, deadlock detection.  Ports these sections of proc.go of
// Go 1.26.8.
//
// sysmon runs on an M without a P.  It takes Ps from long system calls, ends time slices, polls the
// network when nobody else does, starts a GC cycle after two minutes without one, and looks whether
// the CPU limit has changed.
#include "sched/proc.h"

#include "runtime/mgc.h"
#include "runtime/mgcscavenge.h"
#include "runtime/os_linux.h"
#include "runtime/panic.h"
#include "runtime/runtime1.h"
#include "sched/netpoll.h"
#include "sched/preempt.h"
#include "sched/signal_unix.h"
#include "sched/traceback.h"

// forcePreemptNS is a time slice: 10 ms, as in Go.  PORT: tests make it shorter.
static int64_t
forcePreemptNS(void) {
	return debug.timeslice * INT64_C(1000);
}

int64_t forcegcperiod = INT64_C(2) * 60 * 1000000000;
mutex computeMaxProcsLock;

// What sysmon and the goroutine that changes GOMAXPROCS share.
static struct {
	mutex lock;
	G *g;
	bool idle; // atomic: it waits for the next change
	int32_t procs;
} updateMaxProcsG;

// incidlelocked changes the number of Ms that wait for the goroutine that is locked to them.
void
incidlelocked(int32_t v) {
	lock(&sched.lock);
	sched.nmidlelocked += v;
	if (v > 0)
		checkdead();
	unlock(&sched.lock);
}

static void
checkdead_1(G *gp, void *grunning) {
	if (isSystemGoroutine(gp, false))
		return;
	uint32_t s = readgstatus(gp);
	switch (s & ~(uint32_t)_Gscan) {
	case _Gwaiting:
	case _Gpreempted:
		(*(int *)grunning)++;
		break;
	case _Grunnable:
	case _Grunning:
	case _Gsyscall:
		print("runtime: checkdead: find g %lu in status %u\n", gp->goid, s);
		unlock(&sched.lock);
		throw("checkdead: runnable g");
	}
}

// checkdead ends the program if no goroutine can run any more.  The test is that no M runs.
// sched.lock must be held.
void
checkdead(void) {
	assertLockHeld(&sched.lock);

	// Inside another program there are threads that may call.
	if (islibrary)
		return;

	// Who crashes stops everybody else.
	if (atomic_Load(&panicking) > 0)
		return;

	int32_t run = mcount() - sched.nmidle - sched.nmidlelocked - sched.nmsys;
	if (run > 0)
		return;
	if (run < 0) {
		print("runtime: checkdead: nmidle=%d nmidlelocked=%d mcount=%d nmsys=%d\n",
			sched.nmidle, sched.nmidlelocked, mcount(), sched.nmsys);
		unlock(&sched.lock);
		throw("checkdead: inconsistent counts");
	}

	int grunning = 0;
	forEachG(checkdead_1, &grunning);
	if (grunning == 0) { // possible if the main goroutine called Goexit
		unlock(&sched.lock);
		fatal("no goroutines (main called runtime.Goexit) - deadlock!");
	}

	for (int32_t i = 0; i < nallp; i++) {
		if (allp[i]->timers.nheap > 0)
			return;
	}

	unlock(&sched.lock);
	fatal("all goroutines are asleep - deadlock!");
}

// sysmon_sleep sleeps until something may have to be done, if the world is stopped or all Ps are
// idle.  It reports whether a system call woke it.
static bool
sysmon_sleep(int64_t now) {
	bool syscallWake = false;

	lock(&sched.lock);
	if (atomic_Load(&sched.gcwaiting) || atomic_Load(&sched.npidle) == gomaxprocs) {
		int64_t next = timeSleepUntil();
		if (next > now) {
			atomic_Store(&sched.sysmonwait, true);
			unlock(&sched.lock);
			int64_t sleep = forcegcperiod / 2;
			if (next - now < sleep)
				sleep = next - now;
			syscallWake = notetsleep(&sched.sysmonnote, sleep);
			lock(&sched.lock);
			atomic_Store(&sched.sysmonwait, false);
			noteclear(&sched.sysmonnote);
		}
	}
	unlock(&sched.lock);
	return syscallWake;
}

static void sysmonUpdateGOMAXPROCS(void);

// sysmon is the monitor thread.
void
sysmon(void) {
	lock(&sched.lock);
	sched.nmsys++;
	checkdead();
	unlock(&sched.lock);

	int64_t lastgomaxprocs = 0;
	int64_t lasttrace = 0;
	int idle = 0; // rounds in which there was nothing to do
	uint32_t delay = 0;

	for (;;) {
		if (idle == 0)
			delay = 20; // us
		else if (idle > 50)
			delay *= 2; // after 1 ms
		if (delay > 10 * 1000)
			delay = 10 * 1000;
		if (delay > (uint32_t)debug.timeslice)
			delay = (uint32_t)debug.timeslice;
		runtime_usleep(delay);

		// A deep sleep only when nothing runs: it takes Ps back and preempts.  A return from a
		// system call is a sign of more to come, a timer is not.
		int64_t now = nanotime();
		if (debug.schedtrace <= 0 &&
			(atomic_Load(&sched.gcwaiting) ||
				atomic_Load(&sched.npidle) == atomic_LoadRelaxed(&gomaxprocs))) {
			if (sysmon_sleep(now)) {
				idle = 0;
				delay = 20;
			}
		}

		lock(&sched.sysmonlock);
		now = nanotime();

		// Poll the network if that has not been done for 10 ms.
		int64_t lastpoll = atomic_Load(&sched.lastpoll);
		if (netpollinited() && lastpoll != 0 && lastpoll + 10 * 1000 * 1000 < now) {
			atomic_Cas(&sched.lastpoll, lastpoll, now);
			int32_t delta;
			gList list = netpoll(0, &delta);
			if (!gList_empty(&list)) {
				// Count as one more M that runs: injectglist takes Ps before it has
				// Ms for them, and another M that goes idle then must not see a
				// deadlock.
				incidlelocked(-1);
				injectglist(&list);
				incidlelocked(1);
				netpollAdjustWaiters(delta);
			}
		}
		if (debug.updatemaxprocs != 0 && lastgomaxprocs + 1000000000 <= now) {
			sysmonUpdateGOMAXPROCS();
			lastgomaxprocs = now;
		}
		if (atomic_Load(&scavenger.sysmonWake) != 0)
			scavengerState_wake(&scavenger);
		if (retake(now) != 0)
			idle = 0;
		else
			idle++;
		if (gcTrigger_test((gcTrigger){.kind = gcTriggerTime, .now = now}) &&
			atomic_Load(&forcegc.idle)) {
			lock(&forcegc.lock);
			atomic_Store(&forcegc.idle, false);
			gList list = {0};
			gList_push(&list, forcegc.g);
			injectglist(&list);
			unlock(&forcegc.lock);
		}
		if (debug.schedtrace > 0 &&
			lasttrace + debug.schedtrace * INT64_C(1000000) <= now) {
			lasttrace = now;
			schedtrace(debug.scheddetail > 0);
		}
		unlock(&sched.sysmonlock);
	}
}

// retakeP does for one P what retake does; it reports whether it took the P.
static bool
retakeP(P *pp, int64_t now) {
	sysmontick *pd = &pp->sysmontick;
	bool sysretake = false;

	// The time slice covers all goroutines of one schedtick: those that ready each other through
	// runnext share it.
	uint32_t schedtick = atomic_LoadRelaxed(&pp->schedtick);
	if (pd->schedtick != schedtick) {
		pd->schedtick = schedtick;
		pd->schedwhen = now;
	} else if (pd->schedwhen + forcePreemptNS() <= now) {
		if (timeslice_due(pp))
			preemptone(pp);
		// In a system call it cannot answer: take the P.
		sysretake = true;
	}

	// sched.lock is not to be taken with allpLock held.
	unlock(&allpLock);

	// Count as one more M that runs; see sysmon.  Before the goroutine is held: lock order.
	incidlelocked(-1);

	bool ok, taken = false;
	syscallingThread thread = setBlockOnExitSyscall(pp, &ok);
	if (ok) {
		uint32_t syst = atomic_LoadRelaxed(&pp->syscalltick);
		if (!sysretake && pd->syscalltick != syst) {
			// It has not been in there for a tick yet.
			pd->syscalltick = syst;
			pd->syscallwhen = now;
			syscallingThread_resume(&thread);
		} else if (runqempty(pp) &&
			   atomic_Load(&sched.nmspinning) + atomic_Load(&sched.npidle) > 0 &&
			   pd->syscallwhen + 10 * 1000 * 1000 > now) {
			// Nobody wants the P.  After a while it goes all the same, so that sysmon can
			// sleep.
			syscallingThread_resume(&thread);
		} else {
			syscallingThread_takeP(&thread);
			syscallingThread_resume(&thread);
			handoffp(pp);
			taken = true;
		}
	}
	incidlelocked(1);
	lock(&allpLock);
	return taken;
}

// retake takes Ps from system calls and asks goroutines to stop whose time slice is over.  It returns
// the number of Ps taken.
uint32_t
retake(int64_t now) {
	uint32_t n = 0;

	// allp can change whenever the lock is dropped.
	lock(&allpLock);
	for (int32_t i = 0; i < nallp; i++) {
		P *pp = atomic_LoadAcq(&allp[i]); // procresize may be making it
		if (pp == NULL || atomic_Load(&pp->status) != _Prunning)
			continue;
		if (retakeP(pp, now))
			n++;
	}
	unlock(&allpLock);
	return n;
}

// preemptall asks all goroutines that run to stop.  It may miss some that have just started.  It
// reports whether there was one.
bool
preemptall(void) {
	bool res = false;

	for (int32_t i = 0; i < nallp; i++) {
		P *pp = allp[i];
		if (atomic_Load(&pp->status) != _Prunning)
			continue;
		if (preemptone(pp))
			res = true;
	}
	return res;
}

// preemptone asks the goroutine that runs on pp to stop.  It may miss it, or ask another one; and the
// request may be lost.  It reports whether it asked somebody.
bool
preemptone(P *pp) {
	M *mp = atomic_Load(&pp->m);
	if (mp == NULL || mp == getg()->m)
		return false;
	G *gp = atomic_Load(&mp->curg);
	if (gp == NULL || gp == mp->g0)
		return false;
	if ((readgstatus(gp) & ~(uint32_t)_Gscan) == _Gsyscall)
		return false;

	atomic_StoreRelaxed(&gp->preempt, true);
	// What preemptcheck looks at.
	atomic_Store(&gp->stackguard0, stackPreempt);

	if (debug.asyncpreemptoff == 0) {
		atomic_StoreRelaxed(&pp->preempt, true);
		preemptM(mp);
	}
	return true;
}

// ---- GODEBUG=schedtrace ---------------------------------------------------------------------------------

static int64_t starttime; // of schedtrace

// printid prints a number, or nil if there is none.
static void
printid(const char *what, bool any, int64_t id) {
	if (any)
		print("%s%ld", what, id);
	else
		print("%snil", what);
}

static void
schedtrace_1(G *gp, void *arg) {
	M *mp = gp->m, *lockedm = gp->lockedm;

	print("  G%lu: status=%u(%s)", gp->goid, readgstatus(gp),
		waitReason_String(gp->waitreason));
	printid(" m=", mp != NULL, mp != NULL ? mp->id : 0);
	printid(" lockedm=", lockedm != NULL, lockedm != NULL ? lockedm->id : 0);
	print("\n");
}

// schedtrace prints the state of the scheduler.
void
schedtrace(bool detailed) {
	int64_t now = nanotime();
	if (starttime == 0)
		starttime = now;

	lock(&sched.lock);
	print("SCHED %ldms: gomaxprocs=%d idleprocs=%d threads=%d spinningthreads=%d "
	      "needspinning=%u idlethreads=%d runqueue=%d",
		(now - starttime) / 1000000, gomaxprocs, atomic_Load(&sched.npidle), mcount(),
		atomic_Load(&sched.nmspinning), atomic_Load(&sched.needspinning), sched.nmidle,
		sched.runq.size);
	if (detailed)
		print(" gcwaiting=%s nmidlelocked=%d stopwait=%d sysmonwait=%s\n",
			atomic_Load(&sched.gcwaiting) ? "true" : "false", sched.nmidlelocked,
			sched.stopwait, atomic_Load(&sched.sysmonwait) ? "true" : "false");
	// Most of this changes under our eyes: each pointer is read once.
	for (int32_t i = 0; i < nallp; i++) {
		P *pp = allp[i];
		uint32_t n = atomic_Load(&pp->runqtail) - atomic_Load(&pp->runqhead);
		if (detailed) {
			M *mp = pp->m;
			print("  P%d: status=%u schedtick=%u syscalltick=%u", i, pp->status,
				pp->schedtick, pp->syscalltick);
			printid(" m=", mp != NULL, mp != NULL ? mp->id : 0);
			print(" runqsize=%u gfreecnt=%d timerslen=%d\n", n, pp->gFree.size,
				pp->timers.nheap);
		} else {
			print("%s%u%s", i == 0 ? " [ " : " ", n, i == nallp - 1 ? " ]" : "");
		}
	}
	if (!detailed) {
		print(" schedticks=[ ");
		for (int32_t i = 0; i < nallp; i++)
			print("%u ", allp[i]->schedtick);
		print("]\n");
		unlock(&sched.lock);
		return;
	}

	for (M *mp = allm; mp != NULL; mp = mp->alllink) {
		P *pp = mp->p;
		G *curg = mp->curg, *lockedg = mp->lockedg;
		print("  M%ld:", mp->id);
		printid(" p=", pp != NULL, pp != NULL ? pp->id : 0);
		printid(" curg=", curg != NULL, curg != NULL ? (int64_t)curg->goid : 0);
		print(" mallocing=%d throwing=%d preemptoff=%s locks=%d dying=%d spinning=%s "
		      "blocked=%s",
			mp->mallocing, mp->throwing, mp->preemptoff != NULL ? mp->preemptoff : "",
			mp->locks, mp->dying, mp->spinning ? "true" : "false",
			mp->blocked ? "true" : "false");
		printid(" lockedg=", lockedg != NULL, lockedg != NULL ? (int64_t)lockedg->goid : 0);
		print("\n");
	}
	forEachG(schedtrace_1, NULL);
	unlock(&sched.lock);
}

// ---- GOMAXPROCS follows the limit of the control group ------------------------------------------------

// updateMaxProcsGoroutine stops the world for sysmon, which cannot.
static void
updateMaxProcsGoroutine(void *arg) {
	updateMaxProcsG.g = getg();
	for (;;) {
		lock(&updateMaxProcsG.lock);
		if (atomic_Load(&updateMaxProcsG.idle))
			throw("updateMaxProcsGoroutine: phase error");
		atomic_Store(&updateMaxProcsG.idle, true);
		goparkunlock(&updateMaxProcsG.lock, waitReasonUpdateGOMAXPROCSIdle);

		worldStop stw = stopTheWorldGC(stwGOMAXPROCS);
		lock(&sched.lock);
		bool custom = sched.customGOMAXPROCS;
		unlock(&sched.lock);
		if (custom) {
			startTheWorldGC(stw);
			return;
		}
		newprocs = updateMaxProcsG.procs;
		startTheWorldGC(stw);
	}
}

// defaultGOMAXPROCSUpdateEnable starts that goroutine.
void
defaultGOMAXPROCSUpdateEnable(void) {
	lockInit(&updateMaxProcsG.lock, lockRankUpdateMaxProcsG);
	if (debug.updatemaxprocs != 0)
		newproc(updateMaxProcsGoroutine, NULL);
}

// sysmonUpdateGOMAXPROCS has GOMAXPROCS changed if the default has changed and is in force.
static void
sysmonUpdateGOMAXPROCS(void) {
	lock(&computeMaxProcsLock);
	lock(&sched.lock);
	bool custom = sched.customGOMAXPROCS;
	int32_t curr = gomaxprocs;
	unlock(&sched.lock);
	if (custom) {
		unlock(&computeMaxProcsLock);
		return;
	}
	int32_t procs = defaultGOMAXPROCS(0);
	unlock(&computeMaxProcsLock);
	if (procs == curr)
		return;

	if (atomic_Load(&updateMaxProcsG.idle)) {
		lock(&updateMaxProcsG.lock);
		updateMaxProcsG.procs = procs;
		atomic_Store(&updateMaxProcsG.idle, false);
		gList list = {0};
		gList_push(&list, updateMaxProcsG.g);
		injectglist(&list);
		unlock(&updateMaxProcsG.lock);
	}
}

// ---- user goroutines on and off -----------------------------------------------------------------------

// schedEnableUser lets user goroutines be scheduled, or not.  Those that run go on: stop the world
// before it disables them.
void
schedEnableUser(bool enable) {
	lock(&sched.lock);
	if (sched.disable.user == !enable) {
		unlock(&sched.lock);
		return;
	}
	sched.disable.user = !enable;
	if (enable) {
		int32_t n = sched.disable.runnable.size;
		globrunqputbatch(&sched.disable.runnable);
		unlock(&sched.lock);
		for (; n != 0 && atomic_Load(&sched.npidle) != 0; n--)
			startm(NULL, false, false);
	} else {
		unlock(&sched.lock);
	}
}

// schedEnabled reports whether gp may be scheduled.  sched.lock must be held.
bool
schedEnabled(G *gp) {
	assertLockHeld(&sched.lock);

	return !sched.disable.user || isSystemGoroutine(gp, true);
}
