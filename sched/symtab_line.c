// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Source lines for tracebacks: a reader of DWARF line tables (versions 2 to 5) without memory, locks
// or libc.  Only in gort: Go's linker makes tables of its own.
//
// A line table is, for each compilation unit, a program of a small machine that emits rows
// {address, file, line}.  A lookup has to run it.  The first one runs all units of the object and
// notes the range of each in an index, so that later ones run a unit or two.  Compressed sections
// are not read.
#include "sched/symtab_line.h"

enum { maxLineUnits = 4096 };

// lineUnit is an entry of the index: unit at off has rows within [lo, hi).
typedef struct lineUnit {
	uintptr_t off;
	uintptr_t lo;
	uintptr_t hi;
} lineUnit;

static lineUnit lineUnits[maxLineUnits];
static uint32_t nlineUnits; // atomic; reserved in pieces

// lineHeader is the header of a unit.
typedef struct lineHeader {
	unsigned version;
	unsigned offsize; // 4 or 8
	uint8_t mininst;
	int8_t linebase;
	uint8_t linerange;
	uint8_t opcodebase;
	const uint8_t *oplens; // of the standard opcodes, from 1
	reader tables;         // directories and files
	reader program;
} lineHeader;

// lineHeader_read reads the header of the unit at *off and moves *off to the next unit.
static bool
lineHeader_read(const dwarfSections *l, uintptr_t *off, lineHeader *h) {
	reader r = {l->line.p + *off, l->line.p + l->line.n, false};
	memset(h, 0, sizeof *h);
	uint64_t len = read_length(&r, &h->offsize);
	if (r.bad || len > (uint64_t)(r.end - r.p)) {
		*off = l->line.n;
		return false;
	}
	r.end = r.p + len;
	*off = (uintptr_t)(r.end - l->line.p);
	h->version = (unsigned)read_fixed(&r, 2);
	if (h->version < 2 || h->version > 5)
		return false;
	if (h->version == 5)
		read_fixed(&r, 2); // sizes of addresses and segment selectors
	uint64_t hlen = read_fixed(&r, h->offsize);
	if (hlen > (uint64_t)(r.end - r.p))
		return false;
	h->program = (reader){r.p + hlen, r.end, false};
	h->mininst = (uint8_t)read_fixed(&r, 1);
	if (h->version >= 4)
		read_fixed(&r, 1); // operations per instruction: 1
	read_fixed(&r, 1);         // default of is_stmt
	h->linebase = (int8_t)read_fixed(&r, 1);
	h->linerange = (uint8_t)read_fixed(&r, 1);
	h->opcodebase = (uint8_t)read_fixed(&r, 1);
	h->oplens = r.p;
	for (unsigned i = 1; i < h->opcodebase; i++)
		read_fixed(&r, 1);
	h->tables = (reader){r.p, h->program.p, false};
	return !r.bad && h->linerange != 0;
}

// ---- names of files -------------------------------------------------------------------------------------------

// table5 reads entry want of a version 5 table of directories or files; r stands at the table and
// is left behind it.  *dir is the entry's directory.
static const char *
table5(const dwarfSections *l, const lineHeader *h, reader *r, uint64_t want, uint64_t *dir) {
	enum { DW_LNCT_path = 1, DW_LNCT_directory_index = 2 };
	uint16_t formats[8][2];
	unsigned nf = (unsigned)read_fixed(r, 1);
	if (nf > 8)
		r->bad = true;
	for (unsigned i = 0; i < nf && !r->bad; i++) {
		formats[i][0] = (uint16_t)read_uleb(r);
		formats[i][1] = (uint16_t)read_uleb(r);
	}
	uint64_t n = read_uleb(r);
	const char *name = "";
	for (uint64_t k = 0; k < n && !r->bad; k++) {
		for (unsigned i = 0; i < nf; i++) {
			const char *s = NULL;
			uint64_t v = form_read(r, h->offsize, formats[i][1], 0, &s);
			if (k == want && formats[i][0] == DW_LNCT_path)
				name = form_string(l, formats[i][1], v, s);
			if (k == want && formats[i][0] == DW_LNCT_directory_index)
				*dir = v;
		}
	}
	return name != NULL ? name : "";
}

// file_name writes the name of a file of the unit.  compdir, or NULL, is for versions whose tables
// do not have it.
static bool
file_name(const dwarfSections *l, const lineHeader *h, const char *compdir, uint64_t file,
	char *buf, int n) {
	const char *dirname = "";
	const char *name = "";
	uint64_t dir = 0;
	uint64_t unused = 0;
	if (h->version == 5) {
		reader dirs = h->tables;
		reader r = h->tables;
		table5(l, h, &r, ~(uint64_t)0, &unused);
		name = table5(l, h, &r, file, &dir);
		r = dirs;
		dirname = table5(l, h, &r, dir, &unused);
		r = dirs;
		compdir = table5(l, h, &r, 0, &unused);
		if (r.bad)
			return false;
	} else {
		reader r = h->tables;
		reader dirs = r;
		while (!r.bad && *read_string(&r) != 0)
			;
		for (uint64_t k = 1; !r.bad; k++) {
			const char *s = read_string(&r);
			if (*s == 0)
				break;
			uint64_t d = read_uleb(&r);
			read_uleb(&r);
			read_uleb(&r);
			if (k == file) {
				name = s;
				dir = d;
				break;
			}
		}
		for (uint64_t k = 1; k <= dir && !dirs.bad; k++)
			dirname = read_string(&dirs);
	}
	if (*name == 0)
		return false;
	if (compdir == NULL)
		compdir = "";
	bool abs = *name == '/' || *dirname == '/';
	snprint(buf, (size_t)n, "%s%s%s%s%s", abs ? "" : compdir, abs || *compdir == 0 ? "" : "/",
		*name == '/' ? "" : dirname, *name == '/' || *dirname == 0 ? "" : "/", name);
	return true;
}

