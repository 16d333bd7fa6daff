// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// gort-replay mem SCRIPT: runs an allocation script and reports where objects lie, and statistics.
//
//	percent N        gort_set_gc_percent(N)
//	limit N          gort_set_memory_limit(N)
//	n SLOT SIZE      allocate SIZE bytes without pointers into SLOT
//	p SLOT SIZE      the same with one pointer, in the first word
//	link A B         store SLOT B's address in the first word of SLOT A
//	drop SLOT        clear SLOT
//	gc               gort_gc(), twice with "gc 2"
//	fresh            for every span class, allocate (and keep) objects until one starts a new
//	                 span, so that no older span is left to fill
//	free             gort_free_os_memory()
//	where SLOT       report the object's span and place in it
//	stats            report memory statistics, as differences from the first stats
//
// What follows a | in a report varies from run to run.  Slots hold the only roots: they, and what fresh
// keeps, are arrays on the heap, as in goracle; the stack below app's frame is wiped before each
// collection, because it is scanned conservatively.

#include <stdio.h>
#include <stdlib.h>

#include "runtime/gort.h"

#include "runtime/malloc.h"
#include "sched/runtime2.h"
#include "tools/replay.h"

typedef struct mem_op {
	char op;
	int line;
	uint64_t a;
	uint64_t b;
	const gort_type *typ;
} mem_op;

typedef struct mem_where {
	int class;
	uintptr_t index, pages, nelems, base;
} mem_where;

static const struct {
	const char *name;
	char op;
	int nargs;
} names[] = {{"percent", '%', 1}, {"limit", 'l', 1}, {"n", 'n', 2}, {"p", 'p', 2}, {"link", '>', 2},
	{"drop", 'd', 1}, {"gc", 'g', 0}, {"free", 'f', 0}, {"fresh", 'F', 0}, {"where", 'w', 1},
	{"stats", 's', 0}};

// The run's own memory comes from malloc and is there before it starts.
static mem_op *ops;
static size_t nops, capops;
static gort_memstats *stats;
static mem_where *where;
static size_t nstats, nwhere;
static void **slots, **keep;
static size_t nslots, nkeep, capkeep;

static const uint64_t first_word[1] = {1};

// type_of is a type of size bytes with one pointer, at the start.
static const gort_type *
type_of(size_t size) {
	gort_type *t = calloc(1, sizeof *t);
	*t = (gort_type){size, 8, (const uint8_t *)first_word, "mem"};
	return t;
}

// parse reads the script; false after a message.
static bool
parse(const char *file) {
	FILE *f = fopen(file, "r");
	if (f == NULL) {
		perror(file);
		return false;
	}
	char *line = NULL;
	size_t cap = 0;
	bool ok = true;
	for (int lineno = 1; ok && getline(&line, &cap, f) >= 0; lineno++) {
		char word[32];
		long long a = 0, b = 0;
		int n = sscanf(line, "%31s %lld %lld", word, &a, &b);
		if (n <= 0 || word[0] == '#')
			continue;
		mem_op o = {0, lineno, (uint64_t)a, (uint64_t)b, NULL};
		int nargs = 0;
		for (size_t i = 0; i < nelem(names); i++)
			if (strcmp(word, names[i].name) == 0) {
				o.op = names[i].op;
				nargs = names[i].nargs;
			}
		bool slot = o.op != 0 && strchr("np>dw", o.op) != NULL;
		if (o.op == 0 || n - 1 < nargs || (slot && (a < 0 || a > 1 << 24)) ||
			(o.op == '>' && (b < 0 || b > 1 << 24)) ||
			((o.op == 'n' || o.op == 'p') && b <= 0)) {
			fprintf(stderr, "gort-replay: %s:%d: bad operation: %s", file, lineno,
				line);
			ok = false;
			break;
		}
		if (o.op == 'p')
			o.typ = type_of(o.b);
		if (slot && o.a >= nslots)
			nslots = o.a + 1;
		if (o.op == '>' && o.b >= nslots)
			nslots = o.b + 1;
		nstats += o.op == 's';
		nwhere += o.op == 'w';
		if (nops == capops) {
			capops = capops * 2 + 1024;
			ops = realloc(ops, capops * sizeof *ops);
		}
		ops[nops++] = o;
	}
	free(line);
	fclose(f);
	return ok;
}

// wipe clears the stack below the caller's frame.
static NOINLINE void
wipe(void) {
	char junk[32 << 10];
	memset(junk, 0, sizeof junk);
	__asm__ volatile("" : : "r"(junk) : "memory");
}

