// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Stacks in traces.  Ports tracestack.go of Go 1.26.8.
//
// An event takes the return addresses along the frame pointers, and nothing else: the table makes a
// number of them, and names are looked up once for each stack when the generation ends.
//
// PORT: what is at the top is decided then, by names: the functions that all events of a kind have in
// common are left out whether the compiler inlined them, called or jumped to them; see traceSkipAPI.
// At the bottom Go drops goexit, and runtime.main of the main goroutine; here a goroutine of the
// program ends with the program's own function.  Text compiled without frame pointers may cut the
// walk short: then the goroutine's own function is put at the bottom all the same, as that is what
// tools name it by.
#include "sched/preempt.h"
#include "sched/symtab.h"
#include "sched/trace.h"
#include "sched/traceback.h"

enum {
	maxStackPCs = MaxFramesPerStack + 16, // some of the runtime's own are left out
	maxInline = 24,                       // frames of one pc
};

static const uint64_t hashMul = 0x9e3779b97f4a7c15; // odd: a step of the hash loses nothing

extern const char goroutine_root[]; // asm_amd64.S

// isRoot reports whether pc is the return address into the entry of all goroutines.
static inline bool
isRoot(uintptr_t pc) {
	return pc - (uintptr_t)goroutine_root < 256;
}

// trimRoot drops what is below the goroutine's function, and puts that function there if the walk did
// not get so far.
static int
trimRoot(G *gp, uintptr_t *pcs, int n, int cap) {
	if (n == 0)
		return 0;
	if (isRoot(pcs[n - 1]))
		n--;
	else if (n < cap)
		pcs[n++] = gp->startpc + 1;
#if defined(GORT_ASAN) || defined(GORT_TSAN)
	// fiber_start and call_run.
	for (int i = 0; i < 2 && n > 1; i++) {
		funcInfo f = findfunc(pcs[n - 1] - 1);
		if (f.entry == 0 ||
			(strcmp(f.name, "fiber_start") != 0 && strcmp(f.name, "call_run") != 0))
			break;
		n--;
	}
#endif
	if (!gp->issystem) {
		int m = n;
		while (m > 0 && isRuntimePC(pcs[m - 1] - 1))
			m--;
		if (m > 0)
			n = m;
	}
	return n;
}

// fpHash mixes the return addresses that fpTracebackPCs would collect into h, and those beyond if it ends
// for another reason than the bounds.
WILD static uint64_t
fpHash(uint64_t h, uintptr_t fp, uintptr_t lo, uintptr_t hi) {
	int n = maxStackPCs;

	while (fp >= lo && fp <= hi - 2 * PtrSize && n-- > 0) {
		h = (h ^ ((const uintptr_t *)fp)[1]) * hashMul;
		lo = fp + 2 * PtrSize;
		fp = ((const uintptr_t *)fp)[0];
	}
	return h;
}

// traceStackPut puts a stack that the M has not seen lately into the table.
static NOINLINE uint64_t
traceStackPut(int skip, G *gp, uintptr_t gen, uintptr_t pc, uintptr_t fp, uintptr_t lo) {
	uintptr_t buf[1 + maxStackPCs];
	uintptr_t *pcs = buf + 1;
	int n = 0;

	buf[0] = (uintptr_t)skip;
	if (pc != 0)
		pcs[n++] = pc;
	n += fpTracebackPCs(fp, lo, gp->stack.hi, pcs + n, maxStackPCs - n);
	n = trimRoot(gp, pcs, n, maxStackPCs);
	return n == 0 ? 0 : traceStackTable_put(&trace.stackTab[gen % 2], buf, 1 + n);
}

