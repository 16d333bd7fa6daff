// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The page heap: spans of pages, the index of arenas, specials, mark and allocation bitmaps.
// Ports the types of mheap.go, and its small functions that everybody calls.
#ifndef GORT_RUNTIME_MHEAP_H
#define GORT_RUNTIME_MHEAP_H

#include "runtime/malloc_const.h"
#include "runtime/mcentral.h"
#include "runtime/mem.h"
#include "runtime/mfixalloc.h"
#include "runtime/mgcscavenge.h"
#include "runtime/mpagealloc.h"
#include "runtime/mpagecache.h"
#include "runtime/mpallocbits.h"
#include "runtime/mranges.h"
#include "runtime/mspanset.h"
#include "runtime/runtime.h"

// ---- span classes -------------------------------------------------------------------------------

// spanClass: size class << 1 | noscan.
enum {
	numSpanClasses = NumSizeClasses << 1,
	tinySpanClass = tinySizeClass << 1 | 1,
};

static inline spanClass
makeSpanClass(uint8_t sizeclass, bool noscan) {
	return (spanClass)(sizeclass << 1 | noscan);
}

static inline int8_t
spanClass_sizeclass(spanClass sc) {
	return (int8_t)(sc >> 1);
}

static inline bool
spanClass_noscan(spanClass sc) {
	return (sc & 1) != 0;
}

// ---- arenas -------------------------------------------------------------------------------------

typedef struct checkmarksMap checkmarksMap; // see mcheckmark.h

// heapArena is the metadata of one arena of 64 MB; off the heap, found through mheap_.arenas.
struct heapArena {
	// spans maps a page of the arena to its span.  Changes are made under mheap_.lock or by the
	// owner of an allocation that is not published yet; a reader must know that the page is in
	// use, or check what it finds.
	mspan *spans[pagesPerArena];

	// Bitmaps by page; only the bit of a span's first page is used.
	uint8_t pageInUse[pagesPerArena / 8];    // atomic; the span is mSpanInUse
	uint8_t pageMarks[pagesPerArena / 8];    // atomic writes; it has a marked object
	uint8_t pageSpecials[pagesPerArena / 8]; // atomic; it has specials
	// it keeps its mark bits inline at its end (spans of one page)
	uint8_t pageUseSpanInlineMarkBits[pagesPerArena / 8]; // atomic

	checkmarksMap *checkmarks; // debug.gccheckmark

	// What lies at or above this offset in the arena was never used and is zero.  It suffices
	// because allocation is first-fit by address.  Atomic; only grows.
	uintptr_t zeroedBase;
};

// arenaIdx is an index into mheap_.arenas.
typedef uintptr_t arenaIdx;

typedef struct arenaHint arenaHint;
struct arenaHint {
	uintptr_t addr;
	bool down; // grow down from addr
	arenaHint *next;
};

// ---- spans --------------------------------------------------------------------------------------

typedef struct mSpanList mSpanList;
struct mSpanList {
	mspan *first; // atomic: getempty looks at it before it takes the lock
	mspan *last;
};

// The states of a span.  Free to in-use or manual: at any time.  In-use to free: by sweeping.
// Manual to free: when gcphase == _GCoff, since the collector must not find a stale stack span.
typedef uint8_t mSpanState;
enum {
	mSpanDead,
	mSpanInUse,  // of the collected heap
	mSpanManual, // allocManual
};

extern const char *const mSpanStateNames[3];

// mSpanStateBox is set after all else of the span was set, and read before any of it is trusted.
typedef struct mSpanStateBox {
	uint8_t s; // atomic
} mSpanStateBox;

static inline void
mSpanStateBox_set(mSpanStateBox *b, mSpanState s) {
	atomic_Store(&b->s, s);
}

static inline mSpanState
mSpanStateBox_get(const mSpanStateBox *b) {
	return atomic_Load(&b->s);
}

typedef uintptr_t gclinkptr; // a gclink that the collector does not see

// gcBits is a bitmap of objects, 8-byte aligned: the first byte of it.
typedef struct gcBits {
	uint8_t x;
} gcBits;

static inline uint8_t *
gcBits_bytep(gcBits *b, uintptr_t n) {
	return &b->x + n;
}

// gcBits_bitp returns the byte with bit n and the bit's mask.
static inline uint8_t *
gcBits_bitp(gcBits *b, uintptr_t n, uint8_t *mask) {
	*mask = (uint8_t)(1 << (n % 8));
	return gcBits_bytep(b, n / 8);
}

struct mspan {
	mspan *next;
	mspan *prev;
	mSpanList *list; // the list it is on

	uintptr_t startAddr;
	uintptr_t npages;

	gclinkptr manualFreeList; // free objects of an mSpanManual span