// ---- the machine -----------------------------------------------------------------------------------------------

// unit_run runs a unit.  With u it notes the range of addresses; else it looks for addr and, if a
// row covers it, returns true with *file and *line.
static bool
unit_run(const lineHeader *h, lineUnit *u, uintptr_t addr, uint64_t *file, int *line) {
	reader r = h->program;
	uintptr_t a = 0;
	uint64_t f = 1;
	int64_t ln = 1;
	bool prev = false; // a row of this sequence was emitted
	uintptr_t prevaddr = 0;
	uint64_t prevfile = 0;
	int64_t prevline = 0;
	while (r.p < r.end && !r.bad) {
		unsigned op = (unsigned)read_fixed(&r, 1);
		bool row = false;
		bool end = false;
		if (op >= h->opcodebase) {
			op -= h->opcodebase;
			a += (uintptr_t)(op / h->linerange) * h->mininst;
			ln += h->linebase + (int)(op % h->linerange);
			row = true;
		} else if (op == 0) {
			uint64_t len = read_uleb(&r);
			if (len == 0 || len > (uint64_t)(r.end - r.p))
				return false;
			const uint8_t *next = r.p + len;
			switch (read_fixed(&r, 1)) {
			case 1:
				row = end = true;
				break;
			case 2:
				a = (uintptr_t)read_fixed(
					&r, len - 1 <= 8 ? (unsigned)(len - 1) : 8);
				break;
			}
			r.p = next;
		} else {
			switch (op) {
			case 1: // copy
				row = true;
				break;
			case 2: // advance_pc
				a += (uintptr_t)read_uleb(&r) * h->mininst;
				break;
			case 3: // advance_line
				ln += read_sleb(&r);
				break;
			case 4: // set_file
				f = read_uleb(&r);
				break;
			case 8: // const_add_pc
				a += (uintptr_t)((255u - h->opcodebase) / h->linerange) *
				     h->mininst;
				break;
			case 9: // fixed_advance_pc
				a += (uintptr_t)read_fixed(&r, 2);
				break;
			default:
				for (unsigned i = 0; i < h->oplens[op - 1]; i++)
					read_uleb(&r);
				break;
			}
		}
		if (!row)
			continue;
		if (u != NULL) {
			// Sequences at 0 are of functions that the linker dropped.
			if (a != 0 && (!prev || prevaddr != 0)) {
				u->lo = min(u->lo, prev ? prevaddr : a);
				u->hi = max(u->hi, a);
			}
		} else if (prev && prevaddr <= addr && addr < a && prevaddr != 0) {
			*file = prevfile;
			*line = (int)prevline;
			return true;
		}
		prev = !end;
		prevaddr = a;
		prevfile = f;
		prevline = ln;
		if (end) {
			a = 0;
			f = 1;
			ln = 1;
		}
	}
	return false;
}

// unit_lookup looks for addr in the unit at off.
static bool
unit_lookup(const dwarfSections *l, lineTable at, uintptr_t addr, char *buf, int n, int *line) {
	lineHeader h;
	uint64_t file;
	return lineHeader_read(l, &at.off, &h) && unit_run(&h, NULL, addr, &file, line) &&
	       file_name(l, &h, at.compdir, file, buf, n);
}

// lines_index makes the index.
static void
lines_index(dwarfSections *l) {
	uint32_t n = 0;
	lineHeader h;
	for (uintptr_t off = 0; off < l->line.n; n++)
		lineHeader_read(l, &off, &h);
	uint32_t first = atomic_Xadd(&nlineUnits, n) - n;
	if (first + n > maxLineUnits || first + n < first) {
		atomic_Xadd(&nlineUnits, -n);
		atomic_Store(&l->lineindexed, 3);
		return;
	}
	l->unit0 = first;
	l->nunits = n;
	uint32_t i = 0;
	for (uintptr_t off = 0; off < l->line.n && i < n; i++) {
		lineUnit *u = &lineUnits[first + i];
		u->off = off;
		u->lo = ~(uintptr_t)0;
		u->hi = 0;
		if (lineHeader_read(l, &off, &h))
			unit_run(&h, u, 0, NULL, NULL);
	}
	atomic_Store(&l->lineindexed, 2);
}

// lines_lookup: any context.
bool
lines_lookup(dwarfSections *l, lineTable at, uintptr_t addr, char *buf, int n, int *line) {
	if (l->line.p == NULL)
		return false;
	if (at.off < l->line.n)
		return unit_lookup(l, at, addr, buf, n, line);
	if (atomic_Cas(&l->lineindexed, 0, 1))
		lines_index(l);
	if (atomic_LoadAcq(&l->lineindexed) == 2) {
		for (uint32_t i = l->unit0; i < l->unit0 + l->nunits; i++) {
			const lineUnit *u = &lineUnits[i];
			if (u->lo <= addr && addr < u->hi &&
				unit_lookup(l, (lineTable){u->off, NULL}, addr, buf, n, line))
				return true;
		}
		return false;
	}
	lineHeader h;
	for (uintptr_t off = 0, next = 0; off < l->line.n; off = next) {
		lineHeader_read(l, &next, &h);
		if (unit_lookup(l, (lineTable){off, NULL}, addr, buf, n, line))
			return true;
	}
	return false;
}

// lines_file: any context.
bool
lines_file(const dwarfSections *l, lineTable at, uint64_t file, char *buf, int n) {
	lineHeader h;
	return at.off < l->line.n && lineHeader_read(l, &at.off, &h) &&
	       file_name(l, &h, at.compdir, file, buf, n);
}
