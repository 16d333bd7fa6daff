// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Profiles in the formats of Go's runtime/pprof.  Ports its pprof.go, protomem.go and pprof_rusage.go
// of Go 1.26.8.
//
// Each profile has a binary form, which pprof_proto.c encodes, and a text form, with the functions of
// each stack in comments, which pprof can read as well.
//
// PORT: no profiles of the program's own (pprof.NewProfile).
#include "sched/pprof.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "runtime/mprof.h"
#include "runtime/mstats.h"
#include "runtime/os_linux.h"
#include "runtime/panic.h"
#include "runtime/runtime1.h"
#include "sched/cpuprof.h"
#include "sched/mprof_goroutine.h"
#include "sched/proc.h"
#include "sched/sema.h"
#include "sched/writefd.h"

// ---- text -------------------------------------------------------------------------------------------

// textWriter collects text for a file.
typedef struct textWriter {
	pprofMem mem;
	int fd;
	int err;
	uintptr_t n;
	char *buf;
	char *tmp; // for one item
	symFrame *frames;
} textWriter;

enum {
	textSize = 64 << 10,
	textItem = 4096, // longest item
};

static void
text_init(textWriter *w, int fd) {
	memset(w, 0, sizeof *w);
	w->fd = fd;
	w->buf = pprofMem_alloc(&w->mem, textSize);
	w->tmp = pprofMem_alloc(&w->mem, textItem);
	w->frames = pprofMem_alloc(&w->mem, pprofMaxFrames * sizeof(w->frames[0]));
}

static void
text_flush(textWriter *w) {
	if (w->n > 0 && w->err == 0) {
		w->err = writefd(w->fd, w->buf, w->n);
	}
	w->n = 0;
}

// text_end writes the rest and returns the first error.
static int
text_end(textWriter *w) {
	text_flush(w);
	pprofMem_free(&w->mem);
	return w->err;
}

static void
text_puts(textWriter *w, const char *s) {
	for (; *s != 0; s++) {
		if (w->n == textSize) {
			text_flush(w);
		}
		w->buf[w->n++] = *s;
	}
}

#define text_print(w, ...)                                \
	do {                                              \
		snprint((w)->tmp, textItem, __VA_ARGS__); \
		text_puts((w), (w)->tmp);                 \
	} while (0)

// text_quote writes s as a Go string.
static void
text_quote(textWriter *w, const char *s) {
	text_puts(w, "\"");
	for (; *s != 0; s++) {
		unsigned char c = (unsigned char)*s;
		switch (c) {
		case '"':
		case '\\':
			text_print(w, "\\%c", c);
			break;
		case '\n':
			text_puts(w, "\\n");
			break;
		case '\t':
			text_puts(w, "\\t");
			break;
		case '\r':
			text_puts(w, "\\r");
			break;
		default:
			if (c < 0x20 || c == 0x7f) {
				text_print(w, "\\x%02x", c);
			} else {
				text_print(w, "%c", c);
			}
		}
	}
	text_puts(w, "\"");
}

// text_float writes v >= 0 as Go's %v does: the shortest number that is read as v.
static void
text_float(textWriter *w, double v) {
	if (v == 0) {
		text_puts(w, "0");
		return;
	}
	// v = d * 10^-scale with as few digits as possible.  Long doubles are exact enough for both steps.
	int exp = 0; // of the first digit
	long double x = v;
	while (x >= 10) {
		x /= 10;
		exp++;
	}
	while (x < 1) {
		x *= 10;
		exp--;
	}
	char digits[24];
	int n = 0;
	uint64_t d = 0;
	for (n = 1; n <= 17; n++) {
		long double p = 1;
		int scale = n - 1 - exp;
		for (int i = 0; i < (scale < 0 ? -scale : scale); i++) {
			p *= 10;
		}
		d = (uint64_t)((scale < 0 ? (long double)v / p : (long double)v * p) + 0.5L);
		if ((double)(scale < 0 ? d * p : d / p) == v) {
			break;
		}
	}
	int len = snprint(digits, sizeof digits, "%lu", (unsigned long)d);
	if (len > min(n, 17)) {
		exp++; // rounded up to the next power of ten
	}
	while (len > 1 && digits[len - 1] == '0') {
		digits[--len] = 0;
	}
	if (exp < -4 || exp >= 21) {
		text_print(w, "%c%s%s%s%02d", digits[0], len > 1 ? "." : "", digits + 1,
			exp < 0 ? "e-" : "e+", exp < 0 ? -exp : exp);
	} else if (exp < 0) {
		text_puts(w, "0.");
		for (int i = -1; i > exp; i--) {
			text_puts(w, "0");
		}
		text_puts(w, digits);
	} else {
		for (int i = 0; i < len || i <= exp; i++) {
			text_print(w, "%s%c", i == exp + 1 ? "." : "", i < len ? digits[i] : '0');
		}
	}
}

