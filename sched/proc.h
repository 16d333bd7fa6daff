// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The scheduler's functions, for the scheduler itself and for the layers around it.
// Ports the prototypes that proc.go's callers see; the sections are the files proc.c is split into.
#ifndef GORT_SCHED_PROC_H
#define GORT_SCHED_PROC_H

#include "sched/runtime2.h"

// Why the world is stopped.  Ports stwReason: same order.
typedef uint8_t stwReason;
enum {
	stwUnknown,
	stwGCMarkTerm,
	stwGCSweepTerm,
	stwWriteHeapDump,
	stwGoroutineProfile,
	stwGoroutineProfileCleanup,
	stwAllGoroutinesStack,
	stwReadMemStats,
	stwAllThreadsSyscall,
	stwGOMAXPROCS,
	stwStartTrace,
	stwStopTrace,
	stwForTestCountPagesInUse,
	stwForTestReadMetricsSlow,
	stwForTestReadMemStatsSlow,
	stwForTestPageCachePagesLeaked,
	stwForTestResetDebugLog,
	nstwReason,
};
const char *stwReason_String(stwReason r);
bool stwReason_isGC(stwReason r);

// worldStop is what stopTheWorld returns and startTheWorld wants back.
typedef struct worldStop {
	stwReason reason;
	int64_t startedStopping;
	int64_t finishedStopping;
	int64_t stoppingCPUTime;
} worldStop;

extern M m0;
extern G g0;
extern mcache *mcache0;       // of the bootstrap P; set by mallocinit, given to P 0 by procresize
extern bool mainStarted;      // the main goroutine runs: newproc may start Ms
extern bool freezing;         // atomic: freezetheworld was called
extern int64_t forcegcperiod; // ns after which a cycle is forced (proc_sysmon.c)
extern int64_t runtimeInitTime;
extern uint32_t worldsema; // held to stop the world (a sema.c semaphore)
extern uint32_t gcsema;    // held across a GC cycle by who forbids another

// ---- proc.c: start-up and the scheduling loop ---------------------------------------------------

void schedinit(void);
// runtime_start starts the runtime on the calling thread, which becomes m0, and runs mainfn as the
// main goroutine, which ends when mainfn returns.  Does not return.  Once per process.
_Noreturn void runtime_start(void (*mainfn)(void));

// executeHooks is what execute has to do besides, so that it has one thing to look at.  A set; atomic.
enum {
	executeProfileG = 1,   // a goroutine profile is being taken
	executeTrace = 2,      // events are written
	executeProfileCPU = 4, // there is or was a CPU profile: the M's timer may have to change
};
extern uint32_t executeHooks;

_Noreturn void schedule(void);
_Noreturn void execute(G *gp, bool inheritTime);
G *findRunnable(bool *inheritTime, bool *tryWakeP);
bool pollWork(void);
void wakeNetPoller(int64_t when);
void resetspinning(void);
void injectglist(gList *glist);
// dropg ends the tie between m and its curg, whose state the caller has changed.  On g0.
void dropg(void);
void forcegchelper(void *arg);
void M_becomeSpinning(M *mp);

// ---- proc_g.c: goroutines -----------------------------------------------------------------------

// gopark blocks the goroutine.  On g0, once it is off its stack, unlockf(gp, lock) runs, unless
// NULL; if that returns false the goroutine goes on at once.  lock must not be on gp's stack.
// PORT: Go is told what a trace says of it, too; here that follows from reason (traceruntime.c).
void gopark(bool (*unlockf)(G *, void *), void *lock, waitReason reason);
// goparkunlock blocks the goroutine and unlocks l, in one step for those who take l to ready it.
void goparkunlock(mutex *l, waitReason reason);
bool parkunlock_c(G *gp, void *l);
// goready makes gp runnable, next on this P.  ready is the same for callers on g0 (or with a P and
// m.locks > 0).
void goready(G *gp);
void ready(G *gp, bool next);
void Gosched(void);        // lets others run; the goroutine goes to the global queue
void goschedguarded(void); // the same, but not where preemption is forbidden
void goschedIfBusy(void);  // the same, unless some P is idle and nobody asked
void goyield(void);        // the goroutine goes to the local queue
void gopreempt_m(G *gp);   // on g0: gosched as a preemption
void gosched_m(G *gp);     // on g0
void preemptPark(G *gp);   // on g0: to _Gpreempted, for suspendG
void park_m(G *gp);        // on g0

