// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Encoding of profiles: profile.proto of pprof, compressed.  Ports runtime/pprof's proto.go,
// protobuf.go and map.go of Go 1.26.8.
//
// A profile is one protocol buffer message.  Its samples refer to locations by number, those to
// functions and mappings, all of them to the string table, which comes last: everything is written as
// it comes up, and the tables are kept until the end.  A location is a return address, with a line for
// each function that was inlined there.
//
// Stacks of the CPU profile that are the same, with the same labels, are one sample: so they are
// collected first, and written at the end.
//
// All of it runs on an ordinary goroutine and uses its own memory: nothing here may come from the heap,
// whose profile it may be, and which may be stopped.  zlib gets its memory from there, too.
//
// PORT: Go's tracebacks list inlined functions as frames of their own, and pcDeck puts them together
// again.  Ours have only real frames.
#define XXH_INLINE_ALL
#define XXH_NO_STREAM
#include <xxhash.h>
#include <zlib.h>

#include "sched/pprof.h"

#include "runtime/mstats.h"
#include "sched/cpuprof.h"
#include "sched/writefd.h"

enum {
	// message ValueType
	tagValueType_Type = 1,
	tagValueType_Unit = 2,
	// message Sample
	tagSample_Location = 1,
	tagSample_Value = 2,
	tagSample_Label = 3,
	// message Label
	tagLabel_Key = 1,
	tagLabel_Str = 2,
	tagLabel_Num = 3,
	// message Mapping
	tagMapping_ID = 1,
	tagMapping_Start = 2,
	tagMapping_Limit = 3,
	tagMapping_Offset = 4,
	tagMapping_Filename = 5,
	tagMapping_BuildID = 6,
	tagMapping_HasFunctions = 7,
	tagMapping_HasFilenames = 8,
	tagMapping_HasLineNumbers = 9,
	tagMapping_HasInlineFrames = 10,
	// message Location
	tagLocation_ID = 1,
	tagLocation_MappingID = 2,
	tagLocation_Address = 3,
	tagLocation_Line = 4,
	// message Line
	tagLine_FunctionID = 1,
	tagLine_Line = 2,
	// message Function
	tagFunction_ID = 1,
	tagFunction_Name = 2,
	tagFunction_SystemName = 3,
	tagFunction_Filename = 4,
};

// How the look-up of names in a mapping went.
enum {
	lookupTried = 1 << 0,
	lookupFailed = 1 << 1,
};

enum {
	dataFlush = 4096,
	outSize = 32 << 10,
	maxMappings = 256,
};

// profMapEntry is the samples of one stack with one set of labels.
typedef struct profMapEntry {
	uint64_t hash;
	struct profMapEntry *nextHash;
	struct profMapEntry *nextAll;
	const struct gort_labels *labels; // a copy
	int64_t count;
	int nstk;
	uintptr_t stk[];
} profMapEntry;

// pbTable is a hash table from 64-bit keys to numbers from 1 on.
typedef struct pbTable {
	uint64_t *key;
	uint32_t *id; // 0: free
	intptr_t cap; // a power of two
	intptr_t n;
} pbTable;

enum { profMapSize = 1 << 12 };

struct profileBuilder {
	pprofMem mem;
	int fd;
	int err;
	int64_t start; // wall clock
	int64_t startMono;
	bool havePeriod;
	int64_t period;

	// the message, encoded as far as it has not been compressed yet
	uint8_t *data;
	intptr_t ndata;
	intptr_t capdata;
	int nest;
	z_stream z;
	uint8_t *out;

	const char **strings; // the string table
	intptr_t nstrings;
	intptr_t capstrings;
	pbTable stringMap; // hash of the string
	pbTable locs;      // return address
	pbTable funcs;     // index of the name

	symMapping maps[maxMappings];
	int nmaps;
	uint8_t mapLookup[maxMappings];

	// the CPU profile
	profMapEntry **hash;
	profMapEntry *all;
	profMapEntry *last;