// ---- stacks as text ---------------------------------------------------------------------------------

bool
pprof_hidden(const char *name) {
	return strncmp(name, "runtime.", 8) == 0 || strncmp(name, "internal/runtime/", 17) == 0;
}

// frameLine is a line of a stack: the columns that are lined up.  where is NULL: a pc only.
typedef struct frameLine {
	const char *pc;
	const char *name;
	const char *where;
} frameLine;

// text_column writes s and tabs to the end of a column whose widest cell has width characters.
static void
text_column(textWriter *w, const char *s, uintptr_t width) {
	text_puts(w, s);
	uintptr_t cell = (width + 1 + 7) / 8 * 8;
	for (uintptr_t n = (cell - strlen(s) + 7) / 8; n > 0; n--) {
		text_puts(w, "\t");
	}
}

// text_lines writes the lines, each run with names in columns, as Go's tabwriter does.
static void
text_lines(textWriter *w, const frameLine *l, intptr_t n) {
	for (intptr_t i = 0; i < n;) {
		uintptr_t pc = 0, name = 0;
		intptr_t end = i;
		for (; end < n && l[end].where != NULL; end++) {
			pc = max(pc, strlen(l[end].pc));
			name = max(name, strlen(l[end].name));
		}
		for (; i < end; i++) {
			text_puts(w, "#\t");
			text_column(w, l[i].pc, pc);
			text_column(w, l[i].name, name);
			text_puts(w, l[i].where);
			text_puts(w, "\n");
		}
		if (i < n) {
			text_puts(w, "#\t");
			text_puts(w, l[i++].pc);
			text_puts(w, "\n");
		}
	}
}

// text_copy keeps the item in tmp.
static const char *
text_copy(pprofMem *m, const char *s) {
	uintptr_t n = strlen(s) + 1;
	char *p = pprofMem_alloc(m, n);
	memcpy(p, s, n);
	return p;
}

// printStackRecord writes the functions of a stack.  Those of the runtime that it begins with are left
// out, unless allFrames or there is nothing else.
static void
printStackRecord(textWriter *w, const uintptr_t *stk, int nstk, bool allFrames) {
	bool show = allFrames;
	pprofMem mem = {0};
	frameLine *lines = NULL;
	intptr_t n = 0, cap = 0;
	for (int i = 0; i < nstk; i++) {
		int k = symframes(stk[i] - 1, w->frames, pprofMaxFrames);
		if (k == 0) {
			show = true;
			lines = pprofMem_grow(&mem, lines, &cap, n + 1, sizeof lines[0]);
			snprint(w->tmp, textItem, "0x%lx", (unsigned long)stk[i] - 1);
			lines[n++] = (frameLine){text_copy(&mem, w->tmp), NULL, NULL};
		}
		for (int j = 0; j < k; j++) {
			symFrame *f = &w->frames[j];
			if (strcmp(f->func, "runtime.goexit") == 0 ||
				(!show && pprof_hidden(f->func))) {
				continue;
			}
			show = true;
			lines = pprofMem_grow(&mem, lines, &cap, n + 1, sizeof lines[0]);
			frameLine *l = &lines[n++];
			snprint(w->tmp, textItem, "0x%lx", (unsigned long)f->pc);
			l->pc = text_copy(&mem, w->tmp);
			snprint(w->tmp, textItem, "%s+0x%lx", f->func,
				(unsigned long)(f->pc - f->entry));
			l->name = text_copy(&mem, w->tmp);
			snprint(w->tmp, textItem, "%s:%d", f->file[0] != 0 ? f->file : "?",
				f->line);
			l->where = text_copy(&mem, w->tmp);
		}
	}
	text_lines(w, lines, n);
	pprofMem_free(&mem);
	if (!show) {
		printStackRecord(w, stk, nstk, true);
		return;
	}
	text_puts(w, "\n");
}

