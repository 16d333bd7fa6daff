// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// gort-replay: size classes (sz), the allocation state of one span (ms), heap bitmaps (hb), and the
// layout of inline mark bits (gt.layout).  The commands are in tools/oracle/README.md.

#include "runtime/malloc.h"
#include "runtime/mgcwork.h"
#include "runtime/mpallocbits.h"
#include "runtime/mstats.h"
#include "sched/chan.h"
#include "sched/runtime2.h"
#include "sched/time.h"
#include "tools/replay.h"

// ---- sz: size classes ---------------------------------------------------------------------------

// nelems_of is how many objects a span of class spc holds, as initSpan reckons.
static uintptr_t
nelems_of(spanClass spc, uintptr_t *elemsize, uintptr_t *npages) {
	int c = spanClass_sizeclass(spc);
	*elemsize = SizeClassToSize[c];
	*npages = SizeClassToNPages[c];
	uintptr_t n = *npages * pageSize;
	if (gcUsesSpanInlineMarkBits(*elemsize)) {
		n -= sizeof(spanInlineMarkBits);
	}
	if (heapBitsInSpan(*elemsize) && !spanClass_noscan(spc)) {
		n -= *npages * pageSize / 8 / 8;
	}
	return *elemsize == 0 ? 0 : n / *elemsize;
}

// class_of is the size class that mallocgc picks.
static uint8_t
class_of(uintptr_t size, bool noscan, bool *header) {
	*header = false;
	if (size > maxSmallSize - MallocHeaderSize) {
		return 0;
	}
	if (noscan && size > 0 && size < maxTinySize) {
		return tinySizeClass;
	}
	*header = !noscan && !heapBitsInSpan(size);
	return sizeToClass(*header ? size + MallocHeaderSize : size);
}