	symFrame *frames;
	uint64_t *ids; // locations of a stack
	intptr_t capids;
};

// ---- memory -----------------------------------------------------------------------------------------

typedef struct pprofChunk {
	struct pprofChunk *next;
	uintptr_t size;
} pprofChunk;

void *
pprofMem_alloc(pprofMem *m, uintptr_t n) {
	n = alignUp(n, 16);
	if ((uintptr_t)(m->end - m->p) < n) {
		uintptr_t size = alignUp(max(n + 16, (uintptr_t)256 << 10), physPageSize);
		pprofChunk *c = sysAlloc(size, &memstats.other_sys, "profile");
		if (c == NULL) {
			throw("out of memory (profile)");
		}
		c->size = size;
		c->next = m->chunks;
		m->chunks = c;
		m->p = (uint8_t *)c + 16;
		m->end = (uint8_t *)c + size;
	}
	void *p = m->p;
	m->p += n;
	return p;
}

void *
pprofMem_grow(pprofMem *m, void *p, intptr_t *cap, intptr_t n, uintptr_t size) {
	if (n <= *cap) {
		return p;
	}
	intptr_t newcap = max(n, 2 * *cap + 64);
	void *q = pprofMem_alloc(m, (uintptr_t)newcap * size);
	if (*cap != 0) {
		memcpy(q, p, (uintptr_t)*cap * size);
	}
	*cap = newcap;
	return q;
}

void
pprofMem_free(pprofMem *m) {
	for (pprofChunk *c = m->chunks; c != NULL;) {
		pprofChunk *next = c->next;
		sysFree(c, c->size, &memstats.other_sys);
		c = next;
	}
}

// pbTable_find returns the place of the number of key; 0 there: it is new.
static uint32_t *
pbTable_find(profileBuilder *b, pbTable *t, uint64_t key) {
	if (2 * (t->n + 1) > t->cap) {
		pbTable old = *t;
		t->cap = max(2 * old.cap, 256);
		t->key = pprofMem_alloc(&b->mem, (uintptr_t)t->cap * sizeof(t->key[0]));
		t->id = pprofMem_alloc(&b->mem, (uintptr_t)t->cap * sizeof(t->id[0]));
		t->n = 0;
		for (intptr_t i = 0; i < old.cap; i++) {
			if (old.id[i] != 0) {
				*pbTable_find(b, t, old.key[i]) = old.id[i];
				t->n++;
			}
		}
	}
	uint64_t h = key * 0x9e3779b97f4a7c15;
	h ^= h >> 32;
	intptr_t i = (intptr_t)(h & (uint64_t)(t->cap - 1));
	while (t->id[i] != 0 && t->key[i] != key) {
		i = (i + 1) & (t->cap - 1);
	}
	t->key[i] = key;
	return &t->id[i];
}

// ---- protocol buffers -------------------------------------------------------------------------------

static void
pbBytes(profileBuilder *b, const void *p, uintptr_t n) {
	b->data = pprofMem_grow(&b->mem, b->data, &b->capdata, b->ndata + (intptr_t)n, 1);
	memcpy(b->data + b->ndata, p, n);
	b->ndata += (intptr_t)n;
}

static int
varint(uint8_t buf[static 10], uint64_t x) {
	int n = 0;
	while (x >= 128) {
		buf[n++] = (uint8_t)x | 0x80;
		x >>= 7;
	}
	buf[n++] = (uint8_t)x;
	return n;
}

static void
pbVarint(profileBuilder *b, uint64_t x) {
	uint8_t buf[10];
	pbBytes(b, buf, (uintptr_t)varint(buf, x));
}

static void
pbUint64(profileBuilder *b, int tag, uint64_t x) {
	pbVarint(b, (uint64_t)tag << 3 | 0);
	pbVarint(b, x);
}

static void
pbUint64Opt(profileBuilder *b, int tag, uint64_t x) {
	if (x != 0) {
		pbUint64(b, tag, x);
	}
}

