// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// G, M, P and the scheduler's state.  Ports runtime2.go.
// P embeds parts of every layer below, so this header is the roof of the include graph.
#ifndef GORT_SCHED_RUNTIME2_H
#define GORT_SCHED_RUNTIME2_H

#include "runtime/runtime.h"

#include "runtime/histogram.h"
#include "runtime/lfstack.h"
#include "runtime/mem.h"
#include "runtime/mgclimit.h"
#include "runtime/mgcwork.h"
#include "runtime/mpagecache.h"
#include "runtime/mwbbuf.h"
#include "runtime/rand.h"
#include "sched/time.h"
#include "sched/tracestate.h"

// The states of a goroutine.
//
//	            newproc1               execute              goexit0
//	_Gidle/_Gdead -----> _Grunnable ----------> _Grunning -----------> _Gdead
//	                      ^   ^                  |  |  |  entersyscall
//	               ready  |   |  goschedImpl     |  |  +-------------> _Gsyscall
//	                      |   +------------------+  |  <-------------- exitsyscall
//	                      |                         | gopark
//	                  _Gwaiting <-------------------+
//	                      ^  casGFromPreempted      | preemptPark
//	                      +------- _Gpreempted <----+
//
// _Gscan|X: a scan holds the goroutine in state X (castogscanstatus).
enum {
	_Gidle = 0,      // just allocated
	_Grunnable = 1,  // on a run queue; its stack is not owned
	_Grunning = 2,   // owns its stack, has an M and a P
	_Gsyscall = 3,   // owns its stack, has an M, runs no user code under the runtime's eyes
	_Gwaiting = 4,   // blocked in the runtime
	_Gdead = 6,      // unused: exited, on a free list, or just being made
	_Gpreempted = 9, // stopped by suspendG; like _Gwaiting, but nobody is to ready it yet
	_Gscan = 0x1000,
	_Gscanrunnable = _Gscan + _Grunnable,
	_Gscanrunning = _Gscan + _Grunning,
	_Gscansyscall = _Gscan + _Gsyscall,
	_Gscanwaiting = _Gscan + _Gwaiting,
	_Gscanpreempted = _Gscan + _Gpreempted,
};

// The states of a P.
enum {
	_Pidle = 0,    // on the idle list or in transition; its run queue is empty
	_Prunning = 1, // owned by an M
	_Pgcstop = 3,  // halted for a stopped world, owned by the M that stopped it
	_Pdead = 4,    // GOMAXPROCS shrank
};

// Words of schedlink, runq and friends hold these: a pointer that the collector need not see.
typedef G *guintptr;
typedef P *puintptr;
typedef M *muintptr;

// gobuf is where a goroutine goes on: sp, at which the switch code has pushed the callee-saved
// registers and the return address.
typedef struct gobuf {
	uintptr_t sp;
	uintptr_t pc; // for tracebacks
	uintptr_t bp;
} gobuf;

typedef struct stack {
	uintptr_t lo;
	uintptr_t hi;
} stack;

// sudog is a goroutine in a wait list, such as that of a channel.  Off the heap (acquireSudog).
struct sudog {
	// protected by the hchan.lock of the channel
	G *g;
	sudog *next;
	sudog *prev;
	void *elem; // data element; may point into a stack; a root while it is in the heap

	// never accessed concurrently; for channels, waitlink is only used by g
	int64_t acquiretime;
	int64_t releasetime;
	uint32_t ticket;
	bool isSelect; // g takes part in a select: g->selectDone must be won to wake it
	bool success;  // woken by a value, not by close
	uint16_t waiters;
	sudog *parent;   // semaRoot binary tree
	sudog *waitlink; // g->waiting list or semaRoot
	sudog *waittail; // semaRoot
	hchan *c;
};

// A list of Gs through schedlink; the G is on one list at a time.
typedef struct gQueue {
	G *head;
	G *tail;
	int32_t size;
} gQueue;

typedef struct gList {
	G *head;
	int32_t size;
} gList;

#include "runtime/waitreason.h" // enum waitReason, its strings

typedef struct _defer _defer; // see panic.h
typedef struct _panic _panic;

struct G {
	// First cache line: what a switch touches.  The assembly knows it.
	stack stack;           // lo == 0: not taken yet (a goroutine that has not run)
	uintptr_t stackguard0; // stackPreempt asks for a switch; else stack.lo
	M *m;                  // current M
	gobuf sched;           // valid unless running
	uint32_t atomicstatus; // atomic
	int32_t errno_;        // the goroutine's errno while it is off its thread

