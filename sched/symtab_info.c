// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Inlined calls for stack traces: a reader of .debug_info, DWARF 4 and 5 as gcc and clang write it,
// without locks or libc.  Only in gort: Go's linker makes tables of its own.
//
// .debug_info is a tree of entries for each compilation unit.  Below the entry of a function stand
// those of the calls that were inlined into it, each with the addresses that it got.  A lookup needs
// the unit, the function in it, and then walks the function's entry only.
//
// So the first lookup in an object lists its units, and the first one in a unit lists its functions
// by address.  The lists are mapped, which is a system call, and published when they are complete.
// Who finds a list being made (a signal handler, or another thread) does not wait but searches the
// unit from its start.
//
// Compressed sections and split DWARF (.dwo) are not read: there are just no inlined calls then.
#include "sched/symtab_info.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include "runtime/os_linux.h"

enum {
	DW_TAG_inlined_subroutine = 0x1d,
	DW_TAG_lexical_block = 0x0b,
	DW_TAG_subprogram = 0x2e,

	DW_AT_sibling = 0x01,
	DW_AT_name = 0x03,
	DW_AT_stmt_list = 0x10,
	DW_AT_low_pc = 0x11,
	DW_AT_high_pc = 0x12,
	DW_AT_comp_dir = 0x1b,
	DW_AT_abstract_origin = 0x31,
	DW_AT_specification = 0x47,
	DW_AT_ranges = 0x55,
	DW_AT_call_file = 0x58,
	DW_AT_call_line = 0x59,
	DW_AT_linkage_name = 0x6e,
	DW_AT_str_offsets_base = 0x72,
	DW_AT_addr_base = 0x73,
	DW_AT_rnglists_base = 0x74,
	DW_AT_MIPS_linkage_name = 0x2007,

	DW_FORM_addr = 0x01,
	DW_FORM_rnglistx = 0x23,

	DW_UT_compile = 1,
	DW_UT_partial = 3,
};

enum {
	indexNone,
	indexMaking,
	indexReady,
	indexBad,
};

// dwarfFunc is a function of a unit, or a part of it.
typedef struct dwarfFunc {
	uintptr_t lo;
	uintptr_t hi;
	uintptr_t die; // offset of its entry
} dwarfFunc;

struct dwarfUnit {
	uintptr_t off;  // of its header in .debug_info
	uintptr_t die;  // of its first entry
	uintptr_t end;  // of the next unit
	uintptr_t abbr; // of its abbreviations
	unsigned version;
	unsigned offsize; // 4 or 8
	bool skip;        // it has nothing to offer
	uintptr_t low;    // base of ranges
	uintptr_t lo;     // all of its code lies in [lo, hi)
	uintptr_t hi;
	lineTable lines;
	uintptr_t stroffbase;
	uintptr_t addrbase;
	uintptr_t rngbase;

	uint32_t indexed; // atomic
	uint32_t nabbrevs;
	uint32_t *abbrevs; // by code: offset in the section
	dwarfFunc *funcs;  // by lo
	uint32_t nfuncs;
};

// index_map returns zeroed memory for an index, NULL if there is none.
static void *
index_map(uintptr_t n) {
	int64_t p = sys_call6(SYS_mmap, 0, alignUp(n, 4096), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, ~(uint64_t)0, 0);
	return p > 0 ? (void *)p : NULL;
}

// ---- attributes -------------------------------------------------------------------------------------------

// form_addr makes an address of a value.
static uintptr_t
form_addr(const dwarfSections *d, const dwarfUnit *u, uint64_t form, uint64_t v) {
	if (form == DW_FORM_addr)
		return v;
	uint64_t off = u->addrbase + v * 8;
	uintptr_t a = 0;
	if (d->addr.p != NULL && off < d->addr.n && d->addr.n - off >= 8)
		memcpy(&a, d->addr.p + off, 8);
	return a;
}

// unit_string makes a string of a value; s stood in place.
static const char *
unit_string(const dwarfSections *d, const dwarfUnit *u, uint64_t form, uint64_t v, const char *s) {
	if (form == 0x1a || (form >= 0x25 && form <= 0x28)) {
		uint64_t off = u->stroffbase + v * u->offsize;
		if (d->stroffs.p == NULL || off >= d->stroffs.n || d->stroffs.n - off < u->offsize)
			return NULL;
		v = 0;
		memcpy(&v, d->stroffs.p + off, u->offsize);
		form = 0x0e;
	}
	return form_string(d, form, v, s);
}