// traceStack takes the stack of gp, or, if that is NULL, of the goroutine of this M, and returns its
// number; 0: there is no goroutine.  The caller has hold of gp.
NOINLINE uint64_t
traceStack(int skip, G *gp, uintptr_t gen) {
	M *mp = getm();

	if (gp == NULL)
		gp = mp->curg;
	if (gp == NULL || gp->stack.lo == 0)
		return 0; // or one that has not run yet

	uintptr_t pc = 0, fp, lo;
	if (gp == getg()) {
		lo = (uintptr_t)__builtin_frame_address(0);
		fp = *(uintptr_t *)lo; // without what has called this for an event
	} else if (unlikely(gp->syscallsp != 0)) {
		pc = gp->syscallpc;
		fp = gp->syscallbp;
		lo = gp->syscallsp;
	} else {
		// Stopped by a signal: no call, this one.  Or else sched.bp is the frame of mcall or
		// systemstack.
		if (unlikely(gp->sigframelo != 0))
			pc = gp->sched.pc + 1;
		fp = gp->sched.bp;
		lo = gp->sched.sp;
	}

	// PORT: most of the time it is one of a few stacks of this M.  64 bits of hash say which: of all
	// that decides what the table gets.
	uint64_t h = ((uint64_t)skip << 1 | gp->issystem) * hashMul;
	h = (h ^ gp->startpc) * hashMul;
	h = fpHash((h ^ pc) * hashMul, fp, lo, gp->stack.hi);
	h ^= h >> 32;
	traceStackCache *c = &mp->trace.stacks[h % nelem(mp->trace.stacks)];
	if (likely(c->hash == h && c->gen == gen))
		return c->id;
	uint64_t id = traceStackPut(skip, gp, gen, pc, fp, lo);
	*c = (traceStackCache){h, id, gen};
	return id;
}

// traceStackTable_put returns the number of a stack: how much to skip, and return addresses.
uint64_t
traceStackTable_put(traceStackTable *t, const uintptr_t *pcs, int n) {
	bool added;

	return traceMap_put(&t->tab, pcs, (uintptr_t)n * sizeof pcs[0], &added);
}

// ---- what a generation ends with ----------------------------------------------------------------------

// frameKind says what may be done with a frame at the top of a stack.
enum frameKind {
	frameUser,
	frameRuntime,
	framePlumbing,  // common to all events of a kind
	frameCollector, // what goes on is not what the program called
};

typedef struct traceFrame {
	uint64_t PC;
	uint64_t funcID;
	uint64_t fileID;
	uint32_t line;
	uint32_t kind; // enum frameKind
} traceFrame;

// pcFrames are the frames of one return address.  Most stacks have most of theirs in common, and
// names are far slower to find than anything else here.
typedef struct pcFrames pcFrames;
struct pcFrames {
	pcFrames *next;
	uintptr_t retPC;
	int n;
	traceFrame frames[];
};

// The state of a dump; there is one at a time, under traceAdvanceSema.
static struct {
	traceRegionAlloc mem;
	pcFrames *tab[1024];
	symFrame sym[maxInline];
	traceFrame stack[MaxFramesPerStack];
} dump;

// plumbing are the functions that events go through: by prefix, if they end with a star.
static const char *const plumbing[] = {"runtime.trace*", "runtime.newproc*", "runtime.gopark",
	"runtime.goparkunlock", "runtime.goready", "runtime.ready", "runtime.mcall",
	"runtime.asm_mcall", "runtime.systemstack", "runtime.asm_systemstack", "runtime.morestack",
	"runtime.stopTheWorld*", "runtime.entersyscall*"};

// collector are those in which the collector makes the program's goroutine wait.
static const char *const collector[] = {
	"runtime.gcStart*", "runtime.gcAssist*", "runtime.gcMarkDone*", "runtime.StopTrace"};

// name_like reports whether a name is in a list.
static bool
name_like(const char *name, const char *const *list, size_t nlist) {
	for (size_t i = 0; i < nlist; i++) {
		size_t n = strlen(list[i]);
		if (list[i][n - 1] == '*' ? strncmp(name, list[i], n - 1) == 0
					  : strcmp(name, list[i]) == 0)
			return true;
	}
	return false;
}

// runtimeKind is the kind of a function of the runtime.
static enum frameKind
runtimeKind(const char *name) {
	if (name_like(name, plumbing, nelem(plumbing)))
		return framePlumbing;
	return name_like(name, collector, nelem(collector)) ? frameCollector : frameRuntime;
}

// tail is the end of s if that is too long for a trace.
static const char *
tail(const char *s) {
	size_t n = strlen(s);

	return n > MaxEventTrailerDataSize ? s + n - MaxEventTrailerDataSize : s;
}

