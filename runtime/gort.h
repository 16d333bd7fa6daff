// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// gort.h - Go's runtime for C programs: goroutines, channels, a garbage-collected heap.
//
//	#include <gort.h>
//
//	static int app(int argc, char **argv) { ... }
//	int main(int argc, char **argv) { return gort_run(app, argc, argv); }
//
// C11 with GNU extensions; gcc 10 or clang 12 and later.  All calls but gort_run are for
// goroutines: a thread that the runtime did not make may not call them.
//
// THE MEMORY RULES, on one page
//
//  1. Objects from gort_new, gort_new_array and gort_alloc live as long as something that the
//     collector sees points to them: to their start or into them; a pointer just past their end
//     counts on a stack, in a register and in a global, but not in a heap object.
//  2. It sees: the stacks and registers of all goroutines; globals of the program and of each
//     shared object that was compiled with this header; ranges given to gort_root_add; and the
//     pointer fields of heap objects, which GORT_TYPE lists.
//     It does not see: memory from malloc or mmap, __thread variables, pointers that libc keeps
//     (putenv, setvbuf, strtok), integers in noscan objects, pointers with bits changed.
//  3. Store a pointer to a heap object with gort_store(lvalue, value) when others can see the
//     place: a field of a heap object, a global, another goroutine's stack, a local whose
//     address you gave away.  Plain locals need no gort_store.  Loads are plain.
//  4. Copy whole structures with pointers into such places with gort_copy, clear them with
//     gort_zero, sort pointers with gort_sort.  memcpy, memmove, memset and qsort do not tell the
//     collector.
//  5. Field types: GORT_TYPE(node, left, right) names each pointer field; a forgotten field is
//     memory freed too early.  GORT_TYPE_NOSCAN(T) has none.  When in doubt, allocate with
//     GORT_CONSERVATIVE: every word counts.
//  6. Goroutines move between threads at any call into the runtime.  Do not hold a pthread or
//     stdio lock, or the address of a thread-local variable, across such a call.  errno goes with
//     the goroutine; the rounding mode (fesetround) and the signal mask stay with the thread.
//  7. A goroutine's stack has 256 KB by default; running off its end is a fatal error.
//
// Errors: a call that can fail returns a negative errno.  A misuse (send on a closed channel,
// unlock of an unlocked mutex) ends the process as it ends a Go program: "panic: ..." or
// "fatal error: ...", the goroutines' stacks, status 2.
// Environment: GOMAXPROCS, GOGC, GOMEMLIMIT, GODEBUG, GOTRACEBACK, as for a Go program; GORT_TRACE.
#ifndef GORT_H
#define GORT_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GORT_API __attribute__((visibility("default")))

// ---- the program ----------------------------------------------------------------------------------

// gort_run starts the runtime and calls app(argc, argv) as the main goroutine.  When app returns,
// the process exits with its result; other goroutines end with it, as in Go.  Once per process;
// does not return (the result type lets main say `return gort_run(...)`).
GORT_API int gort_run(int (*app)(int argc, char **argv), int argc, char **argv);

// gort_call is a captured call: a function and the argument registers it is to start with.
typedef struct gort_call {
	void *fn;
	uint64_t gpr[6];
	double xmm[8];
} gort_call;

// gort_yield lets other goroutines run.  Go: runtime.Gosched.
GORT_API void gort_yield(void);
// gort_goexit runs the goroutine's deferred calls and ends it.  Go: runtime.Goexit.
GORT_API void gort_goexit(void) __attribute__((noreturn));
// gort_blocking calls f(arg) on this goroutine's thread while other goroutines go on on others.
// For calls that block in the kernel or take long in C: f may not call into the runtime, nor load
// or store pointers to heap objects other than arg.  Returns f's result.  Go: a system call.
GORT_API intptr_t gort_blocking(intptr_t (*f)(void *arg), void *arg);
// gort_poll is a safe point for a long loop that makes no other call.  Seldom needed: loops are
// stopped by signals.
GORT_API void gort_poll(void);

// gort_gomaxprocs sets how many threads run goroutines at once and returns the previous number;
// n < 1 only asks.  Stops the world.  Go: runtime.GOMAXPROCS.
GORT_API int gort_gomaxprocs(int n);
GORT_API int gort_num_cpu(void);       // Go: runtime.NumCPU
GORT_API int gort_num_goroutine(void); // Go: runtime.NumGoroutine
GORT_API uint64_t gort_goid(void);     // number of the calling goroutine, as tracebacks print it

