// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Signals.  Ports signal_unix.go, signal_amd64.go and the signal parts of os_linux.go of Go 1.26.8.
//
// Each M has an alternate stack on which all handlers run, with every other signal blocked, as the
// goroutine m->gsignal.  A handler may interrupt anything: libc inside malloc, the runtime with a
// lock held.  So it takes no lock unless it knows what it interrupted (see preempt.c), and calls
// only what needs no memory.
//
// What a signal does:
//
//	SIGURG            preemption: preempt.c
//	SIGSEGV, SIGBUS,  in user code on a goroutine: becomes a panic, by a call of sigpanic that is
//	SIGFPE            put on the goroutine's stack; on the guard of the stack: "stack overflow";
//	                  anywhere else: a crash with the state of everything
//	SIGQUIT, SIGABRT, a crash with the state of everything
//	SIGILL ...
//	SIGPIPE           ignored, so that write returns EPIPE; except on standard output and error,
//	                  where it kills
//
// PORT: Go installs handlers for nearly all signals.  In a C program others want signals, and the
// default action of those that Go has no answer to is as good: they are left alone until somebody
// asks (sigenable).  A handler that the program installed before is not replaced for signals that
// tell of no fault, and gets the faults that did not happen on a goroutine.
#include "sched/signal_unix.h"

#include <errno.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>

#include "runtime/mem.h"
#include "runtime/mgcpacer.h"
#include "runtime/mstats.h"
#include "runtime/os_linux.h"
#include "runtime/panic.h"
#include "runtime/runtime1.h"
#include "sched/cpuprof.h"
#include "sched/fiber.h"
#include "sched/preempt.h"
#include "sched/proc.h"
#include "sched/stack.h"
#include "sched/symtab.h"
#include "sched/traceback.h"

#ifndef AT_MINSIGSTKSZ
#	define AT_MINSIGSTKSZ 51
#endif
#ifndef SA_RESTORER
#	define SA_RESTORER 0x04000000
#endif
#ifndef SYS_SECCOMP
#	define SYS_SECCOMP 1
#endif

#ifdef __has_feature
#	if __has_feature(thread_sanitizer)
#		define SIGNAL_TSAN 1
#	endif
#endif
#ifdef __SANITIZE_THREAD__
#	define SIGNAL_TSAN 1
#endif

enum { sigaltSize = 32 << 10 }; // on top of what the kernel needs for its frame

// ksigaction is the kernel's struct sigaction.
typedef struct ksigaction {
	uintptr_t handler;
	uint64_t flags;
	void (*restorer)(void);
	uint64_t mask;
} ksigaction;

// sigctxt is what a handler knows.
typedef struct sigctxt {
	siginfo_t *info;
	ucontext_t *uc;
} sigctxt;

// gsignalBlock stands above the alternate stack of an M.
typedef struct gsignalBlock {
	G g;
	stack_t old; // the alternate stack that the thread had before
} gsignalBlock;

uint32_t sigPreempt = sigPreemptDefault;
bool islibrary; // Go's isarchive || islibrary
bool (*sigsendhook)(uint32_t sig);

static uintptr_t fwdSig[_NSIG_];     // atomic: handlers from before
static uint32_t handlingSig[_NSIG_]; // atomic: the handler is ours
static uint64_t initSigmask;         // of the thread that started the runtime
static bool initSigmaskSet;
static int32_t crashing; // atomic: Ms that have printed their stacks for GOTRACEBACK=crash

static void sigtramp(int sig, siginfo_t *info, void *ctx);

// The return from a handler.  Debuggers and unwinders know these bytes.
__asm__(".text\n"
	".p2align 4\n"
	"\t.cfi_startproc\n"
	"\t.cfi_signal_frame\n"
	"\t.cfi_def_cfa %rsp, 8\n"
	"\tnop\n"
	"gort_sigreturn:\n"
	"\tmovq $15, %rax\n"
	"\tsyscall\n"
	"\t.cfi_endproc\n"
	".type gort_sigreturn, @function\n"
	".size gort_sigreturn, . - gort_sigreturn\n");
extern void sigreturn_asm(void) __asm__("gort_sigreturn");

// signame is for a program's traceback.
const char *
signame(uint32_t sig) {
	return sig < _NSIG_ ? sigtable[sig].name : NULL;
}

// ---- handlers --------------------------------------------------------------------------------------------

