// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Names of functions.  Takes the place of symtab.go of Go 1.26.8, whose tables the Go linker makes.
//
// A traceback is printed when nothing works any more: the world may be stopped with a thread inside
// malloc or the dynamic linker.  So the objects are listed at start-up, and everything else is done
// with system calls on files that are mapped once: no memory, no lock, no libc.  A function is found
// by walking the symbol table; a small cache makes up for that.
//
// Go's tools treat functions named runtime.x as the system's and everything else as the program's.
// So a function gets the name of its package: runtime if it is in the runtime's own text, main if it
// is in the program, else the name of the shared object.
#include "sched/symtab.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "runtime/os_linux.h"
#include "runtime/print.h"
#include "sched/symtab_info.h"
#include "sched/symtab_line.h"

enum {
	maxSymObjects = 256,
	funcCacheSize = 512,
	maxInlineSites = 32,
};

enum {
	objNew,     // its file was not looked at
	objMapping, // somebody does
	objReady,
	objBad, // no file, or no symbols in it
};

// symObject is the program or a shared object.
typedef struct symObject {
	uintptr_t base; // difference between addresses in memory and in the file
	uintptr_t lo;   // its segments lie in [lo, hi)
	uintptr_t hi;
	uintptr_t textlo; // those with text in [textlo, texthi)
	uintptr_t texthi;
	uintptr_t textoff; // of textlo in the file
	const uint8_t *buildid;
	int nbuildid;
	const uint8_t *cfi; // its .eh_frame_hdr in memory, or NULL
	uint32_t state;     // atomic
	char path[240];
	char pkg[32]; // what stands before the dot in names
	const uint8_t *file;
	uintptr_t filelen;
	const Elf64_Sym *sym;
	uintptr_t nsym;
	const char *str;
	uintptr_t strlen_;
	dwarfSections dwarf;
} symObject;

static char exepath[512]; // of the program; its entry has a name that holds longer

// Entries are complete before they are counted; they are never removed.
static symObject objects[maxSymObjects];
static uint32_t nobjects;   // atomic
static uint32_t objectLock; // atomic

// funcCache remembers what was found for a pc.  Entry i is valid while seq is even and the same
// before and after it is read.  All of it is atomic.
static struct {
	uint32_t seq;
	uintptr_t pc;
	funcInfo f;
} funcCache[funcCacheSize];

// The bounds of the runtime's text.  With the prelinked static library they are of a section of its
// own; else it is this whole object.
extern const char __start_gort_text[] __attribute__((weak, visibility("hidden")));
extern const char __stop_gort_text[] __attribute__((weak, visibility("hidden")));
static uintptr_t textlo;
static uintptr_t texthi;

// ---- objects ------------------------------------------------------------------------------------------

// object_setname derives the package from the path: /lib/x/libc.so.6 -> libc.
static void
object_setname(symObject *o, const char *path, bool program) {
	snprint(o->path, sizeof o->path, "%s", path);
	if (program) {
		snprint(o->pkg, sizeof o->pkg, "main");
		return;
	}
	const char *b = path;
	for (const char *p = path; *p != 0; p++) {
		if (*p == '/')
			b = p + 1;
	}
	size_t i = 0;
	for (; b[i] != 0 && i < sizeof o->pkg - 1; i++) {
		if (b[i] == '.')
			break;
		o->pkg[i] = b[i];
	}
	o->pkg[i] = 0;
}

// object_addnote looks for the build id among the notes at p.
static void
object_addnote(symObject *o, const uint8_t *p, uintptr_t n) {
	while (n >= sizeof(Elf64_Nhdr)) {
		const Elf64_Nhdr *h = (const Elf64_Nhdr *)p;
		uintptr_t name = alignUp(h->n_namesz, 4);
		uintptr_t size = sizeof *h + name + alignUp(h->n_descsz, 4);
		if (size > n)
			return;
		if (h->n_type == NT_GNU_BUILD_ID && h->n_namesz == 4 &&
			memcmp(p + sizeof *h, "GNU", 4) == 0 && h->n_descsz <= 64) {
			o->buildid = p + sizeof *h + name;
			o->nbuildid = (int)h->n_descsz;
		}
		p += size;
		n -= size;
	}
}

