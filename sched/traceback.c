// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Stack traces.  Ports traceback.go of Go 1.26.8.
//
// Go unwinds by tables that know the frame size at each pc.  C has them too, for exceptions and
// debuggers (traceback_cfi.c); they need the exact sp to start from.  Where there is none, or no table,
// the frame pointer does it: the runtime is compiled with -fno-omit-frame-pointer, and so, by gort.pc,
// is the program.  The chain
//
//	fp -> | caller's fp | return address | ... caller's frame ...
//
// is followed as long as it goes up and stays inside the goroutine's stack, so that a wrong pointer
// ends a trace and does not end the process.  The entry of a goroutine has fp 0.  What is called in
// normal operation (callers) uses the frame pointer only.
//
// A goroutine that was interrupted (a fault, or a stop in place) may be where the chain does not tell
// the innermost caller: before a function has pushed its frame.  If no table helps there,
// unwinder_trapcaller looks at the code, and searches the stack for a return address.
//
// PORT: no arguments are printed, C has no tables of them.
#include "sched/traceback.h"

#include "runtime/os_linux.h"
#include "runtime/print.h"
#include "runtime/runtime1.h"
#include "sched/pprof.h"
#include "sched/preempt.h"
#include "sched/proc.h"
#include "sched/signal_unix.h"
#include "sched/stack.h"
#include "sched/traceback_cfi.h"

enum { funcNameMax = 160, fileNameMax = 512 };

// ---- the unwinder ---------------------------------------------------------------------------------------

// frame_in reports whether a frame at fp lies in [lo, hi).
static inline bool
frame_in(uintptr_t fp, uintptr_t lo, uintptr_t hi) {
	return fp >= lo && fp < hi && hi - fp >= 16 && fp % 8 == 0;
}

// frame_ok reports whether fp is a frame of the stack.
static bool
frame_ok(const unwinder *u, uintptr_t fp) {
	return fp >= u->sp && frame_in(fp, u->stk.lo, u->stk.hi);
}

// iscallsite reports whether a call instruction ends at pc.  pc is in text that is mapped.
static bool
iscallsite(uintptr_t pc) {
	const uint8_t *p = (const uint8_t *)pc;
	if (p[-5] == 0xe8)
		return true; // call rel32
	if (p[-6] == 0xff && p[-5] == 0x15)
		return true; // call *rel32(%rip)
	if (p[-2] == 0xff && (p[-1] & 0xf8) == 0xd0)
		return true; // call *reg
	if (p[-3] == 0xff && ((p[-2] & 0xf8) == 0x50))
		return true;                            // call *disp8(reg)
	return p[-6] == 0xff && (p[-5] & 0xf8) == 0x90; // call *disp32(reg)
}

// unwinder_trapcaller finds where the return address of an interrupted function is, if it has no
// frame yet or any more: sets u->callersp.
WILD static void
unwinder_trapcaller(unwinder *u) {
	uintptr_t sp = u->sp;
	if (!frame_in(sp, u->stk.lo, u->stk.hi))
		return;
	funcInfo f = findfunc(u->pc);
	if (!funcInfo_valid(f)) {
		// A jump to nowhere: a call of a NULL function.
		if (objectname(u->pc)[0] == 0)
			u->callersp = sp;
	} else {
		const uint8_t *e = (const uint8_t *)f.entry;
		uintptr_t off = u->pc - f.entry;
		uintptr_t k = 0;
		if (e[0] == 0xf3 && e[1] == 0x0f && e[2] == 0x1e && e[3] == 0xfa)
			k = 4; // endbr64
		if (off <= k || *(const uint8_t *)u->pc == 0xc3) {
			u->callersp = sp;
			return;
		}
		if (e[k] == 0x55 && e[k + 1] == 0x48 && e[k + 2] == 0x89 && e[k + 3] == 0xe5) {
			if (off == k + 1)
				u->callersp = sp + 8;
			return; // push %rbp; mov %rsp, %rbp: there is a frame
		}
	}
	if (u->callersp != 0)
		return;
	// A leaf, or no frame pointers here.  What looks like a return address into a function with a
	// name in the program is the caller, most probably.
	uintptr_t limit = min(u->stk.hi - 8, sp + 8192);
	for (uintptr_t p = sp; p <= limit; p += 8) {
		uintptr_t v = *(const uintptr_t *)p;
		if (v < 4096 ||
			!(isRuntimePC(v) || memcmp(objectname(v), "/proc/self/exe", 14) == 0))
			continue;
		if (funcInfo_valid(findfunc(v - 1)) && iscallsite(v)) {
			u->callersp = p;
			if (u->fp < p)
				u->fp = 0;
			return;
		}
	}
}