// ---- sorting ----------------------------------------------------------------------------------------

// sortPointers sorts p, stably; tmp has room for n, too.  libc's qsort takes memory.
static void
sortPointers(void **p, void **tmp, intptr_t n, int (*cmp)(const void *, const void *)) {
	if (n < 2) {
		return;
	}
	intptr_t h = n / 2;
	sortPointers(p, tmp, h, cmp);
	sortPointers(p + h, tmp, n - h, cmp);
	memcpy(tmp, p, (uintptr_t)h * sizeof p[0]);
	intptr_t i = 0, j = h, k = 0;
	while (i < h) {
		if (j < n && cmp(tmp[i], p[j]) > 0) {
			p[k++] = p[j++];
		} else {
			p[k++] = tmp[i++];
		}
	}
}

// ---- profiles of counts: goroutine, threadcreate ----------------------------------------------------

// countEntry is the stacks of a profile that are the same, with the same labels.
typedef struct countEntry {
	struct countEntry *next; // of the same hash
	const StackRecord *r;
	const struct gort_labels *labels;
	int64_t count;
} countEntry;

// labelsEqual compares two sets.
static bool
labelsEqual(const struct gort_labels *a, const struct gort_labels *b) {
	int na = a == NULL ? 0 : a->n, nb = b == NULL ? 0 : b->n;
	if (na != nb) {
		return false;
	}
	for (int i = 0; i < na; i++) {
		if (strcmp(a->list[i].key, b->list[i].key) != 0 ||
			strcmp(a->list[i].value, b->list[i].value) != 0) {
			return false;
		}
	}
	return true;
}

// comparePcs compares two addresses as texts: 0x10 comes before 0x9.
static int
comparePcs(uintptr_t a, uintptr_t b) {
	char sa[24], sb[24];
	if (a == b) {
		return 0;
	}
	snprint(sa, sizeof sa, "0x%lx ", (unsigned long)a);
	snprint(sb, sizeof sb, "0x%lx ", (unsigned long)b);
	return strcmp(sa, sb);
}

// compareCounts puts the most frequent first, then by the text of the stack.
static int
compareCounts(const void *x, const void *y) {
	const countEntry *a = x, *b = y;
	if (a->count != b->count) {
		return a->count > b->count ? -1 : 1;
	}
	for (int i = 0; i < a->r->nstk && i < b->r->nstk; i++) {
		int c = comparePcs(a->r->stk[i], b->r->stk[i]);
		if (c != 0) {
			return c;
		}
	}
	return (a->r->nstk > b->r->nstk) - (a->r->nstk < b->r->nstk);
}

