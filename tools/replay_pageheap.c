// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// gort-replay: the page heap's families. pb pd bit sum (bitmaps and summaries of a chunk), pc (page
// cache), ar (address ranges), scd (scavenger's chunk data), pa (page allocators), si (scavenge
// indices).
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/runtime.h"

#include "runtime/mem.h"
#include "runtime/mgcpacer.h"
#include "runtime/mgcscavenge.h"
#include "runtime/mpagealloc.h"
#include "runtime/mranges.h"
#include "tools/replay.h"

// testSysStat takes what would go to memstats.
static sysMemStat testSysStat;

// index prints a page index, whose "none" is as wide as Go's uint.
static void
o_index(struct replay_out *o, unsigned i) {
	o_u(o, i == ~0u ? UINT64_MAX : i);
}

static void
o_chunk(struct replay_out *o, const pageBits *b) {
	o_bits(o, b->b, pallocChunkPages);
}

static void
o_sum(struct replay_out *o, pallocSum s) {
	o_x(o, s);
	o_u(o, pallocSum_start(s));
	o_u(o, pallocSum_max(s));
	o_u(o, pallocSum_end(s));
}

static pageBits
a_chunk(struct replay_args *a) {
	pageBits b = {{0}};
	a_bits(a, b.b, pallocChunkPages);
	return b;
}

// parse_range reads base-limit.
static addrRange
parse_range(struct replay_args *a, const char *s, size_t n) {
	const char *dash = memchr(s, '-', n);
	if (dash == NULL) {
		a_error(a, "bad range \"%.*s\"", (int)n, s);
		return (addrRange){{0}, {0}};
	}
	size_t k = (size_t)(dash - s);
	return makeAddrRange(parse_u(a, s, k), parse_u(a, dash + 1, n - k - 1));
}

static void
a_addrs(struct replay_args *a, addrRanges *r) {
	addrRanges_init(r, &testSysStat);
	const char *s = a_str(a);
	if (strcmp(s, "-") == 0)
		return;
	for (;;) {
		size_t n = strcspn(s, ",");
		addrRange e = parse_range(a, s, n);
		if (a->error[0] != 0)
			return;
		addrRanges_add(r, e);
		if (s[n] == 0)
			break;
		s += n + 1;
	}
}

static void
o_ranges(struct replay_out *o, const addrRange *r, intptr_t n) {
	if (n == 0)
		o_s(o, "-");
	for (intptr_t i = 0; i < n; i++) {
		char t[64];
		snprintf(t, sizeof t, "0x%" PRIxPTR "-0x%" PRIxPTR, r[i].base.a, r[i].limit.a);
		if (i == 0) {
			o_s(o, t);
		} else {
			o_raw(o, ",");
			o_raw(o, t);
		}
	}
}

