// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Source lines, from DWARF line tables.  See symtab_line.c.
#ifndef GORT_SCHED_SYMTAB_LINE_H
#define GORT_SCHED_SYMTAB_LINE_H

#include "runtime/runtime.h"

// lineSection is one section of a mapped file.
typedef struct lineSection {
	const uint8_t *p; // NULL: there is none
	uintptr_t n;
} lineSection;

// lineSections is what the line table of an object consists of.
typedef struct lineSections {
	lineSection line;    // .debug_line
	lineSection linestr; // .debug_line_str
	lineSection str;     // .debug_str
	uint32_t indexed;    // atomic: 0 not yet, 1 being made, 2 done, 3 there is no room
	uint32_t unit0;      // its first unit in the index
	uint32_t nunits;
} lineSections;

// lineSections_find fills l from an ELF file.
void lineSections_find(lineSections *l, const uint8_t *file, uintptr_t n);
// lineSections_lookup finds the line of the address addr (of the file, not in memory) and writes
// the file's name to buf.
bool lineSections_lookup(lineSections *l, uintptr_t addr, char *buf, int n, int *line);

#endif
