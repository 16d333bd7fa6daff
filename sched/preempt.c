// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Stopping goroutines.  Ports preempt.go of Go 1.26.8, and the preemption part of newstack.
//
// Who wants a goroutine to stop sets g->preempt (and g->preemptStop, if it wants to read the stack)
// and makes g->stackguard0 equal to stackPreempt.  The goroutine sees that in two ways.
//
// By polling: the functions of the runtime that a program calls most look at stackguard0
// (preemptcheck).  That is the cheap way, and a safe one anywhere.
//
// By signal: C code has loops without calls, and may sit in libc for as long as it likes.  So
// preemptM interrupts the thread, and the handler looks where it stands.  It is a safe point
// (isAsyncSafePoint) if the thread runs a user goroutine on that goroutine's stack, the M is in no
// state that forbids it, and pc is not the runtime's: runtime functions hold locks and P's in
// registers.  The runtime calls libc only on g0 or with m.locks > 0, hence a pc in libc means that
// the program called it.  If it is no safe point the handler returns and the asker asks again.
//
// PORT: Go injects a call to asyncPreempt and so switches the goroutine off its thread.  For C that
// is not safe: locks of pthread, of stdio and of malloc belong to threads, and the compiler keeps
// addresses of thread-local objects.  gort stops the goroutine *in place*: the thread stays in the
// signal handler, with all registers in the signal frame, where a scan of the stack reads them.
//
//	inplaceNone ---- asked to stop for a scan ----> inplaceScan
//	   ^   ^                                            | the M keeps its P and sleeps in the
//	   |   |                                            | handler; g is _Gpreempted, and
//	   |   |                                            | _Gwaiting once suspendG has it
//	   |   |                                            v
//	   |   +---- g is _Grunning again <---------- inplaceResumed      by resumeG
//	   |
//	   +-- a P was handed over, _Grunning <------ inplaceParked
//	                                                    ^ the P went to the stopped world or to
//	   inplaceNone ---- world stops, or time is up -----+ other goroutines; g is _Grunnable, locked
//	                                                      to this M, on the global queue
//
// A goroutine that waits for a scan does not give its P to a world that is stopping: who scans it
// holds a P too, without which the world does not stop, and does nothing that waits.  When it goes
// on, the handler looks at once whether the world wants to stop.  It does answer runSafePointFn.
//
// Text that says so (GORT_ASYNC in gort.h) has no such locks, nor have its callers; there the handler
// injects the call as Go does, and a goroutine costs no thread while it is off the CPU.
//
// Sequences that must not be cut (the write barrier: check of the flag, then the store) are in
// tables, one for each shared object.  A goroutine stopped inside one goes on at its beginning.
#include "sched/preempt.h"

#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <sys/auxv.h>
#include <time.h>

#include "runtime/mgc.h"
#include "runtime/mroots.h"
#include "runtime/os_linux.h"
#include "runtime/runtime1.h"
#include "sched/fiber.h"
#include "sched/proc.h"
#include "sched/signal_unix.h"
#include "sched/symtab.h"
#include "sched/time.h"
#include "sched/traceruntime.h"