// gort_panic prints "panic: " and the formatted text after the goroutine's deferred calls have
// run, then the stack, and ends the process with status 2.  Go: panic.
GORT_API void gort_panic(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
// gort_recover, in a deferred call while the goroutine panics, stops the panic and returns its text.
// When that deferred call has returned, those deferred since the innermost gort_pcall run, and that
// gort_pcall returns.  NULL if there is no panic, or no gort_pcall to go on at.  Go: recover.
GORT_API const char *gort_recover(void);
// gort_pcall calls f(arg) and returns NULL, or the text of a panic that was recovered inside.
GORT_API const char *gort_pcall(void (*f)(void *arg), void *arg);

// errno belongs to the goroutine.  Its address may not be kept across a call into the runtime,
// which the compiler would do with libc's definition.
GORT_API int *gort_errno_location(void);
#ifndef GORT_KEEP_ERRNO
#	undef errno
#	define errno (*gort_errno_location())
#endif

// ---- types and memory -----------------------------------------------------------------------------

// gort_type describes an object to the collector.  Made by GORT_TYPE and friends; constant.
typedef struct gort_type {
	size_t size;           // bytes
	size_t ptrbytes;       // the prefix that may hold pointers, in bytes; 0: none
	const uint8_t *gcdata; // one bit for each word of the prefix; NULL: every word may be one
	const char *name;
} gort_type;

// Kinds for gort_alloc.  GORT_NOSCAN: no pointers.  GORT_POINTERS: an array of pointers.
// GORT_CONSERVATIVE: any word may be a pointer.
extern GORT_API const gort_type gort_type_pointer;
#define GORT_NOSCAN ((const gort_type *)0)
#define GORT_POINTERS (&gort_type_pointer)
#define GORT_CONSERVATIVE (&gort_type_pointer)

// gort_alloc returns size bytes of zeroed memory (rounded up to 8 with pointers) of the kind
// described, aligned to 8; to 16 if size is a multiple of 16 from 32 on, unless it has pointers and
// more than 512 bytes.  Below 16 bytes without pointers: to 8, 4, 2 or 1, the first that divides
// size.  Never NULL: out of memory is a fatal error.  Go: runtime.mallocgc.
GORT_API void *gort_alloc(size_t size, const gort_type *kind)
	__attribute__((malloc, returns_nonnull, alloc_size(1)));
// gort_newobject is gort_new on a descriptor.  Go: runtime.newobject.
GORT_API void *gort_newobject(const gort_type *type) __attribute__((malloc, returns_nonnull));
// gort_newarray allocates n zeroed elements.  A size that overflows is a panic, as in Go.
GORT_API void *gort_newarray(const gort_type *type, size_t n)
	__attribute__((malloc, returns_nonnull));

// gort_strdup and friends allocate noscan strings.  The result of gort_asprintf ends with 0.
GORT_API char *gort_strdup(const char *s) __attribute__((malloc, returns_nonnull));
GORT_API char *gort_strndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
GORT_API char *gort_asprintf(const char *fmt, ...)
	__attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

// ---- write barrier

// gort_writeBarrier is not 0 while the collector marks.
extern GORT_API uint32_t gort_writeBarrier;
// gort_wb_slow tells the collector of *slot and val and then stores.  See gort_store.
GORT_API void gort_wb_slow(void **slot, void *val);
// gort_typedmemmove copies one object of the type with barriers; the places may overlap.
GORT_API void gort_typedmemmove(const gort_type *type, void *dst, const void *src);
// gort_memmove copies n bytes, every word maybe a pointer.  That n or a place is no multiple of 8 is a
// fatal error.
GORT_API void gort_memmove(void *dst, const void *src, size_t n);
// gort_memzero clears n bytes likewise.
GORT_API void gort_memzero(void *dst, size_t n);
// gort_cas and gort_xchg are sequentially consistent atomics on a shared pointer.
GORT_API bool gort_cas_pointer(void **slot, void *old, void *val);
GORT_API void *gort_xchg_pointer(void **slot, void *val);
// gort_sort sorts n elements of size bytes in place, with barriers; not stable; O(n log n).
GORT_API void gort_sort(void *base, size_t n, size_t size, int (*cmp)(const void *, const void *));

// ---- roots

// gort_root_add makes [start, start+size) a root: each aligned word there may point to an object.
// 0, -EINVAL for an empty or wrapping range, -EEXIST if it overlaps one.  gort_root_remove takes
// the same start again: 0 or -ENOENT.  gort_root_exclude makes the collector skip a part of the
// program's globals, for large tables without pointers: 0 or -EINVAL.
GORT_API int gort_root_add(const void *start, size_t size);
GORT_API int gort_root_remove(const void *start);
GORT_API int gort_root_exclude(const void *start, size_t size);

// ---- collector

// gort_gc runs a full collection and sweeps; it returns when both are done.  Go: runtime.GC.
GORT_API void gort_gc(void);
// gort_set_gc_percent sets GOGC (negative: off) and returns the previous value.
GORT_API int gort_set_gc_percent(int percent);
// gort_set_memory_limit sets GOMEMLIMIT in bytes; negative only asks.  Returns the previous limit.
GORT_API int64_t gort_set_memory_limit(int64_t limit);
// gort_free_os_memory collects and returns as much memory as it can to the system.
GORT_API void gort_free_os_memory(void);

// gort_memstats: Go's runtime.MemStats, field by field.  Sizes in bytes, times in ns.
typedef struct gort_memstats {
	uint64_t Alloc, TotalAlloc, Sys, Lookups, Mallocs, Frees;
	uint64_t HeapAlloc, HeapSys, HeapIdle, HeapInuse, HeapReleased, HeapObjects;
	uint64_t StackInuse, StackSys, MSpanInuse, MSpanSys, MCacheInuse, MCacheSys;
	uint64_t BuckHashSys, GCSys, OtherSys;
	uint64_t NextGC, LastGC, PauseTotalNs;
	uint64_t PauseNs[256];  // circular; the latest at (NumGC+255)%256
	uint64_t PauseEnd[256]; // likewise, ns since 1970
	uint32_t NumGC, NumForcedGC;
	double GCCPUFraction;
	bool EnableGC, DebugGC;
	struct {
		uint32_t Size;
		uint64_t Mallocs, Frees;
	} BySize[68]; // Go: 61 of them
} gort_memstats;
// gort_read_memstats stops the world for a moment.  Go: runtime.ReadMemStats.
GORT_API void gort_read_memstats(gort_memstats *m);

// ---- stacks and profiles ----------------------------------------------------------------------------
//
// Profiles are in the formats of Go's runtime/pprof: `go tool pprof` reads them.  In the environment,
// GORT_CPUPROFILE=FILE and GORT_HEAPPROFILE=FILE make a program write profiles of the whole run when it
// exits.  A descriptor to write profiles or traces to may be non-blocking: what it does not take yet is
// waited for, while other goroutines run.  If nobody reads it any more the error is -EPIPE.

// gort_stack writes the traceback of the calling goroutine to buf, then those of all others if all
// (which stops the world), and returns how many of the n bytes it used; no 0 ends it.
// Go: runtime.Stack.
GORT_API size_t gort_stack(char *buf, size_t n, bool all);
// gort_pprof_start_cpu samples the stacks of running threads 100 times for each second of CPU time they
// use, and writes the profile to fd when gort_pprof_stop_cpu is called.  0, or -EBUSY if it is on.
// gort_pprof_stop_cpu returns when all is written: 0, also if no profile was on, or the error of a
// write.  fd stays open.  Go: pprof.StartCPUProfile, StopCPUProfile.
GORT_API int gort_pprof_start_cpu(int fd);
GORT_API int gort_pprof_stop_cpu(void);
// gort_pprof_write writes a profile to fd.  name: "heap", live objects as of the last collection;
// "allocs", the same with all allocations first; "goroutine", all goroutines' stacks (stops the world);
// "threadcreate", the stacks that made threads.  debug 0: for pprof, compressed; 1: as text; 2, of
// "goroutine" only: as tracebacks.  0, -ENOENT if there is no such profile, or the error of a write.
// Go: pprof.Lookup(name).WriteTo(fd, debug).
GORT_API int gort_pprof_write(const char *name, int fd, int debug);
// gort_mem_profile_rate makes the memory profile sample one allocation for every rate bytes, on average
// (default: 512 KB; 1: every one; 0: none), and returns the previous rate; negative only asks.  To be
// set once and early; GODEBUG=memprofilerate=N does it too.  Go: runtime.MemProfileRate.
GORT_API int64_t gort_mem_profile_rate(int64_t rate);

// gort_labels is a set of labels, key and value, that profiles show with a goroutine's samples.
// Garbage collected, never changed; NULL is the empty set.
typedef struct gort_labels gort_labels;
// gort_pprof_labels returns base with the pairs key, value, ... added; NULL ends them.  The strings are
// copied.  A key without a value is a panic.  Go: pprof.WithLabels(ctx, pprof.Labels(...)).
GORT_API gort_labels *gort_pprof_labels(const gort_labels *base, ...) __attribute__((sentinel));
// gort_pprof_label is the value of a key, NULL if there is none; it lives as long as the set.
GORT_API const char *gort_pprof_label(const gort_labels *labels, const char *key);
// gort_set_goroutine_labels gives the calling goroutine these labels, instead of those it has, and
// gort_goroutine_labels returns them.  A new goroutine has the labels of the one that makes it.
// Go: pprof.SetGoroutineLabels.
GORT_API void gort_set_goroutine_labels(const gort_labels *labels);
GORT_API const gort_labels *gort_goroutine_labels(void);
// gort_pprof_do calls f(arg) with labels added to those of the goroutine.  Go: pprof.Do.
GORT_API void gort_pprof_do(const gort_labels *labels, void (*f)(void *arg), void *arg);

// ---- channels, select -----------------------------------------------------------------------------

// gort_hchan is a channel as these functions see it; gort_chan below has the type of the elements.
// Garbage collected: no free.  NULL is Go's nil channel: sends and receives block for ever, or fail
// where they do not block, its length and capacity are 0, and closing it is a panic.
typedef struct hchan gort_hchan;
// gort_makechan makes a channel for n elements; 0: unbuffered.  *elem must stay, and size less than
// 64 KB; a size that overflows is a panic.  Go: make(chan T, n).
GORT_API gort_hchan *gort_makechan(const gort_type *elem, size_t n);
// gort_chansend sends the element at elem, which is copied; blocks until a receiver or the buffer
// takes it.  Panics if c is closed, also while it waits.  Go: c <- v.
GORT_API void gort_chansend(gort_hchan *c, const void *elem);
// gort_chanrecv receives to elem, unless that is NULL; blocks until there is an element or c is
// closed.  False: closed and drained, and *elem is zero.  Go: v, ok := <-c.
GORT_API bool gort_chanrecv(gort_hchan *c, void *elem);
// gort_closechan closes c: who waits to receive gets zero, who waits to send panics.  What is in the
// buffer can still be received.  Closing twice is a panic.  Go: close.
GORT_API void gort_closechan(gort_hchan *c);
// gort_chantrysend and gort_chantryrecv do not block: false if they would have to.  A closed channel
// is ready: *ok, unless ok is NULL, is false and *elem zero then.  Go: select with default.
GORT_API bool gort_chantrysend(gort_hchan *c, const void *elem);
GORT_API bool gort_chantryrecv(gort_hchan *c, void *elem, bool *ok);
// Elements in the buffer, and how many it can hold.  Go: len, cap.
GORT_API size_t gort_chanlen(gort_hchan *c);
GORT_API size_t gort_chancap(gort_hchan *c);

enum gort_caseop { GORT_CASE_RECV = 1, GORT_CASE_SEND, GORT_CASE_TIMEOUT, GORT_CASE_DEFAULT };
typedef struct gort_scase {
	int op;        // enum gort_caseop
	gort_hchan *c; // NULL never proceeds
	void *elem;    // what to send, not NULL; where to receive to, NULL: nowhere
	bool *ok;      // receive: set as by gort_chanrecv if the case is chosen; may be NULL
	int64_t d;     // GORT_CASE_TIMEOUT: ns, from now; <= 0: is over
} gort_scase;
// gort_selectgo waits until one of n cases can proceed, does it, and returns its index.  Of several
// it takes one at random.  With GORT_CASE_DEFAULT (one at most) it does not wait.  Without cases it
// blocks for ever; more than 65536 are a panic, as is a send on a closed channel.  Go: select.
GORT_API int gort_selectgo(gort_scase *cases, int n);

// ---- time -------------------------------------------------------------------------------------------

#define GORT_US INT64_C(1000)
#define GORT_MS INT64_C(1000000)
#define GORT_S INT64_C(1000000000)
// gort_now is a monotonic clock in ns.
GORT_API int64_t gort_now(void);
// gort_sleep parks the goroutine for ns nanoseconds (<= 0: returns at once).
GORT_API void gort_sleep(int64_t ns);
// gort_timer: f(arg) runs in a goroutine of its own once ns nanoseconds have passed (<= 0: at once).
// Garbage collected; a running timer needs no pointer to it.  stop and reset report whether the
// timer was still to fire; they do not wait for an f that runs.  Go: time.AfterFunc.
typedef struct gort_timer gort_timer;
GORT_API gort_timer *gort_after_func(int64_t ns, void (*f)(void *), void *arg);
GORT_API bool gort_timer_stop(gort_timer *t);
GORT_API bool gort_timer_reset(gort_timer *t, int64_t ns);
// gort_ticker: sends gort_now() on its channel, gort_ticker_chan(t), every ns nanoseconds (<= 0 is a
// panic); the channel has room for one tick, later ones are dropped.  Garbage collected, running or
// not.  stop does not close the channel.  Go: time.NewTicker.
typedef struct gort_ticker gort_ticker;
GORT_API gort_ticker *gort_new_ticker(int64_t ns);
GORT_API gort_hchan *gort_ticker_hchan(gort_ticker *t);
GORT_API void gort_ticker_stop(gort_ticker *t);
GORT_API void gort_ticker_reset(gort_ticker *t, int64_t ns);

// ---- synchronisation; all of it is ready when zero ---------------------------------------------------

// None may be copied once it has been used.  The functions that lock or wait block the goroutine,
// not its thread; those with try in their name return false instead.

// Not tied to a goroutine: another one may unlock it.  Go: sync.Mutex.
typedef struct gort_mutex {
	int32_t state;
	uint32_t sema;
} gort_mutex;
GORT_API void gort_mutex_lock(gort_mutex *m);
GORT_API bool gort_mutex_trylock(gort_mutex *m);
GORT_API void gort_mutex_unlock(gort_mutex *m); // not locked: fatal error

// Any number of readers or one writer; a writer that waits keeps new readers out, so that a reader
// must not lock it again.  Unlocking what is not locked is a fatal error.  Go: sync.RWMutex.
typedef struct gort_rwmutex {
	gort_mutex w;
	uint32_t writerSem, readerSem;
	int32_t readerCount, readerWait;
} gort_rwmutex;
GORT_API void gort_rwmutex_rlock(gort_rwmutex *rw);
GORT_API bool gort_rwmutex_tryrlock(gort_rwmutex *rw);
GORT_API void gort_rwmutex_runlock(gort_rwmutex *rw);
GORT_API void gort_rwmutex_lock(gort_rwmutex *rw);
GORT_API bool gort_rwmutex_trylock(gort_rwmutex *rw);
GORT_API void gort_rwmutex_unlock(gort_rwmutex *rw);

// A counter; wait blocks until it is 0.  The adds that lift it from 0 must come before the wait.
// Go: sync.WaitGroup.
typedef struct gort_waitgroup {
	uint64_t state;
	uint32_t sema;
} gort_waitgroup;
GORT_API void gort_waitgroup_add(gort_waitgroup *wg, int delta); // below 0: panic
GORT_API void gort_waitgroup_done(gort_waitgroup *wg);
GORT_API void gort_waitgroup_wait(gort_waitgroup *wg);

// gort_once_do calls f the first time; who comes meanwhile waits until f is done.  An f that panics
// or exits the goroutine counts as done.  Go: sync.Once.
typedef struct gort_once {
	uint32_t done;
	gort_mutex m;
} gort_once;
GORT_API void gort_once_do(gort_once *o, void (*f)(void));

// gort_pool: a cache of objects that may vanish in any collection.  Go: sync.Pool.  Globals only
// (or memory that is never freed).
typedef struct gort_pool {
	void *local;
	uintptr_t localSize;
	void *victim;
	uintptr_t victimSize;
	void *(*New)(void); // makes an object when there is none; may be NULL
	struct gort_pool *link;
} gort_pool;
GORT_API void *gort_pool_get(gort_pool *p);         // NULL: none, and no New
GORT_API void gort_pool_put(gort_pool *p, void *x); // x: an object of the heap; NULL is ignored

// gort_sema_acquire waits until *s > 0 and takes one; gort_sema_release adds one.  First come, first
// served, but who comes by while one is free takes it.  Go: runtime_Semacquire, runtime_Semrelease.
GORT_API void gort_sema_acquire(uint32_t *s);
GORT_API void gort_sema_release(uint32_t *s);

// ---- execution traces: go tool trace reads them; GORT_TRACE=file traces the whole program --------------
//
// A panic completes the trace; a fatal error cuts it off after the last complete generation, as in Go.

// gort_trace_start writes a trace to fd from now on, in Go's format; what happens until gort_trace_stop
// is in it.  -EBUSY: there is one already.  Go: trace.Start.
GORT_API int gort_trace_start(int fd);
// gort_trace_start_writer gives the trace to write, piece by piece, in a goroutine of its own.  write
// returns 0 or a negative errno; it may use the whole API but the calls of this section that start, stop
// or take a snapshot: they return -EDEADLK there.  ctx is not a root.
GORT_API int gort_trace_start_writer(
	int (*write)(void *ctx, const void *data, size_t n), void *ctx);
// gort_trace_stop ends the trace.  When it returns everything has been written, and nothing will be any
// more.  The result is the first error of writing.  Go: trace.Stop.
GORT_API int gort_trace_stop(void);
GORT_API int gort_trace_enabled(void); // is anybody tracing?

// The flight recorder keeps the last part of the trace in memory: at least min_age ns of it (0: 10 s),
// but not much more than max_bytes (0: 10 MB).  gort_trace_snapshot writes what there is to fd, as a
// complete trace.  It goes on beside gort_trace_start.  Go: trace.FlightRecorder.
GORT_API int gort_trace_flight_start(int64_t min_age, size_t max_bytes);
GORT_API int gort_trace_snapshot(int fd); // -EINVAL: not recording
GORT_API int gort_trace_flight_stop(void);

// What the program itself says in a trace.  A task may span goroutines; parent and task 0: none.  A
// region is part of what one goroutine does: regions nest.  In C, gort_trace_region(task, name) in a
// block makes the rest of the block one.  Strings are cut at 1024 bytes.  All of this costs next to
// nothing while nobody traces.  Go: trace.NewTask, StartRegion, Log.
GORT_API uint64_t gort_trace_task_begin(uint64_t parent, const char *type);
GORT_API void gort_trace_task_end(uint64_t task);
GORT_API void gort_trace_region_begin(uint64_t task, const char *name);
GORT_API void gort_trace_region_end(uint64_t task, const char *name);
GORT_API void gort_trace_log(uint64_t task, const char *category, const char *message);

// ---- below this line: macros and what they call -------------------------------------------------------
//
// The macros evaluate their arguments once.  In C++ there are none: use the functions, and
// gort_store_((void **)&place, value) for gort_store.

GORT_API void gort_newproc(const gort_call *call, unsigned stackclass);
extern GORT_API void (*const gort_capture)(
	void); // stores the argument registers through the static chain
GORT_API void gort_call_run(const gort_call *call);

// gort_deferred is the record of one gort_defer on the goroutine's stack.
typedef struct gort_deferred {
	struct gort_deferred *link;
	gort_call call;
	void *pc;
} gort_deferred;
GORT_API void gort_defer_push(gort_deferred *d);
GORT_API void gort_defer_pop(gort_deferred *d); // unlinks and runs it

// gort_register_dso tells the runtime of a shared object or program: where stores with a barrier
// stand in its code, and an address in it, by which its globals are found.
GORT_API void gort_register_dso(const void *unsafepc, const void *unsafepcend, const void *here);
// gort_register_async_text does so for its GORT_ASYNC functions.
GORT_API void gort_register_async_text(const void *begin, const void *end);

// GORT_ASYNC before a function's definition: a time slice that ends inside it moves the goroutine
// off its thread, where others are stopped together with the thread.  Neither the function nor its
// callers may hold a lock that belongs to a thread (pthread_mutex, stdio) or use thread-local
// objects, errno among them.
#define GORT_ASYNC __attribute__((noinline, section("gort_async_text")))

#ifndef GORT_NO_REGISTER
extern const char __start_gort_async_text[] __attribute__((weak, visibility("hidden")));
extern const char __stop_gort_async_text[] __attribute__((weak, visibility("hidden")));
extern const char __start_gort_unsafe_pc[] __attribute__((weak, visibility("hidden")));
extern const char __stop_gort_unsafe_pc[] __attribute__((weak, visibility("hidden")));
__attribute__((constructor, weak, visibility("hidden"))) void gort_dso_init(void);
__attribute__((constructor, weak, visibility("hidden"))) void
gort_dso_init(void) {
	gort_register_dso(__start_gort_unsafe_pc, __stop_gort_unsafe_pc,
		(const void *)(uintptr_t)gort_dso_init);
	gort_register_async_text(__start_gort_async_text, __stop_gort_async_text);
}
#endif

// The check of the flag and the store are one piece of code that a stop by signal never splits:
// its addresses go to the section gort_unsafe_pc, and a thread stopped there starts it again.
// With GORT_CHECK the missing-barrier checker (tools/check) does it, and knows that it was done.
#ifdef GORT_CHECK
GORT_API void gort_check_store(void **slot, void *val);
#	define gort_store_(slot, val) gort_check_store((slot), (val))
#else
static inline __attribute__((always_inline, unused)) void
gort_store_(void **slot, void *val) {
	__asm__ goto(".Lgort_ub%=:\n\tcmpl $0, %[flag]\n\tjne %l[slow]\n\tmovq %[val], %[slot]\n"
		     ".Lgort_ue%=:\n\t"
		     ".pushsection gort_unsafe_pc,\"ao?\",@progbits,.Lgort_ub%=\n\t.balign 4\n\t"
		     ".long .Lgort_ub%=-.\n\t.long .Lgort_ue%=-.\n\t.popsection"
		     :
		     : [flag] "m"(gort_writeBarrier), [val] "r"(val), [slot] "m"(*slot)
		     : "cc", "memory"
		     : slow);
	return;
slow:
	gort_wb_slow(slot, val);
}
#endif

#ifdef __cplusplus
} // extern "C"
#else

