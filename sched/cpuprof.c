// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The CPU profiler.  Ports cpuprof.go, the profiler in proc.go and the timers of os_linux.go of
// Go 1.26.8.
//
// Every thread that runs goroutines has a timer on its own CPU clock, which sends it SIGPROF after each
// 1/hz seconds of CPU time: the samples of each thread are exact, whatever the number of threads.
// execute starts and stops it when it sees that the rate has changed.  Threads without such a timer
// (foreign ones) are sampled by the timer of the process, whose signal any thread may get, so that
// threads with a timer ignore it.
//
// The handler writes the stack, with the goroutine's labels, into a ring (profbuf.c), from which a
// goroutine takes it and makes the profile (pprof.c).  If that does not keep up, samples are counted as
// lost.  signalLock, a bit to spin on, orders the handlers and who changes the rate; the latter first
// stops the timer of its own thread, so that no handler can wait for the thread that it interrupted.
//
// PORT: the ring is kept for the next profile, so that the collector may look into it at any time.
#include "sched/cpuprof.h"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include "runtime/mgcmark.h"
#include "runtime/os_linux.h"
#include "sched/proc.h"
#include "sched/profbuf.h"
#include "sched/runtime2.h"
#include "sched/signal_unix.h"
#include "sched/traceback.h"
#include "sched/traceruntime.h"

enum {
	profBufWordCount = 1 << 17, // 1,900 samples of the deepest stacks
	profBufTagCount = 1 << 14,
};

static struct {
	mutex lock;
	bool on;
	profBuf *log;  // of the profile that is on or still being read; else NULL
	profBuf *kept; // atomic: what log is or was

	// Stacks of foreign threads, each with its length before it, until a thread of the runtime's puts
	// them into the log: that needs a G.  Protected by signalLock while hz is not 0.
	uintptr_t extra[1000];
	int numExtra;
	uint64_t lostExtra; // for which there was no room
} cpuprof;

static struct {
	uint32_t signalLock; // atomic
	int32_t hz;          // atomic
} prof;

// ---- names in a profile -----------------------------------------------------------------------------