static bool
replay_size(const char *op, struct replay_args *a, struct replay_out *o) {
	if (strcmp(op, "class") == 0) {
		unsigned c = (unsigned)a_u(a);
		if (c >= NumSizeClasses) {
			a_error(a, "bad class");
			return true;
		}
		o_u(o, SizeClassToSize[c]);
		o_u(o, SizeClassToNPages[c]);
		o_x(o, SizeClassToDivMagic[c]);
		for (int ns = 0; ns < 2; ns++) {
			spanClass spc = makeSpanClass((uint8_t)c, ns != 0);
			uintptr_t es, np;
			uintptr_t ne = nelems_of(spc, &es, &np);
			o_u(o, spc);
			o_u(o, ne);
			o_u(o, np * pageSize - ne * es);
		}
		o_t(o, heapBitsInSpan(SizeClassToSize[c]));
		o_t(o, gcUsesSpanInlineMarkBits(SizeClassToSize[c]));
	} else if (strcmp(op, "info") == 0) {
		uintptr_t size = a_u(a);
		bool ns = a_t(a), h;
		o_u(o, class_of(size, ns, &h));
		o_t(o, h);
		o_u(o, roundupsize(size, ns));
	} else if (strcmp(op, "index") == 0) {
		unsigned c = (unsigned)a_u(a);
		uintptr_t off = a_u(a);
		if (c >= NumSizeClasses) {
			a_error(a, "bad class");
			return true;
		}
		mspan s = {.startAddr = (uintptr_t)1 << 40, .divMul = SizeClassToDivMagic[c]};
		o_u(o, mspan_objIndex(&s, s.startAddr + off));
	} else if (strcmp(op, "map8") == 0) {
		for (size_t i = 0; i < nelem(SizeToSizeClass8); i++) {
			o_u(o, SizeToSizeClass8[i]);
		}
	} else if (strcmp(op, "map128") == 0) {
		for (size_t i = 0; i < nelem(SizeToSizeClass128); i++) {
			o_u(o, SizeToSizeClass128[i]);
		}
	} else if (strcmp(op, "const") == 0) {
		const struct {
			const char *name;
			uint64_t v;
		} consts[] = {
			{"NumSizeClasses", NumSizeClasses},
			{"MaxSmallSize", MaxSmallSize},
			{"SmallSizeMax", SmallSizeMax},
			{"PageSize", PageSize},
			{"TinySize", TinySize},
			{"MaxObjsPerSpan", MaxObjsPerSpan},
			{"MinSizeForMallocHeader", MinSizeForMallocHeader},
			{"MallocHeaderSize", MallocHeaderSize},
			{"heapArenaBytes", heapArenaBytes},
			{"pagesPerArena", pagesPerArena},
			{"pallocChunkPages", pallocChunkPages},
			{"pallocChunkBytes", pallocChunkBytes},
			{"summaryLevels", summaryLevels},
			{"arenaBaseOffset", arenaBaseOffset},
			{"persistentChunkSize", persistentChunkSize},
			{"workbufAlloc", workbufAlloc},
			{"workbufSize", _WorkbufSize},
			{"spanInlineMarkBits", sizeof(spanInlineMarkBits)},
			{"physPageSize", physPageSize},
			{"physHugePageSize", physHugePageSize},
		};
		for (size_t i = 0; i < nelem(consts); i++) {
			o_k(o, consts[i].name);
			if (strcmp(consts[i].name, "arenaBaseOffset") == 0) {
				o_x(o, consts[i].v);
			} else {
				o_u(o, consts[i].v);
			}
		}
	} else if (strcmp(op, "sizeof") == 0) {
		const struct {
			const char *name;
			size_t v;
		} sizes[] = {
			{"g", sizeof(G)},
			{"m", sizeof(M)},
			{"p", sizeof(P)},
			{"mspan", sizeof(mspan)},
			{"mcache", sizeof(mcache)},
			{"mcentral", sizeof(mcentral)},
			{"mheap", sizeof(mheap)},
			{"heapArena", sizeof(heapArena)},
			{"pallocData", sizeof(pallocData)},
			{"sudog", sizeof(sudog)},
			{"hchan", sizeof(hchan)},
			{"timer", sizeof(timer)},
			{"timers", sizeof(timers)},
			{"type", sizeof(_type)},
		};
		for (size_t i = 0; i < nelem(sizes); i++) {
			o_k(o, sizes[i].name);
			o_u(o, sizes[i].v);
		}
	} else {
		return false;
	}
	return true;
}

// ---- ms: one span -------------------------------------------------------------------------------

static struct replay_table spans;

static void
alloc_mspan_1(void *arg) {
	lock(&mheap_.lock);
	*(mspan **)arg = fixalloc_alloc(&mheap_.spanalloc);
	unlock(&mheap_.lock);
}

static void
free_mspan_1(void *arg) {
	lock(&mheap_.lock);
	fixalloc_free(&mheap_.spanalloc, arg);
	unlock(&mheap_.lock);
}

static void
o_span(struct replay_out *o, const mspan *s) {
	o_k(o, "freeindex");
	o_u(o, s->freeindex);
	o_k(o, "count");
	o_u(o, s->allocCount);
	o_k(o, "cache");
	o_x(o, s->allocCache);
}