// setsig installs a handler with the system call: sanitizers delay the signals of libc's sigaction.
static void
setsig(uint32_t sig, uintptr_t fn) {
	ksigaction sa = {
		.handler = fn,
		.flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_RESTORER,
		.restorer = sigreturn_asm,
		.mask = ~(uint64_t)0,
	};
	if (fn == (uintptr_t)SIG_DFL || fn == (uintptr_t)SIG_IGN)
		sa.flags = SA_RESTORER;
	sys_call6(SYS_rt_sigaction, sig, (uintptr_t)&sa, 0, 8, 0, 0);
}

static ksigaction
getsigaction(uint32_t sig) {
	ksigaction sa = {0};
	sys_call6(SYS_rt_sigaction, sig, 0, (uintptr_t)&sa, 8, 0, 0);
	return sa;
}

static uintptr_t
getsig(uint32_t sig) {
	return getsigaction(sig).handler;
}

// setsigstack makes a handler of the program use the alternate stack: goroutine stacks are small.
static void
setsigstack(uint32_t sig) {
	ksigaction sa = getsigaction(sig);
	if ((sa.flags & SA_ONSTACK) != 0)
		return;
	sa.flags |= SA_ONSTACK;
	sys_call6(SYS_rt_sigaction, sig, (uintptr_t)&sa, 0, 8, 0, 0);
}

// sigInstallGoHandler reports whether the runtime handles a signal without being asked.
static bool
sigInstallGoHandler(uint32_t sig) {
	int32_t flags = sigtable[sig].flags;
	if ((flags & _SigSetStack) != 0)
		return false;
	if ((flags & _SigPanic) != 0 || sig == sigPreempt)
		return true;
	if (sig == SIGPIPE)
		return fwdSig[sig] == (uintptr_t)SIG_DFL;
	if (islibrary)
		return false;
	return (flags & _SigThrow) != 0 &&
	       (fwdSig[sig] == (uintptr_t)SIG_DFL || fwdSig[sig] == (uintptr_t)SIG_IGN);
}

// initsig installs the handlers.  No other thread runs yet.
void
initsig(bool preinit) {
	(void)preinit;
#ifdef SIGNAL_TSAN
	// A thread that is stopped inside TSan's own code holds TSan's locks.
	debug.asyncpreemptoff = 1;
#endif
	for (uint32_t i = 1; i < _NSIG_; i++) {
		int32_t flags = sigtable[i].flags;
		if (flags == 0 || (flags & _SigDefault) != 0)
			continue;
		fwdSig[i] = getsig(i);
		if (!sigInstallGoHandler(i)) {
			if (fwdSig[i] != (uintptr_t)SIG_DFL && fwdSig[i] != (uintptr_t)SIG_IGN)
				setsigstack(i);
			continue;
		}
		handlingSig[i] = 1;
		setsig(i, (uintptr_t)sigtramp);
	}
}

// sigenable makes the runtime handle a signal that the program wants to be told of (sigsendhook).
void
sigenable(uint32_t sig) {
	if (sig >= _NSIG_ || sig == SIGPROF)
		return;
	if ((sigtable[sig].flags & _SigNotify) != 0 && atomic_Cas(&handlingSig[sig], 0, 1)) {
		atomic_Store(&fwdSig[sig], getsig(sig));
		setsig(sig, (uintptr_t)sigtramp);
	}
}

// sigdisable undoes it.
void
sigdisable(uint32_t sig) {
	if (sig >= _NSIG_ || sig == SIGPROF)
		return;
	if ((sigtable[sig].flags & _SigNotify) != 0 && !sigInstallGoHandler(sig)) {
		atomic_Store(&handlingSig[sig], 0);
		setsig(sig, atomic_Load(&fwdSig[sig]));
	}
}

// runtime_sigignore ignores a signal.
void
runtime_sigignore(uint32_t sig) {
	if (sig >= _NSIG_ || sig == SIGPROF)
		return;
	if ((sigtable[sig].flags & _SigNotify) != 0) {
		atomic_Store(&handlingSig[sig], 0);
		setsig(sig, (uintptr_t)SIG_IGN);
	}
}

// clearSignalHandlers is for the child between fork and exec.
void
clearSignalHandlers(void) {
	for (uint32_t i = 1; i < _NSIG_; i++) {
		if (atomic_Load(&handlingSig[i]) != 0)
			setsig(i, (uintptr_t)SIG_DFL);
	}
}