// Types that do not match are errors, whatever the compiler's flags.
#	define GORT_STRICT_                                                 \
		_Pragma("GCC diagnostic push")                               \
			_Pragma("GCC diagnostic error \"-Wint-conversion\"") \
				_Pragma("GCC diagnostic error \"-Wincompatible-pointer-types\"")
#	define GORT_STRICTEND_ _Pragma("GCC diagnostic pop")
#	define GORT_CAT_(a, b) a##b
#	define GORT_CAT(a, b) GORT_CAT_(a, b)
#	define GORT_UNIQ_(name) GORT_CAT(name, __COUNTER__)
// the type of the value of a: no qualifiers, not _Atomic, arrays and functions as pointers
#	define GORT_DECAY_(a) __typeof__(((void)0, (a)))

// gort_store(lvalue, value): lvalue = value with the write barrier.  lvalue is a pointer.
#	define gort_store(lvalue, ...) \
		GORT_STORE_(GORT_UNIQ_(gort_s_), GORT_UNIQ_(gort_v_), lvalue, __VA_ARGS__)
#	define GORT_STORE_(s, v, lvalue, ...)                                                  \
		__extension__({                                                                 \
			GORT_STRICT_ __typeof__(lvalue) *s = &(lvalue);                         \
			__typeof__(lvalue) v = (__VA_ARGS__);                                   \
			_Static_assert(                                                         \
				__builtin_classify_type(*s) == 5, "gort_store: not a pointer"); \
			if (0)                                                                  \
				*s = v; /* is it const? */                                      \
			GORT_STRICTEND_ gort_store_((void **)(s), (void *)(uintptr_t)(v));      \
		})
