// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// The mutator torture test.  Many goroutines build, cut and move linked structures and verify all
// that they hold, while collections are forced at random and time slices last 100 us.
//
// An object that was freed too early is found by its canary, which is made of its address, its kind
// and its key; a pointer that was lost or changed, by the checksum of the structure that it belongs
// to; memory that was handed out without being cleared, by a look at each new object.  Each kind of
// worker keeps its objects alive by other means: fields, globals, channels, timers, arguments,
// nothing but a register.
//
// The time is cut into rounds.  At the end of each all workers exit, the globals are cleared, and
// the live heap must be back at the floor it had before the first round, but for `slack` bytes: a
// stale word on a stack may keep a structure, and none is larger than that.
//
//	torture [SECONDS [SEED [KIND...]]]
//
// KINDs are names from the table `kinds`; all by default.
#include "objects.h"
#include "stress.h"

enum {
	slack = 1 << 20,
	workers = 3, // of each kind
};

static int64_t roundend;   // the workers' deadline
static gort_waitgroup wg;  // workers
static gort_waitgroup hwg; // helpers

static inline bool
more(void) {
	return gort_now() < roundend;
}

// ---- trees that wander between goroutines through globals ----------------------------------------------

enum { nglobals = 64 };
static tree *globals[nglobals];

static void
treeworker(rng *r) {
	tree *own = tree_build(r, 6);
	while (more()) {
		switch (below(r, 6)) {
		case 0: { // a cut subtree moves to a global, what was there moves in
			tree *t = tree_change(r, &own, true, NULL, 2 + (int)below(r, 4));
			tree *got = gort_xchg(&globals[below(r, nglobals)], t);
			tree_verify(got, "tree from a global");
			tree *dropped = tree_change(r, &own, true, got, (int)below(r, 5));
			tree_verify(dropped, "cut tree");
			break;
		}
		case 1: { // two subtrees change places
			if (own == NULL || own->left == NULL || own->right == NULL)
				break;
			tree *a = tree_change(r, &own->left, false, NULL, 3);
			tree *b = tree_change(r, &own->right, false, a, 3);
			tree *c = tree_change(r, &own->left, false, b, 5);
			own->sum = treesum(own->key, own->left, own->right);
			tree_verify(c, "tree that was pushed out");
			break;
		}
		case 2: {
			tree *t =
				tree_change(r, &own, true, tree_build(r, 5), 1 + (int)below(r, 6));
			tree_verify(t, "replaced tree");
			break;
		}
		case 3:
			tree_mirror(r, own);
			break;
		case 4:
			gort_yield();
			break;
		default:
			if (below(r, 4) == 0)
				own = tree_build(r, 8);
		}
		if (tree_verify(own, "own tree") > 3000)
			own = tree_build(r, 4);
		step(1);
	}
}

// ---- rings: segments move between shared lists ------------------------------------------------------------

typedef struct ring {
	struct ring *next, *prev;
	uint64_t key, canary;
} ring;
GORT_TYPE(ring, next, prev);

typedef struct shared {
	gort_mutex mu;
	ring *head; // a node of its own
	int n;
	uint64_t keys; // xor of all
} shared;
enum { nrings = 8 };
static shared rings[nrings];

static void
ring_insert(ring *after, ring *x) {
	gort_store(x->next, after->next);
	gort_store(x->prev, after);
	gort_store(after->next->prev, x);
	gort_store(after->next, x);
}

static void
ring_verify(const shared *s) {
	int n = 0;
	uint64_t keys = 0;
	VERIFY(s->head, kList, "ring head");
	for (const ring *x = s->head->next; x != s->head; x = x->next) {
		VERIFY(x, kList, "ring");
		CHECK(x->next->prev == x && x->prev->next == x, "ring %p: links", (const void *)x);
		keys ^= x->key;
		n++;
	}
	CHECK(n == s->n && keys == s->keys, "ring: %d nodes, want %d; keys %#lx, want %#lx", n,
		s->n, (unsigned long)keys, (unsigned long)s->keys);
}

static ring *
ring_new(rng *r) {
	ring *x = gort_new(ring);
	fresh(x, sizeof *x, "ring");
	x->key = rnd(r);
	x->canary = canary(x, kList, x->key);
	return x;
}

static void
ring_fill(rng *r, shared *s, int n) {
	gort_store(s->head, ring_new(r));
	gort_store(s->head->next, s->head);
	gort_store(s->head->prev, s->head);
	s->n = 0;
	s->keys = 0;
	for (int i = 0; i < n; i++) {
		ring *x = ring_new(r);
		ring_insert(s->head, x);
		s->n++;
		s->keys ^= x->key;
	}
}

// ring_move cuts up to k nodes out of one ring and splices them into another.  Both are locked.
static void
ring_move(rng *r, shared *from, shared *to, int k) {
	ring *first = from->head->next;
	for (uint32_t skip = below(r, 10); skip > 0 && first != from->head; skip--)
		first = first->next;
	if (first == from->head)
		return;
	ring *last = first;
	uint64_t keys = first->key;
	int n = 1;
	while (n < k && last->next != from->head) {
		last = last->next;
		keys ^= last->key;
		n++;
	}
	gort_store(first->prev->next, last->next);
	gort_store(last->next->prev, first->prev);
	from->n -= n;
	from->keys ^= keys;
	// Now only first and last, here on the stack, hold the segment.
	if (below(r, 8) == 0)
		gort_yield();
	gort_store(last->next, to->head->next);
	gort_store(first->prev, to->head);
	gort_store(to->head->next->prev, last);
	gort_store(to->head->next, first);
	to->n += n;
	to->keys ^= keys;
}

static void
ringworker(rng *r) {
	while (more()) {
		uint32_t a = below(r, nrings), b = below(r, nrings);
		shared *s = &rings[a < b ? a : b], *t = &rings[a < b ? b : a];
		gort_mutex_lock(&s->mu);
		if (s->head == NULL)
			ring_fill(r, s, 50);
		if (s != t) {
			gort_mutex_lock(&t->mu);
			if (t->head == NULL)
				ring_fill(r, t, 50);
			if (below(r, 2) == 0)
				ring_move(r, s, t, 20);
			else
				ring_move(r, t, s, 20);
			if (below(r, 4) == 0)
				ring_verify(t);
			gort_mutex_unlock(&t->mu);
		} else if (below(r, 2) == 0) {
			for (int i = 0; i < 5 && s->n < 400; i++) {
				ring *x = ring_new(r);
				ring_insert(s->head->prev, x);
				s->n++;
				s->keys ^= x->key;
			}
		} else if (s->n > 10) {
			for (int i = 0; i < 5; i++) {
				ring *x = s->head->next;
				gort_store(s->head->next, x->next);
				gort_store(x->next->prev, s->head);
				s->n--;
				s->keys ^= x->key;
			}
		}
		if (below(r, 4) == 0)
			ring_verify(s);
		gort_mutex_unlock(&s->mu);
		step(1);
	}
}