// fresh leaves no span with free slots behind.
static NOINLINE void
fresh(void) {
	static const gort_type *types[numSpanClasses];
	for (unsigned c = 2; c < numSpanClasses; c++) {
		if (c == 3)
			continue; // 8-byte objects without pointers are tiny
		size_t size = SizeClassToSize[c / 2];
		if (c % 2 == 0) {
			if (!heapBitsInSpan(size))
				size -= MallocHeaderSize;
			if (types[c] == NULL)
				types[c] = type_of(size);
		}
		for (;;) {
			void *p = mallocgc(size, c % 2 == 0 ? types[c] : NULL, true);
			if (nkeep < capkeep)
				gort_store(keep[nkeep], p);
			nkeep++;
			if ((uintptr_t)p - spanOf((uintptr_t)p)->startAddr <= 8)
				break;
		}
	}
}

// run_op does one operation, in a frame that is gone before the next collection.
static NOINLINE void
run_op(const mem_op *o) {
	switch (o->op) {
	case '%':
		gort_set_gc_percent((int)o->a);
		break;
	case 'l':
		gort_set_memory_limit((int64_t)o->a);
		break;
	case 'n':
	case 'p': {
		void *p = mallocgc(o->b, o->typ, true);
		gort_store(slots[o->a], p);
		break;
	}
	case '>':
		gort_store(*(void **)slots[o->a], slots[o->b]);
		break;
	case 'd':
		gort_store(slots[o->a], (void *)NULL);
		break;
	case 'g':
		gort_gc();
		if (o->a == 2)
			gort_gc();
		break;
	case 'f':
		gort_free_os_memory();
		break;
	case 'F':
		fresh();
		break;
	case 'w': {
		mspan *s = spanOf((uintptr_t)slots[o->a]);
		where[nwhere++] = (mem_where){s->spanclass, (uintptr_t)slots[o->a] - s->startAddr,
			s->npages, s->nelems, s->startAddr};
		break;
	}
	case 's':
		gort_read_memstats(&stats[nstats++]);
		break;
	}
}

static void
print_stats(int line, const gort_memstats *m, const gort_memstats *b) {
#define D(f) (long long)(m->f - b->f)
	printf("stats line=%d mallocs=%lld frees=%lld alloc=%lld objects=%lld total=%lld "
	       "inuse=%lld "
	       "gcs=%d forced=%d sys=%lld idle=%lld stacks=%lld mspan=%lld mcache=%lld gcsys=%lld",
		line, D(Mallocs), D(Frees), D(HeapAlloc), D(HeapObjects), D(TotalAlloc),
		D(HeapInuse), (int)D(NumGC), (int)D(NumForcedGC), D(HeapSys), D(HeapIdle),
		D(StackInuse), D(MSpanInuse), D(MCacheInuse), D(GCSys));
	printf(" bysize=");
	for (int i = 0; i < 61; i++) // as many as Go's MemStats has
		if (m->BySize[i].Mallocs != b->BySize[i].Mallocs)
			printf("%u:%lld:%lld,", m->BySize[i].Size, D(BySize[i].Mallocs),
				D(BySize[i].Frees));
	printf(" | next=%llu released=%lld\n", (unsigned long long)m->NextGC, D(HeapReleased));
#undef D
}

int
replay_mem(int argc, char **argv) {
	if (argc != 2) {
		fputs("usage: gort-replay mem SCRIPT\n", stderr);
		return 2;
	}
	if (!parse(argv[1]))
		return 1;
	stats = calloc(nstats + 1, sizeof *stats);
	where = calloc(nwhere + 1, sizeof *where);
	slots = gort_alloc((nslots + 1) * sizeof *slots, GORT_POINTERS);
	capkeep = 1 << 18;
	keep = gort_alloc(capkeep * sizeof *keep, GORT_POINTERS);
	nstats = nwhere = 0;
	gort_gomaxprocs(1);
	gort_set_gc_percent(-1);
	for (size_t i = 0; i < nops; i++) {
		if (ops[i].op == 'g' || ops[i].op == 'f')
			wipe();
		run_op(&ops[i]);
	}
	if (nkeep > capkeep) {
		fputs("gort-replay: mem: fresh allocated more than it can keep\n", stderr);
		return 1;
	}

	size_t wi = 0, si = 0;
	for (size_t i = 0; i < nops; i++) {
		if (ops[i].op == 'w') {
			const mem_where *w = &where[wi];
			// Spans are numbered in the order of their first report.
			int seq = 0;
			for (size_t j = 0; j <= wi; j++) {
				size_t k = 0;
				while (where[k].base != where[j].base)
					k++;
				seq += k == j;
				if (where[j].base == w->base)
					break;
			}
			wi++;
			printf("where line=%d class=%d pages=%lu nelems=%lu offset=%lu | span=%d\n",
				ops[i].line, w->class, w->pages, w->nelems, w->index, seq);
		} else if (ops[i].op == 's') {
			print_stats(ops[i].line, &stats[si], &stats[0]);
			si++;
		}
	}
	return 0;
}