// printCountProfile writes a profile in which stacks are counted.
static int
printCountProfile(int fd, int debug_, const char *name, const stackProfile *sp) {
	pprofMem mem = {0};
	enum { hashSize = 1 << 12 };
	countEntry **hash = pprofMem_alloc(&mem, hashSize * sizeof hash[0]);
	void **keys = pprofMem_alloc(&mem, (uintptr_t)(sp->n + 1) * sizeof keys[0]);
	intptr_t n = 0;
	for (intptr_t i = 0; i < sp->n; i++) {
		const StackRecord *r = &sp->p[i];
		const struct gort_labels *labels = sp->labels == NULL ? NULL : sp->labels[i];
		uint64_t h = (uint64_t)r->nstk;
		for (int k = 0; k < r->nstk; k++) {
			h = (h ^ r->stk[k]) * 0x9e3779b97f4a7c15;
		}
		countEntry **slot = &hash[h >> 52];
		countEntry *e = *slot;
		while (e != NULL && !(e->r->nstk == r->nstk &&
					    memcmp(e->r->stk, r->stk,
						    (uintptr_t)r->nstk * sizeof r->stk[0]) == 0 &&
					    labelsEqual(e->labels, labels))) {
			e = e->next;
		}
		if (e == NULL) {
			e = pprofMem_alloc(&mem, sizeof *e);
			e->r = r;
			e->labels = labels;
			e->next = *slot;
			*slot = e;
			keys[n++] = e;
		}
		e->count++;
	}
	void **tmp = pprofMem_alloc(&mem, (uintptr_t)(n + 1) * sizeof tmp[0]);
	sortPointers(keys, tmp, n, compareCounts);

	int err;
	if (debug_ > 0) {
		textWriter w;
		text_init(&w, fd);
		text_print(&w, "%s profile: total %ld\n", name, (long)sp->n);
		for (intptr_t i = 0; i < n; i++) {
			countEntry *e = keys[i];
			text_print(&w, "%ld @", (long)e->count);
			for (int k = 0; k < e->r->nstk; k++) {
				text_print(&w, " 0x%lx", (unsigned long)e->r->stk[k]);
			}
			if (e->labels != NULL) {
				text_puts(&w, "\n# labels: {");
				for (int k = 0; k < e->labels->n; k++) {
					text_puts(&w, k > 0 ? ", " : "");
					text_quote(&w, e->labels->list[k].key);
					text_puts(&w, ":");
					text_quote(&w, e->labels->list[k].value);
				}
				text_puts(&w, "}");
			}
			text_puts(&w, "\n");
			printStackRecord(&w, e->r->stk, e->r->nstk, false);
		}
		err = text_end(&w);
	} else {
		profileBuilder *b = newProfileBuilder(fd);
		pbValueType(b, tagProfile_PeriodType, name, "count");
		pbInt64Opt(b, tagProfile_Period, 1);
		pbValueType(b, tagProfile_SampleType, name, "count");
		for (intptr_t i = 0; i < n; i++) {
			countEntry *e = keys[i];
			pbSample(b, &e->count, 1, e->r->stk, e->r->nstk, e->labels, 0);
		}
		err = profileBuilder_build(b);
	}
	pprofMem_free(&mem);
	return err;
}

// writeGoroutineStacks writes the tracebacks of all goroutines.  A buffer of 1 MB at first; what does not
// fit into 64 MB is left out.
static int
writeGoroutineStacks(int fd) {
	for (uintptr_t size = 1 << 20;; size *= 2) {
		pprofMem mem = {0};
		char *buf = pprofMem_alloc(&mem, size);
		uintptr_t n = Stack(buf, size, true);
		int err = 0;
		bool done = n < size || size >= 64 << 20;
		if (done) {
			err = writefd(fd, buf, n);
		}
		pprofMem_free(&mem);
		if (done) {
			return err;
		}
	}
}

static int
writeGoroutine(int fd, int debug_) {
	if (debug_ >= 2) {
		return writeGoroutineStacks(fd);
	}
	stackProfile sp;
	if (!goroutineProfileWithLabels(&sp)) {
		return -ENOMEM;
	}
	int err = printCountProfile(fd, debug_, "goroutine", &sp);
	stackProfile_free(&sp);
	return err;
}

static int
writeThreadCreate(int fd, int debug_) {
	stackProfile sp;
	if (!threadCreateProfile(&sp)) {
		return -ENOMEM;
	}
	int err = printCountProfile(fd, debug_, "threadcreate", &sp);
	stackProfile_free(&sp);
	return err;
}

// ---- the memory profile -----------------------------------------------------------------------------

// expm1_neg is exp(-x) - 1 for x > 0, to the precision of a sum of its series: libm is not linked.
static double
expm1_neg(double x) {
	if (x > 40) {
		return -1;
	}
	// exp(-x) = exp(-x/2^k)^(2^k); for the small argument the series of exp(y) - 1.
	int k = 0;
	while (x > 0.125) {
		x /= 2;
		k++;
	}
	double term = -x, sum = -x;
	for (int i = 2; i < 12; i++) {
		term *= -x / i;
		sum += term;
	}
	for (; k > 0; k--) {
		sum = sum * (sum + 2); // (s+1)^2 - 1
	}
	return sum;
}