// ---- a hash map with chains, strings as keys ------------------------------------------------------------

typedef struct entry {
	struct entry *next;
	char *name; // noscan, small or tiny
	char *end;  // the end of name: one past it
	char **mid; // points to the field name of this entry: a pointer inside
	uint64_t key, canary;
	uint64_t *value; // a tiny object
} entry;
GORT_TYPE(entry, next, name, end, mid, value);

typedef struct map {
	entry **bucket;
	size_t nbucket, n;
	gort_mutex mu;
} map;
GORT_TYPE(map, bucket);
static map *sharedmap;
static gort_mutex sharedmaplock;

static entry *
entry_new(rng *r, uint64_t key) {
	entry *e = gort_new(entry);
	fresh(e, sizeof *e, "entry");
	e->key = key;
	e->canary = canary(e, kEntry, key);
	char b[40];
	int n = snprintf(b, sizeof b, "%0*lx", (int)below(r, 32), (unsigned long)key);
	gort_store(e->name, below(r, 2) == 0 ? gort_strdup(b) : gort_asprintf("%s", b));
	gort_store(e->end, e->name + n + 1);
	gort_store(e->mid, &e->name);
	gort_store(e->value, (uint64_t *)gort_alloc(8, GORT_NOSCAN));
	CHECK(*e->value == 0, "entry: new value %#lx", (unsigned long)*e->value);
	*e->value = ~key;
	return e;
}

static void
entry_verify(const entry *e, const char *what) {
	VERIFY(e, kEntry, what);
	CHECK(strtoul(e->name, NULL, 16) == e->key, "%s: entry %p: name \"%.40s\", key %#lx", what,
		(const void *)e, e->name, (unsigned long)e->key);
	CHECK(e->end[-1] == 0 && e->end == e->name + strlen(e->name) + 1, "%s: entry %p: end", what,
		(const void *)e);
	CHECK(*e->mid == e->name, "%s: entry %p: mid", what, (const void *)e);
	CHECK(*e->value == ~e->key, "%s: entry %p: value %#lx, key %#lx", what, (const void *)e,
		(unsigned long)*e->value, (unsigned long)e->key);
}

static map *
map_new(void) {
	map *m = gort_new(map);
	m->nbucket = 8;
	gort_store(m->bucket, (entry **)gort_alloc(8 * sizeof(entry *), GORT_POINTERS));
	return m;
}

static void
map_grow(map *m) {
	size_t n = m->nbucket * 2;
	entry **b = gort_alloc(n * sizeof(entry *), GORT_POINTERS);
	fresh(b, n * sizeof(entry *), "buckets");
	for (size_t i = 0; i < m->nbucket; i++) {
		for (entry *e = m->bucket[i], *next; e != NULL; e = next) {
			next = e->next;
			entry **to = &b[mix(e->key) % n];
			gort_store(e->next, *to);
			gort_store(*to, e);
		}
	}
	gort_store(m->bucket, b);
	m->nbucket = n;
}

static void
map_put(rng *r, map *m, uint64_t key) {
	for (entry *e = m->bucket[mix(key) % m->nbucket]; e != NULL; e = e->next)
		if (e->key == key)
			return;
	if (m->n >= 2 * m->nbucket)
		map_grow(m);
	entry *e = entry_new(r, key);
	entry **b = &m->bucket[mix(key) % m->nbucket];
	gort_store(e->next, *b);
	gort_store(*b, e);
	m->n++;
}

static bool
map_delete(map *m, uint64_t key) {
	for (entry **p = &m->bucket[mix(key) % m->nbucket]; *p != NULL; p = &(*p)->next) {
		entry_verify(*p, "map chain");
		if ((*p)->key == key) {
			gort_store(*p, (*p)->next);
			m->n--;
			return true;
		}
	}
	return false;
}

static void
map_verify(const map *m) {
	size_t n = 0;
	for (size_t i = 0; i < m->nbucket; i++) {
		for (const entry *e = m->bucket[i]; e != NULL; e = e->next) {
			entry_verify(e, "map");
			CHECK(mix(e->key) % m->nbucket == i, "map: entry in the wrong bucket");
			n++;
		}
	}
	CHECK(n == m->n, "map: %zu entries, want %zu", n, m->n);
}

static void
mapworker(rng *r) {
	map *own = map_new();
	uint64_t seq = rnd(r) << 8, oldest = seq;
	while (more()) {
		for (int i = 0; i < 40; i++)
			map_put(r, own, seq++);
		while (seq - oldest > 300)
			CHECK(map_delete(own, oldest++), "map: an entry is missing");
		map_verify(own);
		CHECK(own->n == seq - oldest, "map: %zu entries", own->n);
		gort_mutex_lock(&sharedmaplock);
		if (sharedmap == NULL)
			gort_store(sharedmap, map_new());
		for (int i = 0; i < 10; i++) {
			uint64_t key = below(r, 400);
			if (below(r, 2) == 0)
				map_put(r, sharedmap, key);
			else
				map_delete(sharedmap, key);
		}
		if (below(r, 4) == 0)
			map_verify(sharedmap);
		if (below(r, 100) == 0)
			gort_store(sharedmap, (map *)NULL);
		gort_mutex_unlock(&sharedmaplock);
		if (below(r, 50) == 0) {
			own = map_new();
			oldest = seq;
		}
		step(1);
	}
}

// ---- channels of pointers and of structures ----------------------------------------------------------------

typedef struct msg {
	tree *t;
	uint64_t key;
	char *text; // a pointer inside a string
	uint64_t sum;
} msg;
GORT_TYPE(msg, t, text);

