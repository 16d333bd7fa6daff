// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Strings on the heap.  The part of string.go that a C program has a use for.

#include <stdio.h>

#include "runtime/malloc.h"
#include "sched/runtime2.h"

// ---- the public interface: gort.h ---------------------------------------------------------------

// copyString allocates n bytes and a 0, without pointers.
static char *
copyString(const char *s, size_t n) {
	if (n >= maxAlloc) {
		gopanic("runtime: allocation size out of range");
	}
	char *p = mallocgc(n + 1, NULL, false);
	memcpy(p, s, n);
	p[n] = 0;
	return p;
}

char *
gort_strdup(const char *s) {
	return copyString(s, strlen(s));
}

char *
gort_strndup(const char *s, size_t n) {
	return copyString(s, strnlen(s, n));
}

char *
gort_asprintf(const char *fmt, ...) {
	// The goroutine must not be stopped inside of libc: its locks would stay taken.
	char small[256];
	va_list ap;
	va_start(ap, fmt);
	M *mp = acquirem();
	int n = vsnprintf(small, sizeof small, fmt, ap);
	releasem(mp);
	va_end(ap);
	if (n < 0) {
		gopanic("runtime: gort_asprintf: bad format or value");
	}
	if ((size_t)n < sizeof small) {
		return copyString(small, (size_t)n);
	}
	char *p = mallocgc((size_t)n + 1, NULL, false);
	va_start(ap, fmt);
	mp = acquirem();
	int again = vsnprintf(p, (size_t)n + 1, fmt, ap);
	releasem(mp);
	va_end(ap);
	if (again != n) {
		gopanic("runtime: gort_asprintf: a value changed meanwhile");
	}
	return p;
}
