// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Into system calls and out of them.  Ports these sections of proc.go of Go 1.26.8.
//
// A goroutine in a system call keeps its M, and at first its P too: m->p stays set.  Whoever wants
// the P (sysmon, a stop of the world, forEachP) takes hold of the goroutine by its _Gscan bit, so
// that it cannot leave the call, and takes the P.  On the way out it looks whether the P is still
// there; else it takes an idle one, or queues up.
//
// PORT: entersyscall and entersyscallblock are in assembly: they save the callee-saved registers at
// the top of the stack, where a scan sees what the callers have in them.
#include "sched/proc.h"

#include "runtime/mgc.h"
#include "runtime/panic.h"
#include "sched/mprof_goroutine.h"
#include "sched/preempt.h"
#include "sched/traceruntime.h"

// save makes gp->sched say where the goroutine is, for scans and tracebacks.
static inline void
save(G *gp, uintptr_t pc, uintptr_t sp, uintptr_t bp) {
	if (unlikely(gp == gp->m->g0 || gp == gp->m->gsignal))
		throw("save on system g not allowed");
	gp->sched.pc = pc;
	gp->sched.sp = sp;
	gp->sched.bp = bp;
}

struct entersyscall_args {
	const char *what;
	uintptr_t sp;
	uintptr_t bp;
	G *gp;
};

static void
badsyscallsp_1(void *a) {
	struct entersyscall_args *args = a;

	print("%s inconsistent sp 0x%lx bp 0x%lx [0x%lx,0x%lx]\n", args->what, args->sp, args->bp,
		args->gp->stack.lo, args->gp->stack.hi);
	throw(args->what);
}

// checksyscallsp throws if the goroutine is not on its own stack.
static inline void
checksyscallsp(G *gp, const char *what) {
	if (unlikely(gp->syscallsp < gp->stack.lo || gp->stack.hi < gp->syscallsp)) {
		struct entersyscall_args args = {what, gp->syscallsp, gp->syscallbp, gp};
		systemstack(badsyscallsp_1, &args);
	}
}

static void
runSafePointFn_1(void *a) {
	runSafePointFn();
}

static void
entersyscallWakeSysmon(void *a) {
	lock(&sched.lock);
	if (atomic_Load(&sched.sysmonwait)) {
		atomic_Store(&sched.sysmonwait, false);
		notewakeup(&sched.sysmonnote);
	}
	unlock(&sched.lock);
}

static void
entersyscall_trace(void *a) {
	traceLocker_GoSysCall(*(traceLocker *)a);
}

// entersyscallHandleGCWait gives the P to a world that is stopping.
static void
entersyscallHandleGCWait(void *a) {
	traceLocker tl = *(traceLocker *)a;
	M *mp = getg()->m;

	lock(&sched.lock);
	if (sched.stopwait > 0) {
		P *pp = mp->p;
		atomic_StoreRelaxed(&pp->m, (M *)NULL);
		atomic_StoreRelaxed(&mp->p, (P *)NULL);
		settlsmcache(NULL);
		atomic_Store(&pp->status, (uint32_t)_Pgcstop);
		if (traceLocker_ok(tl))
			traceLocker_ProcStop(tl, pp);
		addGSyscallNoP(mp);
		pp->gcStopTime = nanotime();
		atomic_StoreRelaxed(&pp->syscalltick, pp->syscalltick + 1);
		atomic_StoreRelaxed(&sched.stopwait, sched.stopwait - 1);
		if (sched.stopwait == 0)
			notewakeup(&sched.stopnote);
	}
	unlock(&sched.lock);
}

