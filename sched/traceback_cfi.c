// Copyright 2026 The gort authors and the Go authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Unwinding by call frame information (.eh_frame), for code without frame pointers: libc, and programs
// that were compiled without -fno-omit-frame-pointer.  Only in gort: Go's frames are in its tables.
//
// For each pc the information says how the canonical frame address (the sp before the call) is
// computed from a register, and where, relative to it, the caller's registers are.  It is found by a
// sorted table (.eh_frame_hdr), both parts are in memory, and nothing here allocates or locks.  Rules
// that are expressions (the PLT's, the kernel's) are not evaluated: the walk goes on by frame pointer.
#include "sched/traceback_cfi.h"

enum {
	regBP = 6, // DWARF numbers of amd64
	regSP = 7,
	regRA = 16,
	maxSaved = 8, // depth of remember_state
};

// cfiRule says where a register of the caller is.
typedef struct cfiRule {
	enum { ruleSame, ruleUndefined, ruleOffset, ruleOther } kind;
	int64_t off;
} cfiRule;

// cfiRow is the state of the machine that runs the instructions.
typedef struct cfiRow {
	uint64_t cfareg;
	int64_t cfaoff;
	bool cfaother; // an expression
	cfiRule bp;
	cfiRule ra;
	cfiRule other; // of a register that nobody asks for
} cfiRow;

// cfiCommon is what a CIE says.
typedef struct cfiCommon {
	uint64_t codealign;
	int64_t dataalign;
	uint8_t enc; // of addresses in FDEs
	bool aug;    // FDEs have augmentation data
	const uint8_t *insn;
	const uint8_t *end;
} cfiCommon;

static uint64_t
cfi_uleb(const uint8_t **p) {
	uint64_t v = 0;
	unsigned shift = 0;
	uint8_t b;
	do {
		b = *(*p)++;
		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
	} while ((b & 0x80) != 0);
	return v;
}

static int64_t
cfi_sleb(const uint8_t **p) {
	uint64_t v = 0;
	unsigned shift = 0;
	uint8_t b;
	do {
		b = *(*p)++;
		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
	} while ((b & 0x80) != 0);
	if ((b & 0x40) != 0 && shift < 64)
		v |= ~(uint64_t)0 << shift;
	return (int64_t)v;
}

static uint32_t
cfi_u32(const uint8_t *p) {
	uint32_t v;
	memcpy(&v, p, 4);
	return v;
}

// cfi_encoded reads an address: pcrel or absolute, of 4 or 8 bytes.  rel: add what it is relative to.
static bool
cfi_encoded(const uint8_t **p, uint8_t enc, bool rel, uintptr_t *v) {
	uintptr_t base = rel && (enc & 0x70) == 0x10 ? (uintptr_t)*p : 0;
	uint64_t q;
	switch (enc & 0x0f) {
	case 0x0b: // sdata4
		*v = base + (uintptr_t)(intptr_t)(int32_t)cfi_u32(*p);
		*p += 4;
		return true;
	case 0x03: // udata4
		*v = base + cfi_u32(*p);
		*p += 4;
		return true;
	case 0x00: // absptr
	case 0x04: // udata8
	case 0x0c: // sdata8
		memcpy(&q, *p, 8);
		*v = base + q;
		*p += 8;
		return true;
	}
	return false;
}

// cfi_find returns the FDE that may cover pc, by halves.
static const uint8_t *
cfi_find(const uint8_t *hdr, uintptr_t pc) {
	// Only the one format that linkers write: version 1, a table of 32-bit offsets from hdr.
	if (hdr[0] != 1 || hdr[2] != 0x03 || hdr[3] != 0x3b)
		return NULL;
	const uint8_t *p = hdr + 4;
	uintptr_t frames;
	if (!cfi_encoded(&p, hdr[1], true, &frames))
		return NULL;
	uintptr_t n = cfi_u32(p);
	const uint8_t *table = p + 4;
	uintptr_t lo = 0;
	uintptr_t hi = n;
	while (lo < hi) { // the last that begins at or before pc
		uintptr_t m = lo + (hi - lo) / 2;
		if ((uintptr_t)hdr + (uintptr_t)(intptr_t)(int32_t)cfi_u32(table + 8 * m) <= pc)
			lo = m + 1;
		else
			hi = m;
	}
	if (lo == 0)
		return NULL;
	return hdr + (intptr_t)(int32_t)cfi_u32(table + 8 * (lo - 1) + 4);
}

