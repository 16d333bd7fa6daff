// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// A shared object with globals and barriers of its own; see main.c.
#include "dso.h"

static node *keeper;
static node *many[1000]; // not in the same page

static const uint32_t *
flag(void) {
	return &gort_writeBarrier;
}

static bool
flagseen(void) {
	return *(const volatile uint32_t *)&gort_writeBarrier != 0;
}

static void
keep(node *n) {
	gort_store(keeper, n);
	gort_store(many[999], n);
}

static node *
kept(void) {
	return keeper == many[999] ? keeper : NULL;
}

static void
swap(node **slot, node *n) {
	gort_store(*slot, n);
}

static void
setfirst(node *head, node *n) {
	gort_store(head->next, n);
}

static const dsofuncs funcs = {flag, flagseen, keep, kept, swap, setfirst};

const dsofuncs *
dso(void) {
	return &funcs;
}