void
pbInt64Opt(profileBuilder *b, int tag, int64_t x) {
	pbUint64Opt(b, tag, (uint64_t)x);
}

static intptr_t
startMessage(profileBuilder *b) {
	b->nest++;
	return b->ndata;
}

// endMessage puts tag and length before what was written since start.
static void
endMessage(profileBuilder *b, int tag, intptr_t start) {
	uint8_t head[20];
	uintptr_t n = (uintptr_t)(b->ndata - start);
	int k = varint(head, (uint64_t)tag << 3 | 2);
	k += varint(head + k, n);
	pbBytes(b, head, (uintptr_t)k); // for the room
	memmove(b->data + start + k, b->data + start, n);
	memcpy(b->data + start, head, (uintptr_t)k);
	b->nest--;
}

// pbUint64s writes a list, packed if it has more than two.
static void
pbUint64s(profileBuilder *b, int tag, const uint64_t *x, int n) {
	if (n <= 2) {
		for (int i = 0; i < n; i++) {
			pbUint64(b, tag, x[i]);
		}
		return;
	}
	intptr_t start = startMessage(b);
	for (int i = 0; i < n; i++) {
		pbVarint(b, x[i]);
	}
	endMessage(b, tag, start);
}

// ---- output -----------------------------------------------------------------------------------------

static void *
pb_zalloc(void *opaque, unsigned n, unsigned size) {
	return pprofMem_alloc(opaque, (uintptr_t)n * size);
}

static void
pb_zfree(void *opaque, void *p) {
	(void)opaque;
	(void)p;
}

// compress hands the encoded bytes to zlib and writes what comes out.
static void
compress_(profileBuilder *b, int flush) {
	b->z.next_in = b->data;
	b->z.avail_in = (unsigned)b->ndata;
	do {
		b->z.next_out = b->out;
		b->z.avail_out = outSize;
		deflate(&b->z, flush);
		uintptr_t n = outSize - b->z.avail_out;
		if (n > 0 && b->err == 0) {
			b->err = writefd(b->fd, b->out, n);
		}
	} while (b->z.avail_out == 0);
	b->ndata = 0;
}

static void
profileBuilder_flush(profileBuilder *b) {
	if (b->nest == 0 && b->ndata > dataFlush) {
		compress_(b, Z_NO_FLUSH);
	}
}

// ---- tables -----------------------------------------------------------------------------------------

int64_t
profileBuilder_stringIndex(profileBuilder *b, const char *s) {
	uintptr_t n = strlen(s);
	uint64_t h = XXH3_64bits(s, n);
	for (;; h++) {
		uint32_t *id = pbTable_find(b, &b->stringMap, h);
		if (*id == 0) {
			char *copy = pprofMem_alloc(&b->mem, n + 1);
			memcpy(copy, s, n + 1);
			b->strings = pprofMem_grow(&b->mem, b->strings, &b->capstrings,
				b->nstrings + 1, sizeof(b->strings[0]));
			b->strings[b->nstrings++] = copy;
			*id = (uint32_t)b->nstrings;
			b->stringMap.n++;
			return b->nstrings - 1;
		}
		if (strcmp(b->strings[*id - 1], s) == 0) {
			return *id - 1;
		}
	}
}

void
pbValueType(profileBuilder *b, int tag, const char *typ, const char *unit) {
	intptr_t start = startMessage(b);
	pbUint64(b, tagValueType_Type, (uint64_t)profileBuilder_stringIndex(b, typ));
	pbUint64(b, tagValueType_Unit, (uint64_t)profileBuilder_stringIndex(b, unit));
	endMessage(b, tag, start);
}

static void
pbLabel(profileBuilder *b, const char *key, const char *str, int64_t num) {
	intptr_t start = startMessage(b);
	pbInt64Opt(b, tagLabel_Key, profileBuilder_stringIndex(b, key));
	pbInt64Opt(b, tagLabel_Str, profileBuilder_stringIndex(b, str));
	pbInt64Opt(b, tagLabel_Num, num);
	endMessage(b, tagSample_Label, start);
}

