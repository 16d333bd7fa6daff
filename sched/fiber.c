// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Stack switches in builds with ASan or TSan.  Empty otherwise.
//
// The functions of asm_amd64.S that change stacks are called asm_... in these builds, and the ones
// here have their names.  Each tells the sanitizer before the change where it goes, and after it
// that it has arrived.
//
// No goroutine may be stopped in place inside the sanitizer: the runtime may have called it, with a P
// in a register.  Where the sanitizer is a part of the program goroutines are stopped by polling alone.
//
// Nor may a handler that TSan watches interrupt TSan, whose locks the thread may hold.  If TSan is a part
// of the program it comes before all that it watches: the compiler links it first.  So SIGPROF is
// ignored there, and in libc, and profiles have what is left.
//
// TSan's fibers cost 0.8 ms each and there may be about 8,000, so a fiber belongs to a G and not to
// a goroutine.  Functions on g0 never return, which would fill TSan's shadow of the call stack: the
// library has to be compiled without its hooks at function entry and exit.
#include "sched/fiber.h"

#ifdef GORT_FIBERS

#	include <dlfcn.h>
#	include <link.h>
#	include <sys/auxv.h>

#	include "runtime/runtime1.h"
#	include "sched/proc.h"
#	include "sched/symtab.h"

#	ifdef GORT_ASAN
#		include <sanitizer/asan_interface.h>
#		include <sanitizer/common_interface_defs.h>
#	endif
#	ifdef GORT_TSAN
#		include <sanitizer/tsan_interface.h>
#	endif

#	define PLAIN __attribute__((noinline, no_sanitize("address", "thread")))

void asm_mcall(void (*fn)(G *));
_Noreturn void asm_gogo(G *gp);
_Noreturn void asm_gostart(G *gp, const gort_call *call);
void asm_systemstack(void (*fn)(void *), void *arg);

// The sanitizer's text, and the program's: goroutines are stopped only there, since what is elsewhere
// (libc, the dynamic linker) may have been called by the sanitizer with a lock of its own.
static struct textrange {
	uintptr_t lo;
	uintptr_t hi;
} sanitizertext, programtext;

struct findtext_args {
	uintptr_t addr;
	struct textrange *to;
};

// fiber_findtext looks whether an address is in an object's text, and takes down where that is.
PLAIN static int
fiber_findtext(struct dl_phdr_info *info, size_t size, void *arg) {
	struct findtext_args *args = arg;
	uintptr_t lo = 0, hi = 0;
	bool found = false;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uintptr_t begin = info->dlpi_addr + ph->p_vaddr;
		if (ph->p_type != PT_LOAD || (ph->p_flags & PF_X) == 0)
			continue;
		lo = lo == 0 ? begin : min(lo, begin);
		hi = max(hi, begin + ph->p_memsz);
		found |= args->addr - begin < ph->p_memsz;
	}
	if (found) {
		args->to->lo = lo;
		args->to->hi = hi;
	}
	return found;
}

PLAIN void
fiber_init(void) {
	void *addr = dlsym(RTLD_DEFAULT, "__asan_init");
	if (addr == NULL)
		addr = dlsym(RTLD_DEFAULT, "__tsan_init");
	dl_iterate_phdr(fiber_findtext, &(struct findtext_args){(uintptr_t)addr, &sanitizertext});
	uintptr_t own = (uintptr_t)fiber_findtext;
	dl_iterate_phdr(fiber_findtext, &(struct findtext_args){own, &programtext});
	if (sanitizertext.hi == 0 || own - sanitizertext.lo < sanitizertext.hi - sanitizertext.lo)
		debug.asyncpreemptoff = 1;
#	ifdef GORT_TSAN
	// Its own functions, not those that programs may define for it.
	uintptr_t end = max(funcsend((uintptr_t)addr, "_ZN6__tsan"),
		funcsend((uintptr_t)addr, "_ZN11__sanitizer"));
	if (end != 0)
		sanitizertext.hi = end;
#	endif
}

PLAIN bool
fiber_inside(M *mp, uintptr_t pc) {
	return mp->insanitizer || pc - programtext.lo >= programtext.hi - programtext.lo;
}