// scaleHeapSample makes the estimate of what was allocated from what was sampled: an object of size S
// is a sample with probability 1 - exp(-S/rate).
static void
scaleHeapSample(int64_t *count, int64_t *size, int64_t rate) {
	if (*count == 0 || *size == 0) {
		*count = *size = 0;
		return;
	}
	if (rate <= 1) {
		return; // all of them
	}
	double avgSize = (double)*size / (double)*count;
	double scale = -1 / expm1_neg(avgSize / (double)rate);
	*count = (int64_t)((double)*count * scale);
	*size = (int64_t)((double)*size * scale);
}

// writeHeapProto encodes the records.
static int
writeHeapProto(int fd, MemProfileRecord *const *p, intptr_t n, int64_t rate,
	const char *defaultSampleType) {
	profileBuilder *b = newProfileBuilder(fd);
	pbValueType(b, tagProfile_PeriodType, "space", "bytes");
	pbInt64Opt(b, tagProfile_Period, rate);
	pbValueType(b, tagProfile_SampleType, "alloc_objects", "count");
	pbValueType(b, tagProfile_SampleType, "alloc_space", "bytes");
	pbValueType(b, tagProfile_SampleType, "inuse_objects", "count");
	pbValueType(b, tagProfile_SampleType, "inuse_space", "bytes");
	if (defaultSampleType != NULL) {
		pbInt64Opt(b, tagProfile_DefaultSampleType,
			profileBuilder_stringIndex(b, defaultSampleType));
	}
	for (intptr_t i = 0; i < n; i++) {
		const MemProfileRecord *r = p[i];
		// Without the runtime's functions that the stack begins with, unless there are no others.
		int skip = 0;
		char name[256];
		while (skip < r->nstk && funcnameFromPC(r->stk[skip] - 1, name, sizeof name) > 0 &&
			pprof_hidden(name)) {
			skip++;
		}
		if (skip == r->nstk || strcmp(name, "runtime.goexit") == 0) {
			skip = 0;
		}
		int64_t values[] = {r->AllocObjects, r->AllocBytes,
			MemProfileRecord_InUseObjects(r), MemProfileRecord_InUseBytes(r)};
		int64_t blockSize = values[0] > 0 ? values[1] / values[0] : 0;
		scaleHeapSample(&values[0], &values[1], rate);
		scaleHeapSample(&values[2], &values[3], rate);
		pbSample(b, values, 4, r->stk + skip, r->nstk - skip, NULL, blockSize);
	}
	return profileBuilder_build(b);
}

// compareInUse is the order of the text form.
static int
compareInUse(const void *x, const void *y) {
	int64_t a = MemProfileRecord_InUseBytes(x), b = MemProfileRecord_InUseBytes(y);
	return (a > b) - (a < b);
}

// text_ring writes a ring of MemStats.
static void
text_ring(textWriter *w, const char *name, const uint64_t *v, int n) {
	text_print(w, "# %s = [", name);
	for (int i = 0; i < n; i++) {
		text_print(w, "%s%lu", i > 0 ? " " : "", (unsigned long)v[i]);
	}
	text_puts(w, "]\n");
}

// addMaxRSS writes the peak of the memory that was resident.
static void
addMaxRSS(textWriter *w) {
	struct rusage r = {0};
	sys_call3(SYS_getrusage, RUSAGE_SELF, &r, 0);
	text_print(w, "# MaxRSS = %lu\n", (unsigned long)r.ru_maxrss * 1024);
}

// writeMemStats writes the statistics after the text form, for people.
static void
writeMemStats(textWriter *w, const gort_memstats *s) {
#define NUM(f) text_print(w, "# " #f " = %lu\n", (unsigned long)s->f)
#define PAIR(name, a, b) \
	text_print(w, "# " name " = %lu / %lu\n", (unsigned long)s->a, (unsigned long)s->b)
	text_puts(w, "\n# runtime.MemStats\n");
	NUM(Alloc);
	NUM(TotalAlloc);
	NUM(Sys);
	NUM(Lookups);
	NUM(Mallocs);
	NUM(Frees);
	NUM(HeapAlloc);
	NUM(HeapSys);
	NUM(HeapIdle);
	NUM(HeapInuse);
	NUM(HeapReleased);
	NUM(HeapObjects);
	PAIR("Stack", StackInuse, StackSys);
	PAIR("MSpan", MSpanInuse, MSpanSys);
	PAIR("MCache", MCacheInuse, MCacheSys);
	NUM(BuckHashSys);
	NUM(GCSys);
	NUM(OtherSys);
	NUM(NextGC);
	NUM(LastGC);
	text_ring(w, "PauseNs", s->PauseNs, nelem(s->PauseNs));
	text_ring(w, "PauseEnd", s->PauseEnd, nelem(s->PauseEnd));
	NUM(NumGC);
	NUM(NumForcedGC);
	text_puts(w, "# GCCPUFraction = ");
	text_float(w, s->GCCPUFraction);
	text_print(w, "\n# DebugGC = %s\n", s->DebugGC ? "true" : "false");
#undef NUM
#undef PAIR
	addMaxRSS(w);
}

