// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The buffer of profiling events, after profbuf_test.go of Go 1.26.8.
#include "tests/support/support.h"

#include "runtime/runtime.h"
#include "sched/proc.h"
#include "sched/profbuf.h"
#include "sched/runtime2.h"

static char myTags[100];

// Lists of words: W(1, 2, 3), their number last.
#define U(...) (const uint64_t[]){__VA_ARGS__}, (int)(sizeof((const uint64_t[]){__VA_ARGS__}) / 8)
#define S(...) (const uintptr_t[]){__VA_ARGS__}, (int)(sizeof((const uintptr_t[]){__VA_ARGS__}) / 8)
#define T(...) (char *[]){__VA_ARGS__}, (int)(sizeof((char *[]){__VA_ARGS__}) / 8)

static void
writetag(profBuf *b, char *tag, int64_t now, const uint64_t *hdr, int nhdr, const uintptr_t *stk,
	int nstk) {
	void *t = tag;
	profBuf_write(b, &t, now, hdr, nhdr, stk, nstk);
}

// reads reports whether the next read in this mode gives these words and tags.
static bool
reads(profBuf *b, enum profBufReadMode mode, const uint64_t *data, int n, char *const *tags,
	int nt) {
	intptr_t rn, rnt;
	void **rtags;
	bool eof;
	uint64_t *rdata = profBuf_read(b, mode, &rn, &rtags, &rnt, &eof);
	if (eof || rn != n || rnt != nt)
		return false;
	if (n == 0)
		return rdata == NULL && rtags == NULL;
	return memcmp(rdata, data, (size_t)n * 8) == 0 && memcmp(rtags, tags, (size_t)nt * 8) == 0;
}

// readseof reports whether the next read gives the end.
static bool
readseof(profBuf *b, enum profBufReadMode mode) {
	intptr_t rn, rnt;
	void **rtags;
	bool eof;
	return profBuf_read(b, mode, &rn, &rtags, &rnt, &eof) == NULL && rtags == NULL && eof;
}

#define WRITE(b, i, now, hdr, stk) writetag(b, &myTags[i], now, hdr, stk)
#define READ(b, data, tags) CHECK(reads(b, profBufNonBlocking, data, tags))
#define READNONE(b) CHECK(reads(b, profBufNonBlocking, NULL, 0, NULL, 0))

#define H23 U(2, 3)
#define STK6 S(4, 5, 6, 7, 8, 9)
#define REC6 U(10, 1, 2, 3, 4, 5, 6, 7, 8, 9)
#define TAG0 T(&myTags[0])

static void
basicWriteRead(void) {
	profBuf *b = newProfBuf(2, 11, 1);
	WRITE(b, 0, 1, H23, STK6);
	READ(b, REC6, TAG0);
	READNONE(b); // gives back what the last read returned
	WRITE(b, 2, 99, U(101, 102), S(201, 202, 203, 204));
	READ(b, U(8, 99, 101, 102, 201, 202, 203, 204), T(&myTags[2]));
	freeProfBuf(b);
}

Test(ProfBuf, BasicWriteRead) {
	RUN(basicWriteRead);
}

static void
readMany(void) {
	profBuf *b = newProfBuf(2, 50, 50);
	WRITE(b, 0, 1, H23, STK6);
	WRITE(b, 2, 99, U(101, 102), S(201, 202, 203, 204));
	WRITE(b, 1, 500, U(502, 504), S(506));
	READ(b,
		U(10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 99, 101, 102, 201, 202, 203, 204, 5, 500, 502,
			504, 506),
		T(&myTags[0], &myTags[2], &myTags[1]));
	freeProfBuf(b);
}

Test(ProfBuf, ReadMany) {
	RUN(readMany);
}

static void
readManyShort(void) {
	for (int tags = 2; tags <= 50; tags += 48) {
		profBuf *b = newProfBuf(2, 50, tags);
		WRITE(b, 0, 1, H23, STK6);
		WRITE(b, 2, 99, U(101, 102), S(201, 202, 203, 204));
		READ(b, U(10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 99, 101, 102, 201, 202, 203, 204),
			T(&myTags[0], &myTags[2]));
		freeProfBuf(b);
	}
}