// gort_copy(dst, src): *dst = *src for structures with pointers.
#	define gort_copy(dst, src) GORT_COPY_(GORT_UNIQ_(gort_d_), GORT_UNIQ_(gort_s_), dst, src)
#	define GORT_COPY_(d, s, dst, src)                                                     \
		__extension__({                                                                \
			GORT_STRICT_ __typeof__(*(dst)) *d = (dst);                            \
			const __typeof__(*(dst)) *s = (src);                                   \
			_Static_assert(                                                        \
				sizeof *d % 8 == 0, "gort_copy: not whole words: use memcpy"); \
			GORT_STRICTEND_ gort_memmove(d, s, sizeof *d);                         \
		})
// gort_zero(p): *p = all zero bits for structures with pointers.
#	define gort_zero(p)                                                                     \
		__extension__({                                                                  \
			_Static_assert(                                                          \
				sizeof *(p) % 8 == 0, "gort_zero: not whole words: use memset"); \
			gort_memzero((p), sizeof *(p));                                          \
		})
// gort_cas(slot, old, val): if *slot is old it becomes val; true if so.  gort_xchg(slot, val) stores
// val and returns what was there.  slot points to a pointer, which may be _Atomic.  Go: atomic.Pointer.
#	define gort_cas(slot, old, val) \
		GORT_CAS_(GORT_UNIQ_(gort_o_), GORT_UNIQ_(gort_n_), slot, old, val)