	// Second: what the scheduler looks at.
	G *schedlink;
	int64_t waitsince;     // approximately when it blocked
	waitReason waitreason; // if _Gwaiting

	bool preempt;          // duplicates stackguard0 == stackPreempt
	bool preemptStop;      // to _Gpreempted, not just off the P
	bool asyncSafePoint;   // stopped by a signal: frames below are anything at all
	bool gcscandone;       // protected by the _Gscan bit
	bool activeStackChans; // unlocked channels point into this stack
	bool parkingOnChan;    // atomic
	bool inMarkAssist;
	bool tracking; // scheduling latency is sampled
	uint8_t trackingSeq;
	bool syncSafePoint; // stopped at a synchronous safe point
	bool issystem;      // started by the runtime (isSystemGoroutine)
	bool asyncok;       // may be switched off its thread asynchronously

	M *lockedm;
	uintptr_t stackinuse; // page-rounded bytes below hi in use at the last park or scan
	void *param;          // from the waker to the woken
	sudog *waiting;       // sudogs it waits on, in lock order

	uint64_t goid;
	void *labels;        // profiler labels
	uintptr_t syscallsp; // _Gsyscall: the sp from which to scan
	uintptr_t syscallpc;
	uintptr_t syscallbp;
	uint32_t stackslot;  // stack class of this goroutine (stack.h)
	uint32_t selectDone; // atomic: a select's race has been won
	int64_t trackingStamp;
	int64_t runnableTime;

	_defer *_defer; // innermost deferred call
	_panic *_panic;
	struct pcall *pcall; // innermost protected call (panic.h)

	// gcAssistBytes is what this goroutine may still allocate before it must assist; negative:
	// it owes scan work.  Owned by the goroutine.
	int64_t gcAssistBytes;

	timer *timer; // cached for sleep
	int64_t sleepWhen;
	void *cxa[2]; // C++: its caught exceptions while it is off its thread

	uint64_t parentGoid;
	uintptr_t gopc;    // pc of the go statement
	uintptr_t startpc; // pc of the goroutine's function

	uint32_t sig;
	uintptr_t sigcode0;
	uintptr_t sigcode1;
	uintptr_t sigpc;
	uintptr_t sigsp; // sp at sigpc

	// While it is stopped in place: the signal frame with the registers, which a scan reads too.
	uintptr_t sigframelo;
	uintptr_t sigframehi;
	uint32_t inplace; // atomic: stopped in place in a signal handler; see preempt.c

	gTraceState trace;

	uint32_t goroutineProfiled; // atomic: state of the goroutine profile (mprof_goroutine.c)
	int64_t shrinkseen;         // waitsince when shrinkstack last looked at it
	G *alllink;
	void *fiber; // sanitizers: the fiber of this stack
	void *fakestack;

	// The captured call of a goroutine that has not started.  Its words are roots until then:
	// newproc shades them while the barrier is on.
	gort_call startcall;
};

typedef struct sigaltrange {
	uintptr_t lo;
	uintptr_t hi;
} sigaltrange;

enum { // throwType
	throwTypeNone,
	throwTypeUser,    // a fault of the program: no runtime frames
	throwTypeRuntime, // a fault of the runtime: all frames
};

struct M {
	G *g0;              // the goroutine with the scheduling stack
	uintptr_t g0sp;     // fixed sp at which g0 is entered
	G *gsignal;         // the goroutine of the signal handler
	sigaltrange sigalt; // alternate signal stack
	uint64_t procid;    // tid; atomic: written by the thread itself, 0 without one
	uintptr_t thread;   // uv_thread_t
	void (*mstartfn)(void);
	G *curg;      // current user goroutine
	G *caughtsig; // goroutine that ran when a fatal signal came
	P *p;         // attached P, NULL when not running user code
	P *nextp;     // to acquire before running
	P *oldp;      // the P before the system call
	int64_t id;
	int32_t mallocing;
	int32_t throwing;       // throwType
	const char *preemptoff; // if != NULL, keep curg running on this M
	int32_t locks;
	int32_t dying;
	int32_t profilehz;
	int32_t profileTimer;   // if profileTimerValid: the timer on its CPU clock (cpuprof.c)
	bool profileTimerValid; // atomic
	bool spinning;          // out of work and looking for some
	bool blocked;           // on a note
	int8_t printlock;
	uint8_t traceback;
	uint32_t freeWait; // atomic: freeMStack, freeMRef, freeMWait
	note park;
	M *alllink; // on allm
	M *schedlink;
	bool idle;   // sched.lock; on sched.midle
	M *idleprev; // doubly linked idle list (listHeadManual)
	M *idlenext;
	G *lockedg;
	uint32_t lockedExt;
	uint32_t lockedInt;

