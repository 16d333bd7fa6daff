// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Source lines, from DWARF line tables.  See symtab_line.c.
#ifndef GORT_SCHED_SYMTAB_LINE_H
#define GORT_SCHED_SYMTAB_LINE_H

#include "sched/symtab_dwarf.h"

// lines_lookup finds the line of the address addr (of the file, not in memory) and writes the file's
// name to buf.  It looks in the table at only, if that is known.
bool lines_lookup(dwarfSections *l, lineTable at, uintptr_t addr, char *buf, int n, int *line);
// lines_file writes the name of a file of the table.
bool lines_file(const dwarfSections *l, lineTable at, uint64_t file, char *buf, int n);

#endif