	// Objects below freeindex are allocated; from there on, those whose bit in allocBits is
	// set. freeIndexForScan is the collector's view, which follows once an object is
	// initialised.
	uint16_t freeindex;
	uint16_t nelems;
	uint16_t freeIndexForScan;

	uint64_t allocCache; // ~allocBits from freeindex on; may hold bits beyond nelems

	// The bitmaps live in gcBitsArenas.  Sweeping makes the mark bits the allocation bits and
	// takes fresh mark bits.
	gcBits *allocBits;
	gcBits *gcmarkBits;
	gcBits *pinnerBits; // atomic

	// relative to mheap_.sweepgen, which grows by 2 each cycle (atomic):
	// -2 needs sweeping, -1 is being swept, 0 is swept, +1 was cached before the sweep began
	// and needs sweeping, +3 was swept and then cached
	uint32_t sweepgen;
	uint32_t divMul; // to divide by elemsize
	uint16_t allocCount;
	spanClass spanclass;
	mSpanStateBox state;
	uint8_t needzero;
	uint16_t allocCountBeforeCache;
	uintptr_t elemsize;
	uintptr_t limit;        // end of the objects
	mutex speciallock;      // guards specials and changes of pinnerBits
	special *specials;      // sorted by offset, then kind
	const _type *largeType; // of the object of a large span
};

static inline uintptr_t
mspan_base(const mspan *s) {
	return s->startAddr;
}

// mspan_objIndex and its like are in mbitmap.h.

// ---- the heap -----------------------------------------------------------------------------------

// spanAllocType says what a span is for.
typedef uint8_t spanAllocType;
enum {
	spanAllocHeap,
	spanAllocStack,
	spanAllocWorkBuf,
};

static inline bool
spanAllocType_manual(spanAllocType s) {
	return s != spanAllocHeap;
}

struct mheap {
	// lock is taken on the system stack only.
	mutex lock;

	pageAlloc pages;

	uint32_t sweepgen; // see mspan.sweepgen; written with the world stopped

	// Every span ever made.  Under lock; with the world stopped if nobody can allocate.
	mspan **allspans;
	intptr_t nallspans;
	intptr_t capallspans;

	// Proportional sweep: pages swept must stay above a line through
	// (sweepHeapLiveBasis, pagesSweptBasis) of slope sweepPagesPerByte, as a function of
	// gcController.heapLive.  The basis lets pacing change in mid-cycle without a jump.
	uintptr_t pagesInUse;        // atomic; pages of mSpanInUse spans
	uint64_t pagesSwept;         // atomic
	uint64_t pagesSweptBasis;    // atomic
	uint64_t sweepHeapLiveBasis; // written with lock, read without
	double sweepPagesPerByte;    // written with lock, read without

	// Page reclaimer.
	uint64_t reclaimIndex;   // atomic; next page of sweepArenas to look at; >= 1<<63: done
	uintptr_t reclaimCredit; // atomic; pages reclaimed beyond what was asked for

	// arenas is the index of arenas.  Entries are added under lock and never removed.
	heapArena **arenas[1 << arenaL1Bits] CACHE_ALIGNED; // entries atomic
	bool arenasHugePages;                               // the index may have huge pages

	arenaHint *arenaHints; // where to try to grow

	// Every mapped arena. Under lock; since the array is only appended to and old arrays are
	// not freed, one may copy pointer and length under lock and use them later.
	arenaIdx *heapArenas;
	intptr_t nheapArenas;
	intptr_t capheapArenas;

	arenaIdx *sweepArenas; // snapshot at the start of the sweep
	intptr_t nsweepArenas;
	arenaIdx *markArenas; // snapshot at the start of the mark phase
	intptr_t nmarkArenas;

	// The arena the heap grows into; what is left of it.
	struct {
		uintptr_t base;
		uintptr_t end;
	} curArena;

	// central is indexed by spanClass; one cache line at least for each.
	struct {
		mcentral mcentral;
	} CACHE_ALIGNED central[numSpanClasses];

	fixalloc spanalloc;             // mspan
	fixalloc cachealloc;            // mcache
	fixalloc specialprofilealloc;   // specialprofile
	fixalloc specialReachableAlloc; // specialReachable
	fixalloc arenaHintAlloc;        // arenaHint
	mutex speciallock;              // for the allocators of specials

	uint64_t cleanupID; // last id given to a cleanup; under speciallock
} CACHE_ALIGNED;

extern mheap mheap_;

// ---- finding spans ------------------------------------------------------------------------------

// arenaIndex is beyond the index for an address the heap cannot have.
static inline arenaIdx
arenaIndex(uintptr_t p) {
	return (p - arenaBaseOffset) / heapArenaBytes;
}

