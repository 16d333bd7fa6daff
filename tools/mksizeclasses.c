// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// mksizeclasses computes the size classes of the small-object allocator and writes
// sizeclasses/sizeclasses.h.  Ports runtime/_mkmalloc/mksizeclasses.go of Go 1.26.8.
//
// Two kinds of waste bound each other.  Rounding a request up to its class wastes at most the
// round waste (one eighth): that fixes how far apart the classes lie.  Cutting a span into
// objects leaves a tail: a span gets pages until the tail is at most the tail waste (one eighth).
// Then each class grows as far as the same number of objects still fits in the same pages.
//
// With --fit the classes come from a recorded histogram instead: the same number of classes,
// placed by dynamic programming where they cost the fewest bytes for these sizes.
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	minHeapAlign = 8,
	smallSizeDiv = 8,
	smallSizeMax = 1024,
	largeSizeDiv = 128,
	tinySize = 16,
	ptrSize = 8,
	minSizeForMallocHeader = ptrSize * 64,
	mallocHeaderSize = 8,
	maxClasses = 4096,
};

// costInfinity is more than any table costs.
#define costInfinity 1e300

struct class {
	int size;
	int npages;
};

struct options {
	int pageSize;
	int pageShift;
	int maxSmallSize;
	double tailWaste;  // fraction of a span
	double roundWaste; // fraction of an object
};

struct table {
	struct options o;
	struct class c[maxClasses];
	int n;
};