// setProcessCPUProfilerTimer starts or stops SIGPROF.
void
setProcessCPUProfilerTimer(int32_t hz) {
	struct itimerval it = {{0, 0}, {0, 0}};
	if (hz != 0) {
		if (atomic_Cas(&handlingSig[SIGPROF], 0, 1)) {
			uintptr_t h = getsig(SIGPROF);
			// A signal may still be on its way when profiling ends; it must not kill.
			if (h == (uintptr_t)SIG_DFL)
				h = (uintptr_t)SIG_IGN;
			atomic_Store(&fwdSig[SIGPROF], h);
			setsig(SIGPROF, (uintptr_t)sigtramp);
		}
		it.it_interval.tv_usec = 1000000 / hz;
		it.it_value = it.it_interval;
		sys_call3(SYS_setitimer, ITIMER_PROF, &it, 0);
		return;
	}
	sys_call3(SYS_setitimer, ITIMER_PROF, &it, 0);
	if (atomic_Cas(&handlingSig[SIGPROF], 1, 0))
		setsig(SIGPROF, atomic_Load(&fwdSig[SIGPROF]));
}

// ---- the context ----------------------------------------------------------------------------------------------

static uintptr_t
sigctxt_reg(const sigctxt *c, int r) {
	return (uintptr_t)c->uc->uc_mcontext.gregs[r];
}

static void
sigctxt_setreg(sigctxt *c, int r, uintptr_t v) {
	c->uc->uc_mcontext.gregs[r] = (greg_t)v;
}

// sigctxt_fromUser reports whether a process sent the signal, and not the kernel.
static bool
sigctxt_fromUser(const sigctxt *c) {
	return c->info->si_code == SI_USER || c->info->si_code == SI_TKILL;
}

// sigctxt_frame returns the bounds of the registers: from the context to the end of the extended
// state, whose size the kernel left in the reserved words of the FXSAVE area.
static void
sigctxt_frame(const sigctxt *c, uintptr_t *lo, uintptr_t *hi) {
	*lo = (uintptr_t)c->uc;
	*hi = (uintptr_t)(c->uc + 1);
	uintptr_t fp = (uintptr_t)c->uc->uc_mcontext.fpregs;
	if (fp == 0)
		return;
	const uint32_t *sw = (const uint32_t *)(fp + 464);
	uintptr_t size = sw[0] == 0x46505853 ? sw[1] : 512; // FP_XSTATE_MAGIC1
	*lo = min(*lo, fp);
	*hi = max(*hi, fp + size);
}

// sigctxt_pushCall makes it look as if the code at resumePC had called targetPC, from below its red
// zone.
static void
sigctxt_pushCall(sigctxt *c, uintptr_t targetPC, uintptr_t resumePC) {
	uintptr_t sp = sigctxt_reg(c, REG_RSP) - 128 - 8;
	*(uintptr_t *)sp = resumePC;
	sigctxt_setreg(c, REG_RSP, sp);
	sigctxt_setreg(c, REG_RIP, targetPC);
}

// sigctxt_preparePanic makes it look as if the faulting instruction had called sigpanic.
static void
sigctxt_preparePanic(sigctxt *c, uint32_t sig, G *gp) {
	uintptr_t pc = sigctxt_reg(c, REG_RIP);
	uintptr_t sp = sigctxt_reg(c, REG_RSP);
	gp->sig = sig;
	gp->sigcode0 = (uintptr_t)(intptr_t)c->info->si_code;
	gp->sigcode1 = (uintptr_t)c->info->si_addr;
	gp->sigpc = pc;
	gp->sigsp = sp;
	c->uc->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)0x400; // the direction flag
	if (objectname(pc)[0] == 0 && sp % 16 == 8) {
		// A call of a wild pointer: the caller's return address is there already.
		sigctxt_setreg(c, REG_RIP, (uintptr_t)sigpanic);
		return;
	}
	uintptr_t nsp = alignDown(sp - 128, 16) - 8;
	*(uintptr_t *)nsp = pc;
	sigctxt_setreg(c, REG_RSP, nsp);
	sigctxt_setreg(c, REG_RIP, (uintptr_t)sigpanic);
}