Test(ProfBuf, ReadManyShort) {
	RUN(readManyShort);
}

// The writer makes the record of what was dropped.
static void
readAfterOverflow1(void) {
	profBuf *b = newProfBuf(2, 16, 5);
	WRITE(b, 0, 1, H23, STK6);
	READ(b, REC6, TAG0);
	WRITE(b, 0, 1, H23, S(4, 5));
	READ(b, U(6, 1, 2, 3, 4, 5), TAG0);
	// Now 10 words are free.
	WRITE(b, 2, 99, U(101, 102), S(201, 202, 203, 204, 205, 206, 207, 208, 209));
	for (int i = 0; i < 299; i++)
		WRITE(b, 3, 100 + i, U(101, 102), S(201, 202, 203, 204));
	WRITE(b, 1, 500, U(502, 504), S(506));
	READ(b, U(5, 99, 0, 0, 300, 5, 500, 502, 504, 506), T(NULL, &myTags[1]));
	freeProfBuf(b);
}

Test(ProfBuf, ReadAfterOverflow1) {
	RUN(readAfterOverflow1);
}

// The reader makes it.
static void
readAfterOverflow2(void) {
	profBuf *b = newProfBuf(2, 16, 5);
	WRITE(b, 0, 1, H23, STK6);
	WRITE(b, 2, 99, U(101, 102),
		S(201, 202, 203, 204, 205, 206, 207, 208, 209, 210, 211, 212, 213));
	for (int i = 0; i < 299; i++)
		WRITE(b, 3, 100, U(101, 102), S(201, 202, 203, 204));
	READ(b, REC6, TAG0);
	writetag(b, &myTags[1], 500, U(502, 504), NULL, 0);
	READ(b, U(5, 99, 0, 0, 301), T(NULL));
	WRITE(b, 1, 500, U(502, 505), S(506));
	READ(b, U(5, 500, 502, 505, 506), T(&myTags[1]));
	freeProfBuf(b);
}

Test(ProfBuf, ReadAfterOverflow2) {
	RUN(readAfterOverflow2);
}

static void
readAtEndAfterOverflow(void) {
	profBuf *b = newProfBuf(2, 12, 5);
	WRITE(b, 0, 1, H23, STK6);
	WRITE(b, 2, 99, U(101, 102), S(201, 202, 203, 204));
	for (int i = 0; i < 299; i++)
		WRITE(b, 3, 100, U(101, 102), S(201, 202, 203, 204));
	READ(b, REC6, TAG0);
	READ(b, U(5, 99, 0, 0, 300), T(NULL));
	WRITE(b, 1, 500, U(502, 504), S(506));
	READ(b, U(5, 500, 502, 504, 506), T(&myTags[1]));
	freeProfBuf(b);
}

Test(ProfBuf, ReadAtEndAfterOverflow) {
	RUN(readAtEndAfterOverflow);
}

struct reader {
	profBuf *b;
	const uint64_t *data;
	int n;
	char *const *tags;
	int nt;
	G *gp; // atomic
	gort_waitgroup wg;
};

static void
reader_run(struct reader *r) {
	atomic_Store(&r->gp, getg());
	if (r->data == NULL)
		CHECK(readseof(r->b, profBufBlocking));
	else
		CHECK(reads(r->b, profBufBlocking, r->data, r->n, r->tags, r->nt));
	gort_waitgroup_done(&r->wg);
}

// blocked waits until the goroutine sleeps in its note.
static void
blocked(G **gp) {
	G *g;
	while ((g = atomic_Load(gp)) == NULL || (readgstatus(g) & ~(uint32_t)_Gscan) != _Gsyscall)
		gort_yield();
}

static void
reader_go(struct reader *r) {
	atomic_Store(&r->gp, NULL);
	gort_waitgroup_add(&r->wg, 1);
	gort_go(reader_run, r);
}