	// lock_spinbit.c: the list of Ms that wait for a mutex
	struct {
		M *next;
		int64_t startTicks;
	} mWaitList;
	uint32_t waitsema; // futex word of semasleep

	// gopark hands these from the goroutine to g0
	bool (*waitunlockf)(G *, void *);
	void *waitlock;

	uint32_t syscalltick;
	M *freelink;   // on sched.freem
	int *errnop;   // address of this thread's errno
	void **cxap;   // C++: this thread's caught exceptions, or NULL
	bool starting; // sched.lock; on sched.mstarting

	// While set, what is printed on g0 goes there: gort_stack.
	char *writebuf;
	uintptr_t nwritebuf;
	uintptr_t capwritebuf;
	uintptr_t createstack[32]; // what made the M; for the threadcreate profile
	uintptr_t *profStack;      // the memory profiler's room for a stack (mprof.c)

	uint32_t preemptGen;    // atomic: preemption signals handled
	uint32_t signalPending; // atomic: a preemption signal is on its way
	uint64_t cpuclock;      // CPU time at sysmon's last look (preempt.c)
	uint32_t inplacewait;   // futex word of a stop in place

	mTraceState trace;

	chacha8randState chacha8;
	uint64_t cheaprand;

#ifdef GORT_LOCKRANK
	int locksHeldLen;
	struct {
		uintptr_t lockAddr;
		lockRank rank;
	} locksHeld[10];
#endif
	void *fiber;          // sanitizers: the fiber of g0
	bool insanitizer;     // in a call of the sanitizer, which may be in libc
	void (*mcallfn)(G *); // sanitizers: what mcall is to run
	void *fakestack;
};

enum {
	freeMStack = 0, // M done, free stack and reference
	freeMRef = 1,   // M done, free reference
	freeMWait = 2,  // M still in use
};

typedef struct sysmontick {
	uint32_t schedtick;
	uint32_t syscalltick;
	int64_t schedwhen;
	int64_t syscallwhen;
} sysmontick;

typedef int32_t gcMarkWorkerMode; // see mgc.h

struct P {
	int32_t id;
	uint32_t status; // one of _Pidle, _Prunning, ...; atomic
	P *link;
	uint32_t schedtick;   // incremented on every scheduler call
	uint32_t syscalltick; // incremented on every system call
	sysmontick sysmontick;
	M *m; // back link, NULL if idle
	mcache *mcache;
	pageCache pcache;
	M *oldm; // the M it ran on last before it went idle (a hint)

	// goids are taken from sched.goidgen in batches
	uint64_t goidcache;
	uint64_t goidcacheend;

	// Queue of runnable goroutines.  Head is consumed by anybody with CAS, tail only by the owner.
	uint32_t runqhead; // atomic
	uint32_t runqtail; // atomic
	guintptr runq[256];
	// runnext, if not NULL, was readied by the current goroutine and runs next, inheriting the
	// time slice.  Atomic: others may steal it.
	guintptr runnext;

	gList gFree; // dead Gs

	sudog *sudogbuf[128];
	int32_t nsudogcache;

	struct {
		int len;
		mspan *buf[128];
	} mspancache; // needs no lock: only on systemstack with this P

	// warm stacks of this P, last in first out (stack.c)
	struct {
		int32_t n;
		uintptr_t lo[32];
	} stackcache;

	persistentAlloc palloc;

	int64_t gcAssistTime;         // ns in assistAlloc
	int64_t gcFractionalMarkTime; // ns in the fractional worker; atomic

	limiterEvent limiterEvent;

	gcMarkWorkerMode gcMarkWorkerMode; // of the next worker to run here
	int64_t gcMarkWorkerStartTime;
	struct gcBgMarkWorkerNode *nextGCMarkWorker;

	gcWork gcw;  // work buffer cache of the collector
	wbBuf wbBuf; // write barrier buffer