static _Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static _Noreturn void
die(const char *fmt, ...) {
	va_list ap;
	fputs("mksizeclasses: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

static bool
powerOfTwo(int x) {
	return x != 0 && (x & (x - 1)) == 0;
}

static int
log2floor(int x) {
	return 31 - __builtin_clz((unsigned)x);
}

// spanPages is the number of pages of a span of objects of this size: the fewest whose tail is
// within the limit.
static int
spanPages(const struct options *o, int size) {
	int64_t alloc = o->pageSize;
	while ((double)(alloc % size) > o->tailWaste * (double)alloc) {
		alloc += o->pageSize;
		if (alloc / o->pageSize > 255)
			die("a span of objects of %d bytes needs more than 255 pages of %d bytes "
			    "to "
			    "keep its tail within %g%%",
				size, o->pageSize, o->tailWaste * 100);
	}
	return (int)(alloc / o->pageSize);
}

// computeDivMagic checks that a division by the size can be done as a 32-bit multiplication for
// every offset in a span: n / size == n * (^0/size + 1) >> 32.
static void
computeDivMagic(const struct options *o, const struct class *c) {
	uint64_t limit = (uint64_t)c->npages * (uint64_t)o->pageSize;
	uint64_t m = UINT32_MAX / (uint32_t)c->size + 1;
	for (uint64_t n = 0; n <= limit; n++)
		if ((uint32_t)(n * m >> 32) != n / (uint64_t)c->size)
			die("class of %d bytes: division by a 32-bit multiplication is inexact at "
			    "offset %llu of a span of %llu bytes",
				c->size, (unsigned long long)n, (unsigned long long)limit);
}

static void
append(struct table *t, int size, int npages) {
	if (t->n == maxClasses)
		die("more than %d size classes", maxClasses);
	t->c[t->n++] = (struct class){size, npages};
}

// growClasses lets each class take what its span would waste, as long as sizes stay a multiple
// of largeSizeDiv, which the lookup table for large sizes needs.
static void
growClasses(struct table *t) {
	for (int i = 1; i < t->n; i++) {
		struct class *c = &t->c[i];
		int psize = c->npages * t->o.pageSize;
		int size = psize / (psize / c->size) & ~(largeSizeDiv - 1);
		if (size > c->size)
			c->size = size;
	}
	for (int i = 1; i < t->n; i++)
		computeDivMagic(&t->o, &t->c[i]);
}

// roundAlign is the distance of classes from a size, a power of two, on: at most the round waste,
// a power of two, and so that each step is a multiple of what the lookup tables can tell apart.
static int
roundAlign(const struct options *o, int size) {
	int a = (int)((double)size * o->roundWaste);
	return a < 1 ? 1 : 1 << log2floor(a);
}

static void
makeClasses(struct table *t) {
	const struct options *o = &t->o;
	t->n = 0;
	append(t, 0, 0);
	int align = minHeapAlign;
	int top = roundAlign(o, 2048); // no coarser than at 2048 bytes: 256 by default
	for (int size = align; size <= o->maxSmallSize; size += align) {
		if (powerOfTwo(size)) {
			if (size >= 2048)
				align = top;
			else if (size >= 128)
				align = roundAlign(o, size);
			else if (size >= 32)
				align = 16; // heap bitmaps need it from 32 bytes on
			if (size >= 32 && align < 16)
				align = 16;
			if (size >= smallSizeMax && align < largeSizeDiv)
				align = largeSizeDiv;
		}
		int npages = spanPages(o, size);
		int alloc = npages * o->pageSize;
		struct class *prev = &t->c[t->n - 1];
		// A class that needs the same span for the same number of objects as the one
		// before it replaces that one.
		if (t->n > 1 && npages == prev->npages && alloc / size == alloc / prev->size) {
			prev->size = size;
			continue;
		}
		append(t, size, npages);
	}
	growClasses(t);
}

// sizeToSizeClass returns the smallest class that holds size bytes.
static int
sizeToSizeClass(const struct table *t, int size) {
	for (int j = 0; j < t->n; j++)
		if (t->c[j].size >= size)
			return j;
	die("no class holds %d bytes", size);
}

static int
objects(const struct table *t, int i) {
	return t->c[i].npages * t->o.pageSize / t->c[i].size;
}

static int
tail(const struct table *t, int i) {
	int span = t->c[i].npages * t->o.pageSize;
	return span - t->c[i].size * (span / t->c[i].size);
}

// maxWaste is the part of a span that is wasted when each object in it is as small as can be.
static double
maxWaste(const struct table *t, int i) {
	int span = t->c[i].npages * t->o.pageSize;
	return (double)((t->c[i].size - t->c[i - 1].size - 1) * objects(t, i) + tail(t, i)) /
	       (double)span;
}

static int
minAlign(const struct table *t, int i) {
	int bits = __builtin_ctz((unsigned)t->c[i].size);
	return 1 << (bits < t->o.pageShift ? bits : t->o.pageShift);
}

static void
printTable(FILE *w, const struct table *t, const char *prefix) {
	fprintf(w, "%s%-5s  %-9s  %-10s  %-7s  %-10s  %-9s  %-9s\n", prefix, "class", "bytes/obj",
		"bytes/span", "objects", "tail waste", "max waste", "min align");
	int minAligns[32] = {0};
	for (int i = 1; i < t->n; i++) {
		int bits = log2floor(minAlign(t, i));
		for (int b = 0; b <= t->o.pageShift; b++) {
			if (b > bits)
				minAligns[b] = 0;
			else if (minAligns[b] == 0)
				minAligns[b] = t->c[i].size;
		}
		fprintf(w, "%s%5d  %9d  %10d  %7d  %10d  %8.2f%%  %9d\n", prefix, i, t->c[i].size,
			t->c[i].npages * t->o.pageSize, objects(t, i), tail(t, i),
			100 * maxWaste(t, i), minAlign(t, i));
	}
	fprintf(w, "\n%s%-9s  %-4s  %-12s\n", prefix, "alignment", "bits", "min obj size");
	for (int b = 0; b <= t->o.pageShift && minAligns[b] != 0; b++) {
		if (b + 1 <= t->o.pageShift && minAligns[b] == minAligns[b + 1])
			continue;
		fprintf(w, "%s%9d  %4d  %12d\n", prefix, 1 << b, b, minAligns[b]);
	}
	fprintf(w, "\n");
}

// printArray writes n numbers; value(t, i) makes each.
static void
printArray(FILE *w, const struct table *t, const char *decl, int n,
	long (*value)(const struct table *, int), const char *suffix) {
	fprintf(w, "%s = {", decl);
	for (int i = 0; i < n; i++)
		fprintf(w, "%s%ld%s,", i % 16 == 0 ? "\n\t" : " ", value(t, i), suffix);
	fprintf(w, "\n};\n\n");
}

static long
sizeOf(const struct table *t, int i) {
	return t->c[i].size;
}

static long
npagesOf(const struct table *t, int i) {
	return t->c[i].npages;
}

static long
divMagicOf(const struct table *t, int i) {
	return i == 0 ? 0 : (long)(uint32_t)(UINT32_MAX / (uint32_t)t->c[i].size + 1);
}

static long
class8Of(const struct table *t, int i) {
	return sizeToSizeClass(t, i * smallSizeDiv);
}

static long
class128Of(const struct table *t, int i) {
	return sizeToSizeClass(t, smallSizeMax + i * largeSizeDiv);
}

static int
maxObjsPerSpan(const struct table *t) {
	int most = 0;
	for (int i = 1; i < t->n; i++)
		most = objects(t, i) > most ? objects(t, i) : most;
	return most;
}

static int
maxNPages(const struct table *t) {
	int most = 0;
	for (int i = 1; i < t->n; i++)
		most = t->c[i].npages > most ? t->c[i].npages : most;
	return most;
}

static int
nClass128(const struct table *t) {
	return (t->o.maxSmallSize - smallSizeMax) / largeSizeDiv + 1;
}

// headerlessNPages is the most pages of a span whose objects have no malloc header.
static int
headerlessNPages(const struct table *t) {
	int most = 0;
	for (int i = 1; i < t->n && t->c[i].size <= minSizeForMallocHeader; i++)
		most = t->c[i].npages > most ? t->c[i].npages : most;
	return most;
}

static void
printC(FILE *w, const struct table *t) {
	fprintf(w, "// Code generated by tools/mksizeclasses; DO NOT EDIT.\n\n"
		   "// Size classes of small objects.  See README.md.\n"
		   "#ifndef GORT_SIZECLASSES_H\n#define GORT_SIZECLASSES_H\n\n"
		   "#include <stdint.h>\n\n");
	printTable(w, t, "// ");
	fprintf(w, "enum {\n");
	fprintf(w, "\tMinHeapAlign = %d,\n", minHeapAlign);
	fprintf(w, "\tMaxSmallSize = %d,\n", t->o.maxSmallSize);
	fprintf(w, "\tSmallSizeDiv = %d,\n", smallSizeDiv);
	fprintf(w, "\tSmallSizeMax = %d,\n", smallSizeMax);
	fprintf(w, "\tLargeSizeDiv = %d,\n", largeSizeDiv);
	fprintf(w, "\tNumSizeClasses = %d,\n", t->n);
	fprintf(w, "\tPageShift = %d,\n", t->o.pageShift);
	fprintf(w, "\tMaxObjsPerSpan = %d,\n", maxObjsPerSpan(t));
	fprintf(w, "\tMaxSizeClassNPages = %d,\n", maxNPages(t));
	fprintf(w, "\tTinySize = %d,\n", tinySize);
	fprintf(w, "\tTinySizeClass = %d,\n", sizeToSizeClass(t, tinySize));
	fprintf(w, "\n\t// the rest of internal/runtime/gc/malloc.go\n");
	fprintf(w, "\tPageSize = 1 << PageShift,\n");
	fprintf(w, "\tPageWords = PageSize / %d,\n", ptrSize);
	fprintf(w, "\tMallocHeaderSize = %d,\n", mallocHeaderSize);
	fprintf(w, "\tMinSizeForMallocHeader = %d,\n", minSizeForMallocHeader);
	// What constraints.h looks at: C has no constant expressions over arrays.
	fprintf(w, "\n\t// what constraints.h looks at\n");
	fprintf(w, "\tSizeClassesTinySize = %d,\n\tSizeClassesHeaderSize = %d,\n",
		t->c[sizeToSizeClass(t, tinySize)].size,
		t->c[sizeToSizeClass(t, minSizeForMallocHeader)].size);
	fprintf(w, "\tSizeClassesLargest = %d,\n", t->c[t->n - 1].size);
	fprintf(w, "\tSizeClassesHeaderlessNPages = %d,\n", headerlessNPages(t));
	fprintf(w, "};\n\n");
	printArray(w, t, "static const uint16_t SizeClassToSize[NumSizeClasses]", t->n, sizeOf, "");
	printArray(
		w, t, "static const uint8_t SizeClassToNPages[NumSizeClasses]", t->n, npagesOf, "");
	printArray(w, t, "static const uint32_t SizeClassToDivMagic[NumSizeClasses]", t->n,
		divMagicOf, "u");
	printArray(w, t, "static const uint8_t SizeToSizeClass8[SmallSizeMax / SmallSizeDiv + 1]",
		smallSizeMax / smallSizeDiv + 1, class8Of, "");
	printArray(w, t,
		"static const uint8_t SizeToSizeClass128[(MaxSmallSize - SmallSizeMax) / "
		"LargeSizeDiv + 1]",
		nClass128(t), class128Of, "");
	fprintf(w, "#include \"sizeclasses/constraints.h\"\n\n#endif\n");
}

static void
jsonArray(FILE *w, const struct table *t, const char *name, int n,
	long (*value)(const struct table *, int), const char *end) {
	fprintf(w, "  \"%s\": [", name);
	for (int i = 0; i < n; i++)
		fprintf(w, "%s%ld", i == 0 ? "" : ",", value(t, i));
	fprintf(w, "]%s\n", end);
}

static void
printJSON(FILE *w, const struct table *t) {
	fprintf(w,
		"{\n  \"MinHeapAlign\": %d, \"MaxSmallSize\": %d, \"SmallSizeDiv\": %d, "
		"\"SmallSizeMax\": %d, \"LargeSizeDiv\": %d,\n",
		minHeapAlign, t->o.maxSmallSize, smallSizeDiv, smallSizeMax, largeSizeDiv);
	fprintf(w,
		"  \"NumSizeClasses\": %d, \"PageShift\": %d, \"MaxObjsPerSpan\": %d, "
		"\"MaxSizeClassNPages\": %d, \"TinySize\": %d, \"TinySizeClass\": %d,\n",
		t->n, t->o.pageShift, maxObjsPerSpan(t), maxNPages(t), tinySize,
		sizeToSizeClass(t, tinySize));
	fprintf(w, "  \"classes\": [\n");
	for (int i = 1; i < t->n; i++)
		fprintf(w,
			"    {\"class\": %d, \"size\": %d, \"npages\": %d, \"objects\": %d, "
			"\"tailWaste\": %d, \"maxWaste\": %.4f, \"minAlign\": %d, \"divMagic\": "
			"%ld}%s\n",
			i, t->c[i].size, t->c[i].npages, objects(t, i), tail(t, i), maxWaste(t, i),
			minAlign(t, i), divMagicOf(t, i), i + 1 < t->n ? "," : "");
	fprintf(w, "  ],\n");
	jsonArray(w, t, "SizeToSizeClass8", smallSizeMax / smallSizeDiv + 1, class8Of, ",");
	jsonArray(w, t, "SizeToSizeClass128", nClass128(t), class128Of, "");
	fprintf(w, "}\n");
}

// explain says where an object of size bytes goes and why, without and with pointers.
static void
explain(FILE *w, const struct table *t, long size) {
	for (int ptrs = 0; ptrs < 2; ptrs++) {
		fprintf(w, "%ld bytes %s pointers: ", size, ptrs ? "with" : "without");
		long need = size;
		if (size > t->o.maxSmallSize - mallocHeaderSize) {
			long pages = (size + t->o.pageSize - 1) / t->o.pageSize;
			fprintf(w,
				"a large object, in a span of its own of %ld page%s (%ld bytes, "
				"%ld of "
				"them unused): over %d = %d - %d bytes for a header\n",
				pages, pages == 1 ? "" : "s", pages * t->o.pageSize,
				pages * t->o.pageSize - size, t->o.maxSmallSize - mallocHeaderSize,
				t->o.maxSmallSize, mallocHeaderSize);
			continue;
		}
		if (!ptrs && size > 0 && size < tinySize) {
			fprintf(w,
				"the tiny allocator: shares a %d-byte block of class %d with "
				"others\n",
				tinySize, sizeToSizeClass(t, tinySize));
			continue;
		}
		if (size == 0) {
			fprintf(w, "the address of a common zero byte: nothing is allocated\n");
			continue;
		}
		if (ptrs && size > minSizeForMallocHeader) {
			need = size + mallocHeaderSize;
			fprintf(w, "+ %d for the header with its type = %ld bytes; ",
				mallocHeaderSize, need);
		} else if (ptrs) {
			fprintf(w, "pointer bits at the end of the span; ");
		}
		int c = sizeToSizeClass(t, (int)need);
		int span = t->c[c].npages * t->o.pageSize;
		fprintf(w,
			"class %d of %d bytes (the one before holds %d), %ld unused; a span is %d "
			"page%s, "
			"%d objects, tail %d bytes\n",
			c, t->c[c].size, t->c[c - 1].size, t->c[c].size - need, t->c[c].npages,
			t->c[c].npages == 1 ? "" : "s", span / t->c[c].size, tail(t, c));
	}
}

// ---- fitting a table to a histogram -----------------------------------------------------------

struct histogram {
	uint64_t *count; // by size, 0 to maxSmallSize
	uint64_t objects;
	uint64_t larger;
};

// readHistogram reads lines "SIZE COUNT"; # starts a comment.
static void
readHistogram(struct histogram *h, const char *file, int maxSmallSize) {
	FILE *f = strcmp(file, "-") == 0 ? stdin : fopen(file, "r");
	if (f == NULL)
		die("%s: %s", file, strerror(errno));
	h->count = calloc((size_t)maxSmallSize + 1, sizeof h->count[0]);
	if (h->count == NULL)
		die("out of memory");
	char line[256];
	for (int n = 1; fgets(line, sizeof line, f) != NULL; n++) {
		char *hash = strchr(line, '#');
		if (hash != NULL)
			*hash = 0;
		line[strcspn(line, "\n")] = 0;
		if (line[strspn(line, " \t\r")] == 0)
			continue;
		unsigned long long size, count;
		char rest;
		if (strchr(line, '-') != NULL ||
			sscanf(line, "%llu %llu %c", &size, &count, &rest) != 2)
			die("%s:%d: \"%s\" is not SIZE COUNT", file, n, line);
		if (size == 0 || size > (unsigned long long)maxSmallSize)
			h->larger += count;
		else
			h->count[size] += count;
		h->objects += count;
	}
	if (ferror(f))
		die("%s: %s", file, strerror(errno));
	if (f != stdin)
		fclose(f);
	if (h->objects == h->larger)
		die("%s: no size between 1 and %d", file, maxSmallSize);
}

// cheapestSpan is the number of pages, up to what Go's table needs at most, in which an object of
// this size costs the fewest bytes.
static int
cheapestSpan(const struct options *o, int size) {
	enum { most = 10 };
	if (size <= minSizeForMallocHeader)
		return 1; // the heap bits and mark bits at the end of the span are laid out for one page
	int best = 0;
	double cost = costInfinity;
	for (int n = (size + o->pageSize - 1) / o->pageSize; n <= most || best == 0; n++) {
		double c = (double)n * o->pageSize / (n * o->pageSize / size);
		if (c < cost) {
			cost = c;
			best = n;
		}
	}
	return best;
}

// footprint is what the histogram's objects take with a table, in bytes: each object its share of
// its span.
static double
footprint(const struct table *t, const struct histogram *h) {
	double sum = 0;
	for (int i = 1, s = 1; i < t->n; i++)
		for (; s <= t->c[i].size && s <= t->o.maxSmallSize; s++)
			sum += (double)h->count[s] * t->c[i].npages * t->o.pageSize / objects(t, i);
	return sum;
}

// fit places limit-1 classes for the histogram.  Candidates are the sizes that the lookup tables
// can tell apart; some are fixed (see sizeclasses/constraints.h).
static void
fit(struct table *t, const struct histogram *h, int limit) {
	static int cand[maxClasses];
	int n = 0;
	cand[n++] = 0;
	for (int s = minHeapAlign; s <= t->o.maxSmallSize;) {
		cand[n++] = s;
		s += s < 32 ? minHeapAlign : s < smallSizeMax ? 16 : largeSizeDiv;
	}
	double *best = malloc(sizeof best[0] * (size_t)n * (size_t)limit);
	int *from = malloc(sizeof from[0] * (size_t)n * (size_t)limit);
	uint64_t *below = malloc(sizeof below[0] * (size_t)n); // objects of at most cand[i] bytes
	double *each = malloc(sizeof each[0] * (size_t)n);
	if (best == NULL || from == NULL || below == NULL || each == NULL)
		die("out of memory");
	uint64_t sum = 0;
	for (int i = 0, s = 0; i < n; i++) {
		for (; s <= cand[i]; s++)
			sum += h->count[s];
		below[i] = sum;
		if (i > 0) {
			int span = cheapestSpan(&t->o, cand[i]) * t->o.pageSize;
			each[i] = (double)span / (span / cand[i]);
		}
	}
	for (int k = 0; k < limit; k++) {
		for (int i = 0; i < n; i++) {
			double *b = &best[k * n + i];
			*b = k == 0 && i == 0 ? 0 : costInfinity;
			if (k == 0)
				continue;
			for (int j = i - 1; j >= 0; j--) {
				double v = best[(k - 1) * n + j] +
					   (double)(below[i] - below[j]) * each[i];
				if (v < *b) {
					*b = v;
					from[k * n + i] = j;
				}
				// A fixed size may not be jumped over.
				if (cand[j] == tinySize || cand[j] == minHeapAlign ||
					cand[j] == minSizeForMallocHeader)
					break;
			}
		}
	}
	int k = 1;
	for (int i = 1; i < limit; i++)
		if (best[i * n + n - 1] < best[k * n + n - 1])
			k = i;
	if (!(best[k * n + n - 1] < costInfinity))
		die("%d classes are too few", limit);
	t->n = k + 1;
	t->c[0] = (struct class){0, 0};
	for (int i = n - 1; k > 0; i = from[k * n + i], k--)
		t->c[k] = (struct class){cand[i], cheapestSpan(&t->o, cand[i])};
	for (int i = 1; i < t->n; i++)
		computeDivMagic(&t->o, &t->c[i]);
	free(best);
	free(from);
	free(below);
	free(each);
}

// ---- command line -------------------------------------------------------------------------------

static const char usage[] =
	"usage: mksizeclasses [OPTION]...\n"
	"Computes the size classes of small objects by Go's algorithm and prints them.\n\n"
	"  --page-size N     bytes a page: a power of two, 4096 to 65536 (8192)\n"
	"  --max-small N     largest small object, bytes: a multiple of 1024 (32768)\n"
	"  --tail-waste PCT  most of a span that its tail may waste (12.5)\n"
	"  --round-waste PCT most of an object that rounding up may waste (12.5)\n"
	"  --format FORMAT   c: the header; text: Go's table; json (c)\n"
	"  --explain SIZE    say where an object of SIZE bytes goes, and why\n"
	"  --fit FILE        a table for the sizes in FILE (lines \"SIZE COUNT\"; - reads "
	"standard\n"
	"                    input), and on standard error what it saves\n"
	"  --output FILE     write there instead of to standard output\n"
	"  --help            this text\n";

static long
number(const char *opt, const char *val, long lo, long hi) {
	char *end;
	errno = 0;
	long v = strtol(val, &end, 10);
	if (end == val || *end != 0 || errno != 0)
		die("%s: \"%s\" is not a number", opt, val);
	if (v < lo || v > hi)
		die("%s: %s is not in the range %ld to %ld", opt, val, lo, hi);
	return v;
}

static double
percent(const char *opt, const char *val) {
	char *end;
	errno = 0;
	double v = strtod(val, &end);
	if (end == val || *end != 0 || errno != 0)
		die("%s: \"%s\" is not a number", opt, val);
	if (!(v >= 1 && v <= 50))
		die("%s: %s is not in the range 1 to 50", opt, val);
	return v / 100;
}

int
main(int argc, char **argv) {
	static struct table t = {.o = {8192, 13, 32768, 0.125, 0.125}};
	const char *format = "c", *histfile = NULL, *output = NULL, *explainSize = NULL;
	for (int i = 1; i < argc; i++) {
		char *opt = argv[i], *val = strchr(opt, '=');
		if (strcmp(opt, "--help") == 0) {
			fputs(usage, stdout);
			return 0;
		}
		if (strncmp(opt, "--", 2) != 0)
			die("unexpected argument \"%s\"; see --help", opt);
		if (val != NULL)
			*val++ = 0;
		static const char *const known[] = {"--page-size", "--max-small", "--tail-waste",
			"--round-waste", "--format", "--explain", "--fit", "--output"};
		bool ok = false;
		for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
			ok |= strcmp(opt, known[k]) == 0;
		if (!ok)
			die("unknown option \"%s\"; see --help", opt);
		if (val == NULL && ++i == argc)
			die("%s needs a value", opt);
		if (val == NULL)
			val = argv[i];
		if (strcmp(opt, "--page-size") == 0) {
			t.o.pageSize = (int)number(opt, val, 4096, 65536);
			if (!powerOfTwo(t.o.pageSize))
				die("%s: %s is not a power of two", opt, val);
			t.o.pageShift = log2floor(t.o.pageSize);
		} else if (strcmp(opt, "--max-small") == 0) {
			t.o.maxSmallSize = (int)number(opt, val, 2048, 64512);
			if (t.o.maxSmallSize % 1024 != 0)
				die("%s: %s is not a multiple of 1024", opt, val);
		} else if (strcmp(opt, "--tail-waste") == 0) {
			t.o.tailWaste = percent(opt, val);
		} else if (strcmp(opt, "--round-waste") == 0) {
			t.o.roundWaste = percent(opt, val);
		} else if (strcmp(opt, "--format") == 0) {
			format = val;
			if (strcmp(val, "c") != 0 && strcmp(val, "text") != 0 &&
				strcmp(val, "json") != 0)
				die("%s: \"%s\" is not c, text or json", opt, val);
		} else if (strcmp(opt, "--explain") == 0) {
			number(opt, val, 0, LONG_MAX / 2);
			explainSize = val;
		} else if (strcmp(opt, "--fit") == 0) {
			histfile = val;
		} else {
			output = val;
		}
	}
	makeClasses(&t);
	if (histfile != NULL) {
		struct histogram h = {0};
		readHistogram(&h, histfile, t.o.maxSmallSize);
		double before = footprint(&t, &h);
		static struct table fitted;
		fitted.o = t.o;
		fit(&fitted, &h, t.n);
		double after = footprint(&fitted, &h);
		fprintf(stderr,
			"%llu objects (%llu more are not small): %.0f bytes in %d classes, "
			"before %.0f in %d: %.2f%% saved\n",
			(unsigned long long)(h.objects - h.larger), (unsigned long long)h.larger,
			after, fitted.n - 1, before, t.n - 1, 100 * (before - after) / before);
		t = fitted;
		free(h.count);
	}
	if (t.n > 256)
		die("%d size classes do not fit in the lookup tables' bytes", t.n);
	FILE *w = stdout;
	if (output != NULL && (w = fopen(output, "w")) == NULL)
		die("%s: %s", output, strerror(errno));
	if (explainSize != NULL)
		explain(w, &t, number("--explain", explainSize, 0, LONG_MAX / 2));
	else if (strcmp(format, "c") == 0)
		printC(w, &t);
	else if (strcmp(format, "text") == 0)
		printTable(w, &t, "");
	else
		printJSON(w, &t);
	if (fflush(w) != 0 || ferror(w))
		die("%s: %s", output != NULL ? output : "standard output", strerror(errno));
	return 0;
}