// suspendG: see preempt.h.  The state of a goroutine decides how it is taken:
// running ones are asked to stop until they do, all others are held by their _Gscan bit.
suspendGState
suspendG(G *gp) {
	M *mp = getg()->m;
	if (mp->curg != NULL && readgstatus(mp->curg) == _Grunning) {
		// Two goroutines that suspend each other would wait for ever.
		throw("suspendG from non-preemptible goroutine");
	}

	const int64_t yieldDelay = 10 * 1000;
	int64_t nextYield = 0;

	bool stopped = false;
	M *asyncM = NULL;
	uint32_t asyncGen = 0;
	int64_t nextPreemptM = 0;
	for (int i = 0;; i++) {
		uint32_t s = readgstatus(gp);
		switch (s) {
		default:
			if ((s & _Gscan) != 0)
				break; // somebody else has it; wait
			dumpgstatus(gp);
			throw("invalid g status");

		case _Gdead:
			// preemptStop stays as it is: clearing it here could meet gp's next life.
			return (suspendGState){.dead = true};

		case _Gpreempted:
			if (!casGFromPreempted(gp, _Gpreempted, _Gwaiting))
				break;
			stopped = true;
			s = _Gwaiting;
			// fallthrough
			__attribute__((fallthrough));

		case _Grunnable:
		case _Gsyscall:
		case _Gwaiting:
			if (!castogscanstatus(gp, s, s | _Gscan))
				break;
			// The scan bit makes these ours.
			atomic_StoreRelaxed(&gp->preemptStop, false);
			atomic_StoreRelaxed(&gp->preempt, false);
			atomic_StoreRelaxed(&gp->stackguard0, gp->stack.lo);
			return (suspendGState){.g = gp, .stopped = stopped};

		case _Grunning:
			// Nothing to do if the request of the last round is on its way.
			if (atomic_LoadRelaxed(&gp->preemptStop) &&
				atomic_LoadRelaxed(&gp->preempt) &&
				atomic_LoadRelaxed(&gp->stackguard0) == stackPreempt &&
				asyncM != NULL && asyncM == atomic_LoadRelaxed(&gp->m) &&
				atomic_Load(&asyncM->preemptGen) == asyncGen)
				break;
			if (!castogscanstatus(gp, _Grunning, _Gscanrunning))
				break;
			atomic_StoreRelaxed(&gp->preemptStop, true);
			atomic_StoreRelaxed(&gp->preempt, true);
			atomic_Store(&gp->stackguard0, stackPreempt);

			M *asyncM2 = atomic_LoadRelaxed(&gp->m);
			uint32_t asyncGen2 = atomic_Load(&asyncM2->preemptGen);
			bool needAsync = asyncM != asyncM2 || asyncGen != asyncGen2;
			asyncM = asyncM2;
			asyncGen = asyncGen2;

			casfrom_Gscanstatus(gp, _Gscanrunning, _Grunning);

			if (debug.asyncpreemptoff == 0 && needAsync) {
				int64_t now = nanotime();
				if (now >= nextPreemptM) {
					nextPreemptM = now + yieldDelay / 2;
					preemptM(asyncM);
				} else {
					// PORT: make the next round ask; Go's generation check would
					// wait for a signal that was never sent.
					asyncM = NULL;
				}
			}
			break;
		}

		if (i == 0)
			nextYield = nanotime() + yieldDelay;
		if (nanotime() < nextYield) {
			procyield(10);
		} else {
			osyield();
			nextYield = nanotime() + yieldDelay / 2;
		}
	}
}

// resumeG lets the goroutine go on.
void
resumeG(suspendGState state) {
	if (state.dead)
		return;

	G *gp = state.g;
	uint32_t s = readgstatus(gp);
	switch (s) {
	default:
		dumpgstatus(gp);
		throw("unexpected g status");

	case _Grunnable | _Gscan:
	case _Gwaiting | _Gscan:
	case _Gsyscall | _Gscan:
		casfrom_Gscanstatus(gp, s, s & ~(uint32_t)_Gscan);
		break;
	}

	if (state.stopped) {
		if (atomic_Load(&gp->inplace) == inplaceScan) {
			// Its thread waits in the signal handler and has its P still.
			M *mp = gp->m;
			traceLocker tl = traceAcquire();
			if (traceLocker_ok(tl)) {
				traceLocker_GoUnpark(tl, gp, 0);
				traceRelease(tl);
			}
			atomic_Store(&gp->inplace, inplaceResumed);
			inplacePoke(mp);
		} else {
			ready(gp, true);
		}
	}
}

// canPreemptM: no lock, no allocation, no wish of its own against it, and a P that runs.
bool
canPreemptM(M *mp) {
	P *pp = mp->p;
	return mp->locks == 0 && mp->mallocing == 0 && mp->preemptoff == NULL && pp != NULL &&
	       pp->status == _Prunning && mp->curg != NULL &&
	       (readgstatus(mp->curg) & ~(uint32_t)_Gscan) != _Gsyscall;
}

// preempt_m is preempt_poll on g0.
static void
preempt_m(G *gp) {
	gp->syncSafePoint = true;
	if (atomic_LoadRelaxed(&gp->preemptStop))
		preemptPark(gp); // never returns
	gopreempt_m(gp);         // never returns
}