// They are never called; each has to have an address of its own.
#define PLACE(name)                                      \
	NOINLINE __attribute__((used)) void name(void) { \
		__asm__ volatile("nop\n\t# " #name);     \
		throw(#name);                            \
	}

void _System(void);
void _ExternalCode(void);
void _LostExternalCode(void);
void _GC(void);

// clang-format off
PLACE(_System)
PLACE(_ExternalCode)
PLACE(_LostExternalCode)
PLACE(_GC)
PLACE(lostProfileEvent)
// clang-format on

// placepc is the return address that stands for one of them.
static uintptr_t
placepc(void (*f)(void)) {
	return (uintptr_t)f + 1;
}

// ---- the log (cpuprof.go) ---------------------------------------------------------------------------

void
cpuprofinit(void) {
	lockInit(&cpuprof.lock, lockRankCpuprof);
}

static void
prof_lock(void) {
	while (!atomic_Cas(&prof.signalLock, 0U, 1U)) {
		osyield();
	}
}

static void
prof_unlock(void) {
	atomic_Store(&prof.signalLock, 0U);
}

// cpuProfile_addExtra moves the stacks of foreign threads to the log.  signalLock is held, or hz is 0:
// then no handler comes here or to what this uses, as each looks at hz once it has the lock, and those
// that had it before are through.
static void
cpuProfile_addExtra(void) {
	const uint64_t one = 1;
	for (int i = 0; i < cpuprof.numExtra;) {
		int n = (int)cpuprof.extra[i];
		profBuf_write(cpuprof.log, NULL, 0, &one, 1, &cpuprof.extra[i + 1], n - 1);
		i += n;
	}
	cpuprof.numExtra = 0;

	if (cpuprof.lostExtra > 0) {
		const uintptr_t stk[] = {placepc(_LostExternalCode), placepc(_ExternalCode)};
		profBuf_write(cpuprof.log, NULL, 0, &cpuprof.lostExtra, 1, stk, nelem(stk));
		cpuprof.lostExtra = 0;
	}
}

static void setcpuprofilerate(int32_t hz);

void
SetCPUProfileRate(int hz) {
	hz = max(0, min(hz, 1000000));

	lock(&cpuprof.lock);
	if (hz > 0) {
		if (cpuprof.on || cpuprof.log != NULL) {
			print("runtime: cannot set cpu profile rate until previous profile has "
			      "finished.\n");
			unlock(&cpuprof.lock);
			return;
		}
		cpuprof.on = true;
		if (cpuprof.kept == NULL) {
			atomic_StoreRel(
				&cpuprof.kept, newProfBuf(1, profBufWordCount, profBufTagCount));
		} else {
			profBuf_reset(cpuprof.kept);
		}
		cpuprof.log = cpuprof.kept;
		const uint64_t hdr = (uint64_t)hz;
		profBuf_write(cpuprof.log, NULL, nanotime(), &hdr, 1, NULL, 0);
		setcpuprofilerate(hz);
	} else if (cpuprof.on) {
		setcpuprofilerate(0);
		cpuprof.on = false;
		cpuProfile_addExtra();
		profBuf_close(cpuprof.log);
	}
	unlock(&cpuprof.lock);
}

// cpuProfile_add writes a sample.  In a signal handler.
static void
cpuProfile_add(void *const *tagPtr, const uintptr_t *stk, int nstk) {
	prof_lock();
	if (atomic_Load(&prof.hz) != 0) {
		if (cpuprof.numExtra > 0 || cpuprof.lostExtra > 0) {
			cpuProfile_addExtra();
		}
		const uint64_t one = 1;
		profBuf_write(cpuprof.log, tagPtr, nanotime(), &one, 1, stk, nstk);
	}
	prof_unlock();
}

// cpuProfile_addNonGo keeps a sample of a foreign thread.
//
// PORT: only if the profiler is still on.  Go does not look again, so that a handler may write among
// the samples while addExtra takes them out at the end, and leave one to the next profile.
static void
cpuProfile_addNonGo(const uintptr_t *stk, int nstk) {
	prof_lock();
	if (atomic_Load(&prof.hz) == 0) {
		// It has ended while the handler was on its way.
	} else if (cpuprof.numExtra + 1 + nstk < (int)nelem(cpuprof.extra)) {
		uintptr_t *p = &cpuprof.extra[cpuprof.numExtra];
		p[0] = (uintptr_t)(1 + nstk);
		for (int i = 0; i < nstk; i++) {
			p[1 + i] = stk[i];
		}
		cpuprof.numExtra += 1 + nstk;
	} else {
		cpuprof.lostExtra++;
	}
	prof_unlock();
}

uint64_t *
readProfile(intptr_t *ndata, void ***tags, intptr_t *ntags, bool *eof) {
	lock(&cpuprof.lock);
	profBuf *log = cpuprof.log;
	unlock(&cpuprof.lock);
	uint64_t *data = profBuf_read(log, profBufBlocking, ndata, tags, ntags, eof);
	if (data == NULL && *eof) {
		lock(&cpuprof.lock);
		cpuprof.log = NULL;
		unlock(&cpuprof.lock);
	}
	return data;
}

void
cpuprof_scan(gcWork *gcw) {
	profBuf *b = atomic_LoadAcq(&cpuprof.kept);
	if (b != NULL) {
		scanConservative((uintptr_t)b->tags, (uintptr_t)b->ntags * sizeof(void *), gcw);
	}
}

// ---- the profiler (proc.go) -------------------------------------------------------------------------

// sigprof_stack walks the stack that was interrupted.  On g0 the goroutine's stack comes after it, if
// the goroutine is still there: systemstack has published where it left.
static int
sigprof_stack(uintptr_t pc, uintptr_t sp, uintptr_t bp, G *gp, M *mp, uintptr_t *stk) {
	int n = sigcallers(gp, pc, sp, bp, stk, maxCPUProfStack);
	G *curg = mp->curg;
	if (gp == mp->g0 && curg != NULL && n < maxCPUProfStack) {
		n += gcallers(curg, 0, stk + n, maxCPUProfStack - n);
	}
	return n;
}

void
sigprof(uintptr_t pc, uintptr_t sp, uintptr_t bp, G *gp, M *mp, int code) {
	// A thread whose profilehz is 0 may be the one that holds signalLock.
	if (atomic_Load(&prof.hz) == 0 || mp->profilehz == 0 || !validSIGPROF(mp, code)) {
		return;
	}

	// Nothing here may allocate.
	mp->mallocing++;

	uintptr_t stk[maxCPUProfStack];
	int n = sigprof_stack(pc, sp, bp, gp, mp, stk);
	if (n <= 0) {
		n = 2;
		stk[0] = isRuntimePC(pc) ? pc + 1 : placepc(_ExternalCode);
		stk[1] = mp->preemptoff != NULL ? placepc(_GC) : placepc(_System);
	}
	if (atomic_Load(&prof.hz) != 0) {
		cpuProfile_add(mp->curg != NULL ? &mp->curg->labels : NULL, stk, n);
		// In a system call the P may be taken meanwhile.
		traceCPUSample(
			mp->curg != NULL ? mp->curg : gp, mp, atomic_LoadRelaxed(&mp->p), stk, n);
	}

	mp->mallocing--;
}

// setcpuprofilerate changes the rate; 0 stops the profiler.
static void
setcpuprofilerate(int32_t hz) {
	// Stay on this thread, and stop its timer: its handler would wait for signalLock for ever.
	M *mp = acquirem();
	setThreadCPUProfiler(0);

	prof_lock();
	if (atomic_Load(&prof.hz) != hz) {
		setProcessCPUProfilerTimer(hz);
		atomic_Store(&prof.hz, hz);
	}
	prof_unlock();

	(void)atomic_Or(&executeHooks, (uint32_t)executeProfileCPU);
	lock(&sched.lock);
	atomic_StoreRelaxed(&sched.profilehz, hz);
	unlock(&sched.lock);

	if (hz != 0) {
		setThreadCPUProfiler(hz);
	}
	releasem(mp);
}

// ---- timers (os_linux.go, signal_unix.go) -----------------------------------------------------------

bool
validSIGPROF(M *mp, int code) {
	bool setitimer = code == SI_KERNEL;
	bool timer_create = code == SI_TIMER;

	if (!setitimer && !timer_create) {
		// Somebody sends it by hand: no reason to ignore it.
		return true;
	}
	if (mp == NULL || !atomic_Load(&mp->profileTimerValid)) {
		return setitimer;
	}
	// The thread's own timer is the exact one; do not count twice.
	return timer_create;
}

void
setThreadCPUProfiler(int32_t hz) {
	M *mp = getg()->m;
	atomic_StoreRelaxed(&mp->profilehz, hz);

	if (atomic_Load(&mp->profileTimerValid)) {
		int32_t timerid = mp->profileTimer;
		atomic_Store(&mp->profileTimerValid, false);
		mp->profileTimer = 0;
		int64_t ret = sys_call3(SYS_timer_delete, timerid, 0, 0);
		if (ret != 0) {
			print("runtime: failed to disable profiling timer; timer_delete(%d) "
			      "errno=%ld\n",
				timerid, (long)-ret);
			throw("timer_delete");
		}
	}
	if (hz == 0) {
		return;
	}

	// The first signal comes after a random part of the period, so that a thread that runs for a
	// tenth of it has a sample with a chance of a tenth, and short bursts are not left out.
	struct itimerspec spec = {0};
	spec.it_value.tv_nsec = 1 + (long)cheaprandn((uint32_t)(1000000000 / hz));
	if (spec.it_value.tv_nsec == 1000000000) {
		spec.it_value = (struct timespec){1, 0};
	}
	spec.it_interval.tv_sec = hz == 1;
	spec.it_interval.tv_nsec = hz == 1 ? 0 : 1000000000 / hz;

	struct sigevent sevp = {0};
	sevp.sigev_notify = SIGEV_THREAD_ID;
	sevp.sigev_signo = SIGPROF;
	sevp._sigev_un._tid = (int32_t)atomic_LoadRelaxed(&mp->procid);
	int32_t timerid = 0;
	if (sys_call3(SYS_timer_create, CLOCK_THREAD_CPUTIME_ID, &sevp, &timerid) != 0) {
		return; // the timer of the process will do
	}
	int64_t ret = sys_call6(SYS_timer_settime, (uint64_t)timerid, 0, (uintptr_t)&spec, 0, 0, 0);
	if (ret != 0) {
		print("runtime: failed to configure profiling timer; timer_settime(%d) errno=%ld\n",
			timerid, (long)-ret);
		throw("timer_settime");
	}
	mp->profileTimer = timerid;
	atomic_Store(&mp->profileTimerValid, true);
}

void
sigprofNonGo(uintptr_t pc, int code) {
	if (atomic_Load(&prof.hz) != 0 && validSIGPROF(NULL, code)) {
		const uintptr_t stk[] = {pc + 1, placepc(_ExternalCode)};
		cpuProfile_addNonGo(stk, nelem(stk));
	}
}