static void
blockingWriteRead(void) {
	struct reader r = {.b = newProfBuf(2, 11, 1)};
	char *t0[] = {&myTags[0]};
	char *t2[] = {&myTags[2]};
	const uint64_t d0[] = {10, 1, 2, 3, 4, 5, 6, 7, 8, 9};
	const uint64_t d2[] = {8, 99, 101, 102, 201, 202, 203, 204};
	r.data = d0;
	r.n = 10;
	r.tags = t0;
	r.nt = 1;
	reader_go(&r);
	blocked(&r.gp);
	WRITE(r.b, 0, 1, H23, STK6);
	gort_waitgroup_wait(&r.wg);
	r.data = d2;
	r.n = 8;
	r.tags = t2;
	reader_go(&r);
	blocked(&r.gp);
	WRITE(r.b, 2, 99, U(101, 102), S(201, 202, 203, 204));
	gort_waitgroup_wait(&r.wg);
	r.data = NULL;
	reader_go(&r);
	blocked(&r.gp);
	profBuf_close(r.b);
	gort_waitgroup_wait(&r.wg);
	reader_go(&r);
	gort_waitgroup_wait(&r.wg);
	CHECK(readseof(r.b, profBufBlocking));
	CHECK(readseof(r.b, profBufNonBlocking));
	freeProfBuf(r.b);
}

Test(ProfBuf, BlockingWriteRead) {
	RUN(blockingWriteRead);
}

static void
wraparound(void) {
	static const int sizes[][2] = {{16, 1024}, {1024, 2}, {16, 2}};
	for (int k = 0; k < 3; k++) {
		profBuf *b = newProfBuf(2, sizes[k][0], sizes[k][1]);
		for (int i = 0; i < 10; i++) {
			WRITE(b, 0, 1, H23, STK6);
			READ(b, REC6, TAG0);
			READNONE(b);
		}
		freeProfBuf(b);
	}
}

Test(ProfBuf, Wraparound) {
	RUN(wraparound);
}

static void
doubleWakeup_writer(profBuf *b) {
	for (int i = 0; i < 1000; i++)
		profBuf_write(b, NULL, 1, U(5, 6), S(7, 8));
	profBuf_close(b);
}

// Every record is read or counted.
static void
doubleWakeup(void) {
	profBuf *b = newProfBuf(2, 16, 2);
	gort_go(doubleWakeup_writer, b);
	uint64_t seen = 0;
	for (;;) {
		intptr_t n, nt;
		void **tags;
		bool eof;
		uint64_t *data = profBuf_read(b, profBufBlocking, &n, &tags, &nt, &eof);
		if (eof)
			break;
		for (intptr_t i = 0; i < n; i += (intptr_t)data[i])
			seen += data[i + 2] == 0 ? data[i + 4] : 1;
	}
	CHECK(seen == 1000);
	freeProfBuf(b);
}

Test(ProfBuf, DoubleWakeup) {
	RUN(doubleWakeup);
}

struct wakeup {
	profBuf *b;
	G *gp; // atomic
	gort_waitgroup wg;
};

static void
wakeup_reader(struct wakeup *w) {
	atomic_Store(&w->gp, getg());
	intptr_t read = 0, n, nt;
	void **tags;
	bool eof = false;
	while (!eof) {
		profBuf_read(w->b, profBufBlocking, &n, &tags, &nt, &eof);
		if (read == 0)
			CHECK(n >= 8);
		read += n;
	}
	gort_waitgroup_done(&w->wg);
}

// The reader sleeps until the buffer is half full.
static void
wakeup(void) {
	struct wakeup w = {.b = newProfBuf(2, 16, 2)};
	gort_waitgroup_add(&w.wg, 1);
	gort_go(wakeup_reader, &w);
	blocked(&w.gp);
	profBuf_write(w.b, NULL, 1, U(1, 2), S(3, 4));
	for (int i = 0; i < 100; i++)
		gort_yield();
	blocked(&w.gp);
	profBuf_write(w.b, NULL, 1, U(5, 6), S(7, 8));
	profBuf_close(w.b);
	gort_waitgroup_wait(&w.wg);
	freeProfBuf(w.b);
}

Test(ProfBuf, ProfBufWakeup) {
	RUN(wakeup);
}