	uint32_t runSafePointFn; // atomic: run sched.safePointFn at the next safe point
	uint32_t statsSeq;       // atomic: odd while consistent stats are being written

	timers timers;

	int64_t maxStackScanDelta; // change not yet flushed to gcController

	pTraceState trace;

	bool preempt;       // this P should enter the scheduler as soon as possible
	int64_t gcStopTime; // when it entered _Pgcstop
	uint64_t goroutinesCreated;
} CACHE_ALIGNED;

struct schedt {
	uint64_t goidgen;   // atomic
	int64_t lastpoll;   // atomic: time of the last network poll, 0 while polling
	int64_t pollUntil;  // atomic: until when the current poll sleeps
	int32_t pollingNet; // atomic: 1 if some P polls without blocking

	mutex lock;

	// s - protected by sched.lock
	M *midle;             // s; head of the idle list
	int32_t nmidle;       // s
	int32_t nmidlelocked; // s
	int64_t mnext;        // s; Ms made so far
	int32_t maxmcount;
	int32_t nmsys;   // s; system Ms, not counted for deadlock
	int64_t nmfreed; // s

	int32_t ngsys;        // atomic
	int32_t nGsyscallNoP; // atomic

	P *pidle;              // s
	int32_t npidle;        // atomic
	int32_t nmspinning;    // atomic; see the top of proc.c
	uint32_t needspinning; // atomic; s to set to 1

	gQueue runq; // s; the global run queue

	struct {
		bool user;
		gQueue runnable;
	} disable; // s

	struct {
		mutex lock;
		gList stack;   // with stacks
		gList noStack; // without
	} gFree;

	mutex sudoglock;
	sudog *sudogcache;

	M *freem; // s; Ms waiting to be freed

	// Ms whose thread does not run yet, through schedlink: those that the thread maker has yet to
	// make are reached from mtomake.  Their nextp can be taken back (proc_m.c).
	M *mstarting;     // s
	M *mtomake;       // s; the same through freelink
	note makernote;   // the thread maker sleeps here
	bool makerwait;   // s; it does
	bool spareM;      // s; it is to make an M without work
	int32_t ninplace; // atomic: goroutines on the global queue that are stopped in place

	bool gcwaiting; // atomic; the world is to stop
	int32_t stopwait;
	note stopnote;
	bool sysmonwait; // atomic
	note sysmonnote;

	void (*safePointFn)(P *);
	int32_t safePointWait;
	note safePointNote;

	int32_t profilehz; // atomic
	int64_t procresizetime;
	int64_t totaltime;
	bool customGOMAXPROCS;
	mutex sysmonlock;

	timeHistogram timeToRun;
	int64_t idleTime;           // atomic
	int64_t totalMutexWaitTime; // atomic
	timeHistogram stwStoppingTimeGC;
	timeHistogram stwStoppingTimeOther;
	timeHistogram stwTotalTimeGC;
	timeHistogram stwTotalTimeOther;
	int64_t totalRuntimeLockWaitTime; // atomic
	uint64_t goroutinesCreated;       // atomic
};

typedef struct forcegcstate {
	mutex lock;
	G *g;
	bool idle; // atomic
} forcegcstate;

extern M *allm; // atomic head; linked through alllink
extern int32_t gomaxprocs;
extern int32_t numCPUStartup;
extern forcegcstate forcegc;
extern schedt sched;
extern int32_t newprocs;

// allpLock protects P-less reads of allp and all writes to it, the masks and nallp.
extern mutex allpLock;
extern P **allp;      // all Ps; entries do not move; may only change with the world stopped
extern int32_t nallp; // len(allp)
extern int32_t capallp;

// pMask is an atomic bit string, one bit a P.
typedef struct pMask {
	uint32_t *bits;
	int32_t len; // words
} pMask;
bool pMask_read(pMask *p, uint32_t id);
void pMask_set(pMask *p, int32_t id);
void pMask_clear(pMask *p, int32_t id);
extern pMask idlepMask;  // Ps on the idle list; updates under sched.lock
extern pMask timerpMask; // Ps that may have a timer

extern lfstack gcBgMarkWorkerPool;  // of idle mark workers
extern int32_t gcBgMarkWorkerCount; // protected by the GC phase and worldsema

static inline M *
getm(void) {
	return getg()->m;
}

#endif