// mappingOf is the index of the mapping that contains pc, or -1.
static int
mappingOf(profileBuilder *b, uintptr_t pc) {
	for (int i = 0; i < b->nmaps; i++) {
		if (b->maps[i].start <= pc && pc < b->maps[i].limit) {
			return i;
		}
	}
	return -1;
}

// emitLocation writes the location of a return address, and the functions that are new in it, and
// returns its number; 0: it is none, but the end of the stack.
static uint64_t
emitLocation(profileBuilder *b, uintptr_t addr) {
	uint32_t *idp = pbTable_find(b, &b->locs, addr);
	if (*idp != 0) {
		return *idp == UINT32_MAX ? 0 : *idp;
	}
	int n = symframes(addr - 1, b->frames, pprofMaxFrames);
	if (n > 0 && strcmp(b->frames[n - 1].func, "runtime.goexit") == 0) {
		*idp = UINT32_MAX;
		return 0;
	}
	uint32_t id = (uint32_t)++b->locs.n;
	*idp = id;

	struct {
		uint32_t id;
		const char *name;
		const char *file;
	} fresh[pprofMaxFrames];
	int nfresh = 0;

	intptr_t start = startMessage(b);
	pbUint64Opt(b, tagLocation_ID, id);
	pbUint64Opt(b, tagLocation_Address, addr - 1);
	for (int i = 0; i < n; i++) {
		symFrame *f = &b->frames[i];
		uint64_t name = (uint64_t)profileBuilder_stringIndex(b, f->func);
		uint32_t *fid = pbTable_find(b, &b->funcs, name);
		uint32_t funcid = *fid;
		if (funcid == 0) {
			funcid = *fid = (uint32_t)++b->funcs.n;
			fresh[nfresh].id = funcid;
			fresh[nfresh].name = f->func;
			fresh[nfresh++].file = f->file;
		}
		intptr_t line = startMessage(b);
		pbUint64Opt(b, tagLine_FunctionID, funcid);
		pbInt64Opt(b, tagLine_Line, f->line);
		endMessage(b, tagLocation_Line, line);
	}
	int m = mappingOf(b, addr - 1);
	if (m >= 0) {
		pbUint64Opt(b, tagLocation_MappingID, (uint64_t)m + 1);
		b->mapLookup[m] |= lookupTried;
		if (n == 0) {
			b->mapLookup[m] |= lookupFailed;
		}
	}
	endMessage(b, tagProfile_Location, start);

	for (int i = 0; i < nfresh; i++) {
		uint64_t name = (uint64_t)profileBuilder_stringIndex(b, fresh[i].name);
		uint64_t file = (uint64_t)profileBuilder_stringIndex(b, fresh[i].file);
		start = startMessage(b);
		pbUint64Opt(b, tagFunction_ID, fresh[i].id);
		pbUint64Opt(b, tagFunction_Name, name);
		pbUint64Opt(b, tagFunction_SystemName, name);
		pbUint64Opt(b, tagFunction_Filename, file);
		endMessage(b, tagProfile_Function, start);
	}
	profileBuilder_flush(b);
	return id;
}

void
pbSample(profileBuilder *b, const int64_t *values, int nvalues, const uintptr_t *stk, int nstk,
	const struct gort_labels *labels, int64_t blockSize) {
	b->ids = pprofMem_grow(&b->mem, b->ids, &b->capids, nstk, sizeof(b->ids[0]));
	int n = 0;
	for (int i = 0; i < nstk; i++) {
		uint64_t id = emitLocation(b, stk[i]);
		if (id != 0) {
			b->ids[n++] = id;
		}
	}
	intptr_t start = startMessage(b);
	pbUint64s(b, tagSample_Value, (const uint64_t *)values, nvalues);
	pbUint64s(b, tagSample_Location, b->ids, n);
	for (int i = 0; labels != NULL && i < labels->n; i++) {
		pbLabel(b, labels->list[i].key, labels->list[i].value, 0);
	}
	if (blockSize != 0) {
		pbLabel(b, "bytes", "", blockSize);
	}
	endMessage(b, tagProfile_Sample, start);
	profileBuilder_flush(b);
}