// dumpregs prints the registers.
static void
dumpregs(const sigctxt *c) {
	static const struct {
		const char *name;
		int reg;
	} regs[] = {{"rax    ", REG_RAX}, {"rbx    ", REG_RBX}, {"rcx    ", REG_RCX},
		{"rdx    ", REG_RDX}, {"rdi    ", REG_RDI}, {"rsi    ", REG_RSI},
		{"rbp    ", REG_RBP}, {"rsp    ", REG_RSP}, {"r8     ", REG_R8},
		{"r9     ", REG_R9}, {"r10    ", REG_R10}, {"r11    ", REG_R11},
		{"r12    ", REG_R12}, {"r13    ", REG_R13}, {"r14    ", REG_R14},
		{"r15    ", REG_R15}, {"rip    ", REG_RIP}, {"rflags ", REG_EFL}};
	for (size_t i = 0; i < nelem(regs); i++)
		print("%s0x%lx\n", regs[i].name, (unsigned long)sigctxt_reg(c, regs[i].reg));
	uint64_t seg = sigctxt_reg(c, REG_CSGSFS);
	print("cs     0x%lx\n", (unsigned long)(seg & 0xffff));
	print("fs     0x%lx\n", (unsigned long)(seg >> 32 & 0xffff));
	print("gs     0x%lx\n", (unsigned long)(seg >> 16 & 0xffff));
}

// ---- preemption ---------------------------------------------------------------------------------------------------

// doSigPreempt handles a preemption signal that interrupted gp.
static void
doSigPreempt(G *gp, sigctxt *c, bool onaltstack) {
	uintptr_t newpc;
	uintptr_t pc = sigctxt_reg(c, REG_RIP);
	uintptr_t sp = sigctxt_reg(c, REG_RSP);
	if (onaltstack && wantAsyncPreempt(gp) && isAsyncSafePoint(gp, pc, sp, &newpc)) {
		sigctxt_setreg(c, REG_RIP, newpc);
		uintptr_t lo, hi;
		sigctxt_frame(c, &lo, &hi);
		if (inplacePreempt(gp, newpc, sp, sigctxt_reg(c, REG_RBP), lo, hi))
			sigctxt_pushCall(c, (uintptr_t)asyncPreempt, newpc);
	}
	// In this order: suspendG asks again once preemptGen has changed, and must not find a signal
	// pending then that will never come.
	M *mp = gp->m;
	atomic_Store(&mp->signalPending, 0);
	atomic_Xadd(&mp->preemptGen, 1);
}

// preemptM interrupts the thread of mp, unless a signal is on its way or the thread sits in the
// handler and only has to look.
void
preemptM(M *mp) {
	atomic_Fence(); // see inplace_unpublish
	G *gp = atomic_LoadRelaxed(&mp->curg);
	if (gp != NULL && atomic_Load(&gp->inplace) == inplaceScan) {
		inplacePoke(mp);
		return;
	}
	if (atomic_Cas(&mp->signalPending, 0, 1))
		signalM(mp, (int)sigPreempt);
}

// ---- the handler ------------------------------------------------------------------------------------------------------

// raise_default does what would have happened without the runtime.
static void
raise_default(uint32_t sig, uintptr_t handler) {
	uint64_t set = (uint64_t)1 << (sig - 1);
	runtime_sigprocmask(SIG_UNBLOCK, &set, NULL);
	setsig(sig, handler);
	runtime_raise(sig);
	// If the program survives it, the handler is ours again.
	runtime_usleep(1000);
	setsig(sig, (uintptr_t)sigtramp);
}

// sigfwd calls the handler that was there before.
static void
sigfwd(uintptr_t fn, uint32_t sig, const sigctxt *c) {
	((void (*)(int, siginfo_t *, void *))fn)((int)sig, c->info, c->uc);
}

// badsignal_pass sends a signal that asks for the state of everything on to a thread of the runtime,
// which can tell.  Not to one that waits in its handler, nor to one that has had it.
static bool
badsignal_pass(uint32_t sig) {
	for (M *mp = atomic_Load(&allm); mp != NULL; mp = mp->alllink) {
		G *gp = mp->curg;
		if (atomic_LoadRelaxed(&mp->procid) == 0 || mp->dying != 0 ||
			mp->throwing != throwTypeNone ||
			(mp->lockedg != NULL &&
				atomic_Load(&mp->lockedg->inplace) != inplaceNone) ||
			(gp != NULL && atomic_Load(&gp->inplace) != inplaceNone))
			continue;
		signalM(mp, (int)sig);
		return true;
	}
	return false;
}