enum { nchans = 4 };
// In the heap, as nothing but a global array keeps them.
static gort_chan(tree *) treechans[nchans];
static gort_chan(msg) msgchans[nchans];   // conservative
static gort_chan(msg) typedchans[nchans]; // by its GORT_TYPE
static gort_chan(void *) closing;         // closed at the end of a round

static msg
msg_new(rng *r) {
	msg m = {.t = tree_build(r, 4), .key = rnd(r)};
	m.text = gort_asprintf("....%lx", (unsigned long)m.key) + 4;
	m.sum = m.key ^ (m.t != NULL ? m.t->sum : 0);
	return m;
}

static void
msg_verify(const msg *m, const char *what) {
	CHECK(strtoul(m->text, NULL, 16) == m->key, "%s: text \"%.40s\", key %#lx", what, m->text,
		(unsigned long)m->key);
	tree_verify(m->t, what);
	CHECK(m->sum == (m->key ^ (m->t != NULL ? m->t->sum : 0)), "%s: sum", what);
}

static void
chanworker(rng *r) {
	bool open = true;
	while (open) {
		uint32_t i = below(r, nchans), j = below(r, nchans), k = below(r, nchans);
		tree *t = NULL;
		msg a, b;
		void *none;
		bool ok = true;
		switch (below(r, 4)) {
		case 0:
			switch (gort_select(gort_on_recv_ok(closing, &none, &ok),
				gort_on_send(treechans[i], tree_build(r, 4)),
				gort_on_recv(treechans[j], &t), gort_on_recv(msgchans[k], &a))) {
			case 0:
				open = ok;
				break;
			case 2:
				tree_verify(t, "tree from a channel");
				break;
			case 3:
				msg_verify(&a, "message");
				break;
			}
			break;
		case 1:
			switch (gort_select(gort_on_recv_ok(closing, &none, &ok),
				gort_on_send(msgchans[i], msg_new(r)),
				gort_on_recv(typedchans[j], &b),
				gort_on_timeout(below(r, 200) * GORT_US))) {
			case 0:
				open = ok;
				break;
			case 2:
				msg_verify(&b, "typed message");
				break;
			}
			break;
		case 2:
			switch (gort_select(gort_on_send(typedchans[i], msg_new(r)),
				gort_on_recv(typedchans[j], &a), gort_on_recv(msgchans[k], &b),
				gort_on_default)) {
			case 1:
				msg_verify(&a, "typed message");
				break;
			case 2:
				msg_verify(&b, "message");
				break;
			}
			open = more();
			break;
		default: {
			// A pipeline of its own: each stage is a goroutine.
			gort_chan(tree *) c = gort_chan_make(tree *, below(r, 3));
			tree *sent = tree_build(r, 5);
			bool done = gort_chan_try_send(c, sent);
			CHECK(!done || gort_chan_cap(c) > 0, "sent to nobody");
			if (done) {
				gort_chan_close(c);
				tree *got = gort_chan_recv(c);
				CHECK(got == sent, "channel: got %p, sent %p", (void *)got,
					(void *)sent);
				tree_verify(got, "tree from an own channel");
				CHECK(!gort_chan_recv_ok(c, &got) && got == NULL, "closed channel");
			}
			open = more();
		}
		}
		step(1);
	}
}

// filter passes trees on from one channel to the next.
static void
filter(gort_chan(tree *) in, gort_chan(tree *) out) {
	gort_chan_range(t, in) {
		tree_verify(t, "tree in a filter");
		gort_chan_send(out, t);
	}
	gort_chan_close(out);
	gort_waitgroup_done(&hwg);
}

static void
feed(gort_chan(tree *) out, uint64_t id, int n) {
	rng r = rng_make(id);
	for (int i = 0; i < n; i++)
		gort_chan_send(out, tree_build(&r, 4));
	gort_chan_close(out);
	gort_waitgroup_done(&hwg);
}

static void
pipeworker(rng *r) {
	while (more()) {
		int stages = 1 + (int)below(r, 10), n = 20;
		gort_chan(tree *) c = gort_chan_make(tree *, below(r, 4));
		gort_waitgroup_add(&hwg, 1 + stages);
		gort_go(feed, c, rnd(r), n);
		for (int i = 0; i < stages; i++) {
			gort_chan(tree *) d = gort_chan_make(tree *, below(r, 4));
			gort_go(filter, c, d);
			c = d;
		}
		int got = 0;
		gort_chan_range(t, c) {
			tree_verify(t, "tree from a pipeline");
			got++;
		}
		CHECK(got == n, "pipeline: %d of %d came", got, n);
		step(1);
	}
}

// ---- large arrays of pointers, sorted and copied ------------------------------------------------------------

typedef struct small {
	uint64_t key, canary;
} small;
GORT_TYPE_NOSCAN(small);

typedef struct block {
	small *p[32];
	struct block *next;
	uint64_t pad;
} block;
GORT_TYPE(block, p, next);

static small *
small_new(uint64_t key) {
	small *s = gort_new(small);
	fresh(s, sizeof *s, "small");
	s->key = key;
	s->canary = canary(s, kSmall, key);
	return s;
}

static int
bykey(const void *a, const void *b) {
	const small *x = *(small *const *)a, *y = *(small *const *)b;
	return x->key < y->key ? -1 : x->key > y->key;
}

static void
sortworker(rng *r) {
	while (more()) {
		uint32_t n = 1 + below(r, below(r, 8) == 0 ? 8000
							   : 500); // up to 64 KB: a span of its own
		small **a = below(r, 2) == 0 ? gort_alloc(n * sizeof *a, GORT_POINTERS)
					     : gort_newarray(&gort_type_pointer, n);
		fresh(a, n * sizeof *a, "array");
		uint64_t sum = 0;
		for (uint32_t i = 0; i < n; i++) {
			gort_store(a[i], small_new(rnd(r)));
			sum += a[i]->key;
		}
		gort_sort(a, n, sizeof *a, bykey);
		uint64_t got = 0;
		for (uint32_t i = 0; i < n; i++) {
			VERIFY(a[i], kSmall, "sorted");
			CHECK(i == 0 || a[i - 1]->key <= a[i]->key, "not sorted");
			got += a[i]->key;
		}
		CHECK(sum == got, "sort lost an element");

		// Copied block by block, the original cleared at once.
		block *first = NULL;
		for (uint32_t i = 0; i + 32 <= n; i += 32) {
			block *b = gort_new(block);
			fresh(b, sizeof *b, "block");
			gort_memmove(b->p, a + i, sizeof b->p);
			gort_memzero(a + i, sizeof b->p);
			gort_store(b->next, first);
			first = b;
		}
		// Moved on as whole structures.
		for (block *b = first; b != NULL; b = b->next) {
			block *c = gort_new(block);
			gort_copy(c, b);
			for (int i = 0; i < 32; i++)
				VERIFY(c->p[i], kSmall, "copied");
			gort_memmove(&c->p[0], &c->p[1], 31 * sizeof(small *));
			gort_zero(b);
			gort_copy(b, c);
			CHECK(b->p[30] == b->p[31], "block: overlapping move");
		}
		int blocks = 0;
		for (block *b = first; b != NULL; b = b->next, blocks++)
			for (int i = 0; i < 32; i++)
				VERIFY(b->p[i], kSmall, "block");
		CHECK(blocks == (int)(n / 32), "block: the chain is cut");
		step(1);
	}
}

