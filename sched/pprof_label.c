// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Labels of profiles.  Ports proflabel.go and runtime/pprof's label.go and runtime.go of Go 1.26.8.
//
// A set of labels is sorted by key and never changes.  A goroutine has a pointer to one, from which the
// profiler's signal handler copies it; a new goroutine inherits it.
//
// PORT: Go hands the set on in a context, and SetGoroutineLabels copies it from there.  Here the
// goroutine's own set is the context.
#include "sched/pprof.h"

#include "runtime/malloc.h"
#include "runtime/mbarrier.h"
#include "runtime/panic.h"
#include "sched/runtime2.h"

// runtime_setProfLabel gives the goroutine labels.
static void
runtime_setProfLabel(const struct gort_labels *labels) {
	wbstore(&getg()->labels, labels);
}

static const struct gort_labels *
runtime_getProfLabel(void) {
	return getg()->labels;
}

// labelSet_new makes a set of the n labels in list, which are sorted; their strings are copied.
static struct gort_labels *
labelSet_new(const label *list, int n) {
	if (n == 0) {
		return NULL;
	}
	uintptr_t size = sizeof(struct gort_labels) + (uintptr_t)n * sizeof(label);
	for (int i = 0; i < n; i++) {
		size += strlen(list[i].key) + strlen(list[i].value) + 2;
	}
	// The pointers in it are to itself: the collector need not see them.
	struct gort_labels *l = mallocgc(size, NULL, true);
	char *p = (char *)&l->list[n];
	l->n = n;
	for (int i = 0; i < n; i++) {
		const char *s[] = {list[i].key, list[i].value};
		const char **to[] = {&l->list[i].key, &l->list[i].value};
		for (int k = 0; k < 2; k++) {
			uintptr_t len = strlen(s[k]) + 1;
			memcpy(p, s[k], len);
			*to[k] = p;
			p += len;
		}
	}
	return l;
}

// mergeLabelSets puts right, unsorted, over left: the last value of a key counts.
static struct gort_labels *
mergeLabelSets(const struct gort_labels *left, const label *right, int nright) {
	int n = left == NULL ? 0 : left->n;
	uintptr_t size = (uintptr_t)(n + nright) * sizeof(label);
	// A block of the heap: the strings of left are kept alive by left.
	label *list = mallocgc(max(size, sizeof(label)), &gort_type_pointer, true);
	for (int i = 0; i < n; i++) {
		list[i] = left->list[i];
	}
	for (int r = 0; r < nright; r++) {
		int i = 0;
		while (i < n && strcmp(list[i].key, right[r].key) < 0) {
			i++;
		}
		if (i == n || strcmp(list[i].key, right[r].key) != 0) {
			memmove(&list[i + 1], &list[i], (uintptr_t)(n - i) * sizeof(label));
			n++;
		}
		list[i] = right[r];
	}
	return labelSet_new(list, n);
}

enum { maxLabelArgs = 32 };

struct gort_labels *
gort_pprof_labels(const struct gort_labels *base, ...) {
	needg();
	label list[maxLabelArgs];
	int n = 0;
	struct gort_labels *l = NULL;
	va_list ap;
	va_start(ap, base);
	for (;;) {
		const char *key = va_arg(ap, const char *);
		if (key == NULL || n == maxLabelArgs) {
			l = mergeLabelSets(base, list, n);
			base = l;
			n = 0;
		}
		if (key == NULL) {
			break;
		}
		const char *value = va_arg(ap, const char *);
		if (value == NULL) {
			gopanic("uneven number of arguments to pprof.Labels");
		}
		list[n++] = (label){key, value};
	}
	va_end(ap);
	return l;
}

const char *
gort_pprof_label(const struct gort_labels *labels, const char *key) {
	for (int i = 0; labels != NULL && i < labels->n; i++) {
		if (strcmp(labels->list[i].key, key) == 0) {
			return labels->list[i].value;
		}
	}
	return NULL;
}

void
gort_set_goroutine_labels(const struct gort_labels *labels) {
	needg();
	runtime_setProfLabel(labels);
}

const struct gort_labels *
gort_goroutine_labels(void) {
	needg();
	return runtime_getProfLabel();
}

// do_restore ends gort_pprof_do.
static void
do_restore(const struct gort_labels *labels) {
	runtime_setProfLabel(labels);
}

void
gort_pprof_do(const struct gort_labels *labels, void (*f)(void *arg), void *arg) {
	needg();
	const struct gort_labels *old = runtime_getProfLabel();
	gort_deferred d = {.call = {.fn = (void *)(uintptr_t)do_restore}};
	d.call.gpr[0] = (uint64_t)(uintptr_t)old;
	gort_defer_push(&d);
	if (labels != NULL) {
		runtime_setProfLabel(mergeLabelSets(old, labels->list, labels->n));
	}
	f(arg);
	gort_defer_pop(&d);
}