// badsignal is for a thread that does not belong to the runtime.
static void
badsignal(uint32_t sig, const sigctxt *c) {
	int32_t flags = sigtable[sig].flags;
	uintptr_t h = atomic_Load(&fwdSig[sig]);
	if (sig == sigPreempt && (h == (uintptr_t)SIG_DFL || h == (uintptr_t)SIG_IGN))
		return;
	if (sig == SIGPROF) {
		sigprofNonGo(sigctxt_reg(c, REG_RIP), c->info->si_code);
		return;
	}
	if (sigsendhook != NULL && (flags & _SigNotify) != 0 && sigsendhook(sig))
		return;
	// A SIGQUIT that was ignored at the start is the runtime's all the same, on any thread: a shell
	// without job control ignores it for what it runs in the background.
	if (h == (uintptr_t)SIG_IGN && (flags & _SigThrow) != 0 && sigctxt_fromUser(c) &&
		badsignal_pass(sig))
		return;
	if (h == (uintptr_t)SIG_IGN || (h == (uintptr_t)SIG_DFL && (flags & _SigIgn) != 0))
		return;
	if (h != (uintptr_t)SIG_DFL) {
		sigfwd(h, sig, c);
		return;
	}
	if ((flags & (_SigKill | _SigThrow | _SigPanic)) == 0)
		return;
	if ((flags & _SigThrow) != 0 && sigctxt_fromUser(c) && badsignal_pass(sig))
		return;
	if ((flags & _SigPanic) != 0 && !sigctxt_fromUser(c)) {
		// The fault comes again when the handler returns.
		setsig(sig, h);
		return;
	}
	raise_default(sig, h);
}

// sigfwdgo forwards a signal that is none of the runtime's business, and reports whether it did.
static bool
sigfwdgo(uint32_t sig, const sigctxt *c, G *gp) {
	uintptr_t fwd = atomic_Load(&fwdSig[sig]);
	int32_t flags = sigtable[sig].flags;
	if (atomic_Load(&handlingSig[sig]) == 0) {
		if (fwd == (uintptr_t)SIG_IGN ||
			(fwd == (uintptr_t)SIG_DFL && (flags & _SigIgn) != 0))
			return true;
		if (fwd == (uintptr_t)SIG_DFL) {
			setsig(sig, (uintptr_t)SIG_DFL);
			dieFromSignal(sig);
		}
		sigfwd(fwd, sig, c);
		return true;
	}
	if (fwd == (uintptr_t)SIG_DFL)
		return false;
	if ((sigctxt_fromUser(c) || (flags & _SigPanic) == 0) && sig != SIGPIPE)
		return false;
	// A fault of the program on a goroutine is a panic; the rest is the old handler's.
	if (gp != NULL && gp->m != NULL && gp->m->curg != NULL)
		return false;
	if (fwd != (uintptr_t)SIG_IGN)
		sigfwd(fwd, sig, c);
	return true;
}

// fatalsignal prints the signal.
static void
fatalsignal(uint32_t sig, const sigctxt *c, M *mp) {
	uintptr_t pc = sigctxt_reg(c, REG_RIP);
	print("%s\n", sigtable[sig].name);
	if (isSecureMode())
		runtime_exit(2);
	print("PC=0x%lx m=%ld sigcode=%ld", (unsigned long)pc, (long)mp->id,
		(long)c->info->si_code);
	if (sig == SIGSEGV || sig == SIGBUS)
		print(" addr=0x%lx", (unsigned long)(uintptr_t)c->info->si_addr);
	print("\n");
	if ((sig == SIGILL || sig == SIGFPE) && objectname(pc)[0] != 0) {
		// Not beyond the page: the next one may not be there.
		uintptr_t n = min((uintptr_t)16, physPageSize - pc % physPageSize);
		print("instruction bytes:");
		for (uintptr_t i = 0; i < n; i++)
			print(" 0x%x", ((const uint8_t *)pc)[i]);
		print("\n");
	}
	print("\n");
}

// crash_relay makes every other M print its stack: SIGQUIT goes to one that has not had it, since
// those that had wait here with all signals blocked.  The first waits for the others and dumps core.
static void
crash_relay(void) {
	const int32_t crashSleepMicros = 5000;
	const int32_t watchdogTimeoutMicros = 2000 * crashSleepMicros;
	bool isCrashThread = atomic_Cas(&crashing, 0, 1);
	if (!isCrashThread)
		atomic_Xadd(&crashing, 1);
	if (atomic_Load(&crashing) < mcount()) {
		print("\n-----\n\n");
		runtime_raiseproc(SIGQUIT);
	}
	if (isCrashThread) {
		int32_t timeout = watchdogTimeoutMicros;
		int32_t most = atomic_Load(&crashing);
		while (timeout > 0 && atomic_Load(&crashing) < mcount()) {
			runtime_usleep((uint32_t)crashSleepMicros);
			timeout -= crashSleepMicros;
			int32_t n = atomic_Load(&crashing);
			if (n > most) {
				most = n;
				timeout = watchdogTimeoutMicros;
			}
		}
	} else {
		int32_t most = 0;
		for (int32_t n = atomic_Load(&crashing); n > most; n = atomic_Load(&crashing)) {
			most = n;
			runtime_usleep((uint32_t)watchdogTimeoutMicros);
		}
	}
	crash();
}