// unwinder_initAt: see traceback.h.
WILD void
unwinder_initAt(unwinder *u, uintptr_t pc, uintptr_t sp, uintptr_t bp, G *gp, bool trap) {
	memset(u, 0, sizeof *u);
	u->stk = gp->stack;
	u->g = gp;
	if (pc == ~(uintptr_t)0) {
		if (gp->stack.lo == 0) {
			u->pc = gp->startpc; // has not run
			u->trap = true;
			return;
		}
		if (gp->syscallsp != 0) {
			pc = gp->syscallpc;
			sp = gp->syscallsp;
			bp = gp->syscallbp;
			trap = false;
		} else {
			pc = gp->sched.pc;
			sp = gp->sched.sp;
			bp = gp->sched.bp;
			trap = gp->sigframelo != 0;
			if (trap)
				sp += 128; // what was published is below the red zone
		}
	}
	u->pc = pc;
	u->sp = sp;
	u->trap = trap;
	// sp is what getcallersp gave: the callee's frame lies under it.
	if (bp == 0 && !trap && sp >= gp->stack.lo + 16 && sp <= gp->stack.hi && sp % 8 == 0)
		bp = *(const uintptr_t *)(sp - 16);
	u->fp = bp;
	if (trap) {
		u->exact = true;
	} else if (frame_ok(u, bp) && ((const uintptr_t *)bp)[1] == pc) {
		// bp is the frame of the function that was called at pc: step over it.
		u->fp = *(const uintptr_t *)bp;
		u->sp = bp + 16;
		u->exact = true;
	} else if (sp >= gp->stack.lo + 8 && sp <= gp->stack.hi && sp % 8 == 0) {
		u->exact = *(const uintptr_t *)(sp - 8) == pc;
	}
}

bool
unwinder_valid(const unwinder *u) {
	return u->pc != 0;
}

// unwinder_step moves to the caller of an ordinary call.
WILD static void
unwinder_step(unwinder *u) {
	if (u->exact && u->callersp == 0) {
		const uint8_t *cfi = objectcfi(u->pc);
		cfiRegs r = {u->pc, u->sp, u->fp};
		if (cfi != NULL && cfi_step(cfi, &r, unwinder_symPC(u), u->stk.lo, u->stk.hi)) {
			u->pc = r.pc;
			u->sp = r.sp;
			u->fp = r.bp;
			u->trap = false;
			return;
		}
		if (u->trap)
			unwinder_trapcaller(u);
	}
	u->trap = false;
	if (u->callersp != 0) {
		u->pc = *(const uintptr_t *)u->callersp;
		u->sp = u->callersp + 8;
		u->callersp = 0;
		u->exact = true;
	} else if (frame_ok(u, u->fp)) {
		const uintptr_t *fp = (const uintptr_t *)u->fp;
		u->pc = fp[1];
		u->sp = u->fp + 16;
		u->fp = fp[0];
		u->exact = true;
	} else {
		u->pc = 0;
	}
}

// unwinder_next moves to the caller.
void
unwinder_next(unwinder *u) {
	uintptr_t was = u->pc;
	unwinder_step(u);
	if (u->pc == 0 || !isRuntimePC(was))
		return;
	// The caller of an injected call was interrupted; the red zone lies between.
	uintptr_t entry = findfunc(was - 1).entry;
	if (entry == (uintptr_t)asyncPreempt || entry == (uintptr_t)sigpanic) {
		u->trap = true;
		u->exact = true;
		if (entry == (uintptr_t)sigpanic) {
			u->sp = u->g->sigsp;
			if (u->pc != u->g->sigpc) {
				// The return address of a call of a wild pointer.
				u->trap = false;
				u->sp += 8;
			}
		}
	}
}

// unwinder_symPC backs up into the call instruction.
uintptr_t
unwinder_symPC(const unwinder *u) {
	return u->trap ? u->pc : u->pc - 1;
}

// ---- printing ------------------------------------------------------------------------------------------------

