// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// A program that tests/link.sh links in every way there is: it and a shared object have to see the one
// barrier flag, their barriers have to work however the code was placed, and their globals are roots.
//
//	main [LIBRARY]	with LIBRARY, it is loaded while the program runs
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "dso.h"

static int failed;

#define CHECK(cond)                                                       \
	do {                                                              \
		if (!(cond)) {                                            \
			printf("%s:%d: %s\n", __func__, __LINE__, #cond); \
			failed++;                                         \
		}                                                         \
	} while (0)

static const dsofuncs *lib;
static const char *libname;
static volatile int stop;
static node *global;
static node *array[3000];
static gort_waitgroup wg;

static __attribute__((noinline)) node *new (void) {
	node *n = gort_new(node);
	n->magic = magic;
	return n;
}

static __attribute__((noinline)) void
scrub(void) {
	char b[8192];
	memset(b, 0, sizeof b);
	__asm__ volatile("" : : "r"(b) : "memory");
}

// watch waits until the flag is up, as seen by whom.
static void
watch(bool (*seen)(void)) {
	while (!seen() && !stop)
		gort_poll();
	CHECK(!stop);
	gort_waitgroup_done(&wg);
}

static bool
seen_here(void) {
	return *(const volatile uint32_t *)&gort_writeBarrier != 0;
}

static void
flags(void) {
	int n = lib != NULL ? 2 : 1;
	gort_waitgroup_add(&wg, n);
	gort_go(watch, seen_here);
	if (lib != NULL) {
		gort_go(watch, lib->flagseen);
		CHECK(lib->flag() == &gort_writeBarrier);
	}
	for (int i = 0; i < 2000; i++) {
		gort_gc();
		if (__atomic_load_n(&wg.state, __ATOMIC_SEQ_CST) == 0)
			break;
	}
	stop = 1;
	gort_waitgroup_wait(&wg);
	stop = 0;
}

// shuffle moves the nodes of a ring of slots, of which each always has one, with barriers only.
static void
shuffle(node *head, int k) {
	node *slots[8];
	for (int i = 0; i < 8; i++)
		slots[i] = NULL;
	while (!stop) {
		node *n = new ();
		switch (k) {
		case 0:
			gort_store(head->next, n);
			break;
		case 1:
			lib->setfirst(head, n);
			break;
		case 2:
			gort_store(array[2999], n);
			gort_store(head->next, array[2999]);
			break;
		case 3:
			lib->swap(&array[1500], n);
			gort_store(head->next, array[1500]);
			break;
		}
		CHECK(head->next->magic == magic);
		node *m = head->next;
		gort_store(head->next, NULL);
		scrub();
		CHECK(m->magic == magic);
		gort_store(head->next, m);
	}
	gort_waitgroup_done(&wg);
}

static void
barriers(void) {
	stop = 0;
	for (int k = 0; k < 4; k++) {
		if (lib == NULL && k % 2 == 1)
			continue;
		gort_waitgroup_add(&wg, 1);
		gort_go(shuffle, new (), k);
	}
	for (int i = 0; i < 15; i++)
		gort_gc();
	stop = 1;
	gort_waitgroup_wait(&wg);
}

static __attribute__((noinline)) void
fill(void) {
	gort_store(global, new ());
	for (int i = 0; i < 3000; i++)
		gort_store(array[i], new ());
	if (lib != NULL)
		lib->keep(new ());
}

static void
roots(void) {
	fill();
	scrub();
	gort_gc();
	gort_gc();
	CHECK(global->magic == magic);
	for (int i = 0; i < 3000; i++)
		CHECK(array[i]->magic == magic);
	if (lib != NULL)
		CHECK(lib->kept() != NULL && lib->kept()->magic == magic);
}

static int
app(int argc, char **argv) {
	gort_gomaxprocs(2);
#ifndef NO_DLOPEN
	if (libname != NULL) {
		gort_gc();
		void *h = dlopen(libname, RTLD_NOW);
		if (h == NULL) {
			printf("%s\n", dlerror());
			return 3;
		}
		const dsofuncs *(*f)(void) = (const dsofuncs *(*)(void))dlsym(h, "dso");
		lib = f();
	}
#endif
	flags();
	barriers();
	roots();
#ifndef NO_DLOPEN
	// Its globals go on to be roots, so it cannot be unloaded.
	if (libname != NULL) {
		void *h = dlopen(libname, RTLD_NOW);
		dlclose(h);
		dlclose(h);
		gort_gc();
		CHECK(lib->kept() != NULL && lib->kept()->magic == magic);
	}
#endif
	return failed != 0;
}

int
main(int argc, char **argv) {
	setenv("GODEBUG", "clobberfree=1", 0);
	if (argc > 1)
		libname = argv[1];
#ifdef LINKED_DSO
	lib = dso();
#endif
	return gort_run(app, argc, argv);
}