uint32_t readgstatus(G *gp);
void casgstatus_slow(G *gp, uint32_t oldval, uint32_t newval);
void casgstatus_track(G *gp, uint32_t oldval, uint32_t newval);
enum { gTrackingPeriod = 8 }; // one in so many goroutine transitions is timed

// casgstatus moves gp from oldval to newval, neither with _Gscan; it waits while a scan holds gp.
// Inline, since both states are constants nearly everywhere.
static ALWAYS_INLINE void
casgstatus(G *gp, uint32_t oldval, uint32_t newval) {
#ifdef GORT_LOCKRANK
	lockWithRankMayAcquire(NULL, lockRankGscan);
#endif
	if (unlikely(!atomic_Cas(&gp->atomicstatus, oldval, newval)))
		casgstatus_slow(gp, oldval, newval);
	if ((oldval == _Grunning || oldval == _Gsyscall) && newval != _Grunning &&
		newval != _Gsyscall) {
		if (gp->trackingSeq++ % gTrackingPeriod == 0)
			gp->tracking = true;
	}
	if (unlikely(gp->tracking))
		casgstatus_track(gp, oldval, newval);
}

void casfrom_Gscanstatus(G *gp, uint32_t oldval, uint32_t newval);
bool castogscanstatus(G *gp, uint32_t oldval, uint32_t newval);
void casGToWaiting(G *gp, uint32_t old, waitReason reason);
void casGToWaitingForSuspendG(G *gp, uint32_t old, waitReason reason);
void casGToPreemptScan(G *gp, uint32_t old, uint32_t new_);
bool casGFromPreempted(G *gp, uint32_t old, uint32_t new_);
void dumpgstatus(G *gp);

// newproc starts fn(arg) as a goroutine of the runtime's own (it counts as a system goroutine).
G *newproc(void (*fn)(void *), void *arg);
// newproc_call starts a captured call as a user goroutine with a stack of the given class (see
// stack.h); callerpc is the go statement.
G *newproc_call(const gort_call *call, uint32_t stackclass, uintptr_t callerpc);
// newproc1 makes the goroutine: _Grunnable, or _Gwaiting if parked; on g0, queues nothing.
G *newproc1(const gort_call *call, uint32_t stackclass, G *callergp, uintptr_t callerpc,
	bool parked, waitReason waitreason);
// malg makes a G with a stack of its own of stacksize bytes, or with none if stacksize <= 0.
G *malg(intptr_t stacksize);
// goexit1 ends the goroutine; deferred calls have run.
_Noreturn void goexit1(void);
void gdestroy(G *gp);
G *gfget(P *pp);
void gfput(P *pp, G *gp);
void gfpurge(P *pp);

sudog *acquireSudog(void);
void releaseSudog(sudog *s);

// The Gs ever made, which only grow.  atomicAllG is readable without a lock: entries below *n do
// not move or change.  allGsSnapshot is the same list for a reader with the world stopped or under
// allglock (Go copies; here old tables stay valid forever).
extern mutex allglock;
extern uintptr_t allglen; // atomic
G **atomicAllG(uintptr_t *n);
G **allGsSnapshot(uintptr_t *n);
void forEachG(void (*fn)(G *gp, void *arg), void *arg);     // holds allglock
void forEachGRace(void (*fn)(G *gp, void *arg), void *arg); // no lock
int32_t gcount(bool includeSys);

// ---- proc_stw.c: stopping the world ---------------------------------------------------------------

worldStop stopTheWorld(stwReason reason);
void startTheWorld(worldStop w);
worldStop stopTheWorldGC(stwReason reason);
void startTheWorldGC(worldStop w);
worldStop stopTheWorldWithSema(stwReason reason); // on g0, worldsema held
int64_t startTheWorldWithSema(int64_t now, worldStop w);
void freezetheworld(void);
// freezeStopWait is the value of stopwait, then, that never comes down to 0.
enum { freezeStopWait = 0x7fffffff };
void schedtrace(bool detailed); // GODEBUG=schedtrace, scheddetail
// forEachP runs fn(p) for every P at a safe point of it, and returns when all have.
// On a user goroutine; worldsema held.
void forEachP(waitReason reason, void (*fn)(P *));
void forEachPInternal(void (*fn)(P *)); // the same on g0, curg already in _Gwaiting
void runSafePointFn(void);