// object_addsegments notes where the text of o is, and its build id.
static void
object_addsegments(symObject *o, const struct dl_phdr_info *info) {
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uintptr_t a = info->dlpi_addr + ph->p_vaddr;
		if (ph->p_type == PT_NOTE)
			object_addnote(o, (const uint8_t *)a, ph->p_filesz);
		if (ph->p_type != PT_LOAD || (ph->p_flags & PF_X) == 0)
			continue;
		if (o->texthi == 0) {
			o->textlo = alignDown(a, 4096);
			o->textoff = alignDown(ph->p_offset, 4096);
		}
		o->texthi = a + ph->p_memsz;
	}
}

// object_add is called by the dynamic linker for each object; want is an address or 0 for all.
static int
object_add(struct dl_phdr_info *info, size_t size, void *arg) {
	(void)size;
	uintptr_t want = *(uintptr_t *)arg;
	const uint8_t *cfi = NULL;
	uintptr_t lo = ~(uintptr_t)0;
	uintptr_t hi = 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		if (ph->p_type == PT_GNU_EH_FRAME)
			cfi = (const uint8_t *)(info->dlpi_addr + ph->p_vaddr);
		if (ph->p_type != PT_LOAD)
			continue;
		lo = min(lo, info->dlpi_addr + ph->p_vaddr);
		hi = max(hi, info->dlpi_addr + ph->p_vaddr + ph->p_memsz);
	}
	if (lo >= hi || (want != 0 && (want < lo || want >= hi)))
		return 0;
	for (uint32_t i = 0; i < nobjects; i++) {
		if (objects[i].lo == lo && objects[i].hi == hi)
			return 0;
	}
	if (nobjects == maxSymObjects)
		return 1;
	symObject *o = &objects[nobjects];
	o->base = info->dlpi_addr;
	o->cfi = cfi;
	o->lo = lo;
	o->hi = hi;
	object_addsegments(o, info);
	bool program = info->dlpi_name == NULL || info->dlpi_name[0] == 0;
	object_setname(o, program ? "/proc/self/exe" : info->dlpi_name, program);
	atomic_Store(&nobjects, nobjects + 1);
	return 0;
}

// object_map maps the file of o and finds its tables; false: it has none.
static bool
object_map(symObject *o) {
	int32_t fd = runtime_open(o->path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	struct stat st;
	bool ok = sys_call3(SYS_fstat, fd, &st, 0) == 0 && st.st_size > (off_t)sizeof(Elf64_Ehdr);
	int64_t p = 0;
	if (ok) {
		p = sys_call6(
			SYS_mmap, 0, (uint64_t)st.st_size, PROT_READ, MAP_PRIVATE, (uint64_t)fd, 0);
		ok = p > 0;
	}
	runtime_closefd(fd);
	if (!ok)
		return false;
	o->file = (const uint8_t *)p;
	o->filelen = (uintptr_t)st.st_size;
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)o->file;
	if (memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0 || eh->e_shentsize != sizeof(Elf64_Shdr) ||
		eh->e_shoff == 0 ||
		eh->e_shoff + (uintptr_t)eh->e_shnum * sizeof(Elf64_Shdr) > o->filelen)
		return false;
	const Elf64_Shdr *sh = (const Elf64_Shdr *)(o->file + eh->e_shoff);
	int best = -1;
	for (int i = 0; i < eh->e_shnum; i++) {
		if (sh[i].sh_offset > o->filelen || sh[i].sh_size > o->filelen - sh[i].sh_offset)
			continue;
		if (sh[i].sh_type == SHT_SYMTAB || (sh[i].sh_type == SHT_DYNSYM && best < 0))
			best = i;
	}
	if (best >= 0 && sh[best].sh_link < eh->e_shnum) {
		const Elf64_Shdr *st_ = &sh[sh[best].sh_link];
		if (st_->sh_offset <= o->filelen && st_->sh_size <= o->filelen - st_->sh_offset &&
			st_->sh_size > 0 && o->file[st_->sh_offset + st_->sh_size - 1] == 0) {
			o->sym = (const Elf64_Sym *)(o->file + sh[best].sh_offset);
			o->nsym = sh[best].sh_size / sizeof(Elf64_Sym);
			o->str = (const char *)o->file + st_->sh_offset;
			o->strlen_ = st_->sh_size;
		}
	}
	dwarfSections_find(&o->dwarf, o->file, o->filelen);
	return o->sym != NULL;
}