// isExportedRuntime reports whether a runtime function is one that Go programs can call.
static bool
isExportedRuntime(const char *name) {
	if (strncmp(name, "runtime.", 8) != 0)
		return false;
	name += 8;
	const char *dot = strrchr(name, '.');
	if (dot != NULL) {
		const char *rcvr = name;
		if (rcvr[0] == '(' && rcvr[1] == '*')
			rcvr += 2;
		if (*rcvr < 'A' || *rcvr > 'Z')
			return false;
		name = dot + 1;
	}
	return *name >= 'A' && *name <= 'Z';
}

// showfuncinfo reports whether a function is shown to people who did not ask for the runtime.
static bool
showfuncinfo(const char *name, bool firstFrame) {
	bool all, crash_;
	if (gotraceback(&all, &crash_) > 1)
		return true;
	// The work of the finalizer goroutine is the program's.
	if (strcmp(name, "runtime.runFinalizers") == 0 || strcmp(name, "runtime.runCleanups") == 0)
		return true;
	// The border between the program and deferred calls that a panic runs.
	if (strcmp(name, "runtime.gopanic") == 0 && !firstFrame)
		return true;
	return strchr(name, '.') != NULL &&
	       (strncmp(name, "runtime.", 8) != 0 || isExportedRuntime(name));
}

// showframe is the same for a frame of gp: a fault of the runtime shows all of the one at fault.
static bool
showframe(const char *name, G *gp, bool firstFrame) {
	M *mp = getg()->m;
	if (mp->throwing >= throwTypeRuntime && gp != NULL &&
		(gp == mp->curg || gp == mp->caughtsig))
		return true;
	return showfuncinfo(name, firstFrame);
}

// printpos prints the second line of a frame, but for its end: file and line.
static void
printpos(const char *file, int line, uintptr_t sympc) {
	if (file[0] != 0)
		print("\t%s:%d", file, line);
	else
		print("\t%s", objectname(sympc)[0] != 0 ? objectname(sympc) : "?");
}

// printcreatedby prints what created gp, unless it is the main goroutine.
void
printcreatedby(G *gp) {
	char name[funcNameMax];
	uintptr_t pc = gp->gopc;
	funcInfo f = pc == 0 ? (funcInfo){0} : findfunc(pc - 1);
	if (!funcInfo_valid(f) || gp->goid == 1)
		return;
	funcname(f, name, sizeof name);
	if (!showframe(name, gp, false))
		return;
	print("created by %s", name);
	if (gp->parentGoid != 0)
		print(" in goroutine %lu", (unsigned long)gp->parentGoid);
	print("\n");
	char file[fileNameMax];
	int line = 0;
	uintptr_t tracepc = pc > f.entry ? pc - 1 : pc;
	if (!funcline(tracepc, file, sizeof file, &line))
		file[0] = 0;
	printpos(file, line, tracepc);
	if (pc > f.entry)
		print(" +0x%lx", (unsigned long)(pc - f.entry));
	print("\n");
}

// printframe prints a frame of gp, one that was not inlined with its place in the function.
static void
printframe(const unwinder *u, G *gp, const symFrame *fr, bool details) {
	print("%s(...)\n", strcmp(fr->func, "runtime.gopanic") == 0 ? "panic" : fr->func);
	printpos(fr->file, fr->line, unwinder_symPC(u));
	if (!fr->inlined) {
		if (u->pc > fr->entry)
			print(" +0x%lx", (unsigned long)(u->pc - fr->entry));
		if (details ||
			(gp->m != NULL && gp->m->throwing >= throwTypeRuntime && gp == gp->m->curg))
			print(" fp=0x%lx sp=0x%lx pc=0x%lx", (unsigned long)u->fp,
				(unsigned long)u->sp, (unsigned long)u->pc);
	}
	print("\n");
}

// traceback2 prints at most limit frames from u after skipping skip, and returns how many it
// skipped or printed; *lastN is how many of them are of the frame at which it stopped.
static int
traceback2(unwinder *u, G *gp, bool showRuntime, int skip, int limit, int *lastN) {
	int n = 0;
	bool all, crash_;
	int32_t level = gotraceback(&all, &crash_);
	symFrame fr;
	for (; unwinder_valid(u); unwinder_next(u)) {
		uintptr_t sympc = unwinder_symPC(u);
		bool known = symframe(sympc, 0, &fr);
		*lastN = 0;
		for (int k = 0; k == 0 || symframe(sympc, k, &fr); k++) {
			if (!showRuntime && known && !showframe(fr.func, gp, n == 0))
				continue;
			if (skip == 0 && limit == 0)
				return n;
			n++;
			++*lastN;
			if (skip > 0) {
				skip--;
				continue;
			}
			limit--;
			if (!known) {
				print("non-Go function at pc=0x%lx\n", (unsigned long)u->pc);
				break;
			}
			printframe(u, gp, &fr, level >= 2);
		}
	}
	*lastN = 0;
	return n;
}

