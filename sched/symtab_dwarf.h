// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// DWARF in a mapped file: the sections that symtab reads, and a cursor that reads them.
#ifndef GORT_SCHED_SYMTAB_DWARF_H
#define GORT_SCHED_SYMTAB_DWARF_H

#include "runtime/runtime.h"

// dwarfSection is one section of a mapped file.
typedef struct dwarfSection {
	const uint8_t *p; // NULL: there is none
	uintptr_t n;
} dwarfSection;

typedef struct dwarfUnit dwarfUnit;

// lineTable says where the lines of a unit are.
typedef struct lineTable {
	uintptr_t off;       // ~0: not known
	const char *compdir; // what its file names are relative to; NULL: not known
} lineTable;

// dwarfSections is what is known of an object.  The indices are made when they are first needed:
// 0 not yet, 1 being made, 2 done, 3 cannot be made.
typedef struct dwarfSections {
	dwarfSection line;    // .debug_line
	dwarfSection linestr; // .debug_line_str
	dwarfSection str;     // .debug_str
	dwarfSection info;    // .debug_info
	dwarfSection abbrev;  // .debug_abbrev
	dwarfSection addr;    // .debug_addr
	dwarfSection stroffs; // .debug_str_offsets
	dwarfSection ranges;  // .debug_ranges, before version 5
	dwarfSection rnglists;

	uint32_t lineindexed; // atomic
	uint32_t unit0;       // its first unit in the index of lines
	uint32_t nunits;

	uint32_t infoindexed; // atomic
	dwarfUnit *units;     // of .debug_info, by offset
	uint32_t ninfo;
} dwarfSections;

// dwarfSections_find fills d from an ELF file whose section headers were checked.  What is compressed
// counts as missing.
void dwarfSections_find(dwarfSections *d, const uint8_t *file, uintptr_t n);

// reader is a cursor that never leaves its bounds: past the end it reads zeros and sets bad.
typedef struct reader {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
} reader;

static inline uint64_t
read_fixed(reader *r, unsigned n) {
	uint64_t v = 0;
	if ((uintptr_t)(r->end - r->p) < n) {
		r->bad = true;
		r->p = r->end;
		return 0;
	}
	memcpy(&v, r->p, n);
	r->p += n;
	return v;
}

static inline uint64_t
read_uleb(reader *r) {
	uint64_t v = 0;
	for (unsigned shift = 0;; shift += 7) {
		uint64_t b = read_fixed(r, 1);
		if (shift < 64)
			v |= (b & 0x7f) << shift;
		if ((b & 0x80) == 0)
			return v;
	}
}

static inline int64_t
read_sleb(reader *r) {
	uint64_t v = 0;
	unsigned shift = 0;
	uint64_t b;
	do {
		b = read_fixed(r, 1);
		if (shift < 64)
			v |= (b & 0x7f) << shift;
		shift += 7;
	} while ((b & 0x80) != 0);
	if ((b & 0x40) != 0 && shift < 64)
		v |= ~(uint64_t)0 << shift;
	return (int64_t)v;
}

// read_length reads the length that a unit begins with, which says how wide offsets are in it.
static inline uint64_t
read_length(reader *r, unsigned *offsize) {
	uint64_t len = read_fixed(r, 4);
	*offsize = len == 0xffffffff ? 8 : 4;
	return *offsize == 8 ? read_fixed(r, 8) : len;
}

// read_string returns a string in place.
static inline const char *
read_string(reader *r) {
	const uint8_t *z = memchr(r->p, 0, (uintptr_t)(r->end - r->p));
	if (z == NULL) {
		r->bad = true;
		r->p = r->end;
		return "";
	}
	const char *s = (const char *)r->p;
	r->p = z + 1;
	return s;
}

// section_string returns the string at off of a section of strings.
static inline const char *
section_string(dwarfSection s, uint64_t off) {
	if (s.p == NULL || off >= s.n || memchr(s.p + off, 0, s.n - off) == NULL)
		return "";
	return (const char *)s.p + off;
}

// form_read reads a value of the form.  *s is set if it is a string that stands in place.
uint64_t form_read(reader *r, unsigned offsize, uint64_t form, int64_t implicit, const char **s);
// form_string makes a string of a value; s stood in place.  NULL: it is none, or only its unit knows.
const char *form_string(const dwarfSections *d, uint64_t form, uint64_t v, const char *s);

#endif