// writeHeapText writes the text form.
static int
writeHeapText(int fd, MemProfileRecord **p, intptr_t n, pprofMem *mem, const gort_memstats *stats) {
	void **tmp = pprofMem_alloc(mem, (uintptr_t)(n + 1) * sizeof tmp[0]);
	sortPointers((void **)p, tmp, n, compareInUse);

	MemProfileRecord total = {0};
	for (intptr_t i = 0; i < n; i++) {
		total.AllocBytes += p[i]->AllocBytes;
		total.AllocObjects += p[i]->AllocObjects;
		total.FreeBytes += p[i]->FreeBytes;
		total.FreeObjects += p[i]->FreeObjects;
	}
	// pprof takes a profile in which both are the same for one of another kind.
	int64_t inUseBytes = MemProfileRecord_InUseBytes(&total);
	int64_t allocBytes = total.AllocBytes + (inUseBytes == total.AllocBytes);

	textWriter w;
	text_init(&w, fd);
	// Twice the rate, as pprof has come to expect.
	text_print(&w, "heap profile: %ld: %ld [%ld: %ld] @ heap/%ld\n",
		(long)MemProfileRecord_InUseObjects(&total), (long)inUseBytes,
		(long)total.AllocObjects, (long)allocBytes, 2 * (long)MemProfileRate);
	for (intptr_t i = 0; i < n; i++) {
		const MemProfileRecord *r = p[i];
		text_print(&w, "%ld: %ld [%ld: %ld] @", (long)MemProfileRecord_InUseObjects(r),
			(long)MemProfileRecord_InUseBytes(r), (long)r->AllocObjects,
			(long)r->AllocBytes);
		for (int k = 0; k < r->nstk; k++) {
			text_print(&w, " 0x%lx", (unsigned long)r->stk[k]);
		}
		text_puts(&w, "\n");
		printStackRecord(&w, r->stk, r->nstk, false);
	}
	writeMemStats(&w, stats);
	return text_end(&w);
}

static int
writeHeapInternal(int fd, int debug_, const char *defaultSampleType) {
	pprofMem mem = {0};
	gort_memstats *stats = NULL;
	if (debug_ != 0) {
		// First, so that what follows is not in it.
		stats = pprofMem_alloc(&mem, sizeof *stats);
		gort_read_memstats(stats);
	}
	bool ok;
	int n = memProfileInternal(NULL, -1, true, &ok);
	MemProfileRecord *r;
	do {
		int room = n + 50; // more may come
		r = pprofMem_alloc(&mem, (uintptr_t)room * sizeof r[0]);
		n = memProfileInternal(r, room, true, &ok);
	} while (!ok);
	MemProfileRecord **p = pprofMem_alloc(&mem, (uintptr_t)(n + 1) * sizeof p[0]);
	for (int i = 0; i < n; i++) {
		p[i] = &r[i];
	}
	int err = debug_ == 0 ? writeHeapProto(fd, p, n, MemProfileRate, defaultSampleType)
			      : writeHeapText(fd, p, n, &mem, stats);
	pprofMem_free(&mem);
	return err;
}

// ---- the CPU profile --------------------------------------------------------------------------------

static struct {
	gort_mutex mu;
	bool profiling;
	int fd;
	int err;
	uint32_t done; // a semaphore: the profile is written
} cpu;