// ---- objects that are held by a pointer into them, or past their end ---------------------------------------

static uint64_t *
words(uint64_t key, size_t n) {
	uint64_t *w = gort_alloc(n * 8, GORT_NOSCAN);
	fresh(w, n * 8, "words");
	for (size_t i = 0; i < n; i++)
		w[i] = key + i;
	return w;
}

// hold lets others run while p is the only pointer.
static NOINLINE uint64_t *
hold(rng *r, uint64_t *p) {
	switch (below(r, 4)) {
	case 0:
		gort_sleep(below(r, 300) * GORT_US);
		break;
	case 1:
		gort_yield();
		break;
	case 2:
		for (int i = 0; i < 20; i++)
			(void)words(1, 1 + below(r, 64));
	}
	return p;
}

typedef struct span_ {
	uint64_t *cur, *end; // cur may be equal to end
	uint64_t *begin;
} span_;
GORT_TYPE(span_, cur, end, begin);

static void
endworker(rng *r) {
	static const size_t sizes[] = {2, 3, 4, 6, 8, 12, 32, 64, 128, 1024, 2048, 4096, 8192};
	while (more()) {
		size_t n = sizes[below(r, sizeof sizes / sizeof *sizes)];
		uint64_t key = rnd(r);
		// A local past the end.
		uint64_t *p = hold(r, words(key, n) + n);
		for (size_t i = n; i > 0; i--)
			CHECK(*--p == key + i - 1, "object of %zu words held by its end: word %zu",
				n, i - 1);
		// A local inside.
		size_t at = below(r, (uint32_t)n);
		p = hold(r, words(key, n) + at);
		CHECK(p[0] == key + at && p[-(ptrdiff_t)at] == key, "object held by word %zu", at);
		// In the heap: inside, with an end beside it that is another object's beginning.
		span_ *s = gort_new(span_);
		gort_store(s->begin, words(key, n));
		gort_store(s->end, s->begin + n);
		gort_store(s->cur, s->end);
		hold(r, NULL);
		while (s->cur > s->begin)
			gort_store(s->cur, s->cur - 1);
		CHECK(*s->cur == key && s->end[-1] == key + n - 1, "span of %zu words", n);
		gort_store(s->begin, (uint64_t *)NULL);
		gort_store(s->cur, s->end - 1 - at);
		hold(r, NULL);
		CHECK(*s->cur == key + n - 1 - at, "object in the heap held from inside");
		step(1);
	}
}

// ---- tiny and large objects --------------------------------------------------------------------------------

static void
tinyworker(rng *r) {
	enum { n = 500 };
	unsigned char **t = gort_alloc(n * sizeof *t, GORT_POINTERS);
	unsigned char size[n] = {0};
	while (more()) {
		for (int k = 0; k < 50; k++) {
			uint32_t i = below(r, n);
			if (t[i] != NULL)
				for (int j = 0; j < size[i]; j++)
					CHECK(t[i][j] == (unsigned char)(i + size[i]),
						"tiny object %u", i);
			size[i] = (unsigned char)(1 + below(r, 15));
			gort_store(t[i], (unsigned char *)gort_alloc(size[i], GORT_NOSCAN));
			fresh(t[i], size[i], "tiny");
			memset(t[i], (int)(i + size[i]), size[i]);
		}
		if (below(r, 500) == 0)
			gort_memzero(t, n * sizeof *t);
		step(1);
	}
}

static void
largeworker(rng *r) {
	enum { n = 6 };
	struct {
		unsigned char *p;
		size_t size;
		unsigned char c;
	} a[n];
	memset(a, 0, sizeof a);
	while (more()) {
		int i = (int)below(r, n);
		if (a[i].p != NULL) {
			for (size_t k = 0; k < a[i].size; k += 1 + below(r, 400))
				CHECK(a[i].p[k] == a[i].c, "large object %p of %zu: byte %zu",
					(void *)a[i].p, a[i].size, k);
			CHECK(a[i].p[a[i].size - 1] == a[i].c, "large object: last byte");
		}
		a[i].size = 30000 + below(r, below(r, 8) == 0 ? 2000000 : 100000);
		a[i].p = NULL; // only now: the new one may take its place
		a[i].p = gort_alloc(a[i].size, GORT_NOSCAN);
		for (size_t k = 0; k < a[i].size; k += 1 + below(r, 64))
			CHECK(a[i].p[k] == 0, "new large object: byte %zu", k);
		a[i].c = (unsigned char)(1 + below(r, 255));
		memset(a[i].p, a[i].c, a[i].size);
		// A copy by libc.
		int j = (int)below(r, n);
		if (a[j].p != NULL && j != i && a[j].size <= a[i].size) {
			memcpy(a[i].p, a[j].p, a[j].size);
			CHECK(a[i].p[a[j].size - 1] == a[j].c, "copied large object");
			memset(a[i].p, a[i].c, a[j].size);
		}
		step(1);
		gort_sleep(below(r, 500) * GORT_US);
	}
}

// ---- loops without calls ----------------------------------------------------------------------------------

// Each of them stands here twice: stopped in place, and (GORT_ASYNC) switched off its thread.
#define INLINE static inline __attribute__((always_inline))

// walk goes round a ring n times; registers alone hold it.
INLINE uint64_t
walk_(const ring *x, int n) {
	uint64_t h = 0;
	for (int i = 0; i < n; i++) {
		const ring *y = x;
		do {
			h = h * 31 + y->key;
			y = y->next;
		} while (y != x);
		POLL();
	}
	return h;
}