// form_ref makes the offset of an entry of a value; 0: it is elsewhere.
static uintptr_t
form_ref(const dwarfUnit *u, uint64_t form, uint64_t v) {
	if (form == 0x10)
		return v;
	if ((form >= 0x11 && form <= 0x15))
		return u->off + v;
	return 0;
}

// ---- entries ----------------------------------------------------------------------------------------------

// die is an entry: those of its attributes that are of use.
typedef struct die {
	uintptr_t off;
	uint64_t tag; // 0: the end of a list of children
	bool children;
	uint64_t lowform;
	uint64_t low;
	uint64_t highform;
	uint64_t high;
	uint64_t rangesform; // 0: none
	uint64_t ranges;
	uintptr_t sibling; // 0: not said
	uintptr_t origin;
	const char *name;
	const char *linkage;
	uint64_t callfile;
	int callline;
	uint64_t lines; // of a unit: ~0 if not said, and the bases, 0 if not said
	uint64_t dirform;
	uint64_t dir;
	const char *dirstr;
	uintptr_t stroffbase;
	uintptr_t addrbase;
	uintptr_t rngbase;
} die;

// abbrev_find sets r to the abbreviation code of u, at its tag.
static bool
abbrev_find(const dwarfSections *d, const dwarfUnit *u, uint64_t code, reader *r) {
	if (u->abbr >= d->abbrev.n)
		return false;
	*r = (reader){d->abbrev.p + u->abbr, d->abbrev.p + d->abbrev.n, false};
	if (atomic_LoadAcq(&u->indexed) == indexReady) {
		if (code >= u->nabbrevs || u->abbrevs[code] == 0)
			return false;
		r->p = d->abbrev.p + u->abbrevs[code];
		return true;
	}
	for (;;) {
		uint64_t c = read_uleb(r);
		if (c == 0 || r->bad)
			return false;
		if (c == code)
			return true;
		read_uleb(r);
		read_fixed(r, 1);
		for (;;) {
			uint64_t at = read_uleb(r);
			uint64_t form = read_uleb(r);
			if (form == 0x21)
				read_sleb(r);
			if ((at == 0 && form == 0) || r->bad)
				break;
		}
	}
}

// die_read reads the entry at r and leaves r behind it.  The names only if they are asked for.
static bool
die_read(const dwarfSections *d, const dwarfUnit *u, reader *r, bool names, die *e) {
	memset(e, 0, sizeof *e);
	e->lines = ~(uint64_t)0;
	e->off = (uintptr_t)(r->p - d->info.p);
	uint64_t code = read_uleb(r);
	if (code == 0)
		return !r->bad;
	reader a;
	if (r->bad || !abbrev_find(d, u, code, &a)) {
		r->bad = true;
		return false;
	}
	e->tag = read_uleb(&a);
	e->children = read_fixed(&a, 1) != 0;
	for (;;) {
		uint64_t at = read_uleb(&a);
		uint64_t form = read_uleb(&a);
		int64_t implicit = form == 0x21 ? read_sleb(&a) : 0;
		if (a.bad || (at == 0 && form == 0))
			break;
		const char *s = NULL;
		uint64_t v = form_read(r, u->offsize, form, implicit, &s);
		switch (at) {
		case DW_AT_sibling:
			e->sibling = form_ref(u, form, v);
			break;
		case DW_AT_name:
			if (names)
				e->name = unit_string(d, u, form, v, s);
			break;
		case DW_AT_linkage_name:
		case DW_AT_MIPS_linkage_name:
			if (names)
				e->linkage = unit_string(d, u, form, v, s);
			break;
		case DW_AT_low_pc:
			e->lowform = form;
			e->low = v;
			break;
		case DW_AT_high_pc:
			e->highform = form;
			e->high = v;
			break;
		case DW_AT_ranges:
			e->rangesform = form;
			e->ranges = v;
			break;
		case DW_AT_abstract_origin:
		case DW_AT_specification:
			e->origin = form_ref(u, form, v);
			break;
		case DW_AT_call_file:
			e->callfile = v;
			break;
		case DW_AT_call_line:
			e->callline = (int)v;
			break;
		case DW_AT_stmt_list:
			e->lines = v;
			break;
		case DW_AT_comp_dir:
			e->dirform = form;
			e->dir = v;
			e->dirstr = s;
			break;
		case DW_AT_str_offsets_base:
			e->stroffbase = v;
			break;
		case DW_AT_addr_base:
			e->addrbase = v;
			break;
		case DW_AT_rnglists_base:
			e->rngbase = v;
			break;
		}
	}
	return !r->bad && !a.bad;
}