// ---- a profile --------------------------------------------------------------------------------------

// readMapping lists what is loaded.
static void
readMapping(profileBuilder *b) {
	// It asks the dynamic linker, who has a lock.
	M *mp = acquirem();
	symtab_addobject(0);
	releasem(mp);
	b->nmaps = symobjects(b->maps, maxMappings);
}

profileBuilder *
newProfileBuilder(int fd) {
	pprofMem mem = {0};
	profileBuilder *b = pprofMem_alloc(&mem, sizeof *b);
	b->mem = mem;
	b->fd = fd;
	b->start = walltime();
	b->startMono = nanotime();
	b->out = pprofMem_alloc(&b->mem, outSize);
	b->frames = pprofMem_alloc(&b->mem, pprofMaxFrames * sizeof(b->frames[0]));
	b->z.zalloc = pb_zalloc;
	b->z.zfree = pb_zfree;
	b->z.opaque = &b->mem;
	if (deflateInit2(&b->z, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) !=
		Z_OK) {
		throw("deflateInit2");
	}
	profileBuilder_stringIndex(b, "");
	readMapping(b);
	return b;
}

// copyLabels copies a set off the heap.
static const struct gort_labels *
copyLabels(profileBuilder *b, const struct gort_labels *l) {
	if (l == NULL || l->n == 0) {
		return NULL;
	}
	struct gort_labels *c =
		pprofMem_alloc(&b->mem, sizeof *c + (uintptr_t)l->n * sizeof(c->list[0]));
	c->n = l->n;
	for (int i = 0; i < l->n; i++) {
		int64_t k = profileBuilder_stringIndex(b, l->list[i].key);
		int64_t v = profileBuilder_stringIndex(b, l->list[i].value);
		c->list[i] = (label){b->strings[k], b->strings[v]};
	}
	return c;
}

// sameLabels compares a set with a copy.
static bool
sameLabels(const struct gort_labels *c, const struct gort_labels *l) {
	int n = c == NULL ? 0 : c->n;
	if (n != (l == NULL ? 0 : l->n)) {
		return false;
	}
	for (int i = 0; i < n; i++) {
		if (strcmp(c->list[i].key, l->list[i].key) != 0 ||
			strcmp(c->list[i].value, l->list[i].value) != 0) {
			return false;
		}
	}
	return true;
}

// profMap_lookup returns the entry of a stack and labels.
static profMapEntry *
profMap_lookup(
	profileBuilder *b, const uintptr_t *stk, int nstk, const struct gort_labels *labels) {
	if (b->hash == NULL) {
		b->hash = pprofMem_alloc(&b->mem, profMapSize * sizeof(b->hash[0]));
	}
	uint64_t h = XXH3_64bits(stk, (uintptr_t)nstk * sizeof(stk[0]));
	profMapEntry **slot = &b->hash[h % profMapSize];
	for (profMapEntry *e = *slot; e != NULL; e = e->nextHash) {
		if (e->hash == h && e->nstk == nstk &&
			memcmp(e->stk, stk, (uintptr_t)nstk * sizeof(stk[0])) == 0 &&
			sameLabels(e->labels, labels)) {
			return e;
		}
	}
	profMapEntry *e = pprofMem_alloc(&b->mem, sizeof *e + (uintptr_t)nstk * sizeof(stk[0]));
	e->hash = h;
	e->labels = copyLabels(b, labels);
	e->nstk = nstk;
	memcpy(e->stk, stk, (uintptr_t)nstk * sizeof(stk[0]));
	e->nextHash = *slot;
	*slot = e;
	if (b->last == NULL) {
		b->all = e;
	} else {
		b->last->nextAll = e;
	}
	b->last = e;
	return e;
}