// reverse turns a ring over again and again: barriers in a loop without calls.
INLINE ring *
reverse_(ring *x, int n) {
	for (int i = 0; i < n; i++) {
		ring *y = x;
		do {
			ring *next = y->next;
			gort_store(y->next, y->prev);
			gort_store(y->prev, next);
			y = next;
		} while (y != x);
		POLL();
	}
	return x;
}

// rotate passes pointers on from place to place: each object is in the array, or in a register.
INLINE void
rotate_(small **a, uint32_t n, int rounds) {
	for (int i = 0; i < rounds; i++) {
		small *first = a[0];
		gort_store(a[0], (small *)NULL);
		for (uint32_t k = 0; k + 1 < n; k++) {
			small *x = a[k + 1];
			gort_store(a[k + 1], (small *)NULL);
			gort_store(a[k], x);
		}
		gort_store(a[n - 1], first);
		POLL();
	}
}

static NOINLINE uint64_t
walk(const ring *x, int n) {
	return walk_(x, n);
}
static NOINLINE ring *
reverse(ring *x, int n) {
	return reverse_(x, n);
}
static NOINLINE void
rotate(small **a, uint32_t n, int rounds) {
	rotate_(a, n, rounds);
}
GORT_ASYNC static uint64_t
async_walk(const ring *x, int n) {
	return walk_(x, n);
}
GORT_ASYNC static ring *
async_reverse(ring *x, int n) {
	return reverse_(x, n);
}
GORT_ASYNC static void
async_rotate(small **a, uint32_t n, int rounds) {
	rotate_(a, n, rounds);
}

static void
loopworker(rng *r) {
#ifdef STRESS_TSAN
	enum { rounds = 20 };
#else
	enum { rounds = 400 };
#endif
	while (more()) {
		ring *x = ring_new(r);
		gort_store(x->next, x);
		gort_store(x->prev, x);
		for (int i = 0; i < 100; i++)
			ring_insert(x, ring_new(r));
		uint64_t want = walk(x, 1);
		uint64_t all = 0;
		for (int i = 0; i < rounds; i++)
			all = walk(x, 1);
		CHECK(all == want, "walk: %#lx, want %#lx", (unsigned long)all,
			(unsigned long)want);
		bool async = below(r, 2) == 0;
		int n = 2 * (int)below(r, rounds);
		all = async ? async_walk(x, rounds) : walk(x, rounds);
		CHECK(all == (async ? walk(x, rounds) : async_walk(x, rounds)), "walk: differs");
		x = async ? async_reverse(x, n) : reverse(x, n);
		CHECK(walk(x, 1) == want, "reverse lost something");
		const ring *y = x;
		do {
			VERIFY(y, kList, "walked ring");
			y = y->next;
		} while (y != x);

		enum { na = 50 };
		small **a = gort_alloc(na * sizeof *a, GORT_POINTERS);
		for (uint32_t i = 0; i < na; i++)
			gort_store(a[i], small_new(i));
		(async ? async_rotate : rotate)(a, na, rounds);
		for (uint32_t i = 0; i < na; i++) {
			VERIFY(a[i], kSmall, "rotated");
			CHECK(a[i]->key == (i + rounds) % na, "rotate: %lu at %u",
				(unsigned long)a[i]->key, i);
		}
		step(1);
	}
}

// ---- libc on own memory -------------------------------------------------------------------------------------