static bool
pure(const char *cmd, struct replay_args *a, struct replay_out *o) {
	if (strcmp(cmd, "pb.find") == 0) { // bits npages searchIdx -> index newSearchIdx
		pallocBits b = a_chunk(a);
		uintptr_t npages = a_u(a);
		unsigned searchIdx = (unsigned)a_u(a);
		unsigned s;
		o_index(o, pallocBits_find(&b, npages, searchIdx, &s));
		o_index(o, s);
	} else if (strcmp(cmd, "pb.alloc") == 0) { // bits i n -> bits
		pallocBits b = a_chunk(a);
		unsigned i = (unsigned)a_u(a);
		pallocBits_allocRange(&b, i, (unsigned)a_u(a));
		o_chunk(o, &b);
	} else if (strcmp(cmd, "pb.free") == 0) {
		pallocBits b = a_chunk(a);
		unsigned i = (unsigned)a_u(a);
		pallocBits_free(&b, i, (unsigned)a_u(a));
		o_chunk(o, &b);
	} else if (strcmp(cmd, "pb.popcnt") == 0) {
		pageBits b = a_chunk(a);
		unsigned i = (unsigned)a_u(a);
		o_u(o, pageBits_popcntRange(&b, i, (unsigned)a_u(a)));
	} else if (strcmp(cmd, "pb.sum") == 0) {
		pallocBits b = a_chunk(a);
		o_sum(o, pallocBits_summarize(&b));
	} else if (strcmp(cmd, "pd.cand") ==
		   0) { // alloc scav searchIdx minPages maxPages -> start n
		pallocData d;
		d.pallocBits = a_chunk(a);
		d.scavenged = a_chunk(a);
		unsigned searchIdx = (unsigned)a_u(a);
		uintptr_t least = a_u(a);
		unsigned n;
		unsigned i = pallocData_findScavengeCandidate(&d, searchIdx, least, a_u(a), &n);
		o_u(o, i);
		o_u(o, n);
	} else if (strcmp(cmd, "bit.find64") == 0) {
		uint64_t c = a_u(a);
		o_u(o, findBitRange64(c, (unsigned)a_u(a)));
	} else if (strcmp(cmd, "bit.fill") == 0) {
		uint64_t x = a_u(a);
		o_x(o, fillAligned(x, (unsigned)a_u(a)));
	} else if (strcmp(cmd, "sum.pack") == 0) {
		unsigned start = (unsigned)a_u(a);
		unsigned most = (unsigned)a_u(a);
		o_sum(o, packPallocSum(start, most, (unsigned)a_u(a)));
	} else if (strcmp(cmd, "sum.merge") == 0) { // logMaxPages packed...
		unsigned log = (unsigned)a_u(a);
		pallocSum s[1 << summaryL0Bits];
		int n = 0;
		while (a_more(a) && n < (int)nelem(s))
			s[n++] = a_u(a);
		o_sum(o, mergeSummaries(s, n, log));
	} else if (strcmp(cmd, "pc.alloc") == 0) { // base cache scav npages -> addr scav cache scav
		pageCache c;
		c.base = a_u(a);
		c.cache = a_u(a);
		c.scav = a_u(a);
		uintptr_t scav;
		o_x(o, pageCache_alloc(&c, a_u(a), &scav));
		o_u(o, scav);
		o_x(o, c.cache);
		o_x(o, c.scav);
	} else if (strcmp(cmd, "scd.pack") == 0) { // gen inUse lastInUse flags -> packed ok
		scavChunkData s = {0};
		s.gen = (uint32_t)a_u(a);
		s.inUse = (uint16_t)a_u(a);
		s.lastInUse = (uint16_t)a_u(a);
		s.scavChunkFlags = (scavChunkFlags)a_u(a);
		uint64_t v = scavChunkData_pack(s);
		scavChunkData u = unpackScavChunkData(v);
		o_x(o, v);
		o_t(o, u.gen == s.gen && u.inUse == s.inUse && u.lastInUse == s.lastInUse &&
				u.scavChunkFlags == s.scavChunkFlags);
	} else {
		return false;
	}
	return true;
}

static bool
ranges(const char *op, struct replay_args *a, struct replay_out *o) {
	addrRanges r;
	a_addrs(a, &r);
	if (a->error[0] != 0)
		return true;
	if (strcmp(op, "add") == 0) { // ranges range -> ranges totalBytes
		const char *s = a_str(a);
		addrRange e = parse_range(a, s, strlen(s));
		if (a->error[0] != 0)
			return true;
		addrRanges_add(&r, e);
		o_ranges(o, r.ranges, r.nranges);
		o_u(o, r.totalBytes);
	} else if (strcmp(op, "succ") == 0) {
		o_i(o, addrRanges_findSucc(&r, a_u(a)));
	} else if (strcmp(op, "ge") == 0) {
		bool ok;
		o_x(o, addrRanges_findAddrGreaterEqual(&r, a_u(a), &ok));
		o_t(o, ok);
	} else if (strcmp(op, "last") == 0) { // ranges nbytes -> removed ranges totalBytes
		addrRange x = addrRanges_removeLast(&r, a_u(a));
		o_ranges(o, &x, 1);
		o_ranges(o, r.ranges, r.nranges);
		o_u(o, r.totalBytes);
	} else if (strcmp(op, "cut") == 0) { // ranges addr -> ranges totalBytes
		addrRanges_removeGreaterEqual(&r, a_u(a));
		o_ranges(o, r.ranges, r.nranges);
		o_u(o, r.totalBytes);
	} else {
		return false;
	}
	return true;
}

// ---- pa: page allocators ------------------------------------------------------------------------

struct pa {
	pageAlloc p;
	mutex lock;
};

static struct replay_table pas;
static struct replay_table sis;

// pa_free gives back what a page allocator mapped (FreePageAlloc of export_test.go).
static void
pa_free(struct pa *x) {
	pageAlloc *p = &x->p;
	for (int l = 0; l < summaryLevels; l++)
		sysUnreserve(p->summary[l].a, (uintptr_t)p->summary[l].cap * pallocSumBytes);
	atomic_Xadd(&gcController.mappedReady, -(uint64_t)p->summaryMappedReady);
	sysMemStat_add(&testSysStat, -(int64_t)p->summaryMappedReady);
	sysUnreserve(p->scav.index.chunks, p->scav.index.nchunks * sizeof(atomicScavChunkData));
	for (size_t i = 0; i < nelem(p->chunks); i++)
		if (p->chunks[i] != NULL)
			sysFree(p->chunks[i], sizeof(pallocDataL2), &testSysStat);
	free(x);
}