// tracebackWithRuntime prints the innermost frames and, after a gap, the outermost.  The stack is
// walked twice only beyond the first.
static int
tracebackWithRuntime(uintptr_t pc, uintptr_t sp, uintptr_t bp, G *gp, bool trap, bool showRuntime) {
	const int maxInt = 0x7fffffff;
	unwinder u;
	unwinder_initAt(&u, pc, sp, bp, gp, trap);
	int lastN, lastN2;
	int n = traceback2(&u, gp, showRuntime, 0, tracebackInnerFrames, &lastN);
	if (n < tracebackInnerFrames)
		return n;
	unwinder u2 = u;
	int remaining = traceback2(&u, gp, showRuntime, maxInt, 0, &lastN2);
	int elide = remaining - lastN - tracebackOuterFrames;
	if (elide > 0)
		print("...%d frames elided...\n", elide);
	traceback2(&u2, gp, showRuntime, lastN + max(elide, 0), tracebackOuterFrames, &lastN2);
	return n;
}

static void
traceback1(uintptr_t pc, uintptr_t sp, uintptr_t bp, G *gp, bool trap) {
	if ((readgstatus(gp) & ~(uint32_t)_Gscan) == _Gsyscall && gp->syscallsp != 0) {
		// What runs there is not ours.
		pc = gp->syscallpc;
		sp = gp->syscallsp;
		bp = gp->syscallbp;
		trap = false;
	}
	// If without the runtime's frames there is nothing, show them.
	if (tracebackWithRuntime(pc, sp, bp, gp, trap, false) == 0)
		tracebackWithRuntime(pc, sp, bp, gp, trap, true);
	printcreatedby(gp);
}

// traceback: see traceback.h.
void
traceback(uintptr_t pc, uintptr_t sp, uintptr_t bp, G *gp) {
	traceback1(pc, sp, bp, gp, false);
}

// tracebacktrap: see traceback.h.
void
tracebacktrap(uintptr_t pc, uintptr_t sp, uintptr_t bp, G *gp) {
	traceback1(pc, sp, bp, gp, true);
}

// ---- program counters ------------------------------------------------------------------------------------------

// callers walks from its own frame.  On g0 the chain goes on on the goroutine's stack: systemstack
// links them.
WILD int
callers(int skip, uintptr_t *pcbuf, int npcbuf) {
	G *gp = getg();
	M *mp = gp->m;
	uintptr_t fp = (uintptr_t)__builtin_frame_address(0);
	uintptr_t low = fp;
	stack stk = gp->stack;
	int n = 0;
	while (n < npcbuf) {
		if (fp < low || !frame_in(fp, stk.lo, stk.hi)) {
			G *curg = mp->curg;
			if (curg == NULL || stk.lo == curg->stack.lo ||
				!frame_in(fp, curg->stack.lo, curg->stack.hi))
				break;
			stk = curg->stack;
		}
		const uintptr_t *p = (const uintptr_t *)fp;
		if (p[1] == 0)
			break;
		if (skip > 0)
			skip--;
		else
			pcbuf[n++] = p[1];
		low = fp + 16;
		fp = p[0];
		if (fp == 0)
			break;
	}
	return n;
}

// unwinder_pcs stores return addresses, also for frames that were interrupted: +1.
static int
unwinder_pcs(unwinder *u, int skip, uintptr_t *pcbuf, int npcbuf) {
	int n = 0;
	for (; n < npcbuf && unwinder_valid(u); unwinder_next(u)) {
		if (skip > 0)
			skip--;
		else
			pcbuf[n++] = unwinder_symPC(u) + 1;
	}
	return n;
}

// gcallers: see traceback.h.
int
gcallers(G *gp, int skip, uintptr_t *pcbuf, int npcbuf) {
	unwinder u;
	unwinder_initAt(&u, ~(uintptr_t)0, 0, 0, gp, false);
	return unwinder_pcs(&u, skip, pcbuf, npcbuf);
}

// sigcallers: see traceback.h.
int
sigcallers(G *gp, uintptr_t pc, uintptr_t sp, uintptr_t bp, uintptr_t *pcbuf, int npcbuf) {
	unwinder u;
	unwinder_initAt(&u, pc, sp, bp, gp, true);
	return unwinder_pcs(&u, 0, pcbuf, npcbuf);
}

