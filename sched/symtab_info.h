// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Inlined calls, from DWARF.  See symtab_info.c.
#ifndef GORT_SCHED_SYMTAB_INFO_H
#define GORT_SCHED_SYMTAB_INFO_H

#include "sched/symtab_dwarf.h"

// inlineSite is a call that the compiler inlined.
typedef struct inlineSite {
	uintptr_t pc; // address of the file that stands for the call: no other site has it
	const char *name;
	bool linkage; // name is what the assembler saw
	uint64_t callfile;
	int callline;
} inlineSite;

// info_lookup finds the inlined calls that addr (of the file) is in, outermost first, and returns their
// number; of more than nsites, the outermost.  *at is the line table of addr's unit.
int info_lookup(dwarfSections *d, uintptr_t addr, lineTable *at, inlineSite *sites, int nsites);

#endif