// inplace_stop_on_gsignal stops the goroutine gp, which a signal interrupted, where it is: called
// by the handler (getg() == gsignal, gp == m->curg, a P attached, gp fit to be stopped as
// wantAsyncPreempt and preempt.c's checks say).  gp becomes runnable, locked to this M, and goes to
// the global queue; the P goes to the world that is stopping, or to an idle M; the thread sleeps on
// m->park until somebody hands it a P: startlockedm, startm, startTheWorld.  Returns with gp running
// again, perhaps with another P.  Takes no lock but the scheduler's, allocates nothing and makes no
// thread.  It returns false, having done nothing, if the world is not stopping and there is no M that
// could take the P (one is asked for).  gp->inplace is inplaceParked in between, then inplaceNone.
// The caller has set gp->sigframelo/hi and the published sp (gp->sched.sp) before.
bool inplace_stop_on_gsignal(G *gp);

// For Ms whose thread does not run yet (proc_m.c); sched.lock must be held.
void stopStartingPs(void);
void runSafePointFnStarting(void);

// ---- proc_m.c: threads
// proc_m_init gives the locks there their ranks; for schedinit.
void proc_m_init(void);
// threadmaker is the M that makes the threads of all others, but sysmon's.
void threadmaker(void);
// wantSpareM_locked asks it for an M without work, for those who may not make one.  sched.lock must
// be held.
void wantSpareM_locked(void);
// takeInplace takes a goroutine that is stopped in place off the global queue or that of pp, of which
// the caller is the owner; NULL if there is none.  sched.lock must be held.
G *takeInplace(P *pp);
M *allocm(P *pp, void (*fn)(void), int64_t id);
void newm(void (*fn)(void), P *pp, int64_t id);
void mcommoninit(M *mp, int64_t id);
int64_t mReserveID(void);
// mstart is what the thread of an M runs, on the stack of its g0: getg() == g0.  It returns when
// the thread is to end; nothing of the runtime may be called after that.
void mstart(void);
void mexit(bool osStack);
void mPark(void);
void startm(P *pp, bool spinning, bool lockheld);
void stopm(void);
void handoffp(P *pp);
void wakep(void);
void stoplockedm(void);
void startlockedm(G *gp);
void gcstopm(void);
void mput(M *mp);
M *mget(void);
M *mgetSpecific(M *mp);
int32_t mcount(void);
void LockOSThread(void);
void UnlockOSThread(void);
void lockOSThread(void); // internal pairs of the same
void unlockOSThread(void);
bool lockedOSThread(void);
int setMaxThreads(int in);

// ---- proc_syscall.c ---------------------------------------------------------------------------------

// entersyscall says that the goroutine is about to block in a system call or in foreign code; its
// P may be taken meanwhile.  asm: it saves the registers and calls reentersyscall.
void entersyscall(void);
void entersyscallblock(void); // the same and gives the P away at once
void exitsyscall(void);
void reentersyscall(uintptr_t pc, uintptr_t sp, uintptr_t bp);
void entersyscallblock_c(uintptr_t pc, uintptr_t sp, uintptr_t bp);
void addGSyscallNoP(M *mp);
void decGSyscallNoP(M *mp);

// syscallingThread is a thread held in _Gsyscall so that its P can be taken.
typedef struct syscallingThread {
	G *gp;
	M *mp;
	P *pp;
	uint32_t status;
} syscallingThread;
syscallingThread setBlockOnExitSyscall(P *pp, bool *ok);
void syscallingThread_gcstopP(syscallingThread *s);
void syscallingThread_takeP(syscallingThread *s);
void syscallingThread_resume(syscallingThread *s);

// ---- proc_p.c: Ps -----------------------------------------------------------------------------------

P *procresize(int32_t nprocs);
void P_init(P *pp, int32_t id);
void P_destroy(P *pp);
void acquirep(P *pp);
void acquirepNoTrace(P *pp);
void wirep(P *pp);
P *releasep(void);
P *releasepNoTrace(void);
int64_t pidleput(P *pp, int64_t now);
P *pidleget(int64_t now, int64_t *rnow);
P *pidlegetSpinning(int64_t now, int64_t *rnow);
// GOMAXPROCS sets the number of Ps if n > 0 and returns the old one.
int32_t GOMAXPROCS(int32_t n);
int procPin(void); // returns the P's id
void procUnpin(void);