// object_ready reports whether o's tables can be used.  Any context: a signal handler that meets
// its own thread in object_map does without.
static bool
object_ready(symObject *o) {
	if (atomic_Cas(&o->state, objNew, objMapping))
		atomic_Store(&o->state, object_map(o) ? objReady : objBad);
	return atomic_LoadAcq(&o->state) == objReady;
}

// object_of returns the index of the object that contains pc, or -1.
static int
object_of(uintptr_t pc) {
	int n = (int)atomic_LoadAcq(&nobjects);
	for (int i = 0; i < n; i++) {
		if (objects[i].lo <= pc && pc < objects[i].hi)
			return i;
	}
	return -1;
}

// symtab_addobject adds what the dynamic linker knows around addr.
void
symtab_addobject(uintptr_t addr) {
	while (!atomic_Cas(&objectLock, 0, 1))
		osyield();
	dl_iterate_phdr(object_add, &addr);
	atomic_Store(&objectLock, 0);
}

// symtabinit lists what is loaded.  The program's file is mapped now: it may be replaced later.
// (/proc/self/exe would still name the old one, but not in a chroot.)
void
symtabinit(void) {
	symtab_addobject(0);
	sys_call3(SYS_readlink, (uint64_t)(uintptr_t)objects[0].path, (uint64_t)(uintptr_t)exepath,
		sizeof exepath - 1);
	uintptr_t self = (uintptr_t)&symtabinit;
	// The compiler takes the addresses of undefined weak symbols for non-null if it is not asked
	// like this.
	uintptr_t lo = (uintptr_t)__start_gort_text;
	uintptr_t hi = (uintptr_t)__stop_gort_text;
	__asm__("" : "+r"(lo), "+r"(hi));
	if (lo == 0 || self < lo || self >= hi) {
		int i = object_of(self);
		if (i < 0)
			throw("symtabinit: where am I?");
		lo = objects[i].lo;
		hi = objects[i].hi;
	}
	textlo = lo;
	texthi = hi;
	if (nobjects > 0)
		object_ready(&objects[0]);
}

// isRuntimePC: before symtabinit, nothing is.
bool
isRuntimePC(uintptr_t pc) {
	return pc - textlo < texthi - textlo;
}

// runtimetext returns the bounds.
void
runtimetext(uintptr_t *lo, uintptr_t *hi) {
	*lo = textlo;
	*hi = texthi;
}

// objectcfi returns what traceback_cfi.c reads.
const uint8_t *
objectcfi(uintptr_t pc) {
	int i = object_of(pc);
	return i < 0 ? NULL : objects[i].cfi;
}

// objectbuildid: see symtab.h.
const uint8_t *
objectbuildid(uintptr_t pc, int *n) {
	int i = object_of(pc);
	*n = i < 0 ? 0 : objects[i].nbuildid;
	return i < 0 ? NULL : objects[i].buildid;
}

// symobjects: see symtab.h.
int
symobjects(symMapping *out, int nout) {
	int n = min((int)atomic_LoadAcq(&nobjects), nout);
	for (int i = 0; i < n; i++) {
		const symObject *o = &objects[i];
		const char *file = i == 0 && exepath[0] != 0 ? exepath : o->path;
		out[i] = (symMapping){
			o->textlo, o->texthi, o->textoff, file, o->buildid, o->nbuildid};
	}
	return n;
}

// objectname returns a path.
const char *
objectname(uintptr_t pc) {
	int i = object_of(pc);
	return i < 0 ? "" : objects[i].path;
}

// ---- functions --------------------------------------------------------------------------------------------

// findfunc_slow walks the symbol table.  The best symbol is the one that contains pc and begins last;
// of several that begin there, a global one.
static funcInfo
findfunc_slow(uintptr_t pc) {
	funcInfo f = {.object = object_of(pc)};
	if (f.object < 0)
		return f;
	symObject *o = &objects[f.object];
	if (!object_ready(o))
		return f;
	uintptr_t v = pc - o->base;
	const Elf64_Sym *best = NULL;
	for (uintptr_t i = 0; i < o->nsym; i++) {
		const Elf64_Sym *s = &o->sym[i];
		unsigned t = ELF64_ST_TYPE(s->st_info);
		if ((t != STT_FUNC && t != STT_GNU_IFUNC) || s->st_shndx == SHN_UNDEF)
			continue;
		if (s->st_value > v || v - s->st_value >= max(s->st_size, (Elf64_Xword)1))
			continue;
		if (best == NULL || s->st_value > best->st_value ||
			(s->st_value == best->st_value && ELF64_ST_BIND(s->st_info) == STB_GLOBAL))
			best = s;
	}
	if (best == NULL || best->st_name >= o->strlen_)
		return f;
	f.entry = o->base + best->st_value;
	f.size = best->st_size;
	f.name = o->str + best->st_name;
	return f;
}