#	define GORT_CAS_(o, n, slot, old, val)                                                  \
		__extension__({                                                                  \
			GORT_STRICT_ __typeof__(*(slot)) o = (old), n = (val);                   \
			GORT_STRICTEND_ gort_cas_pointer((void **)(slot), (void *)o, (void *)n); \
		})
#	define gort_xchg(slot, val) GORT_XCHG_(GORT_UNIQ_(gort_n_), slot, val)
#	define GORT_XCHG_(n, slot, val)                               \
		__extension__({                                        \
			GORT_STRICT_ __typeof__(*(slot)) n = (val);    \
			GORT_STRICTEND_(GORT_DECAY_(*(slot)))          \
			gort_xchg_pointer((void **)(slot), (void *)n); \
		})

// ---- GORT_TYPE(T, field...): the descriptor of T, a typedef's name.  Each field is a pointer or an
// array of pointers; a.b names nested ones.  At most 16 fields and 4 KB; beyond that allocate with
// GORT_CONSERVATIVE.
#	define GORT_NARG_(                                                                    \
		_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16, N, ...) \
		N
#	define GORT_NARG(...) \
		GORT_NARG_(__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#	define GORT_E1(M, T, a) M(T, a)
#	define GORT_E2(M, T, a, ...) M(T, a) GORT_E1(M, T, __VA_ARGS__)
#	define GORT_E3(M, T, a, ...) M(T, a) GORT_E2(M, T, __VA_ARGS__)
#	define GORT_E4(M, T, a, ...) M(T, a) GORT_E3(M, T, __VA_ARGS__)
#	define GORT_E5(M, T, a, ...) M(T, a) GORT_E4(M, T, __VA_ARGS__)
#	define GORT_E6(M, T, a, ...) M(T, a) GORT_E5(M, T, __VA_ARGS__)
#	define GORT_E7(M, T, a, ...) M(T, a) GORT_E6(M, T, __VA_ARGS__)
#	define GORT_E8(M, T, a, ...) M(T, a) GORT_E7(M, T, __VA_ARGS__)
#	define GORT_E9(M, T, a, ...) M(T, a) GORT_E8(M, T, __VA_ARGS__)
#	define GORT_E10(M, T, a, ...) M(T, a) GORT_E9(M, T, __VA_ARGS__)
#	define GORT_E11(M, T, a, ...) M(T, a) GORT_E10(M, T, __VA_ARGS__)
#	define GORT_E12(M, T, a, ...) M(T, a) GORT_E11(M, T, __VA_ARGS__)
#	define GORT_E13(M, T, a, ...) M(T, a) GORT_E12(M, T, __VA_ARGS__)
#	define GORT_E14(M, T, a, ...) M(T, a) GORT_E13(M, T, __VA_ARGS__)
#	define GORT_E15(M, T, a, ...) M(T, a) GORT_E14(M, T, __VA_ARGS__)
#	define GORT_E16(M, T, a, ...) M(T, a) GORT_E15(M, T, __VA_ARGS__)
#	define GORT_EACH(M, T, ...) GORT_CAT(GORT_E, GORT_NARG(__VA_ARGS__))(M, T, __VA_ARGS__)

// the bits of one field in 64-bit word w of the mask
#	define GORT_B_(T, f) (offsetof(T, f) / 8)
#	define GORT_N_(T, f) (sizeof(((T *)0)->f) / 8)
#	define GORT_LO_(T, f, w) (GORT_B_(T, f) > 64u * (w) ? GORT_B_(T, f) - 64u * (w) : 0u)
#	define GORT_HI_(T, f, w)                                           \
		(GORT_B_(T, f) + GORT_N_(T, f) > 64u * (w) + 64u ? 64u      \
			: GORT_B_(T, f) + GORT_N_(T, f) > 64u * (w)         \
				? GORT_B_(T, f) + GORT_N_(T, f) - 64u * (w) \
				: 0u)
#	define GORT_FM_(T, f, w)                                                              \
		| (GORT_HI_(T, f, w) > GORT_LO_(T, f, w)                                       \
				  ? (~(uint64_t)0 >>                                           \
					    ((64u - (GORT_HI_(T, f, w) - GORT_LO_(T, f, w))) & \
						    63u))                                      \
					    << (GORT_LO_(T, f, w) & 63u)                       \
				  : (uint64_t)0)
#	define GORT_FM0_(T, f) GORT_FM_(T, f, 0)
#	define GORT_FM1_(T, f) GORT_FM_(T, f, 1)
#	define GORT_FM2_(T, f) GORT_FM_(T, f, 2)
#	define GORT_FM3_(T, f) GORT_FM_(T, f, 3)
#	define GORT_FM4_(T, f) GORT_FM_(T, f, 4)
#	define GORT_FM5_(T, f) GORT_FM_(T, f, 5)
#	define GORT_FM6_(T, f) GORT_FM_(T, f, 6)
#	define GORT_FM7_(T, f) GORT_FM_(T, f, 7)
#	define GORT_M_(T, w, ...) (0 GORT_EACH(GORT_FM##w##_, T, __VA_ARGS__))
// To clang _Atomic(T *) and T * are two types, neither of them an array.
#	define GORT_ISARR_(f)                                                   \
		(!__builtin_types_compatible_p(__typeof__(f), GORT_DECAY_(f)) && \
			!__builtin_types_compatible_p(__typeof__(f), _Atomic(GORT_DECAY_(f))))
#	define GORT_ELEM0_(f) (__builtin_choose_expr(GORT_ISARR_(f), (f), (char(*)[1])0)[0])
#	define GORT_OKPTR_(T, f)                                                                  \
		(GORT_ISARR_(((T *)0)->f) ? __builtin_classify_type(GORT_ELEM0_(((T *)0)->f)) == 5 \
					  : __builtin_classify_type(((T *)0)->f) == 5)
#	define GORT_CHK_(T, f)                                                \
		_Static_assert(GORT_OKPTR_(T, f) && offsetof(T, f) % 8 == 0 && \
				       sizeof(((T *)0)->f) % 8 == 0,           \
			"GORT_TYPE: " #T "." #f                                \
			" is not an aligned pointer or array of pointers");
#	define GORT_PDF_(T, f) char GORT_UNIQ_(gort_c_)[offsetof(T, f) + sizeof(((T *)0)->f)];
#	define GORT_PD_(T, ...) sizeof(union {GORT_EACH(GORT_PDF_, T, __VA_ARGS__)})

#	define GORT_TYPE(T, ...)                                                               \
		GORT_EACH(GORT_CHK_, T, __VA_ARGS__)                                            \
		_Static_assert(_Alignof(T) % 8 == 0,                                            \
			"GORT_TYPE: " #T " is packed: an array of it has no aligned pointers"); \
		_Static_assert(GORT_PD_(T, __VA_ARGS__) <= 4096,                                \
			"GORT_TYPE: " #T                                                        \
			" has pointers beyond 4 KB: allocate it with GORT_CONSERVATIVE");       \
		static const uint64_t gort_mask_##T[8] __attribute__((unused)) = {              \
			GORT_M_(T, 0, __VA_ARGS__), GORT_M_(T, 1, __VA_ARGS__),                 \
			GORT_M_(T, 2, __VA_ARGS__), GORT_M_(T, 3, __VA_ARGS__),                 \
			GORT_M_(T, 4, __VA_ARGS__), GORT_M_(T, 5, __VA_ARGS__),                 \
			GORT_M_(T, 6, __VA_ARGS__), GORT_M_(T, 7, __VA_ARGS__)};                \
		static const gort_type gort_type_##T __attribute__((unused)) = {                \
			sizeof(T), GORT_PD_(T, __VA_ARGS__), (const uint8_t *)gort_mask_##T, #T}
// GORT_TYPE_NOSCAN(T): T holds no pointers.
#	define GORT_TYPE_NOSCAN(T)                  \
		static const gort_type gort_type_##T \
			__attribute__((unused)) = {sizeof(T), 0, NULL, #T}
// GORT_TYPE_CONSERVATIVE(T): any aligned word of T may be a pointer.
#	define GORT_TYPE_CONSERVATIVE(T)            \
		static const gort_type gort_type_##T \
			__attribute__((unused)) = {sizeof(T), sizeof(T) / 8 * 8, NULL, #T}
#	define GORT_TYPE_OF(T) (&gort_type_##T)

// gort_new(T): a zeroed T on the heap.  gort_new_array(T, n): n of them, in one object.
#	define gort_new(T) ((T *)gort_newobject(&gort_type_##T))
#	define gort_new_array(T, n) ((T *)gort_newarray(&gort_type_##T, (n)))
// gort_new_with(T, .field = value, ...): an initialised one; needs no gort_store.
#	define gort_new_with(T, ...) \
		GORT_NEW_WITH_(       \
			T, &gort_type_##T, GORT_UNIQ_(gort_p_), GORT_UNIQ_(gort_v_), __VA_ARGS__)
#	define GORT_ALIGNED_ __attribute__((aligned(8)))
#	define GORT_NEW_WITH_(T, type, p, v, ...)                        \
		__extension__({                                           \
			GORT_STRICT_ T v GORT_ALIGNED_ = {__VA_ARGS__};   \
			GORT_STRICTEND_ T *p = (T *)gort_newobject(type); \
			gort_typedmemmove((type), p, &v);                 \
			p;                                                \
		})

// ---- gort_go(f, args...): f(args...) in a new goroutine.  Arguments are checked against f's prototype
// and evaluated now.  At most six words of arguments that travel in registers; result void or a word.
// An argument with a comma of its own wants parentheses: ((point){1, 2}).
#	define GORT_NARGS0_(_0, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, N, ...) N
#	define GORT_NARGS0(...) \
		GORT_NARGS0_(__VA_ARGS__, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0)
// words of argument a; 99: it does not travel in (the low half of) registers
#	define GORT_W_(a)                                                       \
		+(__builtin_types_compatible_p(GORT_DECAY_(a), long double) ||   \
					sizeof(GORT_DECAY_(a)) > 16 ||           \
					_Alignof(GORT_DECAY_(a)) > 8 ||          \
					(__builtin_classify_type(a) == 12 &&     \
						sizeof(GORT_DECAY_(a)) > 1 &&    \
						_Alignof(GORT_DECAY_(a)) < 2) || \
					(sizeof(GORT_DECAY_(a)) > 8 &&           \
						_Alignof(GORT_DECAY_(a)) < 4)    \
				? 99                                             \
				: (sizeof(GORT_DECAY_(a)) + 7) / 8)
#	define GORT_A0(f) +0
#	define GORT_A1(f, a) GORT_W_(a)
#	define GORT_A2(f, a, b) GORT_W_(a) GORT_W_(b)
#	define GORT_A3(f, a, b, c) GORT_W_(a) GORT_W_(b) GORT_W_(c)
#	define GORT_A4(f, a, b, c, d) GORT_W_(a) GORT_W_(b) GORT_W_(c) GORT_W_(d)
#	define GORT_A5(f, a, b, c, d, e) GORT_W_(a) GORT_W_(b) GORT_W_(c) GORT_W_(d) GORT_W_(e)
#	define GORT_A6(f, a, b, c, d, e, g) \
		GORT_W_(a) GORT_W_(b) GORT_W_(c) GORT_W_(d) GORT_W_(e) GORT_W_(g)
#	define GORT_A7(...) +99
#	define GORT_A8(...) +99
#	define GORT_A9(...) +99
#	define GORT_A10(...) +99
#	define GORT_A11(...) +99
#	define GORT_F_(f, ...) f
#	define GORT_CALL0_(f) (f)()
#	define GORT_CALL1_(f, ...) (f)(__VA_ARGS__)
#	define GORT_CAPT0_(f) ((__typeof__(&*(f)))gort_capture)()
#	define GORT_CAPT1_(f, ...) ((__typeof__(&*(f)))gort_capture)(__VA_ARGS__)
#	define GORT_HAS_(...) GORT_HAS__(__VA_ARGS__, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0)
#	define GORT_HAS__(_0, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, N, ...) N
#	define GORT_CALLEXPR_(...) \
		GORT_CAT(GORT_CAT(GORT_CALL, GORT_HAS_(__VA_ARGS__)), _)(__VA_ARGS__)
#	define GORT_CAPEXPR_(...) \
		GORT_CAT(GORT_CAT(GORT_CAPT, GORT_HAS_(__VA_ARGS__)), _)(__VA_ARGS__)
#	define GORT_CAPTURE_(callp, ...)                                                         \
		_Static_assert((0 GORT_CAT(GORT_A, GORT_NARGS0(__VA_ARGS__))(__VA_ARGS__)) <= 6,  \
			"gort_go, gort_defer: arguments must fit six registers: pass a pointer"); \
		_Static_assert(sizeof(struct {                                                    \
			__typeof__(__builtin_choose_expr(                                         \
				__builtin_types_compatible_p(                                     \
					__typeof__(GORT_CALLEXPR_(__VA_ARGS__)), void),           \
				0, GORT_CALLEXPR_(__VA_ARGS__))) r;                               \
		}) <= 8,                                                                          \
			"gort_go, gort_defer: the result must be void or fit a register");        \
		(callp)->fn = (void *)(uintptr_t)(GORT_F_(__VA_ARGS__, 0));                       \
		GORT_STRICT_(void)                                                                \
		__builtin_call_with_static_chain(GORT_CAPEXPR_(__VA_ARGS__), (void *)(callp));    \
		GORT_STRICTEND_

#	define gort_go(...) GORT_GO_(GORT_UNIQ_(gort_d_), 0, __VA_ARGS__)
// gort_go_stack(class, f, args...): with a stack of another size.
enum { GORT_STACK_DEFAULT = 0, GORT_STACK_64K, GORT_STACK_256K, GORT_STACK_1M, GORT_STACK_8M };
#	define gort_go_stack(class, ...) GORT_GO_(GORT_UNIQ_(gort_d_), class, __VA_ARGS__)
#	define GORT_GO_(d, class, ...)                                           \
		do {                                                              \
			gort_call d;                                              \
			GORT_CAPTURE_(&d, __VA_ARGS__) gort_newproc(&d, (class)); \
		} while (0)

// gort_defer(f, args...): f(args...) when the enclosing block is left, by return, break, gort_goexit
// or a panic.  Stands in a block as a declaration does.  (Go defers to the end of the function.)
#	define gort_defer(...) GORT_DEFER_(GORT_UNIQ_(gort_d_), __VA_ARGS__)
#	define GORT_DEFER_(d, ...)                                       \
		__attribute__((cleanup(gort_defer_pop))) gort_deferred d; \
		GORT_CAPTURE_(&d.call, __VA_ARGS__) gort_defer_push(&d)

// gort_trace_region(task, name): see gort_trace_region_begin.
#	define gort_trace_region(task, name) \
		GORT_REGION_(GORT_UNIQ_(gort_t_), GORT_UNIQ_(gort_n_), task, name)
#	define GORT_REGION_(t, n, task, name) \
		uint64_t t = (task);           \
		const char *n = (name);        \
		gort_trace_region_begin(t, n); \
		gort_defer(gort_trace_region_end, t, n)

// ---- typed channels: gort_chan(int) c = gort_chan_make(int, 10);
// A gort_chan(T) is a pointer to an array of T of an odd length: structural, so that it is the same
// type everywhere, seen by the collector as the pointer it is, and not to be confused with a T *.
// The channel belongs to the collector; NULL is Go's nil channel.  An element is less than 64 KB.  What
// blocks and what panics is said at gort_makechan and the functions after it.
// gort_chan(void) is for signals: gort_chan_signal(c) sends one, gort_chan_recv(c) waits for one.
#	define gort_chan(T) __typeof__(GORT_UNQUAL_(GORT_UNVOID_(T))(*)[GORT_CHANLEN_])
#	define GORT_UNVOID_(T) \
		__typeof__(*_Generic((__typeof__(T) *)0, void * \
				     : (char *)0, default       \
				     : (__typeof__(T) *)0))
#	define gort_chan_signal(c) gort_chan_send(c, 0)
#	define GORT_CHANLEN_ 0x474f5254
// T without qualifiers: elements are copied, and a receiver could not fill in a const one
#	define GORT_UNQUAL_(T)                                                    \
		__typeof__(__builtin_choose_expr(GORT_ISARR_(*(__typeof__(T) *)0), \
			*(__typeof__(T) *)0, ((void)0, *(__typeof__(T) *)0)))
#	define GORT_ELEM(c) __typeof__((*(c))[0])
// gort_chan_make(T, n): a channel of n elements; 0: unbuffered.  Pointers and scalars are known
// precisely to the collector; a structure or array counts as conservative.  gort_chan_make_typed
// uses T's GORT_TYPE.  What is not aligned to words, as a packed structure, holds no pointers.
#	define gort_chan_make(T, n) GORT_CHAN_MAKE1_(GORT_UNIQ_(gort_t_), GORT_UNVOID_(T), #        T, n)
#	define gort_chan_make_typed(T, n) \
		GORT_CHAN_MAKE_(GORT_UNIQ_(gort_t_), T, #T, &gort_type_##T, n)
#	define GORT_CHAN_MAKE1_(t, T, name, n) GORT_CHAN_MAKE_(t, T, name, &t, n)
#	define GORT_CHAN_MAKE_(t, T, name, type, n)                                           \
		__extension__({                                                                \
			static const gort_type t = {sizeof(T),                                 \
				(__builtin_classify_type(*(__typeof__(T) *)0) == 5 ||          \
					__builtin_classify_type(*(__typeof__(T) *)0) >= 12) && \
						_Alignof(T) % 8 == 0                           \
					? sizeof(T)                                            \
					: 0,                                                   \
				NULL, name};                                                   \
			(gort_chan(T)) gort_makechan(_Alignof(T) % 8 == 0 ? (type) : &t, (n)); \
		})
// GORT_HCHAN_(c): c as the functions want it, if it is a gort_chan at all.
#	define GORT_HCHAN_(c)                                                           \
		((gort_hchan *)((void)sizeof(struct {                                    \
			_Static_assert(__builtin_types_compatible_p(__typeof__(*(c)),    \
					       __typeof__(GORT_ELEM(c)[GORT_CHANLEN_])), \
				"not a gort_chan");                                      \
			char gort_x_;                                                    \
		}),                                                                      \
			(void *)(c)))
// gort_chan_send(c, v): c <- v, for a v that can be assigned to an element.
#	define gort_chan_send(c, ...)                                             \
		__extension__({                                                    \
			GORT_STRICT_ gort_chansend(                                \
				GORT_HCHAN_(c), (GORT_ELEM(c)[1]){(__VA_ARGS__)}); \
			GORT_STRICTEND_                                            \
		})
// gort_chan_recv(c): the value of <-c, zero when c is closed and drained.
#	define gort_chan_recv(c) GORT_RECV_(GORT_UNIQ_(gort_v_), c)
#	define GORT_RECV_(v, c)                           \
		__extension__({                            \
			GORT_ELEM(c) v;                    \
			gort_chanrecv(GORT_HCHAN_(c), &v); \
			v;                                 \
		})
#	define GORT_ELEMP_(c, p) _Generic((p), GORT_ELEM(c) * : (p), void * : (p))
// gort_chan_recv_ok(c, &v): false when c is closed and drained; v is zero then.
#	define gort_chan_recv_ok(c, p) gort_chanrecv(GORT_HCHAN_(c), GORT_ELEMP_(c, p))
// gort_chan_try_send(c, v), gort_chan_try_recv(c, &v, &ok): false instead of blocking.
#	define gort_chan_try_send(c, ...) GORT_TRY_SEND_(GORT_UNIQ_(gort_r_), c, __VA_ARGS__)
#	define GORT_TRY_SEND_(r, c, ...)                                          \
		__extension__({                                                    \
			GORT_STRICT_ bool r = gort_chantrysend(                    \
				GORT_HCHAN_(c), (GORT_ELEM(c)[1]){(__VA_ARGS__)}); \
			GORT_STRICTEND_ r;                                         \
		})
#	define gort_chan_try_recv(c, p, okp) \
		gort_chantryrecv(GORT_HCHAN_(c), GORT_ELEMP_(c, p), (okp))
#	define gort_chan_close(c) gort_closechan(GORT_HCHAN_(c))
#	define gort_chan_len(c) gort_chanlen(GORT_HCHAN_(c))
#	define gort_chan_cap(c) gort_chancap(GORT_HCHAN_(c))
#	define gort_ticker_chan(t) ((gort_chan(int64_t))(void *)gort_ticker_hchan(t))
// gort_chan_range(v, c) statement: for v := range c.
#	define gort_chan_range(v, c) GORT_RANGE_(GORT_UNIQ_(gort_h_), v, c)
#	define GORT_RANGE_(h, v, c)                            \
		for (GORT_ELEM(c) v, (*h)[GORT_CHANLEN_] = (c); \
			gort_chanrecv((gort_hchan *)(void *)h, &v);)

// ---- select: switch (gort_select(case0, case1, ...)) { case 0: ... case 1: ... }
// The arguments of all cases are evaluated, in order.  p, okp: as for gort_chan_recv_ok; NULL: drop it.
#	define gort_on_recv(ch, p) \
		((gort_scase){GORT_CASE_RECV, GORT_HCHAN_(ch), GORT_ELEMP_(ch, p), NULL, 0})
#	define gort_on_recv_ok(ch, p, okp) \
		((gort_scase){GORT_CASE_RECV, GORT_HCHAN_(ch), GORT_ELEMP_(ch, p), (okp), 0})
#	define gort_on_send(ch, ...)                                                             \
		((gort_scase){GORT_CASE_SEND, GORT_HCHAN_(ch), (GORT_ELEM(ch)[1]){(__VA_ARGS__)}, \
			NULL, 0})
#	define gort_on_timeout(ns) ((gort_scase){GORT_CASE_TIMEOUT, NULL, NULL, NULL, (ns)})
#	define gort_on_default ((gort_scase){GORT_CASE_DEFAULT, NULL, NULL, NULL, 0})
// One case and gort_on_default is a plain call that does not block, as Go compiles it.
static inline __attribute__((always_inline, unused)) int
gort_select_(gort_scase *cases, int n) {
	if (n == 2 && cases[1].op == GORT_CASE_DEFAULT) {
		if (cases[0].op == GORT_CASE_SEND)
			return gort_chantrysend(cases[0].c, cases[0].elem) ? 0 : 1;
		if (cases[0].op == GORT_CASE_RECV) {
			bool ok, done = gort_chantryrecv(cases[0].c, cases[0].elem, &ok);
			if (done && cases[0].ok != NULL)
				*cases[0].ok = ok;
			return done ? 0 : 1;
		}
	}
	return gort_selectgo(cases, n);
}
#	define gort_select(...) GORT_SELECT_(GORT_UNIQ_(gort_cs_), __VA_ARGS__)
#	define GORT_SELECT_(cs, ...)                                                      \
		__extension__({                                                            \
			GORT_STRICT_ gort_scase cs[] = {__VA_ARGS__};                      \
			GORT_STRICTEND_ gort_select_(cs, (int)(sizeof cs / sizeof cs[0])); \
		})

#endif // __cplusplus
#endif