static int
bynumber(const void *a, const void *b) {
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static void
libcworker(rng *r) {
	while (more()) {
		uint32_t n = 100 + below(r, 5000);
		uint64_t *a = gort_alloc(n * 8, GORT_NOSCAN);
		uint64_t sum = 0;
		for (uint32_t i = 0; i < n; i++)
			sum += a[i] = rnd(r) >> 8;
		qsort(a, n, 8, bynumber);
		for (uint32_t i = 0; i < n; i++) {
			sum -= a[i];
			CHECK(i == 0 || a[i - 1] <= a[i], "qsort");
		}
		CHECK(sum == 0, "qsort lost a number");

		char *text = gort_alloc(20 * n, GORT_NOSCAN), *p = text;
		for (uint32_t i = 0; i < n; i++)
			p += snprintf(p, 20, "%lx,", (unsigned long)a[i] & 0xffffffffffff);
		char *copy = gort_strndup(text, (size_t)(p - text));
		CHECK(memcmp(copy, text, (size_t)(p - text)) == 0, "strndup");
		char *save = NULL;
		uint32_t i = 0;
		for (char *w = strtok_r(copy, ",", &save); w != NULL;
			w = strtok_r(NULL, ",", &save), i++)
			CHECK(strtoul(w, NULL, 16) == (a[i] & 0xffffffffffff),
				"number %u: \"%.20s\"", i, w);
		CHECK(i == n, "%u numbers, want %u", i, n);

		// malloc's memory keeps nothing alive and is nobody's business.
		void *m = malloc(1 + below(r, 10000));
		gort_yield();
		free(m);
		double d = (double)a[0] / 3;
		char b[64];
		snprintf(b, sizeof b, "%.17g", d);
		CHECK(strtod(b, NULL) == d, "printf of a double");
		step(1);
	}
}

// ---- deep stacks ---------------------------------------------------------------------------------------------

static NOINLINE uint64_t
deep(rng *r, int depth, tree *above) {
	// Pointers in the frame and in callee-saved registers.
	tree *own = tree_build(r, 2);
	uint64_t pad[8];
	for (int i = 0; i < 8; i++)
		pad[i] = (uint64_t)depth * 8 + (uint64_t)i;
	uint64_t sum = own != NULL ? own->sum : 5;
	uint64_t below_ = depth > 0 ? deep(r, depth - 1, own) : (gort_yield(), 0);
	__asm__ volatile("" ::"r"(pad) : "memory");
	for (int i = 0; i < 8; i++)
		CHECK(pad[i] == (uint64_t)depth * 8 + (uint64_t)i, "deep: frame %d, word %d", depth,
			i);
	tree_verify(own, "deep");
	tree_verify(above, "deep, above");
	CHECK(sum == (own != NULL ? own->sum : 5), "deep: frame %d", depth);
	return below_ * 3 + sum;
}

static void
deepchild(uint64_t id, int depth, gort_chan(uint64_t) done) {
	rng r = rng_make(id);
	gort_chan_send(done, deep(&r, depth, NULL));
	gort_waitgroup_done(&hwg);
}

static void
deepworker(rng *r) {
#ifdef STRESS_ASAN
	enum { depth = 50 };
#else
	enum { depth = 150 };
#endif
	while (more()) {
		deep(r, (int)below(r, depth), NULL);
		gort_chan(uint64_t) c = gort_chan_make(uint64_t, 0);
		uint64_t id = rnd(r);
		gort_waitgroup_add(&hwg, 2);
		gort_go_stack(GORT_STACK_1M, deepchild, id, 3 * depth, c);
		gort_go_stack(GORT_STACK_8M, deepchild, id, 3 * depth, c);
		uint64_t a = gort_chan_recv(c), b = gort_chan_recv(c);
		// Keys come from the seed; sums are of keys alone.
		CHECK(a == b, "deep: %#lx and %#lx", (unsigned long)a, (unsigned long)b);
		step(1);
	}
}

// ---- calls that block ------------------------------------------------------------------------------------------

typedef struct call {
	uint64_t key, canary;
	uint32_t us;
} call;
GORT_TYPE_NOSCAN(call);

static intptr_t
blocker(void *arg) {
	call *c = arg;
	VERIFY(c, kMsg, "argument of a blocking call");
	if (c->us > 0)
		usleep(c->us);
	VERIFY(c, kMsg, "argument after a blocking call");
	return (intptr_t)c->key;
}

static void
blockworker(rng *r) {
	while (more()) {
		call *c = gort_new(call);
		c->key = rnd(r);
		c->us = below(r, 3) == 0 ? below(r, 2000) : 0;
		c->canary = canary(c, kMsg, c->key);
		tree *t = tree_build(r, 4);
		intptr_t got = gort_blocking(blocker, c);
		tree_verify(t, "held over a blocking call");
		CHECK((uint64_t)got == c->key, "blocking call: result");
		errno = (int)below(r, 100);
		int e = errno;
		gort_yield();
		CHECK(errno == e, "errno %d, want %d", errno, e);
		step(1);
	}
}

// ---- timers ------------------------------------------------------------------------------------------------------

typedef struct alarm_ {
	tree *t;
	gort_chan(tree *) c;
	uint64_t sum;
} alarm_;
GORT_TYPE(alarm_, t, c);

// ring_bell runs in a goroutine of the timer; only the timer held arg.
static void
ring_bell(void *arg) {
	alarm_ *a = arg;
	tree_verify(a->t, "argument of a timer");
	CHECK(a->t->sum == a->sum, "argument of a timer: sum");
	gort_chan_send(a->c, a->t);
}

static void
timerworker(rng *r) {
	enum { n = 8 };
	gort_chan(tree *) c = gort_chan_make(tree *, n);
	while (more()) {
		int due = 0;
		gort_timer *timers[n];
		for (int i = 0; i < n; i++) {
			tree *t = tree_new(r, tree_build(r, 3), NULL);
			alarm_ *a = gort_new_with(alarm_, .t = t, .c = c, .sum = t->sum);
			timers[i] = gort_after_func(below(r, 2000) * GORT_US, ring_bell, a);
			due++;
		}
		for (int i = 0; i < n; i++) {
			if (below(r, 2) == 0)
				continue;
			bool stopped = gort_timer_stop(timers[i]);
			due -= stopped;
			if (stopped && below(r, 2) == 0) {
				CHECK(!gort_timer_reset(timers[i], below(r, 1000) * GORT_US),
					"a stopped timer was to fire");
				due++;
			}
		}
		memset(timers, 0, sizeof timers);
		int64_t begin = gort_now();
		int64_t d = below(r, 1000) * GORT_US;
		gort_sleep(d);
		CHECK(gort_now() - begin >= d, "slept too little");
		for (int i = 0; i < due; i++)
			tree_verify(gort_chan_recv(c), "tree from a timer");
		step(1);
	}
	tree *t;
	bool ok;
	CHECK(!gort_chan_try_recv(c, &t, &ok), "a timer fired twice");
}

// ---- goroutines that begin and end: arguments, deferred calls, panics ------------------------------------------------

static uint32_t deferred; // atomic: deferred calls that ran, of each round

static void
cleanup(tree *t, uint64_t sum, const char *what) {
	tree_verify(t, what);
	CHECK(t->sum == sum, "%s: sum", what);
	__atomic_add_fetch(&deferred, 1, __ATOMIC_RELAXED);
}

static void
recoverer(tree *t, uint64_t sum) {
	cleanup(t, sum, "deferred call of a panic");
	const char *text = gort_recover();
	CHECK(text != NULL && strtoul(text, NULL, 16) == sum, "recovered: %s", text);
}

static void
panics(void *arg) {
	tree *t = arg;
	gort_defer(recoverer, t, t->sum);
	gort_panic("%lx", (unsigned long)t->sum);
}

static void
child(tree *t, uint64_t sum, tree *u, uint64_t usum, int how, gort_chan(tree *) c) {
	gort_defer(gort_waitgroup_done, &hwg);
	CHECK(tree_verify(t, "argument") > 0 && t->sum == sum, "argument: sum");
	CHECK(tree_verify(u, "argument") > 0 && u->sum == usum, "argument: sum");
	gort_defer(cleanup, t, sum, "deferred call");
	if (how % 4 == 0) {
		const char *text = gort_pcall(panics, u);
		CHECK(text != NULL && strtoul(text, NULL, 16) == usum, "pcall: %s", text);
	}
	gort_chan_send(c, how % 2 == 0 ? u : t);
	if (how % 3 == 0)
		gort_goexit();
}

static void
spawnworker(rng *r) {
	enum { n = 10 };
	while (more()) {
		gort_chan(tree *) c = gort_chan_make(tree *, below(r, n + 1));
		for (int i = 0; i < n; i++) {
			tree *t = tree_new(r, tree_build(r, 3), NULL);
			tree *u = tree_new(r, NULL, tree_build(r, 3));
			gort_waitgroup_add(&hwg, 1);
			gort_go_stack(below(r, 4) == 0 ? GORT_STACK_64K : GORT_STACK_DEFAULT, child,
				t, t->sum, u, u->sum, (int)below(r, 12), c);
		}
		for (int i = 0; i < n; i++)
			tree_verify(gort_chan_recv(c), "tree from a child");
		step(1);
	}
}

// ---- another goroutine's stack ----------------------------------------------------------------------------------------

typedef struct loan {
	tree **slot; // on the stack of who asks
	uint64_t id;
	uint32_t sema;
} loan;

static void
lend(loan *l) {
	rng r = rng_make(l->id);
	gort_store(*l->slot, tree_new(&r, tree_build(&r, 3), NULL));
	gort_sema_release(&l->sema);
	gort_waitgroup_done(&hwg);
}

static void
stackworker(rng *r) {
	while (more()) {
		enum { n = 4 };
		tree *slots[n] = {NULL};
		loan loans[n];
		gort_waitgroup_add(&hwg, n);
		for (int i = 0; i < n; i++) {
			loans[i] = (loan){.slot = &slots[i], .id = rnd(r)};
			gort_go(lend, &loans[i]);
		}
		for (int i = 0; i < n; i++) {
			gort_sema_acquire(&loans[i].sema);
			CHECK(slots[i] != NULL, "nothing was lent");
			tree_verify(slots[i], "tree on a foreign stack");
		}
		for (int i = 0; i < n; i++)
			tree_verify(slots[i], "tree on a foreign stack");
		step(1);
	}
}

// ---- a stack without locks: no node is reused while somebody holds it -----------------------------------------------

typedef struct cell {
	struct cell *next;
	tree *t;
	uint64_t sum;
} cell;
GORT_TYPE(cell, next, t);
static cell *top;
static gort_rwmutex publishlock;
static cell *published; // replaced as a whole

static void
casworker(rng *r) {
	int depth = 0;
	while (more()) {
		if (depth < 20 && below(r, 2) == 0) {
			tree *t = tree_build(r, 3);
			cell *c = gort_new(cell);
			gort_store(c->t, t);
			c->sum = t != NULL ? t->sum : 9;
			cell *old;
			do {
				old = __atomic_load_n(&top, __ATOMIC_ACQUIRE);
				gort_store(c->next, old);
			} while (!gort_cas(&top, old, c));
			depth++;
		} else {
			cell *c;
			do {
				c = __atomic_load_n(&top, __ATOMIC_ACQUIRE);
			} while (c != NULL && !gort_cas(&top, c, c->next));
			if (c != NULL) {
				tree_verify(c->t, "popped");
				CHECK(c->sum == (c->t != NULL ? c->t->sum : 9), "popped: sum");
				depth--;
			}
		}
		step(1);
	}
}

static void
publishworker(rng *r) {
	while (more()) {
		if (below(r, 4) == 0) {
			cell *c = NULL;
			for (int i = 0; i < 10; i++) {
				tree *t = tree_build(r, 2);
				c = gort_new_with(
					cell, .next = c, .t = t, .sum = t != NULL ? t->sum : 9);
			}
			gort_rwmutex_lock(&publishlock);
			gort_store(published, c);
			gort_rwmutex_unlock(&publishlock);
		} else {
			gort_rwmutex_rlock(&publishlock);
			cell *c = published;
			gort_rwmutex_runlock(&publishlock);
			int n = 0;
			for (; c != NULL; c = c->next, n++) {
				tree_verify(c->t, "published");
				CHECK(c->sum == (c->t != NULL ? c->t->sum : 9), "published: sum");
			}
			CHECK(n == 0 || n == 10, "published: %d cells", n);
		}
		step(1);
	}
}

// ---- a pool ----------------------------------------------------------------------------------------------------------

typedef struct pooled {
	tree *t;
	uint64_t key, canary;
	uint32_t used; // atomic: somebody has it
} pooled;
GORT_TYPE(pooled, t);

static void *
pooled_new(void) {
	pooled *p = gort_new(pooled);
	fresh(p, sizeof *p, "pooled");
	p->key = gort_goid();
	p->canary = canary(p, kPool, p->key);
	return p;
}
static gort_pool pool = {.New = pooled_new};

static void
poolworker(rng *r) {
	while (more()) {
		enum { n = 10 };
		pooled *p[n];
		int k = 1 + (int)below(r, n);
		for (int i = 0; i < k; i++) {
			p[i] = gort_pool_get(&pool);
			CHECK(__atomic_exchange_n(&p[i]->used, 1, __ATOMIC_ACQUIRE) == 0,
				"pool: the object is in use");
			VERIFY(p[i], kPool, "pool");
			tree_verify(p[i]->t, "pool");
			gort_store(p[i]->t, tree_build(r, 3));
		}
		if (below(r, 4) == 0)
			gort_yield();
		for (int i = 0; i < k; i++) {
			VERIFY(p[i], kPool, "pool");
			__atomic_store_n(&p[i]->used, 0, __ATOMIC_RELEASE);
			if (below(r, 8) != 0)
				gort_pool_put(&pool, p[i]);
		}
		step(1);
	}
}

// ---- the program -------------------------------------------------------------------------------------------------------

typedef struct kind {
	const char *name;
	void (*f)(rng *);
} kind;
static const kind kinds[] = {
	{"tree", treeworker},
	{"ring", ringworker},
	{"map", mapworker},
	{"chan", chanworker},
	{"pipe", pipeworker},
	{"sort", sortworker},
	{"end", endworker},
	{"tiny", tinyworker},
	{"large", largeworker},
	{"loop", loopworker},
	{"libc", libcworker},
	{"deep", deepworker},
	{"block", blockworker},
	{"timer", timerworker},
	{"spawn", spawnworker},
	{"stack", stackworker},
	{"cas", casworker},
	{"publish", publishworker},
	{"pool", poolworker},
};
enum { nkinds = sizeof kinds / sizeof *kinds };

static void
work(const kind *k, uint64_t id) {
	rng r = rng_make(id);
	k->f(&r);
	gort_waitgroup_done(&wg);
}

static uint32_t quiet; // atomic: the forcer is to end
static uint64_t forced;

// forcer collects at random times, changes GOGC, and stops the world for other reasons.
static void
forcer(uint64_t id) {
	static const int percents[] = {5, 20, 50, 100, 400};
	rng r = rng_make(id);
	int procs = gort_gomaxprocs(0);
	while (__atomic_load_n(&quiet, __ATOMIC_RELAXED) == 0) {
		gort_memstats m;
		switch (below(&r, 16)) {
		case 0:
			gort_set_gc_percent(percents[below(&r, 5)]);
			break;
		case 1:
			gort_read_memstats(&m);
			break;
		case 2:
			if (below(&r, 10) == 0)
				gort_free_os_memory();
			break;
		case 3:
			if (below(&r, 10) == 0)
				gort_gomaxprocs(1 + (int)below(&r, 2 * (uint32_t)procs));
			break;
		default:
			gort_gc();
			forced++;
		}
		gort_sleep(below(&r, 20) * GORT_MS / 4);
	}
	gort_gomaxprocs(procs);
	gort_set_gc_percent(100);
	gort_waitgroup_done(&hwg);
}

// live returns the bytes and the objects that collections do not free.
static NOINLINE uint64_t
live(uint64_t *objects) {
	// Some for the victims of pools and for what a stopped timer held.
	for (int i = 0; i < 3; i++)
		gort_gc();
	gort_memstats m;
	gort_read_memstats(&m);
	*objects = m.HeapObjects;
	return m.HeapAlloc;
}

// clean forgets everything that the workers left in globals.
static NOINLINE void
clean(void) {
	for (int i = 0; i < nglobals; i++) {
		tree_verify(globals[i], "tree left in a global");
		gort_store(globals[i], (tree *)NULL);
	}
	for (int i = 0; i < nrings; i++) {
		if (rings[i].head != NULL)
			ring_verify(&rings[i]);
		gort_store(rings[i].head, (ring *)NULL);
	}
	if (sharedmap != NULL)
		map_verify(sharedmap);
	gort_store(sharedmap, (map *)NULL);
	for (int i = 0; i < nchans; i++) {
		tree *t;
		msg m;
		bool ok;
		while (treechans[i] != NULL && gort_chan_try_recv(treechans[i], &t, &ok))
			tree_verify(t, "tree left in a channel");
		while (msgchans[i] != NULL && gort_chan_try_recv(msgchans[i], &m, &ok))
			msg_verify(&m, "message left in a channel");
		gort_store(treechans[i], (gort_chan(tree *))NULL);
		gort_store(msgchans[i], (gort_chan(msg))NULL);
		gort_store(typedchans[i], (gort_chan(msg))NULL);
	}
	gort_store(closing, (gort_chan(void *))NULL);
	for (cell *c = top; c != NULL; c = c->next)
		tree_verify(c->t, "left on the stack");
	gort_store(top, (cell *)NULL);
	gort_store(published, (cell *)NULL);
	step(1);
}

static NOINLINE void
round_(uint64_t no, double seconds, int argc, char **argv) {
	for (uint32_t i = 0; i < nchans; i++) {
		gort_store(treechans[i], gort_chan_make(tree *, i));
		gort_store(msgchans[i], gort_chan_make(msg, i));
		gort_store(typedchans[i], gort_chan_make_typed(msg, i));
	}
	gort_store(closing, gort_chan_make(void *, 0));
	roundend = gort_now() + (int64_t)(seconds * 1e9);
	__atomic_store_n(&quiet, 0, __ATOMIC_RELAXED);
	gort_waitgroup_add(&hwg, 1);
	gort_go(forcer, no);
	for (int k = 0; k < nkinds; k++) {
		bool want = argc <= 3;
		for (int i = 3; i < argc; i++)
			want |= strcmp(argv[i], kinds[k].name) == 0;
		for (uint64_t i = 0; want && i < workers; i++) {
			gort_waitgroup_add(&wg, 1);
			gort_go(work, &kinds[k], no << 16 | (uint64_t)k << 8 | i);
		}
	}
	gort_sleep((int64_t)(seconds * 1e9));
	gort_chan_close(closing);
	gort_waitgroup_wait(&wg);
	__atomic_store_n(&quiet, 1, __ATOMIC_RELAXED);
	gort_waitgroup_wait(&hwg);
}

static int
app(int argc, char **argv) {
	for (int i = 3; i < argc; i++) {
		bool known = false;
		for (int k = 0; k < nkinds; k++)
			known |= strcmp(argv[i], kinds[k].name) == 0;
		if (!known) {
			fprintf(stderr, "torture: no kind \"%s\"\n", argv[i]);
			return 2;
		}
	}
	int64_t end = gort_now() + (int64_t)(stress_seconds * 1e9);
	uint64_t objects, most = 0, mostobjects = 0;
	uint64_t floor = live(&objects), floorobjects = objects;
	// the buffers for the CPU samples of a trace are on the heap, 1.2 MB each, and stay until the next
	uint64_t traces = getenv("STRESS_TRACE") != NULL ? 8 << 20 : 0;
	int goroutines = gort_num_goroutine();
	uint64_t n = 0;
	do {
		double left = (double)(end - gort_now()) / 1e9;
		round_(++n, left > 6 ? 4 : left > 0.5 ? left : 0.5, argc, argv);
		clean();
		// Timers and goroutines that are just about to end.
		for (int i = 0; i < 1000 && gort_num_goroutine() > goroutines; i++)
			gort_sleep(GORT_MS);
		CHECK(gort_num_goroutine() == goroutines, "%d goroutines are left, %d began",
			gort_num_goroutine(), goroutines);
		uint64_t bytes = live(&objects);
		CHECK(bytes <= floor + slack + traces,
			"leak: after round %lu %lu bytes in %lu objects live, %lu in %lu before",
			(unsigned long)n, (unsigned long)bytes, (unsigned long)objects,
			(unsigned long)floor, (unsigned long)floorobjects);
		most = bytes > most ? bytes : most;
		mostobjects = objects > mostobjects ? objects : mostobjects;
	} while (gort_now() < end);
	gort_memstats m;
	gort_read_memstats(&m);
	printf("torture: ok: %lu rounds, %lu steps, %u collections (%lu forced), %lu MB allocated; "
	       "live at most %lu KB in %lu objects after a round, %lu KB in %lu before\n",
		(unsigned long)n, (unsigned long)steps(), m.NumGC, (unsigned long)forced,
		(unsigned long)(m.TotalAlloc >> 20), (unsigned long)(most >> 10),
		(unsigned long)mostobjects, (unsigned long)(floor >> 10),
		(unsigned long)floorobjects);
	return 0;
}

int
main(int argc, char **argv) {
	return stress_main("torture", app, argc, argv);
}