void
profileBuilder_addCPUData(profileBuilder *b, const uint64_t *data, intptr_t ndata,
	void *const *tags, intptr_t ntags) {
	for (intptr_t ti = 0; ndata > 0; ti++) {
		if (ndata < 3 || data[0] > (uint64_t)ndata || data[0] < 3 || ti >= ntags) {
			throw("runtime/pprof: converting profile: malformed profile");
		}
		uint64_t count = data[2];
		const uintptr_t *stk = &data[3];
		int nstk = (int)data[0] - 3;
		if (!b->havePeriod) {
			// The first record is the rate.
			if (nstk != 0 || count == 0) {
				throw("runtime/pprof: converting profile: malformed profile");
			}
			b->period = 1000000000 / (int64_t)count;
			b->havePeriod = true;
		} else {
			uintptr_t lost[1] = {(uintptr_t)lostProfileEvent + 1};
			if (count == 0 && nstk == 1) {
				// So many were lost.
				count = stk[0];
				stk = lost;
			}
			// The labels stay alive until the next read.
			profMap_lookup(b, stk, nstk, tags[ti])->count += (int64_t)count;
		}
		ndata -= (intptr_t)data[0];
		data += data[0];
	}
}

int
profileBuilder_build(profileBuilder *b) {
	pbInt64Opt(b, tagProfile_TimeNanos, b->start);
	if (b->havePeriod) { // a CPU profile
		pbValueType(b, tagProfile_SampleType, "samples", "count");
		pbValueType(b, tagProfile_SampleType, "cpu", "nanoseconds");
		pbInt64Opt(b, tagProfile_DurationNanos, nanotime() - b->startMono);
		pbValueType(b, tagProfile_PeriodType, "cpu", "nanoseconds");
		pbInt64Opt(b, tagProfile_Period, b->period);
		readMapping(b); // there may be more by now
	}

	for (profMapEntry *e = b->all; e != NULL; e = e->nextAll) {
		const int64_t values[] = {e->count, e->count * b->period};
		pbSample(b, values, 2, e->stk, e->nstk, e->labels, 0);
	}

	for (int i = 0; i < b->nmaps; i++) {
		symMapping *m = &b->maps[i];
		char id[2 * 64 + 1];
		int n = min(m->nbuildid, 64);
		for (int k = 0; k < n; k++) {
			snprint(&id[2 * k], 3, "%02x", m->buildid[k]);
		}
		id[2 * n] = 0;
		int64_t file = profileBuilder_stringIndex(b, m->file);
		int64_t buildid = profileBuilder_stringIndex(b, id);
		intptr_t start = startMessage(b);
		pbUint64Opt(b, tagMapping_ID, (uint64_t)i + 1);
		pbUint64Opt(b, tagMapping_Start, m->start);
		pbUint64Opt(b, tagMapping_Limit, m->limit);
		pbUint64Opt(b, tagMapping_Offset, m->offset);
		pbInt64Opt(b, tagMapping_Filename, file);
		pbInt64Opt(b, tagMapping_BuildID, buildid);
		if (b->mapLookup[i] == lookupTried) {
			pbUint64(b, tagMapping_HasFunctions, 1);
			pbUint64(b, tagMapping_HasFilenames, 1);
			pbUint64(b, tagMapping_HasLineNumbers, 1);
			pbUint64(b, tagMapping_HasInlineFrames, 1);
		}
		endMessage(b, tagProfile_Mapping, start);
	}

	for (intptr_t i = 0; i < b->nstrings; i++) {
		uintptr_t n = strlen(b->strings[i]);
		pbVarint(b, tagProfile_StringTable << 3 | 2);
		pbVarint(b, n);
		pbBytes(b, b->strings[i], n);
		profileBuilder_flush(b);
	}
	compress_(b, Z_FINISH);
	deflateEnd(&b->z);
	int err = b->err;
	pprofMem mem = b->mem;
	pprofMem_free(&mem);
	return err;
}