// preempt_poll is where preemptcheck goes if somebody asked.  What newstack does in Go.
void
preempt_poll(void) {
	G *gp = getg();
	M *mp = gp->m;
	if (gp != mp->curg)
		return;
	if (!canPreemptM(mp)) {
		// Not now.  g->preempt stays set: releasem asks again.
		atomic_StoreRelaxed(&gp->stackguard0, gp->stack.lo);
		return;
	}
	mcall(preempt_m);
	getg()->syncSafePoint = false;
}

// ---- asynchronous stops -------------------------------------------------------------------------------

// inplaceParkedMs counts Ms that are parked in their signal handlers.  Atomic.
static uint32_t inplaceParkedMs;

// wantAsyncPreempt: both the goroutine and the P may be asked.
bool
wantAsyncPreempt(G *gp) {
	P *pp = gp->m->p;
	return (atomic_LoadRelaxed(&gp->preempt) ||
		       (pp != NULL && atomic_LoadRelaxed(&pp->preempt))) &&
	       (readgstatus(gp) & ~(uint32_t)_Gscan) == _Grunning;
}

// vdsoContains reports whether pc is in the kernel's shared object: nanotime runs there without
// m.locks, and calls are short enough to ask again.
static struct {
	uintptr_t lo;
	uintptr_t hi;
} vdso;

// isAsyncSafePoint: see the top of the file.  PORT: no room on the stack is needed, nothing is
// pushed unless the text opted in.
bool
isAsyncSafePoint(G *gp, uintptr_t pc, uintptr_t sp, uintptr_t *newpc) {
	M *mp = gp->m;
	*newpc = pc;

	// The commonest reason first: the M is on g0, in the scheduler.
	if (mp->curg != gp)
		return false;
	if (mp->p == NULL || !canPreemptM(mp))
		return false;
	if ((readgstatus(gp) & ~(uint32_t)_Gscan) != _Grunning || gp->syscallsp != 0)
		return false;
	if (sp < gp->stack.lo + 128 || sp > gp->stack.hi)
		return false;
	if (isRuntimePC(pc) || (vdso.lo <= pc && pc < vdso.hi) || fiber_inside(mp, pc))
		return false;
	*newpc = unsafePoint(pc);
	return true;
}

// preempt_others reports whether a P whose time slice is over has something else to do.
static bool
preempt_others(P *pp) {
	if (!runqempty(pp) || atomic_LoadRelaxed(&sched.runq.size) != 0)
		return true;
	if (atomic_LoadRelaxed(&gcBlackenEnabled) != 0 &&
		(atomic_LoadRelaxed(&gcController.dedicatedMarkWorkersNeeded) > 0 ||
			gcController.fractionalUtilizationGoal > 0))
		return true;
	int64_t when = timers_wakeTime(&pp->timers);
	return when != 0 && when <= nanotime();
}

// timeslice_due: a signal ends a bare poll() or nanosleep() of the program early, so a thread that
// does not use the CPU is left alone unless its P is wanted.
bool
timeslice_due(P *pp) {
	M *mp = atomic_LoadRelaxed(&pp->m);
	uint64_t procid = mp == NULL ? 0 : atomic_LoadRelaxed(&mp->procid);
	if (procid == 0)
		return true;
	// The CPU clock of a thread: CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED.
	int32_t clk = (int32_t)(~(uint32_t)procid << 3 | 6);
	struct timespec ts;
	if (runtime_clock_gettime(clk, &ts) != 0)
		return true;
	uint64_t t = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	uint64_t before = mp->cpuclock;
	mp->cpuclock = t;
	if (t - before > (uint64_t)debug.timeslice * 100) // a tenth of the slice
		return true;
	return preempt_others(pp);
}

// inplace_publish makes gp readable for a scan.
static void
inplace_publish(
	G *gp, uintptr_t pc, uintptr_t sp, uintptr_t bp, uintptr_t framelo, uintptr_t framehi) {
	gp->sched.pc = pc;
	gp->sched.sp = sp - 128; // the red zone is alive
	gp->sched.bp = bp;
	gp->sigframelo = framelo;
	gp->sigframehi = framehi;
	gp->asyncSafePoint = true;
}

