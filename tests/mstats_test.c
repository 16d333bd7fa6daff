// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Statistics.  Ports TestMemStats of malloc_test.go and TestReadMemStats of gc_test.go of Go 1.26.8.
#include <criterion/criterion.h>

#include "runtime/gort.h"

#include "runtime/malloc.h"
#include "runtime/mgc.h"
#include "runtime/mgcpacer.h"
#include "runtime/mpallocbits.h"
#include "runtime/mstats.h"
#include "sched/proc.h"
#include "tests/support/support.h"

Test(HeapStatsDelta, Merge) {
	static heapStatsDelta a, b;
	int64_t *pa = (int64_t *)(void *)&a, *pb = (int64_t *)(void *)&b;
	for (size_t i = 0; i < sizeof a / 8; i++) {
		pa[i] = (int64_t)i;
		pb[i] = -3 * (int64_t)i + 1;
	}
	heapStatsDelta_merge(&a, &b);
	for (size_t i = 0; i < sizeof a / 8; i++)
		cr_assert_eq(pa[i], 1 - 2 * (int64_t)i, "field %zu", i);
}

// Every snapshot holds all that was added before it, wherever the writers' generation stands.
static void
consistentRun(void) {
	static consistentHeapStats m;
	memset(&m, 0, sizeof m);
	lockInit(&m.noPLock, lockRankLeafRank);
	heapStatsDelta out;
	M *mp = acquirem();
	for (int i = 1; i <= 10; i++) {
		heapStatsDelta *d = consistentHeapStats_acquire(&m);
		CHECK(d == &m.stats[(i - 1) % 3]);
		CHECK(atomic_Load(&getg()->m->p->statsSeq) % 2 == 1);
		atomic_Xadd(&d->inHeap, INT64_C(100));
		atomic_Xadd(&d->smallAllocCount[7], UINT64_C(1));
		consistentHeapStats_release(&m);
		CHECK(atomic_Load(&getg()->m->p->statsSeq) % 2 == 0);
		consistentHeapStats_read(&m, &out);
		CHECK(out.inHeap == 100 * i && out.smallAllocCount[7] == (uint64_t)i);
		CHECK(m.gen == (uint32_t)i % 3);
	}
	releasem(mp);
}

Test(ConsistentHeapStats, Read) {
	RUN(consistentRun);
}

static gort_memstats st;

// bySizes is how many classes BySize shows: not all if the table has more than Go's.
enum {
	shown = nelem(st.BySize),
	bySizes = (int)NumSizeClasses < (int)shown ? (int)NumSizeClasses : (int)shown,
};

static void
memStatsRun(void) {
	for (int i = 0; i < 5000; i++)
		(void)gort_alloc(64, GORT_CONSERVATIVE);
	gort_gc();
	(void)gort_alloc(1, GORT_NOSCAN);
	gort_read_memstats(&st);
#define SANE(f) CHECK(st.f != 0 && st.f <= UINT64_C(10000000000))
	SANE(Alloc);
	SANE(TotalAlloc);
	SANE(Sys);
	CHECK(st.Lookups == 0);
	SANE(Mallocs);
	SANE(Frees);
	SANE(HeapAlloc);
	SANE(HeapSys);
	CHECK(st.HeapIdle <= UINT64_C(10000000000));
	SANE(HeapInuse);
	CHECK(st.HeapReleased <= st.HeapIdle);
	SANE(HeapObjects);
	SANE(MSpanInuse);
	SANE(MSpanSys);
	SANE(MCacheInuse);
	SANE(MCacheSys);
	SANE(GCSys);
	SANE(OtherSys);
	SANE(NextGC);
	CHECK(st.LastGC != 0);
	CHECK(st.NumGC <= 1000000000 && st.NumForcedGC <= st.NumGC);
	CHECK(st.GCCPUFraction <= 0.99);
	CHECK(st.EnableGC && !st.DebugGC);

	CHECK(st.Sys == st.HeapSys + st.StackSys + st.MSpanSys + st.MCacheSys + st.BuckHashSys +
				st.GCSys + st.OtherSys);
	CHECK(st.HeapIdle + st.HeapInuse == st.HeapSys);
	CHECK(st.Alloc == st.HeapAlloc && st.HeapObjects == st.Mallocs - st.Frees);
	CHECK(st.LastGC == st.PauseEnd[(st.NumGC + 255) % 256]);
	uint64_t total = 0;
	for (int i = 0; i < 256; i++)
		total += st.PauseNs[i];
	CHECK(st.NumGC < 256 && st.PauseTotalNs == total);
	for (uint32_t i = st.NumGC; i < 256; i++)
		CHECK(st.PauseNs[i] == 0 && st.PauseEnd[i] == 0);
	CHECK(st.NumForcedGC <= st.NumGC);
	for (size_t i = 0; i < nelem(st.BySize); i++)
		CHECK(st.BySize[i].Size == (i < NumSizeClasses ? SizeClassToSize[i] : 0));
}

Test(MemStats, Sane) {
	RUN(memStatsRun);
}

// Exactly what was allocated between two readings.
static gort_memstats st2;