// funcsend: see symtab.h.
uintptr_t
funcsend(uintptr_t pc, const char *prefix) {
	int i = object_of(pc);
	if (i < 0 || !object_ready(&objects[i]))
		return 0;
	const symObject *o = &objects[i];
	uintptr_t n = strlen(prefix), end = 0;
	for (uintptr_t k = 0; k < o->nsym; k++) {
		const Elf64_Sym *s = &o->sym[k];
		if (ELF64_ST_TYPE(s->st_info) == STT_FUNC && s->st_shndx != SHN_UNDEF &&
			s->st_name < o->strlen_ && strncmp(o->str + s->st_name, prefix, n) == 0)
			end = max(end, o->base + s->st_value + s->st_size);
	}
	return end;
}

// findfunc finds the function of pc.
funcInfo
findfunc(uintptr_t pc) {
	uintptr_t h = (pc * 0x9e3779b97f4a7c15u) >> 55;
	__typeof__(funcCache[0]) *c = &funcCache[h % funcCacheSize];
	uint32_t seq = atomic_LoadAcq(&c->seq);
	if ((seq & 1) == 0 && atomic_LoadRelaxed(&c->pc) == pc) {
		funcInfo f = {
			.entry = atomic_LoadRelaxed(&c->f.entry),
			.size = atomic_LoadRelaxed(&c->f.size),
			.name = atomic_LoadRelaxed(&c->f.name),
			.object = atomic_LoadRelaxed(&c->f.object),
		};
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (atomic_LoadRelaxed(&c->seq) == seq)
			return f;
	}
	funcInfo f = findfunc_slow(pc);
	if (f.entry != 0 && (seq & 1) == 0 && atomic_Cas(&c->seq, seq, seq + 1)) {
		__atomic_thread_fence(__ATOMIC_RELEASE);
		atomic_StoreRelaxed(&c->pc, pc);
		atomic_StoreRelaxed(&c->f.entry, f.entry);
		atomic_StoreRelaxed(&c->f.size, f.size);
		atomic_StoreRelaxed(&c->f.name, f.name);
		atomic_StoreRelaxed(&c->f.object, f.object);
		atomic_StoreRel(&c->seq, seq + 2);
	}
	return f;
}