// die_skip moves r behind the children of e.
static void
die_skip(const dwarfSections *d, const dwarfUnit *u, reader *r, const die *e) {
	if (!e->children)
		return;
	if (e->sibling > e->off && e->sibling <= u->end) {
		r->p = d->info.p + e->sibling;
		return;
	}
	die x;
	for (int depth = 1; depth > 0 && die_read(d, u, r, false, &x);) {
		if (x.tag == 0)
			depth--;
		else if (x.children && x.sibling > x.off && x.sibling <= u->end)
			r->p = d->info.p + x.sibling;
		else if (x.children)
			depth++;
	}
}

// ---- ranges -----------------------------------------------------------------------------------------------

// rangeIter goes through the addresses of an entry.
typedef struct rangeIter {
	reader r;
	uintptr_t base;
	bool v5;
	bool single;
	uintptr_t lo;
	uintptr_t hi;
} rangeIter;

static void
rangeIter_init(rangeIter *it, const dwarfSections *d, const dwarfUnit *u, const die *e) {
	memset(it, 0, sizeof *it);
	it->base = u->low;
	if (e->rangesform == 0) {
		if (e->lowform == 0 || e->highform == 0)
			return;
		it->single = true;
		it->lo = form_addr(d, u, e->lowform, e->low);
		// An address, or an offset from low.
		uint64_t f = e->highform;
		bool isaddr = f == DW_FORM_addr || f == 0x1b || (f >= 0x29 && f <= 0x2c);
		it->hi = isaddr ? form_addr(d, u, f, e->high) : it->lo + e->high;
		return;
	}
	it->v5 = u->version >= 5;
	dwarfSection s = it->v5 ? d->rnglists : d->ranges;
	uint64_t off = e->ranges;
	if (e->rangesform == DW_FORM_rnglistx) {
		uint64_t at = u->rngbase + off * u->offsize;
		if (s.p == NULL || at >= s.n || s.n - at < u->offsize)
			return;
		off = 0;
		memcpy(&off, s.p + at, u->offsize);
		off += u->rngbase;
	}
	if (s.p != NULL && off < s.n)
		it->r = (reader){s.p + off, s.p + s.n, false};
}

// rangeIter_next finds the next one: it->lo, it->hi.
static bool
rangeIter_next(rangeIter *it, const dwarfSections *d, const dwarfUnit *u) {
	if (it->single) {
		it->single = false;
		return true;
	}
	reader *r = &it->r;
	while (r->p < r->end && !r->bad) {
		if (!it->v5) {
			uint64_t lo = read_fixed(r, 8);
			uint64_t hi = read_fixed(r, 8);
			if (lo == ~(uint64_t)0) {
				it->base = hi;
				continue;
			}
			if (lo == 0 && hi == 0)
				return false;
			it->lo = it->base + lo;
			it->hi = it->base + hi;
			return true;
		}
		switch (read_fixed(r, 1)) {
		case 0: // end_of_list
			return false;
		case 1: // base_addressx
			it->base = form_addr(d, u, 0x1b, read_uleb(r));
			continue;
		case 2: // startx_endx
			it->lo = form_addr(d, u, 0x1b, read_uleb(r));
			it->hi = form_addr(d, u, 0x1b, read_uleb(r));
			return !r->bad;
		case 3: // startx_length
			it->lo = form_addr(d, u, 0x1b, read_uleb(r));
			it->hi = it->lo + read_uleb(r);
			return !r->bad;
		case 4: // offset_pair
			it->lo = it->base + read_uleb(r);
			it->hi = it->base + read_uleb(r);
			return !r->bad;
		case 5: // base_address
			it->base = read_fixed(r, 8);
			continue;
		case 6: // start_end
			it->lo = read_fixed(r, 8);
			it->hi = read_fixed(r, 8);
			return !r->bad;
		case 7: // start_length
			it->lo = read_fixed(r, 8);
			it->hi = it->lo + read_uleb(r);
			return !r->bad;
		default:
			return false;
		}
	}
	return false;
}