// cfi_common reads a CIE.
static bool
cfi_common(const uint8_t *p, cfiCommon *c) {
	memset(c, 0, sizeof *c);
	uint32_t len = cfi_u32(p);
	if (len == 0 || len == 0xffffffff || cfi_u32(p + 4) != 0)
		return false;
	c->end = p + 4 + len;
	p += 8;
	uint8_t version = *p++;
	const char *aug = (const char *)p;
	p += strlen(aug) + 1;
	c->codealign = cfi_uleb(&p);
	c->dataalign = cfi_sleb(&p);
	uint64_t ra = version == 1 ? *p++ : cfi_uleb(&p);
	if (ra != regRA)
		return false;
	if (*aug == 'z') {
		uint64_t n = cfi_uleb(&p);
		const uint8_t *q = p;
		c->aug = true;
		for (aug++; *aug != 0; aug++) {
			uintptr_t v;
			uint8_t enc;
			switch (*aug) {
			case 'R':
				c->enc = *q++;
				break;
			case 'L':
				q++;
				break;
			case 'P':
				enc = *q++;
				if (!cfi_encoded(&q, enc, false, &v))
					return false;
				break;
			case 'S':
			case 'B':
				break;
			default:
				return false;
			}
		}
		p += n;
	} else if (*aug != 0) {
		return false;
	}
	c->insn = p;
	return true;
}

// cfi_rule returns the rule of a register.
static cfiRule *
cfi_rule(cfiRow *row, uint64_t reg) {
	return reg == regBP ? &row->bp : reg == regRA ? &row->ra : &row->other;
}

// cfi_run runs instructions up to the row of pc; loc is the address that they begin at.
static bool
cfi_run(const cfiCommon *c, const uint8_t *p, const uint8_t *end, uintptr_t loc, uintptr_t pc,
	cfiRow *row, const cfiRow *initial) {
	cfiRow saved[maxSaved];
	int nsaved = 0;
	while (p < end && loc <= pc) {
		uint8_t op = *p++;
		uint64_t reg = op & 0x3f;
		uint64_t n;
		switch (op & 0xc0) {
		case 0x40: // advance_loc
			loc += reg * c->codealign;
			continue;
		case 0x80: // offset
			*cfi_rule(row, reg) =
				(cfiRule){ruleOffset, (int64_t)cfi_uleb(&p) * c->dataalign};
			continue;
		case 0xc0: // restore
			*cfi_rule(row, reg) = reg == regBP ? initial->bp : initial->ra;
			continue;
		}
		switch (op) {
		case 0x00: // nop
			break;
		case 0x01: // set_loc
			if (!cfi_encoded(&p, c->enc, true, &loc))
				return false;
			break;
		case 0x02: // advance_loc1, 2, 4
			loc += *p * c->codealign;
			p += 1;
			break;
		case 0x03:
			loc += (uintptr_t)(p[0] | p[1] << 8) * c->codealign;
			p += 2;
			break;
		case 0x04:
			loc += cfi_u32(p) * c->codealign;
			p += 4;
			break;
		case 0x05: // offset_extended
			reg = cfi_uleb(&p);
			*cfi_rule(row, reg) =
				(cfiRule){ruleOffset, (int64_t)cfi_uleb(&p) * c->dataalign};
			break;
		case 0x06: // restore_extended
			reg = cfi_uleb(&p);
			*cfi_rule(row, reg) = reg == regBP ? initial->bp : initial->ra;
			break;
		case 0x07: // undefined
			cfi_rule(row, cfi_uleb(&p))->kind = ruleUndefined;
			break;
		case 0x08: // same_value
			cfi_rule(row, cfi_uleb(&p))->kind = ruleSame;
			break;
		case 0x09: // register
			cfi_rule(row, cfi_uleb(&p))->kind = ruleOther;
			cfi_uleb(&p);
			break;
		case 0x0a: // remember_state
			if (nsaved == maxSaved)
				return false;
			saved[nsaved++] = *row;
			break;
		case 0x0b: // restore_state
			if (nsaved == 0)
				return false;
			*row = saved[--nsaved];
			break;
		case 0x0c: // def_cfa
			row->cfareg = cfi_uleb(&p);
			row->cfaoff = (int64_t)cfi_uleb(&p);
			row->cfaother = false;
			break;
		case 0x0d: // def_cfa_register
			row->cfareg = cfi_uleb(&p);
			row->cfaother = false;
			break;
		case 0x0e: // def_cfa_offset
			row->cfaoff = (int64_t)cfi_uleb(&p);
			break;
		case 0x0f: // def_cfa_expression
			n = cfi_uleb(&p);
			p += n;
			row->cfaother = true;
			break;
		case 0x10: // expression
		case 0x16: // val_expression
			cfi_rule(row, cfi_uleb(&p))->kind = ruleOther;
			n = cfi_uleb(&p);
			p += n;
			break;
		case 0x11: // offset_extended_sf
			reg = cfi_uleb(&p);
			*cfi_rule(row, reg) = (cfiRule){ruleOffset, cfi_sleb(&p) * c->dataalign};
			break;
		case 0x12: // def_cfa_sf
			row->cfareg = cfi_uleb(&p);
			row->cfaoff = cfi_sleb(&p) * c->dataalign;
			row->cfaother = false;
			break;
		case 0x13: // def_cfa_offset_sf
			row->cfaoff = cfi_sleb(&p) * c->dataalign;
			break;
		case 0x14: // val_offset
			cfi_rule(row, cfi_uleb(&p))->kind = ruleOther;
			cfi_uleb(&p);
			break;
		case 0x15: // val_offset_sf
			cfi_rule(row, cfi_uleb(&p))->kind = ruleOther;
			cfi_sleb(&p);
			break;
		case 0x2e: // GNU_args_size
			cfi_uleb(&p);
			break;
		default:
			return false;
		}
	}
	return true;
}