// One call with the allocator's lock held, on the system stack.
struct pa_call {
	pageAlloc *p;
	enum { GROW, ALLOC, FIND, RANGE, FREE, CACHE, FLUSH, UPDATE, SCAVENGE } op;
	uintptr_t base;
	uintptr_t n;
	bool force;
	uintptr_t ret;
	uintptr_t scav;
	offAddr searchAddr;
	pageCache c;
};

static void
pa_call_1(void *v) {
	struct pa_call *c = v;
	if (c->op == SCAVENGE) {
		c->ret = pageAlloc_scavenge(c->p, c->n, NULL, c->force);
		return;
	}
	lock(c->p->mheapLock);
	switch (c->op) {
	case GROW:
		pageAlloc_grow(c->p, c->base, c->n);
		break;
	case ALLOC:
		c->ret = pageAlloc_alloc(c->p, c->n, &c->scav);
		break;
	case FIND:
		c->ret = pageAlloc_find(c->p, c->n, &c->searchAddr);
		break;
	case RANGE:
		c->scav = pageAlloc_allocRange(c->p, c->base, c->n);
		break;
	case FREE:
		pageAlloc_free(c->p, c->base, c->n);
		break;
	case CACHE:
		c->c = pageAlloc_allocToCache(c->p);
		break;
	case FLUSH:
		pageCache_flush(&c->c, c->p);
		break;
	case UPDATE:
		pageAlloc_update(c->p, c->base, c->n, false, false);
		break;
	case SCAVENGE:
		break;
	}
	unlock(c->p->mheapLock);
}

static void
pa_call(struct pa_call *c) {
	systemstack(pa_call_1, c);
}

// next_run reads the next first+count of a bitmap; false at the end.
static bool
next_run(const uint64_t *w, unsigned *i, unsigned *n) {
	unsigned k = *i;
	while (k < pallocChunkPages && (w[k / 64] >> (k % 64) & 1) == 0)
		k++;
	*i = k;
	while (k < pallocChunkPages && (w[k / 64] >> (k % 64) & 1) != 0)
		k++;
	*n = k - *i;
	return *n > 0;
}

// pa_init_chunk adds a chunk in a given state: chunkIdx:allocBits:scavBits.
static void
pa_init_chunk(pageAlloc *p, struct replay_args *a) {
	const char *s = a_str(a);
	const char *c1 = strchr(s, ':');
	const char *c2 = c1 == NULL ? NULL : strchr(c1 + 1, ':');
	if (c2 == NULL) {
		a_error(a, "bad chunk \"%s\"", s);
		return;
	}
	chunkIdx ci = parse_u(a, s, (size_t)(c1 - s));
	pageBits alloc = {{0}};
	pageBits scav = {{0}};
	parse_bits(a, c1 + 1, (size_t)(c2 - c1 - 1), alloc.b, pallocChunkPages);
	parse_bits(a, c2 + 1, strlen(c2 + 1), scav.b, pallocChunkPages);
	if (a->error[0] != 0)
		return;

	uintptr_t addr = chunkBase(ci);
	pa_call(&(struct pa_call){.p = p, .op = GROW, .base = addr, .n = pallocChunkBytes});
	pallocData *chunk = pageAlloc_chunkOf(p, ci);
	pageBits_clearRange(&chunk->scavenged, 0, pallocChunkPages);
	scavengeIndex_alloc(&p->scav.index, ci, pallocChunkPages);
	scavengeIndex_free(&p->scav.index, ci, 0, pallocChunkPages);
	unsigned n;
	for (unsigned i = 0; next_run(scav.b, &i, &n); i += n)
		pageBits_setRange(&chunk->scavenged, i, n);
	for (unsigned i = 0; next_run(alloc.b, &i, &n); i += n) {
		pallocData_allocRange(chunk, i, n);
		scavengeIndex_alloc(&p->scav.index, ci, n);
	}
	pa_call(&(struct pa_call){.p = p, .op = UPDATE, .base = addr, .n = pallocChunkPages});
}

static void
o_addr2(struct replay_out *o, atomicOffAddr *b) {
	bool m;
	o_x(o, atomicOffAddr_Load(b, &m));
	o_t(o, m);
}