#	ifdef GORT_TSAN
PLAIN bool
fiber_busy(uintptr_t pc) {
	return pc - programtext.lo >= programtext.hi - programtext.lo ||
	       pc - sanitizertext.lo < sanitizertext.hi - sanitizertext.lo;
}
#	endif

enum { g0window = 32 << 10 }; // bytes of g0's stack in which frames are left behind

// leaving says that the thread is about to go on on the stack of to.  save keeps what belongs to the
// stack it leaves; NULL: it does not come back to the frames there.
PLAIN static void
leaving(void **save, G *to) {
#	ifdef GORT_ASAN
	M *mp = to->m;
	mp->insanitizer = true;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	__sanitizer_start_switch_fiber(save, (void *)to->stack.lo, to->stack.hi - to->stack.lo);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	mp->insanitizer = false;
#	endif
#	ifdef GORT_TSAN
	M *mp = to->m;
	if (to == mp->g0) {
		__tsan_switch_to_fiber(mp->fiber, 0);
	} else {
		if (to->fiber == NULL)
			to->fiber = __tsan_create_fiber(0);
		__tsan_switch_to_fiber(to->fiber, 0);
	}
#	endif
}

// arrived says that it has.
PLAIN static void
arrived(void *save) {
#	ifdef GORT_ASAN
	M *mp = getg()->m;
	mp->insanitizer = true;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	__sanitizer_finish_switch_fiber(save, NULL, NULL);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	mp->insanitizer = false;
#	endif
}

PLAIN void
fiber_leave_thread(M *mp) {
#	ifdef GORT_ASAN
	__sanitizer_start_switch_fiber(
		NULL, (void *)mp->g0->stack.lo, mp->g0->stack.hi - mp->g0->stack.lo);
#	endif
}

PLAIN void
fiber_enter_g0(void) {
	arrived(NULL);
}

PLAIN void
fiber_minit(M *mp) {
#	ifdef GORT_TSAN
	mp->fiber = __tsan_get_current_fiber();
#	endif
}

// g0arrived is the first thing on g0: frames that were left behind are no frames any more.
PLAIN static void
g0arrived(M *mp) {
	arrived(mp->fakestack);
	mp->fakestack = NULL;
#	ifdef GORT_ASAN
	__asan_unpoison_memory_region((void *)(mp->g0sp - g0window), g0window);
#	endif
}

PLAIN static void
mcall_1(G *gp) {
	M *mp = getg()->m;

	g0arrived(mp);
	mp->mcallfn(gp);
	badmcall2();
}

PLAIN void
mcall(void (*fn)(G *)) {
	G *gp = getg();
	M *mp = gp->m;

	if (gp == mp->g0)
		badmcall();
	mp->mcallfn = fn;
	leaving(&gp->fakestack, mp->g0);
	asm_mcall(mcall_1);
	arrived(gp->fakestack);
}

PLAIN void
gogo(G *gp) {
	leaving(NULL, gp);
	asm_gogo(gp);
}

// fiber_start is what a goroutine runs first in these builds.
PLAIN static void
fiber_start(void) {
	G *gp = getg();
	gort_call call = gp->startcall;

	arrived(NULL);
	gp->startcall.fn = NULL;
	call_run(&call);
}

PLAIN void
gostart(G *gp, const gort_call *call) {
	gort_call start = {.fn = (void *)fiber_start};

#	ifdef GORT_ASAN
	__asan_unpoison_memory_region((void *)gp->stack.lo, gp->stack.hi - gp->stack.lo);
#	endif
	leaving(NULL, gp);
	asm_gostart(gp, &start);
}

struct systemstack_args {
	void (*fn)(void *);
	void *arg;
	G *gp;
};

PLAIN static void
systemstack_1(void *a) {
	struct systemstack_args *args = a;
	M *mp = getg()->m;

	g0arrived(mp);
	args->fn(args->arg);
	leaving(NULL, args->gp);
}

PLAIN void
systemstack(void (*fn)(void *), void *arg) {
	G *gp = getg();
	M *mp = gp->m;

	if (gp == mp->g0 || gp == mp->gsignal) {
		fn(arg);
		return;
	}
	struct systemstack_args args = {fn, arg, gp};
	void *save = NULL;
	leaving(&save, mp->g0);
	asm_systemstack(systemstack_1, &args);
	arrived(save);
}

#endif