// profileWriter is the goroutine that makes the profile.
static void
profileWriter(void *arg) {
	profileBuilder *b = newProfileBuilder(cpu.fd);
	bool eof;
	do {
		intptr_t ndata, ntags;
		void **tags;
		uint64_t *data = readProfile(&ndata, &tags, &ntags, &eof);
		if (data != NULL) {
			profileBuilder_addCPUData(b, data, ndata, tags, ntags);
		}
	} while (!eof);
	cpu.err = profileBuilder_build(b);
	semrelease(&cpu.done);
}

int
gort_pprof_start_cpu(int fd) {
	needg();
	const int hz = 100;
	gort_mutex_lock(&cpu.mu);
	if (cpu.profiling) {
		gort_mutex_unlock(&cpu.mu);
		return -EBUSY;
	}
	cpu.profiling = true;
	cpu.fd = fd;
	SetCPUProfileRate(hz);
	newproc(profileWriter, NULL);
	gort_mutex_unlock(&cpu.mu);
	return 0;
}

int
gort_pprof_stop_cpu(void) {
	needg();
	int err = 0;
	gort_mutex_lock(&cpu.mu);
	if (cpu.profiling) {
		cpu.profiling = false;
		SetCPUProfileRate(0);
		semacquire(&cpu.done);
		err = cpu.err;
	}
	gort_mutex_unlock(&cpu.mu);
	return err;
}

// ---- gort.h -----------------------------------------------------------------------------------------

int
gort_pprof_write(const char *name, int fd, int debug_) {
	needg();
	if (strcmp(name, "heap") == 0) {
		return writeHeapInternal(fd, debug_, NULL);
	}
	if (strcmp(name, "allocs") == 0) {
		return writeHeapInternal(fd, debug_, "alloc_space");
	}
	if (strcmp(name, "goroutine") == 0) {
		return writeGoroutine(fd, debug_);
	}
	if (strcmp(name, "threadcreate") == 0) {
		return writeThreadCreate(fd, debug_);
	}
	return -ENOENT;
}

int64_t
gort_mem_profile_rate(int64_t rate) {
	needg();
	int64_t old = MemProfileRate;
	if (rate >= 0 && rate != old) {
		setMemProfileRate(rate);
	}
	return old;
}

// ---- the environment --------------------------------------------------------------------------------

static struct {
	int cpufd; // -1: none
	int heapfd;
} env = {-1, -1};

// env_open opens the file that a variable names; -1 if there is none.
static int
env_open(const char *var) {
	const char *file = gogetenv(var);
	if (file == NULL || file[0] == 0 || isSecureMode()) {
		return -1;
	}
	int fd = runtime_open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0) {
		print("runtime: %s: cannot open %s: errno %d\n", var, file, -fd);
		return -1;
	}
	return fd;
}

static void
env_err(const char *var, int err) {
	if (err != 0) {
		print("runtime: %s: cannot write the profile: errno %d\n", var, -err);
	}
}

// env_exit writes the profiles when the process exits.  Whoever calls exit may be a thread that is none
// of the runtime's, on g0, or in a call to the outside: then there are none.
static void
env_exit(void) {
	G *gp = getg();
	if (gp == NULL || gp->m == NULL || gp != gp->m->curg || gp->syscallsp != 0 ||
		gp->m->locks != 0) {
		return;
	}
	// exit began on this thread and is to go on here.
	lockOSThread();
	if (env.cpufd >= 0) {
		env_err("GORT_CPUPROFILE", gort_pprof_stop_cpu());
		runtime_closefd(env.cpufd);
		env.cpufd = -1;
	}
	if (env.heapfd >= 0) {
		gort_gc(); // up to date
		env_err("GORT_HEAPPROFILE", gort_pprof_write("heap", env.heapfd, 0));
		runtime_closefd(env.heapfd);
		env.heapfd = -1;
	}
	unlockOSThread();
}

void
pprof_env(void) {
	env.cpufd = env_open("GORT_CPUPROFILE");
	env.heapfd = env_open("GORT_HEAPPROFILE");
	if (env.cpufd < 0 && env.heapfd < 0) {
		return;
	}
	M *mp = acquirem();
	int err = atexit(env_exit);
	releasem(mp);
	if (err == 0 && env.cpufd >= 0) {
		env_err("GORT_CPUPROFILE", gort_pprof_start_cpu(env.cpufd));
	}
}