// die_covers reports whether addr belongs to e; *lo is the lowest address that does.
static bool
die_covers(
	const dwarfSections *d, const dwarfUnit *u, const die *e, uintptr_t addr, uintptr_t *lo) {
	rangeIter it;
	bool in = false;
	*lo = ~(uintptr_t)0;
	rangeIter_init(&it, d, u, e);
	while (rangeIter_next(&it, d, u)) {
		if (it.lo >= it.hi)
			continue;
		*lo = min(*lo, it.lo);
		in |= it.lo <= addr && addr < it.hi;
	}
	return in;
}

// ---- indices ----------------------------------------------------------------------------------------------

// unit_readheader reads the header of the unit at off; the caller has zeroed u.  False: there is no
// next one.
static bool
unit_readheader(const dwarfSections *d, uintptr_t off, dwarfUnit *u) {
	reader r = {d->info.p + off, d->info.p + d->info.n, false};
	u->off = off;
	u->lines.off = ~(uintptr_t)0;
	uint64_t len = read_length(&r, &u->offsize);
	if (r.bad || len == 0 || len > (uint64_t)(r.end - r.p))
		return false;
	r.end = r.p + len;
	u->end = (uintptr_t)(r.end - d->info.p);
	u->version = (unsigned)read_fixed(&r, 2);
	unsigned addrsize;
	if (u->version == 5) {
		unsigned type = (unsigned)read_fixed(&r, 1);
		addrsize = (unsigned)read_fixed(&r, 1);
		u->abbr = read_fixed(&r, u->offsize);
		u->skip = type != DW_UT_compile && type != DW_UT_partial;
	} else {
		u->abbr = read_fixed(&r, u->offsize);
		addrsize = (unsigned)read_fixed(&r, 1);
		u->skip = u->version < 2 || u->version > 5;
	}
	u->die = (uintptr_t)(r.p - d->info.p);
	u->skip |= r.bad || addrsize != 8;
	return true;
}

// unit_readtop reads the entry of the unit itself.
static void
unit_readtop(const dwarfSections *d, dwarfUnit *u) {
	if (u->skip)
		return;
	reader r = {d->info.p + u->die, d->info.p + u->end, false};
	die e;
	if (!die_read(d, u, &r, false, &e)) {
		u->skip = true;
		return;
	}
	u->stroffbase = e.stroffbase;
	u->addrbase = e.addrbase;
	u->rngbase = e.rngbase;
	u->lines.off = e.lines;
	u->lines.compdir = unit_string(d, u, e.dirform, e.dir, e.dirstr);
	if (e.lowform != 0)
		u->low = form_addr(d, u, e.lowform, e.low);
	rangeIter it;
	u->lo = ~(uintptr_t)0;
	rangeIter_init(&it, d, u, &e);
	while (rangeIter_next(&it, d, u)) {
		if (it.lo == 0 || it.lo >= it.hi)
			continue; // dropped by the linker
		u->lo = min(u->lo, it.lo);
		u->hi = max(u->hi, it.hi);
	}
}

// info_index lists the units of an object.
static void
info_index(dwarfSections *d) {
	uint32_t n = 0;
	dwarfUnit u = {0};
	for (uintptr_t off = 0; off < d->info.n && unit_readheader(d, off, &u); off = u.end) {
		n++;
		u = (dwarfUnit){.end = u.end};
	}
	d->units = n == 0 ? NULL : index_map(n * sizeof(dwarfUnit));
	if (d->units == NULL) {
		atomic_Store(&d->infoindexed, indexBad);
		return;
	}
	uintptr_t off = 0;
	for (uint32_t i = 0; i < n && unit_readheader(d, off, &d->units[i]); i++) {
		unit_readtop(d, &d->units[i]);
		off = d->units[i].end;
		d->ninfo = i + 1;
	}
	atomic_Store(&d->infoindexed, indexReady);
}