// stackoverflow_g0 is where a goroutine goes on that ran into the guard of its stack: on g0.
static void
stackoverflow_g0(G *gp) {
	setg(gp->m->g0);
	print("runtime: goroutine stack exceeds %lu-byte limit\n", (unsigned long)stack_limit(gp));
	print("runtime: sp=0x%lx stack=[0x%lx, 0x%lx]\n", (unsigned long)gp->sched.sp + 128,
		(unsigned long)gp->stack.lo, (unsigned long)gp->stack.hi);
	throw("stack overflow");
}

// sigstackoverflow reports whether the fault is a stack overflow of gp, and arranges for its report.
static bool
sigstackoverflow(sigctxt *c, G *gp) {
	M *mp = gp->m;
	if (gp != mp->curg || !stack_guardof(gp, (uintptr_t)c->info->si_addr))
		return false;
	gp->sched.pc = sigctxt_reg(c, REG_RIP);
	gp->sched.sp = sigctxt_reg(c, REG_RSP) - 128;
	gp->sched.bp = sigctxt_reg(c, REG_RBP);
	sigctxt_frame(c, &gp->sigframelo, &gp->sigframehi);
	uintptr_t sp = alignDown(mp->g0sp, 16) - 8;
	*(uintptr_t *)sp = 0; // no caller
	sigctxt_setreg(c, REG_RSP, sp);
	sigctxt_setreg(c, REG_RBP, 0);
	sigctxt_setreg(c, REG_RDI, (uintptr_t)gp);
	sigctxt_setreg(c, REG_RIP, (uintptr_t)stackoverflow_g0);
	c->uc->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)0x400;
	return true;
}

// sigpipe_kills reports whether a SIGPIPE came from a write to standard output or error: what Go's
// os.File does with EPIPE there.
static bool
sigpipe_kills(const sigctxt *c) {
	const uint8_t *pc = (const uint8_t *)sigctxt_reg(c, REG_RIP);
	uintptr_t fd = sigctxt_reg(c, REG_RDI);
	return (fd == 1 || fd == 2) && objectname((uintptr_t)pc)[0] != 0 && pc[-2] == 0x0f &&
	       pc[-1] == 0x05;
}

// sighandler handles a signal that interrupted gp.  On gsignal.
static void
sighandler(uint32_t sig, sigctxt *c, G *gp, bool onaltstack) {
	M *mp = getg()->m;

	if (sig == SIGPROF) {
		sigprof(sigctxt_reg(c, REG_RIP), sigctxt_reg(c, REG_RSP), sigctxt_reg(c, REG_RBP),
			gp, mp, c->info->si_code);
		return;
	}
	if (sig == sigPreempt && debug.asyncpreemptoff == 0) {
		doSigPreempt(gp, c, onaltstack);
		// It may have been somebody else's signal, too.
		if (sigsendhook == NULL)
			return;
	}

	int32_t flags = sigtable[sig].flags;
	bool fromUser = sigctxt_fromUser(c);
	if (!fromUser && (flags & _SigPanic) != 0) {
		uintptr_t sp = sigctxt_reg(c, REG_RSP);
		if ((sig == SIGSEGV || sig == SIGBUS) && sigstackoverflow(c, gp))
			return;
		// Only a goroutine can panic, and only on its own stack with some room left.
		if (gp != mp->curg || sp < gp->stack.lo + 1024 || sp > gp->stack.hi ||
			mp->dying != 0)
			flags = _SigThrow;
	}
	if (!fromUser && (flags & _SigPanic) != 0) {
		sigctxt_preparePanic(c, sig, gp);
		return;
	}
	if ((fromUser || (flags & _SigNotify) != 0) && sigsendhook != NULL && sigsendhook(sig))
		return;
	if (sig == SIGPIPE && sigpipe_kills(c))
		dieFromSignal(sig);
	if ((flags & _SigKill) != 0)
		dieFromSignal(sig);
	if ((flags & (_SigThrow | _SigPanic)) == 0)
		return;

	mp->throwing = throwTypeRuntime;
	mp->caughtsig = gp;
	if (atomic_Load(&crashing) == 0)
		startpanic_m();
	fatalsignal(sig, c, mp);

	bool all, docrash;
	int32_t level = gotraceback(&all, &docrash);
	if (level > 0) {
		goroutineheader(gp);
		tracebacktrap(sigctxt_reg(c, REG_RIP), sigctxt_reg(c, REG_RSP),
			sigctxt_reg(c, REG_RBP), gp);
		if (atomic_Load(&crashing) > 0 && gp != mp->curg && mp->curg != NULL &&
			(readgstatus(mp->curg) & ~(uint32_t)_Gscan) == _Grunning) {
			// The M that crashed first could not print this one.
			goroutineheader(mp->curg);
			traceback(~(uintptr_t)0, ~(uintptr_t)0, 0, mp->curg);
		} else if (atomic_Load(&crashing) == 0) {
			tracebackothers(gp);
			print("\n");
		}
		dumpregs(c);
	}
	if (docrash)
		crash_relay();
	runtime_exit(2);
}