// inplace_unpublish undoes it: gp is running.
static void
inplace_unpublish(G *gp) {
	gp->sigframelo = 0;
	gp->sigframehi = 0;
	gp->asyncSafePoint = false;
	// Sequentially consistent: either preemptM sees that nobody waits here, and sends a signal,
	// or the handler sees what it asked for.
	atomic_Store(&gp->inplace, inplaceNone);
}

// inplacePoke wakes the thread of mp if it waits for resumeG.
void
inplacePoke(M *mp) {
	atomic_Xadd(&mp->inplacewait, 1);
	futexwakeup(&mp->inplacewait, 1);
}

// inplace_scan waits until suspendG's caller has read gp's stack.
static void
inplace_scan(G *gp) {
	M *mp = gp->m;
	atomic_Store(&gp->inplace, inplaceScan);
	casGToPreemptScan(gp, _Grunning, _Gscan | _Gpreempted);
	// See preemptPark.  For a trace this M has no goroutine meanwhile.
	traceLocker tl = traceAcquire();
	if (traceLocker_ok(tl))
		traceLocker_GoPark(tl, waitReasonPreempted);
	mp->trace.gout = true;
	casfrom_Gscanstatus(gp, _Gscan | _Gpreempted, _Gpreempted);
	if (traceLocker_ok(tl))
		traceRelease(tl);
	for (int i = 0;; i++) {
		uint32_t seq = atomic_Load(&mp->inplacewait);
		if (atomic_Load(&gp->inplace) != inplaceScan)
			break;
		if (atomic_Load(&mp->p->runSafePointFn) != 0)
			runSafePointFn();
		if (i < 20) {
			procyield(20); // most scans take microseconds
			continue;
		}
		futexsleep(&mp->inplacewait, seq, -1);
	}
	// Waits while another scan holds gp.
	casgstatus(gp, _Gwaiting, _Grunning);
	mp->trace.gout = false;
	tl = traceAcquire();
	if (traceLocker_ok(tl)) {
		traceLocker_GoStart(tl);
		traceRelease(tl);
	}
}

// inplacePreempt: see preempt.h.  Requests may come one upon the other, hence the loop.
bool
inplacePreempt(
	G *gp, uintptr_t pc, uintptr_t sp, uintptr_t bp, uintptr_t framelo, uintptr_t framehi) {
	M *mp = gp->m;
	for (;;) {
		if (atomic_LoadRelaxed(&gp->preemptStop)) {
			inplace_publish(gp, pc, sp, bp, framelo, framehi);
			inplace_scan(gp);
			inplace_unpublish(gp);
			continue;
		}
		P *pp = mp->p;
		if (atomic_Load(&pp->runSafePointFn) != 0)
			runSafePointFn();
		bool stop = atomic_Load(&sched.gcwaiting);
		if (!stop) {
			if (!wantAsyncPreempt(gp))
				return false;
			if (asyncSwitchOK && asyncTextContains(pc) &&
				sp - gp->stack.lo > asyncPreemptStack)
				return true;
			// A time slice, then.  Do not give the P away for nothing.
			stop = preempt_others(pp) &&
			       atomic_LoadRelaxed(&inplaceParkedMs) < inplaceMax;
		}
		if (!stop) {
			atomic_StoreRelaxed(&gp->preempt, false);
			atomic_StoreRelaxed(&pp->preempt, false);
			atomic_StoreRelaxed(&gp->stackguard0, gp->stack.lo);
			atomic_Fence();
			if (atomic_LoadRelaxed(&gp->preemptStop) || atomic_Load(&sched.gcwaiting) ||
				atomic_Load(&pp->runSafePointFn) != 0)
				continue; // it was about this, and we have just cleared it
			return false;
		}
		inplace_publish(gp, pc, sp, bp, framelo, framehi);
		atomic_Store(&gp->inplace, inplaceParked);
		atomic_Xadd(&inplaceParkedMs, 1);
		bool stopped = inplace_stop_on_gsignal(gp);
		atomic_Xadd(&inplaceParkedMs, -1);
		inplace_unpublish(gp);
		// A new time slice; or, if no M was there to take the P, the old one: one is being made.
		pp = mp->p;
		if (stopped)
			atomic_StoreRelaxed(&pp->preempt, false);
		atomic_Fence();
		if (!atomic_LoadRelaxed(&gp->preemptStop) && !atomic_Load(&sched.gcwaiting) &&
			atomic_Load(&pp->runSafePointFn) == 0)
			return false;
	}
}