// unit_eachfunc goes through the functions of a unit.  With out it stores their addresses, with addr
// it returns where the entry of the one around addr is; else it counts.
static uintptr_t
unit_eachfunc(const dwarfSections *d, const dwarfUnit *u, dwarfFunc *out, uint32_t nout,
	uintptr_t addr, uint32_t *count) {
	reader r = {d->info.p + u->die, d->info.p + u->end, false};
	die e;
	uint32_t n = 0;
	while (r.p < r.end && die_read(d, u, &r, false, &e)) {
		if (e.tag != DW_TAG_subprogram)
			continue;
		rangeIter it;
		rangeIter_init(&it, d, u, &e);
		while (rangeIter_next(&it, d, u)) {
			if (it.lo == 0 || it.lo >= it.hi)
				continue;
			if (addr != 0 && it.lo <= addr && addr < it.hi)
				return e.off;
			if (out != NULL && n < nout)
				out[n] = (dwarfFunc){it.lo, it.hi, e.off};
			n++;
		}
		if (e.sibling > e.off && e.sibling <= u->end)
			r.p = d->info.p + e.sibling;
	}
	if (count != NULL)
		*count = n;
	return 0;
}

// funcs_sort sorts by address: a heap sort.
static void
funcs_sort(dwarfFunc *f, uint32_t n) {
	for (uint32_t end = n, i = n / 2; end > 1;) {
		if (i > 0) {
			i--;
		} else {
			end--;
			dwarfFunc t = f[0];
			f[0] = f[end];
			f[end] = t;
		}
		for (uint32_t p = i, c; (c = 2 * p + 1) < end; p = c) {
			if (c + 1 < end && f[c + 1].lo > f[c].lo)
				c++;
			if (f[p].lo >= f[c].lo)
				break;
			dwarfFunc t = f[p];
			f[p] = f[c];
			f[c] = t;
		}
	}
}

// unit_index lists the abbreviations and functions of a unit.
static void
unit_index(const dwarfSections *d, dwarfUnit *u) {
	uint64_t maxcode = 0;
	uint32_t *tab = NULL;
	for (int pass = 0; pass < 2; pass++) {
		reader r = {
			d->abbrev.p + u->abbr, d->abbrev.p + d->abbrev.n, u->abbr >= d->abbrev.n};
		while (!r.bad) {
			uint64_t c = read_uleb(&r);
			if (c == 0)
				break;
			maxcode = max(maxcode, c);
			if (tab != NULL)
				tab[c] = (uint32_t)(r.p - d->abbrev.p);
			read_uleb(&r);
			read_fixed(&r, 1);
			for (bool more = true; more && !r.bad;) {
				uint64_t at = read_uleb(&r);
				uint64_t form = read_uleb(&r);
				if (form == 0x21)
					read_sleb(&r);
				more = at != 0 || form != 0;
			}
		}
		// Codes are numbered from 1.
		if (r.bad || maxcode > 1 << 20)
			break;
		if (pass == 0 && (tab = index_map((maxcode + 1) * sizeof *tab)) == NULL)
			break;
	}
	if (tab == NULL) {
		atomic_Store(&u->indexed, indexBad);
		return;
	}
	// A copy has the abbreviations already.
	dwarfUnit t = *u;
	t.abbrevs = tab;
	t.nabbrevs = (uint32_t)maxcode + 1;
	t.indexed = indexReady;
	uint32_t n = 0;
	unit_eachfunc(d, &t, NULL, 0, 0, &n);
	dwarfFunc *f = index_map((n + 1) * sizeof *f);
	if (f == NULL) {
		atomic_Store(&u->indexed, indexBad);
		return;
	}
	unit_eachfunc(d, &t, f, n, 0, NULL);
	funcs_sort(f, n);
	u->abbrevs = t.abbrevs;
	u->nabbrevs = t.nabbrevs;
	u->funcs = f;
	u->nfuncs = n;
	atomic_Store(&u->indexed, indexReady);
}