static inline uintptr_t
arenaBase(arenaIdx i) {
	return i * heapArenaBytes + arenaBaseOffset;
}

// PORT: arenaL1Bits is 0 here, which makes the first index a constant.
static inline uintptr_t
arenaIdx_l1(arenaIdx i) {
	(void)i;
	return 0;
}

static inline uintptr_t
arenaIdx_l2(arenaIdx i) {
	return i;
}

// arenaOf is the metadata of arena i, which must exist.
static inline heapArena *
arenaOf(arenaIdx i) {
	return mheap_.arenas[0][i];
}

// heapArenaOf is the arena of p, NULL if there is none.
static inline heapArena *
heapArenaOf(uintptr_t p) {
	arenaIdx ri = arenaIndex(p);
	if (unlikely(ri >= (uintptr_t)1 << arenaL2Bits))
		return NULL;
	heapArena **l2 = atomic_LoadRelaxed(&mheap_.arenas[0]);
	// PORT: conservative scans may ask before the first growth.
	if (unlikely(l2 == NULL))
		return NULL;
	return atomic_LoadAcq(&l2[ri]);
}

// spanOf is the span of p, NULL if p is not in the heap or was never in a span.  For an address
// that is not known to be allocated the span may be stale: check its bounds.
static inline mspan *
spanOf(uintptr_t p) {
	heapArena *ha = heapArenaOf(p);
	if (ha == NULL)
		return NULL;
	return atomic_LoadRelaxed(&ha->spans[p / pageSize % pagesPerArena]);
}

// spanOfUnchecked is spanOf for an address in an allocated arena.
static inline mspan *
spanOfUnchecked(uintptr_t p) {
	return atomic_LoadRelaxed(&arenaOf(arenaIndex(p))->spans[p / pageSize % pagesPerArena]);
}

// spanOfHeap is NULL unless p points among the objects of a span of the collected heap.
static inline mspan *
spanOfHeap(uintptr_t p) {
	mspan *s = spanOf(p);
	// The state comes first: it orders the span's other fields.
	if (s == NULL || mSpanStateBox_get(&s->state) != mSpanInUse || p < mspan_base(s) ||
		p >= atomic_LoadRelaxed(&s->limit))
		return NULL;
	return s;
}

// inheap reports whether b points at an object of the collected heap, dead or alive.
static inline bool
inheap(uintptr_t b) {
	return spanOfHeap(b) != NULL;
}

// inHeapOrStack is inheap that includes manual spans.
static inline bool
inHeapOrStack(uintptr_t b) {
	mspan *s = spanOf(b);
	if (s == NULL || b < mspan_base(s))
		return false;
	return mSpanStateBox_get(&s->state) != mSpanDead && b < atomic_LoadRelaxed(&s->limit);
}

// pageIndexOf returns the arena of p, and where p's page is in its bitmaps.  p must be in the heap.
static inline heapArena *
pageIndexOf(uintptr_t p, uintptr_t *pageIdx, uint8_t *mask) {
	*pageIdx = p / pageSize / 8 % (pagesPerArena / 8);
	*mask = (uint8_t)(1 << (p / pageSize % 8));
	return arenaOf(arenaIndex(p));
}

// ---- mheap.c ------------------------------------------------------------------------------------

void recordspan(void *vh, void *p);
void mheap_init(mheap *h);
// reclaim sweeps to free npage pages; h->lock must not be held.
void mheap_reclaim(mheap *h, uintptr_t npage);
uintptr_t mheap_reclaimChunk(mheap *h, arenaIdx *arenas, uintptr_t pageIdx, uintptr_t n);

void mspan_init(mspan *span, uintptr_t base, uintptr_t npages);
bool mspan_inList(const mspan *span);
void mSpanList_init(mSpanList *list);
void mSpanList_remove(mSpanList *list, mspan *span);
bool mSpanList_isEmpty(const mSpanList *list);
void mSpanList_insert(mSpanList *list, mspan *span);
void mSpanList_insertBack(mSpanList *list, mspan *span);
void mSpanList_takeAll(mSpanList *list, mSpanList *other);

// ---- mheap_alloc.c ------------------------------------------------------------------------------

