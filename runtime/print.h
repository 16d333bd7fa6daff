// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// What print.c offers beyond runtime.h.
#ifndef GORT_RUNTIME_PRINT_H
#define GORT_RUNTIME_PRINT_H

#include "runtime/runtime.h"

extern mutex debuglock; // held by print; nests by M through printlock

// gwrite writes n bytes to standard error.
void gwrite(const char *b, uintptr_t n);
// printindented prints the text of a panic.
void printindented(const char *s);
// fmtfloat writes the shortest text that reads back as v and returns its length.
int fmtfloat(char buf[static 32], double v);

// printquoted prints s, in UTF-8, in quotes, with escapes for what is not printable ASCII.
void printquoted(const char *s);

#endif