// hexdigit is the value of c, or -1.
static int
hexdigit(char c) {
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
replay_span(const char *op, struct replay_args *a, struct replay_out *o) {
	if (strcmp(op, "count") == 0) {
		const char *h = a_str(a);
		size_t n = strlen(h) / 2;
		mspan *s;
		systemstack(alloc_mspan_1, &s);
		s->nelems = (uint16_t)(n * 8);
		s->gcmarkBits = newMarkBits(n * 8);
		for (size_t i = 0; i < n; i++) {
			int hi = hexdigit(h[2 * i]), lo = hexdigit(h[2 * i + 1]);
			if (hi < 0 || lo < 0) {
				a_error(a, "bad hex");
				break;
			}
			*gcBits_bytep(s->gcmarkBits, i) = (uint8_t)(hi << 4 | lo);
		}
		o_u(o, (uint64_t)mspan_countAlloc(s));
		systemstack(free_mspan_1, s);
		return true;
	}
	void **at = a_object(a, &spans);
	if (strcmp(op, "new") == 0) {
		uint8_t c = (uint8_t)a_u(a);
		spanClass spc = makeSpanClass(c, a_t(a));
		uintptr_t es, np;
		if (c >= NumSizeClasses || a->error[0] != 0) {
			a_error(a, "bad class");
			return true;
		}
		uintptr_t ne = nelems_of(spc, &es, &np);
		mspan *s;
		systemstack(alloc_mspan_1, &s);
		*at = s;
		mspan_init(s, (uintptr_t)1 << 40, np);
		s->spanclass = spc;
		s->elemsize = es;
		s->nelems = (uint16_t)ne;
		s->divMul = SizeClassToDivMagic[c];
		s->allocCache = ~UINT64_C(0);
		s->gcmarkBits = newMarkBits(ne);
		s->allocBits = newAllocBits(ne);
		o_u(o, es);
		o_u(o, ne);
		return true;
	}
	mspan *s = *at;
	if (s == NULL) {
		a_error(a, "no such object");
		return true;
	}
	if (strcmp(op, "alloc") == 0) {
		for (uint64_t n = a_u(a); n > 0; n--) {
			uintptr_t v = nextFreeFast(s);
			if (v == 0) {
				uint16_t i = mspan_nextFreeIndex(s);
				if (i >= s->nelems) {
					o_s(o, "full");
					break;
				}
				s->allocCount++;
				v = (uintptr_t)i * s->elemsize + s->startAddr;
			}
			o_u(o, v - s->startAddr);
		}
		o_span(o, s);
	} else if (strcmp(op, "sweep") == 0) {
		uint64_t live[MaxObjsPerSpan / 64] = {0};
		a_bits(a, live, MaxObjsPerSpan);
		for (uintptr_t i = 0; i < s->nelems; i++) {
			if ((live[i / 64] >> (i % 64) & 1) != 0) {
				uint8_t m;
				uint8_t *b = gcBits_bitp(s->gcmarkBits, i, &m);
				*b |= m;
			}
		}
		uint16_t n = (uint16_t)mspan_countAlloc(s);
		uint16_t freed = (uint16_t)(s->allocCount - n);
		s->allocCount = n;
		s->freeindex = 0;
		s->freeIndexForScan = 0;
		s->allocBits = s->gcmarkBits;
		s->gcmarkBits = newMarkBits(s->nelems);
		mspan_refillAllocCache(s, 0);
		o_u(o, freed);
		o_span(o, s);
	} else if (strcmp(op, "isfree") == 0) {
		o_t(o, mspan_isFree(s, a_u(a)));
	} else if (strcmp(op, "index") == 0) {
		o_u(o, mspan_objIndex(s, s->startAddr + a_u(a)));
	} else {
		return false;
	}
	return true;
}

// ---- hb: types and heap bitmaps -----------------------------------------------------------------

// otype makes a type of size bytes whose pointer words are the bits of ptrs.
static const _type *
otype(struct replay_args *a, uintptr_t size, const char *ptrs) {
	uintptr_t nb = alignUp(size / 8, 64) / 8;
	uint64_t *mask = persistentalloc(nb + 8, 8, &memstats.other_sys);
	gort_type *t = persistentalloc(sizeof *t, 8, &memstats.other_sys);
	parse_bits(a, ptrs, strlen(ptrs), mask, size / 8);
	t->size = size;
	t->name = "replay";
	t->gcdata = (const uint8_t *)mask;
	for (uintptr_t i = size / 8; i > 0; i--) {
		if ((mask[(i - 1) / 64] >> ((i - 1) % 64) & 1) != 0) {
			t->ptrbytes = i * 8;
			break;
		}
	}
	return t;
}

// o_pointers prints the offsets from base of the pointers below limit.
static void
o_pointers(struct replay_out *o, typePointers *tp, uintptr_t base, uintptr_t limit) {
	bool some = false;
	uintptr_t addr;
	while ((addr = typePointers_next(tp, limit)) != 0) {
		o_u(o, addr - base);
		some = true;
	}
	if (!some) {
		o_s(o, "-");
	}
}

static bool
replay_heapbits(const char *op, struct replay_args *a, struct replay_out *o) {
	uintptr_t size = a_u(a);
	const char *ptrs = a_str(a);
	uintptr_t n = a_u(a);
	const _type *typ = otype(a, size, ptrs);
	if (a->error[0] != 0) {
		return true;
	}
	void *volatile p = mallocgc(size * n, typ, true); // keeps it alive
	uintptr_t x = (uintptr_t)p;
	mspan *s = spanOf(x);
	if (strcmp(op, "alloc") == 0) {
		bool noscan = spanClass_noscan(s->spanclass);
		o_u(o, (uint64_t)spanClass_sizeclass(s->spanclass));
		o_t(o, noscan);
		o_u(o, s->elemsize);
		o_u(o, s->nelems);
		if (noscan && size * n < maxTinySize) {
			o_s(o, "tiny");
			return true;
		}
		o_u(o, (x - s->startAddr) % s->elemsize);
		if (noscan) {
			o_s(o, "noscan 0 -");
		} else if (heapBitsInSpan(s->elemsize)) {
			o_s(o, "bits");
			o_u(o, heapSetTypeNoHeader(x, size * n, typ, s));
			uint64_t bits = mspan_heapBitsSmallForAddr(s, x);
			o_bits(o, &bits, s->elemsize / 8);
			uintptr_t l;
			uintptr_t b = spanHeapBitsRange(
				s->startAddr, s->npages * pageSize, s->elemsize, &l);
			o_k(o, "at");
			o_u(o, b - s->startAddr);
			o_u(o, l);
		} else if (spanClass_sizeclass(s->spanclass) != 0) {
			o_s(o, "header");
			o_u(o, s->elemsize);
			o_t(o, *(const _type **)(x - 8) == typ);
		} else {
			o_s(o, "large");
			o_u(o, s->elemsize);
			o_t(o, s->largeType == typ);
		}
	} else if (strcmp(op, "iter") == 0) {
		uintptr_t off = a_u(a), l = a_u(a);
		uintptr_t base = mspan_objBase(s, x);
		typePointers tp;
		if (off == 0 && l == 0) {
			tp = mspan_typePointersOfUnchecked(s, base);
			l = s->elemsize;
		} else {
			tp = mspan_typePointersOf(s, base + off, l);
		}
		o_pointers(o, &tp, base, base + off + l);
	} else if (strcmp(op, "oftype") == 0) {
		typePointers tp = mspan_typePointersOfType(s, typ, x);
		o_pointers(o, &tp, x, x + size * n);
	} else {
		return false;
	}
	return true;
}

// ---- gt: Green Tea ------------------------------------------------------------------------------

static bool
replay_greentea(const char *op, struct replay_args *a, struct replay_out *o) {
	(void)a;
	if (strcmp(op, "layout") != 0) {
		return false;
	}
	o_k(o, "sizeof");
	o_u(o, sizeof(spanInlineMarkBits));
	o_k(o, "scans");
	o_u(o, offsetof(spanInlineMarkBits, scans));
	o_k(o, "owned");
	o_u(o, offsetof(spanInlineMarkBits, owned));
	o_k(o, "marks");
	o_u(o, offsetof(spanInlineMarkBits, marks));
	o_k(o, "class");
	o_u(o, offsetof(spanInlineMarkBits, class));
	return true;
}

bool
replay_malloc(const char *cmd, struct replay_args *a, struct replay_out *o) {
	const char *op = cmd + 3;
	switch (cmd[0]) {
	case 's':
		return replay_size(op, a, o);
	case 'm':
		return replay_span(op, a, o);
	case 'h':
		return replay_heapbits(op, a, o);
	default:
		return replay_greentea(op, a, o);
	}
}