// unit_findfunc returns where the entry of the function around addr is, 0 if it is not here.
static uintptr_t
unit_findfunc(const dwarfSections *d, dwarfUnit *u, uintptr_t addr) {
	if (atomic_Cas(&u->indexed, indexNone, indexMaking))
		unit_index(d, u);
	if (atomic_LoadAcq(&u->indexed) != indexReady)
		return unit_eachfunc(d, u, NULL, 0, addr, NULL);
	uint32_t lo = 0;
	uint32_t hi = u->nfuncs;
	while (lo < hi) { // the first that begins behind addr
		uint32_t m = lo + (hi - lo) / 2;
		if (u->funcs[m].lo <= addr)
			lo = m + 1;
		else
			hi = m;
	}
	return lo > 0 && addr < u->funcs[lo - 1].hi ? u->funcs[lo - 1].die : 0;
}

// ---- lookup -----------------------------------------------------------------------------------------------

// die_name finds the name of the function of e: it stands at its origin, perhaps in another unit.
static const char *
die_name(const dwarfSections *d, dwarfUnit *u, const die *e, bool *linkage) {
	die x = *e;
	for (int i = 0; i < 4; i++) {
		*linkage = x.linkage != NULL;
		if (x.linkage != NULL)
			return x.linkage;
		if (x.name != NULL)
			return x.name;
		if (x.origin < u->die || x.origin >= u->end) {
			dwarfUnit *v = d->units;
			while (v < d->units + d->ninfo && (x.origin < v->die || x.origin >= v->end))
				v++;
			if (v == d->units + d->ninfo || v->skip)
				break;
			u = v;
		}
		reader r = {d->info.p + x.origin, d->info.p + u->end, false};
		if (!die_read(d, u, &r, true, &x))
			break;
	}
	*linkage = false;
	return "?";
}

// func_walk looks for inlined calls around addr in the function whose entry is at off.
static int
func_walk(const dwarfSections *d, dwarfUnit *u, uintptr_t off, uintptr_t addr, inlineSite *sites,
	int nsites) {
	reader r = {d->info.p + off, d->info.p + u->end, false};
	die e;
	if (!die_read(d, u, &r, false, &e) || !e.children)
		return 0;
	int n = 0;
	int depth = 0; // of blocks
	while (r.p < r.end && die_read(d, u, &r, true, &e)) {
		uintptr_t low;
		if (e.tag == 0) {
			if (depth-- == 0)
				break;
			continue;
		}
		// The addresses of blocks say nothing new, and gcc's are not always right.
		if (e.tag == DW_TAG_lexical_block) {
			depth += e.children;
			continue;
		}
		if (e.tag != DW_TAG_inlined_subroutine || !die_covers(d, u, &e, addr, &low)) {
			die_skip(d, u, &r, &e);
			continue;
		}
		if (n < nsites) {
			inlineSite *s = &sites[n];
			s->pc = low;
			// Calls at the start of the inlined function have the same address.
			for (int i = 0; i < n; i++)
				s->pc = max(s->pc, sites[i].pc + 1);
			s->name = die_name(d, u, &e, &s->linkage);
			s->callfile = e.callfile;
			s->callline = e.callline;
			n++;
		}
		if (!e.children)
			break;
		depth = 0;
	}
	return n;
}

// info_lookup: any context.
int
info_lookup(dwarfSections *d, uintptr_t addr, lineTable *at, inlineSite *sites, int nsites) {
	*at = (lineTable){~(uintptr_t)0, NULL};
	if (d->info.p == NULL || d->abbrev.p == NULL)
		return 0;
	if (atomic_Cas(&d->infoindexed, indexNone, indexMaking))
		info_index(d);
	if (atomic_LoadAcq(&d->infoindexed) != indexReady)
		return 0;
	for (uint32_t i = 0; i < d->ninfo; i++) {
		dwarfUnit *u = &d->units[i];
		if (u->skip || addr < u->lo || addr >= u->hi)
			continue;
		uintptr_t off = unit_findfunc(d, u, addr);
		if (off == 0)
			continue;
		*at = u->lines;
		return nsites == 0 ? 0 : func_walk(d, u, off, addr, sites, nsites);
	}
	return 0;
}
