// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Signals.  Ports signal_unix.go, signal_amd64.go, sigtab_linux_generic.go and the signal parts
// of os_linux.go.
#ifndef GORT_SCHED_SIGNAL_UNIX_H
#define GORT_SCHED_SIGNAL_UNIX_H

#include "runtime/runtime.h"

#include "sched/runtime2.h"

enum {
	_NSIG_ = 65,
	sigPreemptDefault = 23, // SIGURG
};

// sigTabT.flags
enum {
	_SigNotify = 1 << 0,   // let os/signal have it, if asked for
	_SigKill = 1 << 1,     // if nobody has it, exit quietly
	_SigThrow = 1 << 2,    // if nobody has it, exit loudly
	_SigPanic = 1 << 3,    // if the kernel sent it, panic
	_SigDefault = 1 << 4,  // if it is not asked for, do not monitor it
	_SigGoExit = 1 << 5,   // all goroutines exit (plan 9)
	_SigSetStack = 1 << 6, // do not install a handler, but add SA_ONSTACK to an existing one
	_SigUnblock = 1 << 7,  // always unblock
	_SigIgn = 1 << 8,      // the default action is to ignore it
};

typedef struct sigTabT {
	int32_t flags;
	const char *name;
} sigTabT;
extern const sigTabT sigtable[_NSIG_];

// sigPreempt is the signal that preempts: SIGURG unless an option says otherwise.
extern uint32_t sigPreempt;
// islibrary: the runtime lives inside a program that owns its signals (gort_start): handlers
// only for faults, SIGPIPE and preemption.
extern bool islibrary;

// signame is the text in "[signal SIGSEGV: segmentation violation code=...": NULL if unknown.
const char *signame(uint32_t sig);

// initsig installs the handlers.
void initsig(bool preinit);
void sigenable(uint32_t sig);
void sigdisable(uint32_t sig);
void runtime_sigignore(uint32_t sig);
void clearSignalHandlers(void);
// sigsendhook gets signals marked _SigNotify, in signal context, before anything else is done about
// them; it returns true if it took the signal.
extern bool (*sigsendhook)(uint32_t sig);
void setProcessCPUProfilerTimer(int32_t hz);

// preemptM asks mp to run its handler, or pokes it if it is waiting in there.
void preemptM(M *mp);
// signalM sends sig to the thread of mp.
// signalM (runtime/os_linux.h) sends sig to the thread of mp.

// mpreinit gives mp a gsignal goroutine with an alternate stack.  In the parent of the new thread.
void mpreinit(M *mp);
// minit: on the new thread, once g is set: thread id, alternate stack, signal mask.
void minit(void);
void unminit(void);
// mdestroy frees what mpreinit made.  By another thread, once that of mp is gone.
void mdestroy(M *mp);

// sigblock blocks all signals of this thread; *old gets the mask before.  Around thread creation.
void sigblock_save(uint64_t *old);
void msigrestore(uint64_t mask);

_Noreturn void dieFromSignal(uint32_t sig);
// crash ends the process by SIGABRT, for a core dump.
_Noreturn void crash(void);
// sigpanic is what a fault of user code turns into.
void sigpanic(void);

#endif