// gonames has the functions that Go knows under other names than the rules below make.
static const char *const gonames[][2] = {
	{"gort_run", "runtime.main"},
	{"gort_alloc", "runtime.mallocgc"},
	{"gort_newobject", "runtime.newobject"},
	{"gort_newarray", "runtime.newarray"},
	{"gort_chansend", "runtime.chansend1"},
	{"gort_chanrecv", "runtime.chanrecv1"},
	{"gort_chantrysend", "runtime.selectnbsend"},
	{"gort_chantryrecv", "runtime.selectnbrecv"},
	{"gort_makechan", "runtime.makechan"},
	{"gort_closechan", "runtime.closechan"},
	{"gort_selectgo", "runtime.selectgo"},
	{"gort_panic", "runtime.gort_panic"}, // it calls gopanic
	{"gort_newproc", "runtime.newproc"},
	{"gort_typedmemmove", "runtime.typedmemmove"},
	{"gort_memmove", "runtime.memmove"},
	{"gort_memzero", "runtime.memclrNoHeapPointers"},
	{"gort_wb_slow", "runtime.gcWriteBarrier"},
	{"gort_yield", "runtime.Gosched"},
	{"gort_gosched", "runtime.Gosched"},
	{"gort_goexit", "runtime.Goexit"},
	{"gort_gc", "runtime.GC"},
	{"gort_stack", "runtime.Stack"},
	{"gort_pprof_write", "runtime/pprof.(*Profile).WriteTo"},
	{"gort_pprof_start_cpu", "runtime/pprof.StartCPUProfile"},
	{"gort_pprof_stop_cpu", "runtime/pprof.StopCPUProfile"},
	{"gort_pprof_do", "runtime/pprof.Do"},
	{"profileWriter", "runtime/pprof.profileWriter"},
	{"gort_gomaxprocs", "runtime.GOMAXPROCS"},
	{"gort_num_cpu", "runtime.NumCPU"},
	{"gort_num_goroutine", "runtime.NumGoroutine"},
	{"gort_read_memstats", "runtime.ReadMemStats"},
	{"gort_free_os_memory", "runtime/debug.FreeOSMemory"},
	{"gort_set_gc_percent", "runtime/debug.SetGCPercent"},
	{"gort_set_memory_limit", "runtime/debug.SetMemoryLimit"},
	{"gort_sleep", "time.Sleep"},
	{"gort_now", "time.Now"},
	{"gort_after_func", "time.AfterFunc"},
	{"gort_timer_stop", "time.(*Timer).Stop"},
	{"gort_timer_reset", "time.(*Timer).Reset"},
	{"gort_new_ticker", "time.NewTicker"},
	{"gort_ticker_stop", "time.(*Ticker).Stop"},
	{"gort_ticker_reset", "time.(*Ticker).Reset"},
	{"gort_trace_start", "runtime/trace.Start"},
	{"gort_trace_start_writer", "runtime/trace.Start"},
	{"gort_trace_stop", "runtime/trace.Stop"},
	{"gort_trace_task_begin", "runtime/trace.NewTask"},
	{"gort_trace_task_end", "runtime/trace.(*Task).End"},
	{"gort_trace_region_begin", "runtime/trace.StartRegion"},
	{"gort_trace_region_end", "runtime/trace.(*Region).End"},
	{"gort_trace_log", "runtime/trace.Log"},
	{"gort_mutex_lock", "sync.(*Mutex).Lock"},
	{"gort_mutex_trylock", "sync.(*Mutex).TryLock"},
	{"gort_mutex_unlock", "sync.(*Mutex).Unlock"},
	{"gort_rwmutex_lock", "sync.(*RWMutex).Lock"},
	{"gort_rwmutex_unlock", "sync.(*RWMutex).Unlock"},
	{"gort_rwmutex_rlock", "sync.(*RWMutex).RLock"},
	{"gort_rwmutex_runlock", "sync.(*RWMutex).RUnlock"},
	{"gort_rwmutex_trylock", "sync.(*RWMutex).TryLock"},
	{"gort_rwmutex_tryrlock", "sync.(*RWMutex).TryRLock"},
	{"gort_waitgroup_add", "sync.(*WaitGroup).Add"},
	{"gort_waitgroup_done", "sync.(*WaitGroup).Done"},
	{"gort_waitgroup_wait", "sync.(*WaitGroup).Wait"},
	{"gort_cond_wait", "sync.(*Cond).Wait"},
	{"gort_cond_signal", "sync.(*Cond).Signal"},
	{"gort_cond_broadcast", "sync.(*Cond).Broadcast"},
	{"gort_once_do", "sync.(*Once).Do"},
	{"gort_pool_get", "sync.(*Pool).Get"},
	{"gort_pool_put", "sync.(*Pool).Put"},
	{"gort_sema_acquire", "runtime.semacquire"},
	{"gort_sema_release", "runtime.semrelease"},
	{"gort_sort", "sort.Sort"},
	{"gort_main", "runtime.main"},
	{"traceAdvancer_start_1", "runtime.(*traceAdvancerState).start.func1"},
	{"traceMultiplexer_read", "runtime/trace.(*traceMultiplexer).startLocked.func1"},
	{"gostart", "runtime.goexit"},
	{"goroutine_root", "runtime.goexit"},
	{"Goexit", "runtime.Goexit"},
	{"runtime_main", "runtime.main"},
	{"main_start", "runtime.main"},
	{"preempt_poll", "runtime.morestack"},
	{"runtime_usleep", "runtime.usleep"},
};