// sigtramp_1 makes gsignal the current goroutine.
static void
sigtramp_1(int isig, siginfo_t *info, void *ctx) {
	int *errnop = __errno_location();
	int e = *errnop;
	uint32_t sig = (uint32_t)isig;
	sigctxt c = {info, ctx};
	G *gp = getg();
	if (unlikely(gp == NULL && sig == SIGSEGV && !sigctxt_fromUser(&c) &&
		     (uintptr_t)info->si_addr < sizeof(G) && isRuntimePC(sigctxt_reg(&c, REG_RIP))))
		foreigncall(); // looked for its goroutine
	if (sigfwdgo(sig, &c, gp)) {
		*errnop = e;
		return;
	}
	if (gp == NULL || gp->m == NULL || gp->m->gsignal == NULL) {
		badsignal(sig, &c);
		*errnop = e;
		return;
	}
	M *mp = gp->m;
	setg(mp->gsignal);
	// The program may have set another alternate stack, or none.
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
	stack was = mp->gsignal->stack;
	bool onaltstack = was.lo <= sp && sp < was.hi;
	if (!onaltstack)
		mp->gsignal->stack =
			(stack){alignDown(sp, 4096) - 4096, alignDown(sp, 4096) + 65536};
	sighandler(sig, &c, gp, onaltstack);
	mp->gsignal->stack = was;
	setg(gp);
	*errnop = e;
}

// sigtramp is the handler of all signals.
RACY static void
sigtramp(int isig, siginfo_t *info, void *ctx) {
	sigctxt c = {info, ctx};
	if (isig == SIGPROF && fiber_busy((uintptr_t)c.uc->uc_mcontext.gregs[REG_RIP]))
		return;
	sigtramp_1(isig, info, ctx);
}

// sigpanic turns a signal into a panic.  It looks as if the faulting instruction had called it.
void
sigpanic(void) {
	G *gp = getg();
	if (!canpanic())
		throw("unexpected signal during runtime execution");

	switch (gp->sig) {
	case SIGBUS:
		if (gp->sigcode0 == BUS_ADRERR && gp->sigcode1 < 0x1000)
			panicmem();
		print("unexpected fault address 0x%lx\n", (unsigned long)gp->sigcode1);
		throw("fault");
	case SIGSEGV:
		if ((gp->sigcode0 == 0 || gp->sigcode0 == SEGV_MAPERR ||
			    gp->sigcode0 == SEGV_ACCERR) &&
			gp->sigcode1 < 0x1000)
			panicmem();
		print("unexpected fault address 0x%lx\n", (unsigned long)gp->sigcode1);
		throw("fault");
	case SIGFPE:
		switch (gp->sigcode0) {
		case FPE_INTDIV:
			panicdivide();
		case FPE_INTOVF:
			panicoverflow();
		}
		panicfloat();
	}
	throw("unexpected signal value");
}

// ---- the end ----------------------------------------------------------------------------------------------------------

// dieFromSignal ends the process so that its parent sees the signal.
void
dieFromSignal(uint32_t sig) {
	uint64_t set = (uint64_t)1 << (sig - 1);
	atomic_Store(&handlingSig[sig], 0);
	setsig(sig, (uintptr_t)SIG_DFL);
	runtime_sigprocmask(SIG_UNBLOCK, &set, NULL);
	runtime_raise(sig);
	osyield();
	osyield();
	osyield();
	runtime_exit(2);
}