static void
countsRun(void) {
	gort_gc();
	int gcpercent = gort_set_gc_percent(-1);
	gort_read_memstats(&st);
	const uint8_t class = sizeToClass(1792); // in Go's table a class of this size
	for (int i = 0; i < 1000; i++)
		(void)gort_alloc(1792, GORT_NOSCAN);
	for (int i = 0; i < 10; i++)
		(void)gort_alloc(100000, GORT_NOSCAN);
	gort_read_memstats(&st2);
	CHECK(st2.BySize[class].Mallocs - st.BySize[class].Mallocs == 1000);
	CHECK(st2.BySize[class].Frees == st.BySize[class].Frees);
	uint64_t bytes =
		1000 * SizeClassToSize[class] + 10 * divRoundUp(100000, pageSize) * pageSize;
	CHECK(st2.TotalAlloc - st.TotalAlloc >= bytes);
	CHECK(st2.TotalAlloc - st.TotalAlloc < bytes + 10000);
	CHECK(st2.Mallocs - st.Mallocs >= 1010 && st2.Mallocs - st.Mallocs < 1100);
	gort_gc();
	gort_read_memstats(&st);
	CHECK(st.BySize[class].Frees - st2.BySize[class].Frees >= 900);
	CHECK(st.Mallocs - st2.Mallocs < 100);
	gort_set_gc_percent(gcpercent);
}

Test(MemStats, Counts) {
	RUN(countsRun);
}

// slowStats recomputes in *slow, from the spans, what readmemstats_m adds up from counters.
struct slowStats {
	gort_memstats *base;
	gort_memstats *slow;
};

static void
slowStats_1(void *arg) {
	struct slowStats *a = arg;
	gort_memstats *slow = a->slow;
	doubleCheckReadMemStats = true;
	readmemstats_m(a->base);
	doubleCheckReadMemStats = false;

	*slow = *a->base;
	slow->Alloc = slow->TotalAlloc = slow->Mallocs = slow->Frees = slow->HeapReleased = 0;
	for (int i = 0; i < bySizes; i++)
		slow->BySize[i].Mallocs = slow->BySize[i].Frees = 0;

	for (intptr_t i = 0; i < mheap_.nallspans; i++) {
		mspan *s = mheap_.allspans[i];
		if (mSpanStateBox_get(&s->state) != mSpanInUse)
			continue;
		int sizeclass = spanClass_sizeclass(s->spanclass);
		if (sizeclass == 0) {
			slow->Mallocs++;
			slow->Alloc += s->elemsize;
		} else {
			slow->Mallocs += s->allocCount;
			slow->Alloc += s->allocCount * s->elemsize;
			if (sizeclass < bySizes)
				slow->BySize[sizeclass].Mallocs += s->allocCount;
		}
	}

	static heapStatsDelta m;
	memset(&m, 0, sizeof m);
	consistentHeapStats_unsafeRead(&memstats.heapStats, &m);
	uint64_t smallFree = 0;
	for (int i = 0; i < NumSizeClasses; i++) {
		slow->Frees += m.smallFreeCount[i];
		if (i < bySizes) {
			slow->BySize[i].Frees += m.smallFreeCount[i];
			slow->BySize[i].Mallocs += m.smallFreeCount[i];
		}
		smallFree += m.smallFreeCount[i] * SizeClassToSize[i];
	}
	slow->Frees += m.tinyAllocCount + m.largeFreeCount;
	slow->Mallocs += slow->Frees;
	slow->TotalAlloc = slow->Alloc + m.largeFree + smallFree;

	for (chunkIdx i = mheap_.pages.start; i < mheap_.pages.end; i++) {
		pallocData *chunk = pageAlloc_tryChunkOf(&mheap_.pages, i);
		if (chunk != NULL)
			slow->HeapReleased +=
				pageBits_popcntRange(&chunk->scavenged, 0, pallocChunkPages) *
				pageSize;
	}
	for (int i = 0; i < nallp; i++) {
		pageCache *c = &allp[i]->pcache;
		slow->HeapReleased += (uint64_t)OnesCount64(c->cache & c->scav) * pageSize;
	}
}

static void
readMemStatsRun(void) {
	for (int round = 0; round < 3; round++) {
		for (size_t i = 1; i < 3000; i++) {
			(void)gort_alloc(i * 7 % 5000 + 1, GORT_NOSCAN);
			(void)gort_alloc(i % 40 * 8 + 8, GORT_CONSERVATIVE);
		}
		(void)gort_alloc(200000, GORT_CONSERVATIVE);
		if (round == 1)
			gort_gc();
		struct slowStats a = {&st, &st2};
		worldStop stw = stopTheWorld(stwForTestReadMemStatsSlow);
		systemstack(slowStats_1, &a);
		startTheWorld(stw);
#define SAME(f) CHECK(st.f == st2.f)
		SAME(Alloc);
		SAME(TotalAlloc);
		SAME(Mallocs);
		SAME(Frees);
		SAME(HeapReleased);
		for (int i = 0; i < bySizes; i++) {
			SAME(BySize[i].Mallocs);
			SAME(BySize[i].Frees);
		}
	}
}

Test(GC, ReadMemStats) {
	RUN(readMemStatsRun);
}

static uint64_t pauses[2 * 256 + 3];

static void
readGCStatsRun(void) {
	for (int i = 0; i < 3; i++)
		gort_gc();
	gort_read_memstats(&st);
	int n = readGCStats(pauses, (int)nelem(pauses));
	CHECK(n == 2 * (int)st.NumGC + 3);
	int ngc = (int)pauses[n - 2];
	CHECK(ngc == (int)st.NumGC && pauses[n - 1] == st.PauseTotalNs &&
		pauses[n - 3] == st.LastGC);
	for (int i = 0; i < ngc; i++) {
		CHECK(pauses[i] == st.PauseNs[ngc - 1 - i]);
		CHECK(pauses[ngc + i] == st.PauseEnd[ngc - 1 - i]);
	}
}

Test(GC, ReadGCStats) {
	RUN(readGCStatsRun);
}