// ---- goroutines -----------------------------------------------------------------------------------------------

static const char *const gStatusStrings[] = {
	[_Gidle] = "idle",
	[_Grunnable] = "runnable",
	[_Grunning] = "running",
	[_Gsyscall] = "syscall",
	[_Gwaiting] = "waiting",
	[_Gdead] = "dead",
	[_Gpreempted] = "preempted",
};

// printlabels prints the labels of a goroutine if GODEBUG=tracebacklabels=1 asks for them.
static void
printlabels(const struct gort_labels *l) {
	if (l == NULL || atomic_Load(&debug.tracebacklabels) != 1)
		return;
	print(" labels:{");
	for (int i = 0; i < l->n; i++) {
		printquoted(l->list[i].key);
		print(": ");
		printquoted(l->list[i].value);
		if (i < l->n - 1)
			print(", ");
	}
	print("}");
}

// goroutineheader prints the first line of a goroutine's trace.
void
goroutineheader(G *gp) {
	bool all, crash_;
	int32_t level = gotraceback(&all, &crash_);
	uint32_t gpstatus = readgstatus(gp);
	bool isScan = (gpstatus & _Gscan) != 0;
	gpstatus &= ~(uint32_t)_Gscan;

	const char *status = "???";
	if (gpstatus < nelem(gStatusStrings) && gStatusStrings[gpstatus] != NULL)
		status = gStatusStrings[gpstatus];
	if (gpstatus == _Gwaiting && gp->waitreason != waitReasonZero)
		status = waitReason_String(gp->waitreason);

	int64_t waitfor = 0; // minutes
	if ((gpstatus == _Gwaiting || gpstatus == _Gsyscall) && gp->waitsince != 0)
		waitfor = (nanotime() - gp->waitsince) / (60 * (int64_t)1000000000);
	print("goroutine %lu", (unsigned long)gp->goid);
	if ((gp->m != NULL && gp->m->throwing >= throwTypeRuntime && gp == gp->m->curg) ||
		level >= 2) {
		print(" gp=%p", (void *)gp);
		if (gp->m != NULL)
			print(" m=%ld mp=%p", (long)gp->m->id, (void *)gp->m);
		else
			print(" m=nil");
	}
	print(" [%s", status);
	if (isScan)
		print(" (scan)");
	if (waitfor >= 1)
		print(", %ld minutes", (long)waitfor);
	// PORT: a goroutine stopped in place is tied to its thread too, but did not ask for it.
	if (gp->lockedm != NULL && gp->inplace == inplaceNone)
		print(", locked to thread");
	printlabels(gp->labels);
	print("]:\n");
}

struct tracebackothers_args {
	G *me;
	G *curgp;
	int32_t level;
};

static void
tracebackothers_1(G *gp, void *arg) {
	struct tracebackothers_args *a = arg;
	if (gp == a->me || gp == a->curgp)
		return;
	uint32_t status = readgstatus(gp) & ~(uint32_t)_Gscan;
	if (status == _Gdead || status == _Gidle)
		return;
	if (isSystemGoroutine(gp, false) && a->level < 2)
		return;
	print("\n");
	goroutineheader(gp);
	// A goroutine that left the P of this M to run on g0 is running too, but stands still.
	if (gp->m != getg()->m && status == _Grunning && gp->syscallsp == 0 &&
		gp->inplace == inplaceNone) {
		print("\tgoroutine running on other thread; stack unavailable\n");
		printcreatedby(gp);
	} else {
		traceback(~(uintptr_t)0, ~(uintptr_t)0, 0, gp);
	}
}

// tracebackothers prints all goroutines but me.  Without locks: this may be the end of the process.
void
tracebackothers(G *me) {
	bool all, crash_;
	struct tracebackothers_args a = {
		.me = me,
		.curgp = getg()->m->curg,
		.level = gotraceback(&all, &crash_),
	};
	if (a.curgp != NULL && a.curgp != me) {
		print("\n");
		goroutineheader(a.curgp);
		traceback(~(uintptr_t)0, ~(uintptr_t)0, 0, a.curgp);
	}
	forEachGRace(tracebackothers_1, &a);
}

// isSystemGoroutine: who made the goroutine says so.
bool
isSystemGoroutine(G *gp, bool fixed) {
	(void)fixed;
	return gp->issystem;
}