// crash dumps core.
void
crash(void) {
	dieFromSignal(SIGABRT);
}

// ---- threads -----------------------------------------------------------------------------------------------------------

// mpreinit maps the alternate stack: a guard, the stack, and above it the goroutine.
void
mpreinit(M *mp) {
	if (!initSigmaskSet) {
		initSigmaskSet = true;
		runtime_sigprocmask(SIG_SETMASK, NULL, &initSigmask);
	}
	uintptr_t need = getauxval(AT_MINSIGSTKSZ);
	if (need < 4096)
		need = 4096;
	uintptr_t size = alignUp(need + sigaltSize, physPageSize);
	uintptr_t total = physPageSize + size + alignUp(sizeof(gsignalBlock), physPageSize);
	int err;
	void *p = runtime_mmap(
		NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, &err);
	if (err != 0)
		throw("out of memory (signal stack)");
	runtime_mprotect(p, physPageSize, PROT_NONE);
	setVMAName(p, total, "gort signal stack");
	sysMemStat_add(&memstats.stacks_sys, (int64_t)total);
	atomic_Xadd(&gcController.mappedReady, (uint64_t)total);
	uintptr_t lo = (uintptr_t)p + physPageSize;
	gsignalBlock *b = (gsignalBlock *)(lo + size);
	b->old.ss_flags = SS_DISABLE;
	b->g.stack = (stack){lo, lo + size};
	b->g.stackguard0 = lo;
	b->g.m = mp;
	mp->gsignal = &b->g;
	mp->sigalt = (sigaltrange){lo, lo + size};
}

// blockableSig reports whether a thread of the runtime may have sig blocked.
static bool
blockableSig(uint32_t sig) {
	int32_t flags = sigtable[sig].flags;
	if ((flags & _SigUnblock) != 0)
		return false;
	if (sig == sigPreempt && debug.asyncpreemptoff == 0)
		return false;
	if (islibrary)
		return true;
	return (flags & (_SigKill | _SigThrow)) == 0;
}

// minit gives the thread its signal stack and mask.
void
minit(void) {
	M *mp = getg()->m;
	gsignalBlock *b = (gsignalBlock *)mp->gsignal;
	atomic_StoreRelaxed(&mp->procid, (uint64_t)runtime_gettid());
	stack_t st = {.ss_sp = (void *)mp->sigalt.lo, .ss_size = mp->sigalt.hi - mp->sigalt.lo};
	sys_call3(SYS_sigaltstack, &st, &b->old, 0);
	uint64_t mask = initSigmask;
	for (uint32_t i = 1; i < _NSIG_; i++) {
		if (!blockableSig(i))
			mask &= ~((uint64_t)1 << (i - 1));
	}
	runtime_sigprocmask(SIG_SETMASK, &mask, NULL);
}

// unminit gives the thread back the alternate stack that it had: a sanitizer's, for example, which
// the sanitizer frees when the thread ends.
void
unminit(void) {
	M *mp = getg()->m;
	gsignalBlock *b = (gsignalBlock *)mp->gsignal;
	stack_t st = b->old;
	st.ss_flags &= SS_DISABLE;
	sys_call3(SYS_sigaltstack, &st, 0, 0);
	atomic_StoreRelaxed(&mp->procid, (uint64_t)0);
}

// mdestroy unmaps the alternate stack.
void
mdestroy(M *mp) {
	if (mp->gsignal == NULL)
		return;
	uintptr_t lo = mp->sigalt.lo - physPageSize;
	uintptr_t end = mp->sigalt.hi + alignUp(sizeof(gsignalBlock), physPageSize);
	mp->gsignal = NULL;
	runtime_munmap((void *)lo, end - lo);
	sysMemStat_add(&memstats.stacks_sys, -(int64_t)(end - lo));
	atomic_Xadd(&gcController.mappedReady, -(uint64_t)(end - lo));
}

// sigblock_save blocks all signals but those that glibc and musl use among threads.
void
sigblock_save(uint64_t *old) {
	uint64_t all = ~((uint64_t)7 << 31); // 32, 33, 34
	runtime_sigprocmask(SIG_SETMASK, &all, old);
}

// msigrestore sets the mask.
void
msigrestore(uint64_t mask) {
	runtime_sigprocmask(SIG_SETMASK, &mask, NULL);
}