// alloc returns a span for the collected heap; NULL: out of memory.  needzero tells whether the
// memory must be cleared.  On any stack.
mspan *mheap_alloc(mheap *h, uintptr_t npages, spanClass spanclass);
// allocManual and freeManual: spans that the collector leaves alone.  On the system stack.  A
// manual span may be freed only while gcphase == _GCoff.
mspan *mheap_allocManual(mheap *h, uintptr_t npages, spanAllocType typ);
void mheap_freeManual(mheap *h, mspan *s, spanAllocType typ);
void mheap_setSpans(mheap *h, uintptr_t base, uintptr_t npage, mspan *s);
bool mheap_allocNeedsZero(mheap *h, uintptr_t base, uintptr_t npage);
mspan *mheap_allocMSpanLocked(mheap *h);
void mheap_freeMSpanLocked(mheap *h, mspan *s);
mspan *mheap_allocSpan(mheap *h, uintptr_t npages, spanAllocType typ, spanClass spanclass);
void mheap_initSpan(mheap *h, mspan *s, spanAllocType typ, spanClass spanclass, uintptr_t base,
	uintptr_t npages, uintptr_t scav);
uintptr_t mheap_grow(mheap *h, uintptr_t npage, bool *ok);
// freeSpan gives a swept span without objects back.  On any stack.
void mheap_freeSpan(mheap *h, mspan *s);
void mheap_freeSpanLocked(mheap *h, mspan *s, spanAllocType typ);
// scavengeAll gives back all that is free; on the system stack.
void mheap_scavengeAll(mheap *h);

// ---- malloc_arena.c -----------------------------------------------------------------------------

// malloc_arena_init is mallocinit's part about the page heap: checks of page sizes, mheap_init,
// the lock of gcBitsArenas, the hints, the memory limit's first value.
void malloc_arena_init(void);
uintptr_t nextHeapRandBits(int bits);
// sysAlloc reserves arenas for n bytes and makes their metadata.  h->lock must be held.
void *mheap_sysAlloc(mheap *h, uintptr_t n, uintptr_t *size);
void mheap_enableMetadataHugePages(mheap *h);

// ---- mheap_specials.c: specials -----------------------------------------------------------------

// The kinds, in the order they have in a list.
enum {
	_KindSpecialTinyBlock = 1,
	_KindSpecialFinalizer = 2,
	_KindSpecialWeakHandle = 3,
	_KindSpecialProfile = 4,
	_KindSpecialReachable = 5,
	_KindSpecialPinCounter = 6,
	_KindSpecialCleanup = 7,
	_KindSpecialCheckFinalizer = 8,
	_KindSpecialBubble = 9,
	_KindSpecialSecret = 10,
};

// special is what is attached to an object; the first member of each kind's structure. Off the
// heap.
struct special {
	special *next;
	uintptr_t offset; // of the object in the span
	uint8_t kind;
};

// specialprofile tells the memory profiler of the end of an object that was sampled.
typedef struct specialprofile {
	special special;
	struct bucket *b;
} specialprofile;

// specialReachable tells a test whether an object was reached in the next cycle.
typedef struct specialReachable {
	special special;
	bool done;
	bool reachable;
} specialReachable;

// setprofilebucket attaches the bucket to the object at p.  On g0.
void setprofilebucket(void *p, struct bucket *b);

// specialsIter walks a span's specials.
typedef struct specialsIter {
	special **pprev;
	special *s;
} specialsIter;

void spanHasSpecials(mspan *s);
void spanHasNoSpecials(mspan *s);
// addspecial attaches s, whose kind is set, to the object at p; false if there is one of that kind
// and force is not set.
bool addspecial(void *p, special *s, bool force);
// removespecial detaches and returns it, NULL if there is none.  The caller frees it.
special *removespecial(void *p, uint8_t kind);
// span->speciallock must be held, or the world stopped.
special **mspan_specialFindSplicePoint(mspan *span, uintptr_t offset, uint8_t kind, bool *found);
specialsIter newSpecialsIter(mspan *span);
bool specialsIter_valid(const specialsIter *i);
void specialsIter_next(specialsIter *i);
special *specialsIter_unlinkAndNext(specialsIter *i);
// freeSpecial does what the end of an object of elemsize bytes at p means for s, already unlinked.
void freeSpecial(special *s, void *p, uintptr_t size);

// ---- mheap_specials.c: bitmaps ------------------------------------------------------------------

gcBits *newMarkBits(uintptr_t nelems);
gcBits *newAllocBits(uintptr_t nelems);
// nextMarkBitArenaEpoch moves on to the next cycle's bitmaps; all spans are swept.
void nextMarkBitArenaEpoch(void);

#define gcBitsChunkBytes ((uintptr_t)64 << 10)
#define gcBitsHeaderBytes ((uintptr_t)16)

typedef struct gcBitsArena gcBitsArena;
struct gcBitsArena {
	uintptr_t free; // atomic; index of the next free byte
	gcBitsArena *next;
	gcBits bits[(64 << 10) - 16];
};

extern struct gcBitsArenas_t {
	mutex lock;
	gcBitsArena *free;
	gcBitsArena *next; // atomic reads; written under lock
	gcBitsArena *current;
	gcBitsArena *previous;
} gcBitsArenas;

#endif