static void
o_scavindex(struct replay_out *o, scavengeIndex *s) {
	o_k(o, "bg");
	o_addr2(o, &s->searchAddrBg);
	o_k(o, "force");
	o_addr2(o, &s->searchAddrForce);
	o_k(o, "hwm");
	o_x(o, s->freeHWM.a);
	o_k(o, "gen");
	o_u(o, s->gen);
	o_k(o, "min");
	o_x(o, s->min);
	o_k(o, "max");
	o_x(o, s->max);
	o_k(o, "minHeap");
	o_x(o, s->minHeapIdx);
}

static void
o_scavchunk(struct replay_out *o, scavChunkData d) {
	o_u(o, d.inUse);
	o_u(o, d.lastInUse);
	o_u(o, d.gen);
	o_u(o, d.scavChunkFlags);
}

static bool
page_alloc(const char *op, struct replay_args *a, struct replay_out *o) {
	void **at = a_object(a, &pas);
	if (strcmp(op, "new") == 0) { // chunk:allocBits:scavBits ... (chunk index)
		if (*at != NULL)
			pa_free(*at);
		struct pa *x = zalloc(sizeof *x);
		*at = x;
		pageAlloc_init(&x->p, &x->lock, &testSysStat, true);
		lockInit(&x->lock, lockRankMheap);
		while (a_more(a) && a->error[0] == 0)
			pa_init_chunk(&x->p, a);
		o_x(o, x->p.searchAddr.a);
		return true;
	}
	if (*at == NULL) {
		a_error(a, "no such page allocator");
		return true;
	}
	pageAlloc *p = &((struct pa *)*at)->p;
	struct pa_call c = {.p = p};
	if (strcmp(op, "drop") == 0) {
		pa_free(*at);
		*at = NULL;
	} else if (strcmp(op, "grow") == 0) { // base bytes -> searchAddr
		c.op = GROW;
		c.base = a_u(a);
		c.n = a_u(a);
		pa_call(&c);
		o_x(o, p->searchAddr.a);
	} else if (strcmp(op, "alloc") == 0) { // npages -> addr scavBytes searchAddr
		c.op = ALLOC;
		c.n = a_u(a);
		pa_call(&c);
		o_x(o, c.ret);
		o_u(o, c.scav);
		o_x(o, p->searchAddr.a);
	} else if (strcmp(op, "find") == 0) { // npages -> addr searchAddr
		c.op = FIND;
		c.n = a_u(a);
		pa_call(&c);
		o_x(o, c.ret);
		o_x(o, c.searchAddr.a);
	} else if (strcmp(op, "range") == 0) { // base npages -> scavBytes searchAddr
		c.op = RANGE;
		c.base = a_u(a);
		c.n = a_u(a);
		pa_call(&c);
		o_u(o, c.scav);
		o_x(o, p->searchAddr.a);
	} else if (strcmp(op, "free") == 0) { // base npages -> searchAddr
		c.op = FREE;
		c.base = a_u(a);
		c.n = a_u(a);
		pa_call(&c);
		o_x(o, p->searchAddr.a);
	} else if (strcmp(op, "cache") == 0) { // -> base cache scav searchAddr
		c.op = CACHE;
		pa_call(&c);
		o_x(o, c.c.base);
		o_x(o, c.c.cache);
		o_x(o, c.c.scav);
		o_x(o, p->searchAddr.a);
	} else if (strcmp(op, "flush") == 0) { // base cache scav -> searchAddr
		c.op = FLUSH;
		c.c.base = a_u(a);
		c.c.cache = a_u(a);
		c.c.scav = a_u(a);
		pa_call(&c);
		o_x(o, p->searchAddr.a);
	} else if (strcmp(op, "scavenge") == 0) { // nbytes [force] -> released
		c.op = SCAVENGE;
		c.n = a_u(a);
		c.force = a_more(a) ? a_t(a) : true;
		pa_call(&c);
		o_u(o, c.ret);
	} else if (strcmp(op, "nextgen") == 0) {
		scavengeIndex_nextGen(&p->scav.index);
	} else if (strcmp(op, "chunk") == 0) { // chunkIdx -> alloc scav sum scavChunkData
		chunkIdx ci = a_u(a);
		pallocData *d = pageAlloc_tryChunkOf(p, ci);
		if (d == NULL) {
			o_s(o, "none");
			return true;
		}
		o_chunk(o, &d->pallocBits);
		o_chunk(o, &d->scavenged);
		o_sum(o, pallocBits_summarize(&d->pallocBits));
		o_scavchunk(o, atomicScavChunkData_load(&p->scav.index.chunks[ci]));
	} else if (strcmp(op, "state") == 0) { // bounds, searchAddr, inUse, scavenge index
		o_k(o, "start");
		o_x(o, p->start);
		o_k(o, "end");
		o_x(o, p->end);
		o_k(o, "search");
		o_x(o, p->searchAddr.a);
		o_k(o, "inUse");
		o_ranges(o, p->inUse.ranges, p->inUse.nranges);
		o_scavindex(o, &p->scav.index);
	} else if (strcmp(op, "sums") == 0) { // level -> index:packed ... for in-use entries
		int l = (int)a_u(a);
		if (l < 0 || l >= summaryLevels) {
			a_error(a, "no such level");
			return true;
		}
		for (intptr_t r = 0; r < p->inUse.nranges; r++) {
			intptr_t lo;
			intptr_t hi;
			addrsToSummaryRange(
				l, p->inUse.ranges[r].base.a, p->inUse.ranges[r].limit.a, &lo, &hi);
			for (intptr_t i = lo; i < hi; i++) {
				char t[64];
				snprintf(t, sizeof t, "0x%" PRIxPTR ":0x%" PRIx64, i,
					p->summary[l].a[i]);
				o_s(o, t);
			}
		}
	} else {
		return false;
	}
	return true;
}