// reentersyscall is entersyscall once the registers are saved; pc, sp and bp are its caller's.
void
reentersyscall(uintptr_t pc, uintptr_t sp, uintptr_t bp) {
	G *gp = getg();
	M *mp = gp->m;

	// No preemption: in _Gsyscall but with a gp->sched that changes.
	mp->locks++;
	atomic_StoreRelaxed(&gp->stackguard0, stackPreempt);

	P *pp = mp->p;
	mp->syscalltick = pp->syscalltick;
	if (unlikely(atomic_LoadRelaxed(&pp->runSafePointFn) != 0))
		systemstack(runSafePointFn_1, NULL);
	mp->oldp = pp;

	save(gp, pc, sp, bp);
	gp->syscallsp = sp;
	gp->syscallpc = pc;
	gp->syscallbp = bp;
	checksyscallsp(gp, "entersyscall");

	// The event comes first, as it is about the P, and the transition within the same generation.
	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		systemstack(entersyscall_trace, &tl);
		save(gp, pc, sp, bp); // systemstack changed it
	}
	if (unlikely(atomic_Load(&sched.gcwaiting))) {
		systemstack(entersyscallHandleGCWait, &tl);
		save(gp, pc, sp, bp); // systemstack changed it
	}
	// From here on the P may be taken: hands off.
	if (unlikely(!atomic_Cas(&gp->atomicstatus, (uint32_t)_Grunning, (uint32_t)_Gsyscall)))
		casgstatus(gp, _Grunning, _Gsyscall);
	if (traceLocker_ok(tl))
		traceRelease(tl);
	if (unlikely(atomic_Load(&sched.sysmonwait))) {
		systemstack(entersyscallWakeSysmon, NULL);
		save(gp, pc, sp, bp);
	}
	mp->locks--;
}

static void
entersyscallblock_1(void *a) {
	traceLocker tl = *(traceLocker *)a;

	if (traceLocker_ok(tl))
		traceLocker_GoSysCall(tl);
	handoffp(releasep());
}

// entersyscallblock_c is entersyscallblock once the registers are saved.
void
entersyscallblock_c(uintptr_t pc, uintptr_t sp, uintptr_t bp) {
	G *gp = getg();
	M *mp = gp->m;

	mp->locks++; // see reentersyscall
	atomic_StoreRelaxed(&gp->stackguard0, stackPreempt);
	mp->syscalltick = mp->p->syscalltick;
	atomic_StoreRelaxed(&mp->p->syscalltick, mp->p->syscalltick + 1);

	addGSyscallNoP(mp);

	save(gp, pc, sp, bp);
	gp->syscallsp = sp;
	gp->syscallpc = pc;
	gp->syscallbp = bp;
	checksyscallsp(gp, "entersyscallblock");

	// For a moment it is _Grunning without a P: m->locks keeps everybody off.
	traceLocker tl = traceAcquire();
	systemstack(entersyscallblock_1, &tl);
	casgstatus(gp, _Grunning, _Gsyscall);
	if (traceLocker_ok(tl))
		traceRelease(tl);
	save(gp, pc, sp, bp);
	mp->locks--;
}

// exitsyscallTryGetP takes the old P back from where it went, or any idle one; NULL: there is none.
static P *
exitsyscallTryGetP(P *oldp) {
	if (oldp != NULL) {
		bool ok;
		syscallingThread thread = setBlockOnExitSyscall(oldp, &ok);
		if (ok) {
			syscallingThread_takeP(&thread);
			decGSyscallNoP(getg()->m);
			syscallingThread_resume(&thread);
			return oldp;
		}
	}
	if (atomic_Load(&sched.pidle) != NULL) {
		int64_t now;
		lock(&sched.lock);
		P *pp = pidleget(0, &now);
		if (pp != NULL && atomic_Load(&sched.sysmonwait)) {
			atomic_Store(&sched.sysmonwait, false);
			notewakeup(&sched.sysmonnote);
		}
		unlock(&sched.lock);
		if (pp != NULL) {
			decGSyscallNoP(getg()->m);
			return pp;
		}
	}
	return NULL;
}

static void
exitsyscall_1(void *a) {
	P *pp = exitsyscallTryGetP(a);

	if (pp == NULL)
		return;
	acquirepNoTrace(pp);
	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_ProcStart(tl);
		traceLocker_GoSysExit(tl, true);
		traceLocker_GoStart(tl);
		traceRelease(tl);
	}
}