// makeTraceFrames returns the frames of a return address.
static pcFrames *
makeTraceFrames(uintptr_t gen, uintptr_t retPC) {
	pcFrames **p = &dump.tab[(retPC * 0x9e3779b97f4a7c15u) >> 54];

	for (; *p != NULL; p = &(*p)->next) {
		if ((*p)->retPC == retPC)
			return *p;
	}
	int n = symframes(retPC - 1, dump.sym, maxInline);
	int m = n > 0 ? n : 1;
	pcFrames *pf =
		traceRegionAlloc_alloc(&dump.mem, sizeof *pf + (uintptr_t)m * sizeof pf->frames[0]);
	pf->retPC = retPC;
	pf->n = m;
	bool own = isRuntimePC(retPC - 1);
	traceStringTable *strings = &trace.stringTab[gen % 2];
	if (n == 0)
		pf->frames[0] = (traceFrame){.PC = retPC - 1};
	for (int i = 0; i < n; i++) {
		const symFrame *f = &dump.sym[i];
		pf->frames[i] = (traceFrame){
			.PC = f->pc,
			.funcID = traceStringTable_put(strings, gen, tail(f->func)),
			.fileID = traceStringTable_put(strings, gen, tail(f->file)),
			.line = (uint32_t)f->line,
			.kind = own ? runtimeKind(f->func) : frameUser,
		};
	}
	*p = pf;
	return pf;
}

// expand makes frames of a stack, innermost first, without those that are to be skipped.
static int
expand(uintptr_t gen, uintptr_t skip, const uintptr_t *pcs, int n) {
	int nframes = 0;
	// The last frame left out at the top.  It stays if nothing of the runtime would be left.
	traceFrame last = {0};
	bool top = skip != logicalStackSentinel;
	bool seen = false;

	for (int i = 0; i < n; i++) {
		const pcFrames *pf = makeTraceFrames(gen, pcs[i]);
		for (int j = 0; j < pf->n; j++) {
			const traceFrame *f = &pf->frames[j];
			if (nframes == MaxFramesPerStack)
				return nframes;
			if (!top) {
				dump.stack[nframes++] = *f;
				continue;
			}
			if (f->kind == framePlumbing)
				continue;
			if (f->kind == frameRuntime && skip > 0) {
				if (skip < traceSkipAPI)
					skip--;
				last = *f;
				seen = true;
				continue;
			}
			top = false;
			if (f->kind == frameUser && seen && skip != traceSkipAll)
				dump.stack[nframes++] = last;
			dump.stack[nframes++] = *f;
		}
	}
	if (top && seen)
		return expand(gen, 0, pcs, n); // all of it is the runtime's: nothing was called
	return nframes;
}

// dumpStacksRec writes the stacks of a subtree.
static void
dumpStacksRec(traceMapNode *node, traceWriter *w) {
	const uintptr_t *pcs = node->data; // the first says how much to skip
	int n = expand(w->tl.gen, pcs[0], pcs + 1, (int)(node->size / sizeof pcs[0]) - 1);

	if (traceWriter_ensure(w, 1 + 1 + (2 + 4 * (uint32_t)n) * traceBytesPerNumber))
		traceBuf_byte(w->buf, EvStacks);
	traceBuf *b = w->buf;
	traceBuf_byte(b, EvStack);
	traceBuf_varint(b, node->id);
	traceBuf_varint(b, (uint64_t)n);
	for (int i = 0; i < n; i++) {
		traceBuf_varint(b, dump.stack[i].PC);
		traceBuf_varint(b, dump.stack[i].funcID);
		traceBuf_varint(b, dump.stack[i].fileID);
		traceBuf_varint(b, dump.stack[i].line);
	}
	for (int i = 0; i < 4; i++) {
		traceMapNode *child = atomic_Load(&node->children[i]);
		if (child != NULL)
			dumpStacksRec(child, w);
	}
}

// traceStackTable_dump writes out all stacks of a generation, which is over, and empties the table.
void
traceStackTable_dump(traceStackTable *t, uintptr_t gen) {
	traceWriter w = unsafeTraceWriter(gen, NULL);
	traceMapNode *root = atomic_Load(&t->tab.root);

	if (root != NULL)
		dumpStacksRec(root, &w);
	traceWriter_flush(&w);
	traceMap_reset(&t->tab);

	memset(dump.tab, 0, sizeof dump.tab);
	traceRegionAlloc_drop(&dump.mem);
}
