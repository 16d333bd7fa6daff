// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// GC latency: keep the last -window messages of -size bytes alive, push -n messages, record how long
// every push took.  -kind ring: an array of messages; -kind map: a hash map from number to message
// with delete of the oldest.  Twin of bench/go/gclatency.
#include <stdio.h>
#include <string.h>

#include "twin.h"

static int64_t n = 1000000, win = 200000, size = 1024;
static const char *kind = "ring";

// A hash map from int64_t to a message: open addressing, linear probing, backward-shift deletion.
typedef struct slot {
	int64_t key; // 0: empty; keys are stored + 1
	unsigned char *msg;
} slot;
GORT_TYPE(slot, msg);

static slot *slots;
static uint64_t mask, used;

static uint64_t
home(int64_t key) {
	return ((uint64_t)key * UINT64_C(0x9e3779b97f4a7c15)) >> 20;
}

static void put(int64_t key, unsigned char *msg);

static void
grow(void) {
	slot *old = slots;
	uint64_t oldn = old != NULL ? mask + 1 : 0, cap = oldn != 0 ? oldn * 2 : 16;
	gort_store(slots, gort_new_array(slot, cap));
	mask = cap - 1;
	used = 0;
	for (uint64_t i = 0; i < oldn; i++)
		if (old[i].key != 0)
			put(old[i].key - 1, old[i].msg);
}

static void
put(int64_t key, unsigned char *msg) {
	if (slots == NULL || used * 8 >= (mask + 1) * 7)
		grow();
	uint64_t i = home(key) & mask;
	while (slots[i].key != 0 && slots[i].key != key + 1)
		i = (i + 1) & mask;
	used += slots[i].key == 0;
	slots[i].key = key + 1;
	gort_store(slots[i].msg, msg);
}

static void
del(int64_t key) {
	uint64_t i = home(key) & mask;
	while (slots[i].key != key + 1) {
		if (slots[i].key == 0)
			return;
		i = (i + 1) & mask;
	}
	used--;
	for (uint64_t j = i;;) {
		j = (j + 1) & mask;
		if (slots[j].key == 0)
			break;
		uint64_t h = home(slots[j].key - 1) & mask;
		if (((j - h) & mask) >= ((j - i) & mask)) {
			slots[i].key = slots[j].key;
			gort_store(slots[i].msg, slots[j].msg);
			i = j;
		}
	}
	slots[i].key = 0;
	gort_store(slots[i].msg, NULL);
}

__attribute__((noinline)) static unsigned char *
mk(int64_t id) {
	unsigned char *b = gort_alloc((size_t)size, GORT_NOSCAN);
	for (int64_t i = 0; i < size; i++) {
		b[i] = (unsigned char)id;
		__asm__ volatile("" ::: "memory"); // byte by byte, as Go's compiler does
	}
	return b;
}

static int
app(int argc, char **argv) {
	twin_flags(argc, argv,
		(struct twin_flag[]){{"kind", TWIN_STRING, &kind, "ring|map"},
			{"n", TWIN_INT, &n, "messages"},
			{"window", TWIN_INT, &win, "live messages"},
			{"size", TWIN_INT, &size, "bytes"}, {0}});
	bool is_ring = strcmp(kind, "ring") == 0;
	if (!is_ring && strcmp(kind, "map") != 0) {
		fprintf(stderr, "gclatency: no kind \"%s\"\n", kind);
		return 2;
	}
	static struct twin_hist h;
	unsigned char **ring = gort_alloc(sizeof *ring * (size_t)win, GORT_POINTERS);
	struct twin t;
	twin_start(&t);
	for (int64_t i = 0; i < n; i++) {
		int64_t t0 = gort_now();
		unsigned char *msg = mk(i);
		if (is_ring) {
			gort_store(ring[i % win], msg);
		} else {
			put(i, msg);
			if (i >= win)
				del(i - win);
		}
		twin_hist_add(&h, gort_now() - t0);
	}
	twin_done(&t, "gclatency",
		TWIN_KV(TWIN_KS("kind", kind), TWIN_KI("window", win), TWIN_KI("size", size),
			TWIN_KI("n", n)),
		n, TWIN_KV(TWIN_KRAW("lat", twin_hist_json(&h))));
	return 0;
}

int
main(int argc, char **argv) {
	return gort_run(app, argc, argv);
}