// ---- si: scavenge indices -----------------------------------------------------------------------

// si_range calls alloc or free for the pages of [base, limit), chunk by chunk (AllocRange and
// FreeRange of export_test.go).
static void
si_range(scavengeIndex *s, uintptr_t base, uintptr_t limit, bool isfree) {
	chunkIdx sc = chunkIndex(base);
	chunkIdx ec = chunkIndex(limit - 1);
	for (chunkIdx c = sc; c <= ec; c++) {
		unsigned i = c == sc ? chunkPageIndex(base) : 0;
		unsigned end = c == ec ? chunkPageIndex(limit - 1) + 1 : pallocChunkPages;
		if (isfree)
			scavengeIndex_free(s, c, i, end - i);
		else
			scavengeIndex_alloc(s, c, end - i);
	}
}

static bool
scav_index(const char *op, struct replay_args *a, struct replay_out *o) {
	void **at = a_object(a, &sis);
	if (strcmp(op, "new") == 0) { // minChunk maxChunk
		uintptr_t lo = a_u(a);
		uintptr_t hi = a_u(a);
		scavengeIndex *s = *at;
		if (s != NULL) {
			free(s->chunks);
			free(s);
		}
		s = zalloc(sizeof *s);
		*at = s;
		s->chunks = calloc(hi, sizeof *s->chunks);
		if (s->chunks == NULL)
			abort();
		s->nchunks = hi;
		s->min = lo;
		s->max = hi;
		s->minHeapIdx = lo;
		s->test = true;
		return true;
	}
	scavengeIndex *s = *at;
	if (s == NULL) {
		a_error(a, "no such index");
		return true;
	}
	if (strcmp(op, "alloc") == 0 || strcmp(op, "free") == 0) {
		uintptr_t base = a_u(a);
		si_range(s, base, a_u(a), op[0] == 'f');
	} else if (strcmp(op, "find") == 0) { // force -> chunk page
		unsigned off;
		chunkIdx ci = scavengeIndex_find(s, a_t(a), &off);
		o_x(o, ci);
		o_u(o, off);
		return true;
	} else if (strcmp(op, "nextgen") == 0) {
		scavengeIndex_nextGen(s);
	} else if (strcmp(op, "empty") == 0) {
		scavengeIndex_setEmpty(s, a_u(a));
	} else if (strcmp(op, "reset") == 0) {
		atomicOffAddr *both[] = {&s->searchAddrBg, &s->searchAddrForce};
		for (size_t i = 0; i < nelem(both); i++) {
			bool marked;
			uintptr_t addr = atomicOffAddr_Load(both[i], &marked);
			if (marked)
				atomicOffAddr_StoreUnmark(both[i], addr, addr);
			atomicOffAddr_Clear(both[i]);
		}
		s->freeHWM = minOffAddr;
	} else if (strcmp(op, "chunk") == 0) {
		o_scavchunk(o, atomicScavChunkData_load(&s->chunks[a_u(a)]));
		return true;
	} else if (strcmp(op, "state") != 0) {
		return false;
	}
	o_scavindex(o, s);
	return true;
}

bool
replay_pageheap(const char *cmd, struct replay_args *a, struct replay_out *o) {
	if (strncmp(cmd, "ar.", 3) == 0)
		return ranges(cmd + 3, a, o);
	if (strncmp(cmd, "pa.", 3) == 0)
		return page_alloc(cmd + 3, a, o);
	if (strncmp(cmd, "si.", 3) == 0)
		return scav_index(cmd + 3, a, o);
	return pure(cmd, a, o);
}