// exitsyscall_3 tells that the goroutine has kept its P, or has to pretend that it has not: see
// syscalltick.
static void
exitsyscall_3(void *a) {
	traceLocker tl = *(traceLocker *)a;
	P *pp = tl.mp->p;

	if (pp->syscalltick == tl.mp->syscalltick) {
		traceLocker_GoSysExit(tl, false);
	} else {
		traceLocker_ProcSteal(tl, pp);
		traceLocker_ProcStart(tl);
		traceLocker_GoSysExit(tl, true);
		traceLocker_GoStart(tl);
	}
	traceRelease(tl);
}

static void
exitsyscall_2(void *a) {
	lock(&deadlock);
	lock(&deadlock);
}

// exitsyscallNoP queues the goroutine, which has found no P, and schedules.  On g0.
static void
exitsyscallNoP(G *gp) {
	traceExitingSyscall();
	traceLocker tl = traceAcquire();
	casgstatus(gp, _Grunning, _Grunnable);
	traceExitedSyscall();
	if (traceLocker_ok(tl)) {
		// Only now is it known that it has lost its P.
		traceLocker_GoSysExit(tl, true);
		traceRelease(tl);
	}
	decGSyscallNoP(getg()->m);
	dropg();
	lock(&sched.lock);
	P *pp = NULL;
	bool locked = false;
	int64_t now;
	if (schedEnabled(gp))
		pp = pidleget(0, &now);
	if (pp == NULL) {
		globrunqput(gp);
		// Once the lock is dropped gp belongs to others, who may lock or unlock it.
		locked = gp->lockedm != NULL;
	} else if (atomic_Load(&sched.sysmonwait)) {
		atomic_Store(&sched.sysmonwait, false);
		notewakeup(&sched.sysmonnote);
	}
	unlock(&sched.lock);
	if (pp != NULL) {
		acquirep(pp);
		execute(gp, false);
	}
	if (locked) {
		stoplockedm();
		execute(gp, false);
	}
	stopm();
	schedule();
}

// clearsyscallregs forgets the registers that entersyscall saved: they would keep garbage alive.
static inline void
clearsyscallregs(G *gp) {
	memset((void *)(gp->stack.hi - 48), 0, 48);
}

// exitsyscall_4 puts the goroutine into a profile that is being made.
static void
exitsyscall_4(void *a) {
	tryRecordGoroutineProfile(a, osyield);
}

// exitsyscall ends a system call: the goroutine goes on when it has a P.
void
exitsyscall(void) {
	G *gp = getg();
	M *mp = gp->m;

	mp->locks++; // see reentersyscall
	if (getcallersp() > gp->syscallsp)
		throw("exitsyscall: syscall frame is no longer valid");
	atomic_StoreRelaxed(&gp->waitsince, 0);

	if (unlikely(atomic_LoadRelaxed(&sched.stopwait) == freezeStopWait)) {
		// The world is frozen for a crash: do not come back into it.
		systemstack(exitsyscall_2, NULL);
	}

	// Running, in the hope that there will be a P.  Until this point the P may be taken.
	if (unlikely(!atomic_Cas(&gp->atomicstatus, (uint32_t)_Gsyscall, (uint32_t)_Grunning)))
		casgstatus(gp, _Gsyscall, _Grunning);

	P *oldp = mp->oldp;
	mp->oldp = NULL;
	if (unlikely(mp->p == NULL)) {
		settlsmcache(NULL); // whoever took the P could not do that
		systemstack(exitsyscall_1, oldp);
	} else {
		traceLocker tl = traceAcquire();
		if (traceLocker_ok(tl))
			systemstack(exitsyscall_3, &tl);
	}

	P *pp = mp->p;
	if (likely(pp != NULL)) {
		if (goroutineProfileActive()) {
			// Its stack as it was in the call.
			systemstack(exitsyscall_4, gp);
		}
		atomic_StoreRelaxed(&pp->syscalltick, pp->syscalltick + 1);
		gp->syscallsp = 0;
		clearsyscallregs(gp);
		mp->locks--;
		if (atomic_LoadRelaxed(&gp->preempt))
			atomic_StoreRelaxed(&gp->stackguard0, stackPreempt);
		else
			atomic_StoreRelaxed(&gp->stackguard0, gp->stack.lo);
		if (unlikely(sched.disable.user)) {
			lock(&sched.lock);
			bool ok = schedEnabled(gp);
			unlock(&sched.lock);
			if (!ok)
				Gosched();
		}
		return;
	}
	mp->locks--;

	mcall(exitsyscallNoP);

	// Only now is it sure that the collector does not look at syscallsp.
	gp->syscallsp = 0;
	clearsyscallregs(gp);
	pp = getg()->m->p;
	atomic_StoreRelaxed(&pp->syscalltick, pp->syscalltick + 1);
}

