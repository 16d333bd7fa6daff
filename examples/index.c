// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Inverted index of a directory tree: gort's main job, on real input.  bench/go/index is the same
// program in Go: same flags, same JSON line, same sums.
//
// Every regular file under -dir (symbolic links are not followed; paths in byte order) is read by
// one of -workers goroutines, which receive file numbers over one unbuffered channel and cut the
// bytes into words: runs of [A-Za-z0-9_] that begin with a letter or '_', of 2 to 64 bytes.  A
// worker counts the words of a file in a hash map of its own for every shard, by the word's hash,
// and sends it to the shard's goroutine, which keeps for every word its postings (file, count) in a
// list, newest first.  -rounds repeats the work and drops the index before: garbage.  -query N then
// intersects the postings of neighbours among the N most frequent words.
//
// Words, maps, entries and postings live on the collected heap.  Files are read by gort_blocking,
// so that a slow disk holds up nobody else.
#ifndef _GNU_SOURCE
#	define _GNU_SOURCE
#endif
#include <dirent.h>
#include <fcntl.h>
#include <gort.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../bench/twin.h"

static const char *dir = "/usr/include";
static int64_t workers = 8, shards = 4, rounds = 1, query = 1000, top = 10;

// ---- finding the files: plain C, in a blocking call -------------------------------------------------

struct walk {
	char **paths; // malloced
	size_t n;
	size_t cap;
	char *failed; // the path that could not be read
	int err;
};

static bool
add_path(struct walk *w, char *path) {
	if (w->n == w->cap) {
		w->cap = w->cap * 2 + 1024;
		char **p = realloc(w->paths, w->cap * sizeof *p);
		if (p == NULL)
			return false;
		w->paths = p;
	}
	w->paths[w->n++] = path;
	return true;
}