// ---- switching off the thread ----------------------------------------------------------------------------

uintptr_t asyncPreemptStack = ~(uintptr_t)0;
bool asyncSwitchOK;

// For preempt_amd64.S: size of the save area and the components that it saves.
extern uint64_t preempt_xsave_size;
extern uint64_t preempt_xsave_mask;
uint64_t preempt_xsave_size __attribute__((visibility("hidden")));
uint64_t preempt_xsave_mask __attribute__((visibility("hidden")));

// preemptinit finds out how the registers are saved, and where the vDSO is.
void
preemptinit(void) {
	unsigned a, b, c, d;
	if (__get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE) != 0 &&
		__get_cpuid_max(0, NULL) >= 0xd) {
		__cpuid_count(0xd, 1, a, b, c, d);
		if ((a & 2) != 0) { // xsavec
			uint32_t size = b;
			__cpuid_count(0xd, 0, a, b, c, d);
			// Without AMX (its tiles are large) and PKRU (it belongs to the thread).
			preempt_xsave_mask =
				((uint64_t)d << 32 | a) & ~((uint64_t)3 << 17 | (uint64_t)1 << 9);
			preempt_xsave_size = alignUp(size, 64) + 64;
			asyncPreemptStack = preempt_xsave_size + 128 + 1024;
			asyncSwitchOK = true;
		}
	}

	uintptr_t base = getauxval(AT_SYSINFO_EHDR);
	if (base != 0) {
		const Elf64_Ehdr *eh = (const Elf64_Ehdr *)base;
		const Elf64_Phdr *ph = (const Elf64_Phdr *)(base + eh->e_phoff);
		for (int i = 0; i < eh->e_phnum; i++) {
			if (ph[i].p_type == PT_LOAD) {
				vdso.lo = base;
				vdso.hi = max(vdso.hi, base + ph[i].p_offset + ph[i].p_memsz);
			}
		}
	}
}

// asyncPreempt_m puts the goroutine, whose registers are on its stack, on a queue.  On g0.
static void
asyncPreempt_m(G *gp) {
	gp->asyncSafePoint = true;
	if (atomic_LoadRelaxed(&gp->preemptStop))
		preemptPark(gp); // never returns
	gopreempt_m(gp);         // never returns
}

// preempt_errno returns the address of this thread's errno, which the compiler is not to remember.
static NOINLINE int *
preempt_errno(void) {
	__asm__ volatile("");
	return __errno_location();
}

// asyncPreempt2 goes on for asyncPreempt: the goroutine may come back on another thread.
void
asyncPreempt2(void) {
	int e = *preempt_errno();
	mcall(asyncPreempt_m);
	getg()->asyncSafePoint = false;
	*preempt_errno() = e;
}

// ---- tables of the program's objects ----------------------------------------------------------------------

// unsafeTable is the section gort_unsafe_pc of one object: pairs {begin, end}, each an offset from
// the word that it is in.
typedef struct unsafeTable {
	const int32_t *b;
	uintptr_t n;  // pairs
	uintptr_t lo; // no sequence begins below
	uintptr_t hi; // none ends above
	bool sorted;
} unsafeTable;

// A range of text that may be switched off its thread.
typedef struct asyncText {
	uintptr_t lo;
	uintptr_t hi;
} asyncText;

enum { maxObjects = 256 };

// The tables only grow; an entry is complete before it is counted.  Objects are never unloaded:
// roots_register pins them.
static unsafeTable unsafeTables[maxObjects];
static uint32_t nunsafeTables; // atomic
static asyncText asyncTexts[maxObjects];
static uint32_t nasyncTexts; // atomic
static uint32_t tableLock;   // atomic; constructors run before there are Ms to lock with

static inline uintptr_t
unsafe_begin(const unsafeTable *t, uintptr_t i) {
	return (uintptr_t)&t->b[2 * i] + (uintptr_t)(intptr_t)t->b[2 * i];
}