// addGSyscallNoP counts a goroutine in a system call that loses its P, decGSyscallNoP when it leaves
// the call.
void
addGSyscallNoP(M *mp) {
	atomic_Xadd(&sched.nGsyscallNoP, 1);
}

void
decGSyscallNoP(M *mp) {
	atomic_Xadd(&sched.nGsyscallNoP, -1);
}

// setBlockOnExitSyscall keeps the thread that has pp from leaving its system call, if it is in one:
// *ok.  Then the caller owns the links between goroutine, M and P, until it calls resume.
syscallingThread
setBlockOnExitSyscall(P *pp, bool *ok) {
	syscallingThread none = {0};

	*ok = false;
	if (atomic_Load(&pp->status) != _Prunning)
		return none;
	// All of this may be changing.  Get hold of the goroutine first, then check.
	M *mp = atomic_Load(&pp->m);
	if (mp == NULL)
		return none;
	G *gp = atomic_Load(&mp->curg);
	if (gp == NULL)
		return none;
	uint32_t status = readgstatus(gp) & ~(uint32_t)_Gscan;
	if (status != _Gsyscall)
		return none;
	if (!castogscanstatus(gp, status, status | _Gscan))
		return none;
	if (gp->m != mp || gp->m->p != pp) {
		casfrom_Gscanstatus(gp, status | _Gscan, status);
		return none;
	}
	*ok = true;
	return (syscallingThread){gp, mp, pp, status};
}

// releaseP takes the P, which gets the given state.
static void
releaseP(syscallingThread *s, uint32_t state) {
	if (state != _Pidle && state != _Pgcstop)
		throw("attempted to release P into a bad state");
	traceLocker tl = traceAcquire();
	atomic_StoreRelaxed(&s->pp->m, (M *)NULL);
	atomic_StoreRelaxed(&s->mp->p, (P *)NULL);
	atomic_Store(&s->pp->status, state);
	if (traceLocker_ok(tl)) {
		traceLocker_ProcSteal(tl, s->pp);
		traceRelease(tl);
	}
	addGSyscallNoP(s->mp);
	atomic_StoreRelaxed(&s->pp->syscalltick, s->pp->syscalltick + 1);
}

// syscallingThread_gcstopP takes the P for a stop of the world.  sched.lock must be held.
void
syscallingThread_gcstopP(syscallingThread *s) {
	assertLockHeld(&sched.lock);

	releaseP(s, _Pgcstop);
	s->pp->gcStopTime = nanotime();
	atomic_StoreRelaxed(&sched.stopwait, sched.stopwait - 1);
}

// syscallingThread_takeP takes the P.
void
syscallingThread_takeP(syscallingThread *s) {
	releaseP(s, _Pidle);
}

// syscallingThread_resume lets the thread leave its system call.
void
syscallingThread_resume(syscallingThread *s) {
	casfrom_Gscanstatus(s->gp, s->status | _Gscan, s->status);
}

// gort_blocking: see gort.h.
intptr_t
gort_blocking(intptr_t (*f)(void *arg), void *arg) {
	needg();
	entersyscall();
	intptr_t r = f(arg);
	exitsyscall();
	return r;
}