// ---- proc_sysmon.c ------------------------------------------------------------------------------------

void sysmon(void);
uint32_t retake(int64_t now);
bool preemptall(void);
bool preemptone(P *pp);
void checkdead(void);
void incidlelocked(int32_t v);
void defaultGOMAXPROCSUpdateEnable(void);
extern mutex computeMaxProcsLock; // serialises changes of GOMAXPROCS
void schedEnableUser(bool enable);
bool schedEnabled(G *gp);

// ---- proc_runq.c ----------------------------------------------------------------------------------------

void runqput(P *pp, G *gp, bool next);
void runqputbatch(P *pp, gQueue *q);
G *runqget(P *pp, bool *inheritTime);
gQueue runqdrain(P *pp);
uint32_t runqgrab(P *pp, guintptr (*batch)[256], uint32_t batchHead, bool stealRunNextG);
G *runqsteal(P *pp, P *p2, bool stealRunNextG);
bool runqempty(P *pp);
void globrunqput(G *gp);
void globrunqputhead(G *gp);
void globrunqputbatch(gQueue *batch);
G *globrunqget(void);
G *globrunqgetbatch(int32_t n, gQueue *q);

bool gQueue_empty(gQueue *q);
void gQueue_push(gQueue *q, G *gp);
void gQueue_pushBack(gQueue *q, G *gp);
void gQueue_pushBackAll(gQueue *q, gQueue q2);
G *gQueue_pop(gQueue *q);
gList gQueue_popList(gQueue *q);
bool gList_empty(gList *l);
void gList_push(gList *l, G *gp);
void gList_pushAll(gList *l, gQueue q);
G *gList_pop(gList *l);

bool pMask_any(pMask *p);
void pMask_resize(pMask *p, int32_t nprocs);

// randomOrder walks the Ps in pseudo-random orders, each once.
typedef struct randomOrder {
	uint32_t count;
	uint32_t ncoprimes;
	uint32_t *coprimes;
	uint32_t capcoprimes;
} randomOrder;
typedef struct randomEnum {
	uint32_t i;
	uint32_t count;
	uint32_t pos;
	uint32_t inc;
} randomEnum;
extern randomOrder stealOrder;
void randomOrder_reset(randomOrder *ord, uint32_t count);
randomEnum randomOrder_start(randomOrder *ord, uint32_t i);
bool randomEnum_done(randomEnum *e);
void randomEnum_next(randomEnum *e);
uint32_t randomEnum_position(randomEnum *e);

// canSpin, doSpin: for sync.Mutex (sync_runtime_canSpin).
bool sync_runtime_canSpin(int i);
void sync_runtime_doSpin(void);

// ---- asm_amd64.S -------------------------------------------------------------------------------------------

// What lies at the saved sp of a goroutine that is off its thread, from low to high addresses.
enum {
	savedR15,
	savedR14,
	savedR13,
	savedR12,
	savedRBX,
	savedRBP,
	savedRIP,
	nSavedWords,
	// stackTop bytes below stack.hi belong to no frame: entersyscall keeps rbx rbp r12-r15 there,
	// from stack.hi - 8 downwards, until exitsyscall.
	stackTop = 64,
};

// gogo goes on with gp from its saved sp; it sets g.  On g0.
_Noreturn void gogo(G *gp);
// gostart enters a goroutine that has not run: on its empty stack, makes the captured call, exits.
_Noreturn void gostart(G *gp, const gort_call *call);
// mstart_asm runs fn where it is, or on the stack that ends at newsp, and lets g0 be entered there
// from now on.  It returns when this M calls mleave_asm.
void mstart_asm(M *mp, void (*fn)(void), uintptr_t newsp);
_Noreturn void mleave_asm(G *g0);
_Noreturn void badmcall(void);
_Noreturn void badmcall2(void);
// call_run makes the captured call on the current stack and returns its integer result.
uint64_t call_run(const gort_call *call);
void gort_capture_stub(void);

#endif