static inline uintptr_t
unsafe_end(const unsafeTable *t, uintptr_t i) {
	return (uintptr_t)&t->b[2 * i + 1] + (uintptr_t)(intptr_t)t->b[2 * i + 1];
}

// unsafePoint searches the tables: by halves where the linker left the pairs in order, as it nearly
// always does.  Signal-safe.
uintptr_t
unsafePoint(uintptr_t pc) {
	uint32_t nt = atomic_LoadAcq(&nunsafeTables);
	for (uint32_t k = 0; k < nt; k++) {
		const unsafeTable *t = &unsafeTables[k];
		if (pc <= t->lo || pc >= t->hi)
			continue;
		uintptr_t lo = 0;
		uintptr_t hi = t->n;
		if (t->sorted) {
			// The first pair that ends above pc.
			while (lo < hi) {
				uintptr_t m = lo + (hi - lo) / 2;
				if (unsafe_end(t, m) <= pc)
					lo = m + 1;
				else
					hi = m;
			}
			if (lo < t->n && unsafe_begin(t, lo) < pc)
				return unsafe_begin(t, lo);
			continue;
		}
		for (; lo < hi; lo++) {
			if (unsafe_begin(t, lo) < pc && pc < unsafe_end(t, lo))
				return unsafe_begin(t, lo);
		}
	}
	return pc;
}

// asyncTextContains: signal-safe.
bool
asyncTextContains(uintptr_t pc) {
	uint32_t n = atomic_LoadAcq(&nasyncTexts);
	for (uint32_t i = 0; i < n; i++) {
		if (asyncTexts[i].lo <= pc && pc < asyncTexts[i].hi)
			return true;
	}
	return false;
}

// table_lock and table_unlock guard the registration; constructors do not run often.
static void
table_lock(void) {
	while (!atomic_Cas(&tableLock, 0, 1))
		osyield();
}

static void
table_unlock(void) {
	atomic_Store(&tableLock, 0);
}

// register_unsafe_pcs makes the table of an object known.
static void
register_unsafe_pcs(const int32_t *begin, const int32_t *end) {
	if (begin == NULL || end <= begin)
		return;
	table_lock();
	for (uint32_t k = 0; k < nunsafeTables; k++) {
		if (unsafeTables[k].b == begin) {
			// Each file that includes gort.h has a constructor; the table is the object's.
			table_unlock();
			return;
		}
	}
	if (nunsafeTables == maxObjects)
		throw("too many objects with gort code");
	unsafeTable *t = &unsafeTables[nunsafeTables];
	t->b = begin;
	t->n = (uintptr_t)(end - begin) / 2;
	t->lo = ~(uintptr_t)0;
	t->hi = 0;
	t->sorted = true;
	uintptr_t last = 0;
	for (uintptr_t i = 0; i < t->n; i++) {
		uintptr_t b = unsafe_begin(t, i);
		t->lo = min(t->lo, b);
		t->hi = max(t->hi, unsafe_end(t, i));
		if (b < last)
			t->sorted = false;
		last = b;
	}
	atomic_Store(&nunsafeTables, nunsafeTables + 1);
	table_unlock();
}

// ---- public -------------------------------------------------------------------------------------------------

// gort_register_dso is called by the constructor that gort.h puts into each object: before main, or
// inside dlopen.
void
gort_register_dso(const void *unsafepc, const void *unsafepcend, const void *here) {
	register_unsafe_pcs(unsafepc, unsafepcend);
	symtab_addobject((uintptr_t)here);
	roots_register(here);
}

// gort_register_async_text says that goroutines may be switched off their threads anywhere in
// [begin, end): see GORT_ASYNC.
void
gort_register_async_text(const void *begin, const void *end) {
	if (begin == NULL || end <= begin)
		return;
	table_lock();
	for (uint32_t k = 0; k < nasyncTexts; k++) {
		if (asyncTexts[k].lo == (uintptr_t)begin) {
			table_unlock();
			return;
		}
	}
	if (nasyncTexts == maxObjects)
		throw("too many objects with gort code");
	asyncTexts[nasyncTexts] = (asyncText){(uintptr_t)begin, (uintptr_t)end};
	atomic_Store(&nasyncTexts, nasyncTexts + 1);
	table_unlock();
}