// cfi_load reads a word of the stack.
WILD static bool
cfi_load(uintptr_t p, uintptr_t lo, uintptr_t hi, uintptr_t *v) {
	if (p < lo || p > hi - 8 || p % 8 != 0)
		return false;
	*v = *(const uintptr_t *)p;
	return true;
}

// cfi_step: see traceback_cfi.h.
bool
cfi_step(const uint8_t *hdr, cfiRegs *r, uintptr_t look, uintptr_t lo, uintptr_t hi) {
	const uint8_t *fde = cfi_find(hdr, look);
	if (fde == NULL)
		return false;
	uint32_t len = cfi_u32(fde);
	if (len == 0 || len == 0xffffffff || cfi_u32(fde + 4) == 0)
		return false;
	cfiCommon c;
	if (!cfi_common(fde + 4 - cfi_u32(fde + 4), &c))
		return false;
	const uint8_t *p = fde + 8;
	uintptr_t begin, range;
	if ((c.enc & 0x80) != 0 || !cfi_encoded(&p, c.enc, true, &begin) ||
		!cfi_encoded(&p, c.enc, false, &range) || look < begin || look - begin >= range)
		return false;
	if (c.aug) {
		uint64_t n = cfi_uleb(&p);
		p += n;
	}
	cfiRow row = {.cfareg = regSP};
	row.ra.kind = ruleUndefined;
	if (!cfi_run(&c, c.insn, c.end, 0, 0, &row, &row))
		return false;
	cfiRow initial = row;
	if (!cfi_run(&c, p, fde + 4 + len, begin, look, &row, &initial))
		return false;

	if (row.cfaother || (row.cfareg != regSP && row.cfareg != regBP))
		return false;
	uintptr_t cfa = (row.cfareg == regSP ? r->sp : r->bp) + (uintptr_t)row.cfaoff;
	if (row.ra.kind == ruleUndefined) {
		r->pc = 0; // the first frame of a stack
		return true;
	}
	if (cfa <= lo || cfa > hi || row.ra.kind != ruleOffset || row.bp.kind == ruleOther)
		return false;
	cfiRegs caller = {.sp = cfa, .bp = r->bp};
	if (!cfi_load(cfa + (uintptr_t)row.ra.off, lo, hi, &caller.pc))
		return false;
	if (row.bp.kind == ruleOffset && !cfi_load(cfa + (uintptr_t)row.bp.off, lo, hi, &caller.bp))
		return false;
	*r = caller;
	return true;
}