// ptrRecv are Go's types with methods on pointers; valRecv those with methods on values.
static const char *const ptrRecv[] = {"mheap", "mcentral", "mcache", "mspan", "spanSet",
	"pageAlloc", "pageCache", "pallocBits", "pageBits", "pallocData", "gcWork", "workbuf",
	"wbBuf", "timers", "timer", "gcControllerState", "gcCPULimiterState", "limiterEvent",
	"sweepLocker", "sweepLocked", "activeSweep", "scavengerState", "scavengeIndex", "fixalloc",
	"linearAlloc", "persistentAlloc", "addrRanges", "lfstack", "gQueue", "gList", "hchan",
	"waitq", "semaRoot", "semTable", "randomOrder", "randomEnum", "pollDesc", "pollCache",
	"consistentHeapStats", "heapStatsDelta", "timeHistogram", "rwmutex", "itabTableType",
	"specialsIter", "unwinder", "spanInlineMarkBits", "spanScanOwnership", "traceMap"};
static const char *const valRecv[] = {"spanClass", "pallocSum", "chunkIdx", "addrRange", "offAddr",
	"waitReason", "stwReason", "gcTrigger", "lockRank", "markBits", "typePointers", "pMask"};

// syncRecv are those of package sync.
static const char *const syncRecv[] = {
	"Mutex", "RWMutex", "WaitGroup", "Once", "Pool", "Cond", "poolChain", "poolDequeue"};

// isdigits reports whether all of s is digits, and there are some.
static bool
isdigits(const char *s, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
	}
	return n > 0;
}

// name_in reports whether the n bytes of s are a name of the list.
static bool
name_in(const char *s, size_t n, const char *const *list, size_t nlist) {
	for (size_t i = 0; i < nlist; i++) {
		if (strlen(list[i]) == n && memcmp(list[i], s, n) == 0)
			return true;
	}
	return false;
}

// goname writes the name of a function of the runtime as Go has it.  s has n bytes.
static int
goname(const char *s, size_t n, char *buf, int nbuf) {
	for (size_t i = 0; i < nelem(gonames); i++) {
		if (strlen(gonames[i][0]) == n && memcmp(gonames[i][0], s, n) == 0)
			return snprint(buf, (size_t)nbuf, "%s", gonames[i][1]);
	}
	if (n > 5 && memcmp(s, "gort_", 5) == 0) {
		// Public: gort_set_max_threads is exported as SetMaxThreads.
		char t[64];
		size_t k = 0;
		bool up = true;
		for (size_t i = 5; i < n && k < sizeof t - 1; i++) {
			if (s[i] == '_') {
				up = true;
				continue;
			}
			t[k++] = up && s[i] >= 'a' && s[i] <= 'z' ? (char)(s[i] - 'a' + 'A') : s[i];
			up = false;
		}
		t[k] = 0;
		return snprint(buf, (size_t)nbuf, "runtime.%s", t);
	}
	// x_1 is the first closure of x.
	size_t end = n;
	while (end > 0 && s[end - 1] != '_')
		end--;
	const char *func = "";
	char funcn[16] = "";
	if (end > 1 && isdigits(s + end, n - end)) {
		func = ".func";
		snprint(funcn, sizeof funcn, "%.*s", (int)(n - end), s + end);
		n = end - 1;
	}
	for (size_t i = 1; i + 1 < n; i++) {
		if (s[i] != '_')
			continue;
		if (name_in(s, i, ptrRecv, nelem(ptrRecv)))
			return snprint(buf, (size_t)nbuf, "runtime.(*%.*s).%.*s%s%s", (int)i, s,
				(int)(n - i - 1), s + i + 1, func, funcn);
		if (name_in(s, i, valRecv, nelem(valRecv)))
			return snprint(buf, (size_t)nbuf, "runtime.%.*s.%.*s%s%s", (int)i, s,
				(int)(n - i - 1), s + i + 1, func, funcn);
		if (name_in(s, i, syncRecv, nelem(syncRecv)))
			return snprint(buf, (size_t)nbuf, "sync.(*%.*s).%.*s%s%s", (int)i, s,
				(int)(n - i - 1), s + i + 1, func, funcn);
	}
	while (n > 1 && s[n - 1] == '_')
		n--;
	return snprint(buf, (size_t)nbuf, "runtime.%.*s%s%s", (int)n, s, func, funcn);
}