// walk collects path, or what is below it.  It takes path, which is malloced.
static void
walk(struct walk *w, char *path) {
	struct stat st;
	if (lstat(path, &st) != 0)
		goto failed;
	if (!S_ISDIR(st.st_mode)) {
		if (S_ISREG(st.st_mode) && !add_path(w, path))
			goto failed;
		return;
	}
	DIR *d = opendir(path);
	if (d == NULL)
		goto failed;
	for (struct dirent *e; w->failed == NULL && (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		size_t n = strlen(path);
		char *sub;
		if (asprintf(&sub, n > 0 && path[n - 1] == '/' ? "%s%s" : "%s/%s", path,
			    e->d_name) < 0) {
			closedir(d);
			goto failed;
		}
		if (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN)
			walk(w, sub);
		else if (e->d_type != DT_REG)
			free(sub);
		else if (!add_path(w, sub)) {
			closedir(d);
			goto failed;
		}
	}
	closedir(d);
	return;
failed:
	if (w->failed == NULL) {
		w->err = errno;
		w->failed = path;
	}
}

static int
by_path(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static intptr_t
walk_blocking(void *arg) {
	struct walk *w = arg;
	char *root = strdup(dir);
	if (root == NULL)
		return -1;
	walk(w, root);
	if (w->failed == NULL)
		qsort(w->paths, w->n, sizeof *w->paths, by_path); // malloc memory
	return 0;
}

// ---- reading a file ---------------------------------------------------------------------------------

struct reading {
	const char *path;
	char *buf;
	size_t size;
	size_t n;
	int fd;
};

static intptr_t
open_blocking(void *arg) {
	struct reading *r = arg;
	struct stat st;
	r->fd = open(r->path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		return -1;
	r->size = fstat(r->fd, &st) == 0 && st.st_size > 0 ? (size_t)st.st_size : 0;
	return 0;
}

// read_blocking reads until the buffer is full (1) or the file ends (0); -1 on an error.
static intptr_t
read_blocking(void *arg) {
	struct reading *r = arg;
	while (r->n < r->size) {
		ssize_t k = read(r->fd, r->buf + r->n, r->size - r->n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k;
		r->n += (size_t)k;
	}
	return 1;
}

static intptr_t
close_blocking(void *arg) {
	return close(((struct reading *)arg)->fd);
}

// read_file returns the file's bytes in a heap object, or NULL.
static char *
read_file(const char *path, size_t *n) {
	struct reading r = {.path = path};
	if (gort_blocking(open_blocking, &r) != 0)
		return NULL;
	r.size += 512; // sees the end without another round
	r.buf = gort_alloc(r.size, GORT_NOSCAN);
	intptr_t k;
	while ((k = gort_blocking(read_blocking, &r)) == 1) {
		char *bigger = gort_alloc(r.size * 2, GORT_NOSCAN);
		memcpy(bigger, r.buf, r.n); // no pointers in it
		r.buf = bigger;
		r.size *= 2;
	}
	gort_blocking(close_blocking, &r);
	*n = r.n;
	return k < 0 ? NULL : r.buf;
}

// ---- the data ---------------------------------------------------------------------------------------

typedef struct posting {
	int64_t file, count;
	struct posting *next;
} posting;
GORT_TYPE(posting, next);

typedef struct entry {
	char *word; // ends with 0
	uint64_t hash;
	int64_t total;
	int64_t docs;
	posting *list;
} entry;
GORT_TYPE(entry, word, list);

// counts is a hash map from a word to its count: open addressing, linear probing, at most 3/4 full.
typedef struct count {
	char *word; // NULL: empty
	uint64_t hash;
	int64_t n;
} count;
GORT_TYPE(count, word);

typedef struct counts {
	count *slots;
	uint64_t mask;
	uint64_t used;
} counts;
GORT_TYPE(counts, slots);

// entries is a hash set of entries by their words.
typedef struct entries {
	entry **slots;
	uint64_t mask;
	uint64_t used;
} entries;
GORT_TYPE(entries, slots);

typedef struct part { // one file's counts for one shard
	int64_t file;
	counts *counts;
} part;
GORT_TYPE(part, counts);

typedef struct stats {
	int64_t bytes, tokens, failed;
} stats;

static uint64_t
fnv(const char *s, size_t n) {
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * UINT64_C(1099511628211);
	return h;
}

// mix spreads fnv's low bits, which all words of a shard share, over the table.
static uint64_t
mix(uint64_t h) {
	return h ^ h >> 29;
}

static void
counts_grow(counts *c) {
	count *old = c->slots;
	uint64_t n = old != NULL ? c->mask + 1 : 0, cap = n != 0 ? 2 * n : 16;
	count *slots = gort_new_array(count, cap);
	for (uint64_t i = 0; i < n; i++) {
		if (old[i].word == NULL)
			continue;
		uint64_t j = mix(old[i].hash) & (cap - 1);
		while (slots[j].word != NULL)
			j = (j + 1) & (cap - 1);
		gort_copy(&slots[j], &old[i]);
	}
	gort_store(c->slots, slots);
	c->mask = cap - 1;
}

static void
counts_add(counts *c, const char *word, size_t len, uint64_t hash) {
	if (c->slots == NULL || c->used * 4 >= (c->mask + 1) * 3)
		counts_grow(c);
	uint64_t i = mix(hash) & c->mask;
	for (; c->slots[i].word != NULL; i = (i + 1) & c->mask) {
		count *s = &c->slots[i];
		if (s->hash == hash && memcmp(s->word, word, len) == 0 && s->word[len] == 0) {
			s->n++;
			return;
		}
	}
	gort_store(c->slots[i].word, gort_strndup(word, len));
	c->slots[i].hash = hash;
	c->slots[i].n = 1;
	c->used++;
}

static void
entries_grow(entries *s) {
	entry **old = s->slots;
	uint64_t n = old != NULL ? s->mask + 1 : 0, cap = n != 0 ? 2 * n : 1024;
	entry **slots = gort_alloc(cap * sizeof *slots, GORT_POINTERS);
	for (uint64_t i = 0; i < n; i++) {
		if (old[i] == NULL)
			continue;
		uint64_t j = mix(old[i]->hash) & (cap - 1);
		while (slots[j] != NULL)
			j = (j + 1) & (cap - 1);
		gort_store(slots[j], old[i]);
	}
	gort_store(s->slots, slots);
	s->mask = cap - 1;
}

// entries_get returns the word's entry, a new one if there is none.
static entry *
entries_get(entries *s, char *word, uint64_t hash) {
	if (s->slots == NULL || s->used * 4 >= (s->mask + 1) * 3)
		entries_grow(s);
	uint64_t i = mix(hash) & s->mask;
	for (; s->slots[i] != NULL; i = (i + 1) & s->mask)
		if (s->slots[i]->hash == hash && strcmp(s->slots[i]->word, word) == 0)
			return s->slots[i];
	entry *e = gort_new_with(entry, .word = word, .hash = hash);
	gort_store(s->slots[i], e);
	s->used++;
	return e;
}

// ---- the goroutines -----------------------------------------------------------------------------------

static bool
letter(unsigned char c) {
	return (unsigned)((c | 32) - 'a') < 26 || c == '_';
}

static bool
digit(unsigned char c) {
	return (unsigned)(c - '0') < 10;
}

static void
worker(char **paths, gort_chan(int64_t) in, gort_chan(part) * to, gort_chan(stats) out) {
	stats st = {0};
	gort_chan_range(file, in) {
		size_t n;
		char *b = read_file(paths[file], &n);
		if (b == NULL) {
			st.failed++;
			continue;
		}
		st.bytes += (int64_t)n;
		counts **parts = gort_alloc((size_t)shards * sizeof *parts, GORT_POINTERS);
		for (size_t i = 0, j; i < n; i = j) {
			if (!letter((unsigned char)b[i]) && !digit((unsigned char)b[i])) {
				j = i + 1;
				continue;
			}
			for (j = i; j < n &&
				    (letter((unsigned char)b[j]) || digit((unsigned char)b[j]));
				j++) {
			}
			if (!letter((unsigned char)b[i]) || j - i < 2 || j - i > 64)
				continue;
			st.tokens++;
			uint64_t h = fnv(b + i, j - i), s = h % (uint64_t)shards;
			if (parts[s] == NULL)
				gort_store(parts[s], gort_new(counts));
			counts_add(parts[s], b + i, j - i, h);
		}
		for (int64_t s = 0; s < shards; s++)
			if (parts[s] != NULL)
				gort_chan_send(to[s], (part){file, parts[s]});
	}
	gort_chan_send(out, st);
}

static void
shard(gort_chan(part) in, gort_chan(entries *) out) {
	entries *index = gort_new(entries);
	gort_chan_range(p, in) {
		for (uint64_t i = 0; i <= p.counts->mask; i++) {
			count *c = &p.counts->slots[i];
			if (c->word == NULL)
				continue;
			entry *e = entries_get(index, c->word, c->hash);
			e->total += c->n;
			e->docs++;
			gort_store(e->list, gort_new_with(posting, .file = p.file, .count = c->n,
						    .next = e->list));
		}
	}
	gort_chan_send(out, index);
}

static int
by_total(const void *x, const void *y) {
	const entry *a = *(entry *const *)x, *b = *(entry *const *)y;
	if (a->total != b->total)
		return a->total < b->total ? 1 : -1;
	return strcmp(a->word, b->word);
}

// build makes the index and returns its entries, most frequent first.
static entry **
build(const struct walk *files, stats *st, int64_t *nindex) {
	gort_chan(int64_t) in = gort_chan_make(int64_t, 0);
	gort_chan(stats) done = gort_chan_make(stats, 0);
	gort_chan(entries *) results = gort_chan_make(entries *, 0);
	gort_chan(part) *to = gort_alloc((size_t)shards * sizeof *to, GORT_POINTERS);
	for (int64_t s = 0; s < shards; s++) {
		gort_store(to[s], gort_chan_make_typed(part, 16));
		gort_go(shard, to[s], results);
	}
	for (int64_t w = 0; w < workers; w++)
		gort_go(worker, files->paths, in, to, done);
	for (int64_t n = 0; n < (int64_t)files->n; n++)
		gort_chan_send(in, n);
	gort_chan_close(in);
	*st = (stats){0};
	for (int64_t w = 0; w < workers; w++) {
		stats s = gort_chan_recv(done);
		st->bytes += s.bytes;
		st->tokens += s.tokens;
		st->failed += s.failed;
	}
	int64_t n = 0, cap = 1024;
	entry **index = gort_alloc((size_t)cap * sizeof *index, GORT_POINTERS);
	for (int64_t s = 0; s < shards; s++) {
		gort_chan_close(to[s]);
		entries *e = gort_chan_recv(results);
		for (uint64_t i = 0; e->slots != NULL && i <= e->mask; i++) {
			if (e->slots[i] == NULL)
				continue;
			if (n == cap) {
				entry **bigger =
					gort_alloc((size_t)cap * 2 * sizeof *index, GORT_POINTERS);
				gort_memmove(bigger, index, (size_t)cap * sizeof *index);
				index = bigger;
				cap *= 2;
			}
			gort_store(index[n], e->slots[i]);
			n++;
		}
	}
	gort_sort(index, (size_t)n, sizeof *index, by_total);
	*nindex = n;
	return index;
}

// common counts the files that both words are in: a hash set of the first one's, then look-ups.
static int64_t
common(const entry *a, const entry *b) {
	uint64_t cap = 16;
	while (cap < (uint64_t)a->docs * 2)
		cap *= 2;
	int64_t *set = gort_alloc(cap * sizeof *set, GORT_NOSCAN), n = 0; // file + 1; 0: empty
	for (const posting *p = a->list; p != NULL; p = p->next) {
		uint64_t i = (uint64_t)p->file * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (cap - 1);
		while (set[i] != 0)
			i = (i + 1) & (cap - 1);
		set[i] = p->file + 1;
	}
	for (const posting *p = b->list; p != NULL; p = p->next) {
		uint64_t i = (uint64_t)p->file * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (cap - 1);
		while (set[i] != 0 && set[i] != p->file + 1)
			i = (i + 1) & (cap - 1);
		n += set[i] != 0;
	}
	return n;
}

static int
app(int argc, char **argv) {
	twin_flags(argc, argv,
		(struct twin_flag[]){{"dir", TWIN_STRING, &dir, "directory to index"},
			{"workers", TWIN_INT, &workers, "reading goroutines"},
			{"shards", TWIN_INT, &shards, "indexing goroutines"},
			{"rounds", TWIN_INT, &rounds, "how often"},
			{"query", TWIN_INT, &query, "words to intersect"},
			{"top", TWIN_INT, &top, "most frequent words to print on stderr"}, {0}});
	if (workers < 1 || shards < 1 || rounds < 0) {
		fprintf(stderr,
			"index: -workers and -shards must be at least 1, -rounds at least 0\n");
		return 2;
	}
	struct walk files = {0};
	gort_blocking(walk_blocking, &files);
	if (files.failed != NULL) {
		fprintf(stderr, "index: %s: %s\n", files.failed, strerror(files.err));
		return 1;
	}
	struct twin t;
	twin_start(&t);
	entry **index = NULL;
	int64_t nindex = 0;
	stats st = {0};
	for (int64_t r = 0; r < rounds; r++)
		index = build(&files, &st, &nindex);
	uint64_t sum = 0;
	int64_t postings = 0, joined = 0;
	for (int64_t i = 0; i < nindex; i++)
		for (const posting *p = index[i]->list; p != NULL; p = p->next) {
			sum += index[i]->hash * (uint64_t)p->count * (uint64_t)(p->file + 1);
			postings++;
		}
	for (int64_t i = 1; i < nindex && i < query; i++)
		joined += common(index[i - 1], index[i]);
	for (int64_t i = 0; i < nindex && i < top; i++)
		fprintf(stderr, "%8lld %6lld %s\n", (long long)index[i]->total,
			(long long)index[i]->docs, index[i]->word);
	char hex[32];
	snprintf(hex, sizeof hex, "%016llx", (unsigned long long)sum);
	twin_done(&t, "index",
		TWIN_KV(TWIN_KI("workers", workers), TWIN_KI("shards", shards),
			TWIN_KI("rounds", rounds), TWIN_KI("query", query)),
		st.tokens * rounds,
		TWIN_KV(TWIN_KI("files", (int64_t)files.n), TWIN_KI("failed", st.failed),
			TWIN_KI("bytes", st.bytes), TWIN_KI("tokens", st.tokens),
			TWIN_KI("words", nindex), TWIN_KI("postings", postings),
			TWIN_KS("sum", hex), TWIN_KI("joined", joined)));
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