// name_trim returns the length of an ELF name without what the compiler and the linker add: f.isra.0,
// f.part.1.cold, f.123, f@VERSION.
static size_t
name_trim(const char *s) {
	static const char *const adds[] = {"isra", "part", "constprop", "cold", "lto_priv",
		"localalias", "llvm", "resolver", "unlikely", "warm", "clone"};
	size_t n = 0;
	while (s[n] != 0 && s[n] != '@')
		n++;
	for (;;) {
		size_t dot = n;
		while (dot > 0 && s[dot - 1] != '.')
			dot--;
		if (dot <= 1 || !(isdigits(s + dot, n - dot) ||
					name_in(s + dot, n - dot, adds, nelem(adds))))
			return n;
		n = dot - 1;
	}
}

// name_qualify writes Go's name of the function that C knows as s.  A name with a dot is one already:
// a closure that the program named in assembly.
static int
name_qualify(const char *s, bool isruntime, const char *pkg, char *buf, int n) {
	size_t len = name_trim(s);
	if (isruntime)
		return goname(s, len, buf, n);
	if (memchr(s, '.', len) != NULL)
		return snprint(buf, (size_t)n, "%.*s", (int)len, s);
	return snprint(buf, (size_t)n, "%s.%.*s", pkg, (int)len, s);
}

// funcname: see symtab.h.
int
funcname(funcInfo f, char *buf, int n) {
	buf[0] = 0;
	if (f.entry == 0)
		return 0;
	return name_qualify(f.name, isRuntimePC(f.entry), objects[f.object].pkg, buf, n);
}

// funcnameFromPC is findfunc and funcname.
int
funcnameFromPC(uintptr_t pc, char *buf, int n) {
	return funcname(findfunc(pc), buf, n);
}

// funcline asks the line table of pc's object.
bool
funcline(uintptr_t pc, char *buf, int n, int *line) {
	int i = object_of(pc);
	if (i < 0 || !object_ready(&objects[i]))
		return false;
	symObject *o = &objects[i];
	lineTable at;
	info_lookup(&o->dwarf, pc - o->base, &at, NULL, 0);
	return lines_lookup(&o->dwarf, at, pc - o->base, buf, n, line);
}

// site_helper reports whether an inlined function is one of gort.h's own, which Go does not have.
static bool
site_helper(const inlineSite *s, bool isruntime) {
	return !isruntime && strncmp(s->name, "gort_", 5) == 0;
}

// symframes_from is symframes without the innermost skip frames.
static int
symframes_from(uintptr_t pc, int skip, symFrame *out, int nout) {
	inlineSite sites[maxInlineSites];
	funcInfo f = findfunc(pc);
	if (!funcInfo_valid(f) || nout <= 0)
		return 0;
	symObject *o = &objects[f.object];
	lineTable at;
	int nsites = info_lookup(&o->dwarf, pc - o->base, &at, sites, maxInlineSites);
	bool isruntime = isRuntimePC(pc);
	int n = 0;
	for (int i = nsites, k = 0; i >= 0 && n < nout; i--) {
		// The frame of the function of site i-1, in which site i was inlined.
		if (i > 0 && site_helper(&sites[i - 1], isruntime))
			continue;
		if (k++ < skip)
			continue;
		symFrame *fr = &out[n++];
		fr->pc = k == 1 ? pc : o->base + sites[i].pc;
		fr->entry = f.entry;
		fr->inlined = i > 0;
		if (i == 0)
			funcname(f, fr->func, sizeof fr->func);
		else
			name_qualify(
				sites[i - 1].name, isruntime, o->pkg, fr->func, sizeof fr->func);
		bool ok;
		if (i == nsites) {
			ok = lines_lookup(
				&o->dwarf, at, pc - o->base, fr->file, sizeof fr->file, &fr->line);
		} else {
			fr->line = sites[i].callline;
			ok = lines_file(
				&o->dwarf, at, sites[i].callfile, fr->file, sizeof fr->file);
		}
		if (!ok) {
			fr->file[0] = 0;
			fr->line = 0;
		}
	}
	return n;
}

// symframes: see symtab.h.
int
symframes(uintptr_t pc, symFrame *out, int nout) {
	return symframes_from(pc, 0, out, nout);
}

// symframe: see symtab.h.
bool
symframe(uintptr_t pc, int k, symFrame *out) {
	return symframes_from(pc, k, out, 1) == 1;
}
